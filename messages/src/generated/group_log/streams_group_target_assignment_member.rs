//! StreamsGroupTargetAssignmentMember: the tasks that a member shall have in the end (KIP-1071).
//!
//! What it has now is in StreamsGroupCurrentMemberAssignment; heartbeats lead from the one to the other.
//!
//! Generated from `messages/schema/group-log/021-streams-group-target-assignment-member.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// What the record is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupTargetAssignmentMemberKey {
    pub group_id: String,
    pub member_id: String,
}

impl Message for StreamsGroupTargetAssignmentMemberKey {
    const NAME: &'static str = "StreamsGroupTargetAssignmentMemberKey";
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

impl Record for StreamsGroupTargetAssignmentMemberKey {
    const RECORD_TYPE: i16 = 21;
}

/// What the record says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StreamsGroupTargetAssignmentMemberValue {
    /// Sorted by subtopology. It processes these.
    pub active_tasks: Vec<TaskIds>,
    /// It keeps a copy of their state.
    pub standby_tasks: Vec<TaskIds>,
    /// It builds up their state, to have them as active ones later.
    pub warmup_tasks: Vec<TaskIds>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for StreamsGroupTargetAssignmentMemberValue {
    const NAME: &'static str = "StreamsGroupTargetAssignmentMemberValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            active_tasks: from.array(3, |from| TaskIds::decode(from, version))?,
            standby_tasks: from.array(3, |from| TaskIds::decode(from, version))?,
            warmup_tasks: from.array(3, |from| TaskIds::decode(from, version))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.array(&self.active_tasks, |into, each| each.encode(into, version))?;
        into.array(&self.standby_tasks, |into, each| each.encode(into, version))?;
        into.array(&self.warmup_tasks, |into, each| each.encode(into, version))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for StreamsGroupTargetAssignmentMemberValue {
    const RECORD_TYPE: i16 = 21;
}

/// Of [`StreamsGroupTargetAssignmentMemberValue::active_tasks`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TaskIds {
    pub subtopology_id: String,
    /// Sorted; each is one task of the subtopology.
    pub partitions: Vec<PartitionIndex>,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl TaskIds {
    pub(crate) fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        Ok(Self {
            subtopology_id: from.string()?,
            partitions: from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    pub(crate) fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.string(&self.subtopology_id)?;
        into.plain_array(&self.partitions, |into, each| into.i32(each.0))?;
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for StreamsGroupTargetAssignmentMemberKey {
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

    impl Json for StreamsGroupTargetAssignmentMemberValue {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("activeTasks", &self.active_tasks);
            object.put("standbyTasks", &self.standby_tasks);
            object.put("warmupTasks", &self.warmup_tasks);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("activeTasks", &mut this.active_tasks)?;
            fields.read("standbyTasks", &mut this.standby_tasks)?;
            fields.read("warmupTasks", &mut this.warmup_tasks)?;
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
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("subtopologyId", &mut this.subtopology_id)?;
            fields.read("partitions", &mut this.partitions)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
