//! One file's two lives: what a reader sees now, and what a power cut leaves.
//!
//! `durable` with `pending` on top of it, in order, is `now`, unless a fault broke that on purpose. A power cut chooses
//! for each pending change whether it survives: whole, not at all, or in some of its sectors. Survivors are put in
//! order, so that a later change may live where an earlier one died, but never lies below it.

use std::mem;

use super::super::rng::Rng;
use super::pages::Pages;

/// Where a torn write may break, in bytes: the old and the new sector.
const SECTORS: [u64; 2] = [512, 4096];

#[derive(Clone, Default)]
pub(super) struct FileNode {
    pub(super) now: Pages,
    pub(super) durable: Pages,
    pub(super) pending: Vec<Pending>,
    /// Handles that are open.
    pub(super) open: u32,
    /// Whether a directory names it now.
    pub(super) named: bool,
}

/// A change that no sync has made durable yet.
#[derive(Clone)]
pub(super) enum Pending {
    Write { at: u64, bytes: Vec<u8>, ticket: Option<Ticket> },
    Size(u64),
}

/// Which durable write, still on its way, a pending one is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(pub(super) u64);

/// What a power cut tends to do to one file's pending changes.
#[derive(Clone, Copy)]
enum Mood {
    LoseAll,
    KeepAll,
    Mixed,
    Tear,
}

enum Fate {
    Whole,
    Lost,
    Torn,
}

impl FileNode {
    pub(super) fn write(&mut self, bytes: Vec<u8>, at: u64, ticket: Option<Ticket>) {
        self.now.write(&bytes, at);
        self.pending.push(Pending::Write { at, bytes, ticket });
    }

    pub(super) fn set_size(&mut self, size: u64) {
        self.now.set_size(size);
        self.pending.push(Pending::Size(size));
    }

    /// All that is pending reaches the medium, in order.
    pub(super) fn sync(&mut self) {
        for change in mem::take(&mut self.pending) {
            match change {
                Pending::Write { at, bytes, .. } => self.durable.write(&bytes, at),
                Pending::Size(size) => self.durable.set_size(size),
            }
        }
    }

    /// A durable write has arrived: its bytes are on the medium, and so is a size that reaches over them, as `O_DSYNC`
    /// promises. Other pending bytes stay pending.
    pub(super) fn arrived(&mut self, ticket: Ticket) {
        let is_ours = |change: &Pending| matches!(change, Pending::Write { ticket: Some(t), .. } if *t == ticket);
        // None there: a sync of the whole file was faster. Several: another durable write landed in its middle.
        while let Some(place) = self.pending.iter().position(is_ours) {
            let later = self.pending.split_off(place + 1);
            let Some(Pending::Write { at, bytes, .. }) = self.pending.pop() else { return };
            self.size_is_durable();
            let ours = at..at + bytes.len() as u64;
            // What was pending below these bytes is overwritten for good: it must not come back over them.
            self.pending = mem::take(&mut self.pending).into_iter().flat_map(|change| without(change, &ours)).collect();
            self.durable.write(&bytes, at);
            self.pending.extend(later);
        }
    }

    /// A durable write has failed on its way: some of its sectors are there, as a reader will see too.
    pub(super) fn failed(&mut self, ticket: Ticket, rng: &mut Rng) {
        let is_ours = |change: &mut Pending| matches!(change, Pending::Write { ticket: Some(t), .. } if *t == ticket);
        for change in self.pending.extract_if(.., is_ours).collect::<Vec<_>>() {
            let Pending::Write { at, bytes, .. } = change else { continue };
            self.tear(&bytes, at, rng);
            let mut medium = vec![0; bytes.len()];
            let there = self.durable.read(&mut medium, at);
            self.now.write(&medium[..there], at);
        }
    }

    /// A sync has failed: the kernel calls the pages clean, whether or not it wrote them. A later sync won't try again.
    pub(super) fn failed_sync(&mut self, rng: &mut Rng) {
        let on_its_way = |change: &mut Pending| matches!(change, Pending::Write { ticket: Some(_), .. });
        let travelling: Vec<Pending> = self.pending.extract_if(.., on_its_way).collect();
        self.settle(rng);
        self.pending = travelling;
    }

