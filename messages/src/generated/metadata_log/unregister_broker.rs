//! UnregisterBrokerRecord: a broker is taken off the list for good.
//!
//! Generated from `messages/schema/metadata-log/001-unregister-broker.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// UnregisterBrokerRecord: a broker is taken off the list for good.
#[derive(Clone, PartialEq, Debug)]
pub struct UnregisterBrokerRecord {
    pub broker_id: BrokerId,
    /// Only the registration of this epoch is removed, never a newer one.
    pub broker_epoch: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for UnregisterBrokerRecord {
    fn default() -> Self {
        Self { broker_id: BrokerId(0), broker_epoch: 0, unknown_tags: Vec::new() }
    }
}

impl Message for UnregisterBrokerRecord {
    const NAME: &'static str = "UnregisterBrokerRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            broker_id: BrokerId(from.i32()?),
            broker_epoch: from.i64()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.broker_id.0);
        into.i64(self.broker_epoch);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for UnregisterBrokerRecord {
    const RECORD_TYPE: i16 = 1;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for UnregisterBrokerRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("brokerId", &self.broker_id);
            object.put("brokerEpoch", &self.broker_epoch);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("brokerId", &mut this.broker_id)?;
            fields.read("brokerEpoch", &mut this.broker_epoch)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
