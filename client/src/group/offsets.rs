//! What a group has read: committed at its coordinator, and asked for there.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use thalweg_messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
};
use thalweg_messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics, OffsetFetchResponse,
};
use thalweg_wire::{ErrorCode, LeaderEpoch, Moment, Offset, PartitionIndex};

use super::coordination::{Coordination, Verdict};
use super::desk::{Desk, Identity, Partition};
use crate::cluster::{ClientError, Purpose};
use crate::consumer;
use crate::offsets::Isolation;

/// The newest versions that name topics instead of ids (KIP-848's later part).
const OFFSET_COMMIT_VERSION_MAX: i16 = 9;
const OFFSET_FETCH_VERSION_MAX: i16 = 9;

/// The first version that asks for several groups at once (KIP-709).
const GROUPS_FROM: i16 = 8;

/// The first version that can wait for transactions (KIP-447).
const STABLE_FROM: i16 = 7;

/// Partitions in one commit: a broker refuses one of more than about a mebibyte.
pub(crate) const PARTITIONS_MAX: usize = 1000;

/// How often a topic is committed of which the coordinator says that it isn't there.
const UNKNOWN_ATTEMPTS: u32 = 3;

/// Why something was not committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommitError {
    /// This is no member of the group just now, or the group shares out its partitions anew. What is still this consumer's
    /// afterwards will be given on from here: ask for more, and commit later.
    NotMember,
    /// The coordinator says no, and asking again would not help.
    Refused {
        /// The topic.
        topic: Arc<str>,
        /// The partition.
        partition: PartitionIndex,
        /// Kafka's code.
        code: ErrorCode,
    },
    /// The coordinator can't be asked.
    Client(ClientError),
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommitError::NotMember => f.write_str("this consumer is no member of its group just now"),
            CommitError::Refused { topic, partition, code } => write!(f, "committing {topic}/{partition}: {code}"),
            CommitError::Client(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CommitError {}

/// Where a group stands in a partition: the offset of the next record.
pub(super) type Place = (Arc<str>, PartitionIndex, Offset);

/// What a program commits of a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Commit<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition.
    pub partition: i32,
    /// The next record to read.
    pub offset: Offset,
    /// A word on it, which the coordinator keeps; of 4,096 bytes at most, unless it is told otherwise. Empty for none.
    pub metadata: &'a str,
}

/// What commits for a member: its program, and the member itself.
pub(super) struct Committer {
    pub(super) coordination: Coordination,
    pub(super) desk: Arc<Desk>,
    pub(super) instance: Option<String>,
    pub(super) consumer: Arc<consumer::Shared>,
    /// One after the other: a later one is never overtaken.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Committer {
    /// Commits what the program has dealt with, and tries again until `deadline`.
    pub(super) async fn commit(&self, deadline: Moment) -> Result<(), CommitError> {
        let _turn = self.turn.lock().await;
        // Now, and not before its turn: else a place that is older than the last one would be committed behind it.
        let places = self.consumer.positions().uncommitted();
        let commits = places.iter().map(|(topic, partition, offset)| Commit {
            topic,
            partition: partition.0,
            offset: *offset,
            metadata: "",
        });
        self.in_turn(&commits.collect::<Vec<_>>(), deadline).await?;
        // Who lost its partitions has nothing to commit, and has not committed it.
        self.desk.look(|state| state.identity.is_some()).then_some(()).ok_or(CommitError::NotMember)
    }

