//! ConsumerProtocolAssignment: what a consumer is to read.
//!
//! It travels in SyncGroup from the leader to every member.
//!
//! - v1: The same: its numbers go with the subscription's.
//! - v2: The same.
//! - v3: The same.
//!
//! Generated from `messages/schema/consumer-protocol/001-assignment.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// ConsumerProtocolAssignment: what a consumer is to read.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConsumerProtocolAssignment {
    pub assigned_partitions: Vec<TopicPartition>,
    /// Of the assignor.
    pub user_data: Option<Bytes>,
}

impl Message for ConsumerProtocolAssignment {
    const NAME: &'static str = "ConsumerProtocolAssignment";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            assigned_partitions: from.array(6, |from| TopicPartition::decode(from, version))?,
            user_data: from.nullable_bytes()?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.assigned_partitions, |into, each| each.encode(into, version))?;
        into.nullable_bytes(self.user_data.as_ref())?;
        Ok(())
    }
}

/// Of [`ConsumerProtocolAssignment::assigned_partitions`].
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

    impl Json for ConsumerProtocolAssignment {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("assignedPartitions", &self.assigned_partitions);
            object.put("userData", &self.user_data);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("assignedPartitions", &mut this.assigned_partitions)?;
            fields.read("userData", &mut this.user_data)?;
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
