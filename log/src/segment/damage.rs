//! What can be wrong with a partition's files, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thalweg_wire::batch::{Corruption, HEADER_BYTES, Header};
use thalweg_wire::{Offset, PartitionIndex, TopicId};

use super::names::PartitionName;

/// Why a partition's files could not be used. Only [`SegmentError::Io`] may pass by itself.
#[derive(Debug)]
pub enum SegmentError {
    /// The disk failed.
    Io(io::Error),
    /// Bytes that were whole once are not. Nothing was cut: a person, or another replica, has to decide.
    Damaged(Damage),
    /// The folder holds another topic's partition: it was made again under the same name.
    AnotherTopic {
        /// The folder.
        folder: PathBuf,
        /// As `partition.metadata` says.
        found: TopicId,
    },
    /// There are records, but nothing says to which topic they belong: `partition.metadata` is missing or unreadable.
    Unnamed(PathBuf),
    /// A cleaner was interrupted while it put this file in the place of others. Only who knows its rules can go on.
    Unfinished(PathBuf),
}

/// A place in a partition where no good batch stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The topic's name, by the folder.
    pub topic: String,
    /// The partition, by the folder.
    pub partition: PartitionIndex,
    /// The first offset that can't be read.
    pub offset: Offset,
    /// The file.
    pub file: PathBuf,
    /// Where in the file, in bytes.
    pub position: u64,
    /// What is wrong there.
    pub flaw: Flaw,
}

/// What shows that no good batch stands at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// The file ends before the batch does.
    CutShort {
        /// Bytes that are there.
        present: u64,
    },
    /// The bytes aren't a batch.
    NotABatch(Corruption),
    /// A batch with offsets that can't stand here: they go back, or don't fit the segment.
    OutOfOrder {
        /// The first offset that may come.
        expected: Offset,
        /// The batch's base offset.
        found: Offset,
    },
    /// The log ends here, whole, and more was durable once.
    Missing {
        /// Where it ended, at least.
        until: Offset,
    },
}

impl Damage {
    pub(crate) fn new(folder: &Path, file: PathBuf, position: u64, offset: Offset, flaw: Flaw) -> Damage {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let PartitionName { topic, partition } =
            name.parse().unwrap_or(PartitionName { topic: name.into_owned(), partition: PartitionIndex(-1) });
        Damage { topic, partition, offset, file, position, flaw }
    }
}

/// The whole size in bytes of the batch that a header opens, if it may stand where `room` bytes are left in a segment
/// that begins at `base` and goes on with `expected`. Its checksum is another matter.
pub(crate) fn judge(header: &Header, room: u64, base: Offset, expected: Offset) -> Result<u32, Flaw> {
    let behind = u32::try_from(header.length()).unwrap_or(0);
    if (behind as usize) < HEADER_BYTES - LENGTH_END {
        return Err(Flaw::NotABatch(Corruption::Length(header.length())));
    }
    if header.magic() != MAGIC {
        return Err(Flaw::NotABatch(Corruption::Magic(header.magic())));
    }
    let bytes = LENGTH_END as u64 + u64::from(behind);
    if bytes > room {
        return Err(Flaw::CutShort { present: room });
    }
    let found = header.base_offset();
    let last = found.0.checked_add(i64::from(header.last_offset_delta()));
    let fits = last.is_some_and(|last| last.checked_sub(base.0).is_some_and(|delta| delta <= i64::from(i32::MAX)));
    if found < expected || header.last_offset_delta() < 0 || !fits {
        return Err(Flaw::OutOfOrder { expected, found });
    }
    u32::try_from(bytes).map_err(|_| Flaw::NotABatch(Corruption::Length(header.length())))
}

/// Where a batch's length ends: it counts the bytes from here on.
pub(crate) const LENGTH_END: usize = 12;

/// The version of the only batches there are.
pub(crate) const MAGIC: i8 = 2;

