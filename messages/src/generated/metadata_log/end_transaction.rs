//! EndTransactionRecord: all since BeginTransactionRecord holds from here on (KIP-868).
//!
//! Generated from `messages/schema/metadata-log/024-end-transaction.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// EndTransactionRecord: all since BeginTransactionRecord holds from here on (KIP-868).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EndTransactionRecord {
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for EndTransactionRecord {
    const NAME: &'static str = "EndTransactionRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for EndTransactionRecord {
    const RECORD_TYPE: i16 = 24;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for EndTransactionRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
