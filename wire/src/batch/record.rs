//! Records inside a batch: one way of reading them, over bytes at hand or bytes that come out of a decompressor.

use std::fmt;

use crate::{Offset, Timestamp};

use super::compression::{Scratch, Stream};
use super::{Batch, Codec, TimestampType};

/// Where a record's bytes come from. What a field is taken *as* is the source's choice: a slice lends it,
/// a stream that keeps nothing gives `()`.
pub(super) trait Source {
    type Field;

    /// The next byte, or `None` at the end.
    fn byte(&mut self) -> Option<u8>;

    /// The next `count` bytes, or `None` if there are fewer.
    fn take(&mut self, count: usize) -> Option<Self::Field>;
}

impl<'a> Source for &'a [u8] {
    type Field = &'a [u8];

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.split_first()?;
        *self = rest;
        Some(first)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.split_at_checked(count)?;
        *self = rest;
        Some(field)
    }
}

/// How a record breaks the layout of Kafka's `DefaultRecord`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// The bytes end inside it, or don't decompress any further, or a field reaches beyond it.
    Short,
    /// A varint of more than 5 bytes (10 for a timestamp).
    Varint,
    /// A negative length of the record, of its header list, or of a header's key.
    Negative,
    /// Bytes are left between its last field and its end.
    Long,
}

/// What a walk over records learns of each: all that verification needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fields<F> {
    pub(super) timestamp_delta: i64,
    pub(super) offset_delta: i32,
    pub(super) key: Option<F>,
    pub(super) value: Option<F>,
    pub(super) headers: usize,
}

/// Reads one record up to its headers, then hands them, still unread, to `headers`, and holds it to its length.
pub(super) fn read<S: Source, H>(
    source: &mut S,
    headers: impl FnOnce(&mut Body<'_, S>, usize) -> Result<H, Malformed>,
) -> Result<(Fields<S::Field>, H), Malformed> {
    let left = length(varint(source)?)?.ok_or(Malformed::Negative)?;
    let mut body = Body { source, left };
    body.byte().ok_or(Malformed::Short)?; // attributes: no bit means anything yet
    let timestamp_delta = varlong(&mut body)?;
    let offset_delta = varint(&mut body)?;
    let key = nullable(&mut body)?;
    let value = nullable(&mut body)?;
    let count = length(varint(&mut body)?)?.ok_or(Malformed::Negative)?;
    let rest = headers(&mut body, count)?;
    if body.left > 0 {
        return Err(Malformed::Long);
    }
    Ok((Fields { timestamp_delta, offset_delta, key, value, headers: count }, rest))
}

/// Walks over headers. Each takes two bytes at least, so a huge count ends with the record.
pub(super) fn skip_headers<S: Source>(body: &mut Body<'_, S>, count: usize) -> Result<(), Malformed> {
    for _ in 0..count {
        nullable(body)?.ok_or(Malformed::Negative)?;
        nullable(body)?;
    }
    Ok(())
}

/// A source that ends with the record.
pub(super) struct Body<'s, S> {
    source: &'s mut S,
    left: usize,
}

impl<S: Source> Source for Body<'_, S> {
    type Field = S::Field;

    fn byte(&mut self) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        self.source.byte()
    }

    fn take(&mut self, count: usize) -> Option<S::Field> {
        self.left = self.left.checked_sub(count)?;
        self.source.take(count)
    }
}

/// Any negative length is null, as Kafka reads keys and values.
fn nullable<S: Source>(source: &mut S) -> Result<Option<S::Field>, Malformed> {
    match length(varint(source)?)? {
        Some(count) => source.take(count).map(Some).ok_or(Malformed::Short),
        None => Ok(None),
    }
}

fn length(raw: i32) -> Result<Option<usize>, Malformed> {
    if raw < 0 { Ok(None) } else { usize::try_from(raw).map(Some).map_err(|_| Malformed::Short) }
}

/// A zigzag varint of at most 5 bytes. One that is longer than it need be is taken, as Kafka does.
fn varint<S: Source>(source: &mut S) -> Result<i32, Malformed> {
    let first = source.byte().ok_or(Malformed::Short)?;
    let mut raw = u32::from(first & 0x7f);
    if first >= 0x80 {
        let mut shift = 7;
        loop {
            let byte = source.byte().ok_or(Malformed::Short)?;
            raw |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
            shift += 7;
            if shift > 28 {
                return Err(Malformed::Varint);
            }
        }
    }
    Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
}

/// A zigzag varint of at most 10 bytes.
fn varlong<S: Source>(source: &mut S) -> Result<i64, Malformed> {
    let mut raw = 0u64;
    for shift in (0..=63).step_by(7) {
        let byte = source.byte().ok_or(Malformed::Short)?;
        raw |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed());
        }
    }
    Err(Malformed::Varint)
}

