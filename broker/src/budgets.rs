//! Memory that peers may make us hold, in one table. Every other limit is in `docs/limits.md`.
//!
//! | budget | bytes | what it bounds |
//! |---|---|---|
//! | small frames | 16 MiB | requests up to 64 KiB: a class of their own, so that heartbeats pass a full house |
//! | large frames | 128 MiB | requests above that, as far as their bytes have arrived |
//! | frames that wait for coordinators of groups | 8 of the 16 MiB, 64 of the 128 MiB | requests that are not decided yet, because a disk is slow or a partition is loaded; past it they are sent away, see [`Places`] |
//! | frames that wait for what came before them on their connection | 4 of the 16 MiB, 32 of the 128 MiB | requests behind a Fetch or a JoinGroup that waits, and what a peer has sent behind them; large ones that wait for their turn; past it what they wait for is hurried, or they are closed, see `connection` |
//! | large requests, decoded | 4, of 8 MiB as frames | one of each kind is handled at a time, see [`Awaits`] |
//! | one more frame of each class | 64 KiB, 100 MiB | one frame at a time may finish past its budget, so that half-read ones never block each other for ever |
//! | fetches that wait | 64 MiB | what is remembered of requests that wait for records; past it they are answered at once |
//! | state of groups | 256 MiB (`group.state.bytes`) | groups, members and whoever waits for them, ids given out, offsets; what is durable is loaded at a start even past it |
//! | fetch sessions | 92 MB | what clients have told once, see `fetch_session` |
//! | large answers about groups | 4 of 32 MiB, and what they are written into | answers above 1 MiB, until they are sent, see `groups::answers` |
//! | records out of files | 64 MiB, and 128 open files | copies on their way to peers; what doesn't fit stays in its file, and past both an answer has one batch, see `thalweg_log::segment::loans` |
//! | records out of memory | 64 MiB | those of fetches that give more than 64 KiB of them, until they are sent; past it an answer has one batch |
//! | responses | 1 MiB and one more answer | finished answers waiting on one connection, see `connection` |
//!
//! A permit is taken for the bytes that arrive, never for the length that was declared: 10,000 peers that announce
//! 100 MiB and send nothing hold nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::frames::PREFIX_BYTES;

/// Frames up to this many bytes belong to the small class.
pub const SMALL_FRAME_BYTES: usize = thalweg_wire::frame::SMALL_FRAME_BYTES_MAX;

/// Bytes of small frames.
pub const SMALL_FRAMES_BYTES: usize = 16 << 20;

/// Bytes of large frames.
pub const LARGE_FRAMES_BYTES: usize = 128 << 20;

/// Bytes of what is remembered of waiting fetches: some 5,000 consumers of 100 partitions each.
pub const WAITING_FETCHES_BYTES: usize = 64 << 20;

/// Bytes of records in memory that fetches were given, and that are not sent yet. They may be shared, and may be held by
/// nobody else any more.
pub const REMEMBERED_BYTES: usize = 64 << 20;

/// Fewer are not counted.
pub const FEW_REMEMBERED_BYTES: usize = 64 << 10;

/// Up to so many bytes of memory an answer about groups is given without a turn.
pub const SMALL_ANSWER_BYTES: usize = 1 << 20;

/// No answer about groups takes more.
pub const LARGE_ANSWER_BYTES: usize = 32 << 20;

/// Answers between the two that are gathered, or on their way to somebody who reads slowly.
pub const LARGE_ANSWERS_MAX: usize = 4;

/// Small frames that may wait for coordinators of groups to decide, in bytes. There are two such budgets: see
/// [`crate::groups`].
pub const UNDECIDED_SMALL_BYTES: usize = 4 << 20;

/// Large frames that may wait for them.
pub const UNDECIDED_LARGE_BYTES: usize = 32 << 20;

/// Small frames that may wait for what came before them on their connection, in bytes.
pub const BEHIND_SMALL_BYTES: usize = 4 << 20;

/// Large frames that may wait for it.
pub const BEHIND_LARGE_BYTES: usize = 32 << 20;

// Half of each class is left for whoever asks something else, and half of that for whoever is served at once.
const _: () = assert!(2 * 2 * UNDECIDED_SMALL_BYTES <= SMALL_FRAMES_BYTES);
const _: () = assert!(2 * 2 * UNDECIDED_LARGE_BYTES <= LARGE_FRAMES_BYTES);
const _: () = assert!(4 * BEHIND_SMALL_BYTES <= SMALL_FRAMES_BYTES);
const _: () = assert!(4 * BEHIND_LARGE_BYTES <= LARGE_FRAMES_BYTES);

