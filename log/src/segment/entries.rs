//! An index file as what it is: entries of one size in rising order, searched on the disk a page at a time.
//!
//! Nothing of it stays in memory, so that a log costs the same whatever its size.

use std::io;

use thalweg_world::DiskFile;

/// Bytes that a search reads at once: whole entries of every kind (8 and 12 bytes), about a page.
const PAGE_BYTES: usize = 24 * 170;

/// An entry of an index.
pub(crate) trait Entry: Copy {
    /// Its size on disk.
    const BYTES: usize;

    /// Reads one from exactly [`Entry::BYTES`] bytes.
    fn decode(bytes: &[u8]) -> Self;
}

/// The last of the first `count` entries for which `holds`, and how many these are. `holds` is true for some first
/// entries and for none after them.
pub(crate) fn last_where<E: Entry>(
    file: &dyn DiskFile,
    count: u32,
    holds: impl Fn(E) -> bool,
) -> io::Result<(u32, Option<E>)> {
    let per_page = (PAGE_BYTES / E::BYTES) as u32;
    let mut page = [0; PAGE_BYTES];
    let mut best = None;
    // Whole pages are ruled in or out by the entries that they begin and end with.
    let (mut low, mut high) = (0, count.div_ceil(per_page));
    while low < high {
        let middle = low + (high - low) / 2;
        let first = middle * per_page;
        let entries = read_page::<E>(file, first, per_page.min(count - first), &mut page)?;
        let holding = partition_point(entries, &holds);
        if holding > 0 {
            best = Some((first + holding, E::decode(nth::<E>(entries, holding - 1))));
        }
        if holding == 0 {
            high = middle;
        } else if (holding as usize) * E::BYTES == entries.len() {
            low = middle + 1;
        } else {
            break;
        }
    }
    Ok(best.map_or((0, None), |(count, entry)| (count, Some(entry))))
}

/// The entry of a number. `UnexpectedEof` past the end of the file.
pub(crate) fn at<E: Entry>(file: &dyn DiskFile, number: u32) -> io::Result<E> {
    let mut page = [0; PAGE_BYTES];
    Ok(E::decode(read_page::<E>(file, number, 1, &mut page)?))
}

/// How many of the first `count` entries follow each other as `follows` says; the first one follows nothing. Reads the
/// file from its beginning to that point.
pub(crate) fn in_order<E: Entry>(
    file: &dyn DiskFile,
    count: u32,
    follows: impl Fn(Option<E>, E) -> bool,
) -> io::Result<u32> {
    let per_page = (PAGE_BYTES / E::BYTES) as u32;
    let mut page = [0; PAGE_BYTES];
    let (mut good, mut last) = (0, None);
    while good < count {
        for bytes in read_page::<E>(file, good, per_page.min(count - good), &mut page)?.chunks_exact(E::BYTES) {
            let entry = E::decode(bytes);
            if !follows(last, entry) {
                return Ok(good);
            }
            last = Some(entry);
            good += 1;
        }
    }
    Ok(good)
}

fn read_page<'p, E: Entry>(
    file: &dyn DiskFile,
    first: u32,
    count: u32,
    page: &'p mut [u8; PAGE_BYTES],
) -> io::Result<&'p [u8]> {
    let wanted = count as usize * E::BYTES;
    let read = file.read_at(&mut page[..wanted], u64::from(first) * E::BYTES as u64)?;
    if read < wanted {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(&page[..wanted])
}

fn partition_point<E: Entry>(entries: &[u8], holds: &impl Fn(E) -> bool) -> u32 {
    let (mut low, mut high) = (0, (entries.len() / E::BYTES) as u32);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(E::decode(nth::<E>(entries, middle))) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn nth<E: Entry>(entries: &[u8], number: u32) -> &[u8] {
    let start = number as usize * E::BYTES;
    &entries[start..start + E::BYTES]
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::path::Path;

    use thalweg_world::disk::{Disk, Open};
    use thalweg_world::simulated::{Faults, SimulatedDisk};

    use super::super::offset_index::OffsetEntry;
    use super::super::time_index::TimeEntry;
    use super::*;

    #[test]
    fn a_search_over_pages_finds_what_a_walk_over_all_entries_finds() {
        let disk = SimulatedDisk::new(1, Faults::default());
        for (number, count) in [0, 1, 2, 509, 510, 511, 1020, 5000].into_iter().enumerate() {
            let file = disk.open(Path::new(&format!("{number}")), Open::CreateNew).unwrap();
            let entries: Vec<_> = (0..count).map(|n| OffsetEntry { relative: 3 * n + 1, position: 7 * n }).collect();
            let mut bytes = Vec::new();
            entries.iter().for_each(|entry| entry.encode(&mut bytes));
            file.write_at(&[IoSlice::new(&bytes)], 0).unwrap();
            for target in (0..3 * count + 5).step_by(if count > 600 { 37 } else { 1 }) {
                let expected = entries.iter().take_while(|entry| entry.relative <= target).count();
                let found = last_where(&*file, count, |entry: OffsetEntry| entry.relative <= target).unwrap();
                assert_eq!(found, (expected as u32, expected.checked_sub(1).map(|last| entries[last])));
            }
            let ordered = in_order(&*file, count, |last: Option<OffsetEntry>, entry| {
                entry.relative < 1500 && last.is_none_or(|last| last.relative < entry.relative)
            });
            assert_eq!(ordered.unwrap(), count.min(500));
        }
    }

    /// A truncation by somebody else, or damage: an error to look into, never a made-up entry.
    #[test]
    fn a_file_that_is_shorter_than_said_is_an_error() {
        let disk = SimulatedDisk::new(1, Faults::default());
        let file = disk.open(Path::new("short"), Open::CreateNew).unwrap();
        file.set_size(100).unwrap();
        assert_eq!(last_where(&*file, 9, |_: TimeEntry| true).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(at::<TimeEntry>(&*file, 7).is_ok());
        assert!(at::<TimeEntry>(&*file, 8).is_err());
    }
}
