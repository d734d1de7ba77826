//! Fetch sessions (KIP-227): what a client wants is remembered, so that requests carry what changed, and so do answers.
//!
//! A full fetch (epoch 0) opens a session, its answer says the id. Requests behind it count up from epoch 1; they name
//! partitions that are new or changed, and ones to forget. An answer has partitions with records, news of their marks, or
//! an error. Whoever isn't known, or is out of step, is told so and begins again with a full fetch.
//!
//! There are `max.incremental.fetch.session.cache.slots` sessions, and [`PARTITIONS_MAX`] partitions in all of them, none
//! of a topic with a name that no topic can have. A full house gives the place of who was silent for two minutes, else of the smallest that has stood for so long, if it is
//! smaller; else there is no session, which the protocol allows: id 0.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use thalweg_coordinators::cluster::NAME_LENGTH_MAX;
use thalweg_wire::{ErrorCode, LeaderEpoch, Moment, Offset, PartitionIndex, TopicId};
use thalweg_world::rng::Entropy;

/// Partitions in all sessions. Each takes about 200 bytes, and up to 249 for the name of its topic where it is the only one
/// of it: 60 MB at the very most.
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
        /// Whether there are records.
        records: bool,
    },
    /// Something that is said each time: an error, or a diverging epoch.
    Always,
}

/// All sessions of the broker.
pub struct FetchSessions {
    slots: usize,
    entropy: Arc<dyn Entropy>,
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

/// One session.
pub struct Session {
    id: i32,
    naming: Naming,
    state: Mutex<State>,
}

/// A session that goes on.
pub struct Resumed {
    /// To tell it what was answered.
    pub session: Arc<Session>,
    /// What its client wants now, in order.
    pub wanted: Vec<(Key, Interest)>,
}

/// How the requests of a session name topics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Naming {
    /// By name, up to v12.
    Names,
    /// By id, from v13 on.
    Ids,
}

struct State {
    /// The epoch that the next request has to carry.
    epoch: i32,
    /// In the order in which they are served: who gave records goes to the end.
    entries: BTreeMap<u64, Entry>,
    places: HashMap<Key, u64>,
    next: u64,
}

struct Entry {
    key: Key,
    interest: Interest,
    high_watermark: Offset,
    log_start: Offset,
}

/// A mark that no partition has: whatever comes is news.
const NEVER_TOLD: Offset = Offset(-1);

impl FetchSessions {
    /// None yet; at most so many.
    pub fn new(slots: usize, entropy: Arc<dyn Entropy>) -> FetchSessions {
        FetchSessions { slots, entropy, table: Mutex::default() }
    }

    /// Ends a session, if there is one of that id.
    pub fn close(&self, id: i32) {
        self.table().remove(id);
    }

    /// The next request of a session: what it wants now, in order. An empty session ends.
    ///
    /// # Errors
    /// What the client is told; it begins again with a full fetch.
    pub fn resume(
        &self,
        now: Moment,
        (id, epoch): (i32, i32),
        naming: Naming,
        changed: Vec<(Key, Interest)>,
        forgotten: &[Key],
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
        let wanted: Vec<_> = state.entries.values().map(|entry| (entry.key.clone(), entry.interest)).collect();
        drop(state);
        if !self.table().resize(id, wanted.len()) {
            return Err(ErrorCode::FetchSessionIdNotFound);
        }
        Ok(Resumed { session, wanted })
    }

