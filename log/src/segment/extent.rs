//! What is known of one segment without looking at its files: a few numbers, whatever its size.

use std::io;
use std::sync::Arc;

use thalweg_wire::batch::{Batch, HEADER_BYTES, Header};
use thalweg_wire::{Offset, Timestamp};
use thalweg_world::DiskFile;

use super::damage::{Flaw, judge};
use super::folder::{self, Folder};
use super::names::FileKind;
use super::offset_index::{self, OffsetEntry};
use super::reader::Checksums;
use super::time_index::{self, TimeEntry};
use super::walk::{Step, Walk};

/// How far a segment and its indexes reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    /// The offset in its name.
    pub(crate) base: Offset,
    /// The offset behind its last record; its base while it is empty.
    pub(crate) end: Offset,
    /// Bytes of whole batches in the `.log`.
    pub(crate) bytes: u32,
    /// Entries in the file of the offset index.
    pub(super) offset_entries: u32,
    /// Where the batch of the last entry begins, be it in the file or due; 0 without any.
    pub(super) indexed_at: u32,
    /// Entries in the file of the time index.
    pub(super) time_entries: u32,
    /// The timestamp of the last entry, be it in the file or due.
    pub(super) timed: Timestamp,
    /// The largest timestamp, and the last offset of the first batch that has it.
    pub(crate) newest: TimeEntry,
}

/// Index entries that are still to be written, behind those that are in the files.
#[derive(Default)]
pub(crate) struct Due {
    pub(crate) offsets: Vec<u8>,
    pub(crate) times: Vec<u8>,
}

/// Bytes of index entries to hold before they are written, by who goes over a whole segment.
const DUE_BYTES: usize = 4 << 10;

impl Due {
    pub(super) fn offset_entries(&self) -> u32 {
        (self.offsets.len() / OffsetEntry::BYTES) as u32
    }

    fn time_entries(&self) -> u32 {
        (self.times.len() / TimeEntry::BYTES) as u32
    }

    /// Forgets all: their batches are gone, or others make them again.
    pub(super) fn clear(&mut self) {
        self.cut((0, 0));
    }

    /// How many bytes of entries there are, to go back to.
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.offsets.len(), self.times.len())
    }

    /// Forgets those that were noted since.
    pub(super) fn cut(&mut self, (offsets, times): (usize, usize)) {
        self.offsets.truncate(offsets);
        self.times.truncate(times);
    }
}

impl Segment {
    pub(crate) fn empty(base: Offset) -> Segment {
        Segment {
            base,
            end: base,
            bytes: 0,
            offset_entries: 0,
            indexed_at: 0,
            time_entries: 0,
            timed: Timestamp::NONE,
            newest: TimeEntry::NONE,
        }
    }

    /// Counts a batch that stands at the end, and notes the entries that are due for it: Kafka's rule, in Kafka's order
    /// (`LogSegment.append`, `LogSegment.recover`), so that the same batches make the same indexes.
    pub(crate) fn add(&mut self, header: &Header, bytes: u32, interval: u32, due: &mut Due) {
        let relative = self.note_newest(header);
        if self.bytes - self.indexed_at > interval {
            OffsetEntry { relative, position: self.bytes }.encode(&mut due.offsets);
            self.indexed_at = self.bytes;
            self.note_time(due);
        }
        self.bytes += bytes;
        self.end = header.last_offset().plus(1);
    }

    /// Notes the batch if it is newer than all before, and says where its last record is, relative to the segment.
    fn note_newest(&mut self, header: &Header) -> u32 {
        let relative = u32::try_from(header.last_offset().0 - self.base.0).expect("judged to fit the segment");
        if header.max_timestamp() > self.newest.timestamp {
            self.newest = TimeEntry { timestamp: header.max_timestamp(), relative };
        }
        relative
    }

    /// Notes the entry that says how new the segment is. Made at its end, so that a search by time need not walk.
    pub(crate) fn note_time(&mut self, due: &mut Due) {
        if self.newest.timestamp > self.timed {
            self.newest.encode(&mut due.times);
            self.timed = self.newest.timestamp;
        }
    }

    /// The segment as it is once those are in its files.
    pub(super) fn with(mut self, due: &Due) -> Segment {
        self.offset_entries += due.offset_entries();
        self.time_entries += due.time_entries();
        self
    }

    /// Writes the entries that are due, and the last one of the time index if it isn't there: nothing will be appended for
    /// some time.
    pub(super) fn close(&mut self, folder: &Folder, due: &mut Due) -> io::Result<()> {
        self.note_time(due);
        self.write_due(folder, due)
    }

