//! The disk as a log needs it: durable writes of whole blocks, plain reads and writes, and explicit syncs.
//!
//! All verbs but [`DiskFile::write_durable`] block: call them at start, or inside [`crate::offload`]. Nothing is
//! durable until it was synced: bytes by [`DiskFile::sync`] (or a durable write), a file's size with its bytes, a name
//! by [`Disk::sync_dir`] of the directory that holds it.

use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::BoxFuture;

/// The block to which durable writes are aligned, in bytes. Larger physical blocks are the disk's own to report.
pub const BLOCK_BYTES: usize = 4096;

/// A filesystem.
pub trait Disk: Send + Sync + 'static {
    /// Opens a file; see [`Open`].
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn DiskFile>>;

    /// Makes a directory and those above it. Durable once the directory that holds the topmost new one was synced.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// What a directory holds, sorted by name. `NotFound` if there is no such directory.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;

    /// Puts `from` in the place of `to`, replacing a file that has that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Takes away a file's name.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Takes away an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes everything on the filesystem of `file` durable (`syncfs`), and reports write-back errors since it was opened.
    fn sync_filesystem(&self, file: &dyn DiskFile) -> io::Result<()>;

    /// Takes an exclusive lock on a file, made if missing; it lasts as long as the value. `WouldBlock` if another has it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>>;

    /// Bytes that a user may still write to the filesystem of `path`, and its size.
    fn space(&self, path: &Path) -> io::Result<Space>;

    /// The path from the root on, as it is written: nothing is looked up.
    fn absolute(&self, path: &Path) -> io::Result<PathBuf>;
}

/// An open file. Positions and sizes are in bytes. `Any`, so that a disk knows its own files again.
pub trait DiskFile: Any + Send + Sync + 'static {
    /// The size.
    fn size(&self) -> io::Result<u64>;

    /// Reads at a position until `into` is full or the file ends; says how many bytes that were.
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize>;

    /// The same without waiting for the disk: `None` if some of the bytes aren't in memory, or if nobody can say.
    fn read_cached(&self, into: &mut [u8], at: u64) -> io::Result<Option<usize>>;

    /// Writes all of the parts, one after the other, at a position.
    fn write_at(&self, parts: &[io::IoSlice<'_>], at: u64) -> io::Result<()>;

    /// Cuts or extends (with zeros) to a size.
    fn set_size(&self, size: u64) -> io::Result<()>;

    /// Makes bytes and size durable (`fdatasync`).
    fn sync(&self) -> io::Result<()>;

    /// Writes whole blocks inside the file's present size and answers once they are on stable storage; gives the block
    /// back for reuse, also after an error. Only for files opened with [`Open::Durable`]. `at` and the block's length
    /// are multiples of [`DiskFile::block_bytes`]. After an error it is unknown which of the bytes are on the disk.
    fn write_durable(&self, at: u64, block: Block) -> BoxFuture<'static, (Block, io::Result<()>)>;

    /// The alignment that `write_durable` wants: a multiple of [`BLOCK_BYTES`].
    fn block_bytes(&self) -> usize;

    /// How `write_durable` reaches stable storage.
    fn durable_method(&self) -> DurableMethod;
}

/// How to open a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Open {
    /// An existing file, to read.
    Read,
    /// An existing file, to read and write.
    Write,
    /// To read and write; made empty if missing, kept as it is otherwise.
    Create,
    /// To read and write; must not exist.
    CreateNew,
    /// An existing file, to read and to write durably.
    Durable,
}

/// How a durable write reaches stable storage; found out by trying, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DurableMethod {
    /// `O_DIRECT|O_DSYNC`: past the page cache, each write stable when it returns.
    DirectSync,
    /// A buffered write, then `fdatasync`.
    BufferedSync,
    /// The simulated disk.
    Simulated,
}

/// A name in a directory.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// The name, without the directory.
    pub name: PathBuf,
    /// What it names.
    pub kind: EntryKind,
}

/// What a name in a directory stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum EntryKind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// Neither: a link, a socket, a device.
    Other,
}

/// Room on a filesystem, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// What a user may still write.
    pub free: u64,
    /// The size of the filesystem.
    pub total: u64,
}

/// Whether somebody has to free space before this works: the disk is full, or what its user may have of it.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Memory for durable writes: starts at a multiple of [`BLOCK_BYTES`], as `O_DIRECT` demands, and keeps its allocation
/// when it is cleared.
pub struct Block {
    memory: Vec<u8>,
    start: usize,
    length: usize,
}

impl Block {
    /// An empty block with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Block {
        let mut block = Block { memory: Vec::new(), start: 0, length: 0 };
        block.reserve(capacity);
        block
    }

    /// The bytes written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.length]
    }

    /// The bytes written so far, to patch.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.length]
    }

    /// How many bytes were written.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many bytes it may hold before it has to grow.
    pub fn capacity(&self) -> usize {
        self.memory.len() - self.start
    }

    /// Appends bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        let end = self.start + self.length;
        self.memory[end..end + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// Appends zeros until the length is a multiple of `alignment`.
    pub fn pad_to(&mut self, alignment: usize) {
        let target = self.length.next_multiple_of(alignment);
        self.reserve(target - self.length);
        let end = self.start + self.length;
        self.memory[end..self.start + target].fill(0);
        self.length = target;
    }

    /// Forgets the bytes, keeps the memory.
    pub fn clear(&mut self) {
        self.length = 0;
    }

    fn reserve(&mut self, more: usize) {
        let wanted = self.length + more;
        if wanted <= self.capacity() {
            return;
        }
        let capacity = wanted.next_power_of_two().max(BLOCK_BYTES);
        let memory = vec![0; capacity + BLOCK_BYTES];
        let start = memory.as_ptr().align_offset(BLOCK_BYTES);
        let mut grown = Block { memory, start, length: self.length };
        grown.bytes_mut().copy_from_slice(self.bytes());
        *self = grown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_stays_aligned_and_keeps_its_bytes_while_it_grows() {
        let mut block = Block::with_capacity(10);
        for round in 0..3000u32 {
            block.put(&round.to_be_bytes());
            assert_eq!(block.bytes().as_ptr().align_offset(BLOCK_BYTES), 0);
        }
        block.pad_to(BLOCK_BYTES);
        assert_eq!(block.len(), 12288);
        let read: Vec<u32> =
            block.bytes()[..12000].chunks(4).map(|b| u32::from_be_bytes(b.try_into().unwrap())).collect();
        assert_eq!(read, (0..3000).collect::<Vec<u32>>());
        assert!(block.bytes()[12000..].iter().all(|&b| b == 0));
        let room = block.capacity();
        block.clear();
        assert_eq!((block.len(), block.capacity()), (0, room));
    }
}
