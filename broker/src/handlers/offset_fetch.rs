//! OffsetFetch (key 9), versions 1-10.
//!
//! How far a group has read, of some topics or of all; -1 where it has said nothing. There are no transactions, so what
//! is told is always stable. Groups for which the answer has no room are to be asked for again
//! (COORDINATOR_LOAD_IN_PROGRESS), as clients do.
//!
//! v2 all topics by null, v3 throttle time, v5 leader epochs, v6 flexible, v7 stable offsets only, v8 many groups, v9
//! members of groups whose assignments the broker makes (KIP-848, not served), v10 topic ids.

use std::collections::BTreeSet;
use std::sync::Arc;

use thalweg_coordinators::groups::{self, Committed, FetchedTopic, TopicName, TopicPartitions};
use thalweg_messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use thalweg_wire::{ErrorCode, LeaderEpoch, Offset, PartitionIndex, TopicId};

use super::{Answer, Api, Close, Request, answerable, gathered, no_answer};
use crate::broker::Shared;
use crate::groups::Gathering;

/// The versions served.
pub const API: Api = Api::new(9, 1..=10);

/// From this version on there are many groups in a request.
const GROUPS_FROM: i16 = 8;

/// From this version on topics go by their ids.
const IDS_FROM: i16 = 10;

/// From this version on an error of the group stands beside its topics.
const GROUP_ERROR_FROM: i16 = 2;

/// A group of the request.
struct Asked {
    group: String,
    /// Topics by ids that nobody knows: each partition is told so.
    unknown: Vec<(TopicId, Vec<PartitionIndex>)>,
    /// What was asked for, to be refused if the group can't be asked. `None`: all topics.
    topics: Option<Vec<TopicPartitions>>,
}

/// Takes a request.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: OffsetFetchRequest = request.body()?;
    let (head, _, permit) = request.into_parts();
    let version = head.version;
    let wanted = if version >= GROUPS_FROM { body.groups } else { vec![one_group(body)] };
    let mut asked = Vec::with_capacity(wanted.len());
    // Each once: a short name may stand for much.
    let mut seen = BTreeSet::new();
    for group in wanted.into_iter().filter(|group| seen.insert(group.group_id.clone())) {
        asked.push(look_up(shared, group, version)?);
    }
    let mut gathering = Gathering::new(shared.clone(), permit, head.ending.clone());
    Ok(gathered(head, async move {
        let mut groups = Vec::with_capacity(asked.len());
        for Asked { group, unknown, topics } in asked {
            let fetch = groups::OffsetFetch { group: group.clone(), topics: topics.clone() };
            let fetch = groups::Request::Fetch(fetch);
            let (code, fetched) = match gathering.ask(&group, fetch).await {
                Ok(groups::Answer::Fetch(fetched)) => (ErrorCode::None, fetched),
                other => {
                    let code = no_answer(other);
                    // What was too much to be answered is too much to be refused one by one.
                    let named = topics.filter(|_| code != ErrorCode::UnknownServerError);
                    (code, nothing_of(named))
                }
            };
            groups.push(respond(group, code, fetched, unknown, version));
        }
        if version >= GROUPS_FROM {
            return (OffsetFetchResponse { groups, ..OffsetFetchResponse::default() }, gathering.turn());
        }
        let one = groups.pop().map_or_else(OffsetFetchResponse::default, |group| of_one_group(group, version));
        (one, gathering.turn())
    }))
}

/// The group of an older request, as newer ones have it.
fn one_group(body: OffsetFetchRequest) -> OffsetFetchRequestGroup {
    let topics = body.topics.map(|topics| {
        let topic = |topic: thalweg_messages::offset_fetch::OffsetFetchRequestTopic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..OffsetFetchRequestTopics::default()
        };
        topics.into_iter().map(topic).collect()
    });
    OffsetFetchRequestGroup { group_id: body.group_id, topics, ..OffsetFetchRequestGroup::default() }
}

