//! What a client knows of the cluster, and for how long.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::time::Duration;

use support::{broker, client, create, story};
use thalweg_wire::PartitionIndex;

const ZERO: PartitionIndex = PartitionIndex(0);

// Else whoever writes to ever new topics would remember them all.
#[test]
fn a_topic_that_nobody_used_for_five_minutes_is_forgotten() {
    story(1, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        let (client, now) = (client(&sim.world), || sim.world.clock.now());
        for topic in ["used", "idle", "new"] {
            create(&sim.world, topic, 1, &[]).await;
        }
        for topic in ["used", "idle"] {
            client.leader(topic, ZERO, now() + Duration::from_secs(10)).await.unwrap();
        }
        sim.world.clock.sleep(Duration::from_secs(200)).await;
        assert!(client.known_leader("used", ZERO).is_some());
        sim.world.clock.sleep(Duration::from_secs(101)).await;
        client.leader("new", ZERO, now() + Duration::from_secs(10)).await.unwrap();
        assert!(client.known_leader("used", ZERO).is_some());
        assert_eq!(client.known_leader("idle", ZERO), None);
        // It comes back.
        client.leader("idle", ZERO, now() + Duration::from_secs(10)).await.unwrap();
    });
}
