//! From batch to batch through a `.log`, in little memory: headers only, or every byte against its checksum.

use std::io;
use std::sync::Arc;

use thalweg_wire::Offset;
use thalweg_wire::batch::{Corruption, HEADER_BYTES, Header};
use thalweg_wire::checksum::Crc32c;
use thalweg_world::DiskFile;

use super::damage::{Flaw, LENGTH_END, MAGIC, judge};
use super::reader::Checksums;

/// Bytes read at once where only headers are wanted: the records between them are skipped where they are large.
const SKIPPING_BYTES: usize = 8 << 10;

/// Bytes read at once where all of them are wanted.
const READING_BYTES: usize = 64 << 10;

/// Where the bytes begin that a batch's checksum covers.
const CRC_COVERS_FROM: usize = 21;

/// A walk over the batches of one `.log`.
pub(crate) struct Walk {
    window: Window,
    base: Offset,
    end: u64,
    position: u64,
    expected: Offset,
    checksums: Checksums,
}

/// What a step comes to.
pub(crate) enum Step {
    /// A batch.
    Batch { position: u32, bytes: u32, header: Header },
    /// The end, with nothing left over.
    End,
    /// Something that is no batch, or not one that may stand here. The walk doesn't go past it.
    Flawed(Flaw),
}

impl Walk {
    /// From the batch at `position` on, up to `end` bytes of the file of a segment that begins at `base`.
    pub(crate) fn new(file: Arc<dyn DiskFile>, base: Offset, position: u32, end: u32, checksums: Checksums) -> Walk {
        let window = Window::new(file, checksums);
        Walk { window, base, end: u64::from(end), position: u64::from(position), expected: base, checksums }
    }

    /// Where the next batch begins.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The first offset that the next batch may have.
    pub(crate) fn expected(&self) -> Offset {
        self.expected
    }

    /// The next batch's header, and the position behind it, without a look at its records. `None` where no batch is next:
    /// [`Walk::step`] says why.
    pub(crate) fn peek(&mut self) -> io::Result<Option<(Header, u64)>> {
        let room = self.end - self.position;
        if room < HEADER_BYTES as u64 {
            return Ok(None);
        }
        let header = self.window.header(self.position, self.end)?;
        let bytes = judge(&header, room, self.base, self.expected).ok();
        Ok(bytes.map(|bytes| (header, self.position + u64::from(bytes))))
    }

    /// Goes on at another place: a batch that was found behind a flaw, or the same one after its offsets were seen.
    pub(crate) fn resume(&mut self, position: u64, expected: Offset) {
        (self.position, self.expected) = (position, expected);
    }

    pub(crate) fn step(&mut self) -> io::Result<Step> {
        let room = self.end - self.position;
        if room == 0 {
            return Ok(Step::End);
        }
        if room < HEADER_BYTES as u64 {
            return Ok(Step::Flawed(Flaw::CutShort { present: room }));
        }
        let header = self.window.header(self.position, self.end)?;
        let bytes = match judge(&header, room, self.base, self.expected) {
            Ok(bytes) => bytes,
            Err(flaw) => return Ok(Step::Flawed(flaw)),
        };
        if self.checksums == Checksums::Verified {
            let computed = self.window.checksum(self.position, bytes, self.end)?;
            if computed != header.crc() {
                return Ok(Step::Flawed(Flaw::NotABatch(Corruption::Crc { stored: header.crc(), computed })));
            }
        }
        // Below 2 GiB, as every size that comes in here.
        let position = self.position as u32;
        self.position += u64::from(bytes);
        self.expected = header.last_offset().plus(1);
        Ok(Step::Batch { position, bytes, header })
    }
}

/// What stands behind a flawed place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Behind {
    /// No batch: the flaw may be a torn tail.
    Nothing,
    /// A whole batch that the log could go on with, at that position.
    Batch(u64),
    /// Bytes that take too long to look at: nothing may be cut on their word.
    Unknown,
}

