//! AlterConfigs (key 33), versions 0-2.
//!
//! Kafka's older way to change settings of topics, of this broker, and of all brokers (the empty name): a request names
//! all that is to hold of a resource, and what it doesn't name goes back to what holds when nobody says anything. How:
//! [`super::alterations`].
//!
//! v1 throttle time, v2 flexible.

use std::sync::Arc;

use thalweg_coordinators::cluster::{Intent, Others};
use thalweg_messages::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
};

use super::alterations::{Altered, Asked, Change, SET, alter};
use super::{Api, Close};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(33, 0..=2);

/// Answers.
pub async fn handle(shared: &Arc<Shared>, request: AlterConfigsRequest) -> Result<AlterConfigsResponse, Close> {
    let intent = if request.validate_only { Intent::ValidateOnly } else { Intent::Change };
    let asked = request.resources.into_iter().map(asked).collect();
    let altered = alter(shared, asked, Others::Reset, intent).await?;
    Ok(AlterConfigsResponse { responses: altered.into_iter().map(response).collect(), ..Default::default() })
}

fn asked(resource: AlterConfigsResource) -> Asked {
    let changes = resource.configs.into_iter();
    let changes = changes.map(|config| Change { name: config.name, operation: SET, value: config.value });
    Asked { resource_type: resource.resource_type, resource_name: resource.resource_name, changes: changes.collect() }
}

fn response(altered: Altered) -> AlterConfigsResourceResponse {
    AlterConfigsResourceResponse {
        error_code: altered.error_code,
        error_message: altered.error_message,
        resource_type: altered.resource_type,
        resource_name: altered.resource_name,
        ..Default::default()
    }
}
