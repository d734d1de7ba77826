//! One log's segments, and the only writer of them: append, roll, truncate, delete, sync.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_wire::batch::{Batch, Header};
use thalweg_wire::{Offset, Timestamp, TopicId};

use super::damage::SegmentError;
use super::extent::{Due, Segment, Survey, byte_length, first_header};
use super::flush::{self, Flush, Part, Unsynced};
use super::names::{FileKind, parse_file_name};
use super::open::{self, Found, Opened, Trust};
use super::reader::{Checksums, Reader, Shared};
use super::roll::{Birth, Rules};
use super::{Descriptors, partition_metadata, transaction_index};

/// A log's files, open for writing. There is one such value a folder.
///
/// In memory this is a few numbers a segment; files are opened when they are needed, out of the shared [`Descriptors`].
pub struct Segments {
    shared: Arc<Shared>,
    rules: Rules,
    /// Since when the last segment ages; `None` until somebody had to know.
    birth: Option<Birth>,
    recovery_point: Offset,
    unsynced: Unsynced,
    /// Bytes that were appended since the last sync began.
    unsynced_bytes: u64,
    /// Entries of the last segment's indexes. Without them a search is longer, and an unclean start makes them again.
    due: Due,
}

/// What an append did besides.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Appended {
    /// The base offsets of the segments that were begun, but for a log's very first one. Kafka has a snapshot of the
    /// producers at each (see [`super::producer_snapshot`]).
    pub rolled: Vec<Offset>,
}

/// Batches that go into one write: two parts each, as many as a system call takes.
const BATCHES_PER_WRITE: usize = 512;

/// Entries of the offset index that are held back, so that a log that gets little at a time has one file to write, and to
/// sync, and not two. Who reads goes over as many more times `index.interval.bytes` at the end.
pub(super) const DUE_ENTRIES_MAX: u32 = 8;

impl Segments {
    /// Makes the folder of a new log that will begin at `first`, with its `partition.metadata`, which Kafka has to find
    /// there beside the first batch. A log that begins at 0 gets files for records with its first batch; one that begins
    /// elsewhere gets empty ones at once, as their names say where.
    ///
    /// Nothing is durable before [`Segments::sync`], which then syncs the folder and the one above it too; or before the
    /// whole filesystem is synced.
    ///
    /// # Errors
    /// `AlreadyExists` if the folder holds records already.
    pub fn create(
        files: &Arc<Descriptors>,
        path: &Path,
        topic: TopicId,
        first: Offset,
        rules: Rules,
    ) -> io::Result<Segments> {
        let disk = files.disk();
        disk.create_dir_all(path)?;
        let is_log = |name: &Path| matches!(parse_file_name(name), Some((_, FileKind::Log, None)));
        if disk.list(path)?.iter().any(|entry| is_log(&entry.name)) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        partition_metadata::write(&**disk, path, topic)?;
        let shared = Shared::new(open::folder(files, path), Vec::new(), first);
        Ok(Segments {
            shared: Arc::new(shared),
            rules,
            birth: None,
            recovery_point: first,
            unsynced: Unsynced::Folder,
            unsynced_bytes: 0,
            due: Due::default(),
        })
    }

    /// Opens the folder of a log, and says what was found there. Orders the segments, sees that they don't overlap, and
    /// reads in each from its last index entry on; how much more, `trust` says. Indexes that are missing or wrong are
    /// made again.
    ///
    /// # Errors
    /// [`SegmentError`]; nothing was cut then. `NotFound` if there is no such folder.
    pub fn open(
        files: &Arc<Descriptors>,
        path: &Path,
        topic: TopicId,
        rules: Rules,
        trust: Trust,
    ) -> Result<(Segments, Opened), SegmentError> {
        let folder = open::folder(files, path);
        let Found { segments, first, recovery_point, opened } = open::open(&folder, topic, &rules, trust)?;
        let unsynced = if trust == Trust::Clean { Unsynced::Nothing } else { Unsynced::Folder };
        let shared = Arc::new(Shared::new(folder, segments, first));
        let due = Due::default();
        Ok((Segments { shared, rules, birth: None, recovery_point, unsynced, unsynced_bytes: 0, due }, opened))
    }

