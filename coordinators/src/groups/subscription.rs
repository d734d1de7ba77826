//! Which topics a group reads: the one thing that a coordinator looks up in what members tell their leader.

use std::collections::BTreeSet;

use bytes::Bytes;
use thalweg_messages::Message;
use thalweg_messages::consumer_protocol::ConsumerProtocolSubscription;
use thalweg_wire::codec::{DecodeError, Decoder};

use super::group::CONSUMER;

/// What all of them read; `None` if one of them can't be understood.
pub(super) fn subscribed_topics(subscriptions: impl Iterator<Item = Bytes>) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for subscription in subscriptions {
        all.extend(topics(&subscription).ok()?);
    }
    Some(all)
}

/// How many topics these name at most: as many as the beginning of each says, and as its bytes can hold. Other kinds of
/// groups name none.
pub(super) fn named_topics(protocol_type: &str, protocols: &[(String, Bytes)]) -> usize {
    if protocol_type != CONSUMER {
        return 0;
    }
    let named = |(_, said): &(String, Bytes)| {
        let mut from = Decoder::new(said);
        let count = from.i16().and_then(|_version| from.i32()).unwrap_or(0);
        // A name takes two bytes at least, for its length.
        usize::try_from(count).unwrap_or(0).min(said.len() / 2)
    };
    protocols.iter().map(named).sum()
}

/// As in version 0: each version begins with what that one has, and what clients write behind it doesn't concern us.
fn topics(subscription: &Bytes) -> Result<Vec<String>, DecodeError> {
    let mut from = Decoder::new(subscription);
    let _version = from.i16()?;
    Ok(ConsumerProtocolSubscription::decode(&mut from, 0)?.topics)
}
