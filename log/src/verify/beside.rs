//! The small files of a partition's folder: whose it is, its leader epochs, its producers.

use std::io;
use std::path::Path;

use thalweg_wire::{LeaderEpoch, Offset};
use thalweg_world::disk::Disk;

use super::partition::{Course, Log, path};
use super::{Finding, Left, Remedy, Report, Subject, Weight, read_small};
use crate::segment::names::{FileKind, LEADER_EPOCH_CHECKPOINT, PARTITION_METADATA};
use crate::segment::producer_window::{self, PRODUCER_WINDOW, ProducerWindow};
use crate::segment::{leader_epochs, partition_metadata, producer_snapshot};

/// The longest files that are read, in bytes.
const METADATA_BYTES_MAX: u64 = 256;
const EPOCHS_BYTES_MAX: u64 = 16 << 20;
const SNAPSHOT_BYTES_MAX: u64 = 256 << 20;

/// A file of leader epochs.
pub(super) type Epochs = Result<Vec<(LeaderEpoch, Offset)>, Finding>;

/// A small file's bytes; `Ok(None)` if there is no such file. Counts them.
fn read(disk: &dyn Disk, path: &Path, limit: u64, report: &mut Report<'_>) -> io::Result<Option<Vec<u8>>> {
    match read_small(disk, path, limit) {
        Ok(bytes) => {
            report.totals.bytes += bytes.len() as u64;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the folder says whose it is.
pub(super) fn metadata(disk: &dyn Disk, folder: &Path, has_records: bool, report: &mut Report<'_>) {
    let path = folder.join(PARTITION_METADATA);
    let meaning = match read(disk, &path, METADATA_BYTES_MAX, report) {
        Err(error) => return report.add(Finding::unreadable(path, &error)),
        Ok(Some(bytes)) if partition_metadata::decode(&bytes).is_some() => return,
        Ok(Some(_)) => "it doesn't say to which topic the records belong: its bytes are not those of such a file",
        Ok(None) if has_records => "it is missing: nothing says to which topic the records belong",
        Ok(None) => return,
    };
    report.add(Finding::damage(Subject::PartitionMetadata, path, meaning));
}

/// The leader epochs by their file.
pub(super) fn epochs(disk: &dyn Disk, folder: &Path, has_records: bool, report: &mut Report<'_>) -> Epochs {
    let path = folder.join(LEADER_EPOCH_CHECKPOINT);
    match read(disk, &path, EPOCHS_BYTES_MAX, report) {
        Err(error) => Err(Finding::unreadable(path, &error)),
        Ok(None) if has_records => Err(Finding::damage(Subject::EpochCheckpoint, path, "it is missing")),
        Ok(None) => Ok(Vec::new()),
        Ok(Some(bytes)) => leader_epochs::decode(&bytes).map_err(|malformed| {
            Finding::damage(Subject::EpochCheckpoint, path, malformed.to_string()).at(place(&bytes, malformed.line))
        }),
    }
}

/// Where a line begins, counted from 1.
pub(super) fn place(bytes: &[u8], line: usize) -> u64 {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    line.checked_sub(2).map_or(0, |before| ends.map(|(at, _)| at as u64 + 1).nth(before).unwrap_or(bytes.len() as u64))
}

/// The leader epochs against the batches: what a repair would mend. It makes the file again only if there is none that can
/// be read: a file that says other epochs than the batches may be the one that is right.
pub(super) fn epochs_against(
    folder: &Path,
    epochs: Epochs,
    course: &Course,
    log: &Log<'_>,
    report: &mut Report<'_>,
) -> Option<Finding> {
    let path = folder.join(LEADER_EPOCH_CHECKPOINT);
    let known = match epochs {
        // Without records there is nothing that it would say, and none is needed.
        Err(finding) if course.seen_epochs.is_empty() && finding.position.is_none() => return None,
        Err(finding) if log.is_damaged => {
            report.add(finding);
            return None;
        }
        Err(finding) => return Some(finding.mended_by(Remedy::Rebuild)),
        Ok(known) => known,
    };
    let Some((epoch, offset, by_file)) = course.disagrees else {
        let beyond = known.last().is_some_and(|(_, start)| *start > log.end) && log.around.redo.is_none();
        if beyond {
            let meaning = format!("it has an epoch that begins behind the log's end, {}", log.end);
            report.add(Finding::note(Subject::EpochCheckpoint, path, meaning));
        }
        return None;
    };
    let by_file = by_file.map_or("none".to_owned(), |epoch| epoch.to_string());
    let meaning = format!("the batch at offset {offset} is of leader epoch {epoch}, and by this file of {by_file}");
    // The newest lines come with the first batch of an epoch, and may be later on the disk than it.
    let may_lack = log.around.left != Left::Clean && known.last().is_none_or(|(newest, _)| *newest < epoch);
    let weight = if may_lack { Weight::Note } else { Weight::Damage };
    let finding = Finding::damage(Subject::EpochCheckpoint, path, meaning).of(offset, None);
    report.add(Finding { weight, ..finding });
    None
}

/// The producers' window: where it ends, and the checksum of the batch there.
pub(super) fn window(
    disk: &dyn Disk,
    folder: &Path,
    mendable: &mut Vec<Finding>,
    report: &mut Report<'_>,
) -> Option<(Offset, u32)> {
    let path = folder.join(PRODUCER_WINDOW);
    match read(disk, &path, producer_window::FILE_BYTES_MAX as u64, report) {
        Err(error) => mendable.push(Finding::unreadable(path, &error)),
        Ok(None) => {}
        Ok(Some(bytes)) => match ProducerWindow::decode(&bytes) {
            Some(ProducerWindow { end, last_crc, .. }) => return Some((end, last_crc)),
            None => {
                let meaning = "its checksum doesn't fit: no start believes it, each makes it again from the records";
                let finding = Finding::damage(Subject::ProducerWindow, path, meaning).at(0);
                mendable.push(finding.mended_by(Remedy::Remove));
            }
        },
    }
    None
}

/// Whether the window is of this log. One that isn't is what another broker's work in between leaves.
pub(super) fn window_against(folder: &Path, course: &Course, log: &Log<'_>, report: &mut Report<'_>) {
    let Some((end, _)) = course.window() else { return };
    let begins = Some(end) == log.first || log.first.is_none();
    if course.window_fits == Some(true) || begins || log.is_damaged || log.around.redo.is_some() {
        return;
    }
    let meaning = format!("it is of a log with another batch before offset {end}: a start doesn't believe it");
    report.add(Finding::note(Subject::ProducerWindow, folder.join(PRODUCER_WINDOW), meaning).of(end, None));
}

/// Kafka's snapshots of producers. A bad one is taken away only where a start finds all that it said in the records.
pub(super) fn snapshots(
    disk: &dyn Disk,
    folder: &Path,
    offsets: &[Offset],
    log: &Log<'_>,
    mendable: &mut Vec<Finding>,
    report: &mut Report<'_>,
) {
    // Records from here on are known to be there, or what was said of those before them.
    let mut known_from = (log.first == Some(Offset::ZERO) && log.around.start == Offset::ZERO).then_some(Offset::ZERO);
    for &at in offsets {
        let file = path(folder, at, FileKind::ProducerSnapshot);
        let finding = match read(disk, &file, SNAPSHOT_BYTES_MAX, report) {
            Err(error) => Finding::unreadable(file, &error),
            Ok(None) => continue,
            Ok(Some(bytes)) => match producer_snapshot::decode(&bytes) {
                Err(unusable) => Finding::damage(Subject::ProducerSnapshot, file, unusable.to_string()).at(0),
                Ok(entries) => match entries.iter().position(|entry| entry.last_offset >= at) {
                    Some(number) => {
                        let meaning = format!("it knows a batch of producer {} from behind it", entries[number].id);
                        let position = producer_snapshot::position(number);
                        Finding::damage(Subject::ProducerSnapshot, file, meaning).at(position)
                    }
                    None if at > log.end && log.around.redo.is_none() => {
                        let meaning = format!("it stands behind the log's end, {}", log.end);
                        report.add(Finding::note(Subject::ProducerSnapshot, file, meaning).of(at, None));
                        continue;
                    }
                    None => {
                        if log.first.is_some_and(|first| first <= at) {
                            known_from = known_from.or(Some(at));
                        }
                        continue;
                    }
                },
            },
        };
        let is_in_records = known_from.is_some() && !log.is_damaged;
        mendable.push(finding.of(at, None).mended_by(if is_in_records { Remedy::Remove } else { Remedy::Elsewhere }));
    }
}
