//! Where an entry stands, and the hash over everything up to it.

use std::fmt;
use std::hash::Hasher;
use std::ops::Range;

use twox_hash::XxHash64;

/// An entry's place in the metadata log: 1 for the first, then one more each; 0 stands before the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Index(pub u64);

impl Index {
    /// Before the first entry.
    pub const ZERO: Index = Index(0);

    /// The place behind this one.
    pub const fn next(self) -> Index {
        Index(self.0 + 1)
    }

    /// So many places from this one on.
    pub const fn run(self, count: u64) -> Range<Index> {
        self..Index(self.0 + count)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The number of a leader's reign over the metadata log (Raft's term).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Term(pub u64);

impl Term {
    /// The term after this one.
    pub const fn next(self) -> Term {
        Term(self.0 + 1)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A hash over all entries up to one of them. Two nodes whose hashes at an index differ have different metadata.
///
/// It is XXH64 (Collet, xxHash specification 0.1.1), seeded with the hash before, over the entry's term and index (both
/// u64, big-endian) and its payload. It tells accidents, not attackers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RunningHash(pub u64);

impl fmt::Debug for RunningHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for RunningHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// An entry's identity: its place, the term it was written in, and the hash up to and with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Position {
    /// Its place.
    pub index: Index,
    /// The term of the leader that wrote it.
    pub term: Term,
    /// The running hash after it.
    pub hash: RunningHash,
}

impl Position {
    /// Before the first entry.
    pub const ZERO: Position = Position { index: Index::ZERO, term: Term(0), hash: RunningHash(0) };

    /// Where an entry of that term and payload stands if it is the next one.
    pub fn then(self, term: Term, payload: &[u8]) -> Position {
        let index = self.index.next();
        let mut hash = XxHash64::with_seed(self.hash.0);
        hash.write(&term.0.to_be_bytes());
        hash.write(&index.0.to_be_bytes());
        hash.write(payload);
        Position { index, term, hash: RunningHash(hash.finish()) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "index {} of term {} (hash {})", self.index, self.term, self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash is on disk and between nodes: another library, or another order of the fields, must not slip in.
    #[test]
    fn the_running_hash_is_xxh64_of_term_index_payload_seeded_with_the_one_before() {
        let first = Position::ZERO.then(Term(1), b"");
        let mut bytes = [0; 16];
        bytes[7] = 1;
        bytes[15] = 1;
        assert_eq!(first.hash.0, XxHash64::oneshot(0, &bytes));
        // Published vectors of XXH64 itself: the empty input, and "abc", both with seed 0.
        assert_eq!(XxHash64::oneshot(0, b""), 0xef46_db37_51d8_e999);
        assert_eq!(XxHash64::oneshot(0, b"abc"), 0x44bc_2cf5_ad77_0999);
        let second = first.then(Term(3), b"abc");
        let mut bytes = Vec::new();
        bytes.extend(3u64.to_be_bytes());
        bytes.extend(2u64.to_be_bytes());
        bytes.extend(b"abc");
        assert_eq!(second.hash.0, XxHash64::oneshot(first.hash.0, &bytes));
    }

    #[test]
    fn the_same_payload_elsewhere_has_another_hash() {
        let one = Position::ZERO.then(Term(1), b"a");
        assert_ne!(one.hash, Position::ZERO.then(Term(2), b"a").hash);
        assert_ne!(one.hash, Position::ZERO.then(Term(1), b"b").hash);
        assert_ne!(one.then(Term(1), b"a").hash, one.hash);
    }
}