    /// The same with these.
    pub(super) async fn commit_these(&self, commits: &[Commit<'_>], deadline: Moment) -> Result<(), CommitError> {
        let _turn = self.turn.lock().await;
        self.in_turn(commits, deadline).await
    }

    async fn in_turn(&self, commits: &[Commit<'_>], deadline: Moment) -> Result<(), CommitError> {
        let mut refused = None;
        for commits in commits.chunks(PARTITIONS_MAX) {
            match self.piece(commits, deadline).await {
                // The others may be committed for that.
                Err(error @ CommitError::Refused { .. }) => refused = refused.or(Some(error)),
                told => told?,
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Commits these in one request, and then those for which another attempt may help.
    async fn piece(&self, commits: &[Commit<'_>], deadline: Moment) -> Result<(), CommitError> {
        let client = &self.coordination.client;
        let (mut backoff, mut left, mut refused) = (client.backoff(), commits.to_vec(), None);
        for attempt in 1.. {
            let Some(identity) = self.desk.look(|state| state.identity.clone()) else {
                return Err(CommitError::NotMember);
            };
            let patience = client.options().request_timeout;
            let write = |_| self.request(&left, identity);
            let asked = self.coordination.ask(Purpose::Requests, patience, write, OFFSET_COMMIT_VERSION_MAX).await;
            let reason = match asked {
                Ok(response) => {
                    let outcome = self.outcome(&left, &response, attempt)?;
                    refused = refused.or(outcome.refused);
                    left = outcome.left;
                    let Some(code) = outcome.again else { break };
                    ClientError::TimedOut(code.to_string())
                }
                Err(error) => error,
            };
            if !client.pause(&mut backoff, deadline).await {
                return Err(CommitError::Client(reason));
            }
        }
        refused.map_or(Ok(()), Err)
    }

    fn request(&self, commits: &[Commit<'_>], identity: Identity) -> OffsetCommitRequest {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for commit in commits {
            topics.entry(commit.topic).or_default().push(OffsetCommitRequestPartition {
                partition_index: PartitionIndex(commit.partition),
                committed_offset: commit.offset,
                committed_leader_epoch: LeaderEpoch::NONE,
                committed_metadata: Some(commit.metadata.to_owned()),
                ..OffsetCommitRequestPartition::default()
            });
        }
        let topics = topics.into_iter().map(|(name, partitions)| OffsetCommitRequestTopic {
            name: name.to_owned(),
            partitions,
            ..OffsetCommitRequestTopic::default()
        });
        OffsetCommitRequest {
            group_id: self.coordination.group.to_string(),
            generation_id_or_member_epoch: identity.generation,
            member_id: identity.member,
            group_instance_id: self.instance.clone(),
            topics: topics.collect(),
            ..OffsetCommitRequest::default()
        }
    }

    /// What came of an attempt.
    fn outcome<'a>(
        &self,
        commits: &[Commit<'a>],
        response: &OffsetCommitResponse,
        attempt: u32,
    ) -> Result<Outcome<'a>, CommitError> {
        let told = response.topics.iter();
        let told = told.flat_map(|topic| topic.partitions.iter().map(|each| (&*topic.name, each)));
        let told: BTreeMap<(&str, PartitionIndex), i16> =
            told.map(|(topic, each)| ((topic, each.partition_index), each.error_code)).collect();
        let mut positions = self.consumer.positions();
        let mut outcome = Outcome { left: Vec::new(), again: None, refused: None };
        for commit in commits {
            let (topic, partition) = (commit.topic, PartitionIndex(commit.partition));
            let code = told.get(&(topic, partition)).copied().unwrap_or(ErrorCode::UnknownServerError.code());
            let refused = match Verdict::of(code) {
                Verdict::Done => {
                    positions.committed(topic, partition, commit.offset);
                    continue;
                }
                Verdict::Rejoin | Verdict::Outdated | Verdict::Forgotten | Verdict::TakeNumber => {
                    return Err(CommitError::NotMember);
                }
                Verdict::Refused(code) => code,
                // A broker may not have heard of it yet; more likely it is deleted, and would hold up all that is committed.
                Verdict::Again if is_unknown(code) && attempt >= UNKNOWN_ATTEMPTS => ErrorCode::UnknownTopicOrPartition,
                verdict => {
                    if verdict == Verdict::Elsewhere {
                        self.coordination.forget();
                    }
                    outcome.left.push(*commit);
                    outcome.again = ErrorCode::from_code(code);
                    continue;
                }
            };
            let refused = CommitError::Refused { topic: topic.into(), partition, code: refused };
            outcome.refused = outcome.refused.or(Some(refused));
        }
        Ok(outcome)
    }
}

/// What came of an attempt to commit.
struct Outcome<'a> {
    /// These may be committed the next time ...
    left: Vec<Commit<'a>>,
    /// ... for this reason, of the last of them.
    again: Option<ErrorCode>,
    /// The first that never will be.
    refused: Option<CommitError>,
}

fn is_unknown(code: i16) -> bool {
    code == ErrorCode::UnknownTopicOrPartition.code()
}

/// Where a group stands in some partitions; those in which it stands nowhere are left out.
pub(super) async fn committed(
    coordination: &Coordination,
    partitions: &[Partition],
    isolation: Isolation,
) -> Result<Vec<Place>, Asked> {
    let patience = coordination.client.options().request_timeout;
    let write = |version| offset_fetch(&coordination.group, partitions, isolation, version);
    let response = coordination.ask(Purpose::Requests, patience, write, OFFSET_FETCH_VERSION_MAX).await;
    read_places(partitions, response.map_err(Asked::Failed)?)
}

/// Why nobody knows where a group stands.
#[derive(Debug)]
pub(super) enum Asked {
    /// The coordinator was not asked.
    Failed(ClientError),
    /// What it said.
    Answered(Verdict),
}

fn offset_fetch(group: &str, partitions: &[Partition], isolation: Isolation, version: i16) -> OffsetFetchRequest {
    let mut topics: BTreeMap<&str, Vec<PartitionIndex>> = BTreeMap::new();
    partitions.iter().for_each(|(topic, partition)| topics.entry(topic).or_default().push(*partition));
    let require_stable = isolation == Isolation::ReadCommitted && version >= STABLE_FROM;
    let mut request = OffsetFetchRequest { require_stable, ..OffsetFetchRequest::default() };
    if version >= GROUPS_FROM {
        let topics = topics.into_iter().map(|(name, partition_indexes)| OffsetFetchRequestTopics {
            name: name.to_owned(),
            partition_indexes,
            ..OffsetFetchRequestTopics::default()
        });
        request.groups = vec![OffsetFetchRequestGroup {
            group_id: group.to_owned(),
            topics: Some(topics.collect()),
            ..OffsetFetchRequestGroup::default()
        }];
    } else {
        let topics = topics.into_iter().map(|(name, partition_indexes)| OffsetFetchRequestTopic {
            name: name.to_owned(),
            partition_indexes,
            ..OffsetFetchRequestTopic::default()
        });
        (request.group_id, request.topics) = (group.to_owned(), Some(topics.collect()));
    }
    request
}

/// Each that was asked for is told of, or nobody knows: that it is committed, or that it is not.
fn read_places(asked: &[Partition], response: OffsetFetchResponse) -> Result<Vec<Place>, Asked> {
    let code = response.groups.first().map_or(response.error_code, |group| group.error_code);
    if Verdict::of(code) != Verdict::Done {
        return Err(Asked::Answered(Verdict::of(code)));
    }
    let mut told = HashMap::new();
    for topic in response.groups.into_iter().next().into_iter().flat_map(|group| group.topics) {
        let each =
            topic.partitions.into_iter().map(|each| (each.partition_index, each.committed_offset, each.error_code));
        told.entry(topic.name).or_insert_with(Vec::new).extend(each);
    }
    for topic in response.topics {
        let each =
            topic.partitions.into_iter().map(|each| (each.partition_index, each.committed_offset, each.error_code));
        told.entry(topic.name).or_insert_with(Vec::new).extend(each);
    }
    let told: HashMap<(&str, PartitionIndex), (Offset, i16)> = told
        .iter()
        .flat_map(|(topic, each)| each.iter().map(|(index, offset, code)| ((topic.as_str(), *index), (*offset, *code))))
        .collect();
    let mut places = Vec::new();
    for (topic, partition) in asked {
        let Some((offset, code)) = told.get(&(&**topic, *partition)) else {
            return Err(Asked::Answered(Verdict::Again));
        };
        match Verdict::of(*code) {
            Verdict::Done if *offset >= Offset(0) => places.push((topic.clone(), *partition, *offset)),
            Verdict::Done => {}
            verdict => return Err(Asked::Answered(verdict)),
        }
    }
    Ok(places)
}
