//! Looks over what is on a disk and says what is wrong with it: every batch, every index entry, every small file.
//!
//! Nothing is opened as a broker would open it, so nothing is cut, and a log with ten bad places is told of all ten. All of
//! it streams: a batch and a page of each index are in memory, whatever the size of the log.
//!
//! - [`directory()`] looks over a log directory, [`partition()`] one folder of it; `thalweg_quorum::verify` the metadata log.
//! - What is found is a [`Finding`]. A *note* is what a killed broker may leave and the next start sets right; *damage* is
//!   what none of them left.
//! - With [`Mode::Repair`] what the records say is made again from the records: indexes, the epochs' file; and a word on
//!   producers that nobody can read goes. **Records are never changed and never taken away**: what of them is damaged is
//!   named, by its offsets.

mod beside;
mod directory;
mod indexes;
mod journal;
mod partition;
mod repair;
mod segment;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_wire::Offset;
use thalweg_wire::batch::Scratch;
use thalweg_world::DiskFile;
use thalweg_world::disk::{Disk, Open};

pub use directory::{directory, is_log_directory, meta};
pub use journal::{Redo, first_kind, journal};
pub use partition::{Extent, Surroundings, partition};

/// What may be done beside looking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Nothing is written.
    Look,
    /// What can be made again from the records is.
    Repair,
}

/// How a directory was left, and so what may be unfinished in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// Its broker stopped cleanly: each file ends where it should.
    Clean,
    /// Its broker was killed, and a journal has what the files may lack.
    WithJournal,
    /// Nobody knows: a Kafka was killed, or this is a copy.
    Unexplained,
}

/// Something that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Whether anything is lost.
    pub weight: Weight,
    /// What it is about.
    pub subject: Subject,
    /// The file, or the folder where a file is missing.
    pub file: PathBuf,
    /// Where in the file, in bytes.
    pub position: Option<u64>,
    /// The offsets that it touches: the first, and the one behind the last if that is known.
    pub offsets: Option<(Offset, Option<Offset>)>,
    /// What it means, as a sentence without an end.
    pub meaning: String,
    /// What can be done about it.
    pub remedy: Remedy,
    /// Whether it was done.
    pub outcome: Outcome,
}

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// What a stop or another version leaves. No start minds it.
    Note,
    /// Bytes that aren't those that were written.
    Damage,
}

/// What a finding is about. The names stay: scripts read them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// A file that the disk doesn't give.
    Unreadable,
    /// A place in a segment where no whole batch stands.
    Batch,
    /// A whole batch with records that don't fit its header.
    Records,
    /// Offsets that are missing, or stand in the wrong order.
    Offsets,
    /// A batch of an earlier leader epoch than the one before it.
    LeaderEpoch,
    /// Segments that overlap, or that nobody can put in order.
    Segments,
    /// `.index`.
    OffsetIndex,
    /// `.timeindex`.
    TimeIndex,
    /// `.txnindex`.
    TransactionIndex,
    /// `leader-epoch-checkpoint`.
    EpochCheckpoint,
    /// `.snapshot`.
    ProducerSnapshot,
    /// `producer-window`.
    ProducerWindow,
    /// `partition.metadata`.
    PartitionMetadata,
    /// One of a directory's checkpoints.
    Checkpoint,
    /// `meta.properties`.
    Meta,
    /// A journal, of a log directory or of the metadata.
    Journal,
    /// The metadata log.
    Metadata,
    /// A snapshot of the metadata.
    MetadataSnapshot,
    /// Something that no broker put there.
    Stray,
}

/// What can be done about a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// Nothing here: another copy has to help.
    Elsewhere,
    /// A repair makes it again from the records.
    Rebuild,
    /// A repair takes it away: a start makes it again from the records.
    Remove,
    /// Nothing has to be done.
    Unneeded,
}

/// What was done about a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing.
    Left,
    /// The remedy was applied.
    Mended,
    /// It was tried.
    Failed(String),
}

/// Takes findings as they come, and counts what was looked at.
pub struct Report<'s> {
    sink: &'s mut dyn FnMut(Finding),
    /// What was looked at so far.
    pub totals: Totals,
    /// For records that are compressed.
    pub(crate) scratch: Scratch,
}

