//! An idempotent producer over crashes: whatever happens between a batch and its answer, a retry is taken once.
//!
//! The producer keeps five requests in flight, as real ones do, and sends what was not answered again, in order, with the
//! sequence numbers that it had.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::io;
use std::path::Path;
use std::time::Duration;

use support::workload::{ADDRESS, boot, create, start_with};
use support::{Client, produce_request, seeds};
use thalweg_log::segment::producer_window::ProducerWindow;
use thalweg_messages::init_producer_id::InitProducerIdRequest;
use thalweg_messages::produce::ProduceRequest;
use thalweg_wire::batch::{Batch, Builder};
use thalweg_wire::producers::{Producers, Span};
use thalweg_wire::{Offset, ProducerEpoch, ProducerId, Timestamp};
use thalweg_world::disk::Disk;
use thalweg_world::simulated::disk::{Fault, Kind};
use thalweg_world::simulated::{Rng, SimulatedWorld};

/// Checkpoints come every 256 KiB, and the journal's files are written over.
const JOURNAL_BYTES: u64 = 1 << 20;

const IN_FLIGHT: usize = 5;

/// A producer of one partition, and what it knows.
struct Producer {
    id: ProducerId,
    topic: &'static str,
    /// Bytes of each value.
    value_bytes: usize,
    /// Batches that were sent at least once.
    sent: usize,
    /// The offset of each batch that was answered, in order.
    answered: Vec<i64>,
    /// Answers to batches that were sent before and had not been answered.
    retried: u64,
}

impl Producer {
    /// A batch of one to three records, always the same for the same number.
    fn batch(&self, number: usize) -> Batch {
        let first = self.first_record(number);
        let builder = Builder::new().producer(self.id, ProducerEpoch(0), first as i32);
        let records = self.first_record(number + 1) - first;
        let filled = (first..first + records).fold(builder, |builder, record| {
            let value = self.value(record);
            builder.record(Timestamp::from_millis(1_700_000_000_000), None, Some(value.as_bytes()))
        });
        filled.build().unwrap()
    }

    fn value(&self, record: usize) -> String {
        format!("{record:0width$}", width = self.value_bytes)
    }

    /// Batches hold one, two and three records in turn.
    fn first_record(&self, number: usize) -> usize {
        number / 3 * 6 + [0, 1, 3][number % 3]
    }

    async fn send(&self, client: &mut Client, number: usize) -> io::Result<()> {
        client.send(12, &produce_request(self.topic, 0, &self.batch(number), -1)).await
    }

    /// The next answer, which has to be that of the batch.
    async fn receive(&self, client: &mut Client, number: usize) -> io::Result<i64> {
        let (_, answer) = client.receive::<ProduceRequest>(12).await?;
        let answer = &answer.responses[0].partition_responses[0];
        match answer.error_code {
            0 => Ok(answer.base_offset.0),
            // The broker is going down, or has lost its disk: the answer is not known.
            7 | 56 => Err(io::Error::other("no answer")),
            code => panic!("batch {number} of {}: error {code}: {:?}", self.sent, answer.error_message),
        }
    }

    /// Sends up to the batch of that number, what was not answered first, with five in flight.
    async fn produce(&mut self, sim: &SimulatedWorld, upto: usize) -> io::Result<()> {
        let mut client = Client::connect(&sim.world, ADDRESS).await?;
        let before = self.sent;
        let mut next = self.answered.len();
        while self.answered.len() < upto {
            while next < upto && next < self.answered.len() + IN_FLIGHT {
                self.sent = self.sent.max(next + 1);
                self.send(&mut client, next).await?;
                next += 1;
            }
            let number = self.answered.len();
            let offset = self.receive(&mut client, number).await?;
            self.answered.push(offset);
            self.retried += u64::from(number < before);
        }
        Ok(())
    }

    /// The last five are answered as they were the first time, in any order.
    async fn repeat_the_last(&self, sim: &SimulatedWorld) -> io::Result<()> {
        let mut client = Client::connect(&sim.world, ADDRESS).await?;
        for number in (self.answered.len().saturating_sub(IN_FLIGHT)..self.answered.len()).rev() {
            self.send(&mut client, number).await?;
            let offset = self.receive(&mut client, number).await?;
            assert_eq!(offset, self.answered[number], "batch {number} again");
        }
        Ok(())
    }

