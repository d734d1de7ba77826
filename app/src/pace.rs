//! How many a second, and when each is due: a schedule that knows no clock.

use std::time::Duration;

use thalweg_wire::Moment;

/// So many in a span: `100/s`, `5k/s`, `30/m`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rate {
    count: u64,
    per: Duration,
}

/// More a second would only be a rate on paper: a schedule of whole nanoseconds ends here.
const PER_SECOND_MAX: u64 = 100_000_000;

/// Reads a rate.
///
/// # Errors
/// What it should look like.
pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    let bad = || format!("{text} is no rate: write 100/s, 5k/s or 30/m");
    let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
    let per = match unit {
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3600),
        _ => return Err(bad()),
    };
    let (digits, factor) = match count.strip_suffix(['k', 'K', 'M']) {
        Some(digits) => (digits, if count.ends_with('M') { 1_000_000 } else { 1_000 }),
        None => (count, 1),
    };
    let count = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(factor)).ok_or_else(bad)?;
    match count {
        0 => Err(format!("{text} would never end: write 100/s, 5k/s or 30/m")),
        count if count / per.as_secs() > PER_SECOND_MAX => Err(format!("{text} is too fast: 100M/s is the most")),
        count => Ok(Rate { count, per }),
    }
}

impl Rate {
    /// How long so many take.
    pub(crate) fn span_of(self, count: u64) -> Duration {
        let nanos = u128::from(count) * self.per.as_nanos() / u128::from(self.count);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many are due in a span; one at least.
    pub(crate) fn in_span(self, span: Duration) -> u64 {
        let count = span.as_nanos() * u128::from(self.count) / self.per.as_nanos();
        u64::try_from(count).unwrap_or(u64::MAX).max(1)
    }
}

/// Who is late by more begins anew: what there was no record for is not made up for at once.
const LATE_MAX: Duration = Duration::from_millis(50);

/// Evenly, as far as there is something: each is due one step behind the one before it.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    rate: Rate,
    since: Moment,
    count: u64,
}

impl Pace {
    /// The first is due at once.
    pub(crate) fn new(rate: Rate, now: Moment) -> Pace {
        Pace { rate, since: now, count: 0 }
    }

    /// When the next is due.
    pub(crate) fn next(&mut self, now: Moment) -> Moment {
        let mut due = self.since + self.rate.span_of(self.count);
        if now.since(due) > LATE_MAX {
            (due, self.since, self.count) = (now, now, 0);
        }
        self.count += 1;
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Moment {
        Moment::from_nanos(micros * 1000)
    }

    #[test]
    fn rates_are_read_as_people_write_them() {
        let millis = |text| rate(text).map(|rate| rate.span_of(3000).as_millis());
        assert_eq!(millis("100/s"), Ok(30_000));
        assert_eq!(millis("100"), Ok(30_000));
        assert_eq!(millis("3k/s"), Ok(1_000));
        assert_eq!(millis("3M/s"), Ok(1));
        assert_eq!(millis("60/m"), Ok(3_000_000));
        for text in ["", "/s", "0/s", "-1/s", "5/d", "1.5/s", "fast", "18446744073709551615k/s", "101M/s"] {
            assert!(rate(text).is_err_and(|why| why.contains("/s")), "{text}");
        }
    }

    #[test]
    fn a_rate_that_is_no_whole_number_of_nanoseconds_does_not_drift() {
        let rate = rate("3/s").unwrap();
        assert_eq!(rate.span_of(3_000_000), Duration::from_secs(1_000_000));
        assert_eq!(rate.in_span(Duration::from_secs(1_000_000)), 3_000_000);
        assert_eq!(rate.in_span(Duration::ZERO), 1);
    }

    #[test]
    fn each_is_due_a_step_behind_the_one_before_it() {
        let mut pace = Pace::new(rate("1k/s").unwrap(), at(0));
        assert_eq!([pace.next(at(0)), pace.next(at(10)), pace.next(at(1_700))], [at(0), at(1_000), at(2_000)]);
    }

    // The timer is coarse: what it wakes too late for comes at once, and the rate stays what it is.
    #[test]
    fn a_little_late_is_made_up_for_and_much_is_not() {
        let mut pace = Pace::new(rate("1k/s").unwrap(), at(0));
        assert_eq!(pace.next(at(20_000)), at(0));
        assert_eq!(pace.next(at(20_000)), at(1_000));
        assert_eq!(pace.next(at(90_000)), at(90_000));
        assert_eq!(pace.next(at(90_000)), at(91_000));
    }
}
