//! How far a partition is acknowledged: the mark below which no record is lost while enough replicas live.

use thalweg_wire::{BrokerId, Offset};

/// What the leader knows of one replica, itself included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Whose mark it is.
    pub broker: BrokerId,
    /// Whether the replica counts.
    pub standing: Standing,
    /// The end of what it has on stable storage.
    pub stable: Offset,
}

/// A replica's part in the in-sync set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// A member, as the cluster's metadata has it.
    InSync,
    /// Proposed as a member, not yet answered. It already holds the mark back, since the metadata may have taken it;
    /// it doesn't yet count among the members needed.
    Joining,
    /// Not a member.
    Behind,
}

/// `min.insync.replicas` as it acts: at least one, at most as many as there are replicas. Kafka caps it likewise, so
/// that a setting of 2 doesn't stop a topic with one replica.
pub fn effective_min_in_sync(min_in_sync_replicas: usize, replicas: usize) -> usize {
    min_in_sync_replicas.clamp(1, replicas.max(1))
}

/// Whether enough replicas are in sync for an acknowledgement to mean something.
pub fn has_enough(marks: &[Mark], effective_min: usize) -> bool {
    marks.iter().filter(|mark| mark.standing == Standing::InSync).count() >= effective_min
}

/// The smallest stable end of the *maximal* in-sync set (members and joining ones); `None` while fewer than
/// `effective_min` replicas are in sync: then the mark stands still (KIP-966).
pub fn high_watermark(marks: &[Mark], effective_min: usize) -> Option<Offset> {
    if !has_enough(marks, effective_min) {
        return None;
    }
    marks.iter().filter(|mark| mark.standing != Standing::Behind).map(|mark| mark.stable).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark((broker, standing, stable): (i32, Standing, i64)) -> Mark {
        Mark { broker: BrokerId(broker), standing, stable: Offset(stable) }
    }

    #[test]
    fn the_slowest_of_the_maximal_set_holds_the_mark() {
        let marks = [(1, Standing::InSync, 9), (2, Standing::InSync, 7), (3, Standing::Joining, 5)].map(mark);
        assert_eq!(high_watermark(&marks, 2), Some(Offset(5)));
        let marks = [(1, Standing::InSync, 9), (2, Standing::InSync, 7), (3, Standing::Behind, 5)].map(mark);
        assert_eq!(high_watermark(&marks, 2), Some(Offset(7)));
    }

    #[test]
    fn a_joining_replica_holds_back_but_does_not_make_up_the_number() {
        let marks = [(1, Standing::InSync, 9), (2, Standing::Joining, 7)].map(mark);
        assert_eq!(high_watermark(&marks, 2), None);
        assert_eq!(high_watermark(&marks, 1), Some(Offset(7)));
        assert_eq!(high_watermark(&[], 1), None);
    }

    #[test]
    fn one_replica_is_enough_where_there_is_only_one() {
        assert_eq!(effective_min_in_sync(2, 1), 1);
        assert_eq!(effective_min_in_sync(2, 3), 2);
        assert_eq!(effective_min_in_sync(0, 3), 1);
    }
}
