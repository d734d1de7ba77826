//! A broker that coordinates one member's group, and is written here: it does all that a coordinator does, unless a test
//! says otherwise.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use thalweg_messages::Request;
use thalweg_messages::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};
use thalweg_messages::fetch::{FetchPartitionResponse, FetchRequest, FetchResponse, FetchTopicResponse};
use thalweg_messages::find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
use thalweg_messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use thalweg_messages::join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember};
use thalweg_messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse};
use thalweg_messages::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use thalweg_messages::metadata::{MetadataBroker, MetadataPartition, MetadataRequest, MetadataResponse, MetadataTopic};
use thalweg_messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use thalweg_messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchResponse, OffsetFetchResponsePartition, OffsetFetchResponseTopic,
};
use thalweg_messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
use thalweg_wire::batch::Builder;
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, PartitionIndex, Timestamp};
use thalweg_world::World;

use super::{ADDRESS, Asked, Reply, body, scripted_at};

pub const FETCH: i16 = FetchRequest::API_KEY;
pub const METADATA: i16 = MetadataRequest::API_KEY;
pub const COMMIT: i16 = OffsetCommitRequest::API_KEY;
pub const PLACES: i16 = OffsetFetchRequest::API_KEY;
pub const FIND: i16 = FindCoordinatorRequest::API_KEY;
pub const JOIN: i16 = JoinGroupRequest::API_KEY;
pub const BEAT: i16 = HeartbeatRequest::API_KEY;
pub const LEAVE: i16 = LeaveGroupRequest::API_KEY;
pub const SYNC: i16 = SyncGroupRequest::API_KEY;

/// What the broker does instead of what it should.
#[derive(Clone, Debug)]
pub enum Instead {
    /// It says this code.
    Code(ErrorCode),
    /// It says this.
    Body(Bytes),
    /// It says nothing.
    Silence,
    /// It does it, and the answer is lost.
    LostAnswer,
    /// It does it, and says so late.
    Late(Duration),
}

