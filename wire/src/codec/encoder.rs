//! Builds a message: small parts go into one growing buffer, large shared ones (records) are only referred to.

use super::{EncodeError, Form, STRING_BYTES_MAX, UnknownTag};
use crate::batch::Batch;
use crate::ids::Uuid;
use bytes::Bytes;
use std::sync::Arc;

/// Below this a shared piece is copied: one more entry of a vectored write costs more than the copy.
const SHARED_BYTES_MIN: usize = 512;

/// A message under construction.
#[derive(Debug)]
pub struct Encoder {
    buffer: Vec<u8>,
    /// Pieces that are not in the buffer, each with the position of the buffer that it stands before. Keeping them
    /// apart lets any earlier byte of the buffer still be patched: the frame's length, a tag's size.
    shared: Vec<(usize, Piece)>,
    shared_bytes: usize,
    form: Form,
    /// How many tagged fields are open. Their sizes are only known at their ends, where their bytes are moved, so
    /// everything in them has to be in the buffer.
    open_tags: usize,
}

impl Encoder {
    /// An empty message, in the classic form.
    pub fn new() -> Self {
        Encoder { buffer: Vec::new(), shared: Vec::new(), shared_bytes: 0, form: Form::Classic, open_tags: 0 }
    }

    /// Writes on in `form`: each message sets its own, since a header and its body may differ.
    pub fn set_form(&mut self, form: Form) {
        self.form = form;
    }

    /// The form in which strings, byte fields and arrays are written.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Writes one field in the classic form, whatever the form around it.
    pub fn classic<T>(&mut self, field: impl FnOnce(&mut Self) -> T) -> T {
        let around = std::mem::replace(&mut self.form, Form::Classic);
        let value = field(self);
        self.form = around;
        value
    }

    /// How many bytes have been written, shared ones included.
    pub fn len(&self) -> usize {
        self.buffer.len() + self.shared_bytes
    }

    /// Whether nothing has been written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The message, as pieces in order.
    pub fn finish(self) -> Encoded {
        assert_eq!(self.open_tags, 0, "a tagged field was left open");
        let len = self.len();
        let buffer = Bytes::from(self.buffer);
        let mut pieces = Vec::with_capacity(2 * self.shared.len() + 1);
        let mut start = 0;
        for (end, piece) in self.shared {
            if end > start {
                pieces.push(Piece::Here(buffer.slice(start..end)));
            }
            pieces.push(piece);
            start = end;
        }
        if start < buffer.len() {
            pieces.push(Piece::Here(buffer.slice(start..)));
        }
        Encoded { pieces, len, is_kept: false }
    }

    /// int8.
    pub fn i8(&mut self, value: i8) {
        self.raw(&value.to_be_bytes());
    }

    /// int16.
    pub fn i16(&mut self, value: i16) {
        self.raw(&value.to_be_bytes());
    }

    /// int32.
    pub fn i32(&mut self, value: i32) {
        self.raw(&value.to_be_bytes());
    }

    /// int64.
    pub fn i64(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }

