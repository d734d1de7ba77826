//! Creating topics: what is refused, in which order and with which words, and the records of what is not.
//!
//! Codes, texts and the order of the checks are those of a running Kafka 4.3.0 (`ReplicationControlManager.createTopics`
//! and `ControllerApis`): `testscripts/create_topics` has its answers. One difference: Kafka also refuses a request that
//! comes to more than 10,000 records; we count partitions only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use thalweg_messages::metadata_log::{ConfigRecord, PartitionRecord, TopicRecord};
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, PartitionIndex, TopicId};

use super::assignment;
use super::controller::{Policy, Reply};
use super::image::{Image, Resource};
use super::names::{CLUSTER_METADATA, TopicNameError, validate_name};
use super::records::Record;
use super::topic::Replica;
use crate::machine::Decision;

/// How many partitions one request may create (Kafka's `MAX_PARTITIONS_PER_BATCH`).
pub const PARTITIONS_PER_REQUEST_MAX: u64 = 10_000;

/// "As many as the settings say."
const DEFAULT: i32 = -1;

/// Topics to create together.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateTopics {
    /// The topics.
    pub topics: Vec<NewTopic>,
    /// For real, or only to see.
    pub effect: Effect,
}

/// Whether what passes the checks is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It is.
    Create,
    /// It isn't (`validate_only`).
    ValidateOnly,
}

/// A topic to create.
#[derive(Clone, PartialEq, Debug)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// The id that it gets: random, and never zero.
    pub id: TopicId,
    /// How many partitions; -1 for the default, or when they are assigned.
    pub partitions: i32,
    /// How many replicas each; -1 for the default, or when they are assigned.
    pub replication_factor: i16,
    /// Which brokers keep which partition; empty leaves it to the controller.
    pub assignments: Vec<Assignment>,
    /// Settings: name and value.
    pub settings: Vec<(String, Option<String>)>,
}

/// Which brokers keep a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assignment {
    /// The partition.
    pub partition: PartitionIndex,
    /// The brokers, the preferred leader first.
    pub brokers: Vec<BrokerId>,
}

/// What became of one name.
#[derive(Clone, PartialEq, Debug)]
pub struct TopicReply {
    /// The name.
    pub name: String,
    /// The topic, or why there is none.
    pub outcome: Result<Created, CreateTopicError>,
}

/// A topic that was created, or would have been.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Created {
    /// Its id.
    pub id: TopicId,
    /// How many partitions it has.
    pub partitions: i32,
    /// How many replicas each of them has.
    pub replication_factor: i16,
    /// The settings that were given to it.
    pub settings: BTreeMap<String, String>,
}

/// Why a topic was not created. `Display` is Kafka's message, [`CreateTopicError::code`] its code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CreateTopicError {
    /// No topic can be called that.
    Name(TopicNameError),
    /// There is one of that name.
    Exists {
        /// The name.
        name: String,
    },
    /// Metrics could not tell it from another one.
    Collides {
        /// The name.
        name: String,
        /// The other's.
        with: String,
    },
    /// The request has the name more than once.
    Doubled,
    /// The name of the metadata log.
    ClusterMetadata,
    /// The request wants more than [`PARTITIONS_PER_REQUEST_MAX`] partitions in all.
    TooManyPartitions,
    /// Zero partitions, or fewer.
    Partitions,
    /// Zero replicas, or fewer.
    ReplicationFactor,
    /// More replicas than brokers.
    NotEnoughBrokers {
        /// Replicas wanted.
        wanted: i16,
        /// Brokers there are.
        registered: usize,
    },
    /// Partitions are assigned, and counted as well.
    AssignedAndCounted,
    /// Partitions are assigned, and a replication factor is given as well.
    AssignedAndReplicated,
    /// A partition is assigned more than once.
    AssignedTwice(PartitionIndex),
    /// The assigned partitions aren't 0, 1, 2, ...
    AssignmentHole,
    /// A partition is assigned to nobody.
    NoReplicas,
    /// A partition is assigned to a broker that isn't there.
    UnknownBroker(BrokerId),
    /// A partition is assigned twice to one broker.
    BrokerTwice(BrokerId),
    /// Partitions are assigned to different numbers of brokers.
    UnevenReplicas {
        /// The replicas of this one.
        replicas: usize,
        /// Those of the one before.
        before: usize,
    },
    /// A setting has no value.
    NullSetting(String),
    /// A topic can't have these settings.
    Settings(String),
}

