//! The cluster as a client sees it: brokers, who leads which partition, and a connection to each that is needed.
//!
//! What is known may be old; whoever finds that out says so ([`Client::forget_leaders`]), and it is asked for again, by one
//! question for all who wait. A broker that can't be reached is tried again after a growing pause.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thalweg_messages::Request;
use thalweg_messages::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataTopic};
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, Moment, PartitionIndex, Uuid};
use thalweg_world::World;

use crate::backoff::Backoff;
use crate::connection::{CallError, Connection, Terms};

/// How a client reaches the cluster.
#[derive(Clone, Debug)]
pub struct Options {
    /// `HOST:PORT` of brokers to begin with; one that answers is enough. `bootstrap.servers`.
    pub bootstrap: Vec<String>,
    /// What the client calls itself, in the broker's log. `client.id`.
    pub client_id: String,
    /// How long a connection may take until its versions are agreed.
    pub connect_timeout: Duration,
    /// How long an answer may take; then the connection is closed. `request.timeout.ms`. The leader of a partition that is
    /// written to may spend three quarters of it on waiting for replicas.
    pub request_timeout: Duration,
    /// The first pause after a failure, and between questions. `retry.backoff.ms`.
    pub retry_backoff: Duration,
    /// What it grows to. `retry.backoff.max.ms`.
    pub retry_backoff_max: Duration,
    /// How long the answer about a topic counts. `metadata.max.age.ms`.
    pub metadata_max_age: Duration,
    /// A topic that nobody used for so long is forgotten. `metadata.max.idle.ms`.
    pub metadata_max_idle: Duration,
    /// The longest answer, in bytes. `receive.message.max.bytes`.
    pub response_bytes_max: usize,
    /// Whether asking for a topic that isn't there may make it, where the broker allows that. `allow.auto.create.topics`.
    pub creates_topics: bool,
}

impl Options {
    /// Kafka's defaults, beginning with this broker (or several, with commas between).
    pub fn to(bootstrap: &str) -> Options {
        Options {
            bootstrap: bootstrap.split(',').map(|address| address.trim().to_owned()).collect(),
            client_id: "thalweg".to_owned(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            retry_backoff: Duration::from_millis(100),
            retry_backoff_max: Duration::from_secs(1),
            metadata_max_age: Duration::from_secs(300),
            metadata_max_idle: Duration::from_secs(300),
            response_bytes_max: 100 << 20,
            creates_topics: true,
        }
    }
}

/// Why the cluster can't be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClientError {
    /// A broker can't be asked.
    Call(CallError),
    /// No broker could be reached; the last reason.
    NoBroker(String),
    /// The broker says no, and asking again would not help.
    Refused {
        /// Kafka's code.
        code: ErrorCode,
        /// What was asked for.
        what: String,
    },
    /// It took too long; the last reason.
    TimedOut(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Call(error) => error.fmt(f),
            ClientError::NoBroker(reason) => write!(f, "no broker can be reached: {reason}"),
            ClientError::Refused { code, what } => write!(f, "{what}: {code}"),
            ClientError::TimedOut(reason) => write!(f, "gave up: {reason}"),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<CallError> for ClientError {
    fn from(error: CallError) -> ClientError {
        ClientError::Call(error)
    }
}

/// Who leads a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leader {
    /// The broker.
    pub broker: BrokerId,
    /// Its epoch; -1 where the broker doesn't tell.
    pub epoch: LeaderEpoch,
}

/// A cluster, and the connections to it. Cheap to clone; the connections close when the last is dropped.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    world: World,
    options: Options,
    terms: Terms,
    state: Mutex<State>,
    /// Held by who asks for metadata: the others wait for its answer.
    asking: tokio::sync::Mutex<()>,
    /// What bootstrap address is next.
    turn: Mutex<usize>,
    /// The number of the next who has connections of its own.
    consumers: AtomicU64,
}

#[derive(Default)]
struct State {
    brokers: BTreeMap<BrokerId, String>,
    topics: HashMap<String, Topic>,
    /// One per broker, and one for each bootstrap address until its broker is known by number.
    lines: HashMap<Peer, Arc<tokio::sync::Mutex<Line>>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Peer {
    Broker(BrokerId, Purpose),
    Bootstrap(String),
}

/// What a connection is for. An answer that waits, for records or for replicas, would hold up those behind it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Purpose {
    Requests,
    /// Of one producer: they wait for replicas.
    Produces(u64),
    /// Of one consumer: they wait for records, each for its own.
    Fetches(u64),
    /// Of one member of a group: they wait for the others.
    Group(u64),
}

struct Line {
    connection: Option<Connection>,
    backoff: Backoff,
    not_before: Moment,
}

