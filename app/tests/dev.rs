//! A broker for the length of a test: it says where it is, serves, and ends with whoever started it, leaving nothing.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{folder, text, thalweg};

/// One that says that it is ready.
fn ready(child: &mut Child) -> (Value, BufReader<ChildStdout>) {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    (serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}")), stdout)
}

fn data(said: &Value) -> &Path {
    let data = Path::new(said["data"].as_str().unwrap());
    assert!(data.join("logs").exists());
    data
}

#[test]
fn it_serves_until_its_stdin_ends_and_leaves_nothing() {
    let folder = folder("dev-stdin");
    let mut command = thalweg(&["dev", "--set", "num.partitions=3"], &folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (said, mut stdout) = ready(&mut child);
    assert_eq!(said["pid"].as_u64(), Some(u64::from(child.id())));
    let bootstrap = said["bootstrap"].as_str().unwrap();
    let made = thalweg(&["topic", "create", "orders", "--bootstrap", bootstrap], &folder).output().unwrap();
    assert_eq!(text(&made.stdout), "orders: made, partitions 3, replication factor 1\n");
    let data = data(&said);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "one line is all it says");
    assert!(!data.exists());
}

#[test]
fn it_ends_with_the_process_that_started_it() {
    let folder = folder("dev-parent");
    let program = env!("CARGO_BIN_EXE_thalweg");
    // A shell between: what it started has its stdout, which ends when the last of them has.
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$0\" dev < /dev/null & wait", program]).current_dir(&folder);
    let mut shell = shell.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let (said, mut stdout) = ready(&mut shell);
    let data = data(&said);
    shell.kill().unwrap();
    shell.wait().unwrap();
    stdout.read_to_string(&mut String::new()).unwrap();
    assert!(!data.exists());
}

#[test]
fn a_signal_ends_it_as_well() {
    let mut command = thalweg(&["dev"], &folder("dev-signal"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let (said, _stdout) = ready(&mut child);
    let data = data(&said);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!data.exists());
}
