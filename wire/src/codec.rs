//! From bytes to values and back, by Kafka's rules for primitive types: numbers, strings, byte fields, arrays, tags.
//!
//! A message is written in one of two forms. *Classic*: strings begin with an int16 length, byte fields and arrays with
//! an int32, and -1 is null. *Flexible* (KIP-482): lengths are unsigned varints of length + 1 with 0 for null, and every
//! struct ends with a section of tagged fields. All numbers are big endian.
//!
//! What a peer sends is never believed: a length is compared with the bytes that remain before anything is reserved.
//! Where Kafka's own decoder is lenient this one is too, because clients in the field depend on it: lengths below -1
//! are null where null is allowed, any non-zero byte is true, varints may be padded up to five bytes, invalid UTF-8
//! becomes U+FFFD, tags may come twice or in any order, and the size of a tag that we know isn't checked.

mod decoder;
mod encoder;

pub use decoder::Decoder;
pub use encoder::{Encoded, Encoder, Piece, TagWriter};

use bytes::Bytes;
use std::fmt;

/// The longest string that either form may carry, in bytes: Kafka's limit, also where a varint could say more.
pub const STRING_BYTES_MAX: usize = 32_767;

/// How lengths are written, and whether structs end with tagged fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// int16 and int32 lengths, no tags.
    Classic,
    /// Varint lengths, tagged fields at the end of each struct (KIP-482).
    Flexible,
}

impl Form {
    /// The form of `version` of a message that is flexible from version `first_flexible` on.
    pub const fn of(version: i16, first_flexible: i16) -> Form {
        if version >= first_flexible { Form::Flexible } else { Form::Classic }
    }
}

/// A tagged field that this code has no name for. It is kept and written back, so that a stored record survives a
/// node that is older than its writer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownTag {
    /// The field's number.
    pub tag: u32,
    /// Its bytes, as they came.
    pub data: Bytes,
}

/// Why bytes are not the message that they should be. A connection that sent them is closed; a file that holds them
/// is damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// The bytes end inside a value.
    Truncated,
    /// A length or count says more than the remaining bytes can hold.
    Oversized {
        /// The length, or the number of elements, that was announced.
        claimed: u64,
        /// The bytes that were left.
        remaining: usize,
    },
    /// A string longer than [`STRING_BYTES_MAX`].
    StringTooLong(usize),
    /// Null in a place where this version has no null.
    Null,
    /// A varint longer than five bytes.
    Varint,
    /// A tag that the schema has in another version, but not in this one.
    MisplacedTag(u32),
    /// The message has no such version.
    UnknownVersion(i16),
    /// No stored record has this type.
    UnknownRecord(i16),
    /// A stored record in a framing that we don't know.
    UnknownFrame(u32),
    /// A stored record with so many bytes after its end. (After a request they are ignored: librdkafka sends some.)
    Trailing(usize),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated => f.write_str("the bytes end inside a value"),
            DecodeError::Oversized { claimed, remaining } => {
                write!(f, "a length of {claimed} where {remaining} bytes remain")
            }
            DecodeError::StringTooLong(length) => write!(f, "a string of {length} bytes, above {STRING_BYTES_MAX}"),
            DecodeError::Null => f.write_str("null where a value must be"),
            DecodeError::Varint => f.write_str("a varint of more than five bytes"),
            DecodeError::MisplacedTag(tag) => write!(f, "tag {tag} does not belong to this version"),
            DecodeError::UnknownVersion(version) => write!(f, "there is no version {version} of this message"),
            DecodeError::UnknownRecord(kind) => write!(f, "there is no stored record of type {kind}"),
            DecodeError::UnknownFrame(version) => write!(f, "there is no record framing of version {version}"),
            DecodeError::Trailing(count) => write!(f, "{count} bytes after the end of the record"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Why a value can't be written at a version. It is always the writer's mistake: the value says something that the
/// version has no words for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EncodeError {
    /// The field isn't in this version, is not ignorable, and doesn't hold its default.
    NotInVersion {
        /// The field's name in the schema.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// The field is null, and this version has no null there.
    Null {
        /// The field's name in the schema.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// The message has no such version.
    UnknownVersion(i16),
    /// The value carries unknown tags, and this version is in the classic form, which has none.
    TagsInClassicForm,
    /// A string above [`STRING_BYTES_MAX`], or an array or byte field above 2^31 - 2.
    TooLong(usize),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::NotInVersion { field, version } => write!(f, "version {version} has no field {field}"),
            EncodeError::Null { field, version } => write!(f, "version {version} has no null for the field {field}"),
            EncodeError::UnknownVersion(version) => write!(f, "there is no version {version} of this message"),
            EncodeError::TagsInClassicForm => f.write_str("tagged fields in a version that has none"),
            EncodeError::TooLong(length) => write!(f, "a length of {length} is above what the wire can carry"),
        }
    }
}

impl std::error::Error for EncodeError {}
