//! Peers that do what no client does: the broker lives, others are served meanwhile, and no memory stays taken.

mod support;

use std::cell::Cell;
use std::io;
use std::sync::Once;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use support::workload::{self, ADDRESS, boot};
use support::{Client, batch, fetch_request, fetched_values, produce_request};
use thalweg_broker::Broker;
use thalweg_broker::handlers::SERVED;
use thalweg_messages::api::body_form;
use thalweg_messages::fetch::FetchRequest;
use thalweg_messages::metadata::{MetadataRequest, MetadataRequestTopic};
use thalweg_messages::produce::{ProducePartition, ProduceRequest, ProduceTopic};
use thalweg_wire::codec::Form;
use thalweg_wire::frame::{RequestHeader, finish_frame};
use thalweg_wire::{ErrorCode, PartitionIndex};
use thalweg_world::simulated::{Rng, SimulatedWorld};
use tokio::time::timeout;

/// Longer than anything here may take; time is simulated.
const AN_HOUR: Duration = Duration::from_secs(3600);

/// What a client may ask to wait at most: 24 days.
const FOR_EVER_MS: i32 = i32::MAX;

/// A broker with a topic `log` of three partitions, and a connection to it.
async fn broker() -> (SimulatedWorld, Broker, Client) {
    count_panics();
    let sim = SimulatedWorld::new(7);
    let broker = workload::start(&sim).await.expect("a start");
    let mut client = connect(&sim).await;
    assert_eq!(client.create_topic("log", 3).await.expect("an answer"), 0);
    (sim, broker, client)
}

async fn connect(sim: &SimulatedWorld) -> Client {
    Client::connect(&sim.world, ADDRESS).await.expect("a connection")
}

/// Everybody else is served as if nothing were.
async fn serves(sim: &SimulatedWorld) {
    let mut client = connect(sim).await;
    let answer = client.produce("log", 2, &batch(&[b"as ever"])).await.expect("an answer");
    assert_eq!(answer.error_code, 0);
    let read = client.call(12, &fetch_request("log", 2, answer.base_offset.0, 1, 1000)).await.expect("an answer");
    assert_eq!(fetched_values(&read), ["as ever"]);
}

/// The broker stops within an hour, whoever is still there, and holds no memory for them.
async fn stops(broker: Broker) {
    timeout(AN_HOUR, broker.stop()).await.expect("a stop takes no hour").expect("a clean stop");
    assert_eq!(PANICS.get(), 0, "a task of the broker panicked");
}

thread_local! {
    /// Of this thread, on which a whole broker runs. A panic of one of its tasks looks like a closed connection from
    /// outside.
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.set(PANICS.get() + 1);
            before(panic);
        }));
    });
}

/// A frame of these bytes.
fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes(), body].concat()
}

/// The frame of a request with any bytes as its body.
fn frame_of(key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let header = RequestHeader { api_key: key, api_version: version, correlation_id: 1, client_id: "test".into() };
    let mut into = header.begin_request(body_form(key, version).unwrap_or(Form::Classic));
    into.raw(body);
    finish_frame(into).into_bytes().to_vec()
}

