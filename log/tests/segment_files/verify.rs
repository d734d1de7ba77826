//! What a look over a directory finds: nothing in what a real Kafka left in order, and every damage by file and place. What
//! was mended is in order.

use std::path::Path;

use thalweg_log::segment::Trust;
use thalweg_log::verify::{self, Finding, Left, Mode, Outcome, Remedy, Report, Subject, Surroundings, Totals, Weight};
use thalweg_wire::Offset;
use thalweg_world::simulated::Rng;

use crate::Place;
use crate::kafka::{Written, open};

/// All that is found, and what was looked at.
fn findings(place: &Place, mode: Mode) -> (Vec<Finding>, Totals) {
    let mut found = Vec::new();
    let mut sink = |finding| found.push(finding);
    let mut report = Report::new(&mut sink);
    verify::directory(&*place.disk, &place.root, None, mode, &mut report).unwrap();
    let totals = report.totals;
    (found, totals)
}

/// The same of one folder, as after a clean stop.
fn in_folder(place: &Place, folder: &str, mode: Mode) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut sink = |finding| found.push(finding);
    let mut report = Report::new(&mut sink);
    let around = Surroundings { left: Left::Clean, ..Surroundings::NONE };
    verify::partition(&*place.disk, &place.root.join(folder), &around, mode, &mut report).unwrap();
    found
}

/// One folder of the fixture, alone.
fn folder(written: &Written, name: &str) -> Place {
    let place = Place::simulated(1);
    written.put_all(&place, |path| path.split('/').next() != Some(name));
    assert_eq!(in_folder(&place, name, Mode::Look), []);
    place
}

