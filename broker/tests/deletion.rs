//! Topics are deleted, and made again under the same names, under load, and the power goes off at every step of it: what was
//! deleted stays so, a namesake begins at 0 with nothing of the old, and the other topics lose nothing.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use support::workload::{ADDRESS, boot, create, start_with};
use support::{Client, batch, fetch_request, produce_request};
use thalweg_messages::fetch::FetchRequest;
use thalweg_messages::metadata::{MetadataRequest, MetadataRequestTopic};
use thalweg_messages::produce::ProduceRequest;
use thalweg_world::disk::Disk;
use thalweg_world::simulated::SimulatedWorld;

/// Checkpoints come every 256 KiB, and the journal's files are written over.
const JOURNAL_BYTES: u64 = 1 << 20;

const VALUE_BYTES: usize = 12_000;

/// What clients know of each name.
type Ledger = BTreeMap<&'static str, Known>;

#[derive(Default)]
struct Known {
    fate: Fate,
    /// The how many-th topic of its name it is.
    generation: usize,
    /// What was acknowledged to this generation.
    values: Vec<String>,
}

/// Whether there is a topic of a name, as far as answers tell.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Fate {
    There,
    /// Its deletion was asked for, and not answered.
    Going,
    #[default]
    Gone,
    /// Its creation was asked for, and not answered.
    Coming,
    /// Its deletion and a namesake's creation were asked for together, and not answered.
    Swapping,
}

fn value(name: &str, generation: usize, number: usize) -> String {
    format!("{name}/{generation}/{number:0VALUE_BYTES$}")
}

async fn make(client: &mut Client, ledger: &mut Ledger, name: &'static str) -> io::Result<()> {
    let generation = ledger.entry(name).or_default().generation + 1;
    ledger.insert(name, Known { fate: Fate::Coming, generation, values: Vec::new() });
    let mode: &[_] = if name == "async" { &[("flush.mode", "async")] } else { &[] };
    create(client, name, mode).await?;
    ledger.get_mut(name).unwrap().fate = Fate::There;
    Ok(())
}

async fn delete(client: &mut Client, ledger: &mut Ledger, name: &'static str) -> io::Result<()> {
    ledger.get_mut(name).unwrap().fate = Fate::Going;
    match client.delete_topic(name).await? {
        0 => ledger.get_mut(name).unwrap().fate = Fate::Gone,
        code => return Err(io::Error::other(format!("error {code}"))),
    }
    Ok(())
}

/// Deletes a topic and makes its namesake, asked for at the same time.
async fn swap(sim: &SimulatedWorld, ledger: &mut Ledger, name: &'static str) -> io::Result<()> {
    let mut first = Client::connect(&sim.world, ADDRESS).await?;
    let mut second = Client::connect(&sim.world, ADDRESS).await?;
    let known = ledger.get_mut(name).unwrap();
    known.fate = Fate::Swapping;
    let (deleted, created) = tokio::join!(first.delete_topic(name), second.create_topic(name, 1));
    match (deleted?, created?) {
        (0, 0) => {
            *known = Known { fate: Fate::There, generation: known.generation + 1, values: Vec::new() };
            Ok(())
        }
        codes => Err(io::Error::other(format!("errors {codes:?}"))),
    }
}

async fn load(client: &mut Client, ledger: &mut Ledger, name: &'static str, values: usize) -> io::Result<()> {
    let known = ledger.get_mut(name).unwrap();
    for _ in 0..values {
        let value = value(name, known.generation, known.values.len());
        let answer = client.produce(name, 0, &batch(&[value.as_bytes()])).await?;
        if answer.error_code != 0 {
            return Err(io::Error::other(format!("error {}", answer.error_code)));
        }
        assert_eq!(answer.base_offset.0, known.values.len() as i64, "{name} of generation {}", known.generation);
        known.values.push(value);
    }
    Ok(())
}

/// Deletes a topic while a record is on its way to it and a reader waits.
async fn delete_under_load(sim: &SimulatedWorld, ledger: &mut Ledger, name: &'static str) -> io::Result<()> {
    let mut client = Client::connect(&sim.world, ADDRESS).await?;
    let mut producer = Client::connect(&sim.world, ADDRESS).await?;
    let mut reader = Client::connect(&sim.world, ADDRESS).await?;
    let (generation, end) = (ledger[name].generation, ledger[name].values.len());
    reader.send(12, &fetch_request(name, 0, end as i64, 10_000_000, 600_000)).await?;
    let value = value(name, generation, end);
    producer.send(12, &produce_request(name, 0, &batch(&[value.as_bytes()]), -1)).await?;
    delete(&mut client, ledger, name).await?;
    let (_, produced) = producer.receive::<ProduceRequest>(12).await?;
    let (_, fetched) = reader.receive::<FetchRequest>(12).await?;
    let produced = produced.responses[0].partition_responses[0].error_code;
    let fetched = fetched.responses[0].partitions[0].error_code;
    if [produced, fetched].contains(&56) {
        return Err(io::Error::other("the power went off"));
    }
    assert!(matches!(produced, 0 | 3), "the record came before, or there is no such topic: error {produced}");
    assert_eq!(fetched, 3, "who waits at {name} is told");
    Ok(())
}

