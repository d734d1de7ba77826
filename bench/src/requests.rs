//! Requests made once and sent many times: a frame in which only a number or two change.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use thalweg_messages::Request;
use thalweg_messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use thalweg_messages::produce::{ProducePartition, ProduceRequest, ProduceTopic};
use thalweg_wire::batch::Builder;
use thalweg_wire::frame::{RequestHeader, finish_frame};
use thalweg_wire::{PartitionIndex, Timestamp};

use crate::{Failure, Outcome};

/// The last version that names topics by name: no metadata is needed first.
pub(crate) const PRODUCE_VERSION: i16 = 12;
/// The same of Fetch.
pub(crate) const FETCH_VERSION: i16 = 12;
/// The last version of CreateTopics.
pub(crate) const CREATE_TOPICS_VERSION: i16 = 7;

/// What the generator calls itself.
const CLIENT_ID: &str = "bench";

/// Where a frame's correlation id stands: behind its length, key and version.
const CORRELATION_AT: usize = 8;

/// The largest batch that we make, bytes: what a broker takes by default is less.
const BATCH_BYTES_MAX: usize = 64 << 20;

/// How many records a batch holds, of how many bytes each: `1000x100`. The bytes are those of the value; there is no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    pub(crate) records: u32,
    pub(crate) record_bytes: u32,
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Shape, String> {
        let shape = text.split_once('x').and_then(|(records, bytes)| {
            Some(Shape { records: records.parse().ok()?, record_bytes: bytes.parse().ok()? })
        });
        let fits = |shape: &Shape| {
            shape.records > 0 && (shape.record_bytes as usize + 16) * shape.records as usize <= BATCH_BYTES_MAX
        };
        shape.filter(fits).ok_or_else(|| "write RECORDSxBYTES, as 1000x100, of 64 MiB at most".to_owned())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.records, self.record_bytes)
    }
}

impl Shape {
    /// Bytes of the values of one batch.
    pub(crate) fn payload(self) -> u64 {
        u64::from(self.records) * u64::from(self.record_bytes)
    }

    /// A batch of this shape, with its checksum.
    pub(crate) fn batch(self) -> Bytes {
        // Values that no codec could shrink, should one ever be asked for: xorshift, seeded with anything but zero.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let value: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .take(self.record_bytes as usize)
        .collect();
        let mut builder = Builder::new();
        for record in 0..self.records {
            builder.push(Timestamp::from_millis(1_700_000_000_000 + i64::from(record)), None, Some(&value), &[]);
        }
        builder.build().expect("a shape has records").to_bytes()
    }
}

/// How a produce is to be acknowledged; without an answer nothing could be measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Acks {
    /// By all replicas in sync.
    All,
    /// By the leader.
    Leader,
}

impl Acks {
    fn number(self) -> i16 {
        match self {
            Acks::All => -1,
            Acks::Leader => 1,
        }
    }
}

/// One record batch for one partition, as a frame; the partition and the correlation id are patched.
#[derive(Clone, Debug)]
pub(crate) struct ProduceFrame {
    pub(crate) bytes: Vec<u8>,
    partition_at: usize,
    error_at: usize,
}

impl ProduceFrame {
    pub(crate) fn new(topic: &str, batch: &Bytes, acks: Acks) -> Outcome<ProduceFrame> {
        let frame = |partition| produce_frame(topic, &[partition], batch, acks);
        let (bytes, other) = (frame(0)?, frame(-1)?);
        let partition_at = bytes.iter().zip(&other).position(|(a, b)| a != b);
        let partition_at = partition_at.ok_or_else(|| Failure::new("a frame doesn't tell its partition"))?;
        // Length, correlation id, tags | one topic, its name | one partition, its index | the error.
        let error_at = 4 + 4 + 1 + 1 + compact_length(topic) + 1 + 4;
        Ok(ProduceFrame { bytes, partition_at, error_at })
    }

    /// Makes a copy of the frame this partition's request of that number.
    pub(crate) fn patch(&self, copy: &mut [u8], partition: u32, correlation: u32) {
        copy[CORRELATION_AT..CORRELATION_AT + 4].copy_from_slice(&correlation.to_be_bytes());
        copy[self.partition_at..self.partition_at + 4].copy_from_slice(&partition.to_be_bytes());
    }

    /// The error code of an answer, with its length in front; `None` if it is too short to hold one.
    pub(crate) fn error(&self, answer: &[u8]) -> Option<i16> {
        let code = answer.get(self.error_at..self.error_at + 2)?;
        Some(i16::from_be_bytes([code[0], code[1]]))
    }
}