    /// A reader of these files, for any thread.
    pub fn reader(&self, checksums: Checksums) -> Reader {
        Reader::new(self.shared.clone(), checksums)
    }

    /// Where the first segment begins.
    pub fn start(&self) -> Offset {
        self.shared.list().start()
    }

    /// Where the records end: the offset, the file, and the byte in it.
    pub fn tail(&self) -> (Offset, PathBuf, u64) {
        let last = self.active().unwrap_or(Segment::empty(self.end()));
        (last.end, self.shared.folder.file_path(last.base, FileKind::Log), u64::from(last.bytes))
    }

    /// The offset behind the last record.
    pub fn end(&self) -> Offset {
        self.shared.list().end()
    }

    /// Bytes of all records.
    pub fn size(&self) -> u64 {
        self.shared.list().segments.iter().map(|segment| u64::from(segment.bytes)).sum()
    }

    /// The base offset of the newest segment with so many bytes of records in it and behind it; else the start.
    pub fn offset_before_end(&self, bytes: u64) -> Offset {
        let mut left = bytes;
        let list = self.shared.list();
        let reaches = |segment: &&Segment| {
            left = left.saturating_sub(u64::from(segment.bytes));
            left == 0
        };
        list.segments.iter().rev().find(reaches).map_or(list.start(), |segment| segment.base)
    }

    /// Where each segment begins, in order.
    pub fn bases(&self) -> Vec<Offset> {
        self.shared.list().segments.iter().map(|segment| segment.base).collect()
    }

    /// Records below it are durable.
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// Changes the settings; they hold from the next append on.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Appends batches that have their offsets. `now` is the wall's time, by which a segment without timestamps ages.
    /// Each batch goes into one segment, whole; a roll makes the segment that it closes durable.
    ///
    /// # Errors
    /// Those of the disk. Batches below [`Segments::end`] are in; the others may be appended again.
    ///
    /// # Panics
    /// If a batch begins before the log's end.
    pub fn append(&mut self, batches: &[Batch], now: Timestamp) -> io::Result<Appended> {
        let mut appended = Appended::default();
        let mut rest = batches;
        while let Some(next) = rest.first() {
            assert!(
                next.base_offset() >= self.end() && next.header().last_offset_delta() >= 0,
                "a batch at {} for a log that ends at {}",
                next.base_offset(),
                self.end()
            );
            match self.active() {
                None => self.begin(next.base_offset())?,
                Some(active) => {
                    if self.birth.is_none()
                        && let Some(first) = first_header(&self.shared.folder, &active)?
                    {
                        self.birth = Some(birth(&first, now));
                    }
                    if self.rules.is_full(&active.with(&self.due), self.birth, next.header(), now) {
                        self.roll_at(next.base_offset())?;
                        appended.rolled.push(next.base_offset());
                    }
                }
            }
            rest = &rest[self.fill(rest, now)?..];
        }
        Ok(appended)
    }

