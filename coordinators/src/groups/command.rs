//! What a coordinator is told: requests, as far as they concern it, and the passing of time.
//!
//! A request is about one group. What names many on the wire becomes one request for each, and the handler gathers the
//! answers: the groups of one request live with many coordinators anyway.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use thalweg_wire::{LeaderEpoch, Moment, Offset, PartitionIndex, Timestamp, TopicId, Uuid};

/// The driver's name for somebody who waits for an answer. Never given twice in the life of a coordinator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

/// Both clocks at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// For sessions and time-outs.
    pub moment: Moment,
    /// For what is stored.
    pub timestamp: Timestamp,
}

/// What a coordinator is told.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Somebody asks, and gets exactly one answer: in this decision, or in a later one if it has to wait for others.
    Ask(Ticket, Request),
    /// The same, where an answer to a Fetch, a Describe or a List of more than so many bytes in memory is none: who asks
    /// is told [`super::Answer::TooLarge`].
    AskWithin(Ticket, Request, usize),
    /// Topics are gone, and with them what groups had read of them.
    TopicsDeleted(Vec<TopicName>),
    /// The same, of this group and those behind it: only as [`super::Coordinator::rest`].
    TopicsDeletedFrom(Vec<TopicName>, Arc<str>),
    /// A deadline may have passed: see [`super::Coordinator::deadline`]. Too early is harmless.
    Tick,
}

/// A request, about one group.
#[derive(Clone, PartialEq, Debug)]
pub enum Request {
    /// Answered by [`super::Answer::Join`], when the next generation begins.
    Join(JoinGroup),
    /// Answered by [`super::Answer::Sync`], when the leader has assigned.
    Sync(SyncGroup),
    /// Answered by [`super::Answer::Heartbeat`].
    Heartbeat(Heartbeat),
    /// Answered by [`super::Answer::Leave`].
    Leave(LeaveGroup),
    /// Answered by [`super::Answer::Commit`].
    Commit(OffsetCommit),
    /// Answered by [`super::Answer::Fetch`].
    Fetch(OffsetFetch),
    /// Answered by [`super::Answer::DeleteOffsets`].
    DeleteOffsets(OffsetDelete),
    /// What a group is like now. Answered by [`super::Answer::Describe`].
    Describe {
        /// The group.
        group: String,
    },
    /// Which groups there are. Answered by [`super::Answer::List`].
    List(Filter),
    /// A group goes, with all that it has committed. Answered by [`super::Answer::DeleteGroup`].
    DeleteGroup {
        /// The group.
        group: String,
    },
}

/// JoinGroup.
#[derive(Clone, PartialEq, Debug)]
pub struct JoinGroup {
    /// The group.
    pub group: String,
    /// Who asks; empty for a new member.
    pub member_id: String,
    /// Of a member that keeps its place over a restart.
    pub instance_id: Option<String>,
    /// From the request's header; empty if it has none.
    pub client_id: String,
    /// The client's address as Kafka shows it, `/10.0.0.7`.
    pub client_host: String,
    /// After so long a silence the member is out. Below zero is zero, and refused.
    pub session_timeout: Duration,
    /// How long others wait for it; in version 0 the session's.
    pub rebalance_timeout: Duration,
    /// `consumer`, or another kind.
    pub protocol_type: String,
    /// Names and what the member says for each, the best first.
    pub protocols: Vec<(String, Bytes)>,
    /// Random, for the id of a new member; `Uuid::from_random`.
    pub drawn: Uuid,
    /// What the client can do with the answer.
    pub dialect: JoinDialect,
}

/// What the version of a JoinGroup request lets the coordinator answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum JoinDialect {
    /// Versions 0 to 3: a new member is one at once.
    Plain,
    /// From version 4: a new member is first given an id, and comes again with it (KIP-394).
    MemberIdFirst,
    /// From version 9: a leader that kept its place can be told to assign nothing (KIP-814).
    SkipsAssignment,
}

