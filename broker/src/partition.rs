//! A partition: the replica's rules and the log's bytes behind one short lock, and those who wait for it.
//!
//! Passive: whoever calls does the work. The lock is never held over an await; the journal's queue is the only lock
//! taken under it, and never a second partition's.

use std::sync::{Arc, Mutex, MutexGuard};

use thalweg_log::files::Files;
use thalweg_log::journal::Reservation;
use thalweg_log::lane::{Lane, Road, Sent, Written};
use thalweg_log::log::{Mark, ReadLimit, Reading, Stable, TimeSearch};
use thalweg_log::log_starts::LogStarts;
use thalweg_log::write_out::{Pending, Urgency, WriteOut};
use thalweg_log::{Journal, Log};
use thalweg_replica::{Admitted, AppendError, EpochEnd, Isolation, Leader, LogStartError};
use thalweg_wire::batch::{Batch, Verified};
use thalweg_wire::producers::Producers;
use thalweg_wire::{ErrorCode, LeaderEpoch, Offset, Timestamp, TopicPartition};

use crate::settings::TopicSettings;
use crate::waiters::{Arrivals, Countdown, SubscriptionNumber, Waiters, Wakes};

/// One partition that this broker leads.
pub struct Partition {
    id: TopicPartition,
    durability: Durability,
    journal: Journal<Mark>,
    lane: Lane,
    write_out: WriteOut,
    state: Mutex<State>,
}

struct State {
    leader: Leader,
    log: Log,
    road: Road,
    waiters: Waiters,
    /// Whether the writer of files knows that something is pending.
    listed: Option<Urgency>,
    /// The log start that is durable.
    stable_start: Offset,
    /// Where the log starts of the directory are kept.
    log_starts: Arc<LogStarts>,
    /// Whether nothing is taken any more, because a write failed.
    offline: bool,
    /// How many bytes stay of one that lives in memory.
    memory_bytes_max: u64,
    /// Whether its topic was deleted: whoever still holds it is told so.
    deleted: bool,
}

/// How a partition's records become stable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// In the journal, before they are acknowledged (`flush.mode=sync`).
    Journal,
    /// In the operating system's page cache (`flush.mode=async`).
    PageCache,
    /// In memory, of which so many bytes are kept (`storage.mode=memory`).
    Memory(u64),
}

impl Durability {
    fn memory_bytes_max(self) -> u64 {
        match self {
            Durability::Memory(limit) => limit,
            Durability::Journal | Durability::PageCache => u64::MAX,
        }
    }
}

/// Where an appended batch stands. It is acknowledged once the high watermark has reached `end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// Offset of its first record.
    pub base: Offset,
    /// Offset after its last record.
    pub end: Offset,
    /// The time that the leader gave it, under `LogAppendTime`.
    pub append_time: Timestamp,
    /// Where the log starts.
    pub log_start: Offset,
}

/// The marks of a partition, as answers carry them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marks {
    /// The first offset that isn't deleted.
    pub log_start: Offset,
    /// Records below are acknowledged.
    pub high_watermark: Offset,
    /// Records below belong to no open transaction.
    pub last_stable_offset: Offset,
    /// The leader's epoch.
    pub epoch: LeaderEpoch,
}

/// Whom an epoch that a client names makes it: see KIP-320.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EpochError {
    /// The client's is older: it must refresh its metadata.
    Fenced,
    /// The client's is newer: this broker is behind.
    Unknown,
}

/// Why a read gives nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// The client and this broker don't agree on the leader's epoch.
    Epoch(EpochError),
    /// The offset lies before the log's start or behind what may be read.
    OutOfRange,
    /// The client's log is not a prefix of this one: its epoch ended here.
    Diverging(EpochEnd),
    /// A write failed.
    Offline,
    /// Its topic was deleted.
    Deleted,
}

/// From where a fetch wants to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FetchPosition {
    /// The first offset wanted.
    pub offset: Offset,
    /// The leader epoch that the client knows; -1 doesn't check.
    pub current_epoch: LeaderEpoch,
    /// The epoch of the last record that the client has; -1 doesn't check.
    pub last_fetched_epoch: LeaderEpoch,
}

/// What a read found.
#[derive(Debug)]
pub struct Read {
    /// Whole batches, the first of which holds the offset; or where they are.
    pub records: Reading,
    /// The marks when they were read.
    pub marks: Marks,
}

