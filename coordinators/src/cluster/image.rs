//! The cluster at one index of the metadata log.
//!
//! Handlers hold a clone while they answer; a clone is a dozen pointers, and the next version shares with it all that
//! didn't change.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use thalweg_messages::metadata_log::{
    BrokerRegistered, ConfigRecord, FeatureLevelRecord, MetadataRecord, ProducerIdsRecord, RegisterBrokerRecord,
    RemoveTopicRecord, TopicRecord,
};
use thalweg_wire::{BrokerId, Offset, ProducerId, TopicId, TopicPartition, Uuid};

use super::controller::BrokerEpoch;
use super::deleted::Deleted;
use super::names::collision_key;
use super::records::Record;
use super::topic::{Partition, Topic};
use crate::machine::Context;
use crate::ordered::OrderedMap;

/// Brokers, topics and features. Changed by records alone: see [`crate::Machine::apply`].
#[derive(Clone, Debug)]
pub struct Image {
    applied: Offset,
    brokers: Arc<BTreeMap<BrokerId, Broker>>,
    topics: OrderedMap<TopicId, Arc<Topic>>,
    ids: OrderedMap<Arc<str>, TopicId>,
    /// The names that hold a '.' or a '_', behind what metrics make of them.
    collisions: OrderedMap<(String, Arc<str>), ()>,
    deleted: Deleted,
    features: Arc<BTreeMap<String, i16>>,
    /// Settings of everything but topics.
    settings: Arc<BTreeMap<Resource, BTreeMap<String, String>>>,
    producer_ids: Option<ProducerIdsRecord>,
    /// Frames of records whose type we don't know, as they came.
    unknown: Arc<Vec<Bytes>>,
}

/// A broker that has registered.
#[derive(Clone, PartialEq, Debug)]
pub struct Broker {
    id: BrokerId,
    /// Kafka's record of it.
    registered: Option<RegisterBrokerRecord>,
    /// Ours.
    started: Option<BrokerRegistered>,
}

/// Something that has settings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Resource {
    /// Kafka's number for its kind: 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub kind: i8,
    /// Its name; a broker's is its number, or empty for all brokers.
    pub name: String,
}

impl Resource {
    /// The kind of a topic.
    pub const TOPIC: i8 = 2;

    /// The kind of a broker.
    pub const BROKER: i8 = 4;
}

/// What a topic id is to this cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// A topic.
    Exists,
    /// A topic that was deleted, one of the newest [`super::DELETED_MAX`].
    Deleted,
    /// Nothing that it ever heard of, or not for a long time.
    Never,
}

impl Image {
    /// An empty cluster.
    pub fn new() -> Image {
        Image {
            applied: Offset(0),
            brokers: Arc::default(),
            topics: OrderedMap::new(),
            ids: OrderedMap::new(),
            collisions: OrderedMap::new(),
            deleted: Deleted::default(),
            features: Arc::default(),
            settings: Arc::default(),
            producer_ids: None,
            unknown: Arc::default(),
        }
    }

    /// The index of the last entry that was applied; 0 before the first.
    pub fn applied(&self) -> Offset {
        self.applied
    }

