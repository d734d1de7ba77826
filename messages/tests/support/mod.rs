//! Reads the fixtures: lines of JSON, compressed, under `fixtures/messages`.
#![allow(dead_code, clippy::unwrap_used)]

use bytes::Bytes;
use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use thalweg_messages::json::{MESSAGES, Named, Value, from_base64};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/messages")
}

/// The lines of one file, such as `corpus/requests`.
pub(crate) fn lines(name: &str) -> Vec<Value> {
    let path = folder().join(format!("{name}.jsonl.gz"));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

/// All recorded conversations: the client, and its frames in order.
pub(crate) fn conversations() -> BTreeMap<String, Vec<Value>> {
    let entries = fs::read_dir(folder().join("conversations")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let clients = names.filter_map(|name| name.strip_suffix(".jsonl.gz").map(str::to_owned));
    clients.map(|client| (client.clone(), lines(&format!("conversations/{client}")))).collect()
}

pub(crate) fn text<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or_else(|| panic!("{name} in {line}"))
}

pub(crate) fn number(line: &Value, name: &str) -> i16 {
    line[name].as_i64().unwrap_or_else(|| panic!("{name} in {line}")).try_into().unwrap()
}

/// A field in base64.
pub(crate) fn base64(line: &Value, name: &str) -> Bytes {
    from_base64(text(line, name)).unwrap_or_else(|| panic!("{name} in {line}")).into()
}

/// A field in hex.
pub(crate) fn hex(line: &Value, name: &str) -> Bytes {
    let digits = text(line, name).as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The message that a line is about, if it has a schema here.
pub(crate) fn message_of(line: &Value) -> Option<&'static Named> {
    let name = text(line, "message");
    MESSAGES.iter().find(|message| message.name == name)
}

/// Which line this is, for whoever reads a failure.
pub(crate) fn label(line: &Value) -> String {
    let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    format!("{} v{} {}{} {}", word("message"), line["version"], word("variant"), word("case"), word("at"))
}
