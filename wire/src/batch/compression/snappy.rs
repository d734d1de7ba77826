//! Snappy: in the framing of xerial's snappy-java, as Kafka's own clients write it, or as one raw block, as librdkafka
//! and franz-go write it. A reader tells them apart by the frame's magic, which no raw block begins with.

use snap::raw;

use super::{Damage, room};

const MAGIC: [u8; 8] = *b"\x82SNAPPY\0";

/// The version that is written, and the oldest that may read it.
const VERSIONS: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];

const FRAME_HEADER_BYTES: usize = 16;

/// What Java compresses at a time.
const WRITTEN_BLOCK_BYTES: usize = 32 << 10;

/// The largest content of a block. A raw one holds the whole batch, and may point back to its very start: it is
/// decompressed as a whole. Who writes those counts the batch before it is compressed, so twice the largest batch is ample.
const BLOCK_BYTES_MAX: usize = 32 << 20;

/// The longest copy gives 64 bytes for three: what claims more per byte than this lies.
const EXPANSION_MAX: usize = 32;

pub(super) struct Reader<'b> {
    rest: &'b [u8],
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Unknown,
    Framed,
    /// Raw, and read.
    Ended,
}

impl<'b> Reader<'b> {
    pub(super) fn new(rest: &'b [u8]) -> Reader<'b> {
        Reader { rest, form: Form::Unknown }
    }

    pub(super) fn fill(&mut self, chunk: &mut Vec<u8>) -> Result<usize, Damage> {
        match self.form {
            Form::Unknown if self.rest.starts_with(&MAGIC) => {
                self.skip_header()?;
                self.form = Form::Framed;
            }
            Form::Unknown => {
                self.form = Form::Ended;
                return decompress(self.rest, chunk);
            }
            Form::Ended => return Ok(0),
            Form::Framed => {}
        }
        loop {
            // Java ends where no whole length is left.
            let Some((length, rest)) = self.rest.split_first_chunk::<4>() else { return Ok(0) };
            if MAGIC.starts_with(length) {
                self.skip_header()?; // one frame after the other
                continue;
            }
            let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| Damage::Garbled)?;
            let (block, rest) = rest.split_at_checked(length).ok_or(Damage::Garbled)?;
            self.rest = rest;
            let decompressed = decompress(block, chunk)?;
            if decompressed > 0 {
                return Ok(decompressed);
            }
        }
    }

    fn skip_header(&mut self) -> Result<(), Damage> {
        let (header, rest) = self.rest.split_at_checked(FRAME_HEADER_BYTES).ok_or(Damage::Garbled)?;
        // Java looks at the version of the writer only, and knows none below 1.
        let version = i32::from_be_bytes([header[8], header[9], header[10], header[11]]);
        if !header.starts_with(&MAGIC) || version < 1 {
            return Err(Damage::Garbled);
        }
        self.rest = rest;
        Ok(())
    }
}

fn decompress(block: &[u8], chunk: &mut Vec<u8>) -> Result<usize, Damage> {
    let length = raw::decompress_len(block).map_err(|_| Damage::Garbled)?;
    if length > block.len().saturating_mul(EXPANSION_MAX) {
        return Err(Damage::Garbled);
    }
    if length > BLOCK_BYTES_MAX {
        return Err(Damage::TooWide);
    }
    raw::Decoder::new().decompress(block, room(chunk, length)).map_err(|_| Damage::Garbled)
}

/// Writes one frame of blocks.
pub(super) struct Writer {
    encoder: raw::Encoder,
    block: Vec<u8>,
    output: Vec<u8>,
}

impl Writer {
    pub(super) fn new() -> Writer {
        let mut output = MAGIC.to_vec();
        output.extend_from_slice(&VERSIONS);
        Writer { encoder: raw::Encoder::new(), block: Vec::with_capacity(WRITTEN_BLOCK_BYTES), output }
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
        self.output
    }

    fn end_block(&mut self) {
        let compressed = self.encoder.compress_vec(&self.block).expect("a block is far below snappy's 4 GiB");
        let length = i32::try_from(compressed.len()).expect("a block is some 32 KiB");
        self.output.extend_from_slice(&length.to_be_bytes());
        self.output.extend_from_slice(&compressed);
        self.block.clear();
    }
}
