//! GetTelemetrySubscriptions: a client asks which of its own metrics the operators want, and how often (KIP-714).
//!
//! It asks before its first PushTelemetry, and again when one is answered with UNKNOWN_SUBSCRIPTION_ID. A broker that
//! has no use for the metrics does not advertise it.
//!
//! Generated from `messages/schema/071-get-telemetry-subscriptions.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GetTelemetrySubscriptionsRequest {
    /// The null id in the first request.
    pub client_instance_id: Uuid,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for GetTelemetrySubscriptionsRequest {
    const NAME: &'static str = "GetTelemetrySubscriptionsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { client_instance_id: from.uuid()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.uuid(self.client_instance_id);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for GetTelemetrySubscriptionsRequest {
    const API_KEY: i16 = 71;
    type Response = GetTelemetrySubscriptionsResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GetTelemetrySubscriptionsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// Drawn by the broker for a client that had none.
    pub client_instance_id: Uuid,
    /// Another one as soon as something else is wanted.
    pub subscription_id: i32,
    /// 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd; the best first.
    pub accepted_compression_types: Vec<i8>,
    pub push_interval_ms: i32,
    /// Of one push, compressed.
    pub telemetry_max_bytes: i32,
    /// Counters tell what came since the last push; else, since the client began.
    pub delta_temporality: bool,
    /// What their names begin with; empty: none; a lone `*` or empty string: all.
    pub requested_metrics: Vec<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for GetTelemetrySubscriptionsResponse {
    const NAME: &'static str = "GetTelemetrySubscriptionsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: from.i16()?,
            client_instance_id: from.uuid()?,
            subscription_id: from.i32()?,
            accepted_compression_types: from.array(1, Decoder::i8)?,
            push_interval_ms: from.i32()?,
            telemetry_max_bytes: from.i32()?,
            delta_temporality: from.bool()?,
            requested_metrics: from.array(1, Decoder::string)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        into.uuid(self.client_instance_id);
        into.i32(self.subscription_id);
        into.plain_array(&self.accepted_compression_types, |into, each| into.i8(*each))?;
        into.i32(self.push_interval_ms);
        into.i32(self.telemetry_max_bytes);
        into.bool(self.delta_temporality);
        into.array(&self.requested_metrics, |into, each| into.string(each))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for GetTelemetrySubscriptionsResponse {
    const API_KEY: i16 = 71;
    type Request = GetTelemetrySubscriptionsRequest;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for GetTelemetrySubscriptionsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("clientInstanceId", &self.client_instance_id);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("clientInstanceId", &mut this.client_instance_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for GetTelemetrySubscriptionsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            object.put("clientInstanceId", &self.client_instance_id);
            object.put("subscriptionId", &self.subscription_id);
            object.put("acceptedCompressionTypes", &self.accepted_compression_types);
            object.put("pushIntervalMs", &self.push_interval_ms);
            object.put("telemetryMaxBytes", &self.telemetry_max_bytes);
            object.put("deltaTemporality", &self.delta_temporality);
            object.put("requestedMetrics", &self.requested_metrics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("clientInstanceId", &mut this.client_instance_id)?;
            fields.read("subscriptionId", &mut this.subscription_id)?;
            fields.read("acceptedCompressionTypes", &mut this.accepted_compression_types)?;
            fields.read("pushIntervalMs", &mut this.push_interval_ms)?;
            fields.read("telemetryMaxBytes", &mut this.telemetry_max_bytes)?;
            fields.read("deltaTemporality", &mut this.delta_temporality)?;
            fields.read("requestedMetrics", &mut this.requested_metrics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