    /// Opens a session for what a full fetch was answered; its id, or 0 where there is no room.
    pub fn open(&self, now: Moment, naming: Naming, answered: Vec<(Key, Interest, Told)>) -> i32 {
        let mut table = self.table();
        if answered.is_empty()
            || !answered.iter().all(|(key, ..)| key.is_bounded())
            || !table.make_room(now, answered.len(), self.slots)
        {
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
        let mut state = State { epoch: 1, entries: BTreeMap::new(), places: HashMap::new(), next: 0 };
        for (key, interest, told) in answered {
            state.want(key, interest, Some(told));
        }
        let partitions = state.entries.len();
        let session = Arc::new(Session { id, naming, state: Mutex::new(state) });
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
    fn remove(&mut self, id: i32) {
        if let Some(slot) = self.by_id.remove(&id) {
            self.partitions -= slot.partitions;
        }
    }

    /// A session has so many partitions now. Without any it ends; whether all of them find room.
    fn resize(&mut self, id: i32, partitions: usize) -> bool {
        if let Some(slot) = self.by_id.get_mut(&id) {
            let before = std::mem::replace(&mut slot.partitions, partitions);
            self.partitions = self.partitions - before + partitions;
        }
        let fits = self.partitions <= PARTITIONS_MAX;
        if partitions == 0 || !fits {
            self.remove(id);
        }
        fits
    }

    /// Whether there is room for one of that size, for which others may have to go.
    fn make_room(&mut self, now: Moment, partitions: usize, slots: usize) -> bool {
        while self.by_id.len() >= slots || self.partitions + partitions > PARTITIONS_MAX {
            let silent = self.by_id.iter().min_by_key(|(id, slot)| (slot.used, **id));
            let Some((&silent, slot)) = silent else { return false };
            if now.since(slot.used) > SAFE_FOR {
                self.remove(silent);
                continue;
            }
            let settled = self.by_id.iter().filter(|(_, slot)| now.since(slot.opened) > SAFE_FOR);
            let smallest = settled.min_by_key(|(id, slot)| (slot.partitions, **id));
            match smallest.map(|(id, slot)| (*id, slot.partitions)) {
                Some((id, size)) if size < partitions => self.remove(id),
                _ => return false,
            }
        }
        true
    }
}

impl Session {
    /// Its id.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Which of these partitions an answer has to name, in the order given; from now on the client knows of them.
    pub fn answer(&self, told: &[(Key, Told)]) -> Vec<bool> {
        let mut state = self.state();
        told.iter().map(|(key, told)| state.tell(key, *told)).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNPOISONED)
    }
}

impl State {
    fn want(&mut self, key: Key, interest: Interest, told: Option<Told>) {
        if let Some(entry) = self.places.get(&key).and_then(|place| self.entries.get_mut(place)) {
            entry.interest = interest;
            return;
        }
        let (high_watermark, log_start) = match told {
            Some(Told::Marks { high_watermark, log_start, .. }) => (high_watermark, log_start),
            Some(Told::Always) | None => (NEVER_TOLD, NEVER_TOLD),
        };
        self.places.insert(key.clone(), self.next);
        self.entries.insert(self.next, Entry { key, interest, high_watermark, log_start });
        self.next += 1;
    }

    fn forget(&mut self, key: &Key) {
        if let Some(place) = self.places.remove(key) {
            self.entries.remove(&place);
        }
    }

    /// Whether it is to be said.
    fn tell(&mut self, key: &Key, told: Told) -> bool {
        // One that was forgotten meanwhile is no longer asked for.
        let Some(place) = self.places.get_mut(key) else { return false };
        let Some(entry) = self.entries.get_mut(place) else { return false };
        match told {
            Told::Always => {
                // When the error goes away, that is news.
                entry.high_watermark = NEVER_TOLD;
                true
            }
            Told::Marks { high_watermark, log_start, records } => {
                let moved = entry.high_watermark != high_watermark || entry.log_start != log_start;
                (entry.high_watermark, entry.log_start) = (high_watermark, log_start);
                if records && let Some(entry) = self.entries.remove(place) {
                    // The others are served before it next time, or a small limit would starve them.
                    *place = self.next;
                    self.entries.insert(self.next, entry);
                    self.next += 1;
                }
                moved || records
            }
        }
    }
}

/// Behind the largest comes 1: 0 opens a session.
fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_world::simulated::SimulatedWorld;

