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

use thalweg_log::log::{FirstBatch, ReadLimit};
use thalweg_messages::Message;
use thalweg_messages::fetch::{
    EpochEndOffset, FetchAnswer, FetchPartition, FetchPartitionAnswer, FetchPartitionResponse, FetchResponse,
    FetchTopicAnswer, FetchView, FetchedPartition, encode_response,
};
use thalweg_replica::Isolation;
use thalweg_wire::batch::Batch;
use thalweg_wire::codec::{EncodeError, Encoded, Encoder, Form};
use thalweg_wire::frame::{begin_response, finish_frame};
use thalweg_wire::{ErrorCode, Offset, PartitionIndex, TopicId};

use super::{Answer, Api, Close, Flow, Head, Request};
use crate::broker::Shared;
use crate::partition::{EpochError, FetchPosition, Marks, Partition, ReadError};
use crate::waiters::Arrivals;

/// The versions served.
pub const API: Api = Api { key: 1, versions: 4..=18, advertised: Some(4..=18), flow: Flow::Pipelined };

/// Replica ids below zero are no replicas: -1 is a consumer, -2 and -3 are served as one.
const FIRST_REPLICA: i32 = 0;

/// What a request wants, looked up.
struct Plan {
    head: Head,
    isolation: Isolation,
    max_bytes: usize,
    min_bytes: usize,
    max_wait: Duration,
    topics: Vec<TopicName>,
    wanted: Vec<Wanted>,
}

struct TopicName {
    name: String,
    id: TopicId,
    /// How many of the wanted partitions are this topic's.
    partitions: usize,
}

struct Wanted {
    index: PartitionIndex,
    position: FetchPosition,
    max_bytes: usize,
    source: Result<Arc<Partition>, ErrorCode>,
}

/// What one look at all partitions gave.
struct Look {
    found: Vec<Found>,
    bytes: usize,
    has_news: bool,
}

enum Found {
    Records(Vec<Batch>, Marks),
    Diverging(EpochEndOffset),
    Error(ErrorCode),
}

/// Takes a request; the answer may come later.
pub fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let (head, body, permit) = request.into_parts();
    let view = FetchView::parse(body, head.version).map_err(|error| format!("a bad FetchRequest: {error}"))?;
    // 0 opens a session and -1 does without: both bring every partition. Anything else belongs to a session we never gave.
    if view.settings().session_epoch > 0 || (view.settings().session_epoch == -1 && view.settings().session_id != 0) {
        let error_code = ErrorCode::FetchSessionIdNotFound.code();
        return Ok(Answer::Now(head.answer(&FetchResponse { error_code, ..FetchResponse::default() })));
    }
    let plan = Plan::new(shared, head, &view);
    drop(view);
    drop(permit);
    let look = plan.look();
    if look.has_news || look.bytes >= plan.min_bytes || plan.max_wait.is_zero() || plan.wanted.is_empty() {
        return Ok(Answer::Now(plan.answer(look)));
    }
    let shared = shared.clone();
    Ok(Answer::Later(Box::pin(async move {
        tokio::select! {
            biased;
            () = plan.await_records() => {}
            () = shared.world.clock.sleep(plan.max_wait) => {}
        }
        let look = plan.look();
        Some(plan.answer(look))
    })))
}

impl Plan {
    fn new(shared: &Shared, head: Head, view: &FetchView) -> Plan {
        let settings = view.settings();
        let isolation = match settings.isolation_level {
            1 => Isolation::TxnCommitted,
            _ => Isolation::HighWatermark,
        };
        let mut topics = Vec::new();
        let mut wanted = Vec::new();
        for topic in view.topics() {
            let found = if head.version >= 13 {
                shared.cluster.topic_by_id(topic.topic_id).ok_or(ErrorCode::UnknownTopicId)
            } else {
                shared.cluster.topic(&topic.topic).ok_or(ErrorCode::UnknownTopicOrPartition)
            };
            let found = match settings.replica_id.0 {
                // There is no other replica that could ask.
                FIRST_REPLICA.. => found.and(Err(ErrorCode::NotLeaderOrFollower)),
                _ => found,
            };
            topics.push(TopicName {
                name: topic.topic.into_owned(),
                id: topic.topic_id,
                partitions: topic.partitions.len(),
            });
            wanted.extend(topic.partitions.map(|partition: FetchPartition| Wanted {
                index: partition.partition,
                position: FetchPosition {
                    offset: partition.fetch_offset,
                    current_epoch: partition.current_leader_epoch,
                    last_fetched_epoch: partition.last_fetched_epoch,
                },
                max_bytes: usize::try_from(partition.partition_max_bytes).unwrap_or(0),
                source: match partition.partition_max_bytes {
                    ..0 => Err(ErrorCode::UnknownServerError),
                    _ => found.clone().and_then(|topic| shared.leader_of(&topic, partition.partition)),
                },
            }));
        }
        Plan {
            isolation,
            max_bytes: usize::try_from(settings.max_bytes).unwrap_or(0).min(shared.settings.requests.fetch_bytes),
            min_bytes: usize::try_from(settings.min_bytes).unwrap_or(0).min(shared.settings.requests.fetch_bytes),
            max_wait: Duration::from_millis(settings.max_wait_ms.max(0).unsigned_abs().into()),
            head,
            topics,
            wanted,
        }
    }

