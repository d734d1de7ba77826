//! From a folder's files to a log: in which order they stand, how far they reach, and what may be believed of them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_wire::{Offset, TopicId};
use thalweg_world::DiskFile;

use super::damage::{Flaw, SegmentError};
use super::extent::{Due, Segment, Survey};
use super::folder::{Folder, Wait};
use super::names::{FileKind, Suffix, parse_file_name};
use super::offset_index::{self, OffsetEntry};
use super::reader::Checksums;
use super::time_index::{self, TimeEntry};
use super::walk::{self, Behind};
use super::{Descriptors, Rules, entries, partition_metadata};

/// How far the files of a folder may be believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Their writer stopped cleanly: each file ends where its last entry does. Anything else is damage.
    Clean,
    /// Their writer was killed, or the power was cut, and nobody else has the records: what is whole is kept, a torn
    /// tail is cut, and a bad batch with good ones behind it is damage (promise 7).
    Unclean {
        /// What was durable: records from here on are checked, byte for byte. Whether any are missing below is for the
        /// owner to see, by where the log ends.
        /// `None` if all records there are were durable once, or it is unknown: then the last segment is checked from
        /// its last index entry on, which is bounded work.
        recovery_point: Option<Offset>,
    },
    /// As [`Trust::Unclean`], but a journal has every record that was not in synced files, and it has none of this log: what
    /// there is was durable, up to its last byte. No tail is torn, so nothing is cut.
    Journaled,
    /// As [`Trust::Unclean`], of a log that promised nothing to a power cut from `recovery_point` on (`flush.mode=async`).
    /// A cut may have kept a later write there and lost an earlier one, so a good batch behind a bad one proves nothing:
    /// the log is cut at the first that is not good, as Kafka does.
    PageCache {
        /// Below it every record is durable.
        recovery_point: Offset,
    },
    /// As [`Trust::Unclean`], but the journal has every record from `from` on and will append them again: what stands there is cut
    /// without a look.
    Redone {
        /// Below it every record is in synced files.
        from: Offset,
    },
}

impl Trust {
    /// Below it every record was durable, as far as the owner knows.
    fn recovery_point(self) -> Option<Offset> {
        match self {
            Trust::Unclean { recovery_point } => recovery_point,
            Trust::PageCache { recovery_point } => Some(recovery_point),
            Trust::Clean | Trust::Journaled | Trust::Redone { .. } => None,
        }
    }
}

/// What opening a log found and did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Opened {
    /// A torn tail that was cut off.
    pub cut: Option<Cut>,
    /// How many segments had an index that was missing or wrong and was made again.
    pub rebuilt: u32,
    /// Where offsets are missing between two segments. A compacted log may have such places, and one that once was.
    pub holes: Vec<Hole>,
}

/// A tail that no batch explains, and that is gone now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Where the log ends now.
    pub end: Offset,
    /// The file.
    pub file: PathBuf,
    /// Its new size, in bytes.
    pub position: u64,
    /// Bytes that were cut off.
    pub bytes: u64,
}

/// Offsets between two segments that neither has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hole {
    /// Where the one ends.
    pub from: Offset,
    /// Where the other begins.
    pub to: Offset,
}

/// What the files of a folder come to.
pub(super) struct Found {
    pub(super) segments: Vec<Segment>,
    /// Where a log without segments begins.
    pub(super) first: Offset,
    /// Below it everything is durable.
    pub(super) recovery_point: Offset,
    pub(super) opened: Opened,
}

/// How a segment is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Look {
    /// Its index is believed if its last entry is true.
    AtTheTail,
    /// Its index is believed up to its last true entry, in order and `below`, and the bytes from there on are checked.
    AtAllFrom { below: Option<Offset>, until: Option<Offset> },
}

