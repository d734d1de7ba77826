//! A journal that can't be trusted is refused with its reason, and nothing of it is changed; what only a torn last write
//! explains is cut, and the journal goes on.
#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

mod rig;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rig::{Boot, FOLDER, LOGS, Ledger, durable, file, identity, play, small, world};
use thalweg_log::LogDirectory;
use thalweg_log::directory::DirectoryError;
use thalweg_log::journal::{OpenError, Suspect};
use thalweg_world::disk::Disk;
use thalweg_world::simulated::disk::{Fault, Faults, Kind};
use thalweg_world::simulated::{Chance, SimulatedDisk, SimulatedWorld};

const BLOCK: usize = 4096;

async fn pause(millis: u64) {
    rig::pass(Duration::from_millis(millis)).await;
}

/// A journal of several files whose last entry is sealed; the numbers in it; where the frames of the last file begin.
async fn written(seed: u64) -> (SimulatedWorld, Vec<u64>) {
    let world = world(seed, Faults::default());
    let boot = Boot::start(&world, small()).unwrap();
    for number in 1..=10 {
        boot.push(number, 9000).unwrap();
        boot.until_committed(number as usize).await;
    }
    boot.until_sealed().await;
    boot.end().await;
    world.disk.crash();
    (world.reboot(), (1..=10).collect())
}

fn numbers(boot: &Boot) -> Vec<u64> {
    boot.found.iter().map(|(_, number)| *number).collect()
}

/// The refusal of a start, which must leave the disk as it is.
fn refusal(world: &SimulatedWorld) -> OpenError {
    // The lock's file may be made anew; that is not the journal's.
    let before = (journal_of(&world.disk), world.disk.operations());
    let opened = LogDirectory::open(&world.world, Path::new(LOGS), &identity(), small());
    let Err(DirectoryError::Journal(_, error)) = opened else { panic!("it opens: {:?}", opened.err()) };
    assert_eq!(journal_of(&world.disk), before.0, "nothing is changed: {error}");
    let log = world.disk.log();
    let touched = log.iter().filter(|op| op.number > before.1 && op.path.starts_with(FOLDER));
    assert_eq!(touched.count(), 0, "nothing is even touched: {error}");
    error
}

fn journal_of(disk: &SimulatedDisk) -> Vec<(PathBuf, Vec<u8>)> {
    let files = disk.files().into_iter().filter(|path| path.starts_with(FOLDER));
    files.map(|path| (path.clone(), disk.durable_bytes(&path).unwrap())).collect()
}

/// Where the frames of a file begin, in bytes.
fn frames(bytes: &[u8]) -> Vec<usize> {
    (BLOCK..bytes.len()).step_by(BLOCK).filter(|&at| bytes[at..].starts_with(b"THJ1")).collect()
}

/// The newest file that has frames, and where they begin.
fn newest(disk: &SimulatedDisk) -> (u32, Vec<usize>) {
    let with_frames = |number: &u32| disk.durable_bytes(&file(*number)).is_ok_and(|bytes| !frames(&bytes).is_empty());
    let number = (0..8).filter(with_frames).max().unwrap();
    (number, frames(&durable(disk, number)))
}

fn flip(disk: &SimulatedDisk, number: u32, at: usize) {
    let byte = durable(disk, number)[at];
    disk.patch(&file(number), at as u64, &[byte ^ 4]).unwrap();
}

#[test]
fn any_damaged_frame_but_a_seal_at_the_very_end_makes_the_directory_suspect() {
    play(async || {
        let (world, expected) = written(1).await;
        let (last, places) = newest(&world.disk);
        let mut sequence = 0;
        for number in 0..=last {
            for at in frames(&durable(&world.disk, number)) {
                sequence += 1;
                let is_seal = number == last && Some(&at) == places.last();
                for offset in [0, 5, 30, 60] {
                    flip(&world.disk, number, at + offset);
                    if is_seal {
                        assert_eq!(numbers(&Boot::start(&world, small()).unwrap()), expected);
                        flip(&world.disk, number, at + offset);
                        continue;
                    }
                    match refusal(&world) {
                        OpenError::Suspect(Suspect::Missing { first, .. }) => assert_eq!(first, sequence),
                        other => panic!("frame {sequence}: {other}"),
                    }
                    flip(&world.disk, number, at + offset);
                }
            }
        }
        assert_eq!(sequence, 11, "ten frames and a seal");
    });
}

/// Without the seal, damage to the last frame could be told from a torn one by nobody.
#[test]
fn the_last_entry_is_missed_because_a_seal_stands_behind_it() {
    play(async || {
        let (world, _) = written(2).await;
        let (last, places) = newest(&world.disk);
        let entry = places[places.len() - 2];
        world.disk.patch(&file(last), entry as u64, &[0; BLOCK]).unwrap();
        let error = refusal(&world);
        assert!(matches!(error, OpenError::Suspect(Suspect::Missing { first: 10, next: 11 })), "{error}");
        assert_eq!(error.to_string(), "frames 10 to 10 of the journal are damaged or missing, but frame 11 is there");
    });
}

