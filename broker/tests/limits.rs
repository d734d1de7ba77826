//! Limits at their edges: the last that is allowed passes, and the next sees what `docs/limits.md` says.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::time::Duration;

use support::configs::{BROKER, alter};
use support::groups::{self, GROUP_MAX_SIZE_REACHED, assign, commit, join, join_request};
use support::workload::{ADDRESS, boot, create, settings_with};
use support::{Client, batch, fetch_request, fetched_values, frame_of, produce_request};
use thalweg_broker::Broker;
use thalweg_messages::describe_groups::DescribeGroupsRequest;
use thalweg_messages::describe_topic_partitions::{DescribeTopicPartitionsRequest, TopicRequest};
use thalweg_messages::join_group::JoinGroupRequest;
use thalweg_messages::metadata::MetadataRequest;
use thalweg_messages::push_telemetry::PushTelemetryRequest;
use thalweg_wire::{ErrorCode, Moment, Uuid};
use thalweg_world::simulated::{SimulatedWorld, Traffic};
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);

/// Runs a story against a broker with these settings, on a network where much may be on its way.
fn with_broker<F: Future<Output = ()>>(settings: &[(&str, &str)], story: impl FnOnce(SimulatedWorld, Client) -> F) {
    boot(async {
        let sim = SimulatedWorld::new(1);
        sim.net.set_traffic(Traffic { buffer_bytes: 16 << 20, ..Traffic::default() });
        let broker = Broker::start(sim.world.clone(), settings_with(settings)).await.unwrap();
        let client = connect(&sim).await;
        story(sim, client).await;
        broker.stop().await.unwrap();
    });
}

async fn connect(sim: &SimulatedWorld) -> Client {
    Client::connect(&sim.world, ADDRESS).await.unwrap()
}

/// A frame of so many bytes: a question, and bytes behind it that nobody looks at.
fn question_of(bytes: usize) -> Vec<u8> {
    let question = frame_of(12, &MetadataRequest { topics: Some(Vec::new()), ..Default::default() });
    let mut frame = [&(bytes as u32).to_be_bytes()[..], &question[4..]].concat();
    frame.resize(4 + bytes, 0);
    frame
}

/// Whether a broker answers this, or closes the connection within a second.
async fn is_answered(sim: &SimulatedWorld, frame: &[u8]) -> bool {
    let mut peer = connect(sim).await;
    // A broker that has seen enough doesn't read the rest.
    let _ = peer.send_bytes(frame).await;
    timeout(SECOND, peer.receive_bytes()).await.expect("an answer, or an end").is_ok()
}

#[test]
fn a_request_is_as_long_as_the_setting_says_and_no_longer() {
    with_broker(&[("socket.request.max.bytes", "2000")], async |sim, _| {
        assert!(is_answered(&sim, &question_of(2_000)).await);
        assert!(!is_answered(&sim, &question_of(2_001)).await);
    });
}

#[test]
fn a_request_other_than_produce_has_eight_mebibytes_and_no_more() {
    with_broker(&[], async |sim, _| {
        assert!(is_answered(&sim, &question_of(8 << 20)).await);
        assert!(!is_answered(&sim, &question_of((8 << 20) + 1)).await);
    });
}

#[test]
fn a_name_has_as_many_bytes_as_a_string_of_the_protocol() {
    with_broker(&[], async |sim, _| {
        // Without the broker's own check, in the form whose lengths may say more.
        let name = |bytes: usize| {
            let mut frame =
                frame_of(5, &DescribeGroupsRequest { groups: vec!["g".repeat(32_000)], ..Default::default() }).to_vec();
            let at = frame.windows(3).position(|bytes| bytes == b"ggg").unwrap();
            frame.splice(at..at, vec![b'g'; bytes - 32_000]);
            let before = [((32_001 & 0x7f) | 0x80) as u8, ((32_001 >> 7 & 0x7f) | 0x80) as u8, (32_001 >> 14) as u8];
            assert_eq!(frame[at - 3..at], before);
            let now = bytes + 1;
            frame[at - 3..at].copy_from_slice(&[
                (now & 0x7f | 0x80) as u8,
                (now >> 7 & 0x7f | 0x80) as u8,
                (now >> 14) as u8,
            ]);
            let length = (frame.len() - 4) as u32;
            frame[..4].copy_from_slice(&length.to_be_bytes());
            frame
        };
        assert!(is_answered(&sim, &name(32_767)).await);
        assert!(!is_answered(&sim, &name(32_768)).await);
    });
}

