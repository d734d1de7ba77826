//! AddRaftVoter: gives a controller a vote on the metadata log (KIP-853).
//!
//! It must have the log already, and the change before this one must be committed, else REQUEST_TIMED_OUT. Below level
//! 1 of `kraft.version` the voters cannot change: UNSUPPORTED_VERSION.
//!
//! - v1: A controller that joins by itself need not wait until its vote is committed (KIP-1186).
//!
//! Generated from `messages/schema/080-add-raft-voter.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct AddRaftVoterRequest {
    /// Null: not checked.
    pub cluster_id: Option<String>,
    pub timeout_ms: i32,
    pub voter_id: i32,
    /// Of the disk with its metadata log: on another one it is another voter.
    pub voter_directory_id: Uuid,
    /// Where the other controllers reach it.
    pub listeners: Vec<Listener>,
    /// False: answer as soon as the leader has written it down. (v1+)
    pub ack_when_committed: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for AddRaftVoterRequest {
    fn default() -> Self {
        Self {
            cluster_id: Some(String::new()),
            timeout_ms: 0,
            voter_id: 0,
            voter_directory_id: Uuid::ZERO,
            listeners: Vec::new(),
            ack_when_committed: true,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for AddRaftVoterRequest {
    const NAME: &'static str = "AddRaftVoterRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            cluster_id: from.nullable_string()?,
            timeout_ms: from.i32()?,
            voter_id: from.i32()?,
            voter_directory_id: from.uuid()?,
            listeners: from.array(5, |from| Listener::decode(from, version))?,
            ack_when_committed: if version >= 1 { from.bool()? } else { true },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.nullable_string(self.cluster_id.as_deref())?;
        into.i32(self.timeout_ms);
        into.i32(self.voter_id);
        into.uuid(self.voter_directory_id);
        into.array(&self.listeners, |into, each| each.encode(into, version))?;
        if version >= 1 {
            into.bool(self.ack_when_committed);
        } else if !self.ack_when_committed {
            return Err(EncodeError::NotInVersion { field: "ack_when_committed", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for AddRaftVoterRequest {
    const API_KEY: i16 = 80;
    type Response = AddRaftVoterResponse;
}

/// Of [`AddRaftVoterRequest::listeners`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Listener {
    pub name: String,
    pub host: String,
    pub port: u16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Listener {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            host: from.string()?,
            port: from.u16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.string(&self.host)?;
        into.u16(self.port);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct AddRaftVoterResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for AddRaftVoterResponse {
    fn default() -> Self {
        Self { throttle_time_ms: 0, error_code: 0, error_message: Some(String::new()), unknown_tags: Vec::new() }
    }
}

impl Message for AddRaftVoterResponse {
    const NAME: &'static str = "AddRaftVoterResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for AddRaftVoterResponse {
    const API_KEY: i16 = 80;
    type Request = AddRaftVoterRequest;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for AddRaftVoterRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("clusterId", &self.cluster_id);
            object.put("timeoutMs", &self.timeout_ms);
            object.put("voterId", &self.voter_id);
            object.put("voterDirectoryId", &self.voter_directory_id);
            object.put("listeners", &self.listeners);
            if version >= 1 {
                object.put("ackWhenCommitted", &self.ack_when_committed);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("clusterId", &mut this.cluster_id)?;
            fields.read("timeoutMs", &mut this.timeout_ms)?;
            fields.read("voterId", &mut this.voter_id)?;
            fields.read("voterDirectoryId", &mut this.voter_directory_id)?;
            fields.read("listeners", &mut this.listeners)?;
            fields.read("ackWhenCommitted", &mut this.ack_when_committed)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Listener {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("host", &self.host);
            object.put("port", &self.port);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("host", &mut this.host)?;
            fields.read("port", &mut this.port)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AddRaftVoterResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
