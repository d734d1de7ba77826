//! What a broker left on its disk, looked over: in order however it ended, and each byte that is another one afterwards is
//! found, but in the few files that have no checksum and say what nothing else says.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::seeds;
use support::workload::{self, ADDRESS, Ledger, SharedLedger, boot, create};
use support::{Client, batch};
use thalweg_broker::Broker;
use thalweg_log::journal::FileHeader;
use thalweg_log::journal::scan::{Found, whole_frames};
use thalweg_log::verify::{self, Finding, Mode, Report, Totals, Weight};
use thalweg_messages::init_producer_id::InitProducerIdRequest;
use thalweg_quorum::verify as quorum;
use thalweg_wire::batch::Builder;
use thalweg_wire::{ProducerEpoch, Timestamp};
use thalweg_world::disk::{Disk, Open};
use thalweg_world::simulated::{Rng, SimulatedDisk, SimulatedWorld};

const LOGS: &str = "/data/logs";
const QUORUM: &str = "/data/quorum";

/// So small that its files are written over.
const JOURNAL_BYTES: &str = "65536";

async fn start(sim: &SimulatedWorld) -> Broker {
    let settings = workload::settings_with(&[("journal.bytes", JOURNAL_BYTES), ("num.partitions", "2")]);
    Broker::start(sim.world.clone(), settings).await.unwrap()
}

/// All that is found in a folder, and how much was looked at.
fn look(disk: &dyn Disk, folder: &str) -> (Vec<Finding>, Totals) {
    let mut found = Vec::new();
    let mut sink = |finding| found.push(finding);
    let mut report = Report::new(&mut sink);
    if folder == LOGS {
        verify::directory(disk, Path::new(LOGS), None, Mode::Look, &mut report).unwrap();
    } else {
        quorum::quorum(disk, Path::new(QUORUM), &mut report).unwrap();
    }
    let totals = report.totals;
    (found, totals)
}

/// However a broker ends, and wherever it was when it did: a look finds nothing that is lost, and it writes nothing.
#[test]
fn what_a_broker_leaves_is_in_order_however_it_ends() {
    for seed in 0..seeds(24) {
        let mut rng = Rng::stream(seed, "ends");
        let ledger: SharedLedger = Arc::new(Mutex::new(Ledger::default()));
        let mut sim = boot(async { SimulatedWorld::new(seed) });
        for round in 0..3 {
            let end = rng.below(3);
            sim = boot(async {
                let sim = sim.reboot();
                let broker = start(&sim).await;
                let writer = workload::client(sim.world.clone(), ledger.clone(), seed, format!("c{round}"), 40);
                writer.await.unwrap();
                if end == 0 {
                    broker.stop().await.unwrap();
                }
                sim
            });
            match end {
                1 => sim.disk.kill(),
                _ => sim.disk.crash(),
            }
            let before = sim.disk.digest();
            for folder in [LOGS, QUORUM] {
                let (found, totals) = look(&sim.disk, folder);
                let lost: Vec<_> = found.iter().filter(|finding| finding.weight == Weight::Damage).collect();
                assert!(lost.is_empty(), "seed {seed}, round {round}, end {end}: {lost:?}");
                assert!(end != 0 || found.is_empty(), "seed {seed}, round {round}: {found:?}");
                assert!(totals.bytes > 0);
            }
            assert_eq!(sim.disk.digest(), before, "a look writes nothing");
        }
    }
}

/// A directory with a file of each kind that a broker of ours makes: stopped cleanly, or killed.
fn written(ending: Ending) -> SimulatedWorld {
    let sim = boot(async {
        let sim = SimulatedWorld::new(5);
        let broker = start(&sim).await;
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "orders", &[("index.interval.bytes", "100")]).await.unwrap();
        create(&mut client, "clicks", &[("flush.mode", "async")]).await.unwrap();
        let request = InitProducerIdRequest { transaction_timeout_ms: 60_000, ..Default::default() };
        let given = client.call(4, &request).await.unwrap();
        for number in 0..5 {
            let value = format!("{number:080}");
            let builder = Builder::new().producer(given.producer_id, ProducerEpoch(0), number);
            let of_producer = builder.record(Timestamp::from_millis(1_700_000_000_000), None, Some(value.as_bytes()));
            client.produce("orders", 0, &of_producer.build().unwrap()).await.unwrap();
            client.produce("clicks", 0, &batch(&[value.as_bytes()])).await.unwrap();
        }
        client.delete_records("orders", 0, 1).await.unwrap();
        broker.stop().await.unwrap();
        sim
    });
    sim.disk.kill();
    if ending == Ending::Clean {
        return sim;
    }
    let sim = boot(async {
        let sim = sim.reboot();
        let broker = start(&sim).await;
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        for number in 0..3 {
            let value = format!("{number:080}");
            client.produce("orders", 0, &batch(&[value.as_bytes()])).await.unwrap();
        }
        // Long enough for the seal behind the last frame.
        sim.world.clock.sleep(Duration::from_secs(60)).await;
        drop(broker);
        sim
    });
    sim.disk.kill();
    sim
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    Clean,
    Killed,
}

