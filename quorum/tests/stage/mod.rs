//! The stage for the stories beside: a simulated node whose machine is a list of numbers.
#![allow(dead_code, clippy::unwrap_used)] // each story uses its part, and is a test

use std::path::{Path, PathBuf};

use bytes::Bytes;
use thalweg_log::journal::Options;
use thalweg_quorum::{Committed, LocalMetaLog, MetaLog, OpenError, Position, Presence, Settings, Term};
use thalweg_wire::BrokerId;
use thalweg_world::simulated::SimulatedWorld;

pub(crate) const FOLDER: &str = "/data/quorum";

/// A journal so small that two hundred entries wrap it.
pub(crate) fn small_journal() -> Options {
    Options {
        bytes: 320 << 10,
        first_file_bytes: 32 << 10,
        group_bytes: 4 << 10,
        entry_bytes_max: 4 << 10,
        ..Options::sized(320 << 10)
    }
}

pub(crate) fn settings(logs: Presence) -> Settings {
    Settings { folder: PathBuf::from(FOLDER), node: BrokerId(1), cluster: None, logs, journal: small_journal() }
}

/// Runs a story on a runtime of its own, with paused time.
pub(crate) fn play<T>(story: impl AsyncFnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(story())
}

/// A node: its log, and the numbers that it has heard of.
pub(crate) struct Node {
    pub(crate) log: LocalMetaLog,
    pub(crate) at: Position,
    pub(crate) numbers: Vec<u32>,
    /// How many of the numbers came out of a snapshot.
    pub(crate) from_snapshot: usize,
}

impl Node {
    pub(crate) async fn boot(world: &SimulatedWorld) -> Result<Node, OpenError> {
        Node::boot_with(world, settings(Presence::LogsEmpty)).await
    }

    pub(crate) async fn boot_with(world: &SimulatedWorld, settings: Settings) -> Result<Node, OpenError> {
        let log = LocalMetaLog::open(world.world.clone(), settings).await?;
        let mut node = Node { log, at: Position::ZERO, numbers: Vec::new(), from_snapshot: 0 };
        let barrier = node.log.read_barrier().await.unwrap();
        while node.at.index < barrier {
            node.hear().await;
        }
        Ok(node)
    }

    /// Applies what is ready; checks that it continues what was applied before.
    pub(crate) async fn hear(&mut self) {
        for committed in self.log.committed().await.unwrap() {
            match committed {
                Committed::Snapshot(snapshot) => {
                    assert_eq!(self.at, Position::ZERO, "a quorum of one hears of a snapshot only at its start");
                    self.at = snapshot.at;
                    self.numbers =
                        snapshot.image.chunks(4).map(|b| u32::from_be_bytes(b.try_into().unwrap())).collect();
                    self.from_snapshot = self.numbers.len();
                }
                Committed::Entry(entry) => {
                    assert_eq!(entry.at, self.at.then(entry.at.term, &entry.payload), "the hash chain holds");
                    assert!(entry.at.term >= self.at.term, "terms never go back");
                    self.at = entry.at;
                    self.numbers.push(number(&entry.payload));
                }
            }
        }
    }

    pub(crate) fn term(&self) -> Term {
        self.log.membership().term
    }

    pub(crate) fn image(&self) -> Bytes {
        self.numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }
}

/// An entry that says a number, with so much padding.
pub(crate) fn payload(number: u32, padding: usize) -> Bytes {
    [&number.to_be_bytes()[..], &vec![7; padding]].concat().into()
}

pub(crate) fn number(payload: &Bytes) -> u32 {
    u32::from_be_bytes(payload[..4].try_into().unwrap())
}

/// The quorum's snapshots that are on the disk.
pub(crate) fn snapshots(world: &SimulatedWorld) -> Vec<PathBuf> {
    let is_snapshot = |path: &PathBuf| path.extension().is_some_and(|suffix| suffix == "snapshot");
    world.disk.files().into_iter().filter(|path| path.starts_with(FOLDER) && is_snapshot(path)).collect()
}

pub(crate) fn journal_file(number: u32) -> PathBuf {
    Path::new(FOLDER).join(format!("journal/{number:02}.journal"))
}
