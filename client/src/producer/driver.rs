//! Sends what the queues give, and tells them what came of it: the only place of the producer that awaits brokers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use thalweg_messages::init_producer_id::InitProducerIdRequest;
use thalweg_messages::produce::{
    ProducePartition, ProducePartitionResponse, ProduceRequest, ProduceResponse, ProduceTopic,
};
use thalweg_wire::batch::Compression;
use thalweg_wire::{BrokerId, ErrorCode, Moment, Offset, PartitionIndex, ProducerEpoch, ProducerId, Timestamp};
use thalweg_world::BoxFuture;

use super::fate::{DeliveryError, Stored};
use super::queues::{Identity, Outcome, Outgoing, QueueId};
use super::{Acks, Closing, Options, Shared};
use crate::backoff::Backoff;
use crate::cluster::{Client, ClientError, Purpose};
use crate::connection::{CallError, Connection};

/// The newest version that names topics instead of ids (KIP-516 begins with 13).
const PRODUCE_VERSION_MAX: i16 = 12;

pub(super) struct Driver {
    client: Client,
    options: Options,
    shared: Arc<Shared>,
    /// Its own connections.
    purpose: Purpose,
    brokers: HashMap<BrokerId, Broker>,
    /// Topics whose leaders are asked for, and who waits for the answer.
    parked: HashMap<Arc<str>, Crowd>,
    jobs: FuturesUnordered<BoxFuture<'static, Done>>,
    is_identifying: bool,
    backoff: Backoff,
}

/// A broker that leads something.
#[derive(Default)]
struct Broker {
    connection: Option<Connection>,
    is_connecting: bool,
    /// Requests that are not answered.
    in_flight: usize,
    /// Partitions that wait for a connection, or for an answer.
    blocked: Crowd,
}

/// Partitions that wait for something, each once, in the order in which they came.
#[derive(Default)]
struct Crowd {
    order: Vec<QueueId>,
    members: HashSet<QueueId>,
}

impl Crowd {
    fn join(&mut self, more: impl IntoIterator<Item = QueueId>) {
        for id in more {
            if self.members.insert(id) {
                self.order.push(id);
            }
        }
    }

    fn leave(&mut self) -> Vec<QueueId> {
        self.members.clear();
        std::mem::take(&mut self.order)
    }
}

/// However the driver ends, whoever waits is told.
struct End {
    client: Client,
    purpose: Purpose,
    shared: Arc<Shared>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.client.end(self.purpose);
        let mut queues = self.shared.queues();
        queues.abandon(&DeliveryError::Closed);
        self.shared.room.add_permits(queues.released());
        drop(queues);
        self.shared.closing.send_replace(Closing::Ended);
    }
}

/// What came to an end.
enum Done {
    Answered {
        broker: BrokerId,
        batches: Vec<Outgoing>,
        outcome: Result<Option<ProduceResponse>, CallError>,
    },
    Connected {
        broker: BrokerId,
        outcome: Result<Connection, CallError>,
    },
    Learned {
        topic: Arc<str>,
        outcome: Result<(), ClientError>,
    },
    Identified(Result<Identity, ClientError>),
    /// Behind a failure, before it is asked again.
    Paused,
}

impl Driver {
    pub(super) fn new(client: Client, options: Options, shared: Arc<Shared>) -> Driver {
        let (purpose, backoff) = (client.begin_produces(), client.backoff());
        Driver {
            client,
            options,
            shared,
            purpose,
            brokers: HashMap::new(),
            parked: HashMap::new(),
            jobs: FuturesUnordered::new(),
            is_identifying: false,
            backoff,
        }
    }

