//! The journal's files as a ring: found again after a stop, and given out for writing in the order in which they become
//! free.
//!
//! [`Ring::room`] is a promise: entries that were counted against it find a place whatever their order and grouping, and
//! whatever is lost at the ends of files. Frames without entries (seals, checkpoints) were counted by nobody; one is
//! written only where it breaks no promise. The last block of each file is kept for the frame that frees another.

use std::fmt;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thalweg_wire::{Moment, Uuid};
use thalweg_world::disk::{BLOCK_BYTES, Disk, DurableMethod, EntryKind, Open};
use thalweg_world::{DiskFile, Entropy};

use super::file::{FILES_MAX, FileHeader, FileMaker, Name, RingFile, name_of, read_name};
use super::frame::HEADER_BYTES;
use super::scan::{self, Found, Replay, Suspect};

/// The sizes of a journal.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// All files together, in bytes, file headers included. Taken as larger where a ring of the largest frames needs it.
    pub bytes: u64,
    /// The first file, in bytes: what an idle broker takes on disk.
    pub first_file_bytes: u64,
    /// A group is closed when it holds so many bytes.
    pub group_bytes: usize,
    /// The largest entry, in bytes: a batch and its overhead.
    pub entry_bytes_max: usize,
    /// Silence after which an empty frame seals the last one.
    pub seal_after: Duration,
}

impl Options {
    /// The default of `journal.bytes`.
    pub const BYTES: u64 = 1 << 30;

    /// The options for a journal of that many bytes in all.
    pub fn sized(bytes: u64) -> Options {
        Options {
            bytes,
            first_file_bytes: (4 << 20).min(bytes / 4),
            group_bytes: (1 << 20).min(bytes as usize / 8),
            entry_bytes_max: ((16 << 20) + 4096).min(bytes as usize / 8),
            seal_after: Duration::from_millis(10),
        }
    }

    /// The largest frame, in bytes, padding included.
    fn frame_bytes_max(&self, block: u64) -> u64 {
        ((HEADER_BYTES + self.group_bytes.max(self.entry_bytes_max)) as u64).next_multiple_of(block)
    }

    /// At least a header, a frame, and the block that is kept, whatever was asked for.
    fn first_file_bytes(&self) -> u64 {
        self.first_file_bytes.next_multiple_of(BLOCK_BYTES as u64).max(4 * BLOCK_BYTES as u64)
    }
}

/// Why a journal can't be opened. Nothing was changed.
#[derive(Debug)]
pub enum OpenError {
    /// The disk failed; the path says where.
    Io(PathBuf, io::Error),
    /// There is no journal in the folder.
    Missing,
    /// A file of the journal isn't there.
    FileMissing(PathBuf),
    /// A file isn't part of this directory's journal.
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it has of another.
        reason: &'static str,
    },
    /// Acknowledged entries may be missing.
    Suspect(Suspect),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Io(path, error) => write!(f, "{}: {error}", path.display()),
            OpenError::Missing => f.write_str("the journal is missing"),
            OpenError::FileMissing(path) => write!(f, "{}: this file of the journal is missing", path.display()),
            OpenError::Foreign { path, reason } => write!(f, "{}: {reason}", path.display()),
            OpenError::Suspect(suspect) => suspect.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {}

/// A journal that was opened and not yet started: what it holds, and where it goes on.
pub struct Opened {
    pub(super) ring: Ring,
    /// The frames above the checkpoint.
    pub replay: Replay,
}

impl Opened {
    /// How its frames reach stable storage.
    pub fn durable_method(&self) -> DurableMethod {
        self.ring.files[self.ring.active].file.durable_method()
    }
}

/// Makes a new journal in an existing, empty folder, with its first file. Durable when it returns. Blocks.
pub fn create(
    disk: &dyn Disk,
    entropy: &dyn Entropy,
    folder: &Path,
    directory: Uuid,
    options: Options,
) -> Result<Opened, OpenError> {
    let maker = FileMaker { folder: folder.to_owned(), journal: entropy.uuid(), directory };
    let first = maker
        .make(disk, 0, options.first_file_bytes(), Growth::Now)
        .map_err(|error| OpenError::Io(folder.join(name_of(0)), error))?;
    let replay = Replay { files: vec![first.file.clone()], frames: Vec::new() };
    Ok(Opened { ring: Ring::new(maker, options, vec![first], None), replay })
}

