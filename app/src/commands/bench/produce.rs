//! `thalweg bench produce`.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::ground::Place;
use super::latencies::{Line, Percentiles};
use super::load::{Limit, Load, value_bytes};
use super::throughput::Throughput;
use crate::failure::Failure;
use crate::output::{Output, fields, table};
use crate::quantities;
use crate::reach::Reach;
use crate::signals::Stop;

/// Measure how fast records are taken, and how long each takes until it is acknowledged.
///
/// Records are sent as fast as they are taken. A record's time begins before it has its place in the producer's memory and ends
/// with its acknowledgement: it waits for those before it. 'bench latency' measures it at a rate.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Produce {
    /// How many records are written
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "duration")]
    records: Option<u64>,

    /// How long they are written
    #[arg(short, long, value_name = "DURATION", default_value = "10s", value_parser = quantities::duration)]
    duration: Duration,

    /// The bytes of a record's value: letters by chance
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
  thalweg bench produce
      ten seconds, records of 1 KiB, one partition, one producer
  thalweg bench produce --records 1000000 --size 100 --partitions 12 --producers 4 --compression lz4
  thalweg bench produce --duration 1m --output json | jq .records_per_second";

#[derive(Serialize)]
struct Measured {
    topic: String,
    #[serde(flatten)]
    throughput: Throughput,
    latency_ms: Percentiles,
}

impl Produce {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let stop = Stop::new();
        let limit = self.records.map_or(Limit::Duration(self.duration), Limit::Records);
        self.place.work(
            &self.reach,
            &stop,
            async |_, ground| {
                let written = self.load.write(&self.reach, ground, self.size, limit, &stop).await?;
                let measured = Measured {
                    topic: ground.topic.clone(),
                    throughput: written.throughput,
                    latency_ms: written.told.latencies.percentiles(),
                };
                let failure = written.told.failure.map(|why| why.with("a record is not there"));
                Ok(Outcome { measured, failure })
            },
            |outcome| outcome.tell(self.output, &stop, Measured::text),
        )
    }
}

impl Measured {
    fn text(&self) -> String {
        let line = Line { of: "acknowledged", percentiles: self.latency_ms };
        let all = [("topic", self.topic.clone())].into_iter().chain(self.throughput.fields());
        format!("{}\n{}", fields(&all.collect::<Vec<_>>()), table(&[line]))
    }
}
