//! The coordinators of groups: one driver for each partition of `__consumer_offsets`, spawned when somebody first asks it.
//!
//! Which partition a group belongs to follows from its name, as in Kafka. A driver loads its partition, and then is the
//! only one that decides about its groups: see [`driver`].

mod answers;
mod driver;
mod load;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::FutureExt;
use thalweg_coordinators::cluster::{Effect, NewTopic};
use thalweg_coordinators::groups::{Answer, Request, TopicName};
use thalweg_wire::{ErrorCode, PartitionIndex, TopicPartition};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::broker::Shared;
use crate::budgets::{GroupMemory, Permit, Places, UNDECIDED_LARGE_BYTES, UNDECIDED_SMALL_BYTES};
use crate::cluster::Topic;
use crate::frames::{OTHER_FRAME_BYTES_MAX, PREFIX_BYTES};
use crate::handlers::{Ending, create_topics};
pub use answers::Gathering;
use driver::{Asked, Deletions, Driver, Undecided};

/// Where groups and their offsets are kept.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// Requests that wait for one driver; past it whoever asks is sent away.
const INBOX_MAX: usize = 256;

/// A quarter of the small frames that may wait for all: one slow coordinator takes nothing from those that are not.
const UNDECIDED_SMALL_BYTES_EACH: usize = UNDECIDED_SMALL_BYTES / 4;

/// The same for large frames.
const UNDECIDED_LARGE_BYTES_EACH: usize = UNDECIDED_LARGE_BYTES / 2;

const _: () = assert!(UNDECIDED_LARGE_BYTES_EACH > OTHER_FRAME_BYTES_MAX + PREFIX_BYTES); // the largest finds a place

/// Partitions that are read at one time: whoever asks for all groups asks for all fifty, and others read as well.
const LOADS_MAX: usize = 2;

/// What a request holds that asks several coordinators: its frame, and a place among all that do.
pub struct Several {
    _frame: Permit,
    _place: OwnedSemaphorePermit,
}

/// The drivers that were asked for.
pub struct Groups {
    /// What all of them may hold.
    memory: GroupMemory,
    /// Turns to load.
    loads: Semaphore,
    /// For requests to one coordinator each.
    places: Places,
    /// For requests that ask several, one after the other: a budget of its own, for some wait for the slowest of all.
    places_of_many: Places,
    drivers: Mutex<Drivers>,
}

#[derive(Default)]
struct Drivers {
    running: HashMap<TopicPartition, Running>,
    stopped: bool,
}

struct Running {
    inbox: mpsc::Sender<Asked>,
    places: Arc<Places>,
    deletions: Arc<Deletions>,
    task: JoinHandle<()>,
}

impl Groups {
    /// No drivers so far; all that will be may hold so many bytes of state together.
    pub fn new(state_bytes: usize) -> Groups {
        let loads = Semaphore::new(LOADS_MAX);
        let places = || Places::new(UNDECIDED_SMALL_BYTES, UNDECIDED_LARGE_BYTES);
        Groups {
            memory: GroupMemory::new(state_bytes),
            loads,
            places: places(),
            places_of_many: places(),
            drivers: Mutex::default(),
        }
    }

    /// Bytes that the state of groups takes now.
    pub fn state_bytes(&self) -> usize {
        self.memory.taken()
    }

    /// Coordinators that were asked for.
    pub fn coordinators(&self) -> usize {
        self.drivers().running.len()
    }

    /// Asks the coordinator of a group, and waits for its answer. Until it is decided the request keeps the permit for its
    /// frame. Both may take long, where a coordinator is loaded or its disk is slow: whoever asks holds nothing meanwhile
    /// that others wait for, beside its frame, and of frames that wait there are only so many.
    ///
    /// # Errors
    /// COORDINATOR_LOAD_IN_PROGRESS where too many wait already; so Kafka says it while it loads, and clients come again.
    /// NOT_COORDINATOR where there is none: nobody has looked for one yet, or it ends; or where the connection or the broker
    /// is about to end, and then nothing was asked, or whoever asks waits for other members.
    pub async fn ask(
        &self,
        shared: &Arc<Shared>,
        group: &str,
        request: Request,
        permit: Permit,
        ending: &mut Ending,
    ) -> Result<Answer, ErrorCode> {
        let Some(place) = self.places.take(&permit) else { return Err(ErrorCode::CoordinatorLoadInProgress) };
        let undecided = Undecided::new(permit, place);
        self.ask_within(shared, group, (request, usize::MAX), undecided, ending).await
    }

