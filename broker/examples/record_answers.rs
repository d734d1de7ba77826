//! Asks a real Kafka what it answers, and writes it down as a file of `fixtures/answers`.
//!
//! ```text
//! python3 interop/kafka/kafka.py install && python3 interop/kafka/kafka.py start DIR 19092
//! cargo run -p thalweg-broker --example record_answers -- 127.0.0.1:19092 steps.jsonl
//! ```
//!
//! `steps.jsonl` has lines of that folder (its README), with or without answers; `fixtures/answers/steps.jsonl.gz` is what
//! comes of it.

#[path = "../tests/support/steps.rs"]
#[allow(dead_code, unreachable_pub)]
mod steps;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use steps::{Names, Outcome, PROBE, Step};

/// How long a Kafka may take; what takes longer has no answer.
const PATIENCE: Duration = Duration::from_secs(6);

/// A Kafka answers before its broker knows what its controller has changed, and never says when it does: a while of
/// silence stands for that.
const SETTLING: Duration = Duration::from_secs(1);
const CHANGES: [&str; 3] = ["CreateTopics", "AlterConfigs", "IncrementalAlterConfigs"];

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    stream
}

fn settle(stream: &TcpStream) {
    stream.set_read_timeout(Some(SETTLING)).expect("a time-out");
    let _ = stream.peek(&mut [0]);
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
}

fn receive(stream: &mut TcpStream) -> std::io::Result<Bytes> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame)?;
    Ok(frame.into())
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, steps] = arguments.as_slice() else { panic!("usage: record_answers HOST:PORT STEPS.jsonl") };
    let name = Path::new(steps).file_name().and_then(|name| name.to_str()).expect("a file's name");
    let to = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/answers/{name}.gz"));
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    let mut stream = connect(address);
    let mut names = Names::default();
    for line in std::fs::read_to_string(steps).expect("the steps").lines() {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        assert!(line["restart"].is_null(), "who restarts the broker records what is before and behind it by hand");
        let mut step = Step::read(&line);
        step.resolve(&names);
        stream.write_all(&step.frame()).expect("sent");
        if step.is_silent() {
            let _ = stream.write_all(&PROBE);
        }
        let outcome = match receive(&mut stream) {
            Ok(frame) => step.outcome(&frame, &mut names),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Outcome::Timeout,
            Err(_) => Outcome::Closed,
        };
        if matches!(outcome, Outcome::Timeout | Outcome::Closed) {
            stream = connect(address);
        }
        if CHANGES.iter().any(|api| line["api"] == *api) {
            settle(&stream);
        }
        let fields = line.as_object_mut().expect("an object");
        fields.retain(|field, _| !["response", "outcome"].contains(&field.as_str()));
        let (field, answer) = outcome.json();
        fields.insert(field.to_owned(), answer);
        writeln!(out, "{line}").expect("memory");
    }
    std::fs::write(&to, out.finish().expect("memory")).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
}
