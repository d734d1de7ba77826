//! What every disk does, whoever made it: the same stories on the real one and on the simulated one. A caller that was
//! tested on the second must not meet another answer on the first.
#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use std::io::{ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use thalweg_world::disk::{BLOCK_BYTES, Block, Disk, DiskFile, DurableMethod, EntryKind, Open};
use thalweg_world::real::RealDisk;
use thalweg_world::simulated::disk::{Faults, SimulatedDisk};

#[tokio::test]
async fn the_real_disk_keeps_the_contract() {
    let folder = Folder::new();
    contract(Arc::new(RealDisk::default()), &folder.0).await;
}

#[tokio::test(start_paused = true)]
async fn the_simulated_disk_keeps_the_contract() {
    for seed in 0..3 {
        let disk = SimulatedDisk::new(seed, Faults::default());
        let root = Path::new("/data");
        disk.create_dir_all(root).unwrap();
        contract(Arc::new(disk), root).await;
    }
}

/// The real disk's own: another process must be kept out, and so must this one, which POSIX alone would let in.
#[tokio::test]
async fn the_real_lock_is_the_one_that_kafka_takes() {
    let folder = Folder::new();
    let path = folder.0.join(".lock");
    let lock = RealDisk::default().lock(&path).unwrap();
    assert!(fcntl_locks(&path), "the kernel lists a POSIX write lock on it");
    assert_eq!(RealDisk::default().lock(&path).err().unwrap().kind(), ErrorKind::WouldBlock);
    assert!(fcntl_locks(&path), "being refused did not drop it");
    drop(lock);
    assert!(!fcntl_locks(&path));
    drop(RealDisk::default().lock(&path).unwrap());
}

/// `None` of the scratch file may stay, and a second file of the directory finds the same method.
#[tokio::test]
async fn the_durable_method_is_found_without_a_trace() {
    let folder = Folder::new();
    let disk = RealDisk::default();
    let methods = ["a", "b"].map(|name| {
        let path = folder.0.join(name);
        disk.open(&path, Open::CreateNew).unwrap().set_size(8192).unwrap();
        disk.open(&path, Open::Durable).unwrap().durable_method()
    });
    assert_eq!(methods[0], methods[1]);
    assert_ne!(methods[0], DurableMethod::Simulated);
    assert_eq!(names(&disk, &folder.0), ["a", "b"]);
}

async fn contract(disk: Arc<dyn Disk>, root: &Path) {
    opening(&*disk, &root.join("opening"));
    bytes(&*disk, &root.join("bytes"));
    directories(&*disk, &root.join("directories"));
    renames(&*disk, &root.join("renames"));
    locks(&*disk, &root.join("locks"));
    syncs(&*disk, &root.join("syncs"));
    durable_writes(&*disk, &root.join("durable")).await;
}

fn opening(disk: &dyn Disk, root: &Path) {
    disk.create_dir_all(root).unwrap();
    let path = root.join("file");
    for how in [Open::Read, Open::Write, Open::Durable] {
        assert_eq!(refused(disk.open(&path, how)), ErrorKind::NotFound);
    }
    assert_eq!(refused(disk.open(&root.join("none/file"), Open::Create)), ErrorKind::NotFound);
    let file = disk.open(&path, Open::CreateNew).unwrap();
    put(&*file, b"kept", 0);
    assert_eq!(refused(disk.open(&path, Open::CreateNew)), ErrorKind::AlreadyExists);
    let same = disk.open(&path, Open::Create).unwrap();
    assert_eq!(all(&*same), b"kept");
    let reader = disk.open(&path, Open::Read).unwrap();
    assert!(reader.write_at(&[IoSlice::new(b"no")], 0).is_err() && reader.set_size(1).is_err());
    assert_eq!(all(&*reader), b"kept");
    assert_eq!(refused(disk.open(root, Open::Read)), ErrorKind::IsADirectory);
    assert_eq!(refused(disk.open(&path.join("below"), Open::Create)), ErrorKind::NotADirectory);
}

fn bytes(disk: &dyn Disk, root: &Path) {
    disk.create_dir_all(root).unwrap();
    let file = disk.open(&root.join("file"), Open::CreateNew).unwrap();
    assert_eq!((file.size().unwrap(), file.read_at(&mut [0; 4], 0).unwrap()), (0, 0));
    let parts: Vec<Vec<u8>> = (0..3000u32).map(|n| n.to_be_bytes()[..(n % 5) as usize].to_vec()).collect();
    let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    file.write_at(&slices, 5000).unwrap();
    let whole = [vec![0; 5000], parts.concat()].concat();
    assert_eq!(all(&*file), whole, "a hole reads as zeros, and the parts stand one after the other");
    let mut piece = [9; 20];
    assert_eq!(file.read_at(&mut piece, whole.len() as u64 - 5).unwrap(), 5);
    assert_eq!((&piece[..5], &piece[5..]), (&whole[whole.len() - 5..], &[9; 15][..]));
    assert_eq!(file.read_at(&mut piece, 1 << 40).unwrap(), 0);
    // Whether it is in memory is the disk's own matter; what was just written mostly is.
    let cached = (0..100).find_map(|_| file.read_cached(&mut piece, whole.len() as u64 - 5).unwrap());
    assert_eq!((cached, &piece[..5]), (Some(5), &whole[whole.len() - 5..]));
    file.write_at(&[], 0).unwrap();
    file.write_at(&[IoSlice::new(b"")], 1 << 20).unwrap();
    assert_eq!(file.size().unwrap(), whole.len() as u64, "writing nothing changes nothing");
    file.set_size(5001).unwrap();
    file.set_size(5003).unwrap();
    assert_eq!(all(&*file)[4999..], [0, whole[5000], 0, 0], "what was cut off does not come back");
    assert!(file.write_at(&[IoSlice::new(b"far")], u64::MAX - 1).is_err());
}

