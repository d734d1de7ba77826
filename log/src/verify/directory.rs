//! A log directory: how it was left, whose it is, its checkpoints, its journal, and every partition in it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use thalweg_wire::{Offset, TopicPartition, Uuid};
use thalweg_world::disk::{Disk, EntryKind};

use super::journal::redone;
use super::partition::{Extent, Surroundings, partition};
use super::{Finding, Left, Mode, Redo, Remedy, Report, Subject, beside, journal, read_small, repair};
use crate::directory::{DRAINED, DirectoryError, JOURNAL, JOURNAL_IS_HERE, LOCK, META_PROPERTIES, read_meta};
use crate::segment::names::{FolderKind, PartitionName, parse_folder_name};
use crate::segment::partition_metadata;
use crate::segment::text_checkpoint::{self, CLEAN_SHUTDOWN, LOG_START, Offsets, RECOVERY_POINT, REPLICATION};

/// Kafka's word on how far its cleaner came.
const CLEANER: &str = "cleaner-offset-checkpoint";

/// The longest checkpoint that is read, in bytes: a million partitions with long names.
const CHECKPOINT_BYTES_MAX: u64 = 256 << 20;

/// Whether a folder is a log directory, by what is in it. Blocks.
///
/// # Errors
/// Those of the disk.
pub fn is_log_directory(disk: &dyn Disk, path: &Path) -> io::Result<bool> {
    let marks = [META_PROPERTIES, LOCK, JOURNAL, JOURNAL_IS_HERE, CLEAN_SHUTDOWN, RECOVERY_POINT];
    Ok(disk.list(path)?.iter().any(|entry| marks.iter().any(|mark| entry.name == Path::new(mark))))
}

/// What a directory's own files say of its partitions.
struct Known {
    left: Left,
    starts: Offsets,
    points: Offsets,
    watermarks: Offsets,
    cleaned: Offsets,
    redo: BTreeMap<TopicPartition, Redo>,
}

/// Looks over a log directory, ours or Kafka's, with all partitions in it or only the one of that folder's name. Its lock is
/// the caller's to hold. Blocks.
///
/// # Errors
/// Those of the disk if the directory can't be listed. Whatever can't be read in it is a finding.
pub fn directory(
    disk: &dyn Disk,
    path: &Path,
    only: Option<&Path>,
    mode: Mode,
    report: &mut Report<'_>,
) -> io::Result<()> {
    let entries = disk.list(path)?;
    let has = |name: &str| entries.iter().any(|entry| entry.name == Path::new(name));
    let id = meta(disk, path, report);
    let left = match (has(CLEAN_SHUTDOWN) || has(DRAINED), has(JOURNAL_IS_HERE)) {
        (true, _) => Left::Clean,
        (false, true) => Left::WithJournal,
        (false, false) => Left::Unexplained,
    };
    let mut known = Known {
        left,
        starts: checkpoint(disk, path, LOG_START, mode, report),
        points: checkpoint(disk, path, RECOVERY_POINT, mode, report),
        watermarks: checkpoint(disk, path, REPLICATION, mode, report),
        cleaned: checkpoint(disk, path, CLEANER, mode, report),
        redo: BTreeMap::new(),
    };
    if has(JOURNAL) {
        let folder = path.join(JOURNAL);
        if let Some(replay) = journal(disk, &folder, id, report) {
            known.redo = redone(&replay, &folder, report);
        }
    } else if left == Left::WithJournal {
        let meaning = "the journal is missing: what was acknowledged last is lost, and no broker starts here";
        report.add(Finding::damage(Subject::Journal, path.join(JOURNAL), meaning));
    }
    for entry in &entries {
        let folder = path.join(&entry.name);
        let is_ours = [JOURNAL, DRAINED].iter().any(|name| entry.name == Path::new(name));
        if entry.kind != EntryKind::Directory || is_ours || only.is_some_and(|only| only != entry.name) {
            continue;
        }
        match entry.name.to_str().and_then(parse_folder_name) {
            Some(FolderKind::Delete) => {}
            Some(FolderKind::Live) => known.look(disk, &folder, mode, report)?,
            Some(FolderKind::Future | FolderKind::Stray) => {
                partition(disk, &folder, &Surroundings { left, ..Surroundings::NONE }, mode, report)?;
            }
            None => report.add(Finding::note(
                Subject::Stray,
                folder,
                "no partition's folder: a Kafka doesn't start beside it",
            )),
        }
    }
    if only.is_none() {
        known.without_folder(path, report);
    }
    Ok(())
}

