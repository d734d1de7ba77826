//! Reads values off the front of a frame. Byte fields share the frame's memory, strings can be borrowed from it.

use super::{DecodeError, Form, STRING_BYTES_MAX, UnknownTag};
use crate::ids::Uuid;
use bytes::Bytes;
use std::borrow::Cow;

/// A position in a frame, and the form in which what follows is written.
///
/// Cloning one is free and gives a second position in the same frame.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    frame: &'a Bytes,
    at: usize,
    form: Form,
}

impl<'a> Decoder<'a> {
    /// Stands at the first byte of `frame`, in the classic form.
    pub fn new(frame: &'a Bytes) -> Self {
        Decoder { frame, at: 0, form: Form::Classic }
    }

    /// Stands `at` bytes into `frame`; past its end counts as its end.
    pub fn at(frame: &'a Bytes, at: usize, form: Form) -> Self {
        Decoder { frame, at: at.min(frame.len()), form }
    }

    /// The form in which strings, byte fields and arrays are read.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Reads on in `form`: each message sets its own, since a header and its body may differ.
    pub fn set_form(&mut self, form: Form) {
        self.form = form;
    }

    /// Reads one field in the classic form, whatever the form around it.
    pub fn classic<T>(&mut self, field: impl FnOnce(&mut Self) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        let around = std::mem::replace(&mut self.form, Form::Classic);
        let value = field(self);
        self.form = around;
        value
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.frame.len() - self.at
    }

