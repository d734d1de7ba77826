//! Batches one after the other, as a segment and a fetch answer hold them: the last may be cut anywhere.

use std::fmt;

use bytes::Bytes;

use super::header::{LENGTH_END, LENGTH_WITHOUT_RECORDS, MAGIC};
use super::{Batch, HEADER_BYTES};

/// Where the version byte stands, in batches and in the message sets before them.
const MAGIC_AT: usize = 16;

/// Why no whole batch stands here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// The bytes end before the batch does: more of them may make it whole.
    Truncated {
        /// Bytes that are there; 0 when a reader stands exactly at the end.
        present: usize,
    },
    /// No further byte can make this a batch.
    Corrupt(Corruption),
}

/// What shows that bytes aren't the batch that was once written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Corruption {
    /// The length is below that of a header.
    Length(i32),
    /// The version isn't 2.
    Magic(i8),
    /// The checksum doesn't fit.
    Crc {
        /// As the header has it.
        stored: u32,
        /// As the bytes have it.
        computed: u32,
    },
}

/// The whole batches of some bytes, in order. After the last of them comes nothing, or one [`Unreadable`].
#[derive(Clone, Debug)]
pub struct Batches {
    rest: Bytes,
    position: usize,
    stopped: Stopped,
}

impl Batches {
    /// Reads from the first byte, where a batch has to begin. The batches share the memory of `bytes`.
    pub fn new(bytes: Bytes) -> Batches {
        Batches { rest: bytes, position: 0, stopped: Stopped::No }
    }

    /// How many bytes the batches handed out so far take: where the next one begins.
    pub fn position(&self) -> usize {
        self.position
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, Unreadable>;

    fn next(&mut self) -> Option<Result<Batch, Unreadable>> {
        if self.stopped == Stopped::Yes || self.rest.is_empty() {
            return None;
        }
        let batch = Batch::parse(&self.rest);
        match &batch {
            Ok(batch) => {
                let _handed_out = self.rest.split_to(batch.byte_length());
                self.position += batch.byte_length();
            }
            Err(_) => self.stopped = Stopped::Yes,
        }
        Some(batch)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stopped {
    No,
    Yes,
}

/// Bytes of the batch that `bytes` begin with, at least a header's and at most all of them.
pub(super) fn measure(bytes: &[u8]) -> Result<usize, Unreadable> {
    let truncated = Unreadable::Truncated { present: bytes.len() };
    let &[_, _, _, _, _, _, _, _, a, b, c, d, ..] = bytes else { return Err(truncated) };
    let length = i32::from_be_bytes([a, b, c, d]);
    // Lengths of older versions may be shorter: look at the version first, it says more.
    if let Some(&magic) = bytes.get(MAGIC_AT)
        && i8::from_be_bytes([magic]) != MAGIC
        && length >= MESSAGE_LENGTH_MIN
    {
        return Err(Unreadable::Corrupt(Corruption::Magic(i8::from_be_bytes([magic]))));
    }
    match usize::try_from(length) {
        Ok(after) if after >= LENGTH_WITHOUT_RECORDS => {
            let whole = LENGTH_END + after;
            if whole <= bytes.len() { Ok(whole) } else { Err(truncated) }
        }
        _ => Err(Unreadable::Corrupt(Corruption::Length(length))),
    }
}

/// The shortest message of versions 0 and 1, as Kafka checks it: below it the length itself is wrong.
const MESSAGE_LENGTH_MIN: i32 = 14;

const _: () = assert!(MAGIC_AT < HEADER_BYTES);

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Corruption::Length(length) => write!(f, "a batch can't have length {length}"),
            Corruption::Magic(magic) => write!(f, "no batch has version {magic}"),
            Corruption::Crc { stored, computed } => {
                write!(f, "the checksum is {stored:08x}, the bytes make {computed:08x}")
            }
        }
    }
}

