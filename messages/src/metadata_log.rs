//! The records of the metadata log, and the frame that each stands in: three unsigned varints (frame version 1, record
//! type, version), then the body. Kafka's `__cluster_metadata` has the same.

pub use crate::generated::metadata_log::*;

use bytes::Bytes;
use thalweg_wire::codec::{DecodeError, Decoder, EncodeError, Encoder};

/// The version of the frame, the only one there is.
const FRAME_VERSION: u32 = 1;

/// The type of a framed record, whose body is not looked at.
pub fn type_of(bytes: &Bytes) -> Result<i16, DecodeError> {
    type_and_version(&mut Decoder::new(bytes)).map(|(record_type, _)| record_type)
}

fn type_and_version(from: &mut Decoder<'_>) -> Result<(i16, i16), DecodeError> {
    let frame = from.uvarint()?;
    if frame != FRAME_VERSION {
        return Err(DecodeError::UnknownFrame(frame));
    }
    // Neither number is ever above an int16. One that is names no type and no version.
    let [record_type, version] = [from.uvarint()?, from.uvarint()?].map(|n| i16::try_from(n).unwrap_or(i16::MAX));
    Ok((record_type, version))
}

impl MetadataRecord {
    /// Reads one framed record, all of `bytes`, and answers it with the version that it was written in.
    ///
    /// A type, version or frame that we don't know is an error: a log is never read past what isn't understood.
    pub fn decode(bytes: &Bytes) -> Result<(MetadataRecord, i16), DecodeError> {
        let mut from = Decoder::new(bytes);
        let (record_type, version) = type_and_version(&mut from)?;
        let record = MetadataRecord::decode_body(&mut from, record_type, version)?;
        match from.remaining() {
            0 => Ok((record, version)),
            rest => Err(DecodeError::Trailing(rest)),
        }
    }

    /// The framed record at `version`; [`MetadataRecord::max_version`] can say everything.
    pub fn encode(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut into = Encoder::new();
        let numbers = [self.record_type(), version].map(u32::try_from);
        let [Ok(record_type), Ok(unsigned)] = numbers else { return Err(EncodeError::UnknownVersion(version)) };
        into.uvarint(FRAME_VERSION);
        into.uvarint(record_type);
        into.uvarint(unsigned);
        self.encode_body(&mut into, version)?;
        Ok(into.finish().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::{BrokerId, Uuid};

    #[test]
    fn our_own_record_stands_in_the_same_frame_as_kafkas() {
        let record = MetadataRecord::from(BrokerRegistered {
            broker_id: BrokerId(1),
            broker_epoch: 5,
            incarnation_id: Uuid([7; 16]),
            directory_ids: vec![Uuid([9; 16])],
            clean_shutdown: true,
            ..BrokerRegistered::default()
        });
        let framed = record.encode(record.max_version()).unwrap();
        assert_eq!(framed[..4], [1, 0x91, 0x4e, 0], "frame 1, type 10001, version 0");
        assert_eq!(framed.len(), 4 + 4 + 8 + 16 + (1 + 16) + 1 + 1);
        assert_eq!(MetadataRecord::decode(&framed), Ok((record, 0)));
    }

    // The metadata log is one history. Skipping a record that isn't understood would fork it.
    #[test]
    fn what_is_not_understood_is_never_skipped() {
        let read = |bytes: &'static [u8]| MetadataRecord::decode(&Bytes::from_static(bytes)).map(|_| ());
        assert_eq!(read(&[1, 20, 0, 0]), Ok(()), "a NoOpRecord");
        assert_eq!(read(&[2, 20, 0, 0]), Err(DecodeError::UnknownFrame(2)));
        assert_eq!(read(&[1, 99, 0, 0]), Err(DecodeError::UnknownRecord(99)));
        assert_eq!(read(&[1, 0x80, 0x80, 0x7c, 0, 0]), Err(DecodeError::UnknownRecord(i16::MAX)));
        assert_eq!(read(&[1, 20, 1, 0]), Err(DecodeError::UnknownVersion(1)));
        assert_eq!(read(&[1, 20, 0, 0, 0]), Err(DecodeError::Trailing(1)));
        assert_eq!(read(&[1, 20, 0]), Err(DecodeError::Truncated));
    }

    #[test]
    fn a_version_that_can_not_say_it_refuses_to() {
        let record = PartitionRecord { directories: vec![Uuid([1; 16])], ..PartitionRecord::default() };
        let refused = MetadataRecord::from(record.clone()).encode(0);
        assert_eq!(refused, Err(EncodeError::NotInVersion { field: "directories", version: 0 }));
        assert!(MetadataRecord::from(record).encode(1).is_ok());
    }
}
