//! SaslAuthenticate: one message of a SASL mechanism to the broker, and the broker's reply to it (KIP-152).
//!
//! Follows SaslHandshake v1, as often as the mechanism needs it. A login that fails is answered with
//! SASL_AUTHENTICATION_FAILED, and the connection ends.
//!
//! - v1: How long the login lasts; the client renews it on the same connection (KIP-368).
//! - v2: Flexible.
//!
//! Generated from `messages/schema/036-sasl-authenticate.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SaslAuthenticateRequest {
    /// As the mechanism has it.
    pub auth_bytes: Bytes,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for SaslAuthenticateRequest {
    const NAME: &'static str = "SaslAuthenticateRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { auth_bytes: from.bytes()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.bytes(&self.auth_bytes)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for SaslAuthenticateRequest {
    const API_KEY: i16 = 36;
    type Response = SaslAuthenticateResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct SaslAuthenticateResponse {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub auth_bytes: Bytes,
    /// In ms from now; 0: it has no end, or the login is not done yet. (v1+)
    pub session_lifetime_ms: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for SaslAuthenticateResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(String::new()),
            auth_bytes: Bytes::new(),
            session_lifetime_ms: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for SaslAuthenticateResponse {
    const NAME: &'static str = "SaslAuthenticateResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            auth_bytes: from.bytes()?,
            session_lifetime_ms: if version >= 1 { from.i64()? } else { 0 },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.bytes(&self.auth_bytes)?;
        if version >= 1 {
            into.i64(self.session_lifetime_ms);
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for SaslAuthenticateResponse {
    const API_KEY: i16 = 36;
    type Request = SaslAuthenticateRequest;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for SaslAuthenticateRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("authBytes", &self.auth_bytes);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("authBytes", &mut this.auth_bytes)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for SaslAuthenticateResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("authBytes", &self.auth_bytes);
            if version >= 1 {
                object.put("sessionLifetimeMs", &self.session_lifetime_ms);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("authBytes", &mut this.auth_bytes)?;
            fields.read("sessionLifetimeMs", &mut this.session_lifetime_ms)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
