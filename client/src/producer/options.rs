//! How a producer writes.

use std::time::Duration;

use thalweg_wire::batch::Compression;

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
    /// How long a record is tried; then its delivery ends, also while it is on its way. `delivery.timeout.ms`.
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
pub(super) const IN_FLIGHT_MAX: usize = 5;

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
