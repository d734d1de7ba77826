//! StreamsGroupHeartbeat: joins a group of Kafka Streams clients, stays in it, takes tasks, leaves (KIP-1071).
//!
//! It works like ConsumerGroupHeartbeat, but what is assigned is tasks: each is a partition of a subtopology. A member
//! that joins tells the topology; the broker makes the topics that it needs inside. What keeps the group from working is
//! told as a status, not as an error. Kafka 4.3 refuses instance ids, regular expressions, warm-up tasks and task
//! offsets.
//!
//! Generated from `messages/schema/088-streams-group-heartbeat.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct StreamsGroupHeartbeatRequest {
    pub group_id: String,
    /// Made by the client.
    pub member_id: String,
    /// The last one told; 0: join; -1: leave; -2: leave, but keep the place.
    pub member_epoch: i32,
    /// The last one told.
    pub endpoint_information_epoch: i32,
    /// Of a member that keeps its place; null: as before, or none.
    pub instance_id: Option<String>,
    /// Null: as before, or none.
    pub rack_id: Option<String>,
    /// How long it may take to give up tasks, in ms; -1: as before.
    pub rebalance_timeout_ms: i32,
    /// Null unless the member joins.
    pub topology: Option<Topology>,
    /// What the member has; the three lists are told together; null: as before.
    pub active_tasks: Option<Vec<StreamsGroupHeartbeatRequestTaskIds>>,
    pub standby_tasks: Option<Vec<StreamsGroupHeartbeatRequestTaskIds>>,
    /// Their state is being restored, so that they can become active here.
    pub warmup_tasks: Option<Vec<StreamsGroupHeartbeatRequestTaskIds>>,
    /// Several members may be in one process; null: as before.
    pub process_id: Option<String>,
    /// Where it answers queries about its state; null: as before, or none.
    pub user_endpoint: Option<StreamsGroupHeartbeatRequestEndpoint>,
    /// For spreading standby tasks; null: as before.
    pub client_tags: Option<Vec<KeyValue>>,
    /// How far each task has restored its changelogs, as a sum; null: as before.
    pub task_offsets: Option<Vec<TaskOffset>>,
    /// Where those changelogs end, as a sum; null: as before.
    pub task_end_offsets: Option<Vec<TaskOffset>>,
    /// All members are to stop.
    pub shutdown_application: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for StreamsGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            member_id: String::new(),
            member_epoch: 0,
            endpoint_information_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            topology: None,
            active_tasks: None,
            standby_tasks: None,
            warmup_tasks: None,
            process_id: None,
            user_endpoint: None,
            client_tags: None,
            task_offsets: None,
            task_end_offsets: None,
            shutdown_application: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for StreamsGroupHeartbeatRequest {
    const NAME: &'static str = "StreamsGroupHeartbeatRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: from.string()?,
            member_id: from.string()?,
            member_epoch: from.i32()?,
            endpoint_information_epoch: from.i32()?,
            instance_id: from.nullable_string()?,
            rack_id: from.nullable_string()?,
            rebalance_timeout_ms: from.i32()?,
            topology: if from.present()? { Some(Topology::decode(from, version)?) } else { None },
            active_tasks: from.nullable_array(3, |from| StreamsGroupHeartbeatRequestTaskIds::decode(from, version))?,
            standby_tasks: from.nullable_array(3, |from| StreamsGroupHeartbeatRequestTaskIds::decode(from, version))?,
            warmup_tasks: from.nullable_array(3, |from| StreamsGroupHeartbeatRequestTaskIds::decode(from, version))?,
            process_id: from.nullable_string()?,
            user_endpoint: if from.present()? {
                Some(StreamsGroupHeartbeatRequestEndpoint::decode(from, version)?)
            } else {
                None
            },
            client_tags: from.nullable_array(3, |from| KeyValue::decode(from, version))?,
            task_offsets: from.nullable_array(14, |from| TaskOffset::decode(from, version))?,
            task_end_offsets: from.nullable_array(14, |from| TaskOffset::decode(from, version))?,
            shutdown_application: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        into.string(&self.member_id)?;
        into.i32(self.member_epoch);
        into.i32(self.endpoint_information_epoch);
        into.nullable_string(self.instance_id.as_deref())?;
        into.nullable_string(self.rack_id.as_deref())?;
        into.i32(self.rebalance_timeout_ms);
        into.present(self.topology.as_ref());
        if let Some(value) = &self.topology {
            value.encode(into, version)?;
        }
        into.nullable_array(self.active_tasks.as_deref(), |into, each| each.encode(into, version))?;
        into.nullable_array(self.standby_tasks.as_deref(), |into, each| each.encode(into, version))?;
        into.nullable_array(self.warmup_tasks.as_deref(), |into, each| each.encode(into, version))?;
        into.nullable_string(self.process_id.as_deref())?;
        into.present(self.user_endpoint.as_ref());
        if let Some(value) = &self.user_endpoint {
            value.encode(into, version)?;
        }
        into.nullable_array(self.client_tags.as_deref(), |into, each| each.encode(into, version))?;
        into.nullable_array(self.task_offsets.as_deref(), |into, each| each.encode(into, version))?;
        into.nullable_array(self.task_end_offsets.as_deref(), |into, each| each.encode(into, version))?;
        into.bool(self.shutdown_application);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for StreamsGroupHeartbeatRequest {
    const API_KEY: i16 = 88;
    type Response = StreamsGroupHeartbeatResponse;
}

/// Of [`StreamsGroupHeartbeatRequest::topology`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Topology {
    /// The version of the topology.
    pub epoch: i32,
    pub subtopologies: Vec<Subtopology>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Topology {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            epoch: from.i32()?,
            subtopologies: from.array(8, |from| Subtopology::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.epoch);
        into.array(&self.subtopologies, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Topology::subtopologies`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Subtopology {
    pub subtopology_id: String,
    /// What it reads, repartition topics apart.
    pub source_topics: Vec<String>,
    pub source_topic_regex: Vec<String>,
    /// Made by the broker.
    pub state_changelog_topics: Vec<TopicInfo>,
    /// What it writes for other subtopologies to read.
    pub repartition_sink_topics: Vec<String>,
    /// Made by the broker.
    pub repartition_source_topics: Vec<TopicInfo>,
    /// Topics that must have the same number of partitions, as places in the lists above.
    pub copartition_groups: Vec<CopartitionGroup>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Subtopology {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            subtopology_id: from.string()?,
            source_topics: from.array(1, Decoder::string)?,
            source_topic_regex: from.array(1, Decoder::string)?,
            state_changelog_topics: from.array(9, |from| TopicInfo::decode(from, version))?,
            repartition_sink_topics: from.array(1, Decoder::string)?,
            repartition_source_topics: from.array(9, |from| TopicInfo::decode(from, version))?,
            copartition_groups: from.array(4, |from| CopartitionGroup::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.subtopology_id)?;
        into.array(&self.source_topics, |into, each| into.string(each))?;
        into.array(&self.source_topic_regex, |into, each| into.string(each))?;
        into.array(&self.state_changelog_topics, |into, each| each.encode(into, version))?;
        into.array(&self.repartition_sink_topics, |into, each| into.string(each))?;
        into.array(&self.repartition_source_topics, |into, each| each.encode(into, version))?;
        into.array(&self.copartition_groups, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Subtopology::state_changelog_topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicInfo {
    pub name: String,
    /// 0: as many as needed; always so for changelogs.
    pub partitions: i32,
    /// 0: the broker's default.
    pub replication_factor: i16,
    pub topic_configs: Vec<KeyValue>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicInfo {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.i32()?,
            replication_factor: from.i16()?,
            topic_configs: from.array(3, |from| KeyValue::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.i32(self.partitions);
        into.i16(self.replication_factor);
        into.array(&self.topic_configs, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`TopicInfo::topic_configs`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct KeyValue {
    pub key: String,
    pub value: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl KeyValue {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { key: from.string()?, value: from.string()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.key)?;
        into.string(&self.value)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Subtopology::copartition_groups`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CopartitionGroup {
    pub source_topics: Vec<i16>,
    pub source_topic_regex: Vec<i16>,
    pub repartition_source_topics: Vec<i16>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl CopartitionGroup {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            source_topics: from.array(2, Decoder::i16)?,
            source_topic_regex: from.array(2, Decoder::i16)?,
            repartition_source_topics: from.array(2, Decoder::i16)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.plain_array(&self.source_topics, |into, each| into.i16(*each))?;
        into.plain_array(&self.source_topic_regex, |into, each| into.i16(*each))?;
        into.plain_array(&self.repartition_source_topics, |into, each| into.i16(*each))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`StreamsGroupHeartbeatRequest::active_tasks`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupHeartbeatRequestTaskIds {
    pub subtopology_id: String,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl StreamsGroupHeartbeatRequestTaskIds {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            subtopology_id: from.string()?,
            partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.subtopology_id)?;
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`StreamsGroupHeartbeatRequest::user_endpoint`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupHeartbeatRequestEndpoint {
    pub host: String,
    pub port: u16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl StreamsGroupHeartbeatRequestEndpoint {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { host: from.string()?, port: from.u16()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.host)?;
        into.u16(self.port);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`StreamsGroupHeartbeatRequest::task_offsets`].
#[derive(Clone, PartialEq, Debug)]
pub struct TaskOffset {
    pub subtopology_id: String,
    pub partition: PartitionIndex,
    pub offset: Offset,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for TaskOffset {
    fn default() -> Self {
        Self {
            subtopology_id: String::new(),
            partition: PartitionIndex(0),
            offset: Offset(0),
            unknown_tags: Vec::new(),
        }
    }
}

impl TaskOffset {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            subtopology_id: from.string()?,
            partition: PartitionIndex(from.i32()?),
            offset: Offset(from.i64()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.subtopology_id)?;
        into.i32(self.partition.0);
        into.i64(self.offset.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct StreamsGroupHeartbeatResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    pub member_id: String,
    /// For the next heartbeat.
    pub member_epoch: i32,
    pub heartbeat_interval_ms: i32,
    /// In offsets: a warm-up task this close to the end is ready.
    pub acceptable_recovery_lag: i32,
    /// How often to tell task offsets, in ms.
    pub task_offset_interval_ms: i32,
    /// Empty: nothing is in the way.
    pub status: Option<Vec<Status>>,
    /// Null: as before.
    pub active_tasks: Option<Vec<StreamsGroupHeartbeatResponseTaskIds>>,
    /// Null: as before.
    pub standby_tasks: Option<Vec<StreamsGroupHeartbeatResponseTaskIds>>,
    /// Null: as before.
    pub warmup_tasks: Option<Vec<StreamsGroupHeartbeatResponseTaskIds>>,
    /// Of the list below.
    pub endpoint_information_epoch: i32,
    /// Where to ask about which state; null: as before.
    pub partitions_by_user_endpoint: Option<Vec<EndpointToPartitions>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for StreamsGroupHeartbeatResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            member_id: String::new(),
            member_epoch: 0,
            heartbeat_interval_ms: 0,
            acceptable_recovery_lag: 0,
            task_offset_interval_ms: 0,
            status: Some(Vec::new()),
            active_tasks: None,
            standby_tasks: None,
            warmup_tasks: None,
            endpoint_information_epoch: 0,
            partitions_by_user_endpoint: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for StreamsGroupHeartbeatResponse {
    const NAME: &'static str = "StreamsGroupHeartbeatResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            member_id: from.string()?,
            member_epoch: from.i32()?,
            heartbeat_interval_ms: from.i32()?,
            acceptable_recovery_lag: from.i32()?,
            task_offset_interval_ms: from.i32()?,
            status: from.nullable_array(3, |from| Status::decode(from, version))?,
            active_tasks: from.nullable_array(3, |from| StreamsGroupHeartbeatResponseTaskIds::decode(from, version))?,
            standby_tasks: from
                .nullable_array(3, |from| StreamsGroupHeartbeatResponseTaskIds::decode(from, version))?,
            warmup_tasks: from.nullable_array(3, |from| StreamsGroupHeartbeatResponseTaskIds::decode(from, version))?,
            endpoint_information_epoch: from.i32()?,
            partitions_by_user_endpoint: from.nullable_array(7, |from| EndpointToPartitions::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.string(&self.member_id)?;
        into.i32(self.member_epoch);
        into.i32(self.heartbeat_interval_ms);
        into.i32(self.acceptable_recovery_lag);
        into.i32(self.task_offset_interval_ms);
        into.nullable_array(self.status.as_deref(), |into, each| each.encode(into, version))?;
        into.nullable_array(self.active_tasks.as_deref(), |into, each| each.encode(into, version))?;
        into.nullable_array(self.standby_tasks.as_deref(), |into, each| each.encode(into, version))?;
        into.nullable_array(self.warmup_tasks.as_deref(), |into, each| each.encode(into, version))?;
        into.i32(self.endpoint_information_epoch);
        into.nullable_array(self.partitions_by_user_endpoint.as_deref(), |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for StreamsGroupHeartbeatResponse {
    const API_KEY: i16 = 88;
    type Request = StreamsGroupHeartbeatRequest;
}

/// Of [`StreamsGroupHeartbeatResponse::status`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Status {
    /// 0 old topology, 1 source topics missing, 2 partitions that don't match, 3 internal topics missing, 4 shut down, 5 assignment delayed.
    pub status_code: i8,
    pub status_detail: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Status {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { status_code: from.i8()?, status_detail: from.string()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i8(self.status_code);
        into.string(&self.status_detail)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`StreamsGroupHeartbeatResponse::active_tasks`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupHeartbeatResponseTaskIds {
    pub subtopology_id: String,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl StreamsGroupHeartbeatResponseTaskIds {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            subtopology_id: from.string()?,
            partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.subtopology_id)?;
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`StreamsGroupHeartbeatResponse::partitions_by_user_endpoint`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EndpointToPartitions {
    pub user_endpoint: StreamsGroupHeartbeatResponseEndpoint,
    pub active_partitions: Vec<TopicPartition>,
    pub standby_partitions: Vec<TopicPartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl EndpointToPartitions {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            user_endpoint: StreamsGroupHeartbeatResponseEndpoint::decode(from, version)?,
            active_partitions: from.array(3, |from| TopicPartition::decode(from, version))?,
            standby_partitions: from.array(3, |from| TopicPartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        self.user_endpoint.encode(into, version)?;
        into.array(&self.active_partitions, |into, each| each.encode(into, version))?;
        into.array(&self.standby_partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`EndpointToPartitions::user_endpoint`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupHeartbeatResponseEndpoint {
    pub host: String,
    pub port: u16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl StreamsGroupHeartbeatResponseEndpoint {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { host: from.string()?, port: from.u16()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.host)?;
        into.u16(self.port);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`EndpointToPartitions::active_partitions`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicPartition {
    pub topic: String,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicPartition {
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

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for StreamsGroupHeartbeatRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("memberId", &self.member_id);
            object.put("memberEpoch", &self.member_epoch);
            object.put("endpointInformationEpoch", &self.endpoint_information_epoch);
            object.put("instanceId", &self.instance_id);
            object.put("rackId", &self.rack_id);
            object.put("rebalanceTimeoutMs", &self.rebalance_timeout_ms);
            object.put("topology", &self.topology);
            object.put("activeTasks", &self.active_tasks);
            object.put("standbyTasks", &self.standby_tasks);
            object.put("warmupTasks", &self.warmup_tasks);
            object.put("processId", &self.process_id);
            object.put("userEndpoint", &self.user_endpoint);
            object.put("clientTags", &self.client_tags);
            object.put("taskOffsets", &self.task_offsets);
            object.put("taskEndOffsets", &self.task_end_offsets);
            object.put("shutdownApplication", &self.shutdown_application);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("memberEpoch", &mut this.member_epoch)?;
            fields.read("endpointInformationEpoch", &mut this.endpoint_information_epoch)?;
            fields.read("instanceId", &mut this.instance_id)?;
            fields.read("rackId", &mut this.rack_id)?;
            fields.read("rebalanceTimeoutMs", &mut this.rebalance_timeout_ms)?;
            fields.read("topology", &mut this.topology)?;
            fields.read("activeTasks", &mut this.active_tasks)?;
            fields.read("standbyTasks", &mut this.standby_tasks)?;
            fields.read("warmupTasks", &mut this.warmup_tasks)?;
            fields.read("processId", &mut this.process_id)?;
            fields.read("userEndpoint", &mut this.user_endpoint)?;
            fields.read("clientTags", &mut this.client_tags)?;
            fields.read("taskOffsets", &mut this.task_offsets)?;
            fields.read("taskEndOffsets", &mut this.task_end_offsets)?;
            fields.read("shutdownApplication", &mut this.shutdown_application)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Topology {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("epoch", &self.epoch);
            object.put("subtopologies", &self.subtopologies);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("epoch", &mut this.epoch)?;
            fields.read("subtopologies", &mut this.subtopologies)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Subtopology {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("subtopologyId", &self.subtopology_id);
            object.put("sourceTopics", &self.source_topics);
            object.put("sourceTopicRegex", &self.source_topic_regex);
            object.put("stateChangelogTopics", &self.state_changelog_topics);
            object.put("repartitionSinkTopics", &self.repartition_sink_topics);
            object.put("repartitionSourceTopics", &self.repartition_source_topics);
            object.put("copartitionGroups", &self.copartition_groups);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("subtopologyId", &mut this.subtopology_id)?;
            fields.read("sourceTopics", &mut this.source_topics)?;
            fields.read("sourceTopicRegex", &mut this.source_topic_regex)?;
            fields.read("stateChangelogTopics", &mut this.state_changelog_topics)?;
            fields.read("repartitionSinkTopics", &mut this.repartition_sink_topics)?;
            fields.read("repartitionSourceTopics", &mut this.repartition_source_topics)?;
            fields.read("copartitionGroups", &mut this.copartition_groups)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TopicInfo {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("partitions", &self.partitions);
            object.put("replicationFactor", &self.replication_factor);
            object.put("topicConfigs", &self.topic_configs);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read("replicationFactor", &mut this.replication_factor)?;
            fields.read("topicConfigs", &mut this.topic_configs)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for KeyValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("key", &self.key);
            object.put("value", &self.value);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("key", &mut this.key)?;
            fields.read("value", &mut this.value)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CopartitionGroup {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("sourceTopics", &self.source_topics);
            object.put("sourceTopicRegex", &self.source_topic_regex);
            object.put("repartitionSourceTopics", &self.repartition_source_topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("sourceTopics", &mut this.source_topics)?;
            fields.read("sourceTopicRegex", &mut this.source_topic_regex)?;
            fields.read("repartitionSourceTopics", &mut this.repartition_source_topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for StreamsGroupHeartbeatRequestTaskIds {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("subtopologyId", &self.subtopology_id);
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("subtopologyId", &mut this.subtopology_id)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for StreamsGroupHeartbeatRequestEndpoint {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("host", &self.host);
            object.put("port", &self.port);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("host", &mut this.host)?;
            fields.read("port", &mut this.port)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TaskOffset {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("subtopologyId", &self.subtopology_id);
            object.put("partition", &self.partition);
            object.put("offset", &self.offset);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("subtopologyId", &mut this.subtopology_id)?;
            fields.read("partition", &mut this.partition)?;
            fields.read("offset", &mut this.offset)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for StreamsGroupHeartbeatResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("memberId", &self.member_id);
            object.put("memberEpoch", &self.member_epoch);
            object.put("heartbeatIntervalMs", &self.heartbeat_interval_ms);
            object.put("acceptableRecoveryLag", &self.acceptable_recovery_lag);
            object.put("taskOffsetIntervalMs", &self.task_offset_interval_ms);
            object.put("status", &self.status);
            object.put("activeTasks", &self.active_tasks);
            object.put("standbyTasks", &self.standby_tasks);
            object.put("warmupTasks", &self.warmup_tasks);
            object.put("endpointInformationEpoch", &self.endpoint_information_epoch);
            object.put("partitionsByUserEndpoint", &self.partitions_by_user_endpoint);
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
            fields.read("acceptableRecoveryLag", &mut this.acceptable_recovery_lag)?;
            fields.read("taskOffsetIntervalMs", &mut this.task_offset_interval_ms)?;
            fields.read("status", &mut this.status)?;
            fields.read("activeTasks", &mut this.active_tasks)?;
            fields.read("standbyTasks", &mut this.standby_tasks)?;
            fields.read("warmupTasks", &mut this.warmup_tasks)?;
            fields.read("endpointInformationEpoch", &mut this.endpoint_information_epoch)?;
            fields.read("partitionsByUserEndpoint", &mut this.partitions_by_user_endpoint)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Status {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("statusCode", &self.status_code);
            object.put("statusDetail", &self.status_detail);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("statusCode", &mut this.status_code)?;
            fields.read("statusDetail", &mut this.status_detail)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for StreamsGroupHeartbeatResponseTaskIds {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("subtopologyId", &self.subtopology_id);
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("subtopologyId", &mut this.subtopology_id)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for EndpointToPartitions {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("userEndpoint", &self.user_endpoint);
            object.put("activePartitions", &self.active_partitions);
            object.put("standbyPartitions", &self.standby_partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("userEndpoint", &mut this.user_endpoint)?;
            fields.read("activePartitions", &mut this.active_partitions)?;
            fields.read("standbyPartitions", &mut this.standby_partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for StreamsGroupHeartbeatResponseEndpoint {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("host", &self.host);
            object.put("port", &self.port);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("host", &mut this.host)?;
            fields.read("port", &mut this.port)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TopicPartition {
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
}
