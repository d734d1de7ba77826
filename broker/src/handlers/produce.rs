//! Produce (key 0), versions 3-13.
//!
//! Every batch is verified before anything is appended; then each partition is locked once, its batch gets its offset
//! and goes to the journal's queue, and the connection reads on. The answer leaves when the records are acknowledged:
//! under `acks=all` when the high watermark has passed them, under `acks=1` when they are stable here, which on a single
//! replica is the same mark. `acks=0` is not answered; what is wrong with it closes the connection.
//!
//! ApiVersions lists 0-13 (KAFKA-18659). v7 zstd, v8 errors of single records, v9 flexible, v10 the current leader,
//! v12 transactions add their partitions by themselves, v13 topic ids.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use thalweg_log::Journal;
use thalweg_log::journal::{Full, Reservation};
use thalweg_log::log::{Mark, journal_bytes};
use thalweg_log::tail::Blocks;
use thalweg_messages::Message;
use thalweg_messages::produce::{
    BatchIndexError, ProducePartitionResponse, ProduceResponse, ProduceTopicAnswer, ProduceView, encode_response,
};
use thalweg_replica::AppendError;
use thalweg_wire::batch::{
    BatchError, Codec, Codecs, Compression, HEADER_BYTES, Header, Invalid, Scratch, Verified, verify,
};
use thalweg_wire::codec::{Encoded, Form};
use thalweg_wire::frame::{begin_response, finish_frame};
use thalweg_wire::{ErrorCode, Offset, PartitionIndex, Timestamp, TopicId};

use super::by_partition::{ByPartition, Gathered};
use super::{Answer, Api, Close, Flow, Head, Request, answerable};
use crate::broker::Shared;
use crate::budgets::SMALL_FRAME_BYTES;
use crate::cluster::Topic;
use crate::partition::{Appended, Durability, Partition};
use crate::waiters::{Countdown, Wakes};

/// The versions served.
pub const API: Api = Api { key: 0, versions: 3..=13, advertised: Some(0..=13), flow: Flow::Pipelined };

/// Requests with more bytes of records than this are verified off the async worker: about 0.2 ms of work.
const VERIFY_HERE_BYTES: usize = 1 << 20;

/// What a byte counts for that has to be decompressed: gzip gives 0.3 GB/s, a tenth of a plain walk, and each byte becomes
/// several. So more than 64 KiB of compressed records are too much for the worker.
const COMPRESSED_BYTE_COUNTS: usize = 16;

/// What a byte counts for on a topic that has its batches in a codec of its own: gzip and zstd compress 30 to 200 MB/s at
/// their default levels.
const RECOMPRESSED_BYTE_COUNTS: usize = 128;

thread_local! {
    /// What decompression holds, kept for the next request that this thread verifies.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// How long a producer waits for room that a checkpoint makes.
const ROOM_PATIENCE: Duration = Duration::from_secs(25);

/// What the journal gets at least before an answer says that it took too long: a client's time-out is for other replicas.
/// Kafka's leader answers with what it has written, whatever the time-out.
const OWN_DISK_PATIENCE: Duration = Duration::from_secs(5);

/// Kafka's admin client alone may write to internal topics.
const ADMIN_CLIENT: &str = "__admin_client";

/// The request's partitions, flat, in the order of the request.
struct Work {
    topics: Vec<Gathered<Name>>,
    partitions: Vec<Part>,
}

/// A topic's name up to v12, its id from v13 on.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Name {
    name: String,
    id: TopicId,
}

struct Part {
    index: PartitionIndex,
    state: State,
}

/// How far a partition's batch has come.
enum State {
    /// Looked up; the bytes as they came.
    Received(Arc<Partition>, Arc<Topic>, bytes::Bytes),
    /// It obeys every rule.
    Verified(Arc<Partition>, Box<Verified>),
    /// It has its place.
    Appended(Arc<Partition>, Appended),
    /// Not taken.
    Refused(Refusal),
}

