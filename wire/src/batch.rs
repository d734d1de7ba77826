//! The record batch, version 2 (KIP-98): looked at, verified, patched, built and compressed, without touching shared bytes.
//!
//! A batch is 61 bytes of header and then its records. The leader rewrites the header (base offset, leader epoch,
//! sometimes timestamps) and not the records, so a [`Batch`] owns its header and shares its records. Only a topic that is
//! stored in another codec than the producer's gets its records anew.

mod batches;
mod build;
mod compression;
mod header;
#[cfg(test)]
mod oracle;
mod record;
mod refusal;
mod stored;
mod verify;

use bytes::{BufMut, Bytes, BytesMut};

pub use batches::{Batches, Corruption, Unreadable};
pub use build::Builder;
pub use compression::{Compression, Damage, Scratch, compress, decompressed_bytes_max};
pub use header::{Codec, HEADER_BYTES, Header, TimestampType};
pub use record::{HeaderFields, Malformed, Record, Records, Times};
pub use refusal::{BatchError, Invalid, RECORD_ERRORS_MAX, RecordError, RecordFault};
pub use stored::look_through;
pub use verify::{Codecs, Compaction, Rules, Verified, verify};

use crate::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};

/// A whole batch: its own header and shared records. The header's length always covers exactly the records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    header: Header,
    records: Bytes,
}

impl Batch {
    /// Puts a header before its records; the length is set to fit, the checksum is left as it is.
    ///
    /// # Panics
    /// If the records are longer than a batch can say (2 GiB): the caller made them.
    pub fn new(mut header: Header, records: Bytes) -> Batch {
        let length = header::LENGTH_WITHOUT_RECORDS + records.len();
        header.set_length(i32::try_from(length).expect("a batch is shorter than 2 GiB"));
        Batch { header, records }
    }

    /// The first batch of `bytes`, which may go on after it; the records share their memory. The checksum is not
    /// looked at: that is [`Batch::check`].
    ///
    /// # Errors
    /// [`Unreadable`], also when there are no bytes at all.
    pub fn parse(bytes: &Bytes) -> Result<Batch, Unreadable> {
        let length = batches::measure(bytes)?;
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(&bytes[..HEADER_BYTES]);
        Ok(Batch { header: Header::from_bytes(header), records: bytes.slice(HEADER_BYTES..length) })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What follows the header: records, or one compressed block of them.
    pub fn records(&self) -> &Bytes {
        &self.records
    }

    /// Offset of the first record.
    pub fn base_offset(&self) -> Offset {
        self.header.base_offset()
    }

    /// Offset of the last record.
    pub fn last_offset(&self) -> Offset {
        self.header.last_offset()
    }

    /// The offset that the next batch of a log begins at.
    pub fn next_offset(&self) -> Offset {
        Offset(self.last_offset().0.saturating_add(1))
    }

    /// Bytes of header and records together.
    pub fn byte_length(&self) -> usize {
        HEADER_BYTES + self.records.len()
    }

    /// Gives the batch its place in a log. Both numbers stand outside the checksum, so nothing is computed.
    pub fn place(&mut self, base: Offset, epoch: LeaderEpoch) {
        self.header.set_base_offset(base);
        self.header.set_leader_epoch(epoch);
    }

    /// Gives the batch the number of an idempotent producer, and a checksum over it (KIP-98).
    pub fn number(&mut self, id: ProducerId, epoch: ProducerEpoch, base_sequence: i32) {
        self.header.set_producer(id, epoch, base_sequence);
        self.seal();
    }

    /// Says whose clock the timestamps are and which is the largest. The checksum, which covers both, is computed again
    /// only if one of them changes.
    pub fn settle_timestamps(&mut self, kind: TimestampType, max: Timestamp) {
        if self.header.timestamp_type() != kind || self.header.max_timestamp() != max {
            self.header.set_timestamp_type(kind);
            self.header.set_max_timestamp(max);
            self.seal();
        }
    }

    /// The same batch with its records, which are uncompressed now, in another codec. Everything else of the header stays.
    ///
    /// # Panics
    /// If the batch is compressed: [`Batch::decompressed`] comes first.
    #[must_use]
    pub fn compressed(&self, how: Compression) -> Batch {
        assert!(self.header.codec() == Some(Codec::None), "a batch is compressed once");
        self.recoded(how.codec(), compress(&self.records, how).into())
    }

    /// The same batch uncompressed, for who reads it whole: the records are in memory, all of them, at most
    /// [`decompressed_bytes_max`]. Who only walks over them takes [`Times`], or [`verify`].
    ///
    /// # Errors
    /// [`Damage`]; a codec that Kafka doesn't have counts as garbled.
    pub fn decompressed(&self, scratch: &mut Scratch) -> Result<Batch, Damage> {
        let codec = self.header.codec().ok_or(Damage::Garbled)?;
        if codec == Codec::None {
            return Ok(self.clone());
        }
        let mut stream = scratch.open(codec, &self.records);
        let mut records = Vec::new();
        while let Some(chunk) = stream.next_chunk() {
            records.extend_from_slice(chunk);
        }
        stream.damage().map_or_else(|| Ok(self.recoded(Codec::None, records.into())), Err)
    }

    fn recoded(&self, codec: Codec, records: Bytes) -> Batch {
        let mut batch = Batch::new(self.header.clone(), records);
        batch.header.set_codec(codec);
        batch.seal();
        batch
    }

    /// The two pieces of a vectored write, in order.
    pub fn parts(&self) -> [&[u8]; 2] {
        [self.header.as_bytes(), &self.records]
    }

    /// One contiguous copy; hot paths write [`Batch::parts`] instead.
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.byte_length());
        self.parts().into_iter().for_each(|part| bytes.put_slice(part));
        bytes.freeze()
    }

    /// Whether the checksum agrees with the bytes that it covers.
    ///
    /// # Errors
    /// [`Corruption::Crc`] if it doesn't.
    pub fn check(&self) -> Result<(), Corruption> {
        let computed = self.header.crc_with(&self.records);
        if computed == self.header.crc() {
            Ok(())
        } else {
            Err(Corruption::Crc { stored: self.header.crc(), computed })
        }
    }

    /// Writes the checksum that fits. Only who changed something under it has a reason to.
    fn seal(&mut self) {
        let crc = self.header.crc_with(&self.records);
        self.header.set_crc(crc);
    }
}