/// What has no checksum, and why a byte of it can pass for another. Everything else is found.
const UNCHECKED: &[(&str, &str)] = &[
    (".lock", "nothing is in it"),
    (".journal-is-here", "that it is there is all that counts"),
    (".kafka_cleanshutdown", "that it is there is all that counts here; a Kafka reads a number of its own in it"),
    ("meta.properties", "names and ids as text, in Kafka's form"),
    ("partition.metadata", "an id as text, in Kafka's form: another one is a good one too"),
    ("recovery-point-offset-checkpoint", "names and numbers as text, in Kafka's form"),
    ("replication-offset-checkpoint", "names and numbers as text, in Kafka's form"),
    ("log-start-offset-checkpoint", "names and numbers as text, in Kafka's form"),
];

fn every_file(sim: &SimulatedWorld) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: &PathBuf| {
        let file = sim.disk.open(path, Open::Read).unwrap();
        let mut bytes = vec![0; file.size().unwrap() as usize];
        file.read_at(&mut bytes, 0).unwrap();
        bytes
    };
    sim.disk.files().into_iter().map(|path| (path.clone(), read(&path))).collect()
}

/// The frames of a journal that count, but the newest: where a byte of that is another one, it is as if its write had been
/// cut short, and nobody was told of that.
fn frames_that_count(disk: &dyn Disk, folder: &Path) -> Vec<(PathBuf, Range<usize>)> {
    let mut found = Vec::new();
    let mut files: Vec<PathBuf> = disk.list(folder).unwrap().into_iter().map(|entry| folder.join(entry.name)).collect();
    files.sort();
    for (place, path) in files.into_iter().enumerate() {
        let file = disk.open(&path, Open::Read).unwrap();
        let Some(header) = FileHeader::read(&*file).unwrap() else { continue };
        found.extend(
            whole_frames(&*file, place, header.journal).unwrap().into_iter().map(|frame| (path.clone(), frame)),
        );
    }
    let Some(newest) = found.iter().map(|(_, frame)| frame.header).max_by_key(|header| header.sequence) else {
        return Vec::new();
    };
    let counts = |frame: &Found| (newest.checkpoint + 1..newest.sequence).contains(&frame.header.sequence);
    let place = |frame: &Found| frame.at as usize..frame.at as usize + frame.header.length as usize;
    found.iter().filter(|(_, frame)| counts(frame)).map(|(path, frame)| (path.clone(), place(frame))).collect()
}

/// The bytes of a file that say something.
fn that_count(path: &Path, bytes: &[u8], frames: &[(PathBuf, Range<usize>)]) -> Vec<usize> {
    if path.extension().is_none_or(|extension| extension != "journal") {
        return (0..bytes.len()).collect();
    }
    let here = frames.iter().filter(|(file, _)| file == path).flat_map(|(_, place)| place.clone());
    (0..64).chain(here).collect()
}

fn each_flipped_byte_is_found(ending: Ending, kinds: &[&str]) {
    let sim = written(ending);
    let before = [LOGS, QUORUM].map(|folder| (folder, look(&sim.disk, folder).0));
    let all = || before.iter().flat_map(|(_, found)| found);
    assert!(all().all(|finding| finding.weight == Weight::Note), "{before:?}");
    let journals = [format!("{LOGS}/journal"), format!("{QUORUM}/journal")];
    let of = |folder: &String| frames_that_count(&sim.disk, Path::new(folder));
    let frames: Vec<_> =
        journals.iter().filter(|folder| sim.disk.list(Path::new(folder)).is_ok()).flat_map(of).collect();
    let mut missed: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let files = every_file(&sim);
    for (path, bytes) in &files {
        let (folder, before) = before.iter().find(|(folder, _)| path.starts_with(folder)).unwrap();
        for at in that_count(path, bytes, &frames) {
            patch(&sim.disk, path, at, bytes[at] ^ 0x10);
            if look(&sim.disk, folder).0 == *before {
                missed.entry(path.display().to_string()).or_default().push(at);
            }
            patch(&sim.disk, path, at, bytes[at]);
        }
    }
    for kind in kinds {
        let is_kind = |path: &PathBuf| path.to_str().unwrap().ends_with(kind);
        assert!(files.keys().any(is_kind), "no {kind} among {:?}", files.keys());
    }
    assert!(ending == Ending::Clean || !frames.is_empty());
    missed.retain(|path, _| !UNCHECKED.iter().any(|(name, _)| path.ends_with(name)));
    assert!(missed.is_empty(), "{ending:?}: {missed:?}");
}

fn patch(disk: &SimulatedDisk, path: &Path, at: usize, byte: u8) {
    disk.patch(path, at as u64, &[byte]).unwrap();
}

#[test]
fn each_flipped_byte_of_a_directory_that_stopped_cleanly_is_found() {
    let kinds = [".log", ".index", ".timeindex", "/00000000000000000005.snapshot", "leader-epoch-checkpoint"];
    each_flipped_byte_is_found(Ending::Clean, &kinds);
}

#[test]
fn each_flipped_byte_of_a_directory_whose_broker_was_killed_is_found() {
    let kinds = ["logs/journal/00.journal", "quorum/journal/00.journal", ".log", "producer-window", "meta.properties"];
    each_flipped_byte_is_found(Ending::Killed, &kinds);
}
