//! `thalweg produce` where signals, pipes and brokers that don't answer come in.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
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
    let mut command = thalweg(&[&["produce", "orders", "-b", address], arguments].concat(), &folder(test));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn tell(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// How many records the topic has.
fn records(address: &str) -> u64 {
    let described =
        thalweg(&["topic", "describe", "orders", "-b", address, "-o", "json"], anywhere()).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&described.stdout).unwrap();
    told["records"].as_u64().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), text(&output.stderr))
}

/// Reads lines of stderr until one begins like this.
fn wait_for(child: &mut Child, word: &str) -> BufReader<std::process::ChildStderr> {
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with(word) {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended without {word:?}");
    }
    stderr
}

#[test]
fn a_line_is_there_before_stdin_ends_and_ctrl_c_tells_what_is() {
    let broker = broker("interrupt-broker");
    let mut child = begin("interrupt", &broker.address, &["--verbose"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"one\ntwo\nand a line without").unwrap();
    let mut stderr = wait_for(&mut child, "topic orders was not there: it is made");
    while records(&broker.address) < 2 {}
    tell(&child, Signal::INT);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        rest.ends_with("thalweg: interrupted: 2 records are there\n  what stands behind stdin:2 was not sent\n"),
        "{rest}"
    );
    drop(stdin);
}

#[test]
fn records_that_wait_for_their_time_are_not_sent_after_ctrl_c() {
    let broker = broker("paced-broker");
    let mut child = begin("paced", &broker.address, &["--rate", "1/h"]);
    child.stdin.take().unwrap().write_all(b"one\ntwo\nthree\n").unwrap();
    while !has_topic(&broker.address) || records(&broker.address) < 1 {}
    tell(&child, Signal::TERM);
    let (code, complaint) = said(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(130));
    assert!(complaint.contains("1 record is there\n  what stands behind stdin:1 "), "{complaint}");
    assert_eq!(records(&broker.address), 1);
}

fn has_topic(address: &str) -> bool {
    let listed = thalweg(&["topic", "list", "orders", "-b", address, "-o", "json"], anywhere()).output();
    text(&listed.unwrap().stdout).contains("orders")
}

/// Somebody who takes connections and never answers keeps nobody from leaving.
#[test]
fn ctrl_c_ends_what_has_not_begun() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let child = begin("silent", &silent.local_addr().unwrap().to_string(), &[]);
    let _connection = silent.accept().unwrap();
    tell(&child, Signal::INT);
    let (code, complaint) = said(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(130));
    assert!(complaint.starts_with("thalweg: interrupted before it was done\n"), "{complaint}");
}

