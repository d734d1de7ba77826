//! Peers that are many, or never stop: others are served meanwhile, and whoever does nothing is gone at its time.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use support::workload::{ADDRESS, boot, settings_with};
use support::{Client, batch, fetch_request, frame_of, of_partition};
use thalweg_broker::Broker;
use thalweg_messages::describe_quorum::{
    DescribeQuorumRequest, DescribeQuorumRequestPartitionData, DescribeQuorumRequestTopicData,
};
use thalweg_messages::fetch::FetchRequest;
use thalweg_messages::init_producer_id::InitProducerIdRequest;
use thalweg_messages::metadata::MetadataRequest;
use thalweg_wire::{ProducerEpoch, ProducerId};
use thalweg_world::simulated::SimulatedWorld;
use thalweg_world::{BoxFuture, Clock, Offload, World};
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);

/// How long a peer may hold half a request.
const SILENCE: Duration = Duration::from_secs(30);

async fn broker(settings: &[(&str, &str)]) -> (SimulatedWorld, Broker, Client) {
    let sim = SimulatedWorld::new(5);
    let broker = Broker::start(sim.world.clone(), settings_with(settings)).await.unwrap();
    let mut client = connect(&sim).await;
    assert_eq!(client.create_topic("log", 1).await.unwrap(), 0);
    (sim, broker, client)
}

async fn connect(sim: &SimulatedWorld) -> Client {
    Client::connect(&sim.world, ADDRESS).await.unwrap()
}

fn measure(broker: &Broker, name: &str) -> u64 {
    let measures = broker.measures();
    measures.iter().find(|measure| measure.name == format!("thalweg_{name}")).unwrap().value
}

/// The client's records are taken as ever.
async fn is_served(client: &mut Client) {
    let answer = timeout(SECOND, client.produce("log", 0, &batch(&[b"as ever"]))).await;
    assert_eq!(answer.expect("within a second").unwrap().error_code, 0);
}

#[test]
fn ten_thousand_half_open_connections_hold_nothing_and_end_at_their_time() {
    const PEERS: usize = 10_000;
    boot(async {
        let (sim, broker, mut client) = broker(&[]).await;
        let mut peers = Vec::new();
        for _ in 0..PEERS {
            let mut peer = connect(&sim).await;
            peer.send_bytes(&[0, 0]).await.unwrap();
            peers.push(peer);
        }
        let last_word = sim.world.clock.now();
        sim.world.clock.sleep(SECOND).await;
        is_served(&mut client).await;
        // They came over some seconds, and the first may be gone.
        let open = measure(&broker, "connections_open");
        assert!(broker.request_bytes() as u64 <= 2 * open, "{} bytes of two each", broker.request_bytes());
        sim.world.clock.sleep_until(last_word + SILENCE + SECOND).await;
        assert_eq!(measure(&broker, "connections_open"), 1, "all but the one that is served");
        assert_eq!(broker.request_bytes(), 0);
        for peer in &mut peers {
            assert!(peer.receive_bytes().await.is_err());
        }
        is_served(&mut client).await;
        broker.stop().await.unwrap();
    });
}

#[test]
fn a_flood_of_connections_leaves_those_that_are_there_alone() {
    boot(async {
        let (sim, broker, mut client) = broker(&[("max.connections", "100")]).await;
        let mut first = Vec::new();
        for _ in 0..99 {
            first.push(connect(&sim).await);
        }
        for round in 0..20 {
            let mut flood = Vec::new();
            for _ in 0..100 {
                flood.push(connect(&sim).await);
            }
            let ends = flood.iter_mut().map(|peer| timeout(SECOND, peer.receive_bytes()));
            let ends = join_all(ends).await;
            assert!(ends.into_iter().all(|end| end.expect("closed within a second").is_err()), "round {round}");
            is_served(&mut client).await;
        }
        assert_eq!(measure(&broker, "connections_open"), 100);
        assert_eq!(measure(&broker, "connections_refused_total"), 2_000);
        broker.stop().await.unwrap();
    });
}

/// Each asks again before it is answered, as often as the broker reads.
#[test]
fn a_flood_of_metadata_is_answered_in_turn_and_others_are_served() {
    boot(async {
        let (sim, broker, mut client) = broker(&[]).await;
        let question = frame_of(12, &MetadataRequest { topics: None, ..Default::default() }).repeat(100);
        let mut flood = Vec::new();
        for _ in 0..100 {
            let mut peer = connect(&sim).await;
            peer.send_bytes(&question).await.unwrap();
            flood.push(peer);
        }
        for _ in 0..5 {
            is_served(&mut client).await;
        }
        for peer in &mut flood {
            for _ in 0..100 {
                timeout(SECOND, peer.receive_bytes()).await.expect("within a second").unwrap();
            }
        }
        assert_eq!(measure(&broker, "requests_total{api=\"Metadata\"}"), 10_000);
        assert_eq!(broker.request_bytes(), 0);
        broker.stop().await.unwrap();
    });
}

/// The index of the metadata log's last entry.
async fn entries(client: &mut Client) -> i64 {
    let partitions = vec![DescribeQuorumRequestPartitionData::default()];
    let topic = DescribeQuorumRequestTopicData {
        topic_name: "__cluster_metadata".to_owned(),
        partitions,
        ..DescribeQuorumRequestTopicData::default()
    };
    let request = DescribeQuorumRequest { topics: vec![topic], ..DescribeQuorumRequest::default() };
    client.call(2, &request).await.unwrap().topics[0].partitions[0].high_watermark.0
}

