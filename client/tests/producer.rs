//! The producer against a simulated broker: what it says is there is there, once, in order.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::time::Duration;

use support::{batches, broker, client, create, read_all, story};
use thalweg_broker::Broker;
use thalweg_client::producer::{Acks, Options, partitioner};
use thalweg_client::{ClientError, Delivery, DeliveryError, Producer, Record, SendError};
use thalweg_wire::batch::{Codec, Compression};
use thalweg_wire::{ErrorCode, Offset, PartitionIndex, Timestamp};
use thalweg_world::World;
use thalweg_world::net::Listener;
use thalweg_world::simulated::{Rng, SimulatedWorld};
use tokio::io::AsyncWriteExt;

fn value(number: usize) -> String {
    format!("value {number}")
}

/// Sends values to one partition or to any, and gives their deliveries.
async fn send(producer: &Producer, topic: &str, numbers: std::ops::Range<usize>) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    for number in numbers {
        let value = value(number);
        deliveries.push(producer.send(Record::to(topic).partition(0).value(&value)).await.unwrap());
    }
    deliveries
}

#[test]
fn records_lie_where_their_deliveries_say() {
    story(1, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[]).await;
        create(world, "t", 3, &[]).await;
        let producer = Producer::new(client(world), Options::default()).unwrap();
        let mut sent = Vec::new();
        for number in 0..300 {
            let (key, value) = (format!("key {}", number % 7), value(number));
            let record = Record::to("t").key(&key).value(&value).header("h", b"x").timestamp(Timestamp::from_millis(5));
            let delivery = producer.send(record).await.unwrap();
            sent.push((key, value, delivery));
        }
        let mut receipts = Vec::new();
        for (key, value, delivery) in sent {
            let receipt = delivery.await.unwrap();
            assert_eq!(receipt.partition, partitioner::of_key(key.as_bytes(), 3));
            assert_eq!(&*receipt.topic, "t");
            receipts.push((receipt.partition, receipt.offset, value));
        }
        producer.close().await;
        let mut total = 0;
        for partition in 0..3 {
            let found = read_all(world, "t", partition).await;
            let expected = receipts.iter().filter(|(own, ..)| own.0 == partition);
            let expected = expected.map(|(_, offset, value)| (offset.0, value.clone().into()));
            assert_eq!(found, expected.collect::<Vec<_>>());
            total += found.len();
        }
        assert_eq!(total, 300);
    });
}

#[test]
fn records_without_keys_go_to_all_partitions_a_batch_at_a_time() {
    story(2, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[]).await;
        create(world, "t", 3, &[]).await;
        let producer = Producer::new(client(world), Options { batch_bytes: 1_000, ..Options::default() }).unwrap();
        for _ in 0..1_000 {
            producer.send(Record::to("t").value("0123456789")).await.unwrap();
        }
        producer.close().await;
        let mut counts = Vec::new();
        for partition in 0..3 {
            counts.push(read_all(world, "t", partition).await.len());
        }
        assert_eq!(counts.iter().sum::<usize>(), 1_000);
        assert!(counts.iter().all(|count| *count > 100), "{counts:?}");
    });
}

/// The codecs of a topic's batches.
async fn codecs_in(world: &World, topic: &str) -> Vec<Option<Codec>> {
    let mut codecs: Vec<_> = batches(world, topic, 0, 0).await.iter().map(|batch| batch.header().codec()).collect();
    codecs.dedup();
    codecs
}

#[test]
fn every_codec_is_understood() {
    story(3, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[]).await;
        let codecs = [
            ("none", Compression::None),
            ("gzip", Compression::Gzip(None)),
            ("snappy", Compression::Snappy),
            ("lz4", Compression::Lz4),
            ("zstd", Compression::Zstd(3)),
        ];
        for (name, compression) in codecs {
            create(world, name, 1, &[]).await;
            let producer = Producer::new(client(world), Options { compression, ..Options::default() }).unwrap();
            send(&producer, name, 0..500).await;
            producer.close().await;
            let found = read_all(world, name, 0).await;
            let expected: Vec<_> = (0..500).map(|number| (number as i64, value(number).into())).collect();
            assert_eq!(found, expected, "{name}");
            assert_eq!(codecs_in(world, name).await, [Some(compression.codec())], "{name}");
        }
    });
}

#[test]
fn without_acknowledgement_there_is_no_offset() {
    story(4, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[]).await;
        create(world, "t", 1, &[]).await;
        for (acks, offset) in [(Acks::None, -1), (Acks::Leader, 1)] {
            let producer =
                Producer::new(client(world), Options { acks, is_idempotent: false, ..Options::default() }).unwrap();
            let delivery = send(&producer, "t", 0..1).await.remove(0);
            assert_eq!(delivery.await.unwrap().offset, Offset(offset));
            producer.close().await;
        }
        assert_eq!(read_all(world, "t", 0).await.len(), 2);
    });
}

