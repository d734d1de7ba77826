//! Who writes to files: one loop, and beside it those that sync, for as long as they may take: one what a log has had for
//! long enough, one what a checkpoint brought into files.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use thalweg_wire::batch::Batch;
use thalweg_wire::{Offset, TopicPartition};
use thalweg_world::disk::{Space, is_full};
use thalweg_world::{DiskFile, World};
use tokio::sync::mpsc;

use super::{Logs, Outcome, Shared, Task};
use crate::files::Files;
use crate::lane::Lane;
use crate::log_starts::LogStarts;
use crate::segment::{Flush, SegmentError};

/// How long the writer waits for space before it tries, or looks, again.
const FULL_DISK_PAUSE: Duration = Duration::from_secs(1);

/// Syncs that wait for their turn. A log that finds no room tries again with its next write-out.
const FLUSHES_MAX: usize = 64;

/// What writes to files. The only place here that awaits.
pub struct Driver {
    /// Where it runs.
    pub world: World,
    /// The log directory, whose space is watched.
    pub directory: PathBuf,
    /// A file of the directory, opened before anything was written: its filesystem is the one to sync.
    pub anchor: Arc<dyn DiskFile>,
    /// Written when a checkpoint forgets entries.
    pub starts: Arc<LogStarts>,
    /// Who holds the logs.
    pub logs: Arc<dyn Logs>,
    /// What goes past the journal, and needs frames that a checkpoint is about to name.
    pub lane: Lane,
    /// Is told the frame up to which all files are synced.
    pub checkpoint: Box<dyn Fn(u64) + Send + Sync>,
}

/// A log's files, and the sync that they are due.
type Due = (Arc<Files>, Flush);

/// A checkpoint that has all in files, and has yet to sync them.
struct Checkpoint {
    /// The frame that it names.
    through: u64,
    /// The logs that it wrote, and where they ended.
    ends: Ends,
}

type Ends = BTreeMap<TopicPartition, (Arc<Files>, Offset)>;

enum Stopped {
    /// No space; these logs still have something pending.
    Full(Vec<TopicPartition>),
    Failed(String),
}

impl Driver {
    pub(super) async fn run(self, shared: Arc<Shared>) -> Outcome {
        let (flushes, due) = mpsc::channel(FLUSHES_MAX);
        // One at a time is on its way.
        let (checkpoints, written) = mpsc::channel(1);
        let outcome = tokio::try_join!(
            biased;
            self.write(&shared, flushes, checkpoints),
            flush_each(&self.world, due),
            self.sync_each(&shared, written),
        );
        outcome.map_or_else(
            |reason| {
                shared.failed.store(true, Ordering::Relaxed);
                tracing::error!(reason, "records can't be written to files");
                self.logs.failed(&reason);
                // Whoever waits for memory is told of the failure instead.
                shared.pending.store(0, Ordering::Relaxed);
                shared.relief.send_replace(());
                Outcome::Failed
            },
            |(outcome, (), ())| outcome,
        )
    }

    /// # Errors
    /// Why nothing more can be written.
    async fn write(
        &self,
        shared: &Arc<Shared>,
        flushes: mpsc::Sender<Due>,
        checkpoints: mpsc::Sender<Checkpoint>,
    ) -> Result<Outcome, String> {
        self.look_at_space(shared).await;
        loop {
            // Before the logs are taken: what is committed meanwhile may be of a log that is taken no more.
            let through = shared.through.load(Ordering::Acquire);
            let Some((task, batch)) = shared.next(through) else {
                tokio::select! {
                    biased;
                    () = shared.work.notified() => {}
                    () = self.world.clock.sleep(FULL_DISK_PAUSE), if shared.at_reserve.load(Ordering::Relaxed) => {
                        self.look_at_space(shared).await;
                    }
                }
                continue;
            };
            let outcome = self.write_out(shared, batch, task, &flushes).await;
            self.look_at_space(shared).await;
            match outcome {
                Ok(_) if task == Task::WriteOut => {}
                Ok(ends) => {
                    // Who takes it ends before this only with the driver.
                    let _ = checkpoints.send(Checkpoint { through, ends }).await;
                    if task == Task::Drain {
                        return Ok(Outcome::Drained);
                    }
                }
                // A full disk: what is pending stays so; the journal fills, and then producers are told.
                Err(Stopped::Full(left)) => {
                    tracing::warn!("the disk is full: records wait in the journal");
                    if task == Task::Drain {
                        return Ok(Outcome::Failed);
                    }
                    shared.lock().put_back(task, left);
                    self.world.clock.sleep(FULL_DISK_PAUSE).await;
                }
                Err(Stopped::Failed(reason)) => return Err(reason),
            }
        }
    }

