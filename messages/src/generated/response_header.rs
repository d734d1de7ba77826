//! ResponseHeader: what stands before every response.
//!
//! - v1: Flexible. ApiVersions stays at v0.
//!
//! Generated from `messages/schema/1001-response-header.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// ResponseHeader: what stands before every response.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ResponseHeader {
    pub correlation_id: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ResponseHeader {
    const NAME: &'static str = "ResponseHeader";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { correlation_id: from.i32()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.correlation_id);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ResponseHeader {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("correlationId", &self.correlation_id);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("correlationId", &mut this.correlation_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
