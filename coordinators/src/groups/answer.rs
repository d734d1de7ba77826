//! What is answered, and why a request is refused.

use bytes::Bytes;
use thalweg_wire::{ErrorCode, LeaderEpoch, Offset, PartitionIndex};

use super::command::TopicName;

/// The answer to a [`super::Request`], of the same name.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// To a JoinGroup.
    Join(JoinAnswer),
    /// To a SyncGroup.
    Sync(Result<Synced, Refusal>),
    /// To a Heartbeat.
    Heartbeat(Result<(), Refusal>),
    /// To a LeaveGroup: for each member, in the order of the request. Up to version 2 the one member's is the request's.
    Leave(Result<Vec<Left>, Refusal>),
    /// To an OffsetCommit: for each partition, in the order of the request. What concerns all of it is said of each.
    Commit(Vec<TopicOutcome>),
    /// To an OffsetFetch: in the order of the request, or of names if it asked for all.
    Fetch(Vec<FetchedTopic>),
    /// To an OffsetDelete: of the whole, or for each partition.
    DeleteOffsets(Result<Vec<TopicOutcome>, Refusal>),
    /// To a DescribeGroups: a group that isn't there is `Dead`, and from version 6 the error of the refusal.
    Describe(Result<Described, Refusal>),
    /// To a ListGroups.
    List(Vec<Listed>),
    /// To a DeleteGroups.
    DeleteGroup(Result<(), Refusal>),
    /// There is an answer, and it is larger than was asked for: see [`super::Command::AskWithin`].
    TooLarge,
}

impl Answer {
    /// About what an answer to a Fetch, a Describe or a List takes in memory, in bytes; of others, nothing.
    pub fn bytes(&self) -> usize {
        match self {
            Answer::Fetch(topics) => topics.iter().map(FetchedTopic::bytes).sum(),
            Answer::Describe(Ok(group)) => group.members.iter().map(DescribedMember::bytes).sum(),
            Answer::List(groups) => groups.iter().map(Listed::bytes).sum(),
            _ => 0,
        }
    }
}

/// What an answer may still take, in bytes.
#[derive(Debug)]
pub(super) struct AnswerRoom(pub(super) usize);

impl AnswerRoom {
    /// Takes so many bytes; `None`: they aren't there.
    pub(super) fn take(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.checked_sub(bytes)?;
        Some(())
    }
}

/// What an entry of an answer takes beside its texts.
const ENTRY_BYTES: usize = 64;

/// Why a request was refused; each is one of Kafka's errors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Refusal {
    /// The name is empty where it must not be.
    InvalidGroup,
    /// The session time-out is outside of what the broker allows.
    InvalidSessionTimeout,
    /// A new member has to join again, with the id that the answer carries.
    MemberIdRequired,
    /// The group has no such member: it has to join anew, without an id.
    UnknownMember,
    /// A newer process has taken the place of this one.
    FencedInstance,
    /// The generation isn't the group's.
    IllegalGeneration,
    /// The group is about to form its next generation: the member has to join again.
    RebalanceInProgress,
    /// The kind isn't the group's, or the member can do nothing that all others can.
    InconsistentProtocol,
    /// The group has as many members as it may have, or there is no room for another.
    GroupFull,
    /// There is no such group.
    NoSuchGroup,
    /// The group has members.
    NotEmpty,
    /// A member reads the topic.
    Subscribed,
    /// The words that come with an offset are too long.
    MetadataTooLarge,
    /// No room is left for an offset.
    NoRoomForOffset,
    /// The commit is too large to be stored, all of it together: see [`super::Policy::commit_bytes_max`].
    CommitTooLarge,
    /// The same of a deletion of offsets.
    DeletionTooLarge,
    /// The generation is too large to be stored.
    GenerationTooLarge,
    /// This coordinator has as many groups or offsets as it may have: see [`super::Policy`].
    CoordinatorFull,
}

impl Refusal {
    /// What it is on the wire.
    pub const fn code(self) -> ErrorCode {
        match self {
            Refusal::InvalidGroup => ErrorCode::InvalidGroupId,
            Refusal::InvalidSessionTimeout => ErrorCode::InvalidSessionTimeout,
            Refusal::MemberIdRequired => ErrorCode::MemberIdRequired,
            Refusal::UnknownMember => ErrorCode::UnknownMemberId,
            Refusal::FencedInstance => ErrorCode::FencedInstanceId,
            Refusal::IllegalGeneration => ErrorCode::IllegalGeneration,
            Refusal::RebalanceInProgress => ErrorCode::RebalanceInProgress,
            Refusal::InconsistentProtocol => ErrorCode::InconsistentGroupProtocol,
            Refusal::GroupFull => ErrorCode::GroupMaxSizeReached,
            Refusal::NoSuchGroup => ErrorCode::GroupIdNotFound,
            Refusal::NotEmpty => ErrorCode::NonEmptyGroup,
            Refusal::Subscribed => ErrorCode::GroupSubscribedToTopic,
            Refusal::MetadataTooLarge => ErrorCode::OffsetMetadataTooLarge,
            // As Kafka says it when the offsets are too large for the log. The commit fails for good, and its client is told:
            // one that may try again would, without end, and while it looks for a coordinator its member is not heard.
            Refusal::NoRoomForOffset | Refusal::CommitTooLarge => ErrorCode::InvalidCommitOffsetSize,
            // As Kafka says it when the records are too large for the log.
            Refusal::GenerationTooLarge | Refusal::DeletionTooLarge => ErrorCode::UnknownServerError,
            // Clients look for another coordinator, wait and try again.
            Refusal::CoordinatorFull => ErrorCode::CoordinatorNotAvailable,
        }
    }
}

