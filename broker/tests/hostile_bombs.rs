//! Requests that are small and ask for much: lengths, counts and codecs that lie. Each is answered, or its connection closed,
//! within a second of its last byte, and takes little memory.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use support::workload::{ADDRESS, boot, create, settings_with};
use support::{Client, batch, fetch_request, frame_of, produce_request_of};
use thalweg_broker::Broker;
use thalweg_broker::handlers::SERVED;
use thalweg_messages::api::body_form;
use thalweg_messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use thalweg_messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use thalweg_messages::metadata::MetadataRequest;
use thalweg_messages::push_telemetry::PushTelemetryRequest;
use thalweg_wire::batch::{Batch, Compression};
use thalweg_wire::codec::Form;
use thalweg_wire::frame::{RequestHeader, finish_frame};
use thalweg_wire::{ErrorCode, ProducerEpoch, ProducerId, Uuid};
use thalweg_world::simulated::{SimulatedWorld, Traffic};
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);

/// A broker that takes batches of 16 MiB, with a topic `log`; requests reach it whole.
async fn broker() -> (SimulatedWorld, Broker) {
    let sim = SimulatedWorld::new(3);
    sim.net.set_traffic(Traffic { buffer_bytes: 64 << 20, ..Traffic::default() });
    let settings = settings_with(&[("message.max.bytes", "16777216"), ("telemetry.max.bytes", "16777216")]);
    let broker = Broker::start(sim.world.clone(), settings).await.unwrap();
    create(&mut connect(&sim).await, "log", &[]).await.unwrap();
    (sim, broker)
}

async fn connect(sim: &SimulatedWorld) -> Client {
    Client::connect(&sim.world, ADDRESS).await.unwrap()
}

/// What a peer hears who sends this and then has said all: an answer, or nothing more.
async fn heard(sim: &SimulatedWorld, bytes: &[u8]) -> Option<Bytes> {
    let mut peer = connect(sim).await;
    // A broker that has seen enough doesn't read the rest.
    let _ = peer.send_bytes(bytes).await;
    let _ = peer.finish_sending().await;
    timeout(SECOND, peer.receive_bytes()).await.expect("an answer or an end within a second").ok()
}

/// Everybody else is served, and nothing is held any more.
async fn all_is_well(sim: &SimulatedWorld, broker: Broker) {
    let mut client = connect(sim).await;
    let answer = timeout(SECOND, client.produce("log", 0, &batch(&[b"as ever"]))).await.expect("at once").unwrap();
    assert_eq!(answer.error_code, 0);
    assert_eq!(broker.request_bytes(), 0);
    drop(client);
    broker.stop().await.unwrap();
}

/// The same of a peer that goes on listening.
async fn is_closed(sim: &SimulatedWorld, bytes: &[u8]) -> bool {
    let mut peer = connect(sim).await;
    let _ = peer.send_bytes(bytes).await;
    timeout(SECOND, peer.receive_bytes()).await.is_ok_and(|end| end.is_err())
}

#[test]
fn a_length_that_no_request_has_closes_the_connection() {
    boot(async {
        let (sim, broker) = broker().await;
        for length in [0, -1, i32::MIN, i32::MAX, (100 << 20) + 1, i32::from_be_bytes(*b"GET ")] {
            assert!(is_closed(&sim, &length.to_be_bytes()).await, "{length}");
            assert!(is_closed(&sim, &[&length.to_be_bytes()[..], &[0; 100]].concat()).await, "{length}");
        }
        all_is_well(&sim, broker).await;
    });
}

/// Counts, lengths and tags of all APIs at their first and their last version, wherever in the body they stand.
#[test]
fn a_count_is_never_believed() {
    let took = allocation_counter::measure(|| {
        boot(async {
            let (sim, broker) = broker().await;
            for api in SERVED {
                for version in [*api.versions.start(), *api.versions.end()] {
                    for lie in [&[0x7f, 0xff, 0xff, 0xff][..], &[0xff, 0xff, 0xff, 0xff, 0x07], &[0x7f, 0xff]] {
                        for before in [0, 1, 2, 4, 7, 16] {
                            let header = RequestHeader {
                                api_key: api.key,
                                api_version: version,
                                correlation_id: 1,
                                client_id: "test".into(),
                            };
                            let mut into = header.begin_request(body_form(api.key, version).unwrap_or(Form::Classic));
                            into.raw(&vec![0; before]);
                            into.raw(&lie.repeat(8));
                            let _answer_or_end = heard(&sim, &finish_frame(into).into_bytes()).await;
                        }
                    }
                }
            }
            all_is_well(&sim, broker).await;
        });
    });
    assert!(took.bytes_max < 32 << 20, "{} bytes at one time", took.bytes_max);
}

