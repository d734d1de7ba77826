//! ShareAcknowledge: tells what became of acquired records, without fetching more (KIP-932).
//!
//! It belongs to the session of ShareFetch, and may end it: what the member still holds is then released. Version 0, of
//! an early trial, is gone.
//!
//! - v2: Locks may be renewed (KIP-1222).
//!
//! Generated from `messages/schema/079-share-acknowledge.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct ShareAcknowledgeRequest {
    pub group_id: Option<String>,
    pub member_id: Option<String>,
    /// -1: the end of the session; else the number of this request in it, never 0.
    pub share_session_epoch: i32,
    /// Some type below is 4. (v2+)
    pub is_renew_ack: bool,
    pub topics: Vec<AcknowledgeTopic>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ShareAcknowledgeRequest {
    fn default() -> Self {
        Self {
            group_id: None,
            member_id: Some(String::new()),
            share_session_epoch: 0,
            is_renew_ack: false,
            topics: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for ShareAcknowledgeRequest {
    const NAME: &'static str = "ShareAcknowledgeRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 1;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: from.nullable_string()?,
            member_id: from.nullable_string()?,
            share_session_epoch: from.i32()?,
            is_renew_ack: if version >= 2 { from.bool()? } else { false },
            topics: from.array(18, |from| AcknowledgeTopic::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.nullable_string(self.group_id.as_deref())?;
        into.nullable_string(self.member_id.as_deref())?;
        into.i32(self.share_session_epoch);
        if version >= 2 {
            into.bool(self.is_renew_ack);
        } else if self.is_renew_ack {
            return Err(EncodeError::NotInVersion { field: "is_renew_ack", version });
        }
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for ShareAcknowledgeRequest {
    const API_KEY: i16 = 79;
    type Response = ShareAcknowledgeResponse;
}

/// Of [`ShareAcknowledgeRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AcknowledgeTopic {
    pub topic_id: Uuid,
    pub partitions: Vec<AcknowledgePartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl AcknowledgeTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_id: from.uuid()?,
            partitions: from.array(6, |from| AcknowledgePartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.uuid(self.topic_id);
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`AcknowledgeTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct AcknowledgePartition {
    pub partition_index: PartitionIndex,
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for AcknowledgePartition {
    fn default() -> Self {
        Self { partition_index: PartitionIndex(0), acknowledgement_batches: Vec::new(), unknown_tags: Vec::new() }
    }
}

impl AcknowledgePartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            acknowledgement_batches: from.array(18, |from| AcknowledgementBatch::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.array(&self.acknowledgement_batches, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`AcknowledgePartition::acknowledgement_batches`].
#[derive(Clone, PartialEq, Debug)]
pub struct AcknowledgementBatch {
    pub first_offset: Offset,
    /// Of the last record.
    pub last_offset: Offset,
    /// 0 gap (no such record), 1 accept, 2 release, 3 reject, 4 renew (v2+); one for all, or one for each offset.
    pub acknowledge_types: Vec<i8>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for AcknowledgementBatch {
    fn default() -> Self {
        Self {
            first_offset: Offset(0),
            last_offset: Offset(0),
            acknowledge_types: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl AcknowledgementBatch {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            first_offset: Offset(from.i64()?),
            last_offset: Offset(from.i64()?),
            acknowledge_types: from.array(1, Decoder::i8)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i64(self.first_offset.0);
        into.i64(self.last_offset.0);
        into.plain_array(&self.acknowledge_types, |into, each| into.i8(*each))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareAcknowledgeResponse {
    pub throttle_time_ms: i32,
    /// Of the whole request: mostly of its session.
    pub error_code: i16,
    pub error_message: Option<String>,
    /// How long renewed records are locked, in ms. (v2+)
    pub acquisition_lock_timeout_ms: i32,
    pub responses: Vec<ShareAcknowledgeTopicResponse>,
    /// Where the leaders named above are found.
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ShareAcknowledgeResponse {
    const NAME: &'static str = "ShareAcknowledgeResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 1;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            acquisition_lock_timeout_ms: if version >= 2 { from.i32()? } else { 0 },
            responses: from.array(18, |from| ShareAcknowledgeTopicResponse::decode(from, version))?,
            node_endpoints: from.array(11, |from| NodeEndpoint::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        if version >= 2 {
            into.i32(self.acquisition_lock_timeout_ms);
        }
        into.array(&self.responses, |into, each| each.encode(into, version))?;
        into.array(&self.node_endpoints, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for ShareAcknowledgeResponse {
    const API_KEY: i16 = 79;
    type Request = ShareAcknowledgeRequest;
}

/// Of [`ShareAcknowledgeResponse::responses`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareAcknowledgeTopicResponse {
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ShareAcknowledgeTopicResponse {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_id: from.uuid()?,
            partitions: from.array(17, |from| PartitionData::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.uuid(self.topic_id);
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ShareAcknowledgeTopicResponse::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionData {
    pub partition_index: PartitionIndex,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// After NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH.
    pub current_leader: LeaderIdAndEpoch,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: PartitionIndex(0),
            error_code: 0,
            error_message: None,
            current_leader: LeaderIdAndEpoch::default(),
            unknown_tags: Vec::new(),
        }
    }
}

impl PartitionData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            current_leader: LeaderIdAndEpoch::decode(from, version)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        self.current_leader.encode(into, version)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`PartitionData::current_leader`].
#[derive(Clone, PartialEq, Debug)]
pub struct LeaderIdAndEpoch {
    /// -1: not known.
    pub leader_id: i32,
    pub leader_epoch: LeaderEpoch,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self { leader_id: 0, leader_epoch: LeaderEpoch(0), unknown_tags: Vec::new() }
    }
}

impl LeaderIdAndEpoch {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            leader_id: from.i32()?,
            leader_epoch: LeaderEpoch(from.i32()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.leader_id);
        into.i32(self.leader_epoch.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ShareAcknowledgeResponse::node_endpoints`].
#[derive(Clone, PartialEq, Debug)]
pub struct NodeEndpoint {
    pub node_id: BrokerId,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for NodeEndpoint {
    fn default() -> Self {
        Self { node_id: BrokerId(0), host: String::new(), port: 0, rack: None, unknown_tags: Vec::new() }
    }
}

impl NodeEndpoint {
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

    impl Json for ShareAcknowledgeRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("memberId", &self.member_id);
            object.put("shareSessionEpoch", &self.share_session_epoch);
            if version >= 2 {
                object.put("isRenewAck", &self.is_renew_ack);
            }
            object.put("topics", &self.topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("shareSessionEpoch", &mut this.share_session_epoch)?;
            fields.read("isRenewAck", &mut this.is_renew_ack)?;
            fields.read("topics", &mut this.topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AcknowledgeTopic {
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

    impl Json for AcknowledgePartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("acknowledgementBatches", &self.acknowledgement_batches);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("acknowledgementBatches", &mut this.acknowledgement_batches)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AcknowledgementBatch {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("firstOffset", &self.first_offset);
            object.put("lastOffset", &self.last_offset);
            object.put("acknowledgeTypes", &self.acknowledge_types);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("firstOffset", &mut this.first_offset)?;
            fields.read("lastOffset", &mut this.last_offset)?;
            fields.read("acknowledgeTypes", &mut this.acknowledge_types)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ShareAcknowledgeResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            if version >= 2 {
                object.put("acquisitionLockTimeoutMs", &self.acquisition_lock_timeout_ms);
            }
            object.put("responses", &self.responses);
            object.put("nodeEndpoints", &self.node_endpoints);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("acquisitionLockTimeoutMs", &mut this.acquisition_lock_timeout_ms)?;
            fields.read("responses", &mut this.responses)?;
            fields.read("nodeEndpoints", &mut this.node_endpoints)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ShareAcknowledgeTopicResponse {
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

    impl Json for PartitionData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("currentLeader", &self.current_leader);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("currentLeader", &mut this.current_leader)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for LeaderIdAndEpoch {
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

    impl Json for NodeEndpoint {
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
