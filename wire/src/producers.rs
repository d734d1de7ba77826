//! What a partition remembers of its idempotent producers (KIP-98): for each its epoch and its last five batches.
//!
//! Memory only: which batch may be taken is the leader's rule, and how this is kept on disk the log's. Both follow the
//! same batches, the one as they are admitted, the other as they reach the files.

use std::collections::BTreeMap;

use crate::batch::Header;
use crate::{Offset, ProducerEpoch, ProducerId, Timestamp};

/// Batches remembered of each producer: as many as an idempotent client has in flight (KAFKA-5494).
pub const WINDOW: usize = 5;

/// Producers remembered of one partition. Beyond it those who wrote longest ago are forgotten: the next batch of such a
/// one is taken whatever its sequence number, as of a producer that was never seen.
pub const PRODUCERS_MAX: usize = 16 << 10;

/// A batch of a producer: enough to know it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The sequence number of its last record.
    pub last_sequence: i32,
    /// The offset of its last record.
    pub last_offset: Offset,
    /// The offset of its last record less that of its first.
    pub offset_delta: i32,
    /// Its largest timestamp.
    pub timestamp: Timestamp,
}

/// One producer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Producer {
    /// Its newest epoch: batches of an older one are fenced.
    pub epoch: ProducerEpoch,
    /// Its last batches in this epoch, the oldest first; at most [`WINDOW`].
    spans: Vec<Span>,
    /// The epoch of the coordinator that wrote its last marker; -1 is none.
    pub coordinator_epoch: i32,
    /// Where its open transaction begins; `None` if none is open.
    pub transaction_start: Option<Offset>,
    /// When it last wrote, by the clock of whoever keeps this; [`Timestamp::NONE`] if that one has none.
    pub seen: Timestamp,
}

/// The producers of a partition.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Producers {
    by_id: BTreeMap<ProducerId, Producer>,
}

/// The sequence number `count` records after another: behind the largest comes 0.
pub const fn sequence_after(sequence: i32, count: i32) -> i32 {
    sequence.wrapping_add(count) & i32::MAX
}

impl Span {
    /// The span of a batch that has its offset and comes from a producer.
    pub fn of(header: &Header) -> Span {
        let delta = header.last_offset_delta();
        Span {
            last_sequence: sequence_after(header.base_sequence(), delta),
            last_offset: Offset(header.base_offset().0.saturating_add(i64::from(delta))),
            offset_delta: delta,
            timestamp: header.max_timestamp(),
        }
    }

    /// The sequence number of its first record.
    pub const fn first_sequence(&self) -> i32 {
        self.last_sequence.wrapping_sub(self.offset_delta) & i32::MAX
    }

    /// The offset of its first record.
    pub const fn base(&self) -> Offset {
        Offset(self.last_offset.0 - self.offset_delta as i64)
    }

    /// The offset after its last record.
    pub const fn end(&self) -> Offset {
        self.last_offset.plus(1)
    }
}

impl Producer {
    /// A producer that has not written yet in this epoch.
    pub const fn new(epoch: ProducerEpoch) -> Producer {
        Producer { epoch, spans: Vec::new(), coordinator_epoch: -1, transaction_start: None, seen: Timestamp::NONE }
    }

    /// Its last batches, the oldest first.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Its newest batch in this epoch.
    pub fn last(&self) -> Option<&Span> {
        self.spans.last()
    }

    /// Remembers a batch, and forgets the oldest beyond [`WINDOW`].
    pub fn push(&mut self, span: Span) {
        if self.spans.len() == WINDOW {
            self.spans.remove(0);
        }
        self.spans.push(span);
    }

    /// A newer epoch: what was remembered of the old one is no longer asked for.
    fn enter(&mut self, epoch: ProducerEpoch) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.spans.clear();
        }
    }

    /// Where it last wrote; what is forgotten first has the lowest.
    fn last_offset(&self) -> Offset {
        self.last().map_or(Offset(-1), |span| span.last_offset)
    }
}

impl Producers {
    /// Remembers a batch that has its place in the log; one without a producer says nothing. `seen` is the time, for who
    /// has a clock.
    pub fn note(&mut self, header: &Header, seen: Timestamp) {
        let (id, epoch) = (header.producer_id(), header.producer_epoch());
        if id <= ProducerId::NONE {
            return;
        }
        self.make_room_for(id);
        let producer = self.by_id.entry(id).or_insert_with(|| Producer::new(epoch));
        producer.enter(epoch);
        producer.seen = producer.seen.max(seen);
        if header.is_control() {
            producer.transaction_start = None;
            return;
        }
        if header.is_transactional() {
            producer.transaction_start.get_or_insert(header.base_offset());
        }
        producer.push(Span::of(header));
    }

    /// Puts what is known of a producer in its place.
    pub fn insert(&mut self, id: ProducerId, producer: Producer) {
        self.make_room_for(id);
        self.by_id.insert(id, producer);
    }

