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

/// Partitions that are looked at in one job of a thread that may block; others get their turn in between.
const AT_ONCE: usize = 256;

/// Takes a request. Files are looked at when the answers before are given, by one such request at a time, and no further
/// once its connection is about to end.
pub fn handle(shared: &Arc<Shared>, request: Request) -> Result<Answer, Close> {
    let body: DescribeLogDirsRequest = request.body()?;
    let named = body.topics.iter().flatten().map(|topic| topic.partitions.len().max(1)).sum();
    resource::check_partitions(shared, named)?;
    let wanted = wanted(shared, body);
    let (head, _, permit) = request.into_parts();
    let (shared, mut ending) = (shared.clone(), head.ending.clone());
    Ok(later(head, async move {
        let _permit = permit;
        let result = tokio::select! {
            biased;
            () = ending.begun() => failed(&shared, "nobody waits for it any more"),
            result = describe(&shared, wanted) => result,
        };
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

async fn describe(shared: &Arc<Shared>, wanted: Vec<Wanted>) -> DescribeLogDirsResult {
    let _turn = shared.log_dirs.lock().await;
    let space = {
        let (world, folder) = (shared.world.clone(), shared.settings.directories.logs[0].clone());
        shared.world.offload(move || world.disk.space(&folder)).await
    };
    let space = match space {
        Ok(space) if !shared.partitions.is_offline() => space,
        Ok(_) => return failed(shared, "a write failed"),
        Err(error) => return failed(shared, &error.to_string()),
    };
    let mut topics = Vec::with_capacity(wanted.len());
    for (topic, partitions) in wanted {
        let mut described = Vec::with_capacity(partitions.len());
        for some in partitions.chunks(AT_ONCE) {
            let (looked_at, of, some) = (shared.clone(), topic.clone(), some.to_vec());
            described.extend(shared.world.offload(move || describe_partitions(&looked_at, &of, some)).await);
        }
        let (name, partitions) = (topic.name().to_owned(), described);
        topics.push(DescribeLogDirsTopic { name, partitions, ..DescribeLogDirsTopic::default() });
    }
    let bytes = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
    DescribeLogDirsResult {
        log_dir: log_dir(shared),
        topics,
        total_bytes: bytes(space.total),
        usable_bytes: bytes(space.free),
        ..DescribeLogDirsResult::default()
    }
}

/// As clients have to name it.
pub(super) fn log_dir(shared: &Shared) -> String {
    let folder = &shared.settings.directories.logs[0];
    shared.world.disk.absolute(folder).unwrap_or_else(|_| folder.clone()).display().to_string()
}

fn failed(shared: &Shared, reason: &str) -> DescribeLogDirsResult {
    let log_dir = log_dir(shared);
    tracing::warn!(directory = log_dir, reason, "the directory can't be described");
    DescribeLogDirsResult {
        error_code: ErrorCode::KafkaStorageError.code(),
        log_dir,
        ..DescribeLogDirsResult::default()
    }
}

/// Blocks.
fn describe_partitions(
    shared: &Shared,
    topic: &Topic,
    partitions: Vec<PartitionIndex>,
) -> Vec<DescribeLogDirsPartition> {
    let described = partitions.into_iter().map(|partition_index| {
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
    described.collect()
}
