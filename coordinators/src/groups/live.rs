//! What is known to this process alone: who waits, who was heard when, which rebalance goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thalweg_wire::Moment;

use super::answer::AnswerRoom;
use super::expiry;
use super::group::Group;
use super::join::refuse;
use super::turn::{Look, Turn};
use super::{
    Answer, Command, Decision, JoinGroup, LeaveGroup, Left, Now, OffsetCommit, Policy, Refusal, Request, Stored,
    Ticket, TopicName, TopicOutcome, describe, offsets,
};

/// Members with the tickets for which they wait, and rebalances.
#[derive(Debug)]
pub struct Live {
    policy: Policy,
    /// Those in which somebody is, or is about to be. All that is to be known of others is stored.
    groups: BTreeMap<Arc<str>, Group>,
    /// When a group wants to be looked at. Never too late; too early costs one look.
    wakes: BTreeSet<(Moment, Arc<str>)>,
    /// What groups take in memory.
    bytes: usize,
    /// By how much that and what is stored may grow.
    room: usize,
    /// By how many bytes the records of the last decision let the state grow, at most.
    owed: usize,
    /// When offsets are looked at again; `None` before the log was read.
    expiry: Option<Moment>,
    /// What the last decision has not dealt with.
    rest: Option<Command>,
}

impl Live {
    pub(super) fn new(policy: Policy) -> Live {
        Live {
            policy,
            groups: BTreeMap::new(),
            wakes: BTreeSet::new(),
            bytes: 0,
            room: usize::MAX,
            owed: 0,
            expiry: None,
            rest: None,
        }
    }

    pub(super) fn loaded(&mut self, stored: &Stored, now: Now) {
        for (name, known) in stored.groups() {
            let Some(value) = known.generation.as_ref().filter(|value| !value.members.is_empty()) else { continue };
            self.groups.insert(name.clone(), Group::restore(name.clone(), value, now.moment));
            self.settle(name);
        }
        self.expiry = Some(now.moment + self.policy.expiry_interval);
    }

