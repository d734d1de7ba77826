//! PushTelemetry: a client hands over the metrics that GetTelemetrySubscriptions asked for (KIP-714).
//!
//! Before its time: THROTTLING_QUOTA_EXCEEDED. Too large: TELEMETRY_TOO_LARGE. With a subscription that has changed
//! since: UNKNOWN_SUBSCRIPTION_ID, and the client asks anew.
//!
//! Generated from `messages/schema/072-push-telemetry.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PushTelemetryRequest {
    pub client_instance_id: Uuid,
    pub subscription_id: i32,
    /// The last one, which need not wait for its time.
    pub terminating: bool,
    /// 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
    pub compression_type: i8,
    /// OpenTelemetry's MetricsData, v1, as protobuf.
    pub metrics: Bytes,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for PushTelemetryRequest {
    const NAME: &'static str = "PushTelemetryRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            client_instance_id: from.uuid()?,
            subscription_id: from.i32()?,
            terminating: from.bool()?,
            compression_type: from.i8()?,
            metrics: from.bytes()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.uuid(self.client_instance_id);
        into.i32(self.subscription_id);
        into.bool(self.terminating);
        into.i8(self.compression_type);
        into.bytes(&self.metrics)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for PushTelemetryRequest {
    const API_KEY: i16 = 72;
    type Response = PushTelemetryResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PushTelemetryResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for PushTelemetryResponse {
    const NAME: &'static str = "PushTelemetryResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { throttle_time_ms: from.i32()?, error_code: from.i16()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for PushTelemetryResponse {
    const API_KEY: i16 = 72;
    type Request = PushTelemetryRequest;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for PushTelemetryRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("clientInstanceId", &self.client_instance_id);
            object.put("subscriptionId", &self.subscription_id);
            object.put("terminating", &self.terminating);
            object.put("compressionType", &self.compression_type);
            object.put("metrics", &self.metrics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("clientInstanceId", &mut this.client_instance_id)?;
            fields.read("subscriptionId", &mut this.subscription_id)?;
            fields.read("terminating", &mut this.terminating)?;
            fields.read("compressionType", &mut this.compression_type)?;
            fields.read("metrics", &mut this.metrics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for PushTelemetryResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
