//! What tests say to coordinators of groups.

use std::ops::Range;

use bytes::Bytes;
use thalweg_broker::Broker;
use thalweg_messages::delete_groups::DeleteGroupsRequest;
use thalweg_messages::describe_groups::{DescribeGroupsRequest, DescribedGroup};
use thalweg_messages::find_coordinator::FindCoordinatorRequest;
use thalweg_messages::heartbeat::HeartbeatRequest;
use thalweg_messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use thalweg_messages::offset_commit::{OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use thalweg_messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use thalweg_messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use thalweg_wire::{LeaderEpoch, Offset, PartitionIndex};
use thalweg_world::simulated::SimulatedWorld;

use super::Client;
use super::workload::{ADDRESS, settings_with};

pub const GROUP_MAX_SIZE_REACHED: i16 = 81;
pub const COORDINATOR_NOT_AVAILABLE: i16 = 15;
pub const COORDINATOR_LOAD_IN_PROGRESS: i16 = 14;
pub const UNKNOWN_SERVER_ERROR: i16 = -1;
pub const INVALID_COMMIT_OFFSET_SIZE: i16 = 28;

pub async fn start(sim: &SimulatedWorld, named: &[(&str, &str)]) -> Broker {
    let named = [&[("offsets.topic.num.partitions", "4")], named].concat();
    Broker::start(sim.world.clone(), settings_with(&named)).await.unwrap()
}

/// A broker from a seed, and a connection to it that has looked for the coordinator, with a topic to commit for.
pub async fn served(seed: u64, named: &[(&str, &str)]) -> (SimulatedWorld, Broker, Client) {
    let sim = SimulatedWorld::new(seed);
    let broker = start(&sim, named).await;
    let mut client = connect(&sim).await;
    client.create_topic("t", 100).await.unwrap();
    (sim, broker, client)
}

/// A connection that has looked for the coordinator, as clients do.
pub async fn connect(sim: &SimulatedWorld) -> Client {
    let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
    let request = FindCoordinatorRequest { coordinator_keys: vec!["g".to_owned()], ..Default::default() };
    assert_eq!(client.call(4, &request).await.unwrap().coordinators[0].error_code, 0);
    client
}

/// The only member of a group, at once: as of version 3 nobody is given an id first.
pub async fn join(client: &mut Client, group: &str, member_id: &str) -> JoinGroupResponse {
    client.call(3, &join_request(group, member_id, 0)).await.unwrap()
}

/// A member with one protocol, and so many bytes to say for it.
pub fn join_request(group: &str, member_id: &str, words: usize) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol {
        name: "range".to_owned(),
        metadata: Bytes::from(vec![0; words]),
        ..JoinGroupRequestProtocol::default()
    };
    JoinGroupRequest {
        group_id: group.to_owned(),
        session_timeout_ms: 1_800_000,
        rebalance_timeout_ms: 1_800_000,
        member_id: member_id.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol],
        ..JoinGroupRequest::default()
    }
}

/// The leader gives itself a part of so many bytes; the error.
pub async fn assign(client: &mut Client, group: &str, joined: &JoinGroupResponse, bytes: usize) -> i16 {
    let own = SyncGroupRequestAssignment {
        member_id: joined.member_id.clone(),
        assignment: Bytes::from(vec![b'a'; bytes]),
        ..SyncGroupRequestAssignment::default()
    };
    let request = SyncGroupRequest {
        group_id: group.to_owned(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        assignments: vec![own],
        ..SyncGroupRequest::default()
    };
    client.call(3, &request).await.unwrap().error_code
}

pub async fn heartbeat(client: &mut Client, group: &str, joined: &JoinGroupResponse) -> i16 {
    client.call(3, &heartbeat_request(group, joined)).await.unwrap().error_code
}

pub fn heartbeat_request(group: &str, joined: &JoinGroupResponse) -> HeartbeatRequest {
    HeartbeatRequest {
        group_id: group.to_owned(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..HeartbeatRequest::default()
    }
}

/// Offset 7 for these partitions of `t`, with so many bytes of words each.
pub fn commit_request(group: &str, partitions: Range<i32>, words: usize) -> OffsetCommitRequest {
    let partition = |index| OffsetCommitRequestPartition {
        partition_index: PartitionIndex(index),
        committed_offset: Offset(7),
        committed_leader_epoch: LeaderEpoch::NONE,
        committed_metadata: Some("w".repeat(words)),
        ..OffsetCommitRequestPartition::default()
    };
    let partitions = partitions.map(partition).collect();
    OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: -1,
        topics: vec![OffsetCommitRequestTopic { name: "t".to_owned(), partitions, ..Default::default() }],
        ..OffsetCommitRequest::default()
    }
}

/// Commits it; the errors.
pub async fn commit(client: &mut Client, group: &str, partitions: Range<i32>, words: usize) -> Vec<i16> {
    let answer = client.call(8, &commit_request(group, partitions, words)).await.unwrap();
    answer.topics[0].partitions.iter().map(|partition| partition.error_code).collect()
}

pub async fn delete(client: &mut Client, group: &str) -> i16 {
    let request = DeleteGroupsRequest { groups_names: vec![group.to_owned()], ..Default::default() };
    client.call(2, &request).await.unwrap().results[0].error_code
}

/// How many bytes the parts of each of these groups have, or the error.
pub async fn describe(client: &mut Client, groups: &[String]) -> Vec<Result<usize, i16>> {
    let request = DescribeGroupsRequest { groups: groups.to_vec(), ..Default::default() };
    let answer = client.call(5, &request).await.unwrap();
    let part = |group: &DescribedGroup| group.members.iter().map(|member| member.member_assignment.len()).sum();
    answer
        .groups
        .iter()
        .map(|group| if group.error_code == 0 { Ok(part(group)) } else { Err(group.error_code) })
        .collect()
}

/// A question for the words of a partition of `t`, so many times.
pub fn fetch_request(group: &str, times: usize) -> OffsetFetchRequest {
    let topic = OffsetFetchRequestTopics {
        name: "t".to_owned(),
        partition_indexes: vec![PartitionIndex(0); times],
        ..OffsetFetchRequestTopics::default()
    };
    let group = OffsetFetchRequestGroup { group_id: group.to_owned(), topics: Some(vec![topic]), ..Default::default() };
    OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() }
}

/// How many offsets a group has.
pub async fn count(client: &mut Client, group: &str) -> usize {
    let group = OffsetFetchRequestGroup { group_id: group.to_owned(), topics: None, ..Default::default() };
    let request = OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() };
    let answer = client.call(8, &request).await.unwrap();
    assert_eq!(answer.groups[0].error_code, 0);
    answer.groups[0].topics.iter().map(|topic| topic.partitions.len()).sum()
}
