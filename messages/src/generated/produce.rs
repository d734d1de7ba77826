//! Produce: appends record batches to partitions.
//!
//! With `acks` 0 there is no response, and an error closes the connection.
//!
//! - v4: A failed disk may be answered with KAFKA_STORAGE_ERROR.
//! - v5: The response tells where the log begins.
//! - v6: A throttled client is answered at once and waits by itself (KIP-219).
//! - v7: Batches may be compressed with zstd (KIP-110).
//! - v8: The response names the records that made it refuse a batch (KIP-467).
//! - v9: Flexible.
//! - v10: A broker that doesn't lead tells who does (KIP-951).
//! - v11: TRANSACTION_ABORTABLE: this transaction can only be aborted (KIP-890).
//! - v12: The broker adds the partition to the transaction by itself (KIP-890).
//! - v13: Topics go by id instead of name (KIP-516).
//!
//! Generated from `messages/schema/000-produce.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ProduceRequest {
    /// Set if any batch is transactional.
    pub transactional_id: Option<String>,
    /// 0: don't answer; 1: the leader has it; -1: all in-sync replicas have it.
    pub acks: i16,
    /// How long the replicas may take, in ms.
    pub timeout_ms: i32,
    pub topic_data: Vec<ProduceTopic>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ProduceRequest {
    const NAME: &'static str = "ProduceRequest";
    const MIN_VERSION: i16 = 3;
    const MAX_VERSION: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            transactional_id: from.nullable_string()?,
            acks: from.i16()?,
            timeout_ms: from.i32()?,
            topic_data: from.array(3, |from| ProduceTopic::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.nullable_string(self.transactional_id.as_deref())?;
        into.i16(self.acks);
        into.i32(self.timeout_ms);
        into.array(&self.topic_data, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for ProduceRequest {
    const API_KEY: i16 = 0;
    type Response = ProduceResponse;
}

/// Of [`ProduceRequest::topic_data`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ProduceTopic {
    /// (up to v12)
    pub name: String,
    /// (v13+)
    pub topic_id: Uuid,
    pub partition_data: Vec<ProducePartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ProduceTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: if version <= 12 { from.string()? } else { String::new() },
            topic_id: if version >= 13 { from.uuid()? } else { Uuid::ZERO },
            partition_data: from.array(6, |from| ProducePartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        if version <= 12 {
            into.string(&self.name)?;
        }
        if version >= 13 {
            into.uuid(self.topic_id);
        }
        into.array(&self.partition_data, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ProduceTopic::partition_data`].
#[derive(Clone, PartialEq, Debug)]
pub struct ProducePartition {
    pub index: PartitionIndex,
    /// Exactly one batch, although the format could hold several.
    pub records: Option<Bytes>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ProducePartition {
    fn default() -> Self {
        Self { index: PartitionIndex(0), records: None, unknown_tags: Vec::new() }
    }
}

impl ProducePartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            index: PartitionIndex(from.i32()?),
            records: from.nullable_bytes()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.index.0);
        into.nullable_bytes(self.records.as_ref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ProduceResponse {
    pub responses: Vec<ProduceTopicResponse>,
    pub throttle_time_ms: i32,
    /// Where the leaders named above are found. (v10+)
    pub node_endpoints: Vec<ProduceNodeEndpoint>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ProduceResponse {
    const NAME: &'static str = "ProduceResponse";
    const MIN_VERSION: i16 = 3;
    const MAX_VERSION: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            responses: from.array(3, |from| ProduceTopicResponse::decode(from, version))?,
            throttle_time_ms: from.i32()?,
            node_endpoints: Vec::new(),
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 if version >= 10 => {
                    this.node_endpoints = from.array(11, |from| ProduceNodeEndpoint::decode(from, version))?
                }
                0 => return Err(DecodeError::MisplacedTag(tag)),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.responses, |into, each| each.encode(into, version))?;
        into.i32(self.throttle_time_ms);
        if version < 10 && !self.node_endpoints.is_empty() {
            return Err(EncodeError::NotInVersion { field: "node_endpoints", version });
        }
        into.tags(&self.unknown_tags, |tags| {
            if version >= 10 && !self.node_endpoints.is_empty() {
                tags.field(0, |into| into.array(&self.node_endpoints, |into, each| each.encode(into, version)))?;
            }
            Ok(())
        })
    }
}

impl Response for ProduceResponse {
    const API_KEY: i16 = 0;
    type Request = ProduceRequest;
}

/// Of [`ProduceResponse::responses`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ProduceTopicResponse {
    /// (up to v12)
    pub name: String,
    /// (v13+)
    pub topic_id: Uuid,
    pub partition_responses: Vec<ProducePartitionResponse>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ProduceTopicResponse {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: if version <= 12 { from.string()? } else { String::new() },
            topic_id: if version >= 13 { from.uuid()? } else { Uuid::ZERO },
            partition_responses: from.array(22, |from| ProducePartitionResponse::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        if version <= 12 {
            into.string(&self.name)?;
        }
        if version >= 13 {
            into.uuid(self.topic_id);
        }
        into.array(&self.partition_responses, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ProduceTopicResponse::partition_responses`].
#[derive(Clone, PartialEq, Debug)]
pub struct ProducePartitionResponse {
    pub index: PartitionIndex,
    pub error_code: i16,
    /// Of the batch's first record; -1 on an error.
    pub base_offset: Offset,
    /// -1 where the records keep their own timestamps.
    pub log_append_time_ms: i64,
    /// (v5+)
    pub log_start_offset: Offset,
    /// (v8+)
    pub record_errors: Vec<BatchIndexError>,
    /// (v8+)
    pub error_message: Option<String>,
    /// After NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH. (v10+)
    pub current_leader: ProduceLeader,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ProducePartitionResponse {
    fn default() -> Self {
        Self {
            index: PartitionIndex(0),
            error_code: 0,
            base_offset: Offset(0),
            log_append_time_ms: -1,
            log_start_offset: Offset(-1),
            record_errors: Vec::new(),
            error_message: None,
            current_leader: ProduceLeader::default(),
            unknown_tags: Vec::new(),
        }
    }
}

impl ProducePartitionResponse {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut this = Self {
            index: PartitionIndex(from.i32()?),
            error_code: from.i16()?,
            base_offset: Offset(from.i64()?),
            log_append_time_ms: from.i64()?,
            log_start_offset: if version >= 5 { Offset(from.i64()?) } else { Offset(-1) },
            record_errors: if version >= 8 {
                from.array(6, |from| BatchIndexError::decode(from, version))?
            } else {
                Vec::new()
            },
            error_message: if version >= 8 { from.nullable_string()? } else { None },
            current_leader: ProduceLeader::default(),
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 if version >= 10 => this.current_leader = ProduceLeader::decode(from, version)?,
                0 => return Err(DecodeError::MisplacedTag(tag)),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.index.0);
        into.i16(self.error_code);
        into.i64(self.base_offset.0);
        into.i64(self.log_append_time_ms);
        if version >= 5 {
            into.i64(self.log_start_offset.0);
        }
        if version >= 8 {
            into.array(&self.record_errors, |into, each| each.encode(into, version))?;
            into.nullable_string(self.error_message.as_deref())?;
        }
        if version < 10 && self.current_leader != ProduceLeader::default() {
            return Err(EncodeError::NotInVersion { field: "current_leader", version });
        }
        into.tags(&self.unknown_tags, |tags| {
            if version >= 10 && self.current_leader != ProduceLeader::default() {
                tags.field(0, |into| self.current_leader.encode(into, version))?;
            }
            Ok(())
        })
    }
}

/// Of [`ProducePartitionResponse::record_errors`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BatchIndexError {
    /// The record's place in its batch.
    pub batch_index: i32,
    pub batch_index_error_message: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl BatchIndexError {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            batch_index: from.i32()?,
            batch_index_error_message: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.batch_index);
        into.nullable_string(self.batch_index_error_message.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ProducePartitionResponse::current_leader`].
#[derive(Clone, PartialEq, Debug)]
pub struct ProduceLeader {
    pub leader_id: BrokerId,
    pub leader_epoch: LeaderEpoch,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ProduceLeader {
    fn default() -> Self {
        Self { leader_id: BrokerId(-1), leader_epoch: LeaderEpoch(-1), unknown_tags: Vec::new() }
    }
}

impl ProduceLeader {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            leader_id: BrokerId(from.i32()?),
            leader_epoch: LeaderEpoch(from.i32()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.leader_id.0);
        into.i32(self.leader_epoch.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ProduceResponse::node_endpoints`].
#[derive(Clone, PartialEq, Debug)]
pub struct ProduceNodeEndpoint {
    pub node_id: BrokerId,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ProduceNodeEndpoint {
    fn default() -> Self {
        Self { node_id: BrokerId(0), host: String::new(), port: 0, rack: None, unknown_tags: Vec::new() }
    }
}

impl ProduceNodeEndpoint {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            node_id: BrokerId(from.i32()?),
            host: from.string()?,
            port: from.i32()?,
            rack: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.node_id.0);
        into.string(&self.host)?;
        into.i32(self.port);
        into.nullable_string(self.rack.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ProduceRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("transactionalId", &self.transactional_id);
            object.put("acks", &self.acks);
            object.put("timeoutMs", &self.timeout_ms);
            object.put("topicData", &self.topic_data);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("transactionalId", &mut this.transactional_id)?;
            fields.read("acks", &mut this.acks)?;
            fields.read("timeoutMs", &mut this.timeout_ms)?;
            fields.read("topicData", &mut this.topic_data)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ProduceTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version <= 12 {
                object.put("name", &self.name);
            }
            if version >= 13 {
                object.put("topicId", &self.topic_id);
            }
            object.put("partitionData", &self.partition_data);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("partitionData", &mut this.partition_data)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ProducePartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("index", &self.index);
            object.put("records", &self.records);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("index", &mut this.index)?;
            fields.read("records", &mut this.records)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ProduceResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("responses", &self.responses);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            if version >= 10 && !self.node_endpoints.is_empty() {
                object.put("nodeEndpoints", &self.node_endpoints);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("responses", &mut this.responses)?;
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("nodeEndpoints", &mut this.node_endpoints)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ProduceTopicResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version <= 12 {
                object.put("name", &self.name);
            }
            if version >= 13 {
                object.put("topicId", &self.topic_id);
            }
            object.put("partitionResponses", &self.partition_responses);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("partitionResponses", &mut this.partition_responses)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ProducePartitionResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("index", &self.index);
            object.put("errorCode", &self.error_code);
            object.put("baseOffset", &self.base_offset);
            object.put("logAppendTimeMs", &self.log_append_time_ms);
            if version >= 5 {
                object.put("logStartOffset", &self.log_start_offset);
            }
            if version >= 8 {
                object.put("recordErrors", &self.record_errors);
            }
            if version >= 8 {
                object.put("errorMessage", &self.error_message);
            }
            if version >= 10 && self.current_leader != ProduceLeader::default() {
                object.put("currentLeader", &self.current_leader);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("index", &mut this.index)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("baseOffset", &mut this.base_offset)?;
            fields.read("logAppendTimeMs", &mut this.log_append_time_ms)?;
            fields.read("logStartOffset", &mut this.log_start_offset)?;
            fields.read("recordErrors", &mut this.record_errors)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("currentLeader", &mut this.current_leader)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for BatchIndexError {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("batchIndex", &self.batch_index);
            object.put("batchIndexErrorMessage", &self.batch_index_error_message);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("batchIndex", &mut this.batch_index)?;
            fields.read("batchIndexErrorMessage", &mut this.batch_index_error_message)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ProduceLeader {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("leaderId", &self.leader_id);
            object.put("leaderEpoch", &self.leader_epoch);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("leaderId", &mut this.leader_id)?;
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ProduceNodeEndpoint {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("nodeId", &self.node_id);
            object.put("host", &self.host);
            object.put("port", &self.port);
            object.put("rack", &self.rack);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("nodeId", &mut this.node_id)?;
            fields.read("host", &mut this.host)?;
            fields.read("port", &mut this.port)?;
            fields.read("rack", &mut this.rack)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
