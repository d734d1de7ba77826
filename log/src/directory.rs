//! One entry of `log.dirs`: who owns it, and its journal.
//!
//! ```text
//! LOGS/
//!   .lock             Kafka's lock: the two can't run on one directory
//!   meta.properties   Kafka's: version=1, cluster.id, node.id, directory.id
//!   journal/          see [`crate::journal`]
//! ```
//!
//! The journal is a *folder* on purpose: Kafka refuses to start on a folder that it doesn't know, so it can't open a
//! directory whose journal isn't drained. It is made before `meta.properties`, so a directory with a
//! `meta.properties` of ours and no journal has lost it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_wire::{BrokerId, LeaderEpoch, Offset, Timestamp, TopicPartition, Uuid};
use thalweg_world::disk::{Disk, EntryKind, Open};
use thalweg_world::{DiskFile, World};

use crate::end::End;
use crate::journal::scan::{ReplayError, Suspect};
use crate::journal::{self, Entry, Name, OpenError, Opened, Options, Replay, read_name};
use crate::log::{Gap, Log, RedoError};
use crate::redo::Verdicts;
use crate::segment::text_checkpoint::CLEAN_SHUTDOWN;
use crate::segment::{Reached, SegmentError, Trust, text_checkpoint};

/// Kafka's word on whose directory it is.
pub const META_PROPERTIES: &str = "meta.properties";
const UNFINISHED_META: &str = "meta.properties.tmp";
pub(crate) const JOURNAL: &str = "journal";
pub(crate) const LOCK: &str = ".lock";
/// The journal's folder once all of it is in files: what is left of it is on its way out.
pub(crate) const DRAINED: &str = "journal.drained";
/// A plain file, which Kafka doesn't mind: while it is there, so is the journal.
pub(crate) const JOURNAL_IS_HERE: &str = ".journal-is-here";

/// Kafka's `meta.properties` is a few lines.
const META_PROPERTIES_BYTES_MAX: u64 = 64 << 10;

/// Whose directories these are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// `cluster.id`: text, as Kafka has it.
    pub cluster: String,
    /// `node.id`.
    pub node: BrokerId,
}

/// A directory that is locked and known to be ours. The lock lasts as long as the value.
pub struct LogDirectory {
    path: PathBuf,
    id: Uuid,
    _lock: Box<dyn Send + Sync>,
}

/// How a directory was left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LastStop {
    /// It is new.
    Fresh,
    /// In order: its files are as they say.
    Clean,
    /// By a crash, or a kill: the journal has what the files may lack.
    Unclean,
    /// Without a journal, and without a word that nobody needs one: another writer was killed here, a Kafka, or we were in
    /// the last step of a clean stop.
    Unexplained,
}