    fn sessions(slots: usize) -> FetchSessions {
        FetchSessions::new(slots, SimulatedWorld::new(1).world.entropy.clone())
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

    fn marks(high_watermark: i64, records: bool) -> Told {
        Told::Marks { high_watermark: Offset(high_watermark), log_start: Offset(0), records }
    }

    fn open(sessions: &FetchSessions, now: Moment, partitions: i32) -> i32 {
        let answered = (0..partitions).map(|index| (key(index), from(0), marks(5, false))).collect();
        sessions.open(now, Naming::Ids, answered)
    }

    fn order(wanted: &[(Key, Interest)]) -> Vec<(i32, i64)> {
        wanted.iter().map(|(key, interest)| (key.index.0, interest.offset.0)).collect()
    }

    #[test]
    fn a_session_remembers_what_is_wanted_and_tells_what_changed() {
        let sessions = sessions(10);
        let id = open(&sessions, at(0), 3);
        assert_ne!(id, 0);
        let Resumed { session, wanted } =
            sessions.resume(at(1), (id, 1), Naming::Ids, vec![(key(3), from(7))], &[key(1)]).unwrap();
        assert_eq!(order(&wanted), [(0, 0), (2, 0), (3, 7)]);
        let told = [(key(0), marks(5, false)), (key(2), marks(6, true)), (key(3), marks(5, false))];
        assert_eq!(session.answer(&told), [false, true, true], "a new partition is always told of");
        let told = [(key(0), Told::Always), (key(2), marks(6, false)), (key(3), marks(5, false))];
        assert_eq!(session.answer(&told), [true, false, false]);
        assert_eq!(session.answer(&[(key(0), marks(5, false))]), [true], "the error went away");
        let Resumed { wanted, .. } =
            sessions.resume(at(2), (id, 2), Naming::Ids, vec![(key(0), from(9))], &[]).unwrap();
        assert_eq!(order(&wanted), [(0, 9), (3, 7), (2, 0)], "who gave records comes last");
    }

    #[test]
    fn who_is_out_of_step_begins_again() {
        let sessions = sessions(10);
        let id = open(&sessions, at(0), 1);
        let resume = |id, epoch, naming| sessions.resume(at(1), (id, epoch), naming, Vec::new(), &[]).map(drop);
        assert_eq!(resume(id, 2, Naming::Ids), Err(ErrorCode::InvalidFetchSessionEpoch));
        assert_eq!(resume(id, 1, Naming::Names), Err(ErrorCode::FetchSessionTopicIdError));
        assert_eq!(resume(id ^ 1, 1, Naming::Ids), Err(ErrorCode::FetchSessionIdNotFound));
        assert_eq!(resume(id, 1, Naming::Ids), Ok(()));
        assert_eq!(resume(id, 1, Naming::Ids), Err(ErrorCode::InvalidFetchSessionEpoch), "the same again");
        sessions.close(id);
        assert_eq!(resume(id, 2, Naming::Ids), Err(ErrorCode::FetchSessionIdNotFound));
        assert_eq!(next_epoch(i32::MAX), 1);
        let id = open(&sessions, at(0), 1);
        let Resumed { wanted, .. } = sessions.resume(at(1), (id, 1), Naming::Ids, Vec::new(), &[key(0)]).unwrap();
        assert!(wanted.is_empty());
        assert_eq!(resume(id, 2, Naming::Ids), Err(ErrorCode::FetchSessionIdNotFound), "an empty session has ended");
    }

    #[test]
    fn a_full_house_gives_the_place_of_the_silent_or_of_the_smallest_that_stood_long() {
        let sessions = sessions(2);
        let (small, large) = (open(&sessions, at(0), 2), open(&sessions, at(0), 5));
        assert_eq!(open(&sessions, at(10), 9), 0, "nobody has stood for long");
        for (id, epoch) in [(small, 1), (large, 1)] {
            sessions.resume(at(121), (id, epoch), Naming::Ids, Vec::new(), &[]).unwrap();
        }
        assert_eq!(open(&sessions, at(122), 2), 0, "not larger than the smallest");
        let larger = open(&sessions, at(122), 3);
        assert_ne!(larger, 0);
        let resume = |now, id, epoch| sessions.resume(now, (id, epoch), Naming::Ids, Vec::new(), &[]).map(drop);
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
        let resumed = sessions.resume(at(1), (id, 1), Naming::Ids, vec![(long, from(0))], &[]);
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
}
