//! `thalweg bench consume`.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use thalweg_client::consumer::{self, Consumer};
use thalweg_client::{Admin, Records, Start};
use thalweg_wire::{Offset, PartitionIndex};

use super::Outcome;
use super::ground::{Ground, Place};
use super::load::{Limit, Load, value_bytes};
use super::throughput::Throughput;
use crate::failure::{Exit, Failure};
use crate::output::{Output, fields};
use crate::progress::{self, Progress};
use crate::reach::{Missing, Reach};
use crate::signals::Stop;

/// Measure how fast records are given.
///
/// A topic that is there is read from its beginning to where it ends now; one that is made is filled first, which isn't
/// measured.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Consume {
    /// How many records are read [default: all; of a topic that is made, 200000]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    records: Option<u64>,

    /// The bytes of a record's value, in a topic that is made
    #[arg(short, long, value_name = "SIZE", default_value = "1KiB", value_parser = value_bytes)]
    size: usize,

    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    load: Load,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples:
  thalweg bench consume
      200000 records of 1 KiB, which are written first
  thalweg bench consume --topic orders
      all that is in it
  thalweg bench consume --records 1000000 --size 100 --partitions 12 --compression zstd";

/// What is written into a topic that is made, if nobody says it.
const FILLED_WITH: u64 = 200_000;

#[derive(Serialize)]
struct Measured {
    topic: String,
    #[serde(flatten)]
    throughput: Throughput,
    first_record_ms: Option<f64>,
}

impl Consume {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let stop = Stop::new();
        self.place.work(
            &self.reach,
            &stop,
            async |admin, ground| {
                if ground.is_own {
                    self.fill(ground, &stop).await?;
                }
                self.read(admin, ground, &stop).await
            },
            |outcome| outcome.tell(self.output, &stop, Measured::text),
        )
    }

    async fn fill(&self, ground: &Ground, stop: &Stop) -> Result<(), Failure> {
        let limit = Limit::Records(self.most(ground));
        let written = self.load.write(&self.reach, ground, self.size, limit, stop).await?;
        written.told.failure.map_or(Ok(()), |why| Err(why.with("the topic can't be filled")))
    }

    /// How many are read. In a topic that is made there are some more: each producer's first.
    fn most(&self, ground: &Ground) -> u64 {
        self.records.unwrap_or(if ground.is_own { FILLED_WITH } else { u64::MAX })
    }

    async fn read(&self, admin: &Admin, ground: &Ground, stop: &Stop) -> Result<Outcome<Measured>, Failure> {
        let ends = ends(admin, ground).await?;
        let client = self.reach.client(Missing::StayMissing)?;
        let world = client.world().clone();
        let began = world.clock.now();
        let consumer = Consumer::new(client, consumer::Options::default());
        let most = self.most(ground);
        let mut reading = Reading { topic: &ground.topic, left: ends, most, records: 0, bytes: 0 };
        consumer.assign(reading.left.keys().map(|partition| (ground.topic.as_str(), partition.0, Start::Earliest)));
        let (mut progress, mut tick, mut first) = (Progress::new(), began + progress::EACH, None);
        // Who gives nothing for as long as an answer may take gives nothing any more.
        let mut silent_until = began + self.reach.timeout();
        let mut failure = None;
        while !reading.is_done() {
            let records = tokio::select! {
                biased;
                () = stop.asked() => break,
                polled = consumer.poll() => polled,
                () = world.clock.sleep_until(tick) => {
                    tick = tick + progress::EACH;
                    reading.look(&consumer);
                    progress.show(|| reading.throughput(world.clock.now().since(began)).line());
                    if world.clock.now() > silent_until && !reading.is_done() {
                        failure = Some(silent());
                        break;
                    }
                    continue;
                }
            };
            match records {
                Ok(records) => reading.take(&records),
                Err(error) => {
                    let next = "'thalweg topic describe' shows whether its partitions are well";
                    failure = Some(Failure::new(Exit::Failed, error.to_string(), next));
                    break;
                }
            }
            let now = world.clock.now();
            first.get_or_insert_with(|| now.since(began));
            silent_until = now + self.reach.timeout();
        }
        let measured = Measured {
            topic: ground.topic.clone(),
            throughput: reading.throughput(world.clock.now().since(began)),
            first_record_ms: first.map(|span: Duration| (span.as_secs_f64() * 1e6).round() / 1e3),
        };
        Ok(Outcome { measured, failure })
    }
}

fn silent() -> Failure {
    let next = "--timeout gives it longer; 'thalweg cluster status' shows whether the cluster is well";
    Failure::new(Exit::Unreachable, "no more records come", next)
}

/// Where the partitions that have something end.
async fn ends(admin: &Admin, ground: &Ground) -> Result<BTreeMap<PartitionIndex, Offset>, Failure> {
    let indexes = 0..i32::try_from(ground.partitions).unwrap_or(i32::MAX);
    let partitions: Vec<_> = indexes.map(|index| (ground.topic.as_str(), PartitionIndex(index))).collect();
    let mut ends = BTreeMap::new();
    for ((_, partition), extent) in partitions.iter().zip(admin.extents(&partitions).await) {
        let extent = extent?;
        if extent.start < extent.end {
            ends.insert(*partition, extent.end);
        }
    }
    Ok(ends)
}

/// How far it has read.
struct Reading<'a> {
    topic: &'a str,
    /// Where those end that have more.
    left: BTreeMap<PartitionIndex, Offset>,
    most: u64,
    records: u64,
    bytes: u64,
}

impl Reading<'_> {
    fn is_done(&self) -> bool {
        self.left.is_empty() || self.records >= self.most
    }

    fn take(&mut self, records: &Records) {
        let Some(end) = self.left.get(&records.partition()).copied() else { return };
        for record in records.iter().take_while(|record| record.offset < end) {
            if self.records >= self.most {
                return;
            }
            self.records += 1;
            self.bytes += (record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len)) as u64;
        }
        if records.next_offset() >= end {
            self.left.remove(&records.partition());
        }
    }

    /// What a partition ends with may be nothing that is given, such as a transaction's marker.
    fn look(&mut self, consumer: &Consumer) {
        let topic = self.topic;
        self.left.retain(|partition, end| consumer.position(topic, partition.0).is_none_or(|position| position < *end));
    }

    fn throughput(&self, span: Duration) -> Throughput {
        Throughput::of(self.records, self.bytes, span)
    }
}

impl Measured {
    fn text(&self) -> String {
        let first = self.first_record_ms.map_or_else(|| "-".to_owned(), |millis| format!("{millis:.3} ms"));
        let throughput = self.throughput.fields();
        let all = [("topic", self.topic.clone())].into_iter().chain(throughput).chain([("first record", first)]);
        fields(&all.collect::<Vec<_>>())
    }
}
