//! Which entries of a journal still count after a stop: cut, then append.
//!
//! An `Append` at base *b* means "cut the log at *b*, then append", and a `Placed` means "cut the log at its end, which its
//! files reach". A `Placing` is a `Placed` of its second end if the files reach that one, and of its first end if not: then
//! its write was not finished, and never acknowledged. So going over the entries above the checkpoint in order brings a log
//! to its end, whatever its files held. Some entries must not be gone over again:
//!
//! - an `Append` that a later `Truncate` killed: its file is already cut, so nothing may be left for it to continue;
//! - an `Append`, a `Truncate` or a `Placed` before a `Placed` of its log: what the log held then is in the synced segment
//!   and, past the journal's lane, in no entry. Cutting it would lose it;
//! - a `Placed` that a later `Truncate` took something from: the file need not reach its end any more;
//! - whatever stands before a `Drop`.
//!
//! In all of that a `Placing` is a `Placed` of its first end.
//!
//! [`Verdicts`] finds them by one look ahead. That this is enough rests on what the writers of files keep to:
//!
//! 1. A file is cut, and a log deleted, only after the entry that says so is durable; and nothing is written to a file
//!    whose cut is still to come.
//! 2. A checkpoint first chooses its *S*, then writes out each log up to *S*, at a moment when no cut of that log is to
//!    come (a truncation took from memory what was not yet written out, and its entry may not be durable), then syncs,
//!    and only then tells the journal *S*.
//! 3. `Placed` is queued after all of its log's bytes, those that wait for the journal too, were written and synced;
//!    until then that log gets no other entry about its records, not even a `Truncate`. What a `Placing` says to be coming is
//!    acknowledged when it is synced and the `Placing` is durable, both; and recovery syncs of it what it keeps.
//! 4. Nothing of a log is cut that no entry names: what is in its files was durable, all of it.
//! 5. Past the journal nothing is written to a file but behind a durable entry of its log, in a frame past the newest *S*:
//!    that entry cuts off what a crash leaves. A checkpoint does not tell an *S* that reaches it before that is synced.
//! 6. A file of the journal is reused only after a frame is durable that names the newer *S*.

use std::collections::HashMap;

use thalweg_wire::{Offset, TopicPartition};

use crate::journal::Entry;

/// What later entries say of earlier ones. Filled by [`Verdicts::foresee`] with every entry in order, then asked for any
/// of them. Remembers only truncations, placements, log starts and drops, which are rare.
#[derive(Default, Debug)]
pub struct Verdicts {
    later: HashMap<TopicPartition, Later>,
}

/// What is said of one log; positions are counted over all entries of the journal, from 1.
#[derive(Default, Debug)]
struct Later {
    /// Truncations that no later and lower one makes pointless: both numbers rise.
    cuts: Vec<(u64, Offset)>,
    /// Where the last `Placed` stands; 0 without one.
    placed: u64,
    /// Where the last `Drop` stands; 0 without one.
    dropped: u64,
    /// The highest log start, if there is one.
    start: Option<Offset>,
}

impl Verdicts {
    /// Remembers what the entry at a position (counted over all entries of the journal, from 1) does to earlier ones.
    pub fn foresee(&mut self, position: u64, log: TopicPartition, entry: &Entry) {
        match entry {
            Entry::Truncate { to, .. } => {
                let cuts = &mut self.later.entry(log).or_default().cuts;
                while cuts.pop_if(|(_, earlier)| *earlier >= *to).is_some() {}
                cuts.push((position, *to));
            }
            Entry::Placed(_) | Entry::Placing { .. } => self.later.entry(log).or_default().placed = position,
            Entry::Drop => self.later.entry(log).or_default().dropped = position,
            Entry::LogStart { at } => {
                let start = &mut self.later.entry(log).or_default().start;
                *start = (*start).max(Some(*at));
            }
            Entry::Append(_) | Entry::Epoch { .. } => {}
        }
    }

    /// Whether all records below an offset were deleted: then files may lack them.
    pub fn are_deleted(&self, log: TopicPartition, below: Offset) -> bool {
        self.later.get(&log).is_some_and(|later| later.start >= Some(below))
    }

    /// Whether the entry at that position still counts.
    pub fn counts(&self, position: u64, log: TopicPartition, entry: &Entry) -> bool {
        let Some(later) = self.later.get(&log) else { return true };
        if position < later.dropped {
            return false;
        }
        match entry {
            Entry::Append(batch) => position > later.placed && later.lowest_cut(position) > batch.base_offset(),
            Entry::Truncate { .. } => position > later.placed,
            Entry::Placed(placed) | Entry::Placing { placed, .. } => {
                position == later.placed && later.lowest_cut(position) >= placed.offset
            }
            Entry::Epoch { .. } | Entry::LogStart { .. } | Entry::Drop => true,
        }
    }
}