    /// A topic by its name.
    pub fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.topic_by_id(*self.ids.find(name)?)
    }

    /// A topic by its id.
    pub fn topic_by_id(&self, id: TopicId) -> Option<&Arc<Topic>> {
        self.topics.find(&id)
    }

    /// A partition.
    pub fn partition(&self, id: TopicPartition) -> Option<&Partition> {
        self.topic_by_id(id.topic)?.partition(id.partition)
    }

    /// All topics, by their names.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.ids.values().filter_map(|id| self.topics.find(id))
    }

    /// How many topics there are.
    pub fn topic_count(&self) -> usize {
        self.ids.len()
    }

    /// What a topic id is: so that a journal's entry of a deleted topic is passed over, and one of a topic of somebody
    /// else's is not.
    pub fn standing(&self, topic: TopicId) -> Standing {
        if self.topics.find(&topic).is_some() {
            Standing::Exists
        } else if self.deleted.contains(topic) {
            Standing::Deleted
        } else {
            Standing::Never
        }
    }

    /// Whether any deleted topic is remembered.
    pub fn remembers_deletions(&self) -> bool {
        self.deleted.iter().next().is_some()
    }

    /// A broker by its id.
    pub fn broker(&self, id: BrokerId) -> Option<&Broker> {
        self.brokers.get(&id)
    }

    /// All brokers that have registered, by their ids.
    pub fn brokers(&self) -> impl ExactSizeIterator<Item = &Broker> {
        self.brokers.values()
    }

    /// The features of the cluster that are on, and their levels.
    pub fn features(&self) -> &BTreeMap<String, i16> {
        &self.features
    }

    /// The settings that were given to something else than a topic; see [`Topic::settings`].
    pub fn settings(&self, of: &Resource) -> Option<&BTreeMap<String, String>> {
        self.settings.get(of)
    }

    /// The first producer id that nobody was given yet.
    pub fn next_producer_id(&self) -> ProducerId {
        self.producer_ids.as_ref().map_or(ProducerId(0), |record| record.next_producer_id)
    }

    /// A topic whose metrics would be those of a topic of that name.
    pub(super) fn colliding(&self, name: &str) -> Option<&Arc<str>> {
        let key = collision_key(name)?;
        let (first, ()) = self.collisions.from(&(key.clone(), Arc::from(""))).next()?;
        (first.0 == key).then_some(&first.1)
    }

    pub(super) fn take(&mut self, at: Context, record: &Record) {
        self.applied = at.offset;
        let record = match record {
            Record::Known(record) => record,
            Record::Unknown(frame) => return Arc::make_mut(&mut self.unknown).push(frame.clone()),
        };
        match record {
            MetadataRecord::Topic(record) => self.add_topic(record),
            MetadataRecord::Partition(record) => self.with_topic(record.topic_id, |topic| topic.put(record)),
            MetadataRecord::PartitionChange(record) => self.with_topic(record.topic_id, |topic| topic.change(record)),
            MetadataRecord::Config(record) => self.set(record),
            MetadataRecord::RemoveTopic(record) => self.remove_topic(record.topic_id),
            MetadataRecord::FeatureLevel(record) => self.set_feature(record),
            MetadataRecord::RegisterBroker(record) => {
                self.broker_mut(record.broker_id).registered = Some(record.clone());
            }
            MetadataRecord::BrokerRegistered(record) => self.start_broker(record),
            MetadataRecord::UnregisterBroker(record) => {
                let id = record.broker_id;
                if self.broker(id).is_some_and(|broker| broker.epoch().0 == record.broker_epoch) {
                    Arc::make_mut(&mut self.brokers).remove(&id);
                }
            }
            MetadataRecord::ProducerIds(record) => self.producer_ids = Some(record.clone()),
            MetadataRecord::NoOp(_) => {}
            MetadataRecord::FenceBroker(_)
            | MetadataRecord::UnfenceBroker(_)
            | MetadataRecord::BrokerRegistrationChange(_)
            | MetadataRecord::RegisterController(_)
            | MetadataRecord::DelegationToken(_)
            | MetadataRecord::RemoveDelegationToken(_)
            | MetadataRecord::UserScramCredential(_)
            | MetadataRecord::RemoveUserScramCredential(_)
            | MetadataRecord::AccessControlEntry(_)
            | MetadataRecord::RemoveAccessControlEntry(_)
            | MetadataRecord::ClientQuota(_)
            | MetadataRecord::ZkMigrationState(_)
            | MetadataRecord::ClearElr(_)
            | MetadataRecord::BeginTransaction(_)
            | MetadataRecord::EndTransaction(_)
            | MetadataRecord::AbortTransaction(_) => unreachable!("`records` never reads one as known: {record:?}"),
        }
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        let features = self.features.iter().map(|(name, &feature_level)| {
            Record::from(FeatureLevelRecord { name: name.clone(), feature_level, ..Default::default() })
        });
        let unknown = self.unknown.iter().map(|frame| Record::Unknown(frame.clone()));
        let producer_ids = self.producer_ids.iter().map(|record| Record::from(record.clone()));
        let deleted =
            self.deleted.iter().map(|topic_id| Record::from(RemoveTopicRecord { topic_id, ..Default::default() }));
        // Brokers before topics: a registration that comes after a partition begins a new epoch of it.
        let brokers = self.brokers.values().flat_map(|broker| {
            let registered = broker.registered.clone().map(Record::from);
            registered.into_iter().chain(broker.started.clone().map(Record::from))
        });
        let settings = self.settings.iter().flat_map(|(of, settings)| {
            settings.iter().map(|(name, value)| {
                Record::from(ConfigRecord {
                    resource_type: of.kind,
                    resource_name: of.name.clone(),
                    name: name.clone(),
                    value: Some(value.clone()),
                    ..Default::default()
                })
            })
        });
        let topics = self.topics().flat_map(|topic| topic.records());
        features.chain(unknown).chain(producer_ids).chain(deleted).chain(brokers).chain(settings).chain(topics)
    }

    fn add_topic(&mut self, record: &TopicRecord) {
        // A log never says this twice. If it does, the last word counts, and no half of the first is left.
        if let Some(&other) = self.ids.find(record.name.as_str()) {
            self.remove_topic(other);
        }
        self.remove_topic_quietly(record.topic_id);
        let topic = Arc::new(Topic::new(record));
        self.ids.insert(topic.name().clone(), topic.id());
        if let Some(key) = collision_key(topic.name()) {
            self.collisions.insert((key, topic.name().clone()), ());
        }
        self.topics.insert(topic.id(), topic);
    }

    fn remove_topic(&mut self, id: TopicId) {
        self.remove_topic_quietly(id);
        self.deleted.remember(id);
    }

    fn remove_topic_quietly(&mut self, id: TopicId) {
        let Some(topic) = self.topics.remove(&id) else { return };
        self.ids.remove(topic.name());
        if let Some(key) = collision_key(topic.name()) {
            self.collisions.remove(&(key, topic.name().clone()));
        }
    }

    fn with_topic(&mut self, id: TopicId, change: impl FnOnce(&mut Topic)) {
        if let Some(topic) = self.topics.find_mut(&id) {
            change(Arc::make_mut(topic));
        }
    }

    fn set(&mut self, record: &ConfigRecord) {
        if record.resource_type == Resource::TOPIC {
            if let Some(&id) = self.ids.find(record.resource_name.as_str()) {
                self.with_topic(id, |topic| topic.set(record));
            }
            return;
        }
        let of = Resource { kind: record.resource_type, name: record.resource_name.clone() };
        let all = Arc::make_mut(&mut self.settings);
        let own = all.entry(of.clone()).or_default();
        match &record.value {
            Some(value) => own.insert(record.name.clone(), value.clone()),
            None => own.remove(&record.name),
        };
        if own.is_empty() {
            all.remove(&of);
        }
    }

    fn set_feature(&mut self, record: &FeatureLevelRecord) {
        let features = Arc::make_mut(&mut self.features);
        match record.feature_level {
            0 => features.remove(&record.name),
            level => features.insert(record.name.clone(), level),
        };
    }

    /// A new process of a broker: no restart ever resumes an epoch.
    fn start_broker(&mut self, record: &BrokerRegistered) {
        self.broker_mut(record.broker_id).started = Some(record.clone());
        let led = |topic: &&Arc<Topic>| topic.is_led_by(record.broker_id);
        let led: Vec<TopicId> = self.topics.values().filter(led).map(|topic| topic.id()).collect();
        for id in led {
            self.with_topic(id, |topic| topic.begin_epochs(record.broker_id));
        }
    }

    fn broker_mut(&mut self, id: BrokerId) -> &mut Broker {
        let brokers = Arc::make_mut(&mut self.brokers);
        brokers.entry(id).or_insert(Broker { id, registered: None, started: None })
    }
}

