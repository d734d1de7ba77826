//! Records on their way, by partition: batches of one partition are settled in order, those of several in any, so that no
//! record's time is taken when another's came.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thalweg_client::{Delivery, DeliveryError};
use thalweg_wire::Moment;
use thalweg_world::World;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::latencies::Latencies;
use crate::commands::produce::Why;

/// A record that was sent, and when its time began.
pub(super) struct Sent {
    pub(super) since: Moment,
    pub(super) delivery: Delivery,
}

/// What became of all records. Cheap to clone.
#[derive(Clone)]
pub(super) struct Board {
    told: Arc<Mutex<Told>>,
}

/// What became of records so far.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) arrived: u64,
    pub(super) latencies: Latencies,
    /// Why the first that isn't there is not: those behind it aren't sent.
    pub(super) failure: Option<Why>,
}

impl Board {
    /// Nothing was sent yet.
    pub(super) fn new() -> Board {
        Board { told: Arc::new(Mutex::new(Told { arrived: 0, latencies: Latencies::new(), failure: None })) }
    }

    /// What is there so far.
    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record is not there.
    pub(super) fn failed(&self, why: Why) {
        self.told().failure.get_or_insert(why);
    }

    fn settled(&self, outcome: Result<(), DeliveryError>, took: Duration) {
        match outcome {
            Ok(()) => {
                let mut told = self.told();
                told.arrived += 1;
                told.latencies.record(took);
            }
            Err(error) => self.failed(error.into()),
        }
    }
}

/// The lanes of one producer.
pub(super) struct Lanes {
    lanes: Vec<mpsc::Sender<Sent>>,
    watchers: JoinSet<()>,
}

/// What one takes at a time.
const AT_ONCE: usize = 1024;

impl Lanes {
    /// One for each partition; `room` is how many records a producer can have on their way.
    pub(super) fn new(world: &World, partitions: usize, room: usize, board: &Board) -> Lanes {
        let mut watchers = JoinSet::new();
        let lanes = (0..partitions).map(|_| {
            let (give, lane) = mpsc::channel(room.max(1));
            watchers.spawn(watch(lane, board.clone(), world.clone()));
            give
        });
        Lanes { lanes: lanes.collect(), watchers }
    }

    /// The lane of a partition.
    pub(super) fn of(&self, partition: usize) -> &mpsc::Sender<Sent> {
        &self.lanes[partition]
    }

    /// Ready when all that was sent is settled.
    pub(super) async fn end(self) {
        drop(self.lanes);
        self.watchers.join_all().await;
    }
}

async fn watch(mut lane: mpsc::Receiver<Sent>, board: Board, world: World) {
    let mut some = Vec::new();
    while lane.recv_many(&mut some, AT_ONCE).await > 0 {
        for Sent { since, delivery } in some.drain(..) {
            let outcome = match delivery.told() {
                Some(told) => told,
                None => delivery.outcome().await,
            };
            board.settled(outcome.map(drop), world.clock.now().since(since));
        }
    }
}
