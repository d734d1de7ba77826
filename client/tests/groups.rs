//! Members of groups against a simulated broker: all partitions are somebody's, every record is dealt with, and what was
//! dealt with is not given again where nobody died.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::{ADDRESS, broker, client, create, story};
use thalweg_client::admin::Mode;
use thalweg_client::consumer::Reset;
use thalweg_client::group::{Commit, Options};
use thalweg_client::{
    Admin, Assignor, Client, CommitError, ConsumeError, GroupConsumer, Polled, Producer, Record, Start, consumer,
    producer,
};
use thalweg_wire::{ErrorCode, Offset, PartitionIndex};
use thalweg_world::simulated::Rng;

/// Writes numbered values, so many to each partition.
async fn fill(client: &Client, topic: &str, partitions: i32, numbers: std::ops::Range<u32>) {
    let producer = Producer::new(client.clone(), producer::Options::default()).unwrap();
    for number in numbers {
        for partition in 0..partitions {
            let value = format!("{partition}/{number}");
            drop(producer.send(Record::to(topic).partition(partition).value(&value)).await.unwrap());
        }
    }
    producer.close().await;
}

fn join(client: &Client, group: Options) -> GroupConsumer {
    GroupConsumer::join(client.clone(), group, &consumer::Options::default(), ["t"])
}

/// With this way of sharing out alone.
fn by(assignor: Assignor) -> Options {
    Options { assignors: vec![assignor], ..Options::of("g") }
}

/// How often each record was dealt with.
type Seen = Arc<Mutex<BTreeMap<(i32, i64), u32>>>;

/// The next records are dealt with; how many there were.
async fn deal(member: &mut GroupConsumer, seen: &Seen) -> usize {
    let records = member.records().await.unwrap();
    let mut seen = seen.lock().unwrap();
    let offsets = records.iter().map(|record| record.offset.0);
    offsets.map(|offset| *seen.entry((records.partition().0, offset)).or_default() += 1).count()
}

async fn deal_with(member: &mut GroupConsumer, seen: &Seen, count: usize) {
    let mut dealt = 0;
    while dealt < count {
        dealt += deal(member, seen).await;
    }
    assert_eq!(dealt, count);
}

fn each_once(partitions: i32, count: i64) -> BTreeMap<(i32, i64), u32> {
    (0..partitions).flat_map(|partition| (0..count).map(move |offset| ((partition, offset), 1))).collect()
}

fn at(partition: i32, offset: i64) -> Commit<'static> {
    Commit { topic: "t", partition, offset: Offset(offset), metadata: "" }
}

fn indexes(partitions: &[(Arc<str>, PartitionIndex)]) -> Vec<i32> {
    partitions.iter().map(|(_, partition)| partition.0).collect()
}

#[test]
fn a_group_goes_on_where_its_last_member_ended() {
    story(1, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        create(&sim.world, "t", 4, &[]).await;
        let client = client(&sim.world);
        fill(&client, "t", 4, 0..50).await;
        let seen = Seen::default();
        let mut first = join(&client, Options::of("g"));
        deal_with(&mut first, &seen, 200).await;
        assert_eq!(indexes(&first.assignment()), [0, 1, 2, 3]);
        first.close().await.unwrap();

        fill(&client, "t", 4, 50..60).await;
        let mut second = join(&client, Options::of("g"));
        deal_with(&mut second, &seen, 40).await;
        assert_eq!(*seen.lock().unwrap(), each_once(4, 60));
        // Another group has a memory of its own.
        let mut other = join(&client, Options::of("h"));
        deal_with(&mut other, &Seen::default(), 240).await;
    });
}

#[test]
fn what_is_dealt_with_is_committed_now_and_then_and_nothing_else() {
    story(2, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        create(&sim.world, "t", 1, &[]).await;
        let client = client(&sim.world);
        fill(&client, "t", 1, 0..10).await;
        let mut first = join(&client, Options::of("g"));
        let records = first.records().await.unwrap();
        assert_eq!(records.next_offset(), Offset(10));
        // It never asks again: whatever time passes, nobody knows whether it has dealt with them.
        sim.world.clock.sleep(Duration::from_secs(20)).await;
        drop(first);
        let seen = Seen::default();
        let mut second = join(&client, Options::of("g"));
        deal_with(&mut second, &seen, 10).await;
        // It asks again, and dies behind the next time that it commits.
        let asks = tokio::time::timeout(Duration::from_secs(6), second.poll()).await;
        assert!(asks.is_err(), "there is no more: {asks:?}");
        std::mem::forget(second);
        fill(&client, "t", 1, 10..11).await;
        let mut third = join(&client, Options::of("g"));
        deal_with(&mut third, &seen, 1).await;
        assert_eq!(*seen.lock().unwrap(), each_once(1, 11));
    });
}

