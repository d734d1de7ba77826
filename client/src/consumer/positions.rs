//! Where a consumer stands in each of its partitions, what to ask for next, and what came. Pure: time comes in by the door.
//!
//! A partition is asked for again while what came of it is read: two pieces of each are held, and in all about as many bytes
//! as was allowed. An answer to a question from before a seek, or from before an assignment, is an answer to nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use thalweg_wire::{Moment, Offset, PartitionIndex};

use super::records::{Fetched, Rest};
use super::{ConsumeError, Reset};
use crate::offsets::Start;

/// Pieces of a partition that are held, or on their way.
const PIECES_MAX: usize = 2;

const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MOST: Duration = Duration::from_secs(1);

/// A partition, from its assignment until it is taken away: assigned again, it is another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct PartId(usize);

/// A question about a partition. Its answer has to name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
    pub(crate) id: PartId,
    pub(crate) generation: u64,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: PartitionIndex,
    pub(crate) what: Ask,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ask {
    /// Records from here on.
    Fetch(Offset),
    /// Where this is.
    Find(Start),
}

pub(crate) struct Positions {
    buffer_bytes: usize,
    reset: Reset,
    /// All that are assigned, and no others.
    parts: BTreeMap<PartId, Part>,
    next_id: usize,
    by_name: HashMap<(Arc<str>, PartitionIndex), PartId>,
    /// Partitions with something to read, in the order in which it came.
    filled: VecDeque<PartId>,
    buffered: usize,
    generation: u64,
    /// Who was asked for first the last time: another one each time, so that nobody is always last.
    turn: PartId,
}

struct Part {
    topic: Arc<str>,
    partition: PartitionIndex,
    generation: u64,
    is_paused: bool,
    /// It is to be given up: nothing of it is given any more, and it stays until what was given is dealt with.
    is_leaving: bool,
    is_asked: bool,
    next: Ask,
    /// The next record that the program will be given; `None` before it is known.
    position: Option<Offset>,
    /// The program has dealt with everything before it.
    settled: Option<Offset>,
    /// What its group was told last.
    committed: Option<Offset>,
    pieces: VecDeque<(Fetched, Offset)>,
    failure: Option<ConsumeError>,
    not_before: Moment,
    failures: u32,
    high_watermark: Option<Offset>,
}

/// A piece to be read.
pub(crate) struct Taken {
    pub(crate) ticket: Ticket,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: PartitionIndex,
    pub(crate) fetched: Fetched,
}

/// Which piece was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    id: PartId,
    generation: u64,
    /// What comes behind the piece.
    next: Offset,
}

impl Positions {
    pub(crate) fn new(buffer_bytes: usize, reset: Reset) -> Positions {
        Positions {
            buffer_bytes,
            reset,
            parts: BTreeMap::new(),
            next_id: 0,
            by_name: HashMap::new(),
            filled: VecDeque::new(),
            buffered: 0,
            generation: 0,
            turn: PartId(0),
        }
    }

    /// These partitions and no others, each from there on; one that is named twice, as it is named last.
    pub(crate) fn assign(&mut self, partitions: impl IntoIterator<Item = (Arc<str>, PartitionIndex, Start)>) {
        let named: HashMap<_, _> =
            partitions.into_iter().map(|(topic, index, start)| ((topic, index), start)).collect();
        self.forget(&self.parts.keys().copied().collect());
        let mut named: Vec<_> = named.into_iter().collect();
        named.sort_by(|(left, _), (right, _)| left.cmp(right));
        for ((topic, partition), start) in named {
            self.add(topic, partition, start);
        }
    }

    /// This partition besides, from there on.
    pub(crate) fn add(&mut self, topic: Arc<str>, partition: PartitionIndex, start: Start) {
        self.remove(&[(topic.clone(), partition)]);
        let id = PartId(self.next_id);
        self.next_id += 1;
        self.by_name.insert((topic.clone(), partition), id);
        self.parts.insert(id, Part::new(topic, partition));
        self.begin(id, start);
        if let Some(part) = self.parts.get_mut(&id) {
            (part.settled, part.committed) = (part.position, part.position);
        }
    }

