//! Makes the records of a log durable while others go on appending to it.
//!
//! A log that is synced by nobody but a checkpoint leaves gigabytes of dirty pages to it, and who waits for that
//! checkpoint pays for them (see [`crate::write_out`]).

use std::io;
use std::sync::{Arc, PoisonError};

use thalweg_wire::Offset;
use thalweg_world::disk::is_full;

use super::folder::Folder;
use super::reader::Shared;

/// What of a log a crash could take. Each holds those before it. All segments but the last are always durable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Unsynced {
    Nothing,
    /// Bytes of the last segment.
    Bytes,
    /// Names in the folder.
    Names,
    /// The folder itself.
    Folder,
}

/// How much of the last segment a sync is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// Its `.log`.
    Records,
    /// Its indexes too.
    All,
}

/// A sync that is to be done, of what a log had when it was made (see [`super::Segments::flush_due`]).
pub struct Flush {
    pub(super) shared: Arc<Shared>,
    pub(super) unsynced: Unsynced,
    pub(super) part: Part,
    /// The segment that it is about.
    pub(super) base: Offset,
    /// Where the records ended.
    pub(super) end: Offset,
    /// The list's, at that time.
    pub(super) generation: u64,
}

impl Flush {
    /// Does it. Blocks, but holds up nobody else. A segment that was taken away meanwhile needs no sync.
    ///
    /// # Errors
    /// Those of the disk; final.
    pub fn run(&self) -> io::Result<()> {
        let outcome = match self.part {
            Part::Records => finally(&self.shared, |folder| folder.sync_records(self.base)),
            Part::All => sync(&self.shared, Some(self.base), self.unsynced),
        };
        // Whoever takes files away says so first; then this counts for nothing (see [`super::Segments::flushed`]).
        let is_past = || self.shared.list().generation != self.generation;
        match outcome {
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_past() => Ok(()),
            outcome => outcome,
        }
    }
}

/// Makes durable what a crash could take of a log whose last segment begins there.
///
/// # Errors
/// Those of the disk; final, also where it was full (thin volumes find that out when they write back): a second sync would
/// succeed without the bytes that the first has lost.
pub(super) fn sync(shared: &Shared, active: Option<Offset>, unsynced: Unsynced) -> io::Result<()> {
    finally(shared, |folder| {
        if let Some(active) = active.filter(|_| unsynced >= Unsynced::Bytes) {
            folder.sync_segment(active)?;
        }
        match unsynced {
            Unsynced::Folder => folder.sync_folder(),
            Unsynced::Names => folder.sync_names(),
            Unsynced::Nothing | Unsynced::Bytes => Ok(()),
        }
    })
}

/// One sync of a log at a time, and none after one that failed: Linux tells an open file once that its pages were lost, and
/// whoever asks after that hears that all is well.
fn finally(shared: &Shared, sync: impl FnOnce(&Folder) -> io::Result<()>) -> io::Result<()> {
    let mut failed = shared.sync_failed.lock().unwrap_or_else(PoisonError::into_inner);
    if *failed {
        return Err(io::Error::other("a sync of this log failed before"));
    }
    sync(&shared.folder).map_err(|error| {
        // A segment that was taken away says nothing of the others.
        *failed = error.kind() != io::ErrorKind::NotFound;
        if is_full(&error) { io::Error::other(error) } else { error }
    })
}
