//! JoinGroup: a client asks to be a member, or a member to stay one while the group forms its next generation.
//!
//! The answer waits until all members have joined or the rebalance timeout is over. One of them is made the leader: it is
//! told who the others are and what they want, and goes on with SyncGroup.
//!
//! - v1: How long a rebalance may take is apart from how long a member may be silent (KIP-62).
//! - v2: Throttle time.
//! - v3: A throttled client is answered at once and waits by itself (KIP-219).
//! - v4: A new client first gets its id with MEMBER_ID_REQUIRED, and joins with that (KIP-394).
//! - v5: Members that keep their place over a restart (KIP-345).
//! - v6: Flexible.
//! - v7: The response tells the type of the protocol, and may leave its name null (KIP-559).
//! - v8: Why the client joins, for the broker's log (KIP-800).
//! - v9: A leader that came back is told to leave the assignment as it is (KIP-814).
//!
//! Generated from `messages/schema/011-join-group.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct JoinGroupRequest {
    pub group_id: String,
    /// A member that is silent for longer is out, in ms.
    pub session_timeout_ms: i32,
    /// How long others wait for this member to join again; -1: the session's. (v1+)
    pub rebalance_timeout_ms: i32,
    /// Empty: a new member.
    pub member_id: String,
    /// Of a member that keeps its place. (v5+)
    pub group_instance_id: Option<String>,
    /// `consumer`, or another kind of group; one kind in a group.
    pub protocol_type: String,
    /// What the member can do, the best first.
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// (v8+)
    pub reason: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for JoinGroupRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            session_timeout_ms: 0,
            rebalance_timeout_ms: -1,
            member_id: String::new(),
            group_instance_id: None,
            protocol_type: String::new(),
            protocols: Vec::new(),
            reason: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for JoinGroupRequest {
    const NAME: &'static str = "JoinGroupRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 9;
    const FLEXIBLE_FROM: i16 = 6;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: from.string()?,
            session_timeout_ms: from.i32()?,
            rebalance_timeout_ms: if version >= 1 { from.i32()? } else { -1 },
            member_id: from.string()?,
            group_instance_id: if version >= 5 { from.nullable_string()? } else { None },
            protocol_type: from.string()?,
            protocols: from.array(3, |from| JoinGroupRequestProtocol::decode(from, version))?,
            reason: if version >= 8 { from.nullable_string()? } else { None },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        into.i32(self.session_timeout_ms);
        if version >= 1 {
            into.i32(self.rebalance_timeout_ms);
        }
        into.string(&self.member_id)?;
        if version >= 5 {
            into.nullable_string(self.group_instance_id.as_deref())?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::NotInVersion { field: "group_instance_id", version });
        }
        into.string(&self.protocol_type)?;
        into.array(&self.protocols, |into, each| each.encode(into, version))?;
        if version >= 8 {
            into.nullable_string(self.reason.as_deref())?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for JoinGroupRequest {
    const API_KEY: i16 = 11;
    type Response = JoinGroupResponse;
}

/// Of [`JoinGroupRequest::protocols`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct JoinGroupRequestProtocol {
    /// Of an assignor, for consumers.
    pub name: String,
    /// A subscription, for consumers.
    pub metadata: Bytes,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl JoinGroupRequestProtocol {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { name: from.string()?, metadata: from.bytes()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.bytes(&self.metadata)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct JoinGroupResponse {
    /// (v2+)
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub generation_id: i32,
    /// (v7+)
    pub protocol_type: Option<String>,
    /// The protocol that all members can do and most like best.
    pub protocol_name: Option<String>,
    /// The member id of the leader.
    pub leader: String,
    /// For the leader: nothing has changed, assign nothing. (v9+)
    pub skip_assignment: bool,
    pub member_id: String,
    /// For the leader only.
    pub members: Vec<JoinGroupResponseMember>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for JoinGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            generation_id: -1,
            protocol_type: None,
            protocol_name: Some(String::new()),
            leader: String::new(),
            skip_assignment: false,
            member_id: String::new(),
            members: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for JoinGroupResponse {
    const NAME: &'static str = "JoinGroupResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 9;
    const FLEXIBLE_FROM: i16 = 6;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: if version >= 2 { from.i32()? } else { 0 },
            error_code: from.i16()?,
            generation_id: from.i32()?,
            protocol_type: if version >= 7 { from.nullable_string()? } else { None },
            protocol_name: if version >= 7 { from.nullable_string()? } else { Some(from.string()?) },
            leader: from.string()?,
            skip_assignment: if version >= 9 { from.bool()? } else { false },
            member_id: from.string()?,
            members: from.array(4, |from| JoinGroupResponseMember::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 2 {
            into.i32(self.throttle_time_ms);
        }
        into.i16(self.error_code);
        into.i32(self.generation_id);
        if version >= 7 {
            into.nullable_string(self.protocol_type.as_deref())?;
        }
        if version >= 7 {
            into.nullable_string(self.protocol_name.as_deref())?;
        } else {
            let value = self.protocol_name.as_ref().ok_or(EncodeError::Null { field: "protocol_name", version })?;
            into.string(value)?;
        }
        into.string(&self.leader)?;
        if version >= 9 {
            into.bool(self.skip_assignment);
        } else if self.skip_assignment {
            return Err(EncodeError::NotInVersion { field: "skip_assignment", version });
        }
        into.string(&self.member_id)?;
        into.array(&self.members, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for JoinGroupResponse {
    const API_KEY: i16 = 11;
    type Request = JoinGroupRequest;
}

/// Of [`JoinGroupResponse::members`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct JoinGroupResponseMember {
    pub member_id: String,
    /// (v5+)
    pub group_instance_id: Option<String>,
    pub metadata: Bytes,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl JoinGroupResponseMember {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            member_id: from.string()?,
            group_instance_id: if version >= 5 { from.nullable_string()? } else { None },
            metadata: from.bytes()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.member_id)?;
        if version >= 5 {
            into.nullable_string(self.group_instance_id.as_deref())?;
        }
        into.bytes(&self.metadata)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for JoinGroupRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("sessionTimeoutMs", &self.session_timeout_ms);
            if version >= 1 {
                object.put("rebalanceTimeoutMs", &self.rebalance_timeout_ms);
            }
            object.put("memberId", &self.member_id);
            if version >= 5 {
                object.put("groupInstanceId", &self.group_instance_id);
            }
            object.put("protocolType", &self.protocol_type);
            object.put("protocols", &self.protocols);
            if version >= 8 {
                object.put("reason", &self.reason);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("sessionTimeoutMs", &mut this.session_timeout_ms)?;
            fields.read("rebalanceTimeoutMs", &mut this.rebalance_timeout_ms)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("groupInstanceId", &mut this.group_instance_id)?;
            fields.read("protocolType", &mut this.protocol_type)?;
            fields.read("protocols", &mut this.protocols)?;
            fields.read("reason", &mut this.reason)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for JoinGroupRequestProtocol {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("metadata", &self.metadata);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("metadata", &mut this.metadata)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for JoinGroupResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 2 {
                object.put("throttleTimeMs", &self.throttle_time_ms);
            }
            object.put("errorCode", &self.error_code);
            object.put("generationId", &self.generation_id);
            if version >= 7 {
                object.put("protocolType", &self.protocol_type);
            }
            object.put("protocolName", &self.protocol_name);
            object.put("leader", &self.leader);
            if version >= 9 {
                object.put("skipAssignment", &self.skip_assignment);
            }
            object.put("memberId", &self.member_id);
            object.put("members", &self.members);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("generationId", &mut this.generation_id)?;
            fields.read("protocolType", &mut this.protocol_type)?;
            fields.read("protocolName", &mut this.protocol_name)?;
            fields.read("leader", &mut this.leader)?;
            fields.read("skipAssignment", &mut this.skip_assignment)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.read("members", &mut this.members)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for JoinGroupResponseMember {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("memberId", &self.member_id);
            if version >= 5 {
                object.put("groupInstanceId", &self.group_instance_id);
            }
            object.put("metadata", &self.metadata);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("memberId", &mut this.member_id)?;
            fields.read("groupInstanceId", &mut this.group_instance_id)?;
            fields.read("metadata", &mut this.metadata)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