const _: () = assert!(SMALL_FRAMES_BYTES >= 64 * SMALL_FRAME_BYTES); // a few slow peers don't hold up the rest

/// What a request waits for while it is handled, if it has to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaits {
    /// It never waits, or only when nothing is held any more of what was decoded: what waits then has a bound of its own.
    Nobody,
    /// A change of the metadata.
    Metadata,
    /// Files of partitions, or the journal.
    Records,
    /// Files that it reads out of, for a Fetch: nobody who reads waits for who writes.
    Reading,
}

#[derive(Default)]
struct Turns {
    nobody: Arc<Mutex<()>>,
    metadata: Arc<Mutex<()>>,
    records: Arc<Mutex<()>>,
    reading: Arc<Mutex<()>>,
}

impl Turns {
    fn of(&self, awaits: Awaits) -> &Arc<Mutex<()>> {
        match awaits {
            Awaits::Nobody => &self.nobody,
            Awaits::Metadata => &self.metadata,
            Awaits::Records => &self.records,
            Awaits::Reading => &self.reading,
        }
    }
}

/// The memory that requests may take. Cheap to clone.
#[derive(Clone)]
pub struct RequestMemory {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
    /// Who holds it may go past the budget of small frames.
    small_overdraft: Arc<Mutex<()>>,
    /// Who holds it may go past the budget of large frames.
    large_overdraft: Arc<Mutex<()>>,
    waiting_fetches: Arc<Semaphore>,
    behind: Arc<Places>,
    /// See [`RequestMemory::turn`].
    turns: Arc<Turns>,
    large_answers: Arc<Semaphore>,
    remembered: Remembered,
    /// The budgets of small and of large frames.
    sizes: [usize; 2],
}

/// What is taken of the budgets now, in bytes; what is overdrawn left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Of small frames.
    pub small: usize,
    /// Of large frames.
    pub large: usize,
    /// Of fetches that wait.
    pub waiting_fetches: usize,
    /// Of records in memory.
    pub remembered: usize,
}

/// The budget of records in memory that fetches are given.
#[derive(Clone)]
pub struct Remembered(Arc<Semaphore>);

impl Remembered {
    /// Room for so many bytes, until it is dropped; `None` if there is none.
    pub fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
    }
}

/// Bytes taken out of a budget; they return when it is dropped.
///
/// What arrives behind a small frame may be the start of a large one, so a permit may hold of both classes.
#[derive(Default)]
pub struct Permit {
    small: Option<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
    overdraft: Option<OwnedMutexGuard<()>>,
    bytes: usize,
}

impl Default for RequestMemory {
    fn default() -> Self {
        RequestMemory::new(SMALL_FRAMES_BYTES, LARGE_FRAMES_BYTES)
    }
}

impl RequestMemory {
    /// Budgets of so many bytes for the two classes.
    pub fn new(small: usize, large: usize) -> RequestMemory {
        RequestMemory {
            small: Arc::new(Semaphore::new(small)),
            large: Arc::new(Semaphore::new(large)),
            small_overdraft: Arc::default(),
            large_overdraft: Arc::default(),
            waiting_fetches: Arc::new(Semaphore::new(WAITING_FETCHES_BYTES)),
            behind: Arc::new(Places::new(BEHIND_SMALL_BYTES, BEHIND_LARGE_BYTES)),
            turns: Arc::default(),
            large_answers: Arc::new(Semaphore::new(LARGE_ANSWERS_MAX)),
            remembered: Remembered(Arc::new(Semaphore::new(REMEMBERED_BYTES))),
            sizes: [small, large],
        }
    }

    /// Whether there is room for another small frame without waiting.
    pub fn is_roomy(&self) -> bool {
        self.small.available_permits() >= SMALL_FRAME_BYTES
    }

    /// Bytes that permits hold now, what is overdrawn left out.
    pub fn in_use(&self) -> usize {
        let Taken { small, large, .. } = self.taken();
        small + large
    }

    /// What is taken of each budget.
    pub fn taken(&self) -> Taken {
        let of = |size: usize, budget: &Semaphore| size - budget.available_permits();
        Taken {
            small: of(self.sizes[0], &self.small),
            large: of(self.sizes[1], &self.large),
            waiting_fetches: of(WAITING_FETCHES_BYTES, &self.waiting_fetches),
            remembered: of(REMEMBERED_BYTES, &self.remembered.0),
        }
    }

