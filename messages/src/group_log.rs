//! The records of `__consumer_offsets`, the log of the group coordinators.
//!
//! A key begins with its record type, a value with its version, an int16 each. A record without a value says that what
//! its key names is gone.

pub use crate::generated::group_log::*;

use crate::message::{Message, Record};
use bytes::Bytes;
use thalweg_wire::codec::{DecodeError, Decoder, EncodeError, Encoder};

/// Keys have one version for ever; the number in front of them is their type.
const KEY_VERSION: i16 = 0;

impl GroupRecord {
    /// Reads a record by its key and its value.
    ///
    /// A type that we don't know is kept as it is: the log is compacted by key, and what another protocol says of a
    /// group leaves ours alone. A value of a known type in an unknown version is an error: half a group is none.
    pub fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<GroupRecord, DecodeError> {
        GroupRecord::decode_type(Decoder::new(key).i16()?, key, value)
    }
}

pub(crate) fn read_key<K: Record>(bytes: &Bytes) -> Result<K, DecodeError> {
    let mut from = Decoder::new(bytes);
    assert_eq!(from.i16(), Ok(K::RECORD_TYPE), "whoever calls has looked");
    whole(K::decode(&mut from, KEY_VERSION)?, &from)
}

pub(crate) fn read_value<V: Record>(bytes: &Bytes) -> Result<V, DecodeError> {
    let mut from = Decoder::new(bytes);
    let version = from.i16()?;
    whole(V::decode(&mut from, version)?, &from)
}

fn whole<M: Message>(message: M, from: &Decoder<'_>) -> Result<M, DecodeError> {
    match from.remaining() {
        0 => Ok(message),
        rest => Err(DecodeError::Trailing(rest)),
    }
}

pub(crate) fn write_key<K: Record>(key: &K) -> Result<Bytes, EncodeError> {
    let mut into = Encoder::new();
    into.i16(K::RECORD_TYPE);
    key.encode(&mut into, KEY_VERSION)?;
    Ok(into.finish().into_bytes())
}

pub(crate) fn write_value(value: &impl Record, version: i16) -> Result<Bytes, EncodeError> {
    let mut into = Encoder::new();
    into.i16(version);
    value.encode(&mut into, version)?;
    Ok(into.finish().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::{Offset, PartitionIndex, Uuid};

    fn committed() -> GroupRecord {
        let key =
            OffsetCommitKey { group: "boats".to_owned(), topic: "river".to_owned(), partition: PartitionIndex(3) };
        let value = OffsetCommitValue { offset: Offset(42), topic_id: Uuid([7; 16]), ..OffsetCommitValue::default() };
        GroupRecord::OffsetCommit(key, Some(value))
    }

    #[test]
    fn a_commit_is_stored_as_kafka_stores_it() {
        let record = committed();
        let (key, value) = record.encode(4).unwrap();
        assert_eq!(key[..], *b"\0\x01\0\x05boats\0\x05river\0\0\0\x03", "type 1, then the body");
        assert_eq!(value.as_ref().unwrap()[..2], [0, 4], "version 4, then the body");
        assert_eq!(GroupRecord::decode(&key, value.as_ref()), Ok(record));
    }

    #[test]
    fn what_is_gone_has_a_key_and_no_value() {
        let GroupRecord::OffsetCommit(key, _) = committed() else { unreachable!("it is one") };
        let gone = GroupRecord::OffsetCommit(key, None);
        let (key, value) = gone.encode(4).unwrap();
        assert_eq!(value, None);
        assert_eq!(GroupRecord::decode(&key, None), Ok(gone));
    }

    // Groups of other protocols live in the same log. What they stored must outlive a coordinator that can't read it.
    #[test]
    fn a_type_from_elsewhere_is_kept_as_it_is() {
        let (key, value) = (Bytes::from_static(b"\0\x63whatever"), Some(Bytes::from_static(b"?")));
        let record = GroupRecord::decode(&key, value.as_ref()).unwrap();
        assert_eq!(record, GroupRecord::Unknown { key: key.clone(), value: value.clone() });
        assert_eq!(record.encode(record.max_version()), Ok((key, value)));
    }

    #[test]
    fn damage_is_an_error() {
        let (key, value) = committed().encode(3).unwrap();
        let longer = |bytes: &Bytes| Bytes::from([bytes, &b"!"[..]].concat());
        let read = |key: &Bytes, value: Option<&Bytes>| GroupRecord::decode(key, value).map(|_| ()).unwrap_err();
        assert_eq!(read(&Bytes::from_static(&[0]), None), DecodeError::Truncated);
        assert_eq!(read(&key.slice(..3), None), DecodeError::Truncated);
        assert_eq!(read(&longer(&key), None), DecodeError::Trailing(1));
        assert_eq!(read(&key, value.as_ref().map(longer).as_ref()), DecodeError::Trailing(1));
        assert_eq!(read(&key, Some(&Bytes::from_static(&[0, 9]))), DecodeError::UnknownVersion(9));
        assert_eq!(read(&key, Some(&Bytes::new())), DecodeError::Truncated);
    }
}
