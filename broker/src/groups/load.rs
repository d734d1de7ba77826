//! Reads a partition of `__consumer_offsets` from its start to its end, on the threads that may block: a large one takes
//! long, and meanwhile others are served.

use std::sync::Arc;

use bytes::Bytes;
use thalweg_coordinators::Context;
use thalweg_coordinators::groups::{Coordinator, TransactionEnd};
use thalweg_log::log::{FirstBatch, ReadLimit, Reading};
use thalweg_messages::Record as _;
use thalweg_messages::control_records::ControlRecord;
use thalweg_messages::group_log::{GroupMetadataKey, GroupRecord, LegacyOffsetCommitKey, OffsetCommitKey, type_of};
use thalweg_replica::Isolation;
use thalweg_wire::batch::{Batch, Records, Scratch};
use thalweg_wire::codec::DecodeError;
use thalweg_wire::{LeaderEpoch, Offset};
use tokio::sync::mpsc;

use super::driver::Asked;
use crate::broker::Shared;
use crate::budgets::GroupShare;
use crate::partition::{FetchPosition, Partition};

/// Why there is no coordinator.
pub(super) enum NotLoaded {
    /// Nobody waits for it any more: the broker stops.
    Unwanted,
    /// What can't be read: a coordinator that passed over it would be another one.
    Unreadable(String),
}

/// A coordinator that has been told all that its partition has, whatever there is room for.
pub(super) async fn load(
    shared: &Shared,
    partition: &Arc<Partition>,
    mut coordinator: Coordinator,
    share: &mut GroupShare,
    inbox: &mpsc::Receiver<Asked>,
) -> Result<Coordinator, NotLoaded> {
    let marks = partition.marks();
    let (mut from, end) = (marks.log_start, partition.log_end());
    let limit = ReadLimit { bytes: shared.settings.offsets.load_buffer_bytes, first: FirstBatch::Always };
    while from < end {
        if inbox.is_closed() {
            return Err(NotLoaded::Unwanted);
        }
        let none = LeaderEpoch::NONE;
        let position = FetchPosition { offset: from, current_epoch: none, last_fetched_epoch: none };
        let read = partition
            .read(position, Isolation::LogEnd, limit)
            .map_err(|error| NotLoaded::Unreadable(format!("{error:?}")))?;
        let part = shared.world.offload(move || take_in(coordinator, read.records, limit, from));
        let next: Option<Offset>;
        (coordinator, next) = part.await.map_err(NotLoaded::Unreadable)?;
        share.holds(coordinator.bytes());
        from = next.ok_or_else(|| NotLoaded::Unreadable(format!("nothing at {from}, the log ends at {end}")))?;
    }
    Ok(coordinator)
}

/// A coordinator that has been told one part of its log, and where the next begins; nowhere, if there was nothing.
fn take_in(
    mut coordinator: Coordinator,
    records: Reading,
    limit: ReadLimit,
    from: Offset,
) -> Result<(Coordinator, Option<Offset>), String> {
    let batches = match records {
        Reading::Memory(batches) => batches,
        Reading::Files(files) => files.read(limit).map_err(|error| error.to_string())?,
    };
    for batch in &batches {
        apply(&mut coordinator, batch, from).map_err(|reason| format!("at {}: {reason}", batch.base_offset()))?;
    }
    Ok((coordinator, batches.last().map(Batch::next_offset)))
}

fn apply(coordinator: &mut Coordinator, batch: &Batch, from: Offset) -> Result<(), String> {
    let header = batch.header();
    let plain = batch.decompressed(&mut Scratch::new()).map_err(|damage| format!("{damage:?}"))?;
    let records = Records::of(&plain).ok_or("records that can't be read")?;
    for record in records {
        let record = record.map_err(|malformed| malformed.to_string())?;
        let offset = record.offset;
        if offset < from {
            continue;
        }
        let key = record.key.unwrap_or_default();
        let key = Bytes::copy_from_slice(key);
        if header.is_control() {
            let value = Bytes::copy_from_slice(record.value.unwrap_or_default());
            let end = match ControlRecord::decode(&key, &value) {
                Ok(ControlRecord::Commit(_)) => TransactionEnd::Committed,
                Ok(ControlRecord::Abort(_)) => TransactionEnd::Aborted,
                // Not the end of anything.
                Ok(_) => continue,
                Err(error) => return Err(format!("the end of a transaction: {error}")),
            };
            coordinator.transaction_ended(header.producer_id(), end);
            continue;
        }
        let value = record.value.map(Bytes::copy_from_slice);
        let known = read(&key, value).map_err(|error| format!("a record of a group: {error}"))?;
        let at = Context { offset };
        if header.is_transactional() {
            coordinator.apply_in_transaction(at, header.producer_id(), &known);
        } else {
            coordinator.apply(at, &known);
        }
    }
    Ok(())
}

/// Reads what something follows from here. Records of other protocols are none of our business, nor is what is wrong with
/// them: a newer Kafka may have written them.
fn read(key: &Bytes, value: Option<Bytes>) -> Result<GroupRecord, DecodeError> {
    match type_of(key)? {
        LegacyOffsetCommitKey::RECORD_TYPE | OffsetCommitKey::RECORD_TYPE | GroupMetadataKey::RECORD_TYPE => {
            GroupRecord::decode(key, value.as_ref())
        }
        _ => Ok(GroupRecord::Unknown { key: key.clone(), value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A newer Kafka may have written them; groups of our own protocol are not to be kept from loading.
    #[test]
    fn a_record_of_another_protocol_is_passed_over_whatever_it_says() {
        for (key, value) in [
            (&b"\0\x05\0\x01g\0\x01m"[..], &b"\0\x01whatever"[..]),
            (b"\0\x03", b""),
            (b"\0\x03\0\x01gand more", b"\0\0\0\0\0\0"),
            (b"\0\x7f", b"?"),
        ] {
            let (key, value) = (Bytes::from_static(key), Some(Bytes::from_static(value)));
            assert_eq!(read(&key, value.clone()), Ok(GroupRecord::Unknown { key, value }));
        }
        let known = read(&Bytes::from_static(b"\0\x02\0\x01g"), Some(Bytes::from_static(b"\0\x09")));
        assert_eq!(known, Err(DecodeError::UnknownVersion(9)));
    }
}
