//! ExpireDelegationToken: sets the end of a token anew, or ends it at once; for its owner and its renewers (KIP-48).
//!
//! - v2: Flexible.
//!
//! Generated from `messages/schema/040-expire-delegation-token.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ExpireDelegationTokenRequest {
    /// Says which token.
    pub hmac: Bytes,
    /// From now on, in ms, cut to the token's `max_timestamp`; negative: it is gone at once.
    pub expiry_time_period_ms: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ExpireDelegationTokenRequest {
    const NAME: &'static str = "ExpireDelegationTokenRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { hmac: from.bytes()?, expiry_time_period_ms: from.i64()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.bytes(&self.hmac)?;
        into.i64(self.expiry_time_period_ms);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for ExpireDelegationTokenRequest {
    const API_KEY: i16 = 40;
    type Response = ExpireDelegationTokenResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ExpireDelegationTokenResponse {
    pub error_code: i16,
    /// The new end, in ms since 1970.
    pub expiry_timestamp_ms: i64,
    pub throttle_time_ms: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ExpireDelegationTokenResponse {
    const NAME: &'static str = "ExpireDelegationTokenResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            error_code: from.i16()?,
            expiry_timestamp_ms: from.i64()?,
            throttle_time_ms: from.i32()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.error_code);
        into.i64(self.expiry_timestamp_ms);
        into.i32(self.throttle_time_ms);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for ExpireDelegationTokenResponse {
    const API_KEY: i16 = 40;
    type Request = ExpireDelegationTokenRequest;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ExpireDelegationTokenRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("hmac", &self.hmac);
            object.put("expiryTimePeriodMs", &self.expiry_time_period_ms);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("hmac", &mut this.hmac)?;
            fields.read("expiryTimePeriodMs", &mut this.expiry_time_period_ms)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ExpireDelegationTokenResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("expiryTimestampMs", &self.expiry_timestamp_ms);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("expiryTimestampMs", &mut this.expiry_timestamp_ms)?;
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
