//! LZ4: one frame of independent blocks (LZ4 frame format 1.5.1), as Kafka's `Lz4BlockInputStream` reads it.
//!
//! As there: blocks that refer to the one before are refused, what follows the end mark is not looked at, a content size is
//! skipped. The checksum of the whole content is not computed: the batch's own covers the same bytes.

use lz4_flex::block;
use twox_hash::XxHash32;

use super::{Damage, room};

const MAGIC: [u8; 4] = 0x184d_2204_u32.to_le_bytes();

// The first byte of the descriptor: version in the upper two bits, then flags.
const VERSION_MASK: u8 = 0b1100_0000;
const VERSION: u8 = 0b0100_0000;
const INDEPENDENT: u8 = 1 << 5;
const BLOCK_CHECKSUM: u8 = 1 << 4;
const CONTENT_SIZE: u8 = 1 << 3;
const CONTENT_CHECKSUM: u8 = 1 << 2;
const RESERVED: u8 = 0b11;

/// Blocks of 64 KiB, as the second byte of the descriptor says it.
const BLOCKS_64_KIB: u8 = 4 << 4;
const WRITTEN_BLOCK_BYTES: usize = 64 << 10;

/// Set in a block's length if its bytes are stored as they are.
const STORED: u32 = 1 << 31;

/// A byte that lengthens a match stands for 255 bytes: no block gives more per byte.
const EXPANSION_MAX: usize = 255;

pub(super) struct Reader<'b> {
    rest: &'b [u8],
    at: At,
}

#[derive(Clone, Copy)]
enum At {
    Start,
    Blocks { flags: u8, bytes_max: usize },
    End,
}

impl<'b> Reader<'b> {
    pub(super) fn new(rest: &'b [u8]) -> Reader<'b> {
        Reader { rest, at: At::Start }
    }

    pub(super) fn fill(&mut self, chunk: &mut Vec<u8>) -> Result<usize, Damage> {
        self.next(chunk).ok_or(Damage::Garbled)
    }

    fn next(&mut self, chunk: &mut Vec<u8>) -> Option<usize> {
        loop {
            match self.at {
                At::Start => self.at = self.header()?,
                At::Blocks { flags, bytes_max } => {
                    let length = u32::from_le_bytes(*self.take::<4>()?);
                    if length & !STORED == 0 {
                        if flags & CONTENT_CHECKSUM != 0 {
                            self.take::<4>()?;
                        }
                        self.at = At::End;
                        continue;
                    }
                    let bytes = usize::try_from(length & !STORED).ok().filter(|&bytes| bytes <= bytes_max)?;
                    let (block, rest) = self.rest.split_at_checked(bytes)?;
                    self.rest = rest;
                    if flags & BLOCK_CHECKSUM != 0
                        && u32::from_le_bytes(*self.take::<4>()?) != XxHash32::oneshot(0, block)
                    {
                        return None;
                    }
                    let decompressed = if length & STORED != 0 {
                        room(chunk, bytes).copy_from_slice(block);
                        bytes
                    } else {
                        let room = room(chunk, bytes_max.min(bytes * EXPANSION_MAX));
                        block::decompress_into(block, room).ok()?
                    };
                    if decompressed > 0 {
                        return Some(decompressed);
                    }
                }
                At::End => return Some(0),
            }
        }
    }

    fn header(&mut self) -> Option<At> {
        if *self.take::<4>()? != MAGIC {
            return None;
        }
        let descriptor = self.rest;
        let [flags, sizes] = *self.take::<2>()?;
        if flags & VERSION_MASK != VERSION || flags & INDEPENDENT == 0 || flags & RESERVED != 0 {
            return None;
        }
        if flags & CONTENT_SIZE != 0 {
            self.take::<8>()?;
        }
        let hash = XxHash32::oneshot(0, &descriptor[..descriptor.len() - self.rest.len()]);
        let size = sizes >> 4;
        if *self.take::<1>()? != [hash.to_le_bytes()[1]] || !(4..=7).contains(&size) || sizes & 0x0f != 0 {
            return None;
        }
        Some(At::Blocks { flags, bytes_max: 1 << (2 * size + 8) })
    }

    fn take<const N: usize>(&mut self) -> Option<&'b [u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(taken)
    }
}

/// Writes one frame.
pub(super) struct Writer {
    block: Vec<u8>,
    compressed: Vec<u8>,
    output: Vec<u8>,
}

impl Writer {
    pub(super) fn new() -> Writer {
        let descriptor = [VERSION | INDEPENDENT, BLOCKS_64_KIB];
        let mut output = MAGIC.to_vec();
        output.extend_from_slice(&descriptor);
        output.push(XxHash32::oneshot(0, &descriptor).to_le_bytes()[1]);
        let compressed = vec![0; block::get_maximum_output_size(WRITTEN_BLOCK_BYTES)];
        Writer { block: Vec::with_capacity(WRITTEN_BLOCK_BYTES), compressed, output }
    }

    pub(super) fn write(&mut self, mut content: &[u8]) -> usize {
        while !content.is_empty() {
            let (now, later) = content.split_at(content.len().min(WRITTEN_BLOCK_BYTES - self.block.len()));
            self.block.extend_from_slice(now);
            content = later;
            if self.block.len() == WRITTEN_BLOCK_BYTES {
                self.end_block();
            }
        }
        self.output.len()
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        if !self.block.is_empty() {
            self.end_block();
        }
        self.output.extend_from_slice(&[0; 4]); // the end mark
        self.output
    }

    fn end_block(&mut self) {
        let length = block::compress_into(&self.block, &mut self.compressed).expect("the room is for the worst case");
        let (flag, bytes) =
            if length < self.block.len() { (0, &self.compressed[..length]) } else { (STORED, self.block.as_slice()) };
        let length = u32::try_from(bytes.len()).expect("a block is at most 64 KiB");
        self.output.extend_from_slice(&(length | flag).to_le_bytes());
        self.output.extend_from_slice(bytes);
        self.block.clear();
    }
}
