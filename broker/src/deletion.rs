//! What becomes of a deleted topic's data.
//!
//! The metadata is the truth: a topic is gone when its removal is durable there, and nothing physical happens before. Then,
//! before anybody is answered and before its name can be given again: its partitions leave the table, and whoever waits
//! at one is told; the checkpoint files forget them; their folders get the names under which Kafka keeps what is to be
//! deleted, durably. The files themselves go behind that, one folder at a time. What a crash leaves of all this is found
//! by the next start ([`crate::dormant`]).

use std::path::PathBuf;
use std::sync::Arc;

use thalweg_coordinators::cluster;
use thalweg_log::files::Files;
use thalweg_log::removal;
use thalweg_log::segment::names::PartitionName;
use thalweg_log::write_out::Logs;
use thalweg_wire::TopicPartition;
use thalweg_world::{BoxFuture, World};

use crate::cluster::Departures;
use crate::dormant::Dormant;
use crate::partitions::Partitions;

/// Takes deleted topics out of the broker and off the disk. Cheap to clone.
#[derive(Clone)]
pub struct Deletion {
    world: World,
    partitions: Arc<Partitions>,
    dormant: Dormant,
}

impl Deletion {
    /// For the partitions of one log directory.
    pub fn new(world: World, partitions: Arc<Partitions>, dormant: Dormant) -> Deletion {
        Deletion { world, partitions, dormant }
    }

    /// Takes folders away that are already out of the way. What is left when the broker ends goes at the next start, of
    /// ours or of a Kafka.
    pub fn remove_behind(&self, folders: Vec<PathBuf>) {
        let world = self.world.clone();
        tokio::spawn(async move {
            for folder in folders {
                let (disk, path) = (world.disk.clone(), folder.clone());
                if let Err(error) = world.offload(move || removal::remove(&*disk, &path)).await {
                    tracing::warn!(folder = %folder.display(), %error, "what is left of a deleted partition stays for now");
                }
            }
        });
    }

    async fn take_away(self, topics: Vec<Arc<cluster::Topic>>) {
        let ids = topics.iter().flat_map(|topic| {
            let indexes = topic.partitions().iter().map(|partition| partition.index());
            indexes.map(|partition| TopicPartition { topic: topic.id(), partition })
        });
        let alive: Vec<Arc<Files>> = self.partitions.delete(ids).iter().filter_map(|left| left.files()).collect();
        let names: Vec<PartitionName> = topics.iter().flat_map(|topic| names_of(topic)).collect();
        // Whoever opens one of these folders now has finished before it moves.
        let turn = self.dormant.turn().await;
        let dormant = self.dormant.clone();
        let moved = self.world.offload(move || dormant.put_aside(&alive, &names)).await;
        drop(turn);
        match moved {
            Ok(folders) => self.remove_behind(folders),
            Err(error) => Logs::failed(&*self.partitions, &format!("a deleted topic's folder can't be moved: {error}")),
        }
    }
}

impl Departures for Deletion {
    fn departed(&self, topics: Vec<Arc<cluster::Topic>>) -> BoxFuture<'static, ()> {
        Box::pin(self.clone().take_away(topics))
    }
}

fn names_of(topic: &cluster::Topic) -> impl Iterator<Item = PartitionName> {
    let name = |partition: &cluster::Partition| PartitionName {
        topic: topic.name().to_string(),
        partition: partition.index(),
    };
    topic.partitions().iter().map(name)
}
