//! `roundrobin`: all partitions in turn to all members in turn.

use super::audience::{Audience, Given};

/// Each partition to the next member that reads its topic; the turn goes on across topics.
pub(super) fn assign(audience: &Audience<'_>) -> Given {
    let mut given = vec![Vec::new(); audience.members.len()];
    let mut turn = (0..audience.members.len()).cycle();
    for topic in &audience.topics {
        if topic.interests.is_empty() {
            continue;
        }
        let reads = audience.readers(topic);
        for partition in topic.partitions.clone() {
            if let Some(reader) = turn.find(|&member| reads[member]) {
                given[reader].push(partition);
            }
        }
    }
    given
}
