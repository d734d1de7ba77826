//! One partition's records by offset: append at the end, read from anywhere, cut.
//!
//! A log decides nothing: who may append, what is readable and which epoch it is are the replica's rules. It holds the
//! bytes, and says what has to stand in the journal for each change.

use std::sync::Arc;

use thalweg_wire::batch::{Batch, Codec, Scratch, Times, TimestampType};
use thalweg_wire::producers::Producers;
use thalweg_wire::{LeaderEpoch, Moment, Offset, Timestamp, TopicPartition};

use crate::end::End;
use crate::files::Files;
use crate::journal::{Entry, Queued, entry};
use crate::segment::{Reader, SegmentError, Sendable};
use crate::tail::Tail;

/// What the journal gives back when an entry of a log is stable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// The log.
    pub log: TopicPartition,
    /// Its truncation generation when the entry was made; see [`Log::stored`].
    pub generation: u32,
    /// What is stable now.
    pub stable: Stable,
}

/// What an entry made stable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stable {
    /// Records below this offset, in the journal.
    Records(Offset),
    /// Records below this offset, in files, once those are synced.
    Placed(Offset),
    /// The log start.
    LogStart(Offset),
    /// The deletion of the log.
    Drop,
}

impl Stable {
    /// The offset that it names; 0 for a deletion.
    pub fn end(self) -> Offset {
        match self {
            Stable::Records(end) | Stable::Placed(end) | Stable::LogStart(end) => end,
            Stable::Drop => Offset::ZERO,
        }
    }
}

/// A partition's bytes.
#[derive(Debug)]
pub struct Log {
    id: TopicPartition,
    generation: u32,
    /// Truncations whose own marks are still to come: the generation that each began, and where it cut. Both numbers
    /// rise, since a lower cut makes the higher ones before it pointless.
    cuts: Vec<(u32, Offset)>,
    start: Offset,
    end: Offset,
    /// Records below are in the files; what is memory's alone stands from here on.
    placed: Offset,
    tail: Tail,
    /// `None`: all of it is in memory, and stays there.
    files: Option<Arc<Files>>,
}

/// How much to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadLimit {
    /// Bytes to stop before.
    pub bytes: usize,
    /// Whether the first batch is given even if it is larger (`minOneMessage` in Kafka): else a reader with a small
    /// limit would never get past it.
    pub first: FirstBatch,
}

impl ReadLimit {
    /// All there is.
    pub const NONE: ReadLimit = ReadLimit { bytes: usize::MAX, first: FirstBatch::Always };
}

/// See [`ReadLimit`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FirstBatch {
    /// Give it whatever its size.
    Always,
    /// Give it only if it fits.
    IfItFits,
}

/// A record found by its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp.
    pub timestamp: Timestamp,
    /// The leader epoch of its batch.
    pub epoch: LeaderEpoch,
}

impl Log {
    /// An empty log that begins at 0, and has memory only.
    pub fn new(id: TopicPartition) -> Log {
        Log {
            id,
            generation: 0,
            cuts: Vec::new(),
            start: Offset::ZERO,
            end: Offset::ZERO,
            placed: Offset::ZERO,
            tail: Tail::default(),
            files: None,
        }
    }

    /// A log whose records from `start` to `end` are in files.
    pub fn in_files(id: TopicPartition, files: Arc<Files>, start: Offset, end: Offset) -> Log {
        Log { start: start.min(end), end, placed: end, files: Some(files), ..Log::new(id) }
    }

    /// Which partition it is.
    pub fn id(&self) -> TopicPartition {
        self.id
    }

    /// The first offset that is not deleted.
    pub fn start(&self) -> Offset {
        self.start
    }

    /// The offset that the next record gets.
    pub fn end(&self) -> Offset {
        self.end
    }

    /// How often the log was cut; see [`Mark`].
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Its files, if it has any.
    pub fn files(&self) -> Option<&Arc<Files>> {
        self.files.as_ref()
    }

