//! ZkMigrationStateRecord: how far the cluster's move away from ZooKeeper has come (KIP-866).
//!
//! Generated from `messages/schema/metadata-log/021-zk-migration-state.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// ZkMigrationStateRecord: how far the cluster's move away from ZooKeeper has come (KIP-866).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ZkMigrationStateRecord {
    /// 0 never had ZooKeeper, 1 moving, 2 about to move, 3 moved.
    pub zk_migration_state: i8,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for ZkMigrationStateRecord {
    const NAME: &'static str = "ZkMigrationStateRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { zk_migration_state: from.i8()?, unknown_tags: from.tags(|_, _| Ok(false))? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i8(self.zk_migration_state);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

impl Record for ZkMigrationStateRecord {
    const RECORD_TYPE: i16 = 21;
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for ZkMigrationStateRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("zkMigrationState", &self.zk_migration_state);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("zkMigrationState", &mut this.zk_migration_state)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
