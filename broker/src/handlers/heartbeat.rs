//! Heartbeat (key 12), versions 0-4.
//!
//! A member is alive; it hears whether its group has begun to rebalance, or goes on without it.
//!
//! v1 throttle time, v3 members that keep their place (KIP-345), v4 flexible.

use std::sync::Arc;

use thalweg_coordinators::groups::{self, Refusal};
use thalweg_messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use thalweg_wire::ErrorCode;

use super::{Answer, Api, Close, Request, ask_group, no_answer};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(12, 0..=4);

/// Takes a request.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: HeartbeatRequest = request.body()?;
    let (head, _, permit) = request.into_parts();
    let heartbeat = groups::Heartbeat {
        group: body.group_id.clone(),
        generation: body.generation_id,
        member_id: body.member_id,
        instance_id: body.group_instance_id,
    };
    let question = (body.group_id, groups::Request::Heartbeat(heartbeat));
    Ok(ask_group(shared, head, permit, question, |told| {
        let code = match told {
            Ok(groups::Answer::Heartbeat(outcome)) => outcome.map_or_else(Refusal::code, |()| ErrorCode::None),
            // As Kafka says it while it loads. Clients take any other answer for the end of their membership, or look for
            // another coordinator, and here nothing has ended.
            Err(ErrorCode::CoordinatorLoadInProgress) => ErrorCode::None,
            other => no_answer(other),
        };
        HeartbeatResponse { error_code: code.code(), ..HeartbeatResponse::default() }
    }))
}
