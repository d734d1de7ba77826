//! The records of a coordinator, in the versions in which Kafka 4.3 writes them.

use bytes::Bytes;
use thalweg_messages::group_log::GroupRecord;
use thalweg_wire::codec::EncodeError;

/// Key and value of a record as they are stored; no value: what the key names is gone.
///
/// Like Kafka 4.3: a generation in version 3, an offset in version 4, in version 1 if the client said when it expires,
/// since only that one can say so.
pub fn encode(record: &GroupRecord) -> Result<(Bytes, Option<Bytes>), EncodeError> {
    let version = match record {
        GroupRecord::GroupMetadata(..) => 3,
        GroupRecord::OffsetCommit(_, Some(value)) if value.expire_timestamp != -1 => 1,
        GroupRecord::OffsetCommit(..) => 4,
        GroupRecord::Unknown { .. } => record.max_version(),
    };
    record.encode(version)
}
