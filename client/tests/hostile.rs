//! Brokers whose answers are well formed and can't be true: an error in time, never a panic, a hang or a loop.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use support::{body, client, scripted, story};
use thalweg_client::producer::Options;
use thalweg_client::{ClientError, DeliveryError, Isolation, Producer, Record, SendError, Start};
use thalweg_messages::api_versions::{ApiVersion, ApiVersionsResponse};
use thalweg_messages::init_producer_id::InitProducerIdResponse;
use thalweg_messages::list_offsets::{ListOffsetsPartitionResponse, ListOffsetsResponse, ListOffsetsTopicResponse};
use thalweg_messages::metadata::{MetadataBroker, MetadataPartition, MetadataResponse, MetadataTopic};
use thalweg_messages::produce::{ProducePartitionResponse, ProduceResponse, ProduceTopicResponse};
use thalweg_wire::{BrokerId, ErrorCode, Offset, PartitionIndex, ProducerEpoch, ProducerId};

const PRODUCE: i16 = 0;
const LIST_OFFSETS: i16 = 2;
const METADATA: i16 = 3;
const API_VERSIONS: i16 = 18;
const INIT_PRODUCER_ID: i16 = 22;

fn versions() -> ApiVersionsResponse {
    let ranges =
        [(PRODUCE, 3, 12), (LIST_OFFSETS, 1, 7), (METADATA, 0, 12), (API_VERSIONS, 0, 4), (INIT_PRODUCER_ID, 0, 4)];
    let api =
        |(api_key, min_version, max_version)| ApiVersion { api_key, min_version, max_version, ..Default::default() };
    ApiVersionsResponse { api_keys: ranges.map(api).to_vec(), ..ApiVersionsResponse::default() }
}

fn metadata(partitions: &[i32], leader: i32) -> MetadataResponse {
    let partition = |index: &i32| MetadataPartition {
        partition_index: PartitionIndex(*index),
        leader_id: BrokerId(leader),
        ..MetadataPartition::default()
    };
    let (name, partitions) = (Some("t".to_owned()), partitions.iter().map(partition).collect());
    let broker =
        MetadataBroker { node_id: BrokerId(1), host: "127.0.0.1".to_owned(), port: 9092, ..Default::default() };
    MetadataResponse {
        brokers: vec![broker],
        topics: vec![MetadataTopic { name, partitions, ..MetadataTopic::default() }],
        ..MetadataResponse::default()
    }
}

fn honest(key: i16, version: i16) -> Option<Bytes> {
    Some(match key {
        API_VERSIONS => body(&versions(), version),
        METADATA => body(&metadata(&[0], 1), version),
        INIT_PRODUCER_ID => {
            let (producer_id, producer_epoch) = (ProducerId(7), ProducerEpoch(0));
            body(&InitProducerIdResponse { producer_id, producer_epoch, ..Default::default() }, version)
        }
        _ => return None,
    })
}

fn options() -> Options {
    let (max_block, delivery_timeout) = (Duration::from_secs(20), Duration::from_secs(40));
    Options { max_block, delivery_timeout, ..Options::default() }
}

#[test]
fn partitions_with_numbers_that_no_topic_has_are_none() {
    story(1, async |sim| {
        fn script(key: i16, version: i16) -> Option<Bytes> {
            let partitions = [i32::MAX, i32::MIN, -1];
            if key == METADATA { Some(body(&metadata(&partitions, 1), version)) } else { honest(key, version) }
        }
        scripted(&sim.world, script).await;
        let producer = Producer::new(client(&sim.world), options()).unwrap();
        let delivery = producer.send(Record::to("t").partition(0).value("v")).await.unwrap();
        let reason = "nobody leads the partition".to_owned();
        assert_eq!(delivery.await, Err(DeliveryError::TimedOut { reason }));
        let refused = producer.send(Record::to("t").partition(i32::MAX).value("v")).await;
        assert!(matches!(refused, Err(SendError::NoPartition { .. })));
        producer.close().await;
    });
}

static ASKED: AtomicUsize = AtomicUsize::new(0);

#[test]
fn a_leader_that_is_no_broker_is_none_and_is_not_asked_for_over_and_over() {
    story(1, async |sim| {
        fn script(key: i16, version: i16) -> Option<Bytes> {
            if key != METADATA {
                return honest(key, version);
            }
            ASKED.fetch_add(1, Ordering::Relaxed);
            Some(body(&metadata(&[0], 99), version))
        }
        scripted(&sim.world, script).await;
        let producer = Producer::new(client(&sim.world), options()).unwrap();
        let delivery = producer.send(Record::to("t").value("v")).await.unwrap();
        assert!(matches!(delivery.await, Err(DeliveryError::TimedOut { .. })));
        producer.close().await;
        let asked = ASKED.load(Ordering::Relaxed);
        assert!((30..80).contains(&asked), "about once a second for 40 s: {asked}");
    });
}

