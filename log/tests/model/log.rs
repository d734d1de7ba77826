//! One toy log: its memory, its segment, and what recovery does to both.

use std::collections::VecDeque;

use bytes::Bytes;
use thalweg_log::end::End;
use thalweg_log::journal::Entry;
use thalweg_wire::batch::{Batch, Header};
use thalweg_wire::{LeaderEpoch, Offset};

use crate::Rule;
use crate::segment::{Change, Piece, Segment};

/// What was asked of a log, in order.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    Append(Piece),
    Truncate(i64),
    Start(i64),
    Drop,
}

#[derive(Clone, Copy)]
pub(crate) enum Said {
    Append(Piece),
    Placed(Piece),
    /// That the one is placed, and the next is being written.
    Placing(Piece, Piece),
    Truncate(i64),
    Start(i64),
    Drop,
}

/// Whether an entry counts after a crash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    No,
    Yes,
    /// It does, and all that it speaks of was deleted.
    Deleted,
}

/// A batch in memory.
#[derive(Clone, Copy)]
pub(crate) struct Held {
    pub(crate) piece: Piece,
    /// The durable frame that has it.
    pub(crate) sequence: Option<u64>,
    pub(crate) placed: bool,
}

/// A log as its readers see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum View {
    Gone,
    There { start: i64, end: i64, pieces: Vec<Piece> },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Begun(Piece),
    /// Behind the frame of that sequence.
    Written(Piece, u64),
    /// The same, but the disk is full: not all got in.
    Full(Piece, u64),
    Synced(Piece),
}

pub(crate) struct Log {
    pub(crate) gone: bool,
    pub(crate) start: i64,
    /// Where it ends if it holds nothing.
    pub(crate) origin: i64,
    pub(crate) held: Vec<Held>,
    /// Physical cuts to come; whether their entry is durable. A removal cuts at `i64::MIN`.
    pub(crate) cuts: VecDeque<(i64, bool)>,
    pub(crate) durable_start: i64,
    /// The start that a synced checkpoint file names.
    pub(crate) synced_start: i64,
    pub(crate) lane: Option<Lane>,
    /// How much of what was asked its log was told of, and how much is synced, past the journal.
    pub(crate) told: usize,
    pub(crate) synced: usize,
    /// The newest durable frame with an entry about its records.
    pub(crate) newest_entry: u64,
    pub(crate) segment: Segment,
    /// What it was when it was last recovered, what was asked since, and how much of that was acknowledged.
    pub(crate) before: View,
    pub(crate) asked: Vec<Asked>,
    pub(crate) acknowledged: usize,
}

impl Log {
    pub(crate) fn new() -> Log {
        Log {
            gone: false,
            start: 0,
            origin: 0,
            held: Vec::new(),
            cuts: VecDeque::new(),
            durable_start: 0,
            synced_start: 0,
            lane: None,
            told: 0,
            synced: 0,
            newest_entry: 0,
            segment: Segment::default(),
            before: View::There { start: 0, end: 0, pieces: Vec::new() },
            asked: Vec::new(),
            acknowledged: 0,
        }
    }

    pub(crate) fn end(&self) -> i64 {
        self.held.last().map_or(self.origin, |held| held.piece.end())
    }

    pub(crate) fn forget_from(&mut self, to: i64) {
        self.held.retain(|held| held.piece.end() <= to);
        self.origin = self.origin.min(to);
    }

    /// What the file has, as the first open after an unclean stop finds it. Nothing is cut that no entry names.
    pub(crate) fn open(&mut self, is_named: bool) -> Result<(), String> {
        let whole = self.segment.now.whole();
        self.origin = self.segment.now.first;
        self.held = whole.into_iter().map(|piece| Held { piece, sequence: Some(0), placed: true }).collect();
        if self.end() < self.segment.now.end() && !is_named {
            return Err(format!("a file is torn at {}, and the journal doesn't say why", self.end()));
        }
        (self.start, self.durable_start) = (self.synced_start, self.synced_start);
        // A folder that was never synced is no sign of a deletion: only a `Drop`, redone or checkpointed, is.
        self.gone = self.before == View::Gone || (!self.segment.now.exists && self.gone);
        self.newest_entry = 0;
        Ok(())
    }

    /// What went past the journal is acknowledged when it is synced and the log was told of it, both.
    pub(crate) fn acknowledge_lane(&mut self, keeps: impl Fn(Rule) -> bool) {
        let synced = if keeps(Rule::LaneAcknowledgesTheSynced) { self.synced } else { usize::MAX };
        let told = if keeps(Rule::LaneAcknowledgesTheTold) { self.told } else { usize::MAX };
        self.acknowledged = self.acknowledged.max(synced.min(told));
    }

