//! From one generation to the next: what begins a rebalance, what ends it, and who is not waited for.

use std::time::Duration;

use super::group::{Group, Phase};
use super::members::Member;
use super::turn::Turn;
use super::{Answer, JoinAnswer, Refusal};

/// How soon at the earliest a group of which nobody has joined is looked at again: a member may say that others need not
/// wait for it at all.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Group {
    /// The group has to form its next generation, or is about to and may be able to now.
    pub(super) fn rebalance(&mut self, turn: &mut Turn<'_>) {
        match self.phase {
            Phase::Gathering { .. } => {}
            Phase::Preparing { .. } => self.begin_if_all_joined(turn),
            Phase::Empty => self.gather(turn),
            Phase::Completing { .. } | Phase::Stable { .. } => self.prepare(turn),
        }
    }

    fn gather(&mut self, turn: &mut Turn<'_>) {
        let delay = turn.policy.initial_rebalance_delay;
        let left = self.members.rebalance_timeout().saturating_sub(delay);
        self.enter(turn, Phase::Gathering { until: turn.now.moment + delay, left, grew: false });
        if delay.is_zero() {
            self.begin(turn);
        }
    }

    fn prepare(&mut self, turn: &mut Turn<'_>) {
        if let Phase::Completing { .. } = self.phase {
            self.refuse_syncs(turn, Refusal::RebalanceInProgress);
        }
        self.enter(turn, Phase::Preparing { until: turn.now.moment + self.members.rebalance_timeout() });
        self.begin_if_all_joined(turn);
    }

    /// Nobody has a part: who waits for one is told so.
    pub(super) fn refuse_syncs(&mut self, turn: &mut Turn<'_>, why: Refusal) {
        self.members.take_parts_back();
        let mut told = Vec::new();
        for member in self.members.iter_mut() {
            if let Some(waiter) = member.syncing.take() {
                turn.answer(waiter, Answer::Sync(Err(why)));
                told.push(member.id.clone());
            }
        }
        told.iter().for_each(|id| self.hear(id, turn.now.moment));
    }

    fn begin_if_all_joined(&mut self, turn: &mut Turn<'_>) {
        if self.members.joining() == self.members.len() && self.pending.is_empty() {
            self.begin(turn);
        }
    }

    /// The first members have waited for others: if some came, for a while more.
    fn begin_unless_growing(&mut self, turn: &mut Turn<'_>, left: Duration, grew: bool) {
        if grew && !left.is_zero() {
            let delay = turn.policy.initial_rebalance_delay.min(left);
            let left = left.saturating_sub(turn.policy.initial_rebalance_delay);
            self.enter(turn, Phase::Gathering { until: turn.now.moment + delay, left, grew: false });
        } else {
            self.begin(turn);
        }
    }

    /// The next generation begins, of those who have joined; members with an instance keep their place without that.
    fn begin(&mut self, turn: &mut Turn<'_>) {
        for id in self.members.ids_where(|member| !member.is_joining() && !member.is_static()) {
            self.expel(turn, &id);
        }
        if !self.members.is_empty() && !self.elect() {
            // Nobody has joined. Their sessions decide who is still there.
            let until = turn.now.moment + self.members.rebalance_timeout().max(LOOK_AGAIN);
            return self.enter(turn, Phase::Preparing { until });
        }
        self.generation = self.generation.checked_add(1).unwrap_or(0);
        if self.members.is_empty() {
            return self.become_empty(turn);
        }
        self.protocol = self.members.vote(self.leader.as_deref());
        self.subscribed = self.subscriptions();
        let until = turn.now.moment + self.members.rebalance_timeout();
        self.enter(turn, Phase::Completing { until });
        self.announce(turn);
    }

    fn become_empty(&mut self, turn: &mut Turn<'_>) {
        (self.protocol, self.leader, self.subscribed) = (None, None, None);
        self.enter(turn, Phase::Empty);
        let value = self.generation_record();
        turn.store_generation(&self.name, value);
    }

    /// Leads who led, if it has joined, or else the first who has. Whether anybody could be found.
    fn elect(&mut self) -> bool {
        let leader = self.leader.as_deref().and_then(|id| self.members.find(id));
        if leader.is_some_and(Member::is_joining) {
            return true;
        }
        let Some(first) = self.members.first_where(Member::is_joining) else { return false };
        self.leader = Some(first.id.clone());
        true
    }

    fn announce(&mut self, turn: &mut Turn<'_>) {
        for id in self.members.ids_where(|_| true) {
            let waiter = self.members.end_joining(&id);
            if let Some(member) = self.members.find_mut(&id) {
                member.newcomer = false;
                member.synced = false;
            }
            self.hear(&id, turn.now.moment);
            if let Some(waiter) = waiter {
                turn.answer(waiter, Answer::Join(self.joined(&id)));
            }
        }
    }

    /// A member goes, whoever wants it, and the others are to share its part.
    pub(super) fn remove(&mut self, turn: &mut Turn<'_>, id: &str) {
        self.expel(turn, id);
        if self.phase != Phase::Empty {
            self.rebalance(turn);
        }
    }

    /// An id that was given out isn't waited for any more.
    pub(super) fn remove_pending(&mut self, turn: &mut Turn<'_>, id: &str) {
        self.pending.remove(id);
        if let Phase::Preparing { .. } = self.phase {
            self.begin_if_all_joined(turn);
        }
    }

    fn expel(&mut self, turn: &mut Turn<'_>, id: &str) {
        let joining = self.members.end_joining(id);
        let Some(member) = self.members.remove(id) else { return };
        if let Some(waiter) = joining {
            let answer = JoinAnswer { member_id: String::new(), outcome: Err(Refusal::UnknownMember) };
            turn.answer(waiter, Answer::Join(answer));
        }
        if let Some(waiter) = member.syncing {
            turn.answer(waiter, Answer::Sync(Err(Refusal::UnknownMember)));
        }
        if self.is_leader(id) {
            self.leader = None; // The next generation elects another.
        }
    }

    /// Time has passed: sessions, ids that nobody came for, and the phase may be over.
    pub(super) fn tick(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now.moment;
        self.pending.overdue(now).iter().for_each(|id| self.remove_pending(turn, id));
        let is_silent = |member: &Member| member.expires <= now && !member.is_excused();
        for id in self.members.ids_where(is_silent) {
            // When one goes, others may be told of a new generation, and then have a new session.
            if self.members.find(&id).is_some_and(is_silent) {
                self.remove(turn, &id);
            }
        }
        if self.deadline_of_phase().is_some_and(|until| until <= now) {
            self.phase_is_over(turn);
        }
        self.wake = self.deadline();
    }

    fn phase_is_over(&mut self, turn: &mut Turn<'_>) {
        match self.phase {
            Phase::Empty => {}
            Phase::Gathering { left, grew, .. } => self.begin_unless_growing(turn, left, grew),
            Phase::Preparing { .. } => self.begin(turn),
            Phase::Completing { .. } | Phase::Stable { .. } => {
                let missing = self.members.ids_where(|member| !member.synced);
                if missing.is_empty() {
                    if let Phase::Stable { until } = &mut self.phase {
                        *until = None;
                    }
                    return;
                }
                missing.iter().for_each(|id| self.expel(turn, id));
                self.prepare(turn);
            }
        }
    }
}
