//! AbortTransactionRecord: all since BeginTransactionRecord never happened (KIP-868).
//!
//! A new controller writes it where the one before it left a transaction open.
//!
//! Generated from `messages/schema/metadata-log/025-abort-transaction.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// AbortTransactionRecord: all since BeginTransactionRecord never happened (KIP-868).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AbortTransactionRecord {
    /// For the eyes of people.
    pub reason: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for AbortTransactionRecord {
    const NAME: &'static str = "AbortTransactionRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self { reason: None, unknown_tags: Vec::new() };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.reason = from.nullable_string()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.tags(&self.unknown_tags, |tags| {
            if self.reason.is_some() {
                tags.field(0, |into| into.nullable_string(self.reason.as_deref()))?;
            }
            Ok(())
        })
    }
}

impl Record for AbortTransactionRecord {
    const RECORD_TYPE: i16 = 25;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for AbortTransactionRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if self.reason.is_some() {
                object.put("reason", &self.reason);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("reason", &mut this.reason)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
