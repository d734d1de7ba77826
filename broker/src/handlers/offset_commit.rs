//! OffsetCommit (key 8), versions 2-10.
//!
//! A group notes how far it has read; answered when that is durable. Topics that don't exist are refused one by one.
//!
//! v3 throttle time, v5 without a retention of its own, v6 leader epochs, v7 members that keep their place, v8 flexible,
//! v9 groups whose assignments the broker makes (KIP-848, not served), v10 topic ids.

use std::sync::Arc;
use std::time::Duration;

use thalweg_coordinators::groups::{
    self, CommitDialect, CommitPartition, CommitTopic, Refusal, TopicName, TopicOutcome,
};
use thalweg_messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestTopic, OffsetCommitResponse, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};
use thalweg_wire::{ErrorCode, PartitionIndex, TopicId};

use super::{Answer, Api, Close, Request, answerable, ask_group, no_answer};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(8, 2..=10);

/// From this version on topics go by their ids.
const IDS_FROM: i16 = 10;

/// A topic of the request, and what becomes of its partitions.
struct Asked {
    name: String,
    id: TopicId,
    partitions: Vec<(PartitionIndex, Result<(), ErrorCode>)>,
}

/// Takes a request.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: OffsetCommitRequest = request.body()?;
    let (head, _, permit) = request.into_parts();
    let (mut asked, mut topics) = (Vec::new(), Vec::new());
    for topic in body.topics {
        let (one, commit) = look_up(shared, topic, head.version)?;
        asked.push(one);
        topics.extend(commit);
    }
    let retention = u64::try_from(body.retention_time_ms).ok().map(Duration::from_millis);
    let commit = groups::OffsetCommit {
        group: body.group_id.clone(),
        generation: body.generation_id_or_member_epoch,
        member_id: body.member_id,
        instance_id: body.group_instance_id,
        retention: retention.filter(|_| head.version <= 4),
        dialect: if head.version >= 9 { CommitDialect::GroupIsMissing } else { CommitDialect::GenerationIsWrong },
        topics,
    };
    Ok(ask_group(shared, head, permit, (body.group_id, groups::Request::Commit(commit)), move |told| {
        match told {
            Ok(groups::Answer::Commit(outcomes)) => committed(&mut asked, &outcomes),
            other => all(&mut asked, no_answer(other)),
        }
        respond(asked)
    }))
}

/// A topic as it is to be answered, and what of it is committed.
fn look_up(
    shared: &Shared,
    topic: OffsetCommitRequestTopic,
    version: i16,
) -> Result<(Asked, Option<CommitTopic>), Close> {
    let found = if version >= IDS_FROM {
        shared.cluster.topic_by_id(topic.topic_id).ok_or(ErrorCode::UnknownTopicId)
    } else {
        shared.cluster.topic(&topic.name).ok_or(ErrorCode::UnknownTopicOrPartition)
    };
    let outcome = |index| match &found {
        Ok(topic) if topic.partition(index).is_some() => Ok(()),
        Ok(_) => Err(ErrorCode::UnknownTopicOrPartition),
        Err(code) => Err(*code),
    };
    let partitions: Vec<_> =
        topic.partitions.iter().map(|one| (one.partition_index, outcome(one.partition_index))).collect();
    let commit = found.as_ref().ok().map(|known| CommitTopic {
        topic: TopicName { name: known.name().to_owned(), id: known.id() },
        partitions: topic
            .partitions
            .into_iter()
            .zip(&partitions)
            .filter(|(_, (_, outcome))| outcome.is_ok())
            .map(|(one, _)| CommitPartition {
                partition: one.partition_index,
                offset: one.committed_offset,
                leader_epoch: one.committed_leader_epoch,
                metadata: one.committed_metadata,
            })
            .collect(),
    });
    let asked = Asked { name: answerable(topic.name.into())?.into_owned(), id: topic.topic_id, partitions };
    Ok((asked, commit.filter(|commit| !commit.partitions.is_empty())))
}

/// What was committed is answered in the order in which it was asked for.
fn committed(asked: &mut [Asked], outcomes: &[TopicOutcome]) {
    let mut outcomes = outcomes.iter().flat_map(|topic| &topic.partitions);
    let waiting = asked.iter_mut().flat_map(|topic| &mut topic.partitions).filter(|(_, outcome)| outcome.is_ok());
    for (_, outcome) in waiting {
        let (_, came) = outcomes.next().unwrap_or(&(PartitionIndex(0), Err(Refusal::CoordinatorFull)));
        *outcome = came.map_err(Refusal::code);
    }
}

fn all(asked: &mut [Asked], code: ErrorCode) {
    let partitions = asked.iter_mut().flat_map(|topic| &mut topic.partitions);
    partitions.filter(|(_, outcome)| outcome.is_ok()).for_each(|(_, outcome)| *outcome = Err(code));
}

fn respond(asked: Vec<Asked>) -> OffsetCommitResponse {
    let partition =
        |(partition_index, outcome): (PartitionIndex, Result<(), ErrorCode>)| OffsetCommitResponsePartition {
            partition_index,
            error_code: outcome.map_or_else(ErrorCode::code, |()| 0),
            ..OffsetCommitResponsePartition::default()
        };
    let topics = asked.into_iter().map(|topic| OffsetCommitResponseTopic {
        name: topic.name,
        topic_id: topic.id,
        partitions: topic.partitions.into_iter().map(partition).collect(),
        ..OffsetCommitResponseTopic::default()
    });
    OffsetCommitResponse { topics: topics.collect(), ..OffsetCommitResponse::default() }
}
