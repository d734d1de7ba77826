//! What stands around a message on a connection: the frame's length, the request header, the response header.
//!
//! A frame is an int32 length and so many bytes. A request begins with header v1 (key, version, correlation id, client
//! id) or, when its body is flexible, v2 (the same and a tagged section). A response begins with header v0 (correlation
//! id) or v1 (and a tagged section); ApiVersions is always answered under v0, because a client must be able to read
//! that answer before it knows which versions the broker has (KIP-511).

use crate::codec::{DecodeError, Decoder, Encoded, Encoder, Form};
use std::borrow::Cow;
use std::fmt;

/// Kafka's default of `socket.request.max.bytes`: the largest frame that an authenticated peer may send.
pub const FRAME_BYTES_MAX: usize = 100 * 1024 * 1024;

/// The largest frame before the peer has said who it is; also the class of frames that pass a full house.
pub const SMALL_FRAME_BYTES_MAX: usize = 64 * 1024;

const _: () = assert!(SMALL_FRAME_BYTES_MAX <= FRAME_BYTES_MAX && FRAME_BYTES_MAX <= i32::MAX as usize);

/// The key of ApiVersions, the one API whose response header has no second version.
const API_VERSIONS: i16 = 18;

/// The frame can't be read; the connection is closed without an answer, as Kafka does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// Zero or negative.
    Length(i32),
    /// Above the limit that holds for this peer, in bytes.
    TooLarge {
        /// What the peer announced.
        length: usize,
        /// What it may send.
        limit: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Length(length) => write!(f, "a frame of length {length}"),
            FrameError::TooLarge { length, limit } => write!(f, "a frame of {length} bytes where {limit} are allowed"),
        }
    }
}

impl std::error::Error for FrameError {}

/// The length of the frame that follows these four bytes: 1 to `limit`.
pub fn frame_length(prefix: [u8; 4], limit: usize) -> Result<usize, FrameError> {
    let length = i32::from_be_bytes(prefix);
    match usize::try_from(length) {
        Err(_) | Ok(0) => Err(FrameError::Length(length)),
        Ok(length) if length > limit => Err(FrameError::TooLarge { length, limit }),
        Ok(length) => Ok(length),
    }
}

/// The first part of every request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestHeader<'a> {
    /// Which API is called.
    pub api_key: i16,
    /// At which version of its messages.
    pub api_version: i16,
    /// The client's number for the request; the response repeats it.
    pub correlation_id: i32,
    /// What the client calls itself. Null on the wire is the empty name here: no rule tells the two apart.
    pub client_id: Cow<'a, str>,
}

impl<'a> RequestHeader<'a> {
    /// Reads a header. `body_form` says, for key and version, in which form the body is written, which decides the
    /// header's own version; `None` for a key that isn't served.
    ///
    /// Afterwards the decoder stands at the body. `Ok(None)` when the key isn't served: close the connection.
    pub fn decode(
        from: &mut Decoder<'a>,
        body_form: impl FnOnce(i16, i16) -> Option<Form>,
    ) -> Result<Option<RequestHeader<'a>>, DecodeError> {
        let (api_key, api_version, correlation_id) = (from.i16()?, from.i16()?, from.i32()?);
        let Some(form) = body_form(api_key, api_version) else { return Ok(None) };
        // The client id keeps its int16 length in v2, so that a broker can read it at a version that it doesn't know.
        let client_id = from.classic(Decoder::nullable_str)?.unwrap_or_default();
        from.set_form(form);
        from.known_tags(|_, _| Ok(false))?;
        Ok(Some(RequestHeader { api_key, api_version, correlation_id, client_id }))
    }

    /// Begins a request frame; [`finish_frame`] ends it.
    ///
    /// # Panics
    ///
    /// If the client id is longer than 32,767 bytes: it is the program's own.
    pub fn begin_request(&self, body_form: Form) -> Encoder {
        let mut into = Encoder::new();
        into.i32(0);
        into.i16(self.api_key);
        into.i16(self.api_version);
        into.i32(self.correlation_id);
        into.string(&self.client_id).expect("a client id fits into an int16 length");
        into.set_form(body_form);
        into.no_tags();
        into
    }
}

/// Begins a response frame to a request of `api_key`, in the form of its body; [`finish_frame`] ends it.
pub fn begin_response(api_key: i16, correlation_id: i32, body_form: Form) -> Encoder {
    let mut into = Encoder::new();
    into.i32(0);
    into.i32(correlation_id);
    into.set_form(response_header_form(api_key, body_form));
    into.no_tags();
    into.set_form(body_form);
    into
}

