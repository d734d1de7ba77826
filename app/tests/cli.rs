//! The binary as a person meets it: what it prints, where, and how it ends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use support::{Running, folder, text, thalweg};

fn run(test: &str, arguments: &[&str]) -> Output {
    thalweg(arguments, &folder(test)).output().unwrap()
}

/// Runs what can't start; gives its exit code and the complaint, which stands on stderr alone.
fn refusal(mut command: Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    assert_eq!(text(&output.stdout), "");
    (output.status.code(), text(&output.stderr))
}

#[test]
fn help_tells_what_to_type() {
    let output = run("help", &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("thalweg serve"));

    let output = run("serve-help", &["serve", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    for flag in [
        "--listen",
        "--advertise",
        "--data",
        "--config",
        "--set",
        "--log-format",
        "--log-level",
        "Examples:",
        "Exit codes",
    ] {
        assert!(help.contains(flag), "{flag} in {help}");
    }
}

#[test]
fn version_is_one_line() {
    let output = run("version", &["--version"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), format!("thalweg {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2() {
    for arguments in [
        &[][..],
        &["swim"],
        &["serve", "--lsten", "a:1"],
        &["serve", "--set", "num.partitions"],
        &["serve", "--set", "=1"],
        &["serve", "--log-format", "xml"],
        &["serve", "--log-level", "loud"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--data", "a,b"],
    ] {
        let (code, complaint) = refusal(thalweg(arguments, &folder("usage")));
        assert_eq!(code, Some(2), "{arguments:?}: {complaint}");
        assert!(!complaint.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_misspelt_flag_is_answered_with_the_one_that_was_meant() {
    let (_, complaint) = refusal(thalweg(&["serve", "--lsten", "a:1"], &folder("suggestion")));
    assert!(complaint.contains("--listen"), "{complaint}");
}

#[test]
fn a_bad_value_is_named_with_its_place() {
    let (code, complaint) = refusal(thalweg(&["serve", "--set", "num.partitions=many"], &folder("bad-set")));
    assert_eq!(code, Some(2));
    assert_eq!(
        complaint,
        "thalweg: --set: Invalid value many for configuration num.partitions: Not a number of type INT\n"
    );

    let folder = folder("bad-file");
    fs::write(folder.join("server.properties"), "# ours\nlog.segment.bytes=100\nlisteners=SSL://:9092\n").unwrap();
    let (code, complaint) = refusal(thalweg(&["serve", "--config", "server.properties"], &folder));
    assert_eq!(code, Some(2));
    assert!(complaint.contains("server.properties, line 2: Invalid value 100"), "{complaint}");
    assert!(complaint.contains("server.properties, line 3: listener SSL"), "{complaint}");

    let mut command = thalweg(&["serve"], &folder);
    command.env("THALWEG_NUM_PARTITIONS", "0");
    let (code, complaint) = refusal(command);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("THALWEG_NUM_PARTITIONS: Invalid value 0"), "{complaint}");
}

#[test]
fn a_file_that_can_not_be_read_is_named() {
    let folder = folder("no-file");
    fs::write(folder.join("broken.properties"), "a=1\nb=\\u12\n").unwrap();
    for (file, why) in [("missing.properties", "No such file"), ("broken.properties", "line 2"), (".", "directory")] {
        let (code, complaint) = refusal(thalweg(&["serve", "--config", file], &folder));
        assert_eq!(code, Some(2), "{complaint}");
        assert!(complaint.contains(file) && complaint.contains(why), "{complaint}");
    }
}

#[test]
fn everywhere_can_not_be_advertised() {
    let (code, complaint) = refusal(thalweg(&["serve", "--listen", "0.0.0.0:0"], &folder("everywhere")));
    assert_eq!(code, Some(2));
    assert!(complaint.contains("--advertise"), "{complaint}");
}

#[test]
fn a_port_that_is_taken_ends_with_1_and_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, complaint) = refusal(thalweg(&["serve", "--listen", &address, "--log-level", "off"], &folder("taken")));
    assert_eq!(code, Some(1), "{complaint}");
    assert!(complaint.contains(&address) && complaint.contains("--listen"), "{complaint}");
}

/// The ready line is the last word on stdout and true: who reads it can connect.
#[test]
fn a_broker_says_when_it_is_ready_and_ends_cleanly_when_told() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = folder("ready");
        let running = Running::start(thalweg(&["serve", "--listen", "127.0.0.1:0"], &folder));
        TcpStream::connect(&running.address).unwrap();
        let data = folder.join("thalweg-data/logs");
        for part in [env!("CARGO_PKG_VERSION"), &running.address, data.to_str().unwrap(), "kcat -b", "durable by"] {
            assert!(running.banner.contains(part), "{part} in {}", running.banner);
        }
        running.tell(signal);
        let (code, rest, log) = running.end();
        assert_eq!((code, rest.as_str()), (Some(0), ""), "{log}");
        assert!(!log.contains('\u{1b}'), "no colours where there is no terminal: {log}");
    }
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let folder = folder("layers");
    fs::write(folder.join("p"), "listeners=127.0.0.1:1\nlog.dirs=/from/file\nmetadata.log.dir=/from/file\n").unwrap();
    let mut command = thalweg(&["serve", "--config", "p", "--listen", "127.0.0.1:0"], &folder);
    command.env("THALWEG_DATA", "from-environment").env("THALWEG_LISTEN", "127.0.0.1:2");
    let running = Running::start(command);
    let data = folder.join("from-environment");
    assert!(running.banner.contains(data.join("logs").to_str().unwrap()), "{}", running.banner);
    assert!(running.banner.contains(data.join("quorum").to_str().unwrap()), "{}", running.banner);
    running.tell(Signal::TERM);
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn a_setting_that_nobody_knows_is_warned_about_and_a_json_log_is_json() {
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--set", "no.such=1", "--log-format", "json", "--log-level", "info"];
    let running = Running::start(thalweg(&arguments, &folder("json")));
    running.tell(Signal::TERM);
    let (code, _, log) = running.end();
    assert_eq!(code, Some(0));
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let warned =
        lines.iter().any(|line| line["level"] == "WARN" && line["message"].as_str().unwrap().contains("no.such"));
    assert!(warned, "{log}");
}

#[test]
fn every_verb_has_a_manual_page() {
    let folder = folder("manual");
    let output = thalweg(&["man", "--dir", "."], &folder).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for page in ["thalweg.1", "thalweg-serve.1", "thalweg-topic-create.1", "thalweg-config-set-brokers.1"] {
        assert!(folder.join(page).exists(), "{page}");
    }
}

/// `thalweg ... | head` has seen enough: that is no failure.
#[test]
fn a_verb_whose_stdout_nobody_reads_ends_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    for arguments in [&["completions", "bash"][..], &["man"], &["--help"]] {
        let mut command = thalweg(arguments, &folder("unread"));
        let output = command.stdout(writer.try_clone().unwrap()).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_verb_ends_at_ctrl_c_and_says_what_that_means() {
    // Somebody who takes connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let mut command = thalweg(&["topic", "list", "--bootstrap", &address], &folder("interrupted"));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _connection = silent.accept().unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(130), ""));
    let complaint = text(&output.stderr);
    assert!(complaint.starts_with("thalweg: interrupted before it was done\n  what"), "{complaint}");
}

#[test]
fn a_verb_waits_no_longer_than_it_was_told() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let (code, complaint) =
        refusal(thalweg(&["topic", "list", "--bootstrap", &address, "--timeout", "50ms"], &folder("late")));
    assert_eq!(code, Some(3), "{complaint}");
    assert!(complaint.contains("answer"), "{complaint}");
}

/// `thalweg serve | head -1` must leave a running broker.
#[test]
fn a_stdout_that_nobody_reads_does_not_end_the_broker() {
    let mut command = thalweg(&["serve", "--listen", "127.0.0.1:0"], &folder("pipe"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(" ready ") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended before it was ready");
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
