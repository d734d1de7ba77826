//! Counts durations in buckets of less than 1 % width, so that a hundred million of them fit into 64 KiB.

use std::time::Duration;

/// Buckets for each power of two: each is 1/128 of its power wide.
const STEPS: u64 = 128;
const STEP_BITS: u32 = STEPS.trailing_zeros();
const BUCKETS: usize = (64 - STEP_BITS as usize + 1) * STEPS as usize;

/// How often each duration was seen.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Histogram {
    /// Nothing was seen yet.
    pub(crate) fn new() -> Histogram {
        Histogram { counts: vec![0; BUCKETS], total: 0, max: 0 }
    }

    /// Counts one.
    pub(crate) fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
        self.max = self.max.max(nanos);
    }

    /// Counts all that another counted.
    pub(crate) fn add(&mut self, other: &Histogram) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, theirs)| *own += theirs);
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// How many were counted.
    pub(crate) fn count(&self) -> u64 {
        self.total
    }

    /// The longest, exactly; zero if nothing was counted.
    pub(crate) fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// The duration that so many out of 1,000 don't exceed, up to the width of a bucket; zero if nothing was counted.
    pub(crate) fn per_mille(&self, share: u64) -> Duration {
        let wanted = (self.total * share).div_ceil(1000).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(upper(index).min(self.max));
            }
        }
        Duration::ZERO
    }
}

/// Below `2 * STEPS` each number has its bucket; above, the top eight bits tell it.
fn bucket(nanos: u64) -> usize {
    let shift = (64 - STEP_BITS - 1).saturating_sub(nanos.leading_zeros());
    (u64::from(shift) * STEPS + (nanos >> shift)) as usize
}

/// The largest number of a bucket.
fn upper(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket / STEPS).saturating_sub(1);
    let lower = (bucket - shift * STEPS) << shift;
    lower + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_number_and_is_less_than_a_hundredth_wide() {
        for nanos in
            (0..2000).chain((3..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1])).chain([u64::MAX])
        {
            let upper = upper(bucket(nanos));
            assert!(upper >= nanos, "{nanos} is above its bucket's end {upper}");
            assert!(upper - nanos <= nanos / 100, "{nanos} ends at {upper}");
        }
    }

    #[test]
    fn of_a_thousand_durations_the_shares_are_those_at_their_places() {
        let (mut early, mut late) = (Histogram::new(), Histogram::new());
        (1..=900).for_each(|us| early.record(Duration::from_micros(us)));
        (901..=1000).for_each(|us| late.record(Duration::from_micros(us)));
        early.add(&late);
        assert_eq!((early.count(), early.max()), (1000, Duration::from_micros(1000)));
        for (share, exact) in [(500, 500.0), (990, 990.0), (999, 999.0), (1000, 1000.0)] {
            let found = early.per_mille(share).as_secs_f64() * 1e6;
            assert!((exact..exact * 1.01).contains(&found), "{share}: {found}");
        }
    }

    #[test]
    fn nothing_counted_is_nothing_told() {
        assert_eq!(Histogram::new().per_mille(500), Duration::ZERO);
    }
}