    /// Room to remember so many bytes of a fetch that waits; `None` if there is none: answer it at once.
    pub fn waiting_fetch(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        self.waiting_fetches.clone().try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
    }

    /// Places where a request, and what has arrived behind it, may wait for what came before them. None for who holds an
    /// overdraft: of those there is one, and others need it to go on.
    pub fn places_behind(&self, request: &Permit, next: &Permit) -> Option<[OwnedSemaphorePermit; 2]> {
        let overdrawn = request.overdraft.is_some() || next.overdraft.is_some();
        let places = || Some([self.behind.take(request)?, self.behind.take(next)?]);
        if overdrawn { None } else { places() }
    }

    /// The budget of records in memory that fetches are given.
    pub fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// The turn of a request that may take many times its bytes once it is decoded: one at a time of each kind, broker-wide.
    /// It lasts until the answer is there, or what was decoded has become something with a bound of its own: so no more
    /// than four such requests are held as decoded. It may be held while waiting for what the kind says, and for nobody
    /// else; so who waits for nobody is not held up by a disk.
    pub async fn turn(&self, awaits: Awaits) -> OwnedMutexGuard<()> {
        self.turns.of(awaits).clone().lock_owned().await
    }

    /// The turn of a large answer about groups.
    pub async fn large_answer(&self) -> OwnedSemaphorePermit {
        self.large_answers.clone().acquire_owned().await.expect("the semaphores are never closed")
    }

    /// Large answers about groups that are gathered or sent now.
    pub fn large_answers(&self) -> usize {
        LARGE_ANSWERS_MAX - self.large_answers.available_permits()
    }

    /// Waits until the permit covers `bytes` of a frame that will be `declared` bytes long. Dropping the future loses
    /// nothing but its place in the queue.
    pub async fn cover(&self, permit: &mut Permit, bytes: usize, declared: usize) {
        let more = bytes.saturating_sub(permit.bytes);
        if more == 0 {
            return;
        }
        if permit.overdraft.is_some() {
            permit.bytes = bytes;
            return;
        }
        let (class, held, overdraft) = if declared <= SMALL_FRAME_BYTES {
            (&self.small, &mut permit.small, &self.small_overdraft)
        } else {
            (&self.large, &mut permit.large, &self.large_overdraft)
        };
        let wanted = u32::try_from(more).unwrap_or(u32::MAX);
        tokio::select! {
            biased;
            taken = class.clone().acquire_many_owned(wanted) => {
                let Ok(taken) = taken else { return }; // the semaphores are never closed
                match held {
                    Some(held) => held.merge(taken),
                    None => *held = Some(taken),
                }
            }
            turn = overdraft.clone().lock_owned() => permit.overdraft = Some(turn),
        }
        permit.bytes = bytes;
    }
}

/// Where requests may wait for somebody who may be slow. Nobody waits for a place: who finds none is sent away, so that a
/// crowd at one door never takes all the memory that there is for requests.
#[derive(Debug)]
pub struct Places {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

impl Places {
    /// For so many bytes of small frames, and of large ones.
    pub fn new(small: usize, large: usize) -> Places {
        Places { small: Arc::new(Semaphore::new(small)), large: Arc::new(Semaphore::new(large)) }
    }

    /// A place for what the permit covers; it is free again when it is dropped.
    pub fn take(&self, permit: &Permit) -> Option<OwnedSemaphorePermit> {
        let class = if permit.bytes <= SMALL_FRAME_BYTES + PREFIX_BYTES { &self.small } else { &self.large };
        class.clone().try_acquire_many_owned(u32::try_from(permit.bytes).ok()?).ok()
    }
}

impl Permit {
    /// Takes so many bytes of what the permit covers, as far as it holds them.
    pub fn split(&mut self, bytes: usize) -> Permit {
        let mut taken = Permit::default();
        for (from, into) in [(&mut self.large, &mut taken.large), (&mut self.small, &mut taken.small)] {
            let Some(held) = from else { continue };
            let part = held.num_permits().min(bytes - taken.bytes);
            *into = held.split(part);
            taken.bytes += part;
        }
        self.bytes = self.bytes.saturating_sub(taken.bytes);
        taken
    }
}

/// The memory that the state of groups may take, over all coordinators. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GroupMemory {
    taken: Arc<AtomicUsize>,
    bytes: usize,
}

