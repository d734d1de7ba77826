//! DeleteTopics: topics, their partitions and their configuration are gone when the answer comes; their files soon after.
//!
//! - v2: A throttled client is answered at once and waits by itself (KIP-219).
//! - v3: TOPIC_DELETION_DISABLED where the broker forbids it; older clients hear INVALID_REQUEST.
//! - v4: Flexible.
//! - v5: Errors come with a message; THROTTLING_QUOTA_EXCEEDED instead of a delay (KIP-599).
//! - v6: Topics go by name or by id (KIP-516).
//!
//! Generated from `messages/schema/020-delete-topics.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DeleteTopicsRequest {
    /// (v6+)
    pub topics: Vec<DeleteTopicState>,
    /// (up to v5)
    pub topic_names: Vec<String>,
    /// How long the answer may wait until the topics are gone, in ms.
    pub timeout_ms: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DeleteTopicsRequest {
    const NAME: &'static str = "DeleteTopicsRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topics: if version >= 6 {
                from.array(18, |from| DeleteTopicState::decode(from, version))?
            } else {
                Vec::new()
            },
            topic_names: if version <= 5 { from.array(1, Decoder::string)? } else { Vec::new() },
            timeout_ms: from.i32()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 6 {
            into.array(&self.topics, |into, each| each.encode(into, version))?;
        } else if !self.topics.is_empty() {
            return Err(EncodeError::NotInVersion { field: "topics", version });
        }
        if version <= 5 {
            into.array(&self.topic_names, |into, each| into.string(each))?;
        }
        into.i32(self.timeout_ms);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DeleteTopicsRequest {
    const API_KEY: i16 = 20;
    type Response = DeleteTopicsResponse;
}

/// Of [`DeleteTopicsRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DeleteTopicState {
    /// Null: the id says which.
    pub name: Option<String>,
    /// Zero: the name says which. Both at once are an error.
    pub topic_id: Uuid,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DeleteTopicState {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { name: from.nullable_string()?, topic_id: from.uuid()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.nullable_string(self.name.as_deref())?;
        into.uuid(self.topic_id);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DeleteTopicsResponse {
    pub throttle_time_ms: i32,
    pub responses: Vec<DeletableTopicResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DeleteTopicsResponse {
    const NAME: &'static str = "DeleteTopicsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            responses: from.array(4, |from| DeletableTopicResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.array(&self.responses, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for DeleteTopicsResponse {
    const API_KEY: i16 = 20;
    type Request = DeleteTopicsRequest;
}

/// Of [`DeleteTopicsResponse::responses`].
#[derive(Clone, PartialEq, Debug)]
pub struct DeletableTopicResult {
    /// Null: the id that was asked for is not known, or its name not for this client.
    pub name: Option<String>,
    /// (v6+)
    pub topic_id: Uuid,
    pub error_code: i16,
    /// (v5+)
    pub error_message: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DeletableTopicResult {
    fn default() -> Self {
        Self {
            name: Some(String::new()),
            topic_id: Uuid::ZERO,
            error_code: 0,
            error_message: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl DeletableTopicResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: if version >= 6 { from.nullable_string()? } else { Some(from.string()?) },
            topic_id: if version >= 6 { from.uuid()? } else { Uuid::ZERO },
            error_code: from.i16()?,
            error_message: if version >= 5 { from.nullable_string()? } else { None },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        if version >= 6 {
            into.nullable_string(self.name.as_deref())?;
        } else {
            let value = self.name.as_ref().ok_or(EncodeError::Null { field: "name", version })?;
            into.string(value)?;
        }
        if version >= 6 {
            into.uuid(self.topic_id);
        }
        into.i16(self.error_code);
        if version >= 5 {
            into.nullable_string(self.error_message.as_deref())?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DeleteTopicsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 6 {
                object.put("topics", &self.topics);
            }
            if version <= 5 {
                object.put("topicNames", &self.topic_names);
            }
            object.put("timeoutMs", &self.timeout_ms);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topics", &mut this.topics)?;
            fields.read("topicNames", &mut this.topic_names)?;
            fields.read("timeoutMs", &mut this.timeout_ms)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DeleteTopicState {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("topicId", &self.topic_id);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DeleteTopicsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("responses", &self.responses);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("responses", &mut this.responses)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DeletableTopicResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            if version >= 6 {
                object.put("topicId", &self.topic_id);
            }
            object.put("errorCode", &self.error_code);
            if version >= 5 {
                object.put("errorMessage", &self.error_message);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
