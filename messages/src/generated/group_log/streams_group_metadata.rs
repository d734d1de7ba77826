//! StreamsGroupMetadata: a group of the streams protocol, and the epoch it has reached (KIP-1071). Without a value:
//! there is no such group any more.
//!
//! It goes only when its members and their assignment are gone, as with ConsumerGroupMetadata.
//!
//! Generated from `messages/schema/group-log/017-streams-group-metadata.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupMetadataKey {
    pub group_id: String,
}

impl Message for StreamsGroupMetadataKey {
    const NAME: &'static str = "StreamsGroupMetadataKey";
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

impl Record for StreamsGroupMetadataKey {
    const RECORD_TYPE: i16 = 17;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug)]
pub struct StreamsGroupMetadataValue {
    /// Goes up when members, topology, topics or settings change: an assignment is due.
    pub epoch: i32,
    /// Of the topics' ids, names, partitions, racks (KIP-1101); 0: no topics.
    pub metadata_hash: i64,
    /// Of the topology whose topics were found to be right; -1: of none yet.
    pub validated_topology_epoch: i32,
    /// Settings the last assignment was made with, as `num.standby.replicas`. Null: as if empty.
    pub last_assignment_configs: Option<Vec<LastAssignmentConfig>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for StreamsGroupMetadataValue {
    fn default() -> Self {
        Self {
            epoch: 0,
            metadata_hash: 0,
            validated_topology_epoch: -1,
            last_assignment_configs: Some(Vec::new()),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for StreamsGroupMetadataValue {
    const NAME: &'static str = "StreamsGroupMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            epoch: from.i32()?,
            metadata_hash: from.i64()?,
            validated_topology_epoch: -1,
            last_assignment_configs: Some(Vec::new()),
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.validated_topology_epoch = from.i32()?,
                1 => {
                    this.last_assignment_configs =
                        from.nullable_array(3, |from| LastAssignmentConfig::decode(from, version))?
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.epoch);
        into.i64(self.metadata_hash);
        into.tags(&self.unknown_tags, |tags| {
            if self.validated_topology_epoch != -1 {
                tags.field(0, |into| {
                    into.i32(self.validated_topology_epoch);
                    Ok(())
                })?;
            }
            if self.last_assignment_configs.as_ref().is_none_or(|value| !value.is_empty()) {
                tags.field(1, |into| {
                    into.nullable_array(self.last_assignment_configs.as_deref(), |into, each| {
                        each.encode(into, version)
                    })
                })?;
            }
            Ok(())
        })
    }
}

impl Record for StreamsGroupMetadataValue {
    const RECORD_TYPE: i16 = 17;
}

/// Of [`StreamsGroupMetadataValue::last_assignment_configs`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LastAssignmentConfig {
    pub key: String,
    pub value: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl LastAssignmentConfig {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { key: from.string()?, value: from.string()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.key)?;
        into.string(&self.value)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for StreamsGroupMetadataKey {
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

    impl Json for StreamsGroupMetadataValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("epoch", &self.epoch);
            object.put("metadataHash", &self.metadata_hash);
            if self.validated_topology_epoch != -1 {
                object.put("validatedTopologyEpoch", &self.validated_topology_epoch);
            }
            if self.last_assignment_configs.as_ref().is_none_or(|value| !value.is_empty()) {
                object.put("lastAssignmentConfigs", &self.last_assignment_configs);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("epoch", &mut this.epoch)?;
            fields.read("metadataHash", &mut this.metadata_hash)?;
            fields.read("validatedTopologyEpoch", &mut this.validated_topology_epoch)?;
            fields.read("lastAssignmentConfigs", &mut this.last_assignment_configs)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for LastAssignmentConfig {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("key", &self.key);
            object.put("value", &self.value);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("key", &mut this.key)?;
            fields.read("value", &mut this.value)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
