//! ShareGroupTargetAssignmentMetadata: the epoch that the targets of a share group's members were made for (KIP-932).
//! Without a value: there are no targets any more; those of the members go before.
//!
//! Generated from `messages/schema/group-log/012-share-group-target-assignment-metadata.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareGroupTargetAssignmentMetadataKey {
    pub group_id: String,
}

impl Message for ShareGroupTargetAssignmentMetadataKey {
    const NAME: &'static str = "ShareGroupTargetAssignmentMetadataKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { group_id: from.string()? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        Ok(())
    }
}

impl Record for ShareGroupTargetAssignmentMetadataKey {
    const RECORD_TYPE: i16 = 12;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareGroupTargetAssignmentMetadataValue {
    /// Behind the group's epoch: a new assignment is due.
    pub assignment_epoch: i32,
    /// When it was made, in ms since 1970 (KIP-1263); 0: not known.
    pub assignment_timestamp: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ShareGroupTargetAssignmentMetadataValue {
    const NAME: &'static str = "ShareGroupTargetAssignmentMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self { assignment_epoch: from.i32()?, assignment_timestamp: 0, unknown_tags: Vec::new() };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.assignment_timestamp = from.i64()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.assignment_epoch);
        into.tags(&self.unknown_tags, |tags| {
            if self.assignment_timestamp != 0 {
                tags.field(0, |into| {
                    into.i64(self.assignment_timestamp);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Record for ShareGroupTargetAssignmentMetadataValue {
    const RECORD_TYPE: i16 = 12;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ShareGroupTargetAssignmentMetadataKey {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ShareGroupTargetAssignmentMetadataValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("assignmentEpoch", &self.assignment_epoch);
            if self.assignment_timestamp != 0 {
                object.put("assignmentTimestamp", &self.assignment_timestamp);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("assignmentEpoch", &mut this.assignment_epoch)?;
            fields.read("assignmentTimestamp", &mut this.assignment_timestamp)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
