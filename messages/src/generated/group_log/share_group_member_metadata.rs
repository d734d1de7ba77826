//! ShareGroupMemberMetadata: a member of a share group, and what it wants to read (KIP-932). Without a value: it is no
//! member any more; what it was assigned, now and as a target, goes before.
//!
//! Generated from `messages/schema/group-log/010-share-group-member-metadata.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ShareGroupMemberMetadataKey {
    pub group_id: String,
    pub member_id: String,
}

impl Message for ShareGroupMemberMetadataKey {
    const NAME: &'static str = "ShareGroupMemberMetadataKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { group_id: from.string()?, member_id: from.string()? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.string(&self.group_id)?;
        into.string(&self.member_id)?;
        Ok(())
    }
}

impl Record for ShareGroupMemberMetadataKey {
    const RECORD_TYPE: i16 = 10;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug)]
pub struct ShareGroupMemberMetadataValue {
    pub rack_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    /// Sorted.
    pub subscribed_topic_names: Vec<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ShareGroupMemberMetadataValue {
    fn default() -> Self {
        Self {
            rack_id: Some(String::new()),
            client_id: String::new(),
            client_host: String::new(),
            subscribed_topic_names: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for ShareGroupMemberMetadataValue {
    const NAME: &'static str = "ShareGroupMemberMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            rack_id: from.nullable_string()?,
            client_id: from.string()?,
            client_host: from.string()?,
            subscribed_topic_names: from.array(1, Decoder::string)?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.nullable_string(self.rack_id.as_deref())?;
        into.string(&self.client_id)?;
        into.string(&self.client_host)?;
        into.array(&self.subscribed_topic_names, |into, each| into.string(each))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for ShareGroupMemberMetadataValue {
    const RECORD_TYPE: i16 = 10;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ShareGroupMemberMetadataKey {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("groupId", &self.group_id);
            object.put("memberId", &self.member_id);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("groupId", &mut this.group_id)?;
            fields.read("memberId", &mut this.member_id)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ShareGroupMemberMetadataValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("rackId", &self.rack_id);
            object.put("clientId", &self.client_id);
            object.put("clientHost", &self.client_host);
            object.put("subscribedTopicNames", &self.subscribed_topic_names);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("rackId", &mut this.rack_id)?;
            fields.read("clientId", &mut this.client_id)?;
            fields.read("clientHost", &mut this.client_host)?;
            fields.read("subscribedTopicNames", &mut this.subscribed_topic_names)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