/// What a fetch that waits could read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Available {
    /// Bytes of whole batches.
    pub bytes: usize,
    /// The end of what was counted.
    pub end: Offset,
}

impl Partition {
    /// A partition over what was recovered of it.
    pub fn new(
        durability: Durability,
        journal: Journal<Mark>,
        lane: Lane,
        write_out: WriteOut,
        log_starts: Arc<LogStarts>,
        leader: Leader,
        log: Log,
    ) -> Partition {
        assert!(leader.log_end() == log.end(), "the rules end at {}, the bytes at {}", leader.log_end(), log.end());
        let (id, stable_start) = (log.id(), log.start());
        let state = State {
            leader,
            log,
            road: Road::default(),
            waiters: Waiters::default(),
            listed: None,
            stable_start,
            log_starts,
            offline: false,
            deleted: false,
            memory_bytes_max: durability.memory_bytes_max(),
        };
        if let Some(files) = state.log.files() {
            // What the journal says of it is noted before a checkpoint may forget it.
            state.log_starts.note(files.name(), stable_start);
        }
        Partition { id, durability, journal, lane, write_out, state: Mutex::new(state) }
    }

    /// How its records become stable.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Which partition it is.
    pub fn id(&self) -> TopicPartition {
        self.id
    }

    /// Takes a batch: gives it its place and queues it for the journal, which [`Journal::wake`] sends on its way. Under
    /// `acks=all` the countdown waits for it.
    pub fn append(
        &self,
        now: Timestamp,
        batch: Verified,
        reservation: &mut Reservation<Mark>,
        countdown: Option<&Arc<Countdown>>,
        wakes: &mut Wakes,
    ) -> Result<Appended, AppendError> {
        let mut state = self.lock();
        let (base, end, append_time) = match state.leader.admit(now, batch)? {
            Admitted::New { batch, base, end, .. } => {
                let append_time = append_time(&batch);
                let bytes = batch.byte_length();
                let entry = state.log.append(batch);
                match self.durability {
                    Durability::Journal => {
                        self.write_out.arrived(bytes);
                        let State { road, log, leader, .. } = &mut *state;
                        let Sent(bytes) =
                            road.append(log, leader.stable(), entry, reservation, &self.journal, &self.lane);
                        self.write_out.journaled(bytes);
                    }
                    Durability::PageCache => {
                        self.write_out.arrived(bytes);
                        state.list(Urgency::Now, self.id, wakes);
                    }
                    Durability::Memory(_) => state.keep_in_memory(end, wakes),
                }
                (base, end, append_time)
            }
            Admitted::Duplicate { base, end, timestamp } => (base, end, timestamp),
        };
        if let Some(countdown) = countdown
            && state.leader.high_watermark() < end
        {
            state.waiters.await_end(end, countdown);
        }
        Ok(Appended { base, end, append_time, log_start: state.leader.log_start() })
    }

    /// Deletes the records below an offset, or with `None` all that are acknowledged; the new log start, which is durable
    /// when the countdown has ended. Beyond the log start of now nothing happens.
    pub fn delete_records(
        &self,
        below: Option<Offset>,
        reservation: &mut Reservation<Mark>,
        countdown: &Arc<Countdown>,
        wakes: &mut Wakes,
    ) -> Result<Offset, LogStartError> {
        let mut state = self.lock();
        let below = below.unwrap_or(state.leader.high_watermark());
        if let Some(start) = state.leader.move_log_start(below)? {
            state.waiters.moved_quietly();
            if let Durability::Memory(_) = self.durability {
                state.log.forget_below(start);
                state.start_is_stable(start, wakes);
            } else {
                let entry = state.log.move_start(start);
                self.journal.push(reservation, entry);
            }
        }
        let start = state.leader.log_start();
        if state.stable_start < start {
            state.waiters.await_start(start, countdown);
        }
        Ok(start)
    }

    /// Lets a countdown wait until everything below `end` is acknowledged.
    pub fn await_end(&self, end: Offset, countdown: &Arc<Countdown>) {
        let mut state = self.lock();
        if state.leader.high_watermark() < end {
            state.waiters.await_end(end, countdown);
        }
    }

    /// Whether `acks=all` has enough replicas to wait for.
    pub fn has_enough_in_sync(&self) -> bool {
        self.lock().leader.has_enough_in_sync()
    }