    /// For a request that asks several coordinators, from the first to the last: what it holds until the last has decided.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn several(&self, permit: Permit) -> Result<Several, ErrorCode> {
        let place = self.places_of_many.take(&permit).ok_or(ErrorCode::CoordinatorLoadInProgress)?;
        Ok(Several { _frame: permit, _place: place })
    }

    /// Asks one of several.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn ask_one_of(
        &self,
        _several: &Several,
        shared: &Arc<Shared>,
        group: &str,
        request: Request,
        ending: &mut Ending,
    ) -> Result<Answer, ErrorCode> {
        self.ask_within(shared, group, (request, usize::MAX), Undecided::default(), ending).await
    }

    /// The same for an answer of so many bytes at most.
    async fn ask_within(
        &self,
        shared: &Arc<Shared>,
        group: &str,
        within: (Request, usize),
        undecided: Undecided,
        ending: &mut Ending,
    ) -> Result<Answer, ErrorCode> {
        let topic = shared.cluster.topic(OFFSETS_TOPIC).ok_or(ErrorCode::NotCoordinator)?;
        let partition = partition_of(group, topic.partition_count());
        self.ask_at(shared, (&topic, partition), within, undecided, ending).await
    }

    /// Topics were deleted: what groups had read of them is forgotten, before anything that is asked from here on. Waits for
    /// nobody: the deletion is durable, however busy a driver is.
    pub fn topics_deleted(&self, topics: &[TopicName]) {
        let mut drivers = self.drivers();
        // A topic of offsets that comes after one that was deleted has nothing of it.
        drivers.running.retain(|id, _| topics.iter().all(|topic| topic.id != id.topic));
        drivers.running.values().for_each(|running| running.deletions.add(topics));
    }

    /// Ends all drivers: who waits is told to look elsewhere. Returns when what they have appended is answered.
    pub async fn stop(&self) {
        let running = {
            let mut drivers = self.drivers();
            drivers.stopped = true;
            std::mem::take(&mut drivers.running)
        };
        // All inboxes first: who waits to be loaded behind others hears of it before those have ended.
        let tasks: Vec<_> = running.into_values().map(|running| running.task).collect();
        for task in tasks {
            // One that panicked has ended as well.
            let _ = task.await;
        }
    }

    /// Asks the coordinator of a partition. It says itself what becomes of what it was asked, also while the connection
    /// ends: it may be stored already. Only what waits for other members waits no longer then.
    async fn ask_at(
        &self,
        shared: &Arc<Shared>,
        (topic, partition): (&Arc<Topic>, PartitionIndex),
        (request, answer_bytes_max): (Request, usize),
        undecided: Undecided,
        ending: &mut Ending,
    ) -> Result<Answer, ErrorCode> {
        if ending.begun().now_or_never().is_some() {
            return Err(ErrorCode::NotCoordinator);
        }
        let waits_for_others = matches!(request, Request::Join(_) | Request::Sync(_));
        let (reply, answer) = oneshot::channel();
        self.tell(shared, topic, partition, Asked { request: Box::new(request), answer_bytes_max, reply, undecided })?;
        tokio::select! {
            biased;
            answer = answer => answer.unwrap_or(Err(ErrorCode::NotCoordinator)),
            () = ending.begun(), if waits_for_others => Err(ErrorCode::NotCoordinator),
        }
    }

    /// Puts a question into a driver's inbox, where it waits while the partition is loaded: whoever comes first is not sent
    /// away for that. Where the inbox is full it is: nobody waits in front of it.
    fn tell(
        &self,
        shared: &Arc<Shared>,
        topic: &Arc<Topic>,
        partition: PartitionIndex,
        mut asked: Asked,
    ) -> Result<(), ErrorCode> {
        // A driver that has just ended, because a write failed, takes nothing more: one other is asked.
        for _ in 0..2 {
            let (inbox, places) = self.inbox(shared, topic, partition).ok_or(ErrorCode::NotCoordinator)?;
            if !asked.undecided.finds_place_at(&places) {
                return Err(ErrorCode::CoordinatorLoadInProgress);
            }
            match inbox.try_send(asked) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::TrySendError::Full(_)) => return Err(ErrorCode::CoordinatorLoadInProgress),
                Err(mpsc::error::TrySendError::Closed(back)) => asked = back,
            }
        }
        Err(ErrorCode::NotCoordinator)
    }

    /// The driver's inbox, and the places there; it is spawned if there is none. `None` when the broker stops.
    fn inbox(
        &self,
        shared: &Arc<Shared>,
        topic: &Arc<Topic>,
        partition: PartitionIndex,
    ) -> Option<(mpsc::Sender<Asked>, Arc<Places>)> {
        let mut drivers = self.drivers();
        if drivers.stopped {
            return None;
        }
        let id = TopicPartition { topic: topic.id(), partition };
        if let Some(known) = drivers.running.get(&id).filter(|running| !running.inbox.is_closed()) {
            return Some((known.inbox.clone(), known.places.clone()));
        }
        let (inbox, asked) = mpsc::channel(INBOX_MAX);
        let places = Arc::new(Places::new(UNDECIDED_SMALL_BYTES_EACH, UNDECIDED_LARGE_BYTES_EACH));
        let deletions = Arc::new(Deletions::default());
        let task = tokio::spawn(Driver::run(shared.clone(), topic.clone(), partition, asked, deletions.clone()));
        drivers.running.insert(id, Running { inbox: inbox.clone(), places: places.clone(), deletions, task });
        Some((inbox, places))
    }

    fn drivers(&self) -> MutexGuard<'_, Drivers> {
        self.drivers.lock().expect("no code panics while it holds the table of coordinators")
    }
}

