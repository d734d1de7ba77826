//! Kafka's checkpoints: small files of text in a log directory that say one offset of many partitions, and the marker of
//! a clean stop.
//!
//! Lines: `0` (version), the number of entries, then one entry each: `topic partition offset` (Kafka's
//! `CheckpointFile`). An empty file is a file without entries. They are replaced as a whole ([`crate::directory::replace`]):
//! written beside, synced, renamed, the directory synced.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;

use thalweg_wire::{Offset, PartitionIndex};
use thalweg_world::Disk;
use thalweg_world::disk::Open;

use super::names::PartitionName;
use crate::directory::replace;

/// Below it a partition's records are durable.
pub const RECOVERY_POINT: &str = "recovery-point-offset-checkpoint";

/// The high watermark of each partition.
pub const REPLICATION: &str = "replication-offset-checkpoint";

/// Where partitions begin whose first records were deleted.
pub const LOG_START: &str = "log-start-offset-checkpoint";

/// The marker of a clean stop. Who starts takes it away before its first write.
pub const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";

/// The largest file that is read: a million partitions with long names.
const BYTES_MAX: u64 = 256 << 20;

/// One offset of each partition.
pub type Offsets = BTreeMap<PartitionName, Offset>;

/// A line that is not what stands in such a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// Counted from 1; behind the last line if some are missing.
    pub line: usize,
}

/// Why a checkpoint can't be read.
#[derive(Debug)]
pub enum CheckpointError {
    /// The disk failed.
    Io(io::Error),
    /// The file says something else. Recovery points and watermarks can be done without: everything is then checked.
    Malformed(Malformed),
}

/// The bytes of a checkpoint.
pub fn encode(offsets: &Offsets) -> Vec<u8> {
    text(offsets.iter().map(|(PartitionName { topic, partition }, offset)| format!("{topic} {partition} {offset}")))
}

/// Reads the bytes of a checkpoint. Of a partition that stands there twice the last line counts.
///
/// # Errors
/// [`Malformed`] for another version, another number of lines than announced, or a line that isn't an entry.
pub fn decode(bytes: &[u8]) -> Result<Offsets, Malformed> {
    lines(bytes)?
        .map(|(line, fields)| {
            let [topic, partition, offset] = fields[..] else { return Err(Malformed { line }) };
            let (Ok(partition), Ok(offset)) = (partition.parse(), offset.parse()) else {
                return Err(Malformed { line });
            };
            Ok((PartitionName { topic: topic.to_owned(), partition: PartitionIndex(partition) }, Offset(offset)))
        })
        .collect()
}

/// Reads a checkpoint of a log directory; no file is no entries.
///
/// # Errors
/// [`CheckpointError`].
pub fn read(disk: &dyn Disk, directory: &Path, name: &str) -> Result<Offsets, CheckpointError> {
    let file = match disk.open(&directory.join(name), Open::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Offsets::new()),
        Err(error) => return Err(CheckpointError::Io(error)),
    };
    let size = file.size().map_err(CheckpointError::Io)?;
    if size > BYTES_MAX {
        return Err(CheckpointError::Malformed(Malformed { line: 1 }));
    }
    let mut bytes = vec![0; size as usize];
    let read = file.read_at(&mut bytes, 0).map_err(CheckpointError::Io)?;
    decode(&bytes[..read]).map_err(CheckpointError::Malformed)
}

/// Puts a checkpoint in the place of the one before, durably.
///
/// # Errors
/// Those of the disk; the one or the other is there then, whole.
pub fn write(disk: &dyn Disk, directory: &Path, name: &str, offsets: &Offsets) -> io::Result<()> {
    replace(disk, directory, name, &encode(offsets))
}

/// The bytes of the clean stop's marker. `broker_epoch` is that of the registration that ends; -1 is none.
pub fn clean_shutdown(broker_epoch: i64) -> Vec<u8> {
    format!("{{\"version\":0,\"brokerEpoch\":{broker_epoch}}}").into_bytes()
}

