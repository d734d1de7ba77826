//! Answers that wait: a produce for its records to be acknowledged, a fetch for records to come.
//!
//! A partition knows who waits for which of its marks and wakes each once. Nobody polls, and nobody looks at all
//! partitions again because one of them moved.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use thalweg_log::write_out::Urgency;
use thalweg_wire::{Offset, TopicPartition};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

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

/// What a fetch hears of its partitions, each of which has a slot there: which of them moved since it looked last. It lasts
/// as long as one fetch that waits, or as a session.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// Sets, so that a slot is there once, however often its partition moves before anybody looks.
    moved: Mutex<Moved>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Moved {
    waking: BTreeSet<u64>,
    quiet: BTreeSet<u64>,
}

impl Arrivals {
    /// The slots of the partitions that moved; waits until there is one. Dropping the future loses nothing.
    pub async fn next(&self) -> BTreeSet<u64> {
        loop {
            let woken = self.woken();
            let moved = self.take_waking();
            if !moved.is_empty() {
                return moved;
            }
            woken.await;
        }
    }

    /// Resolves at the first wake after this call, also if it is awaited later: call it, look, and then wait.
    pub fn woken(&self) -> Notified<'_> {
        self.wake.notified()
    }

    /// The slots of the partitions whose moves wake.
    pub fn take_waking(&self) -> BTreeSet<u64> {
        std::mem::take(&mut self.moved().waking)
    }

    /// All slots of partitions that moved, also of those whose moves wake nobody.
    pub fn take_all(&self) -> BTreeSet<u64> {
        let Moved { mut waking, mut quiet } = std::mem::take(&mut *self.moved());
        waking.append(&mut quiet);
        waking
    }

    fn moved(&self) -> MutexGuard<'_, Moved> {
        self.moved.lock().expect("no code panics while it holds the slots")
    }
}

/// Who waits at one partition.
#[derive(Default, Debug)]
pub struct Waiters {
    /// In the order of their offsets.
    produces: VecDeque<(Offset, Arc<Countdown>)>,
    /// Likewise; a log start only moves forward.
    deletions: VecDeque<(Offset, Arc<Countdown>)>,
    /// By number, in the order in which they came. Most partitions have one, and it stays: no more is kept than is needed.
    fetches: Vec<(SubscriptionNumber, Subscription)>,
    next_subscription: u64,
}

/// By which a fetch's place among those who wait at a partition is found again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SubscriptionNumber(u64);

#[derive(Debug)]
struct Subscription {
    fetch: Arc<Arrivals>,
    slot: u64,
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
    pub fn subscribe(&mut self, fetch: &Arc<Arrivals>, slot: u64) -> SubscriptionNumber {
        let number = SubscriptionNumber(self.next_subscription);
        self.next_subscription += 1;
        if self.fetches.is_empty() {
            self.fetches.reserve_exact(1);
        }
        self.fetches.push((number, Subscription { fetch: fetch.clone(), slot, told: false }));
        number
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, number: SubscriptionNumber) {
        if let Ok(place) = self.place_of(number) {
            self.fetches.remove(place);
            if self.fetches.len() < self.fetches.capacity() / 4 {
                self.fetches.shrink_to_fit();
            }
        }
    }

    /// Lets a fetch be told again: it has looked.
    pub fn rearm(&mut self, number: SubscriptionNumber) {
        if let Ok(place) = self.place_of(number) {
            self.fetches[place].1.told = false;
        }
    }

    /// How many fetches hear of it.
    #[cfg(test)]
    pub fn subscriptions(&self) -> usize {
        self.fetches.len()
    }

    fn place_of(&self, number: SubscriptionNumber) -> Result<usize, usize> {
        self.fetches.binary_search_by_key(&number, |(number, _)| *number)
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

    /// Something else moved that the next answer may tell, and that nobody waits for.
    pub fn moved_quietly(&self) {
        for (_, subscription) in &self.fetches {
            subscription.fetch.moved().quiet.insert(subscription.slot);
        }
    }

    /// Nothing will move any more: who listens is told, and let go.
    pub fn deleted(&mut self, wakes: &mut Wakes) {
        self.failed(wakes);
        self.fetches = Vec::new();
    }

    fn tell_fetches(&mut self, wakes: &mut Wakes) {
        for (_, subscription) in self.fetches.iter_mut().filter(|(_, subscription)| !subscription.told) {
            subscription.told = true;
            subscription.fetch.moved().waking.insert(subscription.slot);
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
        self.fetches.iter().for_each(|fetch| fetch.wake.notify_waiters());
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
        assert_eq!(poll(fetch.next()), Poll::Ready(BTreeSet::from([5])));
        wake(|wakes| waiters.high_watermark(Offset(3), wakes));
        assert!(poll(fetch.next()).is_pending(), "it has not said that it looked");
        waiters.rearm(number);
        wake(|wakes| waiters.high_watermark(Offset(4), wakes));
        assert_eq!(poll(fetch.next()), Poll::Ready(BTreeSet::from([5])));
        waiters.unsubscribe(number);
        wake(|wakes| waiters.high_watermark(Offset(5), wakes));
        assert!(poll(fetch.next()).is_pending());
    }

    #[test]
    fn a_quiet_move_is_found_by_who_looks_and_wakes_nobody() {
        let mut waiters = Waiters::default();
        let fetch = Arc::new(Arrivals::default());
        waiters.subscribe(&fetch, 5);
        waiters.moved_quietly();
        waiters.moved_quietly();
        assert!(poll(fetch.next()).is_pending());
        // It does not stand in the way of one that wakes.
        wake(|wakes| waiters.high_watermark(Offset(1), wakes));
        assert_eq!(poll(fetch.next()), Poll::Ready(BTreeSet::from([5])));
        assert_eq!(fetch.take_all(), BTreeSet::from([5]));
        assert_eq!(fetch.take_all(), BTreeSet::new());
    }

    /// As two requests of one session do.
    #[test]
    fn a_wake_reaches_all_that_wait_for_the_same_arrivals() {
        let mut waiters = Waiters::default();
        let fetch = Arc::new(Arrivals::default());
        waiters.subscribe(&fetch, 5);
        let (first, second) = (fetch.woken(), fetch.woken());
        wake(|wakes| waiters.high_watermark(Offset(1), wakes));
        assert!(poll(first).is_ready() && poll(second).is_ready());
        assert!(poll(fetch.woken()).is_pending(), "it came after the wake");
    }

    #[test]
    fn a_deleted_partition_tells_who_listens_and_lets_go() {
        let mut waiters = Waiters::default();
        let fetch = Arc::new(Arrivals::default());
        let number = waiters.subscribe(&fetch, 5);
        wake(|wakes| waiters.deleted(wakes));
        assert_eq!(poll(fetch.next()), Poll::Ready(BTreeSet::from([5])));
        assert_eq!((waiters.subscriptions(), Arc::strong_count(&fetch)), (0, 1));
        waiters.unsubscribe(number);
    }
}
