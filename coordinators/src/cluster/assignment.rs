//! Which brokers keep new partitions: as its creator says, or spread evenly.

use std::collections::BTreeMap;
use std::ops::Range;

use thalweg_wire::{BrokerId, PartitionIndex, TopicId, Uuid};

use super::create_topics::{Assignment, CreateTopicError};
use super::image::Image;
use super::topic::Replica;

/// Spreads partitions over the brokers: the leaders in turn, from a broker that follows from the topic's id, so that
/// topics of one partition don't all meet on the first; the followers are those that come next.
pub(super) fn spread(
    image: &Image,
    topic: TopicId,
    partitions: Range<usize>,
    replication_factor: i16,
) -> Result<Vec<Vec<Replica>>, CreateTopicError> {
    let brokers: Vec<_> = image.brokers().collect();
    let wanted = usize::try_from(replication_factor).unwrap_or(0);
    if wanted > brokers.len() {
        return Err(CreateTopicError::NotEnoughBrokers { wanted: replication_factor, registered: brokers.len() });
    }
    let start = (u128::from_be_bytes(topic.0) % brokers.len() as u128) as usize;
    let keep = |turn: usize, partition: usize| {
        let broker = brokers[turn % brokers.len()];
        Replica { broker: broker.id(), directory: pick(broker.directories(), start + partition) }
    };
    Ok(partitions
        .map(|partition| (0..wanted).map(|follower| keep(start + partition + follower, partition)).collect())
        .collect())
}

/// Takes the partitions as they were assigned, in the order of their numbers. The order of the checks, and so which
/// mistake is named first, is Kafka's (`ReplicationControlManager.createTopic`).
pub(super) fn given(
    image: &Image,
    topic: TopicId,
    assignments: &[Assignment],
) -> Result<Vec<Vec<Replica>>, CreateTopicError> {
    let mut by_partition: BTreeMap<PartitionIndex, &[BrokerId]> = BTreeMap::new();
    let mut before = None;
    for Assignment { partition, brokers } in assignments {
        if by_partition.insert(*partition, brokers).is_some() {
            return Err(CreateTopicError::AssignedTwice(*partition));
        }
        check(image, brokers, before)?;
        before = Some(brokers.len());
    }
    if by_partition.keys().zip(0..).any(|(partition, place)| partition.0 != place) {
        return Err(CreateTopicError::AssignmentHole);
    }
    let all = (0..).zip(by_partition.values());
    Ok(all.map(|(place, brokers)| keep_all(image, topic, place, brokers)).collect())
}

/// Takes partitions behind those that a topic has as they were assigned, each to as many brokers as its others.
pub(super) fn more(
    image: &Image,
    topic: TopicId,
    first: usize,
    assignments: &[Vec<BrokerId>],
    replicas: usize,
) -> Result<Vec<Vec<Replica>>, CreateTopicError> {
    assignments.iter().try_for_each(|brokers| check(image, brokers, Some(replicas)))?;
    Ok((first..).zip(assignments).map(|(place, brokers)| keep_all(image, topic, place, brokers)).collect())
}

fn keep_all(image: &Image, topic: TopicId, partition: usize, brokers: &[BrokerId]) -> Vec<Replica> {
    let start = (u128::from_be_bytes(topic.0) % (1 << 16)) as usize;
    let keep = |&broker: &BrokerId| {
        let directories = image.broker(broker).map(|broker| broker.directories()).unwrap_or_default();
        Replica { broker, directory: pick(directories, start + partition) }
    };
    brokers.iter().map(keep).collect()
}

fn check(image: &Image, brokers: &[BrokerId], before: Option<usize>) -> Result<(), CreateTopicError> {
    if brokers.is_empty() {
        return Err(CreateTopicError::NoReplicas);
    }
    let mut sorted = brokers.to_vec();
    sorted.sort_unstable();
    let mut last = None;
    for broker in sorted {
        if image.broker(broker).is_none() {
            return Err(CreateTopicError::UnknownBroker(broker));
        }
        if last.replace(broker) == Some(broker) {
            return Err(CreateTopicError::BrokerTwice(broker));
        }
    }
    match before {
        Some(before) if before != brokers.len() => {
            Err(CreateTopicError::UnevenReplicas { replicas: brokers.len(), before })
        }
        _ => Ok(()),
    }
}

/// The partitions of a topic go through a broker's directories in turn.
fn pick(directories: &[Uuid], turn: usize) -> Uuid {
    match directories.len() {
        0 => Uuid::ZERO,
        count => directories[turn % count],
    }
}
