//! One command's turn: what it may see of its surroundings, and what comes of it.

use thalweg_messages::group_log::{GroupMetadataKey, GroupMetadataValue, GroupRecord};
use thalweg_wire::PartitionIndex;

use super::{Answer, Answers, Now, Policy, Stored, Ticket, records, weight};

/// What a command is decided on, and what it comes to.
pub(super) struct Turn<'a> {
    pub(super) stored: &'a Stored,
    pub(super) policy: &'a Policy,
    pub(super) now: Now,
    /// By how many bytes the state may grow.
    pub(super) room: usize,
    pub(super) records: Vec<GroupRecord>,
    /// By how many bytes they let the state grow, at most.
    pub(super) owed: usize,
    /// What its records take that say that offsets are gone.
    forgotten: usize,
    answers: Answers,
}

/// Whether a decision saw all that it was to deal with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    Whole,
    /// There is more of it, for the next decision.
    Cut,
}

impl<'a> Turn<'a> {
    pub(super) fn new(stored: &'a Stored, policy: &'a Policy, now: Now, room: usize) -> Turn<'a> {
        Turn { stored, policy, now, room, records: Vec::new(), owed: 0, forgotten: 0, answers: Vec::new() }
    }

    pub(super) fn finish(self) -> super::Decision {
        super::Decision { records: self.records, reply: self.answers }
    }

    /// Answers the one who asks, or one who waited.
    pub(super) fn answer(&mut self, ticket: Ticket, answer: Answer) {
        self.answers.push((ticket, answer));
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
        self.owed += if left.is_some() { growth } else { 0 };
        left.is_some()
    }

    /// A group is to know nothing of a partition any more; unless this decision has forgotten as much as it may.
    pub(super) fn forget_offset(&mut self, group: &str, topic: &str, index: PartitionIndex) -> Look {
        if self.forgotten >= self.policy.forgotten_bytes_max {
            return Look::Cut;
        }
        self.forgotten += records::offset_bytes(group, topic, "");
        self.records.push(records::no_offset(group, topic, index));
        Look::Whole
    }

    /// A group's generation is to be stored.
    pub(super) fn store_generation(&mut self, group: &str, value: GroupMetadataValue) {
        self.owed += weight::stored_group(group) + weight::generation(&value);
        self.records.push(GroupRecord::GroupMetadata(GroupMetadataKey { group: group.to_owned() }, Some(value)));
    }
}
