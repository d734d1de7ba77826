//! What the command says, as a person at a terminal sees it: the files in `app/tests/transcripts`, typed at a broker of ours
//! and at a real Kafka. `support/script.rs` says how to read them.
//!
//! `UPDATE_TRANSCRIPTS=1 cargo test -p thalweg --test transcripts` writes down what is said now: look at the difference.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use support::kafka::Kafka;
use support::script::{Broker, Piece, Script, Step};
use support::stage::Stage;
use support::{Running, folder, thalweg};

/// What every transcript says of where the broker is.
const ADDRESS: &str = "127.0.0.1:9092";

/// How long a real Kafka may take until all its parts know of a change that it has answered.
const KNOWN_WITHIN: Duration = Duration::from_secs(20);

/// Verbs that only look: they may look again.
const LOOKS: &[[&str; 2]] = &[
    ["topic", "list"],
    ["topic", "describe"],
    ["config", "get"],
    ["cluster", "status"],
    ["group", "list"],
    ["group", "describe"],
];

#[test]
fn the_command_line() {
    on_a_broker_of_ours("command-line");
}

#[test]
fn topics() {
    on_a_broker_of_ours("topic");
}

#[test]
fn settings() {
    on_a_broker_of_ours("config");
}

#[test]
fn reading() {
    on_a_broker_of_ours("consume");
}

#[test]
fn the_cluster() {
    on_a_broker_of_ours("cluster");
}

#[test]
fn groups() {
    on_a_broker_of_ours("group");
}

#[test]
fn files_shown() {
    on_a_broker_of_ours("dump");
}

#[test]
fn files_looked_over() {
    on_a_broker_of_ours("verify");
}

#[test]
fn a_broker_for_a_test() {
    on_a_broker_of_ours("dev");
}

#[test]
fn writing() {
    on_a_broker_of_ours("produce");
}

#[test]
fn benchmarks() {
    on_a_broker_of_ours("bench");
}

#[test]
fn the_tour_of_the_readme() {
    plays_on_a_broker_of_ours("readme", &readme());
}

/// A transcript that no test runs would hold nothing.
#[test]
fn every_transcript_is_run() {
    let own = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts.rs")).unwrap();
    for name in all() {
        assert!(own.contains(&format!("on_a_broker_of_ours(\"{name}\")")), "{name}");
    }
}

/// The same words from the same verbs, whoever's broker it is.
#[test]
fn a_real_kafka_is_told_of_in_the_same_words() {
    let home = folder("transcripts-kafka");
    let Some(kafka) = Kafka::start(home.join("broker")) else { return };
    let mut differences = String::new();
    for path in all().iter().map(|name| path(name)).chain([readme()]) {
        let scene = Scene::at(&kafka.address, Broker::Kafka, home.clone());
        differences += &scene.play(&path);
        scene.sweep();
    }
    assert!(differences.is_empty(), "{differences}");
}

fn all() -> Vec<String> {
    let files = fs::read_dir(path("").parent().unwrap()).unwrap().map(|file| file.unwrap().path());
    let mut names: Vec<String> = files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(format!("{name}.md"))
}

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")
}

fn on_a_broker_of_ours(name: &str) {
    plays_on_a_broker_of_ours(name, &path(name));
}

fn plays_on_a_broker_of_ours(name: &str, path: &Path) {
    let folder = folder(&format!("transcript-{name}"));
    let broker = Running::start(thalweg(&["serve", "--listen", "127.0.0.1:0", "--log-level", "warn"], &folder));
    let differences = Scene::at(&broker.address, Broker::Thalweg, folder).play(path);
    assert!(differences.is_empty(), "{differences}");
}

/// A terminal, and the broker at the other end.
struct Scene {
    address: String,
    broker: Broker,
    folder: PathBuf,
}

impl Scene {
    fn at(address: &str, broker: Broker, folder: PathBuf) -> Scene {
        Scene { address: address.to_owned(), broker, folder }
    }

