//! Metadata (key 3), versions 0-13.
//!
//! Which brokers there are, and which topics with their partitions' leaders. A topic that doesn't exist is made if the
//! request and the broker allow it; the answer waits until it is, and names its leaders.
//!
//! v1 null means all topics (v0: an empty list), v4 may forbid making topics, v8 authorized operations, v9 flexible,
//! v10 topic ids, v12 asks by topic id, v13 an error of the whole answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use thalweg_coordinators::cluster::{self, Effect, NewTopic, is_internal, validate_name};
use thalweg_messages::metadata::{
    MetadataBroker, MetadataPartition, MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataTopic,
};
use thalweg_wire::{BrokerId, ErrorCode, Uuid};

use super::create_topics::{create, mentioned};
use super::{Api, Head};
use crate::broker::Shared;
use crate::groups;

/// The versions served.
pub const API: Api = Api::new(3, 0..=13);

/// "Not asked for", in Kafka.
pub(super) const NO_OPERATIONS: i32 = i32::MIN;

/// Bits of `AclOperation` that apply to a topic: READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS,
/// ALTER_CONFIGS. Without an authorizer everybody may do everything.
pub(super) const TOPIC_OPERATIONS: i32 = bits(&[3, 4, 5, 6, 7, 8, 10, 11]);

/// To the cluster: CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE.
pub(super) const CLUSTER_OPERATIONS: i32 = bits(&[5, 7, 8, 9, 10, 11, 12]);

const fn bits(operations: &[i32]) -> i32 {
    let mut bits = 0;
    let mut place = 0;
    while place < operations.len() {
        bits |= 1 << operations[place];
        place += 1;
    }
    bits
}

/// Answers.
pub async fn handle(shared: &Shared, head: &Head, request: MetadataRequest) -> MetadataResponse {
    let version = head.version;
    if let Some(refusal) = refuse_ids(&request, version) {
        return refusal;
    }
    let everything = match &request.topics {
        None => true,
        Some(topics) => topics.is_empty() && version == 0,
    };
    let operations = if request.include_topic_authorized_operations { TOPIC_OPERATIONS } else { NO_OPERATIONS };
    let topics = if everything {
        let all: Vec<_> = shared.cluster.look(|image| image.topics().cloned().collect());
        all.iter().map(|topic| describe(topic, version, operations)).collect()
    } else {
        let may_create = shared.settings.creation.automatic && (version < 4 || request.allow_auto_topic_creation);
        let wanted = once_each(request.topics.unwrap_or_default());
        if may_create {
            make_missing(shared, &wanted).await;
        }
        wanted.into_iter().map(|topic| find(shared, topic, version, operations)).collect()
    };
    let broker = MetadataBroker {
        node_id: shared.settings.node,
        host: head.advertised.host.clone(),
        port: i32::from(head.advertised.port),
        rack: shared.settings.rack.clone().filter(|_| version >= 1),
        ..MetadataBroker::default()
    };
    let mut response = MetadataResponse { brokers: vec![broker], topics, ..MetadataResponse::default() };
    if version >= 1 {
        response.controller_id = shared.settings.node;
    }
    if version >= 2 {
        response.cluster_id = Some(shared.cluster.cluster_id().to_owned());
    }
    if (8..=10).contains(&version) {
        response.cluster_authorized_operations =
            if request.include_cluster_authorized_operations { CLUSTER_OPERATIONS } else { NO_OPERATIONS };
    }
    response
}

/// Versions 10 and 11 have topic ids in the request and no way to ask by them; later, a topic needs a name or an id.
fn refuse_ids(request: &MetadataRequest, version: i16) -> Option<MetadataResponse> {
    let topics = request.topics.as_ref()?;
    let unusable = |topic: &MetadataRequestTopic| match version {
        10..=11 => topic.name.is_none() || !topic.topic_id.is_zero(),
        12.. => topic.name.is_none() && topic.topic_id.is_zero(),
        _ => false,
    };
    if !topics.iter().any(unusable) {
        return None;
    }
    let code = if version < 12 { ErrorCode::InvalidRequest } else { ErrorCode::UnknownServerError };
    let topics = topics.iter().map(|topic| MetadataTopic {
        error_code: code.code(),
        name: Some(topic.name.clone().unwrap_or_default()),
        topic_id: topic.topic_id,
        topic_authorized_operations: NO_OPERATIONS,
        ..MetadataTopic::default()
    });
    let mut response =
        MetadataResponse { topics: topics.collect(), controller_id: BrokerId::NONE, ..Default::default() };
    if version <= 10 {
        response.cluster_authorized_operations = NO_OPERATIONS;
    }
    if version >= 13 {
        response.error_code = code.code();
    }
    Some(response)
}

