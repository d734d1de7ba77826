//! Offsets that were committed in transactions, as far as they are met when a log is read: they count from the marker
//! on, or never.

use std::collections::BTreeMap;

use thalweg_messages::group_log::{OffsetCommitKey, OffsetCommitValue};
use thalweg_wire::{Offset, PartitionIndex, ProducerId};

use super::weight;

/// How a transaction ended, as its marker says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionEnd {
    /// What was written in it counts.
    Committed,
    /// It doesn't.
    Aborted,
}

/// What open transactions have committed.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Open {
    commits: BTreeMap<ProducerId, BTreeMap<Place, Commit>>,
    bytes: usize,
}

/// Group, topic and partition.
type Place = (String, String, PartitionIndex);

#[derive(Clone, PartialEq, Debug)]
struct Commit {
    /// Of the record.
    at: Offset,
    value: OffsetCommitValue,
}

impl Open {
    pub(super) fn add(&mut self, producer: ProducerId, at: Offset, key: &OffsetCommitKey, value: OffsetCommitValue) {
        self.bytes += weight::open_offset(&key.group, &key.topic, &value);
        let before = self.commits.entry(producer).or_default().insert(place(key), Commit { at, value });
        self.bytes -= before.map_or(0, |before| weight::open_offset(&key.group, &key.topic, &before.value));
    }

    /// Something newer was said of a place: what stands before it in the log won't count, whenever its transaction ends.
    pub(super) fn supersede(&mut self, key: &OffsetCommitKey, at: Offset) {
        if self.commits.is_empty() {
            return;
        }
        let place = place(key);
        for commits in self.commits.values_mut() {
            if commits.get(&place).is_some_and(|commit| commit.at < at)
                && let Some(commit) = commits.remove(&place)
            {
                self.bytes -= weight::open_offset(&key.group, &key.topic, &commit.value);
            }
        }
        self.commits.retain(|_, commits| !commits.is_empty());
    }

    /// What a producer's transaction comes to: its commits, each with the offset of its record.
    pub(super) fn end(&mut self, producer: ProducerId) -> Vec<(OffsetCommitKey, Offset, OffsetCommitValue)> {
        let commits = self.commits.remove(&producer).unwrap_or_default();
        self.bytes -= weight_of(&commits);
        let back = |((group, topic, partition), commit): (Place, Commit)| {
            (OffsetCommitKey { group, topic, partition }, commit.at, commit.value)
        };
        commits.into_iter().map(back).collect()
    }

    pub(super) fn count(&self) -> usize {
        self.commits.values().map(BTreeMap::len).sum()
    }

    /// What they take in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The same, counted anew.
    pub(super) fn recounted(&self) -> usize {
        self.commits.values().map(weight_of).sum()
    }
}

fn weight_of(commits: &BTreeMap<Place, Commit>) -> usize {
    commits.iter().map(|((group, topic, _), commit)| weight::open_offset(group, topic, &commit.value)).sum()
}

fn place(key: &OffsetCommitKey) -> Place {
    (key.group.clone(), key.topic.clone(), key.partition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::Stored;
    use crate::machine::{Context, Machine};
    use thalweg_messages::group_log::GroupRecord;

    fn commit(offset: i64) -> GroupRecord {
        let key = OffsetCommitKey { group: "g".to_owned(), topic: "t".to_owned(), partition: PartitionIndex(0) };
        GroupRecord::OffsetCommit(key, Some(OffsetCommitValue { offset: Offset(offset), ..Default::default() }))
    }

    fn at(offset: i64) -> Context {
        Context { offset: Offset(offset) }
    }

    fn committed(stored: &Stored) -> Option<i64> {
        Some(stored.group("g")?.offset("t", PartitionIndex(0))?.offset.0)
    }

    // Markers come when they come; what counts is which commit stands later in the log.
    #[test]
    fn the_later_record_counts_not_the_later_marker() {
        let [one, two] = [ProducerId(1), ProducerId(2)];
        let mut stored = Stored::default();
        stored.apply_in_transaction(at(0), one, &commit(10));
        assert_eq!((committed(&stored), stored.open_count()), (None, 1));
        assert!(stored.bytes() > 0, "what is open takes memory");
        stored.apply_in_transaction(at(1), two, &commit(20));
        stored.transaction_ended(two, TransactionEnd::Committed);
        stored.transaction_ended(one, TransactionEnd::Committed);
        assert_eq!((committed(&stored), stored.open_count()), (Some(20), 0));

        stored.apply_in_transaction(at(4), one, &commit(30));
        stored.apply(at(5), &commit(40));
        stored.transaction_ended(one, TransactionEnd::Committed);
        assert_eq!(committed(&stored), Some(40));

        stored.apply_in_transaction(at(7), one, &commit(50));
        stored.transaction_ended(one, TransactionEnd::Aborted);
        stored.apply_in_transaction(at(9), one, &commit(60));
        stored.apply_in_transaction(at(10), one, &commit(61));
        assert_eq!(stored.bytes(), stored.recounted_bytes());
        stored.transaction_ended(two, TransactionEnd::Committed);
        assert_eq!(committed(&stored), Some(40));
        stored.apply(at(12), &commit(70));
        assert_eq!((stored.bytes(), stored.open_count()), (stored.recounted_bytes(), 0));
    }
}
