//! KRaftVersionRecord: the version of the Raft protocol that holds from here on (KIP-853).
//!
//! Generated from `messages/schema/control-records/002-kraft-version.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// KRaftVersionRecord: the version of the Raft protocol that holds from here on (KIP-853).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct KRaftVersionRecord {
    /// Of this record.
    pub version: i16,
    /// 0: the voters are those of the configuration; 1: those of VotersRecord.
    pub k_raft_version: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for KRaftVersionRecord {
    const NAME: &'static str = "KRaftVersionRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { version: from.i16()?, k_raft_version: from.i16()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.version);
        into.i16(self.k_raft_version);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for KRaftVersionRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("version", &self.version);
            object.put("kRaftVersion", &self.k_raft_version);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("version", &mut this.version)?;
            fields.read("kRaftVersion", &mut this.k_raft_version)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
