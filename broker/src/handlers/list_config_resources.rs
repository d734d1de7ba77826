//! ListConfigResources (key 74), versions 0-1.
//!
//! The names of what can have settings: topics, brokers, their loggers. Subscriptions of client metrics and groups have
//! none here, so none is listed.
//!
//! v0 was ListClientMetricsResources and asks for those alone (KIP-1000); v1 asks by kind (KIP-1142).

use std::collections::BTreeSet;

use thalweg_messages::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use thalweg_wire::ErrorCode;

use super::Api;
use super::resource::ResourceKind;
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(74, 0..=1);

/// Every kind; no kind at all asks for all.
const KINDS: [i8; 5] = [2, 4, 8, 16, 32];
const CLIENT_METRICS: [i8; 1] = [16];

/// Answers.
pub fn handle(shared: &Shared, request: &ListConfigResourcesRequest, version: i16) -> ListConfigResourcesResponse {
    let asked: &[i8] = match request.resource_types.as_slice() {
        _ if version == 0 => &CLIENT_METRICS,
        [] => &KINDS,
        some => some,
    };
    let mut config_resources = Vec::new();
    for resource_type in asked.iter().copied().collect::<BTreeSet<i8>>() {
        let named =
            |name: &str| ConfigResource { resource_name: name.to_owned(), resource_type, ..ConfigResource::default() };
        match ResourceKind::of(resource_type) {
            Ok(ResourceKind::Topic) => {
                config_resources.extend(shared.cluster.image().topics().map(|topic| named(topic.name())));
            }
            Ok(ResourceKind::Broker | ResourceKind::BrokerLogger) => {
                config_resources.push(named(&shared.settings.node.to_string()));
            }
            Ok(ResourceKind::ClientMetrics | ResourceKind::Group) => {}
            Err(_) => {
                let error_code = ErrorCode::UnsupportedVersion.code();
                return ListConfigResourcesResponse { error_code, ..ListConfigResourcesResponse::default() };
            }
        }
    }
    ListConfigResourcesResponse { config_resources, ..ListConfigResourcesResponse::default() }
}
