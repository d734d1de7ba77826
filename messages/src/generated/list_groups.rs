//! ListGroups: the groups that this broker looks after. Whoever wants all asks every broker.
//!
//! - v1: Throttle time.
//! - v2: A throttled client is answered at once and waits by itself (KIP-219).
//! - v3: Flexible.
//! - v4: Groups by their state (KIP-518).
//! - v5: Groups by their type (KIP-848).
//!
//! Generated from `messages/schema/016-list-groups.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ListGroupsRequest {
    /// Empty: in any state. (v4+)
    pub states_filter: Vec<String>,
    /// Empty: of any type. (v5+)
    pub types_filter: Vec<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ListGroupsRequest {
    const NAME: &'static str = "ListGroupsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            states_filter: if version >= 4 { from.array(1, Decoder::string)? } else { Vec::new() },
            types_filter: if version >= 5 { from.array(1, Decoder::string)? } else { Vec::new() },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 4 {
            into.array(&self.states_filter, |into, each| into.string(each))?;
        } else if !self.states_filter.is_empty() {
            return Err(EncodeError::NotInVersion { field: "states_filter", version });
        }
        if version >= 5 {
            into.array(&self.types_filter, |into, each| into.string(each))?;
        } else if !self.types_filter.is_empty() {
            return Err(EncodeError::NotInVersion { field: "types_filter", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for ListGroupsRequest {
    const API_KEY: i16 = 16;
    type Response = ListGroupsResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ListGroupsResponse {
    /// (v1+)
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub groups: Vec<ListedGroup>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ListGroupsResponse {
    const NAME: &'static str = "ListGroupsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: if version >= 1 { from.i32()? } else { 0 },
            error_code: from.i16()?,
            groups: from.array(3, |from| ListedGroup::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 1 {
            into.i32(self.throttle_time_ms);
        }
        into.i16(self.error_code);
        into.array(&self.groups, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for ListGroupsResponse {
    const API_KEY: i16 = 16;
    type Request = ListGroupsRequest;
}

/// Of [`ListGroupsResponse::groups`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ListedGroup {
    pub group_id: String,
    pub protocol_type: String,
    /// (v4+)
    pub group_state: String,
    /// `classic`, `consumer` and so on. (v5+)
    pub group_type: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ListedGroup {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            group_id: from.string()?,
            protocol_type: from.string()?,
            group_state: if version >= 4 { from.string()? } else { String::new() },
            group_type: if version >= 5 { from.string()? } else { String::new() },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.group_id)?;
        into.string(&self.protocol_type)?;
        if version >= 4 {
            into.string(&self.group_state)?;
        }
        if version >= 5 {
            into.string(&self.group_type)?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ListGroupsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 4 {
                object.put("statesFilter", &self.states_filter);
            }
            if version >= 5 {
                object.put("typesFilter", &self.types_filter);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("statesFilter", &mut this.states_filter)?;
            fields.read("typesFilter", &mut this.types_filter)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ListGroupsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 1 {
                object.put("throttleTimeMs", &self.throttle_time_ms);
            }
            object.put("errorCode", &self.error_code);
            object.put("groups", &self.groups);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("groups", &mut this.groups)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ListedGroup {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("protocolType", &self.protocol_type);
            if version >= 4 {
                object.put("groupState", &self.group_state);
            }
            if version >= 5 {
                object.put("groupType", &self.group_type);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("protocolType", &mut this.protocol_type)?;
            fields.read("groupState", &mut this.group_state)?;
            fields.read("groupType", &mut this.group_type)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
