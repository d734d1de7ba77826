//! What fetches leave behind: sessions nothing at their partitions, and answers no more than there is room for.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use thalweg_messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use thalweg_messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use thalweg_messages::fetch::{FetchPartition, FetchRequest, FetchTopic, ForgottenTopic};
use thalweg_messages::produce::{ProducePartition, ProduceRequest, ProduceTopic};
use thalweg_messages::{Message, Request as MessageRequest};
use thalweg_wire::batch::Builder;
use thalweg_wire::codec::{Decoder, Form};
use thalweg_wire::frame::{RequestHeader, decode_response_header, finish_frame};
use thalweg_wire::{LeaderEpoch, Offset, PartitionIndex, Timestamp};
use thalweg_world::BoxFuture;
use thalweg_world::simulated::SimulatedWorld;
use tokio::sync::watch;

use crate::broker::{Advertised, Broker, Shared};
use crate::budgets::REMEMBERED_BYTES;
use crate::frames::Frame;
use crate::handlers::{Answer, Ending, Request, handle};
use crate::partition::Partition;
use crate::reply::Reply;
use crate::settings::{Given, Layers, Origin, Settings, data_directory};

const PARTITIONS: i32 = 3;

/// A broker with room for one session, asked without a network.
struct Node {
    broker: Broker,
    partitions: Vec<Arc<Partition>>,
    /// As long as it is there, no connection ends.
    ending: watch::Sender<bool>,
}

impl Node {
    async fn start(sim: &SimulatedWorld) -> Node {
        let set = |name: &str, value: &str| {
            let (name, value) = (name.to_owned(), value.to_owned());
            Given { name, value, origin: Origin::Set }
        };
        let mut flags = data_directory("/data", &Origin::Set);
        flags.push(set("listeners", "PLAINTEXT://127.0.0.1:9092"));
        flags.push(set("journal.bytes", "8388608"));
        flags.push(set("max.incremental.fetch.session.cache.slots", "1"));
        let settings = Settings::new(&Layers { flags, ..Layers::default() }, None).unwrap().0;
        let broker = Broker::start(sim.world.clone(), settings).await.unwrap();
        let mut node = Node { broker, partitions: Vec::new(), ending: watch::Sender::new(false) };
        let topic = CreatableTopic {
            name: "t".to_owned(),
            num_partitions: PARTITIONS,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
        assert_eq!(node.call(7, &request).await.topics[0].error_code, 0);
        for index in 0..PARTITIONS {
            node.partitions.push(node.shared().leader_of_named("t", PartitionIndex(index)).await.unwrap());
        }
        node
    }

    fn shared(&self) -> &Arc<Shared> {
        self.broker.shared()
    }

    async fn ask<R: MessageRequest>(&self, version: i16, request: &R) -> Answer {
        let client_id = "test".into();
        let header = RequestHeader { api_key: R::API_KEY, api_version: version, correlation_id: 1, client_id };
        let mut into = header.begin_request(Form::of(version, R::FLEXIBLE_FROM));
        request.encode(&mut into, version).unwrap();
        let frame = Frame { bytes: finish_frame(into).into_bytes().slice(4..), permit: Default::default() };
        let advertised = Arc::new(Advertised { host: "here".to_owned(), port: 9092 });
        let ending = Ending::new(self.ending.subscribe());
        let request = Request::parse(frame, ([127, 0, 0, 1], 1).into(), &advertised, &ending).unwrap();
        handle(self.shared(), request).await.unwrap()
    }

    async fn call<R: MessageRequest>(&self, version: i16, request: &R) -> R::Response {
        let bytes = self.answered(version, request).await.into_bytes().slice(4..);
        let mut from = Decoder::new(&bytes);
        decode_response_header(&mut from, R::API_KEY, Form::of(version, R::FLEXIBLE_FROM)).unwrap();
        R::Response::decode(&mut from, version).unwrap()
    }

    async fn answered<R: MessageRequest>(&self, version: i16, request: &R) -> Reply {
        match self.ask(version, request).await {
            Answer::Now(answer) => answer,
            Answer::Later(answer) => answer.await.unwrap(),
            Answer::None => panic!("no answer"),
        }
    }

    /// An answer that waits, and does.
    async fn wait(&self, request: &FetchRequest) -> BoxFuture<'static, Option<Reply>> {
        let Answer::Later(mut answer) = self.ask(12, request).await else { panic!("it was answered at once") };
        assert!((&mut answer).now_or_never().is_none());
        answer
    }

