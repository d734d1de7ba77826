//! A topic and its partitions as the cluster sees them: who keeps them, who leads, since which epoch.
//!
//! A partition of one replica takes about a hundred bytes, so that a hundred thousand of them fit into a small machine;
//! what few partitions have (a reassignment, eligible leaders) stands behind a pointer.

use std::collections::BTreeMap;
use std::sync::Arc;

use thalweg_messages::metadata_log::{ConfigRecord, PartitionChangeRecord, PartitionRecord, TopicRecord};
use thalweg_wire::codec::UnknownTag;
use thalweg_wire::{BrokerId, LeaderEpoch, PartitionIndex, TopicId, Uuid};

use super::image::Resource;
use super::names::is_internal;
use super::records::Record;

/// `PartitionChangeRecord`'s "the leader stays".
const LEADER_STAYS: BrokerId = BrokerId(-2);

/// `PartitionChangeRecord`'s "the recovery state stays".
const RECOVERY_STAYS: i8 = -1;

/// A topic.
#[derive(Clone, PartialEq, Debug)]
pub struct Topic {
    id: TopicId,
    name: Arc<str>,
    /// Sorted by index, without a hole but for what a log of somebody else's may lack.
    partitions: Vec<Partition>,
    settings: BTreeMap<String, String>,
    unknown_tags: Vec<UnknownTag>,
}

/// A partition.
#[derive(Clone, PartialEq, Debug)]
pub struct Partition {
    index: PartitionIndex,
    leader: BrokerId,
    leader_epoch: LeaderEpoch,
    partition_epoch: i32,
    replicas: Box<[Replica]>,
    in_sync: Box<[BrokerId]>,
    rare: Option<Box<Rare>>,
}

/// Where a copy of a partition is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replica {
    /// On which broker.
    pub broker: BrokerId,
    /// In which of its log directories; the null id if that is not known (KIP-858).
    pub directory: Uuid,
}

/// What few partitions have.
#[derive(Clone, Default, PartialEq, Debug)]
struct Rare {
    removing: Vec<BrokerId>,
    adding: Vec<BrokerId>,
    recovery: i8,
    eligible: Option<Vec<BrokerId>>,
    last_known_eligible: Option<Vec<BrokerId>>,
    unknown_tags: Vec<UnknownTag>,
}

impl Topic {
    pub(super) fn new(record: &TopicRecord) -> Topic {
        Topic {
            id: record.topic_id,
            name: record.name.as_str().into(),
            partitions: Vec::new(),
            settings: BTreeMap::new(),
            unknown_tags: record.unknown_tags.clone(),
        }
    }

    /// Its id.
    pub fn id(&self) -> TopicId {
        self.id
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether the broker itself writes to it.
    pub fn is_internal(&self) -> bool {
        is_internal(&self.name)
    }

    /// Its partitions, by their numbers.
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// One of them.
    pub fn partition(&self, index: PartitionIndex) -> Option<&Partition> {
        self.place(index).ok().map(|place| &self.partitions[place])
    }

    /// The number that its next partition gets.
    pub fn next_index(&self) -> PartitionIndex {
        PartitionIndex(self.partitions.last().map_or(0, |last| last.index.0 + 1))
    }

    /// The settings that were given to it: name and value.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    pub(super) fn put(&mut self, record: &PartitionRecord) {
        let partition = Partition::new(record);
        match self.place(partition.index) {
            Ok(place) => self.partitions[place] = partition,
            Err(place) => self.partitions.insert(place, partition),
        }
    }

    pub(super) fn change(&mut self, record: &PartitionChangeRecord) {
        if let Ok(place) = self.place(record.partition_id) {
            self.partitions[place].change(record);
        }
    }

    pub(super) fn set(&mut self, record: &ConfigRecord) {
        match &record.value {
            Some(value) => self.settings.insert(record.name.clone(), value.clone()),
            None => self.settings.remove(&record.name),
        };
    }

    /// Whether a broker leads any of its partitions.
    pub(super) fn is_led_by(&self, broker: BrokerId) -> bool {
        self.partitions.iter().any(|partition| partition.leader == broker)
    }

    /// A new epoch for each partition that a broker leads: what its last process still says carries the old one.
    pub(super) fn begin_epochs(&mut self, broker: BrokerId) {
        for partition in self.partitions.iter_mut().filter(|partition| partition.leader == broker) {
            partition.leader_epoch = LeaderEpoch(partition.leader_epoch.0.saturating_add(1));
            partition.partition_epoch = partition.partition_epoch.saturating_add(1);
        }
    }

    /// The topic as records, in the order in which the controller writes them.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        let name = self.name.as_ref();
        let topic = TopicRecord { name: name.to_owned(), topic_id: self.id, unknown_tags: self.unknown_tags.clone() };
        let settings = self.settings.iter().map(move |(key, value)| {
            Record::from(ConfigRecord {
                resource_type: Resource::TOPIC,
                resource_name: name.to_owned(),
                name: key.clone(),
                value: Some(value.clone()),
                ..Default::default()
            })
        });
        let partitions = self.partitions.iter().map(|partition| Record::from(partition.record(self.id)));
        std::iter::once(topic.into()).chain(settings).chain(partitions)
    }

    /// Partitions are numbered from 0, so a partition's place is its number, unless some are missing.
    fn place(&self, index: PartitionIndex) -> Result<usize, usize> {
        let guess = usize::try_from(index.0).unwrap_or(0);
        match self.partitions.get(guess) {
            Some(partition) if partition.index == index => Ok(guess),
            _ => self.partitions.binary_search_by_key(&index, |partition| partition.index),
        }
    }
}

