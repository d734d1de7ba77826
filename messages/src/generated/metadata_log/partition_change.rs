//! PartitionChangeRecord: what changed about a partition; a field that is absent stays as it was.
//!
//! Applying one always adds one to the partition's epoch, and one to its leader epoch when `leader` is present.
//!
//! - v1: Which log directory holds each replica (KIP-858).
//! - v2: Eligible leader replicas (KIP-966).
//!
//! Generated from `messages/schema/metadata-log/005-partition-change.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// PartitionChangeRecord: what changed about a partition; a field that is absent stays as it was.
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionChangeRecord {
    pub partition_id: PartitionIndex,
    pub topic_id: Uuid,
    pub isr: Option<Vec<BrokerId>>,
    /// -2: no change; -1: nobody leads from here on.
    pub leader: BrokerId,
    pub replicas: Option<Vec<BrokerId>>,
    pub removing_replicas: Option<Vec<BrokerId>>,
    pub adding_replicas: Option<Vec<BrokerId>>,
    /// -1: no change.
    pub leader_recovery_state: i8,
    /// (v1+)
    pub directories: Option<Vec<Uuid>>,
    /// (v2+)
    pub eligible_leader_replicas: Option<Vec<BrokerId>>,
    /// (v2+)
    pub last_known_elr: Option<Vec<BrokerId>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for PartitionChangeRecord {
    fn default() -> Self {
        Self {
            partition_id: PartitionIndex(-1),
            topic_id: Uuid::ZERO,
            isr: None,
            leader: BrokerId(-2),
            replicas: None,
            removing_replicas: None,
            adding_replicas: None,
            leader_recovery_state: -1,
            directories: None,
            eligible_leader_replicas: None,
            last_known_elr: None,
            unknown_tags: Vec::new(),
        }
    }
}

impl Message for PartitionChangeRecord {
    const NAME: &'static str = "PartitionChangeRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        let mut this = Self {
            partition_id: PartitionIndex(from.i32()?),
            topic_id: from.uuid()?,
            isr: None,
            leader: BrokerId(-2),
            replicas: None,
            removing_replicas: None,
            adding_replicas: None,
            leader_recovery_state: -1,
            directories: None,
            eligible_leader_replicas: None,
            last_known_elr: None,
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.isr = from.nullable_array(4, |from| Ok(BrokerId(from.i32()?)))?,
                1 => this.leader = BrokerId(from.i32()?),
                2 => this.replicas = from.nullable_array(4, |from| Ok(BrokerId(from.i32()?)))?,
                3 => this.removing_replicas = from.nullable_array(4, |from| Ok(BrokerId(from.i32()?)))?,
                4 => this.adding_replicas = from.nullable_array(4, |from| Ok(BrokerId(from.i32()?)))?,
                5 => this.leader_recovery_state = from.i8()?,
                6 if version >= 2 => {
                    this.eligible_leader_replicas = from.nullable_array(4, |from| Ok(BrokerId(from.i32()?)))?
                }
                7 if version >= 2 => this.last_known_elr = from.nullable_array(4, |from| Ok(BrokerId(from.i32()?)))?,
                8 if version >= 1 => this.directories = from.nullable_array(16, Decoder::uuid)?,
                6 | 7 | 8 => return Err(DecodeError::MisplacedTag(tag)),
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
        if version < 1 && self.directories.is_some() {
            return Err(EncodeError::NotInVersion { field: "directories", version });
        }
        if version < 2 && self.eligible_leader_replicas.is_some() {
            return Err(EncodeError::NotInVersion { field: "eligible_leader_replicas", version });
        }
        if version < 2 && self.last_known_elr.is_some() {
            return Err(EncodeError::NotInVersion { field: "last_known_elr", version });
        }
        into.tags(&self.unknown_tags, |tags| {
            if self.isr.is_some() {
                tags.field(0, |into| into.nullable_plain_array(self.isr.as_deref(), |into, each| into.i32(each.0)))?;
            }
            if self.leader != BrokerId(-2) {
                tags.field(1, |into| {
                    into.i32(self.leader.0);
                    Ok(())
                })?;
            }
            if self.replicas.is_some() {
                tags.field(2, |into| {
                    into.nullable_plain_array(self.replicas.as_deref(), |into, each| into.i32(each.0))
                })?;
            }
            if self.removing_replicas.is_some() {
                tags.field(3, |into| {
                    into.nullable_plain_array(self.removing_replicas.as_deref(), |into, each| into.i32(each.0))
                })?;
            }
            if self.adding_replicas.is_some() {
                tags.field(4, |into| {
                    into.nullable_plain_array(self.adding_replicas.as_deref(), |into, each| into.i32(each.0))
                })?;
            }
            if self.leader_recovery_state != -1 {
                tags.field(5, |into| {
                    into.i8(self.leader_recovery_state);
                    Ok(())
                })?;
            }
            if version >= 2 && self.eligible_leader_replicas.is_some() {
                tags.field(6, |into| {
                    into.nullable_plain_array(self.eligible_leader_replicas.as_deref(), |into, each| into.i32(each.0))
                })?;
            }
            if version >= 2 && self.last_known_elr.is_some() {
                tags.field(7, |into| {
                    into.nullable_plain_array(self.last_known_elr.as_deref(), |into, each| into.i32(each.0))
                })?;
            }
            if version >= 1 && self.directories.is_some() {
                tags.field(8, |into| {
                    into.nullable_plain_array(self.directories.as_deref(), |into, each| into.uuid(*each))
                })?;
            }
            Ok(())
        })
    }
}

impl Record for PartitionChangeRecord {
    const RECORD_TYPE: i16 = 5;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for PartitionChangeRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("partitionId", &self.partition_id);
            object.put("topicId", &self.topic_id);
            if self.isr.is_some() {
                object.put("isr", &self.isr);
            }
            if self.leader != BrokerId(-2) {
                object.put("leader", &self.leader);
            }
            if self.replicas.is_some() {
                object.put("replicas", &self.replicas);
            }
            if self.removing_replicas.is_some() {
                object.put("removingReplicas", &self.removing_replicas);
            }
            if self.adding_replicas.is_some() {
                object.put("addingReplicas", &self.adding_replicas);
            }
            if self.leader_recovery_state != -1 {
                object.put("leaderRecoveryState", &self.leader_recovery_state);
            }
            if version >= 1 && self.directories.is_some() {
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
            fields.read("isr", &mut this.isr)?;
            fields.read("leader", &mut this.leader)?;
            fields.read("replicas", &mut this.replicas)?;
            fields.read("removingReplicas", &mut this.removing_replicas)?;
            fields.read("addingReplicas", &mut this.adding_replicas)?;
            fields.read("leaderRecoveryState", &mut this.leader_recovery_state)?;
            fields.read("directories", &mut this.directories)?;
            fields.read("eligibleLeaderReplicas", &mut this.eligible_leader_replicas)?;
            fields.read("lastKnownElr", &mut this.last_known_elr)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
