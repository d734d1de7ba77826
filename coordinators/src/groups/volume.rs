//! How much a command may add to the log, before it is decided: who finds that there is no room need not decide it.

use super::{Command, JoinGroup, Live, OffsetCommit, OffsetDelete, Policy, Request, SyncGroup, records};

/// Of a batch, beside its records.
const BATCH: usize = 1_000;

/// At most so many bytes, if it can be said. What takes away offsets may take any number of them: then it is what a
/// generation takes, and each piece of it stands for itself.
pub(super) fn of(live: &Live, policy: &Policy, command: &Command) -> usize {
    let request = match command {
        Command::Ask(_, request) | Command::AskWithin(_, request, _) => request,
        Command::TopicsDeleted(_) | Command::TopicsDeletedFrom(..) | Command::Tick => {
            return BATCH + policy.generation_bytes_max;
        }
    };
    let generation = |group: &str, more: usize| match live.group_bytes(group) {
        // What a group holds in memory is more than what is stored of it.
        Some(bytes) => BATCH + (bytes + more).min(policy.generation_bytes_max),
        None => 0,
    };
    match request {
        Request::Heartbeat(_) | Request::Fetch(_) | Request::Describe { .. } | Request::List(_) => 0,
        Request::Join(request) => generation(&request.group, joiner(request)),
        Request::Sync(request) => generation(&request.group, parts(request)),
        Request::Leave(request) => generation(&request.group, 0),
        Request::Commit(request) => BATCH + commits(request).min(policy.commit_bytes_max),
        Request::DeleteOffsets(request) => BATCH + deletions(request).min(policy.commit_bytes_max),
        Request::DeleteGroup { .. } => BATCH + policy.generation_bytes_max,
    }
}

fn joiner(request: &JoinGroup) -> usize {
    let said = request.protocols.iter().map(|(name, said)| name.len() + said.len()).sum::<usize>();
    said + request.client_id.len() + request.client_host.len() + 2 * request.instance_id.as_ref().map_or(0, String::len)
}

fn parts(request: &SyncGroup) -> usize {
    request.assignments.iter().map(|(_, part)| part.len()).sum()
}

fn commits(request: &OffsetCommit) -> usize {
    let topic = |topic: &super::CommitTopic| {
        let of_place = records::offset_bytes(&request.group, &topic.topic.name, "");
        topic.partitions.iter().map(|one| of_place + one.words().len()).sum::<usize>()
    };
    request.topics.iter().map(topic).sum()
}

fn deletions(request: &OffsetDelete) -> usize {
    let topic = |topic: &super::TopicPartitions| {
        topic.partitions.len() * records::offset_bytes(&request.group, &topic.topic.name, "")
    };
    request.topics.iter().map(topic).sum()
}
