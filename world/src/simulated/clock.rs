//! A clock that stands still until everybody waits: the runtime's paused time, and a wall that a test can move.

use std::sync::atomic::{AtomicI64, Ordering};

use thalweg_wire::{Moment, Timestamp};
use tokio::time::Instant;

use crate::{BoxFuture, Clock};

/// Monotonic time from the runtime, wall time from a base that jumps when told to.
#[derive(Debug)]
pub struct SimulatedClock {
    start: Instant,
    /// The wall time at the start, in milliseconds; a jump moves it.
    base: AtomicI64,
}

impl SimulatedClock {
    /// A clock that starts now; the wall reads `wall`.
    pub fn new(wall: Timestamp) -> SimulatedClock {
        SimulatedClock { start: Instant::now(), base: AtomicI64::new(wall.millis()) }
    }

    /// Moves the wall clock, forward or back, by so many milliseconds. The monotonic clock does not notice.
    pub fn jump(&self, millis: i64) {
        self.base.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Moment {
        Moment::ZERO + self.start.elapsed()
    }

    fn wall(&self) -> Timestamp {
        let elapsed = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.base.load(Ordering::Relaxed).saturating_add(elapsed))
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
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_wall_jumps_and_the_monotonic_clock_does_not() {
        let clock = SimulatedClock::new(Timestamp::from_millis(1_000_000));
        clock.sleep(Duration::from_secs(5)).await;
        assert_eq!((clock.now().nanos(), clock.wall().millis()), (5_000_000_000, 1_005_000));
        clock.jump(-60_000);
        assert_eq!((clock.now().nanos(), clock.wall().millis()), (5_000_000_000, 945_000));
    }
}