/// One record, borrowed from its batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// Its place in the log.
    pub offset: Offset,
    /// Its time: its own, or the batch's under `LogAppendTime`.
    pub timestamp: Timestamp,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; without one it is a tombstone on a compacted topic.
    pub value: Option<&'a [u8]>,
    /// Its headers, in order.
    pub headers: HeaderFields<'a>,
}

/// The headers of a record: an iterator over key and value. Keys are meant to be UTF-8, but nobody checks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeaderFields<'a> {
    rest: &'a [u8],
    count: usize,
}

impl<'a> Iterator for HeaderFields<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        self.count = self.count.checked_sub(1)?;
        // They were walked when the record was read, so neither of these ends the list early.
        let key = nullable(&mut self.rest).ok().flatten()?;
        let value = nullable(&mut self.rest).ok()?;
        Some((key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

/// What a batch's header says of each of its records.
#[derive(Clone, Copy, Debug)]
struct Bases {
    offset: Offset,
    timestamp: i64,
    append_time: Option<Timestamp>,
}

impl Bases {
    fn of(batch: &Batch) -> Bases {
        let header = batch.header();
        Bases {
            offset: header.base_offset(),
            timestamp: header.base_timestamp().millis(),
            append_time: match header.timestamp_type() {
                TimestampType::CreateTime => None,
                TimestampType::LogAppendTime => Some(header.max_timestamp()),
            },
        }
    }

    /// Wrapping and saturating, as a batch from a damaged disk may say anything.
    fn place<F>(&self, fields: &Fields<F>) -> (Offset, Timestamp) {
        let own = Timestamp::from_millis(self.timestamp.wrapping_add(fields.timestamp_delta));
        (Offset(self.offset.0.saturating_add(i64::from(fields.offset_delta))), self.append_time.unwrap_or(own))
    }
}

/// The records of an uncompressed batch, in order; ends after the first malformed one.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    left: i32,
    bases: Bases,
}

impl<'a> Records<'a> {
    /// Reads a batch's records; `None` if the batch is compressed: then see [`Batch::decompressed`] and [`Times`].
    pub fn of(batch: &'a Batch) -> Option<Records<'a>> {
        let header = batch.header();
        (header.codec() == Some(Codec::None)).then(|| Records {
            rest: batch.records(),
            left: header.count(),
            bases: Bases::of(batch),
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Malformed>;

    fn next(&mut self) -> Option<Result<Record<'a>, Malformed>> {
        if self.left <= 0 {
            return None;
        }
        self.left -= 1;
        let read = read(&mut self.rest, |body, count| {
            let list = body.source.get(..body.left).ok_or(Malformed::Short)?;
            skip_headers(body, count)?;
            Ok(list)
        });
        let (fields, rest) = match read {
            Ok(read) => read,
            Err(malformed) => {
                self.left = 0;
                return Some(Err(malformed));
            }
        };
        let (offset, timestamp) = self.bases.place(&fields);
        Some(Ok(Record {
            offset,
            timestamp,
            key: fields.key,
            value: fields.value,
            headers: HeaderFields { rest, count: fields.headers },
        }))
    }
}

/// Where the records of a batch lie in log and time, in order, whatever its codec; ends after the first malformed one.
/// Keys and values are passed over, so it holds no more than a [`Scratch`] does.
pub struct Times<'s, 'b> {
    stream: Stream<'s, 'b>,
    left: i32,
    bases: Bases,
}

impl<'s, 'b> Times<'s, 'b> {
    /// Reads a batch's records; none if its codec is one that Kafka doesn't have.
    pub fn of(batch: &'b Batch, scratch: &'s mut Scratch) -> Times<'s, 'b> {
        let (codec, left) = match batch.header().codec() {
            Some(codec) => (codec, batch.header().count()),
            None => (Codec::None, 0),
        };
        Times { stream: scratch.open(codec, batch.records()), left, bases: Bases::of(batch) }
    }
}

impl Iterator for Times<'_, '_> {
    type Item = Result<(Offset, Timestamp), Malformed>;

    fn next(&mut self) -> Option<Result<(Offset, Timestamp), Malformed>> {
        if self.left <= 0 {
            return None;
        }
        self.left -= 1;
        let read = read(&mut self.stream, skip_headers);
        if read.is_err() {
            self.left = 0;
        }
        Some(read.map(|(fields, ())| self.bases.place(&fields)))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::Short => "a field reaches beyond the record",
            Malformed::Varint => "a varint doesn't end",
            Malformed::Negative => "a length is negative",
            Malformed::Long => "bytes are left over behind the last field",
        })
    }
}
