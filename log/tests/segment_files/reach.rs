//! How far files go that were being written when the process or the power ended.

use std::path::Path;

use thalweg_log::end::End;
use thalweg_log::segment::{Reached, Segments, reach};
use thalweg_wire::Offset;
use thalweg_wire::batch::Batch;
use thalweg_world::simulated::{Faults, SimulatedDisk};

use crate::{NOW, Place, batch, small, topic};

const FOLDER: &str = "t-0";

/// Batches of three records, in several small segments.
fn batches(count: i64) -> Vec<Batch> {
    (0..count).map(|n| batch(Offset(3 * n), 0, 3, &[n as u8; 40], 1000 + 10 * n)).collect()
}

fn write(place: &Place, batches: &[Batch]) -> Segments {
    let folder = place.root.join(FOLDER);
    let mut segments = Segments::create(&place.files(), &folder, topic(), Offset(0), small()).unwrap();
    segments.append(batches, NOW).unwrap();
    segments
}

fn reaches(place: &Place, from: i64, end: End) -> bool {
    found(place, from, end) == Reached::All
}

fn found(place: &Place, from: i64, end: End) -> Reached {
    reach(&place.files(), &place.root.join(FOLDER), Offset(from), end).unwrap()
}

#[test]
fn files_reach_an_end_if_all_before_it_is_whole_and_its_batch_is_that_one() {
    for place in Place::both("reach") {
        let batches = batches(60);
        assert_eq!(found(&place, 0, End::behind(&batches[0])), Reached::Nothing, "there is no folder");
        let mut segments = write(&place, &batches);
        let bases = segments.bases();
        assert!(bases.len() > 3);
        let end = End::behind(&batches[59]);
        for from in [0, 90, 175, 177] {
            assert!(reaches(&place, from, end));
        }
        assert!(reaches(&place, 60, End::behind(&batches[30])), "what stands behind it is no matter");
        assert!(!reaches(&place, 60, End { crc: !end.crc, ..end }), "another batch");
        assert!(!reaches(&place, 60, End { offset: Offset(end.offset.0 - 1), ..end }), "the middle of a batch");
        assert!(!reaches(&place, 60, End { offset: Offset(end.offset.0 + 1), ..end }), "less");

        // Torn in its last batch, and in the first of the last segment, which an index knows.
        let last = bases[bases.len() - 1];
        let path = format!("{FOLDER}/{:020}.log", last.0);
        let whole = place.bytes(Path::new(&path)).unwrap();
        for at in [70, whole.len() - 1] {
            let mut torn = whole.clone();
            torn[at] ^= 1;
            place.put(&path, &torn);
            assert!(!reaches(&place, last.0, end), "a bad byte at {at}");
            assert_eq!(place.bytes(Path::new(&path)), Some(torn), "nothing is mended");
        }
        place.put(&path, &whole[..whole.len() - 1]);
        assert!(!reaches(&place, last.0, end), "a byte less");
        place.put(&path, &whole);
        assert!(reaches(&place, last.0, end));

        // Deleted up to the last segment: of what stood before it nothing is left.
        segments.delete_before(last).unwrap();
        assert_eq!(found(&place, 3, End::behind(&batches[4])), Reached::Nothing);
        assert_eq!(found(&place, last.0 - 3, End { offset: Offset(last.0 + 1), ..end }), Reached::Less);
    }
}

/// It may stand in the page cache of a process that was killed.
#[test]
fn what_files_reach_is_durable() {
    for seed in 0..20 {
        let disk = SimulatedDisk::new(seed, Faults::default());
        let place = Place::on(&disk);
        place.disk.create_dir_all(&place.root).unwrap();
        place.disk.sync_dir(Path::new("/")).unwrap();
        let batches = batches(60);
        let mut segments = write(&place, &batches[..30]);
        segments.sync().unwrap();
        segments.append(&batches[30..], NOW).unwrap();
        drop(segments);
        let end = End::behind(&batches[59]);
        assert!(reaches(&place, 90, end));
        disk.crash();
        assert!(reaches(&place, 90, end), "seed {seed}");
    }
}
