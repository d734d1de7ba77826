//! Brings stable records from memory into files, and lets the journal forget what all files have.
//!
//! Records are acknowledged by the journal; this runs behind. A log is written out when much of it is pending, when the
//! journal has grown by so much since the last checkpoint, when memory runs short, and at a clean stop. A checkpoint
//! writes out every log that has something pending, syncs the filesystem once, and tells the journal, whose files then
//! may be written again. Nothing here is on the road of a record.

mod driver;

use std::collections::BTreeSet;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thalweg_wire::batch::Batch;
use thalweg_wire::{Offset, TopicPartition};
use thalweg_world::disk::BLOCK_BYTES;
use tokio::sync::{Notify, watch};

use crate::files::Files;

pub use driver::Driver;

/// Sizes by which the writer is told to act, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// Of one log, pending: it is written out.
    pub log_bytes: usize,
    /// Of the journal, since the last checkpoint: there is one.
    pub journal_bytes: u64,
    /// Of all logs, pending: all are written out.
    pub memory_bytes: usize,
    /// Of the disk, free: below it and one percent of the whole, users' records are refused. What the journal holds has
    /// to find room in files.
    pub reserve_bytes: u64,
    /// Of one log, written since it was last synced: it is synced, beside other work, so that its dirty pages don't fall on
    /// whoever waits for the next checkpoint.
    pub flush_bytes: u64,
}

impl Thresholds {
    /// For a journal of that many bytes in all: a quarter of it stands between two checkpoints, so that a replay is at
    /// most half of it and the rest is slack for bursts.
    pub fn for_journal(bytes: u64) -> Thresholds {
        Thresholds {
            log_bytes: 256 << 10,
            journal_bytes: bytes / 4,
            memory_bytes: 32 << 20,
            reserve_bytes: bytes,
            flush_bytes: 8 << 20,
        }
    }
}

/// Those who hold the logs.
pub trait Logs: Send + Sync + 'static {
    /// What of a log is stable and not yet in files; `None` if it is gone, or lives in memory.
    fn pending(&self, log: TopicPartition) -> Option<Pending>;

    /// The files now have what was pending, up to `end`. How many bytes memory let go of.
    fn placed(&self, log: TopicPartition, generation: u32, end: Offset) -> usize;

    /// A write failed, or the files are damaged: nothing acknowledged can be trusted to reach them. Tells the writer, before
    /// it gives up anything ([`WriteOut::fail`]).
    fn failed(&self, reason: &str);
}

/// What is to be written out of one log.
pub struct Pending {
    /// Where to.
    pub files: Arc<Files>,
    /// What.
    pub batches: Vec<Batch>,
    /// The log's truncation generation.
    pub generation: u32,
    /// Where the log begins, durably: segments below it go.
    pub start: Offset,
}

/// How soon a log is to be written out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// With the next checkpoint.
    Later,
    /// Next.
    Now,
}

/// Tells the writer what there is to do. Cheap to clone.
#[derive(Clone)]
pub struct WriteOut {
    shared: Arc<Shared>,
}

struct Shared {
    thresholds: Thresholds,
    state: Mutex<State>,
    /// Bytes that are in memory only.
    pending: AtomicUsize,
    /// Bytes that were queued for the journal since the last commit.
    journaled: AtomicU64,
    /// The newest frame whose marks the logs have heard.
    through: AtomicU64,
    work: Notify,
    /// How many bytes are pending, for those who wait until it is less.
    relief: watch::Sender<()>,
    /// A sync failed: nothing more is written.
    failed: AtomicBool,
    /// So little is free on the disk that it is kept for what was taken already.
    at_reserve: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Logs with something pending.
    dirty: BTreeSet<TopicPartition>,
    /// Those of them with much.
    urgent: BTreeSet<TopicPartition>,
    /// Bytes of frames since the last checkpoint began.
    journal_bytes: u64,
    /// The frame that the last checkpoint named.
    checkpointed: u64,
    /// A checkpoint has everything in files, and syncs them.
    syncing: bool,
    /// Whether there is to be a checkpoint as soon as it would free something, however little the journal grew.
    checkpoint_wanted: bool,
    drain: bool,
}

