//! UpdateFeatures (key 57), versions 0-2.
//!
//! Changes the level of a feature for the whole cluster (KIP-584): all that a request names, or none. The only feature
//! here is `metadata.version`, and it is at its one level that makes sense: what asks for that is done, all else is
//! refused in Kafka's order and words (`FeatureControlManager`).
//!
//! v1 kinds of updates, and only to see (KIP-778), v2 one error for all.

use thalweg_messages::update_features::{
    FeatureUpdateKey, UpdatableFeatureResult, UpdateFeaturesRequest, UpdateFeaturesResponse,
};
use thalweg_wire::{BrokerId, ErrorCode};

use super::api_versions::{METADATA_VERSION, METADATA_VERSION_NAME};
use super::{Api, Close, in_an_answer, resource};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(57, 0..=2);

/// Kinds of updates.
const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;
const UNSAFE_DOWNGRADE: i8 = 3;

/// Answers.
pub fn handle(shared: &Shared, request: UpdateFeaturesRequest) -> Result<UpdateFeaturesResponse, Close> {
    resource::check_few(request.feature_updates.len(), "features")?;
    let refused = request.feature_updates.iter().find_map(|update| check(shared.settings.node, update).err());
    if let Some(reason) = refused {
        let message = format!("The update failed for all features since the following feature had an error: {reason}");
        return Ok(UpdateFeaturesResponse {
            error_code: ErrorCode::InvalidUpdateVersion.code(),
            error_message: Some(in_an_answer(message)),
            ..UpdateFeaturesResponse::default()
        });
    }
    let results = request.feature_updates.into_iter().map(|update| UpdatableFeatureResult {
        feature: update.feature,
        error_message: Some("NONE".to_owned()),
        ..UpdatableFeatureResult::default()
    });
    Ok(UpdateFeaturesResponse { results: results.collect(), error_message: None, ..Default::default() })
}

fn check(node: BrokerId, update: &FeatureUpdateKey) -> Result<(), String> {
    let FeatureUpdateKey { feature, max_version_level: level, upgrade_type, .. } = update;
    let (lowest, current) = METADATA_VERSION;
    let reason = match *upgrade_type {
        _ if *level < 0 => "A feature version cannot be less than 0.".to_owned(),
        kind if !(UPGRADE..=UNSAFE_DOWNGRADE).contains(&kind) => {
            "The controller does not support the given upgrade type.".to_owned()
        }
        _ if feature != METADATA_VERSION_NAME && *level == 0 => format!("Feature {feature} not found."),
        _ if feature != METADATA_VERSION_NAME => format!("Local controller {node} does not support this feature."),
        _ if !(lowest..=current).contains(level) => {
            format!("Local controller {node} only supports versions {lowest}-{current}")
        }
        _ if *level == current => return Ok(()),
        UPGRADE => {
            "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe \
                    downgrade."
                .to_owned()
        }
        kind => {
            let why = match kind {
                SAFE_DOWNGRADE => {
                    "Refusing to perform the requested downgrade because it might delete metadata information."
                }
                _ => "Unsafe metadata downgrade is not supported in this version.",
            };
            return Err(format!("Unsupported {feature} downgrade from {current} to {level}. {why}"));
        }
    };
    Err(format!("Invalid update version {level} for feature {feature}. {reason}"))
}
