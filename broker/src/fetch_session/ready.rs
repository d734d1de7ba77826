//! One session: what its client wants, and which of it is *ready*, that is, may have something to tell.
//!
//! A partition is ready when it is new in the session or named again, when it moved, and when the last look at it found
//! records, whether or not they were given, or something that is said each time. It ceases to be when a look finds
//! nothing of that. So a request costs what is ready, and not what the session has.
//!
//! No move is lost, also between two requests of one session that run at a time. A request lists what is ready, and
//! listens to each partition of it from before the look at it ([`Session::attend`], [`Partition::rearm`]). What moves
//! behind the look is in the arrivals, or another request has taken it from there: then the entry has later news than
//! those of the request's [`Ticket`], and the look, which came too early to see them, doesn't end its being ready.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use thalweg_wire::{Offset, TopicPartition};
use tokio::sync::futures::Notified;

use super::{Interest, Key, Naming, Told, UNPOISONED};
use crate::partition::Partition;
use crate::partitions::Partitions;
use crate::waiters::{Arrivals, SubscriptionNumber};

/// One session.
pub struct Session {
    pub(super) id: i32,
    pub(super) naming: Naming,
    pub(super) arrivals: Arc<Arrivals>,
    state: Mutex<State>,
}

/// A partition that may have something to tell.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Which.
    pub key: Key,
    /// What its client wants of it.
    pub interest: Interest,
    /// Its entry in the session.
    pub ticket: Ticket,
    /// Whom the session listens to there, and by which number.
    pub heard: Option<(TopicPartition, SubscriptionNumber)>,
}

/// An entry of a session, as a request found it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket {
    slot: u64,
    place: u64,
    news: u64,
}

/// How far a request knows its session: what is news behind that, and which entries there were.
#[derive(Clone, Copy, Debug)]
pub struct Horizon {
    news: u64,
    slots: u64,
}

/// What of a session a request is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// What is ready.
    Ready,
    /// All of it: the request is of a kind that every partition is answered in its own way.
    All,
}

/// Which moves of partitions are taken up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moves {
    /// Those that wake.
    Waking,
    /// Those that wake nobody as well.
    All,
}

/// What a session has in mind.
pub(super) struct State {
    /// The epoch that the next request has to carry.
    pub(super) epoch: i32,
    /// By slot. A slot is never given to another entry.
    entries: BTreeMap<u64, Entry>,
    slots: HashMap<Key, u64>,
    next_slot: u64,
    /// Who gave records goes to the end of the order in which they are served.
    next_place: u64,
    /// The slots of what is ready, by the number of the news that made it so.
    ready: BTreeMap<u64, u64>,
    latest_news: u64,
    arrivals: Arc<Arrivals>,
    partitions: Arc<Partitions>,
}

struct Entry {
    key: Key,
    interest: Interest,
    /// As the client was told last.
    high_watermark: Offset,
    log_start: Offset,
    /// Who has a smaller one is served first.
    place: u64,
    /// Its place in [`State::ready`].
    news: Option<u64>,
    /// Whom it listens to. Not the partition itself, which may be deleted while nobody asks here.
    heard: Option<(TopicPartition, SubscriptionNumber)>,
}

/// A mark that no partition has: whatever comes is news.
const NEVER_TOLD: Offset = Offset(-1);

impl Session {
    pub(super) fn new(id: i32, naming: Naming, state: State) -> Session {
        Session { id, naming, arrivals: state.arrivals.clone(), state: Mutex::new(state) }
    }

    /// Its id.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Lets the session listen to the partition that an entry turned out to be; `None` is none at all. Call it before the
    /// look, and rearm the subscription that is returned.
    pub fn attend(&self, ticket: &mut Ticket, partition: Option<&Arc<Partition>>) -> Option<SubscriptionNumber> {
        let mut state = self.state();
        // One that was forgotten meanwhile is no longer listened to.
        let entry = state.entries.get_mut(&ticket.slot)?;
        let before = entry.heard;
        match (before, partition) {
            (None, None) => return None,
            // A partition never comes back under its id.
            (Some((id, number)), Some(partition)) if id == partition.id() => return Some(number),
            _ => {}
        }
        let number = partition.map(|partition| partition.subscribe(&self.arrivals, ticket.slot));
        entry.heard = partition.map(|partition| partition.id()).zip(number);
        state.unsubscribe(before);
        // Whoever has looked elsewhere doesn't say whether it is ready.
        ticket.news = state.is_ready(ticket.slot);
        number
    }

    /// Takes up which partitions moved. What is news to a request, and how far it knows the session then. What joined the
    /// session behind the request is for the one that brought it.
    pub fn news(&self, known: Horizon, moves: Moves) -> (Vec<Ready>, Horizon) {
        let mut state = self.state();
        state.take_up(moves);
        let news = state.ready.range(known.news + 1..).filter(|(_, slot)| **slot < known.slots);
        let ready = news.filter_map(|(_, slot)| state.ready_one(*slot)).collect();
        (ready, Horizon { news: state.latest_news, ..known })
    }

    /// Resolves when a partition moves after this call: call it, take up the news, and then wait.
    pub fn woken(&self) -> Notified<'_> {
        self.arrivals.woken()
    }

    /// Which of these partitions an answer has to name, in the order given; from now on the client knows of them.
    pub fn answer(&self, told: impl Iterator<Item = (Ticket, Told)>) -> Vec<bool> {
        let mut state = self.state();
        told.map(|(ticket, told)| state.tell(ticket, told)).collect()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNPOISONED)
    }
}

