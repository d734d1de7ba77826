//! RegisterControllerRecord: a controller has announced itself to the active one; it replaces any earlier registration
//! of its id (KIP-919).
//!
//! Generated from `messages/schema/metadata-log/027-register-controller.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// RegisterControllerRecord: a controller has announced itself to the active one; it replaces any earlier registration
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RegisterControllerRecord {
    pub controller_id: i32,
    /// Drawn anew by each start of the process.
    pub incarnation_id: Uuid,
    /// Always false since Kafka 4.0: nothing moves from ZooKeeper any more.
    pub zk_migration_ready: bool,
    pub end_points: Vec<ControllerEndpoint>,
    pub features: Vec<ControllerFeature>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for RegisterControllerRecord {
    const NAME: &'static str = "RegisterControllerRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            controller_id: from.i32()?,
            incarnation_id: from.uuid()?,
            zk_migration_ready: from.bool()?,
            end_points: from.array(7, |from| ControllerEndpoint::decode(from, version))?,
            features: from.array(6, |from| ControllerFeature::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.controller_id);
        into.uuid(self.incarnation_id);
        into.bool(self.zk_migration_ready);
        into.array(&self.end_points, |into, each| each.encode(into, version))?;
        into.array(&self.features, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for RegisterControllerRecord {
    const RECORD_TYPE: i16 = 27;
}

/// Of [`RegisterControllerRecord::end_points`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ControllerEndpoint {
    /// The listener's name.
    pub name: String,
    pub host: String,
    pub port: u16,
    /// 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
    pub security_protocol: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ControllerEndpoint {
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

/// Of [`RegisterControllerRecord::features`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ControllerFeature {
    pub name: String,
    pub min_supported_version: i16,
    pub max_supported_version: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ControllerFeature {
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

    impl Json for RegisterControllerRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("controllerId", &self.controller_id);
            object.put("incarnationId", &self.incarnation_id);
            object.put("zkMigrationReady", &self.zk_migration_ready);
            object.put("endPoints", &self.end_points);
            object.put("features", &self.features);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("controllerId", &mut this.controller_id)?;
            fields.read("incarnationId", &mut this.incarnation_id)?;
            fields.read("zkMigrationReady", &mut this.zk_migration_ready)?;
            fields.read("endPoints", &mut this.end_points)?;
            fields.read("features", &mut this.features)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ControllerEndpoint {
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

    impl Json for ControllerFeature {
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
