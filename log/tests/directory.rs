//! A log directory is ours or it isn't touched; a first start that is cut short begins anew and locks nobody out.
#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

mod rig;

use std::path::Path;

use rig::{Boot, FOLDER, LOGS, identity, play, small, world};
use thalweg_log::LogDirectory;
use thalweg_log::directory::{DirectoryError, Identity, read_meta, write_meta};
use thalweg_wire::{BrokerId, Uuid};
use thalweg_world::disk::Disk;
use thalweg_world::simulated::SimulatedWorld;
use thalweg_world::simulated::disk::{Fault, Faults};

fn sound() -> SimulatedWorld {
    world(1, Faults::default())
}

fn install(world: &SimulatedWorld, name: &str, bytes: &[u8]) {
    world.disk.install(&Path::new(LOGS).join(name), bytes).unwrap();
}

fn open(world: &SimulatedWorld, identity: &Identity) -> Result<LogDirectory, DirectoryError> {
    LogDirectory::open(&world.world, Path::new(LOGS), identity, small()).map(|(directory, ..)| directory)
}

/// The refusal of a start that did nothing to the disk.
fn untouched(world: &SimulatedWorld) -> DirectoryError {
    let before = world.disk.operations();
    let error = open(world, &identity()).err().unwrap();
    assert_eq!(world.disk.operations(), before, "{error}");
    error
}

fn operations_of_a_first_start() -> u64 {
    let world = sound();
    drop(open(&world, &identity()).unwrap());
    world.disk.operations()
}

#[test]
fn a_first_start_that_is_cut_short_anywhere_begins_anew() {
    for at in 1..=operations_of_a_first_start() {
        for seed in 0..25 {
            play(async || {
                let world = world(seed, Faults::default());
                world.disk.crash_at(at);
                assert!(open(&world, &identity()).is_err());
                world.disk.crash();
                let world = world.reboot();
                let boot =
                    Boot::start(&world, small()).unwrap_or_else(|error| panic!("operation {at}, seed {seed}: {error}"));
                let id = boot.directory.id();
                boot.push(1, 100).unwrap();
                boot.until_committed(1).await;
                boot.end().await;
                world.disk.crash();
                let again = Boot::start(&world.reboot(), small()).unwrap();
                assert_eq!((again.found.len(), again.directory.id()), (1, id));
            });
        }
    }
}

/// A killed process loses nothing, a power cut later what it never synced. The start between stands on both.
#[test]
fn a_start_after_a_killed_first_start_makes_durable_what_it_counts_on() {
    let operations = operations_of_a_first_start();
    for seed in 0..20 * operations {
        play(async || {
            let world = world(seed, Faults::default());
            world.disk.fault_at(1 + seed % operations, Fault::Io);
            // An error in place of a power cut: the process ends, and the page cache lives on.
            drop(open(&world, &identity()));
            world.disk.kill();
            let world = world.reboot();
            let boot = Boot::start(&world, small()).unwrap();
            boot.push(1, 100).unwrap();
            boot.until_committed(1).await;
            boot.end().await;
            world.disk.crash();
            let again = Boot::start(&world.reboot(), small()).unwrap();
            assert_eq!(again.found.len(), 1);
        });
    }
}

#[test]
fn a_directory_with_things_in_it_and_no_name_is_not_touched() {
    let world = sound();
    install(&world, "family-photos/cat.jpg", b"miaow");
    let error = untouched(&world);
    assert!(matches!(&error, DirectoryError::Unnamed(path) if path == Path::new(LOGS)), "{error}");
    assert!(error.to_string().contains("nothing is touched"), "{error}");
}

#[test]
fn frames_without_a_name_are_somebodys_records() {
    play(async || {
        let world = sound();
        let boot = Boot::start(&world, small()).unwrap();
        boot.push(1, 100).unwrap();
        boot.until_committed(1).await;
        boot.stop().await;
        world.disk.remove_file(&Path::new(LOGS).join("meta.properties")).unwrap();
        let journal = world.disk.durable_bytes(&rig::file(0)).unwrap();
        assert!(matches!(open(&world, &identity()), Err(DirectoryError::Unnamed(_))));
        assert_eq!(world.disk.durable_bytes(&rig::file(0)).unwrap(), journal);
    });
}

#[test]
fn the_directory_of_another_node_or_cluster_is_not_touched() {
    let world = sound();
    drop(open(&world, &identity()).unwrap());
    let others = [Identity { node: BrokerId(2), ..identity() }, Identity { cluster: "other".to_owned(), ..identity() }];
    for other in others {
        let before = world.disk.operations();
        let error = open(&world, &other).err().unwrap();
        assert!(matches!(&error, DirectoryError::Foreign { found, .. } if *found == identity()), "{error}");
        assert!(error.to_string().contains("belongs to node 1 of cluster a-cluster"), "{error}");
        assert_eq!(world.disk.operations(), before);
    }
}

