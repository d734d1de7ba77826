//! One segment: from batch to batch, each byte against its checksum and each record against its header, with the indexes
//! beside it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use thalweg_wire::Offset;
use thalweg_wire::batch::{Batch, HEADER_BYTES, Header, TimestampType, look_through};
use thalweg_world::DiskFile;
use thalweg_world::disk::Disk;

use super::indexes::{Degree, Offsets, Times, Transactions, Wrong};
use super::partition::{Course, Surroundings};
use super::{Finding, Left, Remedy, Report, Subject, Weight, open};
use crate::segment::names::{FileKind, file_name};
use crate::segment::walk::{Behind, Step, Walk, batch_behind};
use crate::segment::{Checksums, Flaw};

/// Findings of one segment that are told one by one: who has more of them needs another copy, not a longer list.
const FINDINGS_MAX: u64 = 100;

/// The largest batch whose records are read, in bytes: they are held in memory for that. Kafka takes larger ones only where
/// somebody set `max.message.bytes` to more; of those the checksum says enough.
const READ_BYTES_MAX: u32 = 64 << 20;

/// Where a segment is.
pub(super) struct Place<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) folder: &'a Path,
    pub(super) base: Offset,
    /// Where the next one begins.
    pub(super) next: Option<Offset>,
    pub(super) around: &'a Surroundings,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Outcome {
    /// Whether records are damaged: then nothing is made again from them.
    pub(super) is_damaged: bool,
    /// What a repair would mend, with the index files made anew.
    pub(super) mendable: Vec<Finding>,
}

/// The last segment of a log that nobody closed may end anyhow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    Open,
}

impl Place<'_> {
    fn path(&self, kind: FileKind) -> PathBuf {
        self.folder.join(file_name(self.base, kind))
    }

    fn end(&self) -> End {
        if self.next.is_none() && self.around.left != Left::Clean { End::Open } else { End::Closed }
    }
}

/// Looks a segment over.
pub(super) fn look(place: &Place<'_>, course: &mut Course, report: &mut Report<'_>) -> Outcome {
    let path = place.path(FileKind::Log);
    let mut looking = Looking { place, path, told: 0, hidden: 0, report, outcome: Outcome::default() };
    if let Err(error) = looking.all(course) {
        let unreadable = Finding::unreadable(looking.path.clone(), &error);
        looking.tell(unreadable);
    }
    looking.finish()
}

struct Looking<'l, 'a, 's> {
    place: &'l Place<'a>,
    path: PathBuf,
    told: u64,
    hidden: u64,
    report: &'l mut Report<'s>,
    outcome: Outcome,
}

/// The indexes beside the batches, as far as they can be read.
struct Beside {
    offsets: Option<Offsets>,
    times: Option<Times>,
    transactions: Option<Transactions>,
}

