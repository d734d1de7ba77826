//! UnfenceBrokerRecord: a broker has caught up, and may lead.
//!
//! Of metadata versions up to 3.3-IV1; from then on BrokerRegistrationChangeRecord says it.
//!
//! Generated from `messages/schema/metadata-log/008-unfence-broker.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// UnfenceBrokerRecord: a broker has caught up, and may lead.
#[derive(Clone, PartialEq, Debug)]
pub struct UnfenceBrokerRecord {
    pub id: BrokerId,
    /// Of the registration that this is about.
    pub epoch: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for UnfenceBrokerRecord {
    fn default() -> Self {
        Self { id: BrokerId(0), epoch: 0, unknown_tags: Vec::new() }
    }
}

impl Message for UnfenceBrokerRecord {
    const NAME: &'static str = "UnfenceBrokerRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { id: BrokerId(from.i32()?), epoch: from.i64()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.id.0);
        into.i64(self.epoch);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for UnfenceBrokerRecord {
    const RECORD_TYPE: i16 = 8;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for UnfenceBrokerRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("id", &self.id);
            object.put("epoch", &self.epoch);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("id", &mut this.id)?;
            fields.read("epoch", &mut this.epoch)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
