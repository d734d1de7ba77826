//! ListOffsets (key 2), versions 1-11.
//!
//! Where a log begins and ends, and which record is the first not older than a time. Special times: -1 the end, -2 the
//! start, -3 the record with the largest timestamp, -4 the start of what is stored locally (the start, without tiered
//! storage), -5 the end of what is tiered (nothing), -6 the start of what waits to be tiered (nothing).
//!
//! v2 isolation level, v4 leader epochs, v6 flexible, v7 -3, v8 -4, v9 -5, v11 -6. A special time at a version before it
//! is UNSUPPORTED_VERSION.

use thalweg_log::log::{Found, TimeSearch};
use thalweg_log::segment::SegmentError;
use thalweg_messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};
use thalweg_replica::Isolation;
use thalweg_wire::{ErrorCode, LeaderEpoch, Offset, PartitionIndex, Timestamp};

use super::by_partition::ByPartition;
use super::{Api, Close, answerable};
use crate::broker::Shared;
use crate::partition::EpochError;

/// The versions served.
pub const API: Api = Api::new(2, 1..=11);

/// A consumer, by its replica id; anybody else sees up to the log's end.
const CONSUMER: i32 = -1;

/// Answers.
pub async fn handle(shared: &Shared, request: ListOffsetsRequest, version: i16) -> Result<ListOffsetsResponse, Close> {
    let isolation = match (request.replica_id.0, request.isolation_level) {
        (_, ..=-1 | 2..) => Err(ErrorCode::UnknownServerError),
        (CONSUMER, 1) => Ok(Isolation::TxnCommitted),
        (CONSUMER, _) => Ok(Isolation::HighWatermark),
        _ => Ok(Isolation::LogEnd),
    };
    let mut wanted = ByPartition::new();
    for topic in request.topics {
        let place = wanted.topic(answerable(topic.name.into())?.into_owned());
        for partition in topic.partitions {
            let index = partition.partition_index;
            if wanted.put(place, index, (index, Ok(partition))).is_some() {
                wanted.put(place, index, (index, Err(ErrorCode::InvalidRequest)));
            }
        }
    }
    let (topics, wanted) = wanted.finish();
    let mut wanted = wanted.into_iter();
    let mut answers = Vec::with_capacity(topics.len());
    for topic in topics {
        let mut partitions = Vec::with_capacity(topic.partitions);
        for (index, wanted) in wanted.by_ref().take(topic.partitions) {
            let found = match (wanted, isolation) {
                (Ok(wanted), Ok(isolation)) => find(shared, &topic.key, &wanted, isolation, version).await,
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
            partitions.push(found.unwrap_or_else(|error| refused(index, error)));
        }
        answers.push(ListOffsetsTopicResponse { partitions, name: topic.key, ..Default::default() });
    }
    Ok(ListOffsetsResponse { topics: answers, ..ListOffsetsResponse::default() })
}

async fn find(
    shared: &Shared,
    topic: &str,
    wanted: &ListOffsetsPartition,
    isolation: Isolation,
    version: i16,
) -> Result<ListOffsetsPartitionResponse, ErrorCode> {
    if !matches!((wanted.timestamp, version), (-2.., _) | (-3, 7..) | (-4, 8..) | (-5, 9..) | (-6, 11..)) {
        return Err(ErrorCode::UnsupportedVersion);
    }
    let partition = shared.leader_of_named(topic, wanted.partition_index).await?;
    let marks = partition.marks_at(wanted.current_leader_epoch).map_err(|error| match error {
        EpochError::Fenced => ErrorCode::FencedLeaderEpoch,
        EpochError::Unknown => ErrorCode::UnknownLeaderEpoch,
    })?;
    if partition.is_offline() {
        return Err(ErrorCode::KafkaStorageError);
    }
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
    Ok(match wanted.timestamp {
        -1 => place(end, Timestamp::NONE, marks.epoch),
        -2 | -4 => place(marks.log_start, Timestamp::NONE, partition.epoch_at(marks.log_start)),
        -3 => search(shared, partition.search(isolation), TimeSearch::newest)
            .await?
            .map_or_else(nothing, |found| place(found.offset, found.timestamp, found.epoch)),
        ..0 => nothing(),
        time => {
            let at = Timestamp::from_millis(time);
            search(shared, partition.search(isolation), move |search| search.first_not_before(at))
                .await?
                .map_or_else(nothing, |found| place(found.offset, found.timestamp, found.epoch))
        }
    })
}

/// Searches, where one may block if there are files to search in.
async fn search(
    shared: &Shared,
    search: TimeSearch,
    how: impl FnOnce(&TimeSearch) -> Result<Option<Found>, SegmentError> + Send + 'static,
) -> Result<Option<Found>, ErrorCode> {
    let outcome = if search.blocks() { shared.world.offload(move || how(&search)).await } else { how(&search) };
    outcome.map_err(|error| {
        tracing::error!(%error, "records can't be read");
        ErrorCode::CorruptMessage
    })
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
