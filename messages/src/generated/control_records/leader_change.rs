//! LeaderChangeMessage: the metadata log has a new leader; it begins its epoch with this (KIP-595).
//!
//! - v1: The directory ids of the voters (KIP-853).
//!
//! Generated from `messages/schema/control-records/003-leader-change.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// LeaderChangeMessage: the metadata log has a new leader; it begins its epoch with this (KIP-595).
#[derive(Clone, PartialEq, Debug)]
pub struct LeaderChangeMessage {
    /// Of this record.
    pub version: i16,
    pub leader_id: BrokerId,
    pub voters: Vec<Voter>,
    /// Those that voted for the leader.
    pub granting_voters: Vec<Voter>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for LeaderChangeMessage {
    fn default() -> Self {
        Self {
            version: 0,
            leader_id: BrokerId(0),
            voters: Vec::new(),
            granting_voters: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for LeaderChangeMessage {
    const NAME: &'static str = "LeaderChangeMessage";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            version: from.i16()?,
            leader_id: BrokerId(from.i32()?),
            voters: from.array(5, |from| Voter::decode(from, version))?,
            granting_voters: from.array(5, |from| Voter::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.version);
        into.i32(self.leader_id.0);
        into.array(&self.voters, |into, each| each.encode(into, version))?;
        into.array(&self.granting_voters, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`LeaderChangeMessage::voters`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Voter {
    pub voter_id: i32,
    /// (v1+)
    pub voter_directory_id: Uuid,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Voter {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            voter_id: from.i32()?,
            voter_directory_id: if version >= 1 { from.uuid()? } else { Uuid::ZERO },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.voter_id);
        if version >= 1 {
            into.uuid(self.voter_directory_id);
        } else if self.voter_directory_id != Uuid::ZERO {
            return Err(EncodeError::NotInVersion { field: "voter_directory_id", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for LeaderChangeMessage {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("version", &self.version);
            object.put("leaderId", &self.leader_id);
            object.put("voters", &self.voters);
            object.put("grantingVoters", &self.granting_voters);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("version", &mut this.version)?;
            fields.read("leaderId", &mut this.leader_id)?;
            fields.read("voters", &mut this.voters)?;
            fields.read("grantingVoters", &mut this.granting_voters)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Voter {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("voterId", &self.voter_id);
            if version >= 1 {
                object.put("voterDirectoryId", &self.voter_directory_id);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("voterId", &mut this.voter_id)?;
            fields.read("voterDirectoryId", &mut this.voter_directory_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
