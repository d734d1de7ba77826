//! BrokerRegistered: a process has started under a broker id, with these log directories behind it.
//!
//! The first of Thalweg's own records, whose types begin at 10000, far above Kafka's. Applying it adds one to the epoch of
//! every partition that the broker led, so that no restart ever resumes an epoch.
//!
//! Generated from `messages/schema/metadata-log/10001-broker-registered.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// BrokerRegistered: a process has started under a broker id, with these log directories behind it.
#[derive(Clone, PartialEq, Debug)]
pub struct BrokerRegistered {
    pub broker_id: BrokerId,
    /// Larger than that of any earlier registration.
    pub broker_epoch: i64,
    /// Drawn anew by each start of the process.
    pub incarnation_id: Uuid,
    /// `directory.id` of each log directory that is online.
    pub directory_ids: Vec<Uuid>,
    /// Whether all of them were closed in order by the previous process.
    pub clean_shutdown: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for BrokerRegistered {
    fn default() -> Self {
        Self {
            broker_id: BrokerId(0),
            broker_epoch: 0,
            incarnation_id: Uuid::ZERO,
            directory_ids: Vec::new(),
            clean_shutdown: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for BrokerRegistered {
    const NAME: &'static str = "BrokerRegistered";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            broker_id: BrokerId(from.i32()?),
            broker_epoch: from.i64()?,
            incarnation_id: from.uuid()?,
            directory_ids: from.array(16, Decoder::uuid)?,
            clean_shutdown: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.broker_id.0);
        into.i64(self.broker_epoch);
        into.uuid(self.incarnation_id);
        into.plain_array(&self.directory_ids, |into, each| into.uuid(*each))?;
        into.bool(self.clean_shutdown);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for BrokerRegistered {
    const RECORD_TYPE: i16 = 10001;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for BrokerRegistered {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("brokerId", &self.broker_id);
            object.put("brokerEpoch", &self.broker_epoch);
            object.put("incarnationId", &self.incarnation_id);
            object.put("directoryIds", &self.directory_ids);
            object.put("cleanShutdown", &self.clean_shutdown);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("brokerId", &mut this.broker_id)?;
            fields.read("brokerEpoch", &mut this.broker_epoch)?;
            fields.read("incarnationId", &mut this.incarnation_id)?;
            fields.read("directoryIds", &mut this.directory_ids)?;
            fields.read("cleanShutdown", &mut this.clean_shutdown)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
