//! The binary `thalweg`: reads the command line and runs what it asks for.
//!
//! Exit codes: 0 a clean end, 1 a failure while running, 2 a command line or a configuration that can't be used.
#![forbid(unsafe_code)]

mod banner;
mod configuration;
mod logging;
mod serve;
mod terminal;

use std::fmt;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;

/// Records of ten thousand partitions come on one thread and go on another: see `docs/decisions/0001`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// A distributed log in one binary: Kafka's protocol and data format, durable before it is acknowledged.
#[derive(Parser)]
#[command(name = "thalweg", version, arg_required_else_help = true, disable_help_subcommand = true, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  thalweg serve                      run a broker on 127.0.0.1:9092 with its data in ./thalweg-data
  thalweg serve --help               all that can be said about it";

#[derive(Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
}

/// Why the program ends other than cleanly.
enum Failure {
    /// The command line, the environment or the configuration file can't be used: exit code 2.
    Usage(String),
    /// It could not start, or could not go on: exit code 1.
    Running(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Usage(what) | Failure::Running(what)) = self;
        f.write_str(what)
    }
}

fn main() -> ExitCode {
    let CommandLine { command: Command::Serve(options) } = CommandLine::parse();
    match serve::run(*options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::complain(&format!("thalweg: {failure}\n"));
            ExitCode::from(match failure {
                Failure::Usage(_) => 2,
                Failure::Running(_) => 1,
            })
        }
    }
}
