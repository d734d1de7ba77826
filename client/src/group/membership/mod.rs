//! A member of a group, from joining to leaving: joins, shares out if it leads, takes what it is given, stays with
//! heartbeats until the group shares out anew.
//!
//! Partitions go to somebody else only when the program knows: it is told, asks again, what it has dealt with is
//! committed, and then the member joins. A program that stays away for too long loses them (KIP-62).

mod joining;
mod topics;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thalweg_messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use thalweg_wire::{ErrorCode, Moment};
use thalweg_world::Clock;

use self::waiting::{Heed, Interrupt, Pulse};
use super::Options;
use super::assignors::Rebalance;
use super::coordination::{Coordination, Verdict};
use super::desk::{Desk, Identity, Leave, News, Partition, State};
use super::offsets::{Asked, CommitError, Committer, Place, committed};
use super::protocol::Had;
use crate::backoff::Backoff;
use crate::cluster::{ClientError, Purpose};
use crate::consumer::{self, ConsumeError, Reset};
use crate::offsets::{Isolation, Start};

pub(super) struct Membership {
    options: Options,
    isolation: Isolation,
    reset: Reset,
    coordination: Coordination,
    committer: Arc<Committer>,
    desk: Arc<Desk>,
    consumer: Arc<consumer::Shared>,
    /// A connection of its own: a JoinGroup waits for the others.
    purpose: Purpose,
    /// Empty until the coordinator has given one.
    member: String,
    generation: Option<i32>,
    owned: BTreeSet<Partition>,
    /// What it was given last, which assignors that revoke everything go by.
    had: Had,
    /// What it wanted when it joined.
    topics: BTreeSet<String>,
    topics_turn: u64,
    /// Of these it was told that they can't be read, and has told so.
    refused: BTreeSet<String>,
    /// Of a leader: how many partitions each topic had when it shared them out.
    counts: Option<BTreeMap<String, usize>>,
    /// The group shares out anew.
    wants_rejoin: bool,
    /// It gave something up that is to be given to somebody else: it shall.
    has_freed: bool,
    /// Rounds that came to nothing, one behind the other, ...
    setbacks: Backoff,
    /// ... and how often because what it was given can't be read.
    unreadable: u32,
    pulse: Pulse,
    next_commit: Moment,
    next_look: Moment,
}

/// What there is to do for a member that stays.
enum Chore {
    Commit,
    LookAtTopics,
    Rejoin,
}

/// However it ends, whoever waits is told.
struct End {
    coordination: Coordination,
    purpose: Purpose,
    desk: Arc<Desk>,
    consumer: Arc<consumer::Shared>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.coordination.client.end(self.purpose);
        self.desk.change(|state| (state.identity, state.is_over) = (None, true));
        self.consumer.came.notify_one();
    }
}

impl Membership {
    pub(super) fn new(options: Options, of: &consumer::Options, committer: Arc<Committer>) -> Membership {
        let coordination = committer.coordination.clone();
        let (now, setbacks) = (coordination.client.world().clock.now(), coordination.client.backoff());
        Membership {
            options,
            isolation: of.isolation,
            reset: of.reset,
            desk: committer.desk.clone(),
            consumer: committer.consumer.clone(),
            purpose: coordination.client.begin_group(),
            coordination,
            committer,
            member: String::new(),
            generation: None,
            owned: BTreeSet::new(),
            had: Had::default(),
            topics: BTreeSet::new(),
            topics_turn: 0,
            refused: BTreeSet::new(),
            counts: None,
            wants_rejoin: false,
            has_freed: false,
            setbacks,
            unreadable: 0,
            pulse: Pulse { next: now, flight: None },
            next_commit: now,
            next_look: now,
        }
    }