    /// Ends one checkpoint after the other: syncs the filesystem, and tells the journal. Meanwhile records go on to files,
    /// and memory stays free for new ones: to sync ten thousand files takes longer than to write them.
    ///
    /// # Errors
    /// Why one could not be.
    async fn sync_each(&self, shared: &Shared, mut written: mpsc::Receiver<Checkpoint>) -> Result<(), String> {
        while let Some(Checkpoint { through, ends }) = written.recv().await {
            let (disk, anchor) = (self.world.disk.clone(), self.anchor.clone());
            let sync = move || {
                disk.sync_filesystem(&*anchor)?;
                ends.values().for_each(|(files, end)| files.synced_to(*end));
                Ok(())
            };
            self.world.offload(sync).await.map_err(|error: io::Error| error.to_string())?;
            shared.check()?;
            self.lane.passed(through).await;
            shared.check()?;
            (self.checkpoint)(through);
            shared.checkpointed(through);
        }
        Ok(())
    }

    /// Notes whether the disk has more than its reserve. A disk that can't say is believed to.
    async fn look_at_space(&self, shared: &Shared) {
        let (disk, directory) = (self.world.disk.clone(), self.directory.clone());
        let Ok(Space { free, total }) = self.world.offload(move || disk.space(&directory)).await else { return };
        let reserve = shared.thresholds.reserve_bytes + total / 100;
        let at_reserve = free < reserve;
        if shared.at_reserve.swap(at_reserve, Ordering::Relaxed) != at_reserve {
            if at_reserve {
                tracing::warn!(free, reserve, "the disk is almost full: records are refused until more is free");
            } else {
                tracing::info!(free, reserve, "the disk has space again: records are taken");
            }
        }
    }

    async fn write_out(
        &self,
        shared: &Arc<Shared>,
        batch: Vec<TopicPartition>,
        task: Task,
        flushes: &mpsc::Sender<Due>,
    ) -> Result<Ends, Stopped> {
        let (world, logs, shared) = (self.world.clone(), self.logs.clone(), shared.clone());
        let (starts, flushes) = (self.starts.clone(), flushes.clone());
        let work = move || {
            let mut ends = Ends::new();
            let outcome = batch.iter().enumerate().try_for_each(|(place, log)| {
                shared.check().map_err(Stopped::Failed)?;
                let Some(pending) = logs.pending(*log) else { return Ok(()) };
                let stopped = |error| Stopped::by(error, &batch[place..]);
                pending.files.delete_before(pending.start).map_err(|error| stopped(error.into()))?;
                if pending.batches.is_empty() {
                    return Ok(());
                }
                let outcome = pending.files.append(&pending.batches, world.clock.wall());
                // Also when the disk became full on the way: what got in is not appended again. Past what is stable there
                // may be more already.
                let stable = pending.batches.last().map_or(Offset::ZERO, Batch::next_offset);
                let end = pending.files.end().min(stable);
                shared.left(logs.placed(*log, pending.generation, end));
                // Not only at the end: ten thousand logs that are made now take seconds.
                shared.relief.send_replace(());
                flush_soon(&flushes, &pending.files, shared.thresholds.flush_bytes);
                ends.insert(*log, (pending.files, end));
                outcome.map_err(stopped)
            });
            shared.relief.send_replace(());
            outcome?;
            if task != Task::WriteOut {
                starts.write_if_changed().map_err(|error| Stopped::by(error.into(), &[]))?;
            }
            Ok(ends)
        };
        self.world.offload(work).await
    }
}

/// Lets the log be synced, if much of it isn't.
fn flush_soon(flushes: &mpsc::Sender<Due>, files: &Arc<Files>, bytes: u64) {
    if let Ok(place) = flushes.try_reserve()
        && let Some(flush) = files.flush_due(bytes)
    {
        place.send((files.clone(), flush));
    }
}

