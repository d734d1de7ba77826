//! `producer-window`: the last five batches of each producer of a partition, up to an offset.
//!
//! A file of ours beside Kafka's, which minds it not. Kafka's snapshot has the last batch of each producer only, so after a
//! crash a repetition of an earlier one would be refused; and it is written at a roll, so all of a segment would have to be
//! read again. This one is written as the log goes on, and says by which batch it can be known to be of this log.
//!
//! Big-endian: version 1 (i16), CRC-32C of all that follows it (u32), the offset up to which it was taken, exclusive (i64),
//! the CRC-32C of the batch that ends there, as its header has it (u32, 0 at the beginning of a log), the number of
//! producers (i32). For each producer: id (i64), epoch (i16), the epoch of its last marker's coordinator (i32), where its
//! open transaction begins (i64, -1 is none), the number of batches (u8), and for each batch, the oldest first: last
//! sequence number (i32), last offset (i64), last offset less the first (i32), largest timestamp (i64).

use bytes::Buf;
use thalweg_wire::checksum::crc32c;
use thalweg_wire::producers::{PRODUCERS_MAX, Producer, Producers, Span, WINDOW};
use thalweg_wire::{Offset, ProducerEpoch, ProducerId, Timestamp};

/// Its name in a partition's folder.
pub const PRODUCER_WINDOW: &str = "producer-window";

const VERSION: i16 = 1;

/// Where the checksum ends and what it covers begins.
const CRC_END: usize = 6;

const HEAD_BYTES: usize = CRC_END + 8 + 4 + 4;
const PRODUCER_BYTES: usize = 8 + 2 + 4 + 8 + 1;
const SPAN_BYTES: usize = 4 + 8 + 4 + 8;

/// The longest such file, in bytes.
pub const FILE_BYTES_MAX: usize = HEAD_BYTES + PRODUCERS_MAX * (PRODUCER_BYTES + WINDOW * SPAN_BYTES);

/// The producers of a log up to an offset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProducerWindow {
    /// Batches below are in it.
    pub end: Offset,
    /// The checksum of the batch that ends there; 0 if there is none.
    pub last_crc: u32,
    /// The producers.
    pub producers: Producers,
}

impl ProducerWindow {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.producers.len() * (PRODUCER_BYTES + WINDOW * SPAN_BYTES));
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&[0; CRC_END - 2]);
        bytes.extend_from_slice(&self.end.0.to_be_bytes());
        bytes.extend_from_slice(&self.last_crc.to_be_bytes());
        // At most PRODUCERS_MAX, and WINDOW batches of each.
        bytes.extend_from_slice(&(self.producers.len() as i32).to_be_bytes());
        for (id, producer) in self.producers.iter() {
            bytes.extend_from_slice(&id.0.to_be_bytes());
            bytes.extend_from_slice(&producer.epoch.0.to_be_bytes());
            bytes.extend_from_slice(&producer.coordinator_epoch.to_be_bytes());
            bytes.extend_from_slice(&producer.transaction_start.map_or(-1, |start| start.0).to_be_bytes());
            bytes.push(producer.spans().len() as u8);
            for span in producer.spans() {
                bytes.extend_from_slice(&span.last_sequence.to_be_bytes());
                bytes.extend_from_slice(&span.last_offset.0.to_be_bytes());
                bytes.extend_from_slice(&span.offset_delta.to_be_bytes());
                bytes.extend_from_slice(&span.timestamp.millis().to_be_bytes());
            }
        }
        let crc = crc32c(&bytes[CRC_END..]);
        bytes[2..CRC_END].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    /// Reads the file's bytes; `None` if they are not whole, or not ours: the records say it all.
    pub fn decode(bytes: &[u8]) -> Option<ProducerWindow> {
        let mut rest = bytes;
        let (version, crc) = (rest.try_get_i16().ok()?, rest.try_get_u32().ok()?);
        if version != VERSION || crc != crc32c(rest) {
            return None;
        }
        let end = Offset(rest.try_get_i64().ok()?);
        let last_crc = rest.try_get_u32().ok()?;
        let count = rest.try_get_i32().ok()?;
        let mut producers = Producers::default();
        for _ in 0..count {
            let id = ProducerId(rest.try_get_i64().ok()?);
            let mut producer = Producer::new(ProducerEpoch(rest.try_get_i16().ok()?));
            producer.coordinator_epoch = rest.try_get_i32().ok()?;
            producer.transaction_start = Some(Offset(rest.try_get_i64().ok()?)).filter(|start| *start >= Offset::ZERO);
            for _ in 0..rest.try_get_u8().ok()? {
                producer.push(Span {
                    last_sequence: rest.try_get_i32().ok()?,
                    last_offset: Offset(rest.try_get_i64().ok()?),
                    offset_delta: rest.try_get_i32().ok()?,
                    timestamp: Timestamp::from_millis(rest.try_get_i64().ok()?),
                });
            }
            producers.insert(id, producer);
        }
        rest.is_empty().then_some(ProducerWindow { end, last_crc, producers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> ProducerWindow {
        let mut producers = Producers::default();
        for id in [4, i64::MAX] {
            let mut producer = Producer::new(ProducerEpoch(3));
            for number in 0..id.min(7) as i32 {
                let timestamp = Timestamp::from_millis(-1);
                let last_offset = Offset(i64::from(number) << 33);
                producer.push(Span { last_sequence: i32::MAX - number, last_offset, offset_delta: 4, timestamp });
            }
            producer.transaction_start = (id == 4).then_some(Offset(0));
            producers.insert(ProducerId(id), producer);
        }
        ProducerWindow { end: Offset(1 << 40), last_crc: 0xdead_beef, producers }
    }

    #[test]
    fn a_window_reads_back_and_any_flipped_bit_is_seen() {
        let bytes = window().encode();
        assert_eq!(bytes.len(), HEAD_BYTES + 2 * PRODUCER_BYTES + (4 + 5) * SPAN_BYTES);
        assert_eq!(ProducerWindow::decode(&bytes), Some(window()));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(ProducerWindow::decode(&damaged), None, "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert_eq!(ProducerWindow::decode(&bytes[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn a_log_that_has_no_producers_has_a_small_one() {
        let empty = ProducerWindow { end: Offset(9), last_crc: 1, producers: Producers::default() };
        assert_eq!(empty.encode().len(), HEAD_BYTES);
        assert_eq!(ProducerWindow::decode(&empty.encode()), Some(empty));
    }
}