/// Opens the journal in a folder and finds out what it holds. Blocks; reads all of it once.
pub fn open(disk: &dyn Disk, folder: &Path, directory: Uuid, options: Options) -> Result<Opened, OpenError> {
    let Whole { journal, counted, files, unfinished, live } = find(disk, folder, Some(directory), Open::Durable)?;
    // From here on the journal is known to be whole, and nothing below changes what it says.
    let maker = FileMaker { folder: folder.to_owned(), journal, directory };
    settle(disk, &maker, &files, live.newest.as_ref(), counted)
        .map_err(|error| OpenError::Io(folder.to_owned(), error))?;
    for path in unfinished {
        disk.remove_file(&path).map_err(|error| OpenError::Io(path, error))?;
    }
    let replay = Replay { files: files.iter().map(|file| file.file.clone()).collect(), frames: live.frames };
    Ok(Opened { ring: Ring::new(maker, options, files, live.newest), replay })
}

/// Finds out what the journal in a folder holds, and changes nothing. Without `directory` it may be anybody's. Blocks; reads
/// all of it once.
///
/// # Errors
/// [`OpenError`], as [`open`] has them.
pub fn look(disk: &dyn Disk, folder: &Path, directory: Option<Uuid>) -> Result<Replay, OpenError> {
    let Whole { files, live, .. } = find(disk, folder, directory, Open::Read)?;
    Ok(Replay { files: files.into_iter().map(|file| file.file).collect(), frames: live.frames })
}

/// A journal in which nothing is missing.
struct Whole {
    journal: Uuid,
    /// How many files it says that it has.
    counted: u32,
    files: Vec<RingFile>,
    unfinished: Vec<PathBuf>,
    live: scan::Live,
}

fn find(disk: &dyn Disk, folder: &Path, directory: Option<Uuid>, how: Open) -> Result<Whole, OpenError> {
    let Listed { files: numbers, unfinished } = list(disk, folder)?;
    let mut headers = Vec::new();
    let mut files = Vec::new();
    for number in numbers {
        let path = folder.join(name_of(number));
        let (file, header) = open_file(disk, &path, number, directory, how)?;
        headers.push(header);
        files.push(file);
    }
    let Some(FileHeader { journal, files: counted, .. }) = headers.first() else { return Err(OpenError::Missing) };
    let (journal, counted) = (*journal, *counted);
    if let Some(other) = headers.iter().find(|header| header.journal != journal) {
        let path = folder.join(name_of(other.number));
        return Err(OpenError::Foreign { path, reason: "a file of another journal" });
    }
    let gap = (0..).zip(&files).find(|(number, file)| file.number != *number);
    let first_missing = gap.map_or(files.len() as u32, |(number, _)| number);
    if first_missing < (files.len() as u32).max(counted) {
        return Err(OpenError::FileMissing(folder.join(name_of(first_missing))));
    }
    let live = scan_all(&mut files, journal, folder)?;
    Ok(Whole { journal, counted, files, unfinished, live })
}

/// What stands in the journal's folder.
struct Listed {
    /// The numbers of the files, sorted.
    files: Vec<u32>,
    /// What a crash left half-made.
    unfinished: Vec<PathBuf>,
}

fn list(disk: &dyn Disk, folder: &Path) -> Result<Listed, OpenError> {
    let entries = disk.list(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::Missing,
        _ => OpenError::Io(folder.to_owned(), error),
    })?;
    let mut listed = Listed { files: Vec::new(), unfinished: Vec::new() };
    for entry in entries {
        let path = folder.join(&entry.name);
        match read_name(&entry.name) {
            Name::File(number) if entry.kind == EntryKind::File => listed.files.push(number),
            Name::Unfinished if entry.kind == EntryKind::File => listed.unfinished.push(path),
            Name::Hidden => {}
            _ => return Err(OpenError::Foreign { path, reason: "not a file of the journal" }),
        }
    }
    listed.files.sort_unstable();
    Ok(listed)
}

fn open_file(
    disk: &dyn Disk,
    path: &Path,
    number: u32,
    directory: Option<Uuid>,
    how: Open,
) -> Result<(RingFile, FileHeader), OpenError> {
    let io = |error| OpenError::Io(path.to_owned(), error);
    let foreign = |reason| OpenError::Foreign { path: path.to_owned(), reason };
    let file = disk.open(path, how).map_err(io)?;
    let header = FileHeader::read(&*file).map_err(io)?;
    let header = header.ok_or_else(|| foreign("not a journal file, or its header is damaged"))?;
    if directory.is_some_and(|directory| header.directory != directory) {
        return Err(foreign("the journal of another log directory (its directory.id differs)"));
    }
    if header.number != number {
        return Err(foreign("a copy of another of the journal's files"));
    }
    let size = file.size().map_err(io)?;
    if size != header.size {
        return Err(foreign("shorter or longer than it was made"));
    }
    Ok((RingFile { number, file, size, newest: 0 }, header))
}

