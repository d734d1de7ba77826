//! OffsetCommit, OffsetFetch and OffsetDelete: how far groups have read.

use thalweg_messages::group_log::{GroupRecord, OffsetCommitKey, OffsetCommitValue};
use thalweg_wire::{PartitionIndex, TopicId};

use super::answer::{AnswerRoom, fetched_bytes};
use super::group::{CONSUMER, Group, Phase};
use super::stored::StoredGroup;
use super::turn::Turn;
use super::{
    CommitDialect, CommitPartition, Committed, FetchedTopic, OffsetCommit, OffsetDelete, OffsetFetch, Refusal, Stored,
    TopicName, TopicOutcome, records,
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

/// What a commit comes to, partition by partition.
pub(super) fn commit(turn: &mut Turn<'_>, request: OffsetCommit) -> Vec<TopicOutcome> {
    let expires = request.retention.map(|span| {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        turn.now.timestamp.millis().saturating_add(millis)
    });
    let group = request.group;
    let topics = request.topics.into_iter().map(|topic| {
        let outcome = |partition: CommitPartition| {
            let index = partition.partition;
            (index, commit_partition(turn, &group, &topic.topic, partition, expires))
        };
        let partitions = topic.partitions.into_iter().map(outcome).collect();
        TopicOutcome { topic: topic.topic, partitions }
    });
    topics.collect()
}

fn commit_partition(
    turn: &mut Turn<'_>,
    group: &str,
    topic: &TopicName,
    commit: CommitPartition,
    expires: Option<i64>,
) -> Result<(), Refusal> {
    let metadata = commit.metadata.unwrap_or_default();
    if metadata.encode_utf16().count() > turn.policy.metadata_length_max {
        return Err(Refusal::MetadataTooLarge);
    }
    // All records of this turn are commits; that some are of offsets that are there already makes the bound a little
    // narrower, for one request.
    let is_new = turn.stored.group(group).and_then(|group| group.offset(&topic.name, commit.partition)).is_none();
    if is_new && turn.stored.offset_count() + turn.records.len() >= turn.policy.offsets_max {
        return Err(Refusal::CoordinatorFull);
    }
    if !turn.takes_offset(group, &topic.name, commit.partition, &metadata) {
        return Err(Refusal::NoRoomForOffset);
    }
    let key = OffsetCommitKey { group: group.to_owned(), topic: topic.name.clone(), partition: commit.partition };
    let value = OffsetCommitValue {
        offset: commit.offset,
        leader_epoch: commit.leader_epoch,
        metadata,
        commit_timestamp: turn.now.timestamp.millis(),
        expire_timestamp: expires.unwrap_or(-1),
        // The version that says when an offset expires can't say which topic it is of.
        topic_id: if expires.is_some() { TopicId::ZERO } else { topic.id },
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

/// A group forgets what none of its members reads.
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
    let mut outcomes = Vec::new();
    for asked in request.topics {
        let name = &asked.topic.name;
        if active.is_some_and(|group| group.reads(name)) {
            let refused = asked.partitions.into_iter().map(|index| (index, Err(Refusal::Subscribed)));
            outcomes.push(TopicOutcome { partitions: refused.collect(), topic: asked.topic });
            continue;
        }
        let known = |index: &&PartitionIndex| stored.is_some_and(|group| group.offset(name, **index).is_some());
        let gone = asked.partitions.iter().filter(known).map(|&index| records::no_offset(&request.group, name, index));
        turn.records.extend(gone);
        let deleted = asked.partitions.into_iter().map(|index| (index, Ok(())));
        outcomes.push(TopicOutcome { partitions: deleted.collect(), topic: asked.topic });
    }
    Ok(outcomes)
}
