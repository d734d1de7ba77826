//! The 61 bytes that open a batch, owned and patched in place.

use crate::checksum::Crc32c;
use crate::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};

/// Bytes of a batch before its first record.
pub const HEADER_BYTES: usize = 61;

/// Where `length` ends: it counts the bytes from here on.
pub(super) const LENGTH_END: usize = 12;

/// Bytes of the header that `length` counts.
pub(super) const LENGTH_WITHOUT_RECORDS: usize = HEADER_BYTES - LENGTH_END;

/// The only version of a batch since Kafka 4.0 (KIP-724).
pub(super) const MAGIC: i8 = 2;

/// Where the bytes begin that the checksum covers; base offset and leader epoch stand before it.
const CRC_COVERS_FROM: usize = 21;

pub(super) const CODEC_MASK: i16 = 0b111;
pub(super) const LOG_APPEND_TIME: i16 = 1 << 3;
pub(super) const TRANSACTIONAL: i16 = 1 << 4;
pub(super) const CONTROL: i16 = 1 << 5;

/// How the records after the header are compressed: the lowest three bits of the attributes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Codec {
    /// Not at all.
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy, in xerial's framing or raw.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard (KIP-110).
    Zstd,
}

/// Whose clock the batch's timestamps are: bit 3 of the attributes (KIP-32).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TimestampType {
    /// The producer's: each record carries its own.
    CreateTime,
    /// The leader's: every record has the batch's maximum timestamp.
    LogAppendTime,
}

/// An owned batch header: big-endian, laid out as in Kafka's `DefaultRecordBatch`.
#[derive(Clone, PartialEq, Eq)]
pub struct Header([u8; HEADER_BYTES]);

impl Header {
    /// Takes 61 bytes as a header; nothing is checked.
    pub const fn from_bytes(bytes: [u8; HEADER_BYTES]) -> Header {
        Header(bytes)
    }

    /// The bytes as they stand on disk and on the wire.
    pub const fn as_bytes(&self) -> &[u8; HEADER_BYTES] {
        &self.0
    }

    /// Offset of the first record.
    pub fn base_offset(&self) -> Offset {
        Offset(i64::from_be_bytes(self.field(0)))
    }

    /// Bytes of the batch after this field: 49 of the header, and the records. As sent: may be negative.
    pub fn length(&self) -> i32 {
        i32::from_be_bytes(self.field(8))
    }