/// Whether a batch that a log could go on with stands anywhere behind a flawed place: then the flaw is no torn tail.
///
/// Looks at every byte where a batch might begin; only one whose checksum fits counts. Bytes made to look like a
/// thousand batches one in the other would take for ever: past sixteen times the file's size of checksums the answer is
/// that nobody knows.
pub(crate) fn batch_behind(
    file: Arc<dyn DiskFile>,
    base: Offset,
    flawed: u64,
    end: u64,
    expected: Offset,
) -> io::Result<Behind> {
    let mut window = Window::new(file, Checksums::Verified);
    let mut left = 16 * end.max(READING_BYTES as u64);
    let mut at = flawed + 1;
    while at + HEADER_BYTES as u64 <= end {
        let seen = window.at(at, HEADER_BYTES, end)?;
        // Most places are ruled out by one byte.
        let places = seen.len() - HEADER_BYTES + 1;
        let Some(skip) = seen[MAGIC_AT..MAGIC_AT + places].iter().position(|&byte| byte == MAGIC.cast_unsigned())
        else {
            at += places as u64;
            continue;
        };
        at += skip as u64;
        let header = window.header(at, end)?;
        if let Ok(bytes) = judge(&header, end - at, base, expected) {
            if left < u64::from(bytes) {
                return Ok(Behind::Unknown);
            }
            if window.checksum(at, bytes, end)? == header.crc() {
                return Ok(Behind::Batch(at));
            }
            left -= u64::from(bytes);
        }
        at += 1;
    }
    Ok(Behind::Nothing)
}

/// Where the version byte stands in a batch.
const MAGIC_AT: usize = 16;

/// A piece of a file in memory.
struct Window {
    file: Arc<dyn DiskFile>,
    bytes: Vec<u8>,
    start: u64,
    filled: usize,
}

impl Window {
    fn new(file: Arc<dyn DiskFile>, checksums: Checksums) -> Window {
        let size = match checksums {
            Checksums::Verified => READING_BYTES,
            Checksums::Trusted => SKIPPING_BYTES,
        };
        Window { file, bytes: vec![0; size], start: 0, filled: 0 }
    }

