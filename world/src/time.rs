//! What time it is, and waiting for a time.

use std::time::Duration;

use thalweg_wire::{Moment, Timestamp};

use crate::BoxFuture;

/// A monotonic clock for order and time-outs, a wall clock for timestamps.
pub trait Clock: Send + Sync + 'static {
    /// Monotonic: never goes back.
    fn now(&self) -> Moment;

    /// Wall time: may jump.
    fn wall(&self) -> Timestamp;

    /// Waits until the monotonic clock reads at least `moment`.
    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()>;

    /// Waits for a span.
    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        self.sleep_until(self.now() + span)
    }
}
