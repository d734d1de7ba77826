//! OffsetCommit, OffsetFetch and OffsetDelete: how far groups have read.

use std::collections::{BTreeMap, BTreeSet};

use thalweg_messages::group_log::{GroupRecord, OffsetCommitKey, OffsetCommitValue};
use thalweg_wire::{PartitionIndex, TopicId};

use super::answer::{AnswerRoom, fetched_bytes};
use super::group::{CONSUMER, Group, Phase};
use super::stored::StoredGroup;
use super::turn::Turn;
use super::{
    CommitDialect, CommitPartition, CommitTopic, Committed, FetchedTopic, OffsetCommit, OffsetDelete, OffsetFetch,
    Refusal, Stored, TopicName, TopicOutcome, TopicPartitions, records,
};

/// Whether somebody may commit: members of the present generation, or anybody while the group has no members.
pub(super) fn may_commit(stored: &Stored, group: Option<&Group>, request: &OffsetCommit) -> Result<(), Refusal> {
    let Some(group) = group else { return may_commit_without_members(stored, request) };
    let is_empty = group.phase == Phase::Empty;
    if is_empty && request.generation < 0 {
        return Ok(());
    }
    if !says_who(request) {
        return Err(Refusal::UnknownMember);
    }
    group.check_member(&request.member_id, request.instance_id.as_deref())?;
    if request.generation != group.generation {
        return Err(Refusal::IllegalGeneration);
    }
    // It knows its generation but not its part, so what it commits was read in the last one. While a rebalance is being
    // prepared the last generation still holds.
    if let Phase::Completing { .. } = group.phase { Err(Refusal::RebalanceInProgress) } else { Ok(()) }
}

fn may_commit_without_members(stored: &Stored, request: &OffsetCommit) -> Result<(), Refusal> {
    match stored.group(&request.group) {
        _ if request.generation < 0 => Ok(()),
        Some(_) => Err(Refusal::UnknownMember),
        None => Err(match request.dialect {
            CommitDialect::GenerationIsWrong => Refusal::IllegalGeneration,
            CommitDialect::GroupIsMissing => Refusal::NoSuchGroup,
        }),
    }
}

fn says_who(request: &OffsetCommit) -> bool {
    request.generation >= 0 || !request.member_id.is_empty() || request.instance_id.is_some()
}

/// A topic's name and a partition.
type Place<'a> = (&'a str, PartitionIndex);

/// What a commit comes to, partition by partition. Of a partition that is named more than once the last row counts, and
/// each row is told what became of it. All of it is one batch in Kafka, which is refused as a whole if it is too large.
pub(super) fn commit(turn: &mut Turn<'_>, request: OffsetCommit) -> Vec<TopicOutcome> {
    let expires = request.retention.map(|span| {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        turn.now.timestamp.millis().saturating_add(millis)
    });
    let words_max = turn.policy.metadata_length_max;
    let is_too_long = |one: &CommitPartition| one.words().encode_utf16().count() > words_max;
    let mut last: BTreeMap<Place<'_>, (TopicId, &CommitPartition)> = BTreeMap::new();
    for CommitTopic { topic, partitions } in &request.topics {
        let fitting = partitions.iter().filter(|one| !is_too_long(one));
        last.extend(fitting.map(|one| ((&*topic.name, one.partition), (topic.id, one))));
    }
    let bytes = last.iter().map(|((topic, _), (_, one))| records::offset_bytes(&request.group, topic, one.words()));
    let is_too_large = bytes.sum::<usize>() > turn.policy.commit_bytes_max;
    let mut outcomes = BTreeMap::new();
    for ((topic, index), (id, one)) in last {
        let outcome = if is_too_large {
            Err(Refusal::CommitTooLarge)
        } else {
            commit_partition(turn, &request.group, (topic, id), one, expires)
        };
        outcomes.insert((topic, index), outcome);
    }
    let outcome = |topic: &TopicName, one: &CommitPartition| {
        let too_long = Err(Refusal::MetadataTooLarge);
        if is_too_long(one) { too_long } else { outcomes[&(&*topic.name, one.partition)] }
    };
    let told = |CommitTopic { topic, partitions }: &CommitTopic| -> Vec<_> {
        partitions.iter().map(|one| (one.partition, outcome(topic, one))).collect()
    };
    let told: Vec<_> = request.topics.iter().map(told).collect();
    let topics = request.topics.into_iter().zip(told);
    topics.map(|(CommitTopic { topic, .. }, partitions)| TopicOutcome { topic, partitions }).collect()
}