    /// The journal made something stable, with the frame of that sequence.
    pub fn stored(&self, sequence: u64, mark: Mark, wakes: &mut Wakes) {
        let mut state = self.lock();
        if state.deleted {
            // A namesake must not begin where this one did.
            return;
        }
        if let Stable::LogStart(start) = mark.stable {
            state.start_is_stable(start, wakes);
            // Segments that are below it go.
            state.list(Urgency::Now, self.id, wakes);
        }
        let Some(end) = state.log.stored(mark) else { return };
        let end = end.min(state.road.durable(sequence, mark.stable));
        state.stored(end, wakes);
        if let Stable::Placed(_) = mark.stable {
            self.now_placed(&mut state, end);
        }
        let State { road, log, .. } = &mut *state;
        // Told by the journal, which looks at its queue next.
        let Sent(bytes) = road.go_on(log, end, &self.journal, &self.lane);
        self.write_out.journaled(bytes);
        if state.log.placed() < state.leader.stable() {
            let is_much = !state.road.is_in_lane() && self.write_out.is_much(state.log.memory_bytes());
            state.list(if is_much { Urgency::Now } else { Urgency::Later }, self.id, wakes);
        }
    }

    /// A write past the journal has ended.
    pub fn written(&self, written: Written, wakes: &mut Wakes) {
        let mut state = self.lock();
        if state.deleted {
            return;
        }
        let State { road, log, .. } = &mut *state;
        let Sent(bytes) = road.written(log, written, &self.journal, &self.lane);
        self.write_out.journaled(bytes);
        if let Some(end) = state.road.placed() {
            state.stored(end, wakes);
            self.now_placed(&mut state, end);
        }
        self.journal.wake();
    }

    /// What went past the journal up to `end` is stable: memory lets go of it.
    fn now_placed(&self, state: &mut State, end: Offset) {
        let (before, generation) = (state.log.memory_bytes(), state.log.generation());
        state.log.now_placed(generation, end);
        self.write_out.gone(before - state.log.memory_bytes());
    }

    /// Takes over what the topic's settings have become. Blocks: its files may be in the middle of a write.
    pub fn follow(&self, settings: &TopicSettings) {
        let files = {
            let mut state = self.lock();
            state.memory_bytes_max = settings.durability().memory_bytes_max();
            if let Durability::Memory(_) = self.durability {
                state.trim();
            }
            state.log.files().cloned()
        };
        if let Some(files) = files {
            files.set_rules(settings.segment_rules());
        }
    }

    /// What is to be written to files: what is stable, or under `flush.mode=async` all there is.
    pub fn pending(&self) -> Option<Pending> {
        let mut state = self.lock();
        state.listed = None;
        if state.deleted {
            return None;
        }
        let files = state.log.files()?.clone();
        let end = match self.durability {
            Durability::Journal => state.leader.stable(),
            Durability::PageCache => state.leader.log_end(),
            Durability::Memory(_) => return None,
        };
        Some(Pending {
            files,
            batches: state.log.pending(end),
            generation: state.log.generation(),
            start: state.stable_start,
        })
    }

    /// The files have what was pending, up to `end`. How many bytes memory let go of.
    pub fn placed(&self, generation: u32, end: Offset, wakes: &mut Wakes) -> usize {
        let mut state = self.lock();
        if state.deleted {
            return 0;
        }
        let before = state.log.memory_bytes();
        state.log.now_placed(generation, end);
        if self.durability == Durability::PageCache {
            state.stored(end, wakes);
        }
        before - state.log.memory_bytes()
    }

    /// Its files; `None` if it lives in memory.
    pub fn files(&self) -> Option<Arc<Files>> {
        self.lock().log.files().cloned()
    }

    /// A write of the directory failed: what waits is told so, and nothing more is taken.
    pub fn failed(&self, wakes: &mut Wakes) {
        let mut state = self.lock();
        state.offline = true;
        state.road.end();
        state.leader.failed();
        state.waiters.failed(wakes);
    }

    /// Its topic was deleted: what waits is told so, and nothing more is taken. How many bytes the writer of files will
    /// not see.
    pub fn deleted(&self, wakes: &mut Wakes) -> usize {
        let mut state = self.lock();
        state.deleted = true;
        state.road.end();
        state.leader.failed();
        state.waiters.deleted(wakes);
        match self.durability {
            Durability::Journal | Durability::PageCache => state.log.memory_bytes(),
            Durability::Memory(_) => 0,
        }
    }

