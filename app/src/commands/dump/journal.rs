//! A file of a journal: its frames as they stand there, those of earlier laps too, and the entries in them.

use serde::Serialize;
use thalweg_log::journal::scan::{Found, ReplayError, whole_frames};
use thalweg_log::journal::{Entry, FileHeader, Kind, entry};
use thalweg_quorum::entry::Item;
use thalweg_wire::TopicPartition;

use super::metadata::changes;
use super::page::{Line, Page};
use super::{Depth, Source};
use crate::failure::Failure;

#[derive(Serialize)]
struct HeaderLine {
    number: u32,
    journal_id: String,
    directory_id: String,
    bytes: u64,
    files: Option<u32>,
}

impl Line for HeaderLine {
    const TYPE: &'static str = "journal_file";

    fn text(&self) -> String {
        let HeaderLine { number, journal_id, directory_id, bytes, files } = self;
        let files = files.map_or(String::new(), |files| format!(" of {files} or more"));
        format!("file {number}{files} of journal {journal_id}, in directory {directory_id}, {bytes} bytes")
    }
}

#[derive(Serialize)]
struct FrameLine {
    position: u64,
    sequence: u64,
    bytes: u32,
    entries: u32,
    checkpoint: u64,
    metadata_index: u64,
    crc: u32,
    previous_crc: u32,
}

const HEADING: &str = "  POSITION      FRAME      BYTES  ENTRIES  CHECKPOINT  METADATA INDEX";

impl Line for FrameLine {
    const TYPE: &'static str = "frame";

    fn text(&self) -> String {
        let FrameLine { position, sequence, bytes, entries, checkpoint, metadata_index, .. } = self;
        let seal = if *entries == 0 { "  seal" } else { "" };
        format!("{position:>10}  {sequence:>9}  {bytes:>9}  {entries:>7}  {checkpoint:>10}  {metadata_index:>14}{seal}")
    }
}

#[derive(Serialize, Default)]
struct EntryLine {
    frame: u64,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<i32>,
    says: String,
}

impl Line for EntryLine {
    const TYPE: &'static str = "entry";

    fn text(&self) -> String {
        let EntryLine { kind, topic_id, partition, says, .. } = self;
        let of = match (topic_id, partition) {
            (Some(topic), Some(partition)) => format!("  {topic}-{partition}"),
            _ => String::new(),
        };
        format!("{:10}  {kind}{of}  {says}", "")
    }
}

/// Shows a file's header and its frames.
pub(super) fn dump(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    let failed = |error| source.failed(&error);
    let Some(header) = FileHeader::read(&*source.file).map_err(failed)? else {
        return Err(source.damaged("its first bytes are not those of a journal's file"));
    };
    let FileHeader { number, journal, directory, size, files } = header;
    page.line(&HeaderLine {
        number,
        journal_id: journal.to_string(),
        directory_id: directory.to_string(),
        bytes: size,
        files: (number == 0).then_some(files),
    })?;
    page.heading(HEADING)?;
    for frame in whole_frames(&*source.file, 0, journal).map_err(failed)? {
        let Found { at, header, .. } = frame;
        page.line(&FrameLine {
            position: at,
            sequence: header.sequence,
            bytes: header.length,
            entries: header.entries,
            checkpoint: header.checkpoint,
            metadata_index: header.metadata_index,
            crc: header.checksum,
            previous_crc: header.previous,
        })?;
        if source.depth > Depth::Outline {
            entries(source, &frame, page)?;
        }
    }
    Ok(())
}

fn entries(source: &Source<'_>, frame: &Found, page: &mut Page) -> Result<(), Failure> {
    let mut bytes = frame.entries(&*source.file).map_err(|error| match error {
        ReplayError::Io(error) => source.failed(&error),
        ReplayError::Suspect(suspect) => source.damaged(&suspect.to_string()),
    })?;
    let sequence = frame.header.sequence;
    for _ in 0..frame.header.entries {
        let Some(raw) = entry::split(&mut bytes) else {
            return Err(source.damaged(&format!("an entry of frame {sequence} is cut short")));
        };
        let malformed = |what: String| source.damaged(&format!("frame {sequence}: {what}"));
        if raw.kind < Kind::FOREIGN {
            let (log, entry) = Entry::read(&raw).map_err(|error| malformed(error.to_string()))?;
            page.line(&of_log(sequence, log, &entry))?;
        } else {
            let item = Item::read(&raw).map_err(|error| malformed(error.to_string()))?;
            page.line(&of_quorum(sequence, &item))?;
            if let Item::Entry { payload, .. } = &item
                && source.depth == Depth::Values
            {
                changes(source, payload, page)?;
            }
        }
    }
    Ok(())
}

fn of_log(frame: u64, log: TopicPartition, entry: &Entry) -> EntryLine {
    let (kind, says) = match entry {
        Entry::Append(batch) => {
            let (base, last) = (batch.base_offset(), batch.last_offset());
            let (records, bytes) = (batch.header().count(), batch.byte_length());
            let remark = if batch.check().is_ok() { "" } else { "  WRONG CHECKSUM" };
            ("append", format!("offsets {base}..{last}  records {records}  {bytes} B{remark}"))
        }
        Entry::Placed(end) => ("placed", format!("below {} in synced files", end.offset)),
        Entry::Placing { placed, end } => {
            ("placing", format!("below {} in synced files, up to {} on the way", placed.offset, end.offset))
        }
        Entry::Truncate { to, epoch } => ("truncate", format!("to {to}  epoch {epoch}")),
        Entry::Epoch { epoch, start } => ("epoch", format!("{epoch} from {start} on")),
        Entry::LogStart { at } => ("log_start", format!("below {at} deleted")),
        Entry::Drop => ("drop", "the log is deleted".to_owned()),
    };
    let (topic_id, partition) = (Some(log.topic.to_string()), Some(log.partition.0));
    EntryLine { frame, kind, topic_id, partition, says }
}

fn of_quorum(frame: u64, item: &Item) -> EntryLine {
    let (kind, says) = match item {
        Item::Entry { term, index, previous, payload } => {
            let bytes = payload.len();
            ("metadata", format!("index {index}  term {term}  {bytes} B  behind hash {previous}"))
        }
        Item::Vote { term, candidate } => ("vote", format!("term {term}  for {candidate}")),
        Item::Voters { since, voters } => {
            let voters: Vec<String> = voters.iter().map(ToString::to_string).collect();
            ("voters", format!("from index {since} on: {}", voters.join(", ")))
        }
    };
    EntryLine { frame, kind, says, ..EntryLine::default() }
}
