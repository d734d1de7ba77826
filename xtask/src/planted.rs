//! `cargo xtask planted`: whether the tests bite. Each known mistake is planted alone, in a scratch copy of the workspace,
//! as an exact replacement; the test that should find it has to fail, and one that no longer matches fails the run.
//!
//! The table of [`BUGS`] is that of `docs/guarantees.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// A mistake, and who finds it.
struct Bug {
    /// What it is, in words.
    name: &'static str,
    /// Where.
    file: &'static str,
    /// What stands there; once.
    right: &'static str,
    /// What stands there instead.
    wrong: &'static str,
    /// Package, and what follows `cargo test -p PACKAGE`.
    found_by: (&'static str, &'static [&'static str]),
}

const BUGS: &[Bug] = &[
    Bug {
        name: "acknowledge before the write is durable",
        file: "broker/src/partition.rs",
        right: "                        self.write_out.journaled(bytes);\n                    }\n                    Durability::PageCache",
        wrong: "                        self.write_out.journaled(bytes);\n                        state.stored(end, wakes);\n                    }\n                    Durability::PageCache",
        found_by: ("thalweg-broker", &["--test", "power_cut", "even"]),
    },
    Bug {
        name: "accept a recycled frame: one of another journal on the same blocks",
        file: "log/src/journal/frame.rs",
        right: "        if u32_at(0) != MAGIC || header[8..24] != journal.0 {",
        wrong: "        if u32_at(0) != MAGIC {",
        found_by: ("thalweg-log", &[]),
    },
    Bug {
        name: "accept a recycled frame: write over files that no durable frame has let go",
        file: "log/src/journal/driver.rs",
        right: "        self.ring.written(length, checksum, checkpoint);",
        wrong: "        self.ring.written(length, checksum, self.ring.sequence);",
        found_by: ("thalweg-log", &["--test", "journal_crashes"]),
    },
    Bug {
        name: "cut a corrupt frame as torn",
        file: "log/src/journal/scan.rs",
        right: "    // Frames at or below the checkpoint may be half overwritten: holes among them mean nothing.",
        wrong: "    while let Some(hole) = found.windows(2).rposition(|pair| pair[1].header.sequence != pair[0].header.sequence + 1) {\n        found.truncate(hole + 1);\n    }",
        found_by: ("thalweg-log", &["--test", "journal_damage"]),
    },
    Bug {
        name: "apply an append that a later truncation killed",
        file: "log/src/redo.rs",
        right: "position > later.placed && later.lowest_cut(position) > batch.base_offset()",
        wrong: "position > later.placed",
        found_by: ("thalweg-log", &[]),
    },
    Bug {
        name: "skip `Placed`",
        file: "log/src/redo.rs",
        right: "            Entry::Placed(_) | Entry::Placing { .. } => self.later.entry(log).or_default().placed = position,",
        wrong: "            Entry::Placed(_) | Entry::Placing { .. } => {}",
        found_by: ("thalweg-log", &[]),
    },
    Bug {
        name: "acknowledge past the journal before the file is synced",
        file: "log/src/lane/write.rs",
        right: "            flush.run()?;",
        wrong: "",
        found_by: ("thalweg-broker", &["--test", "past_the_journal"]),
    },
    Bug {
        name: "acknowledge past the journal what is only said to be coming",
        file: "log/src/lane/road.rs",
        right: "        self.synced.map(|synced| synced.offset.min(self.told))",
        wrong: "        self.synced.map(|_| self.told)",
        found_by: ("thalweg-broker", &["--test", "past_the_journal"]),
    },
    Bug {
        name: "acknowledge past the journal before its word is durable",
        file: "log/src/lane/road.rs",
        right: "        self.synced.map(|synced| synced.offset.min(self.told))",
        wrong: "        self.synced.map(|synced| synced.offset)",
        found_by: ("thalweg-broker", &["--test", "past_the_journal"]),
    },
    Bug {
        name: "leave what recovery keeps in the page cache",
        file: "log/src/segment/reach.rs",
        right: "            folder.sync_records(base)?;",
        wrong: "",
        found_by: ("thalweg-broker", &["--test", "past_the_journal"]),
    },
    Bug {
        name: "believe of the disk what a failed sync left in the page cache",
        file: "log/src/segment/reach.rs",
        right: "            write_again(&*log, u64::from(first.unwrap_or(position)), walk.position())?;",
        wrong: "            let _ = (write_again, first, position);",
        found_by: ("thalweg-broker", &["--test", "past_the_journal", "failed_sync"]),
    },
    Bug {
        name: "leave a part of a batch where there was no room",
        file: "log/src/segment/segments.rs",
        right: "            active.trim(&self.shared.folder)?;\n        }\n        // Who synced",
        wrong: "            let _ = active;\n        }\n        // Who synced",
        found_by: ("thalweg-log", &["--test", "segment_files", "no_room"]),
    },
    Bug {
        name: "write past the journal behind an entry that a checkpoint has let go",
        file: "log/src/lane/fences.rs",
        right: "        if sequence <= state.passed {",
        wrong: "        if sequence == u64::MAX {",
        found_by: ("thalweg-broker", &["--test", "past_the_journal"]),
    },
    Bug {
        name: "let a checkpoint pass what is written past the journal",
        file: "log/src/write_out/driver.rs",
        right: "            self.lane.passed(through).await;",
        wrong: "",
        found_by: ("thalweg-log", &[]),
    },
    Bug {
        name: "resume an epoch after a restart",
        file: "coordinators/src/cluster/image.rs",
        right: "            self.with_topic(id, |topic| topic.begin_epochs(record.broker_id));",
        wrong: "            self.with_topic(id, |_| ());",
        found_by: ("thalweg-coordinators", &["--test", "testscripts"]),
    },
    Bug {
        name: "drop the producers' window at a start",
        file: "log/src/log.rs",
        right: "        let mut producers = self.files.as_ref().map(|files| files.producers()).unwrap_or_default();",
        wrong: "        let mut producers = Producers::default();",
        found_by: ("thalweg-broker", &["--test", "idempotence"]),
    },
    Bug {
        name: "forget to sync a directory behind a rename",
        file: "log/src/directory.rs",
        right: "    put_synced(disk, directory, name, bytes)?;\n    disk.sync_dir(directory)",
        wrong: "    put_synced(disk, directory, name, bytes)",
        found_by: ("thalweg-broker", &["--test", "files", "--test", "delete_records"]),
    },
    Bug {
        name: "let the journal forget a log start that stands nowhere else",
        file: "log/src/write_out/driver.rs",
        right: "                starts.write_if_changed().map_err(|error| Stopped::by(error.into(), &[]))?;",
        wrong: "                let _ = &starts;",
        found_by: ("thalweg-broker", &["--test", "delete_records"]),
    },
    Bug {
        name: "checkpoint without a sync of the files",
        file: "log/src/write_out/driver.rs",
        right: "                disk.sync_filesystem(&*anchor)?;",
        wrong: "                let _ = (&disk, &anchor);",
        found_by: ("thalweg-broker", &["--test", "files"]),
    },
    Bug {
        name: "believe the index of times that a power cut left",
        file: "log/src/segment/open.rs",
        right: "            known.iter_mut().try_for_each(|known| known.find_newest(folder, log.clone(), size))?;\n",
        wrong: "",
        found_by: ("thalweg-log", &["--test", "segment_files", "crash"]),
    },
    Bug {
        name: "answer a commit of offsets before it is durable",
        file: "broker/src/groups/driver.rs",
        right: "        if decision.records.is_empty() && self.held.is_empty() {",
        wrong: "        if self.held.is_empty() {",
        found_by: ("thalweg-broker", &["--test", "groups"]),
    },
    Bug {
        name: "bring a deleted topic's folder back",
        file: "broker/src/dormant.rs",
        right: "                        Some(Standing::Deleted) => leftovers.deleted.push(partition),",
        wrong: "                        Some(Standing::Deleted) => _ = names.insert(partition),",
        found_by: ("thalweg-broker", &["--test", "deletion"]),
    },
    Bug {
        name: "send what was checked before a truncation",
        file: "log/src/segment/sending.rs",
        right: "        Place { log, generation: self.generation, base, position }",
        wrong: "        Place { log, generation: self.generation - self.generation, base, position }",
        found_by: ("thalweg-log", &["--test", "segment_files", "sending"]),
    },
    Bug {
        name: "send what waited for its peer without a second look",
        file: "broker/src/reply.rs",
        right: "            Some(Part::InFile { .. }) if self.is_stale(clock.now()) => return",
        wrong: "            Some(Part::InFile { .. }) if self.is_stale(Moment::ZERO) => return",
        found_by: ("thalweg-broker", &["--test", "slow_readers"]),
    },
];

/// How a planted mistake fared.
enum Fate {
    Found,
    Missed,
    /// It doesn't stand there once, or what was planted doesn't build.
    Unplanted(String),
}

/// Plants those whose name contains `only`, one after the other.
pub(crate) fn run(root: &Path, only: &str) -> ExitCode {
    let scratch = root.join("target/planted");
    if let Err(error) = copy(root, &scratch) {
        eprintln!("planted: the workspace can't be copied to {}: {error}", scratch.display());
        return ExitCode::FAILURE;
    }
    let mut table = Vec::new();
    let mut verdict = ExitCode::SUCCESS;
    for bug in BUGS.iter().filter(|bug| bug.name.contains(only)) {
        eprintln!("planted: {}", bug.name);
        let start = Instant::now();
        let fate = plant(&scratch, bug);
        let said = match &fate {
            Fate::Found => "found".to_owned(),
            Fate::Missed => "MISSED".to_owned(),
            Fate::Unplanted(why) => format!("NOT PLANTED: {why}"),
        };
        if !matches!(fate, Fate::Found) {
            verdict = ExitCode::FAILURE;
        }
        let (package, tests) = bug.found_by;
        let took = start.elapsed().as_secs_f64();
        table.push(format!("  {said:<8}{took:>7.1} s  {}  (cargo test -p {package} {})", bug.name, tests.join(" ")));
    }
    eprintln!("planted: summary\n{}", table.join("\n"));
    verdict
}

fn plant(scratch: &Path, bug: &Bug) -> Fate {
    let path = scratch.join(bug.file);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => return Fate::Unplanted(error.to_string()),
    };
    let places = text.matches(bug.right).count();
    if places != 1 {
        return Fate::Unplanted(format!("it stands in {places} places of {}", bug.file));
    }
    let planted = fs::write(&path, text.replacen(bug.right, bug.wrong, 1));
    let fate = planted.map_or_else(|error| Fate::Unplanted(error.to_string()), |()| test(scratch, bug));
    match fs::write(&path, text) {
        Ok(()) => fate,
        Err(error) => Fate::Unplanted(format!("{} can't be mended: {error}", bug.file)),
    }
}

/// A test that fails has found it; one that can't be built has not.
fn test(scratch: &Path, bug: &Bug) -> Fate {
    let (package, tests) = bug.found_by;
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).args(["-q", "-p", package]).args(tests).current_dir(scratch);
        command.env("CARGO_TARGET_DIR", scratch.join("target")).env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    // A filter is no word for a build.
    let builds = Command::new(env!("CARGO"))
        .args(["test", "--no-run", "-q", "-p", package])
        .args(tests.iter().take(tests.len() / 2 * 2))
        .current_dir(scratch)
        .env("CARGO_TARGET_DIR", scratch.join("target"))
        .stdin(Stdio::null())
        .status();
    match builds {
        Ok(status) if status.success() => {}
        Ok(_) => return Fate::Unplanted("what was planted doesn't build".to_owned()),
        Err(error) => return Fate::Unplanted(error.to_string()),
    }
    match cargo(&["test"]) {
        Ok(status) if status.success() => Fate::Missed,
        Ok(_) => Fate::Found,
        Err(error) => Fate::Unplanted(error.to_string()),
    }
}

