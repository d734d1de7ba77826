//! Records on their way into files: the power goes off at every step of it, the disk fills up, a write fails.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use support::workload::{ADDRESS, boot, create, settings, settings_with, start_with};
use support::{Client, batch, produce_request};
use thalweg_broker::Broker;
use thalweg_messages::produce::{ProducePartition, ProduceRequest};
use thalweg_wire::PartitionIndex;
use thalweg_world::disk::Disk;
use thalweg_world::simulated::disk::{Fault, Kind};
use thalweg_world::simulated::{Faults, SimulatedDisk, SimulatedWorld};

/// Checkpoints come every 256 KiB, and the journal's files are written over.
const JOURNAL_BYTES: u64 = 1 << 20;

/// Twenty of them roll a segment of 1 MiB.
const VALUE_BYTES: usize = 60_000;

/// What was acknowledged, topic by topic.
type Acknowledged = BTreeMap<&'static str, Vec<String>>;

/// A value that says which it is, and is long.
fn value(number: usize) -> String {
    format!("{number:0VALUE_BYTES$}")
}

async fn produce(client: &mut Client, topic: &str, value: &str) -> io::Result<i16> {
    Ok(client.produce(topic, 0, &batch(&[value.as_bytes()])).await?.error_code)
}

/// Has the topic in which only what is synced counts.
async fn create_sync(sim: &SimulatedWorld, acknowledged: &mut Acknowledged) -> io::Result<()> {
    if acknowledged.is_empty() {
        let mut client = Client::connect(&sim.world, ADDRESS).await?;
        create(&mut client, "sync", &[("segment.bytes", "1048576")]).await?;
        acknowledged.insert("sync", Vec::new());
    }
    Ok(())
}

/// Writes so many values to each topic; notes what was acknowledged.
async fn load(sim: &SimulatedWorld, acknowledged: &mut Acknowledged, values: usize) -> io::Result<()> {
    let mut client = Client::connect(&sim.world, ADDRESS).await?;
    if acknowledged.is_empty() {
        create(&mut client, "sync", &[("segment.bytes", "1048576")]).await?;
        create(&mut client, "async", &[("flush.mode", "async"), ("segment.bytes", "1048576")]).await?;
        acknowledged.extend([("sync", Vec::new()), ("async", Vec::new())]);
    }
    for _ in 0..values {
        for (topic, values) in acknowledged.iter_mut() {
            let value = value(values.len());
            match produce(&mut client, topic, &value).await? {
                0 => values.push(value),
                code => return Err(io::Error::other(format!("error {code}"))),
            }
        }
    }
    Ok(())
}

async fn found(sim: &SimulatedWorld, topic: &str) -> Vec<String> {
    let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
    let records = client.read_all(topic, 0, 0).await.unwrap();
    let dense = records.iter().enumerate().all(|(expected, (offset, _))| *offset == expected as i64);
    assert!(dense, "a hole in the offsets of {topic}");
    records.into_iter().map(|(_, value)| String::from_utf8(value.to_vec()).unwrap()).collect()
}

/// Whether Kafka would take the directory for one that stopped in order, although a journal has records.
fn clean_beside_a_journal(sim: &SimulatedWorld) -> bool {
    let files = sim.disk.durable_files();
    let has = |wanted: &str| files.iter().any(|path| path.starts_with(Path::new("/data/logs").join(wanted)));
    has(".kafka_cleanshutdown")
        && has("journal")
        && files.iter().filter(|path| path.starts_with("/data/logs/journal")).any(|path| {
            let bytes = sim.disk.durable_bytes(path).unwrap();
            bytes.len() > 4096 && bytes[4096..].iter().any(|&byte| byte != 0)
        })
}

