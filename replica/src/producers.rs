//! Whether a batch of an idempotent producer is new, a repetition, or out of order (KIP-98, KIP-360).
//!
//! The rules are those of Kafka 4.3's `ProducerAppendInfo`, in their order: a repetition of one of the last five batches
//! is answered as it was the first time; an older epoch is fenced; a newer one begins at sequence number 0; in the same
//! epoch the numbers go on without a gap; of a producer that isn't known any number is taken.

use std::fmt;
use std::time::Duration;

use thalweg_wire::batch::Header;
use thalweg_wire::producers::{Producers, Span, sequence_after};
use thalweg_wire::{ErrorCode, ProducerEpoch, ProducerId, Timestamp};

/// How often who was silent for too long is looked for: `producer.id.expiration.check.interval.ms`.
const EXPIRY_INTERVAL_MS: i64 = 600_000;

/// The producers of a partition, as its leader needs them.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    producers: Producers,
    /// `producer.id.expiration.ms`.
    expiration: Duration,
    /// When the silent ones were last looked for.
    looked: Timestamp,
}

/// What a batch is to the batches before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// The next one.
    Next,
    /// One of the last five, sent again.
    Repeated(Span),
}

/// Why a batch doesn't follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SequenceError {
    /// A newer incarnation of the producer has written.
    Fenced {
        /// The producer.
        id: ProducerId,
        /// The batch's epoch.
        epoch: ProducerEpoch,
        /// The newest.
        current: ProducerEpoch,
    },
    /// Batches are missing before it, or it is a repetition of one that is no longer remembered.
    OutOfOrder {
        /// The producer.
        id: ProducerId,
        /// The sequence number that was due.
        expected: i32,
        /// The batch's.
        found: i32,
    },
    /// The producer has a transaction open, to which the batch doesn't belong.
    OutsideTransaction(ProducerId),
}

impl Window {
    pub(crate) fn new(mut producers: Producers, expiration: Duration) -> Window {
        // When each wrote, nobody knows after a restart: their time begins anew with the first batch.
        producers.seen_now(Timestamp::NONE);
        Window { producers, expiration, looked: Timestamp::NONE }
    }

    /// Judges a batch; nothing changes.
    pub(crate) fn place(&self, header: &Header) -> Result<Place, SequenceError> {
        let (id, epoch, sequence) = (header.producer_id(), header.producer_epoch(), header.base_sequence());
        let Some(known) = self.producers.get(id).filter(|_| id > ProducerId::NONE) else { return Ok(Place::Next) };
        let last_sequence = sequence_after(sequence, header.last_offset_delta());
        let is_repetition = |span: &&Span| span.first_sequence() == sequence && span.last_sequence == last_sequence;
        if epoch == known.epoch
            && let Some(span) = known.spans().iter().find(is_repetition)
        {
            return Ok(Place::Repeated(*span));
        }
        if epoch < known.epoch {
            return Err(SequenceError::Fenced { id, epoch, current: known.epoch });
        }
        let expected = match known.last() {
            Some(last) if epoch == known.epoch => sequence_after(last.last_sequence, 1),
            Some(_) | None => 0,
        };
        // A batch with an id and no epoch is kept as it is, and says nothing of those behind it.
        if sequence != expected && known.epoch > ProducerEpoch::NONE {
            return Err(SequenceError::OutOfOrder { id, expected, found: sequence });
        }
        if known.transaction_start.is_some() && !header.is_transactional() {
            return Err(SequenceError::OutsideTransaction(id));
        }
        Ok(Place::Next)
    }

    /// Remembers a batch that got its place.
    pub(crate) fn note(&mut self, header: &Header, now: Timestamp) {
        self.producers.note(header, now);
    }

    pub(crate) fn producers(&self) -> &Producers {
        &self.producers
    }

    /// Forgets who was silent for too long, once in a while. Who was never seen by this clock is seen now.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        if now.millis().saturating_sub(self.looked.millis()) < EXPIRY_INTERVAL_MS && self.looked > Timestamp::NONE {
            return;
        }
        if self.looked == Timestamp::NONE {
            self.producers.seen_now(now);
        }
        self.looked = now;
        let limit = i64::try_from(self.expiration.as_millis()).unwrap_or(i64::MAX);
        self.producers.retain(|_, producer| {
            producer.transaction_start.is_some() || now.millis().saturating_sub(producer.seen.millis()) < limit
        });
    }
}

impl SequenceError {
    /// What Produce answers.
    pub const fn code(self) -> ErrorCode {
        match self {
            SequenceError::Fenced { .. } => ErrorCode::InvalidProducerEpoch,
            SequenceError::OutOfOrder { .. } => ErrorCode::OutOfOrderSequenceNumber,
            SequenceError::OutsideTransaction(_) => ErrorCode::InvalidTxnState,
        }
    }
}

impl fmt::Display for SequenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SequenceError::Fenced { id, epoch, current } => {
                write!(f, "producer {id} has epoch {current} by now, not {epoch}")
            }
            SequenceError::OutOfOrder { id, expected, found } => {
                write!(f, "producer {id} goes on with sequence number {expected}, not {found}")
            }
            SequenceError::OutsideTransaction(id) => {
                write!(f, "producer {id} has a transaction open, and the batch isn't part of it")
            }
        }
    }
}

impl std::error::Error for SequenceError {}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::batch::Builder;

    #[test]
    fn who_is_silent_for_as_long_as_the_setting_says_is_forgotten() {
        const DAY: i64 = 86_400_000;
        let mut window = Window::new(Producers::default(), Duration::from_millis(DAY as u64));
        let batch = Builder::new().producer(ProducerId(7), ProducerEpoch(0), 0).record(Timestamp::NONE, None, None);
        window.expire(Timestamp::from_millis(1));
        window.note(batch.build().unwrap().header(), Timestamp::from_millis(1));
        for (now, known) in [(DAY, 1), (DAY + EXPIRY_INTERVAL_MS, 0)] {
            window.expire(Timestamp::from_millis(now));
            assert_eq!(window.producers().len(), known, "after {} ms", now - 1);
        }
    }
}
