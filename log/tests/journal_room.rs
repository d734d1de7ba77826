//! A journal takes what it can keep: room that is promised is there, a full one refuses and takes again, a full disk is
//! no failure, and a failed write is the end.
#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

mod rig;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rig::{Boot, FOLDER, Ledger, bytes_of, file, play, small, world};
use thalweg_log::journal::{Full, Options};
use thalweg_world::disk::Disk;
use thalweg_world::simulated::disk::{Fault, Faults, Kind};
use thalweg_world::simulated::{Rng, SimulatedWorld};

async fn pause(millis: u64) {
    rig::pass(Duration::from_millis(millis)).await;
}

fn start(world: &SimulatedWorld, options: Options) -> Boot {
    Boot::start(world, options).unwrap()
}

/// Pushes numbers of one length until there is no room; says how many found some.
async fn fill(boot: &Boot, ledger: &mut Ledger, length: usize) -> usize {
    for count in 0.. {
        let number = ledger.number();
        match boot.push(number, length) {
            Ok(()) => ledger.pushed(number),
            Err(full) => {
                assert_eq!(full, Full::NoRoom);
                return count;
            }
        }
        boot.until_committed(ledger.order.len()).await;
    }
    unreachable!("a ring is finite")
}

#[test]
fn a_ring_wraps_again_and_again_and_frames_of_earlier_laps_are_never_believed() {
    for bytes in [256 << 10, 512 << 10, 1 << 20] {
        play(async || {
            let world = world(bytes, Faults::default());
            let mut rng = Rng::new(bytes);
            let mut ledger = Ledger::default();
            let mut boot = start(&world, Options::sized(bytes));
            let mut before = 0;
            let mut laps = BTreeMap::new();
            while laps.len() < 3 || laps.values().any(|&lap| lap < 4) {
                for _ in 0..20 {
                    let number = ledger.number();
                    let length = rng.below(bytes / 10) as usize;
                    if boot.push(number, length).is_ok() {
                        ledger.pushed(number);
                        boot.until_committed(ledger.order.len() - before).await;
                    }
                }
                let through = boot.through() - rng.below(boot.through().min(3));
                ledger.let_go = ledger.let_go.max(Ledger::count_through(&boot, before, through));
                boot.journal.checkpoint(through);
                pause(rng.below(30)).await;
                laps = (0..8).filter_map(|number| Some((number, laps_of(&world, number)?))).collect();
                if rng.below(6) == 0 {
                    ledger.heard(&boot, before);
                    world.disk.crash();
                    boot.end().await;
                    boot = start(&world.reboot(), Options::sized(bytes));
                    ledger.found(&boot.found);
                    before = ledger.order.len();
                }
            }
            ledger.heard(&boot, before);
            world.disk.crash();
            ledger.found(&start(&world.reboot(), Options::sized(bytes)).found);
            assert!(ledger.gone > 0, "what a checkpoint let go was written over, and is not found");
            let size: u64 = laps.keys().map(|&number| rig::durable(&world.disk, number).len() as u64).sum();
            assert!(size <= bytes, "{size} of {bytes} bytes");
        });
    }
}

/// How often a file of the ring was begun.
fn laps_of(world: &SimulatedWorld, number: u32) -> Option<usize> {
    let path = file(number);
    world.disk.durable_bytes(&path).ok()?;
    let log = world.disk.log();
    let begins = log.iter().filter(|op| op.kind == Kind::WriteDurable && op.path == path && op.at == 4096);
    Some(begins.count())
}

