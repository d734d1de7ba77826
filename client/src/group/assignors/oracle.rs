//! The assignors beside Kafka's own: `fixtures/assignors` has what those were asked, and what they answered.

use super::properties::{check_balance, check_shares, moved};
use super::*;
use serde_json::Value;

const PLAIN: &str = include_str!("../../../../fixtures/assignors/plain.jsonl");
const STICKY: &str = include_str!("../../../../fixtures/assignors/sticky.jsonl");
const COOPERATIVE: &str = include_str!("../../../../fixtures/assignors/cooperative-sticky.jsonl");
const USER_DATA: &str = include_str!("../../../../fixtures/assignors/user-data.jsonl");

struct Line {
    value: Value,
    partitions: BTreeMap<String, usize>,
    members: Vec<Member>,
}

fn lines(text: &str) -> impl Iterator<Item = Line> {
    text.lines().map(|line| {
        let value: Value = serde_json::from_str(line).unwrap();
        let partitions = value["partitions"].as_object().unwrap();
        let partitions = partitions.iter().map(|(topic, count)| (topic.clone(), count.as_u64().unwrap() as usize));
        let members = value["members"].as_array().unwrap().iter().map(member).collect();
        Line { partitions: partitions.collect(), members, value }
    })
}

fn member(value: &Value) -> Member {
    let topics = value["topics"].as_array().unwrap();
    Member {
        id: value["id"].as_str().unwrap().into(),
        instance: value["instance"].as_str().map(Into::into),
        rack: None,
        topics: topics.iter().map(|topic| topic.as_str().unwrap().into()).collect(),
        owned: places(&value["owned"]).into_iter().collect(),
        generation: generation(value),
    }
}

fn generation(value: &Value) -> Option<i32> {
    value["generation"].as_i64().map(|generation| i32::try_from(generation).unwrap())
}

fn places(value: &Value) -> Vec<Place> {
    let of_topic = |(topic, indexes): (&String, &Value)| -> Vec<Place> {
        let indexes = indexes.as_array().unwrap().iter().map(|index| i32::try_from(index.as_i64().unwrap()).unwrap());
        indexes.map(|index| (topic.clone(), PartitionIndex(index))).collect()
    };
    value.as_object().into_iter().flatten().flat_map(of_topic).collect()
}

fn shares(value: &Value) -> Shares {
    value.as_object().unwrap().iter().map(|(member, share)| (member.clone(), places(share))).collect()
}

/// How many partitions each has, least first.
fn sizes(shares: &Shares) -> Vec<usize> {
    let mut sizes: Vec<usize> = shares.values().map(Vec::len).collect();
    sizes.sort_unstable();
    sizes
}

#[test]
fn range_and_round_robin_give_what_kafkas_give() {
    for (number, line) in lines(PLAIN).enumerate() {
        for assignor in [Assignor::Range, Assignor::RoundRobin] {
            let ours = assignor.assign(&line.partitions, &line.members);
            assert_eq!(ours, shares(&line.value[assignor.name()]), "{} in line {}", assignor.name(), number + 1);
        }
    }
}

#[test]
fn sticky_is_as_balanced_as_kafkas_and_moves_no_more() {
    // Where members read different topics, either moves less now and then: what counts is all of it.
    let mut total = [0, 0];
    for (number, line) in lines(STICKY).enumerate() {
        let ours = Assignor::Sticky.assign(&line.partitions, &line.members);
        let javas = shares(&line.value["assigned"]);
        check_shares(&line.partitions, &line.members, &ours);
        check_balance(&line.partitions, &line.members, &ours);
        let moves = [&ours, &javas].map(|shares| moved(&line.partitions, &line.members, shares));
        if line.members.iter().all(|member| member.topics == line.members[0].topics) {
            assert_eq!(sizes(&ours), sizes(&javas), "line {}", number + 1);
            assert!(moves[0] <= moves[1], "line {}: {moves:?}", number + 1);
        }
        (total[0], total[1]) = (total[0] + moves[0], total[1] + moves[1]);
    }
    assert!(total[0] <= total[1], "{total:?}");
}

#[test]
fn cooperative_moves_no_more_than_kafkas_and_ends_as_balanced() {
    let mut total = [0, 0];
    for mut line in lines(COOPERATIVE) {
        let assignor = Assignor::CooperativeSticky;
        let ours = assignor.assign(&line.partitions, &line.members);
        let javas = shares(&line.value["assigned"]);
        let moves = [&ours, &javas].map(|shares| moved(&line.partitions, &line.members, shares));
        (total[0], total[1]) = (total[0] + moves[0], total[1] + moves[1]);
        // All give up what they were not given, and join again.
        for member in &mut line.members {
            (member.owned, member.generation) = (ours[&member.id].iter().cloned().collect(), Some(i32::MAX));
        }
        let settled = assignor.assign(&line.partitions, &line.members);
        check_shares(&line.partitions, &line.members, &settled);
        check_balance(&line.partitions, &line.members, &settled);
    }
    assert!(total[0] <= total[1], "{total:?}");
}

#[test]
fn user_data_is_javas_and_reads_back() {
    for line in USER_DATA.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let all = [Assignor::Range, Assignor::RoundRobin, Assignor::Sticky, Assignor::CooperativeSticky];
        let assignor = all.into_iter().find(|assignor| line["assignor"] == assignor.name()).unwrap();
        let owned = places(&line["owned"]);
        let last = generation(&line).map(|generation| Given { generation, partitions: &owned });
        let data = assignor.user_data(last);
        let hex = data.as_ref().map(|data| data.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        assert_eq!(hex.as_deref(), line["userData"].as_str(), "{line}");

        let told = ConsumerProtocolSubscription { user_data: data, ..Default::default() };
        let member = assignor.member("m".into(), None, told);
        let is_told = matches!(assignor, Assignor::Sticky | Assignor::CooperativeSticky);
        assert_eq!(member.generation, generation(&line).filter(|_| is_told), "{line}");
        assert_eq!(member.owned.places(), if assignor == Assignor::Sticky { owned } else { Vec::new() }, "{line}");
    }
}
