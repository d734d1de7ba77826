//! What a real broker answered to 165 Produce requests, and what it then had in its log, held against ours over the
//! wire: `fixtures/produce`. Each line falls into one class, and the classes are counted, so that none passes silently.

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use bytes::{Bytes, BytesMut};
use flate2::read::{GzDecoder, ZlibDecoder};
use serde_json::Value;
use support::workload::{self, ADDRESS, boot};
use support::{Client, fetch_request, produce_request_of};
use thalweg_broker::Broker;
use thalweg_messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use thalweg_messages::json::from_base64;
use thalweg_messages::produce::{ProducePartitionResponse, ProduceRequest};
use thalweg_wire::batch::{Batch, Batches, Scratch, TimestampType};
use thalweg_wire::{ErrorCode, Offset};
use thalweg_world::simulated::{SimulatedWorld, WALL_AT_START};

/// When the lines were recorded, about: records a little in the future of it are refused, and some are.
const RECORDED_AT: i64 = 1_795_262_886_988;

/// Where the answer here differs on purpose: INVALID_RECORD instead of silence, of a server error, of offsets with holes on
/// the disk, or of compressed records there that no consumer can read.
const INVALID_HERE: [(u64, &str); 18] = [
    (86, "a null records field"),
    (97, "batch length 2147483647"),
    (113, "offset deltas 0, 0, 2, none"),
    (114, "offset deltas 2, 1, 0, none"),
    (115, "offset deltas 0, 5, 6 with count 3 and last delta 2, none"),
    (126, "offset deltas 0, 0, 2, gzip"),
    (127, "offset deltas 2, 1, 0, gzip"),
    (128, "offset deltas 0, 5, 6 with count 3 and last delta 2, gzip"),
    (129, "a record of length -1, gzip"),
    (130, "a record length 2 too small, gzip"),
    (131, "a record length 50 too large, gzip"),
    (139, "codec id 5"),
    (140, "codec id 6"),
    (141, "codec id 7"),
    (142, "gzip announced, plain records inside"),
    (143, "zstd garbled from its 20th byte, checksum right"),
    (145, "gzip cut in the middle, checksum and length right"),
    (160, "acks 0, offsets that fail validation"),
];

/// Compressed by the broker. The bytes depend on the encoder and its version, the records inside don't.
const RECOMPRESSED: [(u64, &str); 2] =
    [(61, "compression.type=zstd, sent none"), (69, "compression.type=zstd, sent gzip")];

fn lines() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/produce/produce.jsonl.gz");
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    lines.map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON")).collect()
}

/// Bytes as the fixture writes them: base64, or base64 of a zlib stream if they are many.
fn bytes(field: &Value) -> Option<Bytes> {
    match field {
        Value::Null => None,
        Value::String(text) => Some(from_base64(text).expect("base64").into()),
        large => {
            let packed = from_base64(large["zlib"].as_str().expect("base64")).expect("base64");
            let mut inflated = Vec::new();
            ZlibDecoder::new(packed.as_slice()).read_to_end(&mut inflated).expect("a zlib stream");
            Some(inflated.into())
        }
    }
}

/// One line, and what is needed of it.
struct Line {
    number: u64,
    what: String,
    topic: String,
    partition: i32,
    version: i16,
    acks: i16,
    transactional_id: Option<String>,
    records: Option<Bytes>,
    response: Value,
    appended: Bytes,
}

impl Line {
    fn read(line: &Value) -> Line {
        let text = |name: &str| line[name].as_str().unwrap_or_else(|| panic!("{name} in {line}")).to_owned();
        let number = |name: &str| line[name].as_i64().unwrap_or_else(|| panic!("{name} in {line}"));
        Line {
            number: number("number") as u64,
            what: text("what"),
            topic: text("topic"),
            partition: number("partition") as i32,
            version: number("apiVersion") as i16,
            acks: number("acks") as i16,
            transactional_id: line["transactionalId"].as_str().map(str::to_owned),
            records: bytes(&line["records"]),
            response: line["response"].clone(),
            appended: bytes(&line["appended"]).unwrap_or_default(),
        }
    }

    fn is(&self, (number, what): (u64, &str)) -> bool {
        assert!(self.number != number || self.what == what, "line {number} is {}", self.what);
        self.number == number
    }

    /// The header of the first batch that was sent, if there is one in the format of today.
    fn batch(&self) -> Option<Batch> {
        Batches::new(self.records.clone()?).next()?.ok()
    }

