//! One file of the journal: made full of zeros, and recognised again.
//!
//! ```text
//! file header, the first block of each file:
//!  0  u32  magic "THJF"
//!  4  u32  CRC-32C of bytes 8..64
//!  8  u32  version, 1
//! 12  u32  number          the one in the file's name
//! 16  16B  journal id      made with the first file; every frame carries it
//! 32  16B  directory id    `directory.id` of the log directory's meta.properties
//! 48  u64  size            of the file, bytes
//! 56  u32  files           in file 0: how many the journal has, so that a lost one is missed; 0 in the others
//! 60  u32  zero
//! ```

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thalweg_wire::Uuid;
use thalweg_wire::checksum::crc32c;
use thalweg_world::DiskFile;
use thalweg_world::disk::{Disk, Open};

use super::ring::Growth;

const MAGIC: u32 = u32::from_be_bytes(*b"THJF");
const VERSION: u32 = 1;
const FILE_HEADER_BYTES: usize = 64;
const SUFFIX: &str = "journal";
const UNFINISHED: &str = "new";
/// Zeros that are written at a time.
const ZEROS_BYTES: usize = 512 << 10;

/// Files at least double the journal up to a quarter of its limit: a ring needs a dozen. More are not ours.
pub(super) const FILES_MAX: usize = 64;

/// A file of the ring.
pub(super) struct RingFile {
    pub(super) number: u32,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) size: u64,
    /// The highest sequence written to it; 0 if none.
    pub(super) newest: u64,
}

/// Makes the files of one journal.
#[derive(Clone)]
pub(super) struct FileMaker {
    pub(super) folder: PathBuf,
    pub(super) journal: Uuid,
    pub(super) directory: Uuid,
}

impl FileMaker {
    /// Makes a file full of zeros with its header, durably, under another name first: a file that bears its name is
    /// whole. The zeros are written, not promised (`fallocate`), so that a later write changes no metadata. A disk
    /// without room for all of it is left as it was. Blocks.
    pub(super) fn make(&self, disk: &dyn Disk, number: u32, size: u64, growth: Growth) -> io::Result<RingFile> {
        if disk.space(&self.folder)?.free < size {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let path = self.folder.join(name_of(number));
        let unfinished = path.with_extension(UNFINISHED);
        if let Err(error) = self.fill(disk, &unfinished, number, size, growth) {
            // What others need most on a full disk is what this try took. If that fails too, the next try takes it over.
            let _ = disk.remove_file(&unfinished);
            return Err(error);
        }
        disk.rename(&unfinished, &path)?;
        disk.sync_dir(&self.folder)?;
        if number > 0 {
            self.count(disk, number + 1)?;
        }
        Ok(RingFile { number, file: disk.open(&path, Open::Durable)?, size, newest: 0 })
    }

    /// Writes into file 0 how many files there are. Durable before the newest is used, so that its loss is seen.
    pub(super) fn count(&self, disk: &dyn Disk, files: u32) -> io::Result<()> {
        let first = disk.open(&self.folder.join(name_of(0)), Open::Write)?;
        let header = self.header(0, first.size()?, files);
        // One sector: a power cut leaves the old header or the new.
        first.write_at(&[IoSlice::new(&header.bytes())], 0)?;
        first.sync()
    }

    fn fill(&self, disk: &dyn Disk, path: &Path, number: u32, size: u64, growth: Growth) -> io::Result<()> {
        let file = disk.open(path, Open::Create)?;
        file.set_size(0)?;
        let zeros = vec![0; ZEROS_BYTES.min(size as usize)];
        let mut at = 0;
        while at < size {
            let length = zeros.len().min((size - at) as usize);
            file.write_at(&[IoSlice::new(&zeros[..length])], at)?;
            at += length as u64;
            if growth == Growth::Ahead {
                // Frames are written meanwhile, and a disk that is handed much at a time lets them wait behind it.
                file.sync()?;
            }
        }
        let header = self.header(number, size, u32::from(number == 0));
        file.write_at(&[IoSlice::new(&header.bytes())], 0)?;
        file.sync()
    }

    fn header(&self, number: u32, size: u64, files: u32) -> FileHeader {
        FileHeader { number, journal: self.journal, directory: self.directory, size, files }
    }
}

/// What a name in the journal's folder stands for.
pub(crate) enum Name {
    /// A file of the ring.
    File(u32),
    /// A file whose making was cut short: it never got its name, so no frame is in it.
    Unfinished,
    /// Something that belongs to the disk, not to us: what its probe for durable writes leaves when a crash cuts it short.
    Hidden,
    /// Not ours.
    Foreign,
}

pub(crate) fn name_of(number: u32) -> PathBuf {
    PathBuf::from(format!("{number:02}.{SUFFIX}"))
}

/// Reads a name in the journal's folder.
pub(crate) fn read_name(name: &Path) -> Name {
    let is_number = |number: &u32| (*number as usize) < FILES_MAX;
    let stem = name.file_stem().and_then(|stem| stem.to_str());
    match stem.and_then(|stem| stem.parse().ok()).filter(is_number) {
        Some(number) if name_of(number) == name => Name::File(number),
        Some(number) if name_of(number).with_extension(UNFINISHED) == name => Name::Unfinished,
        _ if name.as_os_str().as_encoded_bytes().starts_with(b".") => Name::Hidden,
        _ => Name::Foreign,
    }
}

/// What a file says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileHeader {
    /// Which of the journal's files it is.
    pub number: u32,
    /// The journal.
    pub journal: Uuid,
    /// The log directory that it belongs to.
    pub directory: Uuid,
    /// Bytes of the file.
    pub size: u64,
    /// In file 0: how many files the journal has, at least.
    pub files: u32,
}

impl FileHeader {
    fn bytes(&self) -> [u8; FILE_HEADER_BYTES] {
        let mut bytes = [0; FILE_HEADER_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC.to_be_bytes());
        bytes[8..12].copy_from_slice(&VERSION.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.number.to_be_bytes());
        bytes[16..32].copy_from_slice(&self.journal.0);
        bytes[32..48].copy_from_slice(&self.directory.0);
        bytes[48..56].copy_from_slice(&self.size.to_be_bytes());
        bytes[56..60].copy_from_slice(&self.files.to_be_bytes());
        let checksum = crc32c(&bytes[8..]);
        bytes[4..8].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    /// The header of a file; `None` if it has none that we understand.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn read(file: &dyn DiskFile) -> io::Result<Option<FileHeader>> {
        let mut bytes = [0; FILE_HEADER_BYTES];
        if file.read_at(&mut bytes, 0)? < FILE_HEADER_BYTES {
            return Ok(None);
        }
        let u32_at = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let uuid_at = |at: usize| {
            let mut id = [0; 16];
            id.copy_from_slice(&bytes[at..at + 16]);
            Uuid(id)
        };
        if u32_at(0) != MAGIC || u32_at(4) != crc32c(&bytes[8..]) || u32_at(8) != VERSION {
            return Ok(None);
        }
        let size = u64::from(u32_at(48)) << 32 | u64::from(u32_at(52));
        let (journal, directory) = (uuid_at(16), uuid_at(32));
        Ok(Some(FileHeader { number: u32_at(12), journal, directory, size, files: u32_at(56) }))
    }
}