    /// A partition of which nobody knows where to begin: the program is told, and goes on when it has sought.
    pub(crate) fn add_lost(&mut self, topic: &Arc<str>, partition: PartitionIndex, error: ConsumeError) {
        self.add(topic.clone(), partition, Start::Earliest);
        if let Some((id, part)) = self.assigned(topic, partition) {
            part.failure = Some(error);
            self.filled.push_back(id);
        }
    }

    /// Gives nothing more of these: what was given may still be settled, and committed.
    pub(crate) fn leave(&mut self, partitions: &[(Arc<str>, PartitionIndex)]) {
        let leaving = self.all_of(partitions);
        self.clear_all(&leaving);
        for id in leaving {
            if let Some(part) = self.parts.get_mut(&id) {
                part.is_leaving = true;
            }
        }
    }

    /// Forgets these.
    pub(crate) fn remove(&mut self, partitions: &[(Arc<str>, PartitionIndex)]) {
        self.forget(&self.all_of(partitions));
    }

    fn forget(&mut self, ids: &BTreeSet<PartId>) {
        self.clear_all(ids);
        for part in ids.iter().filter_map(|id| self.parts.remove(id)) {
            self.by_name.remove(&(part.topic, part.partition));
        }
    }

    fn all_of(&self, partitions: &[(Arc<str>, PartitionIndex)]) -> BTreeSet<PartId> {
        partitions.iter().filter_map(|named| self.by_name.get(named).copied()).collect()
    }

    /// What is read, by name.
    pub(crate) fn assignment(&self) -> Vec<(Arc<str>, PartitionIndex)> {
        let parts = self.parts.values().filter(|part| !part.is_leaving);
        let mut named: Vec<_> = parts.map(|part| (part.topic.clone(), part.partition)).collect();
        named.sort();
        named
    }

    /// The program has dealt with everything that it was given.
    pub(crate) fn settle(&mut self) {
        for part in self.parts.values_mut() {
            part.settled = part.position;
        }
    }

    /// What was settled, and not committed since: partitions, and the next offset of each.
    pub(crate) fn uncommitted(&self) -> Vec<(Arc<str>, PartitionIndex, Offset)> {
        let parts = self.parts.values().filter(|part| part.settled != part.committed);
        parts.filter_map(|part| Some((part.topic.clone(), part.partition, part.settled?))).collect()
    }

    /// The group knows of it.
    pub(crate) fn committed(&mut self, topic: &str, partition: PartitionIndex, offset: Offset) {
        if let Some((_, part)) = self.assigned(topic, partition) {
            part.committed = Some(offset);
        }
    }

    fn assigned(&mut self, topic: &str, partition: PartitionIndex) -> Option<(PartId, &mut Part)> {
        let id = *self.by_name.get(&(Arc::from(topic), partition))?;
        Some((id, self.parts.get_mut(&id)?))
    }

    /// One that is read on: what it gives up is not the program's any more.
    fn read(&self, topic: &str, partition: PartitionIndex) -> Option<(PartId, &Part)> {
        let id = *self.by_name.get(&(Arc::from(topic), partition))?;
        self.parts.get(&id).filter(|part| !part.is_leaving).map(|part| (id, part))
    }

    fn clear(&mut self, id: PartId) {
        self.clear_all(&BTreeSet::from([id]));
    }

    /// What was held, or asked, is of no use any more.
    fn clear_all(&mut self, ids: &BTreeSet<PartId>) {
        self.filled.retain(|filled| !ids.contains(filled));
        for id in ids {
            let Some(part) = self.parts.get_mut(id) else { continue };
            self.generation += 1;
            self.buffered -= part.pieces.drain(..).map(|(piece, _)| piece.bytes.len()).sum::<usize>();
            (part.generation, part.is_asked, part.failure) = (self.generation, false, None);
        }
    }