/// SyncGroup.
#[derive(Clone, PartialEq, Debug)]
pub struct SyncGroup {
    /// The group.
    pub group: String,
    /// The generation that the member was told when it joined.
    pub generation: i32,
    /// Who asks.
    pub member_id: String,
    /// Of a member that keeps its place over a restart.
    pub instance_id: Option<String>,
    /// What the member takes for the group's kind (from version 5).
    pub protocol_type: Option<String>,
    /// What the member takes for the group's protocol (from version 5).
    pub protocol_name: Option<String>,
    /// From the leader: member ids and their parts.
    pub assignments: Vec<(String, Bytes)>,
}

/// Heartbeat.
#[derive(Clone, PartialEq, Debug)]
pub struct Heartbeat {
    /// The group.
    pub group: String,
    /// The member's generation.
    pub generation: i32,
    /// Who is alive.
    pub member_id: String,
    /// Of a member that keeps its place over a restart.
    pub instance_id: Option<String>,
}

/// LeaveGroup.
#[derive(Clone, PartialEq, Debug)]
pub struct LeaveGroup {
    /// The group.
    pub group: String,
    /// Who goes.
    pub members: Vec<Leaver>,
}

/// A member that goes, or is sent away.
#[derive(Clone, PartialEq, Debug)]
pub struct Leaver {
    /// Empty: the instance says which.
    pub member_id: String,
    /// Of a member that keeps its place over a restart.
    pub instance_id: Option<String>,
}

/// A topic as a coordinator knows it: offsets are kept by its name, and its id says which life of it is meant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TopicName {
    /// Its name.
    pub name: String,
    /// Its id in the cluster's image; zero if there is no such topic.
    pub id: TopicId,
}

/// OffsetCommit.
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetCommit {
    /// The group; empty is a group like others.
    pub group: String,
    /// The member's generation; -1 from somebody who isn't a member.
    pub generation: i32,
    /// Who asks; empty from somebody who isn't a member.
    pub member_id: String,
    /// Of a member that keeps its place over a restart.
    pub instance_id: Option<String>,
    /// When the offsets expire, if the client said so (versions 2 to 4).
    pub retention: Option<Duration>,
    /// What is refused where the group isn't there, which changed with version 9.
    pub dialect: CommitDialect,
    /// How far it has read.
    pub topics: Vec<CommitTopic>,
}

/// What a version of OffsetCommit calls a member's commit to a group that isn't there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommitDialect {
    /// Up to version 8: ILLEGAL_GENERATION.
    GenerationIsWrong,
    /// From version 9: GROUP_ID_NOT_FOUND.
    GroupIsMissing,
}

/// Of [`OffsetCommit::topics`].
#[derive(Clone, PartialEq, Debug)]
pub struct CommitTopic {
    /// The topic.
    pub topic: TopicName,
    /// Its partitions.
    pub partitions: Vec<CommitPartition>,
}

/// Of [`CommitTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct CommitPartition {
    /// The partition.
    pub partition: PartitionIndex,
    /// Of the next record to read. Any number: what it means is the client's affair.
    pub offset: Offset,
    /// Of the last record read; -1 if it isn't known.
    pub leader_epoch: LeaderEpoch,
    /// What the client wants to find here again.
    pub metadata: Option<String>,
}

impl CommitPartition {
    /// What the client wants to find here again; none is empty.
    pub(super) fn words(&self) -> &str {
        self.metadata.as_deref().unwrap_or_default()
    }
}

/// OffsetFetch, for one of its groups.
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetFetch {
    /// The group; empty is a group like others.
    pub group: String,
    /// `None`: all that it has committed.
    pub topics: Option<Vec<TopicPartitions>>,
}

/// Partitions of a topic.
#[derive(Clone, PartialEq, Debug)]
pub struct TopicPartitions {
    /// The topic.
    pub topic: TopicName,
    /// Its partitions.
    pub partitions: Vec<PartitionIndex>,
}

/// OffsetDelete.
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetDelete {
    /// The group.
    pub group: String,
    /// What it forgets.
    pub topics: Vec<TopicPartitions>,
}

/// Which groups ListGroups names. Words are compared without regard to case.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Filter {
    /// States; empty: any.
    pub states: Vec<String>,
    /// Types; empty: any.
    pub types: Vec<String>,
}
