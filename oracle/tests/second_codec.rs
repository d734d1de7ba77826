//! Kafka's messages in two codecs: ours, and that of the crate `kafka-protocol`, which others generated from Kafka's schema.
//!
//! What Kafka wrote, and what nobody ever recorded, has to be the same bytes in both. That each field bears the right name is
//! held where Kafka's JSON is, in `messages/tests/corpus.rs`. Damaged bytes are for our codec only: the other one believes
//! the lengths that it reads, and may end the process over them.
#![allow(clippy::unwrap_used)]

mod crossing;
#[path = "../../messages/tests/support/mod.rs"]
mod support;

use bytes::{Bytes, BytesMut};
use crossing::{Chance, Recorded};
use kafka_protocol::messages::{ApiKey, RequestKind, ResponseKind};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use support::{base64, label, lines, message_of, number, text};
use thalweg_messages::api::Api;
use thalweg_messages::json::{Named, Value};

/// Where `kafka-protocol` 0.18.0 is wrong, and what Kafka wrote is right: message, version, and what is wrong.
const WRONG: [(&str, i16, &str); 3] = [
    // The range of the API is that of the response; the request's own ends one earlier.
    ("InitProducerIdRequest", 6, "the table of APIs names it, the message refuses it"),
    ("OffsetCommitRequest", 10, "the table of APIs names it, the message refuses it"),
    ("OffsetFetchRequest", 10, "the table of APIs names it, the message refuses it"),
];

/// How many values are crossed for each version of each message.
const CROSSED: usize = 128;

fn wrong_in_theirs(line: &Value) -> bool {
    WRONG.iter().any(|(message, version, _)| *message == text(line, "message") && *version == number(line, "version"))
}

/// The API of a line, if `kafka-protocol` has it at the line's version.
fn theirs(line: &Value) -> Option<ApiKey> {
    let api = ApiKey::try_from(number(line, "apiKey")).ok()?;
    let versions = api.valid_versions();
    (versions.min..=versions.max).contains(&number(line, "version")).then_some(api)
}

/// What a line is about, if both codecs have it.
fn both(line: &Value) -> Option<(&'static Named, ApiKey)> {
    message_of(line).zip(theirs(line))
}

/// A body of the same message and version as the line, read by `kafka-protocol` and written again there.
fn again(line: &Value, api: ApiKey, body: &Bytes) -> Result<Bytes, String> {
    let version = number(line, "version");
    let (mut from, mut into) = (body.clone(), BytesMut::new());
    let written = match text(line, "kind") {
        "request" => RequestKind::decode(api, &mut from, version).and_then(|read| read.encode(&mut into, version)),
        "response" => ResponseKind::decode(api, &mut from, version).and_then(|read| read.encode(&mut into, version)),
        other => panic!("{other}"),
    };
    written.map_err(|error| format!("{error:#}"))?;
    if from.is_empty() { Ok(into.freeze()) } else { Err(format!("{} bytes left over", from.len())) }
}

/// How many lines `kafka-protocol` writes as Kafka did, of how many it is wrong, and how many are of a version that only we
/// have.
fn check(file: &str) -> [usize; 3] {
    let [mut same, mut wrong, mut ours_alone] = [0; 3];
    for line in lines(file).iter().filter(|line| message_of(line).is_some()) {
        let Some(api) = theirs(line) else {
            ours_alone += 1;
            continue;
        };
        let body = base64(line, "body");
        let again = again(line, api, &body);
        if wrong_in_theirs(line) {
            assert_ne!(again, Ok(body), "{}: no longer wrong, so no longer an exception", label(line));
            wrong += 1;
        } else {
            assert_eq!(again, Ok(body), "{}", label(line));
            same += 1;
        }
    }
    [same, wrong, ours_alone]
}

// The counts are asserted so that a path that is broken can't pass by reading nothing.
#[test]
fn what_kafka_wrote_reads_and_writes_as_the_same_bytes_in_theirs() {
    assert_eq!(check("corpus/requests"), [2366, 27, 100]);
    assert_eq!(check("corpus/responses"), [2583, 0, 102]);
}

