//! AlterClientQuotas: sets quotas of users, client ids and IP addresses, or takes them away (KIP-546).
//!
//! The quotas of one entity change together or not at all. An entity that is refused hinders no other.
//!
//! - v1: Flexible.
//!
//! Generated from `messages/schema/049-alter-client-quotas.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AlterClientQuotasRequest {
    pub entries: Vec<AlterClientQuotasRequestEntryData>,
    /// Check everything, change nothing.
    pub validate_only: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for AlterClientQuotasRequest {
    const NAME: &'static str = "AlterClientQuotasRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            entries: from.array(3, |from| AlterClientQuotasRequestEntryData::decode(from, version))?,
            validate_only: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.entries, |into, each| each.encode(into, version))?;
        into.bool(self.validate_only);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for AlterClientQuotasRequest {
    const API_KEY: i16 = 49;
    type Response = AlterClientQuotasResponse;
}

/// Of [`AlterClientQuotasRequest::entries`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AlterClientQuotasRequestEntryData {
    /// A user, a client id, both together, or an IP address alone.
    pub entity: Vec<AlterClientQuotasRequestEntityData>,
    pub ops: Vec<OpData>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl AlterClientQuotasRequestEntryData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            entity: from.array(3, |from| AlterClientQuotasRequestEntityData::decode(from, version))?,
            ops: from.array(11, |from| OpData::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.array(&self.entity, |into, each| each.encode(into, version))?;
        into.array(&self.ops, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`AlterClientQuotasRequestEntryData::entity`].
#[derive(Clone, PartialEq, Debug)]
pub struct AlterClientQuotasRequestEntityData {
    /// `user`, `client-id` or `ip`.
    pub entity_type: String,
    /// Null: the default, for those without a quota of their own.
    pub entity_name: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for AlterClientQuotasRequestEntityData {
    fn default() -> Self {
        Self { entity_type: String::new(), entity_name: Some(String::new()), unknown_tags: Vec::new() }
    }
}

impl AlterClientQuotasRequestEntityData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            entity_type: from.string()?,
            entity_name: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.entity_type)?;
        into.nullable_string(self.entity_name.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`AlterClientQuotasRequestEntryData::ops`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OpData {
    /// `producer_byte_rate`, `consumer_byte_rate`, `request_percentage` or `controller_mutation_rate`; of an IP address `connection_creation_rate`.
    pub key: String,
    /// Above 0, and whole where bytes or connections are counted. Means nothing with `remove`.
    pub value: f64,
    pub remove: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl OpData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            key: from.string()?,
            value: from.f64()?,
            remove: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.key)?;
        into.f64(self.value);
        into.bool(self.remove);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AlterClientQuotasResponse {
    pub throttle_time_ms: i32,
    pub entries: Vec<AlterClientQuotasResponseEntryData>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for AlterClientQuotasResponse {
    const NAME: &'static str = "AlterClientQuotasResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            entries: from.array(5, |from| AlterClientQuotasResponseEntryData::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.array(&self.entries, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for AlterClientQuotasResponse {
    const API_KEY: i16 = 49;
    type Request = AlterClientQuotasRequest;
}

/// Of [`AlterClientQuotasResponse::entries`].
#[derive(Clone, PartialEq, Debug)]
pub struct AlterClientQuotasResponseEntryData {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub entity: Vec<AlterClientQuotasResponseEntityData>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for AlterClientQuotasResponseEntryData {
    fn default() -> Self {
        Self { error_code: 0, error_message: Some(String::new()), entity: Vec::new(), unknown_tags: Vec::new() }
    }
}

impl AlterClientQuotasResponseEntryData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            entity: from.array(3, |from| AlterClientQuotasResponseEntityData::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.array(&self.entity, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`AlterClientQuotasResponseEntryData::entity`].
#[derive(Clone, PartialEq, Debug)]
pub struct AlterClientQuotasResponseEntityData {
    pub entity_type: String,
    pub entity_name: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for AlterClientQuotasResponseEntityData {
    fn default() -> Self {
        Self { entity_type: String::new(), entity_name: Some(String::new()), unknown_tags: Vec::new() }
    }
}

impl AlterClientQuotasResponseEntityData {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            entity_type: from.string()?,
            entity_name: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.entity_type)?;
        into.nullable_string(self.entity_name.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for AlterClientQuotasRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("entries", &self.entries);
            object.put("validateOnly", &self.validate_only);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("entries", &mut this.entries)?;
            fields.read("validateOnly", &mut this.validate_only)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AlterClientQuotasRequestEntryData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("entity", &self.entity);
            object.put("ops", &self.ops);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("entity", &mut this.entity)?;
            fields.read("ops", &mut this.ops)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AlterClientQuotasRequestEntityData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("entityType", &self.entity_type);
            object.put("entityName", &self.entity_name);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("entityType", &mut this.entity_type)?;
            fields.read("entityName", &mut this.entity_name)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OpData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("key", &self.key);
            object.put("value", &self.value);
            object.put("remove", &self.remove);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("key", &mut this.key)?;
            fields.read("value", &mut this.value)?;
            fields.read("remove", &mut this.remove)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AlterClientQuotasResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("entries", &self.entries);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("entries", &mut this.entries)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AlterClientQuotasResponseEntryData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("entity", &self.entity);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("entity", &mut this.entity)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AlterClientQuotasResponseEntityData {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("entityType", &self.entity_type);
            object.put("entityName", &self.entity_name);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("entityType", &mut this.entity_type)?;
            fields.read("entityName", &mut this.entity_name)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