    pub(super) async fn run(mut self) {
        let _end = End { client: self.client.clone(), purpose: self.purpose, shared: self.shared.clone() };
        let mut closing = self.shared.closing.subscribe();
        loop {
            self.send_what_is_due();
            match *closing.borrow_and_update() {
                Closing::Open => {}
                Closing::Draining if !self.shared.queues().is_settled() => {}
                Closing::Draining | Closing::Abandoning | Closing::Ended => return,
            }
            let deadline = self.shared.queues().deadline();
            let clock = self.client.world().clock.clone();
            let sleep = async {
                match deadline {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(done) = self.jobs.next() => self.take_in(done),
                () = self.shared.wake.notified() => {}
                _ = closing.changed() => {}
                () = sleep => {}
            }
        }
    }

    fn now(&self) -> Moment {
        self.client.world().clock.now()
    }

    /// Gives every broker that can take it what there is for it.
    fn send_what_is_due(&mut self) {
        if self.options.is_idempotent && !self.is_identified() {
            // What waits too long is given up all the same.
            let now = self.now();
            let mut queues = self.shared.queues();
            let due = queues.due(now);
            due.into_iter().for_each(|id| queues.put_back(id));
            self.shared.room.add_permits(queues.released());
            return;
        }
        // Each round sends something, or has it wait for something: it ends.
        while self.send_a_round() {}
    }

    /// Whether there was anything to look at.
    fn send_a_round(&mut self) -> bool {
        let (now, mut by_broker) = (self.now(), HashMap::<BrokerId, Vec<QueueId>>::new());
        let shared = self.shared.clone();
        let mut queues = shared.queues();
        let due = queues.due(now);
        let is_something = !due.is_empty();
        for id in due {
            let (topic, partition) = queues.place(id);
            match self.client.known_leader(topic, partition) {
                Some(leader) => by_broker.entry(leader.broker).or_default().push(id),
                None => self.park(&topic.clone(), id),
            }
        }
        shared.room.add_permits(queues.released());
        drop(queues);
        for (broker, queues) in by_broker {
            self.send_to(broker, queues, now);
        }
        is_something
    }

    /// Whether batches can be numbered; if not, somebody is asked for a number. Where a number led nowhere, the next epoch
    /// begins (KIP-360): who has one makes the next by itself.
    fn is_identified(&mut self) -> bool {
        let now = self.now();
        let shared = self.shared.clone();
        let mut queues = shared.queues();
        match queues.identity() {
            Some(Identity { id, epoch }) if queues.wants_epoch() => match epoch.0.checked_add(1) {
                Some(next) => queues.identify(Identity { id, epoch: ProducerEpoch(next) }, now),
                None => {
                    drop(queues);
                    self.identify();
                    return false;
                }
            },
            Some(_) => {}
            None => {
                let nothing_to_send = queues.is_settled();
                drop(queues);
                if !nothing_to_send {
                    self.identify();
                }
                return false;
            }
        }
        true
    }

    fn identify(&mut self) {
        if std::mem::replace(&mut self.is_identifying, true) {
            return;
        }
        let client = self.client.clone();
        self.jobs.push(Box::pin(async move {
            let request = InitProducerIdRequest {
                transactional_id: None,
                transaction_timeout_ms: i32::MAX,
                producer_id: ProducerId::NONE,
                producer_epoch: ProducerEpoch::NONE,
                ..InitProducerIdRequest::default()
            };
            let outcome =
                client.ask_anybody(&request).await.and_then(|(_, told)| match ErrorCode::from_code(told.error_code) {
                    Some(ErrorCode::None)
                        if told.producer_id < ProducerId(0) || told.producer_epoch < ProducerEpoch(0) =>
                    {
                        Err(CallError::Malformed("a producer id below 0".to_owned()).into())
                    }
                    Some(ErrorCode::None) => Ok(Identity { id: told.producer_id, epoch: told.producer_epoch }),
                    code => {
                        let code = code.unwrap_or(ErrorCode::UnknownServerError);
                        Err(ClientError::Refused { code, what: "a producer id".to_owned() })
                    }
                });
            Done::Identified(outcome)
        }));
    }

    /// Waits for somebody to say who leads it.
    fn park(&mut self, topic: &Arc<str>, id: QueueId) {
        let is_asked = self.parked.contains_key(topic);
        self.parked.entry(topic.clone()).or_default().join([id]);
        if is_asked {
            return;
        }
        let (client, topic) = (self.client.clone(), topic.clone());
        self.jobs.push(Box::pin(async move {
            let outcome = client.ask_about(&topic).await;
            Done::Learned { topic, outcome }
        }));
    }

    fn send_to(&mut self, id: BrokerId, due: Vec<QueueId>, now: Moment) {
        let broker = self.brokers.entry(id).or_default();
        let Some(connection) = broker.connection.clone().filter(Connection::is_open) else {
            broker.connection = None;
            broker.blocked.join(due);
            if !std::mem::replace(&mut broker.is_connecting, true) {
                let (client, purpose) = (self.client.clone(), self.purpose);
                self.jobs.push(Box::pin(async move {
                    Done::Connected { broker: id, outcome: client.connection_to(id, purpose).await }
                }));
            }
            return;
        };
        let mut due = due.into_iter().peekable();
        while due.peek().is_some() {
            let broker = self.brokers.get_mut(&id).expect("it was put there");
            if broker.in_flight >= self.options.in_flight_max {
                broker.blocked.join(due);
                return;
            }
            let (mut batches, mut bytes) = (Vec::new(), 0);
            while bytes < self.options.request_bytes_max
                && let Some(queue) = due.next()
            {
                // One of each partition in a request: Kafka takes no more.
                let taken = self.shared.queues().take(queue, id, now);
                if let Some(outgoing) = taken.map(|taken| self.compressed(taken)) {
                    bytes += outgoing.batch.byte_length();
                    batches.push(outgoing);
                }
            }
            if !batches.is_empty() {
                self.request(id, &connection, batches);
            }
        }
    }

    /// Whoever sends doesn't wait for this: the queues are free meanwhile.
    fn compressed(&self, outgoing: Outgoing) -> Outgoing {
        match self.options.compression {
            Compression::None => outgoing,
            how => Outgoing { batch: outgoing.batch.compressed(how), ..outgoing },
        }
    }

    fn request(&mut self, broker: BrokerId, connection: &Connection, batches: Vec<Outgoing>) {
        let topics = self.topics_of(&batches);
        let request = ProduceRequest {
            transactional_id: None,
            acks: self.options.acks.code(),
            timeout_ms: replica_wait_ms(self.client.options().request_timeout),
            topic_data: topics,
            ..ProduceRequest::default()
        };
        let version = connection.version_of::<ProduceRequest>(PRODUCE_VERSION_MAX);
        // Begun here, so that the order is that of these calls.
        let answer: BoxFuture<'static, _> = match (version, self.options.acks) {
            (Err(error), _) => Box::pin(async { Err(error) }),
            (Ok(version), Acks::None) => {
                let begun = connection.begin_untold(&request, version);
                Box::pin(async { begun?.await.map(|()| None) })
            }
            (Ok(version), Acks::Leader | Acks::All) => {
                let begun = connection.begin(&request, version);
                Box::pin(async { begun?.await.map(Some) })
            }
        };
        self.brokers.entry(broker).or_default().in_flight += 1;
        self.jobs.push(Box::pin(async move {
            let outcome = answer.await;
            Done::Answered { broker, batches, outcome }
        }));
    }

