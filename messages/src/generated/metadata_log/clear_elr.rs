//! ClearElrRecord: the partitions of a topic, or of all, have no eligible leader replicas any more (KIP-966).
//!
//! Written when `min.insync.replicas` changes: who is eligible was decided by its old value.
//!
//! Generated from `messages/schema/metadata-log/028-clear-elr.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// ClearElrRecord: the partitions of a topic, or of all, have no eligible leader replicas any more (KIP-966).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ClearElrRecord {
    /// Empty: all topics.
    pub topic_name: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ClearElrRecord {
    const NAME: &'static str = "ClearElrRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { topic_name: from.string()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.topic_name)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for ClearElrRecord {
    const RECORD_TYPE: i16 = 28;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ClearElrRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("topicName", &self.topic_name);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topicName", &mut this.topic_name)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