impl Known {
    fn look(&mut self, disk: &dyn Disk, folder: &Path, mode: Mode, report: &mut Report<'_>) -> io::Result<()> {
        let name =
            folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<PartitionName>().ok());
        let Some(name) = name else { return Ok(()) };
        let topic = partition_metadata::read(disk, folder).ok().flatten();
        let id = topic.map(|topic| TopicPartition { topic, partition: name.partition });
        let redo = id.and_then(|id| self.redo.remove(&id));
        let start = self.starts.remove(&name).unwrap_or(Offset::ZERO);
        let around = Surroundings {
            left: self.left,
            start: redo.map_or(start, |redo| redo.start.max(start)),
            recovery_point: self.points.remove(&name),
            // One that only says where the log starts says nothing of where it ends.
            redo: redo.filter(|redo| redo.from < Offset(i64::MAX)),
            cleaned: self.cleaned.remove(&name),
        };
        let Extent { end, .. } = partition(disk, folder, &around, mode, report)?;
        let watermark = self.watermarks.remove(&name);
        if let Some(watermark) = watermark.filter(|watermark| *watermark > end && around.redo.is_none()) {
            let meaning = format!("the high watermark is {watermark}, and the log ends at {end}");
            report.add(Finding::note(Subject::Checkpoint, folder, meaning).of(end, Some(watermark)));
        }
        Ok(())
    }

    /// Who is spoken of and has no folder. Of one whose topic was deleted a crash may have left a line.
    fn without_folder(self, path: &Path, report: &mut Report<'_>) {
        let lines = [(RECOVERY_POINT, &self.points), (LOG_START, &self.starts)];
        for (file, offsets) in lines {
            for (name, offset) in offsets.iter().filter(|(_, offset)| **offset > Offset::ZERO) {
                let meaning = format!(
                    "it knows {name} up to offset {offset}, which has no folder: its topic was deleted, or its records are gone"
                );
                report.add(Finding::note(Subject::Checkpoint, path.join(file), meaning));
            }
        }
        for (log, redo) in self.redo.iter().filter(|(_, redo)| redo.from > redo.start && redo.from < Offset(i64::MAX)) {
            let meaning = format!(
                "it goes on at offset {} of partition {} of topic id {}, which has no folder: the topic was deleted, or its records are gone",
                redo.from, log.partition, log.topic
            );
            report.add(Finding::note(Subject::Journal, path.join(JOURNAL), meaning));
        }
    }
}

/// A directory's id, by its `meta.properties`; what is wrong with that is told. Blocks.
pub fn meta(disk: &dyn Disk, path: &Path, report: &mut Report<'_>) -> Option<Uuid> {
    match read_meta(disk, path) {
        Ok(Some((_, id))) => Some(id),
        Ok(None) => {
            let meaning = "it is missing: nothing says to which cluster and node the directory belongs";
            report.add(Finding::note(Subject::Meta, path.join(META_PROPERTIES), meaning));
            None
        }
        Err(DirectoryError::Io(file, error)) => {
            report.add(Finding::unreadable(file, &error));
            None
        }
        Err(DirectoryError::BadMeta(file, reason)) => {
            report.add(Finding::damage(Subject::Meta, file, reason));
            None
        }
        Err(error) => {
            report.add(Finding::damage(Subject::Meta, path.join(META_PROPERTIES), error.to_string()));
            None
        }
    }
}

/// A checkpoint's lines; none if it is missing or can't be read.
fn checkpoint(disk: &dyn Disk, path: &Path, name: &str, mode: Mode, report: &mut Report<'_>) -> Offsets {
    let file = path.join(name);
    let bytes = match read_small(disk, &file, CHECKPOINT_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Offsets::new(),
        Err(error) => {
            report.add(Finding::unreadable(file, &error));
            return Offsets::new();
        }
    };
    report.totals.bytes += bytes.len() as u64;
    let (finding, offsets) = match text_checkpoint::decode(&bytes) {
        Ok(offsets) => match offsets.iter().find(|(_, offset)| **offset < Offset::ZERO) {
            None => return offsets,
            Some((of, offset)) => {
                (Finding::damage(Subject::Checkpoint, file, format!("offset {offset} of {of} is none")), offsets)
            }
        },
        Err(malformed) => {
            let position = beside::place(&bytes, malformed.line);
            let finding = Finding::damage(Subject::Checkpoint, file, malformed.to_string());
            (finding.at(position), Offsets::new())
        }
    };
    // Where a log begins whose first records were deleted nothing else says. What the others say a start finds by itself.
    let remedy = if name == LOG_START { Remedy::Elsewhere } else { Remedy::Remove };
    let finding = finding.mended_by(remedy);
    report.add(match mode {
        Mode::Look => finding,
        Mode::Repair => repair::apply(disk, path, finding, &[]),
    });
    offsets
}
