//! However a node came by its records (live, from the log, from a snapshot and the rest of the log), it has the same
//! image.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use thalweg_coordinators::cluster::{
    AlterConfigs, Alteration, Assignment, BrokerStart, Command, CreateTopics, Effect, Image, Intent, LastStop,
    NewTopic, Operation, Others, Policy, Record, Reply, Resource, SettingRules, records,
};
use thalweg_coordinators::{Context, Machine};
use thalweg_messages::metadata_log::{
    ConfigRecord, FeatureLevelRecord, PartitionChangeRecord, ProducerIdsRecord, RegisterBrokerRecord,
    RemoveTopicRecord, UnregisterBrokerRecord,
};
use thalweg_wire::{BrokerId, Moment, Offset, PartitionIndex, ProducerId, Uuid};

struct NoRules;

impl SettingRules for NoRules {
    fn check_topic(&self, _: &Image, _: Option<&Settings>, _: &Settings) -> Result<(), String> {
        Ok(())
    }

    fn check_broker(&self, _: &Image, _: &str, _: &Settings) -> Result<(), String> {
        Ok(())
    }

    fn list_default(&self, _: &Resource, name: &str) -> Option<String> {
        (name == "a").then(|| "0".to_owned())
    }
}

type Settings = BTreeMap<String, String>;

fn policy() -> Policy {
    Policy { partitions: 2, replication_factor: 1, rules: Arc::new(NoRules) }
}

fn id(number: u64) -> Uuid {
    Uuid(u128::from(number).to_be_bytes())
}

/// Something that happens to a cluster.
#[derive(Clone, Debug)]
enum Happening {
    Decided(Command),
    Written(Record),
}

fn topic() -> impl Strategy<Value = NewTopic> {
    let assignments = prop::collection::vec(prop::collection::vec(0..4i32, 1..3), 0..3);
    let settings = prop::collection::vec(("[ab]", prop::option::weighted(0.9, "[0-9]{1,3}")), 0..3);
    // Few names, so that they meet; their ids come from a counter, as entropy's never meet.
    ("[ab._]{1,2}", -1..4i32, -1..3i16, assignments, settings).prop_map(
        |(name, partitions, factor, lists, settings)| {
            let assignment = |(partition, brokers): (i32, Vec<i32>)| Assignment {
                partition: PartitionIndex(partition),
                brokers: brokers.into_iter().map(BrokerId).collect(),
            };
            let placed = !lists.is_empty();
            NewTopic {
                name,
                id: Uuid::ZERO,
                partitions: if placed { -1 } else { partitions },
                replication_factor: if placed { -1 } else { factor },
                assignments: (0..).zip(lists).map(assignment).collect(),
                settings,
            }
        },
    )
}

