//! Which partition a record goes to: by its key as Java's client computes it, else a batch here, a batch there (KIP-794).

use std::collections::HashMap;
use std::time::Duration;

use thalweg_wire::{Moment, PartitionIndex};

use crate::cluster::Leader;

/// The partition of a key: records of one key stay in one partition, whichever client writes them.
pub fn of_key(key: &[u8], partitions: usize) -> PartitionIndex {
    let positive = murmur2(key) & 0x7fff_ffff;
    let count = u32::try_from(partitions).unwrap_or(u32::MAX).max(1);
    PartitionIndex((positive % count).cast_signed())
}

/// MurmurHash2 with the seed of Kafka's `Utils.murmur2`, in 32 bits.
fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const FACTOR: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let mut mixed = u32::from_le_bytes(word.try_into().expect("four bytes")).wrapping_mul(FACTOR);
        mixed ^= mixed >> 24;
        hash = hash.wrapping_mul(FACTOR) ^ mixed.wrapping_mul(FACTOR);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0u32, |tail, byte| tail << 8 | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(FACTOR);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ hash >> 15
}

/// Where records without a key go: to one partition until it got a batch's worth of bytes, then to another by chance. Never to
/// one that nobody leads, where they would wait, while there is another.
#[derive(Clone, Debug)]
pub(crate) struct Sticky {
    partition: usize,
    bytes_left: usize,
}

impl Sticky {
    pub(crate) fn new() -> Sticky {
        Sticky { partition: 0, bytes_left: 0 }
    }

    /// The partition of a record of so many bytes, one of those with these leaders; `random` is asked when it is time for
    /// another.
    pub(crate) fn next(
        &mut self,
        bytes: usize,
        batch_bytes: usize,
        leaders: &[Option<Leader>],
        random: impl FnOnce() -> u32,
    ) -> PartitionIndex {
        let is_led = leaders.get(self.partition).is_some_and(Option::is_some);
        let stays = is_led || self.partition < leaders.len() && !leaders.iter().any(Option::is_some);
        if self.bytes_left == 0 || !stays {
            self.partition = one_of(leaders, random() as usize);
            self.bytes_left = batch_bytes.max(1);
        }
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        PartitionIndex(i32::try_from(self.partition).unwrap_or(0))
    }
}

/// Where records without a key go, by topic. A topic that got none for a while is forgotten: it begins anew.
#[derive(Debug)]
pub(crate) struct Stickies {
    by_topic: HashMap<String, (Sticky, Moment)>,
    max_idle: Duration,
    /// When idle ones are looked for next.
    sweep: Moment,
}

impl Stickies {
    pub(crate) fn new(max_idle: Duration) -> Stickies {
        Stickies { by_topic: HashMap::new(), max_idle, sweep: Moment::from_nanos(0) }
    }

    /// That of a topic which gets a record now.
    pub(crate) fn of(&mut self, topic: &str, now: Moment) -> &mut Sticky {
        if !self.by_topic.contains_key(topic) {
            if self.sweep <= now {
                self.by_topic.retain(|_, (_, used)| now.since(*used) < self.max_idle);
                self.sweep = now + self.max_idle;
            }
            self.by_topic.insert(topic.to_owned(), (Sticky::new(), now));
        }
        let (sticky, used) = self.by_topic.get_mut(topic).expect("it was put there");
        *used = now;
        sticky
    }
}

/// One that is led; any if none is.
fn one_of(leaders: &[Option<Leader>], random: usize) -> usize {
    let led = leaders.iter().flatten().count();
    if led == 0 {
        return random % leaders.len().max(1);
    }
    let mut places = (0..leaders.len()).filter(|place| leaders[*place].is_some());
    places.nth(random % led).expect("there are so many")
}

#[cfg(test)]
mod tests {
    use thalweg_wire::{BrokerId, LeaderEpoch};

    use super::*;

    // The values of Kafka's own test of `Utils.murmur2`.
    #[test]
    fn the_hash_is_that_of_the_java_client() {
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text}");
        }
        assert_eq!(of_key(b"foobar", 6), PartitionIndex((-790_332_482i32 & i32::MAX) % 6));
    }

    fn led(are_led: &[bool]) -> Vec<Option<Leader>> {
        let leader = Leader { broker: BrokerId(1), epoch: LeaderEpoch(0) };
        are_led.iter().map(|is_led| is_led.then_some(leader)).collect()
    }

    #[test]
    fn a_batch_stays_together_and_the_next_goes_elsewhere() {
        let mut sticky = Sticky::new();
        let mut draws = [2, 0].into_iter();
        let mut next = || sticky.next(50, 100, &led(&[true; 3]), || draws.next().expect("two batches, two draws")).0;
        assert_eq!([next(), next(), next(), next()], [2, 2, 0, 0]);
    }

    #[test]
    fn a_partition_that_is_gone_is_not_kept() {
        let mut sticky = Sticky { partition: 7, bytes_left: 100 };
        assert_eq!(sticky.next(1, 100, &led(&[true; 2]), || 3), PartitionIndex(1));
        assert_eq!(sticky.next(1, 100, &[], || 3), PartitionIndex(0), "the topic was forgotten just now");
    }

    #[test]
    fn a_partition_without_a_leader_gets_nothing_while_another_has_one() {
        let mut sticky = Sticky::new();
        let mut drawn = |are_led: &[bool], random| sticky.next(1, 100, &led(are_led), || random).0;
        assert_eq!(drawn(&[false, true, false, true], 0), 1);
        assert_eq!(drawn(&[false, false, false, true], 0), 3, "it lost its leader before its batch was full");
        assert_eq!(drawn(&[false; 4], 0), 3, "anywhere else they would wait, too");
    }

    #[test]
    fn a_topic_that_gets_nothing_for_long_is_forgotten() {
        let at = |seconds| Moment::from_nanos(0) + Duration::from_secs(seconds);
        let mut stickies = Stickies::new(Duration::from_secs(10));
        for (topic, seconds) in [("busy", 0), ("idle", 0), ("busy", 9), ("new", 10)] {
            stickies.of(topic, at(seconds));
        }
        let mut left: Vec<_> = stickies.by_topic.keys().collect();
        left.sort();
        assert_eq!(left, ["busy", "new"]);
    }
}