#[test]
fn a_torn_last_frame_is_cut_and_the_journal_goes_on_in_its_place() {
    for torn in [0, 3, 64, 5000, 9000] {
        play(async || {
            let (world, mut expected) = written(3).await;
            let (last, places) = newest(&world.disk);
            // As if the seal had never been, and the last frame had arrived in part.
            let (entry, seal) = (places[places.len() - 2], places[places.len() - 1]);
            world.disk.patch(&file(last), seal as u64, &[0; BLOCK]).unwrap();
            world.disk.patch(&file(last), (entry + torn) as u64, &vec![0; seal - entry - torn]).unwrap();
            let boot = Boot::start(&world, small()).unwrap();
            expected.pop();
            assert_eq!(numbers(&boot), expected);
            boot.push(77, 20).unwrap();
            boot.push(78, 9000).unwrap();
            boot.until_committed(2).await;
            boot.end().await;
            expected.extend([77, 78]);
            world.disk.crash();
            assert_eq!(numbers(&Boot::start(&world.reboot(), small()).unwrap()), expected);
        });
    }
}

/// A disk that acknowledges a write and loses it, or puts it elsewhere: nothing that was acknowledged may go without a
/// word. Only the seal may, for nobody was told of it.
#[test]
fn a_write_that_was_lost_or_misdirected_is_seen() {
    let mut refused = 0;
    for fault in [Fault::Lost, Fault::Misdirected] {
        for seed in 0..150 {
            play(async || {
                let world = world(seed, Faults::default());
                let boot = Boot::start(&world, small()).unwrap();
                let mut ledger = Ledger::default();
                let mut skipped = 0;
                for round in 0..30 {
                    if round == 12 + seed % 18 {
                        world.disk.fault_next(Kind::WriteDurable, ".journal", fault);
                    }
                    let number = ledger.number();
                    let length = if seed % 2 == 0 { 9000 } else { 100 };
                    match boot.push(number, length) {
                        Ok(()) => ledger.pushed(number),
                        Err(_) => skipped += 1,
                    }
                    boot.until_committed(ledger.order.len()).await;
                    if round % 5 == 4 && round < 20 {
                        let through = boot.through() - seed % 3;
                        ledger.let_go = Ledger::count_through(&boot, 0, through);
                        boot.journal.checkpoint(through);
                        pause(20).await;
                    }
                }
                boot.until_sealed().await;
                ledger.heard(&boot, 0);
                assert!(skipped < 30);
                boot.end().await;
                world.disk.crash();
                let world = world.reboot();
                match Boot::start(&world, small()) {
                    Ok(boot) => ledger.found(&boot.found),
                    Err(_) => match refusal(&world) {
                        OpenError::Suspect(_) | OpenError::Foreign { .. } => refused += 1,
                        other => panic!("{other}"),
                    },
                }
            });
        }
    }
    assert!(refused > 100, "{refused} of 300 were refused");
}

