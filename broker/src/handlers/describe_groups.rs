//! DescribeGroups (key 15), versions 0-6.
//!
//! What groups are like now: their state, their protocol, their members and what each reads. Groups for which the answer
//! has no room are to be asked for again (COORDINATOR_LOAD_IN_PROGRESS), as clients do. Who names more groups than an
//! answer can name again gets none.
//!
//! v1 throttle time, v3 the client's rights, v4 members that keep their place, v5 flexible, v6 a group that isn't there is
//! an error (KIP-1043).

use std::collections::BTreeSet;
use std::sync::Arc;

use thalweg_coordinators::groups::{self, Described, Refusal};
use thalweg_messages::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};
use thalweg_wire::ErrorCode;

use super::{Answer, Api, Close, Request, answerable, gathered, in_an_answer, no_answer};
use crate::broker::Shared;
use crate::groups::Gathering;

/// The versions served.
pub const API: Api = Api::new(15, 0..=6);

/// From this version on a group that isn't there is an error.
const MISSING_FROM: i16 = 6;

/// Takes a request.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: DescribeGroupsRequest = request.body()?;
    let (head, _, permit) = request.into_parts();
    let gathering = Gathering::new(shared.clone(), permit, head.ending.clone()).naming(&body.groups);
    let mut gathering = gathering.ok_or("a DescribeGroups of more groups than an answer has room for")?;
    let mut names = Vec::with_capacity(body.groups.len());
    // Each once: a short name may stand for much.
    let mut seen = BTreeSet::new();
    for group in body.groups.into_iter().filter(|group| seen.insert(group.clone())) {
        names.push(answerable(group.into())?.into_owned());
    }
    Ok(gathered(head.clone(), async move {
        let mut groups = Vec::with_capacity(names.len());
        for group in names {
            let describe = groups::Request::Describe { group: group.clone() };
            groups.push(match gathering.ask(&group, describe).await {
                Ok(groups::Answer::Describe(Ok(described))) => shown(group, described),
                Ok(groups::Answer::Describe(Err(Refusal::NoSuchGroup))) => dead(group, head.version),
                Ok(groups::Answer::Describe(Err(refusal))) => refused(group, refusal.code()),
                other => refused(group, no_answer(other)),
            });
        }
        (DescribeGroupsResponse { groups, ..DescribeGroupsResponse::default() }, gathering.turn())
    }))
}

fn shown(group_id: String, described: Described) -> DescribedGroup {
    let members = described.members.into_iter().map(|member| DescribedGroupMember {
        member_id: member.member_id,
        group_instance_id: member.instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
        member_metadata: member.metadata,
        member_assignment: member.assignment,
        ..DescribedGroupMember::default()
    });
    DescribedGroup {
        group_id,
        group_state: described.state.name().to_owned(),
        protocol_type: described.protocol_type,
        protocol_data: described.protocol_name,
        members: members.collect(),
        ..DescribedGroup::default()
    }
}

fn dead(group_id: String, version: i16) -> DescribedGroup {
    let is_error = version >= MISSING_FROM;
    DescribedGroup {
        error_code: if is_error { ErrorCode::GroupIdNotFound.code() } else { 0 },
        error_message: is_error.then(|| in_an_answer(format!("Group {group_id} not found."))),
        group_id,
        group_state: "Dead".to_owned(),
        ..DescribedGroup::default()
    }
}

fn refused(group_id: String, code: ErrorCode) -> DescribedGroup {
    DescribedGroup { error_code: code.code(), group_id, ..DescribedGroup::default() }
}
