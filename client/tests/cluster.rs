//! The producer against a cluster that is written here, of two brokers: what it asks of whom, and what it makes of leaders
//! that move, answers that are lost and brokers that wait.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use support::cluster::{Cluster, Fate};
use support::{ADDRESS, story};
use thalweg_client::producer::{Acks, Options};
use thalweg_client::{Client, Isolation, Producer, Record, SendError, Start};
use thalweg_wire::{Offset, PartitionIndex};
use thalweg_world::World;
use thalweg_world::simulated::Rng;

/// It waits two seconds for an answer.
fn client(world: &World) -> Client {
    let request_timeout = Duration::from_secs(2);
    Client::new(world.clone(), thalweg_client::Options { request_timeout, ..thalweg_client::Options::to(ADDRESS) })
}

/// Sends numbered values to both partitions; each has to be where its delivery says, once and in order.
async fn write_and_look(world: &World, cluster: &Cluster, count: usize, rng: &mut Rng) {
    let options = Options { batch_bytes: 300, linger: Duration::from_millis(1), ..Options::default() };
    let producer = Producer::new(client(world), options).unwrap();
    let mut sent = Vec::new();
    for number in 0..count {
        let (partition, value) = ((number % 2) as i32, format!("value {number}"));
        let delivery = producer.send(Record::to("t").partition(partition).value(&value)).await.unwrap();
        sent.push((partition, Bytes::from(value), delivery));
        world.clock.sleep(Duration::from_millis(rng.below(4))).await;
    }
    producer.close().await;
    let mut expected = [Vec::new(), Vec::new()];
    for (partition, value, delivery) in sent {
        let receipt = delivery.told().unwrap().unwrap();
        assert_eq!(receipt.offset.0, expected[partition as usize].len() as i64);
        expected[partition as usize].push(value);
    }
    let state = cluster.state();
    assert_eq!(state.partitions.iter().map(|each| each.values.clone()).collect::<Vec<_>>(), expected);
}

#[test]
fn leaders_move_and_answers_are_lost_and_each_record_is_there_once_in_its_place() {
    for seed in 0..20 {
        story(seed, async |sim| {
            let cluster = Cluster::start(&sim.world, &[1, 2]).await;
            let mut rng = Rng::stream(seed, "fates");
            let fates = (0..60).map(|_| match rng.below(12) {
                0 | 1 => Fate::Moved,
                2 => Fate::AnswerLost,
                3 => Fate::Lost,
                4 => Fate::Waits,
                5 | 6 => Fate::Late(Duration::from_millis(rng.below(300))),
                _ => Fate::Done,
            });
            cluster.state().fates = fates.collect();
            write_and_look(&sim.world, &cluster, 400, &mut rng).await;
            assert!(cluster.state().fates.is_empty(), "all of it happened");
        });
    }
}

// Else the connection would be lost just when the broker speaks, and with it whatever else is on its way there.
#[test]
fn a_broker_that_waits_for_replicas_gives_up_before_the_client_does() {
    story(1, async |sim| {
        let cluster = Cluster::start(&sim.world, &[1]).await;
        cluster.state().fates = vec![Fate::Done, Fate::Waits];
        let producer = Producer::new(client(&sim.world), Options::default()).unwrap();
        for offset in 0..3 {
            let delivery = producer.send(Record::to("t").value("v")).await.unwrap();
            assert_eq!(delivery.await.unwrap().offset, Offset(offset));
        }
        assert_eq!(cluster.state().connections.len(), 1);
    });
}

// Who asks for an offset doesn't wait for a producer's replicas, nor does another producer.
#[test]
fn what_waits_for_replicas_holds_up_nobody_else() {
    story(2, async |sim| {
        let (world, late) = (&sim.world, Duration::from_millis(1_500));
        let cluster = Cluster::start(world, &[1]).await;
        cluster.state().fates = vec![Fate::Late(late)];
        let (client, began) = (client(world), world.clock.now());
        let [slow, quick] = [(), ()].map(|()| Producer::new(client.clone(), Options::default()).unwrap());
        let waits = slow.send(Record::to("t").value("slow")).await.unwrap();
        while cluster.state().connections.is_empty() {
            world.clock.sleep(Duration::from_millis(1)).await;
        }
        let delivery = quick.send(Record::to("t").value("quick")).await.unwrap();
        assert_eq!(delivery.await.unwrap().offset, Offset(1));
        let deadline = began + Duration::from_secs(10);
        client.offset("t", PartitionIndex(0), Start::Earliest, Isolation::ReadUncommitted, deadline).await.unwrap();
        assert!(world.clock.now().since(began) < late && waits.told().is_none());
        assert_eq!(waits.await.unwrap().offset, Offset(0));
    });
}

#[test]
fn records_without_keys_go_where_somebody_leads() {
    story(4, async |sim| {
        let cluster = Cluster::start(&sim.world, &[0, 1, 0, 2]).await;
        let producer = Producer::new(client(&sim.world), Options { batch_bytes: 300, ..Options::default() }).unwrap();
        for _ in 0..200 {
            producer.send(Record::to("t").value("0123456789")).await.unwrap();
        }
        producer.close().await;
        let counts: Vec<_> = cluster.state().partitions.iter().map(|each| each.values.len()).collect();
        assert_eq!((counts[0], counts[2], counts[1] + counts[3]), (0, 0, 200));
        assert!(counts[1] > 20 && counts[3] > 20, "{counts:?}");
    });
}

// Memory is free when the socket has the bytes, not when they stand in line for it.
#[test]
fn without_acknowledgement_a_broker_that_reads_nothing_holds_senders_back() {
    story(3, async |sim| {
        let cluster = Cluster::start(&sim.world, &[1]).await;
        cluster.state().fates = vec![Fate::Late(Duration::from_secs(3600))];
        let options = Options {
            acks: Acks::None,
            is_idempotent: false,
            batch_bytes: 10_000,
            buffer_bytes: 100_000,
            max_block: Duration::from_secs(1),
            ..Options::default()
        };
        let producer = Producer::new(client(&sim.world), options).unwrap();
        let value = "v".repeat(5_000);
        let mut taken = 0;
        let refused = loop {
            match producer.send(Record::to("t").value(&value)).await {
                Ok(_) => taken += value.len(),
                Err(refused) => break refused,
            }
            assert!(taken < 1_000_000);
        };
        assert_eq!(refused, SendError::Full);
        assert!(taken > 100_000, "the socket takes some: {taken}");
    });
}