/// A batch for each of the partitions, in one request.
pub(crate) fn produce_frame(topic: &str, partitions: &[i32], batch: &Bytes, acks: Acks) -> Outcome<Vec<u8>> {
    let partition_data = partitions.iter().map(|&index| ProducePartition {
        index: PartitionIndex(index),
        records: Some(batch.clone()),
        ..ProducePartition::default()
    });
    let topic =
        ProduceTopic { name: topic.to_owned(), partition_data: partition_data.collect(), ..ProduceTopic::default() };
    let request = ProduceRequest {
        acks: acks.number(),
        timeout_ms: 30_000,
        topic_data: vec![topic],
        ..ProduceRequest::default()
    };
    frame(&request, PRODUCE_VERSION)
}

/// A fetch of one partition, as a frame; the offset is patched.
#[derive(Clone, Debug)]
pub(crate) struct FetchFrame {
    pub(crate) bytes: Vec<u8>,
    offset_at: usize,
    error_at: usize,
}

/// What an answer to a [`FetchFrame`] holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fetched<'a> {
    pub(crate) error: i16,
    /// Record batches, maybe with part of one at the end.
    pub(crate) records: &'a [u8],
}

impl FetchFrame {
    pub(crate) fn new(topic: &str, partition: u32, max_bytes: i32) -> Outcome<FetchFrame> {
        let frame = |fetch_offset| {
            let partition = FetchPartition {
                partition: PartitionIndex(partition.cast_signed()),
                fetch_offset: thalweg_wire::Offset(fetch_offset),
                partition_max_bytes: max_bytes,
                ..FetchPartition::default()
            };
            let topic = FetchTopic { topic: topic.to_owned(), partitions: vec![partition], ..FetchTopic::default() };
            let request = FetchRequest {
                max_wait_ms: 500,
                min_bytes: 1,
                max_bytes,
                topics: vec![topic],
                ..FetchRequest::default()
            };
            frame(&request, FETCH_VERSION)
        };
        let (bytes, other) = (frame(0)?, frame(-1)?);
        let offset_at = bytes.iter().zip(&other).position(|(a, b)| a != b);
        let offset_at = offset_at.ok_or_else(|| Failure::new("a frame doesn't tell its offset"))?;
        // Length, correlation id, tags | throttle, error, session | one topic, its name | one partition, its index.
        let error_at = 4 + 4 + 1 + 4 + 2 + 4 + 1 + compact_length(topic) + 1 + 4;
        Ok(FetchFrame { bytes, offset_at, error_at })
    }

    pub(crate) fn patch(&mut self, offset: i64) {
        self.bytes[self.offset_at..self.offset_at + 8].copy_from_slice(&offset.to_be_bytes());
    }

    /// Reads an answer, with its length in front; `None` if it isn't one to this request.
    pub(crate) fn read<'a>(&self, answer: &'a [u8]) -> Option<Fetched<'a>> {
        let rest = answer.get(self.error_at..)?;
        let error = i16::from_be_bytes([*rest.first()?, *rest.get(1)?]);
        // Error | high watermark, last stable offset, log start | aborted transactions: none | preferred replica.
        let rest = rest.get(2 + 24..)?;
        if *rest.first()? > 1 {
            return None;
        }
        let (length, rest) = uvarint(rest.get(1 + 4..)?)?;
        let records = rest.get(..length.saturating_sub(1))?;
        Some(Fetched { error, records })
    }
}

/// The offset behind the last whole batch of some records, of which the last may be cut; `None` without a whole one.
pub(crate) fn next_offset(records: &[u8]) -> Option<i64> {
    let mut rest = records;
    let mut next = None;
    while let Some(header) = rest.first_chunk::<27>() {
        let word = |at: usize| i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let length = usize::try_from(word(8)).ok()?.checked_add(12)?;
        let Some(after) = rest.get(length..) else { break };
        let base = i64::from(word(0)) << 32 | i64::from(word(4).cast_unsigned());
        next = base.checked_add(i64::from(word(23)))?.checked_add(1);
        rest = after;
        if length == 0 {
            return None;
        }
    }
    next
}

/// A request as a frame, with its length in front.
pub(crate) fn frame<R: Request>(request: &R, version: i16) -> Outcome<Vec<u8>> {
    let form = R::form(version).ok_or_else(|| Failure::new(format!("{} has no version {version}", R::NAME)))?;
    let header =
        RequestHeader { api_key: R::API_KEY, api_version: version, correlation_id: 0, client_id: CLIENT_ID.into() };
    let mut into = header.begin_request(form);
    request.encode(&mut into, version).map_err(|error| Failure::new(format!("{}: {error:?}", R::NAME)))?;
    Ok(finish_frame(into).into_bytes().to_vec())
}