    /// Reads every partition within the limits.
    fn look(&self) -> Look {
        let mut look = Look { found: Vec::with_capacity(self.wanted.len()), bytes: 0, has_news: false };
        for wanted in &self.wanted {
            let first = if look.bytes == 0 { FirstBatch::Always } else { FirstBatch::IfItFits };
            let bytes = wanted.max_bytes.min(self.max_bytes.saturating_sub(look.bytes));
            let read = match &wanted.source {
                Ok(partition) => partition.read(wanted.position, self.isolation, ReadLimit { bytes, first }),
                Err(code) => {
                    look.has_news = true;
                    look.found.push(Found::Error(*code));
                    continue;
                }
            };
            look.has_news |= read.is_err();
            look.found.push(match read {
                Ok(read) => {
                    look.bytes += read.batches.iter().map(Batch::byte_length).sum::<usize>();
                    Found::Records(read.batches, read.marks)
                }
                Err(ReadError::Diverging(known)) => {
                    Found::Diverging(EpochEndOffset { epoch: known.epoch, end_offset: known.end, ..Default::default() })
                }
                Err(error) => Found::Error(error.code()),
            });
        }
        look
    }

    /// Waits until there are enough bytes, or an error to tell.
    async fn await_records(&self) {
        let subscription = Subscription::new(self);
        let mut available: Vec<usize> = Vec::with_capacity(self.wanted.len());
        for slot in 0..self.wanted.len() {
            match self.available(slot) {
                Some(bytes) => available.push(bytes),
                None => return,
            }
        }
        let mut total: usize = available.iter().sum();
        while total < self.min_bytes {
            for slot in subscription.arrivals.next().await {
                let slot = slot as usize;
                // Told again from here on: what comes after the look is not missed.
                if let Ok(partition) = &self.wanted[slot].source {
                    partition.rearm(&subscription.arrivals);
                }
                let Some(bytes) = self.available(slot) else { return };
                total = total - available[slot] + bytes;
                available[slot] = bytes;
            }
        }
    }

    /// What could be read from a partition now; `None` if it has an error to tell.
    fn available(&self, slot: usize) -> Option<usize> {
        let wanted = &self.wanted[slot];
        let partition = wanted.source.as_ref().ok()?;
        partition.available(wanted.position, self.isolation, wanted.max_bytes).ok()
    }

    fn answer(&self, look: Look) -> Encoded {
        let form = Form::of(self.head.version, FetchResponse::FLEXIBLE_FROM);
        let mut into = begin_response(self.head.key, self.head.correlation_id, form);
        let mut found = self.wanted.iter().zip(look.found);
        let topics = self.topics.iter().map(|topic| {
            let own: Vec<_> = found.by_ref().take(topic.partitions).collect();
            FetchTopicAnswer {
                topic: &topic.name,
                topic_id: topic.id,
                partitions: own.into_iter().map(|(wanted, found)| self.partition(wanted.index, found)),
            }
        });
        encode_response(&mut into, self.head.version, FetchAnswer::default(), topics)
            .expect("every field fits the version that was asked for");
        finish_frame(into)
    }

    fn partition(&self, index: PartitionIndex, found: Found) -> PartitionAnswer {
        let nothing = FetchPartitionResponse {
            partition_index: index,
            high_watermark: Offset(-1),
            last_stable_offset: Offset(-1),
            log_start_offset: Offset(-1),
            records: Some(bytes::Bytes::new()),
            ..FetchPartitionResponse::default()
        };
        match found {
            Found::Error(code) => {
                PartitionAnswer::Refused(FetchPartitionResponse { error_code: code.code(), ..nothing })
            }
            Found::Diverging(diverging_epoch) => {
                PartitionAnswer::Refused(FetchPartitionResponse { diverging_epoch, ..nothing })
            }
            Found::Records(batches, marks) => PartitionAnswer::Fetched(FetchedPartition {
                index,
                high_watermark: marks.high_watermark,
                last_stable_offset: marks.last_stable_offset,
                log_start_offset: marks.log_start,
                aborted_transactions: (self.isolation == Isolation::TxnCommitted).then(Vec::new),
                batches,
            }),
        }
    }
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
}

impl Subscription<'_> {
    fn new(plan: &Plan) -> Subscription<'_> {
        let subscription = Subscription { plan, arrivals: Arc::default() };
        for (slot, partition) in subscription.partitions() {
            partition.subscribe(&subscription.arrivals, slot);
        }
        subscription
    }

    fn partitions(&self) -> impl Iterator<Item = (u32, &Partition)> {
        (0..).zip(&self.plan.wanted).filter_map(|(slot, wanted)| Some((slot, &**wanted.source.as_ref().ok()?)))
    }
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        self.partitions().for_each(|(_, partition)| partition.unsubscribe(&self.arrivals));
    }
}

impl ReadError {
    fn code(self) -> ErrorCode {
        match self {
            ReadError::Epoch(EpochError::Fenced) => ErrorCode::FencedLeaderEpoch,
            ReadError::Epoch(EpochError::Unknown) => ErrorCode::UnknownLeaderEpoch,
            ReadError::OutOfRange | ReadError::Diverging(_) => ErrorCode::OffsetOutOfRange,
            ReadError::Offline => ErrorCode::KafkaStorageError,
        }
    }
}
