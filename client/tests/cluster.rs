//! The producer against a cluster that is written here, of two brokers: what it asks of whom, and what it makes of leaders
//! that move, answers that are lost and brokers that wait.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use support::{ADDRESS, Asked, Reply, body, scripted_at, story};
use thalweg_client::producer::{Acks, Options};
use thalweg_client::{Client, Isolation, Producer, Record, SendError, Start};
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
use thalweg_world::simulated::Rng;

const PORTS: [i32; 2] = [9092, 9093];

/// One topic, `t`, and two brokers that share its log.
#[derive(Clone)]
struct Cluster {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    partitions: Vec<Partition>,
    next_id: i64,
    /// What the brokers do with the next Produce, in order; then they just do it.
    fates: Vec<Fate>,
    /// Connections over which a Produce came: broker and number.
    connections: Vec<(i32, usize)>,
}

struct Partition {
    leader: BrokerId,
    epoch: i32,
    values: Vec<Bytes>,
    producers: Producers,
}

#[derive(Clone, Copy)]
enum Fate {
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
    async fn start(world: &World, leaders: &[i32]) -> Cluster {
        let partition = |leader: &i32| Partition {
            leader: BrokerId(if *leader == 0 { -1 } else { *leader }),
            epoch: 0,
            values: Vec::new(),
            producers: Producers::default(),
        };
        let state = State { partitions: leaders.iter().map(partition).collect(), ..State::default() };
        let cluster = Cluster { state: Arc::new(Mutex::new(state)) };
        for (broker, port) in (1..).zip(PORTS) {
            let cluster = cluster.clone();
            scripted_at(world, &format!("127.0.0.1:{port}"), move |asked| cluster.reply(broker, &asked)).await;
        }
        cluster
    }

