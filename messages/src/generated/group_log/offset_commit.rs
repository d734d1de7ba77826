//! OffsetCommit: how far a group has read a partition. Without a value: the group knows nothing of it any more.
//!
//! - v1: When the offset expires, if the client said so.
//! - v2: No longer: how long offsets are kept is the broker's to say (KIP-211).
//! - v3: The leader epoch of the last record read (KIP-320).
//! - v4: Flexible. The topic's id, so that a new topic of an old name isn't read from the old one's place (KIP-848).
//!
//! Generated from `messages/schema/group-log/001-offset-commit.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetCommitKey {
    pub group: String,
    pub topic: String,
    pub partition: PartitionIndex,
}

impl Default for OffsetCommitKey {
    fn default() -> Self {
        Self { group: String::new(), topic: String::new(), partition: PartitionIndex(0) }
    }
}

impl Message for OffsetCommitKey {
    const NAME: &'static str = "OffsetCommitKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { group: from.string()?, topic: from.string()?, partition: PartitionIndex(from.i32()?) })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group)?;
        into.string(&self.topic)?;
        into.i32(self.partition.0);
        Ok(())
    }
}

impl Record for OffsetCommitKey {
    const RECORD_TYPE: i16 = 1;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetCommitValue {
    /// Of the next record to read.
    pub offset: Offset,
    /// Of the last record read; -1: not known. (v3+)
    pub leader_epoch: LeaderEpoch,
    /// What the client wants to find here again.
    pub metadata: String,
    /// In ms since 1970.
    pub commit_timestamp: i64,
    /// In ms since 1970; -1: the broker's setting decides. (v1 only)
    pub expire_timestamp: i64,
    /// Zero: the client knew only the name. (v4+)
    pub topic_id: Uuid,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for OffsetCommitValue {
    fn default() -> Self {
        Self {
            offset: Offset(0),
            leader_epoch: LeaderEpoch(-1),
            metadata: String::new(),
            commit_timestamp: 0,
            expire_timestamp: -1,
            topic_id: Uuid::ZERO,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for OffsetCommitValue {
    const NAME: &'static str = "OffsetCommitValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            offset: Offset(from.i64()?),
            leader_epoch: if version >= 3 { LeaderEpoch(from.i32()?) } else { LeaderEpoch(-1) },
            metadata: from.string()?,
            commit_timestamp: from.i64()?,
            expire_timestamp: if version == 1 { from.i64()? } else { -1 },
            topic_id: Uuid::ZERO,
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.topic_id = from.uuid()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i64(self.offset.0);
        if version >= 3 {
            into.i32(self.leader_epoch.0);
        }
        into.string(&self.metadata)?;
        into.i64(self.commit_timestamp);
        if version == 1 {
            into.i64(self.expire_timestamp);
        }
        into.tags(&self.unknown_tags, |tags| {
            if self.topic_id != Uuid::ZERO {
                tags.field(0, |into| {
                    into.uuid(self.topic_id);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Record for OffsetCommitValue {
    const RECORD_TYPE: i16 = 1;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for OffsetCommitKey {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("group", &self.group);
            object.put("topic", &self.topic);
            object.put("partition", &self.partition);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("group", &mut this.group)?;
            fields.read("topic", &mut this.topic)?;
            fields.read("partition", &mut this.partition)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetCommitValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("offset", &self.offset);
            if version >= 3 {
                object.put("leaderEpoch", &self.leader_epoch);
            }
            object.put("metadata", &self.metadata);
            object.put("commitTimestamp", &self.commit_timestamp);
            if version == 1 {
                object.put("expireTimestamp", &self.expire_timestamp);
            }
            if version >= 4 && self.topic_id != Uuid::ZERO {
                object.put("topicId", &self.topic_id);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("offset", &mut this.offset)?;
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read("metadata", &mut this.metadata)?;
            fields.read("commitTimestamp", &mut this.commit_timestamp)?;
            fields.read("expireTimestamp", &mut this.expire_timestamp)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
