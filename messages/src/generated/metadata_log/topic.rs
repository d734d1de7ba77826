//! TopicRecord: a topic exists from here on. Its partitions follow, each in a record of its own.
//!
//! Generated from `messages/schema/metadata-log/002-topic.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// TopicRecord: a topic exists from here on. Its partitions follow, each in a record of its own.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicRecord {
    pub name: String,
    pub topic_id: Uuid,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for TopicRecord {
    const NAME: &'static str = "TopicRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { name: from.string()?, topic_id: from.uuid()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.name)?;
        into.uuid(self.topic_id);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for TopicRecord {
    const RECORD_TYPE: i16 = 2;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for TopicRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("topicId", &self.topic_id);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
