//! A real broker's answers to 165 produce requests, held against [`verify`](super::verify()): the same error, the same
//! records to blame, the same bytes in the log. Each line falls into one class, and the classes are counted, so that
//! none passes silently.

use std::collections::BTreeMap;
use std::io::Read;

use bytes::Bytes;
use flate2::read::{GzDecoder, ZlibDecoder};
use serde_json::Value;

use super::{Batch, Builder, Codec, Codecs, Compaction, Compression, Records, Rules, Scratch, TimestampType, verify};
use crate::{ErrorCode, LeaderEpoch, Offset, Timestamp};

/// Where the answer here differs on purpose. Kafka: no answer, a server error, offsets with holes on its disk, or compressed
/// records there whose length is wrong: no consumer of its own can read those.
const DIFFERENT: &[(u64, &str)] = &[
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

/// Lines that others answer for: the batch itself is in order.
const ELSEWHERE: &[(u64, &str)] = &[
    // the state of producers
    (34, "the last one again: a duplicate"),
    (35, "the first again: a duplicate among the last five"),
    (36, "a gap: sequence 6 where 5 is due"),
    (37, "an overlap: sequence 4, where 5 is due"),
    (43, "the first again, now six batches back"),
    (44, "a new epoch that doesn't start at 0"),
    (46, "the old epoch"),
    // transactions
    (54, "transactional bit, no transactional id in the request"),
    (55, "transactional bit, an unknown transactional id"),
    (56, "a real transactional id, version 11 (no implicit add): the partition was never added"),
    (58, "plain records of the same producer inside its transaction"),
    // the request around the batch
    (157, "acks 2"),
    (161, "an unknown partition"),
    (162, "an unknown topic"),
    (163, "an invalid topic name"),
    (164, "the internal topic of offsets"),
];

/// What Kafka compressed itself. The bytes depend on the encoder and its version, the records inside don't.
const RECOMPRESSED: &[(u64, &str)] =
    &[(61, "compression.type=zstd, sent none"), (69, "compression.type=zstd, sent gzip")];

#[test]
fn every_batch_meets_the_same_answer_as_at_a_real_broker() {
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut scratch = Scratch::new();
    for line in lines() {
        let number = line["number"].as_u64().unwrap();
        let named = |table: &[(u64, &str)]| {
            table.iter().any(|&(listed, what)| listed == number && line["what"].as_str() == Some(what))
        };
        let sent = bytes(&line["records"]).unwrap_or_default();
        let known = if line["apiVersion"].as_i64().unwrap() < 7 { Codecs::BeforeZstd } else { Codecs::All };
        let verified = verify(sent, &rules(&line), known, clock(&line), &mut scratch);

        let class = if named(DIFFERENT) {
            assert_eq!(verified.map_err(|error| error.code()), Err(ErrorCode::InvalidRecord), "line {number}");
            "different on purpose"
        } else if named(ELSEWHERE) {
            assert!(verified.is_ok(), "line {number}: {verified:?}");
            "answered elsewhere"
        } else if answer(&line) == 0 {
            let verified = verified.unwrap_or_else(|error| panic!("line {number}: {error}"));
            let appended = bytes(&line["appended"]).unwrap();
            let base = i64::from_be_bytes(appended[..8].try_into().unwrap());
            let (max_timestamp, mut batch) = (verified.max_timestamp(), verified.into_batch());
            batch.place(Offset(base), LeaderEpoch(0));
            assert_eq!(batch.header().max_timestamp(), max_timestamp, "line {number}");
            assert_eq!(batch.check(), Ok(()), "line {number}");
            if named(RECOMPRESSED) {
                let theirs = Batch::parse(&appended).unwrap();
                assert_eq!(batch.header().codec(), Some(Codec::Zstd), "line {number}");
                assert_eq!(batch.decompressed(&mut scratch), theirs.decompressed(&mut scratch), "line {number}");
                "recompressed"
            } else {
                assert_eq!(batch.to_bytes(), appended, "line {number}");
                "accepted"
            }
        } else {
            let error = verified.expect_err(&format!("line {number}"));
            assert_eq!(error.code().code(), answer(&line), "line {number}: {error}");
            let blamed: Vec<_> = error.record_errors().iter().map(|record| i64::from(record.index)).collect();
            let listed = line["response"]["recordErrors"].as_array().into_iter().flatten();
            let listed: Vec<_> = listed.map(|record| record["batchIndex"].as_i64().unwrap()).collect();
            assert_eq!(blamed, listed, "line {number}");
            "refused"
        };
        *classes.entry(class).or_default() += 1;
    }
    let counted = [
        ("accepted", 72),
        ("answered elsewhere", ELSEWHERE.len()),
        ("different on purpose", DIFFERENT.len()),
        ("recompressed", RECOMPRESSED.len()),
        ("refused", 57),
    ];
    assert_eq!(classes, BTreeMap::from(counted));
}

#[test]
fn the_builder_writes_the_bytes_that_kafkas_own_client_writes() {
    let lines = lines();
    let start = 1_700_000_000_000;

    let mut ten = Builder::new();
    for place in 0..10 {
        let (key, value) = (format!("k{place}"), format!("value {place}"));
        ten.push(Timestamp::from_millis(start + place), Some(key.as_bytes()), Some(value.as_bytes()), &[]);
    }
    assert_eq!(lines[1]["what"], "ten records, no codec");
    assert_eq!(ten.build().unwrap().to_bytes(), bytes(&lines[1]["records"]).unwrap());

    // Everything that a record can lack, or have twice.
    for (number, what) in [(18, "headers: empty key, null value, a key twice"), (19, "null key, null value, both")] {
        let line = &lines[number - 1];
        assert_eq!(line["what"], what);
        let sent = Batch::parse(&bytes(&line["records"]).unwrap()).unwrap();
        let mut again = Builder::new();
        for record in Records::of(&sent).unwrap() {
            let record = record.unwrap();
            again.push(record.timestamp, record.key, record.value, &record.headers.collect::<Vec<_>>());
        }
        assert_eq!(again.build().unwrap(), sent, "line {number}");
    }
}

fn lines() -> Vec<Value> {
    let packed = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/produce/produce.jsonl.gz"));
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The error code. Under `acks=0` there is none to read: what reached the log tells, and the one that didn't had a
/// wrong checksum.
fn answer(line: &Value) -> i16 {
    match line["response"]["errorCode"].as_i64() {
        Some(code) => i16::try_from(code).unwrap(),
        None if bytes(&line["appended"]).is_some_and(|appended| !appended.is_empty()) => 0,
        None => ErrorCode::CorruptMessage.code(),
    }
}

/// The broker's clock: as it told in its answer, else some time in the same minute.
fn clock(line: &Value) -> Timestamp {
    let told = line["response"]["logAppendTimeMs"].as_i64().filter(|&time| time >= 0);
    Timestamp::from_millis(told.unwrap_or(1_795_262_886_988))
}

fn rules(line: &Value) -> Rules {
    let mut rules = Rules {
        max_message_bytes: 1_048_588,
        segment_bytes: 1 << 30,
        timestamp_type: TimestampType::CreateTime,
        before_max: i64::MAX,
        after_max: 3_600_000,
        compaction: Compaction::Off,
        compression: None,
    };
    for config in line["configs"].as_array().unwrap() {
        match config.as_str().unwrap().split_once('=').unwrap() {
            ("max.message.bytes", limit) => rules.max_message_bytes = limit.parse().unwrap(),
            ("segment.bytes", limit) => rules.segment_bytes = limit.parse().unwrap(),
            ("message.timestamp.type", "LogAppendTime") => rules.timestamp_type = TimestampType::LogAppendTime,
            ("message.timestamp.before.max.ms", limit) => rules.before_max = limit.parse().unwrap(),
            ("message.timestamp.after.max.ms", limit) => rules.after_max = limit.parse().unwrap(),
            ("cleanup.policy", "compact") => rules.compaction = Compaction::On,
            ("compression.type", "zstd") => rules.compression = Some(Compression::Zstd(3)),
            ("compression.type", "uncompressed") => rules.compression = Some(Compression::None),
            ("min.insync.replicas", _) => {}
            unknown => panic!("a config that no rule stands for: {unknown:?}"),
        }
    }
    rules
}

/// Bytes as the fixture writes them: base64, or base64 of a zlib stream if they are many.
fn bytes(field: &Value) -> Option<Bytes> {
    match field {
        Value::Null => None,
        Value::String(text) => Some(base64(text).into()),
        large => {
            let mut inflated = Vec::new();
            ZlibDecoder::new(base64(large["zlib"].as_str()?).as_slice()).read_to_end(&mut inflated).unwrap();
            assert_eq!(inflated.len() as u64, large["length"].as_u64()?);
            Some(inflated.into())
        }
    }
}

fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text.as_bytes().chunks(4) {
        let sextet = |at: usize| match four[at] {
            letter @ b'A'..=b'Z' => letter - b'A',
            letter @ b'a'..=b'z' => letter - b'a' + 26,
            digit @ b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => 0,
        };
        let bits = (0..4).fold(0u32, |bits, at| bits << 6 | u32::from(sextet(at)));
        let padding = four.iter().filter(|&&letter| letter == b'=').count();
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    bytes
}
