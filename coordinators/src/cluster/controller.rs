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

use super::alter_configs::{self, AlterConfigs, AlterConfigsError};
use super::create_partitions::{self, CreatePartitions, PartitionsReply};
use super::create_topics::{self, CreateTopics, TopicReply};
use super::delete_topics::{self, DeleteReply, NamedTopic};
use super::image::{Image, Resource};
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
    /// Settings of topics and brokers are to be changed.
    AlterConfigs(AlterConfigs),
    /// A broker needs ids for idempotent producers.
    AllocateProducerIds(BrokerId),
    /// Topics are to be deleted.
    DeleteTopics(Vec<NamedTopic>),
    /// Topics are to have more partitions.
    CreatePartitions(CreatePartitions),
}

/// The answer to a command.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// To [`Command::RegisterBroker`]: the epoch that fences earlier processes of that broker.
    Registered(BrokerEpoch),
    /// To [`Command::CreateTopics`]: a reply for each name.
    Topics(Vec<TopicReply>),
    /// To [`Command::AlterConfigs`]: what became of each resource, in the order of the command.
    Configs(Vec<Result<(), AlterConfigsError>>),
    /// To [`Command::AllocateProducerIds`]: ids that nobody else is given.
    ProducerIds(Range<ProducerId>),
    /// To [`Command::DeleteTopics`]: a reply for each topic, in no order.
    Deleted(Vec<DeleteReply>),
    /// To [`Command::CreatePartitions`]: a reply for each name, in no order.
    Partitions(Vec<PartitionsReply>),
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
    /// Judges settings.
    pub rules: Arc<dyn SettingRules>,
}

/// Knows which settings there are, and what they may be in a cluster as it stands.
pub trait SettingRules: Send + Sync {
    /// Whether a topic may have these settings, or in Kafka's words why not (INVALID_CONFIG). A topic that exists has
    /// those before.
    fn check_topic(
        &self,
        cluster: &Image,
        before: Option<&BTreeMap<String, String>>,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), String>;

    /// Whether a broker, or all of them for the empty name, may have these settings while it runs, or in Kafka's words
    /// why not (INVALID_REQUEST).
    fn check_broker(&self, cluster: &Image, name: &str, settings: &BTreeMap<String, String>) -> Result<(), String>;

    /// What a list is when nobody says anything; `None`: the setting is no list, or there is none of that name.
    fn list_default(&self, of: &Resource, name: &str) -> Option<String>;
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
            Command::AlterConfigs(request) => alter_configs::decide(self, policy, &request),
            Command::AllocateProducerIds(broker) => producer_ids::decide(self, broker),
            Command::DeleteTopics(topics) => delete_topics::decide(self, topics),
            Command::CreatePartitions(request) => create_partitions::decide(self, request),
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
