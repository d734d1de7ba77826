//! What holds whatever members tell, and over rounds in which they come and go.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// That each partition which somebody reads is given to one who reads it, and no other is.
pub(super) fn check_shares(partitions: &BTreeMap<String, usize>, members: &[Member], shares: &Shares) {
    check_given(partitions, members, shares);
    let read: BTreeSet<&String> = shares.keys().flat_map(|id| &named(members, id).topics).collect();
    let there: usize = partitions.iter().filter(|(topic, _)| read.contains(topic)).map(|(_, count)| count).sum();
    assert_eq!(shares.values().map(Vec::len).sum::<usize>(), there, "all is given");
}

/// That nobody is given what isn't there, what it doesn't read, or what another is given.
fn check_given(partitions: &BTreeMap<String, usize>, members: &[Member], shares: &Shares) {
    assert_eq!(shares.len(), members.iter().map(|member| &member.id).collect::<BTreeSet<_>>().len());
    let mut given = BTreeSet::new();
    for (id, places) in shares {
        let member = named(members, id);
        for (topic, index) in places {
            assert!(member.topics.contains(topic), "{id} reads {topic}");
            assert!((0..partitions[topic] as i32).contains(&index.0), "there is {topic}-{index}");
            assert!(given.insert((topic, index)), "{topic}-{index} is given once");
        }
    }
}

fn named<'a>(members: &'a [Member], id: &str) -> &'a Member {
    members.iter().find(|member| member.id == id).unwrap()
}

/// That nobody has two more than another who could have one of them.
pub(super) fn check_balance(partitions: &BTreeMap<String, usize>, members: &[Member], shares: &Shares) {
    let audience = Audience::of(partitions, members);
    for places in shares.values() {
        for topic in places.iter().map(|(topic, _)| topic).collect::<BTreeSet<_>>() {
            for other in audience.members.iter().filter(|other| other.topics.contains(topic)) {
                let fewer = shares[&other.id].len();
                assert!(places.len() <= fewer + 1, "{} has {fewer}, who has {topic} has {}", other.id, places.len());
            }
        }
    }
}

/// How many partitions aren't with who had them, though that one still reads them.
pub(super) fn moved(partitions: &BTreeMap<String, usize>, members: &[Member], shares: &Shares) -> usize {
    let audience = Audience::of(partitions, members);
    let claims = Claims::of(&audience);
    let is_moved = |(member, partition): &(&Member, usize)| {
        !shares[&member.id].iter().any(|(topic, index)| audience.partition(topic, *index) == Some(*partition))
    };
    let topics = audience.topics.iter();
    let had = topics.flat_map(|topic| {
        let reads = audience.readers(topic);
        let owners = topic.partitions.clone().map(|partition| (claims.owner(partition), partition));
        let kept = owners.filter_map(|(owner, partition)| Some((owner?, partition)));
        kept.filter(move |(owner, _)| reads[*owner]).map(|(owner, partition)| (audience.members[owner], partition))
    });
    had.filter(is_moved).count()
}

/// That nobody is given what another says it has, unless it was given it later than all of them.
fn check_nothing_is_taken(members: &[Member], shares: &Shares) {
    let members: Vec<&Member> = shares.keys().map(|id| named(members, id)).collect();
    for (id, places) in shares {
        let member = named_of(&members, id);
        for place in places {
            for other in members.iter().filter(|other| other.id != *id && other.owned.places().contains(place)) {
                let is_later = member.generation.unwrap_or(-1).max(-1) > other.generation.unwrap_or(-1).max(-1);
                assert!(
                    member.owned.places().contains(place) && is_later,
                    "{} has {place:?}, {id} is given it",
                    other.id
                );
            }
        }
    }
}

fn named_of<'a>(members: &[&'a Member], id: &str) -> &'a Member {
    members.iter().find(|member| member.id == id).unwrap()
}

fn topic(number: u8) -> String {
    format!("t{number}")
}