    /// uint16.
    pub fn u16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }

    /// uint32.
    pub fn u32(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }

    /// float64.
    pub fn f64(&mut self, value: f64) {
        self.raw(&value.to_be_bytes());
    }

    /// bool: one byte, 0 or 1.
    pub fn bool(&mut self, value: bool) {
        self.raw(&[u8::from(value)]);
    }

    /// uuid: sixteen bytes.
    pub fn uuid(&mut self, value: Uuid) {
        self.raw(&value.0);
    }

    /// An unsigned varint: seven bits a byte, lowest first, as few bytes as will do.
    pub fn uvarint(&mut self, value: u32) {
        let (bytes, length) = varint(value);
        self.raw(&bytes[..length]);
    }

    /// Bytes as they are, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// A string.
    pub fn string(&mut self, value: &str) -> Result<(), EncodeError> {
        self.nullable_string(Some(value))
    }

    /// A string, or null.
    pub fn nullable_string(&mut self, value: Option<&str>) -> Result<(), EncodeError> {
        let length = value.map(str::len);
        match (self.form, length) {
            (_, Some(length)) if length > STRING_BYTES_MAX => return Err(EncodeError::TooLong(length)),
            (Form::Classic, Some(length)) => self.i16(length as i16),
            (Form::Classic, None) => self.i16(-1),
            (Form::Flexible, _) => self.compact_length(length)?,
        }
        self.raw(value.unwrap_or_default().as_bytes());
        Ok(())
    }

    /// A byte field or records. Large ones are put by reference; the message holds their memory until it is sent.
    pub fn bytes(&mut self, value: &Bytes) -> Result<(), EncodeError> {
        self.nullable_bytes(Some(value))
    }

    /// As [`Encoder::bytes`], or null.
    pub fn nullable_bytes(&mut self, value: Option<&Bytes>) -> Result<(), EncodeError> {
        self.nullable_count(value.map(Bytes::len))?;
        if let Some(value) = value {
            self.shared(value);
        }
        Ok(())
    }

    /// A records field made of whole batches: their headers are copied, their records put by reference.
    pub fn batches(&mut self, batches: &[Batch]) -> Result<(), EncodeError> {
        self.records(0, &Bytes::new(), batches)
    }

    /// The same, with other batches before them: so many bytes that are [`Piece::Elsewhere`], and some as they are written.
    pub fn records(&mut self, elsewhere: usize, written: &Bytes, batches: &[Batch]) -> Result<(), EncodeError> {
        self.count(elsewhere + written.len() + batches.iter().map(Batch::byte_length).sum::<usize>())?;
        if elsewhere > 0 {
            self.shared_bytes += elsewhere;
            self.shared.push((self.buffer.len(), Piece::Elsewhere(elsewhere)));
        }
        self.shared(written);
        for batch in batches {
            self.raw(batch.header().as_bytes());
            self.shared(batch.records());
        }
        Ok(())
    }

    /// The number of an array's elements, which the caller writes next.
    pub fn count(&mut self, count: usize) -> Result<(), EncodeError> {
        self.nullable_count(Some(count))
    }

    /// As [`Encoder::count`], or null.
    pub fn nullable_count(&mut self, count: Option<usize>) -> Result<(), EncodeError> {
        match self.form {
            Form::Classic => {
                let count = count.map_or(Ok(-1), |count| i32::try_from(count).map_err(|_| EncodeError::TooLong(count)));
                self.i32(count?);
                Ok(())
            }
            Form::Flexible => self.compact_length(count),
        }
    }

    /// An array whose elements are written by `element`.
    pub fn array<T>(
        &mut self,
        elements: &[T],
        element: impl FnMut(&mut Self, &T) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.nullable_array(Some(elements), element)
    }

    /// As [`Encoder::array`], or null.
    pub fn nullable_array<T>(
        &mut self,
        elements: Option<&[T]>,
        mut element: impl FnMut(&mut Self, &T) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.nullable_count(elements.map(<[T]>::len))?;
        elements.unwrap_or_default().iter().try_for_each(|each| element(self, each))
    }

    /// An array whose elements come one by one and are written by `element`.
    ///
    /// # Panics
    ///
    /// If the iterator yields another number of elements than it said.
    pub fn exactly<I: ExactSizeIterator>(
        &mut self,
        elements: I,
        mut element: impl FnMut(&mut Self, I::Item) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut expected = elements.len();
        self.count(expected)?;
        for each in elements {
            element(self, each)?;
            expected = expected.checked_sub(1).expect("no more elements than it said");
        }
        assert_eq!(expected, 0, "no fewer elements than it said");
        Ok(())
    }

    /// An array of numbers, whose writing can't fail.
    pub fn plain_array<T>(&mut self, elements: &[T], element: impl FnMut(&mut Self, &T)) -> Result<(), EncodeError> {
        self.nullable_plain_array(Some(elements), element)
    }

    /// As [`Encoder::plain_array`], or null.
    pub fn nullable_plain_array<T>(
        &mut self,
        elements: Option<&[T]>,
        mut element: impl FnMut(&mut Self, &T),
    ) -> Result<(), EncodeError> {
        self.nullable_count(elements.map(<[T]>::len))?;
        elements.unwrap_or_default().iter().for_each(|each| element(self, each));
        Ok(())
    }

    /// Whether a nullable struct follows: int8 1, or -1 for null.
    pub fn present<T>(&mut self, value: Option<&T>) {
        self.i8(if value.is_some() { 1 } else { -1 });
    }

    /// The tagged section that ends a struct in the flexible form; nothing in the classic form.
    ///
    /// `known` writes the fields that we have names for, by ascending tag; `unknown`, ascending too, goes in between.
    pub fn tags(
        &mut self,
        unknown: &[UnknownTag],
        known: impl FnOnce(&mut TagWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        if self.form == Form::Classic {
            return if unknown.is_empty() { Ok(()) } else { Err(EncodeError::TagsInClassicForm) };
        }
        let at = self.buffer.len();
        self.open_tags += 1;
        let mut writer = TagWriter { encoder: self, unknown, count: 0 };
        known(&mut writer)?;
        writer.unknown_below(None)?;
        let count = writer.count;
        self.open_tags -= 1;
        self.insert_varint(at, count);
        Ok(())
    }

    /// An empty tagged section in the flexible form; nothing in the classic form.
    pub fn no_tags(&mut self) {
        if self.form == Form::Flexible {
            self.uvarint(0);
        }
    }

    /// Overwrites four bytes written earlier, counted without shared pieces: a length that is known only now.
    pub(crate) fn patch_i32(&mut self, at: usize, value: i32) {
        self.buffer[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }

    fn shared(&mut self, piece: &Bytes) {
        if piece.len() < SHARED_BYTES_MIN || self.open_tags > 0 {
            self.raw(piece);
        } else {
            self.shared_bytes += piece.len();
            self.shared.push((self.buffer.len(), Piece::Here(piece.clone())));
        }
    }

    fn compact_length(&mut self, length: Option<usize>) -> Result<(), EncodeError> {
        let Some(length) = length else {
            self.uvarint(0);
            return Ok(());
        };
        // Readers take the varint for a signed number: 2^31 - 1 is the largest that stays positive.
        let shifted = i32::try_from(length + 1).map_err(|_| EncodeError::TooLong(length))?;
        self.uvarint(shifted.cast_unsigned());
        Ok(())
    }

    fn insert_varint(&mut self, at: usize, value: u32) {
        debug_assert!(
            self.shared.last().is_none_or(|(position, _)| *position <= at),
            "shared bytes would be displaced"
        );
        let (bytes, length) = varint(value);
        self.buffer.splice(at..at, bytes[..length].iter().copied());
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Encoder::new()
    }
}

/// Writes the tagged fields of one struct.
#[derive(Debug)]
pub struct TagWriter<'a> {
    encoder: &'a mut Encoder,
    unknown: &'a [UnknownTag],
    count: u32,
}

