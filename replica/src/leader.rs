//! The leader of one partition: gives offsets, moves the marks, says who may read how far.
//!
//! Four ends, never out of order: log start ≤ high watermark ≤ stable ≤ log end. The high watermark never goes back.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use thalweg_wire::batch::{Batch, TimestampType, Verified};
use thalweg_wire::producers::Producers;
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, Moment, Offset, Timestamp};

use crate::epochs::{EpochEnd, EpochStart, Epochs};
use crate::high_watermark::{self, Mark, Standing};
use crate::producers::{Place, SequenceError, Window};

/// A partition as its replica found it on disk. All of it is stable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovered {
    /// The first offset that still counts.
    pub log_start: Offset,
    /// The offset that the next batch gets.
    pub log_end: Offset,
    /// The last high watermark known; may be older than what it stands beside.
    pub high_watermark: Offset,
    /// The leader epoch cache.
    pub epochs: Epochs,
    /// Its producers, up to the log's end.
    pub producers: Producers,
}

/// What the cluster's metadata says of the partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reign {
    /// The leader's own id.
    pub broker: BrokerId,
    /// Its epoch: no later one has written to this log.
    pub epoch: LeaderEpoch,
    /// How many replicas the partition has. One for now.
    pub replicas: usize,
    /// The topic's `min.insync.replicas`.
    pub min_in_sync_replicas: usize,
    /// `producer.id.expiration.ms`: who is silent for longer is forgotten.
    pub producer_expiration: Duration,
}

/// One partition under its leader.
#[derive(Clone, Debug)]
pub struct Leader {
    epoch: LeaderEpoch,
    log_start: Offset,
    log_end: Offset,
    high_watermark: Offset,
    epochs: Epochs,
    /// The leader's own mark first.
    marks: Vec<Mark>,
    effective_min_in_sync: usize,
    /// The largest `LogAppendTime` of this epoch.
    append_time: Timestamp,
    producers: Window,
    condition: Condition,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Condition {
    Serving,
    Failed,
}

/// What became of a batch that was taken. Either kind is acknowledged once the mark that its sender waits for has
/// reached `end`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Admitted {
    /// It has its place in the order: write it.
    New {
        /// With offset, leader epoch and, under `LogAppendTime`, its final timestamp.
        batch: Batch,
        /// Offset of its first record.
        base: Offset,
        /// Offset after its last record.
        end: Offset,
        /// The line that it adds to the leader epoch cache: it is the first of its epoch.
        epoch_started: Option<EpochStart>,
    },
    /// It was taken before, and the sender missed the answer. There is nothing to write.
    Duplicate {
        /// Offset of its first record, as it was given then.
        base: Offset,
        /// Offset after its last record.
        end: Offset,
        /// Its largest timestamp then, which Kafka answers as the time of the append.
        timestamp: Timestamp,
    },
}

/// Why a batch isn't taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AppendError {
    /// A write failed: nothing is taken any more. Another replica, or a restart, may serve.
    Failed,
    /// It doesn't follow its producer's batches.
    Sequence(SequenceError),
}

/// What moved, for those who wait for it.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Effects {
    /// The leader's own stable end moved here: `acks=1` waits for it.
    pub stable: Option<Offset>,
    /// The high watermark moved here: `acks=all` and consumers wait for it.
    pub high_watermark: Option<Offset>,
}

/// How far a reader may see, by Kafka's names of the three kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// A replica: all that is appended, stable or not.
    LogEnd,
    /// A consumer: what is acknowledged.
    HighWatermark,
    /// A `read_committed` consumer: up to the first open transaction.
    TxnCommitted,
}

/// The log can't start there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogStartError {
    /// Records that aren't acknowledged can't be deleted: ask for the high watermark at most.
    BeyondHighWatermark(Offset),
    /// A write failed: nothing moves any more.
    Failed,
}

impl Leader {
    /// Takes up the lead over what was recovered; where the leader alone is in sync, all of it is acknowledged at once.
    ///
    /// A high watermark below the log's start is lifted to it, one above its end cut: whether the end may lie so low is
    /// for recovery to judge, which knows how the log was stopped. The epoch may have written before, if the partition
    /// was only out of memory; that a restart brings a new one is the cluster's metadata's promise.
    ///
    /// # Panics
    /// If the log ends before it starts, or a later epoch has written to it.
    pub fn new(recovered: Recovered, reign: Reign) -> Leader {
        let Recovered { log_start, log_end, high_watermark, mut epochs, producers } = recovered;
        epochs.truncate_from_start(log_start);
        assert!(Offset::ZERO <= log_start && log_start <= log_end, "a log from {log_start} to {log_end}");
        assert!(reign.replicas == 1, "followers aren't served yet");
        let latest = epochs.latest().map_or(LeaderEpoch::NONE, |line| line.epoch);
        assert!(LeaderEpoch::NONE < reign.epoch && latest <= reign.epoch, "epoch {} after {latest}", reign.epoch);
        let own = Mark { broker: reign.broker, standing: Standing::InSync, stable: log_end };
        let mut leader = Leader {
            epoch: reign.epoch,
            log_start,
            log_end,
            high_watermark: high_watermark.clamp(log_start, log_end),
            epochs,
            marks: vec![own],
            effective_min_in_sync: high_watermark::effective_min_in_sync(reign.min_in_sync_replicas, reign.replicas),
            append_time: Timestamp::NONE,
            producers: Window::new(producers, reign.producer_expiration),
            condition: Condition::Serving,
        };
        let _nobody_waits_yet = leader.advance();
        leader
    }

