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

mod answer;
mod look;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use thalweg_messages::fetch::{FetchResponse, FetchSettings, FetchView};
use thalweg_replica::Isolation;
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch};

use super::by_partition::ByPartition;
use super::{Answer, Api, Close, Flow, Head, Request, answerable};
use crate::broker::Shared;
use crate::cluster::Topic;
use crate::fetch_session::{Interest, Key, Naming, Resumed, Session, TopicKey};
use crate::partition::{EpochError, FetchPosition, Partition, ReadError};

/// The versions served.
pub const API: Api = Api { key: 1, versions: 4..=18, advertised: Some(4..=18), flow: Flow::Pipelined };

/// Replica ids below zero are no replicas: -1 is a consumer, -2 and -3 are served as one.
const FIRST_REPLICA: i32 = 0;

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

/// A topic looked up, or why there is nothing to read of it.
type FoundTopic = Result<Arc<Topic>, ErrorCode>;

/// How many bytes may be read; `None` is a negative number, which is a mistake only where there is something to read.
type Limit = Option<usize>;

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

impl Plan {
    async fn new(
        shared: &Shared,
        head: Head,
        settings: FetchSettings,
        isolation: Result<Isolation, ErrorCode>,
        session: Context,
        asked: Vec<(Key, Interest)>,
    ) -> Plan {
        let mut wanted = Vec::with_capacity(asked.len());
        let mut last: Option<(Arc<TopicKey>, FoundTopic)> = None;
        for (key, interest) in asked {
            let topic = match last.take().filter(|(same, _)| *same == key.topic) {
                Some((_, topic)) => topic,
                None => {
                    let found = if head.version >= 13 {
                        shared.cluster.topic_by_id(key.topic.id).ok_or(ErrorCode::UnknownTopicId)
                    } else {
                        shared.cluster.topic(&key.topic.name).ok_or(ErrorCode::UnknownTopicOrPartition)
                    };
                    match settings.replica_id.0 {
                        // There is no other replica that could ask.
                        FIRST_REPLICA.. => found.and(Err(ErrorCode::NotLeaderOrFollower)),
                        _ => isolation.and(found),
                    }
                }
            };
            let source = match &topic {
                Ok(topic) => shared.leader_of(topic, key.index).await,
                Err(code) => Err(*code),
            };
            last = Some((key.topic.clone(), topic));
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
            wanted,
        }
    }

    /// What is kept of it while it waits, in bytes.
    fn bytes(&self) -> usize {
        let topics = self.wanted.chunk_by(|one, next| one.key.topic == next.key.topic);
        let topics: usize = topics.map(|same| same[0].key.topic.name.len() + size_of::<TopicKey>()).sum();
        topics + self.wanted.len() * (size_of::<Wanted>() + SUBSCRIPTION_BYTES) + size_of::<Plan>()
    }

    /// As in Kafka, a partition that can't be read doesn't hurry the answer for those that can: a client that asks for
    /// it over and over, until it has fresh metadata, would else do so without a pause.
    fn has_nothing_to_wait_for(&self) -> bool {
        self.wanted.iter().all(|wanted| wanted.source.is_err())
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