    fn request(&self) -> ProduceRequest {
        let mut request = produce_request_of(&self.topic, self.partition, self.records.clone(), self.acks);
        request.transactional_id = self.transactional_id.clone();
        request
    }

    fn is_invalid_here(&self) -> bool {
        INVALID_HERE.iter().any(|listed| self.is(*listed))
    }

    fn is_recompressed(&self) -> bool {
        RECOMPRESSED.iter().any(|listed| self.is(*listed))
    }

    /// What we should answer, and why it is not what Kafka answered.
    fn expected(&self) -> (&'static str, i64) {
        let code = |code: ErrorCode| i64::from(code.code());
        let kafka = self.response["errorCode"].as_i64();
        if self.is_invalid_here() {
            return ("invalid here", code(ErrorCode::InvalidRecord));
        }
        if self.transactional_id.is_some() {
            return ("transactional id", code(ErrorCode::TransactionalIdAuthorizationFailed));
        }
        let kafka = kafka.expect("an answer");
        let early = [ErrorCode::CorruptMessage, ErrorCode::UnknownTopicOrPartition, ErrorCode::InvalidTopicException];
        match self.batch() {
            _ if self.is(INSIDE_A_TRANSACTION) => ("inside a transaction there", 0),
            Some(batch) if batch.header().is_transactional() => ("transactional id", kafka),
            _ if early.iter().any(|early| code(*early) == kafka) => ("refused", kafka),
            Some(batch) if batch.header().producer_id().0 >= 0 && kafka != code(ErrorCode::InvalidRecord) => {
                ("idempotent", kafka)
            }
            _ if self.is_recompressed() => ("recompressed", kafka),
            _ if kafka == 0 => ("accepted", 0),
            _ => ("refused", kafka),
        }
    }
}

/// Refused there because a transaction is open, which nobody could open here.
const INSIDE_A_TRANSACTION: (u64, &str) = (58, "plain records of the same producer inside its transaction");

async fn create_topics(connection: &mut Client, lines: &[Value]) {
    let mut topics: BTreeMap<&str, CreatableTopic> = BTreeMap::new();
    for line in lines {
        let name = line["topic"].as_str().expect("a topic");
        let config = |config: &Value| {
            let (name, value) = config.as_str().and_then(|pair| pair.split_once('=')).expect("name=value");
            CreatableTopicConfig { name: name.to_owned(), value: Some(value.to_owned()), ..Default::default() }
        };
        let configs = line["configs"].as_array().expect("configs").iter().map(config).collect();
        topics.insert(
            name,
            CreatableTopic {
                name: name.to_owned(),
                num_partitions: 1,
                replication_factor: 1,
                configs,
                ..Default::default()
            },
        );
    }
    let known = |topic: &CreatableTopic| topic.name != "no-such-topic";
    let topics: Vec<_> = topics.into_values().filter(known).collect();
    let request = CreateTopicsRequest { topics, timeout_ms: 30_000, ..Default::default() };
    let response = connection.call(7, &request).await.expect("an answer");
    let refused: Vec<_> =
        response.topics.iter().filter(|topic| topic.error_code != 0).map(|topic| &topic.name).collect();
    assert_eq!(refused, ["in valid!"]);
}

/// Kafka's bytes, at the offset that they have here: lines that are refused here leave no gap.
fn moved(appended: &Bytes, by: i64) -> Bytes {
    let mut moved = BytesMut::new();
    for batch in Batches::new(appended.clone()) {
        let mut batch = batch.expect("a whole batch");
        let epoch = batch.header().leader_epoch();
        batch.place(Offset(batch.base_offset().0 + by), epoch);
        moved.extend_from_slice(&batch.to_bytes());
    }
    moved.freeze()
}

/// Without what depends on the moment: the time that the leader gave the batch, and the checksum over it.
fn timeless(records: &Bytes) -> Vec<u8> {
    let mut bytes = records.to_vec();
    for batch in Batches::new(records.clone()) {
        let batch = batch.expect("a whole batch");
        batch.check().expect("a right checksum");
        if batch.header().timestamp_type() == TimestampType::LogAppendTime {
            bytes[17..21].fill(0);
            bytes[35..43].fill(0);
        }
    }
    bytes
}

