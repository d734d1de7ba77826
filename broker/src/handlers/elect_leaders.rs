//! ElectLeaders (key 43), versions 0-2.
//!
//! Asks that a partition's preferred replica lead it, or that any lead one that nobody leads (KIP-460). One node leads all
//! that it has, so nothing is ever to be done: who names a partition is told so, who asks for all (null) gets every topic
//! without one. Who leaves no time for it is told that it is over, as in Kafka.
//!
//! v1 unclean elections and an error for the request (KIP-460), v2 flexible.

use std::ops::RangeInclusive;

use thalweg_coordinators::cluster::Image;
use thalweg_messages::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult, TopicPartitions,
};
use thalweg_wire::{ErrorCode, PartitionIndex};

use super::{Api, Close, answerable, in_an_answer, in_short, resource};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(43, 0..=2);

/// The preferred replica (0), or any (1).
const KINDS: RangeInclusive<i8> = 0..=1;

/// Answers.
pub fn handle(shared: &Shared, request: ElectLeadersRequest, version: i16) -> Result<ElectLeadersResponse, Close> {
    let image = shared.cluster.image();
    let refused = if request.timeout_ms <= 0 {
        Some((ErrorCode::RequestTimedOut, None))
    } else if !KINDS.contains(&request.election_type) {
        Some((ErrorCode::InvalidRequest, Some(format!("Unknown election type {}", request.election_type))))
    } else {
        None
    };
    let topics = match (request.topic_partitions, &refused) {
        (Some(topics), _) => topics,
        (None, Some(_)) => Vec::new(),
        (None, None) => image.topics().map(|topic| named(topic.name())).collect(),
    };
    resource::check_partitions(shared, topics.iter().map(|topic| topic.partitions.len().max(1)).sum())?;
    let mut replica_election_results = Vec::with_capacity(topics.len());
    for topic in topics {
        let name = answerable(topic.topic.into())?.into_owned();
        let partitions = topic.partitions.into_iter();
        let partition_result = partitions.map(|partition_id| {
            let (code, message) = refused.clone().unwrap_or_else(|| outcome(&image, &name, partition_id));
            PartitionResult {
                partition_id,
                error_code: code.code(),
                error_message: message.map(in_an_answer),
                ..PartitionResult::default()
            }
        });
        let partition_result = partition_result.collect();
        replica_election_results.push(ReplicaElectionResult { topic: name, partition_result, ..Default::default() });
    }
    let error_code = refused.filter(|_| version >= 1).map_or(0, |(code, _)| code.code());
    Ok(ElectLeadersResponse { error_code, replica_election_results, ..ElectLeadersResponse::default() })
}

fn named(topic: &str) -> TopicPartitions {
    TopicPartitions { topic: topic.to_owned(), partitions: Vec::new(), ..TopicPartitions::default() }
}

fn outcome(image: &Image, name: &str, index: PartitionIndex) -> (ErrorCode, Option<String>) {
    let topic = image.topic(name);
    let name = in_short(name);
    let (code, message) = match topic.map(|topic| topic.partition(index)) {
        None => (ErrorCode::UnknownTopicOrPartition, format!("No such topic as {name}")),
        Some(None) => (ErrorCode::UnknownTopicOrPartition, format!("No such partition as {name}-{index}")),
        Some(Some(_)) => (ErrorCode::ElectionNotNeeded, "Leader election not needed for topic partition.".to_owned()),
    };
    (code, Some(message))
}
