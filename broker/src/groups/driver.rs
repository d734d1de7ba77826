//! The driver of one coordinator: one inbox, one loop, the only place that awaits.
//!
//! A command is decided on the state with everything that was appended before it; its records are appended, and applied
//! at once; its answers leave when the high watermark has passed all that they may have seen, in the order of the
//! decisions. Only a heartbeat's leaves at once (docs/decisions/0006). A failed append ends the driver, and with it all that it knew: the next one loads what is durable.
//!
//! A full journal is no failure: room is reserved before a command is decided, and where there is none, whoever asks is
//! told to come again (COORDINATOR_NOT_AVAILABLE) and nothing has changed. Time stands still for members then: nobody is
//! out because the disk is full. So it does while the driver waits for room: it hears of nobody meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use thalweg_coordinators::Context;
use thalweg_coordinators::cluster::Standing;
use thalweg_coordinators::groups::{
    Answer, Command, Coordinator, Now, Policy, Refusal, Request, Ticket, TopicName, can_be_left_out, records,
};
use thalweg_log::journal::{Full, Reservation};
use thalweg_log::log::{Mark, journal_bytes};
use thalweg_messages::group_log::GroupRecord;
use thalweg_wire::batch::{Batch, Builder, Verified};
use thalweg_wire::{ErrorCode, Moment, PartitionIndex};
use thalweg_world::BoxFuture;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot};

use super::load::{NotLoaded, load};
use crate::broker::Shared;
use crate::budgets::{GroupShare, Permit, Places};
use crate::cluster::Topic;
use crate::partition::Partition;
use crate::settings::Settings;
use crate::waiters::{Countdown, Wakes};

/// Records go together into a batch up to so many bytes; a larger one goes alone.
const BATCH_BYTES: usize = 256 << 10;

/// How long an append waits for room that a checkpoint makes.
const ROOM_PATIENCE: Duration = Duration::from_secs(25);

/// How long a partition that could not be loaded is left alone.
const LOAD_PAUSE: Duration = Duration::from_secs(10);

/// Members of a group, where nobody says how many: a generation is one record, and has to fit into a batch.
const MEMBERS_MAX: usize = 10_000;

/// A question to a driver.
pub(super) struct Asked {
    pub(super) request: Box<Request>,
    pub(super) answer_bytes_max: usize,
    pub(super) reply: Reply,
    pub(super) undecided: Undecided,
}

/// Topics that are gone, and that a driver has not been able to forget yet.
#[derive(Default)]
pub(super) struct Deletions {
    topics: Mutex<Vec<TopicName>>,
    added: Notify,
}

impl Deletions {
    pub(super) fn add(&self, topics: &[TopicName]) {
        self.lock().extend_from_slice(topics);
        self.added.notify_one();
    }

    /// Resolves when there are some: all of them.
    async fn next(&self) -> Vec<TopicName> {
        self.added.notified().await;
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<TopicName>> {
        self.topics.lock().expect("no code panics while it holds the list")
    }
}

/// What a request holds on to until it is decided; not while it waits for its answer, which may take as long as others
/// like. Nothing of whoever asks several coordinators: that one keeps it until the last has decided.
#[derive(Default)]
pub(super) struct Undecided {
    frame: Permit,
    _place: Option<OwnedSemaphorePermit>,
    /// Among those that wait for the same coordinator.
    place_here: Option<OwnedSemaphorePermit>,
}

impl Undecided {
    pub(super) fn new(frame: Permit, place: OwnedSemaphorePermit) -> Undecided {
        Undecided { frame, _place: Some(place), place_here: None }
    }

