//! DescribeAcls: the access rules that fit a filter (KIP-140).
//!
//! A rule fits if it fits every part of the filter. A broker without an authorizer answers SECURITY_DISABLED.
//!
//! - v2: Flexible.
//! - v3: Users as a resource: who may create and see tokens in their name (KIP-373).
//!
//! Generated from `messages/schema/029-describe-acls.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeAclsRequest {
    /// 1 any, 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.
    pub resource_type_filter: i8,
    /// Null: any.
    pub resource_name_filter: Option<String>,
    /// 1 any, 2 any that covers the name, 3 literal, 4 prefix.
    pub pattern_type_filter: i8,
    /// `User:name`; null: any.
    pub principal_filter: Option<String>,
    /// Null: any.
    pub host_filter: Option<String>,
    /// 1 any, 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, 9 cluster action, 10 describe configs, 11 alter configs, 12 idempotent write, 13 create tokens, 14 describe tokens, 15 two-phase commit.
    pub operation: i8,
    /// 1 any, 2 deny, 3 allow.
    pub permission_type: i8,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeAclsRequest {
    fn default() -> Self {
        Self {
            resource_type_filter: 0,
            resource_name_filter: Some(String::new()),
            pattern_type_filter: 3,
            principal_filter: Some(String::new()),
            host_filter: Some(String::new()),
            operation: 0,
            permission_type: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for DescribeAclsRequest {
    const NAME: &'static str = "DescribeAclsRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            resource_type_filter: from.i8()?,
            resource_name_filter: from.nullable_string()?,
            pattern_type_filter: from.i8()?,
            principal_filter: from.nullable_string()?,
            host_filter: from.nullable_string()?,
            operation: from.i8()?,
            permission_type: from.i8()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i8(self.resource_type_filter);
        into.nullable_string(self.resource_name_filter.as_deref())?;
        into.i8(self.pattern_type_filter);
        into.nullable_string(self.principal_filter.as_deref())?;
        into.nullable_string(self.host_filter.as_deref())?;
        into.i8(self.operation);
        into.i8(self.permission_type);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DescribeAclsRequest {
    const API_KEY: i16 = 29;
    type Response = DescribeAclsResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeAclsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// The rules that fit, by pattern.
    pub resources: Vec<DescribeAclsResource>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeAclsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(String::new()),
            resources: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for DescribeAclsResponse {
    const NAME: &'static str = "DescribeAclsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            resources: from.array(5, |from| DescribeAclsResource::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.array(&self.resources, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for DescribeAclsResponse {
    const API_KEY: i16 = 29;
    type Request = DescribeAclsRequest;
}

/// Of [`DescribeAclsResponse::resources`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeAclsResource {
    /// The codes are those of the request.
    pub resource_type: i8,
    /// `*` with a literal pattern: all of them.
    pub resource_name: String,
    pub pattern_type: i8,
    pub acls: Vec<AclDescription>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeAclsResource {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: String::new(),
            pattern_type: 3,
            acls: Vec::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl DescribeAclsResource {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            resource_type: from.i8()?,
            resource_name: from.string()?,
            pattern_type: from.i8()?,
            acls: from.array(5, |from| AclDescription::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i8(self.resource_type);
        into.string(&self.resource_name)?;
        into.i8(self.pattern_type);
        into.array(&self.acls, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DescribeAclsResource::acls`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AclDescription {
    pub principal: String,
    /// An address; `*`: all.
    pub host: String,
    pub operation: i8,
    pub permission_type: i8,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl AclDescription {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            principal: from.string()?,
            host: from.string()?,
            operation: from.i8()?,
            permission_type: from.i8()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.principal)?;
        into.string(&self.host)?;
        into.i8(self.operation);
        into.i8(self.permission_type);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DescribeAclsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("resourceTypeFilter", &self.resource_type_filter);
            object.put("resourceNameFilter", &self.resource_name_filter);
            object.put("patternTypeFilter", &self.pattern_type_filter);
            object.put("principalFilter", &self.principal_filter);
            object.put("hostFilter", &self.host_filter);
            object.put("operation", &self.operation);
            object.put("permissionType", &self.permission_type);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("resourceTypeFilter", &mut this.resource_type_filter)?;
            fields.read("resourceNameFilter", &mut this.resource_name_filter)?;
            fields.read("patternTypeFilter", &mut this.pattern_type_filter)?;
            fields.read("principalFilter", &mut this.principal_filter)?;
            fields.read("hostFilter", &mut this.host_filter)?;
            fields.read("operation", &mut this.operation)?;
            fields.read("permissionType", &mut this.permission_type)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeAclsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("resources", &self.resources);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("resources", &mut this.resources)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeAclsResource {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("resourceType", &self.resource_type);
            object.put("resourceName", &self.resource_name);
            object.put("patternType", &self.pattern_type);
            object.put("acls", &self.acls);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("resourceType", &mut this.resource_type)?;
            fields.read("resourceName", &mut this.resource_name)?;
            fields.read("patternType", &mut this.pattern_type)?;
            fields.read("acls", &mut this.acls)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AclDescription {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("principal", &self.principal);
            object.put("host", &self.host);
            object.put("operation", &self.operation);
            object.put("permissionType", &self.permission_type);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("principal", &mut this.principal)?;
            fields.read("host", &mut this.host)?;
            fields.read("operation", &mut this.operation)?;
            fields.read("permissionType", &mut this.permission_type)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
