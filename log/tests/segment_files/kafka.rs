//! What a real Kafka 4.3 wrote and stopped cleanly is served as that Kafka serves it, and its indexes are made again
//! as it makes them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use thalweg_log::log::{FirstBatch, ReadLimit};
use thalweg_log::segment::names::{FileKind, PartitionName, parse_file_name};
use thalweg_log::segment::text_checkpoint::{self, Offsets};
use thalweg_log::segment::{
    Checksums, Opened, Reader, Rules, Segments, Trust, leader_epochs, partition_metadata, producer_snapshot,
};
use thalweg_wire::batch::{Batch, Codec, Records, Scratch, Times, TimestampType};
use thalweg_wire::{LeaderEpoch, Offset, Timestamp, TopicId};

use crate::archive::{files, fixture, lines};
use crate::{ALL, Place, read_all};

/// A data directory and what a real Kafka says of it.
pub(crate) struct Written {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    lines: Vec<Value>,
}

impl Written {
    pub(crate) fn load(name: &str) -> Written {
        Written { files: files(&fixture(&format!("{name}.tar.gz"))), lines: lines(&format!("{name}.jsonl.gz")) }
    }

    pub(crate) fn put_all(&self, place: &Place, but: impl Fn(&str) -> bool) {
        self.files.iter().filter(|(path, _)| !but(path)).for_each(|(path, bytes)| place.put(path, bytes));
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["kind"] == kind)
    }

    /// The lines that describe partitions.
    pub(crate) fn partitions(&self) -> Vec<&Value> {
        self.of_kind("partition").collect()
    }

    fn of<'a>(&'a self, kind: &'a str, partition: &'a Value) -> impl Iterator<Item = &'a Value> {
        let same = |line: &&Value| ["topic", "partition"].iter().all(|key| line[*key] == partition[*key]);
        self.of_kind(kind).filter(same)
    }

    fn topic(&self, partition: &Value) -> &Value {
        self.of_kind("topic").find(|line| line["topic"] == partition["topic"]).unwrap()
    }

    pub(crate) fn topic_id(&self, partition: &Value) -> TopicId {
        self.topic(partition)["topicId"].as_str().unwrap().parse().unwrap()
    }

    /// The topic's settings, as far as files depend on them.
    pub(crate) fn rules(&self, partition: &Value) -> Rules {
        let interval = self.topic(partition)["overrides"]["index.interval.bytes"].as_str();
        let default = Rules::default();
        Rules { index_interval_bytes: interval.map_or(default.index_interval_bytes, |n| n.parse().unwrap()), ..default }
    }

    pub(crate) fn checkpoint(&self, name: &str) -> Offsets {
        text_checkpoint::decode(&self.files[name]).unwrap()
    }
}

pub(crate) fn name(partition: &Value) -> PartitionName {
    format!("{}-{}", partition["topic"].as_str().unwrap(), partition["partition"]).parse().unwrap()
}

