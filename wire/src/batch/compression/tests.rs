//! Every codec, there and back, cut, garbled and swollen; and batches in them.

use bytes::Bytes;
use proptest::prelude::*;
use twox_hash::XxHash32;
use zstd_safe::{CCtx, CParameter};

use super::*;
use crate::batch::{
    Batch, BatchError, Builder, Codecs, Compaction, Invalid, Records, Rules, Times, TimestampType, Verified, verify,
};
use crate::{ErrorCode, Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

const ALL: [Compression; 4] = [Compression::Gzip(None), Compression::Snappy, Compression::Lz4, Compression::Zstd(3)];

fn rules() -> Rules {
    Rules {
        max_message_bytes: 1_048_588,
        segment_bytes: 1 << 30,
        timestamp_type: TimestampType::CreateTime,
        before_max: i64::MAX,
        after_max: 3_600_000,
        compaction: Compaction::Off,
        compression: None,
    }
}

fn verified(batch: &Batch, rules: &Rules) -> Result<Verified, BatchError> {
    verify(batch.to_bytes(), rules, Codecs::All, NOW, &mut Scratch::new())
}

/// Everything that comes out, and why no more does.
fn read(codec: Codec, compressed: &[u8]) -> (Vec<u8>, Option<Damage>) {
    let mut scratch = Scratch::new();
    let mut stream = scratch.open(codec, compressed);
    let mut content = Vec::new();
    while let Some(chunk) = stream.next_chunk() {
        content.extend_from_slice(chunk);
    }
    (content, stream.damage())
}

/// Bytes that no codec makes smaller.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}

/// `records` records with text that compresses.
fn batch(records: i64) -> Batch {
    let record = |builder: Builder, place: i64| {
        let (key, value) = (format!("key {place}"), format!("the value of place {}", place * place));
        builder.record(Timestamp::from_millis(NOW.millis() - place), Some(key.as_bytes()), Some(value.as_bytes()))
    };
    (0..records).fold(Builder::new(), record).build().unwrap()
}

#[test]
fn a_batch_in_any_codec_is_walked_and_kept_as_it_came() {
    let plain = batch(5_000);
    for how in ALL {
        let compressed = plain.compressed(how);
        assert!(compressed.byte_length() < plain.byte_length() / 2, "{how:?}");
        let verified = verified(&compressed, &rules()).unwrap();
        assert_eq!(verified.batch(), &compressed);
        assert_eq!((verified.max_timestamp(), verified.max_timestamp_delta()), (NOW, 0));
        assert_eq!(compressed.decompressed(&mut Scratch::new()), Ok(plain.clone()));

        let records = Records::of(&plain).unwrap().map(|record| record.map(|record| (record.offset, record.timestamp)));
        assert!(Times::of(&compressed, &mut Scratch::new()).eq(records), "{how:?}");
    }
}

#[test]
fn a_topics_codec_takes_the_place_of_the_producers_and_the_records_stay() {
    let plain = batch(1_000);
    let mut scratch = Scratch::new();
    for sent in ALL.into_iter().chain([Compression::None]) {
        for wanted in ALL.into_iter().chain([Compression::None, Compression::Gzip(Some(9)), Compression::Zstd(22)]) {
            let sent = if sent == Compression::None { plain.clone() } else { plain.compressed(sent) };
            let verified = verified(&sent, &Rules { compression: Some(wanted), ..rules() }).unwrap();
            let stored = verified.batch();
            assert_eq!((stored.header().codec(), stored.check()), (Some(wanted.codec()), Ok(())));
            assert_eq!(stored.decompressed(&mut scratch), Ok(plain.clone()));
            // Another level alone is no reason to touch the batch.
            assert!(sent.header().codec() != Some(wanted.codec()) || stored == &sent);
        }
    }
}

#[test]
fn a_batch_that_the_topics_codec_makes_too_large_is_refused() {
    let (plain, wanted) = (batch(1_000), Compression::None);
    let sent = plain.compressed(Compression::Zstd(3));
    let rules = |max_message_bytes| Rules { max_message_bytes, compression: Some(wanted), ..rules() };
    assert!(verified(&sent, &rules(plain.byte_length())).is_ok());
    let error = verified(&sent, &rules(plain.byte_length() - 1)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::MessageTooLarge);

    // Noise grows a little in any codec, and is given up on the way.
    let plain = Builder::new().record(NOW, None, Some(&noise(500_000))).build().unwrap();
    for wanted in ALL {
        let tight = Rules { compression: Some(wanted), ..rules(plain.byte_length()) };
        assert_eq!(
            verified(&plain, &tight).map_err(|error| error.code()),
            Err(ErrorCode::MessageTooLarge),
            "{wanted:?}"
        );
    }
}

#[test]
fn zstd_is_for_versions_that_know_it() {
    let verify =
        |how| verify(batch(3).compressed(how).to_bytes(), &rules(), Codecs::BeforeZstd, NOW, &mut Scratch::new());
    assert_eq!(verify(Compression::Zstd(3)).map_err(|error| error.code()), Err(ErrorCode::UnsupportedCompressionType));
    assert!(verify(Compression::Lz4).is_ok());
}

#[test]
fn a_batch_cut_anywhere_inside_its_compressed_records_is_refused() {
    let plain = batch(40);
    for how in ALL {
        let whole = plain.compressed(how);
        for length in 0..whole.records().len() {
            let mut cut = Batch::new(whole.header().clone(), whole.records().slice(..length));
            cut.seal();
            let error = verified(&cut, &rules()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRecord, "{how:?} at {length}");
        }
    }
}

#[test]
fn millions_of_bad_records_in_a_small_batch_are_not_all_named() {
    let keyless = |builder: Builder, _| builder.record(NOW, None, None);
    let small = (0..20_000).fold(Builder::new(), keyless).record(Timestamp::from_millis(i64::MAX), Some(b"k"), None);
    let small = small.build().unwrap().compressed(Compression::Gzip(None));
    let error = verified(&small, &Rules { compaction: Compaction::On, ..rules() }).unwrap_err();
    assert_eq!(error.record_errors().len(), crate::batch::RECORD_ERRORS_MAX);
    assert_eq!(error.record_errors().last().unwrap().index, 20_000, "the one that decides on the code");
    assert_eq!(error.code(), ErrorCode::InvalidTimestamp);
}

/// Somewhat more than a gigabyte of zeros, as small as the codec makes it.
fn bomb(how: Compression) -> Vec<u8> {
    let piece = compress(&vec![0; 16 << 20], how);
    match how {
        // Frames, blocks and members follow each other.
        Compression::Gzip(_) | Compression::Snappy | Compression::Zstd(_) => piece.repeat(65),
        Compression::Lz4 => [&piece[..7], &piece[7..piece.len() - 4].repeat(65), &[0; 4]].concat(),
        Compression::None => unreachable!("zeros as they are"),
    }
}

#[test]
fn a_bomb_is_given_up_in_little_memory() {
    for how in ALL {
        let bomb = bomb(how);
        let limit = decompressed_bytes_max(bomb.len());
        assert!(limit < 65 << 24, "{how:?}");
        let mut scratch = Scratch::new();
        let measured = allocation_counter::measure(|| {
            let mut stream = scratch.open(how.codec(), &bomb);
            assert_eq!((stream.take(65 << 24), stream.damage()), (None, Some(Damage::TooLong)), "{how:?}");
            assert!(stream.passed() <= limit + CHUNK_BYTES);
        });
        assert!(measured.bytes_max < 256 << 10, "{how:?}: {} bytes", measured.bytes_max);
        // This one's memory is not Rust's to count.
        assert!(scratch.zstd.as_ref().is_none_or(|decoder| decoder.sizeof() < 4 << 20));
    }
}

#[test]
fn a_batch_that_is_a_bomb_is_an_invalid_record() {
    let value = vec![0; 100 << 20];
    let plain = Builder::new().record(NOW, None, Some(&value)).build().unwrap();
    for how in [Compression::Gzip(None), Compression::Zstd(3)] {
        let error = verified(&plain.compressed(how), &rules()).unwrap_err();
        assert_eq!(error, BatchError::Invalid(Invalid::Compressed(how.codec(), Damage::TooLong)));
    }
}

#[test]
fn what_a_length_claims_is_not_allocated() {
    // A raw block of snappy, and one in a frame, that say 4 GiB; a frame of zstd in one segment of 8 EiB.
    let raw = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
    let framed = [b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0\0\x07".as_slice(), &raw].concat();
    let segment = [b"\x28\xb5\x2f\xfd\xe0".as_slice(), &[0xff; 7], &[0x7f], &[0; 20]].concat();
    for (codec, lie) in [(Codec::Snappy, raw.as_slice()), (Codec::Snappy, &framed), (Codec::Zstd, &segment)] {
        let measured = allocation_counter::measure(|| assert_eq!(read(codec, lie), (vec![], Some(Damage::Garbled))));
        assert!(measured.bytes_max <= 64 << 10, "{} bytes", measured.bytes_max);
    }
}

#[test]
fn snappy_without_a_frame_is_read_whole_and_may_point_back_to_its_start() {
    let half = noise(300_000);
    let mut raw = snap::raw::Encoder::new().compress_vec(&half).unwrap();
    assert_eq!(read(Codec::Snappy, &raw), (half.clone(), None));

    // As klauspost's encoder writes it: a copy with four bytes of offset. The length in front has three bytes.
    assert_eq!(snap::raw::decompress_len(&raw), Ok(300_000));
    raw.splice(..3, [0x80 | (300_064 & 0x7f) as u8, 0x80 | (300_064 >> 7 & 0x7f) as u8, (300_064 >> 14) as u8]);
    raw.push(63 << 2 | 0b11);
    raw.extend_from_slice(&300_000_u32.to_le_bytes());
    assert_eq!(read(Codec::Snappy, &raw), ([&half, &half[..64]].concat(), None));
}

#[test]
fn an_lz4_frame_may_have_sizes_and_checksums_but_no_dependent_blocks() {
    let frame = |flags: u8, checksum: u32| {
        let mut descriptor = vec![flags, 7 << 4];
        descriptor.extend_from_slice(&9_u64.to_le_bytes()[..if flags & 8 == 0 { 0 } else { 8 }]);
        let hash = XxHash32::oneshot(0, &descriptor).to_le_bytes()[1];
        let block = lz4_flex::block::compress(b"aaaaaaaaa");
        let mut frame = [&[0x04, 0x22, 0x4d, 0x18], descriptor.as_slice(), &[hash]].concat();
        frame.extend_from_slice(&u32::try_from(block.len()).unwrap().to_le_bytes());
        frame.extend_from_slice(&block);
        if flags & 0x10 != 0 {
            frame.extend_from_slice(&(XxHash32::oneshot(0, &block) ^ checksum).to_le_bytes());
        }
        frame.extend_from_slice(&[0; 4]);
        if flags & 4 != 0 {
            frame.extend_from_slice(&XxHash32::oneshot(0, b"aaaaaaaaa").to_le_bytes());
        }
        frame
    };
    for flags in [0x60, 0x68, 0x70, 0x64, 0x7c] {
        assert_eq!(read(Codec::Lz4, &frame(flags, 0)), (b"aaaaaaaaa".to_vec(), None), "{flags:x}");
    }
    for garbled in [frame(0x40, 0), frame(0x61, 0), frame(0xe0, 0), frame(0x70, 1)] {
        assert_eq!(read(Codec::Lz4, &garbled), (vec![], Some(Damage::Garbled)));
    }
}

#[test]
fn gzip_members_follow_each_other_and_what_is_no_member_is_padding() {
    let (one, two) = (compress(b"one, ", Compression::Gzip(None)), compress(b"two", Compression::Gzip(Some(1))));
    assert_eq!(read(Codec::Gzip, &[one.clone(), two, vec![0; 7]].concat()), (b"one, two".to_vec(), None));

    for trailing in one.len() - 8..one.len() {
        let mut garbled = one.clone();
        garbled[trailing] ^= 1;
        assert_eq!(read(Codec::Gzip, &garbled).1, Some(Damage::Garbled), "a checksum or length that is wrong");
    }

    // Every optional field of a header; its own checksum is held to.
    let mut named = one[..10].to_vec();
    named[3] = 0b1_1110;
    named.extend_from_slice(b"\x03\0xyzname\0a comment\0");
    let mut crc = flate2::Crc::new();
    crc.update(&named);
    let header_crc = crc.sum().to_le_bytes();
    let member = |crc: [u8; 2]| [&named, crc.as_slice(), &one[10..]].concat();
    assert_eq!(read(Codec::Gzip, &member([header_crc[0], header_crc[1]])), (b"one, ".to_vec(), None));
    assert_eq!(read(Codec::Gzip, &member([!header_crc[0], header_crc[1]])), (vec![], Some(Damage::Garbled)));
}

/// What Java's encoder makes at a level of wide windows: it doesn't know how much will come.
fn wide(content: &[u8], window_log: u32) -> Vec<u8> {
    let mut encoder = CCtx::create();
    encoder.set_parameter(CParameter::WindowLog(window_log)).unwrap();
    let mut frame = vec![0; zstd_safe::compress_bound(content.len())];
    let mut room = zstd_safe::OutBuffer::around(frame.as_mut_slice());
    let mut from = zstd_safe::InBuffer::around(content);
    while from.pos < content.len() {
        encoder.compress_stream(&mut room, &mut from).unwrap();
    }
    while encoder.end_stream(&mut room).unwrap() > 0 {}
    let length = room.pos();
    frame.truncate(length);
    frame
}

#[test]
fn a_zstd_frame_with_a_wide_window_is_read_as_long_as_its_content_is_not() {
    let half = noise(7 << 20);
    let whole = [half.as_slice(), &half].concat();
    for window_log in [24, 25, 27] {
        let frame = wide(&whole, window_log);
        assert!(frame.len() < 8 << 20, "it points back further than 4 MiB");
        assert_eq!(read(Codec::Zstd, &[frame.clone(), frame].concat()), ([&*whole, &whole].concat(), None));
    }
    let content = noise(17 << 20);
    assert_eq!(read(Codec::Zstd, &wide(&content, 24)).1, None);
    assert_eq!(read(Codec::Zstd, &wide(&content, 25)).1, Some(Damage::TooWide));
}

#[test]
fn a_scratch_serves_one_batch_after_a_broken_one() {
    let mut scratch = Scratch::new();
    for how in ALL {
        let good = batch(100).compressed(how);
        let records = good.records();
        let mut garbled = records[..records.len() / 2].to_vec();
        garbled.extend_from_slice(&[0xa5; 40]);
        let bad = Batch::new(good.header().clone(), Bytes::from(garbled));
        for _ in 0..2 {
            let _ = bad.decompressed(&mut scratch);
            assert_eq!(good.decompressed(&mut scratch), Ok(batch(100)), "{how:?}");
        }
    }
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    let text = (prop::collection::vec(any::<u8>(), 1..50), 0..3_000_usize).prop_map(|(text, times)| text.repeat(times));
    prop_oneof![text, prop::collection::vec(any::<u8>(), 0..2_000), (0..200_000_usize).prop_map(noise)]
}

fn codec() -> impl Strategy<Value = Compression> {
    prop_oneof![
        prop::option::of(0..=9_u32).prop_map(Compression::Gzip),
        Just(Compression::Snappy),
        Just(Compression::Lz4),
        (-7..=12).prop_map(Compression::Zstd),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_compressed_comes_out_again(content in content(), how in codec()) {
        prop_assert_eq!(read(how.codec(), &compress(&content, how)), (content, None));
    }

    // Past the checksum, which an attacker can compute as well: anything but a panic.
    #[test]
    fn garbled_bytes_never_panic_and_what_verifies_can_be_read(
        how in codec(),
        records in 1..60_i64,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let good = batch(records).compressed(how);
        let mut bytes = good.records().to_vec();
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let mut garbled = Batch::new(good.header().clone(), bytes.into());
        garbled.seal();
        let times = Times::of(&garbled, &mut Scratch::new()).filter(Result::is_ok).count();
        match verified(&garbled, &rules()) {
            Err(error) => prop_assert!([ErrorCode::InvalidRecord, ErrorCode::InvalidTimestamp].contains(&error.code())),
            Ok(verified) => {
                prop_assert_eq!(i64::try_from(times), Ok(records));
                let plain = verified.batch().decompressed(&mut Scratch::new()).unwrap();
                prop_assert_eq!(Records::of(&plain).unwrap().map(Result::unwrap).count(), times);
            }
        }
    }

    #[test]
    fn random_bytes_end(how in codec(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(how.codec(), &bytes);
    }
}