/// The answer to a JoinGroup.
#[derive(Clone, PartialEq, Debug)]
pub struct JoinAnswer {
    /// The id of the member, or the one that it has to come again with, or the one of the request.
    pub member_id: String,
    /// The generation, or why there is none for this client.
    pub outcome: Result<Joined, Refusal>,
}

/// A generation, as a member is told of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Joined {
    /// Its number.
    pub generation: i32,
    /// The group's kind.
    pub protocol_type: String,
    /// The protocol that it uses.
    pub protocol_name: String,
    /// The member id of the leader.
    pub leader: String,
    /// For a leader: nothing has changed, it is to assign nothing.
    pub skip_assignment: bool,
    /// For the leader: everybody, in the order in which they came. Empty for others.
    pub members: Vec<JoinedMember>,
}

/// Of [`Joined::members`].
#[derive(Clone, PartialEq, Debug)]
pub struct JoinedMember {
    /// Its id.
    pub member_id: String,
    /// Of a member that keeps its place over a restart.
    pub instance_id: Option<String>,
    /// What it said for the generation's protocol.
    pub metadata: Bytes,
}

/// A member's part.
#[derive(Clone, PartialEq, Debug)]
pub struct Synced {
    /// The group's kind.
    pub protocol_type: String,
    /// The protocol of the generation.
    pub protocol_name: String,
    /// As the leader said; empty if it said nothing.
    pub assignment: Bytes,
}

/// What became of a member that was to go.
#[derive(Clone, PartialEq, Debug)]
pub struct Left {
    /// As in the request.
    pub member_id: String,
    /// As in the request.
    pub instance_id: Option<String>,
    /// Whether it went.
    pub outcome: Result<(), Refusal>,
}

/// What became of a topic's partitions.
#[derive(Clone, PartialEq, Debug)]
pub struct TopicOutcome {
    /// As in the request.
    pub topic: TopicName,
    /// As in the request, and what became of it.
    pub partitions: Vec<(PartitionIndex, Result<(), Refusal>)>,
}

/// How far a group has read a topic.
#[derive(Clone, PartialEq, Debug)]
pub struct FetchedTopic {
    /// As in the request; if all were asked for, with the id under which it was committed, or zero.
    pub topic: TopicName,
    /// `None`: nothing was committed, or in an earlier life of the topic; on the wire offset -1 and metadata "".
    pub partitions: Vec<(PartitionIndex, Option<Committed>)>,
}

impl FetchedTopic {
    fn bytes(&self) -> usize {
        let partition = |(_, found): &(PartitionIndex, Option<Committed>)| {
            fetched_bytes(found.as_ref().map(|found| &*found.metadata))
        };
        FetchedTopic::head_bytes(&self.topic) + self.partitions.iter().map(partition).sum::<usize>()
    }

    /// What it takes beside its partitions.
    pub(super) fn head_bytes(topic: &TopicName) -> usize {
        ENTRY_BYTES + topic.name.len()
    }
}

/// What a partition takes in an answer, with its words if anything was committed.
pub(super) fn fetched_bytes(metadata: Option<&str>) -> usize {
    ENTRY_BYTES + metadata.map_or(0, str::len)
}

/// How far a group has read a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed {
    /// Of the next record to read.
    pub offset: Offset,
    /// Of the last record read; -1 if it isn't known.
    pub leader_epoch: LeaderEpoch,
    /// What the client wanted to find here again.
    pub metadata: String,
}

/// Where a group stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// Has no members, perhaps offsets.
    Empty,
    /// Waits for its members to join the next generation.
    PreparingRebalance,
    /// Waits for the leader to assign.
    CompletingRebalance,
    /// Everybody has a part.
    Stable,
}

impl State {
    /// Kafka's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }
}

/// A group, as DescribeGroups shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Described {
    /// Where it stands.
    pub state: State,
    /// Its kind; empty: offsets only.
    pub protocol_type: String,
    /// Its protocol while it is stable, else empty.
    pub protocol_name: String,
    /// In the order in which they came.
    pub members: Vec<DescribedMember>,
}

/// Of [`Described::members`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribedMember {
    /// Its id.
    pub member_id: String,
    /// Of a member that keeps its place over a restart.
    pub instance_id: Option<String>,
    /// Of the request with which it came.
    pub client_id: String,
    /// Where it came from.
    pub client_host: String,
    /// What it said for the generation's protocol; empty unless the group is stable.
    pub metadata: Bytes,
    /// Its part, while a rebalance goes on that of the last generation.
    pub assignment: Bytes,
}

impl DescribedMember {
    fn bytes(&self) -> usize {
        let instance_id = self.instance_id.as_ref().map_or(0, String::len);
        let texts = self.member_id.len() + instance_id + self.client_id.len() + self.client_host.len();
        3 * ENTRY_BYTES + texts + self.metadata.len() + self.assignment.len()
    }
}

/// A group, as ListGroups shows it; its type is [`super::GROUP_TYPE`].
#[derive(Clone, PartialEq, Debug)]
pub struct Listed {
    /// Its name.
    pub group: String,
    /// Its kind; empty: offsets only.
    pub protocol_type: String,
    /// Where it stands.
    pub state: State,
}

impl Listed {
    pub(super) fn bytes(&self) -> usize {
        ENTRY_BYTES + self.group.len() + self.protocol_type.len()
    }
}
