//! How records of the coordinators' logs are stored: a key begins with its record type, a value with its version, an
//! int16 each. A record without a value says that what its key names is gone.

use crate::message::{Message, Record};
use bytes::Bytes;
use thalweg_wire::codec::{DecodeError, Decoder, EncodeError, Encoder};

/// Keys have one version for ever; the number in front of them is their type.
const KEY_VERSION: i16 = 0;

/// The type of a record, which its key begins with.
pub fn type_of(key: &Bytes) -> Result<i16, DecodeError> {
    Decoder::new(key).i16()
}

pub(crate) fn read_key<K: Record>(bytes: &Bytes) -> Result<K, DecodeError> {
    let mut from = Decoder::new(bytes);
    assert_eq!(from.i16(), Ok(K::RECORD_TYPE), "whoever calls has looked");
    whole(K::decode(&mut from, KEY_VERSION)?, &from)
}

pub(crate) fn read_value<V: Record>(bytes: &Bytes) -> Result<V, DecodeError> {
    let mut from = Decoder::new(bytes);
    let version = from.i16()?;
    whole(V::decode(&mut from, version)?, &from)
}

pub(crate) fn whole<M: Message>(message: M, from: &Decoder<'_>) -> Result<M, DecodeError> {
    match from.remaining() {
        0 => Ok(message),
        rest => Err(DecodeError::Trailing(rest)),
    }
}

pub(crate) fn write_key<K: Record>(key: &K) -> Result<Bytes, EncodeError> {
    let mut into = Encoder::new();
    into.i16(K::RECORD_TYPE);
    key.encode(&mut into, KEY_VERSION)?;
    Ok(into.finish().into_bytes())
}

pub(crate) fn write_value(value: &impl Message, version: i16) -> Result<Bytes, EncodeError> {
    let mut into = Encoder::new();
    into.i16(version);
    value.encode(&mut into, version)?;
    Ok(into.finish().into_bytes())
}
