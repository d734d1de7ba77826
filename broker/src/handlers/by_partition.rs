//! What a request says of partitions, as the maps hold it into which Kafka reads Produce, Fetch and ListOffsets.
//!
//! A partition that is named twice counts once, the last time, in its first place. A topic that comes in several parts
//! is one, and one without partitions is not there.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use thalweg_wire::PartitionIndex;

/// Items by topic and partition, in the order of the request.
pub(super) struct ByPartition<K, T> {
    /// Where each topic stands in `topics`. The keys are the peer's; the hash has a key of its own.
    places: HashMap<K, usize>,
    topics: Vec<Gathered<K>>,
    seen: HashMap<(usize, PartitionIndex), usize>,
    items: Vec<(usize, T)>,
}

/// A topic, and how many of the items are its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Gathered<K> {
    pub(super) key: K,
    pub(super) partitions: usize,
}

/// A topic's place in its [`ByPartition`].
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

impl<K: Eq + Hash + Clone, T> ByPartition<K, T> {
    pub(super) fn new() -> Self {
        ByPartition { places: HashMap::new(), topics: Vec::new(), seen: HashMap::new(), items: Vec::new() }
    }

    /// The topic's place; the same for the same key.
    pub(super) fn topic(&mut self, key: K) -> Place {
        let next = self.topics.len();
        Place(match self.places.entry(key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.topics.push(Gathered { key: new.key().clone(), partitions: 0 });
                *new.insert(next)
            }
        })
    }

    /// Adds what the request says of a partition; what it said before, if it did.
    pub(super) fn put(&mut self, Place(topic): Place, partition: PartitionIndex, item: T) -> Option<T> {
        match self.seen.entry((topic, partition)) {
            Entry::Occupied(known) => Some(std::mem::replace(&mut self.items[*known.get()].1, item)),
            Entry::Vacant(new) => {
                new.insert(self.items.len());
                self.topics[topic].partitions += 1;
                self.items.push((topic, item));
                None
            }
        }
    }

    /// The topics that have partitions, and the items, topic by topic.
    pub(super) fn finish(mut self) -> (Vec<Gathered<K>>, Vec<T>) {
        self.items.sort_by_key(|(topic, _)| *topic); // stable, and quick where it is sorted already
        self.topics.retain(|topic| topic.partitions > 0);
        (self.topics, self.items.into_iter().map(|(_, item)| item).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_on_a_partition_counts_and_a_topic_in_parts_is_one() {
        let mut request = ByPartition::new();
        let said = [("b", 1, "first"), ("a", 0, "x"), ("b", 0, "y"), ("b", 1, "last")];
        let before: Vec<Option<&str>> = said
            .into_iter()
            .map(|(topic, partition, item)| {
                let topic = request.topic(topic);
                request.put(topic, PartitionIndex(partition), item)
            })
            .collect();
        assert_eq!(before, [None, None, None, Some("first")]);
        request.topic("nothing of it");
        let (topics, items) = request.finish();
        assert_eq!(topics, [Gathered { key: "b", partitions: 2 }, Gathered { key: "a", partitions: 1 }]);
        assert_eq!(items, ["last", "y", "x"]);
    }
}