    /// Whether its topic was deleted.
    pub fn is_deleted(&self) -> bool {
        self.lock().deleted
    }

    /// Whether everything below `end` is acknowledged; else why not: it takes too long, or never will be.
    pub fn acknowledged(&self, end: Offset) -> Result<(), ErrorCode> {
        let state = self.lock();
        if state.leader.high_watermark() >= end {
            Ok(())
        } else if state.deleted {
            Err(ErrorCode::UnknownTopicOrPartition)
        } else if state.offline {
            Err(ErrorCode::KafkaStorageError)
        } else {
            Err(ErrorCode::RequestTimedOut)
        }
    }

    /// Whether the log durably begins at `start` or above; else why not: it takes too long, or never will.
    pub fn durably_begins(&self, start: Offset) -> Result<(), ErrorCode> {
        let state = self.lock();
        if state.stable_start >= start {
            Ok(())
        } else if state.deleted {
            Err(ErrorCode::UnknownTopicOrPartition)
        } else if state.offline {
            Err(ErrorCode::KafkaStorageError)
        } else {
            Err(ErrorCode::RequestTimedOut)
        }
    }

    /// Where an epoch ends, if the client may ask under the epoch that it knows; `None` if nobody knows that epoch.
    pub fn end_of_epoch(&self, current: LeaderEpoch, asked: LeaderEpoch) -> Result<Option<EpochEnd>, ReadError> {
        let state = self.lock();
        state.check_epoch(current).map_err(ReadError::Epoch)?;
        if state.offline { Err(ReadError::Offline) } else { Ok(state.leader.end_offset_for(asked)) }
    }

    /// Where the log ends, acknowledged or not.
    pub fn log_end(&self) -> Offset {
        self.lock().leader.log_end()
    }

    /// Bytes of its records: those in files, and those that aren't there yet. Blocks while its files are written.
    pub fn bytes(&self) -> u64 {
        let Some(files) = self.files() else { return self.lock().log.memory_bytes() as u64 };
        // Files first: what they don't have yet is in memory, unless it moved on in between, and then they are asked again.
        loop {
            let (in_files, end) = files.extent();
            let state = self.lock();
            if state.log.placed() <= end || state.deleted {
                return in_files + state.log.bytes_from(end);
            }
        }
    }

    /// Looks at the idempotent producers that it remembers, under its lock: be short.
    pub fn producers<T>(&self, look: impl FnOnce(&Producers) -> T) -> T {
        look(self.lock().leader.producers())
    }

    /// Whether a write of its directory failed.
    pub fn is_offline(&self) -> bool {
        self.lock().offline
    }

    /// The marks now.
    pub fn marks(&self) -> Marks {
        self.lock().marks()
    }

    /// The marks, if the client may ask under its epoch.
    pub fn marks_at(&self, epoch: LeaderEpoch) -> Result<Marks, EpochError> {
        let state = self.lock();
        state.check_epoch(epoch)?;
        Ok(state.marks())
    }

    /// Reads whole batches.
    pub fn read(&self, from: FetchPosition, isolation: Isolation, limit: ReadLimit) -> Result<Read, ReadError> {
        let state = self.lock();
        let readable = state.readable(from, isolation)?;
        let records = state.log.read(from.offset, readable, limit);
        Ok(Read { records, marks: state.marks() })
    }

    /// Bytes that a read from there would find at `beyond` and above, counted up to a limit.
    pub fn available(
        &self,
        from: FetchPosition,
        beyond: Offset,
        isolation: Isolation,
        limit: usize,
    ) -> Result<Available, ReadError> {
        let state = self.lock();
        let end = state.readable(from, isolation)?;
        Ok(Available { bytes: state.log.available(from.offset.max(beyond), end, limit), end })
    }

    /// Lets a fetch hear of new records, and of whatever else its answers tell.
    pub fn subscribe(&self, fetch: &Arc<Arrivals>, slot: u64) -> SubscriptionNumber {
        self.lock().waiters.subscribe(fetch, slot)
    }

    /// Ends that.
    pub fn unsubscribe(&self, number: SubscriptionNumber) {
        self.lock().waiters.unsubscribe(number);
    }

    /// The fetch looks now, and wants to be told again of what comes behind that.
    pub fn rearm(&self, number: SubscriptionNumber) {
        self.lock().waiters.rearm(number);
    }

    /// How many fetches hear of it.
    #[cfg(test)]
    pub fn subscriptions(&self) -> usize {
        self.lock().waiters.subscriptions()
    }

