//! Random work on a log's files beside a list of batches that says what they have to hold; rolls by each cause; readers in
//! other threads; memory.

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use thalweg_log::log::{FirstBatch, ReadLimit};
use thalweg_log::segment::names::{FileKind, file_name};
use thalweg_log::segment::{Checksums, Flush, Opened, Rules, SegmentError, Segments, Trust};
use thalweg_wire::batch::{Batch, Builder, Records};
use thalweg_wire::{LeaderEpoch, Moment, Offset, Timestamp, TopicId};
use thalweg_world::simulated::disk::{Fault, Kind};
use thalweg_world::simulated::{Faults, Rng, SimulatedDisk};

use crate::sending::sent;
use crate::{ALL, NOW, Place, batch, bytes, random_batch, read_all, small, topic};

/// A log and what it should be.
struct Pair {
    segments: Segments,
    batches: Vec<Batch>,
    /// Where the batches end; later than the last one's end where a compacted log was copied with holes.
    end: Offset,
    /// How often it was read without waiting.
    cached: Cell<u32>,
}

impl Pair {
    fn check(&self, rng: &mut Rng) {
        let reader = self.segments.reader(Checksums::Verified);
        let start = self.segments.start();
        let kept: Vec<&Batch> = self.batches.iter().filter(|batch| batch.base_offset() >= start).collect();
        assert_eq!(self.segments.end(), self.end);
        assert_eq!(self.segments.size(), kept.iter().map(|batch| batch.byte_length() as u64).sum::<u64>());
        let limit = ReadLimit { bytes: 1 + rng.below(900) as usize, first: FirstBatch::Always };
        assert!(read_all(&reader, start, limit).iter().eq(kept.iter().copied()));

        let from = Offset(start.0 + rng.below((self.end.0 - start.0) as u64 + 2) as i64);
        let below = Offset(from.0 + rng.below(30) as i64);
        let expected = kept.iter().find(|batch| batch.last_offset() >= from && batch.base_offset() < below);
        let found = reader.read(from, below, limit).unwrap();
        assert_eq!(found.first(), expected.copied(), "the batch that holds {from}, below {below}");
        assert!(found.iter().all(|batch| batch.base_offset() < below));

        // The simulated disk has in memory what it likes.
        if let Some(cached) = reader.read_cached_to_send(from, below, limit.bytes, Moment::ZERO) {
            let limit = ReadLimit { first: FirstBatch::IfItFits, ..limit };
            assert_eq!(sent(&cached), reader.read(from, below, limit).unwrap(), "{from}, below {below}");
            self.cached.set(self.cached.get() + 1);
        }

        let at = Timestamp::from_millis(if rng.coin() { rng.below(4000) as i64 } else { -1 });
        let new = |batch: &&&Batch| batch.last_offset() >= from && batch.header().max_timestamp() >= at;
        assert_eq!(
            reader.batch_at_time(at, from).unwrap().as_ref(),
            kept.iter().find(new).copied(),
            "{at} from {from}"
        );
        let largest = |batches: &[&Batch]| {
            let largest = batches.iter().map(|batch| batch.header().max_timestamp()).max();
            batches.iter().find(|batch| Some(batch.header().max_timestamp()) == largest).copied().cloned()
        };
        let end = kept.last().map_or(start, |last| last.next_offset());
        let newest = reader.newest_batches(start, end).unwrap();
        assert_eq!(newest.first(), largest(&kept).as_ref());
        // What stands at a border and above isn't seen: it may not be acknowledged.
        let until = rng.pick(&kept).map_or(end, |batch| batch.base_offset());
        let newest = reader.newest_batches(start, until).unwrap();
        let below: Vec<&Batch> = kept.iter().copied().filter(|batch| batch.base_offset() < until).collect();
        assert_eq!(largest(&newest.iter().collect::<Vec<_>>()), largest(&below), "the newest below {until}");
        let newest = reader.newest_batches(from, end).unwrap();
        let behind: Vec<&Batch> = newest.iter().filter(|batch| batch.base_offset() >= from).collect();
        let whole: Vec<&Batch> = kept.iter().copied().filter(|batch| batch.base_offset() >= from).collect();
        let expected = largest(&whole);
        assert_eq!(largest(&behind), expected, "the newest from {from} on");
        // What is left of the batch that holds `from` may be as new as the batch says.
        let newer = |batch: &&Batch| expected.as_ref().is_none_or(|other| !is_older(batch, other));
        if let Some(held) = kept
            .iter()
            .find(|batch| batch.base_offset() < from && batch.last_offset() >= from)
            .filter(|held| newer(held))
        {
            assert_eq!(newest.first(), Some(*held));
        }
        assert!(newest.iter().all(|batch| batch.last_offset() >= from) && newest.len() <= 3);
    }
}

