//! StreamsGroupCurrentMemberAssignment: the epoch that a member has reached, and the tasks it has now (KIP-1071).
//! Without a value: it has none, at epoch -1, but is a member until its StreamsGroupMemberMetadata goes too.
//!
//! Generated from `messages/schema/group-log/022-streams-group-current-member-assignment.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupCurrentMemberAssignmentKey {
    pub group_id: String,
    pub member_id: String,
}

impl Message for StreamsGroupCurrentMemberAssignmentKey {
    const NAME: &'static str = "StreamsGroupCurrentMemberAssignmentKey";
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

impl Record for StreamsGroupCurrentMemberAssignmentKey {
    const RECORD_TYPE: i16 = 22;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupCurrentMemberAssignmentValue {
    /// What its heartbeat must show.
    pub member_epoch: i32,
    /// Taken too: the answer with the new one may have been lost.
    pub previous_member_epoch: i32,
    /// 1 stable, 2 has some to give up first, 3 waits for some that others still have.
    pub state: i8,
    /// Sorted by subtopology. It processes these.
    pub active_tasks: Vec<TaskIds>,
    /// It keeps a copy of their state.
    pub standby_tasks: Vec<TaskIds>,
    /// It builds up their state, to have them as active ones later.
    pub warmup_tasks: Vec<TaskIds>,
    /// The member still has to say that it gave them up.
    pub active_tasks_pending_revocation: Vec<TaskIds>,
    pub standby_tasks_pending_revocation: Vec<TaskIds>,
    pub warmup_tasks_pending_revocation: Vec<TaskIds>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for StreamsGroupCurrentMemberAssignmentValue {
    const NAME: &'static str = "StreamsGroupCurrentMemberAssignmentValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            member_epoch: from.i32()?,
            previous_member_epoch: from.i32()?,
            state: from.i8()?,
            active_tasks: from.array(3, |from| TaskIds::decode(from, version))?,
            standby_tasks: from.array(3, |from| TaskIds::decode(from, version))?,
            warmup_tasks: from.array(3, |from| TaskIds::decode(from, version))?,
            active_tasks_pending_revocation: from.array(3, |from| TaskIds::decode(from, version))?,
            standby_tasks_pending_revocation: from.array(3, |from| TaskIds::decode(from, version))?,
            warmup_tasks_pending_revocation: from.array(3, |from| TaskIds::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.member_epoch);
        into.i32(self.previous_member_epoch);
        into.i8(self.state);
        into.array(&self.active_tasks, |into, each| each.encode(into, version))?;
        into.array(&self.standby_tasks, |into, each| each.encode(into, version))?;
        into.array(&self.warmup_tasks, |into, each| each.encode(into, version))?;
        into.array(&self.active_tasks_pending_revocation, |into, each| each.encode(into, version))?;
        into.array(&self.standby_tasks_pending_revocation, |into, each| each.encode(into, version))?;
        into.array(&self.warmup_tasks_pending_revocation, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for StreamsGroupCurrentMemberAssignmentValue {
    const RECORD_TYPE: i16 = 22;
}

/// Of [`StreamsGroupCurrentMemberAssignmentValue::active_tasks`].
#[derive(Clone, PartialEq, Debug)]
pub struct TaskIds {
    pub subtopology_id: String,
    /// Sorted; each is one task of the subtopology.
    pub partitions: Vec<PartitionIndex>,
    /// Of each in `partitions`, if active; older commits are refused. Null: `member_epoch`.
    pub assignment_epochs: Option<Vec<i32>>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Default for TaskIds {
    fn default() -> Self {
        Self {
            subtopology_id: String::new(),
            partitions: Vec::new(),
            assignment_epochs: Some(Vec::new()),
            unknown_tags: Vec::new(),
        }
    }
}

impl TaskIds {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut this = Self {
            subtopology_id: from.string()?,
            partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            assignment_epochs: Some(Vec::new()),
            unknown_tags: Vec::new(),
        };
        this.unknown_tags = from.tags(|from, tag| {
            match tag {
                0 => this.assignment_epochs = from.nullable_array(4, Decoder::i32)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(this)
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.subtopology_id)?;
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |tags| {
            if self.assignment_epochs.as_ref().is_none_or(|value| !value.is_empty()) {
                tags.field(0, |into| {
                    into.nullable_plain_array(self.assignment_epochs.as_deref(), |into, each| into.i32(*each))
                })?;
            }
            Ok(())
        })
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for StreamsGroupCurrentMemberAssignmentKey {
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

    impl Json for StreamsGroupCurrentMemberAssignmentValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("memberEpoch", &self.member_epoch);
            object.put("previousMemberEpoch", &self.previous_member_epoch);
            object.put("state", &self.state);
            object.put("activeTasks", &self.active_tasks);
            object.put("standbyTasks", &self.standby_tasks);
            object.put("warmupTasks", &self.warmup_tasks);
            object.put("activeTasksPendingRevocation", &self.active_tasks_pending_revocation);
            object.put("standbyTasksPendingRevocation", &self.standby_tasks_pending_revocation);
            object.put("warmupTasksPendingRevocation", &self.warmup_tasks_pending_revocation);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("memberEpoch", &mut this.member_epoch)?;
            fields.read("previousMemberEpoch", &mut this.previous_member_epoch)?;
            fields.read("state", &mut this.state)?;
            fields.read("activeTasks", &mut this.active_tasks)?;
            fields.read("standbyTasks", &mut this.standby_tasks)?;
            fields.read("warmupTasks", &mut this.warmup_tasks)?;
            fields.read("activeTasksPendingRevocation", &mut this.active_tasks_pending_revocation)?;
            fields.read("standbyTasksPendingRevocation", &mut this.standby_tasks_pending_revocation)?;
            fields.read("warmupTasksPendingRevocation", &mut this.warmup_tasks_pending_revocation)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }

    impl Json for TaskIds {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("subtopologyId", &self.subtopology_id);
            object.put("partitions", &self.partitions);
            if self.assignment_epochs.as_ref().is_none_or(|value| !value.is_empty()) {
                object.put("assignmentEpochs", &self.assignment_epochs);
            }
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("subtopologyId", &mut this.subtopology_id)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read("assignmentEpochs", &mut this.assignment_epochs)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
