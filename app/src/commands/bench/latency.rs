//! `thalweg bench latency`: an open loop. Records are sent when they are due, whatever answers; a record's time begins when it
//! was due, so that a cluster that stalls doesn't make its own test easier.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use thalweg_client::{Admin, Producer, Record};
use thalweg_world::World;

use super::Outcome;
use super::ground::{Ground, Place};
use super::lanes::{Board, Lanes, Sent};
use super::latencies::{Latencies, Line, Percentiles};
use super::load::value_bytes;
use super::payload::Payload;
use super::reader::Reader;
use super::stamp::{STAMP_BYTES, Stamp, WARM_UP};
use crate::commands::produce::{Why, Writing, options};
use crate::failure::{Exit, Failure};
use crate::output::{Output, fields, table};
use crate::pace::{self, Rate};
use crate::quantities;
use crate::reach::{Missing, Reach};
use crate::signals::Stop;

/// Measure how long records take at a rate: until they are acknowledged, and until they are read.
///
/// Records are sent at fixed times, whatever answers, and each one's time begins when it was due: what waits behind a stall is
/// counted (no coordinated omission). 'sent late' is how long after that this machine sent them.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Latency {
    /// How many records are sent: 100/s, 5k/s, 30/m
    #[arg(long, value_name = "RATE", default_value = "1k/s", value_parser = pace::rate)]
    rate: Rate,

    /// For how long
    #[arg(short, long, value_name = "DURATION", default_value = "10s", value_parser = quantities::duration)]
    duration: Duration,

    /// The bytes of a record's value; 24 at least
    #[arg(short, long, value_name = "SIZE", default_value = "100", value_parser = stamped_bytes)]
    size: usize,

    #[command(flatten)]
    place: Place,

    /// How long a batch waits for more records
    #[arg(long, value_name = "DURATION", default_value = "0ms", value_parser = quantities::duration, help_heading = "Writing")]
    linger: Duration,

    #[command(flatten)]
    writing: Writing,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    reach: Reach,
}

const EXAMPLES: &str = "\
Examples:
  thalweg bench latency
      1000 records a second for ten seconds
  thalweg bench latency --rate 20k/s --duration 1m --size 1KiB --partitions 12
  thalweg bench latency --acks 1 --output json | jq .consumed_ms.p99";

fn stamped_bytes(text: &str) -> Result<usize, String> {
    match value_bytes(text)? {
        size if size < STAMP_BYTES => Err(format!("a record says when it was due: write {STAMP_BYTES} or more")),
        size => Ok(size),
    }
}

#[derive(Serialize)]
struct Measured {
    topic: String,
    due: u64,
    sent: u64,
    acknowledged: u64,
    consumed: u64,
    acknowledged_ms: Percentiles,
    consumed_ms: Percentiles,
    sent_late_ms: Percentiles,
}

impl Measured {
    fn text(&self) -> String {
        let counts = [
            ("topic", self.topic.clone()),
            ("due", self.due.to_string()),
            ("sent", self.sent.to_string()),
            ("acknowledged", self.acknowledged.to_string()),
            ("consumed", self.consumed.to_string()),
        ];
        let lines = [
            Line { of: "acknowledged", percentiles: self.acknowledged_ms },
            Line { of: "consumed", percentiles: self.consumed_ms },
            Line { of: "sent late", percentiles: self.sent_late_ms },
        ];
        format!("{}\n{}", fields(&counts), table(&lines))
    }
}

