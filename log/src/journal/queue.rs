//! The journal as its users see it: room is promised, an entry's place in the order is fixed, and somebody else writes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use thalweg_world::World;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::driver::{Driver, OnEvent};
use super::entry::{self, Head, Kind};
use super::frame::HEADER_BYTES;
use super::ring::{Opened, Options};

/// An entry on its way.
pub struct Queued<M> {
    /// What it is.
    pub kind: Kind,
    /// The fixed part of its body.
    pub head: Head,
    /// The shared part of its body.
    pub body: Bytes,
    /// Comes back with [`Event::Committed`].
    pub mark: M,
}

/// The journal has no room for that much, or has failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Full {
    /// No room until a checkpoint frees a file.
    NoRoom,
    /// An entry is larger than a frame may be: `entry_bytes_max`.
    TooLarge,
    /// A write failed, or the journal was stopped: it takes no more.
    Closed,
}

impl<M> Queued<M> {
    /// What to reserve for it.
    pub(crate) fn body_bytes(&self) -> usize {
        self.head.bytes().len() + self.body.len()
    }

    /// What it takes in a frame, in bytes.
    pub(super) fn length(&self) -> usize {
        entry::PREFIX_BYTES + self.body_bytes()
    }
}

/// Room in the journal, promised to whoever holds it; what isn't used returns when it is dropped.
pub struct Reservation<M> {
    shared: Arc<Shared<M>>,
    bytes: u64,
}

/// A started journal. Cheap to clone; the loop ends after [`Journal::stop`].
pub struct Journal<M> {
    shared: Arc<Shared<M>>,
}

pub(super) struct Shared<M> {
    pub(super) state: Mutex<State<M>>,
    /// Wakes the loop.
    pub(super) work: Notify,
    /// Fires when there may be more room than before.
    pub(super) freed: Notify,
    pub(super) options: Options,
    pub(super) block: u64,
}

pub(super) struct State<M> {
    /// Entries in order, each with what was promised for it.
    pub(super) queue: VecDeque<(Queued<M>, u64)>,
    /// What they take in frames.
    pub(super) queued_bytes: usize,
    /// The newest durable frame's sequence.
    pub(super) through: u64,
    /// Bytes that frames may still take; see the ring's.
    pub(super) room: u64,
    /// What of the room is promised: to reservations, and to entries on their way.
    pub(super) promised: u64,
    /// The checkpoint and metadata index that the next frame will name.
    pub(super) checkpoint: u64,
    pub(super) metadata_index: u64,
    /// A frame is wanted even if nothing is queued: it carries the checkpoint.
    pub(super) frame_wanted: bool,
    pub(super) mode: Mode,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Running,
    Stopping,
    Closed,
}

impl<M> Clone for Journal<M> {
    fn clone(&self) -> Self {
        Journal { shared: self.shared.clone() }
    }
}