/// What a group may look like to its leader if nobody tells the truth.
fn nonsense() -> impl Strategy<Value = (BTreeMap<String, usize>, Vec<Member>)> {
    let place = (0..6u8, -1..9i32).prop_map(|(number, index)| (topic(number), PartitionIndex(index)));
    let owned = prop::collection::vec(place, 0..12);
    let topics = prop::collection::vec((0..6u8).prop_map(topic), 0..6);
    let member = (0..9u8, prop::option::of(0..4u8), topics, owned, prop::option::of(-2..3i32));
    let member = member.prop_map(|(id, instance, topics, owned, generation)| {
        let instance = instance.map(|number| number.to_string());
        Member { id: id.to_string(), instance, rack: None, topics, owned: owned.into_iter().collect(), generation }
    });
    let partitions = prop::collection::btree_map((0..5u8).prop_map(topic), 0..9usize, 0..5);
    (partitions, prop::collection::vec(member, 0..9))
}

/// Something that happens to a group between two rebalances.
#[derive(Clone, Debug)]
enum Event {
    Joins(Vec<u8>),
    Leaves(prop::sample::Index),
    Subscribes(prop::sample::Index, Vec<u8>),
    Grows(u8),
    /// A member doesn't hear of the round, and comes to the next with what it had before.
    Sleeps(prop::sample::Index),
    Nothing,
}

fn event() -> impl Strategy<Value = Event> {
    let topics = || prop::collection::vec(0..5u8, 1..5);
    prop_oneof![
        3 => topics().prop_map(Event::Joins),
        2 => any::<prop::sample::Index>().prop_map(Event::Leaves),
        1 => (any::<prop::sample::Index>(), topics()).prop_map(|(who, topics)| Event::Subscribes(who, topics)),
        1 => (0..5u8).prop_map(Event::Grows),
        1 => any::<prop::sample::Index>().prop_map(Event::Sleeps),
        1 => Just(Event::Nothing),
    ]
}

/// A group whose members tell the truth, though one may have slept.
#[derive(Default)]
struct Group {
    partitions: BTreeMap<String, usize>,
    members: Vec<Member>,
    generation: i32,
    born: usize,
    asleep: Option<String>,
}

impl Group {
    fn happens(&mut self, event: Event) {
        let count = self.members.len();
        match event {
            Event::Joins(topics) => self.joins(topics.into_iter().map(topic).collect()),
            Event::Leaves(who) if count > 1 => drop(self.members.remove(who.index(count))),
            Event::Subscribes(who, topics) if count > 0 => {
                let member = &mut self.members[who.index(count)];
                member.topics = topics.into_iter().map(topic).collect();
                // It gives up what it no longer reads before it joins.
                member.owned.0.retain(|(topic, _)| member.topics.contains(topic));
            }
            Event::Grows(number) => *self.partitions.entry(topic(number)).or_default() += 1 + usize::from(number),
            Event::Sleeps(who) if count > 0 => self.asleep = Some(self.members[who.index(count)].id.clone()),
            Event::Leaves(_) | Event::Subscribes(..) | Event::Sleeps(_) | Event::Nothing => {}
        }
    }

    fn joins(&mut self, topics: Vec<String>) {
        // The id says nothing about who came first.
        let id = format!("{:x}", self.born * 7 % 16 + 16 * self.born);
        self.members.push(Member { id, instance: None, rack: None, topics, owned: Owned::default(), generation: None });
        self.born += 1;
    }

    fn takes(&mut self, shares: &Shares) {
        self.generation += 1;
        let asleep = self.asleep.take();
        for member in self.members.iter_mut().filter(|member| Some(&member.id) != asleep.as_ref()) {
            (member.owned, member.generation) = (shares[&member.id].iter().cloned().collect(), Some(self.generation));
        }
    }

    fn assign(&self, assignor: Assignor) -> Shares {
        assignor.assign(&self.partitions, &self.members)
    }

    fn moved(&self, shares: &Shares) -> usize {
        moved(&self.partitions, &self.members, shares)
    }
}

/// A group of so many who all read the same, and have shared it out.
fn settled(topics: usize, partitions: usize, members: usize) -> Group {
    let partitions: BTreeMap<String, usize> = (0..topics).map(|number| (format!("t{number}"), partitions)).collect();
    let mut group = Group { partitions, ..Group::default() };
    (0..members).for_each(|_| group.joins(group.partitions.keys().cloned().collect()));
    let shares = group.assign(Assignor::Sticky);
    group.takes(&shares);
    group
}

