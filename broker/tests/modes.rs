//! Topics that are stable in the page cache or in memory only, beside one that is durable: what a stop leaves of each.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use support::workload::{ADDRESS, boot, create, start_with};
use support::{Client, batch, fetch_request, fetched_values};
use thalweg_world::simulated::SimulatedWorld;
use thalweg_world::simulated::disk::{Fault, Kind};

const JOURNAL_BYTES: u64 = 1 << 20;
const RECORDS: usize = 40;

/// Ten kilobytes each, so that files and memory both hold some.
fn value(number: usize) -> String {
    format!("{number:010000}")
}

/// The same records to a topic of each mode, all acknowledged.
async fn load(sim: &SimulatedWorld) -> io::Result<()> {
    let mut client = Client::connect(&sim.world, ADDRESS).await?;
    create(&mut client, "sync", &[]).await?;
    create(&mut client, "async", &[("flush.mode", "async")]).await?;
    create(&mut client, "memory", &[("storage.mode", "memory"), ("retention.bytes", "100000")]).await?;
    for number in 0..RECORDS {
        for topic in ["sync", "async", "memory"] {
            let answer = client.produce(topic, 0, &batch(&[value(number).as_bytes()])).await?;
            assert_eq!((answer.error_code, answer.base_offset.0), (0, number as i64), "{topic}");
        }
    }
    Ok(())
}

/// How many records are there: the first ones of those sent, each at its offset.
async fn prefix(client: &mut Client, topic: &str) -> usize {
    let found = client.read_all(topic, 0, 0).await.unwrap();
    for (number, (offset, found)) in found.iter().enumerate() {
        assert_eq!((*offset, &found[..]), (number as i64, value(number).as_bytes()), "{topic}");
    }
    found.len()
}

enum Stop {
    Clean,
    Kill,
    PowerCut,
}

/// Loads, stops, starts; what is left of the sync and of the async topic. The one in memory is empty, from 0 on.
fn left_after(seed: u64, stop: &Stop) -> (usize, usize) {
    let sim = boot(async {
        let sim = SimulatedWorld::new(seed);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        load(&sim).await.unwrap();
        if matches!(stop, Stop::Clean) {
            broker.stop().await.unwrap();
        }
        sim
    });
    match stop {
        Stop::Clean | Stop::PowerCut => sim.disk.crash(),
        Stop::Kill => sim.disk.kill(),
    }
    boot(async {
        let sim = sim.reboot();
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let left = (prefix(&mut client, "sync").await, prefix(&mut client, "async").await);
        assert_eq!(prefix(&mut client, "memory").await, 0);
        let next = value(left.1);
        let answer = client.produce("async", 0, &batch(&[next.as_bytes()])).await.unwrap();
        assert_eq!(answer.base_offset.0, left.1 as i64, "it goes on where it ends");
        drop(client);
        broker.stop().await.unwrap();
        left
    })
}

#[test]
fn a_stop_or_a_kill_takes_nothing_from_files_and_everything_from_memory() {
    for seed in 0..5 {
        assert_eq!(left_after(seed, &Stop::Clean), (RECORDS, RECORDS));
        assert_eq!(left_after(seed, &Stop::Kill), (RECORDS, RECORDS));
    }
}

#[test]
fn a_power_cut_may_take_the_end_of_an_async_topic_and_nothing_else() {
    let left: Vec<_> = (0..30).map(|seed| left_after(seed, &Stop::PowerCut)).collect();
    assert!(left.iter().all(|(sync, _)| *sync == RECORDS));
    assert!(left.iter().any(|(_, left)| *left < RECORDS), "the cuts are real");
}

