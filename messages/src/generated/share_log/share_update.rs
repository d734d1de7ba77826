//! ShareUpdate: what has changed in the state since the last ShareSnapshot or ShareUpdate (KIP-932). It always has a
//! value.
//!
//! Generated from `messages/schema/share-log/001-share-update.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug)]
pub struct ShareUpdateKey {
    pub group_id: String,
    pub topic_id: Uuid,
    pub partition: PartitionIndex,
}

impl Default for ShareUpdateKey {
    fn default() -> Self {
        Self { group_id: String::new(), topic_id: Uuid::ZERO, partition: PartitionIndex(0) }
    }
}

impl Message for ShareUpdateKey {
    const NAME: &'static str = "ShareUpdateKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { group_id: from.string()?, topic_id: from.uuid()?, partition: PartitionIndex(from.i32()?) })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        into.uuid(self.topic_id);
        into.i32(self.partition.0);
        Ok(())
    }
}

impl Record for ShareUpdateKey {
    const RECORD_TYPE: i16 = 1;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug)]
pub struct ShareUpdateValue {
    /// Of the snapshot that it adds to.
    pub snapshot_epoch: i32,
    /// -1: unchanged.
    pub leader_epoch: LeaderEpoch,
    /// -1: unchanged.
    pub start_offset: Offset,
    /// How many from the start offset on are done (KIP-1226); -1: not known.
    pub delivery_complete_count: i32,
    /// What changed; in an overlap the higher delivery count holds, then the higher state.
    pub state_batches: Vec<StateBatch>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ShareUpdateValue {
    fn default() -> Self {
        Self {
            snapshot_epoch: 0,
            leader_epoch: LeaderEpoch(0),
            start_offset: Offset(0),
            delivery_complete_count: -1,
            state_batches: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for ShareUpdateValue {
    const NAME: &'static str = "ShareUpdateValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            snapshot_epoch: from.i32()?,
            leader_epoch: LeaderEpoch(from.i32()?),
            start_offset: Offset(from.i64()?),
            delivery_complete_count: -1,
            state_batches: from.array(20, |from| StateBatch::decode(from, version))?,
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.delivery_complete_count = from.i32()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.snapshot_epoch);
        into.i32(self.leader_epoch.0);
        into.i64(self.start_offset.0);
        into.array(&self.state_batches, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |tags| {
            if self.delivery_complete_count != -1 {
                tags.field(0, |into| {
                    into.i32(self.delivery_complete_count);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Record for ShareUpdateValue {
    const RECORD_TYPE: i16 = 1;
}

/// Of [`ShareUpdateValue::state_batches`].
#[derive(Clone, PartialEq, Debug)]
pub struct StateBatch {
    pub first_offset: Offset,
    /// Belongs to the batch.
    pub last_offset: Offset,
    /// 0 available, 2 acknowledged, 4 archived; what is acquired is not stored.
    pub delivery_state: i8,
    pub delivery_count: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for StateBatch {
    fn default() -> Self {
        Self {
            first_offset: Offset(0),
            last_offset: Offset(0),
            delivery_state: 0,
            delivery_count: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl StateBatch {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            first_offset: Offset(from.i64()?),
            last_offset: Offset(from.i64()?),
            delivery_state: from.i8()?,
            delivery_count: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i64(self.first_offset.0);
        into.i64(self.last_offset.0);
        into.i8(self.delivery_state);
        into.i16(self.delivery_count);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ShareUpdateKey {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("topicId", &self.topic_id);
            object.put("partition", &self.partition);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("partition", &mut this.partition)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ShareUpdateValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("snapshotEpoch", &self.snapshot_epoch);
            object.put("leaderEpoch", &self.leader_epoch);
            object.put("startOffset", &self.start_offset);
            if self.delivery_complete_count != -1 {
                object.put("deliveryCompleteCount", &self.delivery_complete_count);
            }
            object.put("stateBatches", &self.state_batches);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("snapshotEpoch", &mut this.snapshot_epoch)?;
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read("startOffset", &mut this.start_offset)?;
            fields.read("deliveryCompleteCount", &mut this.delivery_complete_count)?;
            fields.read("stateBatches", &mut this.state_batches)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for StateBatch {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("firstOffset", &self.first_offset);
            object.put("lastOffset", &self.last_offset);
            object.put("deliveryState", &self.delivery_state);
            object.put("deliveryCount", &self.delivery_count);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("firstOffset", &mut this.first_offset)?;
            fields.read("lastOffset", &mut this.last_offset)?;
            fields.read("deliveryState", &mut this.delivery_state)?;
            fields.read("deliveryCount", &mut this.delivery_count)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