fn number(line: &Value, key: &str) -> i64 {
    line[key].as_i64().unwrap_or_else(|| panic!("{key} in {line}"))
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn open(
    written: &Written,
    place: &Place,
    partition: &Value,
    trust: Trust,
) -> Result<(Segments, Opened), thalweg_log::segment::SegmentError> {
    let folder = place.root.join(name(partition).to_string());
    Segments::open(&place.files(), &folder, written.topic_id(partition), written.rules(partition), trust)
}

/// All batches from the one that holds the log start on are those of the manifest.
pub(crate) fn assert_serves(written: &Written, partition: &Value, reader: &Reader) {
    let start = Offset(number(partition, "logStartOffset"));
    let batches = read_all(reader, start, ALL);
    let bytes: Vec<u8> = batches.iter().flat_map(Batch::to_bytes).collect();
    assert_eq!(bytes.len() as i64, number(partition, "bytes"), "{partition}");
    assert_eq!(sha256(&bytes), partition["sha256"].as_str().unwrap(), "{partition}");
    let lines: Vec<&Value> = written.of("batch", partition).collect();
    assert_eq!(batches.len(), lines.len());
    for (batch, line) in batches.iter().zip(lines) {
        assert_header(batch, line);
    }
    for bytes in [1, 200, 1000, 5000] {
        let limit = ReadLimit { bytes, first: FirstBatch::Always };
        assert!(read_all(reader, start, limit) == batches, "in pieces of {bytes} bytes");
    }
}

fn assert_header(batch: &Batch, line: &Value) {
    let header = batch.header();
    let numbers = [
        ("baseOffset", batch.base_offset().0),
        ("lastOffset", batch.last_offset().0),
        ("countInHeader", header.count().into()),
        ("size", batch.byte_length() as i64),
        ("leaderEpoch", header.leader_epoch().0.into()),
        ("crc", header.crc().into()),
        ("maxTimestamp", header.max_timestamp().millis()),
        ("producerId", header.producer_id().0),
        ("producerEpoch", header.producer_epoch().0.into()),
        ("baseSequence", header.base_sequence().into()),
    ];
    for (key, found) in numbers {
        assert_eq!(found, number(line, key), "{key} of {line}");
    }
    let codec = match header.codec().unwrap() {
        Codec::None => "none",
        Codec::Gzip => "gzip",
        Codec::Snappy => "snappy",
        Codec::Lz4 => "lz4",
        Codec::Zstd => "zstd",
    };
    let kind = match header.timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    };
    assert_eq!((codec, kind), (line["codec"].as_str().unwrap(), line["timestampType"].as_str().unwrap()));
    assert_eq!(header.is_transactional(), line["transactional"].as_bool().unwrap(), "{line}");
    assert_eq!(header.is_control(), !line["control"].is_null(), "{line}");
    assert_eq!(sha256(&batch.to_bytes()), line["sha256"].as_str().unwrap(), "{line}");
}

/// Epochs as a checkpoint has them answer as Kafka does: the largest one up to the one that is asked for, and its end.
pub(crate) fn assert_epoch_ends(partition: &Value, epochs: &[(LeaderEpoch, Offset)], end: Offset) {
    for answer in partition["leaderEpochEnds"].as_array().unwrap() {
        let asked = LeaderEpoch(number(answer, "asked") as i32);
        let known = epochs.partition_point(|(epoch, _)| *epoch <= asked);
        // Before the first epoch there is none to name: then it is the one that was asked for.
        let epoch = known.checked_sub(1).map_or(asked.0.into(), |last| epochs[last].0.0.into());
        let end = epochs.get(known).map_or(end, |(_, start)| *start);
        assert_eq!((epoch, end.0), (number(answer, "epoch"), number(answer, "endOffset")), "{partition}");
    }
}

/// What a record-level search over [`Reader::batch_at_time`] finds.
fn by_time(reader: &Reader, asked: i64, start: Offset) -> FoundRecord {
    let mut from = start;
    loop {
        let Some(batch) = reader.batch_at_time(Timestamp::from_millis(asked), from).unwrap() else {
            return (-1, -1, -1);
        };
        if let Some(found) = in_batch(&batch, from, |timestamp| timestamp >= asked) {
            return found;
        }
        from = batch.next_offset();
    }
}

type FoundRecord = (i64, i64, i64);

fn in_batch(batch: &Batch, from: Offset, wanted: impl Fn(i64) -> bool) -> Option<FoundRecord> {
    let header = batch.header();
    let epoch = i64::from(header.leader_epoch().0);
    if header.timestamp_type() == TimestampType::LogAppendTime {
        let time = header.max_timestamp().millis();
        return wanted(time).then_some((batch.base_offset().max(from).0, time, epoch));
    }
    Times::of(batch, &mut Scratch::new())
        .map(Result::unwrap)
        .find(|(offset, timestamp)| *offset >= from && wanted(timestamp.millis()))
        .map(|(offset, timestamp)| (offset.0, timestamp.millis(), epoch))
}

