//! RemoteLogSegmentMetadataUpdateRecord: a segment of remote storage is in another state from here on (KIP-405).
//!
//! Generated from `messages/schema/remote-log/001-remote-log-segment-metadata-update.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// RemoteLogSegmentMetadataUpdateRecord: a segment of remote storage is in another state from here on (KIP-405).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RemoteLogSegmentMetadataUpdateRecord {
    pub remote_log_segment_id: RemoteLogSegmentIdEntry,
    /// Who wrote this.
    pub broker_id: i32,
    /// When this was written, in ms since 1970.
    pub event_timestamp_ms: i64,
    /// What the storage plugin keeps of it from here on; null: nothing.
    pub custom_metadata: Option<Bytes>,
    /// 0 copy begun, 1 copied, 2 deletion begun, 3 deleted.
    pub remote_log_segment_state: i8,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for RemoteLogSegmentMetadataUpdateRecord {
    const NAME: &'static str = "RemoteLogSegmentMetadataUpdateRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            remote_log_segment_id: RemoteLogSegmentIdEntry::decode(from, version)?,
            broker_id: from.i32()?,
            event_timestamp_ms: from.i64()?,
            custom_metadata: from.nullable_bytes()?,
            remote_log_segment_state: from.i8()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        self.remote_log_segment_id.encode(into, version)?;
        into.i32(self.broker_id);
        into.i64(self.event_timestamp_ms);
        into.nullable_bytes(self.custom_metadata.as_ref())?;
        into.i8(self.remote_log_segment_state);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for RemoteLogSegmentMetadataUpdateRecord {
    const RECORD_TYPE: i16 = 1;
}

/// Of [`RemoteLogSegmentMetadataUpdateRecord::remote_log_segment_id`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RemoteLogSegmentIdEntry {
    pub topic_id_partition: TopicIdPartitionEntry,
    /// As in the RemoteLogSegmentMetadataRecord.
    pub id: Uuid,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl RemoteLogSegmentIdEntry {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_id_partition: TopicIdPartitionEntry::decode(from, version)?,
            id: from.uuid()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        self.topic_id_partition.encode(into, version)?;
        into.uuid(self.id);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`RemoteLogSegmentIdEntry::topic_id_partition`].
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

    impl Json for RemoteLogSegmentMetadataUpdateRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("remoteLogSegmentId", &self.remote_log_segment_id);
            object.put("brokerId", &self.broker_id);
            object.put("eventTimestampMs", &self.event_timestamp_ms);
            object.put("customMetadata", &self.custom_metadata);
            object.put("remoteLogSegmentState", &self.remote_log_segment_state);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("remoteLogSegmentId", &mut this.remote_log_segment_id)?;
            fields.read("brokerId", &mut this.broker_id)?;
            fields.read("eventTimestampMs", &mut this.event_timestamp_ms)?;
            fields.read("customMetadata", &mut this.custom_metadata)?;
            fields.read("remoteLogSegmentState", &mut this.remote_log_segment_state)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for RemoteLogSegmentIdEntry {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topicIdPartition", &self.topic_id_partition);
            object.put("id", &self.id);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicIdPartition", &mut this.topic_id_partition)?;
            fields.read("id", &mut this.id)?;
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