    /// The producers of all its records.
    pub fn producers(&self) -> Producers {
        let mut producers = self.files.as_ref().map(|files| files.producers()).unwrap_or_default();
        self.tail.from(self.placed).for_each(|batch| producers.note(batch.header(), Timestamp::NONE));
        producers
    }

    /// What is stable and not yet in files, for the writer of the files.
    pub fn pending(&self, stable: Offset) -> Vec<Batch> {
        self.tail.from(self.placed).take_while(|batch| batch.next_offset() <= stable).cloned().collect()
    }

    /// Its files now have what was pending up to `end`: memory lets go of it. A word from before a truncation counts for
    /// nothing.
    pub fn now_placed(&mut self, generation: u32, end: Offset) {
        if generation == self.generation && end > self.placed {
            self.placed = end;
            self.tail.forget(end);
        }
    }

    /// Where the second batch in memory begins.
    pub fn second_batch(&self) -> Option<Offset> {
        self.tail.from(self.start).nth(1).map(Batch::base_offset)
    }

    /// Moves the log start of a log that lives in memory, where nothing has to be durable.
    pub fn forget_below(&mut self, to: Offset) {
        self.start = to.clamp(self.start, self.end);
        self.tail.forget(self.start);
    }

    /// Bytes of records in memory.
    pub fn memory_bytes(&self) -> usize {
        self.tail.bytes()
    }

    /// Bytes of the records in memory from an offset on.
    pub fn bytes_from(&self, offset: Offset) -> u64 {
        self.tail.from(offset).map(|batch| batch.byte_length() as u64).sum()
    }

    /// Appends a batch that has its offset and epoch, and gives its entry for the journal. The batch should own no more
    /// memory than it needs (see [`crate::tail::Blocks`]).
    ///
    /// # Panics
    /// If the batch doesn't begin where the log ends: offsets are dense, whoever gives them sees to that.
    pub fn append(&mut self, batch: Batch) -> Queued<Mark> {
        assert!(
            batch.base_offset() == self.end,
            "a batch at {} for a log that ends at {}",
            batch.base_offset(),
            self.end
        );
        assert!(batch.next_offset() > self.end, "a batch without records");
        let entry = Entry::Append(batch.clone());
        self.end = batch.next_offset();
        self.tail.push(batch);
        self.queued(&entry, Stable::Records(self.end))
    }

    /// Moves the log start forward, at most to the end, and gives the entry. Readers see it at once.
    pub fn move_start(&mut self, to: Offset) -> Queued<Mark> {
        self.start = to.clamp(self.start, self.end);
        self.forget_placed();
        let entry = Entry::LogStart { at: self.start };
        self.queued(&entry, Stable::LogStart(self.start))
    }

    /// Where the records in files end.
    pub fn placed(&self) -> Offset {
        self.placed
    }

    /// All batches from one on that files may lack, acknowledged or not, for the lane past the journal.
    pub fn batches_from(&self, offset: Offset) -> Vec<Batch> {
        self.tail.from(offset).cloned().collect()
    }

    /// Whether so many bytes stand at `from` and above, below the newest batch. In a few batches: no more are counted.
    pub fn has_much_before_newest(&self, from: Offset, bytes: usize) -> bool {
        if self.tail.bytes() < bytes {
            return false;
        }
        let mut found = 0;
        let before = self.tail.newest().skip(1).take(MUCH_BATCHES);
        before.take_while(|batch| batch.base_offset() >= from).any(|batch| {
            found += batch.byte_length();
            found >= bytes
        })
    }

    /// The entry that says that files have all records below `end`, synced. No other entry about the log's records was
    /// queued since they were written, but for the word that they were to be.
    pub fn placed_entry(&self, end: End) -> Queued<Mark> {
        self.queued(&Entry::Placed(end), Stable::Placed(end.offset))
    }

    /// The same of `placed`, and that what goes on to `end` is being written to files. That is stable when the entry is
    /// durable and the files are synced, both.
    pub fn placing_entry(&self, placed: End, end: End) -> Queued<Mark> {
        self.queued(&Entry::Placing { placed, end }, Stable::Placed(end.offset))
    }