impl Latency {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let stop = Stop::new();
        self.place.work(
            &self.reach,
            &stop,
            async |admin, ground| self.measure(admin, ground, &stop).await,
            |outcome| outcome.tell(self.output, &stop, Measured::text),
        )
    }

    async fn measure(&self, admin: &Admin, ground: &Ground, stop: &Stop) -> Result<Outcome<Measured>, Failure> {
        let world = admin.client().world().clone();
        let mut random = [0; 8];
        world.entropy.fill(&mut random);
        let run = u64::from_be_bytes(random);
        let client = self.reach.client(Missing::StayMissing)?;
        let mut reader = Reader::at_the_end(admin, client, ground, run).await?;
        let sender = self.sender(ground, world.clone(), run)?;
        let ready = async {
            sender.warm_up().await.map_err(|why| why.with("a record is not there"))?;
            reader.warmed_up(ground.partitions).await
        };
        tokio::select! {
            biased;
            () = stop.asked() => return Err(Failure::interrupted()),
            ready = ready => ready?,
        }
        let due = self.rate.in_span(self.duration);
        let board = Board::new();
        let lanes = Lanes::new(&world, ground.partitions, ON_THEIR_WAY_MAX, &board);
        let (end, ended) = sync_channel::<()>(1);
        let sending = tokio::task::spawn_blocking({
            let (board, rate) = (board.clone(), self.rate);
            let runtime = tokio::runtime::Handle::current();
            move || {
                let sent = sender.send_when_due(rate, due, &lanes, &board, &runtime, |span| {
                    ended.recv_timeout(span) == Err(RecvTimeoutError::Timeout)
                });
                (sender, lanes, sent)
            }
        });
        let told = async {
            let (sender, lanes, sent) = sending.await.map_err(|error| {
                Failure::new(Exit::Failed, format!("nobody sends any more: {error}"), "this is a bug: please report it")
            })?;
            sender.producer.close().await;
            lanes.end().await;
            Ok::<_, Failure>(sent)
        };
        let (sent, failure) = reader.read_beside(told, &board, stop, end, self.reach.timeout()).await?;
        let told = board.told().clone();
        let measured = Measured {
            topic: ground.topic.clone(),
            due,
            sent: sent.count,
            acknowledged: told.arrived,
            consumed: reader.consumed,
            acknowledged_ms: told.latencies.percentiles(),
            consumed_ms: reader.latencies.percentiles(),
            sent_late_ms: sent.late.percentiles(),
        };
        let failure = told.failure.map(|why| why.with("a record is not there")).or(failure);
        Ok(Outcome { measured, failure })
    }

    fn sender(&self, ground: &Ground, world: World, run: u64) -> Result<Sender, Failure> {
        let client = self.reach.client(Missing::StayMissing)?;
        let mut options = options(self.size, self.reach.timeout());
        options.linger = self.linger;
        let payload = Payload::new(self.size, |bytes| world.entropy.fill(bytes));
        let producer = self.writing.producer(client, &options)?;
        let (topic, partitions) = (ground.topic.clone(), ground.partitions);
        Ok(Sender { world, producer, topic, partitions, run, payload })
    }
}

/// Records of a partition that are on their way: past them the next is sent late, which is counted.
const ON_THEIR_WAY_MAX: usize = 1 << 18;

/// Who sends.
struct Sender {
    world: World,
    producer: Producer,
    topic: String,
    partitions: usize,
    run: u64,
    payload: Payload,
}

/// What was sent.
struct SentWhenDue {
    count: u64,
    late: Latencies,
}

impl Sender {
    /// A record to each partition, that isn't counted: connections are made, and leaders known.
    async fn warm_up(&self) -> Result<(), Why> {
        for partition in 0..self.partitions {
            let stamp = Stamp { run: self.run, number: WARM_UP, due: self.world.clock.now() };
            let delivery = self.producer.send(self.record(partition, &self.value(stamp))).await?;
            delivery.outcome().await?;
        }
        Ok(())
    }

    fn value(&self, stamp: Stamp) -> Vec<u8> {
        let mut value = self.payload.value(stamp.number).to_vec();
        stamp.put(&mut value);
        value
    }

    fn record<'a>(&'a self, partition: usize, value: &'a Vec<u8>) -> Record<'a> {
        Record::to(&self.topic).partition(i32::try_from(partition).unwrap_or(i32::MAX)).value(value)
    }

    /// On a thread of its own: the runtime's timer ticks in milliseconds. `wait` says whether to go on after so long.
    fn send_when_due(
        &self,
        rate: Rate,
        count: u64,
        lanes: &Lanes,
        board: &Board,
        runtime: &tokio::runtime::Handle,
        wait: impl Fn(Duration) -> bool,
    ) -> SentWhenDue {
        let mut sent = SentWhenDue { count: 0, late: Latencies::new() };
        let began = self.world.clock.now();
        for number in 0..count {
            let due = began + rate.span_of(number);
            if !wait(due.since(self.world.clock.now())) || board.told().failure.is_some() {
                break;
            }
            let partition = (number % self.partitions as u64) as usize;
            let value = self.value(Stamp { run: self.run, number, due });
            sent.late.record(self.world.clock.now().since(due));
            match runtime.block_on(self.producer.send(self.record(partition, &value))) {
                Ok(delivery) => drop(lanes.of(partition).blocking_send(Sent { since: due, delivery })),
                Err(error) => {
                    board.failed(error.into());
                    break;
                }
            }
            sent.count += 1;
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_room_for_what_it_says_of_itself() {
        assert!(stamped_bytes("24").is_ok() && stamped_bytes("23").is_err());
    }
}
