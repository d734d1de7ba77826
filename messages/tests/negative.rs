//! Damaged bodies: what Kafka's own decoder refuses is refused, what it lets pass reads as the same value.
#![allow(clippy::unwrap_used)]

mod support;

use bytes::Bytes;
use std::collections::BTreeMap;
use support::{base64, label, lines, message_of, number, text};
use thalweg_messages::fetch::FetchView;
use thalweg_messages::json::{MESSAGES, Value};
use thalweg_messages::produce::ProduceView;
use thalweg_wire::codec::DecodeError;

fn ours() -> impl Iterator<Item = Value> {
    lines("negative/negative").into_iter().filter(|line| message_of(line).is_some())
}

/// Tags that came out of order are kept in order here, so that they can be written back as the rules demand; and the
/// largest tag, which Java shows as -1, is the unsigned number that it is on the wire (KIP-482).
fn with_our_tags(value: &Value) -> Value {
    let mut value = value.clone();
    match &mut value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                *field = with_our_tags(field);
                if let (true, Value::Array(tags)) = (name == "_unknownTaggedFields", field) {
                    for tag in tags.iter_mut() {
                        let number = tag["tag"].as_i64().unwrap() as i32;
                        tag["tag"] = number.cast_unsigned().into();
                    }
                    tags.sort_by_key(|tag| tag["tag"].as_u64());
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| *element = with_our_tags(element)),
        _ => {}
    }
    value
}

#[test]
fn damage_is_refused_and_leniences_are_kafkas() {
    let (mut refused, mut accepted, mut stricter) = (0, 0, BTreeMap::<String, usize>::new());
    for line in ours() {
        let message = message_of(&line).unwrap();
        let read = (message.read)(&base64(&line, "body"), number(&line, "version"));
        match (text(&line, "result"), read) {
            ("error", Ok(_)) => panic!("accepted: {}", label(&line)),
            ("error", Err(_)) => refused += 1,
            ("ok", Err(_)) => *stricter.entry(text(&line, "case").to_owned()).or_default() += 1,
            (_, Ok(read)) => {
                assert_eq!(read.json, with_our_tags(&line["json"]), "{}", label(&line));
                assert_eq!(read.rest as u64, line["leftOver"].as_u64().unwrap_or(0), "{}", label(&line));
                accepted += 1;
            }
            (other, _) => panic!("{other}"),
        }
    }
    // Kafka takes a tag count above 2^31-1 for zero. Nobody sends one; here it is damage.
    assert_eq!((refused, accepted, stricter), (6418, 1830, BTreeMap::from([("tag-count-max".to_owned(), 156)])));
}

// librdkafka 2.16 sends three bytes too many.
#[test]
fn bytes_after_a_request_are_left_alone() {
    let trailing = ours().filter(|line| text(line, "case") == "trailing-byte");
    let left_over: Vec<usize> = trailing
        .map(|line| (message_of(&line).unwrap().read)(&base64(&line, "body"), number(&line, "version")).unwrap().rest)
        .collect();
    assert!(left_over.iter().all(|rest| *rest == 1));
    assert_eq!(left_over.len(), 334);
}

// Two decoders of one message that disagree would be two protocols.
#[test]
fn the_views_refuse_exactly_what_the_structs_refuse() {
    let mut compared = 0;
    for line in ours() {
        let (name, version, body) = (text(&line, "message"), number(&line, "version"), base64(&line, "body"));
        let view: fn(Bytes, i16) -> Result<(), DecodeError> = match name {
            "ProduceRequest" => {
                |body, version| ProduceView::parse(body, version).map(|view| format!("{view:?}")).map(|_| ())
            }
            "FetchRequest" => {
                |body, version| FetchView::parse(body, version).map(|view| format!("{view:?}")).map(|_| ())
            }
            _ => continue,
        };
        let message = message_of(&line).unwrap();
        // Every beginning of the damaged body is another damaged body.
        for end in 0..=body.len() {
            let cut = body.slice(..end);
            let read = (message.read)(&cut, version).map(|_| ());
            assert_eq!(view(cut, version), read, "{} cut at {end}", label(&line));
            compared += 1;
        }
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn a_version_outside_the_schema_is_refused_before_anything_is_read() {
    for message in MESSAGES {
        for version in [message.versions.0 - 1, message.versions.1 + 1, i16::MIN, i16::MAX] {
            let refused = (message.read)(&Bytes::new(), version);
            assert_eq!(refused, Err(DecodeError::UnknownVersion(version)), "{}", message.name);
        }
    }
}
