//! RemoteLogSegmentMetadataSnapshotRecord: a segment of remote storage, in a snapshot of one partition (KIP-405).
//!
//! A RemoteLogSegmentMetadataRecord without the partition, which is that of the snapshot.
//!
//! Generated from `messages/schema/remote-log/003-remote-log-segment-metadata-snapshot.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// RemoteLogSegmentMetadataSnapshotRecord: a segment of remote storage, in a snapshot of one partition (KIP-405).
#[derive(Clone, PartialEq, Debug)]
pub struct RemoteLogSegmentMetadataSnapshotRecord {
    pub segment_id: Uuid,
    pub start_offset: Offset,
    /// Of its last record.
    pub end_offset: Offset,
    /// Who wrote the newest record about it.
    pub broker_id: i32,
    /// The largest of its records, in ms since 1970.
    pub max_timestamp_ms: i64,
    /// When that was written, in ms since 1970.
    pub event_timestamp_ms: i64,
    /// All epochs of its records; never empty.
    pub segment_leader_epochs: Vec<SegmentLeaderEpochEntry>,
    pub segment_size_in_bytes: i32,
    /// What the storage plugin keeps of it.
    pub custom_metadata: Option<Bytes>,
    /// 0 copy begun, 1 copied, 2 deletion begun, 3 deleted.
    pub remote_log_segment_state: i8,
    /// Nothing was aborted in it: nobody need fetch that index (KIP-1058).
    pub txn_index_empty: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for RemoteLogSegmentMetadataSnapshotRecord {
    fn default() -> Self {
        Self {
            segment_id: Uuid::ZERO,
            start_offset: Offset(0),
            end_offset: Offset(0),
            broker_id: 0,
            max_timestamp_ms: 0,
            event_timestamp_ms: 0,
            segment_leader_epochs: Vec::new(),
            segment_size_in_bytes: 0,
            custom_metadata: None,
            remote_log_segment_state: 0,
            txn_index_empty: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for RemoteLogSegmentMetadataSnapshotRecord {
    const NAME: &'static str = "RemoteLogSegmentMetadataSnapshotRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            segment_id: from.uuid()?,
            start_offset: Offset(from.i64()?),
            end_offset: Offset(from.i64()?),
            broker_id: from.i32()?,
            max_timestamp_ms: from.i64()?,
            event_timestamp_ms: from.i64()?,
            segment_leader_epochs: from.array(13, |from| SegmentLeaderEpochEntry::decode(from, version))?,
            segment_size_in_bytes: from.i32()?,
            custom_metadata: from.nullable_bytes()?,
            remote_log_segment_state: from.i8()?,
            txn_index_empty: false,
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.txn_index_empty = from.bool()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.uuid(self.segment_id);
        into.i64(self.start_offset.0);
        into.i64(self.end_offset.0);
        into.i32(self.broker_id);
        into.i64(self.max_timestamp_ms);
        into.i64(self.event_timestamp_ms);
        into.array(&self.segment_leader_epochs, |into, each| each.encode(into, version))?;
        into.i32(self.segment_size_in_bytes);
        into.nullable_bytes(self.custom_metadata.as_ref())?;
        into.i8(self.remote_log_segment_state);
        into.tags(&self.unknown_tags, |tags| {
            if self.txn_index_empty {
                tags.field(0, |into| {
                    into.bool(self.txn_index_empty);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Record for RemoteLogSegmentMetadataSnapshotRecord {
    const RECORD_TYPE: i16 = 3;
}

/// Of [`RemoteLogSegmentMetadataSnapshotRecord::segment_leader_epochs`].
#[derive(Clone, PartialEq, Debug)]
pub struct SegmentLeaderEpochEntry {
    pub leader_epoch: LeaderEpoch,
    /// Where the epoch begins, in this segment.
    pub offset: Offset,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for SegmentLeaderEpochEntry {
    fn default() -> Self {
        Self { leader_epoch: LeaderEpoch(0), offset: Offset(0), unknown_tags: Vec::new() }
    }
}

impl SegmentLeaderEpochEntry {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            leader_epoch: LeaderEpoch(from.i32()?),
            offset: Offset(from.i64()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.leader_epoch.0);
        into.i64(self.offset.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for RemoteLogSegmentMetadataSnapshotRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("segmentId", &self.segment_id);
            object.put("startOffset", &self.start_offset);
            object.put("endOffset", &self.end_offset);
            object.put("brokerId", &self.broker_id);
            object.put("maxTimestampMs", &self.max_timestamp_ms);
            object.put("eventTimestampMs", &self.event_timestamp_ms);
            object.put("segmentLeaderEpochs", &self.segment_leader_epochs);
            object.put("segmentSizeInBytes", &self.segment_size_in_bytes);
            object.put("customMetadata", &self.custom_metadata);
            object.put("remoteLogSegmentState", &self.remote_log_segment_state);
            if self.txn_index_empty {
                object.put("txnIndexEmpty", &self.txn_index_empty);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("segmentId", &mut this.segment_id)?;
            fields.read("startOffset", &mut this.start_offset)?;
            fields.read("endOffset", &mut this.end_offset)?;
            fields.read("brokerId", &mut this.broker_id)?;
            fields.read("maxTimestampMs", &mut this.max_timestamp_ms)?;
            fields.read("eventTimestampMs", &mut this.event_timestamp_ms)?;
            fields.read("segmentLeaderEpochs", &mut this.segment_leader_epochs)?;
            fields.read("segmentSizeInBytes", &mut this.segment_size_in_bytes)?;
            fields.read("customMetadata", &mut this.custom_metadata)?;
            fields.read("remoteLogSegmentState", &mut this.remote_log_segment_state)?;
            fields.read("txnIndexEmpty", &mut this.txn_index_empty)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for SegmentLeaderEpochEntry {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("leaderEpoch", &self.leader_epoch);
            object.put("offset", &self.offset);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read("offset", &mut this.offset)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