#[test]
fn an_end_below_zero_is_no_end() {
    story(2, async |sim| {
        fn script(key: i16, version: i16) -> Option<Bytes> {
            if key != LIST_OFFSETS {
                return honest(key, version);
            }
            let partitions = vec![ListOffsetsPartitionResponse { offset: Offset(-1), ..Default::default() }];
            let topics = vec![ListOffsetsTopicResponse { name: "t".to_owned(), partitions, ..Default::default() }];
            Some(body(&ListOffsetsResponse { topics, ..ListOffsetsResponse::default() }, version))
        }
        scripted(&sim.world, script).await;
        let client = client(&sim.world);
        for start in [Start::Latest, Start::Earliest, Start::Time(thalweg_wire::Timestamp::from_millis(5))] {
            let deadline = sim.world.clock.now() + Duration::from_secs(10);
            let told = client.offset("t", PartitionIndex(0), start, Isolation::ReadUncommitted, deadline).await;
            assert!(matches!(told, Err(ClientError::TimedOut(_))), "{start:?}: {told:?}");
        }
    });
}

#[test]
fn the_largest_offset_is_not_passed() {
    story(3, async |sim| {
        fn script(key: i16, version: i16) -> Option<Bytes> {
            if key != PRODUCE {
                return honest(key, version);
            }
            let base_offset = Offset(i64::MAX);
            let partition_responses = vec![ProducePartitionResponse { base_offset, ..Default::default() }];
            let responses =
                vec![ProduceTopicResponse { name: "t".to_owned(), partition_responses, ..Default::default() }];
            Some(body(&ProduceResponse { responses, ..ProduceResponse::default() }, version))
        }
        scripted(&sim.world, script).await;
        let producer = Producer::new(client(&sim.world), options()).unwrap();
        drop(producer.send(Record::to("t").value("v")).await.unwrap());
        let second = producer.send(Record::to("t").value("v")).await.unwrap();
        assert_eq!(second.await.unwrap().offset, Offset(i64::MAX));
    });
}

#[test]
fn a_producer_id_that_is_none_is_not_taken() {
    story(4, async |sim| {
        fn script(key: i16, version: i16) -> Option<Bytes> {
            if key != INIT_PRODUCER_ID {
                return honest(key, version);
            }
            let (producer_id, producer_epoch) = (ProducerId::NONE, ProducerEpoch::NONE);
            Some(body(&InitProducerIdResponse { producer_id, producer_epoch, ..Default::default() }, version))
        }
        scripted(&sim.world, script).await;
        let producer = Producer::new(client(&sim.world), options()).unwrap();
        let delivery = producer.send(Record::to("t").value("v")).await.unwrap();
        assert!(matches!(delivery.await, Err(DeliveryError::TimedOut { .. })));
    });
}

// Asking again would not help: the program is told why, at once.
#[test]
fn who_may_not_write_at_all_is_told_so() {
    story(6, async |sim| {
        fn script(key: i16, version: i16) -> Option<Bytes> {
            if key != INIT_PRODUCER_ID {
                return honest(key, version);
            }
            let error_code = ErrorCode::ClusterAuthorizationFailed.code();
            Some(body(&InitProducerIdResponse { error_code, ..InitProducerIdResponse::default() }, version))
        }
        scripted(&sim.world, script).await;
        let producer = Producer::new(client(&sim.world), options()).unwrap();
        let delivery = producer.send(Record::to("t").value("v")).await.unwrap();
        let refused = delivery.await.unwrap_err();
        assert!(
            matches!(refused, DeliveryError::Refused { code: ErrorCode::ClusterAuthorizationFailed, .. }),
            "{refused}"
        );
    });
}

// Whoever waits doesn't stand in line behind the others: each is told in its own time.
#[test]
fn a_broker_that_never_answers_holds_nobody_longer_than_was_allowed() {
    story(5, async |sim| {
        scripted(&sim.world, |_, _| None).await;
        let producer =
            Producer::new(client(&sim.world), Options { max_block: Duration::from_secs(5), ..options() }).unwrap();
        let began = sim.world.clock.now();
        let sends = (0..10).map(|_| producer.send(Record::to("t").value("v")));
        for refused in futures_util::future::join_all(sends).await {
            assert!(matches!(refused, Err(SendError::Topic(ClientError::TimedOut(_)))), "{refused:?}");
        }
        assert!(sim.world.clock.now().since(began) < Duration::from_secs(6));
    });
}

// The answer may come long after: a record's time is over when the program said.
#[test]
fn a_record_that_is_on_its_way_is_told_of_at_its_time() {
    story(7, async |sim| {
        scripted(&sim.world, honest).await;
        let delivery_timeout = Duration::from_secs(2);
        let producer = Producer::new(client(&sim.world), Options { delivery_timeout, ..options() }).unwrap();
        let began = sim.world.clock.now();
        let delivery = producer.send(Record::to("t").value("v")).await.unwrap();
        producer.close().await;
        assert!(matches!(delivery.told(), Some(Err(DeliveryError::TimedOut { .. }))), "{delivery:?}");
        assert!(sim.world.clock.now().since(began) < Duration::from_secs(3));
    });
}
