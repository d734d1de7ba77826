//! A coordinator that reads what a real Kafka 4.3 left in `__consumer_offsets` knows what that Kafka knew.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use flate2::read::GzDecoder;
use serde_json::Value;
use thalweg_coordinators::Context;
use thalweg_coordinators::groups::{
    Answer, Command, Coordinator, Described, Filter, Now, OffsetFetch, Policy, Refusal, Request, Ticket,
    TransactionEnd, records,
};
use thalweg_messages::group_log::GroupRecord;
use thalweg_wire::batch::{Batches, Records, Scratch};
use thalweg_wire::{Moment, Offset, Timestamp};

const NOW: Now = Now { moment: Moment::ZERO, timestamp: Timestamp::from_millis(0) };

/// Topic, partition, offset, leader epoch, metadata.
type Committed = (String, i64, i64, i64, String);

/// All partitions of the topic in one coordinator: they share no group.
fn load() -> (Coordinator, usize) {
    let mut coordinator = Coordinator::new(Policy::default());
    let mut count = 0;
    for (path, bytes) in files(&unpacked("clean.tar.gz")) {
        if path.contains("__consumer_offsets-") && path.ends_with(".log") {
            count += read(&mut coordinator, bytes);
        }
    }
    coordinator.loaded(NOW);
    (coordinator, count)
}

fn read(coordinator: &mut Coordinator, bytes: Vec<u8>) -> usize {
    let mut count = 0;
    for batch in Batches::new(bytes.into()) {
        let batch = batch.unwrap().decompressed(&mut Scratch::new()).unwrap();
        let producer = batch.header().producer_id();
        for record in Records::of(&batch).unwrap().map(Result::unwrap) {
            let key = Bytes::copy_from_slice(record.key.unwrap());
            if batch.header().is_control() {
                // Version, then kind: 0 abort, 1 commit.
                let end = if key[3] == 1 { TransactionEnd::Committed } else { TransactionEnd::Aborted };
                coordinator.transaction_ended(producer, end);
                continue;
            }
            let value = record.value.map(Bytes::copy_from_slice);
            let read = GroupRecord::decode(&key, value.as_ref()).unwrap();
            let at = Context { offset: record.offset };
            if batch.header().is_transactional() {
                coordinator.apply_in_transaction(at, producer, &read);
            } else {
                coordinator.apply(at, &read);
                check_bytes(&read, &key, value.as_ref());
            }
            count += 1;
        }
    }
    count
}

/// What we write is what Kafka wrote.
fn check_bytes(record: &GroupRecord, key: &Bytes, value: Option<&Bytes>) {
    assert_eq!(records::encode(record), Ok((key.clone(), value.cloned())), "{record:?}");
}

#[test]
fn groups_of_a_real_kafka_are_served_as_it_served_them() {
    let (mut coordinator, count) = load();
    let mut tickets = (1..).map(Ticket);
    let mut ask = |request| {
        let decision = coordinator.decide(NOW, Command::Ask(tickets.next().unwrap(), request));
        assert!(decision.records.is_empty());
        let [(_, answer)] = decision.reply.try_into().unwrap();
        answer
    };
    let (mut groups, mut listed) = (0, 0);
    let mut offsets: BTreeMap<String, Vec<Committed>> = BTreeMap::new();
    for line in lines("clean.groups.jsonl.gz") {
        let line = &line;
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        let number = |key: &str| line[key].as_i64().unwrap();
        match line["kind"].as_str().unwrap() {
            "group" if line["api"] == "DescribeGroups" => {
                let [group] = line["response"]["groups"].as_array().unwrap().as_slice() else { panic!("one group") };
                let name = group["groupId"].as_str().unwrap().to_owned();
                let Answer::Describe(Ok(described)) = ask(Request::Describe { group: name }) else { panic!("{group}") };
                assert_eq!(shown(&described), kafkas(group), "{group}");
                groups += 1;
            }
            "groups" => {
                let Answer::List(ours) = ask(Request::List(Filter::default())) else { panic!("another answer") };
                for group in line["response"]["groups"].as_array().unwrap() {
                    if group["groupType"] == "classic" {
                        let found = ours.iter().find(|ours| group["groupId"] == ours.group.as_str()).unwrap();
                        let found = (found.protocol_type.as_str(), found.state.name());
                        let told = (group["protocolType"].as_str().unwrap(), group["groupState"].as_str().unwrap());
                        assert_eq!(found, told);
                        listed += 1;
                    }
                }
            }
            "offset" => offsets.entry(text("group")).or_default().push((
                text("topic"),
                number("partition"),
                number("offset"),
                number("leaderEpoch"),
                text("metadata"),
            )),
            _ => {}
        }
    }
    assert_eq!((groups, listed, offsets.len()), (6, 6, 9));
    for (group, told) in offsets {
        let Answer::Fetch(topics) = ask(Request::Fetch(OffsetFetch { group, topics: None })) else { panic!("another") };
        let found = topics.into_iter().flat_map(|topic| {
            topic.partitions.into_iter().map(move |(index, committed)| {
                let committed = committed.unwrap();
                let numbers = (i64::from(index.0), committed.offset.0, i64::from(committed.leader_epoch.0));
                (topic.topic.name.clone(), numbers.0, numbers.1, numbers.2, committed.metadata)
            })
        });
        assert_eq!(found.collect::<Vec<_>>(), told);
    }
    // Its own manifest: one offset in the air, and what other protocols wrote is passed over.
    let stored = coordinator.stored();
    assert_eq!((stored.open_count(), stored.other_count() > 0), (1, true));
    assert!(count > 100, "{count} records");
}

