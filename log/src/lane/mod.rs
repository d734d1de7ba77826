//! The lane past the journal: a log with much on its way has it written straight to its files.
//!
//! What goes through the journal reaches the disk twice, once to be acknowledged and once in its file. A log whose
//! records come faster than the journal makes them durable is better served by a sync of its own file: its batches are
//! appended there and the file is synced, while a word of them (`Placing`) goes through the journal with the next group; when
//! both have come to their end they are stable. Few logs may do so at a time ([`LOGS_MAX`]): a sync a log is what the journal
//! is there to avoid. The first write of a stay is told of when it is synced (by a `Placed`, or the `Placing` of the next), and so
//! is one that none follows.
//!
//! A crash may leave any part of what was not synced in the file, and only an entry of the journal that recovery still
//! reads cuts it off. So a write begins only behind a durable entry of its log in a frame that no checkpoint has named
//! ([`Fence`]), and a checkpoint that is about to name it waits for the write ([`Lane::passed`]).
//!
//! [`Road`] is what one log knows of this, under its owner's lock; a write runs where it may block.

mod fences;
mod road;
mod write;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use thalweg_wire::TopicPartition;
use thalweg_world::World;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::write_out::{self, WriteOut};

pub use fences::Fence;
use fences::Fences;
pub use road::{Road, Sent};
use write::Write;
pub use write::Written;

/// Logs that go past the journal at a time.
pub const LOGS_MAX: usize = 8;

/// How long a stop waits for what is on its way.
const IDLE_PATIENCE: Duration = Duration::from_secs(10);

/// Takes logs past the journal. Cheap to clone.
#[derive(Clone)]
pub struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    world: World,
    fences: Arc<Fences>,
    places: Arc<Semaphore>,
    /// Bytes of one log on their way through the journal from which on the next go past it.
    bytes: usize,
    logs: Weak<dyn Logs>,
    sent: AtomicU64,
    /// The other writer of files, who looks at the space on the disk.
    write_out: WriteOut,
}

/// A log's place in the lane.
struct Place(#[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit);

/// Those who hold the logs.
pub trait Logs: write_out::Logs {
    /// A write has ended that did not fail; told by the thread that wrote.
    fn written(&self, log: TopicPartition, written: Written);
}

impl Lane {
    /// A lane in which nothing goes yet. A log enters it with so many bytes on their way.
    pub fn new(world: World, bytes: usize, logs: Weak<dyn Logs>, write_out: WriteOut) -> Lane {
        let places = Arc::new(Semaphore::new(LOGS_MAX));
        Lane {
            shared: Arc::new(Shared {
                world,
                fences: Arc::default(),
                places,
                bytes,
                logs,
                sent: AtomicU64::new(0),
                write_out,
            }),
        }
    }

    /// How much on its way through the journal brings a log here, in bytes.
    fn enters_with(&self) -> usize {
        self.shared.bytes
    }

    /// A place, if there is one, and room on the disk.
    fn enter(&self) -> Option<Place> {
        if self.shared.write_out.is_at_reserve() {
            return None;
        }
        self.shared.places.clone().try_acquire_owned().ok().map(Place)
    }

    /// The right to write behind a durable entry in the frame of that sequence; `None` if a checkpoint has named it.
    pub(crate) fn fence(&self, sequence: u64) -> Option<Fence> {
        Fences::begin(&self.shared.fences, sequence)
    }

    /// Sends a write on its way.
    fn send(&self, write: Write) {
        self.shared.sent.fetch_add(1, Ordering::Relaxed);
        let shared = self.shared.clone();
        // It runs to its end by itself.
        drop(self.shared.world.offload.run(Box::new(move || write.run(&shared))));
    }

    /// A checkpoint is about to name the frames up to `sequence`: no write begins behind them any more, and those that did
    /// have ended when this returns.
    pub async fn passed(&self, sequence: u64) {
        self.shared.fences.passed(sequence).await;
    }

    /// How many writes went past the journal.
    pub fn writes(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// Waits until no log is in the lane, for a stop: none may enter meanwhile. Not for ever, as a full disk may keep one.
    /// Whether it came to that.
    pub async fn idle(&self) -> bool {
        tokio::select! {
            biased;
            // It is never closed.
            _ = self.shared.places.acquire_many(LOGS_MAX as u32) => true,
            () = self.shared.world.clock.sleep(IDLE_PATIENCE) => false,
        }
    }
}
