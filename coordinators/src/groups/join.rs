//! JoinGroup: who becomes a member, who stays one, and whether that begins a rebalance.

use std::sync::Arc;

use super::group::{Group, Phase};
use super::members::{Introduction, Member, once_each};
use super::records::generation_bytes;
use super::subscription::named_topics;
use super::turn::Turn;
use super::{Answer, JoinAnswer, JoinDialect, JoinGroup, Refusal, Ticket, weight};

/// Every member of a group is told its leader's id: however long a client's name is, this is not.
const MEMBER_ID_BYTES_MAX: usize = 1_000;

impl Group {
    pub(super) fn join(&mut self, turn: &mut Turn<'_>, ticket: Ticket, mut request: JoinGroup) {
        request.protocols = once_each(request.protocols);
        let id = std::mem::take(&mut request.member_id);
        if !self.has_room_for(turn, &id) {
            // Somebody who was here before, and came too late to a group that became smaller, is out.
            if self.members.find(&id).is_some() {
                self.remove(turn, &id);
            }
            self.pending.remove(&id);
            return refuse(turn, ticket, "", Refusal::GroupFull);
        }
        if !self.supports(&request) {
            return refuse(turn, ticket, &id, Refusal::InconsistentProtocol);
        }
        if self.said_bytes_with(&id, &request) > turn.policy.said_bytes_max() {
            return refuse(turn, ticket, &id, Refusal::GenerationTooLarge);
        }
        if !self.knows(&id, &request) && self.growth() + self.growth_by(&id, &request) > turn.room {
            // As if the group had no place: whoever comes anew is told so for good, and the others go on, with more to say
            // than before if they have to: what they add counts, up to the bounds that a group has by itself.
            return refuse(turn, ticket, &id, Refusal::GroupFull);
        }
        if id.is_empty() { self.join_new(turn, ticket, request) } else { self.join_known(turn, ticket, &id, request) }
    }

    fn join_new(&mut self, turn: &mut Turn<'_>, ticket: Ticket, request: JoinGroup) {
        let id = drawn_id(&request);
        let Some(instance) = &request.instance_id else {
            if request.dialect >= JoinDialect::MemberIdFirst {
                return self.give_id(turn, ticket, id, &request);
            }
            return self.add(turn, ticket, &id, request);
        };
        match self.members.of_instance(instance).cloned() {
            Some(old) => self.replace(turn, ticket, &old, &id, request),
            None => self.add(turn, ticket, &id, request),
        }
    }

    /// A client that is never heard of again after this costs an id, not a place in a rebalance.
    fn give_id(&mut self, turn: &mut Turn<'_>, ticket: Ticket, id: Arc<str>, request: &JoinGroup) {
        if self.pending.len() >= turn.policy.pending_max {
            return refuse(turn, ticket, "", Refusal::GroupFull);
        }
        let until = turn.now.moment + request.session_timeout;
        self.wake_by(until);
        refuse(turn, ticket, &id, Refusal::MemberIdRequired);
        self.pending.insert(id, until);
    }

    fn join_known(&mut self, turn: &mut Turn<'_>, ticket: Ticket, id: &str, request: JoinGroup) {
        if request.instance_id.is_some() && self.pending.contains(id) {
            // An instance gets its id by joining without one; this one was given to somebody else.
            return refuse(turn, ticket, id, Refusal::UnknownMember);
        }
        if let Some(id) = self.pending.remove(id) {
            return self.add(turn, ticket, &id, request);
        }
        if let Err(refusal) = self.check_member(id, request.instance_id.as_deref()) {
            return refuse(turn, ticket, id, refusal);
        }
        let member = self.members.find(id).expect("it was just checked");
        let unchanged = member.says(&request.protocols);
        let id = member.id.clone();
        let knows_enough = match self.phase {
            // It has not heard the answer, or wants to hear it again.
            Phase::Completing { .. } => unchanged,
            // A leader that joins again wants to assign again.
            Phase::Stable { .. } => unchanged && !self.is_leader(&id),
            Phase::Empty | Phase::Gathering { .. } | Phase::Preparing { .. } => false,
        };
        if knows_enough {
            return turn.answer(ticket, Answer::Join(self.joined(&id)));
        }
        self.members.update(&id, introduction(request));
        self.wait_to_join(turn, ticket, &id);
        self.rebalance(turn);
    }

    /// What the answers take that tell the members of each other, were this one among them: the leader hears of all, and
    /// everybody hears the group's kind.
    fn said_bytes_with(&self, id: &str, request: &JoinGroup) -> usize {
        let instance_id = request.instance_id.as_deref().map_or(0, str::len);
        let texts = id.len() + instance_id + request.client_id.len() + request.client_host.len();
        let kinds = (self.members.len() + 1) * request.protocol_type.len();
        self.members.said_bytes_with(id, &request.protocols, texts) + kinds
    }

    /// By how much the group grows if somebody joins whom it doesn't know. A client that is only given an id is refused at once where it would
    /// be refused when it comes again.
    fn growth_by(&self, id: &str, request: &JoinGroup) -> usize {
        let instance_id = request.instance_id.as_deref();
        let said = weight::said(&request.protocols, named_topics(&request.protocol_type, &request.protocols));
        let new_id = drawn_id(request);
        let id = if id.is_empty() { &*new_id } else { id };
        let texts = [id, instance_id.unwrap_or_default(), &request.client_id, &request.client_host];
        let kind = if self.members.is_empty() { 2 * request.protocol_type.len() } else { 0 };
        kind + weight::member(texts) + said
    }

