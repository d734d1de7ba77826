//! What can go wrong with a simulated disk, by chance or on order, and the record of what was done to it.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::rng::{Chance, Digest, Rng};

/// What may go wrong by itself, and how long durable writes take. A power cut needs no chance here: it always loses.
#[derive(Clone, Debug)]
pub struct Faults {
    /// Chances apply only to paths that start with this; `/` is everything. Orders and the capacity ignore it.
    pub within: PathBuf,
    /// A write, plain or durable, fails with `EIO`; some of its bytes may be there.
    pub write_error: Chance,
    /// A sync fails with `EIO`. Bytes that it should have made durable may be lost, and no later sync makes up for it.
    pub sync_error: Chance,
    /// A write is acknowledged and never reaches the medium.
    pub lost_write: Chance,
    /// A write is acknowledged and reaches the medium some blocks beside its place.
    pub misdirected_write: Chance,
    /// A durable write takes [`Faults::slow_write_takes`].
    pub slow_write: Chance,
    /// A read gives one flipped bit; the medium is sound.
    pub rot_on_read: Chance,
    /// At a power cut, each file has this chance that one of its bits has flipped for good.
    pub rot_at_rest: Chance,
    /// The sum of file sizes, in bytes, beyond which writes fail with `ENOSPC`.
    pub capacity: u64,
    /// How long a durable write takes. tokio rounds up to whole milliseconds.
    pub durable_write_takes: RangeInclusive<Duration>,
    /// How long a slow one takes.
    pub slow_write_takes: RangeInclusive<Duration>,
}

impl Default for Faults {
    /// A sound disk of 1 TiB; only a power cut loses anything.
    fn default() -> Faults {
        Faults {
            within: PathBuf::from("/"),
            write_error: Chance::NEVER,
            sync_error: Chance::NEVER,
            lost_write: Chance::NEVER,
            misdirected_write: Chance::NEVER,
            slow_write: Chance::NEVER,
            rot_on_read: Chance::NEVER,
            rot_at_rest: Chance::NEVER,
            capacity: 1 << 40,
            durable_write_takes: Duration::from_micros(60)..=Duration::from_micros(200),
            slow_write_takes: Duration::from_millis(20)..=Duration::from_millis(500),
        }
    }
}

impl Faults {
    /// What chance does to an operation. Draws the same number of times whatever the operation is.
    pub(super) fn strike(&self, kind: Kind, path: &Path, rng: &mut Rng) -> Option<Fault> {
        let is_write = matches!(kind, Kind::Write | Kind::WriteDurable);
        let is_sync = matches!(kind, Kind::Sync | Kind::SyncDir | Kind::SyncFilesystem);
        let dice = [
            (self.write_error, is_write, Fault::Io),
            (self.sync_error, is_sync, Fault::Io),
            (self.lost_write, is_write, Fault::Lost),
            (self.misdirected_write, is_write, Fault::Misdirected),
            (self.slow_write, kind == Kind::WriteDurable, Fault::Slow),
        ];
        let struck = dice.map(|(chance, applies, fault)| (rng.happens(chance) && applies).then_some(fault));
        struck.into_iter().flatten().next().filter(|_| path.starts_with(&self.within))
    }
}

/// What an order does to one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The power goes off in the middle of it: it may have happened, or half of it, and is not durable. It and every
    /// operation after it fail with [`PowerOff`].
    PowerOff,
    /// It fails with `EIO`.
    Io,
    /// It fails with `ENOSPC`.
    NoSpace,
    /// A write that is acknowledged and never reaches the medium.
    Lost,
    /// A write that is acknowledged and reaches the medium beside its place.
    Misdirected,
    /// A durable write that takes [`Faults::slow_write_takes`].
    Slow,
}

/// What is done to a disk. What changes and syncs nothing is not listed, has no number, and can't be the operation at
/// which the power goes off: to the medium, that is the same as the next one that does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A file is made.
    Create,
    /// One directory is made.
    MakeDir,
    /// A name is moved.
    Rename,
    /// A file's name is taken away.
    RemoveFile,
    /// A directory's name is taken away.
    RemoveDir,
    /// A directory's names become durable.
    SyncDir,
    /// Everything becomes durable.
    SyncFilesystem,
    /// A plain write.
    Write,
    /// A file is cut or extended.
    SetSize,
    /// A file's bytes and size become durable.
    Sync,
    /// A durable write.
    WriteDurable,
}

/// One line of the record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// 1 for the first since the disk was made; goes on over power cuts.
    pub number: u64,
    /// What was done.
    pub kind: Kind,
    /// To what; the new name of a rename.
    pub path: PathBuf,
    /// Where in the file, in bytes; the new size for [`Kind::SetSize`].
    pub at: u64,
    /// How many bytes.
    pub length: u64,
}

impl Operation {
    pub(super) fn digest(&self, into: &mut Digest) {
        into.number(self.number);
        into.number(self.kind as u64);
        into.bytes(self.path.as_os_str().as_encoded_bytes());
        into.number(self.at);
        into.number(self.length);
    }
}

/// The error of every operation while the power is off, and of handles from before a power cut or a kill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PowerOff;

impl PowerOff {
    /// Whether an error is this one.
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|source| source.is::<PowerOff>())
    }
}

impl fmt::Display for PowerOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the power is off")
    }
}

impl std::error::Error for PowerOff {}

impl From<PowerOff> for io::Error {
    fn from(off: PowerOff) -> io::Error {
        io::Error::other(off)
    }
}
