//! RemoveDelegationTokenRecord: a delegation token has ended.
//!
//! Generated from `messages/schema/metadata-log/026-remove-delegation-token.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// RemoveDelegationTokenRecord: a delegation token has ended.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RemoveDelegationTokenRecord {
    pub token_id: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for RemoveDelegationTokenRecord {
    const NAME: &'static str = "RemoveDelegationTokenRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { token_id: from.string()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.token_id)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for RemoveDelegationTokenRecord {
    const RECORD_TYPE: i16 = 26;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for RemoveDelegationTokenRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("tokenId", &self.token_id);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("tokenId", &mut this.token_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
