//! The members of a group, and what has to be known of all of them at once: who waits, and what they can all do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use thalweg_wire::Moment;

use super::{Ticket, weight};

/// A member of a group.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: Arc<str>,
    pub(super) instance_id: Option<Arc<str>>,
    pub(super) client_id: String,
    pub(super) client_host: String,
    pub(super) session_timeout: Duration,
    pub(super) rebalance_timeout: Duration,
    assignment: Bytes,
    /// Until then it must be heard of.
    pub(super) expires: Moment,
    /// Waits for the leader's assignment.
    pub(super) syncing: Option<Ticket>,
    /// Has asked for its part of this generation.
    pub(super) synced: bool,
    /// Has not been in a generation yet: it doesn't know its id, so nothing but its answer keeps it here.
    pub(super) newcomer: bool,
    /// Names and what it says for each, the best first; each name once.
    protocols: Vec<(String, Bytes)>,
    /// How many topics these name.
    topics: usize,
    /// Waits for the next generation.
    joining: Option<Ticket>,
    /// The order in which they came.
    place: u64,
}

/// What a client says of itself when it joins.
#[derive(Clone, Debug)]
pub(super) struct Introduction {
    pub(super) client_id: String,
    pub(super) client_host: String,
    pub(super) session_timeout: Duration,
    pub(super) rebalance_timeout: Duration,
    /// Each name once.
    pub(super) protocols: Vec<(String, Bytes)>,
    /// How many topics these name.
    pub(super) topics: usize,
}

impl Member {
    pub(super) fn new(id: Arc<str>, instance_id: Option<Arc<str>>, said: Introduction) -> Member {
        Member {
            id,
            instance_id,
            client_id: said.client_id,
            client_host: said.client_host,
            session_timeout: said.session_timeout,
            rebalance_timeout: said.rebalance_timeout,
            assignment: Bytes::new(),
            expires: Moment::ZERO,
            syncing: None,
            synced: true,
            newcomer: true,
            protocols: said.protocols,
            topics: said.topics,
            joining: None,
            place: 0,
        }
    }

    /// With what it was assigned.
    pub(super) fn with_assignment(self, assignment: Bytes) -> Member {
        Member { assignment, ..self }
    }

    /// Its part of the generation; until the next one stands, of the last.
    pub(super) fn assignment(&self) -> &Bytes {
        &self.assignment
    }

    /// What is known of it beside what it says.
    fn text_bytes(&self) -> usize {
        let instance_id = self.instance_id.as_deref().map_or(0, str::len);
        self.id.len() + instance_id + self.client_id.len() + self.client_host.len()
    }

    /// What it takes in memory, its part left out.
    pub(super) fn bytes(&self) -> usize {
        let instance_id = self.instance_id.as_deref().unwrap_or_default();
        weight::member([&self.id, instance_id, &self.client_id, &self.client_host])
            + weight::said(&self.protocols, self.topics)
    }

    pub(super) fn is_joining(&self) -> bool {
        self.joining.is_some()
    }

    /// Says what it said last time.
    pub(super) fn says(&self, protocols: &[(String, Bytes)]) -> bool {
        self.protocols == protocols
    }

    /// What it said for a protocol.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let said = self.protocols.iter().find(|(name, _)| name == protocol);
        said.map_or_else(Bytes::new, |(_, metadata)| metadata.clone())
    }

    /// The coordinator owes it an answer, so its silence means nothing.
    pub(super) fn is_excused(&self) -> bool {
        !self.newcomer && (self.joining.is_some() || self.syncing.is_some())
    }

    /// Nothing keeps its place but its own return.
    pub(super) fn is_static(&self) -> bool {
        self.instance_id.is_some()
    }
}

/// The members of a group. What is counted over them is counted when they change: a group of thousands forms a
/// generation with thousands of requests.
#[derive(Clone, Default, Debug)]
pub(super) struct Members {
    by_id: BTreeMap<Arc<str>, Member>,
    by_instance: BTreeMap<Arc<str>, Arc<str>>,
    /// How many members can do a protocol.
    able: BTreeMap<String, usize>,
    joining: usize,
    said_bytes: usize,
    came: u64,
    /// What they take in memory, their parts left out.
    bytes: usize,
    /// What their parts take.
    part_bytes: usize,
    /// What parts took that were taken back, or whose members went: the next generation is about to give them anew, and
    /// nobody else is to have that room meanwhile.
    kept_bytes: usize,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// How many wait for the next generation.
    pub(super) fn joining(&self) -> usize {
        self.joining
    }

