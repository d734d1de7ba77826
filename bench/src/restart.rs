//! From the start of the process to its first durable acknowledgement: on an empty directory, after a clean stop, and
//! after `kill -9` with data in many partitions.

use std::time::{Duration, Instant};

use crate::client::Client;
use crate::report::Report;
use crate::requests::{self, Acks, Shape};
use crate::spread;
use crate::subject::{Subject, Target};
use crate::{Failure, Outcome};

/// How much there is to come back to.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Partitions
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) partitions: u32,

    /// Bytes of each record
    #[arg(long, value_name = "BYTES", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(0..=8192))]
    pub(crate) record_bytes: u32,

    /// Records in each partition
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) records: u32,

    /// How often each way of starting is tried
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
}

/// One start.
#[derive(Clone, Copy)]
struct Started {
    ready: Duration,
    acknowledged: Duration,
}

/// Starts, loads, ends and starts the target; reports.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<Report> {
    let Arguments { partitions, record_bytes, records, rounds, .. } = *arguments;
    if arguments.target.broker.is_none() {
        return Err(Failure::new("only a broker that we start can be started again: --broker PATH"));
    }
    let (mut empty, mut clean, mut killed) = (Vec::new(), Vec::new(), Vec::new());
    let mut resident = 0;
    for _ in 0..rounds {
        let mut subject = arguments.target.start()?;
        let begin = Instant::now();
        let mut client = Client::connect(subject.address()).await?;
        client.create_topic(spread::TOPIC, partitions).await?;
        first_record(&mut client).await?;
        let ready = subject.ready_after;
        empty.push(Started { ready, acknowledged: ready + begin.elapsed() });
        let frame = spread::frame(partitions, record_bytes)?;
        for _ in 0..records {
            spread::send(&mut client, &frame).await?;
        }
        subject.kill()?;
        killed.push(again(&mut subject).await?);
        resident = subject.usage()?.map_or(0, |usage| usage.resident);
        subject.stop()?;
        clean.push(again(&mut subject).await?);
    }
    let mut report = Report::new(format!(
        "start with {partitions} partitions, {records} records of {record_bytes} B in each, medians of {rounds}: {}",
        arguments.target.name()
    ));
    report.put_ms("empty, ready", median(&empty).ready);
    report.put_ms("empty, first ack", median(&empty).acknowledged);
    report.put_ms("clean stop, ready", median(&clean).ready);
    report.put_ms("clean stop, first ack", median(&clean).acknowledged);
    report.put_ms("kill -9, ready", median(&killed).ready);
    report.put_ms("kill -9, first ack", median(&killed).acknowledged);
    report.put("resident after kill -9", resident as f64 / f64::from(1 << 20), "MiB");
    Ok(report)
}

async fn again(subject: &mut Subject) -> Outcome<Started> {
    subject.spawn()?;
    let begin = Instant::now();
    first_record(&mut Client::connect(subject.address()).await?).await?;
    Ok(Started { ready: subject.ready_after, acknowledged: subject.ready_after + begin.elapsed() })
}

async fn first_record(client: &mut Client) -> Outcome<()> {
    let batch = Shape { records: 1, record_bytes: 100 }.batch();
    spread::send(client, &requests::produce_frame(spread::TOPIC, &[0], &batch, Acks::All)?).await.map(drop)
}

fn median(starts: &[Started]) -> Started {
    let mut sorted = starts.to_vec();
    sorted.sort_by_key(|started| started.acknowledged);
    sorted[sorted.len() / 2]
}
