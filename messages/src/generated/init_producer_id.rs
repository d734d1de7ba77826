//! InitProducerId: an id and an epoch for a producer; with a transactional id always the same id, and its past is ended.
//!
//! Kafka 4.3 doesn't offer v6 unless unstable versions are switched on; a broker that is like it serves up to v5.
//!
//! - v1: A throttled client is answered at once and waits by itself (KIP-219).
//! - v2: Flexible.
//! - v3: A producer that knows its id and epoch may have the epoch raised after an error (KIP-360).
//! - v4: PRODUCER_FENCED: a newer producer has the transactional id (KIP-588).
//! - v5: TRANSACTION_ABORTABLE: this transaction can only be aborted (KIP-890).
//! - v6: Transactions of two phases that another system decides (KIP-939).
//!
//! Generated from `messages/schema/022-init-producer-id.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct InitProducerIdRequest {
    /// Null: idempotence only; any broker can answer.
    pub transactional_id: Option<String>,
    /// A transaction that lasts longer is aborted, in ms.
    pub transaction_timeout_ms: i32,
    /// What the producer has; -1: nothing yet. (v3+)
    pub producer_id: ProducerId,
    /// (v3+)
    pub producer_epoch: ProducerEpoch,
    /// Transactions of this producer have no timeout. (v6+)
    pub enable_2_pc: bool,
    /// Don't abort what is prepared: its decision is yet to come. (v6+)
    pub keep_prepared_txn: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for InitProducerIdRequest {
    fn default() -> Self {
        Self {
            transactional_id: Some(String::new()),
            transaction_timeout_ms: 0,
            producer_id: ProducerId(-1),
            producer_epoch: ProducerEpoch(-1),
            enable_2_pc: false,
            keep_prepared_txn: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for InitProducerIdRequest {
    const NAME: &'static str = "InitProducerIdRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            transactional_id: from.nullable_string()?,
            transaction_timeout_ms: from.i32()?,
            producer_id: if version >= 3 { ProducerId(from.i64()?) } else { ProducerId(-1) },
            producer_epoch: if version >= 3 { ProducerEpoch(from.i16()?) } else { ProducerEpoch(-1) },
            enable_2_pc: if version >= 6 { from.bool()? } else { false },
            keep_prepared_txn: if version >= 6 { from.bool()? } else { false },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.nullable_string(self.transactional_id.as_deref())?;
        into.i32(self.transaction_timeout_ms);
        if version >= 3 {
            into.i64(self.producer_id.0);
        } else if self.producer_id != ProducerId(-1) {
            return Err(EncodeError::NotInVersion { field: "producer_id", version });
        }
        if version >= 3 {
            into.i16(self.producer_epoch.0);
        } else if self.producer_epoch != ProducerEpoch(-1) {
            return Err(EncodeError::NotInVersion { field: "producer_epoch", version });
        }
        if version >= 6 {
            into.bool(self.enable_2_pc);
        } else if self.enable_2_pc {
            return Err(EncodeError::NotInVersion { field: "enable_2_pc", version });
        }
        if version >= 6 {
            into.bool(self.keep_prepared_txn);
        } else if self.keep_prepared_txn {
            return Err(EncodeError::NotInVersion { field: "keep_prepared_txn", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for InitProducerIdRequest {
    const API_KEY: i16 = 22;
    type Response = InitProducerIdResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct InitProducerIdResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// -1 on an error.
    pub producer_id: ProducerId,
    pub producer_epoch: ProducerEpoch,
    /// Of the prepared transaction that was kept; -1: there is none. (v6+)
    pub ongoing_txn_producer_id: ProducerId,
    /// (v6+)
    pub ongoing_txn_producer_epoch: ProducerEpoch,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for InitProducerIdResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: ProducerId(-1),
            producer_epoch: ProducerEpoch(0),
            ongoing_txn_producer_id: ProducerId(-1),
            ongoing_txn_producer_epoch: ProducerEpoch(-1),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for InitProducerIdResponse {
    const NAME: &'static str = "InitProducerIdResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: from.i16()?,
            producer_id: ProducerId(from.i64()?),
            producer_epoch: ProducerEpoch(from.i16()?),
            ongoing_txn_producer_id: if version >= 6 { ProducerId(from.i64()?) } else { ProducerId(-1) },
            ongoing_txn_producer_epoch: if version >= 6 { ProducerEpoch(from.i16()?) } else { ProducerEpoch(-1) },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        into.i64(self.producer_id.0);
        into.i16(self.producer_epoch.0);
        if version >= 6 {
            into.i64(self.ongoing_txn_producer_id.0);
        } else if self.ongoing_txn_producer_id != ProducerId(-1) {
            return Err(EncodeError::NotInVersion { field: "ongoing_txn_producer_id", version });
        }
        if version >= 6 {
            into.i16(self.ongoing_txn_producer_epoch.0);
        } else if self.ongoing_txn_producer_epoch != ProducerEpoch(-1) {
            return Err(EncodeError::NotInVersion { field: "ongoing_txn_producer_epoch", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for InitProducerIdResponse {
    const API_KEY: i16 = 22;
    type Request = InitProducerIdRequest;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for InitProducerIdRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("transactionalId", &self.transactional_id);
            object.put("transactionTimeoutMs", &self.transaction_timeout_ms);
            if version >= 3 {
                object.put("producerId", &self.producer_id);
            }
            if version >= 3 {
                object.put("producerEpoch", &self.producer_epoch);
            }
            if version >= 6 {
                object.put("enable2Pc", &self.enable_2_pc);
            }
            if version >= 6 {
                object.put("keepPreparedTxn", &self.keep_prepared_txn);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("transactionalId", &mut this.transactional_id)?;
            fields.read("transactionTimeoutMs", &mut this.transaction_timeout_ms)?;
            fields.read("producerId", &mut this.producer_id)?;
            fields.read("producerEpoch", &mut this.producer_epoch)?;
            fields.read("enable2Pc", &mut this.enable_2_pc)?;
            fields.read("keepPreparedTxn", &mut this.keep_prepared_txn)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for InitProducerIdResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            object.put("producerId", &self.producer_id);
            object.put("producerEpoch", &self.producer_epoch);
            if version >= 6 {
                object.put("ongoingTxnProducerId", &self.ongoing_txn_producer_id);
            }
            if version >= 6 {
                object.put("ongoingTxnProducerEpoch", &self.ongoing_txn_producer_epoch);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("producerId", &mut this.producer_id)?;
            fields.read("producerEpoch", &mut this.producer_epoch)?;
            fields.read("ongoingTxnProducerId", &mut this.ongoing_txn_producer_id)?;
            fields.read("ongoingTxnProducerEpoch", &mut this.ongoing_txn_producer_epoch)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
