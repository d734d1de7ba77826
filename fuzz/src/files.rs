//! Files: of Kafka's form and of our own, as a start reads them and as `thalweg verify` does.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use thalweg_broker::settings::properties as broker_properties;
use thalweg_log::journal::entry;
use thalweg_log::log::ReadLimit;
use thalweg_log::segment::producer_window::ProducerWindow;
use thalweg_log::segment::{
    Checksums, Descriptors, Rules, Segments, Trust, leader_epochs, partition_metadata, producer_snapshot,
    text_checkpoint,
};
use thalweg_log::verify::{self, Mode, Report, Surroundings};
use thalweg_quorum::snapshot::Stored;
use thalweg_quorum::verify as quorum;
use thalweg_wire::Offset;
use thalweg_world::simulated::{Faults, SimulatedDisk};

const FOLDER: &str = "/logs/t-0";
const LOG: &str = "00000000000000000000.log";

/// A segment: looked over, mended, looked over again, and opened as a start opens it after a kill.
pub fn segments(bytes: &[u8]) {
    partition(&[(LOG, bytes)]);
}

/// A segment of ours, and beside it any bytes as each of its indexes. The first byte says which.
pub fn indexes(bytes: &[u8]) {
    let Some((choice, index)) = bytes.split_first() else { return };
    let name = match choice % 5 {
        0 => "00000000000000000000.index",
        1 => "00000000000000000000.timeindex",
        2 => "00000000000000000000.txnindex",
        3 => "leader-epoch-checkpoint",
        _ => "00000000000000000002.snapshot",
    };
    partition(&[(LOG, &crate::seeds::segment()), (name, index)]);
}

/// What is kept of producers.
pub fn snapshots(bytes: &[u8]) {
    if let Ok(producers) = producer_snapshot::decode(bytes) {
        let again = producer_snapshot::encode(&producers);
        assert_eq!(producer_snapshot::decode(&again).expect("what was written can be read"), producers);
    }
    if let Some(window) = ProducerWindow::decode(bytes) {
        assert_eq!(ProducerWindow::decode(&window.encode()).expect("what was written can be read"), window);
    }
    // With a checksum that is right.
    for end in [4, 6] {
        if let Some(sealed) = sealed(bytes, end) {
            let _ = producer_snapshot::decode(&sealed);
            let _ = ProducerWindow::decode(&sealed);
        }
    }
}

/// Small files of text.
pub fn checkpoints(bytes: &[u8]) {
    if let Ok(offsets) = text_checkpoint::decode(bytes) {
        let again = text_checkpoint::encode(&offsets);
        assert_eq!(text_checkpoint::decode(&again).expect("what was written can be read"), offsets);
    }
    if let Ok(epochs) = leader_epochs::decode(bytes) {
        let again = leader_epochs::encode(&epochs);
        assert_eq!(leader_epochs::decode(&again).expect("what was written can be read"), epochs);
    }
    if let Some(topic) = partition_metadata::decode(bytes) {
        assert_eq!(partition_metadata::decode(&partition_metadata::encode(topic)), Some(topic));
    }
    let disk = disk();
    for name in ["meta.properties", "recovery-point-offset-checkpoint", "log-start-offset-checkpoint"] {
        disk.install(&Path::new("/logs").join(name), bytes).expect("a new file");
    }
    look(|report| {
        let _ = verify::directory(&disk, Path::new("/logs"), None, Mode::Look, report);
    });
}

/// A file of the journal, and its entries without the frames around them.
pub fn journal(bytes: &[u8]) {
    let disk = disk();
    disk.install(Path::new("/logs/journal/00.journal"), bytes).expect("a new file");
    look(|report| {
        let _ = verify::journal(&disk, Path::new("/logs/journal"), None, report);
    });
    let mut entries = Bytes::copy_from_slice(bytes);
    while let Some(raw) = entry::split(&mut entries) {
        let _ = entry::Entry::read(&raw);
        let _ = thalweg_quorum::entry::Item::read(&raw);
    }
}

/// The metadata's snapshot, and its folder.
pub fn metadata(bytes: &[u8]) {
    let _ = Stored::parse(Bytes::copy_from_slice(bytes));
    if let Some(sealed) = sealed(bytes, 8) {
        let _ = Stored::parse(sealed.into());
    }
    let disk = disk();
    disk.install(Path::new("/quorum/journal/00.journal"), bytes).expect("a new file");
    look(|report| {
        let _ = quorum::quorum(&disk, Path::new("/quorum"), report);
    });
}

/// A file of settings.
pub fn properties(bytes: &[u8]) {
    if let Ok(properties) = broker_properties::parse(bytes) {
        assert!(properties.len() <= bytes.len());
    }
}

fn disk() -> SimulatedDisk {
    SimulatedDisk::new(0, Faults::default())
}

fn look(over: impl FnOnce(&mut Report<'_>)) {
    let mut sink = |finding: verify::Finding| drop(format!("{finding:?}"));
    over(&mut Report::new(&mut sink));
}

/// The same bytes with a CRC-32C before `end` over what is behind it.
fn sealed(bytes: &[u8], end: usize) -> Option<Vec<u8>> {
    let mut sealed = bytes.to_vec();
    let checksum = crc_fast::crc32_iscsi(bytes.get(end..)?);
    sealed[end - 4..end].copy_from_slice(&checksum.to_be_bytes());
    Some(sealed)
}

fn partition(files: &[(&str, &[u8])]) {
    let folder = Path::new(FOLDER);
    let disk = disk();
    for (name, bytes) in files {
        disk.install(&folder.join(name), bytes).expect("a new file");
    }
    disk.install(&folder.join("partition.metadata"), &partition_metadata::encode(crate::seeds::TOPIC))
        .expect("a new file");
    for mode in [Mode::Look, Mode::Repair, Mode::Look] {
        look(|report| {
            let _ = verify::partition(&disk, folder, &Surroundings::NONE, mode, report);
        });
    }
    let descriptors = Arc::new(Descriptors::new(Arc::new(disk), 16));
    let trust = Trust::Unclean { recovery_point: Some(Offset(0)) };
    if let Ok((segments, _)) = Segments::open(&descriptors, folder, crate::seeds::TOPIC, Rules::default(), trust) {
        let reader = segments.reader(Checksums::Verified);
        let mut at = segments.start();
        while let Ok(batches) = reader.read(at, segments.end(), ReadLimit::NONE)
            && let Some(last) = batches.last()
        {
            assert!(last.next_offset() > at, "reading goes on");
            at = last.next_offset();
        }
    }
}
