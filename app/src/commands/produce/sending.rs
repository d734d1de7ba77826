//! Sends what comes, and waits until it is known what became of each record.

use std::collections::VecDeque;

use thalweg_client::{Delivery, Producer};
use thalweg_wire::Moment;
use thalweg_world::World;
use tokio::sync::mpsc;

use super::record::{Said, To};
use super::sources::Came;
use super::tally::{Place, Tally};
use crate::failure::Failure;
use crate::pace::Pace;
use crate::progress::{self, Progress};
use crate::signals::Stop;

/// Records whose fate isn't known: past them it waits for the first. The producer's memory bounds them, too, but not while one
/// partition goes on and another doesn't.
const UNSETTLED_MAX: usize = 1 << 18;

/// How many records are sent before it looks what became of others.
const LOOK_EACH: u64 = 256;

/// Who sends.
pub(super) struct Sending<'a> {
    pub(super) world: World,
    pub(super) producer: Producer,
    pub(super) topic: &'a str,
    pub(super) to: To,
    pub(super) pace: Option<Pace>,
    pub(super) stop: Stop,
    pub(super) progress: Progress,
    pub(super) began: Moment,
    pub(super) tally: Tally,
    /// The last record that was taken.
    pub(super) last: Option<Place>,
    unsettled: VecDeque<Unsettled>,
    tick: Moment,
    is_hopeless: bool,
}

struct Unsettled {
    place: Place,
    bytes: u64,
    delivery: Delivery,
}

/// Why no more were sent.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Ended {
    /// There were no more.
    AllSent,
    /// There may be more, and somebody asked for an end.
    Stopped,
    /// What comes next can't be read.
    Unreadable(Failure),
    /// Nobody takes them.
    Hopeless,
}

impl<'a> Sending<'a> {
    pub(super) fn new(world: World, producer: Producer, topic: &'a str, stop: Stop, progress: Progress) -> Sending<'a> {
        let began = world.clock.now();
        Sending {
            world,
            producer,
            topic,
            to: To::default(),
            pace: None,
            stop,
            progress,
            began,
            tally: Tally::default(),
            last: None,
            unsettled: VecDeque::new(),
            tick: began + progress::EACH,
            is_hopeless: false,
        }
    }

    /// Sends until there is no more; ready when it is known what became of all that was sent.
    pub(super) async fn run(&mut self, came: &mut mpsc::Receiver<Came>) -> Ended {
        let ended = self.send_all(came).await;
        self.settle_all().await;
        self.progress.clear();
        ended
    }

    /// What time it is.
    pub(super) fn now(&self) -> Moment {
        self.world.clock.now()
    }

    /// Records whose fate isn't known.
    pub(super) fn unsettled(&self) -> usize {
        self.unsettled.len()
    }

    async fn send_all(&mut self, came: &mut mpsc::Receiver<Came>) -> Ended {
        loop {
            let ended = match self.next(came).await {
                Some(Ok(records)) => self.send(records).await,
                Some(Err(failure)) => Some(Ended::Unreadable(failure)),
                None if self.stop.is_asked() => Some(Ended::Stopped),
                None if self.is_hopeless => Some(Ended::Hopeless),
                None => Some(Ended::AllSent),
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    /// What comes next. Once somebody has asked for an end that is only what was read already, and nothing where it would have
    /// to wait for its time.
    async fn next(&mut self, came: &mut mpsc::Receiver<Came>) -> Option<Came> {
        loop {
            if self.stop.is_asked() {
                return came.try_recv().ok().filter(|_| self.pace.is_none());
            }
            if self.is_hopeless {
                return None;
            }
            let clock = self.world.clock.clone();
            tokio::select! {
                biased;
                () = self.stop.asked() => {}
                next = came.recv() => return next,
                () = clock.sleep_until(self.tick) => {}
            }
            self.look();
        }
    }

    async fn send(&mut self, records: Vec<(Place, Said)>) -> Option<Ended> {
        for (count, (place, said)) in (1u64..).zip(records) {
            if let Some(pace) = &mut self.pace {
                let due = pace.next(self.world.clock.now());
                tokio::select! {
                    biased;
                    () = self.stop.asked() => return Some(Ended::Stopped),
                    () = self.world.clock.sleep_until(due) => {}
                }
            }
            self.last = Some(place);
            match self.producer.send(said.record(self.topic, &self.to)).await {
                Ok(delivery) => self.unsettled.push_back(Unsettled { place, bytes: said.bytes(), delivery }),
                Err(error) => self.failed(place, error.into()),
            }
            if count.is_multiple_of(LOOK_EACH) || self.pace.is_some() {
                self.look();
                // What was read is many records that can all be taken at once: others get a turn.
                tokio::task::yield_now().await;
            }
            if self.unsettled.len() >= UNSETTLED_MAX {
                self.settle_first().await;
            }
            if self.is_hopeless {
                return Some(Ended::Hopeless);
            }
        }
        None
    }

    fn failed(&mut self, place: Place, why: super::tally::Why) {
        self.is_hopeless |= why.is_hopeless();
        self.tally.failed(place, why);
    }

    /// Counts those whose fate is known, from the first on, and says how far it is.
    fn look(&mut self) {
        while let Some(first) = self.unsettled.front()
            && let Some(told) = first.delivery.told()
        {
            let (place, bytes) = (first.place, first.bytes);
            self.unsettled.pop_front();
            match told {
                Ok(_) => self.tally.arrived(bytes),
                Err(error) => self.failed(place, error.into()),
            }
        }
        let now = self.world.clock.now();
        if now >= self.tick {
            self.tick = now + progress::EACH;
            self.progress.show(|| self.tally.told(now.since(self.began)).to_string());
        }
    }

    async fn settle_first(&mut self) {
        if let Some(first) = self.unsettled.front() {
            let _told_below = first.delivery.outcome().await;
        }
        self.look();
    }

    async fn settle_all(&mut self) {
        self.producer.flush().await;
        while !self.unsettled.is_empty() {
            self.settle_first().await;
        }
        self.producer.close().await;
    }
}