/// A first start with load, a clean stop, another start with load, and a stop; the power may go off at one operation.
/// Then a start, a look, and a clean stop; and a start after that. Says how many operations the story takes.
fn story(seed: u64, crash_at: Option<u64>) -> u64 {
    let mut acknowledged = Acknowledged::new();
    let mut sim = boot(async { SimulatedWorld::new(seed) });
    if let Some(at) = crash_at {
        sim.disk.crash_at(at);
    }
    for values in [20, 3] {
        sim = boot(async {
            let sim = sim.reboot();
            if let Ok(broker) = start_with(&sim, JOURNAL_BYTES).await {
                if create_sync(&sim, &mut acknowledged).await.is_ok() {
                    let _ = load(&sim, &mut acknowledged, values).await;
                }
                let _ = broker.stop().await;
            }
            sim
        });
        sim.disk.kill();
    }
    let operations = sim.disk.operations();
    sim.disk.crash();
    sim.disk.forget_orders();
    assert!(!clean_beside_a_journal(&sim), "operation {crash_at:?}: marked clean beside a journal with frames");
    for after in ["the cut", "the clean stop after it"] {
        sim = boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await;
            let broker =
                broker.unwrap_or_else(|error| panic!("operation {crash_at:?}: no start after {after}: {error}"));
            for (topic, values) in &mut acknowledged {
                let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
                // The power may have gone off between two topics.
                let known = client.offset_of_time(topic, 0, -1).await.is_ok();
                let found = if known { found(&sim, topic).await } else { Vec::new() };
                let whole = *topic == "sync" || crash_at.is_none();
                let expected = if whole { values.len() } else { found.len().min(values.len()) };
                assert!(
                    found.starts_with(&values[..expected]),
                    "operation {crash_at:?}, after {after}: {topic} has {} of {} records",
                    found.len(),
                    values.len()
                );
                let sent = found.iter().enumerate().all(|(number, found)| *found == value(number));
                assert!(
                    sent && found.len() <= values.len() + 1,
                    "operation {crash_at:?}: {topic} has what nobody sent"
                );
                // What was found is there for good: a clean stop follows.
                *values = found;
            }
            broker.stop().await.unwrap_or_else(|error| panic!("operation {crash_at:?}, after {after}: {error}"));
            sim
        });
        sim.disk.crash();
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
fn nothing_acknowledged_is_lost_wherever_the_power_goes_off_even_operations() {
    cut_everywhere(0);
}

#[test]
fn nothing_acknowledged_is_lost_wherever_the_power_goes_off_odd_operations() {
    cut_everywhere(1);
}

/// Half of a log's records got in before the disk was full. They are not written twice, and the rest follows by itself.
#[test]
fn a_full_disk_holds_records_up_and_loses_none() {
    for (kind, path) in [
        (Kind::Write, "sync-0/00000000000000000000.log"),
        (Kind::Write, "async-0/00000000000000000000.log"),
        (Kind::Create, "sync-0/00000000000000000017.log"),
        (Kind::Create, "async-0/"),
        (Kind::Create, "sync-0/"),
        (Kind::Write, "leader-epoch-checkpoint.tmp"),
        (Kind::Create, ".snapshot.tmp"),
        (Kind::Write, ".index"),
    ] {
        let mut acknowledged = Acknowledged::new();
        let sim = boot(async {
            let sim = SimulatedWorld::new(3);
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            (0..3).for_each(|_| sim.disk.fault_next(kind, path, Fault::NoSpace));
            load(&sim, &mut acknowledged, 40).await.unwrap_or_else(|error| panic!("{kind:?} of {path}: {error}"));
            for (topic, values) in &acknowledged {
                assert_eq!(found(&sim, topic).await, *values, "{kind:?} of {path}: {topic}");
            }
            sim.disk.forget_orders();
            broker.stop().await.unwrap_or_else(|error| panic!("{kind:?} of {path}: {error}"));
            sim
        });
        sim.disk.crash();
        boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            for (topic, values) in &acknowledged {
                assert_eq!(found(&sim, topic).await, *values, "{kind:?} of {path}: {topic} after a restart");
            }
            broker.stop().await.unwrap();
        });
    }
}

