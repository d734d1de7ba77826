//! Durable writes: the method that a directory's filesystem allows, and the thread that writes.
//!
//! A write to stable storage blocks, and an async worker must not. Each directory with durable files has one thread
//! that lives as long as they do: starting one per write would cost more than the write.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, OFlags, StatxFlags, fdatasync, statx};
use rustix::io::{pwrite, retry_on_intr};
use tokio::sync::{mpsc, oneshot};

use crate::BoxFuture;
use crate::disk::{BLOCK_BYTES, Block, DurableMethod};

/// Writes that may wait for one thread. A journal has one in flight; past this the writer waits in its own task.
const QUEUE_MAX: usize = 64;

/// Written and removed to learn what a filesystem can do; one left by a crash is overwritten by the next try.
const SCRATCH: &str = ".durable-probe";

/// How the files of one directory are written durably.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Method {
    pub(super) durable: DurableMethod,
    pub(super) block_bytes: NonZeroUsize,
}

const BUFFERED: Method = Method {
    durable: DurableMethod::BufferedSync,
    block_bytes: NonZeroUsize::new(BLOCK_BYTES).expect("a block has bytes"),
};

impl Method {
    /// Finds out by writing a scratch file beside the durable ones. An error says that it could not be found out, as
    /// on a full disk.
    pub(super) fn probe(directory: &Path) -> io::Result<Method> {
        let scratch = directory.join(SCRATCH);
        let method = probe_with(&scratch);
        fs::remove_file(&scratch)?;
        method
    }

    /// Without knowing what the filesystem can do, what any of them can.
    pub(super) fn safe() -> Method {
        BUFFERED
    }

    /// Opens an existing file for durable writes by this method.
    pub(super) fn open(self, path: &Path) -> io::Result<Target> {
        let mut options = OpenOptions::new();
        options.write(true);
        if self.durable == DurableMethod::DirectSync {
            options.custom_flags((OFlags::DIRECT | OFlags::DSYNC).bits().cast_signed());
        }
        let file = options.open(path)?;
        let size = file.metadata()?.len();
        Ok(Target { file, size, method: self })
    }
}

/// A file as its durable writes see it.
pub(super) struct Target {
    file: File,
    /// Since it was opened: a file that is written durably has its size for good. Asking at each write costs half as much
    /// again as the write.
    size: u64,
    pub(super) method: Method,
}

impl Target {
    /// Writes whole blocks inside the file and returns when they are on stable storage.
    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let block = self.method.block_bytes.get();
        let aligned = at.is_multiple_of(block as u64) && bytes.len().is_multiple_of(block) && !bytes.is_empty();
        if !aligned || at.checked_add(bytes.len() as u64).is_none_or(|end| end > self.size) {
            let problem = "a durable write takes whole blocks inside the file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let direct = self.method.durable == DurableMethod::DirectSync;
        let mut done = 0;
        while done < bytes.len() {
            let wrote = retry_on_intr(|| pwrite(&self.file, &bytes[done..], at + done as u64))?;
            // A direct write goes on at a block border; the part of a block before it is written again.
            let counts = if direct { wrote / block * block } else { wrote };
            if counts == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            done += counts;
        }
        if !direct {
            // Not retried, not even on EINTR: after a failed sync the kernel may call the pages clean.
            fdatasync(&self.file)?;
        }
        Ok(())
    }
}

/// The thread of one directory. It ends when the last file that holds this is dropped.
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

struct Job {
    target: Arc<Target>,
    at: u64,
    block: Block,
    answer: oneshot::Sender<(Block, io::Result<()>)>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Writer> {
        let (jobs, mut inbox) = mpsc::channel::<Job>(QUEUE_MAX);
        std::thread::Builder::new().name("durable-writer".to_owned()).spawn(move || {
            while let Some(Job { target, at, block, answer }) = inbox.blocking_recv() {
                let outcome = target.write(at, block.bytes());
                // Before the answer, so that whoever has it may count on the file being closed after its own drop.
                drop(target);
                // Whoever asked may have gone; the write stands.
                let _ = answer.send((block, outcome));
            }
        })?;
        Ok(Writer { jobs })
    }

    /// Sends the write on its way at once, if the queue has room, else when the answer is first waited for.
    pub(super) fn write(
        &self,
        target: Arc<Target>,
        at: u64,
        block: Block,
    ) -> BoxFuture<'static, (Block, io::Result<()>)> {
        let (answer, answered) = oneshot::channel();
        let sent = self.jobs.try_send(Job { target, at, block, answer });
        let jobs = self.jobs.clone();
        Box::pin(async move {
            if let Err(mpsc::error::TrySendError::Full(job)) = sent
                && let Err(mpsc::error::SendError(job)) = jobs.send(job).await
            {
                return (job.block, Err(gone()));
            }
            // No answer: the thread panicked, and its block is lost with it.
            answered.await.unwrap_or_else(|_| (Block::with_capacity(0), Err(gone())))
        })
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread for durable writes has ended")
}

fn probe_with(scratch: &Path) -> io::Result<Method> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(scratch)?;
    let Some(block_bytes) = direct_block_bytes(&file) else { return Ok(BUFFERED) };
    let length = 2 * block_bytes.get();
    file.write_all_at(&vec![0; length], 0)?;
    file.sync_all()?;
    let mut block = Block::with_capacity(length);
    block.put(&vec![0xa5; length]);
    let method = Method { durable: DurableMethod::DirectSync, block_bytes };
    // Some filesystems refuse O_DIRECT at the opening, some at the first write.
    if method.open(scratch).and_then(|target| target.write(0, block.bytes())).is_err() {
        return Ok(BUFFERED);
    }
    // The journal is written past the page cache and read through it: both must show the same bytes.
    let mut read = vec![0; length];
    file.read_exact_at(&mut read, 0)?;
    Ok(if read == block.bytes() { method } else { BUFFERED })
}

/// The alignment that direct writes want, at least [`BLOCK_BYTES`]; `None` if it is one that a [`Block`] can't give.
/// Kernels before 6.1, and filesystems that don't say, are taken at [`BLOCK_BYTES`]; the probe's write decides.
fn direct_block_bytes(file: impl AsFd) -> Option<NonZeroUsize> {
    let known = statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::DIOALIGN)
        .ok()
        .filter(|stat| StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::DIOALIGN));
    let Some(stat) = known else { return NonZeroUsize::new(BLOCK_BYTES) };
    if stat.stx_dio_offset_align == 0 || stat.stx_dio_mem_align as usize > BLOCK_BYTES {
        return None;
    }
    let block = (stat.stx_dio_offset_align as usize).max(BLOCK_BYTES);
    NonZeroUsize::new(block).filter(|block| block.get().is_multiple_of(BLOCK_BYTES))
}
