//! ListGroups (key 16), versions 0-5.
//!
//! Which groups there are, of all coordinators on this broker.
//!
//! v1 throttle time, v3 flexible, v4 states, to be asked for and told (KIP-518), v5 types (KIP-848).

use std::sync::Arc;

use thalweg_coordinators::groups::{self, Filter, GROUP_TYPE, Listed};
use thalweg_messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};
use thalweg_wire::ErrorCode;

use super::{Answer, Api, Close, Request, gathered, no_answer};
use crate::broker::Shared;
use crate::groups::Gathering;

/// The versions served.
pub const API: Api = Api::new(16, 0..=5);

/// Takes a request.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: ListGroupsRequest = request.body()?;
    let (head, _, permit) = request.into_parts();
    let filter = Filter { states: body.states_filter, types: body.types_filter };
    let mut gathering = Gathering::new(shared.clone(), permit, head.ending.clone());
    Ok(gathered(head, async move {
        let answers = gathering.ask_all(&groups::Request::List(filter)).await;
        let mut listed = Vec::new();
        let mut code = answers.as_ref().map_or_else(|code| *code, |_| ErrorCode::None);
        for answer in answers.unwrap_or_default() {
            match answer {
                groups::Answer::List(groups) => listed.extend(groups),
                other => code = no_answer(Ok(other)),
            }
        }
        let groups = if code == ErrorCode::None { listed.into_iter().map(shown).collect() } else { Vec::new() };
        (ListGroupsResponse { error_code: code.code(), groups, ..ListGroupsResponse::default() }, gathering.turn())
    }))
}

fn shown(listed: Listed) -> ListedGroup {
    ListedGroup {
        group_id: listed.group,
        protocol_type: listed.protocol_type,
        group_state: listed.state.name().to_owned(),
        group_type: GROUP_TYPE.to_owned(),
        ..ListedGroup::default()
    }
}
