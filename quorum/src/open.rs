//! Finding the quorum's folder again after a stop, or founding it, and never the one in place of the other.
//!
//! A first start that was cut short begins anew: until the first vote is durable there is nothing to lose. Anything
//! else that is missing or doesn't fit together is refused with its reason, and nothing is touched.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thalweg_log::LogDirectory;
use thalweg_log::directory::{DirectoryError, Identity, read_meta};
use thalweg_log::journal::entry::PREFIX_BYTES;
use thalweg_log::journal::frame::HEADER_BYTES;
use thalweg_log::journal::scan::ReplayError;
use thalweg_log::journal::{Opened, Options, Replay};
use thalweg_wire::BrokerId;
use thalweg_world::World;
use thalweg_world::disk::{BLOCK_BYTES, Disk};

use crate::entry::Item;
use crate::meta_log::{Entry, Voter};
use crate::position::{Index, Position, RunningHash, Term};
use crate::snapshot::{self, Stored};

/// The default size of the quorum's journal, in bytes: a snapshot is due long before it is full.
const JOURNAL_BYTES: u64 = 64 << 20;

/// The largest entry, in bytes. The topics of one CreateTopics, 10,000 partitions at most, are one entry of about 2 MiB.
const ENTRY_BYTES_MAX: usize = 4 << 20;

/// `cluster.id` is 22 characters; one that a person chose may be longer.
const CLUSTER_ID_BYTES_MAX: usize = 255;

/// What a quorum needs to know to open.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `metadata.log.dir`.
    pub folder: PathBuf,
    /// `node.id`.
    pub node: BrokerId,
    /// The cluster that is meant; `None` takes the one that is found, or makes an id at the first start.
    pub cluster: Option<String>,
    /// Whether the log directories hold something that this metadata has to explain.
    pub logs: Presence,
    /// The sizes of its journal; see [`Settings::journal_default`].
    pub journal: Options,
}

impl Settings {
    /// The journal's sizes if nobody chose others: 64 MiB, of which an idle node takes 2.
    pub fn journal_default() -> Options {
        Options { first_file_bytes: 1 << 20, entry_bytes_max: ENTRY_BYTES_MAX, ..Options::sized(JOURNAL_BYTES) }
    }
}

/// What stands in the log directories beside the quorum's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// Nothing yet: a quorum may be founded.
    LogsEmpty,
    /// Logs with data: a quorum without a past is not theirs.
    LogsHaveData,
}

