//! Settings are looked up and changed over the wire while the broker runs, and stay over a power cut.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::path::Path;

use support::configs::{BROKER, TOPIC, alter, alter_all, alteration, describe, shown};
use support::workload::{self, ADDRESS, boot, create};
use support::{Client, batch};
use thalweg_broker::Broker;
use thalweg_broker::settings::table::{self, Kind};
use thalweg_world::simulated::SimulatedWorld;

/// What a running Kafka 4.3.0 says of a topic that nobody has configured (kafka-surface, chapter 6).
const DEFAULTS: &str = "cleanup.policy=delete compression.gzip.level=-1 compression.lz4.level=9 compression.type=producer \
    compression.zstd.level=3 delete.retention.ms=86400000 file.delete.delay.ms=60000 flush.messages=9223372036854775807 \
    flush.mode=sync flush.ms=9223372036854775807 follower.replication.throttled.replicas= index.interval.bytes=4096 \
    leader.replication.throttled.replicas= local.retention.bytes=-2 local.retention.ms=-2 \
    max.compaction.lag.ms=9223372036854775807 max.message.bytes=1048588 message.timestamp.after.max.ms=3600000 \
    message.timestamp.before.max.ms=9223372036854775807 message.timestamp.type=CreateTime min.cleanable.dirty.ratio=0.5 \
    min.compaction.lag.ms=0 min.insync.replicas=1 preallocate=false remote.log.copy.disable=false \
    remote.log.delete.on.disable=false remote.storage.enable=false retention.bytes=-1 retention.ms=604800000 \
    segment.bytes=1073741824 segment.index.bytes=10485760 segment.jitter.ms=0 segment.ms=604800000 storage.mode=disk \
    unclean.leader.election.enable=false";

/// Runs a story against a broker with these settings.
fn with_broker<F: Future<Output = ()>>(settings: &[(&str, &str)], story: impl FnOnce(SimulatedWorld, Client) -> F) {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let broker = Broker::start(sim.world.clone(), workload::settings_with(settings)).await.unwrap();
        let client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        story(sim, client).await;
        broker.stop().await.unwrap();
    });
}

/// Two of the 35 are ours: `flush.mode` and `storage.mode`.
#[test]
fn a_topic_that_nobody_has_configured_has_kafkas_defaults() {
    with_broker(&[], |_, mut client| async move {
        create(&mut client, "t", &[]).await.unwrap();
        let described = describe(&mut client, TOPIC, "t", &[]).await;
        let lines: Vec<String> = described
            .configs
            .iter()
            .map(|line| {
                assert_eq!((line.config_source, line.is_sensitive), (5, false), "{}", line.name);
                assert_eq!(
                    line.read_only,
                    ["flush.mode", "storage.mode"].contains(&line.name.as_str()),
                    "{}",
                    line.name
                );
                assert!(line.documentation.as_ref().is_some_and(|about| about.ends_with('.')), "{}", line.name);
                format!("{}={}", line.name, line.value.as_ref().unwrap())
            })
            .collect();
        assert_eq!(lines.join(" "), DEFAULTS);
    });
}

#[test]
fn what_a_broker_was_started_with_is_told_with_its_source_and_secrets_are_not() {
    let given = [("log.retention.hours", "100"), ("ssl.keystore.password", "thalweg"), ("flush.mode", "async")];
    with_broker(&given, |_, mut client| async move {
        let names =
            ["log.retention.hours", "node.id", "num.io.threads", "ssl.keystore.password", "flush.mode", "no.such"];
        assert_eq!(
            shown(&describe(&mut client, BROKER, "1", &names).await),
            "flush.mode=async@4 fixed [flush.mode=async@4 flush.mode=sync@5]\n\
             log.retention.hours=100@4 fixed [log.retention.hours=100@4 log.retention.hours=168@5]\n\
             node.id=1@5 fixed [node.id=1@5]\n\
             num.io.threads=8@5 [num.io.threads=8@5]\n\
             ssl.keystore.password=null@4 secret [ssl.keystore.password=null@4]"
        );
        let everything = describe(&mut client, BROKER, "1", &[]).await;
        assert!(everything.configs.iter().all(|line| line.value.as_deref() != Some("thalweg")));
        assert!(everything.configs.iter().any(|line| line.name == "journal.bytes"));
        assert_eq!(shown(&describe(&mut client, BROKER, "", &[]).await), "");
    });
}

