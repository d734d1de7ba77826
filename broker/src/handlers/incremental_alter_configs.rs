//! IncrementalAlterConfigs (key 44), versions 0-1.
//!
//! Changes settings of topics, of this broker, and of all brokers (the empty name): one by one, and those of one resource
//! together or not at all. How: [`super::alterations`].
//!
//! v1 flexible.

use std::sync::Arc;

use thalweg_coordinators::cluster::{Intent, Others};
use thalweg_messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};

use super::alterations::{Altered, Asked, Change, alter};
use super::{Api, Close};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(44, 0..=1);

/// Answers.
pub async fn handle(
    shared: &Arc<Shared>,
    request: IncrementalAlterConfigsRequest,
) -> Result<IncrementalAlterConfigsResponse, Close> {
    let intent = if request.validate_only { Intent::ValidateOnly } else { Intent::Change };
    let asked = request.resources.into_iter().map(asked).collect();
    let altered = alter(shared, asked, Others::Keep, intent).await?;
    Ok(IncrementalAlterConfigsResponse { responses: altered.into_iter().map(response).collect(), ..Default::default() })
}

fn asked(resource: AlterConfigsResource) -> Asked {
    let changes = resource.configs.into_iter();
    let changes =
        changes.map(|config| Change { name: config.name, operation: config.config_operation, value: config.value });
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