/// A group as it is to be asked for.
fn look_up(shared: &Shared, group: OffsetFetchRequestGroup, version: i16) -> Result<Asked, Close> {
    let mut unknown = Vec::new();
    let mut topics = group.topics.is_some().then(Vec::new);
    for topic in group.topics.unwrap_or_default() {
        let found = if version >= IDS_FROM {
            shared.cluster.topic_by_id(topic.topic_id)
        } else {
            shared.cluster.topic(&topic.name)
        };
        let name = match found {
            Some(found) => TopicName { name: found.name().to_owned(), id: found.id() },
            None if version >= IDS_FROM => {
                unknown.push((topic.topic_id, topic.partition_indexes));
                continue;
            }
            None => TopicName { name: answerable(topic.name.into())?.into_owned(), id: TopicId::ZERO },
        };
        topics.get_or_insert_default().push(TopicPartitions { topic: name, partitions: topic.partition_indexes });
    }
    Ok(Asked { group: answerable(group.group_id.into())?.into_owned(), unknown, topics })
}

fn nothing_of(topics: Option<Vec<TopicPartitions>>) -> Vec<FetchedTopic> {
    let nothing = |wanted: TopicPartitions| FetchedTopic {
        topic: wanted.topic,
        partitions: wanted.partitions.into_iter().map(|partition| (partition, None)).collect(),
    };
    topics.unwrap_or_default().into_iter().map(nothing).collect()
}

fn respond(
    group_id: String,
    code: ErrorCode,
    fetched: Vec<FetchedTopic>,
    unknown: Vec<(TopicId, Vec<PartitionIndex>)>,
    version: i16,
) -> OffsetFetchResponseGroup {
    let partition = |partition_index, committed: Option<Committed>, code: ErrorCode| {
        let none = Committed { offset: Offset(-1), leader_epoch: LeaderEpoch::NONE, metadata: String::new() };
        let committed = committed.unwrap_or(none);
        OffsetFetchResponsePartitions {
            partition_index,
            committed_offset: committed.offset,
            committed_leader_epoch: committed.leader_epoch,
            metadata: Some(committed.metadata),
            error_code: code.code(),
            ..OffsetFetchResponsePartitions::default()
        }
    };
    // One error for the group; in the list of old, of each partition.
    let of_each = if version < GROUPS_FROM { code } else { ErrorCode::None };
    let known = fetched.into_iter().map(|topic| OffsetFetchResponseTopics {
        name: topic.topic.name,
        topic_id: topic.topic.id,
        partitions: topic.partitions.into_iter().map(|(index, found)| partition(index, found, of_each)).collect(),
        ..OffsetFetchResponseTopics::default()
    });
    let unknown = unknown.into_iter().map(|(topic_id, partitions)| OffsetFetchResponseTopics {
        topic_id,
        partitions: partitions.into_iter().map(|index| partition(index, None, ErrorCode::UnknownTopicId)).collect(),
        ..OffsetFetchResponseTopics::default()
    });
    // In a list, what a group can't be asked for isn't there.
    let topics =
        if version >= GROUPS_FROM && code != ErrorCode::None { Vec::new() } else { known.chain(unknown).collect() };
    OffsetFetchResponseGroup { group_id, topics, error_code: code.code(), ..OffsetFetchResponseGroup::default() }
}

fn of_one_group(group: OffsetFetchResponseGroup, version: i16) -> OffsetFetchResponse {
    let partition = |partition: OffsetFetchResponsePartitions| OffsetFetchResponsePartition {
        partition_index: partition.partition_index,
        committed_offset: partition.committed_offset,
        committed_leader_epoch: partition.committed_leader_epoch,
        metadata: partition.metadata,
        error_code: partition.error_code,
        ..OffsetFetchResponsePartition::default()
    };
    let topics = group.topics.into_iter().map(|topic| OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(partition).collect(),
        ..OffsetFetchResponseTopic::default()
    });
    OffsetFetchResponse {
        topics: topics.collect(),
        error_code: if version >= GROUP_ERROR_FROM { group.error_code } else { 0 },
        ..OffsetFetchResponse::default()
    }
}