/// Tags are passed over as they are read: they take the frame's bytes, and nothing is kept of them.
#[test]
fn a_header_has_as_many_tags_as_its_frame_has_bytes_for() {
    with_broker(&[], async |sim, _| {
        let body = &frame_of(12, &MetadataRequest { topics: Some(Vec::new()), ..Default::default() })[4 + 8 + 6 + 1..];
        let tagged = |claimed: u32, tags: &[u8]| {
            let mut frame = vec![0, 0, 0, 0, 0, 3, 0, 12, 0, 0, 0, 7, 0, 4];
            frame.extend_from_slice(b"test");
            let mut rest = claimed;
            while rest > 0x7f {
                frame.push((rest & 0x7f | 0x80) as u8);
                rest >>= 7;
            }
            frame.push(rest as u8);
            frame.extend_from_slice(tags);
            frame.extend_from_slice(body);
            let length = (frame.len() - 4) as u32;
            frame[..4].copy_from_slice(&length.to_be_bytes());
            frame
        };
        let empty_tags = [99, 0].repeat(30_000);
        assert!(is_answered(&sim, &tagged(30_000, &empty_tags)).await);
        // One with all the bytes that a small frame has for it.
        let mut long_tag = vec![99, 0xe0, 0xd4, 0x03];
        long_tag.resize(4 + 60_000, 1);
        assert!(is_answered(&sim, &tagged(1, &long_tag)).await);
        for claimed in [60_000, u32::MAX] {
            assert!(!is_answered(&sim, &tagged(claimed, &empty_tags)).await, "{claimed} tags");
        }
    });
}

/// When each of so many peers, who connect at once, is answered.
async fn answered_after(sim: &SimulatedWorld, peers: usize) -> (Vec<Duration>, Vec<Client>) {
    let began: Moment = sim.world.clock.now();
    let mut asking = Vec::new();
    for _ in 0..peers {
        let mut peer = connect(sim).await;
        peer.send(12, &MetadataRequest { topics: Some(Vec::new()), ..Default::default() }).await.unwrap();
        asking.push(peer);
    }
    let mut after = Vec::new();
    for peer in &mut asking {
        peer.receive_bytes().await.unwrap();
        after.push(sim.world.clock.now().since(began));
    }
    (after, asking)
}

#[test]
fn connections_past_the_rate_wait_for_their_turn_and_none_is_refused() {
    const NEARLY: Duration = Duration::from_millis(100);
    with_broker(&[("max.connection.creation.rate", "5")], async |sim, mut client| {
        sim.world.clock.sleep(10 * SECOND).await;
        let (after, _peers) = answered_after(&sim, 10).await;
        for (place, after) in after.into_iter().enumerate() {
            let turn = Duration::from_millis(200) * place.saturating_sub(4) as u32;
            // They came one after the other, within some milliseconds.
            assert!(after + NEARLY > turn && after < turn + NEARLY, "peer {place} after {after:?}");
        }
        assert_eq!(alter(&mut client, BROKER, "1", &["max.connection.creation.rate=1000"]).await, "ok");
        let (after, _peers) = answered_after(&sim, 100).await;
        assert!(after.iter().all(|after| *after < 5 * NEARLY), "{after:?}");
    });
}

