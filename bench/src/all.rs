//! The tables of `docs/performance.md`: each line is a command of this program, run against each broker in turn.
//!
//! A noisy machine is answered three ways: the brokers take turns, the median of several rounds counts, and the null
//! brokers' figures stand beside. Before each run a file is written and deleted, so that free memory is the guest's own
//! again: on a virtual machine whose host takes it back, a first touch costs more than all else.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::{Value, json};

use crate::report::{Report, number};
use crate::{CommandLine, Failure, Outcome, Verb};

/// What to run.
#[derive(clap::Args, Clone)]
pub(crate) struct Arguments {
    /// The `thalweg` binary to measure
    #[arg(long, value_name = "PATH")]
    broker: PathBuf,

    /// Where directories for brokers are made: on the filesystem to measure
    #[arg(long, value_name = "DIR", default_value = "thalweg-data")]
    scratch: PathBuf,

    /// Rounds, of which the median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,

    /// Seconds of each run that has no other end
    #[arg(long, value_name = "S", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,

    /// MiB written and deleted before each run
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(0..=65_536))]
    prime_mib: u32,

    /// Only tables whose title holds this
    #[arg(long, value_name = "WORDS")]
    only: Option<String>,
}

/// One table: its lines are commands, its columns figures.
struct Table {
    title: &'static str,
    columns: &'static [&'static str],
    sides: &'static [Side],
    lines: Vec<Line>,
}

/// One command, without what it runs against.
struct Line {
    label: String,
    command: String,
}

/// What a line runs against: its name, and how a command says so. `BROKER` stands for the binary.
type Side = (&'static str, &'static str);

const SYNC: Side = ("thalweg", "--broker BROKER");
const ASYNC: Side = ("thalweg, async", "--broker BROKER --set flush.mode=async");
const NULL_ANSWER: Side = ("null, answer", "--null answer");
const NULL_APPEND: Side = ("null, append", "--null append");
const NULL_SENDFILE: Side = ("null, sendfile", "--null sendfile");

/// Both modes of a topic on the disk beside the null brokers.
const MODES: &[Side] = &[NULL_ANSWER, NULL_APPEND, SYNC, ASYNC];

/// Durable topics beside the null brokers.
const DURABLE: &[Side] = &[NULL_ANSWER, NULL_APPEND, SYNC];

/// A journal that single records write over three times within a run at 1,000/s and more, as each has a frame of its own.
const SMALL: &str = "--set journal.bytes=16777216";

/// The same at 10,000/s.
const LARGER: &str = "--set journal.bytes=67108864";

/// The same for large batches: it has been written over three times before anything is measured.
const WRAPPED: &str = "--set journal.bytes=268435456 --warm-up-mib 900 --mib 900";

/// The same for many small ones, whose partitions have their files by then.
const WARM: &str = "--set journal.bytes=134217728 --warm-up-mib 180";

/// As for large batches, without a warm-up of its own.
const MEDIUM: &str = "--set journal.bytes=268435456";

const LOAD: &[&str] = &[
    "records/s",
    "MiB/s",
    "p50",
    "p99",
    "CPU-s/GiB",
    "CPU-s/M records",
    "durable writes/1000 records",
    "broker cores",
    "client cores",
];
const SINGLE: &[&str] =
    &["records/s", "p50", "p99", "p99.9", "CPU-s/M records", "durable writes/1000 records", "client cores"];

/// Runs the tables and prints them, as Markdown or JSON.
pub(crate) async fn run(arguments: &Arguments, json: bool) -> Outcome<()> {
    let only = arguments.only.as_deref().unwrap_or_default();
    let scratch = Scratch::new(&arguments.scratch)?;
    for table in tables(arguments.seconds).into_iter().filter(|table| table.title.contains(only)) {
        let mut lines = Vec::new();
        for line in &table.lines {
            lines.push((line, run_line(arguments, &scratch, line, table.sides).await?));
        }
        if json {
            println!("{}", as_json(&table, &lines));
        } else {
            println!("{}", as_markdown(&table, &lines));
        }
    }
    Ok(())
}

