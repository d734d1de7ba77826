//! Heartbeat (key 12), versions 0-4.
//!
//! A member is alive; it hears whether its group has begun to rebalance, or goes on without it.
//!
//! v1 throttle time, v3 members that keep their place (KIP-345), v4 flexible.

use std::sync::Arc;

use thalweg_coordinators::groups;
use thalweg_messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use thalweg_wire::ErrorCode;

use super::{Answer, Api, Close, Request, later, out_of_place};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(12, 0..=4);

/// Takes a request.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: HeartbeatRequest = request.body()?;
    let mut head = request.head.clone();
    let heartbeat = groups::Heartbeat {
        group: body.group_id.clone(),
        generation: body.generation_id,
        member_id: body.member_id,
        instance_id: body.group_instance_id,
    };
    let asking = shared.groups.ask(shared, &body.group_id, groups::Request::Heartbeat(heartbeat)).await;
    Ok(later(head.clone(), async move {
        let answer = match asking {
            Ok(asking) => asking.answer(&mut head.ending).await,
            Err(code) => Err(code),
        };
        let code = match answer {
            Ok(groups::Answer::Heartbeat(outcome)) => {
                outcome.map_or_else(|refusal| refusal.code(), |()| ErrorCode::None)
            }
            Ok(other) => out_of_place(&other),
            Err(code) => code,
        };
        HeartbeatResponse { error_code: code.code(), ..HeartbeatResponse::default() }
    }))
}
