//! IncrementalAlterConfigs (key 44), versions 0-1.
//!
//! Changes settings of topics, of this broker, and of all brokers (the empty name): one by one, and those of one resource
//! together or not at all. What passes is durable, visible to every handler, and followed by the partitions that are
//! alive, before the answer leaves. What is wrong with the request itself is found here, in Kafka's order and words
//! (`ConfigAdminManager.preprocess`); what is wrong with the settings, by the controller.
//!
//! v1 flexible.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use thalweg_coordinators::cluster::{
    AlterConfigs, AlterConfigsError, Alteration, Command, Intent, Operation, Reply, Resource,
};
use thalweg_messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use thalweg_wire::{BrokerId, ErrorCode};

use super::resource::{self, ResourceKind};
use super::{Api, Close, in_an_answer};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(44, 0..=1);

type Refusal = (ErrorCode, String);

/// Answers.
pub async fn handle(
    shared: &Arc<Shared>,
    request: IncrementalAlterConfigsRequest,
) -> Result<IncrementalAlterConfigsResponse, Close> {
    resource::check_count(shared, request.resources.len())?;
    let intent = if request.validate_only { Intent::ValidateOnly } else { Intent::Change };
    let counts = counts(&request.resources);
    let mut resources = Vec::new();
    let mut outcomes = Vec::with_capacity(request.resources.len());
    for resource in &request.resources {
        let wanted = match counts[&identity(resource)] {
            1 => wanted(shared, resource),
            _ => Err(invalid("Each resource must appear at most once.")),
        };
        let place = outcomes.len();
        outcomes.push(wanted.map(|alteration| resources.extend(alteration.map(|wanted| (place, wanted)))));
    }
    let (places, resources): (Vec<usize>, Vec<Alteration>) = resources.into_iter().unzip();
    for (place, outcome) in places.into_iter().zip(alter(shared, resources, intent).await) {
        outcomes[place] = outcome;
    }
    let responses = request.resources.into_iter().zip(outcomes).map(|(resource, outcome)| {
        let refused = outcome.err();
        AlterConfigsResourceResponse {
            error_code: refused.as_ref().map_or(0, |(code, _)| code.code()),
            error_message: refused.map(|(_, message)| in_an_answer(message)),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            ..AlterConfigsResourceResponse::default()
        }
    });
    Ok(IncrementalAlterConfigsResponse { responses: responses.collect(), ..Default::default() })
}

/// Has settings changed; an outcome for each resource.
async fn alter(shared: &Arc<Shared>, resources: Vec<Alteration>, intent: Intent) -> Vec<Result<(), Refusal>> {
    if resources.is_empty() {
        return Vec::new();
    }
    let named: Vec<Resource> = resources.iter().map(|alteration| alteration.of.clone()).collect();
    match shared.cluster.ask(Command::AlterConfigs(AlterConfigs { resources, intent })).await {
        Ok(Reply::Configs(outcomes)) => {
            shared.journal.metadata_applied(shared.cluster.applied_index().unsigned_abs());
            if intent == Intent::Change {
                let done = named.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
                shared.settings_changed(done.map(|(of, _)| of)).await;
            }
            let refusal = |error: AlterConfigsError| (error.code(), error.to_string());
            outcomes.into_iter().map(|outcome| outcome.map_err(refusal)).collect()
        }
        Ok(_) => named.iter().map(|_| Err((ErrorCode::UnknownServerError, String::new()))).collect(),
        Err(error) => named.iter().map(|_| Err((error.code(), error.to_string()))).collect(),
    }
}

/// How often each resource is named.
fn counts(resources: &[AlterConfigsResource]) -> HashMap<(i8, String), usize> {
    let mut counts = HashMap::new();
    for resource in resources {
        *counts.entry(identity(resource)).or_default() += 1;
    }
    counts
}

/// What a resource is however it is written: broker 01 is broker 1.
fn identity(resource: &AlterConfigsResource) -> (i8, String) {
    let number = resource.resource_name.parse::<i32>().ok().filter(|_| resource.resource_type == Resource::BROKER);
    (resource.resource_type, number.map_or_else(|| resource.resource_name.clone(), |number| number.to_string()))
}

/// What the controller is asked to do; `None` where there is nothing to do.
fn wanted(shared: &Shared, resource: &AlterConfigsResource) -> Result<Option<Alteration>, Refusal> {
    check_form(&resource.configs)?;
    let name = &resource.resource_name;
    match ResourceKind::of(resource.resource_type)? {
        ResourceKind::Topic => {}
        ResourceKind::Broker if name.is_empty() => {}
        ResourceKind::Broker => check_node(shared, name, "Unexpected broker id, expected {}, but received {}")?,
        ResourceKind::BrokerLogger => {
            check_node(shared, name, "Unexpected node id. Expected {}, but received {}")?;
            // There are none, so none of them exists.
            return match resource.configs.first() {
                Some(logger) => Err((ErrorCode::InvalidConfig, format!("Logger {} does not exist!", logger.name))),
                None => Ok(None),
            };
        }
        ResourceKind::ClientMetrics => return Err(invalid("Client metrics have no settings here.")),
        ResourceKind::Group => return Err(invalid("Groups have no settings here.")),
    }
    let (kind, name) = identity(resource);
    let changes = resource.configs.iter().map(|config| Ok((config.name.clone(), operation(config)?)));
    Ok(Some(Alteration { of: Resource { kind, name }, changes: changes.collect::<Result<_, Refusal>>()? }))
}

fn check_form(configs: &[AlterableConfig]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    if !configs.iter().all(|config| seen.insert(config.name.as_str())) {
        return Err(invalid("Error due to duplicate config keys"));
    }
    let lacks_value = |config: &&AlterableConfig| config.value.is_none() && config.config_operation != RESET;
    let lacking: Vec<&str> = configs.iter().filter(lacks_value).map(|config| config.name.as_str()).collect();
    match lacking.as_slice() {
        [] => Ok(()),
        _ => Err(invalid(&format!("Null value not supported for : {}", lacking.join(", ")))),
    }
}

const RESET: i8 = 1;

fn operation(config: &AlterableConfig) -> Result<Operation, Refusal> {
    let value = || config.value.clone().unwrap_or_default();
    match config.config_operation {
        0 => Ok(Operation::Set(value())),
        RESET => Ok(Operation::Reset),
        2 => Ok(Operation::Append(value())),
        3 => Ok(Operation::Subtract(value())),
        other => Err(invalid(&format!("Unknown operation {other}"))),
    }
}

/// `unexpected` has places for this node's number and for the other.
fn check_node(shared: &Shared, name: &str, unexpected: &str) -> Result<(), Refusal> {
    let node = shared.settings.node;
    match name.parse() {
        Ok(id) if BrokerId(id) == node => Ok(()),
        Ok(id) => Err(invalid(&unexpected.replacen("{}", &node.to_string(), 1).replacen("{}", &id.to_string(), 1))),
        Err(_) => Err(invalid(&format!("Node id must be an integer, but it is: {name}"))),
    }
}

fn invalid(message: &str) -> Refusal {
    (ErrorCode::InvalidRequest, message.to_owned())
}
