//! TxnOffsetCommit: how far a group has read, as part of a transaction (KIP-98).
//!
//! Goes to the group's coordinator. The offsets count once the transaction is committed; until then OffsetFetch gives
//! the old ones, or UNSTABLE_OFFSET_COMMIT if the reader wants no less than stable ones.
//!
//! - v1: A throttled client is answered at once and waits by itself (KIP-219).
//! - v2: The leader epoch of the last record read (KIP-320).
//! - v3: Flexible. Members name themselves and their generation, and are fenced by them (KIP-447).
//! - v4: TRANSACTION_ABORTABLE: this transaction can only be aborted (KIP-890).
//! - v5: The broker adds the group's partition to the transaction by itself (KIP-890).
//!
//! Generated from `messages/schema/028-txn-offset-commit.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct TxnOffsetCommitRequest {
    pub transactional_id: String,
    pub group_id: String,
    pub producer_id: ProducerId,
    pub producer_epoch: ProducerEpoch,
    /// -1: not a member. (v3+)
    pub generation_id: i32,
    /// (v3+)
    pub member_id: String,
    /// Of a member that keeps its place. (v3+)
    pub group_instance_id: Option<String>,
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for TxnOffsetCommitRequest {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            group_id: String::new(),
            producer_id: ProducerId(0),
            producer_epoch: ProducerEpoch(0),
            generation_id: -1,
            member_id: String::new(),
            group_instance_id: None,
            topics: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for TxnOffsetCommitRequest {
    const NAME: &'static str = "TxnOffsetCommitRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            transactional_id: from.string()?,
            group_id: from.string()?,
            producer_id: ProducerId(from.i64()?),
            producer_epoch: ProducerEpoch(from.i16()?),
            generation_id: if version >= 3 { from.i32()? } else { -1 },
            member_id: if version >= 3 { from.string()? } else { String::new() },
            group_instance_id: if version >= 3 { from.nullable_string()? } else { None },
            topics: from.array(3, |from| TxnOffsetCommitRequestTopic::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.transactional_id)?;
        into.string(&self.group_id)?;
        into.i64(self.producer_id.0);
        into.i16(self.producer_epoch.0);
        if version >= 3 {
            into.i32(self.generation_id);
        } else if self.generation_id != -1 {
            return Err(EncodeError::NotInVersion { field: "generation_id", version });
        }
        if version >= 3 {
            into.string(&self.member_id)?;
        } else if !self.member_id.is_empty() {
            return Err(EncodeError::NotInVersion { field: "member_id", version });
        }
        if version >= 3 {
            into.nullable_string(self.group_instance_id.as_deref())?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::NotInVersion { field: "group_instance_id", version });
        }
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for TxnOffsetCommitRequest {
    const API_KEY: i16 = 28;
    type Response = TxnOffsetCommitResponse;
}

/// Of [`TxnOffsetCommitRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TxnOffsetCommitRequestTopic {
    pub name: String,
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TxnOffsetCommitRequestTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(14, |from| TxnOffsetCommitRequestPartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`TxnOffsetCommitRequestTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct TxnOffsetCommitRequestPartition {
    pub partition_index: PartitionIndex,
    /// Of the next record to read.
    pub committed_offset: Offset,
    /// Of the last record read; -1: not known. (v2+)
    pub committed_leader_epoch: i32,
    /// Whatever the client wants to find here again.
    pub committed_metadata: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for TxnOffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: PartitionIndex(0),
            committed_offset: Offset(0),
            committed_leader_epoch: -1,
            committed_metadata: Some(String::new()),
            unknown_tags: Vec::new(),
        }
    }
}

impl TxnOffsetCommitRequestPartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            committed_offset: Offset(from.i64()?),
            committed_leader_epoch: if version >= 2 { from.i32()? } else { -1 },
            committed_metadata: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i64(self.committed_offset.0);
        if version >= 2 {
            into.i32(self.committed_leader_epoch);
        }
        into.nullable_string(self.committed_metadata.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TxnOffsetCommitResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<TxnOffsetCommitResponseTopic>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for TxnOffsetCommitResponse {
    const NAME: &'static str = "TxnOffsetCommitResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            topics: from.array(3, |from| TxnOffsetCommitResponseTopic::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for TxnOffsetCommitResponse {
    const API_KEY: i16 = 28;
    type Request = TxnOffsetCommitRequest;
}

/// Of [`TxnOffsetCommitResponse::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TxnOffsetCommitResponseTopic {
    pub name: String,
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TxnOffsetCommitResponseTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(6, |from| TxnOffsetCommitResponsePartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`TxnOffsetCommitResponseTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct TxnOffsetCommitResponsePartition {
    pub partition_index: PartitionIndex,
    pub error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for TxnOffsetCommitResponsePartition {
    fn default() -> Self {
        Self { partition_index: PartitionIndex(0), error_code: 0, unknown_tags: Vec::new() }
    }
}

impl TxnOffsetCommitResponsePartition {
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

    impl Json for TxnOffsetCommitRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("transactionalId", &self.transactional_id);
            object.put("groupId", &self.group_id);
            object.put("producerId", &self.producer_id);
            object.put("producerEpoch", &self.producer_epoch);
            if version >= 3 {
                object.put("generationId", &self.generation_id);
            }
            if version >= 3 {
                object.put("memberId", &self.member_id);
            }
            if version >= 3 {
                object.put("groupInstanceId", &self.group_instance_id);
            }
            object.put("topics", &self.topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("transactionalId", &mut this.transactional_id)?;
            fields.read("groupId", &mut this.group_id)?;
            fields.read("producerId", &mut this.producer_id)?;
            fields.read("producerEpoch", &mut this.producer_epoch)?;
            fields.read("generationId", &mut this.generation_id)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("groupInstanceId", &mut this.group_instance_id)?;
            fields.read("topics", &mut this.topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TxnOffsetCommitRequestTopic {
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

    impl Json for TxnOffsetCommitRequestPartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("committedOffset", &self.committed_offset);
            if version >= 2 {
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

    impl Json for TxnOffsetCommitResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
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

    impl Json for TxnOffsetCommitResponseTopic {
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

    impl Json for TxnOffsetCommitResponsePartition {
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
