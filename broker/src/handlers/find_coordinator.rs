//! FindCoordinator (key 10), versions 0-6.
//!
//! Where the coordinator of a group is: this broker. The first who asks makes the topic in which groups are kept.
//! Transactions and share groups aren't served yet, and this says so in the words that clients understand: no transactional
//! id is allowed, and a share group's coordinator is not available.
//!
//! v1 types of keys, and messages; v3 flexible; v4 many keys; v6 keys of share partitions.

use thalweg_messages::find_coordinator::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse};
use thalweg_wire::{BrokerId, ErrorCode, Uuid};

use super::{Api, Head};
use crate::broker::Shared;
use crate::groups;

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
pub async fn handle(shared: &Shared, head: &Head, request: FindCoordinatorRequest) -> FindCoordinatorResponse {
    let (kind, version) = (request.key_type, head.version);
    let has_groups = if kind == GROUP { groups::has_topic(shared).await } else { Ok(()) };
    let here = (shared.settings.node, head.advertised.host.as_str(), i32::from(head.advertised.port));
    let place = |key: &str| match look(kind, key, version).and(has_groups) {
        Ok(()) => (ErrorCode::None, here),
        Err(error) => (error, (BrokerId::NONE, "", -1)),
    };
    if version < LISTS_FROM {
        let (error, (node_id, host, port)) = place(&request.key);
        return FindCoordinatorResponse {
            error_code: error.code(),
            error_message: Some(message(error).to_owned()),
            node_id,
            host: host.to_owned(),
            port,
            ..FindCoordinatorResponse::default()
        };
    }
    let coordinators = request.coordinator_keys.into_iter().map(|key| {
        let (error, (node_id, host, port)) = place(&key);
        // In a list Kafka has words for unknown types only.
        let words = if (GROUP..=SHARE).contains(&kind) { "" } else { message(error) };
        Coordinator {
            key,
            node_id,
            host: host.to_owned(),
            port,
            error_code: error.code(),
            error_message: Some(words.to_owned()),
            ..Coordinator::default()
        }
    });
    FindCoordinatorResponse { coordinators: coordinators.collect(), ..FindCoordinatorResponse::default() }
}

/// Whether there is a coordinator, or why not.
fn look(kind: i8, key: &str, version: i16) -> Result<(), ErrorCode> {
    match kind {
        GROUP => Ok(()),
        TRANSACTION => Err(ErrorCode::TransactionalIdAuthorizationFailed),
        SHARE if version >= SHARE_FROM && is_share_partition(key) => Err(ErrorCode::CoordinatorNotAvailable),
        _ => Err(ErrorCode::InvalidRequest),
    }
}

fn message(error: ErrorCode) -> &'static str {
    match error {
        ErrorCode::None => "NONE",
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