    /// Types it all; what differs from what was expected.
    fn play(&self, path: &Path) -> String {
        let is_update = std::env::var_os("UPDATE_TRANSCRIPTS").is_some_and(|word| word == "1");
        let text = fs::read_to_string(path).unwrap();
        let mut script = Script::parse(&text);
        let mut stage = Stage::at(&self.address, &self.folder);
        let mut differences = String::new();
        for piece in &mut script.pieces {
            let Piece::Step(step) = piece else { continue };
            if step.only.is_some_and(|only| only != self.broker) {
                continue;
            }
            if step.is_direction {
                stage.direct(&step.words());
                continue;
            }
            let said = self.say(step);
            if is_update && self.broker == Broker::Thalweg {
                step.update(&said);
            } else if !step.fits(&said) {
                let Step { line, typed, expected, .. } = step;
                let (expected, said) = (expected.join("\n"), said.join("\n"));
                let place = format!("{}:{line}, on {:?}", path.display(), self.broker);
                differences += &format!("{place}: $ {typed}\n--- expected\n{expected}\n--- said\n{said}\n\n");
            }
        }
        if script.render() != text {
            fs::write(path, script.render()).unwrap();
        }
        differences
    }

    /// What is printed. A real Kafka is asked again for what is only looked at: its controller answers before its broker knows.
    fn say(&self, step: &Step) -> Vec<String> {
        let began = Instant::now();
        let words = step.words();
        let is_look = LOOKS.iter().any(|look| words.get(1..3).is_some_and(|verb| verb == look.as_slice()));
        loop {
            let said = self.type_in(step, &words);
            if !is_look || self.broker == Broker::Thalweg || step.fits(&said) || began.elapsed() > KNOWN_WITHIN {
                return said;
            }
        }
    }

    fn type_in(&self, step: &Step, words: &[String]) -> Vec<String> {
        let [program, arguments @ ..] = words else { panic!("line {}: nothing is typed", step.line) };
        assert_eq!(program, "thalweg", "line {}", step.line);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = thalweg(&arguments, &self.folder);
        let (mut from, into) = std::io::pipe().unwrap();
        command.env("THALWEG_BOOTSTRAP", &self.address);
        command.stdin(Stdio::piped()).stdout(into.try_clone().unwrap()).stderr(into);
        let mut child = command.spawn().unwrap();
        // Its ends of the pipe are the child's alone from here on: it is read until the child has closed them.
        drop(command);
        let given = step.stdin.iter().flat_map(|(_, lines)| lines).map(|line| format!("{line}\n")).collect::<String>();
        // One that doesn't read has ended already.
        let _unread = child.stdin.take().unwrap().write_all(given.as_bytes());
        let mut said = String::new();
        from.read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();
        let said = said.replace(&self.address, ADDRESS);
        let mut lines: Vec<String> = said.lines().map(|line| line.trim_end().to_owned()).collect();
        match status.code() {
            Some(0) => {}
            Some(code) => lines.push(format!("[exit {code}]")),
            None => lines.push(format!("[{status}]")),
        }
        lines
    }

    /// Takes away what a transcript has left: the next finds nothing.
    fn sweep(&self) {
        for noun in ["group", "topic"] {
            let listed = self.json(&[noun, "list"]);
            let names: Vec<&str> = listed.iter().map(|each| each["name"].as_str().unwrap()).collect();
            if !names.is_empty() {
                self.done(&[&[noun, "delete", "--yes"], names.as_slice()].concat());
            }
        }
    }

    fn json(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        let said = self.done(&[arguments, &["--output", "json"]].concat());
        serde_json::from_str(&said).unwrap()
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = thalweg(arguments, &self.folder).env("THALWEG_BOOTSTRAP", &self.address).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", support::text(&output.stderr));
        support::text(&output.stdout)
    }
}
