//! TransactionLog: the state of a transactional id, written with each change before anyone sees it. Without a value:
//! the id has expired.
//!
//! - v1: Flexible: tags for what becomes of the producer id; written from `transaction.version` 1 on (KIP-890).
//!
//! Generated from `messages/schema/transaction-log/000-transaction-log.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TransactionLogKey {
    pub transactional_id: String,
}

impl Message for TransactionLogKey {
    const NAME: &'static str = "TransactionLogKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { transactional_id: from.string()? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.transactional_id)?;
        Ok(())
    }
}

impl Record for TransactionLogKey {
    const RECORD_TYPE: i16 = 0;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug)]
pub struct TransactionLogValue {
    pub producer_id: ProducerId,
    /// Of the transaction before, to know a retry by; -1: none. (v1+)
    pub previous_producer_id: i64,
    /// What follows when the epochs are used up; -1: nothing. (v1+)
    pub next_producer_id: i64,
    pub producer_epoch: ProducerEpoch,
    /// Of `next_producer_id` (KIP-939); Kafka 4.3 leaves it at -1. (v1+)
    pub next_producer_epoch: ProducerEpoch,
    /// In ms; 2147483647: never, another system decides (KIP-939).
    pub transaction_timeout_ms: i32,
    /// 0 empty, 1 ongoing, 2 committing, 3 aborting, 4 committed, 5 aborted.
    pub transaction_status: i8,
    /// Null in state 0. Offsets of groups count as a write to `__consumer_offsets`.
    pub transaction_partitions: Option<Vec<PartitionsSchema>>,
    /// In ms since 1970.
    pub transaction_last_update_timestamp_ms: i64,
    /// In ms since 1970; -1: no transaction yet.
    pub transaction_start_timestamp_ms: i64,
    /// 2: the producer epoch goes up with each transaction (KIP-890). (v1+)
    pub client_transaction_version: i16,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for TransactionLogValue {
    fn default() -> Self {
        Self {
            producer_id: ProducerId(0),
            previous_producer_id: -1,
            next_producer_id: -1,
            producer_epoch: ProducerEpoch(0),
            next_producer_epoch: ProducerEpoch(-1),
            transaction_timeout_ms: 0,
            transaction_status: 0,
            transaction_partitions: Some(Vec::new()),
            transaction_last_update_timestamp_ms: 0,
            transaction_start_timestamp_ms: 0,
            client_transaction_version: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for TransactionLogValue {
    const NAME: &'static str = "TransactionLogValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            producer_id: ProducerId(from.i64()?),
            previous_producer_id: -1,
            next_producer_id: -1,
            producer_epoch: ProducerEpoch(from.i16()?),
            next_producer_epoch: ProducerEpoch(-1),
            transaction_timeout_ms: from.i32()?,
            transaction_status: from.i8()?,
            transaction_partitions: from.nullable_array(3, |from| PartitionsSchema::decode(from, version))?,
            transaction_last_update_timestamp_ms: from.i64()?,
            transaction_start_timestamp_ms: from.i64()?,
            client_transaction_version: 0,
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.previous_producer_id = from.i64()?,
                1 => this.next_producer_id = from.i64()?,
                2 => this.client_transaction_version = from.i16()?,
                3 => this.next_producer_epoch = ProducerEpoch(from.i16()?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i64(self.producer_id.0);
        if version < 1 && self.previous_producer_id != -1 {
            return Err(EncodeError::NotInVersion { field: "previous_producer_id", version });
        }
        if version < 1 && self.next_producer_id != -1 {
            return Err(EncodeError::NotInVersion { field: "next_producer_id", version });
        }
        into.i16(self.producer_epoch.0);
        if version < 1 && self.next_producer_epoch != ProducerEpoch(-1) {
            return Err(EncodeError::NotInVersion { field: "next_producer_epoch", version });
        }
        into.i32(self.transaction_timeout_ms);
        into.i8(self.transaction_status);
        into.nullable_array(self.transaction_partitions.as_deref(), |into, each| each.encode(into, version))?;
        into.i64(self.transaction_last_update_timestamp_ms);
        into.i64(self.transaction_start_timestamp_ms);
        if version < 1 && self.client_transaction_version != 0 {
            return Err(EncodeError::NotInVersion { field: "client_transaction_version", version });
        }
        into.tags(&self.unknown_tags, |tags| {
            if self.previous_producer_id != -1 {
                tags.field(0, |into| {
                    into.i64(self.previous_producer_id);
                    Ok(())
                })?;
            }
            if self.next_producer_id != -1 {
                tags.field(1, |into| {
                    into.i64(self.next_producer_id);
                    Ok(())
                })?;
            }
            if self.client_transaction_version != 0 {
                tags.field(2, |into| {
                    into.i16(self.client_transaction_version);
                    Ok(())
                })?;
            }
            if self.next_producer_epoch != ProducerEpoch(-1) {
                tags.field(3, |into| {
                    into.i16(self.next_producer_epoch.0);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Record for TransactionLogValue {
    const RECORD_TYPE: i16 = 0;
}

/// Of [`TransactionLogValue::transaction_partitions`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PartitionsSchema {
    pub topic: String,
    pub partition_ids: Vec<i32>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl PartitionsSchema {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: from.string()?,
            partition_ids: from.array(4, Decoder::i32)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.topic)?;
        into.plain_array(&self.partition_ids, |into, each| into.i32(*each))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for TransactionLogKey {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("transactionalId", &self.transactional_id);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("transactionalId", &mut this.transactional_id)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TransactionLogValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("producerId", &self.producer_id);
            if version >= 1 && self.previous_producer_id != -1 {
                object.put("previousProducerId", &self.previous_producer_id);
            }
            if version >= 1 && self.next_producer_id != -1 {
                object.put("nextProducerId", &self.next_producer_id);
            }
            object.put("producerEpoch", &self.producer_epoch);
            if version >= 1 && self.next_producer_epoch != ProducerEpoch(-1) {
                object.put("nextProducerEpoch", &self.next_producer_epoch);
            }
            object.put("transactionTimeoutMs", &self.transaction_timeout_ms);
            object.put("transactionStatus", &self.transaction_status);
            object.put("transactionPartitions", &self.transaction_partitions);
            object.put("transactionLastUpdateTimestampMs", &self.transaction_last_update_timestamp_ms);
            object.put("transactionStartTimestampMs", &self.transaction_start_timestamp_ms);
            if version >= 1 && self.client_transaction_version != 0 {
                object.put("clientTransactionVersion", &self.client_transaction_version);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("producerId", &mut this.producer_id)?;
            fields.read("previousProducerId", &mut this.previous_producer_id)?;
            fields.read("nextProducerId", &mut this.next_producer_id)?;
            fields.read("producerEpoch", &mut this.producer_epoch)?;
            fields.read("nextProducerEpoch", &mut this.next_producer_epoch)?;
            fields.read("transactionTimeoutMs", &mut this.transaction_timeout_ms)?;
            fields.read("transactionStatus", &mut this.transaction_status)?;
            fields.read("transactionPartitions", &mut this.transaction_partitions)?;
            fields.read("transactionLastUpdateTimestampMs", &mut this.transaction_last_update_timestamp_ms)?;
            fields.read("transactionStartTimestampMs", &mut this.transaction_start_timestamp_ms)?;
            fields.read("clientTransactionVersion", &mut this.client_transaction_version)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for PartitionsSchema {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topic", &self.topic);
            object.put("partitionIds", &self.partition_ids);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topic", &mut this.topic)?;
            fields.read("partitionIds", &mut this.partition_ids)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
