//! The toy's segment: records in cells, and a power cut that keeps any part of what was not synced.

use thalweg_world::simulated::Rng;

/// A batch: what is at stake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    pub(crate) id: u64,
    pub(crate) base: i64,
    pub(crate) length: i64,
}

impl Piece {
    pub(crate) fn end(&self) -> i64 {
        self.base + self.length
    }
}

/// Cells from `first` on: each one record of a batch, or a hole.
#[derive(Clone, Default)]
pub(crate) struct Image {
    pub(crate) exists: bool,
    pub(crate) first: i64,
    cells: Vec<Option<Piece>>,
}

#[derive(Clone, Copy)]
pub(crate) enum Change {
    Write(Piece),
    /// Everything at that offset and above goes; below the first, the file begins anew there.
    Cut(i64),
    /// Everything below goes.
    Head(i64),
    Remove,
}

/// What a process sees, and what a power cut leaves.
#[derive(Clone, Default)]
pub(crate) struct Segment {
    pub(crate) now: Image,
    durable: Image,
    pending: Vec<Change>,
}

impl Segment {
    pub(crate) fn change(&mut self, change: Change) {
        self.now.apply(change, |_| true);
        self.pending.push(change);
    }

    pub(crate) fn sync(&mut self) {
        self.durable = self.now.clone();
        self.pending.clear();
    }

    /// The power goes off.
    pub(crate) fn crash(&mut self, rng: &mut Rng) {
        for change in std::mem::take(&mut self.pending) {
            match rng.below(3) {
                0 => {}
                1 => self.durable.apply(change, |_| true),
                _ if matches!(change, Change::Write(_)) => self.durable.apply(change, |_| rng.coin()),
                _ => {}
            }
        }
        self.now = self.durable.clone();
    }
}

impl Image {
    pub(crate) fn end(&self) -> i64 {
        self.first + self.cells.len() as i64
    }

    fn apply(&mut self, change: Change, mut arrives: impl FnMut(i64) -> bool) {
        match change {
            Change::Write(piece) => {
                self.exists = true;
                for offset in piece.base.max(self.first)..piece.end() {
                    let place = (offset - self.first) as usize;
                    if arrives(offset) {
                        self.cells.resize(self.cells.len().max(place + 1), None);
                        self.cells[place] = Some(piece);
                    }
                }
            }
            Change::Cut(to) if to < self.first => *self = Image { exists: true, first: to, cells: Vec::new() },
            Change::Cut(to) => self.cells.truncate((to - self.first) as usize),
            Change::Head(at) => {
                let gone = (at - self.first).clamp(0, self.cells.len() as i64);
                self.cells.drain(..gone as usize);
                self.first += gone;
            }
            Change::Remove => *self = Image::default(),
        }
    }

    /// The whole batches from the start on, up to the first offset that none explains.
    pub(crate) fn whole(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = &self.cells[..];
        let mut at = self.first;
        while let Some(Some(piece)) = rest.first() {
            let cells = rest.get(..piece.length as usize);
            if piece.base != at || !cells.is_some_and(|cells| cells.iter().all(|cell| *cell == Some(*piece))) {
                break;
            }
            pieces.push(*piece);
            rest = &rest[piece.length as usize..];
            at = piece.end();
        }
        pieces
    }
}
