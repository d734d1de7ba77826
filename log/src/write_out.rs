//! Brings stable records from memory into files, and lets the journal forget what all files have.
//!
//! Records are acknowledged by the journal; this runs behind. A log is written out when much of it is pending, when the
//! journal has grown by so much since the last checkpoint, when memory runs short, and at a clean stop. A checkpoint
//! writes out every log that has something pending, syncs the filesystem once, and tells the journal, whose files then
//! may be written again. Nothing here is on the road of a record.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thalweg_wire::batch::Batch;
use thalweg_wire::{Offset, TopicPartition};
use thalweg_world::disk::{BLOCK_BYTES, Space};
use thalweg_world::{DiskFile, World};
use tokio::sync::{Notify, watch};

use crate::files::Files;
use crate::log_starts::LogStarts;
use crate::segment::SegmentError;

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
}

impl Thresholds {
    /// For a journal of that many bytes in all: a quarter of it stands between two checkpoints, so that a replay is at
    /// most half of it and the rest is slack for bursts.
    pub fn for_journal(bytes: u64) -> Thresholds {
        Thresholds { log_bytes: 256 << 10, journal_bytes: bytes / 4, memory_bytes: 32 << 20, reserve_bytes: bytes }
    }
}

/// Those who hold the logs.
pub trait Logs: Send + Sync + 'static {
    /// What of a log is stable and not yet in files; `None` if it is gone, or lives in memory.
    fn pending(&self, log: TopicPartition) -> Option<Pending>;

    /// The files now have what was pending, up to `end`. How many bytes memory let go of.
    fn placed(&self, log: TopicPartition, generation: u32, end: Offset) -> usize;

    /// A write failed, or the files are damaged: nothing acknowledged can be trusted to reach them.
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
    /// Bytes that arrived since the last commit.
    arrived: AtomicU64,
    /// The newest frame whose marks the logs have heard.
    through: AtomicU64,
    work: Notify,
    /// How many bytes are pending, for those who wait until it is less.
    relief: watch::Sender<()>,
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
            arrived: AtomicU64::new(0),
            through: AtomicU64::new(0),
            work: Notify::new(),
            relief: watch::Sender::new(()),
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

    /// Logs have something pending; those with [`Urgency::Now`] are written out next.
    pub fn dirty(&self, logs: impl IntoIterator<Item = (TopicPartition, Urgency)>) {
        let mut state = self.shared.lock();
        let mut now = false;
        for (log, urgency) in logs {
            state.dirty.insert(log);
            now |= urgency == Urgency::Now && state.urgent.insert(log);
        }
        drop(state);
        if now {
            self.shared.work.notify_one();
        }
    }

    /// So many bytes came into memory.
    pub fn arrived(&self, bytes: usize) {
        self.shared.arrived.fetch_add(bytes as u64, Ordering::Relaxed);
        let before = self.shared.pending.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes >= self.shared.thresholds.memory_bytes {
            self.shared.work.notify_one();
        }
    }

    /// So many bytes of logs that were deleted will not be written out.
    pub fn gone(&self, bytes: usize) {
        self.shared.left(bytes);
        self.shared.relief.send_replace(());
    }

    /// Every log has heard of its entries in the frames up to `through`.
    pub fn committed(&self, through: u64) {
        let before = self.shared.through.swap(through, Ordering::AcqRel);
        // The first one's number also counts those from before the start.
        let frames = if before == 0 { 1 } else { through.saturating_sub(before) };
        // What the journal grew by: what arrived, and at least a block for each frame, with or without entries.
        let bytes = self.shared.arrived.swap(0, Ordering::Relaxed) + frames * BLOCK_BYTES as u64;
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

    /// Asks for everything to be written out, once no more records come; the driver ends then.
    pub fn drain(&self) {
        self.shared.lock().drain = true;
        self.shared.work.notify_one();
    }

    /// The driver. `starts` is written when a checkpoint forgets entries; `anchor` is a file of the directory, opened before anything was written; `checkpoint` is told the frame
    /// up to which all files are synced. Says whether it ended in order: all that was acknowledged is in synced files.
    pub async fn run(
        self,
        world: World,
        directory: PathBuf,
        anchor: Arc<dyn DiskFile>,
        starts: Arc<LogStarts>,
        logs: Arc<dyn Logs>,
        checkpoint: impl Fn(u64) + Send + Sync + 'static,
    ) -> Outcome {
        self.look_at_space(&world, &directory).await;
        loop {
            // Before the logs are taken: what is committed meanwhile may be of a log that is taken no more.
            let through = self.shared.through.load(Ordering::Acquire);
            let Some((task, batch)) = self.next(through) else {
                tokio::select! {
                    biased;
                    () = self.shared.work.notified() => {}
                    () = world.clock.sleep(FULL_DISK_PAUSE), if self.is_at_reserve() => {
                        self.look_at_space(&world, &directory).await;
                    }
                }
                continue;
            };
            let outcome = self.write_out(&world, &logs, batch, task, &anchor, &starts).await;
            self.look_at_space(&world, &directory).await;
            match outcome {
                Ok(()) if task == Task::WriteOut => {}
                Ok(()) => {
                    checkpoint(through);
                    self.shared.lock().checkpointed = through;
                    if task == Task::Drain {
                        return Outcome::Drained;
                    }
                }
                // A full disk: what is pending stays so; the journal fills, and then producers are told.
                Err(Stopped::Full(left)) => {
                    tracing::warn!("the disk is full: records wait in the journal");
                    if task == Task::Drain {
                        return Outcome::Failed;
                    }
                    self.shared.lock().put_back(task, left);
                    world.clock.sleep(FULL_DISK_PAUSE).await;
                }
                Err(Stopped::Failed(reason)) => {
                    tracing::error!(reason, "records can't be written to files");
                    logs.failed(&reason);
                    // Whoever waits for memory is told of the failure instead.
                    self.shared.pending.store(0, Ordering::Relaxed);
                    self.shared.relief.send_replace(());
                    return Outcome::Failed;
                }
            }
        }
    }

    /// What is to be done now, if anything.
    fn next(&self, through: u64) -> Option<(Task, Vec<TopicPartition>)> {
        let thresholds = &self.shared.thresholds;
        let mut state = self.shared.lock();
        let task = if state.drain {
            Task::Drain
        } else if (state.journal_bytes >= thresholds.journal_bytes || state.checkpoint_wanted)
            && through > state.checkpointed
        {
            Task::Checkpoint
        } else if self.shared.pending.load(Ordering::Relaxed) >= thresholds.memory_bytes && !state.dirty.is_empty() {
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
        state.urgent.clear();
        Some((task, mem::take(&mut state.dirty).into_iter().collect()))
    }

    /// Notes whether the disk has more than its reserve. A disk that can't say is believed to.
    async fn look_at_space(&self, world: &World, directory: &Path) {
        let (disk, directory) = (world.disk.clone(), directory.to_owned());
        let Ok(Space { free, total }) = world.offload(move || disk.space(&directory)).await else { return };
        let reserve = self.shared.thresholds.reserve_bytes + total / 100;
        let at_reserve = free < reserve;
        if self.shared.at_reserve.swap(at_reserve, Ordering::Relaxed) != at_reserve {
            if at_reserve {
                tracing::warn!(free, reserve, "the disk is almost full: records are refused until more is free");
            } else {
                tracing::info!(free, reserve, "the disk has space again: records are taken");
            }
        }
    }

    async fn write_out(
        &self,
        world: &World,
        logs: &Arc<dyn Logs>,
        batch: Vec<TopicPartition>,
        task: Task,
        anchor: &Arc<dyn DiskFile>,
        starts: &Arc<LogStarts>,
    ) -> Result<(), Stopped> {
        let (world, logs, shared, anchor) = (world.clone(), logs.clone(), self.shared.clone(), anchor.clone());
        let starts = starts.clone();
        let outside = world.clone();
        outside
            .offload(move || {
                let mut written = BTreeMap::new();
                let outcome = batch.iter().enumerate().try_for_each(|(place, log)| {
                    let Some(pending) = logs.pending(*log) else { return Ok(()) };
                    let stopped = |error| Stopped::by(error, &batch[place..]);
                    pending.files.delete_before(pending.start).map_err(|error| stopped(error.into()))?;
                    if pending.batches.is_empty() {
                        return Ok(());
                    }
                    let outcome = pending.files.append(&pending.batches, world.clock.wall());
                    // Also when the disk became full on the way: what got in is not appended again.
                    let end = pending.files.end();
                    shared.left(logs.placed(*log, pending.generation, end));
                    // Not only at the end: ten thousand logs that are made now take seconds.
                    shared.relief.send_replace(());
                    written.insert(*log, (pending.files, end));
                    outcome.map_err(stopped)
                });
                shared.relief.send_replace(());
                outcome?;
                if task != Task::WriteOut {
                    starts.write_if_changed().map_err(|error| Stopped::by(error.into(), &[]))?;
                    world.disk.sync_filesystem(&*anchor).map_err(|error| Stopped::Failed(error.to_string()))?;
                    written.values().for_each(|(files, end)| files.synced_to(*end));
                }
                Ok(())
            })
            .await
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

enum Stopped {
    /// No space; these logs still have something pending.
    Full(Vec<TopicPartition>),
    Failed(String),
}

impl Stopped {
    /// A full disk is no failure: the work is done again when there is space.
    fn by(error: SegmentError, left: &[TopicPartition]) -> Stopped {
        match error {
            SegmentError::Io(error) if error.kind() == io::ErrorKind::StorageFull => Stopped::Full(left.to_vec()),
            error => Stopped::Failed(error.to_string()),
        }
    }
}

/// How long the writer waits for space before it tries, or looks, again.
const FULL_DISK_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

impl State {
    /// A task that the full disk stopped is to be tried again, by itself: those who wait for it are not read meanwhile,
    /// so nobody else would ask.
    fn put_back(&mut self, task: Task, left: Vec<TopicPartition>) {
        self.urgent.extend(&left);
        self.dirty.extend(left);
        self.checkpoint_wanted |= task == Task::Checkpoint;
    }
}

impl Shared {
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
