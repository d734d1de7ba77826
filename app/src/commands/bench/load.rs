//! Writes records as fast as they are taken: for a while, or so many, by several producers.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use thalweg_client::{Producer, Record};
use thalweg_wire::Moment;
use thalweg_world::World;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::ground::Ground;
use super::lanes::{Board, Lanes, Sent, Told};
use super::payload::Payload;
use super::throughput::Throughput;
use crate::commands::produce::{Why, Writing, options};
use crate::failure::Failure;
use crate::progress::{self, Progress};
use crate::quantities;
use crate::reach::{Missing, Reach};
use crate::signals::Stop;

/// The flags of how it is written.
#[derive(Args, Clone, Debug)]
pub(super) struct Load {
    /// How many clients write, each on a connection of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Writing")]
    producers: u16,

    /// The bytes with which a batch goes at once
    #[arg(long, value_name = "SIZE", default_value = "256KiB", value_parser = batch_bytes, help_heading = "Writing")]
    batch_bytes: usize,

    /// How long a batch waits for more records
    #[arg(long, value_name = "DURATION", default_value = "5ms", value_parser = quantities::duration, help_heading = "Writing")]
    linger: Duration,

    #[command(flatten)]
    writing: Writing,
}

fn batch_bytes(text: &str) -> Result<usize, String> {
    match quantities::size(text)? {
        bytes @ 1..=0x400_0000 => usize::try_from(bytes).map_err(|_| format!("{text} is too large")),
        _ => Err("write 1 to 64MiB".to_owned()),
    }
}

/// Bytes of a record's value.
pub(super) fn value_bytes(text: &str) -> Result<usize, String> {
    match quantities::size(text)? {
        bytes @ 1..=0x1000_0000 => usize::try_from(bytes).map_err(|_| format!("{text} is too large")),
        _ => Err("write 1 to 256MiB".to_owned()),
    }
}

/// When it is enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Limit {
    Records(u64),
    Duration(Duration),
}

impl Limit {
    /// What of it is one producer's.
    fn share(self, producer: u64, producers: u64) -> Limit {
        match self {
            Limit::Records(records) => Limit::Records(records / producers + u64::from(producer < records % producers)),
            span @ Limit::Duration(_) => span,
        }
    }

    fn is_reached(self, sent: u64, span: Duration) -> bool {
        match self {
            Limit::Records(records) => sent >= records,
            Limit::Duration(most) => span >= most,
        }
    }
}

/// What was written.
pub(super) struct Written {
    pub(super) throughput: Throughput,
    pub(super) told: Told,
}

/// How many records are sent before others get a turn.
const AT_ONCE: u64 = 64;

impl Load {
    /// Writes.
    pub(super) async fn write(
        &self,
        reach: &Reach,
        ground: &Ground,
        size: usize,
        limit: Limit,
        stop: &Stop,
    ) -> Result<Written, Failure> {
        let producers = u64::from(self.producers);
        let board = Board::new();
        let mut writers = Vec::new();
        for number in 0..producers {
            let client = reach.client(Missing::StayMissing)?;
            let world = client.world().clone();
            let mut options = options(size, reach.timeout());
            (options.batch_bytes, options.linger) = (self.batch_bytes, self.linger);
            writers.push(Writer {
                lanes: Lanes::new(&world, ground.partitions, options.buffer_bytes / size, &board),
                payload: Payload::new(size, |bytes| world.entropy.fill(bytes)),
                world,
                producer: self.writing.producer(client, &options)?,
                topic: ground.topic.clone(),
                partitions: ground.partitions,
                batch_bytes: self.batch_bytes,
                limit: limit.share(number, producers),
                stop: stop.clone(),
                board: board.clone(),
            });
        }
        Ok(run(writers, size, &board).await)
    }
}

