//! Deleted records stay deleted, and only they are gone, wherever the power goes off.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::io;

use support::workload::{ADDRESS, boot, create, start_with};
use support::{Client, batch, fetch_request};
use thalweg_messages::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use thalweg_wire::{LeaderEpoch, PartitionIndex};
use thalweg_world::simulated::SimulatedWorld;
use thalweg_world::simulated::disk::{Fault, Kind};

/// Checkpoints come every 256 KiB, and the journal's files are written over.
const JOURNAL_BYTES: u64 = 1 << 20;

/// Twenty of them roll a segment of 1 MiB.
const VALUE_BYTES: usize = 60_000;

fn value(number: i64) -> String {
    format!("{number:0VALUE_BYTES$}")
}

/// What a client was told of one topic.
#[derive(Default)]
struct Told {
    produced: i64,
    /// The start that was answered, and the one that was asked for last.
    deleted: i64,
    asked: i64,
}

const TOPICS: [(&str, &[(&str, &str)]); 2] =
    [("sync", &[("segment.bytes", "1048576")]), ("async", &[("segment.bytes", "1048576"), ("flush.mode", "async")])];

/// Produces, and now and then deletes the older half of what there is.
async fn load(sim: &SimulatedWorld, told: &mut [Told; 2], values: i64) -> io::Result<()> {
    let mut client = Client::connect(&sim.world, ADDRESS).await?;
    for step in 1..=values {
        for ((topic, _), told) in TOPICS.iter().zip(told.iter_mut()) {
            let answer = client.produce(topic, 0, &batch(&[value(told.produced).as_bytes()])).await?;
            if answer.error_code != 0 {
                return Err(io::Error::other("the disk is gone"));
            }
            told.produced += 1;
            if step % 9 == 0 {
                told.asked = i64::midpoint(told.deleted, told.produced);
                let (code, start) = client.delete_records(topic, 0, told.asked).await?;
                if code != 0 {
                    return Err(io::Error::other("the disk is gone"));
                }
                assert_eq!(start, told.asked);
                told.deleted = start;
            }
        }
    }
    Ok(())
}

async fn check(sim: &SimulatedWorld, told: &mut [Told; 2], at: &str) {
    let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
    for ((topic, _), told) in TOPICS.iter().zip(told.iter_mut()) {
        let start = client.offset_of_time(topic, 0, -2).await.unwrap();
        let end = client.offset_of_time(topic, 0, -1).await.unwrap();
        assert!(start >= told.deleted.min(end), "{at}: {topic} begins at {start}, {} were deleted", told.deleted);
        assert!(start <= told.asked, "{at}: {topic} begins at {start}, {} was asked for", told.asked);
        if *topic == "sync" {
            assert!(end >= told.produced, "{at}: {topic} ends at {end}, {} were acknowledged", told.produced);
        }
        for (offset, found) in client.read_all(topic, 0, start).await.unwrap() {
            assert!(*found == *value(offset).as_bytes(), "{at}: {topic} has something else at {offset}");
        }
        let outside = client.call(12, &fetch_request(topic, 0, start - 1, 0, 0)).await.unwrap();
        assert_eq!(outside.responses[0].partitions[0].error_code, 1, "{at}: OFFSET_OUT_OF_RANGE below the start");
        // A power cut may have taken records of the async topic that were acknowledged.
        *told = Told { produced: end, deleted: start, asked: start };
    }
}

/// A start with load, a clean stop, another start with load, a kill; the power may go off at one operation.
fn story(seed: u64, crash_at: Option<u64>) -> u64 {
    let mut told = [Told::default(), Told::default()];
    let mut sim = boot(async {
        let sim = SimulatedWorld::new(seed);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        for (topic, configs) in TOPICS {
            create(&mut client, topic, configs).await.unwrap();
        }
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    let before = sim.disk.operations();
    if let Some(at) = crash_at {
        sim.disk.crash_at(before + at);
    }
    for (values, clean) in [(40, true), (30, false)] {
        sim = boot(async {
            let sim = sim.reboot();
            if let Ok(broker) = start_with(&sim, JOURNAL_BYTES).await {
                let _ = load(&sim, &mut told, values).await;
                if clean {
                    let _ = broker.stop().await;
                }
            }
            sim
        });
        sim.disk.kill();
    }
    let operations = sim.disk.operations() - before;
    sim.disk.crash();
    sim.disk.forget_orders();
    for after in ["the cut", "the clean stop after it"] {
        let at = format!("operation {crash_at:?}, after {after}");
        sim = boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap_or_else(|error| panic!("{at}: {error}"));
            check(&sim, &mut told, &at).await;
            broker.stop().await.unwrap_or_else(|error| panic!("{at}: {error}"));
            sim
        });
        sim.disk.crash();
    }
    operations
}

