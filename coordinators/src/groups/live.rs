//! What is known to this process alone: who waits, who was heard when, which rebalance goes on.

use std::collections::BTreeMap;
use std::sync::Arc;

use thalweg_wire::Moment;

use super::{Command, Decision, Now, Policy, Stored, Ticket};

/// Members, rebalances and tickets that wait.
#[derive(Debug)]
pub struct Live {
    policy: Policy,
    tickets: BTreeMap<Ticket, Arc<str>>,
}

impl Live {
    pub(super) fn new(policy: Policy) -> Live {
        Live { policy, tickets: BTreeMap::new() }
    }

    pub(super) fn decide(&mut self, _: &Stored, _: Now, _: Command) -> Decision {
        Decision { records: Vec::new(), reply: Vec::new() }
    }

    pub(super) fn loaded(&mut self, _: &Stored, _: Now) {}

    pub(super) fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    pub(super) fn forget(&mut self, ticket: Ticket) {
        self.tickets.remove(&ticket);
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = Ticket> {
        self.tickets.keys().copied()
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        None
    }
}
