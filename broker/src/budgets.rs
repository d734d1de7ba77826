//! Memory that peers may make us hold, in one table.
//!
//! | budget | bytes | what it bounds |
//! |---|---|---|
//! | small frames | 16 MiB | requests up to 64 KiB: a class of their own, so that heartbeats pass a full house |
//! | large frames | 128 MiB | requests above that, as far as their bytes have arrived |
//! | one more frame of each class | 64 KiB, 100 MiB | one frame at a time may finish past its budget, so that half-read ones never block each other for ever |
//! | fetches that wait | 64 MiB | what is remembered of requests that wait for records; past it they are answered at once |
//! | fetch sessions | 92 MB | what clients have told once, see `fetch_session` |
//! | responses | 1 MiB and one more answer | finished answers waiting on one connection, see `connection` |
//!
//! A permit is taken for the bytes that arrive, never for the length that was declared: 10,000 peers that announce
//! 100 MiB and send nothing hold nothing.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Frames up to this many bytes belong to the small class.
pub const SMALL_FRAME_BYTES: usize = thalweg_wire::frame::SMALL_FRAME_BYTES_MAX;

/// Bytes of small frames.
pub const SMALL_FRAMES_BYTES: usize = 16 << 20;

/// Bytes of large frames.
pub const LARGE_FRAMES_BYTES: usize = 128 << 20;

/// Bytes of what is remembered of waiting fetches: some 5,000 consumers of 100 partitions each.
pub const WAITING_FETCHES_BYTES: usize = 64 << 20;

const _: () = assert!(SMALL_FRAMES_BYTES >= 64 * SMALL_FRAME_BYTES); // a few slow peers don't hold up the rest

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
    /// See [`RequestMemory::alone`].
    alone: Arc<Mutex<()>>,
    bytes: usize,
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
            alone: Arc::default(),
            bytes: small + large,
        }
    }

    /// Whether there is room for another small frame without waiting.
    pub fn is_roomy(&self) -> bool {
        self.small.available_permits() >= SMALL_FRAME_BYTES
    }

    /// Bytes that permits hold now, what is overdrawn left out.
    pub fn in_use(&self) -> usize {
        self.bytes - self.small.available_permits() - self.large.available_permits()
    }

    /// Room to remember so many bytes of a fetch that waits; `None` if there is none: answer it at once.
    pub fn waiting_fetch(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        self.waiting_fetches.clone().try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
    }

    /// The turn of a request that may take many times its bytes while it is served: one at a time, broker-wide.
    pub async fn alone(&self) -> OwnedMutexGuard<()> {
        self.alone.clone().lock_owned().await
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

    #[test]
    fn small_frames_pass_a_house_full_of_large_ones() {
        let memory = RequestMemory::new(SMALL_FRAME_BYTES, 10);
        let (mut large, mut overdrawn, mut small) = (Permit::default(), Permit::default(), Permit::default());
        assert!(poll(memory.cover(&mut large, 10, LARGE)).is_ready());
        assert!(poll(memory.cover(&mut overdrawn, 1000, LARGE)).is_ready());
        assert!(poll(memory.cover(&mut small, 100, 100)).is_ready());
    }
}