    /// Whether somebody is a member already, or comes in the place of one.
    fn knows(&self, id: &str, request: &JoinGroup) -> bool {
        let instance_id = request.instance_id.as_deref().filter(|_| id.is_empty());
        self.members.find(id).is_some() || instance_id.is_some_and(|id| self.members.of_instance(id).is_some())
    }

    fn add(&mut self, turn: &mut Turn<'_>, ticket: Ticket, id: &Arc<str>, request: JoinGroup) {
        if self.members.is_empty() {
            self.protocol_type = Some(request.protocol_type.clone());
        }
        if let Phase::Gathering { grew, .. } = &mut self.phase {
            *grew = true;
        }
        let instance = request.instance_id.as_deref().map(Arc::from);
        self.members.insert(Member::new(id.clone(), instance, introduction(request)));
        self.wait_to_join(turn, ticket, id);
        self.hear(id, turn.now.moment);
        self.rebalance(turn);
    }

    /// A new process in the place of an old one, which is fenced from now on. As long as the group would choose the same
    /// protocol, nobody else has to know.
    fn replace(&mut self, turn: &mut Turn<'_>, ticket: Ticket, old: &str, id: &Arc<str>, request: JoinGroup) {
        let led = self.leader.clone();
        let Some(replaced) = self.members.rename(old, id.clone()) else { return };
        if let Some(waiter) = replaced.joining {
            let answer = JoinAnswer { member_id: old.to_owned(), outcome: Err(Refusal::FencedInstance) };
            turn.answer(waiter, Answer::Join(answer));
        }
        if let Some(waiter) = replaced.syncing {
            turn.answer(waiter, Answer::Sync(Err(Refusal::FencedInstance)));
        }
        if self.is_leader(old) {
            self.leader = Some(id.clone());
        }
        let dialect = request.dialect;
        self.members.update(id, introduction(request));
        self.hear(id, turn.now.moment);
        let keeps_place = matches!(self.phase, Phase::Stable { .. })
            && self.members.vote(self.leader.as_deref()) == self.protocol
            && generation_bytes(&self.generation_record()) <= turn.policy.generation_bytes_max;
        if keeps_place {
            turn.store_generation(&self.name, self.generation_record());
            let answer = self.joined_again(id, led.as_deref(), dialect);
            return turn.answer(ticket, Answer::Join(answer));
        }
        self.wait_to_join(turn, ticket, id);
        self.rebalance(turn);
    }

    /// The present generation for one that kept its place in it. A leader of an old client would assign again if it were
    /// told that it leads, so it hears that the process before it does.
    fn joined_again(&self, id: &str, led: Option<&str>, dialect: JoinDialect) -> JoinAnswer {
        let mut answer = self.joined(id);
        if let Ok(joined) = &mut answer.outcome {
            if dialect >= JoinDialect::SkipsAssignment {
                joined.skip_assignment = self.is_leader(id);
            } else {
                joined.members = Vec::new();
                joined.leader = led.unwrap_or_default().to_owned();
            }
        }
        answer
    }

    fn wait_to_join(&mut self, turn: &mut Turn<'_>, ticket: Ticket, id: &Arc<str>) {
        if let Some(before) = self.members.wait_to_join(id, ticket) {
            // The same member on another connection: the older request has missed its turn.
            let answer = JoinAnswer { member_id: id.to_string(), outcome: Err(Refusal::RebalanceInProgress) };
            turn.answer(before, Answer::Join(answer));
        }
    }

    /// Members that are waited for keep their place; while the group forms, the first to join again are in, should
    /// there be more than there may be.
    fn has_room_for(&self, turn: &Turn<'_>, id: &str) -> bool {
        let max = turn.policy.members_max;
        match self.phase {
            Phase::Empty => true,
            Phase::Gathering { .. } | Phase::Preparing { .. } => {
                self.members.find(id).is_some_and(Member::is_joining) || self.members.joining() < max
            }
            Phase::Completing { .. } | Phase::Stable { .. } => {
                self.members.find(id).is_some() || self.members.len() < max
            }
        }
    }

    fn supports(&self, request: &JoinGroup) -> bool {
        if self.members.is_empty() && self.phase == Phase::Empty {
            return !request.protocol_type.is_empty() && !request.protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(&request.protocol_type)
            && self.members.can_all_do_one_of(&request.protocols)
    }
}

pub(super) fn refuse(turn: &mut Turn<'_>, ticket: Ticket, id: &str, refusal: Refusal) {
    turn.answer(ticket, Answer::Join(JoinAnswer { member_id: id.to_owned(), outcome: Err(refusal) }));
}

fn introduction(request: JoinGroup) -> Introduction {
    Introduction {
        client_id: request.client_id,
        client_host: request.client_host,
        session_timeout: request.session_timeout,
        rebalance_timeout: request.rebalance_timeout,
        topics: named_topics(&request.protocol_type, &request.protocols),
        protocols: request.protocols,
    }
}

/// `client-uuid`, or `instance-uuid` of a member that keeps its place: people read it in logs and tools.
fn drawn_id(request: &JoinGroup) -> Arc<str> {
    let bits = u128::from_be_bytes(request.drawn.0);
    let uuid = format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        (bits >> 80) & 0xffff,
        (bits >> 64) & 0xffff,
        (bits >> 48) & 0xffff,
        bits & 0xffff_ffff_ffff
    );
    let whose = request.instance_id.as_deref().unwrap_or(&request.client_id);
    let whose = &whose[..whose.floor_char_boundary(MEMBER_ID_BYTES_MAX - uuid.len() - 1)];
    Arc::from(format!("{whose}-{uuid}"))
}
