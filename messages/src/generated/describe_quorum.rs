//! DescribeQuorum: who votes on the metadata log, who else follows it, and how far each has come (KIP-595).
//!
//! There is one such log, partition 0 of `__cluster_metadata`; any other is answered with UNKNOWN_TOPIC_OR_PARTITION.
//!
//! - v1: When each replica fetched last, and when it last had everything (KIP-836).
//! - v2: Error messages, directory ids, and where the voters are found (KIP-853).
//!
//! Generated from `messages/schema/055-describe-quorum.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeQuorumRequest {
    pub topics: Vec<DescribeQuorumRequestTopicData>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DescribeQuorumRequest {
    const NAME: &'static str = "DescribeQuorumRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topics: from.array(3, |from| DescribeQuorumRequestTopicData::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DescribeQuorumRequest {
    const API_KEY: i16 = 55;
    type Response = DescribeQuorumResponse;
}

/// Of [`DescribeQuorumRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeQuorumRequestTopicData {
    pub topic_name: String,
    pub partitions: Vec<DescribeQuorumRequestPartitionData>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DescribeQuorumRequestTopicData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_name: from.string()?,
            partitions: from.array(5, |from| DescribeQuorumRequestPartitionData::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.topic_name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeQuorumRequestTopicData::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeQuorumRequestPartitionData {
    pub partition_index: PartitionIndex,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeQuorumRequestPartitionData {
    fn default() -> Self {
        Self { partition_index: PartitionIndex(0), unknown_tags: Vec::new() }
    }
}

impl DescribeQuorumRequestPartitionData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { partition_index: PartitionIndex(from.i32()?), unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeQuorumResponse {
    pub error_code: i16,
    /// (v2+)
    pub error_message: Option<String>,
    pub topics: Vec<DescribeQuorumResponseTopicData>,
    /// Where the voters are found. (v2+)
    pub nodes: Vec<Node>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeQuorumResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(String::new()),
            topics: Vec::new(),
            nodes: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for DescribeQuorumResponse {
    const NAME: &'static str = "DescribeQuorumResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            error_code: from.i16()?,
            error_message: if version >= 2 { from.nullable_string()? } else { Some(String::new()) },
            topics: from.array(3, |from| DescribeQuorumResponseTopicData::decode(from, version))?,
            nodes: if version >= 2 { from.array(6, |from| Node::decode(from, version))? } else { Vec::new() },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.error_code);
        if version >= 2 {
            into.nullable_string(self.error_message.as_deref())?;
        }
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        if version >= 2 {
            into.array(&self.nodes, |into, each| each.encode(into, version))?;
        } else if !self.nodes.is_empty() {
            return Err(EncodeError::NotInVersion { field: "nodes", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for DescribeQuorumResponse {
    const API_KEY: i16 = 55;
    type Request = DescribeQuorumRequest;
}

/// Of [`DescribeQuorumResponse::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeQuorumResponseTopicData {
    pub topic_name: String,
    pub partitions: Vec<DescribeQuorumResponsePartitionData>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DescribeQuorumResponseTopicData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_name: from.string()?,
            partitions: from.array(25, |from| DescribeQuorumResponsePartitionData::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.topic_name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeQuorumResponseTopicData::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeQuorumResponsePartitionData {
    pub partition_index: PartitionIndex,
    pub error_code: i16,
    /// (v2+)
    pub error_message: Option<String>,
    /// -1: not known.
    pub leader_id: BrokerId,
    pub leader_epoch: LeaderEpoch,
    /// -1: not known.
    pub high_watermark: Offset,
    pub current_voters: Vec<ReplicaState>,
    /// They follow without a vote.
    pub observers: Vec<ReplicaState>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeQuorumResponsePartitionData {
    fn default() -> Self {
        Self {
            partition_index: PartitionIndex(0),
            error_code: 0,
            error_message: Some(String::new()),
            leader_id: BrokerId(0),
            leader_epoch: LeaderEpoch(0),
            high_watermark: Offset(0),
            current_voters: Vec::new(),
            observers: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl DescribeQuorumResponsePartitionData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            error_code: from.i16()?,
            error_message: if version >= 2 { from.nullable_string()? } else { Some(String::new()) },
            leader_id: BrokerId(from.i32()?),
            leader_epoch: LeaderEpoch(from.i32()?),
            high_watermark: Offset(from.i64()?),
            current_voters: from.array(13, |from| ReplicaState::decode(from, version))?,
            observers: from.array(13, |from| ReplicaState::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i16(self.error_code);
        if version >= 2 {
            into.nullable_string(self.error_message.as_deref())?;
        }
        into.i32(self.leader_id.0);
        into.i32(self.leader_epoch.0);
        into.i64(self.high_watermark.0);
        into.array(&self.current_voters, |into, each| each.encode(into, version))?;
        into.array(&self.observers, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeQuorumResponsePartitionData::current_voters`].
#[derive(Clone, PartialEq, Debug)]
pub struct ReplicaState {
    pub replica_id: BrokerId,
    /// The null id: not known. (v2+)
    pub replica_directory_id: Uuid,
    /// -1: not known.
    pub log_end_offset: Offset,
    /// In ms since 1970 by the leader's clock; -1: not known. (v1+)
    pub last_fetch_timestamp: i64,
    /// Up to when it has everything, likewise; of the leader: now. (v1+)
    pub last_caught_up_timestamp: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: BrokerId(0),
            replica_directory_id: Uuid::ZERO,
            log_end_offset: Offset(0),
            last_fetch_timestamp: -1,
            last_caught_up_timestamp: -1,
            unknown_tags: Vec::new(),
        }
    }
}

impl ReplicaState {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            replica_id: BrokerId(from.i32()?),
            replica_directory_id: if version >= 2 { from.uuid()? } else { Uuid::ZERO },
            log_end_offset: Offset(from.i64()?),
            last_fetch_timestamp: if version >= 1 { from.i64()? } else { -1 },
            last_caught_up_timestamp: if version >= 1 { from.i64()? } else { -1 },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.replica_id.0);
        if version >= 2 {
            into.uuid(self.replica_directory_id);
        } else if self.replica_directory_id != Uuid::ZERO {
            return Err(EncodeError::NotInVersion { field: "replica_directory_id", version });
        }
        into.i64(self.log_end_offset.0);
        if version >= 1 {
            into.i64(self.last_fetch_timestamp);
            into.i64(self.last_caught_up_timestamp);
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeQuorumResponse::nodes`].
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    pub node_id: BrokerId,
    pub listeners: Vec<Listener>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for Node {
    fn default() -> Self {
        Self { node_id: BrokerId(0), listeners: Vec::new(), unknown_tags: Vec::new() }
    }
}

impl Node {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            node_id: BrokerId(from.i32()?),
            listeners: from.array(5, |from| Listener::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.node_id.0);
        into.array(&self.listeners, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Node::listeners`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Listener {
    pub name: String,
    pub host: String,
    pub port: u16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Listener {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            host: from.string()?,
            port: from.u16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.string(&self.host)?;
        into.u16(self.port);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DescribeQuorumRequest {
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

    impl Json for DescribeQuorumRequestTopicData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topicName", &self.topic_name);
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicName", &mut this.topic_name)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeQuorumRequestPartitionData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeQuorumResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            if version >= 2 {
                object.put("errorMessage", &self.error_message);
            }
            object.put("topics", &self.topics);
            if version >= 2 {
                object.put("nodes", &self.nodes);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("topics", &mut this.topics)?;
            fields.read("nodes", &mut this.nodes)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeQuorumResponseTopicData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topicName", &self.topic_name);
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicName", &mut this.topic_name)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeQuorumResponsePartitionData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("errorCode", &self.error_code);
            if version >= 2 {
                object.put("errorMessage", &self.error_message);
            }
            object.put("leaderId", &self.leader_id);
            object.put("leaderEpoch", &self.leader_epoch);
            object.put("highWatermark", &self.high_watermark);
            object.put("currentVoters", &self.current_voters);
            object.put("observers", &self.observers);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("leaderId", &mut this.leader_id)?;
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read("highWatermark", &mut this.high_watermark)?;
            fields.read("currentVoters", &mut this.current_voters)?;
            fields.read("observers", &mut this.observers)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ReplicaState {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("replicaId", &self.replica_id);
            if version >= 2 {
                object.put("replicaDirectoryId", &self.replica_directory_id);
            }
            object.put("logEndOffset", &self.log_end_offset);
            if version >= 1 {
                object.put("lastFetchTimestamp", &self.last_fetch_timestamp);
            }
            if version >= 1 {
                object.put("lastCaughtUpTimestamp", &self.last_caught_up_timestamp);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("replicaId", &mut this.replica_id)?;
            fields.read("replicaDirectoryId", &mut this.replica_directory_id)?;
            fields.read("logEndOffset", &mut this.log_end_offset)?;
            fields.read("lastFetchTimestamp", &mut this.last_fetch_timestamp)?;
            fields.read("lastCaughtUpTimestamp", &mut this.last_caught_up_timestamp)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Node {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("nodeId", &self.node_id);
            object.put("listeners", &self.listeners);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("nodeId", &mut this.node_id)?;
            fields.read("listeners", &mut this.listeners)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Listener {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("host", &self.host);
            object.put("port", &self.port);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("host", &mut this.host)?;
            fields.read("port", &mut this.port)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