/// How much was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    /// Folders of partitions.
    pub partitions: u64,
    /// Segments.
    pub segments: u64,
    /// Bytes of all files that were read.
    pub bytes: u64,
    /// Whole batches.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Findings that are damage, and stay so.
    pub damage: u64,
    /// Damage that was mended.
    pub mended: u64,
    /// Findings that are none.
    pub notes: u64,
}

impl<'s> Report<'s> {
    /// A report that goes to `sink`.
    pub fn new(sink: &'s mut dyn FnMut(Finding)) -> Report<'s> {
        Report { sink, totals: Totals::default(), scratch: Scratch::new() }
    }

    /// Counts a finding and passes it on.
    pub fn add(&mut self, finding: Finding) {
        match (finding.weight, &finding.outcome) {
            (Weight::Note, _) => self.totals.notes += 1,
            (Weight::Damage, Outcome::Mended) => self.totals.mended += 1,
            (Weight::Damage, Outcome::Left | Outcome::Failed(_)) => self.totals.damage += 1,
        }
        (self.sink)(finding);
    }
}

impl Finding {
    /// Damage to a file, about which nothing can be done here.
    pub fn damage(subject: Subject, file: impl Into<PathBuf>, meaning: impl Into<String>) -> Finding {
        Finding {
            weight: Weight::Damage,
            subject,
            file: file.into(),
            position: None,
            offsets: None,
            meaning: meaning.into(),
            remedy: Remedy::Elsewhere,
            outcome: Outcome::Left,
        }
    }

    /// Something to know that needs nothing.
    pub fn note(subject: Subject, file: impl Into<PathBuf>, meaning: impl Into<String>) -> Finding {
        Finding { weight: Weight::Note, remedy: Remedy::Unneeded, ..Finding::damage(subject, file, meaning) }
    }

    /// What the disk answered instead of bytes.
    pub fn unreadable(file: impl Into<PathBuf>, error: &io::Error) -> Finding {
        Finding::damage(Subject::Unreadable, file, format!("the disk doesn't give it: {error}"))
    }

    /// The same at a place in its file.
    #[must_use]
    pub fn at(self, position: u64) -> Finding {
        Finding { position: Some(position), ..self }
    }

    /// The same about offsets from `first` on, up to the one before `end` if that is known.
    #[must_use]
    pub fn of(self, first: Offset, end: Option<Offset>) -> Finding {
        Finding { offsets: Some((first, end)), ..self }
    }

    /// The same with something that can be done.
    #[must_use]
    pub fn mended_by(self, remedy: Remedy) -> Finding {
        Finding { remedy, ..self }
    }
}

impl Subject {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Subject::Unreadable => "unreadable",
            Subject::Batch => "batch",
            Subject::Records => "records",
            Subject::Offsets => "offsets",
            Subject::LeaderEpoch => "leader-epoch",
            Subject::Segments => "segments",
            Subject::OffsetIndex => "offset-index",
            Subject::TimeIndex => "time-index",
            Subject::TransactionIndex => "transaction-index",
            Subject::EpochCheckpoint => "leader-epoch-checkpoint",
            Subject::ProducerSnapshot => "producer-snapshot",
            Subject::ProducerWindow => "producer-window",
            Subject::PartitionMetadata => "partition-metadata",
            Subject::Checkpoint => "checkpoint",
            Subject::Meta => "meta-properties",
            Subject::Journal => "journal",
            Subject::Metadata => "metadata",
            Subject::MetadataSnapshot => "metadata-snapshot",
            Subject::Stray => "stray",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A file that has to be there, for its bytes.
pub(crate) fn open(disk: &dyn Disk, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
    disk.open(path, Open::Read)
}

/// All bytes of a small file. One that is larger than it may be is an error of `InvalidData`.
pub fn read_small(disk: &dyn Disk, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(disk, path)?;
    let size = file.size()?;
    if size > limit {
        let message = format!("its {size} bytes are more than such a file has");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let mut bytes = vec![0; size as usize];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}
