//! WriteShareGroupState: the leader of a partition stores what a share group has done with it (KIP-932).
//!
//! The share coordinator puts the batches over the ones it has; all others stay. The state must have been initialized.
//!
//! - v1: How many records are done, for the lag (KIP-1226).
//!
//! Generated from `messages/schema/085-write-share-group-state.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WriteShareGroupStateRequest {
    pub group_id: String,
    pub topics: Vec<WriteStateData>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for WriteShareGroupStateRequest {
    const NAME: &'static str = "WriteShareGroupStateRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: from.string()?,
            topics: from.array(18, |from| WriteStateData::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for WriteShareGroupStateRequest {
    const API_KEY: i16 = 85;
    type Response = WriteShareGroupStateResponse;
}

/// Of [`WriteShareGroupStateRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WriteStateData {
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl WriteStateData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_id: from.uuid()?,
            partitions: from.array(22, |from| PartitionData::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.uuid(self.topic_id);
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`WriteStateData::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionData {
    pub partition: PartitionIndex,
    /// FENCED_STATE_EPOCH if it is below the stored one; -1: not checked.
    pub state_epoch: i32,
    /// FENCED_LEADER_EPOCH if it is below the stored one; -1: not checked.
    pub leader_epoch: LeaderEpoch,
    /// All records before it are done; -1: as before.
    pub start_offset: Offset,
    /// How many records from `start_offset` on are done; -1: not known. (v1+)
    pub delivery_complete_count: i32,
    pub state_batches: Vec<StateBatch>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition: PartitionIndex(0),
            state_epoch: 0,
            leader_epoch: LeaderEpoch(0),
            start_offset: Offset(0),
            delivery_complete_count: -1,
            state_batches: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl PartitionData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition: PartitionIndex(from.i32()?),
            state_epoch: from.i32()?,
            leader_epoch: LeaderEpoch(from.i32()?),
            start_offset: Offset(from.i64()?),
            delivery_complete_count: if version >= 1 { from.i32()? } else { -1 },
            state_batches: from.array(20, |from| StateBatch::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition.0);
        into.i32(self.state_epoch);
        into.i32(self.leader_epoch.0);
        into.i64(self.start_offset.0);
        if version >= 1 {
            into.i32(self.delivery_complete_count);
        }
        into.array(&self.state_batches, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`PartitionData::state_batches`].
#[derive(Clone, PartialEq, Debug)]
pub struct StateBatch {
    pub first_offset: Offset,
    /// Of the last record.
    pub last_offset: Offset,
    /// 0 available, 2 acknowledged, 4 archived (rejected or given up).
    pub delivery_state: i8,
    pub delivery_count: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for StateBatch {
    fn default() -> Self {
        Self {
            first_offset: Offset(0),
            last_offset: Offset(0),
            delivery_state: 0,
            delivery_count: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl StateBatch {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            first_offset: Offset(from.i64()?),
            last_offset: Offset(from.i64()?),
            delivery_state: from.i8()?,
            delivery_count: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i64(self.first_offset.0);
        into.i64(self.last_offset.0);
        into.i8(self.delivery_state);
        into.i16(self.delivery_count);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WriteShareGroupStateResponse {
    pub results: Vec<WriteStateResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for WriteShareGroupStateResponse {
    const NAME: &'static str = "WriteShareGroupStateResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            results: from.array(18, |from| WriteStateResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.results, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for WriteShareGroupStateResponse {
    const API_KEY: i16 = 85;
    type Request = WriteShareGroupStateRequest;
}

/// Of [`WriteShareGroupStateResponse::results`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WriteStateResult {
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl WriteStateResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_id: from.uuid()?,
            partitions: from.array(8, |from| PartitionResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.uuid(self.topic_id);
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`WriteStateResult::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionResult {
    pub partition: PartitionIndex,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for PartitionResult {
    fn default() -> Self {
        Self { partition: PartitionIndex(0), error_code: 0, error_message: None, unknown_tags: Vec::new() }
    }
}

impl PartitionResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition: PartitionIndex(from.i32()?),
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition.0);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for WriteShareGroupStateRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("topics", &self.topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("topics", &mut this.topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for WriteStateData {
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

    impl Json for PartitionData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partition", &self.partition);
            object.put("stateEpoch", &self.state_epoch);
            object.put("leaderEpoch", &self.leader_epoch);
            object.put("startOffset", &self.start_offset);
            if version >= 1 {
                object.put("deliveryCompleteCount", &self.delivery_complete_count);
            }
            object.put("stateBatches", &self.state_batches);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partition", &mut this.partition)?;
            fields.read("stateEpoch", &mut this.state_epoch)?;
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read("startOffset", &mut this.start_offset)?;
            fields.read("deliveryCompleteCount", &mut this.delivery_complete_count)?;
            fields.read("stateBatches", &mut this.state_batches)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for StateBatch {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("firstOffset", &self.first_offset);
            object.put("lastOffset", &self.last_offset);
            object.put("deliveryState", &self.delivery_state);
            object.put("deliveryCount", &self.delivery_count);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("firstOffset", &mut this.first_offset)?;
            fields.read("lastOffset", &mut this.last_offset)?;
            fields.read("deliveryState", &mut this.delivery_state)?;
            fields.read("deliveryCount", &mut this.delivery_count)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for WriteShareGroupStateResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("results", &self.results);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("results", &mut this.results)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for WriteStateResult {
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

    impl Json for PartitionResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partition", &self.partition);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partition", &mut this.partition)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
