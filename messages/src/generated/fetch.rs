//! Fetch: reads record batches from partitions, for consumers and for followers.
//!
//! A session (KIP-227) remembers its partitions: requests then carry what changed, and so do responses.
//!
//! - v5: Both sides tell where their logs begin.
//! - v6: A failed disk may be answered with KAFKA_STORAGE_ERROR.
//! - v7: Fetch sessions (KIP-227).
//! - v8: A throttled client is answered at once and waits by itself (KIP-219).
//! - v9: The client tells which leader epoch it knows, and is fenced when it is behind (KIP-320).
//! - v10: Batches may be compressed with zstd (KIP-110).
//! - v11: Consumers may read from the nearest replica (KIP-392).
//! - v12: Flexible. The epoch of the last record fetched goes in, the point where histories part comes out (KIP-595).
//! - v13: Topics go by id instead of name (KIP-516).
//! - v14: OFFSET_MOVED_TO_TIERED_STORAGE: the records are in remote storage only (KIP-405).
//! - v15: A follower says its broker epoch beside its id (KIP-903).
//! - v16: A broker that doesn't lead tells who does, and where that is (KIP-951).
//! - v17: A follower says which of its directories holds the replica (KIP-853).
//! - v18: A follower says which high watermark it knows, and is answered when there is a newer one (KIP-1166).
//!
//! Generated from `messages/schema/001-fetch.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the client asks.
#[derive(Clone, PartialEq, Debug)]
pub struct FetchRequest {
    /// A wrong one is ignored. (v12+)
    pub cluster_id: Option<String>,
    /// -1: a consumer. (up to v14)
    pub replica_id: BrokerId,
    /// Who asks, from v15 on. (v15+)
    pub replica_state: ReplicaState,
    /// How long the answer may wait for `min_bytes`, in ms.
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    /// A first batch larger than this is sent all the same.
    pub max_bytes: i32,
    /// 0 up to the high watermark, 1 up to the last stable offset.
    pub isolation_level: i8,
    /// 0: none. (v7+)
    pub session_id: i32,
    /// -1: no session; 0: a new one; else the number of this request in it. (v7+)
    pub session_epoch: i32,
    pub topics: Vec<FetchTopic>,
    /// To be taken out of the session. (v7+)
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// (v11+)
    pub rack_id: String,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for FetchRequest {
    fn default() -> Self {
        Self {
            cluster_id: None,
            replica_id: BrokerId(-1),
            replica_state: ReplicaState::default(),
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: 2147483647,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Vec::new(),
            forgotten_topics_data: Vec::new(),
            rack_id: String::new(),
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for FetchRequest {
    const NAME: &'static str = "FetchRequest";
    const MIN_VERSION: i16 = 4;
    const MAX_VERSION: i16 = 18;
    const FLEXIBLE_FROM: i16 = 12;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            cluster_id: None,
            replica_id: if version <= 14 { BrokerId(from.i32()?) } else { BrokerId(-1) },
            replica_state: ReplicaState::default(),
            max_wait_ms: from.i32()?,
            min_bytes: from.i32()?,
            max_bytes: from.i32()?,
            isolation_level: from.i8()?,
            session_id: if version >= 7 { from.i32()? } else { 0 },
            session_epoch: if version >= 7 { from.i32()? } else { -1 },
            topics: from.array(3, |from| FetchTopic::decode(from, version))?,
            forgotten_topics_data: if version >= 7 {
                from.array(3, |from| ForgottenTopic::decode(from, version))?
            } else {
                Vec::new()
            },
            rack_id: if version >= 11 { from.string()? } else { String::new() },
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.cluster_id = from.nullable_string()?,
                1 if version >= 15 => this.replica_state = ReplicaState::decode(from, version)?,
                1 => return Err(DecodeError::MisplacedTag(tag)),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        if version <= 14 {
            into.i32(self.replica_id.0);
        } else if self.replica_id != BrokerId(-1) {
            return Err(EncodeError::NotInVersion { field: "replica_id", version });
        }
        if version < 15 && self.replica_state != ReplicaState::default() {
            return Err(EncodeError::NotInVersion { field: "replica_state", version });
        }
        into.i32(self.max_wait_ms);
        into.i32(self.min_bytes);
        into.i32(self.max_bytes);
        into.i8(self.isolation_level);
        if version >= 7 {
            into.i32(self.session_id);
            into.i32(self.session_epoch);
        }
        into.array(&self.topics, |into, each| each.encode(into, version))?;
        if version >= 7 {
            into.array(&self.forgotten_topics_data, |into, each| each.encode(into, version))?;
        } else if !self.forgotten_topics_data.is_empty() {
            return Err(EncodeError::NotInVersion { field: "forgotten_topics_data", version });
        }
        if version >= 11 {
            into.string(&self.rack_id)?;
        }
        into.tags(&self.unknown_tags, |tags| {
            if self.cluster_id.is_some() {
                tags.field(0, |into| into.nullable_string(self.cluster_id.as_deref()))?;
            }
            if version >= 15 && self.replica_state != ReplicaState::default() {
                tags.field(1, |into| self.replica_state.encode(into, version))?;
            }
            Ok(())
        })
    }
}

impl Request for FetchRequest {
    const API_KEY: i16 = 1;
    type Response = FetchResponse;
}

/// Of [`FetchRequest::replica_state`].
#[derive(Clone, PartialEq, Debug)]
pub struct ReplicaState {
    pub replica_id: BrokerId,
    /// The follower's broker epoch; -1: not known.
    pub replica_epoch: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self { replica_id: BrokerId(-1), replica_epoch: -1, unknown_tags: Vec::new() }
    }
}

impl ReplicaState {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            replica_id: BrokerId(from.i32()?),
            replica_epoch: from.i64()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.replica_id.0);
        into.i64(self.replica_epoch);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`FetchRequest::topics`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FetchTopic {
    /// (up to v12)
    pub topic: String,
    /// (v13+)
    pub topic_id: Uuid,
    pub partitions: Vec<FetchPartition>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl FetchTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: if version <= 12 { from.string()? } else { String::new() },
            topic_id: if version >= 13 { from.uuid()? } else { Uuid::ZERO },
            partitions: from.array(16, |from| FetchPartition::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        if version <= 12 {
            into.string(&self.topic)?;
        }
        if version >= 13 {
            into.uuid(self.topic_id);
        }
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`FetchTopic::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct FetchPartition {
    pub partition: PartitionIndex,
    /// (v9+)
    pub current_leader_epoch: LeaderEpoch,
    pub fetch_offset: Offset,
    /// Of a follower's last record; -1: it has none. (v12+)
    pub last_fetched_epoch: LeaderEpoch,
    /// A follower's; -1 from consumers. (v5+)
    pub log_start_offset: Offset,
    pub partition_max_bytes: i32,
    /// (v17+)
    pub replica_directory_id: Uuid,
    /// The largest number: not told. (v18+)
    pub high_watermark: Offset,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for FetchPartition {
    fn default() -> Self {
        Self {
            partition: PartitionIndex(0),
            current_leader_epoch: LeaderEpoch(-1),
            fetch_offset: Offset(0),
            last_fetched_epoch: LeaderEpoch(-1),
            log_start_offset: Offset(-1),
            partition_max_bytes: 0,
            replica_directory_id: Uuid::ZERO,
            high_watermark: Offset(9223372036854775807),
            unknown_tags: Vec::new(),
        }
    }
}

impl FetchPartition {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut this = Self {
            partition: PartitionIndex(from.i32()?),
            current_leader_epoch: if version >= 9 { LeaderEpoch(from.i32()?) } else { LeaderEpoch(-1) },
            fetch_offset: Offset(from.i64()?),
            last_fetched_epoch: if version >= 12 { LeaderEpoch(from.i32()?) } else { LeaderEpoch(-1) },
            log_start_offset: if version >= 5 { Offset(from.i64()?) } else { Offset(-1) },
            partition_max_bytes: from.i32()?,
            replica_directory_id: Uuid::ZERO,
            high_watermark: Offset(9223372036854775807),
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 if version >= 17 => this.replica_directory_id = from.uuid()?,
                1 if version >= 18 => this.high_watermark = Offset(from.i64()?),
                0 | 1 => return Err(DecodeError::MisplacedTag(tag)),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition.0);
        if version >= 9 {
            into.i32(self.current_leader_epoch.0);
        }
        into.i64(self.fetch_offset.0);
        if version >= 12 {
            into.i32(self.last_fetched_epoch.0);
        } else if self.last_fetched_epoch != LeaderEpoch(-1) {
            return Err(EncodeError::NotInVersion { field: "last_fetched_epoch", version });
        }
        if version >= 5 {
            into.i64(self.log_start_offset.0);
        }
        into.i32(self.partition_max_bytes);
        into.tags(&self.unknown_tags, |tags| {
            if version >= 17 && self.replica_directory_id != Uuid::ZERO {
                tags.field(0, |into| {
                    into.uuid(self.replica_directory_id);
                    Ok(())
                })?;
            }
            if version >= 18 && self.high_watermark != Offset(9223372036854775807) {
                tags.field(1, |into| {
                    into.i64(self.high_watermark.0);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}

/// Of [`FetchRequest::forgotten_topics_data`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ForgottenTopic {
    /// (up to v12)
    pub topic: String,
    /// (v13+)
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl ForgottenTopic {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: if version <= 12 { from.string()? } else { String::new() },
            topic_id: if version >= 13 { from.uuid()? } else { Uuid::ZERO },
            partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        if version <= 12 {
            into.string(&self.topic)?;
        }
        if version >= 13 {
            into.uuid(self.topic_id);
        }
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// What the broker answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FetchResponse {
    pub throttle_time_ms: i32,
    /// Of the whole request: mostly of its session. (v7+)
    pub error_code: i16,
    /// 0: none. (v7+)
    pub session_id: i32,
    pub responses: Vec<FetchTopicResponse>,
    /// Where the leaders named above are found. (v16+)
    pub node_endpoints: Vec<FetchNodeEndpoint>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for FetchResponse {
    const NAME: &'static str = "FetchResponse";
    const MIN_VERSION: i16 = 4;
    const MAX_VERSION: i16 = 18;
    const FLEXIBLE_FROM: i16 = 12;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            throttle_time_ms: from.i32()?,
            error_code: if version >= 7 { from.i16()? } else { 0 },
            session_id: if version >= 7 { from.i32()? } else { 0 },
            responses: from.array(3, |from| FetchTopicResponse::decode(from, version))?,
            node_endpoints: Vec::new(),
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 if version >= 16 => {
                    this.node_endpoints = from.array(11, |from| FetchNodeEndpoint::decode(from, version))?
                }
                0 => return Err(DecodeError::MisplacedTag(tag)),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.throttle_time_ms);
        if version >= 7 {
            into.i16(self.error_code);
        }
        if version >= 7 {
            into.i32(self.session_id);
        } else if self.session_id != 0 {
            return Err(EncodeError::NotInVersion { field: "session_id", version });
        }
        into.array(&self.responses, |into, each| each.encode(into, version))?;
        if version < 16 && !self.node_endpoints.is_empty() {
            return Err(EncodeError::NotInVersion { field: "node_endpoints", version });
        }
        into.tags(&self.unknown_tags, |tags| {
            if version >= 16 && !self.node_endpoints.is_empty() {
                tags.field(0, |into| into.array(&self.node_endpoints, |into, each| each.encode(into, version)))?;
            }
            Ok(())
        })
    }
}

impl Response for FetchResponse {
    const API_KEY: i16 = 1;
    type Request = FetchRequest;
}

/// Of [`FetchResponse::responses`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FetchTopicResponse {
    /// (up to v12)
    pub topic: String,
    /// (v13+)
    pub topic_id: Uuid,
    pub partitions: Vec<FetchPartitionResponse>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl FetchTopicResponse {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: if version <= 12 { from.string()? } else { String::new() },
            topic_id: if version >= 13 { from.uuid()? } else { Uuid::ZERO },
            partitions: from.array(30, |from| FetchPartitionResponse::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        if version <= 12 {
            into.string(&self.topic)?;
        }
        if version >= 13 {
            into.uuid(self.topic_id);
        }
        into.array(&self.partitions, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`FetchTopicResponse::partitions`].
#[derive(Clone, PartialEq, Debug)]
pub struct FetchPartitionResponse {
    pub partition_index: PartitionIndex,
    pub error_code: i16,
    pub high_watermark: Offset,
    /// Below it every transaction is decided.
    pub last_stable_offset: Offset,
    /// (v5+)
    pub log_start_offset: Offset,
    /// Up to here at most the follower's log is the leader's. (v12+)
    pub diverging_epoch: EpochEndOffset,
    /// (v12+)
    pub current_leader: FetchLeader,
    /// In place of records that only a snapshot holds. (v12+)
    pub snapshot_id: SnapshotId,
    /// Null unless read_committed was asked for.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// Ask this replica from now on. (v11+)
    pub preferred_read_replica: BrokerId,
    /// Whole batches; the first may begin below the offset asked for.
    pub records: Option<Bytes>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for FetchPartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: PartitionIndex(0),
            error_code: 0,
            high_watermark: Offset(0),
            last_stable_offset: Offset(-1),
            log_start_offset: Offset(-1),
            diverging_epoch: EpochEndOffset::default(),
            current_leader: FetchLeader::default(),
            snapshot_id: SnapshotId::default(),
            aborted_transactions: None,
            preferred_read_replica: BrokerId(-1),
            records: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl FetchPartitionResponse {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut this = Self {
            partition_index: PartitionIndex(from.i32()?),
            error_code: from.i16()?,
            high_watermark: Offset(from.i64()?),
            last_stable_offset: Offset(from.i64()?),
            log_start_offset: if version >= 5 { Offset(from.i64()?) } else { Offset(-1) },
            diverging_epoch: EpochEndOffset::default(),
            current_leader: FetchLeader::default(),
            snapshot_id: SnapshotId::default(),
            aborted_transactions: from.nullable_array(16, |from| AbortedTransaction::decode(from, version))?,
            preferred_read_replica: if version >= 11 { BrokerId(from.i32()?) } else { BrokerId(-1) },
            records: from.nullable_bytes()?,
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.diverging_epoch = EpochEndOffset::decode(from, version)?,
                1 => this.current_leader = FetchLeader::decode(from, version)?,
                2 => this.snapshot_id = SnapshotId::decode(from, version)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.partition_index.0);
        into.i16(self.error_code);
        into.i64(self.high_watermark.0);
        into.i64(self.last_stable_offset.0);
        if version >= 5 {
            into.i64(self.log_start_offset.0);
        }
        if version < 12 && self.diverging_epoch != EpochEndOffset::default() {
            return Err(EncodeError::NotInVersion { field: "diverging_epoch", version });
        }
        if version < 12 && self.current_leader != FetchLeader::default() {
            return Err(EncodeError::NotInVersion { field: "current_leader", version });
        }
        if version < 12 && self.snapshot_id != SnapshotId::default() {
            return Err(EncodeError::NotInVersion { field: "snapshot_id", version });
        }
        into.nullable_array(self.aborted_transactions.as_deref(), |into, each| each.encode(into, version))?;
        if version >= 11 {
            into.i32(self.preferred_read_replica.0);
        } else if self.preferred_read_replica != BrokerId(-1) {
            return Err(EncodeError::NotInVersion { field: "preferred_read_replica", version });
        }
        into.nullable_bytes(self.records.as_ref())?;
        into.tags(&self.unknown_tags, |tags| {
            if self.diverging_epoch != EpochEndOffset::default() {
                tags.field(0, |into| self.diverging_epoch.encode(into, version))?;
            }
            if self.current_leader != FetchLeader::default() {
                tags.field(1, |into| self.current_leader.encode(into, version))?;
            }
            if self.snapshot_id != SnapshotId::default() {
                tags.field(2, |into| self.snapshot_id.encode(into, version))?;
            }
            Ok(())
        })
    }
}

/// Of [`FetchPartitionResponse::diverging_epoch`].
#[derive(Clone, PartialEq, Debug)]
pub struct EpochEndOffset {
    pub epoch: LeaderEpoch,
    pub end_offset: Offset,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self { epoch: LeaderEpoch(-1), end_offset: Offset(-1), unknown_tags: Vec::new() }
    }
}

impl EpochEndOffset {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            epoch: LeaderEpoch(from.i32()?),
            end_offset: Offset(from.i64()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.epoch.0);
        into.i64(self.end_offset.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`FetchPartitionResponse::current_leader`].
#[derive(Clone, PartialEq, Debug)]
pub struct FetchLeader {
    pub leader_id: BrokerId,
    pub leader_epoch: LeaderEpoch,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for FetchLeader {
    fn default() -> Self {
        Self { leader_id: BrokerId(-1), leader_epoch: LeaderEpoch(-1), unknown_tags: Vec::new() }
    }
}

impl FetchLeader {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            leader_id: BrokerId(from.i32()?),
            leader_epoch: LeaderEpoch(from.i32()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.leader_id.0);
        into.i32(self.leader_epoch.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`FetchPartitionResponse::snapshot_id`].
#[derive(Clone, PartialEq, Debug)]
pub struct SnapshotId {
    pub end_offset: Offset,
    pub epoch: LeaderEpoch,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for SnapshotId {
    fn default() -> Self {
        Self { end_offset: Offset(-1), epoch: LeaderEpoch(-1), unknown_tags: Vec::new() }
    }
}

impl SnapshotId {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            end_offset: Offset(from.i64()?),
            epoch: LeaderEpoch(from.i32()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i64(self.end_offset.0);
        into.i32(self.epoch.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`FetchPartitionResponse::aborted_transactions`].
#[derive(Clone, PartialEq, Debug)]
pub struct AbortedTransaction {
    pub producer_id: ProducerId,
    pub first_offset: Offset,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for AbortedTransaction {
    fn default() -> Self {
        Self { producer_id: ProducerId(0), first_offset: Offset(0), unknown_tags: Vec::new() }
    }
}

impl AbortedTransaction {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            producer_id: ProducerId(from.i64()?),
            first_offset: Offset(from.i64()?),
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i64(self.producer_id.0);
        into.i64(self.first_offset.0);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

/// Of [`FetchResponse::node_endpoints`].
#[derive(Clone, PartialEq, Debug)]
pub struct FetchNodeEndpoint {
    pub node_id: BrokerId,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for FetchNodeEndpoint {
    fn default() -> Self {
        Self { node_id: BrokerId(0), host: String::new(), port: 0, rack: None, unknown_tags: Vec::new() }
    }
}

impl FetchNodeEndpoint {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            node_id: BrokerId(from.i32()?),
            host: from.string()?,
            port: from.i32()?,
            rack: from.nullable_string()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.i32(self.node_id.0);
        into.string(&self.host)?;
        into.i32(self.port);
        into.nullable_string(self.rack.as_deref())?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for FetchRequest {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version >= 12 && self.cluster_id.is_some() {
                object.put("clusterId", &self.cluster_id);
            }
            if version <= 14 {
                object.put("replicaId", &self.replica_id);
            }
            if version >= 15 && self.replica_state != ReplicaState::default() {
                object.put("replicaState", &self.replica_state);
            }
            object.put("maxWaitMs", &self.max_wait_ms);
            object.put("minBytes", &self.min_bytes);
            object.put("maxBytes", &self.max_bytes);
            object.put("isolationLevel", &self.isolation_level);
            if version >= 7 {
                object.put("sessionId", &self.session_id);
            }
            if version >= 7 {
                object.put("sessionEpoch", &self.session_epoch);
            }
            object.put("topics", &self.topics);
            if version >= 7 {
                object.put("forgottenTopicsData", &self.forgotten_topics_data);
            }
            if version >= 11 {
                object.put("rackId", &self.rack_id);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("clusterId", &mut this.cluster_id)?;
            fields.read("replicaId", &mut this.replica_id)?;
            fields.read("replicaState", &mut this.replica_state)?;
            fields.read("maxWaitMs", &mut this.max_wait_ms)?;
            fields.read("minBytes", &mut this.min_bytes)?;
            fields.read("maxBytes", &mut this.max_bytes)?;
            fields.read("isolationLevel", &mut this.isolation_level)?;
            fields.read("sessionId", &mut this.session_id)?;
            fields.read("sessionEpoch", &mut this.session_epoch)?;
            fields.read("topics", &mut this.topics)?;
            fields.read("forgottenTopicsData", &mut this.forgotten_topics_data)?;
            fields.read("rackId", &mut this.rack_id)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ReplicaState {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("replicaId", &self.replica_id);
            object.put("replicaEpoch", &self.replica_epoch);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("replicaId", &mut this.replica_id)?;
            fields.read("replicaEpoch", &mut this.replica_epoch)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for FetchTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version <= 12 {
                object.put("topic", &self.topic);
            }
            if version >= 13 {
                object.put("topicId", &self.topic_id);
            }
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topic", &mut this.topic)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for FetchPartition {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partition", &self.partition);
            if version >= 9 {
                object.put("currentLeaderEpoch", &self.current_leader_epoch);
            }
            object.put("fetchOffset", &self.fetch_offset);
            if version >= 12 {
                object.put("lastFetchedEpoch", &self.last_fetched_epoch);
            }
            if version >= 5 {
                object.put("logStartOffset", &self.log_start_offset);
            }
            object.put("partitionMaxBytes", &self.partition_max_bytes);
            if version >= 17 && self.replica_directory_id != Uuid::ZERO {
                object.put("replicaDirectoryId", &self.replica_directory_id);
            }
            if version >= 18 && self.high_watermark != Offset(9223372036854775807) {
                object.put("highWatermark", &self.high_watermark);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partition", &mut this.partition)?;
            fields.read("currentLeaderEpoch", &mut this.current_leader_epoch)?;
            fields.read("fetchOffset", &mut this.fetch_offset)?;
            fields.read("lastFetchedEpoch", &mut this.last_fetched_epoch)?;
            fields.read("logStartOffset", &mut this.log_start_offset)?;
            fields.read("partitionMaxBytes", &mut this.partition_max_bytes)?;
            fields.read("replicaDirectoryId", &mut this.replica_directory_id)?;
            fields.read("highWatermark", &mut this.high_watermark)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for ForgottenTopic {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version <= 12 {
                object.put("topic", &self.topic);
            }
            if version >= 13 {
                object.put("topicId", &self.topic_id);
            }
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topic", &mut this.topic)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for FetchResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("throttleTimeMs", &self.throttle_time_ms);
            if version >= 7 {
                object.put("errorCode", &self.error_code);
            }
            if version >= 7 {
                object.put("sessionId", &self.session_id);
            }
            object.put("responses", &self.responses);
            if version >= 16 && !self.node_endpoints.is_empty() {
                object.put("nodeEndpoints", &self.node_endpoints);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("throttleTimeMs", &mut this.throttle_time_ms)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("sessionId", &mut this.session_id)?;
            fields.read("responses", &mut this.responses)?;
            fields.read("nodeEndpoints", &mut this.node_endpoints)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for FetchTopicResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            if version <= 12 {
                object.put("topic", &self.topic);
            }
            if version >= 13 {
                object.put("topicId", &self.topic_id);
            }
            object.put("partitions", &self.partitions);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("topic", &mut this.topic)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for FetchPartitionResponse {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionIndex", &self.partition_index);
            object.put("errorCode", &self.error_code);
            object.put("highWatermark", &self.high_watermark);
            object.put("lastStableOffset", &self.last_stable_offset);
            if version >= 5 {
                object.put("logStartOffset", &self.log_start_offset);
            }
            if version >= 12 && self.diverging_epoch != EpochEndOffset::default() {
                object.put("divergingEpoch", &self.diverging_epoch);
            }
            if version >= 12 && self.current_leader != FetchLeader::default() {
                object.put("currentLeader", &self.current_leader);
            }
            if version >= 12 && self.snapshot_id != SnapshotId::default() {
                object.put("snapshotId", &self.snapshot_id);
            }
            object.put("abortedTransactions", &self.aborted_transactions);
            if version >= 11 {
                object.put("preferredReadReplica", &self.preferred_read_replica);
            }
            object.put("records", &self.records);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionIndex", &mut this.partition_index)?;
            fields.read("errorCode", &mut this.error_code)?;
            fields.read("highWatermark", &mut this.high_watermark)?;
            fields.read("lastStableOffset", &mut this.last_stable_offset)?;
            fields.read("logStartOffset", &mut this.log_start_offset)?;
            fields.read("divergingEpoch", &mut this.diverging_epoch)?;
            fields.read("currentLeader", &mut this.current_leader)?;
            fields.read("snapshotId", &mut this.snapshot_id)?;
            fields.read("abortedTransactions", &mut this.aborted_transactions)?;
            fields.read("preferredReadReplica", &mut this.preferred_read_replica)?;
            fields.read("records", &mut this.records)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for EpochEndOffset {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("epoch", &self.epoch);
            object.put("endOffset", &self.end_offset);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("epoch", &mut this.epoch)?;
            fields.read("endOffset", &mut this.end_offset)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for FetchLeader {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("leaderId", &self.leader_id);
            object.put("leaderEpoch", &self.leader_epoch);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("leaderId", &mut this.leader_id)?;
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for SnapshotId {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("endOffset", &self.end_offset);
            object.put("epoch", &self.epoch);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("endOffset", &mut this.end_offset)?;
            fields.read("epoch", &mut this.epoch)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for AbortedTransaction {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("producerId", &self.producer_id);
            object.put("firstOffset", &self.first_offset);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("producerId", &mut this.producer_id)?;
            fields.read("firstOffset", &mut this.first_offset)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for FetchNodeEndpoint {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("nodeId", &self.node_id);
            object.put("host", &self.host);
            object.put("port", &self.port);
            object.put("rack", &self.rack);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("nodeId", &mut this.node_id)?;
            fields.read("host", &mut this.host)?;
            fields.read("port", &mut this.port)?;
            fields.read("rack", &mut this.rack)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