/// Why the metadata log can't be opened. Nothing was changed.
#[derive(Debug)]
pub enum OpenError {
    /// The disk failed.
    Io(PathBuf, io::Error),
    /// The folder, its lock, its `meta.properties` or its journal.
    Directory(DirectoryError),
    /// A cluster id that `meta.properties` can't hold.
    BadClusterId(String),
    /// There are logs with data, and no metadata that explains them.
    LogsWithoutQuorum(PathBuf),
    /// Committed entries may be missing.
    Suspect(PathBuf, String),
    /// The voters are others than this node alone.
    NotAlone {
        /// The folder.
        path: PathBuf,
        /// This node.
        me: Voter,
        /// The voters.
        voters: BTreeSet<Voter>,
    },
    /// The first write failed.
    Failed(PathBuf, String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Io(path, error) => write!(f, "{}: {error}", path.display()),
            OpenError::Directory(error) => error.fmt(f),
            OpenError::BadClusterId(id) => write!(
                f,
                "{id:?} can't be a cluster.id: 1 to {CLUSTER_ID_BYTES_MAX} visible ASCII characters without '='"
            ),
            OpenError::LogsWithoutQuorum(path) => write!(
                f,
                "the log directories have data, but the metadata that explains it is not in {}: nothing is formatted or touched; \
                 put that folder back, or set metadata.log.dir to where it is; for a new cluster name empty directories with --data",
                path.display()
            ),
            OpenError::Suspect(path, reason) => write!(
                f,
                "{}: committed metadata may be missing: {reason}; nothing is touched; put back a copy of this folder",
                path.display()
            ),
            OpenError::NotAlone { path, me, voters } => {
                let voters: Vec<String> = voters.iter().map(Voter::to_string).collect();
                write!(
                    f,
                    "{} belongs to a quorum of others ({}); {me} can't decide for them",
                    path.display(),
                    voters.join(", ")
                )
            }
            OpenError::Failed(path, reason) => write!(f, "{}: the first write failed: {reason}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<DirectoryError> for OpenError {
    fn from(error: DirectoryError) -> OpenError {
        OpenError::Directory(error)
    }
}

/// A folder that is locked and ours, and what it remembers.
pub(crate) struct Found {
    pub(crate) directory: LogDirectory,
    pub(crate) identity: Identity,
    pub(crate) opened: Opened,
    /// `None` before the first vote.
    pub(crate) history: Option<History>,
}

/// What a quorum remembers.
pub(crate) struct History {
    pub(crate) snapshot: Option<Stored>,
    /// The entries above the snapshot.
    pub(crate) entries: Vec<Entry>,
    pub(crate) last: Position,
    pub(crate) vote: Term,
    pub(crate) voters: BTreeSet<Voter>,
    pub(crate) voters_since: Index,
    pub(crate) frames: VecDeque<Frame>,
}

/// What the checkpoint has to know of a frame of the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) sequence: u64,
    /// The last entry in it or in a frame before.
    pub(crate) last: Index,
    /// What it takes in the journal.
    pub(crate) bytes: u64,
}

/// Opens the folder and reads all of it. Blocks.
pub(crate) fn find(world: &World, settings: &Settings) -> Result<Found, OpenError> {
    let path = &settings.folder;
    let disk = &*world.disk;
    let found = read_meta(disk, path)?;
    if found.is_none() && settings.logs == Presence::LogsHaveData {
        return Err(OpenError::LogsWithoutQuorum(path.clone()));
    }
    let cluster = match (&settings.cluster, found) {
        (Some(given), _) => valid(given)?,
        (None, Some((identity, _))) => identity.cluster,
        (None, None) => new_cluster_id(world),
    };
    let identity = Identity { cluster, node: settings.node };
    let (directory, opened, _) = LogDirectory::open(world, path, &identity, settings.journal)?;
    let snapshots = snapshot::list(disk, path).map_err(|error| OpenError::Io(path.clone(), error))?;
    if opened.replay.bytes() == 0 && snapshots.is_empty() {
        return match settings.logs {
            Presence::LogsEmpty => Ok(Found { directory, identity, opened, history: None }),
            Presence::LogsHaveData => Err(OpenError::LogsWithoutQuorum(path.clone())),
        };
    }
    let history = recall(disk, path, &opened.replay, &snapshots)?;
    // What a crash left half-made goes, now that the rest is known to be whole.
    snapshot::prune(disk, path).map_err(|error| OpenError::Io(path.clone(), error))?;
    Ok(Found { directory, identity, opened, history: Some(history) })
}

fn valid(cluster: &str) -> Result<String, OpenError> {
    let fits = (1..=CLUSTER_ID_BYTES_MAX).contains(&cluster.len());
    let plain = cluster.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'=');
    if fits && plain { Ok(cluster.to_owned()) } else { Err(OpenError::BadClusterId(cluster.to_owned())) }
}

/// As Kafka's `random-uuid`: 22 characters, none of them a '-' in front, which a command line takes for a flag.
fn new_cluster_id(world: &World) -> String {
    loop {
        let id = world.entropy.uuid().to_string();
        if !id.starts_with('-') {
            return id;
        }
    }
}

/// What the journal holds, gathered in one walk.
#[derive(Default)]
struct Walk {
    entries: Vec<Entry>,
    /// Index and hash before the first of the entries.
    before: Option<(Index, RunningHash)>,
    vote: Option<Term>,
    voters: Option<(Index, BTreeSet<Voter>)>,
    frames: VecDeque<Frame>,
    /// The bytes of the items of the last of the frames.
    items_bytes: u64,
}

