//! What a real Kafka left when it was killed, and damaged on purpose after that. What Kafka cuts is cut here too, but for
//! a bad batch in the middle: that is refused, and named (promise 7).

use std::io::IoSlice;
use std::path::Path;

use thalweg_log::segment::text_checkpoint::RECOVERY_POINT;
use thalweg_log::segment::{Checksums, Damage, Flaw, SegmentError, Segments, Trust, leader_epochs};
use thalweg_wire::batch::{Batch, Corruption};
use thalweg_wire::{Moment, Offset, PartitionIndex};
use thalweg_world::disk::{Disk, Open};
use thalweg_world::simulated::{Faults, SimulatedDisk};

use crate::archive::lines;
use crate::kafka::{Written, assert_epoch_ends, assert_serves, epochs_of, name, open};
use crate::{ALL, NOW, Place, read_all, topic};

#[test]
fn what_a_kill_left_and_each_damage_comes_out_as_kafka_has_it_or_is_named() {
    let written = Written::load("torn");
    let damages = lines("torn.damage.jsonl");
    let points = written.checkpoint(RECOVERY_POINT);
    for place in Place::both("torn") {
        written.put_all(&place, |_| false);
        let (mut cut, mut rebuilt) = (Vec::new(), Vec::new());
        for partition in written.partitions() {
            let name = name(partition);
            let trust = Trust::Unclean { recovery_point: points.get(&name).copied() };
            if name.topic == "torn-middle" {
                let Err(SegmentError::Damaged(damage)) = open(&written, &place, partition, trust) else {
                    panic!("{name} is damaged")
                };
                let Damage { topic, partition, offset, file, position, flaw } = damage;
                assert_eq!((topic.as_str(), partition, offset), ("torn-middle", PartitionIndex(0), Offset(95)));
                assert!(file.ends_with("torn-middle-0/00000000000000000000.log"), "{}", file.display());
                assert_eq!(position, 5192);
                assert!(matches!(flaw, Flaw::NotABatch(Corruption::Crc { .. })));
                let log = "torn-middle-0/00000000000000000000.log";
                assert_eq!(place.bytes(Path::new(log)).as_ref(), written.files.get(log), "nothing was cut");
                continue;
            }
            let (segments, opened) = open(&written, &place, partition, trust).unwrap();
            let reader = segments.reader(Checksums::Verified);
            assert_eq!(segments.end().0, partition["highWatermark"].as_i64().unwrap(), "{name}");
            assert_serves(&written, partition, &reader);
            if let Some(damage) = damages.iter().find(|damage| damage["topic"] == partition["topic"]) {
                let number = |key: &str| damage[key].as_u64().unwrap();
                let last_is_bad =
                    number("lengthAfter") <= number("endBefore") && damage["damage"].to_string().contains("last");
                let kept = if last_is_bad { number("lastBatchAt") } else { number("endBefore") };
                let gone = number("lengthAfter") - kept;
                let found = opened.cut.as_ref().map(|cut| (cut.position, cut.bytes, cut.end));
                assert_eq!(found, (gone > 0).then_some((kept, gone, segments.end())), "{damage}");
                cut.extend(found.map(|_| name.topic.clone()));
                if opened.rebuilt > 0 {
                    rebuilt.push(name.topic.clone());
                }
            }
            let checkpoint = place.bytes(Path::new(&format!("{name}/leader-epoch-checkpoint")));
            let epochs = checkpoint.map_or_else(|| epochs_of(&reader), |bytes| leader_epochs::decode(&bytes).unwrap());
            assert_eq!(
                name.topic != "torn-no-epochs",
                place.bytes(Path::new(&format!("{name}/leader-epoch-checkpoint"))).is_some()
            );
            if !name.topic.starts_with("__") {
                assert_epoch_ends(partition, &epochs, segments.end());
            }

            // Closed and opened again it is a clean log: trimmed, with indexes that are believed.
            let (end, batches) = (segments.end(), read_all(&reader, Offset::ZERO, ALL));
            segments.close().unwrap();
            let (segments, opened) = open(&written, &place, partition, Trust::Clean).unwrap();
            assert_eq!((opened.cut, opened.rebuilt, segments.end()), (None, 0, end), "{name}");
            assert!(read_all(&segments.reader(Checksums::Verified), Offset::ZERO, ALL) == batches);
        }
        cut.sort();
        assert_eq!(cut, ["torn-bit", "torn-cut", "torn-garbage", "torn-header", "torn-zeros"]);
        assert_eq!(rebuilt, ["torn-no-index"], "of the others some of what stood there was true");
    }
}