/// Who waits for its turn is closed like the others, and doesn't hold up the stop.
#[test]
fn a_stop_waits_for_nobodys_turn() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let broker = Broker::start(sim.world.clone(), settings_with(&[("max.connection.creation.rate", "1")])).await;
        let _first = connect(&sim).await;
        let mut second = connect(&sim).await;
        sim.world.clock.sleep(Duration::from_millis(100)).await;
        timeout(Duration::from_millis(500), broker.unwrap().stop()).await.expect("at once").unwrap();
        assert!(second.receive_bytes().await.is_err());
    });
}

#[test]
fn a_silent_connection_has_its_idle_time_and_less_than_a_second_more() {
    with_broker(&[("connections.max.idle.ms", "80000")], async |sim, _| {
        for last_word in [0, 1, 30, 79] {
            let mut peer = connect(&sim).await;
            sim.world.clock.sleep(last_word * SECOND).await;
            peer.metadata().await.unwrap();
            let heard = sim.world.clock.now();
            assert!(timeout(79 * SECOND, peer.receive_bytes()).await.is_err(), "it is still there");
            assert!(peer.receive_bytes().await.is_err());
            let after = sim.world.clock.now().since(heard);
            assert!(after <= 81 * SECOND, "closed after {after:?}, its last word at {last_word} s");
        }
    });
}

/// With as many answers on their way as there may be the next request stays in the socket.
#[test]
fn a_connection_has_256_requests_on_their_way() {
    for (fetches, taken) in [(255, true), (256, false)] {
        with_broker(&[], async |sim, mut client| {
            assert_eq!(client.create_topic("log", 2).await.unwrap(), 0);
            let mut peer = connect(&sim).await;
            for _ in 0..fetches {
                peer.send(12, &fetch_request("log", 1, 0, 1, i32::MAX)).await.unwrap();
            }
            peer.send(12, &produce_request("log", 0, &batch(&[b"behind them"]), 0)).await.unwrap();
            let waits = if taken { 3_600 * SECOND } else { 60 * SECOND };
            let read = client.call(12, &fetch_request("log", 0, 0, 1, waits.as_millis() as i32)).await.unwrap();
            assert_eq!(fetched_values(&read).len(), usize::from(taken), "behind {fetches}");
            // An answer makes room.
            client.produce("log", 1, &batch(&[b"news"])).await.unwrap();
            let read = client.call(12, &fetch_request("log", 0, 0, 1, 60_000)).await.unwrap();
            assert_eq!(fetched_values(&read), ["behind them"]);
        });
    }
}

#[test]
fn an_answer_to_a_fetch_has_as_many_bytes_as_the_setting_says() {
    with_broker(&[("fetch.max.bytes", "2000")], async |_, mut client| {
        create(&mut client, "log", &[]).await.unwrap();
        let small = batch(&[&[b'x'; 900]]);
        let bytes = small.to_bytes().len();
        assert!(bytes <= 1_000);
        for one in [&small, &small, &small, &batch(&[&[b'y'; 5_000]])] {
            assert_eq!(client.produce("log", 0, one).await.unwrap().error_code, 0);
        }
        let mut fetched = async |offset| {
            let answer = client.call(12, &fetch_request("log", 0, offset, 1, 0)).await.unwrap();
            answer.responses[0].partitions[0].records.as_ref().map_or(0, bytes::Bytes::len)
        };
        let first = fetched(0).await;
        assert!((bytes * 2..=2_000).contains(&first), "{first} bytes");
        assert!(fetched(3).await > 5_000, "the first batch comes whole (KIP-74)");
    });
}

#[test]
fn a_batch_has_as_many_bytes_as_the_setting_says() {
    let largest = batch(&[&[b'x'; 500]]);
    let bytes = largest.to_bytes().len();
    with_broker(&[("message.max.bytes", &bytes.to_string())], async |_, mut client| {
        create(&mut client, "log", &[]).await.unwrap();
        assert_eq!(client.produce("log", 0, &largest).await.unwrap().error_code, 0);
        let larger = client.produce("log", 0, &batch(&[&[b'x'; 501]])).await.unwrap();
        assert_eq!(larger.error_code, ErrorCode::MessageTooLarge.code());
    });
}

