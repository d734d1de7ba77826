//! Reads topics together with others: a member of a consumer group of the classic protocol (KIP-62, KIP-345, KIP-429).
//!
//! The group shares out the partitions among its members, and its coordinator keeps how far it has read. A member asks for
//! more with [`GroupConsumer::poll`], and says thereby that it has dealt with everything before: only that is committed.
//! So a record is read again after a crash, rather than not at all.
//!
//! ```no_run
//! # async fn example(client: thalweg_client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use thalweg_client::{GroupConsumer, Polled, consumer, group};
//!
//! let options = group::Options::of("people");
//! let mut member = GroupConsumer::join(client, options, &consumer::Options::default(), ["greetings"]);
//! loop {
//!     match member.poll().await? {
//!         Polled::Records(records) => println!("{} of {}", records.iter().count(), records.partition()),
//!         Polled::Assigned(partitions) => println!("reads {partitions:?}"),
//!         Polled::Revoked(_) => member.commit().await?,
//!         Polled::Lost(_) => break,
//!     }
//! }
//! member.close().await;
//! # Ok(())
//! # }
//! ```

pub(crate) mod assignors;
mod coordination;
mod desk;
mod membership;
mod offsets;
pub(crate) mod protocol;

use std::sync::Arc;
use std::time::Duration;

use thalweg_wire::{Offset, PartitionIndex};

pub use assignors::Assignor;
use assignors::Rebalance;
use coordination::Coordination;
use desk::{Desk, Leave, News, State};
use membership::Membership;
use offsets::Committer;
pub(crate) use offsets::PARTITIONS_MAX;
pub use offsets::{Commit, CommitError};

use crate::cluster::Client;
use crate::consumer::{self, ConsumeError, Consumer, NotAssigned, Read, Records, Taken};
use crate::offsets::Start;

/// Nothing is done more often than that, however short the intervals are that a program asks for.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// How a consumer takes part in a group.
#[derive(Clone, Debug)]
pub struct Options {
    /// The group's name. `group.id`.
    pub group: String,
    /// A name of its own, under which it keeps its partitions over a restart (KIP-345). `group.instance.id`.
    pub instance: Option<String>,
    /// How it can share out partitions, what it likes best first; [`Assignor::Range`] if there is none. All members have to
    /// have one in common. If all are cooperative, partitions that stay are read on while others move (KIP-429).
    /// `partition.assignment.strategy`.
    pub assignors: Vec<Assignor>,
    /// How long it may be silent until it counts as dead. `session.timeout.ms`.
    pub session_timeout: Duration,
    /// How often it shows that it lives; at most a third of the session. `heartbeat.interval.ms`.
    pub heartbeat_interval: Duration,
    /// How long the program may deal with what it was given until it loses its partitions, and how long the group waits
    /// for it when it shares out anew. `max.poll.interval.ms`.
    pub poll_interval_max: Duration,
    /// How often what the program has dealt with is committed; `None`: only by [`GroupConsumer::commit`].
    /// `auto.commit.interval.ms`, `enable.auto.commit`.
    pub auto_commit: Option<Duration>,
}

impl Options {
    /// Kafka's defaults, in this group.
    pub fn of(group: &str) -> Options {
        Options {
            group: group.to_owned(),
            instance: None,
            assignors: vec![Assignor::Range, Assignor::CooperativeSticky],
            session_timeout: Duration::from_secs(45),
            heartbeat_interval: Duration::from_secs(3),
            poll_interval_max: Duration::from_secs(300),
            auto_commit: Some(Duration::from_secs(5)),
        }
    }

    fn rebalance(&self) -> Rebalance {
        let are_all = self.assignors.iter().all(|assignor| assignor.rebalance() == Rebalance::Cooperative);
        if are_all { Rebalance::Cooperative } else { Rebalance::Eager }
    }

    fn heartbeat_interval(&self) -> Duration {
        self.heartbeat_interval.min(self.session_timeout / 3).max(INTERVAL_MIN)
    }

    fn commit_interval(&self) -> Option<Duration> {
        self.auto_commit.map(|interval| interval.max(INTERVAL_MIN))
    }
}

