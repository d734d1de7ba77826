//! Records that went past the journal, straight to their files: as durable as any other, wherever the power goes off and
//! whatever the disk does.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

mod support;

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use support::workload::{ADDRESS, boot, create, settings_with};
use support::{Client, batch, produce_request};
use thalweg_broker::{Broker, StartError};
use thalweg_messages::produce::ProduceRequest;
use thalweg_wire::Timestamp;
use thalweg_wire::batch::Builder;
use thalweg_world::disk::Open;
use thalweg_world::simulated::disk::{Fault, Kind, Operation};
use thalweg_world::simulated::{Faults, SimulatedWorld};

/// Two batches of a partition on their way are enough to go past the journal, which has a checkpoint every 16 KiB.
async fn start(sim: &SimulatedWorld) -> Result<Broker, StartError> {
    start_with(sim, "65536").await
}

async fn start_with(sim: &SimulatedWorld, journal_bytes: &str) -> Result<Broker, StartError> {
    let settings = [("journal.bytes", journal_bytes), ("journal.bypass.bytes", "1")];
    Broker::start(sim.world.clone(), settings_with(&settings)).await
}

const VALUE_BYTES: usize = 3_000;

fn value(number: usize) -> String {
    format!("{number:0VALUE_BYTES$}")
}

const SEGMENTS: (&str, &str) = ("segment.bytes", "1048576");

/// Sends so many values at once, behind those that were; how many of them were acknowledged, which are the first.
async fn send(client: &mut Client, from: usize, count: usize) -> io::Result<usize> {
    for number in from..from + count {
        let value = value(number);
        client.send::<ProduceRequest>(12, &produce_request("t", 0, &batch(&[value.as_bytes()]), -1)).await?;
    }
    let mut acknowledged = 0;
    for _ in 0..count {
        let (_, answer) = client.receive::<ProduceRequest>(12).await?;
        match answer.responses[0].partition_responses[0].error_code {
            0 => acknowledged += 1,
            code => return Err(io::Error::other(format!("error {code} after {acknowledged}"))),
        }
    }
    Ok(acknowledged)
}

/// All values that are there: dense, and the ones that were sent.
async fn found(sim: &SimulatedWorld) -> usize {
    let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
    let records = client.read_all("t", 0, 0).await.unwrap();
    for (number, (offset, found)) in records.iter().enumerate() {
        assert_eq!(*offset, number as i64);
        assert!(found[..] == *value(number).as_bytes(), "another value at {offset}");
    }
    records.len()
}

async fn connect(sim: &SimulatedWorld) -> Client {
    Client::connect(&sim.world, ADDRESS).await.unwrap()
}

#[test]
fn what_is_acknowledged_past_the_journal_survives_the_power_and_is_plain_files_after_a_stop() {
    for seed in 0..10 {
        let mut sent = 0;
        let mut sim = boot(async { SimulatedWorld::new(seed) });
        for _ in 0..3 {
            sim = boot(async {
                let sim = sim.reboot();
                let broker = start(&sim).await.unwrap();
                let mut client = connect(&sim).await;
                if sent == 0 {
                    create(&mut client, "t", &[SEGMENTS]).await.unwrap();
                }
                assert_eq!(found(&sim).await, sent, "seed {seed}");
                for burst in [1, 30, 2, 30] {
                    sent += send(&mut client, sent, burst).await.unwrap();
                }
                assert!(broker.writes_past_the_journal() > 4, "{} writes", broker.writes_past_the_journal());
                assert_eq!(found(&sim).await, sent, "seed {seed}");
                sim
            });
            sim.disk.crash();
        }
        boot(async {
            let sim = sim.reboot();
            start(&sim).await.unwrap().stop().await.unwrap();
            let broker = start(&sim).await.unwrap();
            assert_eq!(found(&sim).await, sent, "seed {seed}, after a clean stop");
            broker.stop().await.unwrap();
        });
    }
}

/// How a broker ends before its time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Power,
    /// Killed: the page cache stays. Then the power goes off all the same, once the next broker has said what there is.
    Kill,
}

/// A start, so many bursts, a clean stop; a power cut, or a kill, and what there is then.
///
/// With each burst another topic gets as much as calls for a checkpoint, which then is told while records are on their way
/// past the journal.
struct Story {
    seed: u64,
    end: End,
    /// What happens at an operation.
    fault: Option<(u64, Fault)>,
    /// The operation at which it ends before its time.
    ends_at: Option<u64>,
}

impl Story {
    fn new(seed: u64, end: End) -> Story {
        Story { seed, end, fault: None, ends_at: None }
    }

