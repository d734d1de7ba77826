//! How a group shares out its partitions: Kafka's four standard assignors, as functions of what the members tell.
//!
//! The group's leader is the one who asks, for members that may be written in Java or C: what they send is read as their
//! own leaders would ([`user_data`]). Nothing here panics on what members claim: topics and partitions that aren't there, the
//! same twice, another's, are passed over.

mod audience;
mod claims;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod properties;
mod range;
mod round_robin;
mod sticky;
mod user_data;

use std::collections::BTreeMap;

use bytes::Bytes;
use thalweg_messages::consumer_protocol::ConsumerProtocolSubscription;
use thalweg_wire::PartitionIndex;

use audience::Audience;
use claims::Claims;

/// A partition by its topic's name.
pub(crate) type Place = (String, PartitionIndex);

/// What a member says that it has, topic by topic as it was told: a few bytes say a million partitions, and each name is
/// held once, and compared once, however long it is. Names that nobody knows cost no more than they did on their way.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Owned(Vec<(String, Vec<PartitionIndex>)>);

/// Who is given what: every member, and its partitions by topic and number.
pub(crate) type Shares = BTreeMap<String, Vec<Place>>;

/// A member, as the leader of the group sees it when it shares out the partitions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Member {
    pub(crate) id: String,
    /// Of a static member (KIP-345).
    pub(crate) instance: Option<String>,
    /// Where it stands. The assignors don't look at it yet: they aren't told where the replicas are (KIP-881).
    pub(crate) rack: Option<String>,
    pub(crate) topics: Vec<String>,
    /// What it says that it has, or had before it gave it up to join.
    pub(crate) owned: Owned,
    /// In which generation it was given that, if it knows.
    pub(crate) generation: Option<i32>,
}

/// What a member was given last, and in which generation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    pub(crate) generation: i32,
    pub(crate) partitions: &'a [Place],
}

/// How partitions are shared out. `partition.assignment.strategy`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Assignor {
    /// Of each topic a stretch for each member; the first members have one more. Topics with as many partitions and the same
    /// readers are cut alike, so that who has partition 3 of one has it of the others. Racks are not looked at.
    Range,
    /// All partitions in turn to all members in turn.
    RoundRobin,
    /// As even as can be, and what moves is as little as can be (KIP-54). Everyone stops for it.
    Sticky,
    /// The same, but members keep reading what they keep: what has to move is given up in one rebalance, and given to its new
    /// owner in the next (KIP-429).
    CooperativeSticky,
}

/// What members do with their partitions while the group rebalances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rebalance {
    /// They give up all before they join.
    Eager,
    /// They keep them, and give up afterwards what they are no longer given.
    Cooperative,
}

impl Assignor {
    /// Its name among the group's protocols.
    pub fn name(self) -> &'static str {
        match self {
            Assignor::Range => "range",
            Assignor::RoundRobin => "roundrobin",
            Assignor::Sticky => "sticky",
            Assignor::CooperativeSticky => "cooperative-sticky",
        }
    }

    pub(crate) fn rebalance(self) -> Rebalance {
        match self {
            Assignor::Range | Assignor::RoundRobin | Assignor::Sticky => Rebalance::Eager,
            Assignor::CooperativeSticky => Rebalance::Cooperative,
        }
    }

    /// Shares out `partitions`, so many of each topic. Every member has an entry; of two with one id the first counts.
    pub(crate) fn assign(self, partitions: &BTreeMap<String, usize>, members: &[Member]) -> Shares {
        let audience = Audience::of(partitions, members);
        let given = match self {
            Assignor::Range => range::assign(&audience),
            Assignor::RoundRobin => round_robin::assign(&audience),
            Assignor::Sticky => sticky::assign(&audience, &Claims::of(&audience)),
            Assignor::CooperativeSticky => {
                let claims = Claims::of(&audience);
                let mut given = sticky::assign(&audience, &claims);
                claims.withhold(&mut given);
                given
            }
        };
        audience.shares(given)
    }

    /// What a member sends along with its subscription to be given the same again; `last` is `None` before its first assignment.
    pub(crate) fn user_data(self, last: Option<Given<'_>>) -> Option<Bytes> {
        match self {
            Assignor::Range | Assignor::RoundRobin => None,
            Assignor::Sticky => last.and_then(user_data::of_sticky),
            Assignor::CooperativeSticky => Some(user_data::of_cooperative(last)),
        }
    }

    /// The member that a subscription of any version tells of.
    pub(crate) fn member(self, id: String, instance: Option<String>, told: ConsumerProtocolSubscription) -> Member {
        let (owned, generation) = match self {
            // It has given up everything before it joins: only here it tells what it had.
            Assignor::Sticky => user_data::remembered(told.user_data.as_ref()).unwrap_or_default(),
            Assignor::Range | Assignor::RoundRobin | Assignor::CooperativeSticky => {
                let told_generation = (told.generation_id >= 0).then_some(told.generation_id);
                let generation = told_generation.or_else(|| user_data::generation(told.user_data.as_ref()));
                let owned = told.owned_partitions.into_iter().map(|each| (each.topic, each.partitions));
                (Owned(owned.collect()), generation)
            }
        };
        Member { id, instance, rack: told.rack_id, topics: told.topics, owned, generation }
    }
}

