//! What waits to be sent, and what was sent and is not answered: by partition, in order. Pure: time comes in by the door.
//!
//! Records gather in a partition's open batch until it is full or has lingered. A closed batch is numbered, if the producer
//! is idempotent, when it is first sent, and keeps its number whenever it is sent again; it is sent again only when nothing
//! of its partition is on its way, so that order holds. Where a number was given and its batch will never be stored, the
//! numbers behind it lead nowhere: the partition then waits for a new epoch, in which they begin at 0 (KIP-360).

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use thalweg_wire::batch::{self, Builder, Compression};
use thalweg_wire::producers::sequence_after;
use thalweg_wire::{BrokerId, ErrorCode, Moment, PartitionIndex, ProducerEpoch, ProducerId, Timestamp};

use super::fate::{Delivery, DeliveryError, Fate, Stored};

/// When batches close, and how long they are tried.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) linger: Duration,
    pub(crate) batch_bytes: usize,
    pub(crate) in_flight_max: usize,
    pub(crate) delivery_timeout: Duration,
    pub(crate) compression: Compression,
}

/// An idempotent producer as the cluster knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Identity {
    pub(crate) id: ProducerId,
    pub(crate) epoch: ProducerEpoch,
}

/// A partition's queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct QueueId(usize);

/// A batch that was given out to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) queue: QueueId,
    pub(crate) number: u64,
    pub(crate) batch: batch::Batch,
}

/// What came of sending a batch.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It is there.
    Stored(Stored),
    /// It isn't there, and may be sent again.
    Again(String),
    /// Whether it is there, nobody knows; sent again it is recognised, if the producer is idempotent.
    Unknown(String),
    /// It isn't there, and its number is not the one that the broker expects.
    Renumber(ErrorCode),
    /// It isn't there, and never will be.
    Refused(ErrorCode, String),
}

/// All partitions that were written to.
pub(crate) struct Queues {
    rules: Rules,
    /// `None`: not idempotent.
    identity: Option<Identity>,
    queues: Vec<Queue>,
    by_name: HashMap<Arc<str>, Vec<Option<QueueId>>>,
    /// Those that may have something to send, each once, who waits longest first.
    ready: VecDeque<QueueId>,
    /// When each is to be looked at next.
    timers: BTreeSet<(Moment, QueueId)>,
    next_number: u64,
    /// Bytes of records whose memory is free again.
    released: usize,
}

struct Queue {
    topic: Arc<str>,
    partition: PartitionIndex,
    open: Option<Open>,
    /// Closed, in order.
    waiting: VecDeque<Closed>,
    /// On their way, in order.
    sent: VecDeque<Closed>,
    /// The identity that its numbers belong to.
    identity: Option<Identity>,
    next_sequence: i32,
    /// The last batch whose number leads nowhere: those behind it wait for a new epoch.
    hole: Option<u64>,
    /// A batch of its identity is there. Before that a broker takes any number for the first, so only one is sent.
    is_established: bool,
    /// Who has what is on its way.
    broker: BrokerId,
    is_ready: bool,
    not_before: Moment,
    failures: u32,
    timer: Option<Moment>,
    /// Everything that is in it is to be sent without lingering.
    is_flushed: bool,
}

struct Open {
    builder: Builder,
    created: Moment,
    fate: Arc<Fate>,
    /// What the records take of the producer's memory.
    charged: usize,
}

struct Closed {
    number: u64,
    batch: batch::Batch,
    created: Moment,
    fate: Arc<Fate>,
    charged: usize,
    /// The number that its first record has, once it was sent.
    sequence: Option<i32>,
    /// It was sent, and no answer said that it isn't there.
    is_unknown: bool,
    /// The same before it was sent the last time: an answer speaks of that time alone.
    was_unknown: bool,
    /// One that was sent behind it is there.
    is_overtaken: bool,
    last_reason: String,
}

/// A record, as it is put into a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) timestamp: Timestamp,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) headers: &'a [(&'a [u8], Option<&'a [u8]>)],
}

impl Fields<'_> {
    /// At most so many bytes in a batch.
    pub(crate) fn bytes(&self) -> usize {
        const NUMBERS: usize = 32;
        let field = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len) + 5;
        let headers = self.headers.iter().map(|(key, value)| field(Some(key)) + field(*value));
        NUMBERS + field(self.key) + field(self.value) + headers.sum::<usize>()
    }
}