/// Each topic once, however often it is named. Where any is asked for by its id, as from v12 on it may be, names don't
/// count.
fn once_each(mut wanted: Vec<MetadataRequestTopic>) -> Vec<MetadataRequestTopic> {
    if wanted.iter().any(|topic| !topic.topic_id.is_zero()) {
        wanted.retain(|topic| !topic.topic_id.is_zero());
        wanted.iter_mut().for_each(|topic| topic.name = None);
    }
    let mut seen = BTreeSet::new();
    let is_first: Vec<bool> = wanted.iter().map(|topic| seen.insert((topic.topic_id, topic.name.as_deref()))).collect();
    let mut is_first = is_first.into_iter();
    wanted.retain(|_| is_first.next() == Some(true));
    wanted
}

/// Makes the topics that are asked for by a possible name and don't exist.
async fn make_missing(shared: &Shared, wanted: &[MetadataRequestTopic]) {
    let names: BTreeSet<&str> = wanted.iter().filter_map(|topic| topic.name.as_deref()).collect();
    let missing: Vec<NewTopic> = shared.cluster.look(|image| {
        let missing = names.into_iter().filter(|name| image.topic(name).is_none() && validate_name(name).is_ok());
        missing.map(|name| mentioned(shared, name)).collect()
    });
    if missing.iter().any(|topic| topic.name == groups::OFFSETS_TOPIC) {
        // With its own shape, whoever names it first.
        let _ = groups::has_topic(shared).await;
    }
    let missing: Vec<NewTopic> = missing.into_iter().filter(|topic| topic.name != groups::OFFSETS_TOPIC).collect();
    if missing.is_empty() {
        return;
    }
    for made in create(shared, missing, Effect::Create).await {
        if let Err(refused) = made.outcome {
            tracing::debug!(topic = made.name, code = %refused.code, reason = refused.message, "a topic is not made");
        }
    }
}

fn find(shared: &Shared, wanted: MetadataRequestTopic, version: i16, operations: i32) -> MetadataTopic {
    let found = shared.cluster.look(|image| match &wanted.name {
        Some(name) => image.topic(name).cloned(),
        None => image.topic_by_id(wanted.topic_id).cloned(),
    });
    if let Some(topic) = found {
        return describe(&topic, version, operations);
    }
    let error = match &wanted.name {
        None => ErrorCode::UnknownTopicId,
        Some(name) if validate_name(name).is_err() => ErrorCode::InvalidTopicException,
        Some(_) => ErrorCode::UnknownTopicOrPartition,
    };
    MetadataTopic {
        error_code: error.code(),
        is_internal: version >= 1 && wanted.name.as_deref().is_some_and(is_internal),
        name: wanted.name,
        topic_id: wanted.topic_id,
        topic_authorized_operations: if version >= 8 { operations } else { NO_OPERATIONS },
        ..MetadataTopic::default()
    }
}

fn describe(topic: &Arc<cluster::Topic>, version: i16, operations: i32) -> MetadataTopic {
    let partitions = topic.partitions().iter().map(|partition| {
        let has_leader = partition.leader() != BrokerId::NONE;
        let mut described = MetadataPartition {
            error_code: if has_leader { 0 } else { ErrorCode::LeaderNotAvailable.code() },
            partition_index: partition.index(),
            leader_id: partition.leader(),
            replica_nodes: partition.replicas().iter().map(|replica| replica.broker).collect(),
            isr_nodes: partition.in_sync().to_vec(),
            ..MetadataPartition::default()
        };
        if version >= 7 {
            described.leader_epoch = partition.leader_epoch();
        }
        described
    });
    MetadataTopic {
        name: Some(topic.name().to_string()),
        topic_id: if version >= 10 { topic.id() } else { Uuid::ZERO },
        is_internal: version >= 1 && topic.is_internal(),
        partitions: partitions.collect(),
        topic_authorized_operations: if version >= 8 { operations } else { NO_OPERATIONS },
        ..MetadataTopic::default()
    }
}
