//! The consumer against a simulated broker: every record once, in order, from where it was told to begin.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use support::{ask, broker, client, create, story};
use thalweg_client::consumer::{Options, Reset};
use thalweg_client::{Client, ConsumeError, Consumer, Isolation, Producer, Record, Records, Start, producer};
use thalweg_messages::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use thalweg_wire::batch::Compression;
use thalweg_wire::{ErrorCode, Offset, PartitionIndex, Timestamp};
use thalweg_world::World;
use thalweg_world::simulated::Rng;

/// Writes numbered values; record n has time n.
async fn fill(client: &Client, topic: &str, partitions: i32, numbers: std::ops::Range<i64>) {
    let options = producer::Options { batch_bytes: 500, compression: Compression::Lz4, ..Default::default() };
    let producer = Producer::new(client.clone(), options).unwrap();
    for number in numbers {
        for partition in 0..partitions {
            let (value, timestamp) = (format!("{partition}/{number}"), Timestamp::from_millis(number));
            let record = Record::to(topic).partition(partition).value(&value).timestamp(timestamp);
            drop(producer.send(record).await.unwrap());
        }
    }
    producer.close().await;
}

/// Offsets and values by partition.
type Seen = BTreeMap<i32, Vec<(i64, String)>>;

fn see(records: &Records, seen: &mut Seen) {
    let partition = seen.entry(records.partition().0).or_default();
    for record in records.iter() {
        let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
        partition.push((record.offset.0, value));
    }
}

/// Reads until there are so many records.
async fn read(consumer: &Consumer, count: usize) -> Seen {
    let mut seen = Seen::new();
    while seen.values().map(Vec::len).sum::<usize>() < count {
        see(&consumer.poll().await.unwrap(), &mut seen);
    }
    seen
}

fn expected(partitions: i32, numbers: std::ops::Range<i64>) -> Seen {
    let of = |partition| numbers.clone().map(move |number| (number, format!("{partition}/{number}"))).collect();
    (0..partitions).map(|partition| (partition, of(partition))).collect()
}

#[test]
fn every_partition_is_read_in_order_and_followed() {
    story(1, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[]).await;
        create(world, "t", 3, &[]).await;
        let client = client(world);
        fill(&client, "t", 3, 0..200).await;
        let options = Options { partition_max_bytes: 1_000, max_bytes: 2_500, ..Options::default() };
        let consumer = Consumer::new(client.clone(), options);
        consumer.assign((0..3).map(|partition| ("t", partition, Start::Earliest)));
        assert_eq!(read(&consumer, 600).await, expected(3, 0..200));
        assert_eq!(consumer.position("t", 1), Some(Offset(200)));
        // Records that come later, too.
        let (seen, ()) = tokio::join!(read(&consumer, 30), fill(&client, "t", 3, 200..210));
        assert_eq!(seen, expected(3, 200..210));
        assert_eq!(consumer.high_watermark("t", 1), Some(Offset(210)));
    });
}

#[test]
fn an_idle_partition_does_not_slow_a_busy_one() {
    story(7, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[]).await;
        create(world, "busy", 1, &[]).await;
        create(world, "idle", 1, &[]).await;
        let client = client(world);
        fill(&client, "busy", 1, 0..400).await;
        let mut spans = Vec::new();
        for assigned in [&["busy"][..], &["busy", "idle"]] {
            let consumer = Consumer::new(client.clone(), Options { partition_max_bytes: 600, ..Options::default() });
            consumer.assign(assigned.iter().map(|topic| (*topic, 0, Start::Earliest)));
            let began = world.clock.now();
            let mut seen = 0;
            while seen < 400 {
                seen += consumer.poll().await.unwrap().iter().count();
                // The program does something with them.
                world.clock.sleep(Duration::from_millis(10)).await;
            }
            spans.push(world.clock.now().since(began));
        }
        assert!(spans[1] < 5 * spans[0], "{spans:?}");
    });
}

#[test]
fn it_begins_where_it_is_told() {
    story(2, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[]).await;
        create(world, "t", 1, &[]).await;
        let client = client(world);
        fill(&client, "t", 1, 0..100).await;
        let consumer = Consumer::new(client.clone(), Options::default());
        for (start, first) in [
            (Start::Offset(Offset(37)), 37),
            (Start::Time(Timestamp::from_millis(64)), 64),
            (Start::Earliest, 0),
            (Start::Offset(Offset(99)), 99),
        ] {
            consumer.assign([("t", 0, start)]);
            let records = consumer.poll().await.unwrap();
            assert_eq!(records.iter().next().unwrap().offset, Offset(first), "{start:?}");
        }
        for start in [Start::Latest, Start::Time(Timestamp::from_millis(1_000))] {
            consumer.assign([("t", 0, start)]);
            while consumer.position("t", 0).is_none() {
                world.clock.sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(consumer.position("t", 0), Some(Offset(100)), "{start:?}");
        }
        let now = world.clock.now() + Duration::from_secs(1);
        let end = client.offset("t", PartitionIndex(0), Start::Latest, Isolation::ReadUncommitted, now).await;
        assert_eq!(end, Ok(Offset(100)));
    });
}

