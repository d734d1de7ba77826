//! The verbs: one file or folder each.

mod bench;
mod cluster;
mod completions;
mod config;
mod consume;
mod dev;
mod dump;
mod group;
mod man;
mod produce;
mod serve;
mod topic;
mod verify;

use clap::{Parser, Subcommand};

use crate::failure::{EXIT_CODES, Failure};

/// A distributed log in one binary: Kafka's protocol and data format, durable before it is acknowledged.
#[derive(Parser)]
#[command(
    name = "thalweg",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}")
)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  thalweg serve                      run a broker on 127.0.0.1:9092 with its data in ./thalweg-data
  thalweg topic create orders        make a topic on it; any other Kafka is reached with --bootstrap
  thalweg group describe readers     how far a group of consumers is behind
  thalweg serve --help               all that can be said about a verb";

#[derive(Subcommand)]
pub(crate) enum Command {
    Serve(Box<serve::Serve>),
    Topic(topic::Topic),
    Produce(Box<produce::Produce>),
    Consume(Box<consume::Consume>),
    Group(group::Group),
    Config(config::Config),
    Cluster(cluster::Cluster),
    Dump(dump::Dump),
    Verify(verify::Verify),
    Bench(bench::Bench),
    Dev(dev::Dev),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// Does what the command line asks for.
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Command::Serve(serve) => serve::run(*serve),
            Command::Topic(topic) => topic.run(),
            Command::Produce(produce) => produce.run(),
            Command::Consume(consume) => consume.run(),
            Command::Group(group) => group.run(),
            Command::Config(config) => config.run(),
            Command::Cluster(cluster) => cluster.run(),
            Command::Dump(dump) => dump.run(),
            Command::Verify(verify) => verify.run(),
            Command::Bench(bench) => bench.run(),
            Command::Dev(dev) => dev.run(),
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
        }
    }
}
