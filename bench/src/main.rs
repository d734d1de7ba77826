//! `thalweg-bench`: loads a broker, and says what it cost.
//!
//! Each verb runs against a broker that it starts (`--broker`), our own null broker (`--null`), or one that runs already
//! (`--address`), on this machine only. `all` runs the table of `docs/performance.md`. Whatever is started is stopped,
//! every run has an end in time or in count, and a figure that the client limits is told by the client's own CPU.
#![forbid(unsafe_code)]

mod all;
mod bombs;
mod client;
mod create;
mod drive;
mod durable_write;
mod end_to_end;
mod fetch;
mod footprint;
mod histogram;
mod hostile;
mod idle;
mod journal;
mod latency;
mod null_broker;
mod pace;
mod process;
mod produce;
mod report;
mod requests;
mod restart;
mod spread;
mod subject;

use std::fmt;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::Report;

/// Loads a broker on this machine, and says what it cost.
#[derive(Parser)]
#[command(name = "thalweg-bench", version, arg_required_else_help = true, disable_help_subcommand = true)]
struct CommandLine {
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    #[command(flatten)]
    Measure(Measure),
    /// One durable write at a time, by several roads between tasks and threads
    DurableWrite(durable_write::Arguments),
    /// All of docs/performance.md, as Markdown
    All(all::Arguments),
    /// Run a broker that does next to nothing, until it is killed
    NullBroker(null_broker::Arguments),
}

/// A verb that runs against one broker and gives one report.
#[derive(Subcommand)]
enum Measure {
    /// Produce as fast as it goes: rates, latencies, the broker's CPU
    Produce(produce::Arguments),
    /// Single records, one after the other or at a fixed rate
    Latency(latency::Arguments),
    /// One request with a record for each of many partitions
    Spread(spread::Arguments),
    /// Create partitions
    Create(create::Arguments),
    /// Start to first durable acknowledgement: empty, after a clean stop, after kill -9
    Restart(restart::Arguments),
    /// Memory, CPU and wake-ups of a broker with nothing to do
    Idle(idle::Arguments),
    /// Consumers that read what is in memory
    Fetch(fetch::Arguments),
    /// From when a record is due to its arrival at a consumer that waits
    EndToEnd(end_to_end::Arguments),
    /// Bytes of files for each byte of batches
    Footprint(footprint::Arguments),
}

/// Why there is no figure, for a person.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// What verbs answer.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Failure {
        Failure(what.into())
    }

    /// For `map_err`: what was tried, and what came of it.
    pub(crate) fn at<E: fmt::Display>(what: &str) -> impl FnOnce(E) -> Failure + '_ {
        move |error| Failure(format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn main() -> ExitCode {
    let CommandLine { json, verb } = CommandLine::parse();
    // Before the runtime: brokers that we start inherit the limit.
    process::raise_open_files();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return ended(Err(Failure(format!("can't start worker threads: {error}")))),
    };
    let outcome = runtime.block_on(run(verb, json));
    runtime.shutdown_background();
    ended(outcome)
}

async fn run(verb: Verb, json: bool) -> Outcome<()> {
    match verb {
        Verb::NullBroker(arguments) => null_broker::run(&arguments).await,
        Verb::All(arguments) => all::run(&arguments, json).await,
        Verb::DurableWrite(arguments) => durable_write::run(&arguments, json).await,
        Verb::Measure(measure) => {
            show(&measure.run().await?, json);
            Ok(())
        }
    }
}

impl Measure {
    async fn run(&self) -> Outcome<Report> {
        match self {
            Measure::Produce(arguments) => produce::run(arguments).await,
            Measure::Latency(arguments) => latency::run(arguments).await,
            Measure::Spread(arguments) => spread::run(arguments).await,
            Measure::Create(arguments) => create::run(arguments).await,
            Measure::Restart(arguments) => restart::run(arguments).await,
            Measure::Idle(arguments) => idle::run(arguments).await,
            Measure::Fetch(arguments) => fetch::run(arguments).await,
            Measure::EndToEnd(arguments) => end_to_end::run(arguments).await,
            Measure::Footprint(arguments) => footprint::run(arguments).await,
        }
    }
}

/// Prints a report in the form that was asked for.
fn show(report: &Report, json: bool) {
    if json {
        println!("{}", report.json());
    } else {
        println!("{report}");
    }
}

fn ended(outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("thalweg-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}
