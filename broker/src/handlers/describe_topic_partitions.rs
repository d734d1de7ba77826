//! DescribeTopicPartitions (key 75), version 0.
//!
//! Topics with all their partitions, in the order of their names, a page at a time (KIP-966): the Java client's
//! `describeTopics`. A page holds as many partitions as the client asks for, one at least and
//! `max.request.partition.size.limit` at most, and may end inside of a topic; its cursor says where the next begins. A
//! cursor whose topic is gone begins with the next one. If topics are named, the cursor's must be among them.

use std::collections::BTreeSet;

use thalweg_coordinators::cluster::{Image, Partition, Topic, is_internal, validate_name};
use thalweg_messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic, NextCursor,
};
use thalweg_wire::{BrokerId, ErrorCode, PartitionIndex};

use super::Api;
use super::metadata::{NO_OPERATIONS, TOPIC_OPERATIONS};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(75, 0..=0);

/// Answers.
pub fn handle(shared: &Shared, request: DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let most = shared.settings.requests.partitions;
    let limit = usize::try_from(request.response_partition_limit).unwrap_or(0).min(most).max(1);
    let (named, cursor) = (request.topics, request.cursor);
    let names: BTreeSet<&str> = named.iter().map(|topic| topic.name.as_str()).collect();
    let is_lost = |cursor: &Cursor| {
        cursor.partition_index.0 < 0 || !(names.is_empty() || names.contains(cursor.topic_name.as_str()))
    };
    if cursor.as_ref().is_some_and(is_lost) {
        let topics = named.into_iter().map(|topic| unknown(topic.name, ErrorCode::InvalidRequest, NO_OPERATIONS));
        return DescribeTopicPartitionsResponse { topics: topics.collect(), ..Default::default() };
    }
    // A copy, so that a long answer holds nobody up.
    let image = shared.cluster.image();
    let mut page = Page { left: limit, response: DescribeTopicPartitionsResponse::default() };
    let from = cursor.as_ref().map_or("", |cursor| cursor.topic_name.as_str());
    let first = |name: &str| match &cursor {
        Some(cursor) if cursor.topic_name == name => cursor.partition_index,
        _ => PartitionIndex(0),
    };
    if names.is_empty() {
        let all = image.topics().skip_while(|topic| &**topic.name() < from);
        fill(&mut page, all.map(|topic| Wanted { name: topic.name(), topic: Some(topic) }), first);
    } else {
        let wanted = names.range(from..).map(|name| Wanted { name, topic: find(&image, name) });
        fill(&mut page, wanted, first);
    }
    page.response
}

/// A topic of the request, or of all.
struct Wanted<'a> {
    name: &'a str,
    topic: Option<&'a Topic>,
}

/// An answer, and for how many partitions there is room.
struct Page {
    left: usize,
    response: DescribeTopicPartitionsResponse,
}

fn find<'a>(image: &'a Image, name: &str) -> Option<&'a Topic> {
    image.topic(name).map(|topic| &**topic)
}

fn fill<'a>(page: &mut Page, wanted: impl Iterator<Item = Wanted<'a>>, first: impl Fn(&str) -> PartitionIndex) {
    for Wanted { name, topic } in wanted {
        if page.left == 0 {
            return page.end(name, PartitionIndex(0));
        }
        match topic {
            Some(topic) => {
                if let Some(next) = page.take(topic, first(name)) {
                    return page.end(name, next);
                }
            }
            None => {
                let known_word = validate_name(name).is_ok();
                let error =
                    if known_word { ErrorCode::UnknownTopicOrPartition } else { ErrorCode::InvalidTopicException };
                page.response.topics.push(unknown(name.to_owned(), error, TOPIC_OPERATIONS));
            }
        }
    }
}

impl Page {
    /// Takes a topic's partitions from one on; the first for which there is no room.
    fn take(&mut self, topic: &Topic, first: PartitionIndex) -> Option<PartitionIndex> {
        let mut partitions = topic.partitions().iter().filter(|partition| partition.index() >= first);
        let taken: Vec<_> = partitions.by_ref().take(self.left).map(describe).collect();
        self.left -= taken.len();
        self.response.topics.push(DescribeTopicPartitionsResponseTopic {
            name: Some(topic.name().to_string()),
            topic_id: topic.id(),
            is_internal: topic.is_internal(),
            partitions: taken,
            topic_authorized_operations: TOPIC_OPERATIONS,
            ..Default::default()
        });
        partitions.next().map(Partition::index)
    }

    fn end(&mut self, topic: &str, partition_index: PartitionIndex) {
        let next = NextCursor { topic_name: topic.to_owned(), partition_index, ..NextCursor::default() };
        self.response.next_cursor = Some(next);
    }
}

fn describe(partition: &Partition) -> DescribeTopicPartitionsResponsePartition {
    let has_leader = partition.leader() != BrokerId::NONE;
    DescribeTopicPartitionsResponsePartition {
        error_code: if has_leader { 0 } else { ErrorCode::LeaderNotAvailable.code() },
        partition_index: partition.index(),
        leader_id: partition.leader(),
        leader_epoch: partition.leader_epoch(),
        replica_nodes: partition.replicas().iter().map(|replica| replica.broker).collect(),
        isr_nodes: partition.in_sync().to_vec(),
        eligible_leader_replicas: Some(partition.eligible_leaders().to_vec()),
        last_known_elr: Some(partition.last_known_eligible_leaders().to_vec()),
        ..Default::default()
    }
}

fn unknown(name: String, error: ErrorCode, operations: i32) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic {
        error_code: error.code(),
        is_internal: operations != NO_OPERATIONS && is_internal(&name),
        name: Some(name),
        topic_authorized_operations: operations,
        ..Default::default()
    }
}
