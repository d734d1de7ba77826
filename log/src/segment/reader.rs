//! Reads a log's files from any thread, while their one writer goes on.
//!
//! A reader sees what was published: whole batches and their index entries. It takes no lock while it reads. Where the
//! writer truncates or deletes meanwhile, what was read may be half of the one and half of the other, so it is read again.

use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use thalweg_wire::batch::{Batch, Corruption, HEADER_BYTES, Header, Unreadable};
use thalweg_wire::{Offset, Timestamp};

use super::damage::{Damage, Flaw, SegmentError, judge};
use super::extent::Segment;
use super::folder::{Folder, Wait};
use super::loans::LentMemory;
use super::names::FileKind;
use super::walk::{Step, Walk};
use crate::log::{FirstBatch, ReadLimit};

/// Whether a batch's bytes are held against its checksum before they are given out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checksums {
    /// They are: what is read was whole when it was read.
    Verified,
    /// Only headers are looked at. A consumer checks the rest itself.
    Trusted,
}

/// Reads a log's files. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
    checksums: Checksums,
}

/// What the writer publishes.
pub(super) struct Shared {
    pub(super) folder: Folder,
    /// See [`super::checked::Place`].
    number: u64,
    list: RwLock<List>,
    /// Whether a sync of the log failed; held while one runs.
    pub(super) sync_failed: Mutex<bool>,
}

/// The segments, in order.
pub(super) struct List {
    pub(super) segments: Vec<Segment>,
    /// Counts truncations and deletions: what a reader saw before and after one doesn't fit together.
    pub(super) generation: u64,
    /// Where a log without segments begins.
    pub(super) first: Offset,
}

/// Bytes of a segment from one batch on. It may end within a batch.
pub(super) struct Run {
    pub(super) position: u32,
    pub(super) bytes: usize,
    /// Where the batch begins, and its bytes.
    pub(super) first: Offset,
    pub(super) first_bytes: usize,
}

/// Whole batches in memory, one behind the other.
pub(super) struct Copied {
    pub(super) bytes: Bytes,
    /// Where each of them ends.
    pub(super) ends: Vec<End>,
}

/// The end of a batch in a [`Copied`], and the offset behind its last record.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) at: usize,
    pub(super) next_offset: Offset,
}

/// Who may not wait doesn't walk over more batches than this to find one: an index that is wide or wrong is no help. Between
/// two entries of `index.interval.bytes` stand some sixty of the smallest, and at the end a few entries are still due.
const STEPS_MAX: usize = 64 * (super::segments::DUE_ENTRIES_MAX as usize + 1);

/// How often a reader begins again behind a writer that truncates.
const TRIES: u32 = 16;

impl Shared {
    pub(super) fn new(folder: Folder, segments: Vec<Segment>, first: Offset) -> Shared {
        let number = folder.files.checked().number_log();
        let list = RwLock::new(List { segments, generation: 0, first });
        Shared { folder, number, list, sync_failed: Mutex::new(false) }
    }

    pub(super) fn list(&self) -> RwLockReadGuard<'_, List> {
        // A list is whole between any two of its changes.
        self.list.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn list_mut(&self) -> RwLockWriteGuard<'_, List> {
        self.list.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    /// Where the first segment begins.
    pub(super) fn start(&self) -> Offset {
        self.segments.first().map_or(self.first, |segment| segment.base)
    }

    /// Where the last segment ends.
    pub(super) fn end(&self) -> Offset {
        self.segments.last().map_or(self.first, |segment| segment.end)
    }