/// The members that a real Kafka knew have their place, and go when nobody hears of them.
#[test]
fn its_members_have_a_session() {
    let (mut coordinator, _) = load();
    let describe = |coordinator: &mut Coordinator, now, ticket| {
        let ask = Command::Ask(Ticket(ticket), Request::Describe { group: "classic-stable".to_owned() });
        let Ok([(_, Answer::Describe(Ok(described)))]) = <[_; 1]>::try_from(coordinator.decide(now, ask).reply) else {
            panic!("another answer")
        };
        described.members.len()
    };
    assert_eq!(describe(&mut coordinator, NOW, 1), 2);
    let mut now = NOW;
    for _ in 0..10 {
        now.moment = now.moment.max(coordinator.deadline().unwrap());
        let decision = coordinator.decide(now, Command::Tick);
        for record in &decision.records {
            coordinator.apply(Context { offset: Offset(i64::MAX) }, record);
        }
        if describe(&mut coordinator, now, 2 + now.moment.nanos()) == 0 {
            return assert!(now.moment.nanos() >= 30 * 60 * 1_000_000_000, "half an hour");
        }
    }
    panic!("they are still there");
}

/// A group of another protocol is none of ours, apart from what it has committed.
#[test]
fn groups_of_other_protocols_have_no_members_here() {
    let (mut coordinator, _) = load();
    let mut describe = |ticket, group: &str| {
        let ask = Command::Ask(Ticket(ticket), Request::Describe { group: group.to_owned() });
        let Ok([(_, Answer::Describe(described))]) = <[_; 1]>::try_from(coordinator.decide(NOW, ask).reply) else {
            panic!("another answer")
        };
        described
    };
    assert_eq!(describe(1, "share-open"), Err(Refusal::NoSuchGroup));
    assert!(describe(2, "modern-stable").unwrap().members.is_empty());
    assert_eq!(describe(3, "deleted"), Err(Refusal::NoSuchGroup));
}

type Shown = (String, String, String, Vec<[String; 6]>);

fn shown(group: &Described) -> Shown {
    let members = group.members.iter().map(|member| {
        [
            member.member_id.clone(),
            member.instance_id.clone().unwrap_or_default(),
            member.client_id.clone(),
            member.client_host.clone(),
            base64(&member.metadata),
            base64(&member.assignment),
        ]
    });
    let mut members: Vec<_> = members.collect();
    members.sort();
    (group.state.name().to_owned(), group.protocol_type.clone(), group.protocol_name.clone(), members)
}

fn kafkas(group: &Value) -> Shown {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let keys = ["memberId", "groupInstanceId", "clientId", "clientHost", "memberMetadata", "memberAssignment"];
    let members = group["members"].as_array().unwrap().iter().map(|member| keys.map(|key| text(&member[key])));
    let mut members: Vec<_> = members.collect();
    members.sort();
    (text(&group["groupState"]), text(&group["protocolType"]), text(&group["protocolData"]), members)
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let bits = chunk.iter().chain(&[0; 2]).take(3).fold(0u32, |bits, &byte| bits << 8 | u32::from(byte));
        let letter = |place: usize| match place {
            _ if place > chunk.len() => '=',
            _ => char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]),
        };
        [0, 1, 2, 3].map(letter)
    };
    bytes.chunks(3).flat_map(group).collect()
}

fn unpacked(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/kafka-4.3").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
    unpacked
}

fn lines(name: &str) -> Vec<Value> {
    let text = String::from_utf8(unpacked(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The files of a tar archive whose paths fit into its own heads; those of `__consumer_offsets` do.
fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    const BLOCK: usize = 512;
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        String::from_utf8(bytes[..end].to_vec()).unwrap()
    };
    let (mut files, mut at) = (BTreeMap::new(), 0);
    while at + BLOCK <= archive.len() && archive[at] != 0 {
        let head = &archive[at..at + BLOCK];
        let size = usize::from_str_radix(text(&head[124..136]).trim(), 8).unwrap();
        if matches!(head[156], b'0' | 0) {
            files.insert(text(&head[..100]), archive[at + BLOCK..at + BLOCK + size].to_vec());
        }
        at += BLOCK + size.next_multiple_of(BLOCK);
    }
    files
}