/// Reads a response header, and answers its correlation id; afterwards the decoder stands at the body.
pub fn decode_response_header(from: &mut Decoder<'_>, api_key: i16, body_form: Form) -> Result<i32, DecodeError> {
    let correlation_id = from.i32()?;
    from.set_form(response_header_form(api_key, body_form));
    from.known_tags(|_, _| Ok(false))?;
    from.set_form(body_form);
    Ok(correlation_id)
}

/// Writes the frame's length into its first four bytes.
///
/// # Panics
///
/// If the frame is longer than 2^31 - 1 bytes: responses are bounded long before.
pub fn finish_frame(mut frame: Encoder) -> Encoded {
    let length = i32::try_from(frame.len() - 4).expect("a frame fits into an int32 length");
    frame.patch_i32(0, length);
    frame.finish()
}

fn response_header_form(api_key: i16, body_form: Form) -> Form {
    if api_key == API_VERSIONS { Form::Classic } else { body_form }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn flexible(_: i16, _: i16) -> Option<Form> {
        Some(Form::Flexible)
    }

    #[test]
    fn a_frame_is_neither_empty_nor_negative_nor_above_its_limit() {
        assert_eq!(frame_length([0, 0, 0, 1], 10), Ok(1));
        assert_eq!(frame_length([0, 0, 0, 10], 10), Ok(10));
        assert_eq!(frame_length([0, 0, 0, 11], 10), Err(FrameError::TooLarge { length: 11, limit: 10 }));
        assert_eq!(frame_length([0; 4], 10), Err(FrameError::Length(0)));
        assert_eq!(frame_length([0xff; 4], 10), Err(FrameError::Length(-1)));
    }

    // Seen from kcat: ApiVersions v3 in header v2, client id "kcat" with a two-byte length.
    #[test]
    fn the_client_id_keeps_its_classic_length_in_header_v2() {
        let frame = Bytes::from_static(b"\0\x12\0\x03\0\0\0\x01\0\x04kcat\0body");
        let mut from = Decoder::new(&frame);
        let header = RequestHeader::decode(&mut from, flexible).unwrap().unwrap();
        assert_eq!((header.api_key, header.api_version, header.correlation_id), (18, 3, 1));
        assert_eq!((&*header.client_id, from.remaining()), ("kcat", 4));
        let mut again = header.begin_request(Form::Flexible);
        again.raw(b"body");
        assert_eq!(finish_frame(again).into_bytes(), [&[0, 0, 0, 19], &frame[..]].concat());
    }

    #[test]
    fn no_client_id_is_the_empty_client_id_and_unknown_tags_are_passed_over() {
        let frame = Bytes::from_static(b"\0\x03\0\x0c\0\0\0\x07\xff\xff\x01\x63\x02hi!");
        let mut from = Decoder::new(&frame);
        let header = RequestHeader::decode(&mut from, flexible).unwrap().unwrap();
        assert_eq!((&*header.client_id, from.remaining()), ("", 1));
    }

    #[test]
    fn a_key_that_nobody_serves_is_told_apart_from_damage() {
        let frame = Bytes::from_static(b"\0\xc8\0\0\0\0\0\x07\0\x04poke");
        assert_eq!(RequestHeader::decode(&mut Decoder::new(&frame), |_, _| None), Ok(None));
        let cut = frame.slice(..10);
        assert_eq!(
            RequestHeader::decode(&mut Decoder::new(&cut), flexible),
            Err(DecodeError::Oversized { claimed: 4, remaining: 0 })
        );
    }

    #[test]
    fn api_versions_is_answered_under_header_v0_whatever_its_body() {
        let header = |key, form| finish_frame(begin_response(key, 7, form)).into_bytes();
        assert_eq!(&header(18, Form::Flexible)[..], [0, 0, 0, 4, 0, 0, 0, 7]);
        assert_eq!(&header(3, Form::Flexible)[..], [0, 0, 0, 5, 0, 0, 0, 7, 0]);
        assert_eq!(&header(3, Form::Classic)[..], [0, 0, 0, 4, 0, 0, 0, 7]);
        for (key, form) in [(18, Form::Flexible), (3, Form::Flexible), (3, Form::Classic)] {
            let frame = header(key, form).slice(4..);
            let mut from = Decoder::new(&frame);
            assert_eq!(decode_response_header(&mut from, key, form), Ok(7));
            assert_eq!(from.remaining(), 0);
        }
    }
}