/// A broker that is killed and started again while records are on their way.
async fn restarting(sim: &SimulatedWorld, kills: usize, rng: &mut Rng) -> Broker {
    let mut running = broker(&sim.world, &[]).await;
    for _ in 0..kills {
        sim.world.clock.sleep(Duration::from_millis(rng.below(40))).await;
        drop(running);
        sim.world.clock.sleep(Duration::from_millis(rng.below(300))).await;
        running = broker(&sim.world, &[]).await;
    }
    running
}

// The promise of an idempotent producer: however often a batch has to be sent again, it is there once, in its place.
#[test]
fn each_record_is_there_once_though_the_broker_is_killed_over_and_over() {
    for seed in 0..12 {
        story(seed, async |sim| {
            let world = &sim.world;
            let first = broker(world, &[]).await;
            create(world, "t", 1, &[]).await;
            first.stop().await.unwrap();
            let mut rng = Rng::stream(seed, "kills");
            let options = Options { batch_bytes: 400, linger: Duration::from_millis(1), ..Options::default() };
            let producer = Producer::new(client(world), options).unwrap();
            let write = async {
                let mut deliveries = Vec::new();
                for number in 0..400 {
                    deliveries.extend(send(&producer, "t", number..number + 1).await);
                    world.clock.sleep(Duration::from_millis(u64::from(number % 3 == 0))).await;
                }
                deliveries
            };
            let (deliveries, running) = tokio::join!(write, restarting(&sim, 6, &mut rng));
            producer.flush().await;
            for (number, delivery) in deliveries.iter().enumerate() {
                let receipt = delivery.told().unwrap().unwrap();
                // -1: the broker knew the batch, and had forgotten where.
                assert!([number as i64, -1].contains(&receipt.offset.0), "seed {seed}: {number} at {}", receipt.offset);
            }
            let expected: Vec<_> = (0..400).map(|number| (number as i64, value(number).into())).collect();
            assert_eq!(read_all(world, "t", 0).await, expected, "seed {seed}");
            drop(running);
        });
    }
}

// A batch that is refused leaves a hole in the numbers; those behind it are numbered anew.
#[test]
fn a_refused_batch_takes_nothing_else_with_it() {
    story(5, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[]).await;
        create(world, "compacted", 1, &[("cleanup.policy", "compact")]).await;
        let options = Options { linger: Duration::ZERO, batch_bytes: 1, ..Options::default() };
        let producer = Producer::new(client(world), options).unwrap();
        let mut deliveries = Vec::new();
        for number in 0..30 {
            let value = value(number);
            let record = Record::to("compacted").value(&value);
            let keyed = record.clone().key("k");
            deliveries.push(producer.send(if number % 10 == 3 { record } else { keyed }).await.unwrap());
        }
        producer.flush().await;
        let mut stored = Vec::new();
        for (number, delivery) in deliveries.into_iter().enumerate() {
            match delivery.await {
                Ok(receipt) => stored.push((receipt.offset.0, value(number).into())),
                Err(DeliveryError::Refused { code, .. }) => {
                    assert_eq!((code, number % 10), (ErrorCode::InvalidRecord, 3));
                }
                Err(error) => panic!("{number}: {error}"),
            }
        }
        assert_eq!(stored.len(), 27);
        assert_eq!(read_all(world, "compacted", 0).await, stored);
    });
}