fn is_older(batch: &Batch, than: &Batch) -> bool {
    batch.header().max_timestamp() < than.header().max_timestamp()
}

#[test]
fn whatever_is_done_to_it_a_log_holds_what_was_put_into_it() {
    let (mut cached, mut flushed) = (0, 0);
    for seed in 0..60 {
        let place = if seed == 0 { Place::real("model") } else { Place::simulated(seed) };
        let folder = place.root.join("model-0");
        let files = place.files();
        let mut rng = Rng::new(seed);
        let mut clock = 0;
        let mut flush = None;
        let segments = Segments::create(&files, &folder, topic(), Offset(0), small()).unwrap();
        let mut pair = Pair { segments, batches: Vec::new(), end: Offset(0), cached: Cell::new(0) };
        for _ in 0..120 {
            let kind = rng.below(15);
            // A sync that was begun is of the log that was open then, and that one is closed now.
            flush = flush.filter(|_| !(10..13).contains(&kind));
            match kind {
                0..6 => {
                    let mut new = Vec::new();
                    for _ in 0..rng.below(8) {
                        // Compaction leaves holes; a follower gets them with the batches.
                        let base = pair.end.plus(if rng.below(10) == 0 { 7 } else { 0 });
                        new.push(random_batch(&mut rng, base, &mut clock));
                        pair.end = new.last().unwrap().next_offset();
                    }
                    pair.segments.append(&new, NOW).unwrap();
                    pair.batches.extend(new);
                }
                6 => {
                    let back = rng.below(40).min((pair.end.0 - pair.segments.start().0) as u64);
                    let to = Offset(pair.end.0 - back as i64);
                    pair.segments.truncate(to).unwrap();
                    pair.batches.retain(|batch| batch.last_offset() < to);
                    if back > 0 {
                        // A hole before the cut goes with it.
                        let last = pair.batches.last().map_or(Offset(0), Batch::next_offset);
                        pair.end = last.max(pair.segments.bases().last().copied().unwrap_or(to));
                    }
                }
                7 => {
                    let offset = Offset(pair.segments.start().0 + rng.below(60) as i64);
                    let bases = pair.segments.bases();
                    let count = bases.windows(2).filter(|pair| pair[1] <= offset).count();
                    assert_eq!(pair.segments.delete_before(offset).unwrap(), count);
                    assert_eq!(pair.segments.bases(), bases[count..]);
                }
                8 => {
                    pair.segments.roll().unwrap();
                }
                9 => {
                    pair.segments.sync().unwrap();
                    assert_eq!(pair.segments.recovery_point(), pair.end);
                }
                10 => {
                    pair.segments.close().unwrap();
                    let opened = Segments::open(&files, &folder, topic(), small(), Trust::Clean).unwrap();
                    assert_eq!((&opened.1.cut, opened.1.rebuilt), (&None, 0));
                    pair.segments = opened.0;
                }
                11 => {
                    // The process was killed: all is there, nothing is known.
                    let recovery_point = rng.coin().then(|| pair.segments.recovery_point());
                    let trust = Trust::Unclean { recovery_point };
                    let opened = Segments::open(&files, &folder, topic(), small(), trust).unwrap();
                    assert_eq!(opened.1.cut, None);
                    pair.segments = opened.0;
                }
                12 => {
                    let kind = if rng.coin() { FileKind::OffsetIndex } else { FileKind::TimeIndex };
                    if let Some(base) = rng.pick(&pair.segments.bases()) {
                        let path = folder.join(file_name(*base, kind));
                        let garbage: Vec<u8> = (0..rng.below(60)).map(|_| rng.below(3) as u8).collect();
                        place.put(path.to_str().unwrap(), &garbage);
                        let opened = Segments::open(&files, &folder, topic(), small(), Trust::Clean).unwrap();
                        pair.segments = opened.0;
                    }
                }
                13 => match flush.take() {
                    // One that was begun some steps ago, over whatever happened since.
                    Some(begun) => {
                        Flush::run(&begun).unwrap();
                        pair.segments.flushed(&begun);
                        flushed += 1;
                    }
                    None => flush = pair.segments.flush_due(1),
                },
                _ => pair.segments.rebuild().unwrap(),
            }
            assert!(pair.segments.recovery_point() <= pair.end);
            pair.check(&mut rng);
        }
        cached += pair.cached.get();
    }
    assert!(cached > 0 && flushed > 0, "{cached} reads out of memory, {flushed} syncs");
}