    fn topics_of(&self, batches: &[Outgoing]) -> Vec<ProduceTopic> {
        let queues = self.shared.queues();
        let mut topics: Vec<ProduceTopic> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for outgoing in batches {
            let (name, index) = queues.place(outgoing.queue);
            let place = *places.entry(name).or_insert_with(|| {
                topics.push(ProduceTopic { name: name.to_string(), ..ProduceTopic::default() });
                topics.len() - 1
            });
            let records = Some(outgoing.batch.to_bytes());
            topics[place].partition_data.push(ProducePartition { index, records, ..ProducePartition::default() });
        }
        topics
    }

    fn take_in(&mut self, done: Done) {
        match done {
            Done::Answered { broker, batches, outcome } => {
                self.answered(&batches, &outcome);
                let known = self.brokers.entry(broker).or_default();
                known.in_flight = known.in_flight.saturating_sub(1);
                self.unblock(broker);
            }
            Done::Connected { broker, outcome } => {
                let known = self.brokers.entry(broker).or_default();
                known.is_connecting = false;
                match outcome {
                    Ok(connection) => known.connection = Some(connection),
                    Err(error) => {
                        tracing::debug!(%broker, %error, "no connection");
                        return self.give_up_on(broker, &error.to_string());
                    }
                }
                self.unblock(broker);
            }
            Done::Learned { topic, outcome } => {
                let parked = self.parked.remove(&topic).unwrap_or_default().leave();
                let now = self.now();
                let mut queues = self.shared.queues();
                for id in parked {
                    let has_leader = self.client.known_leader(&topic, queues.place(id).1).is_some();
                    match &outcome {
                        Ok(()) if has_leader => queues.put_back(id),
                        Ok(()) => queues.postpone(id, "nobody leads the partition", now),
                        Err(ClientError::Refused { code, what }) if !code.is_retriable() => {
                            queues.refuse(id, *code, what);
                        }
                        Err(error) => {
                            tracing::debug!(%topic, %error, "nobody knows who leads it");
                            queues.postpone(id, &error.to_string(), now);
                        }
                    }
                }
                self.shared.room.add_permits(queues.released());
            }
            Done::Identified(outcome) => {
                let now = self.now();
                match outcome {
                    Ok(identity) => {
                        self.is_identifying = false;
                        self.backoff.worked();
                        self.shared.queues().identify(identity, now);
                    }
                    Err(error) => {
                        tracing::debug!(%error, "no producer id");
                        if let ClientError::Refused { code, what } = &error
                            && !code.is_retriable()
                        {
                            let mut queues = self.shared.queues();
                            queues.refuse_all(*code, what);
                            self.shared.room.add_permits(queues.released());
                        }
                        let pause = self.backoff.failed(&*self.client.world().entropy);
                        let clock = self.client.world().clock.clone();
                        self.jobs.push(Box::pin(async move {
                            clock.sleep(pause).await;
                            Done::Paused
                        }));
                    }
                }
            }
            // Who still needs a number asks again.
            Done::Paused => self.is_identifying = false,
        }
    }

