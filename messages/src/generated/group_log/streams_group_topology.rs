//! StreamsGroupTopology: what the application of a streams group reads and writes, subtopology by subtopology
//! (KIP-1071).
//!
//! From it and the source topics follow the tasks, one for each partition that a subtopology reads, and the internal
//! topics that the broker creates.
//!
//! Generated from `messages/schema/group-log/023-streams-group-topology.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupTopologyKey {
    pub group_id: String,
}

impl Message for StreamsGroupTopologyKey {
    const NAME: &'static str = "StreamsGroupTopologyKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { group_id: from.string()? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        Ok(())
    }
}

impl Record for StreamsGroupTopologyKey {
    const RECORD_TYPE: i16 = 23;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupTopologyValue {
    pub epoch: i32,
    pub subtopologies: Vec<Subtopology>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for StreamsGroupTopologyValue {
    const NAME: &'static str = "StreamsGroupTopologyValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            epoch: from.i32()?,
            subtopologies: from.array(8, |from| Subtopology::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.epoch);
        into.array(&self.subtopologies, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for StreamsGroupTopologyValue {
    const RECORD_TYPE: i16 = 23;
}

/// Of [`StreamsGroupTopologyValue::subtopologies`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Subtopology {
    pub subtopology_id: String,
    pub source_topics: Vec<String>,
    /// Empty: Kafka 4.3 refuses expressions.
    pub source_topic_regex: Vec<String>,
    /// What the state stores are rebuilt from; the broker creates them.
    pub state_changelog_topics: Vec<TopicInfo>,
    /// Written here, read by another subtopology.
    pub repartition_sink_topics: Vec<String>,
    /// Read here, written by another subtopology; the broker creates them.
    pub repartition_source_topics: Vec<TopicInfo>,
    /// Source topics that must have equally many partitions.
    pub copartition_groups: Vec<CopartitionGroup>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Subtopology {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            subtopology_id: from.string()?,
            source_topics: from.array(1, Decoder::string)?,
            source_topic_regex: from.array(1, Decoder::string)?,
            state_changelog_topics: from.array(9, |from| TopicInfo::decode(from, version))?,
            repartition_sink_topics: from.array(1, Decoder::string)?,
            repartition_source_topics: from.array(9, |from| TopicInfo::decode(from, version))?,
            copartition_groups: from.array(4, |from| CopartitionGroup::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.subtopology_id)?;
        into.array(&self.source_topics, |into, each| into.string(each))?;
        into.array(&self.source_topic_regex, |into, each| into.string(each))?;
        into.array(&self.state_changelog_topics, |into, each| each.encode(into, version))?;
        into.array(&self.repartition_sink_topics, |into, each| into.string(each))?;
        into.array(&self.repartition_source_topics, |into, each| each.encode(into, version))?;
        into.array(&self.copartition_groups, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Subtopology::state_changelog_topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicInfo {
    pub name: String,
    /// 0: as many as the source topics call for; always so for changelogs.
    pub partitions: i32,
    /// 0: the broker's default.
    pub replication_factor: i16,
    pub topic_configs: Vec<TopicConfig>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicInfo {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.i32()?,
            replication_factor: from.i16()?,
            topic_configs: from.array(3, |from| TopicConfig::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.i32(self.partitions);
        into.i16(self.replication_factor);
        into.array(&self.topic_configs, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`TopicInfo::topic_configs`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicConfig {
    pub key: String,
    pub value: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicConfig {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { key: from.string()?, value: from.string()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.key)?;
        into.string(&self.value)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`Subtopology::copartition_groups`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CopartitionGroup {
    /// Places in the subtopology's list of this name, as in the next two.
    pub source_topics: Vec<i16>,
    pub source_topic_regex: Vec<i16>,
    pub repartition_source_topics: Vec<i16>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl CopartitionGroup {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            source_topics: from.array(2, Decoder::i16)?,
            source_topic_regex: from.array(2, Decoder::i16)?,
            repartition_source_topics: from.array(2, Decoder::i16)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.plain_array(&self.source_topics, |into, each| into.i16(*each))?;
        into.plain_array(&self.source_topic_regex, |into, each| into.i16(*each))?;
        into.plain_array(&self.repartition_source_topics, |into, each| into.i16(*each))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for StreamsGroupTopologyKey {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for StreamsGroupTopologyValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("epoch", &self.epoch);
            object.put("subtopologies", &self.subtopologies);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("epoch", &mut this.epoch)?;
            fields.read("subtopologies", &mut this.subtopologies)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for Subtopology {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("subtopologyId", &self.subtopology_id);
            object.put("sourceTopics", &self.source_topics);
            object.put("sourceTopicRegex", &self.source_topic_regex);
            object.put("stateChangelogTopics", &self.state_changelog_topics);
            object.put("repartitionSinkTopics", &self.repartition_sink_topics);
            object.put("repartitionSourceTopics", &self.repartition_source_topics);
            object.put("copartitionGroups", &self.copartition_groups);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("subtopologyId", &mut this.subtopology_id)?;
            fields.read("sourceTopics", &mut this.source_topics)?;
            fields.read("sourceTopicRegex", &mut this.source_topic_regex)?;
            fields.read("stateChangelogTopics", &mut this.state_changelog_topics)?;
            fields.read("repartitionSinkTopics", &mut this.repartition_sink_topics)?;
            fields.read("repartitionSourceTopics", &mut this.repartition_source_topics)?;
            fields.read("copartitionGroups", &mut this.copartition_groups)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TopicInfo {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("partitions", &self.partitions);
            object.put("replicationFactor", &self.replication_factor);
            object.put("topicConfigs", &self.topic_configs);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read("replicationFactor", &mut this.replication_factor)?;
            fields.read("topicConfigs", &mut this.topic_configs)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TopicConfig {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("key", &self.key);
            object.put("value", &self.value);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("key", &mut this.key)?;
            fields.read("value", &mut this.value)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for CopartitionGroup {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("sourceTopics", &self.source_topics);
            object.put("sourceTopicRegex", &self.source_topic_regex);
            object.put("repartitionSourceTopics", &self.repartition_source_topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("sourceTopics", &mut this.source_topics)?;
            fields.read("sourceTopicRegex", &mut this.source_topic_regex)?;
            fields.read("repartitionSourceTopics", &mut this.repartition_source_topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
