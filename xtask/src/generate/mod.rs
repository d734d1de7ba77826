//! `cargo xtask generate`: from the schema files of `messages/schema` to the Rust of `messages/src/generated`.
//!
//! What is generated is committed, so that it can be read, searched and reviewed; a test here, and `--check`, fail when
//! it isn't what the schema files say.

#[cfg(test)]
mod facts;
mod json;
mod logs;
mod rust;
mod schema;

use schema::{Kind, Schema};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{fs, io};

const SCHEMA: &str = "messages/schema";
const GENERATED: &str = "messages/src/generated";

/// The folders of the records of a log, which become one enum.
const METADATA_LOG: &str = "metadata-log";
const GROUP_LOG: &str = "group-log";

/// Writes what is stale.
pub(crate) fn run(root: &Path) -> ExitCode {
    report(generate(root).and_then(|files| {
        let mut stale = stale(root, &files)?;
        for path in stale.drain(..) {
            match files.get(&path) {
                Some(text) => {
                    fs::create_dir_all(root.join(&path).parent().expect("a file is in a folder")).map_err(at(&path))?;
                    fs::write(root.join(&path), text).map_err(at(&path))?;
                }
                None => fs::remove_file(root.join(&path)).map_err(at(&path))?,
            }
            println!("{}", path.display());
        }
        Ok(())
    }))
}

/// Fails when something is stale, and names it.
pub(crate) fn check(root: &Path) -> ExitCode {
    report(generate(root).and_then(|files| stale(root, &files)).and_then(|stale| {
        if stale.is_empty() { Ok(()) } else { Err(format!("stale, run `cargo xtask generate`: {stale:?}")) }
    }))
}

fn report(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("generate: {complaint}");
            ExitCode::FAILURE
        }
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

/// The files that differ from `files`, are missing, or should not be there.
fn stale(root: &Path, files: &BTreeMap<PathBuf, String>) -> Result<Vec<PathBuf>, String> {
    let mut stale: Vec<PathBuf> = files
        .iter()
        .filter(|(path, text)| fs::read_to_string(root.join(path)).ok().as_deref() != Some(text.as_str()))
        .map(|(path, _)| path.clone())
        .collect();
    let generated = Path::new(GENERATED);
    if root.join(generated).exists() {
        let there = files_below(root, generated, "rs")?;
        stale.extend(there.into_iter().filter(|path| !files.contains_key(path)));
    }
    Ok(stale)
}

/// Everything that belongs below `messages/src/generated`, by its path from the root.
fn generate(root: &Path) -> Result<BTreeMap<PathBuf, String>, String> {
    let mut house = Module::default();
    for path in files_below(root, Path::new(SCHEMA), "msg")? {
        let text = fs::read_to_string(root.join(&path)).map_err(at(&path))?;
        let schema = Schema::parse(&text).map_err(|complaint| format!("{}:{complaint}", path.display()))?;
        let inside = path.strip_prefix(SCHEMA).expect("found below it");
        let module = module_name(inside).ok_or_else(|| format!("{}: expected NNN-name.msg", path.display()))?;
        let folder = inside.parent().and_then(Path::to_str).unwrap_or_default();
        let home = if folder.is_empty() { &mut house } else { house.folders.entry(folder.to_owned()).or_default() };
        if home.schemas.insert(module.clone(), (path.clone(), schema)).is_some() {
            return Err(format!("{}: a second {module}", path.display()));
        }
    }

    let mut files = BTreeMap::new();
    house.files(root, Path::new(GENERATED), "", &mut files)?;
    Ok(files)
}

/// A folder of schema files, and the Rust module that it becomes.
#[derive(Default)]
struct Module {
    schemas: BTreeMap<String, (PathBuf, Schema)>,
    folders: BTreeMap<String, Module>,
}

impl Module {
    fn files(&self, root: &Path, home: &Path, folder: &str, out: &mut BTreeMap<PathBuf, String>) -> Result<(), String> {
        for (name, (path, schema)) in &self.schemas {
            let text = rust::module(schema, &path.display().to_string());
            out.insert(home.join(format!("{name}.rs")), rustfmt(root, &text)?);
        }
        for (name, inner) in &self.folders {
            inner.files(root, &home.join(name.replace('-', "_")), name, out)?;
        }
        out.insert(home.join("mod.rs"), rustfmt(root, &self.index(folder))?);
        Ok(())
    }

