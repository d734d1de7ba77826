//! A simulated broker to write to, and a reader that is not the client's.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

pub mod cluster;
pub mod coordinator;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use thalweg_broker::Broker;
use thalweg_broker::settings::{Given, Layers, Origin, Settings, data_directory};
use thalweg_client::{Client, Options};
use thalweg_messages::Request;
use thalweg_messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use thalweg_messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use thalweg_wire::batch::{Batch, Batches, Records, Scratch};
use thalweg_wire::codec::{Decoder, Form};
use thalweg_wire::frame::{RequestHeader, decode_response_header, finish_frame};
use thalweg_wire::{BrokerId, Offset, PartitionIndex};
use thalweg_world::World;
use thalweg_world::simulated::SimulatedWorld;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub const ADDRESS: &str = "127.0.0.1:9092";

/// Runs a story from a seed: everything in it ends with it.
pub fn story<F: Future<Output = ()>>(seed: u64, run: impl FnOnce(SimulatedWorld) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { run(SimulatedWorld::new(seed)).await });
}

pub async fn broker(world: &World, named: &[(&str, &str)]) -> Broker {
    let given = |name: &str, value: &str| Given { name: name.to_owned(), value: value.to_owned(), origin: Origin::Set };
    let mut flags = data_directory("/data", &Origin::Set);
    flags.push(given("listeners", &format!("PLAINTEXT://{ADDRESS}")));
    flags.push(given("journal.bytes", "8388608"));
    flags.extend(named.iter().map(|(name, value)| given(name, value)));
    let settings = Settings::new(&Layers { flags, ..Layers::default() }, None).unwrap().0;
    Broker::start(world.clone(), settings).await.unwrap()
}

pub fn client(world: &World) -> Client {
    Client::new(world.clone(), Options::to(ADDRESS))
}

/// Asks over a connection of its own.
pub async fn ask<R: Request>(world: &World, version: i16, request: &R) -> R::Response {
    let mut stream = world.net.connect(ADDRESS).await.unwrap();
    let header = RequestHeader { api_key: R::API_KEY, api_version: version, correlation_id: 1, client_id: "".into() };
    let form = Form::of(version, R::FLEXIBLE_FROM);
    let mut frame = header.begin_request(form);
    request.encode(&mut frame, version).unwrap();
    stream.write_all(&finish_frame(frame).into_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut bytes = BytesMut::zeroed(stream.read_i32().await.unwrap() as usize);
    stream.read_exact(&mut bytes).await.unwrap();
    let bytes = bytes.freeze();
    let mut from = Decoder::new(&bytes);
    decode_response_header(&mut from, R::API_KEY, form).unwrap();
    let body = bytes.slice(from.position()..);
    thalweg_messages::Message::decode(&mut Decoder::new(&body), version).unwrap()
}

pub async fn create(world: &World, name: &str, partitions: i32, configs: &[(&str, &str)]) {
    let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
        name: (*name).to_owned(),
        value: Some((*value).to_owned()),
        ..CreatableTopicConfig::default()
    };
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: partitions,
        replication_factor: 1,
        configs: configs.iter().map(config).collect(),
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..CreateTopicsRequest::default() };
    assert_eq!(ask(world, 7, &request).await.topics[0].error_code, 0);
}

/// Batches of a partition from an offset on, as they are stored.
pub async fn batches(world: &World, topic: &str, partition: i32, from: i64) -> Vec<Batch> {
    let partitions = vec![FetchPartition {
        partition: PartitionIndex(partition),
        fetch_offset: Offset(from),
        partition_max_bytes: 1 << 20,
        ..FetchPartition::default()
    }];
    let topics = vec![FetchTopic { topic: topic.to_owned(), partitions, ..FetchTopic::default() }];
    let request = FetchRequest { replica_id: BrokerId(-1), max_bytes: 1 << 20, topics, ..FetchRequest::default() };
    let response = ask(world, 11, &request).await;
    let partition = &response.responses[0].partitions[0];
    assert_eq!(partition.error_code, 0);
    Batches::new(partition.records.clone().unwrap_or_default()).map(Result::unwrap).collect()
}

