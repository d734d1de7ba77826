//! EndTxnMarker: a transaction has ended here; the type in the key says how (KIP-98).
//!
//! An int16 with the version, 0, stands before it.
//!
//! Generated from `messages/schema/control-records/001-end-txn-marker.msg` by `cargo xtask generate`.

use crate::prelude::*;

/// EndTxnMarker: a transaction has ended here; the type in the key says how (KIP-98).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EndTxnMarker {
    /// Of the coordinator that decided. Its predecessors can write no marker after this one.
    pub coordinator_epoch: i32,
}

impl Message for EndTxnMarker {
    const NAME: &'static str = "EndTxnMarker";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;

    fn decode(from: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        from.set_form(Self::form(version).ok_or(DecodeError::UnknownVersion(version))?);
        Ok(Self { coordinator_epoch: from.i32()? })
    }

    fn encode(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        into.set_form(Self::form(version).ok_or(EncodeError::UnknownVersion(version))?);
        into.i32(self.coordinator_epoch);
        Ok(())
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;
    use crate::json::*;

    impl Json for EndTxnMarker {
        fn to_json(&self, version: i16) -> Value {
            let mut object = Object::at(version);
            object.put("coordinatorEpoch", &self.coordinator_epoch);
            object.finish()
        }

        fn from_json(value: &Value) -> Result<Self, JsonError> {
            let mut fields = Fields::of(value)?;
            let mut this = Self::default();
            fields.read("coordinatorEpoch", &mut this.coordinator_epoch)?;
            fields.finish()?;
            Ok(this)
        }
    }
}
