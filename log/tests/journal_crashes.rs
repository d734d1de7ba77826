//! The power goes off anywhere in a journal's life: what was reported committed is found again, in order, once.
#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

mod rig;

use std::time::Duration;

use rig::{Boot, Ledger, bytes_of, play, small, world};
use thalweg_log::directory::DirectoryError;
use thalweg_log::journal::{Full, OpenError};
use thalweg_world::simulated::disk::{Faults, PowerOff};
use thalweg_world::simulated::{Rng, SimulatedWorld};

/// A boot of random work, until so much was done or the power goes off.
async fn work(boot: &Boot, ledger: &mut Ledger, rng: &mut Rng, steps: u64) {
    let before = ledger.order.len();
    let mut held = Vec::new();
    for _ in 0..steps {
        match rng.below(12) {
            0..=4 => {
                let length = if rng.below(4) == 0 { rng.below(11 << 10) } else { rng.below(600) } as usize;
                let number = ledger.number();
                match boot.push(number, length) {
                    Ok(()) => ledger.pushed(number),
                    Err(Full::NoRoom | Full::Closed) => {}
                    Err(Full::TooLarge) => panic!("an entry of {length} bytes fits"),
                }
            }
            5..=6 => {
                // Several logs, each with its own part of one request's room.
                let lengths: Vec<usize> = (0..1 + rng.below(5)).map(|_| rng.below(3000) as usize).collect();
                let total = lengths.iter().map(|&length| bytes_of(length)).sum();
                let Ok(mut whole) = boot.journal.reserve(lengths.len(), total) else { continue };
                for length in lengths {
                    let mut part = whole.split(1, bytes_of(length)).unwrap();
                    let number = ledger.number();
                    if rng.below(6) == 0 {
                        held.push((part, length));
                    } else {
                        boot.push_into(&mut part, number, length);
                        ledger.pushed(number);
                    }
                }
                boot.journal.wake();
            }
            7 => {
                if let Some((mut room, length)) = held.pop() {
                    let number = ledger.number();
                    boot.push_into(&mut room, number, length);
                    ledger.pushed(number);
                    boot.journal.wake();
                }
            }
            8..=9 => {
                let newest = boot.through();
                let sequence = newest.saturating_sub(rng.below(6));
                if sequence > 0 {
                    let count = Ledger::count_through(boot, before, sequence);
                    ledger.let_go = ledger.let_go.max(count);
                    boot.journal.checkpoint(sequence);
                }
            }
            10 => boot.journal.metadata_applied(rng.below(1000)),
            _ => rig::pass(Duration::from_millis(rng.below(25))).await,
        }
        if rng.coin() {
            rig::pass(Duration::from_micros(rng.below(1500))).await;
        }
        if boot.failed().is_some() {
            break;
        }
    }
    drop(held);
    if rng.coin() {
        boot.journal.stop();
        boot.until(|boot| boot.task.is_finished()).await;
    }
    ledger.heard(boot, before);
}

/// Many boots from one seed. Gives the disk's digests: the record of operations, and what is durable.
fn life(seed: u64) -> (u64, u64) {
    play(async || {
        let mut world = world(seed, Faults::default());
        let mut rng = Rng::stream(seed, "life");
        let mut ledger = Ledger::default();
        let mut newest = 0;
        for _ in 0..8 {
            let here = world.disk.operations();
            if rng.below(4) > 0 {
                let within = if rng.coin() { 20 } else { 150 };
                world.disk.crash_at(here + 1 + rng.below(within));
            }
            match Boot::start(&world, small()) {
                Ok(boot) => {
                    ledger.found(&boot.found);
                    work(&boot, &mut ledger, &mut rng, 100).await;
                    let reached = boot.through();
                    assert!(reached == 0 || reached > newest, "frames go on where they ended");
                    newest = newest.max(reached);
                    boot.journal.stop();
                    let killed = rng.below(4) == 0;
                    if killed {
                        world.disk.kill();
                    } else {
                        world.disk.crash();
                    }
                    boot.task.await.unwrap();
                }
                Err(DirectoryError::Io(..) | DirectoryError::Journal(_, OpenError::Io(..))) => world.disk.crash(),
                Err(error) => panic!("seed {seed}: {error}"),
            }
            world = world.reboot();
        }
        read_back(&world, &mut ledger);
        (world.disk.log_digest(), world.disk.digest())
    })
}

#[test]
fn what_was_committed_is_found_after_power_cuts_anywhere_and_nothing_else_but_what_followed_it() {
    for seed in 0..250 {
        life(seed);
    }
}

/// A file may be written over only when a durable frame says that it isn't needed, not when the next one will: that one
/// may be torn, and then the one before it speaks.
#[test]
fn a_full_ring_writes_over_nothing_before_the_newer_checkpoint_is_durable() {
    for (seed, starts) in (0..10).flat_map(|seed| (0..7).map(move |starts| (seed, starts))) {
        play(async || {
            let mut world = world(seed, Faults::default());
            let mut ledger = Ledger::default();
            let mut boot = Boot::start(&world, small()).unwrap();
            for length in [3000; 9].into_iter().chain([12_000; 100]) {
                let number = ledger.number();
                if boot.push(number, length).is_ok() {
                    ledger.pushed(number);
                    boot.until_committed(ledger.order.len()).await;
                }
            }
            ledger.heard(&boot, 0);
            // The seal of each start takes one block more, until the file is full.
            for _ in 0..=starts {
                rig::pass(Duration::from_millis(30)).await;
                world.disk.crash();
                boot.end().await;
                world = world.reboot();
                boot = Boot::start(&world, small()).unwrap();
                ledger.found(&boot.found);
            }
            let before = world.disk.operations();
            for _ in 0..20 {
                if world.disk.operations() == before {
                    rig::pass(Duration::from_millis(1)).await;
                }
            }
            // A seal is on its way now, and names no checkpoint. The next frame names one, and is cut short.
            world.disk.crash_at(world.disk.operations() + 1);
            ledger.let_go = ledger.order.len();
            boot.journal.checkpoint(boot.found.last().unwrap().0);
            boot.until(|boot| boot.failed().is_some()).await;
            written_over_is_let_go(&world);
            read_back(&world, &mut ledger);
        });
    }
}

