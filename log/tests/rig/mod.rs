//! A journal on a simulated disk, and what its owner knows of it: pushed, heard back, found again.
#![allow(dead_code, clippy::unwrap_used)] // each story uses its part, and is a test

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use thalweg_log::directory::{DirectoryError, Identity};
use thalweg_log::journal::scan::ReplayError;
use thalweg_log::journal::{Event, Full, Head, Kind, OpenError, Opened, Options, Queued, Reservation};
use thalweg_log::{Journal, LogDirectory};
use thalweg_wire::BrokerId;
use thalweg_world::simulated::disk::Faults;
use thalweg_world::simulated::{Rng, SimulatedDisk, SimulatedWorld, Traffic};
use tokio::task::JoinHandle;

pub(crate) const LOGS: &str = "/data/logs";
pub(crate) const FOLDER: &str = "/data/logs/journal";

/// A ring that a few dozen entries wrap.
pub(crate) fn small() -> Options {
    Options { entry_bytes_max: 12 << 10, group_bytes: 12 << 10, ..Options::sized(256 << 10) }
}

/// Runs a story on a runtime of its own, with paused time.
pub(crate) fn play<T>(story: impl AsyncFnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(story())
}

pub(crate) fn identity() -> Identity {
    Identity { cluster: "a-cluster".to_owned(), node: BrokerId(1) }
}

pub(crate) fn world(seed: u64, faults: Faults) -> SimulatedWorld {
    SimulatedWorld::with(seed, faults, Traffic::default())
}

pub(crate) fn file(number: u32) -> PathBuf {
    Path::new(FOLDER).join(format!("{number:02}.journal"))
}

/// What came back from a journal, and what a crash left of it.
#[derive(Default)]
pub(crate) struct Heard {
    /// For each frame: its sequence, and the numbers that were in it.
    pub(crate) frames: Vec<(u64, Vec<u64>)>,
    pub(crate) failed: Option<String>,
}

/// A started journal whose entries are numbers, each with a body that only it has.
pub(crate) struct Boot {
    pub(crate) directory: LogDirectory,
    pub(crate) journal: Journal<u64>,
    pub(crate) task: JoinHandle<()>,
    pub(crate) heard: Arc<Mutex<Heard>>,
    /// The numbers found at the start, with the sequences of their frames.
    pub(crate) found: Vec<(u64, u64)>,
}

impl Boot {
    pub(crate) fn start(world: &SimulatedWorld, options: Options) -> Result<Boot, DirectoryError> {
        let (directory, opened, _) = LogDirectory::open(&world.world, Path::new(LOGS), &identity(), options)?;
        let found = read(&opened).map_err(|error| match error {
            ReplayError::Io(error) => DirectoryError::Io(PathBuf::from(FOLDER), error),
            ReplayError::Suspect(suspect) => {
                DirectoryError::Journal(PathBuf::from(FOLDER), OpenError::Suspect(suspect))
            }
        })?;
        let heard = Arc::new(Mutex::new(Heard::default()));
        let ears = heard.clone();
        let on_event = move |event: Event<'_, u64>| {
            let mut heard = ears.lock().unwrap();
            assert_eq!(heard.failed, None, "a failure is the last that is heard");
            match event {
                Event::Committed { through, marks } => heard.frames.push((through, marks.collect())),
                Event::Failed { reason } => heard.failed = Some(reason.to_owned()),
            }
        };
        let (journal, task) = Journal::start(world.world.clone(), opened, Box::new(on_event));
        Ok(Boot { directory, journal, task, heard, found })
    }

    /// Pushes a number with a body of so many bytes, if there is room.
    pub(crate) fn push(&self, number: u64, length: usize) -> Result<(), Full> {
        let mut room = self.journal.reserve(1, bytes_of(length))?;
        self.push_into(&mut room, number, length);
        drop(room);
        self.journal.wake();
        Ok(())
    }

    pub(crate) fn push_into(&self, room: &mut Reservation<u64>, number: u64, length: usize) {
        self.journal.push(room, queued(number, length));
    }

    /// The numbers that were reported committed, in order.
    pub(crate) fn committed(&self) -> Vec<u64> {
        self.heard.lock().unwrap().frames.iter().flat_map(|(_, numbers)| numbers).copied().collect()
    }

    /// The newest frame that was reported.
    pub(crate) fn through(&self) -> u64 {
        self.heard.lock().unwrap().frames.last().map_or(0, |(through, _)| *through)
    }

    pub(crate) fn failed(&self) -> Option<String> {
        self.heard.lock().unwrap().failed.clone()
    }

    /// Until so many numbers are committed, or the journal has failed.
    pub(crate) async fn until_committed(&self, count: usize) {
        self.until(|boot| boot.committed().len() >= count || boot.failed().is_some()).await;
    }

    /// Until the newest frame is a seal: then a damaged frame before it is told from a torn one.
    pub(crate) async fn until_sealed(&self) {
        self.until(|boot| boot.heard.lock().unwrap().frames.last().is_some_and(|(_, numbers)| numbers.is_empty()))
            .await;
    }

    /// Until something is so. A minute of simulated time without it is a journal that hangs.
    pub(crate) async fn until(&self, is_so: impl Fn(&Boot) -> bool) {
        for _ in 0..60_000 {
            if is_so(self) {
                return;
            }
            pass(Duration::from_millis(1)).await;
        }
        panic!("nothing happens any more behind frame {}", self.through());
    }

    pub(crate) async fn stop(self) -> LogDirectory {
        self.journal.stop();
        self.task.await.unwrap();
        self.directory
    }

    /// Ends the boot on a disk that has lost its power.
    pub(crate) async fn end(self) {
        self.journal.stop();
        self.task.await.unwrap();
    }

    /// Room that is promised to nobody, and room at all; equal at rest.
    pub(crate) fn room(&self) -> u64 {
        self.journal.room()
    }
}

