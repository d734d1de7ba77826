//! What groups may take has a bound, and within it those that are there go on.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use support::Client;
use support::groups::{
    COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, GROUP_MAX_SIZE_REACHED, INVALID_COMMIT_OFFSET_SIZE,
    UNKNOWN_SERVER_ERROR, assign, commit, commit_request, connect, count, delete, describe, fetch_request, heartbeat,
    join, served, start,
};
use support::workload::{boot, settings_with};
use thalweg_broker::Broker;
use thalweg_messages::delete_topics::DeleteTopicsRequest;
use thalweg_messages::describe_groups::DescribeGroupsRequest;
use thalweg_messages::heartbeat::HeartbeatRequest;
use thalweg_messages::metadata::{MetadataRequest, MetadataRequestTopic};
use thalweg_messages::offset_commit::OffsetCommitRequest;
use thalweg_world::simulated::SimulatedWorld;
use thalweg_world::simulated::disk::Faults;
use thalweg_world::simulated::rng::Chance;
use thalweg_world::{BoxFuture, Offload, World};
use tokio::time::timeout;

const HOUR: Duration = Duration::from_secs(3600);

/// One peer takes all the room that there is for groups. Nobody is added, and those who were there go on; what goes
/// makes room.
#[test]
fn groups_that_are_there_go_on_where_there_is_room_for_no_more() {
    const BYTES: usize = 300_000;
    boot(async {
        let (sim, broker, mut client) = served(1, &[("group.state.bytes", &BYTES.to_string())]).await;
        let joined = join(&mut client, "good", "").await;
        assert_eq!((joined.error_code, assign(&mut client, "good", &joined, 100).await), (0, 0));
        assert_eq!(commit(&mut client, "simple", 0..2, 100).await, [0, 0]);

        // Groups of all four coordinators, until there is no room; then offsets, which take less.
        let mut peer = connect(&sim).await;
        let mut made = 0;
        while join(&mut peer, &format!("bad{made}"), "").await.error_code == 0 {
            made += 1;
            assert!(made < 100, "there is no bound");
        }
        assert_eq!(join(&mut peer, "worse", "").await.error_code, GROUP_MAX_SIZE_REACHED);
        assert!(made > 10, "a bound is shared by all coordinators: {made} groups");
        let mut offsets = 0;
        while commit(&mut peer, "worst", offsets..offsets + 1, 10).await == [0] {
            offsets += 1;
            assert!(offsets < 100, "there is no bound");
        }
        assert_eq!(commit(&mut peer, "worst", offsets..offsets + 1, 10).await, [INVALID_COMMIT_OFFSET_SIZE]);
        let taken = broker.group_state_bytes();
        assert!((BYTES - 3_000..=BYTES).contains(&taken), "{taken} bytes of {BYTES}");

        assert_eq!(heartbeat(&mut client, "good", &joined).await, 0);
        assert_eq!(commit(&mut client, "simple", 0..2, 100).await, [0, 0], "in the place of what was there");
        assert_eq!(commit(&mut client, "simple", 2..3, 400).await, [INVALID_COMMIT_OFFSET_SIZE]);
        assert_eq!(count(&mut client, "simple").await, 2);
        let again = join(&mut client, "good", &joined.member_id).await;
        assert_eq!((again.error_code, assign(&mut client, "good", &again, 100).await), (0, 0));
        assert_eq!(delete(&mut client, "worst").await, 0);
        assert_eq!(commit(&mut client, "simple", 2..3, 400).await, [0]);
        broker.stop().await.unwrap();
    });
}

/// A group that takes far more words to be forgotten than one decision has, and a topic of it: both are gone when that is
/// answered.
#[test]
fn what_goes_piece_by_piece_is_gone_as_a_whole() {
    boot(async {
        let (_sim, broker, mut client) = served(5, &[]).await;
        let group = "g".repeat(32_000);
        let read = async |client: &mut Client| {
            for from in [0, 25, 50, 75] {
                assert_eq!(commit(client, &group, from..from + 25, 0).await, [0; 25]);
            }
            assert_eq!(count(client, &group).await, 100);
        };
        read(&mut client).await;
        assert_eq!(delete(&mut client, &group).await, 0);
        assert_eq!(count(&mut client, &group).await, 0);
        read(&mut client).await;
        let topics =
            DeleteTopicsRequest { topic_names: vec!["t".to_owned()], timeout_ms: 30_000, ..Default::default() };
        assert_eq!(client.call(5, &topics).await.unwrap().responses[0].error_code, 0);
        assert_eq!(count(&mut client, &group).await, 0);
        broker.stop().await.unwrap();
    });
}

