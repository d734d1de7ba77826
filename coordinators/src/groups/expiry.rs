//! Offsets that nobody needs any more: of groups without members, of topics that a group reads no longer, of topics
//! that are gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use thalweg_messages::group_log::OffsetCommitValue;
use thalweg_wire::Timestamp;

use super::group::{CONSUMER, Group, Phase};
use super::stored::StoredGroup;
use super::turn::{Look, Turn};
use super::{TopicName, offsets, records};

/// Takes away what has expired, and groups that have neither members nor offsets any more.
pub(super) fn expire(turn: &mut Turn<'_>, live: &BTreeMap<Arc<str>, Group>) -> Look {
    for (name, stored) in turn.stored.groups() {
        let expiry = Expiry { stored, live: live.get(name), now: turn.now.timestamp };
        let mut kept = 0;
        for (topic, index, offset) in stored.partitions() {
            if !expiry.is_over(topic, offset, turn.policy.offsets_retention.as_millis()) {
                kept += 1;
            } else if turn.forget_offset(name, topic, index) == Look::Cut {
                return Look::Cut;
            }
        }
        if kept == 0 && expiry.live.is_none() && stored.generation.is_some() {
            turn.records.push(records::no_generation(name));
        }
    }
    Look::Whole
}

/// What decides over the offsets of a group.
struct Expiry<'a> {
    stored: &'a StoredGroup,
    live: Option<&'a Group>,
    now: Timestamp,
}

impl Expiry<'_> {
    fn is_over(&self, topic: &str, offset: &OffsetCommitValue, retention_millis: u128) -> bool {
        let Some(since) = self.unused_since(topic, offset) else { return false };
        let now = self.now.millis();
        if offset.expire_timestamp != -1 {
            return now >= offset.expire_timestamp;
        }
        u128::try_from(now.saturating_sub(since)).is_ok_and(|age| age >= retention_millis)
    }

    /// Since when an offset has not been of use, in ms since 1970; `None`: it is of use.
    fn unused_since(&self, topic: &str, offset: &OffsetCommitValue) -> Option<i64> {
        let members = self.live.filter(|group| group.phase != Phase::Empty);
        let Some(group) = members else {
            // A group that had members keeps all its offsets together, from the time when the last one left.
            let generation = self.stored.generation.as_ref().filter(|value| !value.protocol_type.is_empty());
            let emptied = generation.map(|value| value.current_state_timestamp).filter(|&millis| millis != -1);
            return Some(emptied.unwrap_or(offset.commit_timestamp));
        };
        let may_know = group.protocol_type.as_deref() == Some(CONSUMER) && group.subscribed.is_some();
        let is_stable = matches!(group.phase, Phase::Stable { .. });
        (may_know && is_stable && !group.reads(topic)).then_some(offset.commit_timestamp)
    }
}

/// The offsets of topics that are gone, of all groups from one on; from which one on the next decision is to look, if there
/// may be more.
pub(super) fn of_topics(turn: &mut Turn<'_>, topics: &[TopicName], from: Option<&Arc<str>>) -> Option<Arc<str>> {
    for (name, group) in turn.stored.groups_from(from) {
        for topic in topics {
            let of_topic = group.offsets.get(topic.name.as_str()).into_iter().flatten();
            for (&index, _) in of_topic.filter(|(_, offset)| offsets::is_of(offset, topic.id)) {
                if turn.forget_offset(name, &topic.name, index) == Look::Cut {
                    return Some(name.clone());
                }
            }
        }
    }
    None
}