/// Bytes of a compact string.
fn compact_length(text: &str) -> usize {
    let length = text.len() + 1;
    let prefix = if length < 0x80 { 1 } else { 2 };
    prefix + text.len()
}

fn uvarint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (place, &byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[place + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_messages::Message;
    use thalweg_messages::fetch::{FetchPartitionResponse, FetchResponse, FetchTopicResponse};
    use thalweg_messages::produce::{ProducePartitionResponse, ProduceResponse, ProduceTopicResponse, ProduceView};
    use thalweg_wire::batch::{Batch, Batches};
    use thalweg_wire::codec::{Decoder, Form};
    use thalweg_wire::frame::begin_response;
    use thalweg_wire::{ErrorCode, Offset};

    const TOPIC: &str = "a-topic";

    /// The generator patches numbers at places that it worked out once: what a broker decodes is what was meant.
    #[test]
    fn a_patched_produce_is_the_request_of_that_partition() {
        let batch = Shape { records: 10, record_bytes: 100 }.batch();
        let template = ProduceFrame::new(TOPIC, &batch, Acks::All).unwrap();
        let mut copy = template.bytes.clone();
        template.patch(&mut copy, 9_999, 77);
        let frame = Bytes::from(copy).slice(4..);
        let mut from = Decoder::new(&frame);
        let header = RequestHeader::decode(&mut from, |_, _| Some(Form::Flexible)).unwrap().unwrap();
        assert_eq!((header.api_key, header.correlation_id), (0, 77));
        let view = ProduceView::parse(frame.slice(from.position()..), header.api_version).unwrap();
        let topic = view.topics().next().unwrap();
        let partition = topic.partitions.clone().next().unwrap();
        assert_eq!((&*topic.name, partition.index, partition.records), (TOPIC, PartitionIndex(9_999), Some(batch)));
    }

    #[test]
    fn batches_have_their_checksum_and_their_shape() {
        let shape: Shape = "16x1024".parse().unwrap();
        let batch = Batch::parse(&shape.batch()).unwrap();
        assert_eq!((batch.check(), batch.header().count(), shape.payload()), (Ok(()), 16, 16 << 10));
        for bad in ["", "x", "0x5", "1000", "1000000x1000000", "-1x4"] {
            assert!(bad.parse::<Shape>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_error_of_a_produce_is_found_at_its_place() {
        let template = ProduceFrame::new(TOPIC, &Bytes::from_static(b"x"), Acks::Leader).unwrap();
        let partition = ProducePartitionResponse {
            index: PartitionIndex(3),
            error_code: ErrorCode::KafkaStorageError.code(),
            ..ProducePartitionResponse::default()
        };
        let topic = ProduceTopicResponse {
            name: TOPIC.into(),
            partition_responses: vec![partition],
            ..ProduceTopicResponse::default()
        };
        let mut answer = begin_response(0, 5, Form::Flexible);
        ProduceResponse { responses: vec![topic], ..ProduceResponse::default() }
            .encode(&mut answer, PRODUCE_VERSION)
            .unwrap();
        let answer = finish_frame(answer).into_bytes();
        assert_eq!(template.error(&answer), Some(ErrorCode::KafkaStorageError.code()));
        assert_eq!(template.error(&answer[..10]), None);
    }

    #[test]
    fn fetched_records_and_the_next_offset_are_found() {
        let template = FetchFrame::new(TOPIC, 0, 1 << 20).unwrap();
        let mut batch = Batch::parse(&Shape { records: 3, record_bytes: 200 }.batch()).unwrap();
        let mut records = Vec::new();
        for base in [5, 8] {
            batch.place(Offset(base), thalweg_wire::LeaderEpoch(1));
            records.extend_from_slice(&batch.to_bytes());
        }
        assert_eq!(Batches::new(records.clone().into()).count(), 2);
        records.extend_from_slice(&batch.to_bytes()[..90]);
        let partition =
            FetchPartitionResponse { records: Some(records.clone().into()), ..FetchPartitionResponse::default() };
        let topic =
            FetchTopicResponse { topic: TOPIC.into(), partitions: vec![partition], ..FetchTopicResponse::default() };
        let mut answer = begin_response(1, 5, Form::Flexible);
        FetchResponse { responses: vec![topic], ..FetchResponse::default() }
            .encode(&mut answer, FETCH_VERSION)
            .unwrap();
        let answer = finish_frame(answer).into_bytes();
        assert_eq!(template.read(&answer), Some(Fetched { error: 0, records: &records }));
        assert_eq!(next_offset(&records), Some(11), "the cut batch at the end doesn't count");
        for cut in 0..answer.len() - 1 {
            let _no_panic = template.read(&answer[..cut]);
        }
        assert_eq!(next_offset(&records[..50]), None);
    }
}
