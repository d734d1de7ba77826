//! InitProducerId (key 22), versions 0-5.
//!
//! Gives a producer an id of its own, with epoch 0, by which repeated batches are known. Any broker does. An id is durably
//! taken before it is told, so a restart never gives it to somebody else.
//!
//! Transactions aren't served: a transactional id is refused as elsewhere (TRANSACTIONAL_ID_AUTHORIZATION_FAILED).
//!
//! v1 throttle time, v2 flexible, v3 the producer tells what it has (KIP-360; only a transactional one is given the same
//! again), v4 PRODUCER_FENCED, v5 TRANSACTION_ABORTABLE.

use thalweg_messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use thalweg_wire::{ErrorCode, ProducerEpoch, ProducerId};

use super::Api;
use crate::broker::Shared;

/// The versions served. Kafka has a v6 that it doesn't offer yet.
pub const API: Api = Api::new(22, 0..=5);

/// Answers.
pub async fn handle(shared: &Shared, request: InitProducerIdRequest) -> InitProducerIdResponse {
    match given(shared, &request).await {
        Ok(producer_id) => InitProducerIdResponse {
            producer_id,
            producer_epoch: ProducerEpoch(0),
            ..InitProducerIdResponse::default()
        },
        Err(code) => InitProducerIdResponse {
            error_code: code.code(),
            producer_id: ProducerId::NONE,
            producer_epoch: ProducerEpoch::NONE,
            ..InitProducerIdResponse::default()
        },
    }
}

async fn given(shared: &Shared, request: &InitProducerIdRequest) -> Result<ProducerId, ErrorCode> {
    match request.transactional_id.as_deref() {
        Some("") => return Err(ErrorCode::InvalidRequest),
        Some(_) => return Err(ErrorCode::TransactionalIdAuthorizationFailed),
        None => {}
    }
    // An id without an epoch, or the reverse, is nothing that a producer can have.
    if (request.producer_id == ProducerId::NONE) != (request.producer_epoch == ProducerEpoch::NONE) {
        return Err(ErrorCode::InvalidRequest);
    }
    shared.producer_ids.next(&shared.cluster).await
}
