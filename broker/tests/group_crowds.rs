//! Crowds at a coordinator that is slow, or deaf themselves: they hold up nobody else, and nobody is out because of them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![allow(unused_imports, dead_code, reason = "more to come")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::Client;
use support::groups::{
    COORDINATOR_LOAD_IN_PROGRESS, UNKNOWN_SERVER_ERROR, assign, commit, commit_request, connect, count, describe,
    fetch_request, heartbeat, heartbeat_request, join, join_request, start,
};
use support::workload::{boot, settings_with};
use thalweg_broker::Broker;
use thalweg_messages::delete_groups::DeleteGroupsRequest;
use thalweg_messages::delete_topics::DeleteTopicsRequest;
use thalweg_messages::heartbeat::HeartbeatRequest;
use thalweg_messages::list_groups::ListGroupsRequest;
use thalweg_messages::metadata::MetadataRequest;
use thalweg_messages::offset_commit::OffsetCommitRequest;
use thalweg_messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use thalweg_world::simulated::SimulatedWorld;
use thalweg_world::simulated::disk::Faults;
use thalweg_world::simulated::rng::Chance;
use thalweg_world::{BoxFuture, Clock, Offload, World};
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const GROUP_ID_NOT_FOUND: i16 = 69;

/// Each write to the disk takes so long.
fn slow(takes: Duration) -> Faults {
    Faults { slow_write: Chance::ALWAYS, slow_write_takes: takes..=takes, ..Faults::default() }
}

/// Somebody who has nothing to do with groups, and asks for little.
async fn is_served(client: &mut Client) -> bool {
    let request = MetadataRequest { topics: Some(vec![]), ..MetadataRequest::default() };
    timeout(10 * SECOND, client.call(8, &request)).await.is_ok()
}

/// Jobs take long once they are told to, and are counted.
struct Slowly {
    offload: Arc<dyn Offload>,
    clock: Arc<dyn Clock>,
    seconds: AtomicUsize,
    ran: AtomicUsize,
}

impl Slowly {
    fn new(world: &World) -> Arc<Slowly> {
        let (offload, clock) = (world.offload.clone(), world.clock.clone());
        Arc::new(Slowly { offload, clock, seconds: AtomicUsize::new(0), ran: AtomicUsize::new(0) })
    }
}

impl Offload for Slowly {
    fn run(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let takes = Duration::from_secs(self.seconds.load(Ordering::Relaxed) as u64);
        self.ran.fetch_add(1, Ordering::Relaxed);
        let (clock, running) = (self.clock.clone(), self.offload.run(job));
        Box::pin(async move {
            clock.sleep(takes).await;
            running.await;
        })
    }
}

/// A member waits for others as long as they like, and a commit for the disk: their frames are long forgotten.
#[test]
fn what_is_decided_holds_no_frame() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let broker = start(&sim, &[]).await;
        let mut client = connect(&sim).await;
        client.create_topic("t", 100).await.unwrap();
        let joined = join(&mut client, "g", "").await;
        assert_eq!(assign(&mut client, "g", &joined, 10).await, 0);
        let mut peers = Vec::new();
        for _ in 0..20 {
            let mut peer = connect(&sim).await;
            // The member that was here first has yet to come.
            peer.send(3, &join_request("g", "", 30_000)).await.unwrap();
            peers.push(peer);
        }
        sim.world.clock.sleep(SECOND).await;
        assert_eq!(broker.request_bytes(), 0);
        sim.disk.set_faults(slow(HOUR));
        client.send(8, &commit_request("simple", 0..1, 4000)).await.unwrap();
        sim.world.clock.sleep(SECOND).await;
        assert_eq!(broker.request_bytes(), 0);
        sim.disk.set_faults(Faults::default());
        drop(peers);
        broker.stop().await.unwrap();
    });
}

/// Takes all the room that there is for groups.
async fn fill(peer: &mut Client) {
    let mut groups = 0;
    while join(peer, &format!("bad{groups}"), "").await.error_code == 0 {
        groups += 1;
    }
    let mut offsets = 0;
    while commit(peer, "bad", offsets..offsets + 1, 10).await == [0] {
        offsets += 1;
    }
}
