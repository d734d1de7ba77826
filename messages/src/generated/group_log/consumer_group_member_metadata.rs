//! ConsumerGroupMemberMetadata: a member of a group of the consumer protocol, and what it wants to read (KIP-848).
//! Without a value: it is no member any more; what it was assigned, now and as a target, goes before.
//!
//! Generated from `messages/schema/group-log/005-consumer-group-member-metadata.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConsumerGroupMemberMetadataKey {
    pub group_id: String,
    pub member_id: String,
}

impl Message for ConsumerGroupMemberMetadataKey {
    const NAME: &'static str = "ConsumerGroupMemberMetadataKey";
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

impl Record for ConsumerGroupMemberMetadataKey {
    const RECORD_TYPE: i16 = 5;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug)]
pub struct ConsumerGroupMemberMetadataValue {
    /// Of a member that keeps its place.
    pub instance_id: Option<String>,
    pub rack_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    /// Sorted.
    pub subscribed_topic_names: Vec<String>,
    /// In RE2's syntax; for matches see ConsumerGroupRegularExpression. Null or empty: none.
    pub subscribed_topic_regex: Option<String>,
    /// How long it may take to give partitions up, in ms.
    pub rebalance_timeout_ms: i32,
    /// `uniform`, `range` or another that the broker has; null: any will do.
    pub server_assignor: Option<String>,
    /// Set while the member speaks the classic protocol.
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ConsumerGroupMemberMetadataValue {
    fn default() -> Self {
        Self {
            instance_id: Some(String::new()),
            rack_id: Some(String::new()),
            client_id: String::new(),
            client_host: String::new(),
            subscribed_topic_names: Vec::new(),
            subscribed_topic_regex: Some(String::new()),
            rebalance_timeout_ms: -1,
            server_assignor: Some(String::new()),
            classic_member_metadata: Some(ClassicMemberMetadata::default()),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for ConsumerGroupMemberMetadataValue {
    const NAME: &'static str = "ConsumerGroupMemberMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            instance_id: from.nullable_string()?,
            rack_id: from.nullable_string()?,
            client_id: from.string()?,
            client_host: from.string()?,
            subscribed_topic_names: from.array(1, Decoder::string)?,
            subscribed_topic_regex: from.nullable_string()?,
            rebalance_timeout_ms: from.i32()?,
            server_assignor: from.nullable_string()?,
            classic_member_metadata: Some(ClassicMemberMetadata::default()),
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => {
                    this.classic_member_metadata =
                        if from.uvarint()? != 0 { Some(ClassicMemberMetadata::decode(from, version)?) } else { None }
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.nullable_string(self.instance_id.as_deref())?;
        into.nullable_string(self.rack_id.as_deref())?;
        into.string(&self.client_id)?;
        into.string(&self.client_host)?;
        into.array(&self.subscribed_topic_names, |into, each| into.string(each))?;
        into.nullable_string(self.subscribed_topic_regex.as_deref())?;
        into.i32(self.rebalance_timeout_ms);
        into.nullable_string(self.server_assignor.as_deref())?;
        into.tags(&self.unknown_tags, |tags| {
            if self.classic_member_metadata != Some(ClassicMemberMetadata::default()) {
                tags.field(0, |into| {
                    into.uvarint(self.classic_member_metadata.is_some().into());
                    if let Some(value) = &self.classic_member_metadata {
                        value.encode(into, version)?;
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

impl Record for ConsumerGroupMemberMetadataValue {
    const RECORD_TYPE: i16 = 5;
}

/// Of [`ConsumerGroupMemberMetadataValue::classic_member_metadata`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ClassicMemberMetadata {
    /// In ms.
    pub session_timeout_ms: i32,
    /// The best first.
    pub supported_protocols: Vec<ClassicProtocol>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ClassicMemberMetadata {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            session_timeout_ms: from.i32()?,
            supported_protocols: from.array(3, |from| ClassicProtocol::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.session_timeout_ms);
        into.array(&self.supported_protocols, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`ClassicMemberMetadata::supported_protocols`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ClassicProtocol {
    /// Of an assignor.
    pub name: String,
    /// A subscription, as in JoinGroup.
    pub metadata: Bytes,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ClassicProtocol {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self { name: from.string()?, metadata: from.bytes()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.name)?;
        into.bytes(&self.metadata)?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ConsumerGroupMemberMetadataKey {
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

    impl Json for ConsumerGroupMemberMetadataValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("instanceId", &self.instance_id);
            object.put("rackId", &self.rack_id);
            object.put("clientId", &self.client_id);
            object.put("clientHost", &self.client_host);
            object.put("subscribedTopicNames", &self.subscribed_topic_names);
            object.put("subscribedTopicRegex", &self.subscribed_topic_regex);
            object.put("rebalanceTimeoutMs", &self.rebalance_timeout_ms);
            object.put("serverAssignor", &self.server_assignor);
            if self.classic_member_metadata != Some(ClassicMemberMetadata::default()) {
                object.put("classicMemberMetadata", &self.classic_member_metadata);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("instanceId", &mut this.instance_id)?;
            fields.read("rackId", &mut this.rack_id)?;
            fields.read("clientId", &mut this.client_id)?;
            fields.read("clientHost", &mut this.client_host)?;
            fields.read("subscribedTopicNames", &mut this.subscribed_topic_names)?;
            fields.read("subscribedTopicRegex", &mut this.subscribed_topic_regex)?;
            fields.read("rebalanceTimeoutMs", &mut this.rebalance_timeout_ms)?;
            fields.read("serverAssignor", &mut this.server_assignor)?;
            fields.read("classicMemberMetadata", &mut this.classic_member_metadata)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ClassicMemberMetadata {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("sessionTimeoutMs", &self.session_timeout_ms);
            object.put("supportedProtocols", &self.supported_protocols);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("sessionTimeoutMs", &mut this.session_timeout_ms)?;
            fields.read("supportedProtocols", &mut this.supported_protocols)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ClassicProtocol {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("name", &self.name);
            object.put("metadata", &self.metadata);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("name", &mut this.name)?;
            fields.read("metadata", &mut this.metadata)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
