//! DescribeTopicPartitions: topics with all their partitions, a page at a time (KIP-966).
//!
//! Topics come in the order of their names, those of the request only or all. A page ends at any partition; its cursor is
//! where the next request begins.
//!
//! Generated from `messages/schema/075-describe-topic-partitions.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeTopicPartitionsRequest {
    /// Empty: all topics.
    pub topics: Vec<TopicRequest>,
    /// Partitions on a page; the broker may set it lower.
    pub response_partition_limit: i32,
    /// Null: from the beginning.
    pub cursor: Option<Cursor>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeTopicPartitionsRequest {
    fn default() -> Self {
        Self { topics: Vec::new(), response_partition_limit: 2000, cursor: None, unknown_tags: Vec::new() }
    }
}

impl Message for DescribeTopicPartitionsRequest {
    const NAME: &'static str = "DescribeTopicPartitionsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topics: from.array(2, |from| TopicRequest::decode(from, version))?,
            response_partition_limit: from.i32()?,
            cursor: if from.present()? { Some(Cursor::decode(from, version)?) } else { None },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.i32(self.response_partition_limit);
        into.present(self.cursor.as_ref());
        if let Some(value) = &self.cursor {
            value.encode(into, version)?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DescribeTopicPartitionsRequest {
    const API_KEY: i16 = 75;
    type Response = DescribeTopicPartitionsResponse;
}

/// Of [`DescribeTopicPartitionsRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicRequest {
    pub name: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicRequest {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { name: from.string()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeTopicPartitionsRequest::cursor`].
#[derive(Clone, PartialEq, Debug)]
pub struct Cursor {
    pub topic_name: String,
    pub partition_index: PartitionIndex,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for Cursor {
    fn default() -> Self {
        Self { topic_name: String::new(), partition_index: PartitionIndex(0), unknown_tags: Vec::new() }
    }
}

impl Cursor {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_name: from.string()?,
            partition_index: PartitionIndex(from.i32()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.topic_name)?;
        into.i32(self.partition_index.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeTopicPartitionsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// Null: this was the last page.
    pub next_cursor: Option<NextCursor>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DescribeTopicPartitionsResponse {
    const NAME: &'static str = "DescribeTopicPartitionsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            topics: from.array(26, |from| DescribeTopicPartitionsResponseTopic::decode(from, version))?,
            next_cursor: if from.present()? { Some(NextCursor::decode(from, version)?) } else { None },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.present(self.next_cursor.as_ref());
        if let Some(value) = &self.next_cursor {
            value.encode(into, version)?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for DescribeTopicPartitionsResponse {
    const API_KEY: i16 = 75;
    type Request = DescribeTopicPartitionsRequest;
}

/// Of [`DescribeTopicPartitionsResponse::topics`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeTopicPartitionsResponseTopic {
    pub error_code: i16,
    pub name: Option<String>,
    pub topic_id: Uuid,
    pub is_internal: bool,
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// A bit per operation; the default means that nobody asked.
    pub topic_authorized_operations: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeTopicPartitionsResponseTopic {
    fn default() -> Self {
        Self {
            error_code: 0,
            name: Some(String::new()),
            topic_id: Uuid::ZERO,
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: -2147483648,
            unknown_tags: Vec::new(),
        }
    }
}

impl DescribeTopicPartitionsResponseTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            name: from.nullable_string()?,
            topic_id: from.uuid()?,
            is_internal: from.bool()?,
            partitions: from.array(20, |from| DescribeTopicPartitionsResponsePartition::decode(from, version))?,
            topic_authorized_operations: from.i32()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        into.nullable_string(self.name.as_deref())?;
        into.uuid(self.topic_id);
        into.bool(self.is_internal);
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.i32(self.topic_authorized_operations);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeTopicPartitionsResponseTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeTopicPartitionsResponsePartition {
    pub error_code: i16,
    pub partition_index: PartitionIndex,
    /// -1: nobody leads.
    pub leader_id: BrokerId,
    pub leader_epoch: LeaderEpoch,
    pub replica_nodes: Vec<BrokerId>,
    pub isr_nodes: Vec<BrokerId>,
    /// Out of sync, but sure to hold all that was acknowledged.
    pub eligible_leader_replicas: Option<Vec<BrokerId>>,
    /// Were eligible until an unclean stop.
    pub last_known_elr: Option<Vec<BrokerId>>,
    pub offline_replicas: Vec<BrokerId>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeTopicPartitionsResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: PartitionIndex(0),
            leader_id: BrokerId(0),
            leader_epoch: LeaderEpoch(-1),
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            eligible_leader_replicas: None,
            last_known_elr: None,
            offline_replicas: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl DescribeTopicPartitionsResponsePartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            partition_index: PartitionIndex(from.i32()?),
            leader_id: BrokerId(from.i32()?),
            leader_epoch: LeaderEpoch(from.i32()?),
            replica_nodes: from.array(4, |from| Ok(BrokerId(from.i32()?)))?,
            isr_nodes: from.array(4, |from| Ok(BrokerId(from.i32()?)))?,
            eligible_leader_replicas: from.nullable_array(4, |from| Ok(BrokerId(from.i32()?)))?,
            last_known_elr: from.nullable_array(4, |from| Ok(BrokerId(from.i32()?)))?,
            offline_replicas: from.array(4, |from| Ok(BrokerId(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        into.i32(self.partition_index.0);
        into.i32(self.leader_id.0);
        into.i32(self.leader_epoch.0);
        into.plain_array(&self.replica_nodes, |into, each| into.i32(each.0))?;
        into.plain_array(&self.isr_nodes, |into, each| into.i32(each.0))?;
        into.nullable_plain_array(self.eligible_leader_replicas.as_deref(), |into, each| into.i32(each.0))?;
        into.nullable_plain_array(self.last_known_elr.as_deref(), |into, each| into.i32(each.0))?;
        into.plain_array(&self.offline_replicas, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeTopicPartitionsResponse::next_cursor`].
#[derive(Clone, PartialEq, Debug)]
pub struct NextCursor {
    pub topic_name: String,
    pub partition_index: PartitionIndex,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for NextCursor {
    fn default() -> Self {
        Self { topic_name: String::new(), partition_index: PartitionIndex(0), unknown_tags: Vec::new() }
    }
}

impl NextCursor {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_name: from.string()?,
            partition_index: PartitionIndex(from.i32()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.topic_name)?;
        into.i32(self.partition_index.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DescribeTopicPartitionsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topics", &self.topics);
            object.put("responsePartitionLimit", &self.response_partition_limit);
            object.put("cursor", &self.cursor);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topics", &mut this.topics)?;
            fields.read("responsePartitionLimit", &mut this.response_partition_limit)?;
            fields.read("cursor", &mut this.cursor)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TopicRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Cursor {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topicName", &self.topic_name);
            object.put("partitionIndex", &self.partition_index);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicName", &mut this.topic_name)?;
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeTopicPartitionsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("topics", &self.topics);
            object.put("nextCursor", &self.next_cursor);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("topics", &mut this.topics)?;
            fields.read("nextCursor", &mut this.next_cursor)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeTopicPartitionsResponseTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("name", &self.name);
            object.put("topicId", &self.topic_id);
            object.put("isInternal", &self.is_internal);
            object.put("partitions", &self.partitions);
            object.put("topicAuthorizedOperations", &self.topic_authorized_operations);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("name", &mut this.name)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("isInternal", &mut this.is_internal)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read("topicAuthorizedOperations", &mut this.topic_authorized_operations)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeTopicPartitionsResponsePartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("partitionIndex", &self.partition_index);
            object.put("leaderId", &self.leader_id);
            object.put("leaderEpoch", &self.leader_epoch);
            object.put("replicaNodes", &self.replica_nodes);
            object.put("isrNodes", &self.isr_nodes);
            object.put("eligibleLeaderReplicas", &self.eligible_leader_replicas);
            object.put("lastKnownElr", &self.last_known_elr);
            object.put("offlineReplicas", &self.offline_replicas);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("leaderId", &mut this.leader_id)?;
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read("replicaNodes", &mut this.replica_nodes)?;
            fields.read("isrNodes", &mut this.isr_nodes)?;
            fields.read("eligibleLeaderReplicas", &mut this.eligible_leader_replicas)?;
            fields.read("lastKnownElr", &mut this.last_known_elr)?;
            fields.read("offlineReplicas", &mut this.offline_replicas)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for NextCursor {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topicName", &self.topic_name);
            object.put("partitionIndex", &self.partition_index);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicName", &mut this.topic_name)?;
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
