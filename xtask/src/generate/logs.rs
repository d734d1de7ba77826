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

/// A coordinator's log: the folder of its schema files, the enum that its records become, and its topic.
pub(super) struct Keyed {
    pub folder: &'static str,
    pub name: &'static str,
    pub topic: &'static str,
}

pub(super) const KEYED: [Keyed; 3] = [
    Keyed { folder: "group-log", name: "GroupRecord", topic: "__consumer_offsets" },
    Keyed { folder: "share-log", name: "ShareRecord", topic: "__share_group_state" },
    Keyed { folder: "transaction-log", name: "TransactionRecord", topic: "__transaction_state" },
];

/// Of a coordinator's log: pairs of a key and a value, and whatever other types there are.
pub(super) fn keyed_record<'a, M: Iterator<Item = &'a Message>>(
    out: &mut String,
    Keyed { name: record, topic, .. }: &Keyed,
    messages: impl Fn() -> M,
) {
    let pairs = || messages().filter_map(|message| message.name.strip_suffix("Key"));
    out.push_str(
        "\nuse crate::keyed::{read_key, read_value, type_of, write_key, write_value};\nuse crate::prelude::*;\n\n",
    );
    let _ = writeln!(
        out,
        "/// A record of `{topic}`: what it is about, and what it says of that; `None`: that it is gone."
    );
    let _ = writeln!(out, "#[derive(Clone, PartialEq, Debug)]\npub enum {record} {{");
    for name in pairs() {
        let _ = writeln!(out, "{name}({name}Key, Option<{name}Value>),");
    }
    out.push_str("/// Of a type that isn't described here: key and value as they were found, whole.\n");
    let _ = writeln!(out, "Unknown {{ key: Bytes, value: Option<Bytes> }},\n}}\n\nimpl {record} {{");
    out.push_str(
        "/// The newest version of its value: the one that can say everything. Of an unknown type none counts.\n",
    );
    out.push_str("pub const fn max_version(&self) -> i16 {\nmatch self {\n");
    for name in pairs() {
        let _ = writeln!(out, "{record}::{name}(..) => {name}Value::MAX_VERSION,");
    }
    let _ = writeln!(out, "{record}::Unknown {{ .. }} => 0,\n}}\n}}\n");
    out.push_str(
        "/// Reads a record by its key and its value.
        ///
        /// A type that we don't know is kept as it is: the log is compacted by key, and what another protocol says of
        /// the same thing leaves ours alone. A value of a known type in an unknown version is an error: half of what
        /// was said is something else.\n",
    );
    out.push_str("pub fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<Self, DecodeError> {\n");
    out.push_str("Ok(match type_of(key)? {\n");
    for name in pairs() {
        let _ = writeln!(
            out,
            "{name}Key::RECORD_TYPE => {record}::{name}(read_key(key)?, value.map(read_value).transpose()?),"
        );
    }
    let _ = writeln!(out, "_ => {record}::Unknown {{ key: key.clone(), value: value.cloned() }},\n}})\n}}\n");
    out.push_str(
        "/// Key and value as they are stored, the value at `version`. What is unknown is stored as it was found.\n",
    );
    out.push_str("pub fn encode(&self, version: i16) -> Result<(Bytes, Option<Bytes>), EncodeError> {\nmatch self {\n");
    for name in pairs() {
        let _ = writeln!(
            out,
            "{record}::{name}(key, value) => Ok((write_key(key)?, \
             value.as_ref().map(|value| write_value(value, version)).transpose()?)),"
        );
    }
    let _ = writeln!(out, "{record}::Unknown {{ key, value }} => Ok((key.clone(), value.clone())),\n}}\n}}\n}}");
}