#[derive(Clone)]
pub struct Coordinator {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub struct State {
    /// How many partitions each topic has; each has ten records.
    pub topics: BTreeMap<String, Result<i32, ErrorCode>>,
    /// The next answers to requests with this key, in order; the last goes on if it shall.
    instead: BTreeMap<i16, Vec<Instead>>,
    always: BTreeMap<i16, Instead>,
    /// What partitions answer to a commit, for good.
    pub refuses: BTreeMap<i32, ErrorCode>,
    /// What it gives, whatever the leader says.
    pub gives: Option<Bytes>,
    pub skips_assignment: bool,
    /// So often it names a broker as the coordinator that isn't there any more.
    pub names_the_dead: usize,
    generation: i32,
    members: i32,
    pub committed: BTreeMap<i32, i64>,
    /// Keys of the requests of the group, and who asked.
    pub asked: Vec<(i16, String)>,
    /// How many partitions each commit named.
    pub commits: Vec<usize>,
}

impl Coordinator {
    /// With `t` of so many partitions.
    pub async fn start(world: &World, partitions: i32) -> Coordinator {
        let topics = [("t".to_owned(), Ok(partitions))].into();
        let state = Arc::new(Mutex::new(State { topics, ..State::default() }));
        let own = state.clone();
        let address = scripted_at(world, ADDRESS, move |asked| own.lock().unwrap().reply(&asked)).await;
        Coordinator { address, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next requests of this kind are answered so.
    pub fn next(&self, key: i16, instead: impl IntoIterator<Item = Instead>) {
        self.state().instead.entry(key).or_default().extend(instead);
    }

    /// All requests of this kind are answered so, behind those; `None` for as they should.
    pub fn always(&self, key: i16, instead: Option<Instead>) {
        match instead {
            Some(instead) => drop(self.state().always.insert(key, instead)),
            None => drop(self.state().always.remove(&key)),
        }
    }

    /// How many requests of this kind came.
    pub fn count(&self, key: i16) -> usize {
        self.state().asked.iter().filter(|(asked, _)| *asked == key).count()
    }
}

fn versions() -> ApiVersionsResponse {
    let range =
        |api_key, min_version, max_version| ApiVersion { api_key, min_version, max_version, ..Default::default() };
    let api_keys = vec![
        range(FETCH, 4, 12),
        range(ListOffsetsRequest::API_KEY, 1, 7),
        range(METADATA, 0, 12),
        range(ApiVersionsRequest::API_KEY, 0, 4),
        range(COMMIT, 2, 8),
        range(PLACES, 1, 7),
        range(FIND, 0, 3),
        range(JOIN, 0, 9),
        range(BEAT, 0, 4),
        range(LEAVE, 0, 5),
        range(SYNC, 0, 5),
    ];
    ApiVersionsResponse { api_keys, ..ApiVersionsResponse::default() }
}

impl State {
    fn reply(&mut self, asked: &Asked) -> Reply {
        let instead = match self.instead.get_mut(&asked.key) {
            Some(next) if !next.is_empty() => Some(next.remove(0)),
            _ => self.always.get(&asked.key).cloned(),
        };
        let code = match &instead {
            Some(Instead::Silence) => {
                self.asked.push((asked.key, String::new()));
                return Reply::Nothing;
            }
            Some(Instead::Body(body)) => {
                self.asked.push((asked.key, String::new()));
                return Reply::Body(body.clone());
            }
            Some(Instead::Code(code)) => *code,
            Some(Instead::LostAnswer | Instead::Late(_)) | None => ErrorCode::None,
        };
        match (self.answer(asked, code), instead) {
            (_, Some(Instead::LostAnswer)) => Reply::Cut,
            (Reply::Body(body), Some(Instead::Late(wait))) => Reply::Later(wait, body),
            (reply, _) => reply,
        }
    }

    fn answer(&mut self, asked: &Asked, code: ErrorCode) -> Reply {
        let version = asked.version;
        Reply::Body(match asked.key {
            ApiVersionsRequest::API_KEY => body(&versions(), version),
            METADATA => body(&self.metadata(&asked.read()), version),
            FIND => {
                self.asked.push((FIND, String::new()));
                let node_id = BrokerId(if self.names_the_dead > 0 { 2 } else { 1 });
                self.names_the_dead = self.names_the_dead.saturating_sub(1);
                let (error_code, host, port) = (code.code(), "127.0.0.1".to_owned(), 9091 + node_id.0);
                body(&FindCoordinatorResponse { node_id, error_code, host, port, ..Default::default() }, version)
            }
            JOIN => body(&self.join(asked.read(), code), version),
            SYNC => {
                let request: SyncGroupRequest = asked.read();
                self.asked.push((SYNC, request.member_id.clone()));
                let own = request.assignments.into_iter().find(|each| each.member_id == request.member_id);
                let assignment = self.gives.clone().or(own.map(|own| own.assignment)).unwrap_or_default();
                body(&SyncGroupResponse { error_code: code.code(), assignment, ..Default::default() }, version)
            }
            BEAT => {
                self.asked.push((BEAT, asked.read::<HeartbeatRequest>().member_id));
                body(&HeartbeatResponse { error_code: code.code(), ..Default::default() }, version)
            }
            LEAVE => {
                let request: LeaveGroupRequest = asked.read();
                let member = request.members.first().map(|member| member.member_id.clone()).unwrap_or_default();
                self.asked.push((LEAVE, member));
                body(&LeaveGroupResponse { error_code: code.code(), ..Default::default() }, version)
            }
            PLACES => body(&self.places(&asked.read(), code), version),
            COMMIT => body(&self.commit(asked.read(), code), version),
            ListOffsetsRequest::API_KEY => {
                let request: ListOffsetsRequest = asked.read();
                let of = &request.topics[0];
                let partition = ListOffsetsPartitionResponse {
                    partition_index: of.partitions[0].partition_index,
                    offset: Offset(if of.partitions[0].timestamp == -1 { 10 } else { 0 }),
                    ..Default::default()
                };
                let topics = vec![ListOffsetsTopicResponse {
                    name: of.name.clone(),
                    partitions: vec![partition],
                    ..Default::default()
                }];
                body(&ListOffsetsResponse { topics, ..Default::default() }, version)
            }
            FETCH => return fetch(&asked.read(), version),
            _ => return Reply::Cut,
        })
    }

    fn metadata(&self, request: &MetadataRequest) -> MetadataResponse {
        let broker = |id| MetadataBroker {
            node_id: BrokerId(id),
            host: "127.0.0.1".to_owned(),
            port: 9091 + id,
            ..Default::default()
        };
        let partition = |index| MetadataPartition {
            partition_index: PartitionIndex(index),
            leader_id: BrokerId(1),
            leader_epoch: LeaderEpoch(0),
            ..Default::default()
        };
        let asked = request.topics.iter().flatten().filter_map(|topic| topic.name.clone());
        let topics = asked.map(|name| {
            let count = self.topics.get(&name).copied().unwrap_or(Err(ErrorCode::UnknownTopicOrPartition));
            let error_code = count.err().map_or(0, ErrorCode::code);
            let partitions = (0..count.unwrap_or(0)).map(partition).collect();
            MetadataTopic { name: Some(name), error_code, partitions, ..Default::default() }
        });
        MetadataResponse { brokers: vec![broker(1), broker(2)], topics: topics.collect(), ..Default::default() }
    }

    fn join(&mut self, request: JoinGroupRequest, code: ErrorCode) -> JoinGroupResponse {
        self.asked.push((JOIN, request.member_id.clone()));
        if code != ErrorCode::None {
            let member_id = request.member_id;
            return JoinGroupResponse { error_code: code.code(), generation_id: -1, member_id, ..Default::default() };
        }
        let member_id = if request.member_id.is_empty() {
            self.members += 1;
            format!("m{}", self.members)
        } else {
            request.member_id
        };
        self.generation += 1;
        let protocol = request.protocols.into_iter().next().unwrap();
        let members = vec![JoinGroupResponseMember {
            member_id: member_id.clone(),
            metadata: protocol.metadata,
            ..Default::default()
        }];
        JoinGroupResponse {
            generation_id: self.generation,
            protocol_type: Some("consumer".to_owned()),
            protocol_name: Some(protocol.name),
            leader: member_id.clone(),
            skip_assignment: self.skips_assignment,
            member_id,
            members,
            ..Default::default()
        }
    }

    fn places(&mut self, request: &OffsetFetchRequest, code: ErrorCode) -> OffsetFetchResponse {
        self.asked.push((PLACES, String::new()));
        let each = |index: &PartitionIndex| OffsetFetchResponsePartition {
            partition_index: *index,
            committed_offset: Offset(self.committed.get(&index.0).copied().unwrap_or(-1)),
            error_code: code.code(),
            ..Default::default()
        };
        let topics = request.topics.iter().flatten().map(|topic| OffsetFetchResponseTopic {
            name: topic.name.clone(),
            partitions: topic.partition_indexes.iter().map(each).collect(),
            ..Default::default()
        });
        OffsetFetchResponse { topics: topics.collect(), ..Default::default() }
    }

    fn commit(&mut self, request: OffsetCommitRequest, code: ErrorCode) -> OffsetCommitResponse {
        self.asked.push((COMMIT, request.member_id));
        self.commits.push(request.topics.iter().map(|topic| topic.partitions.len()).sum());
        let mut topics = Vec::new();
        for topic in request.topics {
            let mut partitions = Vec::new();
            for each in topic.partitions {
                let refused = self.refuses.get(&each.partition_index.0).copied().unwrap_or(code);
                if refused == ErrorCode::None {
                    self.committed.insert(each.partition_index.0, each.committed_offset.0);
                }
                let (partition_index, error_code) = (each.partition_index, refused.code());
                partitions.push(OffsetCommitResponsePartition { partition_index, error_code, ..Default::default() });
            }
            topics.push(OffsetCommitResponseTopic { name: topic.name, partitions, ..Default::default() });
        }
        OffsetCommitResponse { topics, ..Default::default() }
    }
}

/// Ten records each, in one batch.
fn fetch(request: &FetchRequest, version: i16) -> Reply {
    let mut is_empty = true;
    let topics = request.topics.iter().map(|topic| {
        let each = topic.partitions.iter().map(|each| {
            let all = (0..10).fold(Builder::new(), |builder, number: u8| {
                builder.record(Timestamp::from_millis(5), None, Some(&[number]))
            });
            let mut batch = all.build().unwrap();
            batch.place(Offset(0), LeaderEpoch(0));
            let is_there = each.fetch_offset < Offset(10);
            is_empty &= !is_there;
            FetchPartitionResponse {
                partition_index: each.partition,
                high_watermark: Offset(10),
                last_stable_offset: Offset(10),
                records: is_there.then(|| batch.to_bytes()),
                ..Default::default()
            }
        });
        FetchTopicResponse { topic: topic.topic.clone(), partitions: each.collect(), ..Default::default() }
    });
    let responses = topics.collect();
    let answer = body(&FetchResponse { responses, ..Default::default() }, version);
    if is_empty { Reply::Later(Duration::from_millis(500), answer) } else { Reply::Body(answer) }
}
