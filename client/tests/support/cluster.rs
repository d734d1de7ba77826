//! A cluster that is written here, of two brokers: it does with a Produce what a test says.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use thalweg_messages::Request;
use thalweg_messages::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};
use thalweg_messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use thalweg_messages::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use thalweg_messages::metadata::{MetadataBroker, MetadataPartition, MetadataRequest, MetadataResponse, MetadataTopic};
use thalweg_messages::produce::{ProducePartitionResponse, ProduceRequest, ProduceResponse, ProduceTopicResponse};
use thalweg_wire::batch::{Batch, Records};
use thalweg_wire::producers::{Producers, Span, sequence_after};
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, PartitionIndex, ProducerEpoch, ProducerId, Timestamp};
use thalweg_world::World;

use super::{Asked, Reply, body, scripted_at};

/// One topic, `t`, and two brokers that share its log.
#[derive(Clone)]
pub struct Cluster {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub struct State {
    /// Where its brokers are.
    pub ports: Vec<u16>,
    pub partitions: Vec<Partition>,
    next_id: i64,
    /// What the brokers do with the next Produce, in order; then they just do it.
    pub fates: Vec<Fate>,
    /// Connections over which a Produce came: broker and number.
    pub connections: Vec<(i32, usize)>,
}

pub struct Partition {
    leader: BrokerId,
    epoch: i32,
    pub values: Vec<Bytes>,
    producers: Producers,
}

#[derive(Clone, Copy)]
pub enum Fate {
    Done,
    /// Done, and the answer comes late.
    Late(Duration),
    /// The broker waits for replicas as long as it may, and says that they didn't come.
    Waits,
    /// Done, and the answer is lost.
    AnswerLost,
    /// It never arrives.
    Lost,
    /// The other broker leads before it arrives.
    Moved,
}

impl Cluster {
    /// Led by these, 0 for nobody.
    pub async fn start(world: &World, leaders: &[i32]) -> Cluster {
        Cluster::start_at(world, [9092, 9093], leaders).await
    }

    /// The same at these ports, 0 for any.
    pub async fn start_at(world: &World, ports: [u16; 2], leaders: &[i32]) -> Cluster {
        let partition = |leader: &i32| Partition {
            leader: BrokerId(if *leader == 0 { -1 } else { *leader }),
            epoch: 0,
            values: Vec::new(),
            producers: Producers::default(),
        };
        let state = State { partitions: leaders.iter().map(partition).collect(), ..State::default() };
        let cluster = Cluster { state: Arc::new(Mutex::new(state)) };
        for (broker, port) in (1..).zip(ports) {
            let own = cluster.clone();
            let reply = move |asked| own.reply(broker, &asked);
            let address = scripted_at(world, &format!("127.0.0.1:{port}"), reply).await;
            cluster.state().ports.push(address.port());
        }
        cluster
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn reply(&self, broker: i32, asked: &Asked) -> Reply {
        let mut state = self.state();
        Reply::Body(match asked.key {
            ApiVersionsRequest::API_KEY => body(&versions(), asked.version),
            MetadataRequest::API_KEY => body(&state.metadata(), asked.version),
            InitProducerIdRequest::API_KEY => {
                state.next_id += 1;
                let (producer_id, producer_epoch) = (ProducerId(state.next_id), ProducerEpoch(0));
                body(&InitProducerIdResponse { producer_id, producer_epoch, ..Default::default() }, asked.version)
            }
            ListOffsetsRequest::API_KEY => {
                let partitions = vec![ListOffsetsPartitionResponse { offset: Offset(0), ..Default::default() }];
                let topics = vec![ListOffsetsTopicResponse { name: "t".to_owned(), partitions, ..Default::default() }];
                body(&ListOffsetsResponse { topics, ..ListOffsetsResponse::default() }, asked.version)
            }
            ProduceRequest::API_KEY => return state.produce(broker, asked),
            _ => return Reply::Cut,
        })
    }
}

fn versions() -> ApiVersionsResponse {
    let range =
        |api_key, min_version, max_version| ApiVersion { api_key, min_version, max_version, ..Default::default() };
    let api_keys = vec![
        range(ProduceRequest::API_KEY, 3, 12),
        range(ListOffsetsRequest::API_KEY, 1, 7),
        range(MetadataRequest::API_KEY, 0, 12),
        range(ApiVersionsRequest::API_KEY, 0, 4),
        range(InitProducerIdRequest::API_KEY, 0, 4),
    ];
    ApiVersionsResponse { api_keys, ..ApiVersionsResponse::default() }
}

impl State {
    fn metadata(&self) -> MetadataResponse {
        let broker = |(id, port): (i32, &u16)| MetadataBroker {
            node_id: BrokerId(id),
            host: "127.0.0.1".to_owned(),
            port: i32::from(*port),
            ..Default::default()
        };
        let partition = |(index, partition): (i32, &Partition)| MetadataPartition {
            partition_index: PartitionIndex(index),
            leader_id: partition.leader,
            leader_epoch: LeaderEpoch(partition.epoch),
            ..MetadataPartition::default()
        };
        let partitions = (0..).zip(&self.partitions).map(partition).collect();
        let topic = MetadataTopic { name: Some("t".to_owned()), partitions, ..MetadataTopic::default() };
        let brokers = (1..).zip(&self.ports).map(broker).collect();
        MetadataResponse { brokers, topics: vec![topic], ..MetadataResponse::default() }
    }

