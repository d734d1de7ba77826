//! ShareGroupHeartbeat: joins a share group, stays in it, learns which partitions to fetch from, leaves (KIP-932).
//!
//! It works like ConsumerGroupHeartbeat, but a partition may belong to several members, so that nobody has to give it up
//! before another gets it. Version 0, of an early trial, is gone.
//!
//! Generated from `messages/schema/076-share-group-heartbeat.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareGroupHeartbeatRequest {
    pub group_id: String,
    /// Made by the client.
    pub member_id: String,
    /// The last one told; 0: join; -1: leave.
    pub member_epoch: i32,
    /// Null: as before, or none.
    pub rack_id: Option<String>,
    /// Null: as before.
    pub subscribed_topic_names: Option<Vec<String>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ShareGroupHeartbeatRequest {
    const NAME: &'static str = "ShareGroupHeartbeatRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: from.string()?,
            member_id: from.string()?,
            member_epoch: from.i32()?,
            rack_id: from.nullable_string()?,
            subscribed_topic_names: from.nullable_array(1, Decoder::string)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        into.string(&self.member_id)?;
        into.i32(self.member_epoch);
        into.nullable_string(self.rack_id.as_deref())?;
        into.nullable_array(self.subscribed_topic_names.as_deref(), |into, each| into.string(each))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for ShareGroupHeartbeatRequest {
    const API_KEY: i16 = 76;
    type Response = ShareGroupHeartbeatResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareGroupHeartbeatResponse {
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

impl Message for ShareGroupHeartbeatResponse {
    const NAME: &'static str = "ShareGroupHeartbeatResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;

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

impl Response for ShareGroupHeartbeatResponse {
    const API_KEY: i16 = 76;
    type Request = ShareGroupHeartbeatRequest;
}

/// Of [`ShareGroupHeartbeatResponse::assignment`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Assignment {
    pub topic_partitions: Vec<TopicPartitions>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Assignment {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_partitions: from.array(18, |from| TopicPartitions::decode(from, version))?,
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
pub struct TopicPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicPartitions {
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

    impl Json for ShareGroupHeartbeatRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("memberId", &self.member_id);
            object.put("memberEpoch", &self.member_epoch);
            object.put("rackId", &self.rack_id);
            object.put("subscribedTopicNames", &self.subscribed_topic_names);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("memberEpoch", &mut this.member_epoch)?;
            fields.read("rackId", &mut this.rack_id)?;
            fields.read("subscribedTopicNames", &mut this.subscribed_topic_names)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ShareGroupHeartbeatResponse {
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

    impl Json for TopicPartitions {
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
