//! What a frame is made of: entries that say what happened to one log, or, in the quorum's journal, to the metadata.
//!
//! ```text
//! u8 kind | 3 zero bytes | u32 body length | body
//!
//! 1 Append    topic id, i32 partition, i64 base, one record batch     cut the log at base, then append the batch
//! 2 Placed    topic id, i32 partition, i64 end, u32 crc               everything below `end` is in the synced segment
//! 3 Truncate  topic id, i32 partition, i64 to, i32 epoch              cut the log at `to`, on the word of a leader
//! 4 Epoch     topic id, i32 partition, i32 epoch, i64 start           a leader epoch begins
//! 5 LogStart  topic id, i32 partition, i64 at                         records below `at` are deleted
//! 6 Drop      topic id, i32 partition                                 the log is deleted
//! 7 Placing   topic id, i32 partition, i64 placed, u32 crc,           everything below `placed` is in the synced segment,
//!             i64 end, u32 end_crc                                    and what goes on to `end` is being written
//! 64 and up   bodies that this crate doesn't look into: the quorum's
//! ```

use bytes::{Buf, Bytes};
use thalweg_wire::batch::Batch;
use thalweg_wire::{LeaderEpoch, Offset, PartitionIndex, TopicPartition, Uuid};
use thalweg_world::disk::Block;

use crate::end::End;

/// The bytes before an entry's body.
pub const PREFIX_BYTES: usize = 8;

/// The bytes of an `Append` before its batch: prefix, topic id, partition, base.
pub const APPEND_OVERHEAD_BYTES: usize = PREFIX_BYTES + 28;

/// The number of an entry's kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Kind(pub u8);

impl Kind {
    /// See [`Entry::Append`].
    pub const APPEND: Kind = Kind(1);
    /// See [`Entry::Placed`].
    pub const PLACED: Kind = Kind(2);
    /// See [`Entry::Truncate`].
    pub const TRUNCATE: Kind = Kind(3);
    /// See [`Entry::Epoch`].
    pub const EPOCH: Kind = Kind(4);
    /// See [`Entry::LogStart`].
    pub const LOG_START: Kind = Kind(5);
    /// See [`Entry::Drop`].
    pub const DROP: Kind = Kind(6);
    /// See [`Entry::Placing`].
    pub const PLACING: Kind = Kind(7);
    /// The first of the kinds whose bodies belong to others.
    pub const FOREIGN: Kind = Kind(64);
}

/// An entry as it stands in a frame: its kind and its body's bytes, not yet looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawEntry {
    /// What it is.
    pub kind: Kind,
    /// Its body, shared with the frame.
    pub body: Bytes,
}

/// What happened to one log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Cut the log at the batch's base offset, then append the batch.
    Append(Batch),
    /// Everything below an end is in the log's synced segments.
    Placed(End),
    /// The same of `placed`; and the records from there on to `end` are being written to the segments, past the journal.
    Placing {
        /// What is in synced segments.
        placed: End,
        /// Where they will end when they have all of it.
        end: End,
    },
    /// Cut the log: what stood at `to` and above is void.
    Truncate {
        /// The new end.
        to: Offset,
        /// The epoch of the leader that said so.
        epoch: LeaderEpoch,
    },
    /// A leader epoch begins.
    Epoch {
        /// Its number.
        epoch: LeaderEpoch,
        /// Its first offset.
        start: Offset,
    },
    /// Records below `at` are deleted.
    LogStart {
        /// The new log start.
        at: Offset,
    },
    /// The log is deleted.
    Drop,
}

/// An entry's bytes are not what its kind promises: ours to fix, since the frame's checksum was right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// The kind of the entry.
    pub kind: Kind,
    /// The length of its body, bytes.
    pub length: usize,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an entry of kind {} with a body of {} bytes can't be read", self.kind.0, self.length)
    }
}

/// The fixed part of an entry's body, held without an allocation: a queue of ten thousand entries is ten thousand of
/// these.
#[derive(Clone, Copy)]
pub struct Head {
    bytes: [u8; Head::ROOM],
    length: u8,
}

impl Head {
    const ROOM: usize = 96;

    /// A head of no bytes.
    pub const EMPTY: Head = Head { bytes: [0; Head::ROOM], length: 0 };

    /// Appends bytes.
    ///
    /// # Panics
    /// Above 96 bytes: heads are made of fixed fields, so that is a mistake of ours.
    pub fn put(mut self, bytes: &[u8]) -> Head {
        let start = usize::from(self.length);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len() as u8;
        self
    }

