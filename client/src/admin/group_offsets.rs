//! What groups have committed: asked for, set, forgotten. Who is a member commits by itself; an administrator does so for a
//! group that has no members.

use std::collections::{BTreeMap, HashMap};

use thalweg_messages::Request;
use thalweg_messages::offset_commit::{OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use thalweg_messages::offset_delete::{OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use thalweg_messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use thalweg_wire::{Offset, PartitionIndex};

use super::groups::{Whom, is_elsewhere, not_named};
use super::{Admin, Refused};
use crate::cluster::ClientError;
use crate::group::PARTITIONS_MAX;

/// The newest versions that name topics instead of ids.
const OFFSET_COMMIT_VERSION_MAX: i16 = 9;
const OFFSET_FETCH_VERSION_MAX: i16 = 9;

/// The first version that asks for several groups at once (KIP-709).
const GROUPS_FROM: i16 = 8;

/// Where a group stands in a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommittedOffset {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: PartitionIndex,
    /// The offset of the next record.
    pub offset: Offset,
    /// What the member that committed it wrote beside it; may be empty.
    pub metadata: String,
}

impl Admin {
    /// Everything that a group has committed, by topic and partition; nothing, where there is no such group.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn group_offsets(&self, group: &str) -> Result<Vec<CommittedOffset>, ClientError> {
        let write = |version| match version {
            GROUPS_FROM.. => {
                let group_id = group.to_owned();
                let groups =
                    vec![OffsetFetchRequestGroup { group_id, topics: None, ..OffsetFetchRequestGroup::default() }];
                OffsetFetchRequest { groups, ..OffsetFetchRequest::default() }
            }
            _ => OffsetFetchRequest { group_id: group.to_owned(), topics: None, ..OffsetFetchRequest::default() },
        };
        let whom = Whom::CoordinatorOf(group);
        let (_, mut offsets) = self.ask_about_groups(whom, write, OFFSET_FETCH_VERSION_MAX, committed).await?;
        offsets.sort_by(|left, right| (&left.topic, left.partition).cmp(&(&right.topic, right.partition)));
        Ok(offsets)
    }

    /// Sets where a group stands, and makes the group if it isn't there; what became of each, in their order.
    ///
    /// # Errors
    /// [`ClientError`]; then nobody knows which were set. While the group has members each is refused with
    /// `UNKNOWN_MEMBER_ID`.
    pub async fn set_group_offsets(
        &self,
        group: &str,
        places: &[(&str, PartitionIndex, Offset)],
    ) -> Result<Vec<Result<(), Refused>>, ClientError> {
        let mut outcomes = Vec::with_capacity(places.len());
        for places in places.chunks(PARTITIONS_MAX) {
            let topics = by_topic(places.iter().map(|(topic, partition, offset)| {
                let place = OffsetCommitRequestPartition {
                    partition_index: *partition,
                    committed_offset: *offset,
                    committed_metadata: Some(String::new()),
                    ..OffsetCommitRequestPartition::default()
                };
                (*topic, place)
            }));
            let topics = topics.map(|(name, partitions)| OffsetCommitRequestTopic {
                name,
                partitions,
                ..OffsetCommitRequestTopic::default()
            });
            let topics: Vec<OffsetCommitRequestTopic> = topics.collect();
            // Without a generation it is nobody's in particular.
            let write = |_| OffsetCommitRequest {
                group_id: group.to_owned(),
                topics: topics.clone(),
                ..OffsetCommitRequest::default()
            };
            let read = |told: <OffsetCommitRequest as Request>::Response| {
                let topics = told.topics.into_iter();
                told_of_each(topics.flat_map(|topic| {
                    let name = topic.name;
                    topic.partitions.into_iter().map(move |each| (name.clone(), each.partition_index, each.error_code))
                }))
            };
            let whom = Whom::CoordinatorOf(group);
            let (_, told) = self.ask_about_groups(whom, write, OFFSET_COMMIT_VERSION_MAX, read).await?;
            outcomes.extend(places.iter().map(|(topic, partition, _)| outcome(&told, topic, *partition)));
        }
        Ok(outcomes)
    }

    /// Lets a group forget where it stands in some partitions; what became of each, in their order.
    ///
    /// # Errors
    /// [`ClientError`]; then nobody knows which are forgotten. What members of the group read is refused with
    /// `GROUP_SUBSCRIBED_TO_TOPIC`.
    pub async fn delete_group_offsets(
        &self,
        group: &str,
        partitions: &[(&str, PartitionIndex)],
    ) -> Result<Vec<Result<(), Refused>>, ClientError> {
        let mut outcomes = Vec::with_capacity(partitions.len());
        for partitions in partitions.chunks(PARTITIONS_MAX) {
            let each = |(topic, partition): &(_, PartitionIndex)| {
                (*topic, OffsetDeleteRequestPartition { partition_index: *partition })
            };
            let topics = by_topic(partitions.iter().map(each));
            let topics: Vec<OffsetDeleteRequestTopic> =
                topics.map(|(name, partitions)| OffsetDeleteRequestTopic { name, partitions }).collect();
            let write = |_| OffsetDeleteRequest { group_id: group.to_owned(), topics: topics.clone() };
            let read = |told: <OffsetDeleteRequest as Request>::Response| {
                Refused::check(told.error_code, None)?;
                let topics = told.topics.into_iter();
                told_of_each(topics.flat_map(|topic| {
                    let name = topic.name;
                    topic.partitions.into_iter().map(move |each| (name.clone(), each.partition_index, each.error_code))
                }))
            };
            let (_, told) = self.ask_about_groups(Whom::CoordinatorOf(group), write, i16::MAX, read).await?;
            outcomes.extend(partitions.iter().map(|(topic, partition)| outcome(&told, topic, *partition)));
        }
        Ok(outcomes)
    }
}

