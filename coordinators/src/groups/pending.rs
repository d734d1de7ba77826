//! Ids that were given out to clients that have not come again with them, and how long they may take.

use std::collections::BTreeMap;
use std::sync::Arc;

use thalweg_wire::Moment;

use super::weight;

/// The pending ids of a group.
#[derive(Default, Debug)]
pub(super) struct Pending {
    until: BTreeMap<Arc<str>, Moment>,
    bytes: usize,
}

impl Pending {
    pub(super) fn len(&self) -> usize {
        self.until.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.until.contains_key(id)
    }

    /// What they take in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The same, counted anew.
    pub(super) fn recounted(&self) -> usize {
        self.until.keys().map(|id| weight::pending(id)).sum()
    }

    pub(super) fn insert(&mut self, id: Arc<str>, until: Moment) {
        let weight = weight::pending(&id);
        if self.until.insert(id, until).is_none() {
            self.bytes += weight;
        }
    }

    /// The id, if it was given out.
    pub(super) fn remove(&mut self, id: &str) -> Option<Arc<str>> {
        let (id, _) = self.until.remove_entry(id)?;
        self.bytes -= weight::pending(&id);
        Some(id)
    }

    pub(super) fn clear(&mut self) {
        *self = Pending::default();
    }

    /// When the first of them has taken too long.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.until.values().min().copied()
    }

    /// Those that have taken too long.
    pub(super) fn overdue(&self, now: Moment) -> Vec<Arc<str>> {
        self.until.iter().filter(|&(_, &until)| until <= now).map(|(id, _)| id.clone()).collect()
    }
}