impl Default for Image {
    fn default() -> Image {
        Image::new()
    }
}

/// Equal when they stand at the same index and say the same.
impl PartialEq for Image {
    fn eq(&self, other: &Self) -> bool {
        // `ids` and `collisions` follow from the topics.
        self.applied == other.applied
            && self.brokers == other.brokers
            && self.topics == other.topics
            && self.ids == other.ids
            && self.collisions == other.collisions
            && self.deleted == other.deleted
            && self.features == other.features
            && self.settings == other.settings
            && self.producer_ids == other.producer_ids
            && self.unknown == other.unknown
    }
}

impl Broker {
    /// Its id.
    pub fn id(&self) -> BrokerId {
        self.id
    }

    /// The epoch of its newest registration.
    pub fn epoch(&self) -> BrokerEpoch {
        let registered = self.registered.as_ref().map(|record| record.broker_epoch);
        let started = self.started.as_ref().map(|record| record.broker_epoch);
        BrokerEpoch(registered.max(started).unwrap_or(-1))
    }

    /// The id of its process.
    pub fn incarnation(&self) -> Uuid {
        self.newest(|record| record.incarnation_id, |record| record.incarnation_id).unwrap_or(Uuid::ZERO)
    }

    /// The ids of its log directories that are online.
    pub fn directories(&self) -> &[Uuid] {
        self.newest(|record| &record.directory_ids[..], |record| &record.log_dirs[..]).unwrap_or_default()
    }

    /// Where it can be reached, and in which rack it is, if it said so.
    pub fn registration(&self) -> Option<&RegisterBrokerRecord> {
        self.registered.as_ref()
    }

    /// Asks the newer of the two records.
    fn newest<'a, T>(
        &'a self,
        started: impl FnOnce(&'a BrokerRegistered) -> T,
        registered: impl FnOnce(&'a RegisterBrokerRecord) -> T,
    ) -> Option<T> {
        match (&self.started, &self.registered) {
            (Some(ours), Some(theirs)) if theirs.broker_epoch > ours.broker_epoch => Some(registered(theirs)),
            (Some(ours), _) => Some(started(ours)),
            (None, theirs) => theirs.as_ref().map(registered),
        }
    }
}
