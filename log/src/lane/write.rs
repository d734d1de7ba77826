//! One log's write past the journal. It blocks.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use thalweg_wire::batch::Batch;
use thalweg_wire::{Timestamp, TopicPartition};
use thalweg_world::disk::is_full;

use super::{Fence, Shared};
use crate::end::End;
use crate::files::Files;
use crate::segment::SegmentError;

/// What is to be written and synced.
pub(super) struct Write {
    /// Of which log.
    pub(super) log: TopicPartition,
    /// Where to.
    pub(super) files: Arc<Files>,
    /// All that the files lack.
    pub(super) batches: Vec<Batch>,
    /// Where the files end then.
    pub(super) end: End,
    /// Holds off the checkpoint that would forget how to cut it off.
    pub(super) fence: Fence,
}

/// How a write ended that did not fail. What the files have is whole then, and synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// They have all of it, and end there.
    Synced(End),
    /// There is no room on the disk for all of it.
    Full,
}

impl Write {
    pub(super) fn run(self, shared: &Shared) {
        let Some(logs) = shared.logs.upgrade() else { return };
        let now = shared.world.clock.wall();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.append_and_sync(now)));
        match outcome.unwrap_or_else(|_| Err(io::Error::other("a write panicked").into())) {
            Ok(written) => {
                // A crash leaves nothing to cut.
                drop(self.fence);
                logs.written(self.log, written);
            }
            // While the fence stands: the checkpoint that waits for it must not be.
            Err(error) => logs.failed(&error.to_string()),
        }
    }

    fn append_and_sync(&self, now: Timestamp) -> Result<Written, SegmentError> {
        match self.files.append(&self.batches, now) {
            Err(SegmentError::Io(error)) if is_full(&error) => {
                self.files.drop_unfinished()?;
                return Ok(Written::Full);
            }
            outcome => outcome?,
        }
        if let Some(flush) = self.files.flush_records() {
            flush.run()?;
            self.files.flushed(&flush);
        }
        Ok(Written::Synced(self.end))
    }
}
