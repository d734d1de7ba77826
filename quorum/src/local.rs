//! A quorum of one: an entry is agreed upon when it is on this node's stable storage.
//!
//! Each start begins a new term with a durable vote, so that an entry's (term, index) names one payload for ever, also
//! over a crash between two writes. The vote stands in the journal; when a checkpoint is about to leave it behind, it is
//! written again first.

use std::collections::{BTreeSet, VecDeque};
use std::future::ready;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use bytes::Bytes;
use thalweg_log::LogDirectory;
use thalweg_log::directory::Identity;
use thalweg_log::journal::entry::PREFIX_BYTES;
use thalweg_log::journal::{Event, Full, Journal, Queued, Reservation};
use thalweg_wire::Uuid;
use thalweg_world::disk::is_full;
use thalweg_world::{BoxFuture, World};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use crate::entry::{ENTRY_HEAD_BYTES, Item, VOTE_BYTES};
use crate::meta_log::{Committed, Entry, Failed, Membership, MetaLog, ProposeError, SnapshotError, Voter};
use crate::open::{self, Found, Frame, History, OpenError, Settings, item_bytes};
use crate::position::{Index, Position, Term};
use crate::snapshot::{self, SNAPSHOT_BYTES_MAX, Snapshot, Stored};

/// Proposed and not yet given out by [`MetaLog::committed`], in bytes: above it proposals are refused as [`ProposeError::Busy`].
const PENDING_BYTES_MAX: u64 = 16 << 20;

/// What an entry counts beyond its payload, in bytes, so that empty ones are bounded too.
const PENDING_ENTRY_BYTES: u64 = 128;

/// Room in the journal that no proposal may take: a vote and a checkpoint must always fit, or a full journal could never
/// be emptied. Each entry is counted with a block; the others stand for seals, which reserve nothing.
const KEPT_ENTRIES: usize = 8;
const KEPT_BYTES: usize = KEPT_ENTRIES * VOTE_BYTES;

/// The body of a voter set of one, in bytes.
const FOUNDING_BYTES: usize = 8 + 4 + 20;

/// The metadata log of a node that has no peers.
///
/// Dropping it stops it; the folder's lock is held until the last write has landed.
pub struct LocalMetaLog {
    shared: Arc<Shared>,
    driver: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    world: World,
    me: Voter,
    identity: Identity,
    /// Holds the lock of the folder for as long as anybody may write to it.
    directory: LogDirectory,
    journal_bytes: u64,
    journal: OnceLock<Journal<Mark>>,
    state: Mutex<State>,
    /// Wakes the reader of [`MetaLog::committed`].
    news: Notify,
    failed: watch::Sender<Option<Failed>>,
    /// One snapshot at a time.
    snapshots: Arc<tokio::sync::Mutex<()>>,
}

struct State {
    term: Term,
    voters: BTreeSet<Voter>,
    voters_since: Index,
    /// The last entry on its way.
    proposed: Position,
    /// The last durable entry.
    committed: Position,
    /// Durable, not yet given out.
    ready: Vec<Committed>,
    pending_bytes: u64,
    /// The index of the newest snapshot.
    snapshot: Index,
    /// The frames above the checkpoint, and their bytes together.
    frames: VecDeque<Frame>,
    live_bytes: u64,
    kept: Option<Reservation<Mark>>,
}

/// Whether the quorum begins with this start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Founding {
    Now,
    Before,
}

/// Why a vote isn't durable.
enum VoteError {
    /// There is no room just now.
    NoRoom,
    /// The journal failed or was stopped.
    Failed,
}

impl From<Full> for VoteError {
    fn from(full: Full) -> VoteError {
        match full {
            Full::NoRoom | Full::TooLarge => VoteError::NoRoom,
            Full::Closed => VoteError::Failed,
        }
    }
}

impl From<VoteError> for SnapshotError {
    fn from(error: VoteError) -> SnapshotError {
        match error {
            VoteError::NoRoom => SnapshotError::NoSpace,
            VoteError::Failed => SnapshotError::Failed,
        }
    }
}

/// Comes back from the journal when its item is durable.
struct Mark {
    bytes: u64,
    what: Durable,
}

enum Durable {
    /// An entry; the last of a proposal carries who waits for it.
    Entry(Entry, Option<Answer>),
    /// A vote or a voter set; answers with the sequence of its frame.
    Own(oneshot::Sender<u64>),
}