#[test]
fn who_commits_itself_goes_on_from_there() {
    story(3, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        create(&sim.world, "t", 1, &[]).await;
        let client = client(&sim.world);
        fill(&client, "t", 1, 0..10).await;
        let options = || Options { auto_commit: None, ..Options::of("g") };
        let mut member = join(&client, options());
        assert_eq!(member.commit_at(&[at(0, 3)]).await, Err(CommitError::NotMember), "it hasn't joined yet");
        deal_with(&mut member, &Seen::default(), 10).await;
        member.close().await.unwrap();
        let mut member = join(&client, options());
        assert_eq!(member.records().await.unwrap().iter().next().unwrap().offset, Offset(0), "nothing was committed");
        member.commit_at(&[at(0, 4)]).await.unwrap();
        member.close().await.unwrap();
        let mut member = join(&client, options());
        assert_eq!(member.records().await.unwrap().iter().next().unwrap().offset, Offset(4));
        member.commit().await.unwrap();
        let refused = member.commit_at(&[at(9, 4)]).await;
        assert!(matches!(refused, Err(CommitError::Client(_) | CommitError::Refused { .. })), "{refused:?}");
        member.close().await.unwrap();
        fill(&client, "t", 1, 10..11).await;
        assert_eq!(join(&client, options()).records().await.unwrap().iter().next().unwrap().offset, Offset(10));
    });
}

/// Partitions are given to a second member behind the first's back-turning, and not before.
async fn a_second_member(client: &Client, assignor: Assignor) {
    fill(client, "t", 4, 0..50).await;
    let seen = Seen::default();
    let mut first = join(client, by(assignor));
    let Polled::Assigned(all) = first.poll().await.unwrap() else { panic!("news first") };
    assert_eq!(indexes(&all), [0, 1, 2, 3]);
    deal_with(&mut first, &seen, 150).await;
    // It has more in its hands while the other joins, and takes its time.
    deal_with(&mut first, &seen, 50).await;
    let mut second = join(client, by(assignor));
    let early = tokio::time::timeout(Duration::from_secs(60), second.poll()).await;
    assert!(early.is_err(), "the first has not asked: {early:?}");

    let first_reads = async {
        let Polled::Revoked(gone) = first.poll().await.unwrap() else { panic!("first it is told") };
        match assignor {
            Assignor::CooperativeSticky => assert_eq!(gone.len(), 2, "only what goes: {gone:?}"),
            _ => assert_eq!(gone.len(), 4, "everything: {gone:?}"),
        }
        deal_with(&mut first, &seen, 20).await;
    };
    let second_reads = async {
        let given = loop {
            // A cooperative member is given nothing until it is free, and only hears of what it is given.
            if let Polled::Assigned(given) = second.poll().await.unwrap() {
                break given;
            }
        };
        assert_eq!(given.len(), 2);
        deal_with(&mut second, &seen, 20).await;
    };
    let writes = async {
        client.world().clock.sleep(Duration::from_secs(30)).await;
        fill(client, "t", 4, 50..60).await;
    };
    tokio::join!(first_reads, second_reads, writes);
    assert_eq!(*seen.lock().unwrap(), each_once(4, 60));
    // One closes: the other is given everything, from where it stood.
    second.close().await.unwrap();
    fill(client, "t", 4, 60..70).await;
    deal_with(&mut first, &seen, 40).await;
    assert_eq!(*seen.lock().unwrap(), each_once(4, 70));
}

#[test]
fn an_eager_group_shares_with_a_second_member() {
    for (seed, assignor) in [(4, Assignor::Range), (5, Assignor::RoundRobin), (6, Assignor::Sticky)] {
        story(seed, async |sim| {
            let _broker = broker(&sim.world, &[]).await;
            create(&sim.world, "t", 4, &[]).await;
            a_second_member(&client(&sim.world), assignor).await;
        });
    }
}

#[test]
fn a_cooperative_group_shares_with_a_second_member() {
    story(7, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        create(&sim.world, "t", 4, &[]).await;
        a_second_member(&client(&sim.world), Assignor::CooperativeSticky).await;
    });
}

