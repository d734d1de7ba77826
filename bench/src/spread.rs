//! One Produce request with a record for each of many partitions: what an application with thousands of logs does.

use std::time::{Duration, Instant};

use thalweg_messages::produce::ProduceRequest;
use thalweg_wire::ErrorCode;

use crate::client::{self, Client};
use crate::pace::Pace;
use crate::report::Report;
use crate::requests::{self, Acks, PRODUCE_VERSION, Shape};
use crate::subject::Target;
use crate::{Failure, Outcome};

/// How wide, how often.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Partitions, each of which gets one record
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) partitions: u32,

    /// Bytes of a record
    #[arg(long, value_name = "BYTES", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(0..=8192))]
    pub(crate) record_bytes: u32,

    /// Requests before any is measured, one after the other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) warm_up: u32,

    /// How many requests, one after the other
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,

    /// Requests per second, each timed from when it was due; 0: each when the one before it is answered
    #[arg(long, value_name = "R", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) rate: u32,
}

/// Starts the target if need be, sends, reports.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<Report> {
    let subject = arguments.target.start()?;
    let Arguments { partitions, record_bytes, warm_up, rounds, rate, .. } = *arguments;
    let mut client = Client::connect(subject.address()).await?;
    client.create_topic(TOPIC, partitions).await?;
    let frame = frame(partitions, record_bytes)?;
    let first = send(&mut client, &frame).await?;
    for _ in 1..warm_up {
        send(&mut client, &frame).await?;
    }
    let (frames, broker) = (subject.journal_frames(), subject.usage()?);
    let mut pace =
        (rate > 0).then(|| Pace::new(Duration::from_secs(1) / rate)).transpose().map_err(Failure::at("no timer"))?;
    let mut spans = Vec::new();
    for _ in 0..rounds {
        let due = match &mut pace {
            None => Instant::now(),
            Some(pace) => pace.next().await.map_err(Failure::at("no timer"))?,
        };
        send(&mut client, &frame).await?;
        spans.push(due.elapsed());
    }
    let used = subject.usage()?.zip(broker).map(|(after, before)| after - before);
    spans.sort();
    let mut report = Report::new(format!(
        "one request, {record_bytes} B to each of {partitions} partitions, {rounds} times: {}",
        subject.name()
    ));
    report.put_ms("first", first);
    report.put_ms("median", spans[spans.len() / 2]);
    report.put_ms("p90", spans[spans.len() * 9 / 10]);
    report.put_ms("max", spans[spans.len() - 1]);
    if let Some(used) = used {
        report.put_ms("CPU per request", used.cpu / rounds);
        report.put("resident", used.resident as f64 / f64::from(1 << 20), "MiB");
    }
    if let (Some(before), Some(after)) = (frames, subject.journal_frames()) {
        report.put("durable writes per request", (after - before) as f64 / f64::from(rounds), "");
    }
    Ok(report)
}

/// The topic that is spread over.
pub(crate) const TOPIC: &str = "spread";

/// One record for each of so many partitions.
pub(crate) fn frame(partitions: u32, record_bytes: u32) -> Outcome<Vec<u8>> {
    let batch = Shape { records: 1, record_bytes }.batch();
    let indexes: Vec<i32> = (0..partitions.cast_signed()).collect();
    requests::produce_frame(TOPIC, &indexes, &batch, Acks::All)
}

/// From the first byte sent to the last acknowledgement.
pub(crate) async fn send(client: &mut Client, frame: &[u8]) -> Outcome<Duration> {
    let begin = Instant::now();
    client.send(frame).await?;
    let answer = client.receive().await?;
    let span = begin.elapsed();
    let answer = client::answer_of::<ProduceRequest>(&answer, PRODUCE_VERSION)?;
    let mut partitions = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
    match partitions.find(|partition| partition.error_code != ErrorCode::None.code()) {
        None => Ok(span),
        Some(refused) => {
            let error = client::error_name(refused.error_code);
            Err(Failure::new(format!("partition {} was refused: {error}", refused.index)))
        }
    }
}
