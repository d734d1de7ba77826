//! The cluster: which brokers there are, which topics, who leads what, which features are on.
//!
//! [`Image`] is all of it at one index of the metadata log, changed by [`Record`]s alone. The [`controller`] decides what
//! a command comes to. One entry of the metadata log is one list of records ([`records::encode`]): a topic, its settings
//! and its partitions appear together.

mod alter_configs;
mod assignment;
pub mod controller;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod deleted;
mod image;
mod names;
mod producer_ids;
pub mod records;
mod topic;

pub use alter_configs::{AlterConfigs, AlterConfigsError, Alteration, Intent, Operation, Others};
pub use controller::{BrokerEpoch, BrokerStart, Command, LastStop, Policy, Reply, SettingRules};
pub use create_partitions::{CreatePartitions, CreatePartitionsError, MorePartitions, PartitionsReply};
pub use create_topics::{
    Assignment, CreateTopicError, CreateTopics, Created, Effect, NewTopic, PARTITIONS_PER_REQUEST_MAX, TopicReply,
};
pub use delete_topics::{DeleteReply, DeleteTopicError, NamedTopic};
pub use deleted::DELETED_MAX;
pub use image::{Broker, Image, Resource, Standing};
pub use names::{NAME_LENGTH_MAX, TopicNameError, is_internal, validate_name};
pub use producer_ids::PRODUCER_IDS_PER_BLOCK;
pub use records::{Malformed, Record};
pub use topic::{Partition, Replica, Topic};
