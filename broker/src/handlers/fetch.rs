//! Fetch (key 1), versions 4-18.
//!
//! Whole batches from the one that holds the offset on, up to the high watermark. The answer leaves at once when there
//! are `min_bytes`, or an error, or nothing to wait for; otherwise it waits for records to come, without looking at
//! partitions that did not move. The first batch of an answer is given whatever its size, so that a small limit never
//! stops a reader.
//!
//! Sessions (KIP-227) are answered as not kept: id 0, which the protocol allows; the client sends all its partitions
//! each time.
//!
//! v5 log start, v7 sessions, v9 leader epochs, v11 rack, v12 flexible and diverging epochs (KIP-595), v13 topic ids,
//! v15 the replica's state is tagged, v16 endpoints of leaders, v17 directories, v18 the follower's high watermark.

use std::sync::Arc;
use std::time::Duration;

use thalweg_log::log::{FirstBatch, ReadLimit, Reading, within};
use thalweg_messages::Message;
use thalweg_messages::fetch::{
    EpochEndOffset, FetchAnswer, FetchLeader, FetchNodeEndpoint, FetchPartition, FetchPartitionAnswer,
    FetchPartitionResponse, FetchResponse, FetchTopicAnswer, FetchView, FetchedPartition, encode_response,
};
use thalweg_replica::Isolation;
use thalweg_wire::batch::Batch;
use thalweg_wire::codec::{EncodeError, Encoded, Encoder, Form};
use thalweg_wire::frame::{begin_response, finish_frame};
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, PartitionIndex, TopicId};

use super::by_partition::{ByPartition, Gathered};
use super::{Answer, Api, Close, Flow, Head, Request, answerable};
use crate::broker::Shared;
use crate::partition::{EpochError, FetchPosition, Marks, Partition, Read, ReadError};
use crate::waiters::{Arrivals, SubscriptionNumber};

/// The versions served.
pub const API: Api = Api { key: 1, versions: 4..=18, advertised: Some(4..=18), flow: Flow::Pipelined };

/// Replica ids below zero are no replicas: -1 is a consumer, -2 and -3 are served as one.
const FIRST_REPLICA: i32 = 0;

/// From this version on an answer tells who leads, where the client is wrong about it.
const LEADERS_FROM: i16 = 16;

/// What a subscription takes in a partition, about.
const SUBSCRIPTION_BYTES: usize = 64;

/// What a request wants, looked up.
struct Plan {
    head: Head,
    node: BrokerId,
    rack: Option<String>,
    isolation: Isolation,
    /// Of the request as a whole.
    error: ErrorCode,
    max_bytes: Limit,
    min_bytes: usize,
    max_wait: Duration,
    topics: Vec<Gathered<Name>>,
    wanted: Vec<Wanted>,
}

/// A topic's name up to v12, its id from v13 on.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Name {
    name: String,
    id: TopicId,
}

struct Wanted {
    index: PartitionIndex,
    position: FetchPosition,
    max_bytes: Limit,
    source: Result<Arc<Partition>, ErrorCode>,
}

/// How many bytes may be read; `None` is a negative number, which is a mistake only where there is something to read.
type Limit = Option<usize>;

/// What one look at all partitions gave.
struct Look {
    found: Vec<Found>,
    bytes: usize,
    has_news: bool,
}

enum Found {
    Records(Vec<Batch>, Marks),
    Diverging(EpochEndOffset, Marks),
    /// The client's epoch is older than this one.
    Fenced(LeaderEpoch),
    Error(ErrorCode),
    /// Nothing was looked at: there is no such partition, or the request makes no sense.
    Unknown(ErrorCode),
}