/// A broker that stops while records are on their way: the first Ctrl-C waits for it, the second doesn't.
#[test]
fn a_second_ctrl_c_waits_for_nobody() {
    let broker = broker("twice-broker");
    let mut child = begin("twice", &broker.address, &["--verbose"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"one\n").unwrap();
    let mut stderr = wait_for(&mut child, "topic orders was not there");
    while records(&broker.address) < 1 {}
    broker.tell(Signal::STOP);
    stdin.write_all(b"two\n").unwrap();
    // Who reads what stands behind the line has handed it on: it is on its way, and will not arrive.
    while unread(&stdin) > 0 {}
    stdin.write_all(b"and a line without").unwrap();
    while unread(&stdin) > 0 {}
    tell(&child, Signal::INT);
    let mut rest = String::new();
    while child.try_wait().unwrap().is_none() {
        tell(&child, Signal::INT);
        std::thread::yield_now();
    }
    stderr.read_to_string(&mut rest).unwrap();
    broker.tell(Signal::CONT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(rest.contains("interrupted: 1 record is there, of 1 nobody knows\n"), "{rest}");
}

/// Bytes that were written to it, and not read yet.
fn unread(stdin: &std::process::ChildStdin) -> u64 {
    rustix::io::ioctl_fionread(stdin).unwrap()
}

/// Nobody knows of a record whose answer didn't come in time, and those behind it would fare alike: they aren't even read.
#[test]
fn who_does_not_answer_in_time_gets_no_more() {
    let broker = broker("hopeless-broker");
    let mut child = begin("hopeless", &broker.address, &["--verbose", "--timeout", "3s"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"one\n").unwrap();
    let mut stderr = wait_for(&mut child, "topic orders was not there");
    while records(&broker.address) < 1 {}
    broker.tell(Signal::STOP);
    stdin.write_all(b"two\n").unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    broker.tell(Signal::CONT);
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(rest.contains("thalweg: 1 record is there, 1 is not\nthalweg: stdin:2: not delivered in time"), "{rest}");
    assert!(rest.ends_with("thalweg: what stands behind stdin:2 was not sent\n"), "{rest}");
}

#[test]
fn a_report_that_nobody_reads_ends_quietly_and_the_records_are_there() {
    let broker = broker("unread-broker");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = thalweg(&["produce", "orders", "-b", &broker.address, "-o", "json"], &folder("unread-produce"));
    let mut child = command.stdin(Stdio::piped()).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"one\n").unwrap();
    assert_eq!(said(&child.wait_with_output().unwrap()), (Some(0), String::new()));
    assert_eq!(records(&broker.address), 1);
}

#[test]
fn files_are_read_one_after_the_other_each_with_its_own_lines() {
    let broker = broker("files-broker");
    let home = folder("files-produce");
    fs::write(home.join("a.jsonl"), "{\"value\":\"1\"}\n{\"value\":\"2\"}").unwrap();
    fs::write(home.join("b.jsonl"), "{\"value\":\"3\"}\n\n{\"value\":4}\n{\"value\":\"5\"}\n").unwrap();
    let arguments = ["produce", "orders", "--json", "a.jsonl", "b.jsonl", "-b", &broker.address];
    let (code, complaint) = said(&thalweg(&arguments, &home).output().unwrap());
    assert_eq!(code, Some(1), "{complaint}");
    assert!(complaint.starts_with("thalweg: b.jsonl:3: invalid type: integer `4`, expected a string"), "{complaint}");
    assert!(complaint.ends_with("thalweg: before it: 3 records are there\n"), "{complaint}");
    assert_eq!(records(&broker.address), 3);
}

/// What is no plain file has no positions to read at.
#[test]
fn whole_files_are_records_and_a_pipe_comes_by_stdin() {
    let broker = broker("whole-broker");
    let home = folder("whole-produce");
    let large = vec![b'\n'; 200 << 10];
    fs::write(home.join("large"), &large).unwrap();
    fs::write(home.join("empty"), "").unwrap();
    let arguments = ["produce", "orders", "--whole", "large", "empty", "-o", "json", "-b", &broker.address];
    let output = thalweg(&arguments, &home).output().unwrap();
    assert_eq!(said(&output), (Some(0), String::new()));
    assert!(
        text(&output.stdout).starts_with("{\"records\":2,\"failed\":0,\"bytes\":204800,"),
        "{}",
        text(&output.stdout)
    );

    let mut command = thalweg(&["produce", "orders", "/dev/stdin", "-b", &broker.address], &home);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdin.take());
    let (code, complaint) = said(&child.wait_with_output().unwrap());
    assert!(complaint.contains("can't read /dev/stdin") && complaint.contains("by stdin"), "{complaint}");
    assert_eq!(code, Some(2));
}

/// A topic that nobody makes is missing, and what was meant is named.
#[test]
fn a_topic_is_not_made_where_the_broker_does_not_make_them() {
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--log-level", "off", "--set", "auto.create.topics.enable=false"];
    let broker = Running::start(thalweg(&arguments, &folder("no-topics-broker")));
    let made = thalweg(&["topic", "create", "ordres", "-b", &broker.address], &folder("no-topics")).output().unwrap();
    assert_eq!(made.status.code(), Some(0));
    let (code, complaint) = said(&begin("no-topics", &broker.address, &[]).wait_with_output().unwrap());
    assert_eq!(code, Some(4));
    assert!(complaint.starts_with("thalweg: topic orders does not exist\n  did you mean ordres?"), "{complaint}");
}
