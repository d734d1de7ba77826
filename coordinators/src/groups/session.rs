//! Heartbeat and LeaveGroup: members that are there, and members that go.

use super::group::{Group, Phase};
use super::turn::Turn;
use super::{Answer, Heartbeat, LeaveGroup, Leaver, Left, Refusal, Ticket};

impl Group {
    pub(super) fn heartbeat(&mut self, turn: &Turn<'_>, request: &Heartbeat) -> Result<(), Refusal> {
        self.check_member(&request.member_id, request.instance_id.as_deref())?;
        if request.generation != self.generation {
            return Err(Refusal::IllegalGeneration);
        }
        self.hear(&request.member_id, turn.now.moment);
        match self.phase {
            Phase::Empty => Err(Refusal::UnknownMember),
            // It is alive, and is to join again.
            Phase::Gathering { .. } | Phase::Preparing { .. } => Err(Refusal::RebalanceInProgress),
            Phase::Completing { .. } | Phase::Stable { .. } => Ok(()),
        }
    }

    pub(super) fn leave(&mut self, turn: &mut Turn<'_>, ticket: Ticket, request: LeaveGroup) {
        let left = request.members.into_iter().map(|leaver| {
            let outcome = self.dismiss(turn, &leaver);
            Left { member_id: leaver.member_id, instance_id: leaver.instance_id, outcome }
        });
        let left = left.collect();
        turn.answer(ticket, Answer::Leave(Ok(left)));
    }

    fn dismiss(&mut self, turn: &mut Turn<'_>, leaver: &Leaver) -> Result<(), Refusal> {
        let instance = leaver.instance_id.as_deref();
        if leaver.member_id.is_empty() {
            // An administrator sends an instance away, whichever process it is.
            let id = instance.and_then(|instance| self.members.of_instance(instance)).cloned();
            self.remove(turn, &id.ok_or(Refusal::UnknownMember)?);
        } else if self.pending.contains(&leaver.member_id) {
            self.remove_pending(turn, &leaver.member_id);
        } else {
            self.check_member(&leaver.member_id, instance)?;
            self.remove(turn, &leaver.member_id);
        }
        Ok(())
    }
}