/// Batches that are larger than what an index leaves between two entries are as common as small ones.
#[test]
fn what_is_in_memory_is_read_without_waiting() {
    let place = Place::simulated(1);
    let folder = place.root.join("cached-0");
    let rules = Rules { segment_bytes: 64 << 20, ..Rules::default() };
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), rules).unwrap();
    let (mut rng, mut clock) = (Rng::new(1), 0);
    for bytes in [100_000, 10, 200_000, 10, 10, 300_000] {
        let value = vec![b'v'; bytes];
        let mut large = Builder::new().record(Timestamp::from_millis(5), None, Some(&value)).build().unwrap();
        large.place(segments.end(), LeaderEpoch(0));
        let small = random_batch(&mut rng, large.next_offset(), &mut clock);
        segments.append(&[large, small], NOW).unwrap();
    }
    let reader = segments.reader(Checksums::Verified);
    for from in (0..segments.end().0).map(Offset) {
        let limit = ReadLimit { bytes: 1 << 20, first: FirstBatch::IfItFits };
        let read = reader.read(from, segments.end(), limit).unwrap();
        // The disk has each piece in memory every other time.
        let cached =
            (0..1000).find_map(|_| reader.read_cached_to_send(from, segments.end(), limit.bytes, Moment::ZERO));
        let found = sent(&cached.unwrap());
        assert!(!found.is_empty() && read.starts_with(&found), "at {from}");
        assert!(2 * found.iter().map(Batch::byte_length).sum::<usize>() >= read.iter().map(Batch::byte_length).sum());
    }
}

/// The indexes that come about while records are appended are those that are made from them afterwards, also over a stop.
#[test]
fn indexes_grow_as_they_are_made_again() {
    for seed in 0..20 {
        let place = Place::simulated(seed);
        let folder = place.root.join("grown-0");
        let files = place.files();
        let mut rng = Rng::new(seed);
        let (mut end, mut clock) = (Offset(0), 0);
        let mut segments = Segments::create(&files, &folder, topic(), end, small()).unwrap();
        for turn in 0..40 {
            let new = random_batch(&mut rng, end, &mut clock);
            end = new.next_offset();
            segments.append(&[new], NOW).unwrap();
            if turn % 10 == 9 {
                // Not a close, which leaves an entry that only the last segment's end would have.
                let trust = Trust::Unclean { recovery_point: None };
                segments = Segments::open(&files, &folder, topic(), small(), trust).unwrap().0;
            }
        }
        let bases = segments.bases();
        assert!(bases.len() > 1);
        segments.close().unwrap();
        let all = || -> Vec<_> {
            let kinds = [FileKind::OffsetIndex, FileKind::TimeIndex];
            let paths = bases.iter().flat_map(|base| kinds.map(|kind| folder.join(file_name(*base, kind))));
            paths.map(|path| bytes(&*place.disk, &path).unwrap()).collect()
        };
        let grown = all();
        assert!(grown.iter().map(Vec::len).sum::<usize>() > 200);
        let (mut segments, _) = Segments::open(&files, &folder, topic(), small(), Trust::Clean).unwrap();
        segments.rebuild().unwrap();
        assert_eq!(all(), grown);
    }
}

