//! Fetch (key 1), versions 4-18.
//!
//! Whole batches from the one that holds the offset on, up to the high watermark. The answer leaves at once when there
//! are `min_bytes`, or an error, or nothing to wait for; otherwise it waits for records to come, without looking at
//! partitions that did not move. The first batch of an answer is given whatever its size, so that a small limit never
//! stops a reader.
//!
//! A session (KIP-227, [`crate::fetch_session`]) remembers what a client wants: its requests name what changed, its answers
//! what is news.
//!
//! v5 log start, v7 sessions, v9 leader epochs, v11 rack, v12 flexible and diverging epochs (KIP-595), v13 topic ids,
//! v15 the replica's state is tagged, v16 endpoints of leaders, v17 directories, v18 the follower's high watermark.

use std::sync::Arc;
use std::time::Duration;

use thalweg_log::log::{FirstBatch, ReadLimit, Reading, within};
use thalweg_messages::Message;
use thalweg_messages::fetch::{
    EpochEndOffset, FetchAnswer, FetchLeader, FetchNodeEndpoint, FetchPartitionAnswer, FetchPartitionResponse,
    FetchResponse, FetchSettings, FetchTopicAnswer, FetchView, FetchedPartition, encode_response,
};
use thalweg_replica::Isolation;
use thalweg_wire::batch::Batch;
use thalweg_wire::codec::{EncodeError, Encoded, Encoder, Form};
use thalweg_wire::frame::{begin_response, finish_frame};
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, PartitionIndex};

use super::by_partition::{ByPartition, Gathered};
use super::{Answer, Api, Close, Flow, Head, Request, answerable};
use crate::broker::Shared;
use crate::fetch_session::{Interest, Key, Naming, Resumed, Session, Told, TopicKey};
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
    session: Context,
    /// Topics in a row, and how many of `wanted` are of each. In a session a topic may come more than once.
    topics: Vec<Gathered<Arc<TopicKey>>>,
    wanted: Vec<Wanted>,
}

/// The session of a request.
enum Context {
    /// None.
    Sessionless,
    /// One is to be opened, for what is answered.
    Opening,
    /// One that stands.
    Standing(Arc<Session>),
}

struct Wanted {
    key: Key,
    interest: Interest,
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
    let (session, asked) = match in_session(shared, &head, &view)? {
        Asked::For(session, asked) => (session, asked),
        Asked::OutOfStep(code) => {
            let error_code = code.code();
            return Ok(Answer::Now(head.answer(&FetchResponse { error_code, ..FetchResponse::default() })?));
        }
    };
    let settings = view.settings();
    drop(view);
    let plan = Plan::new(shared, head, settings, isolation, session, asked).await;
    drop(permit);
    let look = plan.look(shared).await;
    if look.has_news || look.bytes >= plan.min_bytes || plan.max_wait.is_zero() || plan.has_nothing_to_wait_for() {
        return Ok(Answer::Now(plan.answer(shared, look)));
    }
    drop(look);
    let Some(room) = shared.memory.waiting_fetch(plan.bytes()) else {
        return Ok(Answer::Now(plan.answer(shared, plan.look(shared).await)));
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
        Some(plan.answer(&shared, look))
    })))
}

/// What a request asks.
enum Asked {
    /// For these partitions.
    For(Context, Vec<(Key, Interest)>),
    /// In a session that isn't there, or is elsewhere.
    OutOfStep(ErrorCode),
}

/// What a request stands for: the partitions that it names, or those of its session.
fn in_session(shared: &Shared, head: &Head, view: &FetchView) -> Result<Asked, Close> {
    let FetchSettings { session_id, session_epoch, .. } = view.settings();
    let named = named(view)?;
    let sessions = &shared.fetch_sessions;
    match session_epoch {
        // Both bring every partition, and end a session that there was.
        FINAL_EPOCH | FIRST_EPOCH => {
            sessions.close(session_id);
            let opens = session_epoch == FIRST_EPOCH;
            Ok(Asked::For(if opens { Context::Opening } else { Context::Sessionless }, named))
        }
        epoch => {
            let mut forgotten = Vec::new();
            for topic in view.forgotten() {
                let name = topic.topic.into_owned();
                let key = Arc::new(TopicKey { name, id: topic.topic_id });
                forgotten.extend(topic.partitions.map(|index| Key { topic: key.clone(), index }));
            }
            let now = shared.world.clock.now();
            Ok(match sessions.resume(now, (session_id, epoch), naming(head.version), named, &forgotten) {
                Ok(Resumed { session, wanted }) => Asked::For(Context::Standing(session), wanted),
                Err(code) => Asked::OutOfStep(code),
            })
        }
    }
}

