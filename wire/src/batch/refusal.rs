//! Why a producer's batch is refused, and what each reason is called on the wire.

use std::fmt;

use crate::{ErrorCode, Offset};

use super::record::Malformed;
use super::{Codec, Corruption, Damage};

/// Why a batch is refused: what its sender can do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BatchError {
    /// The bytes were damaged on their way: send them again.
    Corrupt(Corruption),
    /// Whoever built the batch has a bug: never send it again.
    Invalid(Invalid),
    /// Some records break the topic's rules, in order: leave these out. At most [`RECORD_ERRORS_MAX`].
    Records(Vec<RecordError>),
    /// Larger than `max.message.bytes`, as it came or in the topic's codec: send fewer records at once. Both in bytes.
    TooLarge {
        /// The batch; one that had to be built anew was given up at this length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Larger than `segment.bytes`: the topic is set up badly for such batches. Both in bytes.
    LargerThanSegment {
        /// The batch.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Use another codec, or a later version of Produce.
    UnsupportedCompression(Codec),
}

/// What is wrong with a batch as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Invalid {
    /// No whole batch is there.
    NoBatch,
    /// A produce request carries one batch per partition (since Produce v3).
    ManyBatches,
    /// A message set from before KIP-98.
    OldMagic(i8),
    /// Only the leader gives offsets.
    BaseOffset(Offset),
    /// Count and last offset delta don't agree on a positive number of records.
    Count {
        /// As the header counts.
        count: i32,
        /// As the header has it.
        last_offset_delta: i32,
    },
    /// Markers are written by the cluster alone.
    Control,
    /// A producer id needs a sequence number.
    Sequence(i32),
    /// A codec that Kafka doesn't have (5 to 7).
    Codec(i16),
    /// The records don't decompress.
    Compressed(Codec, Damage),
    /// A record breaks the layout.
    Record {
        /// Its place in the batch, from 0.
        index: i32,
        /// How.
        malformed: Malformed,
    },
    /// Offset deltas have to be 0, 1, 2, ...: a reader finds records by them.
    OffsetDelta {
        /// The record's place in the batch, from 0.
        index: i32,
        /// What stands there.
        delta: i32,
    },
    /// More bytes follow the last record.
    LeftOver,
}

/// A record that a batch is refused for, as Produce v8 and later answers it (KIP-467).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordError {
    /// The record's place in the batch, from 0.
    pub index: i32,
    /// What is wrong with it.
    pub fault: RecordFault,
}

/// Records that are named in one refusal: enough to see what is wrong. A compressed batch of a few kilobytes could have
/// millions of bad ones.
pub const RECORD_ERRORS_MAX: usize = 4096;

/// Which of the topic's rules a record breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordFault {
    /// A compacted topic takes no record without a key.
    NoKey,
    /// Its time lies too far from the broker's.
    Timestamp,
}

impl BatchError {
    /// What Produce answers.
    pub fn code(&self) -> ErrorCode {
        match self {
            BatchError::Corrupt(_) => ErrorCode::CorruptMessage,
            BatchError::Invalid(_) => ErrorCode::InvalidRecord,
            BatchError::Records(errors) if errors.iter().any(|error| error.fault == RecordFault::Timestamp) => {
                ErrorCode::InvalidTimestamp
            }
            BatchError::Records(_) => ErrorCode::InvalidRecord,
            BatchError::TooLarge { .. } => ErrorCode::MessageTooLarge,
            BatchError::LargerThanSegment { .. } => ErrorCode::RecordListTooLarge,
            BatchError::UnsupportedCompression(_) => ErrorCode::UnsupportedCompressionType,
        }
    }

    /// The records that are to blame, if it isn't the batch as a whole.
    pub fn record_errors(&self) -> &[RecordError] {
        match self {
            BatchError::Records(errors) => errors,
            _ => &[],
        }
    }
}

impl RecordFault {
    /// A sentence for the sender.
    pub const fn message(self) -> &'static str {
        match self {
            RecordFault::NoKey => "A compacted topic takes no record without a key.",
            RecordFault::Timestamp => "The timestamp lies outside the topic's limits around the broker's clock.",
        }
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchError::Corrupt(corruption) => corruption.fmt(f),
            BatchError::Invalid(invalid) => invalid.fmt(f),
            BatchError::Records(errors) => {
                let or_more = if errors.len() < RECORD_ERRORS_MAX { "" } else { " or more" };
                write!(f, "{}{or_more} records break the topic's rules", errors.len())?;
                errors.first().map_or(Ok(()), |first| write!(f, ", first {}: {}", first.index, first.fault.message()))
            }
            BatchError::TooLarge { bytes, limit } => {
                write!(f, "the batch has {bytes} bytes, max.message.bytes is {limit}")
            }
            BatchError::LargerThanSegment { bytes, limit } => {
                write!(f, "the batch has {bytes} bytes, segment.bytes is {limit}")
            }
            BatchError::UnsupportedCompression(codec) => {
                write!(f, "this version of Produce doesn't know compression by {codec:?}")
            }
        }
    }
}

impl std::error::Error for BatchError {}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Invalid::NoBatch => f.write_str("no whole batch is there"),
            Invalid::ManyBatches => f.write_str("one batch per partition and request"),
            Invalid::OldMagic(magic) => write!(f, "message format {magic} is no longer taken"),
            Invalid::BaseOffset(offset) => write!(f, "the base offset has to be 0, not {offset}"),
            Invalid::Count { count, last_offset_delta } => {
                write!(f, "a count of {count} doesn't go with a last offset delta of {last_offset_delta}")
            }
            Invalid::Control => f.write_str("clients don't write control batches"),
            Invalid::Sequence(sequence) => write!(f, "a producer id needs a sequence number, not {sequence}"),
            Invalid::Codec(codec) => write!(f, "there is no codec {codec}"),
            Invalid::Compressed(codec, damage) => write!(f, "what {codec:?} compressed can't be read: {damage}"),
            Invalid::Record { index, malformed } => write!(f, "record {index}: {malformed}"),
            Invalid::OffsetDelta { index, delta } => write!(f, "record {index} has offset delta {delta}"),
            Invalid::LeftOver => f.write_str("bytes are left over behind the last record"),
        }
    }
}
