//! DescribeQuorum (key 55), versions 0-2.
//!
//! Who agrees on the cluster's metadata, and how far each has come, in the words of Kafka's own metadata log: its offsets
//! are indexes of ours, its epoch is the term. That log is the partition 0 of `__cluster_metadata`; if anything else is
//! asked for, nothing is told of any.
//!
//! v1 when a replica fetched last, and when it had all (KIP-836), v2 directories of the voters, and where they are found
//! (KIP-853): no voter listens for others yet.

use thalweg_messages::describe_quorum::{
    DescribeQuorumRequest, DescribeQuorumResponse, DescribeQuorumResponsePartitionData as PartitionData,
    DescribeQuorumResponseTopicData as TopicData, Node, ReplicaState,
};
use thalweg_quorum::Membership;
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, PartitionIndex, Uuid};

use super::{Api, Close, answerable, resource};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(55, 0..=2);

/// The first version that has room for where voters are.
const PLACES_FROM: i16 = 2;

const METADATA_TOPIC: &str = "__cluster_metadata";

/// Answers.
pub fn handle(shared: &Shared, request: DescribeQuorumRequest, version: i16) -> Result<DescribeQuorumResponse, Close> {
    let asked = request.topics.iter().flat_map(|topic| &topic.partitions).count();
    resource::check_partitions(shared, asked)?;
    let is_the_log = match request.topics.as_slice() {
        [topic] => topic.topic_name == METADATA_TOPIC && topic.partitions.iter().all(|p| p.partition_index.0 == 0),
        _ => false,
    };
    let quorum = (is_the_log && asked == 1).then(|| shared.cluster.membership());
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let partitions = topic.partitions.iter().map(|partition| match &quorum {
            Some(quorum) => described(shared, quorum, version),
            None => unknown(partition.partition_index),
        });
        let (topic_name, partitions) = (answerable(topic.topic_name.into())?.into_owned(), partitions.collect());
        topics.push(TopicData { topic_name, partitions, ..TopicData::default() });
    }
    let voters = quorum.iter().filter(|_| version >= PLACES_FROM).flat_map(|quorum| &quorum.voters);
    let nodes = voters.map(|voter| Node { node_id: voter.node, ..Node::default() }).collect();
    Ok(DescribeQuorumResponse { topics, nodes, error_message: Some(String::new()), ..Default::default() })
}

fn described(shared: &Shared, quorum: &Membership, version: i16) -> PartitionData {
    // One voter has what it has committed; entries behind it are on their way to its disk.
    let end = Offset(shared.cluster.applied_index().saturating_add(1));
    let now = shared.world.clock.wall().millis();
    let voters = quorum.voters.iter().map(|voter| ReplicaState {
        replica_id: voter.node,
        replica_directory_id: if version >= PLACES_FROM { voter.directory } else { Uuid::ZERO },
        log_end_offset: end,
        last_fetch_timestamp: now,
        last_caught_up_timestamp: now,
        ..ReplicaState::default()
    });
    PartitionData {
        leader_id: quorum.leader.map_or(BrokerId::NONE, |leader| leader.node),
        leader_epoch: LeaderEpoch(i32::try_from(quorum.term.0).unwrap_or(i32::MAX)),
        high_watermark: end,
        current_voters: voters.collect(),
        error_message: Some(String::new()),
        ..PartitionData::default()
    }
}

fn unknown(partition_index: PartitionIndex) -> PartitionData {
    PartitionData {
        partition_index,
        error_code: ErrorCode::UnknownTopicOrPartition.code(),
        error_message: Some("This server does not host this topic-partition.".to_owned()),
        ..PartitionData::default()
    }
}
