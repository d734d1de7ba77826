//! Writes records: gathered into batches by partition, sent to the leaders, told where they are.
//!
//! A producer is idempotent unless told otherwise (KIP-98): a batch that is sent again, since nobody knows whether it
//! arrived, is stored once. Its records stay in the order of their [`Producer::send`], by partition.

mod driver;
mod fate;
mod options;
pub mod partitioner;
mod queues;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thalweg_wire::batch::HEADER_BYTES;
use thalweg_wire::{PartitionIndex, Timestamp};
use tokio::sync::{Notify, Semaphore, watch};

use crate::cluster::{Client, ClientError};
use driver::Driver;
pub use fate::{Delivery, DeliveryError, Receipt};
pub use options::{Acks, InvalidOptions, Options};
use partitioner::Stickies;
use queues::{Fields, Queues, Rules};

/// A record to be sent. It borrows what it is made of.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    topic: &'a str,
    partition: Option<PartitionIndex>,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: Vec<(&'a [u8], Option<&'a [u8]>)>,
    timestamp: Option<Timestamp>,
}

impl<'a> Record<'a> {
    /// A record without key, value and headers, of the present time, for any partition of a topic.
    pub fn to(topic: &'a str) -> Record<'a> {
        Record { topic, partition: None, key: None, value: None, headers: Vec::new(), timestamp: None }
    }

    /// With a key: all records with it go to one partition.
    #[must_use]
    pub fn key(mut self, key: &'a (impl AsRef<[u8]> + ?Sized)) -> Record<'a> {
        self.key = Some(key.as_ref());
        self
    }

    /// With a value. Without one it is a tombstone for its key.
    #[must_use]
    pub fn value(mut self, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Record<'a> {
        self.value = Some(value.as_ref());
        self
    }

    /// For this partition, whatever the key.
    #[must_use]
    pub fn partition(mut self, partition: i32) -> Record<'a> {
        self.partition = Some(PartitionIndex(partition));
        self
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &'a str, value: &'a [u8]) -> Record<'a> {
        self.headers.push((name.as_bytes(), Some(value)));
        self
    }

    /// With one more header, which has a name alone.
    #[must_use]
    pub fn header_without_value(mut self, name: &'a str) -> Record<'a> {
        self.headers.push((name.as_bytes(), None));
        self
    }

    /// Of this time.
    #[must_use]
    pub fn timestamp(mut self, timestamp: Timestamp) -> Record<'a> {
        self.timestamp = Some(timestamp);
        self
    }
}

/// Why a record was not taken: it was not sent, and won't be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SendError {
    /// It is longer than `request_bytes_max`, or `buffer_bytes`.
    TooLarge {
        /// Its bytes.
        bytes: usize,
        /// What may be.
        max: usize,
    },
    /// The topic has no such partition.
    NoPartition {
        /// What was asked for.
        partition: PartitionIndex,
        /// How many there are.
        partitions: usize,
    },
    /// The topic can't be learned of within `max_block`, or not at all.
    Topic(ClientError),
    /// No memory became free within `max_block`.
    Full,
    /// The producer was closed.
    Closed,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::TooLarge { bytes, max } => write!(f, "the record takes {bytes} bytes, and {max} may be"),
            SendError::NoPartition { partition, partitions } => {
                write!(f, "there is no partition {partition}: the topic has {partitions}")
            }
            SendError::Topic(error) => error.fmt(f),
            SendError::Full => f.write_str("too much is on its way: no memory became free in time"),
            SendError::Closed => f.write_str("the producer was closed"),
        }
    }
}

impl std::error::Error for SendError {}

/// Writes records. Dropping it gives up what is not there yet; [`Producer::close`] waits for it.
pub struct Producer {
    client: Client,
    options: Options,
    shared: Arc<Shared>,
    /// Where records without keys go next, by topic.
    stickies: Mutex<Stickies>,
}

/// What the producer and its driver have in common.
struct Shared {
    queues: Mutex<Queues>,
    /// There is something to send, or to wait for.
    wake: Notify,
    /// Bytes of memory that are free.
    room: Semaphore,
    /// `true` once no more records come.
    closing: watch::Sender<Closing>,
}

/// How far the end has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Closing {
    Open,
    /// No record is taken any more; what is there is sent.
    Draining,
    /// What is there is given up.
    Abandoning,
    /// The driver has ended.
    Ended,
}

