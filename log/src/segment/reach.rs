//! How far the files of a log go that was written when the process or the power ended.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

use thalweg_wire::Offset;
use thalweg_world::DiskFile;

use super::descriptors::Descriptors;
use super::extent::Segment;
use super::names::{FileKind, parse_file_name};
use super::open::{folder, known_in_order};
use super::reader::Checksums;
use super::walk::{Step, Walk};
use crate::end::End;

/// How much is written again at a time, in bytes.
const PIECE_BYTES: usize = 1 << 20;

/// What the files of a log have of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reached {
    /// All of it, and what stands before it.
    All,
    /// Less.
    Less,
    /// Nothing of it, nor of what stands before it: no segment begins below its end.
    Nothing,
}

/// Whether the files of a folder go on from `from`, below which they are durable, to an end, in whole batches of which the
/// last has that checksum. If so, they are durable up to there when this returns. Cuts nothing.
///
/// # Errors
/// Those of the disk.
pub fn reach(files: &Arc<Descriptors>, path: &Path, from: Offset, end: End) -> io::Result<Reached> {
    let folder = folder(files, path);
    let entries = match files.disk().list(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Reached::Nothing),
        Err(error) => return Err(error),
    };
    let bases = entries.into_iter().filter_map(|entry| match parse_file_name(&entry.name) {
        Some((base, FileKind::Log, None)) if base < end.offset => Some(base),
        _ => None,
    });
    // All before the last one are durable, or it would not be there.
    let Some(base) = bases.max() else { return Ok(Reached::Nothing) };
    let log = folder.open(base, FileKind::Log)?;
    let Ok(size) = u32::try_from(log.size()?) else { return Ok(Reached::Less) };
    let known = known_in_order(&folder, base, size, Some(from))?.unwrap_or(Segment::empty(base));
    let mut walk = Walk::new(log.clone(), base, known.bytes, size, Checksums::Verified);
    let mut first = None;
    while let Step::Batch { position, header, .. } = walk.step()? {
        if header.base_offset() >= from {
            first.get_or_insert(position);
        }
        if walk.expected() >= end.offset {
            if walk.expected() > end.offset || header.crc() != end.crc {
                return Ok(Reached::Less);
            }
            write_again(&*log, u64::from(first.unwrap_or(position)), walk.position())?;
            folder.sync_records(base)?;
            folder.sync_names()?;
            return Ok(Reached::All);
        }
    }
    Ok(Reached::Less)
}

/// Writes what stands there once more. After a sync that failed, pages pass for clean whose bytes never came to the disk: the
/// process that heard of it is gone, and the next sync would say that all is well.
fn write_again(log: &dyn DiskFile, from: u64, to: u64) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut at = from;
    while at < to {
        let bytes = &mut piece[..PIECE_BYTES.min((to - at) as usize)];
        if log.read_at(bytes, at)? < bytes.len() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a segment became shorter while it was read"));
        }
        log.write_at(&[IoSlice::new(bytes)], at)?;
        at += bytes.len() as u64;
    }
    Ok(())
}