#[test]
fn who_stays_away_too_long_loses_its_partitions_and_gets_them_again_when_it_is_back() {
    story(8, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        create(&sim.world, "t", 2, &[]).await;
        let client = client(&sim.world);
        fill(&client, "t", 2, 0..10).await;
        let options = || Options { poll_interval_max: Duration::from_secs(30), auto_commit: None, ..Options::of("g") };
        let mut slow = join(&client, options());
        let seen = Seen::default();
        deal_with(&mut slow, &seen, 20).await;
        sim.world.clock.sleep(Duration::from_secs(31)).await;
        // All of it is another's now, without waiting for the session to end.
        let mut other = join(&client, options());
        let given = tokio::time::timeout(Duration::from_secs(5), other.poll()).await.unwrap().unwrap();
        assert!(matches!(given, Polled::Assigned(all) if all.len() == 2));
        assert_eq!(slow.commit().await, Err(CommitError::NotMember));
        let lost = slow.poll().await.unwrap();
        assert!(matches!(&lost, Polled::Lost(all) if all.len() == 2), "{lost:?}");
        other.close().await.unwrap();
        let again = slow.poll().await.unwrap();
        assert!(matches!(&again, Polled::Assigned(all) if all.len() == 2), "{again:?}");
        // Nobody committed: they are given again.
        deal_with(&mut slow, &seen, 20).await;
        assert!(seen.lock().unwrap().values().all(|times| *times == 2));
    });
}

#[test]
fn a_static_member_is_back_before_anybody_notices() {
    story(9, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        create(&sim.world, "t", 4, &[]).await;
        let client = client(&sim.world);
        let named = |name: &str| Options { instance: Some(name.to_owned()), ..by(Assignor::Range) };
        let mut one = join(&client, named("one"));
        assert!(matches!(one.poll().await.unwrap(), Polled::Assigned(_)));
        let mut two = join(&client, named("two"));
        let (first, second) = tokio::join!(
            async {
                assert!(matches!(one.poll().await.unwrap(), Polled::Revoked(_)));
                one.poll().await.unwrap()
            },
            two.poll()
        );
        let (Polled::Assigned(of_one), Polled::Assigned(of_two)) = (first, second.unwrap()) else { panic!() };
        assert_eq!((indexes(&of_one), indexes(&of_two)), (vec![0, 1], vec![2, 3]));
        two.close().await.unwrap();
        let mut two = join(&client, named("two"));
        let back = async {
            let Polled::Assigned(again) = two.poll().await.unwrap() else { panic!() };
            assert_eq!(indexes(&again), [2, 3]);
        };
        tokio::select! {
            () = back => {}
            noticed = one.poll() => panic!("{noticed:?}"),
        }
    });
}

#[test]
fn a_topic_that_grows_is_shared_out_anew() {
    story(10, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        create(&sim.world, "t", 1, &[]).await;
        let client = client(&sim.world);
        let mut member = join(&client, Options::of("g"));
        assert!(matches!(member.poll().await.unwrap(), Polled::Assigned(all) if all.len() == 1));
        Admin::new(client.clone()).create_partitions(&[("t", 3)], Mode::Do).await.unwrap();
        assert!(matches!(member.poll().await.unwrap(), Polled::Revoked(_)));
        assert!(matches!(member.poll().await.unwrap(), Polled::Assigned(all) if all.len() == 3));
        // And so is another choice of topics.
        create(&sim.world, "u", 1, &[]).await;
        member.subscribe(["u"]);
        assert!(matches!(member.poll().await.unwrap(), Polled::Revoked(_)));
        let Polled::Assigned(given) = member.poll().await.unwrap() else { panic!() };
        assert_eq!(given, [(Arc::from("u"), PartitionIndex(0))]);
    });
}

#[test]
fn who_can_not_be_in_the_group_is_told_so() {
    story(11, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        create(&sim.world, "t", 1, &[]).await;
        let client = client(&sim.world);
        let told = join(&client, Options { session_timeout: Duration::from_secs(1), ..Options::of("g") }).poll().await;
        assert_eq!(told.unwrap_err(), ConsumeError::Group { code: ErrorCode::InvalidSessionTimeout });
        let told = join(&client, Options::of("")).poll().await;
        assert_eq!(told.unwrap_err(), ConsumeError::Group { code: ErrorCode::InvalidGroupId });
        let mut one = join(&client, by(Assignor::Range));
        one.poll().await.unwrap();
        let told = join(&client, by(Assignor::RoundRobin)).poll().await;
        assert_eq!(told.unwrap_err(), ConsumeError::Group { code: ErrorCode::InconsistentGroupProtocol });
    });
}