impl Shared {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Producer {
    /// Begins to write to a cluster. Nothing is sent before the first record.
    ///
    /// # Errors
    /// [`InvalidOptions`] names an option that can't be, or not with the others.
    pub fn new(client: Client, options: Options) -> Result<Producer, InvalidOptions> {
        options.check()?;
        let rules = Rules {
            linger: options.linger,
            batch_bytes: options.batch_bytes.min(options.request_bytes_max),
            in_flight_max: options.in_flight_max,
            delivery_timeout: options.delivery_timeout,
            max_idle: client.options().metadata_max_idle,
        };
        let shared = Arc::new(Shared {
            queues: Mutex::new(Queues::new(rules)),
            wake: Notify::new(),
            room: Semaphore::new(options.buffer_bytes.min(Semaphore::MAX_PERMITS)),
            closing: watch::Sender::new(Closing::Open),
        });
        tokio::spawn(Driver::new(client.clone(), options.clone(), shared.clone()).run());
        let stickies = Mutex::new(Stickies::new(client.options().metadata_max_idle));
        Ok(Producer { client, options, shared, stickies })
    }

    /// Takes a record. It is ready when the record has its place in a batch; the [`Delivery`] when the batch is there.
    ///
    /// # Errors
    /// [`SendError`]: the record was not taken.
    pub async fn send(&self, record: Record<'_>) -> Result<Delivery, SendError> {
        let world = self.client.world();
        let fields = Fields {
            timestamp: record.timestamp.unwrap_or_else(|| world.clock.wall()),
            key: record.key,
            value: record.value,
            headers: &record.headers,
        };
        let (bytes, max) = (fields.bytes(), self.options.request_bytes_max.min(self.options.buffer_bytes));
        // It may be a batch of its own.
        if bytes.saturating_add(HEADER_BYTES) > max {
            return Err(SendError::TooLarge { bytes, max });
        }
        let partition = self.partition_for(&record, bytes).await?;
        self.charge(bytes).await?;
        let mut queues = self.shared.queues();
        // Looked at under the lock: the driver gives up what it finds, and then nothing may come behind.
        if *self.shared.closing.borrow() != Closing::Open {
            self.shared.room.add_permits(bytes);
            return Err(SendError::Closed);
        }
        let (delivery, wakes) = queues.push(record.topic, partition, fields, world.clock.now());
        drop(queues);
        if wakes {
            self.shared.wake.notify_one();
        }
        Ok(delivery)
    }

    async fn partition_for(&self, record: &Record<'_>, bytes: usize) -> Result<PartitionIndex, SendError> {
        let now = self.client.world().clock.now();
        let deadline = now + self.options.max_block;
        let partitions = self.client.partition_count(record.topic, deadline).await.map_err(SendError::Topic)?;
        match (record.partition, record.key) {
            (Some(partition), _) if usize::try_from(partition.0).is_ok_and(|place| place < partitions) => Ok(partition),
            (Some(partition), _) => Err(SendError::NoPartition { partition, partitions }),
            (None, Some(key)) => Ok(partitioner::of_key(key, partitions)),
            (None, None) => {
                let mut stickies = self.stickies.lock().unwrap_or_else(PoisonError::into_inner);
                let sticky = stickies.of(record.topic, now);
                let random = || {
                    let mut random = [0; 4];
                    self.client.world().entropy.fill(&mut random);
                    u32::from_be_bytes(random)
                };
                Ok(self.client.among_leaders(record.topic, |leaders| {
                    sticky.next(bytes, self.options.batch_bytes, leaders, random)
                }))
            }
        }
    }

    /// Takes memory; it is free again when the record's batch is settled.
    async fn charge(&self, bytes: usize) -> Result<(), SendError> {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        let acquired = match self.shared.room.try_acquire_many(permits) {
            Ok(permit) => permit,
            Err(_) => {
                self.shared.wake.notify_one();
                tokio::select! {
                    biased;
                    permit = self.shared.room.acquire_many(permits) => permit.map_err(|_| SendError::Closed)?,
                    () = self.client.world().clock.sleep(self.options.max_block) => return Err(SendError::Full),
                }
            }
        };
        acquired.forget();
        Ok(())
    }

    /// Sends what was taken so far without waiting for more, and is ready when all of it is settled: there, or given up.
    pub async fn flush(&self) {
        let unsettled = self.shared.queues().flush(self.client.world().clock.now());
        self.shared.wake.notify_one();
        for fate in unsettled {
            fate.settled().await;
        }
    }

    /// Takes no more, sends what is there, and ends. Ready when everything is settled.
    pub async fn close(&self) {
        self.shared.closing.send_if_modified(|closing| {
            let is_open = *closing == Closing::Open;
            if is_open {
                *closing = Closing::Draining;
            }
            is_open
        });
        self.flush().await;
        let mut closing = self.shared.closing.subscribe();
        let _ = closing.wait_for(|closing| *closing == Closing::Ended).await;
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.shared.closing.send_if_modified(|closing| {
            let is_open = *closing == Closing::Open;
            if is_open {
                *closing = Closing::Abandoning;
            }
            is_open
        });
    }
}