    /// Each record is there once, at its place.
    async fn check(&self, sim: &SimulatedWorld) {
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let found = client.read_all(self.topic, 0, 0).await.unwrap();
        assert_eq!(found.len(), self.first_record(self.answered.len()));
        for (record, (offset, value)) in found.iter().enumerate() {
            assert_eq!((*offset, &value[..]), (record as i64, self.value(record).as_bytes()));
        }
        let offsets: Vec<i64> = (0..self.answered.len()).map(|number| self.first_record(number) as i64).collect();
        assert_eq!(self.answered, offsets);
    }
}

async fn producer(sim: &SimulatedWorld, topic: &'static str, value_bytes: usize) -> Producer {
    let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
    create(&mut client, topic, &[("segment.bytes", "1048576")]).await.unwrap();
    let request = InitProducerIdRequest {
        transactional_id: None,
        producer_id: ProducerId::NONE,
        producer_epoch: ProducerEpoch::NONE,
        ..Default::default()
    };
    let answer = client.call(5, &request).await.unwrap();
    assert_eq!((answer.error_code, answer.producer_epoch), (0, ProducerEpoch(0)));
    Producer { id: answer.producer_id, topic, value_bytes, sent: 0, answered: Vec::new(), retried: 0 }
}

/// The power goes off, or the process is killed, somewhere in the middle, ten times; some stops are clean.
fn story(seed: u64) -> u64 {
    let mut rng = Rng::new(seed);
    let (mut sim, mut producer) = boot(async {
        let sim = SimulatedWorld::new(seed);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let producer = producer(&sim, "numbers", 15_000).await;
        broker.stop().await.unwrap();
        (sim, producer)
    });
    for round in 0..10 {
        let power_cut = rng.below(4) > 0;
        if power_cut {
            sim.disk.crash_at(sim.disk.operations() + 1 + rng.below(200));
        }
        let upto = producer.answered.len() + 5 + rng.below(40) as usize;
        sim = boot(async {
            let sim = sim.reboot();
            if let Ok(broker) = start_with(&sim, JOURNAL_BYTES).await {
                if producer.produce(&sim, upto).await.is_ok() {
                    // The power may be off by now.
                    let _ = producer.repeat_the_last(&sim).await;
                }
                if rng.below(2) == 0 {
                    let _ = broker.stop().await;
                }
            }
            sim
        });
        sim.disk.forget_orders();
        if power_cut {
            sim.disk.crash();
        } else {
            sim.disk.kill();
        }
        let upto = producer.sent;
        sim = boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await;
            let _killed = broker.unwrap_or_else(|error| panic!("seed {seed}, round {round}: {error}"));
            producer.produce(&sim, upto).await.unwrap();
            producer.repeat_the_last(&sim).await.unwrap();
            producer.check(&sim).await;
            sim
        });
        sim.disk.kill();
    }
    producer.retried
}

#[test]
fn a_retry_after_a_crash_is_taken_once() {
    let seeds = seeds(12);
    let retried: u64 = (0..seeds).map(story).sum();
    assert!(retried > 5 * seeds, "{retried} retries: the crashes come between batches and answers");
}

/// So much is written that the window of the producers was written on the way, and stands before the end.
#[test]
fn a_long_log_knows_its_producers_again() {
    let (sim, mut producer) = boot(async {
        let sim = SimulatedWorld::new(7);
        let _killed = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut producer = producer(&sim, "long", 40_000).await;
        producer.produce(&sim, 250).await.unwrap();
        (sim, producer)
    });
    let window = sim.disk.files().iter().any(|path| path.ends_with("long-0/producer-window"));
    assert!(window, "{:?}", sim.disk.files());
    sim.disk.crash();
    boot(async {
        let sim = sim.reboot();
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        producer.repeat_the_last(&sim).await.unwrap();
        producer.produce(&sim, 260).await.unwrap();
        producer.check(&sim).await;
        broker.stop().await.unwrap();
    });
}

/// A batch of one record.
fn single(id: i64, sequence: i32, bytes: usize) -> Batch {
    let builder = Builder::new().producer(ProducerId(id), ProducerEpoch(0), sequence);
    builder.record(Timestamp::from_millis(1_700_000_000_000), None, Some(&vec![b'x'; bytes])).build().unwrap()
}

/// The error and the offset.
async fn put(client: &mut Client, topic: &str, batch: &Batch) -> (i16, i64) {
    let answer = client.produce(topic, 0, batch).await.unwrap();
    (answer.error_code, answer.base_offset.0)
}