/// Takes a request; the answer may come later.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let (head, body, permit) = request.into_parts();
    let view = FetchView::parse(body, head.version).map_err(|error| format!("a bad FetchRequest: {error}"))?;
    // 0 opens a session and -1 does without: both bring every partition. Anything else belongs to a session we never gave.
    if !matches!(view.settings().session_epoch, -1 | 0) {
        let error_code = ErrorCode::FetchSessionIdNotFound.code();
        return Ok(Answer::Now(head.answer(&FetchResponse { error_code, ..FetchResponse::default() })?));
    }
    let isolation = match view.settings().isolation_level {
        0 => Ok(Isolation::HighWatermark),
        1 => Ok(Isolation::TxnCommitted),
        // From v13 on Kafka leaves it at that; before, it says so of each partition as well.
        _ if head.version >= 13 => {
            let error_code = ErrorCode::UnknownServerError.code();
            return Ok(Answer::Now(head.answer(&FetchResponse { error_code, ..FetchResponse::default() })?));
        }
        _ => Err(ErrorCode::UnknownServerError),
    };
    let plan = Plan::new(shared, head, &view, isolation).await?;
    drop(view);
    drop(permit);
    let look = plan.look(shared).await;
    if look.has_news || look.bytes >= plan.min_bytes || plan.max_wait.is_zero() || plan.has_nothing_to_wait_for() {
        return Ok(Answer::Now(plan.answer(look)));
    }
    drop(look);
    let Some(room) = shared.memory.waiting_fetch(plan.bytes()) else {
        return Ok(Answer::Now(plan.answer(plan.look(shared).await)));
    };
    let shared = shared.clone();
    Ok(Answer::Later(Box::pin(async move {
        let mut ending = plan.head.ending.clone();
        tokio::select! {
            biased;
            () = plan.await_records() => {}
            () = shared.world.clock.sleep(plan.max_wait) => {}
            () = ending.begun() => {}
        }
        drop(room);
        let look = plan.look(&shared).await;
        Some(plan.answer(look))
    })))
}

/// What a partition has for the reader, before the limits of the whole answer.
enum Seen {
    Records { records: Reading, marks: Marks, max_bytes: Limit },
    Told(Found),
}

impl Look {
    /// Takes what fits into `most` bytes, in the order of the request. Blocks if something is in files.
    fn of(seen: Vec<Seen>, most: Limit) -> Look {
        let mut look = Look { found: Vec::with_capacity(seen.len()), bytes: 0, has_news: false };
        for seen in seen {
            let found = match seen {
                Seen::Told(found) => found,
                Seen::Records { records, marks, max_bytes } => look.take(records, marks, max_bytes, most),
            };
            match &found {
                Found::Records(batches, _) => look.bytes += batches.iter().map(Batch::byte_length).sum::<usize>(),
                Found::Unknown(_) => {}
                Found::Diverging(..) | Found::Fenced(_) | Found::Error(_) => look.has_news = true,
            }
            look.found.push(found);
        }
        look
    }

    fn take(&self, records: Reading, marks: Marks, max_bytes: Limit, most: Limit) -> Found {
        let first = if self.bytes == 0 { FirstBatch::Always } else { FirstBatch::IfItFits };
        let limit = most.and_then(|most| Some(max_bytes?.min(most.saturating_sub(self.bytes))));
        let within_limit = ReadLimit { bytes: limit.unwrap_or(0), first };
        let batches = match records {
            Reading::Memory(batches) => within(batches, within_limit),
            Reading::Files(files) => match files.read(within_limit) {
                Ok(batches) => batches,
                Err(error) => {
                    tracing::error!(%error, "records can't be read");
                    return Found::Error(ErrorCode::CorruptMessage);
                }
            },
        };
        if limit.is_none() && !batches.is_empty() {
            return Found::Error(ErrorCode::UnknownServerError);
        }
        Found::Records(batches, marks)
    }
}