    /// The medium keeps what is chosen for it of the pending changes; they are pending no longer.
    fn settle(&mut self, rng: &mut Rng) {
        let mood = match rng.below(6) {
            0 => Mood::LoseAll,
            1 => Mood::KeepAll,
            2 | 3 => Mood::Mixed,
            _ => Mood::Tear,
        };
        for change in mem::take(&mut self.pending) {
            let fate = mood.fate(rng);
            match (change, fate) {
                (Pending::Write { at, bytes, .. }, Fate::Whole) => self.durable.write(&bytes, at),
                (Pending::Write { at, bytes, .. }, Fate::Torn) => self.tear(&bytes, at, rng),
                (Pending::Write { at, bytes, .. }, Fate::Lost) => self.maybe_only_size(bytes.len(), at, rng),
                (Pending::Size(size), Fate::Whole) => self.durable.set_size(size),
                (Pending::Size(_), Fate::Lost | Fate::Torn) => {}
            }
        }
    }

    /// The power was cut: what survived is all there is.
    pub(super) fn lose(&mut self, rng: &mut Rng) {
        self.settle(rng);
        self.now = self.durable.clone();
        self.open = 0;
    }

    /// Some sectors arrive, others don't: the first few, or any of them.
    fn tear(&mut self, bytes: &[u8], at: u64, rng: &mut Rng) {
        self.maybe_only_size(bytes.len(), at, rng);
        let sector = if rng.coin() { SECTORS[0] } else { SECTORS[1] };
        let sectors = sectors(at, bytes.len(), sector);
        let count = sectors.clone().count() as u64;
        let prefix = rng.coin().then(|| rng.below(count + 1));
        for (number, (place, piece)) in sectors.enumerate() {
            let arrives = match prefix {
                Some(prefix) => (number as u64) < prefix,
                None => rng.coin(),
            };
            if arrives {
                self.durable.write(&bytes[piece], place);
            }
        }
    }

    /// A write that made the file longer may leave the new size without its bytes: zeros, or what lay there before.
    fn maybe_only_size(&mut self, length: usize, at: u64, rng: &mut Rng) {
        let (old, end) = (self.durable.size(), at + length as u64);
        if end <= old || rng.coin() {
            return;
        }
        self.durable.set_size(end);
        if rng.coin() {
            let start = old.max(at);
            let mut garbage = vec![0; (end - start) as usize];
            rng.fill(&mut garbage);
            self.durable.write(&garbage, start);
        }
    }

    /// Makes the file's size durable, but none of the bytes that are pending inside it.
    fn size_is_durable(&mut self) {
        let mut kept: Vec<Pending> = Vec::new();
        for change in mem::take(&mut self.pending) {
            match change {
                Pending::Size(size) => {
                    self.durable.set_size(size);
                    // Bytes that were cut off before this moment must not come back with the longer file.
                    kept = kept.into_iter().flat_map(|change| without(change, &(size..u64::MAX))).collect();
                }
                Pending::Write { at, ref bytes, .. } => {
                    let end = at + bytes.len() as u64;
                    if end > self.durable.size() {
                        self.durable.set_size(end);
                    }
                    kept.push(change);
                }
            }
        }
        self.pending = kept;
    }
}

impl Mood {
    fn fate(self, rng: &mut Rng) -> Fate {
        let draw = rng.below(4);
        match (self, draw) {
            (Mood::LoseAll, _) => Fate::Lost,
            (Mood::KeepAll, _) => Fate::Whole,
            (Mood::Mixed, 0 | 1) | (Mood::Tear, 0) => Fate::Whole,
            (Mood::Mixed, _) | (Mood::Tear, 1) => Fate::Lost,
            (Mood::Tear, _) => Fate::Torn,
        }
    }
}