/// "No session", or the last request of one.
const FINAL_EPOCH: i32 = -1;

/// "Open a session."
const FIRST_EPOCH: i32 = 0;

fn naming(version: i16) -> Naming {
    if version >= 13 { Naming::Ids } else { Naming::Names }
}

/// The partitions that a request names, each once.
fn named(view: &FetchView) -> Result<Vec<(Key, Interest)>, Close> {
    let mut request = ByPartition::new();
    for topic in view.topics() {
        let key = Arc::new(TopicKey { name: answerable(topic.topic)?.into_owned(), id: topic.topic_id });
        let place = request.topic(key);
        for partition in topic.partitions {
            let interest = Interest {
                offset: partition.fetch_offset,
                current_epoch: partition.current_leader_epoch,
                last_fetched_epoch: partition.last_fetched_epoch,
                max_bytes: partition.partition_max_bytes,
            };
            request.put(place, partition.partition, (partition.partition, interest));
        }
    }
    let (topics, wanted) = request.finish();
    let keys = topics.iter().flat_map(|topic| std::iter::repeat_n(&topic.key, topic.partitions));
    Ok(keys.zip(wanted).map(|(topic, (index, interest))| (Key { topic: topic.clone(), index }, interest)).collect())
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

/// Bytes of files that are read without another thread, if the page cache has them: about 0.2 ms of work.
const READ_HERE_BYTES: usize = 1 << 20;

/// And how many partitions are.
const READ_HERE_MAX: usize = 16;

/// Reads what is in files if nothing of it has to be waited for, and it isn't much. What is not read here stays as it is.
fn read_here(seen: &mut [Seen], most: Limit) {
    let mut left = READ_HERE_BYTES;
    let records = seen.iter_mut().filter_map(|seen| match seen {
        Seen::Records { records, max_bytes, .. } => Some((records, *max_bytes)),
        Seen::Told(_) => None,
    });
    let in_files = records.filter(|(records, _)| matches!(records, Reading::Files(_)));
    for (records, max_bytes) in in_files.take(READ_HERE_MAX) {
        let Reading::Files(files) = records else { continue };
        let limit = most.zip(max_bytes).map_or(0, |(most, max_bytes)| left.min(most).min(max_bytes));
        let Some(batches) = files.read_cached(limit) else { return };
        left -= batches.iter().map(Batch::byte_length).sum::<usize>();
        *records = Reading::Memory(batches);
    }
}

impl Plan {
    async fn new(
        shared: &Shared,
        head: Head,
        settings: FetchSettings,
        isolation: Result<Isolation, ErrorCode>,
        session: Context,
        asked: Vec<(Key, Interest)>,
    ) -> Plan {
        let mut topics: Vec<Gathered<Arc<TopicKey>>> = Vec::new();
        let mut wanted = Vec::with_capacity(asked.len());
        let mut topic = Err(ErrorCode::UnknownTopicOrPartition);
        for (key, interest) in asked {
            match topics.last_mut().filter(|last| last.key == key.topic) {
                Some(same) => same.partitions += 1,
                None => {
                    let found = if head.version >= 13 {
                        shared.cluster.topic_by_id(key.topic.id).ok_or(ErrorCode::UnknownTopicId)
                    } else {
                        shared.cluster.topic(&key.topic.name).ok_or(ErrorCode::UnknownTopicOrPartition)
                    };
                    topic = match settings.replica_id.0 {
                        // There is no other replica that could ask.
                        FIRST_REPLICA.. => found.and(Err(ErrorCode::NotLeaderOrFollower)),
                        _ => isolation.and(found),
                    };
                    topics.push(Gathered { key: key.topic.clone(), partitions: 1 });
                }
            }
            let source = match &topic {
                Ok(topic) => shared.leader_of(topic, key.index).await,
                Err(code) => Err(*code),
            };
            wanted.push(Wanted::new(key, interest, source));
        }
        let most = shared.settings.requests.fetch_bytes;
        Plan {
            node: shared.settings.node,
            rack: shared.settings.rack.clone(),
            isolation: isolation.unwrap_or(Isolation::HighWatermark),
            error: isolation.err().unwrap_or(ErrorCode::None),
            max_bytes: usize::try_from(settings.max_bytes).ok().map(|bytes| bytes.min(most)),
            min_bytes: usize::try_from(settings.min_bytes).unwrap_or(0).min(most),
            max_wait: Duration::from_millis(settings.max_wait_ms.max(0).unsigned_abs().into()),
            head,
            session,
            topics,
            wanted,
        }
    }

    /// What is kept of it while it waits, in bytes.
    fn bytes(&self) -> usize {
        let names: usize = self.topics.iter().map(|topic| topic.key.name.len()).sum();
        let topics = self.topics.len() * size_of::<Gathered<Arc<TopicKey>>>();
        names + topics + self.wanted.len() * (size_of::<Wanted>() + SUBSCRIPTION_BYTES) + size_of::<Plan>()
    }

    /// As in Kafka, a partition that can't be read doesn't hurry the answer for those that can: a client that asks for
    /// it over and over, until it has fresh metadata, would else do so without a pause.
    fn has_nothing_to_wait_for(&self) -> bool {
        self.wanted.iter().all(|wanted| wanted.source.is_err())
    }

    /// Reads every partition within the limits: from memory, and where one may block from files, if one is behind.
    async fn look(&self, shared: &Shared) -> Look {
        let mut seen: Vec<Seen> = self.wanted.iter().map(|wanted| self.see(wanted)).collect();
        let most = self.max_bytes;
        read_here(&mut seen, most);
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

    fn answer(&self, shared: &Shared, look: Look) -> Encoded {
        let form = Form::of(self.head.version, FetchResponse::FLEXIBLE_FROM);
        let mut into = begin_response(self.head.key, self.head.correlation_id, form);
        let is_fenced = look.found.iter().any(|found| matches!(found, Found::Fenced(_)));
        let node_endpoints =
            if is_fenced && self.head.version >= LEADERS_FROM { vec![self.endpoint()] } else { vec![] };
        let (session_id, named) = self.tell_session(shared, &look);
        let answer = FetchAnswer {
            error_code: self.error.code(),
            session_id,
            node_endpoints: &node_endpoints,
            ..FetchAnswer::default()
        };
        let mut found = self.wanted.iter().zip(look.found).zip(named);
        let topics = self.topics.iter().filter_map(|topic| {
            let own = found.by_ref().take(topic.partitions).filter(|(_, named)| *named);
            let partitions: Vec<_> = own.map(|((wanted, found), _)| self.partition(wanted.key.index, found)).collect();
            let is_named = !partitions.is_empty();
            is_named.then(|| FetchTopicAnswer {
                topic: &topic.key.name,
                topic_id: topic.key.id,
                partitions: partitions.into_iter(),
            })
        });
        let topics: Vec<_> = topics.collect();
        encode_response(&mut into, self.head.version, answer, topics.into_iter())
            .expect("every field fits the version that was asked for");
        finish_frame(into)
    }

    /// The session's id, and which partitions the answer names.
    fn tell_session(&self, shared: &Shared, look: &Look) -> (i32, Vec<bool>) {
        let told = || self.wanted.iter().zip(&look.found).map(|(wanted, found)| (wanted.key.clone(), found.told()));
        match &self.session {
            Context::Sessionless => (0, vec![true; self.wanted.len()]),
            Context::Opening => {
                let answered = self.wanted.iter().zip(told());
                let answered = answered.map(|(wanted, (key, told))| (key, wanted.interest, told)).collect();
                let id = shared.fetch_sessions.open(shared.world.clock.now(), naming(self.head.version), answered);
                (id, vec![true; self.wanted.len()])
            }
            Context::Standing(session) => (session.id(), session.answer(&told().collect::<Vec<_>>())),
        }
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
    fn new(key: Key, interest: Interest, source: Result<Arc<Partition>, ErrorCode>) -> Wanted {
        Wanted {
            key,
            interest,
            position: FetchPosition {
                offset: interest.offset,
                // Any negative epoch is none.
                current_epoch: interest.current_epoch.max(LeaderEpoch::NONE),
                last_fetched_epoch: interest.last_fetched_epoch,
            },
            max_bytes: usize::try_from(interest.max_bytes).ok(),
            source,
        }
    }
}

impl Found {
    /// What of it a session has to know.
    fn told(&self) -> Told {
        match self {
            Found::Records(batches, marks) => Told::Marks {
                high_watermark: marks.high_watermark,
                log_start: marks.log_start,
                records: !batches.is_empty(),
            },
            Found::Diverging(..) | Found::Fenced(_) | Found::Error(_) | Found::Unknown(_) => Told::Always,
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
    /// What the client is told.
    pub(super) fn code(self) -> ErrorCode {
        match self {
            ReadError::Epoch(EpochError::Fenced) => ErrorCode::FencedLeaderEpoch,
            ReadError::Epoch(EpochError::Unknown) => ErrorCode::UnknownLeaderEpoch,
            ReadError::OutOfRange | ReadError::Diverging(_) => ErrorCode::OffsetOutOfRange,
            ReadError::Offline => ErrorCode::KafkaStorageError,
            ReadError::Deleted => ErrorCode::UnknownTopicOrPartition,
        }
    }
}