    /// The first segment with records at `from` or above.
    fn holding(&self, from: Offset) -> Option<Segment> {
        let number = self.segments.partition_point(|segment| segment.end <= from);
        self.segments.get(number).copied()
    }
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, checksums: Checksums) -> Reader {
        Reader { shared, checksums }
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.shared.folder
    }

    pub(super) fn checksums(&self) -> Checksums {
        self.checksums
    }

    /// See [`super::checked::Place`].
    pub(super) fn number(&self) -> u64 {
        self.shared.number
    }

    /// Where the files begin. The log's own start may be later: it stands in a checkpoint, not in the files.
    pub fn start(&self) -> Offset {
        self.shared.list().start()
    }

    /// Where the files end.
    pub fn end(&self) -> Offset {
        self.shared.list().end()
    }

    /// Batches from the one that holds `from` on (or the next, where there is a hole), up to the first that begins at
    /// `below`, within the limit, and out of one segment: as in Kafka, an answer never crosses into the next. The batches
    /// share one allocation of about their size. Nothing, if nothing is there.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] if the first of these batches is damaged. Ones before a damaged one are served.
    pub fn read(&self, from: Offset, below: Offset, limit: ReadLimit) -> Result<Vec<Batch>, SegmentError> {
        let folder = &self.shared.folder;
        self.settled_from(from, |segment, _| match self.run(folder, &segment, from, below, limit)? {
            Some(run) => {
                let memory = LentMemory::uncounted(run.bytes);
                let Copied { bytes, ends } = self.copied(folder, &segment, &run, below, memory)?;
                let starts = [0].into_iter().chain(ends.iter().map(|end| end.at)).take(ends.len());
                let batches = starts.map(|start| Batch::parse(&bytes.slice(start..)));
                let batches: Result<_, Unreadable> = batches.collect();
                batches.map_err(|_| io::Error::from(io::ErrorKind::InvalidData).into())
            }
            None => Ok(Vec::new()),
        })
    }

    /// The first batch with records at `from` or above whose largest timestamp is `at` or later. Which of its records it
    /// is has to be looked for in it; if that is one below `from`, ask again from the batch's end.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] if the batch, or the way to it, is.
    pub fn batch_at_time(&self, at: Timestamp, from: Offset) -> Result<Option<Batch>, SegmentError> {
        let mut from = from;
        loop {
            let new_enough = |list: &List| {
                let mut segments = list.segments.iter();
                segments.find(|segment| segment.end > from && segment.newest.timestamp >= at).copied()
            };
            let found = self.settled(new_enough, |segment, _| {
                let folder = &self.shared.folder;
                let position = segment.time_floor(folder, at)?.max(segment.floor(folder, from)?);
                let wanted = |header: &Header| header.last_offset() >= from && header.max_timestamp() >= at;
                Ok((self.find(segment, position, wanted)?, segment.end))
            })?;
            match found {
                None => return Ok(None),
                Some((Some(batch), _)) => return Ok(Some(batch)),
                // Its newest batch lies before `from`.
                Some((None, end)) => from = end,
            }
        }
    }

    /// The batches that may have the first record with the largest timestamp at `from` or above, in order. At most three:
    /// that which holds `from`, the newest behind it in its segment, and that of the later segments.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] if one of the batches, or the way to it, is.
    pub fn newest_batches(&self, from: Offset, until: Offset) -> Result<Vec<Batch>, SegmentError> {
        let mut found = Vec::new();
        match self.newest_batch(from, until)? {
            Some(newest) if newest.base_offset() >= from => found.push(newest),
            Some(_) => {
                // What a segment knows of its newest batch is of a record that was deleted, so its headers are looked at.
                let Some(segment) = self.shared.list().holding(from) else { return Ok(Vec::new()) };
                found.extend(self.newest_by_headers(from, segment.end)?);
                found.extend(self.newest_batch(segment.end, until)?);
            }
            None => {}
        }
        // Nor does it say anything of one that goes on behind the end.
        let holding = self.shared.list().holding(Offset(until.0 - 1));
        if let Some(segment) = holding.filter(|segment| segment.end > until && from < until) {
            let known = segment.known_below(&self.shared.folder, until)?;
            let begin = if known.time_entries > 0 { known.newest.offset(segment.base) } else { segment.base };
            found.extend(self.newest_by_headers(begin.max(from), until)?);
        }
        Ok(found)
    }

    /// The first batch with the largest timestamp among those with bases in a range, and the one that holds its start.
    fn newest_by_headers(&self, from: Offset, until: Offset) -> Result<Vec<Batch>, SegmentError> {
        let mut held = None;
        let mut behind: Option<(Timestamp, Offset)> = None;
        self.for_each_header(from, |header| {
            let (base, largest) = (header.base_offset(), header.max_timestamp());
            if base >= until {
                return ControlFlow::Break(());
            }
            if base < from {
                held = Some(base);
            } else if behind.is_none_or(|(known, _)| largest > known) {
                behind = Some((largest, base));
            }
            ControlFlow::Continue(())
        })?;
        let mut found = Vec::new();
        for base in held.into_iter().chain(behind.map(|(_, base)| base)) {
            let alone = ReadLimit { bytes: 0, first: FirstBatch::Always };
            found.extend(self.read(base, Offset(base.0 + 1), alone)?);
        }
        Ok(found)
    }

    /// The first batch with the largest timestamp in the segments that have records at `from` or above and none at
    /// `until`; the first at all if none has one.
    fn newest_batch(&self, from: Offset, until: Offset) -> Result<Option<Batch>, SegmentError> {
        let newest = |list: &List| {
            let whole = |segment: &&Segment| segment.bytes > 0 && segment.end > from && segment.end <= until;
            list.segments
                .iter()
                .filter(whole)
                .copied()
                .reduce(|a, b| if b.newest.timestamp > a.newest.timestamp { b } else { a })
        };
        let found = self.settled(newest, |segment, _| {
            let offset = segment.newest.offset(segment.base);
            let position = segment.floor(&self.shared.folder, offset)?;
            self.find(segment, position, |header| header.last_offset() >= offset)
        })?;
        Ok(found.flatten())
    }

    /// Shows the header of each batch with records at `from` or above, in order, until told to stop. For what is made
    /// again from a log: leader epochs, producers. Records are not read.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] at the first header that can't be one.
    pub fn for_each_header(
        &self,
        from: Offset,
        mut visit: impl FnMut(&Header) -> ControlFlow<()>,
    ) -> Result<(), SegmentError> {
        let mut from = from;
        loop {
            // One segment's headers at a time: they are shown once, also when the segment changes meanwhile.
            let Some(segment) = self.shared.list().holding(from) else { return Ok(()) };
            let position = segment.floor(&self.shared.folder, from)?;
            let mut walk = walk(&self.shared.folder, &segment, position)?;
            loop {
                match walk.step()? {
                    Step::Batch { header, .. } if header.last_offset() < from => {}
                    Step::Batch { header, .. } => {
                        if visit(&header).is_break() {
                            return Ok(());
                        }
                    }
                    Step::End => break,
                    Step::Flawed(flaw) => return Err(SegmentError::Damaged(self.damage(&segment, &walk, flaw))),
                }
            }
            from = segment.end;
        }
    }

    /// Reads in the segment that has records at `from` or above; nothing if there is none. The number is the generation of
    /// what is read.
    pub(super) fn settled_from<T: Default>(
        &self,
        from: Offset,
        read: impl Fn(Segment, u64) -> Result<T, SegmentError>,
    ) -> Result<T, SegmentError> {
        self.settled(|list| list.holding(from), read).map(Option::unwrap_or_default)
    }

    /// Chooses a segment and reads in it, again if the writer took something away meanwhile.
    fn settled<T>(
        &self,
        choose: impl Fn(&List) -> Option<Segment>,
        read: impl Fn(Segment, u64) -> Result<T, SegmentError>,
    ) -> Result<Option<T>, SegmentError> {
        for _ in 0..TRIES {
            let (generation, segment) = {
                let list = self.shared.list();
                (list.generation, choose(&list))
            };
            let Some(segment) = segment else { return Ok(None) };
            let outcome = read(segment, generation);
            if self.shared.list().generation == generation {
                return outcome.map(Some);
            }
        }
        Err(io::Error::from(io::ErrorKind::Interrupted).into())
    }

    /// Where to read, and how much, for whoever wants records from `from` on; `None` if nothing is wanted.
    pub(super) fn run(
        &self,
        folder: &Folder,
        segment: &Segment,
        from: Offset,
        below: Offset,
        limit: ReadLimit,
    ) -> Result<Option<Run>, SegmentError> {
        if segment.base >= below {
            return Ok(None);
        }
        let position = segment.floor(folder, from)?;
        let wanted = |header: &Header| header.last_offset() >= from;
        let Some((position, bytes, header)) = self.seek(folder, segment, position, wanted)? else { return Ok(None) };
        let fits = bytes as usize <= limit.bytes || limit.first == FirstBatch::Always;
        let (first, first_bytes) = (header.base_offset(), bytes as usize);
        let bytes = limit.bytes.max(first_bytes).min((segment.bytes - position) as usize);
        Ok((first < below && fits).then_some(Run { position, bytes, first, first_bytes }))
    }

    /// Whole batches of a run, in memory.
    pub(super) fn copied(
        &self,
        folder: &Folder,
        segment: &Segment,
        &Run { position, first, .. }: &Run,
        below: Offset,
        mut memory: LentMemory,
    ) -> Result<Copied, SegmentError> {
        let log = folder.open(segment.base, FileKind::Log)?;
        if log.read_at(&mut memory, u64::from(position))? < memory.len() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let mut expected = first;
        let (mut used, mut ends, mut flaw) = (0, Vec::new(), None);
        while let Some(rest) = memory.get(used..).filter(|rest| rest.len() >= HEADER_BYTES) {
            let place = u64::from(position) + used as u64;
            let room = u64::from(segment.bytes) - place;
            let mut header = [0; HEADER_BYTES];
            header.copy_from_slice(&rest[..HEADER_BYTES]);
            let header = Header::from_bytes(header);
            match judge(&header, room, segment.base, expected) {
                Ok(bytes) if bytes as usize > rest.len() || header.base_offset() >= below => break,
                Ok(bytes) => {
                    if let Err(corrupt) = self.check(&header, &rest[HEADER_BYTES..bytes as usize]) {
                        flaw = Some(corrupt);
                        break;
                    }
                    used += bytes as usize;
                    expected = Offset(header.last_offset().0 + 1);
                    ends.push(End { at: used, next_offset: expected });
                }
                Err(other) => {
                    flaw = Some(other);
                    break;
                }
            }
        }
        if let Some(flaw) = flaw.filter(|_| ends.is_empty()) {
            let damage = self.shared.folder.damage(segment.base, u64::from(position), expected, flaw);
            return Err(SegmentError::Damaged(damage));
        }
        Ok(Copied { bytes: memory.into_bytes(used), ends })
    }

    /// The first batch from a position on that is wanted, whole and checked.
    fn find(
        &self,
        segment: Segment,
        position: u32,
        wanted: impl Fn(&Header) -> bool,
    ) -> Result<Option<Batch>, SegmentError> {
        let folder = &self.shared.folder;
        let Some((position, bytes, header)) = self.seek(folder, &segment, position, wanted)? else { return Ok(None) };
        let buffer = Bytes::from(read_bytes(folder, &segment, position, bytes as usize)?);
        let damaged = |flaw| {
            let damage = folder.damage(segment.base, u64::from(position), header.base_offset(), flaw);
            SegmentError::Damaged(damage)
        };
        let batch = Batch::parse(&buffer).map_err(|unreadable| {
            damaged(match unreadable {
                Unreadable::Truncated { present } => Flaw::CutShort { present: present as u64 },
                Unreadable::Corrupt(corruption) => Flaw::NotABatch(corruption),
            })
        })?;
        self.check(batch.header(), batch.records()).map_err(damaged)?;
        Ok(Some(batch))
    }

    /// Position, size and header of the first batch from a position on that is wanted.
    fn seek(
        &self,
        folder: &Folder,
        segment: &Segment,
        position: u32,
        wanted: impl Fn(&Header) -> bool,
    ) -> Result<Option<(u32, u32, Header)>, SegmentError> {
        let mut walk = walk(folder, segment, position)?;
        let mut steps = 0;
        loop {
            if steps == STEPS_MAX && folder.wait == Wait::Never {
                return Err(io::Error::from(io::ErrorKind::WouldBlock).into());
            }
            steps += 1;
            match walk.step()? {
                Step::Batch { position, bytes, header } if wanted(&header) => {
                    return Ok(Some((position, bytes, header)));
                }
                Step::Batch { .. } => {}
                Step::End => return Ok(None),
                Step::Flawed(flaw) => return Err(SegmentError::Damaged(self.damage(segment, &walk, flaw))),
            }
        }
    }

    fn check(&self, header: &Header, records: &[u8]) -> Result<(), Flaw> {
        if self.checksums == Checksums::Trusted {
            return Ok(());
        }
        let (stored, computed) = (header.crc(), header.crc_with(records));
        if stored == computed { Ok(()) } else { Err(Flaw::NotABatch(Corruption::Crc { stored, computed })) }
    }

    fn damage(&self, segment: &Segment, walk: &Walk, flaw: Flaw) -> Damage {
        self.shared.folder.damage(segment.base, walk.position(), walk.expected(), flaw)
    }
}

fn walk(folder: &Folder, segment: &Segment, position: u32) -> io::Result<Walk> {
    let log = folder.open(segment.base, FileKind::Log)?;
    Ok(Walk::new(log, segment.base, position, segment.bytes, Checksums::Trusted))
}

fn read_bytes(folder: &Folder, segment: &Segment, position: u32, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    let log = folder.open(segment.base, FileKind::Log)?;
    let read = log.read_at(&mut bytes, u64::from(position))?;
    if read < count {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}
