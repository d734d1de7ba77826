//! A partition's files from outside: ones that a real Kafka wrote, ones of our own under Kafka's tools, and ones that a
//! crash left.
#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

mod archive;
mod crash;
mod dump;
mod kafka;
mod model;
mod reach;
mod sending;
mod torn;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thalweg_log::log::{FirstBatch, ReadLimit};
use thalweg_log::segment::{Descriptors, Reader, Rules};
use thalweg_wire::batch::{Batch, Builder};
use thalweg_wire::{LeaderEpoch, Offset, Timestamp, TopicId};
use thalweg_world::Disk;
use thalweg_world::real::RealDisk;
use thalweg_world::simulated::{Faults, Rng, SimulatedDisk};

/// The wall's time in these tests.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(crate) fn topic() -> TopicId {
    TopicId::from_random([9; 16])
}

/// A disk and a folder on it that nobody else uses.
pub(crate) struct Place {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) root: PathBuf,
    real: bool,
}

impl Place {
    pub(crate) fn simulated(seed: u64) -> Place {
        Place::on(&SimulatedDisk::new(seed, Faults::default()))
    }

    /// On a disk that the test keeps, to make it fail.
    pub(crate) fn on(disk: &SimulatedDisk) -> Place {
        Place { disk: Arc::new(disk.clone()), root: PathBuf::from("/logs"), real: false }
    }

    pub(crate) fn real(name: &str) -> Place {
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("segments-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).unwrap();
        Place { disk: Arc::new(RealDisk::default()), root, real: true }
    }

    /// One of each kind.
    pub(crate) fn both(name: &str) -> [Place; 2] {
        [Place::simulated(1), Place::real(name)]
    }

    /// The disk's files, few of them open at once, so that they are closed and opened again on the way.
    pub(crate) fn files(&self) -> Arc<Descriptors> {
        Arc::new(Descriptors::new(self.disk.clone(), 4))
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.root.join(path);
        self.disk.create_dir_all(path.parent().unwrap()).unwrap();
        let file = self.disk.open(&path, thalweg_world::disk::Open::Create).unwrap();
        file.set_size(0).unwrap();
        if !bytes.is_empty() {
            file.write_at(&[std::io::IoSlice::new(bytes)], 0).unwrap();
        }
    }

    pub(crate) fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        bytes(&*self.disk, &self.root.join(path))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.real {
            let _ = std::fs::remove_dir_all(&self.root);
        }
    }
}

/// A file's bytes; `None` if there is no such file.
pub(crate) fn bytes(disk: &dyn Disk, path: &Path) -> Option<Vec<u8>> {
    let file = disk.open(path, thalweg_world::disk::Open::Read).ok()?;
    let mut bytes = vec![0; file.size().unwrap() as usize];
    assert_eq!(file.read_at(&mut bytes, 0).unwrap(), bytes.len());
    Some(bytes)
}

/// No limit that counts.
pub(crate) const ALL: ReadLimit = ReadLimit { bytes: usize::MAX, first: FirstBatch::Always };

/// Every batch from an offset on, read piece by piece.
pub(crate) fn read_all(reader: &Reader, from: Offset, limit: ReadLimit) -> Vec<Batch> {
    let mut all: Vec<Batch> = Vec::new();
    let mut from = from;
    loop {
        let batches = reader.read(from, Offset(i64::MAX), limit).unwrap();
        let Some(last) = batches.last() else { return all };
        from = last.next_offset();
        all.extend(batches);
    }
}

/// A batch of so many records with values of a size, at an offset and a time.
pub(crate) fn batch(base: Offset, epoch: i32, records: u64, value: &[u8], time: i64) -> Batch {
    let builder = (0..records).fold(Builder::new(), |builder, record| {
        let time = if time < 0 { time } else { time + record as i64 };
        builder.record(Timestamp::from_millis(time), Some(b"key"), Some(value))
    });
    let mut batch = builder.build().unwrap();
    batch.place(base, LeaderEpoch(epoch));
    batch
}

/// A batch that chance makes: times mostly rise, sometimes go back, sometimes aren't there.
pub(crate) fn random_batch(rng: &mut Rng, base: Offset, clock: &mut i64) -> Batch {
    *clock += rng.below(50) as i64;
    let time = match rng.below(12) {
        0 => -1,
        1 => *clock - 200,
        _ => *clock,
    };
    let mut value = vec![0; rng.below(120) as usize];
    rng.fill(&mut value);
    batch(base, 0, 1 + rng.below(5), &value, time)
}

/// Rules under which little is enough for everything to happen.
pub(crate) fn small() -> Rules {
    Rules {
        segment_bytes: 4000,
        segment_age: Duration::from_millis(2000),
        jitter: Duration::from_millis(100),
        index_interval_bytes: 150,
        index_bytes: 160,
    }
}