    /// Begins a new epoch: batches admitted from now on carry it. Its line in the epoch cache comes with the first.
    ///
    /// # Panics
    /// If the epoch isn't higher than the one before: an old number would let two leaders write as one.
    pub fn become_leader(&mut self, epoch: LeaderEpoch) {
        assert!(epoch > self.epoch, "epoch {epoch} after {}", self.epoch);
        self.epoch = epoch;
        // Append times are held in order within an epoch only, so that a clock once set wrong does not stay wrong for ever.
        self.append_time = Timestamp::NONE;
    }

    /// Gives a batch its place. From here the order is fixed: the caller writes what it gets in the order of the calls.
    ///
    /// A `LogAppendTime` never goes back within an epoch: one that would (its connection verified it earlier, or the
    /// clock was set back) becomes that of the batch before. `now` is for producers, whose entries expire.
    ///
    /// # Errors
    /// [`AppendError`]; nothing changed then.
    pub fn admit(&mut self, now: Timestamp, batch: Verified) -> Result<Admitted, AppendError> {
        if self.condition == Condition::Failed {
            return Err(AppendError::Failed);
        }
        self.producers.expire(now);
        // A repetition is found, or a gap, before anything is given out.
        match self.producers.place(batch.batch().header()).map_err(AppendError::Sequence)? {
            Place::Next => {}
            Place::Repeated(span) => {
                return Ok(Admitted::Duplicate { base: span.base(), end: span.end(), timestamp: span.timestamp });
            }
        }
        let mut batch = batch.into_batch();
        let base = self.log_end;
        batch.place(base, self.epoch);
        if batch.header().timestamp_type() == TimestampType::LogAppendTime {
            self.append_time = self.append_time.max(batch.header().max_timestamp());
            batch.settle_timestamps(TimestampType::LogAppendTime, self.append_time);
        }
        let end = batch.next_offset();
        assert!(base < end, "a batch from {base} to {end} would leave a hole or an overlap");
        let epoch_started = self.start_epoch(base);
        self.log_end = end;
        self.producers.note(batch.header(), now);
        self.keep_promises();
        Ok(Admitted::New { batch, base, end, epoch_started })
    }

    /// The leader's own log is stable up to here. Reports come late and twice: an old one says nothing.
    ///
    /// # Panics
    /// If more is stable than was ever appended.
    pub fn stored(&mut self, stable: Offset) -> Effects {
        assert!(stable <= self.log_end, "stable {stable} beyond the log end {}", self.log_end);
        if self.condition == Condition::Failed || stable <= self.stable() {
            return Effects::default();
        }
        self.marks[0].stable = stable;
        Effects { stable: Some(stable), high_watermark: self.advance() }
    }

    /// A write failed, for good: what waits is never acknowledged, and nothing more is taken. What was acknowledged
    /// can still be read.
    pub fn failed(&mut self) {
        self.condition = Condition::Failed;
    }

    /// The offsets that such a reader may be given.
    pub fn readable(&self, isolation: Isolation) -> Range<Offset> {
        let end = match isolation {
            Isolation::LogEnd => self.log_end,
            Isolation::HighWatermark => self.high_watermark,
            Isolation::TxnCommitted => self.last_stable_offset(),
        };
        self.log_start..end
    }

    /// Drops records before `to`, as DeleteRecords asks: the new start if it moved, to be made durable before anybody
    /// is told; `None` if the log starts there or later.
    ///
    /// # Errors
    /// [`LogStartError`].
    pub fn move_log_start(&mut self, to: Offset) -> Result<Option<Offset>, LogStartError> {
        if self.condition == Condition::Failed {
            return Err(LogStartError::Failed);
        }
        if to > self.high_watermark {
            return Err(LogStartError::BeyondHighWatermark(self.high_watermark));
        }
        if to <= self.log_start {
            return Ok(None);
        }
        self.log_start = to;
        self.epochs.truncate_from_start(to);
        self.keep_promises();
        Ok(Some(to))
    }

