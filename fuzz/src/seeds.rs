//! What each target begins with: the fixtures, cut into inputs, and what a broker of ours leaves.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flate2::read::GzDecoder;
use serde_json::Value;
use thalweg_broker::Broker;
use thalweg_broker::settings::{Given, Layers, Origin, Settings, data_directory};
use thalweg_messages::json::{MESSAGES, from_base64};
use thalweg_wire::batch::{Batch, Builder, Compression};
use thalweg_wire::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp, TopicId, Uuid};
use thalweg_world::simulated::SimulatedWorld;

/// The topic of the partitions that targets make.
pub const TOPIC: TopicId = Uuid([7; 16]);

/// Longer ones are left out: the fuzzer would spend its time on copying.
const SEED_BYTES_MAX: usize = 16 << 10;

/// Writes all seeds, a folder for each target.
///
/// # Errors
/// Of the disk.
pub fn write(folder: &Path) -> io::Result<()> {
    let mut seeds = Seeds { folder, count: 0 };
    seeds.messages()?;
    seeds.batches()?;
    seeds.kafkas_files()?;
    seeds.our_files()?;
    seeds.add("properties", b"# a file\nlog.retention.ms = 7\\\n  0\nlisteners=PLAINTEXT://:9092\n a\\u0041:b\n")
}

/// A small segment: three batches, one of them numbered, one compressed.
pub fn segment() -> Vec<u8> {
    static SEGMENT: OnceLock<Vec<u8>> = OnceLock::new();
    let batch = |builder: Builder| {
        let record = |builder: Builder, key: &str| {
            builder.record(Timestamp::from_millis(5), Some(key.as_bytes()), Some(b"value"))
        };
        record(record(builder, "a"), "b").build().expect("it has records")
    };
    let make = || {
        let numbered = batch(Builder::new().producer(ProducerId(1), ProducerEpoch(0), 0));
        let batches = [batch(Builder::new()), numbered, batch(Builder::new()).compressed(Compression::Zstd(3))];
        let place = |(at, mut batch): (usize, Batch)| {
            batch.place(Offset(2 * at as i64), LeaderEpoch(0));
            batch.to_bytes()
        };
        batches.into_iter().enumerate().flat_map(place).collect()
    };
    SEGMENT.get_or_init(make).clone()
}

struct Seeds<'a> {
    folder: &'a Path,
    count: usize,
}

