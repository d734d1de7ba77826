//! Changing settings: what the operations make of those that are there, what is refused, and the records of the rest.
//!
//! The settings of one resource change together or not at all; each resource stands for itself. Codes, texts and the
//! order of the checks are those of a running Kafka 4.3.0 (`ConfigurationControlManager`): `testscripts/alter_configs` has
//! its answers. Which settings there are, and what they take, is for [`super::SettingRules`] to say.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use thalweg_messages::metadata_log::ConfigRecord;
use thalweg_wire::ErrorCode;

use super::controller::{Policy, Reply};
use super::image::{Image, Resource};
use super::names::{TopicNameError, validate_name};
use super::records::Record;
use crate::machine::Decision;

/// Settings to change.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterConfigs {
    /// Whose settings, and how: topics and brokers, no resource twice.
    pub resources: Vec<Alteration>,
    /// For real, or only to see.
    pub intent: Intent,
}

/// Whether what passes the checks is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intent {
    /// It is.
    Change,
    /// It isn't (`validate_only`).
    ValidateOnly,
}

/// What is to become of one resource's settings.
#[derive(Clone, PartialEq, Debug)]
pub struct Alteration {
    /// Whose they are.
    pub of: Resource,
    /// Settings and what to do with them, no setting twice.
    pub changes: Vec<(String, Operation)>,
    /// What is to become of those that aren't named.
    pub others: Others,
}

/// What is to become of settings that a change doesn't name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Others {
    /// They stay.
    Keep,
    /// They go back to what holds when nobody says anything, as Kafka's older AlterConfigs has it.
    Reset,
}

/// What to do with a setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// It gets this value.
    Set(String),
    /// It goes back to what holds when nobody says anything.
    Reset,
    /// A list gets these elements besides, as far as it lacks them.
    Append(String),
    /// A list loses these elements.
    Subtract(String),
}

/// Why a resource's settings stay as they are. `Display` is Kafka's message, [`AlterConfigsError::code`] its code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AlterConfigsError {
    /// There is no default of all topics.
    AllTopics,
    /// No topic can be called that.
    Name(TopicNameError),
    /// There is no such topic.
    UnknownTopic {
        /// The name.
        name: String,
    },
    /// Only a list can be added to.
    NoListToAppendTo {
        /// The setting.
        name: String,
    },
    /// Only a list can be taken from.
    NoListToSubtractFrom {
        /// The setting.
        name: String,
    },
    /// A topic can't have these settings.
    Topic(String),
    /// A broker can't have these settings, or not while it runs.
    Broker(String),
}

impl AlterConfigsError {
    /// Kafka's error code.
    pub fn code(&self) -> ErrorCode {
        match self {
            AlterConfigsError::AllTopics | AlterConfigsError::Broker(_) => ErrorCode::InvalidRequest,
            AlterConfigsError::Name(_) => ErrorCode::InvalidTopicException,
            AlterConfigsError::UnknownTopic { .. } => ErrorCode::UnknownTopicOrPartition,
            AlterConfigsError::NoListToAppendTo { .. }
            | AlterConfigsError::NoListToSubtractFrom { .. }
            | AlterConfigsError::Topic(_) => ErrorCode::InvalidConfig,
        }
    }
}

