//! The producers of a log as far as its files go: followed batch by batch, kept beside the records, found again at a start.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use thalweg_wire::batch::{Batch, Header};
use thalweg_wire::producers::{Producer, Producers, Span};
use thalweg_wire::{Offset, ProducerEpoch, ProducerId, Timestamp};
use thalweg_world::Disk;
use thalweg_world::disk::{Open, is_full};

use crate::directory::{put, put_synced};
use crate::segment::names::{FileKind, file_name, parse_file_name};
use crate::segment::producer_snapshot::{self, ProducerEntry};
use crate::segment::producer_window::{self, PRODUCER_WINDOW, ProducerWindow};
use crate::segment::{Checksums, SegmentError, Segments, Trust};

/// Bytes of records after which the window is written again: what a start has to read again at most, beside what a
/// checkpoint leaves to the journal.
const WINDOW_INTERVAL_BYTES: u64 = 16 << 20;

/// Bytes that a snapshot of Kafka's has to leave to be read, after an unclean stop without a window: of such a log of ours
/// there is hardly more, as the window is written so often; of one of Kafka's nobody promised anything.
const SNAPSHOT_DISTANCE_BYTES: u64 = 4 * WINDOW_INTERVAL_BYTES;

/// The longest file that is read, in bytes. Kafka's has 46 bytes for each producer, and no limit.
const SNAPSHOT_BYTES_MAX: u64 = 256 << 20;

/// The producers of the batches in a log's files.
#[derive(Default, Debug)]
pub(crate) struct Tracked {
    producers: Producers,
    /// The checksum of the last batch.
    last_crc: u32,
    /// Bytes of batches since the window was written.
    since_window: u64,
}

impl Tracked {
    /// Follows a batch that got into the files.
    pub(crate) fn note(&mut self, batch: &Batch) {
        self.note_header(batch.header());
    }

    /// The producers up to the end of the files.
    pub(crate) fn producers(&self) -> &Producers {
        &self.producers
    }

    /// Whether a start would have much to read again.
    pub(crate) fn is_window_due(&self) -> bool {
        self.since_window >= WINDOW_INTERVAL_BYTES
    }