impl Queues {
    pub(crate) fn new(rules: Rules) -> Queues {
        Queues {
            rules,
            identity: None,
            queues: Vec::new(),
            by_name: HashMap::new(),
            ready: VecDeque::new(),
            timers: BTreeSet::new(),
            next_number: 0,
            released: 0,
        }
    }

    /// From now on batches are numbered, or numbered anew: for partitions that wait for that, and for those of which nothing
    /// is under way in the old epoch.
    pub(crate) fn identify(&mut self, identity: Identity, now: Moment) {
        self.identity = Some(identity);
        for place in 0..self.queues.len() {
            let queue = &mut self.queues[place];
            if queue.wants_epoch() {
                let (lost, rest): (VecDeque<_>, VecDeque<_>) =
                    queue.waiting.drain(..).partition(|closed| closed.is_unknown);
                queue.waiting = rest;
                queue.waiting.iter_mut().for_each(|closed| closed.sequence = None);
                (queue.hole, queue.identity, queue.next_sequence) = (None, Some(identity), 0);
                queue.is_established = false;
                for closed in lost {
                    self.released += closed.charged;
                    closed.fate.settle(Err(DeliveryError::Unknown));
                }
            }
            self.look_again(QueueId(place), now);
        }
    }

    /// Who the producer is to the cluster.
    pub(crate) fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// Whether a partition waits for a new epoch, and nothing of it is on its way.
    pub(crate) fn wants_epoch(&self) -> bool {
        self.queues.iter().any(Queue::wants_epoch)
    }

    /// Puts a record into its partition's open batch, or a new one. Whether the driver should look: there is something to
    /// send, or to wait for, that there was not before.
    pub(crate) fn push(
        &mut self,
        topic: &str,
        partition: PartitionIndex,
        fields: Fields<'_>,
        now: Moment,
    ) -> (Delivery, bool) {
        let id = self.queue(topic, partition);
        let (bytes, limit) = (fields.bytes(), self.rules.batch_bytes);
        let mut wakes = false;
        let is_full = |open: &Open| open.builder.byte_length() + bytes > limit;
        if self.queues[id.0].open.as_ref().is_some_and(is_full) {
            self.close(id);
            wakes = true;
        }
        let queue = &mut self.queues[id.0];
        let open = queue.open.get_or_insert_with(|| {
            wakes = true;
            let fate = Fate::new(queue.topic.clone(), partition);
            Open { builder: Builder::new(), created: now, fate, charged: 0 }
        });
        let index = open.builder.count();
        open.builder.push(fields.timestamp, fields.key, fields.value, fields.headers);
        open.charged += bytes;
        let delivery = Delivery { fate: open.fate.clone(), index };
        if open.builder.byte_length() >= limit {
            self.close(id);
            wakes = true;
        }
        if wakes {
            self.look_again(id, now);
        }
        (delivery, wakes)
    }

    fn queue(&mut self, topic: &str, partition: PartitionIndex) -> QueueId {
        let place = usize::try_from(partition.0).expect("whoever calls has looked");
        if let Some(id) = self.by_name.get(topic).and_then(|known| *known.get(place)?) {
            return id;
        }
        let name = self.by_name.get_key_value(topic).map_or_else(|| Arc::from(topic), |(name, _)| name.clone());
        let known = self.by_name.entry(name.clone()).or_default();
        if known.len() <= place {
            known.resize(place + 1, None);
        }
        let id = QueueId(self.queues.len());
        known[place] = Some(id);
        self.queues.push(Queue {
            topic: name,
            partition,
            open: None,
            waiting: VecDeque::new(),
            sent: VecDeque::new(),
            identity: None,
            next_sequence: 0,
            hole: None,
            is_established: false,
            broker: BrokerId::NONE,
            is_ready: false,
            not_before: Moment::from_nanos(0),
            failures: 0,
            timer: None,
            is_flushed: false,
        });
        id
    }

    /// Where a queue's batches go.
    pub(crate) fn place(&self, id: QueueId) -> (&Arc<str>, PartitionIndex) {
        let queue = &self.queues[id.0];
        (&queue.topic, queue.partition)
    }

