//! How long things took, and how that is told: in milliseconds, by share.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::output::{Column, Row};

/// Durations of up to an hour, to three digits.
#[derive(Clone, Debug)]
pub(super) struct Latencies(Histogram<u64>);

const NANOS_MAX: u64 = 3_600_000_000_000;
const DIGITS: u8 = 3;

impl Latencies {
    /// None yet.
    pub(super) fn new() -> Latencies {
        Latencies(Histogram::new_with_max(NANOS_MAX, DIGITS).expect("these bounds are among those that can be"))
    }

    /// Counts one.
    pub(super) fn record(&mut self, span: Duration) {
        self.0.saturating_record(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
    }

    /// As they are told.
    pub(super) fn percentiles(&self) -> Percentiles {
        let millis = |nanos: u64| (nanos as f64 / 1000.0).round() / 1000.0;
        let quantile = |quantile| millis(self.0.value_at_quantile(quantile));
        Percentiles { p50: quantile(0.5), p99: quantile(0.99), p99_9: quantile(0.999), max: millis(self.0.max()) }
    }
}

/// Milliseconds that so many out of a hundred took at most.
#[derive(Clone, Copy, PartialEq, Serialize, Debug)]
pub(super) struct Percentiles {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p99_9: f64,
    pub(super) max: f64,
}

/// A line of the table of latencies.
#[derive(Serialize)]
pub(super) struct Line {
    pub(super) of: &'static str,
    pub(super) percentiles: Percentiles,
}

impl Row for Line {
    const COLUMNS: &'static [Column] = &[
        Column::Words("MILLISECONDS"),
        Column::Number("P50"),
        Column::Number("P99"),
        Column::Number("P99.9"),
        Column::Number("MAX"),
    ];

    fn cells(&self) -> Vec<String> {
        let Percentiles { p50, p99, p99_9, max } = self.percentiles;
        let numbers = [p50, p99, p99_9, max].map(|millis| format!("{millis:.3}"));
        [self.of.to_owned()].into_iter().chain(numbers).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_thousand_the_shares_are_those_at_their_places() {
        let mut latencies = Latencies::new();
        (1..=1000).for_each(|micros| latencies.record(Duration::from_micros(micros)));
        let Percentiles { p50, p99, p99_9, max } = latencies.percentiles();
        for (found, exact) in [(p50, 0.5), (p99, 0.99), (p99_9, 0.999), (max, 1.0)] {
            assert!((found - exact).abs() <= 0.001, "{found} {exact}");
        }
    }

    #[test]
    fn what_took_longer_than_an_hour_is_counted_as_an_hour_and_nothing_as_nothing() {
        assert_eq!(Latencies::new().percentiles().max, 0.0);
        let mut latencies = Latencies::new();
        latencies.record(Duration::MAX);
        assert!(latencies.percentiles().p50 >= 3_600_000.0);
    }
}
