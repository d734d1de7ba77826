//! What outlives a coordinator: how far groups have read, and their last generations. The records' sum, no more.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use thalweg_messages::group_log::{
    GroupMetadataKey, GroupMetadataValue, GroupRecord, LegacyOffsetCommitKey, LegacyOffsetCommitValue, OffsetCommitKey,
    OffsetCommitValue,
};
use thalweg_wire::{PartitionIndex, ProducerId};

use super::transactions::Open;
use super::weight;
use super::{Answers, Command, Live, Now, TopicName, TransactionEnd};
use crate::machine::{Context, Machine};

/// Offsets and generations of all groups, as the log says.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Stored {
    groups: BTreeMap<Arc<str>, StoredGroup>,
    offsets: usize,
    others: u64,
    open: Open,
    /// What groups take in memory, what is open left out.
    bytes: usize,
}

/// A group of which something is stored.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct StoredGroup {
    /// `None`: somebody committed, but it never had a generation.
    pub(super) generation: Option<GroupMetadataValue>,
    pub(super) offsets: BTreeMap<Arc<str>, BTreeMap<PartitionIndex, OffsetCommitValue>>,
}

impl StoredGroup {
    /// Its kind; empty: offsets only.
    pub(super) fn protocol_type(&self) -> &str {
        self.generation.as_ref().map_or("", |value| &value.protocol_type)
    }

    /// What its generation takes in memory.
    pub(super) fn generation_bytes(&self) -> usize {
        self.generation.as_ref().map_or(0, weight::generation)
    }

    pub(super) fn offset(&self, topic: &str, partition: PartitionIndex) -> Option<&OffsetCommitValue> {
        self.offsets.get(topic)?.get(&partition)
    }

    pub(super) fn partitions(&self) -> impl Iterator<Item = (&Arc<str>, PartitionIndex, &OffsetCommitValue)> {
        self.offsets.iter().flat_map(|(topic, partitions)| {
            partitions.iter().map(move |(&partition, offset)| (topic, partition, offset))
        })
    }
}

impl Stored {
    /// How many groups there are.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// How many offsets there are.
    pub fn offset_count(&self) -> usize {
        self.offsets
    }

    /// How many records were passed over: those of other protocols. They stay in the log as they are, whose compaction
    /// keeps the newest of each key without understanding it.
    pub fn other_count(&self) -> u64 {
        self.others
    }

    /// How many offsets were committed in transactions of which the log has no end.
    pub fn open_count(&self) -> usize {
        self.open.count()
    }

    /// What all of this takes in memory, in bytes: see `weight`.
    pub fn bytes(&self) -> usize {
        self.bytes + self.open.bytes()
    }

    /// [`Self::bytes`], counted anew from all that there is: for tests.
    pub fn recounted_bytes(&self) -> usize {
        let groups = self.groups.iter().map(|(name, group)| {
            let topics = group.offsets.keys().map(|topic| weight::topic(topic)).sum::<usize>();
            let offsets = group.partitions().map(|(_, _, offset)| weight::offset(offset)).sum::<usize>();
            weight::stored_group(name) + group.generation_bytes() + topics + offsets
        });
        groups.sum::<usize>() + self.open.recounted()
    }

    /// The topics that groups have read, each with the id under which they committed; zero if it wasn't noted.
    pub fn topics(&self) -> BTreeSet<TopicName> {
        let offsets = self.groups.values().flat_map(StoredGroup::partitions);
        offsets.map(|(topic, _, offset)| TopicName { name: topic.to_string(), id: offset.topic_id }).collect()
    }

    pub(super) fn apply_in_transaction(&mut self, at: Context, producer: ProducerId, record: &GroupRecord) {
        match record {
            GroupRecord::OffsetCommit(key, Some(value)) => self.open.add(producer, at.offset, key, value.clone()),
            // Nobody writes anything else in a transaction.
            _ => self.others += 1,
        }
    }

    pub(super) fn transaction_ended(&mut self, producer: ProducerId, end: TransactionEnd) {
        let commits = self.open.end(producer);
        if end == TransactionEnd::Committed {
            for (key, at, value) in commits {
                self.open.supersede(&key, at);
                self.set_offset(&key, Some(&value));
            }
        }
    }

