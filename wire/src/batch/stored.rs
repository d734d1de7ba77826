//! A batch that was stored, looked through once more: whether its records are those that its header speaks of.
//!
//! Other rules than [`verify`](super::verify()) holds a producer to: compaction takes records out of a batch, and leaves it
//! with none at all where its producer's last number has to be known.

use crate::Timestamp;

use super::compression::Scratch;
use super::header::CODEC_MASK;
use super::record::{self, Source};
use super::refusal::Invalid;
use super::{Batch, Codec};

/// Reads every record of a batch to its end, whatever the codec, and gives the largest of their timestamps;
/// [`Timestamp::NONE`] of none. Keys and values are passed over, so it holds no more than a [`Scratch`] does.
///
/// # Errors
/// [`Invalid`]: the batch was built wrong, or what it was read from damaged it after its checksum was made.
pub fn look_through(batch: &Batch, scratch: &mut Scratch) -> Result<Timestamp, Invalid> {
    let header = batch.header();
    let (count, last_offset_delta) = (header.count(), header.last_offset_delta());
    if count < 0 || last_offset_delta < 0 || i64::from(count) > i64::from(last_offset_delta) + 1 {
        return Err(Invalid::Count { count, last_offset_delta });
    }
    let codec = header.codec().ok_or(Invalid::Codec(header.attributes() & CODEC_MASK))?;
    if codec == Codec::None {
        return walk(&mut batch.records().as_ref(), batch);
    }
    if count == 0 && batch.records().is_empty() {
        return Ok(Timestamp::NONE);
    }
    let mut stream = scratch.open(codec, batch.records());
    let walked = walk(&mut stream, batch);
    // A stream that broke off looks like a record cut short, or like the end.
    stream.damage().map_or(walked, |damage| Err(Invalid::Compressed(codec, damage)))
}

fn walk<S: Source>(source: &mut S, batch: &Batch) -> Result<Timestamp, Invalid> {
    let base = batch.header().base_timestamp().millis();
    let mut newest = Timestamp::NONE;
    let mut next = 0;
    for index in 0..batch.header().count() {
        let (fields, ()) =
            record::read(source, record::skip_headers).map_err(|malformed| Invalid::Record { index, malformed })?;
        let delta = fields.offset_delta;
        if delta < next || delta > batch.header().last_offset_delta() {
            return Err(Invalid::OffsetDelta { index, delta });
        }
        next = delta.saturating_add(1);
        newest = newest.max(Timestamp::from_millis(base.wrapping_add(fields.timestamp_delta)));
    }
    if source.byte().is_some() { Err(Invalid::LeftOver) } else { Ok(newest) }
}

#[cfg(test)]
mod tests {
    use super::super::{Builder, Compression};
    use super::*;

    fn batch() -> Batch {
        let builder = [5, 9, 7].into_iter().fold(Builder::new(), |builder, time| {
            builder.record(Timestamp::from_millis(time), Some(b"key"), Some(&[3; 200]))
        });
        builder.build().unwrap()
    }

    fn seen(batch: &Batch) -> Result<Timestamp, Invalid> {
        look_through(batch, &mut Scratch::new())
    }

    #[test]
    fn every_record_is_read_in_every_codec() {
        let codecs = [Compression::Gzip(None), Compression::Snappy, Compression::Lz4, Compression::Zstd(3)];
        assert_eq!(seen(&batch()), Ok(Timestamp::from_millis(9)));
        for codec in codecs {
            let whole = batch().compressed(codec);
            assert_eq!(seen(&whole), Ok(Timestamp::from_millis(9)), "{codec:?}");
            let cut = Batch::new(whole.header().clone(), whole.records().slice(..whole.records().len() - 3));
            assert!(seen(&cut).is_err(), "{codec:?}");
        }
    }

    #[test]
    fn a_header_that_speaks_of_other_records_is_seen() {
        let whole = batch();
        let with = |count, last_offset_delta| {
            let mut header = whole.header().clone();
            header.set_count(count);
            header.set_last_offset_delta(last_offset_delta);
            seen(&Batch::new(header, whole.records().clone()))
        };
        assert_eq!(with(3, 7), Ok(Timestamp::from_millis(9)), "compaction took the last ones");
        assert_eq!(with(2, 2), Err(Invalid::LeftOver));
        assert!(matches!(with(4, 3), Err(Invalid::Record { index: 3, .. })));
        assert_eq!(with(3, 1), Err(Invalid::Count { count: 3, last_offset_delta: 1 }));
        assert_eq!(with(-1, 2), Err(Invalid::Count { count: -1, last_offset_delta: 2 }));
        let empty = Batch::new(whole.header().clone(), bytes::Bytes::new());
        assert!(matches!(seen(&empty), Err(Invalid::Record { index: 0, .. })));
    }

    #[test]
    fn offsets_inside_a_batch_rise_and_stay_inside() {
        // Each record of this size begins with its length, attributes, time and offset, a byte or two each.
        let whole = batch();
        let mut records = whole.records().to_vec();
        let second = records.len() / 3;
        let at = second + records[second..].iter().position(|&byte| byte == 2).unwrap();
        assert_eq!(records[at], 2, "the offset delta 1 as a zigzag varint");
        records[at] = 0;
        let twice = Batch::new(whole.header().clone(), records.into());
        assert!(seen(&twice).is_err());
    }
}
