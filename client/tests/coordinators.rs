//! A member and a coordinator that is written here: it says no, forgets, answers late, or not at all.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use support::coordinator::{BEAT, COMMIT, Coordinator, FIND, Instead, JOIN, LEAVE, PLACES, SYNC};
use support::{body, client, story};
use thalweg_client::group::{Commit, Options};
use thalweg_client::{Admin, Assignor, Client, CommitError, ConsumeError, GroupConsumer, Polled, consumer};
use thalweg_messages::consumer_protocol::{ConsumerProtocolAssignment, assignment, encode};
use thalweg_messages::offset_fetch::OffsetFetchResponse;
use thalweg_wire::{ErrorCode, Offset, PartitionIndex};
use thalweg_world::simulated::SimulatedWorld;

fn eager() -> Options {
    Options { assignors: vec![Assignor::Range], ..Options::of("g") }
}

fn join(client: &Client, group: Options) -> GroupConsumer {
    GroupConsumer::join(client.clone(), group, &consumer::Options::default(), ["t"])
}

/// A member of a group with `t` of so many partitions, with all that there is in its hands.
async fn busy(sim: &SimulatedWorld, partitions: i32, group: Options) -> (Coordinator, GroupConsumer) {
    let coordinator = Coordinator::start(&sim.world, partitions).await;
    let mut member = join(&client(&sim.world), group);
    assert_eq!(assigned(&mut member).await.len(), partitions as usize);
    for _ in 0..partitions {
        assert_eq!(member.records().await.unwrap().next_offset(), Offset(10));
    }
    (coordinator, member)
}

async fn assigned(member: &mut GroupConsumer) -> Vec<(Arc<str>, PartitionIndex)> {
    match member.poll().await.unwrap() {
        Polled::Assigned(partitions) => partitions,
        other => panic!("{other:?}"),
    }
}

async fn lost(member: &mut GroupConsumer) -> usize {
    match member.poll().await.unwrap() {
        Polled::Lost(partitions) => partitions.len(),
        other => panic!("{other:?}"),
    }
}

/// It waits, and is told nothing.
async fn idle(member: &mut GroupConsumer, seconds: u64) {
    let told = tokio::time::timeout(Duration::from_secs(seconds), member.poll()).await;
    assert!(told.is_err(), "{told:?}");
}

fn code(code: ErrorCode) -> Instead {
    Instead::Code(code)
}

#[test]
fn what_is_lost_while_it_is_given_up_is_told_as_lost() {
    story(1, async |sim| {
        let (coordinator, mut member) = busy(&sim, 2, eager()).await;
        coordinator.next(BEAT, [code(ErrorCode::RebalanceInProgress), code(ErrorCode::UnknownMemberId)]);
        sim.world.clock.sleep(Duration::from_secs(10)).await;
        assert_eq!(member.commit().await, Err(CommitError::NotMember));
        assert_eq!(lost(&mut member).await, 2);
        assert_eq!(assigned(&mut member).await.len(), 2, "and given again");
        assert_eq!(coordinator.state().committed.len(), 0);
    });
}

#[test]
fn who_is_forgotten_while_it_gives_up_has_committed_nothing() {
    story(2, async |sim| {
        let (coordinator, mut member) = busy(&sim, 1, Options { auto_commit: None, ..eager() }).await;
        coordinator.next(BEAT, [code(ErrorCode::RebalanceInProgress), code(ErrorCode::UnknownMemberId)]);
        sim.world.clock.sleep(Duration::from_secs(4)).await;
        assert!(matches!(member.poll().await.unwrap(), Polled::Revoked(_)));
        sim.world.clock.sleep(Duration::from_secs(4)).await;
        assert_eq!(member.commit().await, Err(CommitError::NotMember));
    });
}

#[test]
fn who_waits_for_an_open_transaction_joins_when_the_others_do() {
    story(3, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 1).await;
        coordinator.always(PLACES, Some(code(ErrorCode::UnstableOffsetCommit)));
        coordinator.next(BEAT, [code(ErrorCode::RebalanceInProgress)]);
        let mut member = join(&client(&sim.world), eager());
        idle(&mut member, 5).await;
        assert_eq!(coordinator.count(JOIN), 2);
        coordinator.always(PLACES, None);
        assert_eq!(assigned(&mut member).await.len(), 1);
    });
}