    /// Opens a session and looks at all of it.
    async fn open(&self) -> i32 {
        let id = self.call(12, &request(0, 0, 0)).await.session_id;
        assert_ne!(id, 0);
        assert_eq!(self.call(12, &next(id, 1, 0)).await.error_code, 0);
        assert_eq!(self.subscriptions(), [1, 1, 1]);
        id
    }

    /// How many listen to each partition.
    fn subscriptions(&self) -> Vec<usize> {
        self.partitions.iter().map(|partition| partition.subscriptions()).collect()
    }
}

/// A full fetch from the beginning.
fn request(session_id: i32, session_epoch: i32, max_wait_ms: i32) -> FetchRequest {
    let partitions = (0..PARTITIONS).map(|index| FetchPartition {
        partition: PartitionIndex(index),
        current_leader_epoch: LeaderEpoch::NONE,
        fetch_offset: Offset(0),
        last_fetched_epoch: LeaderEpoch::NONE,
        partition_max_bytes: 1 << 20,
        ..FetchPartition::default()
    });
    let topic = FetchTopic { topic: "t".to_owned(), partitions: partitions.collect(), ..FetchTopic::default() };
    let (min_bytes, max_bytes) = (1, 1 << 20);
    FetchRequest {
        session_id,
        session_epoch,
        max_wait_ms,
        min_bytes,
        max_bytes,
        topics: vec![topic],
        ..FetchRequest::default()
    }
}

/// One that names nothing.
fn next(session_id: i32, session_epoch: i32, max_wait_ms: i32) -> FetchRequest {
    FetchRequest { topics: Vec::new(), ..request(session_id, session_epoch, max_wait_ms) }
}

fn without(partitions: std::ops::Range<i32>, request: FetchRequest) -> FetchRequest {
    let partitions = partitions.map(PartitionIndex).collect();
    let forgotten = ForgottenTopic { topic: "t".to_owned(), partitions, ..ForgottenTopic::default() };
    FetchRequest { forgotten_topics_data: vec![forgotten], ..request }
}

fn boot(run: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(run);
}

#[test]
fn who_is_forgotten_or_closed_is_listened_to_no_more() {
    boot(async {
        let node = Node::start(&SimulatedWorld::new(1)).await;
        let id = node.open().await;
        node.call(12, &without(1..2, next(id, 2, 0))).await;
        assert_eq!(node.subscriptions(), [1, 0, 1]);
        node.call(12, &without(0..PARTITIONS, next(id, 3, 0))).await;
        assert_eq!(node.subscriptions(), [0, 0, 0], "an empty session has ended");
        let id = node.open().await;
        node.call(12, &request(id, -1, 0)).await;
        assert_eq!(node.subscriptions(), [0, 0, 0], "the last request of a session");
        let id = node.open().await;
        node.call(12, &request(id, 0, 0)).await;
        assert_eq!(node.subscriptions(), [0, 0, 0], "another one begins, and has not looked yet");
    });
}

#[test]
fn an_evicted_session_listens_no_more() {
    boot(async {
        let sim = SimulatedWorld::new(2);
        let node = Node::start(&sim).await;
        node.open().await;
        sim.world.clock.sleep(Duration::from_secs(121)).await;
        assert_ne!(node.call(12, &request(0, 0, 0)).await.session_id, 0);
        assert_eq!(node.subscriptions(), [0, 0, 0]);
    });
}

