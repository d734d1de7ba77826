//! `cargo xtask fuzz`: what reads bytes of others, under a fuzzer that is guided by coverage.
//!
//! The targets are a workspace of their own (`fuzz`), built with LLVM's instrumentation by the stable compiler: no nightly,
//! no `cargo fuzz`. libFuzzer is C++, so a C++ compiler is wanted; a machine without one says so. Each target begins with
//! seeds made of the fixtures and with `fuzz/corpus`, and what it finds new stays under `target/fuzz`. An input that
//! breaks something is kept in `target/fuzz/found`, and `replay` shows it without the fuzzer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// What libFuzzer wants to see, as `cargo fuzz` asks for it without a sanitizer: this code has no `unsafe` of its own.
const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// All that are fuzzed; `fuzz/src/lib.rs` says what each is.
const TARGETS: &[&str] = &[
    "frames",
    "batches",
    "codecs",
    "messages",
    "records",
    "segments",
    "indexes",
    "snapshots",
    "checkpoints",
    "journal",
    "metadata",
    "properties",
];

/// Without `--seconds`.
const SECONDS: u64 = 60;

/// The longest input: longer ones only cost time.
const INPUT_BYTES_MAX: usize = 64 << 10;

/// An input that takes longer hangs, in seconds.
const INPUT_SECONDS_MAX: u64 = 20;

/// Fuzzes these targets, or all, so long each, and says what was found.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> ExitCode {
    let (seconds, wanted) = match arguments {
        ["--seconds", seconds, wanted @ ..] => match seconds.parse() {
            Ok(seconds) => (seconds, wanted),
            Err(_) => return refuse("--seconds takes a number"),
        },
        wanted => (SECONDS, wanted),
    };
    if let Some(unknown) = wanted.iter().find(|name| !TARGETS.contains(name)) {
        return refuse(&format!("{unknown} is no target: there are {}", TARGETS.join(", ")));
    }
    if !is_there("c++") {
        eprintln!("fuzz: SKIPPED: libFuzzer wants a C++ compiler (apt-get install g++)");
        return ExitCode::SUCCESS;
    }
    let Some(fuzzer) = built(root) else { return ExitCode::FAILURE };
    let targets = if wanted.is_empty() { TARGETS } else { wanted };
    let broken: Vec<&str> = targets.iter().copied().filter(|target| !holds(root, &fuzzer, target, seconds)).collect();
    if broken.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("fuzz: broken: {}; the inputs are in target/fuzz/found, and are looked at with", broken.join(", "));
    eprintln!("  cargo run --manifest-path fuzz/Cargo.toml --bin replay -- TARGET FILE");
    ExitCode::FAILURE
}

/// Builds the fuzzer, and the seeds that it begins with.
fn built(root: &Path) -> Option<PathBuf> {
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output().ok()?;
    let host = String::from_utf8_lossy(&host.stdout).trim().to_owned();
    let manifest = ["--manifest-path", "fuzz/Cargo.toml", "--locked"];
    let seeds = folder(root, "seeds");
    let replay =
        cargo(root, "plain").arg("run").args(manifest).args(["--bin", "replay", "--", "--seeds"]).arg(&seeds).status();
    // With a target named, the flags are not those of build scripts, too.
    let build = ["--bin", "fuzz", "--release", "--target", &host];
    let fuzz =
        cargo(root, "instrumented").env("RUSTFLAGS", INSTRUMENTED).arg("build").args(manifest).args(build).status();
    let both = [replay, fuzz].into_iter().all(|status| status.is_ok_and(|status| status.success()));
    both.then(|| folder(root, "instrumented").join(host).join("release/fuzz"))
}

/// Whether a target holds for so long.
fn holds(root: &Path, fuzzer: &Path, target: &str, seconds: u64) -> bool {
    let (corpus, found) = (folder(root, "corpus").join(target), folder(root, "found").join(target));
    for folder in [&corpus, &found] {
        if let Err(error) = fs::create_dir_all(folder) {
            eprintln!("fuzz: {}: {error}", folder.display());
            return false;
        }
    }
    let start = Instant::now();
    let status = Command::new(fuzzer)
        .arg(&corpus)
        .args(
            [root.join("fuzz/corpus").join(target), folder(root, "seeds").join(target)].iter().filter(|at| at.is_dir()),
        )
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .args(["-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"])
        .env("THALWEG_FUZZ", target)
        .current_dir(root)
        .stdin(Stdio::null())
        .status();
    let holds = status.is_ok_and(|status| status.success());
    let verdict = if holds { "holds" } else { "BROKEN" };
    eprintln!("fuzz: {target} {verdict} after {:.0} s", start.elapsed().as_secs_f64());
    holds
}

fn cargo(root: &Path, folder_name: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root).stdin(Stdio::null()).env("CARGO_TARGET_DIR", folder(root, folder_name));
    command
}

fn folder(root: &Path, name: &str) -> PathBuf {
    root.join("target/fuzz").join(name)
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("fuzz: {why}");
    ExitCode::from(2)
}
