//! Groups of the classic protocol: who reads together, and how far they have read.
//!
//! A [`Coordinator`] is one partition of `__consumer_offsets`. What has to outlive it, the offsets and the generations,
//! is [`Stored`] and changes by the records of that log alone; who waits, who was heard when and which rebalance goes on
//! is [`Live`] and gone with the process: clients come again.
//!
//! The driver, for each command: [`Coordinator::decide`]; append the records; [`Coordinator::apply`] each at its offset;
//! then hold the answers until the high watermark has passed the log's end. Before the next command, because that one
//! sees what these records say; and that one is the [`Coordinator::rest`] of the last, if it has one. Where there may be no room for them, that is asked first ([`Coordinator::volume`]): what
//! was decided is not taken back, but for offsets ([`Coordinator::leave_out`]). An append that fails ends the coordinator: load another from the log, and tell the
//! tickets that wait. Records of one decision need not stand together: each prefix is a state as well.

mod answer;
mod command;
mod coordinator;
mod describe;
mod expiry;
mod group;
mod join;
mod live;
mod members;
mod offsets;
mod pending;
mod policy;
mod rebalance;
pub mod records;
mod session;
mod stored;
mod subscription;
mod sync;
mod transactions;
mod turn;
mod volume;
mod weight;

pub use answer::{
    Answer, Committed, Described, DescribedMember, FetchedTopic, JoinAnswer, Joined, JoinedMember, Left, Listed,
    Refusal, State, Synced, TopicOutcome,
};
pub use command::{
    Command, CommitDialect, CommitPartition, CommitTopic, Filter, Heartbeat, JoinDialect, JoinGroup, LeaveGroup,
    Leaver, Now, OffsetCommit, OffsetDelete, OffsetFetch, Request, SyncGroup, Ticket, TopicName, TopicPartitions,
};
pub use coordinator::{Coordinator, can_be_left_out};
pub use live::Live;
pub use policy::Policy;
pub use stored::Stored;
pub use transactions::TransactionEnd;

/// What a coordinator decides: records, and answers to tickets.
pub type Decision = crate::Decision<Stored>;

/// The answers of a decision: to the one who asked, if it needn't wait, and to those who waited for it.
pub type Answers = Vec<(Ticket, Answer)>;

/// What ListGroups calls all groups of this protocol.
pub const GROUP_TYPE: &str = "classic";
