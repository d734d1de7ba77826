//! The power is cut, or the process killed, at every operation of a log's life. What comes back is a piece of its history
//! that has all that was durable, without a hole; or, after a power cut, a refusal that names a place behind it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_log::segment::{Checksums, Descriptors, Flush, SegmentError, Segments, Trust};
use thalweg_wire::Offset;
use thalweg_wire::batch::Batch;
use thalweg_world::Disk;
use thalweg_world::disk::Open;
use thalweg_world::simulated::disk::{Fault, Kind};
use thalweg_world::simulated::{Faults, Rng, SimulatedDisk};

use crate::{ALL, NOW, random_batch, read_all, small, topic};

/// A log's history as far as a crash may choose from it.
#[derive(Clone, Default)]
struct History {
    /// All batches that may be there, in order.
    may: Vec<Batch>,
    /// Where the batches end that must be there.
    durable: i64,
    /// Up to where records may have been deleted.
    deleted: i64,
    /// Records that nothing could take from a killed process.
    written: i64,
    /// Whether the folder itself must be there.
    made: bool,
}

struct Life {
    disk: SimulatedDisk,
    history: History,
}

impl Life {
    fn folder() -> PathBuf {
        PathBuf::from("/data/logs/crash-0")
    }

    fn new(seed: u64) -> Life {
        let disk = SimulatedDisk::new(seed, Faults::default());
        disk.create_dir_all(Path::new("/data/logs")).unwrap();
        disk.sync_dir(Path::new("/data")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        Life { disk, history: History::default() }
    }

    fn files(&self) -> Arc<Descriptors> {
        Arc::new(Descriptors::new(Arc::new(self.disk.clone()), 8))
    }

    /// The log, which isn't there yet.
    fn create(&self) -> Segments {
        Segments::create(&self.files(), &Life::folder(), topic(), Offset(0), small()).unwrap()
    }

    fn with_a_batch(seed: u64) -> (Life, Segments) {
        let life = Life::new(seed);
        let mut segments = life.create();
        segments.append(&[random_batch(&mut Rng::new(seed), Offset(0), &mut 0)], NOW).unwrap();
        (life, segments)
    }

    /// Everything that can be done to a log, until the power goes.
    fn live(&mut self, seed: u64) -> Result<(), SegmentError> {
        let mut rng = Rng::stream(seed, "life");
        let mut clock = 0;
        let mut segments = Segments::create(&self.files(), &Life::folder(), topic(), Offset(0), small())?;
        let mut flush = None;
        for _ in 0..18 {
            match rng.below(10) {
                0..4 => {
                    let mut end = segments.end();
                    let mut new = Vec::new();
                    for _ in 0..=rng.below(6) {
                        new.push(random_batch(&mut rng, end, &mut clock));
                        end = new.last().unwrap().next_offset();
                    }
                    self.history.may.extend(new.iter().cloned());
                    let appended = segments.append(&new, NOW)?;
                    self.history.written = segments.end().0;
                    self.history.made |= !appended.rolled.is_empty();
                }
                4 => {
                    segments.sync()?;
                    self.history.made = true;
                }
                5 => {
                    let length = segments.end().0 - segments.start().0;
                    let to = segments.end().0 - (rng.below(30) as i64).min(length);
                    // The batch that holds it goes too.
                    let kept = |batch: &&Batch| batch.last_offset().0 < to;
                    let end = self.history.may.iter().take_while(kept).last().map_or(0, |batch| batch.next_offset().0);
                    let end = if to == segments.end().0 { to } else { end };
                    self.history.durable = self.history.durable.min(end);
                    self.history.written = self.history.written.min(end);
                    segments.truncate(Offset(to))?;
                    self.history.may.retain(|batch| batch.last_offset().0 < to);
                    self.history.made |= to < segments.end().0;
                }
                6 => {
                    let bases = segments.bases();
                    if let Some(at) = rng.pick(&bases) {
                        self.history.deleted = self.history.deleted.max(at.0);
                        segments.delete_before(*at)?;
                    }
                }
                7 => {
                    segments.roll()?;
                }
                _ => match flush.take() {
                    None => flush = segments.flush_due(1),
                    // Begun before whatever happened since.
                    Some(begun) => {
                        Flush::run(&begun)?;
                        segments.flushed(&begun);
                    }
                },
            }
            self.history.durable = segments.recovery_point().0;
        }
        segments.close()?;
        self.history.durable = self.history.written;
        self.history.made = true;
        Ok(())
    }

    /// What came back is a piece of what may be there, and has what must.
    fn check(&self, segments: &Segments, at_least: i64, what: &str) {
        let History { may, deleted, .. } = &self.history;
        let found = read_all(&segments.reader(Checksums::Verified), segments.start(), ALL);
        let start = segments.start().0;
        assert!(start <= *deleted, "{what}: begins at {start}, deleted were those below {deleted}");
        assert!(segments.end().0 >= at_least, "{what}: ends at {}, durable was {at_least}", segments.end());
        let expected: Vec<&Batch> = may
            .iter()
            .filter(|batch| batch.base_offset().0 >= start && batch.next_offset() <= segments.end())
            .collect();
        assert!(found.iter().eq(expected.iter().copied()), "{what}: {} batches of {}", found.len(), expected.len());
        assert!(found.last().is_none_or(|last| last.next_offset() == segments.end()), "{what}");

        // Whatever a crash left of the indexes.
        let reader = segments.reader(Checksums::Verified);
        let time = |batch: &Batch| batch.header().max_timestamp();
        for at in found.iter().map(time) {
            let expected = found.iter().find(|batch| time(batch) >= at);
            let first = reader.batch_at_time(at, segments.start()).unwrap();
            assert_eq!(first.as_ref(), expected, "{what}: the first of {at} or later");
        }
        let largest = found.iter().map(time).max();
        let newest = reader.newest_batches(segments.start(), segments.end()).unwrap();
        assert_eq!(newest.first(), found.iter().find(|batch| Some(time(batch)) == largest), "{what}: the newest");
    }

    /// It goes on as a log does, and its files are in order.
    fn go_on(&self, mut segments: Segments, what: &str) {
        let mut rng = Rng::new(5);
        let mut clock = 10_000;
        let mut expected = read_all(&segments.reader(Checksums::Verified), segments.start(), ALL);
        for _ in 0..10 {
            let new = random_batch(&mut rng, segments.end(), &mut clock);
            segments.append(std::slice::from_ref(&new), NOW).unwrap();
            expected.push(new);
        }
        let bases = segments.bases();
        segments.close().unwrap();
        self.disk.crash();
        let (mut segments, opened) =
            Segments::open(&self.files(), &Life::folder(), topic(), small(), Trust::Clean).unwrap();
        assert_eq!((opened.cut, opened.rebuilt, opened.holes.len()), (None, 0, 0), "{what}");
        assert_eq!(segments.bases(), bases, "{what}");
        for batch in &expected {
            let found = segments.reader(Checksums::Verified).read(batch.last_offset(), Offset(i64::MAX), ALL).unwrap();
            assert_eq!(found.first(), Some(batch), "{what}");
        }
        segments.rebuild().unwrap();
    }
}

/// Lives until the power is cut at the operation of that number; `None` if there are fewer.
fn life_until(seed: u64, operation: u64) -> Option<Life> {
    let mut life = Life::new(seed);
    life.disk.crash_at(life.disk.operations() + operation);
    if life.live(seed).is_ok() {
        return None;
    }
    life.disk.crash();
    Some(life)
}

const SEEDS: u64 = 35;

fn each_crash(mut check: impl FnMut(&Life, &str)) {
    let mut crashes = 0;
    for seed in 0..SEEDS {
        for operation in 1.. {
            let Some(life) = life_until(seed, operation) else { break };
            check(&life, &format!("seed {seed}, cut at operation {operation}"));
            crashes += 1;
        }
    }
    assert!(crashes > 1500, "{crashes} power cuts");
}

/// The journal has what was not durable: whatever stands there instead is cut.
#[test]
fn what_was_durable_and_nothing_else_is_there_for_the_journal_to_go_on() {
    each_crash(|life, what| {
        let from = Offset(life.history.durable);
        let opened = Segments::open(&life.files(), &Life::folder(), topic(), small(), Trust::Redone { from });
        match opened {
            Ok((segments, opened)) => {
                assert_eq!((opened.cut, opened.holes.len()), (None, 0), "{what}");
                life.check(&segments, from.0, what);
                assert_eq!(segments.end(), from, "{what}");
                life.go_on(segments, what);
            }
            Err(SegmentError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                assert!(!life.history.made, "{what}: the folder is gone");
                life.create();
            }
            Err(error) => panic!("{what}: {error}"),
        }
    });
}

/// Nobody else has the records: all that is whole is kept, and a hole is never papered over.
#[test]
fn what_is_whole_is_kept_and_a_hole_is_refused() {
    let (mut whole, mut refused, mut longer) = (0, 0, 0);
    each_crash(|life, what| {
        let point = Offset(life.history.durable);
        let trust = Trust::Unclean { recovery_point: Some(point) };
        match Segments::open(&life.files(), &Life::folder(), topic(), small(), trust) {
            Ok((segments, opened)) => {
                assert_eq!(opened.holes.len(), 0, "{what}");
                life.check(&segments, point.0, what);
                whole += 1;
                longer += u32::from(segments.end() > point);
                life.go_on(segments, what);
            }
            Err(SegmentError::Damaged(damage)) => {
                assert!(damage.offset >= point, "{what}: {damage}");
                refused += 1;
            }
            Err(SegmentError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                assert!(!life.history.made, "{what}: the folder is gone");
            }
            Err(error) => panic!("{what}: {error}"),
        }
    });
    // A power cut that keeps a later write and loses an earlier one looks like damage. It is rare, but it is there.
    assert!(refused > 0 && refused * 5 < whole && longer > 100, "{whole} whole, {longer} longer, {refused} refused");
}

/// A killed process loses nothing that was written.
#[test]
fn a_kill_loses_nothing_and_is_never_refused() {
    for seed in 0..SEEDS {
        for operation in 1.. {
            let mut life = Life::new(seed);
            // It died of an operation that failed halfway.
            life.disk.fault_at(life.disk.operations() + operation, Fault::Io);
            if life.live(seed).is_ok() {
                break;
            }
            life.disk.kill();
            let what = format!("seed {seed}, killed at operation {operation}");
            let point = Offset(life.history.durable);
            for trust in [
                Trust::Unclean { recovery_point: Some(point) },
                Trust::Unclean { recovery_point: None },
                Trust::PageCache { recovery_point: point },
            ] {
                match Segments::open(&life.files(), &Life::folder(), topic(), small(), trust) {
                    Ok((segments, _)) => life.check(&segments, life.history.written, &what),
                    Err(SegmentError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                        assert!(life.history.may.is_empty(), "{what}");
                    }
                    Err(error) => panic!("{what}: {error}"),
                }
            }
        }
    }
}

/// Opening is nothing new to a crash: cut while it cuts, it finds the same life.
#[test]
fn a_crash_while_a_log_is_opened_changes_nothing() {
    let mut cuts = 0;
    for seed in 0..SEEDS {
        for operation in (1..).step_by(7) {
            let Some(life) = life_until(seed, operation) else { break };
            let what = format!("seed {seed}, cut at operation {operation}");
            let from = Offset(life.history.durable);
            for again in 1..30 {
                life.disk.crash_at(life.disk.operations() + again);
                let trust = Trust::Redone { from };
                let opened = Segments::open(&life.files(), &Life::folder(), topic(), small(), trust);
                let is_cut = opened.as_ref().is_err_and(|error| matches!(error, SegmentError::Io(_)));
                drop(opened);
                life.disk.crash();
                life.disk.forget_orders();
                cuts += u32::from(is_cut);
                match Segments::open(&life.files(), &Life::folder(), topic(), small(), Trust::Redone { from }) {
                    Ok((segments, _)) => life.check(&segments, from.0, &what),
                    Err(SegmentError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => break,
                    Err(error) => panic!("{what}, again at {again}: {error}"),
                }
            }
        }
    }
    assert!(cuts > 200, "{cuts} crashes in recovery");
}

/// A part of a batch would be torn for good, where nobody can say why: not even the next start may cut it then.
#[test]
fn what_found_no_room_leaves_nothing_of_itself() {
    let mut parts = 0;
    for seed in 0..20 {
        let life = Life::new(seed);
        let mut rng = Rng::stream(seed, "batches");
        let mut segments = life.create();
        let (mut end, mut clock) = (Offset(0), 0);
        let mut new = || {
            let batch = random_batch(&mut rng, end, &mut clock);
            end = batch.next_offset();
            batch
        };
        segments.append(&[new(), new()], NOW).unwrap();
        segments.sync().unwrap();
        let (kept, rest) = (segments.end(), [new(), new(), new()]);
        life.disk.fault_next(Kind::Write, ".log", Fault::NoSpace);
        segments.append(&rest, NOW).unwrap_err();
        let (_, path, whole) = segments.tail();
        let size = || life.disk.open(&path, Open::Read).unwrap().size().unwrap();
        parts += u32::from(size() > whole);
        if seed % 2 == 0 {
            // Somebody else's sync of the whole filesystem, chosen before.
            life.disk.sync_filesystem(&*life.disk.open(&path, Open::Read).unwrap()).unwrap();
            segments.synced_to(kept);
        }
        segments.drop_unfinished().unwrap();
        assert_eq!(size(), whole, "seed {seed}");
        life.disk.crash();
        assert_eq!(size(), whole, "seed {seed}: what was cut stays cut");
        let (mut segments, opened) =
            Segments::open(&life.files(), &Life::folder(), topic(), small(), Trust::Journaled).unwrap();
        assert_eq!(opened.cut, None, "seed {seed}");
        assert!(segments.end() >= kept, "seed {seed}");
        // The next try finds room.
        let missing = rest.partition_point(|batch| batch.next_offset() <= segments.end());
        segments.append(&rest[missing..], NOW).unwrap();
        assert_eq!(segments.end(), rest[2].next_offset());
    }
    assert!(parts > 5, "{parts} writes got in in part");
}

#[test]
fn a_sync_that_failed_is_not_done_again() {
    let (life, mut segments) = Life::with_a_batch(3);
    let flush = segments.flush_records().unwrap();
    life.disk.fault_next(Kind::Sync, ".log", Fault::Io);
    flush.run().unwrap_err();
    // The disk would say yes now.
    flush.run().unwrap_err();
    segments.sync().unwrap_err();
}

/// Else the next segment, which may begin elsewhere, would have it in its way.
#[test]
fn a_segment_that_could_not_be_made_leaves_no_name() {
    let (life, mut segments) = Life::with_a_batch(4);
    let before = life.disk.list(&Life::folder()).unwrap().len();
    life.disk.fault_next(Kind::Create, ".timeindex", Fault::NoSpace);
    segments.roll().unwrap_err();
    assert_eq!(life.disk.list(&Life::folder()).unwrap().len(), before);
    assert_eq!(segments.roll().unwrap(), Some(segments.end()));
}

/// The new segment's name has to be synced by itself, before its records count as durable.
#[test]
fn a_sync_that_was_begun_before_a_roll_says_nothing_of_the_new_segment() {
    let (mut rng, mut clock) = (Rng::new(1), 0);
    for seed in 0..20 {
        let life = Life::new(seed);
        let mut segments = life.create();
        let mut append = |segments: &mut Segments| {
            let new = random_batch(&mut rng, segments.end(), &mut clock);
            segments.append(&[new], NOW).unwrap();
        };
        append(&mut segments);
        segments.sync().unwrap();
        append(&mut segments);
        let begun = segments.flush_due(1).unwrap();
        segments.roll().unwrap();
        begun.run().unwrap();
        segments.flushed(&begun);
        append(&mut segments);
        segments.sync().unwrap();
        let durable = segments.recovery_point();
        assert_eq!(durable, segments.end());
        life.disk.crash();
        let trust = Trust::PageCache { recovery_point: durable };
        let (segments, _) = Segments::open(&life.files(), &Life::folder(), topic(), small(), trust).unwrap();
        assert_eq!(segments.end(), durable, "seed {seed}");
    }
}
