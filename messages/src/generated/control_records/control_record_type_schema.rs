//! ControlRecordTypeSchema: the key of a record of a control batch, which says what kind of record it is.
//!
//! An int16 with the version, 0, stands before it. Readers skip types that they do not know.
//!
//! Generated from `messages/schema/control-records/000-control-record-type-schema.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// ControlRecordTypeSchema: the key of a record of a control batch, which says what kind of record it is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ControlRecordTypeSchema {
    /// 0 abort, 1 commit, 2 leader change, 3 snapshot header, 4 snapshot footer, 5 KRaft version, 6 voters.
    pub r#type: i16,
}

impl Message for ControlRecordTypeSchema {
    const NAME: &'static str = "ControlRecordTypeSchema";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { r#type: from.i16()? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.r#type);
        Ok(())
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ControlRecordTypeSchema {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("type", &self.r#type);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("type", &mut this.r#type)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
