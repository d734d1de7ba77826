//! WriteTxnMarkers: the end of transactions is written into their partitions (KIP-98).
//!
//! From the transactions' coordinator to the leaders of the partitions, again and again until all have it. An
//! operator's tool sends it too, to abort a transaction that hangs (KIP-664).
//!
//! - v2: Which rule the epoch of a marker is held against (KIP-1228).
//!
//! Generated from `messages/schema/027-write-txn-markers.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WriteTxnMarkersRequest {
    pub markers: Vec<WritableTxnMarker>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for WriteTxnMarkersRequest {
    const NAME: &'static str = "WriteTxnMarkersRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 1;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            markers: from.array(17, |from| WritableTxnMarker::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.markers, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for WriteTxnMarkersRequest {
    const API_KEY: i16 = 27;
    type Response = WriteTxnMarkersResponse;
}

/// Of [`WriteTxnMarkersRequest::markers`].
#[derive(Clone, PartialEq, Debug)]
pub struct WritableTxnMarker {
    pub producer_id: ProducerId,
    /// Of the marker, which may be above that of the records.
    pub producer_epoch: ProducerEpoch,
    /// True: commit; false: abort.
    pub transaction_result: bool,
    /// With `__consumer_offsets` if group offsets are part of it.
    pub topics: Vec<WritableTxnMarkerTopic>,
    /// Leader epoch of the coordinator's own partition; an older one is fenced.
    pub coordinator_epoch: i32,
    /// 0, 1: a marker's epoch is not below the last one seen; 2: it is above. (v2+)
    pub transaction_version: i8,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for WritableTxnMarker {
    fn default() -> Self {
        Self {
            producer_id: ProducerId(0),
            producer_epoch: ProducerEpoch(0),
            transaction_result: false,
            topics: Vec::new(),
            coordinator_epoch: 0,
            transaction_version: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl WritableTxnMarker {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            producer_id: ProducerId(from.i64()?),
            producer_epoch: ProducerEpoch(from.i16()?),
            transaction_result: from.bool()?,
            topics: from.array(3, |from| WritableTxnMarkerTopic::decode(from, version))?,
            coordinator_epoch: from.i32()?,
            transaction_version: if version >= 2 { from.i8()? } else { 0 },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i64(self.producer_id.0);
        into.i16(self.producer_epoch.0);
        into.bool(self.transaction_result);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.i32(self.coordinator_epoch);
        if version >= 2 {
            into.i8(self.transaction_version);
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`WritableTxnMarker::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WritableTxnMarkerTopic {
    pub name: String,
    pub partition_indexes: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl WritableTxnMarkerTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partition_indexes: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.plain_array(&self.partition_indexes, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WriteTxnMarkersResponse {
    pub markers: Vec<WritableTxnMarkerResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for WriteTxnMarkersResponse {
    const NAME: &'static str = "WriteTxnMarkersResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 1;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            markers: from.array(10, |from| WritableTxnMarkerResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.markers, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for WriteTxnMarkersResponse {
    const API_KEY: i16 = 27;
    type Request = WriteTxnMarkersRequest;
}

/// Of [`WriteTxnMarkersResponse::markers`].
#[derive(Clone, PartialEq, Debug)]
pub struct WritableTxnMarkerResult {
    pub producer_id: ProducerId,
    pub topics: Vec<WritableTxnMarkerTopicResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for WritableTxnMarkerResult {
    fn default() -> Self {
        Self { producer_id: ProducerId(0), topics: Vec::new(), unknown_tags: Vec::new() }
    }
}

impl WritableTxnMarkerResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            producer_id: ProducerId(from.i64()?),
            topics: from.array(3, |from| WritableTxnMarkerTopicResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i64(self.producer_id.0);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`WritableTxnMarkerResult::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WritableTxnMarkerTopicResult {
    pub name: String,
    pub partitions: Vec<WritableTxnMarkerPartitionResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl WritableTxnMarkerTopicResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(7, |from| WritableTxnMarkerPartitionResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`WritableTxnMarkerTopicResult::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct WritableTxnMarkerPartitionResult {
    pub partition_index: PartitionIndex,
    pub error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for WritableTxnMarkerPartitionResult {
    fn default() -> Self {
        Self { partition_index: PartitionIndex(0), error_code: 0, unknown_tags: Vec::new() }
    }
}

impl WritableTxnMarkerPartitionResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            error_code: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i16(self.error_code);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for WriteTxnMarkersRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("markers", &self.markers);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("markers", &mut this.markers)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for WritableTxnMarker {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("producerId", &self.producer_id);
            object.put("producerEpoch", &self.producer_epoch);
            object.put("transactionResult", &self.transaction_result);
            object.put("topics", &self.topics);
            object.put("coordinatorEpoch", &self.coordinator_epoch);
            if version >= 2 {
                object.put("transactionVersion", &self.transaction_version);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("producerId", &mut this.producer_id)?;
            fields.read("producerEpoch", &mut this.producer_epoch)?;
            fields.read("transactionResult", &mut this.transaction_result)?;
            fields.read("topics", &mut this.topics)?;
            fields.read("coordinatorEpoch", &mut this.coordinator_epoch)?;
            fields.read("transactionVersion", &mut this.transaction_version)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for WritableTxnMarkerTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("partitionIndexes", &self.partition_indexes);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("partitionIndexes", &mut this.partition_indexes)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for WriteTxnMarkersResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("markers", &self.markers);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("markers", &mut this.markers)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for WritableTxnMarkerResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("producerId", &self.producer_id);
            object.put("topics", &self.topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("producerId", &mut this.producer_id)?;
            fields.read("topics", &mut this.topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for WritableTxnMarkerTopicResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for WritableTxnMarkerPartitionResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("errorCode", &self.error_code);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
