//! DeleteAcls: removes the access rules that fit any of the filters, and tells which they were (KIP-140).
//!
//! - v2: Flexible.
//! - v3: Users as a resource: who may create and see tokens in their name (KIP-373).
//!
//! Generated from `messages/schema/031-delete-acls.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DeleteAclsRequest {
    pub filters: Vec<DeleteAclsFilter>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DeleteAclsRequest {
    const NAME: &'static str = "DeleteAclsRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            filters: from.array(8, |from| DeleteAclsFilter::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.filters, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DeleteAclsRequest {
    const API_KEY: i16 = 31;
    type Response = DeleteAclsResponse;
}

/// Of [`DeleteAclsRequest::filters`].
#[derive(Clone, PartialEq, Debug)]
pub struct DeleteAclsFilter {
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

impl Default for DeleteAclsFilter {
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

impl DeleteAclsFilter {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
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

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
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

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DeleteAclsResponse {
    pub throttle_time_ms: i32,
    /// One for each filter, in their order.
    pub filter_results: Vec<DeleteAclsFilterResult>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for DeleteAclsResponse {
    const NAME: &'static str = "DeleteAclsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            filter_results: from.array(5, |from| DeleteAclsFilterResult::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.array(&self.filter_results, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for DeleteAclsResponse {
    const API_KEY: i16 = 31;
    type Request = DeleteAclsRequest;
}

/// Of [`DeleteAclsResponse::filter_results`].
#[derive(Clone, PartialEq, Debug)]
pub struct DeleteAclsFilterResult {
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Deleted, unless they have an error of their own.
    pub matching_acls: Vec<DeleteAclsMatchingAcl>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DeleteAclsFilterResult {
    fn default() -> Self {
        Self { error_code: 0, error_message: Some(String::new()), matching_acls: Vec::new(), unknown_tags: Vec::new() }
    }
}

impl DeleteAclsFilterResult {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            matching_acls: from.array(11, |from| DeleteAclsMatchingAcl::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.array(&self.matching_acls, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`DeleteAclsFilterResult::matching_acls`].
#[derive(Clone, PartialEq, Debug)]
pub struct DeleteAclsMatchingAcl {
    pub error_code: i16,
    pub error_message: Option<String>,
    /// The codes are those of the request.
    pub resource_type: i8,
    pub resource_name: String,
    pub pattern_type: i8,
    pub principal: String,
    pub host: String,
    pub operation: i8,
    pub permission_type: i8,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DeleteAclsMatchingAcl {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(String::new()),
            resource_type: 0,
            resource_name: String::new(),
            pattern_type: 3,
            principal: String::new(),
            host: String::new(),
            operation: 0,
            permission_type: 0,
            unknown_tags: Vec::new(),
        }
    }
}

impl DeleteAclsMatchingAcl {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            resource_type: from.i8()?,
            resource_name: from.string()?,
            pattern_type: from.i8()?,
            principal: from.string()?,
            host: from.string()?,
            operation: from.i8()?,
            permission_type: from.i8()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        into.i8(self.resource_type);
        into.string(&self.resource_name)?;
        into.i8(self.pattern_type);
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

    impl Json for DeleteAclsRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("filters", &self.filters);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("filters", &mut this.filters)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DeleteAclsFilter {
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

    impl Json for DeleteAclsResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("filterResults", &self.filter_results);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("filterResults", &mut this.filter_results)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DeleteAclsFilterResult {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("matchingAcls", &self.matching_acls);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("matchingAcls", &mut this.matching_acls)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DeleteAclsMatchingAcl {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            object.put("resourceType", &self.resource_type);
            object.put("resourceName", &self.resource_name);
            object.put("patternType", &self.pattern_type);
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
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("resourceType", &mut this.resource_type)?;
            fields.read("resourceName", &mut this.resource_name)?;
            fields.read("patternType", &mut this.pattern_type)?;
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
