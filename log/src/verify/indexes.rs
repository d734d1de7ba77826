//! The indexes of a segment, held against its batches while these pass by, entry by entry.
//!
//! Of each file one finding is told, with the first bad entry and how many there are: it is made again as a whole.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;

use thalweg_wire::batch::Header;
use thalweg_wire::{Offset, Timestamp};
use thalweg_world::DiskFile;

use crate::segment::entries::Entry;
use crate::segment::offset_index::OffsetEntry;
use crate::segment::time_index::TimeEntry;
use crate::segment::transaction_index::Aborted;

/// Entries that are read at once.
const ENTRIES_AT_ONCE: usize = 340;

/// What is wrong with an index.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Where the first bad entry stands, in bytes.
    pub(super) position: u64,
    /// The offset that it is for.
    pub(super) offset: Option<Offset>,
    /// What is wrong with it.
    pub(super) why: String,
    /// How many entries are bad.
    pub(super) count: u64,
    /// How bad the worst of them is.
    pub(super) degree: Degree,
}

/// How bad an entry is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Degree {
    /// None at all: zeros, where Kafka made the file as large as it may become.
    Unused,
    /// A search that believes it finds what it should, later.
    Imprecise,
    /// It stands behind all that the segment has: what a kill leaves of the last segment.
    Beyond,
    /// It is no entry of this segment.
    False,
}

/// The entries of a file, one after the other.
struct Cursor<E> {
    file: Arc<dyn DiskFile>,
    size: u64,
    /// Where the bytes at hand begin.
    start: u64,
    bytes: Vec<u8>,
    next: u64,
    entry: PhantomData<E>,
}

impl<E: Entry> Cursor<E> {
    fn new(file: Arc<dyn DiskFile>) -> io::Result<Cursor<E>> {
        let size = file.size()?;
        Ok(Cursor { file, size, start: 0, bytes: Vec::new(), next: 0, entry: PhantomData })
    }

