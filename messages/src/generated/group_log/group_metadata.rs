//! GroupMetadata: a generation of a group of the classic protocol, as it was when its leader had assigned. Without a
//! value: there is no such group any more.
//!
//! - v1: How long a rebalance may take is apart from how long a member may be silent (KIP-62).
//! - v2: Since when the group is in its state, from which the age of an empty group's offsets counts (KIP-211).
//! - v3: Members that keep their place over a restart (KIP-345).
//! - v4: Flexible.
//!
//! Generated from `messages/schema/group-log/002-group-metadata.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GroupMetadataKey {
    pub group: String,
}

impl Message for GroupMetadataKey {
    const NAME: &'static str = "GroupMetadataKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { group: from.string()? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group)?;
        Ok(())
    }
}

impl Record for GroupMetadataKey {
    const RECORD_TYPE: i16 = 2;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug)]
pub struct GroupMetadataValue {
    /// `consumer`, or another kind of group; empty: offsets only.
    pub protocol_type: String,
    pub generation: i32,
    /// Null: the group has no members.
    pub protocol: Option<String>,
    /// The member id of the leader.
    pub leader: Option<String>,
    /// In ms since 1970; -1: not known. (v2+)
    pub current_state_timestamp: i64,
    pub members: Vec<MemberMetadata>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for GroupMetadataValue {
    fn default() -> Self {
        Self {
            protocol_type: String::new(),
            generation: 0,
            protocol: None,
            leader: None,
            current_state_timestamp: -1,
            members: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for GroupMetadataValue {
    const NAME: &'static str = "GroupMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            protocol_type: from.string()?,
            generation: from.i32()?,
            protocol: from.nullable_string()?,
            leader: from.nullable_string()?,
            current_state_timestamp: if version >= 2 { from.i64()? } else { -1 },
            members: from.array(15, |from| MemberMetadata::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.protocol_type)?;
        into.i32(self.generation);
        into.nullable_string(self.protocol.as_deref())?;
        into.nullable_string(self.leader.as_deref())?;
        if version >= 2 {
            into.i64(self.current_state_timestamp);
        }
        into.array(&self.members, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for GroupMetadataValue {
    const RECORD_TYPE: i16 = 2;
}

/// Of [`GroupMetadataValue::members`].
#[derive(Clone, PartialEq, Debug)]
pub struct MemberMetadata {
    pub member_id: String,
    /// Of a member that keeps its place. (v3+)
    pub group_instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    /// In ms; -1: the session's. (v1+)
    pub rebalance_timeout: i32,
    /// In ms.
    pub session_timeout: i32,
    /// What it said when it joined, for this generation's protocol.
    pub subscription: Bytes,
    pub assignment: Bytes,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for MemberMetadata {
    fn default() -> Self {
        Self {
            member_id: String::new(),
            group_instance_id: None,
            client_id: String::new(),
            client_host: String::new(),
            rebalance_timeout: -1,
            session_timeout: 0,
            subscription: Bytes::new(),
            assignment: Bytes::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl MemberMetadata {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            member_id: from.string()?,
            group_instance_id: if version >= 3 { from.nullable_string()? } else { None },
            client_id: from.string()?,
            client_host: from.string()?,
            rebalance_timeout: if version >= 1 { from.i32()? } else { -1 },
            session_timeout: from.i32()?,
            subscription: from.bytes()?,
            assignment: from.bytes()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.member_id)?;
        if version >= 3 {
            into.nullable_string(self.group_instance_id.as_deref())?;
        }
        into.string(&self.client_id)?;
        into.string(&self.client_host)?;
        if version >= 1 {
            into.i32(self.rebalance_timeout);
        }
        into.i32(self.session_timeout);
        into.bytes(&self.subscription)?;
        into.bytes(&self.assignment)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for GroupMetadataKey {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("group", &self.group);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("group", &mut this.group)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for GroupMetadataValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("protocolType", &self.protocol_type);
            object.put("generation", &self.generation);
            object.put("protocol", &self.protocol);
            object.put("leader", &self.leader);
            if version >= 2 {
                object.put("currentStateTimestamp", &self.current_state_timestamp);
            }
            object.put("members", &self.members);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("protocolType", &mut this.protocol_type)?;
            fields.read("generation", &mut this.generation)?;
            fields.read("protocol", &mut this.protocol)?;
            fields.read("leader", &mut this.leader)?;
            fields.read("currentStateTimestamp", &mut this.current_state_timestamp)?;
            fields.read("members", &mut this.members)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for MemberMetadata {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("memberId", &self.member_id);
            if version >= 3 {
                object.put("groupInstanceId", &self.group_instance_id);
            }
            object.put("clientId", &self.client_id);
            object.put("clientHost", &self.client_host);
            if version >= 1 {
                object.put("rebalanceTimeout", &self.rebalance_timeout);
            }
            object.put("sessionTimeout", &self.session_timeout);
            object.put("subscription", &self.subscription);
            object.put("assignment", &self.assignment);
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
            fields.read("rebalanceTimeout", &mut this.rebalance_timeout)?;
            fields.read("sessionTimeout", &mut this.session_timeout)?;
            fields.read("subscription", &mut this.subscription)?;
            fields.read("assignment", &mut this.assignment)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
