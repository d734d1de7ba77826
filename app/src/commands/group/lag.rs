//! How far a group is behind: in records, and in time.
//!
//! The time is the age of the first record that it has not consumed: that record is fetched. A group that has read
//! everything is behind by nothing, however old the last record is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use thalweg_client::admin::{CommittedOffset, TopicDescription};
use thalweg_client::{Admin, Client, ConsumeError, Consumer, Records, Start, consumer};
use thalweg_wire::{BrokerId, Offset, PartitionIndex, Timestamp};

use crate::failure::Failure;

/// How long the next record of any partition may take: one may have lost its leader, or its records, just now.
const PATIENCE: Duration = Duration::from_secs(2);

/// Of each partition one batch is enough, and most are no larger than the Java client makes them by default. A larger one
/// comes whole, but alone: a broker gives no more beside it.
const BATCH_BYTES: usize = 32 << 10;

/// A partition, by its topic.
pub(super) type Place = (String, PartitionIndex);

/// Where a group stands in a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    pub(super) place: Place,
    /// `None`: it has committed nothing there.
    pub(super) committed: Option<Offset>,
    /// Where the partition begins and ends; `None` where nobody leads it, or it is gone.
    pub(super) extent: Option<Range<Offset>>,
    /// The first record that it has not consumed.
    pub(super) first: First,
}

/// The first record that waits for a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum First {
    /// Nobody knows.
    Unknown,
    /// There is none: what waits are the ends of transactions.
    Missing,
    /// It was written then.
    Written(Timestamp),
}

impl Standing {
    /// The first offset that it has not consumed and that is there, or will be.
    pub(super) fn next(&self) -> Option<Offset> {
        Some(self.committed?.clamp(self.extent.as_ref()?.start, self.extent.as_ref()?.end))
    }

    /// Offsets that it has not consumed. Those that are deleted don't count.
    pub(super) fn lag(&self) -> Option<i64> {
        Some(self.extent.as_ref()?.end.0 - self.next()?.0)
    }

    /// For how long the first record waits for it; nothing, where none does.
    pub(super) fn behind(&self, now: Timestamp) -> Option<Duration> {
        if self.lag()? == 0 {
            return Some(Duration::ZERO);
        }
        match self.first {
            First::Unknown => None,
            First::Missing => Some(Duration::ZERO),
            // A record may be of the future, by its writer's clock.
            First::Written(at) => Some(Duration::from_millis(u64::try_from(now.millis() - at.millis()).unwrap_or(0))),
        }
    }
}

/// Where a group stands in what it has committed and in what its members read, by partition.
pub(super) async fn standings(
    admin: &Admin,
    committed: &[CommittedOffset],
    read: BTreeSet<Place>,
) -> Result<Vec<Standing>, Failure> {
    let committed: BTreeMap<Place, Offset> =
        committed.iter().map(|each| ((each.topic.clone(), each.partition), each.offset)).collect();
    let mut places = read;
    places.extend(committed.keys().cloned());
    let mut extents = extents(admin, &places).await?;
    let mut standings: Vec<Standing> = places
        .into_iter()
        .map(|place| Standing {
            committed: committed.get(&place).copied(),
            extent: extents.remove(&place),
            first: First::Unknown,
            place,
        })
        .collect();
    let late = standings.iter().filter(|standing| standing.lag().is_some_and(|lag| lag > 0));
    let late = late.filter_map(|each| Some((each.place.clone(), each.next()?..each.extent.as_ref()?.end)));
    let firsts = firsts(admin.client(), late.collect()).await;
    for standing in &mut standings {
        standing.first = firsts.get(&standing.place).copied().unwrap_or(First::Unknown);
    }
    Ok(standings)
}

/// Where those partitions begin and end that are there and that somebody leads.
pub(super) async fn extents(
    admin: &Admin,
    places: &BTreeSet<Place>,
) -> Result<BTreeMap<Place, Range<Offset>>, Failure> {
    let mut topics: Vec<&str> = places.iter().map(|(topic, _)| topic.as_str()).collect();
    topics.dedup();
    let described = admin.describe_topics(&topics).await?;
    let led = |topic: &TopicDescription| {
        let led = topic.partitions.iter().filter(|partition| partition.leader >= BrokerId(0));
        led.map(|partition| (topic.name.clone(), partition.index)).collect::<Vec<Place>>()
    };
    let there: BTreeSet<Place> = described.iter().filter_map(|(_, topic)| topic.as_ref().ok()).flat_map(led).collect();
    let asked: Vec<(&str, PartitionIndex)> =
        places.iter().filter(|place| there.contains(*place)).map(|(topic, index)| (topic.as_str(), *index)).collect();
    let told = admin.extents(&asked).await;
    asked.iter().zip(told).map(|((topic, index), extent)| Ok((((*topic).to_owned(), *index), extent?))).collect()
}