async fn exists(client: &mut Client, name: &str) -> bool {
    let topic = MetadataRequestTopic { name: Some(name.to_owned()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), allow_auto_topic_creation: false, ..Default::default() };
    match client.call(12, &request).await.unwrap().topics[0].error_code {
        0 => true,
        3 => false,
        code => panic!("{name}: error {code}"),
    }
}

/// Holds what is there against what clients know, which then is certain.
async fn check(sim: &SimulatedWorld, ledger: &mut Ledger, at: Option<u64>, after: &str) {
    let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
    for (name, known) in ledger.iter_mut() {
        let there = exists(&mut client, name).await;
        let possible = match known.fate {
            Fate::There => there,
            Fate::Gone => !there,
            Fate::Going | Fate::Coming | Fate::Swapping => true,
        };
        assert!(possible, "operation {at:?}, after {after}: {name} was {:?}, and is there: {there}", known.fate);
        let fate = std::mem::replace(&mut known.fate, if there { Fate::There } else { Fate::Gone });
        if !there {
            continue;
        }
        let records = client.read_all(name, 0, 0).await.unwrap();
        if fate == Fate::Swapping && records.is_empty() {
            *known = Known { fate: Fate::There, generation: known.generation + 1, values: Vec::new() };
        }
        for (expected, (offset, found)) in records.iter().enumerate() {
            assert_eq!(*offset, expected as i64, "operation {at:?}, after {after}: a hole in {name}");
            let sent = value(name, known.generation, expected);
            let begins = String::from_utf8_lossy(&found[..20]).into_owned();
            assert!(sent.as_bytes() == &found[..], "operation {at:?}, after {after}: {name} has {begins}...");
        }
        let (found, sent) = (records.len(), known.values.len());
        let whole = *name != "async" || at.is_none();
        assert!(found <= sent + 1, "operation {at:?}, after {after}: {name} has {found} of {sent}");
        assert!(!whole || found >= sent, "operation {at:?}, after {after}: {name} has only {found} of {sent}");
        known.values = (0..found).map(|number| value(name, known.generation, number)).collect();
    }
}

/// Live ones, dormant ones, with records in files, in the journal, and on their way.
async fn first_boot(sim: &SimulatedWorld, ledger: &mut Ledger) -> io::Result<()> {
    let mut client = Client::connect(&sim.world, ADDRESS).await?;
    for name in ["stays", "goes", "async", "sleeps", "swaps"] {
        make(&mut client, ledger, name).await?;
        load(&mut client, ledger, name, 4).await?;
    }
    load(&mut client, ledger, "stays", 3).await?;
    delete_under_load(sim, ledger, "goes").await?;
    make(&mut client, ledger, "goes").await?;
    load(&mut client, ledger, "goes", 5).await?;
    swap(sim, ledger, "swaps").await?;
    load(&mut client, ledger, "swaps", 2).await?;
    load(&mut client, ledger, "stays", 2).await
}

/// After a clean stop: partitions that nobody touched, known to the checkpoint files.
async fn second_boot(sim: &SimulatedWorld, ledger: &mut Ledger) -> io::Result<()> {
    let mut client = Client::connect(&sim.world, ADDRESS).await?;
    delete(&mut client, ledger, "sleeps").await?;
    make(&mut client, ledger, "sleeps").await?;
    load(&mut client, ledger, "stays", 2).await?;
    load(&mut client, ledger, "sleeps", 1).await?;
    swap(sim, ledger, "swaps").await?;
    load(&mut client, ledger, "swaps", 2).await?;
    delete_under_load(sim, ledger, "async").await?;
    make(&mut client, ledger, "async").await?;
    load(&mut client, ledger, "async", 2).await?;
    delete(&mut client, ledger, "goes").await
}

