//! What state takes in memory, in bytes.
//!
//! Texts count as they are. What holds them counts as a constant: its size on a 64-bit machine, twice where a map may
//! keep its nodes half empty, and the whole first node of a map that may hold one thing only. So the count follows from
//! the state alone, and is rather too large than too small. Fields of records that have no name here don't count: only
//! the log brings them.

use bytes::Bytes;
use thalweg_messages::group_log::group_metadata::MemberMetadata;
use thalweg_messages::group_log::{GroupMetadataValue, OffsetCommitValue};

/// A group of which something is stored: its place among the groups, the first node of its topics.
const STORED_GROUP: usize = 1_000;

/// A generation, beside its texts.
const GENERATION: usize = 100;

/// A member in a generation that is stored, beside its texts.
const STORED_MEMBER: usize = 300;

/// A topic that a group has read: the first node of its partitions.
const TOPIC: usize = 1_300;

/// An offset, beside its words.
const OFFSET: usize = 220;

/// A group in which somebody is, or is about to be: its place, its wake, the first node of its members.
const LIVE_GROUP: usize = 5_000;

/// A member, with the requests of it that wait: its place, a ticket, and the task's half of an answer.
const MEMBER: usize = 2_000;

/// What a member says counts as so much at least. A coordinator that was loaded knows of one protocol what a member said
/// for it, and hears of the others when it joins again.
const SAID_MIN: usize = 2_000;

/// A protocol that a member can do.
const PROTOCOL: usize = 160;

/// A topic that a member wants to read, in the set of what its group reads.
const NAMED_TOPIC: usize = 96;

/// An id that was given out.
const PENDING: usize = 96;

pub(super) fn stored_group(name: &str) -> usize {
    STORED_GROUP + name.len()
}

pub(super) fn generation(value: &GroupMetadataValue) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let member = |member: &MemberMetadata| {
        let texts = member.member_id.len() + member.client_id.len() + member.client_host.len();
        let said = member.subscription.len() + member.assignment.len();
        STORED_MEMBER + texts + optional(&member.group_instance_id) + said
    };
    let texts = value.protocol_type.len() + optional(&value.protocol) + optional(&value.leader);
    GENERATION + texts + value.members.iter().map(member).sum::<usize>()
}

pub(super) fn topic(name: &str) -> usize {
    TOPIC + name.len()
}

pub(super) fn offset(value: &OffsetCommitValue) -> usize {
    offset_with(&value.metadata)
}

pub(super) fn offset_with(metadata: &str) -> usize {
    OFFSET + metadata.len()
}

/// An offset that was committed in a transaction of which the end was not met: it has a place of its own.
pub(super) fn open_offset(group: &str, topic: &str, value: &OffsetCommitValue) -> usize {
    TOPIC + group.len() + topic.len() + offset(value)
}

/// Beside its members and pending ids. The texts count twice: they are stored when its members go.
pub(super) fn live_group(name: &str, protocol_type: Option<&str>) -> usize {
    LIVE_GROUP + 2 * (name.len() + protocol_type.map_or(0, str::len))
}

/// Beside its part, and what it says. The texts are its ids, and whence it came.
pub(super) fn member(texts: [&str; 4]) -> usize {
    MEMBER + texts.iter().map(|text| text.len()).sum::<usize>()
}

/// What a member says for each protocol, and how many topics that names. A name is kept thrice: once counted over all
/// members, and once if it wins. Words are kept twice, as far as they name topics.
pub(super) fn said(protocols: &[(String, Bytes)], topics: usize) -> usize {
    let one = |(name, words): &(String, Bytes)| PROTOCOL + 3 * name.len() + 2 * words.len();
    SAID_MIN.max(topics * NAMED_TOPIC + protocols.iter().map(one).sum::<usize>())
}

pub(super) fn pending(id: &str) -> usize {
    PENDING + id.len()
}