/// Syncs one log after the other, for as long as somebody may ask for it.
///
/// # Errors
/// Why one could not be.
async fn flush_each(world: &World, mut due: mpsc::Receiver<Due>) -> Result<(), String> {
    while let Some((files, flush)) = due.recv().await {
        let sync = move || flush.run().map(|()| files.flushed(&flush));
        world.offload(sync).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

impl Stopped {
    /// A full disk is no failure: the work is done again when there is space.
    fn by(error: SegmentError, left: &[TopicPartition]) -> Stopped {
        match error {
            SegmentError::Io(error) if is_full(&error) => Stopped::Full(left.to_vec()),
            error => Stopped::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Weak;

    use thalweg_wire::{PartitionIndex, TopicId};
    use thalweg_world::disk::Open;
    use thalweg_world::simulated::SimulatedWorld;
    use tokio::time::timeout;

    use super::*;
    use crate::lane::{self, Written};
    use crate::write_out::{Pending, Thresholds, Urgency, WriteOut};

    /// Who holds no log, and says for which it was asked.
    struct Nobody(mpsc::UnboundedSender<TopicPartition>);

    impl Logs for Nobody {
        fn pending(&self, log: TopicPartition) -> Option<Pending> {
            self.0.send(log).unwrap();
            None
        }

        fn placed(&self, _: TopicPartition, _: u32, _: Offset) -> usize {
            0
        }

        fn failed(&self, reason: &str) {
            panic!("{reason}");
        }
    }

    impl lane::Logs for Nobody {
        fn written(&self, _: TopicPartition, _: Written) {}
    }

    const LOG: TopicPartition = TopicPartition { topic: TopicId::from_random([1; 16]), partition: PartitionIndex(0) };

    /// Records go on to files meanwhile.
    #[tokio::test(start_paused = true)]
    async fn a_checkpoint_waits_for_what_is_written_past_the_journal_and_is_not_told_after_a_failure() {
        for fails in [false, true] {
            let sim = SimulatedWorld::new(1);
            let directory = Path::new("logs");
            sim.disk.install(&directory.join(".lock"), b"").unwrap();
            let write_out = WriteOut::new(Thresholds::for_journal(1 << 20));
            let nobody: Weak<dyn lane::Logs> = Weak::<Nobody>::new();
            let lane = Lane::new(sim.world.clone(), 1, nobody, write_out.clone());
            let (tell, mut told) = mpsc::unbounded_channel();
            let (ask, mut asked) = mpsc::unbounded_channel();
            let driver = Driver {
                world: sim.world.clone(),
                directory: directory.to_owned(),
                anchor: sim.world.disk.open(&directory.join(".lock"), Open::Read).unwrap(),
                starts: Arc::new(LogStarts::read(sim.world.disk.clone(), directory.to_owned()).unwrap()),
                logs: Arc::new(Nobody(ask)),
                lane: lane.clone(),
                checkpoint: Box::new(move |through| tell.send(through).unwrap()),
            };
            let an_hour = Duration::from_secs(3600);
            let fence = lane.fence(3).unwrap();
            write_out.journaled(1 << 20);
            write_out.committed(3);
            let running = tokio::spawn(write_out.clone().run(driver));
            assert!(timeout(an_hour, told.recv()).await.is_err(), "frame 3 is still needed");
            assert!(asked.is_empty());
            write_out.dirty([(LOG, Urgency::Now)]);
            assert_eq!(timeout(an_hour, asked.recv()).await, Ok(Some(LOG)));
            write_out.dirty([(LOG, Urgency::Later)]);
            write_out.journaled(1 << 20);
            write_out.committed(4);
            write_out.drain();
            assert!(timeout(an_hour, asked.recv()).await.is_err(), "one checkpoint at a time");
            assert!(told.is_empty());
            if fails {
                write_out.fail();
            }
            drop(fence);
            if fails {
                assert!(running.await.unwrap_err().is_panic(), "the logs hear of it");
                assert_eq!(told.recv().await, None);
            } else {
                assert_eq!((told.recv().await, told.recv().await), (Some(3), Some(4)));
                assert_eq!(running.await.unwrap(), Outcome::Drained);
            }
        }
    }
}
