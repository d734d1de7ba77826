//! `cargo xtask ci`: everything that has to hold before a change goes in, in the order in which it fails cheapest.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How a step ended.
enum Outcome {
    Passed,
    Failed,
    /// Said aloud: a step that silently didn't run looks like one that passed.
    Skipped(String),
}

/// Runs all steps up to the first that fails, and prints a table of times.
pub(crate) fn run(root: &Path) -> ExitCode {
    let steps: &[(&str, &dyn Fn() -> Outcome)] = &[
        ("fmt", &|| cargo(root, &["fmt", "--all", "--check"])),
        ("tidy", &|| cargo(root, &["xtask", "tidy"])),
        ("generate", &|| cargo(root, &["xtask", "generate", "--check"])),
        ("clippy", &|| cargo(root, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])),
        // Exactly what the README tells people to run.
        ("test", &|| cargo(root, &["test"])),
        ("deny", &|| deny(root)),
        ("advisories", &|| advisories(root)),
    ];
    let mut table = Vec::new();
    let mut verdict = ExitCode::SUCCESS;
    for (name, step) in steps {
        eprintln!("ci: {name}");
        let start = Instant::now();
        let outcome = step();
        let failed = matches!(outcome, Outcome::Failed);
        table.push(row(name, start.elapsed(), &outcome));
        if failed {
            verdict = ExitCode::FAILURE;
            break;
        }
    }
    eprintln!("ci: summary\n{}", table.join("\n"));
    verdict
}

fn row(name: &str, took: Duration, outcome: &Outcome) -> String {
    let outcome = match outcome {
        Outcome::Passed => "passed".to_string(),
        Outcome::Failed => "FAILED".to_string(),
        Outcome::Skipped(why) => format!("SKIPPED: {why}"),
    };
    format!("  {name:<12}{:>8.1} s  {outcome}", took.as_secs_f64())
}

fn command(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root).stdin(Stdio::null());
    command
}

fn cargo(root: &Path, arguments: &[&str]) -> Outcome {
    match command(root, arguments).status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(_) => Outcome::Failed,
        Err(error) => {
            eprintln!("ci: can't run cargo: {error}");
            Outcome::Failed
        }
    }
}

fn has_deny(root: &Path) -> bool {
    command(root, &["deny", "--version"]).output().is_ok_and(|output| output.status.success())
}

/// Licences, bans and sources: from the lock file alone.
fn deny(root: &Path) -> Outcome {
    if !has_deny(root) {
        return Outcome::Skipped("cargo-deny is not installed (cargo install cargo-deny --locked)".into());
    }
    cargo(root, &["deny", "--log-level", "error", "check", "bans", "licenses", "sources"])
}

/// Known holes in what we depend on. The list of them comes over the network; a machine that can't reach it says so.
fn advisories(root: &Path) -> Outcome {
    if !has_deny(root) {
        return Outcome::Skipped("cargo-deny is not installed (cargo install cargo-deny --locked)".into());
    }
    match command(root, &["deny", "--log-level", "error", "check", "advisories"]).output() {
        Ok(output) if output.status.success() => Outcome::Passed,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            if said.contains("failed to fetch advisory database") {
                return Outcome::Skipped("the advisory database can't be fetched from here".into());
            }
            eprintln!("{said}");
            Outcome::Failed
        }
        Err(error) => {
            eprintln!("ci: can't run cargo deny: {error}");
            Outcome::Failed
        }
    }
}
