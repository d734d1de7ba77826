//! One partition's folder: its files by offset and kind, and in which order they come and go.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_wire::Offset;
use thalweg_world::DiskFile;

use super::cached::Cached;
use super::damage::{Damage, Flaw};
use super::names::{FileKind, file_name};
use super::{Descriptors, partition_metadata};

/// A partition's folder on a disk.
#[derive(Clone)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) files: Arc<Descriptors>,
    pub(super) wait: Wait,
}

/// Whether who reads may wait for the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wait {
    /// It blocks.
    Blocks,
    /// `WouldBlock` instead.
    Never,
}

impl Folder {
    pub(super) fn file_path(&self, base: Offset, kind: FileKind) -> PathBuf {
        self.path.join(file_name(base, kind))
    }

    /// An existing file of a segment.
    pub(super) fn open(&self, base: Offset, kind: FileKind) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.open_itself(base, kind)?;
        Ok(match self.wait {
            Wait::Blocks => file,
            Wait::Never => Arc::new(Cached(file)),
        })
    }

    /// The same; but whoever reads in it then may have to wait.
    pub(super) fn open_itself(&self, base: Offset, kind: FileKind) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.file_path(base, kind);
        match self.wait {
            Wait::Blocks => self.files.open(&path),
            Wait::Never => self.files.find(&path).ok_or_else(|| io::ErrorKind::WouldBlock.into()),
        }
    }

    /// A file that may be missing.
    pub(super) fn find(&self, base: Offset, kind: FileKind) -> io::Result<Option<Arc<dyn DiskFile>>> {
        match self.open(base, kind) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A file that is made if it is missing.
    pub(super) fn find_or_create(&self, base: Offset, kind: FileKind) -> io::Result<Arc<dyn DiskFile>> {
        match self.find(base, kind)? {
            Some(file) => Ok(file),
            None => self.files.create(&self.file_path(base, kind)),
        }
    }

    /// The empty files of a new segment. What may have stood there is left over from an attempt that failed.
    pub(super) fn create_segment(&self, base: Offset) -> io::Result<()> {
        for kind in WRITTEN {
            self.files.create(&self.file_path(base, kind))?;
        }
        Ok(())
    }

    /// Takes a segment's files away, for good. The `.log` goes first and durably: whatever a crash leaves of the others
    /// means nothing without it, and segments go in the order in which this is called.
    pub(super) fn remove_segment(&self, base: Offset) -> io::Result<()> {
        self.files.remove(&self.file_path(base, FileKind::Log))?;
        self.sync_names()?;
        FileKind::ALL.into_iter().skip(1).try_for_each(|kind| self.files.remove(&self.file_path(base, kind)))
    }

    /// Makes a segment's bytes and sizes durable.
    pub(super) fn sync_segment(&self, base: Offset) -> io::Result<()> {
        WRITTEN.into_iter().try_for_each(|kind| self.open(base, kind)?.sync())
    }

    /// Makes a segment's records durable, without their indexes.
    pub(super) fn sync_records(&self, base: Offset) -> io::Result<()> {
        self.open(base, FileKind::Log)?.sync()
    }

    /// Makes the names in the folder durable.
    pub(super) fn sync_names(&self) -> io::Result<()> {
        self.files.disk().sync_dir(&self.path)
    }

    /// Makes the folder's own name durable, and what says whose it is.
    pub(super) fn sync_folder(&self) -> io::Result<()> {
        partition_metadata::sync(&**self.files.disk(), &self.path)?;
        self.sync_names()?;
        let above = self.path.parent().filter(|above| !above.as_os_str().is_empty());
        self.files.disk().sync_dir(above.unwrap_or(Path::new(".")))
    }

    pub(super) fn damage(&self, base: Offset, position: u64, offset: Offset, flaw: Flaw) -> Damage {
        Damage::new(&self.path, self.file_path(base, FileKind::Log), position, offset, flaw)
    }
}

/// The files that every segment has, and that are written here, in the order in which they are.
const WRITTEN: [FileKind; 3] = [FileKind::Log, FileKind::TimeIndex, FileKind::OffsetIndex];

/// Cuts what stands behind `size`. A file that has that size is not touched.
pub(super) fn trim(file: &dyn DiskFile, size: u64) -> io::Result<()> {
    if file.size()? == size { Ok(()) } else { file.set_size(size) }
}

/// Writes one piece, if there is anything in it.
pub(super) fn write(file: &dyn DiskFile, bytes: &[u8], at: u64) -> io::Result<()> {
    if bytes.is_empty() { Ok(()) } else { file.write_at(&[IoSlice::new(bytes)], at) }
}
