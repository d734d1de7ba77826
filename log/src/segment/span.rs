//! Batches that go to a peer out of their file, without passing through this process, once they were checked.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use thalweg_wire::Offset;
use thalweg_wire::batch::Batch;
use thalweg_world::DiskFile;

use super::damage::SegmentError;
use super::folder::Folder;
use super::loans::LentFile;
use super::reader::Checksums;
use super::walk::{Step, Walk};

/// Of a batch that is longer than this, and half sent, so much is read at a time.
const READ_ON_BYTES: usize = 1 << 20;

/// Whole batches of one `.log`, one behind the other, each of which fitted its checksum when it was checked last.
pub struct FileSpan {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) folder: Folder,
    /// Where its segment begins.
    pub(super) base: Offset,
    pub(super) checksums: Checksums,
    pub(super) position: u32,
    pub(super) bytes: u32,
    pub(super) _lent: Arc<LentFile>,
}

/// Records to be sent, whole batches in order: what stands in a file, copies, and what memory has behind them.
#[derive(Debug, Default)]
pub struct Sendable {
    /// What is in a file, one behind the other.
    pub spans: Vec<FileSpan>,
    /// What was copied out of it, as it stood there.
    pub copy: Bytes,
    /// What is in memory.
    pub batches: Vec<Batch>,
    /// The offset behind the last record of the file.
    file_end: Option<Offset>,
}

impl Sendable {
    /// What is in a file, up to an offset.
    pub(super) fn in_file(spans: Vec<FileSpan>, end: Offset) -> Sendable {
        Sendable { spans, file_end: Some(end), ..Sendable::default() }
    }

    /// Copies of batches, up to an offset.
    pub(super) fn copied(copy: Bytes, end: Offset) -> Sendable {
        Sendable { copy, file_end: Some(end), ..Sendable::default() }
    }

    /// Bytes of all of it.
    pub fn byte_length(&self) -> usize {
        self.span_bytes() + self.copy.len() + self.batches.iter().map(Batch::byte_length).sum::<usize>()
    }

    /// Bytes of what is in a file.
    pub fn span_bytes(&self) -> usize {
        self.spans.iter().map(FileSpan::byte_length).sum()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.copy.is_empty() && self.batches.is_empty()
    }

    /// Whether it holds on to something that others may be short of (see [`super::loans`]).
    pub fn borrows(&self) -> bool {
        !self.spans.is_empty() || !self.copy.is_empty()
    }

    /// The offset behind its last record; `None` if there is nothing.
    pub fn next_offset(&self) -> Option<Offset> {
        self.batches.last().map(Batch::next_offset).or(self.file_end)
    }
}

impl From<Vec<Batch>> for Sendable {
    fn from(batches: Vec<Batch>) -> Sendable {
        Sendable { batches, ..Sendable::default() }
    }
}

impl FileSpan {
    /// The file.
    pub fn file(&self) -> &dyn DiskFile {
        &*self.file
    }

    /// Where it begins in the file, in bytes.
    pub fn position(&self) -> u64 {
        u64::from(self.position)
    }

    /// Its size.
    pub fn byte_length(&self) -> usize {
        self.bytes as usize
    }

    /// Reads and checks all of it once more, and so brings it into memory. Of one large batch of which so many bytes are
    /// sent already, reads what comes next. Blocks.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] if it is not what it was any more.
    pub fn check_again(&self, sent: usize) -> Result<(), SegmentError> {
        if sent > 0 && self.byte_length() > READ_ON_BYTES {
            let mut next = vec![0; READ_ON_BYTES.min(self.byte_length() - sent)];
            self.file.read_at(&mut next, self.position() + sent as u64)?;
            return Ok(());
        }
        let end = self.position + self.bytes;
        let mut walk = Walk::new(self.file.clone(), self.base, self.position, end, self.checksums);
        loop {
            match walk.step()? {
                Step::Batch { .. } => {}
                Step::End => return Ok(()),
                Step::Flawed(flaw) => {
                    self.folder.files.checked().forget();
                    let damage = self.folder.damage(self.base, walk.position(), walk.expected(), flaw);
                    return Err(SegmentError::Damaged(damage));
                }
            }
        }
    }
}

impl fmt::Debug for FileSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileSpan({} bytes at {} of {})", self.bytes, self.position, self.base.0)
    }
}
