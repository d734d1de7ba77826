//! A bounded set of open files, shared by all logs of a directory.
//!
//! Ten thousand partitions have thirty thousand files; the process may open a thousand. The file that was not asked for
//! the longest is let go first; who still uses it keeps it open until they drop it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thalweg_world::disk::Open;
use thalweg_world::{Disk, DiskFile};

use super::checked::Checked;
use super::loans::Loans;

/// How many files stay open if nobody says otherwise: half of the 1,024 that a process commonly may have.
pub const DESCRIPTORS_DEFAULT: usize = 512;

/// Open files by their paths.
pub struct Descriptors {
    disk: Arc<dyn Disk>,
    capacity: usize,
    state: Mutex<State>,
    loans: Loans,
    checked: Checked,
}

#[derive(Default)]
struct State {
    files: HashMap<PathBuf, (Arc<dyn DiskFile>, u64)>,
    /// The same files by when they were last asked for.
    by_use: BTreeMap<u64, PathBuf>,
    clock: u64,
    /// Counts names that were taken away. A file that was opened while one went may be that one, and must not be kept
    /// under a name that then belongs to another file.
    forgotten: u64,
}

impl Descriptors {
    /// At most `capacity` files (one at least) of a disk.
    pub fn new(disk: Arc<dyn Disk>, capacity: usize) -> Descriptors {
        Descriptors {
            disk,
            capacity: capacity.max(1),
            state: Mutex::default(),
            loans: Loans::default(),
            checked: Checked::default(),
        }
    }

    /// The disk that the files are on.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// How many files are kept open.
    pub fn len(&self) -> usize {
        self.state().files.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An existing file, to read and write. `NotFound` if there is none.
    pub fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let forgotten = {
            let mut state = self.state();
            if let Some(file) = state.used(path) {
                return Ok(file);
            }
            state.forgotten
        };
        // Not under the lock: opening may take a while, and others want other files.
        let file = self.disk.open(path, Open::Write)?;
        let mut state = self.state();
        if state.forgotten == forgotten {
            state.keep(path, &file, self.capacity);
        }
        Ok(file)
    }

    /// A file that is open.
    pub fn find(&self, path: &Path) -> Option<Arc<dyn DiskFile>> {
        self.state().used(path)
    }

    /// What answers may hold of the directory.
    pub(super) fn loans(&self) -> &Loans {
        &self.loans
    }

    /// What of the directory's files was checked a moment ago.
    pub(super) fn checked(&self) -> &Checked {
        &self.checked
    }