fn name(finding: &Finding) -> String {
    finding.file.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn what_kafka_left_in_order_is_in_order() {
    let written = Written::load("clean");
    for place in Place::both("verify-clean") {
        written.put_all(&place, |_| false);
        let (found, totals) = findings(&place, Mode::Repair);
        assert_eq!(found, []);
        assert_eq!((totals.partitions, totals.segments, totals.batches), (102, 157, 950));
        assert_eq!((totals.damage, totals.notes, totals.mended), (0, 0, 0));
        for (path, bytes) in &written.files {
            assert_eq!(place.bytes(Path::new(path)).as_ref(), Some(bytes), "nothing had to be mended in {path}");
        }
    }
}

/// What a kill leaves at the end of a log, and in front of its indexes, is none; a start sets it right.
#[test]
fn what_a_killed_kafka_left_is_told_apart_from_damage() {
    let written = Written::load("torn");
    let place = Place::simulated(1);
    written.put_all(&place, |_| false);
    let (found, _) = findings(&place, Mode::Look);
    let seen: Vec<_> = found
        .iter()
        .map(|finding| {
            let folder = finding.file.strip_prefix(&place.root).unwrap().iter().next().unwrap().to_str().unwrap();
            (folder, finding.weight, finding.subject, finding.position, finding.remedy)
        })
        .collect();
    let index = |folder, weight, position| {
        let of = |subject| (folder, weight, subject, position, Remedy::Rebuild);
        [of(Subject::OffsetIndex), of(Subject::TimeIndex)]
    };
    let torn = |folder, at| (folder, Weight::Note, Subject::Batch, Some(at), Remedy::Unneeded);
    let bad_index = index("torn-bad-index-0", Weight::Damage, Some(0));
    let no_index = index("torn-no-index-0", Weight::Damage, None);
    let expected = [
        &bad_index[..],
        &[
            torn("torn-bit-0", 10211),
            torn("torn-cut-0", 10211),
            torn("torn-garbage-0", 10378),
            torn("torn-header-0", 10211),
            ("torn-middle-0", Weight::Damage, Subject::Batch, Some(5192), Remedy::Elsewhere),
            ("torn-no-epochs-0", Weight::Damage, Subject::EpochCheckpoint, None, Remedy::Rebuild),
        ],
        &no_index,
        &[torn("torn-zeros-0", 10378)],
    ]
    .concat();
    assert_eq!(seen, expected);
    let middle = found.iter().find(|finding| finding.position == Some(5192)).unwrap();
    assert_eq!(middle.offsets, Some((Offset(95), Some(Offset(100)))), "and what stands behind it is whole");
}

/// A repair never touches records, and what it made is in order, for a start as well.
#[test]
fn what_was_mended_is_in_order_and_no_record_has_changed() {
    let written = Written::load("torn");
    for place in Place::both("verify-mended") {
        written.put_all(&place, |_| false);
        let (found, totals) = findings(&place, Mode::Repair);
        assert_eq!((totals.mended, totals.damage), (5, 1));
        for finding in &found {
            let is_mendable = finding.remedy == Remedy::Rebuild;
            assert_eq!(finding.outcome == Outcome::Mended, is_mendable, "{finding:?}");
        }
        for (path, bytes) in written.files.iter().filter(|(path, _)| path.ends_with(".log")) {
            assert_eq!(place.bytes(Path::new(path)).as_ref(), Some(bytes), "{path}");
        }
        let (again, _) = findings(&place, Mode::Look);
        let damage: Vec<_> = again.iter().filter(|finding| finding.weight == Weight::Damage).collect();
        assert_eq!(damage.len(), 1, "{damage:?}");
        assert!(damage[0].file.ends_with("torn-middle-0/00000000000000000000.log"));
        for partition in written.partitions().into_iter().filter(|partition| partition["topic"] != "torn-middle") {
            let (segments, opened) =
                open(&written, &place, partition, Trust::Unclean { recovery_point: None }).unwrap();
            assert_eq!(opened.rebuilt, 0, "{partition}");
            assert_eq!(segments.end().0, partition["highWatermark"].as_i64().unwrap(), "{partition}");
        }
    }
}

/// Also those that no checksum covers: where a batch is, how long it is, and of which leader epoch.
#[test]
fn every_flipped_bit_of_a_segment_is_found() {
    let written = Written::load("clean");
    let folder_name = "segments-by-time-0";
    let place = folder(&written, folder_name);
    for base in [0, 84, 189] {
        let path = format!("{folder_name}/{base:020}.log");
        let whole = written.files[&path].clone();
        for bit in (base as usize % 3..whole.len() * 8).step_by(3) {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            place.put(&path, &damaged);
            let found = in_folder(&place, folder_name, Mode::Look);
            let first = found.iter().find(|finding| finding.weight == Weight::Damage);
            let first = first.unwrap_or_else(|| panic!("bit {bit} of {path} is not seen: {found:?}"));
            assert!(first.offsets.is_some() || first.position.is_some(), "{first:?}");
        }
        place.put(&path, &whole);
    }
}

#[test]
fn every_flipped_bit_of_an_index_is_found_and_mended() {
    let written = Written::load("clean");
    let folder_name = "segments-by-index-0";
    let place = folder(&written, folder_name);
    for extension in ["index", "timeindex"] {
        let path = format!("{folder_name}/{:020}.{extension}", 32);
        let whole = written.files[&path].clone();
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            place.put(&path, &damaged);
            let found = in_folder(&place, folder_name, Mode::Look);
            let entry = if extension == "index" { 8 } else { 12 };
            let [finding] = &found[..] else { panic!("bit {bit} of {path}: {found:?}") };
            let at = finding.position.unwrap();
            // The entry itself, or the next one, which doesn't follow it any more.
            let place_of = (bit / 8 / entry * entry) as u64;
            assert!(at == place_of || at == place_of + entry as u64, "bit {bit}: {finding:?}");
            assert_eq!((name(finding), finding.remedy), (path[folder_name.len() + 1..].to_owned(), Remedy::Rebuild));
        }
        let found = in_folder(&place, folder_name, Mode::Repair);
        assert_eq!(found[0].outcome, Outcome::Mended);
        assert_eq!(in_folder(&place, folder_name, Mode::Look), []);
        place.put(&path, &whole);
    }
}