    fn unblock(&mut self, broker: BrokerId) {
        let blocked = self.brokers.entry(broker).or_default().blocked.leave();
        let mut queues = self.shared.queues();
        blocked.into_iter().for_each(|id| queues.put_back(id));
    }

    /// It can't be reached, and may lead nothing any more: who waits for it waits a while, and asks who leads.
    fn give_up_on(&mut self, broker: BrokerId, reason: &str) {
        let now = self.now();
        let blocked = self.brokers.entry(broker).or_default().blocked.leave();
        let mut queues = self.shared.queues();
        for id in blocked {
            self.client.forget_leaders(queues.place(id).0);
            queues.postpone(id, reason, now);
        }
    }

    fn answered(&mut self, batches: &[Outgoing], outcome: &Result<Option<ProduceResponse>, CallError>) {
        let now = self.now();
        let mut queues = self.shared.queues();
        let told = match outcome {
            Ok(Some(response)) => by_place(response),
            _ => HashMap::new(),
        };
        for outgoing in batches {
            let (topic, partition) = queues.place(outgoing.queue);
            let outcome = match outcome {
                Ok(Some(_)) => match told.get(&(&**topic, partition)) {
                    Some(told) => judge(told),
                    None => Outcome::Unknown("the broker's answer doesn't name the partition".to_owned()),
                },
                Ok(None) => Outcome::Stored(Stored { base: Offset(-1), append_time: Timestamp::NONE }),
                Err(error @ (CallError::Unsupported(_) | CallError::Inexpressible(_))) => {
                    Outcome::Refused(ErrorCode::UnsupportedVersion, error.to_string())
                }
                // It never left.
                Err(error @ CallError::Busy) => Outcome::Again(error.to_string()),
                Err(error) => Outcome::Unknown(error.to_string()),
            };
            if matches!(outcome, Outcome::Again(_) | Outcome::Unknown(_)) {
                self.client.forget_leaders(topic);
            }
            queues.done(outgoing.queue, outgoing.number, outcome, now);
        }
        self.shared.room.add_permits(queues.released());
    }
}

/// How long a broker may wait for replicas: three quarters of what an answer may take. If both waited as long, the client would
/// give its connection up, and all that is on its way over it, just when the broker says how it went.
fn replica_wait_ms(request_timeout: Duration) -> i32 {
    i32::try_from((request_timeout / 4 * 3).as_millis()).unwrap_or(i32::MAX)
}

fn by_place(response: &ProduceResponse) -> HashMap<(&str, PartitionIndex), &ProducePartitionResponse> {
    let topics = response.responses.iter();
    let partitions = topics.flat_map(|topic| topic.partition_responses.iter().map(move |each| (topic, each)));
    partitions.map(|(topic, each)| ((topic.name.as_str(), each.index), each)).collect()
}

/// What a partition's answer says of its batch.
fn judge(told: &ProducePartitionResponse) -> Outcome {
    let code = ErrorCode::from_code(told.error_code).unwrap_or(ErrorCode::UnknownServerError);
    let message = told.error_message.clone().unwrap_or_default();
    match code {
        ErrorCode::None => Outcome::Stored(Stored {
            base: told.base_offset,
            append_time: Timestamp::from_millis(told.log_append_time_ms),
        }),
        // It has it, and has forgotten where.
        ErrorCode::DuplicateSequenceNumber => {
            Outcome::Stored(Stored { base: Offset(-1), append_time: Timestamp::NONE })
        }
        ErrorCode::OutOfOrderSequenceNumber | ErrorCode::UnknownProducerId | ErrorCode::InvalidProducerEpoch => {
            Outcome::Renumber(code)
        }
        // It was written, and may stay.
        ErrorCode::RequestTimedOut | ErrorCode::NotEnoughReplicasAfterAppend | ErrorCode::KafkaStorageError => {
            Outcome::Unknown(code.to_string())
        }
        // Longer than `max.message.bytes`, or than `segment.bytes`.
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => Outcome::TooLong(code, message),
        retriable if retriable.is_retriable() => Outcome::Again(retriable.to_string()),
        refused => Outcome::Refused(refused, message),
    }
}
