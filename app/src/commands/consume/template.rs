//! How a record is printed: a template that people write, or JSON.

use std::fmt::Display;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use thalweg_client::ConsumedRecord;

use crate::quantities::shown_time;

/// A record, and where it is from.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) record: ConsumedRecord<'a>,
}

/// How records are printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(Vec<u8>),
    Field(Field, Writing),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Field {
    Topic,
    Partition,
    Offset,
    /// In milliseconds since 1970.
    Timestamp,
    /// The same for people.
    Time,
    Key,
    Value,
    /// All of them: `name=value`, with commas between.
    Headers,
    /// One of them, the last of its name.
    Header(Vec<u8>),
    KeySize,
    ValueSize,
}

/// How bytes are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Writing {
    Raw,
    Hex,
    Base64,
    /// As a JSON value.
    Json,
}

const FIELDS: &str =
    "topic, partition, offset, timestamp, time, key, value, headers, header.NAME, key_size and value_size";

impl Template {
    /// The value, and nothing else.
    pub(super) fn value() -> Template {
        Template { pieces: vec![Piece::Field(Field::Value, Writing::Raw)] }
    }

    /// `{key}: {value}\n`, and what else there is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let (mut pieces, mut plain) = (Vec::new(), Vec::new());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            match first {
                '{' | '}' if rest.starts_with(first) => {
                    plain.push(first as u8);
                    rest = &rest[1..];
                }
                '}' => return Err("a } stands alone: write }} for one that is printed".to_owned()),
                '{' => {
                    let Some((inside, behind)) = rest.split_once('}') else {
                        return Err("a { has no }: write {{ for one that is printed".to_owned());
                    };
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(field(inside)?);
                    rest = behind;
                }
                '\\' => rest = escape(rest, &mut plain)?,
                other => plain.extend(other.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template { pieces })
    }

    /// Writes a record. What isn't there is written as `null`.
    pub(super) fn render(&self, found: &Found<'_>, null: &[u8], out: &mut Vec<u8>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Field(field, writing) => field.render(*writing, found, null, out),
            }
        }
    }
}

/// Text with `\n`, `\t`, `\r`, `\0`, `\\` and `\x41`, as bytes.
///
/// # Errors
/// What is wrong with it.
pub(super) fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let (mut plain, mut rest) = (Vec::new(), text);
    while let Some((before, behind)) = rest.split_once('\\') {
        plain.extend_from_slice(before.as_bytes());
        rest = escape(behind, &mut plain)?;
    }
    plain.extend_from_slice(rest.as_bytes());
    Ok(plain)
}

/// What stands behind a backslash; gives what is behind that.
fn escape<'a>(rest: &'a str, plain: &mut Vec<u8>) -> Result<&'a str, String> {
    let (byte, length) = match rest.as_bytes().first() {
        Some(b'n') => (b'\n', 1),
        Some(b't') => (b'\t', 1),
        Some(b'r') => (b'\r', 1),
        Some(b'0') => (0, 1),
        Some(b'\\') => (b'\\', 1),
        Some(b'x') => {
            let digits = rest.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            (digits.ok_or("\\x takes two hexadecimal digits, such as \\x1f")?, 3)
        }
        _ => return Err("a \\ stands before n, t, r, 0, \\ or two hexadecimal digits, such as \\x1f".to_owned()),
    };
    plain.push(byte);
    Ok(&rest[length..])
}

