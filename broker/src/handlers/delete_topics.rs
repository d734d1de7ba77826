//! DeleteTopics (key 20), versions 1-6.
//!
//! The controller decides about all topics of the request at once. When the answer leaves, the removal of those that are
//! gone is durable, nobody finds them any more, whoever waited at their partitions was told, and their names are free;
//! their files go behind the answer ([`crate::deletion`]). The time-out is not looked at: nothing here waits for another.
//!
//! v3 TOPIC_DELETION_DISABLED (before: INVALID_REQUEST), v4 flexible, v5 messages, v6 by id.

use thalweg_coordinators::cluster::{Command, DeleteReply, NamedTopic, Reply};
use thalweg_coordinators::groups::TopicName;
use thalweg_messages::delete_topics::{DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse};
use thalweg_wire::{ErrorCode, Uuid};

use super::Api;
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(20, 1..=6);

/// Answers.
pub async fn handle(shared: &Shared, request: DeleteTopicsRequest, version: i16) -> DeleteTopicsResponse {
    let by_name = request.topic_names.into_iter().map(|name| NamedTopic { name: Some(name), id: Uuid::ZERO });
    let by_either = request.topics.into_iter().map(|topic| NamedTopic { name: topic.name, id: topic.topic_id });
    let topics: Vec<NamedTopic> = by_name.chain(by_either).collect();
    let responses = if shared.settings.creation.deletion {
        delete(shared, topics).await
    } else {
        let code = if version < 3 { ErrorCode::InvalidRequest } else { ErrorCode::TopicDeletionDisabled };
        topics.into_iter().map(|topic| refused(topic, code, None)).collect()
    };
    DeleteTopicsResponse { responses, ..DeleteTopicsResponse::default() }
}

async fn delete(shared: &Shared, topics: Vec<NamedTopic>) -> Vec<DeletableTopicResult> {
    if topics.is_empty() {
        return Vec::new();
    }
    match shared.cluster.ask(Command::DeleteTopics(topics.clone())).await {
        Ok(Reply::Deleted(replies)) => {
            shared.journal.metadata_applied(shared.cluster.applied_index().unsigned_abs());
            let gone = replies.iter().filter(|reply| reply.outcome.is_ok());
            let gone = gone.filter_map(|reply| Some(TopicName { name: reply.name.clone()?, id: reply.id }));
            shared.groups.topics_deleted(&gone.collect::<Vec<_>>());
            let answer = |DeleteReply { name, id, outcome }| match outcome {
                Ok(()) => DeletableTopicResult { name, topic_id: id, ..DeletableTopicResult::default() },
                Err(error) => refused(NamedTopic { name, id }, error.code(), Some(error.to_string())),
            };
            replies.into_iter().map(answer).collect()
        }
        Ok(_) => Vec::new(),
        Err(error) => topics.into_iter().map(|topic| refused(topic, error.code(), Some(error.to_string()))).collect(),
    }
}

fn refused(topic: NamedTopic, code: ErrorCode, error_message: Option<String>) -> DeletableTopicResult {
    DeletableTopicResult {
        name: topic.name,
        topic_id: topic.id,
        error_code: code.code(),
        error_message,
        ..DeletableTopicResult::default()
    }
}
