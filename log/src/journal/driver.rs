//! The one loop that writes: whatever queued while the last write was in flight goes out next, as one frame.
//!
//! No timer and no linger. Under load a group is as large as one write takes; without load a record waits for nothing.
//! After a short silence an empty *seal* frame follows, so that damage to the frame before it is told from a torn tail.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use thalweg_world::disk::{Block, is_full};
use thalweg_world::{DiskFile, World};
use tokio::task::JoinHandle;

use super::entry;
use super::file::RingFile;
use super::frame::{FrameHeader, HEADER_BYTES};
use super::queue::{Mode, Queued, Shared};
use super::ring::{Growth, Ring};

/// A block's memory above this is given back after the frame that needed it.
const KEPT_BLOCK_BYTES: usize = 2 << 20;

/// How long a journal that can't grow, because the disk is full, waits before it tries again.
const FULL_DISK_PAUSE: Duration = Duration::from_secs(1);

/// What the journal tells its owner, from its own task, in order.
#[derive(Debug)]
pub enum Event<'a, M> {
    /// All entries of the frames up to `through` are on stable storage.
    Committed {
        /// The newest frame's sequence.
        through: u64,
        /// The marks of the entries that became stable with it, in the order in which they were pushed.
        marks: std::vec::Drain<'a, M>,
    },
    /// A write failed: nothing that was not yet reported as committed ever will be. The last event.
    Failed {
        /// What the disk said.
        reason: &'a str,
    },
}

/// The callback that hears of every [`Event`].
pub type OnEvent<M> = Box<dyn FnMut(Event<'_, M>) + Send>;

/// The loop and all that it owns.
pub(super) struct Driver<M> {
    world: World,
    ring: Ring,
    shared: Arc<Shared<M>>,
    on_event: OnEvent<M>,
    /// Kept for its memory.
    block: Block,
    /// The entries of the frame under construction; kept for its memory.
    group: VecDeque<(Queued<M>, u64)>,
    marks: Vec<M>,
    seal: Seal,
    /// The file that is being made.
    growing: Option<JoinHandle<io::Result<RingFile>>>,
}

/// Whether the newest frame needs one behind it, so that damage to it is told from a torn tail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seal {
    /// It is an empty one.
    Done,
    /// After a silence.
    Owed,
    /// The silence is over.
    Due,
}

/// What the loop does next.
enum Next {
    /// Write the group.
    Group,
    /// Write a frame without entries, at that place.
    Empty(Arc<dyn DiskFile>, u64),
    /// Nothing to write: wait.
    Idle,
    /// Stopped, and nothing is left to write.
    Done,
}

