//! Where the files of a log end.

use thalweg_wire::Offset;
use thalweg_wire::batch::Batch;

/// An end of a log's files, and by what it is known: another batch may have the same last offset after a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// The offset behind the last record.
    pub offset: Offset,
    /// The checksum of the last batch.
    pub crc: u32,
}

impl End {
    /// Where files end whose last batch that is.
    pub fn behind(last: &Batch) -> End {
        End { offset: last.next_offset(), crc: last.header().crc() }
    }
}
