//! A broker with nothing to do: its memory, its CPU, how often it wakes; with or without clients that are silent.

use std::time::{Duration, Instant};

use thalweg_messages::api_versions::ApiVersionsRequest;
use thalweg_world::real;

use crate::client::Client;
use crate::report::Report;
use crate::subject::Target;
use crate::{Failure, Outcome};

/// How long, and with how many.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Connections that said hello and are silent since
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=20_000))]
    pub(crate) connections: u32,

    /// How long to look
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) seconds: u32,
}

/// Starts the target if need be, lets it be, reports.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<Report> {
    let subject = arguments.target.start()?;
    let Arguments { connections, seconds, .. } = *arguments;
    let clock = real::world().map_err(Failure::at("no random bytes"))?.clock;
    let unknown = || Failure::new("whose memory? --broker-pid PID");
    // Work of the start that is still going on is no idling.
    clock.sleep(Duration::from_secs(1)).await;
    let alone = subject.usage()?.ok_or_else(unknown)?;
    let mut clients = Vec::new();
    let begin = Instant::now();
    for number in 0..connections {
        let greeted = async {
            let mut client = Client::connect(subject.address()).await?;
            client.ask(&ApiVersionsRequest::default(), 3).await?;
            Outcome::Ok(client)
        };
        clients.push(greeted.await.map_err(|error| {
            Failure::new(format!(
                "connection {number}: {error}; `ulimit -n` has to allow one more than that many files"
            ))
        })?);
    }
    let connected = begin.elapsed();
    clock.sleep(Duration::from_secs(1)).await;
    let before = subject.usage()?.ok_or_else(unknown)?;
    let begin = Instant::now();
    clock.sleep(Duration::from_secs(seconds.into())).await;
    let used = subject.usage()?.ok_or_else(unknown)? - before;
    let span = begin.elapsed().as_secs_f64();
    let mut report = Report::new(format!("idle with {connections} connections: {}", subject.name()));
    report.put("resident", used.resident as f64 / f64::from(1 << 20), "MiB");
    report.put("CPU", 100.0 * used.cpu.as_secs_f64() / span, "% of a core");
    report.put("wake-ups/s", used.sleeps as f64 / span, "");
    if connections > 0 {
        let grown = used.resident.saturating_sub(alone.resident);
        report.put("per connection", grown as f64 / f64::from(connections) / 1024.0, "KiB");
        report.put_us("connect and greet", connected / connections);
    }
    Ok(report)
}
