//! ListOffsets: the offset of the first record at or after a timestamp, or a special place of the log.
//!
//! Special timestamps: -1 end, -2 beginning, -3 record with the largest timestamp, -4 beginning of what is stored locally,
//! -5 end of what is in remote storage, -6 beginning of what isn't there yet.
//!
//! - v2: Isolation level, throttle time.
//! - v3: A throttled client is answered at once and waits by itself (KIP-219).
//! - v4: Leader epochs in both directions (KIP-320).
//! - v5: OFFSET_NOT_AVAILABLE: a new leader doesn't know its high watermark yet (KIP-207).
//! - v6: Flexible.
//! - v7: Timestamp -3 (KIP-734).
//! - v8: Timestamp -4 (KIP-405).
//! - v9: Timestamp -5 (KIP-1005).
//! - v10: A time-out, since looking into remote storage takes a while (KIP-1075).
//! - v11: Timestamp -6 (KIP-1023).
//!
//! Generated from `messages/schema/002-list-offsets.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct ListOffsetsRequest {
    /// -1: a consumer.
    pub replica_id: BrokerId,
    /// 0: the end is the high watermark; 1: the last stable offset. (v2+)
    pub isolation_level: i8,
    pub topics: Vec<ListOffsetsTopic>,
    /// (v10+)
    pub timeout_ms: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ListOffsetsRequest {
    fn default() -> Self {
        Self {
            replica_id: BrokerId(0),
            isolation_level: 0,
            topics: Vec::new(),
            timeout_ms: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for ListOffsetsRequest {
    const NAME: &'static str = "ListOffsetsRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 11;
    const FLEXIBLE_FROM: i16 = 6;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            replica_id: BrokerId(from.i32()?),
            isolation_level: if version >= 2 { from.i8()? } else { 0 },
            topics: from.array(3, |from| ListOffsetsTopic::decode(from, version))?,
            timeout_ms: if version >= 10 { from.i32()? } else { 0 },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.replica_id.0);
        if version >= 2 {
            into.i8(self.isolation_level);
        } else if self.isolation_level != 0 {
            return Err(EncodeError::NotInVersion { field: "isolation_level", version });
        }
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        if version >= 10 {
            into.i32(self.timeout_ms);
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for ListOffsetsRequest {
    const API_KEY: i16 = 2;
    type Response = ListOffsetsResponse;
}

/// Of [`ListOffsetsRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ListOffsetsTopic {
    pub name: String,
    pub partitions: Vec<ListOffsetsPartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ListOffsetsTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(12, |from| ListOffsetsPartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ListOffsetsTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct ListOffsetsPartition {
    pub partition_index: PartitionIndex,
    /// (v4+)
    pub current_leader_epoch: LeaderEpoch,
    /// In ms, or one of the special ones.
    pub timestamp: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ListOffsetsPartition {
    fn default() -> Self {
        Self {
            partition_index: PartitionIndex(0),
            current_leader_epoch: LeaderEpoch(-1),
            timestamp: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl ListOffsetsPartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            current_leader_epoch: if version >= 4 { LeaderEpoch(from.i32()?) } else { LeaderEpoch(-1) },
            timestamp: from.i64()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        if version >= 4 {
            into.i32(self.current_leader_epoch.0);
        }
        into.i64(self.timestamp);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ListOffsetsResponse {
    /// (v2+)
    pub throttle_time_ms: i32,
    pub topics: Vec<ListOffsetsTopicResponse>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ListOffsetsResponse {
    const NAME: &'static str = "ListOffsetsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 11;
    const FLEXIBLE_FROM: i16 = 6;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: if version >= 2 { from.i32()? } else { 0 },
            topics: from.array(3, |from| ListOffsetsTopicResponse::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 2 {
            into.i32(self.throttle_time_ms);
        }
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for ListOffsetsResponse {
    const API_KEY: i16 = 2;
    type Request = ListOffsetsRequest;
}

/// Of [`ListOffsetsResponse::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ListOffsetsTopicResponse {
    pub name: String,
    pub partitions: Vec<ListOffsetsPartitionResponse>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ListOffsetsTopicResponse {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(22, |from| ListOffsetsPartitionResponse::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ListOffsetsTopicResponse::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct ListOffsetsPartitionResponse {
    pub partition_index: PartitionIndex,
    pub error_code: i16,
    /// Of the record found; -1 for special places.
    pub timestamp: i64,
    /// -1: there is no such record.
    pub offset: Offset,
    /// Of the record found. (v4+)
    pub leader_epoch: LeaderEpoch,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ListOffsetsPartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: PartitionIndex(0),
            error_code: 0,
            timestamp: -1,
            offset: Offset(-1),
            leader_epoch: LeaderEpoch(-1),
            unknown_tags: Vec::new(),
        }
    }
}

impl ListOffsetsPartitionResponse {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            error_code: from.i16()?,
            timestamp: from.i64()?,
            offset: Offset(from.i64()?),
            leader_epoch: if version >= 4 { LeaderEpoch(from.i32()?) } else { LeaderEpoch(-1) },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i16(self.error_code);
        into.i64(self.timestamp);
        into.i64(self.offset.0);
        if version >= 4 {
            into.i32(self.leader_epoch.0);
        } else if self.leader_epoch != LeaderEpoch(-1) {
            return Err(EncodeError::NotInVersion { field: "leader_epoch", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ListOffsetsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("replicaId", &self.replica_id);
            if version >= 2 {
                object.put("isolationLevel", &self.isolation_level);
            }
            object.put("topics", &self.topics);
            if version >= 10 {
                object.put("timeoutMs", &self.timeout_ms);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("replicaId", &mut this.replica_id)?;
            fields.read("isolationLevel", &mut this.isolation_level)?;
            fields.read("topics", &mut this.topics)?;
            fields.read("timeoutMs", &mut this.timeout_ms)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ListOffsetsTopic {
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

    impl Json for ListOffsetsPartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            if version >= 4 {
                object.put("currentLeaderEpoch", &self.current_leader_epoch);
            }
            object.put("timestamp", &self.timestamp);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("currentLeaderEpoch", &mut this.current_leader_epoch)?;
            fields.read("timestamp", &mut this.timestamp)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ListOffsetsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 2 {
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

    impl Json for ListOffsetsTopicResponse {
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

    impl Json for ListOffsetsPartitionResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("errorCode", &self.error_code);
            object.put("timestamp", &self.timestamp);
            object.put("offset", &self.offset);
            if version >= 4 {
                object.put("leaderEpoch", &self.leader_epoch);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("timestamp", &mut this.timestamp)?;
            fields.read("offset", &mut this.offset)?;
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
