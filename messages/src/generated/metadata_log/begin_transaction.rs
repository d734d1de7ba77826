//! BeginTransactionRecord: what follows holds only when EndTransactionRecord comes, and then all at once (KIP-868).
//!
//! For changes that are too large for one batch. One ends before the next begins, and a snapshot holds none.
//!
//! Generated from `messages/schema/metadata-log/023-begin-transaction.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// BeginTransactionRecord: what follows holds only when EndTransactionRecord comes, and then all at once (KIP-868).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BeginTransactionRecord {
    /// What it is for, for the eyes of people.
    pub name: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for BeginTransactionRecord {
    const NAME: &'static str = "BeginTransactionRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self { name: None, unknown_tags: Vec::new() };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.name = from.nullable_string()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.tags(&self.unknown_tags, |tags| {
            if self.name.is_some() {
                tags.field(0, |into| into.nullable_string(self.name.as_deref()))?;
            }
            Ok(())
        })
    }
}

impl Record for BeginTransactionRecord {
    const RECORD_TYPE: i16 = 23;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for BeginTransactionRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if self.name.is_some() {
                object.put("name", &self.name);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