    /// The entry that says that the log is deleted.
    pub fn drop_entry(&self) -> Queued<Mark> {
        self.queued(&Entry::Drop, Stable::Drop)
    }

    /// Cuts everything at `to` and above, whole batches at a time, and gives the entry.
    pub fn truncate(&mut self, to: Offset, epoch: LeaderEpoch) -> Queued<Mark> {
        self.cut(to);
        let entry = Entry::Truncate { to: self.end, epoch };
        self.queued(&entry, Stable::Records(self.end))
    }

    /// How far the log is stable, as a mark says that came back; `None` if it speaks of something else. Marks come back in
    /// the order of their entries.
    ///
    /// A mark from before a truncation speaks of records that are gone. Others may have taken their offsets, and are
    /// perhaps still on their way: it counts up to the truncation point only.
    pub fn stored(&mut self, mark: Mark) -> Option<Offset> {
        let settled = self.cuts.partition_point(|(generation, _)| *generation <= mark.generation);
        self.cuts.drain(..settled);
        let (Stable::Records(end) | Stable::Placed(end)) = mark.stable else { return None };
        Some(self.cuts.first().map_or(end, |(_, to)| end.min(*to)))
    }

    /// Batches from the one that holds `from` on, up to the first that begins at `below` or above, within the limit; or
    /// where to look for them.
    pub fn read(&self, from: Offset, below: Offset, limit: ReadLimit) -> Reading {
        match self.reader_below_memory(from) {
            None => Reading::Memory(self.remembered(from, below, limit)),
            Some(reader) => {
                let rest = ReadLimit { first: FirstBatch::IfItFits, ..limit };
                let memory = self.remembered(self.placed, below, rest);
                Reading::Files(FileRead { reader, from, below, placed: self.placed, memory })
            }
        }
    }

    /// Bytes from the batch that holds `from` up to the first that begins at `below`, counted up to a limit. What is in
    /// files counts as the whole limit: a reader that is behind has enough to read.
    pub fn available(&self, from: Offset, below: Offset, limit: usize) -> usize {
        if from < below && self.reader_below_memory(from).is_some() {
            return limit;
        }
        let mut bytes = 0;
        for batch in self.tail.from(from).take_while(|batch| batch.base_offset() < below) {
            bytes += batch.byte_length();
            if bytes >= limit {
                return limit;
            }
        }
        bytes
    }

    /// A search by time over the records below `below`.
    pub fn search(&self, below: Offset) -> TimeSearch {
        TimeSearch {
            start: self.start,
            below,
            placed: self.placed,
            reader: self.reader_below_memory(self.start),
            tail: self.remembered(self.start.max(self.placed), below, ReadLimit::NONE),
        }
    }

    /// Does again what an entry of the journal says. For recovery: the entry counts ([`crate::redo`]).
    pub fn redo(&mut self, entry: Entry) -> Result<(), RedoError> {
        match entry {
            Entry::Append(batch) => {
                self.cut_files(batch.base_offset())?;
                self.cut(batch.base_offset());
                if self.end != batch.base_offset() {
                    return Err(RedoError::Gap(Gap { log: self.id, end: self.end, base: batch.base_offset() }));
                }
                self.end = batch.next_offset();
                self.tail.push(batch);
            }
            Entry::Truncate { to, .. } => {
                self.cut_files(to)?;
                self.cut(to);
            }
            Entry::LogStart { at } => {
                if at > self.end {
                    // An async log's records were lost, and stay deleted: no offset is given twice.
                    if let Some(files) = &self.files {
                        files.restart_at(at).map_err(|error| RedoError::Files(error.into()))?;
                    }
                    self.tail.forget(at);
                    (self.end, self.placed) = (at, at);
                }
                // What was read at the opening may be newer than this entry.
                self.start = self.start.max(at);
                self.forget_placed();
            }
            Entry::Placed(end) => {
                self.cut_files(end.offset)?;
                self.cut(end.offset);
            }
            Entry::Placing { .. } | Entry::Epoch { .. } | Entry::Drop => {}
        }
        // What is redone is durable: no marks are on their way.
        self.cuts.clear();
        Ok(())
    }