#[test]
fn every_line_is_answered_as_by_a_real_broker_and_reads_back_as_it_lies_in_its_log() {
    let lines = lines();
    assert_eq!(lines.len(), 165);
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    boot(async {
        let sim = SimulatedWorld::new(1);
        let settings =
            workload::settings_with(&[("auto.create.topics.enable", "false"), ("journal.bytes", "67108864")]);
        let broker = Broker::start(sim.world.clone(), settings).await.expect("a start");
        sim.clock.jump(RECORDED_AT - WALL_AT_START.millis());
        let mut connection = Client::connect(&sim.world, ADDRESS).await.expect("a connection");
        create_topics(&mut connection, &lines).await;
        // By topic: where Kafka's log ends, and where ours does.
        let mut ends: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for line in lines.iter().map(Line::read) {
            let label = format!("line {}, {}", line.number, line.what);
            let (theirs, ours) = ends.entry(line.topic.clone()).or_default();
            if line.acks == 0 {
                // Taken in silence, or refused by closing the connection.
                connection.send(line.version, &line.request()).await.expect("the peer reads");
                let stands = connection.metadata().await.is_ok();
                assert_eq!(stands, !line.appended.is_empty() && !line.is_invalid_here(), "{label}");
                if !stands {
                    connection = Client::connect(&sim.world, ADDRESS).await.expect("a connection");
                }
                *classes.entry(if stands { "silently accepted" } else { "silently refused" }).or_default() += 1;
            } else {
                let (class, expected) = line.expected();
                *classes.entry(class).or_default() += 1;
                let answer = connection.call(line.version, &line.request()).await.expect("an answer");
                let answer = &answer.responses[0].partition_responses[0];
                assert_eq!(i64::from(answer.error_code), expected, "{label}: {:?}", answer.error_message);
                if expected == line.response["errorCode"].as_i64().unwrap_or(-1) {
                    compare(&line, answer, *ours - *theirs, &label);
                }
            }
            let appended = moved(&line.appended, *ours - *theirs);
            *theirs = Batches::new(line.appended.clone())
                .last()
                .map_or(*theirs, |batch| batch.expect("whole").next_offset().0);
            let read = connection.call(12, &fetch_request(&line.topic, line.partition, *ours, 0, 0)).await;
            let read = &read.expect("an answer").responses[0].partitions[0];
            let records = read.records.clone().unwrap_or_default();
            if let Some(last) = Batches::new(records.clone()).last() {
                *ours = last.expect("a whole batch").next_offset().0;
                if line.is_recompressed() {
                    let plain = |records: &Bytes| Batch::parse(records).unwrap().decompressed(&mut Scratch::new());
                    assert_eq!(plain(&records), plain(&appended), "{label}: the batch in the log");
                } else if !line.is(INSIDE_A_TRANSACTION) {
                    assert_eq!(timeless(&records), timeless(&appended), "{label}: the bytes in the log");
                }
            } else if line.response["errorCode"] == 0 && !line.appended.is_empty() {
                assert!(line.expected().1 != 0, "{label}: nothing to read");
            }
        }
        broker.stop().await.expect("a clean stop");
    });
    let counted = [
        ("accepted", 57),
        ("idempotent", 20),
        ("inside a transaction there", 1),
        ("invalid here", INVALID_HERE.len() - 1),
        ("recompressed", RECOMPRESSED.len()),
        ("refused", 61),
        ("silently accepted", 1),
        ("silently refused", 2),
        ("transactional id", 4),
    ];
    assert_eq!(classes, BTreeMap::from(counted));
}

/// The answer of Kafka against ours, which has the same code.
fn compare(line: &Line, answer: &ProducePartitionResponse, moved_by: i64, label: &str) {
    let told = |name: &str| line.response[name].as_i64().unwrap_or_else(|| panic!("{name}: {label}"));
    let base = told("baseOffset");
    assert_eq!(answer.base_offset.0, if base < 0 { base } else { base + moved_by }, "{label}: the base offset");
    if line.version >= 5 {
        assert_eq!(answer.log_start_offset.0, told("logStartOffset"), "{label}: the log start");
    }
    assert_eq!(answer.log_append_time_ms > 0, told("logAppendTimeMs") > 0, "{label}: the append time");
    let blamed: Vec<_> = answer.record_errors.iter().map(|record| i64::from(record.batch_index)).collect();
    let listed = line.response["recordErrors"].as_array().into_iter().flatten();
    let listed: Vec<_> = listed.map(|record| record["batchIndex"].as_i64().expect("an index")).collect();
    assert_eq!(blamed, listed, "{label}: the records to blame");
}
