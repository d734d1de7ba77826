//! Heartbeat: a member is alive. The answer's error tells it to join again, or that it is no member any more.
//!
//! - v1: Throttle time.
//! - v2: A throttled client is answered at once and waits by itself (KIP-219).
//! - v3: Members that keep their place over a restart (KIP-345).
//! - v4: Flexible.
//!
//! Generated from `messages/schema/012-heartbeat.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct HeartbeatRequest {
    pub group_id: String,
    pub generation_id: i32,
    pub member_id: String,
    /// Of a member that keeps its place. (v3+)
    pub group_instance_id: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for HeartbeatRequest {
    const NAME: &'static str = "HeartbeatRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: from.string()?,
            generation_id: from.i32()?,
            member_id: from.string()?,
            group_instance_id: if version >= 3 { from.nullable_string()? } else { None },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        into.i32(self.generation_id);
        into.string(&self.member_id)?;
        if version >= 3 {
            into.nullable_string(self.group_instance_id.as_deref())?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::NotInVersion { field: "group_instance_id", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for HeartbeatRequest {
    const API_KEY: i16 = 12;
    type Response = HeartbeatResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct HeartbeatResponse {
    /// (v1+)
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for HeartbeatResponse {
    const NAME: &'static str = "HeartbeatResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: if version >= 1 { from.i32()? } else { 0 },
            error_code: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 1 {
            into.i32(self.throttle_time_ms);
        }
        into.i16(self.error_code);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for HeartbeatResponse {
    const API_KEY: i16 = 12;
    type Request = HeartbeatRequest;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for HeartbeatRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("generationId", &self.generation_id);
            object.put("memberId", &self.member_id);
            if version >= 3 {
                object.put("groupInstanceId", &self.group_instance_id);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("generationId", &mut this.generation_id)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("groupInstanceId", &mut this.group_instance_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for HeartbeatResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 1 {
                object.put("throttleTimeMs", &self.throttle_time_ms);
            }
            object.put("errorCode", &self.error_code);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