struct Refusal {
    code: ErrorCode,
    message: Option<String>,
    records: Vec<BatchIndexError>,
    found: Found,
}

/// When Kafka finds a mistake, which decides what it says beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    /// While it reads the request, before it looks at the acks.
    Reading,
    /// While the leader prepares to append.
    Appending,
    /// While the leader goes over the records: where the log starts is told, from v5 on.
    Validating(Offset),
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Refusal {
        Refusal { code, message: None, records: Vec::new(), found: Found::Reading }
    }
}

impl Refusal {
    fn of_append(error: AppendError, partition: &Partition) -> Refusal {
        match error {
            AppendError::Failed if partition.is_deleted() => ErrorCode::UnknownTopicOrPartition.into(),
            AppendError::Failed => error.code().into(),
            AppendError::Sequence(_) => Refusal {
                message: Some(error.to_string()),
                found: Found::Validating(partition.marks().log_start),
                ..error.code().into()
            },
        }
    }

    fn of_batch(error: &BatchError, partition: &Partition) -> Refusal {
        let records = error.record_errors().iter();
        Refusal {
            code: error.code(),
            message: Some(error.to_string()),
            found: match error {
                BatchError::Invalid(Invalid::NoBatch | Invalid::ManyBatches | Invalid::OldMagic(_))
                | BatchError::UnsupportedCompression(_) => Found::Reading,
                BatchError::Corrupt(_) | BatchError::TooLarge { .. } | BatchError::LargerThanSegment { .. } => {
                    Found::Appending
                }
                BatchError::Invalid(_) | BatchError::Records(_) => Found::Validating(partition.marks().log_start),
            },
            records: records
                .map(|record| BatchIndexError {
                    batch_index: record.index,
                    batch_index_error_message: Some(record.fault.message().to_owned()),
                    ..BatchIndexError::default()
                })
                .collect(),
        }
    }
}

/// Takes a request; the answer may come later.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let (head, body, permit) = request.into_parts();
    let body_bytes = body.len();
    let view = ProduceView::parse(body, head.version).map_err(|error| format!("a bad ProduceRequest: {error}"))?;
    let (acks, timeout) = (view.acks(), Duration::from_millis(view.timeout_ms().max(0).unsigned_abs().into()));
    let mut work = look_up(shared, &head, &view, body_bytes).await?;
    drop(view);
    let known = if head.version >= 7 { Codecs::All } else { Codecs::BeforeZstd };
    work = verify_all(shared, work, known).await;
    let countdown = Countdown::new();
    match acks {
        -1..=1 => append_all(shared, &mut work, acks, &countdown).await,
        _ => work.refuse_acks(),
    }
    // The records are copied into the log's memory, or refused: the request's memory is free.
    drop(permit);
    if acks == 0 {
        return match work.first_refusal() {
            None => Ok(Answer::None),
            Some(code) => Err(format!("a produce with acks=0 failed: {code}")),
        };
    }
    let shared = shared.clone();
    Ok(Answer::Later(Box::pin(async move {
        let arrived = tokio::select! {
            biased;
            () = countdown.wait() => !countdown.failed(),
            () = shared.world.clock.sleep(timeout.max(OWN_DISK_PATIENCE)), if acks == -1 => false,
        };
        let waited = if arrived { Waited::AllArrived } else { Waited::InVain };
        Some(answer(&head, &work, waited).into())
    })))
}