impl Partition {
    fn new(record: &PartitionRecord) -> Partition {
        let rare = Rare {
            removing: record.removing_replicas.clone(),
            adding: record.adding_replicas.clone(),
            recovery: record.leader_recovery_state,
            eligible: record.eligible_leader_replicas.clone(),
            last_known_eligible: record.last_known_elr.clone(),
            unknown_tags: record.unknown_tags.clone(),
        };
        Partition {
            index: record.partition_id,
            leader: record.leader,
            leader_epoch: record.leader_epoch,
            partition_epoch: record.partition_epoch,
            replicas: replicas(&record.replicas, &record.directories),
            in_sync: record.isr.as_slice().into(),
            rare: rare.boxed(),
        }
    }

    /// Its number.
    pub fn index(&self) -> PartitionIndex {
        self.index
    }

    /// Who leads it; [`BrokerId::NONE`] if nobody does.
    pub fn leader(&self) -> BrokerId {
        self.leader
    }

    /// The epoch of the leader.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    /// Goes up with each change; in-sync changes are compared with it.
    pub fn partition_epoch(&self) -> i32 {
        self.partition_epoch
    }

    /// Where it is kept, the preferred leader first.
    pub fn replicas(&self) -> &[Replica] {
        &self.replicas
    }

    /// The in-sync replicas.
    pub fn in_sync(&self) -> &[BrokerId] {
        &self.in_sync
    }

    /// Out of sync, but sure to hold all that was acknowledged (KIP-966).
    pub fn eligible_leaders(&self) -> &[BrokerId] {
        self.rare.as_ref().and_then(|rare| rare.eligible.as_deref()).unwrap_or_default()
    }

    /// Were eligible until an unclean stop (KIP-966).
    pub fn last_known_eligible_leaders(&self) -> &[BrokerId] {
        self.rare.as_ref().and_then(|rare| rare.last_known_eligible.as_deref()).unwrap_or_default()
    }

    fn change(&mut self, record: &PartitionChangeRecord) {
        let mut rare = self.rare.take().map_or_else(Rare::default, |rare| *rare);
        let set = |field: &mut Vec<BrokerId>, new: &Option<Vec<BrokerId>>| {
            if let Some(new) = new {
                field.clone_from(new);
            }
        };
        set(&mut rare.removing, &record.removing_replicas);
        set(&mut rare.adding, &record.adding_replicas);
        if record.leader_recovery_state != RECOVERY_STAYS {
            rare.recovery = record.leader_recovery_state;
        }
        if record.eligible_leader_replicas.is_some() {
            rare.eligible.clone_from(&record.eligible_leader_replicas);
        }
        if record.last_known_elr.is_some() {
            rare.last_known_eligible.clone_from(&record.last_known_elr);
        }
        self.rare = rare.boxed();
        if record.replicas.is_some() || record.directories.is_some() {
            let (brokers, directories) = self.replica_lists();
            let brokers = record.replicas.as_ref().unwrap_or(&brokers);
            self.replicas = replicas(brokers, record.directories.as_ref().unwrap_or(&directories));
        }
        if let Some(isr) = &record.isr {
            self.in_sync = isr.as_slice().into();
        }
        if record.leader != LEADER_STAYS {
            self.leader = record.leader;
            self.leader_epoch = LeaderEpoch(self.leader_epoch.0.saturating_add(1));
        }
        self.partition_epoch = self.partition_epoch.saturating_add(1);
    }

    fn record(&self, topic: TopicId) -> PartitionRecord {
        let rare = self.rare.as_deref().cloned().unwrap_or_default();
        let (replicas, directories) = self.replica_lists();
        PartitionRecord {
            partition_id: self.index,
            topic_id: topic,
            replicas,
            isr: self.in_sync.to_vec(),
            removing_replicas: rare.removing,
            adding_replicas: rare.adding,
            leader: self.leader,
            leader_recovery_state: rare.recovery,
            leader_epoch: self.leader_epoch,
            partition_epoch: self.partition_epoch,
            directories,
            eligible_leader_replicas: rare.eligible,
            last_known_elr: rare.last_known_eligible,
            unknown_tags: rare.unknown_tags,
        }
    }

    fn replica_lists(&self) -> (Vec<BrokerId>, Vec<Uuid>) {
        self.replicas.iter().map(|replica| (replica.broker, replica.directory)).unzip()
    }
}

impl Rare {
    fn boxed(self) -> Option<Box<Rare>> {
        (self != Rare::default()).then(|| Box::new(self))
    }
}

/// Older records name no directories.
fn replicas(brokers: &[BrokerId], directories: &[Uuid]) -> Box<[Replica]> {
    let directories = directories.iter().copied().chain(std::iter::repeat(Uuid::ZERO));
    brokers.iter().zip(directories).map(|(&broker, directory)| Replica { broker, directory }).collect()
}

// A hundred thousand partitions of one replica: this, twenty bytes for the replica, four for the in-sync set.
const _: () = assert!(size_of::<Partition>() <= 64);