    /// What the broker did until it ended.
    fn run(&self) -> Vec<Operation> {
        const BURSTS: [usize; 11] = [6, 1, 3, 4, 3, 3, 1, 4, 6, 4, 6];
        let Story { seed, end, fault, ends_at } = *self;
        let (mut sent, mut created) = (0, false);
        let sim = boot(async { SimulatedWorld::new(seed) });
        // A journal that is slower than the files: their bytes are there before any word of them.
        let takes = Duration::from_millis(1)..=Duration::from_millis(8);
        sim.disk.set_faults(Faults { durable_write_takes: takes, ..Faults::default() });
        fault.inspect(|(at, fault)| sim.disk.fault_at(*at, *fault));
        ends_at.inspect(|at| sim.disk.crash_at(*at));
        let mut sim = boot(async {
            let sim = sim.reboot();
            let bursts = async {
                let broker = start(&sim).await.map_err(io::Error::other)?;
                let mut client = Client::connect(&sim.world, ADDRESS).await?;
                let mut other = Client::connect(&sim.world, ADDRESS).await?;
                create(&mut other, "other", &[]).await?;
                create(&mut client, "t", &[SEGMENTS, ("index.interval.bytes", "1")]).await?;
                created = true;
                for burst in BURSTS {
                    let large = batch(&[&[7; 20_000]]);
                    let (acknowledged, answer) =
                        tokio::join!(send(&mut client, sent, burst), other.produce("other", 0, &large));
                    (sent, _) = (sent + acknowledged?, answer?);
                }
                let writes = broker.writes_past_the_journal();
                assert!(writes > if fault.is_some() { 0 } else { 4 }, "{writes} writes");
                drop((client, other));
                broker.stop().await.map_err(io::Error::other)
            };
            let ended = bursts.await;
            let may_fail = ends_at.is_some() || matches!(fault, Some((_, Fault::Io)));
            assert!(may_fail || ended.is_ok(), "{self}: {ended:?}");
            sim
        });
        let operations = sim.disk.log();
        let mut all = BURSTS.iter().sum();
        if end == End::Kill {
            sim.disk.kill();
            sim.disk.power_on();
            sim.disk.forget_orders();
            sim = boot(async {
                let sim = sim.reboot();
                let _broker = start(&sim).await.unwrap_or_else(|error| panic!("{self}: {error}"));
                if created {
                    let found = found(&sim).await;
                    assert!((sent..=all).contains(&found), "{self}: {found} of {sent}");
                    (sent, all) = (found, found);
                }
                sim
            });
        }
        sim.disk.crash();
        sim.disk.forget_orders();
        boot(async {
            let sim = sim.reboot();
            let broker = start(&sim).await.unwrap_or_else(|error| panic!("{self}: {error}"));
            if created {
                let found = found(&sim).await;
                assert!((sent..=all).contains(&found), "{self}: {found} of {sent}");
            }
            broker.stop().await.unwrap_or_else(|error| panic!("{self}: {error}"));
        });
        operations
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}, fault {:?}, ends at {:?}", self.seed, self.fault, self.ends_at)
    }
}

#[test]
fn nothing_acknowledged_is_lost_wherever_the_power_goes_off() {
    ends_anywhere(End::Power, 5..=8);
}

#[test]
fn what_is_found_after_a_kill_is_not_lost_to_the_power_then() {
    ends_anywhere(End::Kill, 9..=9);
}

fn ends_anywhere(end: End, seeds: RangeInclusive<u64>) {
    for seed in seeds {
        let operations = Story::new(seed, end).run().len() as u64;
        assert!(operations > 100, "the story is not idle: {operations} operations");
        (1..=operations).for_each(|at| _ = Story { ends_at: Some(at), ..Story::new(seed, end) }.run());
    }
}

/// Wherever a write past the journal finds no room, and the power goes off soon afterwards.
#[test]
fn nothing_acknowledged_is_lost_on_a_full_disk_either() {
    let story = || Story::new(11, End::Power);
    let operations = story().run();
    for files in [&[LOG][..], &["00000000000000000000.index", "00000000000000000000.timeindex"]] {
        for at in numbers(&operations, Kind::Write, files) {
            let fault = Some((at, Fault::NoSpace));
            Story { fault, ..story() }.run();
            (at + 1..at + 12).for_each(|ends_at| _ = Story { fault, ends_at: Some(ends_at), ..story() }.run());
        }
    }
}

