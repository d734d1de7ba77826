//! How many durable writes a journal has seen: its newest frame's number, read from the files (`docs/format.md`).

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Frames begin at block borders.
const BLOCK_BYTES: u64 = 4096;

const MAGIC: &[u8; 4] = b"THJ1";

/// The highest frame number in a journal's folder; `None` if there is no frame. A broker may be writing meanwhile: what
/// it wrote before is counted.
pub(crate) fn newest_frame(folder: &Path) -> Option<u64> {
    let files = fs::read_dir(folder).ok()?.flatten();
    let newest = files.filter_map(|entry| newest_in(&File::open(entry.path()).ok()?));
    newest.max()
}

/// Follows the chain of frames from the file's first on.
fn newest_in(file: &File) -> Option<u64> {
    let mut at = BLOCK_BYTES;
    let mut newest = None;
    loop {
        let mut header = [0; 36];
        let whole = file.read_exact_at(&mut header, at).is_ok();
        if !whole || !header.starts_with(MAGIC) {
            return newest;
        }
        let sequence = u64::from_be_bytes(*header[24..].first_chunk()?);
        // Behind the newest frame of a file in use stand those of its last round.
        if newest.is_some_and(|newest| sequence != newest + 1) {
            return newest;
        }
        newest = Some(sequence);
        let length = u32::from_be_bytes(*header[32..].first_chunk()?);
        at += u64::from(length).next_multiple_of(BLOCK_BYTES).max(BLOCK_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(frames: &[(u64, u32)]) -> Vec<u8> {
        let mut bytes = vec![0; BLOCK_BYTES as usize];
        for &(sequence, length) in frames {
            let mut frame = vec![0; length.next_multiple_of(4096) as usize];
            frame[..4].copy_from_slice(MAGIC);
            frame[24..32].copy_from_slice(&sequence.to_be_bytes());
            frame[32..36].copy_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(&frame);
        }
        bytes
    }

    /// What a ring left behind from its last round is old, however it looks.
    #[test]
    fn the_newest_frame_is_the_end_of_the_highest_chain() {
        let folder = std::env::temp_dir().join(format!("thalweg-bench-journal-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("00.journal"), file(&[(10, 100), (11, 9000), (3, 64), (99, 64)])).unwrap();
        fs::write(folder.join("01.journal"), file(&[(7, 64), (8, 4096), (9, 64)])).unwrap();
        fs::write(folder.join("02.journal"), file(&[])).unwrap();
        let newest = newest_frame(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(newest, Some(11));
        assert_eq!(newest_frame(&folder), None);
    }
}