#[test]
fn what_kafka_stopped_cleanly_is_served_as_it_was() {
    let written = Written::load("clean");
    let starts = written.checkpoint(text_checkpoint::LOG_START);
    let ends = written.checkpoint(text_checkpoint::RECOVERY_POINT);
    for place in Place::both("clean") {
        written.put_all(&place, |_| false);
        let mut answered = 0;
        for partition in written.partitions() {
            let (segments, opened) = open(&written, &place, partition, Trust::Clean).unwrap();
            let name = name(partition);
            assert_eq!((opened.cut, opened.rebuilt), (None, 0), "{partition}");
            assert!(opened.holes.is_empty() || name.topic.starts_with("compact"), "{partition}");
            let end = Offset(number(partition, "highWatermark"));
            let start = starts.get(&name).copied().unwrap_or(segments.start());
            assert_eq!((segments.end(), start.0), (end, number(partition, "logStartOffset")), "{partition}");
            assert_eq!((ends[&name], segments.recovery_point()), (end, end));

            let reader = segments.reader(Checksums::Verified);
            assert_serves(&written, partition, &reader);
            let folder = place.root.join(name.to_string());
            let epochs = place.bytes(&folder.join("leader-epoch-checkpoint")).unwrap();
            assert_epoch_ends(partition, &leader_epochs::decode(&epochs).unwrap(), end);
            for answer in written.of("byTime", partition).flat_map(|line| line["answers"].as_array().unwrap()) {
                let found = match number(answer, "asked") {
                    -1 => (segments.end().0, -1, -1),
                    -3 => match reader.newest_batches(Offset::ZERO, segments.end()).unwrap().into_iter().next() {
                        None => (-1, -1, -1),
                        Some(batch) => {
                            let newest = batch.header().max_timestamp().millis();
                            in_batch(&batch, Offset::ZERO, |time| time == newest).unwrap()
                        }
                    },
                    asked if asked < 0 => continue,
                    asked => by_time(&reader, asked, start),
                };
                let expected = (number(answer, "offset"), number(answer, "timestamp"));
                let (offset, timestamp, epoch) = found;
                assert_eq!((offset, timestamp), expected, "{answer} of {name}");
                assert_eq!(epoch, answer["leaderEpoch"].as_i64().unwrap_or(-1), "{answer} of {name}");
                answered += 1;
            }
        }
        assert_eq!((written.partitions().len(), answered), (102, 1329));
    }
}

#[test]
fn every_batch_that_kafka_or_its_client_compressed_is_read() {
    let written = Written::load("clean");
    let place = Place::simulated(1);
    written.put_all(&place, |_| false);
    let mut scratch = Scratch::new();
    let mut codecs: BTreeMap<String, usize> = BTreeMap::new();
    for partition in written.partitions() {
        let (segments, _) = open(&written, &place, partition, Trust::Clean).unwrap();
        for batch in read_all(&segments.reader(Checksums::Verified), segments.start(), ALL) {
            let plain = batch.decompressed(&mut scratch).unwrap_or_else(|damage| panic!("{damage} in {partition}"));
            let records = Records::of(&plain).unwrap().map(Result::unwrap);
            let records: Vec<_> = records.map(|record| (record.offset, record.timestamp)).collect();
            assert_eq!(i32::try_from(records.len()), Ok(batch.header().count()), "{partition}");
            assert_eq!(Times::of(&batch, &mut scratch).map(Result::unwrap).collect::<Vec<_>>(), records, "{partition}");
            *codecs.entry(format!("{:?}", batch.header().codec().unwrap())).or_default() += 1;
        }
    }
    let counted = [("Gzip", 13), ("Lz4", 22), ("None", 888), ("Snappy", 9), ("Zstd", 18)];
    assert_eq!(codecs, counted.map(|(codec, batches)| (codec.to_owned(), batches)).into());
}

