//! IncrementalAlterConfigs: changes the settings named, and leaves all others as they are.
//!
//! The settings of one resource change together or not at all.
//!
//! - v1: Flexible.
//!
//! Generated from `messages/schema/044-incremental-alter-configs.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct IncrementalAlterConfigsRequest {
    pub resources: Vec<AlterConfigsResource>,
    /// Check everything, change nothing.
    pub validate_only: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for IncrementalAlterConfigsRequest {
    const NAME: &'static str = "IncrementalAlterConfigsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            resources: from.array(4, |from| AlterConfigsResource::decode(from, version))?,
            validate_only: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.resources, |into, each| each.encode(into, version))?;
        into.bool(self.validate_only);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for IncrementalAlterConfigsRequest {
    const API_KEY: i16 = 44;
    type Response = IncrementalAlterConfigsResponse;
}

/// Of [`IncrementalAlterConfigsRequest::resources`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AlterConfigsResource {
    /// 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    /// For a broker its id in decimal; empty for the default of all brokers.
    pub resource_name: String,
    pub configs: Vec<AlterableConfig>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl AlterConfigsResource {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            resource_type: from.i8()?,
            resource_name: from.string()?,
            configs: from.array(4, |from| AlterableConfig::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i8(self.resource_type);
        into.string(&self.resource_name)?;
        into.array(&self.configs, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`AlterConfigsResource::configs`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AlterableConfig {
    pub name: String,
    /// 0 set, 1 back to the default, 2 add to the list, 3 take out of the list.
    pub config_operation: i8,
    pub value: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl AlterableConfig {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            config_operation: from.i8()?,
            value: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.i8(self.config_operation);
        into.nullable_string(self.value.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct IncrementalAlterConfigsResponse {
    pub throttle_time_ms: i32,
    pub responses: Vec<AlterConfigsResourceResponse>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for IncrementalAlterConfigsResponse {
    const NAME: &'static str = "IncrementalAlterConfigsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            responses: from.array(6, |from| AlterConfigsResourceResponse::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.array(&self.responses, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for IncrementalAlterConfigsResponse {
    const API_KEY: i16 = 44;
    type Request = IncrementalAlterConfigsRequest;
}

/// Of [`IncrementalAlterConfigsResponse::responses`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AlterConfigsResourceResponse {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub resource_type: i8,
    pub resource_name: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl AlterConfigsResourceResponse {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            resource_type: from.i8()?,
            resource_name: from.string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.i8(self.resource_type);
        into.string(&self.resource_name)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for IncrementalAlterConfigsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("resources", &self.resources);
            object.put("validateOnly", &self.validate_only);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("resources", &mut this.resources)?;
            fields.read("validateOnly", &mut this.validate_only)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AlterConfigsResource {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("resourceType", &self.resource_type);
            object.put("resourceName", &self.resource_name);
            object.put("configs", &self.configs);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("resourceType", &mut this.resource_type)?;
            fields.read("resourceName", &mut this.resource_name)?;
            fields.read("configs", &mut this.configs)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AlterableConfig {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("configOperation", &self.config_operation);
            object.put("value", &self.value);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("configOperation", &mut this.config_operation)?;
            fields.read("value", &mut this.value)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for IncrementalAlterConfigsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("responses", &self.responses);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("responses", &mut this.responses)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AlterConfigsResourceResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("resourceType", &self.resource_type);
            object.put("resourceName", &self.resource_name);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("resourceType", &mut this.resource_type)?;
            fields.read("resourceName", &mut this.resource_name)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
