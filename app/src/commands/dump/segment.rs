//! A `.log`: its batches, and what is in them.

use std::path::Path;

use bytes::Bytes;
use serde::Serialize;
use thalweg_log::segment::{Piece, Pieces};
use thalweg_messages::group_log::GroupRecord;
use thalweg_messages::metadata_log::MetadataRecord;
use thalweg_wire::Offset;
use thalweg_wire::batch::{Batch, Codec, Header, Record, Records, Scratch, TimestampType};

use super::page::{Data, Line, Page};
use super::{Depth, Source};
use crate::failure::Failure;
use crate::quantities::shown_time;

/// The largest batch whose records are shown, in bytes: they are held in memory for that.
const READ_BYTES_MAX: u32 = 64 << 20;

/// Logs whose records are ours, or Kafka's, to explain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    /// `__consumer_offsets`.
    Groups,
    /// Kafka's `__cluster_metadata`.
    Metadata,
    /// Anybody's.
    Foreign,
}

impl Language {
    fn of(path: &Path) -> Language {
        if path.extension().is_some_and(|extension| extension == "checkpoint") {
            return Language::Metadata;
        }
        let folder = path.parent().and_then(|folder| folder.file_name()?.to_str()).unwrap_or_default();
        match folder.rsplit_once('-') {
            Some(("__consumer_offsets", _)) => Language::Groups,
            Some(("__cluster_metadata", _)) => Language::Metadata,
            _ => Language::Foreign,
        }
    }

    /// What a record says, if it is one of a log that we know.
    fn explain(self, record: &Record<'_>) -> Option<String> {
        let bytes = |field: Option<&[u8]>| field.map(Bytes::copy_from_slice);
        match self {
            Language::Foreign => None,
            Language::Groups => {
                let key = bytes(record.key)?;
                let read = GroupRecord::decode(&key, bytes(record.value).as_ref());
                Some(read.map_or_else(|error| error.to_string(), |record| format!("{record:?}")))
            }
            Language::Metadata => {
                let read = MetadataRecord::decode(&bytes(record.value)?);
                Some(read.map_or_else(|error| error.to_string(), |(record, _)| format!("{record:?}")))
            }
        }
    }
}

#[derive(Serialize)]
struct BatchLine {
    position: u64,
    bytes: u32,
    base_offset: i64,
    last_offset: i64,
    records: i32,
    codec: Option<&'static str>,
    leader_epoch: i32,
    timestamp_type: &'static str,
    base_timestamp: i64,
    max_timestamp: i64,
    producer_id: Option<i64>,
    producer_epoch: Option<i16>,
    base_sequence: Option<i32>,
    is_transactional: bool,
    is_control: bool,
    crc: u32,
    crc_is_right: bool,
}

const HEADING: &str =
    "  POSITION      BYTES  OFFSETS                RECORDS  CODEC   EPOCH  NEWEST                    REMARKS";

impl BatchLine {
    fn of(position: u64, bytes: u32, header: &Header, crc_is_right: bool) -> BatchLine {
        let has_producer = header.producer_id().0 >= 0;
        BatchLine {
            position,
            bytes,
            base_offset: header.base_offset().0,
            last_offset: header.last_offset().0,
            records: header.count(),
            codec: header.codec().map(name),
            leader_epoch: header.leader_epoch().0,
            timestamp_type: match header.timestamp_type() {
                TimestampType::CreateTime => "create",
                TimestampType::LogAppendTime => "append",
            },
            base_timestamp: header.base_timestamp().millis(),
            max_timestamp: header.max_timestamp().millis(),
            producer_id: has_producer.then(|| header.producer_id().0),
            producer_epoch: has_producer.then(|| header.producer_epoch().0),
            base_sequence: has_producer.then(|| header.base_sequence()),
            is_transactional: header.is_transactional(),
            is_control: header.is_control(),
            crc: header.crc(),
            crc_is_right,
        }
    }

