//! How a member comes into its group: it asks to be in, shares out if it leads, and takes what it is given.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use thalweg_messages::join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember};
use thalweg_messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use thalweg_wire::ErrorCode;

use super::waiting::{Heed, Interrupt};
use super::{Had, Membership, Partition, Verdict};
use crate::group::protocol;

/// What consumers call what they say to each other.
const PROTOCOL_TYPE: &str = "consumer";

/// How often it joins again because it can't read what it is given; then that won't change.
const UNREADABLE_MAX: u32 = 8;

/// How much longer than the group itself a member waits for the group to come together.
const JOIN_SLACK: Duration = Duration::from_secs(5);

impl Membership {
    /// Asks to be in the group, until it is.
    pub(super) async fn join(&mut self) -> Result<JoinGroupResponse, Interrupt> {
        let mut backoff = self.coordination.client.backoff();
        loop {
            (self.wants_rejoin, self.has_freed, self.pulse.flight) = (false, false, None);
            let request = self.join_request();
            let patience = self.options.poll_interval_max.saturating_add(JOIN_SLACK);
            let (coordination, purpose) = (self.coordination.clone(), self.purpose);
            let asked = async move { coordination.ask(purpose, patience, |_| request, i16::MAX).await };
            match self.unless_left(asked).await? {
                Err(error) => self.check(&error)?,
                Ok(response) => match Verdict::of(response.error_code) {
                    Verdict::Done if response.generation_id >= 0 => {
                        self.member.clone_from(&response.member_id);
                        self.set_generation(Some(response.generation_id));
                        self.pulse.next = self.now() + self.options.heartbeat_interval();
                        return Ok(response);
                    }
                    Verdict::TakeNumber if !response.member_id.is_empty() && self.member.is_empty() => {
                        self.member = response.member_id;
                        continue;
                    }
                    Verdict::Outdated if !self.owned.is_empty() => return Err(Interrupt::Outdated),
                    Verdict::Outdated => self.set_generation(None),
                    Verdict::Forgotten if !self.owned.is_empty() => return Err(Interrupt::Forgotten),
                    Verdict::Forgotten => {
                        self.member.clear();
                        self.set_generation(None);
                    }
                    Verdict::Elsewhere => self.coordination.forget(),
                    Verdict::Refused(code) => return Err(Interrupt::Refused(code)),
                    Verdict::Done | Verdict::Again | Verdict::Rejoin | Verdict::TakeNumber => {}
                },
            }
            let pause = backoff.failed(&*self.coordination.client.world().entropy);
            let clock = self.clock();
            self.unless_left(async move { clock.sleep(pause).await }).await?;
        }
    }

    fn join_request(&mut self) -> JoinGroupRequest {
        let topics;
        (topics, self.topics_turn) = self.desk.look(|state| (state.topics.clone(), state.topics_turn));
        self.topics = topics.iter().cloned().collect();
        let owned = Had { partitions: self.owned.iter().cloned().collect(), generation: self.generation };
        let milliseconds = |duration: Duration| i32::try_from(duration.as_millis()).unwrap_or(i32::MAX);
        JoinGroupRequest {
            group_id: self.coordination.group.to_string(),
            session_timeout_ms: milliseconds(self.options.session_timeout),
            rebalance_timeout_ms: milliseconds(self.options.poll_interval_max),
            member_id: self.member.clone(),
            group_instance_id: self.options.instance.clone(),
            protocol_type: PROTOCOL_TYPE.to_owned(),
            protocols: protocol::protocols(&self.options.assignors, &topics, &owned, &self.had),
            ..JoinGroupRequest::default()
        }
    }