impl fmt::Display for AlterConfigsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AlterConfigsError::AllTopics => f.write_str("Default topic resources are not allowed."),
            AlterConfigsError::Name(error) => error.fmt(f),
            AlterConfigsError::UnknownTopic { name } => write!(f, "The topic '{name}' does not exist."),
            AlterConfigsError::NoListToAppendTo { name } => {
                write!(f, "Can't APPEND to key {name} because its type is not LIST.")
            }
            AlterConfigsError::NoListToSubtractFrom { name } => {
                write!(f, "Can't SUBTRACT to key {name} because its type is not LIST.")
            }
            AlterConfigsError::Topic(reason) | AlterConfigsError::Broker(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for AlterConfigsError {}

/// Each resource that passes is changed, whatever became of the others.
pub(super) fn decide(image: &Image, policy: &Policy, request: &AlterConfigs) -> Decision<Image> {
    let mut records = Vec::new();
    let mut replies = Vec::with_capacity(request.resources.len());
    for Alteration { of, changes, others } in &request.resources {
        let before = settings_of(image, of);
        let base = match others {
            Others::Keep => before.clone(),
            Others::Reset => Settings::new(),
        };
        let after = changed(policy, of, base, changes).and_then(|after| {
            check(image, policy, of, &before, &after)?;
            Ok(after)
        });
        if let (Ok(after), Intent::Change) = (&after, request.intent) {
            let named = changes.iter().map(|(name, _)| name);
            let others = before.keys().filter(|name| !after.contains_key(*name));
            let mut seen = HashSet::new();
            let names = named.chain(others).filter(|name| seen.insert(name.as_str()));
            records.extend(names.filter_map(|name| record(of, name, &before, after)));
        }
        replies.push(after.map(drop));
    }
    Decision { records, reply: Reply::Configs(replies) }
}

type Settings = BTreeMap<String, String>;

fn settings_of(image: &Image, of: &Resource) -> Settings {
    match of.kind {
        Resource::TOPIC => image.topic(&of.name).map(|topic| topic.settings()),
        _ => image.settings(of),
    }
    .cloned()
    .unwrap_or_default()
}

fn changed(
    policy: &Policy,
    of: &Resource,
    mut settings: Settings,
    changes: &[(String, Operation)],
) -> Result<Settings, AlterConfigsError> {
    for (name, operation) in changes {
        // A list that nobody has set grows out of its default, not out of what another layer says: so does Kafka's.
        let list = |settings: &Settings| {
            let default = policy.rules.list_default(of, name)?;
            Some(settings.get(name).cloned().unwrap_or(default))
        };
        let value = match operation {
            Operation::Set(value) => value.clone(),
            Operation::Reset => {
                settings.remove(name);
                continue;
            }
            Operation::Append(more) => {
                let list = list(&settings);
                appended(&list.ok_or_else(|| AlterConfigsError::NoListToAppendTo { name: name.clone() })?, more)
            }
            Operation::Subtract(less) => {
                let list = list(&settings);
                subtracted(&list.ok_or_else(|| AlterConfigsError::NoListToSubtractFrom { name: name.clone() })?, less)
            }
        };
        settings.insert(name.clone(), value);
    }
    Ok(settings)
}

fn appended(list: &str, more: &str) -> String {
    let mut seen = HashSet::new();
    let all = elements(list).filter(|element| !element.is_empty()).chain(elements(more));
    all.filter(|element| seen.insert(*element)).collect::<Vec<_>>().join(",")
}

fn subtracted(list: &str, less: &str) -> String {
    let less: HashSet<&str> = elements(less).collect();
    let rest = elements(list).filter(|element| !element.is_empty() && !less.contains(element));
    rest.collect::<Vec<_>>().join(",")
}

/// Without the spaces around them: Kafka compares them, so that ` compact` doesn't take `compact` away.
fn elements(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

fn check(
    image: &Image,
    policy: &Policy,
    of: &Resource,
    before: &Settings,
    after: &Settings,
) -> Result<(), AlterConfigsError> {
    if of.kind != Resource::TOPIC {
        return policy.rules.check_broker(image, &of.name, after).map_err(AlterConfigsError::Broker);
    }
    if of.name.is_empty() {
        return Err(AlterConfigsError::AllTopics);
    }
    validate_name(&of.name).map_err(AlterConfigsError::Name)?;
    policy.rules.check_topic(image, Some(before), after).map_err(AlterConfigsError::Topic)?;
    match image.topic(&of.name) {
        Some(_) => Ok(()),
        None => Err(AlterConfigsError::UnknownTopic { name: of.name.clone() }),
    }
}

/// What changes nothing is not worth a record.
fn record(of: &Resource, name: &str, before: &Settings, after: &Settings) -> Option<Record> {
    let (before, after) = (before.get(name), after.get(name));
    let record = || ConfigRecord {
        resource_type: of.kind,
        resource_name: of.name.clone(),
        name: name.to_owned(),
        value: after.cloned(),
        ..Default::default()
    };
    (before != after).then(|| record().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_order_and_nothing_twice() {
        assert_eq!(appended("delete", "compact"), "delete,compact");
        assert_eq!(appended("delete", "compact, delete ,compact"), "delete,compact");
        assert_eq!(appended("", "compact"), "compact");
        // An empty element is for the setting's own check to refuse.
        assert_eq!(appended("delete", ""), "delete,");
        assert_eq!(subtracted("0:1, 1:1 ,2:1", "1:1,9:9"), "0:1,2:1");
        assert_eq!(subtracted("delete", "delete"), "");
        assert_eq!(subtracted("delete", ""), "delete");
    }
}
