//! What holds for a file as such: it opens with what it is for, it stays readable in one sitting, and it carries no
//! trace of the machine on which it was written.

use super::Violation;

/// At this size one asks what the second subject is.
const LINES_MAX: usize = 800;

/// What the data of all tests may take, in bytes: a clone has to stay quick.
const FIXTURES_BYTES_MAX: u64 = 8 << 20;

/// Places of one machine or one person. In halves, so that this list isn't found by its own rule.
const PLACES: &[&str] = &[
    concat!("/wo", "rk"),
    concat!("/ro", "ot"),
    concat!("/tm", "p"),
    concat!("/ho", "me"),
    concat!("/Us", "ers"),
    concat!("/mn", "t"),
    concat!("../sha", "red"),
];

/// Whether a person wrote it.
pub(super) fn is_generated(path: &str, text: &str) -> bool {
    path.contains("/generated/") || text.lines().take(5).any(|line| line.contains("@generated"))
}

/// Checks one text file. `path` is relative to the workspace.
pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut complain =
        |line: usize, what: &str, why: &'static str| found.push(Violation::new(path, line, what.into(), why));
    let generated = is_generated(path, text);
    let lines = text.lines().count();

    if !generated {
        if let Some(opening) = opening(path)
            && !opening.iter().any(|opening| text.trim_start_matches(shebang(text)).trim_start().starts_with(opening))
        {
            complain(1, &format!("no `{}` on top", opening[0]), "a file opens with what it is for");
        }
        if path.ends_with(".rs") && lines > LINES_MAX {
            complain(
                LINES_MAX + 1,
                &format!("{lines} lines"),
                "past 800 lines a file has a second subject: split it there",
            );
        }
    }
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.ends_with([' ', '\r', '\t']) {
            complain(number, "white space at the end of the line", "it makes noise in every later diff");
        } else if line.contains('\t') {
            complain(number, "a tab", "the next reader's editor draws it in another width");
        }
        if let Some(place) = PLACES.iter().find(|place| names_place(line, place)) {
            complain(
                number,
                &format!("`{place}`"),
                "the project names no place of one machine: take a relative path or a setting",
            );
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        complain(lines, "no line end at the end", "tools that append or concatenate rely on it");
    }
    found
}

/// Checks the total size of `fixtures/`.
pub(super) fn check_fixtures(bytes: u64) -> Option<Violation> {
    (bytes > FIXTURES_BYTES_MAX).then(|| {
        let what = format!("{bytes} bytes, {FIXTURES_BYTES_MAX} are the most");
        Violation::new("fixtures", 1, what, "a clone has to stay quick: keep what tests read, leave the rest out")
    })
}

/// With what a file of this kind may open.
fn opening(path: &str) -> Option<&'static [&'static str]> {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("rs") => Some(&["//!"]),
        Some("py") => Some(&["\"\"\""]),
        Some("md") => Some(&["# "]),
        Some("sh") => Some(&["# "]),
        _ => None,
    }
}

/// The first line, if it names an interpreter.
fn shebang(text: &str) -> &str {
    if text.starts_with("#!/") { text.lines().next().unwrap_or_default() } else { "" }
}

/// Whether a line names a place, as a path of its own: `src/work` and `/workers` are no leaks.
fn names_place(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + place.len()..].chars().next();
        let starts =
            !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '}' | ')' | '>' | '*'));
        let ends = !after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        starts && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(path, text).iter().map(|violation| format!("{} {}", violation.line, violation.what)).collect()
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn a_file_opens_with_what_it_is_for() {
        assert_eq!(found("wire/src/a.rs", "use b;\n"), ["1 no `//!` on top"]);
        assert_eq!(found("wire/src/a.rs", "//! The alphabet.\nuse b;\n"), NOTHING);
        assert_eq!(found("messages/src/generated/a.rs", "use b;\n"), NOTHING);
        assert_eq!(found("interop/a.py", "#!/usr/bin/env python3\nimport b\n"), ["1 no `\"\"\"` on top"]);
        assert_eq!(found("interop/a.py", "#!/usr/bin/env python3\n\"\"\"A.\"\"\"\n"), NOTHING);
    }

    #[test]
    fn a_file_with_two_subjects_is_found_and_a_generated_one_is_not() {
        let long = format!("//! Long.\n{}", "a();\n".repeat(LINES_MAX));
        assert_eq!(found("log/src/a.rs", &long), ["801 801 lines"]);
        assert_eq!(found("log/src/a.rs", &format!("// @generated\n{long}")), NOTHING);
    }

    #[test]
    fn noise_is_found() {
        assert_eq!(
            found("a.toml", "a \nb\tc\n\td\r\n"),
            ["1 white space at the end of the line", "2 a tab", "3 a tab"]
        );
        assert_eq!(found("a.toml", "a"), ["1 no line end at the end"]);
    }

    /// A path of the author's machine works nowhere else.
    #[test]
    fn a_place_of_one_machine_is_found_and_its_namesakes_are_not() {
        for place in PLACES {
            for leak in [format!("see {place}/a"), format!("\"{place}\""), format!("dir={place}"), format!("{place}/")]
            {
                assert_eq!(found("a.toml", &format!("{leak}\n")), [format!("1 `{place}`")], "{leak}");
            }
            for fine in
                [format!("src{place}"), format!("{place}ers/x"), format!("./{place}-a"), format!("$DIR/x{place}")]
            {
                assert_eq!(found("a.toml", &format!("{fine}\n")), NOTHING, "{fine}");
            }
        }
    }

    #[test]
    fn fixtures_have_a_bound() {
        assert!(check_fixtures(FIXTURES_BYTES_MAX).is_none());
        assert!(check_fixtures(FIXTURES_BYTES_MAX + 1).is_some());
    }
}
