//! What was fetched of a partition, as records: checked, decompressed, without what transactions have taken back.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use thalweg_wire::batch::{Batch, Batches, HeaderFields, Scratch, Unreadable};
use thalweg_wire::{Offset, PartitionIndex, ProducerId, Timestamp, batch};

/// Bytes of batches, and what belongs to them.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) bytes: Bytes,
    /// Who took something back, and from which offset on; empty if nobody, or if everything is to be read.
    pub(crate) aborted: Vec<(ProducerId, Offset)>,
    /// The first offset that is wanted: the first batch may begin before it.
    pub(crate) from: Offset,
}

/// What was read can't be what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damaged {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionIndex,
    /// The first offset that can't be read, as far as is known.
    pub offset: Offset,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damaged { topic, partition, offset, reason } = self;
        write!(f, "{topic}/{partition} is damaged at offset {offset}: {reason}")
    }
}

impl std::error::Error for Damaged {}

/// Records of one partition, in order.
#[derive(Clone, Debug)]
pub struct Records {
    topic: Arc<str>,
    partition: PartitionIndex,
    from: Offset,
    /// Decompressed.
    batches: Vec<Batch>,
    next: Offset,
}

/// A record that was read. It borrows from its [`Records`].
#[derive(Clone, Copy, Debug)]
pub struct ConsumedRecord<'a> {
    /// Its place in the log.
    pub offset: Offset,
    /// Its own time, or that of the broker under `LogAppendTime`.
    pub timestamp: Timestamp,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; without one it is a tombstone for its key.
    pub value: Option<&'a [u8]>,
    /// Its headers, in order: name and value.
    pub headers: HeaderFields<'a>,
}

impl Records {
    /// Checks and decompresses whole batches, leaving out markers and what was taken back; a part of a batch at the end is
    /// left for the next time.
    pub(crate) fn read(
        topic: Arc<str>,
        partition: PartitionIndex,
        fetched: Fetched,
        scratch: &mut Scratch,
    ) -> Result<Records, Damaged> {
        let Fetched { bytes, aborted, from } = fetched;
        let mut taken_back = TakenBack::new(aborted);
        let (mut batches, mut next) = (Vec::new(), from);
        for batch in Batches::new(bytes) {
            let damaged = |offset, reason: String| Damaged { topic: topic.clone(), partition, offset, reason };
            let batch = match batch {
                Ok(batch) => batch,
                Err(Unreadable::Truncated { .. }) => break,
                Err(Unreadable::Corrupt(corruption)) => return Err(damaged(next, format!("{corruption:?}"))),
            };
            batch.check().map_err(|corruption| damaged(batch.base_offset(), format!("{corruption:?}")))?;
            next = next.max(batch.next_offset());
            if taken_back.is_shown(&batch) {
                let plain = batch.decompressed(scratch);
                let plain = plain.map_err(|damage| damaged(batch.base_offset(), format!("{damage:?}")))?;
                // Looked through once, so that who reads meets no surprise.
                let mut records = batch::Records::of(&plain).into_iter().flatten();
                if let Some(malformed) = records.find_map(Result::err) {
                    return Err(damaged(batch.base_offset(), format!("{malformed:?}")));
                }
                batches.push(plain);
            }
        }
        Ok(Records { topic, partition, from, batches, next })
    }

    /// The topic.
    pub fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    /// The partition.
    pub fn partition(&self) -> PartitionIndex {
        self.partition
    }

    /// The offset behind the last of them: from where to go on.
    pub fn next_offset(&self) -> Offset {
        self.next
    }

    /// The records, in the order of their offsets.
    pub fn iter(&self) -> impl Iterator<Item = ConsumedRecord<'_>> {
        let records = self.batches.iter().filter_map(batch::Records::of).flatten().flatten();
        records.filter(|record| record.offset >= self.from).map(|record| ConsumedRecord {
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key,
            value: record.value,
            headers: record.headers,
        })
    }
}

/// Who has taken back what: the rule of `read_committed` (KIP-98).
struct TakenBack {
    /// By offset, the last first.
    to_come: Vec<(ProducerId, Offset)>,
    /// Whose batches are left out now, until their marker comes.
    now: BTreeSet<ProducerId>,
}

impl TakenBack {
    fn new(mut aborted: Vec<(ProducerId, Offset)>) -> TakenBack {
        aborted.sort_by_key(|(_, first)| std::cmp::Reverse(*first));
        TakenBack { to_come: aborted, now: BTreeSet::new() }
    }

