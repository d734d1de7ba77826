//! Structured logs on stderr: stdout is for the banner and the ready line alone.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::failure::{Exit, Failure};

/// What a line of the log looks like.
#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object a line, for machines
    Json,
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Sends the log to stderr, for the rest of the process's life. `filter` is a level, or `target=level` parted by commas.
pub(crate) fn start(format: Format, filter: &str, is_plain: bool) -> Result<(), Failure> {
    let filter = read_filter(filter).ok_or_else(|| {
        Failure::in_one_line(
            Exit::Usage,
            format!(
            "{filter} is not a log level: take one of {}, or TARGET=LEVEL parted by commas, such as info,thalweg_broker=debug",
            LEVELS.join(", ")
        ))
    })?;
    let is_coloured = !is_plain && io::stderr().is_terminal();
    // A closed stderr must not end the broker: the subscriber's own complaint about it would panic.
    let log = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(is_coloured)
        .with_env_filter(filter)
        .log_internal_errors(false);
    match format {
        Format::Text => log.init(),
        Format::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

/// A word without a level would be taken as a target, and silence everything else.
fn read_filter(text: &str) -> Option<EnvFilter> {
    let is_level = |part: &str| LEVELS.contains(&part.trim().to_ascii_lowercase().as_str());
    let is_sound = text.split(',').all(|part| part.contains('=') || is_level(part));
    EnvFilter::try_new(text).ok().filter(|_| is_sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_refused_instead_of_silencing_the_log() {
        for text in ["info", "WARN", "info,thalweg_broker=debug", "off"] {
            assert!(read_filter(text).is_some(), "{text}");
        }
        for text in ["loud", "", "info,loud", "a=b=c"] {
            assert!(read_filter(text).is_none(), "{text}");
        }
    }
}
