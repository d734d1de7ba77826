//! OffsetForLeaderEpoch (key 23), versions 2-4.
//!
//! Where a leader epoch ends: a consumer that fetched under an older leader finds out how much of what it read still
//! stands (KIP-320). The newest epoch ends at the log's end, an older one where the next that has records begins; of one
//! that is newer than all the answer is -1.
//!
//! v3 who asks, v4 flexible.

use thalweg_messages::offset_for_leader_epoch::{
    EpochEnd, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderTopicResult,
};
use thalweg_wire::{ErrorCode, LeaderEpoch, Offset, PartitionIndex};

use super::by_partition::ByPartition;
use super::{Api, Close, answerable};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(23, 2..=4);

/// Answers.
pub async fn handle(
    shared: &Shared,
    request: OffsetForLeaderEpochRequest,
) -> Result<OffsetForLeaderEpochResponse, Close> {
    let mut wanted = ByPartition::new();
    for topic in request.topics {
        let place = wanted.topic(answerable(topic.topic.into())?.into_owned());
        for partition in topic.partitions {
            wanted.put(place, partition.partition, partition);
        }
    }
    let (topics, wanted) = wanted.finish();
    let mut wanted = wanted.into_iter();
    let mut answers = Vec::with_capacity(topics.len());
    for topic in topics {
        let mut partitions = Vec::with_capacity(topic.partitions);
        for asked in wanted.by_ref().take(topic.partitions) {
            let end = end(shared, &topic.key, asked.partition, asked.current_leader_epoch, asked.leader_epoch).await;
            let (error_code, (leader_epoch, end_offset)) = match end {
                Ok(end) => (0, end),
                Err(code) => (code.code(), UNKNOWN),
            };
            let partition = asked.partition;
            partitions.push(EpochEnd { error_code, partition, leader_epoch, end_offset, ..Default::default() });
        }
        answers.push(OffsetForLeaderTopicResult { topic: topic.key, partitions, ..Default::default() });
    }
    Ok(OffsetForLeaderEpochResponse { topics: answers, ..OffsetForLeaderEpochResponse::default() })
}

/// The answer for an epoch that nobody knows.
const UNKNOWN: (LeaderEpoch, Offset) = (LeaderEpoch::NONE, Offset(-1));

async fn end(
    shared: &Shared,
    topic: &str,
    partition: PartitionIndex,
    current: LeaderEpoch,
    asked: LeaderEpoch,
) -> Result<(LeaderEpoch, Offset), ErrorCode> {
    let partition = shared.leader_of_named(topic, partition).await?;
    let end = partition.end_of_epoch(current, asked).map_err(|error| error.code())?;
    Ok(end.map_or(UNKNOWN, |end| (end.epoch, end.end)))
}
