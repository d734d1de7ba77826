//! When the next request is due, at a fixed rate. On a timer of the kernel's own: the runtime's ticks in whole
//! milliseconds.

use std::io;
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// Requests due one after the other, at equal distances.
pub(crate) struct Pace {
    /// A timerfd is read as a pipe is: eight bytes once it has ticked.
    timer: Receiver,
    begin: Instant,
    period: Duration,
    /// How many were handed out.
    taken: u32,
}

impl Pace {
    /// The first is due a period from now.
    pub(crate) fn new(period: Duration) -> io::Result<Pace> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let spec = Timespec::try_from(period).map_err(|_| io::ErrorKind::InvalidInput)?;
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: spec, it_value: spec })?;
        Ok(Pace { timer: Receiver::from_owned_fd_unchecked(timer)?, begin: Instant::now(), period, taken: 0 })
    }

    /// The moment for which the next request was due, if it has come. Latency counts from there: a broker that stalls
    /// must not make its own test easier.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Instant> {
        let due = self.begin + self.period * (self.taken + 1);
        if due > now {
            return None;
        }
        self.taken += 1;
        Some(due)
    }

    /// Waits until the next request is due, if it isn't yet, and says when it was.
    pub(crate) async fn next(&mut self) -> io::Result<Instant> {
        loop {
            match self.take(Instant::now()) {
                Some(due) => return Ok(due),
                None => self.tick().await?,
            }
        }
    }

    /// Waits until the timer ticks. Dropping the future loses nothing.
    pub(crate) async fn tick(&mut self) -> io::Result<()> {
        let mut ticks = [0; 8];
        self.timer.read(&mut ticks).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator that is late sends what it owes, each counted from its own moment.
    #[tokio::test]
    async fn what_was_missed_is_due_at_its_own_moment() {
        let mut pace = Pace::new(Duration::from_millis(1)).unwrap();
        let begin = pace.begin;
        let later = begin + Duration::from_micros(3500);
        let due: Vec<Duration> = std::iter::from_fn(|| pace.take(later)).map(|due| due - begin).collect();
        assert_eq!(due, [1, 2, 3].map(Duration::from_millis));
        assert_eq!(pace.take(begin + Duration::from_micros(3999)), None);
        pace.tick().await.unwrap();
    }
}
