//! Offsets that nobody needs any more: of groups without members, of topics that a group reads no longer, of topics
//! that are gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use thalweg_messages::group_log::{GroupRecord, OffsetCommitValue};
use thalweg_wire::Timestamp;

use super::group::{CONSUMER, Group, Phase};
use super::stored::StoredGroup;
use super::turn::Turn;
use super::{Stored, TopicName, offsets, records};

/// What one look at the offsets takes away at most, so that an answer never waits for a million of them.
const EXPIRED_PER_LOOK_MAX: usize = 10_000;

/// Whether a look at the offsets saw all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    Whole,
    /// There may be more to take away.
    Cut,
}

/// Takes away what has expired, and groups that have neither members nor offsets any more.
pub(super) fn expire(turn: &mut Turn<'_>, live: &BTreeMap<Arc<str>, Group>) -> Look {
    let from = turn.records.len();
    for (name, stored) in turn.stored.groups() {
        let expiry = Expiry { stored, live: live.get(name), now: turn.now.timestamp };
        let mut kept = 0;
        for (topic, index, offset) in stored.partitions() {
            if turn.records.len() - from >= EXPIRED_PER_LOOK_MAX {
                return Look::Cut;
            }
            if expiry.is_over(topic, offset, turn.policy.offsets_retention.as_millis()) {
                turn.records.push(records::no_offset(name, topic, index));
            } else {
                kept += 1;
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

/// The offsets of topics that are gone, of all groups.
pub(super) fn of_topics(stored: &Stored, topics: &[TopicName]) -> Vec<GroupRecord> {
    let mut gone = Vec::new();
    for (name, group) in stored.groups() {
        for topic in topics {
            let of_topic = group.offsets.get(topic.name.as_str()).into_iter().flatten();
            let of_this_life = of_topic.filter(|(_, offset)| offsets::is_of(offset, topic.id));
            gone.extend(of_this_life.map(|(&index, _)| records::no_offset(name, &topic.name, index)));
        }
    }
    gone
}
