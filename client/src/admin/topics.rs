//! Topics: made, described, given more partitions, emptied, deleted.

use std::collections::BTreeMap;
use std::time::Duration;

use thalweg_messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use thalweg_messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use thalweg_messages::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use thalweg_messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use thalweg_messages::metadata::MetadataTopic;
use thalweg_wire::{BrokerId, ErrorCode, LeaderEpoch, Offset, PartitionIndex, Uuid};

use super::{Admin, Mode, Outcomes, Refused, in_order};
use crate::cluster::{ClientError, Purpose};

/// How long a broker may take for a change, of the time that a request has.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A topic to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// `None`: as many as the broker makes by default.
    pub partitions: Option<i32>,
    /// `None`: as the broker makes them by default.
    pub replication_factor: Option<i16>,
    /// Settings that are its own.
    pub configs: BTreeMap<String, String>,
}

impl NewTopic {
    /// A topic with the broker's defaults.
    pub fn named(name: &str) -> NewTopic {
        NewTopic { name: name.to_owned(), partitions: None, replication_factor: None, configs: BTreeMap::new() }
    }
}

/// A topic that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreatedTopic {
    /// Its id; zero where the broker has none.
    pub id: Uuid,
    /// Its partitions; -1 where the broker doesn't tell.
    pub partitions: i32,
    /// Replicas of each; -1 where the broker doesn't tell.
    pub replication_factor: i16,
}

/// A topic in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicListing {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: usize,
    /// Replicas of each; of the partition that has most.
    pub replication_factor: usize,
    /// Whether it is one of the cluster's own.
    pub is_internal: bool,
}

/// A topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicDescription {
    /// Its name.
    pub name: String,
    /// Its id; zero where the broker has none.
    pub id: Uuid,
    /// Whether it is one of the cluster's own.
    pub is_internal: bool,
    /// Its partitions, by number.
    pub partitions: Vec<PartitionDescription>,
}

/// A partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartitionDescription {
    /// Its number.
    pub index: PartitionIndex,
    /// Who leads it; -1: nobody.
    pub leader: BrokerId,
    /// The leader's epoch; -1 where the broker doesn't tell.
    pub leader_epoch: LeaderEpoch,
    /// Who has it, who should lead first.
    pub replicas: Vec<BrokerId>,
    /// Who of them has all of it.
    pub in_sync: Vec<BrokerId>,
}

fn timeout_ms() -> i32 {
    i32::try_from(TIMEOUT.as_millis()).unwrap_or(i32::MAX)
}

impl Admin {
    /// Makes topics.
    ///
    /// # Errors
    /// [`ClientError`]; then nobody knows which were made.
    pub async fn create_topics(
        &self,
        topics: impl IntoIterator<Item = NewTopic>,
        mode: Mode,
    ) -> Result<Outcomes<CreatedTopic>, ClientError> {
        let topics = topics.into_iter().map(|topic| CreatableTopic {
            name: topic.name,
            num_partitions: topic.partitions.unwrap_or(-1),
            replication_factor: topic.replication_factor.unwrap_or(-1),
            configs: topic.configs.into_iter().map(config).collect(),
            ..CreatableTopic::default()
        });
        let request = CreateTopicsRequest {
            topics: topics.collect(),
            timeout_ms: timeout_ms(),
            validate_only: mode == Mode::Check,
            ..CreateTopicsRequest::default()
        };
        let names = request.topics.iter().map(|topic| topic.name.clone()).collect();
        let response = self.ask_controller(&request).await?;
        let outcomes = response.topics.into_iter().map(|told| {
            let made = CreatedTopic {
                id: told.topic_id,
                partitions: told.num_partitions,
                replication_factor: told.replication_factor,
            };
            (told.name, Refused::check(told.error_code, told.error_message.as_deref()).map(|()| made))
        });
        Ok(in_order(names, outcomes))
    }

    /// Deletes topics, with all that is in them.
    ///
    /// # Errors
    /// [`ClientError`]; then nobody knows which are gone.
    pub async fn delete_topics(&self, names: &[&str]) -> Result<Outcomes<()>, ClientError> {
        let named = |name: &&str| DeleteTopicState { name: Some((*name).to_owned()), ..DeleteTopicState::default() };
        let mut request = DeleteTopicsRequest { timeout_ms: timeout_ms(), ..DeleteTopicsRequest::default() };
        let controller = self.client.metadata(Some(&[])).await?.controller_id;
        let connection = self.client.connection_to(controller, Purpose::Requests).await?;
        // Older versions have a field of their own for names.
        let version = connection.version_of::<DeleteTopicsRequest>(i16::MAX)?;
        match version {
            6.. => request.topics = names.iter().map(named).collect(),
            _ => request.topic_names = names.iter().map(|name| (*name).to_owned()).collect(),
        }
        let response = connection.call_at(&request, version).await?;
        let outcomes = response.responses.into_iter().map(|told| {
            (told.name.unwrap_or_default(), Refused::check(told.error_code, told.error_message.as_deref()))
        });
        Ok(in_order(names.iter().map(|name| (*name).to_owned()).collect(), outcomes))
    }