/// A record of a gibibyte, as far as its beginning says.
fn head_of_a_record() -> Vec<u8> {
    let varint = |number: u64| {
        let mut left = number << 1;
        let mut bytes = Vec::new();
        while left > 0x7f {
            bytes.push((left & 0x7f | 0x80) as u8);
            left >>= 7;
        }
        bytes.push(left as u8);
        bytes
    };
    // Attributes, two deltas, no key; behind the value no headers.
    [varint((1 << 30) + 10), vec![0, 0, 0, 1], varint(1 << 30)].concat()
}

const PIECE: usize = 16 << 20;

/// A gibibyte of zeros, as small as the codec makes it, in a batch that is right in every other respect.
fn bomb(how: Compression) -> Batch {
    let compressed = |content: Vec<u8>| {
        let content = Batch::new(batch(&[b"v"]).header().clone(), content.into()).compressed(how);
        content.records().to_vec()
    };
    let (head, piece) = (compressed(head_of_a_record()), compressed(vec![0; PIECE]));
    let records = match how {
        // The blocks of a frame follow each other.
        Compression::Snappy => [&head[..], &piece[16..].repeat(64)].concat(),
        Compression::Lz4 => {
            let blocks = |frame: &[u8]| frame[7..frame.len() - 4].to_vec();
            [&piece[..7], &blocks(&head), &blocks(&piece).repeat(64), &[0; 4]].concat()
        }
        // So do members, and frames.
        _ => [head, piece.repeat(64)].concat(),
    };
    of_records(how, records)
}

/// A batch of these bytes of records, with the checksum that they have.
fn of_records(how: Compression, records: Vec<u8>) -> Batch {
    let header = batch(&[b"v"]).compressed(how).header().clone();
    let mut batch = Batch::new(header, records.into());
    batch.number(ProducerId::NONE, ProducerEpoch::NONE, -1);
    batch
}

/// A frame of zstd that wants a window of 2 GiB, and holds a gibibyte of zeros: 128 KiB in each block of four bytes.
fn wide_zstd() -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, (31 - 10) << 3];
    let block = |size: u32, kind: u32, last: u32| (size << 3 | kind << 1 | last).to_le_bytes()[..3].to_vec();
    let head = head_of_a_record();
    frame.extend(block(head.len() as u32, 0, 0));
    frame.extend(head);
    for _ in 0..8 << 10 {
        frame.extend(block(128 << 10, 1, 0));
        frame.push(0);
    }
    frame.extend(block(1, 1, 1));
    frame.push(0);
    frame
}

/// The error of a Produce of this, to a broker for which nothing else is done.
async fn produced(sim: &SimulatedWorld, batch: &Batch) -> i16 {
    let mut peer = connect(sim).await;
    let request = produce_request_of("log", 0, Some(batch.to_bytes()), -1);
    let answer = timeout(SECOND, peer.call(12, &request)).await.expect("an answer within a second").unwrap();
    answer.responses[0].partition_responses[0].error_code
}

#[test]
fn a_gibibyte_of_zeros_in_any_codec_is_an_invalid_record() {
    let invalid = ErrorCode::InvalidRecord.code();
    for (how, code) in [
        (Compression::Gzip(None), invalid),
        (Compression::Lz4, invalid),
        (Compression::Zstd(3), invalid),
        // 50 MB of it are more than a batch may have, and so are not looked into.
        (Compression::Snappy, ErrorCode::MessageTooLarge.code()),
    ] {
        let bomb = bomb(how);
        let bytes = bomb.byte_length() as u64;
        let took = allocation_counter::measure(|| {
            boot(async {
                let (sim, broker) = broker().await;
                assert_eq!(produced(&sim, &bomb).await, code, "{how:?}");
                all_is_well(&sim, broker).await;
            });
        });
        // The request is here as what is sent, on its way, and as what is received.
        assert!(took.bytes_max < 6 * bytes + (48 << 20), "{how:?}: {} for {bytes} bytes", took.bytes_max);
    }
}

