//! Crowds of connections on each of which a request waits for the one before it: however much memory they could fill, others
//! are served meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::time::Duration;

use support::groups::{connect, join_request, served};
use support::workload::ADDRESS;
use support::{Client, batch, fetch_request, frame_of};
use thalweg_broker::Broker;
use thalweg_messages::api_versions::ApiVersionsRequest;
use thalweg_messages::fetch::FetchRequest;
use thalweg_messages::join_group::JoinGroupRequest;
use thalweg_messages::metadata::{MetadataRequest, MetadataRequestTopic};
use thalweg_world::simulated::SimulatedWorld;
use tokio::time::timeout;

/// What a client may ask to wait at most: 24 days.
const FOR_EVER_MS: i32 = i32::MAX;

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