#[test]
fn a_seek_goes_back_and_forth_and_a_paused_partition_is_silent() {
    story(3, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[]).await;
        create(world, "t", 2, &[]).await;
        let client = client(world);
        fill(&client, "t", 2, 0..100).await;
        let consumer = Consumer::new(client, Options { partition_max_bytes: 600, ..Options::default() });
        consumer.assign([("t", 0, Start::Earliest), ("t", 1, Start::Earliest)]);
        consumer.pause("t", 1).unwrap();
        let mut rng = Rng::stream(3, "seeks");
        for _ in 0..30 {
            let to = rng.below(100) as i64;
            consumer.seek("t", 0, Start::Offset(Offset(to))).unwrap();
            let records = consumer.poll().await.unwrap();
            assert_eq!((records.partition().0, records.iter().next().unwrap().offset), (0, Offset(to)));
            assert_eq!(consumer.position("t", 0), Some(records.next_offset()));
        }
        consumer.pause("t", 0).unwrap();
        consumer.resume("t", 1).unwrap();
        assert_eq!(read(&consumer, 100).await, BTreeMap::from([(1, expected(2, 0..100).remove(&1).unwrap())]));
        assert!(consumer.seek("t", 2, Start::Earliest).is_err());
    });
}

#[test]
fn nothing_is_missed_or_seen_twice_while_the_broker_is_killed_over_and_over() {
    for seed in 0..8 {
        story(seed, async |sim| {
            let world = &sim.world;
            let mut running = broker(world, &[]).await;
            create(world, "t", 2, &[]).await;
            let client = client(world);
            let consumer = Consumer::new(client.clone(), Options { partition_max_bytes: 800, ..Options::default() });
            consumer.assign([("t", 0, Start::Earliest), ("t", 1, Start::Earliest)]);
            let mut rng = Rng::stream(seed, "kills");
            let kill = async {
                for _ in 0..5 {
                    world.clock.sleep(Duration::from_millis(rng.below(60))).await;
                    drop(running);
                    world.clock.sleep(Duration::from_millis(rng.below(400))).await;
                    running = broker(world, &[]).await;
                }
                running
            };
            let write = async {
                for from in (0..300).step_by(20) {
                    fill(&client, "t", 2, from..from + 20).await;
                    world.clock.sleep(Duration::from_millis(20)).await;
                }
            };
            let (seen, _running, ()) = tokio::join!(read(&consumer, 600), kill, write);
            assert_eq!(seen, expected(2, 0..300), "seed {seed}");
        });
    }
}

async fn delete_below(world: &World, topic: &str, offset: i64) {
    let partitions = vec![DeleteRecordsPartition { offset: Offset(offset), ..DeleteRecordsPartition::default() }];
    let topics = vec![DeleteRecordsTopic { name: topic.to_owned(), partitions, ..DeleteRecordsTopic::default() }];
    let request = DeleteRecordsRequest { topics, timeout_ms: 10_000, ..DeleteRecordsRequest::default() };
    assert_eq!(ask(world, 2, &request).await.topics[0].partitions[0].error_code, 0);
}

#[test]
fn an_offset_that_is_gone_is_told_or_passed_over() {
    story(5, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[]).await;
        create(world, "t", 1, &[]).await;
        let client = client(world);
        fill(&client, "t", 1, 0..100).await;
        delete_below(world, "t", 60).await;

        let strict = Consumer::new(client.clone(), Options { reset: Reset::Fail, ..Options::default() });
        strict.assign([("t", 0, Start::Offset(Offset(10)))]);
        let (topic, partition) = ("t".into(), PartitionIndex(0));
        let error = ConsumeError::OutOfRange { topic, partition, offset: Offset(10) };
        assert_eq!(strict.poll().await.unwrap_err(), error);
        strict.seek("t", 0, Start::Offset(Offset(90))).unwrap();
        assert_eq!(strict.poll().await.unwrap().iter().next().unwrap().offset, Offset(90));

        let lenient = Consumer::new(client, Options::default());
        lenient.assign([("t", 0, Start::Offset(Offset(10)))]);
        assert_eq!(lenient.poll().await.unwrap().iter().next().unwrap().offset, Offset(60));
    });
}

#[test]
fn a_name_that_no_topic_has_is_refused_and_one_that_may_come_is_waited_for() {
    story(6, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[("auto.create.topics.enable", "false")]).await;
        let client = client(world);
        let consumer = Consumer::new(client.clone(), Options::default());
        consumer.assign([("no such topic", 0, Start::Earliest), ("later", 0, Start::Earliest)]);
        let refused = consumer.poll().await.unwrap_err();
        assert!(matches!(refused, ConsumeError::Refused { code: ErrorCode::InvalidTopicException, .. }), "{refused}");
        let come = async {
            world.clock.sleep(Duration::from_secs(30)).await;
            create(world, "later", 1, &[]).await;
            fill(&client, "later", 1, 0..3).await;
        };
        let (seen, ()) = tokio::join!(read(&consumer, 3), come);
        assert_eq!(seen, expected(1, 0..3));
    });
}