impl std::error::Error for Corruption {}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Truncated { present } => write!(f, "the bytes end within a batch, after {present} of it"),
            Unreadable::Corrupt(corruption) => corruption.fmt(f),
        }
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Builder;
    use super::*;
    use crate::{LeaderEpoch, Offset, Timestamp};

    fn log_of_three() -> (Vec<Batch>, Vec<u8>) {
        let mut next = Offset(40);
        let batches: Vec<_> = (1..=3u8)
            .map(|records| {
                let builder = (0..records).fold(Builder::new(), |builder, record| {
                    builder.record(Timestamp::from_millis(1_000), Some(&[record]), Some(&[records; 20]))
                });
                let mut batch = builder.build().unwrap();
                batch.place(next, LeaderEpoch(7));
                next = batch.next_offset();
                batch
            })
            .collect();
        let bytes = batches.iter().flat_map(|batch| batch.parts().concat()).collect();
        (batches, bytes)
    }

    #[test]
    fn a_log_cut_anywhere_gives_its_whole_batches_and_says_how_much_of_the_next_is_there() {
        let (batches, bytes) = log_of_three();
        assert_eq!(batches[2].next_offset(), Offset(46));
        for cut in 0..=bytes.len() {
            let mut reader = Batches::new(Bytes::copy_from_slice(&bytes[..cut]));
            let whole: Vec<_> = reader.by_ref().take_while(Result::is_ok).map(Result::unwrap).collect();
            assert_eq!(whole, batches[..whole.len()]);
            assert_eq!(reader.position(), whole.iter().map(Batch::byte_length).sum::<usize>());

            let left = cut - reader.position();
            let last = Batches::new(Bytes::copy_from_slice(&bytes[..cut])).last();
            let truncated = last.is_some_and(|last| last == Err(Unreadable::Truncated { present: left }));
            assert_eq!(truncated, left > 0, "cut at {cut}");
            assert!(whole.len() == batches.len() || left < batches[whole.len()].byte_length());
        }
    }

    #[test]
    fn what_no_further_byte_can_heal_is_corrupt_not_truncated() {
        let (_, bytes) = log_of_three();
        let first = |at: usize, value: u8| {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            Batches::new(damaged.into()).next()
        };
        assert_eq!(first(16, 1), Some(Err(Unreadable::Corrupt(Corruption::Magic(1)))));
        assert_eq!(first(11, 48), Some(Err(Unreadable::Corrupt(Corruption::Length(48)))));
        assert!(matches!(first(8, 0x80), Some(Err(Unreadable::Corrupt(Corruption::Length(..0))))));
        // A length that is only too large may belong to a batch still being written.
        assert_eq!(first(8, 1), Some(Err(Unreadable::Truncated { present: bytes.len() })));
        // Zeros, as preallocated files have them at their end, are no batch.
        let zeros = Batches::new(vec![0; 4096].into()).next();
        assert_eq!(zeros, Some(Err(Unreadable::Corrupt(Corruption::Length(0)))));
    }

    #[test]
    fn the_checksum_covers_the_records_and_the_header_from_the_attributes_on() {
        let (batches, _) = log_of_three();
        let bytes = batches[1].to_bytes();
        for at in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 0x10;
            match Batch::parse(&damaged.into()) {
                // Base offset and leader epoch: the leader rewrites them, so nothing vouches for them.
                Ok(batch) if at < 8 || (12..16).contains(&at) => assert_eq!(batch.check(), Ok(()), "byte {at}"),
                Ok(batch) => assert!(matches!(batch.check(), Err(Corruption::Crc { .. })), "byte {at}"),
                Err(_) => assert!((8..12).contains(&at) || at == 16, "byte {at}"),
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic_and_never_past_their_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Batches::new(bytes.clone().into());
            for batch in reader.by_ref().flatten() {
                prop_assert!(batch.last_offset() <= batch.next_offset());
                let _ = super::super::Records::of(&batch).into_iter().flatten().count();
            }
            prop_assert!(reader.position() <= bytes.len());
        }
    }
}
