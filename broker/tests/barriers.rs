//! Crowds of connections on each of which a request waits, for the one before it or for its turn: however much memory they
//! could fill, others are served meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::time::Duration;

use support::groups::{connect, join_request, served};
use support::workload::ADDRESS;
use support::{Client, batch, fetch_request, frame_of};
use thalweg_broker::Broker;
use thalweg_messages::api_versions::ApiVersionsRequest;
use thalweg_messages::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use thalweg_messages::describe_groups::DescribeGroupsRequest;
use thalweg_messages::fetch::FetchRequest;
use thalweg_messages::join_group::JoinGroupRequest;
use thalweg_messages::metadata::{MetadataRequest, MetadataRequestTopic};
use thalweg_wire::{Offset, PartitionIndex};
use thalweg_world::simulated::SimulatedWorld;
use thalweg_world::simulated::disk::Faults;
use thalweg_world::simulated::rng::Chance;
use tokio::time::timeout;

/// What a client may ask to wait at most: 24 days.
const FOR_EVER_MS: i32 = i32::MAX;

const HOUR: Duration = Duration::from_secs(3600);

/// Less than a connection may live without a word, and than whoever waits here wants to wait.
const A_MINUTE: Duration = Duration::from_secs(60);

/// A Metadata request of some so many bytes, and never more.
fn barrier(bytes: usize) -> MetadataRequest {
    let name = "x".repeat(30_000);
    let topic = MetadataRequestTopic { name: Some(name), ..Default::default() };
    MetadataRequest { topics: Some(vec![topic; bytes / 30_100]), ..Default::default() }
}

async fn others_are_served(sim: &SimulatedWorld) {
    let value = vec![7; 100_000];
    timeout(A_MINUTE, async {
        let mut client = connect(sim).await;
        client.call(3, &ApiVersionsRequest::default()).await.unwrap();
        for value in [&b"small"[..], &value] {
            assert_eq!(client.produce("t", 0, &batch(&[value])).await.unwrap().error_code, 0);
        }
    })
    .await
    .expect("others are served");
}

async fn stops(broker: Broker) {
    timeout(A_MINUTE, broker.stop()).await.expect("a stop takes no minute").expect("a clean stop");
}

async fn world() -> (SimulatedWorld, Broker) {
    let (sim, broker, _) = served(1, &[("group.initial.rebalance.delay.ms", "3600000")]).await;
    (sim, broker)
}

/// Small frames, and the largest: of each more than there is memory for.
#[tokio::test(start_paused = true)]
async fn requests_behind_fetches_that_wait_never_take_all_the_memory() {
    for (crowd, bytes) in [(300, 64 << 10), (20, 8 << 20)] {
        let (sim, broker) = world().await;
        let mut peers = Vec::new();
        for _ in 0..crowd {
            let mut peer = Client::connect(&sim.world, ADDRESS).await.unwrap();
            peer.send(12, &fetch_request("t", 1, 0, 1, FOR_EVER_MS)).await.unwrap();
            let sent = timeout(A_MINUTE, peer.send(8, &barrier(bytes))).await;
            assert!(matches!(sent, Ok(Ok(()))), "the broker reads nothing more");
            peers.push(peer);
        }
        others_are_served(&sim).await;
        // Whoever found no place to wait was not closed: its fetch has given way.
        let mut last = peers.pop().unwrap();
        last.receive::<FetchRequest>(12).await.unwrap();
        last.receive::<MetadataRequest>(8).await.unwrap();
        stops(broker).await;
    }
}

#[tokio::test(start_paused = true)]
async fn requests_behind_members_that_wait_never_take_all_the_memory() {
    let (sim, broker) = world().await;
    let mut peers = Vec::new();
    for number in 0..300 {
        let mut peer = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let join = JoinGroupRequest { rebalance_timeout_ms: FOR_EVER_MS, ..join_request(&format!("g{number}"), "", 1) };
        peer.send(2, &join).await.unwrap();
        peer.send(8, &barrier(64 << 10)).await.unwrap();
        peers.push(peer);
    }
    others_are_served(&sim).await;
    stops(broker).await;
}

