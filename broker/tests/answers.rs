//! The answers of a real Kafka 4.3.0 to 3,373 requests, held against ours: every version of thirty-nine APIs.
//!
//! `fixtures/answers` has requests and answers as JSON; each file is a story that begins with an empty broker. What we
//! answer otherwise on purpose stands in one table for each file, and each of its lines has to differ.

mod support;

use std::io::{BufRead, BufReader};
use std::ops::RangeInclusive;
use std::path::Path;

use bytes::Bytes;
use flate2::read::GzDecoder;
use serde_json::Value;
use support::Client;
use support::steps::{Names, Outcome, PROBE, Step};
use support::workload::{self, ADDRESS, boot};
use thalweg_broker::Broker;
use thalweg_broker::handlers::SERVED;
use thalweg_world::World;
use thalweg_world::simulated::SimulatedWorld;

fn lines(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/answers/{name}.jsonl.gz"));
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    lines.map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON")).collect()
}

/// Sends a step, and what comes back.
async fn ask(world: &World, connection: &mut Client, step: &Step, names: &mut Names) -> Outcome {
    let mut sent = connection.send_bytes(&step.frame()).await;
    if step.is_silent() && sent.is_ok() {
        sent = connection.send_bytes(&PROBE).await;
    }
    let received: std::io::Result<Bytes> = match sent {
        Ok(()) => connection.receive_bytes().await,
        Err(error) => Err(error),
    };
    match received {
        Ok(frame) => step.outcome(&frame, names),
        Err(_) => {
            *connection = Client::connect(world, ADDRESS).await.expect("a new connection");
            Outcome::Closed
        }
    }
}

/// Goes through a file. The lines where the answer differs, with both.
fn differences(name: &str, settings: &[(&str, &str)]) -> Vec<(String, Outcome, Outcome)> {
    let lines = lines(name);
    let mut sim: Option<SimulatedWorld> = None;
    let mut names = Names::default();
    let mut differences = Vec::new();
    for story in lines.split(|line| !line["restart"].is_null()) {
        sim = Some(boot(async {
            let sim = sim.take().map_or_else(|| SimulatedWorld::new(1), |before| before.reboot());
            let broker = Broker::start(sim.world.clone(), workload::settings_with(settings)).await.expect("a start");
            let mut connection = Client::connect(&sim.world, ADDRESS).await.expect("a connection");
            for line in story {
                let mut step = Step::read(line);
                step.resolve(&names);
                let mut expected = Outcome::read(line);
                keep_only_served(&mut expected);
                let (expected, outcome) = (expected, ask(&sim.world, &mut connection, &step, &mut names).await);
                if outcome != expected {
                    differences.push((step.what, expected, outcome));
                }
            }
            drop(connection);
            broker.stop().await.expect("a clean stop");
            sim
        }));
    }
    differences
}

/// Every line is answered as by Kafka, but for these.
fn check(name: &str, count: usize, settings: &[(&str, &str)], on_purpose: &[String]) {
    assert_eq!(lines(name).len(), count, "lines of {name}");
    let differences = differences(name, settings);
    let mut unexpected = 0;
    for (what, expected, outcome) in &differences {
        if !on_purpose.contains(what) {
            unexpected += 1;
            println!("{name}: {what}");
            show(what, &expected.json().1, &outcome.json().1);
        }
    }
    for what in on_purpose {
        assert!(differences.iter().any(|(other, ..)| other == what), "{name}: {what} is answered as by Kafka now");
    }
    assert_eq!(unexpected, 0, "{name}: lines answered otherwise");
}

/// Leaves out of an answer to ApiVersions what isn't served.
fn keep_only_served(expected: &mut Outcome) {
    let Outcome::Answered(answer) = expected else { return };
    if let Some(Value::Array(listed)) = answer.get_mut("apiKeys") {
        listed.retain(|api| SERVED.iter().any(|served| api["apiKey"] == served.key));
    }
    for features in ["supportedFeatures", "finalizedFeatures"] {
        if let Some(Value::Array(listed)) = answer.get_mut(features) {
            listed.retain(|feature| feature["name"] == "metadata.version");
        }
    }
}