fn happening() -> impl Strategy<Value = Happening> {
    let register =
        (0..4i32, 0..6u64, prop::collection::vec(0..9u64, 0..3)).prop_map(|(broker, process, directories)| {
            Happening::Decided(Command::RegisterBroker(BrokerStart {
                broker: BrokerId(broker),
                incarnation: id(1000 + process),
                directories: directories.into_iter().map(id).collect(),
                last_stop: LastStop::Unclean,
            }))
        });
    let create = prop::collection::vec(topic(), 1..4)
        .prop_map(|topics| Happening::Decided(Command::CreateTopics(CreateTopics { topics, effect: Effect::Create })));
    let operation = ("[0-9](,[0-9])?", 0..4).prop_map(|(value, which)| match which {
        0 => Operation::Set(value),
        1 => Operation::Reset,
        2 => Operation::Append(value),
        _ => Operation::Subtract(value),
    });
    let changes = prop::collection::btree_map("[ab]", operation, 0..3);
    let others = prop_oneof![3 => Just(Others::Keep), 1 => Just(Others::Reset)];
    let alter =
        (prop_oneof![Just(2i8), Just(4)], "[ab._]{1,2}", changes, others).prop_map(|(kind, name, changes, others)| {
            let changes = changes.into_iter().collect();
            let alteration = Alteration { of: Resource { kind, name }, changes, others };
            let resources = vec![alteration];
            Happening::Decided(Command::AlterConfigs(AlterConfigs { resources, intent: Intent::Change }))
        });
    // Topics by small ids: some exist, some did, some never will.
    let remove = (1..20u64).prop_map(|topic| RemoveTopicRecord { topic_id: id(topic), ..Default::default() }.into());
    let change = (1..20u64, 0..3i32, -2..4i32, prop::option::of(prop::collection::vec(0..4i32, 0..3)), -1..2i8)
        .prop_map(|(topic, partition, leader, brokers, leader_recovery_state)| {
            let brokers = brokers.map(|brokers| brokers.into_iter().map(BrokerId).collect::<Vec<_>>());
            PartitionChangeRecord {
                topic_id: id(topic),
                partition_id: PartitionIndex(partition),
                leader: BrokerId(leader),
                isr: brokers.clone(),
                adding_replicas: brokers.clone(),
                replicas: brokers.clone().filter(|brokers| !brokers.is_empty()),
                eligible_leader_replicas: brokers,
                leader_recovery_state,
                ..Default::default()
            }
            .into()
        });
    let set = (prop_oneof![Just(2i8), Just(4)], "[ab._]{1,2}", "[ab]", prop::option::of("[0-9]")).prop_map(
        |(resource_type, resource_name, name, value)| {
            ConfigRecord { resource_type, resource_name, name, value, ..Default::default() }.into()
        },
    );
    let feature = ("[ab]", 0..3i16)
        .prop_map(|(name, feature_level)| FeatureLevelRecord { name, feature_level, ..Default::default() }.into());
    let kafka = (0..4i32, 0..30i64).prop_map(|(broker, broker_epoch)| {
        RegisterBrokerRecord {
            broker_id: BrokerId(broker),
            broker_epoch,
            incarnation_id: id(broker_epoch.unsigned_abs()),
            ..Default::default()
        }
        .into()
    });
    let unregister = (0..4i32, 0..30i64).prop_map(|(broker, broker_epoch)| {
        UnregisterBrokerRecord { broker_id: BrokerId(broker), broker_epoch, ..Default::default() }.into()
    });
    let producers = (0..9i64)
        .prop_map(|next| ProducerIdsRecord { next_producer_id: ProducerId(next), ..Default::default() }.into());
    let unknown = prop::collection::vec(any::<u8>(), 0..9)
        .prop_map(|body| Record::Unknown([&[1, 0x8f, 0x4e, 0][..], &body].concat().into()));
    let written = prop_oneof![remove, change, set, feature, kafka, unregister, producers, unknown];
    prop_oneof![1 => register, 3 => create, 2 => alter, 4 => written.prop_map(Happening::Written)]
}

/// Applies an entry, from its bytes.
fn apply(image: &mut Image, index: i64, entry: &Bytes) {
    for record in records::decode(entry) {
        image.apply(Context { offset: Offset(index) }, &record.unwrap());
    }
}

