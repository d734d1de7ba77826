//! The index of aborted transactions (`.txnindex`), as far as a truncation has to know it.
//!
//! 34 bytes an entry, big-endian: version 0 (i16), producer id, first offset, last offset (of the marker), last stable
//! offset; in the order of their markers (Kafka's `TransactionIndex`).

use std::io;

use thalweg_wire::Offset;
use thalweg_world::DiskFile;

use super::entries::{self, Entry};

const ENTRY_BYTES: usize = 34;

/// An aborted transaction, by its marker.
#[derive(Clone, Copy)]
struct Aborted {
    marker: Offset,
}

impl Entry for Aborted {
    const BYTES: usize = ENTRY_BYTES;

    fn decode(bytes: &[u8]) -> Aborted {
        let mut marker = [0; 8];
        marker.copy_from_slice(&bytes[18..26]);
        Aborted { marker: Offset(i64::from_be_bytes(marker)) }
    }
}

/// Cuts the entries of markers at `to` and above.
pub(super) fn truncate(file: &dyn DiskFile, to: Offset) -> io::Result<()> {
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
