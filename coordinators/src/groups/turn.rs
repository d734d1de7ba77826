//! One command's turn: what it may see of its surroundings, and what comes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use thalweg_messages::group_log::{GroupMetadataKey, GroupMetadataValue, GroupRecord};
use thalweg_wire::PartitionIndex;

use super::members::Waiter;
use super::stored::StoredGroup;
use super::{Answer, Answers, Now, Policy, Stored, Ticket, weight};

/// What a command is decided on, and what it comes to.
pub(super) struct Turn<'a> {
    pub(super) stored: &'a Stored,
    pub(super) policy: &'a Policy,
    pub(super) now: Now,
    /// By how many bytes the state may grow.
    pub(super) room: usize,
    pub(super) records: Vec<GroupRecord>,
    answers: Answers,
    parked: &'a mut Parked,
}

/// Tickets that wait, and for whom: a group and a member of it.
pub(super) type Parked = BTreeMap<Ticket, (Arc<str>, Arc<str>)>;

impl<'a> Turn<'a> {
    pub(super) fn new(
        stored: &'a Stored,
        policy: &'a Policy,
        now: Now,
        room: usize,
        parked: &'a mut Parked,
    ) -> Turn<'a> {
        Turn { stored, policy, now, room, records: Vec::new(), answers: Vec::new(), parked }
    }

    pub(super) fn finish(self) -> super::Decision {
        super::Decision { records: self.records, reply: self.answers }
    }

    /// Answers the one who asks.
    pub(super) fn answer(&mut self, ticket: Ticket, answer: Answer) {
        self.answers.push((ticket, answer));
    }

    /// The one who asks has to wait.
    pub(super) fn park(&mut self, ticket: Ticket, group: &Arc<str>, member: &Arc<str>) -> Waiter {
        let before = self.parked.insert(ticket, (group.clone(), member.clone()));
        assert_eq!(before, None, "a ticket is given once");
        Waiter(Some(ticket))
    }

    /// Answers one who waited.
    pub(super) fn release(&mut self, waiter: Waiter, answer: impl FnOnce() -> Answer) {
        let Waiter(Some(ticket)) = waiter else { return };
        self.parked.remove(&ticket).expect("who waits is parked");
        self.answers.push((ticket, answer()));
    }

    /// By how much what is stored grows with a generation.
    pub(super) fn growth_of_stored(&self, group: &str, value: &GroupMetadataValue) -> usize {
        let stored = self.stored.group(group);
        let before = stored.map_or(0, StoredGroup::generation_bytes);
        let place = if stored.is_none() { weight::stored_group(group) } else { 0 };
        (weight::generation(value) + place).saturating_sub(before)
    }

    /// Takes the room that an offset needs beyond what is stored at its place; whether there was enough. What is new for
    /// many offsets of one request, as their topic, is asked for by each: near the bound the request gets a little less.
    pub(super) fn takes_offset(&mut self, group: &str, topic: &str, index: PartitionIndex, metadata: &str) -> bool {
        let stored = self.stored.group(group);
        let partitions = stored.and_then(|group| group.offsets.get(topic));
        let before = partitions.and_then(|partitions| partitions.get(&index)).map_or(0, weight::offset);
        let of_group = if stored.is_none() { weight::stored_group(group) } else { 0 };
        let of_topic = if partitions.is_none() { weight::topic(topic) } else { 0 };
        let growth = (of_group + of_topic + weight::offset_with(metadata)).saturating_sub(before);
        let left = self.room.checked_sub(growth);
        self.room = left.unwrap_or(self.room);
        left.is_some()
    }

    /// A group's generation is to be stored.
    pub(super) fn store_generation(&mut self, group: &str, value: GroupMetadataValue) {
        self.records.push(GroupRecord::GroupMetadata(GroupMetadataKey { group: group.to_owned() }, Some(value)));
    }
}
