//! A group that has members, or is about to: its phases, and what drives it from one to the next.
//!
//! ```text
//!  Empty ── the first joins ──▶ Preparing ── all have joined, or time is up ──▶ Completing ── the leader assigns ──▶ Stable
//!    ▲                          │      ▲                                          │                                   │
//!    └── nobody is left ────────┘      └── somebody joins, changes, leaves, is silent for too long ◀──────────────────┘
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use thalweg_messages::group_log::GroupMetadataValue;
use thalweg_wire::{Moment, Timestamp};

use super::members::{Introduction, Member, Members};
use super::pending::Pending;
use super::subscription::{named_topics, subscribed_topics};
use super::turn::Turn;
use super::{JoinAnswer, Joined, JoinedMember, Refusal, State, weight};

/// A new member doesn't know its id yet and can't send heartbeats: so long its JoinGroup may wait.
const NEWCOMER_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// The kind of groups whose members say in their protocols which topics they read.
pub(super) const CONSUMER: &str = "consumer";

#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: Arc<str>,
    pub(super) phase: Phase,
    pub(super) generation: i32,
    pub(super) protocol_type: Option<String>,
    pub(super) protocol: Option<String>,
    pub(super) leader: Option<Arc<str>>,
    pub(super) members: Members,
    pub(super) pending: Pending,
    /// Since when it is in its state.
    pub(super) since: Timestamp,
    /// What the members of the generation read, as far as they let us know.
    pub(super) subscribed: Option<BTreeSet<String>>,
    /// No deadline of the group is before this.
    pub(super) wake: Option<Moment>,
    /// The wake that the coordinator has noted.
    pub(super) noted: Option<Moment>,
    /// The bytes that the coordinator has counted.
    pub(super) counted: usize,
}

/// Where a group stands, and until when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Empty,
    /// The first members of an empty group wait for others.
    Gathering {
        until: Moment,
        /// How long the wait may be made in all, from then on.
        left: Duration,
        /// Somebody came since the wait began.
        grew: bool,
    },
    /// Members are to join the next generation.
    Preparing {
        until: Moment,
    },
    /// The leader is to assign, all are to ask for their part.
    Completing {
        until: Moment,
    },
    /// The leader has assigned. Who has not asked for its part in time is out.
    Stable {
        until: Option<Moment>,
    },
}

impl Group {
    /// A group without members, as it was stored, if it was.
    pub(super) fn new(name: Arc<str>, stored: Option<&GroupMetadataValue>, since: Timestamp) -> Group {
        let protocol_type = stored.map(|value| value.protocol_type.clone()).filter(|kind| !kind.is_empty());
        Group {
            name,
            phase: Phase::Empty,
            generation: stored.map_or(0, |value| value.generation),
            protocol_type,
            protocol: None,
            leader: None,
            members: Members::default(),
            pending: Pending::default(),
            since: stored.map_or(since, |value| Timestamp::from_millis(value.current_state_timestamp)),
            subscribed: None,
            wake: None,
            noted: None,
            counted: 0,
        }
    }

    /// The group of a generation that was stored, with its members in it.
    pub(super) fn restore(name: Arc<str>, value: &GroupMetadataValue, now: Moment) -> Group {
        let mut group = Group::new(name, Some(value), Timestamp::NONE);
        for stored in &value.members {
            let instance: Option<Arc<str>> = stored.group_instance_id.as_deref().map(Arc::from);
            let taken = instance.as_deref().is_some_and(|instance| group.members.of_instance(instance).is_some());
            if taken || group.members.find(&stored.member_id).is_some() {
                continue; // Nobody writes that. If somebody did, the first one counts.
            }
            let millis = |millis: i32| u64::try_from(millis).ok().map(Duration::from_millis);
            let session_timeout = millis(stored.session_timeout).unwrap_or_default();
            let protocols: Vec<_> =
                value.protocol.iter().map(|name| (name.clone(), stored.subscription.clone())).collect();
            let said = Introduction {
                client_id: stored.client_id.clone(),
                client_host: stored.client_host.clone(),
                session_timeout,
                rebalance_timeout: millis(stored.rebalance_timeout).unwrap_or(session_timeout),
                topics: named_topics(&value.protocol_type, &protocols),
                protocols,
            };
            let mut member = Member::new(Arc::from(stored.member_id.as_str()), instance, said);
            member.newcomer = false;
            let member = member.with_assignment(stored.assignment.clone());
            let id = member.id.clone();
            group.members.insert(member);
            group.hear(&id, now);
        }
        if !group.members.is_empty() {
            group.phase = Phase::Stable { until: None };
            group.protocol = value.protocol.clone();
            let leader = value.leader.as_deref().and_then(|id| group.members.find(id));
            let leader = leader.or_else(|| group.members.first_where(|_| true));
            group.leader = leader.map(|member| member.id.clone());
            group.subscribed = group.subscriptions();
        }
        group
    }

