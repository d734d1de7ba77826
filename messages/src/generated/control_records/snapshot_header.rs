//! SnapshotHeaderRecord: the beginning of a snapshot of the metadata log (KIP-630).
//!
//! Generated from `messages/schema/control-records/005-snapshot-header.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// SnapshotHeaderRecord: the beginning of a snapshot of the metadata log (KIP-630).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SnapshotHeaderRecord {
    /// Of this record.
    pub version: i16,
    /// When the last record that is in it was written to the log, in ms since 1970.
    pub last_contained_log_timestamp: i64,
    /// Tagged fields that have no name here; they are written back.
    pub unknown_tags: Vec<UnknownTag>,
}

impl Message for SnapshotHeaderRecord {
    const NAME: &'static str = "SnapshotHeaderRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self {
            version: from.i16()?,
            last_contained_log_timestamp: from.i64()?,
            unknown_tags: from.tags(|_, _| Ok(false))?,
        })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i16(self.version);
        into.i64(self.last_contained_log_timestamp);
        into.tags(&self.unknown_tags, |_| Ok(()))
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for SnapshotHeaderRecord {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("version", &self.version);
            object.put("lastContainedLogTimestamp", &self.last_contained_log_timestamp);
            object.put_unknown_tags(&self.unknown_tags);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("version", &mut this.version)?;
            fields.read("lastContainedLogTimestamp", &mut this.last_contained_log_timestamp)?;
            fields.read_unknown_tags(&mut this.unknown_tags)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