    pub(super) async fn run(mut self) {
        let (coordination, purpose) = (self.coordination.clone(), self.purpose);
        let _end = End { coordination, purpose, desk: self.desk.clone(), consumer: self.consumer.clone() };
        loop {
            let interrupt = match self.one_generation().await {
                Ok(()) => continue,
                Err(interrupt) => interrupt,
            };
            match interrupt {
                Interrupt::Rejoin => {}
                Interrupt::Outdated => self.lose(),
                Interrupt::Forgotten => {
                    self.lose();
                    self.member.clear();
                }
                Interrupt::Away => {
                    tracing::warn!(group = %self.coordination.group, "the program doesn't poll: it leaves the group");
                    // First of all nothing more is given: others may have it from now on.
                    self.lose();
                    self.leave_group("the program does not poll", self.patience_from_now()).await;
                    self.desk.until_back().await;
                }
                Interrupt::Refused(code) => {
                    self.lose();
                    self.desk.change(|state| state.failure = Some(ConsumeError::Group { code }));
                    self.consumer.came.notify_one();
                    // The others don't have to wait for its session to end. Who is fenced is another one already.
                    if code != ErrorCode::FencedInstanceId {
                        self.leave_group("the coordinator refused it", self.patience_from_now()).await;
                    }
                    return;
                }
                Interrupt::Leave(leave) => return self.finish(leave).await,
            }
        }
    }

    /// From joining to the next time that the group shares out.
    async fn one_generation(&mut self) -> Result<(), Interrupt> {
        let is_eager = self.options.rebalance() == Rebalance::Eager;
        let owned: Vec<Partition> = self.owned.iter().cloned().collect();
        // What it doesn't want would else be free only after the next round, and somebody's after one more.
        let going = if is_eager { owned } else { self.unwanted(owned) };
        if going.is_empty() {
            self.wait_for_the_program().await?;
            if self.options.auto_commit.is_some() {
                self.commit(Heed::End).await?;
            }
        } else {
            self.revoke(going).await?;
        }
        let joined = self.join().await?;
        let assigned = self.sync(joined).await?;
        self.take_over(assigned).await?;
        self.stay().await
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.coordination.client.world().clock.clone()
    }

    fn now(&self) -> Moment {
        self.coordination.client.world().clock.now()
    }

    /// Of these, what the program doesn't want any more.
    fn unwanted(&self, mut partitions: Vec<Partition>) -> Vec<Partition> {
        let wanted: BTreeSet<String> = self.desk.look(|state| state.topics.iter().cloned().collect());
        partitions.retain(|(topic, _)| !wanted.contains(&**topic));
        partitions
    }

    fn patience_from_now(&self) -> Moment {
        self.now() + self.coordination.client.options().request_timeout
    }

    /// Until it has dealt with all that it was given, and told.
    async fn wait_for_the_program(&mut self) -> Result<(), Interrupt> {
        let desk = self.desk.clone();
        self.beating(async move { desk.until_present().await }, Heed::End).await
    }

    /// Gives up partitions, as soon as the program has dealt with what it has of them.
    async fn revoke(&mut self, partitions: Vec<Partition>) -> Result<(), Interrupt> {
        for partition in &partitions {
            self.owned.remove(partition);
        }
        self.desk.change(|state| {
            self.consumer.positions().leave(&partitions);
            state.tell(News::Revoked(partitions.clone()));
        });
        self.consumer.came.notify_one();
        let mut outcome = self.wait_for_the_program().await;
        if outcome.is_ok() && self.options.auto_commit.is_some() {
            outcome = self.commit(Heed::End).await;
        }
        // What was settled of them is committed at the very end, too.
        if !matches!(outcome, Err(Interrupt::Leave(_))) {
            self.consumer.positions().remove(&partitions);
        }
        outcome
    }

    /// Commits what the program has dealt with. What can't be is given again, to whoever reads on.
    async fn commit(&mut self, heed: Heed) -> Result<(), Interrupt> {
        if self.consumer.positions().uncommitted().is_empty() {
            return Ok(());
        }
        let (committer, deadline) = (self.committer.clone(), self.patience_from_now());
        let outcome = self.beating(async move { committer.commit(deadline).await }, heed).await?;
        if let Err(error) = outcome {
            tracing::warn!(group = %self.coordination.group, %error, "not committed");
        }
        Ok(())
    }