    fn remarks(&self) -> String {
        let mut remarks = Vec::new();
        if !self.crc_is_right {
            remarks.push("WRONG CHECKSUM".to_owned());
        }
        if let (Some(id), Some(epoch), Some(sequence)) = (self.producer_id, self.producer_epoch, self.base_sequence) {
            let sequence = if sequence < 0 { String::new() } else { format!(" sequence {sequence}") };
            remarks.push(format!("producer {id} epoch {epoch}{sequence}"));
        }
        let flags = [(self.is_transactional, "transactional"), (self.is_control, "control")];
        remarks.extend(flags.iter().filter(|(holds, _)| *holds).map(|(_, name)| (*name).to_owned()));
        remarks.join(", ")
    }
}

fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::None => "none",
        Codec::Gzip => "gzip",
        Codec::Snappy => "snappy",
        Codec::Lz4 => "lz4",
        Codec::Zstd => "zstd",
    }
}

impl Line for BatchLine {
    const TYPE: &'static str = "batch";

    fn text(&self) -> String {
        let BatchLine { position, bytes, base_offset, last_offset, records, codec, leader_epoch, .. } = self;
        let offsets = format!("{base_offset}..{last_offset}");
        let codec = codec.unwrap_or("?");
        let newest = time(self.max_timestamp);
        let remarks = self.remarks();
        format!(
            "{position:>10}  {bytes:>9}  {offsets:<21}  {records:>7}  {codec:<6}  {leader_epoch:>5}  {newest:<24}  {remarks}"
        )
    }
}

/// A time of a record; a dash where it has none.
pub(super) fn time(millis: i64) -> String {
    if millis < 0 { "-".to_owned() } else { shown_time(thalweg_wire::Timestamp::from_millis(millis)) }
}

#[derive(Serialize)]
struct Rubble {
    position: u64,
    bytes: u64,
    why: String,
}

impl Line for Rubble {
    const TYPE: &'static str = "rubble";

    fn text(&self) -> String {
        let Rubble { position, bytes, why } = self;
        format!("{position:>10}  {bytes:>9}  NO BATCH: {why}")
    }
}

#[derive(Serialize)]
struct RecordLine {
    offset: i64,
    timestamp: i64,
    key_bytes: Option<usize>,
    value_bytes: Option<usize>,
    header_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
    #[serde(flatten)]
    contents: Option<Contents>,
}

/// With `--values`.
#[derive(Serialize)]
struct Contents {
    key: Option<Data>,
    value: Option<Data>,
    headers: Vec<(Data, Option<Data>)>,
    /// What it says, where it is of a log that we know.
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<String>,
}

impl RecordLine {
    fn of(record: &Record<'_>, is_control: bool, language: Language, depth: Depth) -> RecordLine {
        let contents = (depth == Depth::Values).then(|| Contents {
            key: record.key.map(Data::of),
            value: record.value.map(Data::of),
            headers: record.headers.map(|(name, value)| (Data::of(name), value.map(Data::of))).collect(),
            says: if is_control { None } else { language.explain(record) },
        });
        RecordLine {
            offset: record.offset.0,
            timestamp: record.timestamp.millis(),
            key_bytes: record.key.map(<[u8]>::len),
            value_bytes: record.value.map(<[u8]>::len),
            header_count: record.headers.count(),
            marker: is_control.then(|| marker(record)),
            contents,
        }
    }
}

/// What a control record marks, by its key: a version and a kind, 16 bits each.
fn marker(record: &Record<'_>) -> String {
    match record.key {
        Some([_, _, high, low, ..]) => match u16::from_be_bytes([*high, *low]) {
            0 => "abort".to_owned(),
            1 => "commit".to_owned(),
            2 => "leader-change".to_owned(),
            3 => "snapshot-header".to_owned(),
            4 => "snapshot-footer".to_owned(),
            5 => "kraft-version".to_owned(),
            6 => "kraft-voters".to_owned(),
            other => format!("kind-{other}"),
        },
        _ => "unknown".to_owned(),
    }
}

impl Line for RecordLine {
    const TYPE: &'static str = "record";