struct Answer {
    to: oneshot::Sender<Range<Index>>,
    range: Range<Index>,
}

impl LocalMetaLog {
    /// Opens the folder, or founds a quorum of this node there; returns when a vote for a new term is durable.
    pub async fn open(world: World, settings: Settings) -> Result<LocalMetaLog, OpenError> {
        let folder = settings.folder.clone();
        let (found, settings) = {
            let world = world.clone();
            let outside = world.clone();
            outside.offload(move || (open::find(&world, &settings), settings)).await
        };
        let Found { directory, identity, opened, history } = found?;
        let me = Voter { node: identity.node, directory: directory.id() };
        let founding = if history.is_none() { Founding::Now } else { Founding::Before };
        let state = match history {
            None => State::founded(me),
            Some(history) if history.voters == BTreeSet::from([me]) => State::recalled(history),
            Some(history) => return Err(OpenError::NotAlone { path: folder, me, voters: history.voters }),
        };
        let shared = Arc::new(Shared {
            world: world.clone(),
            me,
            identity,
            directory,
            journal_bytes: settings.journal.bytes,
            journal: OnceLock::new(),
            state: Mutex::new(state),
            news: Notify::new(),
            failed: watch::Sender::new(None),
            snapshots: Arc::default(),
        });
        let on_event = {
            let shared = shared.clone();
            Box::new(move |event: Event<'_, Mark>| shared.heard(event))
        };
        let (journal, driver) = Journal::start(world, opened, on_event);
        shared.journal.get_or_init(|| journal);
        let log = LocalMetaLog { shared: shared.clone(), driver: Mutex::new(Some(driver)) };

        if let Err(error) = shared.begin(founding).await {
            let reason = match error {
                VoteError::NoRoom => "the journal has no room for a vote".to_owned(),
                VoteError::Failed => shared.failure().await.reason,
            };
            return Err(OpenError::Failed(folder, reason));
        }
        Ok(log)
    }

    /// The cluster and node that the folder belongs to.
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// `directory.id` of the folder.
    pub fn directory_id(&self) -> Uuid {
        self.shared.me.directory
    }

    /// The largest payload of one entry, in bytes.
    pub fn payload_bytes_max(&self) -> usize {
        self.shared.payload_bytes_max()
    }

    /// Takes no more proposals, writes those that were accepted, and ends.
    pub async fn stop(&self) {
        self.shared.journal().stop();
        let driver = self.driver.lock().expect("no code panics while it holds the driver's handle").take();
        if let Some(driver) = driver {
            // A driver that panicked has said so itself.
            let _ = driver.await;
        }
    }
}

impl Drop for LocalMetaLog {
    fn drop(&mut self) {
        self.shared.journal().stop();
    }
}

impl MetaLog for LocalMetaLog {
    fn propose(&self, payloads: Vec<Bytes>) -> BoxFuture<'static, Result<Range<Index>, ProposeError>> {
        match self.shared.propose(payloads) {
            Ok(answer) => Box::pin(async move { answer.await.map_err(|_| ProposeError::Failed) }),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }

    fn committed(&self) -> BoxFuture<'_, Result<Vec<Committed>, Failed>> {
        Box::pin(self.shared.committed())
    }

    fn snapshot(&self, at: Position, image: Bytes) -> BoxFuture<'static, Result<(), SnapshotError>> {
        Box::pin(self.shared.clone().keep(at, image))
    }

    fn snapshot_is_due(&self) -> bool {
        let state = self.shared.state();
        let room = self.shared.journal().room();
        // Half of the journal's size is the rule; the rest of it is for small journals, where the ends of files, which
        // frames can't use, are much of the whole.
        let tight = room < self.shared.journal_bytes / 8 && state.live_bytes > self.shared.journal_bytes / 16;
        state.committed.index > state.snapshot && (state.live_bytes > self.shared.journal_bytes / 2 || tight)
    }

    fn read_barrier(&self) -> BoxFuture<'static, Result<Index, Failed>> {
        // Nobody else can have acknowledged anything.
        let answer = match &*self.shared.failed.borrow() {
            Some(failed) => Err(failed.clone()),
            None => Ok(self.shared.state().committed.index),
        };
        Box::pin(ready(answer))
    }

    fn membership(&self) -> Membership {
        let state = self.shared.state();
        Membership {
            voters: state.voters.clone(),
            since: state.voters_since,
            term: state.term,
            leader: Some(self.shared.me),
        }
    }

    fn failed(&self) -> BoxFuture<'static, Failed> {
        let shared = self.shared.clone();
        Box::pin(async move { shared.failure().await })
    }
}

