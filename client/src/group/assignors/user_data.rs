//! What members tell besides their subscription, in the bytes of Java and librdkafka.
//!
//! `sticky`, version 1: an array of topics with their partitions, as they were given last, and the generation of that, int32.
//! Version 0 has no generation. `cooperative-sticky`: the generation alone, -1 before the first; librdkafka sends there what it
//! sends for `sticky`. Subscriptions of version 2 have the generation themselves, and are believed first.

use std::collections::BTreeMap;

use bytes::Bytes;
use thalweg_wire::PartitionIndex;
use thalweg_wire::codec::{DecodeError, Decoder, EncodeError, Encoder};

use super::{Given, Owned};

/// The bytes of a generation.
const GENERATION_BYTES: usize = 4;

/// `None` if a name is longer than names can be: then a member has no memory.
pub(super) fn of_sticky(last: Given<'_>) -> Option<Bytes> {
    let mut topics: BTreeMap<&str, Vec<PartitionIndex>> = BTreeMap::new();
    for (topic, index) in last.partitions {
        topics.entry(topic).or_default().push(*index);
    }
    let topics: Vec<_> = topics.into_iter().collect();
    let mut into = Encoder::new();
    let topic = |into: &mut Encoder, (name, partitions): &(&str, Vec<PartitionIndex>)| -> Result<(), EncodeError> {
        into.string(name)?;
        into.plain_array(partitions, |into, index| into.i32(index.0))
    };
    into.array(&topics, topic).ok()?;
    into.i32(last.generation);
    Some(into.finish().into_bytes())
}

pub(super) fn of_cooperative(last: Option<Given<'_>>) -> Bytes {
    Bytes::copy_from_slice(&last.map_or(-1, |given| given.generation).to_be_bytes())
}

/// What a sticky member had, and since which generation; `None` if it says nothing that can be read.
pub(super) fn remembered(data: Option<&Bytes>) -> Option<(Owned, Option<i32>)> {
    let mut from = Decoder::new(data?);
    let topics = from.array(6, |from| -> Result<_, DecodeError> {
        Ok((from.string()?, from.array(4, |from| Ok(PartitionIndex(from.i32()?)))?))
    });
    let owned = Owned(topics.ok()?);
    // Version 0 ends here.
    Some((owned, from.i32().ok().filter(|&generation| generation >= 0)))
}

/// The generation of a cooperative member.
pub(super) fn generation(data: Option<&Bytes>) -> Option<i32> {
    let data = data?;
    if data.len() > GENERATION_BYTES {
        return remembered(Some(data))?.1;
    }
    Decoder::new(data).i32().ok().filter(|&generation| generation >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_0_has_no_generation() {
        let data = of_sticky(Given { generation: 5, partitions: &[("t".into(), PartitionIndex(1))] }).unwrap();
        let version_0 = data.slice(..data.len() - 4);
        let owned = Owned(vec![("t".into(), vec![PartitionIndex(1)])]);
        assert_eq!(remembered(Some(&version_0)), Some((owned, None)));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        for bytes in [b"".as_slice(), b"\0\0", b"\0\0\0\x01\0\x01t", b"\x7f\xff\xff\xff\0\0"] {
            let data = Bytes::from_static(bytes);
            assert_eq!(remembered(Some(&data)), None, "{bytes:?}");
            assert_eq!(generation(Some(&data)), None, "{bytes:?}");
        }
        assert_eq!((remembered(None), generation(None)), (None, None));
    }
}
