//! What a group has read: committed at its coordinator, and asked for there.

use std::collections::BTreeMap;
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
    /// Commits, and tries again until `deadline`.
    pub(super) async fn commit(&self, places: &[Place], deadline: Moment) -> Result<(), CommitError> {
        let commits = places.iter().map(|(topic, partition, offset)| Commit {
            topic,
            partition: partition.0,
            offset: *offset,
            metadata: "",
        });
        self.commit_all(&commits.collect::<Vec<_>>(), deadline).await
    }

    /// The same, with words on them.
    pub(super) async fn commit_all(&self, commits: &[Commit<'_>], deadline: Moment) -> Result<(), CommitError> {
        if commits.is_empty() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        let client = &self.coordination.client;
        let mut backoff = client.backoff();
        loop {
            let Some(identity) = self.desk.look(|state| state.identity.clone()) else {
                return Err(CommitError::NotMember);
            };
            let patience = client.options().request_timeout;
            let write = |_| self.request(commits, identity);
            let asked = self.coordination.ask(Purpose::Requests, patience, write, OFFSET_COMMIT_VERSION_MAX).await;
            let reason = match asked {
                Ok(response) => match self.outcome(commits, &response) {
                    Ok(None) => return Ok(()),
                    Ok(Some(code)) => ClientError::TimedOut(code.to_string()),
                    Err(error) => return Err(error),
                },
                Err(error) => error,
            };
            let pause = client.world().clock.now() + backoff.failed(&*client.world().entropy);
            if pause > deadline {
                return Err(CommitError::Client(reason));
            }
            client.world().clock.sleep_until(pause).await;
        }
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

    /// What came of it: nothing left, a reason to try again, or the first partition that never will be.
    fn outcome(
        &self,
        commits: &[Commit<'_>],
        response: &OffsetCommitResponse,
    ) -> Result<Option<ErrorCode>, CommitError> {
        let told = response.topics.iter();
        let told = told.flat_map(|topic| topic.partitions.iter().map(|each| (&*topic.name, each)));
        let told: BTreeMap<(&str, PartitionIndex), i16> =
            told.map(|(topic, each)| ((topic, each.partition_index), each.error_code)).collect();
        let mut positions = self.consumer.positions();
        let (mut again, mut refused) = (None, None);
        for Commit { topic, partition, offset, .. } in commits {
            let partition = &PartitionIndex(*partition);
            let code = told.get(&(*topic, *partition)).copied().unwrap_or(ErrorCode::UnknownServerError.code());
            match Verdict::of(code) {
                Verdict::Done => positions.committed(topic, *partition, *offset),
                Verdict::Elsewhere => {
                    self.coordination.forget();
                    again = ErrorCode::from_code(code);
                }
                Verdict::Again => again = ErrorCode::from_code(code),
                Verdict::Rejoin | Verdict::Forgotten | Verdict::TakeNumber => return Err(CommitError::NotMember),
                Verdict::Refused(code) => {
                    refused = refused.or(Some((Arc::from(*topic), *partition, code)));
                }
            }
        }
        match refused {
            Some((topic, partition, code)) => Err(CommitError::Refused { topic, partition, code }),
            None => Ok(again),
        }
    }
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
    read_places(response.map_err(Asked::Failed)?)
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

fn read_places(response: OffsetFetchResponse) -> Result<Vec<Place>, Asked> {
    let mut places = Vec::new();
    let mut take = |topic: &Arc<str>, partition, offset, code| match Verdict::of(code) {
        Verdict::Done => {
            if offset >= Offset(0) {
                places.push((topic.clone(), partition, offset));
            }
            Ok(())
        }
        verdict => Err(Asked::Answered(verdict)),
    };
    let told = response.groups.into_iter().next();
    let code = told.as_ref().map_or(response.error_code, |group| group.error_code);
    if Verdict::of(code) != Verdict::Done {
        return Err(Asked::Answered(Verdict::of(code)));
    }
    for topic in told.into_iter().flat_map(|group| group.topics) {
        let name = Arc::from(topic.name);
        for each in topic.partitions {
            take(&name, each.partition_index, each.committed_offset, each.error_code)?;
        }
    }
    for topic in response.topics {
        let name = Arc::from(topic.name);
        for each in topic.partitions {
            take(&name, each.partition_index, each.committed_offset, each.error_code)?;
        }
    }
    Ok(places)
}
