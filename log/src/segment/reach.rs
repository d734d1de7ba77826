//! How far the files of a log go that was written when the power went off.

use std::io;
use std::path::Path;
use std::sync::Arc;

use thalweg_wire::Offset;

use super::descriptors::Descriptors;
use super::extent::Segment;
use super::names::{FileKind, parse_file_name};
use super::open::{folder, known_in_order};
use super::reader::Checksums;
use super::walk::{Step, Walk};
use crate::end::End;

/// Whether the files of a folder go on from `from`, below which they are durable, to an end, in whole batches of which the
/// last has that checksum. If so, they are durable up to there when this returns. Changes nothing.
///
/// # Errors
/// Those of the disk.
pub fn reach(files: &Arc<Descriptors>, path: &Path, from: Offset, end: End) -> io::Result<bool> {
    let folder = folder(files, path);
    let entries = match files.disk().list(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let bases = entries.into_iter().filter_map(|entry| match parse_file_name(&entry.name) {
        Some((base, FileKind::Log, None)) if base < end.offset => Some(base),
        _ => None,
    });
    // All before the last one are durable, or it would not be there.
    let Some(base) = bases.max() else { return Ok(false) };
    let log = folder.open(base, FileKind::Log)?;
    let Ok(size) = u32::try_from(log.size()?) else { return Ok(false) };
    let known = known_in_order(&folder, base, size, Some(from))?.unwrap_or(Segment::empty(base));
    let mut walk = Walk::new(log, base, known.bytes, size, Checksums::Verified);
    while let Step::Batch { header, .. } = walk.step()? {
        if walk.expected() >= end.offset {
            let is_there = walk.expected() == end.offset && header.crc() == end.crc;
            if is_there {
                folder.sync_records(base)?;
                folder.sync_names()?;
            }
            return Ok(is_there);
        }
    }
    Ok(false)
}