    /// Whether files have what they were said to have. Don't ask once it was deleted.
    ///
    /// # Errors
    /// [`RedoError::Files`] if they end before, or with another batch.
    pub fn check_placed(&self, End { offset: end, crc }: End) -> Result<(), RedoError> {
        let Some(files) = &self.files else { return Ok(()) };
        let last = ReadLimit { bytes: 0, first: FirstBatch::Always };
        let found = match files.reader() {
            Some(reader) if self.end == end => reader.read(Offset(end.0 - 1), end, last).map_err(RedoError::Files)?,
            _ => Vec::new(),
        };
        match found.first() {
            Some(batch) if batch.next_offset() == end && batch.header().crc() == crc => Ok(()),
            _ => Err(RedoError::Files(files.missing(end))),
        }
    }

    /// The part of a cut that goes below memory. Only what is redone goes there: its entry is durable.
    fn cut_files(&mut self, to: Offset) -> Result<(), RedoError> {
        if let Some(files) = self.files.as_ref().filter(|_| to < self.placed) {
            files.truncate(to).map_err(RedoError::Files)?;
            self.placed = files.end();
        }
        Ok(())
    }

    fn cut(&mut self, to: Offset) {
        if to >= self.end {
            return;
        }
        self.tail.cut(to);
        let floor = if self.files.is_some() { self.placed } else { self.start.min(to) };
        self.end = self.tail.last().map_or(floor, Batch::next_offset);
        // A log that is cut below its start begins where it ends: what was deleted doesn't come back.
        self.start = self.start.min(self.end);
        self.generation += 1;
        while self.cuts.pop_if(|(_, earlier)| *earlier >= self.end).is_some() {}
        self.cuts.push((self.generation, self.end));
    }

    /// Lets go of what was deleted. What is not in files yet stays, and gets there: files have no holes.
    fn forget_placed(&mut self) {
        let below = if self.files.is_some() { self.start.min(self.placed) } else { self.start };
        self.tail.forget(below);
    }

    fn remembered(&self, from: Offset, below: Offset, limit: ReadLimit) -> Vec<Batch> {
        let batches = self.tail.from(from).take_while(|batch| batch.base_offset() < below);
        within(batches.cloned(), limit)
    }

    /// Who reads the records from `from` on, if memory doesn't have them.
    fn reader_below_memory(&self, from: Offset) -> Option<Reader> {
        if from >= self.placed {
            return None;
        }
        self.files.as_ref()?.reader()
    }

    fn queued(&self, entry: &Entry, stable: Stable) -> Queued<Mark> {
        let (kind, head, body) = entry.parts(self.id);
        Queued { kind, head, body, mark: Mark { log: self.id, generation: self.generation, stable } }
    }
}

/// Batches that [`Log::has_much_before_newest`] counts.
const MUCH_BATCHES: usize = 64;

/// The bytes that the word that records were placed, or are being placed, takes in the journal at most: what to reserve for
/// it.
pub const PLACED_JOURNAL_BYTES: usize = 44;

/// The bytes that a new log start takes in the journal: what to reserve for it.
pub const LOG_START_JOURNAL_BYTES: usize = 28;

/// The bytes that a batch takes in the journal: what to reserve for it.
pub fn journal_bytes(batch: &Batch) -> usize {
    entry::APPEND_OVERHEAD_BYTES - entry::PREFIX_BYTES + batch.byte_length()
}

/// What a read comes to.
#[derive(Debug)]
pub enum Reading {
    /// Whole batches.
    Memory(Vec<Batch>),
    /// They are in files: to be read where one may block.
    Files(FileRead),
}

