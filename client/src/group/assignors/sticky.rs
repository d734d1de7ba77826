//! `sticky`: as even as can be, and what moves is as little as can be (KIP-54).
//!
//! *Balanced* is what Java calls so: no partition could go to another of its topic's readers that has two fewer. It is reached
//! in four steps. Everyone keeps what it has and still reads. What nobody has, the *guests*, goes to who has least, first what few
//! read. Where somebody has two more than another, guests move, as many as help; where somebody then still has two more than a
//! reader of a partition that it kept, that one moves and is a guest from then on. Last, two who could have each other's exchange.
//!
//! Where all read the same, no assignment that is balanced moves less. Where they don't, a choice among equals may cost a move that
//! another choice would have spared.
//!
//! Topics with the same readers are one *kind*, members who read the same have one *interest*, and each interest knows who of it
//! has least: so to find where a partition could go costs as many looks as its kind has interests. Each move makes the sum of
//! the squares of all loads smaller, so levelling ends; it is cut short after [`SWEEPS_MAX`] rounds over all members. Guests alone
//! make that sum as small as they can. So a cooperative group settles: after a round in which partitions were withheld, guests can
//! do at least as well as that round had planned, and if more has to move, the sum is smaller than ever.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};

use super::audience::{Audience, Given};
use super::claims::Claims;

/// Rounds of levelling. A few do in practice; more are for who builds staircases of members, each with two partitions more than
/// the next, and is given an assignment that is whole, and even in fewer places.
const SWEEPS_MAX: usize = 64;

/// Each partition that somebody reads, to one who does.
pub(super) fn assign(audience: &Audience<'_>, claims: &Claims) -> Given {
    let mut scales = Scales::new(audience);
    scales.keep_and_fill(audience, claims);
    scales.level(Movable::Guests);
    scales.level(Movable::All);
    scales.bring_home();
    scales.given()
}

/// What may move.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Movable {
    /// What its holder didn't have before: it costs nothing.
    Guests,
    All,
}

/// Who holds what while it is shared out.
struct Scales<'a> {
    interest_of: &'a [usize],
    /// The interests of each kind of topic.
    kinds: Vec<Vec<usize>>,
    /// The kind of each partition.
    kind_of: Vec<usize>,
    /// Who had each partition before, and may have it.
    home: Vec<Option<usize>>,
    /// Who has it now.
    holder: Vec<Option<usize>>,
    load: Vec<usize>,
    /// Of each member by kind; none is empty.
    held: Vec<BTreeMap<usize, Held>>,
    /// Of each interest its members, by load.
    by_load: Vec<BTreeSet<(usize, usize)>>,
}

/// Partitions of one kind that a member holds.
#[derive(Default)]
struct Held {
    kept: Vec<usize>,
    guests: Vec<usize>,
}

