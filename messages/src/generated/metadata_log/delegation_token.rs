//! DelegationTokenRecord: a delegation token, or new times for one; it replaces what was known of it (KIP-48).
//!
//! The token's HMAC is stored nowhere: it follows from the id and a secret that all brokers share.
//!
//! Generated from `messages/schema/metadata-log/010-delegation-token.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// DelegationTokenRecord: a delegation token, or new times for one; it replaces what was known of it (KIP-48).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DelegationTokenRecord {
    /// Who is logged in by it, as `User:name`.
    pub owner: String,
    /// Who asked for it (KIP-373).
    pub requester: String,
    /// Who else may renew it.
    pub renewers: Vec<String>,
    /// In ms since 1970.
    pub issue_timestamp: i64,
    /// No renewal goes beyond this; in ms since 1970.
    pub max_timestamp: i64,
    /// When it ends unless it is renewed; in ms since 1970.
    pub expiration_timestamp: i64,
    pub token_id: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DelegationTokenRecord {
    const NAME: &'static str = "DelegationTokenRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            owner: from.string()?,
            requester: from.string()?,
            renewers: from.array(1, Decoder::string)?,
            issue_timestamp: from.i64()?,
            max_timestamp: from.i64()?,
            expiration_timestamp: from.i64()?,
            token_id: from.string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.owner)?;
        into.string(&self.requester)?;
        into.array(&self.renewers, |into, each| into.string(each))?;
        into.i64(self.issue_timestamp);
        into.i64(self.max_timestamp);
        into.i64(self.expiration_timestamp);
        into.string(&self.token_id)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for DelegationTokenRecord {
    const RECORD_TYPE: i16 = 10;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DelegationTokenRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("owner", &self.owner);
            object.put("requester", &self.requester);
            object.put("renewers", &self.renewers);
            object.put("issueTimestamp", &self.issue_timestamp);
            object.put("maxTimestamp", &self.max_timestamp);
            object.put("expirationTimestamp", &self.expiration_timestamp);
            object.put("tokenId", &self.token_id);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("owner", &mut this.owner)?;
            fields.read("requester", &mut this.requester)?;
            fields.read("renewers", &mut this.renewers)?;
            fields.read("issueTimestamp", &mut this.issue_timestamp)?;
            fields.read("maxTimestamp", &mut this.max_timestamp)?;
            fields.read("expirationTimestamp", &mut this.expiration_timestamp)?;
            fields.read("tokenId", &mut this.token_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
