//! SyncGroup: every member asks what its part is; the leader also says what everybody's part is.
//!
//! The members' answers wait for the leader's request.
//!
//! - v1: Throttle time.
//! - v2: A throttled client is answered at once and waits by itself (KIP-219).
//! - v3: Members that keep their place over a restart (KIP-345).
//! - v4: Flexible.
//! - v5: Both sides name the protocol, so that a mistake shows (KIP-559).
//!
//! Generated from `messages/schema/014-sync-group.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SyncGroupRequest {
    pub group_id: String,
    pub generation_id: i32,
    pub member_id: String,
    /// Of a member that keeps its place. (v3+)
    pub group_instance_id: Option<String>,
    /// (v5+)
    pub protocol_type: Option<String>,
    /// (v5+)
    pub protocol_name: Option<String>,
    /// From the leader only.
    pub assignments: Vec<SyncGroupRequestAssignment>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for SyncGroupRequest {
    const NAME: &'static str = "SyncGroupRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: from.string()?,
            generation_id: from.i32()?,
            member_id: from.string()?,
            group_instance_id: if version >= 3 { from.nullable_string()? } else { None },
            protocol_type: if version >= 5 { from.nullable_string()? } else { None },
            protocol_name: if version >= 5 { from.nullable_string()? } else { None },
            assignments: from.array(3, |from| SyncGroupRequestAssignment::decode(from, version))?,
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
        if version >= 5 {
            into.nullable_string(self.protocol_type.as_deref())?;
            into.nullable_string(self.protocol_name.as_deref())?;
        }
        into.array(&self.assignments, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for SyncGroupRequest {
    const API_KEY: i16 = 14;
    type Response = SyncGroupResponse;
}

/// Of [`SyncGroupRequest::assignments`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SyncGroupRequestAssignment {
    pub member_id: String,
    pub assignment: Bytes,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl SyncGroupRequestAssignment {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { member_id: from.string()?, assignment: from.bytes()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.member_id)?;
        into.bytes(&self.assignment)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SyncGroupResponse {
    /// (v1+)
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// (v5+)
    pub protocol_type: Option<String>,
    /// (v5+)
    pub protocol_name: Option<String>,
    /// Empty on an error.
    pub assignment: Bytes,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for SyncGroupResponse {
    const NAME: &'static str = "SyncGroupResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: if version >= 1 { from.i32()? } else { 0 },
            error_code: from.i16()?,
            protocol_type: if version >= 5 { from.nullable_string()? } else { None },
            protocol_name: if version >= 5 { from.nullable_string()? } else { None },
            assignment: from.bytes()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 1 {
            into.i32(self.throttle_time_ms);
        }
        into.i16(self.error_code);
        if version >= 5 {
            into.nullable_string(self.protocol_type.as_deref())?;
            into.nullable_string(self.protocol_name.as_deref())?;
        }
        into.bytes(&self.assignment)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for SyncGroupResponse {
    const API_KEY: i16 = 14;
    type Request = SyncGroupRequest;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for SyncGroupRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("generationId", &self.generation_id);
            object.put("memberId", &self.member_id);
            if version >= 3 {
                object.put("groupInstanceId", &self.group_instance_id);
            }
            if version >= 5 {
                object.put("protocolType", &self.protocol_type);
            }
            if version >= 5 {
                object.put("protocolName", &self.protocol_name);
            }
            object.put("assignments", &self.assignments);
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
            fields.read("protocolType", &mut this.protocol_type)?;
            fields.read("protocolName", &mut this.protocol_name)?;
            fields.read("assignments", &mut this.assignments)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for SyncGroupRequestAssignment {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("memberId", &self.member_id);
            object.put("assignment", &self.assignment);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("memberId", &mut this.member_id)?;
            fields.read("assignment", &mut this.assignment)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for SyncGroupResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 1 {
                object.put("throttleTimeMs", &self.throttle_time_ms);
            }
            object.put("errorCode", &self.error_code);
            if version >= 5 {
                object.put("protocolType", &self.protocol_type);
            }
            if version >= 5 {
                object.put("protocolName", &self.protocol_name);
            }
            object.put("assignment", &self.assignment);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("protocolType", &mut this.protocol_type)?;
            fields.read("protocolName", &mut this.protocol_name)?;
            fields.read("assignment", &mut this.assignment)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
