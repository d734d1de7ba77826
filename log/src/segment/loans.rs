//! What answers on their way to their peers may hold of a log directory: memory for copies of records, and open files.
//!
//! A peer that reads slowly keeps what it is sent for as long as it likes. So all of it together is bounded; past the bound
//! an answer has one batch.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Bytes of records that are copied out of files.
pub const COPIED_BYTES_MAX: usize = 64 << 20;

/// Files that are kept open for them. With those that stay open anyway, 640 of the 1,024 that a process commonly may have.
pub const LENT_FILES_MAX: usize = 128;

/// The size of memory that is used again, for copies of more than half of it: clean pages cost as much as the copy.
const REUSED_BYTES: usize = 1 << 20;

/// How much of such memory is kept while nobody needs it.
const REUSED_MAX: usize = 4;

/// What is lent of one directory.
#[derive(Default)]
pub(super) struct Loans {
    files: Arc<AtomicUsize>,
    memory: Arc<Memory>,
}

/// The right to keep a file open for as long as a peer takes to read it.
pub(super) struct LentFile(Arc<AtomicUsize>);

#[derive(Default)]
struct Memory {
    bytes: AtomicUsize,
    unused: Mutex<Vec<Vec<u8>>>,
}

/// Memory for a copy.
pub(super) struct LentMemory {
    memory: Vec<u8>,
    length: usize,
    /// `None`: it doesn't count.
    of: Option<Arc<Memory>>,
}

impl Loans {
    /// Room for one more open file; `None` if many are.
    pub(super) fn file(&self) -> Option<LentFile> {
        claim(&self.files, 1, LENT_FILES_MAX).then(|| LentFile(self.files.clone()))
    }

    /// Memory for so many bytes; `None` if much is on its way.
    pub(super) fn memory(&self, length: usize) -> Option<LentMemory> {
        let is_reused = length > REUSED_BYTES / 2 && length <= REUSED_BYTES;
        let bytes = if is_reused { REUSED_BYTES } else { length };
        if !claim(&self.memory.bytes, bytes, COPIED_BYTES_MAX) {
            return None;
        }
        let unused = if is_reused { self.memory.unused().pop() } else { None };
        let memory = unused.unwrap_or_else(|| vec![0; bytes]);
        Some(LentMemory { memory, length, of: Some(self.memory.clone()) })
    }
}

impl Drop for LentFile {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Memory {
    fn unused(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        // A list is whole between any two of its changes.
        self.unused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LentMemory {
    /// Memory for so many bytes of which nobody keeps count: they are not for a peer, or are the one batch that each may
    /// have.
    pub(super) fn uncounted(length: usize) -> LentMemory {
        LentMemory { memory: vec![0; length], length, of: None }
    }

    /// Its first bytes, to be shared. All of it is held as long as one of them is; so they are copied if they are few.
    pub(super) fn into_bytes(mut self, length: usize) -> Bytes {
        if length < self.memory.len() / 2 {
            let few = LentMemory { memory: self[..length].to_vec(), length, of: self.of.clone() };
            if let Some(of) = &few.of {
                // For less than this has, which comes back now.
                of.bytes.fetch_add(length, Ordering::Relaxed);
            }
            return Bytes::from_owner(few);
        }
        self.length = length;
        Bytes::from_owner(self)
    }
}

impl Drop for LentMemory {
    fn drop(&mut self) {
        let Some(of) = &self.of else { return };
        let memory = std::mem::take(&mut self.memory);
        of.bytes.fetch_sub(memory.len(), Ordering::Relaxed);
        let mut unused = of.unused();
        if memory.len() == REUSED_BYTES && unused.len() < REUSED_MAX {
            unused.push(memory);
        }
    }
}

impl Deref for LentMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.length]
    }
}

impl DerefMut for LentMemory {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.length]
    }
}

impl AsRef<[u8]> for LentMemory {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// Adds to a count, unless it would pass its bound.
fn claim(count: &AtomicUsize, more: usize, bound: usize) -> bool {
    let within = |now: usize| now.checked_add(more).filter(|sum| *sum <= bound);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lent_is_bounded_and_comes_back() {
        let loans = Loans::default();
        let files: Vec<LentFile> = std::iter::from_fn(|| loans.file()).collect();
        assert_eq!(files.len(), LENT_FILES_MAX);
        drop(files);
        assert!(loans.file().is_some());

        let large: Vec<LentMemory> = std::iter::from_fn(|| loans.memory(REUSED_BYTES - 1)).collect();
        assert_eq!(large.len(), COPIED_BYTES_MAX / REUSED_BYTES);
        assert!(loans.memory(1).is_none(), "all is lent");
        let shared: Vec<Bytes> = large.into_iter().map(|memory| memory.into_bytes(REUSED_BYTES - 1)).collect();
        let slices: Vec<Bytes> = shared.iter().map(|bytes| bytes.slice(5..6)).collect();
        drop(shared);
        assert!(loans.memory(1).is_none(), "a byte of it holds all of it");
        drop(slices);
        assert_eq!(loans.memory.bytes.load(Ordering::Relaxed), 0);
        assert_eq!(loans.memory.unused().len(), REUSED_MAX);
        let small: Vec<LentMemory> = std::iter::from_fn(|| loans.memory(REUSED_BYTES / 2)).collect();
        assert_eq!(small.len(), 2 * COPIED_BYTES_MAX / REUSED_BYTES);
        assert!(loans.memory(usize::MAX).is_none());
    }

    #[test]
    fn few_bytes_do_not_hold_much_memory() {
        let loans = Loans::default();
        let few = loans.memory(REUSED_BYTES).unwrap().into_bytes(10);
        assert_eq!((few.len(), loans.memory.bytes.load(Ordering::Relaxed)), (10, 10));
        drop(few);
        assert_eq!(loans.memory.bytes.load(Ordering::Relaxed), 0);
    }
}
