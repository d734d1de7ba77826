//! SyncGroup: the leader says who gets what, the others wait for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::group::{Group, Phase};
use super::records::generation_bytes;
use super::turn::Turn;
use super::{Answer, Refusal, SyncGroup, Synced, Ticket};

impl Group {
    pub(super) fn sync(&mut self, turn: &mut Turn<'_>, ticket: Ticket, request: SyncGroup) {
        if let Err(refusal) = self.may_sync(&request) {
            return turn.answer(ticket, Answer::Sync(Err(refusal)));
        }
        let id = self.members.find(&request.member_id).map(|member| member.id.clone()).expect("it was just checked");
        match self.phase {
            Phase::Empty => turn.answer(ticket, Answer::Sync(Err(Refusal::UnknownMember))),
            Phase::Gathering { .. } | Phase::Preparing { .. } => {
                turn.answer(ticket, Answer::Sync(Err(Refusal::RebalanceInProgress)));
            }
            Phase::Completing { .. } => {
                self.wait_to_sync(turn, ticket, &id);
                if self.is_leader(&id) {
                    self.assign(turn, request.assignments);
                }
            }
            Phase::Stable { .. } => {
                if let Some(member) = self.members.find_mut(&id) {
                    member.synced = true;
                }
                turn.answer(ticket, Answer::Sync(Ok(self.part_of(&id))));
            }
        }
    }

    fn may_sync(&self, request: &SyncGroup) -> Result<(), Refusal> {
        self.check_member(&request.member_id, request.instance_id.as_deref())?;
        if request.generation != self.generation {
            return Err(Refusal::IllegalGeneration);
        }
        let differs = |said: &Option<String>, ours: &Option<String>| match (said, ours) {
            (Some(said), Some(ours)) => said != ours,
            _ => false,
        };
        let other =
            differs(&request.protocol_type, &self.protocol_type) || differs(&request.protocol_name, &self.protocol);
        if other { Err(Refusal::InconsistentProtocol) } else { Ok(()) }
    }

    fn wait_to_sync(&mut self, turn: &mut Turn<'_>, ticket: Ticket, id: &Arc<str>) {
        let Some(member) = self.members.find_mut(id) else { return };
        member.synced = true;
        if let Some(before) = member.syncing.replace(ticket) {
            // The same member on another connection: the older request has missed its turn.
            turn.answer(before, Answer::Sync(Err(Refusal::RebalanceInProgress)));
        }
    }

    /// The leader has spoken: whoever it didn't name gets nothing, whoever waits is told.
    fn assign(&mut self, turn: &mut Turn<'_>, assignments: Vec<(String, Bytes)>) {
        let mut parts: BTreeMap<String, Bytes> = assignments.into_iter().collect();
        let room_before = self.members.part_room();
        // Copied: it came as part of a frame, which would stay in memory as long as any part of it.
        self.members.assign(|id| parts.remove(id).map(|part| Bytes::copy_from_slice(&part)).unwrap_or_default());
        let Phase::Completing { until } = self.phase else { return };
        let before = self.phase;
        let since = self.since;
        self.enter(turn, Phase::Stable { until: Some(until) });
        let value = self.generation_record();
        // Whether there is room is not asked: its members are there, and can't go on without their parts.
        if generation_bytes(&value) > turn.policy.generation_bytes_max {
            (self.phase, self.since) = (before, since);
            self.refuse_syncs(turn, Refusal::GenerationTooLarge);
            self.members.keep_part_room(room_before);
            return self.rebalance(turn);
        }
        turn.store_generation(&self.name, value);
        for id in self.members.ids_where(|member| member.syncing.is_some()) {
            let Some(waiter) = self.members.find_mut(&id).and_then(|member| member.syncing.take()) else { continue };
            self.hear(&id, turn.now.moment);
            turn.answer(waiter, Answer::Sync(Ok(self.part_of(&id))));
        }
    }

    fn part_of(&self, id: &str) -> Synced {
        Synced {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol_name: self.protocol.clone().unwrap_or_default(),
            assignment: self.members.find(id).map(|member| member.assignment().clone()).unwrap_or_default(),
        }
    }
}
