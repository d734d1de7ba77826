//! The binary `thalweg`: reads the command line and runs what it asks for.
//!
//! Each verb is a file or a folder of `commands`. They have in common how they reach a cluster (`reach`), how they print
//! (`output`), how people write times and sizes (`quantities`), and how they fail (`failure`, with the exit codes).
#![forbid(unsafe_code)]

mod commands;
mod failure;
mod names;
mod output;
mod pace;
mod progress;
mod quantities;
mod reach;
mod signals;
mod terminal;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use commands::CommandLine;

/// Records of ten thousand partitions come on one thread and go on another: see `docs/decisions/0001`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match CommandLine::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::complain(&failure.to_string());
            failure.code()
        }
    }
}