proptest! {
    #[test]
    fn replays_and_snapshots_give_the_same_image(
        happenings in prop::collection::vec(happening(), 1..60),
        snapshot_at in 0..60usize,
    ) {
        let mut image = Image::new();
        let mut log: Vec<Bytes> = Vec::new();
        let mut snapshot = (0, Bytes::new());
        let mut ids = 0;
        for happening in happenings {
            let decided = match happening {
                Happening::Written(record) => vec![record],
                Happening::Decided(mut command) => {
                    if let Command::CreateTopics(request) = &mut command {
                        for topic in &mut request.topics {
                            ids += 1;
                            topic.id = id(ids);
                        }
                    }
                    let before = image.clone();
                    let decision = image.decide(&mut policy(), Moment::ZERO, command);
                    prop_assert_eq!(&image, &before, "deciding changes nothing");
                    if let Reply::Topics(replies) = decision.reply {
                        let created = replies.iter().filter(|reply| reply.outcome.is_ok()).count();
                        prop_assert_eq!(created == 0, decision.records.is_empty());
                    }
                    decision.records
                }
            };
            if decided.is_empty() {
                continue;
            }
            log.push(records::encode(&decided).unwrap());
            apply(&mut image, log.len() as i64, &log[log.len() - 1]);
            // A snapshot of nothing has no record that could say where it stands.
            if log.len() == snapshot_at && image.image().next().is_some() {
                snapshot = (snapshot_at, records::encode(image.image()).unwrap());
            }
        }

        let mut replayed = Image::new();
        for (index, entry) in (1..).zip(&log) {
            apply(&mut replayed, index, entry);
        }
        prop_assert_eq!(&replayed, &image);

        let (at, bytes) = snapshot;
        let mut restored = Image::new();
        apply(&mut restored, at as i64, &bytes);
        for (index, entry) in (1..).zip(&log).skip(at) {
            apply(&mut restored, index, entry);
        }
        prop_assert_eq!(&restored, &image);
        prop_assert_eq!(records::encode(restored.image()), records::encode(image.image()));

        for topic in image.topics() {
            prop_assert_eq!(image.topic(topic.name()), Some(topic));
            prop_assert_eq!(image.topic_by_id(topic.id()), Some(topic));
        }
        prop_assert_eq!(image.topics().count(), image.topic_count());
    }
}

fn new_topic(number: u64) -> NewTopic {
    NewTopic {
        name: format!("topic.{number:05}"),
        id: id(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(number + 1)),
        partitions: 1,
        replication_factor: 1,
        assignments: Vec::new(),
        settings: Vec::new(),
    }
}

fn create(image: &mut Image, topics: Vec<NewTopic>) -> Bytes {
    let command = Command::CreateTopics(CreateTopics { topics, effect: Effect::Create });
    let decision = image.decide(&mut policy(), Moment::ZERO, command);
    let entry = records::encode(&decision.records).unwrap();
    apply(image, image.applied().0 + 1, &entry);
    entry
}

fn with_one_broker() -> Image {
    let mut image = Image::new();
    let start =
        BrokerStart { broker: BrokerId(1), incarnation: id(7), directories: vec![id(8)], last_stop: LastStop::Clean };
    let decision = image.decide(&mut policy(), Moment::ZERO, Command::RegisterBroker(start));
    apply(&mut image, 1, &records::encode(&decision.records).unwrap());
    image
}

/// Ten thousand topics are one entry, appear at once, and fit into the largest entry that the quorum takes.
#[test]
fn ten_thousand_topics_in_one_request() {
    let mut image = with_one_broker();
    let entry = create(&mut image, (0..10_000).map(new_topic).collect());
    assert_eq!((image.topic_count(), image.applied()), (10_000, Offset(2)));
    assert!(entry.len() < 2 << 20, "{} bytes", entry.len());
    assert!(image.topics().zip(0..).all(|(topic, number)| **topic.name() == *format!("topic.{number:05}")));
}

/// A reader keeps the image that it has, and shares with the next one every topic that didn't change.
#[test]
fn a_reader_shares_what_did_not_change() {
    let mut image = with_one_broker();
    create(&mut image, (0..1000).map(new_topic).collect());
    let held = image.clone();
    create(&mut image, vec![new_topic(1000)]);
    let record: Record = ConfigRecord {
        resource_type: 2,
        resource_name: "topic.00007".to_owned(),
        name: "retention.ms".to_owned(),
        value: Some("1".to_owned()),
        ..Default::default()
    }
    .into();
    apply(&mut image, 4, &records::encode(&[record]).unwrap());
    assert_eq!((held.topic_count(), image.topic_count()), (1000, 1001));
    assert!(held.topic("topic.00007").unwrap().settings().is_empty());
    let copied = held.topics().filter(|topic| !Arc::ptr_eq(topic, image.topic(topic.name()).unwrap())).count();
    assert_eq!(copied, 1);
}