fn field(text: &str) -> Result<Piece, String> {
    let (name, writing) = match text.rsplit_once(':') {
        Some((name, "hex")) => (name, Writing::Hex),
        Some((name, "base64")) => (name, Writing::Base64),
        Some((name, "json")) => (name, Writing::Json),
        Some((_, other)) if !text.starts_with("header.") => {
            return Err(format!("{other} is no way to write a field: it is hex, base64 or json"));
        }
        _ => (text, Writing::Raw),
    };
    let field = match name {
        "topic" => Field::Topic,
        "partition" => Field::Partition,
        "offset" => Field::Offset,
        "timestamp" => Field::Timestamp,
        "time" => Field::Time,
        "key" => Field::Key,
        "value" => Field::Value,
        "headers" => Field::Headers,
        "key_size" => Field::KeySize,
        "value_size" => Field::ValueSize,
        other => match other.strip_prefix("header.") {
            Some(name) if !name.is_empty() => Field::Header(name.as_bytes().to_vec()),
            _ => return Err(format!("{{{other}}} is no field of a record: there are {FIELDS}")),
        },
    };
    Ok(Piece::Field(field, writing))
}

impl Field {
    fn render(&self, writing: Writing, found: &Found<'_>, null: &[u8], out: &mut Vec<u8>) {
        let record = &found.record;
        let mut number = |number: &dyn Display| {
            let _infallible = write!(out, "{number}");
        };
        match self {
            Field::Partition => number(&found.partition),
            Field::Offset => number(&record.offset.0),
            Field::Timestamp => number(&record.timestamp.millis()),
            Field::KeySize => number(&record.key.map_or(0, <[u8]>::len)),
            Field::ValueSize => number(&record.value.map_or(0, <[u8]>::len)),
            Field::Topic => writing.write(Some(found.topic.as_bytes()), null, out),
            Field::Time => writing.write(Some(shown_time(record.timestamp).as_bytes()), null, out),
            Field::Key => writing.write(record.key, null, out),
            Field::Value => writing.write(record.value, null, out),
            Field::Header(name) => {
                let header = record.headers.filter(|(each, _)| each == name).last();
                writing.write(header.and_then(|(_, value)| value), null, out);
            }
            Field::Headers if writing == Writing::Json => {
                let headers: Vec<_> = record.headers.map(|(name, value)| (Json(Some(name)), Json(value))).collect();
                let _infallible = serde_json::to_writer(out, &headers);
            }
            Field::Headers => {
                for (at, (name, value)) in record.headers.enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(name);
                    out.push(b'=');
                    writing.write(value, null, out);
                }
            }
        }
    }
}

impl Writing {
    fn write(self, bytes: Option<&[u8]>, null: &[u8], out: &mut Vec<u8>) {
        match (self, bytes) {
            (Writing::Json, bytes) => {
                let _infallible = serde_json::to_writer(out, &Json(bytes));
            }
            (_, None) => out.extend_from_slice(null),
            (Writing::Raw, Some(bytes)) => out.extend_from_slice(bytes),
            (Writing::Hex, Some(bytes)) => bytes.iter().for_each(|byte| {
                let _infallible = write!(out, "{byte:02x}");
            }),
            (Writing::Base64, Some(bytes)) => out.extend_from_slice(STANDARD.encode(bytes).as_bytes()),
        }
    }
}

/// Bytes in JSON: a string, `null`, or `{"base64": ...}` where they are no text.
struct Json<'a>(Option<&'a [u8]>);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
            None => serializer.serialize_none(),
            Some((_, Ok(text))) => serializer.serialize_str(text),
            Some((bytes, Err(_))) => serializer.collect_map([("base64", STANDARD.encode(bytes))]),
        }
    }
}

