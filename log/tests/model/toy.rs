//! The toy directory: what may happen to it, in any order, and how it starts again.

use std::collections::VecDeque;

use thalweg_log::journal::Entry;
use thalweg_log::redo::Verdicts;
use thalweg_wire::{Offset, PartitionIndex, TopicPartition, Uuid};
use thalweg_world::simulated::Rng;

use crate::Rule;
use crate::log::{Asked, Counts, Held, Lane, Log, Said};
use crate::ring::Ring;
use crate::segment::{Change, Piece};

/// An entry on its way: of which log, what it says, and how much of what was asked is acknowledged with it.
#[derive(Clone)]
struct Note {
    log: usize,
    entry: Said,
    acknowledges: usize,
}

#[derive(Clone, Copy)]
enum Checkpoint {
    WriteOut(u64, usize),
    Sync(u64, usize),
    Publish(u64),
}

pub(crate) struct Directory {
    rng: Rng,
    broken: Option<Rule>,
    logs: Vec<Log>,
    ring: Ring<Note>,
    queue: VecDeque<Note>,
    in_flight: usize,
    checkpoint: Option<Checkpoint>,
    ids: u64,
}

const LOGS_ALIVE: usize = 2;

/// The power went off, or the process was killed.
struct PowerCut;

/// Which rules are kept where one is broken.
fn keeps(broken: Option<Rule>) -> impl Fn(Rule) -> bool + Copy {
    move |rule| broken != Some(rule)
}

impl Directory {
    pub(crate) fn new(seed: u64, broken: Option<Rule>) -> Directory {
        let rng = Rng::new(seed);
        let (ring, queue) = (Ring::new(), VecDeque::new());
        Directory { rng, broken, logs: Vec::new(), ring, queue, in_flight: 0, checkpoint: None, ids: 0 }
    }

    /// A few boots, each ended by a power cut. An error says what was lost.
    pub(crate) fn live(mut self) -> Result<(), String> {
        for _ in 0..6 {
            for _ in 0..20 + self.rng.below(120) {
                self.step()?;
            }
            loop {
                self.crash();
                let steps = if self.rng.coin() { self.rng.below(12) } else { u64::MAX };
                if self.recover(steps)?.is_ok() {
                    break;
                }
            }
            self.judge()?;
        }
        Ok(())
    }

    fn keeps(&self, rule: Rule) -> bool {
        keeps(self.broken)(rule)
    }

    fn step(&mut self) -> Result<(), String> {
        while self.logs.iter().filter(|log| !log.gone).count() < LOGS_ALIVE {
            self.logs.push(Log::new());
        }
        let alive: Vec<usize> = (0..self.logs.len()).filter(|&log| !self.logs[log].gone).collect();
        let log = *self.rng.pick(&alive).unwrap();
        match self.rng.below(40) {
            0..=7 => self.append(log),
            8..=9 => self.truncate(log),
            10 => self.move_start(log),
            11 if self.rng.below(8) == 0 => self.drop_log(log),
            11..=13 => self.begin_lane(log),
            14..=17 => self.go_on_in_lane(log)?,
            18..=21 => self.depart(),
            22..=25 => self.land(),
            26..=27 => self.cut(),
            28 => self.remove_head(log),
            29..=31 => self.write_out(log, u64::MAX)?,
            _ => self.go_on_with_checkpoint()?,
        }
        Ok(())
    }

    // What is asked of a log.

    fn new_piece(&mut self, log: usize) -> Piece {
        self.ids += 1;
        Piece { id: self.ids, base: self.logs[log].end(), length: 1 + self.rng.below(4) as i64 }
    }

    fn is_held_back(&self, log: usize) -> bool {
        self.logs[log].lane.is_some() && self.keeps(Rule::LaneIsNotOvertaken)
    }

    fn ask(&mut self, log: usize, asked: Asked, entry: Option<Said>) {
        self.logs[log].asked.push(asked);
        let acknowledges = self.logs[log].asked.len();
        self.queue.extend(entry.map(|entry| Note { log, entry, acknowledges }));
    }

    fn append(&mut self, log: usize) {
        if self.is_held_back(log) {
            return;
        }
        let piece = self.new_piece(log);
        self.logs[log].held.push(Held { piece, sequence: None, placed: false });
        self.ask(log, Asked::Append(piece), Some(Said::Append(piece)));
    }