/// A read that begins in files.
pub struct FileRead {
    reader: Reader,
    from: Offset,
    below: Offset,
    placed: Offset,
    /// What comes behind the files.
    memory: Vec<Batch>,
}

impl FileRead {
    /// Reads, out of one segment, and on into memory where that is next. Blocks.
    ///
    /// # Errors
    /// [`SegmentError`]: it names the place.
    pub fn read(self, limit: ReadLimit) -> Result<Vec<Batch>, SegmentError> {
        let batches = self.reader.read(self.from, self.below.min(self.placed), limit)?;
        Ok(self.and_on(batches.into(), limit.bytes).batches)
    }

    /// The same, to be sent: a long run of batches stays in its file.
    ///
    /// # Errors
    /// [`SegmentError`]: it names the place.
    pub fn read_to_send(self, limit: ReadLimit, now: Moment) -> Result<Sendable, SegmentError> {
        let records = self.reader.read_to_send(self.from, self.below.min(self.placed), limit, now)?;
        Ok(self.and_on(records, limit.bytes))
    }

    /// The same without waiting for the disk, and nothing if nothing fits; `None` if that can't be:
    /// [`FileRead::read_to_send`] then says more.
    pub fn read_cached_to_send(&self, limit: usize, now: Moment) -> Option<Sendable> {
        let records = self.reader.read_cached_to_send(self.from, self.below.min(self.placed), limit, now)?;
        Some(self.and_on(records, limit))
    }

    /// What was read, and what memory has behind it, as far as the limit goes.
    fn and_on(&self, mut records: Sendable, limit: usize) -> Sendable {
        if records.next_offset() == Some(self.placed) {
            let left = limit.saturating_sub(records.byte_length());
            let left = ReadLimit { bytes: left, first: FirstBatch::IfItFits };
            records.batches.extend(within(self.memory.iter().cloned(), left));
        }
        records
    }
}

/// The first of the batches, as far as the limit goes.
pub fn within(batches: impl IntoIterator<Item = Batch>, limit: ReadLimit) -> Vec<Batch> {
    let mut left = limit.bytes;
    let mut first = limit.first;
    let fits = |batch: &Batch| {
        let always = std::mem::replace(&mut first, FirstBatch::IfItFits) == FirstBatch::Always;
        let fits = batch.byte_length() <= left || always;
        left = left.saturating_sub(batch.byte_length());
        fits
    };
    batches.into_iter().take_while(fits).collect()
}

impl std::fmt::Debug for FileRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileRead({}..{})", self.from, self.below)
    }
}

/// A search for a record by its time: in the files first, which blocks, then in what memory holds.
pub struct TimeSearch {
    start: Offset,
    below: Offset,
    placed: Offset,
    reader: Option<Reader>,
    tail: Vec<Batch>,
}

impl TimeSearch {
    /// Whether searching blocks: on a disk, or for milliseconds over a batch that has to be decompressed.
    pub fn blocks(&self) -> bool {
        self.reader.is_some() || self.tail.iter().any(|batch| batch.header().codec() != Some(Codec::None))
    }

    /// The first record whose timestamp is `at` or later.
    ///
    /// # Errors
    /// [`SegmentError`] if the files can't be read.
    pub fn first_not_before(&self, at: Timestamp) -> Result<Option<Found>, SegmentError> {
        let mut from = self.start;
        while let Some(reader) = &self.reader
            && from < self.placed
        {
            let Some(batch) = reader.batch_at_time(at, from)?.filter(|batch| batch.base_offset() < self.placed) else {
                break;
            };
            if let Some(found) = find_in(&batch, self.start, |timestamp| timestamp >= at) {
                return Ok(Some(found).filter(|found| found.offset < self.below));
            }
            from = batch.next_offset();
        }
        let newer = self.tail.iter().filter(|batch| batch.header().max_timestamp() >= at);
        let found = newer.into_iter().find_map(|batch| find_in(batch, self.start, |timestamp| timestamp >= at));
        Ok(found.filter(|found| found.offset < self.below))
    }

