//! The machine's clocks: tokio's monotonic one, so that timers and readings agree, and the wall.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use thalweg_wire::{Moment, Timestamp};
use tokio::time::Instant;

use crate::{BoxFuture, Clock};

/// The real clock; its moments start when it was made.
#[derive(Debug)]
pub struct RealClock {
    start: Instant,
}

impl Default for RealClock {
    fn default() -> RealClock {
        RealClock { start: Instant::now() }
    }
}

impl Clock for RealClock {
    fn now(&self) -> Moment {
        Moment::ZERO + self.start.elapsed()
    }

    fn wall(&self) -> Timestamp {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since),
            // A machine whose clock was never set may stand before 1970.
            Err(before) => -millis(before.duration()),
        })
    }

    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()> {
        let deadline = self.start.checked_add(moment.since(Moment::ZERO));
        Box::pin(async move {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                // Past the end of the clock is never.
                None => std::future::pending().await,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sleep_ends_at_its_moment_and_not_before() {
        let clock = RealClock::default();
        let until = clock.now() + Duration::from_secs(3);
        clock.sleep_until(until).await;
        assert!(clock.now() >= until);
        clock.sleep_until(Moment::ZERO).await;
        assert!(clock.wall() > Timestamp::from_millis(1_700_000_000_000));
    }
}
