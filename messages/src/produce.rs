//! Produce (key 0): the generated messages, a view of the request that allocates nothing, and a writer of the response.

pub use crate::generated::produce::*;
pub use crate::view::Elements;

use crate::message::Message;
use bytes::Bytes;
use std::borrow::Cow;
use thalweg_wire::TopicId;
use thalweg_wire::codec::{DecodeError, Decoder, EncodeError, Encoder, Form};

/// The smallest topic: an empty name, no partitions, no tags.
const TOPIC_BYTES_MIN: usize = 3;
/// The smallest partition: an index, null records, no tags.
const PARTITION_BYTES_MIN: usize = 6;

/// A ProduceRequest where it lies. Topics, partitions and records are read from the frame; nothing is copied.
#[derive(Clone, Debug)]
pub struct ProduceView {
    body: Bytes,
    version: i16,
    form: Form,
    acks: i16,
    timeout_ms: i32,
    topic_count: usize,
    topics_at: usize,
}

/// One topic of a [`ProduceView`].
#[derive(Clone, Debug)]
pub struct ProduceTopicView<'a> {
    /// Its name; empty from v13 on.
    pub name: Cow<'a, str>,
    /// Its id; zero before v13.
    pub topic_id: TopicId,
    /// Its partitions. Their records are slices of the frame.
    pub partitions: Elements<'a, ProducePartition>,
}

impl ProduceView {
    /// Walks a request's body once. What it accepts is well formed to its end; bytes after the end are ignored.
    pub fn parse(body: Bytes, version: i16) -> Result<ProduceView, DecodeError> {
        let form = ProduceRequest::form(version).ok_or(DecodeError::UnknownVersion(version))?;
        let mut from = Decoder::at(&body, 0, form);
        from.nullable_str()?;
        let (acks, timeout_ms) = (from.i16()?, from.i32()?);
        let topics = Elements::walk(&mut from, version, TOPIC_BYTES_MIN, ProduceTopicView::read)?;
        let (topic_count, topics_at) = (topics.len(), topics.position());
        from.known_tags(|_, _| Ok(false))?;
        Ok(ProduceView { body, version, form, acks, timeout_ms, topic_count, topics_at })
    }

    /// The version that it came in.
    pub fn version(&self) -> i16 {
        self.version
    }

    /// Set if any batch is transactional.
    pub fn transactional_id(&self) -> Option<Cow<'_, str>> {
        Decoder::at(&self.body, 0, self.form).nullable_str().expect("it was read once without an error")
    }

    /// 0: don't answer; 1: the leader has it; -1: all in-sync replicas have it. Anything else is the client's mistake.
    pub fn acks(&self) -> i16 {
        self.acks
    }

    /// How long the replicas may take, in ms.
    pub fn timeout_ms(&self) -> i32 {
        self.timeout_ms
    }

    /// The topics, in the client's order.
    pub fn topics(&self) -> Elements<'_, ProduceTopicView<'_>> {
        let from = Decoder::at(&self.body, self.topics_at, self.form);
        Elements::walked(from, self.version, self.topic_count, ProduceTopicView::read)
    }
}

impl<'a> ProduceTopicView<'a> {
    fn read(from: &mut Decoder<'a>, version: i16) -> Result<Self, DecodeError> {
        let name = if version <= 12 { from.str()? } else { Cow::Borrowed("") };
        let topic_id = if version >= 13 { from.uuid()? } else { TopicId::ZERO };
        let partitions = Elements::walk(from, version, PARTITION_BYTES_MIN, ProducePartition::decode)?;
        from.known_tags(|_, _| Ok(false))?;
        Ok(ProduceTopicView { name, topic_id, partitions })
    }
}

/// One topic of a response that is written as it comes.
#[derive(Clone, Debug)]
pub struct ProduceTopicAnswer<'a, P> {
    /// Written up to v12.
    pub name: &'a str,
    /// Written from v13 on.
    pub topic_id: TopicId,
    /// The answers, in the order of the request.
    pub partitions: P,
}

/// Writes a ProduceResponse without building one.
///
/// # Panics
///
/// If an iterator yields another number of items than it said.
pub fn encode_response<'a, P>(
    into: &mut Encoder,
    version: i16,
    topics: impl ExactSizeIterator<Item = ProduceTopicAnswer<'a, P>>,
    throttle_time_ms: i32,
    node_endpoints: &[ProduceNodeEndpoint],
) -> Result<(), EncodeError>
where
    P: ExactSizeIterator<Item = ProducePartitionResponse>,
{
    into.set_form(ProduceResponse::form(version).ok_or(EncodeError::UnknownVersion(version))?);
    into.exactly(topics, |into, topic| {
        if version <= 12 {
            into.string(topic.name)?;
        } else {
            into.uuid(topic.topic_id);
        }
        into.exactly(topic.partitions, |into, partition| partition.encode(into, version))?;
        into.no_tags();
        Ok(())
    })?;
    into.i32(throttle_time_ms);
    into.tags(&[], |tags| {
        if version >= 10 && !node_endpoints.is_empty() {
            tags.field(0, |into| into.array(node_endpoints, |into, each| each.encode(into, version)))?;
        }
        Ok(())
    })
}
