//! FindCoordinator: which broker looks after a group or a transactional id.
//!
//! The coordinator leads the partition of an internal topic that the key hashes to. One request may name many keys.
//!
//! - v1: The client says what kind of key it is; errors come with a message.
//! - v2: A throttled client is answered at once and waits by itself (KIP-219).
//! - v3: Flexible.
//! - v4: Many keys of one kind in one request (KIP-699).
//! - v5: TRANSACTION_ABORTABLE: this transaction can only be aborted (KIP-890).
//! - v6: Keys of share partitions (KIP-932).
//!
//! Generated from `messages/schema/010-find-coordinator.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FindCoordinatorRequest {
    /// (up to v3)
    pub key: String,
    /// 0 group, 1 transactional id, 2 share partition: `group:topic id:partition`. (v1+)
    pub key_type: i8,
    /// (v4+)
    pub coordinator_keys: Vec<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for FindCoordinatorRequest {
    const NAME: &'static str = "FindCoordinatorRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            key: if version <= 3 { from.string()? } else { String::new() },
            key_type: if version >= 1 { from.i8()? } else { 0 },
            coordinator_keys: if version >= 4 { from.array(1, Decoder::string)? } else { Vec::new() },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version <= 3 {
            into.string(&self.key)?;
        } else if !self.key.is_empty() {
            return Err(EncodeError::NotInVersion { field: "key", version });
        }
        if version >= 1 {
            into.i8(self.key_type);
        } else if self.key_type != 0 {
            return Err(EncodeError::NotInVersion { field: "key_type", version });
        }
        if version >= 4 {
            into.array(&self.coordinator_keys, |into, each| into.string(each))?;
        } else if !self.coordinator_keys.is_empty() {
            return Err(EncodeError::NotInVersion { field: "coordinator_keys", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for FindCoordinatorRequest {
    const API_KEY: i16 = 10;
    type Response = FindCoordinatorResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct FindCoordinatorResponse {
    /// (v1+)
    pub throttle_time_ms: i32,
    /// (up to v3)
    pub error_code: i16,
    /// (v1 to v3)
    pub error_message: Option<String>,
    /// (up to v3)
    pub node_id: BrokerId,
    /// (up to v3)
    pub host: String,
    /// (up to v3)
    pub port: i32,
    /// One for each key, in their order. (v4+)
    pub coordinators: Vec<Coordinator>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for FindCoordinatorResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            node_id: BrokerId(0),
            host: String::new(),
            port: 0,
            coordinators: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for FindCoordinatorResponse {
    const NAME: &'static str = "FindCoordinatorResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: if version >= 1 { from.i32()? } else { 0 },
            error_code: if version <= 3 { from.i16()? } else { 0 },
            error_message: if (1..=3).contains(&version) { from.nullable_string()? } else { None },
            node_id: if version <= 3 { BrokerId(from.i32()?) } else { BrokerId(0) },
            host: if version <= 3 { from.string()? } else { String::new() },
            port: if version <= 3 { from.i32()? } else { 0 },
            coordinators: if version >= 4 {
                from.array(14, |from| Coordinator::decode(from, version))?
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
        if version <= 3 {
            into.i16(self.error_code);
        } else if self.error_code != 0 {
            return Err(EncodeError::NotInVersion { field: "error_code", version });
        }
        if (1..=3).contains(&version) {
            into.nullable_string(self.error_message.as_deref())?;
        }
        if version <= 3 {
            into.i32(self.node_id.0);
        } else if self.node_id != BrokerId(0) {
            return Err(EncodeError::NotInVersion { field: "node_id", version });
        }
        if version <= 3 {
            into.string(&self.host)?;
        } else if !self.host.is_empty() {
            return Err(EncodeError::NotInVersion { field: "host", version });
        }
        if version <= 3 {
            into.i32(self.port);
        } else if self.port != 0 {
            return Err(EncodeError::NotInVersion { field: "port", version });
        }
        if version >= 4 {
            into.array(&self.coordinators, |into, each| each.encode(into, version))?;
        } else if !self.coordinators.is_empty() {
            return Err(EncodeError::NotInVersion { field: "coordinators", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for FindCoordinatorResponse {
    const API_KEY: i16 = 10;
    type Request = FindCoordinatorRequest;
}

/// Of [`FindCoordinatorResponse::coordinators`].
#[derive(Clone, PartialEq, Debug)]
pub struct Coordinator {
    pub key: String,
    /// -1 on an error.
    pub node_id: BrokerId,
    pub host: String,
    pub port: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for Coordinator {
    fn default() -> Self {
        Self {
            key: String::new(),
            node_id: BrokerId(0),
            host: String::new(),
            port: 0,
            error_code: 0,
            error_message: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl Coordinator {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            key: from.string()?,
            node_id: BrokerId(from.i32()?),
            host: from.string()?,
            port: from.i32()?,
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.key)?;
        into.i32(self.node_id.0);
        into.string(&self.host)?;
        into.i32(self.port);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for FindCoordinatorRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version <= 3 {
                object.put("key", &self.key);
            }
            if version >= 1 {
                object.put("keyType", &self.key_type);
            }
            if version >= 4 {
                object.put("coordinatorKeys", &self.coordinator_keys);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("key", &mut this.key)?;
            fields.read("keyType", &mut this.key_type)?;
            fields.read("coordinatorKeys", &mut this.coordinator_keys)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for FindCoordinatorResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 1 {
                object.put("throttleTimeMs", &self.throttle_time_ms);
            }
            if version <= 3 {
                object.put("errorCode", &self.error_code);
            }
            if (1..=3).contains(&version) {
                object.put("errorMessage", &self.error_message);
            }
            if version <= 3 {
                object.put("nodeId", &self.node_id);
            }
            if version <= 3 {
                object.put("host", &self.host);
            }
            if version <= 3 {
                object.put("port", &self.port);
            }
            if version >= 4 {
                object.put("coordinators", &self.coordinators);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("nodeId", &mut this.node_id)?;
            fields.read("host", &mut this.host)?;
            fields.read("port", &mut this.port)?;
            fields.read("coordinators", &mut this.coordinators)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Coordinator {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("key", &self.key);
            object.put("nodeId", &self.node_id);
            object.put("host", &self.host);
            object.put("port", &self.port);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("key", &mut this.key)?;
            fields.read("nodeId", &mut this.node_id)?;
            fields.read("host", &mut this.host)?;
            fields.read("port", &mut this.port)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
