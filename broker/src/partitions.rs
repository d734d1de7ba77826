//! The partitions that came to life: those that were touched, and those that have records.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use thalweg_log::log::Mark;
use thalweg_wire::TopicPartition;

use crate::partition::Partition;
use crate::waiters::Wakes;

/// Partitions by id. The ids are the broker's own, so nobody can choose them to collide.
#[derive(Default)]
pub struct Partitions {
    alive: RwLock<HashMap<TopicPartition, Arc<Partition>>>,
}

impl Partitions {
    /// The partition, if it has come to life.
    pub fn find(&self, id: TopicPartition) -> Option<Arc<Partition>> {
        self.alive.read().expect(UNPOISONED).get(&id).cloned()
    }

    /// The partition, brought to life if need be.
    pub fn find_or_make(&self, id: TopicPartition, make: impl FnOnce() -> Partition) -> Arc<Partition> {
        if let Some(partition) = self.find(id) {
            return partition;
        }
        let mut alive = self.alive.write().expect(UNPOISONED);
        alive.entry(id).or_insert_with(|| Arc::new(make())).clone()
    }

    /// Tells each partition what became stable, and then wakes who waits.
    pub fn stored(&self, marks: impl Iterator<Item = Mark>) {
        let mut wakes = Wakes::default();
        let alive = self.alive.read().expect(UNPOISONED);
        for mark in marks {
            if let Some(partition) = alive.get(&mark.log) {
                partition.stored(mark, &mut wakes);
            }
        }
        drop(alive);
        wakes.fire();
    }

    /// A write of the directory failed: all of its partitions go offline.
    pub fn failed(&self) {
        let mut wakes = Wakes::default();
        let alive = self.alive.read().expect(UNPOISONED);
        alive.values().for_each(|partition| partition.failed(&mut wakes));
        drop(alive);
        wakes.fire();
    }
}

const UNPOISONED: &str = "no code panics while it holds the table of partitions";
