//! ConsumerGroupPartitionMetadata: the topics of a group and how many partitions each had, to notice a change
//! (KIP-848).
//!
//! Since Kafka 4.1 a hash in ConsumerGroupMetadata does that (KIP-1101); a broker that still finds this record adds one
//! without a value.
//!
//! Generated from `messages/schema/group-log/004-consumer-group-partition-metadata.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConsumerGroupPartitionMetadataKey {
    pub group_id: String,
}

impl Message for ConsumerGroupPartitionMetadataKey {
    const NAME: &'static str = "ConsumerGroupPartitionMetadataKey";
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

impl Record for ConsumerGroupPartitionMetadataKey {
    const RECORD_TYPE: i16 = 4;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConsumerGroupPartitionMetadataValue {
    pub topics: Vec<TopicMetadata>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ConsumerGroupPartitionMetadataValue {
    const NAME: &'static str = "ConsumerGroupPartitionMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topics: from.array(23, |from| TopicMetadata::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for ConsumerGroupPartitionMetadataValue {
    const RECORD_TYPE: i16 = 4;
}

/// Of [`ConsumerGroupPartitionMetadataValue::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicMetadata {
    pub topic_id: Uuid,
    pub topic_name: String,
    pub num_partitions: i32,
    /// Out of use in Kafka 4, and empty.
    pub partition_metadata: Vec<PartitionMetadata>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TopicMetadata {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic_id: from.uuid()?,
            topic_name: from.string()?,
            num_partitions: from.i32()?,
            partition_metadata: from.array(6, |from| PartitionMetadata::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.uuid(self.topic_id);
        into.string(&self.topic_name)?;
        into.i32(self.num_partitions);
        into.array(&self.partition_metadata, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`TopicMetadata::partition_metadata`].
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionMetadata {
    pub partition: PartitionIndex,
    /// Of the brokers that hold the partition.
    pub racks: Vec<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for PartitionMetadata {
    fn default() -> Self {
        Self { partition: PartitionIndex(0), racks: Vec::new(), unknown_tags: Vec::new() }
    }
}

impl PartitionMetadata {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            partition: PartitionIndex(from.i32()?),
            racks: from.array(1, Decoder::string)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition.0);
        into.array(&self.racks, |into, each| into.string(each))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ConsumerGroupPartitionMetadataKey {
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

    impl Json for ConsumerGroupPartitionMetadataValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topics", &self.topics);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topics", &mut this.topics)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TopicMetadata {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topicId", &self.topic_id);
            object.put("topicName", &self.topic_name);
            object.put("numPartitions", &self.num_partitions);
            object.put("partitionMetadata", &self.partition_metadata);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("topicName", &mut this.topic_name)?;
            fields.read("numPartitions", &mut this.num_partitions)?;
            fields.read("partitionMetadata", &mut this.partition_metadata)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for PartitionMetadata {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partition", &self.partition);
            object.put("racks", &self.racks);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partition", &mut this.partition)?;
            fields.read("racks", &mut this.racks)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