    fn begin(&mut self, id: PartId, start: Start) {
        self.clear(id);
        let Some(part) = self.parts.get_mut(&id) else { return };
        (part.not_before, part.failures) = (Moment::from_nanos(0), 0);
        (part.next, part.position) = match start {
            Start::Offset(offset) => (Ask::Fetch(offset), Some(offset)),
            other => (Ask::Find(other), None),
        };
    }

    /// Goes on from elsewhere. Whether it is read.
    pub(crate) fn seek(&mut self, topic: &str, partition: PartitionIndex, start: Start) -> bool {
        let id = self.read(topic, partition).map(|(id, _)| id);
        id.into_iter().for_each(|id| self.begin(id, start));
        id.is_some()
    }

    /// Gives nothing of it until further notice. What is held goes, and is asked for again: it would keep others from being
    /// asked for. Whether it is read.
    pub(crate) fn pause(&mut self, topic: &str, partition: PartitionIndex, is_paused: bool) -> bool {
        let Some((id, part)) = self.read(topic, partition) else { return false };
        // A piece that is being read comes before the first that is held.
        let from = part.pieces.front().map(|(first, _)| part.position.unwrap_or(first.from));
        if let Some(from) = from.filter(|_| is_paused) {
            self.clear(id);
            self.parts.entry(id).and_modify(|part| part.next = Ask::Fetch(from));
        }
        self.parts.entry(id).and_modify(|part| part.is_paused = is_paused);
        true
    }

    /// The next record that the program will be given.
    pub(crate) fn position(&self, topic: &str, partition: PartitionIndex) -> Option<Offset> {
        self.read(topic, partition)?.1.position
    }

    /// Where the log ended, for who may read, at the last answer.
    pub(crate) fn high_watermark(&self, topic: &str, partition: PartitionIndex) -> Option<Offset> {
        self.read(topic, partition)?.1.high_watermark
    }

    /// What to ask for now. Each counts as asked until it is answered.
    pub(crate) fn wanted(&mut self, now: Moment) -> Vec<Asked> {
        let has_room = self.buffered < self.buffer_bytes.max(1);
        let mut wanted = Vec::new();
        let behind = self.parts.range(PartId(self.turn.0 + 1)..).next();
        self.turn = behind.or(self.parts.first_key_value()).map_or(PartId(0), |(id, _)| *id);
        let (before, behind): (Vec<_>, Vec<_>) = self.parts.iter_mut().partition(|(id, _)| **id < self.turn);
        for (id, part) in behind.into_iter().chain(before) {
            let may_ask = part.is_wanted() && !part.is_asked && part.failure.is_none();
            if may_ask && has_room && part.pieces.len() < PIECES_MAX && part.not_before <= now {
                part.is_asked = true;
                wanted.push(Asked {
                    id: *id,
                    generation: part.generation,
                    topic: part.topic.clone(),
                    partition: part.partition,
                    what: part.next,
                });
            }
        }
        wanted
    }

    /// Whether there is a partition that would be asked for if what is held of it were taken.
    pub(crate) fn is_full_somewhere(&self) -> bool {
        let is_full = |part: &Part| part.is_wanted() && part.pieces.len() >= PIECES_MAX;
        self.buffered >= self.buffer_bytes.max(1) || self.parts.values().any(is_full)
    }

    /// It could not be asked for now: as if it had not been.
    pub(crate) fn put_back(&mut self, asked: &Asked) {
        if let Some(part) = self.current(asked) {
            part.is_asked = false;
        }
    }

    /// When to ask again, if nothing happens before.
    pub(crate) fn deadline(&self, now: Moment) -> Option<Moment> {
        let waits = self.parts.values().filter(|part| part.is_wanted() && part.not_before > now);
        waits.map(|part| part.not_before).min()
    }

