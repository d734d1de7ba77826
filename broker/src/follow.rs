//! What a change of settings means to what is alive: limits of connections, and partitions.
//!
//! Handlers read a topic's settings from the image each time, so most of a change acts by itself. What partitions took
//! over when they came to life has to be told to them: the rules of their files, and how much of them stays in memory.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use thalweg_coordinators::cluster::Resource;
use thalweg_wire::TopicPartition;

use crate::broker::Shared;
use crate::cluster::Topic;
use crate::partition::Partition;

impl Shared {
    /// The settings of these were changed, and the image has it. Ready when everything alive follows.
    pub async fn settings_changed(self: &Arc<Self>, of: impl Iterator<Item = &Resource>) {
        let (topics, brokers): (Vec<_>, Vec<_>) = of.partition(|of| of.kind == Resource::TOPIC);
        let partitions = if brokers.is_empty() {
            self.alive_of(topics.iter().map(|of| of.name.as_str()))
        } else {
            self.partitions.alive()
        };
        let shared = self.clone();
        // A partition's files may be in the middle of a write.
        self.world.offload(move || shared.tell(&partitions)).await;
    }

    /// One that has just come to life by a topic's settings that may have been changed meanwhile: whoever changed them
    /// could not find it yet. Its files are nobody else's, so this doesn't wait.
    pub fn catch_up(&self, partition: &Partition, known: &Arc<Topic>) {
        let mut known = known.clone();
        while let Some(newest) = self.cluster.topic_by_id(known.id()).filter(|newest| !Arc::ptr_eq(newest, &known)) {
            partition.follow(newest.settings());
            known = newest;
        }
    }

    fn alive_of<'a>(&self, topics: impl Iterator<Item = &'a str>) -> Vec<Arc<Partition>> {
        let ids: BTreeSet<TopicPartition> = self.cluster.look(|image| {
            let topics = topics.filter_map(|name| image.topic(name));
            let partitions = topics.flat_map(|topic| {
                let id = topic.id();
                topic.partitions().iter().map(move |one| TopicPartition { topic: id, partition: one.index() })
            });
            partitions.collect()
        });
        ids.into_iter().filter_map(|id| self.partitions.find(id)).collect()
    }

    /// Blocks.
    fn tell(&self, partitions: &[Arc<Partition>]) {
        // One at a time: of two changes, the one that reads last has the newest, and must not be overtaken.
        let _turn = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        self.connections.limit(self.cluster.settings().connections.clone());
        for partition in partitions {
            if let Some(topic) = self.cluster.topic_by_id(partition.id().topic) {
                partition.follow(topic.settings());
            }
        }
    }
}
