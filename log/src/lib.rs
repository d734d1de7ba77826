//! The only code that touches a partition's bytes.
//!
//! [`journal`] makes entries of all partitions durable with one write, and [`lane`] takes past it what is much; [`redo`]
//! says what of it still counts after a crash; [`tail`] holds recent batches in memory; [`log`] reads and writes a
//! partition by offset; [`directory`] is one entry of `log.dirs`, where all of that lives; [`verify`] looks all of it over.
#![forbid(unsafe_code)]

pub mod directory;
pub mod end;
pub mod files;
pub mod journal;
pub mod lane;
pub mod log;
pub mod log_starts;
mod producers;
pub mod redo;
pub mod removal;
pub mod segment;
pub mod tail;
pub mod verify;
pub mod write_out;

pub use directory::LogDirectory;
pub use journal::Journal;
pub use log::Log;
