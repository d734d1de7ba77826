//! The offset index (`.index`): where in the `.log` an offset is to be looked for.
//!
//! Eight bytes an entry, big-endian: the offset of a batch's *last* record, less the segment's base, and the position at
//! which that batch begins. An entry is made for the first batch that begins more than `index.interval.bytes` behind the
//! one of the entry before, so a reader goes over at most that much and one batch (Kafka's `OffsetIndex`, `LogSegment`).

use std::io;

use thalweg_wire::Offset;
use thalweg_world::DiskFile;

use super::entries::{self, Entry};

/// An entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OffsetEntry {
    /// The last offset of a batch, less the base offset of the segment. At most `i32::MAX`.
    pub relative: u32,
    /// Where that batch begins in the `.log`, in bytes. At most `i32::MAX`.
    pub position: u32,
}

impl OffsetEntry {
    /// The size of an entry on disk, in bytes.
    pub const BYTES: usize = 8;

    /// The offset that it is for, in a segment that begins at `base`.
    pub fn offset(self, base: Offset) -> Offset {
        base.plus(i64::from(self.relative))
    }

    /// Appends its bytes.
    pub fn encode(self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.relative.to_be_bytes());
        into.extend_from_slice(&self.position.to_be_bytes());
    }

    /// Reads one from exactly [`OffsetEntry::BYTES`] bytes.
    pub fn decode(bytes: &[u8]) -> OffsetEntry {
        let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        OffsetEntry { relative: number(0), position: number(4) }
    }
}

impl Entry for OffsetEntry {
    const BYTES: usize = OffsetEntry::BYTES;

    fn decode(bytes: &[u8]) -> OffsetEntry {
        OffsetEntry::decode(bytes)
    }
}

/// The last of the first `count` entries that is for `offset` or one below it, and how many there are up to it.
pub(super) fn up_to(
    file: &dyn DiskFile,
    count: u32,
    base: Offset,
    offset: Offset,
) -> io::Result<(u32, Option<OffsetEntry>)> {
    entries::last_where(file, count, |entry: OffsetEntry| entry.offset(base) <= offset)
}

/// How many entries at the beginning of the file are in order, and point into a `.log` of that many bytes, and are for
/// offsets below `below`. Behind them stands what no crash or preallocation explains as an index.
pub(super) fn sound_prefix(
    file: &dyn DiskFile,
    base: Offset,
    log_bytes: u32,
    below: Option<Offset>,
) -> io::Result<u32> {
    let count = u32::try_from(file.size()? / OffsetEntry::BYTES as u64).unwrap_or(u32::MAX);
    entries::in_order(file, count, |last: Option<OffsetEntry>, entry| {
        let follows = last.is_none_or(|last| last.relative < entry.relative && last.position < entry.position);
        follows
            && i32::try_from(entry.relative).is_ok()
            && entry.position < log_bytes
            && below.is_none_or(|below| entry.offset(base) < below)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first entry of `segments-by-index` that a real Kafka wrote.
    #[test]
    fn an_entry_is_eight_bytes_as_kafka_writes_them() {
        let entry = OffsetEntry { relative: 3, position: 97 };
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        assert_eq!(bytes, [0, 0, 0, 3, 0, 0, 0, 0x61]);
        assert_eq!(OffsetEntry::decode(&bytes), entry);
        assert_eq!(entry.offset(Offset(1 << 40)), Offset((1 << 40) + 3));
    }
}
