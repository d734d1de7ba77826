//! ConsumerProtocolSubscription: what a consumer wants to read, and what it knows of the last generation.
//!
//! It travels in JoinGroup from every member to the leader.
//!
//! - v1: The partitions that the member still holds, so that it may keep them (KIP-429).
//! - v2: The generation in which it was given them (KIP-792).
//! - v3: The rack in which it stands (KIP-881).
//!
//! Generated from `messages/schema/consumer-protocol/000-subscription.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// ConsumerProtocolSubscription: what a consumer wants to read, and what it knows of the last generation.
#[derive(Clone, PartialEq, Debug)]
pub struct ConsumerProtocolSubscription {
    pub topics: Vec<String>,
    /// Of the assignor.
    pub user_data: Option<Bytes>,
    /// (v1+)
    pub owned_partitions: Vec<TopicPartition>,
    /// -1: not told. (v2+)
    pub generation_id: i32,
    /// (v3+)
    pub rack_id: Option<String>,
}

impl Default for ConsumerProtocolSubscription {
    fn default() -> Self {
        Self { topics: Vec::new(), user_data: None, owned_partitions: Vec::new(), generation_id: -1, rack_id: None }
    }
}

impl Message for ConsumerProtocolSubscription {
    const NAME: &'static str = "ConsumerProtocolSubscription";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            topics: from.array(2, Decoder::string)?,
            user_data: from.nullable_bytes()?,
            owned_partitions: if version >= 1 {
                from.array(6, |from| TopicPartition::decode(from, version))?
            } else {
                Vec::new()
            },
            generation_id: if version >= 2 { from.i32()? } else { -1 },
            rack_id: if version >= 3 { from.nullable_string()? } else { None },
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.topics, |into, each| into.string(each))?;
        into.nullable_bytes(self.user_data.as_ref())?;
        if version >= 1 {
            into.array(&self.owned_partitions, |into, each| each.encode(into, version))?;
        }
        if version >= 2 {
            into.i32(self.generation_id);
        }
        if version >= 3 {
            into.nullable_string(self.rack_id.as_deref())?;
        }
        Ok(())
    }
}

/// Of [`ConsumerProtocolSubscription::owned_partitions`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicPartition {
    pub topic: String,
    pub partitions: Vec<PartitionIndex>,
}

impl TopicPartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { topic: from.string()?, partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.topic)?;
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        Ok(())
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ConsumerProtocolSubscription {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topics", &self.topics);
            object.put("userData", &self.user_data);
            if version >= 1 {
                object.put("ownedPartitions", &self.owned_partitions);
            }
            if version >= 2 {
                object.put("generationId", &self.generation_id);
            }
            if version >= 3 {
                object.put("rackId", &self.rack_id);
            }
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topics", &mut this.topics)?;
            fields.read("userData", &mut this.user_data)?;
            fields.read("ownedPartitions", &mut this.owned_partitions)?;
            fields.read("generationId", &mut this.generation_id)?;
            fields.read("rackId", &mut this.rack_id)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TopicPartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topic", &self.topic);
            object.put("partitions", &self.partitions);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topic", &mut this.topic)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
