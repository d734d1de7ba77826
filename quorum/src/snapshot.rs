//! Files that hold the image at one index, so that the log below it can be forgotten.
//!
//! ```text
//! 00000000000000000120-0000000003.snapshot     index, 20 digits; term, 10 digits
//!
//!  0  u32  magic "THQS"
//!  4  u32  CRC-32C of everything behind this field
//!  8  u32  version, 1
//! 12  u32  zero
//! 16  u64  index            of the last entry that is in the image
//! 24  u64  term             of that entry
//! 32  u64  hash             the running hash after that entry
//! 40  u64  voters since     an index
//! 48  u32  count | count × (i32 node, 16B directory id)     the voters at that entry
//!     the image: framed records, to the end of the file
//! ```
//! All numbers are big-endian. A file that bears its name is whole: it was synced under another name before.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use bytes::{Buf, BufMut, Bytes};
use thalweg_log::directory::replace;
use thalweg_wire::checksum::crc32c;
use thalweg_world::disk::{Disk, EntryKind, Open};

use crate::entry::{read_voters, write_voters};
use crate::meta_log::Voter;
use crate::position::{Index, Position, RunningHash, Term};

const MAGIC: u32 = u32::from_be_bytes(*b"THQS");
const VERSION: u32 = 1;
const CHECKED_FROM: usize = 8;
const FIXED_BYTES: usize = 48;
const SUFFIX: &str = ".snapshot";
const UNFINISHED: &str = ".snapshot.tmp";

/// The largest snapshot, in bytes: an image of a million partitions is a tenth of it, and it is read at once.
pub const SNAPSHOT_BYTES_MAX: u64 = 1 << 30;

/// How many snapshots stay: the newest, and the one before as something for a person to look at.
const KEPT: usize = 2;

/// The image at one index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// The last entry that is in it.
    pub at: Position,
    /// The image, in the machine's own form.
    pub image: Bytes,
}

/// A snapshot and the voters at its index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// The image.
    pub snapshot: Snapshot,
    /// Who agrees.
    pub voters: BTreeSet<Voter>,
    /// From which index on.
    pub voters_since: Index,
}

impl Stored {
    /// Writes the file, durably. Blocks.
    pub(crate) fn write(&self, disk: &dyn Disk, folder: &Path) -> io::Result<()> {
        replace(disk, folder, &name_of(self.snapshot.at), &self.bytes())
    }

    fn bytes(&self) -> Vec<u8> {
        let Snapshot { at, image } = &self.snapshot;
        let mut bytes = Vec::with_capacity(FIXED_BYTES + 4 + 20 * self.voters.len() + image.len());
        bytes.put_u32(MAGIC);
        bytes.put_u32(0);
        bytes.put_u32(VERSION);
        bytes.put_u32(0);
        bytes.put_u64(at.index.0);
        bytes.put_u64(at.term.0);
        bytes.put_u64(at.hash.0);
        bytes.put_u64(self.voters_since.0);
        write_voters(&mut bytes, &self.voters);
        bytes.put_slice(image);
        let checksum = crc32c(&bytes[CHECKED_FROM..]);
        bytes[4..8].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    /// Reads a file's bytes; the error says what is wrong with them.
    ///
    /// # Errors
    /// In words.
    pub fn parse(mut bytes: Bytes) -> Result<Stored, &'static str> {
        if bytes.len() < FIXED_BYTES || bytes.get_u32() != MAGIC {
            return Err("not a snapshot of the metadata");
        }
        if bytes.get_u32() != crc32c(&bytes) {
            return Err("damaged: its checksum doesn't match");
        }
        if bytes.get_u32() != VERSION {
            return Err("of a version that is not known here");
        }
        bytes.advance(4);
        let (index, term) = (Index(bytes.get_u64()), Term(bytes.get_u64()));
        let at = Position { index, term, hash: RunningHash(bytes.get_u64()) };
        let voters_since = Index(bytes.get_u64());
        let voters = read_voters(&mut bytes).ok_or("its voters can't be read")?;
        Ok(Stored { snapshot: Snapshot { at, image: bytes }, voters, voters_since })
    }
}

