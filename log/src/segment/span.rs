//! Batches that go to a peer out of their file, without passing through this process, once they were checked.

use std::fmt;
use std::sync::Arc;

use thalweg_wire::Offset;
use thalweg_wire::batch::Batch;
use thalweg_world::DiskFile;

use super::damage::SegmentError;
use super::extent::Segment;
use super::folder::Folder;
use super::loans::LentFile;
use super::reader::Checksums;
use super::walk::{Step, Walk};

/// Whole batches of one `.log`, one behind the other, each of which fitted its checksum when it was checked last.
pub struct FileSpan {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) folder: Folder,
    pub(super) segment: Segment,
    pub(super) checksums: Checksums,
    pub(super) position: u32,
    pub(super) bytes: u32,
    pub(super) _lent: Arc<LentFile>,
}

/// Records to be sent: what stands in a file, and what comes behind it.
#[derive(Debug, Default)]
pub struct Sendable {
    /// What is in a file, one behind the other.
    pub spans: Vec<FileSpan>,
    /// What is in memory.
    pub batches: Vec<Batch>,
    /// The offset behind the last record of the spans.
    spans_end: Option<Offset>,
}

impl Sendable {
    /// What is in a file, up to an offset.
    pub(super) fn in_file(spans: Vec<FileSpan>, end: Offset) -> Sendable {
        Sendable { spans, batches: Vec::new(), spans_end: Some(end) }
    }

    /// Bytes of all of it.
    pub fn byte_length(&self) -> usize {
        self.span_bytes() + self.batches.iter().map(Batch::byte_length).sum::<usize>()
    }

    /// Bytes of what is in a file.
    pub fn span_bytes(&self) -> usize {
        self.spans.iter().map(FileSpan::byte_length).sum()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.batches.is_empty()
    }

    /// The offset behind its last record; `None` if there is nothing.
    pub fn next_offset(&self) -> Option<Offset> {
        let last = self.batches.last().map(Batch::next_offset);
        last.or(self.spans_end)
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

    /// Reads and checks all of it once more, and so brings it into memory. Blocks.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] if it is not what it was any more.
    pub fn check_again(&self) -> Result<(), SegmentError> {
        let end = self.position + self.bytes;
        let mut walk = Walk::new(self.file.clone(), self.segment.base, self.position, end, self.checksums);
        loop {
            match walk.step()? {
                Step::Batch { .. } => {}
                Step::End => return Ok(()),
                Step::Flawed(flaw) => {
                    let damage = self.folder.damage(self.segment.base, walk.position(), walk.expected(), flaw);
                    return Err(SegmentError::Damaged(damage));
                }
            }
        }
    }
}

impl fmt::Debug for FileSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileSpan({} bytes at {} of {})", self.bytes, self.position, self.segment.base.0)
    }
}