impl TagWriter<'_> {
    /// One field: its tag, its size, and the bytes that `value` writes.
    pub fn field(
        &mut self,
        tag: u32,
        value: impl FnOnce(&mut Encoder) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.unknown_below(Some(tag))?;
        self.put(tag, value)
    }

    fn unknown_below(&mut self, limit: Option<u32>) -> Result<(), EncodeError> {
        while let Some((first, rest)) = self.unknown.split_first()
            && limit.is_none_or(|limit| first.tag < limit)
        {
            self.unknown = rest;
            self.put(first.tag, |encoder| {
                encoder.raw(&first.data);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn put(
        &mut self,
        tag: u32,
        value: impl FnOnce(&mut Encoder) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.encoder.uvarint(tag);
        let at = self.encoder.buffer.len();
        value(self.encoder)?;
        let size = self.encoder.buffer.len() - at;
        self.encoder.insert_varint(at, u32::try_from(size).map_err(|_| EncodeError::TooLong(size))?);
        self.count += 1;
        Ok(())
    }
}

/// A part of a finished message. None is empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Bytes.
    Here(Bytes),
    /// So many bytes that are not in memory: whoever sends the message knows where they are.
    Elsewhere(usize),
}

/// A finished message: its pieces in order, ready for a vectored write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoded {
    pieces: Vec<Piece>,
    len: usize,
    is_kept: bool,
}

impl Encoded {
    /// The sum of the pieces' lengths, in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no byte in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The pieces, in order.
    pub fn into_pieces(self) -> Vec<Piece> {
        self.pieces
    }

    /// Whether something goes with it: see [`Self::kept_with`].
    pub fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// The same bytes, with something that is dropped with the last of them that are in memory.
    pub fn kept_with(mut self, keepsake: impl Send + Sync + 'static) -> Encoded {
        struct Kept<K> {
            bytes: Bytes,
            _keepsake: Arc<K>,
        }
        impl<K> AsRef<[u8]> for Kept<K> {
            fn as_ref(&self) -> &[u8] {
                &self.bytes
            }
        }
        self.is_kept = true;
        let keepsake = Arc::new(keepsake);
        for piece in &mut self.pieces {
            if let Piece::Here(bytes) = piece {
                *bytes = Bytes::from_owner(Kept { bytes: std::mem::take(bytes), _keepsake: keepsake.clone() });
            }
        }
        self
    }

    /// One contiguous copy; free when there is only one piece.
    ///
    /// # Panics
    /// If something of it is elsewhere.
    pub fn into_bytes(self) -> Bytes {
        let here = |piece| match piece {
            Piece::Here(bytes) => bytes,
            Piece::Elsewhere(bytes) => panic!("{bytes} bytes of the message are elsewhere"),
        };
        let mut pieces: Vec<Bytes> = self.pieces.into_iter().map(here).collect();
        match pieces.len() {
            0 => Bytes::new(),
            1 => pieces.remove(0),
            _ => Bytes::from(pieces.concat()),
        }
    }
}

fn varint(mut value: u32) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    let mut length = 0;
    while value >= 0x80 {
        bytes[length] = (value & 0x7f) as u8 | 0x80;
        value >>= 7;
        length += 1;
    }
    bytes[length] = value as u8;
    (bytes, length + 1)
}

