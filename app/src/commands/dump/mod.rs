//! `thalweg dump`: what stands in the files of a log directory, of ours or of a Kafka, as the library reads them.
//!
//! What a file is is known by its name ([`Kind::of`]); each kind has its reader here: [`segment`], [`indexes`], [`journal`],
//! [`metadata`], [`small`]. They write on a [`page`] as they go.

mod indexes;
mod journal;
mod metadata;
mod page;
mod segment;
mod small;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use thalweg_log::directory::META_PROPERTIES;
use thalweg_log::segment::names::{FileKind, LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA, parse_file_name};
use thalweg_log::segment::producer_window::PRODUCER_WINDOW;
use thalweg_log::segment::text_checkpoint::{LOG_START, RECOVERY_POINT, REPLICATION};
use thalweg_log::verify::read_small;
use thalweg_wire::Offset;
use thalweg_world::DiskFile;
use thalweg_world::disk::{Disk, Open};

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::reach;
use page::Page;

/// Kafka's word on how far its cleaner came.
const CLEANER: &str = "cleaner-offset-checkpoint";

/// With what a Kafka's metadata begins: a segment by another name.
const BOOTSTRAP: &str = "bootstrap.checkpoint";

/// Show what stands in files of a log directory, of ours or of a Kafka.
///
/// What a file is is known by its name. Files are only read, so it may be done while a broker runs on them.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Dump {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// What they are, where their names don't say it
    #[arg(long = "as", value_enum, value_name = "KIND")]
    kind: Option<Kind>,

    /// Show each record of a segment, each entry of a journal, each change of the metadata
    #[arg(long)]
    records: bool,

    /// The same with the records' keys, values and headers
    #[arg(long)]
    values: bool,

    #[command(flatten)]
    output: Output,
}

