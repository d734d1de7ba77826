//! `cargo xtask tidy`: the rules of the house that the compiler can't hold.
//!
//! [`arrows`] reads the manifests, [`names`] the code, [`references`] the documents, [`files`] everything that is text. The
//! same check is a test, so that plain `cargo test` sees it. Each violation is `path:line: what — why`.

mod arrows;
mod files;
mod names;
mod references;
mod source;

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// What is no part of the project's text, by name wherever it stands. In a second work tree `.git` is a file.
const NOT_OURS: &[&str] = &["target", ".git", ".venv", "__pycache__", "node_modules", "thalweg-data"];

/// Files that others write.
const NOT_OUR_TEXT: &[&str] = &["Cargo.lock", "LICENSE"];

/// A broken rule.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Violation {
    /// Relative to the workspace.
    path: String,
    /// Counted from 1.
    line: usize,
    what: String,
    why: &'static str,
}

impl Violation {
    fn new(path: &str, line: usize, what: String, why: &'static str) -> Violation {
        Violation { path: path.into(), line, what, why }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { path, line, what, why } = self;
        write!(f, "{path}:{line}: {what} — {why}")
    }
}

/// Checks the workspace at `root` and prints what it finds. Fails if it finds anything, or can't read.
pub(crate) fn run(root: &Path) -> ExitCode {
    match check(root) {
        Ok(violations) if violations.is_empty() => ExitCode::SUCCESS,
        Ok(violations) => {
            for violation in &violations {
                println!("{violation}");
            }
            eprintln!("tidy: {} violations", violations.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("tidy: can't read the workspace: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check(root: &Path) -> io::Result<Vec<Violation>> {
    let mut violations = Vec::new();
    let mut fixtures_bytes = 0;
    let mut crates = 0;
    // A list of folders still to read, not recursion; sorted, so that two runs print the same.
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let mut entries = fs::read_dir(root.join(&folder))?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            if NOT_OURS.contains(&name.as_str()) {
                continue;
            }
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(path);
            } else if path.starts_with("fixtures/") {
                fixtures_bytes += entry.metadata()?.len();
            } else if kind.is_file() && !NOT_OUR_TEXT.contains(&name.as_str()) {
                let bytes = match fs::read(entry.path()) {
                    Ok(bytes) => bytes,
                    // Somebody else's scratch file came and went while we walked.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                };
                let Ok(text) = String::from_utf8(bytes) else { continue };
                violations.extend(files::check(&path, &text));
                if name.ends_with(".rs") && !files::is_generated(&path, &text) {
                    violations.extend(names::check(&path, &text));
                }
                if name.ends_with(".md") {
                    violations.extend(references::check(root, &path, &text));
                }
                if name == "Cargo.toml" && !folder.is_empty() && !folder.contains('/') {
                    crates += 1;
                    violations.extend(arrows::check(&folder, &text));
                }
            }
        }
    }
    violations.extend(files::check_fixtures(fixtures_bytes));
    if crates == 0 {
        return Err(io::Error::other(format!("no crate under {}", root.display())));
    }
    violations.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules hold for the tree as it is. If this fails, the list it prints says where and why.
    #[test]
    fn the_house_is_tidy() {
        let violations = check(&crate::root()).unwrap();
        let list: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(list.is_empty(), "{} violations:\n{}\n", list.len(), list.join("\n"));
    }

    /// A check that reads nothing finds nothing: planted in a tree of their own, one violation of each kind is seen.
    #[test]
    fn planted_violations_are_found_on_a_disk() {
        let root = std::env::temp_dir().join(format!("thalweg-tidy-{}", std::process::id()));
        let put = |path: &str, text: &[u8]| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("wire/Cargo.toml", b"[dependencies]\nthalweg-log.workspace = true\n");
        put("wire/src/deep/clock.rs", b"//! A clock.\nuse std::time::Instant;\n");
        put("wire/src/generated/table.rs", b"use std::time::Instant;\n");
        put("wire/target/debug/out.rs", b"no header");
        put("wire/picture.bin", &[0xff, 0xfe, b' ', b'\n']);
        put("docs/a.md", b"# A \n");
        put("fixtures/big", &vec![0; (8 << 20) + 1]);
        let found: Vec<String> = check(&root).unwrap().iter().map(|v| format!("{}:{}", v.path, v.line)).collect();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, ["docs/a.md:1", "fixtures:1", "wire/Cargo.toml:2", "wire/src/deep/clock.rs:2"]);
    }
}
