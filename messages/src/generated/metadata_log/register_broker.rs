//! RegisterBrokerRecord: a broker has announced itself to the controller; it replaces any earlier registration of its id.
//!
//! - v1: A registration can say that the broker is shutting down.
//! - v2: It can say that the broker comes from ZooKeeper.
//! - v3: The broker's log directories.
//! - v4: Those of them that take no new replicas.
//!
//! Generated from `messages/schema/metadata-log/000-register-broker.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// RegisterBrokerRecord: a broker has announced itself to the controller; it replaces any earlier registration of its id.
#[derive(Clone, PartialEq, Debug)]
pub struct RegisterBrokerRecord {
    pub broker_id: BrokerId,
    /// Always false here: there is nothing to migrate from. (v2+)
    pub is_migrating_zk_broker: bool,
    /// Drawn anew by each start of the process.
    pub incarnation_id: Uuid,
    /// The offset of this record; fences what an earlier incarnation still says.
    pub broker_epoch: i64,
    pub end_points: Vec<BrokerEndpoint>,
    pub features: Vec<BrokerFeature>,
    pub rack: Option<String>,
    /// Leads nothing and is listed nowhere until it has caught up.
    pub fenced: bool,
    /// (v1+)
    pub in_controlled_shutdown: bool,
    /// (v3+)
    pub log_dirs: Vec<Uuid>,
    /// (v4+)
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for RegisterBrokerRecord {
    fn default() -> Self {
        Self {
            broker_id: BrokerId(0),
            is_migrating_zk_broker: false,
            incarnation_id: Uuid::ZERO,
            broker_epoch: 0,
            end_points: Vec::new(),
            features: Vec::new(),
            rack: None,
            fenced: true,
            in_controlled_shutdown: false,
            log_dirs: Vec::new(),
            cordoned_log_dirs: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for RegisterBrokerRecord {
    const NAME: &'static str = "RegisterBrokerRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            broker_id: BrokerId(from.i32()?),
            is_migrating_zk_broker: if version >= 2 { from.bool()? } else { false },
            incarnation_id: from.uuid()?,
            broker_epoch: from.i64()?,
            end_points: from.array(7, |from| BrokerEndpoint::decode(from, version))?,
            features: from.array(6, |from| BrokerFeature::decode(from, version))?,
            rack: from.nullable_string()?,
            fenced: from.bool()?,
            in_controlled_shutdown: if version >= 1 { from.bool()? } else { false },
            log_dirs: Vec::new(),
            cordoned_log_dirs: None,
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 if version >= 3 => this.log_dirs = from.array(16, Decoder::uuid)?,
                1 if version >= 4 => this.cordoned_log_dirs = from.nullable_array(16, Decoder::uuid)?,
                0 | 1 => return Err(DecodeError::MisplacedTag(tag)),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.broker_id.0);
        if version >= 2 {
            into.bool(self.is_migrating_zk_broker);
        } else if self.is_migrating_zk_broker {
            return Err(EncodeError::NotInVersion { field: "is_migrating_zk_broker", version });
        }
        into.uuid(self.incarnation_id);
        into.i64(self.broker_epoch);
        into.array(&self.end_points, |into, each| each.encode(into, version))?;
        into.array(&self.features, |into, each| each.encode(into, version))?;
        into.nullable_string(self.rack.as_deref())?;
        into.bool(self.fenced);
        if version >= 1 {
            into.bool(self.in_controlled_shutdown);
        } else if self.in_controlled_shutdown {
            return Err(EncodeError::NotInVersion { field: "in_controlled_shutdown", version });
        }
        if version < 3 && !self.log_dirs.is_empty() {
            return Err(EncodeError::NotInVersion { field: "log_dirs", version });
        }
        if version < 4 && self.cordoned_log_dirs.is_some() {
            return Err(EncodeError::NotInVersion { field: "cordoned_log_dirs", version });
        }
        into.tags(&self.unknown_tags, |tags| {
            if version >= 3 && !self.log_dirs.is_empty() {
                tags.field(0, |into| into.plain_array(&self.log_dirs, |into, each| into.uuid(*each)))?;
            }
            if version >= 4 && self.cordoned_log_dirs.is_some() {
                tags.field(1, |into| {
                    into.nullable_plain_array(self.cordoned_log_dirs.as_deref(), |into, each| into.uuid(*each))
                })?;
            }
            Ok(())
        })
    }
}

impl Record for RegisterBrokerRecord {
    const RECORD_TYPE: i16 = 0;
}

/// Of [`RegisterBrokerRecord::end_points`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BrokerEndpoint {
    /// The listener's name.
    pub name: String,
    pub host: String,
    pub port: u16,
    /// 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
    pub security_protocol: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl BrokerEndpoint {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            host: from.string()?,
            port: from.u16()?,
            security_protocol: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.string(&self.host)?;
        into.u16(self.port);
        into.i16(self.security_protocol);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`RegisterBrokerRecord::features`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BrokerFeature {
    pub name: String,
    pub min_supported_version: i16,
    pub max_supported_version: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl BrokerFeature {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            min_supported_version: from.i16()?,
            max_supported_version: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.i16(self.min_supported_version);
        into.i16(self.max_supported_version);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for RegisterBrokerRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("brokerId", &self.broker_id);
            if version >= 2 {
                object.put("isMigratingZkBroker", &self.is_migrating_zk_broker);
            }
            object.put("incarnationId", &self.incarnation_id);
            object.put("brokerEpoch", &self.broker_epoch);
            object.put("endPoints", &self.end_points);
            object.put("features", &self.features);
            object.put("rack", &self.rack);
            object.put("fenced", &self.fenced);
            if version >= 1 {
                object.put("inControlledShutdown", &self.in_controlled_shutdown);
            }
            if version >= 3 && !self.log_dirs.is_empty() {
                object.put("logDirs", &self.log_dirs);
            }
            if version >= 4 && self.cordoned_log_dirs.is_some() {
                object.put("cordonedLogDirs", &self.cordoned_log_dirs);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("brokerId", &mut this.broker_id)?;
            fields.read("isMigratingZkBroker", &mut this.is_migrating_zk_broker)?;
            fields.read("incarnationId", &mut this.incarnation_id)?;
            fields.read("brokerEpoch", &mut this.broker_epoch)?;
            fields.read("endPoints", &mut this.end_points)?;
            fields.read("features", &mut this.features)?;
            fields.read("rack", &mut this.rack)?;
            fields.read("fenced", &mut this.fenced)?;
            fields.read("inControlledShutdown", &mut this.in_controlled_shutdown)?;
            fields.read("logDirs", &mut this.log_dirs)?;
            fields.read("cordonedLogDirs", &mut this.cordoned_log_dirs)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for BrokerEndpoint {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("host", &self.host);
            object.put("port", &self.port);
            object.put("securityProtocol", &self.security_protocol);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("host", &mut this.host)?;
            fields.read("port", &mut this.port)?;
            fields.read("securityProtocol", &mut this.security_protocol)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for BrokerFeature {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("minSupportedVersion", &self.min_supported_version);
            object.put("maxSupportedVersion", &self.max_supported_version);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("minSupportedVersion", &mut this.min_supported_version)?;
            fields.read("maxSupportedVersion", &mut this.max_supported_version)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