#[test]
fn a_request_that_waits_keeps_its_session_listening_and_a_lost_one_loses_nothing() {
    boot(async {
        let node = Node::start(&SimulatedWorld::new(3)).await;
        let id = node.open().await;
        drop(node.wait(&next(id, 2, 1000)).await);
        assert_eq!(node.subscriptions(), [1, 1, 1], "a connection broke, and the session stands");
        let waiting = node.wait(&next(id, 3, 1000)).await;
        node.call(12, &request(id, -1, 0)).await;
        assert_eq!(node.subscriptions(), [1, 1, 1]);
        waiting.await.unwrap();
        assert_eq!(node.subscriptions(), [0, 0, 0]);
        let sessionless = node.wait(&request(0, -1, 1000)).await;
        assert_eq!(node.subscriptions(), [1, 1, 1]);
        drop(sessionless);
        assert_eq!(node.subscriptions(), [0, 0, 0]);
    });
}

#[test]
fn a_deleted_partition_is_listened_to_no_more() {
    boot(async {
        let node = Node::start(&SimulatedWorld::new(4)).await;
        let id = node.open().await;
        let waiting = node.wait(&next(id, 2, 1_000_000)).await;
        let name = DeleteTopicState { name: Some("t".to_owned()), ..Default::default() };
        let request = DeleteTopicsRequest { topics: vec![name], timeout_ms: 30_000, ..Default::default() };
        assert_eq!(node.call(6, &request).await.responses[0].error_code, 0);
        assert!(waiting.now_or_never().is_some(), "it is told at once");
        assert_eq!(node.subscriptions(), [0, 0, 0]);
        assert!(node.partitions.iter().all(|partition| Arc::strong_count(partition) == 1), "and nobody holds it");
    });
}

/// Records in memory are shared as long as the log has them, and the peer's alone afterwards.
#[test]
fn peers_who_take_nothing_hold_a_bounded_part_of_what_is_in_memory() {
    boot(async {
        let node = Node::start(&SimulatedWorld::new(4)).await;
        let config = |name: &str, value: &str| CreatableTopicConfig {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            ..CreatableTopicConfig::default()
        };
        let topic = CreatableTopic {
            name: "m".to_owned(),
            num_partitions: 1,
            replication_factor: 1,
            configs: vec![config("storage.mode", "memory"), config("retention.bytes", "100000000")],
            ..CreatableTopic::default()
        };
        let create = CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
        assert_eq!(node.call(7, &create).await.topics[0].error_code, 0);
        let batch = Builder::new().record(Timestamp::from_millis(1), None, Some(&[7; 100_000])).build().unwrap();
        let partition = ProducePartition { records: Some(batch.to_bytes()), ..ProducePartition::default() };
        let topic = ProduceTopic { name: "m".to_owned(), partition_data: vec![partition], ..ProduceTopic::default() };
        let produce = ProduceRequest { acks: 1, timeout_ms: 30_000, topic_data: vec![topic], ..Default::default() };
        for _ in 0..10 {
            assert_eq!(node.call(12, &produce).await.responses[0].partition_responses[0].error_code, 0);
        }
        let mut fetch = request(0, -1, 0);
        fetch.topics[0].topic = "m".to_owned();
        fetch.topics[0].partitions.truncate(1);
        let all = node.answered(12, &fetch).await.len();
        assert!(all > 1_000_000);
        let mut held: Vec<Reply> = Vec::new();
        for _ in 0..200 {
            held.push(node.answered(12, &fetch).await);
        }
        let whole = held.iter().filter(|reply| reply.len() == all).count();
        assert_eq!(whole, REMEMBERED_BYTES / (10 * batch.byte_length()));
        let one = batch.byte_length()..batch.byte_length() + 1_000;
        assert!(held[whole..].iter().all(|reply| one.contains(&reply.len())), "whoever reads gets on");
        held.clear();
        assert_eq!(node.answered(12, &fetch).await.len(), all);
    });
}
