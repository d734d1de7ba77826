//! SaslHandshake: the client says by which SASL mechanism it will log in (KIP-43).
//!
//! The first request on a listener with SASL, save for ApiVersions; any other listener answers ILLEGAL_SASL_STATE. A
//! mechanism that the broker lacks ends the connection after the answer. To renew its login a client begins here again.
//!
//! - v1: The mechanism's messages follow in SaslAuthenticate; after v0 they come bare, each with its length (KIP-152).
//!
//! Generated from `messages/schema/017-sasl-handshake.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SaslHandshakeRequest {
    /// `PLAIN`, `SCRAM-SHA-256` and the like.
    pub mechanism: String,
}

impl Message for SaslHandshakeRequest {
    const NAME: &'static str = "SaslHandshakeRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { mechanism: from.string()? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.mechanism)?;
        Ok(())
    }
}

impl Request for SaslHandshakeRequest {
    const API_KEY: i16 = 17;
    type Response = SaslHandshakeResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SaslHandshakeResponse {
    pub error_code: i16,
    /// What the listener offers, with or without an error.
    pub mechanisms: Vec<String>,
}

impl Message for SaslHandshakeResponse {
    const NAME: &'static str = "SaslHandshakeResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { error_code: from.i16()?, mechanisms: from.array(2, Decoder::string)? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.error_code);
        into.array(&self.mechanisms, |into, each| into.string(each))?;
        Ok(())
    }
}

impl Response for SaslHandshakeResponse {
    const API_KEY: i16 = 17;
    type Request = SaslHandshakeRequest;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for SaslHandshakeRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("mechanism", &self.mechanism);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("mechanism", &mut this.mechanism)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for SaslHandshakeResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("mechanisms", &self.mechanisms);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("mechanisms", &mut this.mechanisms)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
