//! `thalweg verify`: looks over a directory of records, says what is wrong with it, and mends what follows from the records.
//!
//! The looking is the library's (`thalweg_log::verify`, `thalweg_quorum::verify`); here is what it is asked to look at, and
//! how it is told.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use thalweg_log::directory::{self, DirectoryError};
use thalweg_log::segment::names::parse_folder_name;
use thalweg_log::verify::{self, Finding, Mode, Outcome, Remedy, Report, Surroundings, Totals, Weight};
use thalweg_quorum::verify as quorum;
use thalweg_world::disk::Disk;

use crate::failure::{Exit, Failure};
use crate::output::{self, Output, printable};
use crate::reach;

/// Look over a data directory, of ours or of a Kafka, and say what is wrong with it.
///
/// Every batch is held against its checksum, every record against its batch, every entry of an index against the records;
/// the journal and the metadata against themselves. A note is what a broker that was killed may leave, and the next start
/// sets right; damage is what none of them left. With --repair and --yes, what follows from the records is made again:
/// indexes, leader epochs, checkpoints, what is known of producers. Records are never changed and never taken away.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    /// A data directory, a log directory of ours or of a Kafka, the folder of the metadata, or the folder of one partition
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// Show what can be mended; no broker may run on it
    #[arg(long)]
    repair: bool,

    /// With --repair: mend it
    #[arg(long, requires = "repair")]
    yes: bool,

    #[command(flatten)]
    output: Output,
}

const EXAMPLES: &str = "\
Examples:
  thalweg verify thalweg-data
      all logs and the metadata
  thalweg verify /var/lib/kafka/logs/orders-3
      one partition
  thalweg verify thalweg-data --repair
      shows what can be made again from the records
  thalweg verify thalweg-data --repair --yes
      makes it again

Exit code 5 says that there is damage. Files that have no checksum can be wrong without a word from here:
meta.properties, partition.metadata and the checkpoints are text that says what nothing else says.";

/// What is looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    /// A log directory.
    Logs(PathBuf),
    /// One folder of a log directory.
    Partition { directory: PathBuf, name: PathBuf },
    /// A partition's folder without a directory around it.
    Folder(PathBuf),
    /// The metadata.
    Quorum(PathBuf),
}

#[derive(Serialize)]
struct Told {
    directory: String,
    findings: Vec<Found>,
    totals: Counts,
}

#[derive(Serialize)]
struct Found {
    weight: &'static str,
    subject: &'static str,
    file: String,
    position: Option<u64>,
    first_offset: Option<i64>,
    end_offset: Option<i64>,
    meaning: String,
    remedy: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

#[derive(Serialize)]
struct Counts {
    partitions: u64,
    segments: u64,
    batches: u64,
    records: u64,
    bytes: u64,
    damaged: u64,
    mended: u64,
    notes: u64,
}

impl Verify {
    /// Looks, tells, and says by its exit code whether there is damage.
    pub(super) fn run(self) -> Result<(), Failure> {
        let world = reach::world()?;
        let disk = &*world.disk;
        let parts = parts(disk, &self.directory)?;
        let _locks = if self.repair { lock(disk, &parts)? } else { Vec::new() };
        if !self.repair && parts.iter().any(|part| is_held(disk, part)) {
            output::note("a broker runs on this directory: what it is writing now may look unfinished")?;
        }
        let mode = if self.repair && self.yes { Mode::Repair } else { Mode::Look };
        let (findings, totals) = look(disk, &parts, mode)?;
        let told = Told::new(&self.directory, &findings, &totals);
        self.output.describe(&told, || told.text(&self.directory))?;
        self.verdict(&findings, &totals)
    }

