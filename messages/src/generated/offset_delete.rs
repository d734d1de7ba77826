//! OffsetDelete: a group forgets how far it has read partitions of topics that no member subscribes to (KIP-496).
//!
//! Generated from `messages/schema/047-offset-delete.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetDeleteRequest {
    pub group_id: String,
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

impl Message for OffsetDeleteRequest {
    const NAME: &'static str = "OffsetDeleteRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            group_id: from.string()?,
            topics: from.array(6, |from| OffsetDeleteRequestTopic::decode(from, version))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        Ok(())
    }
}

impl Request for OffsetDeleteRequest {
    const API_KEY: i16 = 47;
    type Response = OffsetDeleteResponse;
}

/// Of [`OffsetDeleteRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetDeleteRequestTopic {
    pub name: String,
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

impl OffsetDeleteRequestTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(4, |from| OffsetDeleteRequestPartition::decode(from, version))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        Ok(())
    }
}

/// Of [`OffsetDeleteRequestTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetDeleteRequestPartition {
    pub partition_index: PartitionIndex,
}

impl Default for OffsetDeleteRequestPartition {
    fn default() -> Self {
        Self { partition_index: PartitionIndex(0) }
    }
}

impl OffsetDeleteRequestPartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { partition_index: PartitionIndex(from.i32()?) })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        Ok(())
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetDeleteResponse {
    /// Of the whole group.
    pub error_code: i16,
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

impl Message for OffsetDeleteResponse {
    const NAME: &'static str = "OffsetDeleteResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            error_code: from.i16()?,
            throttle_time_ms: from.i32()?,
            topics: from.array(6, |from| OffsetDeleteResponseTopic::decode(from, version))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.error_code);
        into.i32(self.throttle_time_ms);
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        Ok(())
    }
}

impl Response for OffsetDeleteResponse {
    const API_KEY: i16 = 47;
    type Request = OffsetDeleteRequest;
}

/// Of [`OffsetDeleteResponse::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OffsetDeleteResponseTopic {
    pub name: String,
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

impl OffsetDeleteResponseTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            name: from.string()?,
            partitions: from.array(6, |from| OffsetDeleteResponsePartition::decode(from, version))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        Ok(())
    }
}

/// Of [`OffsetDeleteResponseTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct OffsetDeleteResponsePartition {
    pub partition_index: PartitionIndex,
    pub error_code: i16,
}

impl Default for OffsetDeleteResponsePartition {
    fn default() -> Self {
        Self { partition_index: PartitionIndex(0), error_code: 0 }
    }
}

impl OffsetDeleteResponsePartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { partition_index: PartitionIndex(from.i32()?), error_code: from.i16()? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i16(self.error_code);
        Ok(())
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for OffsetDeleteRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("topics", &self.topics);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("topics", &mut this.topics)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetDeleteRequestTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("partitions", &self.partitions);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetDeleteRequestPartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetDeleteResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("topics", &self.topics);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("topics", &mut this.topics)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetDeleteResponseTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("partitions", &self.partitions);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for OffsetDeleteResponsePartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("errorCode", &self.error_code);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