#[test]
fn an_answer_describes_as_many_partitions_as_the_setting_says() {
    with_broker(&[("max.request.partition.size.limit", "3")], async |_, mut client| {
        for (partitions, next) in [(3, None), (4, Some(3))] {
            let name = format!("of{partitions}");
            assert_eq!(client.create_topic(&name, partitions).await.unwrap(), 0);
            let topics = vec![TopicRequest { name, ..TopicRequest::default() }];
            let request = DescribeTopicPartitionsRequest { topics, response_partition_limit: 9, ..Default::default() };
            let answer = client.call(0, &request).await.unwrap();
            assert_eq!(answer.topics[0].partitions.len(), 3);
            assert_eq!(answer.next_cursor.map(|cursor| cursor.partition_index.0), next);
        }
    });
}

#[test]
fn a_push_of_metrics_has_as_many_bytes_as_the_setting_says() {
    with_broker(&[("telemetry.max.bytes", "100")], async |_, mut client| {
        for (bytes, code) in [(100, ErrorCode::None), (101, ErrorCode::TelemetryTooLarge)] {
            let request = PushTelemetryRequest {
                client_instance_id: Uuid([7; 16]),
                metrics: vec![0; bytes].into(),
                ..PushTelemetryRequest::default()
            };
            assert_eq!(client.call(0, &request).await.unwrap().error_code, code.code(), "{bytes} bytes");
        }
    });
}

#[test]
fn a_group_has_as_many_members_as_the_setting_says() {
    boot(async {
        let (sim, broker, mut ann) = groups::served(1, &[("group.max.size", "2")]).await;
        let (mut bob, mut cat) = (groups::connect(&sim).await, groups::connect(&sim).await);
        let joined = join(&mut ann, "boats", "").await;
        assert_eq!(assign(&mut ann, "boats", &joined, 1).await, 0);
        bob.send(3, &join_request("boats", "", 0)).await.unwrap();
        // It is a member, which begins a rebalance.
        sim.world.clock.sleep(SECOND).await;
        assert_eq!(join(&mut ann, "boats", &joined.member_id).await.members.len(), 2);
        assert_eq!(bob.receive::<JoinGroupRequest>(3).await.unwrap().1.error_code, 0);
        let refused = join(&mut cat, "boats", "").await;
        assert_eq!((refused.error_code, refused.member_id.as_str()), (GROUP_MAX_SIZE_REACHED, ""));
        assert_eq!(join(&mut cat, "ships", "").await.error_code, 0, "another group has places of its own");
        drop((ann, bob, cat));
        broker.stop().await.unwrap();
    });
}

#[test]
fn a_member_asks_for_a_session_that_is_neither_too_short_nor_too_long() {
    boot(async {
        let (_sim, broker, mut client) = groups::served(1, &[]).await;
        for (millis, code) in [(5_999, 26), (6_000, 0), (1_800_000, 0), (1_800_001, 26)] {
            let request =
                JoinGroupRequest { session_timeout_ms: millis, ..join_request(&format!("for{millis}"), "", 0) };
            assert_eq!(client.call(3, &request).await.unwrap().error_code, code, "{millis} ms");
        }
        drop(client);
        broker.stop().await.unwrap();
    });
}

#[test]
fn a_note_beside_an_offset_is_as_long_as_the_setting_says() {
    boot(async {
        let (_sim, broker, mut client) = groups::served(1, &[("offset.metadata.max.bytes", "10")]).await;
        assert_eq!(commit(&mut client, "g", 0..1, 10).await, [0]);
        assert_eq!(commit(&mut client, "g", 0..1, 11).await, [ErrorCode::OffsetMetadataTooLarge.code()]);
        drop(client);
        broker.stop().await.unwrap();
    });
}