/// Sees that there is a topic for offsets, as the first FindCoordinator does in Kafka.
///
/// # Errors
/// What the client is told; it asks again.
pub async fn has_topic(shared: &Shared) -> Result<(), ErrorCode> {
    if shared.cluster.topic(OFFSETS_TOPIC).is_some() {
        return Ok(());
    }
    let settings = &shared.settings.offsets;
    let config = |name: &str, value: String| (name.to_owned(), Some(value));
    let topic = NewTopic {
        partitions: settings.partitions,
        // Capped at the brokers that are there.
        replication_factor: 1,
        settings: vec![
            config("cleanup.policy", "compact".to_owned()),
            config("compression.type", "producer".to_owned()),
            config("segment.bytes", settings.segment_bytes.to_string()),
        ],
        ..create_topics::mentioned(shared, OFFSETS_TOPIC)
    };
    let made = create_topics::create(shared, vec![topic], Effect::Create).await;
    match made.into_iter().next().map(|made| made.outcome) {
        Some(Ok(_)) => Ok(()),
        Some(Err(refused)) if refused.code == ErrorCode::TopicAlreadyExists => Ok(()),
        Some(Err(_)) | None => Err(ErrorCode::CoordinatorNotAvailable),
    }
}

/// The partition of a group: Java's hash of its name, without the sign (Kafka's `partitionFor`).
fn partition_of(group: &str, partitions: i32) -> PartitionIndex {
    let hash = group.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    // The one number that has no counterpart counts as 0.
    PartitionIndex(hash.checked_abs().unwrap_or(0) % partitions.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_where_java_puts_them() {
        // By `Utils.abs("...".hashCode()) % 50`.
        let partition = |group| partition_of(group, 50).0;
        assert_eq!(partition(""), 0);
        assert_eq!(partition("a"), 97 % 50);
        assert_eq!(partition("ab"), (97 * 31 + 98) % 50);
        // Java: "polygenelubricants".hashCode() == Integer.MIN_VALUE.
        assert_eq!(partition("polygenelubricants"), 0);
    }
}
