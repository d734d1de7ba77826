//! Fetch sessions (KIP-227): what a client wants is remembered, so that requests carry what changed, and so do answers.
//!
//! A full fetch (epoch 0) opens a session, its answer says the id. Requests behind it count up from epoch 1; they name
//! partitions that are new or changed, and ones to forget. An answer has partitions with records, news of their marks, or
//! an error. Whoever isn't known, or is out of step, is told so and begins again with a full fetch.
//!
//! There are `max.incremental.fetch.session.cache.slots` sessions, and [`PARTITIONS_MAX`] partitions in all of them, none
//! of a topic with a name that no topic can have. A full house gives the place of who was silent for two minutes, else of
//! the smallest that has stood for so long, if it is smaller; else there is no session, which the protocol allows: id 0.
//!
//! A session listens to its partitions from its first look at each until it is forgotten, or the session ends.
//!
//! Locks: a session, and under it the table of sessions, or that of partitions and then a partition.

mod ready;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use thalweg_coordinators::cluster::NAME_LENGTH_MAX;
use thalweg_wire::{ErrorCode, LeaderEpoch, Moment, Offset, PartitionIndex, TopicId};
use thalweg_world::rng::Entropy;

use crate::partitions::Partitions;
use ready::State;
pub use ready::{Horizon, Moves, Ready, Records, Scope, Session, Ticket};

/// Partitions in all sessions. Each takes up to 450 bytes, and up to 249 for the name of its topic where it is the only one
/// of it: 92 MB at the very most.
pub const PARTITIONS_MAX: usize = 128 << 10;

/// How long a session is safe from others (`min.incremental.fetch.session.eviction.ms` in Kafka).
const SAFE_FOR: Duration = Duration::from_secs(120);

/// A topic as the requests of a session name it: by name up to v12, by id from v13 on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TopicKey {
    /// Its name; empty from v13 on.
    pub name: String,
    /// Its id; zero before v13.
    pub id: TopicId,
}

/// A partition of a request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    /// Its topic.
    pub topic: Arc<TopicKey>,
    /// Its number.
    pub index: PartitionIndex,
}

impl Key {
    /// Whether its topic's name is one that a topic may have: any other is a peer's, and as long as it likes.
    fn is_bounded(&self) -> bool {
        self.topic.name.len() <= NAME_LENGTH_MAX
    }
}

/// What a client wants of a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interest {
    /// From where.
    pub offset: Offset,
    /// The leader epoch that the client knows; negative is none.
    pub current_epoch: LeaderEpoch,
    /// The epoch of the last record that it has; negative is none.
    pub last_fetched_epoch: LeaderEpoch,
    /// How much, in bytes, as the client said it.
    pub max_bytes: i32,
}

/// What an answer says of a partition, as far as it is news or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// Its marks, and whether records come with them.
    Marks {
        /// The high watermark.
        high_watermark: Offset,
        /// The log start.
        log_start: Offset,
        /// What there is of records.
        records: Records,
    },
    /// Something that is said each time: an error, or a diverging epoch.
    Always,
}

/// How many sessions there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Sessions.
    pub sessions: usize,
    /// Partitions in all of them.
    pub partitions: usize,
}

/// All sessions of the broker.
pub struct FetchSessions {
    slots: usize,
    entropy: Arc<dyn Entropy>,
    partitions: Arc<Partitions>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    by_id: HashMap<i32, Slot>,
    /// In all of them.
    partitions: usize,
}

struct Slot {
    session: Arc<Session>,
    opened: Moment,
    used: Moment,
    /// As counted in [`Table::partitions`].
    partitions: usize,
}

/// A session that goes on.
pub struct Resumed {
    /// To tell it what was answered.
    pub session: Arc<Session>,
    /// What is to be looked at, in order.
    pub wanted: Vec<Ready>,
    /// How many partitions there are besides, none of which has anything to tell.
    pub quiet: usize,
    /// To ask for what is news behind that.
    pub horizon: Horizon,
}

/// How the requests of a session name topics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Naming {
    /// By name, up to v12.
    Names,
    /// By id, from v13 on.
    Ids,
}