#[test]
fn a_generation_that_is_over_costs_partitions_and_not_the_number() {
    for (seed, said, number) in [(4, ErrorCode::IllegalGeneration, "m1"), (5, ErrorCode::UnknownMemberId, "")] {
        for group in [eager(), Options { assignors: vec![Assignor::CooperativeSticky], ..Options::of("g") }] {
            story(seed, async |sim| {
                let (coordinator, mut member) = busy(&sim, 2, group).await;
                coordinator.next(BEAT, [code(said)]);
                sim.world.clock.sleep(Duration::from_secs(4)).await;
                assert_eq!(member.commit().await, Err(CommitError::NotMember));
                assert_eq!(lost(&mut member).await, 2);
                assert_eq!(assigned(&mut member).await.len(), 2);
                let joined = coordinator.state().asked.iter().rfind(|(key, _)| *key == JOIN).cloned();
                assert_eq!(joined, Some((JOIN, number.to_owned())));
            });
        }
    }
}

#[test]
fn who_is_refused_leaves_so_that_nobody_waits_for_it() {
    story(6, async |sim| {
        let (coordinator, mut member) = busy(&sim, 1, eager()).await;
        coordinator.next(BEAT, [code(ErrorCode::GroupAuthorizationFailed)]);
        sim.world.clock.sleep(Duration::from_secs(4)).await;
        assert_eq!(lost(&mut member).await, 1);
        let code = ErrorCode::GroupAuthorizationFailed;
        assert_eq!(member.poll().await.unwrap_err(), ConsumeError::Group { code });
        member.close().await.unwrap();
        assert_eq!(coordinator.state().asked.last(), Some(&(LEAVE, "m1".to_owned())));
    });
}

#[test]
fn who_is_fenced_is_told_so_and_takes_nobody_with_it() {
    story(7, async |sim| {
        let (coordinator, mut member) = busy(&sim, 1, Options { instance: Some("one".to_owned()), ..eager() }).await;
        coordinator.next(BEAT, [code(ErrorCode::FencedInstanceId)]);
        sim.world.clock.sleep(Duration::from_secs(4)).await;
        assert_eq!(lost(&mut member).await, 1);
        let code = ErrorCode::FencedInstanceId;
        assert_eq!(member.poll().await.unwrap_err(), ConsumeError::Group { code });
        assert_eq!(coordinator.count(LEAVE), 0);
    });
}

#[test]
fn what_a_coordinator_can_not_explain_is_asked_again() {
    story(8, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 1).await;
        for key in [FIND, JOIN, SYNC, PLACES, BEAT, COMMIT] {
            coordinator.next(key, [code(ErrorCode::UnknownServerError)]);
        }
        let mut member = join(&client(&sim.world), eager());
        assert_eq!(assigned(&mut member).await.len(), 1);
        member.records().await.unwrap();
        member.commit().await.unwrap();
        idle(&mut member, 10).await;
        assert_eq!(coordinator.state().committed, [(0, 10)].into());
    });
}

#[test]
fn lost_answers_and_coordinators_that_move_cost_time_and_nothing_else() {
    story(9, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 1).await;
        coordinator.next(JOIN, [Instead::LostAnswer, code(ErrorCode::NotCoordinator)]);
        coordinator.next(SYNC, [Instead::LostAnswer, code(ErrorCode::NotCoordinator)]);
        coordinator.next(COMMIT, [Instead::LostAnswer, code(ErrorCode::NotCoordinator)]);
        let mut member = join(&client(&sim.world), eager());
        assert_eq!(assigned(&mut member).await.len(), 1);
        member.records().await.unwrap();
        member.commit().await.unwrap();
        let found = coordinator.count(FIND);
        coordinator.next(BEAT, [code(ErrorCode::NotCoordinator), Instead::LostAnswer]);
        idle(&mut member, 20).await;
        assert!(coordinator.count(FIND) >= found + 2, "it is looked for anew");
        assert_eq!(coordinator.state().committed, [(0, 10)].into());
        member.close().await.unwrap();
    });
}