impl Ticket {
    /// The entry, among all that its session ever had.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// Entries are served in this order.
    pub fn place(&self) -> u64 {
        self.place
    }
}

impl State {
    pub(super) fn new(partitions: Arc<Partitions>) -> State {
        State {
            epoch: 1,
            entries: BTreeMap::new(),
            slots: HashMap::new(),
            next_slot: 0,
            next_place: 0,
            ready: BTreeMap::new(),
            latest_news: 0,
            arrivals: Arc::default(),
            partitions,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The client wants it, and was told that of it.
    pub(super) fn want(&mut self, key: Key, interest: Interest, told: Option<Told>) {
        if let Some(&slot) = self.slots.get(&key) {
            if let Some(entry) = self.entries.get_mut(&slot) {
                entry.interest = interest;
            }
            self.is_ready(slot);
            return;
        }
        let (high_watermark, log_start) = match told {
            Some(Told::Marks { high_watermark, log_start, .. }) => (high_watermark, log_start),
            Some(Told::Always) | None => (NEVER_TOLD, NEVER_TOLD),
        };
        let (slot, place) = (self.next_slot, self.next_place);
        self.slots.insert(key.clone(), slot);
        let entry = Entry { key, interest, high_watermark, log_start, place, news: None, heard: None };
        self.entries.insert(slot, entry);
        (self.next_slot, self.next_place) = (slot + 1, place + 1);
        self.is_ready(slot);
    }

    pub(super) fn forget(&mut self, key: &Key) {
        let Some(entry) = self.slots.remove(key).and_then(|slot| self.entries.remove(&slot)) else { return };
        if let Some(news) = entry.news {
            self.ready.remove(&news);
        }
        self.unsubscribe(entry.heard);
    }

    /// What a request is to look at, in the order in which it is served.
    pub(super) fn list(&mut self, scope: Scope) -> (Vec<Ready>, Horizon) {
        self.take_up(Moves::All);
        let mut listed: Vec<Ready> = match scope {
            Scope::Ready => self.ready.values().filter_map(|slot| self.ready_one(*slot)).collect(),
            Scope::All => self.entries.keys().filter_map(|slot| self.ready_one(*slot)).collect(),
        };
        listed.sort_unstable_by_key(|ready| ready.ticket.place);
        (listed, Horizon { news: self.latest_news, slots: self.next_slot })
    }

    fn ready_one(&self, slot: u64) -> Option<Ready> {
        let Entry { key, interest, place, news, heard, .. } = self.entries.get(&slot)?;
        let ticket = Ticket { slot, place: *place, news: news.unwrap_or(0) };
        Some(Ready { key: key.clone(), interest: *interest, ticket, heard: *heard })
    }

    /// What moved is ready.
    fn take_up(&mut self, moves: Moves) {
        let moved = match moves {
            Moves::Waking => self.arrivals.take_waking(),
            Moves::All => self.arrivals.take_all(),
        };
        for slot in moved {
            self.is_ready(slot);
        }
    }

    /// Makes an entry ready, unless it was forgotten; the number of that news. It is news also where it was ready.
    fn is_ready(&mut self, slot: u64) -> u64 {
        let Some(entry) = self.entries.get_mut(&slot) else { return 0 };
        self.latest_news += 1;
        if let Some(before) = entry.news.replace(self.latest_news) {
            self.ready.remove(&before);
        }
        self.ready.insert(self.latest_news, slot);
        self.latest_news
    }

    /// Whether it is to be said.
    fn tell(&mut self, ticket: Ticket, told: Told) -> bool {
        // One that was forgotten meanwhile is no longer asked for.
        let Some(entry) = self.entries.get_mut(&ticket.slot) else { return false };
        let (is_news, stays_ready) = match told {
            Told::Always => {
                // When the error goes away, that is news.
                entry.high_watermark = NEVER_TOLD;
                (true, true)
            }
            Told::Marks { high_watermark, log_start, records } => {
                let moved = entry.high_watermark != high_watermark || entry.log_start != log_start;
                (entry.high_watermark, entry.log_start) = (high_watermark, log_start);
                if records == Records::Given {
                    // The others are served before it next time, or a small limit would starve them.
                    entry.place = self.next_place;
                    self.next_place += 1;
                }
                (moved || records == Records::Given, records != Records::None)
            }
        };
        if stays_ready && entry.news.is_none() {
            self.is_ready(ticket.slot);
        } else if !stays_ready && entry.news == Some(ticket.news) {
            entry.news = None;
            self.ready.remove(&ticket.news);
        }
        is_news
    }

    fn unsubscribe(&self, heard: Option<(TopicPartition, SubscriptionNumber)>) {
        // A deleted partition has let go of who listened.
        if let Some((id, number)) = heard
            && let Some(partition) = self.partitions.find(id)
        {
            partition.unsubscribe(number);
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.entries.values().for_each(|entry| self.unsubscribe(entry.heard));
    }
}

/// What a look found of records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Records {
    /// There are none.
    None,
    /// There are some, and none of them fitted.
    Withheld,
    /// The answer has some.
    Given,
}