/// Everything in a partition: offset and value.
pub async fn read_all(world: &World, topic: &str, partition: i32) -> Vec<(i64, Bytes)> {
    let mut found: Vec<(i64, Bytes)> = Vec::new();
    loop {
        let (from, before) = (found.last().map_or(0, |(offset, _)| offset + 1), found.len());
        for batch in batches(world, topic, partition, from).await {
            let batch = batch.decompressed(&mut Scratch::new()).unwrap();
            for record in Records::of(&batch).unwrap() {
                let record = record.unwrap();
                let offset = record.offset.0;
                if offset >= from {
                    found.push((offset, Bytes::copy_from_slice(record.value.unwrap_or_default())));
                }
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// A request, as a scripted broker sees it.
pub struct Asked {
    /// Which of its connections, from 0.
    pub connection: usize,
    pub key: i16,
    pub version: i16,
    pub body: Bytes,
}

impl Asked {
    pub fn read<R: Request>(&self) -> R {
        thalweg_messages::Message::decode(&mut Decoder::new(&self.body), self.version).unwrap()
    }
}

/// What it does about it.
pub enum Reply {
    /// It says this.
    Body(Bytes),
    /// It says this later; what came behind waits.
    Later(Duration, Bytes),
    /// It never answers.
    Nothing,
    /// The connection is lost.
    Cut,
}

/// A broker that says what a script says: key and version of a request to the body of its answer. What the script has no
/// words for is never answered.
pub async fn scripted(world: &World, script: fn(i16, i16) -> Option<Bytes>) {
    let script = move |asked: Asked| script(asked.key, asked.version).map_or(Reply::Nothing, Reply::Body);
    scripted_at(world, ADDRESS, script).await;
}

/// A broker that does what a script says; where it is.
pub async fn scripted_at(
    world: &World,
    address: &str,
    script: impl Fn(Asked) -> Reply + Send + Sync + 'static,
) -> SocketAddr {
    let (mut listener, script) = (world.net.listen(address).await.unwrap(), std::sync::Arc::new(script));
    let (world, address) = (world.clone(), listener.local_address().unwrap());
    tokio::spawn(async move {
        for connection in 0.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            tokio::spawn(converse(world.clone(), stream, connection, script.clone()));
        }
    });
    address
}

async fn converse(
    world: World,
    mut stream: thalweg_world::net::Stream,
    connection: usize,
    script: std::sync::Arc<impl Fn(Asked) -> Reply>,
) {
    while let Ok(length) = stream.read_i32().await {
        let mut frame = BytesMut::zeroed(length as usize);
        if stream.read_exact(&mut frame).await.is_err() {
            return;
        }
        let frame = frame.freeze();
        let mut from = Decoder::new(&frame);
        let form_of = |key, version| Some(Form::of(version, thalweg_messages::api::Api::of_key(key)?.flexible_from));
        let RequestHeader { api_key: key, api_version: version, correlation_id, .. } =
            RequestHeader::decode(&mut from, form_of).unwrap().unwrap();
        let body = frame.slice(from.position()..);
        let body = match script(Asked { connection, key, version, body }) {
            Reply::Body(body) => body,
            Reply::Later(wait, body) => {
                world.clock.sleep(wait).await;
                body
            }
            Reply::Nothing => continue,
            Reply::Cut => return,
        };
        let form = form_of(key, version).unwrap();
        let header = thalweg_wire::frame::begin_response(key, correlation_id, form).finish().into_bytes();
        let length = (header.len() - 4 + body.len()) as i32;
        let answer = [&length.to_be_bytes()[..], &header[4..], &body].concat();
        if stream.write_all(&answer).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

/// The body of an answer.
pub fn body<M: thalweg_messages::Message>(message: &M, version: i16) -> Bytes {
    let mut into = thalweg_wire::codec::Encoder::new();
    message.encode(&mut into, version).unwrap();
    into.finish().into_bytes()
}
