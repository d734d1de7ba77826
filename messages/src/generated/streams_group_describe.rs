//! StreamsGroupDescribe: the state, the topology and the members of groups of Kafka Streams clients (KIP-1071).
//!
//! Generated from `messages/schema/089-streams-group-describe.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupDescribeRequest {
    pub group_ids: Vec<String>,
    pub include_authorized_operations: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for StreamsGroupDescribeRequest {
    const NAME: &'static str = "StreamsGroupDescribeRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_ids: from.array(1, Decoder::string)?,
            include_authorized_operations: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.group_ids, |into, each| into.string(each))?;
        into.bool(self.include_authorized_operations);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for StreamsGroupDescribeRequest {
    const API_KEY: i16 = 89;
    type Response = StreamsGroupDescribeResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupDescribeResponse {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for StreamsGroupDescribeResponse {
    const NAME: &'static str = "StreamsGroupDescribeResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            groups: from.array(20, |from| DescribedGroup::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.array(&self.groups, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for StreamsGroupDescribeResponse {
    const API_KEY: i16 = 89;
    type Request = StreamsGroupDescribeRequest;
}

/// Of [`StreamsGroupDescribeResponse::groups`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribedGroup {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub group_id: String,
    /// Empty, NotReady, Assigning, Reconciling, Stable or Dead.
    pub group_state: String,
    /// Goes up when members, the topology or topics change.
    pub group_epoch: i32,
    /// The group epoch that the target assignment was made for.
    pub assignment_epoch: i32,
    /// Null where there is none, or an error.
    pub topology: Option<Topology>,
    pub members: Vec<Member>,
    /// A bit per operation; the default means that nobody asked.
    pub authorized_operations: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: String::new(),
            group_state: String::new(),
            group_epoch: 0,
            assignment_epoch: 0,
            topology: None,
            members: Vec::new(),
            authorized_operations: -2147483648,
            unknown_tags: Vec::new(),
        }
    }
}