/// A whole file of version 0.
pub(super) fn text(entries: impl ExactSizeIterator<Item = String>) -> Vec<u8> {
    let mut text = format!("0\n{}\n", entries.len());
    for entry in entries {
        text.push_str(&entry);
        text.push('\n');
    }
    text.into_bytes()
}

/// The entries of a file of version 0: the number of each line and its fields.
pub(super) fn lines(bytes: &[u8]) -> Result<impl Iterator<Item = (usize, Vec<&str>)>, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed { line: 1 })?;
    let mut lines = text.lines();
    let announced = match (lines.next(), lines.next()) {
        (None, _) => 0,
        (Some("0"), Some(count)) => count.trim().parse().map_err(|_| Malformed { line: 2 })?,
        (Some("0"), None) => return Err(Malformed { line: 2 }),
        (Some(_), _) => return Err(Malformed { line: 1 }),
    };
    let found = lines.clone().count();
    if found != announced {
        return Err(Malformed { line: 3 + found.min(announced) });
    }
    Ok(lines.enumerate().map(|(number, line)| (number + 3, line.split_whitespace().collect())))
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is not what stands in a checkpoint", self.line)
    }
}

impl std::error::Error for Malformed {}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckpointError::Io(error) => error.fmt(f),
            CheckpointError::Malformed(malformed) => malformed.fmt(f),
        }
    }
}

impl std::error::Error for CheckpointError {}

#[cfg(test)]
mod tests {
    use thalweg_world::simulated::{Faults, SimulatedDisk};

    use super::*;

    fn offsets(entries: &[(&str, i64)]) -> Offsets {
        entries.iter().map(|(name, offset)| (name.parse().unwrap(), Offset(*offset))).collect()
    }

    #[test]
    fn the_bytes_are_kafkas() {
        let start = offsets(&[("deleted-records-0", 23), ("deleted-records-1", 50)]);
        assert_eq!(encode(&start), b"0\n2\ndeleted-records 0 23\ndeleted-records 1 50\n");
        assert_eq!(decode(&encode(&start)), Ok(start));
        assert_eq!((encode(&Offsets::new()), decode(b"")), (b"0\n0\n".to_vec(), Ok(Offsets::new())));
        assert_eq!(clean_shutdown(890), b"{\"version\":0,\"brokerEpoch\":890}");
    }

    #[test]
    fn a_file_that_says_something_else_is_named_by_its_line() {
        let cases = [("1\n0\n", 1), ("\n", 1), ("0\n", 2), ("0\nx\n", 2), ("0\n1\n", 3), ("0\n0\na 0 1\n", 3)];
        for (text, line) in cases.into_iter().chain([("0\n2\na 0 1\nb 0\n", 4), ("0\n1\na x 1\n", 3)]) {
            assert_eq!(decode(text.as_bytes()), Err(Malformed { line }), "{text:?}");
        }
        assert_eq!(decode(&[0xff]), Err(Malformed { line: 1 }));
        assert_eq!(decode(b"0\n99999999999999999999\n"), Err(Malformed { line: 2 }));
    }

    /// Cut at any operation, there is the old file or the new one, never half of one.
    #[test]
    fn a_checkpoint_is_replaced_whole() {
        let (old, new) = (offsets(&[("a-0", 1)]), offsets(&[("a-0", 2), ("b-1", 9)]));
        for at in 1..20 {
            for seed in 0..10 {
                let disk = SimulatedDisk::new(seed, Faults::default());
                disk.create_dir_all(Path::new("logs")).unwrap();
                disk.sync_dir(Path::new("/")).unwrap();
                assert_eq!(read(&disk, Path::new("logs"), LOG_START).unwrap(), Offsets::new());
                write(&disk, Path::new("logs"), LOG_START, &old).unwrap();
                disk.crash_at(disk.operations() + at);
                let written = write(&disk, Path::new("logs"), LOG_START, &new);
                disk.crash();
                disk.forget_orders();
                let found = read(&disk, Path::new("logs"), LOG_START).unwrap();
                assert!(found == new || (found == old && written.is_err()), "cut at {at}, seed {seed}");
            }
        }
    }
}
