//! Messages as JSON, in the shape of Kafka's own converter.
//!
//! Fields that a version lacks are absent, and so are tagged fields with their default. Bytes are base64 with padding,
//! ids the URL-safe kind without. Unknown tags are listed under `_unknownTaggedFields`, which Kafka's converter hides.

pub use crate::generated::MESSAGES;

use crate::message::Message;
use bytes::Bytes;
use serde_json::Map;
pub use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use thalweg_wire::codec::{DecodeError, Decoder, EncodeError, Encoded, Encoder, UnknownTag};
use thalweg_wire::{BrokerId, LeaderEpoch, Offset, PartitionIndex, ProducerEpoch, ProducerId, Uuid};

const UNKNOWN_TAGS: &str = "_unknownTaggedFields";

/// Something that is a value in JSON.
pub trait Json: Sized {
    /// The value as it is at `version`.
    fn to_json(&self, version: i16) -> Value;

    /// The value that the JSON shows. What is absent has its default.
    fn from_json(value: &Value) -> Result<Self, JsonError>;
}

/// The JSON is not such a value; says where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JsonError(String);

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for JsonError {}

/// A message by its name, for those who only know names: tests over recorded bytes, tools that print what they find.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The message's name in its schema.
    pub name: &'static str,
    /// Its oldest and its newest version.
    pub versions: (i16, i16),
    /// The first version in the flexible form; `i16::MAX` if there is none.
    pub flexible_from: i16,
    /// Whether a body can be read at a version; the message itself is dropped.
    pub decode: fn(&Bytes, i16) -> Result<(), DecodeError>,
    /// Reads a body at a version.
    pub read: fn(&Bytes, i16) -> Result<Read, DecodeError>,
    /// Writes what the JSON shows at a version.
    pub write: fn(&Value, i16) -> Result<Encoded, WriteError>,
}

/// A message that was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Read {
    /// What it says.
    pub json: Value,
    /// How many bytes followed it.
    pub rest: usize,
    /// The same, written again at the same version.
    pub again: Result<Encoded, EncodeError>,
}

/// The JSON can't be written as the message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WriteError {
    /// It doesn't show such a message.
    Json(JsonError),
    /// It shows one that the version has no words for.
    Encode(EncodeError),
}

impl Named {
    pub(crate) const fn of<M: Message + Json>() -> Named {
        Named {
            name: M::NAME,
            versions: (M::MIN_VERSION, M::MAX_VERSION),
            flexible_from: M::FLEXIBLE_FROM,
            decode: |bytes, version| M::decode(&mut Decoder::new(bytes), version).map(|_| ()),
            read: |bytes, version| {
                let mut from = Decoder::new(bytes);
                let message = M::decode(&mut from, version)?;
                Ok(Read { json: message.to_json(version), rest: from.remaining(), again: encode(&message, version) })
            },
            write: |json, version| {
                let message = M::from_json(json).map_err(WriteError::Json)?;
                encode(&message, version).map_err(WriteError::Encode)
            },
        }
    }
}

fn encode(message: &impl Message, version: i16) -> Result<Encoded, EncodeError> {
    let mut into = Encoder::new();
    message.encode(&mut into, version)?;
    Ok(into.finish())
}

/// A struct on its way to JSON.
#[derive(Debug)]
pub struct Object {
    version: i16,
    fields: Map<String, Value>,
}

impl Object {
    /// An empty one.
    pub fn at(version: i16) -> Self {
        Object { version, fields: Map::new() }
    }

    /// Adds a field.
    pub fn put(&mut self, name: &str, value: &impl Json) {
        self.fields.insert(name.to_owned(), value.to_json(self.version));
    }

    /// Adds the tags without names, if there are any.
    pub fn put_unknown_tags(&mut self, tags: &[UnknownTag]) {
        let tag = |tag: &UnknownTag| {
            let mut object = Object::at(self.version);
            object.put("tag", &i64::from(tag.tag));
            object.put("data", &tag.data);
            object.finish()
        };
        if !tags.is_empty() {
            self.fields.insert(UNKNOWN_TAGS.to_owned(), tags.iter().map(tag).collect());
        }
    }

    /// The JSON.
    pub fn finish(self) -> Value {
        Value::Object(self.fields)
    }
}

/// A struct on its way from JSON: every name in it has to be asked for.
#[derive(Debug)]
pub struct Fields<'a>(BTreeMap<&'a str, &'a Value>);

impl<'a> Fields<'a> {
    /// Of an object.
    pub fn of(value: &'a Value) -> Result<Self, JsonError> {
        let fields = value.as_object().ok_or_else(|| JsonError(format!("not an object: {value}")))?;
        Ok(Fields(fields.iter().map(|(name, value)| (name.as_str(), value)).collect()))
    }

    /// Replaces `field` by what stands under `name`, if anything does.
    pub fn read<T: Json>(&mut self, name: &str, field: &mut T) -> Result<(), JsonError> {
        if let Some(value) = self.0.remove(name) {
            *field = T::from_json(value).map_err(|JsonError(what)| JsonError(format!("{name}: {what}")))?;
        }
        Ok(())
    }

