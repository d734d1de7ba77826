//! How much memory the decoder takes: none on the hot path, a small multiple of the input anywhere.
//!
//! A binary of its own, since `allocation_counter` puts an allocator under all of it. It counts by thread: the tests may
//! run side by side.
#![allow(clippy::unwrap_used)]

mod support;

use allocation_counter::measure;
use bytes::Bytes;
use support::{base64, label, lines, message_of, number};
use thalweg_messages::fetch::{FetchPartition, FetchRequest, FetchTopic, FetchView};
use thalweg_messages::json::Value;
use thalweg_messages::produce::{ProducePartition, ProduceRequest, ProduceTopic, ProduceView};
use thalweg_messages::{Message, fetch};
use thalweg_wire::codec::{DecodeError, Decoder, Encoder};
use thalweg_wire::{PartitionIndex, Uuid};

/// A body as a connection has it: memory that is shared already.
fn body(message: &impl Message, version: i16) -> (Bytes, Bytes) {
    let mut into = Encoder::new();
    message.encode(&mut into, version).unwrap();
    let body = into.finish().into_bytes();
    (body.clone(), body)
}

#[test]
fn the_counter_counts() {
    let taken = measure(|| drop(std::hint::black_box(vec![0u8; 100])));
    assert_eq!((taken.count_total, taken.bytes_total), (1, 100));
}

#[test]
fn a_produce_request_of_a_thousand_partitions_is_read_without_allocating() {
    let partition = |index| ProducePartition {
        index: PartitionIndex(index),
        records: Some(Bytes::from(vec![7; 100])),
        ..ProducePartition::default()
    };
    let topic = |id: u8| ProduceTopic {
        topic_id: Uuid([id; 16]),
        partition_data: (0..100).map(partition).collect(),
        ..ProduceTopic::default()
    };
    for version in [12, 13] {
        let mut request = ProduceRequest { topic_data: (0..10).map(topic).collect(), ..ProduceRequest::default() };
        request.topic_data.iter_mut().for_each(|topic| topic.name = "river".to_owned());
        let (_held, body) = body(&request, version);
        let mut seen = (0, 0);
        let taken = measure(|| {
            let view = ProduceView::parse(body, version).unwrap();
            for topic in view.topics() {
                for partition in topic.partitions {
                    seen.0 += 1;
                    seen.1 += partition.records.map_or(0, |records| records.len());
                }
            }
            assert_eq!(view.transactional_id().as_deref(), None);
        });
        assert_eq!(seen, (1000, 100_000));
        assert_eq!(taken.count_total, 0, "v{version}");
    }
}

#[test]
fn a_fetch_request_of_a_thousand_partitions_is_read_without_allocating() {
    let partition = |index| FetchPartition { partition: PartitionIndex(index), ..FetchPartition::default() };
    let topic = |id: u8| FetchTopic {
        topic: "river".to_owned(),
        topic_id: Uuid([id; 16]),
        partitions: (0..100).map(partition).collect(),
        ..FetchTopic::default()
    };
    for version in FetchRequest::versions() {
        let mut request = FetchRequest { topics: (0..10).map(topic).collect(), ..FetchRequest::default() };
        if version >= 15 {
            request.replica_state = fetch::ReplicaState { replica_epoch: 5, ..Default::default() };
        }
        let (_held, body) = body(&request, version);
        let mut seen = 0;
        let taken = measure(|| {
            let view = FetchView::parse(body, version).unwrap();
            seen += view.topics().map(|topic| topic.partitions.count()).sum::<usize>();
            seen += view.forgotten().map(|topic| topic.partitions.count()).sum::<usize>();
            assert_eq!((&*view.rack_id(), view.cluster_id()), ("", None));
        });
        assert_eq!((seen, taken.count_total), (1000, 0), "v{version}");
    }
}

// These bytes end a well-known Rust codec: it reserves 206 GB for two billion topics and the process is aborted.
#[test]
fn a_fetch_request_of_two_billion_topics_in_21_bytes_is_refused_without_memory() {
    let body = [&[0xff; 4][..], &[0, 0, 1, 0xf4, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 0], &0x7fff_ffffu32.to_be_bytes()];
    let body = Bytes::from(body.concat());
    assert_eq!(body.len(), 21);
    let refusal = DecodeError::Oversized { claimed: 2_147_483_647, remaining: 0 };
    let taken = measure(|| {
        assert_eq!(FetchRequest::decode(&mut Decoder::new(&body), 4), Err(refusal));
        assert_eq!(FetchView::parse(body.clone(), 4).map(|_| ()), Err(refusal));
    });
    assert!(taken.bytes_total < 200, "{taken:?}");
}

// A count that the bytes could just hold must not reserve the large structs that they would become.
#[test]
fn a_count_that_the_bytes_could_hold_reserves_no_more_than_there_are_bytes() {
    let mut body = vec![0xff; 4];
    body.extend([0, 0, 1, 0xf4, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 0]);
    body.extend(10_000u32.to_be_bytes());
    body.extend([0xff; 60_000]);
    let body = Bytes::from(body);
    let taken = measure(|| assert!(FetchRequest::decode(&mut Decoder::new(&body), 4).is_err()));
    assert!(taken.bytes_max <= body.len() as u64, "{taken:?}");
}

#[test]
fn no_damaged_body_takes_more_than_a_small_multiple_of_its_length() {
    let ours: Vec<Value> = lines("negative/negative").into_iter().filter(|line| message_of(line).is_some()).collect();
    for line in &ours {
        let (message, version, body) = (message_of(line).unwrap(), number(line, "version"), base64(line, "body"));
        let taken = measure(|| {
            let _ = (message.decode)(&body, version);
        });
        assert!(
            taken.bytes_total <= 64 * body.len() as u64 + 1024,
            "{}: {taken:?} for {} bytes",
            label(line),
            body.len()
        );
    }
    assert_eq!(ours.len(), 8404);
}