async fn run(writers: Vec<Writer>, size: usize, board: &Board) -> Written {
    let Some(world) = writers.first().map(|writer| writer.world.clone()) else {
        return Written { throughput: Throughput::of(0, 0, Duration::ZERO), told: board.told().clone() };
    };
    let mut tasks = JoinSet::new();
    let together = Arc::new(Barrier::new(writers.len() + 1));
    for (number, writer) in writers.into_iter().enumerate() {
        let together = together.clone();
        tasks.spawn(async move {
            writer.warm_up().await;
            together.wait().await;
            writer.write(number).await;
        });
    }
    together.wait().await;
    let began = world.clock.now();
    let mut progress = Progress::new();
    let throughput = || {
        let arrived = board.told().arrived;
        Throughput::of(arrived, arrived * size as u64, world.clock.now().since(began))
    };
    let mut tick = began + progress::EACH;
    loop {
        tokio::select! {
            biased;
            ended = tasks.join_next() => if ended.is_none() { break },
            () = world.clock.sleep_until(tick) => {
                tick = tick + progress::EACH;
                progress.show(|| throughput().line());
            }
        }
    }
    Written { throughput: throughput(), told: board.told().clone() }
}

/// A producer at work.
struct Writer {
    world: World,
    producer: Producer,
    topic: String,
    partitions: usize,
    payload: Payload,
    batch_bytes: usize,
    limit: Limit,
    stop: Stop,
    board: Board,
    lanes: Lanes,
}

impl Writer {
    /// Sends a record that isn't counted: connections are made, and leaders known.
    async fn warm_up(&self) {
        let there = async {
            let record = Record::to(&self.topic).partition(0).value(self.payload.value(0));
            self.producer.send(record).await?.outcome().await?;
            Ok::<_, Why>(())
        };
        tokio::select! {
            biased;
            () = self.stop.asked() => {}
            there = there => if let Err(why) = there { self.board.failed(why) },
        }
    }

    async fn write(self, number: usize) {
        let began = self.world.clock.now();
        let mut turn = Turn { partition: number % self.partitions, left: self.batch_bytes };
        for sent in 0.. {
            let now = self.world.clock.now();
            if self.limit.is_reached(sent, now.since(began)) || (sent % AT_ONCE == 0 && self.is_over().await) {
                break;
            }
            let value = self.payload.value(sent);
            let partition = turn.next(value.len(), self.batch_bytes, self.partitions);
            self.send(partition, value, now).await;
        }
        self.producer.close().await;
        self.lanes.end().await;
    }

    async fn send(&self, partition: usize, value: &[u8], since: Moment) {
        let index = i32::try_from(partition).unwrap_or(i32::MAX);
        match self.producer.send(Record::to(&self.topic).partition(index).value(value)).await {
            // It has room for all that the producer holds.
            Ok(delivery) => drop(self.lanes.of(partition).send(Sent { since, delivery }).await),
            Err(error) => self.board.failed(error.into()),
        }
    }

    async fn is_over(&self) -> bool {
        tokio::task::yield_now().await;
        self.stop.is_asked() || self.board.told().failure.is_some()
    }
}

/// Which partition is next: a batch here, a batch there.
struct Turn {
    partition: usize,
    left: usize,
}

impl Turn {
    fn next(&mut self, bytes: usize, batch_bytes: usize, partitions: usize) -> usize {
        if self.left == 0 {
            (self.partition, self.left) = ((self.partition + 1) % partitions, batch_bytes);
        }
        self.left = self.left.saturating_sub(bytes);
        self.partition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn producers_share_the_records_and_none_is_forgotten() {
        let share = |producer| Limit::Records(10).share(producer, 3);
        assert_eq!([share(0), share(1), share(2)], [4, 3, 3].map(Limit::Records));
        let span = Limit::Duration(Duration::from_secs(1));
        assert_eq!(span.share(0, 3), span);
    }

    #[test]
    fn it_is_enough_when_the_count_or_the_time_is() {
        let second = Duration::from_secs(1);
        assert!(Limit::Records(0).is_reached(0, Duration::ZERO) && !Limit::Records(2).is_reached(1, second));
        assert!(
            Limit::Duration(second).is_reached(0, second) && !Limit::Duration(second).is_reached(9, Duration::ZERO)
        );
    }

    #[test]
    fn a_batch_goes_here_and_a_batch_there() {
        let mut turn = Turn { partition: 1, left: 100 };
        let partitions: Vec<usize> = (0..6).map(|_| turn.next(50, 100, 3)).collect();
        assert_eq!(partitions, [1, 1, 2, 2, 0, 0]);
    }
}
