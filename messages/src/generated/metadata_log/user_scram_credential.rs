//! UserScramCredentialRecord: what one SCRAM mechanism checks a user's login against; it replaces any earlier one.
//!
//! Generated from `messages/schema/metadata-log/011-user-scram-credential.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// UserScramCredentialRecord: what one SCRAM mechanism checks a user's login against; it replaces any earlier one.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct UserScramCredentialRecord {
    /// Of the user.
    pub name: String,
    /// 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.
    pub mechanism: i8,
    pub salt: Bytes,
    /// Checks that the client knows the password.
    pub stored_key: Bytes,
    /// Shows the client that the server knows it too.
    pub server_key: Bytes,
    /// Rounds of hashing between the password and the keys.
    pub iterations: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for UserScramCredentialRecord {
    const NAME: &'static str = "UserScramCredentialRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            name: from.string()?,
            mechanism: from.i8()?,
            salt: from.bytes()?,
            stored_key: from.bytes()?,
            server_key: from.bytes()?,
            iterations: from.i32()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.name)?;
        into.i8(self.mechanism);
        into.bytes(&self.salt)?;
        into.bytes(&self.stored_key)?;
        into.bytes(&self.server_key)?;
        into.i32(self.iterations);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for UserScramCredentialRecord {
    const RECORD_TYPE: i16 = 11;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for UserScramCredentialRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("mechanism", &self.mechanism);
            object.put("salt", &self.salt);
            object.put("storedKey", &self.stored_key);
            object.put("serverKey", &self.server_key);
            object.put("iterations", &self.iterations);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("mechanism", &mut this.mechanism)?;
            fields.read("salt", &mut this.salt)?;
            fields.read("storedKey", &mut this.stored_key)?;
            fields.read("serverKey", &mut this.server_key)?;
            fields.read("iterations", &mut this.iterations)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
