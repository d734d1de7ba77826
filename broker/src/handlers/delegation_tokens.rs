//! CreateDelegationToken (key 38) and DescribeDelegationToken (key 41), versions 1-3, RenewDelegationToken (key 39) and
//! ExpireDelegationToken (key 40), versions 1-2.
//!
//! Tokens that let others act for who asked for them (KIP-48). Whom nobody knows can have none, and on a plaintext
//! listener that is everybody: the answers are those of a Kafka there.
//!
//! v2 flexible, v3 tokens for others (KIP-373).

use thalweg_messages::create_delegation_token::{CreateDelegationTokenRequest, CreateDelegationTokenResponse};
use thalweg_messages::describe_delegation_token::{DescribeDelegationTokenRequest, DescribeDelegationTokenResponse};
use thalweg_messages::expire_delegation_token::{ExpireDelegationTokenRequest, ExpireDelegationTokenResponse};
use thalweg_messages::renew_delegation_token::{RenewDelegationTokenRequest, RenewDelegationTokenResponse};
use thalweg_wire::ErrorCode;

use super::Api;

/// The versions served of CreateDelegationToken.
pub const CREATE: Api = Api::new(38, 1..=3);
/// The versions served of RenewDelegationToken.
pub const RENEW: Api = Api::new(39, 1..=2);
/// The versions served of ExpireDelegationToken.
pub const EXPIRE: Api = Api::new(40, 1..=2);
/// The versions served of DescribeDelegationToken.
pub const DESCRIBE: Api = Api::new(41, 1..=3);

const NOT_ALLOWED: i16 = ErrorCode::DelegationTokenRequestNotAllowed.code();
const NEVER_MS: i64 = -1;

/// Answers CreateDelegationToken.
pub fn create(_: &CreateDelegationTokenRequest, version: i16) -> CreateDelegationTokenResponse {
    let [kind, name] = ["User", "ANONYMOUS"].map(str::to_owned);
    // Who asks is told apart from whom the token is for.
    let apart = |word: &String| if version >= 3 { word.clone() } else { String::new() };
    CreateDelegationTokenResponse {
        error_code: NOT_ALLOWED,
        token_requester_principal_type: apart(&kind),
        token_requester_principal_name: apart(&name),
        principal_type: kind,
        principal_name: name,
        issue_timestamp_ms: NEVER_MS,
        expiry_timestamp_ms: NEVER_MS,
        max_timestamp_ms: NEVER_MS,
        ..CreateDelegationTokenResponse::default()
    }
}

/// Answers RenewDelegationToken.
pub fn renew(_: &RenewDelegationTokenRequest) -> RenewDelegationTokenResponse {
    RenewDelegationTokenResponse { error_code: NOT_ALLOWED, expiry_timestamp_ms: NEVER_MS, ..Default::default() }
}

/// Answers ExpireDelegationToken.
pub fn expire(_: &ExpireDelegationTokenRequest) -> ExpireDelegationTokenResponse {
    ExpireDelegationTokenResponse { error_code: NOT_ALLOWED, expiry_timestamp_ms: NEVER_MS, ..Default::default() }
}

/// Answers DescribeDelegationToken.
pub fn describe(_: &DescribeDelegationTokenRequest) -> DescribeDelegationTokenResponse {
    DescribeDelegationTokenResponse { error_code: NOT_ALLOWED, ..DescribeDelegationTokenResponse::default() }
}
