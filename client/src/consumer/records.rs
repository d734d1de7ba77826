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
    /// From where on there may be good records again: seek there to go on without what is damaged. `None`: nobody knows.
    pub next: Option<Offset>,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damaged { topic, partition, offset, reason, .. } = self;
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

/// What was read of a piece, and why no more.
pub(crate) struct Piece {
    pub(crate) records: Records,
    pub(crate) rest: Rest,
}

/// What lies behind what was read of a piece.
pub(crate) enum Rest {
    /// Nothing.
    Nothing,
    /// More, which would be too much at once.
    More(Fetched),
    /// What can't be read.
    Damaged(Damaged),
}

/// Decompressed bytes that are given at once, and one batch more: a few compressed ones may become gigabytes.
const PLAIN_BYTES_MAX: usize = 8 << 20;

impl Records {
    /// Checks and decompresses whole batches, leaving out markers and what was taken back; a part of a batch at the end is
    /// left for the next time.
    pub(crate) fn read(topic: &Arc<str>, partition: PartitionIndex, fetched: Fetched, scratch: &mut Scratch) -> Piece {
        let Fetched { bytes, aborted, from } = fetched;
        let mut taken_back = TakenBack::new(aborted.clone());
        let mut records = Records { topic: topic.clone(), partition, from, batches: Vec::new(), next: from };
        let (mut plain_bytes, mut unread) = (0, Batches::new(bytes.clone()));
        let rest = loop {
            let at = unread.position();
            if plain_bytes >= PLAIN_BYTES_MAX {
                let behind = Fetched { bytes: bytes.slice(at..), aborted, from: records.next };
                break if behind.bytes.is_empty() { Rest::Nothing } else { Rest::More(behind) };
            }
            let damaged = |offset, next, reason: String| {
                Rest::Damaged(Damaged { topic: topic.clone(), partition, offset, next, reason })
            };
            let batch = match unread.next() {
                None | Some(Err(Unreadable::Truncated { .. })) => break Rest::Nothing,
                Some(Err(Unreadable::Corrupt(corruption))) => {
                    break damaged(records.next, None, format!("{corruption:?}"));
                }
                Some(Ok(batch)) => batch,
            };
            let (first, next) = (batch.base_offset().max(records.next), batch.next_offset());
            if let Err(corruption) = batch.check() {
                break damaged(first, Some(next), format!("{corruption:?}"));
            }
            if taken_back.is_shown(&batch) {
                let plain = match batch.decompressed(scratch) {
                    Ok(plain) => plain,
                    Err(damage) => break damaged(first, Some(next), format!("{damage:?}")),
                };
                // Looked through once, so that who reads meets no surprise.
                let malformed = batch::Records::of(&plain).into_iter().flatten().find_map(Result::err);
                if let Some(malformed) = malformed {
                    break damaged(first, Some(next), format!("{malformed:?}"));
                }
                plain_bytes += plain.byte_length();
                records.batches.push(plain);
            }
            records.next = records.next.max(next);
        };
        Piece { records, rest }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
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
        let Piece { records, rest } = Records::read(&"t".into(), PartitionIndex(0), fetched, &mut Scratch::new());
        if let Rest::Damaged(damaged) = rest {
            assert_eq!(records.next_offset(), damaged.offset, "what is good before it is given");
            return Err(damaged);
        }
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
        let damaged = read(&[placed(plain(&["good"]), 6), bytes.into()], Vec::new(), 6).unwrap_err();
        assert_eq!((damaged.offset, damaged.partition, damaged.next), (Offset(7), PartitionIndex(0), Some(Offset(8))));
        assert!(damaged.to_string().contains("Crc"), "{damaged}");
    }

    // A few kilobytes may become gigabytes: they are given a few megabytes at a time.
    #[test]
    fn much_that_was_compressed_well_is_given_in_parts() {
        let value = "x".repeat(3 << 20);
        let log: Vec<Bytes> =
            (0..9).map(|base| placed(plain(&[&value]).compressed(Compression::Zstd(3)), base)).collect();
        let bytes = log.concat();
        assert!(bytes.len() < 20_000);
        let mut fetched = Fetched { bytes: bytes.into(), aborted: Vec::new(), from: Offset(0) };
        let mut seen = Vec::new();
        loop {
            let Piece { records, rest } = Records::read(&"t".into(), PartitionIndex(0), fetched, &mut Scratch::new());
            seen.push(records.iter().map(|record| record.offset.0).collect::<Vec<_>>());
            match rest {
                Rest::More(more) => fetched = more,
                Rest::Nothing => break,
                Rest::Damaged(damaged) => panic!("{damaged}"),
            }
        }
        assert_eq!(seen, [[0, 1, 2], [3, 4, 5], [6, 7, 8]]);
    }
}