impl<M: Send + 'static> Driver<M> {
    pub(super) fn new(world: World, ring: Ring, shared: Arc<Shared<M>>, on_event: OnEvent<M>) -> Driver<M> {
        // What was found is acknowledged from now on, and the last of it may not be sealed.
        let seal = if ring.sequence > 0 { Seal::Owed } else { Seal::Done };
        let (block, group, marks) = (Block::with_capacity(0), VecDeque::new(), Vec::new());
        Driver { world, ring, shared, on_event, block, group, marks, seal, growing: None }
    }

    pub(super) async fn run(mut self) {
        let ended = self.drive().await;
        if let Some(growing) = self.growing.take() {
            // A file that is being made when the journal ends gets its name or doesn't; both are fine.
            let _ = growing.await;
        }
        if let Err(error) = ended {
            self.fail(&error);
        }
    }

    async fn drive(&mut self) -> io::Result<()> {
        loop {
            match self.next() {
                Next::Group => self.write_group().await?,
                Next::Empty(file, at) => self.write_empty(file, at).await?,
                Next::Idle => self.wait().await?,
                Next::Done => return Ok(()),
            }
            self.grow_ahead();
        }
    }

    /// Looks at the queue, and takes the next group off it.
    fn next(&mut self) -> Next {
        let mut state = self.shared.lock();
        // The lock is held while entries are moved, not while their bytes are copied: pushing is on every road.
        let group_bytes = self.ring.options.group_bytes;
        if state.queued_bytes <= group_bytes {
            std::mem::swap(&mut state.queue, &mut self.group);
            state.queued_bytes = 0;
        } else {
            let mut bytes = 0;
            while let Some((entry, _)) = state.queue.front() {
                let length = entry.length();
                if bytes > 0 && bytes + length > group_bytes {
                    break;
                }
                bytes += length;
                self.group.extend(state.queue.pop_front());
            }
            state.queued_bytes -= bytes;
        }
        if !self.group.is_empty() {
            return Next::Group;
        }
        let stopping = state.mode == Mode::Stopping;
        let wanted = state.frame_wanted || self.seal == Seal::Due || (stopping && self.seal == Seal::Owed);
        if wanted {
            let now = self.world.clock.now();
            // Without a place the next frame with entries carries the checkpoint, and is what a seal would have been.
            if let Some((file, at)) = self.ring.place_for_empty(state.checkpoint, state.promised, now) {
                return Next::Empty(file, at);
            }
        }
        if stopping {
            state.mode = Mode::Closed;
            return Next::Done;
        }
        Next::Idle
    }

    async fn wait(&mut self) -> io::Result<()> {
        let clock = self.world.clock.clone();
        let held_until = self.ring.growth_held_until;
        let mut silence = false;
        let mut grown = None;
        tokio::select! {
            biased;
            () = self.shared.work.notified() => {}
            outcome = made(&mut self.growing) => grown = Some(outcome),
            () = clock.sleep(self.ring.options.seal_after), if self.seal == Seal::Owed => silence = true,
            // While the disk was full nothing counted on growth: count again, so that records are taken again.
            () = clock.sleep_until(held_until), if clock.now() < held_until => self.settle(0),
        }
        if silence {
            self.seal = Seal::Due;
        }
        if let Some(outcome) = grown {
            self.grown(outcome)?;
        }
        Ok(())
    }

    async fn write_group(&mut self) -> io::Result<()> {
        let mut block = std::mem::replace(&mut self.block, Block::with_capacity(0));
        block.clear();
        block.put(&[0; HEADER_BYTES]);
        let entries = self.group.len() as u32;
        let mut promised = 0;
        for (entry, cost) in self.group.drain(..) {
            entry::write(&mut block, entry.kind, entry.head.bytes(), &entry.body);
            self.marks.push(entry.mark);
            promised += cost;
        }
        let length = (block.len() as u64).next_multiple_of(self.ring.block);
        let (file, at) = loop {
            match self.ring.place(length) {
                Some(place) => break place,
                None => self.make_room().await?,
            }
        };
        let block = self.write(block, entries, file, at).await?;
        if block.capacity() <= KEPT_BLOCK_BYTES {
            self.block = block;
        }
        self.seal = Seal::Owed;
        self.settle(promised);
        let through = self.ring.sequence;
        (self.on_event)(Event::Committed { through, marks: self.marks.drain(..) });
        Ok(())
    }

    async fn write_empty(&mut self, file: Arc<dyn DiskFile>, at: u64) -> io::Result<()> {
        let mut block = Block::with_capacity(self.ring.block as usize);
        block.put(&[0; HEADER_BYTES]);
        self.write(block, 0, file, at).await?;
        self.seal = Seal::Done;
        self.settle(0);
        let through = self.ring.sequence;
        // A group may be waiting for its place: its marks stay.
        (self.on_event)(Event::Committed { through, marks: self.marks.drain(..0) });
        Ok(())
    }

    /// Writes the frame whose entries stand in the block, and gives the block back.
    async fn write(&mut self, mut block: Block, entries: u32, file: Arc<dyn DiskFile>, at: u64) -> io::Result<Block> {
        let (checkpoint, metadata_index) = {
            let mut state = self.shared.lock();
            state.frame_wanted = false;
            (state.checkpoint, state.metadata_index)
        };
        let header = FrameHeader {
            journal: self.ring.maker.journal,
            sequence: self.ring.sequence + 1,
            length: 0,
            entries,
            checksum: 0,
            previous: self.ring.previous,
            checkpoint,
            metadata_index,
        };
        let checksum = header.seal(block.bytes_mut());
        block.pad_to(self.ring.block as usize);
        let length = block.len() as u64;
        let (block, outcome) = file.write_durable(at, block).await;
        outcome?;
        self.ring.written(length, checksum, checkpoint);
        Ok(block)
    }

    /// Waits for something that may give a promised frame its place: a checkpoint that frees a file, or a new file.
    async fn make_room(&mut self) -> io::Result<()> {
        let now = self.world.clock.now();
        let (checkpoint, promised, mode) = {
            let state = self.shared.lock();
            (state.checkpoint, state.promised, state.mode)
        };
        if self.ring.frees(checkpoint)
            && let Some((file, at)) = self.ring.place_for_empty(checkpoint, promised, now)
        {
            return self.write_empty(file, at).await;
        }
        let held_until = self.ring.growth_held_until;
        if now < held_until {
            if mode == Mode::Stopping {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let clock = self.world.clock.clone();
            tokio::select! {
                biased;
                () = self.shared.work.notified() => {}
                () = clock.sleep_until(held_until) => self.settle(0),
            }
            return Ok(());
        }
        if self.growing.is_none() {
            let (number, size) = self
                .ring
                .growth(Growth::Now, now)
                .ok_or_else(|| io::Error::other("a frame has no place in the journal although room was promised"))?;
            self.growing = Some(self.make_file(number, size, Growth::Now));
        }
        let mut grown = None;
        tokio::select! {
            biased;
            outcome = made(&mut self.growing) => grown = Some(outcome),
            () = self.shared.work.notified() => {}
        }
        match grown {
            Some(outcome) => self.grown(outcome),
            None => Ok(()),
        }
    }

    /// Makes the next file in the background when the ring will need it.
    fn grow_ahead(&mut self) {
        if self.growing.is_none()
            && let Some((number, size)) = self.ring.growth(Growth::Ahead, self.world.clock.now())
        {
            self.growing = Some(self.make_file(number, size, Growth::Ahead));
        }
    }

    fn grown(&mut self, outcome: io::Result<RingFile>) -> io::Result<()> {
        match outcome {
            Ok(file) => self.ring.add(file),
            // A full disk is no failure: what was acknowledged is safe, what waits goes on waiting, new records are
            // refused while there is no room, and a try a second later may find some.
            Err(error) if is_full(&error) => {
                tracing::warn!(%error, "the journal can't grow: the disk is full");
                self.ring.growth_held_until = self.world.clock.now() + FULL_DISK_PAUSE;
            }
            Err(error) => return Err(error),
        }
        self.settle(0);
        Ok(())
    }

    /// Counts anew what may be promised, now that so much of it is written.
    fn settle(&self, promised: u64) {
        let room = self.ring.room(self.world.clock.now());
        let mut state = self.shared.lock();
        state.promised -= promised;
        state.room = room;
        state.through = self.ring.sequence;
        drop(state);
        self.shared.freed.notify_waiters();
    }

    fn make_file(&self, number: u32, size: u64, growth: Growth) -> JoinHandle<io::Result<RingFile>> {
        let maker = self.ring.maker.clone();
        let world = self.world.clone();
        tokio::spawn(async move {
            let disk = world.disk.clone();
            world.offload(move || maker.make(&*disk, number, size, growth)).await
        })
    }

    fn fail(mut self, error: &io::Error) {
        let reason = error.to_string();
        let mut state = self.shared.lock();
        state.mode = Mode::Closed;
        let dropped = std::mem::take(&mut state.queue);
        drop(state);
        // Their bodies hold memory, their marks may hold more: let go of them outside of the lock.
        drop(dropped);
        self.shared.freed.notify_waiters();
        tracing::error!(reason, "a durable write failed: the journal takes no more");
        (self.on_event)(Event::Failed { reason: &reason });
    }
}

/// The file that is being made, once it is; never, without one.
async fn made(growing: &mut Option<JoinHandle<io::Result<RingFile>>>) -> io::Result<RingFile> {
    let Some(task) = growing else { return std::future::pending().await };
    let outcome = task.await;
    *growing = None;
    outcome.map_err(io::Error::other)?
}