#[test]
fn where_nothing_is_committed_the_program_may_have_to_say_where_to_begin() {
    story(12, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        create(&sim.world, "t", 1, &[]).await;
        let client = client(&sim.world);
        fill(&client, "t", 1, 0..10).await;
        let strict = consumer::Options { reset: Reset::Fail, ..consumer::Options::default() };
        let mut member = GroupConsumer::join(client.clone(), Options::of("g"), &strict, ["t"]);
        member.poll().await.unwrap();
        let (topic, partition) = (Arc::from("t"), PartitionIndex(0));
        assert_eq!(member.poll().await.unwrap_err(), ConsumeError::NothingCommitted { topic, partition });
        member.seek("t", 0, Start::Offset(Offset(7))).unwrap();
        deal_with(&mut member, &Seen::default(), 3).await;
        member.close().await.unwrap();
        // Who begins at the end has begun there, though nothing came: it is not the end of another day.
        let latest = consumer::Options { reset: Reset::Latest, ..consumer::Options::default() };
        let mut member = GroupConsumer::join(client.clone(), Options::of("late"), &latest, ["t"]);
        assert!(
            tokio::time::timeout(Duration::from_secs(2), async {
                loop {
                    member.poll().await.unwrap();
                }
            })
            .await
            .is_err()
        );
        member.close().await.unwrap();
        fill(&client, "t", 1, 10..12).await;
        let mut member = GroupConsumer::join(client.clone(), Options::of("late"), &latest, ["t"]);
        deal_with(&mut member, &Seen::default(), 2).await;
    });
}

// Where it began was not known when it last asked.
#[test]
fn who_waits_at_the_end_has_begun_there_though_nothing_came() {
    story(14, async |sim| {
        let _broker = broker(&sim.world, &[]).await;
        create(&sim.world, "t", 1, &[]).await;
        let client = client(&sim.world);
        fill(&client, "t", 1, 0..10).await;
        let latest = consumer::Options { reset: Reset::Latest, ..consumer::Options::default() };
        let mut member = GroupConsumer::join(client.clone(), Options::of("g"), &latest, ["t"]);
        assert!(matches!(member.poll().await.unwrap(), Polled::Assigned(_)));
        let waits = tokio::time::timeout(Duration::from_secs(7), member.poll()).await;
        assert!(waits.is_err(), "there is nothing: {waits:?}");
        // It dies: whoever comes next begins where it stood.
        std::mem::forget(member);
        fill(&client, "t", 1, 10..12).await;
        let mut member = GroupConsumer::join(client.clone(), Options::of("g"), &latest, ["t"]);
        let records = tokio::time::timeout(Duration::from_secs(600), member.records()).await.unwrap().unwrap();
        assert_eq!(records.iter().next().unwrap().offset, Offset(10));
    });
}

#[test]
fn a_member_outlives_its_coordinator() {
    story(13, async |sim| {
        let first = broker(&sim.world, &[]).await;
        create(&sim.world, "t", 2, &[]).await;
        let client = client(&sim.world);
        fill(&client, "t", 2, 0..10).await;
        let seen = Seen::default();
        let mut member = join(&client, Options::of("g"));
        deal_with(&mut member, &seen, 20).await;
        member.commit().await.unwrap();
        first.stop().await.unwrap();
        let (_broker, ()) = tokio::join!(
            async {
                sim.world.clock.sleep(Duration::from_secs(3)).await;
                broker(&sim.world, &[]).await
            },
            async {
                let waits = tokio::time::timeout(Duration::from_secs(20), member.poll()).await;
                assert!(waits.is_err() || matches!(waits, Ok(Ok(_))), "{waits:?}");
            }
        );
        fill(&client, "t", 2, 10..20).await;
        deal_with(&mut member, &seen, 20).await;
        assert_eq!(*seen.lock().unwrap(), each_once(2, 20));
        member.close().await.unwrap();
    });
}

