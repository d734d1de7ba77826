//! Files of ours under Kafka's own `DumpLogSegments`: every batch valid, every index entry true.
//!
//! Needs a Java, and the real Kafka that `interop/kafka/kafka.py install` fetches; says so aloud where they are missing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use thalweg_log::segment::names::{FileKind, parse_file_name};
use thalweg_log::segment::{Rules, Segments, Trust};
use thalweg_wire::Offset;
use thalweg_world::simulated::Rng;

use crate::{NOW, Place, random_batch, small, topic};

fn dump(home: &Path, files: &[PathBuf], options: &[&str]) -> String {
    let list: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let output = Command::new("java")
        .args(["-Xmx256m", "-cp", &format!("{}/*", home.display()), "org.apache.kafka.tools.DumpLogSegments"])
        .args(options)
        .args(["--files", &list.join(",")])
        .output()
        .unwrap();
    // What it finds wrong with an index it says at the end, on the other stream.
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert!(output.status.success(), "{text}");
    text
}

/// Where the jars of a real Kafka are, if there is a Java that runs them.
fn kafka() -> Option<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
    let home = named("INTEROP_KAFKA_HOME").or_else(|| Some(cache?.join("thalweg-kafka-4.3.0")))?;
    let has_java = Command::new("java").arg("-version").output().is_ok();
    (has_java && home.join("whole").exists()).then_some(home)
}

#[test]
fn kafkas_own_tool_accepts_every_file() {
    let Some(home) = kafka() else {
        assert!(std::env::var("INTEROP_REQUIRE_KAFKA").as_deref() != Ok("1"), "no real Kafka, or no Java");
        // Not `eprintln!`: the harness would swallow it, as the test passes.
        let _unsaid =
            writeln!(std::io::stderr(), "SKIPPED: not installed: a real Kafka (interop/kafka/kafka.py install)");
        return;
    };
    let place = Place::real("dump");
    let defaults = Rules { index_interval_bytes: 300, ..Rules::default() };
    let kinds = [
        ("all-0", small()),
        ("size-0", Rules { segment_bytes: 3000, ..defaults }),
        ("time-0", Rules { segment_age: Duration::from_millis(300), ..defaults }),
        ("index-0", Rules { index_bytes: 48, ..defaults }),
        ("one-0", defaults),
        ("reopened-0", small()),
        ("truncated-0", small()),
    ];
    let (mut logs, mut indexes, mut batches) = (Vec::new(), Vec::new(), 0);
    for (number, (name, rules)) in kinds.into_iter().enumerate() {
        let folder = place.root.join(name);
        let mut rng = Rng::new(number as u64);
        let (mut end, mut clock) = (Offset(0), 1_700_000_000_000);
        let mut segments = Segments::create(&place.files(), &folder, topic(), end, rules).unwrap();
        for turn in 0..200 {
            let new = random_batch(&mut rng, end, &mut clock);
            end = new.next_offset();
            segments.append(&[new], NOW).unwrap();
            if turn % 40 == 39 {
                match name {
                    "reopened-0" => {
                        segments.close().unwrap();
                        segments = Segments::open(&place.files(), &folder, topic(), rules, Trust::Clean).unwrap().0;
                    }
                    "truncated-0" => {
                        segments.truncate(Offset(end.0 - 17)).unwrap();
                        end = segments.end();
                    }
                    _ => {}
                }
            }
        }
        assert!(name == "one-0" || segments.bases().len() > 2, "{name}");
        let reader = segments.reader(thalweg_log::segment::Checksums::Verified);
        batches += crate::read_all(&reader, Offset(0), crate::ALL).len();
        segments.close().unwrap();
        for entry in place.disk.list(&folder).unwrap() {
            match parse_file_name(&entry.name) {
                Some((_, FileKind::Log, _)) => logs.push(folder.join(entry.name)),
                Some((_, FileKind::OffsetIndex | FileKind::TimeIndex, _)) => indexes.push(folder.join(entry.name)),
                _ => {}
            }
        }
    }
    let text = dump(&home, &logs, &["--deep-iteration"]);
    assert_eq!(text.matches("isvalid: true").count(), batches);
    for complaint in ["isvalid: false", "Found", "Exception"] {
        assert!(!text.contains(complaint), "{complaint}: {text}");
    }
    // It counts from -1 in every file, and says so of all but those that begin at 0.
    assert!(text.lines().all(|line| !line.contains(" is followed by ") || line.starts_with("  -1 ")), "{text}");
    let text = dump(&home, &indexes, &["--verify-index-only", "--deep-iteration"]);
    for complaint in ["ismatch", "out of order", "Exception"] {
        assert!(!text.contains(complaint), "{complaint}: {text}");
    }
    let text = dump(&home, &indexes, &["--index-sanity-check"]);
    assert_eq!(text.matches("passed sanity check").count() + text.matches(" is empty.").count(), indexes.len());

    // The tool does look: an entry that points beside its batch is complained about.
    let index = indexes.iter().find(|path| path.ends_with("one-0/00000000000000000000.index")).unwrap();
    let mut bytes = place.bytes(index).unwrap();
    bytes[3] ^= 1;
    place.put(index.to_str().unwrap(), &bytes);
    assert!(dump(&home, std::slice::from_ref(index), &["--verify-index-only"]).contains("Mismatches in"));
}