/// What a member of a group is given.
#[derive(Clone, Debug)]
pub enum Polled {
    /// Records of one partition; none where all that came is not for readers.
    Records(Records),
    /// It reads these from now on: where the group stands, or where it is told to by [`GroupConsumer::seek`] at once.
    Assigned(Vec<(Arc<str>, PartitionIndex)>),
    /// It gives these up. What it does with their records it has to finish, and may commit, before it asks again.
    Revoked(Vec<(Arc<str>, PartitionIndex)>),
    /// These are somebody else's already: nothing of them can be committed any more.
    Lost(Vec<(Arc<str>, PartitionIndex)>),
}

/// Reads records as a member of a group. Dropped it leaves the group; [`GroupConsumer::close`] commits before.
pub struct GroupConsumer {
    consumer: Consumer,
    committer: Arc<Committer>,
    desk: Arc<Desk>,
    client: Client,
}

impl GroupConsumer {
    /// Joins a group to read these topics. A topic that isn't there is waited for; none is made by asking for it, whatever
    /// [`Options::creates_topics`](crate::Options::creates_topics) says.
    pub fn join(
        client: Client,
        mut group: Options,
        options: &consumer::Options,
        topics: impl IntoIterator<Item = impl Into<String>>,
    ) -> GroupConsumer {
        if group.assignors.is_empty() {
            group.assignors.push(Assignor::Range);
        }
        let topics = topics.into_iter().map(Into::into).collect();
        let desk = Arc::new(Desk::new(topics, client.world().clock.now()));
        let consumer = Consumer::new(client.clone(), options.clone());
        let committer = Arc::new(Committer {
            coordination: Coordination::new(client.clone(), &group.group),
            desk: desk.clone(),
            instance: group.instance.clone(),
            consumer: consumer.shared().clone(),
            turn: tokio::sync::Mutex::default(),
        });
        tokio::spawn(Membership::new(group, options, committer.clone()).run());
        GroupConsumer { consumer, committer, desk, client }
    }

    /// Reads these topics instead, as soon as the group has shared them out.
    pub fn subscribe(&self, topics: impl IntoIterator<Item = impl Into<String>>) {
        let topics = topics.into_iter().map(Into::into).collect();
        self.desk.change(|state| (state.topics, state.topics_turn) = (topics, state.topics_turn + 1));
    }

    /// What comes next. Who asks has dealt with everything that it was given before. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`ConsumeError`]: of one partition, which gives nothing more until it is sought; of one topic
    /// ([`ConsumeError::Topic`]); or [`ConsumeError::Group`] and [`ConsumeError::Closed`], behind which nothing comes.
    pub async fn poll(&mut self) -> Result<Polled, ConsumeError> {
        self.consumer.shared().positions().settle();
        self.desk.asks();
        let _away = Away { desk: &self.desk, client: &self.client };
        loop {
            let came = self.consumer.shared().came.notified();
            match self.next() {
                Some(Next::News(news)) => return Ok(news),
                Some(Next::Failed(error)) => return Err(error),
                Some(Next::Piece(taken)) => {
                    if let Some(records) = self.give(Read::of(taken)) {
                        return Ok(Polled::Records(records));
                    }
                }
                None => {
                    came.await;
                    // It has nothing in its hands: where it begins, once that is found, is dealt with.
                    self.consumer.shared().positions().settle();
                }
            }
        }
    }

    /// What there is for the program. Partitions are told of before their records: both are looked at in one.
    fn next(&self) -> Option<Next> {
        self.desk.change_quietly(|state| match (state.next_news(), &state.failure) {
            (Some(News::Assigned(partitions)), _) => Some(Next::News(Polled::Assigned(partitions))),
            (Some(News::Revoked(partitions)), _) => Some(Next::News(Polled::Revoked(partitions))),
            (Some(News::Lost(partitions)), _) => Some(Next::News(Polled::Lost(partitions))),
            (Some(News::Failed(error)), _) => Some(Next::Failed(error)),
            (None, Some(failure)) => Some(Next::Failed(failure.clone())),
            (None, None) if state.is_over => Some(Next::Failed(ConsumeError::Closed)),
            (None, None) => Some(match self.consumer.take()? {
                Ok(taken) => Next::Piece(taken),
                Err(error) => Next::Failed(error),
            }),
        })
    }

