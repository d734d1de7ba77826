//! How a deleted log's folder goes: first out of the way under another name, in one step, so that a namesake can begin at
//! once; then, when there is time, file by file.

use std::io;
use std::path::Path;

use thalweg_world::Disk;
use thalweg_world::disk::{EntryKind, is_full};

use crate::segment::Descriptors;

/// Gives a folder another name in the same directory, and lets go of its open files. Whether there was such a folder.
/// Durable when the directory's names are synced. Blocks.
///
/// # Errors
/// Those of the disk. A disk without room for the new name is no error: then the folder goes at once.
pub fn put_aside(descriptors: &Descriptors, folder: &Path, aside: &Path) -> io::Result<Moved> {
    let disk = &**descriptors.disk();
    let moved = match disk.rename(folder, aside) {
        Ok(()) => Moved::Aside,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Moved::Nothing),
        Err(error) if is_full(&error) => {
            remove(disk, folder)?;
            Moved::Away
        }
        Err(error) => return Err(error),
    };
    descriptors.forget_folder(folder);
    Ok(moved)
}

/// What became of a folder that was in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// It has its other name.
    Aside,
    /// It is gone.
    Away,
    /// There was none.
    Nothing,
}

/// Takes a folder away with the files in it. What a crash leaves of it has its name still. Blocks.
///
/// # Errors
/// Those of the disk; a folder inside is one, as no partition has such.
pub fn remove(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let there_or_gone = |outcome: io::Result<()>| match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    };
    let entries = match disk.list(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries.iter().filter(|entry| entry.kind == EntryKind::File) {
        there_or_gone(disk.remove_file(&folder.join(&entry.name)))?;
    }
    there_or_gone(disk.remove_dir(folder))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use thalweg_world::simulated::disk::{Fault, Kind};
    use thalweg_world::simulated::{Faults, SimulatedDisk};

    use super::*;

    /// What is open under the old name must not be taken for a namesake's file.
    #[test]
    fn a_folder_goes_aside_and_its_open_files_with_it() {
        let disk = SimulatedDisk::new(1, Faults::default());
        let (old, aside) = (Path::new("logs/a-0"), Path::new("logs/a-0.x-delete"));
        disk.install(&old.join("1.log"), b"old").unwrap();
        disk.install(Path::new("logs/a-01/1.log"), b"of another").unwrap();
        let files = Descriptors::new(Arc::new(disk.clone()), 8);
        files.open(&old.join("1.log")).unwrap();
        files.open(Path::new("logs/a-01/1.log")).unwrap();
        assert_eq!(put_aside(&files, old, aside).unwrap(), Moved::Aside);
        assert_eq!(files.len(), 1, "only the other folder's is open");
        assert_eq!(put_aside(&files, old, aside).unwrap(), Moved::Nothing);
        disk.install(&old.join("1.log"), b"a namesake's").unwrap();
        assert_eq!(files.open(&old.join("1.log")).unwrap().size().unwrap(), 12);
        remove(&disk, aside).unwrap();
        remove(&disk, aside).unwrap();
        assert_eq!(disk.files().len(), 2);
    }

    #[test]
    fn a_full_disk_keeps_no_folder() {
        let disk = SimulatedDisk::new(1, Faults::default());
        let folder = Path::new("logs/a-0");
        disk.install(&folder.join("1.log"), b"old").unwrap();
        disk.fault_next(Kind::Rename, "", Fault::NoSpace);
        let files = Descriptors::new(Arc::new(disk.clone()), 8);
        assert_eq!(put_aside(&files, folder, Path::new("logs/a-0.x-delete")).unwrap(), Moved::Away);
        assert!(disk.files().is_empty());
    }
}