/// A change to a file of a folder.
type Change = Box<dyn Fn(&mut Vec<u8>)>;

#[test]
fn each_file_of_a_folder_is_held_against_the_records() {
    let written = Written::load("clean");
    let flip = |at: usize| -> Change { Box::new(move |bytes| bytes[at] ^= 1) };
    let change = |change: fn(&mut Vec<u8>)| -> Change { Box::new(change) };
    let snapshot = "00000000000000000047.snapshot";
    let cases = [
        ("__consumer_offsets-1", snapshot, flip(20), Subject::ProducerSnapshot, Some(0), Remedy::Remove),
        ("__consumer_offsets-1", "partition.metadata", flip(3), Subject::PartitionMetadata, None, Remedy::Elsewhere),
        (
            "__consumer_offsets-1",
            "leader-epoch-checkpoint",
            flip(0),
            Subject::EpochCheckpoint,
            Some(0),
            Remedy::Rebuild,
        ),
        (
            "__consumer_offsets-1",
            "leader-epoch-checkpoint",
            change(|bytes| {
                bytes.clear();
                bytes.extend_from_slice(b"0\n1\n0 0\n");
            }),
            Subject::EpochCheckpoint,
            None,
            Remedy::Elsewhere,
        ),
        // A marker one offset further on, another producer, another version; half an entry.
        (
            "tx-interleaved-0",
            "00000000000000000013.txnindex",
            flip(25),
            Subject::TransactionIndex,
            Some(0),
            Remedy::Elsewhere,
        ),
        (
            "tx-interleaved-0",
            "00000000000000000013.txnindex",
            flip(34 + 9),
            Subject::TransactionIndex,
            Some(34),
            Remedy::Elsewhere,
        ),
        (
            "tx-interleaved-0",
            "00000000000000000013.txnindex",
            flip(68),
            Subject::TransactionIndex,
            Some(68),
            Remedy::Elsewhere,
        ),
        (
            "tx-interleaved-0",
            "00000000000000000013.txnindex",
            change(|bytes| bytes.truncate(90)),
            Subject::TransactionIndex,
            Some(68),
            Remedy::Elsewhere,
        ),
        (
            "segments-by-size-0",
            "00000000000000000412.index",
            change(|bytes| bytes.extend_from_slice(&[0; 16])),
            Subject::OffsetIndex,
            Some(816),
            Remedy::Rebuild,
        ),
        (
            "segments-by-size-0",
            "00000000000000000412.timeindex",
            change(|bytes| bytes.truncate(1200)),
            Subject::TimeIndex,
            None,
            Remedy::Rebuild,
        ),
    ];
    for (folder_name, file, change, subject, position, remedy) in cases {
        let place = folder(&written, folder_name);
        let path = format!("{folder_name}/{file}");
        let mut bytes = written.files[&path].clone();
        change(&mut bytes);
        place.put(&path, &bytes);
        let found = in_folder(&place, folder_name, Mode::Look);
        let [finding] = &found[..] else { panic!("{path}: {found:?}") };
        assert_eq!((finding.subject, finding.position, finding.remedy), (subject, position, remedy), "{finding:?}");
        assert_eq!(name(finding), file);
        let mended = in_folder(&place, folder_name, Mode::Repair);
        let is_mendable = remedy != Remedy::Elsewhere;
        assert_eq!(mended[0].outcome == Outcome::Mended, is_mendable, "{mended:?}");
        assert_eq!(in_folder(&place, folder_name, Mode::Look).is_empty(), is_mendable, "{path}");
    }
}