/// What the driver does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Task {
    WriteOut,
    Checkpoint,
    Drain,
}

impl WriteOut {
    /// A writer that has nothing to do yet.
    pub fn new(thresholds: Thresholds) -> WriteOut {
        let shared = Shared {
            thresholds,
            state: Mutex::default(),
            pending: AtomicUsize::new(0),
            journaled: AtomicU64::new(0),
            through: AtomicU64::new(0),
            work: Notify::new(),
            relief: watch::Sender::new(()),
            failed: AtomicBool::new(false),
            at_reserve: AtomicBool::new(false),
        };
        WriteOut { shared: Arc::new(shared) }
    }

    /// So many bytes of the journal were redone at the start. They count towards the next checkpoint, else one crash
    /// after the other would fill the journal without any.
    pub fn redone(&self, bytes: u64) {
        self.shared.lock().journal_bytes += bytes;
    }

    /// Whether a log with so many bytes pending should be written out now.
    pub fn is_much(&self, bytes: usize) -> bool {
        bytes >= self.shared.thresholds.log_bytes
    }

    /// Logs have something pending; those with [`Urgency::Now`] are written out next, and all while memory is short: when
    /// that was told, they may not have been stable yet, and whoever waits for memory tells nothing more.
    pub fn dirty(&self, logs: impl IntoIterator<Item = (TopicPartition, Urgency)>) {
        let mut now = self.shared.is_short_of_memory();
        let mut state = self.shared.lock();
        for (log, urgency) in logs {
            state.dirty.insert(log);
            now |= urgency == Urgency::Now && state.urgent.insert(log);
        }
        drop(state);
        if now {
            self.shared.work.notify_one();
        }
    }

    /// So many bytes were queued for the journal.
    pub fn journaled(&self, bytes: usize) {
        self.shared.journaled.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So many bytes came into memory.
    pub fn arrived(&self, bytes: usize) {
        self.shared.pending.fetch_add(bytes, Ordering::Relaxed);
        if self.shared.is_short_of_memory() {
            self.shared.work.notify_one();
        }
    }

    /// So many bytes are in memory no more, and it was not this that wrote them out: their log was deleted, or they went
    /// past the journal.
    pub fn gone(&self, bytes: usize) {
        self.shared.left(bytes);
        self.shared.relief.send_replace(());
    }

    /// Every log has heard of its entries in the frames up to `through`.
    pub fn committed(&self, through: u64) {
        let before = self.shared.through.swap(through, Ordering::AcqRel);
        // The first one's number also counts those from before the start.
        let frames = if before == 0 { 1 } else { through.saturating_sub(before) };
        // What the journal grew by: what was queued, and at least a block for each frame, with or without entries.
        let bytes = self.shared.journaled.swap(0, Ordering::Relaxed) + frames * BLOCK_BYTES as u64;
        let mut state = self.shared.lock();
        state.journal_bytes += bytes;
        if state.journal_bytes >= self.shared.thresholds.journal_bytes || state.checkpoint_wanted {
            drop(state);
            self.shared.work.notify_one();
        }
    }

    /// Somebody waits for room in the journal. A ring may be full before a checkpoint is due by size: where the disk
    /// doesn't let it grow, or where the ends of its files were too short for the next frame.
    pub fn checkpoint_soon(&self) {
        self.shared.lock().checkpoint_wanted = true;
        self.shared.work.notify_one();
    }

    /// Waits until memory holds less than twice what calls for a write-out: producers are faster than the disk.
    pub async fn relief(&self) {
        let limit = 2 * self.shared.thresholds.memory_bytes;
        let mut relief = self.shared.relief.subscribe();
        while self.shared.pending.load(Ordering::Relaxed) > limit {
            if relief.changed().await.is_err() {
                return;
            }
        }
    }

    /// Whether the disk is full but for its reserve: users' records are refused until there is space again, while what
    /// was taken, and what frees space, may still use it.
    pub fn is_at_reserve(&self) -> bool {
        self.shared.at_reserve.load(Ordering::Relaxed)
    }

    /// A write to the directory's files failed elsewhere: no checkpoint is told any more.
    pub fn fail(&self) {
        self.shared.failed.store(true, Ordering::Relaxed);
    }

    /// Asks for everything to be written out, once no more records come; the driver ends then.
    pub fn drain(&self) {
        self.shared.lock().drain = true;
        self.shared.work.notify_one();
    }

    /// Runs the driver: see [`Driver`]. Says whether it ended in order: all that was acknowledged is in synced files.
    pub async fn run(self, driver: Driver) -> Outcome {
        driver.run(self.shared).await
    }
}

/// How the driver ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Everything is in synced files.
    Drained,
    /// It is not; the journal has it.
    Failed,
}