/// A snapshot's file: what its name says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Named {
    pub(crate) index: Index,
    term: Term,
    pub(crate) path: PathBuf,
}

/// The snapshots in a folder, newest first. Blocks.
pub(crate) fn list(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<Named>> {
    let entries = disk.list(folder)?.into_iter().filter(|entry| entry.kind == EntryKind::File);
    let mut found: Vec<Named> = entries
        .filter_map(|entry| {
            let (index, term) = numbers_of(entry.name.to_str()?)?;
            Some(Named { index, term, path: folder.join(entry.name) })
        })
        .collect();
    found.sort_unstable_by(|one, other| other.cmp(one));
    Ok(found)
}

/// Reads one. `Ok(Err(..))` says what is wrong with its bytes. Blocks.
pub(crate) fn read(disk: &dyn Disk, named: &Named) -> io::Result<Result<Stored, &'static str>> {
    let file = disk.open(&named.path, Open::Read)?;
    let size = file.size()?;
    if size > SNAPSHOT_BYTES_MAX {
        return Ok(Err("larger than a snapshot may be"));
    }
    let mut bytes = vec![0; size as usize];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(Stored::parse(Bytes::from(bytes)).and_then(|stored| {
        let at = stored.snapshot.at;
        if (at.index, at.term) == (named.index, named.term) {
            Ok(stored)
        } else {
            Err("another one than its name says")
        }
    }))
}

/// Takes away what was cut short, and all snapshots but the newest and the one before it. Blocks.
pub(crate) fn prune(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    for entry in disk.list(folder)? {
        if entry.name.to_str().is_some_and(|name| name.ends_with(UNFINISHED)) {
            disk.remove_file(&folder.join(entry.name))?;
        }
    }
    for old in list(disk, folder)?.into_iter().skip(KEPT) {
        disk.remove_file(&old.path)?;
    }
    Ok(())
}

fn name_of(at: Position) -> String {
    format!("{:020}-{:010}{SUFFIX}", at.index.0, at.term.0)
}

fn numbers_of(name: &str) -> Option<(Index, Term)> {
    let (index, term) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    let at = Position { index: Index(index.parse().ok()?), term: Term(term.parse().ok()?), ..Position::ZERO };
    (name_of(at) == name).then_some((at.index, at.term))
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_wire::{BrokerId, Uuid};

    fn stored() -> Stored {
        let at = Position { index: Index(120), term: Term(3), hash: RunningHash(0xfeed) };
        Stored {
            snapshot: Snapshot { at, image: Bytes::from_static(b"the image") },
            voters: [Voter { node: BrokerId(1), directory: Uuid([5; 16]) }].into(),
            voters_since: Index(7),
        }
    }

    #[test]
    fn a_snapshot_reads_back_and_any_flipped_bit_is_seen() {
        let mut bytes = stored().bytes();
        assert_eq!(Stored::parse(Bytes::from(bytes.clone())), Ok(stored()));
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Stored::parse(Bytes::from(bytes.clone())).is_err(), "bit {bit} may flip unseen");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..bytes.len() {
            assert!(Stored::parse(Bytes::from(bytes[..length].to_vec())).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn a_name_leads_back_to_index_and_term_and_a_foreign_one_to_nothing() {
        let name = name_of(stored().snapshot.at);
        assert_eq!(name, "00000000000000000120-0000000003.snapshot");
        assert_eq!(numbers_of(&name), Some((Index(120), Term(3))));
        for foreign in ["120-3.snapshot", "00000000000000000120-0000000003.checkpoint", "x.snapshot", ".snapshot"] {
            assert_eq!(numbers_of(foreign), None, "{foreign}");
        }
    }
}
