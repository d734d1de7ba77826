//! What is sent is what stands in the files, whichever way it takes: copied, or out of the file itself.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use thalweg_log::log::{FirstBatch, ReadLimit};
use thalweg_log::segment::checked::FRESH_FOR;
use thalweg_log::segment::loans::{COPIED_BYTES_MAX, LENT_FILES_MAX};
use thalweg_log::segment::{Checksums, FileSpan, Reader, Rules, SegmentError, Segments, Sendable};
use thalweg_wire::batch::{Batch, Batches, Builder};
use thalweg_wire::{LeaderEpoch, Moment, Offset, Timestamp};
use thalweg_world::simulated::{Faults, Rng, SimulatedDisk};

use crate::{NOW, Place, topic};

/// A batch of one record of about so many bytes.
fn large(rng: &mut Rng, base: Offset, bytes: u64) -> Batch {
    let mut value = vec![0; bytes as usize];
    rng.fill(&mut value);
    let mut batch = Builder::new().record(Timestamp::from_millis(base.0), None, Some(&value)).build().unwrap();
    batch.place(base, LeaderEpoch(0));
    batch
}

/// A log with so many bytes of batches of up to `batch_bytes`.
fn filled(place: &Place, rng: &mut Rng, bytes: u64, batch_bytes: u64) -> (Segments, Vec<Batch>) {
    let rules = Rules { segment_bytes: 3 << 20, ..Rules::default() };
    let mut segments = Segments::create(&place.files(), &place.root.join("sent-0"), topic(), Offset(0), rules).unwrap();
    let mut batches = Vec::new();
    while segments.size() < bytes {
        let batch_bytes = 1 + rng.below(batch_bytes);
        let batch = large(rng, segments.end(), batch_bytes);
        segments.append(std::slice::from_ref(&batch), NOW).unwrap();
        batches.push(batch);
    }
    (segments, batches)
}

/// What a peer gets.
pub(crate) fn sent(records: &Sendable) -> Vec<Batch> {
    let mut bytes = Vec::new();
    for span in &records.spans {
        let start = bytes.len();
        bytes.resize(start + span.byte_length(), 0);
        assert_eq!(span.file().read_at(&mut bytes[start..], span.position()).unwrap(), span.byte_length());
    }
    bytes.extend_from_slice(&records.copy);
    let in_file = Batches::new(Bytes::from(bytes)).map(Result::unwrap);
    let all: Vec<Batch> = in_file.chain(records.batches.iter().cloned()).collect();
    assert_eq!(all.iter().map(Batch::byte_length).sum::<usize>(), records.byte_length());
    assert_eq!(all.last().map(Batch::next_offset), records.next_offset());
    all
}

/// Bytes of a few stretches. The simulated disk says of half of what it is asked that it is in memory.
const SOME: usize = 300_000;

fn read(reader: &Reader, from: i64, bytes: usize, now: Moment) -> Result<Sendable, SegmentError> {
    reader.read_to_send(Offset(from), Offset(i64::MAX), ReadLimit { bytes, first: FirstBatch::Always }, now)
}

/// Many readers at random places, with limits of their own, each of whom reads on to the end of the log.
#[test]
fn readers_get_every_batch_whole_and_in_order() {
    let (mut spans, mut copies, mut known) = (0, 0, 0);
    for seed in 0..9 {
        let place = if seed == 0 { Place::real("sent") } else { Place::simulated(seed) };
        let mut rng = Rng::new(seed);
        let (segments, batches) = filled(&place, &mut rng, 5 << 20, [2_000, 60_000, 400_000][seed as usize % 3]);
        let reader = segments.reader(Checksums::Verified);
        let mut now = Moment::ZERO;
        for _ in 0..12 {
            let mut next = rng.below(batches.len() as u64) as usize;
            let limit = [60_000, 300_000, 1 << 20, 3 << 20][rng.below(4) as usize];
            let below = if rng.coin() { segments.end() } else { Offset(rng.below(batches.len() as u64) as i64) };
            while next < below.0.max(0) as usize {
                now = now + Duration::from_millis(rng.below(300));
                let first = FirstBatch::Always;
                let records = match reader.read_cached_to_send(Offset(next as i64), below, limit, now) {
                    Some(records) if !records.is_empty() => records,
                    _ => {
                        let limit = ReadLimit { bytes: limit, first };
                        reader.read_to_send(Offset(next as i64), below, limit, now).unwrap()
                    }
                };
                let found = sent(&records);
                assert!(!found.is_empty(), "whoever reads gets on");
                assert_eq!(found, batches[next..next + found.len()]);
                assert!(found.last().unwrap().base_offset() < below);
                assert!(records.byte_length() <= limit.max(found[0].byte_length()));
                records.spans.iter().for_each(|span| span.check_again(0).unwrap());
                spans += records.spans.len();
                copies += usize::from(!records.copy.is_empty());
                known += usize::from(!records.spans.is_empty() && limit <= 1 << 20);
                next += found.len();
            }
        }
    }
    assert!(spans > 100 && copies > 100, "{spans} spans, {copies} copies");
    assert!(known > 20, "{known} answers were checked before");
}

