//! `range`: of each topic a stretch for each of its readers.

use super::audience::{Audience, Given};

/// Each reader of a topic is given as many of its partitions as the next, the first ones one more where it doesn't come out even.
pub(super) fn assign(audience: &Audience<'_>) -> Given {
    let mut given = vec![Vec::new(); audience.members.len()];
    for topic in &audience.topics {
        let readers = audience.readers(topic);
        let readers: Vec<usize> = (0..readers.len()).filter(|&member| readers[member]).collect();
        if readers.is_empty() {
            continue;
        }
        let (each, one_more) = (topic.partitions.len() / readers.len(), topic.partitions.len() % readers.len());
        let mut next = topic.partitions.start;
        for (place, &reader) in readers.iter().enumerate() {
            let end = next + each + usize::from(place < one_more);
            given[reader].extend(next..end);
            next = end;
        }
    }
    given
}