    fn is_shown(&mut self, batch: &Batch) -> bool {
        while let Some((id, _)) = self.to_come.pop_if(|(_, first)| *first <= batch.last_offset()) {
            self.now.insert(id);
        }
        let header = batch.header();
        if header.is_control() {
            self.now.remove(&header.producer_id());
            return false;
        }
        !(header.is_transactional() && self.now.contains(&header.producer_id()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use thalweg_wire::batch::{Builder, Compression};
    use thalweg_wire::{LeaderEpoch, ProducerEpoch};

    fn placed(mut batch: Batch, base: i64) -> Bytes {
        batch.place(Offset(base), LeaderEpoch(0));
        batch.to_bytes()
    }

    fn plain(values: &[&str]) -> Batch {
        let builder = values.iter().fold(Builder::new(), |builder, value| {
            builder.record(Timestamp::from_millis(5), None, Some(value.as_bytes()))
        });
        builder.build().unwrap()
    }

    fn transactional(id: i64, value: &str) -> Batch {
        let builder = Builder::new().producer(ProducerId(id), ProducerEpoch(0), 0).transactional();
        builder.record(Timestamp::from_millis(5), None, Some(value.as_bytes())).build().unwrap()
    }

    fn marker(id: i64) -> Batch {
        let builder = Builder::new().producer(ProducerId(id), ProducerEpoch(0), -1).transactional().control();
        builder.record(Timestamp::from_millis(5), Some(b"\0\0\0\0"), Some(b"\0\0\0\0\0\0")).build().unwrap()
    }

    fn read(
        pieces: &[Bytes],
        aborted: Vec<(ProducerId, Offset)>,
        from: i64,
    ) -> Result<(Vec<(i64, String)>, i64), Damaged> {
        let bytes = pieces.iter().fold(BytesMut::new(), |mut all, piece| {
            all.extend_from_slice(piece);
            all
        });
        let fetched = Fetched { bytes: bytes.freeze(), aborted, from: Offset(from) };
        let records = Records::read("t".into(), PartitionIndex(0), fetched, &mut Scratch::new())?;
        let shown =
            records.iter().map(|record| (record.offset.0, String::from_utf8(record.value.unwrap().to_vec()).unwrap()));
        Ok((shown.collect(), records.next_offset().0))
    }

    #[test]
    fn a_batch_that_begins_before_the_position_is_cut_and_half_a_batch_waits() {
        let (first, second) = (placed(plain(&["a", "b", "c"]), 10), placed(plain(&["d"]), 13));
        let shown = read(&[first, second.slice(..second.len() - 1)], Vec::new(), 11).unwrap();
        assert_eq!(shown, (vec![(11, "b".to_owned()), (12, "c".to_owned())], 13));
    }

    #[test]
    fn compressed_batches_are_read() {
        let batch = plain(&["a", "b"]).compressed(Compression::Zstd(3));
        assert_eq!(read(&[placed(batch, 0)], Vec::new(), 0).unwrap().0.len(), 2);
    }

    #[test]
    fn what_was_taken_back_is_not_shown_and_markers_never_are() {
        let log = [
            placed(transactional(1, "kept"), 0),
            placed(transactional(2, "gone"), 1),
            placed(plain(&["plain"]), 2),
            placed(marker(1), 3),
            placed(marker(2), 4),
            placed(transactional(2, "later"), 5),
        ];
        let all = |shown: &[(i64, &str)]| shown.iter().map(|(at, text)| (*at, (*text).to_owned())).collect::<Vec<_>>();
        let aborted = vec![(ProducerId(2), Offset(1))];
        assert_eq!(read(&log, aborted, 0).unwrap(), (all(&[(0, "kept"), (2, "plain"), (5, "later")]), 6));
        assert_eq!(read(&log, Vec::new(), 0).unwrap().0, all(&[(0, "kept"), (1, "gone"), (2, "plain"), (5, "later")]));
    }

    #[test]
    fn damage_is_named() {
        let mut bytes = placed(plain(&["a"]), 7).to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        let damaged = read(&[bytes.into()], Vec::new(), 7).unwrap_err();
        assert_eq!((damaged.offset, damaged.partition), (Offset(7), PartitionIndex(0)));
        assert!(damaged.to_string().contains("Crc"), "{damaged}");
    }
}