/// Why a directory can't be used. Nothing in it was changed.
#[derive(Debug)]
pub enum DirectoryError {
    /// The disk failed, or a right is missing.
    Io(PathBuf, io::Error),
    /// Another process has it.
    Locked(PathBuf),
    /// `meta.properties` is not one that we understand.
    BadMeta(PathBuf, String),
    /// It belongs to another cluster or node.
    Foreign {
        /// The directory.
        path: PathBuf,
        /// What it says.
        found: Identity,
    },
    /// There are things in it, but no `meta.properties`.
    Unnamed(PathBuf),
    /// The journal can't be opened.
    Journal(PathBuf, OpenError),
    /// The journal was opened, and what it says can't be.
    Suspect(PathBuf, String),
    /// A partition's files can't be used.
    Files(SegmentError),
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DirectoryError::Io(path, error) => write!(f, "{}: {error}", path.display()),
            DirectoryError::Locked(path) => {
                write!(
                    f,
                    "{} is in use by another process: stop it, or name another directory with --data",
                    path.display()
                )
            }
            DirectoryError::BadMeta(path, reason) => write!(f, "{}: {reason}", path.display()),
            DirectoryError::Foreign { path, found } => write!(
                f,
                "{} belongs to node {} of cluster {}: start with its own metadata and node.id, or name another directory",
                path.display(),
                found.node,
                found.cluster
            ),
            DirectoryError::Unnamed(path) => write!(
                f,
                "{} is not empty and has no {META_PROPERTIES}: nothing is touched; name an empty directory, or put the file back",
                path.display()
            ),
            DirectoryError::Journal(path, error) => write!(f, "{}: {error}; nothing is touched", path.display()),
            DirectoryError::Suspect(path, reason) => {
                write!(f, "{}: acknowledged records may be missing: {reason}; nothing is touched", path.display())
            }
            DirectoryError::Files(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DirectoryError {}

impl LogDirectory {
    /// Locks a directory and opens its journal; makes both if there is nothing yet. Says how the last stop was. Blocks.
    pub fn open(
        world: &World,
        path: &Path,
        identity: &Identity,
        options: Options,
    ) -> Result<(LogDirectory, Opened, LastStop), DirectoryError> {
        let disk = &*world.disk;
        // Before the lock: a directory that isn't ours isn't touched, not even by the lock's file.
        owned(disk, path, identity)?;
        let lock = lock(disk, path)?;
        let io = |error| DirectoryError::Io(path.to_owned(), error);
        let folder = path.join(JOURNAL);
        let known = owned(disk, path, identity)?;
        let id = known.unwrap_or_else(|| world.entropy.uuid());
        let names: BTreeSet<PathBuf> = disk.list(path).map_err(io)?.into_iter().map(|entry| entry.name).collect();
        let has = |name: &str| names.contains(Path::new(name));
        // Both words are taken back before the first frame is written.
        let last_stop = match known {
            None => LastStop::Fresh,
            Some(_) if has(CLEAN_SHUTDOWN) || has(DRAINED) => LastStop::Clean,
            Some(_) if has(JOURNAL_IS_HERE) => LastStop::Unclean,
            Some(_) => LastStop::Unexplained,
        };
        let found = match known {
            Some(_) if has(JOURNAL) => journal::ring::open(disk, &folder, id, options),
            _ => Err(OpenError::Missing),
        };
        let opened = match found {
            // There never was one, or it was drained and taken away, or its making was cut short.
            Err(OpenError::Missing) if known.is_none() || has(DRAINED) || !has(JOURNAL_IS_HERE) => {
                prepare(disk, path, &folder)?;
                journal::ring::create(disk, &*world.entropy, &folder, id, options)
            }
            found => found,
        };
        let opened = opened.map_err(|error| DirectoryError::Journal(folder, error))?;
        // From here on a directory without its journal has lost it, and a Kafka that finds it has nothing to believe.
        replace(disk, path, JOURNAL_IS_HERE, id.to_string().as_bytes()).map_err(io)?;
        remove_drained(disk, path).map_err(io)?;
        if has(CLEAN_SHUTDOWN) {
            disk.remove_file(&path.join(CLEAN_SHUTDOWN)).map_err(io)?;
        }
        disk.sync_dir(path).map_err(io)?;
        // Last of all, so that a first start that was cut short begins again.
        write_meta(disk, path, identity, id)?;
        Ok((LogDirectory { path: path.to_owned(), id, _lock: lock }, opened, last_stop))
    }

    /// Leaves a directory whose records are all in files that the caller has synced as a plain directory of Kafka's. The
    /// journal has ended. Blocks.
    pub fn finish(self, disk: &dyn Disk, broker_epoch: i64) -> io::Result<()> {
        let path = &self.path;
        // From here on the journal may be missing: the files have all that it has.
        disk.remove_file(&path.join(JOURNAL_IS_HERE))?;
        disk.sync_dir(path)?;
        // A rename, so that a crash leaves the journal or none, never a part of it.
        disk.rename(&path.join(JOURNAL), &path.join(DRAINED))?;
        disk.sync_dir(path)?;
        remove_drained(disk, path)?;
        disk.sync_dir(path)?;
        replace(disk, path, CLEAN_SHUTDOWN, &text_checkpoint::clean_shutdown(broker_epoch))
    }

    /// A file of the directory to sync its filesystem by: such a sync reports what went wrong since the file was opened.
    pub fn anchor(&self, disk: &dyn Disk) -> io::Result<Arc<dyn DiskFile>> {
        disk.open(&self.path.join(META_PROPERTIES), Open::Read)
    }

    /// `directory.id`.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Takes the lock of a directory, which is made if it is missing, durably.
pub fn lock(disk: &dyn Disk, path: &Path) -> Result<Box<dyn Send + Sync>, DirectoryError> {
    let io = |error| DirectoryError::Io(path.to_owned(), error);
    disk.create_dir_all(path).map_err(io)?;
    for above in path.ancestors().skip(1) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match disk.sync_dir(above) {
            Ok(()) => {}
            // One that can't be synced is none that we made, nor is any above it.
            Err(error) if is_not_for_us(error.kind()) => break,
            Err(error) => return Err(io(error)),
        }
    }
    disk.lock(&path.join(LOCK)).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => DirectoryError::Locked(path.to_owned()),
        _ => io(error),
    })
}

