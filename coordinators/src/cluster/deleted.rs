//! Which topics were deleted lately: by this a journal's entry of a deleted topic is told from one of a topic that this
//! cluster never had.

use thalweg_wire::TopicId;

use crate::ordered::OrderedMap;

/// How many deleted topics are remembered.
///
/// An entry of a deleted topic stands in a journal no longer than until the next checkpoint of its directory, and the
/// deletion itself writes an entry there; so many deletions between two checkpoints are hardly possible. Were it to
/// happen, the directory would be called suspect, and nothing would be lost.
pub const DELETED_MAX: usize = 1 << 14;

/// The newest deleted topics.
#[derive(Clone, Default, Debug)]
pub(super) struct Deleted {
    in_order: OrderedMap<u64, TopicId>,
    by_id: OrderedMap<TopicId, ()>,
    next: u64,
}

impl Deleted {
    pub(super) fn remember(&mut self, topic: TopicId) {
        if self.by_id.insert(topic, ()).is_some() {
            return;
        }
        self.in_order.insert(self.next, topic);
        self.next += 1;
        if self.in_order.len() > DELETED_MAX
            && let Some((&oldest, &topic)) = self.in_order.first()
        {
            self.in_order.remove(&oldest);
            self.by_id.remove(&topic);
        }
    }

    pub(super) fn contains(&self, topic: TopicId) -> bool {
        self.by_id.find(&topic).is_some()
    }

    /// The oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = TopicId> {
        self.in_order.values().copied()
    }
}

/// How they are numbered doesn't matter, their order does.
impl PartialEq for Deleted {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::Uuid;

    #[test]
    fn the_newest_deletions_are_remembered_and_no_more() {
        let id = |number: u32| Uuid(u128::from(number).to_be_bytes());
        let mut deleted = Deleted::default();
        for number in 0..=DELETED_MAX as u32 {
            deleted.remember(id(number));
            deleted.remember(id(number));
        }
        assert_eq!(deleted.iter().count(), DELETED_MAX);
        assert!(!deleted.contains(id(0)));
        assert!(deleted.contains(id(1)) && deleted.contains(id(DELETED_MAX as u32)));
    }
}
