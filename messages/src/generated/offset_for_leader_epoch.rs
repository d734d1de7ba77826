//! OffsetForLeaderEpoch: where an epoch ends in the leader's log, so that a reader sees what it has to forget.
//!
//! The answer is the largest epoch that is not above the one asked for, and the offset behind its last record (KIP-320).
//!
//! - v3: The client says who it is: a follower or a consumer.
//! - v4: Flexible.
//!
//! Generated from `messages/schema/023-offset-for-leader-epoch.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetForLeaderEpochRequest {
    /// -1: a consumer; -2: not told. (v3+)
    pub replica_id: BrokerId,
    pub topics: Vec<OffsetForLeaderTopic>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for OffsetForLeaderEpochRequest {
    fn default() -> Self {
        Self { replica_id: BrokerId(-2), topics: Vec::new(), unknown_tags: Vec::new() }
    }
}

impl Message for OffsetForLeaderEpochRequest {
    const NAME: &'static str = "OffsetForLeaderEpochRequest";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            replica_id: if version >= 3 { BrokerId(from.i32()?) } else { BrokerId(-2) },
            topics: from.array(3, |from| OffsetForLeaderTopic::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 3 {
            into.i32(self.replica_id.0);
        }
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for OffsetForLeaderEpochRequest {
    const API_KEY: i16 = 23;
    type Response = OffsetForLeaderEpochResponse;
}

/// Of [`OffsetForLeaderEpochRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetForLeaderTopic {
    pub topic: String,
    pub partitions: Vec<OffsetForLeaderPartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl OffsetForLeaderTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: from.string()?,
            partitions: from.array(12, |from| OffsetForLeaderPartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.topic)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`OffsetForLeaderTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetForLeaderPartition {
    pub partition: PartitionIndex,
    /// Known to the client, fenced when behind. -1: don't check.
    pub current_leader_epoch: LeaderEpoch,
    /// The epoch whose end is asked for.
    pub leader_epoch: LeaderEpoch,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for OffsetForLeaderPartition {
    fn default() -> Self {
        Self {
            partition: PartitionIndex(0),
            current_leader_epoch: LeaderEpoch(-1),
            leader_epoch: LeaderEpoch(0),
            unknown_tags: Vec::new(),
        }
    }
}

impl OffsetForLeaderPartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition: PartitionIndex(from.i32()?),
            current_leader_epoch: LeaderEpoch(from.i32()?),
            leader_epoch: LeaderEpoch(from.i32()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition.0);
        into.i32(self.current_leader_epoch.0);
        into.i32(self.leader_epoch.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetForLeaderEpochResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetForLeaderTopicResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for OffsetForLeaderEpochResponse {
    const NAME: &'static str = "OffsetForLeaderEpochResponse";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            topics: from.array(3, |from| OffsetForLeaderTopicResult::decode(from, version))?,
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

impl Response for OffsetForLeaderEpochResponse {
    const API_KEY: i16 = 23;
    type Request = OffsetForLeaderEpochRequest;
}

/// Of [`OffsetForLeaderEpochResponse::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetForLeaderTopicResult {
    pub topic: String,
    pub partitions: Vec<EpochEnd>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl OffsetForLeaderTopicResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: from.string()?,
            partitions: from.array(18, |from| EpochEnd::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.topic)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`OffsetForLeaderTopicResult::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct EpochEnd {
    pub error_code: i16,
    pub partition: PartitionIndex,
    /// -1: no epoch at or below the one asked for is known.
    pub leader_epoch: LeaderEpoch,
    pub end_offset: Offset,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for EpochEnd {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition: PartitionIndex(0),
            leader_epoch: LeaderEpoch(-1),
            end_offset: Offset(-1),
            unknown_tags: Vec::new(),
        }
    }
}

impl EpochEnd {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            partition: PartitionIndex(from.i32()?),
            leader_epoch: LeaderEpoch(from.i32()?),
            end_offset: Offset(from.i64()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        into.i32(self.partition.0);
        into.i32(self.leader_epoch.0);
        into.i64(self.end_offset.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for OffsetForLeaderEpochRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 3 {
                object.put("replicaId", &self.replica_id);
            }
            object.put("topics", &self.topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("replicaId", &mut this.replica_id)?;
            fields.read("topics", &mut this.topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetForLeaderTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topic", &self.topic);
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topic", &mut this.topic)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetForLeaderPartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partition", &self.partition);
            object.put("currentLeaderEpoch", &self.current_leader_epoch);
            object.put("leaderEpoch", &self.leader_epoch);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partition", &mut this.partition)?;
            fields.read("currentLeaderEpoch", &mut this.current_leader_epoch)?;
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetForLeaderEpochResponse {
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

    impl Json for OffsetForLeaderTopicResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topic", &self.topic);
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topic", &mut this.topic)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for EpochEnd {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("partition", &self.partition);
            object.put("leaderEpoch", &self.leader_epoch);
            object.put("endOffset", &self.end_offset);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("partition", &mut this.partition)?;
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read("endOffset", &mut this.end_offset)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