/// Files can't take what the journal has, so the journal fills up too: producers wait, then are told; and once there is
/// space they are served again, without a restart.
#[test]
fn producers_are_told_of_a_disk_that_stays_full_and_served_when_it_has_space_again() {
    boot(async {
        let sim = SimulatedWorld::new(4);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut acknowledged = Acknowledged::new();
        load(&sim, &mut acknowledged, 1).await.unwrap();
        // Somebody else fills the disk, faster than the broker looks: neither the files nor the journal may grow.
        for path in ["sync-0/", "/logs/journal/"] {
            for kind in [Kind::Create, Kind::Write] {
                (0..1000).for_each(|_| sim.disk.fault_next(kind, path, Fault::NoSpace));
            }
        }
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let values = acknowledged.get_mut("sync").unwrap();
        let refused = loop {
            let value = value(values.len());
            match produce(&mut client, "sync", &value).await.unwrap() {
                // Taken, and waiting for the journal to grow: REQUEST_TIMED_OUT.
                0 | 7 => values.push(value),
                code => break code,
            }
            assert!(values.len() < 100, "more than fits was taken");
        };
        assert_eq!(refused, 56, "KAFKA_STORAGE_ERROR: try again");
        sim.disk.forget_orders();
        for _ in 0..20 {
            let value = value(values.len());
            assert_eq!(produce(&mut client, "sync", &value).await.unwrap(), 0, "there is space again");
            values.push(value);
        }
        drop(client);
        assert_eq!(found(&sim, "sync").await, acknowledged["sync"]);
        broker.stop().await.unwrap();
    });
}

/// The last of a disk is kept for what was taken already: records are refused, at once and retriably, and taken again by
/// themselves when there is space. Topics in memory go on.
#[test]
fn records_are_refused_at_the_reserve_and_taken_again_when_there_is_space() {
    boot(async {
        let sim = SimulatedWorld::new(6);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "sync", &[]).await.unwrap();
        create(&mut client, "memory", &[("storage.mode", "memory"), ("retention.bytes", "1000000")]).await.unwrap();
        let free = |bytes| {
            let used = sim.disk.space(Path::new("/")).map(|space| space.total - space.free).unwrap();
            // One percent of the whole is kept too.
            let capacity = (used + JOURNAL_BYTES + bytes) * 100 / 99;
            sim.disk.set_faults(Faults { capacity, ..Faults::default() });
        };
        // Room for three values at the very most, and the broker looks after each that it writes out.
        free(200_000);
        let mut taken = Vec::new();
        let code = loop {
            match produce(&mut client, "sync", &value(taken.len())).await.unwrap() {
                0 => taken.push(value(taken.len())),
                code => break code,
            }
            assert!(taken.len() < 100, "more than fits was taken");
        };
        assert_eq!(code, 56, "KAFKA_STORAGE_ERROR: try again");
        assert_eq!(produce(&mut client, "memory", "small").await.unwrap(), 0, "memory is no matter of the disk");
        free(10_000_000);
        while produce(&mut client, "sync", &value(taken.len())).await.unwrap() != 0 {
            sim.world.clock.sleep(std::time::Duration::from_millis(500)).await;
        }
        taken.push(value(taken.len()));
        drop(client);
        assert_eq!(found(&sim, "sync").await, taken, "what was taken, and nothing that was refused");
        broker.stop().await.unwrap();
    });
}