/// Each name is said again, with an error or as that of a group that isn't there, and so takes room in the answer.
#[test]
fn names_of_groups_take_room_in_an_answer() {
    boot(async {
        let (_sim, broker, mut client) = served(6, &[]).await;
        let names = |count: usize| (0..count).map(|n| format!("{n:x}")).collect::<Vec<String>>();
        let joined = join(&mut client, "good", "").await;
        assert_eq!(assign(&mut client, "good", &joined, 900_000).await, 0);
        let mut names_and_one = names(10_000);
        names_and_one.push("good".to_owned());
        let told = describe(&mut client, &names_and_one).await;
        assert_eq!((told[0], told[10_000]), (Ok(0), Ok(900_000)), "a large answer");
        let mut nearly_all = names(124_000);
        nearly_all.insert(0, "good".to_owned());
        let told = describe(&mut client, &nearly_all).await;
        assert_eq!(told[0], Err(UNKNOWN_SERVER_ERROR), "the others have left no room for it");
        assert_eq!(told[1], Ok(0));
        let more = DescribeGroupsRequest { groups: names(200_000), ..Default::default() };
        assert!(client.call(5, &more).await.is_err(), "more than any answer has room for");
        broker.stop().await.unwrap();
    });
}

/// What was acknowledged is loaded, however little room there is for it by now.
#[test]
fn what_is_durable_is_loaded_even_past_the_bound() {
    let sim = boot(async {
        let (sim, broker, mut client) = served(2, &[]).await;
        assert_eq!(commit(&mut client, "simple", 0..50, 1000).await, [0; 50]);
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    boot(async {
        let sim = sim.reboot();
        let broker = start(&sim, &[("group.state.bytes", "10000")]).await;
        let mut client = connect(&sim).await;
        // The first question of all finds what was loaded counted.
        assert_eq!(commit(&mut client, "simple", 50..51, 0).await, [INVALID_COMMIT_OFFSET_SIZE]);
        assert_eq!(count(&mut client, "simple").await, 50);
        assert!(broker.group_state_bytes() > 50_000, "what was loaded is counted");
        assert_eq!(commit(&mut client, "simple", 0..50, 1000).await, [0; 50]);
        assert_eq!(commit(&mut client, "simple", 50..51, 0).await, [INVALID_COMMIT_OFFSET_SIZE]);
        assert_eq!(delete(&mut client, "simple").await, 0);
        assert_eq!(commit(&mut client, "simple", 50..51, 0).await, [0]);
        broker.stop().await.unwrap();
    });
}

/// A coordinator that waits for its disk, with a full inbox: a large question to it waits, and nobody else does.
#[test]
fn a_slow_coordinator_holds_up_nobody_but_those_who_ask_it() {
    const COMMITS: usize = 20;
    const QUESTIONS: usize = 300;
    boot(async {
        let (sim, broker, mut client) = served(3, &[("journal.bytes", "1048576")]).await;
        assert_eq!(commit(&mut client, "slow", 0..1, 0).await, [0]);
        let slow = Faults { slow_write: Chance::ALWAYS, slow_write_takes: HOUR..=HOUR, ..Faults::default() };
        sim.disk.set_faults(slow);

        // The journal is full of commits that are on their way, and the coordinator waits for room for the next.
        let mut peers = Vec::new();
        for _ in 0..COMMITS {
            let mut peer = connect(&sim).await;
            peer.send(8, &commit_request("slow", 0..20, 4000)).await.unwrap();
            peers.push(peer);
        }
        for _ in 0..QUESTIONS {
            let mut peer = connect(&sim).await;
            let request = HeartbeatRequest { group_id: "slow".to_owned(), ..HeartbeatRequest::default() };
            peer.send(3, &request).await.unwrap();
            peers.push(peer);
        }
        let mut last = connect(&sim).await;
        last.send(8, &commit_request("slow", 0..20, 4000)).await.unwrap();
        // All of them have been read by now.
        sim.world.clock.sleep(Duration::from_secs(1)).await;

        // Another large request, of somebody else, while all those wait.
        let named = (0..20_000).map(|n| MetadataRequestTopic { name: Some(format!("t{n}")), ..Default::default() });
        let request = MetadataRequest { topics: Some(named.collect()), ..MetadataRequest::default() };
        let answer = timeout(Duration::from_secs(10), client.call(8, &request)).await;
        assert_eq!(answer.expect("not held up").unwrap().topics.len(), 20_000);
        // Its inbox is full, and nobody waits in front of it; a member hears that nothing has ended.
        let answer = timeout(Duration::from_secs(1), last.receive::<OffsetCommitRequest>(8)).await;
        let answer = answer.expect("sent away at once").unwrap().1;
        assert_eq!(answer.topics[0].partitions[0].error_code, COORDINATOR_LOAD_IN_PROGRESS);
        let beat = HeartbeatRequest { group_id: "slow".to_owned(), ..HeartbeatRequest::default() };
        let beat = timeout(Duration::from_secs(1), client.call(3, &beat)).await;
        assert_eq!(beat.expect("not held up").unwrap().error_code, 0);
        let waits = timeout(Duration::from_secs(1), peers[0].receive_bytes()).await;
        assert!(waits.is_err(), "the coordinator is slow, or this says nothing");
        sim.disk.set_faults(Faults::default());
        drop(peers);
        broker.stop().await.unwrap();
    });
}

/// A short question for much: as much as fits is answered, and the client asks for the rest again.
#[test]
fn groups_that_do_not_fit_into_an_answer_are_asked_for_again() {
    const PART: usize = 600_000;
    boot(async {
        let sim = SimulatedWorld::new(4);
        let broker = start(&sim, &[]).await;
        let mut client = connect(&sim).await;
        let mut groups: Vec<String> = (0..80).map(|n| format!("large{n}")).collect();
        for group in &groups {
            let joined = join(&mut client, group, "").await;
            assert_eq!(assign(&mut client, group, &joined, PART).await, 0);
        }
        let mut asked = 0;
        while !groups.is_empty() {
            asked += 1;
            let told = describe(&mut client, &groups).await;
            let fitted = told.iter().take_while(|told| **told == Ok(PART)).count();
            assert!((1..=(32 << 20) / PART).contains(&fitted), "{fitted} of {} groups in an answer", groups.len());
            assert!(told[fitted..].iter().all(|told| *told == Err(COORDINATOR_LOAD_IN_PROGRESS)), "{told:?}");
            groups.drain(..fitted);
        }
        assert_eq!(asked, 2);
        broker.stop().await.unwrap();
    });
}

/// Whoever names a partition twice is answered twice, as by Kafka; but not a hundred thousand times.
#[test]
fn a_partition_that_is_named_very_often_is_not_answered_as_often() {
    boot(async {
        let (_sim, broker, mut client) = served(5, &[]).await;
        assert_eq!(commit(&mut client, "simple", 0..1, 4000).await, [0]);
        let mut times = async |times| {
            let answer = client.call(8, &fetch_request("simple", times)).await.unwrap();
            let found = answer.groups[0].topics.iter().map(|topic| topic.partitions.len()).sum::<usize>();
            (answer.groups[0].error_code, found)
        };
        assert_eq!(times(2).await, (0, 2));
        assert_eq!(times(1_000).await, (0, 1_000));
        assert_eq!(times(100_000).await, (UNKNOWN_SERVER_ERROR, 0));
        assert_eq!(times(1).await, (0, 1));
        broker.stop().await.unwrap();
    });
}

/// Peers that ask for much and read nothing keep the turns of large answers to themselves, and no more than those.
#[test]
fn large_answers_take_turns_and_small_ones_do_not() {
    boot(async {
        let (sim, broker, mut client) = served(6, &[]).await;
        assert_eq!(commit(&mut client, "simple", 0..1, 4000).await, [0]);
        let mut deaf = Vec::new();
        for _ in 0..10 {
            let mut peer = connect(&sim).await;
            peer.send(8, &fetch_request("simple", 5_000)).await.unwrap();
            deaf.push(peer);
        }
        // All of them have been read by now.
        sim.world.clock.sleep(Duration::from_secs(1)).await;
        assert_eq!(broker.large_answers(), 4, "of ten that were asked for");
        let small = timeout(HOUR, client.call(8, &fetch_request("simple", 100))).await;
        assert_eq!(small.expect("not held up").unwrap().groups[0].topics[0].partitions.len(), 100);
        let request = fetch_request("simple", 5_000);
        let mut large = std::pin::pin!(client.call(8, &request));
        assert!(timeout(Duration::from_secs(10), &mut large).await.is_err(), "a turn for whoever asks");
        drop(deaf);
        let large = timeout(HOUR, large).await.expect("a turn").unwrap();
        assert_eq!(large.groups[0].topics[0].partitions.len(), 5_000);
        broker.stop().await.unwrap();
    });
}

/// Counts jobs that are on their way.
struct Counting {
    offload: Arc<dyn Offload>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Offload for Counting {
    fn run(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let running = self.offload.run(job);
        self.most.fetch_max(self.now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        let now = self.now.clone();
        Box::pin(async move {
            running.await;
            now.fetch_sub(1, Ordering::Relaxed);
        })
    }
}

/// Everybody comes back at once after a start, to all coordinators.
#[test]
fn two_coordinators_are_loaded_at_one_time() {
    const GROUPS: usize = 40;
    let settings = [("offsets.topic.num.partitions", "50"), ("offsets.load.buffer.size", "1000")];
    let sim = boot(async {
        let sim = SimulatedWorld::new(7);
        let broker = Broker::start(sim.world.clone(), settings_with(&settings)).await.unwrap();
        let mut client = connect(&sim).await;
        client.create_topic("t", 100).await.unwrap();
        for group in 0..GROUPS {
            for partition in 0..5 {
                let words = 900;
                assert_eq!(commit(&mut client, &format!("g{group}"), partition..partition + 1, words).await, [0]);
            }
        }
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    boot(async {
        let sim = sim.reboot();
        let most = Arc::new(AtomicUsize::new(0));
        let offload = sim.world.offload.clone();
        let counting = Counting { offload, now: Arc::default(), most: most.clone() };
        let world = World { offload: Arc::new(counting), ..sim.world.clone() };
        let broker = Broker::start(world, settings_with(&settings)).await.unwrap();
        let mut peers = Vec::new();
        for _ in 0..GROUPS {
            peers.push(connect(&sim).await);
        }
        most.store(0, Ordering::Relaxed);
        let fetches = peers.iter_mut().enumerate().map(async |(n, peer)| count(peer, &format!("g{n}")).await);
        assert_eq!(join_all(fetches).await, [5; GROUPS]);
        assert_eq!(most.load(Ordering::Relaxed), 2);
        drop(peers);
        broker.stop().await.unwrap();
    });
}

/// The journal is full for longer than anybody waits: what would be stored is refused, and the coordinator still knows
/// what it knew, though nothing of it is stored.
#[test]
fn a_full_journal_takes_nothing_from_a_coordinator() {
    const COMMITS: usize = 20;
    // Of the same coordinator.
    const NEIGHBOUR: &str = "quick";
    boot(async {
        let (sim, broker, mut client) = served(8, &[("journal.bytes", "1048576")]).await;
        // A generation that its leader has not assigned yet is known to this process alone.
        let joined = join(&mut client, "slow", "").await;
        let minute = Duration::from_secs(60);
        let slow = Faults { slow_write: Chance::ALWAYS, slow_write_takes: minute..=minute, ..Faults::default() };
        sim.disk.set_faults(slow);
        let mut peers = Vec::new();
        for _ in 0..COMMITS {
            let mut peer = connect(&sim).await;
            peer.send(8, &commit_request(NEIGHBOUR, 0..20, 4000)).await.unwrap();
            peers.push(peer);
        }
        // Past the time for which a coordinator waits for room.
        sim.world.clock.sleep(Duration::from_secs(30)).await;
        let mut refused = 0;
        for peer in &mut peers {
            if let Ok(answer) = timeout(Duration::from_millis(10), peer.receive::<OffsetCommitRequest>(8)).await {
                let partitions = &answer.unwrap().1.topics[0].partitions;
                assert!(partitions.iter().all(|partition| partition.error_code == COORDINATOR_NOT_AVAILABLE));
                refused += 1;
            }
        }
        assert!((1..COMMITS).contains(&refused), "{refused} commits were refused");
        sim.disk.set_faults(Faults::default());
        assert_eq!(heartbeat(&mut client, "slow", &joined).await, 0, "the generation is known");
        assert_eq!(assign(&mut client, "slow", &joined, 10).await, 0);
        assert_eq!(commit(&mut peers[COMMITS - 1], NEIGHBOUR, 0..20, 4000).await, [0; 20]);
        broker.stop().await.unwrap();
    });
}
