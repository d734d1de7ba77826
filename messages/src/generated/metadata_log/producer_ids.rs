//! ProducerIdsRecord: a broker was given a block of producer ids to hand out.
//!
//! Generated from `messages/schema/metadata-log/015-producer-ids.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// ProducerIdsRecord: a broker was given a block of producer ids to hand out.
#[derive(Clone, PartialEq, Debug)]
pub struct ProducerIdsRecord {
    pub broker_id: BrokerId,
    pub broker_epoch: i64,
    /// The first id behind the block. Ids below are never given out again.
    pub next_producer_id: ProducerId,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ProducerIdsRecord {
    fn default() -> Self {
        Self { broker_id: BrokerId(0), broker_epoch: -1, next_producer_id: ProducerId(0), unknown_tags: Vec::new() }
    }
}

impl Message for ProducerIdsRecord {
    const NAME: &'static str = "ProducerIdsRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            broker_id: BrokerId(from.i32()?),
            broker_epoch: from.i64()?,
            next_producer_id: ProducerId(from.i64()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.broker_id.0);
        into.i64(self.broker_epoch);
        into.i64(self.next_producer_id.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for ProducerIdsRecord {
    const RECORD_TYPE: i16 = 15;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ProducerIdsRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("brokerId", &self.broker_id);
            object.put("brokerEpoch", &self.broker_epoch);
            object.put("nextProducerId", &self.next_producer_id);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("brokerId", &mut this.broker_id)?;
            fields.read("brokerEpoch", &mut this.broker_epoch)?;
            fields.read("nextProducerId", &mut this.next_producer_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
