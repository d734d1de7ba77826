//! Fixtures as they are kept: gzip, lines of JSON, and tar archives read by the little of tar that they need.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde_json::Value;

/// The bytes of a fixture; unpacked if its name says that it is packed.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/kafka-4.3").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if !name.ends_with(".gz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
    unpacked
}

/// The lines of a fixture.
pub(crate) fn lines(name: &str) -> Vec<Value> {
    let text = String::from_utf8(fixture(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The files of a tar archive by their paths: ustar, and pax where a path is too long for it.
pub(crate) fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    const BLOCK: usize = 512;
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        String::from_utf8(bytes[..end].to_vec()).unwrap()
    };
    let (mut files, mut at, mut long_path) = (BTreeMap::new(), 0, None);
    while at + BLOCK <= archive.len() && archive[at] != 0 {
        let head = &archive[at..at + BLOCK];
        let size = usize::from_str_radix(text(&head[124..136]).trim(), 8).unwrap();
        let bytes = &archive[at + BLOCK..at + BLOCK + size];
        at += BLOCK + size.next_multiple_of(BLOCK);
        let prefix = text(&head[345..500]);
        let short = text(&head[..100]);
        let path = if prefix.is_empty() { short } else { format!("{prefix}/{short}") };
        match head[156] {
            b'x' => {
                let records = String::from_utf8(bytes.to_vec()).unwrap();
                let path = records.lines().find_map(|line| line.split_once(" path=")).map(|(_, path)| path.to_owned());
                long_path = path.or(long_path);
            }
            b'0' | 0 => {
                files.insert(long_path.take().unwrap_or(path), bytes.to_vec());
            }
            _ => long_path = None,
        }
    }
    files
}
