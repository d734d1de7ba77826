//! Requests that are small and ask for much.

use bytes::Bytes;
use thalweg_messages::fetch::{FetchRequest, FetchTopic};
use thalweg_messages::init_producer_id::InitProducerIdRequest;
use thalweg_wire::batch::{Batch, Builder, Compression};
use thalweg_wire::{ProducerEpoch, ProducerId, Timestamp};

use crate::requests::{self, Acks, FETCH_VERSION, produce_frame};
use crate::{Failure, Outcome};

/// What a producer id is asked for with.
const INIT_PRODUCER_ID_VERSION: i16 = 4;

/// A record's length as a varint that says 1 GiB, its attributes and deltas, no key, and a value that is nearly as long.
const HEAD: [u8; 14] = [0x94, 0x80, 0x80, 0x80, 0x08, 0, 0, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x08];

/// Half a gibibyte of zeros in gzip: one record, as far as its head says.
pub(crate) fn gzip() -> Outcome<Vec<u8>> {
    let how = Compression::Gzip(None);
    let (head, zeros) = (compressed(how, HEAD.to_vec())?, compressed(how, vec![0; 16 << 20])?);
    // Members follow each other.
    produce(how, [head, zeros.repeat(32)].concat())
}

/// A gibibyte of zeros in a frame of zstd that wants a window of 2 GiB (RFC 8878, section 3.1.1).
pub(crate) fn zstd() -> Outcome<Vec<u8>> {
    const BLOCK: u32 = 128 << 10;
    let block = |size: u32, kind: u32, last: u32| (size << 3 | kind << 1 | last).to_le_bytes()[..3].to_vec();
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, (31 - 10) << 3];
    frame.extend(block(HEAD.len() as u32, 0, 0));
    frame.extend(HEAD);
    for _ in 0..(1 << 30) / BLOCK {
        frame.extend(block(BLOCK, 1, 0));
        frame.push(0);
    }
    frame.extend(block(1, 1, 1));
    frame.push(0);
    produce(Compression::Zstd(3), frame)
}

/// A Fetch of a million topics that there are not, with names of four letters.
pub(crate) fn topics() -> Outcome<Vec<u8>> {
    let name = |n: u32| [n >> 18, n >> 12, n >> 6, n].map(|n| char::from(b'0' + (n & 63) as u8));
    let topic = |n| FetchTopic { topic: name(n).iter().collect(), ..FetchTopic::default() };
    let request =
        FetchRequest { topics: (0..1_000_000).map(topic).collect(), session_epoch: -1, ..FetchRequest::default() };
    requests::frame(&request, FETCH_VERSION)
}

/// A question for a producer id.
pub(crate) fn producer_id() -> Outcome<Vec<u8>> {
    let request = InitProducerIdRequest {
        transactional_id: None,
        producer_id: ProducerId::NONE,
        producer_epoch: ProducerEpoch::NONE,
        ..InitProducerIdRequest::default()
    };
    requests::frame(&request, INIT_PRODUCER_ID_VERSION)
}

fn plain() -> Outcome<Batch> {
    let batch = Builder::new().record(Timestamp::from_millis(1_700_000_000_000), None, Some(b"v")).build();
    batch.ok_or_else(|| Failure::new("a batch has a record"))
}

fn compressed(how: Compression, content: Vec<u8>) -> Outcome<Vec<u8>> {
    let batch = Batch::new(plain()?.header().clone(), content.into());
    Ok(batch.compressed(how).records().to_vec())
}

/// A Produce of a batch that has these bytes, and is right in every other respect.
fn produce(how: Compression, records: Vec<u8>) -> Outcome<Vec<u8>> {
    let mut batch = Batch::new(plain()?.compressed(how).header().clone(), Bytes::from(records));
    batch.number(ProducerId::NONE, ProducerEpoch::NONE, -1);
    produce_frame("bench", &[0], &batch.to_bytes(), Acks::All)
}
