//! ConsumerGroupMetadata: a group of the consumer protocol, and the epoch it has reached (KIP-848). Without a value:
//! there is no such group any more.
//!
//! It is the last to go: Kafka fails on a log that drops a group with members or an assignment left.
//!
//! Generated from `messages/schema/group-log/003-consumer-group-metadata.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConsumerGroupMetadataKey {
    pub group_id: String,
}

impl Message for ConsumerGroupMetadataKey {
    const NAME: &'static str = "ConsumerGroupMetadataKey";
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

impl Record for ConsumerGroupMetadataKey {
    const RECORD_TYPE: i16 = 3;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConsumerGroupMetadataValue {
    /// Goes up when members, subscriptions or topics change: an assignment is due.
    pub epoch: i32,
    /// Of the topics' ids, names, partitions, racks (KIP-1101); 0: no topics, or not known.
    pub metadata_hash: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ConsumerGroupMetadataValue {
    const NAME: &'static str = "ConsumerGroupMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self { epoch: from.i32()?, metadata_hash: 0, unknown_tags: Vec::new() };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.metadata_hash = from.i64()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.epoch);
        into.tags(&self.unknown_tags, |tags| {
            if self.metadata_hash != 0 {
                tags.field(0, |into| {
                    into.i64(self.metadata_hash);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Record for ConsumerGroupMetadataValue {
    const RECORD_TYPE: i16 = 3;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ConsumerGroupMetadataKey {
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

    impl Json for ConsumerGroupMetadataValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("epoch", &self.epoch);
            if self.metadata_hash != 0 {
                object.put("metadataHash", &self.metadata_hash);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("epoch", &mut this.epoch)?;
            fields.read("metadataHash", &mut this.metadata_hash)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