#[test]
fn a_zstd_window_of_two_gibibytes_is_an_invalid_record() {
    let took = allocation_counter::measure(|| {
        boot(async {
            let (sim, broker) = broker().await;
            let wide = of_records(Compression::Zstd(3), wide_zstd());
            assert_eq!(produced(&sim, &wide).await, ErrorCode::InvalidRecord.code());
            all_is_well(&sim, broker).await;
        });
    });
    assert!(took.bytes_max < 48 << 20, "{} bytes", took.bytes_max);
}

/// Nobody asks for metrics, and what is pushed is never decompressed.
#[test]
fn pushed_metrics_stay_compressed() {
    boot(async {
        let (sim, broker) = broker().await;
        let bombs = [
            (1, bomb(Compression::Gzip(None)).records().clone()),
            (3, bomb(Compression::Lz4).records().clone()),
            (4, bomb(Compression::Zstd(3)).records().clone()),
            (4, wide_zstd().into()),
        ];
        let mut peer = connect(&sim).await;
        for (compression_type, metrics) in bombs {
            let request = PushTelemetryRequest {
                client_instance_id: Uuid([7; 16]),
                compression_type,
                metrics,
                ..PushTelemetryRequest::default()
            };
            let answer = timeout(SECOND, peer.call(0, &request)).await.expect("at once").unwrap();
            assert_eq!(answer.error_code, 0, "dropped as it came");
        }
        drop(peer);
        all_is_well(&sim, broker).await;
    });
}

/// So many topics of the shortest names.
fn topics(count: u32, partitions: &[FetchPartition]) -> Vec<FetchTopic> {
    let digits = |n: u32| [n >> 18, n >> 12, n >> 6, n].map(|n| char::from(b'0' + (n & 63) as u8));
    let name = |n| String::from_iter(digits(n));
    let topic = |n| FetchTopic { topic: name(n), partitions: partitions.to_vec(), ..FetchTopic::default() };
    (0..count).map(topic).collect()
}

#[test]
fn a_fetch_of_a_million_topics_is_answered_or_closed() {
    boot(async {
        let (sim, broker) = broker().await;
        let one = fetch_request("log", 0, 0, 0, 0);
        let partition = &one.topics[0].partitions;
        let of = |session_epoch, topics| frame_of(12, &FetchRequest { topics, session_epoch, ..one.clone() });
        assert!(heard(&sim, &of(-1, topics(1_000_000, &[]))).await.is_some(), "seven bytes each");
        assert!(is_closed(&sim, &of(-1, topics(1_000_000, partition))).await, "more than 8 MiB");
        for session_epoch in [-1, 0] {
            assert!(heard(&sim, &of(session_epoch, topics(50_000, partition))).await.is_some());
        }
        all_is_well(&sim, broker).await;
    });
}

#[test]
fn a_million_partitions_are_not_made() {
    boot(async {
        let (sim, broker) = broker().await;
        let mut peer = connect(&sim).await;
        for (count, each) in [(1, 1_000_000), (1_000, 1_000), (50_000, 20)] {
            let topic = |n| CreatableTopic {
                name: format!("t{n}"),
                num_partitions: each,
                replication_factor: 1,
                ..CreatableTopic::default()
            };
            let topics = (0..count).map(topic).collect();
            let request = CreateTopicsRequest { topics, timeout_ms: 1_000, ..CreateTopicsRequest::default() };
            let answer = timeout(SECOND, peer.call(7, &request)).await.expect("at once").unwrap();
            let code = ErrorCode::PolicyViolation.code();
            assert!(answer.topics.iter().all(|topic| topic.error_code == code), "{count} topics of {each}");
        }
        let known = peer.call(12, &MetadataRequest { topics: None, ..MetadataRequest::default() }).await.unwrap();
        assert_eq!(known.topics.len(), 1);
        drop(peer);
        all_is_well(&sim, broker).await;
    });
}