    /// The first of the records with the largest timestamp.
    ///
    /// # Errors
    /// [`SegmentError`] if the files can't be read.
    pub fn newest(&self) -> Result<Option<Found>, SegmentError> {
        let in_files = self
            .reader
            .as_ref()
            .map(|files| files.newest_batches(self.start, self.placed))
            .transpose()?
            .unwrap_or_default();
        let mut newest: Option<(Timestamp, &Batch)> = None;
        for batch in in_files.iter().chain(&self.tail) {
            let largest = largest_time(batch, self.start);
            if let Some(largest) = largest.filter(|largest| newest.is_none_or(|(newest, _)| *largest > newest)) {
                newest = Some((largest, batch));
            }
        }
        Ok(newest.and_then(|(largest, batch)| find_in(batch, self.start, |timestamp| timestamp == largest)))
    }
}

/// Why an entry of the journal can't be done again.
#[derive(Debug)]
pub enum RedoError {
    /// Records before it are missing.
    Gap(Gap),
    /// The log's files can't be cut.
    Files(SegmentError),
}

/// The journal goes on where the log doesn't end: records between are missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The log.
    pub log: TopicPartition,
    /// Where it ends.
    pub end: Offset,
    /// Where the next batch begins.
    pub base: Offset,
}

/// The largest timestamp of a batch's records at or above `start`: the header's, unless some of them are deleted.
fn largest_time(batch: &Batch, start: Offset) -> Option<Timestamp> {
    let header = batch.header();
    let all = batch.base_offset() >= start || header.timestamp_type() == TimestampType::LogAppendTime;
    if all {
        return Some(header.max_timestamp());
    }
    let mut scratch = Scratch::new();
    let records = Times::of(batch, &mut scratch).map_while(Result::ok);
    records.filter(|(offset, _)| *offset >= start).map(|(_, timestamp)| timestamp).max()
}

/// The first record at or above `start` whose timestamp is wanted. Under LogAppendTime every record has the batch's.
fn find_in(batch: &Batch, start: Offset, wanted: impl Fn(Timestamp) -> bool) -> Option<Found> {
    let header = batch.header();
    let epoch = header.leader_epoch();
    if header.timestamp_type() == TimestampType::LogAppendTime {
        let timestamp = header.max_timestamp();
        let offset = batch.base_offset().max(start);
        return wanted(timestamp).then_some(Found { offset, timestamp, epoch });
    }
    Times::of(batch, &mut Scratch::new())
        .map_while(Result::ok)
        .map(|(offset, timestamp)| Found { offset, timestamp, epoch })
        .find(|found| found.offset >= start && wanted(found.timestamp))
}

#[cfg(test)]
mod tests {
    use thalweg_wire::batch::{Builder, Compression};
    use thalweg_wire::{PartitionIndex, Uuid};

    use super::*;
    use crate::journal::entry::RawEntry;

    fn id() -> TopicPartition {
        TopicPartition { topic: Uuid([1; 16]), partition: PartitionIndex(0) }
    }

    /// A batch whose records have these timestamps and values of 10 bytes.
    fn batch(base: i64, epoch: i32, timestamps: &[i64]) -> Batch {
        let record = |builder: Builder, time: &i64| builder.record(Timestamp::from_millis(*time), None, Some(&[7; 10]));
        let mut batch = timestamps.iter().fold(Builder::new(), record).build().unwrap();
        batch.place(Offset(base), LeaderEpoch(epoch));
        batch
    }

    /// 0..3, 3..5, 5..6.
    fn log() -> Log {
        let mut log = Log::new(id());
        for batch in [batch(0, 0, &[10, 40, 20]), batch(3, 1, &[30, 40]), batch(5, 1, &[5])] {
            log.append(batch);
        }
        log
    }

    fn bases(batches: &[Batch]) -> Vec<i64> {
        batches.iter().map(|batch| batch.base_offset().0).collect()
    }