#[test]
fn deleted_records_stay_deleted_wherever_the_power_goes_off() {
    let operations = story(1, None);
    assert!(operations > 150, "the story is not idle: {operations} operations");
    (1..=operations).step_by(11).for_each(|at| _ = story(1 + at % 7, Some(at)));
}

#[test]
fn segments_below_the_start_go() {
    boot(async {
        let sim = SimulatedWorld::new(3);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "sync", &[("segment.bytes", "1048576")]).await.unwrap();
        for number in 0..60 {
            client.produce("sync", 0, &batch(&[value(number).as_bytes()])).await.unwrap();
        }
        assert_eq!(client.delete_records("sync", 0, 40).await.unwrap(), (0, 40));
        broker.stop().await.unwrap();
        let files = sim.disk.files();
        let mut logs: Vec<_> = files.iter().filter(|path| path.extension().is_some_and(|kind| kind == "log")).collect();
        logs.sort();
        let first = logs[0].file_name().unwrap().to_str().unwrap();
        assert!(("00000000000000000017.log"..="00000000000000000040.log").contains(&first), "{logs:?}");
    });
}

/// As a real Kafka answers.
#[test]
fn a_deletion_beyond_the_high_watermark_is_refused_and_one_that_is_behind_changes_nothing() {
    boot(async {
        let sim = SimulatedWorld::new(4);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "few", &[]).await.unwrap();
        create(&mut client, "compacted", &[("cleanup.policy", "compact")]).await.unwrap();
        create(&mut client, "memory", &[("storage.mode", "memory"), ("retention.bytes", "100000")]).await.unwrap();
        for number in 0..5 {
            client.produce("few", 0, &batch(&[format!("{number}").as_bytes()])).await.unwrap();
            client.produce("memory", 0, &batch(&[format!("{number}").as_bytes()])).await.unwrap();
        }
        assert_eq!(client.delete_records("few", 0, 6).await.unwrap(), (1, -1), "OFFSET_OUT_OF_RANGE");
        assert_eq!(client.delete_records("few", 0, -2).await.unwrap(), (1, -1), "OFFSET_OUT_OF_RANGE");
        assert_eq!(client.delete_records("few", 0, 3).await.unwrap(), (0, 3));
        assert_eq!(client.delete_records("few", 0, 2).await.unwrap(), (0, 3), "the present low watermark");
        assert_eq!(client.delete_records("memory", 0, 2).await.unwrap(), (0, 2));
        assert_eq!(client.delete_records("few", 0, -1).await.unwrap(), (0, 5), "up to the high watermark");
        assert_eq!(client.delete_records("compacted", 0, -1).await.unwrap(), (44, -1), "POLICY_VIOLATION");
        assert_eq!(client.delete_records("unknown", 0, 0).await.unwrap(), (3, -1), "UNKNOWN_TOPIC_OR_PARTITION");
        broker.stop().await.unwrap();
    });
}

#[test]
fn an_epoch_ends_where_the_next_begins_and_the_newest_at_the_end() {
    let sim = boot(async { SimulatedWorld::new(5) });
    let mut sim = sim;
    for boot_number in 0..3 {
        sim = boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
            if boot_number == 0 {
                create(&mut client, "epochs", &[]).await.unwrap();
            }
            for _ in 0..=boot_number {
                client.produce("epochs", 0, &batch(&[b"v"])).await.unwrap();
            }
            if boot_number == 2 {
                let mut asked = Vec::new();
                for (current, epoch) in [(-1, 0), (-1, 1), (-1, 2), (-1, 3), (2, 1), (1, 1), (3, 1)] {
                    asked.push(end_of_epoch(&mut client, current, epoch).await);
                }
                let fenced = (74, -1, -1);
                let ahead = (75, -1, -1);
                assert_eq!(asked, [(0, 0, 1), (0, 1, 3), (0, 2, 6), (0, -1, -1), (0, 1, 3), fenced, ahead]);
            }
            broker.stop().await.unwrap();
            sim
        });
    }
}