    pub(super) fn state(&self) -> State {
        match self.phase {
            Phase::Empty => State::Empty,
            Phase::Gathering { .. } | Phase::Preparing { .. } => State::PreparingRebalance,
            Phase::Completing { .. } => State::CompletingRebalance,
            Phase::Stable { .. } => State::Stable,
        }
    }

    /// Nobody is here, and what is to be known of it is stored.
    pub(super) fn is_vacant(&self) -> bool {
        self.phase == Phase::Empty && self.members.is_empty() && self.pending.is_empty()
    }

    /// What it takes in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        weight::live_group(&self.name, self.protocol_type.as_deref()) + self.members.bytes() + self.pending.bytes()
    }

    /// The same, counted anew.
    pub(super) fn recounted(&self) -> usize {
        let own = weight::live_group(&self.name, self.protocol_type.as_deref());
        own + self.members.recounted() + self.pending.recounted()
    }

    /// By how much it has grown in this turn.
    pub(super) fn growth(&self) -> usize {
        self.bytes().saturating_sub(self.counted)
    }

    pub(super) fn is_leader(&self, id: &str) -> bool {
        self.leader.as_deref() == Some(id)
    }

    pub(super) fn reads(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            // Members of this kind read something, if we only knew what.
            None => !self.members.is_empty() && self.protocol_type.as_deref() == Some(CONSUMER),
        }
    }

    /// Whether somebody is who it says it is.
    pub(super) fn check_member(&self, id: &str, instance_id: Option<&str>) -> Result<(), Refusal> {
        if let Some(instance) = instance_id {
            match self.members.of_instance(instance) {
                None => return Err(Refusal::UnknownMember),
                Some(holder) if **holder != *id => return Err(Refusal::FencedInstance),
                Some(_) => {}
            }
        }
        self.members.find(id).map(|_| ()).ok_or(Refusal::UnknownMember)
    }

    /// A member was heard of: its session begins anew.
    pub(super) fn hear(&mut self, id: &str, now: Moment) {
        let Some(member) = self.members.find_mut(id) else { return };
        let timeout = if member.newcomer { NEWCOMER_TIMEOUT } else { member.session_timeout };
        let expires = now + timeout;
        member.expires = expires;
        self.wake_by(expires);
    }

    pub(super) fn wake_by(&mut self, deadline: Moment) {
        self.wake = Some(self.wake.map_or(deadline, |wake| wake.min(deadline)));
    }

    pub(super) fn enter(&mut self, turn: &Turn<'_>, phase: Phase) {
        let before = self.state();
        self.phase = phase;
        if self.state() != before {
            self.since = turn.now.timestamp;
        }
        self.deadline_of_phase().into_iter().for_each(|until| self.wake_by(until));
    }

    /// The present generation, as it is told to a member.
    pub(super) fn joined(&self, id: &str) -> JoinAnswer {
        let members = if self.is_leader(id) { self.joined_members() } else { Vec::new() };
        let joined = Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol_name: self.protocol.clone().unwrap_or_default(),
            leader: self.leader.as_deref().unwrap_or_default().to_owned(),
            skip_assignment: false,
            members,
        };
        JoinAnswer { member_id: id.to_owned(), outcome: Ok(joined) }
    }

    fn joined_members(&self) -> Vec<JoinedMember> {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let joined = |member: &Member| JoinedMember {
            member_id: member.id.to_string(),
            instance_id: member.instance_id.as_deref().map(str::to_owned),
            metadata: member.metadata(protocol),
        };
        self.members.in_order().into_iter().map(joined).collect()
    }

    pub(super) fn deadline_of_phase(&self) -> Option<Moment> {
        match self.phase {
            Phase::Empty => None,
            Phase::Gathering { until, .. } | Phase::Preparing { until } | Phase::Completing { until } => Some(until),
            Phase::Stable { until } => until,
        }
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        let sessions = self.members.iter().filter(|member| !member.is_excused()).map(|member| member.expires);
        sessions.chain(self.pending.deadline()).chain(self.deadline_of_phase()).min()
    }

    pub(super) fn subscriptions(&self) -> Option<BTreeSet<String>> {
        let protocol = self.protocol.as_deref().filter(|_| self.protocol_type.as_deref() == Some(CONSUMER))?;
        subscribed_topics(self.members.iter().map(|member| member.metadata(protocol)))
    }
}