#[cfg(test)]
impl Owned {
    fn places(&self) -> Vec<Place> {
        let topics = self.0.iter();
        topics.flat_map(|(topic, indexes)| indexes.iter().map(|index| (topic.clone(), *index))).collect()
    }
}

#[cfg(test)]
impl FromIterator<Place> for Owned {
    fn from_iter<I: IntoIterator<Item = Place>>(places: I) -> Owned {
        Owned(places.into_iter().map(|(topic, index)| (topic, vec![index])).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_messages::consumer_protocol::subscription::TopicPartition;

    fn told(user_data: Option<Bytes>, generation_id: i32) -> ConsumerProtocolSubscription {
        let owned = TopicPartition { topic: "a".into(), partitions: vec![PartitionIndex(4), PartitionIndex(1)] };
        ConsumerProtocolSubscription {
            topics: vec!["a".into()],
            user_data,
            owned_partitions: vec![owned],
            generation_id,
            rack_id: Some("left".into()),
        }
    }

    #[test]
    fn a_cooperative_member_owns_what_its_subscription_says() {
        let assignor = Assignor::CooperativeSticky;
        let last = Given { generation: 7, partitions: &[] };
        let member = assignor.member("m".into(), None, told(assignor.user_data(Some(last)), 9));
        assert_eq!(member.owned.places(), [("a".into(), PartitionIndex(4)), ("a".into(), PartitionIndex(1))]);
        assert_eq!((member.generation, member.rack.as_deref()), (Some(9), Some("left")));
    }

    #[test]
    fn the_generation_of_an_old_subscription_is_in_the_user_data() {
        let assignor = Assignor::CooperativeSticky;
        let last = Given { generation: 7, partitions: &[] };
        let of = |user_data| assignor.member("m".into(), None, told(user_data, -1)).generation;
        assert_eq!(of(assignor.user_data(Some(last))), Some(7));
        // librdkafka sends what its sticky assignor would.
        assert_eq!(of(Assignor::Sticky.user_data(Some(last))), Some(7));
        assert_eq!(of(assignor.user_data(None)), None);
        assert_eq!(of(None), None);
    }

    // A name of 30,000 bytes and 250,000 partitions: named for each, that would be 7 GB.
    #[test]
    fn what_is_short_on_its_way_is_short_in_memory() {
        let (name, partitions) = ("n".repeat(30_000), vec![PartitionIndex(7); 250_000]);
        let owned = vec![TopicPartition { topic: name.clone(), partitions: partitions.clone() }];
        let told = ConsumerProtocolSubscription { owned_partitions: owned, ..told(None, 1) };
        let cooperative = Assignor::CooperativeSticky.member("a".into(), None, told.clone());
        let mut data = thalweg_wire::codec::Encoder::new();
        data.array(&[()], |into, ()| {
            into.string(&name)?;
            into.plain_array(&partitions, |into, index| into.i32(index.0))
        })
        .unwrap();
        data.i32(1);
        let user_data = Some(data.finish().into_bytes());
        let sticky = Assignor::Sticky.member("b".into(), None, ConsumerProtocolSubscription { user_data, ..told });
        for (assignor, member) in [(Assignor::CooperativeSticky, cooperative), (Assignor::Sticky, sticky)] {
            assert_eq!(member.owned.0.len(), 1, "{assignor:?}");
            assert_eq!(member.owned.0[0].1.len(), 250_000);
            let shares = assignor.assign(&[("a".to_owned(), 2)].into(), &[member]);
            assert_eq!(shares.values().map(Vec::len).sum::<usize>(), 2);
        }
    }

    #[test]
    fn a_sticky_member_had_what_its_user_data_says() {
        let had = [("b".to_owned(), PartitionIndex(2))];
        let data = Assignor::Sticky.user_data(Some(Given { generation: 3, partitions: &had }));
        let member = Assignor::Sticky.member("m".into(), None, told(data, 9));
        assert_eq!((member.owned.places().as_slice(), member.generation), (had.as_slice(), Some(3)));
        assert_eq!(Assignor::Sticky.member("m".into(), None, told(None, 9)).owned.places(), []);
    }
}
