//! UpdateFeatures: moves the levels of features that the cluster has agreed on, such as `metadata.version` (KIP-584).
//!
//! Every broker and every controller must be able to do the new level.
//!
//! - v1: Which way a level may move, and an update that is only checked (KIP-778).
//! - v2: All updates hold or none: one error for the whole, no results per feature (KIP-1022).
//!
//! Generated from `messages/schema/057-update-features.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct UpdateFeaturesRequest {
    pub timeout_ms: i32,
    pub feature_updates: Vec<FeatureUpdateKey>,
    /// Check everything, change nothing. (v1+)
    pub validate_only: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for UpdateFeaturesRequest {
    fn default() -> Self {
        Self { timeout_ms: 60000, feature_updates: Vec::new(), validate_only: false, unknown_tags: Vec::new() }
    }
}

impl Message for UpdateFeaturesRequest {
    const NAME: &'static str = "UpdateFeaturesRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            timeout_ms: from.i32()?,
            feature_updates: from.array(5, |from| FeatureUpdateKey::decode(from, version))?,
            validate_only: if version >= 1 { from.bool()? } else { false },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.timeout_ms);
        into.array(&self.feature_updates, |into, each| each.encode(into, version))?;
        if version >= 1 {
            into.bool(self.validate_only);
        } else if self.validate_only {
            return Err(EncodeError::NotInVersion { field: "validate_only", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for UpdateFeaturesRequest {
    const API_KEY: i16 = 57;
    type Response = UpdateFeaturesResponse;
}

/// Of [`UpdateFeaturesRequest::feature_updates`].
#[derive(Clone, PartialEq, Debug)]
pub struct FeatureUpdateKey {
    pub feature: String,
    /// The new level; 0 takes the feature back.
    pub max_version_level: i16,
    /// (up to v0)
    pub allow_downgrade: bool,
    /// 1 only up, 2 down if nothing is lost by it, 3 down even so. (v1+)
    pub upgrade_type: i8,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for FeatureUpdateKey {
    fn default() -> Self {
        Self {
            feature: String::new(),
            max_version_level: 0,
            allow_downgrade: false,
            upgrade_type: 1,
            unknown_tags: Vec::new(),
        }
    }
}

impl FeatureUpdateKey {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            feature: from.string()?,
            max_version_level: from.i16()?,
            allow_downgrade: if version <= 0 { from.bool()? } else { false },
            upgrade_type: if version >= 1 { from.i8()? } else { 1 },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.feature)?;
        into.i16(self.max_version_level);
        if version <= 0 {
            into.bool(self.allow_downgrade);
        } else if self.allow_downgrade {
            return Err(EncodeError::NotInVersion { field: "allow_downgrade", version });
        }
        if version >= 1 {
            into.i8(self.upgrade_type);
        } else if self.upgrade_type != 1 {
            return Err(EncodeError::NotInVersion { field: "upgrade_type", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct UpdateFeaturesResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// (up to v1)
    pub results: Vec<UpdatableFeatureResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for UpdateFeaturesResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(String::new()),
            results: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for UpdateFeaturesResponse {
    const NAME: &'static str = "UpdateFeaturesResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            results: if version <= 1 {
                from.array(5, |from| UpdatableFeatureResult::decode(from, version))?
            } else {
                Vec::new()
            },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        if version <= 1 {
            into.array(&self.results, |into, each| each.encode(into, version))?;
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for UpdateFeaturesResponse {
    const API_KEY: i16 = 57;
    type Request = UpdateFeaturesRequest;
}

/// Of [`UpdateFeaturesResponse::results`].
#[derive(Clone, PartialEq, Debug)]
pub struct UpdatableFeatureResult {
    pub feature: String,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for UpdatableFeatureResult {
    fn default() -> Self {
        Self { feature: String::new(), error_code: 0, error_message: Some(String::new()), unknown_tags: Vec::new() }
    }
}

impl UpdatableFeatureResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            feature: from.string()?,
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.feature)?;
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for UpdateFeaturesRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("timeoutMs", &self.timeout_ms);
            object.put("featureUpdates", &self.feature_updates);
            if version >= 1 {
                object.put("validateOnly", &self.validate_only);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("timeoutMs", &mut this.timeout_ms)?;
            fields.read("featureUpdates", &mut this.feature_updates)?;
            fields.read("validateOnly", &mut this.validate_only)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for FeatureUpdateKey {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("feature", &self.feature);
            object.put("maxVersionLevel", &self.max_version_level);
            if version <= 0 {
                object.put("allowDowngrade", &self.allow_downgrade);
            }
            if version >= 1 {
                object.put("upgradeType", &self.upgrade_type);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("feature", &mut this.feature)?;
            fields.read("maxVersionLevel", &mut this.max_version_level)?;
            fields.read("allowDowngrade", &mut this.allow_downgrade)?;
            fields.read("upgradeType", &mut this.upgrade_type)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for UpdateFeaturesResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            if version <= 1 {
                object.put("results", &self.results);
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
            fields.read("results", &mut this.results)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for UpdatableFeatureResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("feature", &self.feature);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("feature", &mut this.feature)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