impl Plan {
    async fn new(
        shared: &Shared,
        head: Head,
        view: &FetchView,
        isolation: Result<Isolation, ErrorCode>,
    ) -> Result<Plan, Close> {
        let settings = view.settings();
        let mut request = ByPartition::new();
        for topic in view.topics() {
            let found = if head.version >= 13 {
                shared.cluster.topic_by_id(topic.topic_id).ok_or(ErrorCode::UnknownTopicId)
            } else {
                shared.cluster.topic(&topic.topic).ok_or(ErrorCode::UnknownTopicOrPartition)
            };
            let found = match settings.replica_id.0 {
                // There is no other replica that could ask.
                FIRST_REPLICA.. => found.and(Err(ErrorCode::NotLeaderOrFollower)),
                _ => isolation.and(found),
            };
            let place = request.topic(Name { name: answerable(topic.topic)?.into_owned(), id: topic.topic_id });
            for partition in topic.partitions {
                let source = match &found {
                    Ok(topic) => shared.leader_of(topic, partition.partition).await,
                    Err(code) => Err(*code),
                };
                request.put(place, partition.partition, Wanted::new(&partition, source));
            }
        }
        let (topics, wanted) = request.finish();
        let most = shared.settings.requests.fetch_bytes;
        Ok(Plan {
            node: shared.settings.node,
            rack: shared.settings.rack.clone(),
            isolation: isolation.unwrap_or(Isolation::HighWatermark),
            error: isolation.err().unwrap_or(ErrorCode::None),
            max_bytes: usize::try_from(settings.max_bytes).ok().map(|bytes| bytes.min(most)),
            min_bytes: usize::try_from(settings.min_bytes).unwrap_or(0).min(most),
            max_wait: Duration::from_millis(settings.max_wait_ms.max(0).unsigned_abs().into()),
            head,
            topics,
            wanted,
        })
    }

    /// What is kept of it while it waits, in bytes.
    fn bytes(&self) -> usize {
        let names: usize = self.topics.iter().map(|topic| topic.key.name.len()).sum();
        let topics = self.topics.len() * size_of::<Gathered<Name>>();
        names + topics + self.wanted.len() * (size_of::<Wanted>() + SUBSCRIPTION_BYTES) + size_of::<Plan>()
    }

    /// As in Kafka, a partition that can't be read doesn't hurry the answer for those that can: a client that asks for
    /// it over and over, until it has fresh metadata, would else do so without a pause.
    fn has_nothing_to_wait_for(&self) -> bool {
        self.wanted.iter().all(|wanted| wanted.source.is_err())
    }

    /// Reads every partition within the limits: from memory, and where one may block from files, if one is behind.
    async fn look(&self, shared: &Shared) -> Look {
        let seen: Vec<Seen> = self.wanted.iter().map(|wanted| self.see(wanted)).collect();
        let most = self.max_bytes;
        if seen.iter().any(|seen| matches!(seen, Seen::Records { records: Reading::Files(_), .. })) {
            shared.world.offload(move || Look::of(seen, most)).await
        } else {
            Look::of(seen, most)
        }
    }

    fn see(&self, wanted: &Wanted) -> Seen {
        let partition = match &wanted.source {
            Ok(partition) => partition,
            Err(code) => return Seen::Told(Found::Unknown(*code)),
        };
        let bytes = self.max_bytes.and_then(|most| Some(wanted.max_bytes?.min(most))).unwrap_or(0);
        let read = partition.read(wanted.position, self.isolation, ReadLimit { bytes, first: FirstBatch::Always });
        Seen::Told(match read {
            Ok(Read { records, marks }) => return Seen::Records { records, marks, max_bytes: wanted.max_bytes },
            Err(ReadError::Diverging(known)) => {
                let ends = EpochEndOffset { epoch: known.epoch, end_offset: known.end, ..Default::default() };
                Found::Diverging(ends, partition.marks())
            }
            Err(ReadError::Epoch(EpochError::Fenced)) => Found::Fenced(partition.marks().epoch),
            Err(error) => Found::Error(error.code()),
        })
    }

