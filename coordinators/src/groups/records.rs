//! The records of a coordinator, in the versions in which Kafka 4.3 writes them.

use std::time::Duration;

use bytes::Bytes;
use thalweg_messages::group_log::group_metadata::MemberMetadata;
use thalweg_messages::group_log::{GroupMetadataKey, GroupMetadataValue, GroupRecord, OffsetCommitKey};
use thalweg_wire::PartitionIndex;
use thalweg_wire::codec::EncodeError;

use super::group::Group;
use super::members::Member;

/// Key and value of a record as they are stored; no value: what the key names is gone.
///
/// Like Kafka 4.3: a generation in version 3, an offset in version 4, in version 1 if the client said when it expires,
/// since only that one can say so.
pub fn encode(record: &GroupRecord) -> Result<(Bytes, Option<Bytes>), EncodeError> {
    let version = match record {
        GroupRecord::GroupMetadata(..) => 3,
        GroupRecord::OffsetCommit(_, Some(value)) if value.expire_timestamp != -1 => 1,
        GroupRecord::OffsetCommit(..) => 4,
        _ => record.max_version(),
    };
    record.encode(version)
}

/// A group knows nothing of a partition any more.
pub(super) fn no_offset(group: &str, topic: &str, partition: PartitionIndex) -> GroupRecord {
    GroupRecord::OffsetCommit(OffsetCommitKey { group: group.to_owned(), topic: topic.to_owned(), partition }, None)
}

/// About what the record of an offset takes in the log, with its words, or of one that is gone.
pub(super) fn offset_bytes(group: &str, topic: &str, metadata: &str) -> usize {
    let numbers = 100;
    numbers + group.len() + topic.len() + metadata.len()
}

/// A group has no generation any more.
pub(super) fn no_generation(group: &str) -> GroupRecord {
    GroupRecord::GroupMetadata(GroupMetadataKey { group: group.to_owned() }, None)
}

impl Group {
    /// The present generation as it is stored.
    pub(super) fn generation_record(&self) -> GroupMetadataValue {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        GroupMetadataValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.as_deref().map(str::to_owned),
            current_state_timestamp: self.since.millis(),
            members: self.members.in_order().into_iter().map(|member| stored_member(member, protocol)).collect(),
            unknown_tags: Vec::new(),
        }
    }
}

/// About what a generation takes in the log.
pub(super) fn generation_bytes(value: &GroupMetadataValue) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let member = |member: &MemberMetadata| {
        let texts = member.member_id.len() + member.client_id.len() + member.client_host.len();
        let numbers = 32;
        numbers + texts + optional(&member.group_instance_id) + member.subscription.len() + member.assignment.len()
    };
    let head = 64 + value.protocol_type.len() + optional(&value.protocol) + optional(&value.leader);
    head + value.members.iter().map(member).sum::<usize>()
}

fn stored_member(member: &Member, protocol: &str) -> MemberMetadata {
    MemberMetadata {
        member_id: member.id.to_string(),
        group_instance_id: member.instance_id.as_deref().map(str::to_owned),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        rebalance_timeout: millis(member.rebalance_timeout),
        session_timeout: millis(member.session_timeout),
        subscription: member.metadata(protocol),
        assignment: member.assignment().clone(),
        unknown_tags: Vec::new(),
    }
}

fn millis(span: Duration) -> i32 {
    i32::try_from(span.as_millis()).unwrap_or(i32::MAX)
}
