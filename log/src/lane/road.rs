//! Which way the batches of one log go: through the journal, or past it. No await, no disk: it is told what happened.

use std::collections::VecDeque;

use thalweg_wire::Offset;

use super::write::{Write, Written};
use super::{Lane, Place};
use crate::end::End;
use crate::journal::{Journal, Queued, Reservation};
use crate::log::{Log, Mark, PLACED_JOURNAL_BYTES, Stable};

/// Batches smaller than this part of what brings a log into the lane don't bring it there.
const ENTERS_BY_A_PART: usize = 64;

/// One log's way. Its owner has it under the lock that it has the log under.
#[derive(Default)]
pub struct Road {
    /// The frame of the newest durable entry about the log's records, as far as is known: recovery cuts off what stands
    /// behind those, as long as no checkpoint names the frame.
    entry: u64,
    lane: Option<Box<Inside>>,
}

/// A log in the lane.
struct Inside {
    _place: Place,
    /// What is in no entry, in order.
    held: VecDeque<Queued<Mark>>,
    held_bytes: usize,
    /// What was promised for those: they may have to go through the journal after all.
    room: Reservation<Mark>,
    /// Where the files will end, with the write that is on its way.
    written: Offset,
    /// Where the files end that are synced, once a write has ended.
    synced: Option<End>,
    /// Durable entries say of all below it that it is in files, or is to be.
    told: Offset,
    /// How many words of writes are on their way through the journal.
    words: usize,
    step: Step,
}

enum Step {
    /// No write is on its way. A word of one is, or entries from before the lane.
    Gathering,
    /// A write is on its way, and this is for the word that it ended.
    Writing(Reservation<Mark>),
    /// There is no room for files: all goes through the journal after all. Once what is below is there, no word of a write is
    /// on its way any more.
    Leaving { until: Offset },
}

/// What was queued for the journal, in bytes of batches.
#[must_use = "the journal grows by it"]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sent(pub usize);

impl Road {
    /// Whether batches go past the journal now.
    pub fn is_in_lane(&self) -> bool {
        self.lane.is_some()
    }

    /// Sends the log's newest batch on its way; what was reserved for it is taken. Records below `stable` are stable.
    pub fn append(
        &mut self,
        log: &Log,
        stable: Offset,
        entry: Queued<Mark>,
        reservation: &mut Reservation<Mark>,
        journal: &Journal<Mark>,
        lane: &Lane,
    ) -> Sent {
        if self.lane.is_none() {
            self.enter(log, stable, &entry, reservation, lane);
        }
        match &mut self.lane {
            Some(inside) if !matches!(inside.step, Step::Leaving { .. }) => {
                inside.hold(entry, reservation);
                self.write(log, journal, lane);
                Sent::default()
            }
            _ => {
                let bytes = entry.body_bytes();
                journal.push(reservation, entry);
                Sent(bytes)
            }
        }
    }

    /// An entry of the log is durable in the frame of that sequence; below which offset records are stable by it.
    pub fn durable(&mut self, sequence: u64, stable: Stable) -> Offset {
        self.entry = sequence;
        match (&mut self.lane, stable) {
            (Some(inside), Stable::Placed(end)) => {
                inside.words -= 1;
                inside.told = end;
                inside.stable().unwrap_or(Offset::ZERO)
            }
            (None, Stable::Placed(_)) => Offset::ZERO,
            _ => stable.end(),
        }
    }

    /// Sends on its way what may go, now that an entry is durable and all below an offset is stable.
    pub fn go_on(&mut self, log: &Log, stable: Offset, journal: &Journal<Mark>, lane: &Lane) -> Sent {
        let Some(inside) = &self.lane else { return Sent::default() };
        let leaves = match inside.step {
            Step::Writing(_) => false,
            Step::Gathering => {
                let is_told = inside.words == 0;
                !self.write(log, journal, lane) && is_told
            }
            Step::Leaving { until } => stable >= until,
        };
        if !leaves {
            return Sent::default();
        }
        self.lane.take().map_or(Sent::default(), |mut inside| inside.give_to(journal))
    }

