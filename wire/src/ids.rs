//! Ids and positions as types of their own, so that a partition is never taken for an offset.

use std::fmt;
use std::str::FromStr;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($repr:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub $repr);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

number! {
    /// A record's place in its partition: 0 for the first, then one more for each record.
    Offset(i64)
}
number! {
    /// The number of a leader's reign over a partition; -1 is unknown.
    LeaderEpoch(i32)
}
number! {
    /// A broker's `node.id`; -1 is nobody.
    BrokerId(i32)
}
number! {
    /// A partition's number inside its topic.
    PartitionIndex(i32)
}
number! {
    /// An idempotent producer's id; -1 is a producer without one.
    ProducerId(i64)
}
number! {
    /// The generation of a producer id; an older one is fenced.
    ProducerEpoch(i16)
}

impl Offset {
    /// The first offset of a log that lost nothing yet.
    pub const ZERO: Offset = Offset(0);

    /// The offset `count` records further on.
    pub const fn plus(self, count: i64) -> Offset {
        Offset(self.0 + count)
    }
}

impl LeaderEpoch {
    /// Kafka's `NO_PARTITION_LEADER_EPOCH`.
    pub const NONE: LeaderEpoch = LeaderEpoch(-1);
}

impl BrokerId {
    /// Nobody.
    pub const NONE: BrokerId = BrokerId(-1);
}

impl ProducerId {
    /// Kafka's `NO_PRODUCER_ID`.
    pub const NONE: ProducerId = ProducerId(-1);
}

impl ProducerEpoch {
    /// Kafka's `NO_PRODUCER_EPOCH`.
    pub const NONE: ProducerEpoch = ProducerEpoch(-1);
}

/// 128 bits, shown as Kafka shows them: 22 characters of URL-safe base64 without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid(pub [u8; 16]);

/// A topic's identity: a second topic under the same name has another one.
pub type TopicId = Uuid;

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Uuid {
    /// The null id, which names nothing.
    pub const ZERO: Uuid = Uuid([0; 16]);

    /// A version-4 UUID (RFC 9562) out of 128 random bits.
    pub const fn from_random(mut bits: [u8; 16]) -> Uuid {
        bits[6] = (bits[6] & 0x0f) | 0x40;
        bits[8] = (bits[8] & 0x3f) | 0x80;
        Uuid(bits)
    }

    /// Whether this is the null id.
    pub fn is_zero(self) -> bool {
        self == Uuid::ZERO
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        // 22 sextets hold 132 bits: the last carries the four lowest bits of the id, shifted up by four.
        for place in 0..22u32 {
            let sextet = if place < 21 { (bits >> (122 - 6 * place)) & 63 } else { (bits << 4) & 63 };
            write!(f, "{}", char::from(BASE64_URL[sextet as usize]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 22 characters of URL-safe base64.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAUuid;

impl fmt::Display for NotAUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id: expected 22 characters of URL-safe base64")
    }
}

impl std::error::Error for NotAUuid {}

impl FromStr for Uuid {
    type Err = NotAUuid;

    fn from_str(text: &str) -> Result<Uuid, NotAUuid> {
        if text.len() != 22 {
            return Err(NotAUuid);
        }
        let mut bits = 0u128;
        for (place, byte) in text.bytes().enumerate() {
            let sextet = BASE64_URL.iter().position(|&c| c == byte).ok_or(NotAUuid)? as u128;
            bits = if place < 21 { (bits << 6) | sextet } else { (bits << 2) | (sextet >> 4) };
        }
        Ok(Uuid(bits.to_be_bytes()))
    }
}

/// One partition by its topic's id: the name of a log that survives a rename and can't be confused with a namesake.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TopicPartition {
    /// The topic's id, never zero.
    pub topic: TopicId,
    /// The partition's number.
    pub partition: PartitionIndex,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        // Kafka's own: Uuid.ONE_UUID, and the cluster id of the reference installation's format command.
        assert_eq!(Uuid(1u128.to_be_bytes()).to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        for text in ["MkU3OEVBNTcwNTJENDM2Qg", "AAAAAAAAAAAAAAAAAAAAAA", "_____________________w"] {
            assert_eq!(text.parse::<Uuid>().map(|id| id.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("short".parse::<Uuid>(), Err(NotAUuid));
        assert_eq!("AAAAAAAAAAAAAAAAAAAA=A".parse::<Uuid>(), Err(NotAUuid));
    }

    #[test]
    fn a_random_id_says_that_it_is_version_four() {
        let id = Uuid::from_random([0xff; 16]);
        assert_eq!((id.0[6] >> 4, id.0[8] >> 6), (4, 2));
    }
}
