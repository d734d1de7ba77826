//! Fetch (key 1): the generated messages, a view of the request that allocates nothing, and a writer of the response.

pub use crate::generated::fetch::*;
pub use crate::view::Elements;

use crate::message::Message;
use bytes::Bytes;
use std::borrow::Cow;
use thalweg_wire::batch::Batch;
use thalweg_wire::codec::{DecodeError, Decoder, EncodeError, Encoder, Form};
use thalweg_wire::{BrokerId, ErrorCode, Offset, PartitionIndex, TopicId};

/// The smallest topic: an empty name, no partitions, no tags.
const TOPIC_BYTES_MIN: usize = 3;
/// The smallest partition: that of v4, with its number, an offset and a limit.
const PARTITION_BYTES_MIN: usize = 16;

/// A FetchRequest where it lies. Topics and partitions are read from the frame; nothing is copied.
#[derive(Clone, Debug)]
pub struct FetchView {
    body: Bytes,
    version: i16,
    form: Form,
    settings: FetchSettings,
    topics: Place,
    forgotten: Place,
    rack_id_at: Option<usize>,
    cluster_id_at: Option<usize>,
}

/// What a FetchRequest says about all its partitions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FetchSettings {
    /// The follower that asks; [`BrokerId::NONE`] is a consumer. In every version, wherever it stands there.
    pub replica_id: BrokerId,
    /// The follower's broker epoch; -1 where it isn't told.
    pub replica_epoch: i64,
    /// How long the answer may wait for `min_bytes`, in ms.
    pub max_wait_ms: i32,
    /// How many bytes are worth an answer.
    pub min_bytes: i32,
    /// A first batch larger than this is sent all the same.
    pub max_bytes: i32,
    /// 0 up to the high watermark, 1 up to the last stable offset.
    pub isolation_level: i8,
    /// 0: no session.
    pub session_id: i32,
    /// -1: no session; 0: a new one; else the number of this request in it.
    pub session_epoch: i32,
}

/// One topic of a [`FetchView`].
#[derive(Clone, Debug)]
pub struct FetchTopicView<'a> {
    /// Its name; empty from v13 on.
    pub topic: Cow<'a, str>,
    /// Its id; zero before v13.
    pub topic_id: TopicId,
    /// Where to read.
    pub partitions: Elements<'a, FetchPartition>,
}

/// Partitions to be taken out of the session.
#[derive(Clone, Debug)]
pub struct ForgottenTopicView<'a> {
    /// Its name; empty from v13 on.
    pub topic: Cow<'a, str>,
    /// Its id; zero before v13.
    pub topic_id: TopicId,
    /// The partitions' numbers.
    pub partitions: Elements<'a, PartitionIndex>,
}

/// An array that was walked: so many elements from there on.
#[derive(Clone, Copy, Debug)]
struct Place {
    count: usize,
    at: usize,
}

impl FetchView {
    /// Walks a request's body once. What it accepts is well formed to its end; bytes after the end are ignored.
    pub fn parse(body: Bytes, version: i16) -> Result<FetchView, DecodeError> {
        let form = FetchRequest::form(version).ok_or(DecodeError::UnknownVersion(version))?;
        let mut from = Decoder::at(&body, 0, form);
        let replica_id = if version <= 14 { BrokerId(from.i32()?) } else { BrokerId::NONE };
        let mut settings = FetchSettings {
            replica_id,
            replica_epoch: -1,
            max_wait_ms: from.i32()?,
            min_bytes: from.i32()?,
            max_bytes: from.i32()?,
            isolation_level: from.i8()?,
            session_id: if version >= 7 { from.i32()? } else { 0 },
            session_epoch: if version >= 7 { from.i32()? } else { -1 },
        };
        let topics = Place::of(&Elements::walk(&mut from, version, TOPIC_BYTES_MIN, FetchTopicView::read)?);
        let mut forgotten = Place { count: 0, at: 0 };
        if version >= 7 {
            forgotten = Place::of(&Elements::walk(&mut from, version, TOPIC_BYTES_MIN, ForgottenTopicView::read)?);
        }
        let rack_id_at = (version >= 11).then_some(from.position());
        if version >= 11 {
            from.str()?;
        }
        let mut cluster_id_at = None;
        from.known_tags(|from, tag| {
            match tag {
                0 => {
                    cluster_id_at = Some(from.position());
                    from.nullable_str()?;
                }
                1 if version >= 15 => {
                    let state = ReplicaState::decode(from, version)?;
                    (settings.replica_id, settings.replica_epoch) = (state.replica_id, state.replica_epoch);
                }
                1 => return Err(DecodeError::MisplacedTag(tag)),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(FetchView { body, version, form, settings, topics, forgotten, rack_id_at, cluster_id_at })
    }

    /// The version that it came in.
    pub fn version(&self) -> i16 {
        self.version
    }

    /// What holds for all partitions.
    pub fn settings(&self) -> FetchSettings {
        self.settings
    }

    /// Where the client is; empty where it doesn't say.
    pub fn rack_id(&self) -> Cow<'_, str> {
        self.str_at(self.rack_id_at).unwrap_or_default()
    }

    /// The cluster that the follower believes to be in.
    pub fn cluster_id(&self) -> Option<Cow<'_, str>> {
        self.str_at(self.cluster_id_at)
    }

    /// The partitions to read; in a session those that are new or changed.
    pub fn topics(&self) -> Elements<'_, FetchTopicView<'_>> {
        let from = Decoder::at(&self.body, self.topics.at, self.form);
        Elements::walked(from, self.version, self.topics.count, FetchTopicView::read)
    }

    /// The partitions to be taken out of the session.
    pub fn forgotten(&self) -> Elements<'_, ForgottenTopicView<'_>> {
        let from = Decoder::at(&self.body, self.forgotten.at, self.form);
        Elements::walked(from, self.version, self.forgotten.count, ForgottenTopicView::read)
    }

    fn str_at(&self, at: Option<usize>) -> Option<Cow<'_, str>> {
        Decoder::at(&self.body, at?, self.form).nullable_str().expect("it was read once without an error")
    }
}

