//! GetTelemetrySubscriptions (key 71) and PushTelemetry (key 72), version 0 of each (KIP-714).
//!
//! Clients that are asked to push metrics of their own: nobody is asked for any here, so neither API is advertised, as in
//! a Kafka without a receiver. Who asks all the same is told so, and what is pushed is dropped as it came, never
//! decompressed. A Kafka remembers clients for this, and throttles who asks again too soon; here nothing is remembered.

use thalweg_messages::get_telemetry_subscriptions::{
    GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse,
};
use thalweg_messages::push_telemetry::{PushTelemetryRequest, PushTelemetryResponse};
use thalweg_wire::{ErrorCode, Uuid};

use super::Api;
use crate::broker::Shared;

/// The versions served of GetTelemetrySubscriptions.
pub const GET: Api = Api { advertised: None, ..Api::new(71, 0..=0) };
/// The versions served of PushTelemetry.
pub const PUSH: Api = Api { advertised: None, ..Api::new(72, 0..=0) };

/// The subscription to nothing.
const NOTHING: i32 = 0;
/// The best first, as Kafka names them: zstd, lz4, gzip, snappy.
const COMPRESSIONS: [i8; 4] = [4, 3, 1, 2];
const UNCOMPRESSED: i8 = 0;
/// Kafka's, for a client without subscriptions.
const INTERVAL_MS: i32 = 300_000;

/// Answers GetTelemetrySubscriptions: a client without an id gets one.
pub fn subscriptions(shared: &Shared, request: &GetTelemetrySubscriptionsRequest) -> GetTelemetrySubscriptionsResponse {
    let client_instance_id = match request.client_instance_id {
        Uuid::ZERO => shared.world.entropy.uuid(),
        known => known,
    };
    GetTelemetrySubscriptionsResponse {
        client_instance_id,
        subscription_id: NOTHING,
        accepted_compression_types: COMPRESSIONS.to_vec(),
        push_interval_ms: INTERVAL_MS,
        telemetry_max_bytes: i32::try_from(shared.settings.requests.telemetry_bytes).unwrap_or(i32::MAX),
        delta_temporality: true,
        ..GetTelemetrySubscriptionsResponse::default()
    }
}

/// Answers PushTelemetry.
pub fn push(shared: &Shared, request: &PushTelemetryRequest) -> PushTelemetryResponse {
    let code = if request.client_instance_id == Uuid::ZERO {
        ErrorCode::InvalidRequest
    } else if request.subscription_id != NOTHING {
        ErrorCode::UnknownSubscriptionId
    } else if !(UNCOMPRESSED..=COMPRESSIONS[0]).contains(&request.compression_type) {
        ErrorCode::UnsupportedCompressionType
    } else if request.metrics.len() > shared.settings.requests.telemetry_bytes {
        ErrorCode::TelemetryTooLarge
    } else {
        ErrorCode::None
    };
    PushTelemetryResponse { error_code: code.code(), ..PushTelemetryResponse::default() }
}
