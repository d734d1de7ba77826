//! A fetch that waits for records to come.

use std::sync::Arc;

use super::{Plan, Wanted};
use crate::partition::ReadError;
use crate::waiters::{Arrivals, SubscriptionNumber};
use thalweg_wire::Offset;

impl Plan {
    /// Waits until there are enough bytes, or an error to tell.
    pub(super) async fn await_records(&self) {
        let subscription = Subscription::new(self);
        let mut counted: Vec<Counted> = Vec::with_capacity(self.wanted.len());
        let mut total = 0;
        for wanted in &self.wanted {
            let mut own = Counted { bytes: 0, end: wanted.position.offset };
            if self.count(wanted, &mut own, &mut total).is_err() {
                return;
            }
            counted.push(own);
        }
        while total < self.min_bytes {
            for slot in subscription.arrivals.next().await {
                let slot = slot as usize;
                // Told again from here on: what comes after the look is not missed.
                subscription.rearm(slot);
                if self.count(&self.wanted[slot], &mut counted[slot], &mut total).is_err() {
                    return;
                }
            }
        }
    }

    /// Counts what can be read now and could not before.
    fn count(&self, wanted: &Wanted, counted: &mut Counted, total: &mut usize) -> Result<(), ReadError> {
        let Ok(partition) = &wanted.source else { return Ok(()) };
        // More than is wanted of the partition, or of all, needn't be counted.
        let limit = wanted.max_bytes.unwrap_or(0).min(self.min_bytes).saturating_sub(counted.bytes);
        let available = partition.available(wanted.position, counted.end, self.isolation, limit)?;
        counted.bytes += available.bytes;
        counted.end = counted.end.max(available.end);
        *total += available.bytes;
        Ok(())
    }
}

/// What of a partition a waiting fetch has counted.
struct Counted {
    bytes: usize,
    end: Offset,
}

/// A fetch that hears of its partitions as long as this lives, also when its connection goes away meanwhile.
struct Subscription<'a> {
    plan: &'a Plan,
    arrivals: Arc<Arrivals>,
    /// By slot.
    numbers: Vec<Option<SubscriptionNumber>>,
}

impl Subscription<'_> {
    fn new(plan: &Plan) -> Subscription<'_> {
        let arrivals = Arc::default();
        let slots = (0..).zip(&plan.wanted);
        let numbers = slots.map(|(slot, wanted)| Some(wanted.source.as_ref().ok()?.subscribe(&arrivals, slot)));
        Subscription { plan, numbers: numbers.collect(), arrivals }
    }

    fn rearm(&self, slot: usize) {
        if let (Ok(partition), Some(number)) = (&self.plan.wanted[slot].source, self.numbers[slot]) {
            partition.rearm(number);
        }
    }
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        for (wanted, number) in self.plan.wanted.iter().zip(&self.numbers) {
            if let (Ok(partition), Some(number)) = (&wanted.source, number) {
                partition.unsubscribe(*number);
            }
        }
    }
}
