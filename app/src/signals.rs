//! The signals that ask for an end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Exit, Failure};

/// SIGTERM and SIGINT.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on the signals don't end the process by themselves.
    pub(crate) fn listen() -> Result<Signals, Failure> {
        let listened =
            || Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? });
        listened().map_err(|error: std::io::Error| {
            let what = format!("can't listen for signals: {error}");
            Failure::new(Exit::Failed, what, "does this system let a process handle signals?")
        })
    }

    /// Waits for the next one; says its name.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
