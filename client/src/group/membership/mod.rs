//! A member of a group, from joining to leaving: joins, shares out if it leads, takes what it is given, stays with
//! heartbeats until the group shares out anew.
//!
//! Partitions go to somebody else only when the program knows: it is told, asks again, what it has dealt with is
//! committed, and then the member joins. A program that stays away for too long loses them (KIP-62).

mod joining;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thalweg_messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use thalweg_wire::Moment;
use thalweg_world::Clock;

use self::waiting::{Heed, Interrupt, Pulse};
use super::Options;
use super::assignors::Rebalance;
use super::coordination::{Coordination, Verdict};
use super::desk::{Desk, Identity, Leave, News, Partition};
use super::offsets::{Asked, Committer, Place, committed};
use super::protocol::Had;
use crate::cluster::Purpose;
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
    topics_turn: u64,
    /// Of a leader: how many partitions each topic had when it shared them out.
    counts: Option<BTreeMap<String, usize>>,
    wants_rejoin: bool,
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
        let now = coordination.client.world().clock.now();
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
            topics_turn: 0,
            counts: None,
            wants_rejoin: false,
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
                Interrupt::Forgotten => self.lose(),
                Interrupt::Away => {
                    tracing::warn!(group = %self.coordination.group, "the program doesn't poll: it leaves the group");
                    self.leave_group("the program does not poll").await;
                    self.lose();
                    self.desk.until_back().await;
                }
                Interrupt::Refused(code) => {
                    self.lose();
                    self.desk.change(|state| state.failure = Some(ConsumeError::Group { code }));
                    return;
                }
                Interrupt::Leave(_) => return self.finish().await,
            }
        }
    }

    /// From joining to the next time that the group shares out.
    async fn one_generation(&mut self) -> Result<(), Interrupt> {
        let is_eager = self.options.rebalance() == Rebalance::Eager;
        match self.owned.iter().cloned().collect::<Vec<_>>() {
            owned if is_eager && !owned.is_empty() => self.revoke(owned).await?,
            _ => {
                self.wait_for_the_program().await?;
                if self.options.auto_commit.is_some() {
                    self.commit(Heed::End).await?;
                }
            }
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

    /// Until it has dealt with all that it was given, and told.
    async fn wait_for_the_program(&mut self) -> Result<(), Interrupt> {
        let desk = self.desk.clone();
        self.beating(async move { desk.until_present().await }, Heed::End).await
    }

    /// Gives up partitions, as soon as the program has dealt with what it has of them.
    async fn revoke(&mut self, partitions: Vec<Partition>) -> Result<(), Interrupt> {
        self.owned.retain(|partition| !partitions.contains(partition));
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
        let places = self.consumer.positions().uncommitted();
        let deadline = self.now() + self.coordination.client.options().request_timeout;
        let committer = self.committer.clone();
        let outcome = self.beating(async move { committer.commit(&places, deadline).await }, heed).await?;
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
            self.wants_rejoin = true;
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
        self.next_commit = self.now() + self.options.auto_commit.unwrap_or_default();
        Ok(())
    }

    /// Where the group stands in these; asked until somebody tells.
    async fn places(&mut self, partitions: &[Partition]) -> Result<Vec<Place>, Interrupt> {
        let mut backoff = self.coordination.client.backoff();
        loop {
            let (coordination, isolation) = (self.coordination.clone(), self.isolation);
            let wanted = partitions.to_vec();
            let asked = async move { committed(&coordination, &wanted, isolation).await };
            match self.beating(asked, Heed::End).await? {
                Ok(places) => return Ok(places),
                Err(Asked::Failed(error)) => self.check(&error)?,
                Err(Asked::Answered(Verdict::Refused(code))) => return Err(Interrupt::Refused(code)),
                Err(Asked::Answered(Verdict::Forgotten)) => return Err(Interrupt::Forgotten),
                Err(Asked::Answered(Verdict::Elsewhere)) => self.coordination.forget(),
                Err(Asked::Answered(_)) => {}
            }
            let (clock, pause) = (self.clock(), backoff.failed(&*self.coordination.client.world().entropy));
            self.beating(async move { clock.sleep(pause).await }, Heed::End).await?;
        }
    }

    /// Heartbeats, commits now and then, and looks whether topics have grown, until the group shares out anew.
    async fn stay(&mut self) -> Result<(), Interrupt> {
        loop {
            let (clock, desk, turn) = (self.clock(), self.desk.clone(), self.topics_turn);
            let (commit_at, look_at) = (self.next_commit, self.next_look);
            let (commits, leads) = (self.options.auto_commit, self.counts.is_some());
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
                    self.next_look = self.now() + self.coordination.client.options().metadata_max_age;
                    let known = self.counts.clone().unwrap_or_default();
                    let (client, topics) = (self.coordination.client.clone(), known.keys().cloned().collect());
                    let counts = self.beating(async move { client.counts(topics).await }, Heed::Rejoin).await?;
                    if counts.is_ok_and(|counts| counts != known) {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn set_generation(&mut self, generation: Option<i32>) {
        self.generation = generation;
        let identity = generation.map(|generation| Identity { member: self.member.clone(), generation });
        self.desk.change(|state| state.identity = identity);
    }

    /// What it had, others have.
    fn lose(&mut self) {
        let lost: Vec<Partition> = std::mem::take(&mut self.owned).into_iter().collect();
        self.member.clear();
        (self.pulse.flight, self.counts, self.had) = (None, None, Had::default());
        self.set_generation(None);
        self.desk.change(|state| {
            self.consumer.positions().remove(&lost);
            if !lost.is_empty() {
                state.tell(News::Lost(lost));
            }
        });
        self.consumer.came.notify_one();
    }

    /// The last commit, and farewell.
    async fn finish(&mut self) {
        let (clock, patience) = (self.clock(), self.coordination.client.options().request_timeout);
        if self.options.auto_commit.is_some() {
            let places = self.consumer.positions().uncommitted();
            let committed = self.committer.commit(&places, self.now() + patience);
            let outcome = tokio::select! {
                outcome = committed => outcome.map_err(|error| error.to_string()),
                () = clock.sleep(patience) => Err("the coordinator doesn't answer".to_owned()),
            };
            if let Err(error) = outcome {
                tracing::warn!(group = %self.coordination.group, error, "not committed at the end");
            }
        }
        self.consumer.positions().assign([]);
        self.leave_group("the consumer is closed").await;
    }

    /// Tells the coordinator that it goes; a static member comes back, and doesn't (KIP-345).
    async fn leave_group(&mut self, reason: &str) {
        if self.member.is_empty() || self.options.instance.is_some() {
            return;
        }
        // A JoinGroup may be on its way, and would hold it up.
        self.coordination.client.end(self.purpose);
        let (group_id, member_id) = (self.coordination.group.to_string(), self.member.clone());
        let write = move |version: i16| match version {
            // In one field until KIP-345.
            ..3 => LeaveGroupRequest { group_id, member_id, ..LeaveGroupRequest::default() },
            3.. => {
                let reason = (version >= 5).then(|| reason.to_owned());
                let members = vec![MemberIdentity { member_id, reason, ..MemberIdentity::default() }];
                LeaveGroupRequest { group_id, members, ..LeaveGroupRequest::default() }
            }
        };
        let patience = self.coordination.client.options().request_timeout;
        let asked = self.coordination.ask(Purpose::Requests, patience, write, i16::MAX);
        let clock = self.clock();
        tokio::select! {
            told = asked => {
                if let Err(error) = told {
                    tracing::debug!(group = %self.coordination.group, %error, "it left without a word");
                }
            }
            () = clock.sleep(patience) => {}
        }
    }
}
