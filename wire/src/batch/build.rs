//! Makes batches of our own: what the broker writes to its internal topics, and what tests send.

use bytes::{BufMut, Bytes};

use crate::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};

use super::header::{LENGTH_WITHOUT_RECORDS, MAGIC};
use super::{Batch, HEADER_BYTES, Header, TimestampType};

/// Gathers records into one uncompressed batch at base offset 0.
#[derive(Clone, Debug)]
pub struct Builder {
    header: Header,
    records: Vec<u8>,
    count: i32,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder::new()
    }
}

impl Builder {
    /// An empty batch of no producer, CreateTime, without a leader epoch.
    pub fn new() -> Builder {
        let mut header = Header::from_bytes([0; HEADER_BYTES]);
        header.set_base_offset(Offset::ZERO);
        header.set_leader_epoch(LeaderEpoch::NONE);
        header.set_magic(MAGIC);
        header.set_max_timestamp(Timestamp::NONE);
        header.set_producer(ProducerId::NONE, ProducerEpoch::NONE, -1);
        Builder { header, records: Vec::new(), count: 0 }
    }

    /// The batch comes from this idempotent producer; `base_sequence` is the first record's number.
    #[must_use]
    pub fn producer(mut self, id: ProducerId, epoch: ProducerEpoch, base_sequence: i32) -> Builder {
        self.header.set_producer(id, epoch, base_sequence);
        self
    }

    /// The batch belongs to its producer's open transaction.
    #[must_use]
    pub fn transactional(mut self) -> Builder {
        self.header.set_attributes(self.header.attributes() | super::header::TRANSACTIONAL);
        self
    }

    /// The batch is a marker of the cluster's own: clients don't see its record.
    #[must_use]
    pub fn control(mut self) -> Builder {
        self.header.set_attributes(self.header.attributes() | super::header::CONTROL);
        self
    }

    /// Adds a record without headers, and gives the builder on: the short way.
    #[must_use]
    pub fn record(mut self, timestamp: Timestamp, key: Option<&[u8]>, value: Option<&[u8]>) -> Builder {
        self.push(timestamp, key, value, &[]);
        self
    }

    /// Adds a record.
    ///
    /// # Panics
    /// If the batch would be longer than 2 GiB: who builds looks at [`Builder::byte_length`] in between.
    pub fn push(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&[u8], Option<&[u8]>)],
    ) {
        if self.count == 0 {
            self.header.set_base_timestamp(timestamp);
        }
        self.header.set_max_timestamp(self.header.max_timestamp().max(timestamp));
        let timestamp_delta = timestamp.millis().wrapping_sub(self.header.base_timestamp().millis());
        let fields = headers.iter().flat_map(|&(key, value)| [Some(key), value]);
        let length = 1
            + varint_length(timestamp_delta)
            + varint_length(i64::from(self.count))
            + field_length(key)
            + field_length(value)
            + varint_length(signed(headers.len()))
            + fields.clone().map(field_length).sum::<usize>();
        put_varint(&mut self.records, signed(length));
        self.records.put_u8(0); // attributes: no bit means anything yet
        put_varint(&mut self.records, timestamp_delta);
        put_varint(&mut self.records, i64::from(self.count));
        put_field(&mut self.records, key);
        put_field(&mut self.records, value);
        put_varint(&mut self.records, signed(headers.len()));
        fields.for_each(|field| put_field(&mut self.records, field));
        assert!(self.records.len() <= RECORDS_BYTES_MAX, "a batch is shorter than 2 GiB");
        self.count += 1;
    }

    /// Bytes of the batch if it were built now.
    pub fn byte_length(&self) -> usize {
        HEADER_BYTES + self.records.len()
    }

    /// How many records it holds.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// The batch, with its checksum; `None` if it got no record, since such a batch can't exist.
    pub fn build(mut self) -> Option<Batch> {
        if self.count == 0 {
            return None;
        }
        self.header.set_timestamp_type(TimestampType::CreateTime);
        self.header.set_last_offset_delta(self.count - 1);
        self.header.set_count(self.count);
        let mut batch = Batch::new(self.header, Bytes::from(self.records));
        batch.seal();
        Some(batch)
    }
}

const RECORDS_BYTES_MAX: usize = i32::MAX as usize - LENGTH_WITHOUT_RECORDS;

fn signed(length: usize) -> i64 {
    i64::try_from(length).expect("lengths in memory fit 63 bits")
}

const fn zigzag(value: i64) -> u64 {
    (value << 1).cast_unsigned() ^ (value >> 63).cast_unsigned()
}

const fn varint_length(value: i64) -> usize {
    let bits = 64 - (zigzag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

fn put_varint(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = zigzag(value);
    while rest >= 0x80 {
        bytes.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    bytes.push(rest.to_le_bytes()[0]);
}

fn field_length(field: Option<&[u8]>) -> usize {
    field.map_or(1, |field| varint_length(signed(field.len())) + field.len())
}

fn put_field(bytes: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        Some(field) => {
            put_varint(bytes, signed(field.len()));
            bytes.put_slice(field);
        }
        None => put_varint(bytes, -1),
    }
}
