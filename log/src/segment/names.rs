//! The names of a partition's files and folders, as Kafka gives them (`LogFileUtils`, `UnifiedLog`, `LocalLog`).

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use thalweg_wire::{Offset, PartitionIndex, Uuid};

/// The longest name that Kafka gives a folder, in bytes: what filesystems take.
pub const FOLDER_NAME_BYTES_MAX: usize = 255;

/// The file with the topic's id. Without it Kafka takes the folder for a stray and begins an empty log in its place.
pub const PARTITION_METADATA: &str = "partition.metadata";

/// The file with the leader epochs and where each began.
pub const LEADER_EPOCH_CHECKPOINT: &str = "leader-epoch-checkpoint";

/// What a file with an offset for a name holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FileKind {
    /// Batches, one after the other. The name is the base offset of the segment.
    Log,
    /// Offsets and their positions; see [`super::offset_index`].
    OffsetIndex,
    /// Times and their offsets; see [`super::time_index`].
    TimeIndex,
    /// Aborted transactions. Missing where there are none.
    TransactionIndex,
    /// What is known of producers below the offset in the name; see [`super::producer_snapshot`].
    ProducerSnapshot,
}

impl FileKind {
    /// All of them, in the order in which a segment's files are taken away: without its `.log` the rest means nothing.
    pub const ALL: [FileKind; 5] = [
        FileKind::Log,
        FileKind::OffsetIndex,
        FileKind::TimeIndex,
        FileKind::TransactionIndex,
        FileKind::ProducerSnapshot,
    ];

    const fn extension(self) -> &'static str {
        match self {
            FileKind::Log => "log",
            FileKind::OffsetIndex => "index",
            FileKind::TimeIndex => "timeindex",
            FileKind::TransactionIndex => "txnindex",
            FileKind::ProducerSnapshot => "snapshot",
        }
    }
}

/// What a second extension says of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Suffix {
    /// No longer part of the log; waits to be removed.
    Deleted,
    /// A cleaner's or splitter's work in progress: not yet part of the log.
    Cleaned,
    /// A cleaner's finished work, to be put in the place of the segments that it replaces.
    Swap,
}

/// The name of a file of a segment or a snapshot: `<20 digits>.<extension>`.
///
/// # Panics
/// If the offset is negative: no log has one.
pub fn file_name(offset: Offset, kind: FileKind) -> String {
    assert!(offset >= Offset::ZERO, "a file for offset {offset}");
    format!("{:020}.{}", offset.0, kind.extension())
}

/// Reads a file's name back; `None` for any other file, which is none of the log's business.
pub fn parse_file_name(name: &Path) -> Option<(Offset, FileKind, Option<Suffix>)> {
    let (digits, rest) = name.to_str()?.split_once('.')?;
    if digits.len() != 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let offset = Offset(digits.parse().ok()?);
    let (extension, suffix) = match rest.split_once('.') {
        None => (rest, None),
        Some((extension, "deleted")) => (extension, Some(Suffix::Deleted)),
        Some((extension, "cleaned")) => (extension, Some(Suffix::Cleaned)),
        Some((extension, "swap")) => (extension, Some(Suffix::Swap)),
        Some(_) => return None,
    };
    let kind = FileKind::ALL.into_iter().find(|kind| kind.extension() == extension)?;
    Some((offset, kind, suffix))
}

/// Which partition a folder holds, by the topic's name: `<topic>-<partition>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PartitionName {
    /// The topic's name. May hold dashes and dots, and may be nothing but dots.
    pub topic: String,
    /// The partition's number.
    pub partition: PartitionIndex,
}

/// The name is not that of a partition's folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAPartition;

impl fmt::Display for PartitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

impl FromStr for PartitionName {
    type Err = NotAPartition;

    fn from_str(name: &str) -> Result<PartitionName, NotAPartition> {
        let (topic, partition) = name.rsplit_once('-').ok_or(NotAPartition)?;
        // Only as Kafka writes it: else two folders could be one partition.
        let canonical = partition == "0" || !partition.starts_with('0');
        let digits = !partition.is_empty() && partition.bytes().all(|byte| byte.is_ascii_digit());
        if topic.is_empty() || !digits || !canonical {
            return Err(NotAPartition);
        }
        let partition = PartitionIndex(partition.parse().map_err(|_| NotAPartition)?);
        Ok(PartitionName { topic: topic.to_owned(), partition })
    }
}

impl fmt::Display for NotAPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the folder of a partition: expected <topic>-<number>")
    }
}

impl std::error::Error for NotAPartition {}