    /// A write has ended. Say then that [`Road::placed`] is stable.
    pub fn written(&mut self, log: &Log, written: Written, journal: &Journal<Mark>, lane: &Lane) -> Sent {
        let Some(inside) = &mut self.lane else { return Sent::default() };
        match written {
            Written::Synced(end) => {
                inside.forget_below(end.offset);
                inside.synced = Some(end);
                let step = std::mem::replace(&mut inside.step, Step::Gathering);
                // What the next write says is word enough.
                if !self.write(log, journal, lane)
                    && let (Step::Writing(mut word), Some(inside)) = (step, &mut self.lane)
                {
                    inside.words += 1;
                    journal.push(&mut word, log.placed_entry(end));
                }
                Sent::default()
            }
            Written::Full => {
                let first = inside.held.front().map_or(log.end(), |entry| entry.mark.stable.end());
                inside.step = Step::Leaving { until: first };
                inside.give_to(journal)
            }
        }
    }

    /// Below it all records are in synced files, and told: `None` before the lane has brought any there.
    pub fn placed(&self) -> Option<Offset> {
        self.lane.as_ref()?.stable()
    }

    /// Nothing of the log becomes stable any more.
    pub fn end(&mut self) {
        self.lane = None;
    }

    /// Takes a place in the lane if much of the log is on its way through the journal. What stands there is heard of soon,
    /// and by then there may be enough for a write.
    fn enter(&mut self, log: &Log, stable: Offset, newest: &Queued<Mark>, room: &Reservation<Mark>, lane: &Lane) {
        let is_large = newest.body.len().saturating_mul(ENTERS_BY_A_PART) >= lane.enters_with();
        if is_large
            && log.has_much_before_newest(stable, lane.enters_with())
            && let Some(place) = lane.enter()
        {
            self.lane = Some(Box::new(Inside {
                _place: place,
                held: VecDeque::new(),
                held_bytes: 0,
                room: room.none(),
                written: log.placed(),
                synced: None,
                told: Offset::ZERO,
                words: 0,
                step: Step::Gathering,
            }));
        }
    }

    /// Sends a write on its way if none is, and as much has gathered as brings a log into the lane: a sync costs the disk
    /// about as much for less, and who is answered by the last one is about to send more.
    fn write(&mut self, log: &Log, journal: &Journal<Mark>, lane: &Lane) -> bool {
        let is_due = self.lane.as_ref().is_some_and(|inside| {
            matches!(inside.step, Step::Gathering) && !inside.held.is_empty() && inside.held_bytes >= lane.enters_with()
        });
        if !is_due {
            return false;
        }
        let (Some(inside), Some(files)) = (&mut self.lane, log.files()) else { return false };
        let words = 1 + usize::from(inside.synced.is_some());
        // Where recovery would not cut it off, or where no word of it has room, the next mark changes that.
        let Some(fence) = lane.fence(self.entry) else { return false };
        let Ok(mut room) = journal.reserve(words, words * PLACED_JOURNAL_BYTES) else { return false };
        let batches = log.batches_from(inside.written);
        let Some(end) = batches.last().map(End::behind) else { return false };
        // The first write of a stay also takes what the journal has, which counts until all of that is synced.
        if let Some(placed) = inside.synced {
            inside.words += 1;
            journal.push(&mut room, log.placing_entry(placed, end));
        }
        lane.send(Write { log: log.id(), files: files.clone(), batches, end, fence });
        inside.written = end.offset;
        inside.step = Step::Writing(room);
        true
    }
}

impl Inside {
    fn stable(&self) -> Option<Offset> {
        self.synced.map(|synced| synced.offset.min(self.told))
    }

    fn hold(&mut self, entry: Queued<Mark>, reservation: &mut Reservation<Mark>) {
        self.room.absorb(reservation.split(1, entry.body_bytes()).expect("what is appended was reserved"));
        self.held_bytes += entry.body_bytes();
        self.held.push_back(entry);
    }

    /// What was placed needs no room in the journal.
    fn forget_below(&mut self, end: Offset) {
        while let Some(entry) = self.held.pop_front_if(|entry| is_below(entry, end)) {
            self.held_bytes -= entry.body_bytes();
            drop(self.room.split(1, entry.body_bytes()));
        }
    }

    fn give_to(&mut self, journal: &Journal<Mark>) -> Sent {
        for entry in self.held.drain(..) {
            journal.push(&mut self.room, entry);
        }
        Sent(std::mem::take(&mut self.held_bytes))
    }
}

fn is_below(entry: &Queued<Mark>, end: Offset) -> bool {
    entry.mark.stable.end() <= end
}