fn is_not_for_us(error: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, ReadOnlyFilesystem};
    matches!(error, InvalidInput | PermissionDenied | ReadOnlyFilesystem)
}

/// The id of a directory that is ours, or `None` if it is still to be made ours: missing, empty, or with nothing in it
/// but what a first start leaves that was cut short.
fn owned(disk: &dyn Disk, path: &Path, identity: &Identity) -> Result<Option<Uuid>, DirectoryError> {
    match read_meta(disk, path)? {
        Some((found, _)) if found != *identity => {
            return Err(DirectoryError::Foreign { path: path.to_owned(), found });
        }
        Some((_, id)) => return Ok(Some(id)),
        None => {}
    }
    let entries = match disk.list(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DirectoryError::Io(path.to_owned(), error)),
    };
    let unfinished_mark = format!("{JOURNAL_IS_HERE}.tmp");
    let ours = [LOCK, JOURNAL, UNFINISHED_META, JOURNAL_IS_HERE, &unfinished_mark].map(Path::new);
    if entries.iter().all(|entry| ours.contains(&entry.name.as_path())) {
        Ok(None)
    } else {
        Err(DirectoryError::Unnamed(path.to_owned()))
    }
}

/// Who a directory says it belongs to, and its own id; `None` if it says nothing.
pub fn read_meta(disk: &dyn Disk, path: &Path) -> Result<Option<(Identity, Uuid)>, DirectoryError> {
    let path = path.join(META_PROPERTIES);
    let io = |error| DirectoryError::Io(path.clone(), error);
    let file = match disk.open(&path, Open::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let bad = |reason: &str| DirectoryError::BadMeta(path.clone(), reason.to_owned());
    let size = file.size().map_err(io)?;
    if size > META_PROPERTIES_BYTES_MAX {
        return Err(bad("too large to be Kafka's meta.properties"));
    }
    let mut bytes = vec![0; size as usize];
    let read = file.read_at(&mut bytes, 0).map_err(io)?;
    bytes.truncate(read);
    parse_meta(&bytes).map(Some).map_err(|reason| bad(&reason))
}

/// Reads the bytes of a `meta.properties`: whose directory it is, and its id.
///
/// # Errors
/// What is wrong with them, in words.
pub fn parse_meta(bytes: &[u8]) -> Result<(Identity, Uuid), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not text")?;
    let values = properties(text);
    let value = |key: &str| values.get(key).ok_or_else(|| format!("{key} is missing"));
    if value("version")? != "1" {
        return Err("only version 1 is known".to_owned());
    }
    let node = value("node.id")?.parse().map_err(|_| "node.id is not a number")?;
    let id = value("directory.id")?.parse().map_err(|_| "directory.id is not an id")?;
    Ok((Identity { cluster: value("cluster.id")?.clone(), node: BrokerId(node) }, id))
}

