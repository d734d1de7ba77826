//! Spans of time, sizes and instants as people write them.

use std::str::FromStr;
use std::time::Duration;

use jiff::{SpanRelativeTo, civil, tz};
use thalweg_wire::Timestamp;

/// A span: `500ms`, `90s`, `1h30m`, `7d`.
///
/// # Errors
/// What it should look like.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("{text} is no span of time: write 500ms, 90s, 1h30m or 7d");
    // What is written as ISO 8601 is read, too; a sign is not: nothing here takes a span of less than nothing.
    let span = jiff::Span::from_str(text).map_err(|_| bad())?;
    let span = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| bad())?;
    Duration::try_from(span).map_err(|_| bad())
}

/// Bytes: `4096`, `64k`, `1GiB`, `10MB`. `k`, `KiB`, `MiB` ... are powers of 1024, `kB`, `MB` ... of 1000.
///
/// # Errors
/// What it should look like.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let bad = || format!("{text} is no size: write 4096, 64KiB, 1GiB or 10MB");
    let unit_at = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let number = number.parse::<u64>().map_err(|_| bad())?;
    number.checked_mul(unit_bytes(unit.trim_start()).ok_or_else(bad)?).ok_or_else(bad)
}

fn unit_bytes(unit: &str) -> Option<u64> {
    Some(match unit {
        "" | "B" => 1,
        "k" | "K" | "KiB" => 1 << 10,
        "m" | "M" | "MiB" => 1 << 20,
        "g" | "G" | "GiB" => 1 << 30,
        "t" | "T" | "TiB" => 1 << 40,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    })
}

/// A point in time, as it was written; [`When::at`] says when that is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum When {
    /// So long ago: `-1h`.
    Ago(Duration),
    /// Then: `2026-01-31`, `2026-01-31T12:00:00Z`, `@1700000000000`.
    At(Timestamp),
}

impl When {
    /// The time that it is.
    pub(crate) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            When::At(then) => then,
            When::Ago(span) => {
                let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
                Timestamp::from_millis(now.millis().saturating_sub(millis).max(0))
            }
        }
    }
}

/// A point in time: `-1h` is that long ago; a date, or a date and a time, is in UTC where it doesn't say; `@` stands before
/// milliseconds since 1970.
///
/// # Errors
/// What it should look like.
pub(crate) fn instant(text: &str) -> Result<When, String> {
    let bad = || format!("{text} is no time: write -1h, 2026-01-31, 2026-01-31T12:00:00Z or @1700000000000");
    let at = |millis: i64| Some(When::At(Timestamp::from_millis(millis))).filter(|_| millis >= 0).ok_or_else(bad);
    if let Some(span) = text.strip_prefix('-') {
        return duration(span).map(When::Ago).map_err(|_| bad());
    }
    if let Some(millis) = text.strip_prefix('@') {
        return at(millis.parse().map_err(|_| bad())?);
    }
    if let Ok(then) = jiff::Timestamp::from_str(text) {
        return at(then.as_millisecond());
    }
    let civil = civil::DateTime::from_str(text).map_err(|_| bad())?;
    let then = civil.to_zoned(tz::TimeZone::UTC).map_err(|_| bad())?;
    at(then.timestamp().as_millisecond())
}

/// A point in time as it is shown: RFC 3339, in UTC, to the millisecond.
pub(crate) fn shown_time(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.millis()) {
        Ok(at) => format!("{at:.3}"),
        Err(_) => format!("@{at}"),
    }
}

/// A span as it is shown: its two largest units, `3d 4h`, `1h 30m`, `12s`, `0s`.
pub(crate) fn shown_span(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let from = units.iter().position(|(count, _)| *count > 0).unwrap_or(units.len() - 1);
    let shown = units[from..].iter().take(2).enumerate().filter(|(at, (count, _))| *at == 0 || *count > 0);
    shown.map(|(_, (count, unit))| format!("{count}{unit}")).collect::<Vec<_>>().join(" ")
}

/// Bytes as they are shown: `12 B`, `1.5 KiB`, `20.0 MiB`.
pub(crate) fn shown_size(bytes: u64) -> String {
    let units = [(1u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} B"),
    }
}

/// What a setting means that takes a number: by Kafka's names, whose end tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meaning {
    Millis,
    Bytes,
    Plain,
}

/// Settings of milliseconds or bytes whose name doesn't end in what they are.
const ODD: &[(&str, Meaning)] = &[
    ("message.timestamp.before.max.ms", Meaning::Millis),
    ("log.retention.hours", Meaning::Plain),
    ("num.replica.fetchers", Meaning::Plain),
    ("follower.replication.throttled.rate", Meaning::Bytes),
    ("leader.replication.throttled.rate", Meaning::Bytes),
    ("replica.alter.log.dirs.io.max.bytes.per.second", Meaning::Bytes),
];

