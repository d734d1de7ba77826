//! VotersRecord: who votes on the metadata log from here on (KIP-853).
//!
//! It holds as soon as it is in the log, committed or not.
//!
//! Generated from `messages/schema/control-records/006-voters.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// VotersRecord: who votes on the metadata log from here on (KIP-853).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct VotersRecord {
    /// Of this record.
    pub version: i16,
    pub voters: Vec<Voter>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for VotersRecord {
    const NAME: &'static str = "VotersRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            version: from.i16()?,
            voters: from.array(27, |from| Voter::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.version);
        into.array(&self.voters, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`VotersRecord::voters`].
#[derive(Clone, PartialEq, Debug)]
pub struct Voter {
    pub voter_id: BrokerId,
    /// Of the disk with its log: on another one it is another voter.
    pub voter_directory_id: Uuid,
    /// Where the other controllers reach it.
    pub endpoints: Vec<Endpoint>,
    /// Versions of the Raft protocol that it can do.
    pub k_raft_version_feature: KRaftVersionFeature,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for Voter {
    fn default() -> Self {
        Self {
            voter_id: BrokerId(0),
            voter_directory_id: Uuid::ZERO,
            endpoints: Vec::new(),
            k_raft_version_feature: KRaftVersionFeature::default(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Voter {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            voter_id: BrokerId(from.i32()?),
            voter_directory_id: from.uuid()?,
            endpoints: from.array(5, |from| Endpoint::decode(from, version))?,
            k_raft_version_feature: KRaftVersionFeature::decode(from, version)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.voter_id.0);
        into.uuid(self.voter_directory_id);
        into.array(&self.endpoints, |into, each| each.encode(into, version))?;
        self.k_raft_version_feature.encode(into, version)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Voter::endpoints`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Endpoint {
    pub name: String,
    pub host: String,
    pub port: u16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Endpoint {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            host: from.string()?,
            port: from.u16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.string(&self.host)?;
        into.u16(self.port);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Voter::k_raft_version_feature`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct KRaftVersionFeature {
    pub min_supported_version: i16,
    pub max_supported_version: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl KRaftVersionFeature {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            min_supported_version: from.i16()?,
            max_supported_version: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.min_supported_version);
        into.i16(self.max_supported_version);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for VotersRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("version", &self.version);
            object.put("voters", &self.voters);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("version", &mut this.version)?;
            fields.read("voters", &mut this.voters)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Voter {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("voterId", &self.voter_id);
            object.put("voterDirectoryId", &self.voter_directory_id);
            object.put("endpoints", &self.endpoints);
            object.put("kRaftVersionFeature", &self.k_raft_version_feature);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("voterId", &mut this.voter_id)?;
            fields.read("voterDirectoryId", &mut this.voter_directory_id)?;
            fields.read("endpoints", &mut this.endpoints)?;
            fields.read("kRaftVersionFeature", &mut this.k_raft_version_feature)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Endpoint {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("host", &self.host);
            object.put("port", &self.port);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("host", &mut this.host)?;
            fields.read("port", &mut this.port)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for KRaftVersionFeature {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("minSupportedVersion", &self.min_supported_version);
            object.put("maxSupportedVersion", &self.max_supported_version);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("minSupportedVersion", &mut this.min_supported_version)?;
            fields.read("maxSupportedVersion", &mut this.max_supported_version)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