/// What a folder in a log directory is kept for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FolderKind {
    /// A partition that is served.
    Live,
    /// Waits for its deletion; the topic is gone.
    Delete,
    /// A replica that is being moved here from another directory.
    Future,
    /// A partition that metadata doesn't know.
    Stray,
}

/// What a folder is, by its name: a partition's, or one that Kafka put aside (`<topic>-<partition>.<32 hex>-delete`, cut
/// off in the topic's name where it would be too long). `None` is a folder on which Kafka refuses to start.
pub fn parse_folder_name(name: &str) -> Option<FolderKind> {
    let aside = [("-delete", FolderKind::Delete), ("-future", FolderKind::Future), ("-stray", FolderKind::Stray)];
    for (ending, kind) in aside {
        let Some((rest, id)) = name.strip_suffix(ending).and_then(|name| name.rsplit_once('.')) else { continue };
        if rest.rsplit_once('-').is_some() && id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(kind);
        }
    }
    name.parse::<PartitionName>().ok().map(|_| FolderKind::Live)
}

/// The name under which a deleted partition's folder waits for its removal. `id` makes it unique.
pub fn deleted_folder_name(partition: &PartitionName, id: Uuid) -> String {
    aside(partition, id, "delete")
}

/// The name under which a folder is kept of which nobody knows to which topic it belongs.
pub fn stray_folder_name(partition: &PartitionName, id: Uuid) -> String {
    aside(partition, id, "stray")
}

fn aside(partition: &PartitionName, id: Uuid, kind: &str) -> String {
    let ending = format!("-{}.{:032x}-{kind}", partition.partition, u128::from_be_bytes(id.0));
    let mut room = partition.topic.len().min(FOLDER_NAME_BYTES_MAX - ending.len());
    while !partition.topic.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}{ending}", &partition.topic[..room])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_reads_back() {
        assert_eq!(file_name(Offset(189), FileKind::Log), "00000000000000000189.log");
        for kind in FileKind::ALL {
            let name = file_name(Offset(i64::MAX), kind);
            assert_eq!(parse_file_name(Path::new(&name)), Some((Offset(i64::MAX), kind, None)));
            for (suffix, meant) in [("deleted", Suffix::Deleted), ("cleaned", Suffix::Cleaned), ("swap", Suffix::Swap)]
            {
                let name = format!("{name}.{suffix}");
                assert_eq!(parse_file_name(Path::new(&name)), Some((Offset(i64::MAX), kind, Some(meant))));
            }
        }
        let others = ["partition.metadata", "189.log", "-0000000000000000189.log", "00000000000000000189.logs"];
        for name in others.iter().chain(&["99999999999999999999.log", "00000000000000000189", "x.log.deleted"]) {
            assert_eq!(parse_file_name(Path::new(name)), None, "{name}");
        }
    }

    /// Topics are called anything; only the last dash parts the number.
    #[test]
    fn a_folders_name_reads_back_whatever_the_topic_is_called() {
        for (name, topic, partition) in
            [("...-0", "...", 0), ("name-with-dashes-0-1-0", "name-with-dashes-0-1", 0), ("7-12", "7", 12)]
        {
            let read: PartitionName = name.parse().unwrap();
            assert_eq!((read.topic.as_str(), read.partition), (topic, PartitionIndex(partition)));
            assert_eq!(read.to_string(), name);
        }
        for name in ["journal", "topic", "-0", "topic-", "topic-x", "topic-01", "topic-+1", "topic-99999999999"] {
            assert_eq!(name.parse::<PartitionName>(), Err(NotAPartition), "{name}");
        }
    }

    #[test]
    fn a_deleted_folders_name_fits_the_filesystem_and_is_known_again() {
        let id = Uuid(0xa87d3971fc704af3aa61b338ab7a834c_u128.to_be_bytes());
        let doomed: PartitionName = "doomed-0".parse().unwrap();
        assert_eq!(deleted_folder_name(&doomed, id), "doomed-0.a87d3971fc704af3aa61b338ab7a834c-delete");
        let long = PartitionName { topic: "y".repeat(249), partition: PartitionIndex(7) };
        let name = deleted_folder_name(&long, id);
        assert_eq!(name.len(), FOLDER_NAME_BYTES_MAX);
        assert_eq!(parse_folder_name(&name), Some(FolderKind::Delete));
        assert_eq!(parse_folder_name("a-0.a87d3971fc704af3aa61b338ab7a834c-stray"), Some(FolderKind::Stray));
        // A live topic that only looks deleted.
        assert_eq!(parse_folder_name("x-0.delete-0"), Some(FolderKind::Live));
        assert_eq!(parse_folder_name(".hidden"), None);
    }
}
