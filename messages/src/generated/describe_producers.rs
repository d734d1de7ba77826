//! DescribeProducers: what a partition's replica knows of its producers, for finding transactions that hang (KIP-664).
//!
//! Every replica answers from its own log; tools ask the leader unless told otherwise.
//!
//! Generated from `messages/schema/061-describe-producers.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeProducersRequest {
    pub topics: Vec<TopicRequest>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DescribeProducersRequest {
    const NAME: &'static str = "DescribeProducersRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topics: from.array(3, |from| TopicRequest::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DescribeProducersRequest {
    const API_KEY: i16 = 61;
    type Response = DescribeProducersResponse;
}

/// Of [`DescribeProducersRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicRequest {
    pub name: String,
    pub partition_indexes: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicRequest {
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

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeProducersResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<TopicResponse>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DescribeProducersResponse {
    const NAME: &'static str = "DescribeProducersResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            topics: from.array(3, |from| TopicResponse::decode(from, version))?,
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

impl Response for DescribeProducersResponse {
    const API_KEY: i16 = 61;
    type Request = DescribeProducersRequest;
}

/// Of [`DescribeProducersResponse::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicResponse {
    pub name: String,
    pub partitions: Vec<PartitionResponse>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicResponse {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(9, |from| PartitionResponse::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`TopicResponse::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionResponse {
    pub partition_index: PartitionIndex,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub active_producers: Vec<ProducerState>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for PartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: PartitionIndex(0),
            error_code: 0,
            error_message: None,
            active_producers: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl PartitionResponse {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            active_producers: from.array(37, |from| ProducerState::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.array(&self.active_producers, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`PartitionResponse::active_producers`].
#[derive(Clone, PartialEq, Debug)]
pub struct ProducerState {
    pub producer_id: ProducerId,
    /// Wider than elsewhere, never larger.
    pub producer_epoch: i32,
    /// Of its newest record; -1: not known.
    pub last_sequence: i32,
    /// Of its newest batch or marker, in ms since 1970; -1: not known.
    pub last_timestamp: i64,
    /// Of the coordinator that wrote its newest marker; -1: none.
    pub coordinator_epoch: i32,
    /// -1: no transaction is open.
    pub current_txn_start_offset: Offset,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ProducerState {
    fn default() -> Self {
        Self {
            producer_id: ProducerId(0),
            producer_epoch: 0,
            last_sequence: -1,
            last_timestamp: -1,
            coordinator_epoch: 0,
            current_txn_start_offset: Offset(-1),
            unknown_tags: Vec::new(),
        }
    }
}

impl ProducerState {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            producer_id: ProducerId(from.i64()?),
            producer_epoch: from.i32()?,
            last_sequence: from.i32()?,
            last_timestamp: from.i64()?,
            coordinator_epoch: from.i32()?,
            current_txn_start_offset: Offset(from.i64()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i64(self.producer_id.0);
        into.i32(self.producer_epoch);
        into.i32(self.last_sequence);
        into.i64(self.last_timestamp);
        into.i32(self.coordinator_epoch);
        into.i64(self.current_txn_start_offset.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DescribeProducersRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topics", &self.topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topics", &mut this.topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TopicRequest {
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

    impl Json for DescribeProducersResponse {
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

    impl Json for TopicResponse {
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

    impl Json for PartitionResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("activeProducers", &self.active_producers);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("activeProducers", &mut this.active_producers)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ProducerState {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("producerId", &self.producer_id);
            object.put("producerEpoch", &self.producer_epoch);
            object.put("lastSequence", &self.last_sequence);
            object.put("lastTimestamp", &self.last_timestamp);
            object.put("coordinatorEpoch", &self.coordinator_epoch);
            object.put("currentTxnStartOffset", &self.current_txn_start_offset);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("producerId", &mut this.producer_id)?;
            fields.read("producerEpoch", &mut this.producer_epoch)?;
            fields.read("lastSequence", &mut this.last_sequence)?;
            fields.read("lastTimestamp", &mut this.last_timestamp)?;
            fields.read("coordinatorEpoch", &mut this.coordinator_epoch)?;
            fields.read("currentTxnStartOffset", &mut this.current_txn_start_offset)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
