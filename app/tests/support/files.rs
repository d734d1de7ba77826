//! What happens to files behind the scene: directories that a real Kafka wrote, and bytes that aren't any more what they were.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Follows a direction about files in a folder; whether it is one.
pub fn direct(folder: &Path, words: &[&str]) -> bool {
    match words {
        // What a Kafka 4.3 left: `fixtures/kafka-4.3/README.md` says how.
        ["unpack", fixture, into] => unpack(fixture, &folder.join(into)),
        ["flip", file, at] => flip(&folder.join(file), at.parse().unwrap()),
        ["remove", file] => fs::remove_file(folder.join(file)).unwrap(),
        ["append", file, text] => {
            let mut bytes = fs::read(folder.join(file)).unwrap();
            bytes.extend_from_slice(text.as_bytes());
            fs::write(folder.join(file), bytes).unwrap();
        }
        ["copy", from, to] => drop(fs::copy(folder.join(from), folder.join(to)).unwrap()),
        _ => return false,
    }
    true
}

fn unpack(fixture: &str, into: &Path) {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/kafka-4.3/{fixture}.tar.gz"));
    fs::create_dir_all(into).unwrap();
    let unpacked = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(into).status().unwrap();
    assert!(unpacked.success());
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}