// Small records are not lost since the topic's `max.message.bytes` is below the producer's `batch_bytes`.
#[test]
fn batches_that_the_topic_finds_too_long_are_sent_as_shorter_ones() {
    for (seed, compression) in [(1, Compression::None), (2, Compression::Lz4)] {
        story(seed, async |sim| {
            let world = &sim.world;
            let _broker = broker(world, &[]).await;
            create(world, "short", 1, &[("max.message.bytes", "700")]).await;
            let mut rng = Rng::stream(seed, "values");
            let producer =
                Producer::new(client(world), Options { batch_bytes: 6_000, compression, ..Options::default() })
                    .unwrap();
            let mut sent = Vec::new();
            for number in 0..400 {
                // Digits that don't compress to nothing; now and then a value that is too long by itself.
                let length = if number % 100 == 50 { 4_000 } else { rng.below(100) };
                let value: String = (0..length).map(|_| char::from(33 + rng.below(90) as u8)).collect();
                let delivery = producer.send(Record::to("short").value(&value)).await.unwrap();
                sent.push((value, delivery));
            }
            producer.flush().await;
            let mut stored = Vec::new();
            for (value, delivery) in sent {
                match delivery.told().unwrap() {
                    Ok(receipt) => stored.push((receipt.offset.0, value.into())),
                    Err(DeliveryError::Refused { code: ErrorCode::MessageTooLarge, .. }) => {
                        assert_eq!(value.len(), 4_000);
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(stored.len(), 396);
            assert_eq!(read_all(world, "short", 0).await, stored);
        });
    }
}

#[test]
fn options_that_contradict_each_other_are_refused_before_anything_is_sent() {
    story(9, async |sim| {
        let refused = Producer::new(client(&sim.world), Options { acks: Acks::Leader, ..Options::default() });
        assert_eq!(refused.err().unwrap().to_string(), "acks: an idempotent producer needs acks=all");
    });
}

#[test]
fn what_can_not_be_sent_is_refused_at_once() {
    story(6, async |sim| {
        let world = &sim.world;
        let _broker = broker(world, &[("auto.create.topics.enable", "false")]).await;
        create(world, "t", 2, &[]).await;
        let options = Options { request_bytes_max: 1_000, max_block: Duration::from_secs(2), ..Options::default() };
        let producer = Producer::new(client(world), options).unwrap();
        let long = "x".repeat(1_000);
        let refused = producer.send(Record::to("t").value(&long)).await.unwrap_err();
        assert!(matches!(refused, SendError::TooLarge { max: 1_000, .. }), "{refused:?}");
        let refused = producer.send(Record::to("t").partition(2)).await.unwrap_err();
        assert_eq!(refused, SendError::NoPartition { partition: PartitionIndex(2), partitions: 2 });
        let refused = producer.send(Record::to("t").partition(-1)).await.unwrap_err();
        assert!(matches!(refused, SendError::NoPartition { .. }), "{refused:?}");
        let refused = producer.send(Record::to("no such topic")).await.unwrap_err();
        let SendError::Topic(ClientError::Refused { code, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(code, ErrorCode::InvalidTopicException);
        let refused = producer.send(Record::to("unknown")).await.unwrap_err();
        assert!(matches!(refused, SendError::Topic(ClientError::TimedOut(_))), "{refused:?}");
    });
}

#[test]
fn nobody_there_is_an_error_in_time_and_takes_no_more_memory_than_was_given() {
    story(7, async |sim| {
        let world = &sim.world;
        let running = broker(world, &[]).await;
        create(world, "t", 1, &[]).await;
        let options = Options {
            buffer_bytes: 2_000,
            max_block: Duration::from_secs(3),
            delivery_timeout: Duration::from_secs(10),
            ..Options::default()
        };
        let producer = Producer::new(client(world), options).unwrap();
        let first = send(&producer, "t", 0..1).await.remove(0);
        first.await.unwrap();
        drop(running);
        let mut taken = Vec::new();
        let refused = loop {
            match producer.send(Record::to("t").value("0123456789")).await {
                Ok(delivery) => taken.push(delivery),
                Err(refused) => break refused,
            }
        };
        assert_eq!(refused, SendError::Full);
        assert!((20..60).contains(&taken.len()), "{}", taken.len());
        for delivery in taken {
            assert!(matches!(delivery.await, Err(DeliveryError::TimedOut { .. })));
        }
        // It goes on as soon as there is a broker, with all the memory that it had.
        let _running = broker(world, &[]).await;
        let deliveries = send(&producer, "t", 1..20).await;
        for delivery in deliveries {
            delivery.await.unwrap();
        }
    });
}

#[test]
fn a_producer_that_ends_says_what_it_gave_up() {
    story(8, async |sim| {
        let world = &sim.world;
        let running = broker(world, &[]).await;
        create(world, "t", 1, &[]).await;
        let producer = Producer::new(client(world), Options::default()).unwrap();
        let first = send(&producer, "t", 0..1).await.remove(0);
        first.await.unwrap();
        drop(running);
        let lost = send(&producer, "t", 1..2).await.remove(0);
        drop(producer);
        assert_eq!(lost.await.unwrap_err(), DeliveryError::Closed);
    });
}

/// Says the same to whoever connects, whatever it is asked.
async fn parrot(world: &World, words: &'static [u8]) {
    let mut listener: Box<dyn Listener> = world.net.listen(support::ADDRESS).await.unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(words).await;
            let _ = stream.flush().await;
            kept.push(stream);
        }
    });
}

#[test]
fn a_broker_that_talks_nonsense_is_an_error() {
    let words: [&'static [u8]; 6] = [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        &[0x7f, 0xff, 0xff, 0xff, 1, 2, 3],
        &[0xff, 0xff, 0xff, 0xff],
        // An answer to something else.
        &[0, 0, 0, 4, 0, 0, 0, 99],
        // An answer to the first question that ends too soon, and claims a great many APIs.
        &[0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1],
    ];
    for (seed, words) in words.into_iter().enumerate() {
        story(seed as u64, async |sim| {
            parrot(&sim.world, words).await;
            let options = Options { max_block: Duration::from_secs(20), ..Options::default() };
            let producer = Producer::new(client(&sim.world), options).unwrap();
            let refused = producer.send(Record::to("t").value("v")).await.unwrap_err();
            assert!(matches!(refused, SendError::Topic(_)), "{words:?}: {refused:?}");
        });
    }
}