    /// Writes entries that were noted behind those that are there, and forgets them. Those that an error kept out stay due.
    ///
    /// Times first: what the index of offsets knows is not gone over again for a newer one. A power cut keeps what it likes:
    /// see [`Segment::find_newest`].
    pub(super) fn write_due(&mut self, folder: &Folder, due: &mut Due) -> io::Result<()> {
        let with = self.with(due);
        let indexes = [
            (FileKind::TimeIndex, &mut due.times, TimeEntry::BYTES, &mut self.time_entries, with.time_entries),
            (
                FileKind::OffsetIndex,
                &mut due.offsets,
                OffsetEntry::BYTES,
                &mut self.offset_entries,
                with.offset_entries,
            ),
        ];
        for (kind, bytes, entry_bytes, entries, then) in indexes {
            if !bytes.is_empty() {
                folder::write(&*folder.open(self.base, kind)?, bytes, u64::from(*entries) * entry_bytes as u64)?;
                // A large append may have noted many, and the log may be idle from here on.
                *bytes = Vec::new();
                *entries = then;
            }
        }
        Ok(())
    }

    /// Cuts what stands in the files behind what is known of them: preallocation, failed writes, batches that go.
    pub(super) fn trim(&self, folder: &Folder) -> io::Result<()> {
        let sizes = [
            (FileKind::OffsetIndex, u64::from(self.offset_entries) * OffsetEntry::BYTES as u64),
            (FileKind::TimeIndex, u64::from(self.time_entries) * TimeEntry::BYTES as u64),
            (FileKind::Log, u64::from(self.bytes)),
        ];
        sizes.into_iter().try_for_each(|(kind, size)| folder::trim(&*folder.open(self.base, kind)?, size))
    }

    /// Where to begin to look for `offset`: a batch that isn't behind the one that holds it.
    pub(super) fn floor(&self, folder: &Folder, offset: Offset) -> io::Result<u32> {
        if self.offset_entries == 0 {
            return Ok(0);
        }
        let index = folder.open(self.base, FileKind::OffsetIndex)?;
        match offset_index::up_to(&*index, self.offset_entries, self.base, offset)? {
            (_, Some(entry)) if self.is_true(folder, entry, Checksums::Trusted)? => Ok(entry.position),
            // Slow, but right: an index is a hint.
            _ => Ok(0),
        }
    }

    /// Where to begin to look for the first batch with a timestamp of `at` or later.
    pub(super) fn time_floor(&self, folder: &Folder, at: Timestamp) -> io::Result<u32> {
        if self.time_entries == 0 {
            return Ok(0);
        }
        let index = folder.open(self.base, FileKind::TimeIndex)?;
        match time_index::before(&*index, self.time_entries, at)? {
            Some(entry) => self.floor(folder, entry.offset(self.base)),
            None => Ok(0),
        }
    }

    /// Whether an entry of the offset index says what the `.log` says.
    pub(super) fn is_true(&self, folder: &Folder, entry: OffsetEntry, checksums: Checksums) -> io::Result<bool> {
        if entry.position >= self.bytes {
            return Ok(false);
        }
        let log = folder.open(self.base, FileKind::Log)?;
        let step = Walk::new(log, self.base, entry.position, self.bytes, checksums).step()?;
        Ok(match step {
            Step::Batch { header, .. } => header.last_offset() == entry.offset(self.base),
            Step::End | Step::Flawed(_) => false,
        })
    }

    /// Finds the newest batch of what the indexes know of a segment of so many bytes. Of two indexes that a power cut left that
    /// of times may lack what that of offsets has, so headers are looked at from the batch of its last entry on. Where times
    /// rise there are none.
    pub(super) fn find_newest(&mut self, folder: &Folder, log: Arc<dyn DiskFile>, bytes: u32) -> io::Result<()> {
        let whole = Segment { bytes, ..*self };
        let from = if self.time_entries > 0 { whole.floor(folder, self.newest.offset(self.base))? } else { 0 };
        let mut walk = Walk::new(log, self.base, from, self.bytes, Checksums::Trusted);
        while let Step::Batch { header, .. } = walk.step()? {
            self.note_newest(&header);
        }
        Ok(())
    }

    /// The segment as it is up to its entries below `to`: from there on it has to be walked again.
    pub(super) fn known_below(&self, folder: &Folder, to: Offset) -> io::Result<Segment> {
        let mut known = Segment::empty(self.base);
        if self.offset_entries > 0 {
            let index = folder.open(self.base, FileKind::OffsetIndex)?;
            let (count, entry) =
                offset_index::up_to(&*index, self.offset_entries, self.base, Offset(to.0.saturating_sub(1)))?;
            if let Some(entry) = entry
                && self.is_true(folder, entry, Checksums::Trusted)?
            {
                (known.offset_entries, known.indexed_at, known.bytes) = (count, entry.position, entry.position);
            }
        }
        if self.time_entries > 0 && known.offset_entries > 0 {
            let index = folder.open(self.base, FileKind::TimeIndex)?;
            if let (count, Some(entry)) = time_index::below(&*index, self.time_entries, self.base, to)? {
                (known.time_entries, known.timed, known.newest) = (count, entry.timestamp, entry);
            }
        }
        Ok(known)
    }