    fn text(&self) -> String {
        let size = |bytes: Option<usize>| bytes.map_or("null".to_owned(), |bytes| format!("{bytes} B"));
        let offset = self.offset;
        let mut text = format!("{:10}  offset {offset}  {}", "", time(self.timestamp));
        if let Some(marker) = &self.marker {
            return text + "  " + marker;
        }
        match &self.contents {
            None => {
                text += &format!("  key {}  value {}", size(self.key_bytes), size(self.value_bytes));
                if self.header_count > 0 {
                    text += &format!("  headers {}", self.header_count);
                }
            }
            Some(Contents { key, value, headers, says }) => {
                let shown = |data: &Option<Data>| data.as_ref().map_or("null".to_owned(), Data::shown);
                match says {
                    Some(says) => text += &format!("  {}", crate::output::printable(says)),
                    None => text += &format!("  key {}  value {}", shown(key), shown(value)),
                }
                for (name, value) in headers {
                    text += &format!("  header {}: {}", name.shown(), shown(value));
                }
            }
        }
        text
    }
}

/// Shows all pieces; fails at the end if some of them are none of a good log.
pub(super) fn dump(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    let failed = |error| source.failed(&error);
    let base = match source.base() {
        Some(base) => base,
        None => first_offset(source)?,
    };
    let language = Language::of(source.path);
    let mut pieces = Pieces::of(source.file.clone(), base).map_err(failed)?;
    let mut scratch = Scratch::new();
    let mut bad = 0;
    page.heading(HEADING)?;
    while let Some(piece) = pieces.step().map_err(failed)? {
        match piece {
            Piece::Rubble { position, bytes, flaw } => {
                bad += 1;
                page.line(&Rubble { position, bytes, why: flaw.to_string() })?;
            }
            Piece::Batch { position, bytes, header, computed } => {
                page.line(&BatchLine::of(position, bytes, &header, computed.is_none()))?;
                bad += usize::from(computed.is_some());
                if source.depth > Depth::Outline && computed.is_none() {
                    bad += usize::from(!records(source, position, bytes, language, &mut scratch, page)?);
                }
            }
        }
    }
    match bad {
        0 => Ok(()),
        1 => Err(source.damaged("a place in it is damaged")),
        bad => Err(source.damaged(&format!("{bad} places in it are damaged"))),
    }
}

/// Where a segment begins whose name doesn't say it: by its first batch.
fn first_offset(source: &Source<'_>) -> Result<Offset, Failure> {
    let mut first = [0; 8];
    let read = source.file.read_at(&mut first, 0).map_err(|error| source.failed(&error))?;
    Ok(if read < first.len() { Offset::ZERO } else { Offset(i64::from_be_bytes(first).max(0)) })
}

/// Shows the records of a good batch; whether all of them can be read.
fn records(
    source: &Source<'_>,
    position: u64,
    bytes: u32,
    language: Language,
    scratch: &mut Scratch,
    page: &mut Page,
) -> Result<bool, Failure> {
    if bytes > READ_BYTES_MAX {
        page.heading(&format!("{:10}  larger than {} MiB: its records are not shown", "", READ_BYTES_MAX >> 20))?;
        return Ok(true);
    }
    let mut whole = vec![0; bytes as usize];
    let read = source.file.read_at(&mut whole, position).map_err(|error| source.failed(&error))?;
    whole.truncate(read);
    let plain = match Batch::parse(&Bytes::from(whole)).map(|batch| batch.decompressed(scratch)) {
        Ok(Ok(plain)) => plain,
        Ok(Err(damage)) => return unreadable(position, &damage.to_string(), page),
        Err(error) => return unreadable(position, &error.to_string(), page),
    };
    // Compressed or not, what stands here now isn't any more.
    for record in Records::of(&plain).into_iter().flatten() {
        match record {
            Ok(record) => page.line(&RecordLine::of(&record, plain.header().is_control(), language, source.depth))?,
            Err(malformed) => return unreadable(position, &malformed.to_string(), page),
        }
    }
    Ok(true)
}

fn unreadable(position: u64, why: &str, page: &mut Page) -> Result<bool, Failure> {
    page.line(&Rubble { position, bytes: 0, why: format!("its records can't be read: {why}") })?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_records_they_are_is_known_by_the_folder() {
        let of = |path: &str| Language::of(Path::new(path));
        assert!(of("logs/__consumer_offsets-12/00000000000000000000.log") == Language::Groups);
        assert!(of("__cluster_metadata-0/00000000000000000000.log") == Language::Metadata);
        assert!(of("logs/bootstrap.checkpoint") == Language::Metadata);
        assert!(of("logs/orders-0/00000000000000000000.log") == Language::Foreign);
        assert!(of("00000000000000000000.log") == Language::Foreign);
    }
}