impl Later {
    /// The lowest offset to which a truncation behind that position cuts the log.
    fn lowest_cut(&self, position: u64) -> Offset {
        let behind = self.cuts.partition_point(|(at, _)| *at <= position);
        // Of those behind it the first is the lowest.
        self.cuts.get(behind).map_or(Offset(i64::MAX), |(_, to)| *to)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use thalweg_wire::batch::{Batch, Header};
    use thalweg_wire::{LeaderEpoch, PartitionIndex, Uuid};

    use super::*;
    use crate::end::End;

    fn log(partition: i32) -> TopicPartition {
        TopicPartition { topic: Uuid([1; 16]), partition: PartitionIndex(partition) }
    }

    fn append(base: i64, count: i32) -> Entry {
        let mut header = Header::from_bytes([0; 61]);
        header.set_base_offset(Offset(base));
        header.set_last_offset_delta(count - 1);
        Entry::Append(Batch::new(header, Bytes::new()))
    }

    fn truncate(to: i64) -> Entry {
        Entry::Truncate { to: Offset(to), epoch: LeaderEpoch(1) }
    }

    fn placed(end: i64) -> Entry {
        Entry::Placed(End { offset: Offset(end), crc: 0 })
    }

    /// One letter an entry: which count.
    fn verdicts(entries: &[(i32, Entry)]) -> String {
        let mut verdicts = Verdicts::default();
        for (position, (partition, entry)) in (1..).zip(entries) {
            verdicts.foresee(position, log(*partition), entry);
        }
        let counts = |(position, (partition, entry)): (u64, &(i32, Entry))| {
            if verdicts.counts(position, log(*partition), entry) { 'y' } else { '-' }
        };
        (1..).zip(entries).map(counts).collect()
    }

    #[test]
    fn an_append_that_a_later_truncation_took_back_has_nothing_to_continue() {
        let story = [(0, append(0, 10)), (0, append(10, 5)), (0, truncate(10)), (0, append(10, 2))];
        assert_eq!(verdicts(&story), "y-yy");
    }

    #[test]
    fn each_append_answers_to_the_lowest_truncation_behind_it_not_to_the_last() {
        let story = [
            (0, append(0, 5)),
            (0, append(5, 5)),
            (0, truncate(5)),
            (0, append(5, 5)),
            (0, append(10, 5)),
            (0, truncate(10)),
            (0, append(10, 1)),
        ];
        assert_eq!(verdicts(&story), "y-yy-yy");
    }

    #[test]
    fn what_stands_before_a_placed_of_its_log_is_in_the_file() {
        let story = [(0, append(0, 5)), (0, truncate(0)), (0, append(0, 8)), (0, placed(20)), (0, append(20, 1))];
        assert_eq!(verdicts(&story), "---yy");
        let story = [(0, placed(6)), (0, append(6, 2)), (0, placed(9))];
        assert_eq!(verdicts(&story), "--y", "the first would cut off what the second says is there");
        let story = [(0, truncate(8)), (0, placed(8))];
        assert_eq!(verdicts(&story), "-y", "records that never were in the journal may stand above the truncation now");
        let story = [(0, placed(20)), (0, truncate(5)), (0, append(5, 1))];
        assert_eq!(verdicts(&story), "-yy", "a truncation after it counts, and may have cut the file below it");
    }

    #[test]
    fn a_word_of_a_write_on_its_way_is_one_of_what_was_placed_before_it() {
        let placing = |placed, end| Entry::Placing {
            placed: End { offset: Offset(placed), crc: 0 },
            end: End { offset: Offset(end), crc: 0 },
        };
        let story = [(0, append(0, 5)), (0, placed(5)), (0, placing(5, 9)), (0, placing(9, 12)), (0, append(12, 1))];
        assert_eq!(verdicts(&story), "---yy");
        let story = [(0, placing(5, 9)), (0, placed(9)), (0, truncate(7))];
        assert_eq!(verdicts(&story), "--y");
        let story = [(0, placing(5, 9)), (0, append(5, 2)), (0, truncate(6)), (0, append(6, 1))];
        assert_eq!(verdicts(&story), "yyyy", "the write failed: what it is to bring comes through the journal");
        let story = [(0, placing(5, 9)), (0, truncate(4))];
        assert_eq!(verdicts(&story), "-y", "the file may have been cut below what was placed");
    }

    #[test]
    fn a_log_answers_only_to_entries_of_its_own() {
        let story = [(0, append(0, 5)), (1, truncate(0)), (1, placed(9)), (1, Entry::Drop), (0, append(5, 5))];
        assert_eq!(verdicts(&story), "y--yy");
        let story = [(0, Entry::LogStart { at: Offset(3) }), (0, truncate(3)), (0, placed(9))];
        assert_eq!(verdicts(&story), "y-y", "a log start is no matter of bytes in a file");
    }
}