/// What rots behind a check is noticed by the next.
#[test]
fn what_was_checked_counts_for_a_while() {
    let disk = SimulatedDisk::new(1, Faults::default());
    let place = Place::on(&disk);
    let (segments, batches) = filled(&place, &mut Rng::new(1), 2 << 20, 20_000);
    let reader = segments.reader(Checksums::Verified);
    let start = Moment::ZERO;
    assert!(read(&reader, 0, 1 << 20, start).unwrap().spans.is_empty(), "it was not checked yet: it is copied");
    let again = std::iter::repeat_with(|| read(&reader, 0, SOME, start).unwrap());
    let again = again.take(1000).find(|records| !records.spans.is_empty()).unwrap();
    assert_eq!(sent(&again), batches[..sent(&again).len()]);

    let rotten = 3 * batches[0].byte_length() as u64 / 4;
    let log = place.root.join("sent-0/00000000000000000000.log");
    disk.patch(&log, rotten, &[batches[0].to_bytes()[rotten as usize] ^ 1]).unwrap();
    let Err(SegmentError::Damaged(damage)) = again.spans[0].check_again(0) else { panic!("it is damaged") };
    assert_eq!((damage.offset, damage.position), (Offset(0), 0));
    let later = start + FRESH_FOR + Duration::from_millis(1);
    assert!(matches!(read(&reader, 0, 1 << 20, later), Err(SegmentError::Damaged(_))));
    assert!(matches!(read(&reader, 0, 2 << 20, later), Err(SegmentError::Damaged(_))), "nor where it isn't copied");

    // What stands before the damage is served.
    disk.patch(&log, rotten, &[batches[0].to_bytes()[rotten as usize]]).unwrap();
    let third: u64 = batches[..2].iter().map(|batch| batch.byte_length() as u64).sum();
    disk.patch(&log, third + 70, &[batches[2].to_bytes()[70] ^ 1]).unwrap();
    for bytes in [1 << 20, 2 << 20] {
        assert_eq!(sent(&read(&reader, 0, bytes, later).unwrap()), batches[..2]);
    }
}

#[test]
fn what_was_checked_before_a_truncation_says_nothing_about_what_comes_behind_it() {
    let mut spans = 0;
    for seed in 0..20 {
        let place = Place::simulated(seed);
        let mut rng = Rng::new(seed);
        let (mut segments, mut batches) = filled(&place, &mut rng, 400_000, 20_000);
        let mut look = |reader: &Reader, batches: &[Batch]| {
            for _ in 0..20 {
                let records = read(reader, 0, SOME, Moment::ZERO).unwrap();
                let found = sent(&records);
                assert!(found == batches[..found.len()]);
                spans += records.spans.len();
            }
        };
        look(&segments.reader(Checksums::Verified), &batches);
        segments.truncate(Offset(3)).unwrap();
        batches.truncate(3);
        while segments.size() < 400_000 {
            let batch = large(&mut rng, segments.end(), 30_000);
            segments.append(std::slice::from_ref(&batch), NOW).unwrap();
            batches.push(batch);
        }
        look(&segments.reader(Checksums::Verified), &batches);
    }
    assert!(spans > 40, "{spans} spans");
}

/// Readers who take nothing hold no more than is written down, and nobody is left without a batch.
#[test]
fn what_slow_readers_hold_is_bounded() {
    let place = Place::simulated(3);
    let (segments, batches) = filled(&place, &mut Rng::new(3), 3 << 20, 30_000);
    let reader = segments.reader(Checksums::Verified);
    let mut held: Vec<Sendable> = Vec::new();
    let (mut copied, mut lent) = (0, 0);
    // Each at a time of its own: nothing counts as checked.
    for turn in 0..1000 {
        let now = Moment::ZERO + 2 * turn * FRESH_FOR;
        let records = read(&reader, 0, 1 << 20, now).unwrap();
        assert_eq!(sent(&records), batches[..sent(&records).len()]);
        match (records.spans.len(), records.byte_length()) {
            (1.., _) => lent += 1,
            (0, bytes) if bytes == batches[0].byte_length() => {
                assert!(turn as usize > COPIED_BYTES_MAX / (1 << 20) + LENT_FILES_MAX - 10);
            }
            (0, bytes) => copied += bytes,
        }
        held.push(records);
    }
    assert!(copied <= COPIED_BYTES_MAX && copied > COPIED_BYTES_MAX / 2, "{copied} bytes");
    assert_eq!(lent, LENT_FILES_MAX);
    let limit = ReadLimit { bytes: 1 << 20, first: FirstBatch::IfItFits };
    assert!(reader.read_to_send(Offset(0), Offset(9), limit, Moment::ZERO).unwrap().is_empty(), "others have a batch");
    held.clear();
    assert!(read(&reader, 0, 1 << 20, Moment::ZERO).unwrap().copy.len() > 500_000);
    assert!(read(&reader, 0, 3 << 20, Moment::ZERO).unwrap().spans.iter().map(FileSpan::byte_length).max() > Some(1));
}

#[test]
fn a_file_that_lost_its_name_is_sent_to_its_end() {
    let place = Place::real("nameless");
    let (segments, batches) = filled(&place, &mut Rng::new(4), 2 << 20, 20_000);
    let records = read(&segments.reader(Checksums::Verified), 0, 3 << 20, Moment::ZERO).unwrap();
    assert!(!records.spans.is_empty());
    place.disk.remove_file(&place.root.join(Path::new("sent-0/00000000000000000000.log"))).unwrap();
    assert_eq!(sent(&records), batches[..sent(&records).len()]);
}
