//! ApiVersions (key 18), versions 0-4.
//!
//! What this broker serves, so that a client can choose. The first request of most connections, and the only one that is
//! answered at a version nobody knows: error 35 in the form of version 0, naming only ApiVersions itself (KIP-511).
//!
//! v3 flexible body (the response's header never is), the client's software name and version, features. v4 features
//! whose smallest version is 0.

use thalweg_messages::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeature, SupportedFeature,
};
use thalweg_wire::ErrorCode;
use thalweg_wire::codec::Encoded;

use super::{Api, Close, Request, SERVED};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(18, 0..=4);

/// Kafka 4.3's `metadata.version`: 7 (3.3-IV3) to 30 (4.3-IV0).
pub(super) const METADATA_VERSION: (i16, i16) = (7, 30);
pub(super) const METADATA_VERSION_NAME: &str = "metadata.version";

/// The longest prefix of a version that has features.
const FEATURES_FROM: i16 = 3;

/// Answers.
pub fn handle(shared: &Shared, request: &Request) -> Result<Encoded, Close> {
    let head = &request.head;
    if !API.versions.contains(&head.version) {
        let only_itself = listed().filter(|version| version.api_key == API.key).collect();
        let response = ApiVersionsResponse {
            error_code: ErrorCode::UnsupportedVersion.code(),
            api_keys: only_itself,
            ..ApiVersionsResponse::default()
        };
        return head.answer_at(0, &response);
    }
    let body: ApiVersionsRequest = request.body()?;
    let named = head.version < FEATURES_FROM
        || (is_software_name(&body.client_software_name) && is_software_name(&body.client_software_version));
    if !named {
        let response =
            ApiVersionsResponse { error_code: ErrorCode::InvalidRequest.code(), ..ApiVersionsResponse::default() };
        return head.answer(&response);
    }
    let mut response = ApiVersionsResponse { api_keys: listed().collect(), ..ApiVersionsResponse::default() };
    if head.version >= FEATURES_FROM {
        let (min_version, max_version) = METADATA_VERSION;
        let name = METADATA_VERSION_NAME.to_owned();
        response.supported_features.push(SupportedFeature {
            name: name.clone(),
            min_version,
            max_version,
            ..Default::default()
        });
        response.finalized_features.push(FinalizedFeature {
            name,
            min_version_level: max_version,
            max_version_level: max_version,
            ..FinalizedFeature::default()
        });
        response.finalized_features_epoch = shared.cluster.applied_index();
    }
    head.answer(&response)
}

fn listed() -> impl Iterator<Item = ApiVersion> {
    SERVED.iter().filter_map(|api| {
        let advertised = api.advertised.as_ref()?;
        Some(ApiVersion {
            api_key: api.key,
            min_version: *advertised.start(),
            max_version: *advertised.end(),
            ..ApiVersion::default()
        })
    })
}

/// KIP-511: letters and digits at both ends, `-` and `.` between.
fn is_software_name(name: &str) -> bool {
    let alphanumeric = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    alphanumeric(name.bytes().next())
        && alphanumeric(name.bytes().next_back())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_software_name_begins_and_ends_with_a_letter_or_digit() {
        for good in ["librdkafka", "2.16.0", "a", "apache-kafka-java"] {
            assert!(is_software_name(good), "{good}");
        }
        for bad in ["", "-a", "a.", "a b", "ä", "a/b"] {
            assert!(!is_software_name(bad), "{bad}");
        }
    }

    #[test]
    fn produce_is_listed_from_version_zero_though_it_is_served_from_three() {
        // KAFKA-18659: librdkafka gives up compression otherwise.
        let produce = listed().find(|version| version.api_key == 0).unwrap();
        assert_eq!((produce.min_version, produce.max_version), (0, 13));
        assert!(SERVED.is_sorted_by_key(|api| api.key));
    }
}
