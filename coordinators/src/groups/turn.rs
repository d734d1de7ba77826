//! One command's turn: what it may see of its surroundings, and what comes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use thalweg_messages::group_log::{GroupMetadataKey, GroupMetadataValue, GroupRecord};

use super::members::Waiter;
use super::{Answer, Answers, Now, Policy, Stored, Ticket};

/// What a command is decided on, and what it comes to.
pub(super) struct Turn<'a> {
    pub(super) stored: &'a Stored,
    pub(super) policy: &'a Policy,
    pub(super) now: Now,
    pub(super) records: Vec<GroupRecord>,
    answers: Answers,
    parked: &'a mut Parked,
}

/// Tickets that wait, and for whom: a group and a member of it.
pub(super) type Parked = BTreeMap<Ticket, (Arc<str>, Arc<str>)>;

impl<'a> Turn<'a> {
    pub(super) fn new(stored: &'a Stored, policy: &'a Policy, now: Now, parked: &'a mut Parked) -> Turn<'a> {
        Turn { stored, policy, now, records: Vec::new(), answers: Vec::new(), parked }
    }

    pub(super) fn finish(self) -> super::Decision {
        super::Decision { records: self.records, reply: self.answers }
    }

    /// Answers the one who asks.
    pub(super) fn answer(&mut self, ticket: Ticket, answer: Answer) {
        self.answers.push((ticket, answer));
    }

    /// The one who asks has to wait.
    pub(super) fn park(&mut self, ticket: Ticket, group: &Arc<str>, member: &Arc<str>) -> Waiter {
        let before = self.parked.insert(ticket, (group.clone(), member.clone()));
        assert_eq!(before, None, "a ticket is given once");
        Waiter(Some(ticket))
    }

    /// Answers one who waited.
    pub(super) fn release(&mut self, waiter: Waiter, answer: impl FnOnce() -> Answer) {
        let Waiter(Some(ticket)) = waiter else { return };
        self.parked.remove(&ticket).expect("who waits is parked");
        self.answers.push((ticket, answer()));
    }

    /// A group's generation is to be stored.
    pub(super) fn store_generation(&mut self, group: &str, value: GroupMetadataValue) {
        self.records.push(GroupRecord::GroupMetadata(GroupMetadataKey { group: group.to_owned() }, Some(value)));
    }
}