#[test]
fn each_cause_rolls_and_says_where() {
    let place = Place::simulated(1);
    let defaults = Rules::default();
    let rolls = |folder: &str, rules: Rules, batches: &[Batch]| {
        let mut segments =
            Segments::create(&place.files(), &place.root.join(folder), topic(), Offset(0), rules).unwrap();
        let appended = segments.append(batches, NOW).unwrap();
        assert_eq!(segments.bases()[1..], appended.rolled);
        assert!(read_all(&segments.reader(Checksums::Verified), Offset(0), ALL) == batches);
        appended.rolled.iter().map(|base| base.0).collect::<Vec<_>>()
    };
    let five = |times: [i64; 5]| -> Vec<Batch> {
        times.into_iter().enumerate().map(|(n, time)| batch(Offset(n as i64), 0, 1, b"", time)).collect()
    };
    let size = five([0; 5])[0].byte_length() as u32;
    assert_eq!(rolls("none-0", defaults, &five([0, 1, 2, 3, 4])), [] as [i64; 0]);
    assert_eq!(rolls("size-0", Rules { segment_bytes: 2 * size + 1, ..defaults }, &five([0; 5])), [2, 4]);
    let by_time = Rules { segment_age: Duration::from_millis(10), ..defaults };
    assert_eq!(rolls("time-0", by_time, &five([100, 110, 90, 111, 121])), [3]);
    let by_index = Rules { index_interval_bytes: size - 1, index_bytes: 24, ..defaults };
    assert_eq!(rolls("times-0", by_index, &five([0; 5])), [2, 4], "one entry, and one is for the roll");
    assert_eq!(rolls("index-0", by_index, &five([-1; 5])), [4], "three entries");
    let mut far = five([0; 5]);
    far[3].place(Offset(i64::from(i32::MAX)), LeaderEpoch(0));
    far[4].place(Offset(i64::from(i32::MAX) + 1), LeaderEpoch(0));
    assert_eq!(rolls("far-0", defaults, &far), [i64::from(i32::MAX) + 1]);
}

/// Segments without timestamps age by the wall, counted from when they were begun or opened.
#[test]
fn records_without_time_roll_by_the_wall() {
    let place = Place::simulated(1);
    let rules = Rules { segment_age: Duration::from_secs(1), ..Rules::default() };
    let folder = place.root.join("wall-0");
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), rules).unwrap();
    let mut append = |offset, after| {
        let now = Timestamp::from_millis(NOW.millis() + after);
        segments.append(&[batch(Offset(offset), 0, 1, b"", -1)], now).unwrap().rolled
    };
    assert_eq!(append(0, 0), []);
    assert_eq!(append(1, 1000), []);
    assert_eq!(append(2, 1001), [Offset(2)]);
    assert_eq!(append(3, 2001), []);
}

/// A file that has bytes behind what is known, as a write that failed leaves them, is trimmed before it is left.
#[test]
fn a_failed_write_leaves_nothing_behind() {
    let disk = SimulatedDisk::new(7, Faults::default());
    let place = Place::on(&disk);
    let folder = place.root.join("full-0");
    let rules = Rules { index_interval_bytes: 100, ..Rules::default() };
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), rules).unwrap();
    let batches: Vec<Batch> = (0..3).map(|n| batch(Offset(n), 0, 1, &[7; 500], n)).collect();
    segments.append(&batches[..1], NOW).unwrap();
    for _ in 0..5 {
        disk.fault_next(Kind::Write, ".log", Fault::Io);
        segments.append(&batches[1..], NOW).unwrap_err();
        assert_eq!(segments.end(), Offset(1));
    }
    segments.append(&batches[1..2], NOW).unwrap();
    segments.close().unwrap();
    let index = bytes(&*place.disk, &folder.join(file_name(Offset(0), FileKind::OffsetIndex))).unwrap();
    assert_eq!(index.len(), 8, "one entry, of the batch that got in");
    let (segments, opened) = Segments::open(&place.files(), &folder, topic(), rules, Trust::Clean).unwrap();
    assert_eq!((segments.end(), opened.cut), (Offset(2), None));
}

