//! AccessControlEntryRecord: an ACL holds from here on.
//!
//! Generated from `messages/schema/metadata-log/018-access-control-entry.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// AccessControlEntryRecord: an ACL holds from here on.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AccessControlEntryRecord {
    /// By which it is removed.
    pub id: Uuid,
    /// 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.
    pub resource_type: i8,
    /// With pattern type 3, `*` is all names.
    pub resource_name: String,
    /// 3 this very name, 4 all that begin with it.
    pub pattern_type: i8,
    /// `User:name`; `User:*` is everyone.
    pub principal: String,
    /// An address, or `*` for any.
    pub host: String,
    /// 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, 9 cluster action, 10 describe configs, 11 alter configs, 12 idempotent write, 13 create tokens, 14 describe tokens, 15 two-phase commit.
    pub operation: i8,
    /// 2 deny, 3 allow.
    pub permission_type: i8,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for AccessControlEntryRecord {
    const NAME: &'static str = "AccessControlEntryRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            id: from.uuid()?,
            resource_type: from.i8()?,
            resource_name: from.string()?,
            pattern_type: from.i8()?,
            principal: from.string()?,
            host: from.string()?,
            operation: from.i8()?,
            permission_type: from.i8()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.uuid(self.id);
        into.i8(self.resource_type);
        into.string(&self.resource_name)?;
        into.i8(self.pattern_type);
        into.string(&self.principal)?;
        into.string(&self.host)?;
        into.i8(self.operation);
        into.i8(self.permission_type);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for AccessControlEntryRecord {
    const RECORD_TYPE: i16 = 18;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for AccessControlEntryRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("id", &self.id);
            object.put("resourceType", &self.resource_type);
            object.put("resourceName", &self.resource_name);
            object.put("patternType", &self.pattern_type);
            object.put("principal", &self.principal);
            object.put("host", &self.host);
            object.put("operation", &self.operation);
            object.put("permissionType", &self.permission_type);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("id", &mut this.id)?;
            fields.read("resourceType", &mut this.resource_type)?;
            fields.read("resourceName", &mut this.resource_name)?;
            fields.read("patternType", &mut this.pattern_type)?;
            fields.read("principal", &mut this.principal)?;
            fields.read("host", &mut this.host)?;
            fields.read("operation", &mut this.operation)?;
            fields.read("permissionType", &mut this.permission_type)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
