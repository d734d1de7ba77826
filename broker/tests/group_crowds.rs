//! Crowds at a coordinator that is slow, or deaf themselves: they hold up nobody else, and nobody is out because of them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::Client;
use support::groups::{
    COORDINATOR_LOAD_IN_PROGRESS, UNKNOWN_SERVER_ERROR, assign, commit, commit_request, connect, count, describe,
    fetch_request, heartbeat, heartbeat_request, join, join_request, served, start,
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
    /// Of those that came before these, none is slow.
    from: AtomicUsize,
}

impl Slowly {
    fn new(world: &World) -> Arc<Slowly> {
        let (offload, clock) = (world.offload.clone(), world.clock.clone());
        let (seconds, ran, from) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Slowly { offload, clock, seconds, ran, from })
    }
}

impl Offload for Slowly {
    fn run(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let slow = self.ran.fetch_add(1, Ordering::Relaxed) >= self.from.load(Ordering::Relaxed);
        let takes = Duration::from_secs(if slow { self.seconds.load(Ordering::Relaxed) as u64 } else { 0 });
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
        let (sim, broker, mut client) = served(1, &[]).await;
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

/// More than there is room for in small frames, all of it for one coordinator, which waits for its disk.
#[test]
fn a_crowd_at_a_slow_coordinator_is_sent_away_and_holds_up_nobody() {
    boot(async {
        let (sim, broker, mut client) = served(3, &[("journal.bytes", "1048576")]).await;
        assert_eq!(commit(&mut client, "slow", 0..1, 0).await, [0]);
        let mut peers = Vec::new();
        for _ in 0..320 {
            peers.push(connect(&sim).await);
        }
        sim.disk.set_faults(slow(HOUR));
        for peer in &mut peers {
            let _ = timeout(Duration::from_millis(5), peer.send(8, &commit_request("slow", 0..15, 4000))).await;
        }
        sim.world.clock.sleep(SECOND).await;
        assert!(is_served(&mut client).await);
        assert!(broker.request_bytes() < 8 << 20, "{} bytes", broker.request_bytes());
        let last = timeout(SECOND, peers[319].receive::<OffsetCommitRequest>(8)).await;
        let last = last.expect("sent away at once").unwrap().1;
        assert_eq!(last.topics[0].partitions[0].error_code, COORDINATOR_LOAD_IN_PROGRESS);
        sim.disk.set_faults(Faults::default());
        drop(peers);
        broker.stop().await.unwrap();
    });
}

/// More names of one coordinator's groups than may wait for it at one time: they are asked for a few at a time.
#[test]
fn many_groups_are_deleted_a_few_at_a_time() {
    boot(async {
        let sim = SimulatedWorld::new(4);
        let broker = start(&sim, &[("offsets.topic.num.partitions", "1")]).await;
        let mut client = connect(&sim).await;
        let names = (0..5_000).map(|n| format!("g{n}")).collect();
        let answer = client.call(2, &DeleteGroupsRequest { groups_names: names, ..Default::default() }).await.unwrap();
        assert_eq!(answer.results.len(), 5_000);
        for (n, result) in answer.results.iter().enumerate() {
            assert_eq!((&*result.group_id, result.error_code), (&*format!("g{n}"), GROUP_ID_NOT_FOUND));
        }
        drop(client);
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

/// A durable answer does not wait for a coordinator that is loaded, however many wait for that.
#[test]
fn a_topic_is_deleted_while_a_coordinator_is_loaded() {
    let sim = boot(async {
        let (sim, broker, mut client) = served(9, &[]).await;
        assert_eq!(commit(&mut client, "g", 0..2, 10).await, [0, 0]);
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    boot(async {
        let sim = sim.reboot();
        let slowly = Slowly::new(&sim.world);
        let world = World { offload: slowly.clone(), ..sim.world.clone() };
        let broker = Broker::start(world, settings_with(&[("offsets.topic.num.partitions", "4")])).await.unwrap();
        let mut client = connect(&sim).await;
        let mut peers = Vec::new();
        for _ in 0..300 {
            peers.push(connect(&sim).await);
        }
        slowly.seconds.store(1800, Ordering::Relaxed);
        // The log is opened, which deletions wait for, and then read.
        slowly.from.store(slowly.ran.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        for peer in &mut peers {
            let request = HeartbeatRequest { group_id: "g".to_owned(), ..HeartbeatRequest::default() };
            peer.send(3, &request).await.unwrap();
        }
        sim.world.clock.sleep(SECOND).await;
        slowly.seconds.store(0, Ordering::Relaxed);
        let request = DeleteTopicsRequest { topic_names: vec!["t".to_owned()], ..Default::default() };
        let deleted = timeout(60 * SECOND, client.call(5, &request)).await;
        assert_eq!(deleted.expect("not held up").unwrap().responses[0].error_code, 0);
        sim.world.clock.sleep(HOUR).await;
        assert_eq!(count(&mut connect(&sim).await, "g").await, 0);
        drop((client, peers));
        broker.stop().await.unwrap();
    });
}

/// Whoever asked is gone: what is not read yet stays unread.
#[test]
fn a_stop_reads_no_partitions_that_nobody_asks_for() {
    let settings = [("offsets.topic.num.partitions", "50"), ("offsets.load.buffer.size", "1000")];
    let sim = boot(async {
        let sim = SimulatedWorld::new(7);
        let broker = Broker::start(sim.world.clone(), settings_with(&settings)).await.unwrap();
        let mut client = connect(&sim).await;
        client.create_topic("t", 100).await.unwrap();
        for group in 0..40 {
            for partition in 0..5 {
                assert_eq!(commit(&mut client, &format!("g{group}"), partition..partition + 1, 900).await, [0]);
            }
        }
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    boot(async {
        let sim = sim.reboot();
        let slowly = Slowly::new(&sim.world);
        let world = World { offload: slowly.clone(), ..sim.world.clone() };
        let broker = Broker::start(world, settings_with(&settings)).await.unwrap();
        let mut peers = Vec::new();
        for _ in 0..40 {
            peers.push(connect(&sim).await);
        }
        slowly.seconds.store(10, Ordering::Relaxed);
        for (n, peer) in peers.iter_mut().enumerate() {
            let group = OffsetFetchRequestGroup { group_id: format!("g{n}"), topics: None, ..Default::default() };
            peer.send(8, &OffsetFetchRequest { groups: vec![group], ..Default::default() }).await.unwrap();
        }
        sim.world.clock.sleep(SECOND).await;
        drop(peers);
        let before = slowly.ran.load(Ordering::Relaxed);
        broker.stop().await.unwrap();
        // The stop has a few jobs of its own.
        let more = slowly.ran.load(Ordering::Relaxed) - before;
        assert!(more < 10, "{more} jobs for nobody");
    });
}

/// Four that read nothing, and hundreds that wait for a turn behind them.
#[test]
fn whoever_reads_nothing_has_a_turn_for_a_while_and_holds_up_nobody() {
    boot(async {
        let (sim, broker, mut client) = served(6, &[]).await;
        assert_eq!(commit(&mut client, "simple", 0..1, 1000).await, [0]);
        let mut peers = Vec::new();
        for _ in 0..400 {
            peers.push(connect(&sim).await);
        }
        for peer in &mut peers {
            let _ = timeout(Duration::from_millis(5), peer.send(8, &fetch_request("simple", 15_000))).await;
        }
        assert!(is_served(&mut client).await);
        assert_eq!(broker.large_answers(), 4);
        let last = timeout(20 * SECOND, peers[399].receive::<OffsetFetchRequest>(8)).await;
        let last = last.expect("sent away after a while").unwrap().1;
        assert_eq!(last.groups[0].error_code, COORDINATOR_LOAD_IN_PROGRESS);
        sim.world.clock.sleep(60 * SECOND).await;
        assert_eq!(broker.large_answers(), 0, "who reads nothing is given up");
        let answer = timeout(SECOND, client.call(8, &fetch_request("simple", 15_000))).await;
        assert_eq!(answer.expect("a turn").unwrap().groups[0].error_code, 0);
        drop(peers);
        broker.stop().await.unwrap();
    });
}

/// A list that no answer has room for is not promised for later.
#[test]
fn groups_that_no_list_has_room_for_are_not_to_be_asked_for_again() {
    boot(async {
        let (_sim, broker, mut client) = served(7, &[]).await;
        for n in 0..1_100 {
            assert_eq!(commit(&mut client, &format!("{n:031000}"), 0..1, 0).await, [0]);
        }
        let listed = client.call(4, &ListGroupsRequest::default()).await.unwrap();
        assert_eq!((listed.error_code, listed.groups.len()), (UNKNOWN_SERVER_ERROR, 0));
        drop(client);
        broker.stop().await.unwrap();
    });
}

/// Where there is room for no more, a live member has more to say by now, and its leader more to share out.
#[test]
fn a_full_budget_sends_no_member_away() {
    let named = [("group.state.bytes", "300000")];
    let (sim, member_id) = boot(async {
        let (sim, broker, mut client) = served(1, &named).await;
        let joined = client.call(3, &join_request("good", "", 1500)).await.unwrap();
        assert_eq!(assign(&mut client, "good", &joined, 100).await, 0);
        let mut peer = connect(&sim).await;
        fill(&mut peer).await;
        let again = client.call(3, &join_request("good", &joined.member_id, 4_000)).await.unwrap();
        assert_eq!(again.error_code, 0);
        assert_eq!(assign(&mut client, "good", &again, 5_000).await, 0);
        assert!(broker.group_state_bytes() > 300_000, "the excess is counted");
        drop((client, peer));
        broker.stop().await.unwrap();
        (sim, joined.member_id)
    });
    boot(async {
        let sim = sim.reboot();
        let broker = start(&sim, &named).await;
        let mut client = connect(&sim).await;
        assert_eq!(describe(&mut client, &["good".to_owned()]).await, [Ok(5_000)]);
        let mut peer = connect(&sim).await;
        fill(&mut peer).await;
        let again = client.call(3, &join_request("good", &member_id, 5_000)).await.unwrap();
        assert_eq!(again.error_code, 0);
        assert_eq!(assign(&mut client, "good", &again, 6_000).await, 0);
        drop((client, peer));
        broker.stop().await.unwrap();
    });
}

/// A member sends its next heartbeat when the last was answered: an answer that waited for others' commits would expel it.
#[test]
fn a_heartbeat_is_answered_while_others_records_are_not_durable_yet() {
    boot(async {
        let (sim, broker, mut client) = served(9, &[]).await;
        let mut request = join_request("slow", "", 10);
        request.session_timeout_ms = 6_000;
        let joined = client.call(3, &request).await.unwrap();
        assert_eq!(assign(&mut client, "slow", &joined, 10).await, 0);
        let mut peer = connect(&sim).await;
        sim.disk.set_faults(slow(HOUR));
        // Of the same coordinator.
        peer.send(8, &commit_request("quick", 0..1, 4)).await.unwrap();
        for _ in 0..30 {
            sim.world.clock.sleep(SECOND).await;
            let beat = timeout(SECOND, heartbeat(&mut client, "slow", &joined)).await;
            assert_eq!(beat.expect("answered at once"), 0);
        }
        let mut stranger = heartbeat_request("slow", &joined);
        stranger.generation_id += 1;
        client.send(3, &stranger).await.unwrap();
        let refused = timeout(SECOND, client.receive::<HeartbeatRequest>(3)).await;
        assert!(refused.is_err(), "a refusal waits: {refused:?}");
        assert!(
            timeout(SECOND, peer.receive::<OffsetCommitRequest>(8)).await.is_err(),
            "the commit is not durable yet"
        );
        sim.disk.set_faults(Faults::default());
        drop((client, peer));
        broker.stop().await.unwrap();
    });
}

/// It is heard of each second, but its coordinator waits for its disk, again and again, with others' commits in front.
#[test]
fn a_coordinator_that_waits_for_its_disk_expels_nobody() {
    boot(async {
        let (sim, broker, mut client) = served(8, &[("journal.bytes", "1048576")]).await;
        let mut request = join_request("slow", "", 10);
        request.session_timeout_ms = 6_000;
        let joined = client.call(3, &request).await.unwrap();
        assert_eq!(assign(&mut client, "slow", &joined, 10).await, 0);
        let (mut beats, mut peers) = (Vec::new(), Vec::new());
        for _ in 0..60 {
            beats.push(connect(&sim).await);
        }
        for _ in 0..20 {
            peers.push(connect(&sim).await);
        }
        sim.disk.set_faults(slow(12 * SECOND));
        for peer in &mut peers {
            // Of the same coordinator.
            peer.send(8, &commit_request("quick", 0..20, 4000)).await.unwrap();
        }
        for beat in &mut beats {
            beat.send(3, &heartbeat_request("slow", &joined)).await.unwrap();
            sim.world.clock.sleep(SECOND).await;
        }
        sim.disk.set_faults(Faults::default());
        for beat in &mut beats {
            let answer = timeout(HOUR, beat.receive::<HeartbeatRequest>(3)).await.unwrap().unwrap();
            assert_eq!(answer.1.error_code, 0);
        }
        assert_eq!(heartbeat(&mut client, "slow", &joined).await, 0);
        sim.world.clock.sleep(10 * SECOND).await;
        assert_ne!(heartbeat(&mut client, "slow", &joined).await, 0, "time goes on when it waits no more");
        drop((client, beats, peers));
        broker.stop().await.unwrap();
    });
}
