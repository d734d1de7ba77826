//! When a segment is full: Kafka's conditions (`LogSegment.shouldRoll`).

use std::time::Duration;

use thalweg_wire::batch::Header;
use thalweg_wire::{Offset, Timestamp};

use super::extent::Segment;
use super::offset_index::OffsetEntry;
use super::time_index::TimeEntry;

/// A log's settings, as far as its files depend on them. May be changed while the log is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// `segment.bytes`: a batch that would make the `.log` larger goes into the next segment.
    pub segment_bytes: u32,
    /// `segment.ms`: a batch that is newer than the segment's first one by more than this goes into the next segment.
    pub segment_age: Duration,
    /// Taken off `segment_age`, so that partitions don't roll together: drawn by the owner up to `segment.jitter.ms`,
    /// again after each roll.
    pub jitter: Duration,
    /// `index.interval.bytes`: the offset index has an entry each time more than this stands behind the last.
    pub index_interval_bytes: u32,
    /// `segment.index.bytes`: when an index is that large, the segment is full. Nothing is preallocated.
    pub index_bytes: u32,
}

impl Default for Rules {
    /// Kafka's defaults.
    fn default() -> Rules {
        Rules {
            segment_bytes: 1 << 30,
            segment_age: Duration::from_hours(7 * 24),
            jitter: Duration::ZERO,
            index_interval_bytes: 4096,
            index_bytes: 10 << 20,
        }
    }
}

/// Since when a segment ages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Birth {
    /// Since the largest timestamp of its first batch: the records' time, which goes by whatever the clocks say.
    Records(Timestamp),
    /// Since this hour of the wall: its first batch has no timestamp.
    Wall(Timestamp),
}

impl Rules {
    /// Whether a batch has to go into the next segment.
    pub(super) fn is_full(&self, segment: &Segment, birth: Option<Birth>, header: &Header, now: Timestamp) -> bool {
        let bytes = u64::from(segment.bytes) + u64::from(header.length().cast_unsigned()) + LENGTH_END;
        // An empty segment takes a batch of any size: there is no better place for it.
        let too_large = segment.bytes > 0 && bytes > u64::from(self.segment_bytes.min(i32::MAX.cast_unsigned()));
        let age = match birth {
            Some(Birth::Records(first)) => header.max_timestamp().millis().saturating_sub(first.millis()),
            Some(Birth::Wall(since)) => now.millis().saturating_sub(since.millis()),
            None => i64::MIN,
        };
        let limit = self.segment_age.saturating_sub(self.jitter).as_millis();
        let too_old = segment.bytes > 0 && age > i64::try_from(limit).unwrap_or(i64::MAX);
        // The time index keeps one entry for the roll.
        let index_full = segment.offset_entries >= self.index_bytes / OffsetEntry::BYTES as u32
            || segment.time_entries + 1 >= self.index_bytes / TimeEntry::BYTES as u32;
        too_large || too_old || (segment.bytes > 0 && index_full) || !fits(segment.base, header.last_offset())
    }
}

/// Bytes of a batch that its length doesn't count.
const LENGTH_END: u64 = 12;

/// Whether an offset can be said relative to a segment's base: in 31 bits.
fn fits(base: Offset, offset: Offset) -> bool {
    (0..=i64::from(i32::MAX)).contains(&offset.0.saturating_sub(base.0))
}

#[cfg(test)]
mod tests {
    use thalweg_wire::batch::HEADER_BYTES;

    use super::*;

    fn header(base: i64, delta: i32, bytes: i32, max: i64) -> Header {
        let mut header = Header::from_bytes([0; HEADER_BYTES]);
        header.set_base_offset(Offset(base));
        header.set_last_offset_delta(delta);
        header.set_length(bytes - 12);
        header.set_max_timestamp(Timestamp::from_millis(max));
        header
    }

    fn segment(bytes: u32, offset_entries: u32, time_entries: u32) -> Segment {
        Segment { bytes, offset_entries, time_entries, end: Offset(10), ..Segment::empty(Offset(0)) }
    }

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    #[test]
    fn a_segment_is_full_by_size_only_if_there_is_something_in_it() {
        let rules = Rules { segment_bytes: 1000, ..Rules::default() };
        let full = |bytes, batch| rules.is_full(&segment(bytes, 0, 0), None, &header(10, 0, batch, 0), NOW);
        assert!(!full(900, 100));
        assert!(full(900, 101));
        assert!(!full(0, 5000));
    }

    #[test]
    fn a_segment_ages_by_its_records_or_else_by_the_wall() {
        let rules =
            Rules { segment_age: Duration::from_millis(100), jitter: Duration::from_millis(30), ..Rules::default() };
        let full = |birth, max| rules.is_full(&segment(900, 0, 0), Some(birth), &header(10, 0, 100, max), NOW);
        let born = Birth::Records(Timestamp::from_millis(1000));
        assert!(!full(born, 1070));
        assert!(full(born, 1071));
        assert!(!full(born, 5), "records that go back in time don't roll");
        assert!(!full(Birth::Wall(Timestamp::from_millis(NOW.millis() - 70)), 0));
        assert!(full(Birth::Wall(Timestamp::from_millis(NOW.millis() - 71)), 0));
        assert!(!rules.is_full(&segment(0, 0, 0), Some(born), &header(10, 0, 100, 9000), NOW), "nothing in it");
        let never = Rules { segment_age: Duration::MAX, ..rules };
        assert!(!never.is_full(&segment(900, 0, 0), Some(born), &header(10, 0, 100, i64::MAX), NOW));
    }

    #[test]
    fn a_segment_is_full_when_an_index_is_and_the_time_index_keeps_one_entry() {
        let rules = Rules { index_bytes: 100, ..Rules::default() };
        let full = |offsets, times| rules.is_full(&segment(9, offsets, times), None, &header(10, 0, 100, 0), NOW);
        assert!(!full(11, 6));
        assert!(full(12, 6), "12 entries of 8 bytes are all that go into 100");
        assert!(full(11, 7), "8 entries of 12 bytes, and the last is for the roll");
    }

    #[test]
    fn a_segment_reaches_over_as_many_offsets_as_31_bits_say() {
        let full = |base, delta| Rules::default().is_full(&segment(900, 0, 0), None, &header(base, delta, 100, 0), NOW);
        let last = i64::from(i32::MAX);
        assert!(!full(last - 4, 4));
        assert!(full(last - 4, 5));
        assert!(Rules::default().is_full(&segment(0, 0, 0), None, &header(last + 1, 0, 100, 0), NOW));
    }
}
