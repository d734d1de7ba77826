//! CreatePartitions: a topic has more partitions from here on. There is no way back.
//!
//! - v1: A throttled client is answered at once and waits by itself (KIP-219).
//! - v2: Flexible.
//! - v3: THROTTLING_QUOTA_EXCEEDED instead of a delay (KIP-599).
//!
//! Generated from `messages/schema/037-create-partitions.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreatePartitionsRequest {
    pub topics: Vec<CreatePartitionsTopic>,
    /// How long the answer may wait until the partitions are there, in ms.
    pub timeout_ms: i32,
    /// Check everything, create nothing.
    pub validate_only: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for CreatePartitionsRequest {
    const NAME: &'static str = "CreatePartitionsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topics: from.array(7, |from| CreatePartitionsTopic::decode(from, version))?,
            timeout_ms: from.i32()?,
            validate_only: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.i32(self.timeout_ms);
        into.bool(self.validate_only);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for CreatePartitionsRequest {
    const API_KEY: i16 = 37;
    type Response = CreatePartitionsResponse;
}

/// Of [`CreatePartitionsRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreatePartitionsTopic {
    pub name: String,
    /// How many there are to be, with those that there are.
    pub count: i32,
    /// Of the new ones, in order; null: the controller places them.
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl CreatePartitionsTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            count: from.i32()?,
            assignments: from.nullable_array(2, |from| CreatePartitionsAssignment::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.i32(self.count);
        into.nullable_array(self.assignments.as_deref(), |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`CreatePartitionsTopic::assignments`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreatePartitionsAssignment {
    pub broker_ids: Vec<BrokerId>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl CreatePartitionsAssignment {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            broker_ids: from.array(4, |from| Ok(BrokerId(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.plain_array(&self.broker_ids, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreatePartitionsResponse {
    pub throttle_time_ms: i32,
    pub results: Vec<CreatePartitionsTopicResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for CreatePartitionsResponse {
    const NAME: &'static str = "CreatePartitionsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            results: from.array(5, |from| CreatePartitionsTopicResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.array(&self.results, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for CreatePartitionsResponse {
    const API_KEY: i16 = 37;
    type Request = CreatePartitionsRequest;
}

/// Of [`CreatePartitionsResponse::results`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreatePartitionsTopicResult {
    pub name: String,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl CreatePartitionsTopicResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for CreatePartitionsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topics", &self.topics);
            object.put("timeoutMs", &self.timeout_ms);
            object.put("validateOnly", &self.validate_only);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topics", &mut this.topics)?;
            fields.read("timeoutMs", &mut this.timeout_ms)?;
            fields.read("validateOnly", &mut this.validate_only)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CreatePartitionsTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("count", &self.count);
            object.put("assignments", &self.assignments);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("count", &mut this.count)?;
            fields.read("assignments", &mut this.assignments)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CreatePartitionsAssignment {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("brokerIds", &self.broker_ids);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("brokerIds", &mut this.broker_ids)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CreatePartitionsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("results", &self.results);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("results", &mut this.results)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CreatePartitionsTopicResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
