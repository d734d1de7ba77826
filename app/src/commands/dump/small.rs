//! The small files of a partition's folder and of a log directory.

use serde::Serialize;
use thalweg_log::directory::parse_meta;
use thalweg_log::segment::producer_window::ProducerWindow;
use thalweg_log::segment::{leader_epochs, partition_metadata, producer_snapshot, text_checkpoint};
use thalweg_wire::Offset;
use thalweg_wire::producers::Span;

use super::Source;
use super::page::{Line, Page};
use super::segment::time;
use crate::failure::Failure;

/// The longest such file, in bytes.
const BYTES_MAX: u64 = 256 << 20;

#[derive(Serialize)]
struct Producer {
    producer_id: i64,
    epoch: i16,
    /// One whose last batches are gone has none.
    first_sequence: Option<i32>,
    last_sequence: Option<i32>,
    first_offset: Option<i64>,
    last_offset: Option<i64>,
    timestamp: i64,
    coordinator_epoch: i32,
    transaction_start: Option<i64>,
}

impl Line for Producer {
    const TYPE: &'static str = "producer";

    fn text(&self) -> String {
        let Producer { producer_id, epoch, first_sequence, last_sequence, first_offset, last_offset, .. } = self;
        let span = |first: Option<String>, last: Option<String>| match (first, last) {
            (Some(first), Some(last)) => format!("{first}..{last}"),
            _ => "-".to_owned(),
        };
        let text = |number: i64| number.to_string();
        let sequences = span(first_sequence.map(i64::from).map(text), last_sequence.map(i64::from).map(text));
        let offsets = span(first_offset.map(text), last_offset.map(text));
        let transaction =
            self.transaction_start.map_or(String::new(), |start| format!("  open transaction from {start} on"));
        format!(
            "producer {producer_id} epoch {epoch}  sequences {sequences}  offsets {offsets}  {}{transaction}",
            time(self.timestamp)
        )
    }
}

/// Kafka's snapshot of producers.
pub(super) fn producer_snapshot(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    let bytes = source.whole(BYTES_MAX)?;
    let entries = producer_snapshot::decode(&bytes).map_err(|error| source.damaged(&error.to_string()))?;
    for entry in entries {
        let span = Span {
            last_sequence: entry.last_sequence,
            last_offset: entry.last_offset,
            offset_delta: entry.offset_delta,
            timestamp: entry.timestamp,
        };
        page.line(&Producer {
            producer_id: entry.id.0,
            epoch: entry.epoch.0,
            coordinator_epoch: entry.coordinator_epoch,
            transaction_start: entry.transaction_start.map(|start| start.0),
            ..Producer::of(&span)
        })?;
    }
    Ok(())
}

#[derive(Serialize)]
struct WindowLine {
    end: i64,
    last_crc: u32,
    producers: usize,
}

impl Line for WindowLine {
    const TYPE: &'static str = "producer_window";

    fn text(&self) -> String {
        let WindowLine { end, last_crc, producers } = self;
        format!("up to offset {end}, where a batch with checksum {last_crc:08x} ends; producers {producers}")
    }
}

impl Producer {
    fn of(span: &Span) -> Producer {
        let has_batch = span.last_offset >= Offset::ZERO;
        Producer {
            producer_id: -1,
            epoch: -1,
            first_sequence: has_batch.then(|| span.first_sequence()),
            last_sequence: has_batch.then_some(span.last_sequence),
            first_offset: has_batch.then(|| span.base().0),
            last_offset: has_batch.then_some(span.last_offset.0),
            timestamp: span.timestamp.millis(),
            coordinator_epoch: -1,
            transaction_start: None,
        }
    }
}

/// The last batches of each producer.
pub(super) fn producer_window(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    let bytes = source.whole(BYTES_MAX)?;
    let Some(ProducerWindow { end, last_crc, producers }) = ProducerWindow::decode(&bytes) else {
        return Err(source.damaged("its checksum doesn't fit"));
    };
    page.line(&WindowLine { end: end.0, last_crc, producers: producers.len() })?;
    for (id, producer) in producers.iter() {
        for span in producer.spans() {
            page.line(&Producer {
                producer_id: id.0,
                epoch: producer.epoch.0,
                coordinator_epoch: producer.coordinator_epoch,
                transaction_start: producer.transaction_start.map(|start| start.0),
                ..Producer::of(span)
            })?;
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct EpochLine {
    leader_epoch: i32,
    start_offset: i64,
}

impl Line for EpochLine {
    const TYPE: &'static str = "leader_epoch";

    fn text(&self) -> String {
        format!("leader epoch {} from offset {} on", self.leader_epoch, self.start_offset)
    }
}

/// The leader epochs of a log.
pub(super) fn leader_epochs(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    let bytes = source.whole(BYTES_MAX)?;
    let epochs = leader_epochs::decode(&bytes).map_err(|error| source.damaged(&error.to_string()))?;
    epochs.iter().try_for_each(|(epoch, start)| page.line(&EpochLine { leader_epoch: epoch.0, start_offset: start.0 }))
}

#[derive(Serialize)]
struct CheckpointLine {
    topic: String,
    partition: i32,
    offset: i64,
}

impl Line for CheckpointLine {
    const TYPE: &'static str = "checkpoint";

    fn text(&self) -> String {
        format!("{:>20}  {}-{}", self.offset, self.topic, self.partition)
    }
}

/// One of a directory's checkpoints: an offset for each partition.
pub(super) fn checkpoint(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    let bytes = source.whole(BYTES_MAX)?;
    let offsets = text_checkpoint::decode(&bytes).map_err(|error| source.damaged(&error.to_string()))?;
    page.heading("              OFFSET  PARTITION")?;
    offsets.into_iter().try_for_each(|(name, offset)| {
        page.line(&CheckpointLine { topic: name.topic, partition: name.partition.0, offset: offset.0 })
    })
}

#[derive(Serialize)]
struct TopicLine {
    topic_id: String,
}

impl Line for TopicLine {
    const TYPE: &'static str = "partition_metadata";

    fn text(&self) -> String {
        format!("topic id {}", self.topic_id)
    }
}

/// To which topic a folder belongs.
pub(super) fn partition_metadata(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    let bytes = source.whole(BYTES_MAX)?;
    let Some(topic) = partition_metadata::decode(&bytes) else {
        return Err(source.damaged("it says no topic id"));
    };
    page.line(&TopicLine { topic_id: topic.to_string() })
}

#[derive(Serialize)]
struct MetaLine {
    cluster_id: String,
    node_id: i32,
    directory_id: String,
}

impl Line for MetaLine {
    const TYPE: &'static str = "meta_properties";

    fn text(&self) -> String {
        let MetaLine { cluster_id, node_id, directory_id } = self;
        format!("cluster {cluster_id}, node {node_id}, directory {directory_id}")
    }
}

/// Whose directory it is.
pub(super) fn meta_properties(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    let bytes = source.whole(BYTES_MAX)?;
    let (identity, id) = parse_meta(&bytes).map_err(|reason| source.damaged(&reason))?;
    let (cluster_id, node_id) = (identity.cluster, identity.node.0);
    page.line(&MetaLine { cluster_id, node_id, directory_id: id.to_string() })
}
