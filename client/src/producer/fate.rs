//! What becomes of a batch, told to everybody who has a record in it.

use std::fmt;
use std::future::IntoFuture;
use std::sync::{Arc, OnceLock};

use thalweg_wire::{ErrorCode, Offset, PartitionIndex, Timestamp};
use thalweg_world::BoxFuture;
use tokio::sync::Notify;

/// A record is where it belongs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its partition.
    pub partition: PartitionIndex,
    /// Its offset; -1 where the broker doesn't tell: under `acks=0`, or if it had the batch already.
    pub offset: Offset,
    /// The time that the broker gave it, under `LogAppendTime`; else -1.
    pub append_time: Timestamp,
}

/// A record may not be where it belongs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeliveryError {
    /// The broker refused the batch: none of its records is there.
    Refused {
        /// Kafka's code.
        code: ErrorCode,
        /// In the broker's words.
        message: String,
    },
    /// It took longer than `delivery_timeout`. Whether the record is there, nobody knows, if it was sent at all.
    TimedOut {
        /// What went wrong last.
        reason: String,
    },
    /// It was sent, no answer came, and the batches before it were refused: sent again it might be there twice.
    Unknown,
    /// The producer ended first.
    Closed,
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeliveryError::Refused { code, message } if message.is_empty() => write!(f, "refused: {code}"),
            DeliveryError::Refused { code, message } => write!(f, "refused: {code} ({message})"),
            DeliveryError::TimedOut { reason } => write!(f, "not delivered in time: {reason}"),
            DeliveryError::Unknown => f.write_str("sent, and never answered"),
            DeliveryError::Closed => f.write_str("the producer was closed"),
        }
    }
}

impl std::error::Error for DeliveryError {}

/// A batch that the broker has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stored {
    pub(crate) base: Offset,
    pub(crate) append_time: Timestamp,
}

/// Of one batch.
#[derive(Debug)]
pub(crate) struct Fate {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: PartitionIndex,
    ending: OnceLock<Ending>,
    told: Notify,
}

/// How a batch ends.
#[derive(Debug)]
enum Ending {
    Settled(Result<Stored, DeliveryError>),
    /// It was too long: its records are in these now. Each with the place that its first record had, in order.
    Cut(Vec<(i32, Arc<Fate>)>),
}

impl Fate {
    pub(crate) fn new(topic: Arc<str>, partition: PartitionIndex) -> Arc<Fate> {
        Arc::new(Fate { topic, partition, ending: OnceLock::new(), told: Notify::new() })
    }

    /// Settles it; what was settled stays as it is.
    pub(crate) fn settle(&self, outcome: Result<Stored, DeliveryError>) {
        self.end(Ending::Settled(outcome));
    }

    /// Its records are in shorter batches now: each with the place that its first record had, in order.
    pub(crate) fn cut(&self, pieces: Vec<(i32, Arc<Fate>)>) {
        assert!(pieces.first().is_some_and(|(first, _)| *first == 0), "every record is in one of them");
        self.end(Ending::Cut(pieces));
    }

    fn end(&self, ending: Ending) {
        let _ = self.ending.set(ending);
        self.told.notify_waiters();
    }

    /// Whether somebody was told, or could have been.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.ending.get(), Some(Ending::Settled(_)))
    }

    async fn ended(&self) -> &Ending {
        loop {
            // Begins to listen before it looks: between the two nothing is missed.
            let told = self.told.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if let Some(ending) = self.ending.get() {
                return ending;
            }
            told.await;
        }
    }

    /// Ready when all its records are settled.
    pub(crate) async fn settled(&self) {
        let mut left = match self.ended().await {
            Ending::Settled(_) => return,
            Ending::Cut(pieces) => pieces.iter().collect::<Vec<_>>(),
        };
        while let Some((_, piece)) = left.pop() {
            if let Ending::Cut(pieces) = piece.ended().await {
                left.extend(pieces);
            }
        }
    }
}

/// What becomes of one record: await it, or drop it if nobody wants to know.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub(crate) fate: Arc<Fate>,
    /// Its place in the batch.
    pub(crate) index: i32,
}

impl Delivery {
    /// Ready when the record is there, or is known not to come.
    ///
    /// # Errors
    /// [`DeliveryError`] says whether it may be there all the same.
    pub async fn outcome(&self) -> Result<Receipt, DeliveryError> {
        loop {
            self.place().0.ended().await;
            if let Some(told) = self.told() {
                return told;
            }
        }
    }

    /// The same if it is known already.
    pub fn told(&self) -> Option<Result<Receipt, DeliveryError>> {
        let (fate, index) = self.place();
        let Stored { base, append_time } = match fate.ending.get()? {
            Ending::Settled(Ok(stored)) => *stored,
            Ending::Settled(Err(error)) => return Some(Err(error.clone())),
            // Since a moment ago.
            Ending::Cut(_) => return None,
        };
        let offset = if base < Offset::ZERO { base } else { Offset(base.0.saturating_add(i64::from(index))) };
        Some(Ok(Receipt { topic: fate.topic.clone(), partition: fate.partition, offset, append_time }))
    }

    /// The batch that it is in now, and its place in it.
    fn place(&self) -> (&Fate, i32) {
        let (mut fate, mut index) = (&self.fate, self.index);
        while let Some(Ending::Cut(pieces)) = fate.ending.get() {
            let (first, piece) = &pieces[pieces.partition_point(|(first, _)| *first <= index) - 1];
            (fate, index) = (piece, index - first);
        }
        (fate, index)
    }
}

impl IntoFuture for Delivery {
    type Output = Result<Receipt, DeliveryError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.outcome().await })
    }
}