    fn truncate(&mut self, log: usize) {
        let borders: Vec<i64> = self.logs[log].held.iter().map(|held| held.piece.base).collect();
        let Some(&to) = self.rng.pick(&borders) else { return };
        if self.is_held_back(log) || to < self.logs[log].start {
            return;
        }
        self.logs[log].forget_from(to);
        self.logs[log].cuts.push_back((to, false));
        self.ask(log, Asked::Truncate(to), Some(Said::Truncate(to)));
    }

    fn move_start(&mut self, log: usize) {
        let Log { start, .. } = self.logs[log];
        let at = start + self.rng.below((self.logs[log].end() - start + 1) as u64) as i64;
        if self.is_held_back(log) || at == start {
            return;
        }
        self.logs[log].start = at;
        self.ask(log, Asked::Start(at), Some(Said::Start(at)));
    }

    fn drop_log(&mut self, log: usize) {
        if self.is_held_back(log) {
            return;
        }
        self.logs[log].gone = true;
        self.logs[log].held.clear();
        self.logs[log].cuts.push_back((i64::MIN, false));
        self.ask(log, Asked::Drop, Some(Said::Drop));
    }

    fn begin_lane(&mut self, log: usize) {
        let cut_to_come = !self.logs[log].cuts.is_empty() && self.keeps(Rule::LaneBeginsWithoutCuts);
        if self.logs[log].lane.is_some() || cut_to_come {
            return;
        }
        let piece = self.new_piece(log);
        self.logs[log].held.push(Held { piece, sequence: None, placed: false });
        self.logs[log].lane = Some(Lane::Begun(piece));
        self.ask(log, Asked::Append(piece), None);
    }

    fn go_on_in_lane(&mut self, log: usize) -> Result<(), String> {
        let all = self.keeps(Rule::LaneWritesAllPending);
        let syncs = self.keeps(Rule::LaneSyncs);
        let fenced = self.keeps(Rule::LaneWritesBehindAnEntry);
        let goes_on = self.rng.coin();
        let room = if self.rng.below(6) == 0 { self.rng.below(3) as usize } else { usize::MAX };
        let next = self.new_piece(log);
        let this = &mut self.logs[log];
        this.lane = match this.lane {
            None => None,
            Some(Lane::Begun(piece)) if fenced && this.newest_entry <= self.ring.named() => Some(Lane::Begun(piece)),
            Some(Lane::Begun(piece)) => {
                let mine = |held: &&mut Held| !held.placed && (all || held.piece == piece);
                for held in this.held.iter_mut().filter(mine).take(room) {
                    this.segment.change(Change::Write(held.piece));
                    held.placed = true;
                }
                let has_room = room == usize::MAX;
                Some(if has_room { Lane::Written } else { Lane::Full }(piece, this.newest_entry))
            }
            Some(Lane::Full(piece, _)) => {
                this.segment.sync();
                let acknowledges = this.asked_with(piece);
                self.queue.push_back(Note { log, entry: Said::Append(piece), acknowledges });
                None
            }
            Some(Lane::Written(piece, _)) => {
                if syncs {
                    this.segment.sync();
                }
                this.synced = this.asked_with(piece);
                this.acknowledge_lane(keeps(self.broken));
                Some(Lane::Synced(piece))
            }
            Some(Lane::Synced(piece)) if goes_on => {
                let acknowledges = this.asked_with(piece);
                this.held.push(Held { piece: next, sequence: None, placed: false });
                this.asked.push(Asked::Append(next));
                self.queue.push_back(Note { log, entry: Said::Placing(piece, next), acknowledges });
                Some(Lane::Begun(next))
            }
            Some(Lane::Synced(piece)) => {
                let acknowledges = this.asked_with(piece);
                self.queue.push_back(Note { log, entry: Said::Placed(piece), acknowledges });
                None
            }
        };
        Ok(())
    }

    // What the driver does.

    fn depart(&mut self) {
        if !self.ring.idle() || (self.queue.is_empty() && !self.ring.behind()) {
            return;
        }
        let most = self.queue.len() as u64;
        let count = self.rng.between(most.min(1)..=most) as usize;
        let entries: Vec<Note> = self.queue.iter().take(count).cloned().collect();
        if self.ring.depart(&entries, self.broken) {
            self.in_flight = count;
        } else if self.ring.behind() && self.ring.depart(&[], self.broken) {
            self.in_flight = 0;
        }
    }