    fn give(&self, read: Read) -> Option<Records> {
        self.desk.change_quietly(|state| {
            let given = self.consumer.give(read);
            if given.is_some() {
                state.is_given();
            }
            given
        })
    }

    /// The next records, whatever else is told: for who keeps nothing per partition.
    ///
    /// # Errors
    /// As [`GroupConsumer::poll`].
    pub async fn records(&mut self) -> Result<Records, ConsumeError> {
        loop {
            match self.poll().await? {
                Polled::Records(records) if !records.is_empty() => return Ok(records),
                _ => {}
            }
        }
    }

    /// Commits everything that was given: it is dealt with. Waits until the coordinator has it, and tries for as long as a
    /// request may take.
    ///
    /// # Errors
    /// [`CommitError`]; what was not committed will be by the next commit that is.
    pub async fn commit(&mut self) -> Result<(), CommitError> {
        if self.desk.look(State::has_lost) {
            return Err(CommitError::NotMember);
        }
        self.consumer.shared().positions().settle();
        self.committer.commit(self.deadline()).await
    }

    /// Commits these, as they are told.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn commit_at(&self, commits: &[Commit<'_>]) -> Result<(), CommitError> {
        self.committer.commit_these(commits, self.deadline()).await
    }

    /// Which generation of the group this consumer is a member of; `None` while it is in none.
    pub fn generation(&self) -> Option<i32> {
        self.desk.look(|state| state.identity.as_ref().map(|identity| identity.generation))
    }

    fn deadline(&self) -> thalweg_wire::Moment {
        self.client.world().clock.now() + self.client.options().request_timeout
    }

    /// What it reads now.
    pub fn assignment(&self) -> Vec<(Arc<str>, PartitionIndex)> {
        self.consumer.shared().positions().assignment()
    }

    /// Goes on from elsewhere in a partition that it reads.
    ///
    /// # Errors
    /// [`NotAssigned`].
    pub fn seek(&self, topic: &str, partition: i32, start: Start) -> Result<(), NotAssigned> {
        self.consumer.seek(topic, partition, start)
    }

    /// As [`Consumer::pause`].
    ///
    /// # Errors
    /// [`NotAssigned`].
    pub fn pause(&self, topic: &str, partition: i32) -> Result<(), NotAssigned> {
        self.consumer.pause(topic, partition)
    }

    /// As [`Consumer::resume`].
    ///
    /// # Errors
    /// [`NotAssigned`].
    pub fn resume(&self, topic: &str, partition: i32) -> Result<(), NotAssigned> {
        self.consumer.resume(topic, partition)
    }

    /// As [`Consumer::position`].
    pub fn position(&self, topic: &str, partition: i32) -> Option<Offset> {
        self.consumer.position(topic, partition)
    }

    /// As [`Consumer::high_watermark`].
    pub fn high_watermark(&self, topic: &str, partition: i32) -> Option<Offset> {
        self.consumer.high_watermark(topic, partition)
    }

    /// Ends it: everything that was given is dealt with, and is committed, if it commits by itself; then it leaves the
    /// group, unless it has a name of its own there. All of that takes no longer than a request may: a coordinator that
    /// doesn't answer holds nobody up for more.
    ///
    /// # Errors
    /// [`CommitError`]: it has ended, and not everything that it was given is committed, so that it will be given again.
    pub async fn close(self) -> Result<(), CommitError> {
        self.consumer.shared().positions().settle();
        let until = self.deadline();
        self.desk.change(|state| state.leave = Some(Leave::Closed { until }));
        self.desk.until(|state| state.is_over).await;
        self.desk.look(|state| state.uncommitted.clone()).map_or(Ok(()), Err)
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        self.desk.change(|state| state.leave = state.leave.or(Some(Leave::Dropped)));
    }
}

/// What comes next.
enum Next {
    News(Polled),
    Piece(Taken),
    Failed(ConsumeError),
}

/// The program doesn't ask any more: it was given something, or gave up.
struct Away<'a> {
    desk: &'a Desk,
    client: &'a Client,
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        let now = self.client.world().clock.now();
        self.desk.change_quietly(|state: &mut State| state.goes(now));
    }
}
