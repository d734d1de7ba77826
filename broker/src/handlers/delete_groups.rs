//! DeleteGroups (key 42), versions 0-2.
//!
//! Groups go, with all that they have committed; one that has members is refused.
//!
//! v1 throttle time, v2 flexible.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use thalweg_coordinators::groups::{self, Refusal};
use thalweg_messages::delete_groups::{DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse};
use thalweg_wire::ErrorCode;

use super::{Answer, Api, Close, Ending, Request, answerable, later, no_answer};
use crate::broker::Shared;
use crate::budgets::Permit;

/// The versions served.
pub const API: Api = Api::new(42, 0..=2);

/// Takes a request.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: DeleteGroupsRequest = request.body()?;
    let (head, _, permit) = request.into_parts();
    let mut names = Vec::with_capacity(body.groups_names.len());
    // Each once: a short name may stand for much.
    let mut seen = BTreeSet::new();
    for group in body.groups_names.into_iter().filter(|group| seen.insert(group.clone())) {
        names.push(answerable(group.into())?.into_owned());
    }
    let (shared, mut permit) = (shared.clone(), permit);
    Ok(later(head.clone(), async move {
        // Together: each is durable before it is answered.
        // The first takes the permit along.
        let results =
            names.into_iter().map(|name| delete(&shared, name, std::mem::take(&mut permit), head.ending.clone()));
        let results = join_all(results).await;
        DeleteGroupsResponse { results, ..DeleteGroupsResponse::default() }
    }))
}

async fn delete(shared: &Arc<Shared>, group_id: String, permit: Permit, mut ending: Ending) -> DeletableGroupResult {
    let question = groups::Request::DeleteGroup { group: group_id.clone() };
    let code = match shared.groups.ask(shared, &group_id, question, permit, &mut ending).await {
        Ok(groups::Answer::DeleteGroup(outcome)) => outcome.map_or_else(Refusal::code, |()| ErrorCode::None),
        other => no_answer(other),
    };
    DeletableGroupResult { group_id, error_code: code.code(), ..DeletableGroupResult::default() }
}
