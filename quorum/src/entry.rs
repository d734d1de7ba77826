//! What the quorum's journal holds: entries, votes and voter sets, in Raft's shape.
//!
//! ```text
//! 64 Entry   u64 term | u64 index | u64 hash of all before | payload
//! 65 Vote    u64 term | i32 node | 16B directory id          this node's vote: one per term, durable before it counts
//! 66 Voters  u64 index | u32 count | count × (i32 node, 16B directory id)    the voters from that index on
//! ```
//! All numbers are big-endian. The bodies stand inside the frames of `thalweg_log`'s journal, which carry the checksums.

use std::collections::BTreeSet;

use bytes::{Buf, BufMut, Bytes};
use thalweg_log::journal::entry::{Malformed, RawEntry};
use thalweg_log::journal::{Head, Kind};
use thalweg_wire::{BrokerId, Uuid};

use crate::meta_log::Voter;
use crate::position::{Index, RunningHash, Term};

const ENTRY: Kind = Kind(Kind::FOREIGN.0);
const VOTE: Kind = Kind(Kind::FOREIGN.0 + 1);
const VOTERS: Kind = Kind(Kind::FOREIGN.0 + 2);

/// What stands before an entry's payload, in bytes.
pub const ENTRY_HEAD_BYTES: usize = 24;

/// The body of a vote, in bytes.
pub const VOTE_BYTES: usize = 8 + VOTER_BYTES;

const VOTER_BYTES: usize = 20;

/// One thing in the quorum's journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// An entry of the log.
    Entry {
        /// The term of the leader that wrote it.
        term: Term,
        /// Its place.
        index: Index,
        /// The running hash before it.
        previous: RunningHash,
        /// What it says.
        payload: Bytes,
    },
    /// This node's vote.
    Vote {
        /// In which term.
        term: Term,
        /// For whom.
        candidate: Voter,
    },
    /// The voters from an index on.
    Voters {
        /// That index.
        since: Index,
        /// The voters.
        voters: BTreeSet<Voter>,
    },
}

impl Item {
    /// The kind, the fixed part and the shared part, as the journal wants them.
    pub fn parts(&self) -> (Kind, Head, Bytes) {
        match self {
            Item::Entry { term, index, previous, payload } => {
                let head =
                    Head::EMPTY.put(&term.0.to_be_bytes()).put(&index.0.to_be_bytes()).put(&previous.0.to_be_bytes());
                (ENTRY, head, payload.clone())
            }
            Item::Vote { term, candidate } => {
                let head = Head::EMPTY
                    .put(&term.0.to_be_bytes())
                    .put(&candidate.node.0.to_be_bytes())
                    .put(&candidate.directory.0);
                (VOTE, head, Bytes::new())
            }
            Item::Voters { since, voters } => {
                let mut body = Vec::with_capacity(4 + voters.len() * VOTER_BYTES);
                write_voters(&mut body, voters);
                (VOTERS, Head::EMPTY.put(&since.0.to_be_bytes()), Bytes::from(body))
            }
        }
    }

    /// Reads what stands in a frame.
    pub fn read(raw: &RawEntry) -> Result<Item, Malformed> {
        let malformed = || Malformed { kind: raw.kind, length: raw.body.len() };
        let mut body = raw.body.clone();
        match raw.kind {
            ENTRY if body.len() >= ENTRY_HEAD_BYTES => Ok(Item::Entry {
                term: Term(body.get_u64()),
                index: Index(body.get_u64()),
                previous: RunningHash(body.get_u64()),
                payload: body,
            }),
            VOTE if body.len() == VOTE_BYTES => {
                Ok(Item::Vote { term: Term(body.get_u64()), candidate: read_voter(&mut body) })
            }
            VOTERS if body.len() >= 8 => {
                let since = Index(body.get_u64());
                let voters = read_voters(&mut body).filter(|_| body.is_empty()).ok_or_else(malformed)?;
                Ok(Item::Voters { since, voters })
            }
            _ => Err(malformed()),
        }
    }
}

/// Writes a voter set: its count, then each.
pub(crate) fn write_voters(into: &mut Vec<u8>, voters: &BTreeSet<Voter>) {
    into.put_u32(u32::try_from(voters.len()).expect("a quorum has a handful of voters"));
    for voter in voters {
        into.put_i32(voter.node.0);
        into.put_slice(&voter.directory.0);
    }
}

/// Reads a voter set; `None` if it is cut short, empty, or names a voter twice.
pub(crate) fn read_voters(from: &mut Bytes) -> Option<BTreeSet<Voter>> {
    let count = from.try_get_u32().ok()? as usize;
    if count == 0 || count > from.len() / VOTER_BYTES {
        return None;
    }
    let voters: BTreeSet<Voter> = (0..count).map(|_| read_voter(from)).collect();
    (voters.len() == count).then_some(voters)
}

/// The caller made sure that the bytes are there.
fn read_voter(from: &mut Bytes) -> Voter {
    let node = BrokerId(from.get_i32());
    let mut directory = [0; 16];
    from.copy_to_slice(&mut directory);
    Voter { node, directory: Uuid(directory) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(item: &Item) -> RawEntry {
        let (kind, head, body) = item.parts();
        RawEntry { kind, body: Bytes::from([head.bytes(), &body].concat()) }
    }

    fn items() -> [Item; 3] {
        let voter = |node| Voter { node: BrokerId(node), directory: Uuid([node as u8; 16]) };
        [
            Item::Entry {
                term: Term(3),
                index: Index(9),
                previous: RunningHash(0x0102_0304_0506_0708),
                payload: Bytes::from_static(b"records"),
            },
            Item::Vote { term: Term(4), candidate: voter(7) },
            Item::Voters { since: Index(5), voters: [voter(1), voter(2), voter(3)].into() },
        ]
    }

    #[test]
    fn each_item_reads_back() {
        for item in items() {
            assert_eq!(Item::read(&raw(&item)), Ok(item));
        }
    }

    #[test]
    fn the_bytes_of_a_vote_are_those_of_the_format() {
        let bytes = raw(&items()[1]).body;
        assert_eq!(bytes[..12], [0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 7]);
        assert_eq!((bytes[12..].to_vec(), raw(&items()[1]).kind), (vec![7; 16], Kind(65)));
    }

    #[test]
    fn a_body_that_is_cut_short_or_lies_about_its_count_is_refused() {
        for item in items() {
            let whole = raw(&item);
            for length in 0..whole.body.len() {
                let cut = RawEntry { kind: whole.kind, body: whole.body.slice(..length) };
                let payload_only = matches!(item, Item::Entry { .. }) && length >= ENTRY_HEAD_BYTES;
                assert_eq!(Item::read(&cut).is_err(), !payload_only, "{item:?} cut to {length} bytes");
            }
        }
        let huge = [&[0; 8][..], &u32::MAX.to_be_bytes(), &[0; 20]].concat();
        assert!(Item::read(&RawEntry { kind: VOTERS, body: Bytes::from(huge) }).is_err());
        assert!(Item::read(&RawEntry { kind: Kind(67), body: Bytes::new() }).is_err());
    }
}
