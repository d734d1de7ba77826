//! A fetch that waits for records to come.

use std::sync::Arc;

use thalweg_wire::Offset;

use super::{Absent, Context, Plan, Wanted};
use crate::broker::Shared;
use crate::fetch_session::{Moves, Ready};
use crate::partition::{Partition, ReadError};
use crate::waiters::{Arrivals, SubscriptionNumber};

impl Plan {
    /// Waits until there are enough bytes, or an error to tell.
    pub(super) async fn await_records(&mut self, shared: &Shared) {
        // Whoever is told by an error has nothing to wait for.
        let _told = match &self.session {
            Context::Sessionless | Context::Opening => self.await_in_request().await,
            Context::Standing(_) => self.await_in_session(shared).await,
        };
    }

    async fn await_in_request(&self) -> Result<(), ReadError> {
        let subscription = Subscription::new(self);
        let mut counting = Counting::default();
        for slot in 0..self.wanted.len() {
            counting.count(self, slot)?;
        }
        while counting.total < self.min_bytes {
            for slot in subscription.arrivals.next().await {
                let slot = usize::try_from(slot).expect("a slot that this subscription gave");
                // Told again from here on: what comes after the look is not missed.
                subscription.rearm(slot);
                counting.count(self, slot)?;
            }
        }
        Ok(())
    }

    /// Likewise, where the session listens: what was not ready has no bytes until it moves, and is in the plan then.
    async fn await_in_session(&mut self, shared: &Shared) -> Result<(), ReadError> {
        let mut counting = Counting::default();
        for place in 0..self.wanted.len() {
            counting.count(self, place)?;
        }
        while counting.total < self.min_bytes {
            let Context::Standing(standing) = &self.session else { return Ok(()) };
            let session = standing.session.clone();
            // It resolves at any wake from here on, so what moves behind the look at the news is not missed.
            let woken = session.woken();
            let moved = self.take_up(shared, Moves::Waking);
            if moved.is_empty() {
                woken.await;
            }
            for place in moved {
                self.wanted[place].rearm();
                counting.count(self, place)?;
            }
        }
        Ok(())
    }

    /// In a session, takes up all else that moved, for the last look, and brings it into the order of service.
    pub(super) fn take_up_the_rest(&mut self, shared: &Shared) {
        self.take_up(shared, Moves::All);
        if let Context::Standing(_) = self.session {
            self.wanted.sort_by_key(|wanted| wanted.ticket.map(|ticket| ticket.place()));
        }
    }

    /// Takes up what is news in its session: the places in the plan of what moved.
    fn take_up(&mut self, shared: &Shared, moves: Moves) -> Vec<usize> {
        let Context::Standing(standing) = &mut self.session else { return Vec::new() };
        let (news, horizon) = standing.session.news(standing.horizon, moves);
        standing.horizon = horizon;
        let mut moved = Vec::with_capacity(news.len());
        for Ready { key, interest, ticket, heard } in news {
            if let Some(place) = standing.places.get(&ticket.slot()) {
                // It is looked at again, and knows of this news then.
                self.wanted[*place].ticket = Some(ticket);
                moved.push(*place);
                continue;
            }
            // The partition that was there when the request came, and no other that has its name since.
            let Some((id, number)) = heard else { continue };
            let source = shared.partitions.find(id).ok_or(Absent::Deleted);
            standing.places.insert(ticket.slot(), self.wanted.len());
            moved.push(self.wanted.len());
            self.wanted.push(Wanted::new(key, interest, source, Some(ticket), Some(number)));
        }
        moved
    }
}

/// What a waiting fetch has counted, in all and of each partition of its plan.
#[derive(Default)]
struct Counting {
    total: usize,
    partitions: Vec<Counted>,
}

#[derive(Clone, Copy)]
struct Counted {
    bytes: usize,
    end: Offset,
}

impl Counting {
    /// Counts what can be read now of a partition of the plan, and could not before.
    fn count(&mut self, plan: &Plan, place: usize) -> Result<(), ReadError> {
        let uncounted = |wanted: &Wanted| Counted { bytes: 0, end: wanted.position.offset };
        self.partitions.extend(plan.wanted.get(self.partitions.len()..=place).into_iter().flatten().map(uncounted));
        let (wanted, counted) = (&plan.wanted[place], &mut self.partitions[place]);
        let partition = match &wanted.source {
            Ok(partition) => partition,
            Err(Absent::Unknown(_)) => return Ok(()),
            Err(Absent::Deleted) => return Err(ReadError::Deleted),
        };
        // More than is wanted of the partition, or of all, needn't be counted.
        let limit = wanted.max_bytes.unwrap_or(0).min(plan.min_bytes).saturating_sub(counted.bytes);
        let available = partition.available(wanted.position, counted.end, plan.isolation, limit)?;
        counted.bytes += available.bytes;
        counted.end = counted.end.max(available.end);
        self.total += available.bytes;
        Ok(())
    }
}

/// A fetch that hears of its partitions as long as this lives, also when its connection goes away meanwhile.
struct Subscription<'a> {
    arrivals: Arc<Arrivals>,
    /// By slot.
    heard: Vec<Option<(&'a Arc<Partition>, SubscriptionNumber)>>,
}

impl Subscription<'_> {
    fn new(plan: &Plan) -> Subscription<'_> {
        let arrivals = Arc::default();
        let slots = (0..).zip(&plan.wanted);
        let heard = slots.map(|(slot, wanted)| {
            let partition = wanted.source.as_ref().ok()?;
            Some((partition, partition.subscribe(&arrivals, slot)))
        });
        Subscription { heard: heard.collect(), arrivals }
    }

    fn rearm(&self, slot: usize) {
        if let Some((partition, number)) = self.heard[slot] {
            partition.rearm(number);
        }
    }
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        for (partition, number) in self.heard.iter().flatten() {
            partition.unsubscribe(*number);
        }
    }
}
