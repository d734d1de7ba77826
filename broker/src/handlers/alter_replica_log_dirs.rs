//! AlterReplicaLogDirs (key 34), versions 1-2.
//!
//! Moves a replica to another of the broker's log directories (KIP-113). There is one directory, so a replica either is
//! where it should be, or should go where nothing is.
//!
//! v2 flexible.

use thalweg_messages::alter_replica_log_dirs::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult, AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse,
};
use thalweg_wire::{ErrorCode, PartitionIndex};

use super::by_partition::ByPartition;
use super::{Api, Close, answerable, describe_log_dirs, resource};
use crate::broker::Shared;

/// The versions served.
pub const API: Api = Api::new(34, 1..=2);

/// Answers.
pub fn handle(shared: &Shared, request: AlterReplicaLogDirsRequest) -> Result<AlterReplicaLogDirsResponse, Close> {
    let topics = request.dirs.iter().flat_map(|folder| &folder.topics);
    resource::check_partitions(shared, topics.map(|topic| topic.partitions.len()).sum())?;
    let own = describe_log_dirs::log_dir(shared);
    let mut wanted = ByPartition::new();
    for folder in request.dirs {
        for topic in folder.topics {
            let name = answerable(topic.name.into())?.into_owned();
            let place = wanted.topic(name.clone());
            for index in topic.partitions {
                wanted.put(place, index, (index, outcome(shared, &own, &folder.path, &name, index)));
            }
        }
    }
    let (topics, partitions) = wanted.finish();
    let mut partitions = partitions.into_iter();
    let results = topics.into_iter().map(|topic| {
        let own = partitions.by_ref().take(topic.partitions);
        let partitions = own.map(|(partition_index, code): (_, ErrorCode)| AlterReplicaLogDirPartitionResult {
            partition_index,
            error_code: code.code(),
            ..AlterReplicaLogDirPartitionResult::default()
        });
        let partitions = partitions.collect();
        AlterReplicaLogDirTopicResult { topic_name: topic.key, partitions, ..Default::default() }
    });
    Ok(AlterReplicaLogDirsResponse { results: results.collect(), ..AlterReplicaLogDirsResponse::default() })
}

fn outcome(shared: &Shared, own: &str, folder: &str, topic: &str, index: PartitionIndex) -> ErrorCode {
    if folder != own {
        return ErrorCode::LogDirNotFound;
    }
    let is_there = shared.cluster.look(|image| image.topic(topic).is_some_and(|t| t.partition(index).is_some()));
    if is_there { ErrorCode::None } else { ErrorCode::UnknownTopicOrPartition }
}
