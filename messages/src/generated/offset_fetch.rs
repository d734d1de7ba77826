//! OffsetFetch: how far groups have read.
//!
//! A partition of which nothing was committed is answered with offset -1 and no error.
//!
//! - v2: All topics are asked for with null. What concerns the whole group has one error.
//! - v3: Throttle time.
//! - v4: A throttled client is answered at once and waits by itself (KIP-219).
//! - v5: The leader epoch of the last record read (KIP-320).
//! - v6: Flexible.
//! - v7: The client may insist on offsets that no open transaction can change (KIP-447).
//! - v8: Many groups in one request (KIP-709).
//! - v9: Members name themselves and their epoch, and are fenced by them (KIP-848).
//! - v10: Topics go by id instead of name (KIP-848).
//!
//! Generated from `messages/schema/009-offset-fetch.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetFetchRequest {
    /// (up to v7)
    pub group_id: String,
    /// Null: all topics. (up to v7)
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// (v8+)
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// UNSTABLE_OFFSET_COMMIT where a transaction has an offset in the air. (v7+)
    pub require_stable: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for OffsetFetchRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            topics: Some(Vec::new()),
            groups: Vec::new(),
            require_stable: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for OffsetFetchRequest {
    const NAME: &'static str = "OffsetFetchRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 10;
    const FLEXIBLE_FROM: i16 = 6;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: if version <= 7 { from.string()? } else { String::new() },
            topics: if version <= 7 {
                if version >= 2 {
                    from.nullable_array(3, |from| OffsetFetchRequestTopic::decode(from, version))?
                } else {
                    Some(from.array(3, |from| OffsetFetchRequestTopic::decode(from, version))?)
                }
            } else {
                Some(Vec::new())
            },
            groups: if version >= 8 {
                from.array(3, |from| OffsetFetchRequestGroup::decode(from, version))?
            } else {
                Vec::new()
            },
            require_stable: if version >= 7 { from.bool()? } else { false },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version <= 7 {
            into.string(&self.group_id)?;
        } else if !self.group_id.is_empty() {
            return Err(EncodeError::NotInVersion { field: "group_id", version });
        }
        if version <= 7 {
            if version >= 2 {
                into.nullable_array(self.topics.as_deref(), |into, each| each.encode(into, version))?;
            } else {
                let value = self.topics.as_ref().ok_or(EncodeError::Null { field: "topics", version })?;
                into.array(value, |into, each| each.encode(into, version))?;
            }
        } else if self.topics.as_ref().is_none_or(|value| !value.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "topics", version });
        }
        if version >= 8 {
            into.array(&self.groups, |into, each| each.encode(into, version))?;
        } else if !self.groups.is_empty() {
            return Err(EncodeError::NotInVersion { field: "groups", version });
        }
        if version >= 7 {
            into.bool(self.require_stable);
        } else if self.require_stable {
            return Err(EncodeError::NotInVersion { field: "require_stable", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for OffsetFetchRequest {
    const API_KEY: i16 = 9;
    type Response = OffsetFetchResponse;
}

/// Of [`OffsetFetchRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetFetchRequestTopic {
    pub name: String,
    pub partition_indexes: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl OffsetFetchRequestTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partition_indexes: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.plain_array(&self.partition_indexes, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`OffsetFetchRequest::groups`].
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetFetchRequestGroup {
    pub group_id: String,
    /// Null: not a member. (v9+)
    pub member_id: Option<String>,
    /// -1: not a member. (v9+)
    pub member_epoch: i32,
    /// Null: all topics.
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            member_id: None,
            member_epoch: -1,
            topics: Some(Vec::new()),
            unknown_tags: Vec::new(),
        }
    }
}

impl OffsetFetchRequestGroup {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            group_id: from.string()?,
            member_id: if version >= 9 { from.nullable_string()? } else { None },
            member_epoch: if version >= 9 { from.i32()? } else { -1 },
            topics: from.nullable_array(3, |from| OffsetFetchRequestTopics::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.group_id)?;
        if version >= 9 {
            into.nullable_string(self.member_id.as_deref())?;
            into.i32(self.member_epoch);
        }
        into.nullable_array(self.topics.as_deref(), |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`OffsetFetchRequestGroup::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetFetchRequestTopics {
    /// (up to v9)
    pub name: String,
    /// (v10+)
    pub topic_id: Uuid,
    pub partition_indexes: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl OffsetFetchRequestTopics {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: if version <= 9 { from.string()? } else { String::new() },
            topic_id: if version >= 10 { from.uuid()? } else { Uuid::ZERO },
            partition_indexes: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
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
        into.plain_array(&self.partition_indexes, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetFetchResponse {
    /// (v3+)
    pub throttle_time_ms: i32,
    /// (up to v7)
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// (v2 to v7)
    pub error_code: i16,
    /// (v8+)
    pub groups: Vec<OffsetFetchResponseGroup>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for OffsetFetchResponse {
    const NAME: &'static str = "OffsetFetchResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 10;
    const FLEXIBLE_FROM: i16 = 6;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: if version >= 3 { from.i32()? } else { 0 },
            topics: if version <= 7 {
                from.array(3, |from| OffsetFetchResponseTopic::decode(from, version))?
            } else {
                Vec::new()
            },
            error_code: if (2..=7).contains(&version) { from.i16()? } else { 0 },
            groups: if version >= 8 {
                from.array(5, |from| OffsetFetchResponseGroup::decode(from, version))?
            } else {
                Vec::new()
            },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 3 {
            into.i32(self.throttle_time_ms);
        }
        if version <= 7 {
            into.array(&self.topics, |into, each| each.encode(into, version))?;
        } else if !self.topics.is_empty() {
            return Err(EncodeError::NotInVersion { field: "topics", version });
        }
        if (2..=7).contains(&version) {
            into.i16(self.error_code);
        }
        if version >= 8 {
            into.array(&self.groups, |into, each| each.encode(into, version))?;
        } else if !self.groups.is_empty() {
            return Err(EncodeError::NotInVersion { field: "groups", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for OffsetFetchResponse {
    const API_KEY: i16 = 9;
    type Request = OffsetFetchRequest;
}

/// Of [`OffsetFetchResponse::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetFetchResponseTopic {
    pub name: String,
    pub partitions: Vec<OffsetFetchResponsePartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl OffsetFetchResponseTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(16, |from| OffsetFetchResponsePartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`OffsetFetchResponseTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetFetchResponsePartition {
    pub partition_index: PartitionIndex,
    /// -1: none.
    pub committed_offset: Offset,
    /// (v5+)
    pub committed_leader_epoch: LeaderEpoch,
    pub metadata: Option<String>,
    pub error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for OffsetFetchResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: PartitionIndex(0),
            committed_offset: Offset(0),
            committed_leader_epoch: LeaderEpoch(-1),
            metadata: Some(String::new()),
            error_code: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl OffsetFetchResponsePartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            committed_offset: Offset(from.i64()?),
            committed_leader_epoch: if version >= 5 { LeaderEpoch(from.i32()?) } else { LeaderEpoch(-1) },
            metadata: from.nullable_string()?,
            error_code: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i64(self.committed_offset.0);
        if version >= 5 {
            into.i32(self.committed_leader_epoch.0);
        }
        into.nullable_string(self.metadata.as_deref())?;
        into.i16(self.error_code);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`OffsetFetchResponse::groups`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetFetchResponseGroup {
    pub group_id: String,
    pub topics: Vec<OffsetFetchResponseTopics>,
    pub error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl OffsetFetchResponseGroup {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            group_id: from.string()?,
            topics: from.array(3, |from| OffsetFetchResponseTopics::decode(from, version))?,
            error_code: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.group_id)?;
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.i16(self.error_code);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`OffsetFetchResponseGroup::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetFetchResponseTopics {
    /// (up to v9)
    pub name: String,
    /// (v10+)
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetFetchResponsePartitions>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl OffsetFetchResponseTopics {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: if version <= 9 { from.string()? } else { String::new() },
            topic_id: if version >= 10 { from.uuid()? } else { Uuid::ZERO },
            partitions: from.array(20, |from| OffsetFetchResponsePartitions::decode(from, version))?,
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

/// Of [`OffsetFetchResponseTopics::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetFetchResponsePartitions {
    pub partition_index: PartitionIndex,
    /// -1: none.
    pub committed_offset: Offset,
    pub committed_leader_epoch: LeaderEpoch,
    pub metadata: Option<String>,
    pub error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for OffsetFetchResponsePartitions {
    fn default() -> Self {
        Self {
            partition_index: PartitionIndex(0),
            committed_offset: Offset(0),
            committed_leader_epoch: LeaderEpoch(-1),
            metadata: Some(String::new()),
            error_code: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl OffsetFetchResponsePartitions {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            committed_offset: Offset(from.i64()?),
            committed_leader_epoch: LeaderEpoch(from.i32()?),
            metadata: from.nullable_string()?,
            error_code: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i64(self.committed_offset.0);
        into.i32(self.committed_leader_epoch.0);
        into.nullable_string(self.metadata.as_deref())?;
        into.i16(self.error_code);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for OffsetFetchRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version <= 7 {
                object.put("groupId", &self.group_id);
            }
            if version <= 7 {
                object.put("topics", &self.topics);
            }
            if version >= 8 {
                object.put("groups", &self.groups);
            }
            if version >= 7 {
                object.put("requireStable", &self.require_stable);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("topics", &mut this.topics)?;
            fields.read("groups", &mut this.groups)?;
            fields.read("requireStable", &mut this.require_stable)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetFetchRequestTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("partitionIndexes", &self.partition_indexes);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("partitionIndexes", &mut this.partition_indexes)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetFetchRequestGroup {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            if version >= 9 {
                object.put("memberId", &self.member_id);
            }
            if version >= 9 {
                object.put("memberEpoch", &self.member_epoch);
            }
            object.put("topics", &self.topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("memberEpoch", &mut this.member_epoch)?;
            fields.read("topics", &mut this.topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetFetchRequestTopics {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version <= 9 {
                object.put("name", &self.name);
            }
            if version >= 10 {
                object.put("topicId", &self.topic_id);
            }
            object.put("partitionIndexes", &self.partition_indexes);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("partitionIndexes", &mut this.partition_indexes)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetFetchResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 3 {
                object.put("throttleTimeMs", &self.throttle_time_ms);
            }
            if version <= 7 {
                object.put("topics", &self.topics);
            }
            if (2..=7).contains(&version) {
                object.put("errorCode", &self.error_code);
            }
            if version >= 8 {
                object.put("groups", &self.groups);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("topics", &mut this.topics)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("groups", &mut this.groups)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetFetchResponseTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetFetchResponsePartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("committedOffset", &self.committed_offset);
            if version >= 5 {
                object.put("committedLeaderEpoch", &self.committed_leader_epoch);
            }
            object.put("metadata", &self.metadata);
            object.put("errorCode", &self.error_code);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("committedOffset", &mut this.committed_offset)?;
            fields.read("committedLeaderEpoch", &mut this.committed_leader_epoch)?;
            fields.read("metadata", &mut this.metadata)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetFetchResponseGroup {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("topics", &self.topics);
            object.put("errorCode", &self.error_code);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("topics", &mut this.topics)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetFetchResponseTopics {
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

    impl Json for OffsetFetchResponsePartitions {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("committedOffset", &self.committed_offset);
            object.put("committedLeaderEpoch", &self.committed_leader_epoch);
            object.put("metadata", &self.metadata);
            object.put("errorCode", &self.error_code);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("committedOffset", &mut this.committed_offset)?;
            fields.read("committedLeaderEpoch", &mut this.committed_leader_epoch)?;
            fields.read("metadata", &mut this.metadata)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