async fn look_up(shared: &Shared, head: &Head, view: &ProduceView, body_bytes: usize) -> Result<Work, Close> {
    let named: usize = view.topics().map(|topic| topic.partitions.len()).sum();
    if body_bytes > SMALL_FRAME_BYTES && named > body_bytes / HEADER_BYTES {
        return Err(format!("{named} partitions, and no room for as many batches"));
    }
    // Transactions aren't served. One batch of one is enough to refuse the request as a whole, as in Kafka.
    let transactional = view.transactional_id().is_some()
        || view.topics().any(|topic| {
            let mut partitions = topic.partitions;
            partitions.any(|partition| partition.records.is_some_and(|records| is_transactional(&records)))
        });
    let mut request = ByPartition::new();
    for topic in view.topics() {
        let found = if head.version >= 13 {
            shared.cluster.topic_by_id(topic.topic_id).ok_or(ErrorCode::UnknownTopicId)
        } else {
            shared.cluster.topic(&topic.name).ok_or(ErrorCode::UnknownTopicOrPartition)
        };
        let found = match found {
            _ if transactional => Err(ErrorCode::TransactionalIdAuthorizationFailed),
            Ok(topic) if topic.is_internal() && *head.client_id != *ADMIN_CLIENT => {
                Err(ErrorCode::InvalidTopicException)
            }
            found => found,
        };
        let place = request.topic(Name { name: answerable(topic.name)?.into_owned(), id: topic.topic_id });
        for partition in topic.partitions {
            let leader = match &found {
                Ok(topic) => shared.leader_of(topic, partition.index).await.map(|leader| (leader, topic.clone())),
                Err(code) => Err(*code),
            };
            let state = match leader {
                Ok((leader, topic)) => State::Received(leader, topic, partition.records.unwrap_or_default()),
                Err(code) => State::Refused(code.into()),
            };
            request.put(place, partition.index, Part { index: partition.index, state });
        }
    }
    let (topics, partitions) = request.finish();
    Ok(Work { topics, partitions })
}

async fn verify_all(shared: &Shared, mut work: Work, known: Codecs) -> Work {
    let bytes: usize = work.partitions.iter().map(|part| part.state.bytes_to_verify()).sum();
    let now = shared.world.clock.wall();
    if bytes <= VERIFY_HERE_BYTES {
        work.verify(known, now);
        return work;
    }
    shared
        .world
        .offload(move || {
            work.verify(known, now);
            work
        })
        .await
}

/// Whether the first batch says that it is part of a transaction; whatever else it is is looked at later.
fn is_transactional(records: &[u8]) -> bool {
    records.first_chunk().is_some_and(|header| Header::from_bytes(*header).is_transactional())
}

async fn append_all(shared: &Shared, work: &mut Work, acks: i16, countdown: &Arc<Countdown>) {
    work.refuse_larger(shared.journal.entry_bytes_max());
    if shared.write_out.is_at_reserve() {
        work.refuse_at_reserve();
    }
    let mut blocks = Blocks::for_batches(work.verified().map(|(_, batch)| batch.batch().records().len()));
    let now = shared.world.clock.wall();
    let countdown = (acks != 0).then_some(countdown);
    // In pieces, because room is promised as if each entry had a frame to itself: ten thousand small ones together would
    // ask for more than a small journal ever has.
    let mut rest = &mut work.partitions[..];
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at_mut(in_one_promise(&shared.journal, rest));
        let mut wakes = Wakes::default();
        let appended = append_piece(shared, piece, now, acks, &mut blocks, countdown, &mut wakes).await;
        // Before the next piece waits for room, which these may have to make.
        shared.partitions.settle(wakes);
        if appended.is_err() {
            // Full, or a write failed. Either way the client may try again: a restart or another replica may serve it.
            work.refuse_rest(ErrorCode::KafkaStorageError);
            break;
        }
        rest = behind;
    }
}

/// How many of these partitions are appended under one promise of the journal: one at least.
fn in_one_promise(journal: &Journal<Mark>, parts: &[Part]) -> usize {
    let mut promised = 0;
    let fitting = parts.iter().take_while(|part| {
        promised += part.state.journal_entry_bytes().map_or(0, |bytes| journal.promise_bytes(1, bytes));
        promised <= journal.piece_bytes()
    });
    fitting.count().max(1)
}