impl State {
    fn founded(me: Voter) -> State {
        State {
            term: Term(1),
            voters: [me].into(),
            voters_since: Index::ZERO,
            proposed: Position::ZERO,
            committed: Position::ZERO,
            ready: Vec::new(),
            pending_bytes: 0,
            snapshot: Index::ZERO,
            frames: VecDeque::new(),
            live_bytes: 0,
            kept: None,
        }
    }

    fn recalled(history: History) -> State {
        let snapshot = history.snapshot.map(|stored| stored.snapshot);
        let index = snapshot.as_ref().map_or(Index::ZERO, |snapshot| snapshot.at.index);
        let pending_bytes = history.entries.iter().map(|entry| pending(&entry.payload)).sum();
        let ready =
            snapshot.map(Committed::Snapshot).into_iter().chain(history.entries.into_iter().map(Committed::Entry));
        State {
            term: history.vote.next(),
            voters: history.voters,
            voters_since: history.voters_since,
            proposed: history.last,
            committed: history.last,
            ready: ready.collect(),
            pending_bytes,
            snapshot: index,
            live_bytes: history.frames.iter().map(|frame| frame.bytes).sum(),
            frames: history.frames,
            kept: None,
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds the metadata log's state")
    }

    fn journal(&self) -> &Journal<Mark> {
        self.journal.get().expect("the journal is set before anybody gets hold of the log")
    }

    fn payload_bytes_max(&self) -> usize {
        self.journal().entry_bytes_max() - ENTRY_HEAD_BYTES
    }

    /// Makes this life's vote durable.
    async fn begin(&self, founding: Founding) -> Result<(), VoteError> {
        let journal = self.journal();
        self.state().keep_room_if_any(journal);
        if founding == Founding::Now {
            let voters = Item::Voters { since: Index::ZERO, voters: self.state().voters.clone() };
            let mut room = journal.reserve(1, FOUNDING_BYTES)?;
            // The vote stands behind it: when that is durable, so is this.
            drop(self.push_own(journal, &mut room, &voters));
        }
        let vote_frame = self.vote().await?;
        let snapshot = self.state().snapshot;
        if snapshot > Index::ZERO && self.move_checkpoint(snapshot, vote_frame) {
            // The last life ended between its snapshot and the checkpoint.
            self.vote().await?;
        }
        self.state().renew_room(journal);
        Ok(())
    }

    /// Fixes the order, under the lock; the answer comes when all is durable.
    fn propose(&self, payloads: Vec<Bytes>) -> Result<oneshot::Receiver<Range<Index>>, ProposeError> {
        let journal = self.journal();
        let max = self.payload_bytes_max();
        if let Some(large) = payloads.iter().find(|payload| payload.len() > max) {
            return Err(ProposeError::TooLarge { bytes: large.len(), max });
        }
        let wanted: u64 = payloads.iter().map(pending).sum();
        if wanted > PENDING_BYTES_MAX {
            return Err(ProposeError::TooLarge { bytes: wanted as usize, max: PENDING_BYTES_MAX as usize });
        }
        if self.failed.borrow().is_some() {
            return Err(ProposeError::Failed);
        }
        let (to, answer) = oneshot::channel();
        let mut state = self.state();
        if state.pending_bytes + wanted > PENDING_BYTES_MAX {
            return Err(ProposeError::Busy);
        }
        state.keep_room(journal).map_err(|full| self.refusal(full))?;
        let body_bytes = payloads.iter().map(|payload| ENTRY_HEAD_BYTES + payload.len()).sum();
        let mut room = journal.reserve(payloads.len(), body_bytes).map_err(|full| self.refusal(full))?;
        let range = state.proposed.index.next().run(payloads.len() as u64);
        let mut answers = Some(Answer { to, range: range.clone() });
        state.pending_bytes += wanted;
        for payload in payloads {
            let previous = state.proposed;
            let at = previous.then(state.term, &payload);
            state.proposed = at;
            let item =
                Item::Entry { term: at.term, index: at.index, previous: previous.hash, payload: payload.clone() };
            let answer = if at.index.next() == range.end { answers.take() } else { None };
            push(journal, &mut room, &item, Durable::Entry(Entry { at, payload }, answer));
        }
        drop(state);
        drop(room);
        journal.wake();
        if let Some(Answer { to, range }) = answers {
            // Nothing was proposed, so nothing has to be waited for.
            let _ = to.send(range);
        }
        Ok(answer)
    }

    fn refusal(&self, full: Full) -> ProposeError {
        match full {
            // Sizes were looked at before: what is left is that there is no room now.
            Full::NoRoom | Full::TooLarge => ProposeError::Busy,
            Full::Closed if self.failed.borrow().is_some() => ProposeError::Failed,
            Full::Closed => ProposeError::Stopped,
        }
    }

    async fn committed(&self) -> Result<Vec<Committed>, Failed> {
        let mut failed = self.failed.subscribe();
        loop {
            {
                let mut state = self.state();
                if !state.ready.is_empty() {
                    let given = std::mem::take(&mut state.ready);
                    let bytes: u64 = given
                        .iter()
                        .map(|committed| match committed {
                            Committed::Entry(entry) => pending(&entry.payload),
                            Committed::Snapshot(_) => 0,
                        })
                        .sum();
                    state.pending_bytes -= bytes;
                    return Ok(given);
                }
            }
            tokio::select! {
                biased;
                () = self.news.notified() => {}
                failed = has_failed(&mut failed) => return Err(failed),
            }
        }
    }

    /// Hears from the journal's own task.
    fn heard(&self, event: Event<'_, Mark>) {
        match event {
            Event::Committed { through, marks } => {
                let mut answers = Vec::new();
                let mut owns = Vec::new();
                let mut items_bytes = 0;
                let mut state = self.state();
                for mark in marks {
                    items_bytes += mark.bytes;
                    match mark.what {
                        Durable::Entry(entry, answer) => {
                            assert_eq!(entry.at.index, state.committed.index.next(), "entries become durable in order");
                            state.committed = entry.at;
                            state.ready.push(Committed::Entry(entry));
                            answers.extend(answer);
                        }
                        Durable::Own(own) => owns.push(own),
                    }
                }
                let last = state.committed.index;
                let frame = Frame::new(through, last, items_bytes);
                state.frames.push_back(frame);
                state.live_bytes += frame.bytes;
                drop(state);
                if let Some(journal) = self.journal.get() {
                    journal.metadata_applied(last.0);
                }
                // Whoever doesn't wait any more doesn't need the answer.
                for own in owns {
                    let _ = own.send(through);
                }
                for Answer { to, range } in answers {
                    let _ = to.send(range);
                }
                self.news.notify_one();
            }
            Event::Failed { reason } => self.fail(reason.to_owned()),
        }
    }

    fn fail(&self, reason: String) {
        self.failed.send_if_modified(|failed| match failed {
            Some(_) => false,
            None => {
                *failed = Some(Failed { reason });
                true
            }
        });
    }

    async fn failure(&self) -> Failed {
        has_failed(&mut self.failed.subscribe()).await
    }

    async fn keep(self: Arc<Shared>, at: Position, image: Bytes) -> Result<(), SnapshotError> {
        if image.len() as u64 > SNAPSHOT_BYTES_MAX / 2 {
            return Err(SnapshotError::TooLarge);
        }
        let turn = self.snapshots.clone().lock_owned().await;
        if self.failed.borrow().is_some() {
            return Err(SnapshotError::Failed);
        }
        let stored = {
            let state = self.state();
            assert!(at.index <= state.committed.index, "a snapshot at {at} holds what isn't committed yet");
            if at.index <= state.snapshot {
                return Ok(());
            }
            let snapshot = Snapshot { at, image };
            Stored { snapshot, voters: state.voters.clone(), voters_since: state.voters_since }
        };
        let shared = self.clone();
        // The job runs to its end even if nobody waits for it, so it holds the turn.
        let (turn, written) =
            self.world.offload(move || (turn, stored.write(&*shared.world.disk, shared.directory.path()))).await;
        if let Err(error) = written {
            if is_full(&error) {
                return Err(SnapshotError::NoSpace);
            }
            // After a failed sync nothing is known of the folder's names any more.
            self.fail(error.to_string());
            return Err(SnapshotError::Failed);
        }
        let vote_frame = self.vote().await?;
        if self.move_checkpoint(at.index, vote_frame) {
            // The frame that says so is written anyway. With a vote in it we know when it has landed: then there is room.
            self.vote().await?;
        }
        self.state().renew_room(self.journal());
        let shared = self.clone();
        let pruned = self.world.offload(move || snapshot::prune(&*shared.world.disk, shared.directory.path())).await;
        if let Err(error) = pruned {
            tracing::warn!(%error, "an old snapshot of the metadata stays for now");
        }
        drop(turn);
        Ok(())
    }

    /// Lets the journal forget the frames that the snapshot at `index` covers, but for that of the new vote, whatever else
    /// is in it. Says whether there were any.
    fn move_checkpoint(&self, index: Index, vote_frame: u64) -> bool {
        let mut state = self.state();
        state.snapshot = index;
        let mut covered = None;
        while let Some(frame) = state.frames.front().copied()
            && frame.last <= index
            && frame.sequence < vote_frame
        {
            covered = Some(frame.sequence);
            state.live_bytes -= frame.bytes;
            state.frames.pop_front();
        }
        if let Some(sequence) = covered {
            self.journal().checkpoint(sequence);
        }
        covered.is_some()
    }

    /// Puts this term's vote into a new frame, so that older ones may go; answers with that frame's sequence.
    async fn vote(&self) -> Result<u64, VoteError> {
        let journal = self.journal();
        let durable = {
            let mut state = self.state();
            let vote = Item::Vote { term: state.term, candidate: self.me };
            let mut room = state.room_for_vote(journal)?;
            self.push_own(journal, &mut room, &vote)
        };
        journal.wake();
        durable.await.map_err(|_| VoteError::Failed)
    }

    fn push_own(&self, journal: &Journal<Mark>, room: &mut Reservation<Mark>, item: &Item) -> oneshot::Receiver<u64> {
        let (durable, answer) = oneshot::channel();
        push(journal, room, item, Durable::Own(durable));
        answer
    }
}

impl State {
    /// Takes hold again of the room that no proposal may use. Every proposal comes by here first, under the lock, so
    /// none can take it.
    fn keep_room(&mut self, journal: &Journal<Mark>) -> Result<(), Full> {
        if self.kept.is_none() {
            self.kept = Some(journal.reserve(KEPT_ENTRIES, KEPT_BYTES)?);
        }
        Ok(())
    }