    fn index(&self, folder: &str) -> String {
        let mut out = String::new();
        let about = match folder {
            "" => "The messages that the schema files describe.",
            METADATA_LOG | GROUP_LOG => "Stored records.",
            _ => "What clients say to each other, through the broker.",
        };
        let _ = writeln!(out, "//! {about}\n//!\n//! Generated by `cargo xtask generate`.\n");
        if folder.is_empty() {
            // Fields whose names say enough carry no docs; a version that no field asks for goes unread; and some modules
            // are opened to the world by a module of the same name that is written by hand.
            out.push_str("#![allow(missing_docs, unused_variables, unreachable_pub)]\n");
            out.push_str("#![allow(clippy::large_enum_variant, clippy::manual_range_patterns, clippy::semicolon_if_nothing_returned)]\n\n");
        }
        for name in self.folders.keys() {
            let _ = writeln!(out, "pub mod {};", name.replace('-', "_"));
        }
        for name in self.schemas.keys() {
            let _ = writeln!(out, "pub mod {name};");
        }
        out.push('\n');
        if folder.is_empty() {
            self.api_table(&mut out);
            self.name_table(&mut out);
        } else {
            for (module, (_, schema)) in &self.schemas {
                for message in &schema.messages {
                    let _ = writeln!(out, "pub use {module}::{};", message.name);
                }
            }
        }
        let messages = || self.schemas.values().flat_map(|(_, schema)| &schema.messages);
        match folder {
            METADATA_LOG => logs::metadata_record(&mut out, messages),
            GROUP_LOG => logs::group_record(&mut out, messages),
            _ => {}
        }
        out
    }

    fn api_table(&self, out: &mut String) {
        out.push_str("use crate::api::Api;\n\n/// Every API whose messages are described here, by its key.\n");
        out.push_str("pub const APIS: &[Api] = &[\n");
        let requests = self.schemas.values().flat_map(|(_, schema)| &schema.messages);
        let mut apis: Vec<_> = requests
            .filter_map(|message| match message.kind {
                Kind::Request(key) => Some((key, message)),
                _ => None,
            })
            .collect();
        apis.sort_by_key(|(key, _)| *key);
        for (_, message) in apis {
            let module =
                self.schemas.iter().find(|(_, (_, schema))| schema.messages.iter().any(|m| m.name == message.name));
            let (module, _) = module.expect("it came from there");
            let _ = writeln!(
                out,
                "Api::of::<{module}::{}>(\"{}\"),",
                message.name,
                message.name.trim_end_matches("Request")
            );
        }
        out.push_str("];\n");
    }

    fn name_table(&self, out: &mut String) {
        out.push_str("\n/// Every message and record, by its name.\n#[cfg(feature = \"json\")]\n");
        out.push_str("pub const MESSAGES: &[crate::json::Named] = &[\n");
        for (path, message) in self.named("") {
            let _ = writeln!(out, "crate::json::Named::of::<{path}{message}>(),");
        }
        out.push_str("];\n");
    }

    fn named(&self, path: &str) -> Vec<(String, &str)> {
        let mut named = Vec::new();
        for (module, (_, schema)) in &self.schemas {
            named.extend(schema.messages.iter().map(|m| (format!("{path}{module}::"), m.name.as_str())));
        }
        for (folder, inner) in &self.folders {
            named.extend(inner.named(&format!("{path}{}::", folder.replace('-', "_"))));
        }
        named
    }
}

/// `003-metadata.msg` becomes the module `metadata`.
fn module_name(path: &Path) -> Option<String> {
    let (number, name) = path.file_stem()?.to_str()?.split_once('-')?;
    number.parse::<u16>().ok()?;
    Some(name.replace('-', "_"))
}

fn files_below(root: &Path, folder: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder)).map_err(at(folder))? {
        let path = folder.join(entry.map_err(at(folder))?.file_name());
        if root.join(&path).is_dir() {
            found.extend(files_below(root, &path, extension)?);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    // The order of a folder's entries is the file system's business, the order of the output is not.
    found.sort();
    Ok(found)
}

/// The text as `cargo fmt` leaves it, so that the two never quarrel.
fn rustfmt(root: &Path, text: &str) -> Result<String, String> {
    let tool = |error: io::Error| format!("rustfmt: {error}; `rustup component add rustfmt` brings it");
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(tool)?;
    // It reads everything before it writes anything.
    child.stdin.take().expect("piped").write_all(text.as_bytes()).map_err(tool)?;
    let done = child.wait_with_output().map_err(tool)?;
    if !done.status.success() {
        return Err(format!("rustfmt refused what was generated:\n{text}"));
    }
    String::from_utf8(done.stdout).map_err(|error| format!("rustfmt: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Whoever edits a schema file and forgets to generate hears of it from plain `cargo test`.
    #[test]
    fn what_is_committed_is_what_the_schema_files_say() {
        let root = crate::root();
        let files = generate(&root).unwrap();
        assert!(files.len() > 10, "found the schema files");
        assert_eq!(stale(&root, &files).unwrap(), Vec::<PathBuf>::new(), "run `cargo xtask generate`");
    }
}
