//! What one request may make the broker allocate: a small multiple of its own bytes, whatever it says.

mod support;

use bytes::Bytes;
use support::workload::{self, boot};
use support::{Client, batch, fetch_request, frame_of};
use thalweg_broker::Broker;
use thalweg_messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use thalweg_messages::fetch::FetchRequest;
use thalweg_messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use thalweg_messages::metadata::{MetadataRequest, MetadataRequestTopic};
use thalweg_messages::produce::{ProducePartition, ProduceRequest, ProduceTopic};
use thalweg_wire::{BrokerId, LeaderEpoch, PartitionIndex};
use thalweg_world::simulated::{Faults, SimulatedWorld, Traffic};

/// A broker, and a connection to it on which so many bytes may be on their way.
async fn broker(buffer_bytes: usize) -> (Broker, Client) {
    let traffic = Traffic { buffer_bytes, ..Traffic::default() };
    let sim = SimulatedWorld::with(1, Faults::default(), traffic);
    let broker = workload::start(&sim).await.expect("a start");
    let client = Client::connect(&sim.world, workload::ADDRESS).await.expect("a connection");
    (broker, client)
}

/// What the broker takes at most at one time while it answers, over what it takes for a question that says nothing.
fn most_for(request: &Bytes) -> u64 {
    let most = |frame: &Bytes| {
        let measured = allocation_counter::measure(|| {
            boot(async {
                let (broker, mut client) = broker(64 << 20).await;
                client.send_bytes(frame).await.expect("the broker reads");
                let _answer_or_end = client.receive_bytes().await;
                broker.stop().await.expect("a clean stop");
            });
        });
        measured.bytes_max
    };
    let nothing = MetadataRequest { topics: Some(Vec::new()), ..Default::default() };
    most(request).saturating_sub(most(&frame_of(12, &nothing)))
}

/// Records that are copied into each answer, because they are small, and an answer in front of them all that waits.
#[test]
fn answers_behind_one_that_waits_are_bounded_in_bytes() {
    let most = |fetches: u32| {
        let measured = allocation_counter::measure(|| {
            boot(async {
                let (broker, mut client) = broker(64 << 10).await;
                assert_eq!(client.create_topic("log", 2).await.expect("an answer"), 0);
                for _ in 0..1_000 {
                    let answer = client.produce("log", 0, &batch(&[&[b'x'; 300]])).await.expect("an answer");
                    assert_eq!(answer.error_code, 0);
                }
                client.send(12, &fetch_request("log", 1, 0, 1, 60_000)).await.expect("open");
                for _ in 0..fetches {
                    client.send(12, &fetch_request("log", 0, 0, 1, 0)).await.expect("open");
                }
                for _ in 0..=fetches {
                    let (_, answer) = client.receive::<FetchRequest>(12).await.expect("an answer");
                    assert_eq!(answer.responses[0].partitions[0].error_code, 0);
                }
                broker.stop().await.expect("a clean stop");
            });
        });
        measured.bytes_max
    };
    let (few, many) = (most(4), most(200));
    assert!(many < few + (16 << 20), "{many} bytes for 200 answers, {few} for four");
}

fn check(what: &str, request: &Bytes, times: u64) {
    let most = most_for(request);
    let length = request.len() as u64;
    println!("{what}: {length} bytes, {most} allocated, {} times", most / length);
    assert!(most <= times * length, "{what}: {most} bytes for a request of {length}");
}

#[test]
fn no_request_takes_many_times_its_bytes() {
    let partition =
        ListOffsetsPartition { timestamp: -1, current_leader_epoch: LeaderEpoch::NONE, ..Default::default() };
    let partitions = |count| {
        (0..count).map(|index| ListOffsetsPartition { partition_index: PartitionIndex(index), ..partition.clone() })
    };
    let topic =
        ListOffsetsTopic { name: "n".repeat(30_000), partitions: partitions(5_000).collect(), ..Default::default() };
    let request = ListOffsetsRequest { replica_id: BrokerId::NONE, topics: vec![topic], ..Default::default() };
    check("ListOffsets of a long name and many partitions", &frame_of(1, &request), 50);

    let mut fetch = fetch_request("log", 0, 0, 0, 0);
    let wanted = fetch.topics[0].partitions[0].clone();
    fetch.topics[0].partitions = (0..20_000).map(|index| support::of_partition(&wanted, index)).collect();
    check("Fetch of many partitions", &frame_of(4, &fetch), 50);

    let topics = (0..50_000).map(|n| MetadataRequestTopic { name: Some(format!("{n}!")), ..Default::default() });
    let request =
        MetadataRequest { topics: Some(topics.collect()), allow_auto_topic_creation: true, ..Default::default() };
    check("Metadata of many names", &frame_of(4, &request), 50);
    let topics = vec![MetadataRequestTopic { name: Some(String::new()), ..Default::default() }; 200_000];
    let request = MetadataRequest { topics: Some(topics), allow_auto_topic_creation: true, ..Default::default() };
    check("Metadata of no name many times", &frame_of(4, &request), 50);

    let partition = |index| ProducePartition { index: PartitionIndex(index), ..Default::default() };
    let topic = ProduceTopic {
        name: "log".to_owned(),
        partition_data: (0..8_000).map(partition).collect(),
        ..Default::default()
    };
    let request = ProduceRequest { acks: -1, topic_data: vec![topic], ..Default::default() };
    check("Produce to many partitions", &frame_of(3, &request), 50);

    let topic =
        |n| CreatableTopic { name: format!("t{n}"), num_partitions: 1, replication_factor: 1, ..Default::default() };
    let request =
        CreateTopicsRequest { topics: (0..50_000).map(topic).collect(), timeout_ms: 1000, ..Default::default() };
    check("CreateTopics of many topics", &frame_of(2, &request), 50);
}
