//! Bytes and meaning of every message as Kafka 4.3.0 writes it, against ours.

mod support;

use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use support::{base64, label, lines, message_of, number, text};
use thalweg_messages::Message;
use thalweg_messages::consumer_protocol::{self, ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use thalweg_messages::control_records::ControlRecord;
use thalweg_messages::group_log::GroupRecord;
use thalweg_messages::json::{Json, MESSAGES};
use thalweg_messages::metadata_log::{BrokerRegistered, MetadataRecord, PartitionRecord};
use thalweg_messages::share_log::ShareRecord;
use thalweg_messages::transaction_log::TransactionRecord;

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

// The counts are asserted so that a path that is broken can't pass by reading nothing. What has no schema here is said
// between controllers and brokers, is a file of Kafka's own (`producer.snapshot`, `quorum-state`), or a forwarded principal.
#[test]
fn every_line_reads_as_what_it_says_and_writes_as_the_same_bytes() {
    assert_eq!(check("corpus/requests"), (2726, 2493));
    assert_eq!(check("corpus/responses"), (2919, 2685));
    assert_eq!(check("corpus/headers"), (35, 35));
    assert_eq!(check("corpus/metadata-records"), (341, 341));
    assert_eq!(check("corpus/coordinator-records"), (548, 548));
    assert_eq!(check("corpus/data"), (224, 185));
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
    assert_eq!(checked, 68);
}

/// A record's key and value, read and written again.
type Again = fn(&Bytes, Option<&Bytes>, i16) -> Result<(Bytes, Option<Bytes>), String>;

#[test]
fn a_framed_record_of_a_coordinator_says_its_type_and_its_values_version_itself() {
    macro_rules! again {
        ($record:ident) => {
            |key, value, version| {
                let record = $record::decode(key, value).map_err(|error| error.to_string())?;
                assert!(!matches!(record, $record::Unknown { .. }), "{key:?}");
                record.encode(version).map_err(|error| error.to_string())
            }
        };
    }
    let mut keys: BTreeMap<String, Bytes> = BTreeMap::new();
    let mut checked = [0; 3];
    for line in lines("corpus/framing") {
        let (kind, name) = (text(&line, "kind"), text(&line, "message"));
        let Some(of) = kind.strip_prefix("coordinator-") else { continue };
        let (log, again): (usize, Again) = match name {
            name if name.starts_with("ShareSnapshot") || name.starts_with("ShareUpdate") => (1, again!(ShareRecord)),
            name if name.starts_with("TransactionLog") => (2, again!(TransactionRecord)),
            _ => (0, again!(GroupRecord)),
        };
        let framed = base64(&line, "framed");
        let about = name.trim_end_matches("Key").trim_end_matches("Value").to_owned();
        let (key, value) = match of {
            "key" => (keys.entry(about).insert_entry(framed).get().clone(), None),
            _ => (keys[&about].clone(), Some(framed)),
        };
        assert_eq!(again(&key, value.as_ref(), number(&line, "version")), Ok((key, value)), "{}", label(&line));
        checked[log] += 1;
    }
    assert_eq!(checked, [100, 8, 6]);
}

#[test]
fn a_control_record_says_its_type_in_its_key() {
    const BODIES: [&str; 5] =
        ["LeaderChangeMessage", "SnapshotHeaderRecord", "SnapshotFooterRecord", "KRaftVersionRecord", "VotersRecord"];
    let data = lines("corpus/data");
    let default = |name: &str| {
        let found = data.iter().find(|line| text(line, "message") == name && text(line, "variant") == "default");
        base64(found.unwrap_or_else(|| panic!("{name}")), "body")
    };
    let mut types = Vec::new();
    for line in lines("corpus/framing").iter().filter(|line| text(line, "kind") == "control") {
        let (key, record_type) = (base64(line, "framed"), number(line, "recordType"));
        let value = match record_type {
            0 | 1 => base64(line, "valueOfCoordinatorEpoch7"),
            other => default(BODIES[usize::try_from(other).unwrap() - 2]),
        };
        let record = ControlRecord::decode(&key, &value).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(record.record_type(), record_type, "{line}");
        assert_eq!(record.encode(), Ok((key, value)), "{line}");
        types.push(record_type);
    }
    assert_eq!(types, [0, 1, 2, 3, 4, 5, 6]);
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
