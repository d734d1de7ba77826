//! What consumers tell each other through JoinGroup and SyncGroup: subscriptions and assignments, behind an int16 with
//! their version.
//!
//! To the broker they are bytes. It looks into them only where it is asked what a group subscribes to.

pub use crate::generated::consumer_protocol::*;

use crate::keyed::write_value;
use crate::message::Message;
use bytes::Bytes;
use thalweg_wire::codec::{DecodeError, Decoder, EncodeError};

/// Reads a subscription or an assignment. A version from the future is read as the newest that we know, and what
/// follows is left alone: clients may be newer than we are, and each version only adds to the end.
pub fn decode<M: Message>(bytes: &Bytes) -> Result<M, DecodeError> {
    let mut from = Decoder::new(bytes);
    let version = from.i16()?.min(M::MAX_VERSION);
    M::decode(&mut from, version)
}

/// A subscription or an assignment at `version`.
pub fn encode(message: &impl Message, version: i16) -> Result<Bytes, EncodeError> {
    write_value(message, version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_from_the_future_is_read_as_far_as_we_know_it() {
        let subscription = ConsumerProtocolSubscription {
            topics: vec!["river".to_owned()],
            rack_id: Some("left bank".to_owned()),
            ..ConsumerProtocolSubscription::default()
        };
        let mut future = encode(&subscription, 3).unwrap().to_vec();
        future[1] = 4;
        future.extend(b"news");
        assert_eq!(decode(&Bytes::from(future)), Ok(subscription));
        let refused = decode::<ConsumerProtocolSubscription>(&Bytes::from_static(&[0xff, 0xff]));
        assert_eq!(refused, Err(DecodeError::UnknownVersion(-1)));
    }
}