    /// Waits until there are enough bytes, or an error to tell.
    async fn await_records(&self) {
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

    fn answer(&self, look: Look) -> Encoded {
        let form = Form::of(self.head.version, FetchResponse::FLEXIBLE_FROM);
        let mut into = begin_response(self.head.key, self.head.correlation_id, form);
        let is_fenced = look.found.iter().any(|found| matches!(found, Found::Fenced(_)));
        let node_endpoints =
            if is_fenced && self.head.version >= LEADERS_FROM { vec![self.endpoint()] } else { vec![] };
        let answer =
            FetchAnswer { error_code: self.error.code(), node_endpoints: &node_endpoints, ..FetchAnswer::default() };
        let mut found = self.wanted.iter().zip(look.found);
        let topics = self.topics.iter().map(|topic| {
            let own: Vec<_> = found.by_ref().take(topic.partitions).collect();
            FetchTopicAnswer {
                topic: &topic.key.name,
                topic_id: topic.key.id,
                partitions: own.into_iter().map(|(wanted, found)| self.partition(wanted.index, found)),
            }
        });
        encode_response(&mut into, self.head.version, answer, topics)
            .expect("every field fits the version that was asked for");
        finish_frame(into)
    }

    fn endpoint(&self) -> FetchNodeEndpoint {
        FetchNodeEndpoint {
            node_id: self.node,
            host: self.head.advertised.host.clone(),
            port: i32::from(self.head.advertised.port),
            rack: self.rack.clone(),
            ..FetchNodeEndpoint::default()
        }
    }

    fn partition(&self, index: PartitionIndex, found: Found) -> PartitionAnswer {
        let nothing = FetchPartitionResponse {
            partition_index: index,
            high_watermark: Offset(-1),
            last_stable_offset: Offset(-1),
            log_start_offset: Offset(-1),
            aborted_transactions: None,
            records: Some(bytes::Bytes::new()),
            ..FetchPartitionResponse::default()
        };
        let aborted_transactions = (self.isolation == Isolation::TxnCommitted).then(Vec::new);
        let refused = match found {
            Found::Records(batches, marks) => {
                return PartitionAnswer::Fetched(FetchedPartition {
                    index,
                    high_watermark: marks.high_watermark,
                    last_stable_offset: marks.last_stable_offset,
                    log_start_offset: marks.log_start,
                    aborted_transactions,
                    batches,
                });
            }
            Found::Diverging(diverging_epoch, marks) => FetchPartitionResponse {
                diverging_epoch,
                high_watermark: marks.high_watermark,
                last_stable_offset: marks.last_stable_offset,
                log_start_offset: if self.head.version >= 5 { marks.log_start } else { Offset(-1) },
                aborted_transactions,
                ..nothing
            },
            Found::Fenced(epoch) => FetchPartitionResponse {
                error_code: ErrorCode::FencedLeaderEpoch.code(),
                current_leader: if self.head.version >= LEADERS_FROM {
                    FetchLeader { leader_id: self.node, leader_epoch: epoch, ..FetchLeader::default() }
                } else {
                    FetchLeader::default()
                },
                ..nothing
            },
            Found::Error(code) => FetchPartitionResponse { error_code: code.code(), ..nothing },
            Found::Unknown(code) => FetchPartitionResponse {
                error_code: code.code(),
                aborted_transactions: (code != ErrorCode::NotLeaderOrFollower).then(Vec::new),
                ..nothing
            },
        };
        PartitionAnswer::Refused(refused)
    }
}

impl Wanted {
    fn new(partition: &FetchPartition, source: Result<Arc<Partition>, ErrorCode>) -> Wanted {
        Wanted {
            index: partition.partition,
            position: FetchPosition {
                offset: partition.fetch_offset,
                // Any negative epoch is none.
                current_epoch: partition.current_leader_epoch.max(LeaderEpoch::NONE),
                last_fetched_epoch: partition.last_fetched_epoch,
            },
            max_bytes: usize::try_from(partition.partition_max_bytes).ok(),
            source,
        }
    }
}

/// What of a partition a waiting fetch has counted.
struct Counted {
    bytes: usize,
    end: Offset,
}

/// A partition of the answer: with records, or without.
enum PartitionAnswer {
    Fetched(FetchedPartition),
    Refused(FetchPartitionResponse),
}

impl FetchPartitionAnswer for PartitionAnswer {
    fn write(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        match self {
            PartitionAnswer::Fetched(partition) => partition.write(into, version),
            PartitionAnswer::Refused(partition) => partition.write(into, version),
        }
    }
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

impl ReadError {
    fn code(self) -> ErrorCode {
        match self {
            ReadError::Epoch(EpochError::Fenced) => ErrorCode::FencedLeaderEpoch,
            ReadError::Epoch(EpochError::Unknown) => ErrorCode::UnknownLeaderEpoch,
            ReadError::OutOfRange | ReadError::Diverging(_) => ErrorCode::OffsetOutOfRange,
            ReadError::Offline => ErrorCode::KafkaStorageError,
            ReadError::Deleted => ErrorCode::UnknownTopicOrPartition,
        }
    }
}