/// Prints where two values differ.
fn show(place: &str, kafka: &Value, here: &Value) {
    match (kafka, here) {
        (Value::Object(left), Value::Object(right)) if left.keys().eq(right.keys()) => {
            left.iter().zip(right).for_each(|((name, kafka), (_, here))| show(&format!("{place}.{name}"), kafka, here));
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            (0..)
                .zip(left.iter().zip(right))
                .for_each(|(at, (kafka, here)): (usize, _)| show(&format!("{place}[{at}]"), kafka, here));
        }
        _ if kafka == here => {}
        _ => println!("  {place}\n    Kafka {kafka}\n    here  {here}"),
    }
}

const KEPT: (&str, &str) = ("log.retention.ms", "-1");

/// The same line at each of these versions.
fn each(versions: RangeInclusive<i16>, whats: &[&str]) -> Vec<String> {
    whats.iter().flat_map(|what| versions.clone().map(move |version| format!("v{version} {what}"))).collect()
}

#[test]
fn metadata() {
    // There the answer says that there is no such topic, and a moment later there is; here it waits for the topic.
    let on_purpose = each(0..=13, &["an unknown topic, to be made"]);
    check("metadata", 152, &[KEPT], &on_purpose);
}

#[test]
fn metadata_where_topics_are_not_made_by_asking() {
    check("metadata-no-creation", 7, &[("auto.create.topics.enable", "false")], &[]);
}

#[test]
fn api_versions() {
    check("api-versions", 25, &[], &[]);
}

#[test]
fn list_offsets() {
    check("list-offsets", 422, &[KEPT], &[]);
}

#[test]
fn fetch() {
    let mut on_purpose = Vec::new();
    for version in [9, 12, 15, 18] {
        // A session's id is drawn at random.
        on_purpose.extend(each(version..=version, &["session 0 epoch 0", "session 5 epoch 0"]));
    }
    // Followers aren't served, so they aren't told who leads.
    on_purpose.extend(each(18..=18, &["replica 0", "replica 1", "replica 2"]));
    check("fetch", 774, &[KEPT], &on_purpose);
}

#[test]
fn produce() {
    // No answer at all; INVALID_RECORD here.
    let mut on_purpose = each(3..=13, &["null records"]);
    // The documented error, until transactions are served.
    on_purpose.extend(each(3..=13, &["a transactional id, plain records"]));
    check("produce", 366, &[KEPT], &on_purpose);
}

#[test]
fn create_topics() {
    // Nothing is cordoned here, so the message doesn't speak of it.
    let mut on_purpose = each(2..=7, &["2 replicas", "32767 replicas"]);
    // A topic is made within one write of the disk or not at all: nobody gives up before.
    on_purpose.extend(each(2..=7, &["time-out 0"]));
    // There, a topic that isn't made has an id.
    on_purpose.extend(each(7..=7, &["only to see"]));
    check("create-topics", 246, &[], &on_purpose);
}

#[test]
fn configs() {
    let mut on_purpose = Vec::new();
    // A sentence about the request, in place of one about client libraries.
    on_purpose.extend(["v1 another kind", "v4 another kind"].map(str::to_owned));
    on_purpose.extend(each(
        0..=1,
        &[
            // UNKNOWN_SERVER_ERROR there.
            "an unknown operation",
            // They need a start here.
            "all brokers, listeners=PLAINTEXT://127.0.0.1:1",
            // Other words; there, with "requirement failed" before them.
            "all brokers, log.retention.ms=0",
            "all brokers, append to a number",
            // Taken there, whatever it means.
            "all brokers, retention.ms=10",
            "all brokers, no.such=1",
            // Groups have no settings here.
            "without a name",
        ],
    ));
    let started = [("log.retention.hours", "100"), ("log.segment.bytes", "536870912")];
    check("configs", 256, &started, &on_purpose);
}