    /// Forgets every batch that reaches to `to` or above, as a cut of the log takes them. Older ones than the last five don't
    /// come back: who has none left is forgotten, so what is cut for good, and not about to be appended again, is better
    /// read again from the log.
    pub fn truncate(&mut self, to: Offset) {
        for producer in self.by_id.values_mut() {
            producer.spans.retain(|span| span.last_offset < to);
            producer.transaction_start = producer.transaction_start.filter(|start| *start < to);
        }
        self.by_id.retain(|_, producer| !producer.spans.is_empty() || producer.transaction_start.is_some());
    }

    /// Keeps those for whom it is true.
    pub fn retain(&mut self, mut keep: impl FnMut(ProducerId, &Producer) -> bool) {
        self.by_id.retain(|id, producer| keep(*id, producer));
    }

    /// Everybody was last seen now: nobody knows better after a restart.
    pub fn seen_now(&mut self, now: Timestamp) {
        self.by_id.values_mut().for_each(|producer| producer.seen = now);
    }

    /// What is known of a producer.
    pub fn get(&self, id: ProducerId) -> Option<&Producer> {
        self.by_id.get(&id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = (ProducerId, &Producer)> {
        self.by_id.iter().map(|(id, producer)| (*id, producer))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    fn make_room_for(&mut self, id: ProducerId) {
        if self.by_id.len() >= PRODUCERS_MAX && !self.by_id.contains_key(&id) {
            self.forget_a_quarter();
        }
    }

    /// A quarter at once, so that the search for who wrote longest ago is paid once in many. Not one with a transaction
    /// open: its start holds readers back.
    fn forget_a_quarter(&mut self) {
        let idle = |producer: &Producer| producer.transaction_start.is_none();
        let mut ages: Vec<Offset> =
            self.by_id.values().filter(|producer| idle(producer)).map(Producer::last_offset).collect();
        let quarter = ages.len() / 4;
        if let Some((_, limit, _)) = (quarter < ages.len()).then(|| ages.select_nth_unstable(quarter)) {
            let limit = *limit;
            self.by_id.retain(|_, producer| !idle(producer) || producer.last_offset() > limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::HEADER_BYTES;

    fn header(id: i64, epoch: i16, sequence: i32, base: i64, count: i32) -> Header {
        let mut header = Header::from_bytes([0; HEADER_BYTES]);
        header.set_producer(ProducerId(id), ProducerEpoch(epoch), sequence);
        header.set_base_offset(Offset(base));
        header.set_last_offset_delta(count - 1);
        header
    }

    fn firsts(producers: &Producers, id: i64) -> Vec<i32> {
        producers.get(ProducerId(id)).map(|known| known.spans().iter().map(Span::first_sequence).collect()).unwrap()
    }

    #[test]
    fn the_last_five_batches_of_the_newest_epoch_are_remembered() {
        let mut producers = Producers::default();
        for number in 0..7 {
            producers.note(&header(9, 0, 2 * number, 10 * i64::from(number), 2), Timestamp::NONE);
        }
        assert_eq!(firsts(&producers, 9), [4, 6, 8, 10, 12]);
        let last = *producers.get(ProducerId(9)).and_then(Producer::last).unwrap();
        assert_eq!((last.base(), last.end(), last.last_sequence), (Offset(60), Offset(62), 13));
        producers.note(&header(9, 1, 0, 70, 1), Timestamp::NONE);
        assert_eq!(firsts(&producers, 9), [0], "an older epoch's are never asked for again");
        producers.note(&header(-1, -1, -1, 71, 1), Timestamp::NONE);
        assert_eq!(producers.len(), 1);
    }

    #[test]
    fn sequence_numbers_go_on_at_zero_behind_the_largest() {
        let span = Span::of(&header(1, 0, i32::MAX - 1, 0, 4));
        assert_eq!((span.first_sequence(), span.last_sequence), (i32::MAX - 1, 1));
        assert_eq!(sequence_after(i32::MAX, 1), 0);
        assert_eq!(sequence_after(7, 1), 8);
    }

    #[test]
    fn a_cut_takes_what_reaches_above_it_and_who_has_nothing_left() {
        let mut producers = Producers::default();
        for (id, base) in [(1, 0), (1, 10), (2, 20), (1, 30)] {
            producers.note(&header(id, 0, base, i64::from(base), 5), Timestamp::NONE);
        }
        producers.truncate(Offset(22));
        assert_eq!(firsts(&producers, 1), [0, 10]);
        assert!(producers.get(ProducerId(2)).is_none(), "its only batch held the place of the cut");
        producers.truncate(Offset(15));
        assert_eq!(firsts(&producers, 1), [0, 10], "a cut right behind a batch leaves it");
    }

    #[test]
    fn there_is_a_limit_and_who_wrote_longest_ago_is_forgotten_first() {
        let mut producers = Producers::default();
        for id in 0..=PRODUCERS_MAX as i64 {
            producers.note(&header(id, 0, 0, id, 1), Timestamp::NONE);
        }
        assert!(producers.len() <= PRODUCERS_MAX);
        assert!(producers.len() > PRODUCERS_MAX / 2, "and not more than a part of them");
        assert!(producers.get(ProducerId(0)).is_none());
        assert!(producers.get(ProducerId(PRODUCERS_MAX as i64)).is_some());
    }
}
