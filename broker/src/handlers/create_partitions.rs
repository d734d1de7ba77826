//! CreatePartitions (key 37), versions 0-3.
//!
//! A topic gets more partitions, placed by the controller or as the request says; they are durable, and can be written to,
//! before the answer leaves. `validate_only` checks everything and makes nothing. The time-out is not looked at: nothing
//! here waits for another.
//!
//! v2 flexible, v3 controller quotas (there are none).

use thalweg_coordinators::cluster::{Command, CreatePartitions, Effect, MorePartitions, PartitionsReply, Reply};
use thalweg_messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic, CreatePartitionsTopicResult,
};
use thalweg_wire::ErrorCode;

use super::{Api, in_an_answer};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(37, 0..=3);

/// Answers.
pub async fn handle(shared: &Shared, request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    let effect = if request.validate_only { Effect::ValidateOnly } else { Effect::Create };
    let topics: Vec<MorePartitions> = request.topics.into_iter().map(wanted).collect();
    let names: Vec<String> = topics.iter().map(|topic| topic.name.clone()).collect();
    let results = match shared.cluster.ask(Command::CreatePartitions(CreatePartitions { topics, effect })).await {
        Ok(Reply::Partitions(replies)) => {
            shared.journal.metadata_applied(shared.cluster.applied_index().unsigned_abs());
            let answer = |PartitionsReply { name, outcome }| match outcome {
                Ok(()) => result(name, ErrorCode::None, String::new()),
                Err(error) => result(name, error.code(), error.to_string()),
            };
            replies.into_iter().map(answer).collect()
        }
        Ok(_) => Vec::new(),
        Err(error) => names.into_iter().map(|name| result(name, error.code(), error.to_string())).collect(),
    };
    CreatePartitionsResponse { results, ..CreatePartitionsResponse::default() }
}

fn wanted(topic: CreatePartitionsTopic) -> MorePartitions {
    let assignments = topic.assignments.map(|given| given.into_iter().map(|one| one.broker_ids).collect());
    MorePartitions { name: topic.name, count: topic.count, assignments }
}

fn result(name: String, code: ErrorCode, message: String) -> CreatePartitionsTopicResult {
    let error_message = Some(in_an_answer(message)).filter(|message| !message.is_empty());
    CreatePartitionsTopicResult { name, error_code: code.code(), error_message, ..Default::default() }
}