#[cfg(test)]
mod tests {
    use super::super::Decoder;
    use super::*;
    use crate::batch::Builder;
    use crate::{LeaderEpoch, Offset, Timestamp};
    use proptest::prelude::*;

    #[test]
    fn what_is_kept_with_bytes_goes_with_the_last_of_them() {
        let mut encoder = Encoder::new();
        encoder.i16(1);
        encoder.bytes(&Bytes::from(vec![7; SHARED_BYTES_MIN])).unwrap();
        encoder.i16(2);
        let encoded = encoder.finish();
        let (plain, keepsake) = (encoded.clone().into_bytes(), Arc::new(()));
        let kept = encoded.kept_with(keepsake.clone());
        assert_eq!(kept.clone().into_bytes(), plain);
        let mut pieces = kept.into_pieces();
        while let Some(Piece::Here(mut piece)) = pieces.pop() {
            assert_eq!(Arc::strong_count(&keepsake), 2);
            // As a socket takes it.
            drop(piece.split_to(1));
        }
        assert_eq!(Arc::strong_count(&keepsake), 1);
    }

    // Records travel from the log to the socket without being copied into the response.
    #[test]
    fn large_bytes_are_put_by_reference_and_small_ones_are_copied() {
        let records = Bytes::from(vec![7; SHARED_BYTES_MIN]);
        let small = Bytes::from_static(b"small");
        let mut encoder = Encoder::new();
        encoder.i16(1);
        encoder.bytes(&records).unwrap();
        encoder.bytes(&small).unwrap();
        let encoded = encoder.finish();
        assert_eq!(encoded.len(), 2 + 4 + SHARED_BYTES_MIN + 4 + 5);
        let [Piece::Here(before), Piece::Here(shared), Piece::Here(after)] = encoded.pieces() else {
            panic!("{:?}", encoded.pieces())
        };
        assert_eq!(&before[..], [0, 1, 0, 0, 2, 0]);
        assert_eq!(shared.as_ptr(), records.as_ptr());
        assert_eq!(&after[..], b"\0\0\0\x05small");
    }

    #[test]
    fn records_that_are_elsewhere_count_and_leave_their_place() {
        let mut batch = Builder::new().record(Timestamp::from_millis(1), None, Some(&[7; 700])).build().unwrap();
        batch.place(Offset(1), LeaderEpoch(0));
        let mut encoder = Encoder::new();
        encoder.records(5000, &Bytes::from(vec![8; 600]), std::slice::from_ref(&batch)).unwrap();
        encoder.i16(3);
        let encoded = encoder.finish();
        assert_eq!(encoded.len(), 4 + 5000 + 600 + batch.byte_length() + 2);
        let [Piece::Here(count), Piece::Elsewhere(5000), behind @ ..] = encoded.pieces() else {
            panic!("{:?}", encoded.pieces())
        };
        assert_eq!(count[..], (5600 + batch.byte_length() as i32).to_be_bytes());
        let behind =
            behind.iter().map(|piece| if let Piece::Here(bytes) = piece { bytes } else { panic!("{piece:?}") });
        let behind: Vec<u8> = behind.flatten().copied().collect();
        assert_eq!(behind, [&[8; 600], &batch.to_bytes()[..], &[0, 3]].concat());
    }

