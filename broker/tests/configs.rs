//! Settings are looked up and changed over the wire while the broker runs, and stay over a restart.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use support::Client;
use support::configs::{BROKER, TOPIC, describe, shown};
use support::workload::{self, ADDRESS, boot, create};
use thalweg_broker::Broker;
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
                assert_eq!(line.read_only, line.name == "storage.mode", "{}", line.name);
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
