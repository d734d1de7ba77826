//! The machine's filesystems.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::fs::{OFlags, fsync, statvfs, syncfs};
use rustix::io::{Errno, ReadWriteFlags, preadv2, pwritev, retry_on_intr};

use super::durable::{Method, Target, Writer};
use super::lock::Lock;
use crate::BoxFuture;
use crate::disk::{BLOCK_BYTES, Block, Disk, DiskFile, DurableMethod, Entry, EntryKind, Open, Space};

/// Parts that one `pwritev` takes (Linux's `IOV_MAX`).
const PARTS_MAX: usize = 1024;

/// The real disk. Paths are the system's.
#[derive(Default)]
pub struct RealDisk {
    durable: Mutex<BTreeMap<PathBuf, Durable>>,
}

/// What is known of a directory with durable files.
#[derive(Default)]
struct Durable {
    /// Found out once: the answer belongs to the filesystem.
    method: Option<Method>,
    writer: Weak<Writer>,
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true);
        match how {
            Open::Read => &mut options,
            Open::Write | Open::Durable => options.write(true),
            Open::Create => options.write(true).create(true).truncate(false),
            Open::CreateNew => options.write(true).create_new(true),
        };
        let file = options.open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let durable = if how == Open::Durable { Some(self.durable(path)?) } else { None };
        Ok(Arc::new(RealFile { file, durable }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = match entry.file_type()? {
                kind if kind.is_file() => EntryKind::File,
                kind if kind.is_dir() => EntryKind::Directory,
                _ => EntryKind::Other,
            };
            entries.push(Entry { name: entry.file_name().into(), kind });
        }
        entries.sort();
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let directory =
            rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, rustix::fs::Mode::empty())?;
        Ok(fsync(&directory)?)
    }

    fn sync_filesystem(&self, file: &dyn DiskFile) -> io::Result<()> {
        let Some(file) = (file as &dyn Any).downcast_ref::<RealFile>() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a file of another disk"));
        };
        Ok(syncfs(&file.file)?)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        Ok(Box::new(Lock::take(path)?))
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let stat = statvfs(path)?;
        Ok(Space {
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
        })
    }

    fn absolute(&self, path: &Path) -> io::Result<PathBuf> {
        std::path::absolute(path)
    }
}

impl RealDisk {
    /// What a file needs for durable writes: its directory's method and thread.
    fn durable(&self, path: &Path) -> io::Result<(Arc<Target>, Arc<Writer>)> {
        let directory = fs::canonicalize(path)?.parent().map(Path::to_owned).unwrap_or_default();
        // Held over the probe, so that two files opened at once don't fight over its scratch file.
        let mut known = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(directory.clone()).or_default();
        let method = match known.method {
            Some(method) => method,
            // Not remembered when the probe failed: on a full disk we still start, and find out another time.
            None => Method::probe(&directory).inspect(|method| known.method = Some(*method)).unwrap_or(Method::safe()),
        };
        let target = Arc::new(method.open(path)?);
        let writer = match known.writer.upgrade() {
            Some(writer) => writer,
            None => Arc::new(Writer::start()?),
        };
        known.writer = Arc::downgrade(&writer);
        Ok((target, writer))
    }
}

pub(super) struct RealFile {
    /// Reads and plain writes always go through the page cache; durable writes have a descriptor of their own.
    file: File,
    durable: Option<(Arc<Target>, Arc<Writer>)>,
}

impl AsFd for RealFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl DiskFile for RealFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < into.len() {
            match self.file.read_at(&mut into[filled..], at + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn read_cached(&self, into: &mut [u8], at: u64) -> io::Result<Option<usize>> {
        let mut filled = 0;
        while filled < into.len() {
            let part = &mut [IoSliceMut::new(&mut into[filled..])];
            match preadv2(&self.file, part, at + filled as u64, ReadWriteFlags::NOWAIT) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(Errno::INTR) => {}
                // Not in memory; or a filesystem, or a kernel, that can't say.
                Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(filled))
    }

    fn write_at(&self, parts: &[IoSlice<'_>], at: u64) -> io::Result<()> {
        let mut rest: Vec<IoSlice<'_>> =
            parts.iter().filter(|part| !part.is_empty()).map(|p| IoSlice::new(p)).collect();
        let mut rest = rest.as_mut_slice();
        let mut at = at;
        while !rest.is_empty() {
            let next = &rest[..rest.len().min(PARTS_MAX)];
            let wrote = retry_on_intr(|| pwritev(&self.file, next, at))?;
            if wrote == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            at += wrote as u64;
            IoSlice::advance_slices(&mut rest, wrote);
        }
        Ok(())
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.file.set_len(size)
    }

    fn sync(&self) -> io::Result<()> {
        // Not `File::sync_data`, which tries again on EINTR: one failed sync is final.
        Ok(rustix::fs::fdatasync(&self.file)?)
    }

    fn write_durable(&self, at: u64, block: Block) -> BoxFuture<'static, (Block, io::Result<()>)> {
        match &self.durable {
            Some((target, writer)) => writer.write(target.clone(), at, block),
            None => {
                let problem = io::Error::new(io::ErrorKind::InvalidInput, "the file was not opened for durable writes");
                Box::pin(std::future::ready((block, Err(problem))))
            }
        }
    }

    fn block_bytes(&self) -> usize {
        self.durable.as_ref().map_or(BLOCK_BYTES, |(target, _)| target.method.block_bytes.get())
    }

    fn durable_method(&self) -> DurableMethod {
        self.durable.as_ref().map_or(DurableMethod::BufferedSync, |(target, _)| target.method.durable)
    }
}