    /// The tags without names.
    pub fn read_unknown_tags(&mut self, tags: &mut Vec<UnknownTag>) -> Result<(), JsonError> {
        let listed = self.0.remove(UNKNOWN_TAGS).and_then(Value::as_array);
        for value in listed.into_iter().flatten() {
            let mut fields = Fields::of(value)?;
            let (mut tag, mut data) = (0i64, Bytes::new());
            fields.read("tag", &mut tag)?;
            fields.read("data", &mut data)?;
            fields.finish()?;
            let tag = u32::try_from(tag).map_err(|_| JsonError(format!("tag {tag}")))?;
            tags.push(UnknownTag { tag, data });
        }
        Ok(())
    }

    /// Refuses what nobody asked for.
    pub fn finish(self) -> Result<(), JsonError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(JsonError(format!("no field has the name {name}"))),
        }
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {
        $(impl Json for $integer {
            fn to_json(&self, _: i16) -> Value {
                Value::from(*self)
            }

            fn from_json(value: &Value) -> Result<Self, JsonError> {
                let number = value.as_i64().and_then(|number| number.try_into().ok());
                number.ok_or_else(|| JsonError(format!("not an {}: {value}", stringify!($integer))))
            }
        })*
    };
}

integers!(i8, i16, i32, i64, u16, u32);

macro_rules! ids {
    ($($id:ident),*) => {
        $(impl Json for $id {
            fn to_json(&self, version: i16) -> Value {
                self.0.to_json(version)
            }

            fn from_json(value: &Value) -> Result<Self, JsonError> {
                Json::from_json(value).map($id)
            }
        })*
    };
}

ids!(BrokerId, PartitionIndex, LeaderEpoch, Offset, ProducerId, ProducerEpoch);

impl Json for bool {
    fn to_json(&self, _: i16) -> Value {
        Value::from(*self)
    }

    fn from_json(value: &Value) -> Result<Self, JsonError> {
        value.as_bool().ok_or_else(|| JsonError(format!("not a bool: {value}")))
    }
}

impl Json for f64 {
    fn to_json(&self, _: i16) -> Value {
        Value::from(*self)
    }

    fn from_json(value: &Value) -> Result<Self, JsonError> {
        value.as_f64().ok_or_else(|| JsonError(format!("not a number: {value}")))
    }
}

impl Json for String {
    fn to_json(&self, _: i16) -> Value {
        Value::from(self.as_str())
    }

    fn from_json(value: &Value) -> Result<Self, JsonError> {
        value.as_str().map(str::to_owned).ok_or_else(|| JsonError(format!("not a string: {value}")))
    }
}

impl Json for Uuid {
    fn to_json(&self, _: i16) -> Value {
        Value::from(self.to_string())
    }

    fn from_json(value: &Value) -> Result<Self, JsonError> {
        let id = value.as_str().and_then(|text| text.parse().ok());
        id.ok_or_else(|| JsonError(format!("not an id: {value}")))
    }
}

impl Json for Bytes {
    fn to_json(&self, _: i16) -> Value {
        Value::from(to_base64(self))
    }

    fn from_json(value: &Value) -> Result<Self, JsonError> {
        let bytes = value.as_str().and_then(from_base64);
        bytes.map(Bytes::from).ok_or_else(|| JsonError(format!("not base64: {value}")))
    }
}

impl<T: Json> Json for Option<T> {
    fn to_json(&self, version: i16) -> Value {
        self.as_ref().map_or(Value::Null, |value| value.to_json(version))
    }

    fn from_json(value: &Value) -> Result<Self, JsonError> {
        if value.is_null() { Ok(None) } else { T::from_json(value).map(Some) }
    }
}

impl<T: Json> Json for Vec<T> {
    fn to_json(&self, version: i16) -> Value {
        self.iter().map(|element| element.to_json(version)).collect()
    }

    fn from_json(value: &Value) -> Result<Self, JsonError> {
        let elements = value.as_array().ok_or_else(|| JsonError(format!("not an array: {value}")))?;
        elements.iter().map(T::from_json).collect()
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648, with padding.
pub fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place)) & 63;
            text.push(if place <= chunk.len() { char::from(BASE64[sextet as usize]) } else { '=' });
        }
    }
    text
}

/// RFC 4648, with padding; `None` if it is something else.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for quartet in text.as_bytes().chunks(4) {
        let letters = quartet.iter().position(|byte| *byte == b'=').unwrap_or(4);
        let mut bits = 0u32;
        for byte in &quartet[..letters] {
            let sextet = BASE64.iter().position(|letter| letter == byte)?;
            bits = bits << 6 | u32::try_from(sextet).ok()?;
        }
        if letters < 2 || quartet[letters..].iter().any(|byte| *byte != b'=') {
            return None;
        }
        bits <<= 6 * (4 - letters);
        bytes.extend_from_slice(&bits.to_be_bytes()[1..letters]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The vectors of RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(to_base64(bytes.as_bytes()), text);
            assert_eq!(from_base64(text).as_deref(), Some(bytes.as_bytes()));
        }
        for damaged in ["Zg=", "Z===", "Zg=a", "Z?=="] {
            assert_eq!(from_base64(damaged), None);
        }
    }

    #[test]
    fn a_name_that_no_field_has_is_refused() {
        let value: Value = serde_json::from_str(r#"{"a": 1, "b": 2}"#).unwrap();
        let mut fields = Fields::of(&value).unwrap();
        let mut a = 0i32;
        fields.read("a", &mut a).unwrap();
        assert_eq!((a, fields.finish().map_err(|e| e.to_string())), (1, Err("no field has the name b".to_owned())));
    }
}