/// What nobody touched after a power cut is mended before a clean stop says that it is whole.
#[test]
fn a_clean_stop_mends_an_async_log_that_nobody_opened() {
    for seed in 0..30 {
        let mut sim = boot(async {
            let sim = SimulatedWorld::new(seed);
            let _broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            load(&sim).await.unwrap();
            sim
        });
        sim.disk.crash();
        sim = boot(async {
            let sim = sim.reboot();
            start_with(&sim, JOURNAL_BYTES).await.unwrap().stop().await.unwrap();
            sim
        });
        sim.disk.crash();
        boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
            assert!(prefix(&mut client, "async").await <= RECORDS);
            assert_eq!(prefix(&mut client, "sync").await, RECORDS);
            drop(client);
            broker.stop().await.unwrap();
        });
    }
}

/// An async topic is synced once it has so many bytes more.
const FLUSH_BYTES: usize = 8 << 20;

/// Bytes of it that may be unsynced: some come while a sync is on its way.
const UNSYNCED_MAX: usize = FLUSH_BYTES + (2 << 20);

const LARGE_BYTES: usize = 60 << 10;

/// Writes to an async topic until it was refused, or has so many large values.
async fn load_async(sim: &SimulatedWorld, values: usize) -> usize {
    load_in(sim, "async", values).await
}

/// The same to a topic whose name is its `flush.mode`.
async fn load_in(sim: &SimulatedWorld, mode: &str, values: usize) -> usize {
    let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
    create(&mut client, mode, &[("flush.mode", mode)]).await.unwrap();
    for number in 0..values {
        if client.produce(mode, 0, &batch(&[large(number).as_bytes()])).await.unwrap().error_code != 0 {
            return number;
        }
    }
    values
}

/// A value of `LARGE_BYTES`.
fn large(number: usize) -> String {
    format!("{number:08}").repeat(LARGE_BYTES / 8)
}

/// Nobody waits for it, and nothing but its own syncs makes it durable: it never falls on the sync topics' checkpoint
/// whole, and a power cut takes a bounded end of it.
#[test]
fn an_async_topic_is_synced_as_it_grows() {
    const VALUES: usize = 400;
    let mut lost = 0;
    for seed in 0..5 {
        let sim = boot(async {
            let sim = SimulatedWorld::new(seed);
            let _broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            assert_eq!(load_async(&sim, VALUES).await, VALUES);
            sim
        });
        sim.disk.crash();
        boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
            let left = client.offset_of_time("async", 0, -1).await.unwrap() as usize;
            assert!((VALUES - left) * LARGE_BYTES <= UNSYNCED_MAX, "seed {seed}: {left} of {VALUES} are left");
            let found = client.read_all("async", 0, left as i64 - 1).await.unwrap();
            assert_eq!(found, [(left as i64 - 1, large(left - 1).into())]);
            lost += VALUES - left;
            drop(client);
            broker.stop().await.unwrap();
        });
    }
    assert!(lost > 0, "the cuts are real");
}

/// What the disk is handed at a time is bounded: else whoever writes to the journal next waits behind all of it.
#[test]
fn neither_a_topic_nor_the_journal_hands_the_disk_much_at_a_time() {
    boot(async {
        let sim = SimulatedWorld::new(3);
        let broker = start_with(&sim, 256 << 20).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "sync", &[]).await.unwrap();
        for number in 0..600 {
            let answer = client.produce("sync", 0, &batch(&[large(number).as_bytes()])).await.unwrap();
            assert_eq!(answer.error_code, 0);
        }
        let mut unsynced: BTreeMap<&Path, u64> = BTreeMap::new();
        let (mut of_log, mut of_journal) = (0, 0);
        let operations = sim.disk.log();
        for operation in &operations {
            let path = operation.path.as_path();
            match operation.kind {
                Kind::Write => *unsynced.entry(path).or_default() += operation.length,
                Kind::Sync => _ = unsynced.remove(path),
                Kind::SyncFilesystem => unsynced.clear(),
                _ => {}
            }
            let here = unsynced.get(path).copied().unwrap_or(0);
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("log") => of_log = of_log.max(here),
                // Beside the first, which nobody waits behind.
                Some("new") if !path.ends_with("00.new") => of_journal = of_journal.max(here),
                _ => {}
            }
        }
        assert!((FLUSH_BYTES..=UNSYNCED_MAX).contains(&(of_log as usize)), "{of_log} bytes of a topic");
        assert!((1..=1 << 20).contains(&of_journal), "{of_journal} bytes of the journal");
        drop(client);
        broker.stop().await.unwrap();
    });
}