    /// Asks what it is given; who leads says so for all.
    pub(super) async fn sync(&mut self, joined: JoinGroupResponse) -> Result<Vec<Partition>, Interrupt> {
        self.counts = None;
        let protocol_name = joined.protocol_name.clone().unwrap_or_default();
        let assignments = match joined.leader == joined.member_id {
            true => self.share_out(&protocol_name, joined.members, joined.skip_assignment).await?,
            false => Vec::new(),
        };
        let group_id = self.coordination.group.to_string();
        let group_instance_id = self.options.instance.clone();
        let write = move |version: i16| SyncGroupRequest {
            group_id,
            generation_id: joined.generation_id,
            member_id: joined.member_id,
            group_instance_id,
            // Since KIP-559 the coordinator holds the member to what it says here.
            protocol_type: (version >= 5).then(|| PROTOCOL_TYPE.to_owned()),
            protocol_name: (version >= 5).then_some(protocol_name),
            assignments,
            ..SyncGroupRequest::default()
        };
        let (coordination, purpose) = (self.coordination.clone(), self.purpose);
        // The leader shares out at once; a broker that is silent for longer is none.
        let patience = coordination.client.options().request_timeout;
        let asked = async move { coordination.ask(purpose, patience, write, i16::MAX).await };
        let response = match self.beating(asked, Heed::Round).await? {
            Ok(response) => response,
            Err(error) => {
                self.check(&error)?;
                return self.join_again_later().await;
            }
        };
        match Verdict::of(response.error_code) {
            Verdict::Done => match protocol::assigned(&response.assignment) {
                Ok(assigned) => {
                    self.setbacks.worked();
                    // Until then the group was sharing out: some brokers say so to heartbeats.
                    (self.unreadable, self.wants_rejoin, self.pulse.flight) = (0, false, None);
                    Ok(self.asked_for(assigned))
                }
                Err(error) => {
                    tracing::warn!(group = %self.coordination.group, error, "what the leader gave can't be read");
                    self.unreadable += 1;
                    match self.unreadable {
                        // Each attempt stops the whole group.
                        UNREADABLE_MAX.. => Err(Interrupt::Refused(ErrorCode::InconsistentGroupProtocol)),
                        _ => self.join_again_later().await,
                    }
                }
            },
            Verdict::Outdated => Err(Interrupt::Outdated),
            Verdict::Rejoin => Err(Interrupt::Rejoin),
            Verdict::Forgotten => Err(Interrupt::Forgotten),
            Verdict::Refused(code) => Err(Interrupt::Refused(code)),
            Verdict::Elsewhere => {
                self.coordination.forget();
                self.join_again_later().await
            }
            Verdict::Again | Verdict::TakeNumber => self.join_again_later().await,
        }
    }

    /// Of what the leader gave, what this member wants: a leader is a program like any other.
    fn asked_for(&self, mut assigned: Vec<Partition>) -> Vec<Partition> {
        let given = assigned.len();
        assigned.retain(|(topic, partition)| {
            let there = self.counts.as_ref().and_then(|counts| counts.get(&**topic).copied());
            let is_there = |index| there.is_none_or(|there| index < there);
            self.topics.contains(&**topic) && usize::try_from(partition.0).is_ok_and(is_there)
        });
        if assigned.len() < given {
            let passed_over = given - assigned.len();
            tracing::warn!(group = %self.coordination.group, passed_over, "the leader gave what was not asked for");
        }
        assigned
    }

    async fn join_again_later<T>(&mut self) -> Result<T, Interrupt> {
        let (clock, pause) = (self.clock(), self.setbacks.failed(&*self.coordination.client.world().entropy));
        self.unless_left(async move { clock.sleep(pause).await }).await?;
        Err(Interrupt::Rejoin)
    }

    /// Shares out all partitions of all topics that somebody wants.
    ///
    /// The assignors don't pause: for a thousand members and ten thousand partitions that is a fraction of a second, in
    /// which this thread does nothing else. Heartbeats can wait for that long.
    async fn share_out(
        &mut self,
        protocol: &str,
        told: Vec<JoinGroupResponseMember>,
        is_kept: bool,
    ) -> Result<Vec<SyncGroupRequestAssignment>, Interrupt> {
        let known = self.options.assignors.iter().copied().find(|assignor| assignor.name() == protocol);
        let Some(assignor) = known else { return Err(Interrupt::Refused(ErrorCode::InconsistentGroupProtocol)) };
        let members = protocol::members(assignor, told);
        let topics: BTreeSet<String> = members.iter().flat_map(|member| member.topics.iter().cloned()).collect();
        let counts = loop {
            if let Some(counts) = self.count(&topics, Heed::Round).await? {
                break counts;
            }
        };
        let shares = if is_kept { BTreeMap::new() } else { assignor.assign(&counts, &members) };
        self.counts = Some(counts);
        let assignments = shares.into_iter().map(|(member_id, partitions)| SyncGroupRequestAssignment {
            member_id,
            assignment: protocol::assignment(&partitions),
            ..SyncGroupRequestAssignment::default()
        });
        Ok(assignments.collect())
    }
}
