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
#[cfg(test)]
mod tests;
mod wait;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use thalweg_messages::fetch::{FetchResponse, FetchSettings, FetchView};
use thalweg_replica::Isolation;
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch};

use super::by_partition::ByPartition;
use super::{Answer, Api, Close, Flow, Head, Request, answerable};
use crate::broker::Shared;
use crate::cluster::Topic;
use crate::fetch_session::{Horizon, Interest, Key, Naming, Resumed, Scope, Session, Ticket, TopicKey};
use crate::partition::{EpochError, FetchPosition, Partition, ReadError};
use crate::waiters::SubscriptionNumber;

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
    asker: Asker,
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
    Standing(Standing),
}

struct Standing {
    session: Arc<Session>,
    /// How many partitions it had besides those that were ready: all of them can be read, and have nothing to tell.
    quiet: usize,
    /// What is behind it is news.
    horizon: Horizon,
    /// Where an entry of the session stands in the plan, by its slot.
    places: HashMap<u64, usize>,
}

/// Who asks, as far as it decides what may be read.
#[derive(Clone, Copy)]
struct Asker {
    version: i16,
    replica: BrokerId,
    isolation: Result<Isolation, ErrorCode>,
}

struct Wanted {
    key: Key,
    interest: Interest,
    position: FetchPosition,
    max_bytes: Limit,
    source: Result<Arc<Partition>, Absent>,
    /// Its entry in a session that stands, and the session's subscription.
    ticket: Option<Ticket>,
    number: Option<SubscriptionNumber>,
}

/// Why there is no partition to look at.
#[derive(Clone, Copy)]
enum Absent {
    /// It was not found, or the request makes no sense.
    Unknown(ErrorCode),
    /// It was deleted while the request waited.
    Deleted,
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
            return Ok(Answer::Now(head.answer(&FetchResponse { error_code, ..FetchResponse::default() })?.into()));
        }
        _ => Err(ErrorCode::UnknownServerError),
    };
    let settings = view.settings();
    let asker = Asker { version: head.version, replica: settings.replica_id, isolation };
    let (session, asked) = match in_session(shared, asker, &view)? {
        Asked::For(session, asked) => (session, asked),
        Asked::OutOfStep(code) => {
            let error_code = code.code();
            return Ok(Answer::Now(head.answer(&FetchResponse { error_code, ..FetchResponse::default() })?.into()));
        }
    };
    drop(view);
    let mut plan = Plan::new(shared, head, settings, asker, session, asked).await;
    drop(permit);
    let look = plan.look(shared).await;
    if look.has_news || look.bytes >= plan.min_bytes || plan.max_wait.is_zero() || plan.has_nothing_to_wait_for() {
        return Ok(Answer::Now(plan.answer(shared, look)));
    }
    drop(look);
    let Some(room) = shared.memory.waiting_fetch(plan.bytes()) else {
        plan.take_up_the_rest(shared);
        return Ok(Answer::Now(plan.answer(shared, plan.look(shared).await)));
    };
    let shared = shared.clone();
    Ok(Answer::Later(Box::pin(async move {
        let mut ending = plan.head.ending.clone();
        let in_time = shared.world.clock.sleep(plan.max_wait);
        tokio::select! {
            biased;
            () = plan.await_records(&shared) => {}
            () = in_time => {}
            () = ending.begun() => {}
        }
        drop(room);
        plan.take_up_the_rest(&shared);
        let look = plan.look(&shared).await;
        Some(plan.answer(&shared, look))
    })))
}

/// What a request asks.
enum Asked {
    /// For these partitions.
    For(Context, Vec<(Key, Interest, Option<Ticket>)>),
    /// In a session that isn't there, or is elsewhere.
    OutOfStep(ErrorCode),
}

