//! What a coordinator is told by its node's settings, and what bounds it.

use std::time::Duration;

/// Settings and bounds of one coordinator.
///
/// The counts stop a client that invents names without end, and stay far above what a busy cluster has. How many bytes
/// all of it may take is not for one coordinator to say: see [`super::Coordinator::set_room`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// `group.min.session.timeout.ms`.
    pub session_timeout_min: Duration,
    /// `group.max.session.timeout.ms`.
    pub session_timeout_max: Duration,
    /// `group.max.size`: members of a group. Kafka's own default is no bound, but there a generation that is too large
    /// for one record fails for ever.
    pub members_max: usize,
    /// Ids given out to clients that have not come again with them yet, of a group; further ones are refused as if the
    /// group were full.
    pub pending_max: usize,
    /// Groups that have members, offsets or a generation.
    pub groups_max: usize,
    /// Offsets of all groups.
    pub offsets_max: usize,
    /// `group.initial.rebalance.delay.ms`: how long the first members of a group wait for others.
    pub initial_rebalance_delay: Duration,
    /// `offsets.retention.minutes`.
    pub offsets_retention: Duration,
    /// `offsets.retention.check.interval.ms`.
    pub expiry_interval: Duration,
    /// `offset.metadata.max.bytes`, which Kafka, despite the name, compares with a count of UTF-16 units.
    pub metadata_length_max: usize,
    /// The largest generation that is stored: what fits into a batch of `__consumer_offsets`.
    pub generation_bytes_max: usize,
    /// What one commit, or one deletion of offsets, may store. In Kafka it is one batch of `__consumer_offsets`, and larger
    /// ones are refused as well. Twice such a batch: what a record takes is counted generously here, and a commit that Kafka
    /// takes is taken.
    pub commit_bytes_max: usize,
    /// What one decision forgets at most, as its records say it, beside one record: a group may have a long name and many
    /// offsets. The rest is for the next decision.
    pub forgotten_bytes_max: usize,
}

impl Policy {
    /// What all members of a group may say together when they join. One protocol's part of it is stored, and while
    /// members move from one protocol to another they speak of two or three.
    pub(super) fn said_bytes_max(&self) -> usize {
        self.generation_bytes_max.saturating_mul(4)
    }
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            session_timeout_min: Duration::from_secs(6),
            session_timeout_max: Duration::from_secs(30 * 60),
            members_max: 10_000,
            pending_max: 10_000,
            groups_max: 100_000,
            offsets_max: 1_000_000,
            initial_rebalance_delay: Duration::ZERO,
            offsets_retention: Duration::from_secs(7 * 24 * 60 * 60),
            expiry_interval: Duration::from_secs(10 * 60),
            metadata_length_max: 4096,
            generation_bytes_max: 1_000_000,
            commit_bytes_max: 2_000_000,
            forgotten_bytes_max: 2_000_000,
        }
    }
}
