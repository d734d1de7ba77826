//! A client of the codec's height: one connection, requests as structs. Runs over any world's network.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

pub mod configs;
pub mod groups;
pub mod steps;
pub mod workload;

use std::io;

use bytes::{Bytes, BytesMut};
use thalweg_messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use thalweg_messages::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use thalweg_messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use thalweg_messages::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic};
use thalweg_messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use thalweg_messages::metadata::{MetadataRequest, MetadataResponse};
use thalweg_messages::produce::{ProducePartition, ProducePartitionResponse, ProduceRequest, ProduceTopic};
use thalweg_messages::{Message, Request};
use thalweg_wire::batch::{Batch, Batches, Builder, Records, Scratch};
use thalweg_wire::codec::{Decoder, Form};
use thalweg_wire::frame::{RequestHeader, decode_response_header, finish_frame};
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, PartitionIndex, Timestamp};
use thalweg_world::World;
use thalweg_world::net::Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How many seeds a test runs: as many as `THALWEG_SEEDS` says, or the usual.
pub fn seeds(usual: u64) -> u64 {
    let Ok(given) = std::env::var("THALWEG_SEEDS") else { return usual };
    given.parse().unwrap_or_else(|_| panic!("THALWEG_SEEDS is a number, not {given:?}"))
}

/// A connection to a broker.
pub struct Client {
    stream: Stream,
    correlation_id: i32,
}

impl Client {
    pub async fn connect(world: &World, address: &str) -> io::Result<Client> {
        Ok(Client { stream: world.net.connect(address).await?, correlation_id: 0 })
    }

    /// Sends a request without waiting for its answer.
    pub async fn send<R: Request>(&mut self, version: i16, request: &R) -> io::Result<()> {
        self.correlation_id += 1;
        self.send_bytes(&numbered_frame_of(version, request, self.correlation_id)).await
    }

