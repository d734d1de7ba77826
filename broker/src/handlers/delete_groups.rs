//! DeleteGroups (key 42), versions 0-2.
//!
//! Groups go, with all that they have committed; one that has members is refused.
//!
//! v1 throttle time, v2 flexible.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use thalweg_coordinators::groups::{self, Refusal};
use thalweg_messages::delete_groups::{DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse};
use thalweg_wire::ErrorCode;

use super::{Answer, Api, Close, Ending, Request, answerable, later, no_answer};
use crate::broker::Shared;
use crate::groups::Several;

/// The versions served.
pub const API: Api = Api::new(42, 0..=2);

/// Groups that are asked for at one time: far fewer than fit into a coordinator's inbox.
const TOGETHER: usize = 64;

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
    let shared = shared.clone();
    Ok(later(head.clone(), async move {
        let several = shared.groups.several(permit);
        // Together, for each is durable before it is answered; but a name of a few bytes becomes a question of hundreds.
        let results = names.into_iter().map(|name| delete(&shared, name, &several, head.ending.clone()));
        let results = stream::iter(results).buffered(TOGETHER).collect().await;
        DeleteGroupsResponse { results, ..DeleteGroupsResponse::default() }
    }))
}

async fn delete(
    shared: &Arc<Shared>,
    group_id: String,
    several: &Result<Several, ErrorCode>,
    mut ending: Ending,
) -> DeletableGroupResult {
    let question = groups::Request::DeleteGroup { group: group_id.clone() };
    let told = match several {
        Ok(several) => shared.groups.ask_one_of(several, shared, &group_id, question, &mut ending).await,
        Err(code) => Err(*code),
    };
    let code = match told {
        Ok(groups::Answer::DeleteGroup(outcome)) => outcome.map_or_else(Refusal::code, |()| ErrorCode::None),
        other => no_answer(other),
    };
    DeletableGroupResult { group_id, error_code: code.code(), ..DeletableGroupResult::default() }
}