#[test]
fn a_flood_of_producer_ids_is_an_entry_for_a_thousand() {
    boot(async {
        let (sim, broker, mut client) = broker(&[]).await;
        let before = entries(&mut client).await;
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: 1_000,
            producer_id: ProducerId::NONE,
            producer_epoch: ProducerEpoch::NONE,
            ..InitProducerIdRequest::default()
        };
        let questions = frame_of(4, &request).repeat(250);
        let mut flood = Vec::new();
        for _ in 0..20 {
            let mut peer = connect(&sim).await;
            peer.send_bytes(&questions).await.unwrap();
            flood.push(peer);
        }
        is_served(&mut client).await;
        let mut ids = BTreeSet::new();
        for peer in &mut flood {
            for _ in 0..250 {
                let answer =
                    timeout(SECOND, peer.receive::<InitProducerIdRequest>(4)).await.expect("in time").unwrap().1;
                assert_eq!(answer.error_code, 0);
                assert!(ids.insert(answer.producer_id), "{:?} was given twice", answer.producer_id);
            }
        }
        assert_eq!(entries(&mut client).await - before, 5);
        broker.stop().await.unwrap();
    });
}

/// Counts jobs that are on their way, each of which takes a second.
struct Slowly {
    offload: Arc<dyn Offload>,
    clock: Arc<dyn Clock>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Offload for Slowly {
    fn run(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let (running, slept, now) = (self.offload.run(job), self.clock.sleep(SECOND), self.now.clone());
        self.most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        Box::pin(async move {
            running.await;
            slept.await;
            now.fetch_sub(1, Ordering::Relaxed);
        })
    }
}

/// What a request of thousands of partitions takes once it is decoded is many times what its bytes take.
#[test]
fn large_fetches_are_looked_at_one_at_a_time_and_small_ones_meanwhile() {
    const READERS: usize = 5;
    let sim = boot(async {
        let (sim, broker, mut client) = broker(&[]).await;
        for _ in 0..4 {
            let answer = client.produce("log", 0, &batch(&[&vec![b'x'; 700 << 10]])).await.unwrap();
            assert_eq!(answer.error_code, 0);
        }
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    boot(async {
        let sim = sim.reboot();
        let most = Arc::new(AtomicUsize::new(0));
        let (offload, clock) = (sim.world.offload.clone(), sim.world.clock.clone());
        let slowly = Slowly { offload, clock, now: Arc::default(), most: most.clone() };
        let world = World { offload: Arc::new(slowly), ..sim.world.clone() };
        let broker = Broker::start(world, settings_with(&[])).await.unwrap();
        let mut fetch = fetch_request("log", 0, 0, 0, 0);
        fetch.topics[0].partitions[0].partition_max_bytes = 2 << 20;
        let small = fetch.clone();
        // Alive from here on.
        connect(&sim).await.call(12, &fetch).await.unwrap();
        let wanted = fetch.topics[0].partitions[0].clone();
        fetch.topics[0].partitions.extend((1..3_000).map(|index| of_partition(&wanted, index)));
        for (request, at_once) in [(&fetch, 1), (&small, READERS)] {
            most.store(0, Ordering::Relaxed);
            let mut readers = Vec::new();
            for _ in 0..READERS {
                let mut reader = connect(&sim).await;
                reader.send(12, request).await.unwrap();
                readers.push(reader);
            }
            for reader in &mut readers {
                let answer = reader.receive::<FetchRequest>(12).await.unwrap().1;
                let records = answer.responses[0].partitions[0].records.as_ref().map_or(0, bytes::Bytes::len);
                assert!(records > 1 << 20, "{records} bytes");
            }
            assert_eq!(most.load(Ordering::Relaxed), at_once);
        }
        broker.stop().await.unwrap();
    });
}

#[test]
fn readers_that_never_read_are_gone_at_their_idle_time() {
    const READERS: usize = 50;
    boot(async {
        let (sim, broker, mut client) = broker(&[("connections.max.idle.ms", "60000")]).await;
        let large = vec![b'x'; 900 << 10];
        assert_eq!(client.produce("log", 0, &batch(&[&large])).await.unwrap().error_code, 0);
        let mut deaf = Vec::new();
        for _ in 0..READERS {
            let mut peer = connect(&sim).await;
            for _ in 0..100 {
                peer.send(12, &fetch_request("log", 0, 0, 1, 0)).await.unwrap();
            }
            deaf.push(peer);
        }
        let last_word = sim.world.clock.now();
        let held = |broker: &Broker| measure(broker, "remembered_records_bytes");
        for _ in 0..5 {
            sim.world.clock.sleep(11 * SECOND).await;
            is_served(&mut client).await;
            assert!(held(&broker) <= 64 << 20);
        }
        assert_eq!(measure(&broker, "connections_open") as usize, READERS + 1, "they have their time");
        // What they took at first counts as a word of theirs.
        sim.world.clock.sleep_until(last_word + 62 * SECOND).await;
        assert_eq!(measure(&broker, "connections_open"), 1);
        assert_eq!((held(&broker), broker.request_bytes()), (0, 0));
        is_served(&mut client).await;
        broker.stop().await.unwrap();
    });
}
