//! RemotePartitionDeleteMetadataRecord: how far the deletion of a partition's remote segments has come (KIP-405).
//!
//! Generated from `messages/schema/remote-log/002-remote-partition-delete-metadata.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// RemotePartitionDeleteMetadataRecord: how far the deletion of a partition's remote segments has come (KIP-405).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RemotePartitionDeleteMetadataRecord {
    pub topic_id_partition: TopicIdPartitionEntry,
    /// Who wrote this.
    pub broker_id: i32,
    /// When this was written, in ms since 1970.
    pub event_timestamp_ms: i64,
    /// 0 marked, 1 begun, 2 done.
    pub remote_partition_delete_state: i8,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for RemotePartitionDeleteMetadataRecord {
    const NAME: &'static str = "RemotePartitionDeleteMetadataRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topic_id_partition: TopicIdPartitionEntry::decode(from, version)?,
            broker_id: from.i32()?,
            event_timestamp_ms: from.i64()?,
            remote_partition_delete_state: from.i8()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        self.topic_id_partition.encode(into, version)?;
        into.i32(self.broker_id);
        into.i64(self.event_timestamp_ms);
        into.i8(self.remote_partition_delete_state);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for RemotePartitionDeleteMetadataRecord {
    const RECORD_TYPE: i16 = 2;
}

/// Of [`RemotePartitionDeleteMetadataRecord::topic_id_partition`].
#[derive(Clone, PartialEq, Debug)]
pub struct TopicIdPartitionEntry {
    pub name: String,
    pub id: Uuid,
    pub partition: PartitionIndex,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for TopicIdPartitionEntry {
    fn default() -> Self {
        Self { name: String::new(), id: Uuid::ZERO, partition: PartitionIndex(0), unknown_tags: Vec::new() }
    }
}

impl TopicIdPartitionEntry {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            id: from.uuid()?,
            partition: PartitionIndex(from.i32()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.uuid(self.id);
        into.i32(self.partition.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for RemotePartitionDeleteMetadataRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topicIdPartition", &self.topic_id_partition);
            object.put("brokerId", &self.broker_id);
            object.put("eventTimestampMs", &self.event_timestamp_ms);
            object.put("remotePartitionDeleteState", &self.remote_partition_delete_state);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicIdPartition", &mut this.topic_id_partition)?;
            fields.read("brokerId", &mut this.broker_id)?;
            fields.read("eventTimestampMs", &mut this.event_timestamp_ms)?;
            fields.read("remotePartitionDeleteState", &mut this.remote_partition_delete_state)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TopicIdPartitionEntry {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("id", &self.id);
            object.put("partition", &self.partition);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("id", &mut this.id)?;
            fields.read("partition", &mut this.partition)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
