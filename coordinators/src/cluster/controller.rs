//! The controller: decides what a command comes to, on the newest image.
//!
//! The driver holds an image that already has its own unfinished entries, and decides in turn; so two commands that
//! arrive together can't both create one topic.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use thalweg_messages::metadata_log::BrokerRegistered;
use thalweg_wire::{BrokerId, Moment, ProducerId, Uuid};

use super::create_topics::{self, CreateTopics, TopicReply};
use super::image::Image;
use super::producer_ids;
use super::records::Record;
use crate::machine::{Context, Decision, Machine};

/// What somebody wants of the cluster.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// A broker's process has started.
    RegisterBroker(BrokerStart),
    /// Topics are to be created: asked for, or made because a client named them.
    CreateTopics(CreateTopics),
    /// A broker needs ids for idempotent producers.
    AllocateProducerIds(BrokerId),
}

/// The answer to a command.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// To [`Command::RegisterBroker`]: the epoch that fences earlier processes of that broker.
    Registered(BrokerEpoch),
    /// To [`Command::CreateTopics`]: a reply for each name.
    Topics(Vec<TopicReply>),
    /// To [`Command::AllocateProducerIds`]: ids that nobody else is given.
    ProducerIds(Range<ProducerId>),
}

/// The number of a broker's registration; a later one has a larger number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BrokerEpoch(pub i64);

impl fmt::Display for BrokerEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A broker's process that announces itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrokerStart {
    /// Which broker it is.
    pub broker: BrokerId,
    /// Drawn anew by each start of the process.
    pub incarnation: Uuid,
    /// The ids of its log directories that are online.
    pub directories: Vec<Uuid>,
    /// How its last process ended.
    pub last_stop: LastStop,
}

/// How a broker's last process left its log directories.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LastStop {
    /// All of them were closed in order.
    Clean,
    /// At least one was not.
    Unclean,
}

/// What the controller is told by its node's settings.
#[derive(Clone)]
pub struct Policy {
    /// `num.partitions`.
    pub partitions: i32,
    /// `default.replication.factor`.
    pub replication_factor: i16,
    /// Judges the settings of topics.
    pub rules: Arc<dyn TopicRules>,
}

/// Knows which settings a topic may have.
pub trait TopicRules: Send + Sync {
    /// Whether a topic may have these settings, or in Kafka's words why not (INVALID_CONFIG).
    fn check(&self, settings: &BTreeMap<String, String>) -> Result<(), String>;
}

impl Machine for Image {
    type Command = Command;
    type Record = Record;
    type Reply = Reply;
    type Soft = Policy;
    type Now = Moment;

    fn decide(&self, policy: &mut Policy, _: Moment, command: Command) -> Decision<Image> {
        match command {
            Command::RegisterBroker(start) => register(self, start),
            Command::CreateTopics(request) => create_topics::decide(self, policy, request),
            Command::AllocateProducerIds(broker) => producer_ids::decide(self, broker),
        }
    }

    fn apply(&mut self, at: Context, record: &Record) {
        self.take(at, record);
    }

    fn image(&self) -> impl Iterator<Item = Record> {
        self.records()
    }
}

fn register(image: &Image, start: BrokerStart) -> Decision<Image> {
    let known = image.broker(start.broker).filter(|broker| broker.incarnation() == start.incarnation);
    if let Some(same) = known {
        // The same process asks again, because it didn't hear the answer.
        return Decision { records: Vec::new(), reply: Reply::Registered(same.epoch()) };
    }
    // The index of the entry that this will be: it only grows, so it fences whatever came before.
    let epoch = BrokerEpoch(image.applied().0 + 1);
    let record = BrokerRegistered {
        broker_id: start.broker,
        broker_epoch: epoch.0,
        incarnation_id: start.incarnation,
        directory_ids: start.directories,
        clean_shutdown: start.last_stop == LastStop::Clean,
        ..Default::default()
    };
    Decision { records: vec![record.into()], reply: Reply::Registered(epoch) }
}
