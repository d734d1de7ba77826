//! DescribeLogDirs (key 35), versions 1-5.
//!
//! What each log directory holds: its partitions with their bytes, and the room on its filesystem. A partition's bytes
//! are those of its records, in files and not yet there. Topics in memory lie in no directory. A partition that is named
//! and isn't there is left out, as in Kafka; no topics at all (null) are all of them.
//!
//! v2 flexible, v3 an error for the request, v4 the filesystem's size and free bytes (KIP-827), v5 cordoned directories
//! (KIP-1066); none is cordoned here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thalweg_messages::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeLogDirsResult,
    DescribeLogDirsTopic,
};
use thalweg_wire::{ErrorCode, PartitionIndex, TopicPartition};

use super::{Answer, Api, Close, Request, later, resource};
use crate::broker::Shared;
use crate::cluster::Topic;
use crate::partition::Durability;

/// The versions served.
pub const API: Api = Api::new(35, 1..=5);

/// Partitions of one topic.
type Wanted = (Arc<Topic>, Vec<PartitionIndex>);

/// Takes a request. Files are looked at when the answers before are given, on a thread that may block.
pub fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: DescribeLogDirsRequest = request.body()?;
    let named = body.topics.iter().flatten().map(|topic| topic.partitions.len()).sum();
    resource::check_partitions(shared, named)?;
    let (head, _, permit) = request.into_parts();
    let shared = shared.clone();
    Ok(later(head, async move {
        let _permit = permit;
        let wanted = wanted(&shared, body);
        let world = shared.world.clone();
        let result = world.offload(move || describe(&shared, wanted)).await;
        DescribeLogDirsResponse { results: vec![result], ..DescribeLogDirsResponse::default() }
    }))
}

/// Those that exist and lie in files, each once.
fn wanted(shared: &Shared, request: DescribeLogDirsRequest) -> Vec<Wanted> {
    let named: BTreeMap<String, BTreeSet<PartitionIndex>> = match request.topics {
        Some(topics) => {
            let mut named = BTreeMap::<String, BTreeSet<PartitionIndex>>::new();
            topics.into_iter().for_each(|topic| named.entry(topic.topic).or_default().extend(topic.partitions));
            named
        }
        None => {
            let image = shared.cluster.image();
            let all = image.topics().map(|topic| {
                let partitions = topic.partitions().iter().map(|partition| partition.index());
                (topic.name().to_string(), partitions.collect())
            });
            all.collect()
        }
    };
    let found = named.into_iter().filter_map(|(name, partitions)| {
        let topic = shared.cluster.topic(&name)?;
        let in_files = !matches!(topic.settings().durability(), Durability::Memory(_));
        let there: Vec<_> = partitions.into_iter().filter(|index| topic.partition(*index).is_some()).collect();
        (in_files && !there.is_empty()).then_some((topic, there))
    });
    found.collect()
}

/// Blocks.
fn describe(shared: &Shared, wanted: Vec<Wanted>) -> DescribeLogDirsResult {
    let folder = &shared.settings.directories.logs[0];
    let space = if shared.partitions.is_offline() {
        Err(std::io::Error::other("the directory is offline"))
    } else {
        shared.world.disk.space(folder)
    };
    let mut result =
        DescribeLogDirsResult { log_dir: folder.display().to_string(), ..DescribeLogDirsResult::default() };
    match space {
        Ok(space) => {
            let bytes = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
            (result.total_bytes, result.usable_bytes) = (bytes(space.total), bytes(space.free));
            result.topics = wanted.into_iter().map(|(topic, there)| describe_topic(shared, &topic, there)).collect();
        }
        Err(error) => {
            tracing::warn!(directory = %folder.display(), %error, "the directory can't be described");
            result.error_code = ErrorCode::KafkaStorageError.code();
        }
    }
    result
}

fn describe_topic(shared: &Shared, topic: &Topic, partitions: Vec<PartitionIndex>) -> DescribeLogDirsTopic {
    let partitions = partitions.into_iter().map(|partition_index| {
        let id = TopicPartition { topic: topic.id(), partition: partition_index };
        let bytes = match shared.partitions.find(id) {
            Some(alive) => alive.bytes(),
            // What can't be looked at is as good as empty; whoever reads it is told what is wrong.
            None => shared.dormant.bytes(topic, partition_index).unwrap_or(0),
        };
        DescribeLogDirsPartition {
            partition_index,
            partition_size: i64::try_from(bytes).unwrap_or(i64::MAX),
            ..DescribeLogDirsPartition::default()
        }
    });
    DescribeLogDirsTopic { name: topic.name().to_owned(), partitions: partitions.collect(), ..Default::default() }
}
