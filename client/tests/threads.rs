//! The producer on real threads and sockets: many write through one at the same time.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::thread;

use bytes::Bytes;
use support::cluster::{Cluster, Fate};
use thalweg_client::producer::Options;
use thalweg_client::{Client, Delivery, Producer, Record};
use thalweg_world::real;
use tokio::runtime::{Builder, Handle};

const THREADS: usize = 8;
const RECORDS: usize = 2_000;
const PARTITIONS: usize = 3;

fn value(thread: usize, number: usize) -> String {
    format!("{thread}: {number}")
}

/// What one thread does; its deliveries, in order.
async fn write(producer: &Producer, thread: usize) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    for number in 0..RECORDS {
        let (partition, value) = ((thread % PARTITIONS) as i32, value(thread, number));
        deliveries.push(producer.send(Record::to("t").partition(partition).value(&value)).await.unwrap());
    }
    deliveries
}

fn write_on_threads(runtime: &Handle, producer: &Producer) -> Vec<Vec<Delivery>> {
    thread::scope(|scope| {
        let begin = |thread| scope.spawn(move || runtime.block_on(write(producer, thread)));
        let begun: Vec<_> = (0..THREADS).map(begin).collect();
        begun.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

// The memory is less than all that they write: they wait for it, and each other. Answers get lost, and leaders move.
#[test]
fn what_many_threads_write_is_there_once_and_in_the_order_of_each() {
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let world = real::world().unwrap();
    let cluster = runtime.block_on(Cluster::start_at(&world, [0, 0], &[1, 2, 1]));
    let mut fates = vec![Fate::Done; 40];
    (fates[5], fates[12], fates[20], fates[30]) = (Fate::AnswerLost, Fate::Lost, Fate::Moved, Fate::AnswerLost);
    let bootstrap = format!("127.0.0.1:{}", cluster.state().ports[0]);
    cluster.state().fates = fates;
    let client = Client::new(world, thalweg_client::Options::to(&bootstrap));
    let options = Options { batch_bytes: 1_000, buffer_bytes: 20_000, ..Options::default() };
    let producer = {
        let _inside = runtime.enter();
        Producer::new(client, options).unwrap()
    };
    let written = write_on_threads(runtime.handle(), &producer);
    runtime.block_on(producer.close());
    let state = cluster.state();
    assert!(state.fates.is_empty(), "all of it happened");
    assert_eq!(state.partitions.iter().map(|each| each.values.len()).sum::<usize>(), THREADS * RECORDS);
    for (thread, deliveries) in written.into_iter().enumerate() {
        let mut before = -1;
        for (number, delivery) in deliveries.into_iter().enumerate() {
            let receipt = delivery.told().unwrap().unwrap();
            assert!(receipt.offset.0 > before, "{thread}: {number} is at {}, behind {before}", receipt.offset);
            before = receipt.offset.0;
            let there = &state.partitions[receipt.partition.0 as usize].values[before as usize];
            assert_eq!(*there, Bytes::from(value(thread, number)));
        }
    }
}
