//! An entry of the metadata log as bytes: records, each in Kafka's frame, each behind its length.
//!
//! ```text
//! uvarint length | uvarint frame version 1 | uvarint type | uvarint version | body      one after the other, to the end
//! ```
//!
//! A snapshot is the same, only longer. A record of a type that we don't know is kept as it is; one of a known type in a
//! newer version, or with a body that can't be read, is an error: passing over it would make another cluster of this one.

use std::borrow::Borrow;
use std::fmt;

use bytes::{BufMut, Bytes};
use thalweg_messages::Record as _;
use thalweg_messages::metadata_log::{
    AbortTransactionRecord, BeginTransactionRecord, BrokerRegistered, ConfigRecord, EndTransactionRecord,
    FeatureLevelRecord, MetadataRecord, NoOpRecord, PartitionChangeRecord, PartitionRecord, ProducerIdsRecord,
    RegisterBrokerRecord, RemoveTopicRecord, TopicRecord, UnregisterBrokerRecord, type_of,
};
use thalweg_wire::codec::{DecodeError, Decoder, EncodeError, Form};

/// One change of the cluster.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// A record from which something follows here.
    Known(MetadataRecord),
    /// The frame of one whose type we don't know, or of which nothing follows here yet.
    Unknown(Bytes),
}

impl<T: Into<MetadataRecord>> From<T> for Record {
    fn from(record: T) -> Record {
        Record::Known(record.into())
    }
}

/// The bytes are not a list of records that we understand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// A length reaches past the end, or is no number.
    Length {
        /// Where it stands, in bytes.
        at: usize,
    },
    /// A record of a known type can't be read.
    Record {
        /// Where its frame begins, in bytes.
        at: usize,
        /// What is wrong with it.
        reason: DecodeError,
    },
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Length { at } => write!(f, "the length at byte {at} of a list of metadata records is wrong"),
            Malformed::Record { at, reason } => write!(f, "the metadata record at byte {at}: {reason}"),
        }
    }
}

impl std::error::Error for Malformed {}

/// The records as the payload of one entry, or as a snapshot. An error if one of them can't be written, such as one with
/// a string that is too long: whoever wants it to be written has asked for too much.
///
/// They may be made on the way: a snapshot is never held twice.
pub fn encode(records: impl IntoIterator<Item = impl Borrow<Record>>) -> Result<Bytes, EncodeError> {
    let mut bytes = Vec::new();
    for record in records {
        append(&mut bytes, record.borrow())?;
    }
    Ok(bytes.into())
}

fn append(bytes: &mut Vec<u8>, record: &Record) -> Result<(), EncodeError> {
    let frame = match record {
        Record::Known(record) => &record.encode(record.max_version())?,
        Record::Unknown(frame) => frame,
    };
    let mut length = u32::try_from(frame.len()).map_err(|_| EncodeError::TooLong(frame.len()))?;
    while length > 0x7f {
        bytes.put_u8(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.put_u8(length as u8);
    bytes.put_slice(frame);
    Ok(())
}

/// Reads the payload of an entry, or a snapshot.
pub fn decode(payload: &Bytes) -> impl Iterator<Item = Result<Record, Malformed>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= payload.len() {
            return None;
        }
        let read = read(payload, at);
        at = read.as_ref().map_or(payload.len(), |(_, end)| *end);
        Some(read.map(|(record, _)| record))
    })
}

/// What follows from a record, by its type alone: a newer release may have written it in a version that we can't read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Consequence {
    /// The image changes.
    Applied,
    /// Nothing yet: it stays as it is, for a release that knows what to do.
    Kept,
    /// It decides about others, and we don't know how.
    Refused,
}

impl Consequence {
    fn of(record_type: i16) -> Consequence {
        match record_type {
            RegisterBrokerRecord::RECORD_TYPE
            | BrokerRegistered::RECORD_TYPE
            | UnregisterBrokerRecord::RECORD_TYPE
            | TopicRecord::RECORD_TYPE
            | RemoveTopicRecord::RECORD_TYPE
            | PartitionRecord::RECORD_TYPE
            | PartitionChangeRecord::RECORD_TYPE
            | ConfigRecord::RECORD_TYPE
            | FeatureLevelRecord::RECORD_TYPE
            | ProducerIdsRecord::RECORD_TYPE
            | NoOpRecord::RECORD_TYPE => Consequence::Applied,
            // Whether what lies between them counts, the last of them says.
            BeginTransactionRecord::RECORD_TYPE
            | EndTransactionRecord::RECORD_TYPE
            | AbortTransactionRecord::RECORD_TYPE => Consequence::Refused,
            _ => Consequence::Kept,
        }
    }
}