    /// A new and empty file in the place of what may have that name.
    pub fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.disk.open(path, Open::Create)?;
        if file.size()? > 0 {
            file.set_size(0)?;
        }
        self.state().keep(path, &file, self.capacity);
        Ok(file)
    }

    /// Takes a file away, and its descriptor. Fine if there is none.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = self.disk.remove_file(path);
        self.forget(path);
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Lets go of a file: its name was moved, or it won't be needed soon.
    pub fn forget(&self, path: &Path) {
        let mut state = self.state();
        state.forgotten += 1;
        let file = state.files.remove(path);
        if let Some((_, used)) = &file {
            state.by_use.remove(used);
        }
        drop(state);
        // To close a large file that has no name any more takes its time: not under the lock.
        drop(file);
    }

    /// Lets go of every file in a folder whose name was moved.
    pub fn forget_folder(&self, folder: &Path) {
        let mut state = self.state();
        state.forgotten += 1;
        let State { files, by_use, .. } = &mut *state;
        let gone: Vec<_> = files.extract_if(|path, _| path.starts_with(folder)).collect();
        gone.iter().for_each(|(_, (_, used))| _ = by_use.remove(used));
        drop(state);
        // As above.
        drop(gone);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change below is whole before anything in it can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn used(&mut self, path: &Path) -> Option<Arc<dyn DiskFile>> {
        let (file, used) = self.files.get_mut(path)?;
        self.clock += 1;
        if let Some(path) = self.by_use.remove(used) {
            self.by_use.insert(self.clock, path);
        }
        *used = self.clock;
        Some(file.clone())
    }

    fn keep(&mut self, path: &Path, file: &Arc<dyn DiskFile>, capacity: usize) {
        self.clock += 1;
        if let Some((_, used)) = self.files.insert(path.to_owned(), (file.clone(), self.clock)) {
            self.by_use.remove(&used);
        }
        self.by_use.insert(self.clock, path.to_owned());
        while self.files.len() > capacity
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.files.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use thalweg_world::disk::{Entry, Space};
    use thalweg_world::simulated::{Faults, SimulatedDisk};

    use super::*;

    fn descriptors(capacity: usize, names: &[&str]) -> Descriptors {
        let disk = SimulatedDisk::new(1, Faults::default());
        names.iter().for_each(|name| disk.install(Path::new(name), name.as_bytes()).unwrap());
        Descriptors::new(Arc::new(disk), capacity)
    }

    #[test]
    fn the_file_that_was_not_asked_for_the_longest_goes_and_its_user_keeps_it() {
        let files = descriptors(2, &["a", "b", "c"]);
        let a = files.open(Path::new("a")).unwrap();
        let b = files.open(Path::new("b")).unwrap();
        assert!(Arc::ptr_eq(&a, &files.open(Path::new("a")).unwrap()));
        files.open(Path::new("c")).unwrap();
        assert_eq!(files.len(), 2);
        assert!(Arc::ptr_eq(&a, &files.open(Path::new("a")).unwrap()), "it was used after b");
        assert!(!Arc::ptr_eq(&b, &files.open(Path::new("b")).unwrap()), "b was let go and opened again");
        let mut byte = [0];
        assert_eq!(b.read_at(&mut byte, 0).unwrap(), 1);
        assert_eq!(&byte, b"b");
    }

    #[test]
    fn a_name_that_went_and_came_back_is_another_file() {
        let files = descriptors(8, &["a"]);
        let old = files.open(Path::new("a")).unwrap();
        files.remove(Path::new("a")).unwrap();
        files.remove(Path::new("a")).unwrap();
        assert_eq!(files.open(Path::new("a")).map(drop).unwrap_err().kind(), io::ErrorKind::NotFound);
        let new = files.create(Path::new("a")).unwrap();
        new.write_at(&[IoSlice::new(b"new")], 0).unwrap();
        assert_eq!((old.size().unwrap(), new.size().unwrap()), (1, 3));
        assert!(Arc::ptr_eq(&new, &files.open(Path::new("a")).unwrap()));
        assert_eq!(files.create(Path::new("a")).unwrap().size().unwrap(), 0, "made anew");
        files.forget(Path::new("a"));
        assert!(files.is_empty());
    }

    /// A disk on which something happens while the next file is opened.
    struct Busy {
        disk: SimulatedDisk,
        meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    }

    impl Disk for Busy {
        fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn DiskFile>> {
            let file = self.disk.open(path, how);
            if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
                meanwhile();
            }
            file
        }

        fn create_dir_all(&self, path: &Path) -> io::Result<()> {
            self.disk.create_dir_all(path)
        }

        fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
            self.disk.list(path)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.disk.rename(from, to)
        }

        fn remove_file(&self, path: &Path) -> io::Result<()> {
            self.disk.remove_file(path)
        }

        fn remove_dir(&self, path: &Path) -> io::Result<()> {
            self.disk.remove_dir(path)
        }

        fn sync_dir(&self, path: &Path) -> io::Result<()> {
            self.disk.sync_dir(path)
        }

        fn sync_filesystem(&self, file: &dyn DiskFile) -> io::Result<()> {
            self.disk.sync_filesystem(file)
        }

        fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
            self.disk.lock(path)
        }

        fn space(&self, path: &Path) -> io::Result<Space> {
            self.disk.space(path)
        }

        fn absolute(&self, path: &Path) -> io::Result<PathBuf> {
            self.disk.absolute(path)
        }
    }

    /// Else the writer would write into the file that has no name any more.
    #[test]
    fn a_file_that_was_opened_while_its_name_went_is_not_kept_under_it() {
        let disk = SimulatedDisk::new(1, Faults::default());
        disk.install(Path::new("a"), b"old").unwrap();
        let busy = Arc::new(Busy { disk, meanwhile: Mutex::default() });
        let files = Arc::new(Descriptors::new(busy.clone(), 8));
        let writer = files.clone();
        *busy.meanwhile.lock().unwrap() = Some(Box::new(move || writer.remove(Path::new("a")).unwrap()));
        let old = files.open(Path::new("a")).unwrap();
        assert_eq!(old.size().unwrap(), 3, "the reader has what it asked for");
        assert_eq!(files.open(Path::new("a")).map(drop).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn many_threads_share_few_descriptors() {
        let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let files = descriptors(3, &names.iter().map(String::as_str).collect::<Vec<_>>());
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (files, names) = (&files, &names);
                scope.spawn(move || {
                    for turn in 0..500 {
                        let name = &names[(turn * 7 + thread) % names.len()];
                        let file = files.open(Path::new(name)).unwrap();
                        let mut bytes = [0; 4];
                        let read = file.read_at(&mut bytes, 0).unwrap();
                        assert_eq!(&bytes[..read], name.as_bytes());
                        assert!(files.len() <= 3);
                    }
                });
            }
        });
    }
}