/// Appends the batches of some partitions, in their order, once the journal has room for them.
async fn append_piece(
    shared: &Shared,
    piece: &mut [Part],
    now: Timestamp,
    acks: i16,
    blocks: &mut Blocks,
    countdown: Option<&Arc<Countdown>>,
    wakes: &mut Wakes,
) -> Result<(), Full> {
    if piece.iter().all(|part| part.state.verified().is_none()) {
        return Ok(());
    }
    let (entries, bytes) = piece
        .iter()
        .filter_map(|part| part.state.journal_entry_bytes())
        .fold((0, 0), |(entries, bytes), entry| (entries + 1, bytes + entry));
    // Producers are slowed, by not being read, when memory or the journal is full; a checkpoint makes room in both. If it
    // can't, because the disk is full, they are told.
    let mut reservation = tokio::select! {
        biased;
        reserved = reserve(shared, entries, bytes) => reserved?,
        () = shared.world.clock.sleep(ROOM_PATIENCE) => return Err(Full::NoRoom),
    };
    for part in piece {
        let Some((partition, _)) = part.state.verified() else { continue };
        let partition = partition.clone();
        if acks == -1 && !partition.has_enough_in_sync() {
            part.state = State::Refused(ErrorCode::NotEnoughReplicas.into());
            continue;
        }
        let State::Verified(_, batch) = std::mem::replace(&mut part.state, State::Refused(ErrorCode::None.into()))
        else {
            continue;
        };
        let batch = batch.rehoused(|records| blocks.keep(records));
        part.state = match partition.append(now, batch, &mut reservation, countdown, wakes) {
            Ok(appended) => State::Appended(partition.clone(), appended),
            Err(error) => State::Refused(Refusal::of_append(error, &partition)),
        };
    }
    shared.journal.wake();
    Ok(())
}

async fn reserve(shared: &Shared, entries: usize, bytes: usize) -> Result<Reservation<Mark>, Full> {
    shared.write_out.relief().await;
    match shared.journal.reserve(entries, bytes) {
        Err(Full::NoRoom) => {
            shared.write_out.checkpoint_soon();
            shared.journal.reserve_soon(entries, bytes).await
        }
        reserved => reserved,
    }
}

/// How the wait for the high watermarks ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waited {
    /// All that was appended is acknowledged.
    AllArrived,
    /// Time is up, or a partition failed: each has to be looked at.
    InVain,
}

/// The answer as things stand: those whose records are not acknowledged now have timed out or failed.
fn answer(head: &Head, work: &Work, waited: Waited) -> Encoded {
    let form = Form::of(head.version, ProduceResponse::FLEXIBLE_FROM);
    let mut into = begin_response(head.key, head.correlation_id, form);
    let mut partitions = work.partitions.iter();
    let topics = work.topics.iter().map(|topic| {
        let own: Vec<_> =
            partitions.by_ref().take(topic.partitions).map(|part| part.response(head.version, waited)).collect();
        ProduceTopicAnswer { name: &topic.key.name, topic_id: topic.key.id, partitions: own.into_iter() }
    });
    encode_response(&mut into, head.version, topics, 0, &[]).expect("every field fits the version that was asked for");
    finish_frame(into)
}

impl Work {
    fn verified(&self) -> impl Iterator<Item = (&Arc<Partition>, &Verified)> {
        self.partitions.iter().filter_map(|part| part.state.verified())
    }

    fn verify(&mut self, known: Codecs, now: Timestamp) {
        SCRATCH.with_borrow_mut(|scratch| {
            for part in &mut self.partitions {
                if let State::Received(partition, topic, records) = &mut part.state {
                    part.state = match verify(std::mem::take(records), topic.rules(), known, now, scratch) {
                        Ok(batch) => State::Verified(partition.clone(), Box::new(batch)),
                        Err(error) => State::Refused(Refusal::of_batch(&error, partition)),
                    };
                }
            }
        });
    }

    fn refuse_rest(&mut self, code: ErrorCode) {
        for part in &mut self.partitions {
            if part.state.verified().is_some() {
                part.state = State::Refused(code.into());
            }
        }
    }