/// Both boots, with the power going off at one operation; then a start, a look, everything deleted once more in part, and
/// a clean stop; and a start after that. Says how many operations the boots take.
fn story(seed: u64, crash_at: Option<u64>) -> u64 {
    let mut ledger = Ledger::new();
    let mut sim = boot(async { SimulatedWorld::new(seed) });
    if let Some(at) = crash_at {
        sim.disk.crash_at(at);
    }
    for round in [1, 2] {
        sim = boot(async {
            let sim = sim.reboot();
            if let Ok(broker) = start_with(&sim, JOURNAL_BYTES).await {
                let mut done = match round {
                    1 => first_boot(&sim, &mut ledger).await,
                    _ => second_boot(&sim, &mut ledger).await,
                };
                done = done.and(broker.stop().await.map_err(io::Error::other));
                assert!(crash_at.is_some() || done.is_ok(), "boot {round}: {done:?}");
            }
            sim
        });
        sim.disk.kill();
    }
    let operations = sim.disk.operations();
    sim.disk.crash();
    sim.disk.forget_orders();
    for after in ["the cut", "the clean stop after it"] {
        sim = boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await;
            let broker =
                broker.unwrap_or_else(|error| panic!("operation {crash_at:?}: no start after {after}: {error}"));
            check(&sim, &mut ledger, crash_at, after).await;
            let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
            for name in ["async", "goes", "sleeps"] {
                if ledger.get(name).is_none_or(|known| known.fate == Fate::Gone) {
                    make(&mut client, &mut ledger, name).await.unwrap();
                }
                load(&mut client, &mut ledger, name, 1)
                    .await
                    .unwrap_or_else(|error| panic!("operation {crash_at:?}, after {after}: {name}: {error}"));
            }
            delete(&mut client, &mut ledger, "sleeps").await.unwrap();
            drop(client);
            // Folders go behind the answers.
            sim.world.clock.sleep(Duration::from_secs(1)).await;
            broker.stop().await.unwrap_or_else(|error| panic!("operation {crash_at:?}, after {after}: {error}"));
            sim
        });
        sim.disk.crash();
        let left = |path: &&Path| path.to_string_lossy().contains("-delete") || path.starts_with("/data/logs/sleeps-0");
        let files = sim.disk.durable_files();
        let left: Vec<_> = files.iter().map(|path| path.as_path()).filter(left).collect();
        assert!(left.is_empty(), "operation {crash_at:?}, after {after}: {left:?}");
        for checkpoint in ["recovery-point", "replication", "log-start"] {
            let path = format!("/data/logs/{checkpoint}-offset-checkpoint");
            // One that was never written has no lines.
            let text = String::from_utf8(sim.disk.durable_bytes(Path::new(&path)).unwrap_or_default()).unwrap();
            assert!(!text.contains("sleeps"), "operation {crash_at:?}, after {after}: {checkpoint} {text}");
        }
    }
    operations
}

/// Some operations are hit in each run of a test, so that two cores share them; the seed changes with the place.
fn cut_everywhere(parity: u64) {
    let operations = story(1, None);
    assert!(operations > 150, "the story is not idle: {operations} operations");
    (1..=operations).filter(|at| at % 2 == parity).for_each(|at| _ = story(1 + at / 7 % 5, Some(at)));
}

#[test]
fn deleted_topics_stay_deleted_wherever_the_power_goes_off_even_operations() {
    cut_everywhere(0);
}

#[test]
fn deleted_topics_stay_deleted_wherever_the_power_goes_off_odd_operations() {
    cut_everywhere(1);
}

/// Folders of deleted topics go, by their ids; what can't be read, or is of somebody else, is not touched.
#[test]
fn a_folder_that_the_metadata_never_heard_of_is_left_alone() {
    let mut ledger = Ledger::new();
    let sim = boot(async {
        let sim = SimulatedWorld::new(1);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        first_boot(&sim, &mut ledger).await.unwrap();
        broker.stop().await.unwrap();
        sim
    });
    sim.disk.kill();
    // The records of somebody else's topic, beside those of a deleted one that a crash kept under their own name.
    let copy = |to: &str, id: Option<&str>| {
        for file in ["00000000000000000000.log", "partition.metadata"] {
            let mut bytes = sim.disk.durable_bytes(&Path::new("/data/logs/goes-0").join(file)).unwrap();
            if let Some(id) = id.filter(|_| file == "partition.metadata") {
                bytes = format!("version: 0\ntopic_id: {id}").into_bytes();
            }
            sim.disk.install(&Path::new("/data/logs").join(to).join(file), &bytes).unwrap();
        }
    };
    copy("alien-0", Some("AQIDBAUGBwgJCgsMDQ4PEA"));
    copy("nobody-0", Some("?"));
    copy("old-0.00000000000000000000000000000001-delete", None);
    copy("kept-0", None);
    boot(async {
        let sim = sim.reboot();
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        delete(&mut client, &mut ledger, "goes").await.unwrap();
        sim.world.clock.sleep(Duration::from_secs(1)).await;
        broker.stop().await.unwrap();
    });
    boot(async {
        let sim = sim.reboot();
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        sim.world.clock.sleep(Duration::from_secs(1)).await;
        check(&sim, &mut ledger, None, "a deletion").await;
        broker.stop().await.unwrap();
    });
    let folders: Vec<_> = sim.disk.list(Path::new("/data/logs")).unwrap().into_iter().map(|entry| entry.name).collect();
    for left in ["alien-0", "nobody-0", "stays-0"] {
        assert!(folders.iter().any(|folder| folder == Path::new(left)), "{left} of {folders:?}");
    }
    // The copy has the id of a topic that is deleted now: it goes, whatever it is called.
    let is_gone =
        |folder: &Path| folder != "kept-0" && folder != "goes-0" && !folder.to_string_lossy().contains("-delete");
    assert!(folders.iter().all(|folder| is_gone(folder)), "{folders:?}");
}