    fn land(&mut self) {
        let Some(frame) = self.ring.land() else { return };
        self.queue.drain(..self.in_flight);
        for note in frame.entries {
            let log = &mut self.logs[note.log];
            if !matches!(note.entry, Said::Start(_)) {
                log.newest_entry = frame.sequence;
            }
            log.acknowledged = log.acknowledged.max(note.acknowledges);
            match note.entry {
                Said::Append(piece) | Said::Placed(piece) | Said::Placing(piece, _) => {
                    if let Some(held) = log.held.iter_mut().find(|held| held.piece == piece) {
                        held.sequence = Some(frame.sequence);
                    }
                }
                Said::Truncate(_) | Said::Drop => {
                    if let Some(cut) = log.cuts.iter_mut().find(|(_, durable)| !durable) {
                        cut.1 = true;
                    }
                }
                Said::Start(at) => log.durable_start = at,
            }
            if let Said::Placing(_, next) = note.entry {
                log.told = log.asked_with(next);
                log.acknowledge_lane(keeps(self.broken));
            }
        }
    }

    fn cut(&mut self) {
        let early = !self.keeps(Rule::CutAfterDurable);
        let log = self.rng.below(self.logs.len() as u64) as usize;
        let log = &mut self.logs[log];
        let Some(&(to, durable)) = log.cuts.front() else { return };
        if !durable && !early {
            return;
        }
        log.cuts.pop_front();
        if to == i64::MIN {
            log.segment.change(Change::Remove);
        } else if to < log.segment.now.end() {
            log.segment.change(Change::Cut(to));
        }
    }

    fn remove_head(&mut self, log: usize) {
        let log = &mut self.logs[log];
        let whole = log.segment.now.whole();
        let borders = whole.iter().map(Piece::end).filter(|&end| end <= log.durable_start);
        if let Some(at) = borders.max()
            && log.cuts.is_empty()
        {
            log.segment.change(Change::Head(at));
        }
    }

    /// Writes what is stable and not yet in the file, of frames up to a sequence.
    fn write_out(&mut self, log: usize, through: u64) -> Result<(), String> {
        let waits = self.keeps(Rule::WriteAfterCut);
        let some = if through == u64::MAX { self.rng.below(4) as usize } else { usize::MAX };
        let log = &mut self.logs[log];
        if log.gone || (waits && !log.cuts.is_empty()) {
            return Ok(());
        }
        let first = log.held.iter().position(|held| !held.placed).unwrap_or(log.held.len());
        let stable = |held: &&mut Held| held.sequence.is_some_and(|sequence| sequence <= through);
        for held in log.held[first..].iter_mut().take_while(stable).take(some) {
            if waits && held.piece.base != log.segment.now.end() {
                return Err(format!(
                    "{:?} does not continue a file that ends at {}",
                    held.piece,
                    log.segment.now.end()
                ));
            }
            log.segment.change(Change::Write(held.piece));
            held.placed = true;
        }
        Ok(())
    }

    fn go_on_with_checkpoint(&mut self) -> Result<(), String> {
        self.checkpoint = match self.checkpoint {
            None => Some(Checkpoint::WriteOut(self.ring.sequence, 0)),
            // The truncation took from memory what was not written out: its entry has to be durable.
            Some(Checkpoint::WriteOut(_, log))
                if self.logs.get(log).is_some_and(|log| !log.cuts.is_empty())
                    && self.keeps(Rule::CheckpointWaitsForCuts) =>
            {
                return Ok(());
            }
            Some(Checkpoint::WriteOut(through, log)) if log < self.logs.len() => {
                self.write_out(log, through)?;
                Some(Checkpoint::WriteOut(through, log + 1))
            }
            Some(Checkpoint::WriteOut(through, _)) => Some(Checkpoint::Sync(through, 0)),
            Some(Checkpoint::Sync(through, log)) if log < self.logs.len() => {
                if self.keeps(Rule::CheckpointSyncs) {
                    self.logs[log].segment.sync();
                }
                self.logs[log].synced_start = self.logs[log].durable_start;
                Some(Checkpoint::Sync(through, log + 1))
            }
            Some(Checkpoint::Sync(through, _)) => Some(Checkpoint::Publish(through)),
            Some(Checkpoint::Publish(through))
                if self.keeps(Rule::CheckpointWaitsForTheLane)
                    && self
                        .logs
                        .iter()
                        .any(|log| matches!(log.lane, Some(Lane::Written(_, behind) | Lane::Full(_, behind)) if behind <= through)) =>
            {
                return Ok(());
            }
            Some(Checkpoint::Publish(through)) => {
                self.ring.checkpoint(through);
                None
            }
        };
        Ok(())
    }