    /// What a log that has memory only gives.
    fn read(log: &Log, from: i64, below: i64, limit: ReadLimit) -> Vec<Batch> {
        match log.read(Offset(from), Offset(below), limit) {
            Reading::Memory(batches) => batches,
            Reading::Files(_) => unreachable!("there are no files"),
        }
    }

    const ALL: ReadLimit = ReadLimit { bytes: usize::MAX, first: FirstBatch::IfItFits };

    /// What the entry says, read back as recovery reads it.
    fn said(queued: &Queued<Mark>) -> Entry {
        let body = [queued.head.bytes(), &queued.body].concat();
        let (log, entry) = Entry::read(&RawEntry { kind: queued.kind, body: body.into() }).unwrap();
        assert_eq!(log, id());
        entry
    }

    #[test]
    fn a_read_begins_with_the_batch_that_holds_the_offset_and_ends_before_the_limit() {
        let log = log();
        assert_eq!(bases(&read(&log, 4, 6, ALL)), [3, 5]);
        assert_eq!(bases(&read(&log, 0, 5, ALL)), [0, 3], "nothing at or above `below`");
        assert_eq!(bases(&read(&log, 6, 6, ALL)), [0; 0]);
        let sizes: Vec<usize> = read(&log, 0, 6, ALL).iter().map(Batch::byte_length).collect();
        let two = ReadLimit { bytes: sizes[0] + sizes[1], first: FirstBatch::IfItFits };
        assert_eq!(bases(&read(&log, 0, 6, two)), [0, 3]);
        let less = ReadLimit { bytes: sizes[0] + sizes[1] - 1, ..two };
        assert_eq!(bases(&read(&log, 0, 6, less)), [0]);
    }

    #[test]
    fn a_reader_whose_limit_is_smaller_than_a_batch_gets_past_it_if_it_may() {
        let log = log();
        let tiny = ReadLimit { bytes: 1, first: FirstBatch::Always };
        assert_eq!(bases(&read(&log, 0, 6, tiny)), [0]);
        assert_eq!(bases(&read(&log, 0, 6, ReadLimit { first: FirstBatch::IfItFits, ..tiny })), [0; 0]);
    }

    #[test]
    fn what_is_available_is_counted_up_to_the_limit() {
        let log = log();
        let bytes: usize = read(&log, 3, 6, ALL).iter().map(Batch::byte_length).sum();
        assert_eq!(log.available(Offset(3), Offset(6), usize::MAX), bytes);
        assert_eq!(log.available(Offset(3), Offset(6), bytes - 1), bytes - 1);
        assert_eq!(log.available(Offset(6), Offset(6), 10), 0);
    }

    #[test]
    fn a_time_finds_the_first_record_that_is_not_older_and_can_be_read() {
        let mut log = log();
        let find = |log: &Log, at: i64, below: i64| {
            log.search(Offset(below))
                .first_not_before(Timestamp::from_millis(at))
                .unwrap()
                .map(|found| (found.offset.0, found.epoch.0))
        };
        assert_eq!(find(&log, 0, 6), Some((0, 0)));
        assert_eq!(find(&log, 15, 6), Some((1, 0)));
        assert_eq!(find(&log, 41, 6), None);
        assert_eq!(find(&log, 15, 0), None, "nothing can be read yet");
        log.move_start(Offset(2));
        assert_eq!(find(&log, 30, 6), Some((3, 1)), "the record at 1 is deleted, though its batch is still there");
        assert_eq!(log.search(Offset(6)).newest().unwrap().map(|found| found.offset), Some(Offset(4)));
    }