    /// int8.
    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        Ok(i8::from_be_bytes(self.take_array()?))
    }

    /// int16.
    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        Ok(i16::from_be_bytes(self.take_array()?))
    }

    /// int32.
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_be_bytes(self.take_array()?))
    }

    /// int64.
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.take_array()?))
    }

    /// uint16.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.take_array()?))
    }

    /// uint32.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.take_array()?))
    }

    /// float64, bits and all.
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        Ok(f64::from_be_bytes(self.take_array()?))
    }

    /// bool: one byte, true unless zero.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? != 0)
    }

    /// uuid: sixteen bytes.
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        Ok(Uuid(self.take_array()?))
    }

    /// An unsigned varint: seven bits a byte, lowest first. Padding up to five bytes is accepted; of the fifth byte
    /// only the low four bits count, as in Kafka.
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take_array()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Varint)
    }

    /// A string, borrowed from the frame unless it holds invalid UTF-8, which becomes U+FFFD.
    pub fn str(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        self.nullable_str()?.ok_or(DecodeError::Null)
    }

    /// As [`Decoder::str`], or `None` for null.
    pub fn nullable_str(&mut self) -> Result<Option<Cow<'a, str>>, DecodeError> {
        let length = match self.form {
            Form::Classic => i32::from(self.i16()?),
            Form::Flexible => self.compact_length()?,
        };
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        if length > STRING_BYTES_MAX {
            return Err(DecodeError::StringTooLong(length));
        }
        let text = String::from_utf8_lossy(self.take(length)?);
        // What is replaced grows. Longer than this it could never be said again, nor stored.
        if text.len() > STRING_BYTES_MAX { Err(DecodeError::StringTooLong(text.len())) } else { Ok(Some(text)) }
    }

    /// A string of one's own.
    pub fn string(&mut self) -> Result<String, DecodeError> {
        Ok(self.str()?.into_owned())
    }

    /// A string of one's own, or `None` for null.
    pub fn nullable_string(&mut self) -> Result<Option<String>, DecodeError> {
        Ok(self.nullable_str()?.map(Cow::into_owned))
    }

    /// A byte field or records: a slice of the frame, nothing is copied.
    pub fn bytes(&mut self) -> Result<Bytes, DecodeError> {
        self.nullable_bytes()?.ok_or(DecodeError::Null)
    }

    /// As [`Decoder::bytes`], or `None` for null.
    pub fn nullable_bytes(&mut self) -> Result<Option<Bytes>, DecodeError> {
        let length = match self.form {
            Form::Classic => self.i32()?,
            Form::Flexible => self.compact_length()?,
        };
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        self.shared(length).map(Some)
    }

    /// The number of elements of an array, or `None` for null. `element_bytes_min` is the size of the smallest possible
    /// element; more elements than the remaining bytes can hold are refused.
    pub fn nullable_count(&mut self, element_bytes_min: usize) -> Result<Option<usize>, DecodeError> {
        let count = match self.form {
            Form::Classic => self.i32()?,
            Form::Flexible => self.compact_length()?,
        };
        let Ok(count) = usize::try_from(count) else { return Ok(None) };
        if count > self.remaining() / element_bytes_min.max(1) {
            return Err(DecodeError::Oversized { claimed: count as u64, remaining: self.remaining() });
        }
        Ok(Some(count))
    }

    /// As [`Decoder::nullable_count`], where null is not allowed.
    pub fn count(&mut self, element_bytes_min: usize) -> Result<usize, DecodeError> {
        self.nullable_count(element_bytes_min)?.ok_or(DecodeError::Null)
    }

    /// An array whose elements are read by `element`.
    pub fn array<T>(
        &mut self,
        element_bytes_min: usize,
        element: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        self.nullable_array(element_bytes_min, element)?.ok_or(DecodeError::Null)
    }

    /// As [`Decoder::array`], or `None` for null.
    pub fn nullable_array<T>(
        &mut self,
        element_bytes_min: usize,
        mut element: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let Some(count) = self.nullable_count(element_bytes_min)? else { return Ok(None) };
        // An element may be much larger in memory than on the wire. The first reservation never exceeds the bytes that
        // are here; what lies beyond is paid for by elements that were really read.
        let mut elements = Vec::with_capacity(count.min(self.remaining() / size_of::<T>().max(1)));
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(Some(elements))
    }

    /// Whether a nullable struct follows: an int8, negative for null.
    pub fn present(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? >= 0)
    }

    /// The section of tagged fields that ends a struct in the flexible form; nothing in the classic form.
    ///
    /// `known` is asked for every tag, standing at its data: it reads the data and answers true, or answers false and
    /// the data is kept. Answers the unknown tags in ascending order, repeated ones in the order in which they came.
    pub fn tags(
        &mut self,
        mut known: impl FnMut(&mut Self, u32) -> Result<bool, DecodeError>,
    ) -> Result<Vec<UnknownTag>, DecodeError> {
        let mut unknown: Vec<UnknownTag> = Vec::new();
        self.walk_tags(|decoder, tag, size| {
            if !known(decoder, tag)? {
                let data = decoder.shared(size)?;
                unknown.push(UnknownTag { tag, data });
            }
            Ok(())
        })?;
        unknown.sort_by_key(|field| field.tag);
        Ok(unknown)
    }

    /// As [`Decoder::tags`], dropping what is unknown, for readers that never write the message again.
    pub fn known_tags(
        &mut self,
        mut known: impl FnMut(&mut Self, u32) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        self.walk_tags(|decoder, tag, size| {
            if !known(decoder, tag)? {
                decoder.take(size)?;
            }
            Ok(())
        })
    }

    fn walk_tags(
        &mut self,
        mut field: impl FnMut(&mut Self, u32, usize) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if self.form == Form::Classic {
            return Ok(());
        }
        let count = self.uvarint()? as usize;
        // A field takes two bytes at least: its tag and its size.
        if count > self.remaining() / 2 {
            return Err(DecodeError::Oversized { claimed: count as u64, remaining: self.remaining() });
        }
        for _ in 0..count {
            let (tag, size) = (self.uvarint()?, self.uvarint()? as usize);
            field(self, tag, size)?;
        }
        Ok(())
    }

    /// A varint of length + 1: -1 is null. The subtraction wraps as Kafka's does, so that 2^32 - 1 is null too.
    fn compact_length(&mut self) -> Result<i32, DecodeError> {
        Ok(self.uvarint()?.cast_signed().wrapping_sub(1))
    }

    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (bytes, _) = self.frame[self.at..].split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.at += N;
        Ok(*bytes)
    }

    fn shared(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        let start = self.at;
        self.take(length)?;
        Ok(self.frame.slice(start..self.at))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        if length > self.remaining() {
            return Err(DecodeError::Oversized { claimed: length as u64, remaining: self.remaining() });
        }
        let taken = &self.frame[self.at..self.at + length];
        self.at += length;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flexible(frame: &Bytes) -> Decoder<'_> {
        Decoder::at(frame, 0, Form::Flexible)
    }

    // A peer that announces two billion elements in a few bytes must not make us reserve anything.
    #[test]
    fn a_count_is_bounded_by_the_bytes_that_remain() {
        let classic = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4]);
        let refused = Decoder::new(&classic).array(4, Decoder::i32);
        assert_eq!(refused, Err(DecodeError::Oversized { claimed: 2_147_483_647, remaining: 4 }));

        let compact = Bytes::from_static(&[4, 0, 0, 0, 1, 0, 0, 0, 2]);
        let refused = flexible(&compact).array(4, Decoder::i32);
        assert_eq!(refused, Err(DecodeError::Oversized { claimed: 3, remaining: 8 }));
    }

    // Clients in the field depend on these; Kafka's decoder has them all.
    #[test]
    fn it_is_lenient_where_kafka_is() {
        assert_eq!(Decoder::new(&Bytes::from_static(&[0xff, 0xfe])).nullable_string(), Ok(None), "length -2");
        assert_eq!(Decoder::new(&Bytes::from_static(&[0x7e])).bool(), Ok(true));
        assert_eq!(flexible(&Bytes::from_static(&[0x81, 0x80, 0x80, 0x80, 0x00])).uvarint(), Ok(1), "padded");
        assert_eq!(flexible(&Bytes::from_static(&[0x03, 0xff, b'a'])).string(), Ok("\u{fffd}a".to_owned()));
        assert_eq!(flexible(&Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f])).nullable_bytes(), Ok(None), "2^32-1");
    }

    #[test]
    fn it_is_strict_where_kafka_is() {
        let six = Bytes::from_static(&[0x81, 0x80, 0x80, 0x80, 0x80, 0x00]);
        assert_eq!(flexible(&six).uvarint(), Err(DecodeError::Varint));
        let long = Bytes::from([&[0x81, 0x80, 0x02][..], &[b'x'; 32_768]].concat());
        assert_eq!(flexible(&long).string(), Err(DecodeError::StringTooLong(32_768)));
        assert_eq!(flexible(&Bytes::from_static(&[0])).string(), Err(DecodeError::Null));
        assert_eq!(
            Decoder::new(&Bytes::from_static(&[0, 5, b'a'])).string().err().map(|e| e.to_string()).as_deref(),
            Some("a length of 5 where 1 bytes remain")
        );
    }

    #[test]
    fn unknown_tags_are_kept_in_ascending_order_and_known_ones_are_read() {
        let section = Bytes::from_static(&[3, 9, 1, 0xaa, 1, 2, 0x12, 0x34, 5, 0]);
        let mut known = None;
        let unknown = flexible(&section)
            .tags(|decoder, tag| {
                if tag == 1 {
                    known = Some(decoder.i16()?);
                }
                Ok(tag == 1)
            })
            .unwrap();
        assert_eq!(known, Some(0x1234));
        let seen: Vec<_> = unknown.iter().map(|field| (field.tag, &field.data[..])).collect();
        assert_eq!(seen, [(5, &[][..]), (9, &[0xaa][..])]);
    }

    #[test]
    fn byte_fields_share_the_memory_of_the_frame() {
        let frame = Bytes::from(vec![0, 0, 0, 2, 7, 8]);
        let field = Decoder::new(&frame).bytes().unwrap();
        assert_eq!(field.as_ptr(), frame[4..].as_ptr());
    }
}