    /// Gives up what it is not given any more, and begins with what is new, where the group stands.
    async fn take_over(&mut self, assigned: Vec<Partition>) -> Result<(), Interrupt> {
        let assigned: BTreeSet<Partition> = assigned.into_iter().collect();
        self.had = Had { partitions: assigned.iter().cloned().collect(), generation: self.generation };
        let gone: Vec<Partition> = self.owned.difference(&assigned).cloned().collect();
        if !gone.is_empty() {
            self.revoke(gone).await?;
            // They are free now: somebody is to be given them.
            self.has_freed = true;
        }
        let added: Vec<Partition> = assigned.difference(&self.owned).cloned().collect();
        let places = if added.is_empty() { Vec::new() } else { self.places(&added).await? };
        let places: BTreeMap<Partition, _> =
            places.into_iter().map(|(topic, partition, offset)| ((topic, partition), offset)).collect();
        self.desk.change(|state| {
            let mut positions = self.consumer.positions();
            for (topic, partition) in &added {
                let (name, index) = (topic.clone(), *partition);
                let place = places.get(&(topic.clone(), *partition)).copied();
                match (place, self.reset) {
                    (Some(offset), _) => positions.add(name, index, Start::Offset(offset)),
                    (None, Reset::Earliest) => positions.add(name, index, Start::Earliest),
                    (None, Reset::Latest) => positions.add(name, index, Start::Latest),
                    (None, Reset::Fail) => {
                        let error = ConsumeError::NothingCommitted { topic: topic.clone(), partition: *partition };
                        positions.add_lost(topic, index, error);
                    }
                }
            }
            drop(positions);
            if !added.is_empty() {
                state.tell(News::Assigned(added.clone()));
            }
        });
        self.owned.extend(added);
        self.consumer.came.notify_one();
        self.consumer.wake.notify_one();
        self.next_commit = self.now() + self.options.commit_interval().unwrap_or_default();
        Ok(())
    }

    /// Where the group stands in these; asked until somebody tells, or the group shares out anew: it doesn't wait for that.
    async fn places(&mut self, partitions: &[Partition]) -> Result<Vec<Place>, Interrupt> {
        let mut backoff = self.coordination.client.backoff();
        loop {
            let (coordination, isolation) = (self.coordination.clone(), self.isolation);
            let wanted = partitions.to_vec();
            let asked = async move { committed(&coordination, &wanted, isolation).await };
            match self.beating(asked, Heed::Rejoin).await? {
                Ok(places) => return Ok(places),
                Err(Asked::Failed(error)) => self.check(&error)?,
                Err(Asked::Answered(Verdict::Refused(code))) => return Err(Interrupt::Refused(code)),
                Err(Asked::Answered(Verdict::Outdated)) => return Err(Interrupt::Outdated),
                Err(Asked::Answered(Verdict::Forgotten)) => return Err(Interrupt::Forgotten),
                Err(Asked::Answered(Verdict::Elsewhere)) => self.coordination.forget(),
                Err(Asked::Answered(_)) => {}
            }
            let (clock, pause) = (self.clock(), backoff.failed(&*self.coordination.client.world().entropy));
            self.beating(async move { clock.sleep(pause).await }, Heed::Rejoin).await?;
        }
    }