/// Naming a topic a thousand times is answered, and not a thousand times at length.
#[test]
fn an_answer_is_not_many_times_as_large_as_all_there_is_to_say() {
    with_broker(&[], |_, mut client| async move {
        create(&mut client, "t", &[]).await.unwrap();
        let response = support::configs::describe_often(&mut client, TOPIC, "t", 1_000).await.unwrap();
        let (told, refused): (Vec<_>, Vec<_>) = response.results.iter().partition(|result| result.error_code == 0);
        assert_eq!((told.len(), refused.len()), (59, 941));
        assert!(refused.iter().all(|result| result.error_code == 42));
        assert!(support::configs::describe_often(&mut client, TOPIC, "t", 10_002).await.is_err(), "closed");
    });
}

async fn topic(client: &mut Client, keys: &[&str]) -> String {
    shown(&describe(client, TOPIC, "t", keys).await)
}

#[test]
fn what_was_set_is_told_at_once_and_after_a_power_cut() {
    let started = || workload::settings_with(&[("log.segment.bytes", "536870912")]);
    let set = "retention.ms=1000@1 [retention.ms=1000@1 log.retention.ms=60000@3 log.retention.hours=168@5]\n\
               segment.bytes=2097152@1 [segment.bytes=2097152@1 log.segment.bytes=536870912@4 log.segment.bytes=1073741824@5]";
    let keys = ["retention.ms", "segment.bytes"];
    let sim = boot(async {
        let sim = SimulatedWorld::new(1);
        let broker = Broker::start(sim.world.clone(), started()).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        create(&mut client, "t", &[("segment.bytes", "2097152")]).await.unwrap();
        assert_eq!(alter(&mut client, TOPIC, "t", &["retention.ms= 1000 "]).await, "ok");
        assert_eq!(alter(&mut client, BROKER, "", &["log.retention.ms=60000", "max.connections=9"]).await, "ok");
        assert_eq!(alter(&mut client, BROKER, "1", &["max.connections=7"]).await, "ok");
        assert_eq!(topic(&mut client, &keys).await, set);
        drop(broker);
        sim
    });
    sim.disk.crash();
    boot(async {
        let sim = sim.reboot();
        let broker = Broker::start(sim.world.clone(), started()).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        assert_eq!(topic(&mut client, &keys).await, set);
        let others: Vec<Client> = connect_as_often_as_possible(&sim).await;
        assert_eq!(others.len(), 6, "seven connections in all");
        assert_eq!(alter(&mut client, BROKER, "1", &["max.connections="]).await, "ok");
        assert_eq!(connect_as_often_as_possible(&sim).await.len(), 2, "nine");
        drop(others);
        assert_eq!(alter(&mut client, TOPIC, "t", &["retention.ms=", "segment.bytes="]).await, "ok");
        assert_eq!(
            topic(&mut client, &keys).await,
            "retention.ms=60000@3 [log.retention.ms=60000@3 log.retention.hours=168@5]\n\
             segment.bytes=536870912@4 [log.segment.bytes=536870912@4 log.segment.bytes=1073741824@5]"
        );
        drop(client);
        broker.stop().await.unwrap();
    });
}

async fn connect_as_often_as_possible(sim: &SimulatedWorld) -> Vec<Client> {
    let mut clients = Vec::new();
    loop {
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        match client.metadata().await {
            Ok(_) => clients.push(client),
            Err(_) => return clients,
        }
    }
}

#[test]
fn a_list_is_added_to_and_taken_from() {
    with_broker(&[], |_, mut client| async move {
        create(&mut client, "t", &[]).await.unwrap();
        let behind = "log.cleanup.policy=delete@5";
        for (change, policy) in [("+=compact", "delete,compact"), ("-=delete", "compact"), ("-=compact", "")] {
            assert_eq!(alter(&mut client, TOPIC, "t", &[&format!("cleanup.policy{change}")]).await, "ok");
            let expected = format!("cleanup.policy={policy}@1 [cleanup.policy={policy}@1 {behind}]");
            assert_eq!(topic(&mut client, &["cleanup.policy"]).await, expected);
        }
        assert_eq!(
            alter(&mut client, TOPIC, "t", &["retention.ms+=1"]).await,
            "40 Can't APPEND to key retention.ms because its type is not LIST."
        );
    });
}

