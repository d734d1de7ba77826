//! DescribeConfigs: the settings of topics, brokers, groups, and where each comes from.
//!
//! - v2: A throttled client is answered at once and waits by itself (KIP-219).
//! - v3: The kind of a setting's value, and a text about it (KIP-569).
//! - v4: Flexible.
//!
//! Generated from `messages/schema/032-describe-configs.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeConfigsRequest {
    pub resources: Vec<DescribeConfigsResource>,
    pub include_synonyms: bool,
    /// (v3+)
    pub include_documentation: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DescribeConfigsRequest {
    const NAME: &'static str = "DescribeConfigsRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            resources: from.array(4, |from| DescribeConfigsResource::decode(from, version))?,
            include_synonyms: from.bool()?,
            include_documentation: if version >= 3 { from.bool()? } else { false },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.resources, |into, each| each.encode(into, version))?;
        into.bool(self.include_synonyms);
        if version >= 3 {
            into.bool(self.include_documentation);
        } else if self.include_documentation {
            return Err(EncodeError::NotInVersion { field: "include_documentation", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DescribeConfigsRequest {
    const API_KEY: i16 = 32;
    type Response = DescribeConfigsResponse;
}

/// Of [`DescribeConfigsRequest::resources`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeConfigsResource {
    /// 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    /// For a broker its id in decimal; empty for the default of all brokers.
    pub resource_name: String,
    /// Null: all settings.
    pub configuration_keys: Option<Vec<String>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DescribeConfigsResource {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            resource_type: from.i8()?,
            resource_name: from.string()?,
            configuration_keys: from.nullable_array(1, Decoder::string)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i8(self.resource_type);
        into.string(&self.resource_name)?;
        into.nullable_array(self.configuration_keys.as_deref(), |into, each| into.string(each))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeConfigsResponse {
    pub throttle_time_ms: i32,
    pub results: Vec<DescribeConfigsResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DescribeConfigsResponse {
    const NAME: &'static str = "DescribeConfigsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            results: from.array(7, |from| DescribeConfigsResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.array(&self.results, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for DescribeConfigsResponse {
    const API_KEY: i16 = 32;
    type Request = DescribeConfigsRequest;
}

/// Of [`DescribeConfigsResponse::results`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeConfigsResult {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub resource_type: i8,
    pub resource_name: String,
    pub configs: Vec<DescribeConfigsResourceResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DescribeConfigsResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            resource_type: from.i8()?,
            resource_name: from.string()?,
            configs: from.array(9, |from| DescribeConfigsResourceResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.i8(self.resource_type);
        into.string(&self.resource_name)?;
        into.array(&self.configs, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeConfigsResult::configs`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeConfigsResourceResult {
    pub name: String,
    /// Null: none, or one that is secret.
    pub value: Option<String>,
    /// It can't be changed while the broker runs.
    pub read_only: bool,
    /// 1 topic, 2 broker, 3 all brokers, 4 properties file, 5 default, 6 broker logger, 7 client metrics, 8 group.
    pub config_source: i8,
    pub is_sensitive: bool,
    /// All places that set it, the one that counts first.
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// 0 unknown, 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password. (v3+)
    pub config_type: i8,
    /// (v3+)
    pub documentation: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeConfigsResourceResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            value: None,
            read_only: false,
            config_source: -1,
            is_sensitive: false,
            synonyms: Vec::new(),
            config_type: 0,
            documentation: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl DescribeConfigsResourceResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            value: from.nullable_string()?,
            read_only: from.bool()?,
            config_source: from.i8()?,
            is_sensitive: from.bool()?,
            synonyms: from.array(4, |from| DescribeConfigsSynonym::decode(from, version))?,
            config_type: if version >= 3 { from.i8()? } else { 0 },
            documentation: if version >= 3 { from.nullable_string()? } else { None },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.nullable_string(self.value.as_deref())?;
        into.bool(self.read_only);
        into.i8(self.config_source);
        into.bool(self.is_sensitive);
        into.array(&self.synonyms, |into, each| each.encode(into, version))?;
        if version >= 3 {
            into.i8(self.config_type);
            into.nullable_string(self.documentation.as_deref())?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeConfigsResourceResult::synonyms`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeConfigsSynonym {
    /// A broker's setting may have another name than the topic's.
    pub name: String,
    pub value: Option<String>,
    pub source: i8,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DescribeConfigsSynonym {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            value: from.nullable_string()?,
            source: from.i8()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.nullable_string(self.value.as_deref())?;
        into.i8(self.source);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DescribeConfigsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("resources", &self.resources);
            object.put("includeSynonyms", &self.include_synonyms);
            if version >= 3 {
                object.put("includeDocumentation", &self.include_documentation);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("resources", &mut this.resources)?;
            fields.read("includeSynonyms", &mut this.include_synonyms)?;
            fields.read("includeDocumentation", &mut this.include_documentation)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeConfigsResource {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("resourceType", &self.resource_type);
            object.put("resourceName", &self.resource_name);
            object.put("configurationKeys", &self.configuration_keys);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("resourceType", &mut this.resource_type)?;
            fields.read("resourceName", &mut this.resource_name)?;
            fields.read("configurationKeys", &mut this.configuration_keys)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeConfigsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("results", &self.results);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("results", &mut this.results)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeConfigsResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("resourceType", &self.resource_type);
            object.put("resourceName", &self.resource_name);
            object.put("configs", &self.configs);
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
            fields.read("configs", &mut this.configs)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeConfigsResourceResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("value", &self.value);
            object.put("readOnly", &self.read_only);
            object.put("configSource", &self.config_source);
            object.put("isSensitive", &self.is_sensitive);
            object.put("synonyms", &self.synonyms);
            if version >= 3 {
                object.put("configType", &self.config_type);
            }
            if version >= 3 {
                object.put("documentation", &self.documentation);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("value", &mut this.value)?;
            fields.read("readOnly", &mut this.read_only)?;
            fields.read("configSource", &mut this.config_source)?;
            fields.read("isSensitive", &mut this.is_sensitive)?;
            fields.read("synonyms", &mut this.synonyms)?;
            fields.read("configType", &mut this.config_type)?;
            fields.read("documentation", &mut this.documentation)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeConfigsSynonym {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("value", &self.value);
            object.put("source", &self.source);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("value", &mut this.value)?;
            fields.read("source", &mut this.source)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