    /// How much of what was asked has a piece in it.
    pub(crate) fn asked_with(&self, piece: Piece) -> usize {
        let place = |asked: &Asked| matches!(asked, Asked::Append(other) if *other == piece);
        self.asked.iter().position(place).map_or(0, |place| place + 1)
    }

    pub(crate) fn redo(
        &mut self,
        sequence: u64,
        said: Said,
        counts: Counts,
        keeps: impl Fn(Rule) -> bool,
    ) -> Result<(), String> {
        match said {
            Said::Append(piece) => {
                if keeps(Rule::CutBeforeAppend) {
                    self.cut(piece.base);
                    if self.end() != piece.base {
                        return Err(format!("{piece:?} does not continue a log that ends at {}", self.end()));
                    }
                }
                self.held.push(Held { piece, sequence: Some(sequence), placed: false });
            }
            Said::Truncate(to) => self.cut(to),
            Said::Placed(piece) => {
                self.cut(piece.end());
                if self.end() < piece.end() {
                    return Err(format!("{piece:?} was placed and is not in the file"));
                }
            }
            // Nothing is left of it, as it was deleted.
            Said::Placing(_, next) if counts == Counts::Deleted && self.segment.now.first >= next.end() => {
                self.cut(next.end());
            }
            Said::Placing(placed, next) => {
                let is_whole = self.held.iter().any(|held| held.piece == next);
                if !is_whole || !keeps(Rule::RecoveryKeepsWhatIsWhole) {
                    return self.redo(sequence, Said::Placed(placed), counts, keeps);
                }
                if keeps(Rule::RecoverySyncsWhatItKeeps) {
                    self.segment.sync();
                }
                self.cut(next.end());
            }
            Said::Start(at) => (self.start, self.durable_start) = (at, at),
            Said::Drop => {
                self.segment.change(Change::Remove);
                self.held.clear();
                self.gone = true;
            }
        }
        Ok(())
    }

    pub(crate) fn cut(&mut self, to: i64) {
        if to < self.segment.now.end() || to < self.segment.now.first {
            self.segment.change(Change::Cut(to));
        }
        self.forget_from(to);
    }

    pub(crate) fn view(&self) -> View {
        if self.gone {
            return View::Gone;
        }
        let pieces = self.held.iter().map(|held| held.piece).collect();
        View::There { start: self.start, end: self.end(), pieces }.from(Some(self.start))
    }
}

impl View {
    pub(crate) fn start(&self) -> Option<i64> {
        match self {
            View::Gone => None,
            View::There { start, .. } => Some(*start),
        }
    }

    /// The same log with another start, without the records below it.
    pub(crate) fn from(&self, at: Option<i64>) -> View {
        let (View::There { end, pieces, .. }, Some(start)) = (self, at) else { return View::Gone };
        let pieces = pieces.iter().copied().filter(|piece| piece.end() > start).collect();
        View::There { start, end: *end, pieces }
    }

    pub(crate) fn after(&self, asked: Asked) -> View {
        let View::There { start, end, pieces } = self else { return View::Gone };
        let (mut start, mut end, mut pieces) = (*start, *end, pieces.clone());
        match asked {
            Asked::Append(piece) => {
                pieces.push(piece);
                end = piece.end();
            }
            Asked::Truncate(to) => {
                pieces.retain(|piece| piece.end() <= to);
                end = to;
            }
            Asked::Start(at) => start = at,
            Asked::Drop => return View::Gone,
        }
        View::There { start, end, pieces }
    }
}

impl Said {
    pub(crate) fn entry(self) -> Entry {
        match self {
            Said::Append(piece) => {
                let mut header = Header::from_bytes([0; 61]);
                header.set_base_offset(Offset(piece.base));
                header.set_last_offset_delta(piece.length as i32 - 1);
                Entry::Append(Batch::new(header, Bytes::new()))
            }
            Said::Placed(piece) => Entry::Placed(end_of(piece)),
            Said::Placing(placed, next) => Entry::Placing { placed: end_of(placed), end: end_of(next) },
            Said::Truncate(to) => Entry::Truncate { to: Offset(to), epoch: LeaderEpoch(0) },
            Said::Start(at) => Entry::LogStart { at: Offset(at) },
            Said::Drop => Entry::Drop,
        }
    }
}

fn end_of(piece: Piece) -> End {
    End { offset: Offset(piece.end()), crc: piece.id as u32 }
}
