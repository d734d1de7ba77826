//! Which brokers keep a new partition: as its creator says, or spread evenly.

use std::collections::BTreeMap;

use thalweg_wire::{BrokerId, PartitionIndex, TopicId, Uuid};

use super::create_topics::{Assignment, CreateTopicError};
use super::image::Image;
use super::topic::Replica;

/// Spreads partitions over the brokers: the leaders in turn, from a broker that follows from the topic's id, so that
/// topics of one partition don't all meet on the first; the followers are those that come next.
pub(super) fn spread(
    image: &Image,
    topic: TopicId,
    partitions: i32,
    replication_factor: i16,
) -> Result<Vec<Vec<Replica>>, CreateTopicError> {
    let brokers: Vec<_> = image.brokers().collect();
    let wanted = usize::try_from(replication_factor).unwrap_or(0);
    if wanted > brokers.len() {
        return Err(CreateTopicError::NotEnoughBrokers { wanted: replication_factor, registered: brokers.len() });
    }
    let start = (u128::from_be_bytes(topic.0) % brokers.len() as u128) as usize;
    let partitions = usize::try_from(partitions).unwrap_or(0);
    let keep = |turn: usize, partition: usize| {
        let broker = brokers[turn % brokers.len()];
        Replica { broker: broker.id(), directory: pick(broker.directories(), start + partition) }
    };
    Ok((0..partitions)
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
    let start = (u128::from_be_bytes(topic.0) % (1 << 16)) as usize;
    let keep = |broker: BrokerId, partition: usize| {
        let directories = image.broker(broker).map(|broker| broker.directories()).unwrap_or_default();
        Replica { broker, directory: pick(directories, start + partition) }
    };
    let all = by_partition.values().enumerate();
    Ok(all.map(|(place, brokers)| brokers.iter().map(|&broker| keep(broker, place)).collect()).collect())
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
