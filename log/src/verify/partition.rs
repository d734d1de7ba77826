//! One partition's folder: its segments in their order, and what stands beside them.

use std::io;
use std::path::{Path, PathBuf};

use thalweg_wire::batch::Header;
use thalweg_wire::{LeaderEpoch, Offset};
use thalweg_world::disk::{Disk, EntryKind};

use super::segment::{self, Place};
use super::{Finding, Left, Mode, Redo, Remedy, Report, Subject, beside, repair};
use crate::segment::names::{FileKind, Suffix, parse_file_name};

/// What is known of a partition from outside its folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Surroundings {
    /// How its directory was left.
    pub left: Left,
    /// Where the log begins: below it records were deleted.
    pub start: Offset,
    /// Below it all records were durable once.
    pub recovery_point: Option<Offset>,
    /// What a journal has of it.
    pub redo: Option<Redo>,
    /// Below it a compaction took records out.
    pub cleaned: Option<Offset>,
}

impl Surroundings {
    /// Of a folder without a directory around it.
    pub const NONE: Surroundings =
        Surroundings { left: Left::Unexplained, start: Offset::ZERO, recovery_point: None, redo: None, cleaned: None };
}

/// What a folder comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Where its first segment begins; `None` without any.
    pub first: Option<Offset>,
    /// Where its records end.
    pub end: Offset,
}

/// Segments whose names are above this have no room for offsets behind them, and no log came so far.
const BASE_MAX: i64 = i64::MAX - (1 << 33);

/// Holes that are told one by one; and leader epochs of one log, far more than one ever had.
const HOLES_MAX: usize = 100;
const EPOCHS_MAX: usize = 1 << 20;

/// Looks over the folder of a partition, in little memory, and mends what `mode` allows. Blocks.
///
/// # Errors
/// Those of the disk if the folder can't be listed. Whatever can't be read in it is a finding.
pub fn partition(
    disk: &dyn Disk,
    folder: &Path,
    around: &Surroundings,
    mode: Mode,
    report: &mut Report<'_>,
) -> io::Result<Extent> {
    let names = Names::list(disk, folder, report)?;
    report.totals.partitions += 1;
    if names.bases.is_empty() && names.is_bare {
        return Ok(Extent { first: None, end: Offset::ZERO });
    }
    beside::metadata(disk, folder, !names.bases.is_empty(), report);
    let mut mendable = Vec::new();
    let mut course = Course::begin(names.bases.first().copied(), around);
    let epochs = beside::epochs(disk, folder, !names.bases.is_empty(), report);
    course.epochs = epochs.as_ref().ok().cloned();
    course.window = beside::window(disk, folder, &mut mendable, report);
    let mut is_damaged = false;
    for (number, &base) in names.bases.iter().enumerate() {
        let next = names.bases.get(number + 1).copied();
        let place = Place { disk, folder, base, next, around };
        is_damaged |= course.begin_segment(folder, base, report);
        let outcome = segment::look(&place, &mut course, report);
        is_damaged |= outcome.is_damaged;
        mendable.extend(outcome.mendable);
    }
    is_damaged |= course.tell_holes(report);
    is_damaged |= course.tell_missing(folder, around, report);
    let log = Log { first: names.bases.first().copied(), end: course.end, is_damaged, around };
    mendable.extend(beside::epochs_against(folder, epochs, &course, &log, report));
    beside::snapshots(disk, folder, &names.snapshots, &log, &mut mendable, report);
    beside::window_against(folder, &course, &log, report);
    let found = &course.seen_epochs;
    for finding in mendable {
        report.add(match mode {
            Mode::Look => finding,
            Mode::Repair => repair::apply(disk, folder, finding, found),
        });
    }
    Ok(Extent { first: log.first, end: log.end })
}

/// What small files are held against.
pub(super) struct Log<'a> {
    pub(super) first: Option<Offset>,
    pub(super) end: Offset,
    /// Records can't be read: what they say of the rest is not all.
    pub(super) is_damaged: bool,
    pub(super) around: &'a Surroundings,
}

