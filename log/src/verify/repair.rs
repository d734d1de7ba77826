//! What can be made again from the records is: beside, synced, and then put in its place.

use std::io;
use std::path::Path;

use thalweg_wire::{LeaderEpoch, Offset};
use thalweg_world::disk::Disk;

use super::{Finding, Outcome, Remedy, open};
use crate::directory::replace;
use crate::segment::extent::{Due, Segment};
use crate::segment::names::{FileKind, LEADER_EPOCH_CHECKPOINT, file_name, parse_file_name};
use crate::segment::walk::{Step, Walk};
use crate::segment::{Checksums, Rules, leader_epochs};

/// Does what a finding's remedy says, and notes what came of it. `epochs` are those of the batches.
pub(super) fn apply(disk: &dyn Disk, folder: &Path, finding: Finding, epochs: &[(LeaderEpoch, Offset)]) -> Finding {
    let done = match finding.remedy {
        Remedy::Elsewhere | Remedy::Unneeded => return finding,
        Remedy::Remove => remove(disk, folder, &finding.file),
        Remedy::Rebuild => rebuild(disk, folder, &finding.file, epochs),
    };
    let outcome = match done {
        Ok(()) => Outcome::Mended,
        Err(error) => Outcome::Failed(error.to_string()),
    };
    Finding { outcome, ..finding }
}

fn remove(disk: &dyn Disk, folder: &Path, file: &Path) -> io::Result<()> {
    disk.remove_file(file)?;
    disk.sync_dir(folder)
}

fn rebuild(disk: &dyn Disk, folder: &Path, file: &Path, epochs: &[(LeaderEpoch, Offset)]) -> io::Result<()> {
    let name = file.file_name().map(Path::new).unwrap_or(Path::new(""));
    if name == Path::new(LEADER_EPOCH_CHECKPOINT) {
        return replace(disk, folder, LEADER_EPOCH_CHECKPOINT, &leader_epochs::encode(epochs));
    }
    match parse_file_name(name) {
        Some((base, kind @ (FileKind::OffsetIndex | FileKind::TimeIndex), None)) => {
            let Due { offsets, times } = index(disk, folder, base)?;
            let bytes = if kind == FileKind::OffsetIndex { offsets } else { times };
            replace(disk, folder, &file_name(base, kind), &bytes)
        }
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// The entries of a segment's indexes as its whole batches make them: at most some megabytes, as a segment has 2 GiB at
/// most. A tail that is no batch is left out, as the next start cuts it.
fn index(disk: &dyn Disk, folder: &Path, base: Offset) -> io::Result<Due> {
    let log = open(disk, &folder.join(file_name(base, FileKind::Log)))?;
    let size = u32::try_from(log.size()?).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let (mut segment, mut due) = (Segment::empty(base), Due::default());
    let mut walk = Walk::new(log, base, 0, size, Checksums::Verified);
    let interval = Rules::default().index_interval_bytes;
    while let Step::Batch { bytes, header, .. } = walk.step()? {
        segment.add(&header, bytes, interval, &mut due);
    }
    segment.note_time(&mut due);
    Ok(due)
}
