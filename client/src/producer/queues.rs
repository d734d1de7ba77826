//! What waits to be sent, and what was sent and is not answered: by partition, in order. Pure: time comes in by the door.
//!
//! Records gather in a partition's open batch until it is full or has lingered. A closed batch is numbered, if the producer
//! is idempotent, when it is first sent, and keeps its number whenever it is sent again; it is sent again only when nothing
//! of its partition is on its way, so that order holds. Where a number was given and its batch will never be stored, the
//! numbers behind it lead nowhere: the partition then waits for a new epoch, in which they begin at 0 (KIP-360).
//!
//! What is on its way when its time is over stays there until its answer: its records are told, but only the answer says whether
//! its number leads nowhere.
//!
//! A batch that is too long for the broker is cut in two. Its records keep their numbers, which the broker has not used: so no number
//! leads nowhere, and if it has used them after all it refuses the pieces, and nothing is there twice.

mod cut;
mod idle;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use thalweg_wire::batch::{self, Builder};
use thalweg_wire::producers::sequence_after;
use thalweg_wire::{BrokerId, ErrorCode, Moment, PartitionIndex, ProducerEpoch, ProducerId, Timestamp};

use super::fate::{Delivery, DeliveryError, Fate, Stored};
use cut::{Piece, halve};

/// When batches close, and how long they are tried.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) linger: Duration,
    pub(crate) batch_bytes: usize,
    pub(crate) in_flight_max: usize,
    pub(crate) delivery_timeout: Duration,
    /// A partition that got nothing for so long is forgotten.
    pub(crate) max_idle: Duration,
}

/// An idempotent producer as the cluster knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Identity {
    pub(crate) id: ProducerId,
    pub(crate) epoch: ProducerEpoch,
}

/// A partition's queue: its place, and how many were forgotten there before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct QueueId(usize, u32);

/// A batch that was given out to be sent. It is not compressed yet: that takes time, and all who send wait for the queues.
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
    /// It isn't there, and its records could be in shorter batches.
    TooLong(ErrorCode, String),
    /// It isn't there, and never will be.
    Refused(ErrorCode, String),
}

/// All partitions that were written to.
pub(crate) struct Queues {
    rules: Rules,
    /// `None`: not idempotent.
    identity: Option<Identity>,
    /// By place.
    queues: Vec<Queue>,
    /// Places of partitions that were forgotten.
    vacant: Vec<usize>,
    /// The identity in which numbers were forgotten last.
    forgotten: Option<Identity>,
    /// When idle partitions are looked for next.
    sweep: Moment,
    by_name: HashMap<Arc<str>, Vec<Option<QueueId>>>,
    /// Those that may have something to send, each once, who waits longest first.
    ready: VecDeque<QueueId>,
    /// When each is to be looked at next.
    timers: BTreeSet<(Moment, QueueId)>,
    /// The number of the next batch that is closed.
    next_number: u64,
    /// Bytes of records whose memory is free again.
    released: usize,
}

struct Queue {
    /// How many had its place before.
    turn: u32,
    /// When the last record came; `None`: it is nobody's place.
    used: Option<Moment>,
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
    /// Its batches close at so many bytes: fewer than the rules say once one was too long.
    batch_bytes: usize,
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
    /// How many records were closed before its first: in order, with room for the pieces that it may be cut into.
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
    /// The shortest there is.
    pub(crate) const EMPTY: Fields<'static> =
        Fields { timestamp: Timestamp::NONE, key: None, value: None, headers: &[] };

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
            vacant: Vec::new(),
            forgotten: None,
            sweep: Moment::from_nanos(0),
            by_name: HashMap::new(),
            ready: VecDeque::new(),
            timers: BTreeSet::new(),
            next_number: 1,
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
            self.look_again(QueueId(place, self.queues[place].turn), now);
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
        let id = self.queue(topic, partition, now);
        self.queues[id.0].used = Some(now);
        let (bytes, limit) = (fields.bytes(), self.queues[id.0].batch_bytes);
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