/// What a request stands for: the partitions that it names, or those of its session.
fn in_session(shared: &Shared, asker: Asker, view: &FetchView) -> Result<Asked, Close> {
    let FetchSettings { session_id, session_epoch, .. } = view.settings();
    let named = named(view)?;
    let sessions = &shared.fetch_sessions;
    match session_epoch {
        // Both bring every partition, and end a session that there was.
        FINAL_EPOCH | FIRST_EPOCH => {
            sessions.close(session_id);
            let opens = session_epoch == FIRST_EPOCH;
            let context = if opens { Context::Opening } else { Context::Sessionless };
            Ok(Asked::For(context, named.into_iter().map(|(key, interest)| (key, interest, None)).collect()))
        }
        epoch => {
            let mut forgotten = Vec::new();
            for topic in view.forgotten() {
                let name = topic.topic.into_owned();
                let key = Arc::new(TopicKey { name, id: topic.topic_id });
                forgotten.extend(topic.partitions.map(|index| Key { topic: key.clone(), index }));
            }
            let now = shared.world.clock.now();
            let asked = (named, &*forgotten);
            Ok(match sessions.resume(now, (session_id, epoch), naming(asker.version), asked, asker.scope()) {
                Ok(Resumed { session, wanted, quiet, horizon }) => {
                    let places = HashMap::with_capacity(wanted.len());
                    let context = Context::Standing(Standing { session, quiet, horizon, places });
                    let wanted = wanted.into_iter().map(|ready| (ready.key, ready.interest, Some(ready.ticket)));
                    Asked::For(context, wanted.collect())
                }
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
        let name = answerable(topic.topic)?;
        // As in Kafka it is nothing to answer, and a few bytes must not become a place in a table.
        if topic.partitions.len() == 0 {
            continue;
        }
        let key = Arc::new(TopicKey { name: name.into_owned(), id: topic.topic_id });
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

impl Asker {
    /// Whoever is refused as such is refused everywhere.
    fn scope(self) -> Scope {
        if self.is_replica() || self.isolation.is_err() { Scope::All } else { Scope::Ready }
    }

    fn is_replica(self) -> bool {
        self.replica.0 >= FIRST_REPLICA
    }

    /// The topic, if this one may read it here.
    fn topic(self, shared: &Shared, key: &TopicKey) -> FoundTopic {
        let found = if self.version >= 13 {
            shared.cluster.topic_by_id(key.id).ok_or(ErrorCode::UnknownTopicId)
        } else {
            shared.cluster.topic(&key.name).ok_or(ErrorCode::UnknownTopicOrPartition)
        };
        // There is no other replica that could ask.
        if self.is_replica() { found.and(Err(ErrorCode::NotLeaderOrFollower)) } else { self.isolation.and(found) }
    }
}

impl Plan {
    async fn new(
        shared: &Shared,
        head: Head,
        settings: FetchSettings,
        asker: Asker,
        session: Context,
        asked: Vec<(Key, Interest, Option<Ticket>)>,
    ) -> Plan {
        let most = shared.settings.requests.fetch_bytes;
        let mut plan = Plan {
            node: shared.settings.node,
            rack: shared.settings.rack.clone(),
            asker,
            isolation: asker.isolation.unwrap_or(Isolation::HighWatermark),
            error: asker.isolation.err().unwrap_or(ErrorCode::None),
            max_bytes: usize::try_from(settings.max_bytes).ok().map(|bytes| bytes.min(most)),
            min_bytes: usize::try_from(settings.min_bytes).unwrap_or(0).min(most),
            max_wait: Duration::from_millis(settings.max_wait_ms.max(0).unsigned_abs().into()),
            head,
            session,
            wanted: Vec::with_capacity(asked.len()),
        };
        plan.want(shared, asked).await;
        plan
    }

    /// Looks up partitions, and has the session listen to them.
    async fn want(&mut self, shared: &Shared, asked: impl IntoIterator<Item = (Key, Interest, Option<Ticket>)>) {
        let mut last: Option<(Arc<TopicKey>, FoundTopic)> = None;
        for (key, interest, mut ticket) in asked {
            let topic = match last.take().filter(|(same, _)| *same == key.topic) {
                Some((_, topic)) => topic,
                None => self.asker.topic(shared, &key.topic),
            };
            let source = match &topic {
                Ok(topic) => shared.leader_of(topic, key.index).await.map_err(Absent::Unknown),
                Err(code) => Err(Absent::Unknown(*code)),
            };
            last = Some((key.topic.clone(), topic));
            let number = self.attend(&mut ticket, &source);
            self.wanted.push(Wanted::new(key, interest, source, ticket, number));
        }
    }

    /// Has the session listen to a partition from before the look at it.
    fn attend(
        &mut self,
        ticket: &mut Option<Ticket>,
        source: &Result<Arc<Partition>, Absent>,
    ) -> Option<SubscriptionNumber> {
        let (Context::Standing(standing), Some(ticket)) = (&mut self.session, ticket) else { return None };
        standing.places.insert(ticket.slot(), self.wanted.len());
        match self.asker.scope() {
            Scope::Ready => standing.session.attend(ticket, source.as_ref().ok()),
            // Who is refused everywhere says nothing of what the others may read.
            Scope::All => None,
        }
    }

    /// What is kept of it while it waits, in bytes.
    fn bytes(&self) -> usize {
        let topics = self.wanted.chunk_by(|one, next| one.key.topic == next.key.topic);
        let topics: usize = topics.map(|same| same[0].key.topic.name.len() + size_of::<TopicKey>()).sum();
        // Any partition of a session may come to have news.
        let partitions = self.wanted.len() + self.quiet();
        topics + partitions * (size_of::<Wanted>() + SUBSCRIPTION_BYTES) + size_of::<Plan>()
    }

    /// As in Kafka, a partition that can't be read doesn't hurry the answer for those that can: a client that asks for
    /// it over and over, until it has fresh metadata, would else do so without a pause.
    fn has_nothing_to_wait_for(&self) -> bool {
        self.quiet() == 0 && self.wanted.iter().all(|wanted| wanted.source.is_err())
    }

    fn quiet(&self) -> usize {
        if let Context::Standing(standing) = &self.session { standing.quiet } else { 0 }
    }
}

impl Wanted {
    fn new(
        key: Key,
        interest: Interest,
        source: Result<Arc<Partition>, Absent>,
        ticket: Option<Ticket>,
        number: Option<SubscriptionNumber>,
    ) -> Wanted {
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
            ticket,
            number,
        }
    }

    /// Has its session told of what comes from here on: call it before a look, and nothing behind the look is missed.
    fn rearm(&self) {
        if let (Ok(partition), Some(number)) = (&self.source, self.number) {
            partition.rearm(number);
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