    pub(super) fn group(&self, name: &str) -> Option<&StoredGroup> {
        self.groups.get(name)
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = (&Arc<str>, &StoredGroup)> {
        self.groups.iter()
    }

    /// In the order of their names, from one on; all, if none is named.
    pub(super) fn groups_from(&self, name: Option<&Arc<str>>) -> impl Iterator<Item = (&Arc<str>, &StoredGroup)> {
        let from = name.map_or(Bound::Unbounded, Bound::Included);
        self.groups.range::<Arc<str>, _>((from, Bound::Unbounded))
    }

    fn set_generation(&mut self, group: &str, generation: Option<&GroupMetadataValue>) {
        match generation {
            Some(value) => {
                let before = self.group_mut(group).generation.replace(own(value));
                self.bytes += weight::generation(value);
                self.bytes -= before.as_ref().map_or(0, weight::generation);
            }
            None => {
                let Some(known) = self.groups.get_mut(group) else { return };
                let before = known.generation.take();
                self.bytes -= before.as_ref().map_or(0, weight::generation);
                self.drop_if_bare(group);
            }
        }
    }

    fn set_offset(&mut self, key: &OffsetCommitKey, value: Option<&OffsetCommitValue>) {
        let Some(value) = value else { return self.forget_offset(key) };
        let group = self.group_mut(&key.group);
        let mut bytes = weight::offset(value);
        if !group.offsets.contains_key(key.topic.as_str()) {
            group.offsets.insert(Arc::from(key.topic.as_str()), BTreeMap::new());
            bytes += weight::topic(&key.topic);
        }
        let partitions = group.offsets.get_mut(key.topic.as_str()).expect("it was just put in");
        let before = partitions.insert(key.partition, value.clone());
        self.offsets += usize::from(before.is_none());
        self.bytes += bytes;
        self.bytes -= before.as_ref().map_or(0, weight::offset);
    }

    fn forget_offset(&mut self, key: &OffsetCommitKey) {
        let Some(group) = self.groups.get_mut(key.group.as_str()) else { return };
        let Some(partitions) = group.offsets.get_mut(key.topic.as_str()) else { return };
        let Some(gone) = partitions.remove(&key.partition) else { return };
        self.offsets -= 1;
        self.bytes -= weight::offset(&gone);
        if partitions.is_empty() {
            group.offsets.remove(key.topic.as_str());
            self.bytes -= weight::topic(&key.topic);
        }
        self.drop_if_bare(&key.group);
    }

    fn group_mut(&mut self, name: &str) -> &mut StoredGroup {
        if !self.groups.contains_key(name) {
            self.groups.insert(Arc::from(name), StoredGroup::default());
            self.bytes += weight::stored_group(name);
        }
        self.groups.get_mut(name).expect("it was just put in")
    }

    fn drop_if_bare(&mut self, name: &str) {
        if self.groups.get(name).is_some_and(|group| group.generation.is_none() && group.offsets.is_empty()) {
            self.groups.remove(name);
            self.bytes -= weight::stored_group(name);
        }
    }
}

/// With bytes of its own: those of a record that was read are part of a batch, all of which would stay in memory.
fn own(value: &GroupMetadataValue) -> GroupMetadataValue {
    let mut value = value.clone();
    for member in &mut value.members {
        member.subscription = Bytes::copy_from_slice(&member.subscription);
        member.assignment = Bytes::copy_from_slice(&member.assignment);
    }
    value
}

impl Machine for Stored {
    type Command = Command;
    type Record = GroupRecord;
    type Reply = Answers;
    type Soft = Live;
    type Now = Now;

    fn decide(&self, live: &mut Live, now: Now, command: Command) -> super::Decision {
        live.decide(self, now, command)
    }

    fn apply(&mut self, at: Context, record: &GroupRecord) {
        match record {
            GroupRecord::GroupMetadata(key, value) => self.set_generation(&key.group, value.as_ref()),
            GroupRecord::OffsetCommit(key, value) => {
                self.open.supersede(key, at.offset);
                self.set_offset(key, value.as_ref());
            }
            GroupRecord::LegacyOffsetCommit(key, value) => {
                let LegacyOffsetCommitKey { group, topic, partition } = key.clone();
                let key = OffsetCommitKey { group, topic, partition };
                let value = value.clone().map(|LegacyOffsetCommitValue { offset, metadata, commit_timestamp }| {
                    OffsetCommitValue { offset, metadata, commit_timestamp, ..OffsetCommitValue::default() }
                });
                self.apply(at, &GroupRecord::OffsetCommit(key, value));
            }
            _ => self.others += 1,
        }
    }

    fn image(&self) -> impl Iterator<Item = GroupRecord> {
        self.groups.iter().flat_map(|(name, group)| {
            let generation = group.generation.iter().map(|value| {
                GroupRecord::GroupMetadata(GroupMetadataKey { group: name.to_string() }, Some(value.clone()))
            });
            let offsets = group.partitions().map(|(topic, partition, value)| {
                let key = OffsetCommitKey { group: name.to_string(), topic: topic.to_string(), partition };
                GroupRecord::OffsetCommit(key, Some(value.clone()))
            });
            generation.chain(offsets)
        })
    }
}
