//! The quorum's folder, looked over: whose it is, its journal, its snapshots, and whether they make one metadata log.
//!
//! Nothing is opened as a node opens it: there is no vote, and nothing is written. Nothing of it can be made again from
//! the rest either: what is damaged here another copy has to mend.

use std::io;
use std::path::Path;

use thalweg_log::journal::Kind;
use thalweg_log::verify::{self, Finding, Report, Subject};
use thalweg_world::disk::Disk;

use crate::open::{OpenError, recall};
use crate::position::Index;
use crate::snapshot;

/// The journal's folder.
const JOURNAL: &str = "journal";

/// Whether a folder is a quorum's, by what is in it: a snapshot of the metadata, or a journal with entries of its kinds. Blocks.
///
/// # Errors
/// Those of the disk.
pub fn is_quorum(disk: &dyn Disk, folder: &Path) -> io::Result<bool> {
    if !snapshot::list(disk, folder)?.is_empty() {
        return Ok(true);
    }
    Ok(verify::first_kind(disk, &folder.join(JOURNAL)).is_some_and(|kind| kind >= Kind::FOREIGN))
}

/// Looks over a quorum's folder, and gives the index of the last entry of its log if that can be told. Its lock is the
/// caller's to hold. Blocks.
///
/// # Errors
/// Those of the disk if the folder can't be listed. Whatever can't be read in it is a finding.
pub fn quorum(disk: &dyn Disk, folder: &Path, report: &mut Report<'_>) -> io::Result<Option<Index>> {
    let id = verify::meta(disk, folder, report);
    let snapshots = snapshot::list(disk, folder)?;
    for named in &snapshots {
        match snapshot::read(disk, named) {
            Ok(Ok(stored)) => report.totals.bytes += stored.snapshot.image.len() as u64,
            Ok(Err(reason)) => report.add(Finding::damage(Subject::MetadataSnapshot, &named.path, reason).at(0)),
            Err(error) => report.add(Finding::unreadable(&named.path, &error)),
        }
    }
    let Some(replay) = verify::journal(disk, &folder.join(JOURNAL), id, report) else { return Ok(None) };
    if replay.bytes() == 0 && snapshots.is_empty() {
        report.add(Finding::note(Subject::Metadata, folder, "its first start was cut short: the next one begins anew"));
        return Ok(None);
    }
    match recall(disk, folder, &replay, &snapshots) {
        Ok(history) => Ok(Some(history.last.index)),
        Err(OpenError::Io(path, error)) => {
            report.add(Finding::unreadable(path, &error));
            Ok(None)
        }
        Err(OpenError::Suspect(_, reason)) => {
            let meaning = format!("committed metadata may be missing: {reason}");
            report.add(Finding::damage(Subject::Metadata, folder, meaning));
            Ok(None)
        }
        Err(error) => {
            report.add(Finding::damage(Subject::Metadata, folder, error.to_string()));
            Ok(None)
        }
    }
}
