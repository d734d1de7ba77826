//! ListOffsets (key 2), versions 1-11.
//!
//! Where a log begins and ends, and which record is the first not older than a time. Special times: -1 the end, -2 the
//! start, -3 the record with the largest timestamp, -4 the start of what is stored locally (the start, without tiered
//! storage), -5 the end of what is tiered (nothing), -6 the start of what waits to be tiered (nothing).
//!
//! v2 isolation level, v4 leader epochs, v6 flexible, v7 -3, v8 -4, v9 -5, v11 -6. A special time at a version before it
//! is UNSUPPORTED_VERSION.

use std::collections::BTreeSet;

use thalweg_messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};
use thalweg_replica::Isolation;
use thalweg_wire::{ErrorCode, LeaderEpoch, Offset, PartitionIndex, Timestamp};

use super::Api;
use crate::broker::Shared;
use crate::partition::{EpochError, Partition};

/// The versions served.
pub const API: Api = Api::new(2, 1..=11);

/// A consumer, by its replica id; anybody else sees up to the log's end.
const CONSUMER: i32 = -1;

/// Answers.
pub fn handle(shared: &Shared, request: ListOffsetsRequest, version: i16) -> ListOffsetsResponse {
    let isolation = match (request.replica_id.0, request.isolation_level) {
        (CONSUMER, 1) => Isolation::TxnCommitted,
        (CONSUMER, _) => Isolation::HighWatermark,
        _ => Isolation::LogEnd,
    };
    let mut seen = BTreeSet::new();
    let mut doubled = BTreeSet::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let key = (topic.name.clone(), partition.partition_index);
            if !seen.insert(key.clone()) {
                doubled.insert(key);
            }
        }
    }
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|wanted| {
            if doubled.contains(&(topic.name.clone(), wanted.partition_index)) {
                return refused(wanted.partition_index, ErrorCode::InvalidRequest);
            }
            find(shared, &topic.name, &wanted, isolation, version)
                .unwrap_or_else(|error| refused(wanted.partition_index, error))
        });
        ListOffsetsTopicResponse { partitions: partitions.collect(), name: topic.name.clone(), ..Default::default() }
    });
    ListOffsetsResponse { topics: topics.collect(), ..ListOffsetsResponse::default() }
}

fn find(
    shared: &Shared,
    topic: &str,
    wanted: &ListOffsetsPartition,
    isolation: Isolation,
    version: i16,
) -> Result<ListOffsetsPartitionResponse, ErrorCode> {
    let partition = shared.leader_of_named(topic, wanted.partition_index)?;
    let marks = partition.marks_at(wanted.current_leader_epoch).map_err(|error| match error {
        EpochError::Fenced => ErrorCode::FencedLeaderEpoch,
        EpochError::Unknown => ErrorCode::UnknownLeaderEpoch,
    })?;
    let place = |offset: Offset, timestamp: Timestamp, epoch: LeaderEpoch| ListOffsetsPartitionResponse {
        partition_index: wanted.partition_index,
        error_code: 0,
        timestamp: timestamp.millis(),
        offset,
        leader_epoch: if version >= 4 { epoch } else { LeaderEpoch::NONE },
        ..ListOffsetsPartitionResponse::default()
    };
    let nothing = || place(Offset(-1), Timestamp::NONE, LeaderEpoch::NONE);
    let end = match isolation {
        Isolation::LogEnd => partition.log_end(),
        Isolation::HighWatermark => marks.high_watermark,
        Isolation::TxnCommitted => marks.last_stable_offset,
    };
    match (wanted.timestamp, version) {
        (-1, _) => Ok(place(end, Timestamp::NONE, marks.epoch)),
        (-2, _) | (-4, 8..) => {
            Ok(place(marks.log_start, Timestamp::NONE, epoch_of_start(&partition, marks.log_start, end)))
        }
        (-3, 7..) => Ok(partition
            .find_max_time(isolation)
            .map_or_else(nothing, |found| place(found.offset, found.timestamp, found.epoch))),
        (-5, 9..) | (-6, 11..) => Ok(nothing()),
        (0.., _) => Ok(partition
            .find_time(Timestamp::from_millis(wanted.timestamp), isolation)
            .map_or_else(nothing, |found| place(found.offset, found.timestamp, found.epoch))),
        _ => Err(ErrorCode::UnsupportedVersion),
    }
}

/// The epoch of the first record; unknown in an empty log.
fn epoch_of_start(partition: &Partition, start: Offset, end: Offset) -> LeaderEpoch {
    if start < end { partition.epoch_at(start) } else { LeaderEpoch::NONE }
}

fn refused(partition_index: PartitionIndex, error: ErrorCode) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse {
        partition_index,
        error_code: error.code(),
        timestamp: -1,
        offset: Offset(-1),
        leader_epoch: LeaderEpoch::NONE,
        ..ListOffsetsPartitionResponse::default()
    }
}
