//! What one request may make the broker allocate: a small multiple of its own bytes, whatever it says.

mod support;

use bytes::Bytes;
use support::workload::{self, boot};
use support::{Client, batch, fetch_request, frame_of};
use thalweg_broker::Broker;
use thalweg_messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use thalweg_messages::delete_groups::DeleteGroupsRequest;
use thalweg_messages::describe_groups::DescribeGroupsRequest;
use thalweg_messages::fetch::{FetchRequest, FetchTopic};
use thalweg_messages::find_coordinator::FindCoordinatorRequest;
use thalweg_messages::heartbeat::HeartbeatRequest;
use thalweg_messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use thalweg_messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use thalweg_messages::list_groups::ListGroupsRequest;
use thalweg_messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use thalweg_messages::metadata::{MetadataRequest, MetadataRequestTopic};
use thalweg_messages::offset_commit::{OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use thalweg_messages::offset_delete::{OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use thalweg_messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic};
use thalweg_messages::produce::{ProducePartition, ProduceRequest, ProduceTopic};
use thalweg_messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
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

    let empty = |n| FetchTopic { topic: format!("{n:x}"), ..FetchTopic::default() };
    fetch.topics = (0..100_000).map(empty).collect();
    check("Fetch of topics without partitions", &frame_of(12, &fetch), 8);

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

/// The same for a request about groups, to a broker that has the topic `t`, and whose coordinators have heard of `before`.
fn most_for_groups(before: &[Bytes], request: &Bytes) -> u64 {
    let most = |frame: Option<&Bytes>| {
        let measured = allocation_counter::measure(|| {
            boot(async {
                let (broker, mut client) = broker(64 << 20).await;
                assert_eq!(client.create_topic("t", PARTITIONS).await.expect("an answer"), 0);
                let coordinator =
                    FindCoordinatorRequest { coordinator_keys: vec!["g".to_owned()], ..Default::default() };
                assert_eq!(client.call(4, &coordinator).await.expect("an answer").coordinators[0].error_code, 0);
                for frame in before.iter().chain(frame) {
                    client.send_bytes(frame).await.expect("the broker reads");
                    let _answer_or_end = client.receive_bytes().await;
                }
                broker.stop().await.expect("a clean stop");
            });
        });
        measured.bytes_max
    };
    most(Some(request)).saturating_sub(most(None))
}

fn check_groups(what: &str, before: &[Bytes], request: &Bytes, times: u64) {
    let most = most_for_groups(before, request);
    let length = request.len() as u64;
    println!("{what}: {length} bytes, {most} allocated, {} times", most / length);
    assert!(most <= times * length, "{what}: {most} bytes for a request of {length}");
}

const PARTITIONS: i32 = 1_000;

/// Partitions of `t`, committed by a group.
fn commit_of(group: &str, partitions: impl Iterator<Item = i32>) -> OffsetCommitRequest {
    let partition = |index| OffsetCommitRequestPartition {
        partition_index: PartitionIndex(index),
        committed_leader_epoch: LeaderEpoch::NONE,
        committed_metadata: Some(String::new()),
        ..Default::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: "t".to_owned(),
        partitions: partitions.map(partition).collect(),
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: -1,
        retention_time_ms: -1,
        topics: vec![topic],
        ..Default::default()
    }
}

#[test]
fn no_commit_of_offsets_takes_many_times_its_bytes() {
    let long = "g".repeat(32_767);
    let repeated = |group, times| commit_of(group, std::iter::repeat_n(0, times));
    check_groups("OffsetCommit, one partition again and again", &[], &frame_of(4, &repeated(&long, 2_000)), 50);
    check_groups("OffsetCommit, the same of a short name", &[], &frame_of(4, &repeated("g", 40_000)), 50);
    check_groups("OffsetCommit, many partitions", &[], &frame_of(4, &commit_of(&long, 0..PARTITIONS)), 50);
    let mut many = commit_of("g", 0..1);
    many.topics = vec![many.topics[0].clone(); 20_000];
    check_groups("OffsetCommit, one topic again and again", &[], &frame_of(4, &many), 50);
}

#[test]
fn no_deletion_takes_many_times_its_bytes() {
    let long = "g".repeat(32_767);
    let committed = frame_of(4, &commit_of(&long, 0..1));
    let delete = |times| {
        let partition = OffsetDeleteRequestPartition { partition_index: PartitionIndex(0) };
        let topic = OffsetDeleteRequestTopic { name: "t".to_owned(), partitions: vec![partition; times] };
        OffsetDeleteRequest { group_id: long.clone(), topics: vec![topic] }
    };
    check_groups("OffsetDelete, one partition again and again", &[committed], &frame_of(0, &delete(4_000)), 50);
    check_groups("OffsetDelete of nothing", &[], &frame_of(0, &delete(200_000)), 50);
    let request = DeleteGroupsRequest { groups_names: names(), ..Default::default() };
    check_groups("DeleteGroups of many names", &[], &frame_of(2, &request), 50);
}

/// Many, of few bytes each.
fn names() -> Vec<String> {
    (0..50_000).map(|n| format!("{n:x}")).collect()
}

#[test]
fn no_question_about_groups_takes_many_times_its_bytes() {
    let request = DescribeGroupsRequest { groups: names(), ..Default::default() };
    check_groups("DescribeGroups of many names", &[], &frame_of(6, &request), 60);
    let groups = (0..300_000).map(|n| format!("{n:x}")).collect();
    let request = DescribeGroupsRequest { groups, ..Default::default() };
    check_groups("DescribeGroups of more names than are answered", &[], &frame_of(6, &request), 20);
    let partition_indexes = vec![PartitionIndex(0); 40_000];
    let topic = OffsetFetchRequestTopic { name: "t".to_owned(), partition_indexes, ..Default::default() };
    let request = OffsetFetchRequest { group_id: "g".to_owned(), topics: Some(vec![topic]), ..Default::default() };
    check_groups("OffsetFetch, one partition again and again", &[], &frame_of(5, &request), 50);
    let group = |group_id| OffsetFetchRequestGroup { group_id, topics: None, ..Default::default() };
    let request = OffsetFetchRequest { groups: names().into_iter().map(group).collect(), ..Default::default() };
    check_groups("OffsetFetch of many groups", &[], &frame_of(8, &request), 50);
    let request = ListGroupsRequest { states_filter: names(), ..Default::default() };
    check_groups("ListGroups of many states", &[], &frame_of(4, &request), 50);
}

#[test]
fn no_member_takes_many_times_its_bytes() {
    let protocol = |name| JoinGroupRequestProtocol { name, ..Default::default() };
    let request = JoinGroupRequest {
        group_id: "g".to_owned(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 10_000,
        protocol_type: "consumer".to_owned(),
        protocols: names().into_iter().map(protocol).collect(),
        ..Default::default()
    };
    check_groups("JoinGroup with many protocols", &[], &frame_of(6, &request), 50);
    let own = |member_id| SyncGroupRequestAssignment { member_id, ..Default::default() };
    let request = SyncGroupRequest {
        group_id: "g".to_owned(),
        assignments: names().into_iter().map(own).collect(),
        ..Default::default()
    };
    check_groups("SyncGroup with many parts", &[], &frame_of(4, &request), 50);
    let leaver = |member_id| MemberIdentity { member_id, ..Default::default() };
    let request = LeaveGroupRequest {
        group_id: "g".to_owned(),
        members: names().into_iter().map(leaver).collect(),
        ..Default::default()
    };
    check_groups("LeaveGroup of many members", &[], &frame_of(4, &request), 50);
    let request = HeartbeatRequest { group_id: "g".repeat(32_000), ..Default::default() };
    check_groups("Heartbeat of a long name", &[], &frame_of(4, &request), 50);
}
