//! ListTransactions: the transactional ids that a broker coordinates, and their states (KIP-664).
//!
//! Tools ask every broker. What is listed has passed all filters. A broker that is still loading lists nothing and
//! answers COORDINATOR_LOAD_IN_PROGRESS.
//!
//! - v1: A filter for transactions that have been open for long (KIP-994).
//! - v2: A filter for the id; INVALID_REGULAR_EXPRESSION if it makes no sense (KIP-1152).
//!
//! Generated from `messages/schema/066-list-transactions.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct ListTransactionsRequest {
    /// Names as in DescribeTransactions; empty: all.
    pub state_filters: Vec<String>,
    /// Empty: all.
    pub producer_id_filters: Vec<ProducerId>,
    /// Open for longer than this, in ms; below 0: all. (v1+)
    pub duration_filter: i64,
    /// A regular expression of RE2; null or empty: all. (v2+)
    pub transactional_id_pattern: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ListTransactionsRequest {
    fn default() -> Self {
        Self {
            state_filters: Vec::new(),
            producer_id_filters: Vec::new(),
            duration_filter: -1,
            transactional_id_pattern: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for ListTransactionsRequest {
    const NAME: &'static str = "ListTransactionsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            state_filters: from.array(1, Decoder::string)?,
            producer_id_filters: from.array(8, |from| Ok(ProducerId(from.i64()?)))?,
            duration_filter: if version >= 1 { from.i64()? } else { -1 },
            transactional_id_pattern: if version >= 2 { from.nullable_string()? } else { None },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.state_filters, |into, each| into.string(each))?;
        into.plain_array(&self.producer_id_filters, |into, each| into.i64(each.0))?;
        if version >= 1 {
            into.i64(self.duration_filter);
        } else if self.duration_filter != -1 {
            return Err(EncodeError::NotInVersion { field: "duration_filter", version });
        }
        if version >= 2 {
            into.nullable_string(self.transactional_id_pattern.as_deref())?;
        } else if self.transactional_id_pattern.is_some() {
            return Err(EncodeError::NotInVersion { field: "transactional_id_pattern", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for ListTransactionsRequest {
    const API_KEY: i16 = 66;
    type Response = ListTransactionsResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ListTransactionsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// Those that name no state.
    pub unknown_state_filters: Vec<String>,
    pub transaction_states: Vec<TransactionState>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ListTransactionsResponse {
    const NAME: &'static str = "ListTransactionsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: from.i16()?,
            unknown_state_filters: from.array(1, Decoder::string)?,
            transaction_states: from.array(11, |from| TransactionState::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        into.array(&self.unknown_state_filters, |into, each| into.string(each))?;
        into.array(&self.transaction_states, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for ListTransactionsResponse {
    const API_KEY: i16 = 66;
    type Request = ListTransactionsRequest;
}

/// Of [`ListTransactionsResponse::transaction_states`].
#[derive(Clone, PartialEq, Debug)]
pub struct TransactionState {
    pub transactional_id: String,
    pub producer_id: ProducerId,
    pub transaction_state: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for TransactionState {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            producer_id: ProducerId(0),
            transaction_state: String::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl TransactionState {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            transactional_id: from.string()?,
            producer_id: ProducerId(from.i64()?),
            transaction_state: from.string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.transactional_id)?;
        into.i64(self.producer_id.0);
        into.string(&self.transaction_state)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ListTransactionsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("stateFilters", &self.state_filters);
            object.put("producerIdFilters", &self.producer_id_filters);
            if version >= 1 {
                object.put("durationFilter", &self.duration_filter);
            }
            if version >= 2 {
                object.put("transactionalIdPattern", &self.transactional_id_pattern);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("stateFilters", &mut this.state_filters)?;
            fields.read("producerIdFilters", &mut this.producer_id_filters)?;
            fields.read("durationFilter", &mut this.duration_filter)?;
            fields.read("transactionalIdPattern", &mut this.transactional_id_pattern)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ListTransactionsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            object.put("unknownStateFilters", &self.unknown_state_filters);
            object.put("transactionStates", &self.transaction_states);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("unknownStateFilters", &mut this.unknown_state_filters)?;
            fields.read("transactionStates", &mut this.transaction_states)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TransactionState {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("transactionalId", &self.transactional_id);
            object.put("producerId", &self.producer_id);
            object.put("transactionState", &self.transaction_state);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("transactionalId", &mut this.transactional_id)?;
            fields.read("producerId", &mut this.producer_id)?;
            fields.read("transactionState", &mut this.transaction_state)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