impl GroupMemory {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> GroupMemory {
        GroupMemory { taken: Arc::default(), bytes }
    }

    /// Bytes that coordinators hold now.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// The share of one coordinator; empty so far.
    pub fn share(&self) -> GroupShare {
        GroupShare { of: self.clone(), bytes: 0 }
    }
}

/// What one coordinator holds of a [`GroupMemory`]; it returns when this is dropped.
#[derive(Debug)]
pub struct GroupShare {
    of: GroupMemory,
    bytes: usize,
}

impl GroupShare {
    /// By how many bytes the coordinator may grow now. Nobody else is kept from the same bytes until they are held, so
    /// whoever decides on them holds them before it waits for anything: then the budget is passed at most by what as many
    /// requests add as there are threads, beside what members add who are there.
    pub fn room(&self) -> usize {
        self.of.bytes.saturating_sub(self.of.taken())
    }

    /// The coordinator holds so many bytes now. Never refused: what is there is there.
    pub fn holds(&mut self, bytes: usize) {
        if bytes >= self.bytes {
            self.of.taken.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            self.of.taken.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }
}

impl Drop for GroupShare {
    fn drop(&mut self) {
        self.holds(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn poll(future: impl Future<Output = ()>) -> Poll<()> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    const LARGE: usize = SMALL_FRAME_BYTES + 1;

    /// Of peers that each wait for the other's memory, none would ever finish.
    #[test]
    fn half_read_frames_never_block_each_other_for_ever() {
        for declared in [LARGE, SMALL_FRAME_BYTES] {
            let memory = RequestMemory::new(100, 100);
            let (mut first, mut second, mut third) = (Permit::default(), Permit::default(), Permit::default());
            assert!(poll(memory.cover(&mut first, 50, declared)).is_ready());
            assert!(poll(memory.cover(&mut second, 50, declared)).is_ready());
            assert!(poll(memory.cover(&mut first, 90, declared)).is_ready(), "one may finish past the budget");
            assert!(poll(memory.cover(&mut third, 10, declared)).is_pending(), "only one");
            drop(first);
            assert!(poll(memory.cover(&mut third, 10, declared)).is_ready());
        }
    }

    #[test]
    fn fetches_that_wait_have_a_bound_and_give_their_room_back() {
        let memory = RequestMemory::default();
        let first = memory.waiting_fetch(WAITING_FETCHES_BYTES - 1).unwrap();
        assert!(memory.waiting_fetch(2).is_none());
        drop(first);
        assert!(memory.waiting_fetch(2).is_some());
        assert!(memory.waiting_fetch(usize::MAX).is_none());
    }

    /// What is overdrawn is everybody's way out of a full house.
    #[test]
    fn who_holds_an_overdraft_has_no_place_to_wait() {
        let memory = RequestMemory::new(100, 100);
        let (mut first, mut second) = (Permit::default(), Permit::default());
        assert!(poll(memory.cover(&mut first, 100, 100)).is_ready());
        assert!(poll(memory.cover(&mut second, 10, 100)).is_ready());
        assert!(memory.places_behind(&first, &Permit::default()).is_some());
        assert!(memory.places_behind(&first, &second).is_none());
        assert!(memory.places_behind(&second, &first).is_none());
    }

    #[test]
    fn what_one_coordinator_holds_is_no_room_for_another() {
        let memory = GroupMemory::new(100);
        let (mut first, mut second) = (memory.share(), memory.share());
        first.holds(70);
        assert_eq!((first.room(), second.room()), (30, 30));
        second.holds(90);
        assert_eq!((first.room(), memory.taken()), (0, 160), "what is loaded counts, and is never refused");
        first.holds(5);
        assert_eq!(second.room(), 5);
        drop(second);
        assert_eq!((first.room(), memory.taken()), (95, 5));
    }

    #[test]
    fn small_frames_pass_a_house_full_of_large_ones() {
        let memory = RequestMemory::new(SMALL_FRAME_BYTES, 10);
        let (mut large, mut overdrawn, mut small) = (Permit::default(), Permit::default(), Permit::default());
        assert!(poll(memory.cover(&mut large, 10, LARGE)).is_ready());
        assert!(poll(memory.cover(&mut overdrawn, 1000, LARGE)).is_ready());
        assert!(poll(memory.cover(&mut small, 100, 100)).is_ready());
    }
}