    /// The acks make no sense. What Kafka would have found before it looked at them stays as it is.
    fn refuse_acks(&mut self) {
        for part in &mut self.partitions {
            if !matches!(&part.state, State::Refused(Refusal { found: Found::Reading, .. })) {
                part.state = State::Refused(ErrorCode::InvalidRequiredAcks.into());
            }
        }
    }

    /// Batches that no frame of the journal could ever hold: to try them again would not help.
    fn refuse_larger(&mut self, largest: usize) {
        for part in &mut self.partitions {
            if part.state.verified().is_some_and(|(_, batch)| journal_bytes(batch.batch()) > largest) {
                part.state = State::Refused(ErrorCode::RecordListTooLarge.into());
            }
        }
    }

    /// The disk has only its reserve. What stays in memory takes none of it.
    fn refuse_at_reserve(&mut self) {
        for part in &mut self.partitions {
            let on_disk = |partition: &Partition| !matches!(partition.durability(), Durability::Memory(_));
            if part.state.verified().is_some_and(|(partition, _)| on_disk(partition)) {
                part.state = State::Refused(ErrorCode::KafkaStorageError.into());
            }
        }
    }

    fn first_refusal(&self) -> Option<ErrorCode> {
        self.partitions.iter().find_map(|part| match &part.state {
            State::Refused(refusal) => Some(refusal.code),
            _ => None,
        })
    }
}

impl State {
    /// How much work it is to verify, in bytes of uncompressed records.
    fn bytes_to_verify(&self) -> usize {
        let State::Received(_, topic, records) = self else { return 0 };
        let header = records.first_chunk().map(|bytes| Header::from_bytes(*bytes));
        let sent = header.and_then(|header| header.codec()).unwrap_or(Codec::None);
        let stored = topic.rules().compression.map_or(sent, Compression::codec);
        let counts = match (sent, stored) {
            (Codec::None, Codec::None) => 1,
            (sent, stored) if sent == stored || stored == Codec::None => COMPRESSED_BYTE_COUNTS,
            _ => RECOMPRESSED_BYTE_COUNTS,
        };
        records.len().saturating_mul(counts)
    }

    /// What it takes in the journal, if it goes there.
    fn journal_entry_bytes(&self) -> Option<usize> {
        let (_, batch) = self.verified().filter(|(partition, _)| partition.durability() == Durability::Journal)?;
        Some(journal_bytes(batch.batch()))
    }

    fn verified(&self) -> Option<(&Arc<Partition>, &Verified)> {
        match self {
            State::Verified(partition, batch) => Some((partition, batch)),
            _ => None,
        }
    }
}

impl Appended {
    fn outcome(&self, partition: &Partition, waited: Waited) -> Result<(), ErrorCode> {
        if waited == Waited::AllArrived { Ok(()) } else { partition.acknowledged(self.end) }
    }
}

impl Part {
    fn response(&self, version: i16, waited: Waited) -> ProducePartitionResponse {
        let refused = |refusal: &Refusal| ProducePartitionResponse {
            index: self.index,
            error_code: refusal.code.code(),
            base_offset: Offset(-1),
            log_append_time_ms: -1,
            log_start_offset: match refusal.found {
                Found::Validating(log_start) if version >= 5 => log_start,
                _ => Offset(-1),
            },
            record_errors: if version >= 8 { refusal.records.clone() } else { Vec::new() },
            error_message: refusal.message.clone().filter(|_| version >= 8),
            ..ProducePartitionResponse::default()
        };
        match &self.state {
            State::Appended(partition, appended) => match appended.outcome(partition, waited) {
                Ok(()) => ProducePartitionResponse {
                    index: self.index,
                    base_offset: appended.base,
                    log_append_time_ms: appended.append_time.millis(),
                    log_start_offset: if version >= 5 { appended.log_start } else { Offset(-1) },
                    ..ProducePartitionResponse::default()
                },
                Err(code) => refused(&code.into()),
            },
            State::Refused(refusal) => refused(refusal),
            State::Received(..) | State::Verified(..) => refused(&ErrorCode::UnknownServerError.into()),
        }
    }
}
