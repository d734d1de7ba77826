//! AddPartitionsToTxn: partitions become part of a transaction, before anything is written to them (KIP-98).
//!
//! Goes to the transaction's coordinator: up to v3 from a producer, from v4 on from other brokers only. All partitions
//! of a transaction are added or none: where one can't be, the others hear OPERATION_NOT_ATTEMPTED.
//!
//! - v1: A throttled client is answered at once and waits by itself (KIP-219).
//! - v2: PRODUCER_FENCED: a newer producer has the transactional id (KIP-588).
//! - v3: Flexible.
//! - v4: For brokers: many transactions in one request, and asking without adding (KIP-890).
//! - v5: TRANSACTION_ABORTABLE: this transaction can only be aborted (KIP-890).
//!
//! Generated from `messages/schema/024-add-partitions-to-txn.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct AddPartitionsToTxnRequest {
    /// (v4+)
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    /// (up to v3)
    pub v3_and_below_transactional_id: String,
    /// (up to v3)
    pub v3_and_below_producer_id: ProducerId,
    /// (up to v3)
    pub v3_and_below_producer_epoch: ProducerEpoch,
    /// (up to v3)
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for AddPartitionsToTxnRequest {
    fn default() -> Self {
        Self {
            transactions: Vec::new(),
            v3_and_below_transactional_id: String::new(),
            v3_and_below_producer_id: ProducerId(0),
            v3_and_below_producer_epoch: ProducerEpoch(0),
            v3_and_below_topics: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for AddPartitionsToTxnRequest {
    const NAME: &'static str = "AddPartitionsToTxnRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            transactions: if version >= 4 {
                from.array(14, |from| AddPartitionsToTxnTransaction::decode(from, version))?
            } else {
                Vec::new()
            },
            v3_and_below_transactional_id: if version <= 3 { from.string()? } else { String::new() },
            v3_and_below_producer_id: if version <= 3 { ProducerId(from.i64()?) } else { ProducerId(0) },
            v3_and_below_producer_epoch: if version <= 3 { ProducerEpoch(from.i16()?) } else { ProducerEpoch(0) },
            v3_and_below_topics: if version <= 3 {
                from.array(3, |from| AddPartitionsToTxnTopic::decode(from, version))?
            } else {
                Vec::new()
            },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 4 {
            into.array(&self.transactions, |into, each| each.encode(into, version))?;
        } else if !self.transactions.is_empty() {
            return Err(EncodeError::NotInVersion { field: "transactions", version });
        }
        if version <= 3 {
            into.string(&self.v3_and_below_transactional_id)?;
        } else if !self.v3_and_below_transactional_id.is_empty() {
            return Err(EncodeError::NotInVersion { field: "v3_and_below_transactional_id", version });
        }
        if version <= 3 {
            into.i64(self.v3_and_below_producer_id.0);
        } else if self.v3_and_below_producer_id != ProducerId(0) {
            return Err(EncodeError::NotInVersion { field: "v3_and_below_producer_id", version });
        }
        if version <= 3 {
            into.i16(self.v3_and_below_producer_epoch.0);
        } else if self.v3_and_below_producer_epoch != ProducerEpoch(0) {
            return Err(EncodeError::NotInVersion { field: "v3_and_below_producer_epoch", version });
        }
        if version <= 3 {
            into.array(&self.v3_and_below_topics, |into, each| each.encode(into, version))?;
        } else if !self.v3_and_below_topics.is_empty() {
            return Err(EncodeError::NotInVersion { field: "v3_and_below_topics", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for AddPartitionsToTxnRequest {
    const API_KEY: i16 = 24;
    type Response = AddPartitionsToTxnResponse;
}

/// Of [`AddPartitionsToTxnRequest::transactions`].
#[derive(Clone, PartialEq, Debug)]
pub struct AddPartitionsToTxnTransaction {
    pub transactional_id: String,
    pub producer_id: ProducerId,
    pub producer_epoch: ProducerEpoch,
    /// Tell whether they are part of it, and add nothing.
    pub verify_only: bool,
    pub topics: Vec<AddPartitionsToTxnTopic>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for AddPartitionsToTxnTransaction {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            producer_id: ProducerId(0),
            producer_epoch: ProducerEpoch(0),
            verify_only: false,
            topics: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl AddPartitionsToTxnTransaction {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            transactional_id: from.string()?,
            producer_id: ProducerId(from.i64()?),
            producer_epoch: ProducerEpoch(from.i16()?),
            verify_only: from.bool()?,
            topics: from.array(3, |from| AddPartitionsToTxnTopic::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.transactional_id)?;
        into.i64(self.producer_id.0);
        into.i16(self.producer_epoch.0);
        into.bool(self.verify_only);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`AddPartitionsToTxnTransaction::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AddPartitionsToTxnTopic {
    pub name: String,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl AddPartitionsToTxnTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AddPartitionsToTxnResponse {
    pub throttle_time_ms: i32,
    /// Of the whole request. (v4+)
    pub error_code: i16,
    /// (v4+)
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    /// (up to v3)
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for AddPartitionsToTxnResponse {
    const NAME: &'static str = "AddPartitionsToTxnResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: if version >= 4 { from.i16()? } else { 0 },
            results_by_transaction: if version >= 4 {
                from.array(3, |from| AddPartitionsToTxnResult::decode(from, version))?
            } else {
                Vec::new()
            },
            results_by_topic_v3_and_below: if version <= 3 {
                from.array(3, |from| AddPartitionsToTxnTopicResult::decode(from, version))?
            } else {
                Vec::new()
            },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        if version >= 4 {
            into.i16(self.error_code);
        }
        if version >= 4 {
            into.array(&self.results_by_transaction, |into, each| each.encode(into, version))?;
        } else if !self.results_by_transaction.is_empty() {
            return Err(EncodeError::NotInVersion { field: "results_by_transaction", version });
        }
        if version <= 3 {
            into.array(&self.results_by_topic_v3_and_below, |into, each| each.encode(into, version))?;
        } else if !self.results_by_topic_v3_and_below.is_empty() {
            return Err(EncodeError::NotInVersion { field: "results_by_topic_v3_and_below", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for AddPartitionsToTxnResponse {
    const API_KEY: i16 = 24;
    type Request = AddPartitionsToTxnRequest;
}

/// Of [`AddPartitionsToTxnResponse::results_by_transaction`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AddPartitionsToTxnResult {
    pub transactional_id: String,
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl AddPartitionsToTxnResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            transactional_id: from.string()?,
            topic_results: from.array(3, |from| AddPartitionsToTxnTopicResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.transactional_id)?;
        into.array(&self.topic_results, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`AddPartitionsToTxnResult::topic_results`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AddPartitionsToTxnTopicResult {
    pub name: String,
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl AddPartitionsToTxnTopicResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            results_by_partition: from.array(6, |from| AddPartitionsToTxnPartitionResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.results_by_partition, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`AddPartitionsToTxnTopicResult::results_by_partition`].
#[derive(Clone, PartialEq, Debug)]
pub struct AddPartitionsToTxnPartitionResult {
    pub partition_index: PartitionIndex,
    pub partition_error_code: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for AddPartitionsToTxnPartitionResult {
    fn default() -> Self {
        Self { partition_index: PartitionIndex(0), partition_error_code: 0, unknown_tags: Vec::new() }
    }
}

impl AddPartitionsToTxnPartitionResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: PartitionIndex(from.i32()?),
            partition_error_code: from.i16()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i16(self.partition_error_code);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for AddPartitionsToTxnRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 4 {
                object.put("transactions", &self.transactions);
            }
            if version <= 3 {
                object.put("v3AndBelowTransactionalId", &self.v3_and_below_transactional_id);
            }
            if version <= 3 {
                object.put("v3AndBelowProducerId", &self.v3_and_below_producer_id);
            }
            if version <= 3 {
                object.put("v3AndBelowProducerEpoch", &self.v3_and_below_producer_epoch);
            }
            if version <= 3 {
                object.put("v3AndBelowTopics", &self.v3_and_below_topics);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("transactions", &mut this.transactions)?;
            fields.read("v3AndBelowTransactionalId", &mut this.v3_and_below_transactional_id)?;
            fields.read("v3AndBelowProducerId", &mut this.v3_and_below_producer_id)?;
            fields.read("v3AndBelowProducerEpoch", &mut this.v3_and_below_producer_epoch)?;
            fields.read("v3AndBelowTopics", &mut this.v3_and_below_topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AddPartitionsToTxnTransaction {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("transactionalId", &self.transactional_id);
            object.put("producerId", &self.producer_id);
            object.put("producerEpoch", &self.producer_epoch);
            object.put("verifyOnly", &self.verify_only);
            object.put("topics", &self.topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("transactionalId", &mut this.transactional_id)?;
            fields.read("producerId", &mut this.producer_id)?;
            fields.read("producerEpoch", &mut this.producer_epoch)?;
            fields.read("verifyOnly", &mut this.verify_only)?;
            fields.read("topics", &mut this.topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AddPartitionsToTxnTopic {
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

    impl Json for AddPartitionsToTxnResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            if version >= 4 {
                object.put("errorCode", &self.error_code);
            }
            if version >= 4 {
                object.put("resultsByTransaction", &self.results_by_transaction);
            }
            if version <= 3 {
                object.put("resultsByTopicV3AndBelow", &self.results_by_topic_v3_and_below);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("resultsByTransaction", &mut this.results_by_transaction)?;
            fields.read("resultsByTopicV3AndBelow", &mut this.results_by_topic_v3_and_below)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AddPartitionsToTxnResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("transactionalId", &self.transactional_id);
            object.put("topicResults", &self.topic_results);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("transactionalId", &mut this.transactional_id)?;
            fields.read("topicResults", &mut this.topic_results)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AddPartitionsToTxnTopicResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("resultsByPartition", &self.results_by_partition);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("resultsByPartition", &mut this.results_by_partition)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AddPartitionsToTxnPartitionResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("partitionErrorCode", &self.partition_error_code);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("partitionErrorCode", &mut this.partition_error_code)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
