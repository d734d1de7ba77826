//! ElectLeaders: partitions get their preferred leader back, or any leader at all (KIP-183).
//!
//! A named partition that needs no election is answered with ELECTION_NOT_NEEDED; where all are asked for, such
//! partitions are left out.
//!
//! - v1: The kind of election, and an error of the whole request (KIP-460).
//! - v2: Flexible.
//!
//! Generated from `messages/schema/043-elect-leaders.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct ElectLeadersRequest {
    /// 0 the preferred replica, 1 one out of sync where nobody leads: records may be lost. (v1+)
    pub election_type: i8,
    /// Null: all.
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    /// How long the answer may wait for the elections, in ms.
    pub timeout_ms: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ElectLeadersRequest {
    fn default() -> Self {
        Self { election_type: 0, topic_partitions: Some(Vec::new()), timeout_ms: 60000, unknown_tags: Vec::new() }
    }
}

impl Message for ElectLeadersRequest {
    const NAME: &'static str = "ElectLeadersRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            election_type: if version >= 1 { from.i8()? } else { 0 },
            topic_partitions: from.nullable_array(3, |from| TopicPartitions::decode(from, version))?,
            timeout_ms: from.i32()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 1 {
            into.i8(self.election_type);
        } else if self.election_type != 0 {
            return Err(EncodeError::NotInVersion { field: "election_type", version });
        }
        into.nullable_array(self.topic_partitions.as_deref(), |into, each| each.encode(into, version))?;
        into.i32(self.timeout_ms);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for ElectLeadersRequest {
    const API_KEY: i16 = 43;
    type Response = ElectLeadersResponse;
}

/// Of [`ElectLeadersRequest::topic_partitions`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicPartitions {
    pub topic: String,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicPartitions {
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
pub struct ElectLeadersResponse {
    pub throttle_time_ms: i32,
    /// Of the whole request. (v1+)
    pub error_code: i16,
    pub replica_election_results: Vec<ReplicaElectionResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ElectLeadersResponse {
    const NAME: &'static str = "ElectLeadersResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: if version >= 1 { from.i16()? } else { 0 },
            replica_election_results: from.array(3, |from| ReplicaElectionResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        if version >= 1 {
            into.i16(self.error_code);
        } else if self.error_code != 0 {
            return Err(EncodeError::NotInVersion { field: "error_code", version });
        }
        into.array(&self.replica_election_results, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for ElectLeadersResponse {
    const API_KEY: i16 = 43;
    type Request = ElectLeadersRequest;
}

/// Of [`ElectLeadersResponse::replica_election_results`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ReplicaElectionResult {
    pub topic: String,
    pub partition_result: Vec<PartitionResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ReplicaElectionResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: from.string()?,
            partition_result: from.array(8, |from| PartitionResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.topic)?;
        into.array(&self.partition_result, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ReplicaElectionResult::partition_result`].
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionResult {
    pub partition_id: PartitionIndex,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for PartitionResult {
    fn default() -> Self {
        Self {
            partition_id: PartitionIndex(0),
            error_code: 0,
            error_message: Some(String::new()),
            unknown_tags: Vec::new(),
        }
    }
}

impl PartitionResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_id: PartitionIndex(from.i32()?),
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_id.0);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ElectLeadersRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 1 {
                object.put("electionType", &self.election_type);
            }
            object.put("topicPartitions", &self.topic_partitions);
            object.put("timeoutMs", &self.timeout_ms);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("electionType", &mut this.election_type)?;
            fields.read("topicPartitions", &mut this.topic_partitions)?;
            fields.read("timeoutMs", &mut this.timeout_ms)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TopicPartitions {
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

    impl Json for ElectLeadersResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            if version >= 1 {
                object.put("errorCode", &self.error_code);
            }
            object.put("replicaElectionResults", &self.replica_election_results);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("replicaElectionResults", &mut this.replica_election_results)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ReplicaElectionResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topic", &self.topic);
            object.put("partitionResult", &self.partition_result);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topic", &mut this.topic)?;
            fields.read("partitionResult", &mut this.partition_result)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for PartitionResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionId", &self.partition_id);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionId", &mut this.partition_id)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