    pub(super) fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    pub(super) fn set_room(&mut self, bytes: usize) {
        self.room = bytes;
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What a group takes in memory, if somebody is in it.
    pub(super) fn group_bytes(&self, name: &str) -> Option<usize> {
        self.groups.get(name).map(|group| group.counted)
    }

    pub(super) fn take_rest(&mut self) -> Option<Command> {
        self.rest.take()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn owed(&self) -> usize {
        self.owed
    }

    pub(super) fn recounted(&self) -> usize {
        self.groups.values().map(Group::recounted).sum()
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        let wake = self.wakes.first().map(|(wake, _)| *wake);
        wake.into_iter().chain(self.expiry).min()
    }

    pub(super) fn decide(&mut self, stored: &Stored, now: Now, command: Command) -> Decision {
        match command {
            Command::Ask(ticket, request) => self.asked(stored, now, ticket, request, usize::MAX),
            Command::AskWithin(ticket, request, bytes) => self.asked(stored, now, ticket, request, bytes),
            Command::TopicsDeleted(topics) => self.forget_topics(stored, now, topics, None),
            Command::TopicsDeletedFrom(topics, group) => self.forget_topics(stored, now, topics, Some(&group)),
            Command::Tick => self.tick(stored, now),
        }
    }

    fn forget_topics(
        &mut self,
        stored: &Stored,
        now: Now,
        topics: Vec<TopicName>,
        from: Option<&Arc<str>>,
    ) -> Decision {
        let mut turn = Turn::new(stored, &self.policy, now, self.room);
        self.rest = expiry::of_topics(&mut turn, &topics, from).map(|next| Command::TopicsDeletedFrom(topics, next));
        self.owed = turn.owed;
        turn.finish()
    }

    fn asked(
        &mut self,
        stored: &Stored,
        now: Now,
        ticket: Ticket,
        request: Request,
        answer_bytes_max: usize,
    ) -> Decision {
        let mut turn = Turn::new(stored, &self.policy, now, self.room);
        let groups = &mut self.groups;
        let touched = match request {
            Request::Join(request) => join(groups, &mut turn, ticket, request),
            Request::Sync(request) => {
                let name = request.group.clone();
                match find(groups, &name) {
                    Ok(group) => group.sync(&mut turn, ticket, request),
                    Err(refusal) => turn.answer(ticket, Answer::Sync(Err(refusal))),
                }
                Some(name)
            }
            Request::Heartbeat(request) => {
                let heard = find(groups, &request.group).and_then(|group| group.heartbeat(&turn, &request));
                turn.answer(ticket, Answer::Heartbeat(heard));
                Some(request.group)
            }
            Request::Leave(request) => {
                let name = request.group.clone();
                match find(groups, &name) {
                    Ok(group) => group.leave(&mut turn, ticket, request),
                    // Then each of them is unknown, which the request as a whole is not.
                    Err(Refusal::UnknownMember) => turn.answer(ticket, Answer::Leave(Ok(nobody_left(request)))),
                    Err(refusal) => turn.answer(ticket, Answer::Leave(Err(refusal))),
                }
                Some(name)
            }
            Request::Commit(request) => {
                let name = request.group.clone();
                let outcomes = commit(groups, &mut turn, request);
                turn.answer(ticket, Answer::Commit(outcomes));
                Some(name)
            }
            Request::Fetch(request) => {
                let fetched = offsets::fetch(stored, request, AnswerRoom(answer_bytes_max));
                turn.answer(ticket, fetched.map_or(Answer::TooLarge, Answer::Fetch));
                None
            }
            Request::DeleteOffsets(request) => {
                let group = groups.get(request.group.as_str());
                let outcomes = offsets::delete(&mut turn, group, request);
                turn.answer(ticket, Answer::DeleteOffsets(outcomes));
                None
            }
            Request::Describe { group } => {
                let described = describe::describe(stored.group(&group), groups.get(group.as_str()));
                // What its members said is shared, not copied.
                let answer = Some(Answer::Describe(described)).filter(|answer| answer.bytes() <= answer_bytes_max);
                turn.answer(ticket, answer.unwrap_or(Answer::TooLarge));
                None
            }
            Request::List(filter) => {
                let listed = describe::list(stored, groups, &filter, AnswerRoom(answer_bytes_max));
                turn.answer(ticket, listed.map_or(Answer::TooLarge, Answer::List));
                None
            }
            Request::DeleteGroup { group } => {
                match describe::delete(&mut turn, &group, groups.get(group.as_str())) {
                    Ok(Look::Cut) => {
                        let again = Request::DeleteGroup { group: group.clone() };
                        self.rest = Some(Command::Ask(ticket, again));
                    }
                    Ok(Look::Whole) => {
                        groups.get_mut(group.as_str()).into_iter().for_each(|live| live.pending.clear());
                        turn.answer(ticket, Answer::DeleteGroup(Ok(())));
                    }
                    Err(refusal) => turn.answer(ticket, Answer::DeleteGroup(Err(refusal))),
                }
                Some(group)
            }
        };
        self.owed = turn.owed;
        let decision = turn.finish();
        touched.iter().for_each(|name| self.settle(name));
        decision
    }

    fn tick(&mut self, stored: &Stored, now: Now) -> Decision {
        let mut turn = Turn::new(stored, &self.policy, now, self.room);
        let mut looked_at = Vec::new();
        while let Some((_, name)) = self.wakes.first().filter(|(wake, _)| *wake <= now.moment).cloned() {
            self.wakes.pop_first();
            if let Some(group) = self.groups.get_mut(&name) {
                group.noted = None;
                group.tick(&mut turn);
            }
            looked_at.push(name);
        }
        if self.expiry.is_some_and(|due| due <= now.moment) {
            self.expiry = Some(match expiry::expire(&mut turn, &self.groups) {
                Look::Whole => now.moment + self.policy.expiry_interval,
                Look::Cut => now.moment,
            });
        }
        self.owed = turn.owed;
        let decision = turn.finish();
        looked_at.iter().for_each(|name| self.settle(name));
        decision
    }

    /// After a group was dealt with: it is dropped when nobody is in it, else its next look and its size are noted.
    fn settle(&mut self, name: &str) {
        let Some(group) = self.groups.get_mut(name) else { return };
        let vacant = group.is_vacant();
        let wake = group.wake.filter(|_| !vacant);
        if wake != group.noted {
            if let Some(noted) = std::mem::replace(&mut group.noted, wake) {
                self.wakes.remove(&(noted, group.name.clone()));
            }
            self.wakes.extend(wake.map(|wake| (wake, group.name.clone())));
        }
        self.bytes -= group.counted;
        if vacant {
            self.groups.remove(name);
        } else {
            group.counted = group.bytes();
            self.bytes += group.counted;
        }
    }
}

fn find<'a>(groups: &'a mut BTreeMap<Arc<str>, Group>, name: &str) -> Result<&'a mut Group, Refusal> {
    if name.is_empty() {
        return Err(Refusal::InvalidGroup);
    }
    // Of a group without members nobody is one.
    groups.get_mut(name).ok_or(Refusal::UnknownMember)
}

