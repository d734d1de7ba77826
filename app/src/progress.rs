//! A line on stderr that says how far it is, and is written over; only where a person looks.

use std::io::IsTerminal;
use std::time::Duration;

use crate::terminal;

/// How often the line is written anew.
pub(crate) const EACH: Duration = Duration::from_secs(1);

/// The line.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
    is_drawn: bool,
}

/// Back to the line's begin, and empty from there on.
const CLEAR: &str = "\r\x1b[K";

impl Progress {
    /// Shown where stderr is a terminal.
    pub(crate) fn new() -> Progress {
        Progress { is_shown: std::io::stderr().is_terminal(), is_drawn: false }
    }

    /// Never shown: the person types at this terminal.
    pub(crate) fn hidden() -> Progress {
        Progress { is_shown: false, is_drawn: false }
    }

    /// Says something in the place of what was said before.
    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        if self.is_shown {
            terminal::complain(&format!("{CLEAR}{}", text()));
            self.is_drawn = true;
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            terminal::complain(CLEAR);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
