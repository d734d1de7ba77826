//! The enums over all records of a log.

use super::schema::Message;
use std::fmt::Write;

/// Of the metadata log, whose every record is of a type that we know.
pub(super) fn metadata_record<'a, M: Iterator<Item = &'a Message>>(out: &mut String, messages: impl Fn() -> M) {
    let records = || messages().map(|message| (message.name.as_str(), message.name.trim_end_matches("Record")));
    out.push_str("\nuse crate::prelude::*;\n\n/// A record of the metadata log.\n");
    out.push_str("#[derive(Clone, PartialEq, Debug)]\npub enum MetadataRecord {\n");
    for (name, variant) in records() {
        let _ = writeln!(out, "{variant}({name}),");
    }
    out.push_str("}\n\nimpl MetadataRecord {\n/// The number of its type.\npub const fn record_type(&self) -> i16 {\n");
    out.push_str("match self {\n");
    for (name, variant) in records() {
        let _ = writeln!(out, "MetadataRecord::{variant}(_) => {name}::RECORD_TYPE,");
    }
    out.push_str("}\n}\n\n/// The newest version of its type: the one that can say everything.\n");
    out.push_str("pub const fn max_version(&self) -> i16 {\nmatch self {\n");
    for (name, variant) in records() {
        let _ = writeln!(out, "MetadataRecord::{variant}(_) => {name}::MAX_VERSION,");
    }
    out.push_str("}\n}\n\npub(crate) fn decode_body(from: &mut Decoder<'_>, record_type: i16, version: i16) ");
    out.push_str("-> Result<Self, DecodeError> {\nOk(match record_type {\n");
    for (name, variant) in records() {
        let _ = writeln!(out, "{name}::RECORD_TYPE => MetadataRecord::{variant}({name}::decode(from, version)?),");
    }
    out.push_str("_ => return Err(DecodeError::UnknownRecord(record_type)),\n})\n}\n\n");
    out.push_str("pub(crate) fn encode_body(&self, into: &mut Encoder, version: i16) -> Result<(), EncodeError> {\n");
    out.push_str("match self {\n");
    for (_, variant) in records() {
        let _ = writeln!(out, "MetadataRecord::{variant}(record) => record.encode(into, version),");
    }
    out.push_str("}\n}\n}\n");
    for (name, variant) in records() {
        let _ = writeln!(
            out,
            "\nimpl From<{name}> for MetadataRecord {{ fn from(record: {name}) -> Self {{ MetadataRecord::{variant}(record) }} }}"
        );
    }
}

/// Of a coordinator's log: pairs of a key and a value, and whatever other types there are.
pub(super) fn group_record<'a, M: Iterator<Item = &'a Message>>(out: &mut String, messages: impl Fn() -> M) {
    let pairs = || messages().filter_map(|message| message.name.strip_suffix("Key"));
    out.push_str("\nuse crate::group_log::{read_key, read_value, write_key, write_value};\nuse crate::prelude::*;\n\n");
    out.push_str(
        "/// A record of `__consumer_offsets`: what it is about, and what it says of that; `None`: that it is gone.\n",
    );
    out.push_str("#[derive(Clone, PartialEq, Debug)]\npub enum GroupRecord {\n");
    for name in pairs() {
        let _ = writeln!(out, "{name}({name}Key, Option<{name}Value>),");
    }
    out.push_str("/// Of a type that isn't described here: key and value as they were found, whole.\n");
    out.push_str("Unknown { key: Bytes, value: Option<Bytes> },\n}\n\nimpl GroupRecord {\n");
    out.push_str(
        "/// The newest version of its value: the one that can say everything. Of an unknown type none counts.\n",
    );
    out.push_str("pub const fn max_version(&self) -> i16 {\nmatch self {\n");
    for name in pairs() {
        let _ = writeln!(out, "GroupRecord::{name}(..) => {name}Value::MAX_VERSION,");
    }
    out.push_str("GroupRecord::Unknown { .. } => 0,\n}\n}\n\n");
    out.push_str("pub(crate) fn decode_type(record_type: i16, key: &Bytes, value: Option<&Bytes>) ");
    out.push_str("-> Result<Self, DecodeError> {\nOk(match record_type {\n");
    for name in pairs() {
        let _ = writeln!(
            out,
            "{name}Key::RECORD_TYPE => GroupRecord::{name}(read_key(key)?, value.map(read_value).transpose()?),"
        );
    }
    out.push_str("_ => GroupRecord::Unknown { key: key.clone(), value: value.cloned() },\n})\n}\n\n");
    out.push_str(
        "/// Key and value as they are stored, the value at `version`. What is unknown is stored as it was found.\n",
    );
    out.push_str("pub fn encode(&self, version: i16) -> Result<(Bytes, Option<Bytes>), EncodeError> {\nmatch self {\n");
    for name in pairs() {
        let _ = writeln!(
            out,
            "GroupRecord::{name}(key, value) => Ok((write_key(key)?, \
             value.as_ref().map(|value| write_value(value, version)).transpose()?)),"
        );
    }
    out.push_str("GroupRecord::Unknown { key, value } => Ok((key.clone(), value.clone())),\n}\n}\n}\n");
}