impl From<io::Error> for SegmentError {
    fn from(error: io::Error) -> SegmentError {
        SegmentError::Io(error)
    }
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SegmentError::Io(error) => error.fmt(f),
            SegmentError::Damaged(damage) => damage.fmt(f),
            SegmentError::AnotherTopic { folder, found } => {
                write!(f, "{} belongs to another topic of that name, {found}", folder.display())
            }
            SegmentError::Unnamed(folder) => {
                write!(f, "{} has records, but no partition.metadata that says whose", folder.display())
            }
            SegmentError::Unfinished(file) => {
                write!(f, "{} was to replace other segments when its writer stopped", file.display())
            }
        }
    }
}

impl std::error::Error for SegmentError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SegmentError::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { topic, partition, offset, file, position, flaw } = self;
        let file = file.display();
        write!(
            f,
            "partition {partition} of topic {topic} can't be read at offset {offset}: {file} at byte {position}: "
        )?;
        flaw.fmt(f)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::CutShort { present } => write!(f, "the file ends within a batch, after {present} bytes of it"),
            Flaw::NotABatch(corruption) => corruption.fmt(f),
            Flaw::OutOfOrder { expected, found } => {
                write!(f, "a batch from offset {found} stands where offset {expected} or a later one belongs")
            }
            Flaw::Missing { until } => write!(f, "the records from here to offset {until} are missing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use thalweg_wire::Timestamp;
    use thalweg_wire::batch::Builder;

    use super::*;

    #[test]
    fn a_header_is_judged_by_all_that_its_place_says() {
        let batch = (0..3).fold(Builder::new(), |b, _| b.record(Timestamp::from_millis(1), None, Some(b"x"))).build();
        let batch = batch.unwrap();
        let size = batch.byte_length() as u64;
        let at = |base_offset: i64, room, base, expected| {
            let mut header = batch.header().clone();
            header.set_base_offset(Offset(base_offset));
            judge(&header, room, Offset(base), Offset(expected))
        };
        assert_eq!(at(7, size, 5, 7), Ok(size as u32));
        assert_eq!(at(9, size + 1, 5, 7), Ok(size as u32), "compaction leaves holes");
        assert_eq!(at(7, size - 1, 5, 7), Err(Flaw::CutShort { present: size - 1 }));
        let out_of_order = |found| Err(Flaw::OutOfOrder { expected: Offset(7), found: Offset(found) });
        assert_eq!(at(6, size, 5, 7), out_of_order(6));
        let edge = 5 + i64::from(i32::MAX) - 2;
        assert_eq!(at(edge, size, 5, 7), Ok(size as u32));
        assert_eq!(at(edge + 1, size, 5, 7), out_of_order(edge + 1));
        assert_eq!(at(i64::MAX, size, 5, 7), out_of_order(i64::MAX));
        for (length, magic, corruption) in
            [(0, 0, Corruption::Length(0)), (-1, 2, Corruption::Length(-1)), (90, 1, Corruption::Magic(1))]
        {
            let mut header = batch.header().clone();
            header.set_length(length);
            header.set_magic(magic);
            assert_eq!(judge(&header, 1000, Offset(0), Offset(0)), Err(Flaw::NotABatch(corruption)));
        }
    }

    #[test]
    fn a_damage_names_the_partition_the_offset_and_the_place() {
        let folder = Path::new("data/logs/flights-by-day-3");
        let flaw = Flaw::NotABatch(Corruption::Crc { stored: 1, computed: 2 });
        let damage = Damage::new(folder, folder.join("00000000000000000000.log"), 5192, Offset(95), flaw);
        assert_eq!(
            damage.to_string(),
            "partition 3 of topic flights-by-day can't be read at offset 95: \
             data/logs/flights-by-day-3/00000000000000000000.log at byte 5192: \
             the checksum is 00000001, the bytes make 00000002"
        );
    }
}
