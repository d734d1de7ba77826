//! Chance out of a seed: one generator, split into named streams so that no subsystem disturbs another.
//!
//! The generator is xoshiro256** (Blackman, Vigna: "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 2021),
//! its state filled by splitmix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
//! It is ours, and small, so that a seed written down today gives the same bytes with every later version of anything.

use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Entropy;

/// A deterministic generator. Not for secrets.
#[derive(Clone, Debug)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Rng {
        let mut from = seed;
        Rng { state: std::array::from_fn(|_| splitmix64(&mut from)) }
    }

    /// The generator of one subsystem under a seed. Drawing from one stream moves no other.
    pub fn stream(seed: u64, name: &str) -> Rng {
        let mut from = seed;
        let mut salted = splitmix64(&mut from);
        for byte in name.bytes() {
            let mut step = salted ^ u64::from(byte);
            salted = splitmix64(&mut step);
        }
        Rng::new(salted)
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let drawn = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        drawn
    }

    /// A number below `bound`, each as likely as any other up to one part in 2^64 / `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of a product instead of a remainder (Lemire, "Fast Random Integer Generation in an Interval",
        // 2019), without its rejection step: one draw per question keeps streams easy to follow.
        let product = u128::from(self.next_u64()) * u128::from(bound);
        (product >> 64) as u64
    }

    /// A number in a range, both ends included.
    pub fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        let span = range.end().saturating_sub(*range.start());
        let step = if span == u64::MAX { self.next_u64() } else { self.below(span + 1) };
        range.start() + step
    }

    /// A span in a range, both ends included, to the nanosecond.
    pub fn span(&mut self, range: &RangeInclusive<Duration>) -> Duration {
        let nanos = |span: &Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.between(nanos(range.start())..=nanos(range.end())))
    }

    /// Heads or tails.
    pub fn coin(&mut self) -> bool {
        self.next_u64() >> 63 == 1
    }

    /// Whether something of this chance happens. Draws even when the answer is sure, so that turning a chance up or
    /// down leaves the rest of the stream where it was.
    pub fn happens(&mut self, chance: Chance) -> bool {
        self.below(u64::from(chance.of)) < u64::from(chance.times)
    }

    /// One of several; `None` of nothing.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(usize::try_from(self.below(from.len() as u64)).ok()?)
    }

    /// Fills with random bytes.
    pub fn fill(&mut self, into: &mut [u8]) {
        for piece in into.chunks_mut(8) {
            piece.copy_from_slice(&self.next_u64().to_le_bytes()[..piece.len()]);
        }
    }
}

/// How likely something is: so many times out of so many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chance {
    times: u32,
    of: u32,
}

impl Chance {
    /// Not once.
    pub const NEVER: Chance = Chance { times: 0, of: 1 };

    /// Each time.
    pub const ALWAYS: Chance = Chance { times: 1, of: 1 };

    /// Once in `of` times on average. Panics if `of` is 0.
    pub const fn one_in(of: u32) -> Chance {
        assert!(of > 0, "once in no times is not a chance");
        Chance { times: 1, of }
    }
}

impl Default for Chance {
    fn default() -> Chance {
        Chance::NEVER
    }
}

/// Random bytes from a seed.
#[derive(Debug)]
pub struct SimulatedEntropy {
    rng: Mutex<Rng>,
}

impl SimulatedEntropy {
    /// The stream "entropy" of a seed.
    pub fn new(seed: u64) -> SimulatedEntropy {
        SimulatedEntropy { rng: Mutex::new(Rng::stream(seed, "entropy")) }
    }
}

impl Entropy for SimulatedEntropy {
    fn fill(&self, into: &mut [u8]) {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fill(into);
    }
}

/// The next number of a splitmix64 sequence.
fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A hash of numbers and bytes for "the same as last time", eight bytes a step; no defence against anybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Digest(u64);

impl Digest {
    pub(super) const EMPTY: Digest = Digest(0x6a09_e667_f3bc_c908);

    pub(super) fn number(&mut self, number: u64) {
        let mut step = self.0 ^ number;
        self.0 = splitmix64(&mut step);
    }

    /// The length goes in too, so that two neighbours never run together.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        for piece in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..piece.len()].copy_from_slice(piece);
            self.number(u64::from_le_bytes(word));
        }
    }

    pub(super) fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published sequences: a typing mistake here would make a poor generator that still looks random.
    #[test]
    fn the_generators_give_the_numbers_of_their_papers() {
        let mut from = 1234567;
        let drawn: Vec<u64> = (0..3).map(|_| splitmix64(&mut from)).collect();
        assert_eq!(drawn, [6457827717110365317, 3203168211198807973, 9817491932198370423]);

        let mut rng = Rng { state: [1, 2, 3, 4] };
        let drawn: Vec<u64> = (0..4).map(|_| rng.next_u64()).collect();
        assert_eq!(drawn, [11520, 0, 1509978240, 1215971899390074240]);
    }

    #[test]
    fn streams_of_one_seed_are_apart_and_each_repeats() {
        let draw = |seed, name| -> Vec<u64> {
            let mut rng = Rng::stream(seed, name);
            (0..4).map(|_| rng.next_u64()).collect()
        };
        assert_eq!(draw(7, "disk"), draw(7, "disk"));
        assert_ne!(draw(7, "disk"), draw(7, "net"));
        assert_ne!(draw(7, "disk"), draw(8, "disk"));
    }

    #[test]
    fn ranges_reach_both_their_ends_and_nothing_else() {
        let mut rng = Rng::new(1);
        let mut seen = [0u32; 5];
        for _ in 0..1000 {
            seen[usize::try_from(rng.between(3..=7)).unwrap() - 3] += 1;
        }
        assert!(seen.iter().all(|&times| times > 100), "{seen:?}");
        assert_eq!((rng.below(0), rng.below(1), rng.between(9..=9)), (0, 0, 9));
        assert!(!rng.happens(Chance::NEVER) && rng.happens(Chance::ALWAYS));
        let hits = (0..10_000).filter(|_| rng.happens(Chance::one_in(10))).count();
        assert!((800..1200).contains(&hits), "{hits}");
    }
}