    pub(super) fn finds_place_at(&mut self, places: &Places) -> bool {
        self.place_here = places.take(&self.frame);
        self.place_here.is_some()
    }
}

/// Where the answer goes.
pub(super) type Reply = oneshot::Sender<Result<Answer, ErrorCode>>;

/// Answers that wait for the high watermark; whether it will come.
type Held = (bool, Vec<(Reply, Answer)>);

/// One coordinator and who waits for it.
pub(super) struct Driver {
    shared: Arc<Shared>,
    partition: Arc<Partition>,
    coordinator: Coordinator,
    /// What it holds.
    share: GroupShare,
    /// Those that its policy was made of.
    settings: Arc<Settings>,
    replies: BTreeMap<Ticket, Reply>,
    next_ticket: u64,
    held: FuturesOrdered<BoxFuture<'static, Held>>,
    /// The journal had no room, and has had none since.
    full: bool,
    /// For how long it has waited for room in all: its coordinator's clock is behind by so much.
    stood_still: Duration,
    /// Topics that are gone, to be forgotten when there is room.
    deleted: Vec<TopicName>,
}

/// Room for the first batch of a decision, of so many bytes.
type Promised = Option<(usize, Reservation<Mark>)>;

/// How much of a decision was appended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Appended {
    Whole,
    /// Then there was no room. What is left out says that offsets have changed, or are gone.
    Part,
}

/// The records of a decision can't be appended.
struct NotAppended;

impl Driver {
    /// Loads the partition and serves it, until its inbox is closed or a write fails.
    pub(super) async fn run(
        shared: Arc<Shared>,
        topic: Arc<Topic>,
        index: PartitionIndex,
        mut inbox: mpsc::Receiver<Asked>,
        deletions: Arc<Deletions>,
    ) {
        let turn = shared.groups.loads.acquire().await;
        if inbox.is_closed() {
            // The broker stops.
            return refuse(&mut inbox);
        }
        let loaded = Driver::load(&shared, &topic, index, &inbox).await;
        drop(turn);
        let mut driver = match loaded {
            Ok(driver) => driver,
            Err(NotLoaded::Unwanted) => return refuse(&mut inbox),
            Err(NotLoaded::Unreadable(reason)) => {
                tracing::error!(partition = %index, reason, "the groups of a partition can't be loaded");
                refuse_for_a_while(&shared, &mut inbox).await;
                return;
            }
        };
        if driver.serve(&mut inbox, &deletions).await.is_err() {
            tracing::error!(partition = %index, "a write failed: the groups of a partition are loaded anew");
        }
        // Nobody sends any more, and what was sent is told to go elsewhere.
        refuse(&mut inbox);
        for (_, reply) in std::mem::take(&mut driver.replies) {
            let _ = reply.send(Err(ErrorCode::NotCoordinator));
        }
        while let Some((_, answers)) = driver.held.next().await {
            answers.into_iter().for_each(|(reply, _)| _ = reply.send(Err(ErrorCode::NotCoordinator)));
        }
    }

    async fn load(
        shared: &Arc<Shared>,
        topic: &Arc<Topic>,
        index: PartitionIndex,
        inbox: &mpsc::Receiver<Asked>,
    ) -> Result<Driver, NotLoaded> {
        let partition = shared.leader_of(topic, index).await;
        let partition = partition.map_err(|code| NotLoaded::Unreadable(code.to_string()))?;
        let settings = shared.cluster.settings();
        let coordinator = Coordinator::new(policy(&settings, shared.journal.entry_bytes_max()));
        let mut share = shared.groups.memory.share();
        let mut coordinator = load(shared, &partition, coordinator, &mut share, inbox).await?;
        coordinator.loaded(now(shared));
        share.holds(coordinator.bytes());
        // What it was told may not be durable yet, after a driver that ended in the middle of a write.
        let countdown = Countdown::new();
        partition.await_end(partition.log_end(), &countdown);
        let mut held: FuturesOrdered<BoxFuture<'static, Held>> = FuturesOrdered::new();
        held.push_back(Box::pin(async move {
            countdown.wait().await;
            (!countdown.failed(), Vec::new())
        }));
        Ok(Driver {
            shared: shared.clone(),
            partition,
            coordinator,
            share,
            settings,
            replies: BTreeMap::new(),
            next_ticket: 0,
            held,
            full: false,
            stood_still: Duration::ZERO,
            deleted: Vec::new(),
        })
    }

