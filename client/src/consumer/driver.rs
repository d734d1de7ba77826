//! Asks brokers for what the positions want, one question to each at a time, and hands over what comes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use thalweg_messages::fetch::{FetchPartition, FetchPartitionResponse, FetchRequest, FetchResponse, FetchTopic};
use thalweg_wire::batch::{Batches, Unreadable};
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, Moment, Offset, PartitionIndex};
use thalweg_world::BoxFuture;
use tokio::sync::watch;

use super::positions::{Ask, Asked};
use super::records::Fetched;
use super::{ConsumeError, Options, Shared};
use crate::cluster::{Client, ClientError, Leader, Purpose};
use crate::connection::CallError;
use crate::offsets::{Isolation, Start};

/// The newest version that names topics instead of ids (KIP-516 begins with 13).
const FETCH_VERSION_MAX: i16 = 12;

/// How long an answer waits while the program has records to read.
const SHORT_WAIT: Duration = Duration::from_millis(20);

/// How long one attempt to find a place, or a leader, lasts.
const ATTEMPT: Duration = Duration::from_secs(10);

pub(super) struct Driver {
    client: Client,
    options: Options,
    shared: Arc<Shared>,
    jobs: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Brokers that have a question to answer.
    busy: BTreeSet<BrokerId>,
    /// Its own connections.
    purpose: Purpose,
}

/// What came to an end.
enum Done {
    Fetched { broker: BrokerId, asked: Vec<Asked>, outcome: Result<FetchResponse, CallError> },
    Found { asked: Asked, outcome: Result<Offset, ClientError> },
    Learned { asked: Asked, outcome: Result<(), ClientError> },
}

/// However the driver ends, its connections close, and whoever waits is told.
struct End {
    client: Client,
    purpose: Purpose,
    shared: Arc<Shared>,
    over: watch::Sender<bool>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.client.end(self.purpose);
        self.over.send_replace(true);
        self.shared.came.notify_one();
    }
}

impl Driver {
    pub(super) fn new(client: Client, options: Options, shared: Arc<Shared>) -> Driver {
        let purpose = client.begin_fetches();
        Driver { client, options, shared, jobs: FuturesUnordered::new(), busy: BTreeSet::new(), purpose }
    }