/// As many requests as a connection may have, the first of which waits; and most of one more.
#[tokio::test(start_paused = true)]
async fn half_requests_behind_a_full_pipeline_hold_a_part_of_the_memory() {
    let (sim, broker) = world().await;
    let mut peers = Vec::new();
    for number in 0..500 {
        let mut peer = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let join = JoinGroupRequest { rebalance_timeout_ms: FOR_EVER_MS, ..join_request(&format!("g{number}"), "", 1) };
        let fetch = frame_of(12, &fetch_request("t", 1, 0, 1, FOR_EVER_MS));
        let half = &frame_of(8, &barrier(64 << 10))[..43_000];
        peer.send_bytes(&[&frame_of(2, &join)[..], &fetch.repeat(255), half].concat()).await.unwrap();
        peers.push(peer);
    }
    sim.world.clock.sleep(A_MINUTE).await;
    let held = broker.request_bytes();
    assert!(held <= 4 << 20, "{held} bytes are held");
    others_are_served(&sim).await;
    stops(broker).await;
}

/// The disk takes an hour for a write; a crowd waits to have records deleted, in the largest requests there are. Whoever
/// needs no disk is answered, also to a request that is large when it is decoded.
#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_disk_keeps_nobody_waiting_who_does_not() {
    let (sim, broker) = world().await;
    let mut client = connect(&sim).await;
    assert_eq!(client.produce("t", 0, &batch(&[b"to be deleted"])).await.unwrap().error_code, 0);
    sim.disk.set_faults(Faults { slow_write: Chance::ALWAYS, slow_write_takes: HOUR..=HOUR, ..Faults::default() });
    let partition = |index| DeleteRecordsPartition {
        partition_index: PartitionIndex(index),
        offset: Offset(1),
        ..Default::default()
    };
    let partitions = (0..7_000).map(partition).collect();
    let topics = vec![DeleteRecordsTopic { name: "t".to_owned(), partitions, ..Default::default() }];
    let delete = DeleteRecordsRequest { topics, timeout_ms: FOR_EVER_MS, ..Default::default() };
    let mut first = Client::connect(&sim.world, ADDRESS).await.unwrap();
    first.send(1, &delete).await.unwrap();
    let mut largest = vec![0; 8 << 20];
    let empty = frame_of(1, &DeleteRecordsRequest::default());
    largest[..empty.len()].copy_from_slice(&empty);
    largest[..4].copy_from_slice(&((8 << 20) - 4_u32).to_be_bytes());
    let mut peers = Vec::new();
    for _ in 0..20 {
        let mut peer = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let sent = timeout(A_MINUTE, peer.send_bytes(&largest)).await;
        assert!(matches!(sent, Ok(Ok(()))), "the broker reads nothing more");
        peers.push(peer);
    }

    let names = (0..5_000).map(|number| format!("some group or topic {number}"));
    let topics = names.clone().map(|name| MetadataRequestTopic { name: Some(name), ..Default::default() }).collect();
    let metadata = MetadataRequest { topics: Some(topics), ..Default::default() };
    let answer = timeout(A_MINUTE, client.call(8, &metadata)).await.expect("topics are looked up in memory");
    assert_eq!(answer.unwrap().topics.len(), 5_000);
    let describe = DescribeGroupsRequest { groups: names.collect(), ..Default::default() };
    let answer = timeout(A_MINUTE, client.call(4, &describe)).await.expect("groups are looked up in memory");
    assert_eq!(answer.unwrap().groups.len(), 5_000);
    assert!(timeout(A_MINUTE, first.receive_bytes()).await.is_err(), "the disk is fast, and this says nothing");
    sim.disk.set_faults(Faults::default());
    drop((first, peers));
    timeout(2 * HOUR, broker.stop()).await.expect("a stop").expect("a clean stop");
}
