//! How much there was in how long.

use std::time::Duration;

use serde::Serialize;

/// Records and their bytes, over a time.
#[derive(Clone, Copy, PartialEq, Serialize, Debug)]
pub(super) struct Throughput {
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) seconds: f64,
    pub(super) records_per_second: u64,
    pub(super) mebibytes_per_second: f64,
}

impl Throughput {
    pub(super) fn of(records: u64, bytes: u64, span: Duration) -> Throughput {
        let a_second = |count: f64| if span.is_zero() { 0.0 } else { count / span.as_secs_f64() };
        Throughput {
            records,
            bytes,
            seconds: (span.as_secs_f64() * 1000.0).round() / 1000.0,
            records_per_second: a_second(records as f64).round() as u64,
            mebibytes_per_second: (a_second(bytes as f64) / f64::from(1 << 20) * 10.0).round() / 10.0,
        }
    }

    /// As lines for people.
    pub(super) fn fields(&self) -> [(&'static str, String); 4] {
        [
            ("records", self.records.to_string()),
            ("seconds", format!("{:.3}", self.seconds)),
            ("records/s", self.records_per_second.to_string()),
            ("MiB/s", format!("{:.1}", self.mebibytes_per_second)),
        ]
    }

    /// As a line that says how far it is.
    pub(super) fn line(&self) -> String {
        let Throughput { records, seconds, records_per_second, mebibytes_per_second, .. } = self;
        format!("{seconds:.0} s: {records} records, {records_per_second} records/s, {mebibytes_per_second:.1} MiB/s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_a_second_and_of_no_time_there_are_none() {
        let throughput = Throughput::of(1000, 5 << 20, Duration::from_millis(2500));
        assert_eq!((throughput.records_per_second, throughput.mebibytes_per_second), (400, 2.0));
        assert_eq!(throughput.line(), "2 s: 1000 records, 400 records/s, 2.0 MiB/s");
        assert_eq!(Throughput::of(0, 0, Duration::ZERO).mebibytes_per_second, 0.0);
    }
}