#[test]
fn random_bytes_end_a_connection_at_worst() {
    boot(async {
        let (sim, broker, _client) = broker().await;
        for seed in 0..60 {
            let mut rng = Rng::stream(seed, "random bytes");
            let mut peer = connect(&sim).await;
            for _ in 0..20 {
                let length = rng.below(400) as usize;
                let bytes: Vec<u8> = (0..length).map(|_| rng.next_u64() as u8).collect();
                // Half of it in frames with a key and a version that are served, half of it not even framed.
                let sent = match rng.below(4) {
                    0 => bytes,
                    1 => framed(&bytes),
                    _ => {
                        let api = rng.pick(SERVED).expect("some APIs");
                        let version = *api.versions.start() + rng.below(api.versions.clone().count() as u64) as i16;
                        frame_of(api.key, version, &bytes)
                    }
                };
                if peer.send_bytes(&sent).await.is_err() {
                    break;
                }
            }
        }
        serves(&sim).await;
        timeout(AN_HOUR, async {
            while broker.request_bytes() > 0 {
                sim.world.clock.sleep(Duration::from_secs(1)).await;
            }
        })
        .await
        .expect("what they sent is forgotten");
        stops(broker).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Real requests with a few bytes changed come further than random ones.
    #[test]
    fn damaged_requests_end_a_connection_at_worst(
        damages in prop::collection::vec((0..2usize, prop::collection::vec((0..10_000usize, any::<u8>()), 1..4)), 1..40),
    ) {
        boot(async {
            let (sim, broker, _client) = broker().await;
            let mut fetch = fetch_request("log", 0, 0, 0, 0);
            fetch.topics.push(fetch.topics[0].clone());
            let frames = [
                support::frame_of(12, &produce_request("log", 0, &batch(&[b"a", b"b"]), -1)),
                support::frame_of(12, &fetch),
            ];
            for (which, changes) in damages {
                let mut frame = frames[which].to_vec();
                for (at, byte) in changes {
                    // The length stays, so that what is behind it is looked at.
                    let at = 4 + at % (frame.len() - 4);
                    frame[at] = byte;
                }
                let mut peer = connect(&sim).await;
                peer.send_bytes(&frame).await.expect("the broker reads");
                let _answer_or_end = timeout(AN_HOUR, peer.receive_bytes()).await;
            }
            serves(&sim).await;
            stops(broker).await;
        });
    }
}

/// A name that is replaced by U+FFFD, byte by byte, is three times as long: too long to be repeated in an answer.
#[test]
fn a_name_that_grows_when_it_is_read_ends_the_connection() {
    boot(async {
        let (sim, broker, _client) = broker().await;
        let name = [&20_000i16.to_be_bytes()[..], &[0xff; 20_000]].concat();
        let one = 1i32.to_be_bytes();
        let metadata = [&one[..], &name].concat();
        let produce = [&[0xff; 2][..], &[0xff; 2], &[0; 4], &one, &name, &one, &[0; 4], &[0xff; 4]].concat();
        let fetch = [&[0xff; 4][..], &[0; 4], &[0; 4], &[0; 4], &[0], &one, &name, &one, &[0; 16]].concat();
        let list_offsets = [&[0xff; 4][..], &one, &name, &one, &[0; 12]].concat();
        let create = [&one[..], &name, &one, &[0, 1], &[0; 4], &[0; 4], &[0; 4], &[0]].concat();
        for (key, version, body) in
            [(3, 1, metadata), (0, 3, produce), (1, 4, fetch), (2, 1, list_offsets), (19, 2, create)]
        {
            let mut peer = connect(&sim).await;
            peer.send_bytes(&frame_of(key, version, &body)).await.expect("the broker reads");
            let end = timeout(AN_HOUR, peer.receive_bytes()).await.expect("not kept waiting").expect_err("no answer");
            assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof, "API {key}");
        }
        serves(&sim).await;
        stops(broker).await;
    });
}

/// Each holds nearly all of a small frame, together all the memory there is for small frames: they must not wait for
/// each other for ever, nor the rest for them.
#[test]
fn half_frames_of_many_connections_do_not_keep_the_others_out() {
    boot(async {
        let (sim, broker, _client) = broker().await;
        let half = &framed(&[0; 64 << 10])[..60 << 10];
        let mut peers = Vec::new();
        for _ in 0..300 {
            let mut peer = connect(&sim).await;
            peer.send_bytes(half).await.expect("room in the pipe");
            peers.push(peer);
        }
        timeout(Duration::from_secs(120), serves(&sim)).await.expect("others are served");
        timeout(AN_HOUR, async {
            while broker.request_bytes() > 0 {
                sim.world.clock.sleep(Duration::from_secs(1)).await;
            }
        })
        .await
        .expect("whoever sends nothing more is cut off");
        stops(broker).await;
    });
}

#[test]
fn a_request_of_many_partitions_that_can_hold_no_batches_is_refused() {
    boot(async {
        let (sim, broker, _client) = broker().await;
        let partition = ProducePartition { index: PartitionIndex(0), records: None, ..Default::default() };
        let named = |count: usize| ProduceRequest {
            acks: -1,
            timeout_ms: 1000,
            topic_data: vec![ProduceTopic {
                name: "log".to_owned(),
                partition_data: vec![partition.clone(); count],
                ..Default::default()
            }],
            ..Default::default()
        };
        let mut peer = connect(&sim).await;
        let answer = peer.call(12, &named(5_000)).await.expect("an answer");
        assert_eq!(answer.responses[0].partition_responses.len(), 1, "the same partition 5,000 times");
        peer.send(12, &named(200_000)).await.expect("the broker reads");
        assert!(peer.receive_bytes().await.is_err(), "a million bytes that can't be batches");
        serves(&sim).await;
        stops(broker).await;
    });
}

#[test]
fn a_fetch_that_names_a_partition_very_often_waits_for_it_once() {
    boot(async {
        let (sim, broker, mut client) = broker().await;
        let mut request = fetch_request("log", 0, 0, 1, FOR_EVER_MS);
        let wanted = request.topics[0].partitions[0].clone();
        request.topics[0].partitions = vec![wanted; 100_000];
        client.send(12, &request).await.expect("the broker reads");
        let mut writer = connect(&sim).await;
        writer.produce("log", 0, &batch(&[b"news"])).await.expect("an answer");
        let (_, answer) = client.receive::<FetchRequest>(12).await.expect("an answer");
        assert_eq!(answer.responses[0].partitions.len(), 1);
        assert_eq!(fetched_values(&answer), ["news"]);
        stops(broker).await;
    });
}

#[test]
fn a_million_names_are_asked_for_and_no_topic_is_made_of_them() {
    boot(async {
        let (sim, broker, mut client) = broker().await;
        let empty = MetadataRequestTopic { name: Some(String::new()), ..Default::default() };
        let mut topics = vec![empty; 1_000_000];
        topics.extend((0..20_000).map(|n| MetadataRequestTopic { name: Some(format!("t{n}")), ..Default::default() }));
        let request = MetadataRequest { topics: Some(topics), allow_auto_topic_creation: true, ..Default::default() };
        let answer = client.call(8, &request).await.expect("an answer");
        assert_eq!(answer.topics.len(), 20_001, "each name is answered once");
        let unknown = ErrorCode::UnknownTopicOrPartition.code();
        let refused = answer.topics.iter().filter(|topic| topic.error_code == unknown).count();
        assert_eq!(refused, 20_000, "more than 10,000 partitions are not made at once");
        serves(&sim).await;
        stops(broker).await;
    });
}

/// Half of an answer is no answer: what was taken before a connection is closed is answered first.
#[test]
fn what_came_before_a_mistake_is_answered() {
    boot(async {
        let (sim, broker, _client) = broker().await;
        let good = produce_request("log", 0, &batch(&[b"good"]), -1);
        let unknown_topic = support::frame_of(12, &produce_request("none", 0, &batch(&[b"lost"]), 0));
        let mistakes: [(&str, Bytes); 4] = [
            ("acks=0 to an unknown topic", unknown_topic),
            ("an API that isn't served", frame_of(99, 0, &[]).into()),
            ("a negative length", Bytes::from_static(&[0xff; 4])),
            ("a body that is cut", frame_of(0, 3, &[0]).into()),
        ];
        for (what, mistake) in mistakes {
            let mut peer = connect(&sim).await;
            for _ in 0..5 {
                peer.send(12, &good).await.expect("the broker reads");
            }
            peer.send_bytes(&mistake).await.expect("the broker reads");
            for _ in 0..5 {
                let (_, answer) =
                    peer.receive::<ProduceRequest>(12).await.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(answer.responses[0].partition_responses[0].error_code, 0, "{what}");
            }
            assert!(peer.receive_bytes().await.is_err(), "{what}");
        }
        stops(broker).await;
    });
}

#[test]
fn a_peer_that_has_said_all_still_hears_the_answers() {
    boot(async {
        let (sim, broker, _client) = broker().await;
        let mut peer = connect(&sim).await;
        peer.send(12, &produce_request("log", 0, &batch(&[b"last words"]), -1)).await.expect("the broker reads");
        peer.send(12, &fetch_request("log", 1, 0, 1, FOR_EVER_MS)).await.expect("the broker reads");
        peer.finish_sending().await.expect("open");
        let (_, answer) = peer.receive::<ProduceRequest>(12).await.expect("an answer");
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
        let heard = timeout(AN_HOUR, peer.receive::<FetchRequest>(12)).await.expect("no waiting for records");
        assert_eq!(heard.expect("an answer").1.responses[0].partitions[0].error_code, 0);
        stops(broker).await;
    });
}

#[test]
fn answers_come_in_the_order_of_the_requests_whatever_they_wait_for() {
    boot(async {
        let (sim, broker, _client) = broker().await;
        let mut peer = connect(&sim).await;
        let produce = produce_request("log", 0, &batch(&[b"x"]), -1);
        peer.send(12, &fetch_request("log", 1, 0, 1, 5_000)).await.expect("open");
        peer.send(12, &produce).await.expect("open");
        peer.send(12, &fetch_request("log", 0, 0, 1, 5_000)).await.expect("open");
        let metadata = MetadataRequest { topics: Some(Vec::new()), ..Default::default() };
        peer.send(12, &metadata).await.expect("open");
        peer.send(12, &produce).await.expect("open");
        let first = peer.receive::<FetchRequest>(12).await.expect("an answer");
        assert!(fetched_values(&first.1).is_empty());
        let second = peer.receive::<ProduceRequest>(12).await.expect("an answer");
        let third = peer.receive::<FetchRequest>(12).await.expect("an answer");
        assert_eq!(fetched_values(&third.1), ["x"]);
        let fourth = peer.receive::<MetadataRequest>(12).await.expect("an answer");
        let fifth = peer.receive::<ProduceRequest>(12).await.expect("an answer");
        assert_eq!([first.0, second.0, third.0, fourth.0, fifth.0], [1, 2, 3, 4, 5]);
        stops(broker).await;
    });
}

/// SIGTERM comes while peers wait for days, stand half way in a frame, or don't read.
#[test]
fn a_stop_waits_for_nobody_who_only_waits() {
    boot(async {
        let (sim, broker, mut client) = broker().await;
        let big = vec![b'x'; 900 << 10];
        assert_eq!(client.produce("log", 1, &batch(&[&big])).await.expect("an answer").error_code, 0);
        let wait = fetch_request("log", 0, 0, 1, FOR_EVER_MS);

        let mut waiting = connect(&sim).await;
        waiting.send(12, &wait).await.expect("open");
        let mut behind_a_barrier = connect(&sim).await;
        behind_a_barrier.send(12, &wait).await.expect("open");
        let metadata = MetadataRequest { topics: Some(Vec::new()), ..Default::default() };
        behind_a_barrier.send(12, &metadata).await.expect("open");
        let mut half_way = connect(&sim).await;
        half_way.send_bytes(&[0, 0, 1, 0, 0]).await.expect("open");
        let mut deaf = connect(&sim).await;
        deaf.send(12, &fetch_request("log", 1, 0, 1, 0)).await.expect("open");
        // All of them have been read by now.
        sim.world.clock.sleep(Duration::from_secs(1)).await;

        let stopped = tokio::spawn(stops(broker));
        let (_, answer) = waiting.receive::<FetchRequest>(12).await.expect("an answer");
        assert_eq!(answer.responses[0].partitions[0].error_code, 0);
        behind_a_barrier.receive::<FetchRequest>(12).await.expect("an answer");
        behind_a_barrier.receive::<MetadataRequest>(12).await.expect("an answer to what was taken");
        stopped.await.expect("no panic");
    });
}

/// A peer that lost its power tells nobody; its wait for records must not keep its place for ever.
#[test]
fn a_silent_peer_loses_its_place_though_it_waits() {
    boot(async {
        let sim = SimulatedWorld::new(7);
        let settings = workload::settings_with(&[("max.connections", "1"), ("num.partitions", "1")]);
        let broker = Broker::start(sim.world.clone(), settings).await.expect("a start");
        let mut lost = connect(&sim).await;
        assert_eq!(lost.create_topic("log", 1).await.expect("an answer"), 0);
        lost.send(12, &fetch_request("log", 0, 0, 1, FOR_EVER_MS)).await.expect("open");
        sim.world.clock.sleep(Duration::from_secs(1)).await;
        sim.net.half_open(ADDRESS.parse().expect("an address"));
        assert!(connect(&sim).await.metadata().await.is_err(), "its place is taken");
        sim.world.clock.sleep(AN_HOUR).await;
        connect(&sim).await.metadata().await.expect("its place is free");
        stops(broker).await;
    });
}

#[test]
fn who_does_not_read_is_alone_with_it() {
    boot(async {
        let (sim, broker, mut client) = broker().await;
        let big = vec![b'x'; 900 << 10];
        assert_eq!(client.produce("log", 1, &batch(&[&big])).await.expect("an answer").error_code, 0);
        let mut deaf = Vec::new();
        for _ in 0..50 {
            let mut peer = connect(&sim).await;
            for _ in 0..100 {
                peer.send(12, &fetch_request("log", 1, 0, 1, 0)).await.expect("room in the pipe");
            }
            deaf.push(peer);
        }
        timeout(AN_HOUR, serves(&sim)).await.expect("others are served");
        stops(broker).await;
    });
}

#[test]
fn when_waiting_takes_too_much_memory_nobody_waits() {
    boot(async {
        let (sim, broker, _client) = broker().await;
        let mut peers = Vec::new();
        let mut at_once = 0;
        for _ in 0..60 {
            let mut peer = connect(&sim).await;
            let mut request = fetch_request("log", 0, 0, 1, FOR_EVER_MS);
            let wanted = request.topics[0].partitions[0].clone();
            // Partitions that there are not, beside one that there is: some 2 MiB to remember.
            let unknown = (3..12_000).map(|index| support::of_partition(&wanted, index));
            request.topics[0].partitions.extend(unknown);
            peer.send(12, &request).await.expect("open");
            at_once += usize::from(timeout(Duration::from_secs(5), peer.receive_bytes()).await.is_ok());
            peers.push(peer);
        }
        assert!((1..60).contains(&at_once), "{at_once} of 60 were answered at once");
        drop(peers);
        // Their places are free again.
        let mut last = connect(&sim).await;
        timeout(AN_HOUR, serves(&sim)).await.expect("others are served");
        last.send(12, &fetch_request("log", 0, 0, 1, FOR_EVER_MS)).await.expect("open");
        let mut writer = connect(&sim).await;
        writer.produce("log", 0, &batch(&[b"news"])).await.expect("an answer");
        assert_eq!(fetched_values(&last.receive::<FetchRequest>(12).await.expect("an answer").1), ["news"]);
        stops(broker).await;
    });
}