    /// Whether `acks=all` may be asked for: otherwise NOT_ENOUGH_REPLICAS, before anything is appended.
    pub fn has_enough_in_sync(&self) -> bool {
        high_watermark::has_enough(&self.marks, self.effective_min_in_sync)
    }

    /// Where an epoch ends, as OffsetForLeaderEpoch answers. The leader's own epoch ends at the log's end, whether or
    /// not it has written yet; `None` is an epoch that isn't known here.
    pub fn end_offset_for(&self, requested: LeaderEpoch) -> Option<EpochEnd> {
        if requested == self.epoch {
            return Some(EpochEnd { epoch: requested, end: self.log_end });
        }
        let known = self.epochs.end_offset_for(requested, self.log_end);
        // Between the last epoch that wrote and ours, which would begin at the log's end.
        let silent = || {
            let within = LeaderEpoch::NONE < requested && requested < self.epoch;
            let epoch = self.epochs.latest().map_or(requested, |line| line.epoch);
            within.then_some(EpochEnd { epoch, end: self.log_end })
        };
        known.or_else(silent)
    }

    /// The epoch that batches get.
    pub fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    /// The leader epoch cache.
    pub fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// The producers up to the log's end.
    pub fn producers(&self) -> &Producers {
        self.producers.producers()
    }

    /// The first offset that still counts.
    pub fn log_start(&self) -> Offset {
        self.log_start
    }

    /// The offset that the next batch gets.
    pub fn log_end(&self) -> Offset {
        self.log_end
    }

    /// The end of what the leader itself has on stable storage.
    pub fn stable(&self) -> Offset {
        self.marks[0].stable
    }

    /// The end of what is acknowledged.
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// The end of what is acknowledged and belongs to no open transaction: the high watermark, until there are any.
    pub fn last_stable_offset(&self) -> Offset {
        self.high_watermark
    }

    /// When the leader wants to be asked again although nothing happened: never, while it has no followers that could
    /// fall behind and no transactions that could expire.
    pub fn deadline(&self) -> Option<Moment> {
        None
    }

    fn start_epoch(&mut self, base: Offset) -> Option<EpochStart> {
        if self.epochs.latest().is_some_and(|line| line.epoch == self.epoch) {
            return None;
        }
        self.epochs.assign(self.epoch, base);
        Some(EpochStart { epoch: self.epoch, start: base })
    }

    /// Moves the high watermark as far as the marks allow; it stays where they would have it go back.
    fn advance(&mut self) -> Option<Offset> {
        let allowed = high_watermark::high_watermark(&self.marks, self.effective_min_in_sync)?;
        let moved = allowed > self.high_watermark;
        self.high_watermark = self.high_watermark.max(allowed);
        self.keep_promises();
        moved.then_some(allowed)
    }

    fn keep_promises(&self) {
        let ends = [self.log_start, self.high_watermark, self.stable(), self.log_end];
        assert!(ends.is_sorted(), "start, high watermark, stable end, log end: {ends:?}");
    }
}

impl AppendError {
    /// What Produce answers.
    pub const fn code(self) -> ErrorCode {
        match self {
            AppendError::Failed => ErrorCode::KafkaStorageError,
            AppendError::Sequence(error) => error.code(),
        }
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppendError::Failed => f.write_str("a write to this partition failed: it takes nothing until a restart"),
            AppendError::Sequence(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AppendError {}

impl LogStartError {
    /// What DeleteRecords answers.
    pub const fn code(self) -> ErrorCode {
        match self {
            LogStartError::BeyondHighWatermark(_) => ErrorCode::OffsetOutOfRange,
            LogStartError::Failed => ErrorCode::KafkaStorageError,
        }
    }
}

impl fmt::Display for LogStartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogStartError::BeyondHighWatermark(mark) => write!(f, "the high watermark is {mark}"),
            LogStartError::Failed => f.write_str("a write to this partition failed: nothing moves until a restart"),
        }
    }
}

