//! Where each leader's reign begins in the log: what tells two replicas up to where they agree (KIP-101).

use thalweg_wire::{LeaderEpoch, Offset};

/// A line of the leader epoch cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EpochStart {
    /// The leader's epoch.
    pub epoch: LeaderEpoch,
    /// The offset of its first batch.
    pub start: Offset,
}

/// An answer of OffsetForLeaderEpoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EpochEnd {
    /// The largest epoch that isn't above the one asked for.
    pub epoch: LeaderEpoch,
    /// The offset after its last batch.
    pub end: Offset,
}

/// The leader epoch cache: a line per epoch that wrote something. Epochs and starts both rise strictly.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Epochs {
    lines: Vec<EpochStart>,
}

impl Epochs {
    /// The cache of a log without batches.
    pub const fn new() -> Epochs {
        Epochs { lines: Vec::new() }
    }

    /// Notes that `epoch` begins at `start`. Lines that contradict it, of this or a later epoch or starting there or
    /// later, go: the log was cut before it was written again. A line for the latest epoch that begins later changes
    /// nothing.
    ///
    /// # Panics
    /// If either number is negative: no batch in a log has such.
    pub fn assign(&mut self, epoch: LeaderEpoch, start: Offset) {
        assert!(epoch > LeaderEpoch::NONE && start >= Offset::ZERO, "epoch {epoch} at {start} is no line");
        if self.latest().is_some_and(|latest| latest.epoch == epoch && latest.start <= start) {
            return;
        }
        let agreeing = self.lines.iter().take_while(|line| line.epoch < epoch && line.start < start).count();
        self.lines.truncate(agreeing);
        self.lines.push(EpochStart { epoch, start });
    }

    /// The last line.
    pub fn latest(&self) -> Option<EpochStart> {
        self.lines.last().copied()
    }

    /// All lines, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = EpochStart> + '_ {
        self.lines.iter().copied()
    }

    /// The epoch that the record at `offset` was written in, if the log still knows.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let later = self.lines.partition_point(|line| line.start <= offset);
        self.lines[..later].last().map(|line| line.epoch)
    }

    /// Where `requested` ends, as OffsetForLeaderEpoch answers: the latest epoch ends at the log's end, an older one
    /// where the next that was written begins, and one before all lines ends where these begin. `None` is an epoch
    /// above all that the log knows, or none at all.
    pub fn end_offset_for(&self, requested: LeaderEpoch, log_end: Offset) -> Option<EpochEnd> {
        if requested <= LeaderEpoch::NONE {
            return None;
        }
        let above = self.lines.partition_point(|line| line.epoch <= requested);
        let floor = self.lines[..above].last().map(|line| line.epoch);
        match self.lines.get(above) {
            Some(next) => Some(EpochEnd { epoch: floor.unwrap_or(requested), end: next.start }),
            None if floor == Some(requested) => Some(EpochEnd { epoch: requested, end: log_end }),
            None => None,
        }
    }

    /// The log was cut: nothing at `end` or later is left.
    pub fn truncate_from_end(&mut self, end: Offset) {
        self.lines.retain(|line| line.start < end);
    }

    /// The log now begins at `start`. The epoch that holds `start` stays and begins there, also when the log became
    /// empty: a replica that comes back still has to find the last epoch.
    pub fn truncate_from_start(&mut self, start: Offset) {
        let before = self.lines.partition_point(|line| line.start <= start);
        if let Some(holding) = before.checked_sub(1) {
            self.lines.drain(..holding);
            self.lines[0].start = start;
        }
    }
}