/// `clean.rebuilt` has the indexes that real Kafka made again, differently from before, when it found all of them
/// missing: those of segments over which it had been restarted. All others it made again byte for byte.
#[test]
fn indexes_are_made_again_byte_for_byte_as_kafka_makes_them() {
    let written = Written::load("clean");
    let rebuilt = files(&fixture("clean.rebuilt.tar.gz"));
    let is_index = |path: &str| {
        let kind = parse_file_name(Path::new(path.rsplit('/').next().unwrap())).map(|(_, kind, _)| kind);
        matches!(kind, Some(FileKind::OffsetIndex | FileKind::TimeIndex))
    };
    let assert_as_kafkas = |place: &Place| {
        let mut compared = 0;
        for (path, original) in written.files.iter().filter(|(path, _)| is_index(path)) {
            let expected = rebuilt.get(path).unwrap_or(original);
            assert_eq!(place.bytes(Path::new(path)).as_ref(), Some(expected), "{path}");
            compared += 1;
        }
        assert_eq!(compared, 314);
    };
    for place in Place::both("rebuild") {
        // Missing files are found so at the open; each must be as Kafka leaves it after its clean stop.
        written.put_all(&place, is_index);
        for partition in written.partitions() {
            let (segments, opened) = open(&written, &place, partition, Trust::Clean).unwrap();
            assert_eq!(opened.rebuilt as usize, segments.bases().len(), "{partition}");
            segments.close().unwrap();
        }
        assert_as_kafkas(&place);
        // And on demand, over files that say something else.
        for path in written.files.keys().filter(|path| is_index(path)) {
            place.put(path, &[]);
        }
        for partition in written.partitions() {
            let (mut segments, _) = open(&written, &place, partition, Trust::Clean).unwrap();
            segments.rebuild().unwrap();
        }
        assert_as_kafkas(&place);
    }
}

/// The last session's epochs and snapshots, as text and bytes, are ours too.
#[test]
fn small_files_read_and_write_back_to_the_same_bytes() {
    let written = Written::load("clean");
    let mut seen = BTreeMap::new();
    for (path, bytes) in &written.files {
        let file = path.rsplit('/').next().unwrap();
        let (kind, again) = if file == "leader-epoch-checkpoint" {
            (file, leader_epochs::encode(&leader_epochs::decode(bytes).unwrap()))
        } else if file == "partition.metadata" {
            (file, partition_metadata::encode(partition_metadata::decode(bytes).unwrap()))
        } else if file.ends_with(".snapshot") {
            ("snapshot", producer_snapshot::encode(&producer_snapshot::decode(bytes).unwrap()))
        } else if file == text_checkpoint::CLEAN_SHUTDOWN {
            (file, text_checkpoint::clean_shutdown(890))
        } else if file.ends_with("-checkpoint") {
            // Kafka's lines come in the order of a hash table.
            let lines = |bytes: &[u8]| -> BTreeSet<Vec<u8>> { bytes.split(|b| *b == b'\n').map(Into::into).collect() };
            let again = text_checkpoint::encode(&text_checkpoint::decode(bytes).unwrap());
            assert_eq!(lines(&again), lines(bytes));
            ("checkpoint", bytes.clone())
        } else {
            continue;
        };
        assert_eq!(&again, bytes, "{path}");
        *seen.entry(kind).or_insert(0) += 1;
    }
    let expected = [
        (".kafka_cleanshutdown", 1),
        ("checkpoint", 4),
        ("leader-epoch-checkpoint", 102),
        ("partition.metadata", 102),
        ("snapshot", 161),
    ];
    assert_eq!(seen, BTreeMap::from(expected));
}

/// The epochs of a partition as its batches say them.
pub(crate) fn epochs_of(reader: &Reader) -> Vec<(LeaderEpoch, Offset)> {
    let mut epochs: Vec<(LeaderEpoch, Offset)> = Vec::new();
    let note = |header: &thalweg_wire::batch::Header| {
        if epochs.last().is_none_or(|(epoch, _)| *epoch < header.leader_epoch()) {
            epochs.push((header.leader_epoch(), header.base_offset()));
        }
        ControlFlow::Continue(())
    };
    reader.for_each_header(Offset::ZERO, note).unwrap();
    epochs
}