    /// Writes the window, whole or not at all. It may be durable before the records are: it is held against them when it is
    /// read.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn write_window(&mut self, disk: &dyn Disk, folder: &Path, end: Offset) -> io::Result<()> {
        put_synced(disk, folder, PRODUCER_WINDOW, &self.window(end))?;
        self.since_window = 0;
        Ok(())
    }

    /// The same at a clean stop: durable with the sync of the filesystem that follows, as ten thousand logs are one sync.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn leave_window(&self, disk: &dyn Disk, folder: &Path, end: Offset) -> io::Result<()> {
        put(disk, folder, PRODUCER_WINDOW, &self.window(end))
    }

    fn window(&self, end: Offset) -> Vec<u8> {
        ProducerWindow { end, last_crc: self.last_crc, producers: self.producers.clone() }.encode()
    }

    /// Writes Kafka's snapshot. Durable with the next sync of the filesystem.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn write_snapshot(&self, disk: &dyn Disk, folder: &Path, at: Offset) -> io::Result<()> {
        let entries: Vec<_> = self.producers.iter().map(|(id, producer)| entry(id, producer)).collect();
        put(disk, folder, &file_name(at, FileKind::ProducerSnapshot), &producer_snapshot::encode(&entries))
    }

    /// Forgets what a cut takes. The window that is on disk reaches beyond it, and is taken away first.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn truncate(&mut self, disk: &dyn Disk, folder: &Path, to: Offset) -> io::Result<()> {
        match disk.remove_file(&folder.join(PRODUCER_WINDOW)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        self.producers.truncate(to);
        self.since_window = WINDOW_INTERVAL_BYTES;
        Ok(())
    }

    /// Finds the producers of a log that was opened: from the window, else from Kafka's snapshots, and from the batches
    /// behind it.
    ///
    /// # Errors
    /// [`SegmentError`] if the batches can't be read.
    pub(crate) fn find(
        disk: &dyn Disk,
        folder: &Path,
        segments: &Segments,
        trust: Trust,
    ) -> Result<Tracked, SegmentError> {
        let end = segments.end();
        let window = window(disk, folder, segments, trust)?;
        let newest = match trust {
            Trust::Clean => end,
            // It has one batch of each producer. Those before it may not have been answered, so they are read.
            _ => segments.offset_before_end(SNAPSHOT_DISTANCE_BYTES),
        };
        let (mut tracked, from) = match window {
            // A Kafka was here since, and left its word behind ours.
            Some((_, at)) if trust == Trust::Clean && at < end => {
                snapshot(disk, folder, newest)?.filter(|(_, newer)| *newer > at).or(window)
            }
            Some(_) => window,
            None => snapshot(disk, folder, newest)?,
        }
        .unwrap_or_else(|| (Tracked::default(), segments.start()));
        if from < end {
            segments.reader(Checksums::Trusted).for_each_header(from, |header| {
                // The batch that holds the place was there already.
                if header.base_offset() >= from {
                    tracked.note_header(header);
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(tracked)
    }

    fn note_header(&mut self, header: &Header) {
        self.producers.note(header, Timestamp::NONE);
        self.last_crc = header.crc();
        self.since_window += u64::from(header.length().cast_unsigned());
    }
}

/// What the window says, and from where on the batches have to be read.
fn window(
    disk: &dyn Disk,
    folder: &Path,
    segments: &Segments,
    trust: Trust,
) -> Result<Option<(Tracked, Offset)>, SegmentError> {
    let Some(bytes) = read(disk, &folder.join(PRODUCER_WINDOW), producer_window::FILE_BYTES_MAX as u64)? else {
        return Ok(None);
    };
    let Some(ProducerWindow { end, last_crc, mut producers }) = ProducerWindow::decode(&bytes) else {
        return Ok(None);
    };
    if !are_below(&producers, end) {
        return Ok(None);
    }
    if let Trust::Redone { from } = trust
        && end > segments.end()
    {
        // What it has beyond the cut the journal appends again, or it went past the journal and nobody was told of it: those
        // that it pushed out of the window then are none that a producer, who has five on their way, would send again. But
        // others may come in its place, so what it said must not be believed once more.
        producers.truncate(from);
        let last_crc = crc_before(segments, segments.end())?.unwrap_or(0);
        let mut tracked = Tracked { producers, last_crc, since_window: 0 };
        match tracked.write_window(disk, folder, segments.end()) {
            Err(error) if is_full(&error) => {
                disk.remove_file(&folder.join(PRODUCER_WINDOW))?;
                tracked.since_window = WINDOW_INTERVAL_BYTES;
            }
            written => written?,
        }
        disk.sync_dir(folder)?;
        return Ok(Some((tracked, segments.end())));
    }
    // Somebody else may have cut the log meanwhile, and gone on from there.
    // With nothing before it there is nothing to hold it against: the batch was deleted, or there never was one. One that
    // ends before the log begins may lack what was deleted since.
    let is_of_this_log = (end == segments.start() && (end > Offset::ZERO || last_crc == 0))
        || crc_before(segments, end)? == Some(last_crc);
    Ok(is_of_this_log.then_some((Tracked { producers, last_crc, since_window: 0 }, end)))
}

/// The checksum of the batch that ends at an offset, if one does.
fn crc_before(segments: &Segments, end: Offset) -> Result<Option<u32>, SegmentError> {
    let mut crc = None;
    if segments.start() < end && end <= segments.end() {
        segments.reader(Checksums::Trusted).for_each_header(Offset(end.0 - 1), |header| {
            crc = (Span::of(header).end() == end).then(|| header.crc());
            ControlFlow::Break(())
        })?;
    }
    Ok(crc)
}

/// What the newest of Kafka's snapshots up to an offset says that can be read.
fn snapshot(disk: &dyn Disk, folder: &Path, newest: Offset) -> io::Result<Option<(Tracked, Offset)>> {
    let names = disk.list(folder)?.into_iter().filter_map(|entry| match parse_file_name(&entry.name) {
        Some((at, FileKind::ProducerSnapshot, None)) if at <= newest => Some(at),
        Some(_) | None => None,
    });
    let mut offsets: Vec<Offset> = names.collect();
    offsets.sort_unstable();
    while let Some(at) = offsets.pop() {
        let path = folder.join(file_name(at, FileKind::ProducerSnapshot));
        let Some(bytes) = read(disk, &path, SNAPSHOT_BYTES_MAX)? else { continue };
        if let Ok(entries) = producer_snapshot::decode(&bytes) {
            let mut producers = Producers::default();
            entries.iter().for_each(|entry| producers.insert(entry.id, producer(entry)));
            if !are_below(&producers, at) {
                continue;
            }
            return Ok(Some((Tracked { producers, ..Tracked::default() }, at)));
        }
    }
    Ok(None)
}

/// Whether all batches are ones that a log could have below an offset: a file with a right checksum may still say anything.
fn are_below(producers: &Producers, end: Offset) -> bool {
    producers.iter().flat_map(|(_, producer)| producer.spans()).all(|span| {
        (0..=span.last_offset.0).contains(&i64::from(span.offset_delta))
            && span.last_offset < end
            && span.last_sequence >= 0
    })
}

fn read(disk: &dyn Disk, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match disk.open(path, Open::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let size = file.size()?;
    if size > limit {
        return Ok(None);
    }
    let mut bytes = vec![0; size as usize];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(Some(bytes))
}

fn entry(id: ProducerId, producer: &Producer) -> ProducerEntry {
    let last = producer.last();
    ProducerEntry {
        id,
        epoch: producer.epoch,
        last_sequence: last.map_or(-1, |span| span.last_sequence),
        last_offset: last.map_or(Offset(-1), |span| span.last_offset),
        offset_delta: last.map_or(0, |span| span.offset_delta),
        timestamp: last.map_or(Timestamp::NONE, |span| span.timestamp),
        coordinator_epoch: producer.coordinator_epoch,
        transaction_start: producer.transaction_start,
    }
}

fn producer(entry: &ProducerEntry) -> Producer {
    let mut producer = Producer::new(ProducerEpoch(entry.epoch.0));
    producer.coordinator_epoch = entry.coordinator_epoch;
    producer.transaction_start = entry.transaction_start;
    if entry.last_sequence >= 0 && entry.last_offset >= Offset::ZERO {
        producer.push(Span {
            last_sequence: entry.last_sequence,
            last_offset: entry.last_offset,
            offset_delta: entry.offset_delta,
            timestamp: entry.timestamp,
        });
    }
    producer
}
