//! PartitionRecord: the whole state of one partition; it replaces what was known of it.
//!
//! - v1: Which log directory holds each replica (KIP-858).
//! - v2: Eligible leader replicas (KIP-966).
//!
//! Generated from `messages/schema/metadata-log/003-partition.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// PartitionRecord: the whole state of one partition; it replaces what was known of it.
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionRecord {
    pub partition_id: PartitionIndex,
    pub topic_id: Uuid,
    /// In order of preference: the first should lead.
    pub replicas: Vec<BrokerId>,
    pub isr: Vec<BrokerId>,
    /// Leave when the reassignment is done.
    pub removing_replicas: Vec<BrokerId>,
    /// Stay when the reassignment is done.
    pub adding_replicas: Vec<BrokerId>,
    /// -1: nobody leads.
    pub leader: BrokerId,
    /// 0 recovered, 1 elected out of sync and not yet checked.
    pub leader_recovery_state: i8,
    /// Goes up with each change of the leader.
    pub leader_epoch: LeaderEpoch,
    /// Goes up with each change of this record's contents.
    pub partition_epoch: i32,
    /// By place in `replicas`; the null id is "not known". (v1+)
    pub directories: Vec<Uuid>,
    /// Out of sync, but sure to hold all that was acknowledged. (v2+)
    pub eligible_leader_replicas: Option<Vec<BrokerId>>,
    /// Were eligible until an unclean stop; for an operator's choice. (v2+)
    pub last_known_elr: Option<Vec<BrokerId>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for PartitionRecord {
    fn default() -> Self {
        Self {
            partition_id: PartitionIndex(-1),
            topic_id: Uuid::ZERO,
            replicas: Vec::new(),
            isr: Vec::new(),
            removing_replicas: Vec::new(),
            adding_replicas: Vec::new(),
            leader: BrokerId(-1),
            leader_recovery_state: 0,
            leader_epoch: LeaderEpoch(-1),
            partition_epoch: -1,
            directories: Vec::new(),
            eligible_leader_replicas: None,
            last_known_elr: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for PartitionRecord {
    const NAME: &'static str = "PartitionRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            partition_id: PartitionIndex(from.i32()?),
            topic_id: from.uuid()?,
            replicas: from.array(4, |from| Ok(BrokerId(from.i32()?)))?,
            isr: from.array(4, |from| Ok(BrokerId(from.i32()?)))?,
            removing_replicas: from.array(4, |from| Ok(BrokerId(from.i32()?)))?,
            adding_replicas: from.array(4, |from| Ok(BrokerId(from.i32()?)))?,
            leader: BrokerId(from.i32()?),
            leader_recovery_state: 0,
            leader_epoch: LeaderEpoch(from.i32()?),
            partition_epoch: from.i32()?,
            directories: if version >= 1 { from.array(16, Decoder::uuid)? } else { Vec::new() },
            eligible_leader_replicas: None,
            last_known_elr: None,
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.leader_recovery_state = from.i8()?,
                1 if version >= 2 => {
                    this.eligible_leader_replicas = from.nullable_array(4, |from| Ok(BrokerId(from.i32()?)))?
                }
                2 if version >= 2 => this.last_known_elr = from.nullable_array(4, |from| Ok(BrokerId(from.i32()?)))?,
                1 | 2 => return Err(DecodeError::MisplacedTag(tag)),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.partition_id.0);
        into.uuid(self.topic_id);
        into.plain_array(&self.replicas, |into, each| into.i32(each.0))?;
        into.plain_array(&self.isr, |into, each| into.i32(each.0))?;
        into.plain_array(&self.removing_replicas, |into, each| into.i32(each.0))?;
        into.plain_array(&self.adding_replicas, |into, each| into.i32(each.0))?;
        into.i32(self.leader.0);
        into.i32(self.leader_epoch.0);
        into.i32(self.partition_epoch);
        if version >= 1 {
            into.plain_array(&self.directories, |into, each| into.uuid(*each))?;
        } else if !self.directories.is_empty() {
            return Err(EncodeError::NotInVersion { field: "directories", version });
        }
        if version < 2 && self.eligible_leader_replicas.is_some() {
            return Err(EncodeError::NotInVersion { field: "eligible_leader_replicas", version });
        }
        if version < 2 && self.last_known_elr.is_some() {
            return Err(EncodeError::NotInVersion { field: "last_known_elr", version });
        }
        into.tags(&self.unknown_tags, |tags| {
            if self.leader_recovery_state != 0 {
                tags.field(0, |into| {
                    into.i8(self.leader_recovery_state);
                    Ok(())
                })?;
            }
            if version >= 2 && self.eligible_leader_replicas.is_some() {
                tags.field(1, |into| {
                    into.nullable_plain_array(self.eligible_leader_replicas.as_deref(), |into, each| into.i32(each.0))
                })?;
            }
            if version >= 2 && self.last_known_elr.is_some() {
                tags.field(2, |into| {
                    into.nullable_plain_array(self.last_known_elr.as_deref(), |into, each| into.i32(each.0))
                })?;
            }
            Ok(())
        })
    }
}

impl Record for PartitionRecord {
    const RECORD_TYPE: i16 = 3;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for PartitionRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionId", &self.partition_id);
            object.put("topicId", &self.topic_id);
            object.put("replicas", &self.replicas);
            object.put("isr", &self.isr);
            object.put("removingReplicas", &self.removing_replicas);
            object.put("addingReplicas", &self.adding_replicas);
            object.put("leader", &self.leader);
            if self.leader_recovery_state != 0 {
                object.put("leaderRecoveryState", &self.leader_recovery_state);
            }
            object.put("leaderEpoch", &self.leader_epoch);
            object.put("partitionEpoch", &self.partition_epoch);
            if version >= 1 {
                object.put("directories", &self.directories);
            }
            if version >= 2 && self.eligible_leader_replicas.is_some() {
                object.put("eligibleLeaderReplicas", &self.eligible_leader_replicas);
            }
            if version >= 2 && self.last_known_elr.is_some() {
                object.put("lastKnownElr", &self.last_known_elr);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("partitionId", &mut this.partition_id)?;
            fields.read("topicId", &mut this.topic_id)?;
            fields.read("replicas", &mut this.replicas)?;
            fields.read("isr", &mut this.isr)?;
            fields.read("removingReplicas", &mut this.removing_replicas)?;
            fields.read("addingReplicas", &mut this.adding_replicas)?;
            fields.read("leader", &mut this.leader)?;
            fields.read("leaderRecoveryState", &mut this.leader_recovery_state)?;
            fields.read("leaderEpoch", &mut this.leader_epoch)?;
            fields.read("partitionEpoch", &mut this.partition_epoch)?;
            fields.read("directories", &mut this.directories)?;
            fields.read("eligibleLeaderReplicas", &mut this.eligible_leader_replicas)?;
            fields.read("lastKnownElr", &mut this.last_known_elr)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