    /// What it would take to tell a leader who there is and what all have said, had `id` said this, of whom so many bytes
    /// of text are known beside it.
    pub(super) fn said_bytes_with(&self, id: &str, protocols: &[(String, Bytes)], texts: usize) -> usize {
        let before = self.find(id).map_or(0, |member| said_bytes(&member.protocols) + member.text_bytes());
        self.said_bytes - before + said_bytes(protocols) + texts
    }

    /// What they take in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.part_bytes + self.kept_bytes
    }

    /// The same, counted anew.
    pub(super) fn recounted(&self) -> usize {
        self.kept_bytes + self.iter().map(|member| member.bytes() + member.assignment.len()).sum::<usize>()
    }

    /// Gives everybody a part.
    pub(super) fn assign(&mut self, mut part: impl FnMut(&str) -> Bytes) {
        (self.part_bytes, self.kept_bytes) = (0, 0);
        for member in self.by_id.values_mut() {
            member.assignment = part(&member.id);
            self.part_bytes += member.assignment.len();
        }
    }

    /// Nobody has a part any more; the room for them stays.
    pub(super) fn take_parts_back(&mut self) {
        let had = self.part_room();
        self.assign(|_| Bytes::new());
        self.kept_bytes = had;
    }

    /// The room for parts: what they take, or took.
    pub(super) fn part_room(&self) -> usize {
        self.part_bytes + self.kept_bytes
    }

    /// So much room is kept for parts while there are none.
    pub(super) fn keep_part_room(&mut self, bytes: usize) {
        assert_eq!(self.part_bytes, 0, "parts were taken back");
        self.kept_bytes = bytes;
    }

    pub(super) fn find(&self, id: &str) -> Option<&Member> {
        self.by_id.get(id)
    }

    pub(super) fn find_mut(&mut self, id: &str) -> Option<&mut Member> {
        self.by_id.get_mut(id)
    }

    /// The id of the member that holds an instance's place.
    pub(super) fn of_instance(&self, instance_id: &str) -> Option<&Arc<str>> {
        self.by_instance.get(instance_id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.by_id.values()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.by_id.values_mut()
    }

    /// Everybody, in the order in which they came.
    pub(super) fn in_order(&self) -> Vec<&Member> {
        let mut all: Vec<&Member> = self.iter().collect();
        all.sort_unstable_by_key(|member| member.place);
        all
    }

    /// The ids of those for which something holds.
    pub(super) fn ids_where(&self, holds: impl Fn(&Member) -> bool) -> Vec<Arc<str>> {
        self.iter().filter(|member| holds(member)).map(|member| member.id.clone()).collect()
    }

    /// The one that came first among those for which something holds.
    pub(super) fn first_where(&self, holds: impl Fn(&Member) -> bool) -> Option<&Member> {
        self.iter().filter(|member| holds(member)).min_by_key(|member| member.place)
    }

    pub(super) fn insert(&mut self, mut member: Member) {
        assert!(!self.by_id.contains_key(&member.id), "a member comes once");
        self.came += 1;
        member.place = self.came;
        self.put(member);
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Member> {
        let member = self.take(id)?;
        // The others share its part.
        self.kept_bytes = if self.is_empty() { 0 } else { self.kept_bytes + member.assignment.len() };
        Some(member)
    }

    /// A new process in an old one's place: all that was known of it stays, but not who waited.
    pub(super) fn rename(&mut self, old: &str, new: Arc<str>) -> Option<Replaced> {
        let mut member = self.take(old)?;
        let replaced = Replaced { joining: member.joining.take(), syncing: member.syncing.take() };
        member.id = new;
        self.put(member);
        Some(replaced)
    }

    /// What a member says when it joins again.
    pub(super) fn update(&mut self, id: &str, said: Introduction) {
        let Some(member) = self.by_id.get_mut(id) else { return };
        member.session_timeout = said.session_timeout;
        member.rebalance_timeout = said.rebalance_timeout;
        self.bytes -= member.bytes();
        let old = std::mem::replace(&mut member.protocols, said.protocols);
        let new = member.protocols.clone();
        member.topics = said.topics;
        self.bytes += member.bytes();
        self.count_out(&old);
        self.count_in(&new);
    }

    /// A member waits for the next generation. Gives back who waited in its name before.
    pub(super) fn wait_to_join(&mut self, id: &str, waiter: Ticket) -> Option<Ticket> {
        let before = self.by_id.get_mut(id)?.joining.replace(waiter);
        self.joining += usize::from(before.is_none());
        before
    }

    /// A member doesn't wait any more. Gives back who waited.
    pub(super) fn end_joining(&mut self, id: &str) -> Option<Ticket> {
        let waiter = self.by_id.get_mut(id)?.joining.take();
        self.joining -= usize::from(waiter.is_some());
        waiter
    }

    /// Whether one of these protocols can be everybody's.
    pub(super) fn can_all_do_one_of(&self, protocols: &[(String, Bytes)]) -> bool {
        protocols.iter().any(|(name, _)| self.able.get(name).copied().unwrap_or(0) == self.len())
    }

    /// The protocol that most members like best among those that all can do; of equals the one that the leader likes
    /// better.
    pub(super) fn vote(&self, leader: Option<&str>) -> Option<String> {
        let common = |name: &str| self.able.get(name) == Some(&self.len());
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.iter() {
            if let Some((best, _)) = member.protocols.iter().find(|(name, _)| common(name)) {
                *votes.entry(best).or_default() += 1;
            }
        }
        let most = votes.values().max().copied()?;
        let wins = |name: &str| votes.get(name) == Some(&most);
        let of_leader = leader.and_then(|id| self.find(id)).into_iter().flat_map(|leader| &leader.protocols);
        let liked = of_leader.map(|(name, _)| name.as_str()).find(|name| wins(name));
        let winner = liked.or_else(|| votes.keys().copied().find(|name| wins(name)))?;
        Some(winner.to_owned())
    }

    /// How long a rebalance may take: as long as the most patient member waits.
    pub(super) fn rebalance_timeout(&self) -> Duration {
        self.iter().map(|member| member.rebalance_timeout).max().unwrap_or_default()
    }

    fn take(&mut self, id: &str) -> Option<Member> {
        let member = self.by_id.remove(id)?;
        if let Some(instance) = &member.instance_id {
            self.by_instance.remove(instance);
        }
        self.count_out(&member.protocols);
        self.joining -= usize::from(member.joining.is_some());
        self.said_bytes -= member.text_bytes();
        self.bytes -= member.bytes();
        self.part_bytes -= member.assignment.len();
        Some(member)
    }

    fn put(&mut self, member: Member) {
        if let Some(instance) = &member.instance_id {
            let before = self.by_instance.insert(instance.clone(), member.id.clone());
            assert_eq!(before, None, "an instance has one place");
        }
        self.count_in(&member.protocols);
        self.joining += usize::from(member.joining.is_some());
        self.said_bytes += member.text_bytes();
        self.bytes += member.bytes();
        self.part_bytes += member.assignment.len();
        self.by_id.insert(member.id.clone(), member);
    }

    fn count_in(&mut self, protocols: &[(String, Bytes)]) {
        self.said_bytes += said_bytes(protocols);
        for (name, _) in protocols {
            *self.able.entry(name.clone()).or_default() += 1;
        }
    }

    fn count_out(&mut self, protocols: &[(String, Bytes)]) {
        self.said_bytes -= said_bytes(protocols);
        for (name, _) in protocols {
            let count = self.able.get_mut(name).expect("it was counted when it came");
            *count -= 1;
            if *count == 0 {
                self.able.remove(name);
            }
        }
    }
}

/// Who waited for an answer in the name of a process that was replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replaced {
    pub(super) joining: Option<Ticket>,
    pub(super) syncing: Option<Ticket>,
}

/// A protocol that is named twice counts once, the first time. What is said of it is copied: it came as part of a frame,
/// all of which would stay in memory with it.
pub(super) fn once_each(mut protocols: Vec<(String, Bytes)>) -> Vec<(String, Bytes)> {
    let mut seen = BTreeSet::new();
    protocols.retain(|(name, _)| seen.insert(name.clone()));
    protocols.iter_mut().for_each(|(_, said)| *said = Bytes::copy_from_slice(said));
    protocols
}

fn said_bytes(protocols: &[(String, Bytes)]) -> usize {
    protocols.iter().map(|(name, said)| name.len() + said.len()).sum()
}