    fn current(&mut self, asked: &Asked) -> Option<&mut Part> {
        self.parts.get_mut(&asked.id).filter(|part| part.generation == asked.generation)
    }

    /// The place that was looked for.
    pub(crate) fn found(&mut self, asked: &Asked, offset: Offset) {
        if let Some(part) = self.current(asked) {
            (part.is_asked, part.failures, part.next) = (false, 0, Ask::Fetch(offset));
            // What is held is given before: it was not dealt with because the log goes on elsewhere.
            if part.pieces.is_empty() {
                part.position = Some(offset);
            }
        }
    }

    /// Records, which may be none, and where the next begin.
    pub(crate) fn fetched(&mut self, asked: &Asked, fetched: Fetched, next: Offset, high_watermark: Offset) {
        let Some(part) = self.current(asked) else { return };
        (part.is_asked, part.failures, part.high_watermark) = (false, 0, Some(high_watermark));
        part.next = Ask::Fetch(next);
        if !fetched.bytes.is_empty() {
            let bytes = fetched.bytes.len();
            part.pieces.push_back((fetched, next));
            self.buffered += bytes;
            self.filled.push_back(asked.id);
        }
    }

    /// No answer, or one that may be another the next time: it is asked again after a pause.
    pub(crate) fn failed(&mut self, asked: &Asked, now: Moment) {
        if let Some(part) = self.current(asked) {
            part.is_asked = false;
            part.not_before = now + PAUSE_FIRST.saturating_mul(1 << part.failures.min(8)).min(PAUSE_MOST);
            part.failures = part.failures.saturating_add(1);
        }
    }

    /// There is no such offset: it goes on where the rule says, or tells the program.
    pub(crate) fn out_of_range(&mut self, asked: &Asked, offset: Offset) {
        let reset = self.reset;
        match reset {
            Reset::Earliest | Reset::Latest => {
                let Some(part) = self.current(asked) else { return };
                let start = if reset == Reset::Earliest { Start::Earliest } else { Start::Latest };
                (part.is_asked, part.next) = (false, Ask::Find(start));
            }
            Reset::Fail => {
                let (topic, partition) = (asked.topic.clone(), asked.partition);
                self.refused(asked, ConsumeError::OutOfRange { topic, partition, offset });
            }
        }
    }

    /// Asking again would not help: the program is told once, and goes on when it has sought.
    pub(crate) fn refused(&mut self, asked: &Asked, error: ConsumeError) {
        if let Some(part) = self.current(asked) {
            (part.is_asked, part.failure) = (false, Some(error));
            self.filled.push_back(asked.id);
        }
    }

    /// The next piece to read, or what is to be told instead.
    pub(crate) fn take(&mut self) -> Option<Result<Taken, ConsumeError>> {
        let is_given = |id: &PartId| self.parts.get(id).is_some_and(|part| !part.is_paused);
        let place = self.filled.iter().position(is_given)?;
        let id = self.filled.remove(place)?;
        let part = self.parts.get_mut(&id)?;
        let Some((fetched, next)) = part.pieces.pop_front() else { return part.failure.clone().map(Err) };
        self.buffered -= fetched.bytes.len();
        let (ticket, topic) = (Ticket { id, generation: part.generation, next }, part.topic.clone());
        Some(Ok(Taken { ticket, topic, partition: part.partition, fetched }))
    }