/// What was said of a topic.
#[derive(Clone, Debug)]
struct Topic {
    id: Uuid,
    partitions: Vec<Option<Leader>>,
    asked: Moment,
    used: Moment,
    /// Somebody found that it is old.
    is_stale: bool,
}

impl Client {
    /// A client that has not asked anybody yet.
    pub fn new(world: World, options: Options) -> Client {
        let terms = Terms {
            client_id: Arc::from(options.client_id.as_str()),
            connect_timeout: options.connect_timeout,
            request_timeout: options.request_timeout,
            response_bytes_max: options.response_bytes_max,
        };
        let shared = Shared {
            world,
            options,
            terms,
            state: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            turn: Mutex::new(0),
            consumers: AtomicU64::new(0),
        };
        Client { shared: Arc::new(shared) }
    }

    /// The world that it lives in.
    pub fn world(&self) -> &World {
        &self.shared.world
    }

    /// How it reaches the cluster.
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(self.shared.options.retry_backoff, self.shared.options.retry_backoff_max)
    }

    /// Waits before the next attempt; `false`, at once, where that would come behind the deadline.
    pub(crate) async fn pause(&self, backoff: &mut Backoff, deadline: Moment) -> bool {
        let world = &self.shared.world;
        let next = world.clock.now() + backoff.failed(&*world.entropy);
        let is_in_time = next <= deadline;
        if is_in_time {
            world.clock.sleep_until(next).await;
        }
        is_in_time
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many partitions a topic has. Asks the cluster, again and again, until `deadline`.
    ///
    /// # Errors
    /// [`ClientError::Refused`] where asking again would not help, such as for a name that no topic can have.
    pub async fn partition_count(&self, topic: &str, deadline: Moment) -> Result<usize, ClientError> {
        let count = |known: &Topic| (!known.partitions.is_empty()).then_some(known.partitions.len());
        // Who leads may have changed; how many there are has not.
        match self.look_at(topic, |known| Some(known).filter(|known| self.is_young(known)).and_then(count)) {
            Some(count) => Ok(count),
            None => self.known(topic, deadline, count).await,
        }
    }

    /// Whoever looks uses it.
    fn look_at<T>(&self, topic: &str, look: impl FnOnce(&Topic) -> Option<T>) -> Option<T> {
        let now = self.shared.world.clock.now();
        let mut state = self.state();
        let known = state.topics.get_mut(topic)?;
        known.used = now;
        look(known)
    }

    fn is_young(&self, known: &Topic) -> bool {
        self.shared.world.clock.now().since(known.asked) < self.shared.options.metadata_max_age
    }

    /// The id of a topic; zero where the broker has none for it.
    ///
    /// # Errors
    /// As [`Client::partition_count`].
    pub async fn topic_id(&self, topic: &str, deadline: Moment) -> Result<Uuid, ClientError> {
        self.known(topic, deadline, |known| Some(known.id)).await
    }

    /// Who leads a partition, as far as is known, without asking.
    pub fn known_leader(&self, topic: &str, partition: PartitionIndex) -> Option<Leader> {
        let place = usize::try_from(partition.0).ok()?;
        self.look_at(topic, |known| if known.is_stale { None } else { *known.partitions.get(place)? })
    }

    /// Who leads the partitions of a topic, however old that is; none where the topic isn't known.
    pub(crate) fn among_leaders<T>(&self, topic: &str, choose: impl FnOnce(&[Option<Leader>]) -> T) -> T {
        choose(self.state().topics.get(topic).map_or(&[], |known| &known.partitions))
    }

    /// Who leads a partition. Asks the cluster, again and again, until `deadline`.
    ///
    /// # Errors
    /// As [`Client::partition_count`].
    pub async fn leader(
        &self,
        topic: &str,
        partition: PartitionIndex,
        deadline: Moment,
    ) -> Result<Leader, ClientError> {
        let place = usize::try_from(partition.0).unwrap_or(usize::MAX);
        self.known(topic, deadline, |known| *known.partitions.get(place)?).await
    }

    /// What is known of a topic is old: the next who asks waits for an answer from the cluster.
    pub fn forget_leaders(&self, topic: &str) {
        if let Some(known) = self.state().topics.get_mut(topic) {
            known.is_stale = true;
        }
    }

    async fn known<T>(
        &self,
        topic: &str,
        deadline: Moment,
        look: impl Fn(&Topic) -> Option<T>,
    ) -> Result<T, ClientError> {
        let mut backoff = self.backoff();
        loop {
            if let Some(found) = self.fresh(topic, &look) {
                return Ok(found);
            }
            let asked = tokio::select! {
                biased;
                asked = self.ask_about(topic) => asked,
                () = self.shared.world.clock.sleep_until(deadline) => {
                    return Err(ClientError::TimedOut(format!("nobody told of topic {topic}")));
                }
            };
            let reason = match asked {
                Ok(()) => match self.fresh(topic, &look) {
                    Some(found) => return Ok(found),
                    None => format!("nobody leads it yet ({topic})"),
                },
                Err(ClientError::Refused { code, what }) if !code.is_retriable() => {
                    return Err(ClientError::Refused { code, what });
                }
                Err(error) => error.to_string(),
            };
            if !self.pause(&mut backoff, deadline).await {
                return Err(ClientError::TimedOut(reason));
            }
        }
    }

    fn fresh<T>(&self, topic: &str, look: impl Fn(&Topic) -> Option<T>) -> Option<T> {
        self.look_at(topic, |known| if known.is_stale || !self.is_young(known) { None } else { look(known) })
    }

    /// Asks for one topic, or waits for who asks: then what it learned may be enough.
    pub(crate) async fn ask_about(&self, topic: &str) -> Result<(), ClientError> {
        let began = self.shared.world.clock.now();
        let _turn = self.shared.asking.lock().await;
        if self.state().topics.get(topic).is_some_and(|known| !known.is_stale && known.asked >= began) {
            return Ok(());
        }
        let response = self.metadata(Some(&[topic])).await?;
        let told = response.topics.iter().find(|told| told.name.as_deref() == Some(topic));
        let code =
            |told: &MetadataTopic| ErrorCode::from_code(told.error_code).unwrap_or(ErrorCode::UnknownServerError);
        match told.map(code) {
            Some(ErrorCode::None) => Ok(()),
            Some(code) => Err(ClientError::Refused { code, what: format!("topic {topic}") }),
            None => {
                Err(ClientError::Refused { code: ErrorCode::UnknownTopicOrPartition, what: format!("topic {topic}") })
            }
        }
    }

    /// Asks any broker for the cluster and some topics (`None`: all), and keeps what it says.
    ///
    /// # Errors
    /// [`ClientError::NoBroker`] when nobody answers.
    pub async fn metadata(&self, topics: Option<&[&str]>) -> Result<MetadataResponse, ClientError> {
        self.ask_metadata(topics, self.shared.options.creates_topics).await
    }

    /// The same, and no topic is made by asking.
    pub(crate) async fn metadata_of_those_there(&self, topics: &[&str]) -> Result<MetadataResponse, ClientError> {
        self.ask_metadata(Some(topics), false).await
    }

    async fn ask_metadata(&self, topics: Option<&[&str]>, may_create: bool) -> Result<MetadataResponse, ClientError> {
        let named = |name: &&str| MetadataRequestTopic { name: Some((*name).to_owned()), ..Default::default() };
        let request = MetadataRequest {
            topics: topics.map(|topics| topics.iter().map(named).collect()),
            allow_auto_topic_creation: may_create,
            ..MetadataRequest::default()
        };
        let began = self.shared.world.clock.now();
        let (_, response) = self.ask_anybody(&request).await?;
        self.learn(began, &response);
        Ok(response)
    }

    /// How many partitions topics have, and of which nobody can tell, and why. None is made by asking.
    pub(crate) async fn counts(
        &self,
        topics: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Result<usize, ErrorCode>>, ClientError> {
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        let told = self.metadata_of_those_there(&names).await?;
        let count = |told: &MetadataTopic| match ErrorCode::from_code(told.error_code) {
            Some(ErrorCode::None) => Ok(told.partitions.len()),
            code => Err(code.unwrap_or(ErrorCode::UnknownServerError)),
        };
        let counts = told.topics.iter().filter_map(|told| Some((told.name.as_deref()?, count(told))));
        let told: BTreeMap<&str, Result<usize, ErrorCode>> = counts.collect();
        let unknown = Err(ErrorCode::UnknownTopicOrPartition);
        Ok(topics.iter().map(|topic| (topic.clone(), told.get(topic.as_str()).copied().unwrap_or(unknown))).collect())
    }

    fn learn(&self, asked: Moment, response: &MetadataResponse) {
        let mut state = self.state();
        let brokers = response.brokers.iter();
        state.brokers = brokers.map(|told| (told.node_id, address(&told.host, told.port))).collect();
        let State { brokers, lines, .. } = &mut *state;
        lines.retain(|peer, _| match peer {
            Peer::Broker(id, _) => brokers.contains_key(id),
            Peer::Bootstrap(_) => brokers.is_empty(),
        });
        state.topics.retain(|_, known| asked.since(known.used) < self.shared.options.metadata_max_idle);
        for told in &response.topics {
            let Some(name) = &told.name else { continue };
            if told.error_code != 0 && !told.partitions.iter().any(|partition| partition.leader_id >= BrokerId(0)) {
                continue;
            }
            let count = told.partitions.iter().map(|partition| partition.partition_index.0.saturating_add(1)).max();
            // One number for each that was told of: a broker can't make us hold more.
            let count = usize::try_from(count.unwrap_or(0)).unwrap_or(0).min(told.partitions.len());
            let mut partitions = vec![None; count];
            for partition in &told.partitions {
                let place = usize::try_from(partition.partition_index.0).ok().and_then(|at| partitions.get_mut(at));
                let leader = Leader { broker: partition.leader_id, epoch: partition.leader_epoch };
                // One that nobody could reach is none.
                if let Some(place) = place.filter(|_| state.brokers.contains_key(&leader.broker)) {
                    *place = Some(leader);
                }
            }
            let used = state.topics.get(name).map_or(asked, |known| known.used);
            state.topics.insert(name.clone(), Topic { id: told.topic_id, partitions, asked, used, is_stale: false });
        }
    }

    /// Asks a broker that can be reached: those that are known, then those to begin with.
    pub(crate) async fn ask_anybody<R: Request>(&self, request: &R) -> Result<(Connection, R::Response), ClientError> {
        let mut last = "there is no address to begin with".to_owned();
        for peer in self.peers() {
            match self.connection(&peer).await {
                Ok(connection) => match connection.call(request).await {
                    Ok(response) => return Ok((connection, response)),
                    Err(CallError::Lost(reason)) => last = reason,
                    Err(CallError::TimedOut) => last = CallError::TimedOut.to_string(),
                    Err(error) => return Err(error.into()),
                },
                Err(error) => last = error.to_string(),
            }
        }
        Err(ClientError::NoBroker(last))
    }

    /// Connections of its own for a producer.
    pub(crate) fn begin_produces(&self) -> Purpose {
        Purpose::Produces(self.shared.consumers.fetch_add(1, Ordering::Relaxed))
    }

    /// Connections of its own for a consumer.
    pub(crate) fn begin_fetches(&self) -> Purpose {
        Purpose::Fetches(self.shared.consumers.fetch_add(1, Ordering::Relaxed))
    }

    /// A connection of its own for a member of a group.
    pub(crate) fn begin_group(&self) -> Purpose {
        Purpose::Group(self.shared.consumers.fetch_add(1, Ordering::Relaxed))
    }

    /// Who had connections of its own has ended: they close.
    pub(crate) fn end(&self, own: Purpose) {
        self.state().lines.retain(|peer, _| !matches!(peer, Peer::Broker(_, purpose) if *purpose == own));
    }

    /// A connection to a broker that can be reached.
    pub(crate) async fn connection_to_anybody(&self) -> Result<Connection, ClientError> {
        let mut last = "there is no address to begin with".to_owned();
        for peer in self.peers() {
            match self.connection(&peer).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error.to_string(),
            }
        }
        Err(ClientError::NoBroker(last))
    }

    /// Everybody who may be asked, another one first each time.
    fn peers(&self) -> Vec<Peer> {
        let known: Vec<Peer> = self.state().brokers.keys().map(|id| Peer::Broker(*id, Purpose::Requests)).collect();
        let first = self.shared.options.bootstrap.iter().map(|address| Peer::Bootstrap(address.clone()));
        let mut turn = self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        *turn = turn.wrapping_add(1);
        let rotated = |mut peers: Vec<Peer>| {
            let by = *turn % peers.len().max(1);
            peers.rotate_left(by);
            peers
        };
        rotated(known).into_iter().chain(rotated(first.collect())).collect()
    }

    /// A connection to a broker.
    pub(crate) async fn connection_to(&self, broker: BrokerId, purpose: Purpose) -> Result<Connection, CallError> {
        self.connection(&Peer::Broker(broker, purpose)).await
    }

    async fn connection(&self, peer: &Peer) -> Result<Connection, CallError> {
        let address = match peer {
            Peer::Bootstrap(address) => address.clone(),
            Peer::Broker(id, _) => {
                let known = self.state().brokers.get(id).cloned();
                known.ok_or_else(|| CallError::Lost(format!("nobody knows broker {id}")))?
            }
        };
        let line = {
            let mut state = self.state();
            let made = || Line { connection: None, backoff: self.backoff(), not_before: Moment::from_nanos(0) };
            state.lines.entry(peer.clone()).or_insert_with(|| Arc::new(tokio::sync::Mutex::new(made()))).clone()
        };
        let mut line = line.lock().await;
        if let Some(open) = line.connection.as_ref().filter(|connection| connection.is_open()) {
            return Ok(open.clone());
        }
        let Shared { world, terms, .. } = &*self.shared;
        world.clock.sleep_until(line.not_before).await;
        match Connection::open(world, &address, terms).await {
            Ok(connection) => {
                line.backoff.worked();
                line.connection = Some(connection.clone());
                Ok(connection)
            }
            Err(error) => {
                line.connection = None;
                line.not_before = world.clock.now() + line.backoff.failed(&*world.entropy);
                Err(error)
            }
        }
    }
}

fn address(host: &str, port: i32) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