/// Lines as a checkpoint or a scan of the log gives them; those that contradict a later one go.
impl FromIterator<EpochStart> for Epochs {
    fn from_iter<I: IntoIterator<Item = EpochStart>>(lines: I) -> Epochs {
        let mut epochs = Epochs::new();
        lines.into_iter().for_each(|line| epochs.assign(line.epoch, line.start));
        epochs
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn epochs(lines: &[(i32, i64)]) -> Epochs {
        lines.iter().map(|&(epoch, start)| EpochStart { epoch: LeaderEpoch(epoch), start: Offset(start) }).collect()
    }

    fn ends(epochs: &Epochs, log_end: i64, asked: i32) -> Option<(i32, i64)> {
        epochs.end_offset_for(LeaderEpoch(asked), Offset(log_end)).map(|answer| (answer.epoch.0, answer.end.0))
    }

    #[test]
    fn an_epoch_ends_where_the_next_written_one_begins() {
        // As Kafka 4.3 answers for a log of three epochs, and for one whose epoch 2 wrote nothing.
        let all_wrote = epochs(&[(0, 0), (2, 10), (4, 20)]);
        let answers = [(0, 10), (0, 10), (2, 20), (2, 20), (4, 30)];
        assert!((0..).zip(answers).all(|(asked, answer)| ends(&all_wrote, 30, asked) == Some(answer)));

        let one_silent = epochs(&[(0, 0), (4, 5)]);
        let answers = [(0, 5), (0, 5), (0, 5), (0, 5), (4, 10)];
        assert!((0..).zip(answers).all(|(asked, answer)| ends(&one_silent, 10, asked) == Some(answer)));

        assert_eq!(ends(&all_wrote, 30, 5), None);
        assert_eq!(ends(&all_wrote, 30, -1), None);
        assert_eq!(ends(&Epochs::new(), 0, 0), None);
        assert_eq!(ends(&epochs(&[(3, 7)]), 9, 1), Some((1, 7)));
    }

    #[test]
    fn a_line_drives_out_those_that_contradict_it() {
        let mut log = epochs(&[(1, 0), (2, 10), (3, 20)]);
        log.assign(LeaderEpoch(3), Offset(25));
        assert_eq!(log, epochs(&[(1, 0), (2, 10), (3, 20)]));
        log.assign(LeaderEpoch(4), Offset(10));
        assert_eq!(log, epochs(&[(1, 0), (4, 10)]));
        log.assign(LeaderEpoch(0), Offset(30));
        assert_eq!(log, epochs(&[(0, 30)]));
    }

    #[test]
    fn cutting_the_end_forgets_epochs_and_cutting_the_start_moves_one() {
        let log = epochs(&[(1, 0), (2, 10), (3, 20)]);
        let from_end = |end| {
            let mut log = log.clone();
            log.truncate_from_end(Offset(end));
            log
        };
        assert_eq!(from_end(21), log);
        assert_eq!(from_end(20), epochs(&[(1, 0), (2, 10)]));
        assert_eq!(from_end(0), Epochs::new());

        let from_start = |start| {
            let mut log = log.clone();
            log.truncate_from_start(Offset(start));
            log
        };
        assert_eq!(from_start(9), epochs(&[(1, 9), (2, 10), (3, 20)]));
        assert_eq!(from_start(10), epochs(&[(2, 10), (3, 20)]));
        // Everything expired: the log is empty, but who led last isn't forgotten.
        assert_eq!(from_start(30), epochs(&[(3, 30)]));
        let mut late = epochs(&[(5, 40)]);
        late.truncate_from_start(Offset(30));
        assert_eq!(late, epochs(&[(5, 40)]));
    }

    proptest! {
        #[test]
        fn whatever_is_assigned_the_lines_rise_and_every_offset_has_the_epoch_of_the_line_before_it(
            lines in prop::collection::vec((0..20i32, 0..50i64), 0..30),
        ) {
            let log = epochs(&lines);
            prop_assert!(log.lines.is_sorted_by(|a, b| a.epoch < b.epoch && a.start < b.start));
            for offset in (0..50).map(Offset) {
                let expected = log.iter().filter(|line| line.start <= offset).last().map(|line| line.epoch);
                prop_assert_eq!(log.epoch_at(offset), expected);
            }
        }
    }
}