fn scan_all(files: &mut [RingFile], journal: Uuid, folder: &Path) -> Result<scan::Live, OpenError> {
    let mut found: Vec<Found> = Vec::new();
    for (place, file) in files.iter_mut().enumerate() {
        let frames = scan::whole_frames(&*file.file, place, journal)
            .map_err(|error| OpenError::Io(folder.join(name_of(file.number)), error))?;
        file.newest = frames.iter().map(|frame| frame.header.sequence).max().unwrap_or(0);
        found.extend(frames);
        // Frames of earlier laps were needed for `newest` only. The one at the checkpoint begins the chain.
        let newest = found.iter().map(|frame| &frame.header).max_by_key(|header| header.sequence);
        let checkpoint = newest.map_or(0, |header| header.checkpoint);
        found.retain(|frame| frame.header.sequence >= checkpoint);
    }
    scan::live(found).map_err(OpenError::Suspect)
}

/// Makes durable what was found. A process that was killed may have left names, and the frame that it was writing, where
/// only the page cache has them; the next frames would stand on them. After a failed sync pages pass for clean, so that
/// frame is written again: with the same bytes, which a power cut in the middle can't hurt.
fn settle(
    disk: &dyn Disk,
    maker: &FileMaker,
    files: &[RingFile],
    newest: Option<&Found>,
    counted: u32,
) -> io::Result<()> {
    disk.sync_dir(&maker.folder)?;
    if counted < files.len() as u32 {
        maker.count(disk, files.len() as u32)?;
    }
    let Some(newest) = newest else { return Ok(()) };
    let file = &files[newest.file].file;
    let mut bytes = vec![0; newest.header.length as usize];
    let read = file.read_at(&mut bytes, newest.at)?;
    if !super::frame::is_whole(&bytes[..read], &newest.header) {
        return Err(io::Error::other("the disk gives other bytes at the second reading"));
    }
    file.write_at(&[IoSlice::new(&bytes)], newest.at)?;
    file.sync()
}

/// Where the next frame goes.
pub(super) struct Ring {
    pub(super) maker: FileMaker,
    pub(super) options: Options,
    /// The largest alignment that one of the files wants.
    pub(super) block: u64,
    files: Vec<RingFile>,
    active: usize,
    at: u64,
    /// The newest frame's sequence and checksum.
    pub(super) sequence: u64,
    pub(super) previous: u32,
    /// Frames up to this one are not needed any more, and a durable frame says so.
    pub(super) checkpoint: u64,
    /// Until when nothing counts on growth: the disk is full.
    pub(super) growth_held_until: Moment,
}

/// A place for a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    file: usize,
    at: u64,
}

/// Whether a frame may stand in the last block of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LastBlock {
    Kept,
    Used,
}

/// How badly a new file is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Growth {
    /// Before it is needed.
    Ahead,
    /// A frame waits for it.
    Now,
}

impl Ring {
    fn new(maker: FileMaker, options: Options, files: Vec<RingFile>, newest: Option<Found>) -> Ring {
        let block = files.iter().map(|file| file.file.block_bytes()).max().unwrap_or(BLOCK_BYTES) as u64;
        let (active, at, sequence, previous, checkpoint) = match newest {
            None => (0, block, 0, 0, 0),
            Some(Found { file, at, header }) => {
                let end = (at + u64::from(header.length)).next_multiple_of(block);
                (file, end, header.sequence, header.checksum, header.checkpoint)
            }
        };
        let growth_held_until = Moment::ZERO;
        Ring { maker, options, block, files, active, at, sequence, previous, checkpoint, growth_held_until }
    }

    /// The place for a frame of so many bytes (a multiple of the block), or `None` if a file has to become free first.
    pub(super) fn place(&mut self, length: u64) -> Option<(Arc<dyn DiskFile>, u64)> {
        let place = self.next_place(length, LastBlock::Kept)?;
        Some(self.take(place))
    }