    fn close(&mut self, id: QueueId) {
        let queue = &mut self.queues[id.0];
        let Some(Open { builder, created, fate, charged }) = queue.open.take() else { return };
        queue.is_flushed = false;
        let batch = builder.build().expect("an open batch has a record");
        let batch = batch.compressed(self.rules.compression);
        self.next_number += 1;
        queue.waiting.push_back(Closed {
            number: self.next_number,
            batch,
            created,
            fate,
            charged,
            sequence: None,
            is_unknown: false,
            was_unknown: false,
            is_overtaken: false,
            last_reason: "it was not sent yet".to_owned(),
        });
    }

    /// Everything that is in the queues now goes without lingering. What is not settled.
    pub(crate) fn flush(&mut self, now: Moment) -> Vec<Arc<Fate>> {
        let mut unsettled = Vec::new();
        for place in 0..self.queues.len() {
            let queue = &mut self.queues[place];
            let closed = queue.waiting.iter().chain(&queue.sent).map(|closed| &closed.fate);
            unsettled.extend(closed.chain(queue.open.iter().map(|open| &open.fate)).cloned());
            queue.is_flushed = queue.open.is_some();
            self.look_again(QueueId(place), now);
        }
        unsettled
    }

    /// The partitions to look at now. What has waited too long is given up on the way.
    pub(crate) fn due(&mut self, now: Moment) -> Vec<QueueId> {
        while let Some(&(at, id)) = self.timers.first()
            && at <= now
        {
            self.timers.remove(&(at, id));
            self.queues[id.0].timer = None;
            self.expire(id, now);
            self.look_again(id, now);
        }
        let due: Vec<QueueId> = self.ready.drain(..).collect();
        due.iter().for_each(|id| self.queues[id.0].is_ready = false);
        due
    }

    /// When to look next, if nothing happens before.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// To be looked at at the next [`Queues::due`]: its leader was not known, or was busy.
    pub(crate) fn put_back(&mut self, id: QueueId) {
        if !std::mem::replace(&mut self.queues[id.0].is_ready, true) {
            self.ready.push_back(id);
        }
    }

    /// The next batch of a partition, if there is one that may be sent to a broker now.
    pub(crate) fn take(&mut self, id: QueueId, broker: BrokerId, now: Moment) -> Option<Outgoing> {
        if self.queues[id.0].waiting.is_empty() && self.is_ripe(id, now) {
            self.close(id);
        }
        // Two brokers may answer in any order.
        let elsewhere = self.queues[id.0].broker != broker && !self.queues[id.0].sent.is_empty();
        if !self.is_sendable(id, now) {
            // It may have been closed just now, and then there is another time to wait for.
            self.look_again(id, now);
            return None;
        }
        if elsewhere {
            return None;
        }
        let identity = self.identity;
        let queue = &mut self.queues[id.0];
        let mut closed = queue.waiting.pop_front().expect("there is one to send");
        if let (Some(identity), None) = (identity, closed.sequence) {
            if queue.sent.is_empty() && queue.identity != Some(identity) {
                (queue.identity, queue.next_sequence, queue.is_established) = (Some(identity), 0, false);
            }
            let Identity { id, epoch } = queue.identity.expect("it has one since it sends");
            closed.sequence = Some(queue.next_sequence);
            closed.batch.number(id, epoch, queue.next_sequence);
            queue.next_sequence = sequence_after(queue.next_sequence, closed.batch.header().count());
        }
        (closed.was_unknown, closed.is_unknown, queue.broker) = (closed.is_unknown, true, broker);
        let outgoing = Outgoing { queue: id, number: closed.number, batch: closed.batch.clone() };
        queue.sent.push_back(closed);
        self.look_again(id, now);
        Some(outgoing)
    }

    fn is_ripe(&self, id: QueueId, now: Moment) -> bool {
        let queue = &self.queues[id.0];
        let lingered = |open: &Open| queue.is_flushed || open.created + self.rules.linger <= now;
        queue.open.as_ref().is_some_and(lingered)
    }

    fn is_sendable(&self, id: QueueId, now: Moment) -> bool {
        let queue = &self.queues[id.0];
        let Some(first) = queue.waiting.front() else { return false };
        let is_again = first.was_sent();
        let in_order = queue.sent.is_empty() || !(is_again || self.identity.is_some() && !queue.is_established);
        let is_before_the_hole = queue.hole.is_none_or(|hole| first.number < hole);
        queue.not_before <= now && is_before_the_hole && in_order && queue.sent.len() < self.rules.in_flight_max
    }

