//! CreateDelegationToken: a token with which others log in as its owner, for a time (KIP-48).
//!
//! To log in with it is SCRAM, with its id as the name and its HMAC in base64 as the password. Who has logged in that
//! way, or not at all, is refused here and in the other APIs about tokens: DELEGATION_TOKEN_REQUEST_NOT_ALLOWED.
//!
//! - v2: Flexible.
//! - v3: Tokens for another user, to whom may do that (KIP-373).
//!
//! Generated from `messages/schema/038-create-delegation-token.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateDelegationTokenRequest {
    /// (v3+)
    pub owner_principal_type: Option<String>,
    /// Null: the client itself. (v3+)
    pub owner_principal_name: Option<String>,
    /// Who may renew it and end it, beside the owner.
    pub renewers: Vec<CreatableRenewers>,
    /// In ms, cut to the broker's setting; -1: just that.
    pub max_lifetime_ms: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for CreateDelegationTokenRequest {
    fn default() -> Self {
        Self {
            owner_principal_type: Some(String::new()),
            owner_principal_name: Some(String::new()),
            renewers: Vec::new(),
            max_lifetime_ms: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for CreateDelegationTokenRequest {
    const NAME: &'static str = "CreateDelegationTokenRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            owner_principal_type: if version >= 3 { from.nullable_string()? } else { Some(String::new()) },
            owner_principal_name: if version >= 3 { from.nullable_string()? } else { Some(String::new()) },
            renewers: from.array(3, |from| CreatableRenewers::decode(from, version))?,
            max_lifetime_ms: from.i64()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version >= 3 {
            into.nullable_string(self.owner_principal_type.as_deref())?;
        } else if self.owner_principal_type.as_ref().is_none_or(|value| !value.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "owner_principal_type", version });
        }
        if version >= 3 {
            into.nullable_string(self.owner_principal_name.as_deref())?;
        } else if self.owner_principal_name.as_ref().is_none_or(|value| !value.is_empty()) {
            return Err(EncodeError::NotInVersion { field: "owner_principal_name", version });
        }
        into.array(&self.renewers, |into, each| each.encode(into, version))?;
        into.i64(self.max_lifetime_ms);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for CreateDelegationTokenRequest {
    const API_KEY: i16 = 38;
    type Response = CreateDelegationTokenResponse;
}

/// Of [`CreateDelegationTokenRequest::renewers`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreatableRenewers {
    /// `User`; no other is taken.
    pub principal_type: String,
    pub principal_name: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl CreatableRenewers {
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
pub struct CreateDelegationTokenResponse {
    pub error_code: i16,
    /// Of the owner.
    pub principal_type: String,
    pub principal_name: String,
    /// Of the client that asked for it. (v3+)
    pub token_requester_principal_type: String,
    /// (v3+)
    pub token_requester_principal_name: String,
    /// In ms since 1970.
    pub issue_timestamp_ms: i64,
    /// Its end, unless it is renewed.
    pub expiry_timestamp_ms: i64,
    /// The end past which it can't be renewed.
    pub max_timestamp_ms: i64,
    /// The name to log in with.
    pub token_id: String,
    /// The secret.
    pub hmac: Bytes,
    pub throttle_time_ms: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for CreateDelegationTokenResponse {
    const NAME: &'static str = "CreateDelegationTokenResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            error_code: from.i16()?,
            principal_type: from.string()?,
            principal_name: from.string()?,
            token_requester_principal_type: if version >= 3 { from.string()? } else { String::new() },
            token_requester_principal_name: if version >= 3 { from.string()? } else { String::new() },
            issue_timestamp_ms: from.i64()?,
            expiry_timestamp_ms: from.i64()?,
            max_timestamp_ms: from.i64()?,
            token_id: from.string()?,
            hmac: from.bytes()?,
            throttle_time_ms: from.i32()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.error_code);
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
        into.i64(self.issue_timestamp_ms);
        into.i64(self.expiry_timestamp_ms);
        into.i64(self.max_timestamp_ms);
        into.string(&self.token_id)?;
        into.bytes(&self.hmac)?;
        into.i32(self.throttle_time_ms);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for CreateDelegationTokenResponse {
    const API_KEY: i16 = 38;
    type Request = CreateDelegationTokenRequest;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for CreateDelegationTokenRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 3 {
                object.put("ownerPrincipalType", &self.owner_principal_type);
            }
            if version >= 3 {
                object.put("ownerPrincipalName", &self.owner_principal_name);
            }
            object.put("renewers", &self.renewers);
            object.put("maxLifetimeMs", &self.max_lifetime_ms);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("ownerPrincipalType", &mut this.owner_principal_type)?;
            fields.read("ownerPrincipalName", &mut this.owner_principal_name)?;
            fields.read("renewers", &mut this.renewers)?;
            fields.read("maxLifetimeMs", &mut this.max_lifetime_ms)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CreatableRenewers {
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

    impl Json for CreateDelegationTokenResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("principalType", &self.principal_type);
            object.put("principalName", &self.principal_name);
            if version >= 3 {
                object.put("tokenRequesterPrincipalType", &self.token_requester_principal_type);
            }
            if version >= 3 {
                object.put("tokenRequesterPrincipalName", &self.token_requester_principal_name);
            }
            object.put("issueTimestampMs", &self.issue_timestamp_ms);
            object.put("expiryTimestampMs", &self.expiry_timestamp_ms);
            object.put("maxTimestampMs", &self.max_timestamp_ms);
            object.put("tokenId", &self.token_id);
            object.put("hmac", &self.hmac);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("principalType", &mut this.principal_type)?;
            fields.read("principalName", &mut this.principal_name)?;
            fields.read("tokenRequesterPrincipalType", &mut this.token_requester_principal_type)?;
            fields.read("tokenRequesterPrincipalName", &mut this.token_requester_principal_name)?;
            fields.read("issueTimestampMs", &mut this.issue_timestamp_ms)?;
            fields.read("expiryTimestampMs", &mut this.expiry_timestamp_ms)?;
            fields.read("maxTimestampMs", &mut this.max_timestamp_ms)?;
            fields.read("tokenId", &mut this.token_id)?;
            fields.read("hmac", &mut this.hmac)?;
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