    /// Takes hold of it early, so that [`MetaLog::snapshot_is_due`] counts it. Without room the next proposal is refused.
    fn keep_room_if_any(&mut self, journal: &Journal<Mark>) {
        let _ = self.keep_room(journal);
    }

    /// Makes it whole again, after votes have used some of it.
    fn renew_room(&mut self, journal: &Journal<Mark>) {
        self.kept = None;
        self.keep_room_if_any(journal);
    }

    fn room_for_vote(&mut self, journal: &Journal<Mark>) -> Result<Reservation<Mark>, Full> {
        match self.kept.as_mut().and_then(|kept| kept.split(1, VOTE_BYTES)) {
            Some(room) => Ok(room),
            None => journal.reserve(1, VOTE_BYTES),
        }
    }
}

fn push(journal: &Journal<Mark>, room: &mut Reservation<Mark>, item: &Item, what: Durable) {
    let (kind, head, body) = item.parts();
    let bytes = item_bytes(head.bytes().len() + body.len());
    journal.push(room, Queued { kind, head, body, mark: Mark { bytes, what } });
}

fn pending(payload: &Bytes) -> u64 {
    payload.len() as u64 + PENDING_ENTRY_BYTES
}

async fn has_failed(failed: &mut watch::Receiver<Option<Failed>>) -> Failed {
    match failed.wait_for(Option::is_some).await.map(|failed| failed.clone()) {
        Ok(Some(failed)) => failed,
        // The sender lives as long as the log, whose future this is: a log that is gone never fails.
        Ok(None) | Err(_) => std::future::pending().await,
    }
}

const _: () = assert!(KEPT_BYTES >= VOTE_BYTES + PREFIX_BYTES); // a vote fits into what is kept for it
