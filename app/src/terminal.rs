//! Words for the person at the terminal. A pipe that nobody reads any more must not end the broker, so a failed write
//! is passed over; `println!` would panic.

use std::io::{self, Write};

/// Writes to stdout and flushes.
pub(crate) fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let _unread = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Writes to stderr.
pub(crate) fn complain(text: &str) {
    let _unread = io::stderr().lock().write_all(text.as_bytes());
}
