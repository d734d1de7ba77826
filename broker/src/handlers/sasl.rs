//! SaslHandshake (key 17), versions 0-1, and SaslAuthenticate (key 36), versions 0-2.
//!
//! Who a client is: nobody asks on a plaintext listener, and there is no other kind here yet. A client that begins is told
//! that there is nothing to begin.
//!
//! SaslHandshake: v1 SaslAuthenticate follows (KIP-152). SaslAuthenticate: v1 how long a session lasts (KIP-368), v2
//! flexible.

use thalweg_messages::sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse};
use thalweg_messages::sasl_handshake::{SaslHandshakeRequest, SaslHandshakeResponse};
use thalweg_wire::ErrorCode;

use super::Api;

/// The versions served of SaslHandshake.
pub const HANDSHAKE: Api = Api::new(17, 0..=1);
/// The versions served of SaslAuthenticate.
pub const AUTHENTICATE: Api = Api::new(36, 0..=2);

/// Answers SaslHandshake.
pub fn handshake(_: &SaslHandshakeRequest) -> SaslHandshakeResponse {
    SaslHandshakeResponse { error_code: ErrorCode::IllegalSaslState.code(), ..SaslHandshakeResponse::default() }
}

/// Answers SaslAuthenticate.
pub fn authenticate(_: &SaslAuthenticateRequest) -> SaslAuthenticateResponse {
    SaslAuthenticateResponse {
        error_code: ErrorCode::IllegalSaslState.code(),
        error_message: Some("SaslAuthenticate request received after successful authentication".to_owned()),
        ..SaslAuthenticateResponse::default()
    }
}
