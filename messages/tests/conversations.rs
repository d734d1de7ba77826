//! Frames between real clients and a real broker: decoded and written again, they are the same bytes.
#![allow(clippy::unwrap_used)]

mod support;

use bytes::Bytes;
use std::collections::BTreeMap;
use support::{conversations, hex, lines, number, text};
use thalweg_messages::api::{Api, body_form};
use thalweg_messages::json::{MESSAGES, Named, Value};
use thalweg_wire::codec::{Decoder, Form};
use thalweg_wire::frame::{RequestHeader, begin_response, decode_response_header, finish_frame};

const API_VERSIONS: i16 = 18;

#[derive(Default, PartialEq, Eq, Debug)]
struct Tally {
    requests: usize,
    responses: usize,
    /// librdkafka's Metadata v13 requests with three bytes too many.
    overlong: usize,
    /// ApiVersions requests of versions from the future.
    unknown: usize,
    /// Longer than what was recorded of them.
    cut: usize,
}

#[test]
fn every_frame_of_real_clients_reads_and_writes_as_the_same_bytes() {
    let mut tally = Tally::default();
    for (client, frames) in conversations() {
        for frame in &frames {
            let (key, version) = (number(frame, "apiKey"), number(frame, "version"));
            let label = format!("{client}: {} {} v{version}", text(frame, "direction"), text(frame, "api"));
            let api = Api::of_key(key).expect("no recorded frame is said between controllers");
            if !frame["cut"].is_null() {
                tally.cut += 1;
                continue;
            }
            let (header, body) = (hex(frame, "header"), hex(frame, "body"));
            if text(frame, "direction") == "request" {
                request_header(&header, frame, api, &label);
                if version > api.max_version {
                    assert_eq!(key, API_VERSIONS, "{label}");
                    tally.unknown += 1;
                    continue;
                }
                match same_bytes(named(api, "Request"), &body, version, &label) {
                    0 => tally.requests += 1,
                    3 => tally.overlong += 1,
                    rest => panic!("{label}: {rest} bytes left over"),
                }
            } else {
                // A version that the broker doesn't know is answered as if v0 had been asked for.
                let version = if version > api.max_version { 0 } else { version };
                response_header(&header, key, api.form(version), &label);
                assert_eq!(same_bytes(named(api, "Response"), &body, version, &label), 0, "{label}");
                tally.responses += 1;
            }
        }
    }
    assert_eq!(tally, Tally { requests: 1671, responses: 1673, overlong: 3, unknown: 8, cut: 1 });
}

fn named(api: &Api, direction: &str) -> &'static Named {
    MESSAGES.iter().find(|message| message.name.strip_suffix(direction) == Some(api.name)).unwrap()
}

/// Answers how many bytes followed the message.
fn same_bytes(message: &Named, body: &Bytes, version: i16, label: &str) -> usize {
    let read = (message.read)(body, version).unwrap_or_else(|error| panic!("{label}: {error}"));
    let again = read.again.unwrap_or_else(|error| panic!("{label}: {error}")).into_bytes();
    assert_eq!(again, body[..body.len() - read.rest], "{label}");
    read.rest
}

fn request_header(header: &Bytes, frame: &Value, api: &Api, label: &str) {
    let mut from = Decoder::new(header);
    let read = RequestHeader::decode(&mut from, body_form).unwrap().unwrap();
    assert_eq!(from.remaining(), 0, "{label}");
    assert_eq!((read.api_key, read.api_version), (number(frame, "apiKey"), number(frame, "version")), "{label}");
    assert_eq!(i64::from(read.correlation_id), frame["correlationId"].as_i64().unwrap(), "{label}");
    assert_eq!(read.client_id, frame["clientId"].as_str().unwrap_or_default(), "{label}");
    if !frame["clientId"].is_null() {
        let again = finish_frame(read.begin_request(api.form(read.api_version))).into_bytes();
        assert_eq!(again[4..], header[..], "{label}");
    }
    let version = if api.form(read.api_version) == Form::Flexible { 2 } else { 1 };
    let schema = MESSAGES.iter().find(|message| message.name == "RequestHeader").unwrap();
    assert_eq!(same_bytes(schema, header, version, label), 0, "{label}");
}

fn response_header(header: &Bytes, key: i16, form: Form, label: &str) {
    let mut from = Decoder::new(header);
    let correlation_id = decode_response_header(&mut from, key, form).unwrap();
    assert_eq!(from.remaining(), 0, "{label}");
    assert_eq!(finish_frame(begin_response(key, correlation_id, form)).into_bytes()[4..], header[..], "{label}");
}

/// Said between controllers, and by brokers to them, in Kafka; nobody says it here.
const OF_CONTROLLERS: [i16; 12] = [52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82];

#[test]
fn every_api_of_a_broker_has_messages() {
    // Their names and versions are held against Kafka's by `corpus`.
    let requests: BTreeMap<i16, String> = lines("corpus/requests")
        .iter()
        .map(|line| (number(line, "apiKey"), text(line, "message").trim_end_matches("Request").to_owned()))
        .filter(|(key, _)| !OF_CONTROLLERS.contains(key))
        .collect();
    assert_eq!(requests.len(), 77, "75 that every broker lists, and two for telemetry");
    // In the order of their keys: the table is searched by halves.
    let ours: Vec<(i16, &str)> = thalweg_messages::APIS.iter().map(|api| (api.key, api.name)).collect();
    assert!(requests.iter().map(|(key, name)| (*key, name.as_str())).eq(ours));
}
