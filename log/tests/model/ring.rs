//! The toy's journal: frames in the slots of a few files, one write in flight, files reused behind the checkpoint.

use thalweg_world::simulated::Rng;

use crate::Rule;

const FILES: usize = 3;
const SLOTS: usize = 5;

#[derive(Clone)]
pub(crate) struct Frame<T> {
    pub(crate) sequence: u64,
    checkpoint: u64,
    pub(crate) entries: Vec<T>,
}

pub(crate) struct Ring<T> {
    slots: [[Option<Frame<T>>; SLOTS]; FILES],
    newest: [u64; FILES],
    active: usize,
    next: usize,
    pub(crate) sequence: u64,
    /// What the newest durable frame names.
    checkpoint: u64,
    /// What the next frame will name.
    wanted: u64,
    flight: Option<Frame<T>>,
}

impl<T: Clone> Ring<T> {
    pub(crate) fn new() -> Ring<T> {
        let slots = std::array::from_fn(|_| std::array::from_fn(|_| None));
        Ring { slots, newest: [0; FILES], active: 0, next: 0, sequence: 0, checkpoint: 0, wanted: 0, flight: None }
    }

    pub(crate) fn checkpoint(&mut self, sequence: u64) {
        self.wanted = self.wanted.max(sequence);
    }

    /// What the next frame will name, or an earlier one did.
    pub(crate) fn named(&self) -> u64 {
        self.wanted
    }

    pub(crate) fn idle(&self) -> bool {
        self.flight.is_none()
    }

    pub(crate) fn behind(&self) -> bool {
        self.wanted > self.checkpoint
    }

    /// Sends a frame on its way, if it has a place. The last slot of a file is for a frame that names a checkpoint only.
    pub(crate) fn depart(&mut self, entries: &[T], broken: Option<Rule>) -> bool {
        let kept = usize::from(!entries.is_empty());
        if self.next + kept >= SLOTS {
            let free = if broken == Some(Rule::ReuseBehindADurableCheckpoint) { self.wanted } else { self.checkpoint };
            let candidates = (0..FILES).filter(|&file| file != self.active && self.newest[file] <= free);
            let Some(file) = candidates.min_by_key(|&file| self.newest[file]) else { return false };
            (self.active, self.next) = (file, 0);
        }
        let frame = Frame { sequence: self.sequence + 1, checkpoint: self.wanted, entries: entries.to_vec() };
        self.flight = Some(frame);
        true
    }

    pub(crate) fn land(&mut self) -> Option<Frame<T>> {
        let frame = self.flight.take()?;
        self.sequence = frame.sequence;
        self.checkpoint = frame.checkpoint;
        self.newest[self.active] = frame.sequence;
        self.slots[self.active][self.next] = Some(frame.clone());
        self.next += 1;
        Some(frame)
    }

    /// A frame in flight is there, or is not, or is torn and took the old one with it.
    pub(crate) fn crash(&mut self, rng: &mut Rng) {
        let Some(frame) = self.flight.take() else { return };
        match rng.below(3) {
            0 => {}
            1 => self.slots[self.active][self.next] = None,
            _ => self.slots[self.active][self.next] = Some(frame),
        }
    }

    /// What counts after a stop: the frames above the checkpoint of the newest.
    pub(crate) fn open(&mut self) -> Result<Vec<Frame<T>>, String> {
        let places = || (0..FILES).flat_map(|file| (0..SLOTS).map(move |slot| (file, slot)));
        let sequence =
            |&(file, slot): &(usize, usize)| self.slots[file][slot].as_ref().map_or(0, |frame| frame.sequence);
        let Some(last) = places().max_by_key(sequence) else { return Ok(Vec::new()) };
        let Some(newest) = self.slots[last.0][last.1].clone() else {
            *self = Ring::new();
            return Ok(Vec::new());
        };
        let mut live: Vec<Frame<T>> = self.slots.iter().flatten().flatten().cloned().collect();
        live.retain(|frame| frame.sequence > newest.checkpoint);
        live.sort_by_key(|frame| frame.sequence);
        if live.iter().map(|frame| frame.sequence).ne(newest.checkpoint + 1..=newest.sequence) {
            return Err("the journal has a hole: suspect".to_owned());
        }
        self.newest = std::array::from_fn(|file| {
            self.slots[file].iter().flatten().map(|frame| frame.sequence).max().unwrap_or(0)
        });
        (self.active, self.next) = (last.0, last.1 + 1);
        (self.sequence, self.checkpoint, self.wanted) = (newest.sequence, newest.checkpoint, newest.checkpoint);
        Ok(live)
    }
}