#[test]
fn a_topic_that_is_missing_is_read_soon_after_it_is_there() {
    story(10, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 1).await;
        let there = coordinator.state().topics.remove("t").unwrap();
        let mut member = join(&client(&sim.world), eager());
        idle(&mut member, 20).await;
        assert_eq!(coordinator.count(JOIN), 1, "nobody is disturbed for it");
        coordinator.state().topics.insert("t".to_owned(), there);
        let given = tokio::time::timeout(Duration::from_secs(10), assigned(&mut member)).await.unwrap();
        assert_eq!(given.len(), 1);
    });
}

#[test]
fn a_broker_that_can_not_tell_of_a_topic_takes_it_from_nobody() {
    story(11, async |sim| {
        let (coordinator, mut member) = busy(&sim, 1, eager()).await;
        coordinator.state().topics.insert("t".to_owned(), Err(ErrorCode::LeaderNotAvailable));
        idle(&mut member, 320).await;
        assert_eq!(coordinator.count(JOIN), 1);
        coordinator.state().topics.insert("t".to_owned(), Ok(2));
        let told = tokio::time::timeout(Duration::from_secs(10), member.poll()).await.unwrap().unwrap();
        assert!(matches!(told, Polled::Revoked(_)), "{told:?}");
        assert_eq!(assigned(&mut member).await.len(), 2, "it has grown");
    });
}

#[test]
fn a_topic_that_may_not_be_read_is_told_and_the_others_are_read() {
    story(12, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 1).await;
        coordinator.state().topics.insert("secret".to_owned(), Err(ErrorCode::TopicAuthorizationFailed));
        let client = client(&sim.world);
        let mut member = GroupConsumer::join(client, eager(), &consumer::Options::default(), ["secret", "t"]);
        let (topic, code) = (Arc::from("secret"), ErrorCode::TopicAuthorizationFailed);
        assert_eq!(member.poll().await.unwrap_err(), ConsumeError::Topic { topic, code });
        assert_eq!(assigned(&mut member).await, [(Arc::from("t"), PartitionIndex(0))]);
        member.records().await.unwrap();
        idle(&mut member, 400).await;
    });
}

fn given(partitions: &[(&str, &[i32])]) -> Bytes {
    let each = |(topic, partitions): &(&str, &[i32])| assignment::TopicPartition {
        topic: (*topic).to_owned(),
        partitions: partitions.iter().map(|index| PartitionIndex(*index)).collect(),
    };
    let assigned_partitions = partitions.iter().map(each).collect();
    encode(&ConsumerProtocolAssignment { assigned_partitions, user_data: None }, 0).unwrap()
}

#[test]
fn what_the_leader_gives_unasked_is_not_taken() {
    story(13, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 2).await;
        coordinator.state().gives = Some(given(&[("other", &[0]), ("t", &[-1, 1, 2, i32::MAX, 1])]));
        let mut member = join(&client(&sim.world), eager());
        assert_eq!(assigned(&mut member).await, [(Arc::from("t"), PartitionIndex(1))]);
    });
}

#[test]
fn who_can_not_read_what_it_is_given_disturbs_the_group_ever_less_and_gives_up() {
    story(14, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 1).await;
        coordinator.state().gives = Some(Bytes::from_static(b"\0"));
        let began = sim.world.clock.now();
        let mut member = join(&client(&sim.world), eager());
        let code = ErrorCode::InconsistentGroupProtocol;
        assert_eq!(member.poll().await.unwrap_err(), ConsumeError::Group { code });
        assert_eq!(coordinator.count(JOIN), 8);
        assert!(sim.world.clock.now().since(began) > Duration::from_secs(3));
        member.close().await.unwrap();
        assert_eq!(coordinator.count(LEAVE), 1);
    });
}

