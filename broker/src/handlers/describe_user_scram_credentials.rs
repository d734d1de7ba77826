//! DescribeUserScramCredentials (key 50), version 0.
//!
//! How users prove who they are by SCRAM (KIP-554), never with what. There are no users here: who asks for all (null, or
//! none named) gets nobody, who names some is told of each that it isn't there.

use std::collections::BTreeMap;

use thalweg_messages::describe_user_scram_credentials::{
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse, DescribeUserScramCredentialsResult,
};
use thalweg_wire::ErrorCode;

use super::{Api, Close, answerable, in_an_answer, resource};

/// The versions served.
pub const API: Api = Api::new(50, 0..=0);

/// Answers.
pub fn handle(request: DescribeUserScramCredentialsRequest) -> Result<DescribeUserScramCredentialsResponse, Close> {
    let named = request.users.unwrap_or_default();
    resource::check_few(named.len(), "users")?;
    let mut users = BTreeMap::<String, usize>::new();
    for user in named {
        *users.entry(answerable(user.name.into())?.into_owned()).or_default() += 1;
    }
    let results = users.into_iter().map(|(user, times)| {
        let (code, message) = match times {
            1 => {
                let message = format!("Attempt to describe a user credential that does not exist: {user}");
                (ErrorCode::ResourceNotFound, message)
            }
            _ => {
                let message =
                    format!("Cannot describe SCRAM credentials for the same user twice in a single request: {user}");
                (ErrorCode::DuplicateResource, message)
            }
        };
        DescribeUserScramCredentialsResult {
            error_code: code.code(),
            error_message: Some(in_an_answer(message)),
            user,
            ..DescribeUserScramCredentialsResult::default()
        }
    });
    Ok(DescribeUserScramCredentialsResponse {
        error_message: Some(String::new()),
        results: results.collect(),
        ..DescribeUserScramCredentialsResponse::default()
    })
}
