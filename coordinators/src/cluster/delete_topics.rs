//! Deleting topics: which a request means, what is refused and with which words, and the records of what is not.
//!
//! Codes, texts and the order of the checks are those of a running Kafka 4.3.0 (`ControllerApis.deleteTopics`):
//! `testscripts/delete_topics` has its answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use thalweg_messages::metadata_log::RemoveTopicRecord;
use thalweg_wire::{ErrorCode, TopicId};

use super::controller::Reply;
use super::image::Image;
use crate::machine::Decision;

/// A topic as a request names it: by name with the zero id, or by id without a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedTopic {
    /// Its name.
    pub name: Option<String>,
    /// Its id.
    pub id: TopicId,
}

/// What became of one topic of the request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeleteReply {
    /// Its name, if it is known.
    pub name: Option<String>,
    /// Its id, if it is known.
    pub id: TopicId,
    /// Gone, or why not.
    pub outcome: Result<(), DeleteTopicError>,
}

/// Why a topic was not deleted. `Display` is Kafka's message, [`DeleteTopicError::code`] its code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeleteTopicError {
    /// There is none of that name.
    UnknownName,
    /// There is none of that id.
    UnknownId,
    /// Neither a name nor an id.
    Nothing,
    /// A name and an id.
    NameAndId,
    /// The request has the name more than once.
    NameTwice,
    /// The request has the id more than once.
    IdTwice,
    /// The request has the topic by its name and by its id.
    NameOfSameId,
}

impl DeleteTopicError {
    /// Kafka's error code.
    pub fn code(self) -> ErrorCode {
        match self {
            DeleteTopicError::UnknownName => ErrorCode::UnknownTopicOrPartition,
            DeleteTopicError::UnknownId => ErrorCode::UnknownTopicId,
            _ => ErrorCode::InvalidRequest,
        }
    }
}

impl fmt::Display for DeleteTopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeleteTopicError::UnknownName => "This server does not host this topic-partition.",
            DeleteTopicError::UnknownId => "This server does not host this topic ID.",
            DeleteTopicError::Nothing => "Neither topic name nor id were specified.",
            DeleteTopicError::NameAndId => "You may not specify both topic name and topic id.",
            DeleteTopicError::NameTwice => "Duplicate topic name.",
            DeleteTopicError::IdTwice => "Duplicate topic id.",
            DeleteTopicError::NameOfSameId => "The provided topic name maps to an ID that was already supplied.",
        })
    }
}

impl std::error::Error for DeleteTopicError {}

/// All topics that are meant without doubt are deleted, whatever became of the others.
pub(super) fn decide(image: &Image, topics: Vec<NamedTopic>) -> Decision<Image> {
    let Sorted { names, ids, twice, mut replies } = sort_out(topics);
    let mut refuse = |name, id, error| replies.push(DeleteReply { name, id, outcome: Err(error) });
    // By id, each with the name that it is answered with; `None` where it turns out to be meant twice.
    let mut doomed: BTreeMap<TopicId, Option<String>> = BTreeMap::new();
    for id in ids {
        match image.topic_by_id(id) {
            Some(topic) => _ = doomed.insert(id, Some(topic.name().to_string())),
            None => refuse(None, id, DeleteTopicError::UnknownId),
        }
    }
    for name in names {
        match image.topic(&name).map(|topic| topic.id()) {
            None => refuse(Some(name), TopicId::ZERO, DeleteTopicError::UnknownName),
            Some(id) if twice.contains(&id) || doomed.contains_key(&id) => {
                doomed.insert(id, None);
                refuse(Some(name), id, DeleteTopicError::NameOfSameId);
            }
            Some(id) => _ = doomed.insert(id, Some(name)),
        }
    }
    let doomed = doomed.into_iter().filter_map(|(id, name)| Some((id, name?)));
    let mut records = Vec::new();
    for (id, name) in doomed {
        records.push(RemoveTopicRecord { topic_id: id, ..Default::default() }.into());
        replies.push(DeleteReply { name: Some(name), id, outcome: Ok(()) });
    }
    Decision { records, reply: Reply::Deleted(replies) }
}

/// What is named once, and the answers to the rest.
struct Sorted {
    names: Vec<String>,
    ids: Vec<TopicId>,
    /// The ids that are named more often: a name of the same topic is one more.
    twice: BTreeSet<TopicId>,
    replies: Vec<DeleteReply>,
}

/// A name or an id that comes more than once is answered once. As in Kafka, what comes with both doesn't count for
/// that.
fn sort_out(topics: Vec<NamedTopic>) -> Sorted {
    let mut replies = Vec::new();
    let (mut names, mut ids) = (Once::default(), Once::default());
    for NamedTopic { name, id } in topics {
        match (name, id.is_zero()) {
            (None, true) => replies.push(DeleteReply { name: None, id, outcome: Err(DeleteTopicError::Nothing) }),
            (None, false) => ids.add(id),
            (Some(name), true) => names.add(name),
            (name, false) => replies.push(DeleteReply { name, id, outcome: Err(DeleteTopicError::NameAndId) }),
        }
    }
    replies.extend(names.twice.into_iter().map(|name| DeleteReply {
        name: Some(name),
        id: TopicId::ZERO,
        outcome: Err(DeleteTopicError::NameTwice),
    }));
    let answer = |&id: &TopicId| DeleteReply { name: None, id, outcome: Err(DeleteTopicError::IdTwice) };
    replies.extend(ids.twice.iter().map(answer));
    Sorted { names: names.once.into_iter().collect(), ids: ids.once.into_iter().collect(), twice: ids.twice, replies }
}

/// What was said once, and what was said more often.
struct Once<T> {
    once: BTreeSet<T>,
    twice: BTreeSet<T>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Once { once: BTreeSet::new(), twice: BTreeSet::new() }
    }
}

impl<T: Ord> Once<T> {
    fn add(&mut self, said: T) {
        if let Some(before) = self.once.take(&said) {
            self.twice.insert(before);
        } else if !self.twice.contains(&said) {
            self.once.insert(said);
        }
    }
}
