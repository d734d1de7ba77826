//! Who reads what, by numbers, so that names are compared once.
//!
//! Most groups have members by the thousand that all read the same, so what they read is kept once: as an *interest*.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use thalweg_wire::PartitionIndex;

use super::{Member, Shares};

/// What each member is given, by numbers: member by member, the partitions.
pub(super) type Given = Vec<Vec<usize>>;

/// The members of a group and the topics that there are. Partitions of all topics are numbered through.
pub(super) struct Audience<'a> {
    /// Each id once, in the order in which they are served.
    pub(super) members: Vec<&'a Member>,
    /// The interest of each member.
    pub(super) interest_of: Vec<usize>,
    /// How many interests there are.
    pub(super) interests: usize,
    /// By name.
    pub(super) topics: Vec<Topic<'a>>,
    by_name: HashMap<&'a str, usize>,
}

/// A topic that there is.
pub(super) struct Topic<'a> {
    name: &'a str,
    /// Its partitions.
    pub(super) partitions: Range<usize>,
    /// The interests that hold it, ascending.
    pub(super) interests: Vec<usize>,
}

impl Topic<'_> {
    /// The number of a partition, if there is one.
    pub(super) fn partition(&self, index: PartitionIndex) -> Option<usize> {
        let index = usize::try_from(index.0).ok()?;
        (index < self.partitions.len()).then(|| self.partitions.start + index)
    }
}

impl<'a> Audience<'a> {
    pub(super) fn of(partitions: &'a BTreeMap<String, usize>, members: &'a [Member]) -> Audience<'a> {
        let members = in_order(members);
        let mut end = 0;
        let topics = partitions.iter().map(|(name, &count)| {
            let start = end;
            end += count;
            Topic { name, partitions: start..end, interests: Vec::new() }
        });
        let topics: Vec<Topic<'a>> = topics.collect();
        let by_name = topics.iter().enumerate().map(|(number, topic)| (topic.name, number)).collect();
        let mut audience = Audience { interest_of: Vec::new(), interests: 0, members, topics, by_name };
        audience.learn_interests();
        audience
    }

    /// How many partitions there are.
    pub(super) fn partitions(&self) -> usize {
        self.topics.last().map_or(0, |topic| topic.partitions.end)
    }

    /// The topic of that name, if there is one.
    pub(super) fn topic(&self, name: &str) -> Option<&Topic<'a>> {
        self.topics.get(*self.by_name.get(name)?)
    }

    /// The partition of that name, if there is one.
    #[cfg(test)]
    pub(super) fn partition(&self, topic: &str, index: PartitionIndex) -> Option<usize> {
        self.topic(topic)?.partition(index)
    }

    /// For each member whether it reads the topic.
    pub(super) fn readers(&self, topic: &Topic<'_>) -> Vec<bool> {
        let mut reads = vec![false; self.interests];
        for &interest in &topic.interests {
            reads[interest] = true;
        }
        self.interest_of.iter().map(|&interest| reads[interest]).collect()
    }

    /// With names again.
    pub(super) fn shares(&self, given: Given) -> Shares {
        let name = |partition: usize| {
            let topic = &self.topics[self.topics.partition_point(|topic| topic.partitions.end <= partition)];
            let index = i32::try_from(partition - topic.partitions.start).ok()?;
            Some((topic.name.to_owned(), PartitionIndex(index)))
        };
        let shares = self.members.iter().zip(given).map(|(member, mut partitions)| {
            partitions.sort_unstable();
            (member.id.clone(), partitions.into_iter().filter_map(name).collect())
        });
        shares.collect()
    }

    fn learn_interests(&mut self) {
        // Most send the same names in the same order: those are looked up once. Others send them in another order.
        let mut as_told: HashMap<&[String], usize> = HashMap::new();
        let mut by_topics: HashMap<Vec<usize>, usize> = HashMap::new();
        for member in &self.members {
            let interest = *as_told.entry(&member.topics).or_insert_with(|| {
                let mut read: Vec<usize> =
                    member.topics.iter().filter_map(|topic| self.by_name.get(topic.as_str()).copied()).collect();
                read.sort_unstable();
                read.dedup();
                let next = by_topics.len();
                *by_topics.entry(read).or_insert(next)
            });
            self.interest_of.push(interest);
        }
        self.interests = by_topics.len();
        let mut by_number: Vec<(usize, Vec<usize>)> =
            by_topics.into_iter().map(|(read, interest)| (interest, read)).collect();
        by_number.sort_unstable();
        for (interest, read) in by_number {
            for topic in read {
                self.topics[topic].interests.push(interest);
            }
        }
    }
}

/// Each id once, in the order in which Java's assignors serve: first static members by instance, as they come back with another
/// id and shall be given the same; then the others by id. Java compares strings by their UTF-16.
fn in_order(members: &[Member]) -> Vec<&Member> {
    let mut ids = HashSet::new();
    let mut members: Vec<&Member> = members.iter().filter(|member| ids.insert(member.id.as_str())).collect();
    let utf16 = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    members.sort_by_cached_key(|member| {
        (member.instance.is_none(), member.instance.as_deref().map(utf16), utf16(&member.id))
    });
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, instance: Option<&str>, topics: &[&str]) -> Member {
        Member {
            id: id.into(),
            instance: instance.map(Into::into),
            rack: None,
            topics: topics.iter().map(|&topic| topic.into()).collect(),
            owned: super::super::Owned::default(),
            generation: None,
        }
    }

    #[test]
    fn static_members_come_first_by_instance_and_the_others_by_id() {
        let members = [
            member("b", None, &[]),
            member("\u{ffff}", None, &[]),
            // Above U+FFFF, yet its UTF-16 begins with 0xd83e.
            member("\u{1f980}", None, &[]),
            member("d", Some("1"), &[]),
            member("c", Some("2"), &[]),
            member("b", Some("0"), &[]),
        ];
        let ids: Vec<&str> = in_order(&members).iter().map(|member| member.id.as_str()).collect();
        assert_eq!(ids, ["d", "c", "b", "\u{1f980}", "\u{ffff}"]);
    }

    #[test]
    fn who_reads_the_same_has_one_interest_however_it_says_so() {
        let partitions = [("a".to_owned(), 1), ("b".to_owned(), 2)].into();
        let members = [
            member("1", None, &["a", "b"]),
            member("2", None, &["b", "a", "a", "nowhere"]),
            member("3", None, &["b"]),
            member("4", None, &["nowhere"]),
        ];
        let audience = Audience::of(&partitions, &members);
        assert_eq!((audience.interest_of.as_slice(), audience.interests), ([0, 0, 1, 2].as_slice(), 3));
        assert_eq!(audience.readers(&audience.topics[1]), [true, true, true, false]);
        assert_eq!(audience.partition("b", PartitionIndex(1)), Some(2));
        for nowhere in [("b", 2), ("b", -1), ("c", 0)] {
            assert_eq!(audience.partition(nowhere.0, PartitionIndex(nowhere.1)), None);
        }
    }
}
