//! LegacyOffsetCommit: how far a group has read a partition, as Kafka 0.8.2 wrote it. Without a value: the group knows
//! nothing of it any more.
//!
//! Nobody writes it now. A coordinator that finds one takes it for an OffsetCommit; the later of the two in the log
//! counts.
//!
//! Generated from `messages/schema/group-log/000-legacy-offset-commit.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug)]
pub struct LegacyOffsetCommitKey {
    pub group: String,
    pub topic: String,
    pub partition: PartitionIndex,
}

impl Default for LegacyOffsetCommitKey {
    fn default() -> Self {
        Self { group: String::new(), topic: String::new(), partition: PartitionIndex(0) }
    }
}

impl Message for LegacyOffsetCommitKey {
    const NAME: &'static str = "LegacyOffsetCommitKey";
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

impl Record for LegacyOffsetCommitKey {
    const RECORD_TYPE: i16 = 0;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug)]
pub struct LegacyOffsetCommitValue {
    /// Of the next record to read.
    pub offset: Offset,
    /// What the client wants to find here again.
    pub metadata: String,
    /// In ms since 1970.
    pub commit_timestamp: i64,
}

impl Default for LegacyOffsetCommitValue {
    fn default() -> Self {
        Self { offset: Offset(0), metadata: String::new(), commit_timestamp: 0 }
    }
}

impl Message for LegacyOffsetCommitValue {
    const NAME: &'static str = "LegacyOffsetCommitValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { offset: Offset(from.i64()?), metadata: from.string()?, commit_timestamp: from.i64()? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i64(self.offset.0);
        into.string(&self.metadata)?;
        into.i64(self.commit_timestamp);
        Ok(())
    }
}

impl Record for LegacyOffsetCommitValue {
    const RECORD_TYPE: i16 = 0;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for LegacyOffsetCommitKey {
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

    impl Json for LegacyOffsetCommitValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("offset", &self.offset);
            object.put("metadata", &self.metadata);
            object.put("commitTimestamp", &self.commit_timestamp);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("offset", &mut this.offset)?;
            fields.read("metadata", &mut this.metadata)?;
            fields.read("commitTimestamp", &mut this.commit_timestamp)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
