//! LeaveGroup (key 13), versions 0-5.
//!
//! Members go at once, instead of after their session: the others share what they had. From v3 on an administrator may
//! send members away, those that keep their place by their instance.
//!
//! v1 throttle time, v3 many members (KIP-345), v4 flexible, v5 the reason.

use std::sync::Arc;

use thalweg_coordinators::groups::{self, Leaver, Left};
use thalweg_messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberResponse};
use thalweg_wire::ErrorCode;

use super::{Answer, Api, Close, Request, ask_group, no_answer};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(13, 0..=5);

/// From this version on there are many members in a request.
const LISTS_FROM: i16 = 3;

/// Takes a request.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: LeaveGroupRequest = request.body()?;
    let (head, _, permit) = request.into_parts();
    let members = if head.version >= LISTS_FROM {
        let leaver = |member: thalweg_messages::leave_group::MemberIdentity| Leaver {
            member_id: member.member_id,
            instance_id: member.group_instance_id,
        };
        body.members.into_iter().map(leaver).collect()
    } else {
        vec![Leaver { member_id: body.member_id, instance_id: None }]
    };
    let leave = groups::LeaveGroup { group: body.group_id.clone(), members };
    let version = head.version;
    Ok(ask_group(shared, head, permit, (body.group_id, groups::Request::Leave(leave)), move |told| match told {
        Ok(groups::Answer::Leave(Ok(left))) => gone(left, version),
        Ok(groups::Answer::Leave(Err(refusal))) => refused(refusal.code()),
        other => refused(no_answer(other)),
    }))
}

fn gone(left: Vec<Left>, version: i16) -> LeaveGroupResponse {
    let code = |outcome: &Result<(), groups::Refusal>| outcome.map_or_else(|refusal| refusal.code().code(), |()| 0);
    if version < LISTS_FROM {
        let error_code = left.first().map_or(0, |left| code(&left.outcome));
        return LeaveGroupResponse { error_code, ..LeaveGroupResponse::default() };
    }
    let members = left.into_iter().map(|left| MemberResponse {
        error_code: code(&left.outcome),
        member_id: left.member_id,
        group_instance_id: left.instance_id,
        ..MemberResponse::default()
    });
    LeaveGroupResponse { members: members.collect(), ..LeaveGroupResponse::default() }
}

fn refused(code: ErrorCode) -> LeaveGroupResponse {
    LeaveGroupResponse { error_code: code.code(), ..LeaveGroupResponse::default() }
}