impl Looking<'_, '_, '_> {
    /// Tells of damage to records.
    fn tell(&mut self, finding: Finding) {
        self.outcome.is_damaged |= finding.weight == Weight::Damage;
        if self.told == FINDINGS_MAX {
            self.hidden += 1;
        } else {
            self.told += 1;
            self.report.add(finding);
        }
    }

    fn finish(mut self) -> Outcome {
        if self.hidden > 0 {
            let more = format!("{} more places of this segment are damaged", self.hidden);
            self.report.add(Finding::damage(Subject::Batch, self.path, more));
        }
        // What stands in damaged records must not find its way into an index that is believed.
        if self.outcome.is_damaged {
            for finding in &mut self.outcome.mendable {
                finding.remedy = Remedy::Elsewhere;
            }
        }
        std::mem::take(&mut self.outcome)
    }

    fn all(&mut self, course: &mut Course) -> io::Result<()> {
        let log = open(self.place.disk, &self.path)?;
        let size = log.size()?;
        self.report.totals.segments += 1;
        self.report.totals.bytes += size;
        let Some(size) = i32::try_from(size).ok().and_then(|size| u32::try_from(size).ok()) else {
            let finding = Finding::damage(Subject::Segments, self.path.clone(), "it is larger than a segment can be");
            self.tell(finding);
            return Ok(());
        };
        let mut beside = self.indexes(size);
        self.batches(&log, size, &mut beside, course)?;
        self.close(beside);
        Ok(())
    }

    fn batches(
        &mut self,
        log: &Arc<dyn DiskFile>,
        size: u32,
        beside: &mut Beside,
        course: &mut Course,
    ) -> io::Result<()> {
        let base = self.place.base;
        let mut walk = Walk::new(log.clone(), base, 0, size, Checksums::Verified);
        loop {
            let position = walk.position();
            match walk.step()? {
                Step::Batch { bytes, header, .. } => {
                    self.report.totals.batches += 1;
                    self.report.totals.records += u64::from(header.count().max(0).cast_unsigned());
                    self.order(position, &header, course);
                    self.records(&**log, position, bytes, &header)?;
                    beside.pass(self, position, &header);
                }
                Step::End => return Ok(()),
                Step::Flawed(flaw) => {
                    if !self.flawed(log, size, flaw, &mut walk, beside, course)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Where a whole batch stands among the others.
    fn order(&mut self, position: u64, header: &Header, course: &mut Course) {
        let (first, end) = (header.base_offset(), Some(header.last_offset().plus(1)));
        let (before, found) = (course.epoch(), header.leader_epoch());
        if found < before {
            let meaning = format!("a batch of leader epoch {found} behind one of epoch {before}");
            let finding = Finding::damage(Subject::LeaderEpoch, self.path.clone(), meaning);
            self.tell(finding.at(position).of(first, end));
        }
        course.pass(&self.path, position, header);
    }

    /// Whether a whole batch has the records that its header speaks of.
    fn records(&mut self, log: &dyn DiskFile, position: u64, bytes: u32, header: &Header) -> io::Result<()> {
        let (first, end) = (header.base_offset(), Some(header.last_offset().plus(1)));
        if bytes > READ_BYTES_MAX {
            let meaning = format!("a batch of {bytes} bytes: its checksum is right, its records were not looked at");
            let note = Finding::note(Subject::Records, self.path.clone(), meaning).at(position).of(first, end);
            self.report.add(note);
            return Ok(());
        }
        let mut whole = vec![0; bytes as usize];
        let read = log.read_at(&mut whole, position)?;
        whole.truncate(read);
        let meaning = match Batch::parse(&Bytes::from(whole)) {
            Err(unreadable) => unreadable.to_string(),
            Ok(batch) => match look_through(&batch, &mut self.report.scratch) {
                Err(invalid) => invalid.to_string(),
                Ok(newest) => {
                    let said = header.max_timestamp();
                    let is_own = header.timestamp_type() == TimestampType::LogAppendTime || header.count() == 0;
                    if is_own || newest == said {
                        return Ok(());
                    }
                    format!("its newest record is of {}, its header says {}", newest.millis(), said.millis())
                }
            },
        };
        let finding =
            Finding::damage(Subject::Records, self.path.clone(), format!("a batch with a right checksum: {meaning}"));
        self.tell(finding.at(position).of(first, end));
        Ok(())
    }

    /// A place where no good batch stands. Says whether there is something to go on with.
    fn flawed(
        &mut self,
        log: &Arc<dyn DiskFile>,
        size: u32,
        flaw: Flaw,
        walk: &mut Walk,
        beside: &mut Beside,
        course: &mut Course,
    ) -> io::Result<bool> {
        let (position, expected) = (walk.position(), walk.expected());
        if let Flaw::OutOfOrder { expected, found } = flaw
            && (self.place.base..expected).contains(&found)
        {
            // Taken at its word from here on, else all that follows would be out of order too.
            self.tell_flaw(Subject::Offsets, position, (found, Some(expected)), flaw);
            walk.resume(position, found);
            course.goes_on_at(found);
            return Ok(true);
        }
        match batch_behind(log.clone(), self.place.base, position, u64::from(size), expected)? {
            Behind::Batch(at) => {
                let mut header = [0; HEADER_BYTES];
                log.read_at(&mut header, at)?;
                let next = Header::from_bytes(header).base_offset();
                self.tell_flaw(Subject::Batch, position, (expected, Some(next)), flaw);
                beside.skip(self, at, next);
                walk.resume(at, expected);
                course.goes_on_at(next);
                Ok(true)
            }
            Behind::Nothing if self.is_torn(expected) => {
                let left = u64::from(size) - position;
                let meaning = format!("{flaw}: {left} bytes that the next start cuts off, as a stop may leave them");
                let note = Finding::note(Subject::Batch, self.path.clone(), meaning).at(position).of(expected, None);
                self.report.add(note);
                Ok(false)
            }
            Behind::Nothing | Behind::Unknown => {
                self.tell_flaw(Subject::Batch, position, (expected, self.place.next), flaw);
                beside.skip(self, u64::from(size), self.place.next.unwrap_or(Offset(i64::MAX)));
                course.is_cut_short();
                Ok(false)
            }
        }
    }

    /// Whether a tail may be one that nobody was told of.
    fn is_torn(&self, expected: Offset) -> bool {
        let Surroundings { left, recovery_point, redo, .. } = self.place.around;
        let is_redone = redo.is_some_and(|redo| redo.from <= expected);
        let is_cut = *left == Left::Unexplained && recovery_point.is_none_or(|point| point <= expected);
        self.place.next.is_none() && (is_redone || is_cut)
    }

    fn tell_flaw(&mut self, subject: Subject, position: u64, (first, end): (Offset, Option<Offset>), flaw: Flaw) {
        let is_redone = self.place.around.redo.is_some_and(|redo| redo.from <= first);
        let finding = if is_redone {
            let meaning = format!("{flaw}; the journal has these records, and the next start writes them again");
            Finding::note(subject, self.path.clone(), meaning)
        } else {
            Finding::damage(subject, self.path.clone(), flaw.to_string())
        };
        self.tell(finding.at(position).of(first, end));
    }

    fn indexes(&mut self, size: u32) -> Beside {
        let base = self.place.base;
        let needed = size > 0 || self.place.end() == End::Closed;
        Beside {
            offsets: self.index(FileKind::OffsetIndex, needed, |file| Offsets::new(file, base)),
            times: self.index(FileKind::TimeIndex, needed, |file| Times::new(file, base)),
            transactions: self.index(FileKind::TransactionIndex, false, Transactions::new),
        }
    }

    fn index<T>(
        &mut self,
        kind: FileKind,
        needed: bool,
        begin: impl Fn(Arc<dyn DiskFile>) -> io::Result<T>,
    ) -> Option<T> {
        let path = self.place.path(kind);
        let error = match open(self.place.disk, &path).and_then(begin) {
            Ok(begun) => return Some(begun),
            Err(error) => error,
        };
        if error.kind() != io::ErrorKind::NotFound {
            self.unreadable(kind, &error);
        } else if needed {
            let missing = Finding::damage(subject(kind), path, "it is missing").mended_by(Remedy::Rebuild);
            self.outcome.mendable.push(missing);
        }
        None
    }

    fn unreadable(&mut self, kind: FileKind, error: &io::Error) {
        let finding = Finding::unreadable(self.place.path(kind), error).mended_by(remedy(kind));
        self.outcome.mendable.push(finding);
    }

    /// The batches have all passed.
    fn close(&mut self, beside: Beside) {
        let Beside { offsets, times, transactions } = beside;
        if let Some(offsets) = offsets {
            let seen = offsets.finish();
            self.judge(FileKind::OffsetIndex, seen);
        }
        if let Some(times) = times {
            let mut missing = None;
            let seen = times.finish().map(|(size, wrong, newest)| {
                missing = newest.filter(|_| wrong.is_none());
                (size, wrong)
            });
            self.judge(FileKind::TimeIndex, seen);
            if let Some(newest) = missing.filter(|_| self.place.end() == End::Closed) {
                let meaning = format!(
                    "its newest records, of {}, are not in it: others may miss them in a search by time",
                    newest.millis()
                );
                let note = Finding::note(Subject::TimeIndex, self.place.path(FileKind::TimeIndex), meaning);
                self.outcome.mendable.push(note.mended_by(Remedy::Rebuild));
            }
        }
        if let Some(transactions) = transactions {
            let seen = transactions.finish();
            self.judge(FileKind::TransactionIndex, seen);
        }
    }

    fn judge(&mut self, kind: FileKind, seen: io::Result<(u64, Option<Wrong>)>) {
        let wrong = match seen {
            Err(error) => return self.unreadable(kind, &error),
            Ok((size, wrong)) => {
                self.report.totals.bytes += size;
                wrong
            }
        };
        let Some(Wrong { position, offset, why, count, degree }) = wrong else { return };
        let weight = match (degree, self.place.end()) {
            (Degree::Unused, End::Open) => return,
            (Degree::Imprecise, _) | (Degree::Beyond, End::Open) => Weight::Note,
            (Degree::Unused | Degree::Beyond, End::Closed) | (Degree::False, _) => Weight::Damage,
        };
        let more = if count > 1 { format!("; {} more entries are wrong", count - 1) } else { String::new() };
        let finding = Finding::damage(subject(kind), self.place.path(kind), format!("{why}{more}"));
        let finding = Finding { weight, ..finding }.at(position).mended_by(remedy(kind));
        self.outcome.mendable.push(match offset {
            Some(offset) => finding.of(offset, None),
            None => finding,
        });
    }
}

fn subject(kind: FileKind) -> Subject {
    match kind {
        FileKind::Log => Subject::Batch,
        FileKind::OffsetIndex => Subject::OffsetIndex,
        FileKind::TimeIndex => Subject::TimeIndex,
        FileKind::TransactionIndex => Subject::TransactionIndex,
        FileKind::ProducerSnapshot => Subject::ProducerSnapshot,
    }
}

/// Which transactions were aborted the markers don't say by themselves: what is stable when one comes is the broker's to know.
fn remedy(kind: FileKind) -> Remedy {
    match kind {
        FileKind::OffsetIndex | FileKind::TimeIndex => Remedy::Rebuild,
        FileKind::Log | FileKind::TransactionIndex | FileKind::ProducerSnapshot => Remedy::Elsewhere,
    }
}

impl Beside {
    fn pass(&mut self, looking: &mut Looking<'_, '_, '_>, position: u64, header: &Header) {
        keep(&mut self.offsets, looking, FileKind::OffsetIndex, |offsets| offsets.pass(position, header));
        keep(&mut self.times, looking, FileKind::TimeIndex, |times| times.pass(header));
        keep(&mut self.transactions, looking, FileKind::TransactionIndex, |transactions| transactions.pass(header));
    }

    /// Bytes up to a position, and offsets up to `to`, that can't be read.
    fn skip(&mut self, looking: &mut Looking<'_, '_, '_>, position: u64, to: Offset) {
        keep(&mut self.offsets, looking, FileKind::OffsetIndex, |offsets| offsets.skip(position));
        keep(&mut self.times, looking, FileKind::TimeIndex, |times| times.skip(to));
        keep(&mut self.transactions, looking, FileKind::TransactionIndex, |transactions| transactions.skip(to));
    }
}

/// An index that can't be read any more is told of once, and left.
fn keep<T>(
    index: &mut Option<T>,
    looking: &mut Looking<'_, '_, '_>,
    kind: FileKind,
    step: impl FnOnce(&mut T) -> io::Result<()>,
) {
    if let Some(Err(error)) = index.as_mut().map(step) {
        looking.unreadable(kind, &error);
        *index = None;
    }
}