/// A failed write or sync is final: nothing is taken any more, the stop is not clean, and a restart has it all. So is a
/// sync that finds the disk full: the next would succeed without what the first has lost.
#[test]
fn a_failed_write_ends_the_directory_and_a_restart_recovers() {
    for (kind, path, fault) in [
        (Kind::Write, "sync-0/", Fault::Io),
        (Kind::SyncFilesystem, "", Fault::Io),
        (Kind::WriteDurable, "/logs/journal", Fault::Io),
        (Kind::Sync, "sync-0/", Fault::Io),
        (Kind::Sync, "sync-0/", Fault::NoSpace),
    ] {
        let mut acknowledged = Acknowledged::new();
        let sim = boot(async {
            let sim = SimulatedWorld::new(5);
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            load(&sim, &mut acknowledged, 1).await.unwrap();
            sim.disk.fault_next(kind, path, fault);
            let error = load(&sim, &mut acknowledged, 60).await.unwrap_err();
            assert_eq!(error.to_string(), "error 56", "{kind:?} of {path}: KAFKA_STORAGE_ERROR");
            let error = broker.stop().await.unwrap_err();
            assert!(error.to_string().contains("not clean"), "{error}");
            sim
        });
        sim.disk.kill();
        boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            let found = found(&sim, "sync").await;
            assert!(found.starts_with(&acknowledged["sync"]), "{kind:?} of {path}");
            broker.stop().await.unwrap();
        });
    }
}

/// `acks=0` waits for nothing, and its connection is gone when the broker stops: what was taken is stored all the same.
#[test]
fn a_stop_waits_for_what_nobody_waits_for() {
    for seed in 0..20 {
        let sim = boot(async {
            let sim = SimulatedWorld::new(seed);
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
            create(&mut client, "sync", &[]).await.unwrap();
            for number in 0..30 {
                let value = value(number);
                client
                    .send::<ProduceRequest>(12, &produce_request("sync", 0, &batch(&[value.as_bytes()]), 0))
                    .await
                    .unwrap();
            }
            // Answered when everything before it was taken.
            client.metadata().await.unwrap();
            broker.stop().await.unwrap();
            sim
        });
        sim.disk.crash();
        boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            assert_eq!(found(&sim, "sync").await.len(), 30, "seed {seed}");
            broker.stop().await.unwrap();
        });
    }
}

#[test]
fn a_journal_that_somebody_took_away_is_missed() {
    let sim = boot(async {
        let sim = SimulatedWorld::new(6);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        load(&sim, &mut Acknowledged::new(), 2).await.unwrap();
        drop(broker);
        sim
    });
    sim.disk.kill();
    let folder = Path::new("/data/logs/journal");
    for entry in sim.disk.list(folder).unwrap() {
        sim.disk.remove_file(&folder.join(entry.name)).unwrap();
    }
    sim.disk.remove_dir(folder).unwrap();
    boot(async {
        let sim = sim.reboot();
        let error =
            Broker::start(sim.world.clone(), settings(JOURNAL_BYTES)).await.err().expect("a refusal").to_string();
        assert!(error.contains("/data/logs/journal: the journal is missing"), "{error}");
        assert!(!sim.disk.files().iter().any(|path| path.starts_with(folder)), "no new one in its place");
    });
}

/// Room is promised in pieces that any journal has, also the smallest.
#[test]
fn a_request_for_many_partitions_fits_into_a_small_journal() {
    for (journal, partitions) in [(1 << 20, 300), (4 << 20, 1100), (64 << 10, 20)] {
        boot(async {
            let sim = SimulatedWorld::new(8);
            let broker = start_with(&sim, journal).await.unwrap();
            let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
            client.create_topic("many", partitions).await.unwrap();
            let mut request = produce_request("many", 0, &batch(&[b"v"]), -1);
            let first = request.topic_data[0].partition_data[0].clone();
            let of = |index| ProducePartition { index: PartitionIndex(index), ..first.clone() };
            request.topic_data[0].partition_data = (0..partitions).map(of).collect();
            let answer = client.call(12, &request).await.unwrap();
            let codes = answer.responses[0].partition_responses.iter().map(|partition| partition.error_code);
            assert!(codes.eq((0..partitions).map(|_| 0)), "a journal of {journal} bytes");
            broker.stop().await.unwrap();
        });
    }
}

