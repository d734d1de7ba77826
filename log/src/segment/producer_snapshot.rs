//! `<offset>.snapshot`: what Kafka keeps of the producers of a partition, so that a restart need not read all records.
//!
//! The offset in the name is that up to which it was taken, exclusive. Big-endian: version 1 (i16), CRC-32C of all that
//! follows it (u32), the number of producers (i32), then 46 bytes for each (Kafka's `ProducerStateManager`). Only the last
//! batch of a producer is in it.

use std::fmt;

use thalweg_wire::checksum::crc32c;
use thalweg_wire::{Offset, ProducerEpoch, ProducerId, Timestamp};

const VERSION: i16 = 1;

/// Where the checksum ends and what it covers begins.
const CRC_END: usize = 6;

/// Where the first producer stands.
const HEAD_BYTES: usize = 10;

const ENTRY_BYTES: usize = 46;

/// What is kept of one producer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProducerEntry {
    /// Its id.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// The sequence number of its last record; -1 after a marker.
    pub last_sequence: i32,
    /// The offset of its last record; -1 if only a marker is known.
    pub last_offset: Offset,
    /// The offset of its last batch's last record less that of the first.
    pub offset_delta: i32,
    /// The largest timestamp of its last batch.
    pub timestamp: Timestamp,
    /// The epoch of the coordinator that wrote its last marker; -1 is none.
    pub coordinator_epoch: i32,
    /// Where its open transaction begins; `None` if none is open.
    pub transaction_start: Option<Offset>,
}

/// Why a snapshot can't be used. An older one can be, or none: the records say it all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unusable {
    /// Another layout.
    Version(i16),
    /// The bytes are not those that were written.
    Crc,
    /// The number of producers doesn't fit the number of bytes.
    Length,
}

/// The file's bytes.
///
/// # Panics
/// For more producers than 31 bits count.
pub fn encode(producers: &[ProducerEntry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + ENTRY_BYTES * producers.len());
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&[0; CRC_END - 2]);
    let count = i32::try_from(producers.len()).expect("fewer than 2^31 producers");
    bytes.extend_from_slice(&count.to_be_bytes());
    for producer in producers {
        bytes.extend_from_slice(&producer.id.0.to_be_bytes());
        bytes.extend_from_slice(&producer.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&producer.last_sequence.to_be_bytes());
        bytes.extend_from_slice(&producer.last_offset.0.to_be_bytes());
        bytes.extend_from_slice(&producer.offset_delta.to_be_bytes());
        bytes.extend_from_slice(&producer.timestamp.millis().to_be_bytes());
        bytes.extend_from_slice(&producer.coordinator_epoch.to_be_bytes());
        bytes.extend_from_slice(&producer.transaction_start.map_or(-1, |start| start.0).to_be_bytes());
    }
    let crc = crc32c(&bytes[CRC_END..]);
    bytes[2..CRC_END].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// Reads the file's bytes.
///
/// # Errors
/// [`Unusable`].
pub fn decode(bytes: &[u8]) -> Result<Vec<ProducerEntry>, Unusable> {
    let Some((head, entries)) = bytes.split_at_checked(HEAD_BYTES) else { return Err(Unusable::Length) };
    let version = i16::from_be_bytes(field(head, 0));
    if version != VERSION {
        return Err(Unusable::Version(version));
    }
    if crc32c(&bytes[CRC_END..]) != u32::from_be_bytes(field(head, 2)) {
        return Err(Unusable::Crc);
    }
    let count = usize::try_from(i32::from_be_bytes(field(head, CRC_END))).map_err(|_| Unusable::Length)?;
    if count.checked_mul(ENTRY_BYTES) != Some(entries.len()) {
        return Err(Unusable::Length);
    }
    Ok(entries.chunks_exact(ENTRY_BYTES).map(entry).collect())
}

/// Where the entry of a number stands in the file, in bytes.
pub fn position(number: usize) -> u64 {
    (HEAD_BYTES + number * ENTRY_BYTES) as u64
}

fn entry(bytes: &[u8]) -> ProducerEntry {
    ProducerEntry {
        id: ProducerId(i64::from_be_bytes(field(bytes, 0))),
        epoch: ProducerEpoch(i16::from_be_bytes(field(bytes, 8))),
        last_sequence: i32::from_be_bytes(field(bytes, 10)),
        last_offset: Offset(i64::from_be_bytes(field(bytes, 14))),
        offset_delta: i32::from_be_bytes(field(bytes, 22)),
        timestamp: Timestamp::from_millis(i64::from_be_bytes(field(bytes, 26))),
        coordinator_epoch: i32::from_be_bytes(field(bytes, 34)),
        transaction_start: Some(Offset(i64::from_be_bytes(field(bytes, 38)))).filter(|start| *start >= Offset::ZERO),
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::Version(version) => write!(f, "a snapshot of producers of version {version}"),
            Unusable::Crc => f.write_str("the checksum doesn't fit"),
            Unusable::Length => f.write_str("the length doesn't fit the number of producers"),
        }
    }
}

impl std::error::Error for Unusable {}

#[cfg(test)]
mod tests {
    use super::*;

    fn producer(id: i64, transaction_start: Option<i64>) -> ProducerEntry {
        ProducerEntry {
            id: ProducerId(id),
            epoch: ProducerEpoch(3),
            last_sequence: i32::MAX,
            last_offset: Offset(1 << 40),
            offset_delta: 4,
            timestamp: Timestamp::from_millis(-1),
            coordinator_epoch: -1,
            transaction_start: transaction_start.map(Offset),
        }
    }

    #[test]
    fn a_snapshot_reads_back_and_any_flipped_bit_is_seen() {
        let producers = vec![producer(2002, None), producer(7, Some(0)), producer(i64::MAX, Some(46))];
        let bytes = encode(&producers);
        assert_eq!(bytes.len(), 10 + 3 * 46);
        assert_eq!(decode(&bytes), Ok(producers));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&damaged).is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    /// What real Kafka writes for a partition without producers.
    #[test]
    fn an_empty_snapshot_is_ten_bytes() {
        let bytes = encode(&[]);
        assert_eq!((bytes.len(), &bytes[..2], &bytes[6..]), (10, &[0, 1][..], &[0; 4][..]));
        let mut huge = bytes;
        huge[6..].copy_from_slice(&i32::MAX.to_be_bytes());
        let crc = crc32c(&huge[6..]);
        huge[2..6].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(decode(&huge), Err(Unusable::Length), "no memory is taken for what isn't there");
    }
}