#[test]
fn delete_topics() {
    // A topic is deleted within one write of the disk: nobody gives up before.
    let on_purpose = each(1..=6, &["no time", "negative time", "what time left"]);
    check("delete-topics", 181, &[], &on_purpose);
}

#[test]
fn delete_topics_where_none_is_deleted() {
    check("delete-topics-disabled", 28, &[("delete.topic.enable", "false")], &[]);
}

#[test]
fn create_partitions() {
    // As for topics: they are made, however little time there is.
    let on_purpose = each(0..=3, &["no time", "what came of it"]);
    check("create-partitions", 148, &[], &on_purpose);
}

#[test]
fn describe_topic_partitions() {
    // UNKNOWN_SERVER_ERROR for the whole request there.
    check("describe-topic-partitions", 132, &[], &["an empty name".to_owned()]);
}

#[test]
fn describe_cluster() {
    check("describe-cluster", 27, &[], &[]);
}

#[test]
fn find_coordinator() {
    // A Kafka has groups a moment after it was first asked; here they are there when the answer comes.
    let mut on_purpose = each(0..=1, &["an empty group", "a group"]);
    on_purpose.extend(each(2..=2, &["an empty group"]));
    // The documented error, until transactions are served.
    on_purpose.extend(each(1..=6, &["an empty transactional id", "a transactional id"]));
    check("find-coordinator", 113, &[], &on_purpose);
}

#[test]
fn alter_configs() {
    // Never answered there.
    check("alter-configs", 110, &[], &each(0..=2, &["a resource twice"]));
}

#[test]
fn alter_partition_reassignments() {
    // As for topics: it doesn't take longer.
    check("alter-partition-reassignments", 35, &[], &each(0..=1, &["no time"]));
}

#[test]
fn alter_replica_log_dirs() {
    check("alter-replica-log-dirs", 21, &[], &[]);
}

#[test]
fn describe_client_quotas() {
    check("describe-client-quotas", 28, &[], &[]);
}

#[test]
fn describe_log_dirs() {
    check("describe-log-dirs", 43, &[], &[]);
}

#[test]
fn describe_producers() {
    check("describe-producers", 14, &[], &[]);
}

#[test]
fn describe_quorum() {
    // A voter has its directory from the start, and listens for no other yet.
    check("describe-quorum", 21, &[], &each(2..=2, &["the metadata"]));
}

#[test]
fn describe_transactions() {
    // There, nobody coordinates transactions before somebody was asked for; here there are none.
    check("describe-transactions", 5, &[], &each(0..=0, &["one", "two", "one twice"]));
}

#[test]
fn describe_user_scram_credentials() {
    check("describe-user-scram-credentials", 6, &[], &[]);
}

#[test]
fn elect_leaders() {
    check("elect-leaders", 49, &[], &[]);
}

#[test]
fn list_config_resources() {
    check("list-config-resources", 18, &[], &[]);
}

#[test]
fn list_partition_reassignments() {
    check("list-partition-reassignments", 10, &[], &[]);
}

#[test]
fn list_transactions() {
    // Nothing could match it.
    check("list-transactions", 16, &[], &each(2..=2, &["by a bad pattern"]));
}

#[test]
fn raft_voters() {
    // Refused all the same.
    check("raft-voters", 12, &[], &each(0..=1, &["a voter without an address"]));
}

#[test]
fn security_off() {
    // There is no authorizer, whatever it would say of the request.
    let on_purpose = each(1..=3, &["rules of an unknown permission", "a rule of an unknown kind"]);
    check("security-off", 53, &[], &on_purpose);
}

#[test]
fn unregister_broker() {
    check("unregister-broker", 2, &[], &[]);
}

#[test]
fn update_features() {
    // There is no such feature here.
    check("update-features", 57, &[], &each(0..=2, &["kraft", "kraft down"]));
}
