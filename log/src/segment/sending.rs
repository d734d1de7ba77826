//! Reads records to be sent to a peer: copies of them, or a word on where they stand.
//!
//! What was checked a moment ago stays in its file, and goes out from there without passing through this process. Else it is
//! copied and checked on the way; where that would be much, it is checked in pieces and stays in the file too, so that a
//! peer who reads slowly holds no memory.

use std::sync::Arc;

use thalweg_wire::{Moment, Offset};
use thalweg_world::DiskFile;

use super::checked::{Borders, Place, Stretch};
use super::damage::SegmentError;
use super::extent::Segment;
use super::folder::{Folder, Wait};
use super::loans::{LentFile, LentMemory};
use super::names::FileKind;
use super::reader::{Checksums, Copied, Reader, Run};
use super::span::{FileSpan, Sendable};
use super::walk::{Step, Walk};
use crate::log::{FirstBatch, ReadLimit};

/// More bytes are not copied for a peer.
const COPIED_MAX: usize = 1 << 20;

/// Fewer bytes are, also if they were checked before: each page of a file that is sent costs some work.
const SPAN_BYTES_MIN: usize = 64 << 10;

/// A span is no longer than this, or has one stretch: it may have to be read again before it is sent.
const SPAN_BYTES_MAX: u32 = 256 << 10;

/// An answer that has to stop somewhere may leave out one part in so many, to end where a stretch does.
const LEFT_PART: usize = 8;

/// One reading.
struct Sending<'a> {
    reader: &'a Reader,
    folder: &'a Folder,
    /// The segment's records, also where one may not wait for them.
    file: Arc<dyn DiskFile>,
    segment: Segment,
    generation: u64,
    below: Offset,
    now: Moment,
}

impl Reader {
    /// As [`Reader::read`], to be sent. What has to stop somewhere may stop up to a stretch (see [`super::checked`]) before it would
    /// have to.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn read_to_send(
        &self,
        from: Offset,
        below: Offset,
        limit: ReadLimit,
        now: Moment,
    ) -> Result<Sendable, SegmentError> {
        self.read_to_send_in(self.folder(), from, below, limit, now)
    }

    /// The same without waiting for the disk, and nothing if nothing fits. `None` if that can't be: something isn't in
    /// memory, or what is there can't be read; [`Reader::read_to_send`] then says more.
    pub fn read_cached_to_send(&self, from: Offset, below: Offset, limit: usize, now: Moment) -> Option<Sendable> {
        let folder = Folder { wait: Wait::Never, ..self.folder().clone() };
        let limit = ReadLimit { bytes: limit, first: FirstBatch::IfItFits };
        self.read_to_send_in(&folder, from, below, limit, now).ok()
    }

    fn read_to_send_in(
        &self,
        folder: &Folder,
        from: Offset,
        below: Offset,
        limit: ReadLimit,
        now: Moment,
    ) -> Result<Sendable, SegmentError> {
        self.settled_from(from, |segment, generation| {
            let Some(run) = self.run(folder, &segment, from, below, limit)? else { return Ok(Sendable::default()) };
            let file = folder.open_itself(segment.base, FileKind::Log)?;
            Sending { reader: self, folder, file, segment, generation, below, now }.read(&run, limit.first)
        })
    }
}

