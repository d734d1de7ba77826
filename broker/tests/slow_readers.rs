//! Peers that take their answers slowly: what they are sent stays in its file, and what spoils there meanwhile is not sent.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::path::Path;
use std::time::Duration;

use support::workload::{ADDRESS, boot, create, start_with};
use support::{Client, batch, fetch_request, of_partition};
use thalweg_broker::Broker;
use thalweg_messages::fetch::{FetchPartition, FetchRequest};
use thalweg_wire::ErrorCode;
use thalweg_wire::batch::Batch;
use thalweg_world::simulated::SimulatedWorld;

const JOURNAL_BYTES: u64 = 8 << 20;

/// Where the partition's records are.
const LOG: &str = "/data/logs/slow-0/00000000000000000000.log";

/// A batch of one value that says which it is.
fn nth(number: usize) -> Batch {
    batch(&[format!("{number:050000}").as_bytes()])
}

/// A world in which a topic has sixty batches in files, and nothing in memory; and what its file has.
async fn filled(sim: &SimulatedWorld) -> Vec<u8> {
    let broker = start_with(sim, JOURNAL_BYTES).await.unwrap();
    let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
    create(&mut client, "slow", &[]).await.unwrap();
    for number in 0..60 {
        assert_eq!(client.produce("slow", 0, &nth(number)).await.unwrap().error_code, 0);
    }
    broker.stop().await.unwrap();
    sim.disk.durable_bytes(Path::new(LOG)).unwrap()
}

/// A broker whose answer to a fetch of most of that waits for its peer.
struct Waiting {
    sim: SimulatedWorld,
    /// What the file had.
    expected: Vec<u8>,
    broker: Broker,
    slow: Client,
}

impl Waiting {
    async fn new(seed: u64) -> Waiting {
        let sim = SimulatedWorld::new(seed);
        let expected = filled(&sim).await;
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut slow = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let mut fetch = fetch_request("slow", 0, 0, 0, 0);
        fetch.topics[0].partitions[0].partition_max_bytes = 2_500_000;
        slow.send(12, &fetch).await.unwrap();
        sim.world.clock.sleep(Duration::from_secs(20)).await;
        Waiting { sim, expected, broker, slow }
    }
}

#[test]
fn a_slow_reader_gets_what_stood_there_and_others_are_served_meanwhile() {
    for seed in 0..6 {
        boot(async {
            let Waiting { sim, expected, broker, mut slow } = Waiting::new(seed).await;
            let mut other = Client::connect(&sim.world, ADDRESS).await.unwrap();
            assert_eq!(other.read_all("slow", 0, 0).await.unwrap().len(), 60);
            let answer = slow.receive::<FetchRequest>(12).await.unwrap().1;
            let records = answer.responses[0].partitions[0].records.clone().unwrap();
            assert!(records.len() > 2_300_000, "{} bytes", records.len());
            assert!(records == expected[..records.len()]);
            broker.stop().await.unwrap();
        });
    }
}

/// Far behind what was sent, or in the very piece whose beginning was.
#[test]
fn what_rots_while_it_waits_to_be_sent_is_not_sent() {
    for (seed, rotten) in (0..4).flat_map(|seed| [1, 2, 3, 4, 45].map(|rotten| (seed, rotten))) {
        boot(async {
            let Waiting { sim, expected, broker, mut slow } = Waiting::new(seed).await;
            let batch = expected.len() / 60;
            let at = rotten * batch + 1_000;
            sim.disk.patch(Path::new(LOG), at as u64, &[expected[at] ^ 1]).unwrap();
            let received = slow.receive_to_the_end().await;
            let (least, most) = if rotten == 45 { (30 * batch, at) } else { (1, 20 * batch) };
            assert!((least..most).contains(&received.len()), "{} bytes, and batch {rotten} is damaged", received.len());
            // Behind the answer's own words come the log's first bytes.
            let head = received.windows(64).position(|bytes| *bytes == expected[..64]).unwrap();
            assert!(expected.starts_with(&received[head..]), "what came is what stood there");

            let mut other = Client::connect(&sim.world, ADDRESS).await.unwrap();
            let answer = other.call(12, &fetch_request("slow", 0, rotten as i64, 0, 0)).await.unwrap();
            assert_eq!(answer.responses[0].partitions[0].error_code, ErrorCode::CorruptMessage.code());
            broker.stop().await.unwrap();
        });
    }
}

/// Many partitions that lie behind are caught up with a few files at a time; small pieces of all of them come at once.
#[test]
fn one_answer_holds_a_few_files() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        assert_eq!(client.create_topic("many", 12).await.unwrap(), 0);
        let large = batch(&[&[7; 600_000]]);
        for partition in (0..12).chain(0..12) {
            assert_eq!(client.produce("many", partition, &large).await.unwrap().error_code, 0);
        }
        broker.stop().await.unwrap();
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        for (most, given) in [(2_000_000, 8), (700_000, 12)] {
            let mut request = fetch_request("many", 0, 0, 0, 0);
            request.max_bytes = 100 << 20;
            let wanted = FetchPartition { partition_max_bytes: most, ..request.topics[0].partitions[0].clone() };
            request.topics[0].partitions = (0..12).map(|index| of_partition(&wanted, index)).collect();
            let answer = client.call(12, &request).await.unwrap();
            let partitions = &answer.responses[0].partitions;
            assert!(partitions.iter().all(|partition| partition.error_code == 0));
            let has_records = |records: &Option<bytes::Bytes>| records.as_ref().is_some_and(|bytes| !bytes.is_empty());
            let found = partitions.iter().filter(|partition| has_records(&partition.records)).count();
            assert_eq!(found, given, "up to {most} bytes of each");
        }
        broker.stop().await.unwrap();
    });
}
