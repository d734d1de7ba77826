//! AlterPartitionReassignments (key 45), versions 0-1.
//!
//! Asks that a partition have other replicas, or that a move be given up (KIP-455). With one node there is one place for
//! each, so a request either asks for what is, or names brokers that don't exist; nothing ever moves, and there is
//! nothing to give up.
//!
//! v1 a move that would change the number of replicas can be refused.

use std::collections::HashSet;

use thalweg_coordinators::cluster::Image;
use thalweg_messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ReassignablePartition,
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use thalweg_wire::{BrokerId, ErrorCode};

use super::{Api, Close, answerable, in_an_answer, in_short, resource};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(45, 0..=1);

type Refusal = (ErrorCode, Option<String>);

/// Answers.
pub fn handle(
    shared: &Shared,
    request: AlterPartitionReassignmentsRequest,
) -> Result<AlterPartitionReassignmentsResponse, Close> {
    resource::check_partitions(shared, request.topics.iter().map(|topic| topic.partitions.len().max(1)).sum())?;
    let image = shared.cluster.image();
    let mut responses = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let name = answerable(topic.name.into())?.into_owned();
        let partitions = topic.partitions.iter().map(|partition| {
            let (error_code, error_message) = match check(&image, &name, partition) {
                Ok(()) => (0, None),
                Err((code, message)) => (code.code(), message.map(in_an_answer)),
            };
            let partition_index = partition.partition_index;
            ReassignablePartitionResponse { partition_index, error_code, error_message, ..Default::default() }
        });
        let partitions = partitions.collect();
        responses.push(ReassignableTopicResponse { name, partitions, ..ReassignableTopicResponse::default() });
    }
    Ok(AlterPartitionReassignmentsResponse {
        allow_replication_factor_change: request.allow_replication_factor_change,
        // Kafka has a message where nothing is asked, and none otherwise.
        error_message: responses.is_empty().then(String::new),
        responses,
        ..AlterPartitionReassignmentsResponse::default()
    })
}

/// Kafka's order and words (`ReplicationControlManager.alterPartitionReassignment`).
fn check(image: &Image, name: &str, wanted: &ReassignablePartition) -> Result<(), Refusal> {
    let unknown = |message: String| (ErrorCode::UnknownTopicOrPartition, Some(message));
    let topic = image.topic(name);
    let name = in_short(name);
    let topic = topic.ok_or_else(|| unknown(format!("Unable to find a topic named {name}.")))?;
    let index = wanted.partition_index;
    let partition = topic.partition(index);
    partition.ok_or_else(|| unknown(format!("Unable to find partition {name}:{index}.")))?;
    let Some(replicas) = &wanted.replicas else { return Err((ErrorCode::NoReassignmentInProgress, None)) };
    let refused = |what: String| {
        let message = format!("The manual partition assignment includes {what}");
        Err((ErrorCode::InvalidReplicaAssignment, Some(message)))
    };
    if replicas.is_empty() {
        return refused("an empty replica list.".to_owned());
    }
    let mut sorted = replicas.clone();
    sorted.sort_unstable();
    let mut seen: HashSet<BrokerId> = HashSet::new();
    for replica in sorted {
        if image.broker(replica).is_none() {
            return refused(format!("broker {replica}, but no such broker is registered."));
        }
        if !seen.insert(replica) {
            return refused(format!("the broker {replica} more than once."));
        }
    }
    // One broker is registered, so this is where the partition is.
    Ok(())
}