impl Place {
    fn of<T>(elements: &Elements<'_, T>) -> Place {
        Place { count: elements.len(), at: elements.position() }
    }
}

impl<'a> FetchTopicView<'a> {
    fn read(from: &mut Decoder<'a>, version: i16) -> Result<Self, DecodeError> {
        let (topic, topic_id) = name_or_id(from, version)?;
        let partitions = Elements::walk(from, version, PARTITION_BYTES_MIN, FetchPartition::decode)?;
        from.known_tags(|_, _| Ok(false))?;
        Ok(FetchTopicView { topic, topic_id, partitions })
    }
}

impl<'a> ForgottenTopicView<'a> {
    fn read(from: &mut Decoder<'a>, version: i16) -> Result<Self, DecodeError> {
        let (topic, topic_id) = name_or_id(from, version)?;
        let partitions = Elements::walk(from, version, size_of::<i32>(), |from, _| Ok(PartitionIndex(from.i32()?)))?;
        from.known_tags(|_, _| Ok(false))?;
        Ok(ForgottenTopicView { topic, topic_id, partitions })
    }
}

fn name_or_id<'a>(from: &mut Decoder<'a>, version: i16) -> Result<(Cow<'a, str>, TopicId), DecodeError> {
    if version <= 12 { Ok((from.str()?, TopicId::ZERO)) } else { Ok((Cow::Borrowed(""), from.uuid()?)) }
}

/// One topic of a response that is written as it comes.
#[derive(Clone, Debug)]
pub struct FetchTopicAnswer<'a, P> {
    /// Written up to v12.
    pub topic: &'a str,
    /// Written from v13 on.
    pub topic_id: TopicId,
    /// The answers; their records are put by reference.
    pub partitions: P,
}

/// One partition of a response that is written as it comes.
pub trait FetchPartitionAnswer {
    /// Appends the partition.
    fn write(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError>;
}

impl FetchPartitionAnswer for FetchPartitionResponse {
    fn write(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        self.encode(into, version)
    }
}

/// A partition whose records go out as they lie in the log. What it doesn't name has its default.
#[derive(Clone, Debug)]
pub struct FetchedPartition {
    /// Which partition.
    pub index: PartitionIndex,
    /// The end of what is acknowledged.
    pub high_watermark: Offset,
    /// The end of what belongs to no open transaction.
    pub last_stable_offset: Offset,
    /// The first offset that isn't deleted. Written from v5 on.
    pub log_start_offset: Offset,
    /// Aborted transactions, for a reader of committed records; `None` for any other.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// Bytes of records that come first and that are not in memory.
    pub elsewhere: usize,
    /// Records behind them, as they are written.
    pub written: Bytes,
    /// The records behind those.
    pub batches: Vec<Batch>,
}

impl FetchPartitionAnswer for FetchedPartition {
    fn write(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.index.0);
        into.i16(ErrorCode::None.code());
        into.i64(self.high_watermark.0);
        into.i64(self.last_stable_offset.0);
        if version >= 5 {
            into.i64(self.log_start_offset.0);
        }
        into.nullable_array(self.aborted_transactions.as_deref(), |into, each| each.encode(into, version))?;
        if version >= 11 {
            into.i32(BrokerId::NONE.0);
        }
        into.records(self.elsewhere, &self.written, &self.batches)?;
        into.no_tags();
        Ok(())
    }
}

/// What a FetchResponse says about all its partitions.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct FetchAnswer<'a> {
    /// How long the client should stay away, in ms.
    pub throttle_time_ms: i32,
    /// The error of the whole request; up to v6 there is none.
    pub error_code: i16,
    /// The session that the next request belongs to; 0 is none.
    pub session_id: i32,
    /// Where the leaders named in the partitions are found. Written from v16 on.
    pub node_endpoints: &'a [FetchNodeEndpoint],
}

/// Writes a FetchResponse without building one.
///
/// # Panics
///
/// If an iterator yields another number of items than it said.
pub fn encode_response<'a, P>(
    into: &mut Encoder,
    version: i16,
    answer: FetchAnswer<'_>,
    topics: impl ExactSizeIterator<Item = FetchTopicAnswer<'a, P>>,
) -> Result<(), EncodeError>
where
    P: ExactSizeIterator<Item: FetchPartitionAnswer>,
{
    into.set_form(FetchResponse::form(version).ok_or(EncodeError::UnknownVersion(version))?);
    into.i32(answer.throttle_time_ms);
    if version >= 7 {
        into.i16(answer.error_code);
        into.i32(answer.session_id);
    } else if answer.session_id != 0 {
        return Err(EncodeError::NotInVersion { field: "session_id", version });
    }
    into.exactly(topics, |into, topic| {
        if version <= 12 {
            into.string(topic.topic)?;
        } else {
            into.uuid(topic.topic_id);
        }
        into.exactly(topic.partitions, |into, partition| partition.write(into, version))?;
        into.no_tags();
        Ok(())
    })?;
    into.tags(&[], |tags| {
        if version >= 16 && !answer.node_endpoints.is_empty() {
            tags.field(0, |into| into.array(answer.node_endpoints, |into, each| each.encode(into, version)))?;
        }
        Ok(())
    })
}