    /// The place for a frame of one block without entries that names a checkpoint: `None` if there is none, or none
    /// without taking room that was promised.
    pub(super) fn place_for_empty(
        &mut self,
        checkpoint: u64,
        promised: u64,
        now: Moment,
    ) -> Option<(Arc<dyn DiskFile>, u64)> {
        let last_block = if self.frees(checkpoint) { LastBlock::Used } else { LastBlock::Kept };
        let place = self.next_place(self.block, last_block)?;
        let after = Place { at: place.at + self.block, ..place };
        let room = self.room_behind(after, checkpoint, now);
        (room >= promised || room > self.room(now)).then(|| self.take(place))
    }

    /// Whether a frame that names this checkpoint makes a file free.
    pub(super) fn frees(&self, checkpoint: u64) -> bool {
        let between = |file: &RingFile| self.checkpoint < file.newest && file.newest <= checkpoint;
        (0..self.files.len()).any(|place| place != self.active && between(&self.files[place]))
    }

    /// Takes note that the frame with the next sequence is durable at the place given last.
    pub(super) fn written(&mut self, length: u64, checksum: u32, checkpoint: u64) {
        self.sequence += 1;
        self.previous = checksum;
        self.files[self.active].newest = self.sequence;
        self.at += length;
        self.checkpoint = checkpoint;
    }

    /// Takes a new file into the ring.
    pub(super) fn add(&mut self, file: RingFile) {
        assert!(file.number as usize == self.files.len(), "the journal's files are numbered without a gap");
        self.files.push(file);
    }

    /// The number and size of the file to make next, if the ring may grow and soon will have to.
    pub(super) fn growth(&self, growth: Growth, now: Moment) -> Option<(u32, u64)> {
        let half_full = self.at * 2 > self.files[self.active].size;
        let free = self.free_files(self.active, self.checkpoint).next().is_some();
        if growth == Growth::Ahead && (now < self.growth_held_until || !half_full || free) {
            return None;
        }
        Some((self.files.len() as u32, self.next_size(self.total(), self.files.len())?))
    }

    /// Bytes that frames may still take before the journal is full, growth included. What is lost at the ends of files
    /// is counted as if each lost the most it can, so that bytes promised out of this always find a place.
    pub(super) fn room(&self, now: Moment) -> u64 {
        self.room_behind(Place { file: self.active, at: self.at }, self.checkpoint, now)
    }

    fn room_behind(&self, behind: Place, checkpoint: u64, now: Moment) -> u64 {
        // A frame moves on to the next file where less than itself and the block that is kept is left.
        let lost = self.options.frame_bytes_max(self.block) + self.block;
        let new_file = |size: u64| size.saturating_sub(self.block + lost);
        let active = self.files[behind.file].size.saturating_sub(behind.at + lost);
        let free: u64 = self.free_files(behind.file, checkpoint).map(|place| new_file(self.files[place].size)).sum();
        let mut growth = 0;
        let (mut total, mut count) = (self.total(), self.files.len());
        while now >= self.growth_held_until
            && let Some(size) = self.next_size(total, count)
        {
            growth += new_file(size);
            total += size;
            count += 1;
        }
        active + free + growth
    }

    /// Each new file doubles the whole, up to a quarter of the limit, so that one file's turn is not half the ring; and
    /// holds two of the largest frames, so that of two such files the one that isn't written has a place for any entry.
    fn next_size(&self, total: u64, count: usize) -> Option<u64> {
        let block = self.block;
        let least = 2 * self.options.frame_bytes_max(block) + 3 * block;
        let limit = self.options.bytes.max(self.options.first_file_bytes() + 2 * least);
        let size = total.min(limit / 4).max(least).next_multiple_of(block);
        let left = limit.saturating_sub(total) / block * block;
        (left >= least && count < FILES_MAX).then_some(size.min(left))
    }

    fn total(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    fn next_place(&self, length: u64, last_block: LastBlock) -> Option<Place> {
        let kept = if last_block == LastBlock::Kept { self.block } else { 0 };
        if self.at + length + kept <= self.files[self.active].size {
            return Some(Place { file: self.active, at: self.at });
        }
        let file = self
            .free_files(self.active, self.checkpoint)
            .filter(|&place| self.block + length + self.block <= self.files[place].size)
            .min_by_key(|&place| (self.files[place].newest, self.files[place].number))?;
        Some(Place { file, at: self.block })
    }

    fn take(&mut self, place: Place) -> (Arc<dyn DiskFile>, u64) {
        (self.active, self.at) = (place.file, place.at);
        (self.files[place.file].file.clone(), place.at)
    }

    fn free_files(&self, active: usize, checkpoint: u64) -> impl Iterator<Item = usize> + '_ {
        (0..self.files.len()).filter(move |&place| place != active && self.files[place].newest <= checkpoint)
    }
}
