//! RequestHeader: what stands before every request. Brokers read it with `wire::frame`; this is its whole truth.
//!
//! - v2: Flexible, but for the client id.
//!
//! Generated from `messages/schema/1000-request-header.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// RequestHeader: what stands before every request. Brokers read it with `wire::frame`; this is its whole truth.
#[derive(Clone, PartialEq, Debug)]
pub struct RequestHeader {
    pub request_api_key: i16,
    pub request_api_version: i16,
    /// The response repeats it.
    pub correlation_id: i32,
    /// Keeps its int16 length, so that it can be read at an unknown version.
    pub client_id: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for RequestHeader {
    fn default() -> Self {
        Self {
            request_api_key: 0,
            request_api_version: 0,
            correlation_id: 0,
            client_id: Some(String::new()),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for RequestHeader {
    const NAME: &'static str = "RequestHeader";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            request_api_key: from.i16()?,
            request_api_version: from.i16()?,
            correlation_id: from.i32()?,
            client_id: from.classic(|from| from.nullable_string())?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.request_api_key);
        into.i16(self.request_api_version);
        into.i32(self.correlation_id);
        into.classic(|into| into.nullable_string(self.client_id.as_deref()))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for RequestHeader {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("requestApiKey", &self.request_api_key);
            object.put("requestApiVersion", &self.request_api_version);
            object.put("correlationId", &self.correlation_id);
            object.put("clientId", &self.client_id);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("requestApiKey", &mut this.request_api_key)?;
            fields.read("requestApiVersion", &mut this.request_api_version)?;
            fields.read("correlationId", &mut this.correlation_id)?;
            fields.read("clientId", &mut this.client_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