    /// What came of a batch.
    pub(crate) fn done(&mut self, id: QueueId, number: u64, outcome: Outcome, now: Moment) {
        let is_numbered = self.identity.is_some();
        let queue = &mut self.queues[id.0];
        let Some(place) = queue.sent.iter().position(|sent| sent.number == number) else { return };
        let mut closed = queue.sent.remove(place).expect("it was found");
        let is_first = place == 0 && queue.waiting.front().is_none_or(|waiting| waiting.number > number);
        match outcome {
            Outcome::Stored(stored) => {
                (queue.failures, self.released) = (0, self.released + closed.charged);
                queue.is_established = true;
                let before = queue.waiting.iter_mut().chain(&mut queue.sent).filter(|other| other.number < number);
                before.for_each(|other| other.is_overtaken = true);
                closed.fate.settle(Ok(stored));
            }
            Outcome::Refused(code, message) => {
                self.released += closed.charged;
                queue.break_numbers(number, is_numbered);
                let is_certain = !closed.was_unknown && code != ErrorCode::UnknownServerError;
                let refused = DeliveryError::Refused { code, message };
                closed.fate.settle(Err(if is_certain { refused } else { DeliveryError::Unknown }));
            }
            Outcome::Again(reason) => {
                (closed.is_unknown, closed.last_reason) = (closed.was_unknown, reason);
                self.again(id, closed, now);
            }
            Outcome::Unknown(reason) => {
                closed.last_reason = reason;
                self.again(id, closed, now);
            }
            // Its place is taken: it would come behind what was sent after it.
            Outcome::Renumber(code) if closed.is_overtaken => {
                self.released += closed.charged;
                let message = "records that were sent behind it are there already".to_owned();
                let refused = DeliveryError::Refused { code, message };
                closed.fate.settle(Err(if closed.was_unknown { DeliveryError::Unknown } else { refused }));
            }
            Outcome::Renumber(code) => {
                (closed.is_unknown, closed.last_reason) = (closed.was_unknown, code.to_string());
                // Behind one that is not there it says nothing: they are sent again in order.
                if is_first {
                    queue.break_numbers(number.saturating_sub(1), is_numbered);
                }
                self.again(id, closed, now);
            }
        }
        self.look_again(id, now);
    }

    /// Back to its place among those that wait, for later.
    fn again(&mut self, id: QueueId, closed: Closed, now: Moment) {
        let queue = &mut self.queues[id.0];
        let place = queue.waiting.iter().position(|waiting| waiting.number > closed.number);
        queue.waiting.insert(place.unwrap_or(queue.waiting.len()), closed);
        self.postpone(id, now);
    }

    /// Nothing of it is sent for a while, which grows from time to time until something is stored.
    pub(crate) fn postpone(&mut self, id: QueueId, now: Moment) {
        const PAUSE_FIRST: Duration = Duration::from_millis(100);
        const PAUSE_MOST: Duration = Duration::from_secs(1);
        if self.queues[id.0].open.as_ref().is_some_and(|open| open.created + self.rules.linger <= now) {
            self.close(id);
        }
        let queue = &mut self.queues[id.0];
        queue.not_before = now + PAUSE_FIRST.saturating_mul(1 << queue.failures.min(8)).min(PAUSE_MOST);
        queue.failures = queue.failures.saturating_add(1);
        self.look_again(id, now);
    }

    /// What waits in it will never be taken, nor what still gathers.
    pub(crate) fn refuse(&mut self, id: QueueId, code: ErrorCode, message: &str) {
        self.close(id);
        let is_numbered = self.identity.is_some();
        let queue = &mut self.queues[id.0];
        for closed in queue.waiting.drain(..) {
            self.released += closed.charged;
            let (number, may_be_there) = (closed.number, closed.is_unknown);
            let refused = DeliveryError::Refused { code, message: message.to_owned() };
            closed.fate.settle(Err(if may_be_there { DeliveryError::Unknown } else { refused }));
            if closed.sequence.is_some() {
                queue.hole = queue.hole.max(is_numbered.then_some(number));
            }
        }
    }

    /// Gives up what has waited too long.
    fn expire(&mut self, id: QueueId, now: Moment) {
        let is_numbered = self.identity.is_some();
        let patience = self.rules.delivery_timeout;
        let too_old = |created: Moment| created + patience <= now;
        if self.queues[id.0].open.as_ref().is_some_and(|open| too_old(open.created)) {
            self.close(id);
        }
        let queue = &mut self.queues[id.0];
        while queue.waiting.front().is_some_and(|first| too_old(first.created)) {
            let closed = queue.waiting.pop_front().expect("it was there");
            self.released += closed.charged;
            // It may be there, or not: either way its number is used up.
            queue.break_numbers(closed.number, is_numbered && closed.sequence.is_some());
            closed.fate.settle(Err(DeliveryError::TimedOut { reason: closed.last_reason }));
        }
    }