impl DescribedGroup {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            group_id: from.string()?,
            group_state: from.string()?,
            group_epoch: from.i32()?,
            assignment_epoch: from.i32()?,
            topology: if from.present()? { Some(Topology::decode(from, version)?) } else { None },
            members: from.array(28, |from| Member::decode(from, version))?,
            authorized_operations: from.i32()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.string(&self.group_id)?;
        into.string(&self.group_state)?;
        into.i32(self.group_epoch);
        into.i32(self.assignment_epoch);
        into.present(self.topology.as_ref());
        if let Some(value) = &self.topology {
            value.encode(into, version)?;
        }
        into.array(&self.members, |into, each| each.encode(into, version))?;
        into.i32(self.authorized_operations);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribedGroup::topology`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Topology {
    /// The version of the topology.
    pub epoch: i32,
    /// As resolved by the broker; null: topics are missing or don't match.
    pub subtopologies: Option<Vec<Subtopology>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Topology {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            epoch: from.i32()?,
            subtopologies: from.nullable_array(6, |from| Subtopology::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.epoch);
        into.nullable_array(self.subtopologies.as_deref(), |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Topology::subtopologies`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Subtopology {
    pub subtopology_id: String,
    /// What it reads, repartition topics apart.
    pub source_topics: Vec<String>,
    pub repartition_sink_topics: Vec<String>,
    pub state_changelog_topics: Vec<TopicInfo>,
    pub repartition_source_topics: Vec<TopicInfo>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Subtopology {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            subtopology_id: from.string()?,
            source_topics: from.array(1, Decoder::string)?,
            repartition_sink_topics: from.array(1, Decoder::string)?,
            state_changelog_topics: from.array(9, |from| TopicInfo::decode(from, version))?,
            repartition_source_topics: from.array(9, |from| TopicInfo::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.subtopology_id)?;
        into.array(&self.source_topics, |into, each| into.string(each))?;
        into.array(&self.repartition_sink_topics, |into, each| into.string(each))?;
        into.array(&self.state_changelog_topics, |into, each| each.encode(into, version))?;
        into.array(&self.repartition_source_topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Subtopology::state_changelog_topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicInfo {
    pub name: String,
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

/// Of [`DescribedGroup::members`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Member {
    pub member_id: String,
    /// The assignment epoch that the member has come to.
    pub member_epoch: i32,
    /// Of a member that keeps its place.
    pub instance_id: Option<String>,
    pub rack_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    /// Of the topology that the member runs.
    pub topology_epoch: i32,
    /// Several members may be in one process.
    pub process_id: String,
    /// Where it answers queries about its state; null: nowhere.
    pub user_endpoint: Option<Endpoint>,
    /// For spreading standby tasks.
    pub client_tags: Vec<KeyValue>,
    /// How far each task has restored its changelogs, as a sum.
    pub task_offsets: Vec<TaskOffset>,
    /// Where those changelogs end, as a sum.
    pub task_end_offsets: Vec<TaskOffset>,
    /// What it may have now.
    pub assignment: Assignment,
    /// What it will have when all have given up what they are to give up.
    pub target_assignment: Assignment,
    /// Still speaks the classic protocol.
    pub is_classic: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Member {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            member_id: from.string()?,
            member_epoch: from.i32()?,
            instance_id: from.nullable_string()?,
            rack_id: from.nullable_string()?,
            client_id: from.string()?,
            client_host: from.string()?,
            topology_epoch: from.i32()?,
            process_id: from.string()?,
            user_endpoint: if from.present()? { Some(Endpoint::decode(from, version)?) } else { None },
            client_tags: from.array(3, |from| KeyValue::decode(from, version))?,
            task_offsets: from.array(14, |from| TaskOffset::decode(from, version))?,
            task_end_offsets: from.array(14, |from| TaskOffset::decode(from, version))?,
            assignment: Assignment::decode(from, version)?,
            target_assignment: Assignment::decode(from, version)?,
            is_classic: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.member_id)?;
        into.i32(self.member_epoch);
        into.nullable_string(self.instance_id.as_deref())?;
        into.nullable_string(self.rack_id.as_deref())?;
        into.string(&self.client_id)?;
        into.string(&self.client_host)?;
        into.i32(self.topology_epoch);
        into.string(&self.process_id)?;
        into.present(self.user_endpoint.as_ref());
        if let Some(value) = &self.user_endpoint {
            value.encode(into, version)?;
        }
        into.array(&self.client_tags, |into, each| each.encode(into, version))?;
        into.array(&self.task_offsets, |into, each| each.encode(into, version))?;
        into.array(&self.task_end_offsets, |into, each| each.encode(into, version))?;
        self.assignment.encode(into, version)?;
        self.target_assignment.encode(into, version)?;
        into.bool(self.is_classic);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Member::user_endpoint`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Endpoint {
    pub host: String,
    pub port: u16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Endpoint {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { host: from.string()?, port: from.u16()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.host)?;
        into.u16(self.port);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Member::task_offsets`].
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

/// Of [`Member::assignment`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Assignment {
    pub active_tasks: Vec<TaskIds>,
    pub standby_tasks: Vec<TaskIds>,
    pub warmup_tasks: Vec<TaskIds>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Assignment {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            active_tasks: from.array(3, |from| TaskIds::decode(from, version))?,
            standby_tasks: from.array(3, |from| TaskIds::decode(from, version))?,
            warmup_tasks: from.array(3, |from| TaskIds::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.array(&self.active_tasks, |into, each| each.encode(into, version))?;
        into.array(&self.standby_tasks, |into, each| each.encode(into, version))?;
        into.array(&self.warmup_tasks, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Assignment::active_tasks`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TaskIds {
    pub subtopology_id: String,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TaskIds {
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

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for StreamsGroupDescribeRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupIds", &self.group_ids);
            object.put("includeAuthorizedOperations", &self.include_authorized_operations);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupIds", &mut this.group_ids)?;
            fields.read("includeAuthorizedOperations", &mut this.include_authorized_operations)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for StreamsGroupDescribeResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("groups", &self.groups);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("groups", &mut this.groups)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribedGroup {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("groupId", &self.group_id);
            object.put("groupState", &self.group_state);
            object.put("groupEpoch", &self.group_epoch);
            object.put("assignmentEpoch", &self.assignment_epoch);
            object.put("topology", &self.topology);
            object.put("members", &self.members);
            object.put("authorizedOperations", &self.authorized_operations);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("groupId", &mut this.group_id)?;
            fields.read("groupState", &mut this.group_state)?;
            fields.read("groupEpoch", &mut this.group_epoch)?;
            fields.read("assignmentEpoch", &mut this.assignment_epoch)?;
            fields.read("topology", &mut this.topology)?;
            fields.read("members", &mut this.members)?;
            fields.read("authorizedOperations", &mut this.authorized_operations)?;
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
            object.put("repartitionSinkTopics", &self.repartition_sink_topics);
            object.put("stateChangelogTopics", &self.state_changelog_topics);
            object.put("repartitionSourceTopics", &self.repartition_source_topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("subtopologyId", &mut this.subtopology_id)?;
            fields.read("sourceTopics", &mut this.source_topics)?;
            fields.read("repartitionSinkTopics", &mut this.repartition_sink_topics)?;
            fields.read("stateChangelogTopics", &mut this.state_changelog_topics)?;
            fields.read("repartitionSourceTopics", &mut this.repartition_source_topics)?;
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

    impl Json for Member {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("memberId", &self.member_id);
            object.put("memberEpoch", &self.member_epoch);
            object.put("instanceId", &self.instance_id);
            object.put("rackId", &self.rack_id);
            object.put("clientId", &self.client_id);
            object.put("clientHost", &self.client_host);
            object.put("topologyEpoch", &self.topology_epoch);
            object.put("processId", &self.process_id);
            object.put("userEndpoint", &self.user_endpoint);
            object.put("clientTags", &self.client_tags);
            object.put("taskOffsets", &self.task_offsets);
            object.put("taskEndOffsets", &self.task_end_offsets);
            object.put("assignment", &self.assignment);
            object.put("targetAssignment", &self.target_assignment);
            object.put("isClassic", &self.is_classic);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("memberId", &mut this.member_id)?;
            fields.read("memberEpoch", &mut this.member_epoch)?;
            fields.read("instanceId", &mut this.instance_id)?;
            fields.read("rackId", &mut this.rack_id)?;
            fields.read("clientId", &mut this.client_id)?;
            fields.read("clientHost", &mut this.client_host)?;
            fields.read("topologyEpoch", &mut this.topology_epoch)?;
            fields.read("processId", &mut this.process_id)?;
            fields.read("userEndpoint", &mut this.user_endpoint)?;
            fields.read("clientTags", &mut this.client_tags)?;
            fields.read("taskOffsets", &mut this.task_offsets)?;
            fields.read("taskEndOffsets", &mut this.task_end_offsets)?;
            fields.read("assignment", &mut this.assignment)?;
            fields.read("targetAssignment", &mut this.target_assignment)?;
            fields.read("isClassic", &mut this.is_classic)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Endpoint {
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

    impl Json for Assignment {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("activeTasks", &self.active_tasks);
            object.put("standbyTasks", &self.standby_tasks);
            object.put("warmupTasks", &self.warmup_tasks);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("activeTasks", &mut this.active_tasks)?;
            fields.read("standbyTasks", &mut this.standby_tasks)?;
            fields.read("warmupTasks", &mut this.warmup_tasks)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TaskIds {
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
}