fn nobody_left(request: LeaveGroup) -> Vec<Left> {
    let left = request.members.into_iter().map(|leaver| Left {
        member_id: leaver.member_id,
        instance_id: leaver.instance_id,
        outcome: Err(Refusal::UnknownMember),
    });
    left.collect()
}

fn join(
    groups: &mut BTreeMap<Arc<str>, Group>,
    turn: &mut Turn<'_>,
    ticket: Ticket,
    request: JoinGroup,
) -> Option<String> {
    if let Err(refusal) = may_join(groups, turn, &request) {
        refuse(turn, ticket, &request.member_id, refusal);
        return None;
    }
    let name = request.group.clone();
    if !groups.contains_key(name.as_str()) {
        let key: Arc<str> = Arc::from(name.as_str());
        let stored = turn.stored.group(&name).and_then(|stored| stored.generation.as_ref());
        groups.insert(key.clone(), Group::new(key, stored, turn.now.timestamp));
    }
    groups.get_mut(name.as_str()).expect("it was just put in").join(turn, ticket, request);
    Some(name)
}

fn may_join(groups: &BTreeMap<Arc<str>, Group>, turn: &Turn<'_>, request: &JoinGroup) -> Result<(), Refusal> {
    let policy = turn.policy;
    if request.group.is_empty() {
        return Err(Refusal::InvalidGroup);
    }
    if !(policy.session_timeout_min..=policy.session_timeout_max).contains(&request.session_timeout) {
        return Err(Refusal::InvalidSessionTimeout);
    }
    let is_live = groups.contains_key(request.group.as_str());
    if !is_live && !request.member_id.is_empty() {
        return Err(Refusal::UnknownMember);
    }
    let is_full = groups.len() >= policy.groups_max || turn.stored.group_count() >= policy.groups_max;
    if !is_live && is_full && turn.stored.group(&request.group).is_none() {
        return Err(Refusal::CoordinatorFull);
    }
    Ok(())
}

fn commit(groups: &mut BTreeMap<Arc<str>, Group>, turn: &mut Turn<'_>, request: OffsetCommit) -> Vec<TopicOutcome> {
    let group = groups.get_mut(request.group.as_str());
    let is_new = group.is_none() && turn.stored.group(&request.group).is_none();
    let allowed = offsets::may_commit(turn.stored, group.as_deref(), &request);
    let allowed = match allowed {
        Ok(()) if is_new && turn.stored.group_count() >= turn.policy.groups_max => Err(Refusal::CoordinatorFull),
        allowed => allowed,
    };
    if let Err(refusal) = allowed {
        let outcome = |topic: super::CommitTopic| TopicOutcome {
            topic: topic.topic,
            partitions: topic.partitions.iter().map(|partition| (partition.partition, Err(refusal))).collect(),
        };
        return request.topics.into_iter().map(outcome).collect();
    }
    if let Some(group) = group {
        // Who commits is alive.
        group.hear(&request.member_id, turn.now.moment);
    }
    offsets::commit(turn, request)
}
