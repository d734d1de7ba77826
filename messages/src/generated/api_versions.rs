//! ApiVersions: which APIs the broker serves at which versions; the first request of nearly every client.
//!
//! A version from the future is answered with UNSUPPORTED_VERSION in the body of v0. The response's header is always v0.
//!
//! - v1: Throttle time.
//! - v2: A throttled client is answered at once and waits by itself (KIP-219).
//! - v3: Flexible. The client says what software it is (KIP-511); the broker tells the cluster's features (KIP-584).
//! - v4: Features whose lowest level is 0 are told too; clients of v3 can't read those.
//!
//! Generated from `messages/schema/018-api-versions.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ApiVersionsRequest {
    /// (v3+)
    pub client_software_name: String,
    /// (v3+)
    pub client_software_version: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ApiVersionsRequest {
    const NAME: &'static str = "ApiVersionsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            client_software_name: if version >= 3 { from.string()? } else { String::new() },
            client_software_version: if version >= 3 { from.string()? } else { String::new() },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 3 {
            into.string(&self.client_software_name)?;
            into.string(&self.client_software_version)?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for ApiVersionsRequest {
    const API_KEY: i16 = 18;
    type Response = ApiVersionsResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct ApiVersionsResponse {
    pub error_code: i16,
    pub api_keys: Vec<ApiVersion>,
    /// (v1+)
    pub throttle_time_ms: i32,
    /// What this broker can do. (v3+)
    pub supported_features: Vec<SupportedFeature>,
    /// Goes up with each change of them; -1: not known. (v3+)
    pub finalized_features_epoch: i64,
    /// What the cluster has agreed to use. (v3+)
    pub finalized_features: Vec<FinalizedFeature>,
    /// Always false here. (v3+)
    pub zk_migration_ready: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            api_keys: Vec::new(),
            throttle_time_ms: 0,
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for ApiVersionsResponse {
    const NAME: &'static str = "ApiVersionsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            error_code: from.i16()?,
            api_keys: from.array(6, |from| ApiVersion::decode(from, version))?,
            throttle_time_ms: if version >= 1 { from.i32()? } else { 0 },
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.supported_features = from.array(6, |from| SupportedFeature::decode(from, version))?,
                1 => this.finalized_features_epoch = from.i64()?,
                2 => this.finalized_features = from.array(6, |from| FinalizedFeature::decode(from, version))?,
                3 => this.zk_migration_ready = from.bool()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.error_code);
        into.array(&self.api_keys, |into, each| each.encode(into, version))?;
        if version >= 1 {
            into.i32(self.throttle_time_ms);
        }
        into.tags(&self.unknown_tags, |tags| {
            if !self.supported_features.is_empty() {
                tags.field(0, |into| into.array(&self.supported_features, |into, each| each.encode(into, version)))?;
            }
            if self.finalized_features_epoch != -1 {
                tags.field(1, |into| {
                    into.i64(self.finalized_features_epoch);
                    Ok(())
                })?;
            }
            if !self.finalized_features.is_empty() {
                tags.field(2, |into| into.array(&self.finalized_features, |into, each| each.encode(into, version)))?;
            }
            if self.zk_migration_ready {
                tags.field(3, |into| {
                    into.bool(self.zk_migration_ready);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Response for ApiVersionsResponse {
    const API_KEY: i16 = 18;
    type Request = ApiVersionsRequest;
}

/// Of [`ApiVersionsResponse::api_keys`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ApiVersion {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            api_key: from.i16()?,
            min_version: from.i16()?,
            max_version: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.api_key);
        into.i16(self.min_version);
        into.i16(self.max_version);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ApiVersionsResponse::supported_features`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SupportedFeature {
    pub name: String,
    pub min_version: i16,
    pub max_version: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl SupportedFeature {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            min_version: from.i16()?,
            max_version: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.i16(self.min_version);
        into.i16(self.max_version);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ApiVersionsResponse::finalized_features`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FinalizedFeature {
    pub name: String,
    pub max_version_level: i16,
    pub min_version_level: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl FinalizedFeature {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            max_version_level: from.i16()?,
            min_version_level: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.i16(self.max_version_level);
        into.i16(self.min_version_level);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ApiVersionsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 3 {
                object.put("clientSoftwareName", &self.client_software_name);
            }
            if version >= 3 {
                object.put("clientSoftwareVersion", &self.client_software_version);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("clientSoftwareName", &mut this.client_software_name)?;
            fields.read("clientSoftwareVersion", &mut this.client_software_version)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ApiVersionsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("apiKeys", &self.api_keys);
            if version >= 1 {
                object.put("throttleTimeMs", &self.throttle_time_ms);
            }
            if version >= 3 && !self.supported_features.is_empty() {
                object.put("supportedFeatures", &self.supported_features);
            }
            if version >= 3 && self.finalized_features_epoch != -1 {
                object.put("finalizedFeaturesEpoch", &self.finalized_features_epoch);
            }
            if version >= 3 && !self.finalized_features.is_empty() {
                object.put("finalizedFeatures", &self.finalized_features);
            }
            if version >= 3 && self.zk_migration_ready {
                object.put("zkMigrationReady", &self.zk_migration_ready);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("apiKeys", &mut this.api_keys)?;
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("supportedFeatures", &mut this.supported_features)?;
            fields.read("finalizedFeaturesEpoch", &mut this.finalized_features_epoch)?;
            fields.read("finalizedFeatures", &mut this.finalized_features)?;
            fields.read("zkMigrationReady", &mut this.zk_migration_ready)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ApiVersion {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("apiKey", &self.api_key);
            object.put("minVersion", &self.min_version);
            object.put("maxVersion", &self.max_version);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("apiKey", &mut this.api_key)?;
            fields.read("minVersion", &mut this.min_version)?;
            fields.read("maxVersion", &mut this.max_version)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for SupportedFeature {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("minVersion", &self.min_version);
            object.put("maxVersion", &self.max_version);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("minVersion", &mut this.min_version)?;
            fields.read("maxVersion", &mut this.max_version)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for FinalizedFeature {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("maxVersionLevel", &self.max_version_level);
            object.put("minVersionLevel", &self.min_version_level);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("maxVersionLevel", &mut this.max_version_level)?;
            fields.read("minVersionLevel", &mut this.min_version_level)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
