//! Creating many partitions, and what each costs in memory.

use std::time::Instant;

use thalweg_wire::ErrorCode;

use crate::Outcome;
use crate::client::{self, Client};
use crate::report::Report;
use crate::requests::CREATE_TOPICS_VERSION;
use crate::subject::Target;

/// How many.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Partitions in all
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) partitions: u32,

    /// Partitions of a topic
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) per_topic: u32,

    /// Partitions in a request; Kafka makes no more than 10,000
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) per_request: u32,
}

/// Starts the target if need be, creates, reports.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<Report> {
    let subject = arguments.target.start()?;
    let Arguments { partitions, per_topic, per_request, .. } = *arguments;
    let mut client = Client::connect(subject.address()).await?;
    let topics: Vec<(String, u32)> = (0..partitions.div_ceil(per_topic))
        .map(|number| (format!("created-{number:06}"), per_topic.min(partitions - number * per_topic)))
        .collect();
    let before = subject.usage()?;
    let begin = Instant::now();
    for topics in topics.chunks((per_request / per_topic).max(1) as usize) {
        let topics: Vec<(&str, u32)> = topics.iter().map(|(name, partitions)| (name.as_str(), *partitions)).collect();
        let answer = client.ask(&client::create_topics(&topics), CREATE_TOPICS_VERSION).await?;
        client::refused(&answer, &[ErrorCode::None])?;
    }
    let span = begin.elapsed();
    let mut report =
        Report::new(format!("create {partitions} partitions in {} topics: {}", topics.len(), subject.name()));
    report.put_ms("answered after", span);
    if let Some((after, before)) = subject.usage()?.zip(before) {
        report.put_ms("CPU", (after - before).cpu);
        report.put("resident before", before.resident as f64 / f64::from(1 << 20), "MiB");
        report.put("resident after", after.resident as f64 / f64::from(1 << 20), "MiB");
        let grown = after.resident.saturating_sub(before.resident);
        report.put("per partition", grown as f64 / f64::from(partitions), "bytes");
    }
    Ok(report)
}
