//! Which stretches of files were checked a moment ago: who reads them next needn't do so again.
//!
//! A stretch ends with the first batch that reaches a multiple of [`STRETCH_BYTES`], so that readers who began anywhere soon
//! read the same ones.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thalweg_wire::{Moment, Offset};

/// See above.
const STRETCH_BYTES: u64 = 128 << 10;

/// For how long what was checked counts as checked. It was in memory then, as it still is, or it was hardly needed.
pub const FRESH_FOR: Duration = Duration::from_secs(5);

/// Stretches that are known, at most, are those of 2 GiB. Each place has a few slots to be in, by its hash.
const SLOTS: usize = 16 << 10;
const WAYS: usize = 4;

/// What is known of a directory's files.
#[derive(Default)]
pub(super) struct Checked {
    /// None until something was read.
    slots: Mutex<Vec<[Option<Slot>; WAYS]>>,
    logs: AtomicU64,
}

/// Where a stretch begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Place {
    /// Which log, see [`Checked::number_log`], and which state of it: nothing was cut since.
    pub(super) log: u64,
    pub(super) generation: u64,
    /// Where its segment begins.
    pub(super) base: Offset,
    pub(super) position: u32,
}

/// What is known of a stretch: it has whole batches, and no other bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    /// The position behind it.
    pub(super) end: u32,
    /// The offset behind its last record.
    pub(super) next_offset: Offset,
}

struct Slot {
    place: Place,
    stretch: Stretch,
    at: Moment,
}

/// Divides batches that stand one behind the other into stretches.
pub(super) struct Borders {
    start: u32,
}

impl Checked {
    /// A number that no other log of the directory has.
    pub(super) fn number_log(&self) -> u64 {
        self.logs.fetch_add(1, Ordering::Relaxed)
    }

    /// Notes what was checked.
    pub(super) fn note(&self, place: Place, stretch: Stretch, now: Moment) {
        let mut slots = self.slots();
        if slots.is_empty() {
            slots.resize_with(SLOTS / WAYS, Default::default);
        }
        let ways = &mut slots[place.slot()];
        let same = ways.iter().position(|slot| slot.as_ref().is_some_and(|slot| slot.place == place));
        let oldest = || (0..WAYS).min_by_key(|way| ways[*way].as_ref().map(|slot| slot.at));
        if let Some(way) = same.or_else(oldest) {
            ways[way] = Some(Slot { place, stretch, at: now });
        }
    }

    /// The stretch that begins at a place, if it was checked a moment ago.
    pub(super) fn find(&self, place: Place, now: Moment) -> Option<Stretch> {
        let slots = self.slots();
        let slot = slots.get(place.slot())?.iter().flatten().find(|slot| slot.place == place)?;
        (now.since(slot.at) <= FRESH_FOR).then_some(slot.stretch)
    }

    /// Forgets all of it: something was found damaged.
    pub(super) fn forget(&self) {
        self.slots().clear();
    }

    fn slots(&self) -> MutexGuard<'_, Vec<[Option<Slot>; WAYS]>> {
        // Each slot is whole between any two of its changes.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn slot(self) -> usize {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish() as usize % (SLOTS / WAYS)
    }
}

impl Borders {
    /// From a batch that begins at a position on.
    pub(super) fn from(position: u32) -> Borders {
        Borders { start: position }
    }

    /// Takes the next batch, by where it ends. Gives the stretch that ends with it, if one does, and where that began.
    pub(super) fn next(&mut self, end: u32, next_offset: Offset) -> Option<(u32, Stretch)> {
        let line = (u64::from(self.start) / STRETCH_BYTES + 1) * STRETCH_BYTES;
        if u64::from(end) < line {
            return None;
        }
        let start = std::mem::replace(&mut self.start, end);
        Some((start, Stretch { end, next_offset }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(position: u32) -> Place {
        Place { log: 1, generation: 2, base: Offset(3), position }
    }

    #[test]
    fn a_stretch_is_known_where_it_was_seen_and_for_a_while() {
        let checked = Checked::default();
        assert_eq!(checked.find(place(0), Moment::ZERO), None);
        let stretch = Stretch { end: 100, next_offset: Offset(9) };
        checked.note(place(0), stretch, Moment::ZERO);
        assert_eq!(checked.find(place(0), Moment::ZERO + FRESH_FOR), Some(stretch));
        assert_eq!(checked.find(place(0), Moment::ZERO + FRESH_FOR + Duration::from_nanos(1)), None);
        let here = place(0);
        let others = [
            Place { log: 2, ..here },
            Place { generation: 3, ..here },
            Place { base: Offset(4), ..here },
            Place { position: 1, ..here },
        ];
        assert!(others.iter().all(|other| checked.find(*other, Moment::ZERO).is_none()));
        assert_ne!(checked.number_log(), checked.number_log());
    }

    #[test]
    fn what_is_forgotten_is_forgotten_whole() {
        let checked = Checked::default();
        for position in 0..3 * SLOTS as u32 {
            let stretch = Stretch { end: position + 1, next_offset: Offset(0) };
            checked.note(place(position), stretch, Moment::ZERO);
        }
        let known: Vec<(u32, Stretch)> = (0..3 * SLOTS as u32)
            .filter_map(|position| Some((position, checked.find(place(position), Moment::ZERO)?)))
            .collect();
        assert!(known.len() > SLOTS / 2 && known.len() <= SLOTS);
        assert!(known.iter().all(|(position, stretch)| stretch.end == position + 1));
    }

    /// Whoever reads from a border on, or from anywhere before it, comes to the same borders.
    #[test]
    fn readers_meet_at_the_borders() {
        const SIZE: u32 = 30_000;
        let stretches = |first: u32| {
            let mut borders = Borders::from(first * SIZE);
            let ends = (first + 1..100).filter_map(|n| borders.next(n * SIZE, Offset(i64::from(n))));
            ends.collect::<Vec<(u32, Stretch)>>()
        };
        let all = stretches(0);
        assert!(all.iter().all(|(start, stretch)| stretch.end - start < STRETCH_BYTES as u32 + SIZE));
        assert!(all.windows(2).all(|two| two[0].1.end == two[1].0), "one behind the other");
        for first in 1..40 {
            let here = stretches(first);
            assert!(all.ends_with(&here[1..]), "from batch {first} on");
        }
    }

    #[test]
    fn a_batch_longer_than_a_stretch_is_one() {
        let mut borders = Borders::from(10);
        let long = Stretch { end: 1_000_000, next_offset: Offset(1) };
        assert_eq!(borders.next(1_000_000, Offset(1)), Some((10, long)));
        assert_eq!(borders.next(1_000_010, Offset(2)), None);
    }

    #[test]
    fn nothing_is_known_where_something_was_damaged() {
        let checked = Checked::default();
        let stretch = Stretch { end: 100, next_offset: Offset(9) };
        checked.note(place(0), stretch, Moment::ZERO);
        checked.forget();
        assert_eq!(checked.find(place(0), Moment::ZERO), None);
        checked.note(place(0), stretch, Moment::ZERO);
        assert_eq!(checked.find(place(0), Moment::ZERO), Some(stretch));
    }
}