    fn state(&self) -> MutexGuard<'_, State> {
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
        let broker = |(id, port)| MetadataBroker {
            node_id: BrokerId(id),
            host: "127.0.0.1".to_owned(),
            port,
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
        let brokers = (1..).zip(PORTS).map(broker).collect();
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

/// It waits two seconds for an answer.
fn client(world: &World) -> Client {
    let request_timeout = Duration::from_secs(2);
    Client::new(world.clone(), thalweg_client::Options { request_timeout, ..thalweg_client::Options::to(ADDRESS) })
}

/// Sends numbered values to both partitions; each has to be where its delivery says, once and in order.
async fn write_and_look(world: &World, cluster: &Cluster, count: usize, rng: &mut Rng) {
    let options = Options { batch_bytes: 300, linger: Duration::from_millis(1), ..Options::default() };
    let producer = Producer::new(client(world), options).unwrap();
    let mut sent = Vec::new();
    for number in 0..count {
        let (partition, value) = ((number % 2) as i32, format!("value {number}"));
        let delivery = producer.send(Record::to("t").partition(partition).value(&value)).await.unwrap();
        sent.push((partition, Bytes::from(value), delivery));
        world.clock.sleep(Duration::from_millis(rng.below(4))).await;
    }
    producer.close().await;
    let mut expected = [Vec::new(), Vec::new()];
    for (partition, value, delivery) in sent {
        let receipt = delivery.told().unwrap().unwrap();
        assert_eq!(receipt.offset.0, expected[partition as usize].len() as i64);
        expected[partition as usize].push(value);
    }
    let state = cluster.state();
    assert_eq!(state.partitions.iter().map(|each| each.values.clone()).collect::<Vec<_>>(), expected);
}

#[test]
fn leaders_move_and_answers_are_lost_and_each_record_is_there_once_in_its_place() {
    for seed in 0..20 {
        story(seed, async |sim| {
            let cluster = Cluster::start(&sim.world, &[1, 2]).await;
            let mut rng = Rng::stream(seed, "fates");
            let fates = (0..60).map(|_| match rng.below(12) {
                0 | 1 => Fate::Moved,
                2 => Fate::AnswerLost,
                3 => Fate::Lost,
                4 => Fate::Waits,
                5 | 6 => Fate::Late(Duration::from_millis(rng.below(300))),
                _ => Fate::Done,
            });
            cluster.state().fates = fates.collect();
            write_and_look(&sim.world, &cluster, 400, &mut rng).await;
            assert!(cluster.state().fates.is_empty(), "all of it happened");
        });
    }
}

// Else the connection would be lost just when the broker speaks, and with it whatever else is on its way there.
#[test]
fn a_broker_that_waits_for_replicas_gives_up_before_the_client_does() {
    story(1, async |sim| {
        let cluster = Cluster::start(&sim.world, &[1]).await;
        cluster.state().fates = vec![Fate::Done, Fate::Waits];
        let producer = Producer::new(client(&sim.world), Options::default()).unwrap();
        for offset in 0..3 {
            let delivery = producer.send(Record::to("t").value("v")).await.unwrap();
            assert_eq!(delivery.await.unwrap().offset, Offset(offset));
        }
        assert_eq!(cluster.state().connections.len(), 1);
    });
}

// Who asks for an offset doesn't wait for a producer's replicas, nor does another producer.
#[test]
fn what_waits_for_replicas_holds_up_nobody_else() {
    story(2, async |sim| {
        let (world, late) = (&sim.world, Duration::from_millis(1_500));
        let cluster = Cluster::start(world, &[1]).await;
        cluster.state().fates = vec![Fate::Late(late)];
        let (client, began) = (client(world), world.clock.now());
        let [slow, quick] = [(), ()].map(|()| Producer::new(client.clone(), Options::default()).unwrap());
        let waits = slow.send(Record::to("t").value("slow")).await.unwrap();
        while cluster.state().connections.is_empty() {
            world.clock.sleep(Duration::from_millis(1)).await;
        }
        let delivery = quick.send(Record::to("t").value("quick")).await.unwrap();
        assert_eq!(delivery.await.unwrap().offset, Offset(1));
        let deadline = began + Duration::from_secs(10);
        client.offset("t", PartitionIndex(0), Start::Earliest, Isolation::ReadUncommitted, deadline).await.unwrap();
        assert!(world.clock.now().since(began) < late && waits.told().is_none());
        assert_eq!(waits.await.unwrap().offset, Offset(0));
    });
}

#[test]
fn records_without_keys_go_where_somebody_leads() {
    story(4, async |sim| {
        let cluster = Cluster::start(&sim.world, &[0, 1, 0, 2]).await;
        let producer = Producer::new(client(&sim.world), Options { batch_bytes: 300, ..Options::default() }).unwrap();
        for _ in 0..200 {
            producer.send(Record::to("t").value("0123456789")).await.unwrap();
        }
        producer.close().await;
        let counts: Vec<_> = cluster.state().partitions.iter().map(|each| each.values.len()).collect();
        assert_eq!((counts[0], counts[2], counts[1] + counts[3]), (0, 0, 200));
        assert!(counts[1] > 20 && counts[3] > 20, "{counts:?}");
    });
}

// Memory is free when the socket has the bytes, not when they stand in line for it.
#[test]
fn without_acknowledgement_a_broker_that_reads_nothing_holds_senders_back() {
    story(3, async |sim| {
        let cluster = Cluster::start(&sim.world, &[1]).await;
        cluster.state().fates = vec![Fate::Late(Duration::from_secs(3600))];
        let options = Options {
            acks: Acks::None,
            is_idempotent: false,
            batch_bytes: 10_000,
            buffer_bytes: 100_000,
            max_block: Duration::from_secs(1),
            ..Options::default()
        };
        let producer = Producer::new(client(&sim.world), options).unwrap();
        let value = "v".repeat(5_000);
        let mut taken = 0;
        let refused = loop {
            match producer.send(Record::to("t").value(&value)).await {
                Ok(_) => taken += value.len(),
                Err(refused) => break refused,
            }
            assert!(taken < 1_000_000);
        };
        assert_eq!(refused, SendError::Full);
        assert!(taken > 100_000, "the socket takes some: {taken}");
    });
}