fn directories(disk: &dyn Disk, root: &Path) {
    let deep = root.join("a/b");
    disk.create_dir_all(&deep).unwrap();
    disk.create_dir_all(&deep).unwrap();
    for name in ["z", "a.log", "B"] {
        disk.open(&deep.join(name), Open::CreateNew).unwrap();
    }
    disk.create_dir_all(&deep.join("m")).unwrap();
    assert_eq!(names(disk, &deep), ["B", "a.log", "m", "z"]);
    let kinds: Vec<EntryKind> = disk.list(&deep).unwrap().into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::File, EntryKind::File, EntryKind::Directory, EntryKind::File]);
    assert_eq!(refused(disk.list(&root.join("none"))), ErrorKind::NotFound);
    assert_eq!(refused(disk.list(&deep.join("z"))), ErrorKind::NotADirectory);
    assert_eq!(refused(disk.create_dir_all(&deep.join("z"))), ErrorKind::AlreadyExists);
    assert_eq!(refused(disk.remove_dir(&deep)), ErrorKind::DirectoryNotEmpty);
    assert_eq!(refused(disk.remove_dir(&deep.join("z"))), ErrorKind::NotADirectory);
    assert_eq!(refused(disk.remove_file(&deep.join("m"))), ErrorKind::IsADirectory);
    assert_eq!(refused(disk.remove_file(&deep.join("none"))), ErrorKind::NotFound);
    disk.remove_dir(&deep.join("m")).unwrap();
    let open = disk.open(&deep.join("z"), Open::Write).unwrap();
    disk.remove_file(&deep.join("z")).unwrap();
    put(&*open, b"still mine", 0);
    assert_eq!(all(&*open), b"still mine", "an open file outlives its name");
    assert_eq!(names(disk, &deep), ["B", "a.log"]);
    assert!(disk.space(root).unwrap().free <= disk.space(root).unwrap().total);
}

fn renames(disk: &dyn Disk, root: &Path) {
    let at = |name: &str| root.join(name);
    disk.create_dir_all(&at("full")).unwrap();
    disk.create_dir_all(&at("empty")).unwrap();
    put(&*disk.open(&at("new"), Open::CreateNew).unwrap(), b"new", 0);
    let old = disk.open(&at("old"), Open::CreateNew).unwrap();
    put(&*old, b"old", 0);
    disk.open(&at("full/file"), Open::CreateNew).unwrap();

    disk.rename(&at("new"), &at("old")).unwrap();
    assert_eq!(all(&*disk.open(&at("old"), Open::Read).unwrap()), b"new");
    assert_eq!(all(&*old), b"old", "a handle stays with its file");
    assert_eq!(names(disk, root), ["empty", "full", "old"]);
    disk.rename(&at("old"), &at("old")).unwrap();
    assert_eq!(refused(disk.rename(&at("none"), &at("x"))), ErrorKind::NotFound);
    assert_eq!(refused(disk.rename(&at("old"), &at("empty"))), ErrorKind::IsADirectory);
    assert_eq!(refused(disk.rename(&at("empty"), &at("old"))), ErrorKind::NotADirectory);
    assert_eq!(refused(disk.rename(&at("empty"), &at("full"))), ErrorKind::DirectoryNotEmpty);
    assert_eq!(refused(disk.rename(&at("full"), &at("full/below"))), ErrorKind::InvalidInput);
    disk.rename(&at("full"), &at("empty")).unwrap();
    disk.rename(&at("old"), &at("empty/moved")).unwrap();
    assert_eq!(names(disk, &at("empty")), ["file", "moved"]);
}

fn locks(disk: &dyn Disk, root: &Path) {
    disk.create_dir_all(root).unwrap();
    let lock = disk.lock(&root.join(".lock")).unwrap();
    let other = disk.lock(&root.join("other")).unwrap();
    assert_eq!(refused(disk.lock(&root.join(".lock"))), ErrorKind::WouldBlock);
    drop(lock);
    drop(disk.lock(&root.join(".lock")).unwrap());
    assert_eq!(refused(disk.lock(&root.join("other"))), ErrorKind::WouldBlock);
    drop(other);
    assert_eq!(names(disk, root), [".lock", "other"], "the file stays");
}

