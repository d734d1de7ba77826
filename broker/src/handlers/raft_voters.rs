//! AddRaftVoter (key 80), versions 0-1, and RemoveRaftVoter (key 81), version 0 (KIP-853).
//!
//! Who votes on the cluster's metadata: this node, and nobody else so far, as in a Kafka whose voters were fixed when it
//! was formatted.
//!
//! AddRaftVoter: v1 answers before the change is committed, if asked to.

use thalweg_messages::add_raft_voter::{AddRaftVoterRequest, AddRaftVoterResponse};
use thalweg_messages::remove_raft_voter::{RemoveRaftVoterRequest, RemoveRaftVoterResponse};
use thalweg_wire::ErrorCode;

use super::{Api, in_an_answer};
use crate::broker::Shared;

/// The versions served of AddRaftVoter.
pub const ADD: Api = Api::new(80, 0..=1);
/// The versions served of RemoveRaftVoter.
pub const REMOVE: Api = Api::new(81, 0..=0);

/// Answers AddRaftVoter.
pub fn add(shared: &Shared, request: &AddRaftVoterRequest) -> AddRaftVoterResponse {
    let (error_code, error_message) = refusal(shared, request.cluster_id.as_deref(), "adding");
    AddRaftVoterResponse { error_code, error_message, ..AddRaftVoterResponse::default() }
}

/// Answers RemoveRaftVoter.
pub fn remove(shared: &Shared, request: &RemoveRaftVoterRequest) -> RemoveRaftVoterResponse {
    let (error_code, error_message) = refusal(shared, request.cluster_id.as_deref(), "removing");
    RemoveRaftVoterResponse { error_code, error_message, ..RemoveRaftVoterResponse::default() }
}

fn refusal(shared: &Shared, cluster: Option<&str>, doing: &str) -> (i16, Option<String>) {
    let own = shared.cluster.cluster_id();
    let (code, message) = match cluster {
        Some(other) if other != own => {
            let message = format!("The given id \"{other}\" doesn't match the cluster id \"{own}\"");
            (ErrorCode::InconsistentClusterId, message)
        }
        _ => {
            let message = format!("Cluster doesn't support {doing} voter because the kraft.version feature is 0");
            (ErrorCode::UnsupportedVersion, message)
        }
    };
    (code.code(), Some(in_an_answer(message)))
}