/// A log that gets little at a time has one file to write, not two. Who looks finds everything all the same, and so does
/// who opens it behind a kill.
#[test]
fn index_entries_are_written_several_at_a_time_and_those_that_an_error_kept_out_stay_due() {
    let disk = SimulatedDisk::new(7, Faults::default());
    let place = Place::on(&disk);
    let folder = place.root.join("due-0");
    let rules = Rules { index_interval_bytes: 100, ..Rules::default() };
    let index = folder.join(file_name(Offset(0), FileKind::OffsetIndex));
    let written = || bytes(&*place.disk, &index).unwrap().len() / 8;
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), rules).unwrap();
    // One entry each, but for the first.
    let batches: Vec<Batch> = (0..23).map(|n| batch(Offset(n), 0, 1, &[7; 500], n)).collect();
    for (before, one) in batches.iter().enumerate() {
        if before == 16 {
            disk.fault_next(Kind::Write, ".index", Fault::Io);
            segments.append(std::slice::from_ref(one), NOW).unwrap_err();
        } else {
            segments.append(std::slice::from_ref(one), NOW).unwrap();
        }
        assert_eq!(segments.end(), one.next_offset(), "an index is a hint: the batch is in");
        let expected = match before {
            0..8 => 0..=0,
            8..16 => 8..=8,
            16 => 8..=16, // what an error leaves of a write
            17.. => 17..=17,
        };
        assert!(expected.contains(&written()), "{} entries behind batch {before}", written());
        let reader = segments.reader(Checksums::Verified);
        for held in &batches[..=before] {
            assert_eq!(read_all(&reader, held.base_offset(), ALL)[0], *held);
            let found = reader.batch_at_time(held.header().max_timestamp(), Offset(0)).unwrap();
            assert_eq!(found.as_ref(), Some(held));
        }
    }
    drop(segments);
    let trust = Trust::Unclean { recovery_point: None };
    let (segments, opened) = Segments::open(&place.files(), &folder, topic(), rules, trust).unwrap();
    assert_eq!((written(), opened), (22, Opened::default()));
    segments.close().unwrap();
    assert_eq!(written(), 22);
}

/// Names come before bytes: a namesake's records, or ones that nobody signed, are not touched.
#[test]
fn a_folder_of_another_topic_or_of_none_is_refused() {
    let place = Place::simulated(1);
    let folder = place.root.join("named-0");
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), small()).unwrap();
    segments.append(&[batch(Offset(0), 0, 1, b"x", 0)], NOW).unwrap();
    segments.close().unwrap();
    let other = TopicId::from_random([1; 16]);
    let open =
        |id, trust| Segments::open(&place.files(), &folder, id, small(), trust).map(|(segments, _)| segments.end());
    let redone = Trust::Redone { from: Offset(0) };
    for trust in [Trust::Clean, redone, Trust::Unclean { recovery_point: Some(Offset(0)) }] {
        assert!(matches!(open(other, trust), Err(SegmentError::AnotherTopic { found, .. }) if found == topic()));
    }
    place.disk.remove_file(&folder.join("partition.metadata")).unwrap();
    for trust in [Trust::Clean, Trust::Redone { from: Offset(1) }, Trust::Unclean { recovery_point: None }] {
        assert!(matches!(open(topic(), trust), Err(SegmentError::Unnamed(path)) if path == folder));
    }
    // Nothing in it was ever durable: a crash between the name of the one file and that of the other.
    assert_eq!(open(topic(), Trust::Unclean { recovery_point: Some(Offset(0)) }).unwrap(), Offset(1));
    place.put(folder.join("00000000000000000000.log.swap").to_str().unwrap(), b"");
    assert!(matches!(open(topic(), Trust::Clean), Err(SegmentError::Unfinished(_))));
}