    /// Notes when a queue has something to do next.
    fn look_again(&mut self, id: QueueId, now: Moment) {
        if self.is_sendable(id, now) || (self.queues[id.0].waiting.is_empty() && self.is_ripe(id, now)) {
            self.put_back(id);
        }
        let queue = &self.queues[id.0];
        let oldest =
            queue.waiting.front().map(|closed| closed.created).or(queue.open.as_ref().map(|open| open.created));
        let expiry = oldest.map(|created| created + self.rules.delivery_timeout);
        let lingers =
            queue.open.as_ref().filter(|_| queue.waiting.is_empty()).map(|open| open.created + self.rules.linger);
        let pause = (!queue.waiting.is_empty()).then_some(queue.not_before);
        let next = [lingers, pause].into_iter().flatten().filter(|at| *at > now).chain(expiry).min();
        if queue.timer != next {
            if let Some(before) = self.queues[id.0].timer.take() {
                self.timers.remove(&(before, id));
            }
            self.queues[id.0].timer = next;
            self.timers.extend(next.map(|at| (at, id)));
        }
    }

    /// Bytes of records whose memory is free again since the last time.
    pub(crate) fn released(&mut self) -> usize {
        std::mem::take(&mut self.released)
    }

    /// Whether nothing waits and nothing is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.iter().all(|queue| queue.open.is_none() && queue.waiting.is_empty() && queue.sent.is_empty())
    }

    /// Gives everything up.
    pub(crate) fn abandon(&mut self, error: &DeliveryError) {
        for queue in &mut self.queues {
            let open = queue.open.take().map(|open| (open.fate, open.charged));
            let closed =
                queue.waiting.drain(..).chain(queue.sent.drain(..)).map(|closed| (closed.fate, closed.charged));
            for (fate, charged) in closed.chain(open) {
                self.released += charged;
                fate.settle(Err(error.clone()));
            }
        }
    }
}

impl Queue {
    /// The number of a batch leads nowhere.
    fn break_numbers(&mut self, number: u64, is_numbered: bool) {
        self.hole = self.hole.max(is_numbered.then_some(number));
    }

    /// Whether nothing of the old epoch is to come any more.
    fn wants_epoch(&self) -> bool {
        let Some(hole) = self.hole else { return false };
        self.sent.is_empty() && self.waiting.front().is_none_or(|first| first.number >= hole)
    }
}

