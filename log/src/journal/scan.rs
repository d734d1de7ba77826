//! Reading a journal after a stop: which frames still count, and whether something is missing among them.
//!
//! Only the last frame can be torn by a crash (one write is in flight, ever), and then nothing was acknowledged from
//! it. So the frames above the checkpoint must be numbered without a hole and chained by their checksums; a hole or a
//! broken chain is damage, and the directory is [`Suspect`] rather than shortened.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use thalweg_wire::Uuid;
use thalweg_wire::checksum::Crc32c;
use thalweg_world::DiskFile;
use thalweg_world::disk::BLOCK_BYTES;

use super::entry::{self, RawEntry};
use super::frame::{self, FrameHeader, HEADER_BYTES};

/// How much of a file is read at a time, in bytes.
const WINDOW_BYTES: usize = 1 << 20;

/// The largest alignment of direct writes that a disk may want, in bytes: the largest block that Linux knows.
const ALIGNMENT_BYTES_MAX: u64 = 64 << 10;

/// A whole frame and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The file's place in the ring's list.
    pub file: usize,
    /// The frame's position in it, in bytes.
    pub at: u64,
    /// What it says of itself.
    pub header: FrameHeader,
}

/// The journal can't be trusted to hold all that was acknowledged: nothing of it is changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Suspect {
    /// Frames are missing below one that is there.
    Missing {
        /// The first missing sequence.
        first: u64,
        /// The sequence of the next frame that is there.
        next: u64,
    },
    /// Two frames carry one sequence.
    Doubled {
        /// That sequence.
        sequence: u64,
    },
    /// A frame doesn't continue the one before it.
    Unchained {
        /// The sequence of the frame.
        sequence: u64,
    },
    /// A frame stands where none was put behind the one before it.
    Misplaced {
        /// The sequence of the frame.
        sequence: u64,
    },
    /// A frame says that frames are in synced files which were not yet written when it was made.
    CheckpointAhead {
        /// The sequence of the frame.
        sequence: u64,
    },
    /// An entry of a whole frame can't be read.
    Malformed {
        /// The sequence of the frame.
        sequence: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Suspect::Missing { first, next } => {
                write!(
                    f,
                    "frames {first} to {} of the journal are damaged or missing, but frame {next} is there",
                    next - 1
                )
            }
            Suspect::Doubled { sequence } => write!(f, "frame {sequence} of the journal stands in two places"),
            Suspect::Unchained { sequence } => {
                write!(f, "frame {sequence} of the journal doesn't continue the frame before it")
            }
            Suspect::Misplaced { sequence } => {
                write!(f, "frame {sequence} of the journal stands in the wrong place")
            }
            Suspect::CheckpointAhead { sequence } => {
                write!(f, "frame {sequence} of the journal claims a checkpoint that lies after it")
            }
            Suspect::Malformed { sequence, reason } => write!(f, "frame {sequence} of the journal: {reason}"),
        }
    }
}

/// All whole frames of a file, which is the one of that `place` in the ring, in the order in which they stand there, those of earlier laps too.
///
/// A block that begins no whole frame is passed over, one block at a time: behind the newest frame lie the remains of
/// older ones, and a frame that a disk put in the wrong place must be seen as well. The smallest block is the step,
/// whatever the disk wants now: the files may have been written on another. Any length is believed that the checksum
/// confirms: the limits may have been larger once.
///
/// # Errors
/// Those of the disk.
pub fn whole_frames(file: &dyn DiskFile, place: usize, journal: Uuid) -> io::Result<Vec<Found>> {
    let block = BLOCK_BYTES as u64;
    let size = file.size()?;
    let mut window = Window { file, size, start: 0, bytes: Vec::new() };
    let mut found = Vec::new();
    let mut at = block;
    while at + HEADER_BYTES as u64 <= size {
        let header = FrameHeader::parse(window.read(at, HEADER_BYTES)?, journal);
        let length = header.map_or(0, |header| u64::from(header.length));
        match header.filter(|_| at + length <= size) {
            Some(header) if window.checksum(at + frame::CHECKED_FROM as u64, at + length)? == header.checksum => {
                found.push(Found { file: place, at, header });
                at += length.next_multiple_of(block);
            }
            _ => at += block,
        }
    }
    Ok(found)
}

