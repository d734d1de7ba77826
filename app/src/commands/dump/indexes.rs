//! The indexes of a segment, entry by entry. Whether they are right the records say: `thalweg verify`.

use serde::Serialize;
use thalweg_log::segment::offset_index::OffsetEntry;
use thalweg_log::segment::time_index::TimeEntry;
use thalweg_log::segment::transaction_index::Aborted;
use thalweg_wire::Offset;

use super::Source;
use super::page::{Line, Page};
use super::segment::time;
use crate::failure::Failure;

/// Bytes that are read at once, in whole entries of every kind: 8, 12 and 34 bytes.
const PAGE_BYTES: usize = 8 * 3 * 17 * 160;

#[derive(Serialize)]
struct OffsetLine {
    offset: i64,
    position: u32,
}

impl Line for OffsetLine {
    const TYPE: &'static str = "offset_entry";

    fn text(&self) -> String {
        format!("{:>20}  {:>10}", self.offset, self.position)
    }
}

#[derive(Serialize)]
struct TimeLine {
    timestamp: i64,
    offset: i64,
}

impl Line for TimeLine {
    const TYPE: &'static str = "time_entry";

    fn text(&self) -> String {
        format!("{:<24}  {:>20}", time(self.timestamp), self.offset)
    }
}

#[derive(Serialize)]
struct AbortedLine {
    producer_id: i64,
    first_offset: i64,
    marker_offset: i64,
    last_stable_offset: i64,
}

impl Line for AbortedLine {
    const TYPE: &'static str = "aborted_transaction";

    fn text(&self) -> String {
        let AbortedLine { producer_id, first_offset, marker_offset, last_stable_offset } = self;
        format!("{producer_id:>10}  {first_offset:>20}  {marker_offset:>20}  {last_stable_offset:>20}")
    }
}

/// An offset index.
pub(super) fn offsets(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    let base = source.base().unwrap_or(Offset::ZERO);
    page.heading("              OFFSET    POSITION")?;
    each(source, OffsetEntry::BYTES, |bytes| {
        let entry = OffsetEntry::decode(bytes);
        page.line(&OffsetLine { offset: entry.offset(base).0, position: entry.position })
    })
}

/// A time index.
pub(super) fn times(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    let base = source.base().unwrap_or(Offset::ZERO);
    page.heading("UP TO                                   OFFSET")?;
    each(source, TimeEntry::BYTES, |bytes| {
        let entry = TimeEntry::decode(bytes);
        page.line(&TimeLine { timestamp: entry.timestamp.millis(), offset: entry.offset(base).0 })
    })
}

/// An index of aborted transactions.
pub(super) fn transactions(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    page.heading("  PRODUCER                 FIRST                MARKER                STABLE")?;
    each(source, Aborted::BYTES, |bytes| {
        let Aborted { producer, first, marker, last_stable, .. } = Aborted::decode(bytes);
        page.line(&AbortedLine {
            producer_id: producer.0,
            first_offset: first.0,
            marker_offset: marker.0,
            last_stable_offset: last_stable.0,
        })
    })
}

/// Goes over the entries. What stands behind the last whole one is told; zeros are what a Kafka leaves in a file that it has
/// made as large as it may become.
fn each(
    source: &Source<'_>,
    entry_bytes: usize,
    mut visit: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut bytes = vec![0; PAGE_BYTES];
    let mut at = 0;
    loop {
        let read = source.file.read_at(&mut bytes, at).map_err(|error| source.failed(&error))?;
        let whole = &bytes[..read - read % entry_bytes];
        for (number, entry) in whole.chunks_exact(entry_bytes).enumerate() {
            if at + number as u64 > 0 && entry.iter().all(|byte| *byte == 0) {
                return Ok(());
            }
            visit(entry)?;
        }
        at += read as u64;
        if read < bytes.len() {
            let over = read % entry_bytes;
            return if over == 0 {
                Ok(())
            } else {
                Err(source.damaged(&format!("the last {over} bytes are no whole entry")))
            };
        }
    }
}
