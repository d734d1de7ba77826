//! Frames, batches and codecs.

use bytes::Bytes;
use thalweg_messages::api;
use thalweg_wire::batch::{
    Batch, Batches, Codec, Compression, HEADER_BYTES, Records, Scratch, Times, compress, decompressed_bytes_max,
    look_through,
};
use thalweg_wire::codec::Decoder;
use thalweg_wire::frame::{FRAME_BYTES_MAX, RequestHeader, decode_response_header, frame_length};

/// A length, and behind it the header of a request; then the same bytes as a response's.
pub fn frames(bytes: &[u8]) {
    if let Some((prefix, rest)) = bytes.split_first_chunk::<4>() {
        if let Ok(length) = frame_length(*prefix, FRAME_BYTES_MAX) {
            assert!(length <= FRAME_BYTES_MAX);
        }
        let body = Bytes::copy_from_slice(rest);
        let mut from = Decoder::new(&body);
        if let Ok(Some(header)) = RequestHeader::decode(&mut from, api::body_form) {
            // A byte that is no text is written as three.
            assert!(header.client_id.len() <= 3 * rest.len());
        }
    }
    if let Some(([key, version], rest)) = bytes.split_first_chunk::<2>()
        && let Some(form) = api::body_form(i16::from(*key), i16::from(*version))
    {
        let _ = decode_response_header(&mut Decoder::new(&Bytes::copy_from_slice(rest)), i16::from(*key), form);
    }
}

/// Batches as they stand one behind the other, on the wire and in files. Of each also the twin whose checksum is right.
pub fn batches(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    for batch in Batches::new(bytes.clone()).map_while(Result::ok) {
        assert!(batch.byte_length() <= bytes.len());
        walk(&batch);
        walk(&sealed(&batch));
    }
}

/// A codec's bytes, by the first of them; and any bytes through a codec and back.
pub fn codecs(bytes: &[u8]) {
    let Some((choice, compressed)) = bytes.split_first() else { return };
    let (codec, how) = match choice % 4 {
        0 => (Codec::Gzip, Compression::Gzip(None)),
        1 => (Codec::Snappy, Compression::Snappy),
        2 => (Codec::Lz4, Compression::Lz4),
        _ => (Codec::Zstd, Compression::Zstd(3)),
    };
    let batch = |records: Bytes| {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[11] = 0x31; // the length of a header alone
        bytes[16] = 2;
        let mut header = Batch::parse(&bytes.into()).expect("a header of an empty batch").header().clone();
        header.set_codec(codec);
        sealed(&Batch::new(header, records))
    };
    let untrusted = batch(Bytes::copy_from_slice(compressed));
    if let Ok(plain) = untrusted.decompressed(&mut Scratch::new()) {
        assert!(plain.records().len() <= decompressed_bytes_max(compressed.len()));
    }
    let own = batch(compress(compressed, how).into());
    if compressed.len() < decompressed_bytes_max(own.records().len()) {
        let plain = own.decompressed(&mut Scratch::new()).expect("what was compressed can be read");
        assert_eq!(plain.records(), compressed, "it comes back as it was");
    }
}

fn sealed(batch: &Batch) -> Batch {
    let mut header = batch.header().clone();
    header.set_crc(header.crc_with(batch.records()));
    Batch::new(header, batch.records().clone())
}

fn walk(batch: &Batch) {
    let _ = batch.check();
    let mut scratch = Scratch::new();
    let _ = look_through(batch, &mut scratch);
    let times = Times::of(batch, &mut scratch).map_while(Result::ok).count();
    if let Ok(plain) = batch.decompressed(&mut scratch) {
        assert!(plain.records().len() <= decompressed_bytes_max(batch.records().len()));
        let read = Records::of(&plain).into_iter().flatten().map_while(Result::ok);
        let counted = read.map(|record| record.headers.count()).count();
        assert!(counted >= times.min(counted), "both walk the same records");
    }
}
