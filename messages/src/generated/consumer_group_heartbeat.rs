//! ConsumerGroupHeartbeat: joins a group of the new protocol, stays in it, takes an assignment, leaves (KIP-848).
//!
//! The coordinator decides who gets which partition. A heartbeat tells what has changed since the last one, or all, if
//! the member joins or isn't sure that the last one arrived. A partition taken from a member is given to another only
//! when the member no longer names it as its own.
//!
//! - v1: The client makes its own member id (KIP-1082), and may subscribe with a regular expression (KIP-848).
//!
//! Generated from `messages/schema/068-consumer-group-heartbeat.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct ConsumerGroupHeartbeatRequest {
    pub group_id: String,
    /// From v1 on made by the client; empty in v0: the broker is to make one.
    pub member_id: String,
    /// The last one told; 0: join; -1: leave; -2: leave, but keep the place.
    pub member_epoch: i32,
    /// Of a member that keeps its place; null: as before, or none.
    pub instance_id: Option<String>,
    /// Null: as before, or none.
    pub rack_id: Option<String>,
    /// How long it may take to give up partitions, in ms; -1: as before.
    pub rebalance_timeout_ms: i32,
    /// Null: as before.
    pub subscribed_topic_names: Option<Vec<String>>,
    /// In the syntax of RE2; null: as before; empty: none. (v1+)
    pub subscribed_topic_regex: Option<String>,
    /// Null: as before, or any.
    pub server_assignor: Option<String>,
    /// All that the member owns; null: as before.
    pub topic_partitions: Option<Vec<ConsumerGroupHeartbeatRequestTopicPartitions>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ConsumerGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            member_id: String::new(),
            member_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            subscribed_topic_names: None,
            subscribed_topic_regex: None,
            server_assignor: None,
            topic_partitions: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for ConsumerGroupHeartbeatRequest {
    const NAME: &'static str = "ConsumerGroupHeartbeatRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: from.string()?,
            member_id: from.string()?,
            member_epoch: from.i32()?,
            instance_id: from.nullable_string()?,
            rack_id: from.nullable_string()?,
            rebalance_timeout_ms: from.i32()?,
            subscribed_topic_names: from.nullable_array(1, Decoder::string)?,
            subscribed_topic_regex: if version >= 1 { from.nullable_string()? } else { None },
            server_assignor: from.nullable_string()?,
            topic_partitions: from
                .nullable_array(18, |from| ConsumerGroupHeartbeatRequestTopicPartitions::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        into.string(&self.member_id)?;
        into.i32(self.member_epoch);
        into.nullable_string(self.instance_id.as_deref())?;
        into.nullable_string(self.rack_id.as_deref())?;
        into.i32(self.rebalance_timeout_ms);
        into.nullable_array(self.subscribed_topic_names.as_deref(), |into, each| into.string(each))?;
        if version >= 1 {
            into.nullable_string(self.subscribed_topic_regex.as_deref())?;
        } else if self.subscribed_topic_regex.is_some() {
            return Err(EncodeError::NotInVersion { field: "subscribed_topic_regex", version });
        }
        into.nullable_string(self.server_assignor.as_deref())?;
        into.nullable_array(self.topic_partitions.as_deref(), |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for ConsumerGroupHeartbeatRequest {
    const API_KEY: i16 = 68;
    type Response = ConsumerGroupHeartbeatResponse;
}

/// Of [`ConsumerGroupHeartbeatRequest::topic_partitions`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConsumerGroupHeartbeatRequestTopicPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ConsumerGroupHeartbeatRequestTopicPartitions {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_id: from.uuid()?,
            partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.uuid(self.topic_id);
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConsumerGroupHeartbeatResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub member_id: Option<String>,
    /// For the next heartbeat.
    pub member_epoch: i32,
    pub heartbeat_interval_ms: i32,
    /// Null: as before.
    pub assignment: Option<Assignment>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ConsumerGroupHeartbeatResponse {
    const NAME: &'static str = "ConsumerGroupHeartbeatResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            member_id: from.nullable_string()?,
            member_epoch: from.i32()?,
            heartbeat_interval_ms: from.i32()?,
            assignment: if from.present()? { Some(Assignment::decode(from, version)?) } else { None },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.nullable_string(self.member_id.as_deref())?;
        into.i32(self.member_epoch);
        into.i32(self.heartbeat_interval_ms);
        into.present(self.assignment.as_ref());
        if let Some(value) = &self.assignment {
            value.encode(into, version)?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for ConsumerGroupHeartbeatResponse {
    const API_KEY: i16 = 68;
    type Request = ConsumerGroupHeartbeatRequest;
}

/// Of [`ConsumerGroupHeartbeatResponse::assignment`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Assignment {
    /// All that it may own now; what others still hold comes later.
    pub topic_partitions: Vec<ConsumerGroupHeartbeatResponseTopicPartitions>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Assignment {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_partitions: from
                .array(18, |from| ConsumerGroupHeartbeatResponseTopicPartitions::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.array(&self.topic_partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Assignment::topic_partitions`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConsumerGroupHeartbeatResponseTopicPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ConsumerGroupHeartbeatResponseTopicPartitions {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_id: from.uuid()?,
            partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.uuid(self.topic_id);
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ConsumerGroupHeartbeatRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("memberId", &self.member_id);
            object.put("memberEpoch", &self.member_epoch);
            object.put("instanceId", &self.instance_id);
            object.put("rackId", &self.rack_id);
            object.put("rebalanceTimeoutMs", &self.rebalance_timeout_ms);
            object.put("subscribedTopicNames", &self.subscribed_topic_names);
            if version >= 1 {
                object.put("subscribedTopicRegex", &self.subscribed_topic_regex);
            }
            object.put("serverAssignor", &self.server_assignor);
            object.put("topicPartitions", &self.topic_partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("memberEpoch", &mut this.member_epoch)?;
            fields.read("instanceId", &mut this.instance_id)?;
            fields.read("rackId", &mut this.rack_id)?;
            fields.read("rebalanceTimeoutMs", &mut this.rebalance_timeout_ms)?;
            fields.read("subscribedTopicNames", &mut this.subscribed_topic_names)?;
            fields.read("subscribedTopicRegex", &mut this.subscribed_topic_regex)?;
            fields.read("serverAssignor", &mut this.server_assignor)?;
            fields.read("topicPartitions", &mut this.topic_partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ConsumerGroupHeartbeatRequestTopicPartitions {
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

    impl Json for ConsumerGroupHeartbeatResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("memberId", &self.member_id);
            object.put("memberEpoch", &self.member_epoch);
            object.put("heartbeatIntervalMs", &self.heartbeat_interval_ms);
            object.put("assignment", &self.assignment);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("memberEpoch", &mut this.member_epoch)?;
            fields.read("heartbeatIntervalMs", &mut this.heartbeat_interval_ms)?;
            fields.read("assignment", &mut this.assignment)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Assignment {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topicPartitions", &self.topic_partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicPartitions", &mut this.topic_partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ConsumerGroupHeartbeatResponseTopicPartitions {
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
}