#[test]
fn who_stays_away_gives_nothing_while_it_says_farewell() {
    story(15, async |sim| {
        let group = Options { poll_interval_max: Duration::from_secs(30), auto_commit: None, ..eager() };
        let (coordinator, mut member) = busy(&sim, 1, group).await;
        coordinator.always(LEAVE, Some(Instead::Silence));
        sim.world.clock.sleep(Duration::from_secs(31)).await;
        assert_eq!(coordinator.count(LEAVE), 1);
        assert_eq!(member.assignment(), []);
        assert_eq!(member.commit().await, Err(CommitError::NotMember));
        assert_eq!(lost(&mut member).await, 1);
    });
}

#[test]
fn who_stays_away_while_the_others_share_out_leaves() {
    story(16, async |sim| {
        let group = Options { poll_interval_max: Duration::from_secs(30), ..eager() };
        let (coordinator, mut member) = busy(&sim, 1, group).await;
        coordinator.next(BEAT, [code(ErrorCode::RebalanceInProgress)]);
        sim.world.clock.sleep(Duration::from_secs(31)).await;
        assert_eq!((coordinator.count(LEAVE), coordinator.count(JOIN)), (1, 1));
        assert_eq!(lost(&mut member).await, 1);
        assert_eq!(assigned(&mut member).await.len(), 1);
        assert_eq!(coordinator.state().committed.len(), 0);
    });
}

#[test]
fn a_partition_that_an_answer_leaves_out_is_asked_for_again() {
    story(17, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 1).await;
        coordinator.state().committed.insert(0, 7);
        coordinator.next(PLACES, [Instead::Body(body(&OffsetFetchResponse::default(), 7))]);
        let mut member = join(&client(&sim.world), eager());
        assert_eq!(member.records().await.unwrap().iter().next().unwrap().offset, Offset(7));
    });
}

#[test]
fn whatever_intervals_a_program_asks_for_it_lives() {
    story(18, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 1).await;
        let group = Options {
            poll_interval_max: Duration::MAX,
            heartbeat_interval: Duration::ZERO,
            auto_commit: Some(Duration::ZERO),
            ..eager()
        };
        let mut member = join(&client(&sim.world), group);
        assert_eq!(assigned(&mut member).await.len(), 1);
        member.records().await.unwrap();
        idle(&mut member, 1).await;
        assert!((10..=100).contains(&coordinator.count(BEAT)), "{}", coordinator.count(BEAT));
        assert_eq!(coordinator.state().committed, [(0, 10)].into());
    });
}

#[test]
fn a_topic_that_is_gone_holds_up_no_commit_of_another() {
    story(19, async |sim| {
        let (coordinator, mut member) = busy(&sim, 2, Options { auto_commit: None, ..eager() }).await;
        coordinator.state().refuses.insert(1, ErrorCode::UnknownTopicOrPartition);
        let began = sim.world.clock.now();
        let (topic, partition, code) = (Arc::from("t"), PartitionIndex(1), ErrorCode::UnknownTopicOrPartition);
        assert_eq!(member.commit().await, Err(CommitError::Refused { topic, partition, code }));
        assert!(sim.world.clock.now().since(began) < Duration::from_secs(1));
        assert_eq!(coordinator.state().committed, [(0, 10)].into());
        assert_eq!(coordinator.state().commits, [2, 1, 1], "what is done is done");
    });
}

#[test]
fn what_a_program_commits_is_not_committed_again_behind_it() {
    story(20, async |sim| {
        let (coordinator, mut member) = busy(&sim, 1, eager()).await;
        coordinator.next(COMMIT, [Instead::Late(Duration::from_secs(6))]);
        member.commit().await.unwrap();
        idle(&mut member, 1).await;
        assert_eq!(coordinator.state().commits, [1]);
    });
}

#[test]
fn a_commit_of_many_partitions_goes_in_pieces() {
    story(21, async |sim| {
        let (coordinator, member) = busy(&sim, 1, eager()).await;
        let all: Vec<Commit<'_>> =
            (0..2500).map(|partition| Commit { topic: "t", partition, offset: Offset(1), metadata: "" }).collect();
        member.commit_at(&all).await.unwrap();
        assert_eq!(coordinator.state().commits, [1000, 1000, 500]);
        assert_eq!(coordinator.state().committed.len(), 2500);
    });
}