/// Copies what git knows of, and takes away what else an earlier run left; files that are the same stay as they are, so
/// that little is built again.
fn copy(root: &Path, scratch: &Path) -> std::io::Result<()> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output()?;
    let names = String::from_utf8(listed.stdout).map_err(std::io::Error::other)?;
    let mut copied = BTreeSet::from([scratch.join("target")]);
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let (from, to): (PathBuf, PathBuf) = (root.join(name), scratch.join(name));
        let bytes = match fs::read(&from) {
            Ok(bytes) => bytes,
            // Deleted, and not yet committed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        copied.extend(to.ancestors().take_while(|above| *above != scratch).map(Path::to_owned));
        if fs::read(&to).is_ok_and(|same| same == bytes) {
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&to, bytes)?;
    }
    keep(scratch, &copied)
}

/// Takes away all that is in a folder but these paths, and what is in `target`.
fn keep(folder: &Path, wanted: &BTreeSet<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (entry, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
        let is_folder = entry?.is_dir();
        match wanted.contains(&path) {
            true if is_folder && !path.ends_with("target") => keep(&path, wanted)?,
            true => {}
            false if is_folder => fs::remove_dir_all(&path)?,
            false => fs::remove_file(&path)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_from_the_workspace_is_gone_from_the_copy() {
        let place = std::env::temp_dir().join(format!("planted-{}", std::process::id()));
        for path in ["target/kept", "a/gone.rs", "a/b/kept.rs", "c/gone.rs"] {
            fs::create_dir_all(place.join(path).parent().expect("a folder")).expect("a folder");
            fs::write(place.join(path), "").expect("a file");
        }
        let wanted = ["target", "a", "a/b", "a/b/kept.rs"].map(|path| place.join(path));
        keep(&place, &BTreeSet::from(wanted)).expect("the rest goes");
        let is_there = |path: &str| place.join(path).exists();
        assert!(is_there("target/kept") && is_there("a/b/kept.rs"));
        assert!(!is_there("a/gone.rs") && !is_there("c"));
        fs::remove_dir_all(&place).expect("it is ours");
    }

    #[test]
    fn every_bug_can_be_planted() {
        let root = crate::root();
        for bug in BUGS {
            let text = fs::read_to_string(root.join(bug.file)).expect(bug.file);
            assert_eq!(text.matches(bug.right).count(), 1, "{} in {}", bug.name, bug.file);
            assert_ne!(bug.right, bug.wrong, "{}", bug.name);
        }
    }
}