    async fn serve(&mut self, inbox: &mut mpsc::Receiver<Asked>, deletions: &Deletions) -> Result<(), NotAppended> {
        let clock = self.shared.world.clock.clone();
        self.forget_deleted_topics().await?;
        loop {
            let due = self.coordinator.deadline().filter(|_| !self.full).map(|due| due + self.stood_still);
            let shared = self.shared.clone();
            // For as much as anything needs, or what comes next would wait again, and all behind it.
            let most = self.volume(&Command::Tick);
            tokio::select! {
                biased;
                Some((arrived, answers)) = self.held.next(), if !self.held.is_empty() => {
                    for (reply, answer) in answers {
                        // Whoever asked may be gone.
                        let _ = reply.send(if arrived { Ok(answer) } else { Err(ErrorCode::NotCoordinator) });
                    }
                    if !arrived {
                        return Err(NotAppended);
                    }
                }
                // Before requests, or a busy group's members would never time out.
                () = clock.sleep_until(due.unwrap_or(clock.now())), if due.is_some() => self.decide(Command::Tick).await?,
                room = shared.journal.reserve_soon(1, most), if self.full => {
                    room.map_err(|_| NotAppended)?;
                    self.full = false;
                    let deleted = std::mem::take(&mut self.deleted);
                    if !deleted.is_empty() {
                        self.decide(Command::TopicsDeleted(deleted)).await?;
                    }
                }
                topics = deletions.next() => self.decide(Command::TopicsDeleted(topics)).await?,
                asked = inbox.recv() => {
                    let Some(Asked { request, answer_bytes_max, reply, undecided }) = asked else { return Ok(()) };
                    let ticket = Ticket(self.next_ticket);
                    self.next_ticket += 1;
                    self.replies.insert(ticket, reply);
                    self.decide(Command::AskWithin(ticket, *request, answer_bytes_max)).await?;
                    drop(undecided);
                }
            }
        }
    }

    /// Topics may have been deleted while nobody asked for this partition.
    async fn forget_deleted_topics(&mut self) -> Result<(), NotAppended> {
        let mut topics: Vec<TopicName> = self.coordinator.stored().topics().into_iter().collect();
        self.shared.cluster.look(|image| topics.retain(|topic| image.standing(topic.id) == Standing::Deleted));
        if topics.is_empty() { Ok(()) } else { self.decide(Command::TopicsDeleted(topics)).await }
    }

    /// Decides a command, and what it leaves over, before anybody else is heard.
    async fn decide(&mut self, command: Command) -> Result<(), NotAppended> {
        let mut next = Some(command);
        while let Some(command) = next {
            self.decide_one(command).await?;
            next = self.coordinator.rest();
        }
        Ok(())
    }

