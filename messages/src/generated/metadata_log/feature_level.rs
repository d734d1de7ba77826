//! FeatureLevelRecord: a feature of the whole cluster is finalized at a level.
//!
//! Generated from `messages/schema/metadata-log/012-feature-level.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// FeatureLevelRecord: a feature of the whole cluster is finalized at a level.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FeatureLevelRecord {
    pub name: String,
    /// 0 takes the feature back.
    pub feature_level: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for FeatureLevelRecord {
    const NAME: &'static str = "FeatureLevelRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { name: from.string()?, feature_level: from.i16()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.name)?;
        into.i16(self.feature_level);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for FeatureLevelRecord {
    const RECORD_TYPE: i16 = 12;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for FeatureLevelRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("featureLevel", &self.feature_level);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("featureLevel", &mut this.feature_level)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