/// Writes `meta.properties` in Kafka's form, durably, unless it is there already.
pub fn write_meta(disk: &dyn Disk, path: &Path, identity: &Identity, id: Uuid) -> Result<(), DirectoryError> {
    if read_meta(disk, path)?.is_some() {
        return Ok(());
    }
    let Identity { cluster, node } = identity;
    let cluster = escaped(cluster);
    let text = format!("#\nversion=1\ncluster.id={cluster}\nnode.id={node}\ndirectory.id={id}\n");
    replace(disk, path, META_PROPERTIES, text.as_bytes())
        .map_err(|error| DirectoryError::Io(path.join(META_PROPERTIES), error))
}

/// The lines of a file that Java's `Properties.store` wrote.
fn properties(text: &str) -> HashMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '!']));
    let pairs = lines.filter_map(|line| {
        let mut escapes = false;
        let border = line.find(|letter| {
            let ends = !escapes && matches!(letter, '=' | ':');
            escapes = !escapes && letter == '\\';
            ends
        })?;
        Some((unescaped(line[..border].trim_end()), unescaped(line[border + 1..].trim_start())))
    });
    pairs.collect()
}

/// A value as `Properties.store` writes it.
fn escaped(value: &str) -> String {
    let special = |letter| matches!(letter, '=' | ':' | '#' | '!' | '\\');
    value.chars().flat_map(|letter| special(letter).then_some('\\').into_iter().chain([letter])).collect()
}

fn unescaped(value: &str) -> String {
    let mut letters = value.chars();
    std::iter::from_fn(|| match letters.next() {
        Some('\\') => letters.next(),
        letter => letter,
    })
    .collect()
}

/// Puts a small file in the place of another: after a crash there is the one or the other, whole.
pub fn replace(disk: &dyn Disk, directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    put_synced(disk, directory, name, bytes)?;
    disk.sync_dir(directory)
}

/// As [`replace`], and durable with the next sync of the filesystem: ten thousand files are one sync. A power cut before
/// it may leave any bytes, or none: only for what can be made again.
pub fn put(disk: &dyn Disk, directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    write_beside(disk, directory, name, bytes)?;
    rename_in_place(disk, directory, name)
}

/// As [`put`], but its bytes are durable before it has the name: after a power cut there is the one or the other, whole.
pub fn put_synced(disk: &dyn Disk, directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    write_beside(disk, directory, name, bytes)?.sync()?;
    rename_in_place(disk, directory, name)
}

fn write_beside(disk: &dyn Disk, directory: &Path, name: &str, bytes: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
    let file = disk.open(&directory.join(format!("{name}.tmp")), Open::Create)?;
    file.set_size(0)?;
    file.write_at(&[IoSlice::new(bytes)], 0)?;
    Ok(file)
}

fn rename_in_place(disk: &dyn Disk, directory: &Path, name: &str) -> io::Result<()> {
    disk.rename(&directory.join(format!("{name}.tmp")), &directory.join(name))
}

/// Makes the journal's folder, empty. What a start that was cut short left there goes; frames are refused.
fn prepare(disk: &dyn Disk, path: &Path, folder: &Path) -> Result<(), DirectoryError> {
    let io = |error| DirectoryError::Io(path.to_owned(), error);
    disk.create_dir_all(folder).map_err(io)?;
    for entry in disk.list(folder).map_err(io)? {
        let file = folder.join(&entry.name);
        // Before `meta.properties` there is no broker that writes frames, so there are none to lose. Look all the same,
        // but for a file that never got its name: after a power cut it may hold anything.
        let never_named = matches!(read_name(&entry.name), Name::Unfinished | Name::Hidden);
        if entry.kind != EntryKind::File || (!never_named && has_frames(disk, &file).map_err(io)?) {
            return Err(DirectoryError::Unnamed(path.to_owned()));
        }
        disk.remove_file(&file).map_err(io)?;
    }
    disk.sync_dir(folder).map_err(io)?;
    disk.sync_dir(path).map_err(io)
}

/// Takes away what is left of a journal that was drained.
fn remove_drained(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let folder = path.join(DRAINED);
    let entries = match disk.list(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        disk.remove_file(&folder.join(&entry.name))?;
    }
    disk.remove_dir(&folder)
}