    /// Begins a new segment at the end, and says where; nothing happens if the last one is empty. For retention, which
    /// deletes whole segments.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn roll(&mut self) -> io::Result<Option<Offset>> {
        match self.active() {
            Some(active) if active.bytes > 0 => {
                self.roll_at(active.end)?;
                Ok(Some(active.end))
            }
            _ => Ok(None),
        }
    }

    /// Cuts every batch at `to` and above, and the one that holds `to`. A log that begins behind `to` ends empty, at
    /// `to`. What is cut stays cut: it is durable when this returns.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] if the place can't be found, with nothing cut; those of the disk.
    pub fn truncate(&mut self, to: Offset) -> Result<(), SegmentError> {
        if to >= self.end() {
            return Ok(());
        }
        let holding = self.shared.list().segments.iter().rposition(|segment| segment.base <= to);
        let Some(holding) = holding else { return Ok(self.restart_at(to)?) };
        let folder = &self.shared.folder;
        let segment = self.shared.list().segments[holding];
        let log = folder.open(segment.base, FileKind::Log)?;
        let how = Survey { checksums: Checksums::Trusted, interval: self.rules.index_interval_bytes };
        let known = segment.known_below(folder, to)?;
        let (cut, flaw) = known.walk_on(folder, log, segment.bytes, Some(to), how)?;
        if let Some(flaw) = flaw {
            let damage = folder.damage(segment.base, u64::from(cut.bytes), cut.end, flaw);
            return Err(SegmentError::Damaged(damage));
        }
        let removed: Vec<Offset> = {
            let mut list = self.shared.list_mut();
            list.generation += 1;
            list.segments[holding] = cut;
            list.segments.drain(holding + 1..).map(|segment| segment.base).collect()
        };
        self.due.clear();
        // From the end on, each for good before the next: a crash on the way leaves a longer log, not one with a hole.
        removed.into_iter().rev().try_for_each(|base| folder.remove_segment(base))?;
        cut.trim(folder)?;
        if let Some(aborted) = folder.find(cut.base, FileKind::TransactionIndex)? {
            transaction_index::truncate(&*aborted, to)?;
        }
        self.remove_snapshots_above(cut.end)?;
        self.birth = None;
        self.unsynced = self.unsynced.max(Unsynced::Names);
        Ok(self.sync()?)
    }

    /// Takes all segments away, durably; the log goes on at `first`.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn restart_at(&mut self, first: Offset) -> io::Result<()> {
        let removed: Vec<Offset> = {
            let mut list = self.shared.list_mut();
            list.generation += 1;
            list.first = first;
            list.segments.drain(..).map(|segment| segment.base).collect()
        };
        self.due.clear();
        removed.into_iter().rev().try_for_each(|base| self.shared.folder.remove_segment(base))?;
        self.remove_snapshots_above(Offset(-1))?;
        self.recovery_point = first;
        // Its name says where the log goes on.
        self.begin(first)?;
        self.sync()
    }

    /// Takes away every segment whose records are all below `offset`, but not the last segment, and says how many that
    /// were. The files go at once, without waiting under another name as Kafka's do (`file.delete.delay.ms`): who reads
    /// one keeps it open.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn delete_before(&mut self, offset: Offset) -> io::Result<usize> {
        let removed: Vec<Offset> = {
            let mut list = self.shared.list_mut();
            let count = list.segments.windows(2).take_while(|pair| pair[1].base <= offset).count();
            if count > 0 {
                list.generation += 1;
            }
            list.segments.drain(..count).map(|segment| segment.base).collect()
        };
        // From the start on, for the reason that a truncation goes the other way.
        removed.iter().try_for_each(|base| self.shared.folder.remove_segment(*base))?;
        Ok(removed.len())
    }

    /// Makes all records and names durable. A failure is final: what it left is unknown, and a second try proves nothing.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn sync(&mut self) -> io::Result<()> {
        flush::sync(&self.shared, self.active().map(|active| active.base), self.unsynced)?;
        self.synced_to(self.end());
        Ok(())
    }

    /// Cuts off what a failed append left of a batch behind the end, and syncs the rest.
    ///
    /// # Errors
    /// Those of the disk; final.
    pub fn drop_unfinished(&mut self) -> io::Result<()> {
        if let Some(active) = self.active() {
            active.trim(&self.shared.folder)?;
        }
        // Who synced meanwhile looked at what was published, and that is not what was cut.
        self.unsynced = self.unsynced.max(Unsynced::Bytes);
        self.sync()
    }

    /// A sync to be done elsewhere, if so many bytes were appended since the last one began. Say when it is done:
    /// [`Segments::flushed`].
    pub fn flush_due(&mut self, bytes: u64) -> Option<Flush> {
        let active = self.active().filter(|_| self.unsynced_bytes >= bytes)?;
        self.unsynced_bytes = 0;
        Some(self.flush(active, Part::All))
    }

    /// A sync of all records, to be done elsewhere like [`Segments::flush_due`]'s. Indexes are hints, and are left to
    /// another sync; names that the records need are not.
    pub fn flush_records(&mut self) -> Option<Flush> {
        let active = self.active()?;
        self.unsynced_bytes = 0;
        Some(self.flush(active, if self.unsynced > Unsynced::Bytes { Part::All } else { Part::Records }))
    }

    fn flush(&self, active: Segment, part: Part) -> Flush {
        let (shared, generation) = (self.shared.clone(), self.shared.list().generation);
        Flush { shared, unsynced: self.unsynced, part, base: active.base, end: active.end, generation }
    }

    /// Notes that a sync was done. One from before a truncation counts for nothing: other bytes may stand there now.
    pub fn flushed(&mut self, flush: &Flush) {
        if !Arc::ptr_eq(&self.shared, &flush.shared) || self.shared.list().generation != flush.generation {
            return;
        }
        let end = self.end();
        self.recovery_point = self.recovery_point.max(flush.end).min(end);
        // Names came with the first batch of the segment; what came since are bytes. Those of a later segment are its own.
        if flush.part == Part::All && self.active().is_some_and(|active| active.base == flush.base) {
            let left = if flush.end >= end { Unsynced::Nothing } else { Unsynced::Bytes };
            self.unsynced = self.unsynced.min(left);
        }
    }

    /// Notes that records below `through` were made durable by somebody else, who synced the whole filesystem after they
    /// were appended.
    pub fn synced_to(&mut self, through: Offset) {
        let end = self.end();
        self.recovery_point = self.recovery_point.max(through).min(end);
        // A segment that is still empty may have been made since.
        if through >= end && self.active().is_some_and(|active| active.bytes > 0) {
            self.unsynced = Unsynced::Nothing;
            self.unsynced_bytes = 0;
        }
    }

    /// Makes the indexes of all segments again from their records, as Kafka does after an unclean stop.
    ///
    /// # Errors
    /// [`SegmentError::Damaged`] at the first place that can't be read; those of the disk.
    pub fn rebuild(&mut self) -> Result<(), SegmentError> {
        let folder = &self.shared.folder;
        let how = Survey { checksums: Checksums::Verified, interval: self.rules.index_interval_bytes };
        self.due.clear();
        let count = self.shared.list().segments.len();
        for number in 0..count {
            let old = self.shared.list().segments[number];
            for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
                folder.find_or_create(old.base, kind)?;
            }
            let log = folder.open(old.base, FileKind::Log)?;
            let (mut new, flaw) = Segment::empty(old.base).walk_on(folder, log, old.bytes, None, how)?;
            if let Some(flaw) = flaw {
                let damage = folder.damage(old.base, u64::from(new.bytes), new.end, flaw);
                return Err(SegmentError::Damaged(damage));
            }
            new.close(folder, &mut Due::default())?;
            {
                let mut list = self.shared.list_mut();
                list.segments[number] = new;
                // Entries that a reader counted on may be others now.
                list.generation += 1;
            }
            new.trim(folder)?;
            folder.sync_segment(new.base)?;
        }
        Ok(())
    }

    /// Leaves the files as Kafka leaves them at a clean stop: the last time is in the index, nothing stands behind the
    /// last entries, and all of it is durable.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn close(mut self) -> io::Result<()> {
        self.finish_active()?;
        self.sync()?;
        self.forget_active();
        Ok(())
    }

    /// As [`Segments::close`], for many logs at once: durable when the caller has synced the whole filesystem.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn close_before_sync(mut self) -> io::Result<()> {
        self.finish_active()?;
        self.forget_active();
        Ok(())
    }

    /// The folder is about to go: whoever reads in it now looks again, and finds nothing.
    pub fn retire(self) {
        let mut list = self.shared.list_mut();
        list.generation += 1;
        list.first = list.end();
        list.segments.clear();
    }

    fn forget_active(&self) {
        let Some(active) = self.active() else { return };
        for kind in FileKind::ALL {
            self.shared.folder.files.forget(&self.shared.folder.file_path(active.base, kind));
        }
    }

    fn active(&self) -> Option<Segment> {
        self.shared.list().segments.last().copied()
    }

    /// Publishes what is known of the last segment now.
    fn publish(&self, active: Segment) {
        if let Some(last) = self.shared.list_mut().segments.last_mut() {
            *last = active;
        }
    }

    /// Appends as many batches to the last segment as go into it, one at least, and says how many.
    fn fill(&mut self, batches: &[Batch], now: Timestamp) -> io::Result<usize> {
        let Some(before) = self.active() else { return Ok(0) };
        let (mut active, noted) = (before, self.due.mark());
        let mut parts = Vec::with_capacity(2 * batches.len().min(BATCHES_PER_WRITE));
        for batch in batches.iter().take(BATCHES_PER_WRITE) {
            if !parts.is_empty() && self.rules.is_full(&active.with(&self.due), self.birth, batch.header(), now) {
                break;
            }
            if active.bytes == 0 {
                self.birth = Some(birth(batch.header(), now));
            }
            assert!(batch.base_offset() >= active.end, "offsets go back inside an append");
            active.add(batch.header(), byte_length(batch), self.rules.index_interval_bytes, &mut self.due);
            parts.extend(batch.parts().map(IoSlice::new));
        }
        self.unsynced = self.unsynced.max(Unsynced::Bytes);
        self.unsynced_bytes += u64::from(active.bytes - before.bytes);
        let log = self.shared.folder.open(active.base, FileKind::Log);
        if let Err(error) = log.and_then(|log| log.write_at(&parts, u64::from(before.bytes))) {
            self.due.cut(noted);
            return Err(error);
        }
        // Records first: an index never points to what isn't there.
        self.publish(active);
        if self.due.offset_entries() >= DUE_ENTRIES_MAX {
            let written = active.write_due(&self.shared.folder, &mut self.due);
            self.publish(active);
            written?;
        }
        Ok(parts.len() / 2)
    }

    fn roll_at(&mut self, base: Offset) -> io::Result<()> {
        self.finish_active()?;
        // Before the next segment exists. So only the last segment can be torn, and opening a log looks at no other.
        self.unsynced = self.unsynced.max(Unsynced::Bytes);
        self.sync()?;
        self.begin(base)
    }

    fn finish_active(&mut self) -> io::Result<()> {
        let Some(mut active) = self.active() else { return Ok(()) };
        let before = active;
        let closed = active.close(&self.shared.folder, &mut self.due);
        if active != before {
            self.unsynced = self.unsynced.max(Unsynced::Bytes);
        }
        self.publish(active);
        closed?;
        active.trim(&self.shared.folder)
    }

    fn begin(&mut self, base: Offset) -> io::Result<()> {
        self.unsynced = self.unsynced.max(Unsynced::Names);
        let folder = &self.shared.folder;
        folder.create_segment(base).inspect_err(|_| {
            // The next try may not roll here, and then the name would be in its way. What stays now is tried again.
            let _ = folder.remove_segment(base);
        })?;
        self.birth = None;
        self.shared.list_mut().segments.push(Segment::empty(base));
        Ok(())
    }

    /// Takes away the snapshots of earlier stops: those that stand neither at a segment's base nor at the end.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn remove_stray_snapshots(&self) -> io::Result<()> {
        let folder = &self.shared.folder;
        let (bases, end) = (self.bases(), self.end());
        for entry in folder.files.disk().list(&folder.path)? {
            if let Some((at, FileKind::ProducerSnapshot, None)) = parse_file_name(&entry.name)
                && at != end
                && bases.binary_search(&at).is_err()
            {
                folder.files.remove(&folder.path.join(&entry.name))?;
            }
        }
        Ok(())
    }

    /// What was known of producers above an offset that is gone.
    fn remove_snapshots_above(&self, offset: Offset) -> io::Result<()> {
        let folder = &self.shared.folder;
        for entry in folder.files.disk().list(&folder.path)? {
            if let Some((at, FileKind::ProducerSnapshot, None)) = parse_file_name(&entry.name)
                && at > offset
            {
                folder.files.remove(&folder.path.join(&entry.name))?;
            }
        }
        Ok(())
    }
}

fn birth(first: &Header, now: Timestamp) -> Birth {
    let timestamp = first.max_timestamp();
    if timestamp.millis() >= 0 { Birth::Records(timestamp) } else { Birth::Wall(now) }
}