    pub(super) async fn run(mut self, over: watch::Sender<bool>) {
        let _end =
            End { client: self.client.clone(), purpose: self.purpose, shared: self.shared.clone(), over: over.clone() };
        let mut over = over.subscribe();
        loop {
            self.ask();
            let clock = self.client.world().clock.clone();
            let deadline = self.shared.positions().deadline(clock.now());
            let sleep = async {
                match deadline {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(done) = self.jobs.next() => self.take_in(done),
                () = self.shared.wake.notified() => {}
                // An error is a consumer that is gone.
                _ = over.wait_for(|over| *over) => return,
                () = sleep => {}
            }
        }
    }

    fn now(&self) -> Moment {
        self.client.world().clock.now()
    }

    fn ask(&mut self) {
        let wanted = self.shared.positions().wanted(self.now());
        let mut by_broker = BTreeMap::<BrokerId, Vec<(Asked, Offset, LeaderEpoch)>>::new();
        for asked in wanted {
            match (asked.what, self.client.known_leader(&asked.topic, asked.partition)) {
                (Ask::Find(start), _) => self.find(asked, start),
                (Ask::Fetch(_), None) => self.learn(asked),
                (Ask::Fetch(_), Some(Leader { broker, .. })) if self.busy.contains(&broker) => {
                    self.shared.positions().put_back(&asked);
                }
                (Ask::Fetch(offset), Some(Leader { broker, epoch })) => {
                    by_broker.entry(broker).or_default().push((asked, offset, epoch));
                }
            }
        }
        for (broker, partitions) in by_broker {
            self.fetch(broker, partitions);
        }
    }

    fn find(&mut self, asked: Asked, start: Start) {
        let (client, isolation, deadline) = (self.client.clone(), self.options.isolation, self.now() + ATTEMPT);
        self.jobs.push(Box::pin(async move {
            let outcome = client.offset(&asked.topic, asked.partition, start, isolation, deadline).await;
            Done::Found { asked, outcome }
        }));
    }

    fn learn(&mut self, asked: Asked) {
        let (client, deadline) = (self.client.clone(), self.now() + ATTEMPT);
        self.jobs.push(Box::pin(async move {
            let outcome = client.leader(&asked.topic, asked.partition, deadline).await.map(drop);
            Done::Learned { asked, outcome }
        }));
    }

    fn fetch(&mut self, broker: BrokerId, partitions: Vec<(Asked, Offset, LeaderEpoch)>) {
        let int = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let mut topics: Vec<FetchTopic> = Vec::new();
        let mut places: HashMap<Arc<str>, usize> = HashMap::new();
        for (asked, fetch_offset, current_leader_epoch) in &partitions {
            let place = *places.entry(asked.topic.clone()).or_insert_with(|| {
                topics.push(FetchTopic { topic: asked.topic.to_string(), ..FetchTopic::default() });
                topics.len() - 1
            });
            topics[place].partitions.push(FetchPartition {
                partition: asked.partition,
                current_leader_epoch: *current_leader_epoch,
                fetch_offset: *fetch_offset,
                partition_max_bytes: int(self.options.partition_max_bytes),
                ..FetchPartition::default()
            });
        }
        // One that was full may want to be asked for any moment, and this question is before it.
        let is_full = self.shared.positions().is_full_somewhere();
        let max_wait = if is_full { self.options.max_wait.min(SHORT_WAIT) } else { self.options.max_wait };
        let request = FetchRequest {
            replica_id: BrokerId(-1),
            max_wait_ms: i32::try_from(max_wait.as_millis()).unwrap_or(i32::MAX),
            min_bytes: int(self.options.min_bytes),
            max_bytes: int(self.options.max_bytes),
            isolation_level: self.options.isolation.code(),
            topics,
            ..FetchRequest::default()
        };
        self.busy.insert(broker);
        let (client, purpose) = (self.client.clone(), self.purpose);
        let asked = partitions.into_iter().map(|(asked, ..)| asked).collect();
        self.jobs.push(Box::pin(async move {
            let exchange = async {
                let connection = client.connection_to(broker, purpose).await?;
                let version = connection.version_of::<FetchRequest>(FETCH_VERSION_MAX)?;
                connection.call_at(&request, version).await
            };
            Done::Fetched { broker, asked, outcome: exchange.await }
        }));
    }

    fn take_in(&mut self, done: Done) {
        let now = self.now();
        match done {
            Done::Found { asked, outcome: Ok(offset) } => self.shared.positions().found(&asked, offset),
            Done::Learned { asked, outcome: Ok(()) } => self.shared.positions().put_back(&asked),
            Done::Found { asked, outcome: Err(error) } | Done::Learned { asked, outcome: Err(error) } => {
                tracing::debug!(topic = %asked.topic, partition = %asked.partition, %error, "not found");
                match error {
                    ClientError::Refused { code, .. } if !code.is_retriable() => self.refuse(&asked, code),
                    _ => self.shared.positions().failed(&asked, now),
                }
            }
            Done::Fetched { broker, asked, outcome } => {
                self.busy.remove(&broker);
                match outcome {
                    Ok(response) => self.fetched(&asked, &response, now),
                    Err(error) => {
                        tracing::debug!(%broker, %error, "nothing fetched");
                        for asked in &asked {
                            self.client.forget_leaders(&asked.topic);
                            self.shared.positions().failed(asked, now);
                        }
                    }
                }
            }
        }
        self.shared.came.notify_one();
    }

    fn fetched(&self, asked: &[Asked], response: &FetchResponse, now: Moment) {
        let told = response.responses.iter();
        let told: HashMap<(&str, PartitionIndex), &FetchPartitionResponse> = told
            .flat_map(|topic| topic.partitions.iter().map(|each| ((topic.topic.as_str(), each.partition_index), each)))
            .collect();
        for asked in asked {
            match told.get(&(&*asked.topic, asked.partition)) {
                Some(told) => self.of_partition(asked, told, now),
                None => self.shared.positions().failed(asked, now),
            }
        }
    }

    fn of_partition(&self, asked: &Asked, told: &FetchPartitionResponse, now: Moment) {
        let Ask::Fetch(from) = asked.what else { return };
        match ErrorCode::from_code(told.error_code).unwrap_or(ErrorCode::UnknownServerError) {
            ErrorCode::None => {
                let bytes = told.records.clone().unwrap_or_default();
                // Older brokers cut the first batch where it is longer than what was asked for; none that we know does.
                if let Some(Err(Unreadable::Truncated { .. })) = Batches::new(bytes.clone()).next() {
                    return self.shared.positions().failed(asked, now);
                }
                let ends = Batches::new(bytes.clone()).map_while(Result::ok).map(|batch| batch.next_offset());
                let next = ends.last().map_or(from, |end| end.max(from));
                let aborted = match self.options.isolation {
                    Isolation::ReadCommitted => told.aborted_transactions.as_deref().unwrap_or_default(),
                    Isolation::ReadUncommitted => &[],
                };
                let aborted = aborted.iter().map(|aborted| (aborted.producer_id, aborted.first_offset)).collect();
                let fetched = Fetched { bytes, aborted, from };
                self.shared.positions().fetched(asked, fetched, next, told.high_watermark);
            }
            ErrorCode::OffsetOutOfRange => self.shared.positions().out_of_range(asked, from),
            code if code.is_retriable() || code == ErrorCode::FencedLeaderEpoch => {
                self.client.forget_leaders(&asked.topic);
                self.shared.positions().failed(asked, now);
            }
            code => self.refuse(asked, code),
        }
    }

    fn refuse(&self, asked: &Asked, code: ErrorCode) {
        let (topic, partition) = (asked.topic.clone(), asked.partition);
        self.shared.positions().refused(asked, ConsumeError::Refused { topic, partition, code });
    }
}