/// What is on its way out goes; what another program put there stays.
#[test]
fn leftovers_go_and_strangers_stay() {
    let place = Place::simulated(1);
    let folder = place.root.join("left-0");
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), small()).unwrap();
    segments.append(&[batch(Offset(0), 0, 1, b"x", 0)], NOW).unwrap();
    segments.close().unwrap();
    let names = ["00000000000000000000.log.deleted", "00000000000000000077.index", "00000000000000000077.timeindex"];
    let strangers = ["00000000000000000077.snapshot", "notes.txt", "00000000000000000000.log.cleaned"];
    names.iter().chain(&strangers).for_each(|name| place.put(folder.join(name).to_str().unwrap(), b"?"));
    let (segments, _) = Segments::open(&place.files(), &folder, topic(), small(), Trust::Clean).unwrap();
    assert_eq!(segments.bases(), [Offset(0)]);
    assert!(names.iter().all(|name| place.bytes(&folder.join(name)).is_none()));
    assert!(strangers.iter().all(|name| place.bytes(&folder.join(name)).is_some()));
}

/// A follower that starts anew at its leader's log start keeps that place over a restart, without a record.
#[test]
fn an_empty_log_remembers_where_it_goes_on() {
    let place = Place::simulated(1);
    let folder = place.root.join("moved-0");
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), small()).unwrap();
    segments.append(&[batch(Offset(0), 0, 5, b"x", 0)], NOW).unwrap();
    segments.restart_at(Offset(1000)).unwrap();
    assert_eq!(
        (segments.start(), segments.end(), segments.recovery_point()),
        (Offset(1000), Offset(1000), Offset(1000))
    );
    segments.close().unwrap();
    let (mut segments, _) = Segments::open(&place.files(), &folder, topic(), small(), Trust::Clean).unwrap();
    assert_eq!(segments.end(), Offset(1000));
    segments.append(&[batch(Offset(1000), 0, 5, b"x", 0)], NOW).unwrap();
    segments.truncate(Offset(3)).unwrap();
    assert_eq!((segments.start(), segments.end()), (Offset(3), Offset(3)));
}

/// A missing segment in the middle is seen and said; whether that may be is for who knows the topic.
#[test]
fn a_hole_between_segments_is_said() {
    let place = Place::simulated(1);
    let folder = place.root.join("hole-0");
    let rules = Rules { segment_bytes: 200, ..small() };
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), rules).unwrap();
    let batches: Vec<Batch> = (0..4).map(|n| batch(Offset(n), 0, 1, &[0; 90], n)).collect();
    segments.append(&batches, NOW).unwrap();
    segments.close().unwrap();
    place.disk.remove_file(&folder.join(file_name(Offset(2), FileKind::Log))).unwrap();
    let (segments, opened) = Segments::open(&place.files(), &folder, topic(), rules, Trust::Clean).unwrap();
    assert_eq!(opened.holes.iter().map(|hole| (hole.from.0, hole.to.0)).collect::<Vec<_>>(), [(2, 3)]);
    let read = read_all(&segments.reader(Checksums::Verified), Offset(2), ALL);
    assert!(read == batches[3..]);
}