fn tables(seconds: u32) -> Vec<Table> {
    let line = |label: &str, command: String| Line { label: label.to_owned(), command };
    let produce = |label: &str, batch: &str, depth: u32, partitions: u32| {
        let shape = format!("--batch {batch} --connections 4 --depth {depth} --partitions {partitions}");
        let journal = if batch == "1x100" { WARM } else { WRAPPED };
        line(label, format!("produce {shape} --seconds {seconds} {journal}"))
    };
    let latency = |label: &str, rate: u32, partitions: u32| {
        // Where 10,000 folders are made first, a journal that small would be full meanwhile.
        let journal = if partitions == 10_000 { LARGER } else { SMALL };
        let seconds = if rate == 1_000 { 4 * seconds } else { seconds };
        line(label, format!("latency --rate {rate} --partitions {partitions} --seconds {seconds} {journal}"))
    };
    let fetch = |label: &str, consumers: u32, rounds: u32| {
        line(label, format!("fetch --consumers {consumers} --rounds {rounds} --mib 256 {MEDIUM}"))
    };
    vec![
        Table {
            title: "Batches",
            columns: LOAD,
            sides: MODES,
            lines: vec![
                produce("1000 × 100 B", "1000x100", 8, 4),
                produce("16 × 1 KiB", "16x1024", 32, 4),
                produce("16 × 1 KiB, 512 on their way", "16x1024", 128, 4),
                produce("1 × 1 KiB", "1x1024", 64, 4),
            ],
        },
        Table {
            title: "Single records, pipelined",
            columns: LOAD,
            sides: DURABLE,
            lines: [1, 1_000, 10_000]
                .map(|partitions| produce(&format!("1 × 100 B, {partitions} partitions"), "1x100", 64, partitions))
                .into(),
        },
        Table {
            title: "Single records, one after the other",
            columns: SINGLE,
            sides: DURABLE,
            lines: [1, 1_000, 10_000].map(|n| latency(&format!("{n} partitions"), 0, n)).into(),
        },
        Table {
            title: "Single records, at a rate",
            columns: SINGLE,
            sides: DURABLE,
            lines: [(1_000, 1), (10_000, 1), (1_000, 10_000), (10_000, 10_000)]
                .map(|(rate, n)| latency(&format!("{rate}/s, {n} partitions"), rate, n))
                .into(),
        },
        Table {
            title: "Beside hostile peers",
            columns: &["records/s", "p50", "p99", "p99.9", "tries/s", "resident", "broker cores", "client cores"],
            sides: &[SYNC],
            lines: [0, 70, 700]
                .map(|hostile| {
                    let command = format!("latency --rate 1000 --hostile {hostile} --seconds {} {SMALL}", 4 * seconds);
                    line(&format!("{hostile} of them"), command)
                })
                .into(),
        },
        Table {
            title: "End to end",
            columns: &["records/s", "p50", "p99", "p99.9", "CPU-s/M records", "client cores"],
            sides: &[SYNC, ASYNC],
            lines: [1_000, 10_000]
                .map(|rate| {
                    let (times, journal) = if rate == 1_000 { (4, SMALL) } else { (3, LARGER) };
                    line(
                        &format!("{rate}/s"),
                        format!("end-to-end --rate {rate} --seconds {} {journal}", times * seconds),
                    )
                })
                .into(),
        },
        Table {
            title: "Hot read",
            columns: &["records/s", "MiB/s", "CPU-s/GiB", "broker cores", "client cores"],
            sides: &[NULL_ANSWER, NULL_SENDFILE, SYNC],
            lines: vec![fetch("one consumer", 1, 8), fetch("fifty consumers", 50, 1)],
        },
        Table {
            title: "Spread",
            columns: &["first", "median", "p90", "max", "CPU per request", "durable writes per request"],
            sides: DURABLE,
            lines: [("one after the other", "--rounds 80"), ("five a second", "--rounds 60 --rate 5")]
                .map(|(label, pace)| line(label, format!("spread --warm-up 80 {pace} {MEDIUM}")))
                .into(),
        },
        Table {
            title: "Create",
            columns: &["answered after", "CPU", "resident before", "resident after", "per partition"],
            sides: &[SYNC],
            lines: vec![
                line("10,000 partitions of one topic", "create".to_owned()),
                line("10,000 topics of one partition", "create --per-topic 1".to_owned()),
                line("the same, 100 in a request", "create --per-topic 1 --per-request 100".to_owned()),
            ],
        },
        Table {
            title: "Start",
            columns: &["empty, first ack", "clean stop, first ack", "kill -9, first ack", "resident after kill -9"],
            sides: &[SYNC],
            lines: [1, 10_000]
                .map(|n| line(&format!("{n} partitions"), format!("restart --partitions {n} --rounds 3")))
                .into(),
        },
        Table {
            title: "On the disk",
            columns: &["file bytes per byte of batches", "bytes written per byte of batches"],
            sides: &[SYNC, ASYNC],
            lines: [("1000 × 100 B", "1000x100"), ("16 × 1 KiB", "16x1024"), ("1 × 1 KiB", "1x1024")]
                .map(|(label, batch)| line(label, format!("footprint --batch {batch} --mib 512 {MEDIUM}")))
                .into(),
        },
        Table {
            title: "Idle",
            columns: &["resident", "CPU", "wake-ups/s", "per connection"],
            sides: &[SYNC],
            lines: [0, 10_000]
                .map(|n| line(&format!("{n} connections"), format!("idle --connections {n} --seconds 5")))
                .into(),
        },
    ]
}