impl<'a> Scales<'a> {
    fn new(audience: &'a Audience<'_>) -> Scales<'a> {
        let mut by_load = vec![BTreeSet::new(); audience.interests];
        for (member, &interest) in audience.interest_of.iter().enumerate() {
            by_load[interest].insert((0, member));
        }
        let mut numbers = HashMap::new();
        let mut kinds = Vec::new();
        let mut kind_of = Vec::with_capacity(audience.partitions());
        for topic in &audience.topics {
            let kind = *numbers.entry(topic.interests.as_slice()).or_insert_with(|| {
                kinds.push(topic.interests.clone());
                kinds.len() - 1
            });
            kind_of.extend(topic.partitions.clone().map(|_| kind));
        }
        Scales {
            interest_of: &audience.interest_of,
            kinds,
            kind_of,
            home: vec![None; audience.partitions()],
            holder: vec![None; audience.partitions()],
            load: vec![0; audience.members.len()],
            held: audience.members.iter().map(|_| BTreeMap::new()).collect(),
            by_load,
        }
    }

    fn keep_and_fill(&mut self, audience: &Audience<'_>, claims: &Claims) {
        let mut free = Vec::new();
        for partition in 0..audience.partitions() {
            self.home[partition] =
                claims.owner(partition).filter(|&owner| self.may_hold(owner, self.kind_of[partition]));
            match self.home[partition] {
                Some(owner) => self.put(partition, owner),
                None => free.push(partition),
            }
        }
        let readers: Vec<usize> = (self.kinds.iter())
            .map(|interests| interests.iter().map(|&interest| self.by_load[interest].len()).sum())
            .collect();
        free.sort_by_key(|&partition| readers[self.kind_of[partition]]);
        for partition in free {
            // What nobody reads stays where it is.
            if let Some((_, least)) = self.least_loaded(self.kind_of[partition]) {
                self.put(partition, least);
            }
        }
    }

    /// Moves partitions down until nobody has two more than one who could take one. Always who has most gives next: else who gives
    /// first would give more than it has to.
    fn level(&mut self, movable: Movable) {
        for _ in 0..SWEEPS_MAX {
            let mut is_level = true;
            let mut heaviest: BinaryHeap<(usize, usize)> =
                (0..).zip(&self.load).map(|(member, &load)| (load, member)).collect();
            while let Some((load, member)) = heaviest.pop() {
                if load != self.load[member] {
                    heaviest.push((self.load[member], member));
                } else if self.relieve(member, movable) {
                    heaviest.push((self.load[member], member));
                    is_level = false;
                }
            }
            if is_level {
                return;
            }
        }
    }

    /// Takes one partition off the member, if that can go to one who has two fewer: a guest, straight or in a chain of guests that
    /// each take the next one's place, and only then one that the member had before.
    fn relieve(&mut self, member: usize, movable: Movable) -> bool {
        let held = self.held[member].iter();
        let guests = held.filter(|(_, held)| !held.guests.is_empty()).map(|(&kind, _)| kind);
        if let Some((kind, to)) = self.way_down(member, guests) {
            self.pass(member, kind, to);
        } else if let Some(chain) = self.chain_down(member) {
            chain.into_iter().for_each(|(from, kind, to)| self.pass(from, kind, to));
        } else if let Some((kind, to)) = self.way_down(member, self.held[member].keys().copied())
            && movable == Movable::All
        {
            self.pass(member, kind, to);
        } else {
            return false;
        }
        true
    }

    /// By which of these kinds the member could give one to who has least, if that one has two fewer.
    fn way_down(&self, member: usize, kinds: impl Iterator<Item = usize>) -> Option<(usize, usize)> {
        let readers = kinds.filter_map(|kind| self.least_loaded(kind).map(|(load, to)| (load, to, kind)));
        readers.min().filter(|&(load, ..)| load + 2 <= self.load[member]).map(|(_, to, kind)| (kind, to))
    }

    /// Guests that could all move on by one, so that in the end one went from the member to one who has two fewer: from whom, of
    /// which kind, and to whom. The search looks at each kind, interest and member once.
    fn chain_down(&self, start: usize) -> Option<Vec<(usize, usize, usize)>> {
        let is_lighter = |load: usize| load + 2 <= self.load[start];
        if !self.by_load.iter().filter_map(|members| members.first()).any(|&(load, _)| is_lighter(load)) {
            return None;
        }
        let mut seen_kinds = vec![false; self.kinds.len()];
        let mut seen_interests = vec![false; self.by_load.len()];
        // By whom, and which kind, each member was reached.
        let mut came_by = vec![None; self.load.len()];
        let mut next = VecDeque::from([start]);
        while let Some(from) = next.pop_front() {
            let guests = self.held[from].iter().filter(|(_, held)| !held.guests.is_empty()).map(|(&kind, _)| kind);
            let kinds = guests.filter(|&kind| !std::mem::replace(&mut seen_kinds[kind], true));
            let interests = kinds.flat_map(|kind| self.kinds[kind].iter().map(move |&interest| (kind, interest)));
            for (kind, interest) in interests.filter(|&(_, each)| !std::mem::replace(&mut seen_interests[each], true)) {
                for &(load, to) in self.by_load[interest].iter().filter(|&&(_, to)| to != start) {
                    came_by[to] = Some((from, kind));
                    next.push_back(to);
                    if is_lighter(load) {
                        let back = std::iter::successors(Some(to), |&to| came_by[to].map(|(from, _)| from));
                        return Some(back.filter_map(|to| came_by[to].map(|(from, kind)| (from, kind, to))).collect());
                    }
                }
            }
        }
        None
    }

    /// Moves one partition of the kind: a guest if there is one, best one that comes home.
    fn pass(&mut self, from: usize, kind: usize, to: usize) {
        let Some(held) = self.held[from].get(&kind) else { return };
        let going_home = held.guests.iter().find(|&&guest| self.home[guest] == Some(to));
        if let Some(&partition) = going_home.or(held.guests.last()).or(held.kept.last()) {
            self.put(partition, to);
        }
    }

    /// Where two members could have each other's place and one of them had it before, they exchange. Loads stay as they are.
    fn bring_home(&mut self) {
        for partition in 0..self.home.len() {
            let (Some(home), Some(away)) = (self.home[partition], self.holder[partition]) else { continue };
            if home == away {
                continue;
            }
            let both = self.held[home].iter().filter(|&(&kind, _)| self.may_hold(away, kind));
            let guests = both.flat_map(|(_, held)| held.guests.iter().copied());
            if let Some(guest) = guests.min_by_key(|&guest| self.home[guest] != Some(away)) {
                self.put(partition, home);
                self.put(guest, away);
            }
        }
    }

    fn given(self) -> Given {
        let of = |held: BTreeMap<usize, Held>| {
            held.into_values().flat_map(|held| [held.kept, held.guests].concat()).collect()
        };
        self.held.into_iter().map(of).collect()
    }

    fn may_hold(&self, member: usize, kind: usize) -> bool {
        self.kinds[kind].binary_search(&self.interest_of[member]).is_ok()
    }

    /// Who has least of those who read a kind of topic: the load and the member.
    fn least_loaded(&self, kind: usize) -> Option<(usize, usize)> {
        self.kinds[kind].iter().filter_map(|&interest| self.by_load[interest].first().copied()).min()
    }

    /// Gives a partition to a member, from whoever has it.
    fn put(&mut self, partition: usize, to: usize) {
        let kind = self.kind_of[partition];
        if let Some(from) = self.holder[partition].replace(to) {
            self.weigh(from, self.load[from] - 1);
            if let Some(held) = self.held[from].get_mut(&kind) {
                held.kept.retain(|&each| each != partition);
                held.guests.retain(|&each| each != partition);
                if held.kept.is_empty() && held.guests.is_empty() {
                    self.held[from].remove(&kind);
                }
            }
        }
        self.weigh(to, self.load[to] + 1);
        let held = self.held[to].entry(kind).or_default();
        if self.home[partition] == Some(to) { held.kept.push(partition) } else { held.guests.push(partition) }
    }

    fn weigh(&mut self, member: usize, load: usize) {
        let by_load = &mut self.by_load[self.interest_of[member]];
        by_load.remove(&(self.load[member], member));
        by_load.insert((load, member));
        self.load[member] = load;
    }
}
