//! UnregisterBroker (key 64), version 0.
//!
//! Takes a broker that will not come back off the cluster's list. The only one there is answers here, so there is none to
//! take: a Kafka forgets even the broker that is asked, which then serves a cluster that doesn't know it.

use thalweg_messages::unregister_broker::{UnregisterBrokerRequest, UnregisterBrokerResponse};
use thalweg_wire::ErrorCode;

use super::Api;
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(64, 0..=0);

/// Answers.
pub fn handle(shared: &Shared, request: &UnregisterBrokerRequest) -> UnregisterBrokerResponse {
    let id = request.broker_id;
    let is_registered = shared.cluster.look(|image| image.broker(id).is_some());
    let (code, message) = if is_registered {
        (ErrorCode::InvalidRequest, format!("Broker ID {id} is running: stop it before it is unregistered"))
    } else {
        (ErrorCode::BrokerIdNotRegistered, format!("Broker ID {id} is not currently registered"))
    };
    UnregisterBrokerResponse { error_code: code.code(), error_message: Some(message), ..Default::default() }
}