    /// Heartbeats, commits now and then, and looks whether topics have grown, until the group shares out anew.
    async fn stay(&mut self) -> Result<(), Interrupt> {
        while !self.has_freed {
            let (clock, desk, turn) = (self.clock(), self.desk.clone(), self.topics_turn);
            let (commit_at, look_at) = (self.next_commit, self.next_look);
            let (commits, leads) = (self.options.commit_interval(), self.counts.is_some());
            let chore = async move {
                tokio::select! {
                    () = clock.sleep_until(commit_at), if commits.is_some() => Chore::Commit,
                    () = clock.sleep_until(look_at), if leads => Chore::LookAtTopics,
                    () = desk.until(|state| state.topics_turn != turn) => Chore::Rejoin,
                }
            };
            match self.beating(chore, Heed::Rejoin).await? {
                Chore::Rejoin => return Ok(()),
                Chore::Commit => {
                    self.commit(Heed::Rejoin).await?;
                    self.next_commit = self.now() + commits.unwrap_or_default();
                }
                Chore::LookAtTopics => {
                    let known = self.counts.clone().unwrap_or_default();
                    let topics = known.keys().cloned().collect();
                    if self.count(&topics, Heed::Rejoin).await?.is_some_and(|counts| counts != known) {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn set_generation(&mut self, generation: Option<i32>) {
        self.generation = generation;
        let identity = generation.map(|generation| Identity { member: self.member.clone(), generation });
        self.desk.change(|state| state.identity = identity);
    }

    /// What it had, others have.
    fn lose(&mut self) {
        let lost: Vec<Partition> = std::mem::take(&mut self.owned).into_iter().collect();
        (self.pulse.flight, self.counts, self.had) = (None, None, Had::default());
        self.set_generation(None);
        self.desk.change(|state| {
            self.consumer.positions().remove(&lost);
            state.lose_untold();
            if !lost.is_empty() {
                state.tell(News::Lost(lost));
            }
        });
        self.consumer.came.notify_one();
    }

    /// The last commit, and farewell.
    async fn finish(&mut self, leave: Leave) {
        let deadline = match leave {
            Leave::Closed { until } => until,
            Leave::Dropped => self.patience_from_now(),
        };
        if self.options.auto_commit.is_some()
            && let Err(error) = self.last_commit(deadline).await
        {
            tracing::warn!(group = %self.coordination.group, %error, "not committed at the end");
            self.desk.change(|state| state.uncommitted = Some(error));
        }
        self.consumer.positions().assign([]);
        self.leave_group("the consumer is closed", deadline).await;
    }

    async fn last_commit(&mut self, deadline: Moment) -> Result<(), CommitError> {
        if self.desk.look(State::has_lost) {
            return Err(CommitError::NotMember);
        }
        if self.consumer.positions().uncommitted().is_empty() {
            return Ok(());
        }
        let clock = self.clock();
        tokio::select! {
            biased;
            outcome = self.committer.commit(deadline) => outcome,
            () = clock.sleep_until(deadline) => {
                Err(CommitError::Client(ClientError::TimedOut("the coordinator doesn't answer".to_owned())))
            }
        }
    }

    /// Tells the coordinator that it goes; a static member comes back, and doesn't (KIP-345).
    async fn leave_group(&mut self, reason: &str, deadline: Moment) {
        let member_id = std::mem::take(&mut self.member);
        if member_id.is_empty() || self.options.instance.is_some() {
            return;
        }
        // A JoinGroup may be on its way, and would hold it up.
        self.coordination.client.end(self.purpose);
        let group_id = self.coordination.group.to_string();
        let write = move |version: i16| match version {
            // In one field until KIP-345.
            ..3 => LeaveGroupRequest { group_id, member_id, ..LeaveGroupRequest::default() },
            3.. => {
                let reason = (version >= 5).then(|| reason.to_owned());
                let members = vec![MemberIdentity { member_id, reason, ..MemberIdentity::default() }];
                LeaveGroupRequest { group_id, members, ..LeaveGroupRequest::default() }
            }
        };
        let (clock, patience) = (self.clock(), deadline.since(self.now()));
        let asked = self.coordination.ask(Purpose::Requests, patience, write, i16::MAX);
        tokio::select! {
            told = asked => {
                if let Err(error) = told {
                    tracing::debug!(group = %self.coordination.group, %error, "it left without a word");
                }
            }
            () = clock.sleep_until(deadline) => {}
        }
    }
}
