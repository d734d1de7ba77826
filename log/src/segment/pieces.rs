//! A `.log` piece by piece, for somebody who wants to see all of it: batches, those with a wrong checksum too, and the bytes
//! between them that are none.
//!
//! Nothing is decided here. What a start would cut, and what is damage, is said elsewhere.

use std::io;
use std::sync::Arc;

use thalweg_wire::Offset;
use thalweg_wire::batch::{Corruption, Header};
use thalweg_world::DiskFile;

use super::damage::Flaw;
use super::reader::Checksums;
use super::walk::{Behind, Step, Walk, batch_behind};

/// A part of a `.log`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// A batch.
    Batch {
        /// Where it begins, in bytes.
        position: u64,
        /// Its size in bytes.
        bytes: u32,
        /// Its header.
        header: Header,
        /// What its bytes come to, where that is another checksum than its header says.
        computed: Option<u32>,
    },
    /// Bytes that are no batch.
    Rubble {
        /// Where they begin, in bytes.
        position: u64,
        /// How many there are.
        bytes: u64,
        /// Why no batch begins here.
        flaw: Flaw,
    },
}

/// The pieces of one file, in their order. Holds little memory, whatever stands in the file.
pub struct Pieces {
    file: Arc<dyn DiskFile>,
    walk: Walk,
    base: Offset,
    end: u32,
}

impl Pieces {
    /// Those of the file of a segment that begins at `base`. Blocks, as all of it does.
    ///
    /// # Errors
    /// Those of the disk; `FileTooLarge` for a file that is larger than a segment can be.
    pub fn of(file: Arc<dyn DiskFile>, base: Offset) -> io::Result<Pieces> {
        let end = i32::try_from(file.size()?).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let end = end.cast_unsigned();
        let walk = Walk::new(file.clone(), base, 0, end, Checksums::Verified);
        Ok(Pieces { file, walk, base, end })
    }

    /// The next one; `None` at the end.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn step(&mut self) -> io::Result<Option<Piece>> {
        let position = self.walk.position();
        let flaw = match self.walk.step()? {
            Step::End => return Ok(None),
            Step::Batch { bytes, header, .. } => {
                return Ok(Some(Piece::Batch { position, bytes, header, computed: None }));
            }
            Step::Flawed(Flaw::NotABatch(Corruption::Crc { computed, .. })) => {
                if let Some(piece) = self.with_another_checksum(position, computed)? {
                    return Ok(Some(piece));
                }
                Flaw::NotABatch(Corruption::Crc { stored: 0, computed })
            }
            // Shown where it stands, as it is.
            Step::Flawed(Flaw::OutOfOrder { expected, found }) if (self.base..expected).contains(&found) => {
                self.walk.resume(position, found);
                return self.step();
            }
            Step::Flawed(flaw) => flaw,
        };
        let expected = self.walk.expected();
        let end = u64::from(self.end);
        let next = match batch_behind(self.file.clone(), self.base, position, end, expected)? {
            Behind::Batch(at) => at,
            Behind::Nothing | Behind::Unknown => end,
        };
        self.walk.resume(next, expected);
        Ok(Some(Piece::Rubble { position, bytes: next - position, flaw }))
    }

    /// Takes a batch at its word of how long it is, if the file goes on behind it as after a batch.
    fn with_another_checksum(&mut self, position: u64, computed: u32) -> io::Result<Option<Piece>> {
        let Some((header, next)) = self.walk.peek()? else { return Ok(None) };
        let expected = self.walk.expected();
        self.walk.resume(next, header.last_offset().plus(1));
        if next != u64::from(self.end) && self.walk.peek()?.is_none() {
            self.walk.resume(position, expected);
            return Ok(None);
        }
        let bytes = u32::try_from(next - position).unwrap_or(u32::MAX);
        Ok(Some(Piece::Batch { position, bytes, header, computed: Some(computed) }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use thalweg_wire::batch::Builder;
    use thalweg_wire::{LeaderEpoch, Timestamp};
    use thalweg_world::Disk;
    use thalweg_world::disk::Open;
    use thalweg_world::simulated::{Faults, SimulatedDisk};

    use super::*;

    const BASE: Offset = Offset(40);

    fn batch(offset: i64) -> Vec<u8> {
        let record = Builder::new().record(Timestamp::from_millis(1), None, Some(&[7; 100]));
        let mut batch = record.build().unwrap();
        batch.place(Offset(offset), LeaderEpoch(0));
        batch.to_bytes().to_vec()
    }

    /// What each piece is, in a word, and how many bytes it has.
    fn pieces(bytes: &[u8]) -> Vec<(String, u64)> {
        let disk = SimulatedDisk::new(1, Faults::default());
        disk.install(Path::new("/x.log"), bytes).unwrap();
        let mut pieces = Pieces::of(disk.open(Path::new("/x.log"), Open::Read).unwrap(), BASE).unwrap();
        let mut found = Vec::new();
        while let Some(piece) = pieces.step().unwrap() {
            found.push(match piece {
                Piece::Batch { header, bytes, computed, .. } => {
                    let word = if computed.is_some() { "bad" } else { "good" };
                    (format!("{word} {}", header.base_offset()), u64::from(bytes))
                }
                Piece::Rubble { bytes, .. } => ("rubble".to_owned(), bytes),
            });
        }
        assert_eq!(found.iter().map(|(_, size)| size).sum::<u64>(), bytes.len() as u64, "each byte is in one of them");
        found
    }

    fn words(bytes: &[u8]) -> Vec<String> {
        pieces(bytes).into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn a_batch_with_a_wrong_checksum_is_shown_and_what_follows_too() {
        let mut bytes = [batch(40), batch(41), batch(42)].concat();
        let one = batch(40).len();
        assert_eq!(words(&bytes), ["good 40", "good 41", "good 42"]);
        bytes[one + 100] ^= 1;
        assert_eq!(words(&bytes), ["good 40", "bad 41", "good 42"]);
        bytes[2 * one + 100] ^= 1;
        assert_eq!(words(&bytes), ["good 40", "bad 41", "bad 42"], "the last one too");
    }

    #[test]
    fn a_batch_with_a_wrong_length_hides_none_of_those_behind_it() {
        let mut bytes = [batch(40), batch(41), batch(42)].concat();
        bytes[11] += 3;
        assert_eq!(words(&bytes), ["rubble", "good 41", "good 42"]);
        bytes[11] = 0;
        assert_eq!(words(&bytes), ["rubble", "good 41", "good 42"]);
    }

    #[test]
    fn rubble_at_the_end_is_one_piece() {
        let one = batch(40).len() as u64;
        let bytes = [batch(40), vec![0; 500]].concat();
        assert_eq!(pieces(&bytes), [("good 40".to_owned(), one), ("rubble".to_owned(), 500)]);
        let cut = &batch(40)[..30];
        assert_eq!(pieces(cut), [("rubble".to_owned(), 30)]);
        assert_eq!(pieces(&[]), []);
    }

    #[test]
    fn batches_that_go_back_are_shown_as_they_stand() {
        let bytes = [batch(44), batch(41), batch(45)].concat();
        assert_eq!(words(&bytes), ["good 44", "good 41", "good 45"]);
    }
}