    #[test]
    fn a_record_is_found_by_its_time_inside_a_compressed_batch() {
        let mut log = Log::new(id());
        for plain in [batch(0, 0, &[10, 40, 20]), batch(3, 1, &[30, 50])] {
            log.append(plain.compressed(Compression::Zstd(3)));
        }
        assert!(log.search(Offset(5)).blocks() && !self::log().search(Offset(5)).blocks());
        let found = |found: Option<Found>| found.map(|found| (found.offset.0, found.timestamp.millis()));
        let find = |log: &Log, at| found(log.search(Offset(5)).first_not_before(Timestamp::from_millis(at)).unwrap());
        assert_eq!((find(&log, 15), find(&log, 41)), (Some((1, 40)), Some((4, 50))));
        assert_eq!(found(log.search(Offset(3)).newest().unwrap()), Some((1, 40)));
        log.move_start(Offset(2));
        assert_eq!(find(&log, 15), Some((2, 20)), "the record at 1 is deleted");
        assert_eq!(found(log.search(Offset(3)).newest().unwrap()), Some((2, 20)));
    }

    #[test]
    fn the_largest_timestamp_is_found_where_it_first_stands() {
        assert_eq!(log().search(Offset(6)).newest().unwrap().map(|found| found.offset), Some(Offset(1)));
        assert_eq!(Log::new(id()).search(Offset(0)).newest().unwrap(), None);
    }

    #[test]
    fn a_cut_takes_whole_batches_and_its_entry_says_where_it_really_cut() {
        let mut log = log();
        let entry = log.truncate(Offset(4), LeaderEpoch(2));
        assert_eq!((log.end(), log.generation()), (Offset(3), 1));
        assert_eq!(said(&entry), Entry::Truncate { to: Offset(3), epoch: LeaderEpoch(2) });
        assert_eq!(entry.mark.stable, Stable::Records(Offset(3)));
        log.append(batch(3, 2, &[1]));
        assert_eq!(bases(&read(&log, 0, 9, ALL)), [0, 3]);
    }

    #[test]
    fn a_cut_below_the_start_takes_the_start_along() {
        let mut log = log();
        log.move_start(Offset(5));
        log.truncate(Offset(2), LeaderEpoch(2));
        assert_eq!((log.start(), log.end()), (Offset(2), Offset(2)));
        log.move_start(Offset(9));
        assert_eq!(log.start(), Offset(2), "the start never passes the end");
    }

    /// Acknowledged too early is lost with the next power cut.
    #[test]
    fn a_mark_from_before_a_truncation_says_nothing_of_the_records_that_came_in_the_place_of_its_own() {
        let mut log = Log::new(id());
        let old = log.append(batch(0, 0, &[1; 8])).mark;
        let cut = log.truncate(Offset(0), LeaderEpoch(1)).mark;
        let first = log.append(batch(0, 1, &[1; 4])).mark;
        let second = log.append(batch(4, 1, &[1; 6])).mark;
        let cut_again = log.truncate(Offset(4), LeaderEpoch(2)).mark;
        let third = log.append(batch(4, 2, &[1; 2])).mark;
        let stable: Vec<Option<Offset>> =
            [old, cut, first, second, cut_again, third].into_iter().map(|mark| log.stored(mark)).collect();
        assert_eq!(stable, [0, 0, 4, 4, 4, 6].map(|offset| Some(Offset(offset))));
    }

    #[test]
    fn going_over_its_entries_again_makes_the_same_log_once_or_twice() {
        let mut log = Log::new(id());
        let mut entries = vec![said(&log.append(batch(0, 0, &[1, 2]))), said(&log.append(batch(2, 0, &[3])))];
        entries.push(said(&log.move_start(Offset(1))));
        entries.push(said(&log.append(batch(3, 0, &[4]))));
        let mut again = Log::new(id());
        for entry in entries.iter().chain(&entries) {
            again.redo(entry.clone()).unwrap();
        }
        assert_eq!((again.start(), again.end()), (log.start(), log.end()));
        assert_eq!(read(&again, 1, 4, ALL), read(&log, 1, 4, ALL));
    }

    #[test]
    fn an_append_that_nothing_leads_up_to_is_a_gap_not_a_guess() {
        let mut log = Log::new(id());
        let gap = Gap { log: id(), end: Offset(0), base: Offset(5) };
        assert!(matches!(log.redo(Entry::Append(batch(5, 0, &[1]))), Err(RedoError::Gap(found)) if found == gap));
    }
}
