//! How a producer writes, and what can't be.

use std::fmt;
use std::time::Duration;

use thalweg_wire::batch::{Compression, HEADER_BYTES};

use super::queues::Fields;

/// How a producer writes.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who has to have a record before it counts as there. `acks`.
    pub acks: Acks,
    /// Whether what is sent again is stored once; needs [`Acks::All`]. `enable.idempotence`.
    pub is_idempotent: bool,
    /// How long a batch waits for more records. `linger.ms`.
    pub linger: Duration,
    /// A batch with so many bytes goes at once. `batch.size`, larger than Java's 16 KiB.
    pub batch_bytes: usize,
    /// The longest record, and about the longest request, in bytes. `max.request.size`.
    pub request_bytes_max: usize,
    /// Memory for records that are not there yet; past it [`Producer::send`](super::Producer::send) waits. `buffer.memory`.
    pub buffer_bytes: usize,
    /// How long it waits, for memory and to learn of a topic. `max.block.ms`.
    pub max_block: Duration,
    /// How long a record is tried; then its delivery ends, also while it is on its way. So it may be shorter than an answer
    /// may take: then nothing is sent again. `delivery.timeout.ms`.
    pub delivery_timeout: Duration,
    /// Requests to one broker that are not answered; of one partition, too. `max.in.flight.requests.per.connection`.
    pub in_flight_max: usize,
    /// `compression.type`.
    pub compression: Compression,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            acks: Acks::All,
            is_idempotent: true,
            linger: Duration::from_millis(5),
            batch_bytes: 256 << 10,
            request_bytes_max: 1 << 20,
            buffer_bytes: 32 << 20,
            max_block: Duration::from_secs(60),
            delivery_timeout: Duration::from_secs(120),
            in_flight_max: IN_FLIGHT_MAX,
            compression: Compression::None,
        }
    }
}

/// A broker remembers five batches of a producer: more on their way could not be told apart.
const IN_FLIGHT_MAX: usize = 5;

/// A request takes batches until it has so many bytes, and one more: two of the longest, and all names, fit into a frame.
const REQUEST_BYTES_MAX: usize = 512 << 20;

/// An option that can't be, or not with the others: nothing was begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidOptions {
    /// Kafka's name of it.
    pub option: &'static str,
    /// Why it can't be.
    pub reason: &'static str,
}

impl fmt::Display for InvalidOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.option, self.reason)
    }
}

impl std::error::Error for InvalidOptions {}

impl Options {
    /// Whether they can be, all together.
    pub(super) fn check(&self) -> Result<(), InvalidOptions> {
        let shortest = HEADER_BYTES + Fields::EMPTY.bytes();
        let wrong = [
            (self.is_idempotent && self.acks != Acks::All, "acks", "an idempotent producer needs acks=all"),
            (self.in_flight_max == 0, IN_FLIGHT, "nothing could be sent"),
            (
                self.is_idempotent && self.in_flight_max > IN_FLIGHT_MAX,
                IN_FLIGHT,
                "a broker remembers five batches of an idempotent producer, and tells no more apart",
            ),
            (self.request_bytes_max < shortest, "max.request.size", "no record fits"),
            (self.request_bytes_max > REQUEST_BYTES_MAX, "max.request.size", "a request takes 512 MiB at most"),
            (self.buffer_bytes < shortest, "buffer.memory", "no record fits"),
            (self.delivery_timeout <= self.linger, "delivery.timeout.ms", "it is over when linger.ms is"),
            (!has_level(self.compression), "compression.type", "the codec has no such level"),
        ];
        let found = wrong.into_iter().find(|(is_wrong, ..)| *is_wrong);
        found.map_or(Ok(()), |(_, option, reason)| Err(InvalidOptions { option, reason }))
    }
}

const IN_FLIGHT: &str = "max.in.flight.requests.per.connection";

fn has_level(compression: Compression) -> bool {
    match compression {
        Compression::Gzip(Some(level)) => (1..=9).contains(&level),
        Compression::Zstd(level) => (-131_072..=22).contains(&level),
        Compression::None | Compression::Gzip(None) | Compression::Snappy | Compression::Lz4 => true,
    }
}

/// Who has to have a record before it counts as there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acks {
    /// Nobody: it counts as there, and its memory is free, when the socket has it. It has no offset.
    None,
    /// The leader.
    Leader,
    /// All replicas that are in sync.
    All,
}

impl Acks {
    pub(super) const fn code(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_named_and_what_doesnt_is_taken() {
        let can_be = [
            Options::default(),
            Options { acks: Acks::None, is_idempotent: false, in_flight_max: 100, ..Options::default() },
            Options { linger: Duration::ZERO, batch_bytes: 0, in_flight_max: 1, ..Options::default() },
            Options { request_bytes_max: 200, buffer_bytes: 200, ..Options::default() },
            Options { compression: Compression::Zstd(-131_072), ..Options::default() },
        ];
        for options in can_be {
            assert_eq!(options.check(), Ok(()), "{options:?}");
        }
        let wrong = [
            ("acks", Options { acks: Acks::Leader, ..Options::default() }),
            (IN_FLIGHT, Options { in_flight_max: 6, ..Options::default() }),
            (IN_FLIGHT, Options { in_flight_max: 0, is_idempotent: false, ..Options::default() }),
            ("max.request.size", Options { request_bytes_max: 60, ..Options::default() }),
            ("max.request.size", Options { request_bytes_max: usize::MAX, ..Options::default() }),
            ("buffer.memory", Options { buffer_bytes: 0, ..Options::default() }),
            ("delivery.timeout.ms", Options { linger: Duration::from_secs(120), ..Options::default() }),
            ("compression.type", Options { compression: Compression::Gzip(Some(0)), ..Options::default() }),
            ("compression.type", Options { compression: Compression::Zstd(23), ..Options::default() }),
        ];
        for (option, options) in wrong {
            assert_eq!(options.check().map_err(|error| error.option), Err(option), "{options:?}");
        }
    }
}
