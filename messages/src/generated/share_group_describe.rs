//! ShareGroupDescribe: the state and the members of share groups (KIP-932).
//!
//! Version 0, of an early trial, is gone.
//!
//! Generated from `messages/schema/077-share-group-describe.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareGroupDescribeRequest {
    pub group_ids: Vec<String>,
    pub include_authorized_operations: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ShareGroupDescribeRequest {
    const NAME: &'static str = "ShareGroupDescribeRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;

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

impl Request for ShareGroupDescribeRequest {
    const API_KEY: i16 = 77;
    type Response = ShareGroupDescribeResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareGroupDescribeResponse {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ShareGroupDescribeResponse {
    const NAME: &'static str = "ShareGroupDescribeResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;

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

impl Response for ShareGroupDescribeResponse {
    const API_KEY: i16 = 77;
    type Request = ShareGroupDescribeRequest;
}

/// Of [`ShareGroupDescribeResponse::groups`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribedGroup {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub group_id: String,
    /// Empty, Stable or Dead.
    pub group_state: String,
    /// Goes up when members, subscriptions or topics change.
    pub group_epoch: i32,
    /// The group epoch that the target assignment was made for.
    pub assignment_epoch: i32,
    pub assignor_name: String,
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
            assignor_name: String::new(),
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
            assignor_name: from.string()?,
            members: from.array(12, |from| Member::decode(from, version))?,
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
        into.string(&self.assignor_name)?;
        into.array(&self.members, |into, each| each.encode(into, version))?;
        into.i32(self.authorized_operations);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribedGroup::members`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Member {
    pub member_id: String,
    pub rack_id: Option<String>,
    /// The assignment epoch that the member has come to.
    pub member_epoch: i32,
    pub client_id: String,
    pub client_host: String,
    pub subscribed_topic_names: Vec<String>,
    pub assignment: Assignment,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Member {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            member_id: from.string()?,
            rack_id: from.nullable_string()?,
            member_epoch: from.i32()?,
            client_id: from.string()?,
            client_host: from.string()?,
            subscribed_topic_names: from.array(1, Decoder::string)?,
            assignment: Assignment::decode(from, version)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.member_id)?;
        into.nullable_string(self.rack_id.as_deref())?;
        into.i32(self.member_epoch);
        into.string(&self.client_id)?;
        into.string(&self.client_host)?;
        into.array(&self.subscribed_topic_names, |into, each| into.string(each))?;
        self.assignment.encode(into, version)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Member::assignment`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Assignment {
    pub topic_partitions: Vec<TopicPartitions>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Assignment {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_partitions: from.array(19, |from| TopicPartitions::decode(from, version))?,
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
    pub topic_name: String,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicPartitions {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_id: from.uuid()?,
            topic_name: from.string()?,
            partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.uuid(self.topic_id);
        into.string(&self.topic_name)?;
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ShareGroupDescribeRequest {
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

    impl Json for ShareGroupDescribeResponse {
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
            object.put("assignorName", &self.assignor_name);
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
            fields.read("assignorName", &mut this.assignor_name)?;
            fields.read("members", &mut this.members)?;
            fields.read("authorizedOperations", &mut this.authorized_operations)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Member {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("memberId", &self.member_id);
            object.put("rackId", &self.rack_id);
            object.put("memberEpoch", &self.member_epoch);
            object.put("clientId", &self.client_id);
            object.put("clientHost", &self.client_host);
            object.put("subscribedTopicNames", &self.subscribed_topic_names);
            object.put("assignment", &self.assignment);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("memberId", &mut this.member_id)?;
            fields.read("rackId", &mut this.rack_id)?;
            fields.read("memberEpoch", &mut this.member_epoch)?;
            fields.read("clientId", &mut this.client_id)?;
            fields.read("clientHost", &mut this.client_host)?;
            fields.read("subscribedTopicNames", &mut this.subscribed_topic_names)?;
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
            object.put("topicName", &self.topic_name);
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("topicName", &mut this.topic_name)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
