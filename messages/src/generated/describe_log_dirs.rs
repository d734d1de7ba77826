//! DescribeLogDirs: a broker's log directories, what is in them, and how much room it takes (KIP-113).
//!
//! Each broker tells of its own directories only.
//!
//! - v2: Flexible.
//! - v3: An error of the whole request; below v3, who isn't allowed to ask just sees no directories (KIP-784).
//! - v4: How large the volume of a directory is, and how much of it is free (KIP-827).
//! - v5: Which directories take no new partitions (KIP-1066).
//!
//! Generated from `messages/schema/035-describe-log-dirs.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeLogDirsRequest {
    /// Null: all.
    pub topics: Option<Vec<DescribableLogDirTopic>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeLogDirsRequest {
    fn default() -> Self {
        Self { topics: Some(Vec::new()), unknown_tags: Vec::new() }
    }
}

impl Message for DescribeLogDirsRequest {
    const NAME: &'static str = "DescribeLogDirsRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topics: from.nullable_array(3, |from| DescribableLogDirTopic::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.nullable_array(self.topics.as_deref(), |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DescribeLogDirsRequest {
    const API_KEY: i16 = 35;
    type Response = DescribeLogDirsResponse;
}

/// Of [`DescribeLogDirsRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribableLogDirTopic {
    pub topic: String,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DescribableLogDirTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: from.string()?,
            partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.topic)?;
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeLogDirsResponse {
    pub throttle_time_ms: i32,
    /// (v3+)
    pub error_code: i16,
    pub results: Vec<DescribeLogDirsResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DescribeLogDirsResponse {
    const NAME: &'static str = "DescribeLogDirsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: if version >= 3 { from.i16()? } else { 0 },
            results: from.array(5, |from| DescribeLogDirsResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        if version >= 3 {
            into.i16(self.error_code);
        }
        into.array(&self.results, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for DescribeLogDirsResponse {
    const API_KEY: i16 = 35;
    type Request = DescribeLogDirsRequest;
}

/// Of [`DescribeLogDirsResponse::results`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeLogDirsResult {
    /// KAFKA_STORAGE_ERROR: the directory is offline.
    pub error_code: i16,
    /// Absolute.
    pub log_dir: String,
    pub topics: Vec<DescribeLogDirsTopic>,
    /// Of the volume; -1: not known. (v4+)
    pub total_bytes: i64,
    /// Of the volume; -1: not known. (v4+)
    pub usable_bytes: i64,
    /// The operator wants no new partitions here. (v5+)
    pub is_cordoned: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeLogDirsResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            log_dir: String::new(),
            topics: Vec::new(),
            total_bytes: -1,
            usable_bytes: -1,
            is_cordoned: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl DescribeLogDirsResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            log_dir: from.string()?,
            topics: from.array(3, |from| DescribeLogDirsTopic::decode(from, version))?,
            total_bytes: if version >= 4 { from.i64()? } else { -1 },
            usable_bytes: if version >= 4 { from.i64()? } else { -1 },
            is_cordoned: if version >= 5 { from.bool()? } else { false },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        into.string(&self.log_dir)?;
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        if version >= 4 {
            into.i64(self.total_bytes);
            into.i64(self.usable_bytes);
        }
        if version >= 5 {
            into.bool(self.is_cordoned);
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeLogDirsResult::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeLogDirsTopic {
    pub name: String,
    pub partitions: Vec<DescribeLogDirsPartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DescribeLogDirsTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(21, |from| DescribeLogDirsPartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeLogDirsTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeLogDirsPartition {
    pub partition_index: PartitionIndex,
    /// Of its segments, in bytes.
    pub partition_size: i64,
    /// How far it is behind the high watermark, or a copy behind its original; -1: not known.
    pub offset_lag: i64,
    /// It is a copy that AlterReplicaLogDirs began.
    pub is_future_key: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeLogDirsPartition {
    fn default() -> Self {
        Self {
            partition_index: PartitionIndex(0),
            partition_size: 0,
            offset_lag: 0,
            is_future_key: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl DescribeLogDirsPartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            partition_size: from.i64()?,
            offset_lag: from.i64()?,
            is_future_key: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i64(self.partition_size);
        into.i64(self.offset_lag);
        into.bool(self.is_future_key);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DescribeLogDirsRequest {
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

    impl Json for DescribableLogDirTopic {
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

    impl Json for DescribeLogDirsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            if version >= 3 {
                object.put("errorCode", &self.error_code);
            }
            object.put("results", &self.results);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("results", &mut this.results)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeLogDirsResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("logDir", &self.log_dir);
            object.put("topics", &self.topics);
            if version >= 4 {
                object.put("totalBytes", &self.total_bytes);
            }
            if version >= 4 {
                object.put("usableBytes", &self.usable_bytes);
            }
            if version >= 5 {
                object.put("isCordoned", &self.is_cordoned);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("logDir", &mut this.log_dir)?;
            fields.read("topics", &mut this.topics)?;
            fields.read("totalBytes", &mut this.total_bytes)?;
            fields.read("usableBytes", &mut this.usable_bytes)?;
            fields.read("isCordoned", &mut this.is_cordoned)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeLogDirsTopic {
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

    impl Json for DescribeLogDirsPartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("partitionSize", &self.partition_size);
            object.put("offsetLag", &self.offset_lag);
            object.put("isFutureKey", &self.is_future_key);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("partitionSize", &mut this.partition_size)?;
            fields.read("offsetLag", &mut this.offset_lag)?;
            fields.read("isFutureKey", &mut this.is_future_key)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
