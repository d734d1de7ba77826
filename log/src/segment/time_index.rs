//! The time index (`.timeindex`): from which offset on to look for records of a time or later.
//!
//! Twelve bytes an entry, big-endian: the largest timestamp of the segment so far, and the offset of the last record of
//! the first batch that has it, less the segment's base. Entries are made together with those of the offset index, and
//! one at the end of the segment; only for a timestamp above that of the entry before, so both columns rise (Kafka's
//! `TimeIndex`). Timestamps below zero never get one.

use std::io;

use thalweg_wire::{Offset, Timestamp};
use thalweg_world::DiskFile;

use super::entries::{self, Entry};

/// An entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeEntry {
    /// The largest timestamp so far.
    pub timestamp: Timestamp,
    /// The last offset of the first batch that has it, less the base offset of the segment. At most `i32::MAX`.
    pub relative: u32,
}

impl TimeEntry {
    /// The size of an entry on disk, in bytes.
    pub const BYTES: usize = 12;

    /// What is so before any batch had a timestamp.
    pub(crate) const NONE: TimeEntry = TimeEntry { timestamp: Timestamp::NONE, relative: 0 };

    /// The offset that it is for, in a segment that begins at `base`.
    pub fn offset(self, base: Offset) -> Offset {
        base.plus(i64::from(self.relative))
    }

    /// Appends its bytes.
    pub fn encode(self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.timestamp.millis().to_be_bytes());
        into.extend_from_slice(&self.relative.to_be_bytes());
    }

    /// Whether it may stand behind `last`.
    pub(crate) fn follows(self, last: Option<TimeEntry>) -> bool {
        let last_timestamp = last.map_or(Timestamp::NONE, |last| last.timestamp);
        self.timestamp > last_timestamp && last.is_none_or(|last| self.relative > last.relative)
    }

    /// Reads one from exactly [`TimeEntry::BYTES`] bytes.
    pub fn decode(bytes: &[u8]) -> TimeEntry {
        let mut timestamp = [0; 8];
        timestamp.copy_from_slice(&bytes[..8]);
        TimeEntry {
            timestamp: Timestamp::from_millis(i64::from_be_bytes(timestamp)),
            relative: u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]),
        }
    }
}

impl Entry for TimeEntry {
    const BYTES: usize = TimeEntry::BYTES;

    fn decode(bytes: &[u8]) -> TimeEntry {
        TimeEntry::decode(bytes)
    }
}

/// The last of the first `count` entries with a timestamp below `at`: all up to its batch is older.
pub(super) fn before(file: &dyn DiskFile, count: u32, at: Timestamp) -> io::Result<Option<TimeEntry>> {
    Ok(entries::last_where(file, count, |entry: TimeEntry| entry.timestamp < at)?.1)
}

/// The last of the first `count` entries for an offset below `below`, and how many there are up to it.
pub(super) fn below(
    file: &dyn DiskFile,
    count: u32,
    base: Offset,
    below: Offset,
) -> io::Result<(u32, Option<TimeEntry>)> {
    entries::last_where(file, count, |entry: TimeEntry| entry.offset(base) < below)
}

/// How many entries at the beginning of the file are in order, and for offsets up to `last`.
pub(super) fn sound_prefix(file: &dyn DiskFile, last: u32) -> io::Result<u32> {
    let count = u32::try_from(file.size()? / TimeEntry::BYTES as u64).unwrap_or(u32::MAX);
    entries::in_order(file, count, |before: Option<TimeEntry>, entry| entry.relative <= last && entry.follows(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_twelve_bytes_as_kafka_writes_them() {
        let entry = TimeEntry { timestamp: Timestamp::from_millis(1_795_262_423_590), relative: 5 };
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        assert_eq!(bytes, [0, 0, 0x01, 0xa1, 0xfd, 0xfa, 0xa2, 0x26, 0, 0, 0, 5]);
        assert_eq!(TimeEntry::decode(&bytes), entry);
    }

    /// Zeros of a preallocated file are entries of the year 1970 for the first offset: only one could follow nothing.
    #[test]
    fn both_columns_rise() {
        let entry = |millis, relative| TimeEntry { timestamp: Timestamp::from_millis(millis), relative };
        assert!(entry(0, 0).follows(None));
        assert!(!entry(-1, 0).follows(None));
        assert!(entry(8, 6).follows(Some(entry(7, 5))));
        assert!(!entry(7, 6).follows(Some(entry(7, 5))));
        assert!(!entry(8, 5).follows(Some(entry(7, 5))));
        assert!(!entry(0, 0).follows(Some(entry(0, 0))));
    }
}