impl FetchSessions {
    /// None yet; at most so many.
    pub fn new(slots: usize, entropy: Arc<dyn Entropy>, partitions: Arc<Partitions>) -> FetchSessions {
        FetchSessions { slots, entropy, partitions, table: Mutex::default() }
    }

    /// How many there are.
    pub fn size(&self) -> Size {
        let table = self.table();
        Size { sessions: table.by_id.len(), partitions: table.partitions }
    }

    /// Ends a session, if there is one of that id.
    pub fn close(&self, id: i32) {
        let ended = self.table().remove(id);
        // It leaves its partitions then. Not under the table's lock.
        drop(ended);
    }

    /// The next request of a session: what it has to look at, in order. An empty session ends.
    ///
    /// # Errors
    /// What the client is told; it begins again with a full fetch.
    pub fn resume(
        &self,
        now: Moment,
        (id, epoch): (i32, i32),
        naming: Naming,
        (changed, forgotten): (Vec<(Key, Interest)>, &[Key]),
        scope: Scope,
    ) -> Result<Resumed, ErrorCode> {
        let session = {
            let mut table = self.table();
            let Some(slot) = table.by_id.get_mut(&id) else { return Err(ErrorCode::FetchSessionIdNotFound) };
            slot.used = now;
            slot.session.clone()
        };
        // Not under the table's lock: one client of many partitions holds nobody else up.
        let mut state = session.state();
        if state.epoch != epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.naming != naming {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        if !changed.iter().all(|(key, _)| key.is_bounded()) {
            self.close(id);
            return Err(ErrorCode::FetchSessionIdNotFound);
        }
        for (key, interest) in changed {
            state.want(key, interest, None);
        }
        for key in forgotten {
            state.forget(key);
        }
        state.epoch = next_epoch(epoch);
        let (wanted, horizon) = state.list(scope);
        let partitions = state.len();
        drop(state);
        if !self.table().resize(id, partitions) {
            return Err(ErrorCode::FetchSessionIdNotFound);
        }
        Ok(Resumed { session, quiet: partitions - wanted.len(), wanted, horizon })
    }

    /// Opens a session for what a full fetch was answered; its id, or 0 where there is no room.
    pub fn open(&self, now: Moment, naming: Naming, answered: Vec<(Key, Interest, Told)>) -> i32 {
        if answered.is_empty() || !answered.iter().all(|(key, ..)| key.is_bounded()) {
            return 0;
        }
        // They leave their partitions when this function does, and no longer holds the table.
        let mut ended = Vec::new();
        let mut table = self.table();
        if !table.make_room(now, answered.len(), self.slots, &mut ended) {
            return 0;
        }
        let id = loop {
            let mut bytes = [0; 4];
            self.entropy.fill(&mut bytes);
            let id = i32::from_be_bytes(bytes) & i32::MAX;
            if id != 0 && !table.by_id.contains_key(&id) {
                break id;
            }
        };
        let mut state = State::new(self.partitions.clone());
        for (key, interest, told) in answered {
            state.want(key, interest, Some(told));
        }
        let partitions = state.len();
        let session = Arc::new(Session::new(id, naming, state));
        table.partitions += partitions;
        table.by_id.insert(id, Slot { session, opened: now, used: now, partitions });
        id
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "no code panics while it holds a session";

impl Table {
    #[must_use = "it leaves its partitions when it is dropped: not under the table's lock"]
    fn remove(&mut self, id: i32) -> Option<Arc<Session>> {
        let slot = self.by_id.remove(&id)?;
        self.partitions -= slot.partitions;
        Some(slot.session)
    }

    /// A session, which the caller holds, has so many partitions now. Without any it ends; whether all of them find room.
    fn resize(&mut self, id: i32, partitions: usize) -> bool {
        if let Some(slot) = self.by_id.get_mut(&id) {
            let before = std::mem::replace(&mut slot.partitions, partitions);
            self.partitions = self.partitions - before + partitions;
        }
        let fits = self.partitions <= PARTITIONS_MAX;
        if partitions == 0 || !fits {
            drop(self.remove(id));
        }
        fits
    }

    /// Whether there is room for one of that size, for which others may have to go.
    fn make_room(&mut self, now: Moment, partitions: usize, slots: usize, ended: &mut Vec<Arc<Session>>) -> bool {
        while self.by_id.len() >= slots || self.partitions + partitions > PARTITIONS_MAX {
            let silent = self.by_id.iter().min_by_key(|(id, slot)| (slot.used, **id));
            let Some((&silent, slot)) = silent else { return false };
            if now.since(slot.used) > SAFE_FOR {
                ended.extend(self.remove(silent));
                continue;
            }
            let settled = self.by_id.iter().filter(|(_, slot)| now.since(slot.opened) > SAFE_FOR);
            let smallest = settled.min_by_key(|(id, slot)| (slot.partitions, **id));
            match smallest.map(|(id, slot)| (*id, slot.partitions)) {
                Some((id, size)) if size < partitions => ended.extend(self.remove(id)),
                _ => return false,
            }
        }
        true
    }
}

/// Behind the largest comes 1: 0 opens a session.
fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waiters::{Waiters, Wakes};
    use thalweg_log::write_out::{Thresholds, WriteOut};
    use thalweg_world::simulated::SimulatedWorld;

    fn sessions(slots: usize) -> FetchSessions {
        let partitions = Partitions::new(WriteOut::new(Thresholds::for_journal(1 << 20)));
        FetchSessions::new(slots, SimulatedWorld::new(1).world.entropy.clone(), Arc::new(partitions))
    }

    fn at(seconds: u64) -> Moment {
        Moment::ZERO + Duration::from_secs(seconds)
    }

    fn key(index: i32) -> Key {
        let topic = Arc::new(TopicKey { name: "t".to_owned(), id: TopicId::ZERO });
        Key { topic, index: PartitionIndex(index) }
    }

    fn from(offset: i64) -> Interest {
        let none = LeaderEpoch::NONE;
        Interest { offset: Offset(offset), current_epoch: none, last_fetched_epoch: none, max_bytes: 100 }
    }

    fn marks(high_watermark: i64, records: Records) -> Told {
        Told::Marks { high_watermark: Offset(high_watermark), log_start: Offset(0), records }
    }

    fn open(sessions: &FetchSessions, now: Moment, partitions: i32) -> i32 {
        let answered = (0..partitions).map(|index| (key(index), from(0), marks(5, Records::None))).collect();
        sessions.open(now, Naming::Ids, answered)
    }

    fn order(wanted: &[Ready]) -> Vec<(i32, i64)> {
        wanted.iter().map(|ready| (ready.key.index.0, ready.interest.offset.0)).collect()
    }

    /// The next request of a session.
    fn resume(
        sessions: &FetchSessions,
        now: Moment,
        at: (i32, i32),
        changed: Vec<(Key, Interest)>,
        forgotten: &[Key],
    ) -> Result<Resumed, ErrorCode> {
        sessions.resume(now, at, Naming::Ids, (changed, forgotten), Scope::Ready)
    }

    /// An answer that tells this of the partitions that were asked for; which of them it names.
    fn answer(resumed: &Resumed, told: &[Told]) -> Vec<bool> {
        assert_eq!(resumed.wanted.len(), told.len());
        resumed.session.answer(resumed.wanted.iter().zip(told).map(|(ready, told)| (ready.ticket, *told)))
    }

    #[test]
    fn a_session_remembers_what_is_wanted_and_tells_what_changed() {
        let sessions = sessions(10);
        let id = open(&sessions, at(0), 3);
        assert_ne!(id, 0);
        let resumed = resume(&sessions, at(1), (id, 1), vec![(key(3), from(7))], &[key(1)]).unwrap();
        assert_eq!(order(&resumed.wanted), [(0, 0), (2, 0), (3, 7)]);
        let told = [marks(5, Records::None), marks(6, Records::Given), marks(5, Records::None)];
        assert_eq!(answer(&resumed, &told), [false, true, true], "a new partition is always told of");
        let resumed = resume(&sessions, at(2), (id, 2), vec![(key(0), from(9)), (key(3), from(7))], &[]).unwrap();
        assert_eq!(order(&resumed.wanted), [(0, 9), (3, 7), (2, 0)], "who gave records comes last");
        let told = [Told::Always, marks(5, Records::None), marks(6, Records::None)];
        assert_eq!(answer(&resumed, &told), [true, false, false]);
        let resumed = resume(&sessions, at(3), (id, 3), Vec::new(), &[]).unwrap();
        assert_eq!(answer(&resumed, &[marks(5, Records::None)]), [true], "the error went away");
    }

    #[test]
    fn who_is_out_of_step_begins_again() {
        let sessions = sessions(10);
        let id = open(&sessions, at(0), 1);
        let resume =
            |id, epoch, naming| sessions.resume(at(1), (id, epoch), naming, (Vec::new(), &[]), Scope::Ready).map(drop);
        assert_eq!(resume(id, 2, Naming::Ids), Err(ErrorCode::InvalidFetchSessionEpoch));
        assert_eq!(resume(id, 1, Naming::Names), Err(ErrorCode::FetchSessionTopicIdError));
        assert_eq!(resume(id ^ 1, 1, Naming::Ids), Err(ErrorCode::FetchSessionIdNotFound));
        assert_eq!(resume(id, 1, Naming::Ids), Ok(()));
        assert_eq!(resume(id, 1, Naming::Ids), Err(ErrorCode::InvalidFetchSessionEpoch), "the same again");
        sessions.close(id);
        assert_eq!(resume(id, 2, Naming::Ids), Err(ErrorCode::FetchSessionIdNotFound));
        assert_eq!(next_epoch(i32::MAX), 1);
        let id = open(&sessions, at(0), 1);
        let emptied = (Vec::new(), &[key(0)][..]);
        let emptied = sessions.resume(at(1), (id, 1), Naming::Ids, emptied, Scope::Ready).unwrap();
        assert!(emptied.wanted.is_empty());
        assert_eq!(resume(id, 2, Naming::Ids), Err(ErrorCode::FetchSessionIdNotFound), "an empty session has ended");
    }

    #[test]
    fn a_full_house_gives_the_place_of_the_silent_or_of_the_smallest_that_stood_long() {
        let sessions = sessions(2);
        let (small, large) = (open(&sessions, at(0), 2), open(&sessions, at(0), 5));
        assert_eq!(open(&sessions, at(10), 9), 0, "nobody has stood for long");
        for (id, epoch) in [(small, 1), (large, 1)] {
            resume(&sessions, at(121), (id, epoch), Vec::new(), &[]).unwrap();
        }
        assert_eq!(open(&sessions, at(122), 2), 0, "not larger than the smallest");
        let larger = open(&sessions, at(122), 3);
        assert_ne!(larger, 0);
        let resume = |now, id, epoch| resume(&sessions, now, (id, epoch), Vec::new(), &[]).map(drop);
        assert_eq!(resume(at(123), small, 2), Err(ErrorCode::FetchSessionIdNotFound));
        assert_eq!(resume(at(240), larger, 1), Ok(()));
        assert_ne!(open(&sessions, at(243), 1), 0, "the large one was silent");
        assert_eq!(resume(at(244), large, 2), Err(ErrorCode::FetchSessionIdNotFound));
    }

    #[test]
    fn a_name_that_no_topic_can_have_is_not_kept() {
        let sessions = sessions(10);
        let topic = Arc::new(TopicKey { name: "x".repeat(NAME_LENGTH_MAX + 1), id: TopicId::ZERO });
        let long = Key { topic, index: PartitionIndex(0) };
        assert_eq!(sessions.open(at(0), Naming::Names, vec![(long.clone(), from(0), Told::Always)]), 0);
        let id = open(&sessions, at(0), 1);
        let resumed = resume(&sessions, at(1), (id, 1), vec![(long, from(0))], &[]);
        assert_eq!(resumed.map(drop), Err(ErrorCode::FetchSessionIdNotFound));
    }

    #[test]
    fn partitions_of_all_sessions_are_bounded() {
        let sessions = sessions(10);
        let half = PARTITIONS_MAX as i32 / 2 + 1;
        let first = open(&sessions, at(0), half);
        assert_ne!(first, 0);
        assert_eq!(open(&sessions, at(1), half), 0);
        sessions.close(first);
        assert_ne!(open(&sessions, at(1), half), 0);
    }

    /// A session of so many partitions that has looked at all of them and found nothing.
    fn settled(sessions: &FetchSessions, partitions: i32) -> i32 {
        let id = open(sessions, at(0), partitions);
        let first = resume(sessions, at(1), (id, 1), Vec::new(), &[]).unwrap();
        assert_eq!((first.wanted.len(), first.quiet), (partitions as usize, 0));
        answer(&first, &vec![marks(5, Records::None); partitions as usize]);
        id
    }

    /// A partition of the session moves.
    fn moves(session: &Session, slot: u64) {
        let (mut waiters, mut wakes) = (Waiters::default(), Wakes::default());
        waiters.subscribe(&session.arrivals, slot);
        waiters.high_watermark(Offset(6), &mut wakes);
        wakes.fire();
    }

    #[test]
    fn only_what_moved_is_looked_at() {
        let sessions = sessions(10);
        let id = settled(&sessions, 10_000);
        let quiet = resume(&sessions, at(2), (id, 2), Vec::new(), &[]).unwrap();
        assert_eq!((quiet.wanted.len(), quiet.quiet), (0, 10_000));
        moves(&quiet.session, 77);
        let moved = resume(&sessions, at(3), (id, 3), vec![(key(9), from(4))], &[]).unwrap();
        assert_eq!((order(&moved.wanted), moved.quiet), (vec![(9, 4), (77, 0)], 9_998));
    }

    /// Whether records fitted or not: the client may come back with the same offset.
    #[test]
    fn a_partition_is_looked_at_until_a_look_finds_nothing() {
        let sessions = sessions(10);
        let id = settled(&sessions, 3);
        let quiet = resume(&sessions, at(2), (id, 2), Vec::new(), &[]).unwrap();
        moves(&quiet.session, 1);
        let records = [Records::Withheld, Records::Given, Records::Given].map(|records| marks(6, records));
        let told = [&records[..], &[Told::Always, Told::Always, marks(6, Records::None)]].concat();
        for (epoch, told) in (3..).zip(told) {
            let resumed = resume(&sessions, at(3), (id, epoch), Vec::new(), &[]).unwrap();
            assert_eq!(order(&resumed.wanted), [(1, 0)], "epoch {epoch}");
            answer(&resumed, &[told]);
        }
        assert!(resume(&sessions, at(3), (id, 9), Vec::new(), &[]).unwrap().wanted.is_empty());
    }

    /// The first request looks, then the partition moves, the second takes that up, and the first is answered last.
    #[test]
    fn a_look_that_came_before_a_move_does_not_hide_it() {
        let sessions = sessions(10);
        let id = settled(&sessions, 3);
        let first = resume(&sessions, at(2), (id, 2), vec![(key(1), from(0))], &[]).unwrap();
        assert_eq!(order(&first.wanted), [(1, 0)]);
        moves(&first.session, 1);
        let second = resume(&sessions, at(2), (id, 3), Vec::new(), &[]).unwrap();
        assert_eq!(answer(&second, &[marks(6, Records::Withheld)]), [true]);
        assert_eq!(answer(&first, &[marks(5, Records::None)]), [true], "as it was seen");
        let third = resume(&sessions, at(2), (id, 4), Vec::new(), &[]).unwrap();
        assert_eq!(order(&third.wanted), [(1, 0)]);
    }

    /// A request that waits hears also what another one took out of the arrivals.
    #[test]
    fn each_request_has_its_own_horizon() {
        let sessions = sessions(10);
        let id = settled(&sessions, 3);
        let first = resume(&sessions, at(2), (id, 2), Vec::new(), &[]).unwrap();
        moves(&first.session, 2);
        let second = resume(&sessions, at(2), (id, 3), vec![(key(8), from(0))], &[]).unwrap();
        assert_eq!(order(&second.wanted), [(2, 0), (8, 0)]);
        let (news, horizon) = first.session.news(first.horizon, Moves::Waking);
        assert_eq!(order(&news), [(2, 0)], "what joined later is not for it");
        assert!(first.session.news(horizon, Moves::Waking).0.is_empty(), "it knows that now");
    }
}