/// What a folder has, by name.
struct Names {
    bases: Vec<Offset>,
    snapshots: Vec<Offset>,
    /// Nothing is in it at all.
    is_bare: bool,
}

impl Names {
    fn list(disk: &dyn Disk, folder: &Path, report: &mut Report<'_>) -> io::Result<Names> {
        let mut names = Names { bases: Vec::new(), snapshots: Vec::new(), is_bare: true };
        let mut indexes = Vec::new();
        for entry in disk.list(folder)? {
            names.is_bare = false;
            let path = folder.join(&entry.name);
            let Some((offset, kind, suffix)) = parse_file_name(&entry.name) else { continue };
            if entry.kind != EntryKind::File || offset.0 > BASE_MAX {
                report.add(Finding::damage(Subject::Stray, path, "no file of a log that any broker wrote"));
                continue;
            }
            match (kind, suffix) {
                (FileKind::Log, None) => names.bases.push(offset),
                (FileKind::ProducerSnapshot, None) => names.snapshots.push(offset),
                (_, None) => indexes.push((offset, path)),
                (_, Some(Suffix::Deleted)) => {}
                (_, Some(Suffix::Cleaned)) => {
                    report.add(Finding::note(
                        Subject::Stray,
                        path,
                        "unfinished work of a cleaner, which takes nothing away",
                    ));
                }
                (_, Some(Suffix::Swap)) => {
                    let meaning =
                        "it was to replace other segments when its writer stopped; only a Kafka can finish that";
                    report.add(Finding::damage(Subject::Segments, path, meaning));
                }
            }
        }
        names.bases.sort_unstable();
        names.snapshots.sort_unstable();
        for (base, path) in indexes {
            if names.bases.binary_search(&base).is_err() {
                report.add(Finding::note(
                    Subject::Stray,
                    path,
                    "an index without its segment: what a crash left of a removal",
                ));
            }
        }
        Ok(names)
    }
}

/// The way over all batches of a log, and what has to be known of those that passed.
pub(super) struct Course {
    /// Where the next batch belongs.
    end: Offset,
    /// No batch has passed yet.
    is_first: bool,
    epoch: LeaderEpoch,
    /// Offsets without a batch. Of a compacted log they mean nothing, and that it is one may show later.
    holes: Vec<Finding>,
    /// A compaction was here.
    is_cleaned: bool,
    cleaned: Option<Offset>,
    start: Offset,
    /// The lines of `leader-epoch-checkpoint`, if it can be read.
    epochs: Option<Vec<(LeaderEpoch, Offset)>>,
    /// The first batch that they don't agree with: its epoch, its offset, the epoch by the file.
    pub(super) disagrees: Option<(LeaderEpoch, Offset, Option<LeaderEpoch>)>,
    /// Where each epoch's first batch is.
    pub(super) seen_epochs: Vec<(LeaderEpoch, Offset)>,
    /// Where the producers' window ends, and the checksum of the batch there.
    window: Option<(Offset, u32)>,
    /// Whether that batch was met.
    pub(super) window_fits: Option<bool>,
}

impl Course {
    fn begin(first: Option<Offset>, around: &Surroundings) -> Course {
        Course {
            end: first.unwrap_or(around.start),
            is_first: true,
            epoch: LeaderEpoch(-1),
            holes: Vec::new(),
            is_cleaned: false,
            cleaned: around.cleaned,
            start: around.start,
            epochs: None,
            disagrees: None,
            seen_epochs: Vec::new(),
            window: None,
            window_fits: None,
        }
    }

    /// The leader epoch of the last batch.
    pub(super) fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    /// The window and where the log is, if there is a window that can be read.
    pub(super) fn window(&self) -> Option<(Offset, u32)> {
        self.window
    }

