//! DescribeClientQuotas (key 48), versions 0-1.
//!
//! What clients may take by user, client id and address (KIP-546, KIP-612). There are no quotas here: who asks a question
//! that makes sense gets none, who doesn't is told so in Kafka's words.
//!
//! v1 flexible.

use std::collections::HashSet;

use thalweg_messages::describe_client_quotas::{
    ComponentData, DescribeClientQuotasRequest, DescribeClientQuotasResponse,
};
use thalweg_wire::ErrorCode;

use super::{Api, Close, in_an_answer, resource};

/// The versions served.
pub const API: Api = Api::new(48, 0..=1);

const ADDRESS: &str = "ip";
const USER: &str = "user";
const CLIENT_ID: &str = "client-id";

type Refusal = (ErrorCode, String);

/// Answers.
pub fn handle(request: &DescribeClientQuotasRequest) -> Result<DescribeClientQuotasResponse, Close> {
    resource::check_few(request.components.len(), "components")?;
    let (error_code, error_message, entries) = match check(&request.components) {
        Ok(()) => (0, String::new(), Some(Vec::new())),
        Err((code, message)) => (code.code(), in_an_answer(message), None),
    };
    Ok(DescribeClientQuotasResponse {
        error_code,
        error_message: Some(error_message),
        entries,
        ..DescribeClientQuotasResponse::default()
    })
}

fn check(components: &[ComponentData]) -> Result<(), Refusal> {
    components.iter().try_for_each(check_match)?;
    let mut kinds: HashSet<&str> = HashSet::new();
    for component in components {
        match component.entity_type.as_str() {
            "" => return Err(invalid("Invalid empty entity type.")),
            USER | CLIENT_ID | ADDRESS => {}
            other => return Err((ErrorCode::UnsupportedVersion, format!("Unsupported entity type {other}"))),
        }
        if !kinds.insert(&component.entity_type) {
            let kind = &component.entity_type;
            return Err(invalid(&format!("Entity type {kind} cannot appear more than once in the filter.")));
        }
    }
    if kinds.contains(ADDRESS) && kinds.len() > 1 {
        return Err(invalid(
            "Invalid entity filter component combination. IP filter component should not be used with user or clientId \
             filter component.",
        ));
    }
    Ok(())
}

fn check_match(component: &ComponentData) -> Result<(), Refusal> {
    match (component.match_type, &component.r#match) {
        (0, Some(_)) | (1 | 2, None) => Ok(()),
        (0, None) => Err(invalid("Request specified MATCH_TYPE_EXACT, but set match string to null.")),
        (1, Some(_)) => Err(invalid("Request specified MATCH_TYPE_DEFAULT, but also specified a match string.")),
        (2, Some(_)) => Err(invalid("Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.")),
        (other, _) => Err(invalid(&format!("Unknown match type {other}"))),
    }
}

fn invalid(message: &str) -> Refusal {
    (ErrorCode::InvalidRequest, message.to_owned())
}
