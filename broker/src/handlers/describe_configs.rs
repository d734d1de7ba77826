//! DescribeConfigs (key 32), versions 1-4.
//!
//! The settings of topics and of this broker: each with its value, where that comes from, and on demand the places behind
//! it and our sentence about it. The empty name of a broker asks for what was changed for all brokers while they ran.
//! Loggers, client metrics and groups have no settings here. Keys that name nothing are left out; an empty list of keys
//! means all, as null does.
//!
//! v1 synonyms, v3 kinds and documentation, v4 flexible.

use std::collections::HashSet;

use thalweg_coordinators::cluster::validate_name;
use thalweg_messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use thalweg_wire::{BrokerId, ErrorCode};

use super::resource::{self, ResourceKind};
use super::{Api, Close, in_an_answer};
use crate::broker::Shared;
use crate::settings::table::{self, Kind, Scope, Setting};
use crate::settings::{Described, Settings};

/// The versions served.
pub const API: Api = Api::new(32, 1..=4);

/// Settings that are told beyond those of each topic once: enough for this broker's a few times. Whoever names the same
/// things over and over gets no answer many times as large as all there is to say.
const LINES_SPARE: usize = 2_000;

/// Answers.
pub fn handle(
    shared: &Shared,
    request: DescribeConfigsRequest,
    version: i16,
) -> Result<DescribeConfigsResponse, Close> {
    resource::check_count(shared, request.resources.len())?;
    let topics = shared.cluster.look(|image| image.topic_count());
    let mut question = Question {
        shared,
        settings: &shared.cluster.settings(),
        synonyms: request.include_synonyms,
        documentation: request.include_documentation,
        version,
        lines_left: topics.saturating_mul(table::topic().len()).saturating_add(LINES_SPARE),
    };
    let results = request.resources.into_iter().map(|resource| question.answer(resource));
    Ok(DescribeConfigsResponse { results: results.collect(), ..DescribeConfigsResponse::default() })
}

struct Question<'a> {
    shared: &'a Shared,
    settings: &'a Settings,
    synonyms: bool,
    documentation: bool,
    version: i16,
    lines_left: usize,
}

type Refusal = (ErrorCode, String);

impl Question<'_> {
    fn answer(&mut self, resource: DescribeConfigsResource) -> DescribeConfigsResult {
        let (error_code, error_message, configs) = match self.lines(&resource) {
            Ok(lines) => (0, String::new(), lines),
            Err((code, message)) => (code.code(), message, Vec::new()),
        };
        DescribeConfigsResult {
            error_code,
            error_message: Some(in_an_answer(error_message)),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            configs,
            ..DescribeConfigsResult::default()
        }
    }

    fn lines(&mut self, resource: &DescribeConfigsResource) -> Result<Vec<DescribeConfigsResourceResult>, Refusal> {
        if self.lines_left == 0 {
            return Err(refused("The request names the same resources too often: ask for each once"));
        }
        let name = resource.resource_name.as_str();
        let keys = resource.configuration_keys.as_deref().filter(|keys| !keys.is_empty());
        let keys: Option<HashSet<&str>> = keys.map(|keys| keys.iter().map(String::as_str).collect());
        let rows = |table: &'static [Setting]| {
            table.iter().filter(move |row| keys.as_ref().is_none_or(|keys| keys.contains(row.name)))
        };
        let described: Vec<Described> = match ResourceKind::of(resource.resource_type)? {
            ResourceKind::Topic => {
                validate_name(name).map_err(|error| (ErrorCode::InvalidTopicException, error.to_string()))?;
                let topic = self.shared.cluster.look(|image| image.topic(name).cloned());
                let topic = topic.ok_or((ErrorCode::UnknownTopicOrPartition, String::new()))?;
                rows(table::topic()).map(|row| self.settings.describe_topic(row, topic.settings())).collect()
            }
            ResourceKind::Broker if name.is_empty() => {
                rows(table::broker()).filter_map(|row| self.settings.describe_shared(row)).collect()
            }
            ResourceKind::Broker => {
                let expected = "Unexpected broker id, expected {} or empty string, but received {}";
                self.check_broker(name, expected)?;
                rows(table::broker()).map(|row| self.settings.describe(row)).collect()
            }
            ResourceKind::BrokerLogger if name.is_empty() => return Err(refused("Broker id must not be empty")),
            ResourceKind::BrokerLogger => {
                self.check_broker(name, "Unexpected broker id, expected {} but received {}")?;
                Vec::new()
            }
            ResourceKind::ClientMetrics if name.is_empty() => {
                return Err(refused("Client metrics subscription name must not be empty"));
            }
            ResourceKind::Group if name.is_empty() => return Err(refused("Group name must not be empty")),
            ResourceKind::ClientMetrics | ResourceKind::Group => Vec::new(),
        };
        self.lines_left = self.lines_left.saturating_sub(described.len().max(1));
        Ok(described.into_iter().map(|described| self.line(described)).collect())
    }

    fn check_broker(&self, name: &str, expected: &str) -> Result<(), Refusal> {
        let node = self.settings.node;
        match name.parse() {
            Ok(id) if BrokerId(id) == node => Ok(()),
            Ok(id) => Err(refused(&expected.replacen("{}", &node.to_string(), 1).replacen("{}", &id.to_string(), 1))),
            Err(_) => Err(refused(&format!("Broker id must be an integer, but it is: {name}"))),
        }
    }

    fn line(&self, described: Described) -> DescribeConfigsResourceResult {
        let Described { setting, value, source, places } = described;
        let mut line = DescribeConfigsResourceResult {
            name: setting.name.to_owned(),
            value,
            read_only: matches!(setting.scope, Scope::Static | Scope::TopicCreation),
            config_source: source as i8,
            is_sensitive: setting.is_sensitive(),
            ..DescribeConfigsResourceResult::default()
        };
        if self.synonyms {
            let synonyms = places.into_iter().map(|place| DescribeConfigsSynonym {
                name: place.name.to_owned(),
                value: place.value,
                source: place.source as i8,
                ..DescribeConfigsSynonym::default()
            });
            line.synonyms = synonyms.collect();
        }
        if self.version >= 3 {
            line.config_type = number(setting.kind);
            line.documentation = self.documentation.then(|| setting.about.to_owned());
        }
        line
    }
}

fn refused(message: &str) -> Refusal {
    (ErrorCode::InvalidRequest, message.to_owned())
}

/// The numbers of Kafka's `ConfigType`.
fn number(kind: Kind) -> i8 {
    match kind {
        Kind::Boolean => 1,
        Kind::String => 2,
        Kind::Int => 3,
        Kind::Short => 4,
        Kind::Long => 5,
        Kind::Double => 6,
        Kind::List => 7,
        Kind::Class => 8,
        Kind::Password => 9,
    }
}