    /// Ends this direction; the other stays.
    pub async fn finish_sending(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next frame, without its length.
    pub async fn receive_bytes(&mut self) -> io::Result<Bytes> {
        let length = self.stream.read_i32().await?;
        let mut bytes = BytesMut::zeroed(usize::try_from(length).map_err(io::Error::other)?);
        self.stream.read_exact(&mut bytes).await?;
        Ok(bytes.freeze())
    }

    /// All that still comes until the broker closes the connection.
    pub async fn receive_to_the_end(&mut self) -> Vec<u8> {
        let mut received = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = self.stream.read(&mut buffer).await {
            received.extend_from_slice(&buffer[..count]);
        }
        received
    }

    /// The answer to the oldest request that has none yet.
    pub async fn receive<R: Request>(&mut self, version: i16) -> io::Result<(i32, R::Response)> {
        let bytes = self.receive_bytes().await?;
        let mut from = Decoder::new(&bytes);
        let correlation_id = decode_response_header(&mut from, R::API_KEY, Form::of(version, R::FLEXIBLE_FROM))
            .map_err(io::Error::other)?;
        let response = R::Response::decode(&mut from, version).map_err(io::Error::other)?;
        assert_eq!(from.remaining(), 0, "bytes behind a {}", R::Response::NAME);
        Ok((correlation_id, response))
    }

    pub async fn call<R: Request>(&mut self, version: i16, request: &R) -> io::Result<R::Response> {
        self.send(version, request).await?;
        let (correlation_id, response) = self.receive::<R>(version).await?;
        assert_eq!(correlation_id, self.correlation_id);
        Ok(response)
    }

    /// Metadata of no topic: a question that is always answered.
    pub async fn metadata(&mut self) -> io::Result<MetadataResponse> {
        self.call(12, &MetadataRequest { topics: Some(Vec::new()), ..Default::default() }).await
    }

    /// Creates a topic; the error code.
    pub async fn create_topic(&mut self, name: &str, partitions: i32) -> io::Result<i16> {
        self.create_topic_with(name, partitions, &[]).await
    }

    /// The error and the new log start; -1 deletes all that is acknowledged.
    pub async fn delete_records(&mut self, topic: &str, partition: i32, below: i64) -> io::Result<(i16, i64)> {
        let partition = DeleteRecordsPartition {
            partition_index: PartitionIndex(partition),
            offset: Offset(below),
            ..DeleteRecordsPartition::default()
        };
        let topic = DeleteRecordsTopic { name: topic.to_owned(), partitions: vec![partition], ..Default::default() };
        let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
        let answer = self.call(2, &request).await?;
        let partition = &answer.topics[0].partitions[0];
        Ok((partition.error_code, partition.low_watermark.0))
    }

    pub async fn delete_topic(&mut self, name: &str) -> io::Result<i16> {
        let topic = DeleteTopicState { name: Some(name.to_owned()), ..Default::default() };
        let request = DeleteTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
        Ok(self.call(6, &request).await?.responses[0].error_code)
    }

    /// The same with settings.
    pub async fn create_topic_with(
        &mut self,
        name: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> io::Result<i16> {
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
            ..Default::default()
        };
        let topic = CreatableTopic {
            name: name.to_owned(),
            num_partitions: partitions,
            replication_factor: 1,
            configs: configs.iter().map(config).collect(),
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
        Ok(self.call(7, &request).await?.topics[0].error_code)
    }

    /// Produces one batch under `acks=all` by the topic's name; the partition's answer.
    pub async fn produce(
        &mut self,
        topic: &str,
        partition: i32,
        batch: &Batch,
    ) -> io::Result<ProducePartitionResponse> {
        let mut response = self.call(12, &produce_request(topic, partition, batch, -1)).await?;
        Ok(response.responses.remove(0).partition_responses.remove(0))
    }

    /// All records of a partition from an offset up to the high watermark, as (offset, value).
    pub async fn read_all(&mut self, topic: &str, partition: i32, from: i64) -> io::Result<Vec<(i64, Bytes)>> {
        let mut next = from;
        let mut all = Vec::new();
        loop {
            let mut response = self.call(12, &fetch_request(topic, partition, next, 0, 0)).await?;
            let answer = response.responses.remove(0).partitions.remove(0);
            assert_eq!(answer.error_code, 0, "fetch of {topic}-{partition} at {next}");
            for batch in Batches::new(answer.records.unwrap_or_default()) {
                let batch = batch.expect("whole batches");
                batch.check().expect("a right checksum");
                let plain = batch.decompressed(&mut Scratch::new()).expect("what verified decompresses");
                for record in Records::of(&plain).expect("not compressed any more") {
                    let record = record.expect("a whole record");
                    if record.offset.0 >= next {
                        all.push((record.offset.0, Bytes::copy_from_slice(record.value.unwrap_or_default())));
                    }
                }
                next = batch.next_offset().0.max(next);
            }
            if next >= answer.high_watermark.0 {
                return Ok(all);
            }
        }
    }

    /// ListOffsets of one timestamp; the answer's offset.
    pub async fn offset_of_time(&mut self, topic: &str, partition: i32, timestamp: i64) -> io::Result<i64> {
        let partition = ListOffsetsPartition {
            partition_index: PartitionIndex(partition),
            current_leader_epoch: LeaderEpoch::NONE,
            timestamp,
            ..ListOffsetsPartition::default()
        };
        let topic = ListOffsetsTopic { name: topic.to_owned(), partitions: vec![partition], ..Default::default() };
        let request = ListOffsetsRequest { replica_id: BrokerId::NONE, topics: vec![topic], ..Default::default() };
        let response = self.call(10, &request).await?;
        let answer = &response.topics[0].partitions[0];
        if answer.error_code == ErrorCode::KafkaStorageError.code() {
            return Err(io::Error::other("the log directory is offline"));
        }
        assert_eq!(answer.error_code, 0);
        Ok(answer.offset.0)
    }
}

/// A request's frame, with its length.
pub fn frame_of<R: Request>(version: i16, request: &R) -> Bytes {
    numbered_frame_of(version, request, 1)
}

fn numbered_frame_of<R: Request>(version: i16, request: &R, correlation_id: i32) -> Bytes {
    let header = RequestHeader { api_key: R::API_KEY, api_version: version, correlation_id, client_id: "test".into() };
    let mut into = header.begin_request(Form::of(version, R::FLEXIBLE_FROM));
    request.encode(&mut into, version).expect("the version can say it");
    finish_frame(into).into_bytes()
}

/// The same of another partition.
pub fn of_partition(wanted: &FetchPartition, index: i32) -> FetchPartition {
    FetchPartition { partition: PartitionIndex(index), ..wanted.clone() }
}

/// A batch of these values, with timestamps from 1,000 on.
pub fn batch(values: &[&[u8]]) -> Batch {
    let mut builder = Builder::new();
    for (place, value) in values.iter().enumerate() {
        builder = builder.record(Timestamp::from_millis(1_000 + place as i64), None, Some(value));
    }
    builder.build().expect("some records")
}

pub fn produce_request(topic: &str, partition: i32, batch: &Batch, acks: i16) -> ProduceRequest {
    produce_request_of(topic, partition, Some(batch.to_bytes()), acks)
}

/// With any bytes as records, or none.
pub fn produce_request_of(topic: &str, partition: i32, records: Option<Bytes>, acks: i16) -> ProduceRequest {
    let partition = ProducePartition { index: PartitionIndex(partition), records, ..Default::default() };
    let topic = ProduceTopic { name: topic.to_owned(), partition_data: vec![partition], ..Default::default() };
    ProduceRequest { acks, timeout_ms: 30_000, topic_data: vec![topic], ..ProduceRequest::default() }
}

pub fn fetch_request(topic: &str, partition: i32, offset: i64, min_bytes: i32, max_wait_ms: i32) -> FetchRequest {
    let partition = FetchPartition {
        partition: PartitionIndex(partition),
        current_leader_epoch: LeaderEpoch::NONE,
        fetch_offset: Offset(offset),
        last_fetched_epoch: LeaderEpoch::NONE,
        log_start_offset: Offset(-1),
        partition_max_bytes: 1 << 20,
        ..FetchPartition::default()
    };
    let topic = FetchTopic { topic: topic.to_owned(), partitions: vec![partition], ..FetchTopic::default() };
    FetchRequest {
        replica_id: BrokerId::NONE,
        min_bytes,
        max_wait_ms,
        max_bytes: 10 << 20,
        session_epoch: -1,
        topics: vec![topic],
        ..FetchRequest::default()
    }
}

/// The records of a fetch of one partition.
pub fn fetched_values(response: &FetchResponse) -> Vec<Bytes> {
    let records = response.responses[0].partitions[0].records.clone().unwrap_or_default();
    let batches: Vec<Batch> = Batches::new(records).collect::<Result<_, _>>().expect("whole batches");
    let values = |batch: &Batch| -> Vec<Bytes> {
        let plain = batch.decompressed(&mut Scratch::new()).expect("what verified decompresses");
        let records = Records::of(&plain).expect("not compressed any more");
        records.map(|record| Bytes::copy_from_slice(record.expect("whole").value.unwrap_or_default())).collect()
    };
    batches.iter().flat_map(values).collect()
}
