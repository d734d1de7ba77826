//! Reads records of partitions that a program names: from where it says, as far as it likes.
//!
//! The consumer asks ahead, for every partition that has room, and [`Consumer::poll`] gives what came, a piece of one
//! partition at a time. What fails and may work the next time is tried again, with a growing pause, without a word.
//!
//! ```no_run
//! # async fn example(client: thalweg_client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use thalweg_client::{Consumer, Start, consumer};
//!
//! let consumer = Consumer::new(client, consumer::Options::default());
//! consumer.assign([("greetings", 0, Start::Earliest), ("greetings", 1, Start::Latest)]);
//! for record in consumer.poll().await?.iter() {
//!     println!("{}: {:?}", record.offset, record.value);
//! }
//! # Ok(())
//! # }
//! ```

mod driver;
mod positions;
mod records;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thalweg_wire::batch::Scratch;
use thalweg_wire::{ErrorCode, Offset, PartitionIndex};
use tokio::sync::{Notify, watch};

use crate::cluster::Client;
use crate::offsets::{Isolation, Start};
use driver::Driver;
pub(crate) use positions::Taken;
use positions::{Positions, Ticket};
pub use records::{ConsumedRecord, Damaged, Records};
use records::{Piece, Rest};

/// How a consumer reads.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether records of open and aborted transactions are read. `isolation.level`.
    pub isolation: Isolation,
    /// What happens where an offset is not there any more, or not yet. `auto.offset.reset`.
    pub reset: Reset,
    /// An answer waits until there are so many bytes ... `fetch.min.bytes`.
    pub min_bytes: usize,
    /// ... or for so long. `fetch.max.wait.ms`.
    pub max_wait: Duration,
    /// About the most bytes in one answer. `fetch.max.bytes`.
    pub max_bytes: usize,
    /// About the most bytes of one partition in it. `max.partition.fetch.bytes`.
    pub partition_max_bytes: usize,
    /// Bytes that are held before the program takes them; one answer of each broker may come on top.
    pub buffer_bytes: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            isolation: Isolation::ReadUncommitted,
            reset: Reset::Earliest,
            min_bytes: 1,
            max_wait: Duration::from_millis(500),
            max_bytes: 50 << 20,
            partition_max_bytes: 1 << 20,
            buffer_bytes: 64 << 20,
        }
    }
}

/// What happens where an offset is not there any more, or not yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reset {
    /// It goes on at the beginning.
    Earliest,
    /// It goes on at the end.
    Latest,
    /// The program is told: [`ConsumeError::OutOfRange`].
    Fail,
}

/// Why a partition gives nothing any more, until the program seeks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConsumeError {
    /// There is no such offset, and nobody said where to go on.
    OutOfRange {
        /// The topic.
        topic: Arc<str>,
        /// The partition.
        partition: PartitionIndex,
        /// What was asked for.
        offset: Offset,
    },
    /// The broker says no, and asking again would not help.
    Refused {
        /// The topic.
        topic: Arc<str>,
        /// The partition.
        partition: PartitionIndex,
        /// Kafka's code.
        code: ErrorCode,
    },
    /// The group has committed nothing there, and nobody said where to begin.
    NothingCommitted {
        /// The topic.
        topic: Arc<str>,
        /// The partition.
        partition: PartitionIndex,
    },
    /// A topic that was asked for can't be read, and asking again would not help. The others are.
    Topic {
        /// The topic.
        topic: Arc<str>,
        /// Kafka's code.
        code: ErrorCode,
    },
    /// The group doesn't take this member, and never will.
    Group {
        /// Kafka's code.
        code: ErrorCode,
    },
    /// What came can't be what was written.
    Damaged(Damaged),
    /// The consumer has ended.
    Closed,
}

impl fmt::Display for ConsumeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConsumeError::OutOfRange { topic, partition, offset } => {
                write!(f, "{topic}/{partition} has no offset {offset}: seek to another")
            }
            ConsumeError::Refused { topic, partition, code } => write!(f, "{topic}/{partition}: {code}"),
            ConsumeError::NothingCommitted { topic, partition } => {
                write!(f, "the group has committed nothing in {topic}/{partition}: seek to where it begins")
            }
            ConsumeError::Topic { topic, code } => write!(f, "topic {topic}: {code}"),
            ConsumeError::Group { code } => write!(f, "the group refuses this consumer: {code}"),
            ConsumeError::Damaged(damaged) => damaged.fmt(f),
            ConsumeError::Closed => f.write_str("the consumer has ended"),
        }
    }
}

impl std::error::Error for ConsumeError {}

/// The partition is not among those that the consumer reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAssigned;

impl fmt::Display for NotAssigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the partition is not assigned to this consumer")
    }
}

impl std::error::Error for NotAssigned {}

/// Reads records. It ends when it is dropped.
pub struct Consumer {
    shared: Arc<Shared>,
    /// `true` when nobody reads any more.
    over: watch::Sender<bool>,
}