impl<M: Send + 'static> Journal<M> {
    /// Starts the loop as a task. Frames go on behind those found at opening, which the owner has gone over by now.
    pub fn start(world: World, opened: Opened, on_event: OnEvent<M>) -> (Journal<M>, JoinHandle<()>) {
        let ring = opened.ring;
        let newest = opened.replay.frames.last();
        let state = State {
            queue: VecDeque::new(),
            queued_bytes: 0,
            through: ring.sequence,
            room: ring.room(world.clock.now()),
            promised: 0,
            checkpoint: newest.map_or(0, |frame| frame.header.checkpoint),
            metadata_index: newest.map_or(0, |frame| frame.header.metadata_index),
            frame_wanted: false,
            mode: Mode::Running,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            work: Notify::new(),
            freed: Notify::new(),
            options: ring.options,
            block: ring.block,
        });
        let driver = Driver::new(world, ring, shared.clone(), on_event);
        (Journal { shared }, tokio::spawn(driver.run()))
    }

    /// Promises room for entries of so many bytes together (heads and bodies), or says that there is none now. Each
    /// entry is counted as if it had a frame to itself; the difference returns when it is written.
    ///
    /// Which entry is how large isn't known here: whoever reserves for several checks each against
    /// [`Journal::entry_bytes_max`].
    pub fn reserve(&self, entries: usize, bytes: usize) -> Result<Reservation<M>, Full> {
        if bytes > entries.saturating_mul(self.entry_bytes_max()) {
            return Err(Full::TooLarge);
        }
        let bytes = self.promise_bytes(entries, bytes);
        let mut state = self.shared.lock();
        if state.mode != Mode::Running {
            return Err(Full::Closed);
        }
        if state.promised + bytes > state.room {
            return Err(Full::NoRoom);
        }
        state.promised += bytes;
        Ok(Reservation { shared: self.shared.clone(), bytes })
    }

    /// Queues an entry behind those queued before. Fixes its place in the order; [`Journal::wake`] sends it on its way.
    /// After a failure, and after the journal has stopped, entries are dropped: their marks never come back.
    ///
    /// # Panics
    /// If the entry is larger than what is left of the reservation, or than an entry may be: the order is fixed by now,
    /// it can't be refused.
    pub fn push(&self, reservation: &mut Reservation<M>, entry: Queued<M>) {
        let length = entry.length();
        let cost = length as u64 + self.shared.entry_overhead() - entry::PREFIX_BYTES as u64;
        assert!(
            length <= self.shared.options.entry_bytes_max,
            "an entry of {length} bytes is larger than a frame may be"
        );
        assert!(
            cost <= reservation.bytes,
            "an entry of {length} bytes was pushed, {} were reserved",
            reservation.bytes
        );
        let mut state = self.shared.lock();
        if state.mode == Mode::Closed {
            return;
        }
        reservation.bytes -= cost;
        state.queued_bytes += length;
        state.queue.push_back((entry, cost));
    }

    /// Lets the loop look at the queue. Call it after the locks are released.
    pub fn wake(&self) {
        self.shared.work.notify_one();
    }

    /// Says that every entry of the frames up to `sequence` is in synced files: their room is free once the next frame,
    /// which says so, is durable. Asks for that frame; where it would free nothing and take room that is promised to
    /// others, it waits for the next one with entries.
    ///
    /// # Panics
    /// If that frame isn't durable yet: a journal that says so can't be opened again.
    pub fn checkpoint(&self, sequence: u64) {
        let mut state = self.shared.lock();
        assert!(sequence <= state.through, "a checkpoint at {sequence}, but only {} is durable", state.through);
        if sequence > state.checkpoint {
            state.checkpoint = sequence;
            state.frame_wanted = true;
        }
        drop(state);
        self.wake();
    }

    /// Notes what of the metadata log has been applied; the following frames carry it.
    pub fn metadata_applied(&self, index: u64) {
        let mut state = self.shared.lock();
        state.metadata_index = state.metadata_index.max(index);
    }

    /// Takes no more reservations, writes what is queued and a seal, and ends the loop.
    pub fn stop(&self) {
        let mut state = self.shared.lock();
        if state.mode == Mode::Running {
            state.mode = Mode::Stopping;
        }
        drop(state);
        self.wake();
    }

    /// The largest entry, head and body, that a frame may hold, in bytes.
    pub fn entry_bytes_max(&self) -> usize {
        self.shared.options.entry_bytes_max - entry::PREFIX_BYTES
    }

    /// As [`Journal::reserve`], but waits for a checkpoint to make room.
    pub async fn reserve_soon(&self, entries: usize, bytes: usize) -> Result<Reservation<M>, Full> {
        loop {
            let freed = self.shared.freed.notified();
            tokio::pin!(freed);
            // Listening from before the look, so that what is freed right after it is heard.
            freed.as_mut().enable();
            match self.reserve(entries, bytes) {
                Err(Full::NoRoom) => freed.await,
                outcome => return outcome,
            }
        }
    }

    /// What the promise for entries of so many bytes together takes of the room.
    pub fn promise_bytes(&self, entries: usize, bytes: usize) -> u64 {
        bytes as u64 + entries as u64 * self.shared.entry_overhead()
    }

    /// A promise that a journal of any fill can keep once it has had a checkpoint: who needs more asks in pieces. One
    /// entry may always be asked for.
    pub fn piece_bytes(&self) -> u64 {
        self.shared.options.bytes / 16
    }

    /// Bytes that can be reserved now.
    pub fn room(&self) -> u64 {
        let state = self.shared.lock();
        state.room.saturating_sub(state.promised)
    }
}

impl<M> Shared<M> {
    pub(super) fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().expect("no code panics while it holds the journal's queue")
    }

    /// What an entry takes beyond head and body if it is alone in its frame.
    fn entry_overhead(&self) -> u64 {
        self.block + (HEADER_BYTES + entry::PREFIX_BYTES) as u64
    }
}

impl<M> Reservation<M> {
    /// A promise of nothing, to add to.
    pub fn none(&self) -> Reservation<M> {
        Reservation { shared: self.shared.clone(), bytes: 0 }
    }

    /// Adds what is left of another promise of the same journal.
    pub fn absorb(&mut self, mut other: Reservation<M>) {
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Takes a smaller promise out of this one, for another holder. `None` if it isn't large enough.
    pub fn split(&mut self, entries: usize, bytes: usize) -> Option<Reservation<M>> {
        let bytes = bytes as u64 + entries as u64 * self.shared.entry_overhead();
        self.bytes = self.bytes.checked_sub(bytes)?;
        Some(Reservation { shared: self.shared.clone(), bytes })
    }
}

impl<M> Drop for Reservation<M> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.shared.lock().promised -= self.bytes;
        }
    }
}
