//! Settings asked for and changed in few words.

use std::io;

use thalweg_messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse, DescribeConfigsResult,
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