/// The journal and the reserve of the default are larger than such a disk has to give.
#[test]
fn a_small_disk_takes_records_with_the_default_settings() {
    boot(async {
        let sim = SimulatedWorld::new(9);
        sim.disk.set_faults(Faults { capacity: 1 << 30, ..Faults::default() });
        let broker = Broker::start(sim.world.clone(), settings_with(&[])).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "t", &[]).await.unwrap();
        sim.world.clock.sleep(std::time::Duration::from_secs(1)).await;
        for number in 0..1000 {
            assert_eq!(produce(&mut client, "t", &value(number)).await.unwrap(), 0);
        }
        drop(client);
        broker.stop().await.unwrap();
    });
}

/// Two records in each of two topics, a clean stop, and then, if `killed`, a start and a kill. The first topic's files are
/// hurt; its partition is refused from then on, nothing is cut, and the other goes on.
fn refused_after(hurt: impl Fn(&SimulatedDisk), killed: bool) {
    let sim = boot(async {
        let sim = SimulatedWorld::new(10);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        for topic in ["damaged", "healthy"] {
            create(&mut client, topic, &[]).await.unwrap();
            for value in ["v", "w"] {
                assert_eq!(produce(&mut client, topic, value).await.unwrap(), 0);
            }
        }
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    let sim = boot(async {
        let sim = sim.reboot();
        if killed {
            let _killed = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        }
        sim
    });
    sim.disk.kill();
    hurt(&sim.disk);
    let before = sim.disk.durable_bytes(Path::new(LOG)).unwrap();
    let sim = boot(async {
        let sim = sim.reboot();
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        assert_eq!(produce(&mut client, "damaged", "v").await.unwrap(), 56, "KAFKA_STORAGE_ERROR");
        assert_eq!(produce(&mut client, "healthy", "v").await.unwrap(), 0);
        broker.stop().await.unwrap();
        sim
    });
    assert_eq!(sim.disk.durable_bytes(Path::new(LOG)).unwrap(), before, "what a person may still need");
}

/// The records of the topic that is hurt.
const LOG: &str = "/data/logs/damaged-0/00000000000000000000.log";

/// A leader epoch stands outside of its batch's checksum. One that can't be takes its partition offline, and no other. Only
/// after an unclean stop are epochs read from the records.
#[test]
fn a_flipped_bit_in_a_leader_epoch_costs_one_partition() {
    let in_the_last = |disk: &SimulatedDisk| {
        let second = disk.durable_bytes(Path::new(LOG)).unwrap().len() as u64 / 2;
        disk.patch(Path::new(LOG), second + 12, &[0x40]).unwrap();
    };
    refused_after(in_the_last, true);
}

/// The journal doesn't have them any more, so they were durable, and a bad one is no torn tail.
#[test]
fn a_bad_last_batch_of_what_the_journal_has_let_go_is_not_cut() {
    let last_byte = |disk: &SimulatedDisk| {
        let end = disk.durable_bytes(Path::new(LOG)).unwrap().len() as u64;
        disk.patch(Path::new(LOG), end - 1, &[0x40]).unwrap();
    };
    refused_after(last_byte, true);
}

/// Two records were durable, as the checkpoint of the clean stop says, and there is one.
#[test]
fn records_that_are_missing_at_the_end_are_missed() {
    for killed in [false, true] {
        let halve = |disk: &SimulatedDisk| {
            let whole = disk.durable_bytes(Path::new(LOG)).unwrap();
            disk.remove_file(Path::new(LOG)).unwrap();
            disk.install(Path::new(LOG), &whole[..whole.len() / 2]).unwrap();
        };
        refused_after(halve, killed);
    }
}

/// A log start behind all records of a topic that loses none can't be true.
#[test]
fn a_log_start_behind_the_end_deletes_nothing() {
    for killed in [false, true] {
        let start = |disk: &SimulatedDisk| {
            disk.remove_file(Path::new(LOG_STARTS)).unwrap();
            disk.install(Path::new(LOG_STARTS), b"0\n1\ndamaged 0 500\n").unwrap();
        };
        refused_after(start, killed);
    }
}

const LOG_STARTS: &str = "/data/logs/log-start-offset-checkpoint";