    /// The bytes put so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

const _: () = assert!(Head::ROOM >= 28 + 61); // the head of an Append holds the batch's header

/// Appends an entry to the frame under construction.
pub fn write(block: &mut Block, kind: Kind, head: &[u8], body: &[u8]) {
    let length = u32::try_from(head.len() + body.len()).expect("an entry is bounded by the journal's frame");
    block.put(&[kind.0, 0, 0, 0]);
    block.put(&length.to_be_bytes());
    block.put(head);
    block.put(body);
}

/// Takes the next entry off the front of a frame's entries; `None` at their end, or where they are cut short.
pub fn split(entries: &mut Bytes) -> Option<RawEntry> {
    let prefix: &[u8; PREFIX_BYTES] = entries.first_chunk()?;
    let kind = Kind(prefix[0]);
    let length = u32::from_be_bytes([prefix[4], prefix[5], prefix[6], prefix[7]]) as usize;
    if entries.len() - PREFIX_BYTES < length {
        return None;
    }
    entries.advance(PREFIX_BYTES);
    Some(RawEntry { kind, body: entries.split_to(length) })
}

impl Entry {
    /// The kind, the fixed part and the shared part of the entry about `log`.
    pub fn parts(&self, log: TopicPartition) -> (Kind, Head, Bytes) {
        let head = Head::EMPTY.put(&log.topic.0).put(&log.partition.0.to_be_bytes());
        match self {
            Entry::Append(batch) => {
                let head = head.put(&batch.base_offset().0.to_be_bytes()).put(batch.header().as_bytes());
                (Kind::APPEND, head, batch.records().clone())
            }
            Entry::Placed(end) => (Kind::PLACED, put(head, *end), Bytes::new()),
            Entry::Placing { placed, end } => (Kind::PLACING, put(put(head, *placed), *end), Bytes::new()),
            Entry::Truncate { to, epoch } => {
                (Kind::TRUNCATE, head.put(&to.0.to_be_bytes()).put(&epoch.0.to_be_bytes()), Bytes::new())
            }
            Entry::Epoch { epoch, start } => {
                (Kind::EPOCH, head.put(&epoch.0.to_be_bytes()).put(&start.0.to_be_bytes()), Bytes::new())
            }
            Entry::LogStart { at } => (Kind::LOG_START, head.put(&at.0.to_be_bytes()), Bytes::new()),
            Entry::Drop => (Kind::DROP, head, Bytes::new()),
        }
    }

    /// Reads an entry of a log directory's journal.
    pub fn read(raw: &RawEntry) -> Result<(TopicPartition, Entry), Malformed> {
        let malformed = || Malformed { kind: raw.kind, length: raw.body.len() };
        let mut body = raw.body.clone();
        if body.len() < 20 {
            return Err(malformed());
        }
        let mut topic = [0; 16];
        body.copy_to_slice(&mut topic);
        let log = TopicPartition { topic: Uuid(topic), partition: PartitionIndex(body.get_i32()) };
        let entry = match (raw.kind, body.len()) {
            (Kind::APPEND, 8..) => {
                let base = Offset(body.get_i64());
                let batch = Batch::parse(&body).map_err(|_| malformed())?;
                let counts = batch.header().last_offset_delta() >= 0;
                if batch.base_offset() != base || batch.byte_length() != body.len() || !counts {
                    return Err(malformed());
                }
                Entry::Append(batch)
            }
            (Kind::PLACED, 12) => Entry::Placed(get(&mut body)),
            (Kind::PLACING, 24) => {
                let (placed, end) = (get(&mut body), get(&mut body));
                if placed.offset >= end.offset {
                    return Err(malformed());
                }
                Entry::Placing { placed, end }
            }
            (Kind::TRUNCATE, 12) => Entry::Truncate { to: Offset(body.get_i64()), epoch: LeaderEpoch(body.get_i32()) },
            (Kind::EPOCH, 12) => Entry::Epoch { epoch: LeaderEpoch(body.get_i32()), start: Offset(body.get_i64()) },
            (Kind::LOG_START, 8) => Entry::LogStart { at: Offset(body.get_i64()) },
            (Kind::DROP, 0) => Entry::Drop,
            _ => return Err(malformed()),
        };
        Ok((log, entry))
    }
}

fn put(head: Head, end: End) -> Head {
    head.put(&end.offset.0.to_be_bytes()).put(&end.crc.to_be_bytes())
}

fn get(body: &mut Bytes) -> End {
    End { offset: Offset(body.get_i64()), crc: body.get_u32() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::batch::Header;

    fn log() -> TopicPartition {
        TopicPartition { topic: Uuid([7; 16]), partition: PartitionIndex(3) }
    }

    #[test]
    fn every_kind_of_entry_reads_back_from_a_frame() {
        let mut header = Header::from_bytes([0; 61]);
        header.set_magic(2);
        header.set_base_offset(Offset(40));
        let entries = [
            Entry::Append(Batch::new(header, Bytes::from_static(b"records"))),
            Entry::Placed(End { offset: Offset(41), crc: 0x0102_0304 }),
            Entry::Placing { placed: End { offset: Offset(41), crc: 7 }, end: End { offset: Offset(43), crc: 8 } },
            Entry::Truncate { to: Offset(5), epoch: LeaderEpoch(2) },
            Entry::Epoch { epoch: LeaderEpoch(3), start: Offset(41) },
            Entry::LogStart { at: Offset(4) },
            Entry::Drop,
        ];
        let mut block = Block::with_capacity(0);
        for entry in &entries {
            let (kind, head, body) = entry.parts(log());
            write(&mut block, kind, head.bytes(), &body);
        }
        let mut bytes = Bytes::copy_from_slice(block.bytes());
        for entry in entries {
            assert_eq!(Entry::read(&split(&mut bytes).unwrap()), Ok((log(), entry)));
        }
        assert_eq!(split(&mut bytes), None);
    }

    #[test]
    fn a_body_that_is_cut_short_is_named_not_believed() {
        let (kind, head, body) = Entry::LogStart { at: Offset(4) }.parts(log());
        let mut block = Block::with_capacity(0);
        write(&mut block, kind, &head.bytes()[..27], &body);
        let raw = split(&mut Bytes::copy_from_slice(block.bytes())).unwrap();
        assert_eq!(Entry::read(&raw), Err(Malformed { kind: Kind::LOG_START, length: 27 }));
    }
}