#[test]
fn one_process_at_a_time() {
    let world = sound();
    let first = open(&world, &identity()).unwrap();
    let error = open(&world, &identity()).err().unwrap();
    assert!(matches!(&error, DirectoryError::Locked(path) if path == Path::new(LOGS)), "{error}");
    drop(first);
    assert!(open(&world, &identity()).is_ok());
}

/// As `kafka-storage format` writes it: a comment, the date, keys in the order of a hash table.
#[test]
fn kafkas_own_meta_properties_is_read() {
    let world = sound();
    let text = "#\n#Sat Nov 21 13:05:41 UTC 2026\nnode.id=1\ndirectory.id=MB_lLQeKRsq6gSN0ymh_jw\nversion=1\n\
                cluster.id=MkU3OEVBNTcwNTJENDM2Qk\n";
    install(&world, "meta.properties", text.as_bytes());
    let (identity, id) = read_meta(&world.disk, Path::new(LOGS)).unwrap().unwrap();
    assert_eq!(identity, Identity { cluster: "MkU3OEVBNTcwNTJENDM2Qk".to_owned(), node: BrokerId(1) });
    assert_eq!(id.to_string(), "MB_lLQeKRsq6gSN0ymh_jw");
    assert_eq!(open(&world, &identity).unwrap().id(), id, "Kafka has no journal: one is made");
    let folder = Path::new(FOLDER);
    for entry in world.disk.list(folder).unwrap() {
        world.disk.remove_file(&folder.join(entry.name)).unwrap();
    }
    world.disk.remove_dir(folder).unwrap();
    let error = open(&world, &identity).err().unwrap();
    assert!(error.to_string().ends_with("the journal is missing; nothing is touched"), "{error}");
}

#[test]
fn a_name_reads_back_whatever_is_in_it() {
    let world = sound();
    world.disk.create_dir_all(Path::new(LOGS)).unwrap();
    let odd = Identity { cluster: r"a:b=c#d!e\f".to_owned(), node: BrokerId(7) };
    write_meta(&world.disk, Path::new(LOGS), &odd, Uuid([3; 16])).unwrap();
    assert_eq!(read_meta(&world.disk, Path::new(LOGS)).unwrap(), Some((odd, Uuid([3; 16]))));
}

#[test]
fn a_meta_properties_that_we_do_not_understand_is_named_and_left() {
    let good = "version=1\ncluster.id=c\nnode.id=1\ndirectory.id=MB_lLQeKRsq6gSN0ymh_jw\n";
    let bad = [
        (good.replace("version=1", "version=2"), "only version 1 is known"),
        (good.replace("version=1\n", ""), "version is missing"),
        (good.replace("node.id=1", "node.id=one"), "node.id is not a number"),
        (good.replace("_jw", ""), "directory.id is not an id"),
        (good.replace("cluster.id=c\n", "#cluster.id=c\n"), "cluster.id is missing"),
        (String::new(), "version is missing"),
        ("x".repeat(100_000), "too large"),
    ];
    for (text, reason) in bad {
        let world = sound();
        install(&world, "meta.properties", text.as_bytes());
        let error = untouched(&world);
        assert!(matches!(&error, DirectoryError::BadMeta(_, found) if found.contains(reason)), "{error}");
    }
    let world = sound();
    install(&world, "meta.properties", &[0xff; 40]);
    assert!(untouched(&world).to_string().ends_with("not text"));
}

#[test]
fn the_way_to_a_new_directory_is_durable() {
    play(async || {
        for seed in 0..40 {
            let world = world(seed, Faults::default());
            let path = Path::new("/srv/streams/thalweg/logs");
            drop(LogDirectory::open(&world.world, path, &identity(), small()).unwrap());
            world.disk.crash();
            assert!(read_meta(&world.disk, path).unwrap().is_some());
        }
    });
}

#[test]
fn the_journal_is_a_folder_that_kafka_does_not_know() {
    let world = sound();
    drop(open(&world, &identity()).unwrap());
    let names: Vec<String> =
        world.disk.list(Path::new(LOGS)).unwrap().iter().map(|entry| entry.name.display().to_string()).collect();
    assert_eq!(names, [".journal-is-here", ".lock", "journal", "meta.properties"]);
    assert_eq!(world.disk.list(Path::new(FOLDER)).unwrap().len(), 1);
}
