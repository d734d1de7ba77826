//! The alphabet: what every other crate needs to say a sentence about a log.
//!
//! Numbers of different kinds are different types ([`ids`], [`time`]); bytes from a peer become values through
//! [`codec`] and [`frame`]; a record batch is looked at, verified, patched and built in [`batch`].
//! Everything here is a function of its inputs: no clock, no disk, no chance, no await.
#![forbid(unsafe_code)]

pub mod batch;
pub mod checksum;
pub mod codec;
pub mod error_code;
pub mod frame;
pub mod ids;
pub mod producers;
pub mod time;

pub use error_code::ErrorCode;
pub use ids::{
    BrokerId, LeaderEpoch, Offset, PartitionIndex, ProducerEpoch, ProducerId, TopicId, TopicPartition, Uuid,
};
pub use time::{Moment, Timestamp};
