//! JoinGroup (key 11), versions 0-9.
//!
//! A member joins the next generation of its group, and is answered when that begins: when all members have come, or the
//! rebalance time-out is over. The leader is told who there is and what each can do; the others are told who leads.
//!
//! v1 the rebalance time-out, v2 throttle time, v4 a new member gets its id first (KIP-394), v5 members that keep their
//! place (KIP-345), v6 flexible, v7 the protocol's type, v8 the reason, v9 a leader may be told to assign nothing.

use std::sync::Arc;
use std::time::Duration;

use thalweg_coordinators::groups::{self, JoinAnswer, JoinDialect, Joined, Refusal};
use thalweg_messages::join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember};
use thalweg_wire::ErrorCode;

use super::{Answer, Api, Close, Request, ask_group, no_answer};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(11, 0..=9);

/// Takes a request; the answer comes when the generation begins.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let JoinGroupRequest {
        group_id,
        session_timeout_ms,
        rebalance_timeout_ms,
        member_id,
        group_instance_id,
        protocol_type,
        protocols,
        ..
    } = request.body()?;
    let (head, _, permit) = request.into_parts();
    let millis = |millis: i32| Duration::from_millis(millis.max(0).unsigned_abs().into());
    let join = groups::JoinGroup {
        group: group_id.clone(),
        member_id: member_id.clone(),
        instance_id: group_instance_id,
        client_id: head.client_id.to_string(),
        client_host: head.client_host(),
        session_timeout: millis(session_timeout_ms),
        rebalance_timeout: millis(if head.version == 0 { session_timeout_ms } else { rebalance_timeout_ms }),
        protocol_type,
        protocols: protocols.into_iter().map(|protocol| (protocol.name, protocol.metadata)).collect(),
        drawn: shared.world.entropy.uuid(),
        dialect: match head.version {
            ..=3 => JoinDialect::Plain,
            4..=8 => JoinDialect::MemberIdFirst,
            _ => JoinDialect::SkipsAssignment,
        },
    };
    let version = head.version;
    Ok(ask_group(shared, head, permit, (group_id, groups::Request::Join(join)), move |told| match told {
        Ok(groups::Answer::Join(JoinAnswer { member_id, outcome })) => outcome.map_or_else(
            |refusal| refused(refusal, &member_id, version),
            |joined| welcomed(joined, &member_id, version),
        ),
        other => refused_with(no_answer(other), member_id, version),
    }))
}

fn welcomed(joined: Joined, member_id: &str, version: i16) -> JoinGroupResponse {
    let members = joined.members.into_iter().map(|member| JoinGroupResponseMember {
        member_id: member.member_id,
        group_instance_id: member.instance_id.filter(|_| version >= 5),
        metadata: member.metadata,
        ..JoinGroupResponseMember::default()
    });
    JoinGroupResponse {
        generation_id: joined.generation,
        protocol_type: Some(joined.protocol_type).filter(|_| version >= 7),
        protocol_name: Some(joined.protocol_name),
        leader: joined.leader,
        skip_assignment: joined.skip_assignment && version >= 9,
        member_id: member_id.to_owned(),
        members: members.collect(),
        ..JoinGroupResponse::default()
    }
}

fn refused(refusal: Refusal, member_id: &str, version: i16) -> JoinGroupResponse {
    refused_with(refusal.code(), member_id.to_owned(), version)
}

fn refused_with(code: ErrorCode, member_id: String, version: i16) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: code.code(),
        generation_id: -1,
        // Null is said from v7 on.
        protocol_name: if version >= 7 { None } else { Some(String::new()) },
        member_id,
        ..JoinGroupResponse::default()
    }
}
