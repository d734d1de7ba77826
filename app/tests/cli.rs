//! The binary as a person meets it: what it prints, where, and how it ends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A folder of its own for one test, empty at its start.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The binary, with nothing of ours in its environment.
fn thalweg(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

fn run(test: &str, arguments: &[&str]) -> Output {
    thalweg(arguments, &folder(test)).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs what can't start; gives its exit code and the complaint, which stands on stderr alone.
fn refusal(mut command: Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    assert_eq!(text(&output.stdout), "");
    (output.status.code(), text(&output.stderr))
}

/// A running broker on a free port.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    banner: String,
    address: String,
}

impl Running {
    fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let mut banner = String::new();
        let address = loop {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let mut log = String::new();
                stderr.read_to_string(&mut log).unwrap();
                panic!("it ended before it was ready: {banner}{log}");
            }
            if let Some(address) = line.strip_prefix("thalweg: ready, Kafka protocol on ") {
                break address.trim_end().to_owned();
            }
            banner.push_str(&line);
        };
        Running { child, stdout, stderr, banner, address }
    }

    fn tell(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; gives the exit code, what stdout got after the ready line, and the log.
    fn end(mut self) -> (Option<i32>, String, String) {
        let (mut rest, mut log) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).unwrap();
        self.stderr.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), rest, log)
    }
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