    fn queue(&mut self, topic: &str, partition: PartitionIndex, now: Moment) -> QueueId {
        let place = usize::try_from(partition.0).expect("whoever calls has looked");
        if let Some(id) = self.by_name.get(topic).and_then(|known| *known.get(place)?) {
            return id;
        }
        let name = self.by_name.get_key_value(topic).map_or_else(|| Arc::from(topic), |(name, _)| name.clone());
        let id = self.add(name.clone(), partition, now);
        let known = self.by_name.entry(name).or_default();
        if known.len() <= place {
            known.resize(place + 1, None);
        }
        known[place] = Some(id);
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
        let number = self.next_number;
        self.next_number += u64::from(batch.header().count().unsigned_abs());
        queue.waiting.push_back(Closed {
            number,
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
            self.look_again(QueueId(place, self.queues[place].turn), now);
        }
        unsettled
    }

    /// The partitions to look at now. What has waited too long is given up on the way. One may be forgotten before whoever asks
    /// comes back to it.
    pub(crate) fn due(&mut self, now: Moment) -> Vec<QueueId> {
        self.forget_idle(now);
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
        if self.is_known(id) && !std::mem::replace(&mut self.queues[id.0].is_ready, true) {
            self.ready.push_back(id);
        }
    }

    /// The next batch of a partition, if there is one that may be sent to a broker now.
    pub(crate) fn take(&mut self, id: QueueId, broker: BrokerId, now: Moment) -> Option<Outgoing> {
        if !self.is_known(id) {
            return None;
        }
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
            _ if closed.fate.is_settled() => {
                self.released += closed.charged;
                queue.break_numbers(number, is_numbered);
            }
            Outcome::TooLong(..) if closed.batch.header().count() > 1 => self.halve(id, &closed),
            Outcome::TooLong(code, message) | Outcome::Refused(code, message) => {
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

    /// Puts its records back to their place in two batches, as if it had never been sent.
    fn halve(&mut self, id: QueueId, closed: &Closed) {
        let queue = &mut self.queues[id.0];
        queue.batch_bytes = queue.batch_bytes.min(closed.batch.byte_length() / 2);
        let place = queue.waiting.iter().position(|waiting| waiting.number > closed.number);
        let behind = queue.waiting.split_off(place.unwrap_or(queue.waiting.len()));
        let header = closed.batch.header();
        let mut pieces = Vec::new();
        for Piece { mut batch, first, charged } in halve(&closed.batch) {
            let sequence = closed.sequence.map(|sequence| sequence_after(sequence, first));
            if let Some(sequence) = sequence {
                batch.number(header.producer_id(), header.producer_epoch(), sequence);
            }
            let fate = Fate::new(closed.fate.topic.clone(), closed.fate.partition);
            pieces.push((first, fate.clone()));
            queue.waiting.push_back(Closed {
                number: closed.number + u64::from(first.unsigned_abs()),
                batch,
                created: closed.created,
                fate,
                charged,
                sequence,
                is_unknown: closed.was_unknown,
                was_unknown: false,
                is_overtaken: closed.is_overtaken,
                last_reason: "it was too long, and is sent in two batches".to_owned(),
            });
        }
        queue.waiting.extend(behind);
        closed.fate.cut(pieces);
    }

    /// Back to its place among those that wait, for later.
    fn again(&mut self, id: QueueId, closed: Closed, now: Moment) {
        let queue = &mut self.queues[id.0];
        let place = queue.waiting.iter().position(|waiting| waiting.number > closed.number);
        queue.waiting.insert(place.unwrap_or(queue.waiting.len()), closed);
        self.pause(id, now);
    }

    /// What waits in it can't be sent now, for this reason: not for a while.
    pub(crate) fn postpone(&mut self, id: QueueId, reason: &str, now: Moment) {
        if !self.is_known(id) {
            return;
        }
        self.queues[id.0].waiting.iter_mut().for_each(|closed| reason.clone_into(&mut closed.last_reason));
        self.pause(id, now);
    }

    /// Nothing of it is sent for a while, which grows from time to time until something is stored.
    fn pause(&mut self, id: QueueId, now: Moment) {
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

    /// The same of all queues.
    pub(crate) fn refuse_all(&mut self, code: ErrorCode, message: &str) {
        (0..self.queues.len()).for_each(|place| self.refuse(QueueId(place, self.queues[place].turn), code, message));
    }

    /// What waits in it will never be taken, nor what still gathers.
    pub(crate) fn refuse(&mut self, id: QueueId, code: ErrorCode, message: &str) {
        if !self.is_known(id) {
            return;
        }
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
        for sent in queue.sent.iter().filter(|sent| too_old(sent.created) && !sent.fate.is_settled()) {
            sent.fate.settle(Err(DeliveryError::TimedOut { reason: "it was sent, and no answer came yet".to_owned() }));
        }
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
        let untold = queue.sent.iter().find(|sent| !sent.fate.is_settled());
        let closed = untold.into_iter().chain(queue.waiting.front()).map(|closed| closed.created);
        let oldest = closed.chain(queue.open.as_ref().map(|open| open.created)).min();
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

    /// Whether there is nothing that is not settled.
    pub(crate) fn is_settled(&self) -> bool {
        let is_settled = |queue: &Queue| queue.sent.iter().all(|sent| sent.fate.is_settled());
        self.queues.iter().all(|queue| queue.open.is_none() && queue.waiting.is_empty() && is_settled(queue))
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
    fn new(topic: Arc<str>, partition: PartitionIndex, batch_bytes: usize, turn: u32) -> Queue {
        Queue {
            turn,
            used: None,
            topic,
            partition,
            open: None,
            waiting: VecDeque::new(),
            sent: VecDeque::new(),
            identity: None,
            next_sequence: 0,
            batch_bytes,
            hole: None,
            is_established: false,
            broker: BrokerId::NONE,
            is_ready: false,
            not_before: Moment::from_nanos(0),
            failures: 0,
            timer: None,
            is_flushed: false,
        }
    }

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
mod tests;