#[test]
fn a_full_journal_refuses_and_takes_the_largest_entry_again_after_a_checkpoint() {
    for seed in 0..60 {
        play(async || {
            let mut rng = Rng::new(seed);
            let entry = 1 + rng.below(40 << 10) as usize;
            let options = Options {
                bytes: rng.below(512 << 10),
                first_file_bytes: rng.below(100 << 10),
                group_bytes: 1 + rng.below(20 << 10) as usize,
                entry_bytes_max: 16 + entry,
                ..Options::sized(1 << 20)
            };
            let world = world(seed, Faults::default());
            let boot = start(&world, options);
            let mut ledger = Ledger::default();
            for lap in 0..6 {
                let length = if lap % 2 == 0 { entry } else { rng.below(entry as u64 + 1) as usize };
                fill(&boot, &mut ledger, length).await;
                boot.until_sealed().await;
                boot.journal.checkpoint(boot.through());
                pause(5).await;
                let number = ledger.number();
                assert_eq!(boot.push(number, entry), Ok(()), "{options:?}: nothing is needed any more");
                ledger.pushed(number);
                boot.until_committed(ledger.order.len()).await;
            }
            assert_eq!(boot.failed(), None);
            assert_eq!(boot.committed(), ledger.order);
        });
    }
}

/// Seals and checkpoints are written on nobody's account. They must not take the place of what was promised.
#[test]
fn all_room_that_was_promised_is_there_whatever_comes_in_between() {
    for seed in 0..200 {
        play(async || {
            let mut rng = Rng::new(seed);
            let world = world(seed, Faults::default());
            let boot = start(&world, small());
            let mut ledger = Ledger::default();
            let mut held = Vec::new();
            let mut refused = 0;
            while refused < 20 {
                let length = rng.below((12 << 10) - 15) as usize;
                match boot.journal.reserve(1, bytes_of(length)) {
                    Ok(room) => held.push((room, length)),
                    Err(full) => {
                        assert_eq!(full, Full::NoRoom);
                        refused += 1;
                    }
                }
                if rng.below(3) == 0 && boot.through() > 0 {
                    boot.journal.checkpoint(boot.through().saturating_sub(rng.below(4)));
                }
                if rng.coin() && !held.is_empty() {
                    let (mut room, length) = held.swap_remove(rng.below(held.len() as u64) as usize);
                    let number = ledger.number();
                    boot.push_into(&mut room, number, length);
                    ledger.pushed(number);
                    boot.journal.wake();
                }
                pause(rng.below(15)).await;
            }
            // Alone in its frame, with a seal behind it: the dearest way.
            for (mut room, length) in held {
                let number = ledger.number();
                boot.push_into(&mut room, number, length);
                ledger.pushed(number);
                drop(room);
                boot.journal.wake();
                pause(15).await;
            }
            boot.until_committed(ledger.order.len()).await;
            assert_eq!(boot.failed(), None);
            assert_eq!(boot.committed(), ledger.order);
            let room = boot.room();
            boot.stop().await;
            let again = start(&world.reboot(), small());
            assert!(again.room() >= room.saturating_sub(4096), "at rest nothing is promised any more: {room}");
            assert!(again.room() <= room + 4096 * 8, "what was promised has returned: {room}, {}", again.room());
        });
    }
}

/// The same with not a byte to spare: every entry fills its frame, and each checkpoint would like a frame of its own.
#[test]
fn frames_that_nobody_reserved_take_no_promised_room() {
    play(async || {
        let world = world(0, Faults::default());
        let boot = start(&world, small());
        for number in 1..=13 {
            boot.push(number, 10).unwrap();
            boot.until_committed(number as usize).await;
        }
        let length = boot.journal.entry_bytes_max() - 8;
        let held: Vec<_> = std::iter::from_fn(|| boot.journal.reserve(1, bytes_of(length)).ok()).collect();
        for sequence in 1..=12 {
            boot.journal.checkpoint(sequence);
            pause(20).await;
        }
        let count = 13 + held.len();
        for (number, mut room) in (14..).zip(held) {
            boot.push_into(&mut room, number, length);
            boot.journal.wake();
            pause(20).await;
        }
        boot.until_committed(count).await;
        assert_eq!(boot.failed(), None);
    });
}

