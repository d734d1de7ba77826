//! Where the logs of a directory begin whose first records were deleted: Kafka's `log-start-offset-checkpoint`.
//!
//! A log start is durable by its entry in the journal. When a checkpoint lets the journal forget the entry, the start has
//! to stand here: so this is written, if something moved, before the checkpoint is told.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thalweg_wire::Offset;
use thalweg_world::Disk;

use crate::segment::names::PartitionName;
use crate::segment::text_checkpoint::{self, CheckpointError, LOG_START, Offsets};

/// The log starts of one directory.
pub struct LogStarts {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    /// Held over a write, from the look at the lines to the rename: two writers would leave the older's, or none.
    writing: Mutex<()>,
    state: Mutex<State>,
}

struct State {
    starts: Offsets,
    /// Whether the file says something else.
    changed: bool,
}

impl LogStarts {
    /// Reads the file. Blocks.
    ///
    /// # Errors
    /// [`CheckpointError`]: a file that can't be read must not bring deleted records back.
    pub fn read(disk: Arc<dyn Disk>, directory: PathBuf) -> Result<LogStarts, CheckpointError> {
        let starts = text_checkpoint::read(&*disk, &directory, LOG_START)?;
        Ok(LogStarts {
            disk,
            directory,
            writing: Mutex::default(),
            state: Mutex::new(State { starts, changed: false }),
        })
    }

    /// Where a log begins, as far as that is known here.
    pub fn of(&self, log: &PartitionName) -> Offset {
        self.state().starts.get(log).copied().unwrap_or(Offset::ZERO)
    }

    /// A log begins here from now on, durably by its entry in the journal. It never goes back.
    pub fn note(&self, log: &PartitionName, start: Offset) {
        if start <= Offset::ZERO {
            return;
        }
        let mut state = self.state();
        let State { starts, changed } = &mut *state;
        let known = starts.entry(log.clone()).or_insert(Offset::ZERO);
        *changed |= start > *known;
        *known = start.max(*known);
    }

    /// A log is deleted; a namesake begins at 0.
    pub fn forget(&self, log: &PartitionName) {
        let mut state = self.state();
        state.changed |= state.starts.remove(log).is_some();
    }

    /// Keeps the lines of those for whom it is true.
    pub fn retain(&self, mut keep: impl FnMut(&PartitionName) -> bool) {
        let mut state = self.state();
        let before = state.starts.len();
        state.starts.retain(|log, _| keep(log));
        state.changed |= state.starts.len() != before;
    }

    /// Writes the file, durably, if something moved since. What another writer has taken up is durable too when this
    /// returns. Blocks.
    ///
    /// # Errors
    /// Those of the disk: nothing may be forgotten then.
    pub fn write_if_changed(&self) -> io::Result<()> {
        let writing = self.turn();
        if self.state().changed { self.write_in(&writing) } else { Ok(()) }
    }

    /// Writes the file, durably: also one without lines, as Kafka leaves it at a clean stop. Blocks.
    ///
    /// # Errors
    /// Those of the disk: nothing may be forgotten then.
    pub fn write(&self) -> io::Result<()> {
        self.write_in(&self.turn())
    }

    fn write_in(&self, _turn: &MutexGuard<'_, ()>) -> io::Result<()> {
        let starts = {
            let mut state = self.state();
            state.changed = false;
            state.starts.clone()
        };
        let written = text_checkpoint::write(&*self.disk, &self.directory, LOG_START, &starts);
        if written.is_err() {
            self.state().changed = true;
        }
        written
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The map is whole between any two of its changes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use thalweg_wire::PartitionIndex;
    use thalweg_world::disk::Disk;
    use thalweg_world::simulated::{Faults, SimulatedDisk};

    use super::*;

    #[test]
    fn a_start_never_goes_back_and_is_written_when_it_moved() {
        let disk = Arc::new(SimulatedDisk::new(1, Faults::default()));
        disk.create_dir_all("/logs".as_ref()).unwrap();
        disk.sync_dir("/".as_ref()).unwrap();
        let read = || LogStarts::read(disk.clone(), "/logs".into()).unwrap();
        let log = PartitionName { topic: "t".to_owned(), partition: PartitionIndex(3) };
        let starts = read();
        starts.note(&log, Offset(7));
        starts.note(&log, Offset(5));
        assert_eq!((starts.of(&log), read().of(&log)), (Offset(7), Offset(0)));
        starts.write_if_changed().unwrap();
        let operations = disk.operations();
        starts.note(&log, Offset(7));
        starts.write_if_changed().unwrap();
        assert_eq!((disk.operations(), read().of(&log)), (operations, Offset(7)), "nothing moved, nothing is written");
        starts.forget(&log);
        starts.write_if_changed().unwrap();
        assert_eq!(read().of(&log), Offset(0));
    }
}