/// A snapshot can't be written, but the batches of that write are in the file and are not seen again: their producers
/// are known all the same.
#[test]
fn a_disk_too_full_for_a_snapshot_forgets_no_producer() {
    let sim = boot(async {
        let sim = SimulatedWorld::new(4);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "t", &[("segment.bytes", "1048576")]).await.unwrap();
        sim.disk.fault_next(Kind::Write, ".snapshot.tmp", Fault::NoSpace);
        for producer in 0..60 {
            assert_eq!(put(&mut client, "t", &single(100 + producer, 0, 30_000)).await, (0, producer));
        }
        sim.world.clock.sleep(Duration::from_secs(20)).await;
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    boot(async {
        let sim = sim.reboot();
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        for producer in 0..60 {
            assert_eq!(put(&mut client, "t", &single(100 + producer, 0, 30_000)).await, (0, producer), "again");
        }
        broker.stop().await.unwrap();
    });
}

/// The window is older than the log's start: what it says of a producer was overtaken by batches that are gone.
#[test]
fn a_window_from_before_the_log_start_is_not_believed() {
    let sim = boot(async {
        let sim = SimulatedWorld::new(5);
        let _killed = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "t", &[("segment.bytes", "1048576")]).await.unwrap();
        create(&mut client, "other", &[]).await.unwrap();
        assert_eq!(put(&mut client, "t", &single(7, 0, 100)).await.0, 0);
        let mut sequence = 0;
        let mut fill = async |client: &mut Client| {
            assert_eq!(put(client, "t", &single(8, sequence, 60_000)).await.0, 0);
            sequence += 1;
        };
        while !sim.disk.files().iter().any(|path| path.ends_with("t-0/producer-window")) {
            fill(&mut client).await;
        }
        for sequence in 1..6 {
            assert_eq!(put(&mut client, "t", &single(7, sequence, 100)).await.0, 0);
        }
        for _ in 0..60 {
            fill(&mut client).await;
        }
        assert_eq!(client.delete_records("t", 0, -1).await.unwrap().0, 0);
        for sequence in 0..60 {
            assert_eq!(put(&mut client, "other", &single(8, sequence, 60_000)).await.0, 0);
        }
        sim.world.clock.sleep(Duration::from_secs(5)).await;
        sim
    });
    sim.disk.kill();
    boot(async {
        let sim = sim.reboot();
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        let end = client.offset_of_time("t", 0, -1).await.unwrap();
        assert_eq!(put(&mut client, "t", &single(7, 6, 100)).await, (0, end), "it goes on where it was");
        broker.stop().await.unwrap();
    });
}

/// What a log of one small batch was left with, and a window that somebody put there.
fn with_window(producers: Producers, end: i64, last_crc: u32) -> SimulatedWorld {
    let sim = boot(async {
        let sim = SimulatedWorld::new(6);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "t", &[]).await.unwrap();
        assert_eq!(put(&mut client, "t", &single(7, 3, 100)).await, (0, 0));
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    let path = Path::new("/data/logs/t-0/producer-window");
    let bytes = ProducerWindow { end: Offset(end), last_crc, producers }.encode();
    sim.disk.remove_file(path).unwrap();
    sim.disk.install(path, &bytes).unwrap();
    sim
}

fn known(id: i64, last_sequence: i32, last_offset: i64) -> Producers {
    let mut producer = thalweg_wire::producers::Producer::new(ProducerEpoch(0));
    let timestamp = Timestamp::NONE;
    producer.push(Span { last_sequence, last_offset: Offset(last_offset), offset_delta: 0, timestamp });
    let mut producers = Producers::default();
    producers.insert(ProducerId(id), producer);
    producers
}

#[test]
fn a_window_is_read_if_it_is_of_this_log_and_only_then() {
    let crc = single(7, 3, 100).header().crc();
    // Producer 9 never wrote: only the window knows of it. 7 did, and is known from its batch.
    for (window, is_believed) in [
        (with_window(known(9, 41, 0), 1, crc), true),
        (with_window(known(9, 41, 0), 1, crc ^ 1), false),
        (with_window(known(9, 41, 0), 2, crc), false),
        (with_window(known(9, 41, i64::MAX), 1, crc), false),
        (with_window(known(9, 41, i64::MAX), 0, 0), false),
        (with_window(known(9, 41, -5), 1, crc), false),
    ] {
        boot(async {
            let sim = window.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
            // Out of order for one who knows 41; anything goes for one who doesn't.
            let gap = put(&mut client, "t", &single(9, 77, 100)).await.0;
            assert_eq!(gap == 45, is_believed);
            if !is_believed {
                assert_eq!(put(&mut client, "t", &single(7, 9, 100)).await.0, 45, "read from the log");
            }
            broker.stop().await.unwrap();
        });
    }
}