pub(super) fn open(folder: &Folder, topic: TopicId, rules: &Rules, trust: Trust) -> Result<Found, SegmentError> {
    let Names { mut bases, snapshots } = list(folder)?;
    // Before anything is cut: these may be the records of a namesake.
    identify(folder, topic, bases.first().copied(), trust)?;
    if let Trust::Redone { from } = trust {
        while let Some(base) = bases.pop_if(|base| *base >= from) {
            folder.remove_segment(base)?;
        }
        // Of records that may not come back, or others in their place.
        for at in snapshots.into_iter().filter(|at| *at > from) {
            folder.files.remove(&folder.file_path(at, FileKind::ProducerSnapshot))?;
        }
    }

    let mut segments: Vec<Segment> = Vec::with_capacity(bases.len());
    let mut opened = Opened::default();
    for (number, &base) in bases.iter().enumerate() {
        if let Some(before) = segments.last() {
            if before.end > base {
                let flaw = Flaw::OutOfOrder { expected: before.end, found: base };
                return Err(SegmentError::Damaged(folder.damage(base, 0, before.end, flaw)));
            }
            if before.end < base {
                opened.holes.push(Hole { from: before.end, to: base });
            }
        }
        let next = bases.get(number + 1).copied();
        segments.push(survey(folder, base, next, rules, trust, &mut opened)?);
    }
    let end = segments.last().map(|segment| segment.end);
    let (first, recovery_point) = match trust {
        Trust::Clean | Trust::Journaled => (Offset::ZERO, end.unwrap_or(Offset::ZERO)),
        Trust::Redone { from } => (from, end.unwrap_or(from).min(from)),
        Trust::Unclean { .. } | Trust::PageCache { .. } => {
            let recovery_point = trust.recovery_point();
            let first = recovery_point.unwrap_or(Offset::ZERO);
            let known = recovery_point.or(segments.last().map(|last| last.base));
            (first, known.unwrap_or(first).min(end.unwrap_or(first)))
        }
    };
    Ok(Found { segments, first, recovery_point, opened })
}

/// What a folder has, by offset.
struct Names {
    /// Where segments begin, in order.
    bases: Vec<Offset>,
    /// Where there are snapshots of producers.
    snapshots: Vec<Offset>,
}

/// What there is. What was already on its way out is taken away.
fn list(folder: &Folder) -> Result<Names, SegmentError> {
    let (mut bases, mut snapshots) = (Vec::new(), Vec::new());
    let mut beside = Vec::new();
    for entry in folder.files.disk().list(&folder.path)? {
        let path = folder.path.join(&entry.name);
        match parse_file_name(&entry.name) {
            Some((base, FileKind::Log, None)) => bases.push(base),
            Some((at, FileKind::ProducerSnapshot, None)) => snapshots.push(at),
            Some((base, _, None)) => beside.push((base, path)),
            Some((_, _, Some(Suffix::Deleted))) => folder.files.remove(&path)?,
            // It says that these records replace others, and only its writer knew whether all of those are still here.
            Some((_, _, Some(Suffix::Swap))) => return Err(SegmentError::Unfinished(path)),
            // Unfinished work of a cleaner takes nothing away; files that we don't know are not ours to judge.
            Some((_, _, Some(Suffix::Cleaned))) | None => {}
        }
    }
    bases.sort_unstable();
    // An index without its segment is what a crash left of a removal.
    for (base, path) in beside {
        if bases.binary_search(&base).is_err() {
            folder.files.remove(&path)?;
        }
    }
    Ok(Names { bases, snapshots })
}

/// Holds the folder to the topic that it is opened for. Where a crash took the file, it is written again if nothing else
/// in the folder was durable either.
fn identify(folder: &Folder, topic: TopicId, first: Option<Offset>, trust: Trust) -> Result<(), SegmentError> {
    let disk = &**folder.files.disk();
    match partition_metadata::read(disk, &folder.path)? {
        Some(found) if found == topic => Ok(()),
        Some(found) => Err(SegmentError::AnotherTopic { folder: folder.path.clone(), found }),
        None => {
            let nothing_durable = first.is_none_or(|first| match trust {
                Trust::Redone { from: durable }
                | Trust::Unclean { recovery_point: Some(durable) }
                | Trust::PageCache { recovery_point: durable } => durable <= first,
                Trust::Clean | Trust::Journaled | Trust::Unclean { recovery_point: None } => false,
            });
            if !nothing_durable {
                return Err(SegmentError::Unnamed(folder.path.clone()));
            }
            Ok(partition_metadata::write(disk, &folder.path, topic)?)
        }
    }
}