/// A stretch of a file in memory, so that a walk over blocks is not a system call a block.
struct Window<'a> {
    file: &'a dyn DiskFile,
    size: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window<'_> {
    /// The bytes at a position; the caller made sure that the file has them.
    fn read(&mut self, at: u64, length: usize) -> io::Result<&[u8]> {
        let held = at >= self.start && at + length as u64 <= self.start + self.bytes.len() as u64;
        if !held {
            let wanted = (self.size - at).min(length.max(WINDOW_BYTES) as u64) as usize;
            self.bytes.resize(wanted, 0);
            self.start = at;
            let read = self.file.read_at(&mut self.bytes, at)?;
            if read < length {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the journal file became shorter while it was read",
                ));
            }
            self.bytes.truncate(read);
        }
        let from = (at - self.start) as usize;
        Ok(&self.bytes[from..from + length])
    }

    /// The CRC-32C of a stretch of any length, in pieces.
    fn checksum(&mut self, from: u64, to: u64) -> io::Result<u32> {
        let mut checksum = Crc32c::new();
        let mut at = from;
        while at < to {
            let length = (to - at).min(WINDOW_BYTES as u64) as usize;
            checksum.update(self.read(at, length)?);
            at += length as u64;
        }
        Ok(checksum.finish())
    }
}

impl Found {
    /// Whether this frame stands where the one behind `before` goes: right there, or at the beginning of a file. On a disk
    /// of any block, since the files may have been written on another.
    fn follows(&self, before: &Found) -> bool {
        let end = if self.file == before.file { before.at + u64::from(before.header.length) } else { 1 };
        let alignments = std::iter::successors(Some(BLOCK_BYTES as u64), |alignment| Some(alignment * 2));
        let mut alignments = alignments.take_while(|&alignment| alignment <= ALIGNMENT_BYTES_MAX);
        alignments.any(|alignment| self.at == end.next_multiple_of(alignment))
    }
}

/// The frames that count, or why there is no saying.
#[derive(Debug)]
pub(super) struct Live {
    /// Frames above the checkpoint, in order.
    pub(super) frames: Vec<Found>,
    /// The newest frame of all, from which the journal goes on.
    pub(super) newest: Option<Found>,
}

/// Sorts out the frames of all files.
pub(super) fn live(mut found: Vec<Found>) -> Result<Live, Suspect> {
    found.sort_unstable_by_key(|frame| frame.header.sequence);
    if let Some(pair) = found.windows(2).find(|pair| pair[0].header.sequence == pair[1].header.sequence) {
        return Err(Suspect::Doubled { sequence: pair[0].header.sequence });
    }
    let Some(newest) = found.last().copied() else { return Ok(Live { frames: found, newest: None }) };
    let checkpoint = newest.header.checkpoint;
    if checkpoint >= newest.header.sequence {
        return Err(Suspect::CheckpointAhead { sequence: newest.header.sequence });
    }
    // Frames at or below the checkpoint may be half overwritten: holes among them mean nothing.
    let first_live = found.partition_point(|frame| frame.header.sequence <= checkpoint);
    let before = found[..first_live].last().filter(|frame| frame.header.sequence == checkpoint).copied();
    let frames = found.split_off(first_live);
    let mut previous = before.map(|frame| frame.header.checksum).or((checkpoint == 0).then_some(0));
    let mut last = before;
    for (expected, frame) in (checkpoint + 1..).zip(&frames) {
        let header = &frame.header;
        if header.sequence != expected {
            return Err(Suspect::Missing { first: expected, next: header.sequence });
        }
        if previous.is_some_and(|checksum| checksum != header.previous) {
            return Err(Suspect::Unchained { sequence: header.sequence });
        }
        if last.is_some_and(|last| !frame.follows(&last)) {
            return Err(Suspect::Misplaced { sequence: header.sequence });
        }
        last = Some(*frame);
        previous = Some(header.checksum);
    }
    Ok(Live { frames, newest: Some(newest) })
}

/// The frames to go over after a stop, read again as often as needed. Blocks: use it inside `offload`.
pub struct Replay {
    pub(super) files: Vec<Arc<dyn DiskFile>>,
    pub(super) frames: Vec<Found>,
}

/// Why a replay ended early.
#[derive(Debug)]
pub enum ReplayError {
    /// The disk failed.
    Io(io::Error),
    /// What was whole a moment ago isn't any more, or was never ours.
    Suspect(Suspect),
}

impl Replay {
    /// The bytes in the frames to go over.
    pub fn bytes(&self) -> u64 {
        self.frames.iter().map(|frame| u64::from(frame.header.length)).sum()
    }

    /// The metadata index that the newest frame names; 0 without one.
    pub fn metadata_index(&self) -> u64 {
        self.frames.last().map_or(0, |frame| frame.header.metadata_index)
    }

