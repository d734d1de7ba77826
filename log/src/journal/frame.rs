//! The unit of one durable write: a header, entries, zeros up to the next block border.
//!
//! ```text
//!  0  u32  magic "THJ1"
//!  4  u32  CRC-32C of everything behind this field: the rest of the header and the entries, not the padding
//!  8  16B  journal id       a frame that another journal left on the same blocks is not ours
//! 24  u64  sequence         1 for the journal's first frame, then one more each
//! 32  u32  length           header and entries, bytes
//! 36  u32  entries          how many; 0 in a seal
//! 40  u32  previous         the CRC of the frame with the sequence before this one; 0 for the first
//! 44  u32  zero
//! 48  u64  checkpoint       every entry of the frames up to this sequence is in synced files
//! 56  u64  metadata index   what of the metadata log had been applied when the frame was made
//! 64  entries
//! ```
//! All numbers are big-endian.

use thalweg_wire::Uuid;
use thalweg_wire::checksum::crc32c;

use super::entry;

/// The size of a frame's header, in bytes.
pub const HEADER_BYTES: usize = 64;

const MAGIC: u32 = u32::from_be_bytes(*b"THJ1");

/// Where the bytes begin that the checksum covers.
pub(super) const CHECKED_FROM: usize = 8;

/// What a frame says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameHeader {
    /// The journal that the frame belongs to.
    pub journal: Uuid,
    /// Its number.
    pub sequence: u64,
    /// Header and entries in bytes, without the padding.
    pub length: u32,
    /// How many entries it holds.
    pub entries: u32,
    /// Its checksum, as written.
    pub checksum: u32,
    /// The checksum of the frame before it.
    pub previous: u32,
    /// Frames up to this one are in synced files.
    pub checkpoint: u64,
    /// The metadata index applied when it was made.
    pub metadata_index: u64,
}

impl FrameHeader {
    /// What stands at the start of a block, if it can be the header of a frame of that journal. Says nothing of the
    /// entries: see [`is_whole`].
    pub fn parse(block: &[u8], journal: Uuid) -> Option<FrameHeader> {
        let header: &[u8; HEADER_BYTES] = block.first_chunk()?;
        let u32_at = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let u64_at = |at: usize| u64::from(u32_at(at)) << 32 | u64::from(u32_at(at + 4));
        if u32_at(0) != MAGIC || header[8..24] != journal.0 {
            return None;
        }
        let found = FrameHeader {
            journal,
            checksum: u32_at(4),
            sequence: u64_at(24),
            length: u32_at(32),
            entries: u32_at(36),
            previous: u32_at(40),
            checkpoint: u64_at(48),
            metadata_index: u64_at(56),
        };
        let room = (found.length as usize).checked_sub(HEADER_BYTES)?;
        (found.entries as usize <= room / entry::PREFIX_BYTES && found.sequence > 0).then_some(found)
    }

    /// Writes the header over the first bytes of a frame whose entries are in place, and gives its checksum. `length`
    /// and `checksum` are computed here.
    pub fn seal(mut self, frame: &mut [u8]) -> u32 {
        self.length = u32::try_from(frame.len()).expect("a frame is far below 4 GiB: the journal bounds it");
        frame[0..4].copy_from_slice(&MAGIC.to_be_bytes());
        frame[8..24].copy_from_slice(&self.journal.0);
        frame[24..32].copy_from_slice(&self.sequence.to_be_bytes());
        frame[32..36].copy_from_slice(&self.length.to_be_bytes());
        frame[36..40].copy_from_slice(&self.entries.to_be_bytes());
        frame[40..44].copy_from_slice(&self.previous.to_be_bytes());
        frame[44..48].fill(0);
        frame[48..56].copy_from_slice(&self.checkpoint.to_be_bytes());
        frame[56..64].copy_from_slice(&self.metadata_index.to_be_bytes());
        let checksum = crc32c(&frame[CHECKED_FROM..]);
        frame[4..8].copy_from_slice(&checksum.to_be_bytes());
        checksum
    }
}

/// Whether a frame's bytes, header and entries without padding, are those that were written.
pub fn is_whole(frame: &[u8], header: &FrameHeader) -> bool {
    frame.len() == header.length as usize && crc32c(&frame[CHECKED_FROM..]) == header.checksum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(journal: Uuid, body: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; HEADER_BYTES];
        frame.extend_from_slice(body);
        FrameHeader {
            journal,
            sequence: 7,
            length: 0,
            entries: 1,
            checksum: 0,
            previous: 0xdead_beef,
            checkpoint: 3,
            metadata_index: 12,
        }
        .seal(&mut frame);
        frame
    }

    #[test]
    fn a_header_reads_back_and_any_flipped_bit_is_seen() {
        let journal = Uuid([9; 16]);
        let mut bytes = frame(journal, &[1, 0, 0, 0, 0, 0, 0, 0, 42]);
        let header = FrameHeader::parse(&bytes, journal).unwrap();
        assert_eq!(
            (header.sequence, header.length, header.entries, header.previous, header.checkpoint, header.metadata_index),
            (7, 73, 1, 0xdead_beef, 3, 12)
        );
        assert!(is_whole(&bytes, &header));
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let believed = FrameHeader::parse(&bytes, journal)
                .is_some_and(|header| bytes.get(..header.length as usize).is_some_and(|b| is_whole(b, &header)));
            assert!(!believed, "bit {bit} may flip unseen");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_frame_of_another_journal_is_nothing() {
        let bytes = frame(Uuid([9; 16]), &[0; 9]);
        assert_eq!(FrameHeader::parse(&bytes, Uuid([8; 16])), None);
        assert_eq!(FrameHeader::parse(&bytes[..63], Uuid([9; 16])), None);
    }
}
