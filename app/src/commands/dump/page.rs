//! What a dump is written on: lines for people, or an object a line for scripts. It streams, so that a file of gigabytes
//! takes no more memory than a small one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{self, Output, printable};

/// Bytes that are gathered before they are written.
const GATHERED_BYTES: usize = 64 << 10;

/// A line of a dump.
pub(super) trait Line: Serialize {
    /// What it is about, for scripts.
    const TYPE: &'static str;

    /// For people.
    fn text(&self) -> String;
}

/// Where lines go.
pub(super) struct Page {
    output: Output,
    /// The file that they are about.
    file: String,
    gathered: String,
}

#[derive(Serialize)]
struct Tagged<'a, L> {
    file: &'a str,
    r#type: &'static str,
    #[serde(flatten)]
    line: &'a L,
}

impl Page {
    /// For a file.
    pub(super) fn of(file: &str, output: Output) -> Page {
        Page { output, file: printable(file), gathered: String::new() }
    }

    /// Words that only people need.
    pub(super) fn heading(&mut self, text: &str) -> Result<(), Failure> {
        if !self.output.is_json() {
            self.gathered += text;
            self.gathered.push('\n');
        }
        self.write_if_much()
    }

    /// The next line.
    pub(super) fn line<L: Line>(&mut self, line: &L) -> Result<(), Failure> {
        if self.output.is_json() {
            let tagged = Tagged { file: &self.file, r#type: L::TYPE, line };
            self.gathered += &serde_json::to_string(&tagged).map_err(|error| output::not_json(&error))?;
        } else {
            self.gathered += line.text().trim_end();
        }
        self.gathered.push('\n');
        self.write_if_much()
    }

    fn write_if_much(&mut self) -> Result<(), Failure> {
        if self.gathered.len() < GATHERED_BYTES { Ok(()) } else { self.end() }
    }

    /// Writes what was gathered.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        output::write(&std::mem::take(&mut self.gathered))
    }
}

/// Bytes of a key or a value: text, or `{"base64": ...}` for scripts where they are none, as `thalweg consume` has it.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Data {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Other {
        /// In base64.
        base64: String,
    },
}

impl Data {
    /// Of bytes.
    pub(super) fn of(bytes: &[u8]) -> Data {
        match std::str::from_utf8(bytes) {
            Ok(text) => Data::Text(text.to_owned()),
            Err(_) => Data::Other { base64: STANDARD.encode(bytes) },
        }
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        match self {
            Data::Text(text) => format!("\"{}\"", printable(text)),
            Data::Other { base64 } => format!("base64:{base64}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_base64_and_text_can_not_steer_the_terminal() {
        assert_eq!(Data::of(b"a\x1bb").shown(), "\"a\\u{1b}b\"");
        assert_eq!(Data::of(&[0xff]).shown(), "base64:/w==");
        let json = [Data::of(b"\xc3\xa9"), Data::of(&[0xff])];
        assert_eq!(serde_json::to_string(&json).unwrap(), "[\"\u{e9}\",{\"base64\":\"/w==\"}]");
    }
}
