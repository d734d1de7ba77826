//! ClientQuotaRecord: one quota of one entity has this value from here on, or is gone (KIP-546).
//!
//! Generated from `messages/schema/metadata-log/014-client-quota.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// ClientQuotaRecord: one quota of one entity has this value from here on, or is gone (KIP-546).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ClientQuotaRecord {
    /// A user, a client id, both together, or an IP address alone.
    pub entity: Vec<EntityData>,
    /// `producer_byte_rate`, `consumer_byte_rate`, `request_percentage` or `controller_mutation_rate`; of an IP address `connection_creation_rate`.
    pub key: String,
    /// Means nothing with `remove`.
    pub value: f64,
    pub remove: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ClientQuotaRecord {
    const NAME: &'static str = "ClientQuotaRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            entity: from.array(3, |from| EntityData::decode(from, version))?,
            key: from.string()?,
            value: from.f64()?,
            remove: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.entity, |into, each| each.encode(into, version))?;
        into.string(&self.key)?;
        into.f64(self.value);
        into.bool(self.remove);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for ClientQuotaRecord {
    const RECORD_TYPE: i16 = 14;
}

/// Of [`ClientQuotaRecord::entity`].
#[derive(Clone, PartialEq, Debug)]
pub struct EntityData {
    /// `user`, `client-id` or `ip`.
    pub entity_type: String,
    /// Null: the default, for those without a quota of their own.
    pub entity_name: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for EntityData {
    fn default() -> Self {
        Self { entity_type: String::new(), entity_name: Some(String::new()), unknown_tags: Vec::new() }
    }
}

impl EntityData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            entity_type: from.string()?,
            entity_name: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.entity_type)?;
        into.nullable_string(self.entity_name.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ClientQuotaRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("entity", &self.entity);
            object.put("key", &self.key);
            object.put("value", &self.value);
            object.put("remove", &self.remove);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("entity", &mut this.entity)?;
            fields.read("key", &mut this.key)?;
            fields.read("value", &mut this.value)?;
            fields.read("remove", &mut this.remove)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for EntityData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("entityType", &self.entity_type);
            object.put("entityName", &self.entity_name);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("entityType", &mut this.entity_type)?;
            fields.read("entityName", &mut this.entity_name)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