/// What to reserve for a body of so many bytes.
pub(crate) fn bytes_of(length: usize) -> usize {
    8 + length
}

pub(crate) fn queued(number: u64, length: usize) -> Queued<u64> {
    let head = Head::EMPTY.put(&number.to_be_bytes());
    Queued { kind: Kind::FOREIGN, head, body: body(number, length), mark: number }
}

/// A body that belongs to one number, and shows its length.
fn body(number: u64, length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    Rng::stream(number, "body").fill(&mut bytes);
    bytes.into()
}

/// The numbers in a journal, with their frames. Checks that each has the body that it was pushed with.
fn read(opened: &Opened) -> Result<Vec<(u64, u64)>, ReplayError> {
    let mut found = Vec::new();
    opened.replay.for_each::<ReplayError>(|sequence, entry| {
        assert_eq!(entry.kind, Kind::FOREIGN);
        let number = u64::from_be_bytes(entry.body[..8].try_into().unwrap());
        assert!(entry.body[8..] == body(number, entry.body.len() - 8), "the body of {number} is not what was pushed");
        found.push((sequence, number));
        Ok(())
    })?;
    Ok(found)
}

/// What an owner has a right to expect of a journal over all its boots.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The numbers that may be in the journal, in the order in which they were pushed.
    pub(crate) order: Vec<u64>,
    /// How many of them were reported committed, or found after a stop.
    pub(crate) safe: usize,
    /// How many of them a checkpoint may have let go.
    pub(crate) let_go: usize,
    /// How many of those in front were really not found any more.
    pub(crate) gone: usize,
    next: u64,
}

impl Ledger {
    /// A number that was never used.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn pushed(&mut self, number: u64) {
        self.order.push(number);
    }

    /// Notes what a boot reported.
    pub(crate) fn heard(&mut self, boot: &Boot, before: usize) {
        let committed = boot.committed();
        let expected = &self.order[before..(before + committed.len()).min(self.order.len())];
        assert_eq!(committed, expected, "marks come back in the order of pushes");
        self.safe = before + committed.len();
    }

    /// How many numbers the frames up to a sequence hold.
    pub(crate) fn count_through(boot: &Boot, before: usize, through: u64) -> usize {
        let heard = boot.heard.lock().unwrap();
        let up_to = heard.frames.iter().filter(|(sequence, _)| *sequence <= through);
        before + up_to.map(|(_, numbers)| numbers.len()).sum::<usize>()
    }

    /// Checks what was found after a stop: all that is safe and not let go, then perhaps more, in order.
    pub(crate) fn found(&mut self, found: &[(u64, u64)]) {
        let numbers: Vec<u64> = found.iter().map(|(_, number)| *number).collect();
        let first = match numbers.first() {
            Some(first) => self.order.iter().position(|number| number == first).expect("what is found was pushed"),
            None => self.safe,
        };
        let end = first + numbers.len();
        assert!(first <= self.let_go, "{} are needed, the first found is {first}", self.let_go);
        assert!(end >= self.safe, "{} were safe, but only {end} are found", self.safe);
        assert_eq!(self.order[first..end], numbers, "what is found is a run of the order of pushes");
        assert!(found.is_sorted(), "frames are numbered in order");
        self.order.truncate(end);
        (self.safe, self.gone) = (end, first);
    }
}

/// A copy of a file as the medium has it.
pub(crate) fn durable(disk: &SimulatedDisk, number: u32) -> Vec<u8> {
    disk.durable_bytes(&file(number)).unwrap()
}

/// Lets the simulated world's time pass.
pub(crate) async fn pass(span: Duration) {
    let clock = thalweg_world::simulated::SimulatedClock::new(thalweg_world::simulated::WALL_AT_START);
    thalweg_world::Clock::sleep(&clock, span).await;
}
