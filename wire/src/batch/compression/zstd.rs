//! Zstandard (RFC 8878, KIP-110): frames one after the other.

use zstd_safe::{CCtx, CParameter, DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

use super::{CHUNK_BYTES, Damage, KEPT_BYTES_MAX};

/// The decoder and its window, made when zstd is first met.
pub(super) type State = Option<DCtx<'static>>;

const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();

/// Set in a frame header's descriptor if there is no window: the content is one piece of a known size.
const SINGLE_SEGMENT: u8 = 1 << 5;

/// The window that a decoder holds, as a power of two: 16 MiB, which is what the largest batch has uncompressed.
///
/// Kafka's decoder takes 128 MiB. Java's encoder doesn't know how much will come and announces the window of its level,
/// that is up to 8 MiB until level 19, then 32, 64, 128. So a larger one is no reason to refuse: it is read as one of
/// 16 MiB, as long as its frame has no more content, in which no distance can be longer either.
const WINDOW_LOG: u32 = 24;
const WINDOW_BYTES: u64 = 1 << WINDOW_LOG;

/// The byte of a frame header that announces [`WINDOW_BYTES`]: the exponent above 10, then three bits of fraction.
const WINDOW_DESCRIPTOR: u8 = (WINDOW_LOG as u8 - 10) << 3;

/// The level from which zstd would choose windows that are wider than what we read ourselves.
const WIDE_LEVEL: i32 = 20;

pub(super) struct Reader<'s, 'b> {
    state: &'s mut State,
    rest: &'b [u8],
    at: At,
}

#[derive(Clone, Copy)]
enum At {
    /// Before the first frame, or between two.
    Between,
    /// Inside one, whose content may go on for this many bytes.
    Inside { left: u64 },
}

impl<'s, 'b> Reader<'s, 'b> {
    pub(super) fn new(state: &'s mut State, rest: &'b [u8]) -> Reader<'s, 'b> {
        let decoder = state.get_or_insert_with(|| {
            let mut decoder = DCtx::create();
            decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG)).expect("zstd knows windows of 16 MiB");
            decoder
        });
        decoder.reset(ResetDirective::SessionOnly).expect("a session can be ended at any time");
        Reader { state, rest, at: At::Between }
    }

    pub(super) fn fill(&mut self, chunk: &mut [u8]) -> Result<usize, Damage> {
        loop {
            let left = match self.at {
                At::Between if self.rest.is_empty() => return Ok(0),
                At::Between => self.begin(chunk)?,
                At::Inside { left } => left,
            };
            let (rest, written, step) = self.step(self.rest, chunk)?;
            let read = self.rest.len() - rest.len();
            self.rest = rest;
            let left = left.checked_sub(written as u64).ok_or(Damage::TooWide)?;
            self.at = if step == Step::Ended { At::Between } else { At::Inside { left } };
            if written > 0 {
                return Ok(written);
            }
            if step == Step::GoesOn && read == 0 {
                return Err(Damage::Garbled); // it ends inside a frame
            }
        }
    }

    /// Looks at the window that the next frame announces, and announces a smaller one to the decoder if need be. Tells
    /// how much content the frame may have.
    fn begin(&mut self, chunk: &mut [u8]) -> Result<u64, Damage> {
        if let Some(&[m0, m1, m2, m3, flags, window]) = self.rest.first_chunk::<6>()
            && [m0, m1, m2, m3] == MAGIC
            && flags & SINGLE_SEGMENT == 0
            && window > WINDOW_DESCRIPTOR
        {
            let narrow = [m0, m1, m2, m3, flags, WINDOW_DESCRIPTOR];
            let (unread, _, _) = self.step(&narrow, chunk)?;
            if !unread.is_empty() {
                return Err(Damage::Garbled);
            }
            self.rest = &self.rest[narrow.len()..];
            return Ok(WINDOW_BYTES);
        }
        Ok(u64::MAX)
    }

    /// Gives what was not read, how much was written, and whether the frame has ended.
    fn step<'i>(&mut self, input: &'i [u8], chunk: &mut [u8]) -> Result<(&'i [u8], usize, Step), Damage> {
        let decoder = self.state.as_mut().expect("made with the reader");
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(chunk);
        let hint = decoder.decompress_stream(&mut to, &mut from).map_err(|_| Damage::Garbled)?;
        Ok((&input[from.pos()..], to.pos(), if hint == 0 { Step::Ended } else { Step::GoesOn }))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    GoesOn,
    Ended,
}

impl Drop for Reader<'_, '_> {
    fn drop(&mut self) {
        if self.state.as_ref().is_some_and(|decoder| decoder.sizeof() > KEPT_BYTES_MAX) {
            *self.state = None;
        }
    }
}

/// Writes one frame.
pub(super) struct Writer {
    encoder: CCtx<'static>,
    output: Vec<u8>,
}

impl Writer {
    pub(super) fn new(level: i32, content: usize) -> Writer {
        let mut encoder = CCtx::create();
        let mut set =
            |parameter| encoder.set_parameter(parameter).expect("zstd clamps levels and knows windows of 16 MiB");
        set(CParameter::CompressionLevel(level));
        if level >= WIDE_LEVEL {
            set(CParameter::WindowLog(WINDOW_LOG));
        }
        encoder.set_pledged_src_size(Some(content as u64)).expect("the frame has not begun");
        Writer { encoder, output: Vec::new() }
    }

    pub(super) fn write(&mut self, content: &[u8]) -> usize {
        let mut from = InBuffer::around(content);
        while from.pos() < content.len() {
            grow(&mut self.output, |room| {
                self.encoder.compress_stream(room, &mut from).expect("no more content than was pledged")
            });
        }
        self.output.len()
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        while grow(&mut self.output, |room| self.encoder.end_stream(room).expect("as much content as was pledged")) > 0
        {
        }
        self.output
    }
}

/// Lets `write` fill some room behind the output; gives what it returns.
fn grow(output: &mut Vec<u8>, write: impl FnOnce(&mut OutBuffer<'_, [u8]>) -> usize) -> usize {
    let end = output.len();
    output.resize(end + CHUNK_BYTES, 0);
    let mut room = OutBuffer::around(&mut output[end..]);
    let left = write(&mut room);
    let written = room.pos();
    output.truncate(end + written);
    left
}
