//! DeleteGroups (key 42), versions 0-2.
//!
//! Groups go, with all that they have committed; one that has members is refused.
//!
//! v1 throttle time, v2 flexible.

use std::collections::BTreeSet;
use std::sync::Arc;

use thalweg_coordinators::groups;
use thalweg_messages::delete_groups::{DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse};
use thalweg_wire::ErrorCode;

use super::{Answer, Api, Close, Request, answerable, later, out_of_place};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(42, 0..=2);

/// Takes a request.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: DeleteGroupsRequest = request.body()?;
    let mut head = request.head.clone();
    let mut asked = Vec::with_capacity(body.groups_names.len());
    // Each once: a short name may stand for much.
    let mut seen = BTreeSet::new();
    for group in body.groups_names.into_iter().filter(|group| seen.insert(group.clone())) {
        let asking = shared.groups.ask(shared, &group, groups::Request::DeleteGroup { group: group.clone() }).await;
        asked.push((answerable(group.into())?.into_owned(), asking));
    }
    Ok(later(head.clone(), async move {
        let mut results = Vec::with_capacity(asked.len());
        for (group_id, asking) in asked {
            let answer = match asking {
                Ok(asking) => asking.answer(&mut head.ending).await,
                Err(code) => Err(code),
            };
            let code = match answer {
                Ok(groups::Answer::DeleteGroup(outcome)) => {
                    outcome.map_or_else(|refusal| refusal.code(), |()| ErrorCode::None)
                }
                Ok(other) => out_of_place(&other),
                Err(code) => code,
            };
            results.push(DeletableGroupResult { group_id, error_code: code.code(), ..DeletableGroupResult::default() });
        }
        DeleteGroupsResponse { results, ..DeleteGroupsResponse::default() }
    }))
}