fn survey(
    folder: &Folder,
    base: Offset,
    next: Option<Offset>,
    rules: &Rules,
    trust: Trust,
    opened: &mut Opened,
) -> Result<Segment, SegmentError> {
    let look = match trust {
        Trust::Redone { from } if next.is_none() => Look::AtAllFrom { below: Some(from), until: Some(from) },
        Trust::Journaled | Trust::Unclean { recovery_point: None } if next.is_none() => {
            Look::AtAllFrom { below: None, until: None }
        }
        Trust::Unclean { recovery_point: Some(point) } | Trust::PageCache { recovery_point: point }
            if next.is_none_or(|next| next > point) =>
        {
            Look::AtAllFrom { below: Some(point), until: None }
        }
        Trust::Clean | Trust::Journaled | Trust::Unclean { .. } | Trust::PageCache { .. } | Trust::Redone { .. } => {
            Look::AtTheTail
        }
    };
    let log = folder.open(base, FileKind::Log)?;
    let Ok(size) = u32::try_from(i32::try_from(log.size()?).unwrap_or(-1)) else {
        let message = format!("{} is larger than a segment can be", folder.file_path(base, FileKind::Log).display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, message).into());
    };
    let known = match look {
        Look::AtTheTail => known_at_the_tail(folder, base, size)?,
        Look::AtAllFrom { below, .. } => {
            let mut known = known_in_order(folder, base, size, below)?;
            known.iter_mut().try_for_each(|known| known.find_newest(folder, log.clone(), size))?;
            known
        }
    };
    let is_rebuilt = known.is_none();
    opened.rebuilt += u32::from(is_rebuilt);
    if is_rebuilt {
        for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
            folder.find_or_create(base, kind)?;
        }
    }
    let (checksums, until) = match look {
        Look::AtTheTail => (Checksums::Trusted, None),
        Look::AtAllFrom { until, .. } => (Checksums::Verified, until),
    };
    let how = Survey { checksums, interval: rules.index_interval_bytes };
    let known = known.unwrap_or(Segment::empty(base));
    let (mut segment, flaw) = known.walk_on(folder, log.clone(), size, until, how)?;
    // The last entry of the time index may be of a batch that isn't there: then it was no index of this file.
    if segment.newest.offset(base) >= segment.end && segment.time_entries > 0 && flaw.is_none() && until.is_none() {
        opened.rebuilt += 1;
        (segment, _) = Segment::empty(base).walk_on(folder, log.clone(), size, None, how)?;
        segment.trim(folder)?;
    }
    // What the journal has is not looked at, only what stands before it.
    let is_redone = matches!(trust, Trust::Redone { from } if segment.end >= from);
    if let Some(flaw) = flaw.filter(|_| !is_redone) {
        let tail = Tail { folder, segment: &segment, size, flaw };
        opened.cut = Some(tail.cut(log, look, next, trust)?);
    }
    if next.is_some() {
        segment.close(folder, &mut Due::default())?;
    }
    if is_rebuilt || look != Look::AtTheTail {
        segment.trim(folder)?;
        // What the journal does again is written again after the next crash too; nobody else would cut this again.
        if !matches!(trust, Trust::Redone { .. }) && (flaw.is_some() || next.is_some()) {
            folder.sync_segment(base)?;
        }
    }
    Ok(segment)
}

/// A segment that doesn't end with a batch.
struct Tail<'a> {
    folder: &'a Folder,
    segment: &'a Segment,
    size: u32,
    flaw: Flaw,
}

