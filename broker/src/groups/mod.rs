//! The coordinators of groups: one driver for each partition of `__consumer_offsets`, spawned when somebody first asks it.
//!
//! Which partition a group belongs to follows from its name, as in Kafka. A driver loads its partition, and then is the
//! only one that decides about its groups: see [`driver`].

mod answers;
mod driver;
mod load;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use thalweg_coordinators::cluster::{Effect, NewTopic};
use thalweg_coordinators::groups::{Answer, Request, TopicName};
use thalweg_wire::{ErrorCode, PartitionIndex, TopicPartition};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::broker::Shared;
use crate::budgets::{GroupMemory, Permit};
use crate::cluster::Topic;
use crate::handlers::{Ending, create_topics};
pub use answers::Gathering;
use driver::{Driver, Told};

/// Where groups and their offsets are kept.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// Requests that wait for one driver; past it whoever asks waits: back-pressure.
const INBOX_MAX: usize = 256;

/// Partitions that are read at one time: whoever asks for all groups asks for all fifty, and others read as well.
const LOADS_MAX: usize = 2;

/// The drivers that were asked for.
pub struct Groups {
    /// What all of them may hold.
    memory: GroupMemory,
    /// Turns to load.
    loads: Semaphore,
    drivers: Mutex<Drivers>,
}

#[derive(Default)]
struct Drivers {
    running: HashMap<TopicPartition, Running>,
    stopped: bool,
}

struct Running {
    inbox: mpsc::Sender<Told>,
    task: JoinHandle<()>,
}

impl Groups {
    /// No drivers so far; all that will be may hold so many bytes of state together.
    pub fn new(state_bytes: usize) -> Groups {
        let loads = Semaphore::new(LOADS_MAX);
        Groups { memory: GroupMemory::new(state_bytes), loads, drivers: Mutex::default() }
    }

    /// Bytes that the state of groups takes now.
    pub fn state_bytes(&self) -> usize {
        self.memory.taken()
    }

    /// Asks the coordinator of a group, and waits for its answer. Until it is decided the request keeps the permit for its
    /// frame. Both may take long, where a coordinator is loaded or its disk is slow: whoever asks holds nothing meanwhile
    /// that others wait for.
    ///
    /// # Errors
    /// NOT_COORDINATOR where there is none: nobody has looked for one yet, or the connection or the broker ends meanwhile.
    pub async fn ask(
        &self,
        shared: &Arc<Shared>,
        group: &str,
        request: Request,
        permit: Permit,
        ending: &mut Ending,
    ) -> Result<Answer, ErrorCode> {
        self.ask_within(shared, group, (request, usize::MAX), permit, ending).await
    }

    /// The same for an answer of so many bytes at most.
    async fn ask_within(
        &self,
        shared: &Arc<Shared>,
        group: &str,
        within: (Request, usize),
        permit: Permit,
        ending: &mut Ending,
    ) -> Result<Answer, ErrorCode> {
        let topic = shared.cluster.topic(OFFSETS_TOPIC).ok_or(ErrorCode::NotCoordinator)?;
        let partition = partition_of(group, topic.partition_count());
        self.ask_at(shared, partition, within, permit, ending).await
    }

    /// Those that have a coordinator.
    fn partitions(&self, shared: &Shared) -> impl Iterator<Item = PartitionIndex> + use<> {
        let count = shared.cluster.topic(OFFSETS_TOPIC).map_or(0, |topic| topic.partition_count());
        (0..count).map(PartitionIndex)
    }

    /// Topics were deleted: what groups had read of them is forgotten.
    pub async fn topics_deleted(&self, topics: Vec<TopicName>) {
        let inboxes: Vec<_> = {
            let mut drivers = self.drivers();
            // A topic of offsets that comes after one that was deleted has nothing of it.
            drivers.running.retain(|id, _| topics.iter().all(|topic| topic.id != id.topic));
            drivers.running.values().map(|running| running.inbox.clone()).collect()
        };
        for inbox in inboxes {
            // One that ends has nothing to forget.
            let _ = inbox.send(Told::TopicsDeleted(topics.clone())).await;
        }
    }

    /// Ends all drivers: who waits is told to look elsewhere. Returns when what they have appended is answered.
    pub async fn stop(&self) {
        let running = {
            let mut drivers = self.drivers();
            drivers.stopped = true;
            std::mem::take(&mut drivers.running)
        };
        for (_, Running { inbox, task }) in running {
            drop(inbox);
            // One that panicked has ended as well.
            let _ = task.await;
        }
    }

    /// Asks the coordinator of a partition.
    async fn ask_at(
        &self,
        shared: &Arc<Shared>,
        partition: PartitionIndex,
        (request, answer_bytes_max): (Request, usize),
        permit: Permit,
        ending: &mut Ending,
    ) -> Result<Answer, ErrorCode> {
        let topic = shared.cluster.topic(OFFSETS_TOPIC).ok_or(ErrorCode::NotCoordinator)?;
        let (reply, answer) = oneshot::channel();
        let told = Told::Asked(Box::new(request), answer_bytes_max, reply, permit);
        let answered = async {
            self.tell(shared, &topic, partition, told).await?;
            answer.await.unwrap_or(Err(ErrorCode::NotCoordinator))
        };
        tokio::select! {
            biased;
            answer = answered => answer,
            () = ending.begun() => Err(ErrorCode::NotCoordinator),
        }
    }

    async fn tell(
        &self,
        shared: &Arc<Shared>,
        topic: &Arc<Topic>,
        partition: PartitionIndex,
        mut told: Told,
    ) -> Result<(), ErrorCode> {
        // A driver that has just ended, because a write failed, takes nothing more: one other is asked.
        for _ in 0..2 {
            let inbox = self.inbox(shared, topic, partition).ok_or(ErrorCode::NotCoordinator)?;
            match inbox.send(told).await {
                Ok(()) => return Ok(()),
                Err(mpsc::error::SendError(back)) => told = back,
            }
        }
        Err(ErrorCode::NotCoordinator)
    }

    /// The driver's inbox; it is spawned if there is none. `None` when the broker stops.
    fn inbox(&self, shared: &Arc<Shared>, topic: &Arc<Topic>, partition: PartitionIndex) -> Option<mpsc::Sender<Told>> {
        let mut drivers = self.drivers();
        if drivers.stopped {
            return None;
        }
        let id = TopicPartition { topic: topic.id(), partition };
        if let Some(known) = drivers.running.get(&id).filter(|running| !running.inbox.is_closed()) {
            return Some(known.inbox.clone());
        }
        let (inbox, told) = mpsc::channel(INBOX_MAX);
        let task = tokio::spawn(Driver::run(shared.clone(), topic.clone(), partition, told));
        drivers.running.insert(id, Running { inbox: inbox.clone(), task });
        Some(inbox)
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