#[test]
fn what_is_reserved_and_not_used_returns() {
    play(async || {
        let boot = start(&world(0, Faults::default()), small());
        let room = boot.room();
        let mut whole = boot.journal.reserve(3, 3000).unwrap();
        let part = whole.split(1, 1000).unwrap();
        assert!(whole.split(3, 2000).is_none(), "more than is left");
        assert!(boot.room() < room);
        drop(part);
        drop(whole);
        assert_eq!(boot.room(), room);
        assert_eq!(boot.journal.reserve(1, boot.journal.entry_bytes_max() + 1).err(), Some(Full::TooLarge));
        assert!(boot.journal.reserve(1, boot.journal.entry_bytes_max()).is_ok());
    });
}

#[test]
fn an_idle_journal_is_one_small_file() {
    play(async || {
        let world = world(0, Faults::default());
        let boot = start(&world, Options::sized(64 << 20));
        pause(1000).await;
        assert_eq!(rig::durable(&world.disk, 0).len(), 4 << 20);
        assert!(world.disk.durable_bytes(&file(1)).is_err());
        assert_eq!(boot.through(), 0, "nothing was written");
    });
}

#[test]
fn a_frame_with_no_more_to_follow_is_sealed_and_a_seal_is_not() {
    play(async || {
        let world = world(0, Faults::default());
        let boot = start(&world, small());
        boot.push(1, 10).unwrap();
        pause(100).await;
        assert_eq!(boot.heard.lock().unwrap().frames, [(1, vec![1]), (2, vec![])]);
        boot.stop().await;
        let again = start(&world.reboot(), small());
        again.push(2, 10).unwrap();
        again.stop().await;
        let last = start(&world.reboot(), small());
        assert_eq!(last.found, [(1, 1), (3, 2)], "a stop writes what is queued");
        pause(100).await;
        assert_eq!(last.through(), 5, "3 was sealed by the stop; a start that found something seals it again");
    });
}

#[test]
fn a_disk_without_room_to_grow_refuses_and_takes_again_by_itself() {
    play(async || {
        let world = world(0, Faults { capacity: 120 << 10, ..Faults::default() });
        let boot = start(&world, small());
        let mut ledger = Ledger::default();
        let mut refused = 0;
        while refused < 5 {
            let number = ledger.number();
            match boot.push(number, 4000) {
                Ok(()) => ledger.pushed(number),
                Err(full) => {
                    assert_eq!(full, Full::NoRoom);
                    refused += 1;
                }
            }
            pause(3).await;
        }
        pause(5000).await;
        assert_eq!(boot.failed(), None);
        let free = world.disk.space(Path::new("/")).unwrap().free;
        assert!(free > 50 << 10, "a file that can't be finished doesn't take what others need: {free}");
        let mut tries =
            world.disk.log().into_iter().filter(|op| op.path.extension().is_some_and(|suffix| suffix == "new"));
        assert!(tries.all(|op| op.path.ends_with("00.new")), "a full disk isn't filled with zeros to find out");
        world.disk.set_faults(Faults::default());
        boot.until_committed(ledger.order.len()).await;
        pause(2500).await;
        let number = ledger.number();
        assert_eq!(boot.push(number, 4000), Ok(()));
        ledger.pushed(number);
        boot.until_committed(ledger.order.len()).await;
        assert_eq!(boot.committed(), ledger.order);
    });
}

/// Room that a growing journal was to have is promised early. When the disk fills up meanwhile, those entries wait.
#[test]
fn what_waits_for_a_full_disk_gets_its_place_from_a_checkpoint() {
    play(async || {
        let world = world(0, Faults { capacity: 180 << 10, ..Faults::default() });
        let boot = start(&world, small());
        let numbers: Vec<u64> = (1..=11).collect();
        for &number in &numbers {
            boot.push(number, 10_000).unwrap();
        }
        pause(3000).await;
        let stuck = boot.committed().len();
        assert!(stuck < numbers.len(), "the disk is too small for all");
        assert_eq!((boot.failed(), boot.push(99, 10_000)), (None, Err(Full::NoRoom)));
        boot.journal.checkpoint(boot.through());
        pause(1).await;
        boot.until_committed(stuck + 1).await;
        while boot.committed().len() < numbers.len() {
            boot.journal.checkpoint(boot.through());
            pause(5).await;
        }
        assert_eq!((boot.committed(), boot.failed()), (numbers, None));
    });
}

