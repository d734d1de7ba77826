//! Groups over the wire, and over crashes: an acknowledged commit is there, and so is a generation.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use support::workload::{ADDRESS, boot, start_with};
use support::{Client, batch, seeds};
use thalweg_messages::delete_groups::DeleteGroupsRequest;
use thalweg_messages::delete_topics::DeleteTopicsRequest;
use thalweg_messages::find_coordinator::FindCoordinatorRequest;
use thalweg_messages::heartbeat::HeartbeatRequest;
use thalweg_messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use thalweg_messages::list_groups::ListGroupsRequest;
use thalweg_messages::offset_commit::{OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use thalweg_messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use thalweg_messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use thalweg_wire::{LeaderEpoch, Offset, PartitionIndex};
use thalweg_world::simulated::disk::Faults;
use thalweg_world::simulated::rng::Chance;
use thalweg_world::simulated::{Rng, SimulatedWorld};

/// Checkpoints come every 256 KiB, and the journal's files are written over.
const JOURNAL_BYTES: u64 = 1 << 20;

const PARTITIONS: i32 = 4;

/// A connection that has looked for the coordinator, as clients do.
async fn connect(sim: &SimulatedWorld) -> io::Result<Client> {
    let mut client = Client::connect(&sim.world, ADDRESS).await?;
    let request = FindCoordinatorRequest { coordinator_keys: vec!["g".to_owned()], ..Default::default() };
    let answer = client.call(4, &request).await?;
    match answer.coordinators[0].error_code {
        0 => Ok(client),
        code => Err(io::Error::other(format!("no coordinator: {code}"))),
    }
}

/// Commits for a group that has no members; the error.
async fn commit(client: &mut Client, group: &str, partition: i32, offset: i64) -> io::Result<i16> {
    let answer = client.call(8, &commit_request(group, partition, offset)).await?;
    Ok(answer.topics[0].partitions[0].error_code)
}

fn commit_request(group: &str, partition: i32, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: PartitionIndex(partition),
        committed_offset: Offset(offset),
        committed_leader_epoch: LeaderEpoch::NONE,
        // Long, so that the log rolls on.
        committed_metadata: Some(format!("{offset:02000}")),
        ..OffsetCommitRequestPartition::default()
    };
    let topic = OffsetCommitRequestTopic { name: "t".to_owned(), partitions: vec![partition], ..Default::default() };
    OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: -1,
        topics: vec![topic],
        ..OffsetCommitRequest::default()
    }
}

/// All that a group has committed.
async fn fetch(client: &mut Client, group: &str) -> BTreeMap<i32, i64> {
    let group = OffsetFetchRequestGroup { group_id: group.to_owned(), topics: None, ..Default::default() };
    let request = OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() };
    let answer = client.call(8, &request).await.unwrap();
    assert_eq!(answer.groups[0].error_code, 0);
    let partitions = answer.groups[0].topics.iter().flat_map(|topic| &topic.partitions);
    let found: BTreeMap<_, _> = partitions
        .inspect(|found| assert_eq!(found.metadata, Some(format!("{:02000}", found.committed_offset.0))))
        .map(|found| (found.partition_index.0, found.committed_offset.0))
        .collect();
    found
}

async fn join(client: &mut Client, member_id: &str) -> io::Result<JoinGroupResponse> {
    let protocol = JoinGroupRequestProtocol {
        name: "range".to_owned(),
        metadata: Bytes::from_static(b"what I want"),
        ..JoinGroupRequestProtocol::default()
    };
    let request = JoinGroupRequest {
        group_id: "members".to_owned(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        member_id: member_id.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol],
        ..JoinGroupRequest::default()
    };
    client.call(4, &request).await
}

const MEMBER_ID_REQUIRED: i16 = 79;

/// The id that a new member is given, and then its place; or the first answer, if that is another error.
async fn enter(client: &mut Client) -> io::Result<JoinGroupResponse> {
    let given = join(client, "").await?;
    if given.error_code != MEMBER_ID_REQUIRED {
        assert_ne!(given.error_code, 0, "a new member is given an id first");
        return Ok(given);
    }
    join(client, &given.member_id).await
}

