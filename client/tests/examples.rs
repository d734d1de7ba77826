//! The examples, as a person runs them: against a broker on this machine.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use thalweg_broker::Broker;
use thalweg_broker::settings::{Given, Layers, Origin, Settings, data_directory};

/// Cargo builds examples before it runs tests, beside the folder of these.
fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let example = tests.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(example.exists(), "cargo build -p thalweg-client --examples");
    example
}

async fn broker() -> (Broker, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    let given = |name: &str, value: &str| Given { name: name.to_owned(), value: value.to_owned(), origin: Origin::Set };
    let mut flags = data_directory(folder.to_str().unwrap(), &Origin::Set);
    flags.push(given("listeners", "PLAINTEXT://127.0.0.1:0"));
    flags.push(given("num.partitions", "3"));
    let settings = Settings::new(&Layers { flags, ..Layers::default() }, None).unwrap().0;
    let broker = Broker::start(thalweg_world::real::world().unwrap(), settings).await.unwrap();
    let address = broker.listening()[0].to_string();
    (broker, address)
}

/// Runs an example to its end; what it printed.
fn run(name: &str, arguments: &[&str], given: &str) -> String {
    let mut command = Command::new(example(name));
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{name}");
    String::from_utf8(output.stdout).unwrap()
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_example_writes_the_others_read() {
    let (broker, address) = broker().await;
    let told = tokio::task::spawn_blocking(move || {
        let lines: String = (0..1000).map(|number| format!("line {number:03}\n")).collect();
        let written = run("produce", &[&address, "t"], &lines);
        assert!(written.starts_with("the last line is at"), "{written}");
        assert_eq!(sorted(&run("consume", &[&address, "t"], "")), sorted(&lines));
        assert_eq!(sorted(&run("group", &[&address, "g", "t", "1000"], "")), sorted(&lines));
        run("produce", &[&address, "t"], "one more\n");
        assert_eq!(run("group", &[&address, "g", "t", "1"], ""), "one more\n");
    });
    told.await.unwrap();
    broker.stop().await.unwrap();
}