/// What a quorum remembers, by its journal and its snapshots, newest first. Changes nothing. Blocks.
pub(crate) fn recall(
    disk: &dyn Disk,
    path: &Path,
    replay: &Replay,
    named: &[snapshot::Named],
) -> Result<History, OpenError> {
    let suspect = |reason: String| OpenError::Suspect(path.to_owned(), reason);
    let mut walk = Walk::default();
    replay
        .for_each(|sequence, raw| {
            let item = Item::read(&raw).map_err(|malformed| Stop::Suspect(format!("frame {sequence}: {malformed}")))?;
            walk.take(sequence, raw.body.len(), item).map_err(Stop::Suspect)
        })
        .map_err(|stop| match stop {
            Stop::Io(error) => OpenError::Io(path.to_owned(), error),
            Stop::Suspect(reason) => suspect(reason),
        })?;

    let mut chosen = None;
    let mut complaints = String::new();
    for named in named {
        let read = snapshot::read(disk, named).map_err(|error| OpenError::Io(named.path.clone(), error))?;
        let fits = read.and_then(|stored| walk.continues(stored.snapshot.at, replay).map(|()| stored));
        match fits {
            Ok(stored) => {
                chosen = Some(stored);
                break;
            }
            // The journal may still reach back to the snapshot before; if it doesn't, nothing is made up.
            Err(reason) => {
                tracing::warn!(path = %named.path.display(), reason, "a snapshot of the metadata can't be used");
                complaints.push_str(&format!("; snapshot {}: {reason}", named.path.display()));
            }
        }
    }
    let base = chosen.as_ref().map_or(Position::ZERO, |stored| stored.snapshot.at);
    if chosen.is_none() {
        walk.continues(Position::ZERO, replay).map_err(|reason| suspect(format!("{reason}{complaints}")))?;
    }

    let last = walk.entries.last().map_or(base, |entry| entry.at);
    let committed = replay.metadata_index();
    if last.index.0 < committed {
        return Err(suspect(format!("the log ends at index {}, but {committed} was committed", last.index)));
    }
    let vote = walk.vote.filter(|vote| *vote >= last.term).ok_or_else(|| {
        suspect(format!("the journal has no vote for term {}, in which entries were written", last.term))
    })?;
    let stored_voters = chosen.as_ref().map(|stored| (stored.voters_since, stored.voters.clone()));
    let newest = walk.voters.into_iter().chain(stored_voters).max_by_key(|(since, _)| *since);
    let (voters_since, voters) = newest.ok_or_else(|| suspect("there is no voter set".to_owned()))?;
    walk.entries.retain(|entry| entry.at.index > base.index);
    Ok(History { snapshot: chosen, entries: walk.entries, last, vote, voters, voters_since, frames: walk.frames })
}

impl Walk {
    fn take(&mut self, sequence: u64, body_bytes: usize, item: Item) -> Result<(), String> {
        match item {
            Item::Entry { term, index, previous, payload } => {
                let before = match self.entries.last() {
                    Some(entry) => entry.at,
                    None => {
                        let Some(before) = index.0.checked_sub(1).map(Index) else {
                            return Err("an entry of index 0".to_owned());
                        };
                        self.before = Some((before, previous));
                        Position { index: before, term: Term(0), hash: previous }
                    }
                };
                if index != before.index.next() || term < before.term || previous != before.hash {
                    return Err(format!(
                        "the entry of index {index} and term {term} doesn't continue the one at {before}"
                    ));
                }
                self.entries.push(Entry { at: before.then(term, &payload), payload });
            }
            Item::Vote { term, .. } => self.vote = self.vote.max(Some(term)),
            Item::Voters { since, voters } => self.voters = Some((since, voters)),
        }
        if self.frames.back().is_none_or(|frame| frame.sequence != sequence) {
            self.items_bytes = 0;
        } else {
            self.frames.pop_back();
        }
        self.items_bytes += item_bytes(body_bytes);
        let last = self.entries.last().map_or(Index::ZERO, |entry| entry.at.index);
        self.frames.push_back(Frame::new(sequence, last, self.items_bytes));
        Ok(())
    }

    /// Whether the journal goes on, without a hole, behind what stands at `base`.
    fn continues(&self, base: Position, replay: &Replay) -> Result<(), &'static str> {
        let Some((before, hash)) = self.before else {
            return if base.index.0 >= replay.metadata_index() { Ok(()) } else { Err("entries are missing behind it") };
        };
        if base.index < before {
            return Err("entries are missing behind it");
        }
        if base.index == before {
            return if base.hash == hash { Ok(()) } else { Err("the entries in the journal are not its continuation") };
        }
        let place = usize::try_from(base.index.0 - before.0 - 1).unwrap_or(usize::MAX);
        match self.entries.get(place) {
            Some(entry) if entry.at == base => Ok(()),
            Some(_) => Err("the entries in the journal are not those in it"),
            None => Err("the journal ends before it"),
        }
    }
}

impl Frame {
    /// The frame with that sequence, whose items take so many bytes together.
    pub(crate) fn new(sequence: u64, last: Index, items_bytes: u64) -> Frame {
        Frame { sequence, last, bytes: (HEADER_BYTES as u64 + items_bytes).next_multiple_of(BLOCK_BYTES as u64) }
    }
}

/// What an item of that body takes in a frame, in bytes.
pub(crate) fn item_bytes(body: usize) -> u64 {
    (body + PREFIX_BYTES) as u64
}

/// Who ended the walk.
enum Stop {
    Io(io::Error),
    Suspect(String),
}

impl From<ReplayError> for Stop {
    fn from(error: ReplayError) -> Stop {
        match error {
            ReplayError::Io(error) => Stop::Io(error),
            ReplayError::Suspect(suspect) => Stop::Suspect(suspect.to_string()),
        }
    }
}