impl std::error::Error for LogStartError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use thalweg_wire::batch::Builder;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn reign() -> Reign {
        let producer_expiration = Duration::from_hours(24);
        Reign { broker: BrokerId(1), epoch: LeaderEpoch(1), replicas: 1, min_in_sync_replicas: 1, producer_expiration }
    }

    fn leader(log_start: i64, log_end: i64) -> Leader {
        let epochs = if log_end > 0 {
            [EpochStart { epoch: LeaderEpoch(0), start: Offset(log_start) }].into_iter().collect()
        } else {
            Epochs::new()
        };
        let (log_start, log_end) = (Offset(log_start), Offset(log_end));
        Leader::new(
            Recovered { log_start, log_end, high_watermark: log_start, epochs, producers: Producers::default() },
            reign(),
        )
    }

    fn batch(records: i32) -> Verified {
        let filled = (0..records).fold(Builder::new(), |builder, _| builder.record(NOW, None, Some(b"v")));
        Verified::trusted(filled.build().unwrap())
    }

    #[test]
    fn a_partition_that_was_out_of_memory_goes_on_in_its_epoch() {
        let epochs: Epochs = [EpochStart { epoch: LeaderEpoch(1), start: Offset(0) }].into_iter().collect();
        let producers = Producers::default();
        let recovered =
            Recovered { log_start: Offset(0), log_end: Offset(5), high_watermark: Offset(5), epochs, producers };
        let admitted = Leader::new(recovered, reign()).admit(NOW, batch(1));
        assert!(matches!(admitted, Ok(Admitted::New { base: Offset(5), epoch_started: None, .. })));
    }

    #[test]
    #[should_panic(expected = "epoch 1 after 2")]
    fn an_epoch_below_one_that_wrote_is_refused_loudly() {
        let epochs: Epochs = [EpochStart { epoch: LeaderEpoch(2), start: Offset(0) }].into_iter().collect();
        let producers = Producers::default();
        let recovered =
            Recovered { log_start: Offset(0), log_end: Offset(5), high_watermark: Offset(5), epochs, producers };
        let _ = Leader::new(recovered, reign());
    }

    #[test]
    #[should_panic(expected = "stable 3 beyond the log end 2")]
    fn a_disk_that_stored_more_than_there_is_is_a_bug_of_ours() {
        let mut leader = leader(0, 0);
        leader.admit(NOW, batch(2)).unwrap();
        let _ = leader.stored(Offset(3));
    }

    #[derive(Clone, Debug)]
    enum Event {
        Admit(i32),
        /// A report of this per cent of the log: often an old one.
        Stored(i64),
        LogStart(i64),
        Elected,
        Failed,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            6 => (1..5).prop_map(Event::Admit),
            6 => (0..=100i64).prop_map(Event::Stored),
            1 => (0..=110i64).prop_map(Event::LogStart),
            1 => Just(Event::Elected),
            1 => prop::bool::weighted(0.1).prop_map(|breaks| if breaks { Event::Failed } else { Event::Elected }),
        ]
    }

    proptest! {
        #[test]
        fn in_any_order_of_events_offsets_are_dense_and_nothing_acknowledged_is_taken_back(
            log_start in 0..5i64, length in 0..5i64, events in prop::collection::vec(event(), 0..60),
        ) {
            let mut leader = leader(log_start, log_start + length);
            let mut broken = false;
            for event in events {
                let before = leader.clone();
                match event {
                    Event::Admit(records) => match leader.admit(NOW, batch(records)) {
                        Ok(Admitted::New { batch, base, end, epoch_started }) => {
                            prop_assert!(!broken);
                            prop_assert_eq!((base, end), (before.log_end, base.plus(i64::from(records))));
                            prop_assert_eq!((batch.base_offset(), batch.next_offset()), (base, end));
                            prop_assert_eq!(batch.header().leader_epoch(), leader.epoch());
                            prop_assert_eq!(batch.check(), Ok(()));
                            let first = before.epochs.latest().is_none_or(|line| line.epoch < leader.epoch());
                            prop_assert_eq!(epoch_started.is_some(), first);
                            prop_assert_eq!(leader.epochs.epoch_at(base), Some(leader.epoch()));
                        }
                        other => prop_assert!(broken && other == Err(AppendError::Failed)),
                    },
                    Event::Stored(share) => {
                        let stable = Offset(before.log_end.0 * share / 100);
                        let effects = leader.stored(stable);
                        let moved = (!broken && stable > before.stable()).then_some(stable);
                        prop_assert_eq!(effects, Effects { stable: moved, high_watermark: moved });
                    }
                    Event::LogStart(share) => {
                        let to = Offset(before.log_end.0 * share / 100);
                        let moved = leader.move_log_start(to);
                        prop_assert_eq!(moved.is_err(), broken || to > before.high_watermark);
                        prop_assert_eq!(leader.log_start, before.log_start.max(moved.ok().flatten().unwrap_or(Offset(0))));
                    }
                    Event::Elected => leader.become_leader(LeaderEpoch(before.epoch.0 + 1)),
                    Event::Failed => {
                        leader.failed();
                        broken = true;
                    }
                }
                prop_assert!(leader.high_watermark >= before.high_watermark && leader.stable() >= before.stable());
                prop_assert!(leader.high_watermark <= leader.stable() && leader.stable() <= leader.log_end);
                for isolation in [Isolation::LogEnd, Isolation::HighWatermark, Isolation::TxnCommitted] {
                    let readable = leader.readable(isolation);
                    prop_assert!(readable.start <= readable.end);
                }
                prop_assert_eq!(leader.end_offset_for(leader.epoch).map(|answer| answer.end), Some(leader.log_end));
            }
        }
    }
}