#[test]
fn a_coordinator_that_goes_silent_while_the_group_comes_together_costs_one_time_out() {
    story(22, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 1).await;
        coordinator.next(SYNC, [Instead::Silence]);
        let mut member = join(&client(&sim.world), eager());
        let given = tokio::time::timeout(Duration::from_secs(35), assigned(&mut member)).await.unwrap();
        assert_eq!(given.len(), 1);
        assert!(coordinator.count(BEAT) >= 8, "it shows that it lives");
    });
}

#[test]
fn a_farewell_takes_no_longer_than_a_request_and_tells_what_is_not_committed() {
    story(23, async |sim| {
        let (coordinator, member) = busy(&sim, 1, eager()).await;
        coordinator.always(COMMIT, Some(Instead::Silence));
        coordinator.always(LEAVE, Some(Instead::Silence));
        let began = sim.world.clock.now();
        let told = member.close().await;
        assert!(matches!(told, Err(CommitError::Client(_))), "{told:?}");
        assert!(sim.world.clock.now().since(began) <= Duration::from_secs(31));
    });
}

#[test]
fn a_farewell_in_the_midst_of_a_rebalance_takes_no_longer() {
    story(24, async |sim| {
        let (coordinator, member) = busy(&sim, 1, eager()).await;
        coordinator.next(BEAT, [code(ErrorCode::RebalanceInProgress)]);
        coordinator.always(COMMIT, Some(code(ErrorCode::RebalanceInProgress)));
        coordinator.always(JOIN, Some(Instead::Silence));
        sim.world.clock.sleep(Duration::from_secs(4)).await;
        let began = sim.world.clock.now();
        assert_eq!(member.close().await, Err(CommitError::NotMember));
        assert!(sim.world.clock.now().since(began) <= Duration::from_secs(31));
    });
}

#[test]
fn who_closes_has_committed_and_left() {
    story(25, async |sim| {
        let (coordinator, member) = busy(&sim, 1, eager()).await;
        member.close().await.unwrap();
        assert_eq!(coordinator.state().committed, [(0, 10)].into());
        assert_eq!(coordinator.state().asked.last(), Some(&(LEAVE, "m1".to_owned())));
    });
}

// Of a static member that leads, and is back: the group keeps what it has (KIP-814).
#[test]
fn a_leader_that_is_told_not_to_share_out_does_not_and_still_looks_after_the_topics() {
    story(26, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 2).await;
        coordinator.state().skips_assignment = true;
        coordinator.state().gives = Some(given(&[("t", &[1])]));
        let mut member = join(&client(&sim.world), eager());
        assert_eq!(assigned(&mut member).await, [(Arc::from("t"), PartitionIndex(1))]);
        member.records().await.unwrap();
        coordinator.state().topics.insert("t".to_owned(), Ok(3));
        let told = tokio::time::timeout(Duration::from_secs(310), member.poll()).await.unwrap().unwrap();
        assert!(matches!(told, Polled::Revoked(_)), "{told:?}");
    });
}

#[test]
fn a_cooperative_member_gives_up_what_it_does_not_want_before_it_joins() {
    story(27, async |sim| {
        let group = Options { assignors: vec![Assignor::CooperativeSticky], ..Options::of("g") };
        let (coordinator, mut member) = busy(&sim, 2, group).await;
        coordinator.state().topics.insert("u".to_owned(), Ok(1));
        member.subscribe(["u"]);
        let Polled::Revoked(gone) = member.poll().await.unwrap() else { panic!("first it is told") };
        assert_eq!(gone.len(), 2);
        assert_eq!(assigned(&mut member).await, [(Arc::from("u"), PartitionIndex(0))]);
        idle(&mut member, 10).await;
        assert_eq!(coordinator.count(JOIN), 2, "nobody has to wait for another round");
    });
}

#[test]
fn an_administrator_waits_for_the_next_coordinator() {
    story(28, async |sim| {
        let coordinator = Coordinator::start(&sim.world, 1).await;
        coordinator.state().names_the_dead = 2;
        assert_eq!(Admin::new(client(&sim.world)).group_offsets("g").await, Ok(Vec::new()));
        assert!(coordinator.count(FIND) >= 3);
    });
}
