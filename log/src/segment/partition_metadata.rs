//! `partition.metadata`: to which topic a folder belongs, by id, so that a namesake's records are never taken for its own.
//!
//! Two lines, no line end behind the second: `version: 0`, `topic_id: <22 characters>` (KIP-516).

use std::io;
use std::path::Path;

use thalweg_wire::TopicId;
use thalweg_world::Disk;
use thalweg_world::disk::Open;

use crate::directory::put;

use super::names::PARTITION_METADATA;

/// More bytes than such a file ever has.
const BYTES_MAX: u64 = 256;

/// The file's bytes.
pub fn encode(topic: TopicId) -> Vec<u8> {
    format!("version: 0\ntopic_id: {topic}").into_bytes()
}

/// Reads the file's bytes; `None` if they aren't what Kafka would write: a file that never got its bytes is empty.
pub fn decode(bytes: &[u8]) -> Option<TopicId> {
    let mut lines = std::str::from_utf8(bytes).ok()?.lines();
    let version = lines.next()?.strip_prefix("version:")?.trim();
    let topic = lines.next()?.strip_prefix("topic_id:")?.trim();
    topic.parse::<TopicId>().ok().filter(|topic| version == "0" && !topic.is_zero())
}

/// Reads a folder's file; `None` if it is missing or doesn't say an id.
pub fn read(disk: &dyn Disk, folder: &Path) -> io::Result<Option<TopicId>> {
    let file = match disk.open(&folder.join(PARTITION_METADATA), Open::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.size()? > BYTES_MAX {
        return Ok(None);
    }
    let mut bytes = [0; BYTES_MAX as usize];
    let read = file.read_at(&mut bytes, 0)?;
    Ok(decode(&bytes[..read]))
}

/// Writes a folder's file. It is durable once [`sync`] was called and the folder's names are, or with the filesystem.
pub fn write(disk: &dyn Disk, folder: &Path, topic: TopicId) -> io::Result<()> {
    put(disk, folder, PARTITION_METADATA, &encode(topic))
}

/// Makes the bytes of a folder's file durable.
pub fn sync(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    disk.open(&folder.join(PARTITION_METADATA), Open::Write)?.sync()
}

#[cfg(test)]
mod tests {
    use thalweg_world::simulated::{Faults, SimulatedDisk};

    use super::*;

    #[test]
    fn the_bytes_are_kafkas() {
        let topic = "2_fUNKvMRICMcCyYqI9E9w".parse().unwrap();
        assert_eq!(encode(topic), b"version: 0\ntopic_id: 2_fUNKvMRICMcCyYqI9E9w");
        assert_eq!(decode(&encode(topic)), Some(topic));
        for bad in ["", "version: 1\ntopic_id: 2_fUNKvMRICMcCyYqI9E9w", "version: 0\n", "version: 0\ntopic_id: AA"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(decode(b"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA"), None, "no topic has the null id");
    }

    #[test]
    fn a_folder_says_whose_it_is_once_it_was_written() {
        let disk = SimulatedDisk::new(1, Faults::default());
        let folder = Path::new("logs/a-0");
        disk.create_dir_all(folder).unwrap();
        assert_eq!(read(&disk, folder).unwrap(), None);
        let topic = TopicId::from_random([7; 16]);
        write(&disk, folder, topic).unwrap();
        sync(&disk, folder).unwrap();
        assert_eq!(read(&disk, folder).unwrap(), Some(topic));
        assert_eq!(disk.files().len(), 1, "nothing unfinished stays behind");
    }
}