/// Looks at what the write that was cut short goes over, on a medium that doesn't have it yet.
fn written_over_is_let_go(world: &SimulatedWorld) {
    let number = |bytes: &[u8]| u64::from_be_bytes(bytes[..8].try_into().unwrap());
    let files: Vec<Vec<u8>> = (0..8).filter_map(|file| world.disk.durable_bytes(&rig::file(file)).ok()).collect();
    let blocks = files.iter().flat_map(|bytes| bytes.chunks(4096)).filter(|block| block.starts_with(b"THJ1"));
    let newest = blocks.max_by_key(|block| number(&block[24..])).unwrap();
    let last = world.disk.log().pop().unwrap();
    let bytes = world.disk.durable_bytes(&last.path).unwrap();
    let over = &bytes[last.at as usize..];
    if over.starts_with(b"THJ1") {
        let (frame, checkpoint) = (number(&over[24..]), number(&newest[48..]));
        assert!(frame <= checkpoint, "frame {frame} is written over, the newest names {checkpoint}");
    }
}

#[test]
fn the_same_seed_gives_the_same_disk() {
    for seed in [1, 2, 3] {
        assert_eq!(life(seed), life(seed));
    }
    assert_ne!(life(1), life(2));
}

/// Cuts the power and starts again, until no cut that was ordered before comes in between.
fn read_back(world: &SimulatedWorld, ledger: &mut Ledger) -> SimulatedWorld {
    let mut world = world.clone();
    loop {
        world.disk.crash();
        world = world.reboot();
        match Boot::start(&world, small()) {
            Ok(boot) => {
                ledger.found(&boot.found);
                return world;
            }
            Err(DirectoryError::Io(_, error) | DirectoryError::Journal(_, OpenError::Io(_, error))) => {
                assert!(PowerOff::is(&error), "{error}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Making of the first file, frames, a seal, growth, a checkpoint, wrapping, a stop.
async fn small_run(world: &SimulatedWorld, ledger: &mut Ledger) -> Result<(), DirectoryError> {
    let boot = Boot::start(world, small())?;
    ledger.found(&boot.found);
    let before = ledger.order.len();
    for round in 0..45 {
        let number = ledger.number();
        if boot.push(number, 9000).is_ok() {
            ledger.pushed(number);
        }
        rig::pass(Duration::from_millis(if round % 9 == 0 { 30 } else { 4 })).await;
        if round % 4 == 3 && boot.failed().is_none() && boot.through() > 0 {
            let through = boot.through();
            ledger.let_go = ledger.let_go.max(Ledger::count_through(&boot, before, through));
            boot.journal.checkpoint(through);
        }
    }
    boot.journal.stop();
    boot.until(|boot| boot.task.is_finished()).await;
    ledger.heard(&boot, before);
    Ok(())
}

#[test]
fn a_power_cut_at_every_operation_of_a_small_run_and_of_the_starts_after_it_loses_nothing() {
    let operations = play(async || {
        let world = world(0, Faults::default());
        small_run(&world, &mut Ledger::default()).await.unwrap();
        world.disk.operations()
    });
    assert!(operations > 60, "{operations} operations are not much of a life");
    for at in 1..=operations {
        play(async || {
            let mut world = world(at, Faults::default());
            let mut ledger = Ledger::default();
            world.disk.crash_at(at);
            // A start that doesn't come to its end has promised nothing.
            let _ = small_run(&world, &mut ledger).await;
            // Two starts that are cut short themselves, then one that isn't.
            for cut in [1 + at % 7, 1 + at % 3] {
                world.disk.crash();
                world = world.reboot();
                world.disk.crash_at(world.disk.operations() + cut);
                if let Ok(boot) = Boot::start(&world, small()) {
                    ledger.found(&boot.found);
                }
            }
            world = read_back(&world, &mut ledger);
            world.disk.crash();
            world = world.reboot();
            small_run(&world, &mut ledger).await.unwrap_or_else(|error| panic!("operation {at}: {error}"));
            read_back(&world, &mut ledger);
        });
    }
}

/// A killed process leaves its last write where only the page cache has it. The next one finds it, tells readers of it,
/// and must not lose it to a power cut.
#[test]
fn what_a_start_after_a_kill_finds_outlives_a_power_cut() {
    let mut found_more = 0;
    for seed in 0..60 {
        play(async || {
            let world = world(seed, Faults::default());
            let mut ledger = Ledger::default();
            let boot = Boot::start(&world, small()).unwrap();
            for _ in 0..3 {
                let number = ledger.number();
                boot.push(number, 5000).unwrap();
                ledger.pushed(number);
                rig::pass(Duration::from_micros(900)).await;
            }
            ledger.heard(&boot, 0);
            world.disk.kill();
            boot.end().await;
            let world = world.reboot();
            let again = Boot::start(&world, small()).unwrap();
            found_more += usize::from(again.found.len() > ledger.safe);
            ledger.found(&again.found);
            read_back(&world, &mut ledger);
        });
    }
    assert!(found_more > 10, "a write was in flight {found_more} times only");
}