/// The assignment, or the error.
async fn sync(client: &mut Client, joined: &JoinGroupResponse) -> io::Result<Result<Bytes, i16>> {
    let assignments = joined.members.iter().map(|member| SyncGroupRequestAssignment {
        member_id: member.member_id.clone(),
        assignment: Bytes::from(format!("all for {}", member.member_id)),
        ..SyncGroupRequestAssignment::default()
    });
    let request = SyncGroupRequest {
        group_id: "members".to_owned(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        assignments: assignments.collect(),
        ..SyncGroupRequest::default()
    };
    let answer = client.call(3, &request).await?;
    Ok(if answer.error_code == 0 { Ok(answer.assignment) } else { Err(answer.error_code) })
}

async fn heartbeat(client: &mut Client, joined: &JoinGroupResponse) -> io::Result<i16> {
    let request = HeartbeatRequest {
        group_id: "members".to_owned(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..HeartbeatRequest::default()
    };
    Ok(client.call(3, &request).await?.error_code)
}

/// By partition: the offset whose commit was acknowledged last, and those that were tried since.
type Ledger = BTreeMap<i32, (Option<i64>, Vec<i64>)>;

async fn load(sim: &SimulatedWorld, rng: &mut Rng, ledger: &mut Ledger, next: &mut i64) -> io::Result<()> {
    let mut client = connect(sim).await?;
    for _ in 0..30 {
        let partition = rng.below(PARTITIONS as u64) as i32;
        *next += 1;
        let (acknowledged, tried) = ledger.entry(partition).or_default();
        tried.push(*next);
        match commit(&mut client, "simple", partition, *next).await? {
            0 => (*acknowledged, *tried) = (Some(*next), Vec::new()),
            code => return Err(io::Error::other(format!("error {code}"))),
        }
        if rng.below(3) == 0 {
            client.produce("t", partition, &batch(&[&[b'x'; 20_000]])).await?;
        }
    }
    Ok(())
}

/// A group that commits, and one with a member; the power goes off, again and again.
fn story(seed: u64) -> u64 {
    let mut rng = Rng::new(seed);
    let (mut ledger, mut next) = (Ledger::new(), 0);
    let mut member: Option<JoinGroupResponse> = None;
    let mut sim = boot(async {
        let sim = SimulatedWorld::new(seed);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = connect(&sim).await.unwrap();
        client.create_topic("t", PARTITIONS).await.unwrap();
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    let mut survived = 0;
    for round in 0..8 {
        if rng.below(4) > 0 {
            sim.disk.crash_at(sim.disk.operations() + 20 + rng.below(150));
        }
        sim = boot(async {
            let sim = sim.reboot();
            if let Ok(broker) = start_with(&sim, JOURNAL_BYTES).await {
                let _ = load(&sim, &mut rng, &mut ledger, &mut next).await;
                if member.is_none()
                    && let Ok(mut client) = connect(&sim).await
                    && let Ok(joined) = enter(&mut client).await
                    && joined.error_code == 0
                    && let Ok(Ok(_)) = sync(&mut client, &joined).await
                {
                    // From here on the generation is durable, and the member in it.
                    member = Some(joined);
                }
                if rng.below(2) == 0 {
                    let _ = broker.stop().await;
                }
            }
            sim
        });
        sim.disk.crash();
        sim.disk.forget_orders();
        sim = boot(async {
            let sim = sim.reboot();
            let broker = start_with(&sim, JOURNAL_BYTES).await;
            let broker = broker.unwrap_or_else(|error| panic!("seed {seed}, round {round}: {error}"));
            let mut client = connect(&sim).await.unwrap();
            let found = fetch(&mut client, "simple").await;
            for (partition, (acknowledged, tried)) in &mut ledger {
                let found = found.get(partition).copied();
                let fits = found == *acknowledged || found.is_some_and(|found| tried.contains(&found));
                assert!(fits, "seed {seed}, round {round}, {partition}: {found:?}, not {acknowledged:?} or {tried:?}");
                (*acknowledged, *tried) = (found, Vec::new());
            }
            if let Some(joined) = &member {
                assert_eq!(heartbeat(&mut client, joined).await.unwrap(), 0, "seed {seed}: the member is known");
                let part = sync(&mut client, joined).await.unwrap();
                assert_eq!(part, Ok(Bytes::from(format!("all for {}", joined.member_id))));
                survived += 1;
            }
            drop(client);
            broker.stop().await.unwrap();
            sim
        });
    }
    survived
}

#[test]
fn an_acknowledged_commit_and_a_generation_are_there_after_every_power_cut() {
    let seeds = seeds(10);
    let survived: u64 = (0..seeds).map(story).sum();
    assert!(survived > 2 * seeds, "{survived}: a generation has to outlive crashes for this to say something");
}

#[test]
fn a_group_goes_through_its_life() {
    boot(async {
        let sim = SimulatedWorld::new(1);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut first = connect(&sim).await.unwrap();
        first.create_topic("t", PARTITIONS).await.unwrap();
        let joined = enter(&mut first).await.unwrap();
        assert_eq!((joined.error_code, joined.leader == joined.member_id, joined.members.len()), (0, true, 1));
        assert!(sync(&mut first, &joined).await.unwrap().is_ok());
        assert_eq!(heartbeat(&mut first, &joined).await.unwrap(), 0);

        // A second member comes: the first hears of it, and both join the next generation.
        let mut second = connect(&sim).await.unwrap();
        let given = join(&mut second, "").await.unwrap();
        let entering = async { join(&mut second, &given.member_id).await.unwrap() };
        let following = async {
            while heartbeat(&mut first, &joined).await.unwrap() != 27 {
                sim.world.clock.sleep(Duration::from_millis(10)).await;
            }
            join(&mut first, &joined.member_id).await.unwrap()
        };
        let (entered, followed) = tokio::join!(entering, following);
        assert_eq!((entered.error_code, followed.error_code), (0, 0));
        assert_eq!(entered.generation_id, followed.generation_id);
        assert!(followed.generation_id > joined.generation_id);
        assert_eq!((followed.members.len(), entered.members.len()), (2, 0), "the leader is told who there is");
        let (part, own) = tokio::join!(sync(&mut second, &entered), sync(&mut first, &followed));
        assert_eq!(part.unwrap(), Ok(Bytes::from(format!("all for {}", entered.member_id))));
        assert_eq!(own.unwrap(), Ok(Bytes::from(format!("all for {}", followed.member_id))));
        assert_eq!(heartbeat(&mut first, &joined).await.unwrap(), 22, "ILLEGAL_GENERATION");

        let listed = first.call(4, &ListGroupsRequest::default()).await.unwrap();
        let named: Vec<_> = listed.groups.iter().map(|group| (&*group.group_id, &*group.group_state)).collect();
        assert_eq!(named, [("members", "Stable")]);
        let delete = DeleteGroupsRequest { groups_names: vec!["members".to_owned()], ..Default::default() };
        assert_eq!(first.call(2, &delete).await.unwrap().results[0].error_code, 68, "NON_EMPTY_GROUP");
        // Both fall silent: their session ends, and the group is empty.
        sim.world.clock.sleep(Duration::from_secs(31)).await;
        assert_eq!(first.call(2, &delete).await.unwrap().results[0].error_code, 0);
        assert!(first.call(4, &ListGroupsRequest::default()).await.unwrap().groups.is_empty());
        broker.stop().await.unwrap();
    });
}

/// A member that waits for others doesn't keep the broker from stopping.
#[test]
fn a_stop_sends_those_who_wait_to_look_elsewhere() {
    boot(async {
        let sim = SimulatedWorld::new(2);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut first = connect(&sim).await.unwrap();
        let joined = enter(&mut first).await.unwrap();
        assert!(sync(&mut first, &joined).await.unwrap().is_ok());
        let mut second = connect(&sim).await.unwrap();
        let given = join(&mut second, "").await.unwrap();
        // The first never joins again, so this waits.
        let waiting = async { join(&mut second, &given.member_id).await.unwrap().error_code };
        let stopping = async {
            while heartbeat(&mut first, &joined).await.unwrap() != 27 {
                sim.world.clock.sleep(Duration::from_millis(10)).await;
            }
            drop(first);
            broker.stop().await.unwrap();
        };
        let (code, ()) = tokio::join!(waiting, stopping);
        assert_eq!(code, 16, "NOT_COORDINATOR");
    });
}

/// How a connection ends while an answer on it waits for the disk.
#[derive(Clone, Copy, Debug)]
enum End {
    HalfClosed,
    BadFrame,
    Stop,
}

/// What was stored is not said to be somebody else's affair, however the connection ends before it is durable.
#[test]
fn a_commit_that_waits_for_the_disk_is_answered_when_its_connection_ends() {
    let slow = Duration::from_secs(3);
    for end in [End::HalfClosed, End::BadFrame, End::Stop] {
        boot(async {
            let sim = SimulatedWorld::new(4);
            let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
            let mut client = connect(&sim).await.unwrap();
            client.create_topic("t", PARTITIONS).await.unwrap();
            assert_eq!(commit(&mut client, "g", 0, 1).await.unwrap(), 0);
            sim.disk.set_faults(Faults {
                slow_write: Chance::ALWAYS,
                slow_write_takes: slow..=slow,
                ..Faults::default()
            });
            client.send(8, &commit_request("g", 0, 2)).await.unwrap();
            sim.world.clock.sleep(Duration::from_secs(1)).await;
            let ending = async {
                match end {
                    End::HalfClosed => client.finish_sending().await.unwrap(),
                    End::BadFrame => client.send_bytes(&[0xff; 4]).await.unwrap(),
                    End::Stop => {}
                }
                client.receive::<OffsetCommitRequest>(8).await.unwrap().1
            };
            let stopping = async {
                if let End::Stop = end {
                    broker.stop().await.unwrap();
                }
            };
            let (answer, ()) = tokio::join!(ending, stopping);
            assert_eq!(answer.topics[0].partitions[0].error_code, 0, "{end:?}");
        });
    }
}

/// What a group has read of a topic goes with the topic, whether its coordinator runs or is loaded later.
#[test]
fn a_deleted_topic_is_forgotten_by_its_groups() {
    let delete = async |client: &mut Client| {
        let request = DeleteTopicsRequest {
            topic_names: vec!["t".to_owned()],
            timeout_ms: 30_000,
            ..DeleteTopicsRequest::default()
        };
        assert_eq!(client.call(5, &request).await.unwrap().responses[0].error_code, 0);
        client.create_topic("t", PARTITIONS).await.unwrap();
    };
    let sim = boot(async {
        let sim = SimulatedWorld::new(3);
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = connect(&sim).await.unwrap();
        client.create_topic("t", PARTITIONS).await.unwrap();
        assert_eq!(commit(&mut client, "runs", 1, 7).await.unwrap(), 0);
        delete(&mut client).await;
        assert_eq!(fetch(&mut client, "runs").await, BTreeMap::new());
        assert_eq!(commit(&mut client, "sleeps", 1, 9).await.unwrap(), 0);
        drop(client);
        broker.stop().await.unwrap();
        sim
    });
    boot(async {
        let sim = sim.reboot();
        let broker = start_with(&sim, JOURNAL_BYTES).await.unwrap();
        let mut client = Client::connect(&sim.world, ADDRESS).await.unwrap();
        // Nobody has asked for the group since the start.
        delete(&mut client).await;
        assert_eq!(fetch(&mut client, "sleeps").await, BTreeMap::new());
        broker.stop().await.unwrap();
    });
}
