//! The verbs of the metadata log, whoever keeps it: a node alone, or voters that agree by Raft.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use thalweg_wire::{BrokerId, Uuid};
use thalweg_world::BoxFuture;

use crate::position::{Index, Position, Term};
use crate::snapshot::Snapshot;

/// One ordered log that all nodes of a cluster agree on.
///
/// It has one reader, the driver of the cluster's image; everybody else reads the image.
pub trait MetaLog: Send + Sync + 'static {
    /// Puts entries behind all that were proposed before, in the order of the calls (the place is fixed when the call
    /// returns, not when its future is polled), and answers with their indexes once they are durable. Each payload is
    /// one entry, which appears whole or not at all; of several, after a failure, a first part may be there.
    fn propose(&self, payloads: Vec<Bytes>) -> BoxFuture<'static, Result<Range<Index>, ProposeError>>;

    /// What was committed and not yet given out, in order, at least one thing: after a start the newest snapshot and the
    /// entries above it, then entries as they come. Each is given out once. Dropping the future loses nothing.
    fn committed(&self) -> BoxFuture<'_, Result<Vec<Committed>, Failed>>;

    /// Keeps the image as it is after the entry at `at`, so that the log below may be forgotten. Durable when it
    /// answers. One that isn't newer than the last is passed over.
    ///
    /// # Panics
    /// If `at` is not yet committed: only [`Entry::at`] of an entry that was given out is a position to use.
    fn snapshot(&self, at: Position, image: Bytes) -> BoxFuture<'static, Result<(), SnapshotError>>;

    /// Whether the log has grown so much since the last snapshot that it wants another one.
    fn snapshot_is_due(&self) -> bool;

    /// Answers with an index that is at least that of every entry acknowledged to anybody before the call: an image
    /// that has applied it is not stale (Raft's read index).
    fn read_barrier(&self) -> BoxFuture<'static, Result<Index, Failed>>;

    /// Who agrees, and who leads.
    fn membership(&self) -> Membership;

    /// Ready when the log can't go on: the process is to exit, since it can't know what is durable.
    fn failed(&self) -> BoxFuture<'static, Failed>;
}

/// Something that everybody agrees on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Committed {
    /// The image begins anew from here. Comes first after a start, if there is one.
    Snapshot(Snapshot),
    /// The next entry.
    Entry(Entry),
}

/// An entry of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Where it stands.
    pub at: Position,
    /// What it says: a list of framed records, which this crate doesn't look into.
    pub payload: Bytes,
}

/// A member of the quorum: a node *and* its disk, so that a node which comes back with an empty disk is another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Voter {
    /// `node.id`.
    pub node: BrokerId,
    /// `directory.id` of the quorum's folder.
    pub directory: Uuid,
}

impl fmt::Display for Voter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} with directory {}", self.node, self.directory)
    }
}

/// Who agrees on the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Membership {
    /// The voters.
    pub voters: BTreeSet<Voter>,
    /// The index from which on they are the voters.
    pub since: Index,
    /// The present term.
    pub term: Term,
    /// Its leader, if it is known.
    pub leader: Option<Voter>,
}

/// Why an entry was not accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProposeError {
    /// Too much is on its way, or a snapshot has to make room first: nothing was written, try again.
    Busy,
    /// Larger than an entry may be: nothing was written. Split it.
    TooLarge {
        /// What was given, in bytes.
        bytes: usize,
        /// What may be, in bytes.
        max: usize,
    },
    /// The log was stopped: nothing was written.
    Stopped,
    /// The log failed. Whether the entries are durable shows at the next start.
    Failed,
}

impl fmt::Display for ProposeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProposeError::Busy => f.write_str("the metadata log has no room just now"),
            ProposeError::TooLarge { bytes, max } => {
                write!(f, "{bytes} bytes of metadata at once are too many: at most {max}")
            }
            ProposeError::Stopped => f.write_str("the metadata log was stopped"),
            ProposeError::Failed => f.write_str("the metadata log has failed"),
        }
    }
}

impl std::error::Error for ProposeError {}

/// Why there is no new snapshot. The log itself is as it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SnapshotError {
    /// The disk is full: try again later.
    NoSpace,
    /// Larger than a snapshot may be.
    TooLarge,
    /// The log failed, or was stopped.
    Failed,
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::NoSpace => f.write_str("no space on the disk for a snapshot of the metadata"),
            SnapshotError::TooLarge => f.write_str("the metadata is too large for a snapshot"),
            SnapshotError::Failed => f.write_str("the metadata log has failed"),
        }
    }
}

impl std::error::Error for SnapshotError {}

/// The log can't go on: nothing that is not yet acknowledged ever will be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed {
    /// What the disk said.
    pub reason: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the metadata log has failed: {}", self.reason)
    }
}

impl std::error::Error for Failed {}