/// Whether a file that was made for the journal and never used has anything in it behind its header.
fn has_frames(disk: &dyn Disk, path: &Path) -> io::Result<bool> {
    let file = disk.open(path, Open::Read)?;
    let mut bytes = vec![0; 64 << 10];
    let mut at = thalweg_world::disk::BLOCK_BYTES as u64;
    loop {
        let read = file.read_at(&mut bytes, at)?;
        if bytes[..read].iter().any(|&byte| byte != 0) {
            return Ok(true);
        }
        if read < bytes.len() {
            return Ok(false);
        }
        at += read as u64;
    }
}

/// A log as the journal has it.
#[derive(Debug)]
pub struct Recovered {
    /// Its records.
    pub log: Log,
    /// Its leader epochs and where each began, in order.
    pub epochs: Vec<(LeaderEpoch, Offset)>,
}

/// What a topic is to the metadata.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// It exists.
    Exists,
    /// It was deleted, or will never be known again: its entries mean nothing.
    Deleted,
    /// The metadata never heard of it.
    Never,
}

/// What of a journal belongs to which log, after a stop. Blocks; goes over the journal twice.
///
/// `open` gives a log as its files have it, the first time an entry names it; `reach` says whether its files go on from an
/// offset to an end ([`crate::segment::reach()`]). An entry of a log that metadata deleted is
/// passed over; one that it never heard of makes the directory suspect. What is redone goes to memory, and from there to
/// files when it becomes much.
pub fn recover(
    path: &Path,
    replay: &Replay,
    now: Timestamp,
    known: impl Fn(TopicPartition) -> Known,
    reach: impl Fn(TopicPartition, Offset, End) -> Result<Reached, DirectoryError>,
    mut open: impl FnMut(TopicPartition, Trust) -> Result<Recovered, DirectoryError>,
) -> Result<BTreeMap<TopicPartition, Recovered>, DirectoryError> {
    let suspect = |reason: String| DirectoryError::Suspect(path.to_owned(), reason);
    let mut verdicts = Verdicts::default();
    each_entry(path, replay, |position, log, entry| {
        verdicts.foresee(position, log, &entry);
        Ok(())
    })?;
    let mut logs: BTreeMap<TopicPartition, Recovered> = BTreeMap::new();
    // A log start says nothing of where the records end: it waits until something else has opened its log.
    let mut starts: BTreeMap<TopicPartition, Offset> = BTreeMap::new();
    let mut held = 0;
    each_entry(path, replay, |position, id, entry| {
        if !verdicts.counts(position, id, &entry) || entry == Entry::Drop {
            return Ok(());
        }
        match known(id) {
            Known::Exists => {}
            Known::Deleted => return Ok(()),
            Known::Never => {
                return Err(suspect(format!(
                    "the journal has records of topic id {}, partition {}, which the metadata never heard of",
                    id.topic, id.partition
                )));
            }
        }
        let mut placed = None;
        let from = match &entry {
            // The first entry of a log that counts is also its lowest, as one below would have killed it; but for a write that
            // failed and yet is whole, whose batches come once more.
            Entry::Append(batch) => batch.base_offset(),
            Entry::Truncate { to, .. } => *to,
            Entry::Placed(end) => placed.insert(*end).offset,
            Entry::Placing { placed: below, end } => {
                let is_whole = match reach(id, below.offset, *end)? {
                    Reached::All => true,
                    Reached::Less => false,
                    // It was all there, or it could not have been deleted.
                    Reached::Nothing => verdicts.are_deleted(id, end.offset),
                };
                placed.insert(if is_whole { *end } else { *below }).offset
            }
            Entry::LogStart { at } => {
                starts.insert(id, *at);
                return Ok(());
            }
            // A line of the epochs comes with its first batch.
            Entry::Epoch { .. } | Entry::Drop => return Ok(()),
        };
        let found = match logs.entry(id) {
            std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => place.insert(open(id, Trust::Redone { from })?),
        };
        found.note_epoch(&entry);
        if let Entry::Append(batch) = &entry {
            held += batch.byte_length();
        }
        found.redo(path, placed.map_or(entry, Entry::Placed))?;
        if let Some(end) = placed.filter(|end| !verdicts.are_deleted(id, end.offset)) {
            found.log.check_placed(end).map_err(|error| redo_error(path, error))?;
        }
        if held > REDO_BYTES_MAX {
            held = 0;
            logs.values_mut().try_for_each(|found| found.spill(path, now))?;
        }
        Ok(())
    })?;
    for (id, at) in starts {
        let found = match logs.entry(id) {
            std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => place.insert(open(id, NO_RECORDS)?),
        };
        found.redo(path, Entry::LogStart { at })?;
    }
    Ok(logs)
}