/// A sync that failed leaves pages that pass for clean. What the next broker finds there, with a word of it, is not lost to the
/// power after that.
#[test]
fn what_a_failed_sync_left_in_the_page_cache_is_not_believed_of_the_disk() {
    for seed in 12..=14 {
        let operations = Story::new(seed, End::Kill).run();
        for at in numbers(&operations, Kind::Sync, &[LOG]) {
            Story { fault: Some((at, Fault::Io)), ..Story::new(seed, End::Kill) }.run();
        }
    }
}

const LOG: &str = "00000000000000000000.log";

/// Which operations on files of the topic are of that kind.
fn numbers(operations: &[Operation], kind: Kind, files: &[&str]) -> Vec<u64> {
    let is_of = |path: &Path| files.iter().any(|file| path.ends_with(Path::new("t-0").join(file)));
    let found: Vec<u64> =
        operations.iter().filter(|of| of.kind == kind && is_of(&of.path)).map(|of| of.number).collect();
    assert!(found.len() > 4, "{} operations on {files:?}", found.len());
    found
}

/// The journal has them then: it is a matter of room, not of trust.
#[test]
fn what_finds_no_room_in_its_file_goes_through_the_journal() {
    for (kind, path) in [(Kind::Write, "t-0/00000000000000000000.log"), (Kind::Create, "t-0/"), (Kind::Write, ".index")]
    {
        let sim = boot(async {
            let sim = SimulatedWorld::new(2);
            let broker = start(&sim).await.unwrap();
            let mut client = connect(&sim).await;
            create(&mut client, "t", &[SEGMENTS, ("index.interval.bytes", "1")]).await.unwrap();
            (0..4).for_each(|_| sim.disk.fault_next(kind, path, Fault::NoSpace));
            assert_eq!(send(&mut client, 0, 20).await.unwrap(), 20, "{kind:?} of {path}");
            assert!(broker.writes_past_the_journal() > 0);
            sim
        });
        sim.disk.crash();
        sim.disk.forget_orders();
        boot(async {
            let sim = sim.reboot();
            let broker = start(&sim).await.unwrap();
            assert_eq!(found(&sim).await, 20, "{kind:?} of {path}");
            broker.stop().await.unwrap();
        });
    }
}

/// What was on its way is not acknowledged, and nothing more is taken; what was acknowledged before is there.
#[test]
fn a_sync_that_fails_ends_the_directory() {
    for (kind, fault) in [(Kind::Sync, Fault::Io), (Kind::Sync, Fault::NoSpace), (Kind::Write, Fault::Io)] {
        let sim = boot(async {
            let sim = SimulatedWorld::new(4);
            let broker = start(&sim).await.unwrap();
            let mut client = connect(&sim).await;
            create(&mut client, "t", &[SEGMENTS]).await.unwrap();
            assert_eq!(send(&mut client, 0, 10).await.unwrap(), 10);
            sim.disk.fault_next(kind, "t-0/00000000000000000000.log", fault);
            let error = send(&mut client, 10, 20).await.unwrap_err();
            assert!(error.to_string().contains("error 56"), "KAFKA_STORAGE_ERROR, and not {error}");
            let error = broker.stop().await.unwrap_err();
            assert!(error.to_string().contains("not clean"), "{error}");
            sim
        });
        sim.disk.kill();
        boot(async {
            let sim = sim.reboot();
            let broker = start(&sim).await.unwrap();
            assert!((10..=30).contains(&found(&sim).await));
            broker.stop().await.unwrap();
        });
    }
}

#[test]
fn a_topic_may_be_deleted_while_its_records_are_on_their_way() {
    for seed in 0..20 {
        boot(async {
            let sim = SimulatedWorld::new(seed);
            let broker = start(&sim).await.unwrap();
            let (mut writer, mut admin) = (connect(&sim).await, connect(&sim).await);
            create(&mut admin, "t", &[SEGMENTS]).await.unwrap();
            let writing = tokio::spawn(async move { send(&mut writer, 0, 60).await });
            sim.world.clock.sleep(Duration::from_micros(200 * seed)).await;
            assert_eq!(admin.delete_topic("t").await.unwrap(), 0);
            // Those that came too late are told so.
            let _ = writing.await.unwrap();
            create(&mut admin, "t", &[SEGMENTS]).await.unwrap();
            assert_eq!(found(&sim).await, 0, "a namesake is empty");
            assert_eq!(send(&mut admin, 0, 20).await.unwrap(), 20);
            drop(admin);
            broker.stop().await.unwrap();
        });
    }
}