fn commit_partition(
    turn: &mut Turn<'_>,
    group: &str,
    (topic, topic_id): (&str, TopicId),
    commit: &CommitPartition,
    expires: Option<i64>,
) -> Result<(), Refusal> {
    // All records of this turn are commits; that some are of offsets that are there already makes the bound a little
    // narrower, for one request.
    let is_new = turn.stored.group(group).and_then(|group| group.offset(topic, commit.partition)).is_none();
    if is_new && turn.stored.offset_count() + turn.records.len() >= turn.policy.offsets_max {
        return Err(Refusal::CoordinatorFull);
    }
    if !turn.takes_offset(group, topic, commit.partition, commit.words()) {
        return Err(Refusal::NoRoomForOffset);
    }
    let key = OffsetCommitKey { group: group.to_owned(), topic: topic.to_owned(), partition: commit.partition };
    let value = OffsetCommitValue {
        offset: commit.offset,
        leader_epoch: commit.leader_epoch,
        metadata: commit.words().to_owned(),
        commit_timestamp: turn.now.timestamp.millis(),
        expire_timestamp: expires.unwrap_or(-1),
        // The version that says when an offset expires can't say which topic it is of.
        topic_id: if expires.is_some() { TopicId::ZERO } else { topic_id },
        unknown_tags: Vec::new(),
    };
    turn.records.push(GroupRecord::OffsetCommit(key, Some(value)));
    Ok(())
}

/// What a group has committed, as far as it is asked for; `None` where there is no room to say so.
pub(super) fn fetch(stored: &Stored, request: OffsetFetch, mut room: AnswerRoom) -> Option<Vec<FetchedTopic>> {
    let group = stored.group(&request.group);
    let Some(topics) = request.topics else { return group.map_or(Some(Vec::new()), |group| all(group, &mut room)) };
    let topics = topics.into_iter().map(|asked| {
        room.take(FetchedTopic::head_bytes(&asked.topic))?;
        let found = |index| {
            let offset = group.and_then(|group| group.offset(&asked.topic.name, index));
            let offset = offset.filter(|offset| is_of(offset, asked.topic.id));
            room.take(fetched_bytes(offset.map(|offset| &*offset.metadata)))?;
            Some((index, offset.map(committed)))
        };
        let partitions = asked.partitions.into_iter().map(found).collect::<Option<_>>()?;
        Some(FetchedTopic { topic: asked.topic, partitions })
    });
    topics.collect()
}

fn all(group: &StoredGroup, room: &mut AnswerRoom) -> Option<Vec<FetchedTopic>> {
    let topics = group.offsets.iter().map(|(name, partitions)| {
        let id = partitions.values().map(|offset| offset.topic_id).find(|id| !id.is_zero());
        let topic = TopicName { name: name.to_string(), id: id.unwrap_or_default() };
        room.take(FetchedTopic::head_bytes(&topic))?;
        let found = |(&index, offset): (&PartitionIndex, &OffsetCommitValue)| {
            room.take(fetched_bytes(Some(&offset.metadata)))?;
            Some((index, Some(committed(offset))))
        };
        let partitions = partitions.iter().map(found).collect::<Option<_>>()?;
        Some(FetchedTopic { topic, partitions })
    });
    topics.collect()
}

/// Whether an offset was committed in this life of the topic, as far as one can know.
pub(super) fn is_of(offset: &OffsetCommitValue, topic: TopicId) -> bool {
    offset.topic_id.is_zero() || topic.is_zero() || offset.topic_id == topic
}

fn committed(value: &OffsetCommitValue) -> Committed {
    Committed { offset: value.offset, leader_epoch: value.leader_epoch, metadata: value.metadata.clone() }
}

/// A group forgets what none of its members reads: all that is named, or nothing if that is too large.
pub(super) fn delete(
    turn: &mut Turn<'_>,
    live: Option<&Group>,
    request: OffsetDelete,
) -> Result<Vec<TopicOutcome>, Refusal> {
    if request.group.is_empty() {
        return Err(Refusal::InvalidGroup);
    }
    let stored = turn.stored.group(&request.group);
    if stored.is_none() && live.is_none() {
        return Err(Refusal::NoSuchGroup);
    }
    let active = live.filter(|group| group.phase != Phase::Empty);
    if active.is_some_and(|group| group.protocol_type.as_deref() != Some(CONSUMER)) {
        return Err(Refusal::NotEmpty);
    }
    let is_read = |topic: &TopicName| active.is_some_and(|group| group.reads(&topic.name));
    let mut gone: BTreeSet<Place<'_>> = BTreeSet::new();
    for TopicPartitions { topic, partitions } in request.topics.iter().filter(|asked| !is_read(&asked.topic)) {
        let known = |index: &&PartitionIndex| stored.is_some_and(|group| group.offset(&topic.name, **index).is_some());
        gone.extend(partitions.iter().filter(known).map(|&index| (&*topic.name, index)));
    }
    let bytes = gone.iter().map(|(topic, _)| records::offset_bytes(&request.group, topic, ""));
    if bytes.sum::<usize>() > turn.policy.commit_bytes_max {
        return Err(Refusal::DeletionTooLarge);
    }
    turn.records.extend(gone.into_iter().map(|(topic, index)| records::no_offset(&request.group, topic, index)));
    let outcomes = request.topics.into_iter().map(|TopicPartitions { topic, partitions }| {
        let outcome = if is_read(&topic) { Err(Refusal::Subscribed) } else { Ok(()) };
        TopicOutcome { topic, partitions: partitions.into_iter().map(|index| (index, outcome)).collect() }
    });
    Ok(outcomes.collect())
}
