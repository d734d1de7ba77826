//! The records of control batches, which no consumer sees: ends of transactions, and what Raft writes into its own log.
//!
//! A key is two int16: its version, 0, and the record's type. A value begins with its version.

pub use crate::generated::control_records::*;

use crate::keyed::write_value;
use crate::message::Message;
use bytes::Bytes;
use thalweg_wire::codec::{DecodeError, Decoder, EncodeError, Encoder};

/// A record of a control batch, by the type in its key.
#[derive(Clone, PartialEq, Debug)]
pub enum ControlRecord {
    /// 0: what the producer's transaction wrote to this partition never happened.
    Abort(EndTxnMarker),
    /// 1: what the producer's transaction wrote to this partition holds.
    Commit(EndTxnMarker),
    /// 2: a new leader of the metadata log, and who elected it.
    LeaderChange(LeaderChangeMessage),
    /// 3: the beginning of a snapshot.
    SnapshotHeader(SnapshotHeaderRecord),
    /// 4: the end of a snapshot.
    SnapshotFooter(SnapshotFooterRecord),
    /// 5: the version of the Raft protocol from here on (KIP-853).
    KRaftVersion(KRaftVersionRecord),
    /// 6: who votes from here on (KIP-853).
    KRaftVoters(VotersRecord),
    /// Of a type that isn't described here.
    Unknown {
        /// The type in its key.
        record_type: i16,
        /// The value as it was found.
        value: Bytes,
    },
}

const KEY_VERSION: i16 = 0;

impl ControlRecord {
    /// Reads a record by its key and its value. What follows the key is left alone, and so is what follows the end of a
    /// transaction, whose newer versions only add behind it; of the others a newer version is an error.
    pub fn decode(key: &Bytes, value: &Bytes) -> Result<ControlRecord, DecodeError> {
        let mut from = Decoder::new(key);
        let version = from.i16()?;
        if version < KEY_VERSION {
            return Err(DecodeError::UnknownVersion(version));
        }
        Ok(match from.i16()? {
            0 => ControlRecord::Abort(marker(value)?),
            1 => ControlRecord::Commit(marker(value)?),
            2 => ControlRecord::LeaderChange(body(value)?),
            3 => ControlRecord::SnapshotHeader(body(value)?),
            4 => ControlRecord::SnapshotFooter(body(value)?),
            5 => ControlRecord::KRaftVersion(body(value)?),
            6 => ControlRecord::KRaftVoters(body(value)?),
            record_type => ControlRecord::Unknown { record_type, value: value.clone() },
        })
    }

    /// The number of its type.
    pub const fn record_type(&self) -> i16 {
        match self {
            ControlRecord::Abort(_) => 0,
            ControlRecord::Commit(_) => 1,
            ControlRecord::LeaderChange(_) => 2,
            ControlRecord::SnapshotHeader(_) => 3,
            ControlRecord::SnapshotFooter(_) => 4,
            ControlRecord::KRaftVersion(_) => 5,
            ControlRecord::KRaftVoters(_) => 6,
            ControlRecord::Unknown { record_type, .. } => *record_type,
        }
    }

    /// Key and value as they are stored, at the version that a value with a field for it says.
    pub fn encode(&self) -> Result<(Bytes, Bytes), EncodeError> {
        let mut key = Encoder::new();
        key.i16(KEY_VERSION);
        key.i16(self.record_type());
        let value = match self {
            ControlRecord::Abort(marker) | ControlRecord::Commit(marker) => {
                write_value(marker, EndTxnMarker::MAX_VERSION)
            }
            ControlRecord::LeaderChange(record) => bytes_of(record, record.version),
            ControlRecord::SnapshotHeader(record) => bytes_of(record, record.version),
            ControlRecord::SnapshotFooter(record) => bytes_of(record, record.version),
            ControlRecord::KRaftVersion(record) => bytes_of(record, record.version),
            ControlRecord::KRaftVoters(record) => bytes_of(record, record.version),
            ControlRecord::Unknown { value, .. } => Ok(value.clone()),
        };
        Ok((key.finish().into_bytes(), value?))
    }
}

/// The end of a transaction has its version in front of it.
fn marker(value: &Bytes) -> Result<EndTxnMarker, DecodeError> {
    let mut from = Decoder::new(value);
    let version = from.i16()?.min(EndTxnMarker::MAX_VERSION);
    EndTxnMarker::decode(&mut from, version)
}

/// All others have it as their first field.
fn body<M: Message>(value: &Bytes) -> Result<M, DecodeError> {
    let version = Decoder::new(value).i16()?;
    M::decode(&mut Decoder::new(value), version)
}

fn bytes_of(message: &impl Message, version: i16) -> Result<Bytes, EncodeError> {
    let mut into = Encoder::new();
    message.encode(&mut into, version)?;
    Ok(into.finish().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::BrokerId;

    #[test]
    fn the_end_of_a_transaction_is_stored_as_kafka_stores_it() {
        let record = ControlRecord::Commit(EndTxnMarker { coordinator_epoch: 7 });
        let (key, value) = record.encode().unwrap();
        assert_eq!((&key[..], &value[..]), (&b"\0\0\0\x01"[..], &b"\0\0\0\0\0\x07"[..]));
        assert_eq!(ControlRecord::decode(&key, &value), Ok(record));
    }

    #[test]
    fn a_version_of_its_own_field_is_the_version_of_the_value() {
        for version in 0..=LeaderChangeMessage::MAX_VERSION {
            let leader_id = BrokerId(3);
            let record = ControlRecord::LeaderChange(LeaderChangeMessage { version, leader_id, ..Default::default() });
            let (key, value) = record.encode().unwrap();
            assert_eq!(ControlRecord::decode(&key, &value), Ok(record));
        }
    }

    #[test]
    fn what_comes_from_the_future_is_read_as_far_as_we_know_it() {
        let later = Bytes::from_static(b"\0\x05\0\0\0\x07more");
        let read = ControlRecord::decode(&Bytes::from_static(b"\0\x01\0\0more"), &later);
        assert_eq!(read, Ok(ControlRecord::Abort(EndTxnMarker { coordinator_epoch: 7 })));
        let unknown = ControlRecord::decode(&Bytes::from_static(b"\0\0\0\x63"), &later).unwrap();
        assert_eq!(unknown.encode(), Ok((Bytes::from_static(b"\0\0\0\x63"), later)));
    }

    #[test]
    fn damage_is_an_error() {
        let read = |key: &'static [u8], value: &'static [u8]| {
            ControlRecord::decode(&Bytes::from_static(key), &Bytes::from_static(value)).unwrap_err()
        };
        assert_eq!(read(b"\0\0\0", b"\0\0\0\0\0\0"), DecodeError::Truncated);
        assert_eq!(read(b"\xff\xff\0\0", b"\0\0\0\0\0\0"), DecodeError::UnknownVersion(-1));
        assert_eq!(read(b"\0\0\0\0", b"\0\0\0\0\0"), DecodeError::Truncated);
        assert_eq!(read(b"\0\0\0\x02", b"\xff\xfe"), DecodeError::UnknownVersion(-2));
        assert_eq!(read(b"\0\0\0\x02", b"\0\x02\0\0\0\x01\x01\x01\0"), DecodeError::UnknownVersion(2));
    }
}
