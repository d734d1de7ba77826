//! Gzip (RFC 1952): members one after the other, as Java's `GZIPInputStream` reads them.

use std::io::Write;

use flate2::write::GzEncoder;
use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::Damage;

/// The inflater and its window of 32 KiB, made when gzip is first met.
pub(super) type State = Option<Decompress>;

const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;

/// Reads members until there are no more.
pub(super) struct Reader<'s, 'b> {
    inflate: &'s mut Decompress,
    rest: &'b [u8],
    crc: Crc,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// The first member has to be there.
    Start,
    Inside,
    Between,
    End,
}

impl<'s, 'b> Reader<'s, 'b> {
    pub(super) fn new(state: &'s mut State, rest: &'b [u8]) -> Reader<'s, 'b> {
        let inflate = state.get_or_insert_with(|| Decompress::new(false));
        Reader { inflate, rest, crc: Crc::new(), at: At::Start }
    }

    pub(super) fn fill(&mut self, chunk: &mut [u8]) -> Result<usize, Damage> {
        loop {
            match self.at {
                At::End => return Ok(0),
                At::Start | At::Between => match past_header(self.rest) {
                    Some(rest) => {
                        self.rest = rest;
                        self.at = At::Inside;
                        self.inflate.reset(false);
                        self.crc.reset();
                    }
                    None if self.at == At::Start => return Err(Damage::Garbled),
                    // Java takes what follows a member and isn't one for padding.
                    None => self.at = At::End,
                },
                At::Inside => {
                    let inflated = self.inflate(chunk)?;
                    if inflated > 0 {
                        return Ok(inflated);
                    }
                }
            }
        }
    }

    fn inflate(&mut self, chunk: &mut [u8]) -> Result<usize, Damage> {
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(self.rest, chunk, FlushDecompress::None).map_err(|_| Damage::Garbled)?;
        // Both are differences within the two slices.
        let read = (self.inflate.total_in() - read) as usize;
        let written = (self.inflate.total_out() - written) as usize;
        self.rest = &self.rest[read..];
        self.crc.update(&chunk[..written]);
        if status == Status::StreamEnd {
            let (trailer, rest) = self.rest.split_first_chunk::<8>().ok_or(Damage::Garbled)?;
            let expected = u64::from(self.crc.amount()) << 32 | u64::from(self.crc.sum());
            if u64::from_le_bytes(*trailer) != expected {
                return Err(Damage::Garbled);
            }
            self.rest = rest;
            self.at = At::Between;
        } else if read == 0 && written == 0 {
            return Err(Damage::Garbled); // it ends inside a member
        }
        Ok(written)
    }
}

/// What follows a member's header; `None` if there is no whole one.
fn past_header(bytes: &[u8]) -> Option<&[u8]> {
    let (fixed, mut rest) = bytes.split_first_chunk::<10>()?;
    let flags = fixed[3];
    if fixed[..3] != MAGIC {
        return None;
    }
    if flags & EXTRA != 0 {
        let (length, extra) = rest.split_first_chunk::<2>()?;
        rest = extra.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|&byte| byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & HEADER_CRC != 0 {
        let mut crc = Crc::new();
        crc.update(&bytes[..bytes.len() - rest.len()]);
        let (stored, body) = rest.split_first_chunk::<2>()?;
        if u32::from(u16::from_le_bytes(*stored)) != crc.sum() & 0xffff {
            return None;
        }
        rest = body;
    }
    Some(rest)
}

/// Writes one member.
pub(super) struct Writer(GzEncoder<Vec<u8>>);

impl Writer {
    pub(super) fn new(level: Option<u32>) -> Writer {
        let level = level.map_or(flate2::Compression::default(), |level| flate2::Compression::new(level.min(9)));
        Writer(GzEncoder::new(Vec::new(), level))
    }

    pub(super) fn write(&mut self, content: &[u8]) -> usize {
        self.0.write_all(content).expect("memory takes every write");
        self.0.get_ref().len()
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0.finish().expect("memory takes every write")
    }
}
