//! CreateTopics: creates topics, or says whether it could.
//!
//! - v3: A throttled client is answered at once and waits by itself (KIP-219).
//! - v4: -1 partitions or replicas: the broker's defaults (KIP-464).
//! - v5: Flexible. The response tells the new topic's configuration (KIP-525).
//! - v6: THROTTLING_QUOTA_EXCEEDED instead of a delay (KIP-599).
//! - v7: The response tells the topic's id (KIP-516).
//!
//! Generated from `messages/schema/019-create-topics.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateTopicsRequest {
    pub topics: Vec<CreatableTopic>,
    /// How long the answer may wait for the topics to be led, in ms.
    pub timeout_ms: i32,
    /// Check everything, create nothing.
    pub validate_only: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for CreateTopicsRequest {
    fn default() -> Self {
        Self { topics: Vec::new(), timeout_ms: 60000, validate_only: false, unknown_tags: Vec::new() }
    }
}

impl Message for CreateTopicsRequest {
    const NAME: &'static str = "CreateTopicsRequest";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 7;
    const FLEXIBLE_FROM: i16 = 5;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topics: from.array(10, |from| CreatableTopic::decode(from, version))?,
            timeout_ms: from.i32()?,
            validate_only: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.i32(self.timeout_ms);
        into.bool(self.validate_only);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for CreateTopicsRequest {
    const API_KEY: i16 = 19;
    type Response = CreateTopicsResponse;
}

/// Of [`CreateTopicsRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreatableTopic {
    pub name: String,
    /// -1: the default, or as many as are assigned below.
    pub num_partitions: i32,
    /// -1: the default, or as many as are assigned below.
    pub replication_factor: i16,
    /// Empty: the controller places the replicas.
    pub assignments: Vec<CreatableReplicaAssignment>,
    pub configs: Vec<CreatableTopicConfig>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl CreatableTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            num_partitions: from.i32()?,
            replication_factor: from.i16()?,
            assignments: from.array(6, |from| CreatableReplicaAssignment::decode(from, version))?,
            configs: from.array(3, |from| CreatableTopicConfig::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.i32(self.num_partitions);
        into.i16(self.replication_factor);
        into.array(&self.assignments, |into, each| each.encode(into, version))?;
        into.array(&self.configs, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`CreatableTopic::assignments`].
#[derive(Clone, PartialEq, Debug)]
pub struct CreatableReplicaAssignment {
    pub partition_index: PartitionIndex,
    pub broker_ids: Vec<BrokerId>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for CreatableReplicaAssignment {
    fn default() -> Self {
        Self { partition_index: PartitionIndex(0), broker_ids: Vec::new(), unknown_tags: Vec::new() }
    }
}

impl CreatableReplicaAssignment {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            broker_ids: from.array(4, |from| Ok(BrokerId(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.plain_array(&self.broker_ids, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`CreatableTopic::configs`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreatableTopicConfig {
    pub name: String,
    pub value: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl CreatableTopicConfig {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { name: from.string()?, value: from.nullable_string()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.nullable_string(self.value.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreateTopicsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<CreatableTopicResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for CreateTopicsResponse {
    const NAME: &'static str = "CreateTopicsResponse";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 7;
    const FLEXIBLE_FROM: i16 = 5;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            topics: from.array(6, |from| CreatableTopicResult::decode(from, version))?,
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

impl Response for CreateTopicsResponse {
    const API_KEY: i16 = 19;
    type Request = CreateTopicsRequest;
}

/// Of [`CreateTopicsResponse::topics`].
#[derive(Clone, PartialEq, Debug)]
pub struct CreatableTopicResult {
    pub name: String,
    /// (v7+)
    pub topic_id: Uuid,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Why `configs` is null. (v5+)
    pub topic_config_error_code: i16,
    /// (v5+)
    pub num_partitions: i32,
    /// (v5+)
    pub replication_factor: i16,
    /// (v5+)
    pub configs: Option<Vec<CreatableTopicResultConfig>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            topic_id: Uuid::ZERO,
            error_code: 0,
            error_message: None,
            topic_config_error_code: 0,
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Vec::new()),
            unknown_tags: Vec::new(),
        }
    }
}

impl CreatableTopicResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut this = Self {
            name: from.string()?,
            topic_id: if version >= 7 { from.uuid()? } else { Uuid::ZERO },
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            topic_config_error_code: 0,
            num_partitions: if version >= 5 { from.i32()? } else { -1 },
            replication_factor: if version >= 5 { from.i16()? } else { -1 },
            configs: if version >= 5 {
                from.nullable_array(6, |from| CreatableTopicResultConfig::decode(from, version))?
            } else {
                Some(Vec::new())
            },
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.topic_config_error_code = from.i16()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        if version >= 7 {
            into.uuid(self.topic_id);
        }
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        if version >= 5 {
            into.i32(self.num_partitions);
            into.i16(self.replication_factor);
            into.nullable_array(self.configs.as_deref(), |into, each| each.encode(into, version))?;
        }
        into.tags(&self.unknown_tags, |tags| {
            if self.topic_config_error_code != 0 {
                tags.field(0, |into| {
                    into.i16(self.topic_config_error_code);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

/// Of [`CreatableTopicResult::configs`].
#[derive(Clone, PartialEq, Debug)]
pub struct CreatableTopicResultConfig {
    pub name: String,
    pub value: Option<String>,
    pub read_only: bool,
    /// 1 topic, 2 broker, 3 all brokers, 4 properties file, 5 default.
    pub config_source: i8,
    pub is_sensitive: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for CreatableTopicResultConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            value: None,
            read_only: false,
            config_source: -1,
            is_sensitive: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl CreatableTopicResultConfig {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            value: from.nullable_string()?,
            read_only: from.bool()?,
            config_source: from.i8()?,
            is_sensitive: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.nullable_string(self.value.as_deref())?;
        into.bool(self.read_only);
        into.i8(self.config_source);
        into.bool(self.is_sensitive);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for CreateTopicsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topics", &self.topics);
            object.put("timeoutMs", &self.timeout_ms);
            object.put("validateOnly", &self.validate_only);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topics", &mut this.topics)?;
            fields.read("timeoutMs", &mut this.timeout_ms)?;
            fields.read("validateOnly", &mut this.validate_only)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CreatableTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("numPartitions", &self.num_partitions);
            object.put("replicationFactor", &self.replication_factor);
            object.put("assignments", &self.assignments);
            object.put("configs", &self.configs);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("numPartitions", &mut this.num_partitions)?;
            fields.read("replicationFactor", &mut this.replication_factor)?;
            fields.read("assignments", &mut this.assignments)?;
            fields.read("configs", &mut this.configs)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CreatableReplicaAssignment {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("brokerIds", &self.broker_ids);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("brokerIds", &mut this.broker_ids)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CreatableTopicConfig {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("value", &self.value);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("value", &mut this.value)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CreateTopicsResponse {
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

    impl Json for CreatableTopicResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            if version >= 7 {
                object.put("topicId", &self.topic_id);
            }
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            if version >= 5 && self.topic_config_error_code != 0 {
                object.put("topicConfigErrorCode", &self.topic_config_error_code);
            }
            if version >= 5 {
                object.put("numPartitions", &self.num_partitions);
            }
            if version >= 5 {
                object.put("replicationFactor", &self.replication_factor);
            }
            if version >= 5 {
                object.put("configs", &self.configs);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("topicConfigErrorCode", &mut this.topic_config_error_code)?;
            fields.read("numPartitions", &mut this.num_partitions)?;
            fields.read("replicationFactor", &mut this.replication_factor)?;
            fields.read("configs", &mut this.configs)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CreatableTopicResultConfig {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("value", &self.value);
            object.put("readOnly", &self.read_only);
            object.put("configSource", &self.config_source);
            object.put("isSensitive", &self.is_sensitive);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("value", &mut this.value)?;
            fields.read("readOnly", &mut this.read_only)?;
            fields.read("configSource", &mut this.config_source)?;
            fields.read("isSensitive", &mut this.is_sensitive)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