/// Writes a record as an object on one line, as `thalweg produce --json` reads it.
pub(super) fn json(found: &Found<'_>, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Line<'a> {
        topic: &'a str,
        partition: i32,
        offset: i64,
        timestamp: i64,
        key: Json<'a>,
        value: Json<'a>,
        headers: Vec<(Json<'a>, Json<'a>)>,
    }
    let record = &found.record;
    let line = Line {
        topic: found.topic,
        partition: found.partition,
        offset: record.offset.0,
        timestamp: record.timestamp.millis(),
        key: Json(record.key),
        value: Json(record.value),
        headers: record.headers.map(|(name, value)| (Json(Some(name)), Json(value))).collect(),
    };
    let _infallible = serde_json::to_writer(&mut *out, &line);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use thalweg_wire::batch::{Builder, Records};
    use thalweg_wire::{Offset, Timestamp};

    use super::*;

    /// Renders a record at offset 7.
    fn rendered(key: Option<&[u8]>, value: Option<&[u8]>, print: impl Fn(&Found<'_>, &mut Vec<u8>)) -> Vec<u8> {
        let mut builder = Builder::new();
        let headers: [(&[u8], Option<&[u8]>); 2] = [(b"a", Some(b"1")), (b"b", None)];
        builder.push(Timestamp::from_millis(1_700_000_000_123), key, value, &headers);
        let batch = builder.build().unwrap();
        let record = Records::of(&batch).unwrap().next().unwrap().unwrap();
        let (timestamp, headers) = (record.timestamp, record.headers);
        let record = ConsumedRecord { offset: Offset(7), timestamp, key, value, headers };
        let mut out = Vec::new();
        print(&Found { topic: "t", partition: 3, record }, &mut out);
        out
    }

    fn by(template: &str, key: Option<&[u8]>, value: Option<&[u8]>) -> String {
        let template = Template::parse(template).unwrap();
        String::from_utf8(rendered(key, value, |found, out| template.render(found, b"~", out))).unwrap()
    }

    #[test]
    fn a_template_has_the_fields_of_a_record() {
        let all = r"{topic}/{partition}@{offset} {timestamp} {time}\t{key}={value} {key_size}+{value_size} {{x}}";
        let shown = "t/3@7 1700000000123 2023-11-14T22:13:20.123Z\tk=v\u{e4} 1+3 {x}";
        assert_eq!(by(all, Some(b"k"), Some("v\u{e4}".as_bytes())), shown);
        assert_eq!(by("{headers} {header.a} {header.b} {header.c}", None, None), "a=1,b=~ 1 ~ ~");
        assert_eq!(by("{key}|{value}", None, Some(b"")), "~|");
    }

    #[test]
    fn bytes_are_written_as_they_are_or_as_text() {
        let value = Some(b"\xff\x00\"".as_slice());
        assert_eq!(by("{value:hex} {value:base64} {value:json}", None, value), r#"ff0022 /wAi {"base64":"/wAi"}"#);
        assert_eq!(by("{key:json} {value:json}", None, Some(b"a\"\n")), r#"null "a\"\n""#);
        assert_eq!(by("{headers:json} {header.a:hex}", None, None), r#"[["a","1"],["b",null]] 31"#);
        let raw = rendered(None, value, |found, out| Template::value().render(found, b"", out));
        assert_eq!(raw, b"\xff\x00\"");
    }

    #[test]
    fn json_is_one_line_with_everything() {
        let line = rendered(Some(b"k"), Some(b"\xff"), json);
        let expected = r#"{"topic":"t","partition":3,"offset":7,"timestamp":1700000000123,"key":"k","value":{"base64":"/w=="},"headers":[["a","1"],["b",null]]}"#;
        assert_eq!(String::from_utf8(line).unwrap(), format!("{expected}\n"));
    }

    #[test]
    fn a_template_that_can_not_be_is_told_why() {
        for (template, why) in [
            ("{value", "has no }"),
            ("value}", "stands alone"),
            ("{colour}", "there are topic, partition"),
            ("{header.}", "there are topic, partition"),
            ("{value:octal}", "hex, base64 or json"),
            (r"a\q", "before n, t, r"),
        ] {
            assert!(Template::parse(template).is_err_and(|error| error.contains(why)), "{template}");
        }
    }

    #[test]
    fn escapes_are_bytes() {
        assert_eq!(unescaped(r"a\n\t\r\0\\\x41b").unwrap(), b"a\n\t\r\0\\Ab");
        for text in [r"\", r"\q", r"\x4", r"\xgg", "\\x\u{e4}1"] {
            assert!(unescaped(text).is_err(), "{text}");
        }
    }
}