const EXAMPLES: &str = "\
Examples:
  thalweg dump thalweg-data/logs/orders-0/00000000000000000000.log
      its batches, each with a word if its checksum is wrong
  thalweg dump --values thalweg-data/logs/__consumer_offsets-1/*.log
      what consumers committed
  thalweg dump --records -o json thalweg-data/quorum/journal/*.journal | jq .
      the metadata log, an object a line
  thalweg dump --as time-index copy-of-an-index
      a file that has another name now";

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Kind {
    /// Batches of records: OFFSET.log, or a snapshot of Kafka's metadata, OFFSET-EPOCH.checkpoint
    Segment,
    /// OFFSET.index
    OffsetIndex,
    /// OFFSET.timeindex
    TimeIndex,
    /// OFFSET.txnindex
    TransactionIndex,
    /// OFFSET.snapshot
    ProducerSnapshot,
    /// producer-window
    ProducerWindow,
    /// leader-epoch-checkpoint
    LeaderEpochs,
    /// Recovery-point-, replication-, log-start- or cleaner-offset-checkpoint
    Checkpoint,
    /// partition.metadata
    PartitionMetadata,
    /// meta.properties
    MetaProperties,
    /// NUMBER.journal, of a log directory or of the metadata
    Journal,
    /// INDEX-TERM.snapshot
    MetadataSnapshot,
}

impl Kind {
    /// What a file of that name is.
    fn of(path: &Path) -> Option<Kind> {
        let name = path.file_name()?;
        if let Some((_, kind, _)) = parse_file_name(Path::new(name)) {
            return Some(match kind {
                FileKind::Log => Kind::Segment,
                FileKind::OffsetIndex => Kind::OffsetIndex,
                FileKind::TimeIndex => Kind::TimeIndex,
                FileKind::TransactionIndex => Kind::TransactionIndex,
                FileKind::ProducerSnapshot => Kind::ProducerSnapshot,
            });
        }
        let name = name.to_str()?;
        Some(match name {
            LEADER_EPOCH_CHECKPOINT => Kind::LeaderEpochs,
            PARTITION_METADATA => Kind::PartitionMetadata,
            PRODUCER_WINDOW => Kind::ProducerWindow,
            META_PROPERTIES => Kind::MetaProperties,
            BOOTSTRAP => Kind::Segment,
            RECOVERY_POINT | REPLICATION | LOG_START | CLEANER => Kind::Checkpoint,
            _ => {
                let (stem, extension) = name.rsplit_once('.')?;
                let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                let is_pair = stem.split_once('-').is_some_and(|(one, other)| is_number(one) && is_number(other));
                match extension {
                    "journal" if is_number(stem) => Kind::Journal,
                    "snapshot" if is_pair => Kind::MetadataSnapshot,
                    "checkpoint" if is_pair => Kind::Segment,
                    _ => return None,
                }
            }
        })
    }
}

/// How much is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Depth {
    /// Batches, frames.
    Outline,
    /// What is in them.
    Records,
    /// All of it.
    Values,
}

/// A file that is dumped.
pub(super) struct Source<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) path: &'a Path,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) depth: Depth,
}

impl Dump {
    /// Shows one file after the other.
    pub(super) fn run(self) -> Result<(), Failure> {
        let world = reach::world()?;
        let (mut done, mut failures) = (0, Vec::new());
        for path in &self.files {
            match self.dump(&*world.disk, path) {
                Ok(()) => done += 1,
                Err(failure) if failure.is_unread() => return Err(failure),
                Err(failure) => failures.push(failure),
            }
        }
        Failure::of_several(done, failures)
    }

    fn dump(&self, disk: &dyn Disk, path: &Path) -> Result<(), Failure> {
        let shown = path.display();
        let Some(kind) = self.kind.or_else(|| Kind::of(path)) else {
            let what = format!("{shown}: no file of a log directory has this name");
            return Err(Failure::new(Exit::Usage, what, "--as KIND says what it is; --help lists the kinds"));
        };
        let file = disk.open(path, Open::Read).map_err(|error| unreadable(path, &error))?;
        let depth = match (self.records, self.values) {
            (_, true) => Depth::Values,
            (true, false) => Depth::Records,
            (false, false) => Depth::Outline,
        };
        let mut page = Page::of(&path.display().to_string(), self.output);
        if self.files.len() > 1 {
            page.heading(&format!("{shown}:"))?;
        }
        let source = Source { disk, path, file, depth };
        let dumped = source.dump(kind, &mut page);
        page.end()?;
        dumped
    }
}

impl Source<'_> {
    fn dump(&self, kind: Kind, page: &mut Page) -> Result<(), Failure> {
        match kind {
            Kind::Segment => segment::dump(self, page),
            Kind::OffsetIndex => indexes::offsets(self, page),
            Kind::TimeIndex => indexes::times(self, page),
            Kind::TransactionIndex => indexes::transactions(self, page),
            Kind::ProducerSnapshot => small::producer_snapshot(self, page),
            Kind::ProducerWindow => small::producer_window(self, page),
            Kind::LeaderEpochs => small::leader_epochs(self, page),
            Kind::Checkpoint => small::checkpoint(self, page),
            Kind::PartitionMetadata => small::partition_metadata(self, page),
            Kind::MetaProperties => small::meta_properties(self, page),
            Kind::Journal => journal::dump(self, page),
            Kind::MetadataSnapshot => metadata::snapshot(self, page),
        }
    }

    /// The offset in the file's name.
    fn base(&self) -> Option<Offset> {
        let (base, ..) = parse_file_name(Path::new(self.path.file_name()?))?;
        Some(base)
    }

    /// All of a file that is read at once.
    fn whole(&self, limit: u64) -> Result<Vec<u8>, Failure> {
        read_small(self.disk, self.path, limit).map_err(|error| self.failed(&error))
    }

    /// What the disk says instead of bytes.
    fn failed(&self, error: &io::Error) -> Failure {
        unreadable(self.path, error)
    }

    /// What is there isn't what such a file has.
    fn damaged(&self, why: &str) -> Failure {
        let what = format!("{}: {why}", self.path.display());
        let next = "'thalweg verify DIR' looks over the whole directory, and says what can be mended";
        Failure::new(Exit::Failed, what, next)
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let what = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::NotFound => Failure::new(Exit::Usage, what, "name a file that is there"),
        io::ErrorKind::PermissionDenied => Failure::new(Exit::Failed, what, "run it as the user who runs the broker"),
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => {
            Failure::new(Exit::Usage, what, "name files; 'thalweg verify DIR' looks over directories")
        }
        _ => Failure::new(Exit::Failed, what, "does the disk say more in the system's log?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_is_known_by_its_name() {
        let kind = |name: &str| Kind::of(&Path::new("logs/orders-0").join(name));
        assert_eq!(kind("00000000000000000007.log"), Some(Kind::Segment));
        assert_eq!(kind("00000000000000000007.timeindex.deleted"), Some(Kind::TimeIndex));
        assert_eq!(kind("00000000000000000007.snapshot"), Some(Kind::ProducerSnapshot));
        assert_eq!(kind("00000000000000000120-0000000003.snapshot"), Some(Kind::MetadataSnapshot));
        assert_eq!(kind("00000000000000000120-0000000003.checkpoint"), Some(Kind::Segment));
        assert_eq!(kind("bootstrap.checkpoint"), Some(Kind::Segment));
        assert_eq!(kind("recovery-point-offset-checkpoint"), Some(Kind::Checkpoint));
        assert_eq!(kind("00.journal"), Some(Kind::Journal));
        for name in ["x.journal", "a-b.snapshot", "7.log", ".lock", "notes.txt", "journal"] {
            assert_eq!(kind(name), None, "{name}");
        }
    }
}