/// The journal says where the files ended, and by which batch: less, or another, is damage and no torn tail.
#[test]
fn files_that_lack_what_was_placed_are_refused() {
    // No checkpoint lets go of what it says.
    const JOURNAL_BYTES: &str = "1048576";
    const PATH: &str = "/data/logs/t-0/00000000000000000000.log";
    let hurts: [fn(&SimulatedWorld, u64); 2] = [
        |sim, size| sim.world.disk.open(Path::new(PATH), Open::Write).unwrap().set_size(size - 1).unwrap(),
        |sim, size| sim.disk.patch(Path::new(PATH), size - 100, b"rot").unwrap(),
    ];
    for hurt in hurts {
        let sim = boot(async {
            let sim = SimulatedWorld::new(6);
            let _broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            let mut client = connect(&sim).await;
            create(&mut client, "t", &[SEGMENTS]).await.unwrap();
            // The last of them past the journal, so that nothing of them is in an `Append`; and by then there is a word that
            // they are in the file, not only that they are to be.
            assert_eq!(send(&mut client, 0, 10).await.unwrap(), 10);
            sim.world.clock.sleep(Duration::from_secs(1)).await;
            sim
        });
        sim.disk.crash();
        let sim = boot(async { sim.reboot() });
        let size = sim.world.disk.open(Path::new(PATH), Open::Read).unwrap().size().unwrap();
        hurt(&sim, size);
        boot(async {
            let error = start_with(&sim, JOURNAL_BYTES).await.err().expect("a start on files that lack records");
            assert!(error.to_string().contains("t-0"), "{error}");
        });
    }
}

/// A deletion takes away segments that a word of a write spoke of: the word still stands in the journal, and asks for nothing.
#[test]
fn what_was_placed_and_then_deleted_is_not_missed() {
    let sim = boot(async {
        let sim = SimulatedWorld::new(7);
        // A journal without a checkpoint.
        let settings = [("journal.bytes", "67108864"), ("journal.bypass.bytes", "1")];
        let broker = Broker::start(sim.world.clone(), settings_with(&settings)).await.unwrap();
        let mut client = connect(&sim).await;
        create(&mut client, "t", &[SEGMENTS]).await.unwrap();
        assert_eq!(send(&mut client, 0, 300).await.unwrap(), 300);
        let past_the_journal = broker.writes_past_the_journal();
        for number in 300..800 {
            assert_eq!(send(&mut client, number, 1).await.unwrap(), 1);
        }
        assert_eq!(broker.writes_past_the_journal(), past_the_journal, "one at a time they go through it");
        assert_eq!(client.delete_records("t", 0, 790).await.unwrap().0, 0);
        while sim.disk.files().iter().any(|path| path.ends_with("t-0/00000000000000000000.log")) {
            sim.world.clock.sleep(Duration::from_millis(1)).await;
        }
        sim
    });
    sim.disk.kill();
    boot(async {
        let sim = sim.reboot();
        let broker = start(&sim).await.unwrap();
        let mut client = connect(&sim).await;
        let start = client.offset_of_time("t", 0, -2).await.unwrap();
        assert_eq!((start, client.offset_of_time("t", 0, -1).await.unwrap()), (790, 800));
        assert_eq!(client.read_all("t", 0, 790).await.unwrap().len(), 10);
        drop(client);
        broker.stop().await.unwrap();
    });
}

/// Those that are in the file and not acknowledged yet are not seen by who asks for the newest, and hide none that are.
#[test]
fn the_newest_record_is_found_while_others_are_on_their_way() {
    for seed in 0..10 {
        boot(async {
            let sim = SimulatedWorld::new(seed);
            let broker = start(&sim).await.unwrap();
            let (mut client, mut asking) = (connect(&sim).await, connect(&sim).await);
            create(&mut client, "t", &[SEGMENTS]).await.unwrap();
            let newer = |number: i64| {
                Builder::new().record(Timestamp::from_millis(1000 + number), None, Some(&[7; 3000])).build().unwrap()
            };
            assert_eq!(client.produce("t", 0, &newer(0)).await.unwrap().error_code, 0);
            let writing = async {
                for number in 1..60 {
                    client.send::<ProduceRequest>(12, &produce_request("t", 0, &newer(number), -1)).await.unwrap();
                }
                for _ in 1..60 {
                    client.receive::<ProduceRequest>(12).await.unwrap();
                }
            };
            let looking = async {
                let mut last = 0;
                while last < 59 {
                    let newest = asking.offset_of_time("t", 0, -3).await.unwrap();
                    assert!(newest >= last, "seed {seed}: {newest} after {last}");
                    last = newest;
                }
            };
            tokio::join!(writing, looking);
            assert!(broker.writes_past_the_journal() > 2, "{} writes", broker.writes_past_the_journal());
            drop((client, asking));
            broker.stop().await.unwrap();
        });
    }
}
