//! DescribeDelegationToken: the tokens that a client may see, with their secrets (KIP-48).
//!
//! Owners and renewers see theirs; for other tokens a client needs a rule for the token, or one for its owner.
//!
//! - v2: Flexible.
//! - v3: Who asked for the token, which need not be its owner (KIP-373).
//!
//! Generated from `messages/schema/041-describe-delegation-token.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeDelegationTokenRequest {
    /// Whose tokens, as owners or renewers; null: everyone's; empty: nobody's.
    pub owners: Option<Vec<DescribeDelegationTokenOwner>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeDelegationTokenRequest {
    fn default() -> Self {
        Self { owners: Some(Vec::new()), unknown_tags: Vec::new() }
    }
}

impl Message for DescribeDelegationTokenRequest {
    const NAME: &'static str = "DescribeDelegationTokenRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            owners: from.nullable_array(3, |from| DescribeDelegationTokenOwner::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.nullable_array(self.owners.as_deref(), |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DescribeDelegationTokenRequest {
    const API_KEY: i16 = 41;
    type Response = DescribeDelegationTokenResponse;
}

/// Of [`DescribeDelegationTokenRequest::owners`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeDelegationTokenOwner {
    pub principal_type: String,
    pub principal_name: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DescribeDelegationTokenOwner {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            principal_type: from.string()?,
            principal_name: from.string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.principal_type)?;
        into.string(&self.principal_name)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribeDelegationTokenResponse {
    pub error_code: i16,
    pub tokens: Vec<DescribedDelegationToken>,
    pub throttle_time_ms: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DescribeDelegationTokenResponse {
    const NAME: &'static str = "DescribeDelegationTokenResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            error_code: from.i16()?,
            tokens: from.array(30, |from| DescribedDelegationToken::decode(from, version))?,
            throttle_time_ms: from.i32()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.error_code);
        into.array(&self.tokens, |into, each| each.encode(into, version))?;
        into.i32(self.throttle_time_ms);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for DescribeDelegationTokenResponse {
    const API_KEY: i16 = 41;
    type Request = DescribeDelegationTokenRequest;
}

/// Of [`DescribeDelegationTokenResponse::tokens`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribedDelegationToken {
    /// Of the owner.
    pub principal_type: String,
    pub principal_name: String,
    /// (v3+)
    pub token_requester_principal_type: String,
    /// (v3+)
    pub token_requester_principal_name: String,
    /// In ms since 1970.
    pub issue_timestamp: i64,
    /// Its end, unless it is renewed; in ms since 1970.
    pub expiry_timestamp: i64,
    /// The end past which it can't be renewed; in ms since 1970.
    pub max_timestamp: i64,
    pub token_id: String,
    /// The secret.
    pub hmac: Bytes,
    pub renewers: Vec<DescribedDelegationTokenRenewer>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DescribedDelegationToken {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            principal_type: from.string()?,
            principal_name: from.string()?,
            token_requester_principal_type: if version >= 3 { from.string()? } else { String::new() },
            token_requester_principal_name: if version >= 3 { from.string()? } else { String::new() },
            issue_timestamp: from.i64()?,
            expiry_timestamp: from.i64()?,
            max_timestamp: from.i64()?,
            token_id: from.string()?,
            hmac: from.bytes()?,
            renewers: from.array(3, |from| DescribedDelegationTokenRenewer::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.principal_type)?;
        into.string(&self.principal_name)?;
        if version >= 3 {
            into.string(&self.token_requester_principal_type)?;
        } else if !self.token_requester_principal_type.is_empty() {
            return Err(EncodeError::NotInVersion { field: "token_requester_principal_type", version });
        }
        if version >= 3 {
            into.string(&self.token_requester_principal_name)?;
        } else if !self.token_requester_principal_name.is_empty() {
            return Err(EncodeError::NotInVersion { field: "token_requester_principal_name", version });
        }
        into.i64(self.issue_timestamp);
        into.i64(self.expiry_timestamp);
        into.i64(self.max_timestamp);
        into.string(&self.token_id)?;
        into.bytes(&self.hmac)?;
        into.array(&self.renewers, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribedDelegationToken::renewers`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DescribedDelegationTokenRenewer {
    pub principal_type: String,
    pub principal_name: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl DescribedDelegationTokenRenewer {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            principal_type: from.string()?,
            principal_name: from.string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.principal_type)?;
        into.string(&self.principal_name)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DescribeDelegationTokenRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("owners", &self.owners);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("owners", &mut this.owners)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeDelegationTokenOwner {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("principalType", &self.principal_type);
            object.put("principalName", &self.principal_name);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("principalType", &mut this.principal_type)?;
            fields.read("principalName", &mut this.principal_name)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeDelegationTokenResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("tokens", &self.tokens);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("tokens", &mut this.tokens)?;
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribedDelegationToken {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("principalType", &self.principal_type);
            object.put("principalName", &self.principal_name);
            if version >= 3 {
                object.put("tokenRequesterPrincipalType", &self.token_requester_principal_type);
            }
            if version >= 3 {
                object.put("tokenRequesterPrincipalName", &self.token_requester_principal_name);
            }
            object.put("issueTimestamp", &self.issue_timestamp);
            object.put("expiryTimestamp", &self.expiry_timestamp);
            object.put("maxTimestamp", &self.max_timestamp);
            object.put("tokenId", &self.token_id);
            object.put("hmac", &self.hmac);
            object.put("renewers", &self.renewers);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("principalType", &mut this.principal_type)?;
            fields.read("principalName", &mut this.principal_name)?;
            fields.read("tokenRequesterPrincipalType", &mut this.token_requester_principal_type)?;
            fields.read("tokenRequesterPrincipalName", &mut this.token_requester_principal_name)?;
            fields.read("issueTimestamp", &mut this.issue_timestamp)?;
            fields.read("expiryTimestamp", &mut this.expiry_timestamp)?;
            fields.read("maxTimestamp", &mut this.max_timestamp)?;
            fields.read("tokenId", &mut this.token_id)?;
            fields.read("hmac", &mut this.hmac)?;
            fields.read("renewers", &mut this.renewers)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribedDelegationTokenRenewer {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("principalType", &self.principal_type);
            object.put("principalName", &self.principal_name);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("principalType", &mut this.principal_type)?;
            fields.read("principalName", &mut this.principal_name)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