/// Readers in other threads see whole batches of one history at a time, whatever the writer does meanwhile.
#[test]
fn readers_see_whole_batches_while_the_writer_appends_cuts_and_deletes() {
    for place in Place::both("threads") {
        let folder = place.root.join("busy-0");
        let rules = Rules { segment_bytes: 3000, index_bytes: 4096, ..small() };
        let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), rules).unwrap();
        let (done, seen) = (AtomicBool::new(false), AtomicI64::new(0));
        let value = |epoch: i32, base: i64| [epoch.to_be_bytes().to_vec(), base.to_be_bytes().repeat(6)].concat();
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let reader = segments.reader(Checksums::Verified);
                let (done, seen, value) = (&done, &seen, &value);
                scope.spawn(move || {
                    let mut rng = Rng::new(thread);
                    while !done.load(Ordering::Relaxed) {
                        let (start, end) = (reader.start().0, reader.end().0);
                        let from = Offset(start + rng.below((end - start).max(1) as u64) as i64);
                        let limit = ReadLimit { bytes: rng.below(4000) as usize, first: FirstBatch::Always };
                        let batches = reader.read(from, Offset(i64::MAX), limit).unwrap();
                        for (number, batch) in batches.iter().enumerate() {
                            let record = Records::of(batch).unwrap().next().unwrap().unwrap();
                            let expected = value(batch.header().leader_epoch().0, batch.base_offset().0);
                            assert_eq!(record.value, Some(expected.as_slice()));
                            assert!(number == 0 || batches[number - 1].next_offset() == batch.base_offset());
                        }
                        seen.fetch_add(batches.len() as i64, Ordering::Relaxed);
                        let at = Timestamp::from_millis(rng.below(end.max(1) as u64) as i64);
                        if let Some(batch) = reader.batch_at_time(at, Offset(start)).unwrap() {
                            assert!(batch.header().max_timestamp() >= at);
                        }
                    }
                });
            }
            let mut rng = Rng::new(99);
            let mut epoch = 0;
            // Until enough was seen, so that a slow machine tests as much as a quick one.
            while seen.load(Ordering::Relaxed) < 3000 {
                for _ in 0..rng.below(12) {
                    let base = segments.end();
                    let new = batch(base, epoch, 3, &value(epoch, base.0), base.0);
                    segments.append(&[new], NOW).unwrap();
                }
                match rng.below(6) {
                    0 => {
                        epoch += 1;
                        let to = segments.end().0 - rng.below(60) as i64;
                        segments.truncate(Offset(to.max(segments.start().0))).unwrap();
                    }
                    1 if segments.end().0 - segments.start().0 > 300 => {
                        segments.delete_before(Offset(segments.end().0 - 200)).unwrap();
                    }
                    _ => {}
                }
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}

/// The budget is 4 KiB a partition for everything; its files take a small part of it.
#[test]
fn an_idle_log_costs_little_memory_whatever_its_size() {
    let place = Place::real("memory");
    let files = place.files();
    let rules = Rules { index_interval_bytes: 10, ..Rules::default() };
    for (name, batches) in [("few-0", 1), ("many-0", 3000)] {
        let mut segments = Segments::create(&files, &place.root.join(name), topic(), Offset(0), rules).unwrap();
        let all: Vec<Batch> = (0..batches).map(|n| batch(Offset(n), 0, 1, b"x", n)).collect();
        segments.append(&all, NOW).unwrap();
        segments.close().unwrap();
    }
    assert!(bytes(&*place.disk, &place.root.join("many-0/00000000000000000000.index")).unwrap().len() > 20_000);
    let cost = |name: &str| {
        let folder = place.root.join(name);
        let open = || Segments::open(&files, &folder, topic(), rules, Trust::Clean).unwrap().0;
        let _first = open(); // what the descriptors need is theirs
        let mut kept = Vec::with_capacity(100);
        let counted = allocation_counter::measure(|| kept.extend((0..100).map(|_| open())));
        counted.bytes_current / 100
    };
    let (few, many) = (cost("few-0"), cost("many-0"));
    println!("an idle log: {few} bytes");
    assert!(few < 1024, "{few} bytes");
    assert!(many < few + 64, "{many} bytes with 3000 index entries, {few} with none");
}

/// Reading a file through the cache while another log's files push it out.
#[test]
fn a_hundred_logs_share_four_descriptors() {
    let place = Place::real("descriptors");
    let files = place.files();
    let mut logs: Vec<Segments> = (0..100)
        .map(|n| Segments::create(&files, &place.root.join(format!("log-{n}")), topic(), Offset(0), small()).unwrap())
        .collect();
    for turn in 0..5 {
        for log in &mut logs {
            log.append(&[batch(Offset(turn), 0, 1, &[turn as u8; 300], turn)], NOW).unwrap();
            assert!(files.len() <= 4);
        }
    }
    for log in logs {
        assert_eq!(read_all(&log.reader(Checksums::Verified), Offset(0), ALL).len(), 5);
        log.close().unwrap();
    }
    assert!(place.disk.list(Path::new(&place.root)).unwrap().len() == 100);
}
