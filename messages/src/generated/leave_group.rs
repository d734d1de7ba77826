//! LeaveGroup: members go, without waiting for their session to end.
//!
//! - v1: Throttle time.
//! - v2: A throttled client is answered at once and waits by itself (KIP-219).
//! - v3: Many members in one request; those that keep their place can be removed by their instance (KIP-345).
//! - v4: Flexible.
//! - v5: Why they leave, for the broker's log (KIP-800).
//!
//! Generated from `messages/schema/013-leave-group.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LeaveGroupRequest {
    pub group_id: String,
    /// (up to v2)
    pub member_id: String,
    /// (v3+)
    pub members: Vec<MemberIdentity>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for LeaveGroupRequest {
    const NAME: &'static str = "LeaveGroupRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: from.string()?,
            member_id: if version <= 2 { from.string()? } else { String::new() },
            members: if version >= 3 {
                from.array(3, |from| MemberIdentity::decode(from, version))?
            } else {
                Vec::new()
            },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        if version <= 2 {
            into.string(&self.member_id)?;
        } else if !self.member_id.is_empty() {
            return Err(EncodeError::NotInVersion { field: "member_id", version });
        }
        if version >= 3 {
            into.array(&self.members, |into, each| each.encode(into, version))?;
        } else if !self.members.is_empty() {
            return Err(EncodeError::NotInVersion { field: "members", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for LeaveGroupRequest {
    const API_KEY: i16 = 13;
    type Response = LeaveGroupResponse;
}

/// Of [`LeaveGroupRequest::members`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MemberIdentity {
    /// Empty: the instance says which.
    pub member_id: String,
    pub group_instance_id: Option<String>,
    /// (v5+)
    pub reason: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl MemberIdentity {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            member_id: from.string()?,
            group_instance_id: from.nullable_string()?,
            reason: if version >= 5 { from.nullable_string()? } else { None },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.member_id)?;
        into.nullable_string(self.group_instance_id.as_deref())?;
        if version >= 5 {
            into.nullable_string(self.reason.as_deref())?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LeaveGroupResponse {
    /// (v1+)
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// (v3+)
    pub members: Vec<MemberResponse>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for LeaveGroupResponse {
    const NAME: &'static str = "LeaveGroupResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: if version >= 1 { from.i32()? } else { 0 },
            error_code: from.i16()?,
            members: if version >= 3 {
                from.array(5, |from| MemberResponse::decode(from, version))?
            } else {
                Vec::new()
            },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 1 {
            into.i32(self.throttle_time_ms);
        }
        into.i16(self.error_code);
        if version >= 3 {
            into.array(&self.members, |into, each| each.encode(into, version))?;
        } else if !self.members.is_empty() {
            return Err(EncodeError::NotInVersion { field: "members", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for LeaveGroupResponse {
    const API_KEY: i16 = 13;
    type Request = LeaveGroupRequest;
}

/// Of [`LeaveGroupResponse::members`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MemberResponse {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl MemberResponse {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            member_id: from.string()?,
            group_instance_id: from.nullable_string()?,
            error_code: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.member_id)?;
        into.nullable_string(self.group_instance_id.as_deref())?;
        into.i16(self.error_code);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for LeaveGroupRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            if version <= 2 {
                object.put("memberId", &self.member_id);
            }
            if version >= 3 {
                object.put("members", &self.members);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("members", &mut this.members)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for MemberIdentity {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("memberId", &self.member_id);
            object.put("groupInstanceId", &self.group_instance_id);
            if version >= 5 {
                object.put("reason", &self.reason);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("memberId", &mut this.member_id)?;
            fields.read("groupInstanceId", &mut this.group_instance_id)?;
            fields.read("reason", &mut this.reason)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for LeaveGroupResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 1 {
                object.put("throttleTimeMs", &self.throttle_time_ms);
            }
            object.put("errorCode", &self.error_code);
            if version >= 3 {
                object.put("members", &self.members);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("members", &mut this.members)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for MemberResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("memberId", &self.member_id);
            object.put("groupInstanceId", &self.group_instance_id);
            object.put("errorCode", &self.error_code);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("memberId", &mut this.member_id)?;
            fields.read("groupInstanceId", &mut this.group_instance_id)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