    /// The next entry and where it stands, without a step.
    fn peek(&mut self) -> io::Result<Option<(u64, E)>> {
        let bytes = E::BYTES as u64;
        if self.next + bytes > self.size {
            return Ok(None);
        }
        if self.next < self.start || self.next + bytes > self.start + self.bytes.len() as u64 {
            let wanted = (self.size - self.next).min((ENTRIES_AT_ONCE * E::BYTES) as u64) as usize;
            self.bytes.resize(wanted, 0);
            self.start = self.next;
            let read = self.file.read_at(&mut self.bytes, self.next)?;
            self.bytes.truncate(read);
            if read < E::BYTES {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let at = (self.next - self.start) as usize;
        Ok(Some((self.next, E::decode(&self.bytes[at..at + E::BYTES]))))
    }

    fn step(&mut self) {
        self.next += E::BYTES as u64;
    }

    /// Whether all that is left are zeros: an index that Kafka made as large as it may become.
    fn rest_is_zero(&self) -> io::Result<bool> {
        let mut piece = vec![0; 64 << 10];
        let mut at = self.next;
        while at < self.size {
            let read = self.file.read_at(&mut piece, at)?;
            if read == 0 || piece[..read].iter().any(|&byte| byte != 0) {
                return Ok(false);
            }
            at += read as u64;
        }
        Ok(true)
    }
}

/// What all three have in common: entries, the first complaint, and how many.
struct Checked<E> {
    cursor: Cursor<E>,
    last: Option<E>,
    wrong: Option<Wrong>,
}

impl<E: Entry> Checked<E> {
    fn new(file: Arc<dyn DiskFile>) -> io::Result<Checked<E>> {
        Ok(Checked { cursor: Cursor::new(file)?, last: None, wrong: None })
    }

    fn blame(&mut self, position: u64, offset: Option<Offset>, degree: Degree, why: impl FnOnce() -> String) {
        match &mut self.wrong {
            Some(wrong) if wrong.degree >= degree => wrong.count += 1,
            worse => {
                let count = worse.as_ref().map_or(1, |wrong| wrong.count + 1);
                *worse = Some(Wrong { position, offset, why: why(), count, degree });
            }
        }
    }

    /// All batches have passed: what is left belongs to none of them. Gives the file's size, too.
    /// `is_possible`: whether any segment could have the entry.
    fn finish(
        mut self,
        offset: impl Fn(E) -> Offset,
        is_possible: impl Fn(E) -> bool,
    ) -> io::Result<(u64, Option<Wrong>)> {
        let size = self.cursor.size;
        if self.cursor.rest_is_zero()? {
            let left = size - self.cursor.next;
            if left > 0 {
                let why =
                    || format!("{left} zero bytes stand behind the last entry, as in a segment that is being written");
                self.blame(self.cursor.next, None, Degree::Unused, why);
            }
            return Ok((size, self.wrong));
        }
        while let Some((position, entry)) = self.cursor.peek()? {
            let (degree, of) =
                if is_possible(entry) { (Degree::Beyond, Some(offset(entry))) } else { (Degree::False, None) };
            self.blame(position, of, degree, || "it points beyond the segment's last batch".to_owned());
            self.cursor.step();
        }
        if self.cursor.next < size {
            let over = size - self.cursor.next;
            self.blame(self.cursor.next, None, Degree::Beyond, || {
                format!("{over} bytes at its end are no whole entry")
            });
        }
        Ok((size, self.wrong))
    }
}

/// Offsets and positions in a segment have 31 bits.
fn is_relative(number: u32) -> bool {
    i32::try_from(number).is_ok()
}

/// The offset index.
pub(super) struct Offsets {
    base: Offset,
    checked: Checked<OffsetEntry>,
    /// Where an entry stands that names an offset behind its batch, and that offset: a later batch has to end there.
    awaited: Option<(u64, Offset)>,
}

impl Offsets {
    pub(super) fn new(file: Arc<dyn DiskFile>, base: Offset) -> io::Result<Offsets> {
        Ok(Offsets { base, checked: Checked::new(file)?, awaited: None })
    }

    /// A whole batch, and where it stands.
    pub(super) fn pass(&mut self, position: u64, header: &Header) -> io::Result<()> {
        if let Some((at, offset)) = self.awaited.filter(|(_, offset)| *offset <= header.last_offset()) {
            self.awaited = None;
            if offset < header.last_offset() {
                self.checked.blame(at, Some(offset), Degree::False, || format!("no batch ends at offset {offset}"));
            }
        }
        while let Some((at, entry)) = self.checked.cursor.peek()? {
            // Zeros follow the entries of a file that Kafka made larger.
            if u64::from(entry.position) > position || self.is_unused(entry) {
                break;
            }
            self.judge(at, entry, position, header);
            self.checked.cursor.step();
        }
        Ok(())
    }

    /// Bytes of the segment that can't be read: nothing is known of the entries that point there.
    pub(super) fn skip(&mut self, to: u64) -> io::Result<()> {
        self.awaited = None;
        while let Some((_, entry)) = self.checked.cursor.peek()? {
            if u64::from(entry.position) >= to || self.is_unused(entry) {
                break;
            }
            self.checked.last = Some(entry);
            self.checked.cursor.step();
        }
        Ok(())
    }

    fn is_unused(&self, entry: OffsetEntry) -> bool {
        // The first batch needs no entry, and never gets one.
        (entry.relative, entry.position) == (0, 0)
    }

    fn judge(&mut self, at: u64, entry: OffsetEntry, position: u64, header: &Header) {
        let offset = entry.offset(self.base);
        let rises =
            self.checked.last.is_none_or(|last| last.relative < entry.relative && last.position < entry.position);
        let (degree, why) = if !is_relative(entry.relative) || !is_relative(entry.position) {
            (Degree::False, format!("offset {offset} at byte {} is none that a segment has", entry.position))
        } else if !rises {
            (Degree::False, format!("offset {offset} doesn't follow the entry before"))
        } else if u64::from(entry.position) != position {
            (Degree::False, format!("no batch begins at byte {}", entry.position))
        } else if offset < header.last_offset() {
            let last = header.last_offset();
            (Degree::False, format!("the batch at byte {position} ends at offset {last}, not {offset}"))
        } else if offset > header.last_offset() {
            // A Kafka before 4.1 makes one entry for batches that come together: for the last of them, at the first.
            (Degree::Imprecise, format!("offset {offset} is behind the batch at byte {position}"))
        } else {
            self.checked.last = Some(entry);
            return;
        };
        self.checked.blame(at, Some(offset), degree, || why);
        if degree == Degree::Imprecise {
            self.checked.last = Some(entry);
            self.awaited = Some((at, offset));
        }
    }

    pub(super) fn finish(mut self) -> io::Result<(u64, Option<Wrong>)> {
        let base = self.base;
        if let Some((at, offset)) = self.awaited {
            let why = || format!("offset {offset} is behind the segment's last batch");
            self.checked.blame(at, Some(offset), Degree::Beyond, why);
        }
        self.checked
            .finish(|entry| entry.offset(base), |entry| is_relative(entry.relative) && is_relative(entry.position))
    }
}

/// The time index.
pub(super) struct Times {
    base: Offset,
    checked: Checked<TimeEntry>,
    newest: Timestamp,
    /// Batches were passed over: what the newest of all is nobody knows.
    gaps: bool,
}

impl Times {
    pub(super) fn new(file: Arc<dyn DiskFile>, base: Offset) -> io::Result<Times> {
        Ok(Times { base, checked: Checked::new(file)?, newest: Timestamp::NONE, gaps: false })
    }

    /// A whole batch.
    pub(super) fn pass(&mut self, header: &Header) -> io::Result<()> {
        self.newest = self.newest.max(header.max_timestamp());
        while let Some((at, entry)) = self.checked.cursor.peek()? {
            if entry.offset(self.base) > header.last_offset() || self.is_unused(entry) {
                break;
            }
            self.judge(at, entry, header);
            self.checked.cursor.step();
        }
        Ok(())
    }

    /// Batches up to an offset that can't be read.
    pub(super) fn skip(&mut self, to: Offset) -> io::Result<()> {
        self.gaps = true;
        while let Some((_, entry)) = self.checked.cursor.peek()? {
            if entry.offset(self.base) >= to || self.is_unused(entry) {
                break;
            }
            self.checked.last = Some(entry);
            self.checked.cursor.step();
        }
        Ok(())
    }

    fn is_unused(&self, entry: TimeEntry) -> bool {
        let is_zero = entry.timestamp.millis() == 0 && entry.relative == 0;
        is_zero && (self.checked.cursor.next > 0 || self.newest.millis() != 0)
    }

    fn judge(&mut self, at: u64, entry: TimeEntry, header: &Header) {
        let offset = entry.offset(self.base);
        let (time, newest) = (entry.timestamp.millis(), self.newest.millis());
        let (degree, why) = if !is_relative(entry.relative) {
            (Degree::False, format!("offset {offset} is none that a segment has"))
        } else if !entry.follows(self.checked.last) {
            (Degree::False, format!("time {time} at offset {offset} doesn't follow the entry before"))
        } else if offset < header.base_offset() {
            (Degree::False, format!("no batch holds offset {offset}"))
        } else if entry.timestamp != header.max_timestamp() && (self.gaps || entry.timestamp != self.newest) {
            let max = header.max_timestamp().millis();
            (Degree::False, format!("the newest record of the batch at offset {offset} is of {max}, not {time}"))
        } else if entry.timestamp != self.newest && !self.gaps {
            (Degree::False, format!("records up to offset {offset} are as new as {newest}, not {time}"))
        } else if offset != header.last_offset() || entry.timestamp != header.max_timestamp() {
            // Earlier Kafkas name the record itself, or the last of the batches that came together.
            (Degree::Imprecise, format!("offset {offset} is not the last one of the first batch of time {time}"))
        } else {
            self.checked.last = Some(entry);
            return;
        };
        self.checked.blame(at, Some(offset), degree, || why);
        if degree == Degree::Imprecise {
            self.checked.last = Some(entry);
        }
    }

    /// The size, what is wrong, and the newest time that the index should name and doesn't.
    pub(super) fn finish(self) -> io::Result<(u64, Option<Wrong>, Option<Timestamp>)> {
        let (base, newest) = (self.base, self.newest);
        let named = self.checked.last.map_or(Timestamp::NONE, |last| last.timestamp);
        let missing = (!self.gaps && newest > named && newest.millis() >= 0).then_some(newest);
        let (size, wrong) = self.checked.finish(|entry| entry.offset(base), |entry| is_relative(entry.relative))?;
        Ok((size, wrong, missing))
    }
}

/// The index of aborted transactions.
pub(super) struct Transactions {
    checked: Checked<Aborted>,
}

impl Transactions {
    pub(super) fn new(file: Arc<dyn DiskFile>) -> io::Result<Transactions> {
        Ok(Transactions { checked: Checked::new(file)? })
    }

    /// A whole batch.
    pub(super) fn pass(&mut self, header: &Header) -> io::Result<()> {
        while let Some((at, entry)) = self.checked.cursor.peek()? {
            if entry.marker > header.last_offset() {
                break;
            }
            self.judge(at, entry, header);
            self.checked.cursor.step();
        }
        Ok(())
    }

    /// Batches up to an offset that can't be read.
    pub(super) fn skip(&mut self, to: Offset) -> io::Result<()> {
        while let Some((_, entry)) = self.checked.cursor.peek()? {
            if entry.marker >= to {
                break;
            }
            self.checked.last = Some(entry);
            self.checked.cursor.step();
        }
        Ok(())
    }

    fn judge(&mut self, at: u64, entry: Aborted, header: &Header) {
        let Aborted { version, producer, first, marker, last_stable } = entry;
        let why = if version != 0 {
            format!("an entry of version {version}")
        } else if self.checked.last.is_some_and(|last| last.marker >= marker) {
            format!("the marker at offset {marker} doesn't follow the entry before")
        } else if !(Offset::ZERO..marker).contains(&first) || !(0..=marker.0.saturating_add(1)).contains(&last_stable.0)
        {
            format!("a transaction from offset {first} with a marker at {marker}, stable up to {last_stable}")
        } else if marker < header.base_offset() || !header.is_control() || header.producer_id() != producer {
            format!("no marker of producer {producer} stands at offset {marker}")
        } else {
            self.checked.last = Some(entry);
            return;
        };
        self.checked.blame(at, Some(marker), Degree::False, || why);
    }

    pub(super) fn finish(self) -> io::Result<(u64, Option<Wrong>)> {
        self.checked.finish(|entry| entry.marker, |entry| entry.version == 0)
    }
}
