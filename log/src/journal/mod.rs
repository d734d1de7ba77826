//! One stream of entries for all partitions of a directory: one write makes a whole group of them durable.
//!
//! ```text
//! journal/            files under fixed names, filled with zeros when made, recycled
//!   00.journal        [file header | frame | frame | frame | zeros ...          ]
//!   01.journal        [file header | frame | frame | frames of an earlier lap ..]
//! ```
//!
//! A [`frame`] holds a group of [`entry`]s and starts at a block border. Frames are numbered without a gap, each
//! names the checksum of the one before it, and exactly one write is in flight, ever: so of all frames only the last
//! can be torn, and a hole in the numbers is never the work of a crash. [`scan`] rests on that.
//! [`queue`] is the door for entries; [`ring`] knows which file may be written next; [`driver`] is the loop that writes.

pub mod driver;
pub mod entry;
mod file;
pub mod frame;
pub mod queue;
pub mod ring;
pub mod scan;

pub use driver::Event;
pub use entry::{Entry, Head, Kind};
pub use file::FileHeader;
pub(crate) use file::{Name, name_of, read_name};
pub use queue::{Full, Journal, Queued, Reservation};
pub use ring::{OpenError, Opened, Options};
pub use scan::{Replay, Suspect};
