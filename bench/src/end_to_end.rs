//! From the moment when a record is due to be sent to its arrival at a consumer that waits for it.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::drive::{Load, Until, drive};
use crate::fetch::Consumer;
use crate::histogram::Histogram;
use crate::process;
use crate::report::Report;
use crate::requests::{Acks, ProduceFrame, Shape};
use crate::subject::Target;
use crate::{Failure, Outcome, client};

/// Records that go ahead: the partition comes to life, both connections' buffers grow.
const WARM_UP: u64 = 1000;

/// Requests that may wait for their answer: a broker that stalls is not spared.
const DEPTH: usize = 16_384;

/// What to send, and how fast.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Bytes of a record
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=1 << 20))]
    pub(crate) record_bytes: u32,

    /// Records per second, one to a request
    #[arg(long, value_name = "PER_SECOND", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: u32,

    /// For so many seconds
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) seconds: u32,
}

/// Starts the target if need be, sends and reads, reports.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<Report> {
    let subject = arguments.target.start()?;
    let Arguments { rate, seconds, record_bytes, .. } = *arguments;
    let to = subject.address();
    // Of this run alone: offsets begin at 0.
    let topic = &format!("end-to-end-{}", std::process::id());
    client::Client::connect(to).await?.create_topic(topic, 1).await?;
    let records = u64::from(rate) * u64::from(seconds);
    let (due, mut dues) = mpsc::unbounded_channel();
    let load = Load {
        frame: ProduceFrame::new(topic, &Shape { records: 1, record_bytes }.batch(), Acks::All)?,
        connections: 1,
        depth: DEPTH,
        partitions: 1,
        until: Until { time: Duration::from_secs(60), requests: WARM_UP },
        period: None,
        due: None,
    };
    drive(to, &load).await?.whole(&load)?;
    let period = Some(Duration::from_secs(1) / rate);
    let time = Duration::from_secs(u64::from(seconds) + 60);
    let load = Load { until: Until { time, requests: records }, period, due: Some(due), ..load };
    let mut consumer = Consumer::connect(&subject, topic, 1 << 20).await?;
    let (broker, own) = (subject.usage()?, process::own_usage()?);
    let begin = Instant::now();
    let sending = async { drive(to, &load).await?.whole(&load) };
    let receiving = async {
        let mut arrivals = Histogram::new();
        let mut offset = WARM_UP as i64;
        while arrivals.count() < records {
            let next = consumer.fetch(offset).await?.next;
            let now = Instant::now();
            for _ in offset..next.unwrap_or(offset) {
                let due = dues.recv().await.ok_or_else(|| Failure::new("more records arrived than were sent"))?;
                arrivals.record(now.saturating_duration_since(due));
            }
            offset = next.unwrap_or(offset);
        }
        Ok(arrivals)
    };
    let (_, arrivals) = tokio::try_join!(sending, receiving)?;
    let elapsed = begin.elapsed();
    let own = process::own_usage()? - own;
    let broker = subject.usage()?.zip(broker).map(|(after, before)| after - before);
    let mut report =
        Report::new(format!("end to end, {rate}/s of {record_bytes} B for {seconds} s: {}", subject.name()));
    report.put("records/s", records as f64 / elapsed.as_secs_f64(), "");
    report.put_latencies(&arrivals);
    report.put_cost(broker, own, records, records * u64::from(record_bytes).max(1), elapsed);
    Ok(report)
}
