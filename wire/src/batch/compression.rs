//! The codecs of a batch's records: bytes come out of them as a stream, in bounded memory, and go in again.
//!
//! A batch is untrusted: a few kilobytes may claim, or be, gigabytes. So nothing is allocated because a length says so,
//! a walk holds one chunk at a time, and what may come out of a batch has a bound ([`decompressed_bytes_max`]). Why these
//! codecs come from these crates is in `docs/decisions/0003-compression.md`.

mod gzip;
mod lz4;
mod snappy;
#[cfg(test)]
mod tests;
mod zstd;

use std::fmt;

use super::Codec;
use super::record::Source;

/// A codec, and how hard it tries: Kafka's `compression.type` with the level of that codec (KIP-390).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// Records as they are.
    None,
    /// `compression.gzip.level`, 1 to 9; `None` leaves it to the library.
    Gzip(Option<u32>),
    /// In xerial's framing, as Java writes it.
    Snappy,
    /// One frame of independent blocks. Kafka's default level is the fast compressor, and so is ours: there is no other.
    Lz4,
    /// `compression.zstd.level`, -131072 to 22.
    Zstd(i32),
}

impl Compression {
    /// What the batch's attributes call it.
    pub const fn codec(self) -> Codec {
        match self {
            Compression::None => Codec::None,
            Compression::Gzip(_) => Codec::Gzip,
            Compression::Snappy => Codec::Snappy,
            Compression::Lz4 => Codec::Lz4,
            Compression::Zstd(_) => Codec::Zstd,
        }
    }
}

/// Compresses the records field of a batch. [`Batch::compressed`](super::Batch::compressed) makes a batch of it.
pub fn compress(records: &[u8], how: Compression) -> Vec<u8> {
    let mut compressor = Compressor::new(how, records.len(), usize::MAX);
    match compressor.write(records).and_then(|()| compressor.finish()) {
        Ok(compressed) => compressed,
        Err(Larger) => unreachable!("no limit was given"),
    }
}

/// Why compressed records can't be read to their end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// They don't follow their codec's format, end too early, or fail a checksum of the codec's own.
    Garbled,
    /// More bytes come out than [`decompressed_bytes_max`] allows.
    TooLong,
    /// A window or block is larger than what is held at a time: 16 MiB for zstd, 32 MiB for snappy.
    TooWide,
}

/// The bytes that may come out of a batch with this many compressed ones: 16 MiB and 128 times as many, at most 1 GiB.
///
/// Kafka has no such bound. It makes the work for a batch proportional to what was sent: gzip's densest stream is
/// 1,000 times as small as its content, zstd's 30,000 times. 16 MiB is the largest batch that a topic takes uncompressed,
/// so whatever is taken plain is taken compressed too.
pub fn decompressed_bytes_max(compressed: usize) -> usize {
    compressed.saturating_mul(128).saturating_add(16 << 20).min(1 << 30)
}

/// Memory that decompression needs, kept from batch to batch so that small ones don't pay for it.
///
/// A new one holds nothing. What each codec holds while it runs: gzip 64 KiB and 43 KiB of state; snappy its largest
/// block, 32 KiB from Java, at most 32 MiB; lz4 its largest block, at most 4 MiB; zstd 64 KiB and its window, 2 MiB at the
/// default level, at most 16 MiB. Between batches a codec keeps at most 4 MiB.
#[derive(Default)]
pub struct Scratch {
    chunk: Vec<u8>,
    gzip: gzip::State,
    zstd: zstd::State,
}

/// What may be kept of a buffer between batches: zstd's window at its default level is below.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// What is decompressed at a time, where the codec leaves the choice.
const CHUNK_BYTES: usize = 64 << 10;

impl Scratch {
    /// Holds nothing yet.
    pub fn new() -> Scratch {
        Scratch::default()
    }

    /// Begins to decompress; [`Codec::None`] passes through.
    pub(super) fn open<'s, 'b>(&'s mut self, codec: Codec, compressed: &'b [u8]) -> Stream<'s, 'b> {
        let decoder = match codec {
            Codec::None => Decoder::None(compressed),
            Codec::Gzip => Decoder::Gzip(gzip::Reader::new(&mut self.gzip, compressed)),
            Codec::Snappy => Decoder::Snappy(snappy::Reader::new(compressed)),
            Codec::Lz4 => Decoder::Lz4(lz4::Reader::new(compressed)),
            Codec::Zstd => Decoder::Zstd(zstd::Reader::new(&mut self.zstd, compressed)),
        };
        let left = decompressed_bytes_max(compressed.len());
        Stream { decoder, chunk: &mut self.chunk, range: 0..0, passed: 0, left, damage: None }
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").field("chunk", &self.chunk.len()).finish_non_exhaustive()
    }
}

/// Decompressed bytes, a chunk at a time. It keeps nothing that it has passed.
pub(super) struct Stream<'s, 'b> {
    decoder: Decoder<'s, 'b>,
    chunk: &'s mut Vec<u8>,
    /// What is unread of the chunk.
    range: std::ops::Range<usize>,
    /// Bytes that have come out so far.
    passed: usize,
    /// Bytes that still may come out.
    left: usize,
    damage: Option<Damage>,
}

