//! The page of limits, held against the code: what it names is there, with the value that it says, and no bound of the
//! broker is missing.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use thalweg_broker::settings::table::{self, Effect, Setting};

/// Bounds of the code that no peer can feel, or that stand on the page under another name.
const ELSEWHERE: [&str; 4] = [
    "LEAF_MAX",          // where a tree splits its leaves
    "PIECES_MAX",        // of one write: the next takes the others
    "SMALL_FRAME_BYTES", // that of wire/src/frame.rs
    "VALUE_BYTES_MAX",   // that of any string
];

/// A row of one of the page's tables.
struct Row {
    /// The setting, or `PATH::NAME`; empty for a bound that has no name.
    name: String,
    default: String,
    tests: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn source(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands in backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn rows() -> Vec<Row> {
    let page = source("docs/limits.md");
    let cells = page.lines().map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let rows = cells.filter_map(|cells| {
        let [limit, default, _why, _seen, tests] = cells[..] else { return None };
        let head = limit == "limit" || limit.starts_with("---");
        let words: Vec<&str> = quoted(limit).collect();
        let name = match words[..] {
            [.., constant, path] if path.contains('/') => format!("{path}::{constant}"),
            _ => words.last().copied().unwrap_or_default().to_owned(),
        };
        let tests = quoted(tests).map(str::to_owned).collect();
        (!head).then(|| Row { name, default: default.to_owned(), tests })
    });
    rows.collect()
}

/// A number as the page says it: `16 MiB, and ...`, `1,000`, `10 min`. Times are milliseconds.
fn said(default: &str) -> Option<u64> {
    let words = default.split([':', ';']).next().unwrap_or_default().replace(", ", " ");
    let mut words = words.split_whitespace();
    let number: u64 = words.next()?.replace(',', "").parse().ok()?;
    let unit = match words.next() {
        Some("KiB") => 1 << 10,
        Some("MiB") => 1 << 20,
        Some("GiB") => 1 << 30,
        Some("s") => 1_000,
        Some("min") => 60_000,
        Some("h") => 3_600_000,
        _ => 1,
    };
    Some(number * unit)
}

/// The value of a constant, or of a field of a `default()`, as the source says it.
fn value_in(source: &str, name: &str) -> Option<u64> {
    let line = source.lines().map(str::trim).find_map(|line| {
        let line = line.split("//").next().unwrap_or_default().trim();
        let constant = line.split_once("const ").filter(|(_, rest)| rest.starts_with(&format!("{name}:")));
        let constant = constant.and_then(|(_, rest)| rest.split_once(" = ")).map(|(_, value)| value);
        constant
            .or_else(|| line.strip_prefix(&format!("{name}: ")))
            .filter(|value| value.contains(|c: char| c.is_ascii_digit()))
    })?;
    let value = line.trim_end_matches([';', ',']);
    let (value, unit) = match value.strip_prefix("Duration::from_secs(") {
        Some(seconds) => (seconds.trim_end_matches(')'), 1_000),
        None => (value, 1),
    };
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().ok();
    let factors = value.split('*').map(|factor| match factor.split_once("<<") {
        Some((number_of, by)) => Some(number(number_of)? << number(by)?),
        None => number(factor),
    });
    factors.product::<Option<u64>>().map(|product| product * unit)
}

#[test]
fn each_default_is_that_of_the_code() {
    for Row { name, default, .. } in rows() {
        let actual = match name.split_once("::") {
            Some((path, constant)) => {
                Some(value_in(&source(path), constant).unwrap_or_else(|| panic!("{path} has no {constant}")))
            }
            None if name.is_empty() => continue,
            None => {
                let setting = table::broker_setting(&name).unwrap_or_else(|| panic!("there is no setting {name}"));
                assert_eq!(setting.effect, Effect::Acts, "{name} is a limit that limits nothing");
                setting.default.and_then(|default| default.parse().ok())
            }
        };
        assert_eq!(said(&default), actual, "{name} is {default}");
    }
}

#[test]
fn each_test_that_holds_a_limit_exists() {
    for Row { name, tests, default } in rows() {
        for test in tests {
            let (path, function) = test.split_once("::").unwrap_or((&test, ""));
            let is_there = function.is_empty() || source(path).contains(&format!("fn {function}("));
            assert!(is_there && root().join(path).exists(), "{name}, {default}: there is no test {test}");
        }
    }
}

/// Settings whose names say that they bound something.
fn is_limit(setting: &Setting) -> bool {
    let name = setting.name;
    let bounds =
        ["max.connection", "max.request", "max.size", ".max.bytes", "state.bytes", "session.timeout", "cache.slots"];
    // Those of topics' files are no peer's to feel.
    setting.effect == Effect::Acts && !name.starts_with("log.") && bounds.iter().any(|words| name.contains(words))
}

fn constants(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            constants(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let names = text.lines().filter_map(|line| line.split_once("const ")?.1.split_once(':')).map(|(name, _)| name);
        let all = path.ends_with("broker/src/budgets.rs");
        found.extend(names.filter(|name| name.ends_with("_MAX") || all && name.contains("_BYTES")).map(str::to_owned));
    }
}

#[test]
fn no_limit_of_the_broker_is_missing() {
    let rows = rows();
    let named: BTreeSet<&str> = rows.iter().map(|row| row.name.rsplit("::").next().unwrap()).collect();
    for setting in table::broker().iter().filter(|setting| is_limit(setting)) {
        assert!(named.contains(setting.name), "{} is missing", setting.name);
    }
    let mut constants_of_ours = BTreeSet::new();
    for folder in ["broker/src", "coordinators/src"] {
        constants(&root().join(folder), &mut constants_of_ours);
    }
    assert!(constants_of_ours.len() > 30, "{constants_of_ours:?}");
    for name in constants_of_ours {
        assert!(named.contains(name.as_str()) || ELSEWHERE.contains(&name.as_str()), "{name} is missing");
    }
}