#[test]
fn a_stop_does_not_wait_for_a_disk_to_get_room() {
    play(async || {
        let world = world(0, Faults { capacity: 100 << 10, ..Faults::default() });
        let boot = start(&world, small());
        for number in 1..=11 {
            boot.push(number, 10_000).unwrap();
        }
        pause(2000).await;
        let committed = boot.committed();
        assert!(committed.len() < 11);
        boot.journal.stop();
        boot.until(|boot| boot.task.is_finished()).await;
        assert!(boot.failed().is_some(), "what was queued is not written, and its owner hears so");
        world.disk.crash();
        let again = start(&world.reboot(), small());
        assert_eq!(again.found.iter().map(|(_, number)| *number).collect::<Vec<u64>>(), committed);
    });
}

#[test]
fn no_room_in_the_middle_of_making_a_file_leaves_nothing_behind() {
    play(async || {
        let world = world(0, Faults::default());
        let boot = start(&world, small());
        world.disk.fault_next(Kind::Write, "01.new", Fault::NoSpace);
        let mut ledger = Ledger::default();
        for _ in 0..4 {
            let number = ledger.number();
            boot.push(number, 10_000).unwrap();
            ledger.pushed(number);
            boot.until_committed(ledger.order.len()).await;
        }
        pause(20).await;
        assert!(!world.disk.files().iter().any(|path| path.extension().is_some_and(|suffix| suffix == "new")));
        pause(2000).await;
        assert!(world.disk.files().contains(&file(1)), "another try came by itself");
        assert_eq!(boot.failed(), None);
    });
}

#[test]
fn after_a_write_that_failed_nothing_is_acknowledged_or_taken() {
    for (kind, path) in [(Kind::WriteDurable, "00.journal"), (Kind::Sync, "01.new"), (Kind::SyncDir, FOLDER)] {
        play(async || {
            let world = world(1, Faults::default());
            let boot = start(&world, small());
            boot.push(1, 9000).unwrap();
            boot.until_committed(1).await;
            let held = boot.journal.reserve(1, bytes_of(10)).unwrap();
            world.disk.fault_next(kind, path, Fault::Io);
            for number in 2..20 {
                if boot.push(number, 9000).is_err() {
                    break;
                }
                pause(5).await;
            }
            boot.until(|boot| boot.failed().is_some()).await;
            let committed = boot.committed();
            let mut held = held;
            boot.push_into(&mut held, 99, 10);
            boot.journal.wake();
            pause(100).await;
            assert_eq!(boot.committed(), committed);
            assert_eq!(boot.journal.reserve(1, bytes_of(1)).err(), Some(Full::Closed));
            world.disk.crash();
            let again = start(&world.reboot(), small());
            let found: Vec<u64> = again.found.iter().map(|(_, number)| *number).collect();
            assert!(found.starts_with(&committed) && found.len() <= committed.len() + 1, "{committed:?}, {found:?}");
        });
    }
}

#[test]
fn a_small_checkpoint_that_frees_nothing_does_not_eat_a_full_journal() {
    play(async || {
        let world = world(0, Faults::default());
        let boot = start(&world, small());
        let mut ledger = Ledger::default();
        fill(&boot, &mut ledger, 12_000).await;
        for sequence in 1..=3 {
            boot.journal.checkpoint(sequence);
            pause(30).await;
        }
        for _ in 0..100 {
            boot.journal.checkpoint(3);
        }
        assert_eq!(boot.failed(), None);
        boot.journal.checkpoint(boot.through());
        pause(30).await;
        assert!(fill(&boot, &mut ledger, 12_000).await >= 8);
        assert_eq!(boot.failed(), None);
    });
}
