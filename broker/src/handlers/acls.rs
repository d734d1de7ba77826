//! DescribeAcls (key 29), CreateAcls (key 30) and DeleteAcls (key 31), versions 1-3 of each.
//!
//! Who may do what. There is no authorizer here, so there are no rules: everybody may do everything that they can reach.
//! The answers are those of a Kafka without one.
//!
//! v2 flexible, v3 the resources of users (KIP-373).

use thalweg_messages::create_acls::{AclCreationResult, CreateAclsRequest, CreateAclsResponse};
use thalweg_messages::delete_acls::{DeleteAclsFilterResult, DeleteAclsRequest, DeleteAclsResponse};
use thalweg_messages::describe_acls::{DescribeAclsRequest, DescribeAclsResponse};
use thalweg_wire::ErrorCode;

use super::{Api, Close, resource};

/// The versions served of DescribeAcls.
pub const DESCRIBE: Api = Api::new(29, 1..=3);
/// The versions served of CreateAcls.
pub const CREATE: Api = Api::new(30, 1..=3);
/// The versions served of DeleteAcls.
pub const DELETE: Api = Api::new(31, 1..=3);

const NO_AUTHORIZER: i16 = ErrorCode::SecurityDisabled.code();

/// Answers DescribeAcls.
pub fn describe(_: &DescribeAclsRequest) -> DescribeAclsResponse {
    DescribeAclsResponse {
        error_code: NO_AUTHORIZER,
        error_message: Some("No Authorizer is configured on the broker".to_owned()),
        ..DescribeAclsResponse::default()
    }
}

/// Answers CreateAcls.
pub fn create(request: &CreateAclsRequest) -> Result<CreateAclsResponse, Close> {
    resource::check_few(request.creations.len(), "rules")?;
    let refused =
        || AclCreationResult { error_code: NO_AUTHORIZER, error_message: Some(message()), ..Default::default() };
    let results = request.creations.iter().map(|_| refused()).collect();
    Ok(CreateAclsResponse { results, ..CreateAclsResponse::default() })
}

/// Answers DeleteAcls.
pub fn delete(request: &DeleteAclsRequest) -> Result<DeleteAclsResponse, Close> {
    resource::check_few(request.filters.len(), "filters")?;
    let refused =
        || DeleteAclsFilterResult { error_code: NO_AUTHORIZER, error_message: Some(message()), ..Default::default() };
    let filter_results = request.filters.iter().map(|_| refused()).collect();
    Ok(DeleteAclsResponse { filter_results, ..DeleteAclsResponse::default() })
}

fn message() -> String {
    "No Authorizer is configured.".to_owned()
}