    /// A piece was read: the program is given what is before `Rest`, unless somebody sought elsewhere meanwhile, or took the
    /// partition away. What can't be read is not passed over: the program is told, behind what is good before it, and goes
    /// on when it has sought.
    #[must_use]
    pub(crate) fn give(&mut self, taken: Ticket, rest: Rest) -> bool {
        let part = self.parts.get_mut(&taken.id).filter(|part| part.generation == taken.generation);
        let Some(part) = part else { return false };
        match rest {
            Rest::Nothing => part.position = Some(part.behind(taken.next)),
            Rest::More(rest) => {
                part.position = Some(rest.from);
                self.buffered += rest.bytes.len();
                part.pieces.push_front((rest, taken.next));
                self.filled.push_front(taken.id);
            }
            Rest::Damaged(damaged) => {
                self.clear(taken.id);
                self.parts.entry(taken.id).and_modify(|part| {
                    (part.position, part.failure) = (Some(damaged.offset), Some(ConsumeError::Damaged(damaged)));
                });
                self.filled.push_front(taken.id);
            }
        }
        true
    }
}

impl Part {
    fn new(topic: Arc<str>, partition: PartitionIndex) -> Part {
        Part {
            topic,
            partition,
            generation: 0,
            is_paused: false,
            is_leaving: false,
            is_asked: false,
            next: Ask::Find(Start::Earliest),
            position: None,
            settled: None,
            committed: None,
            pieces: VecDeque::new(),
            failure: None,
            not_before: Moment::from_nanos(0),
            failures: 0,
            high_watermark: None,
        }
    }

    /// Whether the program may be given something of it.
    fn is_wanted(&self) -> bool {
        !self.is_paused && !self.is_leaving
    }

