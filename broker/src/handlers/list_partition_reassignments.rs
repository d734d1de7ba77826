//! ListPartitionReassignments (key 46), version 0.
//!
//! Which partitions are on their way to other replicas (KIP-455): none ever is, with one node.

use thalweg_messages::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};

use super::Api;

/// The versions served.
pub const API: Api = Api::new(46, 0..=0);

/// Answers.
pub fn handle(_: &ListPartitionReassignmentsRequest) -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse { error_message: None, ..ListPartitionReassignmentsResponse::default() }
}
