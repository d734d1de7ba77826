//! DescribeGroups: the state and the members of groups of the classic protocol.
//!
//! - v1: Throttle time.
//! - v2: A throttled client is answered at once and waits by itself (KIP-219).
//! - v3: Which operations the client is allowed (KIP-430).
//! - v4: Members that keep their place over a restart (KIP-345).
//! - v5: Flexible.
//! - v6: A group that isn't there is an error, with a message; before, it was only `Dead` (KIP-1043).
//!
//! Generated from `messages/schema/015-describe-groups.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeGroupsRequest {
    pub groups: Vec<String>,
    /// (v3+)
    pub include_authorized_operations: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DescribeGroupsRequest {
    const NAME: &'static str = "DescribeGroupsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: i16 = 5;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            groups: from.array(1, Decoder::string)?,
            include_authorized_operations: if version >= 3 { from.bool()? } else { false },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.groups, |into, each| into.string(each))?;
        if version >= 3 {
            into.bool(self.include_authorized_operations);
        } else if self.include_authorized_operations {
            return Err(EncodeError::NotInVersion { field: "include_authorized_operations", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DescribeGroupsRequest {
    const API_KEY: i16 = 15;
    type Response = DescribeGroupsResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeGroupsResponse {
    /// (v1+)
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DescribeGroupsResponse {
    const NAME: &'static str = "DescribeGroupsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: i16 = 5;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: if version >= 1 { from.i32()? } else { 0 },
            groups: from.array(12, |from| DescribedGroup::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 1 {
            into.i32(self.throttle_time_ms);
        }
        into.array(&self.groups, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for DescribeGroupsResponse {
    const API_KEY: i16 = 15;
    type Request = DescribeGroupsRequest;
}

/// Of [`DescribeGroupsResponse::groups`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribedGroup {
    pub error_code: i16,
    /// (v6+)
    pub error_message: Option<String>,
    pub group_id: String,
    pub group_state: String,
    pub protocol_type: String,
    /// The name of the protocol of this generation; empty while there is none.
    pub protocol_data: String,
    pub members: Vec<DescribedGroupMember>,
    /// A bit per operation; the default means that nobody asked. (v3+)
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
            protocol_type: String::new(),
            protocol_data: String::new(),
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
            error_message: if version >= 6 { from.nullable_string()? } else { None },
            group_id: from.string()?,
            group_state: from.string()?,
            protocol_type: from.string()?,
            protocol_data: from.string()?,
            members: from.array(7, |from| DescribedGroupMember::decode(from, version))?,
            authorized_operations: if version >= 3 { from.i32()? } else { -2147483648 },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        if version >= 6 {
            into.nullable_string(self.error_message.as_deref())?;
        } else if self.error_message.is_some() {
            return Err(EncodeError::NotInVersion { field: "error_message", version });
        }
        into.string(&self.group_id)?;
        into.string(&self.group_state)?;
        into.string(&self.protocol_type)?;
        into.string(&self.protocol_data)?;
        into.array(&self.members, |into, each| each.encode(into, version))?;
        if version >= 3 {
            into.i32(self.authorized_operations);
        } else if self.authorized_operations != -2147483648 {
            return Err(EncodeError::NotInVersion { field: "authorized_operations", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribedGroup::members`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribedGroupMember {
    pub member_id: String,
    /// (v4+)
    pub group_instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    /// What it said when it joined, for the protocol of this generation.
    pub member_metadata: Bytes,
    pub member_assignment: Bytes,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DescribedGroupMember {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            member_id: from.string()?,
            group_instance_id: if version >= 4 { from.nullable_string()? } else { None },
            client_id: from.string()?,
            client_host: from.string()?,
            member_metadata: from.bytes()?,
            member_assignment: from.bytes()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.member_id)?;
        if version >= 4 {
            into.nullable_string(self.group_instance_id.as_deref())?;
        }
        into.string(&self.client_id)?;
        into.string(&self.client_host)?;
        into.bytes(&self.member_metadata)?;
        into.bytes(&self.member_assignment)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DescribeGroupsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groups", &self.groups);
            if version >= 3 {
                object.put("includeAuthorizedOperations", &self.include_authorized_operations);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groups", &mut this.groups)?;
            fields.read("includeAuthorizedOperations", &mut this.include_authorized_operations)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeGroupsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 1 {
                object.put("throttleTimeMs", &self.throttle_time_ms);
            }
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
            if version >= 6 {
                object.put("errorMessage", &self.error_message);
            }
            object.put("groupId", &self.group_id);
            object.put("groupState", &self.group_state);
            object.put("protocolType", &self.protocol_type);
            object.put("protocolData", &self.protocol_data);
            object.put("members", &self.members);
            if version >= 3 {
                object.put("authorizedOperations", &self.authorized_operations);
            }
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
            fields.read("protocolType", &mut this.protocol_type)?;
            fields.read("protocolData", &mut this.protocol_data)?;
            fields.read("members", &mut this.members)?;
            fields.read("authorizedOperations", &mut this.authorized_operations)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribedGroupMember {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("memberId", &self.member_id);
            if version >= 4 {
                object.put("groupInstanceId", &self.group_instance_id);
            }
            object.put("clientId", &self.client_id);
            object.put("clientHost", &self.client_host);
            object.put("memberMetadata", &self.member_metadata);
            object.put("memberAssignment", &self.member_assignment);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("memberId", &mut this.member_id)?;
            fields.read("groupInstanceId", &mut this.group_instance_id)?;
            fields.read("clientId", &mut this.client_id)?;
            fields.read("clientHost", &mut this.client_host)?;
            fields.read("memberMetadata", &mut this.member_metadata)?;
            fields.read("memberAssignment", &mut this.member_assignment)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
