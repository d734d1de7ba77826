//! ShareGroupMetadata: a share group, and the epoch it has reached (KIP-932). Without a value: there is no such group
//! any more.
//!
//! It goes only when its members and their assignment are gone, as with ConsumerGroupMetadata.
//!
//! Generated from `messages/schema/group-log/011-share-group-metadata.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareGroupMetadataKey {
    pub group_id: String,
}

impl Message for ShareGroupMetadataKey {
    const NAME: &'static str = "ShareGroupMetadataKey";
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

impl Record for ShareGroupMetadataKey {
    const RECORD_TYPE: i16 = 11;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareGroupMetadataValue {
    /// Goes up when members, subscriptions or topics change: an assignment is due.
    pub epoch: i32,
    /// Of the topics' ids, names, partitions, racks (KIP-1101); 0: no topics.
    pub metadata_hash: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ShareGroupMetadataValue {
    const NAME: &'static str = "ShareGroupMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { epoch: from.i32()?, metadata_hash: from.i64()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.epoch);
        into.i64(self.metadata_hash);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for ShareGroupMetadataValue {
    const RECORD_TYPE: i16 = 11;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ShareGroupMetadataKey {
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

    impl Json for ShareGroupMetadataValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("epoch", &self.epoch);
            object.put("metadataHash", &self.metadata_hash);
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
