//! ConfigRecord: one setting of one resource has this value from here on, or its default again.
//!
//! Generated from `messages/schema/metadata-log/004-config.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// ConfigRecord: one setting of one resource has this value from here on, or its default again.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConfigRecord {
    /// 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    /// For a broker its id in decimal; empty for the default of all brokers.
    pub resource_name: String,
    pub name: String,
    /// Null: back to the default.
    pub value: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ConfigRecord {
    const NAME: &'static str = "ConfigRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            resource_type: from.i8()?,
            resource_name: from.string()?,
            name: from.string()?,
            value: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i8(self.resource_type);
        into.string(&self.resource_name)?;
        into.string(&self.name)?;
        into.nullable_string(self.value.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for ConfigRecord {
    const RECORD_TYPE: i16 = 4;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ConfigRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("resourceType", &self.resource_type);
            object.put("resourceName", &self.resource_name);
            object.put("name", &self.name);
            object.put("value", &self.value);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("resourceType", &mut this.resource_type)?;
            fields.read("resourceName", &mut this.resource_name)?;
            fields.read("name", &mut this.name)?;
            fields.read("value", &mut this.value)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