/// What the consumer and its driver have in common.
pub(crate) struct Shared {
    positions: Mutex<Positions>,
    /// There is something to ask for.
    pub(crate) wake: Notify,
    /// There is something to read.
    pub(crate) came: Notify,
}

impl Shared {
    pub(crate) fn positions(&self) -> MutexGuard<'_, Positions> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Consumer {
    /// A consumer that reads nothing yet.
    pub fn new(client: Client, options: Options) -> Consumer {
        let positions = Mutex::new(Positions::new(options.buffer_bytes, options.reset));
        let shared = Arc::new(Shared { positions, wake: Notify::new(), came: Notify::new() });
        let over = watch::Sender::new(false);
        tokio::spawn(Driver::new(client, options, shared.clone()).run(over.clone()));
        Consumer { shared, over }
    }

    /// Reads these partitions and no others, each from there on.
    pub fn assign<'a>(&self, partitions: impl IntoIterator<Item = (&'a str, i32, Start)>) {
        let partitions = partitions.into_iter();
        let partitions = partitions.map(|(topic, index, start)| (Arc::from(topic), PartitionIndex(index), start));
        self.shared.positions().assign(partitions);
        self.shared.wake.notify_one();
    }

    /// Goes on from elsewhere. What was asked for before is not given any more.
    ///
    /// # Errors
    /// [`NotAssigned`].
    pub fn seek(&self, topic: &str, partition: i32, start: Start) -> Result<(), NotAssigned> {
        let is_assigned = self.shared.positions().seek(topic, PartitionIndex(partition), start);
        self.shared.wake.notify_one();
        if is_assigned { Ok(()) } else { Err(NotAssigned) }
    }

    /// Gives nothing of a partition until it is resumed. What was fetched of it already goes, and is fetched again.
    ///
    /// # Errors
    /// [`NotAssigned`].
    pub fn pause(&self, topic: &str, partition: i32) -> Result<(), NotAssigned> {
        self.set_paused(topic, partition, true)
    }

    /// Gives what comes of a partition again.
    ///
    /// # Errors
    /// [`NotAssigned`].
    pub fn resume(&self, topic: &str, partition: i32) -> Result<(), NotAssigned> {
        self.set_paused(topic, partition, false)
    }

    fn set_paused(&self, topic: &str, partition: i32, is_paused: bool) -> Result<(), NotAssigned> {
        let is_assigned = self.shared.positions().pause(topic, PartitionIndex(partition), is_paused);
        self.shared.wake.notify_one();
        self.shared.came.notify_one();
        if is_assigned { Ok(()) } else { Err(NotAssigned) }
    }

    /// The offset of the next record that [`Consumer::poll`] will give; `None` before it is known.
    pub fn position(&self, topic: &str, partition: i32) -> Option<Offset> {
        self.shared.positions().position(topic, PartitionIndex(partition))
    }

    /// Where the partition ended, for who may read, when it was last asked.
    pub fn high_watermark(&self, topic: &str, partition: i32) -> Option<Offset> {
        self.shared.positions().high_watermark(topic, PartitionIndex(partition))
    }

    /// The next records, of one partition. Waits until there are some; dropping the future loses none. Where only markers
    /// come, or what transactions took back, it gives none, but tells by [`Records::next_offset`] how far it is.
    ///
    /// # Errors
    /// [`ConsumeError`]: that partition gives nothing more until it is sought; others go on.
    pub async fn poll(&self) -> Result<Records, ConsumeError> {
        loop {
            let came = self.shared.came.notified();
            if let Some(taken) = self.take() {
                match self.give(Read::of(taken?)) {
                    Some(records) => return Ok(records),
                    None => continue,
                }
            }
            if *self.over.borrow() {
                return Err(ConsumeError::Closed);
            }
            came.await;
        }
    }

    /// What came next.
    pub(crate) fn take(&self) -> Option<Result<Taken, ConsumeError>> {
        let taken = self.shared.positions().take()?;
        // There may be more, for whoever else waits.
        self.shared.came.notify_one();
        self.shared.wake.notify_one();
        Some(taken)
    }

    /// What was read is given, if it is still wanted; the rest, or what is wrong with it, is next.
    pub(crate) fn give(&self, Read { ticket, records, rest }: Read) -> Option<Records> {
        let is_given = self.shared.positions().give(ticket, rest);
        Some(records).filter(|_| is_given)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// A piece that was read, and not given yet.
pub(crate) struct Read {
    ticket: Ticket,
    records: Records,
    rest: Rest,
}

impl Read {
    pub(crate) fn of(Taken { ticket, topic, partition, fetched }: Taken) -> Read {
        let Piece { records, rest } = Records::read(&topic, partition, fetched, &mut Scratch::new());
        Read { ticket, records, rest }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.over.send_replace(true);
    }
}