impl CreateTopicError {
    /// Kafka's error code.
    pub fn code(&self) -> ErrorCode {
        match self {
            CreateTopicError::Name(_) | CreateTopicError::Collides { .. } => ErrorCode::InvalidTopicException,
            CreateTopicError::Exists { .. } => ErrorCode::TopicAlreadyExists,
            CreateTopicError::Doubled
            | CreateTopicError::ClusterMetadata
            | CreateTopicError::AssignedAndCounted
            | CreateTopicError::AssignedAndReplicated => ErrorCode::InvalidRequest,
            CreateTopicError::TooManyPartitions => ErrorCode::PolicyViolation,
            CreateTopicError::Partitions => ErrorCode::InvalidPartitions,
            CreateTopicError::ReplicationFactor | CreateTopicError::NotEnoughBrokers { .. } => {
                ErrorCode::InvalidReplicationFactor
            }
            CreateTopicError::AssignedTwice(_)
            | CreateTopicError::AssignmentHole
            | CreateTopicError::NoReplicas
            | CreateTopicError::UnknownBroker(_)
            | CreateTopicError::BrokerTwice(_)
            | CreateTopicError::UnevenReplicas { .. } => ErrorCode::InvalidReplicaAssignment,
            CreateTopicError::NullSetting(_) | CreateTopicError::Settings(_) => ErrorCode::InvalidConfig,
        }
    }
}