/// The first records in these parts of partitions. Of those that don't come nothing is known.
async fn firsts(client: &Client, mut wanted: BTreeMap<Place, Range<Offset>>) -> BTreeMap<Place, First> {
    let mut firsts = BTreeMap::new();
    if wanted.is_empty() {
        return firsts;
    }
    let options = consumer::Options { partition_max_bytes: BATCH_BYTES, ..consumer::Options::default() };
    let consumer = Consumer::new(client.clone(), options);
    let starts = wanted.iter().map(|((topic, index), part)| (topic.as_str(), index.0, Start::Offset(part.start)));
    consumer.assign(starts);
    while !wanted.is_empty() {
        let polled = tokio::select! {
            biased;
            polled = consumer.poll() => polled,
            () = client.world().clock.sleep(PATIENCE) => return firsts,
        };
        let place = match &polled {
            Ok(records) => (records.topic().to_string(), records.partition()),
            Err(error) => match place_of(error) {
                Some((topic, index)) => (topic.to_string(), index),
                None => return firsts,
            },
        };
        let Some(part) = wanted.get(&place) else { continue };
        let Some(first) = polled.map_or(Some(First::Unknown), |records| first_of(&records, part.end)) else { continue };
        let _is_assigned = consumer.pause(&place.0, place.1.0);
        wanted.remove(&place);
        firsts.insert(place, first);
    }
    firsts
}

/// The first of these records; `None`: it is in those that come next.
fn first_of(records: &Records, end: Offset) -> Option<First> {
    match records.iter().next() {
        // Without a time, in batches of before Kafka 0.10, it is negative.
        Some(record) if record.timestamp.millis() < 0 => Some(First::Unknown),
        Some(record) => Some(First::Written(record.timestamp)),
        None => (records.next_offset() >= end).then_some(First::Missing),
    }
}

fn place_of(error: &ConsumeError) -> Option<(&Arc<str>, PartitionIndex)> {
    match error {
        ConsumeError::OutOfRange { topic, partition, .. }
        | ConsumeError::Refused { topic, partition, .. }
        | ConsumeError::NothingCommitted { topic, partition } => Some((topic, *partition)),
        ConsumeError::Damaged(damaged) => Some((&damaged.topic, damaged.partition)),
        ConsumeError::Topic { .. } | ConsumeError::Group { .. } | ConsumeError::Closed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(committed: Option<i64>, extent: Option<Range<i64>>, first: First) -> Standing {
        Standing {
            place: ("t".to_owned(), PartitionIndex(0)),
            committed: committed.map(Offset),
            extent: extent.map(|extent| Offset(extent.start)..Offset(extent.end)),
            first,
        }
    }

    #[test]
    fn lag_is_what_can_still_be_read() {
        assert_eq!(standing(Some(3), Some(0..10), First::Unknown).lag(), Some(7));
        assert_eq!(standing(Some(10), Some(0..10), First::Unknown).lag(), Some(0));
        // What was deleted unread can't be read any more; what was lost behind a group's back is nobody's lag.
        assert_eq!(standing(Some(3), Some(8..10), First::Unknown).lag(), Some(2));
        assert_eq!(standing(Some(30), Some(0..10), First::Unknown).lag(), Some(0));
        assert_eq!(standing(None, Some(0..10), First::Unknown).lag(), None);
        assert_eq!(standing(Some(3), None, First::Unknown).lag(), None);
    }

    #[test]
    fn the_time_behind_is_the_age_of_the_first_record_that_waits() {
        let now = Timestamp::from_millis(10_000);
        let written = |millis| First::Written(Timestamp::from_millis(millis));
        assert_eq!(standing(Some(3), Some(0..10), written(4_000)).behind(now), Some(Duration::from_secs(6)));
        assert_eq!(standing(Some(10), Some(0..10), written(4_000)).behind(now), Some(Duration::ZERO));
        assert_eq!(standing(Some(3), Some(0..10), written(99_000)).behind(now), Some(Duration::ZERO));
        assert_eq!(standing(Some(9), Some(0..10), First::Missing).behind(now), Some(Duration::ZERO));
        assert_eq!(standing(Some(3), Some(0..10), First::Unknown).behind(now), None);
    }
}