#[test]
fn a_medium_that_rots_is_seen_where_it_matters() {
    let mut refused = 0;
    for seed in 0..200 {
        play(async || {
            let (world, expected) = written(seed).await;
            world.disk.set_faults(Faults { rot_at_rest: Chance::ALWAYS, within: FOLDER.into(), ..Faults::default() });
            world.disk.crash();
            let world = world.reboot();
            match Boot::start(&world, small()) {
                Ok(boot) => assert_eq!(numbers(&boot), expected),
                Err(_) => {
                    refusal(&world);
                    refused += 1;
                }
            }
        });
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn a_missing_file_is_named_whichever_it_is() {
    play(async || {
        let (world, _) = written(5).await;
        let (last, _) = newest(&world.disk);
        assert!(last > 0);
        for number in 0..=last {
            let bytes = durable(&world.disk, number);
            world.disk.remove_file(&file(number)).unwrap();
            world.disk.sync_dir(Path::new(FOLDER)).unwrap();
            let error = refusal(&world);
            assert!(matches!(&error, OpenError::FileMissing(path) if *path == file(number)), "{error}");
            assert_eq!(error.to_string(), format!("{FOLDER}/{number:02}.journal: this file of the journal is missing"));
            world.disk.install(&file(number), &bytes).unwrap();
        }
        assert!(Boot::start(&world, small()).is_ok(), "all is back");
    });
}

#[test]
fn no_file_at_all_and_no_folder_are_a_journal_that_was_lost() {
    play(async || {
        let (world, _) = written(5).await;
        for path in world.disk.files().into_iter().filter(|path| path.starts_with(FOLDER)) {
            world.disk.remove_file(&path).unwrap();
        }
        world.disk.sync_dir(Path::new(FOLDER)).unwrap();
        assert!(matches!(refusal(&world), OpenError::Missing));
        world.disk.remove_dir(Path::new(FOLDER)).unwrap();
        world.disk.sync_dir(Path::new(LOGS)).unwrap();
        assert!(matches!(refusal(&world), OpenError::Missing));
    });
}

#[test]
fn a_file_that_is_not_what_it_was_made_is_foreign() {
    type Harm = fn(&SimulatedDisk);
    let replace = |disk: &SimulatedDisk, number: u32, bytes: &[u8]| {
        disk.remove_file(&file(number)).unwrap();
        disk.sync_dir(Path::new(FOLDER)).unwrap();
        disk.install(&file(number), bytes).unwrap();
    };
    let harms: [(Harm, &str); 7] = [
        (|disk| flip(disk, 0, 20), "header is damaged"),
        (|disk| flip(disk, 1, 57), "header is damaged"),
        (|disk| disk.patch(&file(1), 0, &[0; BLOCK]).unwrap(), "header is damaged"),
        (|disk| disk.install(&file(3), &durable(disk, 1)).unwrap(), "a copy of another"),
        (|disk| disk.install(&Path::new(FOLDER).join("notes.txt"), b"hello").unwrap(), "not a file of the journal"),
        (|disk| disk.install(&Path::new(FOLDER).join("1.journal"), b"hello").unwrap(), "not a file of the journal"),
        (|disk| disk.install(&Path::new(FOLDER).join("03.journal/x"), b"hello").unwrap(), "not a file of the journal"),
    ];
    for (harm, reason) in harms {
        play(async || {
            let (world, _) = written(6).await;
            harm(&world.disk);
            let error = refusal(&world);
            assert!(matches!(&error, OpenError::Foreign { reason: found, .. } if found.contains(reason)), "{error}");
        });
    }
    for longer in [false, true] {
        play(async || {
            let (world, _) = written(6).await;
            let mut bytes = durable(&world.disk, 1);
            bytes.resize(if longer { bytes.len() + BLOCK } else { bytes.len() - BLOCK }, 0);
            replace(&world.disk, 1, &bytes);
            let error = refusal(&world);
            assert!(error.to_string().ends_with("01.journal: shorter or longer than it was made"), "{error}");
        });
    }
}

#[test]
fn the_files_of_two_directories_do_not_mix() {
    play(async || {
        let (mine, _) = written(7).await;
        let (other, _) = written(8).await;
        let swap = |number: u32, bytes: &[u8]| {
            mine.disk.remove_file(&file(number)).unwrap();
            mine.disk.sync_dir(Path::new(FOLDER)).unwrap();
            mine.disk.install(&file(number), bytes).unwrap();
        };
        let own = [durable(&mine.disk, 0), durable(&mine.disk, 1)];
        swap(1, &durable(&other.disk, 1));
        let error = refusal(&mine);
        assert!(error.to_string().contains("another log directory"), "{error}");
        swap(0, &durable(&other.disk, 0));
        assert!(refusal(&mine).to_string().contains("another log directory"));
        swap(0, &own[0]);
        swap(1, &own[1]);
        assert!(Boot::start(&mine, small()).is_ok());
    });
}

#[test]
fn what_a_crash_leaves_beside_the_files_is_no_reason_to_refuse() {
    play(async || {
        let (world, expected) = written(9).await;
        let unfinished = Path::new(FOLDER).join("02.new");
        world.disk.install(&unfinished, &[7; 9000]).unwrap();
        world.disk.install(&Path::new(FOLDER).join(".durable-probe"), &[0xa5; 8192]).unwrap();
        let boot = Boot::start(&world, small()).unwrap();
        assert_eq!(numbers(&boot), expected);
        assert!(!world.disk.files().contains(&unfinished), "its room is given back");
    });
}

/// Limits are settings. A frame that was made under larger ones holds acknowledged records all the same.
#[test]
fn a_journal_opens_under_other_limits_than_it_was_written_under() {
    play(async || {
        let (world, expected) = written(10).await;
        let smaller = thalweg_log::journal::Options { entry_bytes_max: 1 << 10, group_bytes: 1 << 10, ..small() };
        let boot = Boot::start(&world, smaller).unwrap();
        assert_eq!(numbers(&boot), expected);
        boot.push(11, 500).unwrap();
        boot.until_committed(1).await;
        boot.stop().await;
        let larger = thalweg_log::journal::Options { entry_bytes_max: 100 << 10, bytes: 2 << 20, ..small() };
        let boot = Boot::start(&world.reboot(), larger).unwrap();
        assert_eq!(numbers(&boot).last(), Some(&11));
        boot.push(12, 90 << 10).unwrap();
        boot.until_committed(1).await;
        assert_eq!(boot.failed(), None);
    });
}
