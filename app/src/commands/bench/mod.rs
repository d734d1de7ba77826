//! `thalweg bench`: loads a cluster, and says how fast it is.

mod consume;
mod ground;
mod lanes;
mod latencies;
mod latency;
mod load;
mod payload;
mod produce;
mod reader;
mod stamp;
mod throughput;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::signals::Stop;

/// Measure how fast a cluster takes records, gives them, and how long one takes.
#[derive(Args)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Produce(Box<produce::Produce>),
    Consume(Box<consume::Consume>),
    Latency(Box<latency::Latency>),
}

impl Bench {
    /// Does what the command line asks for.
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::Produce(produce) => produce.run(),
            Verb::Consume(consume) => consume.run(),
            Verb::Latency(latency) => latency.run(),
        }
    }
}

/// What was measured, and why it is less than was asked for, if it is.
struct Outcome<T> {
    measured: T,
    failure: Option<Failure>,
}

impl<T: Serialize> Outcome<T> {
    /// Prints it. What Ctrl-C cut short was measured all the same.
    fn tell(self, output: Output, stop: &Stop, text: impl FnOnce(&T) -> String) -> Result<(), Failure> {
        output.describe(&self.measured, || text(&self.measured))?;
        match self.failure {
            Some(failure) => Err(failure),
            None if stop.is_asked() => {
                let next = "the figures are of what was done until then";
                Err(Failure::new(Exit::Interrupted, "interrupted before it was done", next))
            }
            None => Ok(()),
        }
    }
}
