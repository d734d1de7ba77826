//! A record as a line of JSON: `{"key": "k", "value": "v", "headers": {"a": "1"}, "partition": 0, "timestamp": 1700000000000}`.
//!
//! Bytes are a string, `{"base64": "AAE="}` where they are no text, or null where there are none. What `thalweg consume` says of
//! where a record was (`topic`, `offset`) is passed over: what one prints, the other reads.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use thalweg_wire::Timestamp;

use super::record::{Said, Wrong};
use crate::quantities::{self, When};

const WANTED: &str = r#"a line is {"key": "k", "value": "v"}; 'thalweg produce --help' shows all of it"#;

/// Reads a line.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn read(line: &[u8]) -> Result<Said, Wrong> {
    let line = serde_json::from_slice::<Line>(line).map_err(|error| {
        let column = error.column();
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        Wrong { what: format!("{what}, at column {column}"), next: WANTED.to_owned() }
    })?;
    Ok(Said {
        key: line.key.and_then(|key| key.0),
        value: line.value.0,
        headers: line.headers.map(|headers| headers.0).unwrap_or_default(),
        partition: line.partition,
        timestamp: line.timestamp.map(|time| time.0),
    })
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Line {
    key: Option<Field>,
    // No Option: without a word of it a record must not take back what its key had.
    value: Field,
    headers: Option<Headers>,
    partition: Option<i32>,
    timestamp: Option<Time>,
    #[serde(rename = "topic")]
    _topic: Option<IgnoredAny>,
    #[serde(rename = "offset")]
    _offset: Option<IgnoredAny>,
}

/// Bytes, or none.
struct Field(Option<Vec<u8>>);

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Field, D::Error> {
        from.deserialize_any(OfField).map(Field)
    }
}

struct OfField;

impl<'de> Visitor<'de> for OfField {
    type Value = Option<Vec<u8>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"a string, {"base64": "..."} or null"#)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.as_bytes().to_vec()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((name, text)) = map.next_entry::<String, String>()? else {
            return Err(de::Error::missing_field("base64"));
        };
        if name != "base64" || map.next_key::<String>()?.is_some() {
            return Err(de::Error::custom(format!(
                r#"an object here is {{"base64": "..."}}, and not {{"{name}": ...}}"#
            )));
        }
        base64(&text).map(Some).ok_or_else(|| de::Error::custom("this is no base64"))
    }
}

/// By name; what is given as pairs may have a name twice.
struct Headers(Vec<(String, Option<Vec<u8>>)>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Headers, D::Error> {
        from.deserialize_any(OfHeaders).map(Headers)
    }
}

struct OfHeaders;

impl<'de> Visitor<'de> for OfHeaders {
    type Value = Vec<(String, Option<Vec<u8>>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"headers such as {"name": "value"} or [["name", "value"]]"#)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut headers = Vec::new();
        while let Some((name, Field(value))) = map.next_entry::<String, Field>()? {
            headers.push((name, value));
        }
        Ok(headers)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut headers = Vec::new();
        while let Some((name, Field(value))) = seq.next_element::<(String, Field)>()? {
            headers.push((name, value));
        }
        Ok(headers)
    }
}

/// Milliseconds since 1970, or a date as people write it.
struct Time(Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        from.deserialize_any(OfTime).map(Time)
    }
}

struct OfTime;

impl Visitor<'_> for OfTime {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("milliseconds since 1970, or a time such as \"2026-01-31T12:00:00Z\"")
    }

    fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Timestamp, E> {
        let millis = i64::try_from(millis).map_err(|_| E::custom(format!("{millis} is no time")))?;
        Ok(Timestamp::from_millis(millis))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        match quantities::instant(text) {
            Ok(When::At(then)) => Ok(then),
            // Which time that is would depend on when the line is read.
            Ok(When::Ago(_)) => Err(E::custom(format!("{text} is no time that is the same tomorrow"))),
            Err(why) => Err(E::custom(why)),
        }
    }
}

/// The bytes of base64 (RFC 4648, section 4), whose padding may be missing; `None` if it is none.
fn base64(text: &str) -> Option<Vec<u8>> {
    let way = if text.ends_with('=') { STANDARD } else { STANDARD_NO_PAD };
    way.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(line: &str) -> String {
        read(line.as_bytes()).unwrap_err().what
    }

    #[test]
    fn a_line_says_everything_that_a_record_can_have() {
        let line = r#"{"key":"k","value":{"base64":"AP8="},"headers":{"b":"1","a":null},"partition":2,"timestamp":5}"#;
        let headers = vec![("b".to_owned(), Some(b"1".to_vec())), ("a".to_owned(), None)];
        let said = Said {
            key: Some(b"k".to_vec()),
            value: Some(vec![0, 255]),
            headers,
            partition: Some(2),
            timestamp: Some(Timestamp::from_millis(5)),
        };
        assert_eq!(read(line.as_bytes()), Ok(said));
    }

    #[test]
    fn headers_as_pairs_keep_their_order_and_a_name_may_come_twice() {
        let said = read(br#"{"value":"v","headers":[["b","1"],["a","2"],["b",null]]}"#).unwrap();
        let names: Vec<&str> = said.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names, said.headers[2].1.is_none()), (vec!["b", "a", "b"], true));
    }

    #[test]
    fn what_consume_prints_is_read_and_null_is_nothing() {
        let line =
            r#"{"topic":"t","offset":7,"timestamp":"2026-01-31T12:00:00.000Z","key":null,"value":null,"headers":null}"#;
        let said = read(line.as_bytes()).unwrap();
        let timestamp = Some(Timestamp::from_millis(1_769_860_800_000));
        assert_eq!(said, Said { timestamp, ..Said::default() });
    }

    // A tombstone deletes: it is never what was only forgotten.
    #[test]
    fn a_record_without_a_word_of_its_value_is_refused() {
        assert_eq!(wrong(r#"{"key":"k"}"#), "missing field `value`, at column 11");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (line, what) in [
            ("x", "expected value, at column 1"),
            ("[]", "an object"),
            (r#"{"vale":"v"}"#, "unknown field `vale`"),
            (r#"{"value":1}"#, r#"expected a string, {"base64": "..."} or null"#),
            (r#"{"value":{"a":"b"}}"#, r#"and not {"a": ...}"#),
            (r#"{"value":{"base64":"*"}}"#, "no base64"),
            (r#"{"value":"v","partition":"x"}"#, "expected i32"),
            (r#"{"value":"v","timestamp":"soon"}"#, "soon is no time"),
            (r#"{"value":"v","timestamp":"-1h"}"#, "the same tomorrow"),
            (r#"{"value":"v","headers":"a"}"#, "headers such as"),
            (r#"{"value":"v"} {"#, "trailing"),
            (r#"{"value":"v"#, "EOF"),
        ] {
            assert!(wrong(line).contains(what), "{line}: {}", wrong(line));
        }
    }

    #[test]
    fn base64_is_read_with_and_without_its_padding() {
        for (text, bytes) in
            [("", &b""[..]), ("Zg==", b"f"), ("Zg", b"f"), ("Zm8=", b"fo"), ("Zm9v", b"foo"), ("+/A=", &[251, 240])]
        {
            assert_eq!(base64(text).as_deref(), Some(bytes), "{text}");
        }
        for text in ["Z", "Zg=", "Zm9v=", "Z-==", "Zg==Zg==", "====", "Zm 9v"] {
            assert_eq!(base64(text), None, "{text}");
        }
    }
}