impl Tail<'_> {
    /// What is to be cut off, or why nothing may be.
    fn cut(&self, log: Arc<dyn DiskFile>, look: Look, next: Option<Offset>, trust: Trust) -> Result<Cut, SegmentError> {
        let Segment { base, end, bytes, .. } = *self.segment;
        let position = u64::from(bytes);
        let was_durable = match trust {
            Trust::Clean | Trust::Journaled => true,
            Trust::Redone { from } => end < from,
            Trust::Unclean { .. } | Trust::PageCache { .. } => trust.recovery_point().is_some_and(|point| end < point),
        };
        let is_torn = look != Look::AtTheTail
            && next.is_none()
            && !was_durable
            && (matches!(trust, Trust::PageCache { .. })
                || walk::batch_behind(log, base, position, u64::from(self.size), end)? == Behind::Nothing);
        if !is_torn {
            return Err(SegmentError::Damaged(self.folder.damage(base, position, end, self.flaw)));
        }
        let file = self.folder.file_path(base, FileKind::Log);
        Ok(Cut { end, file, position, bytes: u64::from(self.size) - position })
    }
}

/// What the indexes of a segment say, if their last entries are true.
fn known_at_the_tail(folder: &Folder, base: Offset, size: u32) -> io::Result<Option<Segment>> {
    let mut known = Segment { bytes: size, ..Segment::empty(base) };
    let Some((offsets, count)) = index::<{ OffsetEntry::BYTES }>(folder, base, FileKind::OffsetIndex)? else {
        return Ok(None);
    };
    let mut position = 0;
    if let Some(last) = count.checked_sub(1) {
        let entry: OffsetEntry = entries::at(&*offsets, last)?;
        if !known.is_true(folder, entry, Checksums::Trusted)? {
            return Ok(None);
        }
        (known.offset_entries, known.indexed_at, position) = (count, entry.position, entry.position);
    }
    let Some((times, count)) = index::<{ TimeEntry::BYTES }>(folder, base, FileKind::TimeIndex)? else {
        return Ok(None);
    };
    if let Some(last) = count.checked_sub(1) {
        let newest: TimeEntry = entries::at(&*times, last)?;
        let before = last.checked_sub(1).map(|before| entries::at::<TimeEntry>(&*times, before)).transpose()?;
        if !newest.follows(before) || i32::try_from(newest.relative).is_err() {
            return Ok(None);
        }
        (known.time_entries, known.timed, known.newest) = (count, newest.timestamp, newest);
    }
    known.bytes = position;
    Ok(Some(known))
}

/// What the indexes of a segment say up to where they stop making sense.
pub(super) fn known_in_order(
    folder: &Folder,
    base: Offset,
    size: u32,
    below: Option<Offset>,
) -> io::Result<Option<Segment>> {
    let whole = Segment { bytes: size, ..Segment::empty(base) };
    let mut known = Segment::empty(base);
    let (Some(offsets), Some(times)) =
        (folder.find(base, FileKind::OffsetIndex)?, folder.find(base, FileKind::TimeIndex)?)
    else {
        return Ok(None);
    };
    let mut count = offset_index::sound_prefix(&*offsets, base, size, below)?;
    while let Some(last) = count.checked_sub(1) {
        let entry: OffsetEntry = entries::at(&*offsets, last)?;
        if whole.is_true(folder, entry, Checksums::Verified)? {
            (known.offset_entries, known.indexed_at, known.bytes) = (count, entry.position, entry.position);
            let times_count = time_index::sound_prefix(&*times, entry.relative)?;
            if let Some(last) = times_count.checked_sub(1) {
                let newest: TimeEntry = entries::at(&*times, last)?;
                (known.time_entries, known.timed, known.newest) = (times_count, newest.timestamp, newest);
            }
            break;
        }
        count = last;
    }
    Ok(Some(known))
}

/// An index file and how many entries it has; `None` if it is missing or doesn't hold whole entries.
fn index<const BYTES: usize>(
    folder: &Folder,
    base: Offset,
    kind: FileKind,
) -> io::Result<Option<(Arc<dyn DiskFile>, u32)>> {
    let Some(file) = folder.find(base, kind)? else { return Ok(None) };
    let size = file.size()?;
    let count = u32::try_from(size / BYTES as u64).ok().filter(|_| size.is_multiple_of(BYTES as u64));
    Ok(count.map(|count| (file, count)))
}

/// A folder on the disk of these descriptors.
pub(super) fn folder(files: &Arc<Descriptors>, path: &Path) -> Folder {
    Folder { path: path.to_owned(), files: files.clone(), wait: Wait::Blocks }
}