/// The error, the epoch and where it ends.
async fn end_of_epoch(client: &mut Client, current: i32, epoch: i32) -> (i16, i32, i64) {
    let partition = OffsetForLeaderPartition {
        partition: PartitionIndex(0),
        current_leader_epoch: LeaderEpoch(current),
        leader_epoch: LeaderEpoch(epoch),
        ..OffsetForLeaderPartition::default()
    };
    let topic = OffsetForLeaderTopic { topic: "epochs".to_owned(), partitions: vec![partition], ..Default::default() };
    let request = OffsetForLeaderEpochRequest { topics: vec![topic], ..Default::default() };
    let answer = client.call(4, &request).await.unwrap();
    let end = &answer.topics[0].partitions[0];
    (end.error_code, end.leader_epoch.0, end.end_offset.0)
}

/// Retention by bytes moves the start of a topic in memory too: nobody waits for that to become durable.
#[test]
fn a_deletion_behind_what_memory_forgot_is_answered_at_once() {
    boot(async {
        let sim = SimulatedWorld::new(6);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "memory", &[("storage.mode", "memory"), ("retention.bytes", "100000")]).await.unwrap();
        for _ in 0..40 {
            client.produce("memory", 0, &batch(&[&[b'x'; 10_000]])).await.unwrap();
        }
        let start = client.offset_of_time("memory", 0, -2).await.unwrap();
        assert!(start > 0);
        assert_eq!(client.delete_records("memory", 0, 0).await.unwrap(), (0, start));
        broker.stop().await.unwrap();
    });
}

/// A power cut takes records of an async topic that were deleted just before. Their offsets are not given again: else
/// what is written there would be deleted by the next start.
#[test]
fn what_is_written_after_a_power_cut_took_deleted_records_stays() {
    for seed in 0..6 {
        let sim = boot(async {
            let sim = SimulatedWorld::new(seed);
            let _crashed = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
            create(&mut client, "async", &[("flush.mode", "async")]).await.unwrap();
            for _ in 0..100 {
                client.produce("async", 0, &batch(&[b"old"])).await.unwrap();
            }
            assert_eq!(client.delete_records("async", 0, 90).await.unwrap(), (0, 90));
            sim
        });
        sim.disk.crash();
        let sim = boot(async {
            let sim = sim.reboot();
            let _killed = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
            for _ in 0..30 {
                let answer = client.produce("async", 0, &batch(&[b"new"])).await.unwrap();
                assert_eq!(answer.error_code, 0);
                assert!(answer.base_offset.0 >= 90, "seed {seed}: {} was given before", answer.base_offset);
            }
            sim
        });
        sim.disk.kill();
        boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
            let found = client.read_all("async", 0, 90).await.unwrap();
            let new = found.iter().filter(|(_, value)| &value[..] == b"new").count();
            assert_eq!(new, 30, "seed {seed}: {found:?}");
            broker.stop().await.unwrap();
        });
    }
}

/// Who deletes records to free a full disk must not lose the directory by it.
#[test]
fn a_disk_too_full_to_note_the_start_is_no_failure() {
    boot(async {
        let sim = SimulatedWorld::new(7);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "sync", &[]).await.unwrap();
        for number in 0..5 {
            client.produce("sync", 0, &batch(&[value(number).as_bytes()])).await.unwrap();
        }
        assert_eq!(client.delete_records("sync", 0, 3).await.unwrap(), (0, 3));
        sim.disk.fault_next(Kind::Write, "log-start-offset-checkpoint", Fault::NoSpace);
        for number in 5..40 {
            let answer = client.produce("sync", 0, &batch(&[value(number).as_bytes()])).await.unwrap();
            assert_eq!(answer.error_code, 0);
        }
        drop(client);
        broker.stop().await.unwrap();
    });
}