    /// Gives topics more partitions: so many in all.
    ///
    /// # Errors
    /// [`ClientError`]; then nobody knows which were made.
    pub async fn create_partitions(&self, counts: &[(&str, i32)], mode: Mode) -> Result<Outcomes<()>, ClientError> {
        let topics = counts.iter().map(|(name, count)| CreatePartitionsTopic {
            name: (*name).to_owned(),
            count: *count,
            assignments: None,
            ..CreatePartitionsTopic::default()
        });
        let request = CreatePartitionsRequest {
            topics: topics.collect(),
            timeout_ms: timeout_ms(),
            validate_only: mode == Mode::Check,
            ..CreatePartitionsRequest::default()
        };
        let response = self.ask_controller(&request).await?;
        let outcomes = response
            .results
            .into_iter()
            .map(|told| (told.name, Refused::check(told.error_code, told.error_message.as_deref())));
        Ok(in_order(counts.iter().map(|(name, _)| (*name).to_owned()).collect(), outcomes))
    }

    /// Every topic, by name.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn topics(&self) -> Result<Vec<TopicListing>, ClientError> {
        let response = self.client.metadata(None).await?;
        let mut listed: Vec<TopicListing> = response
            .topics
            .into_iter()
            .map(|told| TopicListing {
                partitions: told.partitions.len(),
                replication_factor: told.partitions.iter().map(|each| each.replica_nodes.len()).max().unwrap_or(0),
                is_internal: told.is_internal,
                name: told.name.unwrap_or_default(),
            })
            .collect();
        listed.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(listed)
    }

    /// Topics with their partitions. Asking makes none.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn describe_topics(&self, names: &[&str]) -> Result<Outcomes<TopicDescription>, ClientError> {
        let response = self.client.metadata_of_those_there(names).await?;
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(in_order(names, response.topics.into_iter().map(described)))
    }

    /// Every topic with its partitions, by name.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn describe_every_topic(&self) -> Result<Vec<TopicDescription>, ClientError> {
        let response = self.client.metadata(None).await?;
        // One that was deleted just now is in the answer with an error.
        let mut topics: Vec<_> = response.topics.into_iter().filter_map(|told| described(told).1.ok()).collect();
        topics.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(topics)
    }

    /// Deletes the records of a partition below an offset (`None`: all that are there now), and answers with its new
    /// beginning.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::Refused`] if the partition says no.
    pub async fn delete_records(
        &self,
        topic: &str,
        partition: PartitionIndex,
        below: Option<Offset>,
    ) -> Result<Offset, ClientError> {
        let leader = self.client.leader(topic, partition, self.deadline()).await?;
        let partitions = vec![DeleteRecordsPartition {
            partition_index: partition,
            offset: below.unwrap_or(Offset(-1)),
            ..DeleteRecordsPartition::default()
        }];
        let topics = vec![DeleteRecordsTopic { name: topic.to_owned(), partitions, ..DeleteRecordsTopic::default() }];
        let request = DeleteRecordsRequest { topics, timeout_ms: timeout_ms(), ..DeleteRecordsRequest::default() };
        let connection = self.client.connection_to(leader.broker, Purpose::Requests).await?;
        let response = connection.call(&request).await?;
        let told = response.topics.first().and_then(|told| told.partitions.first());
        match told.map(|told| (ErrorCode::from_code(told.error_code), told.low_watermark)) {
            Some((Some(ErrorCode::None), start)) => Ok(start),
            other => {
                let code = other.and_then(|(code, _)| code).unwrap_or(ErrorCode::UnknownServerError);
                Err(ClientError::Refused { code, what: format!("deleting records of {topic}/{partition}") })
            }
        }
    }
}

fn config((name, value): (String, String)) -> CreatableTopicConfig {
    CreatableTopicConfig { name, value: Some(value), ..CreatableTopicConfig::default() }
}

fn described(told: MetadataTopic) -> (String, Result<TopicDescription, Refused>) {
    let name = told.name.unwrap_or_default();
    let partitions = told.partitions.into_iter().map(|partition| PartitionDescription {
        index: partition.partition_index,
        leader: partition.leader_id,
        leader_epoch: partition.leader_epoch,
        replicas: partition.replica_nodes,
        in_sync: partition.isr_nodes,
    });
    let mut partitions: Vec<PartitionDescription> = partitions.collect();
    partitions.sort_by_key(|partition| partition.index);
    let topic = TopicDescription { name: name.clone(), id: told.topic_id, is_internal: told.is_internal, partitions };
    (name, Refused::check(told.error_code, None).map(|()| topic))
}
