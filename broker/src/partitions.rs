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
    table: RwLock<Table>,
}

#[derive(Default)]
struct Table {
    alive: HashMap<TopicPartition, Arc<Partition>>,
    /// A write failed: what comes to life from now on is offline from the start.
    offline: bool,
}

impl Partitions {
    /// The partition, if it has come to life.
    pub fn find(&self, id: TopicPartition) -> Option<Arc<Partition>> {
        self.table.read().expect(UNPOISONED).alive.get(&id).cloned()
    }

    /// The partition, brought to life if need be.
    pub fn find_or_make(&self, id: TopicPartition, make: impl FnOnce() -> Partition) -> Arc<Partition> {
        if let Some(partition) = self.find(id) {
            return partition;
        }
        let mut table = self.table.write().expect(UNPOISONED);
        let offline = table.offline;
        let come_to_life = || {
            let partition = make();
            if offline {
                let mut nobody = Wakes::default();
                partition.failed(&mut nobody);
            }
            Arc::new(partition)
        };
        table.alive.entry(id).or_insert_with(come_to_life).clone()
    }

    /// Tells each partition what became stable, and then wakes who waits.
    pub fn stored(&self, marks: impl Iterator<Item = Mark>) {
        let mut wakes = Wakes::default();
        let table = self.table.read().expect(UNPOISONED);
        for mark in marks {
            if let Some(partition) = table.alive.get(&mark.log) {
                partition.stored(mark, &mut wakes);
            }
        }
        drop(table);
        wakes.fire();
    }

    /// Whether a write of the directory failed.
    pub fn is_offline(&self) -> bool {
        self.table.read().expect(UNPOISONED).offline
    }

    /// A write of the directory failed: all of its partitions go offline.
    pub fn failed(&self) {
        let mut wakes = Wakes::default();
        let mut table = self.table.write().expect(UNPOISONED);
        table.offline = true;
        table.alive.values().for_each(|partition| partition.failed(&mut wakes));
        drop(table);
        wakes.fire();
    }
}

const UNPOISONED: &str = "no code panics while it holds the table of partitions";
