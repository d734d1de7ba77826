//! Answers that wait: a produce for its records to be acknowledged, a fetch for records to come.
//!
//! A partition knows who waits for which of its marks and wakes each once. Nobody polls, and nobody looks at all
//! partitions again because one of them moved.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use thalweg_log::write_out::Urgency;
use thalweg_wire::{Offset, TopicPartition};
use tokio::sync::Notify;

/// A request that waits for marks of so many partitions: a produce until the high watermarks have passed its records, a
/// deletion until the log starts are durable.
#[derive(Debug)]
pub struct Countdown {
    left: AtomicUsize,
    failed: AtomicBool,
    done: Notify,
}

impl Countdown {
    /// Waits for so many partitions, and for the caller itself: see [`Countdown::wait`].
    pub fn new() -> Arc<Countdown> {
        Arc::new(Countdown { left: AtomicUsize::new(1), failed: AtomicBool::new(false), done: Notify::new() })
    }

    /// One more partition to wait for.
    fn expect(&self) {
        self.left.fetch_add(1, Ordering::Relaxed);
    }

    /// One partition less; whether it was the last.
    fn arrived(&self) -> bool {
        self.left.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Waits until every partition has arrived. Once only; call it when all partitions are told to expect.
    pub async fn wait(&self) {
        if !self.arrived() {
            self.done.notified().await;
        }
    }

    /// Whether some partition arrived because it failed: look at each then.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}

/// A fetch that waits: which of its partitions moved since it looked last.
#[derive(Debug, Default)]
pub struct Arrivals {
    moved: Mutex<Vec<u32>>,
    wake: Notify,
}

impl Arrivals {
    /// The slots of the partitions that moved; waits until there is one. Dropping the future loses nothing.
    pub async fn next(&self) -> Vec<u32> {
        loop {
            let moved = std::mem::take(&mut *self.moved.lock().expect("no code panics while it holds the slots"));
            if !moved.is_empty() {
                return moved;
            }
            self.wake.notified().await;
        }
    }

    fn mark(&self, slot: u32) {
        self.moved.lock().expect("no code panics while it holds the slots").push(slot);
    }
}

/// Who waits at one partition.
#[derive(Default, Debug)]
pub struct Waiters {
    /// In the order of their offsets.
    produces: VecDeque<(Offset, Arc<Countdown>)>,
    /// Likewise; a log start only moves forward.
    deletions: VecDeque<(Offset, Arc<Countdown>)>,
    /// By number, in the order in which they came.
    fetches: BTreeMap<SubscriptionNumber, Subscription>,
    next_subscription: u64,
}

/// By which a fetch's place among those who wait at a partition is found again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SubscriptionNumber(u64);

#[derive(Debug)]
struct Subscription {
    fetch: Arc<Arrivals>,
    slot: u32,
    /// Whether it was told since it looked last: it is told once.
    told: bool,
}

/// Who is to be woken, once the partition's lock is released.
#[derive(Default, Debug)]
#[must_use = "those who wait must be woken"]
pub struct Wakes {
    produces: Vec<Arc<Countdown>>,
    fetches: Vec<Arc<Arrivals>>,
    listed: Vec<(TopicPartition, Urgency)>,
}

impl Waiters {
    /// Lets a produce wait until the high watermark is at `end` or above.
    pub fn await_end(&mut self, end: Offset, countdown: &Arc<Countdown>) {
        countdown.expect();
        // A repetition waits for less than who came before it.
        let place = self.produces.partition_point(|(other, _)| *other <= end);
        self.produces.insert(place, (end, countdown.clone()));
    }

    /// Lets a deletion of records wait until the log start is durable at `start` or above. The starts come in order.
    pub fn await_start(&mut self, start: Offset, countdown: &Arc<Countdown>) {
        countdown.expect();
        self.deletions.push_back((start, countdown.clone()));
    }

    /// The log start is durably here now.
    pub fn log_start(&mut self, at: Offset, wakes: &mut Wakes) {
        while let Some((_, countdown)) = self.deletions.pop_front_if(|(start, _)| *start <= at) {
            if countdown.arrived() {
                wakes.produces.push(countdown);
            }
        }
    }

    /// Lets a fetch hear of every move of the high watermark, as its slot of that number.
    pub fn subscribe(&mut self, fetch: &Arc<Arrivals>, slot: u32) -> SubscriptionNumber {
        let number = SubscriptionNumber(self.next_subscription);
        self.next_subscription += 1;
        self.fetches.insert(number, Subscription { fetch: fetch.clone(), slot, told: false });
        number
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, number: SubscriptionNumber) {
        self.fetches.remove(&number);
    }

    /// Lets a fetch be told again: it has looked.
    pub fn rearm(&mut self, number: SubscriptionNumber) {
        if let Some(subscription) = self.fetches.get_mut(&number) {
            subscription.told = false;
        }
    }

    /// The high watermark is here now.
    pub fn high_watermark(&mut self, at: Offset, wakes: &mut Wakes) {
        while self.produces.front().is_some_and(|(end, _)| *end <= at) {
            if let Some((_, countdown)) = self.produces.pop_front()
                && countdown.arrived()
            {
                wakes.produces.push(countdown);
            }
        }
        if self.produces.is_empty() && self.produces.capacity() > 16 {
            self.produces = VecDeque::new();
        }
        self.tell_fetches(wakes);
    }

    /// Nothing that waits here will come.
    pub fn failed(&mut self, wakes: &mut Wakes) {
        for (_, countdown) in self.produces.drain(..).chain(self.deletions.drain(..)) {
            countdown.failed.store(true, Ordering::Release);
            if countdown.arrived() {
                wakes.produces.push(countdown);
            }
        }
        self.tell_fetches(wakes);
    }

    fn tell_fetches(&mut self, wakes: &mut Wakes) {
        for subscription in self.fetches.values_mut().filter(|subscription| !subscription.told) {
            subscription.told = true;
            subscription.fetch.mark(subscription.slot);
            wakes.fetches.push(subscription.fetch.clone());
        }
    }
}

impl Wakes {
    /// The writer of files is to hear of a log.
    pub fn list(&mut self, log: TopicPartition, urgency: Urgency) {
        self.listed.push((log, urgency));
    }

    /// The logs that it is to hear of.
    pub fn take_listed(&mut self) -> Vec<(TopicPartition, Urgency)> {
        std::mem::take(&mut self.listed)
    }

    /// Wakes them all.
    pub fn fire(self) {
        self.produces.iter().for_each(|countdown| countdown.done.notify_one());
        self.fetches.iter().for_each(|fetch| fetch.wake.notify_one());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    fn wake(change: impl FnOnce(&mut Wakes)) {
        let mut wakes = Wakes::default();
        change(&mut wakes);
        wakes.fire();
    }

    #[test]
    fn a_produce_waits_for_its_last_partition() {
        let (mut first, mut second) = (Waiters::default(), Waiters::default());
        let countdown = Countdown::new();
        first.await_end(Offset(3), &countdown);
        second.await_end(Offset(7), &countdown);
        let mut waiting = pin!(countdown.wait());
        let mut look = || waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(look().is_pending());
        wake(|wakes| first.high_watermark(Offset(3), wakes));
        wake(|wakes| second.high_watermark(Offset(6), wakes));
        assert!(look().is_pending(), "6 is below 7");
        wake(|wakes| second.high_watermark(Offset(9), wakes));
        assert!(look().is_ready());
        assert!(!countdown.failed());
    }

    #[test]
    fn a_produce_of_a_failed_partition_is_told_so() {
        let mut waiters = Waiters::default();
        let countdown = Countdown::new();
        waiters.await_end(Offset(3), &countdown);
        wake(|wakes| waiters.failed(wakes));
        assert!(poll(countdown.wait()).is_ready());
        assert!(countdown.failed());
    }

    #[test]
    fn a_fetch_is_told_once_until_it_has_looked() {
        let mut waiters = Waiters::default();
        let fetch = Arc::new(Arrivals::default());
        let number = waiters.subscribe(&fetch, 5);
        wake(|wakes| waiters.high_watermark(Offset(1), wakes));
        wake(|wakes| waiters.high_watermark(Offset(2), wakes));
        assert_eq!(poll(fetch.next()), Poll::Ready(vec![5]));
        wake(|wakes| waiters.high_watermark(Offset(3), wakes));
        assert!(poll(fetch.next()).is_pending(), "it has not said that it looked");
        waiters.rearm(number);
        wake(|wakes| waiters.high_watermark(Offset(4), wakes));
        assert_eq!(poll(fetch.next()), Poll::Ready(vec![5]));
        waiters.unsubscribe(number);
        wake(|wakes| waiters.high_watermark(Offset(5), wakes));
        assert!(poll(fetch.next()).is_pending());
    }
}