    /// Epoch of the leader that appended the batch; -1 as it leaves a producer. Not under the checksum.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch(i32::from_be_bytes(self.field(12)))
    }

    /// Version of the layout: 2.
    pub fn magic(&self) -> i8 {
        i8::from_be_bytes(self.field(16))
    }

    /// CRC-32C of everything from the attributes to the end of the batch, as it is written here.
    pub fn crc(&self) -> u32 {
        u32::from_be_bytes(self.field(17))
    }

    /// All sixteen bits of attributes, reserved ones too.
    pub fn attributes(&self) -> i16 {
        i16::from_be_bytes(self.field(21))
    }

    /// The codec; `None` is a number that Kafka 4.3 doesn't know (5 to 7).
    pub fn codec(&self) -> Option<Codec> {
        match self.attributes() & CODEC_MASK {
            0 => Some(Codec::None),
            1 => Some(Codec::Gzip),
            2 => Some(Codec::Snappy),
            3 => Some(Codec::Lz4),
            4 => Some(Codec::Zstd),
            _ => None,
        }
    }

    /// Whose clock the timestamps are.
    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes() & LOG_APPEND_TIME == 0 { TimestampType::CreateTime } else { TimestampType::LogAppendTime }
    }

    /// Whether the batch belongs to a transaction (KIP-98).
    pub fn is_transactional(&self) -> bool {
        self.attributes() & TRANSACTIONAL != 0
    }

    /// Whether the batch is a marker of the cluster's own (end of a transaction, leader change, ...), not records.
    pub fn is_control(&self) -> bool {
        self.attributes() & CONTROL != 0
    }

    /// Offset of the last record minus the base offset. Compaction may leave it above `count - 1`.
    pub fn last_offset_delta(&self) -> i32 {
        i32::from_be_bytes(self.field(23))
    }

    /// Offset of the last record.
    pub fn last_offset(&self) -> Offset {
        // Saturating, because a batch read from a damaged disk may say anything.
        Offset(self.base_offset().0.saturating_add(i64::from(self.last_offset_delta())))
    }

    /// What the records' timestamp deltas are added to; the delete horizon when attribute bit 6 is set (KIP-534).
    pub fn base_timestamp(&self) -> Timestamp {
        Timestamp::from_millis(i64::from_be_bytes(self.field(27)))
    }

    /// The largest timestamp of the records, or the time of the append under `LogAppendTime`.
    pub fn max_timestamp(&self) -> Timestamp {
        Timestamp::from_millis(i64::from_be_bytes(self.field(35)))
    }

    /// Id of the idempotent producer; -1 is none.
    pub fn producer_id(&self) -> ProducerId {
        ProducerId(i64::from_be_bytes(self.field(43)))
    }

    /// The producer's epoch; -1 is none.
    pub fn producer_epoch(&self) -> ProducerEpoch {
        ProducerEpoch(i16::from_be_bytes(self.field(51)))
    }

    /// Sequence number of the first record; -1 is none.
    pub fn base_sequence(&self) -> i32 {
        i32::from_be_bytes(self.field(53))
    }

    /// How many records follow, as sent: may be negative.
    pub fn count(&self) -> i32 {
        i32::from_be_bytes(self.field(57))
    }

    /// Moves the batch; the checksum doesn't cover it.
    pub fn set_base_offset(&mut self, base: Offset) {
        self.set(0, base.0.to_be_bytes());
    }

    /// Sets the length after this field, in bytes; the checksum doesn't cover it.
    pub fn set_length(&mut self, length: i32) {
        self.set(8, length.to_be_bytes());
    }

    /// Names the leader's epoch; the checksum doesn't cover it.
    pub fn set_leader_epoch(&mut self, epoch: LeaderEpoch) {
        self.set(12, epoch.0.to_be_bytes());
    }

    /// Writes the version of the layout.
    pub fn set_magic(&mut self, magic: i8) {
        self.set(16, magic.to_be_bytes());
    }

    /// Writes a checksum, computed elsewhere.
    pub fn set_crc(&mut self, crc: u32) {
        self.set(17, crc.to_be_bytes());
    }

    /// Writes all sixteen attribute bits; the checksum is then out of date.
    pub fn set_attributes(&mut self, attributes: i16) {
        self.set(21, attributes.to_be_bytes());
    }

    /// Says how the records are compressed, other bits kept; the checksum is then out of date.
    pub fn set_codec(&mut self, codec: Codec) {
        let id = match codec {
            Codec::None => 0,
            Codec::Gzip => 1,
            Codec::Snappy => 2,
            Codec::Lz4 => 3,
            Codec::Zstd => 4,
        };
        self.set_attributes(self.attributes() & !CODEC_MASK | id);
    }

    /// Says whose clock the timestamps are, other bits kept; the checksum is then out of date.
    pub fn set_timestamp_type(&mut self, kind: TimestampType) {
        let attributes = match kind {
            TimestampType::CreateTime => self.attributes() & !LOG_APPEND_TIME,
            TimestampType::LogAppendTime => self.attributes() | LOG_APPEND_TIME,
        };
        self.set_attributes(attributes);
    }

    /// Sets the last record's offset delta; the checksum is then out of date.
    pub fn set_last_offset_delta(&mut self, delta: i32) {
        self.set(23, delta.to_be_bytes());
    }

    /// Sets what timestamp deltas are added to; the checksum is then out of date.
    pub fn set_base_timestamp(&mut self, timestamp: Timestamp) {
        self.set(27, timestamp.millis().to_be_bytes());
    }

    /// Sets the largest timestamp; the checksum is then out of date.
    pub fn set_max_timestamp(&mut self, timestamp: Timestamp) {
        self.set(35, timestamp.millis().to_be_bytes());
    }

    /// Names the producer and its first sequence number; the checksum is then out of date.
    pub fn set_producer(&mut self, id: ProducerId, epoch: ProducerEpoch, base_sequence: i32) {
        self.set(43, id.0.to_be_bytes());
        self.set(51, epoch.0.to_be_bytes());
        self.set(53, base_sequence.to_be_bytes());
    }

    /// Sets the number of records; the checksum is then out of date.
    pub fn set_count(&mut self, count: i32) {
        self.set(57, count.to_be_bytes());
    }

    /// The CRC-32C that a batch of this header and these records has to carry (RFC 3720, Castagnoli).
    pub fn crc_with(&self, records: &[u8]) -> u32 {
        let mut checksum = Crc32c::new();
        checksum.update(&self.0[CRC_COVERS_FROM..]);
        checksum.update(records);
        checksum.finish()
    }

    fn field<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut field = [0; N];
        field.copy_from_slice(&self.0[at..at + N]);
        field
    }

    fn set<const N: usize>(&mut self, at: usize, value: [u8; N]) {
        self.0[at..at + N].copy_from_slice(&value);
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Header")
            .field("base_offset", &self.base_offset())
            .field("length", &self.length())
            .field("leader_epoch", &self.leader_epoch())
            .field("magic", &self.magic())
            .field("crc", &format_args!("{:08x}", self.crc()))
            .field("attributes", &format_args!("{:#06x}", self.attributes()))
            .field("last_offset_delta", &self.last_offset_delta())
            .field("base_timestamp", &self.base_timestamp())
            .field("max_timestamp", &self.max_timestamp())
            .field("producer_id", &self.producer_id())
            .field("producer_epoch", &self.producer_epoch())
            .field("base_sequence", &self.base_sequence())
            .field("count", &self.count())
            .finish()
    }
}