fn syncs(disk: &dyn Disk, root: &Path) {
    disk.create_dir_all(root).unwrap();
    let file = disk.open(&root.join("file"), Open::CreateNew).unwrap();
    put(&*file, b"bytes", 0);
    file.sync().unwrap();
    disk.sync_dir(root).unwrap();
    disk.sync_filesystem(&*file).unwrap();
    disk.open(&root.join("file"), Open::Read).unwrap().sync().unwrap();
    assert_eq!(refused(disk.sync_dir(&root.join("none"))), ErrorKind::NotFound);
    assert_eq!(refused(disk.sync_dir(&root.join("file"))), ErrorKind::NotADirectory);
}

async fn durable_writes(disk: &dyn Disk, root: &Path) {
    disk.create_dir_all(root).unwrap();
    let path = root.join("journal");
    let plain = disk.open(&path, Open::CreateNew).unwrap();
    plain.set_size(64 * BLOCK_BYTES as u64).unwrap();
    plain.sync().unwrap();
    let journal = disk.open(&path, Open::Durable).unwrap();
    let unit = journal.block_bytes();
    assert!(unit.is_multiple_of(BLOCK_BYTES));

    // One after the other, and several at once over all of the file: each lands in its place.
    let (mut block, outcome) = journal.write_durable(unit as u64, filled(1, 2 * unit)).await;
    outcome.unwrap();
    assert_eq!(block.bytes(), vec![1; 2 * unit], "the block comes back for reuse");
    block.clear();
    block.put(&vec![2; unit]);
    journal.write_durable(2 * unit as u64, block).await.1.unwrap();
    let last = (64 * BLOCK_BYTES / unit) as u64;
    let many: Vec<_> =
        (4..last).map(|n| tokio::spawn(journal.write_durable(n * unit as u64, filled(n as u8, unit)))).collect();
    for write in many {
        write.await.unwrap().1.unwrap();
    }
    let expected: Vec<u8> =
        (0..last).flat_map(|n| vec![[0, 1, 2, 0].get(n as usize).map_or(n as u8, |b| *b); unit]).collect();
    assert_eq!(all(&*journal), expected);
    assert_eq!(all(&*plain), expected, "reads through the page cache see durable writes");

    // A plain write and a durable one to neighbouring bytes don't undo each other.
    put(&*journal, &[7; 100], 10);
    journal.write_durable(0, filled(8, unit)).await.1.unwrap();
    put(&*journal, &[9; 100], 10);
    journal.sync().unwrap();
    let head = all(&*plain);
    assert_eq!((head[9], head[10], head[109], head[110]), (8, 9, 9, 8));

    for (at, length) in
        [(1, unit), (0, unit - 1), (0, 0), (last * unit as u64, unit), (u64::MAX - unit as u64 + 1, unit)]
    {
        let (back, outcome) = journal.write_durable(at, filled(5, length)).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidInput, "{length} bytes at {at}");
        assert_eq!(back.len(), length, "the block comes back after an error too");
    }
    let (_, outcome) = plain.write_durable(0, filled(5, unit)).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidInput, "only files opened for it");

    // Nobody waits for this one, and the file is dropped meanwhile: it goes on.
    drop(journal.write_durable(0, filled(6, unit)));
    journal.write_durable(unit as u64, filled(6, unit)).await.1.unwrap();
    assert_eq!(all(&*plain)[..2 * unit], vec![6; 2 * unit]);
    drop(journal);
    let again = disk.open(&path, Open::Durable).unwrap();
    again.write_durable(0, filled(4, unit)).await.1.unwrap();
    assert_eq!(all(&*plain)[0], 4);
}

fn filled(with: u8, length: usize) -> Block {
    let mut block = Block::with_capacity(length);
    block.put(&vec![with; length]);
    block
}

fn put(file: &dyn DiskFile, bytes: &[u8], at: u64) {
    file.write_at(&[IoSlice::new(bytes)], at).unwrap();
}

fn all(file: &dyn DiskFile) -> Vec<u8> {
    let mut bytes = vec![0; file.size().unwrap() as usize];
    assert_eq!(file.read_at(&mut bytes, 0).unwrap(), bytes.len());
    bytes
}

fn names(disk: &dyn Disk, path: &Path) -> Vec<String> {
    disk.list(path).unwrap().into_iter().map(|entry| entry.name.to_str().unwrap().to_owned()).collect()
}

fn refused<T>(outcome: std::io::Result<T>) -> ErrorKind {
    outcome.err().expect("it should have been refused").kind()
}

/// Whether the kernel lists a POSIX write lock on a file.
fn fcntl_locks(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let inode = format!(":{} ", std::fs::metadata(path).unwrap().ino());
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|line| line.contains("POSIX") && line.contains("WRITE") && line.contains(&inode))
}

/// A folder of this test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("thalweg-disk-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
