//! Pauses between attempts that grow: exponential, with a fifth of chance, as KIP-580 has it.

use std::time::Duration;

use thalweg_world::Entropy;

/// The pauses of one thing that is tried over and over.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Backoff {
        Backoff { first, most, failures: 0 }
    }

    /// It failed once more: how long to wait.
    pub(crate) fn failed(&mut self, entropy: &dyn Entropy) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.failures.min(20)).min(self.most);
        self.failures = self.failures.saturating_add(1);
        let mut random = [0; 4];
        entropy.fill(&mut random);
        let chance = f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX);
        doubled.mul_f64(0.8 + 0.4 * chance)
    }

    /// It worked: the next pause is the first again.
    pub(crate) fn worked(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_world::simulated::SimulatedWorld;

    #[test]
    fn pauses_double_up_to_a_limit_and_begin_anew_after_a_success() {
        let entropy = SimulatedWorld::new(1).world.entropy;
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let mut within = |expected: u64| {
            let pause = backoff.failed(&*entropy).as_millis() as u64;
            assert!((expected * 4 / 5..=expected * 6 / 5).contains(&pause), "{pause} ms for {expected}");
        };
        [100, 200, 400, 800, 1000, 1000].into_iter().for_each(&mut within);
        (0..100).for_each(|_| within(1000));
        backoff.worked();
        assert!(backoff.failed(&*entropy) < Duration::from_millis(121));
    }
}
