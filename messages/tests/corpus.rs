//! Bytes and meaning of every message as Kafka 4.3.0 writes it, against ours.

mod support;

use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use support::{base64, label, lines, message_of, number, text};
use thalweg_messages::Message;
use thalweg_messages::consumer_protocol::{self, ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use thalweg_messages::group_log::GroupRecord;
use thalweg_messages::json::{Json, MESSAGES};
use thalweg_messages::metadata_log::{BrokerRegistered, MetadataRecord, PartitionRecord};

/// Decodes, compares, encodes from the value and from the JSON. Answers how many lines there were, and of how many
/// the message has a schema here.
fn check(file: &str) -> (usize, usize) {
    let lines = lines(file);
    let mut checked = 0;
    for line in &lines {
        let Some(message) = message_of(line) else { continue };
        let (version, body) = (number(line, "version"), base64(line, "body"));
        let read = (message.read)(&body, version).unwrap_or_else(|error| panic!("{}: {error}", label(line)));
        assert_eq!(read.rest, 0, "{}: bytes left over", label(line));
        assert_eq!(read.json, line["json"], "{}", label(line));
        let again = read.again.unwrap_or_else(|error| panic!("{}: {error}", label(line)));
        assert_eq!(again.len(), body.len(), "{}: the length told before writing", label(line));
        assert_eq!(again.into_bytes(), body, "{}", label(line));
        let written =
            (message.write)(&line["json"], version).unwrap_or_else(|error| panic!("{}: {error:?}", label(line)));
        assert_eq!(written.into_bytes(), body, "{}: from JSON", label(line));
        checked += 1;
    }
    (lines.len(), checked)
}

// The counts are asserted so that a path that is broken can't pass by reading nothing. Whoever adds a schema file
// raises them.
#[test]
fn every_line_reads_as_what_it_says_and_writes_as_the_same_bytes() {
    assert_eq!(check("corpus/requests"), (2726, 1484));
    assert_eq!(check("corpus/responses"), (2919, 1598));
    assert_eq!(check("corpus/headers"), (35, 35));
    assert_eq!(check("corpus/metadata-records"), (341, 173));
    assert_eq!(check("corpus/coordinator-records"), (548, 119));
    assert_eq!(check("corpus/data"), (224, 73));
}

const FILES: [&str; 6] = [
    "corpus/requests",
    "corpus/responses",
    "corpus/headers",
    "corpus/metadata-records",
    "corpus/coordinator-records",
    "corpus/data",
];

#[test]
fn every_version_of_every_message_has_lines() {
    let seen: BTreeSet<(String, i16)> = FILES
        .iter()
        .flat_map(|file| lines(file))
        .map(|line| (text(&line, "message").to_owned(), number(&line, "version")))
        .collect();
    for message in MESSAGES.iter().filter(|message| message.name != BrokerRegistered::NAME) {
        for version in message.versions.0..=message.versions.1 {
            assert!(seen.contains(&(message.name.to_owned(), version)), "{} v{version}", message.name);
        }
    }
}

#[test]
fn a_framed_metadata_record_says_its_type_and_version_itself() {
    let mut checked = 0;
    for line in lines("corpus/framing") {
        if text(&line, "kind") != "metadata" || message_of(&line).is_none() {
            continue;
        }
        let framed = base64(&line, "framed");
        let (record, version) = MetadataRecord::decode(&framed).unwrap_or_else(|e| panic!("{}: {e}", label(&line)));
        assert_eq!((record.record_type(), version), (number(&line, "recordType"), number(&line, "version")));
        assert_eq!(record.encode(version).unwrap(), framed, "{}", label(&line));
        checked += 1;
    }
    assert_eq!(checked, 35);
}

// Types without a schema here go the same way: they come back as they were.
#[test]
fn a_framed_record_of_a_group_says_its_type_and_its_values_version_itself() {
    let mut keys: BTreeMap<i16, Bytes> = BTreeMap::new();
    let (mut known, mut kept) = (0, 0);
    for line in lines("corpus/framing") {
        let (kind, name) = (text(&line, "kind"), text(&line, "message"));
        // Logs of other coordinators, with types of their own.
        let elsewhere = ["ShareSnapshot", "ShareUpdate", "TransactionLog"].iter().any(|other| name.starts_with(other));
        if !kind.starts_with("coordinator") || elsewhere {
            continue;
        }
        let (framed, record_type) = (base64(&line, "framed"), number(&line, "recordType"));
        let (key, value) = match kind {
            "coordinator-key" => (keys.entry(record_type).insert_entry(framed).get().clone(), None),
            _ => (keys[&record_type].clone(), Some(framed)),
        };
        let record = GroupRecord::decode(&key, value.as_ref()).unwrap_or_else(|e| panic!("{}: {e}", label(&line)));
        let is_kept = matches!(record, GroupRecord::Unknown { .. });
        assert_eq!(is_kept, message_of(&line).is_none(), "{}", label(&line));
        assert_eq!(record.encode(number(&line, "version")), Ok((key, value)), "{}", label(&line));
        *(if is_kept { &mut kept } else { &mut known }) += 1;
    }
    assert_eq!((known, kept), (24, 76));
}

#[test]
fn what_consumers_tell_each_other_says_its_version_itself() {
    fn again<M: Message>(framed: &Bytes, version: i16) -> Bytes {
        consumer_protocol::encode(&consumer_protocol::decode::<M>(framed).unwrap(), version).unwrap()
    }
    let mut checked = 0;
    for line in lines("corpus/framing") {
        let again = match text(&line, "message") {
            ConsumerProtocolSubscription::NAME => again::<ConsumerProtocolSubscription>,
            ConsumerProtocolAssignment::NAME => again::<ConsumerProtocolAssignment>,
            _ => continue,
        };
        let framed = base64(&line, "framed");
        assert_eq!(again(&framed, number(&line, "version")), framed, "{}", label(&line));
        checked += 1;
    }
    assert_eq!(checked, 16);
}

// A field that Kafka wrote and that we have no name for survives a node that is older than its writer.
#[test]
fn unknown_tags_survive_being_read_and_written() {
    let lines = lines("corpus/metadata-records");
    let line = lines
        .iter()
        .find(|line| text(line, "message") == "PartitionRecord" && !line["json"]["_unknownTaggedFields"].is_null());
    let line = line.expect("the variant `full` carries some");
    let version = number(line, "version");
    let mut record = PartitionRecord::from_json(&line["json"]).unwrap();
    assert!(!record.unknown_tags.is_empty());
    record.leader_epoch.0 ^= 1;
    let framed = MetadataRecord::from(record.clone()).encode(version).unwrap();
    assert_eq!(MetadataRecord::decode(&framed), Ok((record.into(), version)));
}