fn meaning(setting: &str) -> Meaning {
    if let Some((_, meaning)) = ODD.iter().find(|(name, _)| *name == setting) {
        return *meaning;
    }
    match setting.rsplit('.').next() {
        Some("ms") => Meaning::Millis,
        Some("bytes") => Meaning::Bytes,
        _ => Meaning::Plain,
    }
}

/// What is sent for a setting: where it takes milliseconds or bytes, `7d` and `64MiB` are numbers. What is neither is left
/// to the broker, which knows its settings.
pub(crate) fn setting_value(setting: &str, value: &str) -> String {
    match meaning(setting) {
        Meaning::Millis if value.parse::<i64>().is_err() => match duration(value) {
            Ok(span) => span.as_millis().to_string(),
            Err(_) => value.to_owned(),
        },
        Meaning::Bytes => size(value).map_or_else(|_| value.to_owned(), |bytes| bytes.to_string()),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        let millis = |text| duration(text).map(|span| span.as_millis());
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("90s"), Ok(90_000));
        assert_eq!(millis("1h30m"), Ok(5_400_000));
        assert_eq!(millis("1h 30m"), Ok(5_400_000));
        assert_eq!(millis("7d"), Ok(604_800_000));
        for text in ["", "7", "-1h", "1mo", "2 fortnights", "9999999999999999d", "h"] {
            assert!(millis(text).is_err_and(|why| why.contains("1h30m")), "{text}");
        }
    }

    #[test]
    fn sizes_are_binary_or_decimal_as_their_unit_says() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("64k"), Ok(65_536));
        assert_eq!(size("1GiB"), Ok(1 << 30));
        assert_eq!(size("10MB"), Ok(10_000_000));
        assert_eq!(size("3 KiB"), Ok(3072));
        for text in ["", "GiB", "1.5GiB", "-1", "1PB", "99999999999TiB"] {
            assert!(size(text).is_err_and(|why| why.contains("64KiB")), "{text}");
        }
    }

    #[test]
    fn instants_are_ago_or_dates_or_milliseconds() {
        let now = Timestamp::from_millis(1_000_000_000_000);
        let millis = |text| instant(text).map(|when| when.at(now).millis());
        assert_eq!(millis("-1h"), Ok(1_000_000_000_000 - 3_600_000));
        assert_eq!(millis("-99999d"), Ok(0));
        assert_eq!(millis("2026-01-31"), Ok(1_769_817_600_000));
        assert_eq!(millis("2026-01-31T12:00:00Z"), Ok(1_769_860_800_000));
        assert_eq!(millis("2026-01-31T12:00:00"), Ok(1_769_860_800_000));
        assert_eq!(millis("2026-01-31T12:00:00.5+02:00"), Ok(1_769_853_600_500));
        assert_eq!(millis("@1700000000000"), Ok(1_700_000_000_000));
        for text in ["", "1h", "yesterday", "@x", "@-1", "2026-13-01", "1969-01-01"] {
            assert!(millis(text).is_err_and(|why| why.contains("2026-01-31")), "{text}");
        }
    }

    #[test]
    fn times_and_spans_are_shown_short_and_exact() {
        assert_eq!(shown_time(Timestamp::from_millis(1_769_853_600_500)), "2026-01-31T10:00:00.500Z");
        for (seconds, shown) in [(0, "0s"), (12, "12s"), (5_400, "1h 30m"), (3_600, "1h"), (273_600 + 59, "3d 4h")] {
            assert_eq!(shown_span(Duration::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn sizes_are_shown_in_a_unit_that_fits() {
        for (bytes, shown) in
            [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (20 << 20, "20.0 MiB"), (1 << 40, "1.0 TiB")]
        {
            assert_eq!(shown_size(bytes), shown);
        }
    }

    #[test]
    fn a_setting_is_sent_as_the_number_that_it_means() {
        for (setting, value, sent) in [
            ("retention.ms", "7d", "604800000"),
            ("retention.ms", "-1", "-1"),
            ("retention.ms", "5", "5"),
            ("retention.ms", "soon", "soon"),
            ("segment.bytes", "64MiB", "67108864"),
            ("retention.bytes", "-1", "-1"),
            ("cleanup.policy", "7d", "7d"),
            ("leader.replication.throttled.rate", "1MB", "1000000"),
        ] {
            assert_eq!(setting_value(setting, value), sent, "{setting}={value}");
        }
    }
}