    /// What is at hand from a place on: `least` bytes, or more, but none from `end` on. `least` fits the window.
    fn at(&mut self, at: u64, least: usize, end: u64) -> io::Result<&[u8]> {
        let inside = at >= self.start && at + least as u64 <= self.start + self.filled as u64;
        if !inside {
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(self.bytes.len());
            self.filled = self.file.read_at(&mut self.bytes[..wanted], at)?;
            self.start = at;
            if self.filled < least {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let skip = (at - self.start) as usize;
        let stop = self.filled.min((end - self.start) as usize);
        Ok(&self.bytes[skip..stop])
    }

    fn header(&mut self, at: u64, end: u64) -> io::Result<Header> {
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(&self.at(at, HEADER_BYTES, end)?[..HEADER_BYTES]);
        Ok(Header::from_bytes(header))
    }

    /// The checksum that a batch of that many bytes should carry.
    fn checksum(&mut self, at: u64, bytes: u32, end: u64) -> io::Result<u32> {
        let stop = at + u64::from(bytes);
        debug_assert!(bytes as usize >= LENGTH_END && stop <= end);
        let mut place = at + CRC_COVERS_FROM as u64;
        let mut checksum = Crc32c::new();
        while place < stop {
            let piece = self.at(place, 1, end)?;
            let take = piece.len().min((stop - place) as usize);
            checksum.update(&piece[..take]);
            place += take as u64;
        }
        Ok(checksum.finish())
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::path::Path;

    use thalweg_wire::batch::{Batch, Builder};
    use thalweg_wire::{LeaderEpoch, Timestamp};
    use thalweg_world::disk::{Disk, Open};
    use thalweg_world::simulated::{Faults, SimulatedDisk};

    use super::*;

    fn batch(base: i64, value: &[u8]) -> Batch {
        let mut batch = Builder::new().record(Timestamp::from_millis(base), None, Some(value)).build().unwrap();
        batch.place(Offset(base), LeaderEpoch(0));
        batch
    }

    fn file(bytes: &[u8]) -> Arc<dyn DiskFile> {
        let disk = SimulatedDisk::new(1, Faults::default());
        let file = disk.open(Path::new("log"), Open::CreateNew).unwrap();
        file.write_at(&[IoSlice::new(bytes)], 0).unwrap();
        file
    }

    #[test]
    fn a_walk_gives_every_batch_whatever_its_size_and_ends_where_the_bytes_do() {
        let batches: Vec<Batch> = [0, 9_000, 10, 70_000, 5]
            .iter()
            .enumerate()
            .map(|(n, &size)| batch(3 * n as i64, &vec![n as u8; size]))
            .collect();
        let bytes: Vec<u8> = batches.iter().flat_map(|batch| batch.to_bytes()).collect();
        for checksums in [Checksums::Trusted, Checksums::Verified] {
            let mut walk = Walk::new(file(&bytes), Offset(0), 0, bytes.len() as u32, checksums);
            for expected in &batches {
                let Step::Batch { header, bytes, .. } = walk.step().unwrap() else { panic!("a batch") };
                assert_eq!((&header, bytes as usize), (expected.header(), expected.byte_length()));
            }
            assert!(matches!(walk.step().unwrap(), Step::End));
            assert_eq!((walk.position(), walk.expected()), (bytes.len() as u64, Offset(13)));
        }
    }

    #[test]
    fn a_flipped_bit_is_seen_by_who_reads_every_byte() {
        let mut bytes = batch(0, &[1; 100_000]).to_bytes().to_vec();
        bytes[80_000] ^= 1;
        let end = bytes.len() as u32;
        let step = |checksums| Walk::new(file(&bytes), Offset(0), 0, end, checksums).step().unwrap();
        assert!(matches!(step(Checksums::Trusted), Step::Batch { .. }));
        assert!(matches!(step(Checksums::Verified), Step::Flawed(Flaw::NotABatch(Corruption::Crc { .. }))));
    }

    /// Only a whole batch that the log could go on with makes a flaw the middle of something.
    #[test]
    fn a_batch_behind_a_flaw_is_found_at_any_byte_and_only_if_it_is_good() {
        let good = batch(7, b"good").to_bytes().to_vec();
        let behind = |bytes: &[u8], expected: i64| {
            let end = bytes.len() as u64;
            batch_behind(file(bytes), Offset(0), 0, end, Offset(expected)).unwrap()
        };
        let nothing = |bytes: &[u8], expected| behind(bytes, expected) == Behind::Nothing;
        for gap in [1, 60, 61, 62, 65_500, READING_BYTES - 30, READING_BYTES, 200_001] {
            let bytes = [vec![2; gap], good.clone(), vec![0xab; 10]].concat();
            assert_eq!(behind(&bytes, 5), Behind::Batch(gap as u64));
            assert!(nothing(&bytes, 8), "its offsets are gone by");
            let mut bad = bytes.clone();
            bad[gap + 65] ^= 1;
            assert!(nothing(&bad, 5));
            assert!(nothing(&bytes[..gap + good.len() - 1], 5), "cut short");
        }
        assert!(nothing(&[0; 300_000], 0));
        assert!(nothing(&[0xab; 100], 0));
    }

    /// Bounded work on bytes made to be looked at for ever; nothing is cut then.
    #[test]
    fn bytes_that_look_like_a_batch_everywhere_end_the_search() {
        let mut bytes = vec![0; 1 << 20];
        for at in (8..bytes.len() - 100_061).step_by(61) {
            bytes[at + 8..at + 12].copy_from_slice(&90_000_u32.to_be_bytes());
            bytes[at + MAGIC_AT] = 2;
            bytes[at + 17] = 1;
        }
        let behind = batch_behind(file(&bytes), Offset(0), 0, bytes.len() as u64, Offset(0)).unwrap();
        assert_eq!(behind, Behind::Unknown);
    }
}