impl Sending<'_> {
    fn read(&self, run: &Run, first: FirstBatch) -> Result<Sendable, SegmentError> {
        if let Some(records) = self.checked_before(run)? {
            return Ok(records);
        }
        let loans = self.folder.files.loans();
        if run.bytes > COPIED_MAX
            && let Some(lent) = loans.file()
        {
            return self.checked_now(run, lent);
        }
        if let Some(memory) = loans.memory(run.bytes.min(COPIED_MAX.max(run.first_bytes))) {
            return self.copied(run, memory);
        }
        if let Some(lent) = loans.file() {
            return self.checked_now(run, lent);
        }
        // Whoever reads gets on, however much is on its way.
        match first {
            FirstBatch::Always => self.copied(run, LentMemory::uncounted(run.first_bytes)),
            FirstBatch::IfItFits => Ok(Sendable::default()),
        }
    }

    /// What was checked a moment ago and is still in memory, if that is about all that is wanted.
    fn checked_before(&self, run: &Run) -> Result<Option<Sendable>, SegmentError> {
        let mut spans = Spans::from(run.position);
        let stop = u64::from(run.position) + run.bytes as u64;
        let mut enough = run.bytes - run.bytes / LEFT_PART;
        while let Some(stretch) = self.folder.files.checked().find(self.place(spans.end), self.now) {
            if u64::from(stretch.end) > stop || stretch.next_offset > self.below {
                enough = 0;
                break;
            }
            if !self.is_in_memory(spans.end, stretch.end)? {
                break;
            }
            spans.push(stretch);
        }
        if ((spans.end - run.position) as usize) < enough.max(SPAN_BYTES_MIN) {
            return Ok(None);
        }
        let Some(lent) = self.folder.files.loans().file() else { return Ok(None) };
        Ok(Some(self.in_file(spans, lent)))
    }

    /// As far as one can tell without reading it: it is asked for at both ends of each stretch.
    fn is_in_memory(&self, start: u32, end: u32) -> Result<bool, SegmentError> {
        for position in [start, end - 1] {
            if self.file.read_cached(&mut [0], u64::from(position))? != Some(1) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A copy, checked on the way.
    fn copied(&self, run: &Run, memory: LentMemory) -> Result<Sendable, SegmentError> {
        let Copied { bytes, ends } = self.reader.copied(self.folder, &self.segment, run, self.below, memory)?;
        let mut borders = Borders::from(run.position);
        // Where the last stretch ended.
        let mut border = None;
        for end in &ends {
            // Below 2 GiB, as every position in a segment.
            if let Some(ended) = borders.next(run.position + end.at as u32, end.next_offset) {
                self.note(ended);
                border = Some(*end);
            }
        }
        let Some(mut last) = ends.last().copied() else { return Ok(Sendable::default()) };
        if let Some(border) = border.filter(|border| (last.at - border.at) * LEFT_PART <= last.at)
            && self.goes_on(run.position + last.at as u32, last.next_offset)
        {
            last = border;
        }
        Ok(Sendable::copied(bytes.slice(..last.at), last.next_offset))
    }

    /// Checked in pieces, and left where it is.
    fn checked_now(&self, run: &Run, lent: LentFile) -> Result<Sendable, SegmentError> {
        let log = self.folder.open(self.segment.base, FileKind::Log)?;
        let mut walk = Walk::new(log, self.segment.base, run.position, self.segment.bytes, self.reader.checksums());
        let start = walk.position();
        let stop = start + run.bytes as u64;
        let mut borders = Borders::from(run.position);
        let mut spans = Spans::from(run.position);
        let mut last = None;
        while let Some((header, _)) = walk.peek()?.filter(|(_, end)| *end <= stop) {
            if header.base_offset() >= self.below {
                break;
            }
            if let Step::Flawed(flaw) = walk.step()? {
                if walk.position() > start {
                    // Those before it are good.
                    break;
                }
                let damage = self.folder.damage(self.segment.base, start, run.first, flaw);
                return Err(SegmentError::Damaged(damage));
            }
            // Below 2 GiB, as every position in a segment.
            let stretch = Stretch { end: walk.position() as u32, next_offset: walk.expected() };
            if let Some(ended) = borders.next(stretch.end, stretch.next_offset) {
                self.note(ended);
                spans.push(ended.1);
            }
            last = Some(stretch);
        }
        if let Some(last) = last {
            let (all, open) = ((last.end - run.position) as usize, (last.end - spans.end) as usize);
            if open > 0 && (open * LEFT_PART > all || !self.goes_on(last.end, last.next_offset)) {
                spans.push(last);
            }
        }
        Ok(self.in_file(spans, lent))
    }

    /// Whether there is more where an answer stops for its limit: it then ends with a stretch.
    fn goes_on(&self, end: u32, next_offset: Offset) -> bool {
        end < self.segment.bytes && next_offset < self.below
    }

    fn place(&self, position: u32) -> Place {
        let (log, base) = (self.reader.number(), self.segment.base);
        Place { log, generation: self.generation, base, position }
    }

    fn note(&self, (start, stretch): (u32, Stretch)) {
        if self.reader.checksums() == Checksums::Verified {
            self.folder.files.checked().note(self.place(start), stretch, self.now);
        }
    }

    fn in_file(&self, Spans { mut borders, end, next_offset }: Spans, lent: LentFile) -> Sendable {
        let Some(next_offset) = next_offset else { return Sendable::default() };
        let lent = Arc::new(lent);
        let span = |borders: &[u32]| FileSpan {
            file: self.file.clone(),
            folder: self.folder.clone(),
            base: self.segment.base,
            checksums: self.reader.checksums(),
            position: borders[0],
            bytes: borders[1] - borders[0],
            _lent: lent.clone(),
        };
        borders.push(end);
        Sendable::in_file(borders.windows(2).map(span).collect(), next_offset)
    }
}

/// Stretches put together to spans.
struct Spans {
    /// Where each begins.
    borders: Vec<u32>,
    end: u32,
    next_offset: Option<Offset>,
}

impl Spans {
    fn from(position: u32) -> Spans {
        Spans { borders: vec![position], end: position, next_offset: None }
    }

    /// What stands behind all that is there.
    fn push(&mut self, stretch: Stretch) {
        let start = self.borders.last().copied().unwrap_or(self.end);
        if stretch.end - start > SPAN_BYTES_MAX && self.end > start {
            self.borders.push(self.end);
        }
        self.end = stretch.end;
        self.next_offset = Some(stretch.next_offset);
    }
}