#[test]
fn what_a_directory_says_of_its_logs_is_held_against_them() {
    let written = Written::load("clean");
    let place = Place::simulated(1);
    let kept = "codec-none-0";
    written.put_all(&place, |path| path.contains('/') && !path.starts_with(kept));
    let seen = |place: &Place| {
        let (found, _) = findings(place, Mode::Repair);
        let damage = found.into_iter().filter(|finding| finding.weight == Weight::Damage);
        damage.map(|finding| (finding.subject, name(&finding), finding.position)).collect::<Vec<_>>()
    };
    assert_eq!(seen(&place), []);
    let log = format!("{kept}/00000000000000000000.log");
    // Whole batches are missing at the end: only the recovery point knows.
    let first = i32::from_be_bytes(written.files[&log][8..12].try_into().unwrap()) as usize + 12;
    place.put(&log, &written.files[&log][..first]);
    let found = seen(&place);
    assert!(found.contains(&(Subject::Offsets, kept.to_owned(), None)), "{found:?}");
    place.put(&log, &written.files[&log]);
    for index in ["index", "timeindex"] {
        place.put(&log.replace("log", index), &written.files[&log.replace("log", index)]);
    }
    for (file, bytes, subject, position) in [
        ("recovery-point-offset-checkpoint", &b"0\n1\ncodec-none 0 x\n"[..], Subject::Checkpoint, Some(4)),
        ("log-start-offset-checkpoint", b"1\n", Subject::Checkpoint, Some(0)),
        ("meta.properties", b"version=1\n", Subject::Meta, None),
    ] {
        place.put(file, bytes);
        assert_eq!(seen(&place), [(subject, file.to_owned(), position)]);
        // What a start finds by itself may go; where a log begins nothing else says.
        let is_mended = file == "recovery-point-offset-checkpoint";
        assert_eq!(place.bytes(Path::new(file)).is_none(), is_mended, "{file}");
        assert_eq!(seen(&place).is_empty(), is_mended, "{file}");
        place.put(file, &written.files[file]);
    }
}

/// Whatever stands in the files: it ends, it doesn't panic, and a repair changes no record and leaves nothing that a second
/// one would mend.
#[test]
fn any_bytes_in_any_file_are_looked_over_to_the_end() {
    let written = Written::load("clean");
    let folders = ["__consumer_offsets-1", "segments-by-index-0", "tx-interleaved-0", "codec-zstd-0", "codec-lz4-0"];
    for seed in 0..150 {
        let mut rng = Rng::new(seed);
        let folder_name = folders[rng.below(folders.len() as u64) as usize];
        let place = folder(&written, folder_name);
        let files: Vec<_> =
            written.files.iter().filter(|(path, _)| path.split('/').next() == Some(folder_name)).collect();
        for _ in 0..=rng.below(3) {
            let (path, bytes) = files[rng.below(files.len() as u64) as usize];
            let mut bytes = bytes.clone();
            let size = bytes.len() as u64;
            match rng.below(4) {
                0 => bytes.truncate(rng.below(size + 1) as usize),
                1 => bytes.extend((0..rng.below(100)).map(|_| rng.below(256) as u8)),
                _ => {
                    for _ in 0..(1 + rng.below(8)).min(size) {
                        bytes[rng.below(size) as usize] ^= 1 << rng.below(8);
                    }
                }
            }
            place.put(path, &bytes);
        }
        let logs = || -> Vec<_> {
            let logs = files.iter().filter(|(path, _)| path.ends_with(".log"));
            logs.map(|(path, _)| place.bytes(Path::new(path))).collect()
        };
        let before = logs();
        let first = in_folder(&place, folder_name, Mode::Repair);
        assert!(logs() == before, "seed {seed}: {first:?}");
        let second = in_folder(&place, folder_name, Mode::Repair);
        let mended: Vec<_> = second.iter().filter(|finding| finding.outcome != Outcome::Left).collect();
        assert!(mended.is_empty(), "seed {seed}: {mended:?} after {first:?}");
        let left = first.iter().filter(|finding| finding.outcome == Outcome::Left).count();
        assert_eq!(second.len(), left, "seed {seed}: {second:?} after {first:?}");
    }
}
