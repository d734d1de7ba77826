//! The records of `__consumer_offsets`, the log of the group coordinators: groups of every protocol and their committed
//! offsets.

pub use crate::generated::group_log::*;
pub use crate::keyed::type_of;

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use thalweg_wire::codec::DecodeError;
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