impl Closed {
    /// Whether it was sent before: it keeps its place.
    fn was_sent(&self) -> bool {
        self.sequence.is_some() || self.is_unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::Offset;

    const LINGER: Duration = Duration::from_millis(5);
    const TIMEOUT: Duration = Duration::from_secs(10);

    fn at(millis: u64) -> Moment {
        Moment::from_nanos(1_000_000_000) + Duration::from_millis(millis)
    }

    /// Batches of one record each, two of a partition in flight.
    fn queues() -> Queues {
        let compression = Compression::None;
        let rules = Rules { linger: LINGER, batch_bytes: 1, in_flight_max: 2, delivery_timeout: TIMEOUT, compression };
        let mut queues = Queues::new(rules);
        queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(0) }, at(0));
        queues
    }

    fn push_first(queues: &mut Queues, partition: i32, now: Moment) -> Delivery {
        let fields = Fields { timestamp: Timestamp::from_millis(0), key: None, value: Some(b"v"), headers: &[] };
        queues.push("t", PartitionIndex(partition), fields, now).0
    }

    /// To a partition that knows the producer already.
    fn push(queues: &mut Queues, partition: i32, now: Moment) -> Delivery {
        let (id, identity) = (queues.queue("t", PartitionIndex(partition)), queues.identity);
        let queue = &mut queues.queues[id.0];
        if queue.identity.is_none() {
            (queue.identity, queue.is_established) = (identity, true);
        }
        push_first(queues, partition, now)
    }

    /// What may be sent: partition, number of the batch, epoch and first sequence number.
    fn sendable(queues: &mut Queues, now: Moment) -> Vec<(i32, u64, i16, i32)> {
        let mut taken = Vec::new();
        loop {
            let due = queues.due(now);
            if due.is_empty() {
                return taken;
            }
            for id in due {
                if let Some(outgoing) = queues.take(id, BrokerId(1), now) {
                    let header = outgoing.batch.header();
                    let place = queues.place(id).1.0;
                    taken.push((place, outgoing.number, header.producer_epoch().0, header.base_sequence()));
                }
            }
        }
    }

    fn first() -> QueueId {
        QueueId(0)
    }

    fn stored(base: i64) -> Outcome {
        Outcome::Stored(Stored { base: Offset(base), append_time: Timestamp::NONE })
    }

    fn again() -> Outcome {
        Outcome::Again("not the leader".to_owned())
    }

    #[test]
    fn a_batch_waits_for_more_until_it_is_full_or_has_lingered() {
        let mut queues = queues();
        queues.rules.batch_bytes = 200;
        let small = push(&mut queues, 0, at(0));
        assert_eq!(sendable(&mut queues, at(4)), []);
        assert_eq!(queues.deadline(), Some(at(5)));
        assert_eq!(push(&mut queues, 0, at(4)).index, 1);
        assert_eq!(sendable(&mut queues, at(5)), [(0, 1, 0, 0)]);
        queues.done(first(), 1, stored(40), at(6));
        assert_eq!(small.told().unwrap().unwrap().offset, Offset(40));
        // Full before its time.
        (0..20).for_each(|_| drop(push(&mut queues, 0, at(7))));
        assert_eq!(sendable(&mut queues, at(7)), [(0, 2, 0, 2)]);
        assert!(queues.released() > 0);
    }

    #[test]
    fn what_is_sent_again_keeps_its_number_and_its_place() {
        let mut queues = queues();
        let deliveries: Vec<_> = (0..3).map(|_| push(&mut queues, 0, at(0))).collect();
        assert_eq!(sendable(&mut queues, at(0)), [(0, 1, 0, 0), (0, 2, 0, 1)]);
        queues.done(first(), 1, again(), at(1));
        // The third would overtake it, and so would it the second.
        assert_eq!(sendable(&mut queues, at(500)), []);
        queues.done(first(), 2, Outcome::Renumber(ErrorCode::OutOfOrderSequenceNumber), at(500));
        assert!(!queues.wants_epoch(), "of course it is out of order: the first is missing");
        assert_eq!(sendable(&mut queues, at(1_000)), [(0, 1, 0, 0)]);
        queues.done(first(), 1, stored(0), at(1_000));
        assert_eq!(sendable(&mut queues, at(1_000)), [(0, 2, 0, 1), (0, 3, 0, 2)]);
        queues.done(first(), 2, stored(1), at(1_000));
        queues.done(first(), 3, stored(2), at(1_000));
        assert!(queues.is_empty());
        let offsets = deliveries.iter().map(|delivery| delivery.told().unwrap().unwrap().offset.0);
        assert_eq!(offsets.collect::<Vec<_>>(), [0, 1, 2]);
    }

    // A broker takes any number for the first of a producer that it doesn't know: the second must not come before it.
    #[test]
    fn nothing_follows_the_first_batch_before_it_is_there() {
        let mut queues = queues();
        drop((push_first(&mut queues, 0, at(0)), push_first(&mut queues, 0, at(0))));
        assert_eq!(sendable(&mut queues, at(0)), [(0, 1, 0, 0)]);
        queues.done(first(), 1, again(), at(0));
        assert_eq!(sendable(&mut queues, at(100)), [(0, 1, 0, 0)]);
        queues.done(first(), 1, stored(0), at(100));
        assert_eq!(sendable(&mut queues, at(100)), [(0, 2, 0, 1)]);
    }

    #[test]
    fn what_is_on_its_way_to_one_broker_is_not_followed_to_another() {
        let mut queues = queues();
        drop((push(&mut queues, 0, at(0)), push(&mut queues, 0, at(0))));
        assert!(queues.take(first(), BrokerId(1), at(0)).is_some());
        assert!(queues.take(first(), BrokerId(2), at(0)).is_none());
        queues.done(first(), 1, stored(0), at(0));
        assert!(queues.take(first(), BrokerId(2), at(0)).is_some());
    }

    // An answer speaks of one time that it was sent: what may be there from before may be there still.
    #[test]
    fn that_it_may_be_there_is_not_forgotten_over_a_later_answer() {
        let mut queues = queues();
        let deliveries = [push(&mut queues, 0, at(0)), push(&mut queues, 0, at(0))];
        assert_eq!(sendable(&mut queues, at(0)).len(), 2);
        queues.done(first(), 2, stored(1), at(0));
        queues.done(first(), 1, Outcome::Unknown("cut off".to_owned()), at(0));
        assert_eq!(sendable(&mut queues, at(100)), [(0, 1, 0, 0)]);
        queues.done(first(), 1, again(), at(100));
        assert_eq!(sendable(&mut queues, at(1_000)), [(0, 1, 0, 0)]);
        queues.done(first(), 1, Outcome::Renumber(ErrorCode::OutOfOrderSequenceNumber), at(1_000));
        assert_eq!(deliveries[0].told(), Some(Err(DeliveryError::Unknown)), "never behind the second, never twice");
        assert!(!queues.wants_epoch() && queues.is_empty());
    }

    #[test]
    fn what_was_sent_before_a_refused_batch_goes_on_in_its_epoch() {
        let mut queues = queues();
        let deliveries = [push(&mut queues, 0, at(0)), push(&mut queues, 0, at(0)), push(&mut queues, 0, at(0))];
        assert_eq!(sendable(&mut queues, at(0)).len(), 2);
        queues.done(first(), 1, Outcome::Unknown("cut off".to_owned()), at(0));
        queues.done(first(), 2, Outcome::Refused(ErrorCode::MessageTooLarge, String::new()), at(0));
        assert!(!queues.wants_epoch());
        assert_eq!(sendable(&mut queues, at(100)), [(0, 1, 0, 0)]);
        queues.done(first(), 1, stored(0), at(100));
        assert!(queues.wants_epoch());
        queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(1) }, at(100));
        assert_eq!(sendable(&mut queues, at(100)), [(0, 3, 1, 0)]);
        assert!(deliveries[0].told().unwrap().is_ok());
    }

    #[test]
    fn a_partition_that_fails_pauses_longer_each_time_and_holds_no_other_up() {
        let mut queues = queues();
        drop((push(&mut queues, 0, at(0)), push(&mut queues, 1, at(0))));
        assert_eq!(sendable(&mut queues, at(0)), [(0, 1, 0, 0), (1, 2, 0, 0)]);
        queues.done(first(), 1, again(), at(0));
        assert_eq!(queues.deadline(), Some(at(100)));
        assert_eq!(sendable(&mut queues, at(100)).len(), 1);
        queues.done(first(), 1, again(), at(100));
        assert_eq!(sendable(&mut queues, at(299)), []);
        assert_eq!(sendable(&mut queues, at(300)).len(), 1);
        drop(push(&mut queues, 1, at(300)));
        assert_eq!(sendable(&mut queues, at(300)), [(1, 3, 0, 1)]);
    }

    // KIP-360: the numbers of a new epoch begin at 0, and other partitions go on in theirs.
    #[test]
    fn behind_a_refused_batch_the_numbers_begin_anew() {
        let mut queues = queues();
        let deliveries: Vec<_> = (0..3).map(|_| push(&mut queues, 0, at(0))).collect();
        drop(push(&mut queues, 1, at(0)));
        assert_eq!(sendable(&mut queues, at(0)).len(), 3);
        queues.done(first(), 1, Outcome::Refused(ErrorCode::InvalidRecord, String::new()), at(0));
        assert!(!queues.wants_epoch(), "the second is still on its way");
        assert_eq!(sendable(&mut queues, at(1)), []);
        queues.done(first(), 2, Outcome::Renumber(ErrorCode::OutOfOrderSequenceNumber), at(1));
        assert!(queues.wants_epoch());
        queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(1) }, at(1));
        assert_eq!(sendable(&mut queues, at(1_000)), [(0, 2, 1, 0)], "the first of its epoch goes alone");
        drop(push(&mut queues, 1, at(1_000)));
        assert_eq!(sendable(&mut queues, at(1_000)), [(1, 5, 0, 1)], "its first is on its way in the old epoch");
        assert!(matches!(deliveries[0].told(), Some(Err(DeliveryError::Refused { .. }))));
        assert_eq!(deliveries[1].told(), None);
    }

    // In a new epoch the broker would not recognise it, and have it twice.
    #[test]
    fn what_may_be_there_already_is_never_numbered_anew() {
        let mut queues = queues();
        let deliveries: Vec<_> = (0..2).map(|_| push(&mut queues, 0, at(0))).collect();
        assert_eq!(sendable(&mut queues, at(0)).len(), 2);
        queues.done(first(), 2, Outcome::Unknown("cut off".to_owned()), at(0));
        queues.done(first(), 1, Outcome::Refused(ErrorCode::InvalidRecord, String::new()), at(0));
        queues.identify(Identity { id: ProducerId(7), epoch: ProducerEpoch(1) }, at(0));
        assert_eq!(deliveries[1].told(), Some(Err(DeliveryError::Unknown)));
        assert!(queues.is_empty());
    }

    #[test]
    fn what_takes_too_long_is_given_up_and_its_memory_is_free() {
        let mut queues = queues();
        let (sent, waits) = (push(&mut queues, 0, at(0)), push(&mut queues, 1, at(1)));
        let charged = 2 * Fields { timestamp: Timestamp::NONE, key: None, value: Some(b"v"), headers: &[] }.bytes();
        assert_eq!(sendable(&mut queues, at(0)), [(0, 1, 0, 0), (1, 2, 0, 0)]);
        queues.done(QueueId(0), 1, Outcome::Unknown("cut off".to_owned()), at(9_000));
        queues.done(QueueId(1), 2, again(), at(9_000));
        assert_eq!(queues.due(at(10_000)).len(), 1, "the other has a millisecond left");
        assert_eq!(sent.told(), Some(Err(DeliveryError::TimedOut { reason: "cut off".to_owned() })));
        assert_eq!(waits.told(), None);
        queues.due(at(10_001));
        assert!(matches!(waits.told(), Some(Err(DeliveryError::TimedOut { .. }))));
        assert_eq!((queues.released(), queues.is_empty()), (charged, true));
        assert!(queues.wants_epoch(), "both numbers are used up");
    }

    #[test]
    fn what_has_no_leader_waits_and_what_never_will_have_one_is_told_so() {
        let mut queues = queues();
        let deliveries = [push(&mut queues, 0, at(0)), push(&mut queues, 1, at(0))];
        assert_eq!(queues.due(at(0)).len(), 2);
        queues.postpone(QueueId(0), at(0));
        queues.refuse(QueueId(1), ErrorCode::TopicAuthorizationFailed, "topic t");
        assert!(matches!(deliveries[1].told(), Some(Err(DeliveryError::Refused { .. }))));
        assert_eq!((deliveries[0].told(), queues.deadline()), (None, Some(at(100))));
        assert_eq!(sendable(&mut queues, at(99)), []);
        assert_eq!(sendable(&mut queues, at(100)), [(0, 1, 0, 0)]);
        assert!(queues.released() > 0);
    }

    #[test]
    fn a_batch_that_closes_in_a_pause_is_sent_behind_it() {
        let mut queues = queues();
        queues.rules.batch_bytes = 1_000;
        drop(push(&mut queues, 0, at(0)));
        queues.postpone(first(), at(0));
        assert_eq!(sendable(&mut queues, at(5)), []);
        assert_eq!(queues.deadline(), Some(at(100)));
        assert_eq!(sendable(&mut queues, at(100)), [(0, 1, 0, 0)]);
    }

    #[test]
    fn a_flush_sends_what_lingers_and_nothing_that_comes_later() {
        let mut queues = queues();
        queues.rules.batch_bytes = 1_000;
        drop(push(&mut queues, 0, at(0)));
        assert_eq!(queues.flush(at(1)).len(), 1);
        assert_eq!(sendable(&mut queues, at(1)), [(0, 1, 0, 0)]);
        drop(push(&mut queues, 0, at(1)));
        assert_eq!(sendable(&mut queues, at(2)), []);
    }

    #[test]
    fn sequence_numbers_begin_again_behind_the_largest() {
        let mut queues = queues();
        drop(push(&mut queues, 0, at(0)));
        assert_eq!(sendable(&mut queues, at(0)).len(), 1);
        queues.done(first(), 1, stored(0), at(0));
        queues.queues[0].next_sequence = i32::MAX;
        drop((push(&mut queues, 0, at(0)), push(&mut queues, 0, at(0))));
        assert_eq!(sendable(&mut queues, at(0)), [(0, 2, 0, i32::MAX), (0, 3, 0, 0)]);
    }
}