fn read(payload: &Bytes, at: usize) -> Result<(Record, usize), Malformed> {
    let mut from = Decoder::at(payload, at, Form::Flexible);
    let length = from.uvarint().map_err(|_| Malformed::Length { at })? as usize;
    let begin = from.position();
    if length > from.remaining() {
        return Err(Malformed::Length { at });
    }
    let frame = payload.slice(begin..begin + length);
    let malformed = |reason| Malformed::Record { at: begin, reason };
    let record_type = type_of(&frame).map_err(malformed)?;
    let record = match Consequence::of(record_type) {
        Consequence::Applied => {
            let (record, _) = MetadataRecord::decode(&frame).map_err(malformed)?;
            Record::Known(record)
        }
        // A copy: it stays for good, and must not hold the whole entry in memory.
        Consequence::Kept => Record::Unknown(Bytes::copy_from_slice(&frame)),
        Consequence::Refused => return Err(malformed(DecodeError::UnknownRecord(record_type))),
    };
    Ok((record, begin + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_messages::metadata_log::ClientQuotaRecord;
    use thalweg_wire::Uuid;
    use thalweg_wire::codec::STRING_BYTES_MAX;

    fn records() -> Vec<Record> {
        // Frame version 1, type 9999 (two bytes), version 0, some body.
        let unknown = Bytes::from_static(&[1, 0x8f, 0x4e, 0, 42, 43]);
        vec![
            TopicRecord { name: "orders".repeat(40), topic_id: Uuid([7; 16]), ..Default::default() }.into(),
            Record::Unknown(unknown),
            FeatureLevelRecord { name: "group.version".to_owned(), feature_level: 1, ..Default::default() }.into(),
        ]
    }

    #[test]
    fn a_list_reads_back_and_what_is_unknown_stays_as_it_is() {
        let bytes = encode(records()).unwrap();
        assert_eq!(decode(&bytes).collect::<Result<Vec<_>, _>>(), Ok(records()));
        assert_eq!(encode(records()), Ok(bytes));
    }

    // It comes back byte by byte, whatever version it was written in.
    #[test]
    fn a_record_of_which_nothing_follows_is_kept_as_it_is() {
        let quota = ClientQuotaRecord { key: "producer_byte_rate".to_owned(), value: 1e6, ..Default::default() };
        let written = MetadataRecord::from(quota).encode(0).unwrap();
        let (mut newer, mut damaged) = (written.to_vec(), written.to_vec());
        (newer[2], damaged[3]) = (9, 0xff);
        for frame in [written, newer.into(), damaged.into()] {
            let kept = Record::Unknown(frame);
            assert_eq!(decode(&encode([&kept]).unwrap()).collect::<Result<Vec<_>, _>>(), Ok(vec![kept]));
        }
    }

    #[test]
    fn a_transaction_of_metadata_is_refused() {
        let begin = MetadataRecord::from(BeginTransactionRecord::default()).encode(0).unwrap();
        let read = decode(&encode([Record::Unknown(begin)]).unwrap()).next();
        assert_eq!(read, Some(Err(Malformed::Record { at: 1, reason: DecodeError::UnknownRecord(23) })));
    }

    #[test]
    fn a_record_with_a_string_that_is_too_long_is_not_written() {
        let long: Record = TopicRecord { name: "x".repeat(STRING_BYTES_MAX + 1), ..Default::default() }.into();
        assert_eq!(encode(&[long]), Err(EncodeError::TooLong(STRING_BYTES_MAX + 1)));
    }

    #[test]
    fn a_list_that_is_cut_short_is_refused_unless_it_is_cut_between_records() {
        let bytes = encode(records()).unwrap();
        let ends: Vec<usize> = (0..=3).map(|count| encode(&records()[..count]).unwrap().len()).collect();
        for length in 0..bytes.len() {
            let cut = bytes.slice(..length);
            let whole = decode(&cut).collect::<Result<Vec<_>, _>>().is_ok();
            assert_eq!(whole, ends.contains(&length), "cut to {length} bytes");
        }
    }

    /// Half of what a newer release meant is not what it meant.
    #[test]
    fn a_known_record_in_an_unknown_version_is_refused() {
        let newer = Bytes::from_static(&[3, 1, 2, 99]);
        let read = decode(&newer).next();
        assert_eq!(read, Some(Err(Malformed::Record { at: 1, reason: DecodeError::UnknownVersion(99) })));
        let frame = Bytes::from_static(&[3, 2, 2, 0]);
        let read = decode(&frame).next();
        assert_eq!(read, Some(Err(Malformed::Record { at: 1, reason: DecodeError::UnknownFrame(2) })));
    }
}