    // The end, and the beginning.

    fn crash(&mut self) {
        self.ring.crash(&mut self.rng);
        self.queue.clear();
        self.checkpoint = None;
        let killed = self.rng.below(4) == 0;
        for log in &mut self.logs {
            // Who is killed only leaves the page cache.
            if !killed {
                log.segment.crash(&mut self.rng);
            }
            (log.lane, log.told, log.synced) = (None, 0, 0);
            log.cuts.clear();
        }
    }

    /// Starts again; the power is cut after so many steps.
    fn recover(&mut self, steps: u64) -> Result<Result<(), PowerCut>, String> {
        let mut steps = 0..steps;
        let notes: Vec<(u64, Note)> = self
            .ring
            .open()?
            .into_iter()
            .flat_map(|frame| frame.entries.into_iter().map(move |note| (frame.sequence, note)))
            .collect();
        for log in 0..self.logs.len() {
            if steps.next().is_none() {
                return Ok(Err(PowerCut));
            }
            let is_named = notes.iter().any(|(_, note)| note.log == log && !matches!(note.entry, Said::Start(_)));
            self.logs[log].open(is_named)?;
        }
        let counts = self.verdicts(&notes);
        for ((sequence, note), counts) in notes.into_iter().zip(counts) {
            if steps.next().is_none() {
                return Ok(Err(PowerCut));
            }
            if counts != Counts::No {
                self.logs[note.log].redo(sequence, note.entry, counts, keeps(self.broken))?;
            }
            if self.rng.below(4) == 0 {
                self.write_out(note.log, u64::MAX)?;
            }
        }
        Ok(Ok(()))
    }

    /// Which entries count. A broken rule is one that recovery doesn't hear of.
    fn verdicts(&self, notes: &[(u64, Note)]) -> Vec<Counts> {
        let placed = |entry: &Entry| matches!(entry, Entry::Placed(_) | Entry::Placing { .. });
        let hears = |of: &Entry, asking: &Entry| match (of, asking) {
            (Entry::Truncate { .. }, Entry::Append(_)) => self.keeps(Rule::SkipKilledAppend),
            (of, Entry::Append(_)) if placed(of) => self.keeps(Rule::SkipAppendBeforePlaced),
            (of, Entry::Truncate { .. }) if placed(of) => self.keeps(Rule::SkipTruncateBeforePlaced),
            (Entry::Drop, _) => self.keeps(Rule::SkipBeforeDrop),
            (Entry::LogStart { .. }, _) => self.keeps(Rule::RecoveryMissesNothingDeleted),
            _ => true,
        };
        let entries: Vec<(u64, TopicPartition, Entry)> =
            (1..).zip(notes).map(|(position, (_, note))| (position, id(note.log), note.entry.entry())).collect();
        let verdict = |(position, log, asking): &(u64, TopicPartition, Entry)| {
            let mut verdicts = Verdicts::default();
            for (position, log, of) in entries.iter().filter(|(_, _, of)| hears(of, asking)) {
                verdicts.foresee(*position, *log, of);
            }
            let deleted = |end: Offset| verdicts.are_deleted(*log, end);
            match asking {
                _ if !verdicts.counts(*position, *log, asking) => Counts::No,
                Entry::Placing { end, .. } if deleted(end.offset) => Counts::Deleted,
                _ => Counts::Yes,
            }
        };
        entries.iter().map(verdict).collect()
    }

    /// Each log must be what a prefix of what was asked makes, and no shorter one than what was acknowledged.
    fn judge(&mut self) -> Result<(), String> {
        for (number, log) in self.logs.iter_mut().enumerate() {
            let found = log.view();
            let mut expected = vec![log.before.clone()];
            for asked in &log.asked {
                let next = expected[expected.len() - 1].after(*asked);
                expected.push(next);
            }
            let possible = &expected[log.acknowledged..];
            // A start on its way may be lost while the lane brings later records to the file: nobody was told of either.
            let starts = possible.iter().any(|view| view.start() == found.start());
            if !starts || !possible.iter().any(|view| view.from(found.start()) == found) {
                let promised = &possible[0];
                return Err(format!("log {number} is {found:?}, acknowledged was {promised:?}"));
            }
            (log.before, log.acknowledged) = (found, 0);
            log.asked.clear();
        }
        Ok(())
    }
}

fn id(log: usize) -> TopicPartition {
    TopicPartition { topic: Uuid([log as u8; 16]), partition: PartitionIndex(0) }
}
