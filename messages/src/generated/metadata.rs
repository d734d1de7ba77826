//! Metadata: which brokers there are, and who leads which partition.
//!
//! Naming a topic that doesn't exist creates it, where both the client and the broker allow that.
//!
//! - v1: All topics are asked for with null, none with an empty list. Racks, the controller and internal topics are told.
//! - v2: The cluster's id.
//! - v3: Throttle time.
//! - v4: The client may forbid that topics are created.
//! - v5: Replicas on failed disks.
//! - v6: A throttled client is answered at once and waits by itself (KIP-219).
//! - v7: Leader epochs (KIP-320).
//! - v8: Which operations the client is allowed (KIP-430).
//! - v9: Flexible.
//! - v10: Topic ids are told; asking by id isn't possible yet (KIP-516).
//! - v11: No allowed operations on the cluster any more: DescribeCluster tells them (KIP-700).
//! - v12: Topics can be asked for by id; then the name may be null (KIP-516).
//! - v13: One error for the whole request (KIP-1102).
//!
//! Generated from `messages/schema/003-metadata.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataRequest {
    /// Null, or empty in v0: all topics.
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// (v4+)
    pub allow_auto_topic_creation: bool,
    /// (v8 to v10)
    pub include_cluster_authorized_operations: bool,
    /// (v8+)
    pub include_topic_authorized_operations: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        Self {
            topics: Some(Vec::new()),
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: false,
            include_topic_authorized_operations: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for MetadataRequest {
    const NAME: &'static str = "MetadataRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topics: if version >= 1 {
                from.nullable_array(2, |from| MetadataRequestTopic::decode(from, version))?
            } else {
                Some(from.array(2, |from| MetadataRequestTopic::decode(from, version))?)
            },
            allow_auto_topic_creation: if version >= 4 { from.bool()? } else { true },
            include_cluster_authorized_operations: if (8..=10).contains(&version) { from.bool()? } else { false },
            include_topic_authorized_operations: if version >= 8 { from.bool()? } else { false },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 1 {
            into.nullable_array(self.topics.as_deref(), |into, each| each.encode(into, version))?;
        } else {
            let value = self.topics.as_ref().ok_or(EncodeError::Null { field: "topics", version })?;
            into.array(value, |into, each| each.encode(into, version))?;
        }
        if version >= 4 {
            into.bool(self.allow_auto_topic_creation);
        } else if !self.allow_auto_topic_creation {
            return Err(EncodeError::NotInVersion { field: "allow_auto_topic_creation", version });
        }
        if (8..=10).contains(&version) {
            into.bool(self.include_cluster_authorized_operations);
        } else if self.include_cluster_authorized_operations {
            return Err(EncodeError::NotInVersion { field: "include_cluster_authorized_operations", version });
        }
        if version >= 8 {
            into.bool(self.include_topic_authorized_operations);
        } else if self.include_topic_authorized_operations {
            return Err(EncodeError::NotInVersion { field: "include_topic_authorized_operations", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for MetadataRequest {
    const API_KEY: i16 = 3;
    type Response = MetadataResponse;
}

/// Of [`MetadataRequest::topics`].
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataRequestTopic {
    /// Asked for when the name is null. (v10+)
    pub topic_id: Uuid,
    pub name: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for MetadataRequestTopic {
    fn default() -> Self {
        Self { topic_id: Uuid::ZERO, name: Some(String::new()), unknown_tags: Vec::new() }
    }
}

impl MetadataRequestTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_id: if version >= 10 { from.uuid()? } else { Uuid::ZERO },
            name: if version >= 10 { from.nullable_string()? } else { Some(from.string()?) },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        if version >= 10 {
            into.uuid(self.topic_id);
        }
        if version >= 10 {
            into.nullable_string(self.name.as_deref())?;
        } else {
            let value = self.name.as_ref().ok_or(EncodeError::Null { field: "name", version })?;
            into.string(value)?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataResponse {
    /// (v3+)
    pub throttle_time_ms: i32,
    pub brokers: Vec<MetadataBroker>,
    /// (v2+)
    pub cluster_id: Option<String>,
    /// Where Raft decides any live broker will do: it passes requests on. (v1+)
    pub controller_id: BrokerId,
    pub topics: Vec<MetadataTopic>,
    /// (v8 to v10)
    pub cluster_authorized_operations: i32,
    /// (v13+)
    pub error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            brokers: Vec::new(),
            cluster_id: None,
            controller_id: BrokerId(-1),
            topics: Vec::new(),
            cluster_authorized_operations: -2147483648,
            error_code: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for MetadataResponse {
    const NAME: &'static str = "MetadataResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: if version >= 3 { from.i32()? } else { 0 },
            brokers: from.array(10, |from| MetadataBroker::decode(from, version))?,
            cluster_id: if version >= 2 { from.nullable_string()? } else { None },
            controller_id: if version >= 1 { BrokerId(from.i32()?) } else { BrokerId(-1) },
            topics: from.array(8, |from| MetadataTopic::decode(from, version))?,
            cluster_authorized_operations: if (8..=10).contains(&version) { from.i32()? } else { -2147483648 },
            error_code: if version >= 13 { from.i16()? } else { 0 },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 3 {
            into.i32(self.throttle_time_ms);
        }
        into.array(&self.brokers, |into, each| each.encode(into, version))?;
        if version >= 2 {
            into.nullable_string(self.cluster_id.as_deref())?;
        }
        if version >= 1 {
            into.i32(self.controller_id.0);
        }
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        if (8..=10).contains(&version) {
            into.i32(self.cluster_authorized_operations);
        } else if self.cluster_authorized_operations != -2147483648 {
            return Err(EncodeError::NotInVersion { field: "cluster_authorized_operations", version });
        }
        if version >= 13 {
            into.i16(self.error_code);
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for MetadataResponse {
    const API_KEY: i16 = 3;
    type Request = MetadataRequest;
}

/// Of [`MetadataResponse::brokers`].
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataBroker {
    pub node_id: BrokerId,
    pub host: String,
    pub port: i32,
    /// (v1+)
    pub rack: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for MetadataBroker {
    fn default() -> Self {
        Self { node_id: BrokerId(0), host: String::new(), port: 0, rack: None, unknown_tags: Vec::new() }
    }
}

impl MetadataBroker {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            node_id: BrokerId(from.i32()?),
            host: from.string()?,
            port: from.i32()?,
            rack: if version >= 1 { from.nullable_string()? } else { None },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.node_id.0);
        into.string(&self.host)?;
        into.i32(self.port);
        if version >= 1 {
            into.nullable_string(self.rack.as_deref())?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`MetadataResponse::topics`].
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataTopic {
    pub error_code: i16,
    /// Null: the id that was asked for is not known.
    pub name: Option<String>,
    /// (v10+)
    pub topic_id: Uuid,
    /// (v1+)
    pub is_internal: bool,
    pub partitions: Vec<MetadataPartition>,
    /// A bit per operation; the default means that nobody asked. (v8+)
    pub topic_authorized_operations: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for MetadataTopic {
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

impl MetadataTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            name: if version >= 12 { from.nullable_string()? } else { Some(from.string()?) },
            topic_id: if version >= 10 { from.uuid()? } else { Uuid::ZERO },
            is_internal: if version >= 1 { from.bool()? } else { false },
            partitions: from.array(18, |from| MetadataPartition::decode(from, version))?,
            topic_authorized_operations: if version >= 8 { from.i32()? } else { -2147483648 },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        if version >= 12 {
            into.nullable_string(self.name.as_deref())?;
        } else {
            let value = self.name.as_ref().ok_or(EncodeError::Null { field: "name", version })?;
            into.string(value)?;
        }
        if version >= 10 {
            into.uuid(self.topic_id);
        }
        if version >= 1 {
            into.bool(self.is_internal);
        }
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        if version >= 8 {
            into.i32(self.topic_authorized_operations);
        } else if self.topic_authorized_operations != -2147483648 {
            return Err(EncodeError::NotInVersion { field: "topic_authorized_operations", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`MetadataTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataPartition {
    pub error_code: i16,
    pub partition_index: PartitionIndex,
    /// -1: nobody leads.
    pub leader_id: BrokerId,
    /// (v7+)
    pub leader_epoch: LeaderEpoch,
    pub replica_nodes: Vec<BrokerId>,
    pub isr_nodes: Vec<BrokerId>,
    /// (v5+)
    pub offline_replicas: Vec<BrokerId>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for MetadataPartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: PartitionIndex(0),
            leader_id: BrokerId(0),
            leader_epoch: LeaderEpoch(-1),
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            offline_replicas: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl MetadataPartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            partition_index: PartitionIndex(from.i32()?),
            leader_id: BrokerId(from.i32()?),
            leader_epoch: if version >= 7 { LeaderEpoch(from.i32()?) } else { LeaderEpoch(-1) },
            replica_nodes: from.array(4, |from| Ok(BrokerId(from.i32()?)))?,
            isr_nodes: from.array(4, |from| Ok(BrokerId(from.i32()?)))?,
            offline_replicas: if version >= 5 { from.array(4, |from| Ok(BrokerId(from.i32()?)))? } else { Vec::new() },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        into.i32(self.partition_index.0);
        into.i32(self.leader_id.0);
        if version >= 7 {
            into.i32(self.leader_epoch.0);
        }
        into.plain_array(&self.replica_nodes, |into, each| into.i32(each.0))?;
        into.plain_array(&self.isr_nodes, |into, each| into.i32(each.0))?;
        if version >= 5 {
            into.plain_array(&self.offline_replicas, |into, each| into.i32(each.0))?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for MetadataRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topics", &self.topics);
            if version >= 4 {
                object.put("allowAutoTopicCreation", &self.allow_auto_topic_creation);
            }
            if (8..=10).contains(&version) {
                object.put("includeClusterAuthorizedOperations", &self.include_cluster_authorized_operations);
            }
            if version >= 8 {
                object.put("includeTopicAuthorizedOperations", &self.include_topic_authorized_operations);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topics", &mut this.topics)?;
            fields.read("allowAutoTopicCreation", &mut this.allow_auto_topic_creation)?;
            fields.read("includeClusterAuthorizedOperations", &mut this.include_cluster_authorized_operations)?;
            fields.read("includeTopicAuthorizedOperations", &mut this.include_topic_authorized_operations)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for MetadataRequestTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 10 {
                object.put("topicId", &self.topic_id);
            }
            object.put("name", &self.name);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("name", &mut this.name)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for MetadataResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 3 {
                object.put("throttleTimeMs", &self.throttle_time_ms);
            }
            object.put("brokers", &self.brokers);
            if version >= 2 {
                object.put("clusterId", &self.cluster_id);
            }
            if version >= 1 {
                object.put("controllerId", &self.controller_id);
            }
            object.put("topics", &self.topics);
            if (8..=10).contains(&version) {
                object.put("clusterAuthorizedOperations", &self.cluster_authorized_operations);
            }
            if version >= 13 {
                object.put("errorCode", &self.error_code);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("brokers", &mut this.brokers)?;
            fields.read("clusterId", &mut this.cluster_id)?;
            fields.read("controllerId", &mut this.controller_id)?;
            fields.read("topics", &mut this.topics)?;
            fields.read("clusterAuthorizedOperations", &mut this.cluster_authorized_operations)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for MetadataBroker {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("nodeId", &self.node_id);
            object.put("host", &self.host);
            object.put("port", &self.port);
            if version >= 1 {
                object.put("rack", &self.rack);
            }
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

    impl Json for MetadataTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("name", &self.name);
            if version >= 10 {
                object.put("topicId", &self.topic_id);
            }
            if version >= 1 {
                object.put("isInternal", &self.is_internal);
            }
            object.put("partitions", &self.partitions);
            if version >= 8 {
                object.put("topicAuthorizedOperations", &self.topic_authorized_operations);
            }
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

    impl Json for MetadataPartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("partitionIndex", &self.partition_index);
            object.put("leaderId", &self.leader_id);
            if version >= 7 {
                object.put("leaderEpoch", &self.leader_epoch);
            }
            object.put("replicaNodes", &self.replica_nodes);
            object.put("isrNodes", &self.isr_nodes);
            if version >= 5 {
                object.put("offlineReplicas", &self.offline_replicas);
            }
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
            fields.read("offlineReplicas", &mut this.offline_replicas)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