/// What of a log is to be believed that the journal has no records of.
pub const NO_RECORDS: Trust = Trust::Unclean { recovery_point: None };

/// What a recovery holds in memory before it writes it to files.
const REDO_BYTES_MAX: usize = 64 << 20;

impl Recovered {
    /// A log that has memory only.
    pub fn in_memory(id: TopicPartition) -> Recovered {
        Recovered { log: Log::new(id), epochs: Vec::new() }
    }

    fn redo(&mut self, path: &Path, entry: Entry) -> Result<(), DirectoryError> {
        self.log.redo(entry).map_err(|error| redo_error(path, error))
    }

    /// Writes what was redone to the log's files.
    fn spill(&mut self, path: &Path, now: Timestamp) -> Result<(), DirectoryError> {
        let Some(files) = self.log.files().cloned() else { return Ok(()) };
        let batches = self.log.pending(self.log.end());
        files.append(&batches, now).map_err(|error| match error {
            SegmentError::Io(error) => DirectoryError::Io(path.to_owned(), error),
            error => DirectoryError::Files(error),
        })?;
        self.log.now_placed(self.log.generation(), self.log.end());
        Ok(())
    }

    fn note_epoch(&mut self, entry: &Entry) {
        let (epoch, start) = match entry {
            Entry::Append(batch) => (batch.header().leader_epoch(), batch.base_offset()),
            Entry::Epoch { epoch, start } => (*epoch, *start),
            Entry::Truncate { to, .. } => {
                self.epochs.retain(|(_, start)| start < to);
                return;
            }
            Entry::Placed(_) | Entry::Placing { .. } | Entry::LogStart { .. } | Entry::Drop => return,
        };
        self.epochs.retain(|(_, other)| *other < start);
        if self.epochs.last().is_none_or(|(last, _)| *last < epoch) {
            self.epochs.push((epoch, start));
        }
    }
}

fn redo_error(path: &Path, error: RedoError) -> DirectoryError {
    match error {
        RedoError::Gap(Gap { log, end, base }) => DirectoryError::Suspect(
            path.to_owned(),
            format!(
                "partition {} of topic id {} ends at {end}, but its next records begin at {base}",
                log.partition, log.topic
            ),
        ),
        RedoError::Files(error) => DirectoryError::Files(error),
    }
}

fn each_entry(
    path: &Path,
    replay: &Replay,
    mut visit: impl FnMut(u64, TopicPartition, Entry) -> Result<(), DirectoryError>,
) -> Result<(), DirectoryError> {
    let mut position = 0;
    let outcome = replay.for_each(|sequence, raw| {
        position += 1;
        let (log, entry) = Entry::read(&raw).map_err(|malformed| {
            ReplayError::Suspect(Suspect::Malformed { sequence, reason: malformed.to_string() })
        })?;
        visit(position, log, entry).map_err(Stop::Visitor)
    });
    outcome.map_err(|stop| match stop {
        Stop::Visitor(error) => error,
        Stop::Replay(ReplayError::Io(error)) => DirectoryError::Io(path.to_owned(), error),
        Stop::Replay(ReplayError::Suspect(suspect)) => DirectoryError::Suspect(path.to_owned(), suspect.to_string()),
    })
}

/// Who ended a walk over the journal.
enum Stop {
    Visitor(DirectoryError),
    Replay(ReplayError),
}

impl From<ReplayError> for Stop {
    fn from(error: ReplayError) -> Stop {
        Stop::Replay(error)
    }
}