    fn verdict(&self, findings: &[Finding], totals: &Totals) -> Result<(), Failure> {
        let shown = self.directory.display();
        let mendable = findings.iter().filter(|finding| is_mendable(finding)).count();
        if self.repair && !self.yes && mendable > 0 {
            let what = match mendable {
                1 => "nothing is mended yet; 1 place can be".to_owned(),
                mendable => format!("nothing is mended yet; {mendable} places can be"),
            };
            return Err(Failure::new(Exit::Usage, what, "add --yes to do it: records stay as they are"));
        }
        if totals.damage == 0 {
            return Ok(());
        }
        let what = format!("{shown}: {} damaged", places(totals.damage));
        Err(Failure::new(
            Exit::Damaged,
            what,
            if mendable > 0 && !self.repair {
                "--repair shows what can be made again from the records; the rest has to come from another copy"
            } else {
                "it has to come from another copy; 'thalweg dump FILE' shows what is in a file"
            },
        ))
    }
}

/// So many places are.
fn places(count: u64) -> String {
    if count == 1 { "1 place is".to_owned() } else { format!("{count} places are") }
}

fn is_mendable(finding: &Finding) -> bool {
    matches!(finding.remedy, Remedy::Rebuild | Remedy::Remove) && finding.outcome == Outcome::Left
}

/// What there is to look at in a directory.
fn parts(disk: &dyn Disk, given: &Path) -> Result<Vec<Part>, Failure> {
    let shown = given.display();
    let unusable = |error: io::Error| {
        let next = match error.kind() {
            io::ErrorKind::NotADirectory => "name its directory; 'thalweg dump FILE' shows what is in a file",
            io::ErrorKind::PermissionDenied => "run it as the user who runs the broker",
            _ => "name a directory that is there",
        };
        Failure::new(Exit::Usage, format!("{shown}: {error}"), next)
    };
    let path = disk.absolute(given).map_err(unusable)?;
    let has = |name: &str, is: &dyn Fn(&Path) -> io::Result<bool>| is(&path.join(name)).unwrap_or(false);
    let is_logs = |path: &Path| verify::is_log_directory(disk, path);
    let is_quorum = |path: &Path| quorum::is_quorum(disk, path);
    disk.list(&path).map_err(unusable)?;
    let mut parts = Vec::new();
    // Below a data directory the name says what a folder is, whatever is left of it.
    if has("logs", &is_logs) {
        parts.push(Part::Logs(given.join("logs")));
    }
    if has("quorum", &is_logs) {
        parts.push(Part::Quorum(given.join("quorum")));
    }
    if !parts.is_empty() {
        return Ok(parts);
    }
    if is_quorum(&path).map_err(unusable)? {
        return Ok(vec![Part::Quorum(given.to_owned())]);
    }
    if is_logs(&path).map_err(unusable)? {
        return Ok(vec![Part::Logs(given.to_owned())]);
    }
    let name = path.file_name().and_then(|name| name.to_str()).filter(|name| parse_folder_name(name).is_some());
    // As it was given, where that says it, so that what is told has the same names.
    let above = given.parent().filter(|above| given.ends_with(name.unwrap_or_default()) && *above != Path::new(""));
    if let (Some(name), Some(directory)) = (name, above.or(path.parent())) {
        return Ok(vec![match is_logs(directory).unwrap_or(false) {
            true => Part::Partition { directory: directory.to_owned(), name: PathBuf::from(name) },
            false => Part::Folder(given.to_owned()),
        }]);
    }
    let what = format!("{shown} is no data directory: neither logs nor metadata are in it");
    let next = "name one that --data named, one of log.dirs, metadata.log.dir, or the folder of a partition";
    Err(Failure::new(Exit::Usage, what, next))
}

impl Part {
    /// The directory that has the lock.
    fn locked(&self) -> &Path {
        match self {
            Part::Logs(path) | Part::Quorum(path) | Part::Folder(path) => path,
            Part::Partition { directory, .. } => directory,
        }
    }
}

/// Keeps brokers away for as long as something is mended.
fn lock(disk: &dyn Disk, parts: &[Part]) -> Result<Vec<Box<dyn Send + Sync>>, Failure> {
    let of_directories = parts.iter().filter(|part| !matches!(part, Part::Folder(_)));
    let locks = of_directories.map(|part| directory::lock(disk, part.locked()));
    locks.collect::<Result<_, _>>().map_err(|error| match error {
        DirectoryError::Locked(path) => {
            let what = format!("a broker runs on {}: nothing is mended beside it", path.display());
            Failure::new(Exit::Failed, what, "stop it first")
        }
        error => Failure::new(Exit::Failed, error.to_string(), "run it as the user who runs the broker"),
    })
}

/// Whether a broker runs there. Who may not know is not told.
fn is_held(disk: &dyn Disk, part: &Part) -> bool {
    let is_there =
        disk.list(part.locked()).is_ok_and(|entries| entries.iter().any(|entry| entry.name == Path::new(LOCK)));
    is_there && disk.lock(&part.locked().join(LOCK)).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

const LOCK: &str = ".lock";

fn look(disk: &dyn Disk, parts: &[Part], mode: Mode) -> Result<(Vec<Finding>, Totals), Failure> {
    let mut findings = Vec::new();
    let mut sink = |finding| findings.push(finding);
    let mut report = Report::new(&mut sink);
    for part in parts {
        let looked = match part {
            Part::Logs(path) => verify::directory(disk, path, None, mode, &mut report),
            Part::Partition { directory, name } => verify::directory(disk, directory, Some(name), mode, &mut report),
            Part::Folder(path) => verify::partition(disk, path, &Surroundings::NONE, mode, &mut report).map(drop),
            Part::Quorum(path) => quorum::quorum(disk, path, &mut report).map(drop),
        };
        looked.map_err(|error| {
            let what = format!("{}: {error}", part.locked().display());
            Failure::new(Exit::Failed, what, "does the disk say more in the system's log?")
        })?;
    }
    let totals = report.totals;
    Ok((findings, totals))
}

impl Told {
    fn new(directory: &Path, findings: &[Finding], totals: &Totals) -> Told {
        let Totals { partitions, segments, bytes, batches, records, damage, mended, notes } = *totals;
        Told {
            directory: directory.display().to_string(),
            findings: findings.iter().map(Found::of).collect(),
            totals: Counts { partitions, segments, batches, records, bytes, damaged: damage, mended, notes },
        }
    }

    fn text(&self, directory: &Path) -> String {
        let mut text: String = self.findings.iter().map(|found| found.text(directory)).collect();
        let Counts { partitions, segments, batches, records, bytes, damaged, mended, notes } = &self.totals;
        let _infallible = writeln!(
            text,
            "partitions {partitions}, segments {segments}, batches {batches}, records {records}, bytes {bytes}: {}",
            match (damaged, mended, notes) {
                (0, 0, 0) => "all in order".to_owned(),
                (damaged, 0, notes) => format!("damaged {damaged}, notes {notes}"),
                (damaged, mended, notes) => format!("mended {mended}, damaged {damaged}, notes {notes}"),
            }
        );
        text
    }
}

impl Found {
    fn of(finding: &Finding) -> Found {
        let (outcome, failure) = match &finding.outcome {
            Outcome::Left => ("left", None),
            Outcome::Mended => ("mended", None),
            Outcome::Failed(reason) => ("failed", Some(reason.clone())),
        };
        Found {
            weight: match finding.weight {
                Weight::Note => "note",
                Weight::Damage => "damage",
            },
            subject: finding.subject.name(),
            file: finding.file.display().to_string(),
            position: finding.position,
            first_offset: finding.offsets.map(|(first, _)| first.0),
            end_offset: finding.offsets.and_then(|(_, end)| end).map(|end| end.0),
            meaning: finding.meaning.clone(),
            remedy: match finding.remedy {
                Remedy::Elsewhere => "elsewhere",
                Remedy::Rebuild => "rebuild",
                Remedy::Remove => "remove",
                Remedy::Unneeded => "unneeded",
            },
            outcome,
            failure,
        }
    }

    /// Where it is; below, what it means and what becomes of it.
    fn text(&self, directory: &Path) -> String {
        let file = Path::new(&self.file);
        let file = file.strip_prefix(directory).ok().filter(|rest| !rest.as_os_str().is_empty()).unwrap_or(file);
        let position = self.position.map_or(String::new(), |at| format!(" at byte {at}"));
        let offsets = match (self.first_offset, self.end_offset) {
            (Some(first), Some(end)) if end > first + 1 => format!(", offsets {first}..{}", end - 1),
            (Some(first), Some(_)) => format!(", offset {first}"),
            (Some(first), None) => format!(", from offset {first} on"),
            (None, _) => String::new(),
        };
        let remedy = match (self.outcome, self.remedy, &self.failure) {
            (_, _, Some(reason)) => format!("; this could not be mended: {reason}"),
            ("mended", "remove", _) => "; taken away, a start makes it again".to_owned(),
            ("mended", _, _) => "; made again from the records".to_owned(),
            (_, "rebuild", _) => "; can be made again from the records".to_owned(),
            (_, "remove", _) => "; can be taken away, a start makes it again".to_owned(),
            _ => String::new(),
        };
        let file = printable(&file.display().to_string());
        let meaning = printable(&self.meaning);
        format!("{}: {file}{position}{offsets}\n  {}: {meaning}{remedy}\n", self.weight, self.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_world::simulated::{Faults, SimulatedDisk};

    fn disk(files: &[&str]) -> SimulatedDisk {
        let disk = SimulatedDisk::new(1, Faults::default());
        for file in files {
            disk.install(Path::new(file), b"").unwrap();
        }
        disk
    }

    fn seen(disk: &SimulatedDisk, path: &str) -> Result<Vec<Part>, Exit> {
        parts(disk, Path::new(path)).map_err(|failure| failure.exit())
    }

    #[test]
    fn what_a_directory_is_shows_in_what_is_in_it() {
        let disk = disk(&[
            "/data/logs/meta.properties",
            "/data/logs/orders-0/00000000000000000000.log",
            "/data/quorum/meta.properties",
            "/kafka/recovery-point-offset-checkpoint",
            "/meta/00000000000000000007-0000000001.snapshot",
            "/copy/orders-0/00000000000000000000.log",
            "/photos/cat.jpg",
        ]);
        let logs = || Part::Logs(PathBuf::from("/data/logs"));
        let quorum = || Part::Quorum(PathBuf::from("/data/quorum"));
        assert_eq!(seen(&disk, "/data"), Ok(vec![logs(), quorum()]));
        assert_eq!(seen(&disk, "/data/logs"), Ok(vec![logs()]));
        assert_eq!(seen(&disk, "/kafka"), Ok(vec![Part::Logs(PathBuf::from("/kafka"))]));
        assert_eq!(seen(&disk, "/meta"), Ok(vec![Part::Quorum(PathBuf::from("/meta"))]));
        let partition = Part::Partition { directory: PathBuf::from("/data/logs"), name: PathBuf::from("orders-0") };
        assert_eq!(seen(&disk, "/data/logs/orders-0"), Ok(vec![partition]));
        assert_eq!(seen(&disk, "/copy/orders-0"), Ok(vec![Part::Folder(PathBuf::from("/copy/orders-0"))]));
        assert_eq!(seen(&disk, "/photos"), Err(Exit::Usage));
        assert_eq!(seen(&disk, "/nowhere"), Err(Exit::Usage));
    }
}
