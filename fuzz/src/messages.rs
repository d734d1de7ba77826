//! Requests, responses and stored records, at every version.

use bytes::Bytes;

use thalweg_messages::control_records::ControlRecord;
use thalweg_messages::fetch::FetchView;
use thalweg_messages::group_log::GroupRecord;
use thalweg_messages::json::MESSAGES;
use thalweg_messages::metadata_log::MetadataRecord;
use thalweg_messages::produce::ProduceView;

/// The number of a message, its version, and a body: what can be read can be written, and is read the same again.
pub fn messages(bytes: &[u8]) {
    let Some(([high, low, version], body)) = bytes.split_first_chunk::<3>() else { return };
    let number = usize::from(u16::from_be_bytes([*high, *low])) % MESSAGES.len();
    let (message, body) = (&MESSAGES[number], Bytes::copy_from_slice(body));
    let versions = message.versions;
    let version = versions.0 + i16::from(*version) % (versions.1 - versions.0 + 1);
    if message.name == "ProduceRequest"
        && let Ok(view) = ProduceView::parse(body.clone(), version)
    {
        let topics = view.topics().map(|topic| topic.partitions.count()).sum::<usize>();
        assert!(topics <= body.len());
    }
    if message.name == "FetchRequest"
        && let Ok(view) = FetchView::parse(body.clone(), version)
    {
        let partitions = view.topics().map(|topic| topic.partitions.count()).sum::<usize>();
        assert!(partitions + view.forgotten().count() <= body.len());
    }
    let Ok(read) = (message.read)(&body, version) else {
        assert!((message.decode)(&body, version).is_err(), "both readers agree");
        return;
    };
    let again = read.again.expect("what was read can be written").into_bytes();
    let twice = (message.read)(&again, version).expect("what was written can be read");
    assert_eq!((read.json, 0), (twice.json, twice.rest));
}

/// What logs store, each record by its own type: of the metadata, of groups and transactions, of control batches.
pub fn records(bytes: &[u8]) {
    let whole = Bytes::copy_from_slice(bytes);
    if let Ok((record, version)) = MetadataRecord::decode(&whole) {
        let again = record.encode(version).expect("what was read can be written");
        assert_eq!(MetadataRecord::decode(&again).expect("what was written can be read"), (record, version));
    }
    let Some((length, rest)) = bytes.split_first() else { return };
    let (key, value) = rest.split_at(usize::from(*length).min(rest.len()));
    let (key, value) = (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value));
    if let Ok(record) = ControlRecord::decode(&key, &value) {
        let (key, value) = record.encode().expect("what was read can be written");
        assert_eq!(ControlRecord::decode(&key, &value).expect("what was written can be read"), record);
    }
    let _ = GroupRecord::decode(&key, Some(&value));
    let _ = GroupRecord::decode(&key, None);
}
