//! DescribeCluster: who is in the cluster, for tools; clients that read and write ask Metadata (KIP-700).
//!
//! - v1: Brokers or controllers: what kind of node the answer lists (KIP-919).
//! - v2: Fenced brokers are listed too, if asked for (KIP-1073).
//!
//! Generated from `messages/schema/060-describe-cluster.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeClusterRequest {
    pub include_cluster_authorized_operations: bool,
    /// 1 brokers, 2 controllers. (v1+)
    pub endpoint_type: i8,
    /// (v2+)
    pub include_fenced_brokers: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeClusterRequest {
    fn default() -> Self {
        Self {
            include_cluster_authorized_operations: false,
            endpoint_type: 1,
            include_fenced_brokers: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for DescribeClusterRequest {
    const NAME: &'static str = "DescribeClusterRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            include_cluster_authorized_operations: from.bool()?,
            endpoint_type: if version >= 1 { from.i8()? } else { 1 },
            include_fenced_brokers: if version >= 2 { from.bool()? } else { false },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.bool(self.include_cluster_authorized_operations);
        if version >= 1 {
            into.i8(self.endpoint_type);
        } else if self.endpoint_type != 1 {
            return Err(EncodeError::NotInVersion { field: "endpoint_type", version });
        }
        if version >= 2 {
            into.bool(self.include_fenced_brokers);
        } else if self.include_fenced_brokers {
            return Err(EncodeError::NotInVersion { field: "include_fenced_brokers", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Request for DescribeClusterRequest {
    const API_KEY: i16 = 60;
    type Response = DescribeClusterResponse;
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeClusterResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// What `brokers` lists. (v1+)
    pub endpoint_type: i8,
    pub cluster_id: String,
    pub controller_id: BrokerId,
    pub brokers: Vec<DescribeClusterBroker>,
    /// A bit per operation; the default means that nobody asked.
    pub cluster_authorized_operations: i32,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeClusterResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            endpoint_type: 1,
            cluster_id: String::new(),
            controller_id: BrokerId(-1),
            brokers: Vec::new(),
            cluster_authorized_operations: -2147483648,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for DescribeClusterResponse {
    const NAME: &'static str = "DescribeClusterResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            throttle_time_ms: from.i32()?,
            error_code: from.i16()?,
            error_message: from.nullable_string()?,
            endpoint_type: if version >= 1 { from.i8()? } else { 1 },
            cluster_id: from.string()?,
            controller_id: BrokerId(from.i32()?),
            brokers: from.array(11, |from| DescribeClusterBroker::decode(from, version))?,
            cluster_authorized_operations: from.i32()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        into.i16(self.error_code);
        into.nullable_string(self.error_message.as_deref())?;
        if version >= 1 {
            into.i8(self.endpoint_type);
        } else if self.endpoint_type != 1 {
            return Err(EncodeError::NotInVersion { field: "endpoint_type", version });
        }
        into.string(&self.cluster_id)?;
        into.i32(self.controller_id.0);
        into.array(&self.brokers, |into, each| each.encode(into, version))?;
        into.i32(self.cluster_authorized_operations);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Response for DescribeClusterResponse {
    const API_KEY: i16 = 60;
    type Request = DescribeClusterRequest;
}

/// Of [`DescribeClusterResponse::brokers`].
#[derive(Clone, PartialEq, Debug)]
pub struct DescribeClusterBroker {
    pub broker_id: BrokerId,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
    /// (v2+)
    pub is_fenced: bool,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for DescribeClusterBroker {
    fn default() -> Self {
        Self {
            broker_id: BrokerId(0),
            host: String::new(),
            port: 0,
            rack: None,
            is_fenced: false,
            unknown_tags: Vec::new(),
        }
    }
}

impl DescribeClusterBroker {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            broker_id: BrokerId(from.i32()?),
            host: from.string()?,
            port: from.i32()?,
            rack: from.nullable_string()?,
            is_fenced: if version >= 2 { from.bool()? } else { false },
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.broker_id.0);
        into.string(&self.host)?;
        into.i32(self.port);
        into.nullable_string(self.rack.as_deref())?;
        if version >= 2 {
            into.bool(self.is_fenced);
        } else if self.is_fenced {
            return Err(EncodeError::NotInVersion { field: "is_fenced", version });
        }
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for DescribeClusterRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("includeClusterAuthorizedOperations", &self.include_cluster_authorized_operations);
            if version >= 1 {
                object.put("endpointType", &self.endpoint_type);
            }
            if version >= 2 {
                object.put("includeFencedBrokers", &self.include_fenced_brokers);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("includeClusterAuthorizedOperations", &mut this.include_cluster_authorized_operations)?;
            fields.read("endpointType", &mut this.endpoint_type)?;
            fields.read("includeFencedBrokers", &mut this.include_fenced_brokers)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeClusterResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            object.put("errorCode", &self.error_code);
            object.put("errorMessage", &self.error_message);
            if version >= 1 {
                object.put("endpointType", &self.endpoint_type);
            }
            object.put("clusterId", &self.cluster_id);
            object.put("controllerId", &self.controller_id);
            object.put("brokers", &self.brokers);
            object.put("clusterAuthorizedOperations", &self.cluster_authorized_operations);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("errorMessage", &mut this.error_message)?;
            fields.read("endpointType", &mut this.endpoint_type)?;
            fields.read("clusterId", &mut this.cluster_id)?;
            fields.read("controllerId", &mut this.controller_id)?;
            fields.read("brokers", &mut this.brokers)?;
            fields.read("clusterAuthorizedOperations", &mut this.cluster_authorized_operations)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for DescribeClusterBroker {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("brokerId", &self.broker_id);
            object.put("host", &self.host);
            object.put("port", &self.port);
            object.put("rack", &self.rack);
            if version >= 2 {
                object.put("isFenced", &self.is_fenced);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("brokerId", &mut this.broker_id)?;
            fields.read("host", &mut this.host)?;
            fields.read("port", &mut this.port)?;
            fields.read("rack", &mut this.rack)?;
            fields.read("isFenced", &mut this.is_fenced)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