/// A bad value of each kind that there is, and each name that can't be changed.
/// What no metadata record can hold is refused, and whoever asks next is answered.
#[test]
fn a_list_grows_as_long_as_a_string_of_the_protocol_and_no_longer() {
    with_broker(&[], |_, mut client| async move {
        create(&mut client, "t", &[]).await.unwrap();
        for (kind, resource, key) in
            [(TOPIC, "t", "leader.replication.throttled.replicas"), (BROKER, "1", "metric.reporters")]
        {
            let elements = |from: i32| (from..).map(|number| format!("{}:1", 10_000 + number)).take(3_750);
            let list = |from| elements(from).collect::<Vec<_>>().join(",");
            assert_eq!(alter(&mut client, kind, resource, &[&format!("{key}={}", list(0))]).await, "ok");
            let refusal = alter(&mut client, kind, resource, &[&format!("{key}+={}", list(4_000))]).await;
            assert!(refusal.ends_with("longer than 32767 bytes"), "{refusal}");
            assert_eq!(alter(&mut client, kind, resource, &[&format!("{key}+=20000:1")]).await, "ok");
        }
    });
}

/// The refusal repeats it, and can't be longer than a string of the protocol.
#[test]
fn a_value_as_long_as_a_string_can_be_is_refused_in_an_answer() {
    with_broker(&[], |_, mut client| async move {
        create(&mut client, "t", &[]).await.unwrap();
        let long = "ü".repeat(16_383);
        let refusal = alter(&mut client, TOPIC, "t", &[&format!("retention.ms={long}")]).await;
        assert!(refusal.starts_with("40 Invalid value üüü"), "{refusal:.100}");
        let refusal = describe(&mut client, TOPIC, &long, &[]).await;
        assert_ne!(refusal.error_code, 0);
        assert_eq!(alter(&mut client, TOPIC, "t", &["retention.ms=1000"]).await, "ok");
    });
}

#[test]
fn what_is_bad_is_refused_and_changes_nothing() {
    with_broker(&[], |_, mut client| async move {
        create(&mut client, "t", &[]).await.unwrap();
        let before = topic(&mut client, &[]).await;
        let number = |name: &str, value: &str, reason: &str| {
            (format!("{name}={value}"), format!("40 Invalid value {value} for configuration {name}: {reason}"))
        };
        let all = table::topic().iter();
        let mut cases: Vec<(String, String)> = all
            .filter_map(|setting| match setting.kind {
                Kind::Long => Some(number(setting.name, "x", "Not a number of type LONG")),
                Kind::Int => Some(number(setting.name, "x", "Not a number of type INT")),
                Kind::Double => Some(number(setting.name, "x", "Not a number of type DOUBLE")),
                Kind::Boolean => Some(number(setting.name, "x", "Expected value to be either true or false")),
                _ => None,
            })
            .collect();
        assert_eq!(cases.len(), 28);
        let fixed = |name: &str| format!("40 {name} is fixed when a topic is created and can't be altered");
        cases.extend([
            ("no.such=1".to_owned(), "40 Unknown topic config name: no.such".to_owned()),
            ("flush.mode=async".to_owned(), fixed("flush.mode")),
            (
                "storage.mode=memory".to_owned(),
                "40 storage.mode=memory needs retention.bytes: how many bytes of each partition are kept in memory"
                    .to_owned(),
            ),
            number(
                "compression.type",
                "GZIP",
                "String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer",
            ),
            number("cleanup.policy", "foo", "String must be one of: compact, delete"),
        ]);
        for (change, refusal) in &cases {
            assert_eq!(
                &alter(&mut client, TOPIC, "t", &["message.timestamp.type=LogAppendTime", change]).await,
                refusal,
                "{change}"
            );
        }
        assert_eq!(
            alter(&mut client, TOPIC, "t", &["retention.bytes=5", "storage.mode=memory"]).await,
            fixed("storage.mode")
        );
        let dry = alter_all(&mut client, vec![alteration(TOPIC, "t", &["retention.ms=5"])], true).await;
        assert_eq!(dry, ["ok"]);
        for (name, change, refusal) in [
            ("1", "node.id=4", "42 Cannot update these configs dynamically: [node.id]"),
            ("", "flush.mode=async", "42 Cannot update these configs dynamically: [flush.mode]"),
            ("", "listeners=PLAINTEXT://:1", "42 Cannot update these configs dynamically: [listeners]"),
            ("2", "max.connections=4", "42 Unexpected broker id, expected 1, but received 2"),
            ("x", "max.connections=4", "42 Node id must be an integer, but it is: x"),
        ] {
            assert_eq!(alter(&mut client, BROKER, name, &[change]).await, refusal, "{change}");
        }
        assert_eq!(alter(&mut client, 32, "g", &[]).await, "42 Groups have no settings here.");
        assert_eq!(topic(&mut client, &[]).await, before);
    });
}

