//! DescribeGroups, ListGroups and DeleteGroups: groups as an administrator sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::AnswerRoom;
use super::group::{Group, Phase};
use super::members::Member;
use super::stored::StoredGroup;
use super::turn::{Look, Turn};
use super::{Described, DescribedMember, Filter, GROUP_TYPE, Listed, Refusal, State, Stored, records};

/// A group as it is; one without members is described by what is stored of it.
pub(super) fn describe(stored: Option<&StoredGroup>, live: Option<&Group>) -> Result<Described, Refusal> {
    let Some(group) = live.filter(|group| group.phase != Phase::Empty) else {
        if stored.is_none() && live.is_none() {
            return Err(Refusal::NoSuchGroup);
        }
        return Ok(Described {
            state: State::Empty,
            protocol_type: stored.map(StoredGroup::protocol_type).unwrap_or_default().to_owned(),
            protocol_name: String::new(),
            members: Vec::new(),
        });
    };
    // Until the next generation stands, members still have what they had.
    let protocol = group.protocol.as_deref().filter(|_| group.state() == State::Stable);
    let members = group.members.in_order().into_iter().map(|member| described(member, protocol)).collect();
    Ok(Described {
        state: group.state(),
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        protocol_name: protocol.unwrap_or_default().to_owned(),
        members,
    })
}

fn described(member: &Member, protocol: Option<&str>) -> DescribedMember {
    DescribedMember {
        member_id: member.id.to_string(),
        instance_id: member.instance_id.as_deref().map(str::to_owned),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        metadata: protocol.map(|protocol| member.metadata(protocol)).unwrap_or_default(),
        assignment: member.assignment().clone(),
    }
}

/// The groups that a filter lets through, by their names; `None` where there is no room to name them.
pub(super) fn list(
    stored: &Stored,
    live: &BTreeMap<Arc<str>, Group>,
    filter: &Filter,
    mut room: AnswerRoom,
) -> Option<Vec<Listed>> {
    let lets = |words: &[String], word: &str| words.is_empty() || words.iter().any(|w| w.eq_ignore_ascii_case(word));
    if !lets(&filter.types, GROUP_TYPE) {
        return Some(Vec::new());
    }
    let names: BTreeSet<&Arc<str>> = stored.groups().map(|(name, _)| name).chain(live.keys()).collect();
    let groups = names.into_iter().filter_map(|name| {
        let state = live.get(name).map_or(State::Empty, Group::state);
        let known = stored.group(name).map(StoredGroup::protocol_type);
        let kind = live.get(name).and_then(|group| group.protocol_type.as_deref()).or(known);
        let listed = || Listed { group: name.to_string(), protocol_type: kind.unwrap_or_default().to_owned(), state };
        lets(&filter.states, state.name()).then(listed)
    });
    groups.map(|listed| room.take(listed.bytes()).map(|()| listed)).collect()
}

/// A group goes, unless it has members. Its offsets first: what is left, should the log or the decision end in between, is a
/// group.
pub(super) fn delete(turn: &mut Turn<'_>, name: &str, live: Option<&Group>) -> Result<Look, Refusal> {
    if live.is_some_and(|group| group.phase != Phase::Empty) {
        return Err(Refusal::NotEmpty);
    }
    let Some(stored) = turn.stored.group(name) else {
        return live.map(|_| Look::Whole).ok_or(Refusal::NoSuchGroup);
    };
    for (topic, index, _) in stored.partitions() {
        if turn.forget_offset(name, topic, index) == Look::Cut {
            return Ok(Look::Cut);
        }
    }
    turn.records.extend(stored.generation.iter().map(|_| records::no_generation(name)));
    Ok(Look::Whole)
}
