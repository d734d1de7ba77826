//! DeleteRecords (key 21), versions 0-2.
//!
//! Moves a partition's log start forward; offset -1 means up to the high watermark. Only the leader answers, once the new
//! start is durable: a deleted record must not come back after a crash. Segments that are wholly below go in the
//! background. A start that lies further on already stays, and is the answer.
//!
//! A topic that is compacted and nothing else refuses (POLICY_VIOLATION), the cluster's own topics too
//! (INVALID_TOPIC_EXCEPTION).
//!
//! v1 throttle time, v2 flexible.

use std::sync::Arc;
use std::time::Duration;

use thalweg_log::journal::{Full, Reservation};
use thalweg_log::log::{LOG_START_JOURNAL_BYTES, Mark};
use thalweg_messages::delete_records::{
    DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse, DeleteRecordsTopicResult,
};
use thalweg_wire::{ErrorCode, Offset, PartitionIndex};

use super::by_partition::ByPartition;
use super::{Api, Close, answerable};
use crate::broker::Shared;
use crate::partition::{Durability, Partition};
use crate::settings::Cleanup;
use crate::waiters::{Countdown, Wakes};

/// The versions served.
pub const API: Api = Api::new(21, 0..=2);

/// "Up to the high watermark".
const HIGH_WATERMARK: Offset = Offset(-1);

/// What a deletion waits at least for its own disk; the client's time-out is for other replicas.
const OWN_DISK_PATIENCE: Duration = Duration::from_secs(5);

/// How far a partition's deletion has come.
enum State {
    Wanted(Arc<Partition>, Offset),
    Moved(Arc<Partition>, Offset),
    Refused(ErrorCode),
}

/// Answers.
pub async fn handle(shared: &Shared, request: DeleteRecordsRequest) -> Result<DeleteRecordsResponse, Close> {
    let mut wanted = ByPartition::new();
    for topic in request.topics {
        let place = wanted.topic(answerable(topic.name.clone().into())?.into_owned());
        for partition in topic.partitions {
            let index = partition.partition_index;
            let state = match look_up(shared, &topic.name, index).await {
                Ok(leader) => State::Wanted(leader, partition.offset),
                Err(code) => State::Refused(code),
            };
            wanted.put(place, index, (index, state));
        }
    }
    let (topics, mut partitions) = wanted.finish();
    let countdown = Countdown::new();
    let one = shared.journal.promise_bytes(1, LOG_START_JOURNAL_BYTES);
    let at_once = usize::try_from(shared.journal.piece_bytes() / one).unwrap_or(usize::MAX).max(1);
    for piece in partitions.chunks_mut(at_once) {
        let mut wakes = Wakes::default();
        delete(shared, piece, &countdown, &mut wakes).await;
        shared.partitions.settle(wakes);
    }
    let patience = Duration::from_millis(request.timeout_ms.max(0).unsigned_abs().into()).max(OWN_DISK_PATIENCE);
    let in_time = tokio::select! {
        biased;
        () = countdown.wait() => !countdown.failed(),
        () = shared.world.clock.sleep(patience) => false,
    };
    let mut partitions = partitions.into_iter();
    let answers = topics.into_iter().map(|topic| {
        let own = partitions.by_ref().take(topic.partitions).map(|(index, state)| result(index, &state, in_time));
        DeleteRecordsTopicResult { partitions: own.collect(), name: topic.key, ..Default::default() }
    });
    Ok(DeleteRecordsResponse { topics: answers.collect(), ..DeleteRecordsResponse::default() })
}

async fn look_up(shared: &Shared, topic: &str, partition: PartitionIndex) -> Result<Arc<Partition>, ErrorCode> {
    let topic = shared.cluster.topic(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if topic.is_internal() {
        return Err(ErrorCode::InvalidTopicException);
    }
    let leader = shared.leader_of(&topic, partition).await?;
    if topic.settings().cleanup == Cleanup::Compact {
        return Err(ErrorCode::PolicyViolation);
    }
    Ok(leader)
}

async fn delete(shared: &Shared, piece: &mut [(PartitionIndex, State)], countdown: &Arc<Countdown>, wakes: &mut Wakes) {
    let is_durable = |state: &State| match state {
        State::Wanted(partition, _) => !matches!(partition.durability(), Durability::Memory(_)),
        State::Moved(..) | State::Refused(_) => false,
    };
    let entries = piece.iter().filter(|(_, state)| is_durable(state)).count();
    let reserved = tokio::select! {
        biased;
        reserved = reserve(shared, entries) => reserved,
        () = shared.world.clock.sleep(OWN_DISK_PATIENCE) => Err(Full::NoRoom),
    };
    let mut reserved = reserved.map_err(|_| ErrorCode::KafkaStorageError);
    for (_, state) in piece {
        let State::Wanted(partition, below) = state else { continue };
        let moved = match (&mut reserved, *below) {
            (Err(code), _) => Err(*code),
            (_, below) if below < HIGH_WATERMARK => Err(ErrorCode::OffsetOutOfRange),
            (Ok(reservation), below) => partition
                .delete_records(Some(below).filter(|below| *below != HIGH_WATERMARK), reservation, countdown, wakes)
                .map_err(
                    |error| if partition.is_deleted() { ErrorCode::UnknownTopicOrPartition } else { error.code() },
                ),
        };
        *state = match moved {
            Ok(start) => State::Moved(partition.clone(), start),
            Err(code) => State::Refused(code),
        };
    }
    shared.journal.wake();
}

async fn reserve(shared: &Shared, entries: usize) -> Result<Reservation<Mark>, Full> {
    let bytes = entries * LOG_START_JOURNAL_BYTES;
    match shared.journal.reserve(entries, bytes) {
        Err(Full::NoRoom) => {
            shared.write_out.checkpoint_soon();
            shared.journal.reserve_soon(entries, bytes).await
        }
        reserved => reserved,
    }
}

fn result(partition_index: PartitionIndex, state: &State, in_time: bool) -> DeleteRecordsPartitionResult {
    let outcome = match state {
        State::Moved(_, start) if in_time => Ok(*start),
        State::Moved(partition, start) => partition.durably_begins(*start).map(|()| *start),
        State::Refused(code) => Err(*code),
        State::Wanted(..) => Err(ErrorCode::UnknownServerError),
    };
    let (low_watermark, error_code) = match outcome {
        Ok(start) => (start, 0),
        Err(code) => (Offset(-1), code.code()),
    };
    DeleteRecordsPartitionResult { partition_index, low_watermark, error_code, ..Default::default() }
}