    /// A search by time over what may be read.
    pub fn search(&self, isolation: Isolation) -> TimeSearch {
        let state = self.lock();
        state.log.search(state.leader.readable(isolation).end)
    }

    /// The epoch of the record at an offset, or the current one at the end.
    pub fn epoch_at(&self, offset: Offset) -> LeaderEpoch {
        let state = self.lock();
        state.leader.epochs().epoch_at(offset).unwrap_or_else(|| state.leader.epoch())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds a partition")
    }
}

impl State {
    /// So much is stable now.
    fn stored(&mut self, end: Offset, wakes: &mut Wakes) {
        if let Some(high_watermark) = self.leader.stored(end).high_watermark {
            self.waiters.high_watermark(high_watermark, wakes);
        }
    }

    /// The log begins here, durably.
    fn start_is_stable(&mut self, start: Offset, wakes: &mut Wakes) {
        self.stable_start = self.stable_start.max(start);
        if let Some(files) = self.log.files() {
            self.log_starts.note(files.name(), self.stable_start);
        }
        self.waiters.log_start(start, wakes);
    }

    /// Has the writer of files told, unless it knows.
    fn list(&mut self, urgency: Urgency, id: TopicPartition, wakes: &mut Wakes) {
        if self.log.files().is_some()
            && self.listed.is_none_or(|known| known == Urgency::Later && urgency == Urgency::Now)
        {
            self.listed = Some(urgency);
            wakes.list(id, urgency);
        }
    }

    /// Memory is as stable as such a topic gets.
    fn keep_in_memory(&mut self, end: Offset, wakes: &mut Wakes) {
        self.stored(end, wakes);
        self.trim();
    }

    /// Beyond the limit the oldest records in memory go.
    fn trim(&mut self) {
        let before = self.leader.log_start();
        while self.log.memory_bytes() as u64 > self.memory_bytes_max && self.forget_oldest() {}
        if self.leader.log_start() != before {
            self.waiters.moved_quietly();
        }
    }

    /// Whether it could be: records that aren't acknowledged stay, and so does the last batch.
    fn forget_oldest(&mut self) -> bool {
        let second = self.log.second_batch().filter(|second| *second <= self.leader.high_watermark());
        let Some(second) = second.filter(|second| self.leader.move_log_start(*second).is_ok()) else { return false };
        self.log.forget_below(second);
        self.stable_start = second;
        true
    }

    fn marks(&self) -> Marks {
        Marks {
            log_start: self.leader.log_start(),
            high_watermark: self.leader.high_watermark(),
            last_stable_offset: self.leader.last_stable_offset(),
            epoch: self.leader.epoch(),
        }
    }

    fn check_epoch(&self, epoch: LeaderEpoch) -> Result<(), EpochError> {
        match epoch {
            LeaderEpoch::NONE => Ok(()),
            epoch if epoch < self.leader.epoch() => Err(EpochError::Fenced),
            epoch if epoch > self.leader.epoch() => Err(EpochError::Unknown),
            _ => Ok(()),
        }
    }

    /// The end of what may be read from there.
    fn readable(&self, from: FetchPosition, isolation: Isolation) -> Result<Offset, ReadError> {
        if self.deleted {
            return Err(ReadError::Deleted);
        }
        self.check_epoch(from.current_epoch).map_err(ReadError::Epoch)?;
        if self.offline {
            return Err(ReadError::Offline);
        }
        if from.last_fetched_epoch > LeaderEpoch::NONE {
            match self.leader.end_offset_for(from.last_fetched_epoch) {
                Some(known) if known.epoch < from.last_fetched_epoch || known.end < from.offset => {
                    return Err(ReadError::Diverging(known));
                }
                Some(_) => {}
                None => return Err(ReadError::OutOfRange),
            }
        }
        // A consumer may stand between the mark that it may read to and the log's end: there is nothing yet, no error.
        if from.offset < self.leader.log_start() || from.offset > self.leader.log_end() {
            return Err(ReadError::OutOfRange);
        }
        Ok(self.leader.readable(isolation).end)
    }
}

fn append_time(batch: &Batch) -> Timestamp {
    match batch.header().timestamp_type() {
        thalweg_wire::batch::TimestampType::CreateTime => Timestamp::NONE,
        thalweg_wire::batch::TimestampType::LogAppendTime => batch.header().max_timestamp(),
    }
}