/// The same rule where nothing was ever synced, in any segment: only the very end of a log is ever cut.
#[test]
fn a_bad_batch_is_cut_only_where_nothing_follows_it() {
    let place = Place::simulated(3);
    let rules = crate::small();
    let write = |folder: &str| {
        let mut segments =
            Segments::create(&place.files(), &place.root.join(folder), topic(), Offset(0), rules).unwrap();
        let batches: Vec<Batch> =
            (0..60).map(|n| crate::batch(Offset(3 * n), 0, 3, &[n as u8; 40], 1000 + 10 * n)).collect();
        segments.append(&batches, NOW).unwrap();
        assert!(segments.bases().len() > 3);
        (segments, batches)
    };
    let (first, batches) = write("whole-0");
    let bases = first.bases();
    let log = |folder: &str, base: Offset| format!("{folder}/{:020}.log", base.0);
    let trust = Trust::Unclean { recovery_point: Some(Offset(0)) };
    for (number, &base) in bases.iter().enumerate() {
        let size = place.bytes(Path::new(&log("whole-0", base))).unwrap().len();
        for (what, at) in [("first", 70), ("last", size - 1)] {
            let folder = format!("{what}-{number}");
            let (segments, _) = write(&folder);
            drop(segments);
            let path = log(&folder, base);
            let mut bytes = place.bytes(Path::new(&path)).unwrap();
            bytes[at] ^= 1;
            place.put(&path, &bytes);
            let opened = Segments::open(&place.files(), &place.root.join(&folder), topic(), rules, trust);
            let is_at_the_end = number == bases.len() - 1 && what == "last";
            match opened {
                Ok((segments, opened)) => {
                    assert!(is_at_the_end, "{folder}");
                    let cut = opened.cut.unwrap();
                    assert_eq!((cut.end, segments.end()), (Offset(177), Offset(177)));
                    let kept = read_all(&segments.reader(Checksums::Verified), Offset(0), ALL);
                    assert!(kept == batches[..59]);
                }
                Err(SegmentError::Damaged(damage)) => {
                    assert!(!is_at_the_end, "{folder}");
                    assert!(damage.file.ends_with(&path));
                    assert_eq!(place.bytes(Path::new(&path)), Some(bytes), "nothing was cut");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// A record that was durable and can't be read is never cut, not even at the very end.
#[test]
fn a_bad_last_batch_below_the_recovery_point_is_damage() {
    let place = Place::simulated(4);
    let folder = place.root.join("synced-0");
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), crate::small()).unwrap();
    let batches: Vec<Batch> = (0..4).map(|n| crate::batch(Offset(n), 0, 1, b"x", n)).collect();
    segments.append(&batches, NOW).unwrap();
    segments.sync().unwrap();
    assert_eq!(segments.recovery_point(), Offset(4));
    let log = Path::new("synced-0/00000000000000000000.log");
    let mut bytes = place.bytes(log).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    place.put(log.to_str().unwrap(), &bytes);
    for trust in [Trust::Unclean { recovery_point: Some(Offset(4)) }, Trust::Redone { from: Offset(4) }] {
        let Err(SegmentError::Damaged(damage)) =
            Segments::open(&place.files(), &folder, topic(), crate::small(), trust)
        else {
            panic!("it is damaged")
        };
        assert_eq!(damage.offset, Offset(3));
    }
    // What the journal has is written again, whatever stands there.
    let trust = Trust::Redone { from: Offset(3) };
    let (mut segments, _) = Segments::open(&place.files(), &folder, topic(), crate::small(), trust).unwrap();
    assert_eq!(segments.end(), Offset(3));
    segments.append(&batches[3..], NOW).unwrap();
    assert!(read_all(&segments.reader(Checksums::Verified), Offset(0), ALL) == batches);
}

/// Else the torn bytes could come back, after a power cut, behind records that were appended in their place.
#[test]
fn a_cut_is_durable_before_anything_is_appended() {
    let disk = SimulatedDisk::new(6, Faults::default());
    let place = Place::on(&disk);
    let folder = place.root.join("cut-0");
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), crate::small()).unwrap();
    segments.append(&[crate::batch(Offset(0), 0, 1, b"x", 0)], NOW).unwrap();
    segments.close().unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    let log = folder.join("00000000000000000000.log");
    let whole = place.bytes(&log).unwrap();
    let file = disk.open(&log, Open::Write).unwrap();
    file.write_at(&[IoSlice::new(&[0xab; 99])], whole.len() as u64).unwrap();
    file.sync().unwrap();
    let trust = Trust::Unclean { recovery_point: Some(Offset(1)) };
    let (_, opened) = Segments::open(&place.files(), &folder, topic(), crate::small(), trust).unwrap();
    assert_eq!(opened.cut.unwrap().bytes, 99);
    assert_eq!(disk.durable_bytes(&log).unwrap(), whole);
}

/// A damaged batch is never served; those before it are.
#[test]
fn a_reader_stops_before_a_damaged_batch_and_names_it() {
    let place = Place::simulated(5);
    let folder = place.root.join("rotten-3");
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), crate::Rules::default()).unwrap();
    let batches: Vec<Batch> = (0..4).map(|n| crate::batch(Offset(2 * n), 0, 2, b"xyz", n)).collect();
    segments.append(&batches, NOW).unwrap();
    let at: usize = batches[..2].iter().map(Batch::byte_length).sum();
    let log = "rotten-3/00000000000000000000.log";
    let mut bytes = place.bytes(Path::new(log)).unwrap();
    bytes[at + 70] ^= 4;
    place.put(log, &bytes);

    let reader = segments.reader(Checksums::Verified);
    assert!(reader.read(Offset(0), Offset(8), ALL).unwrap() == batches[..2]);
    let Err(SegmentError::Damaged(damage)) = reader.read(Offset(4), Offset(8), ALL) else { panic!("it is damaged") };
    assert_eq!((damage.topic.as_str(), damage.partition, damage.offset), ("rotten", PartitionIndex(3), Offset(4)));
    assert_eq!(damage.position, at as u64);
    assert!(
        (0..100).all(|_| reader.read_cached_to_send(Offset(4), Offset(8), 10_000, Moment::ZERO).is_none()),
        "nor is it given out unseen"
    );
    assert!(reader.read(Offset(6), Offset(8), ALL).unwrap() == batches[3..], "what lies behind is whole");
    let trusting = segments.reader(Checksums::Trusted);
    assert_eq!(trusting.read(Offset(0), Offset(8), ALL).unwrap().len(), 4, "who doesn't look doesn't see");
}
