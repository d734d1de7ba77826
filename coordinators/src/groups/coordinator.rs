//! One partition of `__consumer_offsets`: the driver's door.

use thalweg_messages::group_log::GroupRecord;
use thalweg_wire::{Moment, ProducerId};

use super::{Command, Decision, Live, Now, Policy, Stored, TransactionEnd, volume};
use crate::machine::{Context, Machine};

/// The coordinator of the groups of one partition: a [`Stored`] and its [`Live`].
#[derive(Debug)]
pub struct Coordinator {
    stored: Stored,
    live: Live,
    /// Records that were decided and not applied yet.
    owed: usize,
}

impl Coordinator {
    /// A coordinator that has to be told its log first: [`Self::apply`] for each record, then [`Self::loaded`].
    pub fn new(policy: Policy) -> Coordinator {
        Coordinator { stored: Stored::default(), live: Live::new(policy), owed: 0 }
    }

    /// The log was read to its end. Members of the last generations have a session from now on, and are where they
    /// were: nobody has to join again because a coordinator moved.
    pub fn loaded(&mut self, now: Now) {
        assert_eq!(self.owed, 0, "loading comes before deciding");
        self.live.loaded(&self.stored, now);
    }

    /// Bytes for which the log needs room before a command is decided; 0 for one that stores nothing. Of a command that
    /// comes to more, those behind are offsets and deletions, which can be left out.
    pub fn volume(&self, command: &Command) -> usize {
        volume::of(&self.live, self.live.policy(), command)
    }

    /// There is no room for the rest of the last decision's records: they will not be appended. None of them is a
    /// generation: members may know of that already.
    pub fn leave_out(&mut self, rest: &[GroupRecord]) {
        assert!(can_be_left_out(rest), "a generation is never left out");
        assert_eq!(self.owed, rest.len(), "the rest is what was not applied");
        self.owed = 0;
    }

    /// Says what a command comes to. The records are to be appended, in this order, and then to be given to
    /// [`Self::apply`], all of it before the next command.
    pub fn decide(&mut self, now: Now, command: Command) -> Decision {
        assert_eq!(self.owed, 0, "records of the last decision were not applied");
        let decision = self.stored.decide(&mut self.live, now, command);
        self.owed = decision.records.len();
        decision
    }

    /// What the last decision has left over, because it forgets so much and no more: to be decided next, once its records are
    /// applied. Where it can't be, its ticket is to be told, and topics that are deleted are to be said again.
    #[must_use]
    pub fn rest(&mut self) -> Option<Command> {
        self.live.take_rest()
    }

    /// Takes a record in that stands in the log: when loading, and after each decision.
    pub fn apply(&mut self, at: Context, record: &GroupRecord) {
        self.stored.apply(at, record);
        self.owed = self.owed.saturating_sub(1);
    }

    /// Takes a record in that stands in a transactional batch of the log, when loading: a Kafka's consumers that commit
    /// in transactions wrote it. It counts when the transaction is committed, and until then for nobody.
    pub fn apply_in_transaction(&mut self, at: Context, producer: ProducerId, record: &GroupRecord) {
        self.stored.apply_in_transaction(at, producer, record);
    }

    /// Takes the end of a producer's transaction in: a control batch of the log, when loading.
    pub fn transaction_ended(&mut self, producer: ProducerId, end: TransactionEnd) {
        self.stored.transaction_ended(producer, end);
    }

    /// When the next [`Command::Tick`] is due. May be early, is never late; changes with each command.
    pub fn deadline(&self) -> Option<Moment> {
        self.live.deadline()
    }

    /// The settings have changed. Holds for what comes, not for what already waits.
    pub fn set_policy(&mut self, policy: Policy) {
        self.live.set_policy(policy);
    }

    /// By how many bytes its state may grow from here on, until this is said again; no bound if it never is. A new
    /// member or offset that needs more is refused; an offset that takes no more than what it replaces is not, nor is a
    /// member that is there, whatever it says or is given. The end of a group is stored in any case, for which it has
    /// counted all the time.
    pub fn set_room(&mut self, bytes: usize) {
        self.live.set_room(bytes);
    }

    /// What its state takes in memory, in bytes: a count kept as it changes, rather too large than too small.
    pub fn bytes(&self) -> usize {
        self.stored.bytes() + self.live.bytes()
    }

    /// By how many bytes [`Self::bytes`] grows, at most, when the records of the last decision are applied: nobody else is to
    /// have that room meanwhile.
    pub fn bytes_owed(&self) -> usize {
        self.live.owed()
    }

    /// [`Self::bytes`], counted anew from all that there is: for tests.
    pub fn recounted_bytes(&self) -> usize {
        self.stored.recounted_bytes() + self.live.recounted()
    }

    /// The durable state as records.
    pub fn image(&self) -> impl Iterator<Item = GroupRecord> {
        self.stored.image()
    }

    /// The durable state.
    pub fn stored(&self) -> &Stored {
        &self.stored
    }
}

/// Whether nothing else has to know of these records: offsets, and what is gone.
pub fn can_be_left_out(records: &[GroupRecord]) -> bool {
    !records.iter().any(|record| matches!(record, GroupRecord::GroupMetadata(_, Some(_))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::{CommitDialect, CommitPartition, CommitTopic, OffsetCommit, Request, Ticket, TopicName};
    use thalweg_wire::{LeaderEpoch, Offset, PartitionIndex, Timestamp, TopicId};

    const NOW: Now = Now { moment: Moment::ZERO, timestamp: Timestamp::from_millis(0) };

    fn commit(ticket: u64, partitions: i32) -> Command {
        let partition = |index| CommitPartition {
            partition: PartitionIndex(index),
            offset: Offset(7),
            leader_epoch: LeaderEpoch::NONE,
            metadata: None,
        };
        let topic = TopicName { name: "t".to_owned(), id: TopicId::ZERO };
        let request = OffsetCommit {
            group: "g".to_owned(),
            generation: -1,
            member_id: String::new(),
            instance_id: None,
            retention: None,
            dialect: CommitDialect::GroupIsMissing,
            topics: vec![CommitTopic { topic, partitions: (0..partitions).map(partition).collect() }],
        };
        Command::Ask(Ticket(ticket), Request::Commit(request))
    }

    #[test]
    fn a_commit_of_which_a_part_had_room_goes_no_further_and_the_next_one_does() {
        let mut coordinator = Coordinator::new(Policy::default());
        coordinator.loaded(NOW);
        let decision = coordinator.decide(NOW, commit(1, 3));
        coordinator.apply(Context { offset: Offset(0) }, &decision.records[0]);
        assert!(can_be_left_out(&decision.records[1..]));
        coordinator.leave_out(&decision.records[1..]);
        assert_eq!(coordinator.stored().offset_count(), 1);
        let again = coordinator.decide(NOW, commit(2, 3));
        assert_eq!(again.records.len(), 3);
        again.records.iter().for_each(|record| coordinator.apply(Context { offset: Offset(1) }, record));
        assert_eq!(coordinator.stored().offset_count(), 3);
    }

    // Members have been told of it.
    #[test]
    fn a_generation_is_never_left_out() {
        let generation = |value| GroupRecord::GroupMetadata(Default::default(), value);
        assert!(can_be_left_out(&[generation(None)]));
        assert!(!can_be_left_out(&[generation(None), generation(Some(Default::default()))]));
    }
}