    fn begin_segment(&mut self, folder: &Path, base: Offset, report: &mut Report<'_>) -> bool {
        let overlaps = base < self.end;
        if overlaps {
            let meaning = format!("it begins at offset {base}, and the segment before ends at {}", self.end);
            let path = folder.join(crate::segment::names::file_name(base, FileKind::Log));
            report.add(Finding::damage(Subject::Segments, path, meaning).of(base, Some(self.end)));
            self.end = base;
        }
        overlaps
    }

    /// A whole batch.
    pub(super) fn pass(&mut self, path: &Path, position: u64, header: &Header) {
        let (base, last, epoch) = (header.base_offset(), header.last_offset(), header.leader_epoch());
        self.is_cleaned |= i64::from(header.count()) <= i64::from(header.last_offset_delta());
        // Where a log begins whose first records were deleted is its first segment's to say, not its first batch's.
        if base > self.end && !(self.is_first && base <= self.start) {
            let known = self.cleaned.is_some_and(|cleaned| base <= cleaned);
            if !known && self.holes.len() < HOLES_MAX {
                let meaning = format!(
                    "records are missing here: the batch before ends at offset {}, this one begins at {base}",
                    self.end
                );
                let hole = Finding::damage(Subject::Offsets, path, meaning).at(position);
                self.holes.push(hole.of(self.end, Some(base)));
            }
        }
        self.is_first = false;
        self.end = last.plus(1);
        self.epoch = epoch;
        if self.seen_epochs.last().is_none_or(|(newest, _)| *newest < epoch)
            && epoch.0 >= 0
            && self.seen_epochs.len() < EPOCHS_MAX
        {
            self.seen_epochs.push((epoch, base));
        }
        if let Some(epochs) = self.epochs.as_ref().filter(|_| self.disagrees.is_none()) {
            let known = epochs.partition_point(|(_, start)| *start <= last);
            let by_file = known.checked_sub(1).map(|at| epochs[at].0);
            // A file that was cut with the log's start says nothing of what stands below.
            if by_file != Some(epoch) && (by_file.is_some() || last >= self.start) {
                self.disagrees = Some((epoch, base, by_file));
            }
        }
        if let Some((end, crc)) = self.window.filter(|(end, _)| *end == self.end) {
            self.window_fits = Some(end == self.end && crc == header.crc());
        }
    }

    /// What stands before `next` was told of.
    pub(super) fn goes_on_at(&mut self, next: Offset) {
        (self.end, self.is_first) = (next, false);
    }

    /// The rest of a segment can't be read: where the next one has to begin is unknown.
    pub(super) fn is_cut_short(&mut self) {
        self.is_first = true;
        self.start = Offset(i64::MAX);
    }

    fn tell_holes(&mut self, report: &mut Report<'_>) -> bool {
        let holes = std::mem::take(&mut self.holes);
        let is_damaged = !self.is_cleaned && !holes.is_empty();
        if is_damaged {
            holes.into_iter().for_each(|hole| report.add(hole));
        }
        is_damaged
    }

    /// Records that were durable once and aren't there.
    fn tell_missing(&self, folder: &Path, around: &Surroundings, report: &mut Report<'_>) -> bool {
        let Surroundings { start, recovery_point, redo, .. } = *around;
        let (until, by) = match redo {
            // What is missing from there on is in the journal.
            Some(redo) => (redo.from, "the journal"),
            None if start > recovery_point.unwrap_or(Offset::ZERO) => (start, "the log's start"),
            None => (recovery_point.unwrap_or(Offset::ZERO), "the recovery point"),
        };
        let is_deleted = redo.is_some() && start >= until;
        if self.end >= until || is_deleted {
            return false;
        }
        let meaning = format!("the log ends at offset {}, and {by} says that it went on to {until}", self.end);
        let finding = Finding::damage(Subject::Offsets, folder, meaning);
        report.add(finding.of(self.end, Some(until)).mended_by(Remedy::Elsewhere));
        true
    }
}

/// Where a file of a folder is.
pub(super) fn path(folder: &Path, offset: Offset, kind: FileKind) -> PathBuf {
    folder.join(crate::segment::names::file_name(offset, kind))
}
