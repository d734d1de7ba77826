//! Agreement on the metadata: one ordered log of entries, durable before anybody hears of them.
//!
//! [`MetaLog`] is what the rest of the house knows. [`LocalMetaLog`] is a quorum of one: nobody to ask, the same shape
//! on disk. Its [`entry`]s, vote, voters and [`snapshot`]s are Raft's, so that a node which began alone takes its data
//! along when it gets peers.
//!
//! ```text
//! QUORUM/
//!   .lock             one process at a time
//!   meta.properties   cluster.id, node.id, directory.id, as in a log directory
//!   journal/          entries, vote, voters: the journal of `thalweg_log`, with kinds of our own
//!   00000000000000000120-0000000003.snapshot   the image at index 120, written in term 3
//! ```
#![forbid(unsafe_code)]

pub mod entry;
pub mod local;
pub mod meta_log;
pub mod open;
pub mod position;
pub mod snapshot;
pub mod verify;

pub use local::LocalMetaLog;
pub use meta_log::{Committed, Entry, Failed, Membership, MetaLog, ProposeError, SnapshotError, Voter};
pub use open::{OpenError, Presence, Settings};
pub use position::{Index, Position, RunningHash, Term};
pub use snapshot::Snapshot;
