//! What the two ways of changing settings share: IncrementalAlterConfigs, and Kafka's older AlterConfigs.
//!
//! What passes is durable, visible to every handler, and followed by the partitions that are alive, before the answer
//! leaves. What is wrong with the request itself is found here, in Kafka's order and words
//! (`ConfigAdminManager.preprocess`); what is wrong with the settings, by the controller.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use thalweg_coordinators::cluster::{
    AlterConfigs, AlterConfigsError, Alteration, Command, Intent, Operation, Others, Reply, Resource,
};
use thalweg_wire::{BrokerId, ErrorCode};

use super::resource::{self, ResourceKind};
use super::{Close, in_an_answer};
use crate::broker::Shared;

/// What a request wants of one resource.
pub(super) struct Asked {
    pub(super) resource_type: i8,
    pub(super) resource_name: String,
    pub(super) changes: Vec<Change>,
}

/// A setting that is to change.
pub(super) struct Change {
    pub(super) name: String,
    pub(super) operation: i8,
    pub(super) value: Option<String>,
}

/// What became of one resource, as answers say it.
pub(super) struct Altered {
    pub(super) resource_type: i8,
    pub(super) resource_name: String,
    pub(super) error_code: i16,
    pub(super) error_message: Option<String>,
}

/// The operation of IncrementalAlterConfigs that is all that AlterConfigs can do.
pub(super) const SET: i8 = 0;
const RESET: i8 = 1;

type Refusal = (ErrorCode, String);

/// Changes settings: those of one resource together or not at all. An answer for each resource, in their order.
pub(super) async fn alter(
    shared: &Arc<Shared>,
    asked: Vec<Asked>,
    others: Others,
    intent: Intent,
) -> Result<Vec<Altered>, Close> {
    resource::check_count(shared, asked.len())?;
    let counts = counts(&asked);
    let mut resources = Vec::new();
    let mut outcomes = Vec::with_capacity(asked.len());
    for resource in &asked {
        let wanted = match counts[&identity(resource)] {
            1 => wanted(shared, resource, others),
            _ => Err(invalid("Each resource must appear at most once.")),
        };
        let place = outcomes.len();
        outcomes.push(wanted.map(|alteration| resources.extend(alteration.map(|wanted| (place, wanted)))));
    }
    let (places, resources): (Vec<usize>, Vec<Alteration>) = resources.into_iter().unzip();
    for (place, outcome) in places.into_iter().zip(decided(shared, resources, intent).await) {
        outcomes[place] = outcome;
    }
    let altered = asked.into_iter().zip(outcomes).map(|(resource, outcome)| {
        let refused = outcome.err();
        Altered {
            error_code: refused.as_ref().map_or(0, |(code, _)| code.code()),
            error_message: refused.map(|(_, message)| in_an_answer(message)),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
        }
    });
    Ok(altered.collect())
}

/// Has settings changed; an outcome for each resource.
async fn decided(shared: &Arc<Shared>, resources: Vec<Alteration>, intent: Intent) -> Vec<Result<(), Refusal>> {
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
fn counts(resources: &[Asked]) -> HashMap<(i8, String), usize> {
    let mut counts = HashMap::new();
    for resource in resources {
        *counts.entry(identity(resource)).or_default() += 1;
    }
    counts
}

/// What a resource is however it is written: broker 01 is broker 1.
fn identity(resource: &Asked) -> (i8, String) {
    let number = resource.resource_name.parse::<i32>().ok().filter(|_| resource.resource_type == Resource::BROKER);
    (resource.resource_type, number.map_or_else(|| resource.resource_name.clone(), |number| number.to_string()))
}

/// What the controller is asked to do; `None` where there is nothing to do.
fn wanted(shared: &Shared, resource: &Asked, others: Others) -> Result<Option<Alteration>, Refusal> {
    check_form(&resource.changes)?;
    let name = &resource.resource_name;
    match ResourceKind::of(resource.resource_type)? {
        // The older way doesn't know them.
        ResourceKind::BrokerLogger if others == Others::Reset => {
            return Err(invalid(&format!("Unknown resource type {}", resource.resource_type)));
        }
        ResourceKind::Topic => {}
        ResourceKind::Broker if name.is_empty() => {}
        ResourceKind::Broker => check_node(shared, name, "Unexpected broker id, expected {}, but received {}")?,
        ResourceKind::BrokerLogger => {
            check_node(shared, name, "Unexpected node id. Expected {}, but received {}")?;
            // There are none, so none of them exists.
            return match resource.changes.first() {
                Some(logger) => Err((ErrorCode::InvalidConfig, format!("Logger {} does not exist!", logger.name))),
                None => Ok(None),
            };
        }
        ResourceKind::ClientMetrics => return Err(invalid("Client metrics have no settings here.")),
        ResourceKind::Group => return Err(invalid("Groups have no settings here.")),
    }
    let (kind, name) = identity(resource);
    let changes = resource.changes.iter().map(|change| Ok((change.name.clone(), operation(change)?)));
    let changes = changes.collect::<Result<_, Refusal>>()?;
    Ok(Some(Alteration { of: Resource { kind, name }, changes, others }))
}

fn check_form(changes: &[Change]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    if !changes.iter().all(|change| seen.insert(change.name.as_str())) {
        return Err(invalid("Error due to duplicate config keys"));
    }
    let lacks_value = |change: &&Change| change.value.is_none() && change.operation != RESET;
    let lacking: Vec<&str> = changes.iter().filter(lacks_value).map(|change| change.name.as_str()).collect();
    match lacking.as_slice() {
        [] => Ok(()),
        _ => Err(invalid(&format!("Null value not supported for : {}", lacking.join(", ")))),
    }
}

fn operation(change: &Change) -> Result<Operation, Refusal> {
    let value = || change.value.clone().unwrap_or_default();
    match change.operation {
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