proptest! {
    #[test]
    fn whatever_members_tell_all_is_given_once_and_to_who_reads_it((partitions, members) in nonsense()) {
        for assignor in [Assignor::Range, Assignor::RoundRobin, Assignor::Sticky] {
            check_shares(&partitions, &members, &assignor.assign(&partitions, &members));
        }
        check_balance(&partitions, &members, &Assignor::Sticky.assign(&partitions, &members));
        let cooperative = Assignor::CooperativeSticky.assign(&partitions, &members);
        check_given(&partitions, &members, &cooperative);
        check_nothing_is_taken(&members, &cooperative);
    }

    #[test]
    fn the_order_in_which_members_stand_changes_nothing((partitions, mut members) in nonsense()) {
        let mut ids = BTreeSet::new();
        members.retain(|member| ids.insert(member.id.clone()));
        let turned: Vec<Member> = members.iter().rev().cloned().collect();
        for assignor in [Assignor::Range, Assignor::RoundRobin, Assignor::Sticky, Assignor::CooperativeSticky] {
            prop_assert_eq!(assignor.assign(&partitions, &members), assignor.assign(&partitions, &turned));
        }
    }

    #[test]
    fn a_sticky_group_is_balanced_after_whatever_happens(events in prop::collection::vec(event(), 1..20)) {
        let mut group = Group::default();
        for event in events {
            let is_quiet = matches!(event, Event::Nothing) && group.members.iter().all(|member| member.generation == Some(group.generation));
            group.happens(event);
            let shares = group.assign(Assignor::Sticky);
            check_shares(&group.partitions, &group.members, &shares);
            check_balance(&group.partitions, &group.members, &shares);
            prop_assert!(!is_quiet || group.moved(&shares) == 0, "nothing happened, nothing moves");
            group.takes(&shares);
        }
    }

    #[test]
    fn a_cooperative_group_never_shares_a_partition_and_settles_in_two_rounds(
        events in prop::collection::vec(event(), 1..20),
    ) {
        let mut group = Group::default();
        for event in events {
            group.happens(event);
            let shares = group.assign(Assignor::CooperativeSticky);
            check_given(&group.partitions, &group.members, &shares);
            check_nothing_is_taken(&group.members, &shares);
            group.takes(&shares);
        }
        for _ in 0..2 {
            let shares = group.assign(Assignor::CooperativeSticky);
            check_nothing_is_taken(&group.members, &shares);
            group.takes(&shares);
        }
        let shares = group.assign(Assignor::CooperativeSticky);
        check_shares(&group.partitions, &group.members, &shares);
        check_balance(&group.partitions, &group.members, &shares);
        prop_assert_eq!(group.moved(&shares), 0);
    }

    #[test]
    fn who_leaves_moves_only_what_it_had(topics in 1..4usize, partitions in 1..12usize, members in 2..9usize, who in 0..9usize) {
        let mut group = settled(topics, partitions, members);
        group.members.remove(who % members);
        let shares = group.assign(Assignor::Sticky);
        check_balance(&group.partitions, &group.members, &shares);
        prop_assert_eq!(group.moved(&shares), 0);
    }

    #[test]
    fn who_joins_is_given_its_share_and_nothing_else_moves(topics in 1..4usize, partitions in 1..12usize, members in 1..9usize) {
        let mut group = settled(topics, partitions, members);
        group.joins(group.members[0].topics.clone());
        let newcomer = group.members[members].id.clone();
        let shares = group.assign(Assignor::Sticky);
        check_balance(&group.partitions, &group.members, &shares);
        prop_assert_eq!(shares[&newcomer].len(), topics * partitions / (members + 1));
        prop_assert_eq!(group.moved(&shares), shares[&newcomer].len());
    }
}

#[test]
fn a_thousand_members_and_ten_thousand_partitions() {
    let mut group = settled(100, 100, 1000);
    // Every other one reads something of its own, so that each is an interest.
    for (number, member) in group.members.iter_mut().enumerate().filter(|(number, _)| number % 2 == 0) {
        member.topics = (0..50).map(|each| format!("t{}", (number * 13 + each * 7) % 100)).collect();
    }
    group.members.truncate(990);
    (0..10).for_each(|_| group.joins(group.partitions.keys().cloned().collect()));
    for assignor in [Assignor::Range, Assignor::RoundRobin, Assignor::Sticky] {
        let shares = group.assign(assignor);
        check_shares(&group.partitions, &group.members, &shares);
    }
    let shares = group.assign(Assignor::Sticky);
    assert_eq!(shares.values().map(Vec::len).max(), Some(10));
}