impl fmt::Display for CreateTopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CreateTopicError::Name(error) => error.fmt(f),
            CreateTopicError::Exists { name } => write!(f, "Topic '{name}' already exists."),
            CreateTopicError::Collides { name, with } => {
                write!(f, "Topic '{name}' collides with existing topic: {with}")
            }
            CreateTopicError::Doubled => f.write_str("Duplicate topic name."),
            CreateTopicError::ClusterMetadata => {
                write!(f, "Creation of internal topic {CLUSTER_METADATA} is prohibited.")
            }
            CreateTopicError::TooManyPartitions => f.write_str("Excessively large number of partitions per request."),
            CreateTopicError::Partitions => {
                f.write_str("Number of partitions was set to an invalid non-positive value.")
            }
            CreateTopicError::ReplicationFactor => {
                f.write_str("Replication factor must be larger than 0, or -1 to use the default value.")
            }
            CreateTopicError::NotEnoughBrokers { wanted, registered } => write!(
                f,
                "Unable to replicate the partition {wanted} time(s): The target replication factor of {wanted} cannot \
                 be reached because only {registered} broker(s) are registered."
            ),
            CreateTopicError::AssignedAndCounted => {
                f.write_str("A manual partition assignment was specified, but numPartitions was not set to -1.")
            }
            CreateTopicError::AssignedAndReplicated => {
                f.write_str("A manual partition assignment was specified, but replication factor was not set to -1.")
            }
            CreateTopicError::AssignedTwice(partition) => {
                write!(f, "Found multiple manual partition assignments for partition {partition}")
            }
            CreateTopicError::AssignmentHole => {
                f.write_str("partitions should be a consecutive 0-based integer sequence")
            }
            CreateTopicError::NoReplicas => {
                f.write_str("The manual partition assignment includes an empty replica list.")
            }
            CreateTopicError::UnknownBroker(broker) => {
                write!(f, "The manual partition assignment includes broker {broker}, but no such broker is registered.")
            }
            CreateTopicError::BrokerTwice(broker) => {
                write!(f, "The manual partition assignment includes the broker {broker} more than once.")
            }
            CreateTopicError::UnevenReplicas { replicas, before } => write!(
                f,
                "The manual partition assignment includes a partition with {replicas} replica(s), but this is not \
                 consistent with previous partitions, which have {before} replica(s)."
            ),
            CreateTopicError::NullSetting(name) => write!(f, "Null value not supported for topic configs: {name}"),
            CreateTopicError::Settings(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for CreateTopicError {}

/// All topics that pass are created, whatever became of the others. Names that came twice are answered last, once each.
pub(super) fn decide(image: &Image, policy: &Policy, request: CreateTopics) -> Decision<Image> {
    let (single, refused) = sort_out(request.topics);
    let total: u64 = single.iter().map(|topic| partitions_wanted(topic, policy)).sum();
    let mut records = Vec::new();
    let mut replies = Vec::with_capacity(single.len() + refused.len());
    for topic in single {
        let outcome = if total > PARTITIONS_PER_REQUEST_MAX {
            Err(CreateTopicError::TooManyPartitions)
        } else {
            create(image, policy, &topic).map(|(created, partitions)| {
                if request.effect == Effect::Create {
                    write(&mut records, &topic.name, &created, &partitions);
                }
                created
            })
        };
        replies.push(TopicReply { name: topic.name, outcome });
    }
    replies.extend(refused);
    Decision { records, reply: Reply::Topics(replies) }
}

/// The topics that may be looked at one by one, and the answers to the others.
fn sort_out(topics: Vec<NewTopic>) -> (Vec<NewTopic>, Vec<TopicReply>) {
    let mut seen = BTreeSet::new();
    let mut doubled = BTreeSet::new();
    for topic in &topics {
        if !seen.insert(topic.name.as_str()) {
            doubled.insert(topic.name.clone());
        }
    }
    let mut refused = Vec::new();
    if seen.contains(CLUSTER_METADATA) {
        refused.push(TopicReply { name: CLUSTER_METADATA.to_owned(), outcome: Err(CreateTopicError::ClusterMetadata) });
        doubled.remove(CLUSTER_METADATA);
    }
    let refuse = |name: &String| TopicReply { name: name.clone(), outcome: Err(CreateTopicError::Doubled) };
    refused.extend(doubled.iter().map(refuse));
    let single = topics.into_iter().filter(|topic| topic.name != CLUSTER_METADATA && !doubled.contains(&topic.name));
    (single.collect(), refused)
}

fn partitions_wanted(topic: &NewTopic, policy: &Policy) -> u64 {
    let counted = if topic.partitions == DEFAULT { policy.partitions } else { topic.partitions };
    match topic.assignments.len() {
        0 => u64::try_from(counted).unwrap_or(0),
        assigned => assigned as u64,
    }
}

type Placed = Vec<Vec<Replica>>;

fn create(image: &Image, policy: &Policy, topic: &NewTopic) -> Result<(Created, Placed), CreateTopicError> {
    assert!(!topic.id.is_zero(), "a topic's id is never zero");
    let name = &topic.name;
    if image.topic(name).is_some() {
        return Err(CreateTopicError::Exists { name: name.clone() });
    }
    validate_name(name).map_err(CreateTopicError::Name)?;
    if let Some(with) = image.colliding(name) {
        return Err(CreateTopicError::Collides { name: name.clone(), with: with.to_string() });
    }
    let settings = check_settings(image, policy, &topic.settings)?;
    let placed = if topic.assignments.is_empty() {
        let default = i32::from(policy.replication_factor);
        let replication_factor = match i32::from(topic.replication_factor) {
            DEFAULT => default,
            given if given > 0 => given,
            _ => return Err(CreateTopicError::ReplicationFactor),
        };
        let partitions = match topic.partitions {
            DEFAULT => policy.partitions,
            given if given > 0 => given,
            _ => return Err(CreateTopicError::Partitions),
        };
        let partitions = usize::try_from(partitions).unwrap_or(0);
        assignment::spread(image, topic.id, 0..partitions, replication_factor as i16)?
    } else if i32::from(topic.replication_factor) != DEFAULT {
        return Err(CreateTopicError::AssignedAndReplicated);
    } else if topic.partitions != DEFAULT {
        return Err(CreateTopicError::AssignedAndCounted);
    } else {
        assignment::given(image, topic.id, &topic.assignments)?
    };
    let created = Created {
        id: topic.id,
        partitions: i32::try_from(placed.len()).unwrap_or(i32::MAX),
        replication_factor: placed.first().map_or(0, |replicas| i16::try_from(replicas.len()).unwrap_or(i16::MAX)),
        settings,
    };
    Ok((created, placed))
}

/// Of a setting that is given twice, the last counts.
fn check_settings(
    image: &Image,
    policy: &Policy,
    given: &[(String, Option<String>)],
) -> Result<BTreeMap<String, String>, CreateTopicError> {
    let mut settings = BTreeMap::new();
    for (name, value) in given {
        let value = value.as_ref().ok_or_else(|| CreateTopicError::NullSetting(name.clone()))?;
        settings.insert(name.clone(), value.clone());
    }
    policy.rules.check_topic(image, None, &settings).map_err(CreateTopicError::Settings)?;
    Ok(settings)
}

/// In Kafka's order: the topic, its settings, its partitions.
fn write(records: &mut Vec<Record>, name: &str, created: &Created, placed: &Placed) {
    records.push(TopicRecord { name: name.to_owned(), topic_id: created.id, ..Default::default() }.into());
    records.extend(created.settings.iter().map(|(key, value)| {
        Record::from(ConfigRecord {
            resource_type: Resource::TOPIC,
            resource_name: name.to_owned(),
            name: key.clone(),
            value: Some(value.clone()),
            ..Default::default()
        })
    }));
    records.extend(partition_records(created.id, PartitionIndex(0), placed));
}

/// The records of new partitions, numbered from `first` on.
pub(super) fn partition_records(
    topic: TopicId,
    first: PartitionIndex,
    placed: &[Vec<Replica>],
) -> impl Iterator<Item = Record> {
    (first.0..).zip(placed).map(move |(index, replicas)| {
        let (brokers, directories): (Vec<_>, _) =
            replicas.iter().map(|replica| (replica.broker, replica.directory)).unzip();
        Record::from(PartitionRecord {
            partition_id: PartitionIndex(index),
            topic_id: topic,
            leader: brokers.first().copied().unwrap_or(BrokerId::NONE),
            isr: brokers.clone(),
            replicas: brokers,
            directories,
            leader_epoch: LeaderEpoch(0),
            partition_epoch: 0,
            ..Default::default()
        })
    })
}