impl Seeds<'_> {
    fn add(&mut self, target: &str, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > SEED_BYTES_MAX {
            return Ok(());
        }
        let folder = self.folder.join(target);
        fs::create_dir_all(&folder)?;
        self.count += 1;
        fs::write(folder.join(format!("seed-{:05}", self.count)), bytes)
    }

    /// Every message of the corpus, at every version.
    fn messages(&mut self) -> io::Result<()> {
        for file in ["requests", "responses", "coordinator-records", "metadata-records", "data"] {
            for line in lines(&format!("messages/corpus/{file}.jsonl.gz"))? {
                let name = line["message"].as_str().unwrap_or_default();
                let Some(number) = MESSAGES.iter().position(|message| message.name == name) else { continue };
                let version = line["version"].as_i64().unwrap_or(0) - i64::from(MESSAGES[number].versions.0);
                let body = base64(&line["body"]);
                let number = u16::try_from(number).unwrap_or(0).to_be_bytes();
                let version = u8::try_from(version).unwrap_or(0);
                self.add("messages", &[&number[..], &[version], &body].concat())?;
            }
        }
        for line in lines("messages/corpus/framing.jsonl.gz")? {
            let framed = base64(&line["framed"]);
            self.add("records", &framed)?;
            self.add("records", &[&[u8::try_from(framed.len()).unwrap_or(0)], &framed[..]].concat())?;
        }
        for line in lines("messages/corpus/headers.jsonl.gz")? {
            self.add("frames", &[&[0, 0, 0, 9], &base64(&line["body"])[..]].concat())?;
        }
        Ok(())
    }

    /// What clients sent, good and bad.
    fn batches(&mut self) -> io::Result<()> {
        for line in lines("produce/produce.jsonl.gz")? {
            self.add("batches", &base64(&line["records"]))?;
        }
        self.add("batches", &segment())?;
        for (choice, how) in [Compression::Gzip(None), Compression::Snappy, Compression::Lz4, Compression::Zstd(3)]
            .into_iter()
            .enumerate()
        {
            for text in [&b""[..], b"a", &b"the water runs fastest ".repeat(40)] {
                let compressed = thalweg_wire::batch::compress(text, how);
                self.add("codecs", &[&[choice as u8], &compressed[..]].concat())?;
            }
        }
        Ok(())
    }

    fn kafkas_files(&mut self) -> io::Result<()> {
        for archive in ["clean", "torn"] {
            for (path, bytes) in archived(&unpacked(&format!("kafka-4.3/{archive}.tar.gz"))?) {
                self.file(Path::new(&path), &bytes)?;
            }
        }
        Ok(())
    }

    /// By what it is.
    fn file(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let index = |choice: u8| [&[choice], bytes].concat();
        match path.extension().and_then(|extension| extension.to_str()).unwrap_or(name) {
            "log" => {
                self.add("segments", bytes)?;
                self.add("batches", bytes)
            }
            "index" => self.add("indexes", &index(0)),
            "timeindex" => self.add("indexes", &index(1)),
            "txnindex" => self.add("indexes", &index(2)),
            "snapshot" => {
                self.add("indexes", &index(4))?;
                self.add("snapshots", bytes)
            }
            "producer-window" => self.add("snapshots", bytes),
            "journal" => {
                self.add("journal", bytes)?;
                self.add("metadata", bytes)
            }
            "leader-epoch-checkpoint" => {
                self.add("indexes", &index(3))?;
                self.add("checkpoints", bytes)
            }
            _ if path.starts_with("/data/quorum") => self.add("metadata", bytes),
            _ => self.add("checkpoints", bytes),
        }
    }

    /// What a broker of ours leaves after a little work.
    fn our_files(&mut self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        let sim = runtime.block_on(async {
            let sim = SimulatedWorld::new(1);
            let given =
                |name: &str, value: &str| Given { name: name.to_owned(), value: value.to_owned(), origin: Origin::Set };
            let mut flags = data_directory("/data", &Origin::Set);
            flags.push(given("listeners", "PLAINTEXT://127.0.0.1:9092"));
            flags.push(given("journal.bytes", "65536"));
            let settings = Settings::new(&Layers { flags, ..Layers::default() }, None).map_err(io::Error::other)?.0;
            let broker = Broker::start(sim.world.clone(), settings).await.map_err(io::Error::other)?;
            drop(broker);
            io::Result::Ok(sim)
        })?;
        for path in sim.disk.files() {
            let bytes = sim.disk.durable_bytes(&path).unwrap_or_default();
            // Of a ring of blocks the beginning says what it is.
            self.file(&path, &bytes[..bytes.len().min(SEED_BYTES_MAX)])?;
        }
        Ok(())
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

fn unpacked(name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(fixture(name))?).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn lines(name: &str) -> io::Result<Vec<Value>> {
    let text = String::from_utf8(unpacked(name)?).map_err(io::Error::other)?;
    text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::other)).collect()
}

fn base64(field: &Value) -> Vec<u8> {
    field.as_str().and_then(from_base64).unwrap_or_default()
}

/// The files of a tar archive, as far as their paths are short.
fn archived(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    const BLOCK: usize = 512;
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    let (mut files, mut at) = (Vec::new(), 0);
    while at + BLOCK <= archive.len() && archive[at] != 0 {
        let head = &archive[at..at + BLOCK];
        let size = usize::from_str_radix(text(&head[124..136]).trim(), 8).unwrap_or(0);
        if head[156] == b'0' {
            files.push((text(&head[..100]), archive[at + BLOCK..at + BLOCK + size].to_vec()));
        }
        at += BLOCK + size.next_multiple_of(BLOCK);
    }
    files
}