/// The reports of a line, by what it ran against.
type Reports = Vec<(&'static str, Report)>;

async fn run_line(arguments: &Arguments, scratch: &Scratch, line: &Line, sides: &[Side]) -> Outcome<Reports> {
    let broker = arguments.broker.as_os_str();
    let mut runs = vec![Vec::new(); sides.len()];
    for round in 1..=arguments.rounds {
        for (&(name, side), runs) in sides.iter().zip(&mut runs) {
            eprintln!("{} ({name}, round {round} of {})", line.command, arguments.rounds);
            prime(&scratch.0, arguments.prime_mib)?;
            let words = format!("thalweg-bench {} {side} --leave-names", line.command);
            let word = |word: &str| if word == "BROKER" { broker.to_owned() } else { word.into() };
            let mut words: Vec<_> = words.split(' ').map(word).collect();
            words.extend(["--scratch".into(), scratch.0.clone().into_os_string()]);
            let parsed = CommandLine::try_parse_from(words).map_err(Failure::at("a line of the table"))?;
            let Verb::Measure(measure) = parsed.verb else { return Err(Failure::new("a line of the table")) };
            runs.push(measure.run().await?);
        }
    }
    Ok(sides.iter().zip(runs).map(|(&(name, _), runs)| (name, Report::median(&runs))).collect())
}

/// A directory for all runs. Names that were made there stay to the end: ext4 without a journal leaves the numbers of
/// files that have just been removed alone, and takes seconds to find others beside a hundred thousand of them.
struct Scratch(PathBuf);

impl Scratch {
    fn new(beside: &Path) -> Outcome<Scratch> {
        let path = beside.join(format!("bench-all-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(Failure::at("can't make the scratch directory"))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover is in the way of nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes and deletes a file: its pages are the guest's own afterwards, and free.
fn prime(scratch: &Path, mib: u32) -> Outcome<()> {
    let failed = "can't write before the run";
    let path = scratch.join(format!("bench-{}-prime", std::process::id()));
    let mut file = File::create(&path).map_err(Failure::at(failed))?;
    let piece = vec![0x5a; 1 << 20];
    let written = (0..mib).try_for_each(|_| file.write_all(&piece));
    drop(file);
    fs::remove_file(&path).map_err(Failure::at(failed))?;
    written.map_err(Failure::at(failed))
}

fn as_json(table: &Table, lines: &[(&Line, Reports)]) -> Value {
    let lines = lines.iter().map(|(line, reports)| {
        let reports: Vec<Value> = reports.iter().map(|(_, report)| report.json()).collect();
        json!({"label": line.label, "command": line.command, "reports": reports})
    });
    json!({"title": table.title, "lines": lines.collect::<Vec<_>>()})
}

fn as_markdown(table: &Table, lines: &[(&Line, Reports)]) -> String {
    // A column in which no line has a figure says nothing.
    let has = |column: &&&str| lines.iter().any(|(_, reports)| reports.iter().any(|(_, r)| r.find(column).is_some()));
    let columns: Vec<&str> = table.columns.iter().filter(has).copied().collect();
    let unit = |column: &str| {
        let unit = lines.iter().flat_map(|(_, reports)| reports).find_map(|(_, report)| report.unit(column));
        unit.filter(|unit| !unit.is_empty()).map_or_else(String::new, |unit| format!(", {unit}"))
    };
    let mut text = format!("## {}\n\n| | broker |", table.title);
    columns.iter().for_each(|column| text.push_str(&format!(" {column}{} |", unit(column))));
    text.push_str(&format!("\n|---|---|{}\n", "--:|".repeat(columns.len())));
    for (line, reports) in lines {
        for (name, report) in reports {
            text.push_str(&format!("| {} | {name} |", line.label));
            columns.iter().for_each(|column| {
                text.push_str(&format!(" {} |", report.find(column).map_or_else(String::new, number)));
            });
            text.push('\n');
        }
    }
    text.push_str("\n```\n");
    lines.iter().for_each(|(line, _)| text.push_str(&format!("{}\n", line.command)));
    text.push_str("```\n");
    let mut notes: Vec<&String> = lines.iter().flat_map(|(_, r)| r).flat_map(|(_, r)| r.notes()).collect();
    notes.dedup();
    notes.iter().for_each(|note| text.push_str(&format!("\nNote: {note}\n")));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table whose command can't be parsed would be found out minutes into its run.
    #[test]
    fn every_line_of_the_tables_is_a_command() {
        for table in tables(3) {
            for line in &table.lines {
                let words = format!("thalweg-bench {} --broker x --scratch y", line.command);
                let parsed = CommandLine::try_parse_from(words.split(' '));
                assert!(parsed.is_ok(), "{}: {:?}", line.command, parsed.err());
            }
        }
    }

    #[test]
    fn a_table_shows_the_figures_that_there_are() {
        let mut report = Report::new("x");
        report.put("median", 12.34, "ms");
        let line = Line { label: "wide".to_owned(), command: "spread".to_owned() };
        let table = Table { title: "Spread", columns: &["median", "never"], sides: &[SYNC], lines: Vec::new() };
        let text = as_markdown(&table, &[(&line, vec![("thalweg", report)])]);
        let expected =
            "## Spread\n\n| | broker | median, ms |\n|---|---|--:|\n| wide | thalweg | 12.3 |\n\n```\nspread\n```\n";
        assert_eq!(text, expected);
    }
}