    fn produce(&mut self, broker: i32, asked: &Asked) -> Reply {
        if !self.connections.contains(&(broker, asked.connection)) {
            self.connections.push((broker, asked.connection));
        }
        let request: ProduceRequest = asked.read();
        let fate = if self.fates.is_empty() { Fate::Done } else { self.fates.remove(0) };
        match fate {
            Fate::Lost => return Reply::Cut,
            Fate::Moved => self.move_leaders(),
            _ => {}
        }
        let mut partition_responses = Vec::new();
        for data in &request.topic_data[0].partition_data {
            let partition = &mut self.partitions[data.index.0 as usize];
            let batch = Batch::parse(data.records.as_ref().unwrap()).unwrap();
            let (code, base_offset) = match partition.take(broker, batch) {
                Ok(_) if matches!(fate, Fate::Waits) => (ErrorCode::RequestTimedOut, Offset(-1)),
                Ok(offset) => (ErrorCode::None, offset),
                Err(code) => (code, Offset(-1)),
            };
            let (index, error_code) = (data.index, code.code());
            partition_responses.push(ProducePartitionResponse { index, error_code, base_offset, ..Default::default() });
        }
        let responses = vec![ProduceTopicResponse { name: "t".to_owned(), partition_responses, ..Default::default() }];
        let answer = body(&ProduceResponse { responses, ..ProduceResponse::default() }, asked.version);
        match fate {
            Fate::AnswerLost => Reply::Cut,
            Fate::Late(wait) => Reply::Later(wait, answer),
            Fate::Waits => Reply::Later(Duration::from_millis(request.timeout_ms as u64), answer),
            _ => Reply::Body(answer),
        }
    }

    fn move_leaders(&mut self) {
        for partition in &mut self.partitions {
            partition.leader = BrokerId(3 - partition.leader.0);
            partition.epoch += 1;
        }
    }
}

impl Partition {
    /// What a leader does with a batch: the rules of KIP-98.
    fn take(&mut self, broker: i32, mut batch: Batch) -> Result<Offset, ErrorCode> {
        if self.leader != BrokerId(broker) {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        batch.check().unwrap();
        let span = Span::of(batch.header());
        if let Some(known) = self.producers.get(batch.header().producer_id()) {
            let (first, last) = (span.first_sequence(), known.last().unwrap());
            let same = |old: &&Span| (old.first_sequence(), old.last_sequence) == (first, span.last_sequence);
            match batch.header().producer_epoch().cmp(&known.epoch) {
                std::cmp::Ordering::Less => return Err(ErrorCode::InvalidProducerEpoch),
                std::cmp::Ordering::Greater if first != 0 => return Err(ErrorCode::OutOfOrderSequenceNumber),
                std::cmp::Ordering::Greater => {}
                std::cmp::Ordering::Equal => match known.spans().iter().find(same) {
                    Some(old) => return Ok(old.base()),
                    None if first != sequence_after(last.last_sequence, 1) => {
                        return Err(ErrorCode::OutOfOrderSequenceNumber);
                    }
                    None => {}
                },
            }
        }
        let base = Offset(self.values.len() as i64);
        batch.place(base, LeaderEpoch(self.epoch));
        self.producers.note(batch.header(), Timestamp::NONE);
        let records = Records::of(&batch).unwrap();
        self.values.extend(records.map(|record| Bytes::copy_from_slice(record.unwrap().value.unwrap())));
        Ok(base)
    }
}
