//! SyncGroup (key 14), versions 0-5.
//!
//! A member fetches its part of the generation; the leader brings what it has assigned. Others are answered when it has.
//!
//! v1 throttle time, v3 members that keep their place (KIP-345), v4 flexible, v5 both sides name the protocol (KIP-559).

use std::sync::Arc;

use thalweg_coordinators::groups::{self, Synced};
use thalweg_messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
use thalweg_wire::ErrorCode;

use super::{Answer, Api, Close, Request, ask_group, no_answer};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(14, 0..=5);

/// From this version on a member has to name what it takes for the group's protocol.
const PROTOCOL_FROM: i16 = 5;

/// Takes a request; the answer comes when the leader has assigned.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: SyncGroupRequest = request.body()?;
    let (head, _, permit) = request.into_parts();
    if head.version >= PROTOCOL_FROM && (body.protocol_type.is_none() || body.protocol_name.is_none()) {
        return Ok(Answer::Now(head.answer(&refused(ErrorCode::InconsistentGroupProtocol))?.into()));
    }
    let sync = groups::SyncGroup {
        group: body.group_id.clone(),
        generation: body.generation_id,
        member_id: body.member_id,
        instance_id: body.group_instance_id,
        protocol_type: body.protocol_type,
        protocol_name: body.protocol_name,
        assignments: body.assignments.into_iter().map(|one| (one.member_id, one.assignment)).collect(),
    };
    let version = head.version;
    Ok(ask_group(shared, head, permit, (body.group_id, groups::Request::Sync(sync)), move |told| match told {
        Ok(groups::Answer::Sync(Ok(synced))) => assigned(synced, version),
        Ok(groups::Answer::Sync(Err(refusal))) => refused(refusal.code()),
        // As Kafka says it while it loads: clients know no other answer to a sync that makes them come again.
        Err(ErrorCode::CoordinatorLoadInProgress) => refused(ErrorCode::RebalanceInProgress),
        other => refused(no_answer(other)),
    }))
}

fn assigned(synced: Synced, version: i16) -> SyncGroupResponse {
    SyncGroupResponse {
        protocol_type: Some(synced.protocol_type).filter(|_| version >= 5),
        protocol_name: Some(synced.protocol_name).filter(|_| version >= 5),
        assignment: synced.assignment,
        ..SyncGroupResponse::default()
    }
}

fn refused(code: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse {
        error_code: code.code(),
        protocol_type: None,
        protocol_name: None,
        ..SyncGroupResponse::default()
    }
}
