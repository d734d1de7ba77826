//! The project's own chores, behind `cargo xtask`: what a person or a machine runs beside `cargo build` and `cargo test`.
#![forbid(unsafe_code)]

mod ci;
mod fuzz;
mod generate;
mod planted;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask VERB

  generate [--check]   write messages/src/generated from messages/schema, or fail when it is stale
  tidy                 check the rules of the house: arrows between crates, purity of the pillars, files
  planted [WORDS]      plant known mistakes, one at a time, and see that the tests find them (about 20 minutes)
  fuzz [--seconds N] [TARGET...]
                       look for bytes that break what reads them: each target for so long (60), or those that are named
  ci                   everything that has to hold before a change goes in, with the time of each step";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["generate"] => generate::run(&root()),
        ["generate", "--check"] => generate::check(&root()),
        ["tidy"] => tidy::run(&root()),
        ["planted"] => planted::run(&root(), ""),
        ["planted", only] => planted::run(&root(), only),
        ["fuzz", arguments @ ..] => fuzz::run(&root(), arguments),
        ["ci"] => ci::run(&root()),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    // Cargo sets it for `cargo run` and `cargo test`; a binary that was copied elsewhere has no workspace to look after.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lives in a folder of the workspace").to_path_buf()
}
