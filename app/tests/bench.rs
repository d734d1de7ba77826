//! `thalweg bench` where somebody has seen enough: figures of what was done, and nothing left behind.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::process::{Child, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use support::{Running, folder, text, thalweg};

/// For verbs that leave nothing: tests beside each other may ask at the same time.
fn anywhere() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn broker(test: &str) -> Running {
    Running::start(thalweg(&["serve", "--listen", "127.0.0.1:0", "--log-level", "off"], &folder(test)))
}

fn begin(test: &str, address: &str, arguments: &[&str]) -> Child {
    let mut command = thalweg(&[&["bench"], arguments, &["-b", address]].concat(), &folder(test));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn json(address: &str, arguments: &[&str]) -> serde_json::Value {
    let output = thalweg(&[arguments, &["-b", address, "-o", "json"]].concat(), anywhere()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// The topics that benchmarks made.
fn grounds(address: &str) -> Vec<String> {
    let topics = json(address, &["topic", "list", "thalweg-bench-*"]);
    topics.as_array().unwrap().iter().map(|topic| topic["name"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the benchmark's topic has so many records.
fn wait_for_records(address: &str, count: u64) {
    loop {
        let Some(topic) = grounds(address).pop() else { continue };
        if json(address, &["topic", "describe", &topic])["records"].as_u64().is_some_and(|records| records >= count) {
            return;
        }
    }
}

fn end(child: Child) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code(), text(&stdout), text(&stderr))
}

#[test]
fn ctrl_c_shows_what_was_measured_until_then_and_deletes_the_topic() {
    let broker = broker("bench-stop-broker");
    for (arguments, records, word) in [
        (&["produce", "--duration", "1h", "--producers", "2"][..], 1000, "records/s"),
        (&["latency", "--duration", "1h", "--rate", "100/s"], 10, "consumed"),
        // All but the first are due much later.
        (&["latency", "--duration", "9h", "--rate", "1/h"], 2, "  due           9\n  sent          1\n"),
    ] {
        let child = begin("bench-stop", &broker.address, arguments);
        wait_for_records(&broker.address, records);
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let (code, figures, complaint) = end(child);
        assert_eq!(code, Some(130), "{complaint}");
        assert!(figures.contains(word) && figures.contains("MILLISECONDS"), "{figures}");
        assert!(complaint.starts_with("thalweg: interrupted before it was done\n"), "{complaint}");
        assert_eq!(grounds(&broker.address), Vec::<String>::new());
    }
}

/// While it fills a topic nothing is measured yet.
#[test]
fn ctrl_c_ends_the_filling_of_a_topic() {
    let broker = broker("bench-fill-broker");
    let child = begin("bench-fill", &broker.address, &["consume", "--records", "1000000000"]);
    wait_for_records(&broker.address, 1000);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let (code, _, complaint) = end(child);
    assert_eq!(code, Some(130), "{complaint}");
    assert_eq!(grounds(&broker.address), Vec::<String>::new());
}

#[test]
fn a_second_ctrl_c_waits_for_nobody_and_names_what_is_left() {
    let broker = broker("bench-twice-broker");
    let mut child = begin("bench-twice", &broker.address, &["produce", "--duration", "1h"]);
    wait_for_records(&broker.address, 1000);
    let topic = grounds(&broker.address).pop().unwrap();
    broker.tell(Signal::STOP);
    while child.try_wait().unwrap().is_none() {
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        std::thread::yield_now();
    }
    broker.tell(Signal::CONT);
    let (code, figures, complaint) = end(child);
    assert_eq!((code, figures.as_str()), (Some(130), ""));
    assert!(complaint.contains(&format!("'thalweg topic delete {topic} --yes' deletes it")), "{complaint}");
}

/// Who sends and who reads look at one clock: nothing is read at once, and nothing before it was due.
#[test]
fn a_record_takes_some_time_until_it_is_read() {
    let broker = broker("bench-latency-broker");
    let figures = json(&broker.address, &["bench", "latency", "--rate", "200/s", "--duration", "100ms"]);
    for which in ["acknowledged_ms", "consumed_ms"] {
        let shares = ["p50", "p99", "p99_9", "max"].map(|share| figures[which][share].as_f64().unwrap());
        assert!(shares[0] > 0.0 && shares.is_sorted(), "{figures}");
    }
}

#[test]
fn figures_that_nobody_reads_end_quietly() {
    let broker = broker("bench-unread-broker");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let arguments = ["bench", "produce", "--records", "10", "-b", &broker.address];
    let output = thalweg(&arguments, &folder("bench-unread")).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    assert_eq!(grounds(&broker.address), Vec::<String>::new());
}