impl State {
    /// A task that the full disk stopped is to be tried again, by itself: those who wait for it are not read meanwhile,
    /// so nobody else would ask.
    fn put_back(&mut self, task: Task, left: Vec<TopicPartition>) {
        self.urgent.extend(&left);
        self.dirty.extend(left);
        if task == Task::Checkpoint {
            self.checkpoint_wanted = true;
            self.syncing = false;
        }
    }
}

impl Shared {
    /// What is to be done now, if anything; `through` is the newest frame whose marks were heard.
    fn next(&self, through: u64) -> Option<(Task, Vec<TopicPartition>)> {
        let mut state = self.lock();
        let task = if state.drain && !state.syncing {
            Task::Drain
        } else if (state.journal_bytes >= self.thresholds.journal_bytes || state.checkpoint_wanted)
            && through > state.checkpointed
            && !state.syncing
        {
            Task::Checkpoint
        } else if self.is_short_of_memory() && !state.dirty.is_empty() {
            let all = mem::take(&mut state.dirty);
            state.urgent.clear();
            return Some((Task::WriteOut, all.into_iter().collect()));
        } else if state.urgent.is_empty() {
            return None;
        } else {
            let urgent = mem::take(&mut state.urgent);
            state.dirty.retain(|log| !urgent.contains(log));
            return Some((Task::WriteOut, urgent.into_iter().collect()));
        };
        state.journal_bytes = 0;
        state.checkpoint_wanted = false;
        state.syncing = true;
        state.urgent.clear();
        Some((task, mem::take(&mut state.dirty).into_iter().collect()))
    }

    /// A checkpoint named that frame; the next one may begin.
    fn checkpointed(&self, through: u64) {
        let mut state = self.lock();
        state.checkpointed = through;
        state.syncing = false;
        drop(state);
        self.work.notify_one();
    }

    /// # Errors
    /// What happened, if nothing more is to be written.
    fn check(&self) -> Result<(), String> {
        if self.failed.load(Ordering::Relaxed) { Err("a write or a sync failed".to_owned()) } else { Ok(()) }
    }

    fn is_short_of_memory(&self) -> bool {
        self.pending.load(Ordering::Relaxed) >= self.thresholds.memory_bytes
    }

    /// So many bytes are in memory no more.
    fn left(&self, bytes: usize) {
        // After a failure nothing is counted as pending, though logs still hold it.
        let less = |pending: usize| Some(pending.saturating_sub(bytes));
        let _ = self.pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use thalweg_wire::{PartitionIndex, TopicId};

    use super::*;

    #[test]
    fn what_becomes_stable_wakes_the_writer_while_memory_is_short() {
        let thresholds = Thresholds::for_journal(1 << 30);
        let writer = WriteOut::new(thresholds);
        let is_woken = || {
            let woken = pin!(writer.shared.work.notified());
            woken.poll(&mut Context::from_waker(Waker::noop())).is_ready()
        };
        let logs = [0, 1].map(|partition| TopicPartition {
            topic: TopicId::from_random([1; 16]),
            partition: PartitionIndex(partition),
        });

        writer.dirty([(logs[0], Urgency::Later)]);
        assert!(!is_woken(), "there is memory enough");
        writer.arrived(thresholds.memory_bytes);
        assert!(is_woken());
        assert!(writer.shared.next(1) == Some((Task::WriteOut, vec![logs[0]])));
        assert!(writer.shared.next(1).is_none(), "the rest isn't stable yet");
        writer.dirty([(logs[1], Urgency::Later)]);
        assert!(is_woken(), "nobody else would say so: producers wait for memory");
        assert!(writer.shared.next(1) == Some((Task::WriteOut, vec![logs[1]])));
    }
}
