//! FindCoordinator (key 10), versions 0-6.
//!
//! Groups, transactions and share groups aren't served yet, and this says so in the words that clients understand: a
//! group's coordinator is not available (clients ask again), and no transactional id is allowed. librdkafka takes a broker
//! without this API for one that is too old for lz4.
//!
//! v1 types of keys, and messages; v3 flexible; v4 many keys; v6 keys of share partitions.

use thalweg_messages::find_coordinator::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse};
use thalweg_wire::{BrokerId, ErrorCode, Uuid};

use super::Api;

/// The versions served.
pub const API: Api = Api::new(10, 0..=6);

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;

/// From this version on keys come in a list, and answers with them.
const LISTS_FROM: i16 = 4;

/// From this version on share partitions have coordinators.
const SHARE_FROM: i16 = 6;

/// Kafka's words for INVALID_REQUEST.
const INVALID: &str = "This most likely occurs because of a request being malformed by the client library or the \
                       message was sent to an incompatible broker. See the broker logs for more details.";

/// Answers.
pub fn handle(request: FindCoordinatorRequest, version: i16) -> FindCoordinatorResponse {
    let kind = request.key_type;
    if version < LISTS_FROM {
        let error = look(kind, &request.key, version);
        return FindCoordinatorResponse {
            error_code: error.code(),
            error_message: Some(message(error).to_owned()),
            node_id: BrokerId::NONE,
            port: -1,
            ..FindCoordinatorResponse::default()
        };
    }
    let coordinators = request.coordinator_keys.into_iter().map(|key| {
        let error = look(kind, &key, version);
        // In a list Kafka has words for unknown types only.
        let words = if (GROUP..=SHARE).contains(&kind) { "" } else { message(error) };
        Coordinator {
            key,
            node_id: BrokerId::NONE,
            port: -1,
            error_code: error.code(),
            error_message: Some(words.to_owned()),
            ..Coordinator::default()
        }
    });
    FindCoordinatorResponse { coordinators: coordinators.collect(), ..FindCoordinatorResponse::default() }
}

/// Why there is no coordinator.
fn look(kind: i8, key: &str, version: i16) -> ErrorCode {
    match kind {
        GROUP => ErrorCode::CoordinatorNotAvailable,
        TRANSACTION => ErrorCode::TransactionalIdAuthorizationFailed,
        SHARE if version >= SHARE_FROM && is_share_partition(key) => ErrorCode::CoordinatorNotAvailable,
        _ => ErrorCode::InvalidRequest,
    }
}

fn message(error: ErrorCode) -> &'static str {
    match error {
        ErrorCode::CoordinatorNotAvailable => "The coordinator is not available.",
        ErrorCode::TransactionalIdAuthorizationFailed => "Transactional Id authorization failed.",
        _ => INVALID,
    }
}

/// `group:topic id:partition`.
fn is_share_partition(key: &str) -> bool {
    let parts: Vec<&str> = key.splitn(4, ':').collect();
    let [group, topic, partition] = parts[..] else { return false };
    !group.is_empty() && topic.parse::<Uuid>().is_ok() && partition.parse::<i32>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_partition_has_a_group_a_topic_and_a_number() {
        assert!(is_share_partition("g:AQIDBAUGBwgJCgsMDQ4PEA:0"));
        for bad in ["", "g", ":AQIDBAUGBwgJCgsMDQ4PEA:0", "g:x:0", "g:AQIDBAUGBwgJCgsMDQ4PEA:x", "a:b:c:d"] {
            assert!(!is_share_partition(bad), "{bad}");
        }
    }
}
