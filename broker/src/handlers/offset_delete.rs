//! OffsetDelete (key 47), version 0.
//!
//! A group forgets how far it has read some topics; one that a member reads is refused.

use std::sync::Arc;

use thalweg_coordinators::groups::{self, Refusal, TopicName, TopicOutcome, TopicPartitions};
use thalweg_messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use thalweg_wire::{ErrorCode, TopicId};

use super::{Answer, Api, Close, Request, answerable, ask_group, no_answer};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(47, 0..=0);

/// Takes a request.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: OffsetDeleteRequest = request.body()?;
    let (head, _, permit) = request.into_parts();
    let mut topics = Vec::with_capacity(body.topics.len());
    for topic in body.topics {
        let id = shared.cluster.topic(&topic.name).map_or(TopicId::ZERO, |topic| topic.id());
        let topic_name = TopicName { name: answerable(topic.name.into())?.into_owned(), id };
        let partitions = topic.partitions.into_iter().map(|one| one.partition_index).collect();
        topics.push(TopicPartitions { topic: topic_name, partitions });
    }
    let delete = groups::OffsetDelete { group: body.group_id.clone(), topics };
    let known = shared.clone();
    let question = (body.group_id, groups::Request::DeleteOffsets(delete));
    Ok(ask_group(shared, head, permit, question, move |told| match told {
        Ok(groups::Answer::DeleteOffsets(Ok(outcomes))) => deleted(&known, outcomes),
        Ok(groups::Answer::DeleteOffsets(Err(refusal))) => refused(refusal.code()),
        other => refused(no_answer(other)),
    }))
}

fn deleted(shared: &Shared, outcomes: Vec<TopicOutcome>) -> OffsetDeleteResponse {
    let topics = outcomes.into_iter().map(|outcome| {
        let topic = shared.cluster.topic(&outcome.topic.name);
        let code = |index, outcome: Result<(), Refusal>| match &topic {
            Some(topic) if topic.partition(index).is_some() => outcome.map_or_else(Refusal::code, |()| ErrorCode::None),
            Some(_) | None => ErrorCode::UnknownTopicOrPartition,
        };
        let partitions = outcome.partitions.into_iter().map(|(partition_index, outcome)| {
            OffsetDeleteResponsePartition { partition_index, error_code: code(partition_index, outcome).code() }
        });
        OffsetDeleteResponseTopic { partitions: partitions.collect(), name: outcome.topic.name }
    });
    OffsetDeleteResponse { topics: topics.collect(), ..OffsetDeleteResponse::default() }
}

fn refused(code: ErrorCode) -> OffsetDeleteResponse {
    OffsetDeleteResponse { error_code: code.code(), ..OffsetDeleteResponse::default() }
}