/// What is left of a pending change when a range of the file is settled otherwise.
fn without(change: Pending, settled: &std::ops::Range<u64>) -> Vec<Pending> {
    let Pending::Write { at, bytes, ticket } = change else { return vec![change] };
    let end = at + bytes.len() as u64;
    if end <= settled.start || settled.end <= at {
        return vec![Pending::Write { at, bytes, ticket }];
    }
    let mut left = Vec::new();
    if at < settled.start {
        left.push(Pending::Write { at, bytes: bytes[..(settled.start - at) as usize].to_vec(), ticket });
    }
    if settled.end < end {
        let rest = bytes[(settled.end - at) as usize..].to_vec();
        left.push(Pending::Write { at: settled.end, bytes: rest, ticket });
    }
    left
}

/// Cuts `at..at + length` at sector borders: position in the file, and the piece of the whole.
fn sectors(at: u64, length: usize, sector: u64) -> impl Iterator<Item = (u64, std::ops::Range<usize>)> + Clone {
    let end = at + length as u64;
    (at / sector..end.div_ceil(sector)).map(move |number| {
        let start = at.max(number * sector);
        let stop = end.min((number + 1) * sector);
        (start, (start - at) as usize..(stop - at) as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durable_after(file: &FileNode, seed: u64) -> Vec<u8> {
        let mut after = file.clone();
        after.lose(&mut Rng::new(seed));
        after.durable.to_vec()
    }

    /// The page cache is flushed before a direct write goes past it: an older dirty page can't land on top later.
    #[test]
    fn what_was_pending_below_a_durable_write_never_comes_back_over_it() {
        let mut file = FileNode::default();
        file.write(vec![1; 12288], 0, None);
        file.write(vec![2; 4096], 4096, Some(Ticket(1)));
        file.arrived(Ticket(1));
        for seed in 0..200 {
            let bytes = durable_after(&file, seed);
            assert_eq!(bytes.len(), 12288, "a durable write keeps the size that reaches over it");
            assert!(bytes[4096..8192].iter().all(|&b| b == 2));
        }
        assert!((0..200).any(|seed| durable_after(&file, seed)[0] == 0), "its neighbours were only written");
    }

    #[test]
    fn bytes_that_were_cut_off_stay_away_when_a_longer_size_is_durable() {
        let mut file = FileNode::default();
        file.write(vec![1; 8192], 0, None);
        file.set_size(4096);
        file.set_size(8192);
        file.write(vec![2; 512], 0, Some(Ticket(1)));
        file.arrived(Ticket(1));
        for seed in 0..200 {
            assert!(durable_after(&file, seed)[4096..].iter().all(|&b| b == 0));
        }
    }

    #[test]
    fn a_later_write_keeps_its_place_over_a_durable_one_that_arrives_after_it() {
        let mut file = FileNode::default();
        file.durable.set_size(4096);
        file.now.set_size(4096);
        file.write(vec![1; 4096], 0, Some(Ticket(1)));
        file.write(vec![2; 4096], 0, None);
        file.arrived(Ticket(1));
        file.sync();
        assert_eq!(file.durable.to_vec(), vec![2; 4096]);
    }

    #[test]
    fn a_durable_write_is_stable_around_another_that_landed_in_its_middle() {
        let mut file = FileNode::default();
        file.durable.set_size(12288);
        file.now.set_size(12288);
        file.write(vec![1; 12288], 0, Some(Ticket(1)));
        file.write(vec![2; 4096], 4096, Some(Ticket(2)));
        file.arrived(Ticket(2));
        file.arrived(Ticket(1));
        let expected = [[1; 4096], [2; 4096], [1; 4096]].concat();
        assert_eq!((0..50).filter(|&seed| durable_after(&file, seed) == expected).count(), 50);
    }

    #[test]
    fn a_failed_sync_takes_nothing_from_a_durable_write_that_is_still_on_its_way() {
        for seed in 0..50 {
            let mut file = FileNode::default();
            file.write(vec![1; 4096], 0, Some(Ticket(1)));
            file.failed_sync(&mut Rng::new(seed));
            file.arrived(Ticket(1));
            assert_eq!(durable_after(&file, seed), vec![1; 4096]);
        }
    }
}
