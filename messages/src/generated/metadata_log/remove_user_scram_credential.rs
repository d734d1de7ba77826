//! RemoveUserScramCredentialRecord: a user can no longer log in by this SCRAM mechanism.
//!
//! Generated from `messages/schema/metadata-log/022-remove-user-scram-credential.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// RemoveUserScramCredentialRecord: a user can no longer log in by this SCRAM mechanism.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RemoveUserScramCredentialRecord {
    /// Of the user.
    pub name: String,
    /// 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.
    pub mechanism: i8,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for RemoveUserScramCredentialRecord {
    const NAME: &'static str = "RemoveUserScramCredentialRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { name: from.string()?, mechanism: from.i8()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.name)?;
        into.i8(self.mechanism);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for RemoveUserScramCredentialRecord {
    const RECORD_TYPE: i16 = 22;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for RemoveUserScramCredentialRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("mechanism", &self.mechanism);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("mechanism", &mut this.mechanism)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