    async fn decide_one(&mut self, command: Command) -> Result<(), NotAppended> {
        let settings = self.shared.cluster.settings();
        if !Arc::ptr_eq(&settings, &self.settings) {
            self.coordinator.set_policy(policy(&settings, self.shared.journal.entry_bytes_max()));
            self.settings = settings;
        }
        let promised = match self.reserve(self.volume(&command)).await {
            Ok(promised) => promised,
            Err(Full::NoRoom) => {
                self.put_off(command);
                return Ok(());
            }
            Err(Full::Closed | Full::TooLarge) => return Err(NotAppended),
        };
        self.coordinator.set_room(self.share.room());
        let asked = matches!(command, Command::Ask(..) | Command::AskWithin(..));
        let deleted = match &command {
            Command::TopicsDeleted(topics) | Command::TopicsDeletedFrom(topics, _) => topics.clone(),
            Command::Ask(..) | Command::AskWithin(..) | Command::Tick => Vec::new(),
        };
        let decision = self.coordinator.decide(self.now(), command);
        // With what is not applied yet: the append may wait, and others ask for room meanwhile.
        self.share.holds(self.coordinator.bytes() + self.coordinator.bytes_owed());
        let answers: Vec<(Reply, Answer)> = decision
            .reply
            .into_iter()
            .filter_map(|(ticket, answer)| Some((self.replies.remove(&ticket)?, answer)))
            .collect();
        let (at_once, answers): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, answer)| is_no_news(answer));
        at_once.into_iter().for_each(|(reply, answer)| _ = reply.send(Ok(answer)));
        let countdown = Countdown::new();
        let appended = self.append(&decision.records, promised, &countdown).await;
        self.share.holds(self.coordinator.bytes());
        let answers = match appended {
            Ok(Appended::Part) if asked => {
                // Whoever waits for the rest as well.
                if let Some(rest) = self.coordinator.rest() {
                    self.put_off(rest);
                }
                answers.into_iter().for_each(|(reply, _)| _ = reply.send(Err(ErrorCode::CoordinatorNotAvailable)));
                // What was appended is waited for by all who see it.
                Vec::new()
            }
            Ok(Appended::Part) => {
                // Expired offsets are looked for again by themselves. Topics are looked for in all groups again.
                let _ = self.coordinator.rest();
                self.deleted.extend(deleted);
                answers
            }
            Ok(Appended::Whole) => answers,
            Err(failed) => {
                answers.into_iter().for_each(|(reply, _)| _ = reply.send(Err(ErrorCode::NotCoordinator)));
                return Err(failed);
            }
        };
        if decision.records.is_empty() && self.held.is_empty() {
            // All that it saw is acknowledged.
            answers.into_iter().for_each(|(reply, answer)| _ = reply.send(Ok(answer)));
            return Ok(());
        }
        self.held.push_back(Box::pin(async move {
            countdown.wait().await;
            (!countdown.failed(), answers)
        }));
        Ok(())
    }

    /// Appends records in batches, and tells the coordinator each at its place.
    async fn append(
        &mut self,
        records: &[GroupRecord],
        mut promised: Promised,
        countdown: &Arc<Countdown>,
    ) -> Result<Appended, NotAppended> {
        let mut rest = records;
        while !rest.is_empty() {
            let (batch, count) = self.batch(rest)?;
            let (first, behind) = rest.split_at(count);
            let bytes = journal_bytes(&batch);
            let mut reservation = match promised.take().filter(|(promised, _)| *promised >= bytes) {
                Some((_, reservation)) => reservation,
                None => match self.reserve(bytes).await {
                    Ok(Some((_, reservation))) => reservation,
                    Err(Full::NoRoom | Full::TooLarge) if can_be_left_out(rest) => {
                        self.coordinator.leave_out(rest);
                        return Ok(Appended::Part);
                    }
                    Ok(None) | Err(_) => return Err(NotAppended),
                },
            };
            let mut wakes = Wakes::default();
            let time = self.shared.world.clock.wall();
            let batch = Verified::trusted(batch);
            let appended = self.partition.append(time, batch, &mut reservation, Some(countdown), &mut wakes);
            self.shared.journal.wake();
            self.shared.partitions.settle(wakes);
            let appended = appended.map_err(|_| NotAppended)?;
            for (place, record) in (0..).zip(first) {
                self.coordinator.apply(Context { offset: appended.base.plus(place) }, record);
            }
            rest = behind;
        }
        Ok(Appended::Whole)
    }

    /// The time for members: without that in which nobody was heard of.
    fn now(&self) -> Now {
        let Now { moment, timestamp } = now(&self.shared);
        Now { moment: Moment::ZERO + moment.since(Moment::ZERO + self.stood_still), timestamp }
    }

    /// What is to be reserved before a command is decided.
    fn volume(&self, command: &Command) -> usize {
        self.coordinator.volume(command).min(self.shared.journal.entry_bytes_max())
    }

    /// Room for so many bytes. Where there is none it waits for a checkpoint, once: as long as there is none after that,
    /// nobody else waits for it.
    async fn reserve(&mut self, bytes: usize) -> Result<Promised, Full> {
        if bytes == 0 {
            return Ok(None);
        }
        let began = self.shared.world.clock.now();
        let reserved =
            if self.full { self.shared.journal.reserve(1, bytes) } else { reserve(&self.shared, bytes).await };
        self.stood_still += self.shared.world.clock.now().since(began);
        self.full = matches!(reserved, Err(Full::NoRoom));
        if self.full {
            self.shared.write_out.checkpoint_soon();
        }
        reserved.map(|reservation| Some((bytes, reservation)))
    }

    /// There is no room for what a command may come to: it is not decided.
    fn put_off(&mut self, command: Command) {
        match command {
            Command::Ask(ticket, _) | Command::AskWithin(ticket, ..) => {
                let reply = self.replies.remove(&ticket);
                reply.into_iter().for_each(|reply| _ = reply.send(Err(ErrorCode::CoordinatorNotAvailable)));
            }
            Command::TopicsDeleted(topics) | Command::TopicsDeletedFrom(topics, _) => self.deleted.extend(topics),
            // It is due as before.
            Command::Tick => {}
        }
    }

    /// A batch of the first of these records, and how many they are.
    fn batch(&self, records: &[GroupRecord]) -> Result<(Batch, usize), NotAppended> {
        let time = self.shared.world.clock.wall();
        let (mut builder, mut bytes, mut count) = (Builder::new(), 0, 0);
        // With room for what the batch adds.
        let bytes_max = BATCH_BYTES.min(self.shared.journal.entry_bytes_max() / 2);
        for record in records {
            let (key, value) = records::encode(record).map_err(|_| NotAppended)?;
            bytes += key.len() + value.as_ref().map_or(0, bytes::Bytes::len);
            if count > 0 && bytes > bytes_max {
                break;
            }
            builder.push(time, Some(&key), value.as_deref(), &[]);
            count += 1;
        }
        Ok((builder.build().ok_or(NotAppended)?, count))
    }
}

