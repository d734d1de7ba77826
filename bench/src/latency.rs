//! Single records: how long one takes to be acknowledged, alone or at a fixed rate, over one or many partitions.

use std::time::Duration;

use thalweg_world::real;

use crate::drive::{Load, Until};
use crate::hostile::{self, Hostile, Kind};
use crate::produce;
use crate::report::Report;
use crate::requests::{Acks, ProduceFrame, Shape};
use crate::subject::Target;
use crate::{Failure, Outcome};

/// Requests that wait for a stalled broker on one connection at a fixed rate; more would only wait in the socket.
const OWED_MAX: usize = 16_384;

/// What to send, and how fast.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Bytes of a record
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=1 << 20))]
    pub(crate) record_bytes: u32,

    /// Partitions, taken in turn
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) partitions: u32,

    /// Records per second on all connections together, each counted from when it was due; 0: each connection sends the
    /// next when the last is acknowledged
    #[arg(long, value_name = "PER_SECOND", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(crate) rate: u32,

    /// Connections
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) connections: u32,

    /// Connections beside them that do harm, up to a hundred tries a second each
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(crate) hostile: u32,

    /// What harm they do; may be repeated, and they take it in turn. By default all that is small: noise, frames that lie
    /// about their length or counts, batches that rotted, silence, half frames, answers that are never read
    #[arg(long, value_name = "KIND")]
    pub(crate) harm: Vec<Kind>,

    /// Connections beside them that have sent two bytes, and stay
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=20_000))]
    pub(crate) half_open: u32,

    /// Stop after so many seconds
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) seconds: u32,
}

/// Starts the target if need be, loads it, reports.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<Report> {
    let subject = arguments.target.start()?;
    let Arguments { rate, connections, partitions, record_bytes, .. } = *arguments;
    let shape = Shape { records: 1, record_bytes };
    let period = (rate > 0).then(|| Duration::from_secs(1) * connections / rate);
    let load = Load {
        frame: ProduceFrame::new("bench", &shape.batch(), Acks::All)?,
        connections,
        depth: if rate > 0 { OWED_MAX } else { 1 },
        partitions,
        until: Until { time: Duration::from_secs(arguments.seconds.into()), requests: 100_000_000 },
        period,
        due: None,
    };
    let clock = real::world().map_err(Failure::at("no random bytes"))?.clock;
    let half_open = hostile::half_open(subject.address(), arguments.half_open).await?;
    let hostile = Hostile::start(subject.address(), arguments.hostile, &arguments.harm, &clock)?;
    let measured = produce::measure(&subject, &load, 0).await?;
    let pace = if rate > 0 { format!("{rate}/s") } else { "one after the other".to_owned() };
    let mut report = Report::new(format!(
        "single records of {record_bytes} B, {pace}, {connections} connections, {partitions} partitions: {}",
        subject.name()
    ));
    let records = measured.driven.answered;
    report.put("records/s", records as f64 / measured.driven.elapsed.as_secs_f64(), "");
    report.put_latencies(&measured.driven.latencies);
    measured.put_cost(&mut report, records, records * u64::from(record_bytes).max(1));
    if arguments.hostile > 0 {
        report.put("tries/s", hostile.tries() as f64 / measured.driven.elapsed.as_secs_f64(), "");
    }
    drop(half_open);
    Ok(report)
}
