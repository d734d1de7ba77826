//! CreateTopics (key 19), versions 2-7.
//!
//! The controller decides about all topics of the request at once; those that can be made are durable, and visible to
//! every handler, before the answer leaves. -1 partitions or replicas mean the broker's defaults.
//!
//! v2 throttle time, v4 defaults by -1, v5 flexible; the answer tells partitions, replicas and configs; v7 topic ids.

use std::collections::BTreeMap;

use thalweg_coordinators::cluster::{Assignment, Command, CreateTopics, Created, Effect, NewTopic, Reply};
use thalweg_messages::create_topics::{
    CreatableTopic, CreatableTopicResult, CreatableTopicResultConfig, CreateTopicsRequest, CreateTopicsResponse,
};
use thalweg_wire::{ErrorCode, Uuid};

use super::{Api, in_an_answer};
use crate::broker::Shared;
use crate::settings::TopicSettings;

/// The versions served.
pub const API: Api = Api::new(19, 2..=7);

/// Answers.
pub async fn handle(shared: &Shared, request: CreateTopicsRequest, version: i16) -> CreateTopicsResponse {
    let effect = if request.validate_only { Effect::ValidateOnly } else { Effect::Create };
    let wanted: Vec<NewTopic> = request.topics.into_iter().map(|topic| wanted(shared, topic)).collect();
    let answers = create(shared, wanted, effect).await;
    let topics = answers.into_iter().map(|answer| match answer.outcome {
        Ok(created) => made(shared, answer.name, &created, version, effect),
        Err(refused) => CreatableTopicResult {
            name: answer.name,
            error_code: refused.code.code(),
            error_message: Some(in_an_answer(refused.message)),
            num_partitions: -1,
            replication_factor: -1,
            ..CreatableTopicResult::default()
        },
    });
    CreateTopicsResponse { topics: topics.collect(), ..CreateTopicsResponse::default() }
}

/// What became of one topic.
pub struct Made {
    /// Its name.
    pub name: String,
    /// The topic, or why there is none.
    pub outcome: Result<Created, Refused>,
}

/// Why there is no topic.
pub struct Refused {
    /// Kafka's code.
    pub code: ErrorCode,
    /// What a person is told.
    pub message: String,
}

/// Has topics made; an answer for each name.
pub async fn create(shared: &Shared, topics: Vec<NewTopic>, effect: Effect) -> Vec<Made> {
    let names: Vec<String> = topics.iter().map(|topic| topic.name.clone()).collect();
    match shared.cluster.ask(Command::CreateTopics(CreateTopics { topics, effect })).await {
        Ok(Reply::Topics(answers)) => {
            shared.journal.metadata_applied(shared.cluster.applied_index().unsigned_abs());
            let made = answers.into_iter().map(|answer| Made {
                name: answer.name,
                outcome: answer.outcome.map_err(|error| Refused { code: error.code(), message: error.to_string() }),
            });
            made.collect()
        }
        Ok(_) => Vec::new(),
        Err(error) => {
            let refused = || Refused { code: error.code(), message: error.to_string() };
            names.into_iter().map(|name| Made { name, outcome: Err(refused()) }).collect()
        }
    }
}

/// A topic of that name with everything else left to the defaults, as a client's mention makes it.
pub fn mentioned(shared: &Shared, name: &str) -> NewTopic {
    let id = shared.world.entropy.uuid();
    let (assignments, settings) = (Vec::new(), Vec::new());
    NewTopic { name: name.to_owned(), id, partitions: -1, replication_factor: -1, assignments, settings }
}

fn wanted(shared: &Shared, topic: CreatableTopic) -> NewTopic {
    let assignments = topic.assignments.into_iter();
    NewTopic {
        name: topic.name,
        id: shared.world.entropy.uuid(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: assignments
            .map(|one| Assignment { partition: one.partition_index, brokers: one.broker_ids })
            .collect(),
        settings: topic.configs.into_iter().map(|config| (config.name, config.value)).collect(),
    }
}

fn made(shared: &Shared, name: String, created: &Created, version: i16, effect: Effect) -> CreatableTopicResult {
    let mut result = CreatableTopicResult { name, ..CreatableTopicResult::default() };
    if version >= 7 {
        result.topic_id = if effect == Effect::Create { created.id } else { Uuid::ZERO };
    }
    if version >= 5 {
        result.num_partitions = created.partitions;
        result.replication_factor = created.replication_factor;
        result.configs = Some(configs(shared, &created.settings));
    }
    result
}

fn configs(shared: &Shared, own: &BTreeMap<String, String>) -> Vec<CreatableTopicResultConfig> {
    let described = TopicSettings::describe(&shared.cluster.settings(), own).unwrap_or_default();
    let lines = described.into_iter().map(|config| CreatableTopicResultConfig {
        name: config.setting.name.to_owned(),
        value: Some(config.value),
        read_only: false,
        config_source: config.source as i8,
        is_sensitive: false,
        ..CreatableTopicResultConfig::default()
    });
    lines.collect()
}
