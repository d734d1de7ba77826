//! What documents point to has to be there: a promise whose test is gone is no promise.
//!
//! In Markdown, `` `path/to/file.rs` `` is a file of the workspace, `` `path/to/file.rs::name` `` a function in it, and
//! `[text](path)` a file next to the document.

use std::fs;
use std::path::Path;

use super::Violation;

/// What kinds of files a document points to by their path.
const SOURCES: &[&str] = &["rs", "py", "toml", "md"];

/// Checks one document. `path` is relative to the workspace, which is at `root`.
pub(super) fn check(root: &Path, path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let folder = root.join(path).parent().map(Path::to_path_buf).unwrap_or_default();
    let mut code_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            code_block = !code_block;
        }
        if code_block {
            continue;
        }
        let mut complain = |what: String| {
            let why = "a document that points nowhere misleads: follow what was moved, or take the promise away";
            found.push(Violation::new(path, index + 1, what, why));
        };
        // Between every other pair of backticks.
        for quoted in line.split('`').skip(1).step_by(2) {
            let (file, name) = quoted.split_once("::").unwrap_or((quoted, ""));
            let is_path = file.contains('/') && !file.contains([' ', '*', '<']) && !file.starts_with(['/', '.']);
            if !is_path || !SOURCES.iter().any(|kind| file.ends_with(&format!(".{kind}"))) {
                continue;
            }
            match fs::read_to_string(root.join(file)) {
                Ok(source) if name.is_empty() || defines(&source, name) => {}
                Ok(_) => complain(format!("no `{name}` in {file}")),
                Err(_) => complain(format!("no file {file}")),
            }
        }
        for target in line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if !target.is_empty() && !target.contains(':') && !folder.join(target).exists() {
                complain(format!("no file {target}"));
            }
        }
    }
    found
}

/// Whether a function of that name begins in a source file.
fn defines(source: &str, name: &str) -> bool {
    ["fn ", "def "].iter().any(|keyword| source.contains(&format!("{keyword}{name}(")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        check(&crate::root(), "docs/planted.md", text).iter().map(|v| format!("{} {}", v.line, v.what)).collect()
    }

    #[test]
    fn a_document_that_points_nowhere_is_found() {
        let text = "`xtask/src/nowhere.rs`\n`xtask/src/main.rs::nobody`\n[a](nowhere.md) [b](../README.md#top)\n";
        assert_eq!(
            found(text),
            ["1 no file xtask/src/nowhere.rs", "2 no `nobody` in xtask/src/main.rs", "3 no file nowhere.md"]
        );
    }

    #[test]
    fn what_is_there_and_what_is_no_path_pass() {
        let text = "`xtask/src/main.rs::root` `main.rs` `--config FILE.toml` [x](https://example.org/a.md)\n\
                    ```\n[a](b) `xtask/src/nowhere.rs`\n```\n";
        assert_eq!(found(text), [""; 0]);
    }
}
