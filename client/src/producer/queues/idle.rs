//! A partition that nothing was written to for a while is forgotten: who writes to ever new topics doesn't grow.
//!
//! Its numbers are forgotten, too. A partition that comes after that may be one that was forgotten, which its broker still
//! expects to go on: so it begins in a new epoch.

use std::sync::Arc;

use thalweg_wire::{Moment, PartitionIndex};

use super::{Queue, QueueId, Queues};

impl Queues {
    /// Forgets what is idle, once in a while.
    pub(super) fn forget_idle(&mut self, now: Moment) {
        if now < self.sweep {
            return;
        }
        let max_idle = self.rules.max_idle;
        self.sweep = now + max_idle;
        let is_over = |queue: &Queue| queue.used.is_some_and(|used| used + max_idle <= now) && queue.is_empty();
        for place in 0..self.queues.len() {
            if is_over(&self.queues[place]) {
                self.forget(place);
            }
        }
    }

    fn forget(&mut self, place: usize) {
        let queue = &mut self.queues[place];
        let vacant = Queue::new(Arc::from(""), PartitionIndex(0), 0, queue.turn.wrapping_add(1));
        let old = std::mem::replace(queue, vacant);
        self.vacant.push(place);
        if let Some(at) = old.timer {
            self.timers.remove(&(at, QueueId(place, old.turn)));
        }
        if old.identity.is_some() && old.identity == self.identity {
            self.forgotten = self.identity;
        }
        let is_gone = self.by_name.get_mut(&old.topic).is_some_and(|known| {
            known.iter_mut().filter(|id| **id == Some(QueueId(place, old.turn))).for_each(|id| *id = None);
            known.iter().all(Option::is_none)
        });
        if is_gone {
            self.by_name.remove(&old.topic);
        }
    }

    /// Makes room for a partition that is new, or was forgotten.
    pub(super) fn add(&mut self, topic: Arc<str>, partition: PartitionIndex, now: Moment) -> QueueId {
        let place = self.vacant.pop().unwrap_or(self.queues.len());
        let turn = self.queues.get(place).map_or(0, |vacant| vacant.turn);
        let mut queue = Queue::new(topic, partition, self.rules.batch_bytes, turn);
        queue.used = Some(now);
        // No batch has that number: all wait for the epoch.
        queue.hole = (self.identity.is_some() && self.forgotten == self.identity).then_some(0);
        match self.queues.get_mut(place) {
            Some(vacant) => *vacant = queue,
            None => self.queues.push(queue),
        }
        QueueId(place, turn)
    }

    /// Whether a partition was not forgotten since somebody was given its number.
    pub(super) fn is_known(&self, id: QueueId) -> bool {
        self.queues[id.0].turn == id.1
    }
}

impl Queue {
    /// Whether nothing is in it, nor expected.
    fn is_empty(&self) -> bool {
        self.open.is_none() && self.waiting.is_empty() && self.sent.is_empty() && !self.is_ready
    }
}
