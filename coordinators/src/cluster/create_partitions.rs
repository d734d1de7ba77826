//! Giving topics more partitions: what is refused, in which order and with which words, and the records of what is not.
//!
//! Codes, texts and the order of the checks are those of a running Kafka 4.3.0
//! (`ReplicationControlManager.createPartitions`): `testscripts/create_partitions` has its answers. One difference: asked
//! for more than 10,000 at once, Kafka's controller fails half-way (UNKNOWN_SERVER_ERROR); here nothing is made.

use std::collections::BTreeSet;
use std::fmt;

use thalweg_wire::{BrokerId, ErrorCode};

use super::assignment;
use super::controller::Reply;
use super::create_topics::{CreateTopicError, Effect, PARTITIONS_PER_REQUEST_MAX, partition_records};
use super::image::Image;
use super::topic::{Replica, Topic};
use crate::machine::Decision;

/// Topics that are to have more partitions.
#[derive(Clone, PartialEq, Debug)]
pub struct CreatePartitions {
    /// The topics.
    pub topics: Vec<MorePartitions>,
    /// For real, or only to see.
    pub effect: Effect,
}

/// How many partitions a topic is to have.
#[derive(Clone, PartialEq, Debug)]
pub struct MorePartitions {
    /// The topic's name.
    pub name: String,
    /// How many there are to be, with those that there are.
    pub count: i32,
    /// Which brokers keep the new ones, in their order; `None` leaves it to the controller.
    pub assignments: Option<Vec<Vec<BrokerId>>>,
}

/// What became of one name.
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionsReply {
    /// The name.
    pub name: String,
    /// They are there, or why not.
    pub outcome: Result<(), CreatePartitionsError>,
}

/// Why a topic got no more partitions. `Display` is Kafka's message, empty where it has none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CreatePartitionsError {
    /// The request has the name more than once.
    NameTwice,
    /// There is no such topic.
    UnknownTopic,
    /// It has as many.
    AsMany(usize),
    /// It has more than that.
    Fewer {
        /// The topic.
        name: String,
        /// As many as it has.
        has: usize,
        /// As many as are wanted.
        wanted: i32,
    },
    /// The request wants more than [`PARTITIONS_PER_REQUEST_MAX`] new ones in all.
    TooMany,
    /// Not as many assignments as new partitions.
    Assignments {
        /// New partitions.
        wanted: usize,
        /// Assignments.
        given: usize,
    },
    /// Which partition a group belongs to follows from how many there are.
    Internal(String),
    /// They can't be kept where they are to be.
    Placement(CreateTopicError),
}

impl CreatePartitionsError {
    /// Kafka's error code.
    pub fn code(&self) -> ErrorCode {
        match self {
            CreatePartitionsError::NameTwice => ErrorCode::InvalidRequest,
            CreatePartitionsError::UnknownTopic => ErrorCode::UnknownTopicOrPartition,
            CreatePartitionsError::AsMany(_) | CreatePartitionsError::Fewer { .. } => ErrorCode::InvalidPartitions,
            CreatePartitionsError::TooMany => ErrorCode::PolicyViolation,
            CreatePartitionsError::Assignments { .. } => ErrorCode::InvalidReplicaAssignment,
            CreatePartitionsError::Internal(_) => ErrorCode::InvalidTopicException,
            CreatePartitionsError::Placement(error) => error.code(),
        }
    }
}

impl fmt::Display for CreatePartitionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CreatePartitionsError::NameTwice => f.write_str("Duplicate topic name."),
            CreatePartitionsError::UnknownTopic => Ok(()),
            CreatePartitionsError::AsMany(has) => write!(f, "Topic already has {has} partition(s)."),
            CreatePartitionsError::Fewer { name, has, wanted } => {
                write!(f, "The topic {name} currently has {has} partition(s); {wanted} would not be an increase.")
            }
            CreatePartitionsError::TooMany => f.write_str("Excessively large number of partitions per request."),
            CreatePartitionsError::Assignments { wanted, given } => write!(
                f,
                "Attempted to add {wanted} additional partition(s), but only {given} assignment(s) were specified."
            ),
            CreatePartitionsError::Internal(name) => {
                write!(f, "The topic {name} is the cluster's own: what is in it would no longer be found.")
            }
            CreatePartitionsError::Placement(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CreatePartitionsError {}

/// Each topic that passes gets its partitions, whatever became of the others. Names that came twice are answered once.
pub(super) fn decide(image: &Image, request: CreatePartitions) -> Decision<Image> {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<String> = request
        .topics
        .iter()
        .filter(|topic| !seen.insert(topic.name.as_str()))
        .map(|topic| topic.name.clone())
        .collect();
    let refuse = |name: &String| PartitionsReply { name: name.clone(), outcome: Err(CreatePartitionsError::NameTwice) };
    let mut replies: Vec<PartitionsReply> = twice.iter().map(refuse).collect();
    let single: Vec<MorePartitions> = request.topics.into_iter().filter(|topic| !twice.contains(&topic.name)).collect();

    let growths: Vec<_> = single.iter().map(|wanted| growth(image, wanted)).collect();
    let total: usize = growths.iter().flatten().map(|(_, new)| new).sum();
    let mut records = Vec::new();
    for (wanted, growth) in single.into_iter().zip(growths) {
        let outcome = growth.and_then(|(topic, new)| {
            if total as u64 > PARTITIONS_PER_REQUEST_MAX {
                return Err(CreatePartitionsError::TooMany);
            }
            let placed = place(image, topic, new, wanted.assignments.as_deref())?;
            if request.effect == Effect::Create {
                records.extend(partition_records(topic.id(), topic.next_index(), &placed));
            }
            Ok(())
        });
        replies.push(PartitionsReply { name: wanted.name, outcome });
    }
    Decision { records, reply: Reply::Partitions(replies) }
}

/// The topic, and how many partitions are new.
fn growth<'a>(image: &'a Image, wanted: &MorePartitions) -> Result<(&'a Topic, usize), CreatePartitionsError> {
    let topic = image.topic(&wanted.name).ok_or(CreatePartitionsError::UnknownTopic)?;
    if topic.is_internal() {
        return Err(CreatePartitionsError::Internal(wanted.name.clone()));
    }
    let has = topic.partitions().len();
    match usize::try_from(wanted.count) {
        Ok(count) if count == has => Err(CreatePartitionsError::AsMany(has)),
        Ok(count) if count > has => Ok((topic, count - has)),
        _ => Err(CreatePartitionsError::Fewer { name: wanted.name.clone(), has, wanted: wanted.count }),
    }
}

fn place(
    image: &Image,
    topic: &Topic,
    new: usize,
    assignments: Option<&[Vec<BrokerId>]>,
) -> Result<Vec<Vec<Replica>>, CreatePartitionsError> {
    let first = topic.next_index().0.unsigned_abs() as usize;
    // A topic's replication factor is that of its first partition.
    let replicas = topic.partitions().first().map_or(1, |partition| partition.replicas().len());
    let placed = match assignments {
        None => assignment::spread(image, topic.id(), first..first + new, i16::try_from(replicas).unwrap_or(i16::MAX)),
        Some(given) if given.len() != new => {
            return Err(CreatePartitionsError::Assignments { wanted: new, given: given.len() });
        }
        Some(given) => assignment::more(image, topic.id(), first, given, replicas),
    };
    placed.map_err(CreatePartitionsError::Placement)
}
