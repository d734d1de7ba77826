//! Which topics a group reads: the one thing that a coordinator looks up in what members tell their leader.

use std::collections::BTreeSet;

use bytes::Bytes;
use thalweg_messages::Message;
use thalweg_messages::consumer_protocol::ConsumerProtocolSubscription;
use thalweg_wire::codec::{DecodeError, Decoder};

/// What all of them read; `None` if one of them can't be understood.
pub(super) fn subscribed_topics(subscriptions: impl Iterator<Item = Bytes>) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for subscription in subscriptions {
        all.extend(topics(&subscription).ok()?);
    }
    Some(all)
}

/// As in version 0: each version begins with what that one has, and what clients write behind it doesn't concern us.
fn topics(subscription: &Bytes) -> Result<Vec<String>, DecodeError> {
    let mut from = Decoder::new(subscription);
    let _version = from.i16()?;
    Ok(ConsumerProtocolSubscription::decode(&mut from, 0)?.topics)
}
