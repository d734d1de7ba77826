//! BrokerRegistrationChangeRecord: what changed about a broker's registration; a field that is absent stays as it was.
//!
//! - v1: A broker can say that it is shutting down (KIP-841).
//! - v2: The broker's log directories (KIP-858).
//! - v3: Those of them that take no new replicas (KIP-1066).
//!
//! Generated from `messages/schema/metadata-log/017-broker-registration-change.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// BrokerRegistrationChangeRecord: what changed about a broker's registration; a field that is absent stays as it was.
#[derive(Clone, PartialEq, Debug)]
pub struct BrokerRegistrationChangeRecord {
    pub broker_id: BrokerId,
    /// Of the registration that this is about.
    pub broker_epoch: i64,
    /// 1 fenced, -1 unfenced, 0 as before.
    pub fenced: i8,
    /// 1 shutting down, 0 as before. (v1+)
    pub in_controlled_shutdown: i8,
    /// Those that are online; empty: as before. (v2+)
    pub log_dirs: Vec<Uuid>,
    /// Null: as before. (v3+)
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for BrokerRegistrationChangeRecord {
    fn default() -> Self {
        Self {
            broker_id: BrokerId(0),
            broker_epoch: 0,
            fenced: 0,
            in_controlled_shutdown: 0,
            log_dirs: Vec::new(),
            cordoned_log_dirs: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for BrokerRegistrationChangeRecord {
    const NAME: &'static str = "BrokerRegistrationChangeRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            broker_id: BrokerId(from.i32()?),
            broker_epoch: from.i64()?,
            fenced: 0,
            in_controlled_shutdown: 0,
            log_dirs: Vec::new(),
            cordoned_log_dirs: None,
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.fenced = from.i8()?,
                1 if version >= 1 => this.in_controlled_shutdown = from.i8()?,
                2 if version >= 2 => this.log_dirs = from.array(16, Decoder::uuid)?,
                3 if version >= 3 => this.cordoned_log_dirs = from.nullable_array(16, Decoder::uuid)?,
                1 | 2 | 3 => return Err(DecodeError::MisplacedTag(tag)),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.broker_id.0);
        into.i64(self.broker_epoch);
        if version < 1 && self.in_controlled_shutdown != 0 {
            return Err(EncodeError::NotInVersion { field: "in_controlled_shutdown", version });
        }
        if version < 2 && !self.log_dirs.is_empty() {
            return Err(EncodeError::NotInVersion { field: "log_dirs", version });
        }
        if version < 3 && self.cordoned_log_dirs.is_some() {
            return Err(EncodeError::NotInVersion { field: "cordoned_log_dirs", version });
        }
        into.tags(&self.unknown_tags, |tags| {
            if self.fenced != 0 {
                tags.field(0, |into| {
                    into.i8(self.fenced);
                    Ok(())
                })?;
            }
            if version >= 1 && self.in_controlled_shutdown != 0 {
                tags.field(1, |into| {
                    into.i8(self.in_controlled_shutdown);
                    Ok(())
                })?;
            }
            if version >= 2 && !self.log_dirs.is_empty() {
                tags.field(2, |into| into.plain_array(&self.log_dirs, |into, each| into.uuid(*each)))?;
            }
            if version >= 3 && self.cordoned_log_dirs.is_some() {
                tags.field(3, |into| {
                    into.nullable_plain_array(self.cordoned_log_dirs.as_deref(), |into, each| into.uuid(*each))
                })?;
            }
            Ok(())
        })
    }
}

impl Record for BrokerRegistrationChangeRecord {
    const RECORD_TYPE: i16 = 17;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for BrokerRegistrationChangeRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("brokerId", &self.broker_id);
            object.put("brokerEpoch", &self.broker_epoch);
            if self.fenced != 0 {
                object.put("fenced", &self.fenced);
            }
            if version >= 1 && self.in_controlled_shutdown != 0 {
                object.put("inControlledShutdown", &self.in_controlled_shutdown);
            }
            if version >= 2 && !self.log_dirs.is_empty() {
                object.put("logDirs", &self.log_dirs);
            }
            if version >= 3 && self.cordoned_log_dirs.is_some() {
                object.put("cordonedLogDirs", &self.cordoned_log_dirs);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("brokerId", &mut this.broker_id)?;
            fields.read("brokerEpoch", &mut this.broker_epoch)?;
            fields.read("fenced", &mut this.fenced)?;
            fields.read("inControlledShutdown", &mut this.in_controlled_shutdown)?;
            fields.read("logDirs", &mut this.log_dirs)?;
            fields.read("cordonedLogDirs", &mut this.cordoned_log_dirs)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