    /// Goes on from what is known over the batches that follow, up to the one that holds `until`, counts them, and
    /// writes the index entries that are due for them. Ends at the first place where no good batch stands.
    ///
    /// `known.bytes` is where to begin, at a batch; if the index has an entry, at that of the last one.
    pub(super) fn walk_on(
        mut self,
        folder: &Folder,
        log: Arc<dyn DiskFile>,
        end: u32,
        until: Option<Offset>,
        how: Survey,
    ) -> io::Result<(Segment, Option<Flaw>)> {
        let mut walk = Walk::new(log, self.base, self.bytes, end, how.checksums);
        let mut due = Due::default();
        let flaw = loop {
            match walk.step()? {
                Step::Batch { bytes, header, .. } => {
                    if until.is_some_and(|until| header.last_offset() >= until) {
                        break None;
                    }
                    self.add(&header, bytes, how.interval, &mut due);
                    if due.offsets.len() + due.times.len() >= DUE_BYTES {
                        self.write_due(folder, &mut due)?;
                    }
                }
                Step::End => break None,
                Step::Flawed(flaw) => break Some(flaw),
            }
        };
        self.write_due(folder, &mut due)?;
        Ok((self, flaw))
    }
}

/// How to go over a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Survey {
    /// Whether to read the records too.
    pub(super) checksums: Checksums,
    /// `index.interval.bytes`.
    pub(super) interval: u32,
}

/// Bytes of a batch, as files count them.
///
/// # Panics
/// If they are 2 GiB or more, which no batch can be.
pub(super) fn byte_length(batch: &Batch) -> u32 {
    u32::try_from(batch.byte_length()).expect("a batch is shorter than 2 GiB")
}

/// The header of the batch that stands first in a segment; `None` in an empty one, or where none can be read.
pub(super) fn first_header(folder: &Folder, segment: &Segment) -> io::Result<Option<Header>> {
    if segment.bytes < HEADER_BYTES as u32 {
        return Ok(None);
    }
    let mut header = [0; HEADER_BYTES];
    let read = folder.open(segment.base, FileKind::Log)?.read_at(&mut header, 0)?;
    let header = Header::from_bytes(header);
    let good = read == HEADER_BYTES && judge(&header, u64::from(segment.bytes), segment.base, segment.base).is_ok();
    Ok(good.then_some(header))
}

#[cfg(test)]
mod tests {
    use thalweg_wire::LeaderEpoch;
    use thalweg_wire::batch::Builder;

    use super::*;

    fn header(base: i64, records: i32, max: i64) -> Header {
        let builder = (0..records).fold(Builder::new(), |b, _| b.record(Timestamp::from_millis(max), None, Some(b"x")));
        let mut batch = builder.build().unwrap();
        batch.place(Offset(base), LeaderEpoch(0));
        batch.header().clone()
    }

    /// The numbers are Kafka's: an entry only past the interval, for the batch's last offset, at the batch's position;
    /// a time only if it is later than the last one.
    #[test]
    fn entries_are_due_past_the_interval_and_times_only_rise() {
        let mut segment = Segment::empty(Offset(1000));
        let mut due = Due::default();
        let mut add = |segment: &mut Segment, base, records, max| {
            segment.add(&header(base, records, max), 100, 100, &mut due);
        };
        add(&mut segment, 1000, 5, 70);
        add(&mut segment, 1005, 5, 60); // 100 bytes since the start: not past the interval
        add(&mut segment, 1010, 5, 60); // 200: an entry, and the newest so far is the first batch
        add(&mut segment, 1015, 5, -1);
        add(&mut segment, 1020, 5, 70); // an entry; no time, since 70 is there already
        assert_eq!(due.offsets, [[0, 0, 0, 14, 0, 0, 0, 200], [0, 0, 0, 24, 0, 0, 1, 144]].concat());
        assert_eq!(due.times, [0, 0, 0, 0, 0, 0, 0, 70, 0, 0, 0, 4]);
        segment.note_time(&mut due);
        assert_eq!(due.times.len(), 12, "the last entry says it already");
        assert_eq!((segment.offset_entries, segment.time_entries, segment.bytes), (0, 0, 500), "none is in a file");
        let segment = segment.with(&due);
        assert_eq!((segment.offset_entries, segment.time_entries), (2, 1));
        assert_eq!((segment.end, segment.indexed_at), (Offset(1025), 400));
    }

    /// The promise is a few numbers a segment: an idle log of one of them costs little more.
    #[test]
    fn what_is_kept_of_a_segment_is_small() {
        const { assert!(size_of::<Segment>() <= 64) };
    }
}
