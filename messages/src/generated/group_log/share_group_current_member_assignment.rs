//! ShareGroupCurrentMemberAssignment: the epoch that a member has reached, and the partitions it reads now (KIP-932).
//! Without a value: it has none, at epoch -1, but is a member until its ShareGroupMemberMetadata goes too.
//!
//! Generated from `messages/schema/group-log/014-share-group-current-member-assignment.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareGroupCurrentMemberAssignmentKey {
    pub group_id: String,
    pub member_id: String,
}

impl Message for ShareGroupCurrentMemberAssignmentKey {
    const NAME: &'static str = "ShareGroupCurrentMemberAssignmentKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { group_id: from.string()?, member_id: from.string()? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        into.string(&self.member_id)?;
        Ok(())
    }
}

impl Record for ShareGroupCurrentMemberAssignmentKey {
    const RECORD_TYPE: i16 = 14;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareGroupCurrentMemberAssignmentValue {
    /// What its heartbeat must show.
    pub member_epoch: i32,
    /// Taken too: the answer with the new one may have been lost.
    pub previous_member_epoch: i32,
    /// Always 0, stable: members share partitions, so none waits for another.
    pub state: i8,
    pub assigned_partitions: Vec<TopicPartitions>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ShareGroupCurrentMemberAssignmentValue {
    const NAME: &'static str = "ShareGroupCurrentMemberAssignmentValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            member_epoch: from.i32()?,
            previous_member_epoch: from.i32()?,
            state: from.i8()?,
            assigned_partitions: from.array(18, |from| TopicPartitions::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.member_epoch);
        into.i32(self.previous_member_epoch);
        into.i8(self.state);
        into.array(&self.assigned_partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for ShareGroupCurrentMemberAssignmentValue {
    const RECORD_TYPE: i16 = 14;
}

/// Of [`ShareGroupCurrentMemberAssignmentValue::assigned_partitions`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicPartitions {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_id: from.uuid()?,
            partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.uuid(self.topic_id);
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ShareGroupCurrentMemberAssignmentKey {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("memberId", &self.member_id);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ShareGroupCurrentMemberAssignmentValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("memberEpoch", &self.member_epoch);
            object.put("previousMemberEpoch", &self.previous_member_epoch);
            object.put("state", &self.state);
            object.put("assignedPartitions", &self.assigned_partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("memberEpoch", &mut this.member_epoch)?;
            fields.read("previousMemberEpoch", &mut this.previous_member_epoch)?;
            fields.read("state", &mut this.state)?;
            fields.read("assignedPartitions", &mut this.assigned_partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TopicPartitions {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topicId", &self.topic_id);
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
