//! Settings asked for and changed in few words.

use std::io;

use thalweg_messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse, DescribeConfigsResult,
};
use thalweg_messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};

use super::Client;

pub const TOPIC: i8 = 2;
pub const BROKER: i8 = 4;

/// The settings of these names, or all, with everything there is to say about them.
pub async fn describe(client: &mut Client, kind: i8, name: &str, keys: &[&str]) -> DescribeConfigsResult {
    let configuration_keys = (!keys.is_empty()).then(|| keys.iter().map(|key| (*key).to_owned()).collect());
    let resource = DescribeConfigsResource {
        resource_type: kind,
        resource_name: name.to_owned(),
        configuration_keys,
        ..DescribeConfigsResource::default()
    };
    let mut response = client.call(4, &question(vec![resource])).await.unwrap();
    assert_eq!(response.results.len(), 1);
    let result = response.results.remove(0);
    assert_eq!((result.resource_type, result.resource_name.as_str()), (kind, name));
    result
}

/// One resource named so many times.
pub async fn describe_often(
    client: &mut Client,
    kind: i8,
    name: &str,
    times: usize,
) -> io::Result<DescribeConfigsResponse> {
    let resource =
        DescribeConfigsResource { resource_type: kind, resource_name: name.to_owned(), ..Default::default() };
    client.call(4, &question(vec![resource; times])).await
}

fn question(resources: Vec<DescribeConfigsResource>) -> DescribeConfigsRequest {
    DescribeConfigsRequest { resources, include_synonyms: true, include_documentation: true, ..Default::default() }
}

/// An answer as lines: `name=value@source [place=value@source ...]`.
pub fn shown(result: &DescribeConfigsResult) -> String {
    if result.error_code != 0 {
        return format!("{} {}", result.error_code, result.error_message.as_deref().unwrap_or("null"));
    }
    let lines = result.configs.iter().map(|line| {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
        let places =
            line.synonyms.iter().map(|place| format!("{}={}@{}", place.name, value(&place.value), place.source));
        let places = places.collect::<Vec<_>>().join(" ");
        let fixed = if line.read_only { " fixed" } else { "" };
        let secret = if line.is_sensitive { " secret" } else { "" };
        format!("{}={}@{}{fixed}{secret} [{places}]", line.name, value(&line.value), line.config_source)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What is to become of a resource: `name=value`, `name=` and nothing back to the default, `name+=value`, `name-=value`.
pub fn alteration(kind: i8, name: &str, changes: &[&str]) -> AlterConfigsResource {
    let change = |change: &&str| {
        let (name, value) = change.split_once('=').unwrap();
        let (name, config_operation) = match (name.strip_suffix('+'), name.strip_suffix('-')) {
            (Some(name), _) => (name, 2),
            (_, Some(name)) => (name, 3),
            _ if value.is_empty() => (name, 1),
            _ => (name, 0),
        };
        let value = (config_operation != 1).then(|| value.to_owned());
        AlterableConfig { name: name.to_owned(), config_operation, value, ..Default::default() }
    };
    AlterConfigsResource {
        resource_type: kind,
        resource_name: name.to_owned(),
        configs: changes.iter().map(change).collect(),
        ..AlterConfigsResource::default()
    }
}

/// Changes settings; for each resource `ok`, or its error.
pub async fn alter_all(client: &mut Client, resources: Vec<AlterConfigsResource>, validate_only: bool) -> Vec<String> {
    let request = IncrementalAlterConfigsRequest { resources, validate_only, ..Default::default() };
    let response = client.call(1, &request).await.unwrap();
    let outcomes = response.responses.iter().map(|answer| match (answer.error_code, &answer.error_message) {
        (0, None) => "ok".to_owned(),
        (code, message) => format!("{code} {}", message.as_deref().unwrap_or("null")),
    });
    outcomes.collect()
}

/// The same of one resource.
pub async fn alter(client: &mut Client, kind: i8, name: &str, changes: &[&str]) -> String {
    alter_all(client, vec![alteration(kind, name, changes)], false).await.remove(0)
}
