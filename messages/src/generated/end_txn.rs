//! EndTxn: a producer commits or aborts its transaction (KIP-98).
//!
//! Goes to the transaction's coordinator, which answers as soon as the decision is stored. The markers are written
//! afterwards; what the producer sends meanwhile may be answered with CONCURRENT_TRANSACTIONS.
//!
//! - v1: A throttled client is answered at once and waits by itself (KIP-219).
//! - v2: PRODUCER_FENCED: a newer producer has the transactional id (KIP-588).
//! - v3: Flexible.
//! - v4: TRANSACTION_ABORTABLE: this transaction can only be aborted (KIP-890).
//! - v5: The epoch goes up with each transaction; an abort with nothing open succeeds (KIP-890).
//!
//! Generated from `messages/schema/026-end-txn.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct EndTxnRequest {
    pub transactional_id: String,
    pub producer_id: ProducerId,
    pub producer_epoch: ProducerEpoch,
    /// False: abort.
    pub committed: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for EndTxnRequest {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            producer_id: ProducerId(0),
            producer_epoch: ProducerEpoch(0),
            committed: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for EndTxnRequest {
    const NAME: &'static str = "EndTxnRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            transactional_id: from.string()?,
            producer_id: ProducerId(from.i64()?),
            producer_epoch: ProducerEpoch(from.i16()?),
            committed: from.bool()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.transactional_id)?;
        into.i64(self.producer_id.0);
        into.i16(self.producer_epoch.0);
        into.bool(self.committed);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for EndTxnRequest {
    const API_KEY: i16 = 26;
    type Response = EndTxnResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct EndTxnResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// What to go on with: a new id once the epochs of the old one are used up. -1 on an error. (v5+)
    pub producer_id: ProducerId,
    /// (v5+)
    pub producer_epoch: ProducerEpoch,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for EndTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: ProducerId(-1),
            producer_epoch: ProducerEpoch(-1),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for EndTxnResponse {
    const NAME: &'static str = "EndTxnResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: from.i16()?,
            producer_id: if version >= 5 { ProducerId(from.i64()?) } else { ProducerId(-1) },
            producer_epoch: if version >= 5 { ProducerEpoch(from.i16()?) } else { ProducerEpoch(-1) },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        if version >= 5 {
            into.i64(self.producer_id.0);
            into.i16(self.producer_epoch.0);
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for EndTxnResponse {
    const API_KEY: i16 = 26;
    type Request = EndTxnRequest;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for EndTxnRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("transactionalId", &self.transactional_id);
            object.put("producerId", &self.producer_id);
            object.put("producerEpoch", &self.producer_epoch);
            object.put("committed", &self.committed);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("transactionalId", &mut this.transactional_id)?;
            fields.read("producerId", &mut this.producer_id)?;
            fields.read("producerEpoch", &mut this.producer_epoch)?;
            fields.read("committed", &mut this.committed)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for EndTxnResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            if version >= 5 {
                object.put("producerId", &self.producer_id);
            }
            if version >= 5 {
                object.put("producerEpoch", &self.producer_epoch);
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
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