/// As final as any other: what was in the page cache is not known any more.
#[test]
fn a_failed_sync_of_an_async_topic_ends_the_directory() {
    a_failed_sync_ends_the_directory("async", JOURNAL_BYTES);
}

/// Its records are in the journal, and are there after the next start.
#[test]
fn a_failed_sync_of_a_sync_topic_ends_the_directory() {
    a_failed_sync_ends_the_directory("sync", 64 << 20);
}

fn a_failed_sync_ends_the_directory(mode: &str, journal_bytes: u64) {
    let mut taken = 0;
    let mut sim = boot(async {
        let sim = SimulatedWorld::new(1);
        let broker = start_with(&sim, journal_bytes).await.unwrap();
        sim.disk.fault_next(Kind::Sync, &format!("{mode}-0/00000000000000000000.log"), Fault::Io);
        taken = load_in(&sim, mode, 400).await;
        assert!((FLUSH_BYTES..=UNSYNCED_MAX).contains(&(taken * LARGE_BYTES)), "{taken} were taken");
        let error = broker.stop().await.unwrap_err();
        assert!(error.to_string().contains("not clean"), "{error}");
        sim
    });
    sim.disk.kill();
    boot(async {
        sim = sim.reboot();
        let broker = start_with(&sim, journal_bytes).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        assert!(client.offset_of_time(mode, 0, -1).await.unwrap() >= taken as i64, "a killed process loses nothing");
        drop(client);
        broker.stop().await.unwrap();
    });
}

/// What is in the page cache is read by another road than what is not, and what was checked before by a third; the disk has
/// in memory what it likes. An answer that has to end somewhere may end three values earlier.
#[test]
fn a_fetch_of_much_gets_as_much_by_either_road() {
    boot(async {
        const VALUES: usize = 130;
        let sim = SimulatedWorld::new(1);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        assert_eq!(load_async(&sim, VALUES).await, VALUES);
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        for (most, values) in [(8 << 20, VALUES), (1 << 20, 17)] {
            for _ in 0..20 {
                let mut request = fetch_request("async", 0, 0, 4 << 20, 0);
                request.topics[0].partitions[0].partition_max_bytes = most;
                let found = fetched_values(&client.call(12, &request).await.unwrap());
                assert!((values - 3..=values).contains(&found.len()), "{} of {most} bytes", found.len());
            }
        }
        drop(client);
        broker.stop().await.unwrap();
    });
}

/// Over the border of files and memory too: some of a sync topic's records are still in memory.
#[test]
fn a_record_is_found_by_offset_and_by_time_wherever_it_is() {
    boot(async {
        let sim = SimulatedWorld::new(7);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        load(&sim).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        for topic in ["sync", "async"] {
            for from in 0..RECORDS {
                let mut request = fetch_request(topic, 0, from as i64, 0, 0);
                request.topics[0].partitions[0].partition_max_bytes = 1;
                let response = client.call(12, &request).await.unwrap();
                assert_eq!(fetched_values(&response), [value(from)], "{topic} at {from}");
            }
            assert_eq!(client.offset_of_time(topic, 0, 1_000).await.unwrap(), 0);
            assert_eq!(client.offset_of_time(topic, 0, 1_001).await.unwrap(), -1);
        }
        let start = client.offset_of_time("memory", 0, -2).await.unwrap();
        assert_eq!(client.offset_of_time("memory", 0, -1).await.unwrap(), RECORDS as i64);
        let kept = client.read_all("memory", 0, start).await.unwrap();
        assert_eq!(kept.len(), 9, "as many as retention.bytes allows");
        assert_eq!((kept[0].0, &kept[0].1[..]), (start, value(start as usize).as_bytes()));
        drop(client);
        broker.stop().await.unwrap();
    });
}
