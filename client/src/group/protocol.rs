//! What members tell each other through their coordinator: who wants what, and who has what.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use thalweg_messages::consumer_protocol::{
    self, ConsumerProtocolAssignment, ConsumerProtocolSubscription, assignment, subscription,
};
use thalweg_messages::join_group::{JoinGroupRequestProtocol, JoinGroupResponseMember};
use thalweg_wire::PartitionIndex;

use super::assignors::{Assignor, Given, Member, Place};
use super::desk::Partition;

/// With what a member owns, and since which generation (KIP-429, KIP-792).
const SUBSCRIPTION_VERSION: i16 = 3;

/// All versions are the same; the oldest is read by everybody.
const ASSIGNMENT_VERSION: i16 = 0;

/// What a member had, and in which generation it was given it.
#[derive(Clone, Default, Debug)]
pub(super) struct Had {
    pub(super) partitions: Vec<Partition>,
    pub(super) generation: Option<i32>,
}

/// What a member brings to the group, once for each way of sharing out that it knows, the one it likes best first.
pub(super) fn protocols(
    assignors: &[Assignor],
    topics: &[String],
    owned: &Had,
    had: &Had,
) -> Vec<JoinGroupRequestProtocol> {
    let mut topics = topics.to_vec();
    topics.sort();
    let places: Vec<Place> = had.partitions.iter().map(|(topic, partition)| (topic.to_string(), *partition)).collect();
    let last = had.generation.map(|generation| Given { generation, partitions: &places });
    let protocols = assignors.iter().map(|assignor| {
        let subscription = ConsumerProtocolSubscription {
            topics: topics.clone(),
            user_data: assignor.user_data(last),
            owned_partitions: by_topic(&owned.partitions, |topic, partitions| subscription::TopicPartition {
                topic,
                partitions,
            }),
            generation_id: owned.generation.unwrap_or(-1),
            rack_id: None,
        };
        let metadata = consumer_protocol::encode(&subscription, SUBSCRIPTION_VERSION).unwrap_or_default();
        let name = assignor.name().to_owned();
        JoinGroupRequestProtocol { name, metadata, ..JoinGroupRequestProtocol::default() }
    });
    protocols.collect()
}

fn by_topic<T>(partitions: &[Partition], each: impl Fn(String, Vec<PartitionIndex>) -> T) -> Vec<T> {
    let mut topics: BTreeMap<&str, Vec<PartitionIndex>> = BTreeMap::new();
    partitions.iter().for_each(|(topic, partition)| topics.entry(topic).or_default().push(*partition));
    topics.into_iter().map(|(topic, partitions)| each(topic.to_owned(), partitions)).collect()
}

/// The members of a group as their leader sees them. One that can't be understood wants nothing.
pub(super) fn members(assignor: Assignor, told: Vec<JoinGroupResponseMember>) -> Vec<Member> {
    let members = told.into_iter().map(|told| {
        let said = consumer_protocol::decode::<ConsumerProtocolSubscription>(&told.metadata).unwrap_or_else(|error| {
            tracing::warn!(member = %told.member_id, %error, "its subscription can't be read: it is given nothing");
            ConsumerProtocolSubscription::default()
        });
        assignor.member(told.member_id, told.group_instance_id, said)
    });
    members.collect()
}

/// What a member is given.
pub(super) fn assignment(partitions: &[(String, PartitionIndex)]) -> Bytes {
    let partitions: Vec<Partition> =
        partitions.iter().map(|(topic, partition)| (Arc::from(topic.as_str()), *partition)).collect();
    let assigned_partitions =
        by_topic(&partitions, |topic, partitions| assignment::TopicPartition { topic, partitions });
    let message = ConsumerProtocolAssignment { assigned_partitions, user_data: None };
    consumer_protocol::encode(&message, ASSIGNMENT_VERSION).unwrap_or_default()
}

/// What a member is given; nothing, where the leader said nothing.
pub(crate) fn assigned(bytes: &Bytes) -> Result<Vec<Partition>, String> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let told = consumer_protocol::decode::<ConsumerProtocolAssignment>(bytes).map_err(|error| error.to_string())?;
    let partitions = told.assigned_partitions.into_iter().flat_map(|told| {
        let topic: Arc<str> = Arc::from(told.topic);
        told.partitions.into_iter().map(move |partition| (topic.clone(), partition))
    });
    Ok(partitions.collect())
}
