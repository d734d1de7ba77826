//! OffsetCommit: how far a group has read.
//!
//! Members name themselves and their generation, and are fenced by them. Who isn't a member leaves both at their defaults,
//! which only a group without members accepts.
//!
//! - v3: Throttle time.
//! - v4: A throttled client is answered at once and waits by itself (KIP-219).
//! - v5: How long offsets are kept is the broker's to say (KIP-211).
//! - v6: The leader epoch of the last record read (KIP-320).
//! - v7: Members that keep their place over a restart (KIP-345).
//! - v8: Flexible.
//! - v9: Groups whose assignments the broker makes: STALE_MEMBER_EPOCH, and GROUP_ID_NOT_FOUND (KIP-848).
//! - v10: Topics go by id instead of name (KIP-848).
//!
//! Generated from `messages/schema/008-offset-commit.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetCommitRequest {
    pub group_id: String,
    /// -1: not a member.
    pub generation_id_or_member_epoch: i32,
    pub member_id: String,
    /// Of a member that keeps its place. (v7+)
    pub group_instance_id: Option<String>,
    /// In ms; -1: the broker's setting. (up to v4)
    pub retention_time_ms: i64,
    pub topics: Vec<OffsetCommitRequestTopic>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for OffsetCommitRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            generation_id_or_member_epoch: -1,
            member_id: String::new(),
            group_instance_id: None,
            retention_time_ms: -1,
            topics: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for OffsetCommitRequest {
    const NAME: &'static str = "OffsetCommitRequest";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 10;
    const FLEXIBLE_FROM: i16 = 8;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: from.string()?,
            generation_id_or_member_epoch: from.i32()?,
            member_id: from.string()?,
            group_instance_id: if version >= 7 { from.nullable_string()? } else { None },
            retention_time_ms: if version <= 4 { from.i64()? } else { -1 },
            topics: from.array(3, |from| OffsetCommitRequestTopic::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        into.i32(self.generation_id_or_member_epoch);
        into.string(&self.member_id)?;
        if version >= 7 {
            into.nullable_string(self.group_instance_id.as_deref())?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::NotInVersion { field: "group_instance_id", version });
        }
        if version <= 4 {
            into.i64(self.retention_time_ms);
        }
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for OffsetCommitRequest {
    const API_KEY: i16 = 8;
    type Response = OffsetCommitResponse;
}

/// Of [`OffsetCommitRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetCommitRequestTopic {
    /// (up to v9)
    pub name: String,
    /// (v10+)
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitRequestPartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl OffsetCommitRequestTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: if version <= 9 { from.string()? } else { String::new() },
            topic_id: if version >= 10 { from.uuid()? } else { Uuid::ZERO },
            partitions: from.array(14, |from| OffsetCommitRequestPartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        if version <= 9 {
            into.string(&self.name)?;
        }
        if version >= 10 {
            into.uuid(self.topic_id);
        }
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`OffsetCommitRequestTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetCommitRequestPartition {
    pub partition_index: PartitionIndex,
    /// Of the next record to read.
    pub committed_offset: Offset,
    /// Of the last record read; -1: not known. (v6+)
    pub committed_leader_epoch: LeaderEpoch,
    /// Whatever the client wants to find here again.
    pub committed_metadata: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for OffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: PartitionIndex(0),
            committed_offset: Offset(0),
            committed_leader_epoch: LeaderEpoch(-1),
            committed_metadata: Some(String::new()),
            unknown_tags: Vec::new(),
        }
    }
}

impl OffsetCommitRequestPartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            committed_offset: Offset(from.i64()?),
            committed_leader_epoch: if version >= 6 { LeaderEpoch(from.i32()?) } else { LeaderEpoch(-1) },
            committed_metadata: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i64(self.committed_offset.0);
        if version >= 6 {
            into.i32(self.committed_leader_epoch.0);
        }
        into.nullable_string(self.committed_metadata.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetCommitResponse {
    /// (v3+)
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetCommitResponseTopic>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for OffsetCommitResponse {
    const NAME: &'static str = "OffsetCommitResponse";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 10;
    const FLEXIBLE_FROM: i16 = 8;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: if version >= 3 { from.i32()? } else { 0 },
            topics: from.array(3, |from| OffsetCommitResponseTopic::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 3 {
            into.i32(self.throttle_time_ms);
        }
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for OffsetCommitResponse {
    const API_KEY: i16 = 8;
    type Request = OffsetCommitRequest;
}

/// Of [`OffsetCommitResponse::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetCommitResponseTopic {
    /// (up to v9)
    pub name: String,
    /// (v10+)
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitResponsePartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl OffsetCommitResponseTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: if version <= 9 { from.string()? } else { String::new() },
            topic_id: if version >= 10 { from.uuid()? } else { Uuid::ZERO },
            partitions: from.array(6, |from| OffsetCommitResponsePartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        if version <= 9 {
            into.string(&self.name)?;
        }
        if version >= 10 {
            into.uuid(self.topic_id);
        }
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`OffsetCommitResponseTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetCommitResponsePartition {
    pub partition_index: PartitionIndex,
    pub error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for OffsetCommitResponsePartition {
    fn default() -> Self {
        Self { partition_index: PartitionIndex(0), error_code: 0, unknown_tags: Vec::new() }
    }
}

impl OffsetCommitResponsePartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            error_code: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i16(self.error_code);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for OffsetCommitRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("generationIdOrMemberEpoch", &self.generation_id_or_member_epoch);
            object.put("memberId", &self.member_id);
            if version >= 7 {
                object.put("groupInstanceId", &self.group_instance_id);
            }
            if version <= 4 {
                object.put("retentionTimeMs", &self.retention_time_ms);
            }
            object.put("topics", &self.topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("generationIdOrMemberEpoch", &mut this.generation_id_or_member_epoch)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("groupInstanceId", &mut this.group_instance_id)?;
            fields.read("retentionTimeMs", &mut this.retention_time_ms)?;
            fields.read("topics", &mut this.topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetCommitRequestTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version <= 9 {
                object.put("name", &self.name);
            }
            if version >= 10 {
                object.put("topicId", &self.topic_id);
            }
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetCommitRequestPartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("committedOffset", &self.committed_offset);
            if version >= 6 {
                object.put("committedLeaderEpoch", &self.committed_leader_epoch);
            }
            object.put("committedMetadata", &self.committed_metadata);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("committedOffset", &mut this.committed_offset)?;
            fields.read("committedLeaderEpoch", &mut this.committed_leader_epoch)?;
            fields.read("committedMetadata", &mut this.committed_metadata)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetCommitResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 3 {
                object.put("throttleTimeMs", &self.throttle_time_ms);
            }
            object.put("topics", &self.topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("topics", &mut this.topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetCommitResponseTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version <= 9 {
                object.put("name", &self.name);
            }
            if version >= 10 {
                object.put("topicId", &self.topic_id);
            }
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetCommitResponsePartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("errorCode", &self.error_code);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