#[test]
fn what_only_one_codec_has_is_known() {
    let mut ours_alone = BTreeSet::new();
    for line in ["corpus/requests", "corpus/responses"].iter().flat_map(|file| lines(file)) {
        if message_of(&line).is_some() && theirs(&line).is_none() {
            ours_alone.insert((Api::of_key(number(&line, "apiKey")).unwrap().name, number(&line, "version")));
        }
    }
    // Theirs is made for Kafka 4.1, ours for 4.3.
    let newer = [
        ("AddRaftVoter", 1),
        ("DescribeLogDirs", 5),
        ("DescribeShareGroupOffsets", 1),
        ("ListOffsets", 11),
        ("ReadShareGroupStateSummary", 1),
        ("ShareAcknowledge", 2),
        ("ShareFetch", 2),
        ("StreamsGroupDescribe", 0),
        ("StreamsGroupHeartbeat", 0),
        ("WriteShareGroupState", 1),
        ("WriteTxnMarkers", 2),
    ];
    assert_eq!(ours_alone, BTreeSet::from(newer));

    let mut theirs_alone = Vec::new();
    for theirs in ApiKey::iter() {
        let versions = theirs.valid_versions();
        match Api::of_key(theirs as i16) {
            Some(ours) => {
                assert!(ours.min_version <= versions.min && versions.max <= ours.max_version, "{theirs:?} {versions}");
            }
            None => theirs_alone.push(format!("{theirs:?}")),
        }
    }
    // What controllers and brokers say to each other.
    let between_nodes = [
        "Vote",
        "BeginQuorumEpoch",
        "EndQuorumEpoch",
        "AlterPartition",
        "Envelope",
        "FetchSnapshot",
        "BrokerRegistration",
        "BrokerHeartbeat",
        "AllocateProducerIds",
        "ControllerRegistration",
        "AssignReplicasToDirs",
        "UpdateRaftVoter",
    ];
    assert_eq!(theirs_alone, between_nodes);
}

/// Crosses what was recorded, writes it with our codec, and holds what is written against both. Answers how many values
/// that were, and how many bodies came of them that are neither recorded nor the same as another.
fn check_crossed(file: &str, mut chance: Chance) -> (usize, usize) {
    let mut of_one_version = BTreeMap::<(String, i16), Vec<Value>>::new();
    for line in lines(file).into_iter().filter(|line| both(line).is_some() && !wrong_in_theirs(line)) {
        of_one_version.entry((text(&line, "message").to_owned(), number(&line, "version"))).or_default().push(line);
    }
    let (mut crossed, mut new) = (0, 0);
    for ((name, version), lines) in of_one_version {
        let (ours, theirs) = both(&lines[0]).unwrap();
        let mut recorded = Recorded::default();
        lines.iter().for_each(|line| recorded.add(&line["json"]));
        let mut bodies: HashSet<Bytes> = lines.iter().map(|line| base64(line, "body")).collect();
        for _ in 0..CROSSED {
            let json = recorded.cross(&mut chance);
            let which = || format!("{name} v{version} {json}");
            let written = (ours.write)(&json, version).unwrap_or_else(|error| panic!("{}: {error:?}", which()));
            let length = written.len();
            let body = written.into_bytes();
            assert_eq!(body.len(), length, "{}: the length told before writing", which());
            assert_eq!(again(&lines[0], theirs, &body).as_ref(), Ok(&body), "{}", which());
            let read = (ours.read)(&body, version).unwrap_or_else(|error| panic!("{}: {error}", which()));
            assert_eq!((&read.json, read.rest), (&json, 0), "{}", which());
            crossed += 1;
            new += usize::from(bodies.insert(body));
        }
    }
    (crossed, new)
}

#[test]
fn requests_that_nobody_recorded_are_the_same_bytes_in_both() {
    assert_eq!(check_crossed("corpus/requests", Chance(1)), (33792, 25353));
}

#[test]
fn responses_that_nobody_recorded_are_the_same_bytes_in_both() {
    assert_eq!(check_crossed("corpus/responses", Chance(2)), (34176, 28317));
}

// `messages/tests/negative.rs` goes through all damage; this is the part that is about the messages compared here.
#[test]
fn damage_that_kafka_refuses_is_refused_by_ours() {
    let mut refused = 0;
    for line in lines("negative/negative") {
        let message = matches!(text(&line, "kind"), "request" | "response").then(|| both(&line)).flatten();
        if let (Some((ours, _)), "error") = (message, text(&line, "result")) {
            let read = (ours.decode)(&base64(&line, "body"), number(&line, "version"));
            assert!(read.is_err(), "{}", label(&line));
            refused += 1;
        }
    }
    assert_eq!(refused, 4399);
}
