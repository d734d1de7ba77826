//! Two verbs that keep replicas equal: [`Machine::decide`] on the leader, [`Machine::apply`] everywhere.

use thalweg_wire::Offset;

/// A replicated state machine.
pub trait Machine {
    /// What somebody wants.
    type Command;
    /// What durable state changes by.
    type Record;
    /// What the one who wanted it is told, once the records are durable.
    type Reply;
    /// What the deciding node knows for itself, and no other has to: settings, timers.
    type Soft;
    /// What time is to it: a [`thalweg_wire::Moment`] where time only measures, and a [`thalweg_wire::Timestamp`] beside
    /// it where records carry it.
    type Now: Copy;

    /// Says what a command comes to, on the state as it is. Changes nothing durable: the records do, once they are in
    /// the log, where they stand together or not at all.
    fn decide(&self, soft: &mut Self::Soft, now: Self::Now, command: Self::Command) -> Decision<Self>;

    /// Takes a record in, in the order of the log: the one way in which durable state changes. Can't fail, so a record
    /// that makes no sense here changes nothing.
    fn apply(&mut self, at: Context, record: &Self::Record);

    /// The state as records: applied to an empty machine, they give this one.
    fn image(&self) -> impl Iterator<Item = Self::Record>;
}

/// Where a record stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
    /// The record's offset in its log; for the metadata log, the index of its entry.
    pub offset: Offset,
}

/// What a command comes to.
pub struct Decision<M: Machine + ?Sized> {
    /// To be written as one, in this order; none means that nothing changes.
    pub records: Vec<M::Record>,
    /// The answer, to be given when the records are durable.
    pub reply: M::Reply,
}
