//! What a power cut takes on the simulated disk, and what it must never take. Each kind of loss must show up within a
//! few hundred seeds: a disk that is too kind makes every test above it worthless.
#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thalweg_world::disk::{Block, Disk, DiskFile, Open};
use thalweg_world::simulated::disk::{Fault, Faults, Kind, PowerOff, SimulatedDisk};
use thalweg_world::simulated::rng::Chance;

const SEEDS: u64 = 200;

fn disk(seed: u64) -> SimulatedDisk {
    let disk = SimulatedDisk::new(seed, Faults::default());
    disk.create_dir_all(Path::new("/d")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk
}

/// A file whose name and bytes are durable.
fn settled(disk: &SimulatedDisk, path: &str, bytes: &[u8]) -> Arc<dyn DiskFile> {
    let file = disk.open(Path::new(path), Open::Create).unwrap();
    put(&*file, bytes, 0);
    file.sync().unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    file
}

fn put(file: &dyn DiskFile, bytes: &[u8], at: u64) {
    file.write_at(&[IoSlice::new(bytes)], at).unwrap();
}

fn read(disk: &SimulatedDisk, path: &str) -> Option<Vec<u8>> {
    let file = disk.open(Path::new(path), Open::Read).ok()?;
    let mut bytes = vec![0; file.size().unwrap() as usize];
    assert_eq!(file.read_at(&mut bytes, 0).unwrap(), bytes.len());
    Some(bytes)
}

fn block(bytes: &[u8]) -> Block {
    let mut block = Block::with_capacity(bytes.len());
    block.put(bytes);
    block
}

/// The outcomes of a little story, over all seeds.
fn over_seeds<T>(story: impl Fn(u64) -> T) -> Vec<T> {
    (0..SEEDS).map(story).collect()
}

#[test]
fn unsynced_bytes_are_kept_lost_torn_and_reordered() {
    let outcomes = over_seeds(|seed| {
        let disk = disk(seed);
        let file = settled(&disk, "/d/f", &[0; 16384]);
        put(&*file, &[1; 8192], 0);
        put(&*file, &[2; 8192], 8192);
        disk.crash();
        let bytes = read(&disk, "/d/f").unwrap();
        assert_eq!(bytes.len(), 16384);
        assert!(bytes[..8192].iter().all(|b| [0, 1].contains(b)) && bytes[8192..].iter().all(|b| [0, 2].contains(b)));
        let sectors = |bytes: &[u8]| bytes.chunks(512).filter(|sector| sector.iter().all(|&b| b != 0)).count();
        let whole = bytes.chunks(512).all(|sector| sector.iter().all(|b| *b == sector[0]));
        assert!(whole, "a sector is never torn");
        (sectors(&bytes[..8192]), sectors(&bytes[8192..]))
    });
    for (what, seen) in [
        ("both kept", outcomes.contains(&(16, 16))),
        ("both lost", outcomes.contains(&(0, 0))),
        ("the later without the earlier", outcomes.contains(&(0, 16))),
        ("the earlier without the later", outcomes.contains(&(16, 0))),
        ("torn at 4 KiB", outcomes.iter().any(|(first, _)| *first == 8)),
        ("torn at 512 bytes", outcomes.iter().any(|(first, _)| first % 8 != 0)),
    ] {
        assert!(seen, "no seed shows: {what}");
    }
}

#[test]
fn what_was_synced_stays() {
    over_seeds(|seed| {
        let disk = disk(seed);
        let bytes: Vec<u8> = (0..9000u32).map(|n| (n * 7 % 251) as u8).collect();
        let file = settled(&disk, "/d/f", &bytes);
        file.set_size(8000).unwrap();
        file.sync().unwrap();
        disk.crash();
        assert_eq!(read(&disk, "/d/f").unwrap(), bytes[..8000]);
        disk.crash();
        assert_eq!(read(&disk, "/d/f").unwrap(), bytes[..8000], "a second cut finds nothing more to lose");
    });
}

#[test]
fn a_new_size_may_come_without_its_bytes() {
    let outcomes = over_seeds(|seed| {
        let disk = disk(seed);
        let file = settled(&disk, "/d/f", &[1; 4096]);
        put(&*file, &[2; 4096], 4096);
        disk.crash();
        let bytes = read(&disk, "/d/f").unwrap();
        assert_eq!(bytes[..4096], [1; 4096]);
        bytes[4096..].to_vec()
    });
    let seen = |what: &dyn Fn(&[u8]) -> bool| outcomes.iter().any(|bytes| what(bytes));
    assert!(seen(&|bytes| bytes.is_empty()), "lost with its size");
    assert!(seen(&|bytes| bytes == [2; 4096]), "kept");
    assert!(seen(&|bytes| bytes == [0; 4096]), "a size with zeros");
    assert!(seen(&|bytes| bytes.iter().any(|b| ![0, 2].contains(b))), "a size with garbage");
}

#[test]
fn a_file_is_synced_and_its_name_is_not() {
    let kept = over_seeds(|seed| {
        let disk = disk(seed);
        let file = disk.open(Path::new("/d/f"), Open::CreateNew).unwrap();
        put(&*file, b"here", 0);
        file.sync().unwrap();
        disk.crash();
        read(&disk, "/d/f").inspect(|bytes| assert_eq!(bytes, b"here")).is_some()
    });
    assert!(kept.contains(&true) && kept.contains(&false));
    over_seeds(|seed| {
        let disk = disk(seed);
        settled(&disk, "/d/f", b"here");
        disk.crash();
        assert_eq!(read(&disk, "/d/f").unwrap(), b"here");
    });
}

#[test]
fn a_rename_is_seen_whole_or_not_at_all() {
    let outcomes = over_seeds(|seed| {
        let disk = disk(seed);
        settled(&disk, "/d/f", b"old");
        settled(&disk, "/d/f.tmp", b"new");
        disk.rename(Path::new("/d/f.tmp"), Path::new("/d/f")).unwrap();
        disk.crash();
        (read(&disk, "/d/f").unwrap(), read(&disk, "/d/f.tmp"))
    });
    assert!(outcomes.contains(&(b"new".to_vec(), None)));
    assert!(outcomes.contains(&(b"old".to_vec(), Some(b"new".to_vec()))));
    assert!(outcomes.iter().all(|(f, tmp)| (f == b"new") == tmp.is_none()));
}

/// The classic mistake of replacing a file: the rename gets there before the bytes.
#[test]
fn a_rename_may_overtake_the_bytes_it_publishes() {
    let outcomes = over_seeds(|seed| {
        let disk = disk(seed);
        settled(&disk, "/d/f", b"old");
        let file = disk.open(Path::new("/d/f.tmp"), Open::CreateNew).unwrap();
        put(&*file, b"new", 0);
        disk.rename(Path::new("/d/f.tmp"), Path::new("/d/f")).unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        disk.crash();
        read(&disk, "/d/f").unwrap()
    });
    assert!(outcomes.iter().any(|bytes| bytes.is_empty()));
    assert!(outcomes.iter().all(|bytes| bytes != b"old"), "the rename itself was synced");
}

#[test]
fn a_removal_may_come_undone_until_its_directory_is_synced() {
    let undone = |sync: fn(&SimulatedDisk)| {
        over_seeds(|seed| {
            let disk = disk(seed);
            drop(settled(&disk, "/d/f", b"here"));
            disk.remove_file(Path::new("/d/f")).unwrap();
            sync(&disk);
            disk.crash();
            read(&disk, "/d/f").is_some()
        })
    };
    let unsynced = undone(|_| ());
    assert!(unsynced.contains(&true) && unsynced.contains(&false));
    assert!(!undone(|disk| disk.sync_dir(Path::new("/d")).unwrap()).contains(&true));
}

#[test]
fn a_synced_file_in_an_unsynced_directory_is_lost_with_it() {
    let kept = over_seeds(|seed| {
        let disk = disk(seed);
        disk.create_dir_all(Path::new("/d/topic-0")).unwrap();
        let file = disk.open(Path::new("/d/topic-0/f"), Open::CreateNew).unwrap();
        file.sync().unwrap();
        disk.sync_dir(Path::new("/d/topic-0")).unwrap();
        disk.crash();
        read(&disk, "/d/topic-0/f").is_some()
    });
    assert!(kept.contains(&true) && kept.contains(&false));
}

#[test]
fn a_rename_between_directories_never_loses_the_file() {
    over_seeds(|seed| {
        let disk = disk(seed);
        disk.create_dir_all(Path::new("/e")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        settled(&disk, "/d/f", b"here");
        disk.rename(Path::new("/d/f"), Path::new("/e/f")).unwrap();
        let synced = ["/d", "/e"][(seed % 2) as usize];
        disk.sync_dir(Path::new(synced)).unwrap();
        disk.crash();
        assert_eq!((read(&disk, "/d/f"), read(&disk, "/e/f")), (None, Some(b"here".to_vec())));
    });
}

/// The synced directory must not show what its neighbour's unsynced past puts back under the new name.
#[test]
fn a_rename_that_replaced_an_unsynced_file_elsewhere_stays_in_front_of_it() {
    over_seeds(|seed| {
        let disk = disk(seed);
        disk.create_dir_all(Path::new("/e")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        settled(&disk, "/d/f", b"new");
        disk.open(Path::new("/e/f"), Open::CreateNew).unwrap().sync().unwrap();
        disk.rename(Path::new("/d/f"), Path::new("/e/f")).unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        disk.crash();
        assert_eq!(read(&disk, "/e/f").unwrap(), b"new");
    });
}

#[test]
fn a_file_that_was_renamed_twice_has_one_of_its_names() {
    let found = over_seeds(|seed| {
        let disk = disk(seed);
        settled(&disk, "/d/a", b"here");
        disk.rename(Path::new("/d/a"), Path::new("/d/b")).unwrap();
        disk.rename(Path::new("/d/b"), Path::new("/d/c")).unwrap();
        disk.crash();
        disk.files()
    });
    for name in ["/d/a", "/d/b", "/d/c"] {
        assert!(found.iter().any(|files| *files == [Path::new(name)]), "{name}");
    }
    assert!(found.iter().all(|files| files.len() == 1), "neither lost nor doubled");
}

#[test]
fn a_filesystem_sync_makes_names_sizes_and_bytes_durable() {
    over_seeds(|seed| {
        let disk = disk(seed);
        disk.create_dir_all(Path::new("/d/a/b")).unwrap();
        let file = disk.open(Path::new("/d/a/b/f"), Open::CreateNew).unwrap();
        put(&*file, &[3; 5000], 100);
        let before = disk.digest();
        disk.sync_filesystem(&*file).unwrap();
        assert_ne!(disk.digest(), before);
        let durable = disk.durable_bytes(Path::new("/d/a/b/f")).unwrap();
        disk.crash();
        assert_eq!(read(&disk, "/d/a/b/f").unwrap(), durable);
        assert_eq!((durable.len(), durable[99], durable[100]), (5100, 0, 3));
    });
}

#[tokio::test(start_paused = true)]
async fn a_durable_write_is_stable_when_it_answers_and_torn_when_the_power_goes_first() {
    let mut torn = [0; 3];
    for seed in 0..SEEDS {
        let disk = disk(seed);
        settled(&disk, "/d/journal", &[0; 32768]);
        let journal = disk.open(Path::new("/d/journal"), Open::Durable).unwrap();
        let (back, outcome) = journal.write_durable(4096, block(&[1; 8192])).await;
        outcome.unwrap();
        assert_eq!(back.bytes(), [1; 8192], "the block comes back");

        let on_its_way = tokio::spawn(journal.write_durable(16384, back));
        tokio::task::yield_now().await;
        disk.crash();
        let (_, outcome) = on_its_way.await.unwrap();
        assert!(PowerOff::is(&outcome.unwrap_err()));

        let bytes = read(&disk, "/d/journal").unwrap();
        assert_eq!((&bytes[..4096], &bytes[4096..12288]), (&[0; 4096][..], &[1; 8192][..]));
        match bytes[16384..24576].iter().filter(|&&b| b == 1).count() {
            0 => torn[0] += 1,
            8192 => torn[1] += 1,
            _ => torn[2] += 1,
        }
    }
    assert!(torn.iter().all(|&seeds| seeds > 0), "lost, whole, torn: {torn:?}");
}

#[test]
fn the_power_goes_off_at_the_operation_that_was_named() {
    let mut outcomes = Vec::new();
    for seed in 0..SEEDS {
        let disk = disk(seed);
        let file = settled(&disk, "/d/f", &[0; 4096]);
        disk.crash_at(disk.operations() + 2);
        put(&*file, &[1; 4096], 0);
        assert!(PowerOff::is(&file.sync().unwrap_err()), "the second operation from here");
        assert!(PowerOff::is(&file.size().unwrap_err()) && PowerOff::is(&disk.list(Path::new("/d")).unwrap_err()));
        let done = disk.operations();
        assert!(disk.sync_dir(Path::new("/d")).is_err());
        assert_eq!(disk.operations(), done, "what is refused is not an operation");

        disk.crash();
        assert!(PowerOff::is(&file.size().unwrap_err()), "a handle does not outlive its boot");
        outcomes.push(read(&disk, "/d/f").unwrap()[0]);
    }
    assert!(outcomes.contains(&0) && outcomes.contains(&1), "the sync was under way");
}

#[test]
fn a_kill_ends_handles_and_locks_and_loses_nothing() {
    let disk = disk(1);
    let file = disk.open(Path::new("/d/f"), Open::CreateNew).unwrap();
    put(&*file, b"unsynced", 0);
    let lock = disk.lock(Path::new("/d/.lock")).unwrap();
    disk.kill();
    assert!(PowerOff::is(&file.size().unwrap_err()));
    assert_eq!(read(&disk, "/d/f").unwrap(), b"unsynced");
    let next = disk.lock(Path::new("/d/.lock")).unwrap();
    drop(lock);
    assert!(disk.lock(Path::new("/d/.lock")).is_err(), "a dead process's lock does not open the new one's");
    drop(next);
}

#[test]
fn a_failed_sync_is_not_made_good_by_the_next_one() {
    let lost = over_seeds(|seed| {
        let disk = disk(seed);
        let file = settled(&disk, "/d/f", &[0; 4096]);
        put(&*file, &[1; 4096], 0);
        disk.fault_next(Kind::Sync, "/d/f", Fault::Io);
        assert!(file.sync().is_err());
        file.sync().unwrap();
        assert_eq!(read(&disk, "/d/f").unwrap(), [1; 4096], "the page cache still shows it");
        disk.crash();
        read(&disk, "/d/f").unwrap() != [1; 4096]
    });
    assert!(lost.contains(&true) && lost.contains(&false));
}

#[tokio::test(start_paused = true)]
async fn lost_and_misdirected_writes_are_acknowledged() {
    for seed in 0..SEEDS {
        let disk = disk(seed);
        settled(&disk, "/d/journal", &[0; 65536]);
        let journal = disk.open(Path::new("/d/journal"), Open::Durable).unwrap();
        disk.fault_next(Kind::WriteDurable, "journal", Fault::Lost);
        let (back, outcome) = journal.write_durable(0, block(&[1; 4096])).await;
        outcome.unwrap();
        assert_eq!(read(&disk, "/d/journal").unwrap(), [0; 65536]);

        disk.fault_next(Kind::WriteDurable, "journal", Fault::Misdirected);
        journal.write_durable(8192, back).await.1.unwrap();
        disk.crash();
        let bytes = read(&disk, "/d/journal").unwrap();
        assert_eq!(bytes[8192..12288], [0; 4096]);
        let ones = bytes.iter().filter(|&&b| b == 1).count();
        assert!(ones == 4096 || ones == 0, "beside its place, or nowhere");
    }
}

#[test]
fn a_plain_write_that_was_lost_shows_until_the_power_goes() {
    let disk = disk(1);
    let file = settled(&disk, "/d/f", &[0; 4096]);
    disk.fault_next(Kind::Write, "/d/f", Fault::Lost);
    put(&*file, &[1; 4096], 0);
    file.sync().unwrap();
    assert_eq!(read(&disk, "/d/f").unwrap(), [1; 4096]);
    disk.crash();
    assert_eq!(read(&disk, "/d/f").unwrap(), [0; 4096]);
}

#[test]
fn a_full_disk_refuses_growth_and_nothing_else() {
    let disk = SimulatedDisk::new(1, Faults { capacity: 10_000, ..Faults::default() });
    let file = disk.open(Path::new("/f"), Open::CreateNew).unwrap();
    put(&*file, &[1; 8000], 0);
    assert_eq!(disk.space(Path::new("/")).unwrap().free, 2000);
    let full = file.write_at(&[IoSlice::new(&[2; 4000])], 8000).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(file.size().unwrap(), 10_000, "as much as there was room for");
    put(&*file, &[3; 8000], 0);
    file.set_size(5000).unwrap();
    assert_eq!(disk.space(Path::new("/")).unwrap().free, 5000);
    disk.remove_file(Path::new("/f")).unwrap();
    assert_eq!(disk.space(Path::new("/")).unwrap().free, 5000, "an open file keeps its room");
    drop(file);
    assert_eq!(disk.space(Path::new("/")).unwrap().free, 10_000);
}

#[test]
fn rot_flips_one_bit() {
    let flipped = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
    for seed in 0..20 {
        let disk = disk(seed);
        let file = settled(&disk, "/d/f", &[7; 4096]);
        disk.set_faults(Faults { rot_on_read: Chance::ALWAYS, ..Faults::default() });
        let mut bytes = [0; 4096];
        file.read_at(&mut bytes, 0).unwrap();
        assert_eq!(flipped(&bytes, &[7; 4096]), 1);
        disk.set_faults(Faults { rot_at_rest: Chance::ALWAYS, ..Faults::default() });
        assert_eq!(read(&disk, "/d/f").unwrap(), [7; 4096], "what is at rest rots at a power cut");
        disk.crash();
        assert_eq!(flipped(&read(&disk, "/d/f").unwrap(), &[7; 4096]), 1);
    }
}

#[test]
fn a_test_can_damage_and_plant_files() {
    let disk = disk(1);
    disk.install(Path::new("/kafka/logs/t-0/0.log"), b"from elsewhere").unwrap();
    disk.patch(Path::new("/kafka/logs/t-0/0.log"), 5, b"ELSE").unwrap();
    disk.crash();
    assert_eq!(read(&disk, "/kafka/logs/t-0/0.log").unwrap(), b"from ELSEwhere");
    assert_eq!(disk.durable_files(), [Path::new("/kafka/logs/t-0/0.log")]);
    assert!(disk.patch(Path::new("/kafka/logs/t-0/0.log"), 12, b"past the end").is_err());
}

/// The base of every seeded test: nothing but the seed decides.
#[test]
fn the_same_seed_gives_the_same_operations_and_bytes() {
    let story = |seed| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let disk = disk(seed);
            let faults = Faults { write_error: Chance::one_in(20), slow_write: Chance::one_in(5), ..Faults::default() };
            settled(&disk, "/d/journal", &[0; 65536]);
            disk.set_faults(faults);
            for round in 0..20u64 {
                let journal = disk.open(Path::new("/d/journal"), Open::Durable).unwrap();
                let first = tokio::spawn(journal.write_durable(round % 8 * 4096, block(&[round as u8; 8192])));
                let second = tokio::spawn(journal.write_durable(32768, block(&[round as u8; 4096])));
                let file = disk.open(Path::new(&format!("/d/{round}")), Open::Create).unwrap();
                let _ = file.write_at(&[IoSlice::new(&[round as u8; 700])], round * 100);
                tokio::time::sleep(Duration::from_millis(round % 3)).await;
                if round % 4 == 3 {
                    disk.crash();
                }
                let _ = (first.await.unwrap().1.is_ok(), second.await.unwrap().1.is_ok());
            }
            (disk.log(), disk.log_digest(), disk.digest(), disk.files())
        })
    };
    assert_eq!(story(7), story(7));
    assert_ne!(story(7).2, story(8).2);
}