    #[test]
    fn tags_come_out_ascending_with_the_unknown_ones_in_between() {
        let unknown = [1, 4, 300].map(|tag| UnknownTag { tag, data: Bytes::from_static(&[0xee]) });
        let mut encoder = Encoder::new();
        encoder.set_form(Form::Flexible);
        encoder
            .tags(&unknown, |tags| {
                tags.field(0, |e| {
                    e.i16(5);
                    Ok(())
                })?;
                tags.field(2, |e| e.bytes(&Bytes::from(vec![9; 2000])))
            })
            .unwrap();
        let bytes = encoder.finish().into_bytes();
        let mut seen = Vec::new();
        let mut decoder = Decoder::at(&bytes, 0, Form::Flexible);
        let kept = decoder.tags(|_, _| Ok(false)).unwrap();
        seen.extend(kept.iter().map(|field| (field.tag, field.data.len())));
        assert_eq!(seen, [(0, 2), (1, 1), (2, 2002), (4, 1), (300, 1)]);
        assert_eq!(decoder.remaining(), 0);
    }

    #[test]
    fn a_string_above_the_limit_is_refused_in_both_forms() {
        let long = "x".repeat(STRING_BYTES_MAX + 1);
        for form in [Form::Classic, Form::Flexible] {
            let mut encoder = Encoder::new();
            encoder.set_form(form);
            assert_eq!(encoder.string(&long), Err(EncodeError::TooLong(32_768)));
            assert_eq!(encoder.string(&long[1..]), Ok(()));
        }
    }

    fn forms() -> impl Strategy<Value = Form> {
        prop_oneof![Just(Form::Classic), Just(Form::Flexible)]
    }

    proptest! {
        #[test]
        fn numbers_read_back(a: i8, b: i16, c: i32, d: i64, e: u16, f: u32, g: f64, h: bool, id: [u8; 16], v: u32) {
            let mut encoder = Encoder::new();
            encoder.i8(a);
            encoder.i16(b);
            encoder.i32(c);
            encoder.i64(d);
            encoder.u16(e);
            encoder.u32(f);
            encoder.f64(g);
            encoder.bool(h);
            encoder.uuid(Uuid(id));
            encoder.uvarint(v);
            let bytes = encoder.finish().into_bytes();
            let mut decoder = Decoder::new(&bytes);
            prop_assert_eq!(decoder.i8(), Ok(a));
            prop_assert_eq!(decoder.i16(), Ok(b));
            prop_assert_eq!(decoder.i32(), Ok(c));
            prop_assert_eq!(decoder.i64(), Ok(d));
            prop_assert_eq!(decoder.u16(), Ok(e));
            prop_assert_eq!(decoder.u32(), Ok(f));
            prop_assert_eq!(decoder.f64().map(f64::to_bits), Ok(g.to_bits()));
            prop_assert_eq!(decoder.bool(), Ok(h));
            prop_assert_eq!(decoder.uuid(), Ok(Uuid(id)));
            prop_assert_eq!(decoder.uvarint(), Ok(v));
            prop_assert_eq!(decoder.remaining(), 0);
        }

        #[test]
        fn strings_bytes_and_arrays_read_back(
            form in forms(),
            text: Option<String>,
            data in prop::option::of(prop::collection::vec(any::<u8>(), 0..2000)),
            numbers in prop::option::of(prop::collection::vec(any::<i32>(), 0..200)),
        ) {
            let data = data.map(Bytes::from);
            let mut encoder = Encoder::new();
            encoder.set_form(form);
            encoder.nullable_string(text.as_deref()).unwrap();
            encoder.nullable_bytes(data.as_ref()).unwrap();
            encoder.nullable_array(numbers.as_deref(), |e, n| { e.i32(*n); Ok(()) }).unwrap();
            let len = encoder.len();
            let bytes = encoder.finish().into_bytes();
            prop_assert_eq!(bytes.len(), len);
            let mut decoder = Decoder::at(&bytes, 0, form);
            prop_assert_eq!(decoder.nullable_string(), Ok(text));
            prop_assert_eq!(decoder.nullable_bytes(), Ok(data));
            prop_assert_eq!(decoder.nullable_array(4, Decoder::i32), Ok(numbers));
            prop_assert_eq!(decoder.remaining(), 0);
        }

        #[test]
        fn no_input_makes_the_decoder_panic(form in forms(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let bytes = Bytes::from(bytes);
            let start = Decoder::at(&bytes, 0, form);
            let _ = start.clone().nullable_string();
            let _ = start.clone().nullable_bytes();
            let _ = start.clone().array(1, |d| d.array(2, Decoder::i16));
            let _ = start.clone().tags(|_, tag| Ok(tag == 0));
            let _ = start.clone().known_tags(|_, _| Ok(false));
        }
    }
}
