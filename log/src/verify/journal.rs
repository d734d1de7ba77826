//! A journal: whether its frames are all there, and what of which log it would do again.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use thalweg_wire::{Offset, TopicPartition, Uuid};
use thalweg_world::disk::{Disk, Open};

use super::{Finding, Report, Subject};
use crate::journal::ring::{self, OpenError};
use crate::journal::scan::{Found, ReplayError, whole_frames};
use crate::journal::{Entry, FileHeader, Kind, Name, Replay, Suspect, entry, name_of, read_name};
use crate::redo::Verdicts;

/// What a journal has of one log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Redo {
    /// From here on it has the records, or they are none that anybody was told of. Below they are in the files.
    pub from: Offset,
    /// Records below are deleted.
    pub start: Offset,
}

/// Looks a journal over, frame by frame. `None` if it can't be used, which is a finding then. `directory` is the id of the
/// directory that it is in, if that is known. Blocks.
pub fn journal(disk: &dyn Disk, folder: &Path, directory: Option<Uuid>, report: &mut Report<'_>) -> Option<Replay> {
    for entry in disk.list(folder).unwrap_or_default() {
        let size = disk.open(&folder.join(&entry.name), Open::Read).and_then(|file| file.size());
        report.totals.bytes += size.unwrap_or(0);
    }
    let error = match ring::look(disk, folder, directory) {
        Ok(replay) => return Some(replay),
        Err(error) => error,
    };
    let damage = |file: PathBuf, meaning: String| Finding::damage(Subject::Journal, file, meaning);
    report.add(match error {
        OpenError::Io(path, error) => Finding::unreadable(path, &error),
        OpenError::Missing => {
            damage(folder.to_owned(), "it has no files: what was acknowledged last is lost".to_owned())
        }
        OpenError::FileMissing(path) => damage(path, "this file of the journal is missing".to_owned()),
        OpenError::Foreign { path, reason } => damage(path, reason.to_owned()).at(0),
        OpenError::Suspect(suspect) => {
            let meaning = format!("{suspect}: acknowledged records may be missing");
            match place_of(disk, folder, &suspect) {
                Some((file, position)) => damage(file, meaning).at(position),
                None => damage(folder.to_owned(), meaning),
            }
        }
    });
    None
}

/// The kind of the first entry of a journal that can be read: whose journal it is. Blocks.
pub fn first_kind(disk: &dyn Disk, folder: &Path) -> Option<Kind> {
    let frames = all_frames(disk, folder).unwrap_or_default();
    frames.iter().find_map(|(path, frame)| {
        let file = disk.open(path, Open::Read).ok()?;
        entry::split(&mut frame.entries(&*file).ok()?).map(|raw| raw.kind)
    })
}

/// What the journal of a log directory says of each log: what the next start will do again. Blocks; goes over it twice.
pub(super) fn redone(replay: &Replay, folder: &Path, report: &mut Report<'_>) -> BTreeMap<TopicPartition, Redo> {
    let mut verdicts = Verdicts::default();
    let mut redone: BTreeMap<TopicPartition, Redo> = BTreeMap::new();
    let walked = each_entry(replay, |position, log, entry| {
        verdicts.foresee(position, log, &entry);
        if let Entry::Append(batch) = &entry {
            batch.check().map_err(|corruption| format!("a batch at offset {}: {corruption}", batch.base_offset()))?;
        }
        Ok(())
    });
    let walked = walked.and_then(|()| {
        each_entry(replay, |position, log, entry| {
            let from = match &entry {
                _ if !verdicts.counts(position, log, &entry) => return Ok(()),
                Entry::Append(batch) => batch.base_offset(),
                Entry::Truncate { to, .. } => *to,
                Entry::Placed(end) | Entry::Placing { placed: end, .. } => end.offset,
                Entry::LogStart { at } => {
                    let redo = redone.entry(log).or_insert(Redo { from: Offset(i64::MAX), start: *at });
                    redo.start = redo.start.max(*at);
                    return Ok(());
                }
                Entry::Epoch { .. } | Entry::Drop => return Ok(()),
            };
            let redo = redone.entry(log).or_insert(Redo { from, start: Offset::ZERO });
            redo.from = redo.from.min(from);
            Ok(())
        })
    });
    if let Err(finding) = walked {
        report.add(Finding { file: folder.to_owned(), ..*finding });
    }
    redone
}

fn each_entry(
    replay: &Replay,
    mut visit: impl FnMut(u64, TopicPartition, Entry) -> Result<(), String>,
) -> Result<(), Box<Finding>> {
    let mut position = 0;
    replay
        .for_each(|sequence, raw| {
            position += 1;
            let read = Entry::read(&raw).map_err(|malformed| malformed.to_string());
            let visited = read.and_then(|(log, entry)| visit(position, log, entry));
            visited.map_err(|reason| {
                let meaning = format!("frame {sequence}: {reason}");
                Stop(Box::new(Finding::damage(Subject::Journal, PathBuf::new(), meaning)))
            })
        })
        .map_err(|Stop(finding)| finding)
}

struct Stop(Box<Finding>);

impl From<ReplayError> for Stop {
    fn from(error: ReplayError) -> Stop {
        Stop(Box::new(match error {
            ReplayError::Io(error) => Finding::unreadable(PathBuf::new(), &error),
            ReplayError::Suspect(suspect) => Finding::damage(Subject::Journal, PathBuf::new(), suspect.to_string()),
        }))
    }
}

/// The file and the position that a suspicion is about: of frames that are missing, where the first would stand.
fn place_of(disk: &dyn Disk, folder: &Path, suspect: &Suspect) -> Option<(PathBuf, u64)> {
    let frames = all_frames(disk, folder).ok()?;
    let find = |sequence: u64| frames.iter().find(|(_, frame)| frame.header.sequence == sequence);
    let (sequence, is_missing) = match suspect {
        Suspect::Missing { first, .. } => (*first, true),
        Suspect::Doubled { sequence }
        | Suspect::Unchained { sequence }
        | Suspect::Misplaced { sequence }
        | Suspect::CheckpointAhead { sequence }
        | Suspect::Malformed { sequence, .. } => (*sequence, false),
    };
    let place = |(file, frame): &(PathBuf, Found), behind: u64| (file.clone(), frame.at + behind);
    if !is_missing {
        return find(sequence).map(|found| place(found, 0));
    }
    let before = sequence.checked_sub(1).and_then(find);
    before.map(|found| place(found, u64::from(found.1.header.length)))
}

/// All whole frames of a journal's files.
fn all_frames(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<(PathBuf, Found)>> {
    let mut frames = Vec::new();
    for entry in disk.list(folder)? {
        let Name::File(number) = read_name(&entry.name) else { continue };
        let path = folder.join(name_of(number));
        let file = disk.open(&path, Open::Read)?;
        let Some(FileHeader { journal, .. }) = FileHeader::read(&*file)? else { continue };
        let found = whole_frames(&*file, number as usize, journal)?;
        frames.extend(found.into_iter().map(|frame| (path.clone(), frame)));
    }
    Ok(frames)
}
