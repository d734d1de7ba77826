//! Who has what before a rebalance, where members may say more than is true.

use super::audience::{Audience, Given};

/// Partition by partition, who says that it has it.
pub(super) struct Claims(Vec<Option<Claim>>);

#[derive(Clone, Copy)]
struct Claim {
    /// Whose claim holds.
    owner: Option<usize>,
    /// The highest generation in which somebody says to have got it; -1 where it isn't told.
    generation: i32,
    /// Who said so last.
    last: usize,
}

impl Claims {
    /// Of several that claim a partition the one with the highest generation has it (KIP-341). Of several with the same nobody
    /// does: it can't be told who is wrong (KIP-792).
    pub(super) fn of(audience: &Audience<'_>) -> Claims {
        let mut claims = vec![None; audience.partitions()];
        for (number, member) in audience.members.iter().enumerate() {
            let generation = member.generation.unwrap_or(-1).max(-1);
            for (topic, indexes) in &member.owned.0 {
                let Some(topic) = audience.topic(topic) else { continue };
                for partition in indexes.iter().filter_map(|index| topic.partition(*index)) {
                    claims[partition] = Some(Claim::joined(claims[partition], number, generation));
                }
            }
        }
        Claims(claims)
    }

    /// Who has the partition.
    pub(super) fn owner(&self, partition: usize) -> Option<usize> {
        self.0[partition].and_then(|claim| claim.owner)
    }

    /// Takes back what is given to one while another still claims it. The other learns that it has it no longer, gives it up, and
    /// joins again: then it is free (KIP-429).
    pub(super) fn withhold(&self, given: &mut Given) {
        for (member, partitions) in given.iter_mut().enumerate() {
            partitions.retain(|&partition| self.0[partition].is_none_or(|claim| claim.owner == Some(member)));
        }
    }
}

impl Claim {
    /// With one claim more. Members come one after the other.
    fn joined(before: Option<Claim>, member: usize, generation: i32) -> Claim {
        match before {
            Some(claim) if claim.last == member => claim,
            Some(claim) if claim.generation > generation => Claim { last: member, ..claim },
            Some(claim) if claim.generation == generation => Claim { owner: None, last: member, ..claim },
            _ => Claim { owner: Some(member), generation, last: member },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Assignor, Member, Place};
    use super::*;
    use std::collections::BTreeMap;
    use thalweg_wire::PartitionIndex;

    fn place(index: i32) -> Place {
        ("t".into(), PartitionIndex(index))
    }

    fn member(id: &str, generation: Option<i32>, owned: &[i32]) -> Member {
        let owned = owned.iter().map(|&index| place(index)).collect();
        Member { id: id.into(), instance: None, rack: None, topics: vec!["t".into()], owned, generation }
    }

    fn partitions(count: usize) -> BTreeMap<String, usize> {
        [("t".into(), count)].into()
    }

    fn owners(count: usize, members: &[Member]) -> Vec<Option<usize>> {
        let partitions = partitions(count);
        let claims = Claims::of(&Audience::of(&partitions, members));
        (0..count).map(|partition| claims.owner(partition)).collect()
    }

    #[test]
    fn the_higher_generation_has_it_whoever_comes_first() {
        assert_eq!(owners(1, &[member("a", Some(2), &[0]), member("b", Some(3), &[0])]), [Some(1)]);
        assert_eq!(owners(1, &[member("a", Some(3), &[0]), member("b", Some(2), &[0])]), [Some(0)]);
        assert_eq!(owners(1, &[member("a", None, &[0]), member("b", Some(0), &[0])]), [Some(1)]);
    }

    #[test]
    fn of_equal_generations_nobody_has_it_but_a_higher_one() {
        let [a, b] = [member("a", Some(2), &[0]), member("b", Some(2), &[0])];
        assert_eq!(owners(1, &[a.clone(), b.clone()]), [None]);
        assert_eq!(owners(1, &[a.clone(), b.clone(), member("c", Some(2), &[0])]), [None]);
        assert_eq!(owners(1, &[a.clone(), b.clone(), member("c", Some(1), &[0])]), [None]);
        assert_eq!(owners(1, &[a, b, member("c", Some(3), &[0])]), [Some(2)]);
    }

    #[test]
    fn who_says_it_twice_says_it_once() {
        assert_eq!(owners(2, &[member("a", Some(2), &[0, 0, 7, -1])]), [Some(0), None]);
    }

    #[test]
    fn a_partition_goes_to_another_only_when_its_owner_has_given_it_up() {
        let assign = |members: &[Member]| Assignor::CooperativeSticky.assign(&partitions(4), members);
        let shares = assign(&[member("a", Some(1), &[0, 1, 2, 3]), member("b", None, &[])]);
        let kept = shares["a"].clone();
        assert_eq!((kept.len(), shares["b"].len()), (2, 0));
        let kept: Vec<i32> = kept.iter().map(|(_, index)| index.0).collect();
        let shares = assign(&[member("a", Some(2), &kept), member("b", Some(2), &[])]);
        assert_eq!(shares["b"].len(), 2);
    }

    #[test]
    fn what_two_claim_alike_is_given_to_neither_before_both_gave_it_up() {
        let shares = Assignor::CooperativeSticky
            .assign(&partitions(1), &[member("a", Some(1), &[0]), member("b", Some(1), &[0])]);
        assert!(shares["a"].is_empty() && shares["b"].is_empty());
    }
}
