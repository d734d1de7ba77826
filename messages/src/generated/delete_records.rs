//! DeleteRecords: moves the beginning of a partition's log forward. Only the leader answers.
//!
//! - v1: A throttled client is answered at once and waits by itself (KIP-219).
//! - v2: Flexible.
//!
//! Generated from `messages/schema/021-delete-records.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DeleteRecordsRequest {
    pub topics: Vec<DeleteRecordsTopic>,
    /// How long the answer may wait for the followers, in ms.
    pub timeout_ms: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DeleteRecordsRequest {
    const NAME: &'static str = "DeleteRecordsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topics: from.array(3, |from| DeleteRecordsTopic::decode(from, version))?,
            timeout_ms: from.i32()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.i32(self.timeout_ms);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DeleteRecordsRequest {
    const API_KEY: i16 = 21;
    type Response = DeleteRecordsResponse;
}

/// Of [`DeleteRecordsRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DeleteRecordsTopic {
    pub name: String,
    pub partitions: Vec<DeleteRecordsPartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DeleteRecordsTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(12, |from| DeleteRecordsPartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DeleteRecordsTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct DeleteRecordsPartition {
    pub partition_index: PartitionIndex,
    /// The new beginning; -1: the high watermark.
    pub offset: Offset,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DeleteRecordsPartition {
    fn default() -> Self {
        Self { partition_index: PartitionIndex(0), offset: Offset(0), unknown_tags: Vec::new() }
    }
}

impl DeleteRecordsPartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            offset: Offset(from.i64()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i64(self.offset.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DeleteRecordsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<DeleteRecordsTopicResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DeleteRecordsResponse {
    const NAME: &'static str = "DeleteRecordsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            topics: from.array(3, |from| DeleteRecordsTopicResult::decode(from, version))?,
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

impl Response for DeleteRecordsResponse {
    const API_KEY: i16 = 21;
    type Request = DeleteRecordsRequest;
}

/// Of [`DeleteRecordsResponse::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DeleteRecordsTopicResult {
    pub name: String,
    pub partitions: Vec<DeleteRecordsPartitionResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DeleteRecordsTopicResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(14, |from| DeleteRecordsPartitionResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DeleteRecordsTopicResult::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct DeleteRecordsPartitionResult {
    pub partition_index: PartitionIndex,
    /// The lowest beginning among the replicas; -1 on an error.
    pub low_watermark: Offset,
    pub error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DeleteRecordsPartitionResult {
    fn default() -> Self {
        Self { partition_index: PartitionIndex(0), low_watermark: Offset(0), error_code: 0, unknown_tags: Vec::new() }
    }
}

impl DeleteRecordsPartitionResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            low_watermark: Offset(from.i64()?),
            error_code: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i64(self.low_watermark.0);
        into.i16(self.error_code);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DeleteRecordsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topics", &self.topics);
            object.put("timeoutMs", &self.timeout_ms);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topics", &mut this.topics)?;
            fields.read("timeoutMs", &mut this.timeout_ms)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DeleteRecordsTopic {
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

    impl Json for DeleteRecordsPartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("offset", &self.offset);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("offset", &mut this.offset)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DeleteRecordsResponse {
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

    impl Json for DeleteRecordsTopicResult {
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

    impl Json for DeleteRecordsPartitionResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("lowWatermark", &self.low_watermark);
            object.put("errorCode", &self.error_code);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("lowWatermark", &mut this.low_watermark)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