fn by_topic<'a, T>(places: impl Iterator<Item = (&'a str, T)>) -> impl Iterator<Item = (String, Vec<T>)> {
    let mut topics: BTreeMap<&str, Vec<T>> = BTreeMap::new();
    places.for_each(|(topic, place)| topics.entry(topic).or_default().push(place));
    topics.into_iter().map(|(topic, places)| (topic.to_owned(), places))
}

fn committed(told: <OffsetFetchRequest as Request>::Response) -> Result<Vec<CommittedOffset>, Refused> {
    let mut offsets = Vec::new();
    let mut take = |topic: &str, partition, offset, metadata: Option<String>, code| {
        Refused::check(code, None)?;
        if offset >= Offset(0) {
            let metadata = metadata.unwrap_or_default();
            offsets.push(CommittedOffset { topic: topic.to_owned(), partition, offset, metadata });
        }
        Ok(())
    };
    Refused::check(told.error_code, None)?;
    for topic in told.topics {
        for each in topic.partitions {
            take(&topic.name, each.partition_index, each.committed_offset, each.metadata, each.error_code)?;
        }
    }
    for group in told.groups {
        Refused::check(group.error_code, None)?;
        for topic in group.topics {
            for each in topic.partitions {
                take(&topic.name, each.partition_index, each.committed_offset, each.metadata, each.error_code)?;
            }
        }
    }
    Ok(offsets)
}

/// What a broker says of each partition.
type Told = HashMap<(String, PartitionIndex), i16>;

/// Whoever is not the coordinator says so of each: then all of it is asked for again.
fn told_of_each(told: impl Iterator<Item = (String, PartitionIndex, i16)>) -> Result<Told, Refused> {
    let mut each = Told::new();
    for (topic, partition, code) in told {
        match Refused::check(code, None) {
            Err(refused) if is_elsewhere(refused.code) => return Err(refused),
            _ => {
                each.insert((topic, partition), code);
            }
        }
    }
    Ok(each)
}

fn outcome(told: &Told, topic: &str, partition: PartitionIndex) -> Result<(), Refused> {
    match told.get(&(topic.to_owned(), partition)) {
        Some(code) => Refused::check(*code, None),
        None => Err(not_named()),
    }
}