enum Decoder<'s, 'b> {
    None(&'b [u8]),
    Gzip(gzip::Reader<'s, 'b>),
    Snappy(snappy::Reader<'b>),
    Lz4(lz4::Reader<'b>),
    Zstd(zstd::Reader<'s, 'b>),
}

impl Decoder<'_, '_> {
    /// Decompresses into the front of the chunk, which grows as it must; tells how much. Nothing is the end.
    fn fill(&mut self, chunk: &mut Vec<u8>) -> Result<usize, Damage> {
        match self {
            Decoder::None(rest) => {
                let now = rest.len().min(CHUNK_BYTES);
                room(chunk, now).copy_from_slice(&rest[..now]);
                *rest = &rest[now..];
                Ok(now)
            }
            Decoder::Gzip(reader) => reader.fill(room(chunk, CHUNK_BYTES)),
            Decoder::Snappy(reader) => reader.fill(chunk),
            Decoder::Lz4(reader) => reader.fill(chunk),
            Decoder::Zstd(reader) => reader.fill(room(chunk, CHUNK_BYTES)),
        }
    }
}

/// The first bytes of a chunk, which never shrinks: growing costs zeroing, and is paid once.
fn room(chunk: &mut Vec<u8>, bytes: usize) -> &mut [u8] {
    if chunk.len() < bytes {
        chunk.resize(bytes, 0);
    }
    &mut chunk[..bytes]
}

impl Stream<'_, '_> {
    /// Why it ended, if that was too early.
    pub(super) fn damage(&self) -> Option<Damage> {
        self.damage
    }

    /// How many bytes have been decompressed so far.
    pub(super) fn passed(&self) -> usize {
        self.passed
    }

    /// All that is left of the chunk, or the next one; `None` at the end.
    pub(super) fn next_chunk(&mut self) -> Option<&[u8]> {
        if self.range.is_empty() && !self.refill() {
            return None;
        }
        let unread = std::mem::replace(&mut self.range, 0..0);
        Some(&self.chunk[unread])
    }

    #[cold]
    fn refill(&mut self) -> bool {
        if self.damage.is_some() {
            return false;
        }
        match self.decoder.fill(self.chunk) {
            Ok(bytes) => {
                self.passed += bytes;
                match self.left.checked_sub(bytes) {
                    Some(left) => (self.left, self.range) = (left, 0..bytes),
                    None => self.damage = Some(Damage::TooLong),
                }
            }
            Err(damage) => self.damage = Some(damage),
        }
        !self.range.is_empty()
    }
}

impl Source for Stream<'_, '_> {
    type Field = ();

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        if self.range.is_empty() && !self.refill() {
            return None;
        }
        let byte = self.chunk[self.range.start];
        self.range.start += 1;
        Some(byte)
    }

    fn take(&mut self, mut count: usize) -> Option<()> {
        while count > self.range.len() {
            count -= self.range.len();
            self.range = 0..0;
            if !self.refill() {
                return None;
            }
        }
        self.range.start += count;
        Some(())
    }
}

impl Drop for Stream<'_, '_> {
    fn drop(&mut self) {
        if self.chunk.len() > KEPT_BYTES_MAX {
            *self.chunk = Vec::new();
        }
    }
}

/// The output would be longer than its limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Larger;

/// Compresses what it is given, up to a limit.
pub(super) struct Compressor {
    encoder: Encoder,
    /// Bytes of output that end it.
    limit: usize,
}

enum Encoder {
    None(Vec<u8>),
    Gzip(gzip::Writer),
    // Its table of two kilobytes stands in it.
    Snappy(Box<snappy::Writer>),
    Lz4(lz4::Writer),
    Zstd(zstd::Writer),
}

impl Compressor {
    /// `content` is how many bytes will be written: zstd makes its tables no larger than that needs.
    pub(super) fn new(how: Compression, content: usize, limit: usize) -> Compressor {
        let encoder = match how {
            Compression::None => Encoder::None(Vec::new()),
            Compression::Gzip(level) => Encoder::Gzip(gzip::Writer::new(level)),
            Compression::Snappy => Encoder::Snappy(Box::new(snappy::Writer::new())),
            Compression::Lz4 => Encoder::Lz4(lz4::Writer::new()),
            Compression::Zstd(level) => Encoder::Zstd(zstd::Writer::new(level, content)),
        };
        Compressor { encoder, limit }
    }

    /// Takes more of the content.
    pub(super) fn write(&mut self, content: &[u8]) -> Result<(), Larger> {
        for content in content.chunks(CHUNK_BYTES) {
            let written = match &mut self.encoder {
                Encoder::None(output) => {
                    output.extend_from_slice(content);
                    output.len()
                }
                Encoder::Gzip(writer) => writer.write(content),
                Encoder::Snappy(writer) => writer.write(content),
                Encoder::Lz4(writer) => writer.write(content),
                Encoder::Zstd(writer) => writer.write(content),
            };
            self.fits(written)?;
        }
        Ok(())
    }

    /// The compressed bytes, complete.
    pub(super) fn finish(self) -> Result<Vec<u8>, Larger> {
        let limit = self.limit;
        let output = match self.encoder {
            Encoder::None(output) => output,
            Encoder::Gzip(writer) => writer.finish(),
            Encoder::Snappy(writer) => writer.finish(),
            Encoder::Lz4(writer) => writer.finish(),
            Encoder::Zstd(writer) => writer.finish(),
        };
        if output.len() > limit { Err(Larger) } else { Ok(output) }
    }

    fn fits(&self, bytes: usize) -> Result<(), Larger> {
        if bytes > self.limit { Err(Larger) } else { Ok(()) }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Damage::Garbled => "its bytes are garbled or cut",
            Damage::TooLong => "far more comes out of it than any batch may hold",
            Damage::TooWide => "a window or block in it is larger than 16 MiB (snappy: 32 MiB)",
        })
    }
}