/// Whether an answer says nothing that a crash could take back: that a member is one, as it knows, or is to join again. It
/// waits for nobody's records. A member sends no heartbeat before the last was answered, and one that waits for a slow disk
/// would time out.
fn is_no_news(answer: &Answer) -> bool {
    matches!(answer, Answer::Heartbeat(Ok(()) | Err(Refusal::RebalanceInProgress)))
}

async fn reserve(shared: &Shared, bytes: usize) -> Result<Reservation<Mark>, Full> {
    match shared.journal.reserve(1, bytes) {
        Err(Full::NoRoom) => {
            shared.write_out.checkpoint_soon();
            tokio::select! {
                biased;
                reserved = shared.journal.reserve_soon(1, bytes) => reserved,
                () = shared.world.clock.sleep(ROOM_PATIENCE) => Err(Full::NoRoom),
            }
        }
        reserved => reserved,
    }
}

/// A partition that can't be loaded is not read again for each who asks.
async fn refuse_for_a_while(shared: &Shared, inbox: &mut mpsc::Receiver<Asked>) {
    let mut over = shared.world.clock.sleep(LOAD_PAUSE);
    loop {
        tokio::select! {
            biased;
            asked = inbox.recv() => match asked {
                Some(asked) => _ = asked.reply.send(Err(ErrorCode::CoordinatorNotAvailable)),
                None => return,
            },
            () = &mut over => return refuse(inbox),
        }
    }
}

fn refuse(inbox: &mut mpsc::Receiver<Asked>) {
    inbox.close();
    while let Ok(asked) = inbox.try_recv() {
        let _ = asked.reply.send(Err(ErrorCode::NotCoordinator));
    }
}

fn now(shared: &Shared) -> Now {
    Now { moment: shared.world.clock.now(), timestamp: shared.world.clock.wall() }
}

fn policy(settings: &Settings, entry_bytes: usize) -> Policy {
    Policy {
        session_timeout_min: settings.groups.session_timeout_min,
        session_timeout_max: settings.groups.session_timeout_max,
        members_max: settings.groups.members.min(MEMBERS_MAX),
        initial_rebalance_delay: settings.groups.initial_rebalance_delay,
        offsets_retention: settings.offsets.retention,
        expiry_interval: settings.offsets.retention_check_interval,
        metadata_length_max: settings.offsets.metadata_bytes,
        generation_bytes_max: Policy::default().generation_bytes_max.min(entry_bytes / 2),
        ..Policy::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::settings;

    #[test]
    fn a_group_never_has_more_members_than_one_record_holds() {
        for (given, members) in [("2147483647", MEMBERS_MAX), ("10001", 10_000), ("9999", 9_999), ("1", 1)] {
            assert_eq!(policy(&settings(&[("group.max.size", given)]), 1 << 20).members_max, members);
        }
    }
}
