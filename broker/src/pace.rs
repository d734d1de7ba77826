//! How fast connections are taken: `max.connection.creation.rate` (KIP-612), a bucket of tokens that is told the time.
//!
//! Each connection takes a token, and so many a second come back. The bucket holds a second's worth, so that clients who
//! come together after a pause needn't queue, and never less than one: at 0 a connection a second is taken, as by Kafka.
//! Who finds no token has its turn later and is never refused; whoever takes connections waits for each turn before it
//! takes the next, so a bucket owes no more tokens than there are listeners.

use std::time::Duration;

use thalweg_wire::Moment;

const SECOND: Duration = Duration::from_secs(1);

/// The bucket, as the moment at which it is full again.
pub struct Pace {
    full: Moment,
}

impl Pace {
    /// A full bucket.
    pub fn new() -> Pace {
        Pace { full: Moment::ZERO }
    }

    /// Takes a token where so many come back in a second, and says when it is there: now, or later.
    pub fn turn(&mut self, per_second: u32, now: Moment) -> Moment {
        self.full = self.full.max(now) + SECOND / per_second.max(1);
        // What is missing, this token with it, is no more than a second's worth by then.
        now + self.full.since(now).saturating_sub(SECOND)
    }
}

impl Default for Pace {
    fn default() -> Pace {
        Pace::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Moment {
        Moment::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn a_seconds_worth_comes_at_once_and_the_next_has_its_turn_when_a_token_is_back() {
        let mut pace = Pace::new();
        for _ in 0..5 {
            assert_eq!(pace.turn(5, at(10_000)), at(10_000));
        }
        assert_eq!(pace.turn(5, at(10_000)), at(10_200));
        assert_eq!(pace.turn(5, at(10_200)), at(10_400));
        // After a pause there is no more than a second's worth either.
        let turns: Vec<Moment> = (0..6).map(|_| pace.turn(5, at(100_000))).collect();
        assert_eq!((turns[4], turns[5]), (at(100_000), at(100_200)));
    }

    #[test]
    fn without_a_rate_nobody_waits_and_at_none_one_a_second_is_taken() {
        let mut pace = Pace::new();
        assert!((0..100_000).all(|_| pace.turn(i32::MAX as u32, at(7)) == at(7)));
        assert_eq!([7, 7, 1007].map(|now| pace.turn(0, at(now))), [at(7), at(1007), at(2007)]);
    }

    #[test]
    fn a_new_rate_acts_on_the_next() {
        let mut pace = Pace::new();
        assert_eq!([0, 0].map(|now| pace.turn(1, at(now))), [at(0), at(1000)]);
        assert_eq!(pace.turn(1000, at(1000)), at(1001), "it does not wait for what the old rate still owes");
    }

    proptest! {
        /// Of those who each wait for their turn, none is taken past the rate in any stretch of time.
        #[test]
        fn no_stretch_of_time_has_more_than_its_share(
            per_second in 1..50u32,
            pauses in prop::collection::vec(0..3_000u64, 1..200),
        ) {
            let (mut pace, mut now, mut taken) = (Pace::new(), at(0), Vec::new());
            for pause in pauses {
                now = pace.turn(per_second, now + Duration::from_millis(pause / u64::from(per_second)));
                taken.push(now);
            }
            for (first, from) in taken.iter().enumerate() {
                for (count, to) in taken[first..].iter().enumerate() {
                    let share = f64::from(per_second) * (1.0 + to.since(*from).as_secs_f64());
                    prop_assert!((count + 1) as f64 <= share + 1e-3, "{} in {:?}", count + 1, to.since(*from));
                }
            }
        }
    }
}
