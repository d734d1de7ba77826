//! The files of one partition, in Kafka's formats: segments, their indexes, and what stands beside them.
//!
//! [`Segments`] is the one writer of a partition's folder: append, roll, truncate, delete, sync. A [`Reader`] reads the
//! same files from other threads while an append goes on. Everything blocks, so callers run it where that is allowed,
//! and everything goes through the seams of [`thalweg_world`], so that a simulated disk serves as well as a real one.
//!
//! What holds it up:
//! - **Only the last segment can be torn**: a roll makes the closed segment durable before the next one exists.
//! - **An index is a hint.** It is written after the records, holds nothing that they don't say, and is checked against
//!   the batch that it points to before it is believed; a wrong one is made again from the `.log`.
//! - **Names go in order**: segments are taken away one by one, each durably, from the end that is being cut, so that a
//!   crash leaves a log without a hole.
//! - **What can't be read is not cut** (promise 7): a bad batch with good ones behind it is an error that names the
//!   place. Only a tail that no batch explains is cut.
//!
//! Nothing here knows epochs, producers or watermarks: [`leader_epochs`], [`producer_snapshot`], [`producer_window`], [`text_checkpoint`] and
//! [`partition_metadata`] are the forms in which others keep them.

mod cached;
pub mod checked;
mod damage;
pub mod descriptors;
pub(crate) mod entries;
pub(crate) mod extent;
mod flush;
mod folder;
pub mod leader_epochs;
pub mod loans;
pub mod names;
pub mod offset_index;
mod open;
pub mod partition_metadata;
mod pieces;
pub mod producer_snapshot;
pub mod producer_window;
mod reach;
mod reader;
mod roll;
mod segments;
mod sending;
mod span;
pub mod text_checkpoint;
pub mod time_index;
pub mod transaction_index;
pub(crate) mod walk;

pub use damage::{Damage, Flaw, SegmentError};
pub use descriptors::Descriptors;
pub use flush::Flush;
pub use open::{Cut, Hole, Opened, Trust};
pub use pieces::{Piece, Pieces};
pub use reach::{Reached, reach};
pub use reader::{Checksums, Reader};
pub use roll::Rules;
pub use segments::{Appended, Segments};
pub use span::{FileSpan, Sendable};
