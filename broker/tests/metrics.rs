//! What a broker counts of itself is what its clients did.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use support::workload::{ADDRESS, boot, settings_with};
use support::{Client, batch, fetch_request, frame_of, produce_request};
use thalweg_broker::Broker;
use thalweg_messages::fetch::FetchRequest;
use thalweg_world::simulated::SimulatedWorld;

/// All measures by their names, without the prefix that they share.
fn measures(broker: &Broker) -> BTreeMap<String, u64> {
    let measures = broker.measures().into_iter().map(|measure| {
        let name = measure.name.strip_prefix("thalweg_").unwrap();
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_{}=\"".contains(&byte));
        assert!(plain, "{name} is no name of Prometheus'");
        (name.to_owned(), measure.value)
    });
    let count = broker.measures().len();
    let named: BTreeMap<_, _> = measures.collect();
    assert_eq!(named.len(), count, "a name is one measure's");
    named
}

#[test]
fn what_clients_do_is_counted() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let settings = settings_with(&[("max.connections", "3"), ("max.connection.creation.rate", "2")]);
        let broker = Broker::start(sim.world.clone(), settings).await.unwrap();
        let connect = async || Client::connect(&sim.world, ADDRESS).await.unwrap();
        let mut client = connect().await;
        client.create_topic("log", 1).await.unwrap();
        let produce = produce_request("log", 0, &batch(&[b"x"]), -1);
        let before = measures(&broker);
        for _ in 0..3 {
            client.produce("log", 0, &batch(&[b"x"])).await.unwrap();
        }
        let after = measures(&broker);
        let grown = |name: &str| after[name] - before[name];
        assert_eq!(grown("requests_total{api=\"Produce\"}"), 3);
        assert_eq!(grown("bytes_in_total"), 3 * frame_of(12, &produce).len() as u64);
        assert!(grown("bytes_out_total") > 3 * 30);

        // A session, and a fetch without one that waits.
        let mut reader = connect().await;
        let mut fetch = FetchRequest { session_epoch: 0, ..fetch_request("log", 0, 3, 1, 0) };
        fetch.session_id = reader.call(12, &fetch).await.unwrap().session_id;
        let waits = FetchRequest { session_epoch: -1, session_id: 0, max_wait_ms: 3_600_000, ..fetch };
        reader.send(12, &waits).await.unwrap();
        // One whose turn is late, one that is one too many, and one that says what is no request.
        let mut wrong = connect().await;
        let one_too_many = connect().await.receive_bytes().await;
        assert!(one_too_many.is_err());
        sim.world.clock.sleep(Duration::from_secs(1)).await;
        wrong.metadata().await.unwrap();
        wrong.send_bytes(&[0, 0, 0, 9, 0, 3, 0, 1, 0, 0, 0, 7, 0]).await.unwrap();
        assert!(wrong.receive_bytes().await.is_err());
        let now = measures(&broker);
        let expected = [
            ("connections_open", 2),
            ("connections_total", 3),
            ("connections_refused_total", 1),
            ("connections_throttled_total", 1),
            ("connections_ended_total", 1),
            ("fetch_sessions", 1),
            ("fetch_session_partitions", 1),
            ("partitions_alive", 1),
            ("large_requests_bytes", 0),
            ("requests_total{api=\"Fetch\"}", 2),
            ("requests_total{api=\"CreateTopics\"}", 1),
            ("requests_total{api=\"Heartbeat\"}", 0),
            ("requests_closed_total{api=\"Produce\"}", 0),
        ];
        for (name, value) in expected {
            assert_eq!(now[name], value, "{name}");
        }
        assert!(now["waiting_fetches_bytes"] > 0);
        let mut cut = frame_of(12, &produce).to_vec();
        cut.truncate(40);
        cut[..4].copy_from_slice(&36u32.to_be_bytes());
        client.send_bytes(&cut).await.unwrap();
        assert!(client.receive_bytes().await.is_err());
        assert_eq!(measures(&broker)["requests_closed_total{api=\"Produce\"}"], 1);
        broker.stop().await.unwrap();
    });
}