/// A member that deals with what comes until it is told to leave, or dies.
async fn lives(
    mut member: GroupConsumer,
    seen: Seen,
    mut ends: tokio::sync::watch::Receiver<u32>,
    from: u32,
    seed: u64,
) {
    let mut chance = Rng::new(seed);
    loop {
        let is_over = tokio::select! {
            biased;
            ended = ends.wait_for(|turn| *turn > from) => ended.is_ok(),
            _ = deal(&mut member, &seen) => false,
        };
        if is_over {
            return member.close().await.unwrap();
        }
        if chance.below(4) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

// However members come and go, every record is dealt with; and as long as they go by the door, once.
#[test]
fn members_come_and_go_and_every_record_is_dealt_with_once() {
    for seed in 100..130 {
        story(seed, async |sim| {
            let _broker = broker(&sim.world, &[]).await;
            create(&sim.world, "t", 6, &[]).await;
            let client = client(&sim.world);
            let mut rng = Rng::new(seed);
            let kinds = [Assignor::Range, Assignor::RoundRobin, Assignor::Sticky, Assignor::CooperativeSticky];
            let kind = kinds[rng.below(4) as usize];
            let seen = Seen::default();
            let (ends, _) = tokio::sync::watch::channel(0_u32);
            let writer = tokio::spawn({
                let client = client.clone();
                async move {
                    for turn in 0..40 {
                        fill(&client, "t", 6, turn * 5..turn * 5 + 5).await;
                        client.world().clock.sleep(Duration::from_millis(700)).await;
                    }
                }
            });
            let mut members = Vec::new();
            for turn in 0..8 {
                for _ in 0..1 + rng.below(3) {
                    let member = join(&client, by(kind));
                    // Leaves now, or in one of the next turns.
                    let until = turn + rng.below(4) as u32;
                    members.push(tokio::spawn(lives(member, seen.clone(), ends.subscribe(), until, rng.next_u64())));
                }
                client.world().clock.sleep(Duration::from_millis(1 + rng.below(5_000))).await;
                ends.send_replace(turn + 1);
            }
            writer.await.unwrap();
            ends.send_replace(100);
            for member in members {
                member.await.unwrap();
            }
            let mut last = join(&client, by(kind));
            while seen.lock().unwrap().len() < 1200 {
                deal(&mut last, &seen).await;
            }
            let seen = seen.lock().unwrap();
            let again: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).collect();
            assert!(again.is_empty(), "seed {seed}, {kind:?}: {} again, from {:?} on", again.len(), again[0]);
        });
    }
}

/// A member that deals with what comes, and may die with something in its hands: nobody is told, or only the coordinator.
async fn dies(mut member: GroupConsumer, seen: Seen, mut ends: tokio::sync::watch::Receiver<u32>, seed: u64) {
    let mut chance = Rng::new(seed);
    loop {
        let records = tokio::select! {
            biased;
            _ = ends.wait_for(|turn| *turn >= 100) => return drop(member),
            records = member.records() => records.unwrap(),
        };
        match chance.below(60) {
            0 => return drop(member),
            1 => return std::mem::forget(member),
            _ => {}
        }
        let mut seen = seen.lock().unwrap();
        for record in records.iter() {
            *seen.entry((records.partition().0, record.offset.0)).or_default() += 1;
        }
    }
}

// With Kafka's defaults. Connections are cut, the broker goes and comes, members die with records in their hands: some are
// dealt with again, and none is passed over.
#[test]
fn whoever_dies_every_record_is_dealt_with() {
    for seed in 200..212 {
        story(seed, async |sim| {
            let mut running = broker(&sim.world, &[]).await;
            create(&sim.world, "t", 4, &[]).await;
            let client = client(&sim.world);
            let mut rng = Rng::new(seed);
            let group = || Options { poll_interval_max: Duration::from_secs(20), ..Options::of("g") };
            let seen = Seen::default();
            let (ends, _) = tokio::sync::watch::channel(0_u32);
            let writer = tokio::spawn({
                let client = client.clone();
                async move {
                    for turn in 0..30 {
                        fill(&client, "t", 4, turn * 5..turn * 5 + 5).await;
                        client.world().clock.sleep(Duration::from_secs(2)).await;
                    }
                }
            });
            let mut members = Vec::new();
            for _ in 0..12 {
                let member = join(&client, group());
                members.push(tokio::spawn(dies(member, seen.clone(), ends.subscribe(), rng.next_u64())));
                client.world().clock.sleep(Duration::from_millis(1 + rng.below(8_000))).await;
                match rng.below(3) {
                    0 => drop(sim.net.cut(ADDRESS.parse().unwrap())),
                    1 => {
                        sim.net.cut(ADDRESS.parse().unwrap());
                        running.stop().await.unwrap();
                        running = broker(&sim.world, &[]).await;
                    }
                    _ => {}
                }
            }
            writer.await.unwrap();
            ends.send_replace(100);
            for member in members {
                member.await.unwrap();
            }
            let mut last = join(&client, group());
            let all = async {
                while seen.lock().unwrap().len() < 600 {
                    deal(&mut last, &seen).await;
                }
            };
            let patience = tokio::time::timeout(Duration::from_secs(600), all).await;
            assert!(patience.is_ok(), "seed {seed}: only {} were given", seen.lock().unwrap().len());
        });
    }
}
