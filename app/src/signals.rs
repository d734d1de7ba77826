//! The signals that ask for an end.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

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

/// What asks work to come to an early end.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

impl Stop {
    /// Nobody asks yet.
    pub(crate) fn new() -> Stop {
        Stop(watch::Sender::new(false))
    }

    /// Asks for it.
    pub(crate) fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Whether somebody has asked.
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Ready when somebody has.
    pub(crate) async fn asked(&self) {
        // It fails if nobody can ask any more; we can.
        let _ = self.0.subscribe().wait_for(|is_asked| *is_asked).await;
    }
}

/// Does work to its end. The first Ctrl-C (or SIGTERM) asks it to come to one, the second doesn't wait for it: then there is
/// no outcome.
pub(crate) async fn gently<T>(stop: &Stop, work: impl Future<Output = T>) -> Result<Option<T>, Failure> {
    let mut signals = Signals::listen()?;
    tokio::pin!(work);
    for _ in 0..2 {
        tokio::select! {
            biased;
            done = &mut work => return Ok(Some(done)),
            _ = signals.next() => stop.ask(),
        }
    }
    Ok(None)
}
