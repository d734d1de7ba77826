//! A file of which only what is in memory can be read: who asks must not wait for a disk.

use std::io;
use std::sync::Arc;

use thalweg_world::disk::{Block, DurableMethod};
use thalweg_world::{BoxFuture, DiskFile};

/// Reads that would wait fail with `WouldBlock`. All else is as in the file itself.
pub(super) struct Cached(pub(super) Arc<dyn DiskFile>);

impl DiskFile for Cached {
    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        self.0.read_cached(into, at)?.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    fn read_cached(&self, into: &mut [u8], at: u64) -> io::Result<Option<usize>> {
        self.0.read_cached(into, at)
    }

    fn write_at(&self, parts: &[io::IoSlice<'_>], at: u64) -> io::Result<()> {
        self.0.write_at(parts, at)
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.0.set_size(size)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write_durable(&self, at: u64, block: Block) -> BoxFuture<'static, (Block, io::Result<()>)> {
        self.0.write_durable(at, block)
    }

    fn block_bytes(&self) -> usize {
        self.0.block_bytes()
    }

    fn durable_method(&self) -> DurableMethod {
        self.0.durable_method()
    }
}
