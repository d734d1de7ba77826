//! What becomes of the records that are read: those that are wanted are printed, until there are enough.

use regex::bytes::Regex;
use thalweg_client::Records;
use thalweg_wire::Offset;

use super::template::{self, Found, Template};
use crate::failure::{Exit, Failure};
use crate::output;

/// Prints records.
pub(super) struct Printer {
    style: Style,
    /// Only those in whose key or value this is found.
    pattern: Option<Regex>,
    /// How many more.
    left: Option<u64>,
    printed: u64,
}

/// How a record looks.
pub(super) enum Style {
    Template {
        template: Template,
        /// Behind each record.
        separator: Vec<u8>,
        /// For what isn't there.
        null: Vec<u8>,
    },
    /// An object on a line.
    Json,
}

impl Printer {
    pub(super) fn new(style: Style, pattern: Option<Regex>, count: Option<u64>) -> Printer {
        Printer { style, pattern, left: count, printed: 0 }
    }

    /// How many were printed.
    pub(super) fn printed(&self) -> u64 {
        self.printed
    }

    /// Whether there are as many as were wanted.
    pub(super) fn has_enough(&self) -> bool {
        self.left == Some(0)
    }

    /// Writes those that are wanted, up to an offset; gives the offset behind what was looked at.
    pub(super) fn render(&mut self, records: &Records, until: Option<Offset>, out: &mut Vec<u8>) -> Offset {
        let is_before_the_end = |offset: Offset| until.is_none_or(|until| offset < until);
        for record in records.iter() {
            if self.has_enough() || !is_before_the_end(record.offset) {
                return record.offset;
            }
            let found = Found { topic: records.topic(), partition: records.partition().0, record };
            if !self.is_wanted(&found) {
                continue;
            }
            match &self.style {
                Style::Json => template::json(&found, out),
                Style::Template { template, separator, null } => {
                    template.render(&found, null, out);
                    out.extend_from_slice(separator);
                }
            }
            self.printed += 1;
            self.left = self.left.map(|left| left - 1);
        }
        records.next_offset()
    }

    fn is_wanted(&self, found: &Found<'_>) -> bool {
        let Some(pattern) = &self.pattern else { return true };
        [found.record.key, found.record.value].into_iter().flatten().any(|bytes| pattern.is_match(bytes))
    }
}

/// Writes to stdout, which may take as long as its reader takes: beside everything else that goes on.
///
/// # Errors
/// A quiet end where nobody reads any more.
pub(super) async fn write(text: Vec<u8>) -> Result<(), Failure> {
    if text.is_empty() {
        return Ok(());
    }
    let written = tokio::task::spawn_blocking(move || output::write_bytes(&text)).await;
    written.unwrap_or_else(|_| Err(Failure::new(Exit::Failed, "writing to stdout broke off", "try it again")))
}