/// What a client may send changes with the topic, and with what all topics are told.
#[test]
fn a_topic_that_is_in_use_follows_at_once() {
    with_broker(&[], |_, mut client| async move {
        create(&mut client, "t", &[]).await.unwrap();
        let records = batch(&[&[7; 2_000]]);
        let error_code = async |client: &mut Client| client.produce("t", 0, &records).await.unwrap().error_code;
        assert_eq!(error_code(&mut client).await, 0);
        assert_eq!(alter(&mut client, TOPIC, "t", &["max.message.bytes=1000"]).await, "ok");
        assert_eq!(error_code(&mut client).await, 10, "too large");
        assert_eq!(alter(&mut client, TOPIC, "t", &["max.message.bytes="]).await, "ok");
        assert_eq!(error_code(&mut client).await, 0);
        assert_eq!(alter(&mut client, BROKER, "", &["message.max.bytes=1000"]).await, "ok");
        assert_eq!(error_code(&mut client).await, 10, "too large");
        assert_eq!(alter(&mut client, BROKER, "1", &["message.max.bytes=3000"]).await, "ok");
        assert_eq!(error_code(&mut client).await, 0);
    });
}

#[test]
fn a_topic_in_memory_lets_go_of_what_is_too_much_at_once() {
    with_broker(&[], |_, mut client| async move {
        create(&mut client, "t", &[("storage.mode", "memory"), ("retention.bytes", "100000")]).await.unwrap();
        for _ in 0..20 {
            assert_eq!(client.produce("t", 0, &batch(&[&[7; 2_000]])).await.unwrap().error_code, 0);
        }
        assert_eq!(client.offset_of_time("t", 0, -2).await.unwrap(), 0);
        assert_eq!(alter(&mut client, BROKER, "", &["log.retention.bytes=50000"]).await, "ok");
        assert_eq!(alter(&mut client, TOPIC, "t", &["retention.bytes=10000"]).await, "ok");
        assert_eq!(client.offset_of_time("t", 0, -2).await.unwrap(), 16);
        assert_eq!(client.read_all("t", 0, 16).await.unwrap().len(), 4);

        // It may live by the default, which then can't be taken away.
        assert_eq!(alter(&mut client, TOPIC, "t", &["retention.bytes="]).await, "ok");
        assert_eq!(
            alter(&mut client, BROKER, "", &["log.retention.bytes="]).await,
            "42 The topic 't' can't have these defaults: storage.mode=memory needs retention.bytes: how many bytes of \
             each partition are kept in memory"
        );
    });
}

/// The partition took its rules over when it came to life, and follows.
#[test]
fn segments_roll_by_what_the_topic_says_now() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let broker = Broker::start(sim.world.clone(), workload::settings_with(&[])).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        for name in ["own", "all"] {
            create(&mut client, name, &[]).await.unwrap();
            assert_eq!(client.produce(name, 0, &batch(&[b"alive"])).await.unwrap().error_code, 0);
        }
        assert_eq!(alter(&mut client, TOPIC, "own", &["segment.bytes=1048576"]).await, "ok");
        assert_eq!(alter(&mut client, BROKER, "", &["log.segment.bytes=2097152"]).await, "ok");
        for name in ["own", "all"] {
            for _ in 0..6 {
                assert_eq!(client.produce(name, 0, &batch(&[&[7; 600_000]])).await.unwrap().error_code, 0);
            }
        }
        drop(client);
        broker.stop().await.unwrap();
        let segments = |name: &str| {
            let entries = sim.world.disk.list(Path::new("/data/logs").join(name).as_path()).unwrap();
            entries.iter().filter(|entry| entry.name.to_string_lossy().ends_with(".log")).count()
        };
        assert_eq!((segments("own-0"), segments("all-0")), (6, 2));
    });
}
