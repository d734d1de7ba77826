//! One process per directory: the lock that Kafka takes too.
//!
//! Kafka locks `.lock` with Java's `FileChannel.tryLock`, a POSIX record lock (`fcntl`, `F_SETLK`) over the whole file:
//! only the same kind keeps both from running at once. Such a lock belongs to the *process*: a second one by ourselves
//! would succeed, and closing any descriptor of the file would drop it. So we also remember what we hold, and look
//! there before the file is opened.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{FlockOperation, fcntl_lock};

/// The files that this process has locked, by device and inode.
static HELD: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

/// A lock that lasts as long as this value.
pub(super) struct Lock {
    identity: (u64, u64),
    file: Option<File>,
}

impl Lock {
    /// Takes the lock. `WouldBlock` if this or another process has it.
    pub(super) fn take(path: &Path) -> io::Result<Lock> {
        let mut held = held();
        if let Ok(there) = std::fs::metadata(path)
            && held.contains(&(there.dev(), there.ino()))
        {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|errno| match errno {
            // POSIX allows either for a lock that another process has.
            rustix::io::Errno::ACCESS | rustix::io::Errno::AGAIN => io::Error::from(io::ErrorKind::WouldBlock),
            other => other.into(),
        })?;
        let locked = file.metadata()?;
        let identity = (locked.dev(), locked.ino());
        held.insert(identity);
        Ok(Lock { identity, file: Some(file) })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closed before it is forgotten: a new holder must not lose its lock to our closing.
        let mut held = held();
        drop(self.file.take());
        held.remove(&self.identity);
    }
}

fn held() -> MutexGuard<'static, BTreeSet<(u64, u64)>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}