    /// Calls `visit` with the frame's sequence and each of its entries, in the order in which they were made.
    pub fn for_each<E: From<ReplayError>>(
        &self,
        mut visit: impl FnMut(u64, RawEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        for frame in &self.frames {
            let sequence = frame.header.sequence;
            let mut entries = self.entries(frame)?;
            for _ in 0..frame.header.entries {
                let entry = entry::split(&mut entries).ok_or_else(|| {
                    ReplayError::Suspect(Suspect::Malformed { sequence, reason: "an entry is cut short".to_owned() })
                })?;
                visit(sequence, entry)?;
            }
        }
        Ok(())
    }

    fn entries(&self, frame: &Found) -> Result<Bytes, ReplayError> {
        frame.entries(&*self.files[frame.file])
    }
}

impl Found {
    /// The bytes of its entries, read again.
    ///
    /// # Errors
    /// [`ReplayError`] if the disk gives others than before.
    pub fn entries(&self, file: &dyn DiskFile) -> Result<Bytes, ReplayError> {
        let mut bytes = vec![0; self.header.length as usize];
        let read = file.read_at(&mut bytes, self.at).map_err(ReplayError::Io)?;
        if read != bytes.len() || !frame::is_whole(&bytes, &self.header) {
            return Err(ReplayError::Suspect(Suspect::Malformed {
                sequence: self.header.sequence,
                reason: "the disk gives other bytes at the second reading".to_owned(),
            }));
        }
        Ok(Bytes::from(bytes).slice(HEADER_BYTES..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: u64 = BLOCK_BYTES as u64;

    /// Frames of one block each, chained, in one file after the other, four in each.
    fn frames(sequences: std::ops::RangeInclusive<u64>, checkpoint: u64) -> Vec<Found> {
        let found = |sequence: u64| {
            let header = FrameHeader {
                journal: Uuid([1; 16]),
                sequence,
                length: 100,
                entries: 1,
                checksum: sequence as u32 * 7,
                previous: (sequence as u32 - 1) * 7,
                checkpoint,
                metadata_index: 0,
            };
            let place = sequence - 1;
            Found { file: (place / 4) as usize, at: BLOCK + place % 4 * BLOCK, header }
        };
        sequences.map(found).collect()
    }

    fn verdict(found: Vec<Found>) -> Result<Vec<u64>, Suspect> {
        Ok(live(found)?.frames.iter().map(|frame| frame.header.sequence).collect())
    }

    #[test]
    fn what_counts_is_what_stands_above_the_newest_checkpoint() {
        assert_eq!(verdict(Vec::new()), Ok(vec![]));
        assert_eq!(verdict(frames(1..=6, 0)), Ok(vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(verdict(frames(1..=9, 7)), Ok(vec![8, 9]));
        assert_eq!(verdict(frames(7..=9, 7)), Ok(vec![8, 9]), "holes below the checkpoint mean nothing");
        assert_eq!(verdict(frames(8..=9, 7)), Ok(vec![8, 9]), "its own frame may be written over too");
    }

    #[test]
    fn a_hole_above_the_checkpoint_is_damage_wherever_it_is() {
        for missing in 3..=8 {
            let mut found = frames(1..=9, 2);
            found.retain(|frame| frame.header.sequence != missing);
            assert_eq!(verdict(found), Err(Suspect::Missing { first: missing, next: missing + 1 }));
        }
    }

    #[test]
    fn a_frame_that_does_not_continue_the_one_before_it_is_not_believed() {
        let mut found = frames(1..=6, 2);
        found[4].header.previous ^= 1;
        assert_eq!(verdict(found.clone()), Err(Suspect::Unchained { sequence: 5 }));
        found[4].header.checkpoint = 2;
        found.swap(0, 5);
        assert_eq!(verdict(found), Err(Suspect::Unchained { sequence: 5 }), "whatever the order in which they stand");
        let mut found = frames(1..=1, 0);
        found[0].header.previous = 9;
        assert_eq!(verdict(found), Err(Suspect::Unchained { sequence: 1 }), "the first continues nothing");
    }

    #[test]
    fn a_frame_beside_its_place_is_seen_even_where_it_hurt_nobody() {
        for (at, file) in [(3 * BLOCK, 1), (5 * BLOCK, 0), (BLOCK, 0), (40 * BLOCK, 0)] {
            let mut found = frames(1..=4, 0);
            (found[3].at, found[3].file) = (at, file);
            assert_eq!(verdict(found), Err(Suspect::Misplaced { sequence: 4 }), "at {at} of file {file}");
        }
    }

    #[test]
    fn frames_of_a_disk_with_larger_blocks_stand_further_apart() {
        let large = 4 * BLOCK;
        let mut found = frames(1..=3, 0);
        for (place, frame) in (1..).zip(&mut found) {
            frame.at = place * large;
        }
        (found[2].file, found[2].at) = (1, large);
        assert_eq!(verdict(found), Ok(vec![1, 2, 3]));
    }

    #[test]
    fn two_frames_of_one_number_or_a_checkpoint_of_the_future_can_not_be() {
        let mut found = frames(1..=4, 0);
        found.push(found[2]);
        assert_eq!(verdict(found), Err(Suspect::Doubled { sequence: 3 }));
        assert_eq!(verdict(frames(1..=4, 4)), Err(Suspect::CheckpointAhead { sequence: 4 }));
    }
}
