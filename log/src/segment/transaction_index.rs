//! The index of aborted transactions (`.txnindex`).
//!
//! 34 bytes an entry, big-endian: version 0 (i16), producer id, first offset, last offset (of the marker), last stable
//! offset; in the order of their markers (Kafka's `TransactionIndex`).

use std::io;

use thalweg_wire::{Offset, ProducerId};
use thalweg_world::DiskFile;

use super::entries::{self, Entry};

const ENTRY_BYTES: usize = 34;

/// An aborted transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Aborted {
    /// The layout: 0.
    pub version: i16,
    /// Whose it was.
    pub producer: ProducerId,
    /// Its first offset.
    pub first: Offset,
    /// The offset of its marker.
    pub marker: Offset,
    /// What was stable when the marker came.
    pub last_stable: Offset,
}

impl Aborted {
    /// The size of an entry on disk, in bytes.
    pub const BYTES: usize = ENTRY_BYTES;

    /// Reads one from exactly [`Aborted::BYTES`] bytes.
    pub fn decode(bytes: &[u8]) -> Aborted {
        let number = |at: usize| {
            let mut field = [0; 8];
            field.copy_from_slice(&bytes[at..at + 8]);
            i64::from_be_bytes(field)
        };
        Aborted {
            version: i16::from_be_bytes([bytes[0], bytes[1]]),
            producer: ProducerId(number(2)),
            first: Offset(number(10)),
            marker: Offset(number(18)),
            last_stable: Offset(number(26)),
        }
    }
}

impl Entry for Aborted {
    const BYTES: usize = ENTRY_BYTES;

    fn decode(bytes: &[u8]) -> Aborted {
        Aborted::decode(bytes)
    }
}

/// Cuts the entries of markers at `to` and above.
pub(crate) fn truncate(file: &dyn DiskFile, to: Offset) -> io::Result<()> {
    let size = file.size()?;
    let count = u32::try_from(size / ENTRY_BYTES as u64).unwrap_or(u32::MAX);
    let kept = entries::in_order(file, count, |_, entry: Aborted| entry.marker < to)?;
    let kept = u64::from(kept) * ENTRY_BYTES as u64;
    if kept < size {
        file.set_size(kept)?;
        file.sync()?;
    }
    Ok(())
}
