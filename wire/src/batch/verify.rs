//! Takes a producer's bytes apart once, so that everybody after may trust the type.
//!
//! The rules are those of Kafka 4.3's `ProduceRequest.validateRecords`, `UnifiedLog` and `LogValidator`, in their
//! order. Where Kafka answers UNKNOWN_SERVER_ERROR to bad bytes, or stores offset deltas with holes, the answer here is
//! INVALID_RECORD.

use bytes::Bytes;

use crate::{Offset, ProducerId, Timestamp};

use super::compression::{Compression, Compressor, Larger, Scratch, Stream};
use super::header::{CODEC_MASK, LOG_APPEND_TIME, TRANSACTIONAL};
use super::record::{self, Source};
use super::refusal::{BatchError, Invalid, RECORD_ERRORS_MAX, RecordError, RecordFault};
use super::{Batch, Batches, Codec, Corruption, HEADER_BYTES, TimestampType, Unreadable};

/// What a topic asks of a batch. Sizes in bytes, spans in milliseconds; each field is the config of the same meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// `max.message.bytes`: the largest batch, header included.
    pub max_message_bytes: usize,
    /// `segment.bytes`: a batch never spans two segments.
    pub segment_bytes: usize,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`: how far a record's time may lie behind ours.
    pub before_max: i64,
    /// `message.timestamp.after.max.ms`: how far it may lie ahead.
    pub after_max: i64,
    /// Whether `cleanup.policy` has `compact`: then each record needs a key.
    pub compaction: Compaction,
    /// `compression.type` and its level: what the batch is stored in. `None` is `producer`: as it came.
    pub compression: Option<Compression>,
}

/// Whether a topic keeps the last record per key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compaction {
    /// `cleanup.policy` is `delete` or empty.
    Off,
    /// `cleanup.policy` has `compact`: a record without a key has no place.
    On,
}

/// Which codecs the sender's protocol knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codecs {
    /// Produce v7 and later.
    All,
    /// Produce below v7 (KIP-110).
    BeforeZstd,
}

/// A batch that obeys every rule, ready to be given its offset and appended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    batch: Batch,
    max_timestamp: Timestamp,
    max_timestamp_delta: i32,
}

impl Verified {
    /// Takes the word of whoever made the batch: our own code, or a leader that verified it.
    ///
    /// Nothing is walked, so the largest timestamp is the header's and counts as the last record's.
    pub fn trusted(batch: Batch) -> Verified {
        Verified {
            max_timestamp: batch.header().max_timestamp(),
            max_timestamp_delta: batch.header().last_offset_delta(),
            batch,
        }
    }

    /// The batch.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Gives up the proof for the batch.
    pub fn into_batch(self) -> Batch {
        self.batch
    }

    /// The same batch with its records in other memory, which `keep` gives: a log holds records for longer than the
    /// request lives that brought them.
    ///
    /// # Panics
    /// If `keep` gives other bytes than it got (their length is looked at): that would be a batch nobody verified.
    pub fn rehoused(mut self, keep: impl FnOnce(&Bytes) -> Bytes) -> Verified {
        let records = keep(self.batch.records());
        assert!(records.len() == self.batch.records().len(), "the records changed on their way");
        debug_assert!(records == self.batch.records(), "the records changed on their way");
        self.batch = Batch::new(self.batch.header().clone(), records);
        self
    }

    /// The largest timestamp of its records, or the time of the append; [`Timestamp::NONE`] if no record has one.
    pub fn max_timestamp(&self) -> Timestamp {
        self.max_timestamp
    }

    /// Offset of the first record with the largest timestamp, minus the base offset.
    pub fn max_timestamp_delta(&self) -> i32 {
        self.max_timestamp_delta
    }
}

/// Verifies what a client sent for one partition, and settles its timestamps as the topic wants them.
///
/// `records` is the records field of a Produce request (empty if it is null); it has to hold exactly one batch, and
/// incomplete bytes after it are dropped. A compressed batch is decompressed as a stream, in the memory of `scratch`, and
/// kept as it came, unless the topic asks for another codec: then it is built anew around the same records. Nothing else is
/// copied, and nothing is allocated unless records are refused. The checksum is computed again only if something under
/// it had to change.
///
/// # Errors
/// [`BatchError`]; nothing of the batch may be appended then.
pub fn verify(
    records: Bytes,
    rules: &Rules,
    known: Codecs,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Result<Verified, BatchError> {
    let batch = the_only_batch(records, known)?;
    if batch.base_offset() != Offset::ZERO {
        return Err(BatchError::Invalid(Invalid::BaseOffset(batch.base_offset())));
    }
    if batch.byte_length() > rules.max_message_bytes {
        return Err(BatchError::TooLarge { bytes: batch.byte_length(), limit: rules.max_message_bytes });
    }
    batch.check().map_err(BatchError::Corrupt)?;
    let codec = verify_header(&batch).map_err(BatchError::Invalid)?;
    let (walked, bytes) = match codec {
        Codec::None => (walk(&mut batch.records().as_ref(), &batch, rules, now)?, batch.records().len()),
        codec => walk_compressed(scratch.open(codec, batch.records()), codec, &batch, rules, now)?,
    };
    let batch = match rules.compression {
        Some(wanted) if wanted.codec() != codec => {
            rebuilt(&batch, codec, wanted, bytes, rules.max_message_bytes, scratch)?
        }
        _ => batch,
    };
    if batch.byte_length() > rules.segment_bytes {
        return Err(BatchError::LargerThanSegment { bytes: batch.byte_length(), limit: rules.segment_bytes });
    }
    Ok(settle_timestamps(batch, walked, rules.timestamp_type, now))
}

/// `ProduceRequest.validateRecords`.
fn the_only_batch(records: Bytes, known: Codecs) -> Result<Batch, BatchError> {
    let refuse = |unreadable| match unreadable {
        Unreadable::Truncated { .. } => BatchError::Invalid(Invalid::NoBatch),
        Unreadable::Corrupt(Corruption::Magic(magic @ (0 | 1))) => BatchError::Invalid(Invalid::OldMagic(magic)),
        Unreadable::Corrupt(corruption) => BatchError::Corrupt(corruption),
    };
    let mut batches = Batches::new(records);
    let batch = batches.next().ok_or(BatchError::Invalid(Invalid::NoBatch))?.map_err(refuse)?;
    if known == Codecs::BeforeZstd && batch.header().codec() == Some(Codec::Zstd) {
        return Err(BatchError::UnsupportedCompression(Codec::Zstd));
    }
    match batches.next() {
        None | Some(Err(Unreadable::Truncated { .. })) => Ok(batch),
        Some(Ok(_)) => Err(BatchError::Invalid(Invalid::ManyBatches)),
        Some(Err(corrupt)) => Err(refuse(corrupt)),
    }
}

/// `LogValidator.validateBatch`.
fn verify_header(batch: &Batch) -> Result<Codec, Invalid> {
    let header = batch.header();
    let (count, last_offset_delta) = (header.count(), header.last_offset_delta());
    if count <= 0 || last_offset_delta != count - 1 {
        return Err(Invalid::Count { count, last_offset_delta });
    }
    if header.is_control() {
        return Err(Invalid::Control);
    }
    // A sequence without an id, and an id without an epoch, pass; so they do in Kafka.
    if header.producer_id() > ProducerId::NONE && header.base_sequence() < 0 {
        return Err(Invalid::Sequence(header.base_sequence()));
    }
    header.codec().ok_or(Invalid::Codec(header.attributes() & CODEC_MASK))
}

/// What a walk over the records learns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Walked {
    /// The largest timestamp of the records.
    max_timestamp: Timestamp,
    /// The offset delta of the first that has it.
    max_timestamp_delta: i32,
}

/// Reads every record once, from a stream that is read to its end. Tells how many bytes they have, uncompressed.
fn walk_compressed(
    mut stream: Stream<'_, '_>,
    codec: Codec,
    batch: &Batch,
    rules: &Rules,
    now: Timestamp,
) -> Result<(Walked, usize), BatchError> {
    let walked = walk(&mut stream, batch, rules, now);
    // A stream that broke off looks like a record cut short, or like the end.
    match stream.damage() {
        Some(damage) => Err(BatchError::Invalid(Invalid::Compressed(codec, damage))),
        None => walked.map(|walked| (walked, stream.passed())),
    }
}

/// Reads every record once, to the end of the source.
fn walk<S: Source>(source: &mut S, batch: &Batch, rules: &Rules, now: Timestamp) -> Result<Walked, BatchError> {
    let base_timestamp = batch.header().base_timestamp().millis();
    let mut walked = Walked { max_timestamp: Timestamp::NONE, max_timestamp_delta: 0 };
    let mut errors = Vec::new();
    for index in 0..batch.header().count() {
        let (fields, ()) = record::read(source, record::skip_headers)
            .map_err(|malformed| BatchError::Invalid(Invalid::Record { index, malformed }))?;
        if fields.offset_delta != index {
            return Err(BatchError::Invalid(Invalid::OffsetDelta { index, delta: fields.offset_delta }));
        }
        // Wrapping as in Kafka: a sum past the end of time is outside the limits, or the topic has none.
        let timestamp = Timestamp::from_millis(base_timestamp.wrapping_add(fields.timestamp_delta));
        if rules.compaction == Compaction::On && fields.key.is_none() {
            blame(&mut errors, RecordError { index, fault: RecordFault::NoKey });
        } else if !rules.allow(timestamp, now) {
            blame(&mut errors, RecordError { index, fault: RecordFault::Timestamp });
        }
        if timestamp > walked.max_timestamp {
            (walked.max_timestamp, walked.max_timestamp_delta) = (timestamp, index);
        }
    }
    if source.byte().is_some() {
        return Err(BatchError::Invalid(Invalid::LeftOver));
    }
    if errors.is_empty() { Ok(walked) } else { Err(BatchError::Records(errors)) }
}

/// The last place is for a timestamp, if there is one to blame: it decides on the code.
fn blame(errors: &mut Vec<RecordError>, error: RecordError) {
    if errors.len() < RECORD_ERRORS_MAX {
        errors.push(error);
    } else if error.fault == RecordFault::Timestamp {
        errors[RECORD_ERRORS_MAX - 1] = error;
    }
}

/// The batch in the topic's codec: `LogValidator.buildRecordsAndAssignOffsets`. The records, `bytes` of them before
/// compression, stay as they were sent, and so do the base timestamp and their deltas; reserved attribute bits go, as
/// they do in Kafka, which builds the batch from its fields.
fn rebuilt(
    batch: &Batch,
    codec: Codec,
    wanted: Compression,
    bytes: usize,
    max_message_bytes: usize,
    scratch: &mut Scratch,
) -> Result<Batch, BatchError> {
    let limit = max_message_bytes.saturating_sub(HEADER_BYTES).min(i32::MAX as usize - HEADER_BYTES);
    let mut compressor = Compressor::new(wanted, bytes, limit);
    let mut stream = scratch.open(codec, batch.records());
    let larger = |Larger| BatchError::TooLarge { bytes: max_message_bytes.saturating_add(1), limit: max_message_bytes };
    while let Some(chunk) = stream.next_chunk() {
        compressor.write(chunk).map_err(larger)?;
    }
    if let Some(damage) = stream.damage() {
        return Err(BatchError::Invalid(Invalid::Compressed(codec, damage)));
    }
    let records = compressor.finish().map_err(larger)?;
    let mut header = batch.header().clone();
    header.set_attributes(header.attributes() & (LOG_APPEND_TIME | TRANSACTIONAL));
    header.set_codec(wanted.codec());
    let mut rebuilt = Batch::new(header, records.into());
    rebuilt.seal();
    Ok(rebuilt)
}

impl Rules {
    fn allow(&self, timestamp: Timestamp, now: Timestamp) -> bool {
        let (timestamp_ms, now_ms) = (timestamp.millis(), now.millis());
        self.timestamp_type == TimestampType::LogAppendTime
            || timestamp == Timestamp::NONE
            || (now_ms.saturating_sub(timestamp_ms) <= self.before_max
                && timestamp_ms.saturating_sub(now_ms) <= self.after_max)
    }
}

/// Writes type and maximum as the leader knows them. Record deltas and the base stay as they were sent.
fn settle_timestamps(mut batch: Batch, walked: Walked, kind: TimestampType, now: Timestamp) -> Verified {
    let (max_timestamp, max_timestamp_delta) = match kind {
        TimestampType::CreateTime => (walked.max_timestamp, walked.max_timestamp_delta),
        // All records have the same time: the first is the one to find.
        TimestampType::LogAppendTime => (now, 0),
    };
    batch.settle_timestamps(kind, max_timestamp);
    Verified { batch, max_timestamp, max_timestamp_delta }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Builder, HEADER_BYTES, Malformed, Record, Records};
    use super::*;
    use crate::{ErrorCode, ProducerEpoch};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn rules() -> Rules {
        Rules {
            max_message_bytes: 1_048_588,
            segment_bytes: 1 << 30,
            timestamp_type: TimestampType::CreateTime,
            before_max: i64::MAX,
            after_max: 3_600_000,
            compaction: Compaction::Off,
            compression: None,
        }
    }

    fn verify(records: Bytes, rules: &Rules, now: Timestamp) -> Result<Verified, BatchError> {
        super::verify(records, rules, Codecs::All, now, &mut Scratch::new())
    }

    fn at(delta: i64) -> Timestamp {
        Timestamp::from_millis(NOW.millis() + delta)
    }

    #[test]
    fn verification_shares_the_records_and_finds_the_latest_of_them() {
        let batch = Builder::new()
            .producer(ProducerId(9), ProducerEpoch(1), 40)
            .record(at(0), Some(b"a"), None)
            .record(at(5), None, Some(b"late"))
            .record(at(5), None, Some(b"as late"))
            .record(at(-3), None, Some(b"early"))
            .build()
            .unwrap();
        let sent = batch.to_bytes();
        let verified = verify(sent.clone(), &rules(), NOW).unwrap();
        assert_eq!((verified.max_timestamp(), verified.max_timestamp_delta()), (at(5), 1));
        assert_eq!(verified.batch(), &batch);
        assert_eq!(verified.batch().records().as_ptr(), sent[HEADER_BYTES..].as_ptr());
    }

    #[test]
    fn under_append_time_every_record_reads_the_leaders_clock() {
        let rules = Rules { timestamp_type: TimestampType::LogAppendTime, before_max: 0, after_max: 0, ..rules() };
        let sent = Builder::new().record(at(-9), None, None).record(at(99), None, None).build().unwrap();
        let verified = verify(sent.to_bytes(), &rules, NOW).unwrap();
        assert_eq!((verified.max_timestamp(), verified.max_timestamp_delta()), (NOW, 0));
        assert_eq!(verified.batch().check(), Ok(()));
        assert_eq!(verified.batch().header().base_timestamp(), at(-9));
        assert!(Records::of(verified.batch()).unwrap().all(|record| record.unwrap().timestamp == NOW));
    }

    #[test]
    fn each_bad_record_is_named_and_one_fails_the_batch() {
        let rules = Rules { compaction: Compaction::On, before_max: 10, after_max: 20, ..rules() };
        let mixed = Builder::new()
            .record(at(0), Some(b"k"), None)
            .record(at(0), None, None)
            .record(at(-10), Some(b"k"), None)
            .record(at(-11), Some(b"k"), None)
            .record(at(20), Some(b"k"), None)
            .record(at(21), Some(b"k"), None)
            .record(Timestamp::NONE, Some(b"k"), None);
        let error = verify(mixed.build().unwrap().to_bytes(), &rules, NOW).unwrap_err();
        let fault = |index, fault| RecordError { index, fault };
        assert_eq!(
            error.record_errors(),
            [fault(1, RecordFault::NoKey), fault(3, RecordFault::Timestamp), fault(5, RecordFault::Timestamp)]
        );
        assert_eq!(error.code(), ErrorCode::InvalidTimestamp);
    }

    #[test]
    fn times_at_the_ends_of_the_clock_are_outside_every_limit_not_past_the_arithmetic() {
        for time in [i64::MIN, i64::MAX] {
            let batch = Builder::new().record(Timestamp::from_millis(time), None, None).build().unwrap().to_bytes();
            let error = verify(batch, &Rules { before_max: 1_000, ..rules() }, NOW).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidTimestamp);
        }
    }

    #[test]
    fn a_header_list_that_claims_more_than_its_record_ends_with_the_record() {
        let mut batch = Builder::new().record(NOW, None, None).build().unwrap();
        let mut records = batch.records().to_vec();
        // The count is the last byte; five varint bytes instead say 2^31 - 1, and the record's length grows by four.
        records.pop();
        records.extend([0xfe, 0xff, 0xff, 0xff, 0x0f]);
        records[0] += 8;
        batch = Batch::new(batch.header().clone(), records.into());
        batch.seal();
        let malformed = BatchError::Invalid(Invalid::Record { index: 0, malformed: Malformed::Short });
        assert_eq!(verify(batch.to_bytes(), &rules(), NOW), Err(malformed));
    }

    #[test]
    fn the_checksum_is_computed_again_only_under_a_change() {
        let mut batch = Builder::new().record(NOW, None, Some(b"v")).build().unwrap();
        // Reserved bits are under the checksum, are nobody's business, and stay.
        batch.header.set_attributes(0x7f80);
        batch.seal();
        assert_eq!(verify(batch.to_bytes(), &rules(), NOW).unwrap().into_batch(), batch);

        batch.header.set_attributes(0x7f88);
        batch.seal();
        let settled = verify(batch.to_bytes(), &rules(), NOW).unwrap().into_batch();
        assert_eq!((settled.header().attributes(), settled.check()), (0x7f80, Ok(())));
    }

    type Owned = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(Vec<u8>, Option<Vec<u8>>)>);

    fn records() -> impl Strategy<Value = Vec<Owned>> {
        let field = || prop::option::of(prop::collection::vec(any::<u8>(), 0..100));
        let headers = prop::collection::vec((prop::collection::vec(any::<u8>(), 0..5), field()), 0..3);
        let time = prop_oneof![Just(-1), 0..=NOW.millis(), Just(i64::MIN)];
        prop::collection::vec((time, field(), field(), headers), 1..20)
    }

    fn built(records: &[Owned]) -> Batch {
        let mut builder = Builder::new();
        for (time, key, value, headers) in records {
            let headers: Vec<_> = headers.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
            builder.push(Timestamp::from_millis(*time), key.as_deref(), value.as_deref(), &headers);
        }
        let expected = builder.byte_length();
        let batch = builder.build().unwrap();
        assert_eq!(batch.byte_length(), expected);
        batch
    }

    fn owned(record: Record<'_>) -> Owned {
        let headers = record.headers.map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec))).collect();
        (record.timestamp.millis(), record.key.map(<[u8]>::to_vec), record.value.map(<[u8]>::to_vec), headers)
    }

    proptest! {
        #[test]
        fn what_is_built_verifies_and_reads_back(sent in records()) {
            let batch = built(&sent);
            let verified = verify(batch.to_bytes(), &Rules { before_max: i64::MAX, ..rules() }, NOW).unwrap();
            prop_assert_eq!(verified.batch(), &batch);
            let read: Vec<_> = Records::of(&batch).unwrap().map(Result::unwrap).collect();
            prop_assert!(read.iter().zip(0..).all(|(record, place)| record.offset == Offset(place)));
            prop_assert_eq!(read.into_iter().map(owned).collect::<Vec<_>>(), sent);
        }

        #[test]
        fn a_flipped_bit_is_refused_unless_the_leader_rewrites_its_place(sent in records(), place in any::<prop::sample::Index>()) {
            let mut bytes = built(&sent).to_bytes().to_vec();
            let bit = place.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let verified = verify(bytes.into(), &rules(), NOW);
            prop_assert_eq!(verified.is_ok(), (12..16).contains(&(bit / 8)), "byte {}", bit / 8);
        }

        #[test]
        fn random_bytes_never_verify(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(verify(bytes.into(), &rules(), NOW).is_err());
        }

        // Past the checksum, which an attacker can compute as well: anything but a panic.
        #[test]
        fn damage_under_a_right_checksum_never_panics(
            sent in records(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut bytes = built(&sent).to_bytes().to_vec();
            for (place, value) in damage {
                let place = 21 + place.index(bytes.len() - 21);
                bytes[place] = value;
            }
            let mut batch = Batch::parse(&bytes.into()).unwrap();
            batch.seal();
            if let Ok(verified) = verify(batch.to_bytes(), &rules(), NOW) {
                let read: Result<Vec<_>, _> = Records::of(verified.batch()).unwrap().collect();
                prop_assert_eq!(i32::try_from(read.unwrap().len()), Ok(verified.batch().header().count()));
            }
        }
    }
}
