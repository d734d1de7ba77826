//! The partitions that came to life: those that were touched, and those that have records.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use thalweg_log::lane::{self, Written};
use thalweg_log::log::Mark;
use thalweg_log::write_out::{Logs, Pending, WriteOut};
use thalweg_wire::{Offset, TopicPartition};

use crate::partition::Partition;
use crate::waiters::Wakes;

/// Partitions by id. The ids are the broker's own, so nobody can choose them to collide.
pub struct Partitions {
    table: RwLock<Table>,
    write_out: WriteOut,
}

#[derive(Default)]
struct Table {
    alive: HashMap<TopicPartition, Arc<Partition>>,
    /// A write failed: what comes to life from now on is offline from the start.
    offline: bool,
}

impl Partitions {
    /// No partition yet; `write_out` brings their records to files.
    pub fn new(write_out: WriteOut) -> Partitions {
        Partitions { table: RwLock::default(), write_out }
    }

    /// The partition, if it has come to life.
    pub fn find(&self, id: TopicPartition) -> Option<Arc<Partition>> {
        self.table.read().expect(UNPOISONED).alive.get(&id).cloned()
    }

    /// Lets a partition come to life, unless it is alive already: the one that is; `None` if its topic doesn't exist (any
    /// more).
    ///
    /// That is asked under the table's lock: a topic leaves the metadata before its partitions leave the table, so none
    /// comes to life behind them.
    pub fn find_or_add(&self, made: Partition, exists: impl FnOnce() -> bool) -> Option<Arc<Partition>> {
        let mut table = self.table.write().expect(UNPOISONED);
        if !exists() {
            return None;
        }
        let (id, offline) = (made.id(), table.offline);
        let come_to_life = || {
            if offline {
                let mut nobody = Wakes::default();
                made.failed(&mut nobody);
            }
            Arc::new(made)
        };
        Some(table.alive.entry(id).or_insert_with(come_to_life).clone())
    }

    /// Partitions whose topic was deleted leave: who waits for them is told, and they take nothing any more.
    pub fn delete(&self, ids: impl IntoIterator<Item = TopicPartition>) -> Vec<Arc<Partition>> {
        let left: Vec<_> = {
            let mut table = self.table.write().expect(UNPOISONED);
            ids.into_iter().filter_map(|id| table.alive.remove(&id)).collect()
        };
        let mut wakes = Wakes::default();
        let unwritten = left.iter().map(|partition| partition.deleted(&mut wakes)).sum();
        self.write_out.gone(unwritten);
        self.settle(wakes);
        left
    }

    /// All that are alive, in the order of their ids.
    pub fn alive(&self) -> Vec<Arc<Partition>> {
        let mut alive: Vec<_> = self.table.read().expect(UNPOISONED).alive.values().cloned().collect();
        alive.sort_unstable_by_key(|partition| partition.id());
        alive
    }

    /// Tells each partition what became stable with the frames up to `through`, and then wakes who waits.
    pub fn stored(&self, through: u64, marks: impl Iterator<Item = Mark>) {
        let mut wakes = Wakes::default();
        let table = self.table.read().expect(UNPOISONED);
        for mark in marks {
            if let Some(partition) = table.alive.get(&mark.log) {
                partition.stored(through, mark, &mut wakes);
            }
        }
        drop(table);
        self.settle(wakes);
        self.write_out.committed(through);
    }

    /// Wakes who waits, and tells the writer of files what there is to do.
    pub fn settle(&self, mut wakes: Wakes) {
        let listed = wakes.take_listed();
        if !listed.is_empty() {
            self.write_out.dirty(listed);
        }
        wakes.fire();
    }

    /// Whether a write of the directory failed.
    pub fn is_offline(&self) -> bool {
        self.table.read().expect(UNPOISONED).offline
    }

    /// A write of the directory failed: all of its partitions go offline.
    pub fn offline(&self) {
        // Before the partitions hear of it: no checkpoint may pass what they give up.
        self.write_out.fail();
        let mut wakes = Wakes::default();
        let mut table = self.table.write().expect(UNPOISONED);
        table.offline = true;
        table.alive.values().for_each(|partition| partition.failed(&mut wakes));
        drop(table);
        self.settle(wakes);
    }
}

impl lane::Logs for Partitions {
    fn written(&self, log: TopicPartition, written: Written) {
        if let Some(partition) = self.find(log) {
            let mut wakes = Wakes::default();
            partition.written(written, &mut wakes);
            self.settle(wakes);
        }
    }
}

impl Logs for Partitions {
    fn pending(&self, log: TopicPartition) -> Option<Pending> {
        self.find(log)?.pending()
    }

    fn placed(&self, log: TopicPartition, generation: u32, end: Offset) -> usize {
        let Some(partition) = self.find(log) else { return 0 };
        let mut wakes = Wakes::default();
        let bytes = partition.placed(generation, end, &mut wakes);
        self.settle(wakes);
        bytes
    }

    fn failed(&self, reason: &str) {
        tracing::error!(reason, "the log directory is offline: no write can be trusted any more; restart to recover");
        self.offline();
    }
}

const UNPOISONED: &str = "no code panics while it holds the table of partitions";