    /// Where it goes on behind a piece that ends there: elsewhere, where the log didn't go on.
    fn behind(&self, end: Offset) -> Offset {
        match (self.pieces.front(), self.next) {
            (Some((held, _)), _) => held.from,
            (None, Ask::Fetch(next)) => next,
            (None, Ask::Find(_)) => end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use thalweg_wire::ErrorCode;

    const ZERO: PartitionIndex = PartitionIndex(0);

    fn at(millis: u64) -> Moment {
        Moment::from_nanos(1_000_000_000) + Duration::from_millis(millis)
    }

    /// A consumer that reads so many partitions from offset 10 on, and holds 100 bytes.
    fn positions(partitions: i32, reset: Reset) -> Positions {
        let mut positions = Positions::new(100, reset);
        positions.assign((0..partitions).map(|index| ("t".into(), PartitionIndex(index), Start::Offset(Offset(10)))));
        positions
    }

    fn piece(asked: &Asked, bytes: usize) -> Fetched {
        let Ask::Fetch(from) = asked.what else { panic!("{asked:?}") };
        Fetched { bytes: Bytes::from(vec![0; bytes]), aborted: Vec::new(), from }
    }

    fn only(mut asked: Vec<Asked>) -> Asked {
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }

    #[test]
    fn two_pieces_are_held_and_the_position_is_that_of_what_was_given() {
        let mut positions = positions(1, Reset::Fail);
        for end in [20, 30] {
            let asked = only(positions.wanted(at(0)));
            assert_eq!(positions.wanted(at(0)), [], "it is on its way");
            positions.fetched(&asked, piece(&asked, 10), Offset(end), Offset(99));
        }
        assert_eq!(positions.wanted(at(0)), []);
        assert_eq!(positions.position("t", ZERO), Some(Offset(10)));
        let taken = positions.take().unwrap().unwrap();
        assert_eq!(taken.fetched.from, Offset(10));
        assert!(positions.give(taken.ticket, Rest::Nothing));
        assert_eq!(positions.position("t", ZERO), Some(Offset(20)));
        assert_eq!(only(positions.wanted(at(0))).what, Ask::Fetch(Offset(30)));
        assert_eq!(positions.high_watermark("t", ZERO), Some(Offset(99)));
    }

    #[test]
    fn a_full_buffer_asks_for_nothing_until_something_is_taken() {
        let mut positions = positions(3, Reset::Fail);
        let mut asked = positions.wanted(at(0));
        asked.sort_by_key(|asked| asked.id);
        positions.fetched(&asked[0], piece(&asked[0], 60), Offset(20), Offset(99));
        positions.fetched(&asked[1], piece(&asked[1], 60), Offset(20), Offset(99));
        positions.fetched(&asked[2], piece(&asked[2], 0), Offset(10), Offset(10));
        assert_eq!(positions.wanted(at(0)), []);
        assert_eq!(positions.take().unwrap().unwrap().partition, ZERO, "in the order in which they came");
        assert_eq!(positions.wanted(at(0)).len(), 3);
    }

    #[test]
    fn an_answer_from_before_a_seek_or_an_assignment_is_nobodys() {
        let mut positions = positions(1, Reset::Fail);
        let before = only(positions.wanted(at(0)));
        assert!(positions.seek("t", ZERO, Start::Offset(Offset(5))));
        let after = only(positions.wanted(at(0)));
        positions.fetched(&before, piece(&before, 10), Offset(20), Offset(99));
        positions.failed(&before, at(0));
        assert!(positions.take().is_none());
        positions.fetched(&after, piece(&after, 10), Offset(8), Offset(99));
        assert_eq!(positions.take().unwrap().unwrap().fetched.from, Offset(5));

        let before = only(positions.wanted(at(0)));
        positions.assign([("u".into(), ZERO, Start::Latest)]);
        positions.fetched(&before, piece(&before, 10), Offset(20), Offset(99));
        assert!(positions.take().is_none());
        assert_eq!((positions.position("t", ZERO), positions.buffered), (None, 0));
        assert!(!positions.seek("t", ZERO, Start::Earliest), "it is not assigned any more");
        let find = only(positions.wanted(at(0)));
        assert_eq!(find.what, Ask::Find(Start::Latest));
        positions.found(&find, Offset(70));
        assert_eq!(only(positions.wanted(at(0))).what, Ask::Fetch(Offset(70)));
    }

    #[test]
    fn what_is_paused_is_neither_asked_for_nor_given_and_takes_no_room() {
        let mut positions = positions(2, Reset::Fail);
        let mut asked = positions.wanted(at(0));
        asked.sort_by_key(|asked| asked.id);
        positions.fetched(&asked[0], piece(&asked[0], 10), Offset(20), Offset(99));
        positions.fetched(&asked[1], piece(&asked[1], 10), Offset(20), Offset(99));
        positions.pause("t", ZERO, true);
        assert_eq!(positions.take().unwrap().unwrap().partition, PartitionIndex(1));
        assert!(positions.take().is_none());
        assert_eq!(only(positions.wanted(at(0))).partition, PartitionIndex(1));
        assert_eq!(positions.buffered, 0);
        positions.pause("t", ZERO, false);
        let asked = only(positions.wanted(at(0)));
        assert_eq!((asked.partition, asked.what), (ZERO, Ask::Fetch(Offset(10))));
    }

    #[test]
    fn a_failure_is_asked_again_after_a_pause_that_grows() {
        let mut positions = positions(1, Reset::Fail);
        for (now, next) in [(0, 100), (100, 300), (300, 700), (700, 1_500), (1_500, 2_500), (2_500, 3_500)] {
            let asked = only(positions.wanted(at(now)));
            positions.failed(&asked, at(now));
            assert_eq!(positions.deadline(at(now)), Some(at(next)));
            assert_eq!(positions.wanted(at(next - 1)), []);
        }
    }

    #[test]
    fn an_offset_that_is_not_there_is_looked_for_or_told() {
        let mut lenient = positions(1, Reset::Latest);
        let asked = only(lenient.wanted(at(0)));
        lenient.out_of_range(&asked, Offset(10));
        assert_eq!(only(lenient.wanted(at(0))).what, Ask::Find(Start::Latest));

        let mut strict = positions(1, Reset::Fail);
        let asked = only(strict.wanted(at(0)));
        strict.out_of_range(&asked, Offset(10));
        let error = strict.take().unwrap().err().unwrap();
        assert!(matches!(error, ConsumeError::OutOfRange { offset: Offset(10), .. }));
        assert!(strict.take().is_none() && strict.wanted(at(0)).is_empty(), "told once");
        strict.seek("t", ZERO, Start::Offset(Offset(3)));
        assert_eq!(only(strict.wanted(at(0))).what, Ask::Fetch(Offset(3)));
    }

    // The log was cut short, or deleted as far as that: what came of it before is not dealt with for that.
    #[test]
    fn a_place_that_was_found_elsewhere_does_not_pass_over_what_is_held() {
        let mut positions = positions(1, Reset::Latest);
        let asked = only(positions.wanted(at(0)));
        positions.fetched(&asked, piece(&asked, 10), Offset(20), Offset(99));
        let asked = only(positions.wanted(at(0)));
        positions.out_of_range(&asked, Offset(20));
        let find = only(positions.wanted(at(0)));
        positions.found(&find, Offset(70));
        positions.settle();
        assert_eq!(positions.position("t", ZERO), Some(Offset(10)));
        assert_eq!(positions.uncommitted(), [], "nothing was given");
        let taken = positions.take().unwrap().unwrap();
        assert!(positions.give(taken.ticket, Rest::Nothing));
        assert_eq!(positions.position("t", ZERO), Some(Offset(70)), "it goes on there");
    }

    #[test]
    fn a_pause_while_a_piece_is_read_passes_over_none_of_it() {
        let mut positions = positions(1, Reset::Fail);
        for end in [20, 30] {
            let asked = only(positions.wanted(at(0)));
            positions.fetched(&asked, piece(&asked, 10), Offset(end), Offset(99));
        }
        let taken = positions.take().unwrap().unwrap();
        positions.pause("t", ZERO, true);
        assert!(!positions.give(taken.ticket, Rest::Nothing));
        positions.pause("t", ZERO, false);
        assert_eq!(only(positions.wanted(at(0))).what, Ask::Fetch(Offset(10)));
    }

    #[test]
    fn what_is_given_up_is_nobodys_to_seek_and_leaves_nothing_behind() {
        let mut positions = positions(2, Reset::Fail);
        let asked = positions.wanted(at(0)).into_iter().find(|asked| asked.partition == ZERO).unwrap();
        positions.fetched(&asked, piece(&asked, 10), Offset(20), Offset(99));
        let taken = positions.take().unwrap().unwrap();
        assert!(positions.give(taken.ticket, Rest::Nothing));
        positions.settle();
        let gone = [(Arc::from("t"), ZERO)];
        positions.leave(&gone);
        assert!(!positions.seek("t", ZERO, Start::Earliest) && !positions.pause("t", ZERO, true));
        assert_eq!((positions.position("t", ZERO), positions.high_watermark("t", ZERO)), (None, None));
        assert_eq!(positions.uncommitted(), [(Arc::from("t"), ZERO, Offset(20))], "what was given is still committed");
        positions.remove(&gone);
        assert_eq!((positions.parts.len(), positions.by_name.len()), (1, 1));
        positions.add("t".into(), ZERO, Start::Offset(Offset(20)));
        assert_eq!(positions.high_watermark("t", ZERO), None, "that was another time");
    }

    #[test]
    fn what_came_before_a_refusal_is_given_before_it() {
        let mut positions = positions(1, Reset::Fail);
        let asked = only(positions.wanted(at(0)));
        positions.fetched(&asked, piece(&asked, 10), Offset(20), Offset(99));
        let asked = only(positions.wanted(at(0)));
        let (topic, partition, code) = ("t".into(), ZERO, ErrorCode::TopicAuthorizationFailed);
        positions.refused(&asked, ConsumeError::Refused { topic, partition, code });
        assert!(positions.take().unwrap().is_ok());
        assert!(positions.take().unwrap().is_err());
    }
}
